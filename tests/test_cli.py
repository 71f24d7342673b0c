"""The command line: what it prints, in which words it refuses, and how it ends."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from strategies import fleet

import fairsynergy as fs
from fairsynergy.cli import main
from fairsynergy.fleets import PRESETS, read_fleet, write_csv, write_json

CPU = "--capacity=compute=0.46"


@pytest.fixture
def fleet_a(tmp_path: Path) -> str:
    """The paper's Fleet A as a CSV file."""
    path = tmp_path / "fleet_a.csv"
    path.write_text(write_csv(fleet("a")), encoding="utf-8")
    return str(path)


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def solved(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """What `solve --json` prints, read without JSON's extensions."""
    assert main(["solve", "--json", *arguments]) == 0
    return json.loads(capsys.readouterr().out, parse_constant=pytest.fail)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one message of a command that is refused with exit code 2."""
    try:
        code = main(arguments)
    except SystemExit as ended:  # argparse
        code = ended.code
    out, message = capsys.readouterr()
    assert (code, out) == (2, "")
    assert "Traceback" not in message
    return message


def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "fairsynergy.cli", *arguments]
    return subprocess.run(command, capture_output=True, timeout=60, check=False, **options)


# Results


def test_rules_beyond_the_papers_are_named_or_set(capsys, fleet_a):
    found = solved(capsys, fleet_a, CPU, "--policy", "nash", "certified-optimum", "alpha=2", "ALPHA=inf")["rules"]
    assert list(found) == ["Nash", "Certified optimum", "Alpha-fair (alpha = 2)", "Alpha-fair (alpha = inf)"]
    assert found["Certified optimum"]["gap"] <= 1e-4
    leximin = solved(capsys, fleet_a, CPU, "--policy=leximin")["rules"]["Leximin"]
    assert found["Alpha-fair (alpha = inf)"]["worst"] == pytest.approx(leximin["worst"])


def test_the_table_has_a_row_per_rule_with_the_librarys_numbers(capsys, fleet_a):
    assert main(["solve", fleet_a, CPU]) == 0
    out, message = capsys.readouterr()
    assert message == ""
    rows = {line.split("  ")[0].strip(): line for line in out.splitlines()}
    uniform = fs.allocate(fleet("a"), fs.Uniform()).mean
    for name, policy in fs.POLICIES.items():
        answer = fs.allocate(fleet("a"), policy)
        for value in (answer.worst, answer.mean, answer.best):
            assert f" {value:.4f} " in rows[name]
        assert f"{100 * (answer.mean / uniform - 1):+.1f} %".replace("-0.0", "+0.0") in rows[name]
        proof = "proved optimal" if answer.status is fs.Status.OPTIMAL else "baseline"
        assert proof in rows[name]
        assert " ms" in rows[name]
    before = fleet("a").utility(np.zeros((10, 1)))
    assert f" {before.mean():.4f} " in rows["(no cloud)"]


def test_the_table_says_what_it_is_relative_to(capsys, fleet_a):
    main(["solve", fleet_a, CPU])
    out = capsys.readouterr().out
    assert "fleet_a.csv: 10 agents; the cloud shares 0.46 units of compute." in out
    assert "vs Uniform: the mean relative to Uniform's, 0.2452." in out
    assert "proved optimal: no other grants serve this rule's objective better" in out
    assert "time: one run on this machine" in out


def test_json_holds_grants_prices_and_proofs_of_fleet_a(capsys, fleet_a):
    document = solved(capsys, fleet_a, CPU)
    assert document["fleet"] == "fleet_a.csv"
    assert document["agents"] == list(fleet("a").agents)
    assert document["capacity"] == {"compute": 0.46}
    assert document["utility_before"] == fleet("a").utility(np.zeros((10, 1))).tolist()
    assert list(document["rules"]) == list(fs.POLICIES)
    assert document["refused"] == {}
    for name, policy in fs.POLICIES.items():
        answer, found = fs.allocate(fleet("a"), policy), document["rules"][name]
        assert found["status"] == answer.status.name
        assert found["meaning"] == answer.status.value
        assert found["grant"] == {"compute": answer.grant[:, 0].tolist()}
        assert found["utility"] == answer.utility.tolist()
        assert found["price"] == (None if answer.price is None else {"compute": answer.price[0]})
        assert found["unspent"] == {"compute": answer.unspent[0]}
        for key in ("worst", "mean", "best", "total", "upper_bound", "gap", "iterations"):
            assert found[key] == getattr(answer, key)
        for key in ("objective", "budget", "nonnegativity", "stationarity", "complementarity"):
            assert found["certificate"][key] == getattr(answer.certificate, key)
        assert found["seconds"] > 0
    assert document["rules"]["Fair-Synergy"]["price"]["compute"] == pytest.approx(1.457305, abs=5e-7)
    assert document["rules"]["Uniform"]["mean_vs_uniform"] == 0


def test_json_has_no_infinities(capsys, tmp_path):
    path = tmp_path / "huge.csv"
    path.write_text("compute,gamma_compute,labels,gamma_labels\n1e300,0.9,1e300,0.9\n0,0.5,0,0.5\n")
    document = solved(capsys, str(path), "--capacity=compute=1", "--capacity=labels=1", "--policy=uniform")
    assert document["rules"]["Uniform"]["mean"] is None


def test_two_resources_and_saturation_reach_the_problem(capsys, tmp_path):
    path = tmp_path / "b.csv"
    path.write_text(write_csv(fleet("b")), encoding="utf-8")
    arguments = (str(path), "--capacity", "compute=1", "--capacity", "labels=2", "--saturation", "1")
    found = solved(capsys, *arguments)["rules"]["Leximin"]
    answer = fs.allocate(fleet("b", capacity=[1, 2], saturation=1.0), fs.Leximin())
    assert found["grant"]["labels"] == answer.grant[:, 1].tolist()


def test_json_brings_its_capacity_and_options_replace_it(capsys, tmp_path):
    path = tmp_path / "a.json"
    path.write_text(write_json(fleet("a", saturation=0.1)), encoding="utf-8")
    assert solved(capsys, str(path))["capacity"] == {"compute": 0.46}
    assert solved(capsys, str(path), "--capacity=compute=1")["capacity"] == {"compute": 1.0}
    free = fs.allocate(fleet("a"), fs.FairSynergy()).mean
    assert solved(capsys, str(path), "--saturation=none")["rules"]["Fair-Synergy"]["mean"] == free
    assert solved(capsys, str(path))["rules"]["Fair-Synergy"]["mean"] < free


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (["all"], list(fs.POLICIES)),
        (["leximin", "num"], ["Leximin", "NUM"]),
        (["FAIRSYNERGY"], ["Fair-Synergy"]),
        (["fair-synergy", "Fair-Synergy"], ["Fair-Synergy"]),
        (["drf", "all"], ["DRF", "Fair-Synergy", "Random", "Uniform", "NUM", "Leximin"]),
    ],
)
def test_rules_are_chosen_by_name_in_any_case(capsys, fleet_a, asked, found):
    assert list(solved(capsys, fleet_a, CPU, "--policy", *asked)["rules"]) == found


def test_rules_may_be_asked_for_one_by_one(capsys, fleet_a):
    assert list(solved(capsys, "--policy=num", "--policy=drf", fleet_a, CPU)["rules"]) == ["NUM", "DRF"]


def test_uniform_is_the_reference_even_when_it_is_not_asked_for(capsys, fleet_a):
    assert main(["solve", fleet_a, CPU, "--policy", "num"]) == 0
    out = capsys.readouterr().out
    assert "+1.0 %" in out
    assert "\n Uniform" not in out


def test_a_rule_that_cannot_solve_the_fleet_is_refused_by_name_beside_the_others(capsys, tmp_path):
    path = tmp_path / "three.csv"
    path.write_text("a,gamma_a,b,gamma_b,c,gamma_c\n1,.2,1,.2,1,.2\n")
    capacity = [f"--capacity={name}=1" for name in "abc"]
    document = solved(capsys, str(path), *capacity)
    assert list(document["refused"]) == ["Leximin"]
    assert "one or two resources, got 3" in document["refused"]["Leximin"]
    assert len(document["rules"]) == 5
    assert main(["solve", str(path), *capacity]) == 0
    assert "Leximin refused: Leximin handles one or two resources" in capsys.readouterr().out
    assert "one or two resources" in refused(capsys, "solve", str(path), *capacity, "--policy=leximin")


def test_utilities_above_one_are_called_out(capsys, fleet_a):
    main(["solve", fleet_a, "--capacity=compute=50"])
    assert "exceed 1" in capsys.readouterr().out
    main(["solve", fleet_a, "--capacity=compute=50", "--saturation=1"])
    assert "exceed 1" not in capsys.readouterr().out


def test_saturation_at_one_unit_is_advised_only_where_it_leaves_nothing_unspent(capsys, tmp_path):
    path = tmp_path / "gpus.csv"
    for own, capacity, advised in (("0.1", 1.5, True), ("40", 6216, False), ("0", 6216, False)):
        path.write_text(f"gpu,gamma_gpu\n{own},0.5\n{own},0.3\n")
        assert main(["solve", str(path), f"--capacity=gpu={capacity}"]) == 0
        out = capsys.readouterr().out
        assert ("--saturation 1 keeps them below" in out) is advised
        assert ("count each in units of which 1 is enough for a task" in out) is not advised


def test_amounts_that_may_be_read_either_way_are_read_as_the_option_says(capsys, tmp_path):
    path = tmp_path / "grouped.csv"
    path.write_text("gpu;gamma_gpu\n500;0,3\n1.000;0,6\n")
    arguments = ("solve", str(path), "--capacity=gpu=10", "--policy=uniform", "--json")
    assert "the option is --decimal point or --decimal comma" in refused(capsys, *arguments)
    assert main([*arguments, "--decimal=comma"]) == 0
    before = json.loads(capsys.readouterr().out)["utility_before"]
    assert before == pytest.approx([500**0.3, 1000**0.6])


def test_a_fleet_may_come_from_standard_input(capsys, monkeypatch):
    content = io.TextIOWrapper(io.BytesIO(write_json(fleet("a")).encode()))
    monkeypatch.setattr(sys, "stdin", content)
    document = solved(capsys, "-")
    assert document["fleet"] == "standard input"
    assert document["rules"]["NUM"]["mean"] == fs.allocate(fleet("a"), fs.NUM()).mean


def test_names_are_printed_as_they_are(capsys, tmp_path):
    path = tmp_path / "[red]fleet.csv"
    path.write_text("[b]x,gamma_[b]x\n0.1,0.5\n")
    assert main(["solve", str(path), "--capacity=[b]x=1"]) == 0
    assert "[red]fleet.csv: 1 agent; the cloud shares 1 unit of [b]x." in capsys.readouterr().out


# Presets


def test_presets_are_listed_with_sentence_and_source(capsys):
    assert main(["presets"]) == 0
    out = capsys.readouterr().out
    for preset in PRESETS.values():
        assert f"{preset.name} ({preset.problem.n} agents, {preset.setting.name})" in out
        assert preset.sentence in out
        assert f"Source: {preset.source}" in out


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_printed_as_a_file(capsys, name):
    problem = PRESETS[name].problem
    assert main(["presets", name.upper()]) == 0
    assert read_fleet(capsys.readouterr().out.encode()) == problem
    assert main(["presets", name, "--csv"]) == 0
    amounts = dict(zip(problem.resources, problem.capacity, strict=True))
    assert read_fleet(capsys.readouterr().out.encode(), capacity=amounts) == problem


# Help


def test_alone_it_prints_help(capsys):
    assert main([]) == 0
    out = capsys.readouterr().out
    assert out.startswith("usage: fairsynergy")
    assert "fairsynergy app" in out


@pytest.mark.parametrize("command", ["app", "solve", "presets", "reproduce", "sweep", "bench"])
def test_every_command_has_help(capsys, command):
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"usage: fairsynergy {command}" in capsys.readouterr().out


def test_the_help_of_solve_shows_a_fleet_that_it_solves(capsys, tmp_path):
    with pytest.raises(SystemExit):
        main(["solve", "--help"])
    text = capsys.readouterr().out
    table = [line.strip() for line in text.splitlines() if line.startswith(("  agent,", "  drone "))]
    path = tmp_path / "drones.csv"
    path.write_text("\n".join(table))
    assert "fairsynergy solve drones.csv --capacity compute=0.6 --saturation 1" in text
    assert main(["solve", str(path), "--capacity", "compute=0.6", "--saturation", "1"]) == 0


def test_the_version_is_the_packages(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"fairsynergy {version('fairsynergy')}\n"


# Refusals

WRONG: dict[str, tuple[list[str], str]] = {
    "no capacity": ([], "is missing for 'compute'; say how much the cloud can share; the option is --capacity"),
    "unknown capacity": ([CPU, "--capacity=gpu=1"], "names 'gpu', but the agents have only compute"),
    "capacity without a name": (["--capacity=0.46"], "must be NAME=AMOUNT, such as compute=0.46; got '0.46'"),
    "capacity of an empty name": (["--capacity==0.46"], "must be NAME=AMOUNT"),
    "capacity in words": (["--capacity=compute=much"], "must be NAME=AMOUNT"),
    "capacity twice": ([CPU, CPU], "--capacity gives 'compute' twice"),
    "negative capacity": (["--capacity=compute=-1"], "`capacity[0]` (compute) must be finite and >= 0, got -1.0"),
    "capacity NaN": (["--capacity=compute=nan"], "`capacity[0]` (compute) must be finite and >= 0, got nan"),
    "saturation of zero": ([CPU, "--saturation=0"], "must be > 0, got 0.0"),
    "saturation in words": ([CPU, "--saturation=some"], "must be a number such as 1, or none; got 'some'"),
    "unknown rule": ([CPU, "--policy=maxmin"], "there is no rule 'maxmin'; choose all, or any of Fair-Synergy,"),
    "negative alpha": ([CPU, "--policy=alpha=-1"], "alpha must be a number >= 0, or inf; got '-1'"),
    "alpha in words": ([CPU, "--policy=alpha=much"], "alpha must be a number >= 0, or inf; got 'much'"),
    "empty rule": ([CPU, "--policy="], "there is no rule ''"),
    "unknown option": ([CPU, "--capactiy=compute=1"], "unrecognized arguments"),
}


@pytest.mark.parametrize(("arguments", "words"), WRONG.values(), ids=list(WRONG))
def test_wrong_arguments_are_refused_in_words(capsys, fleet_a, arguments, words):
    message = refused(capsys, "solve", fleet_a, *arguments)
    assert words in message
    assert message.splitlines()[-1].startswith(("fairsynergy solve: ", "fairsynergy: "))


FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "bad.csv is empty"),
    "wrong header": (b"name,cpu\na,1\n", "bad.csv, row 1: column 'name'"),
    "text": (b"compute,gamma_compute\n0.1,0.5\nx,0.5\n", "bad.csv, row 3, column compute: must be a number"),
    "NaN": (b"compute,gamma_compute\nnan,0.5\n", "bad.csv, row 2, column compute: `endowment[0, 0]`"),
    "gamma": (b"compute,gamma_compute\n0.1,1.5\n", "bad.csv, row 2, column gamma_compute: `elasticity[0, 0]`"),
    "floor": (b"compute,gamma_compute,floor_compute\n0.1,0.5,1\n", "bad.csv, row 2, column floor_compute:"),
    "binary": (bytes(range(256)), "bad.csv, row"),
    "UTF-16 without its mark": ("compute,gamma_compute\n1,0.5\n".encode("utf-16-le"), "bad.csv, row 1"),
}


@pytest.mark.parametrize(("content", "words"), FILES.values(), ids=list(FILES))
def test_bad_files_are_refused_in_one_line(capsys, tmp_path, content, words):
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    message = refused(capsys, "solve", str(path), CPU)
    assert message.startswith(f"fairsynergy solve: {words}")
    assert message.count("\n") == 1


def test_a_file_that_cannot_be_read_is_named(capsys, tmp_path):
    absent = str(tmp_path / "absent.csv")
    assert refused(capsys, "solve", absent, CPU).startswith(f"fairsynergy solve: {absent} cannot be read: ")
    assert "cannot be read" in refused(capsys, "solve", str(tmp_path), CPU)


def test_an_unknown_preset_is_refused_with_the_known_ones(capsys):
    message = refused(capsys, "presets", "Fleet Z")
    assert "there is no preset 'Fleet Z'; choose one of Two drones," in message


def test_an_unknown_command_is_refused(capsys):
    assert "invalid choice: 'slove'" in refused(capsys, "slove")


# As a process


def test_a_pipe_from_presets_to_solve():
    preset = run("presets", "Fleet A")
    assert (preset.returncode, preset.stderr) == (0, b"")
    answer = run("solve", "-", "--json", input=preset.stdout)
    assert (answer.returncode, answer.stderr) == (0, b"")
    assert json.loads(answer.stdout)["rules"]["Fair-Synergy"]["status"] == "OPTIMAL"


def test_bad_input_ends_with_code_2_and_no_traceback():
    answer = run("solve", "-", CPU, input=b"compute,gamma_compute\n0.1,2\n")
    assert (answer.returncode, answer.stdout) == (2, b"")
    assert answer.stderr.startswith(b"fairsynergy solve: standard input, row 2, column gamma_compute: ")
    assert answer.stderr.count(b"\n") == 1


def test_solve_loads_neither_the_dashboard_nor_the_referee(fleet_a):
    code = (
        "import sys; from fairsynergy.cli import main; main(sys.argv[1:]); "
        "sys.exit(' '.join({'streamlit', 'plotly', 'altair', 'cvxpy', 'pandas'} & set(sys.modules)) or None)"
    )
    command = [sys.executable, "-c", code, "solve", fleet_a, CPU]
    loaded = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (loaded.returncode, loaded.stderr) == (0, "")


def test_names_beyond_the_terminals_alphabet_are_spelled_out(tmp_path):
    path = tmp_path / "fleet.csv"
    path.write_text("λ,gamma_λ\n0.1,0.5\n", encoding="utf-8")
    for arguments in (["--capacity", "λ=1"], ["--capacity", "μ=1"]):
        answer = run("solve", str(path), *arguments, env={**os.environ, "PYTHONIOENCODING": "ascii"})
        assert rb"\u03bb" in answer.stdout + answer.stderr
        assert b"Traceback" not in answer.stderr


@pytest.mark.parametrize("arguments", [["solve", "-", "--json"], ["solve", "-"], ["presets"], ["presets", "Fleet A"]])
def test_a_reader_that_goes_away_is_no_error(arguments, tmp_path):
    path = tmp_path / "fleet.json"
    path.write_text(write_json(PRESETS["A hundred agents"].problem), encoding="utf-8")
    command = [sys.executable, "-m", "fairsynergy.cli", *arguments]
    with path.open("rb") as content:
        process = subprocess.Popen(command, stdin=content, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        message = process.stderr.read()
        process.stderr.close()
    assert (process.wait(60), message) == (1, b"")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_a_stop_by_the_keyboard_is_quiet():
    # The tests may be a shell's background job, which ignores SIGINT.
    heard = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    code = "from fairsynergy.cli import main; print('ready', flush=True); sys.exit(main(['solve', '-']))"
    command = [sys.executable, "-c", heard + code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(0.5)  # it now waits for its standard input
        process.send_signal(signal.SIGINT)
        assert (process.wait(60), process.stderr.read()) == (130, b"")


def test_app_hands_its_options_to_the_launcher(monkeypatch):
    from fairsynergy.ui import launch

    asked: dict[str, Any] = {}
    monkeypatch.setattr(launch, "launch", lambda **options: asked.update(options))
    assert main(["app"]) == 0
    assert asked == {"port": None, "address": "127.0.0.1", "headless": False}
    assert main(["app", "--port", "8600", "--address", "0.0.0.0", "--headless"]) == 0
    assert asked == {"port": 8600, "address": "0.0.0.0", "headless": True}


def test_app_refuses_a_port_in_words(capsys):
    assert "--port" in refused(capsys, "app", "--port", "http")
    assert "65535" in refused(capsys, "app", "--port", "99999", "--headless")
