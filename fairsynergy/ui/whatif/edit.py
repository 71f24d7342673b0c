"""Changing a scenario: the cloud, every agent in a table, one agent by its bar or its name; what bounds bind.

The table keeps the visitor's place while cells are typed into. The browser tells every cell that was typed since it
last took over new numbers, so the same cell may be told twice. When the scenario changes elsewhere, by undo for
instance, the table is opened anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

import fairsynergy as fs
from fairsynergy.charts import allocations as charts
from fairsynergy.charts import comparison
from fairsynergy.fleets.tables import unfit_name
from fairsynergy.fleets.tray import Scenario
from fairsynergy.problem import Array, Problem
from fairsynergy.ui import panels, picking, solve
from fairsynergy.ui.whatif import meeting, why
from fairsynergy.words.explain import sentences
from fairsynergy.words.phrases import listed

# Up to this many agents each has a row to edit; of more, those found or both ends.
WHOLE = 200
TALL = 240  # of the bars [pixels]
MINE = "by hand"  # whose colour is no rule's
# Kept for a visitor: the open table and what it made of the scenario; the agent chosen.
TABLE, LATEST, CHOSEN = "_agent_table", "_agent_table_made", "edited_agent"
RESULTS = {"accuracy": "accuracy", "granted": "granted {}"}
FIELDS = {"endowment": "own {}", "elasticity": "γ in {}", "floor": "at least {}", "ceiling": "at most {}"}
EMPTY = {"floor": 0.0, "ceiling": np.inf}  # what an empty cell means
HELP = {
    "endowment": "What the agent owns, in units of the resource.",
    "elasticity": "Difficulty, strictly between 0 and 1: near 0 a little is enough, near 1 only much helps.",
    "floor": "It is granted at least this; empty for no floor.",
    "ceiling": "It is granted at most this; empty for no ceiling. The same as the floor locks the grant.",
}


@dataclass(frozen=True)
class Table:
    """A table of agents as it was opened: its number, and which agents are its rows."""

    number: int
    rows: tuple[int, ...]

    @property
    def key(self) -> str:
        """The widget's name; another for each opening."""
        return f"agents_{self.number}"


def panel(scenario: Scenario, allocation: fs.Allocation) -> None:
    """The cloud, the bars, one agent, and the table of agents."""
    problem = scenario.problem
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _cloud(problem)
        wish = picking.ask("edit_")
    drawn = picking.grant(allocation, wish)
    left, right = st.columns([3, 2])
    everyone = comparison.agents(allocation, "by name")
    bars = comparison.ranked(everyone.iloc[drawn], "agent")
    rule = scenario.rule if scenario.rule in solve.RULES else MINE
    with left:
        for resource, column in zip(problem.resources, st.columns(problem.m), strict=True):
            column.vega_lite_chart(
                bars, comparison.clickable(comparison.bars(rule, resource)), height=TALL,
                key=f"bars_{resource}", alt=f"{resource} that each agent owns and is granted; numbers in the table.",
                on_select=partial(_clicked, f"bars_{resource}"), selection_mode="pick",
            )  # fmt: skip
        if problem.n > charts.READABLE:
            st.vega_lite_chart(
                comparison.distribution(everyone, "before", "after", ("before", "after")), comparison.accuracies(rule),
                height=TALL, key="accuracies", alt="How many agents have which accuracy, before the cloud and after.",
            )  # fmt: skip
            st.caption(comparison.describe_spread(allocation.utility))
    with right:
        i = _one_agent(scenario, allocation)
        if (price := solve.price(problem)) is not None:
            (reason,) = sentences(allocation, price=price, agents=[i])
            st.markdown(panels.harmless(reason))
        why.bounds(allocation, 3)
    _agents(scenario, allocation, range(problem.n) if problem.n <= WHOLE and not wish.search else drawn.tolist())
    st.caption(
        "Type into a cell and everything is divided anew. Own, granted and bounds are in units of the resource; "
        "an empty bound is none; the same floor and ceiling lock a grant."
    )


# Of a resource, that can be typed in [units]; no cloud has as much, in whatever unit.
MOST = 1e12


def _cloud(problem: Problem) -> None:
    """What the cloud shares of each resource."""
    for k, resource in enumerate(problem.resources):
        key = f"cloud_{k}"
        named = panels.harmless(resource)
        st.session_state[key] = float(problem.capacity[k])
        st.number_input(
            f"Cloud's {named} [units]", min_value=0.0, max_value=max(MOST, float(problem.capacity[k])), step=0.1,
            format="%.4g", key=key, on_change=_capacity, args=(k, resource), width=170,
            help=f"All the {named} that the cloud can share among the agents.",
        )  # fmt: skip


