"""The certified optimum: what it proves is true, and what it finds is the best."""

import numpy as np
import pytest
from hypothesis import given
from scipy.optimize import minimize
from strategies import NAMED, changed, fleet, paper_fleet, problems

import fairsynergy as fs
from fairsynergy.kernel._dual import Split


def best_by_zooming(problem: fs.Problem) -> float:
    """Best total of two agents: what the first receives on a grid over both resources, the second the rest, as far as
    each can hold it; then finer grids around the best points."""
    capacity, best = problem.capacity, -np.inf
    corners = [(np.zeros(2), capacity)]
    for _ in range(8):
        finer = []
        for low, high in corners:
            axes = [np.linspace(*ends, 33) for ends in zip(low, high, strict=True)]
            first = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
            grants = np.minimum(np.stack([first, capacity - first], axis=1), problem.upper)
            total = problem.utility(grants) @ problem.weight
            best = max(best, float(total.max()))
            step = (high - low) / 16
            for place in first[np.argsort(-total)[:6]]:
                finer.append((np.maximum(place - step, 0), np.minimum(place + step, capacity)))
        corners = finer[:12]
    return best


def test_two_agents_against_every_division() -> None:
    rng = np.random.default_rng(31)
    for seed in range(40):
        problem = paper_fleet(np.random.default_rng([2, seed]), 2)
        if seed % 2:
            problem = changed(problem, weight=rng.uniform(0.5, 2, 2), ceiling=rng.uniform(0.2, 2, (2, 2)))
        found = fs.allocate(problem, fs.CertifiedOptimum())
        best = best_by_zooming(problem)
        assert found.upper_bound is not None
        assert found.upper_bound >= best * (1 - 1e-9)
        assert found.total >= best * (1 - 1e-4)


def polished(problem: fs.Problem, grant: np.ndarray) -> float:
    """Total at the end of a general-purpose climb from these grants, brought back within the capacities."""
    shape = (problem.n, problem.m)
    climbed = minimize(
        lambda flat: -float(problem.weight @ problem.utility(flat.reshape(shape))),
        np.maximum(grant, 1e-6).ravel(),
        bounds=list(zip(problem.floor.ravel(), np.minimum(problem.upper, problem.capacity).ravel(), strict=True)),
        constraints={"type": "ineq", "fun": lambda flat: problem.capacity - flat.reshape(shape).sum(axis=0)},
        method="SLSQP",
    ).x.reshape(shape)
    within = np.clip(climbed, 0, problem.upper) * np.minimum(1, problem.capacity / climbed.sum(axis=0))
    return float(problem.weight @ problem.utility(within))


def test_three_agents_against_a_grid_and_a_general_climb() -> None:
    steps = np.linspace(0, 1, 21)
    parts = np.array([(x, y, 1 - x - y) for x in steps for y in steps if x + y <= 1 + 1e-9]).clip(0)
    for seed in range(12):
        problem = paper_fleet(np.random.default_rng([3, seed]), 3)
        found = fs.allocate(problem, fs.CertifiedOptimum())
        # Every division of one resource with every division of the other.
        first, second = (problem.capacity[k] * parts for k in range(2))
        grants = np.stack([np.repeat(first, len(parts), axis=0), np.tile(second, (len(parts), 1))], axis=-1)
        grants = np.minimum(grants, problem.upper)
        total = problem.utility(grants) @ problem.weight
        best = max(float(total.max()), *(polished(problem, grants[k]) for k in np.argsort(-total)[:8]))
        assert found.upper_bound is not None
        assert found.upper_bound >= best
        assert found.total >= best * (1 - 1e-4)


@pytest.mark.parametrize("n", [2, 5, 10, 30, 100])
def test_the_gap_is_closed_and_no_search_does_better(n: int) -> None:
    for seed in range(10):
        problem = paper_fleet(np.random.default_rng([n, seed]), n)
        found = fs.allocate(problem, fs.CertifiedOptimum())
        searched = fs.allocate(problem, fs.FairSynergy())
        assert found.gap is not None
        assert found.gap <= 1e-4
        assert found.status is fs.Status.OPTIMAL
        assert found.total >= searched.total * (1 - 1e-12)
        assert searched.upper_bound is not None
        assert searched.upper_bound >= found.total * (1 - 1e-12)


@pytest.mark.parametrize(("saturation", "mean"), [(None, 0.308811), (1.0, 0.305371)])
def test_fleet_b(saturation: float | None, mean: float) -> None:
    problem = fleet("b") if saturation is None else fleet("b", saturation=saturation)
    found = fs.allocate(problem, fs.CertifiedOptimum(tolerance=1e-6))
    assert found.mean == pytest.approx(mean, abs=5e-7)
    assert found.gap is not None
    assert found.gap <= 1e-6


@pytest.mark.parametrize("name", NAMED)
def test_every_named_problem_is_proved(name: str) -> None:
    problem = NAMED[name]
    found = fs.allocate(problem, fs.CertifiedOptimum())
    for policy in (fs.FairSynergy(), fs.Uniform(), fs.NUM(), fs.DRF()):
        assert found.total >= fs.allocate(problem, policy).total * (1 - 1e-12)
    assert found.gap is not None
    assert found.gap <= 1e-4
    assert found.status is fs.Status.OPTIMAL


