"""The kernel against its first-order conditions, over cases at the edge of what a double can hold."""

from __future__ import annotations

from typing import NamedTuple

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from numpy.typing import NDArray

import fairsynergy as fs

Array = NDArray[np.float64]

# Every residual is relative; this is a few thousand roundings, wherever the numbers lie.
EXACT = 1e-12
# A holding below the smallest normal double is written as 0, and its marginal is taken there.
TINY = float(np.finfo(np.float64).tiny)


class Market(NamedTuple):
    """Arguments of one call, all of them arrays: (n,), the capacity a number."""

    coefficient: Array
    exponent: Array
    endowment: Array
    capacity: float
    floor: Array
    ceiling: Array


class Residuals(NamedTuple):
    """Relative violations of the four first-order conditions, and of the bounds."""

    bounds: float
    budget: float
    stationarity: float
    complementarity: float


def residuals(market: Market, filled: fs.Filling) -> Residuals:
    """Check a filling from its numbers alone, in logarithms of marginals and price."""
    coefficient, exponent, endowment, capacity, floor, ceiling = market
    grant, price = filled.grant, float(filled.price)
    assert np.isfinite(grant).all()
    assert 0 <= price < np.inf or capacity == floor.sum()
    willing = coefficient > 0
    scale = capacity if capacity > 0 else 1.0
    below_floor, above_ceiling = floor - grant, grant - ceiling
    bounds = max(0.0, float(below_floor.max()), float(above_ceiling.max()))
    spent = float(grant.sum())
    with np.errstate(divide="ignore"):
        marginal = np.log(coefficient) - exponent * np.log(np.maximum(endowment + grant, TINY))
        log_price = np.log(price)
    wanting = marginal[willing & (grant < ceiling)]
    having = marginal[willing & (grant > floor)]
    above = float(np.max(wanting, initial=-np.inf) - log_price) if wanting.size else 0.0
    below = float(log_price - np.min(having, initial=np.inf)) if having.size and price > 0 else 0.0
    return Residuals(
        bounds=bounds / scale,
        budget=max(0.0, spent / scale - capacity / scale),
        stationarity=max(0.0, above, below),
        complementarity=max(0.0, 1 - spent / scale) if price > 0 and capacity > 0 else 0.0,
    )


def assert_levelled(market: Market, filled: fs.Filling) -> None:
    found = residuals(market, filled)
    assert max(found) <= EXACT, found
    # Whoever gains nothing here receives its floor and no more.
    idle = market.coefficient == 0
    np.testing.assert_array_equal(filled.grant[idle], market.floor[idle])


def draw_hard(rng: np.random.Generator, n: int) -> Market:
    """Elasticities within 1e-3 of 0 and 1, zero endowments, scales 1e-9..1e9, sometimes bounds and idle agents."""
    scale = 10.0 ** rng.integers(-9, 10)
    distance = 10.0 ** rng.uniform(-9, -3, n)
    gamma = np.choose(rng.integers(0, 3, n), [distance, rng.uniform(0.01, 0.99, n), 1 - distance])
    endowment = scale * rng.random(n) * (rng.random(n) < 0.7)
    if rng.random() < 0.3:
        endowment *= 10.0 ** rng.integers(-9, 10, n)
    capacity = scale * rng.random() * n * 10.0 ** rng.integers(-3, 4)
    floor, ceiling = np.zeros(n), np.full(n, np.inf)
    if rng.random() < 0.4:
        floor = 0.9 * capacity / n * rng.random(n) * (rng.random(n) < 0.5)
        ceiling = np.where(rng.random(n) < 0.5, floor + capacity / n * rng.random(n) * 3, np.inf)
    coefficient = gamma.copy()
    if rng.random() < 0.3:
        coefficient *= 10.0 ** rng.integers(-9, 10, n)
    if rng.random() < 0.2:
        coefficient *= rng.random(n) < 0.8
    return Market(coefficient, 1 - gamma, endowment, capacity, floor, ceiling)


