"""Lesson 6: alpha-fairness, one dial from the highest mean to the best worst-off (Mo and Walrand, 2000)."""

from __future__ import annotations

from functools import cache, lru_cache
from math import inf

from fairsynergy.allocation import Allocation, allocate
from fairsynergy.fleets import PRESETS
from fairsynergy.lessons.lesson import KEPT, Amount, Choice, Lesson, Question
from fairsynergy.policies import AlphaFair
from fairsynergy.words.phrases import number

FLEET = "Fleet A"
STOPS = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, inf)
NAMED = (0.0, 0.5, 1.0, 2.0, inf)  # stops with their number beside them
TURNS = ((0.0, 0.5), (0.5, 1.0), (1.0, inf))  # that the question compares


@lru_cache(maxsize=KEPT)
def turned(alpha: float) -> Allocation:
    """The fleet divided with the dial there."""
    return allocate(PRESETS[FLEET].problem, AlphaFair(alpha))


def written(alpha: float) -> str:
    """A stop as it is read.

    >>> written(0.5), written(inf)
    ('0.5', '∞')
    """
    return "∞" if alpha == inf else f"{alpha:g}"


def exchange(start: float, end: float) -> float:
    """How much the worst-off gains for each unit of mean accuracy given up between two stops."""
    before, after = turned(start), turned(end)
    return (after.worst - before.worst) / (before.mean - after.mean)


@cache
def lesson() -> Lesson:
    """The dial of fairness."""
    low, product, high = turned(0.0), turned(1.0), turned(inf)
    cost = 1 - high.mean / low.mean
    rates = {turn: exchange(*turn) for turn in TURNS}
    best = max(rates.values())
    return Lesson(
        title="What does it cost to lift the worst-off?",
        minutes=7,
        introduction=(
            f"The highest mean accuracy of this fleet is {low.mean:.3f}. It leaves the **worst-off** agent, the one "
            f"with the lowest accuracy, at {number(low.worst)}.",
            "**α** (say *alpha*) is a dial. It says how much more a gain counts for those who have less. At 0 every "
            "gain counts alike: that is Fair-Synergy. At 1 it counts in proportion: to double a low accuracy is worth "
            "as much as to double a high one. At infinity, written ∞, only the worst-off counts.",
            "Between these ends lie the compromises. Turning the dial up lifts the worst-off and costs the others "
            "something.",
        ),
        points=(
            "α = 0: the highest mean",
            "α = 1: doubling counts alike for all",
            "α = ∞: the worst-off first",
        ),
        prediction=Amount(
            question=f"Turned all the way up, the dial lifts the worst-off from {number(low.worst)} to "
            f"{number(high.worst)}: about {high.worst / low.worst:.0f} times as much. How much of the "
            "mean does that cost?",
            unit="% of the mean", low=0.0, high=60.0, step=1.0, start=0.0, truth=100 * cost, near=3.0,
        ),
        why=f"The mean falls from {low.mean:.3f} to {high.mean:.3f}, by {100 * cost:.0f} %. That is the **price of "
        f"fairness** here. Half-way, at α = 1, the worst-off already stands at {number(product.worst)}, for "
        f"{100 * (1 - product.mean / low.mean):.0f} % of the mean.",
        question=Question(
            "Which turn of the dial lifts the worst-off most for each bit of mean accuracy given up?",
            tuple(
                Choice(
                    f"From α = {written(start)} to {written(end)}", rate == best,
                    f"Each 0.01 of mean given up lifts the worst-off by {0.01 * rate:.3f}"
                    + (": the first steps are the cheapest." if rate == best else f"; another turn does it by "
                       f"{0.01 * best:.3f}."),
                )
                for (start, end), rate in rates.items()
            ),
        ),
        takeaway="Here a little fairness is cheap, and the last bit is dear.",
        fleet=FLEET,
        rule="Leximin",
        look="Switch the rule between Fair-Synergy (α = 0), Nash (α = 1) and Leximin (α = ∞). The page “Fairness "
        "trade-off” has the whole dial for any fleet.",
    )  # fmt: skip
