"""A tray as a workbook, taken apart again: every number where it belongs, and text that is never a formula."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from xml.etree import ElementTree

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import fairsynergy as fs
from fairsynergy.fleets import PRESETS, FleetSpec
from fairsynergy.fleets.tray import METRICS, Scenario, Tray
from fairsynergy.fleets.workbook import sheet_names, workbook
from fairsynergy.words import explain
from fairsynergy.words.phrases import badge

SPACE = {"x": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
FLEET_B = PRESETS["Fleet B"].problem
HOSTILE = ["=1+1", "+1", "-1", "@SUM(A1)", "{=1}", "http://example.org", "internal:A1", "1.5", "<b>&", "_x0041_"]
NAMED = replace(
    FLEET_B, agents=HOSTILE, floor=np.eye(10, 2) / 10, weight=[2.0] + [1.0] * 9, resources=["=compute", "labels"]
)
TRAY = (
    Tray.of(Scenario("as it is", FLEET_B, base="Fleet B"))
    .keep(Scenario("=cmd()", NAMED, "Leximin"))
    .keep(Scenario("by: hand?", FLEET_B, "=my split", given=FLEET_B.endowment / 3, error=np.full((10, 2), 0.05)))
    .keep(Scenario("too much", FLEET_B, "grab", given=FLEET_B.endowment * 10))
    .keep(Scenario("refused", FLEET_B, "NUM"))
)
SOLVED = {s.name: fs.allocate(s.problem, s.policy) for s in TRAY.scenarios if s.name != "refused"}


def opened(data: bytes) -> dict[str, list[list[str | float | None]]]:
    """Cells by sheet and row; a formula anywhere is an error."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
        names = [sheet.attrib["name"] for sheet in book.iterfind("x:sheets/x:sheet", SPACE)]
        pages = [ElementTree.fromstring(archive.read(f"xl/worksheets/sheet{k}.xml")) for k in range(1, len(names) + 1)]
        assert not any("hyperlinks" in name or "externalLink" in name for name in archive.namelist())
    for page in pages:
        assert page.find(".//x:f", SPACE) is None
        assert page.find(".//x:hyperlink", SPACE) is None
    return {
        name: [_row(row) for row in page.iterfind(".//x:row", SPACE)] for name, page in zip(names, pages, strict=True)
    }


def _row(row: ElementTree.Element) -> list[str | float | None]:
    cells: dict[int, str | float | None] = {}
    for cell in row.iterfind("x:c", SPACE):
        letters = re.match("[A-Z]+", cell.attrib["r"])
        assert letters is not None
        column = 0
        for letter in letters[0]:
            column = 26 * column + ord(letter) - 64
        value, text = cell.find("x:v", SPACE), cell.find("x:is/x:t", SPACE)
        if value is not None:
            cells[column] = float(value.text or "")
        elif text is not None:
            # Excel's own way to write a character by its number, which text that looks like it must not be.
            cells[column] = re.sub("_x([0-9A-F]{4})_", lambda code: chr(int(code[1], 16)), text.text or "")
    return [cells.get(column) for column in range(1, max(cells, default=0) + 1)]


BOOK = opened(workbook(TRAY, SOLVED))


def test_there_is_a_sheet_for_each_scenario_between_the_others():
    assert list(BOOK) == [
        "Comparison", "Differences", "as it is", "=cmd()", "by  hand", "too much", "refused", "Proofs",
    ]  # fmt: skip


def test_the_comparison_has_every_metric_and_its_change():
    head, *rows = BOOK["Comparison"]
    assert [row[0] for row in rows] == [scenario.name for scenario in TRAY.scenarios]
    assert [row[1] for row in rows] == ["Fair-Synergy", "Leximin", "=my split", "grab", "NUM"]
    for k, (metric, value) in enumerate(METRICS.items()):
        assert head[2 + 2 * k] == metric.capitalize()
        before = value(SOLVED["as it is"])
        for row, found in zip(rows, SOLVED.values(), strict=False):
            assert row[2 + 2 * k] == pytest.approx(value(found), rel=1e-14)
            assert row[3 + 2 * k] == pytest.approx(value(found) / before - 1, abs=1e-14)
    last = 2 + 2 * len(METRICS)
    assert [row[last] for row in rows[:4]] == [badge(found) for found in SOLVED.values()]
    assert rows[3][last] == "FAILED"
    assert rows[4][2:] == [None] * (last - 2) + ["not divided by this rule"]


