"""The group that would gain most alone, against all groups of a small fleet, each valued by bisection on its price."""

from __future__ import annotations

from itertools import combinations

import numpy as np

import fairsynergy as fs
from attacks._draws import WEIGHTS, Array, amounts
from fairsynergy.analysis.fairness import coalitions_of

COUNT = 12
# Of the total of accuracies.
SAME = 1e-6


def attack(rng: np.random.Generator) -> list[str]:
    n = int(rng.integers(1, 7))
    some = {
        "endowment": amounts(rng, n) if rng.random() < 0.5 else rng.choice([0.0, 0.1, 1.0], n),
        "capacity": float(rng.choice([0.2, 1.0, 2.0])),
        "elasticity": rng.choice([0.1, 0.3, 0.5, 0.7, 0.9], n),
        "weight": rng.choice(WEIGHTS, n),
        "ceiling": rng.choice([0.2, 0.5, np.inf], n),
    }
    problem = fs.Problem(**some)
    rule = (fs.Uniform(), fs.NUM(), fs.Leximin(), fs.Random(int(rng.integers(9))))[rng.integers(4)]
    allocation = fs.allocate(problem, rule)
    found = coalitions_of(allocation)
    if not hasattr(found, "alone"):
        return [f"withheld: {found.reason}, {some}"]
    gains = [
        worth(problem, np.array(group)) - float((problem.weight * allocation.utility)[list(group)].sum())
        for size in range(1, n + 1)
        for group in combinations(range(n), size)
    ]
    within, most = SAME * max(allocation.total, 1e-300), max(gains)
    faults = []
    if found.alone.gain < most - within:
        faults.append(f"a group gains {most:.6g}, the one named {found.alone.gain:.6g}")
    if found.alone.gain > max(most, 0) + within:
        faults.append(f"the group named is said to gain {found.alone.gain:.6g}, none gains more than {most:.6g}")
    if found.alone.bound < most - within:
        faults.append(f"bound {found.alone.bound:.6g} below {most:.6g}")
    return [f"{fault}: {rule.label}, {some}" for fault in faults]


def worth(problem: fs.Problem, group: np.ndarray) -> float:
    """The highest total of a group with its part of the only capacity, by bisection on the price."""
    weight, gamma, own = problem.weight[group], problem.elasticity[group, 0], problem.endowment[group, 0]
    part = float(problem.capacity[0] * weight.sum() / problem.weight.sum())
    most = np.minimum(problem.ceiling[group, 0], part)

    def bought(log_price: float) -> Array:
        wanted = np.exp(np.minimum((np.log(weight * gamma) - log_price) / (1 - gamma), 500.0))
        return np.clip(wanted - own, 0.0, most)

    if most.sum() <= part:
        grant = most
    else:
        low, high = -2000.0, 2000.0
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (middle, high) if bought(middle).sum() > part else (low, middle)
        grant = bought(high)
    return float(weight @ (own + grant) ** gamma)
