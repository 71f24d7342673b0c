"""Alpha-fairness against the referee in CVXPY, and the whole dial from the greatest total to Leximin.

Both sides are timed on the same fleets in this process, one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter

import numpy as np

import fairsynergy as fs
from benchmarks.fleets import paper_fleet
from benchmarks.row import Row, fastest
from fairsynergy.policies import reference

ALPHAS = (0.5, 0.75, 1.0, 1.5, 2.0, 4.0, 8.0)
SIZES = (2, 10, 50)
FLEETS = 200
# 0 to 1 in equal steps, then 1 / (1, 0.95, .., 0.05), then infinity.
DIAL = (*np.linspace(0, 1, 21), *1 / np.linspace(0.95, 0.05, 19), np.inf)


def drawn(rng: np.random.Generator, n: int) -> fs.Problem:
    """Two resources, convex from alpha = 1/2 on; every second fleet has weights, floors, ceilings and saturation."""
    capacity = n * rng.uniform(0.1, 1.0, 2)
    bounded = rng.random() < 0.5
    floor = 0.6 * capacity / n * rng.random((n, 2)) * (rng.random((n, 2)) < 0.3) * bounded
    ceiling = np.where((rng.random((n, 2)) < 0.5) & bounded, floor + capacity / n * rng.uniform(0.3, 2, (n, 2)), np.inf)
    return fs.Problem(
        endowment=rng.uniform(0.01, 0.5, (n, 2)),
        capacity=capacity,
        elasticity=rng.uniform(0.05, 0.95, (n, 2)),
        weight=rng.uniform(0.3, 3.0, n) if bounded else None,
        floor=floor,
        ceiling=ceiling,
        saturation=rng.uniform(0.5, 1.5) if bounded else None,
    )


def equivalent(problem: fs.Problem, grant: np.ndarray, alpha: float) -> float:
    """The accuracy that would be as good if everyone had it; welfare itself is zero or huge for some alpha."""
    share, utility = problem.weight / problem.weight.sum(), problem.utility(grant)
    if alpha == 1:
        return float(np.exp(share @ np.log(utility)))
    return float((share @ utility ** (1 - alpha)) ** (1 / (1 - alpha)))


def against_cvxpy() -> Iterator[Row]:
    rng = np.random.default_rng(7)
    differences, proved = [], 0
    spent = {n: np.zeros(2) for n in SIZES}
    for i in range(FLEETS):
        alpha, n = ALPHAS[i % len(ALPHAS)], SIZES[i % len(SIZES)]
        problem, policy = drawn(rng, n), fs.AlphaFair(alpha)
        start = perf_counter()
        ours = fs.allocate(problem, policy)
        middle = perf_counter()
        theirs = reference.solve(problem, policy)
        spent[n] += middle - start, perf_counter() - middle
        differences.append(abs(equivalent(problem, ours.grant, alpha) / theirs.objective - 1))
        proved += ours.status is fs.Status.OPTIMAL
    worst = max(differences)
    yield Row(
        f"alpha-fair, {FLEETS} fleets of two resources, alpha {ALPHAS[0]:g} to {ALPHAS[-1]:g}, against CVXPY",
        f"{proved} proved optimal", "", f"welfare to {worst:.0e}", "same to 1e-6, all proved",
        worst <= 1e-6 and proved == FLEETS,
    )  # fmt: skip
    for n, (ours_spent, theirs_spent) in spent.items():
        count = len(range(SIZES.index(n), FLEETS, len(SIZES)))
        yield Row(
            f"  the same, n = {n}, with its certificate", f"{ours_spent / count * 1e3:.2f} ms",
            f"{theirs_spent / count * 1e3:.1f} ms", f"{theirs_spent / ours_spent:.0f} x", "", True,
        )  # fmt: skip


def dial() -> Iterator[Row]:
    rng = np.random.default_rng(8)
    fleets = [paper_fleet(rng, 100) for _ in range(5)]
    seconds = [
        fastest(lambda fleet=fleet: [fs.allocate(fleet, fs.AlphaFair(alpha)) for alpha in DIAL], repeats=3)[0]
        for fleet in fleets
    ]
    yield Row(
        f"frontier: {len(DIAL)} alphas with certificates, two resources, n = 100, {len(fleets)} fleets",
        f"median {np.median(seconds) * 1e3:.0f} ms", "", f"slowest {max(seconds) * 1e3:.0f} ms", "at most 500 ms",
        max(seconds) <= 0.5,
    )  # fmt: skip
    for alpha in (0.25, 0.75, 1.0, 2.0, 8.0, 50.0, 1000.0):
        rule = fs.AlphaFair(alpha)
        took = [fastest(lambda fleet=fleet, rule=rule: fs.allocate(fleet, rule), repeats=3)[0] for fleet in fleets]
        status = {fs.allocate(fleet, rule).status.name.lower() for fleet in fleets}
        yield Row(
            f"  one alpha, {alpha:g}", f"median {np.median(took) * 1e3:.1f} ms", "", ", ".join(sorted(status)), "", True
        )


def rows() -> Iterator[Row]:
    """Every measurement of the fairness family, as it is taken."""
    for part in (against_cvxpy, dial):
        yield from part()
