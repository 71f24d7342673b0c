"""Envy, against the definition applied one pair at a time."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays
from strategies import problems

import fairsynergy as fs
from fairsynergy import fairness
from fairsynergy.fairness import dominators, gini, jain, lorenz


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


SHARES = arrays(float, st.integers(1, 30), elements=st.floats(0, 1e6))


@given(SHARES)
def test_indices_of_inequality_stay_in_their_range_and_ignore_order_and_scale(values):
    n = values.size
    assert -1e-12 <= gini(values) <= (n - 1) / n + 1e-12
    assert 1 / n - 1e-12 <= jain(values) <= 1 + 1e-12
    for same in (values[::-1], values * 1e3):
        np.testing.assert_allclose([gini(same), jain(same)], [gini(values), jain(values)], atol=1e-9)


@given(SHARES)
def test_gini_is_twice_the_area_between_lorenz_and_equality(values):
    area = np.trapezoid(lorenz(values), dx=1 / values.size)
    np.testing.assert_allclose(gini(values), 1 - 2 * area, atol=1e-9)


@given(arrays(float, st.tuples(st.integers(1, 6), st.just(2)), elements=st.sampled_from([0.0, 0.25, 0.5, 1.0])))
def test_dominators_are_those_that_a_plain_search_finds(outcomes):
    def beats(one, other):
        return (one >= other).all() and (one > other).any()

    for outcome, dominator in zip(outcomes, dominators(outcomes), strict=True):
        if dominator < 0:
            assert not any(beats(other, outcome) for other in outcomes)
        else:
            assert beats(outcomes[dominator], outcome)
