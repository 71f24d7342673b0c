"""`fairsynergy reproduce`, from the command to the last byte it writes; and docs/PAPER.md, which it wrote."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from markupsafe import escape
from PIL import Image

from fairsynergy.charts.reports.report import markdown
from fairsynergy.cli import main
from fairsynergy.experiments.paper import FIGURES, reproduce
from fairsynergy.experiments.reproduction import COLUMNS

ROOT = Path(__file__).parents[1]
FEW = ["--experiments", "2"]
# Without what takes long: timing, and the released DL protocol, which tests/pages runs.
PICTURED = [name for name in FIGURES if name not in ("complexity", "dl-scaling")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("reproduce") / "paper"
    assert main(["reproduce", *PICTURED, "--out", str(out), *FEW]) == 0
    return out


def test_every_figure_has_its_folder_and_nothing_else_is_left(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {*PICTURED, "report.html", "claims.md"}


def test_every_picture_opens(folder: Path) -> None:
    pictures = sorted(folder.rglob("*.png"))
    assert {path.parent.name for path in pictures} == {*PICTURED}
    for path in pictures:
        with Image.open(path) as picture:
            assert min(picture.size) > 300, path
            assert len(picture.convert("RGB").getcolors(2**24) or []) > 20, path  # not blank
        assert path.with_suffix(".svg").read_text(encoding="utf-8").startswith("<svg ")
        assert "vegaEmbed" in path.with_suffix(".html").read_text(encoding="utf-8")


def test_every_table_is_the_library_s(folder: Path) -> None:
    for name in ("fig2", "fig4", "fig6", "rti-scaling"):
        tables = reproduce(name, experiments=2).tables
        assert {path.stem for path in (folder / name).glob("*.csv")} == {*tables}
        for key, table in tables.items():
            rows = list(csv.DictReader(io.StringIO((folder / name / f"{key}.csv").read_text(encoding="utf-8"))))
            assert list(rows[0]) == list(table.columns)
            assert len(rows) == len(table)


def test_the_report_holds_every_claim_in_four_columns_and_loads_nothing(folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    claims = (folder / "claims.md").read_text(encoding="utf-8")
    for heading in COLUMNS.values():
        assert heading.replace("'", "&#39;") in page
        assert heading in claims
    for name in ("fig2", "fig4", "fig6"):
        for claim in reproduce(name, experiments=2).claims:
            for text in (*claim[:5], claim.verdict.value):
                assert shown(text) in page, text
            assert str(escape(claim.reason)) in page
    assert not re.search(r"<(script|link|img|iframe)[^>]*(src|href)=.https?:", page)


def test_the_same_seed_writes_the_same_figures(folder: Path, tmp_path: Path) -> None:
    assert main(["reproduce", "fig4", "--out", str(tmp_path), *FEW]) == 0
    assert main(["reproduce", "fig4", "--out", str(tmp_path), *FEW]) == 0  # over our own report
    for path in (tmp_path / "fig4").iterdir():
        assert path.read_bytes() == (folder / "fig4" / path.name).read_bytes(), path.name


def shown(text: str) -> str:
    """As HTML spells it; a number stays with its percent sign."""
    return str(escape(text.replace(" %", "\N{NO-BREAK SPACE}%")))


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["reproduce", *arguments]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    (line,) = told.err.strip().splitlines()
    return line


def test_an_unknown_figure_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    line = refused(capsys, "fig7", "--out", str(tmp_path / "new"))
    assert "no figure 'fig7'; choose any of fig2, fig3" in line
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(("option", "value"), [("--experiments", "0"), ("--seed", "-1")])
def test_a_number_out_of_range_is_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, option: str, value: str
) -> None:
    line = refused(capsys, "fig4", "--out", str(tmp_path / "new"), option, value)
    assert f"`{option[2:]}` must be a whole number >= " in line
    assert line.endswith(f"got {value}")


def test_a_place_that_cannot_be_written_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    line = refused(capsys, "fig2", "--out", str(file))
    assert "cannot be written" in line
    assert file.read_text() == "mine"


def test_a_file_of_somebody_else_stays(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text("mine")
    line = refused(capsys, "fig2", "--out", str(tmp_path))
    assert "report.html exists" in line
    assert page.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [page]


@pytest.mark.parametrize("name", ["fig2", "fig3", "fig4", "fig6", "rti-scaling"])
def test_the_docs_hold_what_is_found_today(name: str) -> None:
    """The quick ones; times differ from run to run."""
    written = (ROOT / "docs" / "PAPER.md").read_text(encoding="utf-8")
    for line in markdown([reproduce(name)]).splitlines():
        if not line.startswith(("| time ", "- time ")):
            assert line in written
