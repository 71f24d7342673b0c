"""Dividing anew at a price on every unit moved: against SLSQP, at its ends, and what must hold on any fleet."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from scipy.optimize import minimize
from strategies import NAMED, changed, fleet, problems

import fairsynergy as fs
from fairsynergy.kernel._objective import NetOfTaking
from fairsynergy.problem import Array

# From next to nothing to more than any unit adds; each fleet has its own scale.
PRICES = st.sampled_from([1e-6, 1e-3, 0.01, 0.03, 0.1, 0.3, 1.0, 10.0, np.inf])


def replan(problem: fs.Problem, previous: Array, price: object) -> fs.Allocation:
    return fs.allocate(problem, fs.Replan(previous, price))


def taken(previous: Array, grant: Array) -> Array:
    return np.maximum(previous - grant, 0.0).sum(axis=0)


def lot(problem: fs.Problem, seed: int, part: float = 1.0) -> Array:
    """Somebody's earlier division of part of the capacity, without regard to bounds."""
    rng = np.random.default_rng(seed)
    share = rng.random((problem.n, problem.m)) * (rng.random((problem.n, problem.m)) < 0.8) + 1e-3
    return part * problem.capacity * share / share.sum(axis=0)


def worth(problem: fs.Problem, previous: Array, price: object, grant: Array) -> float:
    return NetOfTaking(previous, np.broadcast_to(np.asarray(price, dtype=float), problem.m)).value(problem, grant)


def slsqp(problem: fs.Problem, previous: Array, price: object) -> float:
    """The best value that SciPy finds over what each is given and what is taken, from several starts."""
    shape, size = (problem.n, problem.m), problem.n * problem.m

    def split(z: Array) -> tuple[Array, Array]:
        return z[:size].reshape(shape), z[size:].reshape(shape)

    def loss(z: Array) -> float:
        given, lost = split(z)
        return -float(problem.weight @ problem.utility(previous + given - lost) - (price * lost).sum())

    def left(z: Array) -> Array:
        given, lost = split(z)
        return problem.capacity - (previous + given - lost).sum(axis=0)

    room = np.minimum(problem.ceiling, problem.capacity) - previous
    bounds = [(0.0, max(0.0, high)) for high in room.ravel()]
    bounds += [
        (max(0.0, -high), low) for high, low in zip(room.ravel(), (previous - problem.floor).ravel(), strict=True)
    ]
    limits = [{"type": "ineq", "fun": left}]
    best = -np.inf
    for start in (previous, fs.allocate(problem, fs.Uniform()).grant, fs.allocate(problem, fs.FairSynergy()).grant):
        z = np.concatenate([np.maximum(start - previous, 0.0).ravel(), np.maximum(previous - start, 0.0).ravel()])
        found = minimize(
            loss, z, bounds=bounds, constraints=limits, method="SLSQP", options={"maxiter": 500, "ftol": 1e-14}
        )
        if np.max(-left(found.x)) <= 1e-9:
            best = max(best, -float(found.fun))
    return best


@pytest.mark.parametrize("m", [1, 2])
@pytest.mark.parametrize("price", [0.02, 0.1, 0.4, 2.0])
@pytest.mark.parametrize("seed", range(4))
def test_slsqp_finds_nothing_better(seed: int, price: float, m: int) -> None:
    rng = np.random.default_rng(seed)
    problem = fs.Problem(
        endowment=0.02 + rng.random((5, m)) / 5,
        capacity=np.full(m, 1.5),
        elasticity=rng.uniform(0.1, 0.9 / m, (5, m)),
        weight=rng.uniform(0.5, 2.0, 5),
        floor=0.1 * rng.random((5, m)),
        ceiling=rng.uniform(0.4, 1.5, (5, m)),
    )
    previous = fs.allocate(problem, fs.Random(seed=seed)).grant
    allocation = replan(problem, previous, price)
    assert allocation.status is fs.Status.OPTIMAL
    mine, theirs = worth(problem, previous, price, allocation.grant), slsqp(problem, previous, price)
    assert mine >= theirs * (1 - 1e-12)
    assert mine == pytest.approx(theirs, rel=1e-5)  # and SLSQP, which ends nearby, comes close


