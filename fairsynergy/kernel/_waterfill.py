"""The kernel: divide one capacity so that the last unit is worth the same to everyone who receives any.

    max  sum_i phi_i(e_i + x_i)   s.t.   sum_i x_i <= C,   lo_i <= x_i <= hi_i,

where each marginal is a power law, phi_i'(h) = c_i h^(-p_i), c_i >= 0, p_i > 0. At price mu agent i demands
x_i(mu) = clip((c_i / mu)^(1 / p_i) - e_i, lo_i, hi_i), and mu solves sum_i x_i(mu) = C: water-filling. Every rule
that separates into one resource is a choice of (c, p); Fair-Synergy with one resource (Eq. 4) is c = gamma,
p = 1 - gamma.

The price is found by Halley's method on log mu, on the logarithm of what the active agents hold, kept inside a
bracket. The last step is confirmed by the account that its grants leave: where somebody met a bound on the way, that is
open, and the price is found anew between the two kinks of demand that enclose it.

>>> filled = waterfill([0.5, 0.3], [0.5, 0.7], [0.1, 0.3], 0.5)
>>> filled.grant.round(4), round(float(filled.price), 4)
(array([0.4753, 0.0247]), 0.6592)
"""

from __future__ import annotations

from math import inf, isfinite, log
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Tile = tuple[slice, slice]

# Agents evaluated at a time: a handful of arrays of this many doubles stay inside a core's cache.
TILE = 32768
# Above this many numbers they are taken a tile at a time. Threads were tried: handing over the interpreter's lock
# between operations this short costs what they gain.
LARGE = 65536
# BLAS may share a longer product of vectors among threads: it then rounds differently from machine to machine, and on a
# busy one the threads wait for one another, a hundred times as long as the work takes.
ALONE = 8192
# A larger fleet takes its first price from a strided sample of about this many agents.
SAMPLE = 32768
# A relative excess demand this small leaves an error below rounding after one more step of third order.
CLOSE = 1e-6
# From this relative excess one step of third order comes about as near as CLOSE; without a bracket, steps are few or
# hopeless.
NEAR = 3e-2
MAX_APPROACH = 6
# An account is open beyond this fraction of the capacity, which leaves the rounding of the sum itself below 1e-14; each
# charge either closes it or empties a grant. A charge may move marginals by this much, relatively, or by a few of the
# steps in which a log price can be written.
BALANCED = 8e-15
FINEST = 4
MAX_CHARGES = 8
# Newton needs 4 to 8 rounds; whoever needs more than this has the kinks of demand looked through.
MAX_ROUNDS = 40
# Between two kinks a few rounds do; bisection alone, from the widest bracket of doubles, needs fewer than this.
MAX_BETWEEN = 200
# Beyond this an exponential overflows; a demand this large is far above any capacity.
LOG_HUGE = 700.0
TINY = float(np.finfo(np.float64).tiny)
# Grants are differences of holdings: from this endowment on they are zero or above TINY.
LEAST_BESIDE = TINY / np.finfo(np.float64).eps


class Filling(NamedTuple):
    """What the kernel returns: grant (..., n), price (...), iterations; the leading axes are those of the batch.

    The price is the marginal value of the capacity, 0 where everyone is at a ceiling; the iterations are the
    how often demand was evaluated, until the slowest problem of the batch converged.
    """

    grant: Array
    price: Array
    iterations: int


