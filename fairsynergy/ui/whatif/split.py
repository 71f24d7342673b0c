"""Scoring a split made by hand: drag or type shares, see what it is worth, how far from each rule, and what to mend."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

import fairsynergy as fs
from fairsynergy.analysis import planning
from fairsynergy.fleets.tray import Scenario
from fairsynergy.problem import Array
from fairsynergy.ui import panels, solve
from fairsynergy.ui.whatif import meeting
from fairsynergy.words import advice
from fairsynergy.words.phrases import average, badge, mean_word, number, percent, proof

ROUNDING = 1e-9  # a sum of grants above the capacity by less than this part of it is not too much
DRAGGED = 12  # up to this many agents each has a slider
MINE = "my split"


def panel(scenario: Scenario, allocation: fs.Allocation) -> None:
    """Start a split, or change the one at work, and score it."""
    if scenario.given is None:
        _start(scenario, allocation)
        return
    st.button(
        "Divide it by Fair-Synergy instead", key="drop_split", icon=":material/undo:", type="tertiary",
        on_click=_drop, help="The rules above do so, too.",
    )  # fmt: skip
    left, right = st.columns([3, 2])
    with left:
        _shares(scenario, scenario.given)
    with right:
        _score(scenario, allocation)


def _start(scenario: Scenario, allocation: fs.Allocation) -> None:
    st.markdown(
        "Propose a split of your own, and see what it is worth beside the rules': accuracies, fairness, how far it is "
        "from each rule, and the first change worth making."
    )
    with st.container(horizontal=True):
        for label, grant in (
            (f"Start from {allocation.policy.label}", allocation.grant),
            ("Start from equal shares", fs.Uniform().divide(scenario.problem).grant),
            ("Start from nothing", np.zeros_like(allocation.grant)),
        ):
            st.button(
                label, key=f"split_{label}", on_click=meeting.keep, icon=":material/back_hand:",
                args=(replace(scenario, name=MINE, rule=MINE, given=grant), "a split by hand"),
            )  # fmt: skip


def _shares(scenario: Scenario, given: Array) -> None:
    problem = scenario.problem
    spent = given.sum(axis=0)
    for k, resource in enumerate(problem.resources):
        capacity = float(problem.capacity[k])
        share = spent[k] / capacity if capacity else 0.0
        said = f"**{panels.harmless(resource)}**: {number(float(spent[k]))} of {number(capacity)} units given"
        if spent[k] > capacity * (1 + ROUNDING):
            st.markdown(f"{said}: :red[{number(float(spent[k] - capacity))} more than there is.]")
        else:
            left = capacity - float(spent[k])
            rest = number(left) if left > ROUNDING * capacity else "nothing"
            st.markdown(f"{said}, {percent(share)}; {rest} left.")
    if (spent > problem.capacity * (1 + ROUNDING)).any():
        st.button(
            "Scale it down to what there is", key="scale_down", icon=":material/compress:", on_click=_put,
            args=(given * np.minimum(1.0, problem.capacity / np.where(spent > 0, spent, 1.0)), "scaled down"),
        )  # fmt: skip
    if problem.n <= DRAGGED:
        for i, name in enumerate(problem.agents):
            for k, (resource, column) in enumerate(zip(problem.resources, st.columns(problem.m), strict=True)):
                if problem.capacity[k] == 0:
                    continue
                key = f"share_{i}_{k}"
                st.session_state[key] = round(min(100.0, 100 * float(given[i, k] / problem.capacity[k])), 1)
                column.slider(
                    panels.harmless(f"{name}: share of the {resource}"), 0.0, 100.0, step=0.1, format="%.1f %%",
                    key=key, on_change=_drag, args=(i, k),
                )  # fmt: skip
    with st.expander("Type amounts", expanded=problem.n > DRAGGED, icon=":material/keyboard:"):
        frame = pd.DataFrame({"Agent": problem.agents})
        for k, resource in enumerate(problem.resources):
            frame[_amount(resource)] = given[:, k]
        st.data_editor(
            frame, key=f"amounts_{scenario.name}_{hash(given.tobytes())}", hide_index=True, num_rows="fixed",
            disabled=["Agent"], on_change=_typed, args=(f"amounts_{scenario.name}_{hash(given.tobytes())}",),
        )  # fmt: skip


def _amount(resource: str) -> str:
    return f"{resource} granted [units]"


def _score(scenario: Scenario, allocation: fs.Allocation) -> None:
    st.markdown(f"**{badge(allocation).capitalize()}.** {proof(allocation)}")
    if allocation.status is fs.Status.FAILED:
        st.markdown(f":red[{panels.harmless(advice.broken(scenario.problem, allocation.grant))}]")
        return
    found = fs.fairness.report(allocation)
    st.markdown(panels.harmless(advice.scored(found)))
    better = planning.first_improvement(allocation)
    st.markdown(f"**First improvement:** {panels.harmless(advice.improvement(better))}")
    if better is not None:
        st.button(
            "Make that move", key="improve", icon=":material/swap_horiz:", on_click=_put,
            args=(planning.exchanged(allocation, better), "the first improvement made"),
        )  # fmt: skip
    answers = solve.answers(scenario.problem)
    rows = []
    for name, other in answers.allocations.items():
        moved = planning.distance(allocation.grant, other.grant, scenario.problem.capacity)
        mean, ours = f"{mean_word(scenario.problem).capitalize()} [%]", average(allocation)
        row = {"Rule": name, mean: 100 * (average(other) / ours - 1) if ours else None}
        row["Worst [%]"] = 100 * (other.worst / allocation.worst - 1) if allocation.worst else None
        parts = zip(scenario.problem.resources, moved, strict=True)
        rows.append(row | {f"{resource} to move [% of all]": 100 * part for resource, part in parts})
    st.caption("Each rule against this split: how much higher or lower, and how much would have to change hands.")
    form = st.column_config.NumberColumn(format="%.1f")
    table = pd.DataFrame(rows)
    st.dataframe(table, hide_index=True, key="distances", column_config=dict.fromkeys(table.columns[1:], form))


def _put(grant: Array, did: str) -> None:
    meeting.edit(lambda scenario: replace(scenario, given=grant), did)


def _drop() -> None:
    rule = fs.FairSynergy.name
    meeting.edit(lambda scenario: replace(scenario, rule=rule, given=None), f"divided by {rule}")


def _drag(i: int, k: int) -> None:
    scenario = meeting.current()
    assert scenario.given is not None
    grant = scenario.given.copy()
    grant[i, k] = st.session_state[f"share_{i}_{k}"] / 100 * scenario.problem.capacity[k]
    _put(grant, f"{scenario.problem.agents[i]}'s share of {scenario.problem.resources[k]} changed")


def _typed(key: str) -> None:
    scenario = meeting.current()
    assert scenario.given is not None
    grant = scenario.given.copy()
    for row, cells in st.session_state[key]["edited_rows"].items():
        for k, resource in enumerate(scenario.problem.resources):
            if _amount(resource) in cells:
                grant[int(row), k] = cells[_amount(resource)] or 0.0  # an emptied cell gives nothing
    _put(grant, "amounts typed")
