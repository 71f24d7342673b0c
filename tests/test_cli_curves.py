"""`fairsynergy fit` and `fairsynergy measure`: what they print, and in which words they refuse."""

import io
import json
import sys

import extras
import pytest

from fairsynergy import cli
from fairsynergy.curves import digits, fit, read_curves

ROWS = "labels,accuracy\n30,0.40\n60,0.48\n120,0.57\n240,0.66\n480,0.79\n"


@pytest.fixture(autouse=True)
def _wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def drones(tmp_path):
    path = tmp_path / "drones.csv"
    path.write_text(ROWS, encoding="utf-8")
    return str(path)


def printed(capsys, *arguments):
    assert cli.main(arguments) == 0
    out, message = capsys.readouterr()
    assert message == ""
    return out


def refused(capsys, *arguments):
    try:
        code = cli.main(arguments)
    except SystemExit as ended:  # argparse
        code = ended.code
    out, message = capsys.readouterr()
    assert (code, out) == (2, "")
    assert "Traceback" not in message
    return message


def documented(capsys, *arguments):
    return json.loads(printed(capsys, "fit", "--json", *arguments), parse_constant=pytest.fail)


def test_the_table_has_the_librarys_numbers(capsys, drones):
    found = fit([30, 60, 120, 240, 480], [0.40, 0.48, 0.57, 0.66, 0.79])
    low, high = found.interval[0]
    out = printed(capsys, "fit", drones)
    lines = out.splitlines()
    row = lines[lines.index(next(line for line in lines if line.strip() == "drones")) + 1]
    assert row.strip().startswith("labels  ")
    assert f"{found.elasticity[0]:.4f}" in row
    assert f"{found.standard_error[0]:.4f}" in row
    assert f"{low:.4f} to {high:.4f}" in row
    assert "Whether the power law describes these 5 rows well cannot be told from them" in out
    assert row.rstrip().endswith("too few rows")
    assert "tell no shapes apart" in out


def test_json_has_everything(capsys, drones):
    found = fit([30, 60, 120, 240, 480], [0.40, 0.48, 0.57, 0.66, 0.79])
    curve = documented(capsys, drones)["curves"]["drones"]
    assert curve["elasticity"] == pytest.approx(found.elasticity.tolist())
    assert curve["interval"][0] == pytest.approx(found.interval[0].tolist())
    assert curve["usable"] is True
    assert [one["shape"] for one in curve["alternatives"]] == [one.shape.value for one in found.alternatives]
    assert curve["residual"] == pytest.approx(found.residual.tolist())


def test_json_says_null_where_there_is_no_number(capsys, tmp_path):
    path = tmp_path / "two.csv"
    path.write_text("labels,accuracy\n1,0.3\n4,0.6\n", encoding="utf-8")
    curve = documented(capsys, str(path))["curves"]["two"]
    assert curve["interval"] == [[None, None]]
    assert "there is no interval" in printed(capsys, "fit", str(path))


def test_percent_and_a_fixed_scale(capsys, drones, tmp_path):
    percent = tmp_path / "percent.csv"
    percent.write_text("labels,accuracy\n30,40\n60,48\n120,57\n240,66\n480,79\n", encoding="utf-8")
    shares = documented(capsys, drones)["curves"]["drones"]
    again = documented(capsys, str(percent), "--percent")["curves"]["percent"]
    assert again["elasticity"] == pytest.approx(shares["elasticity"])
    assert "if accuracies are in percent" in refused(capsys, "fit", str(percent))
    fixed = documented(capsys, drones, "--scale", "one", "--unit", "labels=1000")["curves"]["drones"]
    assert fixed["scale"] == 1.0
    assert "give a larger `unit`" in refused(capsys, "fit", drones, "--scale=one")
    assert "--unit names 'lables', but the resources are labels" in refused(capsys, "fit", drones, "--unit=lables=1")


def test_numbers_that_may_be_read_either_way_are_read_as_the_option_says(capsys, tmp_path):
    path = tmp_path / "grouped.csv"
    path.write_text("labels;accuracy\n500;30\n1.000;40\n2.000;48\n4.000;57\n", encoding="utf-8")
    message = refused(capsys, "fit", str(path), "--percent")
    assert "'1.000' is either 1 or 1000" in message
    assert "the option is --decimal point or --decimal comma" in message
    for decimal, gamma in (("comma", 0.2908), ("point", -0.0609)):
        curve = documented(capsys, str(path), "--percent", "--decimal", decimal)["curves"]["grouped"]
        assert curve["elasticity"] == pytest.approx([gamma], abs=1e-4)


def test_without_a_file_the_shipped_curves(capsys):
    curves = documented(capsys)["curves"]
    assert len(curves) == 7
    assert len(curves["Digits, random forest: labels and trees"]["elasticity"]) == 2


def test_standard_input(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(ROWS.encode())))
    assert list(documented(capsys, "-")["curves"]) == ["standard input"]


def test_one_curve_that_cannot_be_fitted_does_not_hide_the_others(capsys, tmp_path):
    path = tmp_path / "both.csv"
    path.write_text("curve,labels,accuracy\na,1,0.3\na,2,0.4\na,4,0.6\nb,1,0.5\n", encoding="utf-8")
    assert "b refused: 1 row cannot determine 2 unknowns" in printed(capsys, "fit", str(path))
    path.write_text("curve,labels,accuracy\nb,1,0.5\n", encoding="utf-8")
    assert refused(capsys, "fit", str(path)).startswith("fairsynergy fit: b: 1 row cannot determine 2 unknowns")


def test_a_file_that_is_not_there(capsys, tmp_path):
    assert "cannot be read: No such file" in refused(capsys, "fit", str(tmp_path / "none.csv"))


@extras.needs("measure")
def test_measure_writes_what_fit_reads(capsys, tmp_path, monkeypatch):
    name = "Digits, size of a decision tree"
    monkeypatch.setattr(digits, "CURVES", {name: digits.CURVES[name]})
    path = tmp_path / "digits.csv"
    assert cli.main(["measure", "--out", str(path), "--seeds", "1"]) == 0
    assert capsys.readouterr().out == f"{path}: 6 measurements of 1 curves, 1 repeats\n"
    text = path.read_text(encoding="utf-8")
    assert "`fairsynergy measure --seeds 1` with scikit-learn" in text
    assert list(read_curves(text.encode(), "digits.csv")) == [name]


def test_measure_refuses_before_it_works(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(digits, "measure", lambda *_, **__: pytest.fail("worked"))
    assert "--seeds must be at least 1, got 0" in refused(capsys, "measure", "--seeds", "0")
    missing = str(tmp_path / "none" / "digits.csv")
    assert "--out: there is no folder" in refused(capsys, "measure", "--out", missing)


def test_measure_without_scikit_learn_says_what_to_install(capsys, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    message = refused(capsys, "measure", "--out", str(tmp_path / "digits.csv"))
    assert message.startswith("fairsynergy measure: measuring needs scikit-learn, which is not installed: pip install")
    assert message.count("\n") == 1
    assert not (tmp_path / "digits.csv").exists()
