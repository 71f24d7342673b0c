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
