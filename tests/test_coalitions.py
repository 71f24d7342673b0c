"""Groups that would do better alone, against going through all of them."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from strategies import NAMED, changed, fleet, problems

import fairsynergy as fs
from fairsynergy.analysis.fairness import TIE, Coalitions, Withheld, blocking_coalition, coalitions_of, stand_alone

FLEETS = {
    name: NAMED[name]
    for name in (
        "Fleet A",
        "one resource",
        "two resources",
        "three resources",
        "nobody owns anything, two resources",
        "one agent owns nothing of one resource",
        "somebody lacks what cannot be shared",
        "weights",
        "weights, two resources",
        "floors",
        "floors, two resources",
        "floors take all of one resource",
        "ceilings, two resources",
        "saturation",
        "everything at once",
        "tiny unit",
        "plenty to share",
    )
}


def groups(n):
    return [np.array(group) for size in range(1, n + 1) for group in combinations(range(n), size)]


def values(problem):
    """What every group reaches alone, by its members."""
    return {tuple(group): stand_alone(problem, group) for group in groups(problem.n)}


def gains(alone, payoff):
    """How much more that is than what the group has."""
    return {group: value - payoff[list(group)].sum() for group, value in alone.items()}


def rules(problem):
    return [policy for name, policy in fs.POLICIES.items() if problem.m < 3 or name != "Leximin"]


@pytest.mark.parametrize("name", FLEETS)
def test_with_transfers_at_the_prices_of_the_highest_total_every_group_stays(name):
    problem = FLEETS[name]
    allocation = fs.allocate(problem, fs.FairSynergy())
    found = coalitions_of(allocation)
    tie = 2 * TIE * allocation.total
    assert (found.compensated.group.size, found.compensated.bound) == (0, 0)
    assert found.semicore.holds
    paid = problem.weight * allocation.utility + found.transfer
    if problem.n <= 7:
        assert max(gains(values(problem), paid).values()) <= tie
    everyone = np.arange(problem.n)
    complements = [np.delete(everyone, i) for i in everyone]
    assert max(stand_alone(problem, group) - paid[group].sum() for group in complements) <= tie
    np.testing.assert_allclose(stand_alone(problem, everyone), paid.sum(), rtol=1e-6)


@pytest.mark.parametrize("name", FLEETS)
def test_the_group_that_gains_most_is_found_and_none_gains_more_than_the_bound(name):
    problem = FLEETS[name]
    if problem.n > 7:
        problem = fs.Problem(
            endowment=problem.endowment[::2], capacity=problem.capacity / 2, elasticity=problem.elasticity[::2]
        )
    alone = values(problem)
    for policy in rules(problem):
        allocation = fs.allocate(problem, policy)
        found = coalitions_of(allocation)
        payoff = problem.weight * allocation.utility
        for blocking, held in ((found.alone, payoff), (found.compensated, payoff + found.transfer)):
            tie = 2 * TIE * np.abs(held).sum()
            every = gains(alone, held)
            best = max(every.values())
            assert best <= blocking.bound + tie
            if blocking.group.size == 0:
                assert best <= tie
            else:
                np.testing.assert_allclose(every[tuple(blocking.group)], blocking.gain, rtol=1e-9)
                np.testing.assert_allclose(held[blocking.group].sum(), blocking.held, rtol=1e-12)
                assert blocking.gain >= 0.9 * best


def test_all_groups_of_twelve():
    rng = np.random.default_rng(4)
    problem = fs.Problem(endowment=rng.random(12) / 10, capacity=4.0, elasticity=rng.uniform(0.05, 0.95, 12))
    allocation = fs.allocate(problem, fs.FairSynergy())
    found = coalitions_of(allocation)
    every, held = values(problem), allocation.utility
    unpaid = gains(every, held)
    np.testing.assert_array_equal(found.alone.group, max(unpaid, key=unpaid.get))
    assert max(gains(every, held + found.transfer).values()) <= TIE * allocation.total
    # Two groups apart never reach more than together: C = C_S + C_T, and the total is concave.
    for group, value in every.items():
        rest = tuple(sorted(set(range(12)) - set(group)))
        assert value + every.get(rest, 0.0) <= every[tuple(range(12))] * (1 + 1e-9)


@given(problems(resources=(1, 2, 3), concave=True, most_agents=6))
def test_prices_of_the_highest_total_leave_no_group_a_reason_to_go(problem):
    allocation = fs.allocate(problem, fs.FairSynergy())
    found = coalitions_of(allocation)
    if isinstance(found, Withheld) or not allocation.certificate.stationary:
        return
    np.testing.assert_allclose(found.transfer.sum(), 0, atol=1e-12 * found.price @ problem.capacity)
    assert found.compensated.group.size == 0
    assert found.compensated.bound == 0
    assert found.semicore.holds


@given(problems(resources=(1, 2), concave=True, mild=True, most_agents=4))
def test_no_group_of_a_random_division_gains_more_than_the_bound(problem):
    allocation = fs.allocate(problem, fs.Random())
    payoff = problem.weight * allocation.utility
    found = blocking_coalition(allocation, np.zeros(problem.n))
    best = max(gains(values(problem), payoff).values())
    assert best <= found.bound + 2 * TIE * payoff.sum()
    assert found.group.size > 0 or best <= 2 * TIE * payoff.sum()


def test_whoever_receives_less_than_its_part_is_paid_by_those_who_receive_more():
    problem = fs.Problem(endowment=[0.1, 0.3], capacity=0.6, elasticity=[0.9, 0.3], weight=[1.0, 2.0])
    allocation = fs.allocate(problem, fs.FairSynergy())
    found = coalitions_of(allocation)
    np.testing.assert_allclose(found.price, allocation.price)
    np.testing.assert_allclose(found.transfer, allocation.price * ([0.2, 0.4] - allocation.grant[:, 0]), rtol=1e-12)


def test_a_group_stands_alone_with_its_part_of_every_capacity():
    problem = FLEETS["weights, two resources"]
    group = np.array([1, 3])
    part = problem.weight[group].sum() / problem.weight.sum()
    few = fs.Problem(
        endowment=problem.endowment[group],
        capacity=problem.capacity * part,
        elasticity=problem.elasticity[group],
        weight=problem.weight[group],
    )
    np.testing.assert_allclose(stand_alone(problem, group), fs.allocate(few, fs.FairSynergy()).total, rtol=1e-12)


def test_a_group_whose_floors_need_more_than_its_part_cannot_stand_alone():
    problem = fs.Problem(endowment=[0.1, 0.1], capacity=1.0, elasticity=[0.5, 0.5], floor=[0.8, 0.0])
    assert stand_alone(problem, np.array([0])) == -np.inf
    assert np.isfinite(stand_alone(problem, np.array([1])))
    found = coalitions_of(fs.allocate(problem, fs.Uniform()))
    np.testing.assert_array_equal(found.alone.group, [1])
    np.testing.assert_allclose(found.alone.gain, np.sqrt(0.6) - np.sqrt(0.3), rtol=1e-9)


def test_the_semicore_is_left_by_waste_and_by_pay_below_ones_own_part():
    problem = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3])
    wasteful = coalitions_of(fs.allocate(problem, fs.Uniform())).semicore
    assert not wasteful.holds
    np.testing.assert_allclose(
        wasteful.missing, stand_alone(problem, np.arange(2)) - (0.35**0.9 + 0.55**0.3), rtol=1e-9
    )
    # With equal shares everybody has what it would have alone.
    np.testing.assert_allclose(wasteful.single, 0, atol=1e-12)


@pytest.mark.parametrize("problem", [fleet("b"), NAMED["increasing returns"]])
def test_increasing_returns_withhold_every_claim(problem):
    allocation = fs.allocate(problem, fs.FairSynergy())
    found = coalitions_of(allocation)
    assert isinstance(found, Withheld)
    assert "increasing returns" in found.reason
    with pytest.raises(fs.ProblemError, match=r"groups cannot be valued here: .* increasing returns"):
        blocking_coalition(allocation, np.zeros(problem.n))


def test_returns_that_a_group_could_reach_count_even_if_floors_leave_the_fleet_none():
    """The fleet's floors take all of one resource, so that its total is concave; a group's need not."""
    problem = fs.Problem(
        endowment=[[0.1, 0.1]] * 2, capacity=[1.0, 1.0], elasticity=[[0.8, 0.7]] * 2, floor=[[1.0, 0.0], [0.0, 0.0]]
    )
    assert fs.allocate(problem, fs.FairSynergy()).status is fs.Status.OPTIMAL
    assert isinstance(coalitions_of(fs.allocate(problem, fs.FairSynergy())), Withheld)
    settled = changed(problem, ceiling=[[1.0, np.inf], [0.0, np.inf]])
    assert not isinstance(coalitions_of(fs.allocate(settled, fs.FairSynergy())), Withheld)


def test_the_group_named_is_the_one_that_gains_most_though_no_torn_agent_leads_to_it() -> None:
    """At the prices of the lowest bound, who joins and who leaves does not find agents 1, 3 and 4."""
    problem = fs.Problem(
        endowment=[1, 0, 0, 1], capacity=2, elasticity=[0.7, 0.9, 0.3, 0.1], ceiling=[np.inf, 0.5, 0.5, 0.2]
    )
    found = coalitions_of(fs.allocate(problem, fs.Uniform()))
    assert isinstance(found, Coalitions)
    np.testing.assert_array_equal(found.alone.group, [0, 2, 3])
    assert found.alone.gain == pytest.approx(0.101, abs=1e-3)
    assert found.alone.bound == pytest.approx(found.alone.gain, rel=1e-6)
