"""What about many edges? One edge shared for the good of its worst-off device, and a city of devices that choose."""

import streamlit as st

from fairsynergy.charts import city as city_charts
from fairsynergy.charts import edge as charts
from fairsynergy.ui import city, edges, frame, panels

visit = frame.visit()
one, many = st.tabs(["One edge", "A city"], key="collaborative", on_change="rerun", bind="query-params")
if one.open:
    with one:
        st.caption(
            "Devices run the first layers of a network and hand the rest to an edge, which shares its multiprocessors "
            "among them. FOCI's oracle asks for the split under which the worst-off device pays least. The paper calls "
            "that NP-hard; it is not: the exact answer takes well under a millisecond."
        )
        edge = edges.choose()
        shared = edges.share(edge)
        visit.answer.title(charts.answer(shared.sharings), anchor=False)
        if edge.n > edge.multiprocessors:
            st.caption(
                f":material/info: More devices than multiprocessors: each is cut into {edge.slices} slices of time, "
                "and a device holds whole slices."
            )
        edges.pictures(shared)
        st.markdown(charts.describe(shared.sharings))
        st.dataframe(charts.rules_table(shared.sharings, shared.seconds), hide_index=True, key="edge_rules")
        edges.check(edge, shared.sharings["Exact"])
        st.caption(
            "Intended and printed: two readings of the paper's Algorithm 1, which differ in its line 19; as printed it "
            "takes a multiprocessor from whoever loses least, as the text says from whoever is best off afterwards. "
            "Equal share and continuous divide multiprocessors into any parts; the last is a bound on every split."
        )
        panels.table("the devices", lambda: charts.shares(shared.sharings, "Exact"))
if many.open and city.ready(visit.answer):
    with many:
        st.caption(
            "Every 15 seconds each device decides, by itself, which edge does how much of its network for the next 360 "
            "images. Edges that many choose are slow. A policy is what decides; all of them live through the same hour."
        )
        chosen = city.choose()
        played = city.play(chosen, st.empty())
        name = f"FOCI (λ = {chosen.dial.rpartition(' ')[2]})"
        visit.answer.title(city_charts.answer(played, chosen.dial, name), anchor=False)
        if departures := city.departures(chosen):
            st.caption(f":material/info: Outside what the learned policies were trained for: {departures}.")
        st.markdown(city_charts.describe_outcomes(played))
        city.pictures(chosen, played)
        panels.table("the hour under each policy", lambda: city_charts.outcomes_table(played))
        city.evidence(chosen)
        with st.expander("What is assumed"):
            st.markdown(city.ASSUMED)
visit.answer.caption(
    "After H. Zhou and X. Zhang, *Fairness-Oracular MARL with Competitor-Aware Signals for Collaborative Inference* "
    "(FOCI). The sidebar's fleet and the rule play no part on this page."
)
