"""Envy, against the definition applied one pair at a time."""

import numpy as np
import pytest
from hypothesis import given
from strategies import problems

import fairsynergy as fs
from fairsynergy import fairness


def swapped_one_by_one(problem, grant):
    """The definition: put agent j's grant in the place of agent i's, and ask the problem what i then reaches."""
    gains = np.zeros((problem.n, problem.n))
    for i in range(problem.n):
        for j in range(problem.n):
            other = grant.copy()
            other[i] = grant[j]
            gains[i, j] = problem.utility(other)[i] - problem.utility(grant)[i]
    return gains


@given(problems(resources=(1, 2, 3)))
@pytest.mark.parametrize("rule", ["Random", "NUM", "Fair-Synergy"])
def test_envy_is_what_swapping_gives(rule, problem):
    grant = fs.allocate(problem, fs.POLICIES[rule]).grant
    np.testing.assert_allclose(
        fairness.envy(problem, grant), swapped_one_by_one(problem, grant), rtol=1e-12, atol=1e-12
    )


@given(problems())
def test_nobody_envies_itself_and_equal_grants_make_no_envy(problem):
    grant = fs.allocate(problem, fs.Random()).grant
    assert not fairness.envy(problem, grant).diagonal().any()
    equal = np.broadcast_to(grant[0], grant.shape)
    assert not fairness.envy(problem, equal).any()


@given(problems(resources=(1, 2)))
def test_the_strongest_envies_are_the_largest_of_each_row(problem):
    grant = fs.allocate(problem, fs.Random()).grant
    gains = fairness.envy(problem, grant)
    found = fairness.strongest_envies(problem, grant, limit=3)
    best = np.sort(gains.max(axis=1))[::-1]
    np.testing.assert_array_equal(found.gain, best[best > fairness.ENVY_FROM][:3])
    np.testing.assert_array_equal(gains[found.envious, found.envied], found.gain)
    assert found.compared == problem.n


def test_a_large_fleet_is_sampled_and_says_so(monkeypatch):
    monkeypatch.setattr(fairness, "SAMPLED_ABOVE", 5)
    rng = np.random.default_rng(0)
    fleet = fs.Problem(endowment=rng.random((9, 2)), capacity=[3, 3], elasticity=rng.uniform(0.1, 0.9, (9, 2)))
    grant = fs.allocate(fleet, fs.Random()).grant
    found = fairness.strongest_envies(fleet, grant)
    assert found.compared == 5
    gains = fairness.envy(fleet, grant)
    np.testing.assert_allclose(gains[found.envious, found.envied], found.gain, rtol=1e-12)
    again = fairness.strongest_envies(fleet, grant)
    np.testing.assert_array_equal(found.envious, again.envious)
