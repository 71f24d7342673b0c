"""A proved bound on the total accuracy of two resources, where the total is not concave.

Prices mu >= 0 couple the agents, and nothing else does. Whatever the prices,

    D(mu) = sum_i max_{x in box_i} [w_i U_i(x) - mu . x]  +  mu . C

is at least the best total (weak duality), and D is convex in mu. The inner maximum is exact and in closed form. An
agent with increasing returns (gamma_1 + gamma_2 > 1) has no interior maximum, so its best point lies on an edge
of its box, where one holding is fixed and the other is a concave problem of one variable. With decreasing returns
the interior stationary point, log h_k = log(w gamma_k / mu_k) + log U, is a candidate too.

>>> import fairsynergy as fs
>>> fleet = fs.Problem(endowment=[[0.1, 0.1]] * 2, capacity=[1, 1], elasticity=[[0.9, 0.8], [0.3, 0.4]])
>>> allocation = fs.allocate(fleet, fs.FairSynergy())
>>> lowest_bound(fleet, allocation.price) >= allocation.total
True
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from fairsynergy.problem import Array, Problem

# The bound is valid at any price; searching further would gain less than about this, relatively.
WORTHWHILE = 1e-6
# First steps of the search, in log prices, and its end.
SPREAD, PRECISION = 0.1, 1e-3
MAX_EVALUATIONS = 120
# Stands in for a price of zero, whose logarithm the search could not move.
NO_PRICE = 1e-9


def lowest_bound(problem: Problem, price: Array) -> float:
    """Smallest D found near the given prices: an upper bound on sum_i w_i U_i over all divisions.

    Parameters
    ----------
    problem : Problem
        With two resources.
    price : (2,) array
        Where to start, best the marginals of good grants [accuracy per unit].

    Returns
    -------
    float
        O(n) per evaluation, at most `MAX_EVALUATIONS`.
    """
    dual = _Dual(problem)
    start = np.log(np.maximum(price, NO_PRICE))
    simplex = start + np.array([[0.0, 0.0], [SPREAD, 0.0], [0.0, SPREAD]])
    options = {
        "initial_simplex": simplex,
        "xatol": PRECISION,
        "fatol": WORTHWHILE * dual(start),
        "maxfev": MAX_EVALUATIONS,
    }
    return float(minimize(dual, start, method="Nelder-Mead", options=options).fun)


class _Dual:
    """D as a function of log prices; arrays are (2, n), one row per resource."""

    def __init__(self, problem: Problem) -> None:
        # Nobody can receive more than there is, and more than saturates adds nothing.
        most = np.maximum(np.minimum(problem.upper, problem.capacity), problem.floor)
        gamma = problem.elasticity.T
        with np.errstate(divide="ignore"):
            self.low = np.log(problem.holding(problem.floor)).T
            self.high = np.log(problem.holding(most)).T
            self.useful = np.log(problem.saturation).T
        self.gamma, self.log_gamma, self.log_weight = gamma, np.log(gamma), np.log(problem.weight)
        self.decreasing = gamma.sum(axis=0) < 1
        self.slack = np.where(self.decreasing, 1 - gamma.sum(axis=0), np.nan)
        self.supply = problem.capacity + problem.endowment.sum(axis=0)

    def __call__(self, log_price: Array) -> float:
        price = np.exp(log_price)[:, None]
        with np.errstate(all="ignore"):
            best = np.full(self.gamma.shape[1], -np.inf)
            for fixed, moving in ((0, 1), (1, 0)):
                held = np.stack([self.low[fixed], self.high[fixed]])
                scale = self.log_weight + self.gamma[fixed] * np.minimum(held, self.useful[fixed])
                wanted = (scale + self.log_gamma[moving] - log_price[moving]) / (1 - self.gamma[moving])
                wanted = np.clip(wanted, self.low[moving], self.high[moving])
                value = np.exp(scale + self.gamma[moving] * np.minimum(wanted, self.useful[moving]))
                value -= price[fixed] * np.exp(held) + price[moving] * np.exp(wanted)
                best = np.fmax(best, np.fmax.reduce(value, axis=0))
            single = self.log_weight + self.log_gamma - log_price[:, None]
            inner = single + (self.gamma * single).sum(axis=0) / self.slack
            inside = self.decreasing & (inner > self.low).all(axis=0) & (inner < self.high).all(axis=0)
            value = np.exp(self.log_weight + (self.gamma * inner).sum(axis=0)) - (price * np.exp(inner)).sum(axis=0)
            best = np.where(inside, np.fmax(best, value), best)
        return float(best.sum() + price[:, 0] @ self.supply)