@pytest.mark.parametrize("capacity", [0.9, 2.5])
def test_slsqp_finds_nothing_better_once_the_capacity_changed(capacity: float) -> None:
    problem = fleet("a")
    previous = fs.allocate(changed(problem, capacity=1.6), fs.Uniform()).grant
    problem = changed(problem, capacity=capacity)
    allocation = replan(problem, previous, 0.3)
    assert allocation.status is fs.Status.OPTIMAL
    mine, theirs = worth(problem, previous, 0.3, allocation.grant), slsqp(problem, previous, 0.3)
    assert mine >= theirs * (1 - 1e-12)
    assert mine == pytest.approx(theirs, rel=1e-5)


def test_two_agents_by_hand() -> None:
    """sqrt(x) and 2 sqrt(x) of 1 at price 1/2: 1 / sqrt(x) = 1 / (2 sqrt(1 - x)) + 1/2 has no closed form, but where
    nobody should move does: at x = 1/2 the marginals are 0.707 and 1.414, so 0.7071 stops every exchange."""
    problem = fs.Problem(endowment=[0, 0], capacity=1, elasticity=[0.5, 0.5], weight=[1, 2])
    half = np.array([[0.5], [0.5]])
    np.testing.assert_array_equal(replan(problem, half, np.sqrt(0.5) + 1e-12).grant, half)
    moved = replan(problem, half, np.sqrt(0.5) - 1e-3).grant
    assert moved[0, 0] < 0.5
    first, second = (0.5 * w * moved[i, 0] ** -0.5 for i, w in enumerate([1, 2]))
    assert second - first == pytest.approx(np.sqrt(0.5) - 1e-3, rel=1e-12)


@pytest.mark.parametrize("name", NAMED)
def test_without_a_price_it_is_fair_synergy(name: str) -> None:
    problem = NAMED[name]
    free = fs.allocate(problem, fs.FairSynergy())
    np.testing.assert_array_equal(replan(problem, lot(problem, 1), 0.0).grant, free.grant)
    # And next to it, what is at stake is next to nothing.
    near = replan(problem, lot(problem, 1), 1e-13 * free.total / (problem.capacity.sum() + 1e-300))
    assert near.total >= free.total * (1 - 1e-9)


@given(
    problem=problems(mild=True, concave=True, most_agents=6),
    seed=st.integers(0, 99),
    part=st.sampled_from([0.5, 1.0, 1.2]),
)
def test_what_is_taken_falls_with_the_price(problem: fs.Problem, seed: int, part: float) -> None:
    previous = lot(problem, seed, part)
    grants = [replan(problem, previous, price).grant for price in (0.0, 0.02, 0.2, 1.0, 50.0, np.inf)]
    moved = np.array([taken(previous, grant).sum() for grant in grants])
    # A free rider on saturation: at price 0 what is idle may be given to nobody.
    assert (np.diff(moved) <= 1e-6 * (1 + moved[:-1])).all()
    totals = np.array([problem.weight @ problem.utility(grant) for grant in grants])
    assert (np.diff(totals) <= 1e-9 * totals[:-1]).all()


@given(problem=problems(), seed=st.integers(0, 99), part=st.sampled_from([0.0, 0.5, 1.0, 1.5]))
def test_at_an_infinite_price_nothing_is_taken_that_need_not_be(problem: fs.Problem, seed: int, part: float) -> None:
    previous = lot(problem, seed, part)
    grant = replan(problem, previous, np.inf).grant
    kept = np.clip(previous, problem.floor, problem.ceiling)
    scale = 1e-9 * (problem.capacity + previous.sum(axis=0))
    short = np.maximum(kept.sum(axis=0) - problem.capacity, 0.0)
    assert (np.maximum(kept - grant, 0.0).sum(axis=0) <= short + scale).all()