def waterfill(
    coefficient: ArrayLike,
    exponent: ArrayLike,
    endowment: ArrayLike,
    capacity: ArrayLike,
    floor: ArrayLike = 0.0,
    ceiling: ArrayLike = np.inf,
    *,
    guess: ArrayLike | None = None,
) -> Filling:
    """Solve one water-filling problem, or a batch of them.

    Parameters
    ----------
    coefficient, exponent : (..., n) array_like
        c >= 0 and p > 0 of the marginal c h^(-p); an agent with c = 0 receives its floor.
    endowment : (..., n) array_like
        Holding before the grant [units of the resource], >= 0.
    capacity : (...) array_like
        What can be granted in total [same units]; at least the sum of the floors.
    floor, ceiling : (..., n) array_like
        Bounds of each grant. ``ceiling=0`` masks an agent out of a batch.
    guess : (...) array_like, optional
        Price of a similar problem, which saves rounds; any value leads to the same answer within rounding.

    Returns
    -------
    Filling
        Named tuple (grant, price, iterations). Shapes broadcast; the last axis is the agents. Input is assumed
        valid: `Problem` does the checking. O(n) per round, 3 to 8 rounds.

    Examples
    --------
    Two fleets at once, the second without its third agent:

    >>> batch = waterfill(1.0, 1.0, [[0.1, 0.2, 0.3], [0.1, 0.2, 0.0]], [0.6, 0.6], ceiling=[[1, 1, 1], [1, 1, 0]])
    >>> batch.grant.round(3)
    array([[0.3 , 0.2 , 0.1 ],
           [0.35, 0.25, 0.  ]])
    """
    arrays = [np.asarray(value, dtype=np.float64) for value in (coefficient, exponent, endowment, floor, ceiling)]
    total = np.asarray(capacity, dtype=np.float64)
    shape = np.broadcast_shapes(*(value.shape for value in arrays), (*total.shape, 1))
    c, p, own = (_rows(value, shape) for value in arrays[:3])
    # None spares passes over the agents in the usual case of no bounds.
    low = _rows(arrays[3], shape) if arrays[3].max(initial=0.0) > 0 else None
    high = _rows(arrays[4], shape) if arrays[4].min(initial=np.inf) < np.inf else None
    market = _Market(c, p, own, low, high, _rows(total[..., None], (*shape[:-1], 1))[:, 0])
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        near = None if guess is None else np.log(_rows(np.asarray(guess, float)[..., None], (*shape[:-1], 1))[:, 0])
        grant, price, rounds = market.clear(near)
    return Filling(grant.reshape(shape), price.reshape(shape[:-1]), rounds)


