"""Why everybody gets what they get: a sentence per agent, and what each bound that binds costs."""

from __future__ import annotations

import streamlit as st

import fairsynergy as fs
from fairsynergy.analysis import planning
from fairsynergy.fleets.tray import Scenario
from fairsynergy.ui import panels, picking, solve
from fairsynergy.words import advice
from fairsynergy.words.explain import exchanges, prices, sentences


def panel(scenario: Scenario, allocation: fs.Allocation) -> None:
    """The division in words: the price, the bounds, each agent."""
    st.markdown(f"**{panels.harmless(exchanges(allocation))}** {panels.harmless(prices(allocation))}")
    bounds(allocation, 10)
    price = solve.price(scenario.problem)
    if price is None:
        st.caption("No going price is known here, so there is nothing to hold a unit's worth against.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        wish = picking.ask("why_")
    drawn = picking.grant(allocation, wish)
    panels.listed(sentences(allocation, price=price, agents=drawn), others="agents")


def bounds(allocation: fs.Allocation, most: int) -> None:
    """Which floors, ceilings and locks bind, and what each costs; the tightest few, since each is divided anew."""
    found = planning.binding(allocation, limit=most)
    if not found:
        return
    st.markdown("**Bounds that bind, and what each costs:**")
    st.markdown("\n".join(f"- {panels.harmless(said)}" for said in advice.bounds(found[:most])))
    if len(found) > most:
        st.caption(f"... and {len(found) - most} more.")
