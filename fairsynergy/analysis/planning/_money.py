"""What money buys at best, when every unit of every resource has a price and nothing else is scarce.

Money couples the agents as a capacity does. At lambda accuracy per unit of money each agent takes what is best for it,
argmax w_i U_i(x) - lambda p . x, from its floors on; let these bundles cost c(lambda) together, and be worth
u(lambda). Then for every lambda >= 0, whatever the rule and whatever the elasticities (weak duality),

    total  <=  u + lambda (B - c)        of any division that costs at most B,
    budget >=  c + (T - u) / lambda      of any division whose total is at least T.

Both c and u fall in lambda. Where nobody has increasing returns they pass through every value, or jump over it between
two bundles that are equally good, and so is every mix of these: at that lambda both bounds are reached.

>>> fleet = Problem(endowment=[[0, 0]], capacity=[0, 0], elasticity=[[0.6, 0.3]], saturation=1)
>>> found = least_cost(fleet, 0.8, np.array([1.0, 5.0]), np.array([1.0, 1.0]))
>>> round(float(found.capacity @ [1, 5]), 4), round(found.bound, 4)
(3.3765, 3.3765)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from fairsynergy.kernel._dual import Box, Fleet
from fairsynergy.problem import Array, Problem

# The logarithm of the largest value of money, and price of a unit in accuracy, and of the inverse of the least; how
# closely they are told apart.
DEAREST, PRECISE = 690.0, 1e-14


class Purchase(NamedTuple):
    """Capacities (m,) of a division, and what is proved: no other costs less, or none of its cost is worth more."""

    capacity: Array
    bound: float


class _Basket(NamedTuple):
    """What agents take at a value of money: capacities (m,), what they cost and are worth above the floors."""

    value: float
    capacity: Array
    cost: float
    worth: float


def least_cost(problem: Problem, total: float, prices: Array, most: Array) -> Purchase | None:
    """The cheapest capacities whose best division is worth a total; None if what costs as much as `most` is not.

    Parameters
    ----------
    problem : Problem
        With one or two resources; its capacities do not count.
    total : float
        Of accuracies times weights.
    prices : (m,) array
        Money per unit of each resource, > 0.
    most : (m,) array
        Capacities whose cost no answer exceeds.

    Returns
    -------
    Purchase or None
        The least where nobody has increasing returns; its bound holds for any fleet.
    """
    market = _Market(problem, prices, float(most @ prices))
    enough, short = market.between(lambda basket: basket.worth >= total)
    if enough is None:
        return None
    part = (total - short.worth) / (enough.worth - short.worth) if enough.worth > short.worth else 1.0
    bound = max(basket.cost + (total - basket.worth) / basket.value for basket in (enough, short))
    return Purchase(_mixed(short, enough, part), market.floors + bound)


def best_purchase(problem: Problem, budget: float, prices: Array) -> Purchase:
    """The capacities of a cost whose best division is worth most, and a bound on the total of any other.

    Parameters
    ----------
    problem : Problem
        With one or two resources; its capacities do not count.
    budget : float
        What they cost, at least what the floors do.
    prices : (m,) array
        Money per unit of each resource, > 0.
    """
    market = _Market(problem, prices, budget)
    left = max(budget - market.floors, 0.0)
    dear, cheap = market.between(lambda basket: basket.cost > left)
    if dear is None:  # enough for everybody
        return Purchase(cheap.capacity, cheap.worth)
    part = (left - cheap.cost) / (dear.cost - cheap.cost)
    bound = min(basket.worth + basket.value * (left - basket.cost) for basket in (dear, cheap))
    return Purchase(_mixed(cheap, dear, part), bound)


class _Market:
    """Agents of a problem who buy for money; nobody needs to be able to pay more than `budget` above the floors."""

    def __init__(self, problem: Problem, prices: Array, budget: float) -> None:
        self.fleet, self.prices, self.low = Fleet(problem), prices, problem.floor
        self.floors = float(problem.floor.sum(axis=0) @ prices)
        able = max(budget - self.floors, 0.0) / prices
        self.box = Box(problem.floor, np.minimum(problem.upper, problem.floor + able))

    def at(self, log_value: float) -> _Basket:
        value = float(np.exp(log_value))
        bought, worth = self.fleet.respond(self.box, value * self.prices[:, None])
        cost = float(self.prices @ (bought.T - self.low).sum(axis=0))
        return _Basket(value, bought.sum(axis=1), cost, float(worth.sum()))

    def between(self, much: Callable[[_Basket], bool]) -> tuple[_Basket | None, _Basket]:
        """Two baskets, as close as numbers are, of which one is much and one is not; only one if none is much."""
        low = max(-DEAREST - float(np.log(self.prices.min())), -DEAREST)
        high = min(DEAREST - float(np.log(self.prices.max())), DEAREST)
        large, small = self.at(low), self.at(high)
        if not much(large):
            return None, large
        while high - low > PRECISE * max(abs(low), abs(high), 1.0):
            middle = 0.5 * (low + high)
            basket = self.at(middle)
            if much(basket):
                low, large = middle, basket
            else:
                high, small = middle, basket
        return large, small


def _mixed(one: _Basket, other: _Basket, part: float) -> Array:
    return np.asarray(one.capacity + part * (other.capacity - one.capacity))
