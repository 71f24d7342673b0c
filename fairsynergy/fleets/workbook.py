"""A tray of scenarios as a workbook (XLSX): comparison, differences, a sheet for each scenario, proofs.

Every text is written as text, so that no name of an agent is ever run as a formula. The same tray makes the same bytes.

>>> from fairsynergy.allocation import allocate
>>> from fairsynergy.problem import Problem
>>> fleet = Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.5, 0.3], agents=["=1+1", "truck"])
>>> tray = Tray.of(Scenario("as it is", fleet))
>>> workbook(tray, {"as it is": allocate(fleet, tray.current.policy)})[:2]
b'PK'
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from xlsxwriter import Workbook

from fairsynergy.allocation import Allocation
from fairsynergy.errors import ProblemError
from fairsynergy.fleets.tables import DEFAULTS, unfit_name
from fairsynergy.fleets.tray import METRICS, Scenario, Tray, change, differences
from fairsynergy.words import explain
from fairsynergy.words.phrases import badge, proof

# A workbook tells when it was made; this one always the same.
MADE = datetime(2000, 1, 1)
# What Excel allows in the name of a sheet: so many letters, and none of these.
LONGEST, FORBIDDEN = 31, re.compile(r"[\[\]:*?/\\]")
SHEETS = ("Comparison", "Differences", "Proofs")
# Excel keeps this name for itself.
RESERVED = "history"
FORMATS = {
    "head": {"bold": True, "text_wrap": True, "valign": "top", "bottom": 1},
    "title": {"bold": True, "font_size": 14},
    "change": {"num_format": "+0.0%;-0.0%;0.0%"},
    "amount": {"num_format": "0.0000"},
    "small": {"num_format": "0.0E+00"},
}
WIDE, MIDDLE, NARROW = 60, 24, 13  # columns [characters]
DIVIDED = "not divided by this rule"

Cell = str | float | None


def workbook(tray: Tray, allocations: Mapping[str, Allocation]) -> bytes:
    """The tray, every scenario's answer and what is proved about it, as the content of an XLSX file.

    Parameters
    ----------
    tray : Tray
        What to write down.
    allocations : mapping of str to Allocation
        The answers by the scenarios' names; a scenario whose rule refused its problem has none.

    Raises
    ------
    ProblemError
        If the name of an agent or a resource cannot stand in a file.
    """
    for scenario in tray.scenarios:
        _check(scenario)
    content = io.BytesIO()
    # Row by row, in line: a fleet of thousands is written as fast as it is read.
    with Workbook(content, {"constant_memory": True, "default_date_format": "yyyy-mm-dd"}) as book:
        book.set_properties({"created": MADE, "title": "Scenarios", "comments": "Made by fairsynergy."})
        formats = {name: book.add_format(look) for name, look in FORMATS.items()}
        _comparison(_Sheet(book, SHEETS[0], formats), tray, allocations)
        _differences(_Sheet(book, SHEETS[1], formats), tray)
        names = sheet_names([scenario.name for scenario in tray.scenarios])
        for scenario, name in zip(tray.scenarios, names, strict=True):
            _scenario(_Sheet(book, name, formats), scenario, allocations.get(scenario.name))
        _proofs(_Sheet(book, SHEETS[2], formats), tray, allocations)
    return content.getvalue()


def sheet_names(names: Iterable[str]) -> list[str]:
    """Names of scenarios as Excel allows them for sheets: shortened, without its own marks, and each once.

    >>> sheet_names(["as it is", "twice: the cloud?", "AS IT IS", "Proofs", "'"])
    ['as it is', 'twice  the cloud', 'AS IT IS 2', 'Proofs 2', 'scenario']
    """
    taken = {name.casefold() for name in SHEETS} | {RESERVED}
    found = []
    for name in names:
        stem = _cut(FORBIDDEN.sub(" ", name), LONGEST)
        legal, number = stem, 2
        while legal.casefold() in taken:
            legal, number = f"{_cut(stem, LONGEST - 4)} {number}", number + 1
        taken.add(legal.casefold())
        found.append(legal)
    return found


def _cut(name: str, length: int) -> str:
    """At most so many letters as Excel counts them, which is in UTF-16; no apostrophe at an end."""
    short = name.encode("utf-16-le")[: 2 * length].decode("utf-16-le", errors="ignore")
    return short.strip(" '") or "scenario"


def _check(scenario: Scenario) -> None:
    for kind, names in (("agents", scenario.problem.agents), ("resources", scenario.problem.resources)):
        for index, name in enumerate(names):
            complaint = unfit_name(name)
            if complaint:
                message = f"{scenario.name}: `{kind}[{index}]` cannot be written to a workbook: {complaint}"
                raise ProblemError(message, field=kind, index=(index,))


class _Sheet:
    """A sheet that is filled row by row."""

    def __init__(self, book: Workbook, name: str, formats: Mapping[str, Any]) -> None:
        self.page = book.add_worksheet(name)
        self.formats = formats
        self.row = 0

    def widths(self, widths: Sequence[float]) -> None:
        for column, width in enumerate(widths):
            self.page.set_column(column, column, width)

    def add(self, cells: Iterable[Cell], looks: Sequence[str | None] | str = "amount") -> None:
        """One more row; what is missing or infinite leaves its cell empty."""
        for column, cell in enumerate(cells):
            look = looks if isinstance(looks, str) else looks[column]
            if isinstance(cell, str):
                self.page.write_string(
                    self.row, column, cell, self.formats[look] if look in ("head", "title") else None
                )
            elif cell is not None and np.isfinite(cell):
                self.page.write_number(self.row, column, cell, self.formats[look] if look else None)
        self.row += 1

    def head(self, titles: Sequence[str], *, freeze: bool = True) -> None:
        """The row of titles, which stays in sight."""
        self.add(titles, "head")
        if freeze:
            self.page.freeze_panes(self.row, 1)


def _comparison(sheet: _Sheet, tray: Tray, allocations: Mapping[str, Allocation]) -> None:
    reference = allocations.get(tray.reference)
    titles = ["Scenario", "Rule"]
    looks: list[str | None] = [None, None]
    for metric in METRICS:
        titles += [metric.capitalize(), f"{metric.capitalize()}: change against “{tray.reference}”"]
        looks += ["amount", "change"]
    sheet.widths([MIDDLE, MIDDLE, *[NARROW, MIDDLE] * len(METRICS), MIDDLE, WIDE])
    sheet.head([*titles, "Proof", "That is"])
    for scenario in tray.scenarios:
        found = allocations.get(scenario.name)
        cells: list[Cell] = [scenario.name, scenario.policy.label]
        for metric, value in METRICS.items():
            cells.append(None if found is None else value(found))
            cells.append(None if found is None or reference is None else change(found, reference, metric))
        cells += [DIVIDED, None] if found is None else [badge(found), proof(found)]
        sheet.add(cells, [*looks, None, None])


def _differences(sheet: _Sheet, tray: Tray) -> None:
    sheet.widths([MIDDLE, MIDDLE, MIDDLE, MIDDLE, MIDDLE])
    sheet.head(["Scenario", "What differs", "Agent", f"In “{tray.reference}”", "In this scenario"])
    for scenario in tray.scenarios:
        for difference in differences(tray[tray.reference], scenario):
            values = ("no limit" if value == np.inf else value for value in (difference.before, difference.after))
            sheet.add([scenario.name, difference.what, difference.agent, *values], [None] * 3 + [None] * 2)


def _scenario(sheet: _Sheet, scenario: Scenario, found: Allocation | None) -> None:
    problem = scenario.problem
    columns = _agents(scenario, found)
    sheet.widths([MIDDLE, *[NARROW] * (len(columns) - 2), WIDE if found else NARROW])
    sheet.add([f"{scenario.name}: divided by {scenario.policy.label}"], "title")
    sheet.add([proof(found) if found else DIVIDED], [None])
    sheet.add([])
    sheet.head(
        ["Resource", "Capacity [units]", "Granted [units]", "Unspent [units]", "Price [objective per unit]"],
        freeze=False,
    )
    for k, resource in enumerate(problem.resources):
        row: list[Cell] = [resource, float(problem.capacity[k])]
        if found is not None:
            price = None if found.price is None else float(found.price[k])
            row += [float(found.grant[:, k].sum()), float(found.unspent[k]), price]
        sheet.add(row)
    sheet.add([])
    sheet.head(list(columns))
    for cells in zip(*columns.values(), strict=True):
        sheet.add(cells)


def _agents(scenario: Scenario, found: Allocation | None) -> dict[str, Sequence[Cell]]:
    """The table of agents by column; limits and errors only where somebody has one."""
    problem = scenario.problem
    columns: dict[str, Sequence[Cell]] = {"Agent": problem.agents}
    for k, resource in enumerate(problem.resources):
        columns[f"Own {resource} [units]"] = problem.endowment[:, k].tolist()
        if found is not None:
            columns[f"Granted {resource} [units]"] = found.grant[:, k].tolist()
            columns[f"Holding {resource} [units]"] = found.holding[:, k].tolist()
        columns[f"Elasticity in {resource}"] = problem.elasticity[:, k].tolist()
        if scenario.errors[:, k].any():
            columns[f"Its standard error, {resource}"] = scenario.errors[:, k].tolist()
        for limit in ("floor", "ceiling", "saturation"):
            values = getattr(problem, limit)[:, k]
            if (values != DEFAULTS[limit]).any():
                columns[f"{limit.capitalize()} of {resource} [units]"] = values.tolist()
    if (problem.weight != DEFAULTS["weight"]).any():
        columns["Weight"] = problem.weight.tolist()
    columns["Accuracy before"] = problem.utility(np.zeros((problem.n, problem.m))).tolist()
    if found is not None:
        columns["Accuracy after"] = found.utility.tolist()
        columns["Why"] = explain.why(found)
    return columns


def _proofs(sheet: _Sheet, tray: Tray, allocations: Mapping[str, Allocation]) -> None:
    sheet.widths([MIDDLE, NARROW, WIDE, WIDE, *[MIDDLE] * 7])
    sheet.head(
        [
            "Scenario",
            "Status",
            "That is",
            "Conditions checked for",
            "Overspent (share of a capacity)",
            "Beyond a floor or ceiling (share of that limit)",
            "Off the price (relative)",
            "Unspent though worth something (share of a capacity)",
            "Total accuracy, weighted",
            "Proved bound on any total",
            "Proved gap to the best total",
        ]
    )
    looks: list[str | None] = [None] * 4 + ["small"] * 4 + ["amount", "amount", "small"]
    for scenario in tray.scenarios:
        found = allocations.get(scenario.name)
        if found is None:
            sheet.add([scenario.name, None, DIVIDED], looks)
            continue
        proved = found.certificate
        residuals = [proved.budget, proved.nonnegativity, proved.stationarity, proved.complementarity]
        head = [scenario.name, found.status.name, proof(found), proved.objective]
        sheet.add([*head, *residuals, found.total, proved.upper_bound, proved.gap], looks)
