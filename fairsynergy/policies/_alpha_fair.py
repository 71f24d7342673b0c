"""Alpha-fairness: one dial from the greatest total to the kindest to the worst-off.

    max  sum_i w_i U_i^(1 - alpha) / (1 - alpha),   sum_i w_i log U_i for alpha = 1    (Mo and Walrand, 2000)

alpha = 0 is Fair-Synergy, 1 is Nash's product, and the limit is Leximin. One resource is the kernel with
c = w gamma, p = 1 - gamma (1 - alpha); for alpha = 1 the logarithm separates the resources into one kernel each.
For alpha < 1 this is Fair-Synergy on a fleet with elasticities (1 - alpha) gamma, convex iff (1 - alpha) sum_k gamma_ik
<= 1 for every agent. For alpha > 1 it is convex whatever the elasticities, and solved on its prices: at given ones
each agent's best bundle is in closed form, and Newton's method clears the markets.

>>> import fairsynergy as fs
>>> fleet = fs.Problem(endowment=[[0.1, 0.1]] * 2, capacity=[1, 1], elasticity=[[0.9, 0.8], [0.3, 0.4]])
>>> for alpha in (0, 1, 2, 1000):
...     print(fs.allocate(fleet, AlphaFair(alpha)).utility.round(2))
[1.18 0.2 ]
[0.76 0.48]
[0.67 0.54]
[0.59 0.59]
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import ClassVar, NamedTuple

import numpy as np
from scipy.optimize import toms748

from fairsynergy.errors import ProblemError
from fairsynergy.kernel import Filling, Fleets, waterfill
from fairsynergy.kernel._objective import TINY, AlphaWelfare, Objective, TotalUtility, WorstUtility, hopeful
from fairsynergy.policies._fair_synergy import FairSynergy
from fairsynergy.policies._leximin import Leximin
from fairsynergy.policies._policy import Division, Policy
from fairsynergy.problem import Array, Problem

# Beyond this alpha, rounding of accuracies begins to show in marginals; Leximin's lowest accuracy is then near.
LARGEST = 1e4
# Newton goes from Nash to the first alpha - 1 and on to each next one in factors of at most this; on the way, markets
# need to clear to ROUGH only.
FIRST, STRIDE = 2.0, 4.0
ROUGH = 0.1
# In the end they clear to a multiple of the rounding error of the sums. Below STALLED, PATIENCE rounds without
# improvement mean that rounding allows no more.
ROUNDING = 4 * float(np.finfo(np.float64).eps)
STALLED, PATIENCE = 1e-8, 3
MAX_ROUNDS = 100
# Lengths of Newton's step that are tried, and the part of it that must show in the imbalance.
LENGTHS = (1.0, 0.3, 0.1, 0.03, 0.01)
PROGRESS = 0.1
# Else, how often at most every market in turn is cleared alone until the imbalance is less than it was.
MAX_TURNS = 100
# Where nobody trades at the margin, a log price moves past the first who will by this much.
LEAP = 1.0
# Where others overspend by more than they hold, holdings shrink by this factor at a time.
FAR = 10.0
# How well one market is cleared alone, relative to what it shares out, unless its log price cannot say it.
ALONE, FINEST = 1e-6, 1e-15
# Charges that balance an account; each either closes it or empties a grant.
MAX_CHARGES = 8
# From this fraction on, a capacity counts as missed.
MISSED = 1e-9
# A holding this large is far above any capacity.
LOG_HUGE = 600.0


@dataclass(frozen=True)
class AlphaFair(Policy):
    """Weigh accuracies by how low they are: the larger alpha, the more the worse-off count.

    Parameters
    ----------
    alpha : float
        Inequality aversion, >= 0: 0 is Fair-Synergy, 1 is Nash, infinity is Leximin. Above 10,000 this is Leximin
        too: the lowest accuracy is then within about one in a thousand of it, and rounding begins to show in marginals.

    Raises
    ------
    ProblemError
        If alpha is negative or no number; or above 10,000 with three or more resources, which Leximin does not handle.

    Notes
    -----
    A weight multiplies its agent's term, so its pull, w^(1/alpha), fades as alpha grows: the limit is Leximin with
    equal weights. Leximin's own weights, which divide the accuracy compared, count only where this is Leximin.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.2], capacity=0.5, elasticity=[0.9, 0.5])
    >>> fs.allocate(fleet, fs.AlphaFair(2)).utility.round(3)
    array([0.547, 0.537])
    """

    alpha: float

    name: ClassVar[str] = "Alpha-fair"
    sentence: ClassVar[str] = "The larger alpha, the more a gain counts for those who have less accuracy."

    def __post_init__(self) -> None:
        number = isinstance(self.alpha, Real) and not isinstance(self.alpha, bool)
        if not (number and self.alpha >= 0):
            raise ProblemError(
                f"`alpha` must be a number >= 0, got {self.alpha!r}; 0 is the greatest total (Fair-Synergy), 1 the "
                "greatest product (Nash), infinity the worst-off first (Leximin)",
                field="alpha",
            )
        object.__setattr__(self, "alpha", float(self.alpha))

    @property
    def label(self) -> str:
        return f"{self.name} (alpha = {self.alpha:g})"

    @property
    def objective(self) -> Objective:  # type: ignore[override]  # the one rule whose objective depends on a setting
        """The total for alpha = 0, the lowest accuracy where this is Leximin, between them alpha-fair welfare."""
        if self.alpha == 0:
            return TotalUtility()
        return AlphaWelfare(self.alpha) if self.alpha <= LARGEST else WorstUtility()

    def divide(self, problem: Problem) -> Division:
        if self.alpha > LARGEST:
            return Leximin().divide(problem)
        if self.alpha < 1:
            return FairSynergy().divide(AlphaWelfare(self.alpha).eased(problem))
        if self.alpha == 1 or problem.m == 1:
            filled = _alone(problem, self.alpha, problem.floor)
            return Division(filled.grant.T, filled.iterations)
        return _Market(problem).clear(self.alpha)

    def _divide_together(self, fleets: Fleets) -> Array | None:
        separable = self.alpha == 1 or (fleets.m == 1 and self.alpha <= LARGEST)
        # From nothing, the least grant that a double can say would have to be promised first.
        if not separable or (fleets.endowment == 0).any(axis=2)[fleets.weight > 0].any():
            return None
        value, returns = (fleets.weight[..., None] * fleets.elasticity).mT, (1 - self.alpha) * fleets.elasticity.mT
        floor, upper = fleets.floor.mT, fleets.upper.mT
        return waterfill(value, 1 - returns, fleets.endowment.mT, fleets.capacity, floor, upper).grant.mT


@dataclass(frozen=True)
class Nash(AlphaFair):
    """The greatest product of accuracies: alpha = 1.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.2], capacity=0.5, elasticity=[0.9, 0.5])
    >>> fs.allocate(fleet, fs.Nash()).utility.round(3)
    array([0.55 , 0.535])
    """

    alpha: float = field(default=1.0, init=False, repr=False)

    name: ClassVar[str] = "Nash"
    sentence: ClassVar[str] = "One agent gains a percent of its accuracy only while no other loses more than a percent."

    def reasons(self, problem: Problem, grant: Array) -> Sequence[str]:
        counted = ", each percent counted by weight" if problem.weighted else ""
        return [f"{reason}{counted}" for reason in super().reasons(problem, grant)]

    @property
    def label(self) -> str:
        return self.name


def _least(problem: Problem) -> Array:
    """(n, m) the floors, and for those they leave without anything the least that lifts an agent from nothing."""
    nothing = hopeful(problem)[:, None] & (problem.holding(problem.floor) < TINY)
    return np.where(nothing, np.minimum(TINY, problem.upper), problem.floor)


def _alone(problem: Problem, alpha: float, grant: Array) -> Filling:
    """One kernel per resource, each with what `grant` (n, m) gives of the others, alpha >= 1; arrays are (m, n).

    That is exact for one resource, and for alpha = 1; the grant then does not matter.
    """
    returns = (1 - alpha) * problem.elasticity
    part = returns * np.log(np.maximum(np.minimum(problem.holding(grant), problem.saturation), TINY))
    others = part.sum(axis=1, keepdims=True) - part
    some = hopeful(problem)[:, None]
    value = problem.weight[:, None] * problem.elasticity * np.exp(others - others.max(axis=0)) * some
    return waterfill(value.T, 1 - returns.T, problem.endowment.T, problem.capacity, _least(problem).T, problem.upper.T)


class _Prices(NamedTuple):
    """(m,) each: log price = rest - delta level. The level, an accuracy, takes what grows with delta = alpha - 1."""

    rest: Array
    level: Array


class _Demand(NamedTuple):
    """What agents buy at given prices."""

    grant: Array  #: (m, n)
    wanted: Array  #: (m, n) log holding at which the marginal is the price, within bounds or not
    held: Array  #: (m, n) holdings strictly between their bounds, else 0
    slope: Array  #: (m, m) -d (sum of grants of k) / d log price_l
    excess: Array  #: (m,) what is bought beyond the capacity


class _Market:
    """Prices at which the agents' best bundles use up every capacity, alpha > 1.

    Arrays are (m, n), one row per resource, over the agents that can be lifted from zero. With delta = alpha - 1,
    v = log U and u_k = log h_k, the first-order conditions of an agent at prices mu read
    u_k = clip(log (w gamma_k / mu_k) - delta v) and v = sum_k gamma_k u_k: one increasing, piecewise linear equation
    in v, solved in closed form once it is known which bounds bind.

    A dearer resource is never less reason to buy another (gross substitutes). So clearing one market after the other
    converges from any prices, and repairs Newton's steps on all of them where bounds mislead these.
    """

    def __init__(self, problem: Problem) -> None:
        rows = self.rows = hopeful(problem)
        floor, upper = _least(problem), problem.upper
        # Nothing to choose on a resource that floors exhaust, or that is enough for every ceiling.
        scarce = problem.capacity < np.where(rows[:, None], upper, floor).sum(axis=0)
        self.open = scarce & (problem.capacity > floor.sum(axis=0))
        upper = np.where(scarce & ~self.open, floor, upper)
        floor = np.where(self.open, floor, upper)
        self.floor, self.upper, self.endowment = floor[rows].T, upper[rows].T, problem.endowment[rows].T
        self.capacity = problem.capacity - problem.floor[~rows].sum(axis=0)
        self.room = self.capacity - self.floor.sum(axis=1)
        saturation = problem.saturation[rows].T
        self.low = np.log(np.minimum(self.endowment + self.floor, saturation))
        self.high = np.log(np.minimum(self.endowment + self.upper, saturation))
        self.gamma = problem.elasticity[rows].T
        self.log_value = np.log(problem.weight[rows]) + np.log(self.gamma)
        self.problem = problem
        self.delta = 0.0
        self.rounds = 0

    def clear(self, alpha: float) -> Division:
        """Grants (n, m) at which every market clears."""
        grant = np.array(self.problem.floor)
        grant[self.rows] = self.floor.T
        if self.open.any():
            with np.errstate(all="ignore"):
                grant[self.rows] = self.balanced(self.search(alpha)).T
            missed = np.abs(grant.sum(axis=0) - self.problem.capacity) > MISSED * self.problem.capacity
            if (missed & self.open).any():  # grants are rounding errors beside the endowments, which kernels can bear
                grant = _alone(self.problem, alpha, grant).grant.T
        return Division(grant, self.rounds)

    def search(self, alpha: float) -> _Demand:
        """Demand at the clearing prices, found from those of Nash through a few smaller alpha."""
        nash = _alone(self.problem, 1.0, self.problem.floor)
        grant = nash.grant[:, self.rows]
        prices = _Prices(np.where(self.open, np.log(nash.price), 0.0), np.zeros(self.problem.m))
        stages = max(0, math.ceil(math.log((alpha - 1) / FIRST, STRIDE)))
        for stage in range(stages, -1, -1):
            prices = self.anchored(prices, grant)
            self.delta = (alpha - 1) / STRIDE**stage
            prices, found = self.newton(prices, ROUGH if stage else ROUNDING)
            grant = found.grant
        return found

    def anchored(self, prices: _Prices, grant: Array) -> _Prices:
        """The same prices, relative to the accuracy of those who trade there: it changes least with alpha."""
        holding = self.endowment + grant
        log_utility = (self.gamma * np.clip(np.log(holding), self.low, self.high)).sum(axis=0)
        trading = holding * ((grant > self.floor) & (grant < self.upper))
        held = trading.sum(axis=1)
        level = np.where(held > 0, trading @ log_utility / held, prices.level)
        return _Prices(prices.rest + self.delta * (level - prices.level), level)

    def moved(self, prices: _Prices, step: Array) -> _Prices:
        """Log prices higher by the step (m,)."""
        level = prices.level - step / self.delta
        return _Prices(prices.rest + (step + self.delta * (level - prices.level)), level)

    def demand(self, prices: _Prices) -> _Demand:
        """Every agent's best bundle at these prices. O(n m^2)."""
        self.rounds += 1
        delta, gamma, low, high = self.delta, self.gamma, self.low, self.high
        level = prices.level[:, None]
        apart = delta * (prices.level - level)  # (m, m)
        value = self.log_value - prices.rest[:, None]
        # Where, in delta (v - level), a resource leaves its ceiling and meets its floor; is the solution beyond?
        turn = np.stack([value - high, value - low])
        bundle = np.clip(value - turn[:, :, None] + apart[:, :, None], low, high)
        ahead = (gamma * bundle).sum(axis=2) - level - turn / delta
        full, least = ahead[0] <= 0, ahead[1] >= 0
        free = ~(full | least)
        returns = gamma * free
        total = returns.sum(axis=0)
        bound = np.where(full, high, low)
        # delta (v - level): first against the mean level of what the agent trades in, then against each.
        log_utility = (gamma * np.where(free, value, bound)).sum(axis=0)
        beyond = delta * (log_utility - prices.level @ returns / total) / (1 + delta * total) + apart @ returns / total
        beyond = np.where(total > 0, beyond, delta * (log_utility - level))
        wanted = value - beyond
        holding = np.exp(np.minimum(np.clip(wanted, low, high), LOG_HUGE))
        bought = np.clip(holding - self.endowment, self.floor, self.upper)
        grant = np.where(free, bought, np.where(full, self.upper, self.floor))
        held = np.where(free, holding, 0.0)
        slope = np.diag(held.sum(axis=1)) - (held * (delta / (1 + delta * total))) @ returns.T
        excess = np.where(self.open, grant.sum(axis=1) - self.capacity, 0.0)
        return _Demand(grant, wanted, held, slope, excess)

    def newton(self, prices: _Prices, within: float) -> tuple[_Prices, _Demand]:
        """Newton's method on the log prices until demand fits, relatively, or rounding allows no more."""
        found = self.demand(prices)
        best, least, since = found, np.inf, 0
        for _ in range(MAX_ROUNDS):
            error = float(self.error(found).max())
            best, least, since = (found, error, 0) if error < least else (best, least, since + 1)
            if least <= within or (least <= STALLED and since >= PATIENCE):
                return prices, best
            prices, found = self.advance(prices, found)
        return prices, best

    def advance(self, prices: _Prices, found: _Demand) -> tuple[_Prices, _Demand]:
        """One step on all prices, shortened until the largest imbalance shrinks; else one on each price in turn."""
        step, before = self.step(found), self.imbalance(found)
        for length in LENGTHS:
            trial = self.moved(prices, length * step)
            there = self.demand(trial)
            if self.imbalance(there) <= (1 - PROGRESS * length) * before:
                return trial, there
        for _ in range(MAX_TURNS):
            here = prices
            for k in np.flatnonzero(self.open):
                prices = self.clear_one(int(k), prices)
            if prices is here:  # every market clears as well as it is asked to
                break
            found = self.demand(prices)
            if self.imbalance(found) <= (1 - PROGRESS) * before:
                break
        return prices, found

    def error(self, found: _Demand) -> Array:
        """(m,) mismatch of demand and supply, relative to the numbers whose rounding shows in it."""
        return np.where(self.open, np.abs(found.excess) / (self.capacity + found.held.sum(axis=1)), 0.0)

    def imbalance(self, found: _Demand) -> float:
        """Largest |log| of what is bought beyond the floors over what there is, both padded by what there is."""
        beyond = np.where(self.error(found) > STALLED, found.excess / self.room, 0.0)
        return float(np.max(np.abs(np.log1p(beyond / 2))))

    def step(self, found: _Demand) -> Array:
        """Newton's step in the log prices, on the logarithm of what the agents strictly between bounds hold."""
        held = found.held.sum(axis=1)
        nobody = held <= 0
        should = np.maximum(held - found.excess, held / FAR)
        target = np.where(nobody, 0.0, held * np.log(held / should))
        # Where there is nobody such, the price moves past the first who will be, unless what is missing is next to
        # nothing: that is charged in the end, and a leap would upset all other markets.
        for k in np.flatnonzero(nobody & self.open & (self.error(found) > STALLED)):
            way, distance = np.sign(found.excess[k]), self.distance(found, int(k))
            target[k] = np.clip(distance[np.argmin(np.abs(distance))], -LOG_HUGE, LOG_HUGE) + way * LEAP
        return np.asarray(np.linalg.solve(found.slope + np.diag(nobody.astype(np.float64)), target))

    def distance(self, found: _Demand, k: int) -> Array:
        """(n,) how far the log price must go until who stands at a bound leaves it, so that market k comes nearer to
        clearing: upward, > 0, where too much is bought, else downward, < 0; infinite for who cannot."""
        movable = self.low[k] < self.high[k]
        if found.excess[k] < 0:
            gap = (found.wanted - self.low)[k]
            return np.where(movable & (gap <= 0), gap, -np.inf)
        gap = (found.wanted - self.high)[k]
        return np.where(movable & (gap >= 0), gap, np.inf)

    def clear_one(self, k: int, prices: _Prices) -> _Prices:
        """Prices that clear the market of resource k, all others as they are."""
        alone = np.eye(self.problem.m)[k]

        def excess(distance: float) -> float:
            found = float(self.demand(self.moved(prices, distance * alone)).excess[k])
            return found if abs(found) > ALONE * self.room[k] else 0.0

        here = excess(0.0)
        if here == 0:
            return prices
        near, far = 0.0, float(np.copysign(LEAP, here))
        while np.sign(excess(far)) == np.sign(here):
            near, far = far, 2 * far
        return self.moved(prices, alone * toms748(excess, *sorted((near, far)), xtol=FINEST, maxiter=MAX_ROUNDS))

    def balanced(self, found: _Demand) -> Array:
        """(m, n) grants with what rounding left over or overspent charged where it moves marginals least."""
        grant, held = found.grant, found.held
        for k in np.flatnonzero(self.open & (held.sum(axis=1) <= 0) & (found.excess != 0)):
            # Everyone stands at a bound: charged is who leaves it first.
            held[k, np.argmin(np.abs(self.distance(found, int(k))))] = 1.0
        for _ in range(MAX_CHARGES):
            excess = np.where(self.open, grant.sum(axis=1) - self.capacity, 0.0)[:, None]
            able = held * np.where(excess > 0, grant > self.floor, grant < self.upper)
            charge = excess * able / np.maximum(able.sum(axis=1, keepdims=True), TINY)
            grant = np.clip(grant - charge, self.floor, self.upper)
        return grant
