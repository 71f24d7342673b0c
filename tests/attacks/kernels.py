"""The kernel: bounds, account, levelled marginals and price, and the value of a bisection in extended precision."""

from __future__ import annotations

import numpy as np

import fairsynergy as fs
from attacks import _draws, _referees

COUNT = 300
# Relative: of the account, and of marginals, which are as exact as their logarithms, and as the price's.
ACCOUNT, LEVEL = 1e-14, 1e-14
# Of the value, relative to all that is held; the referee's own error is below.
VALUE = 1e-13
LONG = np.longdouble
TINY = np.finfo(np.float64).tiny

Market = tuple[np.ndarray, np.ndarray, np.ndarray, float, np.ndarray, np.ndarray]


def draw(rng: np.random.Generator) -> Market:
    """c, p, endowment, capacity, floor and ceiling; the capacity mostly at a sum of floors and ceilings."""
    n = int(rng.integers(1, 7)) if rng.random() < 0.9 else int(rng.integers(7, 60))
    like = _draws.alike(rng, n)
    gamma = _draws.elasticities(rng, n)[like]
    p = 1 - gamma if rng.random() < 0.7 else rng.choice([gamma, np.ones(n), 1 + gamma])
    c = rng.choice(_draws.WEIGHTS, n)[like] * gamma
    if rng.random() < 0.3:
        c = c * 10.0 ** rng.uniform(-12, 12, n)
    if rng.random() < 0.1:
        c = c * (rng.random(n) < 0.8)
    own = _draws.amounts(rng, n)[like]
    low = _draws.amounts(rng, n, nothing=0.5)[like] if rng.random() < 0.3 else np.zeros(n)
    high = low + np.where(rng.random(n) < 0.7, _draws.amounts(rng, n, nothing=0.1), np.inf)[like]
    if rng.random() < 0.2:
        own = own * 10.0 ** rng.uniform(-12, 12)
    capacity = _draws.kink(rng, low, high)
    unit = rng.choice(_draws.SCALES)
    return c, p, own * unit, max(capacity * unit, float((low * unit).sum())), low * unit, high * unit


def faults(market: Market, grant: np.ndarray, price: float) -> list[str]:
    c, p, own, capacity, low, high = market
    found = []
    if not (np.isfinite(grant).all() and (grant >= low).all() and (grant <= high).all()):
        return [f"grants {grant} outside their bounds"]
    willing = c > 0
    tops = np.where(willing, high, low)
    spent = float(grant.astype(LONG).sum())
    sated = float(tops.sum()) <= capacity
    if abs(spent - capacity) > ACCOUNT * capacity and not sated:
        found.append(f"account {spent / capacity - 1:.1e}")
    if sated and not np.array_equal(grant, tops):
        found.append("somebody is short although there is enough")
    if (grant[~willing] != low[~willing]).any():
        found.append("an idle agent got more than its floor")
    with np.errstate(all="ignore"):
        marginal = np.log(c.astype(LONG)) - p * np.log(np.maximum(own.astype(LONG) + grant, TINY))
        log_price = np.log(LONG(price))
    wants = np.max(marginal[willing & (grant < high)], initial=-np.inf)
    gives = np.min(marginal[willing & (grant > np.maximum(low, TINY))], initial=np.inf)
    exact = LEVEL * max([1.0, *(abs(float(v)) for v in (wants, gives) if np.isfinite(v))])
    if wants - gives > 2 * exact:
        found.append(f"marginals {float(wants - gives):.1e} apart")
    if not sated and capacity > low.sum() and not (wants - exact <= log_price <= gives + exact):
        found.append(f"price {price} outside {np.exp(wants)} to {np.exp(gives)}")
    if capacity <= low.sum():  # nothing to divide, as far as the sum of the floors tells
        return [*found, *([f"grants {grant} beyond the floors"] if (grant != low).any() else [])]
    best, dear = _referees.level_by_bisection(c, p, own, capacity, low, high)
    worth = [_referees.power_sum(c, p, own.astype(LONG) + x) for x in (grant, best)]
    with np.errstate(over="ignore"):
        rounding = VALUE * max(abs(worth[1]), abs(worth[0])) + np.exp(LONG(dear)) * ACCOUNT * capacity
    if worth[1] - worth[0] > rounding:
        found.append(f"{float((worth[1] - worth[0]) / abs(worth[1])):.1e} of the value missing; better {best}")
    return found


def attack(rng: np.random.Generator) -> list[str]:
    market = draw(rng)
    filled = fs.waterfill(*market)
    found = faults(market, filled.grant, float(filled.price))
    # In a batch, beside another fleet, and from any price to start from.
    other = market[3] * rng.choice([0.5, 1.0, 3.0]) + market[4].sum()
    both = fs.waterfill(*market[:3], [market[3], other], *market[4:], guess=[10.0 ** rng.uniform(-9, 9)] * 2)
    for row, capacity in enumerate((market[3], other)):
        found += faults((*market[:3], capacity, *market[4:]), both.grant[row], float(both.price[row]))
    return [f"{fault}, of waterfill{tuple(np.asarray(v).tolist() for v in market)}" for fault in found]