def assert_sound(problem: fs.Problem, previous: Array, allocation: fs.Allocation) -> None:
    grant, scale = allocation.grant, np.where(problem.capacity > 0, problem.capacity, 1.0)
    assert allocation.status is not fs.Status.FAILED
    assert (grant >= problem.floor).all()
    assert (grant <= problem.ceiling).all()
    assert (grant <= np.maximum(problem.upper, previous)).all(), "more than is useful, and than it had"
    idle = grant < problem.upper
    for k in range(problem.m):
        others = np.delete(problem.holding(grant), k, axis=1)
        if (idle[:, k] & (others > 0).all(axis=1)).any():
            assert grant[:, k].sum() >= problem.capacity[k] - 1e-9 * scale[k]


@given(
    problem=problems(resources=(1,)), seed=st.integers(0, 99), part=st.sampled_from([0.0, 0.5, 1.0, 1.5]), price=PRICES
)
def test_one_resource_is_proved_optimal_on_any_fleet(problem: fs.Problem, seed: int, part: float, price: float) -> None:
    previous = lot(problem, seed, part)
    # Marginals of any size: the price in their unit.
    price *= fs.allocate(problem, fs.FairSynergy()).price[0] or 1.0
    allocation = replan(problem, previous, price)
    assert_sound(problem, previous, allocation)
    assert allocation.status is fs.Status.OPTIMAL


@given(problem=problems(resources=(2,), concave=True, mild=True), seed=st.integers(0, 99), price=PRICES)
def test_two_resources_are_proved_optimal_where_returns_decrease(problem: fs.Problem, seed: int, price: float) -> None:
    previous = lot(problem, seed)
    allocation = replan(problem, previous, price)
    assert_sound(problem, previous, allocation)
    assert allocation.status is fs.Status.OPTIMAL


@given(problem=problems(resources=(2, 3), most_agents=4), seed=st.integers(0, 99), price=PRICES)
def test_several_resources_are_divided_soundly_and_no_worse_than_left_alone(
    problem: fs.Problem, seed: int, price: float
) -> None:
    previous = lot(problem, seed)
    allocation = replan(problem, previous, price)
    assert_sound(problem, previous, allocation)
    if (previous >= problem.floor).all() and (previous <= problem.ceiling).all() and price < np.inf:
        mine, before = (worth(problem, previous, price, grant) for grant in (allocation.grant, previous))
        assert mine >= before * (1 - 1e-12)


def test_prices_of_their_own_hold_one_resource_and_free_the_other() -> None:
    problem = fleet("b")
    previous = fs.allocate(problem, fs.Uniform()).grant
    allocation = replan(problem, previous, [np.inf, 0.0])
    np.testing.assert_array_equal(allocation.grant[:, 0], previous[:, 0])
    assert taken(previous, allocation.grant)[1] > 0.1
    assert allocation.status is fs.Status.STATIONARY


def test_new_capacity_is_placed_for_nothing() -> None:
    problem = fleet("a")
    previous = fs.allocate(problem, fs.Leximin()).grant
    more = changed(problem, capacity=problem.capacity + 1)
    allocation = replan(more, previous, 1e6)
    assert (allocation.grant >= previous).all()
    kept = fs.allocate(changed(more, floor=previous), fs.FairSynergy())
    np.testing.assert_allclose(allocation.grant, kept.grant, rtol=1e-12)


def test_a_smaller_capacity_is_taken_from_whom_it_costs_least() -> None:
    problem = fleet("a")
    previous = fs.allocate(problem, fs.Leximin()).grant
    less = changed(problem, capacity=problem.capacity / 2)
    for price in (1e6, np.inf):
        allocation = replan(less, previous, price)
        assert allocation.status is fs.Status.OPTIMAL
        assert (allocation.grant <= previous).all()
        kept = fs.allocate(changed(less, ceiling=previous), fs.FairSynergy())
        np.testing.assert_allclose(allocation.grant, kept.grant, rtol=1e-9)


