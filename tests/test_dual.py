"""The dual bound: never below what any division reaches, exact inside, and tight where it should be."""

import numpy as np
import pytest

import fairsynergy as fs
from fairsynergy.dual import _Dual, lowest_bound
from fairsynergy.scenarios import PRESETS


def draw(rng: np.random.Generator, n: int) -> fs.Problem:
    """Two resources, both kinds of returns, sometimes bounds, weights, saturation and agents without anything."""
    capacity = rng.uniform(0.1, 2, 2)
    floor = 0.5 * capacity / n * rng.random((n, 2)) * (rng.random() < 0.3)
    return fs.Problem(
        endowment=rng.uniform(0, 0.3, (n, 2)) * (rng.random((n, 2)) < 0.8),
        capacity=capacity,
        elasticity=rng.uniform(0.02, 0.98, (n, 2)),
        weight=rng.uniform(0.5, 2, n) if rng.random() < 0.3 else None,
        floor=floor,
        ceiling=floor + rng.uniform(0, 1, (n, 2)) if rng.random() < 0.3 else None,
        saturation=1.0 if rng.random() < 0.5 else None,
    )


@pytest.mark.parametrize("n", [1, 2, 3, 10])
def test_no_division_is_above_the_bound(n: int) -> None:
    rng = np.random.default_rng([17, n])
    for _ in range(25):
        problem = draw(rng, n)
        bound = lowest_bound(problem, rng.uniform(0.1, 2, 2))
        best = max(fs.allocate(problem, rule).total for rule in fs.POLICIES.values())
        for _ in range(40):
            shares = rng.dirichlet(np.full(n, rng.choice([0.2, 1.0, 5.0])), size=2).T
            grant = np.clip(problem.floor + shares * (problem.capacity - problem.floor.sum(axis=0)), 0, problem.ceiling)
            best = max(best, float(problem.weight @ problem.utility(grant)))
        assert bound >= best * (1 - 1e-12)


@pytest.mark.parametrize("returns", ["increasing", "decreasing"])
def test_the_best_point_of_an_agent_is_exact(returns: str) -> None:
    """D(mu) - mu C of one agent against a fine grid over its box: never below it, and hardly above."""
    rng = np.random.default_rng([18, len(returns)])
    steps = np.linspace(0, 1, 401)
    for _ in range(100):
        first = rng.uniform(0.05, 0.95)
        second = rng.uniform(1 - first, 0.99) if returns == "increasing" else rng.uniform(0.01, 0.99 * (1 - first))
        problem = fs.Problem(
            endowment=rng.uniform(0, 0.5, (1, 2)), capacity=rng.uniform(0.2, 2, 2), elasticity=[[first, second]]
        )
        price = 10 ** rng.uniform(-1.5, 0.5, 2)
        exact = _Dual(problem)(np.log(price)) - price @ problem.capacity
        x, y = np.meshgrid(*(steps * size for size in problem.capacity))
        grants = np.stack([x, y], axis=-1).reshape(-1, 1, 2)
        grid = np.max(problem.utility(grants)[:, 0] - grants[:, 0] @ price)
        assert grid - 1e-12 <= exact <= grid + 2e-2 * max(1.0, abs(grid))


def test_fleet_b_is_proved_optimal_although_its_total_is_not_concave() -> None:
    fleet = PRESETS["Fleet B"].problem
    found = fs.allocate(fleet, fs.FairSynergy())
    assert not fs.FairSynergy().objective.concave(fleet)
    assert found.gap is not None
    assert found.gap <= 1e-9
    assert found.status is fs.Status.OPTIMAL


def test_one_pass_is_told_how_far_it_may_be_from_the_best() -> None:
    fleet = PRESETS["Fleet B"].problem
    once, best = fs.allocate(fleet, fs.FairSynergy(passes=1)), fs.allocate(fleet, fs.FairSynergy())
    assert once.gap is not None
    assert once.upper_bound is not None
    assert once.gap >= 1 - once.total / best.total > 0.04
    assert once.upper_bound >= best.total
    assert once.status is fs.Status.FEASIBLE


def test_bounds_are_tight_in_large_fleets() -> None:
    """With many agents the loss by indivisible choices fades (Shapley and Folkman)."""
    rng = np.random.default_rng(19)
    problem = fs.Problem(
        endowment=rng.uniform(0, 0.01, (300, 2)),
        capacity=rng.random((300, 2)).sum(axis=0),
        elasticity=rng.uniform(0.02, 0.98, (300, 2)),
        saturation=1.0,
    )
    gap = fs.allocate(problem, fs.FairSynergy()).gap
    assert gap is not None
    assert gap <= 2e-3
