"""Without its optional extras the package is imported, its tests are collected, and whoever needs one is told which."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import extras
import pytest
from extras import EXTRAS

ROOT = Path(__file__).parents[1]
# Tests and doctests some of which need the extra, and whether others there run without it.
NEED = {
    "training": (["tests/training"], False),
    "marl": (["tests/test_environment.py", "fairsynergy/collaborative/_environment.py"], False),
    "cluster": (
        ["tests/test_sweeps.py", "-k=refuses_is_said or workers_of_a_cluster or cannot_work"],
        True,
    ),
    "measure": (["tests/test_measure.py", "tests/test_cli_curves.py"], True),
}
# What a user calls that needs the extra.
CALLS = {
    "training": "from fairsynergy.collaborative import RECIPES, _training; _training.train(RECIPES['iql'], seed=0)",
    "marl": "from fairsynergy.collaborative._environment import CollaborativeInference as C; C()",
    "cluster": "from fairsynergy.experiments import workers; workers.connect('tcp://localhost:8786')",
    "measure": "from fairsynergy.curves import digits; digits.measure()",
}


def pytested(folder: Path, extra: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A run of the tests that finds the extra nowhere; its exit code and output."""
    command = [sys.executable, "-m", "pytest", "--quiet", "-p", "no:cacheprovider", *arguments]
    environment = extras.hiding(folder, extra)
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_every_extra_that_the_package_names_is_one_of_these():
    named = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert set(EXTRAS) == set(named) - {"docs", "test", "dev"}


@pytest.mark.parametrize("extra", EXTRAS)
def test_everything_is_collected_without_the_extra(extra, tmp_path):
    done = pytested(tmp_path, extra, "--collect-only")
    assert done.returncode == 0, done.stdout[-2000:]
    assert re.search(r"^[\d,]+ tests collected", done.stdout.splitlines()[-1]), done.stdout[-200:]
    assert "tests/test_public_api.py" in done.stdout
    assert "fairsynergy.collaborative._learned" in done.stdout


@pytest.mark.parametrize("extra", EXTRAS)
def test_what_needs_the_extra_is_skipped_and_says_which_one(extra, tmp_path):
    where, some_run = NEED[extra]
    done = pytested(tmp_path, extra, *where)
    skipped = [line for line in done.stdout.splitlines() if line.startswith("SKIPPED")]
    assert skipped, done.stdout[-2000:]
    assert all(line.endswith(extras.without(extra)) for line in skipped)
    assert done.returncode == 0 or (not some_run and done.returncode == 5), done.stdout[
        -2000:
    ]  # 5: none was left to run
    assert (" passed" in done.stdout) is some_run


@pytest.mark.parametrize("extra", EXTRAS)
def test_a_call_that_needs_the_extra_says_what_to_install(extra, tmp_path):
    code = f"import sys, fairsynergy as fs\ntry:\n    {CALLS[extra]}\nexcept fs.FairSynergyError as e:\n    print(e)"
    command = [sys.executable, "-c", code]
    environment = extras.hiding(tmp_path, extra)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    library = EXTRAS[extra].library
    assert done.stderr == ""
    assert re.fullmatch(
        rf".* needs {library}, which is not installed: pip install 'fairsynergy\[{extra}\]'\n", done.stdout
    )


def test_train_without_pytorch_is_refused_in_one_line(tmp_path):
    command = [sys.executable, "-m", "fairsynergy.cli", "train", "--out", str(tmp_path / "weights")]
    environment = extras.hiding(tmp_path, "training")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("fairsynergy train: training needs PyTorch, which is not installed: pip install")
    assert done.stderr.count("\n") == 1


def test_a_module_that_is_hidden_is_not_found_and_others_are(tmp_path):
    """The tests above would hold for nothing if hiding hid nothing."""
    code = "from importlib.util import find_spec; print(find_spec('sklearn'), find_spec('numpy') is not None)"
    environment = extras.hiding(tmp_path, "measure")
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "None True\n"