def test_what_is_idle_is_not_taken_for_nothing() -> None:
    """Agent 1 holds 2 beyond its saturation of 1; what agent 2 could do with a unit must be worth the price."""
    problem = fs.Problem(endowment=[1.0, 0.25], capacity=2, elasticity=[0.5, 0.5], saturation=[[1.0], [np.inf]])
    previous = np.array([[2.0], [0.0]])
    for price, given_on in ((2.0, 0.0), (1.0, 0.0), (0.5, 0.75), (0.1, 2.0)):
        allocation = replan(problem, previous, price)
        # 0.5 / sqrt(0.25 + x) = price, as far as there is any.
        np.testing.assert_allclose(allocation.grant.ravel(), [2 - given_on, given_on], rtol=1e-12, atol=1e-12)
        assert allocation.status is fs.Status.OPTIMAL


def test_a_wrong_answer_is_not_proved() -> None:
    """The certificate sees both an exchange left undone and one that costs more than it adds."""
    problem = fleet("a")
    previous = fs.allocate(problem, fs.Uniform()).grant
    objective = NetOfTaking(previous, np.array([0.3]))
    best = replan(problem, previous, 0.3).grant
    assert objective.level(problem, best).residual < 1e-12
    assert objective.level(problem, previous).residual > 0.01
    assert objective.level(problem, fs.allocate(problem, fs.FairSynergy()).grant).residual > 0.01
    still = NetOfTaking(previous, np.array([np.inf]))
    assert still.level(problem, previous).residual == 0
    assert still.level(problem, best).residual > 0.01


def test_the_bound_is_on_the_total_and_the_price_on_the_net() -> None:
    problem = fleet("a")
    allocation = replan(problem, fs.allocate(problem, fs.Leximin()).grant, 0.3)
    best = fs.allocate(problem, fs.FairSynergy()).total
    assert allocation.upper_bound >= best
    assert allocation.gap > 1 - allocation.total / best - 1e-12
    assert allocation.certificate.own_gap is None
    assert allocation.status is fs.Status.OPTIMAL
    assert "less the price" in allocation.certificate.objective


@pytest.mark.parametrize("price", [-1, np.nan, "0.1", [], [[0.1]], True, None])
def test_a_price_is_a_number(price: object) -> None:
    with pytest.raises(fs.ProblemError, match="`price` must be a number >= 0, or one per resource") as caught:
        fs.Replan([0.1, 0.2], price)  # type: ignore[arg-type]
    assert caught.value.field == "price"


def test_what_does_not_fit_the_fleet_is_refused() -> None:
    problem = fleet("b")
    previous = fs.allocate(problem, fs.Uniform()).grant
    with pytest.raises(
        fs.ProblemError, match=r"`previous` has shape \(3, 1\), but there are 10 agents and 2 resources"
    ):
        replan(problem, np.ones(3), 0.1)
    wrong = previous.copy()
    wrong[4, 1] = -1
    with pytest.raises(
        fs.ProblemError, match=r"`previous\[4, 1\]` \(agent 5, labels\) must be finite and >= 0, got -1"
    ):
        replan(problem, wrong, 0.1)
    with pytest.raises(fs.ProblemError, match=r"shape \(2,\), got shape \(3,\)"):
        replan(problem, previous, [0.1, 0.2, 0.3])


def test_records_compare_by_value_and_cannot_be_written() -> None:
    one, same, other = fs.Replan([0.1, 0.2], 0.1), fs.Replan(np.array([[0.1], [0.2]]), 0.1), fs.Replan([0.1, 0.2], 0.2)
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert one != "Replan"
    assert (one.label, fs.Replan([[0.1, 0.2]], [0.1, 2]).label) == (
        "Replan (price 0.1 per unit)", "Replan (price 0.1 and 2 per unit)",
    )  # fmt: skip
    for value in (one.previous, one.price):
        with pytest.raises(ValueError, match="read-only"):
            value[...] = 1
