"""Plain solvers for the attacks, written out again: nothing of the package is imported here."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
# 64 bits of mantissa where the machine has them; the exponent's range is wider everywhere but where it is not.
LONG = np.longdouble


def level_by_bisection(c: Array, p: Array, own: Array, capacity: float, low: Array, high: Array) -> tuple[Array, float]:
    """Grants (n,) and log price of one market of power laws c h^(-p), by bisection on the log price.

    At the final price the bracket is as narrow as extended precision allows; grants are those of the dearer end, and
    what is then left goes to whoever the cheaper end would give more.
    """
    c, p, own, low, high = (np.asarray(value, dtype=LONG) for value in (c, p, own, low, high))
    room = LONG(capacity)
    willing = c > 0
    with np.errstate(all="ignore"):
        log_c = np.log(c)

        def demand(log_price: np.longdouble) -> np.ndarray:
            wanted = np.exp(np.minimum((log_c - log_price) / p, LONG(10000))) - own
            return np.where(willing, np.clip(wanted, low, high), low)

        top, bottom = LONG(1e5), LONG(-1e5)
        if demand(bottom).sum() <= room:
            return np.asarray(demand(bottom), dtype=np.float64), -np.inf
        if low.sum() >= room:
            return np.asarray(low, dtype=np.float64), np.inf
        for _ in range(200):
            middle = (top + bottom) / 2
            if demand(middle).sum() > room:
                bottom = middle
            else:
                top = middle
        least, most = demand(top), demand(bottom)
        gap = (most - least).sum()
        part = (room - least.sum()) / gap if gap > 0 else LONG(0)
        return np.asarray(least + part * (most - least), dtype=np.float64), float(top)


def power_sum(c: Array, p: Array, holding: Array) -> float:
    """sum_i c_i of the integral of h^(-p) up to each holding (for p >= 1 up to a constant)."""
    c, p, h = (np.asarray(value, dtype=LONG) for value in (c, p, holding))
    tiny = LONG(np.finfo(np.float64).tiny)
    h, q = np.maximum(h, tiny), 1 - p
    with np.errstate(all="ignore"):
        value = np.where(q == 0, np.log(h), h**q / np.where(q == 0, 1, q))
    return (c * value).sum()


def fill_many(c: Array, p: Array, own: Array, capacity: float, low: Array, high: Array) -> Array:
    """Grants (s, n) of many markets (s, n) of power laws that share one capacity, by plain bisection in doubles."""
    shape = np.broadcast_shapes(c.shape, p.shape, own.shape)
    tiny = np.finfo(np.float64).tiny
    with np.errstate(all="ignore"):
        log_c = np.log(np.broadcast_to(c, shape))
        most = np.minimum(high, low + max(capacity - float(low.sum()), 0.0))

        def demand(log_price: Array) -> Array:
            wanted = np.exp(np.minimum((log_c - log_price) / p, 700)) - own
            return np.where(log_c > -np.inf, np.clip(wanted, low, most), low)

        top = np.max(log_c - p * np.log(np.maximum(own + low, tiny)), axis=1, initial=-1e4)[:, None] + 1
        bottom = np.min(np.where(log_c > -np.inf, log_c - p * np.log(np.maximum(own + most, tiny)), np.inf), axis=1)
        bottom = np.where(np.isfinite(bottom), bottom, -1e4)[:, None] - 1
        for _ in range(50):
            middle = (top + bottom) / 2
            dear = demand(middle).sum(axis=1, keepdims=True) <= capacity
            top, bottom = np.where(dear, middle, top), np.where(dear, bottom, middle)
        least, much = demand(top), demand(bottom)
        gap = (much - least).sum(axis=1, keepdims=True)
        left = np.maximum(capacity - least.sum(axis=1, keepdims=True), 0.0)
        part = np.where(gap > 0, np.minimum(left / np.where(gap > 0, gap, 1.0), 1.0), 0.0)
        return least + part * (much - least)


def cobb_douglas(problem: object, grant: Array) -> Array:
    """(..., n) accuracies, from the law as it is written: prod_k min(e + x, saturation)^gamma."""
    held = np.minimum(problem.endowment + grant, problem.saturation)  # type: ignore[attr-defined]
    return np.prod(held**problem.elasticity, axis=-1)  # type: ignore[attr-defined]


def reach(problem: object, rng: np.random.Generator, starts: int = 12, passes: int = 4) -> tuple[float, Array]:
    """The greatest total (and its grants) that alternate water-filling finds from random divisions and from corners."""
    p = problem
    n, m = p.endowment.shape  # type: ignore[attr-defined]
    capacity, floor, upper = p.capacity, p.floor, p.upper  # type: ignore[attr-defined]
    spare = np.maximum(capacity - floor.sum(axis=0), 0.0)
    parts = rng.dirichlet(np.full(n, 0.3), (starts, m)).transpose(0, 2, 1)
    parts[: min(n, starts)] = np.eye(n)[: min(n, starts), :, None] * 0.999 + 0.001 / n
    parts[-1] = 1 / n
    grant = np.minimum(floor + spare * parts, np.maximum(upper, floor))
    weight, gamma, own = p.weight, p.elasticity, p.endowment  # type: ignore[attr-defined]
    for _ in range(passes if m > 1 else 1):
        for k in rng.permutation(m):
            with np.errstate(divide="ignore"):
                logs = gamma * np.log(np.minimum(own + grant, p.saturation))  # type: ignore[attr-defined]
            others = np.exp(np.delete(logs, k, axis=2).sum(axis=2))
            filled = fill_many(
                weight * gamma[:, k] * others, 1 - gamma[:, k], own[:, k], float(capacity[k]), floor[:, k], upper[:, k]
            )
            grant[:, :, k] = filled
    totals = cobb_douglas(p, grant) @ weight
    best = int(np.argmax(totals))
    return float(totals[best]), grant[best]


def best_in_units(worth: list[list[float]], units: int) -> float:
    """The greatest sum of worth[i][k_i] with sum k_i <= units, by dynamic programming; -inf where k is not allowed."""
    best = [0.0] + [0.0] * units
    for row in worth:
        best = [max(best[used - k] + row[k] for k in range(min(used, len(row) - 1) + 1)) for used in range(units + 1)]
    return best[units]


def at_least(gap: float) -> float:
    """The part of the best total that a gap claims is reached: all that its rounding allows.

    Where nearly all is missing, little is left of the digits of 1 - gap.
    """
    return 1 - gap - float(np.finfo(np.float64).epsneg) / 2
