"""What the command line prints on terminals of 80 and 120 columns: nothing is cut, and everything is said."""

from __future__ import annotations

import re
import tomllib

import numpy as np
import pytest
from strategies import fleet

import fairsynergy as fs
from fairsynergy.cli import main
from fairsynergy.cli.terminal import Column, plain_console, print_beside
from fairsynergy.fleets import PRESETS, write_csv, write_json
from fairsynergy.words.phrases import badge

COLUMNS = [80, 120]
EVERY = ("--policy", "all", "nash", "certified-optimum", "alpha=2", "equal-income-market")
LONG = "the second forklift of the night shift in the cold store by the harbour"
LIMITED = fs.Problem(
    endowment=[0.1, 0.2, 0.05], capacity=0.6, elasticity=[0.3, 0.6, 0.5], weight=[9, 1, 1], floor=[0.0, 0.1, 0.05],
    ceiling=[0.2, np.inf, 0.25], saturation=1.0, agents=["alpha", LONG, "gamma"], resources=["compute"],
)  # fmt: skip


@pytest.fixture(params=COLUMNS)
def columns(request, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(request.param))
    return request.param


def solved(capsys, tmp_path, problem, *arguments):
    """The lines that solve prints about a fleet, none of which is too long, cut or hyphenated."""
    path = tmp_path / "fleet.json"
    path.write_text(write_json(problem), encoding="utf-8")
    return printed(capsys, "solve", str(path), *arguments)


def printed(capsys, *arguments):
    assert main(arguments) == 0
    out, message = capsys.readouterr()
    assert message == ""
    assert "…" not in out
    return out.splitlines()


def table(lines, first, number=0):
    """The rows of a table whose header line begins so, by their first cell, each as its other cells."""
    start = [i for i, line in enumerate(lines) if line.strip().startswith(f"{first}  ")][number]
    rows = {}
    for line in lines[start + 2 :]:
        cells = re.split(r"\s{2,}", line.strip())
        if (cells == [""] and "left over" in rows) or (cells == [""] and first == "rule"):
            break
        if len(cells) == 1 and cells != [""]:
            break
        if cells != [""]:
            rows[cells[0]] = cells[1:]
    return rows


@pytest.mark.parametrize("problem", [fleet("a"), fleet("b"), LIMITED, PRESETS["A hundred agents"].problem])
def test_no_line_is_longer_than_the_terminal_and_nothing_is_cut(capsys, tmp_path, columns, problem):
    lines = solved(capsys, tmp_path, problem, *EVERY)
    assert max(map(len, lines)) <= columns
    said = re.sub(r"\s+", " ", " ".join(lines))
    for policy in fs.POLICIES.values():
        assert badge(fs.allocate(problem, policy)) in said


def test_who_gets_what_is_printed_per_rule_with_what_is_left_over(capsys, tmp_path, columns):
    problem = fleet("b", saturation=1.0, capacity=[1.0, 20.0])
    lines = solved(capsys, tmp_path, problem)
    said = " ".join(lines)
    assert "Who gets what of the cloud's 1 unit of compute, on top of their own" in said
    assert "Who gets what of the cloud's 20 units of labels, on top of their own" in said
    answers = {name: fs.allocate(problem, policy) for name, policy in fs.POLICIES.items()}
    for k, decimals in ((0, 4), (1, 4)):
        rows = table(lines, "agent", k)
        assert list(rows) == [*problem.agents, "left over"]
        for i, agent in enumerate(problem.agents):
            cells = [float(cell) for cell in rows[agent]]
            assert cells[0] == pytest.approx(problem.endowment[i, k], abs=0.51 * 10**-decimals)
            grants = [answer.grant[i, k] for answer in answers.values()]
            assert cells[1:] == pytest.approx(grants, abs=0.51 * 10**-decimals)
        over = [float(cell.replace(",", "")) for cell in rows["left over"]]
        assert over == pytest.approx([answer.unspent[k] for answer in answers.values()], abs=1e-3)
    assert max(over) > 1, "a case in which something is left over"
    assert "units of labels stay unspent" in re.sub(r"\s+", " ", said)


