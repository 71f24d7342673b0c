"""Do the published results hold? The paper's experiments run again: its claim, its data, recomputed, what is right."""

import streamlit as st

from fairsynergy.experiments.paper import FIGURES
from fairsynergy.ui import frame, panels, rerun

visit = frame.visit()
choice = rerun.choose()
place = st.empty()
made = rerun.made(choice, place)
if made is None:
    visit.answer.title(f"{FIGURES[choice.name].title}. Not run yet.", anchor=False)
else:
    result = made.reproduction
    visit.answer.title(f"{rerun.what(choice)}: {result.tally}", anchor=False)
    st.caption(result.protocol)
    rerun.claims(result)
    rerun.pictures(made)
    for name, table in result.tables.items():
        panels.table(f"{choice.name} {name}", lambda table=table: table)
visit.answer.caption(
    "The experiments of O. Baser, K. Kale, P. Li and S. Chinchali, *Fair Resource Allocation for Fleet Intelligence*, "
    "run again here. They draw their own fleets: the sidebar and the rule play no part on this page."
)
