"""Divide anew when changing costs: the total accuracy, less a price on every unit taken from whom it was given.

    max  sum_i w_i U_i(x_i) - sum_k kappa_k sum_i (x0_ik - x_ik)^+    s.t.   sum_i x_ik <= C_k,   floors, ceilings,

where x0 are the previous grants. With an unchanged, spent capacity every unit moved is taken once and given once, so
this is a price on every unit moved; to place capacity that nobody had is free. On one resource there is one shadow
price mu and a rule with two thresholds. Let D_i(mu) be what agent i holds to where a unit adds mu. Whoever wants more
than it had at mu gets D_i(mu); whoever would give some up at mu - kappa goes down to D_i(mu - kappa); everyone between
keeps what it had. mu is where this spends C, one increasing equation in log(mu - kappa).

What is taken anyway, because floors or a smaller capacity ask for it, comes from whom it costs least. A holding beyond
saturation adds nothing but is not taken for nothing either: only once mu reaches kappa, or when something must be.

More resources are divided in turn, each exactly with the others fixed, until nothing moves. The price is a sum over
agents and resources, so where the total is jointly concave this ends at the optimum (Tseng 2001); elsewhere the best
end of several starts is kept.

>>> import fairsynergy as fs
>>> fleet = fs.Problem(endowment=[0.1, 0.1, 0.1], capacity=0.6, elasticity=[0.9, 0.5, 0.3])
>>> for price in (0, 0.2, 1):
...     print(fs.allocate(fleet, fs.Replan([0.1, 0.2, 0.3], price)).grant.ravel().round(3))
[0.351 0.163 0.086]
[0.253 0.2   0.147]
[0.1 0.2 0.3]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from math import inf, isfinite, log
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from fairsynergy.errors import ProblemError
from fairsynergy.kernel import Filling, waterfill
from fairsynergy.kernel._objective import NetOfTaking, Objective
from fairsynergy.policies._fair_synergy import COMPARABLE, MAX_PASSES, SETTLED, FairSynergy
from fairsynergy.policies._policy import Division, Policy
from fairsynergy.problem import ROUNDING, Array, Problem, matrix, read_only

# A demand this large is far above any capacity; a log price beyond this is none.
LOG_HUGE = 700.0
LOG_LEAST, LOG_MOST = -740.0, 740.0
TINY = float(np.finfo(np.float64).tiny)
# Brent's relative tolerance: as fine as it allows.
FINEST = 4 * float(np.finfo(np.float64).eps)
MAX_ROUNDS = 200
# Grants this close to the previous ones, as a part of the capacity, are those but for rounding.
SAME = 1e-9
# A bracket is sought in log steps of this, doubled each time.
LEAP = 0.05


@dataclass(frozen=True, eq=False, init=False)
class Replan(Policy):
    """Fair-Synergy from where we are: units change hands only where the gain exceeds a price on each.

    Parameters
    ----------
    previous : (n, m) or (n,) array_like
        What each agent had been given [units of each resource], >= 0; one dimension means m = 1. It may break limits
        of the new problem, for instance after a capacity shrank; the grants do not.
    price : float or (m,) array_like
        Of one unit taken away from whom it was given [accuracy of the total per unit], >= 0; one for all resources or
        one each. 0 is Fair-Synergy; at infinity nothing is taken that need not be.

    Raises
    ------
    ProblemError
        If a price is negative or no number; when dividing, if previous grants or prices do not fit the problem.

    Notes
    -----
    The price is compared with weighted accuracies, as in the total.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3])
    >>> allocation = fs.allocate(fleet, fs.Replan([0.25, 0.25], price=0.5))
    >>> allocation.grant.ravel().round(3), allocation.status.name
    (array([0.299, 0.201]), 'OPTIMAL')
    """

    previous: Array
    price: Array

    name: ClassVar[str] = "Replan"
    sentence: ClassVar[str] = "A unit changes hands only if that adds more accuracy than the change costs."

    def __init__(self, previous: ArrayLike, price: ArrayLike) -> None:
        each = np.asarray(price)
        if each.dtype.kind not in "iuf" or each.ndim > 1 or each.size == 0 or not (each >= 0).all():
            raise ProblemError(
                f"`price` must be a number >= 0, or one per resource, got {price!r}; give what one moved unit costs, "
                "in accuracy of the total, and 0 if changes cost nothing",
                field="price",
            )
        object.__setattr__(self, "previous", matrix("previous", previous))
        object.__setattr__(self, "price", read_only(np.array(each, dtype=np.float64)))

    @property
    def label(self) -> str:
        return f"{self.name} (price {' and '.join(f'{each:g}' for each in np.atleast_1d(self.price))} per unit)"

    @property
    def objective(self) -> Objective:  # type: ignore[override]  # depends on the settings, as alpha-fairness does
        """The total less the price of all units taken away."""
        return NetOfTaking(self.previous, np.broadcast_to(self.price, self.previous.shape[1]))

    def reasons(self, problem: Problem, grant: Array) -> Sequence[str]:
        had, moved = self.previous, np.abs(grant - self.previous) > SAME * problem.capacity
        ways = (
            ("keeps what it had of", ~moved),
            ("gets more", moved & (grant > had)),
            ("gives up some", moved & (grant < had)),
        )
        open_to = problem.capacity > 0
        said = []
        for i in range(problem.n):
            parts = [
                f"{way} {' and '.join(compress(problem.resources, mask[i] & open_to))}"
                for way, mask in ways
                if (mask[i] & open_to).any()
            ]
            said.append(f"it {', and '.join(parts) or 'gets nothing'}, at a price on every unit taken away")
        return said

    def in_units(self, factor: Array) -> Replan:
        return Replan(self.previous * factor, self.price / factor)

    def divide(self, problem: Problem) -> Division:
        previous = problem.amounts("previous", self.previous)
        if self.price.ndim and self.price.shape != (problem.m,):
            raise ProblemError(
                f"`price` must be one number or one per resource, shape ({problem.m},), got shape {self.price.shape}",
                field="price",
            )
        price = np.broadcast_to(self.price, problem.m)
        if not price.any():
            return FairSynergy().divide(problem)._replace(proof=None)
        # Marginals and demands overflow, and bounds mend that.
        with np.errstate(all="ignore"):
            return _Search(problem, previous, price).best()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Replan):
            return NotImplemented
        return np.array_equal(self.price, other.price) and np.array_equal(self.previous, other.previous, equal_nan=True)

    def __hash__(self) -> int:
        return hash((self.previous.shape, self.previous.tobytes(), self.price.shape, self.price.tobytes()))


class _Found(NamedTuple):
    """Grants (n,) of one resource, and the log of mu - kappa where somebody gave up some to somebody else, else NaN."""

    grant: Array
    at: float


class _Resource:
    """One resource: who keeps, gives up or gains. Arrays are (n,); `kept` is what was had, within hard limits."""

    def __init__(self, problem: Problem, previous: Array, price: Array, k: int) -> None:
        self.capacity, self.tax = float(problem.capacity[k]), float(price[k])
        self.low, self.high = problem.floor[:, k], problem.ceiling[:, k]
        self.kept = np.clip(previous[:, k], self.low, self.high)
        self.spare = self.capacity - float(self.kept.sum())
        self.own, self.p = problem.endowment[:, k], 1 - problem.elasticity[:, k]
        self.room = np.maximum(problem.saturation[:, k] - self.own, 0.0)

    def divide(self, log_c: Array, guess: float) -> _Found:
        """The best grants where a unit adds c h^(-p); `guess` is where a similar division ended, or NaN."""
        c = np.exp(log_c)
        useful = np.where(c > 0, self.room, 0.0)
        if self.tax == 0:
            return _Found(self.fill(c, self.low, np.maximum(self.low, np.minimum(self.high, useful))).grant, np.nan)
        # Between low and base a unit adds something to whoever had it, between base and kept nothing; up to top it
        # would add something to whoever had less.
        base = np.maximum(self.low, np.minimum(self.kept, useful))
        top = np.maximum(self.kept, np.minimum(self.high, useful))
        idle = self.kept - base
        value = c * (self.own + self.kept) ** -self.p
        wanted = float(np.max(value, initial=0.0, where=top > self.kept))
        within = ROUNDING * self.capacity
        if self.spare >= -within:  # nothing must be taken
            if self.spare > within:
                filled = self.fill(c, self.kept, top)
                grant, wanted = filled.grant, float(filled.price)
            else:
                grant = self.kept
            spared = np.where(base > self.low, value, np.inf)
            spared[idle > 0] = 0.0
            at = wanted - self.tax
            if not at > float(spared.min()):
                return _Found(grant, np.nan)
        else:
            if base.sum() <= self.capacity:
                part = (self.capacity - base.sum()) / idle.sum()
                grant, at = base + part * idle, 0.0
            else:
                filled = self.fill(c, self.low, base)
                grant, at = filled.grant, float(filled.price)
            if not wanted - self.tax > at:
                return _Found(grant, np.nan)
        return _Trade(self, log_c, base, top).clear(at, guess)

    def fill(self, c: Array, low: Array, high: Array) -> Filling:
        """Water-filling between other bounds."""
        return waterfill(c, self.p, self.own, self.capacity, low, high)


class _Trade:
    """Grants at a threshold: whoever has a use for more than it kept buys at mu, the others sell at nu = mu - kappa."""

    def __init__(self, resource: _Resource, log_c: Array, base: Array, top: Array) -> None:
        self.resource, self.log_c, self.base, self.top = resource, log_c, base, top
        self.log_tax, self.buyers = log(resource.tax), top > resource.kept

    def clear(self, at: float, guess: float) -> _Found:
        """Grants that spend the capacity; nu is near `at`, or where the logarithm `guess` says."""
        one = self.resource
        if (self.base < one.kept).any():
            # What is idle is sold as soon as mu is kappa; perhaps that is enough.
            wants = self.holding(self.log_tax) - one.own
            grant = np.where(self.buyers & (wants > one.kept), np.minimum(wants, self.top), self.base)
            left, idle = one.capacity - grant.sum(), np.where(grant == self.base, one.kept - self.base, 0.0)
            if left >= 0:
                return _Found(grant + min(1.0, left / idle.sum()) * idle, np.nan)
        start = guess if isfinite(guess) else log(at) if 0 < at < inf else self.log_tax
        low, high = self.bracket(min(max(start, LOG_LEAST), LOG_MOST), LEAP)
        log_at = (
            float(brentq(self.excess, low, high, xtol=FINEST, rtol=FINEST, maxiter=MAX_ROUNDS)) if low < high else low
        )
        # The grants are between those at two thresholds as close as numbers allow, and spend all.
        low, high = self.bracket(log_at, FINEST * max(1.0, abs(log_at)))
        most, least = self.grant(low), self.grant(high)
        spread = float((most - least).sum())
        part = min(1.0, max(0.0, (one.capacity - float(least.sum())) / spread)) if spread > 0 else 0.0
        return _Found(least + part * (most - least), log_at)

    def bracket(self, log_at: float, leap: float) -> tuple[float, float]:
        """Two logs of nu, at which too much and too little is demanded, sought in steps from this size on."""
        excess = self.excess(log_at)
        way = 1.0 if excess > 0 else -1.0
        while excess and LOG_LEAST <= log_at <= LOG_MOST:
            before, log_at, leap = log_at, log_at + way * leap, 2 * leap
            if self.excess(log_at) * way <= 0:
                return min(before, log_at), max(before, log_at)
        return log_at, log_at

    def excess(self, log_at: float) -> float:
        return float(self.grant(log_at).sum()) - self.resource.capacity

    def grant(self, log_at: float) -> Array:
        """(n,) what each gets at the log of nu."""
        one = self.resource
        wants = self.holding(np.logaddexp(self.log_tax, log_at)) - one.own
        sold = np.clip(self.holding(log_at) - one.own, one.low, self.base)
        return np.where(self.buyers & (wants > one.kept), np.minimum(wants, self.top), sold)

    def holding(self, log_price: float) -> Array:
        """(n,) at which a unit adds the price."""
        return np.exp(np.minimum((self.log_c - log_price) / self.resource.p, LOG_HUGE))


class _Search:
    """All resources, one after the other."""

    def __init__(self, problem: Problem, previous: Array, price: Array) -> None:
        self.problem, self.objective = problem, NetOfTaking(previous, price)
        self.resources = [_Resource(problem, previous, price, k) for k in range(problem.m)]
        self.log_value = np.log(problem.weight)[:, None] + np.log(problem.elasticity)

    def best(self) -> Division:
        """One resource at once; more from Fair-Synergy's division and, unless there is one end, from where we are."""
        if self.problem.m == 1:
            return Division(self.resources[0].divide(self.log_value[:, 0], np.nan).grant[:, None], 1)
        free = FairSynergy().divide(self.problem).grant
        orders = (range(self.problem.m), range(self.problem.m - 1, -1, -1))
        if self.objective.concave(self.problem):
            return self.climb(free, orders[0], SETTLED)
        kept = np.stack([resource.kept for resource in self.resources], axis=1)
        starts = (kept, free, 0.5 * (kept + free))
        ends = [self.climb(start, order, COMPARABLE) for start in starts for order in orders]
        best = max(ends, key=lambda end: self.objective.value(self.problem, end.grant))
        settled = self.climb(best.grant, orders[0], SETTLED)
        return settled._replace(iterations=best.iterations + settled.iterations)

    def climb(self, grant: Array, order: Sequence[int], settled: float) -> Division:
        """Divide every resource anew until no holding moves by more than this, relatively."""
        grant, guess = grant.copy(), np.full(self.problem.m, np.nan)
        for passed in range(1, MAX_PASSES + 1):
            before = grant.copy()
            for k in order:
                found = self.resources[k].divide(self.log_coefficient(grant, k), float(guess[k]))
                grant[:, k], guess[k] = found
            held, holds = (np.log(np.maximum(self.problem.holding(x), TINY)) for x in (before, grant))
            if np.max(np.abs(holds - held)) <= settled:
                break
        return Division(grant, passed)

    def log_coefficient(self, grant: Array, k: int) -> Array:
        """(n,) c of the marginals c h^(-p) of resource k, where the others are held as granted."""
        problem = self.problem
        with np.errstate(divide="ignore"):
            part = problem.elasticity * np.log(np.minimum(problem.holding(grant), problem.saturation))
        part[:, k] = 0.0
        return np.asarray(self.log_value[:, k] + part.sum(axis=1))