def _capacity(k: int, resource: str) -> None:
    amount = st.session_state[f"cloud_{k}"]

    def change(scenario: Scenario) -> Scenario:
        capacity = scenario.problem.capacity.copy()
        capacity[k] = amount
        return replace(scenario, problem=replace(scenario.problem, capacity=capacity))

    if amount is not None:
        meeting.edit(change, f"cloud's {resource} set to {amount:g}")


def _agents(scenario: Scenario, allocation: fs.Allocation, shown: Sequence[int]) -> None:
    """The table of agents.

    Parameters
    ----------
    scenario, allocation : Scenario, Allocation
        At work, and how it is divided.
    shown : sequence of int
        Which agents have a row; all of a fleet up to `WHOLE`.
    """
    opened: Table | None = st.session_state.get(TABLE)
    rows = tuple(shown)
    if opened is None or not _still(opened, scenario, rows):
        opened = st.session_state[TABLE] = Table(0 if opened is None else opened.number + 1, rows)
        st.session_state[LATEST] = scenario
    problem = scenario.problem
    number = st.column_config.NumberColumn
    frame, config = table(problem, rows), {"agent": st.column_config.TextColumn("Agent", required=True, pinned=True)}
    frame.insert(1, RESULTS["accuracy"], allocation.utility[list(rows)])
    for k, resource in enumerate(problem.resources):
        frame.insert(2 + k, RESULTS["granted"].format(resource), allocation.grant[list(rows), k])
    results = list(frame.columns[1 : 2 + problem.m])
    config |= {title: number(title, format="%.3f", help="What the rule makes of it; not to edit.") for title in results}
    for name in FIELDS:
        for resource in problem.resources:
            title = FIELDS[name].format(resource)
            config[title] = number(title, help=HELP[name], format="%.4g")
    config["weight"] = number("weight", help="How much the agent counts; 1 for all alike.", format="%.4g")
    st.data_editor(
        frame, key=opened.key, num_rows="fixed", column_config=config, disabled=results, hide_index=True,
        placeholder="–", on_change=_edited, height=min(35 * (len(rows) + 1) + 3, 430),
    )  # fmt: skip


def _still(opened: Table, scenario: Scenario, rows: tuple[int, ...]) -> bool:
    """Whether what is on screen is what the open table made of it."""
    latest: Scenario = st.session_state[LATEST]
    return rows == opened.rows and (latest.name, latest.problem) == (scenario.name, scenario.problem)


def table(problem: Problem, rows: Sequence[int]) -> pd.DataFrame:
    """Agents as rows to edit; no floor and no ceiling are empty cells."""
    chosen = np.asarray(rows, dtype=np.intp)
    columns: dict[str, Any] = {"agent": [problem.agents[i] for i in chosen]}
    for name in FIELDS:
        for k, resource in enumerate(problem.resources):
            values = np.array(getattr(problem, name)[chosen, k])
            none = values == EMPTY.get(name, np.nan)
            if name == "floor":  # of an agent that may have nothing, a floor of 0 is half of its lock
                none &= problem.ceiling[chosen, k] > 0
            values[none] = np.nan
            columns[FIELDS[name].format(resource)] = values
    return pd.DataFrame(columns | {"weight": problem.weight[chosen]})


def applied(problem: Problem, rows: Sequence[int], changes: Mapping[int, Mapping[str, Any]]) -> Problem:
    """The problem after the cells of a table were changed.

    Parameters
    ----------
    problem : Problem
        As it is.
    rows : sequence of int
        Which agents are its rows.
    changes : mapping
        The cells that were changed, by row and column; None for a cell that was emptied.

    Raises
    ------
    ProblemError
        If it is no problem any more; the message names agent and entry.
    """
    places = {
        FIELDS[name].format(resource): (name, k) for name in FIELDS for k, resource in enumerate(problem.resources)
    }
    amounts: dict[str, Any] = {name: np.array(getattr(problem, name)) for name in (*FIELDS, "weight")}
    names = list(problem.agents)
    for row, cells in changes.items():
        i = rows[int(row)]
        for column, value in cells.items():
            if column == "agent":
                if complaint := unfit_name(value):
                    raise fs.ProblemError(f"{names[i]}: the name of an agent {complaint}, one that no other has")
                names[i] = value
            elif column == "weight":
                amounts["weight"][i] = np.nan if value is None else value
            else:
                name, k = places[column]
                amounts[name][i, k] = EMPTY.get(name, np.nan) if value is None else value
    return replace(problem, agents=tuple(names), **amounts)


