"""Leximin: raise the worst-off agent's accuracy as far as possible, then the next, and so on.

Utilities strictly increase with grants, so at the optimum every agent that receives anything stands at one common
level t of U_i / w_i, and every agent above t on its own receives nothing (agents stuck at a ceiling below t are
left there while the others rise).

One resource: x_i(t) = clip((w_i t)^(1/gamma_i) - e_i, lo_i, hi_i), which is the kernel with c = w, p = gamma and
price 1/t. Two resources: at a price ratio each agent buys the cheapest bundle that reaches the level, in closed form;
the level that spends the whole budget is found for each ratio, and the ratio that clears both markets is where
that level is lowest (convex duality: log U is concave). Many fleets at once go to level and ratio together by Newton's
method, each left to the former if that fails. The paper's Leximin (Kurokawa et al., 2018) compares
utilities as here; levelling resources instead is what NUM does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import toms748

from fairsynergy.errors import ProblemError, SolverError
from fairsynergy.kernel import Fleets, waterfill
from fairsynergy.kernel._objective import TINY, Objective, WorstUtility
from fairsynergy.policies._policy import Division, Policy, spend_exactly
from fairsynergy.problem import Array, Problem

# Log price ratios beyond this make one resource free at the scale of doubles.
FREE = 500.0
# Relative distance from the budget at which Newton stops: the rounding error of a sum over a large fleet.
SPENT = 1e-13
MAX_ROUNDS = 100
# Many at once: a fleet is done when both markets clear to SPENT, and left to the sure way after so many steps, each of
# which changes the logarithms of level and ratio by at most STRIDE.
MAX_STEPS, STRIDE = 30, 2.0
# A holding this large is far above any capacity, and still leaves room to multiply.
LOG_HUGE = 600.0
EPSILON = float(np.finfo(np.float64).eps)
# Beside an endowment of so many capacities a grant shows in no more than the last digits of an accuracy, and a capacity
# may then be spent by more than this fraction too much.
BLIND, OVERSPENT = 1e8, 1e-10


@dataclass(frozen=True)
class Leximin(Policy):
    """Lift the worst-off accuracy first, for one or two resources; weights divide the accuracy compared.

    Raises
    ------
    ProblemError
        With three or more resources.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3])
    >>> fs.allocate(fleet, fs.Leximin()).utility.round(3)
    array([0.631, 0.697])
    """

    name: ClassVar[str] = "Leximin"
    sentence: ClassVar[str] = "The worst-off agent is lifted first, then the next, whatever it costs the others."
    objective: ClassVar[Objective | None] = WorstUtility()

    def divide(self, problem: Problem) -> Division:
        if problem.m > 2:
            raise ProblemError(
                f"Leximin handles one or two resources, got {problem.m} ({', '.join(problem.resources)}); "
                "leave resources out or choose another rule",
                field="endowment",
            )
        exhausted = problem.capacity <= problem.floor.sum(axis=0)
        if problem.m == 1:
            division = _raise_along(problem, 0, problem.floor)
        elif exhausted.any():  # nothing to choose on that resource
            division = _raise_along(problem, int(np.argmin(exhausted)), problem.floor)
        else:
            division = _raise_visibly(problem)
        # A nearly inelastic agent that owns nothing reaches the level with less than the smallest number; with none
        # at all its accuracy would be 0.
        least = np.where(exhausted, problem.floor, np.minimum(TINY, problem.upper))
        liftable = (problem.holding(np.maximum(division.grant, least)) > 0).all(axis=1, keepdims=True)
        nothing = liftable & (problem.holding(division.grant) == 0)
        grant, rounds = np.where(nothing, least, division.grant), division.iterations
        # What those at the level cannot use lifts others above it.
        for k in range(problem.m):
            if grant[:, k].sum() < problem.capacity[k] * (1 - SPENT) and (grant < problem.upper)[:, k].any():
                rest = _raise_along(problem, k, grant)
                grant, rounds = rest.grant, rounds + rest.iterations
        return Division(grant, rounds)

    def _divide_together(self, fleets: Fleets) -> Array | None:
        owned = ((fleets.endowment > 0).all(axis=2) | (fleets.weight == 0)).all(axis=1)
        plain = owned & (fleets.capacity > 0).all(axis=1)
        if fleets.m > 2 or not plain.any():
            return None
        if fleets.m == 1 and plain.all():
            own, gamma, floor = fleets.endowment.mT, fleets.elasticity.mT, fleets.floor.mT
            upper = fleets.upper.mT
            return waterfill(fleets.weight[:, None], gamma, own, fleets.capacity, floor, upper).grant.mT
        if fleets.m == 1:
            return None
        grant = np.zeros((len(fleets), 2, fleets.n)).mT
        part = fleets if plain.all() else fleets[plain]
        raised = _raise_many(part)
        grant[plain, : part.n] = raised.grant
        left = ~plain
        left[plain] = ~raised.solved
        for i in np.flatnonzero(left):
            problem = fleets.problem(int(i))
            grant[i, : problem.n] = self.divide(problem).grant
        return grant


def cheapest(problem: Problem, level: float, prices: Array) -> Array:
    """Grants (n, 2), within every floor, ceiling and saturation, that lift everybody to a level at the least cost.

    Parameters
    ----------
    problem : Problem
        With two resources; its capacities do not count.
    level : float
        Of U_i / w_i, > 0. Who cannot reach it receives all it can use; who lacks what nobody can give, its floor.
    prices : (2,) array
        Money per unit of each resource, > 0.

    Examples
    --------
    >>> fleet = Problem(endowment=[[0.1, 0.2], [0.4, 0.1]], capacity=[0, 0], elasticity=[[0.5, 0.4], [0.3, 0.3]])
    >>> cheapest(fleet, 0.5, np.array([2.0, 1.0])).round(3)
    array([[0.276, 0.401],
           [0.   , 0.148]])
    """
    market = _BundleMarket(Fleets.around(problem, capacity=np.ones((1, 2))))
    return np.asarray(market.grant(market.bundles(np.log(level), np.log(prices[0] / prices[1])))[0])


def _raise_along(problem: Problem, k: int, grant: Array) -> Division:
    """Leximin over one resource, with the grants of the others as they are; what resource k had is its floor."""
    with np.errstate(divide="ignore"):
        log_held = np.log(np.minimum(problem.holding(grant), problem.saturation))
    log_others = np.delete(problem.elasticity * log_held, k, axis=1).sum(axis=1)
    lacking = np.isneginf(log_others)  # accuracy zero whatever it receives here
    coefficient = np.where(lacking, 0.0, problem.weight * np.exp(-np.where(lacking, 0.0, log_others)))
    filled = waterfill(
        coefficient,
        problem.elasticity[:, k],
        problem.endowment[:, k],
        problem.capacity[k],
        grant[:, k],
        problem.upper[:, k],
    )
    result = grant.copy()
    result[:, k] = filled.grant
    return Division(result, filled.iterations)


def _raise_visibly(problem: Problem) -> Division:
    """Leximin over both resources; who owns more than any grant could show beside is left to be raised last."""
    unit = np.where(problem.capacity > 0, problem.capacity, 1.0)
    with np.errstate(over="ignore"):
        owned = problem.endowment / unit
    blind = owned > BLIND
    if not blind.any():
        return _raise_both(problem)
    try:
        division = _raise_both(problem)
        if (division.grant.sum(axis=0) <= problem.capacity * (1 + OVERSPENT)).all():
            return division
    except SolverError:
        pass
    few = replace(problem, ceiling=np.where(blind, problem.floor, problem.ceiling))
    try:
        return _raise_both(few)
    except SolverError as error:
        i, k = (int(place) for place in np.unravel_index(int(np.argmax(owned)), owned.shape))
        raise SolverError(
            f"Leximin found no level at this scale: {problem.agents[i]} owns {owned[i, k]:.1g} times the capacity of "
            f"{problem.resources[k]}; check the units of both, or choose another rule"
        ) from error


def _raise_both(problem: Problem) -> Division:
    market = _RisingMarket(problem)
    if not market.alive.any():  # nothing lifts anybody
        return Division(problem.floor, 0)
    # Remembered: where the imbalance is a rounding error, its sign must not change from one call to the next.
    imbalance = cache(market.imbalance)
    fuller = imbalance(0.0)  # > 0: the first resource is the scarcer one, and must become dearer
    if fuller == 0.0:
        return Division(spend_exactly(problem, market.found), market.rounds)
    near, far = 0.0, float(np.copysign(1.0, fuller))
    while imbalance(far) * fuller > 0:
        if abs(far) >= FREE:
            # The other resource cannot be spent at any price: all who rise have as much of it as they can use.
            idle = 1 if fuller > 0 else 0
            grant = spend_exactly(problem, market.found)
            grant[:, idle] = market.found[:, idle]
            return Division(grant, market.rounds)
        near, far = far, 2 * far
    market.imbalance(toms748(imbalance, *sorted((near, far)), xtol=1e-15, rtol=4 * EPSILON, maxiter=MAX_ROUNDS))
    return Division(spend_exactly(problem, market.found), market.rounds)


class _Raised(NamedTuple):
    grant: Array  #: (b, n, 2)
    solved: NDArray[np.bool_]  #: (b,) whether both markets cleared


def _raise_many(fleets: Fleets) -> _Raised:
    """Leximin over two resources in fleets whose agents all own something of both.

    Where both markets clear at one level and one ratio, that is the optimum; so the level and the ratio of every
    fleet go there together, on the logarithms of what the rising agents hold.
    """
    market = _BundleMarket(fleets)
    capacity = fleets.capacity
    equal = fleets.log_utility((capacity / fleets.agents[:, None])[:, None]) - market.log_weight
    present = fleets.weight > 0
    level = np.min(equal, axis=1, initial=np.inf, where=present)
    ratio = np.zeros(len(fleets))
    solved = np.zeros(len(fleets), dtype=bool)
    grant = np.zeros((len(fleets), 2, fleets.n)).mT
    for _ in range(MAX_STEPS):
        bundles = market.bundles(level[:, None], ratio[:, None])
        trial = market.grant(bundles)
        holding = np.exp(np.minimum(bundles.log_holding, LOG_HUGE)) * present[..., None]
        spent = trial.sum(axis=1)
        cleared = (np.abs(spent / capacity - 1) <= SPENT).all(axis=1)
        grant[cleared], solved[cleared] = trial[cleared], True
        if solved.all():
            break
        rising = bundles.slope > 0
        held = (holding * rising).sum(axis=1)
        room = held + capacity - spent
        with np.errstate(all="ignore"):
            excess = -np.log(room / held)
            by_level = (holding * bundles.slope).sum(axis=1) / held
            # Where both holdings move, the dearer the first, the less of it: log x falls by g_y / (g_x + g_y).
            both = rising.all(axis=2)
            shift = np.where(both, fleets.elasticity[..., 1] * bundles.slope[..., 0], 0.0)
            drop = -(holding[..., 0] * shift).sum(axis=1) / held[:, 0]
            lift = (holding[..., 1] * (both - shift)).sum(axis=1) / held[:, 1]
            determinant = by_level[:, 0] * lift - by_level[:, 1] * drop
            up = (-excess[:, 0] * lift + excess[:, 1] * drop) / determinant
            across = (-by_level[:, 0] * excess[:, 1] + by_level[:, 1] * excess[:, 0]) / determinant
        # Where nobody trades both, or nobody wants one of them, Newton does not apply: a step in the right direction.
        blind = ~(np.isfinite(up) & np.isfinite(across))
        towards = 0.5 * np.clip(np.nan_to_num(excess), -STRIDE, STRIDE)
        up = np.where(blind, -towards.sum(axis=1), np.clip(up, -STRIDE, STRIDE))
        across = np.where(blind, towards[:, 0] - towards[:, 1], np.clip(across, -STRIDE, STRIDE))
        level = np.where(solved, level, level + up)
        ratio = np.where(solved, ratio, ratio + across)
    return _Raised(grant, solved)


class _Bundles(NamedTuple):
    log_holding: Array  #: (..., n, 2)
    slope: Array  #: (..., n, 2) derivative in the log level


class _BundleMarket:
    """Cheapest bundles at a level and a log price ratio, of one problem or of many.

    Prices are fractions of the capacities: budget 1 is all of both resources, spent s on the first, 1 - s on the
    second, with log (s / (1 - s)) the ratio.
    """

    def __init__(self, fleet: Problem | Fleets) -> None:
        self.fleet, self.gamma = fleet, fleet.elasticity
        with np.errstate(divide="ignore"):
            self.low = np.log(np.minimum(fleet.holding(fleet.floor), fleet.saturation))
            self.high = np.log(np.minimum(fleet.holding(fleet.upper), fleet.saturation))
            self.log_weight = np.log(fleet.weight)
        # Others have accuracy zero whatever they receive, or only pad.
        self.alive = np.asarray((self.high > -np.inf).all(axis=-1) & (fleet.weight > 0))
        self.least = (self.gamma * self.low).sum(axis=-1)
        self.best = (self.gamma * np.where(self.alive[..., None], self.high, -np.inf)).sum(axis=-1)

    def bundles(self, log_level: Array | float, ratio: Array | float) -> _Bundles:
        """Least-cost point of each agent's isoquant inside its bounds; on it, log holdings trade off linearly."""
        gx, gy = self.gamma[..., 0], self.gamma[..., 1]
        low_x, low_y, high_x, high_y = self.low[..., 0], self.low[..., 1], self.high[..., 0], self.high[..., 1]
        target = log_level + self.log_weight
        sunk, done = target <= self.least, target >= self.best
        dearness = ratio - np.log(self.fleet.capacity[..., :1] / self.fleet.capacity[..., 1:])
        with np.errstate(invalid="ignore"):  # dead agents; `grant` leaves them at their floor
            # Where nothing binds, both from the level: y from x would magnify rounding by g_x / g_y.
            tilt = np.log(gx / gy) - dearness  # log x - log y
            free_x = (target + gy * tilt) / (gx + gy)
            x = np.clip(free_x, low_x, high_x)
            wanted = np.where(x == free_x, free_x - tilt, (target - gx * x) / gy)
            y = np.clip(wanted, low_y, high_y)
            x = np.where(y == wanted, x, np.clip((target - gy * y) / gx, low_x, high_x))
        x = np.where(sunk, low_x, np.where(done, high_x, x))
        y = np.where(sunk, low_y, np.where(done, high_y, y))
        fixed = sunk | done
        x_fixed, y_fixed = fixed | (x <= low_x) | (x >= high_x), fixed | (y <= low_y) | (y >= high_y)
        interior = ~x_fixed & ~y_fixed
        slope_x = np.where(interior, 1 / (gx + gy), np.where(x_fixed, 0.0, 1 / gx))
        slope_y = np.where(interior, 1 / (gx + gy), np.where(y_fixed, 0.0, 1 / gy))
        return _Bundles(np.stack([x, y], axis=-2).mT, np.stack([slope_x, slope_y], axis=-2).mT)

    def grant(self, bundles: _Bundles) -> Array:
        """(..., n, 2) grants that bring agents to these bundles."""
        fleet = self.fleet
        log_holding = bundles.log_holding
        holding = np.exp(np.minimum(log_holding, LOG_HUGE))
        grant = np.clip(holding - fleet.endowment, fleet.floor, fleet.upper)
        # Exactly at a bound, where the logarithm is: exp(log(e)) - e is a rounding error, not a grant.
        grant = np.where(log_holding <= self.low, fleet.floor, grant)
        grant = np.where(log_holding >= self.high, fleet.upper, grant)
        return np.where(self.alive[..., None], grant, fleet.floor)


