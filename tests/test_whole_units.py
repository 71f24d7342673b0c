"""Whole units: greedy against dynamic programming, the lottery against the fractions it stands for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given
from strategies import NAMED, changed, problems

import fairsynergy as fs
from fairsynergy.policies._whole_units import systematic
from fairsynergy.problem import Array

GREEDY = fs.WholeUnits(fs.FairSynergy(), method="greedy")


def counts(problem: fs.Problem, rule: fs.WholeUnits) -> Array:
    """(n, m) units granted, after checking that they are whole and within every limit."""
    allocation = fs.allocate(problem, rule)
    assert allocation.status is fs.Status.FEASIBLE, allocation.certificate
    found = allocation.grant / rule.unit
    np.testing.assert_allclose(found, np.rint(found), rtol=1e-12, atol=1e-12)
    return np.rint(found)


# Greedy.


def best_total(problem: fs.Problem, unit: float) -> float:
    """The greatest total accuracy in whole units of one resource, by dynamic programming over the agents."""
    spare = round(problem.capacity[0] / unit * 1e6) // 1_000_000
    best = np.full(spare + 1, -np.inf)
    best[0] = 0.0
    for i in range(problem.n):
        after = np.full(spare + 1, -np.inf)
        for count in range(spare + 1):
            grant = count * unit
            if not problem.floor[i, 0] - 1e-9 * unit <= grant <= problem.ceiling[i, 0] + 1e-9 * unit:
                continue
            held = min(problem.endowment[i, 0] + grant, problem.saturation[i, 0])
            worth = problem.weight[i] * held ** problem.elasticity[i, 0]
            after[count:] = np.maximum(after[count:], best[: spare + 1 - count] + worth)
        best = after
    return float(best.max())


def small_fleet(seed: int) -> tuple[fs.Problem, float]:
    """Up to six agents and 24 units of some size, sometimes with weights and limits; and the unit."""
    rng = np.random.default_rng(seed)
    n, spare = int(rng.integers(1, 7)), int(rng.integers(1, 25))
    unit = float(rng.choice([1.0, 0.1, 0.3, 7.0]))
    near = 10.0 ** rng.uniform(-9, 0, n)
    elasticity = np.clip([rng.uniform(0.02, 0.98, n), near, 1 - near][seed % 3], 1e-9, 1 - 1e-9)
    limits: dict[str, object] = {}
    if seed % 2:
        limits = {"weight": rng.uniform(0.1, 10, n), "ceiling": unit * rng.uniform(0.5, spare, n)}
    if seed % 4 == 1:
        whole = np.floor(np.asarray(limits["ceiling"]) / unit) * unit
        limits["floor"] = np.minimum(unit * rng.integers(0, spare // n + 1, n), whole)
    if seed % 5 == 0:
        limits["saturation"] = unit * rng.uniform(0.5, spare, n)
    own = rng.random(n) * unit * 10.0 ** rng.integers(-3, 4) * (rng.random(n) < 0.7)
    capacity = unit * (spare + 0.9 * rng.random() * (rng.random() < 0.5))
    return fs.Problem(endowment=own, capacity=capacity, elasticity=elasticity, **limits), unit


def test_greedy_is_the_best_of_all_divisions_into_whole_units() -> None:
    for seed in range(300):
        problem, unit = small_fleet(seed)
        rule = fs.WholeUnits(fs.FairSynergy(), unit, method="greedy")
        counts(problem, rule)
        total = fs.allocate(problem, rule).total
        assert total == pytest.approx(best_total(problem, unit), rel=1e-12, abs=1e-12), seed


def test_greedy_beats_rounding_the_continuous_optimum() -> None:
    """It may be several units away from it."""
    rng = np.random.default_rng(0)
    apart = 0.0
    for _ in range(30):
        problem = fs.Problem(endowment=rng.random(30) / 10, capacity=30, elasticity=rng.uniform(0.05, 0.95, 30))
        smooth = fs.allocate(problem, fs.FairSynergy())
        greedy = fs.allocate(problem, GREEDY)
        lottery = fs.allocate(problem, fs.WholeUnits(fs.FairSynergy()))
        assert lottery.total <= greedy.total <= smooth.total
        assert greedy.upper_bound is not None
        assert greedy.upper_bound >= smooth.total * (1 - 1e-12)
        apart = max(apart, float(np.abs(greedy.grant - smooth.grant).max()))
    assert apart > 1


def test_greedy_gives_units_that_tie_to_whoever_is_listed_first() -> None:
    for capacity, expected in ((6.5, [2, 1, 1, 1, 1]), (7.5, [2, 2, 1, 1, 1]), (9.0, [2, 2, 2, 2, 1])):
        problem = fs.Problem(endowment=np.full(5, 0.1), capacity=capacity, elasticity=[0.5] * 5)
        np.testing.assert_array_equal(counts(problem, GREEDY)[:, 0], expected)


def test_greedy_leaves_over_what_nobody_can_use() -> None:
    problem = fs.Problem(endowment=[0.5, 3.0], capacity=10, elasticity=[0.5, 0.5], saturation=[2.0, 2.0])
    np.testing.assert_array_equal(counts(problem, GREEDY)[:, 0], [2, 0])  # half of the second unit is of no use


@pytest.mark.parametrize(
    "name", [name for name, problem in NAMED.items() if problem.m == 1 and not problem.floor.any()]
)
def test_greedy_on_named_problems(name: str) -> None:
    problem = NAMED[name]
    unit = max(float(problem.capacity[0]) / 40, 1e-3)
    rule = fs.WholeUnits(fs.FairSynergy(), unit, method="greedy")
    counts(problem, rule)
    assert fs.allocate(problem, rule).total == pytest.approx(best_total(problem, unit), rel=1e-12)


@given(problem=problems(resources=(1,)))
def test_greedy_at_any_scale_takes_no_unit_worth_more_elsewhere(problem: fs.Problem) -> None:
    """Greedy is exact where no exchange of one unit helps, because gains fall."""
    problem = changed(problem, floor=0.0)
    unit = float(problem.capacity[0]) / 50
    rule = fs.WholeUnits(fs.FairSynergy(), unit, method="greedy")
    found = counts(problem, rule)
    allocation = fs.allocate(problem, rule)

    def worth(grant: Array) -> Array:
        return problem.weight * problem.utility(grant)

    more, less = worth(allocation.grant + unit), worth(allocation.grant - np.where(found > 0, unit, 0.0))
    now = worth(allocation.grant)
    open_to = allocation.grant[:, 0] + unit <= problem.ceiling[:, 0]
    gain, loss = (
        np.max(more - now, initial=0.0, where=open_to),
        np.min(now - less, initial=np.inf, where=found[:, 0] > 0),
    )
    rounding = 1e-12 * now.max()
    assert gain <= loss + rounding
    if found.sum() < 50:
        assert gain <= rounding


# The lottery.


def integrated(amount: Array) -> Array:
    """(n,) mean of `systematic` over all offsets, exactly: it is constant between the offsets at which it changes."""
    changes = np.sort(np.append(1 - np.cumsum(amount) % 1, [0.0, 1.0]))
    middle, width = 0.5 * (changes[1:] + changes[:-1]), np.diff(changes)
    return np.asarray(sum(w * systematic(amount, v) for v, w in zip(middle, width, strict=True)))


@pytest.mark.parametrize("seed", range(20))
def test_the_lottery_is_on_average_what_the_rule_gives(seed: int) -> None:
    rng = np.random.default_rng(seed)
    amount = rng.dirichlet(np.full(12, 0.3)) * rng.integers(1, 40)
    np.testing.assert_allclose(integrated(amount), amount, atol=1e-12)


def test_over_a_grid_of_offsets_the_mean_is_exact() -> None:
    amount = np.array([0.25, 1.75, 0.0, 3.0, 0.6, 2.4])
    grid = (np.arange(100) + 0.5) / 100
    draws = np.stack([systematic(amount, offset) for offset in grid])
    np.testing.assert_allclose(draws.mean(axis=0), amount, rtol=1e-14)
    assert (draws.sum(axis=1) == 8).all()
    assert (draws >= np.floor(amount)).all()
    assert (draws <= np.ceil(amount)).all()


@pytest.mark.parametrize("offset", [0.0, 1e-17, 1e-9, 0.5, 1 - 1e-9, np.nextafter(1.0, 0.0)])
@pytest.mark.parametrize("n", [1, 3, 10, 1000])
def test_no_offset_loses_or_invents_a_unit(n: int, offset: float) -> None:
    """Thirds and tenths do not add up in binary; their totals do."""
    for total in (1, 7, 100, 2**40):
        for amount in (np.full(n, total / n), np.random.default_rng(n).dirichlet(np.ones(n)) * total):
            found = systematic(amount, offset)
            assert found.sum() == total
            np.testing.assert_array_equal(found, np.rint(found))
            assert (np.abs(found - amount) <= 1 + 1e-9).all()


def test_whole_amounts_are_not_a_matter_of_luck() -> None:
    amount = np.array([3.0, 0.1 * 30, 0.0, 3 - 1e-12, 0.7 / 0.1])
    for offset in (0.0, 0.4, np.nextafter(1.0, 0.0)):
        np.testing.assert_array_equal(systematic(amount, offset), [3, 3, 0, 3, 7])
    np.testing.assert_array_equal(systematic(np.array([0.5, 3 - 1e-12]), 0.5), [1, 3])


def test_an_unspent_fraction_stays_unspent_on_average() -> None:
    amount = np.array([0.5, 0.7])
    np.testing.assert_allclose(integrated(amount), amount, atol=1e-15)
    assert {systematic(amount, offset).sum() for offset in (0.1, 0.9)} == {1.0, 2.0}


RULES: list[fs.Policy] = [*fs.POLICIES.values(), fs.Nash(), fs.EqualIncomeMarket()]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.label)
@pytest.mark.parametrize("m", [1, 2])
def test_every_rule_can_be_drawn_in_whole_units(rule: fs.Policy, m: int) -> None:
    rng = np.random.default_rng(3)
    unit = [0.5, 20.0][:m]
    problem = fs.Problem(
        endowment=rng.random((9, m)), capacity=[10.2, 333.0][:m], elasticity=rng.uniform(0.1, 0.45, (9, m))
    )
    exact = fs.allocate(changed(problem, capacity=[10.0, 320.0][:m]), rule).grant / unit
    for seed in range(5):
        drawn = counts(problem, fs.WholeUnits(rule, unit, seed=seed))
        np.testing.assert_array_equal(drawn.sum(axis=0), [20, 16][:m])
        assert (drawn >= np.floor(exact - 1e-9)).all()
        assert (drawn <= np.ceil(exact + 1e-9)).all()


def test_resources_are_drawn_independently_and_seeds_repeat() -> None:
    problem = fs.Problem(endowment=np.zeros((2, 2)), capacity=[1, 1], elasticity=np.full((2, 2), 0.5))
    drawn = [counts(problem, fs.WholeUnits(fs.Uniform(), seed=seed)) for seed in range(40)]
    assert {tuple(one.argmax(axis=0).tolist()) for one in drawn} == {(0, 0), (0, 1), (1, 0), (1, 1)}
    np.testing.assert_array_equal(drawn[7], counts(problem, fs.WholeUnits(fs.Uniform(), seed=7)))
    rng = np.random.default_rng(1)
    assert len({tuple(counts(problem, fs.WholeUnits(fs.Uniform(), seed=rng)).ravel().tolist()) for _ in range(40)}) == 4


@given(problem=problems())
def test_the_lottery_is_within_every_limit_at_any_scale(problem: fs.Problem) -> None:
    unit = problem.capacity / 37
    problem = changed(problem, floor=np.floor(problem.floor / unit) * unit)
    drawn = counts(problem, fs.WholeUnits(fs.NUM(), unit.tolist()))
    assert (drawn * unit >= problem.floor * (1 - 1e-9)).all()
    assert (drawn * unit <= problem.ceiling * (1 + 1e-9)).all()
    assert (drawn.sum(axis=0) <= 37).all()


# Limits, and what does not fit.


@pytest.mark.parametrize("method", ["lottery", "greedy"])
def test_limits_are_moved_to_whole_units_inside_them(method: str) -> None:
    problem = fs.Problem(
        endowment=[0, 0, 0], capacity=9.9, elasticity=[0.2, 0.9, 0.5], floor=[1.2, 0, 0], ceiling=[9, 3.7, 9]
    )
    found = counts(problem, fs.WholeUnits(fs.FairSynergy(), method=method))  # type: ignore[arg-type]
    assert found[0, 0] >= 2
    assert found[1, 0] == 3
    assert found.sum() == 9
    np.testing.assert_allclose(fs.allocate(problem, fs.WholeUnits(fs.FairSynergy())).unspent, 0.9)


def test_limits_and_capacities_of_whole_units_survive_binary_fractions() -> None:
    """Three tenths are three units of a tenth."""
    problem = fs.Problem(endowment=[0, 0], capacity=0.3, elasticity=[0.5, 0.5], floor=[0.1 + 0.2, 0])
    np.testing.assert_array_equal(counts(problem, fs.WholeUnits(fs.Uniform(), 0.1))[:, 0], [3, 0])
    problem = fs.Problem(endowment=[0, 0], capacity=0.7, elasticity=[0.5, 0.5], ceiling=[0.3, 9])
    np.testing.assert_array_equal(counts(problem, fs.WholeUnits(fs.Uniform(), 0.1))[:, 0], [3, 4])


@contextmanager
def refused(field: str, match: str) -> Iterator[None]:
    with pytest.raises(fs.ProblemError, match=match) as caught:
        yield
    assert caught.value.field == field


@pytest.mark.parametrize(
    "unit", [0, -1.0, np.nan, np.inf, "1", None, [1.0, 0.0], [1.0, np.nan], [], [[1.0]], "many"], ids=repr
)
def test_a_senseless_unit_is_refused(unit: object) -> None:
    with refused("unit", "`unit` must be a number > 0, or one per resource, got"):
        fs.WholeUnits(fs.Uniform(), unit)  # type: ignore[arg-type]


def test_a_unit_larger_than_the_capacity_is_refused() -> None:
    problem = fs.Problem(endowment=np.zeros((2, 2)), capacity=[8, 0.5], elasticity=np.full((2, 2), 0.5))
    with refused("unit", "`unit` of labels must be at most the capacity 0.5, got 1: not one unit fits; choose"):
        fs.allocate(problem, fs.WholeUnits(fs.Uniform()))
    assert counts(problem, fs.WholeUnits(fs.Uniform(), [1, 0.5])).sum() == 9


def test_nothing_to_share_is_shared_in_any_unit() -> None:
    assert counts(NAMED["nothing to share"], GREEDY).sum() == 0


def test_one_unit_per_resource_or_one_for_all() -> None:
    with refused("unit", r"`unit` has 3 sizes, but the problem has 2 resources \(compute, labels\)"):
        fs.allocate(NAMED["Fleet B"], fs.WholeUnits(fs.Uniform(), [1, 1, 1]))


def test_limits_with_no_whole_unit_between_them_are_refused() -> None:
    problem = fs.Problem(endowment=[0, 0], capacity=5, elasticity=[0.5, 0.5], floor=[0, 1.2], ceiling=[9, 1.8])
    with refused("unit", "no whole multiple between the floor 1.2 and the ceiling 1.8 of agent 2, compute"):
        fs.allocate(problem, GREEDY)


def test_floors_that_exceed_the_capacity_in_whole_units_are_refused() -> None:
    problem = fs.Problem(endowment=[0, 0], capacity=3, elasticity=[0.5, 0.5], floor=1.2)
    with refused("unit", "turns the floors of compute into 4 units, but the capacity holds 3"):
        fs.allocate(problem, fs.WholeUnits(fs.Uniform()))


def test_greedy_is_refused_where_it_would_not_be_exact() -> None:
    with refused("method", "maximises the total accuracy, which Uniform does not"):
        fs.WholeUnits(fs.Uniform(), method="greedy")
    with refused("method", r"exact for one resource only, got 2 \(compute, labels\); choose method='lottery'"):
        fs.allocate(NAMED["Fleet B"], fs.WholeUnits(fs.FairSynergy(), 0.1, method="greedy"))


def test_other_nonsense_is_refused() -> None:
    with refused("method", "`method` must be 'lottery' or 'greedy', got 'best'"):
        fs.WholeUnits(fs.Uniform(), method="best")  # type: ignore[arg-type]
    with refused("policy", r"`policy` must be a rule such as Uniform\(\), got <class"):
        fs.WholeUnits(fs.Uniform)  # type: ignore[arg-type]


def test_labels_and_values() -> None:
    assert GREEDY.label == "Fair-Synergy, whole units of 1 (greedy)"
    assert fs.WholeUnits(fs.DRF(), [1, 0.25]).label == "DRF, whole units of 1 and 0.25 (lottery)"
    assert fs.WholeUnits(fs.DRF(), [1, 2]) == fs.WholeUnits(fs.DRF(), np.array([1, 2]))
    assert len({fs.WholeUnits(fs.DRF(), [1, 2]), fs.WholeUnits(fs.DRF(), (1, 2)), fs.WholeUnits(fs.DRF())}) == 2


def test_ten_thousand_agents() -> None:
    rng = np.random.default_rng(5)
    problem = fs.Problem(endowment=rng.random(10_000), capacity=7_000.4, elasticity=rng.uniform(0.02, 0.98, 10_000))
    for rule in (GREEDY, fs.WholeUnits(fs.FairSynergy())):
        assert counts(problem, rule).sum() == 7_000


def test_greedy_units_and_the_rules_behind_them_fill_the_right_ceilings() -> None:
    """The capacity is two of three ceilings, and two agents own nothing."""
    problem = fs.Problem(endowment=[0.001, 0, 0], capacity=0.01, elasticity=[0.1, 0.9, 0.2], ceiling=0.005)
    right = fs.allocate(problem, fs.Given([0.005, 0, 0.005])).total
    for rule in (fs.FairSynergy(), fs.CertifiedOptimum(), fs.WholeUnits(fs.FairSynergy(), 0.005, method="greedy")):
        assert fs.allocate(problem, rule).total >= right * (1 - 1e-9)