def some(problem: Problem, places: Sequence[int], names: Sequence[str]) -> Problem:
    """The problem with these of its agents, under these names."""
    at = np.asarray(places, dtype=np.intp)
    rows: dict[str, Any] = {name: getattr(problem, name)[at] for name in (*FIELDS, "saturation", "weight")}
    return replace(problem, agents=tuple(names), **rows)


def _edited() -> None:
    opened: Table = st.session_state[TABLE]
    changes = st.session_state[opened.key]["edited_rows"]
    if not changes:  # the browser has put what was typed into the table, and starts counting anew
        return
    who = [meeting.current().problem.agents[opened.rows[int(row)]] for row in changes]
    meeting.edit(
        lambda scenario: replace(scenario, problem=applied(scenario.problem, opened.rows, changes)),
        f"{listed(who)} edited" if len(who) <= 3 else f"{len(who)} agents edited",
    )
    if not meeting.refused():
        st.session_state[LATEST] = meeting.current()


def _one_agent(scenario: Scenario, allocation: fs.Allocation) -> int:
    """One agent, chosen by name or by a click on its bar, and what to do with it. Returns its position."""
    problem = scenario.problem
    if st.session_state.get(CHOSEN) not in problem.agents:
        st.session_state[CHOSEN] = problem.agents[0]
    name = st.selectbox("Agent", problem.agents, key=CHOSEN, bind="query-params", help="Or click its bar.")
    i = problem.agents.index(name)
    bounded = bool(problem.floor[i].any() or np.isfinite(problem.ceiling[i]).any())
    with st.container(horizontal=True):
        st.button(
            "Lock its grant", key="lock", icon=":material/lock:", on_click=_bound, args=(i, allocation.grant[i]),
            help="It keeps what it is granted now, and the rest is divided among the others.",
        )  # fmt: skip
        st.button(
            "Free it", key="free", icon=":material/lock_open:", on_click=_bound, args=(i, None),
            disabled=not bounded, help="Without floor and ceiling.",
        )  # fmt: skip
        st.button(
            "Leave it out", key="leave_out", icon=":material/person_remove:", on_click=_leave_out, args=(i,),
            disabled=problem.n == 1, help="The fleet without this agent.",
        )  # fmt: skip
        st.button(
            "Add one like it", key="add_one", icon=":material/person_add:", on_click=_add_one, args=(i,),
            help="One more agent that owns as much, with as hard a task.",
        )  # fmt: skip
    return i


def _clicked(event_key: str) -> None:
    """A click on a bar chooses that agent."""
    picked = st.session_state[event_key]["selection"]["pick"]
    if picked and picked[0].get("agent"):
        st.session_state[CHOSEN] = picked[0]["agent"]


def _bound(i: int, grant: Array | None) -> None:
    name = meeting.current().problem.agents[i]

    def change(scenario: Scenario) -> Scenario:
        floor, ceiling = np.array(scenario.problem.floor), np.array(scenario.problem.ceiling)
        floor[i], ceiling[i] = (0.0, np.inf) if grant is None else (grant, grant)
        return replace(scenario, problem=replace(scenario.problem, floor=floor, ceiling=ceiling))

    meeting.edit(change, f"{name} {'freed' if grant is None else 'locked'}")


def _leave_out(i: int) -> None:
    def change(scenario: Scenario) -> Scenario:
        names = scenario.problem.agents
        places = [place for place in range(len(names)) if place != i]
        return meeting.with_problem(scenario, some(scenario.problem, places, [names[place] for place in places]))

    meeting.edit(change, f"{meeting.current().problem.agents[i]} left out")


def _add_one(i: int) -> None:
    def change(scenario: Scenario) -> Scenario:
        names = scenario.problem.agents
        number = next(k for k in range(len(names) + 1, 2 * len(names) + 2) if f"agent {k}" not in names)
        places = [*range(len(names)), i]
        return meeting.with_problem(scenario, some(scenario.problem, places, [*names, f"agent {number}"]))

    meeting.edit(change, f"one added like {meeting.current().problem.agents[i]}")
