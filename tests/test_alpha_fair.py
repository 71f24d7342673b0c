"""Alpha-fairness from end to end: the referee, the two rules at its ends, its conditions, and what its dial does.

Marginals and welfare are written out again here, so that the package and its tests cannot be wrong alike.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from strategies import NAMED, changed, fleet, problems

import fairsynergy as fs
from fairsynergy.kernel._objective import AlphaWelfare, TotalUtility, WorstUtility
from fairsynergy.policies import reference
from fairsynergy.policies._alpha_fair import LARGEST
from fairsynergy.problem import Array

ALPHAS = (0.5, 0.75, 1.0, 1.5, 2.0, 4.0, 8.0)
# From Nash on every fleet is convex; these reach into every part of the dial.
CONVEX = (1.0, 1.0 + 1e-9, 1.5, 2.0, 8.0, 50.0, 1000.0)
SMALLEST = float(np.finfo(np.float64).tiny)


def divide(problem: fs.Problem, alpha: float) -> Array:
    return fs.allocate(problem, fs.AlphaFair(alpha)).grant


def equivalent(problem: fs.Problem, grant: Array, alpha: float) -> float:
    """The accuracy that would be as good if everyone had it: (sum w U^(1-alpha) / sum w)^(1 / (1-alpha)).

    Alpha-fair welfare rises with it, and unlike welfare it is an accuracy: it neither passes through zero at
    alpha = 1 nor turns a difference of 1e-9 in accuracy into one of 7e-9 at alpha = 8.
    """
    log_utility, share = problem.log_utility(grant), problem.weight / problem.weight.sum()
    if alpha == 1:
        return float(np.exp(share @ log_utility))
    lowest = log_utility.min()
    mean = share @ np.exp((1 - alpha) * (log_utility - lowest))
    return float(np.exp(lowest + np.log(mean) / (1 - alpha)))


def log_marginal(problem: fs.Problem, grant: Array, alpha: float) -> Array:
    """log of w_i g_ik U_i^(1-alpha) / h_ik."""
    held = np.log(np.maximum(np.minimum(problem.endowment + grant, problem.saturation), SMALLEST))
    log_utility = (problem.elasticity * held).sum(axis=1, keepdims=True)
    return np.log(problem.weight)[:, None] + np.log(problem.elasticity) + (1 - alpha) * log_utility - held


def drawn(seed: int, n: int, m: int) -> fs.Problem:
    """Holdings between 0.01 and a few; every second fleet has weights, every third floors, ceilings, saturation."""
    rng = np.random.default_rng([seed, n, m])
    capacity = n * rng.uniform(0.1, 1.0, m)
    bounded = seed % 3 == 0
    floor = 0.6 * capacity / n * rng.random((n, m)) * (rng.random((n, m)) < 0.3) * bounded
    ceiling = np.where((rng.random((n, m)) < 0.5) & bounded, floor + capacity / n * rng.uniform(0.3, 2, (n, m)), np.inf)
    return fs.Problem(
        endowment=rng.uniform(0.01, 0.5, (n, m)),
        capacity=capacity,
        elasticity=rng.uniform(0.05, 0.95, (n, m)),
        weight=rng.uniform(0.3, 3.0, n) if seed % 2 else None,
        floor=floor,
        ceiling=ceiling,
        saturation=rng.uniform(0.5, 1.5) if bounded else None,
    )


# The referee.


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("n", [2, 10, 50])
def test_we_agree_with_the_referee(alpha: float, n: int) -> None:
    """210 random fleets in all: ten for each alpha and size, in turn of one and two resources, and of three."""
    for seed in range(10):
        problem = drawn(seed, n, (1, 2, 2, 3)[seed % 4] if alpha > 0.5 else 1 + seed % 2)
        ours, theirs = fs.allocate(problem, fs.AlphaFair(alpha)), reference.solve(problem, fs.AlphaFair(alpha))
        assert ours.status is fs.Status.OPTIMAL
        assert equivalent(problem, ours.grant, alpha) == pytest.approx(theirs.objective, rel=1e-6)
        assert theirs.objective == pytest.approx(equivalent(problem, theirs.grant, alpha), rel=1e-12)
        # Welfare is flat at its optimum: grants agree to about the root of what welfare does.
        assert (np.abs(ours.grant - theirs.grant) / problem.capacity).max() <= 1e-2


def test_the_referee_refuses_what_is_not_convex() -> None:
    with pytest.raises(fs.ProblemError, match=r"at most 1.25 for convex alpha-fair welfare, got 1.4"):
        reference.solve(fleet("b"), fs.AlphaFair(0.2))
    assert reference.solve(fleet("b"), fs.AlphaFair(0.5)).status == "optimal"


# Known answers.


def test_nash_on_the_paper_s_fleets() -> None:
    found = fs.allocate(fleet("a"), fs.Nash())
    expected = [0.1025, 0.0825, 0.0625, 0.0425, 0.065, 0.045, 0.025, 0.0275, 0.0075, 0.0]
    np.testing.assert_allclose(found.grant[:, 0], expected, atol=1e-15)
    assert (found.mean, found.worst) == (pytest.approx(0.234793, abs=5e-7), pytest.approx(0.139971, abs=5e-7))
    found = fs.allocate(fleet("b"), fs.Nash())
    assert (found.mean, found.worst) == (pytest.approx(0.277381, abs=5e-7), pytest.approx(0.159839, abs=5e-7))


@pytest.mark.parametrize("m", [1, 2, 3])
@pytest.mark.parametrize("alpha", [0.6, 1.0, 3.0, 1000.0])
def test_two_alike_but_for_weights_who_own_nothing(alpha: float, m: int) -> None:
    """w h^(s (1 - alpha) - 1) equal: holdings of each resource go as w^(1 / (1 - s (1 - alpha)))."""
    gamma = np.full((2, m), 0.3)
    problem = fs.Problem(endowment=np.zeros((2, m)), capacity=np.ones(m), elasticity=gamma, weight=[1.0, 8.0])
    ratio = 8 ** (1 / (1 - 0.3 * m * (1 - alpha)))
    expected = np.tile([[1 / (1 + ratio)], [ratio / (1 + ratio)]], m)
    np.testing.assert_allclose(divide(problem, alpha), expected, rtol=1e-9)


# The ends of the dial, and what lies close to them.


@pytest.mark.parametrize("name", NAMED)
def test_zero_is_fair_synergy(name: str) -> None:
    zero, total = fs.allocate(NAMED[name], fs.AlphaFair(0)), fs.allocate(NAMED[name], fs.FairSynergy())
    np.testing.assert_array_equal(zero.grant, total.grant)
    assert zero.certificate == total.certificate
    assert zero.status is total.status


@pytest.mark.parametrize("name", NAMED)
def test_one_is_nash(name: str) -> None:
    one, nash = fs.allocate(NAMED[name], fs.AlphaFair(1)), fs.allocate(NAMED[name], fs.Nash())
    np.testing.assert_array_equal(one.grant, nash.grant)
    assert one.certificate == nash.certificate


@pytest.mark.parametrize("alpha", [np.inf, 2 * LARGEST])
@pytest.mark.parametrize("name", [name for name, problem in NAMED.items() if problem.m < 3])
def test_infinity_is_leximin(name: str, alpha: float) -> None:
    last, leximin = fs.allocate(NAMED[name], fs.AlphaFair(alpha)), fs.allocate(NAMED[name], fs.Leximin())
    np.testing.assert_array_equal(last.grant, leximin.grant)
    assert last.certificate == leximin.certificate


def test_leximin_s_limit_on_resources_is_that_of_infinity() -> None:
    with pytest.raises(fs.ProblemError, match="handles one or two resources, got 3"):
        divide(NAMED["three resources"], np.inf)
    assert fs.allocate(NAMED["three resources"], fs.AlphaFair(LARGEST)).status is fs.Status.OPTIMAL


@given(problem=problems(mild=True, weights=False))
def test_the_larger_alpha_the_nearer_leximin(problem: fs.Problem) -> None:
    """The worst-off never do better than under Leximin, and fall short by what goes as 1 / alpha."""
    best = fs.allocate(problem, fs.Leximin()).worst
    for alpha in (100.0, 1000.0, LARGEST):
        shortfall = 1 - fs.allocate(problem, fs.AlphaFair(alpha)).worst / best
        assert -1e-12 <= shortfall <= 30 / alpha


@given(problem=problems(mild=True, concave=True))
def test_the_dial_has_no_jumps(problem: fs.Problem) -> None:
    for alpha, near in ((0.0, 1e-9), (1.0, 1 - 1e-9), (1.0, 1 + 1e-9), (3.0, 3 + 1e-9)):
        apart = np.abs(problem.utility(divide(problem, alpha)) - problem.utility(divide(problem, near)))
        assert apart.max() <= 1e-6


def test_the_pull_of_weights_fades() -> None:
    """At alpha = 1000 a weight of 10 counts as 10^(1/1000) in accuracy: 0.2 %."""
    heavy = NAMED["weights, two resources"]
    weighed, equal = (fs.allocate(problem, fs.AlphaFair(1000)) for problem in (heavy, changed(heavy, weight=None)))
    np.testing.assert_allclose(weighed.utility, equal.utility, rtol=5e-3)
    assert np.abs(weighed.utility / equal.utility - 1).max() > 1e-4


# Optimality.


@pytest.mark.parametrize("alpha", CONVEX)
@pytest.mark.parametrize("name", NAMED)
def test_every_named_problem_is_proved_optimal(name: str, alpha: float) -> None:
    allocation = fs.allocate(NAMED[name], fs.AlphaFair(alpha))
    assert allocation.status is fs.Status.OPTIMAL, allocation.certificate


@given(problem=problems(resources=(1, 2, 3, 4)), alpha=st.sampled_from(CONVEX))
def test_from_nash_on_any_fleet_is_proved_optimal(problem: fs.Problem, alpha: float) -> None:
    """Whatever the elasticities, and with amounts over eighteen orders of magnitude."""
    allocation = fs.allocate(problem, fs.AlphaFair(alpha))
    assert allocation.status is fs.Status.OPTIMAL, allocation.certificate


@given(problem=problems(resources=(1, 2), mild=True), alpha=st.floats(0.5, 1.0))
def test_below_nash_what_is_convex_is_proved_optimal(problem: fs.Problem, alpha: float) -> None:
    assert fs.allocate(problem, fs.AlphaFair(alpha)).status is fs.Status.OPTIMAL


@given(problem=problems(resources=(1, 2, 3), mild=True), alpha=st.floats(0.0, 0.5))
def test_elsewhere_nothing_is_claimed_that_is_not_proved(problem: fs.Problem, alpha: float) -> None:
    allocation = fs.allocate(problem, fs.AlphaFair(alpha))
    convex = ((1 - alpha) * problem.elasticity.sum(axis=1) <= 1).all()
    allowed = {fs.Status.OPTIMAL} if convex else {fs.Status.OPTIMAL, fs.Status.STATIONARY}
    assert allocation.status in allowed


@pytest.mark.parametrize("alpha", [0.6, *CONVEX])
@given(problem=problems(mild=True, resources=(1, 2, 3), concave=True))
def test_marginals_are_level(alpha: float, problem: fs.Problem) -> None:
    """Between the bounds, one marginal per resource; no higher at the lower bound, no lower at the upper."""
    grant = divide(problem, alpha)
    marginal = log_marginal(problem, grant, alpha)
    within = 1e-5 if alpha < 1 else 1e-9 * max(1.0, alpha / 10)
    for k in range(problem.m):
        buyers, sellers = grant[:, k] < problem.upper[:, k], grant[:, k] > problem.floor[:, k]
        dearest = marginal[buyers, k].max(initial=-np.inf)
        assert dearest <= marginal[sellers, k].min(initial=np.inf) + within
        if buyers.any():
            assert grant[:, k].sum() == pytest.approx(problem.capacity[k], rel=1e-12)


@given(problem=problems(mild=True, resources=(2, 3)), alpha=st.sampled_from((1.5, 3.0, 8.0)))
def test_each_resource_is_the_kernel_given_the_others(problem: fs.Problem, alpha: float) -> None:
    grant = divide(problem, alpha)
    held = np.minimum(problem.holding(grant), problem.saturation)
    for k in range(problem.m):
        others = np.delete(held, k, axis=1) ** np.delete((1 - alpha) * problem.elasticity, k, axis=1)
        filled = fs.waterfill(
            problem.weight * problem.elasticity[:, k] * others.prod(axis=1),
            1 - (1 - alpha) * problem.elasticity[:, k],
            problem.endowment[:, k],
            problem.capacity[k],
            problem.floor[:, k],
            problem.upper[:, k],
        )
        np.testing.assert_allclose(grant[:, k], filled.grant, rtol=1e-9, atol=1e-10 * problem.capacity[k])


@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.0, 2.0, 50.0])
@given(problem=problems(mild=True, concave=True), seed=st.integers(0, 2**32 - 1))
def test_no_exchange_improves_it(alpha: float, problem: fs.Problem, seed: int) -> None:
    rng, grant = np.random.default_rng(seed), divide(problem, alpha)
    best = equivalent(problem, grant, alpha)
    for _ in range(40):
        moved = grant.copy()
        for k in range(problem.m):
            give, take = rng.integers(problem.n, size=2)
            room = min(moved[give, k] - problem.floor[give, k], problem.upper[take, k] - moved[take, k])
            amount = max(room, 0.0) * 10.0 ** -rng.uniform(0, 7)
            moved[give, k] -= amount
            moved[take, k] += amount
        assert equivalent(problem, moved, alpha) <= best * (1 + 1e-11)


# What the dial does.


@given(problem=problems(mild=True, resources=(1,)))
def test_turning_the_dial_up_lifts_the_worst_off_and_lowers_the_total(problem: fs.Problem) -> None:
    along = [fs.allocate(problem, fs.AlphaFair(alpha)) for alpha in (0, 0.2, 0.5, 0.9, 1, 1.3, 2, 5, 20, 100, 1e3, 1e4)]
    for less, more in pairwise(along):
        assert more.worst >= less.worst * (1 - 1e-12)
        assert more.total <= less.total * (1 + 1e-12)


@pytest.mark.parametrize("alpha", [0.3, 1.0, 2.0, 30.0])
@given(problem=problems(mild=True, resources=(1,)))
def test_more_weight_never_means_less(alpha: float, problem: fs.Problem) -> None:
    weight = problem.weight.copy()
    weight[0] *= 3
    assert divide(changed(problem, weight=weight), alpha)[0, 0] >= divide(problem, alpha)[0, 0] - 1e-9


PRICED = ["one resource", "two resources", "weights", "weights, two resources", "Fleet A", "floors", "three resources"]


@pytest.mark.parametrize("alpha", [0.4, 1.0, 2.0, 20.0])
@pytest.mark.parametrize("name", PRICED)
def test_the_price_is_what_more_capacity_is_worth(name: str, alpha: float) -> None:
    """In the accuracy that would be as good if everyone had it, per unit."""
    problem = NAMED[name]
    price = fs.allocate(problem, fs.AlphaFair(alpha)).price
    assert price is not None
    for k in range(problem.m):
        step = np.zeros(problem.m)
        step[k] = 1e-5 * problem.capacity[k]
        more, less = (changed(problem, capacity=problem.capacity + sign * step) for sign in (1, -1))
        worth = equivalent(more, divide(more, alpha), alpha) - equivalent(less, divide(less, alpha), alpha)
        assert price[k] == pytest.approx(worth / (2 * step[k]), rel=1e-4)


# Agents at the edge.


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0, 100.0, np.inf])
def test_who_can_never_leave_zero_does_not_poison_the_rest(alpha: float) -> None:
    problem = NAMED["somebody lacks what cannot be shared"]
    allocation = fs.allocate(problem, fs.AlphaFair(alpha))
    assert allocation.status is fs.Status.OPTIMAL
    assert allocation.utility[1] == 0
    assert (allocation.grant[1] == 0).all()
    rows = {name: getattr(problem, name)[[0, 2]] for name in ("endowment", "elasticity")}
    np.testing.assert_allclose(allocation.grant[[0, 2]], divide(fs.Problem(capacity=[1.0, 0.0], **rows), alpha))


@pytest.mark.parametrize("m", [1, 2])
@pytest.mark.parametrize("alpha", CONVEX)
def test_from_nash_on_nobody_is_left_at_zero_who_can_be_lifted(alpha: float, m: int) -> None:
    """Not even a nearly inelastic agent, for whom the smallest number is plenty."""
    problem = fs.Problem(
        endowment=np.array([[0.0], [1e-5], [0.0]]) * np.ones(m),
        capacity=np.full(m, 1e-6),
        elasticity=np.array([[1e-12], [0.9], [0.5]]) * np.ones(m),
    )
    allocation = fs.allocate(problem, fs.AlphaFair(alpha))
    assert allocation.status is fs.Status.OPTIMAL
    assert (allocation.utility > 0).all()


@pytest.mark.parametrize("alpha", [1.5, 50.0, 1000.0])
def test_grants_too_small_to_show_beside_endowments(alpha: float) -> None:
    problem = changed(NAMED["two resources"], endowment=1.0 + NAMED["two resources"].endowment, capacity=[1e-20, 1e-20])
    assert fs.allocate(problem, fs.AlphaFair(alpha)).status is fs.Status.OPTIMAL


@pytest.mark.parametrize("alpha", [2.0, 50.0, 1000.0])
def test_accuracies_far_from_one_do_not_overflow(alpha: float) -> None:
    for unit in (1e-100, 1e100):
        problem = changed(NAMED["Fleet B"], endowment=unit * NAMED["Fleet B"].endowment, capacity=[unit, unit])
        allocation = fs.allocate(problem, fs.AlphaFair(alpha))
        assert allocation.status is fs.Status.OPTIMAL
        assert np.isfinite(allocation.price).all()  # type: ignore[arg-type]  # it has one


# The objective.


def test_the_certificate_is_not_fooled() -> None:
    problem = NAMED["two resources"]
    grant = divide(problem, 2.0)
    assert AlphaWelfare(2.0).level(problem, grant).residual <= 1e-12
    moved = grant.copy()
    moved[:2, 0] += [1e-4, -1e-4]
    for other in (AlphaWelfare(2.0).level(problem, moved), AlphaWelfare(2.1).level(problem, grant)):
        assert other.residual > 1e-5
    for nothing in (AlphaWelfare(alpha).level(problem, np.zeros((7, 2))) for alpha in (0.5, 1.0, 2.0)):
        assert (nothing.price > 0).all()  # so that capacity left over is held against it


def test_convex_or_not() -> None:
    steep = NAMED["increasing returns"]  # elasticities add up to 1.5
    assert not any(AlphaWelfare(alpha).concave(steep) for alpha in (0.0, 0.33))
    assert all(AlphaWelfare(alpha).concave(steep) for alpha in (0.34, 1.0, 9.0))


def test_the_objective_depends_on_alpha() -> None:
    kinds = [type(fs.AlphaFair(alpha).objective) for alpha in (0, 0.5, LARGEST, 2 * LARGEST)]
    assert kinds == [TotalUtility, AlphaWelfare, AlphaWelfare, WorstUtility]
    assert AlphaWelfare(1.0).sentence == "the product of accuracies"
    assert AlphaWelfare(2.0).sentence == "alpha-fair welfare with alpha = 2"


# The door.


@pytest.mark.parametrize("alpha", [-1, -1e-9, np.nan, -np.inf, "2", None, True, 1j, [1.0], np.array([1.0])], ids=repr)
def test_a_senseless_alpha_is_refused(alpha: object) -> None:
    with pytest.raises(fs.ProblemError, match=r"`alpha` must be a number >= 0, got .*; 0 is the greatest") as caught:
        fs.AlphaFair(alpha)  # type: ignore[arg-type]
    assert caught.value.field == "alpha"


@pytest.mark.parametrize("alpha", [2, 2.0, np.float32(2), np.int64(2), Fraction(2)], ids=repr)
def test_any_real_number_is_an_alpha(alpha: float) -> None:
    assert fs.AlphaFair(alpha) == fs.AlphaFair(2.0)
    assert fs.AlphaFair(alpha).label == "Alpha-fair (alpha = 2)"


def test_nash_has_its_own_name() -> None:
    nash = fs.Nash()
    assert (nash.name, nash.label, nash.alpha, repr(nash)) == ("Nash", "Nash", 1.0, "Nash()")
    assert nash == fs.Nash()
    assert nash.sentence != fs.AlphaFair(1).sentence


@pytest.mark.parametrize("alpha", [0.1, 0.2, 0.3])
def test_below_one_a_proof_bounds_the_welfare_where_it_is_not_concave(alpha):
    proved = 0
    for seed in range(12):
        rng = np.random.default_rng([seed, 41])
        problem = fs.Problem(
            endowment=rng.uniform(0, 0.1, (20, 2)), capacity=[10, 10], elasticity=rng.uniform(0.1, 0.95, (20, 2)),
            saturation=1.0,
        )  # fmt: skip
        found = fs.allocate(problem, fs.AlphaFair(alpha))
        assert not found.policy.objective.concave(problem)
        gap = found.certificate.own_gap
        assert gap is not None
        assert (found.status is fs.Status.OPTIMAL) == (gap <= 1e-6)
        proved += found.status is fs.Status.OPTIMAL
        # The welfare is the total accuracy of a fleet with elasticities (1 - alpha) gamma.
        eased = changed(problem, elasticity=(1 - alpha) * problem.elasticity)
        best = fs.allocate(eased, fs.CertifiedOptimum(tolerance=1e-6, boxes=50))
        assert eased.utility(found.grant).sum() >= best.total * (1 - gap) * (1 - 1e-12)
    assert proved > 0


@pytest.mark.parametrize("alpha", [1.5, 2, 7, 50])
@pytest.mark.parametrize("nudge", [0, 1e-16, 1e-15, 1e-14, 1e-12, 1e-9])
def test_a_capacity_next_to_the_sum_of_the_ceilings_takes_a_few_rounds(alpha: float, nudge: float) -> None:
    """A market in which everyone is full and next to nothing is missing does not upset the others."""
    for seed in range(6):
        rng = np.random.default_rng([9, seed])
        n, m = int(rng.integers(2, 8)), int(rng.integers(2, 4))
        ceiling = rng.choice([0.1, 0.25, 0.3, 0.5, 1], (n, m))
        capacity = ceiling.sum(axis=0) * (1 - nudge)
        if seed % 2:
            capacity[0] /= 2
        problem = fs.Problem(
            endowment=rng.choice([0, 0.01, 0.1, 0.5], (n, m)),
            capacity=capacity,
            elasticity=rng.choice([0.1, 0.3, 0.5, 0.7, 0.9], (n, m)),
            ceiling=ceiling,
        )
        found = fs.allocate(problem, fs.AlphaFair(alpha))
        assert found.status is fs.Status.OPTIMAL
        assert found.iterations <= 300
        assert found.certificate.budget <= 1e-14