class _Market:
    """A batch of problems of shape (batch, n); demand and grants at a trial price. Good for one `clear`."""

    def __init__(self, c: Array, p: Array, own: Array, low: Array | None, high: Array | None, capacity: Array) -> None:
        self.c, self.p, self.own, self.low, self.high, self.capacity = c, p, own, low, high, capacity
        self.rounds = 0
        self.large = own.size > LARGE
        self.tiles = _tiles(*own.shape) if self.large else [np.s_[:, :]]
        with np.errstate(divide="ignore"):
            self.log_c = np.log(c)
        # Fresh memory costs more than to divide again: a large fleet's rates are made tile by tile.
        self.rate = None if self.large else 1.0 / p

    def rates(self, tile: Tile) -> Array:
        """How fast the log of what each wants falls with the log price."""
        return 1.0 / self.p[tile] if self.rate is None else self.rate[tile]

    def bounds(self, tile: Tile) -> tuple[Array | float, Array | None]:
        return 0.0 if self.low is None else self.low[tile], None if self.high is None else self.high[tile]

    def demand(self, log_price: Array) -> list[Array]:
        """Per problem: total demand, and of the agents strictly between their bounds what they hold, and its first
        and second derivatives in -log price."""

        self.rounds += 1

        def work(tile: Tile) -> list[Array]:
            rate = self.rates(tile)
            wanted = self.log_c[tile] - log_price[tile[0], None]
            wanted *= rate
            np.minimum(wanted, LOG_HUGE, out=wanted)
            np.exp(wanted, out=wanted)
            low, high = self.bounds(tile)
            grant = wanted - self.own[tile]
            active = grant > low
            if high is not None:
                active &= grant < high
            if np.count_nonzero(active) < active.size:
                np.maximum(grant, low, out=grant)
                if high is not None:
                    np.minimum(grant, high, out=grant)
                wanted *= active
            total = np.add.reduce(grant, axis=1)
            held, slope = np.add.reduce(wanted, axis=1), _dot(wanted, rate)
            np.multiply(wanted, rate, out=grant)
            return [total, held, slope, _dot(grant, rate)]

        if not self.large:
            return work(self.tiles[0])
        sums = [np.zeros(len(self.capacity)) for _ in range(4)]
        for tile in self.tiles:
            for total, part in zip(sums, work(tile), strict=True):
                total[tile[0]] += part
        return sums

    def grants(self, log_price: Array) -> Array:
        """(batch, n) demand within bounds; overwrites `log_c`, since fresh memory is dear and no round follows."""
        for tile in self.tiles:
            low, high = self.bounds(tile)
            part = self.log_c[tile]
            part -= log_price[tile[0], None]
            part /= self.p[tile]
            np.minimum(part, LOG_HUGE, out=part)
            np.exp(part, out=part)
            part -= self.own[tile]
            if high is not None:
                np.minimum(part, high, out=part)
            np.maximum(part, low, out=part)
            # Below the smallest normal double a grant has lost its precision; it is written as nothing. Beside a
            # larger endowment none is that small.
            if self.own[tile].min() < LEAST_BESIDE:
                part *= part >= TINY
        return self.log_c

    def clear(self, near: Array | None = None) -> Filling:
        """Grants and prices at which demand meets capacity; `near` are log prices to start from."""
        bottom = 0.0 if self.low is None else self.low.sum(axis=1)
        if self.high is None:
            sated = ~(self.c > 0).any(axis=1)
        else:
            tops = np.where(self.c > 0, self.high, 0.0 if self.low is None else self.low)
            sated = tops.sum(axis=1) <= self.capacity
        idle = ~sated & (self.capacity <= bottom)
        special = np.count_nonzero(sated | idle) > 0
        if special and np.all(sated | idle):
            grant, price = np.zeros(self.own.shape), np.zeros(len(self.capacity))
        else:
            grant, price, _ = self.find_price(sated | idle, near)
        if special:
            floors = np.zeros_like(grant) if self.low is None else self.low
            grant[idle] = floors[idle]
            marginal = self.c * (self.own + floors) ** -self.p
            price[idle] = np.max(marginal, axis=1, where=self.c > 0, initial=0.0)[idle]
            grant[sated] = (floors if self.high is None else tops)[sated]
            price[sated] = 0.0
        return Filling(grant, price, self.rounds)

    def find_price(self, settled: Mask, near: Array | None) -> Filling:
        """Halley's method on the log of what the active hold, inside a bracket, for problems not settled yet."""
        log_price = self.first_guess() if near is None or not np.isfinite(near).all() else near.copy()
        rows = len(log_price)
        if rows == 1 and not self.large:
            log_price[0] = self.approach(float(log_price[0]))
        below, above = np.full_like(log_price, -np.inf), np.full_like(log_price, np.inf)
        close = np.where(settled, np.inf, CLOSE * self.capacity)
        exact = np.where(settled, np.inf, BALANCED * self.capacity)
        idle = settled
        leap = np.ones_like(log_price)
        jammed = np.zeros_like(settled)
        for _ in range(MAX_ROUNDS):
            total, held, slope, bend = self.demand(log_price)
            excess = total - self.capacity
            gap = np.log(held / (held - excess))  # zero when the active hold what the others leave
            steepness = slope / held
            halley = 1 - 0.5 * gap * (bend / (slope * steepness) - 1)
            step = gap / (steepness * np.maximum(halley, 0.5))
            settled = np.abs(excess) <= close
            if np.count_nonzero(settled) == rows:
                sure = np.isfinite(step) | (np.abs(excess) <= exact)
                if np.count_nonzero(sure) == rows:
                    break
                settled &= sure  # without a last step to take, the account itself must be closed
            too_cheap = excess > 0
            np.copyto(below, log_price, where=too_cheap)
            np.copyto(above, log_price, where=~too_cheap)
            trial = np.where(settled, log_price, log_price + step)
            inside = ((trial > below) & (trial < above)) | settled
            if np.count_nonzero(inside) != rows:
                # Nobody is active, or the active cannot make up for the rest, or the step left the bracket.
                middle = 0.5 * (below + above)
                middle = np.where(np.isfinite(middle), middle, log_price + np.where(too_cheap, leap, -leap))
                trial = np.where(inside, trial, middle)
                leap = np.where(inside, leap, 2 * leap)
                # Where the price cannot be resolved any further, grants are rounding errors beside the endowments;
                # demand is then taken at the price a hair too low.
                jammed |= above - below <= 4 * np.spacing(np.abs(log_price))
                trial = np.where(jammed, below, trial)
                close = np.where(jammed, np.inf, close)
                exact = np.where(jammed, np.inf, exact)
            log_price = trial
        # The last step is not confirmed by another round: its error is of second order in CLOSE, unless somebody meets
        # a bound on the way. Then its grants leave an account that no small charge closes.
        log_price = log_price + np.where(np.isfinite(step) & ~jammed, step, 0.0)
        grant = self.grants(log_price)
        for row in self.balance(grant, log_price):
            if not idle[row]:
                grant[row], log_price[row] = self.between_kinks(row)
        return Filling(grant, np.exp(log_price), self.rounds)

    def approach(self, log_price: float) -> float:
        """A better first guess for a single problem: the same steps without their bracket, as long as they apply,
        on plain floats; NumPy's overhead on arrays of length one is otherwise half of the time of a small fleet."""
        capacity = float(self.capacity[0])
        for _ in range(MAX_APPROACH):
            total, held, slope, bend = (float(sums[0]) for sums in self.demand(np.array([log_price])))
            excess = total - capacity
            if not (0 < slope < inf and 0 < held < inf and excess < held):
                break
            gap, ease = log(held / (held - excess)), held / slope
            trial = log_price + gap * ease / max(1 - 0.5 * gap * (bend / slope * ease - 1), 0.5)
            if not isfinite(trial):
                break
            log_price = trial
            if abs(excess) <= NEAR * capacity:
                break
        return log_price

    def balance(self, grant: Array, log_price: Array) -> NDArray[np.intp]:
        """Settle, in place, an account that rounding leaves open because grants are tiny beside endowments.

        It is charged as a last small step of the price would, d grant = -rate holding d log price: to those whose
        marginal it moves least. Returns the rows where that step is not small.
        """
        excess = np.add.reduce(grant, axis=1) - self.capacity
        rows = np.flatnonzero(~(np.abs(excess) <= BALANCED * self.capacity))
        if rows.size == 0:
            return rows
        low = 0.0 if self.low is None else self.low[rows]
        high = np.inf if self.high is None else self.high[rows]
        own, rate, part, capacity = self.own[rows], 1.0 / self.p[rows], grant[rows], self.capacity[rows]
        small = np.maximum(BALANCED, FINEST * np.spacing(np.abs(log_price[rows])))
        wrong = np.zeros(rows.size, dtype=bool)
        for _ in range(MAX_CHARGES):
            excess = part.sum(axis=1) - capacity
            charge = (part + own) * rate * ((part > low) & (part < high))
            able = np.maximum(charge.sum(axis=1), TINY)
            step = excess / able
            large = ~(np.abs(step) <= small)
            wrong |= large & ~(np.abs(excess) <= BALANCED * capacity)
            # What the price hardly explains is left to rounding: charged to a crumb, it would be all of it.
            part = np.clip(part - np.where(large, 0.0, step)[:, None] * charge, low, high)
        grant[rows] = part
        return rows[wrong]

    def between_kinks(self, row: int) -> tuple[Array, float]:
        """Grants (n,) and log price of one problem, whatever its bounds: slower, but sure.

        Demand is smooth between the kinks where somebody leaves the floor or meets the ceiling. Bisection over the
        sorted kinks finds the two between which it meets capacity; there nobody meets a bound, and the log of what is
        held is convex in the log price. Where the price cannot be written any finer, grants are mixed from those at
        both of the nearest prices that can.
        """
        c, p, own, capacity = self.c[row], self.p[row], self.own[row], float(self.capacity[row])
        low = np.zeros_like(own) if self.low is None else self.low[row]
        high = np.full_like(own, np.inf) if self.high is None else self.high[row]
        log_c, rate = np.log(c), 1.0 / p
        # Beyond all that there is, and beside endowments far above it, grants would not add up to the last digit.
        enough = np.minimum(high, low + 2 * (capacity - np.add.reduce(low)))
        # Who meets a bound is told by the log price where it does: beside a large endowment the rounding of what is
        # wanted may be larger than a ceiling.
        closed, full = (log_c - p * np.log(np.maximum(own + limit, TINY)) for limit in (low, enough))

        def buy(log_price: float) -> tuple[Array, Array, float]:
            """Grants, what those strictly between their bounds hold, and what is bought beyond the capacity."""
            self.rounds += 1
            wanted = np.exp(np.minimum((log_c - log_price) * rate, LOG_HUGE))
            grant = np.maximum(np.minimum(wanted - own, enough), low)
            grant *= (grant >= TINY) | (own >= LEAST_BESIDE)
            grant = np.where(log_price <= full, enough, np.where(log_price >= closed, low, grant))
            return grant, wanted * ((grant > low) & (grant < enough)), float(np.add.reduce(grant) - capacity)

        who = (c > 0) & (enough > low)
        kinks = np.unique(np.concatenate([closed, full])[np.tile(who, 2)])
        margin = FINEST * np.spacing(np.abs(kinks).max()) + FINEST * np.spacing(1.0)  # rounding of the kinks
        first, last = 0, len(kinks) - 1
        below, above = float(kinks[0] - margin), float(kinks[-1] + margin)
        while last >= first:
            middle = (first + last) // 2
            if buy(float(kinks[middle]))[2] > 0:
                below, first = float(kinks[middle]), middle + 1
            else:
                above, last = float(kinks[middle]), middle - 1
        log_price, ends = below, (below, above)
        for _ in range(MAX_BETWEEN):
            grant, held, excess = buy(log_price)
            if excess == 0 or above - below <= FINEST * np.spacing(abs(log_price)):
                break
            if excess > 0:
                below = log_price
            else:
                above = log_price
            inside = np.add.reduce(held)
            step = float(np.log(inside / (inside - excess)) * inside / (held @ rate))
            if abs(step) <= np.spacing(abs(log_price)):
                break
            log_price = log_price + step if below < log_price + step < above else 0.5 * (below + above)
        step = float(np.copysign(np.spacing(abs(log_price)), excess))
        while excess != 0 and abs(step) < LOG_HUGE:
            nearby, _, other = buy(min(max(log_price + step, ends[0]), ends[1]))
            if np.sign(other) != np.sign(excess):  # a product of the two may be too small for a number
                return grant + excess / (excess - other) * (nearby - grant), log_price
            step *= 2
        return grant, log_price

    def first_guess(self) -> Array:
        """Log price if all held the same; for a large fleet, the price that clears a strided sample of it."""
        n = self.own.shape[1]
        stride = n // SAMPLE
        if stride > 1:
            part = np.s_[:, ::stride]
            c, p, own = (np.ascontiguousarray(value[part]) for value in (self.c, self.p, self.own))
            low = None if self.low is None else self.low[part]
            high = None if self.high is None else self.high[part]
            guess = np.log(_Market(c, p, own, low, high, self.capacity * (c.shape[1] / n)).clear().price)
            if np.isfinite(guess).all():
                return guess
        # Newton's first step from equal holdings, where rates weigh what each agent does to demand.
        level = np.log((self.capacity + np.add.reduce(self.own, axis=1)) / n)
        log_c = np.maximum(self.log_c, -LOG_HUGE)
        rate = self.rates(np.s_[:, :])
        return np.asarray((_dot(log_c, rate) - n * level) / np.add.reduce(rate, axis=1))


def _dot(a: Array, b: Array) -> Array:
    """Sum of a * b along the rows."""
    return np.vecdot(a, b) if a.shape[1] <= ALONE else np.asarray(np.einsum("ij,ij->i", a, b))


def _rows(value: Array, shape: tuple[int, ...]) -> Array:
    """As (batch, last axis), without copying where that can be."""
    whole = value if value.shape == shape else np.broadcast_to(value, shape)
    return whole.reshape(-1, shape[-1]) if len(shape) != 2 else whole


def _tiles(rows: int, n: int) -> list[Tile]:
    if rows * n <= LARGE:
        return [np.s_[0:rows, 0:n]]
    width = min(n, TILE)
    height = max(1, TILE // width)
    return [np.s_[y : y + height, x : x + width] for y in range(0, rows, height) for x in range(0, n, width)]
