"""The kernel: divide one capacity so that the last unit is worth the same to everyone who receives any.

    max  sum_i phi_i(e_i + x_i)   s.t.   sum_i x_i <= C,   lo_i <= x_i <= hi_i,

where each marginal is a power law, phi_i'(h) = c_i h^(-p_i), c_i >= 0, p_i > 0. At price mu agent i demands
x_i(mu) = clip((c_i / mu)^(1 / p_i) - e_i, lo_i, hi_i), and mu solves sum_i x_i(mu) = C: water-filling. Every rule
that separates into one resource is a choice of (c, p); Fair-Synergy with one resource (Eq. 4) is c = gamma,
p = 1 - gamma.

The price is found by Halley's method on log mu, on the logarithm of what the active agents hold, kept inside a
bracket. The last step, Newton's, is applied to the grants themselves, so no exponential is spent on confirming it.

>>> filled = waterfill([0.9, 0.3], [0.1, 0.7], [0.1, 0.3], 0.5)
>>> filled.grant.round(4), round(float(filled.price), 4)
(array([0.3743, 0.1257]), 0.9693)
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairsynergy.errors import SolverError

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Tile = tuple[slice, slice]

# Agents evaluated at a time: a handful of arrays of this many doubles stay inside a core's cache.
TILE = 32768
# Above this many numbers they are taken a tile at a time, on threads.
LARGE = 65536
# A larger fleet takes its first price from a strided sample of about this many agents.
SAMPLE = 32768
# A relative excess demand this small leaves a second-order error far below rounding after the last Newton step.
CLOSE = 1e-9
# Newton needs 4 to 8 rounds; bisection alone, from the widest bracket of doubles, fewer than this.
MAX_ROUNDS = 200
# Beyond this an exponential overflows; a demand this large is far above any capacity.
LOG_HUGE = 700.0
TINY = float(np.finfo(np.float64).tiny)


class Filling(NamedTuple):
    """What the kernel returns: grant (..., n), price (...), iterations; the leading axes are those of the batch.

    The price is the marginal value of the capacity, 0 where everyone is at a ceiling; the iterations are the
    rounds until the slowest problem of the batch converged.
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

    Returns
    -------
    Filling
        Named tuple (grant, price, iterations). Shapes broadcast; the last axis is the agents. Input is assumed
        valid: `Problem` does the checking. O(n) per round, 3 to 8 rounds.

    Raises
    ------
    SolverError
        If no price clears the market, which valid input has not been seen to do.

    Examples
    --------
    Two fleets at once, the second without its third agent:

    >>> batch = waterfill(1.0, 1.0, [[0.1, 0.2, 0.3], [0.1, 0.2, 0.0]], [0.6, 0.6], ceiling=[[1, 1, 1], [1, 1, 0]])
    >>> batch.grant.round(3)
    array([[0.3 , 0.2 , 0.1 ],
           [0.35, 0.25, 0.  ]])
    """
    total = np.asarray(capacity, dtype=np.float64)
    arrays = [np.asarray(value, dtype=np.float64) for value in (coefficient, exponent, endowment, floor, ceiling)]
    shape = np.broadcast_shapes(*(value.shape for value in arrays), (*total.shape, 1))
    rows = (-1, shape[-1])
    c, p, own, low, high = (
        value.reshape(rows) if value.shape == shape else np.broadcast_to(value, shape).reshape(rows)
        for value in arrays
    )
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        market = _Market(c, p, own, low, high, np.broadcast_to(total, shape[:-1]).reshape(-1))
        rounds = market.clear()
    return Filling(market.grant.reshape(shape), market.price.reshape(shape[:-1]), rounds)


class _Market:
    """A batch of problems of shape (batch, n), and the grants demanded at a trial price."""

    def __init__(self, c: Array, p: Array, own: Array, low: Array, high: Array, capacity: Array) -> None:
        self.c, self.p, self.own, self.capacity = c, p, own, capacity
        # None spares a pass over the agents in the usual case of no bounds.
        self.low = low if low.max() > 0 else None
        self.high = high if high.min() < np.inf else None
        self.grant = np.empty(own.shape)
        self.price = np.zeros(len(capacity))
        self.large = own.size > LARGE
        self.tiles = _tiles(*own.shape)
        # For a large fleet, recomputing these tile by tile is cheaper than reading them back from memory.
        self.prepared = None if self.large else self.curve(self.tiles[0])

    def curve(self, tile: Tile) -> tuple[Array, Array]:
        """Log holding at price 1, and -d log holding / d log price."""
        rate = 1.0 / self.p[tile]
        reach = np.log(self.c[tile])
        reach *= rate
        return reach, rate

    def bounds(self, tile: Tile) -> tuple[Array | float, Array | None]:
        return 0.0 if self.low is None else self.low[tile], None if self.high is None else self.high[tile]

    def over_tiles(self, work: Callable[[Tile], list[Array]]) -> list[Array]:
        """Per problem, the sums of what `work` returns for each tile."""
        if not self.large:
            return work(self.tiles[0])
        parts = list(_threads().map(work, self.tiles))
        sums = [np.zeros(len(self.capacity)) for _ in parts[0]]
        for (rows, _), part in zip(self.tiles, parts, strict=True):  # in order: the same sum on any machine
            for total, value in zip(sums, part, strict=True):
                total[rows] += value
        return sums

    def demand(self, log_price: Array) -> list[Array]:
        """Set the grants demanded at a price, bounds aside; return, per problem, their total within bounds, and of
        the agents strictly between bounds what they hold and its first and second derivatives in -log price."""

        def work(tile: Tile) -> list[Array]:
            reach, rate = self.prepared or self.curve(tile)
            low, high = self.bounds(tile)
            wanted = rate * -log_price[tile[0], None]
            wanted += reach
            np.minimum(wanted, LOG_HUGE, out=wanted)
            np.exp(wanted, out=wanted)
            grant = self.grant[tile]
            np.subtract(wanted, self.own[tile], out=grant)
            active = grant > low
            granted = np.maximum(grant, low)
            if high is not None:
                active &= grant < high
                np.minimum(granted, high, out=granted)
            wanted *= active
            total, held = np.add.reduce(granted, axis=1), np.add.reduce(wanted, axis=1)
            slope = np.vecdot(wanted, rate)
            wanted *= rate
            return [total, held, slope, np.vecdot(wanted, rate)]

        return self.over_tiles(work)

    def clear(self) -> int:
        """Find the price at which demand meets capacity; leave grants and prices behind, return the rounds."""
        if self.high is None:
            sated = self.c.max(axis=1) == 0
        else:
            tops = np.where(self.c > 0, self.high, 0.0 if self.low is None else self.low)
            sated = tops.sum(axis=1) <= self.capacity
        idle = self.capacity <= (0.0 if self.low is None else self.low.sum(axis=1))
        settled = sated | idle
        rounds = 0 if settled.all() else self.find_price(settled)
        if settled.any():
            floors = np.zeros_like(self.grant) if self.low is None else self.low
            self.grant[idle] = floors[idle]
            marginal = self.c * (self.own + floors) ** -self.p
            self.price[idle] = np.max(marginal, axis=1, where=self.c > 0, initial=0.0)[idle]
            self.grant[sated] = (floors if self.high is None else tops)[sated]
            self.price[sated] = 0.0
        return rounds

    def find_price(self, settled: Mask) -> int:
        """Halley's method on the log of what the active hold, inside a bracket, for problems not settled yet."""
        log_price = self.first_guess()
        below, above = np.full_like(log_price, -np.inf), np.full_like(log_price, np.inf)
        leap = np.ones_like(log_price)
        close = CLOSE * self.capacity
        jammed = np.zeros_like(settled)
        for rounds in range(1, MAX_ROUNDS + 1):
            total, held, slope, bend = self.demand(log_price)
            excess = total - self.capacity
            settled = settled | (np.abs(excess) <= close)
            if settled.all():
                break
            np.copyto(below, log_price, where=excess > 0)
            np.copyto(above, log_price, where=excess <= 0)
            gap = np.log(held / (held - excess))  # zero when the active hold what the others leave
            steepness = slope / held
            halley = 1 - 0.5 * gap * (bend / (slope * steepness) - 1)
            trial = log_price + gap / (steepness * np.maximum(halley, 0.5))
            inside = (trial > below) & (trial < above)
            if not inside.all():
                # Nobody is active, or the active cannot make up for the rest, or Newton left the bracket.
                middle = 0.5 * (below + above)
                middle = np.where(np.isfinite(middle), middle, log_price + np.where(excess > 0, leap, -leap))
                trial = np.where(inside, trial, middle)
                leap = np.where(inside, leap, 2 * leap)
                # Where the price cannot be resolved any further, grants are rounding errors beside the endowments.
                jammed = ~settled & (above - below <= 4 * np.spacing(np.abs(log_price)))
                if (settled | jammed).all():
                    break
            log_price = np.where(settled | jammed, log_price, trial)
        else:
            raise SolverError(f"no clearing price after {MAX_ROUNDS} rounds; check the scale of the coefficients")
        if jammed.any():
            log_price = np.where(jammed, below, log_price)
            total, held, slope, bend = self.demand(log_price)
            excess = total - self.capacity
        shift = np.where(slope > 0, excess / slope, 0.0)
        self.conclude(shift)
        if jammed.any():
            self.ration(jammed)
        self.price = np.exp(log_price + shift)
        return rounds

    def first_guess(self) -> Array:
        """Log price if all held the same; for a large fleet, the price that clears a strided sample of it."""
        n = self.own.shape[1]
        stride = n // SAMPLE
        if stride > 1:
            part = np.s_[:, ::stride]
            low, high = self.bounds(part)
            arrays = [np.ascontiguousarray(array[part]) for array in (self.c, self.p, self.own)]
            bounds = np.broadcast_arrays(low, np.inf if high is None else high, arrays[0])[:2]
            sample = _Market(*arrays, *bounds, self.capacity * (arrays[0].shape[1] / n))
            sample.clear()
            guess = np.log(sample.price)
            if np.isfinite(guess).all():
                return guess
        level = np.log((self.capacity + np.add.reduce(self.own, axis=1)) / n)
        log_c = np.log(np.maximum(self.c, TINY))
        return np.asarray((np.add.reduce(log_c, axis=1) - level * np.add.reduce(self.p, axis=1)) / n)

    def conclude(self, shift: Array) -> None:
        """The last Newton step, taken in the grants: d grant = -rate holding d log price; then the bounds."""

        def work(tile: Tile) -> list[Array]:
            _, rate = self.prepared or self.curve(tile)
            low, high = self.bounds(tile)
            grant = self.grant[tile]
            step = grant + self.own[tile]
            step *= rate
            step *= shift[tile[0], None]
            grant -= step
            np.maximum(grant, low, out=grant)
            if high is not None:
                np.minimum(grant, high, out=grant)
            grant *= grant >= TINY  # below the smallest normal double a grant has lost its precision
            return []

        self.over_tiles(work)

    def ration(self, jammed: Mask) -> None:
        """Share what is left in proportion to a demand that is a rounding error too high."""
        low = 0.0 if self.low is None else self.low[jammed]
        extra = self.grant[jammed] - low
        left = self.capacity[jammed] - np.sum(np.broadcast_to(low, extra.shape), axis=1)
        self.grant[jammed] = low + extra * (left / extra.sum(axis=1))[:, None]


def _tiles(rows: int, n: int) -> list[Tile]:
    if rows * n <= LARGE:
        return [np.s_[0:rows, 0:n]]
    width = min(n, TILE)
    height = max(1, TILE // width)
    return [np.s_[y : y + height, x : x + width] for y in range(0, rows, height) for x in range(0, n, width)]


@cache
def _threads() -> ThreadPoolExecutor:
    """NumPy releases the interpreter's lock inside a tile, so that threads share the work."""
    return ThreadPoolExecutor(max_workers=os.cpu_count(), thread_name_prefix="waterfill")
