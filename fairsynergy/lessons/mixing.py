"""Lesson 4: with two resources one can stand in for the other, along curves of equal accuracy (Eq. 7)."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.optimize import brentq

from fairsynergy.allocation import Allocation, allocate
from fairsynergy.fleets import FleetSpec, Setting
from fairsynergy.lessons.lesson import Amount, Choice, Lesson, Question
from fairsynergy.policies import FairSynergy
from fairsynergy.words.phrases import number

FLEET = FleetSpec(
    setting=Setting.DL, agents=1, local_compute=0.2, local_labels=0.2, spread=0.0, gamma_compute=(0.3, 0.3),
    gamma_labels=(0.6, 0.6), capacity_compute=0.2, capacity_labels=0.2,
)  # fmt: skip
CUT = 0.2  # compute left after the cut [units]
MOST = 1.0  # saturation: more labels than this add nothing [units]


def held() -> Allocation:
    """The agent with all that the cloud has."""
    return allocate(FLEET.problem(), FairSynergy())


def accuracy(compute: float, labels: float) -> float:
    """What the agent reaches with these holdings [units]."""
    problem = FLEET.problem()
    return float(problem.utility(np.array([[compute, labels]]) - problem.endowment)[0])


def labels_for(compute: float) -> float:
    """Labels with which the agent stays at the accuracy it has, if it holds this much compute [units].

    Raises
    ------
    ValueError
        If no amount of labels makes up for so little compute.
    """
    target = held().mean
    return float(brentq(lambda labels: accuracy(compute, labels) - target, 1e-9, MOST, xtol=1e-14))


@cache
def lesson() -> Lesson:
    """Two resources, and curves of equal accuracy."""
    now = held()
    compute, labels = (float(amount) for amount in now.holding[0])
    needed = labels_for(CUT)
    twice = accuracy(2 * compute, 2 * labels)
    gamma_compute, gamma_labels = FLEET.gamma_compute[0], FLEET.gamma_labels[0]
    return Lesson(
        title="Can labels stand in for compute?",
        minutes=6,
        introduction=(
            "A robot that **learns** needs two things: compute to train on, and **labels**, pictures of which somebody "
            "has said what they show. Its accuracy is compute to the power γ₁ times labels to the power γ₂.",
            "So there are many mixes with the same accuracy: less of one, more of the other. Drawn in a plane, compute "
            "to the right and labels upwards, they form a curve: an **iso-production curve**, like a line of equal "
            "height on a map.",
            f"This robot holds {number(compute)} units of each and reaches an accuracy of {number(now.mean)}. It needs "
            f"labels more: γ₁ = {gamma_compute:g} for compute, γ₂ = {gamma_labels:g} for labels.",
        ),
        points=(
            "accuracy = compute^γ₁ × labels^γ₂",
            f"γ₁ = {gamma_compute:g}, γ₂ = {gamma_labels:g}: labels matter more",
            "One curve: all mixes of the same accuracy",
        ),
        prediction=Amount(
            question=f"Its compute is cut from {number(compute)} to {number(CUT)}. How many labels must it hold to "
            f"stay at {number(now.mean)}?",
            unit="units of labels", low=labels, high=1.0, step=0.01, start=labels, truth=needed, near=0.03,
        ),
        why=f"With half the compute, {number(needed)} labels instead of {number(labels)} are enough: "
        f"{100 * (needed / labels - 1):.0f} % more, not twice as many, because this robot's accuracy depends more on "
        "labels. Move along the curve: the less compute is left, the more labels each further cut takes.",
        question=Question(
            f"Give the robot twice as much of both: {number(2 * compute)} and {number(2 * labels)}. What happens to "
            "its accuracy?",
            (
                Choice(
                    "It more than doubles", twice > 2 * now.mean + 1e-9,
                    "That happens where the exponents add up to more than 1. The next lesson shows what trouble that "
                    "makes.",
                ),
                Choice(
                    "It doubles", bool(np.isclose(twice, 2 * now.mean)),
                    f"That would need exponents that add up to 1; here they add up to "
                    f"{gamma_compute + gamma_labels:g}.",
                ),
                Choice(
                    "It rises, but does not double", now.mean < twice < 2 * now.mean - 1e-9,
                    f"It goes from {number(now.mean)} to {number(twice)}, {twice / now.mean:.2f} times as much: the "
                    f"exponents add up to {gamma_compute + gamma_labels:g}, less than 1.",
                ),
            ),
        ),
        takeaway="Two resources trade for one another along a curve, and the trade gets dearer the further you go.",
        fleet=FLEET,
        rule="Fair-Synergy",
        look="Move “Cloud compute per agent” down and “Cloud labels per agent” up until the accuracy is back. The page "
        "“Utility surfaces” draws the whole mountain of this robot.",
    )  # fmt: skip