def test_the_accuracy_that_each_agent_reaches_is_printed(capsys, tmp_path, columns):
    rows = table(solved(capsys, tmp_path, fleet("a")), "agent", 0)
    assert len(rows) == 11
    lines = solved(capsys, tmp_path, fleet("a"))
    start = lines.index("The accuracy that each agent then reaches:")
    text = "\n".join(lines[start:])
    for policy in fs.POLICIES.values():
        for value in fs.allocate(fleet("a"), policy).utility:
            assert f"{value:.4f}" in text


def test_weights_that_count_are_said_and_the_weighted_mean_is_shown(capsys, tmp_path, columns):
    lines = solved(capsys, tmp_path, LIMITED)
    said = " ".join(lines)
    assert "Agents do not count the same: their weights go from 1 to 9." in said
    assert "weighted mean: the average in which each agent counts by its weight" in said
    for policy in fs.POLICIES.values():
        answer = fs.allocate(LIMITED, policy)
        assert f"{answer.weighted_mean:.4f}" in said
        assert answer.weighted_mean != pytest.approx(answer.mean, abs=1e-4)
    equal = " ".join(solved(capsys, tmp_path, fleet("a")))
    assert "weight" not in equal


def test_floors_ceilings_and_saturation_are_shown_beside_the_grants(capsys, tmp_path, columns):
    said = " ".join(solved(capsys, tmp_path, LIMITED))
    for limit in ("limits", "≤ 0.2", "≥ 0.1", "0.05 to 0.25", "beyond a holding of 1 more adds nothing"):
        assert limit in re.sub(r"\s+", " ", said)
    assert "limits" not in " ".join(solved(capsys, tmp_path, fleet("a")))


def test_a_long_name_is_broken_into_lines_and_not_cut(capsys, tmp_path, columns):
    lines = solved(capsys, tmp_path, LIMITED, "--policy=num")
    assert re.sub(r"[^a-z]", "", LONG) in re.sub(r"[^a-z]", "", "".join(line.split("  ")[0] for line in lines))


def test_of_many_agents_ten_are_shown_and_how_to_see_the_others_is_said(capsys, tmp_path, columns):
    problem = PRESETS["A hundred agents"].problem
    said = " ".join(solved(capsys, tmp_path, problem, "--policy=num"))
    assert "90 more agents are not shown; --agents all shows everyone" in said
    assert " agent 10 " in said
    assert " agent 11 " not in said
    everyone = " ".join(solved(capsys, tmp_path, problem, "--policy=num", "--agents=all"))
    assert " agent 100 " in everyone
    assert "not shown" not in everyone
    assert "1 more agent is not shown" in " ".join(solved(capsys, tmp_path, problem, "--policy=num", "--agents=99"))
    assert "Who gets what" not in " ".join(solved(capsys, tmp_path, problem, "--policy=num", "--agents=0"))


@pytest.mark.parametrize("wrong", ["-1", "1.5", "many", "", "²"])
def test_a_wrong_number_of_agents_is_refused(capsys, tmp_path, wrong):
    path = tmp_path / "a.csv"
    path.write_text(write_csv(fleet("a")), encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["solve", str(path), "--capacity=compute=1", f"--agents={wrong}"])
    assert ended.value.code == 2
    assert "must be a whole number such as 20, or all" in capsys.readouterr().err


def test_amounts_are_written_in_digits_that_suit_their_size(capsys, tmp_path, columns):
    for scale, wanted in ((1e-9, r"\d\.\d\de-\d\d"), (1e9, r"\d\.\d\de\+\d\d"), (1e3, r"\d,?\d*\.\d")):
        problem = fs.Problem(endowment=np.array([0.1, 0.2]) * scale, capacity=0.6 * scale, elasticity=[0.3, 0.6])
        rows = table(solved(capsys, tmp_path, problem, "--policy=num"), "agent")
        assert all(re.match(wanted, cell) for cell in rows["agent 1"]), rows


