"""A fitted elasticity on its way from the page of curves to an agent of the scenario at work."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from fairsynergy.curves import Fit
from fairsynergy.fleets.tray import Scenario
from fairsynergy.ui import panels
from fairsynergy.ui.whatif import meeting
from fairsynergy.words.phrases import listed

PLACE = "pages/what_if.py"


def offer(fit: Fit, name: str) -> None:
    """Which agent and which of its resources take the fitted elasticity, and a button that sends it.

    Parameters
    ----------
    fit : Fit
        Of a curve.
    name : str
        The curve's.
    """
    scenario = meeting.current()
    problem = scenario.problem
    st.header("Use it for an agent", anchor=False)
    if not fit.usable:
        st.info("An agent's elasticity must lie strictly between 0 and 1, and this one does not: it cannot be sent.")
        return
    if st.session_state.get("send_to") not in problem.agents:
        st.session_state["send_to"] = problem.agents[0]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        agent = st.selectbox("Agent", problem.agents, key="send_to", bind="query-params", width=200)
        places = {}
        for k, resource in enumerate(fit.resources):
            likely = problem.resources.index(resource) if resource in problem.resources else min(k, problem.m - 1)
            places[k] = st.selectbox(
                f"Elasticity in {panels.harmless(resource)} is its", [f"γ in {each}" for each in problem.resources],
                index=likely, key=f"send_as_{k}_{name}", bind="query-params", width=220,
            )  # fmt: skip
        st.button(
            "Send", key="send", icon=":material/send:", on_click=_send, args=(fit, name, agent, tuple(places.values())),
            disabled=len(set(places.values())) < len(places),
            help="With its standard error, so that What-if can say how sure its results are.",
        )  # fmt: skip
    done = st.session_state.get(meeting.DONE)
    if done is not None and done.startswith("γ of"):
        st.success(panels.harmless(f"Scenario “{scenario.name}”: {done}."), icon=":material/check:")
        st.page_link(PLACE, label="Look at it in What-if", icon=":material/alt_route:")


def _send(fit: Fit, name: str, agent: str, places: tuple[str, ...]) -> None:
    def change(scenario: Scenario) -> Scenario:
        problem = scenario.problem
        i, gamma, error = problem.agents.index(agent), problem.elasticity.copy(), scenario.errors.copy()
        for k, place in enumerate(places):
            column = problem.resources.index(place.removeprefix("γ in "))
            gamma[i, column], error[i, column] = fit.elasticity[k], fit.standard_error[k]
        return replace(scenario, problem=replace(problem, elasticity=gamma), error=error)

    meeting.edit(change, f"γ of {agent} from “{name}”: {listed([f'{value:.3f}' for value in fit.elasticity])}")
