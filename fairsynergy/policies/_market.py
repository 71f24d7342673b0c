"""Competitive equilibrium from equal incomes: everyone has the same money, and prices settle where all is sold.

    agent i spends B_i = w_i / sum_j w_j:   max sum_k gamma_ik log(e_ik + x_ik)   s.t.   p . x_i <= B_i,   x_i >= 0,
    and on every resource k                 sum_i x_ik = C_k,   or less at price 0.

The cloud sells; what agents own they keep for themselves. With equal weights nobody envies another, for everyone could
have bought the other's grant, and nobody is worse off than with an equal split, which everyone can afford. Prices are
unique, unless ceilings or saturation bind; then several may clear the market, and one of them is found. For the idea
see Varian (1974), Equity, envy, and efficiency; for Cobb-Douglas agents that own nothing, Zahedi and Lee (ASPLOS 2014).

Amounts are fractions of the capacities here, so that a price is what a whole capacity costs, and spending is
y_ik = p_k x_ik = max(gamma_ik T_i - p_k e_ik, 0), a water-fill of the money. It is piecewise linear in the prices.

- One resource: everyone buys as much as its money does.
- Two: prices are (s, 1 - s) up to their scale; s is a root on a line, even where ceilings or saturation bind.
- More: for a known set of who buys what, A_i, the market clears where

      p_k (1 + sum_{i: k in A_i} e_ik) = sum_{i: k in A_i} a_ik (B_i + sum_{j in A_i} p_j e_ij),
      a_ik = gamma_ik / sum_{j in A_i} gamma_ij,

  the balance of a Markov chain that carries money from purse to resources to other resources and back. Its
  stationary distribution is exact whatever the scales; a search over the sets (Newton's method) needs a few rounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from math import log10
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import toms748

from fairsynergy.errors import ProblemError, SolverError
from fairsynergy.kernel import waterfill
from fairsynergy.kernel._objective import hopeful
from fairsynergy.policies._policy import Division, Policy
from fairsynergy.problem import ROUNDING, Array, Problem

# An endowment of this many capacities hides any grant, an elasticity below this any use of it; beyond, products of
# prices and endowments could overflow. No log price ratio is then beyond the third.
HUGE, LEAST, FREE = 1e100, 1e-100, 600.0
TINY = float(np.finfo(np.float64).tiny)
EPSILON = float(np.finfo(np.float64).eps)
# Newton needs one to five rounds; the most seen is 45, with endowments of 1e9 capacities beside others of 1e-9.
MAX_ROUNDS = 300
# Newton stops where it moves no price by more than this, relatively.
SETTLED = 1e-12
# Fraction of all money spent beyond what is for sale that is a rounding error.
SOLD = 1e-14
# A purchase is a difference between what is held and what is owned: beside an endowment of more capacities than this
# doubles do not hold it, and the market is cleared in decimals, of so many digits more than the numbers are apart.
PLENTY, DIGITS = 1e6, 40
# Fraction of a resource that may be left unsold before accounts are closed.
SOLD_ROUGHLY = 1e-6
# Relative error of an account that counts as closed.
BALANCED = 1e-13
# Each halving of a step brings it below one more kink of the demand.
HALVINGS = 60


class Equilibrium(NamedTuple):
    """Grants (n, m) and prices (m,) [fraction of all money per unit; 0 where free or not for sale]; rounds taken."""

    grant: Array
    price: Array
    iterations: int


@dataclass(frozen=True)
class EqualIncomeMarket(Policy):
    """Give everyone the same money (times its weight) and sell the capacities at prices that clear the market.

    Raises
    ------
    ProblemError
        With floors (a purchase cannot be forced), or where a ceiling or saturation binds and three or more resources
        are scarce.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[[0, 0], [0, 0]], capacity=[1, 1], elasticity=[[0.8, 0.4], [0.2, 0.4]])
    >>> fs.allocate(fleet, fs.EqualIncomeMarket()).grant.round(3)
    array([[0.667, 0.333],
           [0.333, 0.667]])
    """

    name: ClassVar[str] = "Equal-income market"
    sentence: ClassVar[str] = (
        "Everyone gets the same money and buys what helps it most, at prices that sell everything."
    )

    def reasons(self, problem: Problem, grant: Array) -> Sequence[str]:
        money = "gets money in proportion to weight" if problem.weighted else "gets the same money"
        left = problem.capacity - grant.sum(axis=0) > SOLD_ROUGHLY * problem.capacity
        sold = "what anybody can use" if left.any() else "everything"
        return [f"everyone {money} and buys what helps it most, at prices that sell {sold}"] * problem.n

    def divide(self, problem: Problem) -> Division:
        cleared = self.equilibrium(problem)
        return Division(cleared.grant, cleared.iterations)

    def equilibrium(self, problem: Problem) -> Equilibrium:
        """Grants (n, m), and the prices (m,) at which every agent would choose its own; what `divide` grants.

        O(n m log m) per round; 10 to 15 rounds for two resources, one to five for more.

        Examples
        --------
        >>> fleet = Problem(endowment=[[0, 0], [0, 0]], capacity=[1, 2], elasticity=[[0.8, 0.4], [0.2, 0.4]])
        >>> EqualIncomeMarket().equilibrium(fleet).price.round(3)
        array([0.5 , 0.25])
        """
        _refuse_floors(problem)
        # Nothing for sale lifts the others from an accuracy of zero: they buy nothing, and leave the money to the rest.
        buyers = hopeful(problem)
        useful = np.where(buyers[:, None], problem.upper, 0.0)
        wanted = useful.sum(axis=0)
        enough = wanted <= problem.capacity * (1 + ROUNDING)
        scarce = np.flatnonzero((problem.capacity > 0) & ~enough)
        grant = np.where(enough, useful, 0.0)
        price = np.zeros(problem.m)
        if scarce.size == 0:
            return Equilibrium(grant, price, 0)
        capacity = problem.capacity[scarce]
        there = np.ix_(buyers, scarce)
        with np.errstate(over="ignore"):
            own = np.minimum(problem.endowment[there] / capacity, HUGE)
            room = problem.upper[there] / capacity
        weight = problem.weight[buyers] / problem.weight[buyers].max()
        money = np.maximum(weight / weight.sum(), TINY)
        fleet = _Fleet(money, own, np.maximum(problem.elasticity[there], LEAST), room)
        cleared = (_clear_one, _clear_two, _clear_many)[min(scarce.size, 3) - 1](fleet)
        _refuse_limits(problem, np.flatnonzero(buyers), scarce, cleared.grant - room)
        grant[there] = np.minimum(cleared.grant * capacity, problem.upper[there])
        with np.errstate(over="ignore"):
            price[scarce] = cleared.price / capacity
        return Equilibrium(grant, price, cleared.iterations)


class _Fleet(NamedTuple):
    """What buyers bring, amounts as fractions of the capacities."""

    money: Array  #: (n,) adds up to 1
    own: Array  #: (n, k)
    gamma: Array  #: (n, k)
    room: Array  #: (n, k) largest useful purchase


def _clear_one(fleet: _Fleet) -> Equilibrium:
    filled = waterfill(fleet.money, 1.0, 0.0, 1.0, ceiling=fleet.room[:, 0])
    return Equilibrium(filled.grant[:, None], filled.price[None], filled.iterations)


class _Trade(NamedTuple):
    """Demand at prices level * share: spending (2, n) in units of the level, so that all of the cloud costs 1."""

    share: Array  #: (2, 1) adds up to 1
    level: float  #: below 1 where some cannot spend all of their money
    spending: Array


def _clear_two(fleet: _Fleet) -> Equilibrium:
    """A root in the log ratio of the prices: the first resource is sold out at 0 and unsold at infinity."""
    gamma, room = fleet.gamma.T.copy(), fleet.room.T.copy()  # one row per resource: sums and products run faster
    part = gamma / gamma.sum(axis=0)
    bend = part[0] * gamma[1] * (fleet.own / fleet.gamma).T
    limited = bool(np.isfinite(room).any())
    if not limited and (fleet.own > PLENTY).any():
        return _clear_exactly(fleet)
    ends: dict[bool, _Trade] = {}
    rounds = 0

    def excess(ratio: float) -> float:
        """How much more than all of the first resource is wanted, less the same for the second."""
        nonlocal rounds
        rounds += 1
        share = np.array([[1 / (1 + np.exp(-ratio))], [1 / (1 + np.exp(ratio))]])
        spent, level = fleet.money, 1.0
        least, most = np.zeros_like(spent), spent
        if limited:
            costs = share * room
            if (costs.sum(axis=0) < fleet.money).any():  # what they leave raises what the money of the others buys
                filled = waterfill(fleet.money, 1.0, 0.0, 1.0, ceiling=costs.sum(axis=0))
                spent, level = filled.grant, float(filled.price)
            least, most = np.maximum(spent - costs[::-1], 0.0), np.minimum(costs, spent)
        shift = share[1] * bend[1] - share[0] * bend[0]
        spending = np.clip(np.stack([part[0] * spent + shift, part[1] * spent - shift]), least, most)
        sold = spending.sum(axis=1) / share[:, 0]
        ends[bool(sold[0] > sold[1])] = _Trade(share, level, spending)
        return float(sold[0] - sold[1])

    near = float(np.log(part[0] @ fleet.money) - np.log(part[1] @ fleet.money))
    short = excess(near) > 0
    step = 1.0 if short else -1.0
    far = near + step
    while (excess(far) > 0) == short:
        if abs(far) >= FREE:
            raise SolverError("Equal-income market found no prices; check the scales of endowments and elasticities")
        near, step = far, 2 * step
        far = min(max(near + step, -FREE), FREE)
    toms748(excess, *sorted((near, far)), xtol=EPSILON, rtol=4 * EPSILON, maxiter=MAX_ROUNDS)
    # The root lies between two neighbouring ratios. Spending is linear between them, unless an agent jumps from one
    # resource to the other, and then it is indifferent: either way the mixture that sells everything is exact.
    dear, cheap = ends[False], ends[True]
    rare = int(np.argmin(dear.share))  # where rounding shows least
    left, missing = (float(end.spending[rare].sum() - end.share[rare, 0]) for end in (dear, cheap))
    mix = float(np.clip(left / (left - missing), 0.0, 1.0)) if left != missing else 0.5
    share = mix * cheap.share + (1 - mix) * dear.share
    spending = mix * cheap.spending + (1 - mix) * dear.spending
    level = mix * cheap.level + (1 - mix) * dear.level
    return Equilibrium((spending / share).T, level * share[:, 0], rounds)


def _clear_many(fleet: _Fleet) -> Equilibrium:
    """Newton's method on who buys what, without limits on purchases."""
    if (fleet.own > PLENTY).any():
        return _clear_exactly(fleet)
    return _newton(fleet, SETTLED, SOLD)


