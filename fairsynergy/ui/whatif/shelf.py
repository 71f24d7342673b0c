"""The tray on screen: which scenario is at work, what it is compared with and by what, and what to do with it."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

import fairsynergy as fs
from fairsynergy.fleets.tray import LONGEST_NAME, METRICS, Difference, Scenario, Tray, differences
from fairsynergy.ui import panels
from fairsynergy.ui.whatif import meeting
from fairsynergy.words.phrases import average, number

SHORTEST_LIST = 6  # differences that are sentences; more are a table


def choose(tray: Tray) -> None:
    """Which scenario is at work, and the buttons that copy, name, delete and undo."""
    names = [scenario.name for scenario in tray.scenarios]
    st.session_state["scenario"] = tray.selected
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.segmented_control(
            "Scenario at work", names, required=True, key="scenario", on_change=_select, wrap=True, width="content",
            format_func=_label,
        )  # fmt: skip
        st.button(
            "Duplicate", key="duplicate", icon=":material/content_copy:", on_click=_duplicate,
            help="A copy of it, to change.",
        )  # fmt: skip
        with st.popover("Rename", icon=":material/edit:"):
            st.session_state["new_name"] = tray.selected
            st.text_input("Name of this scenario", key="new_name", max_chars=LONGEST_NAME, on_change=_rename)
        st.button(
            "Delete", key="delete", icon=":material/delete:", on_click=_delete, disabled=len(names) == 1,
            help="Undo brings it back.",
        )  # fmt: skip
        st.button("Undo", key="undo", icon=":material/undo:", on_click=meeting.undo, disabled=not meeting.past())


def compare(tray: Tray) -> str:
    """What the scenarios are compared with, and by which metric; returns the metric."""
    names = [scenario.name for scenario in tray.scenarios]
    st.session_state["reference"] = tray.reference
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox("Compared with", names, key="reference", on_change=_compare_with, width=220)
        metric: str = st.selectbox("By", list(METRICS), key="metric", bind="query-params", width=170)
    return metric


def sidebar(tray: Tray, shown: fs.Problem, scenario: Scenario) -> None:
    """Where the sidebar shows a fleet that is in no scenario: an offer to add it.

    Parameters
    ----------
    tray : Tray
        The visitor's.
    shown : Problem
        What the sidebar shows.
    scenario : Scenario
        The same as a scenario.
    """
    if any(other.problem == shown for other in tray.scenarios):
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("The sidebar shows another fleet than these scenarios do; they stay as they are.", width="content")
        st.button(
            "Add the sidebar's fleet", key="add_sidebar", icon=":material/add:", type="tertiary",
            on_click=meeting.keep, args=(scenario, "added from the sidebar"),
        )  # fmt: skip


def differ(tray: Tray) -> None:
    """In what the scenario at work differs from the one it is compared with, and in nothing else."""
    one, other = tray[tray.reference], tray.current
    if one == other:
        st.caption(
            "This is what the others are compared with. Change anything below and a copy is made, with only the "
            "differences listed here."
        )
        return
    found = differences(one, other)
    st.markdown(panels.harmless(f"Different in “{other.name}” from “{one.name}”:"))
    if not found:
        st.caption("Nothing but the name.")
    elif len(found) <= SHORTEST_LIST:
        st.markdown("\n".join(f"- {panels.harmless(_said(difference))}" for difference in found))
    else:
        rows = [
            {"What": d.what, "Agent": d.agent or "", "Before": _value(d.before), "Now": _value(d.after)} for d in found
        ]
        st.dataframe(pd.DataFrame(rows), hide_index=True, height=220, key="differences")


def _label(name: str) -> str:
    """A name on a button: harmless, and another for every other name, by which the browser tells the buttons apart.

    >>> _label("a`b"), _label("a'b")
    ('a\\\\`b', "a'b")
    """
    return r"\`".join(map(panels.harmless, name.split("`")))


def _said(difference: Difference) -> str:
    who = f"{difference.agent}: " if difference.agent else ""
    return f"{who}{difference.what}: {_value(difference.before)} → {_value(difference.after)}"


def _value(value: str | float | None) -> str:
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    return "none" if value == float("inf") else number(value)


def _select() -> None:
    wanted = st.session_state["scenario"]
    if wanted is not None:
        meeting.look(lambda tray: tray.select(wanted))


def _compare_with() -> None:
    wanted = st.session_state["reference"]
    meeting.look(lambda tray: tray.compare_with(wanted))


def _duplicate() -> None:
    meeting.keep(meeting.current(), f"copied from “{meeting.current().name}”")


def _rename() -> None:
    wanted = st.session_state["new_name"].strip()
    meeting.attempt(lambda tray: tray.change(tray.selected, replace(tray.current, name=wanted)), "renamed")


def _delete() -> None:
    meeting.attempt(lambda tray: tray.drop(tray.selected), "another deleted")


def history() -> None:
    """Every scenario that was made here, with what was done to make it; any can be brought back."""
    runs = meeting.runs()
    if not runs:
        st.caption("Nothing was changed yet. Every scenario you make is listed here, also those you undo or delete.")
        return
    solved = [meeting.solved([run.scenario]).allocations.get(run.scenario.name) for run in runs]
    st.dataframe(
        pd.DataFrame(
            {
                "Run": range(1, len(runs) + 1),
                "Scenario": [run.scenario.name for run in runs],
                "What was done": [run.did for run in runs],
                "Rule": [run.scenario.rule for run in runs],
                "Mean accuracy": [None if found is None else average(found) for found in solved],
                "Worst accuracy": [None if found is None else found.worst for found in solved],
            }
        ),
        hide_index=True,
        key="runs",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        wanted = st.number_input("Run", 1, len(runs), len(runs), key="run_back", width=120)
        st.button(
            "Bring it back", key="bring_back", icon=":material/history:", on_click=_bring_back, args=(int(wanted) - 1,),
            help="As one more scenario; nothing is overwritten.",
        )  # fmt: skip


def _bring_back(place: int) -> None:
    meeting.keep(meeting.runs()[place].scenario, f"run {place + 1} brought back")
