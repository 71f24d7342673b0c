"""The equal-income market against the definition of an equilibrium: what is dear is sold, everyone buys its best."""

from __future__ import annotations

import numpy as np

import fairsynergy as fs
from attacks._draws import AMOUNTS, WEIGHTS, Array, amounts, elasticities, nudged

COUNT = 150
# Relative: accounts, and what a unit of money buys.
CLOSED, BEST = 1e-9, 1e-7


def attack(rng: np.random.Generator) -> list[str]:
    n, m = int(rng.integers(1, 9)), int(rng.integers(1, 5))
    capacity = rng.choice(AMOUNTS, m)
    own = amounts(rng, (n, m))
    if rng.random() < 0.3:
        own = own * 10.0 ** rng.uniform(-9, 20 if rng.random() < 0.5 else 3, (n, m))
    ceiling = np.full((n, m), np.inf)
    if m <= 2 and rng.random() < 0.6:
        ceiling = rng.choice([0.0, 0.1, 0.2, 0.3, np.inf], (n, m))
        for k in range(m):
            total = float(ceiling[:, k].sum())
            if 0 < total < np.inf and rng.random() < 0.5:
                capacity[k] = nudged(rng, total)
        own = np.minimum(own, 1e3)
    if rng.random() < 0.1:
        capacity[rng.integers(m)] = 0.0
    scale = 10.0 ** rng.uniform(-12, 12, m) if rng.random() < 0.4 else np.ones(m)
    fleet = {"elasticity": elasticities(rng, (n, m)), "weight": rng.choice(WEIGHTS, n)}
    problem = fs.Problem(endowment=own * scale, capacity=capacity * scale, ceiling=ceiling * scale, **fleet)
    found = fs.EqualIncomeMarket().equilibrium(problem)
    faults = judge(problem, found.grant / scale, found.price * scale, own, capacity, ceiling)
    other = fs.Problem(endowment=own, capacity=capacity, ceiling=ceiling, **fleet)
    moved = np.abs(fs.EqualIncomeMarket().divide(other).grant - found.grant / scale)
    # A capacity within rounding of the ceilings may be enough in one unit only; then its price is either's.
    if np.isinf(ceiling).all() and (moved > CLOSED * np.maximum(capacity, 1e-300)).any():
        faults.append(f"grants move by {moved.max():.2g} with the unit")
    return [f"{fault}: {own.tolist()} {capacity.tolist()} {ceiling.tolist()} {fleet}" for fault in faults]


def judge(problem: fs.Problem, grant: Array, price: Array, own: Array, capacity: Array, ceiling: Array) -> list[str]:
    """What is no equilibrium about grants (n, m) at prices (m,), all in the unscaled unit."""
    faults = []
    hopeful = ((own > 0) | ((capacity > 0) & (ceiling > 0))).all(axis=1)
    money = np.where(hopeful, problem.weight, 0.0)
    money = money / money.sum() if hopeful.any() else money
    if not (np.isfinite(grant).all() and np.isfinite(price).all()):
        return ["grants or prices are no numbers"]
    if (grant > ceiling * (1 + CLOSED)).any() or (grant < 0).any():
        faults.append("a ceiling is broken")
    sold = grant.sum(axis=0)
    if (sold > capacity * (1 + CLOSED)).any():
        faults.append("more is sold than there is")
    if ((price > 0) & (sold < capacity * (1 - CLOSED))).any():
        faults.append("what costs something is left unsold")
    enough = np.where(hopeful[:, None], ceiling, 0.0).sum(axis=0) <= capacity
    if (price[enough] > 0).any():
        faults.append("a good of which all have enough costs something")
    if grant[~hopeful].any():
        faults.append("an agent that nothing can lift from zero buys")
    spent = grant @ price
    if (spent > money * (1 + CLOSED) + 1e-300).any():
        faults.append("somebody spends more than its money")
    for i in np.flatnonzero(hopeful):
        more, has = (grant[i] < ceiling[i] * (1 - CLOSED)) & (capacity > 0), grant[i] > 0
        if (more & (price == 0)).any():
            faults.append("somebody wants more of what is free")
        if (more & (price > 0)).any() and spent[i] < money[i] * (1 - CLOSED):
            faults.append("somebody keeps money")
        priced = price > 0
        with np.errstate(divide="ignore"):
            worth = np.log(problem.elasticity[i]) - np.log(own[i] + grant[i]) - np.log(np.where(priced, price, 1.0))
        # What it bought less than a speck of is bought by rounding.
        has &= grant[i] > BEST * capacity * 1e-3
        if (more & priced).any() and (has & priced).any():
            gain = float(worth[more & priced].max() - worth[has & priced].min())
            if gain > BEST:
                faults.append(f"agent {i} would rather buy something else, by {gain:.2g}")
    return faults
