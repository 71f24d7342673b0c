"""Scenarios side by side as a table and a picture, and the page to hand out, which can be opened again."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image
from test_comparison import fields

import fairsynergy as fs
from fairsynergy.charts import palette, whatif
from fairsynergy.charts.reports import report
from fairsynergy.charts.reports.handout import ENDS, LISTED, handout, open_tray, read_handout
from fairsynergy.cli import main
from fairsynergy.fleets import PRESETS, FleetSpec
from fairsynergy.fleets.script import python
from fairsynergy.fleets.tray import METRICS, Scenario, Tray, from_link, to_link, write_tray
from fairsynergy.words import explain
from fairsynergy.words.phrases import badge, proof, signed

FLEET_B = PRESETS["Fleet B"].problem
EVIL = "</script><script>alert(1)</script>"
LOCKED = replace(FLEET_B, floor=np.eye(10, 2) / 10, agents=[f"<img src=x onerror=alert({i})>" for i in range(10)])
TRAY = (
    Tray.of(Scenario("as it is", FLEET_B, base="Fleet B"))
    .keep(Scenario(EVIL, LOCKED, "Leximin"))
    .keep(Scenario("more cloud", replace(FLEET_B, capacity=[2, 2]), base="Fleet B"))
    .keep(Scenario("by hand", FLEET_B, "<b>my</b> split", given=FLEET_B.endowment / 3))
    .keep(Scenario("too much", FLEET_B, "grab", given=FLEET_B.endowment * 10))
    .keep(Scenario("refused", FLEET_B, "NUM"))
)
SOLVED = {s.name: fs.allocate(s.problem, s.policy) for s in TRAY.scenarios if s.name != "refused"}
ADDRESS = "https://example.org/what_if?rule=NUM"
PAGE = handout(TRAY, SOLVED, address=ADDRESS, made=date(2031, 5, 7))
TABLE = whatif.scenarios(SOLVED, "as it is", "mean accuracy")
SOME = {name: SOLVED[name] for name in ("as it is", "more cloud")}


# Table, picture and words


def test_one_row_per_scenario_with_its_change():
    assert list(TABLE.scenario) == list(SOLVED)
    assert list(TABLE.scenario[TABLE.chosen]) == ["as it is"]
    for row, found in zip(TABLE.itertuples(), SOLVED.values(), strict=True):
        assert (row.worst, row.mean, row.best) == (found.worst, found.mean, found.best)
        assert row.change == pytest.approx(found.mean / SOLVED["as it is"].mean - 1)
        assert row.proof == badge(found)
        assert row.change_text == ("reference" if row.chosen else signed(row.change))


@pytest.mark.parametrize("metric", METRICS)
def test_any_metric_can_be_compared(metric):
    table = whatif.scenarios(SOLVED, "as it is", metric)
    np.testing.assert_allclose(table.value, [METRICS[metric](found) for found in SOLVED.values()])
    shown = whatif.scenarios_table(table)
    (percents,) = [column for column in shown if column.endswith("[%]")]
    np.testing.assert_allclose(shown[percents], 100 * table.change)
    assert np.isfinite(table.level[0]) == (metric in whatif.SHOWN)
    best = table[table.sound].sort_values("value", ascending=metric == "Gini index").scenario.iloc[0]
    assert f"“{best}” has the" in whatif.describe_scenarios(table)


def test_a_reference_without_an_answer_leaves_no_change():
    table = whatif.scenarios(SOME, "elsewhere", "mean accuracy")
    assert table.change.isna().all()
    assert not table.chosen.any()
    assert "Against" not in whatif.describe_scenarios(table)
    assert whatif.scenarios_table(table).shape == (2, 8)


def test_a_split_beyond_a_limit_is_never_the_best():
    assert SOLVED["too much"].best > SOLVED["more cloud"].worst
    leader = whatif.leader(TABLE)
    assert leader is not None
    assert leader.scenario == "more cloud"
    assert "“too much” breaks a limit" in whatif.describe_scenarios(TABLE)
    alone = {"too much": SOLVED["too much"]}
    assert whatif.leader(whatif.scenarios(alone, "too much", "mean accuracy")) is None
    assert "Scenarios that break a limit" in handout(TRAY, alone, address=None)


def test_scenarios_are_drawn_as_their_rules_and_splits_as_none():
    drawn = dict(zip(TABLE.scenario, TABLE.drawn, strict=True))
    assert drawn["as it is"] == "Fair-Synergy"
    assert drawn[EVIL] == "Leximin"
    assert drawn["by hand"] == whatif.OTHER
    named = fs.allocate(FLEET_B, fs.Given(FLEET_B.endowment / 3, label="Nash"))
    assert whatif.scenarios({"a": named}, "a", "mean accuracy").drawn[0] == whatif.OTHER
    assert set(TABLE.drawn) <= {*palette.RULES, whatif.OTHER}


def test_the_specification_reads_only_what_the_table_has():
    assert fields(whatif.SCENARIOS) <= set(TABLE.columns)
    assert "data" not in whatif.SCENARIOS
    json.dumps(whatif.SCENARIOS)
    assert whatif.tall(TABLE) - whatif.tall(TABLE[:1]) == 4 * whatif.ROW


def test_the_picture_names_every_scenario_and_opens(tmp_path):
    picture = whatif.figure(SOLVED, "as it is", "mean accuracy")
    drawn = unescape(report.svg(picture))
    for scenario, text in zip(TABLE.title, TABLE.change_text, strict=True):
        assert scenario in drawn
        assert text in drawn
    assert "<script" not in report.svg(picture)
    (tmp_path / "picture.png").write_bytes(report.png(picture))
    with Image.open(tmp_path / "picture.png") as image:
        assert len(image.convert("RGB").getcolors(2**24) or []) > 20


# The page


class Reader(HTMLParser):
    """Elements with their attributes, and text outside of the tray."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)
        self.text = re.sub(r"\s+", " ", " ".join(self.texts))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def values(self, attribute: str) -> list[str]:
        return [value for _, given in self.elements if (value := given.get(attribute)) is not None]


