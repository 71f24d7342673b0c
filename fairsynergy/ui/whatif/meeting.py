"""A visitor's tray: kept from page to page and in the link while it is small, with all that went before to go back to.

The tray begins as the sidebar's fleet, and follows it until something is changed here. The scenario that the others are
compared with is never changed by an edit: the first edit makes a copy and changes that. Whatever is refused changes
nothing, and says why once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

import numpy as np
import streamlit as st

import fairsynergy as fs
from fairsynergy.fleets import FleetSpec
from fairsynergy.fleets.links import LONGEST_LINK
from fairsynergy.fleets.tray import PARAMETER, Scenario, Tray, from_link, to_link
from fairsynergy.problem import Array, Problem
from fairsynergy.ui import solve

# Kept for a visitor: the tray, the trays before it, every scenario that was ever on screen, why the last wish was
# refused, and what the last one did.
TRAY, PAST, RUNS, REFUSED, DONE = "_tray", "_tray_past", "_runs", "_tray_refused", "_tray_done"
READ = "_tray_link_read"  # once the address was looked at, the visitor decides
# Whether the tray still is the sidebar's fleet; the rule that the selector shall show at the next run.
FOLLOWING, RULE = "_tray_follows", "_next_rule"
TAKEN = "_letters_taken"  # of those that an address may hold, how many the opened file needs
FIRST, VARIANT = "as it is", "variant 1"
# Trays to go back to, and runs to bring back; of large fleets fewer, so that all that a visitor keeps has at most so
# many agents, each of some 200 bytes. The latest stays in any case.
DEPTH, KEPT_AGENTS = 100, 200_000


@dataclass(frozen=True)
class Run:
    """A scenario as it once was, and what had been done to make it."""

    scenario: Scenario
    did: str

    @property
    def scenarios(self) -> tuple[Scenario, ...]:
        """What is kept with it."""
        return (self.scenario,)


class Past(NamedTuple):
    """A tray as it was before a change, and whether it followed the sidebar."""

    tray: Tray
    following: bool

    @property
    def scenarios(self) -> tuple[Scenario, ...]:
        """What is kept with it."""
        return self.tray.scenarios


Kept = TypeVar("Kept", Past, Run)


class Solved(NamedTuple):
    """Allocations of a tray's scenarios by name, and by name why one has none."""

    allocations: dict[str, fs.Allocation]
    refusals: dict[str, str]


def open_link() -> str | None:
    """At the first run of a session: the tray that the address holds; returns what is wrong with it."""
    asked = None if READ in st.session_state else st.query_params.get(PARAMETER)
    st.session_state[READ] = True
    if asked is None:
        return None
    try:
        _put(from_link(asked), "opened from the link")
    except fs.ProblemError as error:
        return str(error)
    return None


def tell_link() -> None:
    """Let the address hold the tray, on every page, or nothing where it is too large or only follows the sidebar."""
    letters = link()
    if letters is not None:
        if st.query_params.get(PARAMETER) != letters:
            st.query_params[PARAMETER] = letters
    elif PARAMETER in st.query_params:
        del st.query_params[PARAMETER]


def link() -> str | None:
    """The tray in the letters of an address; None where there is nothing to tell or too much."""
    if TRAY not in st.session_state or st.session_state.get(FOLLOWING):
        return None
    tray: Tray = st.session_state[TRAY]
    kept: tuple[Tray, str | None] | None = st.session_state.get("_tray_letters")
    if kept is None or kept[0] is not tray:
        kept = st.session_state["_tray_letters"] = (tray, to_link(tray))
    letters = kept[1]
    return letters if letters and len(letters) + st.session_state.get(TAKEN, 0) <= LONGEST_LINK else None


def too_large_for_a_link() -> bool:
    """Whether there is a tray that a reload would lose."""
    return TRAY in st.session_state and not st.session_state.get(FOLLOWING) and link() is None


def join(problem: Problem, rule: str, base: FleetSpec | str | None, *, moved: bool) -> Tray:
    """The tray, after what the sidebar and the rule selector did since the last run.

    Parameters
    ----------
    problem, rule, base : Problem, str, FleetSpec or str or None
        What the sidebar shows, the rule under the lens, and what draws the fleet.
    moved : bool
        Whether the visitor has just chosen the rule: then the scenario at work is divided by it.
    """
    # What the selector shows: the sidebar's fleet may be none for that rule, and the scenario at work still be one.
    asked: str = st.session_state.get("rule") or rule
    if follow(problem, rule, base):
        pass
    elif moved and asked != current().rule:
        edit(lambda scenario: replace(scenario, rule=asked, given=None), f"divided by {asked}")
        st.rerun()  # the address and its copy in the sidebar were told before
    elif asked != current().rule and current().rule in solve.RULES:
        show_rule(current().rule)
        st.rerun()
    return tray()


def follow(problem: Problem, rule: str, base: FleetSpec | str | None) -> bool:
    """Let the tray be what the sidebar shows, unless something was changed in it; whether it is."""
    following: bool = st.session_state.setdefault(FOLLOWING, TRAY not in st.session_state)
    if following:
        st.session_state[TRAY] = Tray.of(Scenario(FIRST, problem, rule, base=base))
    return following


def show_rule(rule: str) -> None:
    """Let the rule selector show a rule from the next run on."""
    if rule in solve.RULES:
        st.session_state[RULE] = rule


def tray() -> Tray:
    """The visitor's tray."""
    found: Tray = st.session_state[TRAY]
    return found


def current() -> Scenario:
    """The scenario at work."""
    return tray().current


def past() -> list[Past]:
    """The trays to go back to, the latest last."""
    kept: list[Past] = st.session_state.setdefault(PAST, [])
    return kept


def runs() -> list[Run]:
    """Every scenario that was made here, in order."""
    kept: list[Run] = st.session_state.setdefault(RUNS, [])
    return kept


def attempt(change: Callable[[Tray], Tray], did: str) -> None:
    """Put another tray in place of this one; what is no tray is refused and changes nothing.

    Parameters
    ----------
    change : callable
        From the tray to another.
    did : str
        What was done, in a few words, for the list of runs.
    """
    st.session_state[REFUSED] = None
    before = tray()
    try:
        after = change(before)
    except fs.FairSynergyError as error:
        st.session_state[REFUSED] = str(error)
        return
    if after != before:
        if not runs():
            runs().append(Run(before.current, "the first"))
        past().append(Past(before, bool(st.session_state.get(FOLLOWING))))
        _put(after, did)


def edit(change: Callable[[Scenario], Scenario], did: str) -> None:
    """Change the scenario at work; a copy of it, if it is the one that others are compared with."""

    def changed(tray: Tray) -> Tray:
        made = change(tray.current)
        if made.given is None and tray.current.given is not None:  # no split by hand any more
            made = replace(made, name=tray.unused(VARIANT))
        if tray.selected != tray.reference:
            return tray.change(tray.selected, made)
        return tray if made == tray.current else tray.keep(replace(made, name=VARIANT))

    attempt(changed, did)


def keep(scenario: Scenario, did: str) -> None:
    """One more scenario, selected."""
    attempt(lambda tray: tray.keep(scenario), did)


def look(change: Callable[[Tray], Tray]) -> None:
    """Select or compare otherwise: nothing that would have to be undone."""
    st.session_state[TRAY] = change(tray())
    show_rule(current().rule)


def undo() -> None:
    """Back to the tray before the last change; at the beginning it follows the sidebar again."""
    if past():
        before = past().pop()
        st.session_state[TRAY], st.session_state[FOLLOWING] = before.tray, before.following
        st.session_state[DONE] = "undone"
        show_rule(before.tray.current.rule)


def start_afresh() -> None:
    """Only the sidebar's fleet again; undo brings the scenarios back."""
    if TRAY in st.session_state and not st.session_state.get(FOLLOWING):
        past().append(Past(tray(), False))
        del st.session_state[TRAY], st.session_state[FOLLOWING]


def replace_tray(other: Tray, did: str) -> None:
    """Another tray altogether."""
    attempt(lambda _: other, did)


def _put(tray: Tray, did: str) -> None:
    st.session_state[TRAY] = tray
    st.session_state[FOLLOWING] = False
    st.session_state[DONE] = did
    if all(run.scenario != tray.current for run in runs()):  # to select one again is no run
        runs().append(Run(tray.current, did))
    _forget()
    show_rule(tray.current.rule)


def _forget() -> None:
    """Let go of the oldest trays and runs where there are too many, or their fleets are too large."""
    kept = {id(scenario.problem): scenario.problem.n for scenario in tray().scenarios}
    _forget_oldest(past(), kept)
    _forget_oldest(runs(), kept)


def _forget_oldest(held: list[Kept], kept: dict[int, int]) -> None:
    """Shorten the list; `kept` is who is held by it and elsewhere, each fleet's number of agents by its identity."""
    del held[:-DEPTH]
    for i, each in enumerate(reversed(held)):
        more = kept | {id(scenario.problem): scenario.problem.n for scenario in each.scenarios}
        if i and sum(more.values()) > KEPT_AGENTS:
            del held[: len(held) - i]
            break
        kept.update(more)


def refused() -> bool:
    """Whether the last wish was."""
    return st.session_state.get(REFUSED) is not None


def why_refused() -> str | None:
    """Why the last wish was refused, if it was; said once."""
    reason: str | None = st.session_state.pop(REFUSED, None)
    return reason


def refuse(reason: str) -> None:
    """Say why something cannot be done; nothing else changes."""
    st.session_state[REFUSED] = reason


def solved(scenarios: Iterable[Scenario]) -> Solved:
    """Every scenario divided, as far as its rule divides it."""
    allocations: dict[str, fs.Allocation] = {}
    refusals: dict[str, str] = {}
    for scenario in scenarios:
        try:
            allocations[scenario.name] = solve.scenario(scenario)
        except fs.FairSynergyError as error:
            refusals[scenario.name] = str(error)
    return Solved(allocations, refusals)


def with_problem(scenario: Scenario, problem: Problem) -> Scenario:
    """The scenario with another problem; what belongs to an agent follows its name, and is 0 for a new one."""
    if (problem.agents, problem.resources) == (scenario.problem.agents, scenario.problem.resources):
        return replace(scenario, problem=problem)
    given = None if scenario.given is None else carried(scenario.problem, scenario.given, problem)
    return replace(
        scenario, problem=problem, given=given, error=carried(scenario.problem, scenario.errors, problem), base=None
    )  # fmt: skip


def carried(before: Problem, amounts: Array, after: Problem) -> Array:
    """Amounts (n, m) of one fleet's agents and resources, for those of another by name; 0 for who is new."""
    places: Mapping[str, int] = {name: i for i, name in enumerate(before.agents)}
    rows = np.array([places.get(name, -1) for name in after.agents], dtype=np.intp)
    result = np.zeros((after.n, after.m))
    for j, resource in enumerate(after.resources):
        if resource in before.resources:
            result[:, j] = np.where(rows >= 0, amounts[rows, before.resources.index(resource)], 0.0)
    return result


LINK_TOO_LONG = (
    f"There is no link to these scenarios: they are more than it can hold ({LONGEST_LINK:,} letters). Save them as a "
    "file before you reload or close this page."
)