def at_kinks(
    coefficient: list[float], exponent: list[float], endowment: list[float], capacity: float, ceiling: list[float]
) -> Market:
    values = (np.asarray(value, dtype=float) for value in (coefficient, exponent, endowment))
    return Market(*values, capacity, np.zeros(len(ceiling)), np.asarray(ceiling))


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        # The capacity is a ceiling: whoever fills it leaves a crumb to one that owns nothing and gains little.
        (at_kinks([1.98, 0.05, 0.09], [0.01, 0.5, 0.1], [0.025, 0.0125, 0], 0.25, [0.25, 1, np.inf]), [0.25, 0, 0]),
        # It is two ceilings: the steep one and the flat one are full, not the one in between.
        (at_kinks([0.1, 0.9, 0.2], [0.9, 0.1, 0.8], [0.001, 0, 0], 0.01, [0.005] * 3), [0.005, 0, 0.005]),
        (at_kinks([5, 1], [0.1, 0.1], [0.1, 0], 1, [1, np.inf]), [1, 0]),
    ],
)
@pytest.mark.parametrize("nudge", [0.0, 1e-15, -1e-15, 1e-12, -1e-12, 1e-9, -1e-9, 1e-7, -1e-7])
@pytest.mark.parametrize("unit", [1e-12, 1.0, 1e12])
def test_a_capacity_at_a_sum_of_ceilings_goes_to_those_who_gain_most(
    case: Market, expected: list[float], nudge: float, unit: float
) -> None:
    capacity = case.capacity * (1 + nudge)
    # Gains in proportion, whatever the unit.
    case = Market(
        case.coefficient * unit**case.exponent,
        case.exponent,
        case.endowment * unit,
        capacity * unit,
        case.floor,
        case.ceiling * unit,
    )
    filled = fs.waterfill(*case)
    assert_levelled(case, filled)
    np.testing.assert_allclose(filled.grant, np.array(expected) * unit, atol=3e-7 * capacity * unit)


def test_a_last_step_past_a_bound_is_taken_back_in_one_row_of_a_batch_alone() -> None:
    case = at_kinks([1.98, 0.05, 0.09], [0.01, 0.5, 0.1], [0.025, 0.0125, 0], 0.25, [0.25, 1, np.inf])
    batch = fs.waterfill(*case._replace(capacity=np.array([0.25, 0.3, 0.01])))  # type: ignore[arg-type]
    for row, capacity in enumerate((0.25, 0.3, 0.01)):
        filled = fs.Filling(batch.grant[row], batch.price[row], batch.iterations)
        assert_levelled(case._replace(capacity=capacity), filled)


NUMBERS = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("n", [1, 2, 3, 10, 100])
def test_hard_markets_are_levelled_to_the_last_digits(n: int) -> None:
    for seed in range(200):
        market = draw_hard(np.random.default_rng([n, seed]), n)
        found = residuals(market, fs.waterfill(*market))
        assert max(found) <= EXACT, (seed, found)


@given(seed=NUMBERS, n=st.integers(1, 40))
def test_any_market_is_levelled(seed: int, n: int) -> None:
    market = draw_hard(np.random.default_rng(seed), n)
    assert_levelled(market, fs.waterfill(*market))


@pytest.mark.parametrize("n", [1_000, 10_000, 100_000])
@pytest.mark.parametrize("seed", range(4))
def test_large_markets_are_levelled(n: int, seed: int) -> None:
    market = draw_hard(np.random.default_rng([n, seed]), n)
    assert_levelled(market, fs.waterfill(*market))


