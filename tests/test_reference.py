"""The kernel and the searches against the referee: objectives tightly, grants loosely, over random fleets."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from strategies import NAMED, changed, fleet

import fairsynergy as fs
from fairsynergy.policies import reference


class Within(NamedTuple):
    """Largest relative difference of the objective, and of the grants as a fraction of the capacity."""

    objective: float
    grant: float


# The one table of tolerances: rule and resources. The referee stops at about 1e-8, and an objective is flat at its
# optimum, so that grants agree to the square root of that; levels are steep, so that Leximin's agree further.
TOLERANCES: dict[tuple[str, int], Within] = {
    ("Fair-Synergy", 1): Within(1e-6, 1e-3),
    ("Fair-Synergy", 2): Within(1e-6, 1e-2),
    ("Fair-Synergy", 3): Within(1e-6, 1e-2),
    ("NUM", 1): Within(1e-6, 1e-3),
    ("NUM", 2): Within(1e-6, 1e-3),
    ("Leximin", 1): Within(1e-7, 1e-5),
    ("Leximin", 2): Within(1e-7, 1e-3),
}
KINDS = ["plain", "weights", "bounds", "saturation", "everything"]


def drawn(kind: str, m: int, n: int, seed: int) -> fs.Problem:
    """A fleet with a concave total, holdings between 0.01 and a few, and the bounds of its kind."""
    rng = np.random.default_rng([n, m, seed, KINDS.index(kind)])
    capacity = n * rng.uniform(0.1, 1.0, m)
    bounded = kind in ("bounds", "everything")
    floor = 0.6 * capacity / n * rng.random((n, m)) * (rng.random((n, m)) < 0.3) * bounded
    ceiling = np.where((rng.random((n, m)) < 0.5) & bounded, floor + capacity / n * rng.uniform(0.3, 2, (n, m)), np.inf)
    return fs.Problem(
        endowment=rng.uniform(0.01, 0.5, (n, m)),
        capacity=capacity,
        elasticity=rng.uniform(0.05, 0.95, (n, m)) / m,
        weight=rng.uniform(0.3, 3.0, n) if kind in ("weights", "everything") else None,
        floor=floor,
        ceiling=ceiling,
        saturation=rng.uniform(0.5, 1.5) if kind in ("saturation", "everything") else None,
    )


def score(problem: fs.Problem, rule: str, grant: fs.problem.Array) -> float:
    if rule == "Fair-Synergy":
        return float(problem.weight @ problem.utility(grant))
    if rule == "NUM":
        return float(problem.weight @ np.log(np.minimum(problem.holding(grant), problem.saturation)).sum(axis=1))
    return float(np.min(problem.utility(grant) / problem.weight))


def assert_agree(problem: fs.Problem, rule: str) -> None:
    within = TOLERANCES[rule, problem.m]
    ours = fs.allocate(problem, fs.POLICIES[rule]).grant
    theirs = reference.solve(problem, fs.POLICIES[rule])
    scale = problem.n * problem.m if rule == "NUM" else abs(theirs.objective)
    difference = score(problem, rule, ours) - theirs.objective
    assert abs(difference) <= within.objective * scale, difference / scale
    # The lowest level alone does not decide the grants of those who stand above it.
    lifted = (problem.utility(ours) / problem.weight <= theirs.objective * (1 + 1e-6)) | (rule != "Leximin")
    apart = np.abs(ours - theirs.grant)[lifted] / problem.capacity
    if rule != "Leximin" or lifted.all():
        assert apart.max() <= within.grant


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [1, 2, 7, 30])
@pytest.mark.parametrize(("rule", "m"), TOLERANCES)
def test_we_agree_with_the_referee(rule: str, m: int, n: int, kind: str) -> None:
    for seed in range(2):
        assert_agree(drawn(kind, m, n, seed), rule)


def test_we_agree_on_a_large_fleet() -> None:
    for rule, m in TOLERANCES:
        assert_agree(drawn("plain", m, 300, 0), rule)


@pytest.mark.parametrize("name", ["Fleet A", "Fleet B", "weights, two resources", "tiny unit", "huge unit"])
def test_the_level_of_leximin_on_named_problems(name: str) -> None:
    problem = NAMED[name]
    ours = fs.allocate(problem, fs.Leximin())
    theirs = reference.solve(problem, fs.Leximin()).objective
    assert np.min(ours.utility / problem.weight) == pytest.approx(theirs, rel=1e-7)


def test_constant_returns_are_stated_without_a_last_cone() -> None:
    """Elasticities that add up to 1; the optimum is one value at many grants."""
    problem = changed(drawn("plain", 2, 6, 3), elasticity=np.array([[0.3, 0.7], [0.5, 0.5], [0.1, 0.2]] * 2))
    ours, theirs = fs.allocate(problem, fs.FairSynergy()), reference.solve(problem, fs.FairSynergy())
    assert ours.total == pytest.approx(theirs.objective, rel=1e-6)


def test_zero_endowments_agree() -> None:
    for m in (1, 2):
        problem = changed(drawn("plain", m, 5, 4), endowment=np.zeros((5, m)))
        for rule in ("Fair-Synergy", "NUM", "Leximin"):
            assert_agree(problem, rule)


def test_the_proved_bound_is_above_the_referee() -> None:
    for kind in KINDS:
        for m in (1, 2):
            problem = drawn(kind, m, 10, 5)
            best = reference.solve(problem, fs.FairSynergy()).objective
            for policy in fs.POLICIES.values():
                bound = fs.allocate(problem, policy).upper_bound
                assert bound is not None
                assert bound >= best * (1 - 1e-8)


# The referee itself.


def test_the_referee_keeps_within_the_limits() -> None:
    problem = drawn("everything", 2, 8, 6)
    for rule in ("Fair-Synergy", "NUM", "Leximin"):
        verdict = reference.solve(problem, fs.POLICIES[rule])
        assert verdict.status == "optimal"
        assert verdict.seconds > 0
        assert (verdict.grant >= problem.floor).all()
        assert (verdict.grant <= problem.ceiling).all()
        assert (verdict.grant.sum(axis=0) <= problem.capacity * (1 + 1e-6)).all()
        assert verdict.objective == pytest.approx(score(problem, rule, verdict.grant), rel=1e-12)


def test_the_referee_refuses_increasing_returns() -> None:
    with pytest.raises(fs.ProblemError, match=r"`elasticity\[0\]` \(agent 1\) must add up to at most 1.*got 1.4"):
        reference.solve(fleet("b"), fs.FairSynergy())
    assert reference.solve(fleet("b"), fs.Leximin()).status == "optimal"


@pytest.mark.parametrize("rule", ["Uniform", "Random", "DRF"])
def test_the_referee_refuses_rules_that_maximise_nothing(rule: str) -> None:
    with pytest.raises(fs.ProblemError, match=f"cannot state what {rule} maximises"):
        reference.solve(fleet("a"), fs.POLICIES[rule])


@pytest.mark.parametrize("unit", [None, np.array([1.0, 0.1])])
def test_a_statement_serves_any_solver(unit: fs.problem.Array | None) -> None:
    problem = drawn("everything", 2, 6, 7)
    for rule in ("Fair-Synergy", "NUM", "Leximin"):
        policy = fs.POLICIES[rule]
        stated = reference.state(problem, policy, unit=unit)
        stated.programme.solve(solver="SCS", eps_abs=1e-8, eps_rel=1e-8)
        found = np.clip(stated.grant.value * stated.unit, problem.floor, problem.upper)
        assert reference.score(problem, policy, found) == pytest.approx(
            reference.solve(problem, policy).objective, rel=1e-5
        )


def test_what_is_scored_is_what_the_rule_maximises() -> None:
    problem = changed(drawn("weights", 2, 5, 8), saturation=0.4)
    grant = fs.allocate(problem, fs.Uniform()).grant
    for rule in ("Fair-Synergy", "NUM", "Leximin"):
        assert reference.score(problem, fs.POLICIES[rule], grant) == pytest.approx(
            score(problem, rule, grant), rel=1e-12
        )
    log_mean = problem.weight @ np.log(problem.utility(grant)) / problem.weight.sum()
    assert reference.score(problem, fs.Nash(), grant) == pytest.approx(np.exp(log_mean), rel=1e-12)
    with pytest.raises(fs.ProblemError, match="cannot state what Uniform maximises"):
        reference.score(problem, fs.Uniform(), grant)


def test_a_failing_solver_is_a_solver_error() -> None:
    """Somebody whose accuracy is zero whatever happens has no logarithm."""
    problem = NAMED["somebody lacks what cannot be shared"]
    with pytest.raises(fs.SolverError, match="Clarabel"):
        reference.solve(problem, fs.Leximin())
