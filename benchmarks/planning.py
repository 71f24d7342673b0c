"""Inverse questions and uncertain elasticities, with a hundred agents, over one resource and two.

Each rule is asked for the least capacity of each resource, the least money, and the best split of a budget, for the
worst-off, the mean and one agent, on a few fleets; its slowest question counts. A thousand draws are divided by all six
rules twice: today's grants kept, and each draw known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from time import perf_counter

import numpy as np

import fairsynergy as fs
from benchmarks.fleets import paper_fleet
from benchmarks.row import Row
from fairsynergy.analysis.planning import (
    Agent,
    Aim,
    Mean,
    Target,
    Worst,
    best_split,
    draw,
    least_budget,
    least_capacity,
    uncertain,
)

AGENTS, FLEETS, DRAWS, CHECKED = 100, 3, 1000, 30
ERROR = 0.05
# Seconds that a visitor waits for an answer, and for a thousand draws.
ANSWER, DRAWN = 0.5, 1.0
REPEATS = 2


def fleets(resources: int) -> list[fs.Problem]:
    """The paper's, of their first resource or of both; the last does not saturate."""
    rng = np.random.default_rng(11)
    drawn = [paper_fleet(rng, AGENTS) for _ in range(FLEETS)]
    last = drawn[-1]
    drawn[-1] = fs.Problem(endowment=last.endowment, capacity=last.capacity / 4, elasticity=last.elasticity)
    if resources == 2:
        return drawn
    return [
        fs.Problem(
            endowment=problem.endowment[:, 0], capacity=problem.capacity[0], elasticity=problem.elasticity[:, 0],
            saturation=problem.saturation[:, 0],
        )
        for problem in drawn
    ]  # fmt: skip


def questions(problem: fs.Problem, policy: fs.Policy) -> Iterator[tuple[str, Callable[[], object]]]:
    """What it takes to reach a little less than today."""
    prices = np.array([2.0, 1.0])[: problem.m]
    today = fs.allocate(problem, policy)
    aims: tuple[Aim, ...] = (Worst(), Mean(), Agent("agent 7"))
    for aim in aims:
        target = Target(aim, 0.97 * float(aim.of(problem, today.utility)))
        name = type(aim).__name__.lower()
        for resource in problem.resources:
            yield f"{resource} for {name}", partial(least_capacity, problem, policy, target, resource)
        yield f"money for {name}", partial(least_budget, problem, policy, target, prices)
        if problem.m == 2:
            budget = float(problem.capacity @ prices)
            yield f"split for {name}", partial(best_split, problem, policy, budget, prices, aim)


def inverse() -> Iterator[Row]:
    for resources in (1, 2):
        for name, policy in fs.POLICIES.items():
            took: dict[str, float] = {}
            for problem in fleets(resources):
                for asked, ask in questions(problem, policy):
                    took[asked] = max(took.get(asked, 0.0), min(timed(ask) for _ in range(REPEATS)))
            slowest = max(took, key=lambda asked: took[asked])
            yield Row(
                f"inverse questions under {name}, n = {AGENTS}, {resources} resource{'s' * (resources > 1)}",
                f"slowest {took[slowest] * 1e3:.0f} ms", "",
                f"{slowest}; median {np.median([*took.values()]) * 1e3:.0f} ms",
                f"at most {ANSWER * 1e3:.0f} ms", took[slowest] <= ANSWER,
            )  # fmt: skip


def doubt() -> Iterator[Row]:
    for resources in (1, 2):
        problem = fleets(resources)[0]
        seconds = min(timed(partial(uncertain, problem, fs.POLICIES, ERROR)) for _ in range(REPEATS + 1))
        yield Row(
            f"{DRAWS:,} draws of γ, six rules kept and divided anew, n = {AGENTS}, {resources} "
            f"resource{'s' * (resources > 1)}",
            f"{seconds * 1e3:.0f} ms", "", f"{seconds * 1e3:.0f} ms", f"at most {DRAWN:g} s", seconds <= DRAWN,
        )  # fmt: skip
    many = draw(problem, ERROR)
    rule = fs.FairSynergy()
    plan = rule.divide(problem).grant
    start = perf_counter()
    climbed = many.total(rule.sketch_many(many, near=plan))[:CHECKED]
    middle = perf_counter()
    full = np.array([fs.allocate(many.problem(i), rule).total for i in range(CHECKED)])
    theirs = (perf_counter() - middle) / CHECKED * DRAWS
    lacking = 1 - climbed / full
    yield Row(
        f"  Fair-Synergy climbed from today's grants, {DRAWS:,} draws, against its full search",
        f"{(middle - start) * 1e3:.0f} ms", f"{theirs:.1f} s",
        f"at most {lacking.max():.2%} less, {lacking.mean():.2%} on average, in {CHECKED} draws", "at most 0.5 % less",
        bool(lacking.max() <= 0.005),
    )  # fmt: skip


def timed(work: Callable[[], object]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start


def rows() -> Iterator[Row]:
    """Every measurement of planning, as it is taken."""
    for part in (inverse, doubt):
        yield from part()