def market(
    coefficient: object = 1.0,
    exponent: object = 0.5,
    endowment: object = (0.1, 0.2, 0.3),
    capacity: float = 1.0,
    floor: object = 0.0,
    ceiling: object = np.inf,
) -> Market:
    n = len(np.atleast_1d(np.asarray(endowment)))
    spread = [np.broadcast_to(np.asarray(value, dtype=float), n) for value in (coefficient, exponent, endowment)]
    limits = [np.broadcast_to(np.asarray(value, dtype=float), n) for value in (floor, ceiling)]
    return Market(*spread, capacity, *limits)


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        # One price, everyone active: holdings level at (0.6 + 1) / 3.
        (market(exponent=1.0), [1.6 / 3 - 0.1, 1.6 / 3 - 0.2, 1.6 / 3 - 0.3]),
        # Too little to reach the third agent: the first two level at 0.2 + 0.05 / 2.
        (market(capacity=0.15), [0.125, 0.025, 0.0]),
        # The marginal of an agent that owns nothing is infinite, so it always gets some; gains go as c^(1/p).
        (market(coefficient=[1.0, 2.0], endowment=[0.0, 0.0], capacity=5.0), [1.0, 4.0]),
        (market(capacity=0.0), [0.0, 0.0, 0.0]),
        (market(capacity=0.0, endowment=[0.0, 0.0]), [0.0, 0.0]),
        (market(ceiling=0.2, capacity=0.6), [0.2, 0.2, 0.2]),
        (market(ceiling=0.2, capacity=5.0), [0.2, 0.2, 0.2]),
        (market(floor=[0.0, 0.0, 1.0]), [0.0, 0.0, 1.0]),
        (market(floor=[0.0, 0.0, 0.9]), [0.1, 0.0, 0.9]),
        (market(coefficient=[1.0, 0.0, 1.0], capacity=0.3), [0.25, 0.0, 0.05]),
        (market(coefficient=0.0, floor=[0.1, 0.0, 0.0]), [0.1, 0.0, 0.0]),
        (market(coefficient=[0.0, 1.0, 0.0], ceiling=[np.inf, 0.5, np.inf]), [0.0, 0.5, 0.0]),
        (market(ceiling=[0.0, np.inf, 0.0]), [0.0, 1.0, 0.0]),
        (market(endowment=[7.0], capacity=3.0), [3.0]),
    ],
)
def test_answers_known_by_hand(case: Market, expected: list[float]) -> None:
    filled = fs.waterfill(*case)
    np.testing.assert_allclose(filled.grant, expected, rtol=1e-14, atol=1e-15)
    assert_levelled(case, filled)


@pytest.mark.parametrize("exponent", [1e-9, 1e-3, 0.5, 1 - 1e-9, 1.0, 3.0, 20.0])
@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
def test_grants_scale_with_the_unit(exponent: float, unit: float) -> None:
    small = market(exponent=exponent)
    large = small._replace(endowment=small.endowment * unit, capacity=unit)
    np.testing.assert_allclose(fs.waterfill(*large).grant / unit, fs.waterfill(*small).grant, rtol=1e-12, atol=1e-12)


def test_price_is_the_marginal_value_of_capacity() -> None:
    case = market(coefficient=[0.9, 0.3, 0.5], exponent=[0.1, 0.7, 0.5])

    def value(capacity: float) -> float:
        holding = case.endowment + fs.waterfill(*case._replace(capacity=capacity)).grant
        return float(np.sum(case.coefficient * holding ** (1 - case.exponent) / (1 - case.exponent)))

    step = 1e-5
    slope = (value(1 + step) - value(1 - step)) / (2 * step)
    assert float(fs.waterfill(*case).price) == pytest.approx(slope, rel=1e-8)


def test_price_is_zero_when_everyone_is_at_a_ceiling() -> None:
    assert float(fs.waterfill(*market(ceiling=0.2, capacity=5.0)).price) == 0.0


