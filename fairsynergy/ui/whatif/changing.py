"""What changing costs: from the grants of another scenario to this one, with a price on every unit moved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

import fairsynergy as fs
from fairsynergy.analysis import planning
from fairsynergy.charts import plans
from fairsynergy.fleets.tray import Scenario, Tray
from fairsynergy.problem import Array
from fairsynergy.ui import panels, solve
from fairsynergy.ui.whatif import meeting
from fairsynergy.words import advice

EQUAL = "(equal shares)"
STOPS = 11  # prices of the curve
MANY = 1000  # grants above which the curve waits for a click
ALT = "Share of the resources that changes hands, and mean accuracy, against the price of a moved unit."


def panel(tray: Tray, scenario: Scenario, allocations: dict[str, fs.Allocation]) -> None:
    """From which grants, at what price; what then moves, and the curve over all prices."""
    st.caption(
        "Moving a grant is not free: somebody loses what was planned for. Every unit taken from the agent that had it "
        "costs the price below, in accuracy; what is worth less than that stays where it is. The total accuracy less "
        "that cost is made as large as it can be."
    )
    problem = scenario.problem
    starts = {name: found for name, found in allocations.items() if found.status is not fs.Status.FAILED}
    starts = {EQUAL: solve.one(problem, fs.Uniform.name)} | starts
    names = list(starts)
    if st.session_state.get("moved_from") not in names:
        there = tray.reference in names and tray.reference != tray.selected
        st.session_state["moved_from"] = tray.reference if there else EQUAL
    with st.container(horizontal=True, vertical_alignment="bottom"):
        start = st.selectbox("From the grants of", names, key="moved_from", bind="query-params", width=240)
        price = st.number_input(
            "Price of a moved unit [accuracy]", 0.0, None, 0.1, 0.05, format="%.4g", key="move_price",
            bind="query-params", width=240,
        )  # fmt: skip
    previous = planning.carried(problem, starts[start])
    try:
        moved = solve.change(problem, previous, float(price))
    except fs.FairSynergyError as error:
        st.warning(panels.harmless(str(error)), icon=":material/block:")
        return
    st.markdown(f"**{panels.harmless(advice.moving(moved))}**")
    st.caption(f"{moved.allocation.status.value} The rule is Fair-Synergy's: the total accuracy.")
    st.button(
        "Keep it as a scenario", key="keep_change", icon=":material/add:", on_click=_keep,
        args=(moved.allocation.grant, f"from {start}"[:50]),
    )  # fmt: skip
    top = max(4 * float(price), 2 * float(np.max(moved.free.price, initial=0.1)) if moved.free.price is not None else 1)
    asked = f"Show other prices, too: {problem.n:,} agents are divided {2 * STOPS} times, which may take a while"
    if problem.n * problem.m > MANY and not st.toggle(asked, key="move_curve", bind="query-params"):
        return
    rows = solve.changes(problem, previous, tuple(np.linspace(0, top, STOPS).tolist()))
    now = plans.moves([float(price)], [plans.part_moved(moved)], [moved.allocation.mean])
    for spec, field, column in zip(plans.moves_specs(), ("moved", "mean"), st.columns(2), strict=True):
        column.vega_lite_chart(
            spec=spec | {"datasets": {"rows": rows, "now": now}}, height=220, key=f"moves_{field}", alt=ALT
        )  # fmt: skip
    st.caption("The mark is the price above. At a high price nothing moves but what must.")


def _keep(grant: Array, name: str) -> None:
    meeting.attempt(
        lambda tray: tray.keep(replace(tray.current, name=name, rule="re-planned", given=grant)),
        "re-planned with a price on moves",
    )