READ = Reader(PAGE)


def test_the_page_runs_and_loads_nothing():
    scripts = [given for tag, given in READ.elements if tag == "script"]
    assert scripts == [{"type": "application/json", "id": "tray"}]
    tags = {tag for tag, _ in READ.elements}
    assert not tags & {"img", "iframe", "link", "object", "embed", "form", "base"}
    assert not [name for _, given in READ.elements for name in given if name.startswith("on")]
    assert READ.values("src") == []
    assert all(link.startswith(ADDRESS) for link in READ.values("href"))
    assert "url(" not in PAGE
    assert "default-src 'none'" in PAGE


def test_the_page_says_what_came_out_of_every_scenario():
    assert "“more cloud” has the highest mean accuracy" in READ.text
    for name, found in SOLVED.items():
        assert name in READ.text
        for said in (proof(found), explain.prices(found), explain.exchanges(found), found.certificate.objective):
            assert re.sub(r"\s+", " ", said) in READ.text.replace("\N{NO-BREAK SPACE}", " ")
        for reason in explain.why(found):
            assert reason in READ.text.replace("\N{NO-BREAK SPACE}", " ")
    assert "its rule does not divide its fleet" in READ.text
    assert "Reference" not in READ.text.split("The scenarios")[0]
    assert "breaks a limit" in READ.text
    assert "7 May 2031" in READ.text


def test_the_page_lists_what_differs_and_how_to_do_it_in_python():
    assert "capacity of compute 1.0000 2.0000" in READ.text
    assert "<b>my</b> split" in READ.text
    for scenario in TRAY.scenarios:
        assert re.sub(r"\s+", " ", python(scenario)) in READ.text


def test_no_clock_is_read():
    assert handout(TRAY, SOLVED, address=ADDRESS) == PAGE.replace(" on 7 May 2031", "")


def test_the_page_opens_again_as_the_tray_it_tells_of():
    assert read_handout(PAGE.encode()) == TRAY
    assert open_tray(PAGE.encode(), "report.html") == TRAY
    assert open_tray(b"\xef\xbb\xbf\n" + PAGE.encode()) == TRAY
    assert open_tray(write_tray(TRAY).encode(), "report.html") == TRAY
    assert PAGE.count("</script>") == 1  # that of the tray: no name ended it


def test_links_lead_back_with_the_tray():
    links = [link for link in READ.values("href") if "tray=" in link]
    assert len(links) == 1 + len(TRAY.scenarios)
    trays = [from_link(link.partition("tray=")[2]) for link in links]
    assert trays[0] == TRAY
    assert [tray.selected for tray in trays[1:]] == [scenario.name for scenario in TRAY.scenarios]
    again = handout(TRAY, SOME, address=f"{ADDRESS}&tray=old")
    assert "tray=old" not in again
    assert to_link(TRAY) is not None


