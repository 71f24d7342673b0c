"""The edge oracle on screen: which edge, shared by every rule, checked by trying every split where that is possible."""

from __future__ import annotations

from math import comb
from time import perf_counter
from typing import NamedTuple

import streamlit as st

from fairsynergy.charts import edge as charts
from fairsynergy.collaborative import RULES, Edge, Sharing, brute_force, draw_edge
from fairsynergy.errors import ProblemError

MOST_DEVICES, MOST_PROCESSORS = 100, 400
# As many splits are tried at a click at most.
TRIED = 300_000
MILLIONS = 10**9  # beyond, digits say nothing
TIMED = 3


class Shared(NamedTuple):
    """An edge shared by every rule, and how long each took [seconds]."""

    sharings: dict[str, Sharing]
    seconds: dict[str, float]


def choose() -> Edge:
    """Controls: how many devices and multiprocessors, how unequal, in whole ones or quarters."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        devices = st.slider("Devices", 1, MOST_DEVICES, 10, key="devices", bind="query-params", width=220)
        processors = st.slider(
            "Multiprocessors of the edge", 1, MOST_PROCESSORS, 24, key="processors", bind="query-params", width=260,
            help="What the edge's graphics processor runs at once (SMs). With more devices than these, each is cut "
            "into slices of time.",
        )  # fmt: skip
        fixed = st.slider(
            "Cost whatever the share", 0.0, 2.0, (0.05, 1.0), 0.05, key="fixed_cost", bind="query-params",
            width=240, help="Of a device's own part of the network, and of sending the rest; drawn between these two.",
        )  # fmt: skip
        falling = st.slider(
            "Cost on one multiprocessor", 0.0, 10.0, (0.05, 3.0), 0.05, key="falling_cost", bind="query-params",
            width=240, help="Of the edge's part of the network; on two multiprocessors it is half as much.",
        )  # fmt: skip
        quarters = st.toggle(
            "Quarters", key="quarters", bind="query-params", help="Each multiprocessor can be shared by four."
        )
        seed = st.number_input("Seed", 0, 9999, 0, key="edge_seed", bind="query-params", width=110)
    return draw_edge(
        devices=devices, multiprocessors=processors, slices=4 if quarters else 1, fixed=fixed, falling=falling,
        seed=int(seed),
    )  # fmt: skip


def share(edge: Edge) -> Shared:
    """The edge shared by every rule; of several times the shortest, since the first also loads what it needs."""
    sharings, seconds = {}, {}
    for name, rule in RULES.items():
        times = []
        for _ in range(TIMED):
            start = perf_counter()
            sharings[name] = rule(edge)
            times.append(perf_counter() - start)
        seconds[name] = min(times)
    return Shared(sharings, seconds)


def check(edge: Edge, exact: Sharing) -> None:
    """Where there are few enough splits, an offer to try all of them."""
    splits = comb(edge.units - 1, edge.n - 1)
    if splits > TRIED:
        many = f"{splits:,}" if splits < MILLIONS else f"{splits:.0e}"
        st.caption(f"There are {many} splits, too many to try at a click; the proof of the exact one does not need it.")
        return
    if not st.toggle(f"Try all {splits:,} splits", key="try_all", bind="query-params"):
        return
    try:
        tried = brute_force(edge)
    except ProblemError as error:
        st.caption(f"Not tried: {error}")
        return
    verdict = "as exact says" if tried.worst == exact.worst else "which is NOT what exact says: please report it"
    st.markdown(f"Of all {splits:,} splits, the best one's worst cost is **{tried.worst:.6g}**, {verdict}.")


def pictures(shared: Shared) -> None:
    """What each device gets under one rule, and what all pay under every rule."""
    rule = st.segmented_control(
        "Shares under", list(RULES), default="Exact", required=True, key="edge_rule", bind="query-params", wrap=True
    )
    rows = charts.shares(shared.sharings, rule)
    left, right = st.columns(2)
    left.vega_lite_chart(
        rows, charts.shares_spec(rule, len(rows) > charts.READABLE), height=320, key="edge_shares",
        alt="Multiprocessors that each device holds under the rule chosen, and the exact one; in the table below.",
    )  # fmt: skip
    left.caption(f"Bars: {rule}; line: exact. The device that pays most under the exact rule comes first.")
    right.vega_lite_chart(
        charts.costs(shared.sharings), charts.COSTS, height=320, key="edge_costs",
        alt="What devices pay under every rule, the worst-off first; in the table below.",
    )  # fmt: skip
    right.caption("Each line: what all devices pay under one rule. Its left end is the worst-off: lower is fairer.")
