"""Can agents do it themselves? The cloud names prices, agents answer with bids, and nobody says its elasticity."""

import streamlit as st

import fairsynergy as fs
from fairsynergy.charts import bidding as charts
from fairsynergy.ui import bids, frame, panels, solve
from fairsynergy.words.phrases import badge

visit = frame.visit()
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

rounds, sizes, change = st.tabs(
    ["Round by round", "How many rounds?", "Agents join and leave"],
    key="bidding",
    on_change="rerun",
    bind="query-params",
)
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
    "At every price each agent answers with what it would take, worked out from its own γ, what it owns and its "
    "limits; the cloud adds these bids up and moves the price until they meet what there is. The central rule, "
    f"Fair-Synergy's, knows everybody's γ; the selector plays no part here. These grants: {badge(bidding.allocation)}."
)
