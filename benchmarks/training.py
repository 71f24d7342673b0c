"""Learning, in full: one policy with one seed as `fairsynergy train` does it, 60 rounds of two cities, on one core.

Two trainings side by side use two cores. The floor is the same number of city-hours under a policy that learns nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter

import torch

from benchmarks.row import Row
from fairsynergy.collaborative import RECIPES, Neurosurgeon, draw_city, rollout
from fairsynergy.collaborative._training import FIRST_CITY, Plan, train

# Seconds for a training.
GOAL = 120
CITIES = 4


def rows() -> Iterator[Row]:
    """The recipe that takes longest, and a plain one."""
    torch.set_num_threads(1)
    plan = Plan()
    start = perf_counter()
    for seed in range(FIRST_CITY, FIRST_CITY + CITIES):
        rollout(draw_city(seed), Neurosurgeon())
    floor = (perf_counter() - start) / CITIES * plan.rounds * plan.cities
    for name in ("iql", "foci"):
        start = perf_counter()
        train(RECIPES[name], seed=0)
        ours = perf_counter() - start
        yield Row(
            f"{name} learns, {plan.rounds} rounds of {plan.cities} cities, against living through them",
            f"{ours:.0f} s", f"{floor:.0f} s", f"{ours / floor:.1f} x", f"at most {GOAL} s", ours <= GOAL,
        )  # fmt: skip
