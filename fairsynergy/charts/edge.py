"""One edge shared by several rules: what each device gets, and what each pays, worst first."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import altair as alt
import numpy as np
import pandas as pd

from fairsynergy.charts.comparison import FAINT, INK, KEPT, Spec, bare, named_axis, ranked
from fairsynergy.charts.palette import Mark
from fairsynergy.collaborative import Sharing
from fairsynergy.words.phrases import at_most, duration, number, percent

# The colour and the dash of each rule; colours of Okabe and Ito.
MARKS: dict[str, Mark] = {
    "Exact": Mark("#009E73", "circle"),
    "Algorithm 1, intended": Mark("#0072B2", "square"),
    "Algorithm 1, printed": Mark("#D55E00", "triangle-down"),
    "Equal split": Mark("#E69F00", "diamond"),
    "Equal share": Mark("#CC79A7", "triangle-up"),
    "Continuous": Mark(FAINT, "cross"),
}
DASHES = ([1, 0], [7, 3], [3, 3], [1, 0], [6, 2, 2, 2], [1, 3])
READABLE = 40  # devices beside one another


def shares(sharings: Mapping[str, Sharing], rule: str) -> pd.DataFrame:
    """What each device holds under the rule and under the exact one, the most expensive under the exact one first."""
    exact, chosen = sharings["Exact"], sharings[rule]
    order = np.argsort(-exact.cost, kind="stable")
    table = pd.DataFrame(
        {
            "device": [f"device {i + 1}" for i in order],
            "share": chosen.share[order],
            "exact": exact.share[order],
            "fixed": exact.edge.fixed[order],
            "falling": exact.edge.falling[order],
            "cost": chosen.cost[order],
            "exact_cost": exact.cost[order],
        }
    )
    return ranked(table, "device")


@lru_cache(maxsize=KEPT)
def shares_spec(rule: str, many: bool) -> Spec:
    """Bars of what each device holds, a tick where the exact rule has it; fill it with `shares`."""
    axis = named_axis(labels=not many, ticks=not many, labelLimit=90)
    rows = alt.Chart(alt.NamedData("rows")).encode(
        x=alt.X("rank:N", title="Devices, the worst-off first" if many else None, axis=axis),
        tooltip=[
            alt.Tooltip("device:N", title="Device"),
            alt.Tooltip("share:Q", format=".3~f", title=f"Multiprocessors, {rule}"),
            alt.Tooltip("exact:Q", format=".3~f", title="Multiprocessors, exact"),
            alt.Tooltip("fixed:Q", format=".3f", title="Cost whatever its share"),
            alt.Tooltip("falling:Q", format=".3f", title="Cost on one multiprocessor"),
            alt.Tooltip("cost:Q", format=".4f", title="It pays"),
        ],
    )
    return bare(
        alt.layer(
            rows.mark_bar(color=MARKS[rule].colour).encode(y=alt.Y("share:Q", title="Multiprocessors")),
            rows.mark_tick(thickness=2, color=INK).encode(y="exact:Q"),
        )
    )


def costs(sharings: Mapping[str, Sharing]) -> pd.DataFrame:
    """What devices pay under each rule, sorted: the first of each is its worst-off."""
    parts = []
    for rule, sharing in sharings.items():
        paid = np.sort(sharing.cost)[::-1]
        parts.append(pd.DataFrame({"rule": rule, "rank": np.arange(1, len(paid) + 1), "cost": paid}))
    return pd.concat(parts, ignore_index=True)


def _costs_spec() -> Spec:
    names = list(MARKS)
    colour = alt.Scale(domain=names, range=[mark.colour for mark in MARKS.values()])
    dash = alt.Scale(domain=names, range=[list(dash) for dash in DASHES])
    legend = alt.Legend(
        title=None, orient="top", columns=2, columnPadding=8, labelFontSize=12, symbolStrokeWidth=3, symbolType="stroke"
    )
    rows = alt.Chart(alt.NamedData("rows")).encode(
        x=alt.X("rank:Q", title="Devices, the worst-off first", axis=alt.Axis(tickMinStep=1, format="d")),
        y=alt.Y("cost:Q", title="Cost (lower is better)", scale=alt.Scale(zero=False, padding=8)),
        color=alt.Color("rule:N", scale=colour, legend=legend),
        strokeDash=alt.StrokeDash("rule:N", scale=dash, legend=legend),
        tooltip=[
            alt.Tooltip("rule:N", title="Rule"),
            alt.Tooltip("rank:Q", title="From the worst-off"),
            alt.Tooltip("cost:Q", format=".4f", title="Cost"),
        ],
    )
    lines = rows.mark_line(strokeWidth=2.5, interpolate="step-after")
    return bare(alt.layer(lines, rows.mark_point(opacity=0, size=80)))


COSTS = _costs_spec()


def rules_table(sharings: Mapping[str, Sharing], seconds: Mapping[str, float]) -> pd.DataFrame:
    """One row per rule: what its worst-off device pays, how far above the exact one, and what is proved."""
    exact = sharings["Exact"]
    return pd.DataFrame(
        [
            {
                "Rule": rule,
                "Worst cost": sharing.worst,
                "Above the exact [%]": round(100 * sharing.above(exact), 2),
                "Proved": _proved(rule, sharing),
                "Time to share": duration(seconds[rule]),
            }
            for rule, sharing in sharings.items()
        ]
    )


def _proved(rule: str, sharing: Sharing) -> str:
    """What is proved of a rule's worst cost: by counting slices for whole ones, by the bound for any parts."""
    if rule == "Continuous":
        return "lowest of all, in any parts"
    if rule == "Equal share":
        return f"any parts, gap at most {at_most(sharing.gap)}"
    return "optimal" if sharing.optimal else "not optimal"


def answer(sharings: Mapping[str, Sharing]) -> str:
    """What the exact rule does for the worst-off device, beside an equal split, in a sentence."""
    exact, equal = sharings["Exact"], sharings["Equal split"]
    edge = exact.edge
    shared = f"{edge.n} device{'s' * (edge.n > 1)} share {edge.multiprocessors} multiprocessors"
    more = equal.above(exact)
    beside = "as much as with an equal split" if more < 1e-9 else f"an equal split costs it {percent(more)} more"
    return f"{shared}: the worst-off pays {number(exact.worst)} at best; {beside}."


def describe(sharings: Mapping[str, Sharing]) -> str:
    """The two pictures in words."""
    exact, printed = sharings["Exact"], sharings["Algorithm 1, printed"]
    wrong = printed.above(exact)
    found = (
        "finds the exact answer here" if wrong < 1e-9 else f"leaves the worst-off {percent(wrong)} above the exact one"
    )
    return f"Algorithm 1 as printed {found}. No shares at all bring the worst cost below {number(exact.edge.bound)}."