@given(seed=NUMBERS, rows=st.integers(1, 6), n=st.integers(1, 12))
def test_a_batch_is_a_loop(seed: int, rows: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    markets = [draw_hard(rng, n) for _ in range(rows)]
    batch = fs.waterfill(*(np.stack(values) for values in zip(*markets, strict=True)))
    for row, case in enumerate(markets):
        assert_levelled(case, fs.Filling(batch.grant[row], batch.price[row], batch.iterations))
        alone = fs.waterfill(*case)
        np.testing.assert_allclose(batch.price[row], alone.price, rtol=EXACT)
        # Nearly linear agents divide a surplus at nearly one price: only curved ones have grants to compare.
        curved = bool((case.exponent > 0.01).all())
        within = (EXACT if curved else 1.0) * case.capacity
        np.testing.assert_allclose(batch.grant[row], alone.grant, rtol=0, atol=within)


def test_a_mask_is_a_ceiling_of_zero() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        case = draw_hard(rng, 8)._replace(floor=np.zeros(8), ceiling=np.full(8, np.inf))
        present = rng.random(8) < 0.6
        present[0] = True
        masked = fs.waterfill(*case._replace(ceiling=np.where(present, np.inf, 0.0)))
        alone = fs.waterfill(*(np.asarray(value)[present] if np.ndim(value) else value for value in case))
        np.testing.assert_allclose(masked.grant[present], alone.grant, rtol=0, atol=EXACT * case.capacity)
        assert not masked.grant[~present].any()


def test_shapes_broadcast_and_the_last_axis_is_the_agents() -> None:
    filled = fs.waterfill(1.0, [0.5, 0.5, 0.5], np.full((2, 1, 3), 0.1), np.ones((4,)), 0.0, np.inf)
    assert filled.grant.shape == (2, 4, 3)
    assert filled.price.shape == (2, 4)
    np.testing.assert_allclose(filled.grant, 1 / 3, rtol=1e-14)
    assert fs.waterfill(1.0, 0.5, [0.1, 0.2], 1.0).price.shape == ()


def test_arguments_are_not_written_to() -> None:
    case = draw_hard(np.random.default_rng(5), 6)
    before = [np.array(value) for value in case]
    for value in case:
        if isinstance(value, np.ndarray):
            value.setflags(write=False)
    fs.waterfill(*case)
    for value, was in zip(case, before, strict=True):
        np.testing.assert_array_equal(value, was)


def test_excesses_whose_product_is_too_small_for_a_number_are_told_apart():
    filled = fs.waterfill(coefficient=[0.5, 0.3], exponent=[0.5, 0.7], endowment=[0.1, 0.2], capacity=1e-300)
    assert filled.grant.sum() <= 1e-300 * (1 + 1e-12)
    assert (filled.grant >= 0).all()


def test_rounding_of_what_is_wanted_beside_large_endowments_moves_nobody_from_a_ceiling():
    """Four are all but full: the one that gains least of them lacks the rest, and the fifth gets nothing."""
    c = [25605276.669682845, 4328.961836742592, 1.776102252350117e-09, 8699958.88162057, 488.4777794103118]
    p, own, capacity = 0.06167214339540088, 16458709425209.725, 49999.99999998026
    filled = fs.waterfill(c, p, [own] * 5, capacity, 0.0, 12_500.0)
    np.testing.assert_array_equal(filled.grant[:4], [12_500.0, 12_500.0, 0.0, 12_500.0])
    assert filled.grant[4] == pytest.approx(capacity - 37_500.0, abs=1e-11)
    assert filled.price == pytest.approx(c[4] * own**-p, rel=1e-6)


def test_a_crumb_is_not_charged_for_the_rounding_of_a_sum():
    """Beside a capacity that is a sum of floors and ceilings, to the last digit: the agent with nothing keeps it."""
    c, p = [0.40886340570678315, 0.9357718543531298, 1.2, 7.5], [0.5911365942932169, 0.06422814564687018, 0.76, 0.25]
    own, low = [0, 0, 6.8e-8, 6.8e-7], [0, 0, 8.536096369658444e-13, 9.772653195568194e-13]
    found = fs.waterfill(c, p, own, 1.930874956522663e-12, low, [1e-13, np.inf, np.inf, np.inf])
    assert 0 < found.grant[1] < 1e-60
    assert found.grant[1] == pytest.approx((c[1] / found.price) ** (1 / p[1]), rel=1e-9)

    c, p, own = [5.33916643e-12, 1.52719047e-2, 272.425986, 31167.0956], [0.7, 0.1, 0.01, 0.2], [0, 0.574, 0.969, 0.613]
    found = fs.waterfill(c, p, own, np.nextafter(0.125480972, 1), ceiling=[np.inf, np.inf, np.inf, 0.125480972])
    assert found.grant[0] == pytest.approx((c[0] / found.price) ** (1 / p[0]), rel=1e-9)
