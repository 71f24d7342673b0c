"""Envy, against the definition applied one pair at a time, and indices of inequality, against theirs."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays
from strategies import problems

import fairsynergy as fs
from fairsynergy.analysis import fairness
from fairsynergy.analysis.fairness import _envies as envies
from fairsynergy.analysis.fairness import (
    atkinson,
    dominators,
    equally_distributed_equivalent,
    gini,
    jain,
    lorenz,
    theil,
)


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
    monkeypatch.setattr(envies, "SAMPLED_ABOVE", 5)
    rng = np.random.default_rng(0)
    fleet = fs.Problem(endowment=rng.random((9, 2)), capacity=[3, 3], elasticity=rng.uniform(0.1, 0.9, (9, 2)))
    grant = fs.allocate(fleet, fs.Random()).grant
    found = fairness.strongest_envies(fleet, grant)
    assert found.compared == 5
    gains = fairness.envy(fleet, grant)
    np.testing.assert_allclose(gains[found.envious, found.envied], found.gain, rtol=1e-12)
    again = fairness.strongest_envies(fleet, grant)
    np.testing.assert_array_equal(found.envious, again.envious)
    summary = envies.summary(fleet, grant)
    assert summary.compared == 5
    assert summary.gain == found.gain[0]


@given(problems(resources=(1, 2)))
def test_the_summary_of_envy_counts_whoever_would_gain(problem):
    grant = fs.allocate(problem, fs.Random()).grant
    gains = swapped_one_by_one(problem, grant).max(axis=1)
    better = problem.utility(grant) + gains
    summary = envies.summary(problem, grant)
    # Gains at the edge of a tie may be rounded to either side.
    assert (gains > 2 * fairness.TIE * better).sum() <= summary.agents <= (gains > fairness.TIE / 2 * better).sum()
    assert summary.free == (summary.agents == 0) == (summary.envious is None)
    if not summary.free:
        i, j = problem.agents.index(summary.envious), problem.agents.index(summary.envied)
        np.testing.assert_allclose(gains[i], summary.gain, rtol=1e-9)
        assert summary.gain >= gains[gains > 2 * fairness.TIE * better].max(initial=0) * (1 - 1e-9)
        np.testing.assert_allclose(swapped_one_by_one(problem, grant)[i, j], summary.gain, rtol=1e-9)


SHARES = arrays(float, st.integers(1, 30), elements=st.floats(0, 1e6))


@given(SHARES)
def test_indices_of_inequality_stay_in_their_range_and_ignore_order_and_scale(values):
    n = values.size
    assert -1e-12 <= gini(values) <= (n - 1) / n + 1e-12
    assert 1 / n - 1e-12 <= jain(values) <= 1 + 1e-12
    assert 0 <= theil(values) <= np.log(n) + 1e-12
    for same in (values[::-1], values * 1e3):
        np.testing.assert_allclose([gini(same), jain(same)], [gini(values), jain(values)], atol=1e-9)
        np.testing.assert_allclose(theil(same), theil(values), atol=1e-9)


def test_indices_of_two_values_by_hand():
    values = np.array([1.0, 3.0])
    np.testing.assert_allclose(theil(values), (np.log(0.5) * 0.5 + np.log(1.5) * 1.5) / 2, rtol=1e-14)
    equivalents = {0: 2.0, 0.5: (1 + np.sqrt(3)) ** 2 / 4, 1: np.sqrt(3), 2: 1.5, np.inf: 1.0}
    for epsilon, equivalent in equivalents.items():
        np.testing.assert_allclose(equally_distributed_equivalent(values, epsilon), equivalent, rtol=1e-14)
        np.testing.assert_allclose(atkinson(values, epsilon), 1 - equivalent / 2, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("epsilon", [0, 0.3, 1, 3, np.inf])
def test_indices_where_nobody_has_anything_and_where_one_has_all(epsilon):
    nothing, all_for_one = np.zeros(4), np.array([0.0, 0.0, 0.0, 8.0])
    assert theil(nothing) == atkinson(nothing, epsilon) == equally_distributed_equivalent(nothing, epsilon) == 0
    np.testing.assert_allclose(theil(all_for_one), np.log(4), rtol=1e-14)
    kept = 4 ** (-epsilon / (1 - epsilon)) if epsilon < 1 else 0.0
    np.testing.assert_allclose(atkinson(all_for_one, epsilon), 1 - kept, atol=1e-14)


UTILITIES = arrays(float, st.integers(1, 30), elements=st.floats(1e-4, 1e4))


@given(UTILITIES, st.one_of(st.floats(0, 0.99), st.floats(1.01, 8)))
def test_alpha_fair_welfare_is_that_of_the_equivalent(values, epsilon):
    """The index and the dial are one object: welfare at alpha = epsilon is n EDE^(1 - alpha) / (1 - alpha)."""
    welfare = np.sum(values ** (1 - epsilon)) / (1 - epsilon)
    equivalent = equally_distributed_equivalent(values, epsilon)
    np.testing.assert_allclose(values.size * equivalent ** (1 - epsilon) / (1 - epsilon), welfare, rtol=1e-10)


@given(UTILITIES)
def test_at_one_the_equivalent_is_the_geometric_mean_and_is_reached_smoothly(values):
    geometric = np.exp(np.mean(np.log(values)))
    for epsilon in (1, 1 - 1e-12, 1 + 1e-12, 1 - 1e-9):
        np.testing.assert_allclose(equally_distributed_equivalent(values, epsilon), geometric, rtol=1e-7)


@given(SHARES, st.floats(0, 50), st.floats(0, 50))
def test_more_aversion_never_raises_the_equivalent(values, one, other):
    low, high = sorted((one, other))
    mild, strict = (equally_distributed_equivalent(values, epsilon) for epsilon in (low, high))
    slack = 1e-9 * values.mean()
    assert values.min() - slack <= strict <= mild + slack <= values.mean() + 2 * slack
    assert 0 <= atkinson(values, low) <= atkinson(values, high) + 1e-9 <= 1 + 1e-9


@pytest.mark.parametrize("epsilon", [0.5, 1, 2, 1000])
def test_no_scale_is_too_small_or_too_large(epsilon):
    values = np.array([1.0, 2.0, 5.0])
    for scale in (1e-300, 1e-160, 1e160, 1e300):
        scaled = equally_distributed_equivalent(values * scale, epsilon)
        np.testing.assert_allclose(scaled / scale, equally_distributed_equivalent(values, epsilon), rtol=1e-12)
        np.testing.assert_allclose(theil(values * scale), theil(values), rtol=1e-12)
        np.testing.assert_allclose(gini(values * scale), gini(values), rtol=1e-12)
    assert gini([1e308] * 3) == 0
    np.testing.assert_allclose(lorenz([1e308] * 3), [0, 1 / 3, 2 / 3, 1])


@pytest.mark.parametrize("epsilon", [-0.1, -np.inf, np.nan])
def test_an_aversion_below_zero_is_refused(epsilon):
    with pytest.raises(fs.ProblemError, match="`epsilon` must be a number >= 0, got"):
        atkinson(np.ones(3), epsilon)


INDICES = {
    "gini": gini, "jain": jain, "theil": theil, "lorenz": lorenz,
    "atkinson": lambda values: atkinson(values, 0.5),
    "equivalent": lambda values: equally_distributed_equivalent(values, 0.5),
}  # fmt: skip


@pytest.mark.parametrize("index", INDICES.values(), ids=INDICES)
def test_no_index_judges_what_is_empty_negative_or_no_number(index):
    assert np.isfinite(index([1, 3])).all()  # a list is as good as an array
    for values, message in (
        ([], "one number or more"), ([-1.0, 2.0], r"`values\[0\]` must be finite and >= 0, got -1\.0"),
        ([1, np.nan], r"`values\[1\]`"), ([1, np.inf], "got inf"), ([[1, 2]], "shape"), (["a"], "numbers"),
    ):  # fmt: skip
        with pytest.raises(fs.ProblemError, match=message):
            index(values)


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
