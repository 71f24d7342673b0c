"""A split by hand is judged like a rule."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from strategies import changed, fleet, problems

import fairsynergy as fs
from fairsynergy.problem import Array


@given(problem=problems())
def test_a_rule_s_grants_by_hand_are_worth_what_the_rule_s_are(problem: fs.Problem) -> None:
    rule = fs.allocate(problem, fs.Uniform())
    mine = fs.allocate(problem, fs.Given(rule.grant))
    np.testing.assert_array_equal(mine.grant, rule.grant)
    np.testing.assert_array_equal(mine.utility, rule.utility)
    assert mine.status is rule.status is fs.Status.FEASIBLE
    assert mine.gap == pytest.approx(rule.gap)


def test_the_bound_of_a_split_by_hand_holds() -> None:
    problem = fleet("a")
    mine = fs.allocate(problem, fs.Given(fs.allocate(problem, fs.Leximin()).grant))
    assert mine.price is None
    assert mine.upper_bound >= fs.allocate(problem, fs.FairSynergy()).total


def test_the_bound_belongs_to_the_problem_though_a_split_leaves_somebody_with_nothing() -> None:
    """At nothing a marginal is beyond any number, and so would be the bound that it gives."""
    problem = fs.Problem(endowment=[0, 0, 0], capacity=10, elasticity=[0.5] * 3)
    mine = fs.allocate(problem, fs.Given([0, 5, 5]))
    assert mine.upper_bound == pytest.approx(np.sqrt(30), rel=1e-12)
    assert mine.gap == pytest.approx(1 - np.sqrt(20 / 30), rel=1e-12)
    two = fs.Problem(endowment=np.zeros((3, 2)), capacity=[10, 10], elasticity=np.full((3, 2), 0.25))
    mine = fs.allocate(two, fs.Given([[0, 1], [5, 4], [5, 5]]))
    assert mine.upper_bound == pytest.approx(np.sqrt(30), rel=1e-12)


@pytest.mark.parametrize(
    "rule", [fs.Uniform(), fs.Leximin(), fs.Nash(), fs.Random(), fs.WholeUnits(fs.Uniform(), 0.01)]
)
def test_every_rule_has_the_same_bound_on_one_resource_for_it_belongs_to_the_problem(rule: fs.Policy) -> None:
    problem = fleet("a")
    best = fs.allocate(problem, fs.FairSynergy())
    found = fs.allocate(problem, rule)
    assert found.upper_bound == pytest.approx(best.total, rel=1e-12)
    assert found.gap == pytest.approx(1 - found.total / best.total, rel=1e-9)


@pytest.mark.parametrize(
    ("grant", "status"),
    [
        ([0.2, 0.3], fs.Status.FEASIBLE),
        ([0.1, 0.1], fs.Status.FEASIBLE),
        ([0.3, 0.3], fs.Status.FAILED),  # more than there is
        ([0.0, 0.3], fs.Status.FAILED),  # below a floor
        ([0.1, 0.4], fs.Status.FAILED),  # above a ceiling
    ],
)
def test_a_split_that_breaks_a_limit_fails_and_keeps_its_numbers(grant: list[float], status: fs.Status) -> None:
    problem = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.5, 0.3], floor=[0.1, 0], ceiling=[1, 0.35])
    mine = fs.allocate(problem, fs.Given(grant))
    assert mine.status is status
    np.testing.assert_array_equal(mine.grant.ravel(), grant)
    assert np.isfinite(mine.mean)


def test_shares_are_parts_of_each_capacity() -> None:
    problem = fleet("b")
    share = np.full((10, 2), 0.1)
    share[0] = 0.0
    mine = fs.allocate(problem, fs.Given.shares(problem, share, "equal but one"))
    assert mine.policy.label == "equal but one"
    np.testing.assert_allclose(mine.grant[1:], np.tile(problem.capacity / 10, (9, 1)), rtol=1e-15)
    np.testing.assert_allclose(mine.unspent, problem.capacity / 10, rtol=1e-12)
    assert fs.allocate(problem, fs.Given.shares(problem, np.full((10, 2), 0.1))).status is fs.Status.FEASIBLE


def test_shares_beyond_the_whole_are_refused_and_say_who_has_most() -> None:
    problem = fleet("b")
    share = np.full((10, 2), 0.1)
    share[[3, 5], 1] = 0.4, 0.3
    with pytest.raises(fs.ProblemError) as caught:
        fs.Given.shares(problem, share)
    message = str(caught.value)
    for part in ("`shares` of labels sum to 1.5", "(agent 4 0.4, agent 6 0.3, agent 1 0.1, 7 others 0.7)", "at most 1"):
        assert part in message
    assert (caught.value.field, caught.value.index) == ("shares", (3, 1))


@pytest.mark.parametrize(
    ("grant", "message"),
    [
        ([0.1, 0.2, 0.3], r"`grant` has shape \(3, 1\), but there are 2 agents and 1 resources"),
        ([[0.1, 0.2]], r"`grant` has shape \(1, 2\)"),
        ([0.1, -0.2], r"`grant\[1, 0\]` \(truck, compute\) must be finite and >= 0, got -0.2; use 0 for nothing"),
        ([np.nan, 0.2], r"`grant\[0, 0\]` \(drone, compute\) must be finite and >= 0, got nan"),
        ([np.inf, np.nan], r"`grant\[0, 0\]` \(drone, compute\) must be finite and >= 0, got inf \(and 1 more\)"),
    ],
)
def test_what_is_no_amount_is_refused_by_name(grant: object, message: str) -> None:
    problem = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.5, 0.3], agents=["drone", "truck"])
    with pytest.raises(fs.ProblemError, match=message) as caught:
        fs.allocate(problem, fs.Given(grant))  # type: ignore[arg-type]
    assert caught.value.field == "grant"
    with pytest.raises(fs.ProblemError, match=message.replace("grant", "shares")):
        fs.Given.shares(problem, grant)  # type: ignore[arg-type]


@pytest.mark.parametrize("grant", [["a", "b"], [[0.1], [0.1, 0.2]], 0.5, [], np.zeros((2, 2, 2))])
def test_what_is_no_table_of_numbers_is_refused_at_once(grant: object) -> None:
    with pytest.raises(fs.ProblemError, match="`grant`"):
        fs.Given(grant)  # type: ignore[arg-type]


def test_records_compare_by_value_and_cannot_be_written() -> None:
    mine: Array = np.array([0.1, 0.2])
    one, same, other = fs.Given(mine), fs.Given([[0.1], [0.2]]), fs.Given(mine, "other")
    mine[0] = 9.0
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert one != fs.Given([[0.1, 0.2]])
    assert one != "Given"
    with pytest.raises(ValueError, match="read-only"):
        one.grant[0] = 1
    with pytest.raises(AttributeError):
        one.label = "new"  # type: ignore[misc]


def test_locked_grants_beyond_the_capacity_are_one_clear_error() -> None:
    problem = fleet("a")
    locked = np.zeros((10, 1))
    locked[:2] = problem.capacity
    with pytest.raises(fs.ProblemError, match="at least the sum of the locked grants") as caught:
        changed(problem, floor=locked, ceiling=np.where(locked > 0, locked, np.inf))
    assert "lower the locked grants; the locked grants need compute 0.92" in str(caught.value)
    with pytest.raises(fs.ProblemError, match=r"the floors and locked grants need compute 0\.92"):
        changed(problem, floor=locked, ceiling=[problem.capacity] + [[np.inf]] * 9)
    with pytest.raises(fs.ProblemError, match=r"the floors need compute 0\.92"):
        changed(problem, floor=locked)