def test_only_what_differs_is_in_the_differences():
    _, *rows = BOOK["Differences"]
    assert not any(row[0] == "as it is" for row in rows)
    assert ["by: hand?", "rule", None, "Fair-Synergy", "=my split"] in rows
    assert ["=cmd()", "capacity of =compute", None, None, 1] in rows


def test_a_scenario_s_sheet_has_every_agent_with_its_reason():
    sheet = BOOK["=cmd()"]
    found = SOLVED["=cmd()"]
    assert sheet[0] == ["=cmd(): divided by Leximin"]
    assert [row[0] for row in sheet[3:5]] == ["=compute", "labels"]
    assert [row[1] for row in sheet[3:5]] == NAMED.capacity.tolist()
    head, *rows = sheet[5:]  # empty rows are not in the file
    columns = dict(zip(head, zip(*rows, strict=True), strict=True))
    assert list(columns["Agent"]) == HOSTILE
    assert columns["Own =compute [units]"] == tuple(FLEET_B.endowment[:, 0])
    for title, values in (
        ("Granted labels [units]", found.grant[:, 1]),
        ("Holding labels [units]", found.holding[:, 1]),
        ("Floor of labels [units]", NAMED.floor[:, 1]),
        ("Weight", NAMED.weight),
        ("Accuracy before", NAMED.utility(np.zeros((10, 2)))),
        ("Accuracy after", found.utility),
    ):
        np.testing.assert_allclose(np.array(columns[title], dtype=float), values, rtol=1e-14)
    assert list(columns["Why"]) == explain.why(found)
    assert "Ceiling of labels [units]" not in columns
    assert "Its standard error, labels" in BOOK["by  hand"][5]


def test_proofs_are_the_certificates():
    _, *rows = BOOK["Proofs"]
    for row, found in zip(rows, SOLVED.values(), strict=False):
        proved = found.certificate
        assert row[1] == found.status.name
        assert row[4:8] == pytest.approx(
            [proved.budget, proved.nonnegativity, proved.stationarity, proved.complementarity], rel=1e-12
        )
    assert rows[0][9] == pytest.approx(SOLVED["as it is"].upper_bound)
    assert rows[4][:3] == ["refused", None, "not divided by this rule"]


def test_the_same_tray_makes_the_same_bytes():
    assert workbook(TRAY, SOLVED) == workbook(TRAY, dict(SOLVED))


def test_a_name_that_no_file_can_hold_is_refused():
    tray = Tray.of(Scenario("a", fs.Problem(endowment=[1.0], capacity=1, elasticity=[0.5], agents=["half \ud800"])))
    with pytest.raises(fs.ProblemError, match=r"a: `agents\[0\]` cannot be written to a workbook: .*half a character"):
        workbook(tray, {})


def test_a_large_fleet_has_a_row_for_every_agent():
    problem = FleetSpec(agents=3000).problem()
    tray = Tray.of(Scenario("many", problem))
    rows = opened(workbook(tray, {"many": fs.allocate(problem, fs.FairSynergy())}))["many"]
    assert [row[0] for row in rows[-3000:]] == list(problem.agents)


@given(st.lists(st.text(min_size=1, max_size=60).filter(str.isprintable), max_size=8, unique=True))
def test_any_scenarios_make_names_that_excel_allows(names):
    found = sheet_names([*names, *(name.upper() for name in names)])
    assert (
        len({name.casefold() for name in [*found, "Comparison", "Differences", "Proofs", "History"]}) == len(found) + 4
    )
    for name in found:
        assert 0 < len(name.encode("utf-16-le")) / 2 <= 31
        assert not re.search(r"[\[\]:*?/\\]", name)
        assert not name.startswith("'")
        assert not name.endswith("'")


def test_a_workbook_takes_the_oddest_names_of_scenarios():
    odd = ["x" * 60, "x" * 59, "History", "history", "😀" * 30, "'''", "[]:*?/\\", "Comparison", "ẞß"]
    tray = Tray(tuple(Scenario(name, FLEET_B) for name in odd), odd[0], odd[0])
    assert len(opened(workbook(tray, {}))) == len(odd) + 3