def _clear_exactly(fleet: _Fleet) -> Equilibrium:
    """The same in decimals that hold the smallest purchase beside the largest endowment."""
    apart = 2 * log10(fleet.own.max()) - log10(fleet.gamma.min()) - log10(fleet.money.min())
    with localcontext() as context:
        context.prec = DIGITS + int(apart)
        rounding = Decimal(10) ** (DIGITS // 2 - context.prec)
        decimal = np.vectorize(Decimal, otypes=[object])
        exact = _Fleet(decimal(fleet.money), decimal(fleet.own), decimal(fleet.gamma), fleet.room)
        grant, price, rounds = _newton(exact, rounding, rounding)
    return Equilibrium(grant.astype(np.float64), price.astype(np.float64), rounds)


def _newton(fleet: _Fleet, settled: Any, sold: Any) -> Equilibrium:
    """In floats or decimals; a step shrinks until less is left unsold."""
    price = _clearing(fleet, np.ones(fleet.own.shape, dtype=bool))
    spending, buys = _demand(fleet, price)
    left = np.abs(spending.sum(axis=0) - price).sum()
    for rounds in range(1, MAX_ROUNDS + 1):
        newton = _clearing(fleet, buys) - price
        if (np.abs(newton) <= settled * price).all():
            break
        for halved in range(HALVINGS):
            trial = price + newton / 2**halved
            trial_spending, trial_buys = _demand(fleet, trial)
            trial_left = np.abs(trial_spending.sum(axis=0) - trial).sum()
            if trial_left < max(left - left / 4 / 2**halved, sold):
                break
        else:
            break
        price, spending, buys, left = trial, trial_spending, trial_buys, trial_left
    missed = (np.abs(spending.sum(axis=0) - price) / price).max()
    if missed > SOLD_ROUGHLY:
        raise SolverError(
            f"Equal-income market left {float(missed):.1g} of a resource unsold after {rounds} rounds; check the "
            "scales of endowments, capacities and elasticities"
        )
    # Where endowments are large, rounding leaves accounts open that are small beside them.
    for _ in range(MAX_ROUNDS):
        spending = spending * (price / spending.sum(axis=0))
        owed = (fleet.money / spending.sum(axis=1))[:, None]
        if np.abs(owed - 1).max() <= BALANCED:
            break
        spending = spending * owed
    return Equilibrium(spending / spending.sum(axis=0), price, rounds)


def _demand(fleet: _Fleet, price: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Spending (n, k) at these prices, and who buys what."""
    dear = price * fleet.own / fleet.gamma
    dear = dear - dear.min(axis=1, keepdims=True)  # only differences matter; large endowments cancel here
    order = np.argsort(dear, axis=1)
    step, gamma = np.take_along_axis(dear, order, axis=1), np.take_along_axis(fleet.gamma, order, axis=1)
    level = (fleet.money[:, None] + np.cumsum(gamma * step, axis=1)) / np.cumsum(gamma, axis=1)
    kinks = (level > step).sum(axis=1, keepdims=True)  # how many resources it buys, the least dear first
    top = np.take_along_axis(level, kinks - 1, axis=1)
    return fleet.gamma * np.maximum(top - dear, 0), dear < top


def _clearing(fleet: _Fleet, buys: NDArray[np.bool_]) -> Array:
    """Prices (k,) that would clear the market if everyone traded what it `buys`, and could sell it back too."""
    part = np.where(buys, fleet.gamma, 0)
    part = part / part.sum(axis=1, keepdims=True)
    count = buys.shape[1]
    flow = np.zeros((count + 1, count + 1), dtype=part.dtype)  # of money [to, from]; 0 is the purse
    flow[1:, 0] = fleet.money @ part
    flow[0, 1:] = 1
    flow[1:, 1:] = part.T @ np.where(buys, fleet.own, 0)
    # Stationary distribution by elimination without subtraction (Grassmann, Taksar and Heyman, 1985).
    for s in range(count, 0, -1):
        flow[s, :s] /= flow[:s, s].sum()
        flow[:s, :s] += np.outer(flow[:s, s], flow[s, :s])
    money = np.ones(count + 1, dtype=part.dtype)
    for s in range(1, count + 1):
        money[s] = flow[s, :s] @ money[:s]
    return np.asarray(money[1:])


def _refuse_floors(problem: Problem) -> None:
    if (problem.floor > 0).any():
        i, k = (int(index) for index in np.argwhere(problem.floor > 0)[0])
        raise ProblemError(
            f"Equal-income market cannot force a purchase: `floor[{i}, {k}]` ({problem.agents[i]}, "
            f"{problem.resources[k]}) must be 0, got {problem.floor[i, k]}; drop the floors or choose another rule",
            field="floor",
            index=(i, k),
        )


def _refuse_limits(problem: Problem, buyers: NDArray[np.intp], scarce: NDArray[np.intp], over: Array) -> None:
    """Purchases (b, k) over what buyers can use; only three or more resources leave any."""
    if scarce.size <= 2 or not (over > EPSILON).any():
        return
    row, column = (int(index) for index in np.argwhere(over > EPSILON)[0])
    i, k = int(buyers[row]), int(scarce[column])
    limit = "ceiling" if problem.ceiling[i, k] <= problem.upper[i, k] else "saturation"
    raise ProblemError(
        f"Equal-income market handles limits that bind only where one or two resources are scarce, got {scarce.size}: "
        f"`{limit}[{i}, {k}]` ({problem.agents[i]}, {problem.resources[k]}) must be higher than what it would buy, "
        f"got {getattr(problem, limit)[i, k]}; raise it, leave a resource out or choose another rule",
        field=limit,
        index=(i, k),
    )
