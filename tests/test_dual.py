"""The dual bound: never below what any division reaches, exact inside, and tight where it should be."""

import numpy as np
import pytest
from strategies import paper_fleet

import fairsynergy as fs
from fairsynergy.fleets import PRESETS
from fairsynergy.kernel._dual import WORTHWHILE, Bounding, Fleet, Leaf, Split, lowest_bound, proved_bound, whole


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


def best_by_zooming(problem: fs.Problem, price: np.ndarray) -> float:
    """Largest w U - price . x of a single agent: a grid over its box, then finer grids around its best points."""
    box = whole(problem)
    best = -np.inf
    corners = [(box.low[0], box.high[0])]
    for _ in range(8):
        finer = []
        for low, high in corners:
            axes = [np.linspace(*ends, 31) for ends in zip(low, high, strict=True)]
            grants = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 1, 2)
            worth = problem.weight * problem.utility(grants)[:, 0] - grants[:, 0] @ price
            best = max(best, float(worth.max()))
            step = (high - low) / 15
            for place in grants[np.argsort(-worth)[:2], 0]:
                finer.append((np.maximum(place - step, box.low[0]), np.minimum(place + step, box.high[0])))
        corners = finer[:4]
    return best


@pytest.mark.parametrize("returns", ["increasing", "decreasing"])
def test_the_best_point_of_an_agent_is_exact(returns: str) -> None:
    """D(mu) - mu C of one agent, on both sides of constant returns, against grids that zoom in on its maximum."""
    rng = np.random.default_rng([18, len(returns)])
    for _ in range(500):
        first = rng.uniform(0.05, 0.95)
        second = rng.uniform(1 - first, 0.99) if returns == "increasing" else rng.uniform(0.01, 0.99 * (1 - first))
        problem = fs.Problem(
            endowment=rng.uniform(0, 0.5, (1, 2)),
            capacity=rng.uniform(0.2, 2, 2),
            elasticity=[[first, second]],
            weight=rng.uniform(0.5, 2, 1),
            saturation=rng.choice([np.inf, 0.8]),
        )
        price = 10 ** rng.uniform(-1.5, 0.5, 2)
        exact = Fleet(problem).bound(whole(problem), price) - price @ problem.capacity
        assert exact == pytest.approx(best_by_zooming(problem, price), rel=1e-6, abs=1e-9)


def test_a_box_of_one_agent_changes_its_part_only() -> None:
    rng = np.random.default_rng(20)
    problem = draw(rng, 6)
    search = Bounding(Fleet(problem), whole(problem), np.ones(2))
    for price in rng.uniform(0.1, 2, (5, 2)):
        search.ask(price)
    below, above = search.box.split(3, 1, 0.3 * search.box.high[3, 1])
    for half in (below, above):
        child = search.within(half, 3)
        for response in child.responses[1:]:
            assert response.bound == pytest.approx(search.fleet.bound(half, response.price), rel=1e-12)


def test_no_price_beats_the_hope() -> None:
    rng = np.random.default_rng(21)
    for _ in range(30):
        problem = draw(rng, int(rng.integers(1, 8)))
        search = Bounding(Fleet(problem), whole(problem), np.ones(2))
        search.search()
        assert search.hope <= search.bound * (1 + 1e-9)
        assert search.bound - search.hope <= 1.001 * WORTHWHILE * search.bound
        for price in search.price * 10 ** rng.uniform(-0.3, 0.3, (40, 2)):
            assert search.fleet.bound(search.box, price) >= search.hope * (1 - 1e-9)


def test_a_mix_meets_the_capacities_and_is_worth_the_hope() -> None:
    rng = np.random.default_rng(22)
    for _ in range(30):
        problem = draw(rng, int(rng.integers(1, 8)))
        search = Bounding(Fleet(problem), whole(problem), np.ones(2))
        search.search()
        mix = search.mix()
        assert np.all(mix.mean.sum(axis=0) <= problem.capacity * (1 + 1e-6))
        assert mix.share @ mix.worth.sum(axis=1) == pytest.approx(search.hope, rel=1e-5)


def test_a_proof_is_evaluated_again_not_believed() -> None:
    """A tree holds splits and prices, never a bound; a worse price is a worse bound, and no price too low a one."""
    problem = PRESETS["Fleet B"].problem
    best = fs.allocate(problem, fs.FairSynergy()).total
    for price in ([0.6, 0.5], [0.1, 5.0], [0.0, 0.0]):
        leaf = Leaf(np.array(price))
        assert proved_bound(problem, leaf) >= best
        split = Split(3, 0, 0.4, leaf, leaf)
        assert best <= proved_bound(problem, split) <= proved_bound(problem, leaf) * (1 + 1e-12)


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
    gap = fs.allocate(paper_fleet(rng, 300), fs.FairSynergy()).gap
    assert gap is not None
    assert gap <= 2e-3


def test_a_bound_holds_beside_endowments_that_dwarf_the_capacity() -> None:
    """The best of an agent's points differ by less than a rounding error of its holding."""
    endowment = np.zeros((7, 2))
    endowment[6, 1] = 1e9
    elasticity = np.full((7, 2), 0.5)
    elasticity[6] = 0.999999, 0.0625
    problem = fs.Problem(endowment=endowment, capacity=[8.75, 8.75], elasticity=elasticity)
    found = fs.allocate(problem, fs.FairSynergy())
    assert found.upper_bound is not None
    assert found.upper_bound >= found.total * (1 - 1e-12)


def test_the_price_of_what_nobody_can_give_may_be_beyond_any_number() -> None:
    """Agent 1 would pay without end for the first of what there is none of; the bound is that of the rest."""
    problem = fs.Problem(
        endowment=[[0, 0.25], [2e12, 0], [1e11, 2], [0, 0]],
        capacity=[4e11, 0],
        elasticity=[[0.1, 4.76e-5], [0.825, 3.42e-5], [0.907, 6.2e-7], [0.3, 0.64]],
        weight=[5, 1, 2, 1],
    )
    found = fs.allocate(problem, fs.FairSynergy())
    assert found.price is not None
    assert np.isinf(found.price[1])
    assert found.upper_bound is not None
    assert found.total * (1 - 1e-12) <= found.upper_bound <= found.total * (1 + 1e-9)
