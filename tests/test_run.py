"""The last line of `make test`: what ran, what did not and why, and when that is a failure."""

from __future__ import annotations

import re
from pathlib import Path

import extras
import pytest
import run

ROOT = Path(__file__).parents[1]


@pytest.fixture
def rings(monkeypatch):
    """Rings of no work, on a machine that has everything; which commands were run."""
    did = []
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv(run.chromium.VARIABLE, "")
    monkeypatch.setattr(run.chromium, "find", lambda: "/usr/bin/chromium")
    monkeypatch.setattr(run.subprocess, "run", lambda command: did.append(command) or Done())
    lacking(monkeypatch)
    return did


class Done:
    returncode = 0


def lacking(monkeypatch, *names):
    """Of the extras, only these are missing."""
    absent = {module for name in names for module in extras.EXTRAS[name].modules}
    monkeypatch.setattr(extras, "find_spec", lambda module: None if module in absent else module)


def last(capsys):
    return capsys.readouterr().out.splitlines()[-1]


def test_where_everything_is_there_everything_runs(rings, capsys):
    assert run.main([]) == 0
    assert last(capsys) == "Passed; all of these ran: lint, types, unit, pages, browser, training."
    assert len(rings) == 7


@pytest.mark.parametrize("ci", ["", "true"])
def test_a_machine_without_pytorch_passes_and_says_what_did_not_run(rings, capsys, monkeypatch, ci):
    monkeypatch.setenv("CI", ci)
    lacking(monkeypatch, "training")
    assert run.main([]) == 0
    said = "Passed, but tests/training did NOT run: there is no PyTorch; to run it, make training, and then make test."
    assert last(capsys) == said
    assert len(rings) == 6


def test_a_ring_that_is_asked_for_by_name_has_to_run(rings, capsys, monkeypatch):
    lacking(monkeypatch, "training")
    assert run.main(["training"]) == 1
    assert "tests/training did NOT run" in last(capsys)
    lacking(monkeypatch)
    assert run.main(["training"]) == 0


@pytest.mark.parametrize("extra", ["marl", "cluster", "measure"])
def test_an_extra_that_is_missing_is_named_and_fails_only_where_the_readme_installs_it(
    rings, capsys, monkeypatch, extra
):
    lacking(monkeypatch, extra)
    assert run.main([]) == 0
    library = extras.EXTRAS[extra].library
    assert f"what needs {library} did NOT run: it is not installed; to run it, .venv/bin/python -m pip" in last(capsys)
    monkeypatch.setenv("CI", "true")
    assert run.main([]) == 1


def test_without_a_browser_ci_fails(rings, capsys, monkeypatch):
    monkeypatch.setattr(run.chromium, "find", lambda: None)
    monkeypatch.setattr(run.chromium, "install", lambda: None)
    assert run.main([]) == 0
    assert "tests/browser did NOT run" in last(capsys)
    monkeypatch.setenv("CI", "true")
    assert run.main([]) == 1


def test_a_ring_that_fails_is_named_whatever_else_is_missing(rings, capsys, monkeypatch):
    lacking(monkeypatch, "training")
    monkeypatch.setattr(Done, "returncode", 1)
    assert run.main([]) == 1
    assert last(capsys).startswith("FAILED: lint, types, unit, pages, browser, but tests/training did NOT run")


@pytest.mark.skipif(not (ROOT / ".ci" / "run").exists(), reason="continuous integration is in the repository only")
def test_ci_runs_make_test_in_the_readmes_environment_and_then_what_needs_pytorch():
    commands = re.findall(r"^(?:make|\.venv).*", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.MULTILINE)
    assert commands == ["make test", "make training", ".venv/bin/python tests/run.py training"]