def test_without_a_link_the_page_says_that_it_must_be_sent_along():
    page = handout(TRAY, SOME, address=None)
    assert "Send it along" in page
    assert Reader(page).values("href") == []
    large = Tray.of(Scenario("large", FleetSpec(agents=3000).problem()))
    page = handout(large, {}, address=ADDRESS)
    assert "Whoever gets the link needs this file as well" in page
    assert Reader(page).values("href") == [ADDRESS]
    with pytest.raises(fs.ProblemError, match="must begin with http"):
        handout(TRAY, SOME, address="javascript:alert(1)")


def test_many_agents_are_told_by_their_spread_and_both_ends():
    spec = FleetSpec(agents=LISTED + 1)
    tray = Tray.of(Scenario("many", spec.problem(), base=spec))
    found = fs.allocate(spec.problem(), fs.FairSynergy())
    page = Reader(handout(tray, {"many": found}, address=None))
    told = re.findall(r"agent \d+ owns", page.text)
    assert len(told) == 2 * ENDS
    order = np.argsort(found.utility)
    for i in (order[0], order[-1]):
        assert f"agent {i + 1} owns" in page.text
    assert "The workbook (XLSX) lists all" in page.text
    for share in ("median", "90 %"):
        assert share in page.text
    few = FleetSpec(agents=LISTED).problem()
    page = Reader(handout(Tray.of(Scenario("few", few)), {"few": fs.allocate(few, fs.NUM())}, address=None))
    assert len(re.findall(r"agent \d+ owns", page.text)) == LISTED


BAD = {
    "nothing": (b"", "is not JSON text"),
    "another page": (b"<!DOCTYPE html><html><body>Not found</body></html>", "holds no scenarios"),
    "cut early": (PAGE.encode()[:3000], "holds no scenarios, or was cut"),
    "cut in the tray": (PAGE.encode()[:-400], "was cut"),
    "another tray inside": (
        b'<script type="application/json" id="tray">{"format": "x"}</script>',
        "is not a tray of scenarios",
    ),
    "newer": (PAGE.replace('"version": 1', '"version": 9').encode(), "has version 9"),
    "half a tag": (b'<script id="tray"', "holds no scenarios"),
    "a workbook": (b"PK\x03\x04", "is not JSON text"),
}


@pytest.mark.parametrize(("data", "words"), BAD.values(), ids=list(BAD))
def test_what_holds_no_tray_is_refused_in_one_line(data, words):
    with pytest.raises(fs.ProblemError) as refusal:
        open_tray(data, "report.html")
    message = str(refusal.value)
    assert message.startswith("report.html")
    assert words in message
    assert "\n" not in message


# The command


def test_the_command_writes_a_page_and_a_workbook_that_tell_of_the_file(tmp_path, capsys):
    scenarios, page, book = (tmp_path / name for name in ("scenarios.json", "report.html", "book.xlsx"))
    scenarios.write_text(write_tray(TRAY), encoding="utf-8")
    assert main(["report", str(scenarios), "--out", str(page)]) == 0
    assert capsys.readouterr().out == f"{page}: 6 of 6 scenarios divided\n"
    assert open_tray(page.read_bytes()) == TRAY
    assert main(["report", str(page), "--out", str(book)]) == 0  # from the report, which holds them too
    assert book.read_bytes().startswith(b"PK")


@pytest.mark.parametrize(
    ("file", "out", "words"),
    [
        ("absent.json", "report.html", "absent.json cannot be read: No such file"),
        ("other.json", "report.html", "other.json is not a tray of scenarios"),
        ("scenarios.json", "report.pdf", "--out must end in .html for a page or in .xlsx"),
        ("scenarios.json", "nowhere/report.html", "cannot be written: No such file"),
    ],
)
def test_the_command_refuses_in_one_line(tmp_path, capsys, file, out, words):
    (tmp_path / "scenarios.json").write_text(write_tray(Tray.of(Scenario("a", FLEET_B))), encoding="utf-8")
    (tmp_path / "other.json").write_text("{}", encoding="utf-8")
    assert main(["report", str(tmp_path / file), "--out", str(tmp_path / out)]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert words in line
