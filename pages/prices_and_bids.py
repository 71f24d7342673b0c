"""Can agents do it themselves? The cloud names prices, agents answer with bids, and nobody says its elasticity."""

import streamlit as st

import fairsynergy as fs
from fairsynergy.charts import bidding as charts
from fairsynergy.ui import bids, frame, panels, solve

visit = frame.visit()
st.caption(
    "The cloud announces a price for each resource; every agent answers with what it would take at that price, worked out "
    "from its own γ, what it owns and its limits; the cloud adds the bids up and moves the prices until demand meets "
    "what there is."
)
method = bids.choose()
try:
    central = solve.one(visit.problem, fs.FairSynergy.name)
    bidding = bids.hold(visit.problem, method)
except fs.FairSynergyError as error:
    visit.answer.title("No bidding for this fleet.", anchor=False)
    st.info(panels.harmless(str(error)), icon=":material/block:")
    st.stop()
visit.answer.title(panels.harmless(charts.answer(bidding, central)), anchor=False)
if not bidding.converged:
    st.markdown(f":material/info: {panels.harmless(charts.why_not(bidding, central))}")

rounds, sizes, change = st.tabs(["Round by round", "How many rounds?", "Agents join and leave"], key="bid_tabs", on_change="rerun")
if rounds.open:
    with rounds:
        bids.watch(bidding, central)
        bids.told(bidding)
if sizes.open:
    with sizes:
        bids.tallies(visit.problem, visit.base, method)
if change.open:
    with change:
        bids.changing(bidding, central)
panels.table("the rounds", lambda: charts.rounds(bidding))
panels.table("grants by bids", lambda: charts.grants_table(bidding, central))
visit.answer.caption(
    "The central rule is Fair-Synergy's, which knows everybody's γ; the rule selector plays no part on this page. "
    f"{bidding.allocation.status.value}"
)
