"""What about many edges? The edge oracle, live: one edge shared for the good of its worst-off device."""

import streamlit as st

from fairsynergy.charts import edge as charts
from fairsynergy.ui import edges, frame, panels

visit = frame.visit()
st.caption(
    "Devices run the first layers of a network and hand the rest to an edge, which shares its multiprocessors among "
    "them. FOCI's oracle asks for the split under which the worst-off device pays least. The paper calls that NP-hard; "
    "it is not: the exact answer takes well under a millisecond."
)
edge = edges.choose()
shared = edges.share(edge)
visit.answer.title(charts.answer(shared.sharings), anchor=False)
if edge.n > edge.multiprocessors:
    st.caption(
        f":material/info: More devices than multiprocessors: each is cut into {edge.slices} slices of time, and a "
        "device holds whole slices."
    )
edges.pictures(shared)
st.markdown(charts.describe(shared.sharings))
st.dataframe(charts.rules_table(shared.sharings, shared.seconds), hide_index=True, key="edge_rules")
edges.check(edge, shared.sharings["Exact"])
st.caption(
    "Intended and printed: two readings of the paper's Algorithm 1, which differ in its line 19; as printed it takes a "
    "multiprocessor from whoever loses least, as the text says from whoever is best off afterwards. Equal share and "
    "continuous divide multiprocessors into any parts; the last is a bound on every split."
)
panels.table("the devices", lambda: charts.shares(shared.sharings, "Exact"))
visit.answer.caption(
    "After H. Zhou and X. Zhang, *Fairness-Oracular MARL with Competitor-Aware Signals for Collaborative Inference* "
    "(FOCI). The sidebar's fleet and the rule play no part on this page."
)
