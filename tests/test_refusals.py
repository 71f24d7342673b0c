"""Doing as a refusal says is accepted: every amount that a message names can be typed back."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fairsynergy as fs
from fairsynergy.analysis import planning as pl
from fairsynergy.analysis.fairness import Box
from fairsynergy.cli import main
from fairsynergy.collaborative import Edge
from fairsynergy.errors import typed
from fairsynergy.policies.reference import solve

NUMBER = r"([-+.\de]*\d)"
# Amounts whose sums have many digits, in many units.
CROWD = st.lists(st.floats(1e-3, 1e7), min_size=2, max_size=5)


def named(message: str, before: str) -> float:
    """The number that follows some words of a message."""
    found = re.search(before + NUMBER, message)
    assert found, message
    return float(found.group(1))


def refused(ask: Callable[[], object]) -> str:
    with pytest.raises(fs.ProblemError) as error:
        ask()
    return str(error.value)


def test_floors_that_exceed_a_capacity_are_named_to_the_last_digit():
    def fleet(capacity: float) -> fs.Problem:
        return fs.Problem(endowment=[0, 0], capacity=capacity, elasticity=[0.5, 0.5], floor=[1200000, 34564.9])

    message = refused(lambda: fleet(1234560))
    assert message.endswith("the floors need compute 1234564.9")
    fleet(named(message, "need compute "))


@given(CROWD)
def test_what_floors_and_locked_grants_need_is_accepted_as_capacity(amounts: list[float]):
    n = len(amounts)
    for ceiling in (np.inf, amounts):
        rows = {"endowment": [0] * n, "elasticity": [0.5] * n, "floor": amounts, "ceiling": ceiling}
        message = refused(lambda rows=rows: fs.Problem(capacity=sum(amounts) * (1 - 1e-9), **rows))
        fs.Problem(capacity=named(message, "need compute "), **rows)


@given(CROWD, st.sampled_from([0.3, 1.7, 7e-4]))
def test_what_floors_cost_is_accepted_as_budget(amounts: list[float], price: float):
    n = len(amounts)
    floor = np.stack([amounts, amounts[::-1]], axis=1)
    problem = fs.Problem(endowment=np.zeros((n, 2)), capacity=[1e9, 1e9], elasticity=np.full((n, 2), 0.4), floor=floor)
    short = float(floor.sum() * price) * (1 - 1e-7)
    message = refused(lambda: pl.best_split(problem, fs.Uniform(), short, [price, price], pl.Mean()))
    pl.best_split(problem, fs.Uniform(), named(message, "floors cost, "), [price, price], pl.Mean())
    message = refused(lambda: pl.outcome_grid(problem, fs.Uniform(), [0.0], [1e9], pl.Mean()))
    pl.outcome_grid(problem, fs.Uniform(), [named(message, "floors need, ")], [1e9], pl.Mean())


@given(st.lists(st.floats(0.01, 3), min_size=2, max_size=2))
def test_shares_divided_by_their_sum_are_accepted(shares: list[float]):
    problem = fs.Problem(endowment=[[0.1, 0.1]], capacity=[1, 1], elasticity=[[0.4, 0.4]])
    if abs(sum(shares) - 1) < 1e-8:
        return
    target = pl.Target(pl.Mean(), 0.9)
    message = refused(lambda: pl.least_budget(problem, fs.Uniform(), target, [1, 1], shares))
    pl.least_budget(problem, fs.Uniform(), target, [1, 1], np.array(shares) / named(message, "sum to 1, got "))


@pytest.mark.parametrize("rule", [fs.Uniform(), fs.FairSynergy(), fs.Leximin(), fs.NUM()], ids=lambda rule: rule.name)
@pytest.mark.parametrize("aim", [pl.Mean(), pl.Worst()], ids=["mean", "worst"])
def test_what_can_be_reached_is_accepted_as_target(rule: fs.Policy, aim: pl.Aim):
    problem = fs.Problem(
        endowment=[[0.1, 0.2], [0, 0.1]], capacity=[3, 0.1234567], elasticity=[[0.4, 0.3], [0.7, 0.2]], saturation=1.0
    )
    message = refused(lambda: pl.least_capacity(problem, rule, pl.Target(aim, 0.987654321), "compute"))
    assert "asks for 0.987654321," in message
    pl.least_capacity(problem, rule, pl.Target(aim, named(message, "reaches ")), "compute")


@given(st.floats(1e-6, 1e6), st.floats(1.001, 50))
def test_the_capacity_is_accepted_as_unit_and_what_the_floors_turn_into_as_capacity(capacity: float, times: float):
    problem = fs.Problem(endowment=[0, 0], capacity=capacity, elasticity=[0.5, 0.5])
    message = refused(lambda: fs.allocate(problem, fs.WholeUnits(fs.Uniform(), capacity * times)))
    fs.allocate(problem, fs.WholeUnits(fs.Uniform(), named(message, "at most the capacity ")))
    unit = capacity / 2
    promised = replace(problem, floor=[0.51 * capacity, 0.2 * capacity])
    message = refused(lambda: fs.allocate(promised, fs.WholeUnits(fs.Uniform(), unit)))
    enough = named(message, "into ") * named(message, "`unit` ")
    fs.allocate(replace(promised, capacity=enough), fs.WholeUnits(fs.Uniform(), unit))


def test_a_unit_that_fits_between_the_limits_it_names_is_accepted():
    problem = fs.Problem(endowment=[0], capacity=9, elasticity=[0.5], floor=1.23456789, ceiling=1.23456799)
    message = refused(lambda: fs.allocate(problem, fs.WholeUnits(fs.Uniform(), 1)))
    assert "the floor 1.23456789 and the ceiling 1.23456799" in message
    fs.allocate(problem, fs.WholeUnits(fs.Uniform(), named(message, "the floor ")))


def test_the_size_of_one_unit_is_accepted_as_the_next_share():
    problem = fs.Problem(endowment=[0, 0], capacity=8.64197523, elasticity=[0.5, 0.5], resources=["gpu"])
    allocation = fs.allocate(problem, fs.WholeUnits(fs.Uniform(), 1.23456789))
    message = refused(lambda: pl.next_share(allocation, size=0.5))
    assert "`size` of gpu" in message
    (share,) = pl.next_share(allocation, size=named(message, "one unit, "))
    assert share.receivers


def test_shares_above_the_whole_do_not_round_to_it():
    problem = fs.Problem(endowment=[0, 0], capacity=1, elasticity=[0.5, 0.5])
    message = refused(lambda: fs.Given.shares(problem, [0.5000001, 0.5]))
    over = named(message, "sum to ")
    assert over > 1
    fs.Given.shares(problem, np.array([0.5000001, 0.5]) / over)


def test_what_the_two_of_a_box_hold_and_can_use_differ_in_the_message_as_they_do():
    problem = fs.Problem(
        endowment=[[1.0000004, 0.1], [1, 0.1]], capacity=[0, 1], elasticity=[[0.5, 0.4]] * 2, saturation=1.0
    )
    allocation = fs.allocate(problem, fs.Uniform())
    message = refused(lambda: Box.of(allocation, agents=(0, 1)))
    assert named(message, " hold ") > named(message, "can use ")


def test_the_largest_sum_of_elasticities_for_the_referee_is_accepted():
    problem = fs.Problem(endowment=[[0.1, 0.1]], capacity=[1, 1], elasticity=[[0.9, 0.9]])
    rule = fs.AlphaFair(0.3)
    message = refused(lambda: solve(problem, rule))
    most = named(message, "add up to at most ")
    solve(replace(problem, elasticity=[[most / 2, most / 2]]), rule)


def test_the_largest_cost_of_a_device_is_accepted():
    message = refused(lambda: Edge(fixed=[1.0000004e100], falling=[1], multiprocessors=2))
    assert named(message, "got ") == 1.0000004e100
    Edge(fixed=[named(message, "between 0 and ")], falling=[1], multiprocessors=2)


def test_the_command_line_accepts_the_capacity_that_it_asks_for(tmp_path, capsys):
    table = tmp_path / "fleet.csv"
    table.write_text("agent,compute,gamma_compute,floor_compute\na,0,0.5,1200000\nb,0,0.5,34564.9\n", encoding="utf-8")
    assert main(["solve", str(table), "--capacity", "compute=1234560", "--policy", "uniform"]) == 2
    needed = named(capsys.readouterr().err.replace("\n", " "), "need compute ")
    assert main(["solve", str(table), "--capacity", f"compute={needed!r}", "--policy", "uniform"]) == 0


@given(st.floats(1e-12, 1e15))
def test_amounts_in_messages_are_the_numbers_they_name(amount: float):
    assert float(typed(amount)) == pytest.approx(amount, rel=1e-13)
    assert float(typed(sum([amount / 3] * 3))) == pytest.approx(amount, rel=1e-12)
