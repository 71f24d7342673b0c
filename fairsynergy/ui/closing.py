"""The certified search on screen: what is proved, how the gap closed, going on with it, and stopping it.

A click makes Streamlit start the page anew while the search still runs in the thread of the page before. The new page
tells it to stop, waits the few milliseconds until it has, and takes over what it proved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from threading import Event

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

import fairsynergy as fs
from fairsynergy.charts import tradeoff
from fairsynergy.ui import panels, solve
from fairsynergy.words.phrases import at_most, duration, optimum

# Kept for a visitor: the digest of the problem to be searched on, and the search that runs or ran last.
WANTED, RUNNING = "_wanted", "_running"
# Longest wait for a search to stop [seconds]; it looks after every box, and then only proves again what it found.
PATIENCE = 10.0
# Seconds between two pictures of a running search.
EVERY = 0.25
ALT = "Proved upper bound and best mean found, against the boxes of divisions bounded so far; said in words above."
NO_SEARCH = (
    "There is nothing to search here: the total is concave, so a division that no small exchange improves is the best, "
    "and the prices prove it."
)


@dataclass
class Search:
    """A search in the thread of one run of the page, and what it left to the next run."""

    problem: fs.Problem
    stop: Event = field(default_factory=Event)
    ended: Event = field(default_factory=Event)
    proof: solve.Proof | None = None


def settle() -> None:
    """Stop the visitor's search, if one runs, and keep what it proved; first thing on the page."""
    running: Search | None = st.session_state.pop(RUNNING, None)
    if running is not None:
        running.stop.set()
        running.ended.wait(PATIENCE)
        if running.proof is not None:
            solve.keep(running.problem, running.proof)
        st.session_state[WANTED] = None


def panel(problem: fs.Problem) -> DeltaGenerator:
    """What is proved, the plot, and a button; returns the place where a search draws its progress."""
    proof = solve.certified(problem)
    best, searching = proof.allocation, st.session_state.get(WANTED) == problem.digest
    st.markdown(f"**{optimum(best)}**")
    place = st.empty()
    if proof.history:
        _draw(place, proof.history, problem)
    else:
        place.caption(NO_SEARCH if best.gap is not None else "No bound is known here, so there is no gap to close.")
    if searching:
        st.button("Stop", key="stop", icon=":material/stop:", on_click=_want, args=(None,))
        st.caption("Stop keeps what is proved by then; so does any other click.")
    elif proof.history and best.status is not fs.Status.OPTIMAL:
        most = duration(solve.LONG_LOOK)
        st.button(
            "Search on", key="search_on", icon=":material/search:", on_click=_want, args=(problem.digest,),
            help=f"Starts anew and splits more boxes, until at most 0.01 % can be missing, for {most} at most.",
        )  # fmt: skip
    return place


def search(problem: fs.Problem, place: DeltaGenerator) -> None:
    """Search on if the visitor asked for it, drawing into the place; the last thing a page does.

    Parameters
    ----------
    problem : Problem
        The fleet and the cloud.
    place : container
        As `panel` gave it.
    """
    if st.session_state.get(WANTED) != problem.digest:
        return
    running = st.session_state[RUNNING] = Search(problem)
    history: list[fs.Progress] = []
    interrupted: list[BaseException] = []
    drawn = 0.0

    def watch(now: fs.Progress) -> bool:
        nonlocal drawn
        history.append(now)
        if now.seconds >= drawn + EVERY:
            drawn = now.seconds
            try:
                _draw(place, history, problem)
            except BaseException as interruption:  # Streamlit ends this run: first end the search in order
                interrupted.append(interruption)
        return bool(interrupted) or running.stop.is_set()

    policy = replace(solve.FIRST_LOOK, seconds=solve.LONG_LOOK, boxes=float("inf"))
    try:
        running.proof = solve.search(problem, policy, watch)
    finally:
        running.ended.set()
    if interrupted:
        raise interrupted[0]
    st.rerun()


def _draw(place: DeltaGenerator, history: Sequence[fs.Progress], problem: fs.Problem) -> None:
    now = history[-1]
    boxes = f"{now.boxes:,} box{'es' if now.boxes > 1 else ''} of divisions"
    with place.container():
        st.caption(
            f"{boxes} bounded in {duration(now.seconds)}; at most {at_most(now.gap)} of the best can be missing."
        )
        if len(history) > 1:
            table = tradeoff.closing(history, float(problem.weight.sum()))
            st.vega_lite_chart(table, tradeoff.CLOSING, height=300, alt=ALT)


def numbers(problem: fs.Problem) -> None:
    """The search as a table under a fold."""
    history = solve.certified(problem).history
    if history:
        weight = float(problem.weight.sum())
        panels.table("the search", lambda: tradeoff.closing_table(tradeoff.closing(history, weight)))


def _want(digest: str | None) -> None:
    st.session_state[WANTED] = digest