class _RisingMarket(_BundleMarket):
    """Of one problem, the level at which the bundles cost the whole budget."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem
        equal = problem.log_utility(problem.capacity / problem.n) - self.log_weight
        self.log_level = float(np.min(equal, initial=np.inf, where=self.alive))
        self.found = problem.floor  # grants at the latest ratio
        self.rounds = 0

    def imbalance(self, ratio: float) -> float:
        """Spend the budget at this ratio; return how much fuller the first resource is than the second."""
        share = np.array([1 / (1 + np.exp(-ratio)), 1 / (1 + np.exp(ratio))]) / self.problem.capacity
        below, above = -np.inf, np.inf
        under, over = (0.0, self.found), (0.0, self.found)  # spending and grants at either end of the bracket
        for _ in range(MAX_ROUNDS):
            self.rounds += 1
            bundles = self.bundles(self.log_level, ratio)
            grant = self.found = self.grant(bundles)
            spent = float(grant.sum(axis=0) @ share)
            holding = np.exp(np.minimum(bundles.log_holding, LOG_HUGE)) * self.alive[:, None]
            change = float((holding * bundles.slope).sum(axis=0) @ share)
            if spent > 1:
                above, over = self.log_level, (spent, grant)
            else:
                below, under = self.log_level, (spent, grant)
            if abs(spent - 1) <= SPENT:
                break
            # What the rising agents hold grows like an exponential of the level: Newton on its logarithm.
            held = float((holding * (bundles.slope > 0)).sum(axis=0) @ share)
            room = held + 1 - spent
            newton = np.log(room / held) * held / change if min(change, held, room) > 0 else np.nan
            trial = self.log_level + newton
            if not below < trial < above:
                trial = 0.5 * (below + above)
            if abs(trial - self.log_level) <= EPSILON * max(1.0, abs(self.log_level)):
                # One level for both ends: grants too small beside their endowments to show in it, or worth too
                # little. Any mixture has this level; one spends the budget.
                if np.isfinite(below) and np.isfinite(above):
                    mixture = (1 - under[0]) / (over[0] - under[0])
                    self.found = under[1] + mixture * (over[1] - under[1])
                break
            if not np.isfinite(trial):
                if spent < 1:
                    if self.log_level >= np.max(self.best - self.log_weight, where=self.alive, initial=-np.inf):
                        break  # everyone is at a ceiling
                    starts = self.least - self.log_weight
                    trial = np.min(starts, where=self.alive & (starts > self.log_level), initial=np.inf)
                    trial = self.log_level + 1.0 if np.isinf(trial) else max(trial, self.log_level + 1.0)
                else:
                    trial = self.log_level - 1.0
            self.log_level = float(trial)
        else:
            raise SolverError("Leximin could not find the level that spends the budget; check the problem's scale")
        filled = self.found.sum(axis=0) / self.problem.capacity
        return float(filled[0] - filled[1])
