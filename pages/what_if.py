"""What changes if I change this? Scenarios side by side: edit, lock, split by hand, aim, doubt, explain, save."""

import streamlit as st

from fairsynergy.charts import whatif
from fairsynergy.charts.comparison import called
from fairsynergy.fleets.tray import Scenario, headline
from fairsynergy.ui import frame, panels
from fairsynergy.ui.whatif import changing, doubt, edit, goals, growth, meeting, saving, shelf, split, why
from fairsynergy.words.phrases import caveats, measure

# Called the same at every edit, or the browser would build the chart anew instead of moving its marks.
SCENARIOS_ALT = "Worst-off, mean and best-off accuracy of each scenario; the numbers are in the table below."

visit = frame.visit()
tray = meeting.join(visit.problem, visit.rule, visit.base, moved=visit.chosen)
allocations, refusals = meeting.solved(tray.scenarios)
scenario, allocation = tray.current, allocations.get(tray.selected)

visit.answer.title(panels.harmless(headline(tray, allocations)), anchor=False)
if (reason := meeting.why_refused()) is not None:
    visit.answer.error(panels.harmless(reason), icon=":material/error:")
with visit.notes.container():
    for note in caveats(allocations, tray.selected) if allocation else []:
        st.caption(f":material/info: {panels.harmless(note)}")
for name, reason in refusals.items():
    st.warning(panels.harmless(f"“{name}” is missing here: {reason}"), icon=":material/block:")

# The scenarios, side by side.
shelf.choose(tray)
shelf.sidebar(tray, visit.problem, Scenario(meeting.FIRST, visit.problem, visit.rule, base=visit.base))
left, right = st.columns([3, 2])
with right:
    metric = shelf.compare(tray)
    shelf.differ(tray)
with left:
    rows = whatif.scenarios(allocations, tray.reference, metric)
    if len(rows):
        st.vega_lite_chart(
            rows,
            called(whatif.SCENARIOS, measure(allocations)),
            height=whatif.tall(rows),
            key="scenarios",
            alt=SCENARIOS_ALT,
        )
        st.caption(f"Each line: worst-off, mean and best-off agent; grey: before the cloud; right: {metric}, proof.")

# What to do with the one at work.
titles = [
    "Edit", "My split", "Goals and budgets", "More to share", "How sure?", "Cost of change", "Why", "Every run",
    "Save and open",
]  # fmt: skip
tabs = dict(zip(titles, st.tabs(titles, key="studio", on_change="rerun", bind="query-params"), strict=True))
needing = {
    "Edit": edit.panel, "My split": split.panel, "Goals and budgets": goals.panel, "More to share": growth.panel,
    "How sure?": doubt.panel, "Why": why.panel,
}  # fmt: skip
for title, panel in needing.items():
    if tabs[title].open:
        with tabs[title]:
            if allocation is None:
                st.info(f"{scenario.rule} does not divide this scenario: choose another rule above, or undo.")
            else:
                panel(scenario, allocation)
if tabs["Cost of change"].open:
    with tabs["Cost of change"]:
        changing.panel(tray, scenario, allocations)
if tabs["Every run"].open:
    with tabs["Every run"]:
        shelf.history()
if tabs["Save and open"].open:
    with tabs["Save and open"]:
        saving.panel(tray, allocations)

if len(rows):
    panels.table("the scenarios", lambda: whatif.scenarios_table(rows), words=lambda: [whatif.describe_scenarios(rows)])
