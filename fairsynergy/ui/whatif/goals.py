"""Questions asked backwards: the least cloud that reaches a goal, and how one budget is best split."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

import fairsynergy as fs
from fairsynergy.analysis import planning
from fairsynergy.charts import plans
from fairsynergy.fleets.tray import Scenario
from fairsynergy.problem import Array
from fairsynergy.ui import panels, solve
from fairsynergy.ui.whatif import meeting
from fairsynergy.words import forecasts

WORST, MEAN, AGENT = "the worst-off agent", "the mean", "one agent"
AIMS = [MEAN, WORST, AGENT]
MONEY = "money for the whole cloud"
# A fleet with more grants than this is asked only on a click: each question divides it many times.
MANY = 2000
MORE = 1.1  # times what there is: the goal at first
HEAT_ALT = "Accuracy aimed at over both capacities, the line of clouds that the budget buys, and the best of them."
SHARE_ALT = "Accuracy aimed at against the share of the money for the first resource; the best share is marked."


def panel(scenario: Scenario, allocation: fs.Allocation) -> None:
    """The goal, the least that reaches it, and the best split of a budget."""
    problem, rule = scenario.problem, rule_of(scenario)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.segmented_control("I want", AIMS, default=MEAN, required=True, key="goal_aim", bind="query-params")
        aim: planning.Aim = planning.Mean() if kind == MEAN else planning.Worst()
        if kind == AGENT:
            if st.session_state.get("goal_agent") not in problem.agents:
                st.session_state["goal_agent"] = problem.agents[0]
            aim = planning.Agent(st.selectbox("Agent", problem.agents, key="goal_agent", bind="query-params"))
        now = float(aim.of(problem, allocation.utility))
        more = round(min(MORE * now, (now + max(now, 1.0)) / 2), 3)
        level = st.number_input(
            "to reach an accuracy of", 0.0, None, more, 0.01, format="%.3f",
            key=f"goal_level_{AIMS.index(kind or MEAN)}",  # a goal for the one is none for the other
            bind="query-params", width=190,
        )  # fmt: skip
        ways = [f"{panels.harmless(resource)} alone" for resource in problem.resources] + [MONEY] * (problem.m == 2)
        if st.session_state.get("goal_by") not in ways:
            st.session_state["goal_by"] = ways[0]
        by = st.segmented_control("by more or less", ways, required=True, key="goal_by", bind="query-params")
    prices = _prices(problem) if by == MONEY else np.ones(problem.m)
    stands = panels.harmless(forecasts.stands(aim, now))
    st.caption(f"Under {rule}, which divides every cloud that is tried. Now: {stands}.")
    asked = f"Search now: {problem.n:,} agents are divided some dozen times, which may take a while"
    if problem.n * problem.m > MANY and not st.toggle(asked, key="goal_now", bind="query-params"):
        return
    resource = None if by == MONEY else problem.resources[ways.index(by or ways[0])]
    _least(scenario, rule, planning.Target(aim, float(level)), resource, prices)
    if by == MONEY:
        _split(scenario, rule, aim, prices)


def rule_of(scenario: Scenario) -> str:
    """The rule that divides clouds that are only thought of: the scenario's, or Fair-Synergy where that is no rule."""
    slow = scenario.rule == fs.CertifiedOptimum.name
    known = scenario.given is None and scenario.rule in solve.RULES and not slow
    return scenario.rule if known else fs.FairSynergy.name


def _prices(problem: fs.Problem) -> Array:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        return np.array(
            [
                st.number_input(
                    f"Price of a unit of {panels.harmless(resource)}", 0.001, None, 1.0, 0.1, format="%.4g",
                    key=f"price_{k}", bind="query-params", width=200,
                    help="In any money; only how the two compare matters.",
                )
                for k, resource in enumerate(problem.resources)
            ]
        )  # fmt: skip


def _least(scenario: Scenario, rule: str, target: planning.Target, resource: str | None, prices: Array) -> None:
    try:
        answer = solve.least(scenario.problem, rule, target, resource, prices)
    except fs.FairSynergyError as error:
        st.warning(panels.harmless(str(error)), icon=":material/block:")
        return
    said = forecasts.answer(answer, scenario.problem, prices if resource is None else None)
    st.markdown(f"**{panels.harmless(said)}**")
    st.caption(answer.status.value)
    st.button(
        "Keep that cloud as a scenario", key="keep_goal", icon=":material/add:", on_click=_keep_cloud,
        args=(answer.capacity, rule, "least cloud for a goal"),
    )  # fmt: skip


def _split(scenario: Scenario, rule: str, aim: planning.Aim, prices: Array) -> None:
    problem = scenario.problem
    st.header("How is one budget best split?", anchor=False)
    cost = float(problem.capacity @ prices)
    budget = st.number_input(
        "Budget", 0.0, None, round(cost, 4), max(round(cost / 20, 3), 0.001), format="%.4g", key="budget",
        bind="query-params", width=200, help="At first, what the present cloud costs at these prices.",
    )  # fmt: skip
    if budget == 0:
        st.info("A budget of 0 buys nothing: give one to split.")
        return
    try:
        best = solve.split(problem, rule, float(budget), prices, aim)
        grid = solve.grid(problem, rule, float(budget), prices, aim)
    except fs.FairSynergyError as error:
        st.warning(panels.harmless(str(error)), icon=":material/block:")
        return
    st.markdown(f"**{panels.harmless(forecasts.split(best))}**")
    first, second = problem.resources
    what = forecasts.aimed(aim)
    left, right = st.columns(2)
    with left:
        spec = plans.heat_spec(first, second, what)
        spots = plans.spots({"best split": best.capacity, "now": problem.capacity})
        tables = {
            "cells": plans.heat(grid.first, grid.second, grid.value), "line": plans.isocost(float(budget), prices),
            "spots": spots,
        }  # fmt: skip
        st.vega_lite_chart(spec=spec | {"datasets": tables}, height=360, key="heat", alt=HEAT_ALT)
        st.caption("The white line: every cloud that this budget buys. The brighter, the better.")
    with right:
        curve = plans.curve(best.share, best.curve)
        tables = {"curve": curve, "best": plans.curve(best.split[:1], np.array([best.reached]))}
        st.vega_lite_chart(
            spec=plans.share_spec(first, what) | {"datasets": tables}, height=300, key="shares", alt=SHARE_ALT
        )  # fmt: skip
        st.caption(panels.harmless(plans.describe_share(curve, first)))
    st.button(
        "Keep the best split as a scenario", key="keep_split", icon=":material/add:", on_click=_keep_cloud,
        args=(best.capacity, rule, "best split of a budget"),
    )  # fmt: skip


def _keep_cloud(capacity: Array, rule: str, name: str) -> None:
    meeting.attempt(
        lambda tray: tray.keep(
            replace(
                tray.current, name=name, rule=rule, given=None, problem=replace(tray.current.problem, capacity=capacity)
            )
        ),
        name,
    )  # fmt: skip
