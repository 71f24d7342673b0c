"""Out and in again: the link, the file of scenarios, the report, the workbook, pictures, tables, and Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial

import pandas as pd
import streamlit as st

import fairsynergy as fs
from fairsynergy.charts import whatif
from fairsynergy.charts.figure import Figure
from fairsynergy.charts.reports import handout, report
from fairsynergy.fleets import results_table
from fairsynergy.fleets.script import python
from fairsynergy.fleets.tray import METRICS, Tray, write_tray
from fairsynergy.fleets.workbook import workbook
from fairsynergy.ui import inputs, panels
from fairsynergy.ui.whatif import meeting

OPENED = "tray_file"
LONGEST_SCRIPT = 20_000  # letters; a browser would be busy for long with colouring more
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def panel(tray: Tray, allocations: Mapping[str, fs.Allocation]) -> None:
    """Everything that leaves, and what comes in."""
    left, right = st.columns(2)
    with left:
        _out(tray, allocations)
    with right:
        _in()
        st.markdown(f"**“{panels.harmless(tray.selected)}” as Python**")
        script = python(tray.current)
        if len(script) <= LONGEST_SCRIPT:
            st.code(script, language="python", wrap_lines=True)
        else:
            st.download_button(
                "Script (Python)", script, "scenario.py", "text/x-python", key="take_scenario.py", on_click="ignore",
                icon=":material/download:", help="Too long to show: every number of every agent is in it.",
            )  # fmt: skip


def _out(tray: Tray, allocations: Mapping[str, fs.Allocation]) -> None:
    st.markdown("**Take it with you**")
    letters = meeting.link()
    if letters is not None:
        st.caption("This page's address holds all scenarios: copy it, or reload without fear.")
    elif meeting.too_large_for_a_link():
        st.caption(f":material/info: {meeting.LINK_TOO_LONG}")
    address = inputs.address()
    link = address if address.startswith("http") else None  # a page without a browser has no address
    solved = {name: allocation for name, allocation in allocations.items() if allocation.status is not fs.Status.FAILED}

    def figure() -> Figure:
        return whatif.figure(solved, tray.reference, next(iter(METRICS)))

    def today() -> str:
        return handout.handout(tray, allocations, address=link, made=datetime.now(UTC).date())

    def table() -> str:
        rows = [{"scenario": name, **row} for name, found in solved.items() for row in results_table([found])]
        return report.csv(pd.DataFrame(rows))

    made: dict[str, tuple[str, str, Callable[[], str | bytes], str]] = {
        "report.html": ("Report (HTML, one page)", "text/html", today, "Results, proofs, reasons; opens here again."),
        "scenarios.json": ("All scenarios (JSON)", "application/json", partial(write_tray, tray), "Opens here again."),
        "scenarios.xlsx": ("Workbook (XLSX)", XLSX, partial(workbook, tray, allocations), "A sheet per scenario."),
        "results.csv": ("Results (CSV)", "text/csv", table, "A row per agent."),
        "scenarios.svg": ("Picture (SVG)", "image/svg+xml", lambda: report.svg(figure()), "Sharp at any size."),
        "scenarios.png": ("Picture (PNG)", "image/png", lambda: report.png(figure()), "For slides and messages."),
    }  # fmt: skip
    for name, (label, kind, make, why) in made.items():
        st.download_button(
            label, data=make, file_name=name, mime=kind, key=f"take_{name}", on_click="ignore", help=why,
            icon=":material/download:", width="stretch", disabled=not solved,
        )  # fmt: skip


def _in() -> None:
    st.file_uploader(
        "Open scenarios again (JSON, or a report in HTML)", type=["json", "html"], key=OPENED, on_change=_open,
        help="What was saved here; it takes the place of the scenarios on this page, and Undo brings those back.",
    )  # fmt: skip


def _open() -> None:
    upload = st.session_state[OPENED]
    if upload is None:
        return
    try:
        opened = handout.open_tray(upload.getvalue(), upload.name)
    except fs.ProblemError as error:
        meeting.refuse(str(error))
        return
    meeting.replace_tray(opened, f"{upload.name} opened")
