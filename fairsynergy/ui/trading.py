"""Two agents in an Edgeworth box: which two, where they start, every rule between them, and a split of one's own."""

from __future__ import annotations

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

import fairsynergy as fs
from fairsynergy.analysis.fairness import STARTS, Box
from fairsynergy.charts import edgeworth
from fairsynergy.problem import Array
from fairsynergy.ui import panels, solve

# Steps of the sliders that divide the box.
STEPS = 200
# Called the same at every move of a slider, or the browser would build the chart anew instead of moving its marks.
ALT = (
    "Edgeworth box of two agents: contract curve, indifference curves, lens of mutual gain, market line, and a mark "
    "for every rule; said in words beside it and in numbers below."
)


def panel(allocation: fs.Allocation, rule: str, place: DeltaGenerator) -> None:
    """The box of two agents under a rule; its one-sentence answer goes to `place`.

    Parameters
    ----------
    allocation : Allocation
        What the rule grants the fleet.
    rule : str
        Its name.
    place : container
        For the page's title.
    """
    names = allocation.problem.agents
    if len(names) < 2:
        place.title("Nobody to trade with: the fleet has one agent.", anchor=False)
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first = st.selectbox("First agent", names, key="trader", bind="query-params", width=200)
        others = [name for name in names if name != first]
        second = st.selectbox("Second agent", others, key="partner", bind="query-params", width=200)
        start = st.segmented_control(
            "Before they trade, of what the cloud gives them", list(STARTS), default="half each", required=True,
            key="start", bind="query-params",
            help="Each starts with what it owns and this part of what the rule grants the two together.",
        )  # fmt: skip
    try:
        box = Box.of(allocation, agents=(names.index(first), names.index(second)), start=start)
    except fs.ProblemError as error:
        place.title("These two have no box to trade in.", anchor=False)
        st.info(panels.harmless(str(error)))
        return
    place.title(panels.harmless(edgeworth.answer(box)), anchor=False)
    _draw(box, rule)


def _draw(box: Box, rule: str) -> None:
    answers = solve.also(solve.answers(box.problem), box.problem, *([rule] if rule in solve.FURTHER else []))
    left, right = st.columns([5, 3])
    with right:
        yours = _yours(box)
        points = edgeworth.divisions(box, answers.allocations, yours)
        lens = rule if rule in points else edgeworth.START
        st.markdown(f"**Your split.** {panels.harmless(edgeworth.verdict(box, yours))}")
        for said in edgeworth.describe(box, points, lens):
            st.caption(panels.harmless(said))
        if edgeworth.MARKET not in points:
            st.caption("No market is drawn: at a price that clears it, one of the two would buy more than it can use.")
        for name, reason in answers.refusals.items():
            st.caption(f":material/block: {name} is missing here: {panels.harmless(reason)}")
    with left:
        st.vega_lite_chart(
            spec=edgeworth.spec(*box.problem.agents, *box.problem.resources)
            | {"datasets": edgeworth.tables(box, points, lens)},
            key="box",
            alt=ALT,
        )
        st.caption(
            "A point is a division: the first agent holds what is to its left and below, the second the rest. The "
            "rules' marks say how each would divide, between these two alone, what the cloud gives them together. "
            "All that they own may change hands here, which no rule does."
        )
    panels.table("every division of the box", lambda: edgeworth.table(box, points))


def _yours(box: Box) -> Array:
    """Two sliders: a division of one's own, as parts of all there is, so that they outlive a change of the fleet."""
    first = panels.harmless(box.problem.agents[0])
    parts = []
    for k, resource in enumerate(box.problem.resources):
        named = panels.harmless(resource)
        percent = st.slider(
            f"{first} holds … % of the {named}", 0.0, 100.0, 50.0, 100 / STEPS, format="%.1f %%", key=f"mine_{k}",
            bind="query-params", help=f"Of {box.total[k]:.3g} {named} that the two hold together.",
        )  # fmt: skip
        parts.append(percent / 100)
    return np.array(parts) * box.total
