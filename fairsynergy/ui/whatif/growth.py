"""More to share while all grants stay: where new capacity goes, and who gets the next unit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

import fairsynergy as fs
from fairsynergy.fleets.tray import Scenario
from fairsynergy.problem import Array
from fairsynergy.ui import panels, solve
from fairsynergy.ui.whatif import goals, meeting
from fairsynergy.words import advice

STEPS = 20  # of a slider, up to as much again as there is


def panel(scenario: Scenario, allocation: fs.Allocation) -> None:
    """New capacity placed beside grants that stay; then the next bit of each resource."""
    problem, rule = scenario.problem, goals.rule_of(scenario)
    st.caption(
        "Grants were promised, and more has come: every grant of this scenario stays, and only what is new is divided, "
        f"by {rule}. Set against dividing everything anew, this is what the promises cost."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        extra = np.array(
            [
                st.number_input(
                    f"New {panels.harmless(resource)} [units]", 0.0, None, round(float(problem.capacity[k]) / 10, 4),
                    format="%.4g", key=f"extra_{k}_{scenario.name}", width=200,
                )
                for k, resource in enumerate(problem.resources)
            ]
        )  # fmt: skip
    try:
        placed = solve.placed(problem, rule, allocation.grant, extra)
        anew = solve.one(replace(problem, capacity=problem.capacity + extra), rule)
        bits = solve.next_bits(problem, rule, allocation.grant, allocation)
    except fs.FairSynergyError as error:
        st.warning(panels.harmless(str(error)), icon=":material/block:")
        return
    st.markdown(f"**{panels.harmless(advice.placement(placed))}**")
    st.markdown(panels.harmless(advice.kept_promises(placed, anew)))
    st.button(
        "Keep it as a scenario", key="keep_growth", icon=":material/add:", on_click=_keep,
        args=(placed.grant, problem.capacity + extra), disabled=not extra.any(),
    )  # fmt: skip
    if not bits:
        st.caption("The cloud has nothing, so there is no next bit of it.")
        return
    st.header("Who gets the next bit?", anchor=False)
    st.markdown("\n".join(f"- {panels.harmless(said)}" for said in advice.next_bits(bits)))
    st.caption("A bit is 1 % of what the cloud has of a resource.")


def _keep(grant: Array, capacity: Array) -> None:
    meeting.attempt(
        lambda tray: tray.keep(
            replace(
                tray.current, name="new capacity placed", rule="promises kept", given=grant,
                problem=replace(tray.current.problem, capacity=capacity),
            )
        ),
        "new capacity placed beside the grants",
    )  # fmt: skip
