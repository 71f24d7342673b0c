"""Two effects at a click: a preset comes into the sidebar with what to look at, and a click brings one's fleet back."""

from __future__ import annotations

import streamlit as st

from fairsynergy.charts import tradeoff
from fairsynergy.fleets import PRESETS
from fairsynergy.fleets.drawn import DEMONSTRATIONS
from fairsynergy.ui import inputs, panels, solve
from fairsynergy.words.phrases import takes, turned_over

# Kept for a visitor: which demonstration is on, and the controls as they were before.
SHOWN, BEFORE = "_demonstration", "_before"
ALT = "Share of the cloud that the hardest tasks get under each rule, in either unit; said in words above."


def offer() -> None:
    """The buttons that start one."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("See it happen:", width="content")
        for name, offered in DEMONSTRATIONS.items():
            st.button(offered.title, key=f"show_{name}", on_click=_show, args=(name,), help=offered.look)


def explain() -> None:
    """While one is on: what to look at, a switch between its presets, and the way back."""
    name = st.session_state.get(SHOWN)
    if name is None or st.session_state["fleet"] != inputs.PRESET:
        return
    if st.session_state["preset"] in DEMONSTRATIONS[name].presets.values():
        with st.container(border=True):
            _explain(name)


def _explain(name: str) -> None:
    shown = DEMONSTRATIONS[name]
    labels = {preset: label for label, preset in shown.presets.items()}
    st.session_state["variant"] = labels[st.session_state["preset"]]
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.header(shown.title, anchor=False, width="content")
        st.segmented_control(
            "Shown", list(shown.presets), key="variant", required=True, on_change=_switch, label_visibility="collapsed"
        )
        st.button("Back to my fleet", key="back", icon=":material/undo:", on_click=_back)
    st.markdown(shown.look)
    problems = {label: PRESETS[preset].problem for label, preset in shown.presets.items()}
    solved = {label: solve.every(problem).allocations for label, problem in problems.items()}
    if name == "units":
        table = tradeoff.to_the_hardest(problems, solved)
        st.markdown(f"**{turned_over(table.to_dict('records'), shown.rule)}**")
        st.vega_lite_chart(table, tradeoff.units_spec(*problems), height=320, key="units", alt=ALT)
    else:
        for label, allocations in solved.items():
            st.markdown(f"**{label.capitalize()}**: {panels.harmless(takes(allocations[shown.rule]))}")


def _show(name: str) -> None:
    kept = {key: st.session_state.get(key) for key in inputs.DEFAULTS}
    st.session_state[BEFORE] = {key: inputs.DEFAULTS[key] if value is None else value for key, value in kept.items()}
    st.session_state[SHOWN] = name
    st.session_state["fleet"] = inputs.PRESET
    st.session_state["preset"] = next(iter(DEMONSTRATIONS[name].presets.values()))
    st.session_state["rule"] = DEMONSTRATIONS[name].rule


def _switch() -> None:
    st.session_state["preset"] = DEMONSTRATIONS[st.session_state[SHOWN]].presets[st.session_state["variant"]]


def _back() -> None:
    for key, value in st.session_state[BEFORE].items():
        st.session_state[key] = value
    st.session_state[SHOWN] = None
