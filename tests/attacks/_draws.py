"""What the attacks draw their cases from: amounts that coincide, nothing owned, alike agents, vast and tiny units."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Units in which a whole case is stated.
SCALES = (1.0, 1.0, 1.0, 1e-12, 1e-6, 1e6, 1e12)
ELASTICITIES = (0.01, 0.1, 0.2, 0.25, 0.3, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 0.99)
AMOUNTS = (0.005, 0.01, 0.0125, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0)
WEIGHTS = (1.0, 1.0, 1.0, 2.0, 3.0, 5.0, 10.0)


def elasticities(rng: np.random.Generator, shape: int | tuple[int, ...]) -> Array:
    """Round ones, any, or a few within 1e-9 .. 1e-3 of 0 and 1."""
    some = rng.choice(ELASTICITIES, shape)
    kind = rng.random()
    if kind < 0.5:
        return some
    drawn = rng.uniform(0.02, 0.98, shape)
    if kind < 0.85:
        return drawn
    near = 10.0 ** rng.uniform(-9, -3, shape)
    return np.choose(rng.integers(0, 4, shape), [near, drawn, some, 1 - near])


def amounts(rng: np.random.Generator, shape: int | tuple[int, ...], nothing: float = 0.4) -> Array:
    """Round or any amounts, a part of them zero."""
    drawn = rng.choice(AMOUNTS, shape) if rng.random() < 0.6 else rng.random(shape)
    return drawn * (rng.random(shape) >= nothing)


def alike(rng: np.random.Generator, n: int) -> NDArray[np.intp]:
    """(n,) whom each agent is like: itself, or in some cases one of a few."""
    return rng.integers(0, rng.integers(1, n + 1), n) if rng.random() < 0.3 else np.arange(n)


def nudged(rng: np.random.Generator, value: float) -> float:
    """Exactly this value, a few units in its last place beside it, or 1e-15 .. 1e-6 of it, or far from it."""
    kind = rng.random()
    if kind < 0.4:
        return value
    if kind < 0.55:
        return float(value + rng.integers(-3, 4) * np.spacing(value))
    if kind < 0.9:
        return float(value * (1 + rng.choice([-1, 1]) * 10.0 ** rng.uniform(-15, -6)))
    return float(value * rng.uniform(0.1, 2))


def kink(rng: np.random.Generator, low: Array, high: Array) -> float:
    """A capacity at which some agents can be full and all others at their floor, or close to one."""
    full = (rng.random(low.shape) < 0.5) & np.isfinite(high)
    if not full.any() and np.isfinite(high).any():
        full = np.isfinite(high)
    total = float(np.where(full, high, low).sum())
    if total <= 0:
        total = float(rng.choice(AMOUNTS)) * len(low)
    return max(nudged(rng, total), float(low.sum()))
