"""Lesson 8: what the unit does to a sum of accuracies, and what happens where accuracies exceed 1."""

from __future__ import annotations

from functools import cache

import numpy as np

from fairsynergy.allocation import Allocation, allocate
from fairsynergy.fleets import PRESETS
from fairsynergy.lessons.lesson import Amount, Choice, Lesson, Question
from fairsynergy.policies import NUM, EqualIncomeMarket, FairSynergy, Nash, Policy, Uniform
from fairsynergy.words.phrases import number

# One fleet counted in two ways, and one fleet with and without an end to what helps, by what tells them apart.
FLEETS = {"in units": "Fleet A", "in hundredths": "Fleet A in hundredths"}
WINNERS = {"nothing saturates": "Winner takes all", "saturation at 1 unit": "Winner takes all, saturated"}
RULES: tuple[Policy, ...] = (FairSynergy(), Uniform(), NUM(), Nash(), EqualIncomeMarket())
NOTICED = 0.005  # of the cloud: a smaller change of a share is none


@cache
def counted() -> dict[str, dict[str, Allocation]]:
    """The fleet under every rule, by how compute is counted and by the rules' names."""
    return {
        unit: {policy.name: allocate(PRESETS[name].problem, policy) for policy in RULES}
        for unit, name in FLEETS.items()
    }


@cache
def won() -> dict[str, Allocation]:
    """The greatest total of a fleet with increasing returns, by whether holdings saturate."""
    return {label: allocate(PRESETS[name].problem, FairSynergy()) for label, name in WINNERS.items()}


def to_the_hardest(unit: str, rule: str) -> float:
    """The share of the cloud that the agents with the hardest tasks get."""
    allocation = counted()[unit][rule]
    problem = allocation.problem
    hardest = problem.elasticity[:, 0] == problem.elasticity[:, 0].max()
    return float(allocation.grant[hardest, 0].sum() / problem.capacity[0])


@cache
def lesson() -> Lesson:
    """Units, and accuracies above 1."""
    units, hundredths = FLEETS
    before, after = (to_the_hardest(unit, "Fair-Synergy") for unit in FLEETS)
    steady = [
        name
        for name in counted()[units]
        if abs(to_the_hardest(units, name) - to_the_hardest(hundredths, name)) < NOTICED
    ]
    top = counted()[hundredths]["Fair-Synergy"].best
    free, capped = (won()[label] for label in WINNERS)
    is_limited = bool(np.isfinite(free.problem.saturation).any())
    sharing = int((capped.grant.sum(axis=1) > 0.1).sum())
    return Lesson(
        title="Does the unit decide who wins?",
        minutes=8,
        introduction=(
            "A metre is a hundred centimetres, and no answer should depend on which we use. Compute can be counted in "
            "units or in hundredths of a unit too: 0.46 units are 46 hundredths.",
            f"Ten agents share a cloud. Counted in units, Fair-Synergy gives {100 * before:.0f} % of it to the four "
            "with the hardest tasks (γ = 0.9): at such small holdings their curves are the flatter ones.",
            "Now count the same compute in hundredths. Nothing in the world has changed.",
        ),
        points=(
            "Same agents, same cloud",
            "0.46 units = 46 hundredths",
            f"Counted in units, the hardest tasks get {100 * before:.0f} %",
        ),
        prediction=Amount(
            question="Counted in hundredths, which share of the cloud does Fair-Synergy give to the four hardest "
            "tasks?",
            unit="% of the cloud", low=0.0, high=100.0, step=5.0, start=0.0, truth=100 * after, near=5.0,
        ),
        why=f"Everything turns over: the hardest tasks get {100 * after:.0f} % of the cloud, and “accuracies” reach "
        f"{number(top)}. **Above 1 a number is no accuracy any more**: nobody is right more often than always. Adding "
        "up holdings to different powers γ has no meaning without a unit; by convention one unit is what a task can "
        f"use. {_and(steady)} do not move: they never add up accuracies of different tasks.",
        question=Question(
            f"Another fleet has increasing returns and no limit to what helps. The greatest total gives one agent "
            f"everything: it reaches {number(free.best)}. What is {number(free.best)}?",
            (
                Choice(
                    f"An accuracy of {100 * free.best:,.0f} %", free.best <= 1,
                    "An accuracy is a share of correct answers: it ends at 1, which is 100 %.",
                ),
                Choice(
                    "A number without meaning", free.best > 1 and not is_limited,
                    "The law holding^γ is used far beyond one unit, where it says nothing about any model. With "
                    f"**saturation**, where more than 1 unit adds nothing, Fair-Synergy divides nearly all of the "
                    f"cloud among {sharing} agents, and nobody is above {number(capped.best)}.",
                ),
                Choice(
                    "The price of its grant", False,
                    "A price is what the next unit adds. This is the agent's own result.",
                ),
            ),
        ),
        takeaway="Say the unit. Distrust any accuracy above 1.",
        fleet="Fleet A in hundredths",
        rule="Fair-Synergy",
        look="The note there says that utilities exceed 1. Choose the preset “Fleet A” and see the grants turn over; "
        "then “Winner takes all” and “Winner takes all, saturated”.",
    )  # fmt: skip


def _and(names: list[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}"
