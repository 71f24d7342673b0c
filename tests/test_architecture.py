"""Who may import whom: the order of the layers, the one place of each outside library, benchmarks beside tests."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "fairsynergy"

# Each layer may import those before it, and itself when it is a folder. "fairsynergy" is the package's own
# __init__, the public names.
LAYERS = (
    {"errors"},
    {"laws"},
    {"problem"},
    {"kernel"},
    {"policies"},
    {"allocation"},
    {"analysis"},
    {"words"},
    {"fleets"},
    {"curves", "lessons", "collaborative"},
    {"fairsynergy"},
    {"experiments"},
    {"charts"},
    {"ui"},
    {"cli", "pages"},
    {"app"},
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}

# Where each library may be imported; one that is missing here is not a dependency of ours.
HOMES = {
    "numpy": RANK.keys() - {"pages", "app"},
    "scipy": RANK.keys() - {"pages", "app"},
    "highspy": {"kernel"},
    "pandas": {"experiments", "charts", "ui", "cli", "pages"},
    "cvxpy": {"policies"},
    "altair": {"charts"},
    "jinja2": {"charts"},
    "xlsxwriter": {"fleets"},
    "vl_convert": {"charts"},
    "streamlit": {"ui", "pages", "app"},
    "starlette": {"ui"},
    "rich": {"cli"},
    "joblib": {"experiments"},
    "pyarrow": {"experiments"},
    "threadpoolctl": {"experiments", "ui", "curves"},
    "sklearn": {"curves"},
    "pettingzoo": {"collaborative"},
    "gymnasium": {"collaborative"},
    "safetensors": {"collaborative"},
    "torch": {"collaborative", "experiments"},
    "distributed": {"experiments"},
    "benchmarks": {"cli"},  # at the top of a checkout, and in no wheel
}


def layer_of(path: Path) -> str:
    """errors.py → errors, policies/num.py → policies, pages/explore.py → pages, __init__.py → fairsynergy."""
    parts = path.relative_to(PACKAGE if path.is_relative_to(PACKAGE) else ROOT).with_suffix("").parts
    return "fairsynergy" if parts == ("__init__",) else parts[0]


def imports(source: str) -> list[str]:
    """Every module that the source imports, wherever it does; names taken from a module count as modules."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level:
            found.append("." * node.level + (node.module or ""))
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


def complaints(layer: str, source: str) -> list[str]:
    """What is wrong with the imports of a source that belongs to the layer."""
    found = []
    for name in imports(source):
        top, *rest = name.split(".")
        if not top:
            found.append(f"{name} is relative; write it from fairsynergy on")
        elif top == "fairsynergy":
            target = rest[0] if rest and rest[0] in RANK else "fairsynergy"
            if target != layer and RANK[target] >= RANK[layer]:
                found.append(f"{layer} imports {target}, which stands beside or above it")
        elif top not in sys.stdlib_module_names and layer not in HOMES.get(top, ()):
            homes = ", ".join(sorted(HOMES.get(top, ()))) or "no layer"
            found.append(f"{layer} imports {top}, which belongs to {homes}")
    return found


def sources() -> list[Path]:
    files = [*PACKAGE.rglob("*.py"), *(ROOT / "pages").glob("*.py"), ROOT / "app.py"]
    return sorted(path for path in files if path.is_file())


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_follow_the_layers(path):
    layer = layer_of(path)
    assert layer in RANK, f"give {layer} its place in LAYERS"
    assert complaints(layer, path.read_text(encoding="utf-8")) == []


def test_the_walk_sees_the_package():
    assert {layer_of(path) for path in sources()} == RANK.keys()


@pytest.mark.parametrize(
    ("layer", "source"),
    [
        ("errors", "import fairsynergy.problem"),
        ("problem", "from fairsynergy.allocation import allocate"),
        ("policies", "from fairsynergy import words"),
        ("policies", "from fairsynergy import Problem"),
        ("policies", "import pandas as pd"),
        ("analysis", "from fairsynergy.fleets.drawn import preset"),
        ("allocation", "def f():\n    import cvxpy"),
        ("fleets", "from plotly import graph_objects"),
        ("experiments", "import streamlit as st"),
        ("ui", "import altair as alt"),
        ("pages", "import numpy as np"),
        ("charts", "import matplotlib.pyplot as plt"),
        ("policies", "from .num import NUM"),
    ],
)
def test_a_wrong_import_is_noticed(layer, source):
    assert len(complaints(layer, source)) == 1


@pytest.mark.parametrize(
    ("layer", "source"),
    [
        ("policies", "from fairsynergy.policies._policy import Policy\nimport scipy.optimize"),
        ("policies", "import cvxpy as cp\nfrom fairsynergy.kernel import Fleets"),
        ("ui", "import streamlit as st\nimport fairsynergy as fs\nfrom fairsynergy import charts"),
        ("app", "from fairsynergy.ui import frame"),
    ],
)
def test_a_right_import_is_accepted(layer, source):
    assert complaints(layer, source) == []


TESTS, BENCHMARKS = ROOT / "tests", ROOT / "benchmarks"
# By these names tests import one another's helpers: `tests` itself, and what is in it, which is on pytest's path.
OURS = {"tests", *(path.stem for path in (*TESTS.glob("*.py"), *TESTS.glob("*/*.py"))), "hypothesis", "pytest"}


def top_names(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imports(path.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("path", sorted(BENCHMARKS.glob("*.py")), ids=lambda path: path.name)
def test_whoever_measures_needs_nothing_of_the_tests(path):
    """`fairsynergy bench` runs where the libraries of the tests are not installed."""
    allowed = {"pytest"} if path.name == "test_bench.py" else set()
    assert top_names(path) & OURS <= allowed


@pytest.mark.parametrize("path", sorted(TESTS.rglob("*.py")), ids=lambda path: str(path.relative_to(TESTS)))
def test_tests_need_nothing_of_the_benchmarks(path):
    assert "benchmarks" not in top_names(path)


def test_importing_the_package_loads_no_interface():
    """A notebook or a worker that only allocates does not pay for the dashboard or the referee."""
    heavy = {"streamlit", "plotly", "altair", "cvxpy", "sklearn", "pettingzoo", "gymnasium", "torch"}
    code = f"import sys, fairsynergy; print(*sorted({heavy!r} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []
