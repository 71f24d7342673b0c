"""A scenario copied as Python: the script runs, and prints the same numbers to the last digit."""

from __future__ import annotations

import ast
import io
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from strategies import NAMED, problems

import fairsynergy as fs
from fairsynergy.fleets import PRESETS, FleetSpec, Setting
from fairsynergy.fleets.script import FEW, python
from fairsynergy.fleets.tray import Scenario

SPEC = FleetSpec(agents=12, setting=Setting.DL, gamma_compute=(0.2, 0.7), saturation=None, seed=3)
DRAWN = SPEC.problem()
FLEET_B = PRESETS["Fleet B"].problem


def edited(problem: fs.Problem, name: str, *entries: tuple[Any, float]) -> fs.Problem:
    values = np.array(getattr(problem, name))
    for place, value in entries:
        values[place] = value
    return replace(problem, **{name: values})


LOCKED = edited(edited(DRAWN, "floor", ((3, 0), 0.2)), "ceiling", ((3, 0), 0.2), ((5, 1), 0.1 + 0.2))
SCENARIOS = {
    "drawn": Scenario("drawn", DRAWN, base=SPEC),
    "drawn plainly": Scenario("plain", FleetSpec().problem(), base=FleetSpec()),
    "locked": Scenario("locked", LOCKED, base=SPEC),
    "weights": Scenario("weights", edited(DRAWN, "weight", (2, 1 / 3)), "Nash", base=SPEC),
    "every weight": Scenario("weights", replace(DRAWN, weight=np.linspace(0.1, 3, 12)), "Leximin", base=SPEC),
    "saturation": Scenario("saturated", replace(DRAWN, saturation=[0.7, np.inf]), "NUM", base=SPEC),
    "saturation, one by one": Scenario("some", edited(DRAWN, "saturation", ((1, 1), 0.4)), base=SPEC),
    "capacity": Scenario("more", replace(DRAWN, capacity=[1 / 3, 7]), "DRF", base=SPEC),
    "elasticities": Scenario("fitted", edited(DRAWN, "elasticity", ((0, 0), 0.123456789012345678)), base=SPEC),
    "renamed": Scenario("renamed", replace(DRAWN, agents=[f"drone {i}" for i in range(12)]), base=SPEC),
    "preset": Scenario("as published", FLEET_B, "Random", base="Fleet B"),
    "preset, locked": Scenario("B", edited(FLEET_B, "floor", ((0, 1), 0.25)), "alpha=2", base="Fleet B"),
    "one left out": Scenario(
        "without the last",
        fs.Problem(endowment=DRAWN.endowment[:11], capacity=DRAWN.capacity, elasticity=DRAWN.elasticity[:11]),
        base=SPEC,
    ),
    "given": Scenario("by hand", DRAWN, "my split", given=np.full((12, 2), 0.1), base=SPEC),
    "given, uneven": Scenario("by hand", FLEET_B, "a \"b\" 'c'", given=FLEET_B.endowment / 3),
    "one resource": Scenario("RTI", PRESETS["Fleet A"].problem, "alpha=inf"),
    "passes": Scenario("released", FLEET_B, "fair-synergy passes=1"),
    "converged": Scenario("converged", FLEET_B, "fair-synergy passes=inf", base="Fleet B"),
    "certified": Scenario("proved", FLEET_B, "certified-optimum", base="Fleet B"),
}


def run(script: str) -> tuple[fs.Allocation, list[str]]:
    """The allocation that a script makes, and what it prints."""
    names: dict[str, Any] = {}
    with redirect_stdout(io.StringIO()) as printed:
        exec(compile(script, "snippet", "exec"), names)
    return names["allocation"], printed.getvalue().splitlines()


def same(scenario: Scenario) -> None:
    """The script's problem and numbers are the scenario's own."""
    expected = fs.allocate(scenario.problem, scenario.policy)
    found, printed = run(python(scenario))
    assert found.problem == scenario.problem
    assert found.policy == scenario.policy
    np.testing.assert_array_equal(found.grant, expected.grant)
    values = [expected.mean, expected.worst, expected.best]
    assert printed[:1] == [scenario.name]
    lines = 4 + expected.problem.weighted
    assert printed[1 : 1 + lines] == [
        *[f"weighted mean {expected.weighted_mean!r}"] * expected.problem.weighted,
        *(f"{name} {value!r}" for name, value in zip(("mean", "worst", "best"), values, strict=True)),
        f"status {expected.status.name}",
    ]


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=list(SCENARIOS))
def test_a_script_gives_the_same_numbers(scenario):
    same(scenario)


@pytest.mark.parametrize("problem", NAMED.values(), ids=list(NAMED))
def test_a_named_fleet_is_rebuilt_from_its_numbers(problem):
    same(Scenario("by its numbers", problem, "Uniform"))


@given(problems(resources=(1, 2, 3)))
def test_any_fleet_is_rebuilt_to_the_last_digit(problem):
    assert run(python(Scenario("any", problem, "Uniform")))[0].problem == problem


def test_a_script_prints_in_a_process_of_its_own():
    scenario = SCENARIOS["locked"]
    done = subprocess.run([sys.executable, "-c", python(scenario)], capture_output=True, text=True, check=True)
    expected = fs.allocate(scenario.problem, scenario.policy)
    printed = done.stdout.splitlines()
    assert f"mean {expected.mean!r}" in printed[1:3]
    assert (printed[1] == f"weighted mean {expected.weighted_mean!r}") == expected.problem.weighted
    assert printed[5:] == [
        " ".join([name, *map(repr, grant)])
        for name, grant in zip(scenario.problem.agents, expected.grant.tolist(), strict=True)
    ]


def test_few_changes_are_told_one_by_one_and_many_as_a_whole():
    assert "floor[3, 0] = 0.2" in python(SCENARIOS["locked"])
    assert "elasticity=" not in python(SCENARIOS["locked"])
    assert len(python(SCENARIOS["locked"]).splitlines()) < 25
    many = Scenario("many", replace(DRAWN, endowment=DRAWN.endowment + 0.01), base=SPEC)
    assert DRAWN.n * DRAWN.m > FEW
    assert "endowment[" not in python(many)
    same(many)


HOSTILE = [
    'x"); import os; os.abort() #',
    "'''\"\"\"",
    "\\",
    "a\nimport os",
    "{name}",
    "half \ud800",
    "\N{RIGHT-TO-LEFT OVERRIDE}",
    "=1+1",
]


def test_a_name_is_never_more_than_a_name():
    fleet = fs.Problem(
        endowment=np.full((len(HOSTILE), 1), 0.1),
        capacity=1,
        elasticity=np.full(len(HOSTILE), 0.5),
        agents=HOSTILE,
        resources=["'); exit('"],
    )
    hostile = 'x"); raise SystemExit #'
    for scenario in (Scenario(hostile, fleet), Scenario(hostile, fleet, hostile, given=np.full(len(HOSTILE), 0.1))):
        script = python(scenario)
        calls = {ast.unparse(node.func) for node in ast.walk(ast.parse(script)) if isinstance(node, ast.Call)}
        assert calls <= {
            "fs.Problem",
            "fs.allocate",
            "fs.FairSynergy",
            "fs.Given",
            "print",
            "zip",
            "allocation.grant.tolist",
        }
        assert script.isascii() or script.encode()  # a file can hold it
        same(scenario)
