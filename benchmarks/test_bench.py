"""`fairsynergy bench`: the table and its file, bad input, and peers that solve the same problems as the rules."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import fairsynergy as fs
from benchmarks import peers, table
from benchmarks.row import Row, fastest
from fairsynergy.cli import main
from fairsynergy.policies import reference

GOOD = Row("a row with a | in it", "1.0 ms", "30.0 ms", "30 x", "at least 20", True)
BELOW = Row("  and one that belongs to it", "2.0 ms", "", "", "", True)
BAD = Row("a goal that is not reached", "3 ms", "1 ms", "0.3 x", "at least 1", False)


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Row]]:
    """Rows that each part has instead of its own, which take minutes."""
    rows: dict[str, list[Row]] = {part: [GOOD, BELOW] for part in table.PARTS}
    for part in table.PARTS:
        stand_in = SimpleNamespace(__doc__=f"What {part} measures.", rows=lambda part=part: iter(rows[part]))
        monkeypatch.setitem(sys.modules, f"benchmarks.{part}", stand_in)
    return rows


@pytest.fixture(autouse=True)
def record(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Stands for docs/BENCHMARKS.md, which no test may touch."""
    path = tmp_path / "docs" / "BENCHMARKS.md"
    path.parent.mkdir()
    monkeypatch.setattr(table, "RECORD", path)
    return path


# The file.


def cells(line: str) -> list[str]:
    """Of a row of a Markdown table; a bar after a backslash is text."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_a_run_leaves_a_document_with_a_table_per_part(parts, record, capsys):
    assert main(["bench"]) == 0
    text = record.read_text(encoding="utf-8")
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    parts_in_order = ["Engine", "Fairness", "Planning", "Collaborative", "Experiments", "Peers", "Optimum"]
    assert headings == ["The machine", "How to read a row", *parts_in_order]
    for section in text.split("\n## ")[3:]:
        lines = [line for line in section.splitlines() if line.startswith("|")]
        assert [len(cells(line)) for line in lines] == [6] * 4
        assert cells(lines[0]) == ["measured", "ours", "peer or floor", "found", "goal", "reached?"]
        assert set(cells(lines[1])) == {"---"}
        assert cells(lines[2]) == [r"a row with a \| in it", *GOOD[1:5], "reached"]
        assert cells(lines[3]) == ["– and one that belongs to it", "2.0 ms", "", "", "", ""]
    assert "What peers measures.\n\n| measured |" in text
    assert "Every goal was reached." in text
    assert f"Written to {record}." in capsys.readouterr().out.replace("\n", "")


def test_the_machine_is_described(parts, record):
    main(["bench"])
    section = record.read_text(encoding="utf-8").split("## The machine")[1].split("##")[0]
    found = dict(line[2:].split(": ", 1) for line in section.strip().splitlines())
    assert list(found) == list(table.machine())
    assert found["Python"].endswith(".".join(map(str, sys.version_info[:3])))
    assert f"numpy {np.__version__}" in found["Libraries"]
    for name in ("fairsynergy", "scipy", "cvxpy", "clarabel", "scs"):
        assert re.search(rf"\b{name} \d", found["Libraries"])
    assert re.fullmatch(r"\d+( of \d+)?", found["Cores"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", found["Date"])
    assert all(found.values())


@pytest.mark.skipif(not hasattr(table.os, "getloadavg"), reason="Windows tells no load")
@pytest.mark.parametrize(("load", "busy"), [(0.0, False), (64.0, True)])
def test_a_busy_machine_is_called_out(monkeypatch, load, busy):
    monkeypatch.setattr(table.os, "getloadavg", lambda: (load, load, load))
    assert ("the machine was busy" in table.machine()["Load at the start"]) == busy


def test_a_missed_goal_is_marked_and_ends_with_1(parts, record, capsys):
    parts["peers"] = [GOOD, BAD]
    assert main(["bench"]) == 1
    text, out = record.read_text(encoding="utf-8"), capsys.readouterr().out
    assert "| a goal that is not reached | 3 ms | 1 ms | 0.3 x | at least 1 | **MISSED** |" in text
    assert "1 goal MISSED." in text
    assert "1 goal MISSED." in out


def test_rows_are_printed_as_they_are_measured(parts, monkeypatch, capsys):
    printed = []

    def rows() -> Iterator[Row]:
        yield GOOD
        printed.append(capsys.readouterr().out)
        yield BAD

    monkeypatch.setattr(sys.modules["benchmarks.engine"], "rows", rows)
    assert main(["bench", "engine"]) == 1
    assert "a row with a | in it" in printed[0]
    assert "MISSED" in capsys.readouterr().out


def test_some_parts_alone_leave_the_record_as_it_is(parts, record, capsys, tmp_path):
    record.write_text("kept")
    assert main(["bench", "engine", "engine"]) == 0
    assert record.read_text() == "kept"
    assert "--out FILE" in capsys.readouterr().out
    out = tmp_path / "engine.md"
    assert main(["bench", "engine", "--out", str(out)]) == 0
    assert out.read_text(encoding="utf-8").count("What engine measures.") == 1
    assert main(["bench", *table.PARTS]) == 0
    assert "## Dashboard" in record.read_text(encoding="utf-8")


# Bad input.


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["bench", *arguments]) == 2
    out, message = capsys.readouterr()
    assert out == ""
    assert message.startswith("fairsynergy bench: ")
    assert message.count("\n") == 1
    return message


def test_an_unknown_part_is_refused_before_anything_is_measured(parts, record, capsys):
    parts["engine"] = [BAD]
    message = refused(capsys, "engine", "speed")
    assert "there is no part 'speed'; choose any of engine, fairness, planning, collaborative, experiments," in message
    assert not record.exists()


def test_a_file_that_cannot_be_written_is_refused_before_anything_is_measured(parts, tmp_path, capsys):
    parts["engine"] = [BAD]
    assert "is a directory" in refused(capsys, "engine", "--out", str(tmp_path)).lower()
    absent = tmp_path / "absent" / "table.md"
    assert f"{absent} cannot be written: " in refused(capsys, "engine", "--out", str(absent))
    assert not absent.parent.exists()


def test_a_part_that_fails_overwrites_nothing(parts, monkeypatch, tmp_path, capsys):
    out, fresh = tmp_path / "table.md", tmp_path / "fresh.md"
    out.write_text("kept")

    def rows() -> Iterator[Row]:
        yield GOOD
        raise fs.FairSynergyError("no browser")

    monkeypatch.setattr(sys.modules["benchmarks.dashboard"], "rows", rows)
    for path in (out, fresh):
        assert main(["bench", "dashboard", "--out", str(path)]) == 2
        assert capsys.readouterr().err == "fairsynergy bench: no browser\n"
    assert out.read_text() == "kept"
    assert not fresh.exists()


def test_what_a_part_needs_is_named_when_it_is_not_installed(monkeypatch, capsys):
    monkeypatch.delitem(sys.modules, "benchmarks.peers")
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    message = refused(capsys, "peers")
    assert "the part peers needs threadpoolctl, which is not installed" in message


def test_without_the_repository_one_line_says_so(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "benchmarks", None)
    assert "run make bench in a checkout" in refused(capsys)


# Peers. This is about what they find, not about time.


# How far below our objective a peer may end, relatively. Clarabel stops at residuals of 1e-8, SCS at 1e-5, SLSQP where
# the objective moves by less than 1e-9; trust-constr looks at marginals, and the objective follows from afar.
TOLERANCES = {"CVXPY + Clarabel": 1e-7, "CVXPY + SCS": 3e-5, "SLSQP": 1e-7, "trust-constr": 1e-5}


@pytest.mark.parametrize("peer", peers.PEERS)
@pytest.mark.parametrize(("policy", "m"), peers.RULES, ids=lambda each: getattr(each, "label", each))
def test_peers_solve_what_the_rule_maximises(policy: fs.Policy, m: int, peer: str) -> None:
    problem = peers.drawn(5, m)
    found = peers.PEERS[peer](problem, policy)
    assert found.ending == ""
    assert found.grant is not None
    assert found.grant.shape == (5, m)
    assert -TOLERANCES[peer] <= peers.advantage(problem, policy, found.grant) <= peers.WORSE


@pytest.mark.parametrize(("policy", "m"), peers.RULES, ids=lambda each: getattr(each, "label", each))
def test_scipy_is_given_exact_derivatives(policy: fs.Policy, m: int) -> None:
    problem, step = peers.drawn(3, m), 1e-6
    price = np.arange(1.0, 4.0)
    dense, stated = (peers._stated(problem, policy, sparsely=sparsely) for sparsely in (False, True))
    point = stated.start + np.linspace(0, 0.1, stated.start.size)
    moves = step * np.eye(point.size)

    def slopes(function) -> np.ndarray:
        return np.array([(function(point + move) - function(point - move)) / (2 * step) for move in moves])

    np.testing.assert_allclose(stated.value(point)[1], slopes(lambda at: stated.value(at)[0]), atol=1e-8)
    np.testing.assert_allclose(stated.hessian(point).toarray(), slopes(lambda at: stated.value(at)[1]), atol=1e-8)
    for of_slsqp, limit in zip(dense.limits, stated.limits, strict=True):
        if limit is stated.limits[0]:  # the capacities
            np.testing.assert_array_equal(of_slsqp.A, limit.A.toarray())
            np.testing.assert_allclose(limit.A @ stated.start, problem.capacity)
            continue
        np.testing.assert_allclose(limit.jac(point).toarray(), slopes(limit.fun).T, atol=1e-8)
        np.testing.assert_array_equal(of_slsqp.jac(point), limit.jac(point).toarray())
        bend = slopes(lambda at, limit=limit: limit.jac(at).toarray().T @ price)
        np.testing.assert_allclose(limit.hess(point, price).toarray(), bend, atol=1e-6)


def test_nobody_wins_by_overspending() -> None:
    problem = peers.drawn(4, 2)
    grant = np.array([[-1e-3, 9.0], [1.0, 1.0], [0.5, 0.0], [0.1, 0.2]])
    mended = peers.within_limits(problem, grant)
    assert (mended >= 0).all()
    assert (mended.sum(axis=0) <= problem.capacity * (1 + 1e-15)).all()
    best = fs.allocate(problem, fs.FairSynergy()).grant
    assert peers.advantage(problem, fs.FairSynergy(), 2 * best) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("answer", "words", "reached"),
    [
        (peers.Answer(np.full((5, 1), 0.5), "", 0.001), "lower", True),
        (peers.Answer(np.full((5, 1), 0.5), "stopped after 5 s", None), "did not converge (stopped after 5 s)", True),
        (peers.Answer(None, "failed", None), "did not converge (failed)", True),
    ],
)
def test_a_row_says_what_the_peer_reached(monkeypatch, answer, words, reached):
    monkeypatch.setitem(peers.PEERS, "other", lambda problem, policy: answer)
    row = peers.compared(peers.drawn(5, 1), fs.FairSynergy(), "other")
    assert words in row.found
    assert ("(solver 1 ms)" in row.peer) == (answer.inside is not None)
    assert row.reached == reached
    assert row.what == "Fair-Synergy, one resource, n = 5: other"


def test_a_better_peer_is_a_missed_goal(monkeypatch):
    problem, policy = peers.drawn(5, 1), fs.FairSynergy()
    best = fs.allocate(problem, policy).grant
    monkeypatch.setattr(fs, "allocate", lambda problem, policy: SimpleNamespace(grant=0.999 * best))
    monkeypatch.setitem(peers.PEERS, "other", lambda problem, policy: peers.Answer(best, "", None))
    row = peers.compared(problem, policy, "other")
    assert "higher" in row.found
    assert row.verdict == "MISSED"


def test_a_peer_that_runs_out_of_time_is_stopped(monkeypatch):
    monkeypatch.setattr(peers, "PATIENCE", 0.0)
    problem = peers.drawn(5, 2)
    for peer in (peers.slsqp, peers.trust_constr):
        found = peer(problem, fs.FairSynergy())
        assert found.ending == peers.STOPPED
        assert reference.score(problem, fs.FairSynergy(), found.grant) > 0


def test_sizes_that_take_too_long_are_rows_too(monkeypatch):
    monkeypatch.setattr(peers, "SIZES", (2,))
    monkeypatch.setattr(peers, "MOST_AGENTS", dict.fromkeys(peers.PEERS, 1))
    rows = list(peers.rows())
    assert len(rows) == len(peers.RULES) * len(peers.PEERS)
    assert {(row.found, row.verdict) for row in rows} == {("left out: takes more than 10 s", "")}


def test_turns_are_taken_by_all() -> None:
    called = []
    times = fastest(lambda: called.append("a"), lambda: called.append("b"), repeats=2)
    assert len(times) == 2
    assert re.fullmatch("a+b+a+b+", "".join(called))