@given(problem=problems(resources=(2,), most_agents=8))
def test_any_two_resources(problem: fs.Problem) -> None:
    found = fs.allocate(problem, fs.CertifiedOptimum(boxes=300))
    assert found.certificate.feasible
    assert found.upper_bound is not None
    # Beside endowments much larger than the capacity, accuracies themselves are only this exact.
    assert found.upper_bound >= found.total * (1 - 1e-12)
    assert found.total >= fs.allocate(problem, fs.FairSynergy()).total * (1 - 1e-9)


def test_three_resources_with_increasing_returns_promise_nothing() -> None:
    problem = fs.Problem(endowment=np.full((3, 3), 0.1), capacity=[1, 1, 1], elasticity=np.full((3, 3), 0.6))
    found = fs.allocate(problem, fs.CertifiedOptimum())
    assert found.upper_bound is None
    assert found.gap is None
    assert found.status is fs.Status.STATIONARY


# Limits, progress, and the tree.

HARD = paper_fleet(np.random.default_rng([10, 14]), 10)


def watched(problem: fs.Problem, **settings: object) -> tuple[fs.Allocation, list[fs.Progress]]:
    seen: list[fs.Progress] = []
    return fs.allocate(problem, fs.CertifiedOptimum(progress=seen.append, **settings)), seen


def test_progress_only_ever_closes_the_gap() -> None:
    found, seen = watched(HARD, tolerance=1e-6)
    assert len(seen) == found.iterations > 5
    bounds, totals, gaps = (np.array([getattr(one, what) for one in seen]) for what in ("bound", "total", "gap"))
    assert np.all(np.diff(totals) >= 0)
    assert np.all(bounds >= totals)
    assert gaps[-1] <= 1e-6
    assert np.all(np.diff(bounds[::2]) <= 1e-9 * bounds[0])  # after both halves of a box
    assert found.gap == pytest.approx(gaps[-1], abs=1e-9)


def test_a_limit_ends_the_search_with_the_gap_proved_by_then() -> None:
    whole, _ = watched(HARD, tolerance=1e-6)
    few, seen = watched(HARD, tolerance=1e-6, boxes=3)
    assert few.iterations == len(seen) == 3
    assert few.gap is not None
    assert whole.gap is not None
    assert few.gap > whole.gap
    assert few.upper_bound is not None
    assert few.upper_bound >= whole.total
    assert few.status is not fs.Status.OPTIMAL
    assert watched(HARD, tolerance=1e-6, seconds=1e-9)[0].iterations <= 2


def test_a_true_answer_stops() -> None:
    found = fs.allocate(HARD, fs.CertifiedOptimum(tolerance=1e-6, progress=lambda now: now.boxes >= 4))
    assert found.iterations in (4, 5)  # a box is split into two


def test_the_proof_covers_every_box() -> None:
    division = fs.CertifiedOptimum(tolerance=1e-6).divide(HARD)

    def leaves(tree: object) -> int:
        return leaves(tree.below) + leaves(tree.above) if isinstance(tree, Split) else 1

    assert leaves(division.proof) == (division.iterations + 1) / 2


@pytest.mark.parametrize("tolerance", [0, -1e-4, 1, float("nan"), "small"])
def test_a_tolerance_that_makes_no_sense_is_refused(tolerance: object) -> None:
    with pytest.raises(fs.ProblemError, match="tolerance") as caught:
        fs.CertifiedOptimum(tolerance=tolerance)  # type: ignore[arg-type]
    assert caught.value.field == "tolerance"


@pytest.mark.parametrize("limit", ["seconds", "boxes"])
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_a_limit_that_makes_no_sense_is_refused(limit: str, value: float) -> None:
    with pytest.raises(fs.ProblemError, match=limit):
        fs.CertifiedOptimum(**{limit: value})


@pytest.mark.parametrize("ceiling", [1.0, np.inf])
def test_a_ceiling_that_changes_nothing_changes_nothing(ceiling: float) -> None:
    """The search adds crumbs to whoever lacks both, and keeps the better of before and after."""
    problem = fs.Problem(
        endowment=[[0, 0], [0, 0], [0, 0.5]],
        capacity=[1, 1],
        elasticity=[[0.65, 0.36], [0.7, 0.85], [0.94, 0.94]],
        ceiling=ceiling,
    )
    found = fs.allocate(problem, fs.CertifiedOptimum())
    assert found.status is fs.Status.OPTIMAL
    assert found.total == pytest.approx(1.463948447732544, rel=1e-9)


def test_capacities_that_are_sums_of_ceilings_are_cleared() -> None:
    problem = fs.Problem(
        endowment=[[0, 0.5], [0, 0], [0, 0.5], [0, 0], [0, 0.5], [0.1, 0]],
        capacity=[2, 0.5],
        weight=[1, 5, 10, 1, 5, 10],
        elasticity=[[0.9, 0.1], [0.7, 0.3], [0.1, 0.3], [0.9, 0.1], [0.9, 0.7], [0.1, 0.7]],
        ceiling=[1, 0.25],
    )
    found = fs.allocate(problem, fs.CertifiedOptimum())
    assert found.status is fs.Status.OPTIMAL
    assert found.total == pytest.approx(15.93311224899913, rel=1e-9)
