"""Lesson 1: accuracy is holding^gamma (Fair-Synergy, Eq. 3), so equal steps of compute buy less and less."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from fairsynergy.fleets import FleetSpec
from fairsynergy.lessons.lesson import Amount, Choice, Lesson, Question
from fairsynergy.problem import Array
from fairsynergy.words.phrases import number

FLEET = FleetSpec(agents=1, local_compute=0.1, spread=0.0, gamma_compute=(0.5, 0.5), capacity_compute=0.9)
STEP = 0.1  # [units]
LOW, HIGH = 0.1, 0.5  # where the two steps begin [units]
EASY, HARD, NEXT = 0.3, 0.9, 0.05  # the question's two difficulties, and its step


class Step(NamedTuple):
    """A step along the curve: from where to where [units], and the accuracy at either end."""

    start: float
    end: float
    before: float
    after: float

    @property
    def gain(self) -> float:
        """What the step adds to the accuracy."""
        return self.after - self.before


def accuracy(holding: ArrayLike, gamma: float) -> Array:
    """(...) accuracy of one agent at these holdings [units]."""
    alone = replace(FLEET, local_compute=0.0, gamma_compute=(gamma, gamma)).problem()
    held = np.asarray(holding, dtype=np.float64)
    return np.asarray(alone.utility(held[..., None, None])[..., 0])


def step(start: float, gamma: float, size: float = STEP) -> Step:
    """What a step of this size buys from there on."""
    before, after = accuracy([start, start + size], gamma)
    return Step(start, start + size, float(before), float(after))


@cache
def lesson() -> Lesson:
    """Diminishing returns."""
    gamma = FLEET.gamma_compute[0]
    first, later = step(LOW, gamma), step(HIGH, gamma)
    easy, hard = (step(LOW, g, NEXT).gain for g in (EASY, HARD))
    easy_high, hard_high = (step(HIGH, g, NEXT).gain for g in (EASY, HARD))
    return Lesson(
        title="What does one more unit buy?",
        minutes=5,
        introduction=(
            "An **agent** is a robot, a drone or a phone that runs a model on its own tasks. How often the model is "
            "right is its **accuracy**, a share from 0 to 1.",
            "The more compute an agent **holds**, the better it does: its accuracy is its holding to the power γ. One "
            "unit is as much as a task can use. The number γ (say *gamma*) is how hard the task is: near 0 a little "
            "compute is enough, near 1 only much of it helps.",
            f"Take an agent that holds {number(LOW)} units, with a task of middling difficulty, γ = {gamma:g}. The "
            "cloud is about to give it more.",
        ),
        points=("accuracy = holding to the power γ", "γ near 0: easy task", "γ near 1: hard task"),
        prediction=Amount(
            question=f"From {number(first.start)} to {number(first.end)} units, the agent's accuracy rises by "
            f"{number(first.gain)}. By how much does it rise from {number(later.start)} to {number(later.end)} units?",
            unit="in accuracy", low=0.0, high=0.3, step=0.01, start=0.0, truth=later.gain, near=0.015,
        ),
        why=f"The same step of {number(STEP)} units buys {number(first.gain)} at the bottom of the curve and "
        f"{number(later.gain)} further up. These are **diminishing returns**: the more an agent holds, the less the "
        "next unit adds.",
        question=Question(
            f"Two agents hold {number(LOW)} units each. One task is easy (γ = {EASY}), the other hard (γ = {HARD}). "
            f"Who gains more accuracy from the next {number(NEXT)} units?",
            (
                Choice(
                    "The one with the hard task", hard > easy,
                    f"Not down here: it gains {number(hard)}, the other {number(easy)}. Higher up it would be so: from "
                    f"{number(HIGH)} units on, the hard task gains {number(hard_high)}, the easy one "
                    f"{number(easy_high)}.",
                ),
                Choice(
                    "The one with the easy task", easy > hard,
                    f"It gains {number(easy)}, the other {number(hard)}: at small holdings the curve of an easy task "
                    "is the steeper one.",
                ),
                Choice(
                    "Both the same", bool(np.isclose(easy, hard)),
                    f"The step is the same, the curves are not: {number(easy)} for the easy task, {number(hard)} for "
                    "the hard one.",
                ),
            ),
        ),
        takeaway="The next unit helps most where the curve is steep, and every curve gets flatter.",
        fleet=FLEET,
        rule="Fair-Synergy",
        look="Move “Cloud compute per agent”: the same steps of the slider move the accuracy less and less.",
    )  # fmt: skip