def test_columns_that_do_not_fit_go_to_further_tables_that_begin_alike(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    right = [Column(f"rule {k}", ["1.0000", "2.0000"]) for k in range(9)]
    print_beside(plain_console(), [Column("agent", ["a", "b"], end=False)], right)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 40
    assert sum(line.startswith(" a ") for line in lines) > 1
    assert sum(line.count("1.0000") for line in lines) == 9


def test_names_of_curves_are_broken_between_words(capsys, columns):
    lines = printed(capsys, "fit")
    assert max(map(len, lines)) <= columns
    head = " ".join(line.strip() for line in lines[: lines.index(next(x for x in lines if "per cent more" in x))])
    words = {re.split(r"\s{2,}", line.strip())[0] for line in lines}
    assert "labelled examples" in words
    for name in ("Digits, logistic regression", "Digits, random forest:"):
        assert name in head
    assert ("best shape" in head) is (columns == 120)


COMMANDS = ["app", "solve", "presets", "report", "fit", "measure", "reproduce", "sweep", "bench", "train", "cities"]


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_help_is_broken_where_the_terminal_ends(capsys, columns, command):
    with pytest.raises(SystemExit) as ended:
        main(["--help"] if command is None else [command, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= columns
    if command is None:
        assert set(COMMANDS) <= set(re.findall(r"^    (\w+)", text, re.MULTILINE))


def test_the_configuration_in_the_help_of_sweep_can_be_copied(capsys, columns):
    """A comment that is broken into lines is a comment on each."""
    with pytest.raises(SystemExit):
        main(["sweep", "--help"])
    text = capsys.readouterr().out
    config = text[text.index("  setting") : text.index("DIR receives")]
    assert set(tomllib.loads(config)) == {"setting", "agents", "seeds", "rules", "fleet"}


def test_a_narrow_terminal_gets_narrow_lines_and_whole_numbers(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    assert max(map(len, printed(capsys, "presets"))) <= 40
    lines = solved(capsys, tmp_path, fleet("b"))
    assert max(map(len, lines)) <= 40
    assert sum(line.startswith(" Leximin ") for line in lines) > 1


FILES = {
    "huge.csv": "compute,gamma_compute,labels,gamma_labels\n1e300,0.9,1e300,0.9\n0,0.5,0,0.5\n",
    "one.csv": "agent,compute,gamma_compute\nx,0.1,0.5\ny,0.2,0.3\n",
    "flat.csv": "labels,accuracy\n1,.41\n3,.41\n7,.41\n",
    "rows.csv": "labels,accuracy\n400,.1013\n2500,.3875\n10000,.6101\n",
}
# Inputs at the ends of what a number holds, and what is said of them: in results, or in the one line of a refusal.
ENDS = {
    "holdings whose product is too large": (
        ["solve", "huge.csv", "--capacity=compute=1", "--capacity=labels=1"], "too large to be numbers; count the"
    ),
    "a cloud without end": (["solve", "one.csv", "--capacity=compute=1e308"], "too large to be numbers; count the"),
    "a cloud that some rules cannot multiply": (
        ["solve", "one.csv", "--capacity=compute=1e308", "--policy", "uniform", "equal-income-market"],
        "Uniform refused: its grants or accuracies are too large",
    ),
    "nothing to share": (["solve", "one.csv", "--capacity=compute=0"], "nothing to share"),
    "next to nothing": (["solve", "one.csv", "--capacity=compute=1e-300"], "1e-300 units of compute"),
    "a curve that does not vary": (["fit", "flat.csv"], "none"),
    "a unit next to nothing": (["fit", "rows.csv", "--unit=labels=1e-320"], "give a unit of a size like the amounts"),
    "a unit without end": (["fit", "rows.csv", "--unit=labels=1e308"], "rows"),
}  # fmt: skip


@pytest.mark.parametrize(("command", "said"), ENDS.values(), ids=ENDS)
def test_extreme_input_is_answered_or_refused_without_a_warning_or_a_nan(capsys, tmp_path, monkeypatch, command, said):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    for name, content in FILES.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    code = main(command)
    out, message = capsys.readouterr()
    assert code in (0, 2)
    assert (message == "") if code == 0 else (out == "" and message.count("\n") == 1)
    assert said in re.sub(r"\s+", " ", out + message)
    assert not re.search(r"\b(nan|inf)\b|\d{30}", out + message)
