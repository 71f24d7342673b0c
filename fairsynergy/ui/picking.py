"""Which agents are drawn: all of a small fleet, both ends of a large one in some order, or those found by name."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from fairsynergy.allocation import Allocation
from fairsynergy.charts import allocations as charts
from fairsynergy.ui import panels


class Wish(NamedTuple):
    """An order of agents, a key of `charts.allocations.ORDERS`, and part of a name; empty for everybody."""

    order: str
    search: str


def ask(prefix: str = "") -> Wish:
    """Controls for the order and the name, in the container that is open.

    Parameters
    ----------
    prefix : str
        What the controls' keys begin with; another for each place that asks.
    """
    order = st.segmented_control(
        "Sort agents by", list(charts.ORDERS), default="name", required=True, key=f"{prefix}order",
        bind="query-params",
    )  # fmt: skip
    search = st.text_input(
        "Find an agent", key=f"{prefix}find", bind="query-params", placeholder="part of a name", width=180
    )
    return Wish(order, search.strip())


def grant(allocation: Allocation, wish: Wish) -> charts.Positions:
    """Positions of the agents to draw, in order, and a caption that says which; a name that nobody has is said, too."""
    places = charts.pick(allocation, order=wish.order, search=wish.search)
    if not len(places):
        st.info(f"No agent has “{panels.harmless(wish.search)}” in its name.")
        wish = wish._replace(search="")
        places = charts.pick(allocation, order=wish.order)
    if said := charts.describe_choice(allocation.problem.n, places, order=wish.order, search=wish.search):
        st.caption(panels.harmless(said))
    return places
