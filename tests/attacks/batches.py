"""Batch tables: the gap of each rule on each fleet, beside the best division that several searches find."""

from __future__ import annotations

import numpy as np

import fairsynergy as fs
from attacks import _draws, _referees
from fairsynergy.experiments.engine import Batch, measure
from fairsynergy.kernel import Fleets

COUNT = 12
# Relative: of a bound, and of a gap where the total is concave and the rule maximises it.
BOUND, TIGHT = 1e-9, 1e-5
SUMS = ((0.5, 0.5), (0.25, 0.75), (0.9, 0.1), (0.7, 0.3))


def draw(rng: np.random.Generator, m: int, n: int | None = None) -> fs.Problem:
    """Capacities mostly at sums of floors, ceilings or what is missing to saturation; nothing owned; alike agents."""
    n = n or int(rng.integers(1, 6))
    like = _draws.alike(rng, n)
    gamma = _draws.elasticities(rng, (n, m))[like]
    if m == 2 and rng.random() < 0.3:
        gamma[rng.random(n) < 0.6] = SUMS[int(rng.integers(len(SUMS)))]
    elif m == 2 and rng.random() < 0.5:
        gamma = np.minimum(gamma, 0.99) / 2
    own = _draws.amounts(rng, (n, m), nothing=float(rng.choice([0.0, 0.4, 0.9])))[like]
    floor = _draws.amounts(rng, (n, m), nothing=0.4)[like] if rng.random() < 0.4 else np.zeros((n, m))
    limited = rng.random((n, m)) < rng.choice([0.0, 0.5, 1.0])
    ceiling = floor + np.where(limited, _draws.amounts(rng, (n, m), nothing=0.1), np.inf)[like]
    saturation = np.full((n, m), float(rng.choice([0.5, 1.0, 2.0])) if rng.random() < 0.3 else np.inf)
    upper = np.maximum(np.minimum(ceiling, np.maximum(saturation - own, 0.0)), floor)
    capacity = np.array([_draws.kink(rng, floor[:, k], upper[:, k]) for k in range(m)])
    unit = rng.choice(_draws.SCALES, m) if rng.random() < 0.3 else np.ones(m)
    promised = (floor * unit).sum(axis=0)
    # Of a crumb that floors leave, the worth depends on the order in which they are added up: then they leave nothing.
    nothing = (rng.random(m) < 0.15) | (capacity * unit <= promised * (1 + 1e-6))
    return fs.Problem(
        endowment=own * unit,
        capacity=np.where(nothing, promised, capacity * unit),
        elasticity=gamma,
        weight=rng.choice(_draws.WEIGHTS, n)[like],
        floor=floor * unit,
        ceiling=ceiling * unit,
        saturation=saturation * unit,
    )


def state(problem: fs.Problem) -> str:
    """What it takes to state a case again by hand."""
    names = ("endowment", "capacity", "elasticity", "weight", "floor", "ceiling", "saturation")
    return str({name: getattr(problem, name).tolist() for name in names})


def attack(rng: np.random.Generator) -> list[str]:
    m = int(rng.integers(1, 3))
    problems = [draw(rng, m) for _ in range(int(rng.integers(1, 3)))]
    rules: dict[str, fs.Policy] = {"even": fs.Uniform(), "num": fs.NUM(), "once": fs.FairSynergy(passes=1)}
    if rng.random() < 0.7:
        rules["best"] = fs.FairSynergy()
    table = measure(Batch(np.arange(len(problems)), Fleets.of(problems)), rules)
    found = []
    for i, problem in enumerate(problems):
        rows = table[table["experiment"] == i].set_index("rule")
        best, there = _referees.reach(problem, rng, starts=8)
        for name, rule in rules.items():
            grant = rule.divide(problem).grant
            total = float(problem.weight @ _referees.cobb_douglas(problem, grant))
            gap = float(rows.loc[name, "gap"])
            if not np.isfinite(total):
                found.append(f"{name}: total {total}; {state(problem)}")
            elif total < best * _referees.at_least(gap) * (1 - BOUND):  # a gap that is no number claims nothing
                found.append(f"{name}: gap {gap} at {total}, reachable {best} with {there.tolist()}; {state(problem)}")
        if m == 1 and "best" in rules and not rows.loc["best", "gap"] <= TIGHT:
            found.append(f"gap {rows.loc['best', 'gap']} of the best with one resource; {state(problem)}")
    return found
