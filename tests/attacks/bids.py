"""Bidding: grants within every limit, bounds that hold, and a last gap that is that of the grants."""

from __future__ import annotations

import numpy as np

from attacks import _referees
from attacks.batches import draw, state
from fairsynergy.analysis.bidding import Method, Newton, Tatonnement, bid

COUNT = 25
# Relative: a limit, a bound.
LIMIT, BOUND = 1e-9, 1e-9


def attack(rng: np.random.Generator) -> list[str]:
    problem = draw(rng, int(rng.integers(1, 3)))
    method: Method = Newton() if rng.random() < 0.5 else Tatonnement(float(rng.choice([0.02, 0.1, 0.5, 1.5])))
    tolerance = float(rng.choice([1e-8, 1e-6, 1e-6, 1e-2]))
    bidding = bid(problem, method, tolerance=tolerance, rounds=int(rng.choice([1, 20, 200])))
    grant, gap = bidding.allocation.grant, float(bidding.gap[-1])
    if not (np.isfinite(grant).all() and np.isfinite(bidding.bound).all() and np.isfinite(bidding.achieved).all()):
        return [f"{method}: not a number, grants {grant.tolist()}; {state(problem)}"]
    found = []
    if (
        (grant.sum(axis=0) > problem.capacity * (1 + LIMIT)).any()
        or (grant > problem.ceiling * (1 + LIMIT)).any()
        or (grant < problem.floor * (1 - LIMIT)).any()
    ):
        found.append(f"{method}: grants beyond a limit, {grant.tolist()}")
    total = float(problem.weight @ _referees.cobb_douglas(problem, grant))
    best, there = _referees.reach(problem, rng, starts=12)
    if bidding.bound.min() < best * (1 - BOUND):
        found.append(f"{method}: bound {bidding.bound.min()}, reachable {best} with {there.tolist()}")
    if total < best * _referees.at_least(gap) * (1 - BOUND):
        found.append(f"{method}: gap {gap} at {total}, reachable {best} with {there.tolist()}")
    own = bidding.allocation.gap
    if own is None or abs(own - gap) > 1e-9:
        found.append(f"{method}: the last gap {gap} is not that of the grants, {own}")
    return [f"{fault}; {state(problem)}" for fault in found]
