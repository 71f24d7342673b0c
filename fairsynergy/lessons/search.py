"""Lesson 5: alternate convex search stands still at a local optimum, and a bound from prices exposes it."""

from __future__ import annotations

from functools import cache, lru_cache
from math import inf

import numpy as np

from fairsynergy.allocation import Allocation, Status, allocate
from fairsynergy.fleets import PRESETS
from fairsynergy.lessons.lesson import KEPT, Amount, Choice, Lesson, Question
from fairsynergy.policies import CertifiedOptimum, FairSynergy
from fairsynergy.problem import Problem
from fairsynergy.words.phrases import number

FLEET = "Fleet B"
PASSES = 8  # shown one by one; by then nothing moves any more
# Two agents alike, between whom the same search stands still half-way: more of either resource alone helps neither,
# more of both at once does.
ALIKE = Problem(endowment=[[0.1, 0.1]] * 2, capacity=[1.0, 1.0], elasticity=[[0.9, 0.8]] * 2)
BOTH = 0.001  # of each resource, from one of them to the other [units]


@lru_cache(maxsize=KEPT)
def after(passes: float) -> Allocation:
    """The search from the endowments after so many passes; infinity until nothing moves."""
    return allocate(PRESETS[FLEET].problem, FairSynergy(passes=passes))


@cache
def best() -> Allocation:
    """The best division of all, with its proof."""
    return allocate(PRESETS[FLEET].problem, CertifiedOptimum())


def both_at_once() -> float:
    """What the total of the two alike gains where a little of both resources goes from one to the other."""
    halves = allocate(ALIKE, FairSynergy(passes=inf))
    moved = halves.grant + BOTH * np.array([[1, 1], [-1, -1]])
    return float(ALIKE.utility(moved).sum() - halves.total)


def ceiling() -> float:
    """The mean accuracy that, proved, no division exceeds."""
    bound = best().upper_bound
    assert bound is not None
    return bound / best().problem.n


@cache
def lesson() -> Lesson:
    """A search that stands still, and a bound."""
    still, top = after(inf), best()
    first, missing = after(1), 1 - still.mean / ceiling()
    returns = still.problem.elasticity.sum(axis=1)
    star = int(top.utility.argmax())
    name = still.problem.agents[star]
    beaten = top.total > still.total * (1 + 1e-6)
    stands = still.status is Status.STATIONARY
    return Lesson(
        title="The search stands still. Is it at the top?",
        minutes=8,
        introduction=(
            f"Ten agents share compute and labels. For {int((returns > 1).sum())} of them the two exponents add up to "
            f"{number(float(returns.max()))}, more than 1: twice as much of both is **more** than twice as good. These "
            "are **increasing returns**.",
            "The paper searches for the highest mean accuracy in turns. Labels stay where they are, and compute is "
            "divided as well as possible: water-filling. Then compute stays, and labels are divided. That is one "
            "**pass**. No turn ever lowers the mean.",
            "Is that enough? A second tool tells: a **proved bound**, a ceiling for every division there is. Put a "
            "price on each resource and let every agent take what it likes best, as if it were alone. What all reach "
            "together, less what they would pay, plus the price of the whole cloud, is never below the best total. "
            "Then look for the prices that make this ceiling lowest.",
        ),
        points=(
            "A pass: divide compute, then labels",
            "Each turn can only raise the mean",
            "A bound: no division exceeds it, proved",
        ),
        prediction=Amount(
            question=f"After one pass the mean accuracy is {first.mean:.4f}. The search goes on until nothing moves. "
            "How far below the proved bound does it stop?",
            unit="% below", low=0.0, high=20.0, step=0.5, start=0.0, truth=100 * missing, near=1.0,
        ),
        why=f"The search stops at {still.mean:.4f}. Nothing moves any more, and yet it is {100 * missing:.1f} % below "
        f"the bound. The bound is reached: another division has a mean of {top.mean:.4f}, proved optimal. It makes "
        f"{name} the star, with an accuracy of {number(float(top.utility[star]))} instead of "
        f"{number(float(still.utility[star]))}; on the straight way there the mean falls before it rises. "
        "The search takes no turn that lowers it, so it never sets out.",
        question=Question(
            "The search stands still: no better division of compute alone, none of labels alone. What does that prove?",
            (
                Choice(
                    "It has found the best division", not beaten,
                    f"Another division has a mean of {top.mean:.4f}, and the search stopped at {still.mean:.4f}. Where "
                    "returns increase, standing still is not being at the top.",
                ),
                Choice(
                    "Only that changing one of them alone does not help", beaten and stands and both_at_once() > 0,
                    "Here it stands on a hill, a **local optimum**, and does not see the higher one. It need not even "
                    "be a hill: between two agents alike, with exponents of 0.9 and 0.8, the search stands still at "
                    f"equal halves, and yet {BOTH:g} units of both at once, from one to the other, raise the total. "
                    "Only a bound on all divisions tells.",
                ),
                Choice(
                    "It needs more passes", not stands,
                    f"More passes change nothing: after {PASSES} of them the mean is {after(PASSES).mean:.4f}, and "
                    f"after any number {still.mean:.4f}.",
                ),
            ),
        ),
        takeaway="Standing still is no proof. A bound is.",
        fleet=FLEET,
        rule="Fair-Synergy",
        look="Fair-Synergy starts from several places there and finds the higher hill; its row says what is proved. "
        "The page “Fairness trade-off” says it in full, under “Is this optimal?”.",
    )  # fmt: skip
