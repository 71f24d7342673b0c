"""Lesson 7: envy, the uniform share as a promise, and the market with equal incomes that keeps both promises."""

from __future__ import annotations

from functools import cache

import numpy as np

from fairsynergy.allocation import Allocation, allocate
from fairsynergy.analysis.fairness import envy
from fairsynergy.fleets import PRESETS
from fairsynergy.lessons.lesson import Amount, Choice, Lesson, Question
from fairsynergy.policies import EqualIncomeMarket, FairSynergy, Policy, Uniform
from fairsynergy.problem import Array
from fairsynergy.words.phrases import number, percent

FLEET = "Warehouse"
RULES: tuple[Policy, ...] = (FairSynergy(), EqualIncomeMarket())
NOTHING = 1e-6  # of accuracy: a gain or a loss below this is rounding


@cache
def divided() -> dict[str, Allocation]:
    """The fleet under both rules and in equal shares, by the rules' names."""
    return {policy.name: allocate(PRESETS[FLEET].problem, policy) for policy in (*RULES, Uniform())}


def against_uniform(rule: str) -> Array:
    """(n,) accuracy under the rule, relative to that with an equal share of everything."""
    found = divided()
    return np.asarray(found[rule].utility / found["Uniform"].utility)


def below_uniform(rule: str) -> int:
    """How many agents an equal split would serve better."""
    return int((against_uniform(rule) < 1 - NOTHING).sum())


def envious(rule: str) -> int:
    """How many agents would do better with somebody else's grant."""
    allocation = divided()[rule]
    return int((envy(allocation.problem, allocation.grant).max(axis=1) > NOTHING).sum())


@cache
def lesson() -> Lesson:
    """Envy, the equal split and the market."""
    found = divided()
    synergy, market, equal = (found[name] for name in ("Fair-Synergy", "Equal-income market", "Uniform"))
    n = synergy.problem.n
    losers = below_uniform("Fair-Synergy")
    none_envies = envious("Equal-income market") == 0
    same_grants = bool(np.abs(market.grant - market.grant[0]).max() < NOTHING)
    same_accuracy = bool(np.ptp(market.utility) < NOTHING)
    cheapest, richest = float(market.utility.min()), float(market.utility.max())
    compute = market.grant[:, 0]
    return Lesson(
        title="Who would be better off with an equal split?",
        minutes=8,
        introduction=(
            "Twelve robots in a warehouse share compute and labels. A fair person might ask two things of any rule.",
            "**No worse than an equal split**: would anyone do better if everything were cut into twelve equal parts, "
            "its **uniform share**? **No envy**: would anyone do better with somebody else's grant?",
            "Fair-Synergy promises neither. It wants the highest mean. A **market with equal incomes** works "
            "otherwise: everyone gets the same play money and buys what helps it most, at prices at which all is "
            "sold.",
        ),
        points=(
            "Promise 1: nobody below an equal split",
            "Promise 2: nobody wants another's grant",
            "A market: the same money for all",
        ),
        prediction=Amount(
            question=f"Fair-Synergy lifts the mean accuracy of the {n} robots from {equal.mean:.3f} with an equal "
            f"split to {synergy.mean:.3f}. How many of them would do better with the equal split?",
            unit=f"of {n} robots", low=0.0, high=float(n), step=1.0, start=0.0, truth=float(losers), near=1.0,
        ),
        why=f"{losers} of {n} would do better with an equal split, and {envious('Fair-Synergy')} envy somebody: the "
        f"higher mean comes from the other {n - losers}, who gain much. In the market "
        f"{_count(below_uniform('Equal-income market'))} is below its equal split, and "
        f"{_count(envious('Equal-income market'))} envies. That costs {percent(1 - market.mean / synergy.mean)} of the "
        f"mean: {market.mean:.3f} instead of {synergy.mean:.3f}. And the worst-off robot stands at "
        f"{number(market.worst)}, where Fair-Synergy has it at {number(synergy.worst)}: no envy is not the same as "
        "much for the weakest.",
        question=Question(
            "Why does nobody envy anybody in the market?",
            (
                Choice(
                    "Each could have bought the other's grant", none_envies and not same_grants and not same_accuracy,
                    "All have the same money and face the same prices. Whoever did not buy what another bought had "
                    "something that suits it at least as well.",
                ),
                Choice(
                    "All robots get the same", same_grants,
                    f"They do not: they buy from {number(float(compute.min()))} to {number(float(compute.max()))} of "
                    "compute. Each buys what suits its task.",
                ),
                Choice(
                    "All robots reach the same accuracy", same_accuracy,
                    f"They do not: accuracies go from {number(cheapest)} to {number(richest)}.",
                ),
            ),
        ),
        takeaway="The same money for all keeps both promises. The highest mean keeps neither.",
        fleet=FLEET,
        rule="Equal-income market",
        look="Switch the rule between the market and Fair-Synergy. The page “Allocations” shows who envies whom, the "
        "page “Fairness trade-off” which rule keeps which promise.",
    )  # fmt: skip


def _count(many: int) -> str:
    return "nobody" if many == 0 else str(many)
