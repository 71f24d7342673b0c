"""Lesson 3: NUM as the paper has it maximises the sum of log holdings, in which no elasticity appears."""

from __future__ import annotations

from functools import cache

import numpy as np

from fairsynergy.allocation import Allocation, allocate
from fairsynergy.fleets import PRESETS
from fairsynergy.lessons.lesson import Choice, Lesson, Question
from fairsynergy.policies import NUM, FairSynergy, Policy
from fairsynergy.problem import Array, Problem
from fairsynergy.words.phrases import number

FLEET, EQUAL = "Fleet A", "Fleet A, equally hard"
RULES: tuple[Policy, ...] = (NUM(), FairSynergy())
NAMES = {0.9: "hard", 0.6: "medium", 0.3: "easy"}
SAME = 1e-9  # amounts that differ by less are the same [units]


def divided(fleet: str = FLEET) -> dict[str, Allocation]:
    """The fleet under NUM and under Fair-Synergy, by the rules' names."""
    return {policy.name: allocate(PRESETS[fleet].problem, policy) for policy in RULES}


def tasks(problem: Problem) -> list[str]:
    """How hard each agent's task is, in a word."""
    return [NAMES[round(float(gamma), 3)] for gamma in problem.elasticity[:, 0]]


@cache
def lesson() -> Lesson:
    """Why NUM ignores difficulty."""
    now, equal = divided(), divided(EQUAL)
    problem = now["NUM"].problem
    num, synergy = (now[name].grant[:, 0] for name in ("NUM", "Fair-Synergy"))
    own, words = problem.endowment[:, 0], tasks(problem)
    hard = words.index("hard")
    easy = next(i for i, word in enumerate(words) if word == "easy" and own[i] == own[hard])
    level = float(now["NUM"].holding[:, 0].max())
    moved = {name: _moved(equal[name].grant, now[name].grant) for name in now}
    agree = not _moved(equal["NUM"].grant, equal["Fair-Synergy"].grant)
    return Lesson(
        title="Why does NUM treat hard and easy tasks alike?",
        minutes=6,
        introduction=(
            "Ten agents share one cloud. Four have a hard task (γ = 0.9), three a medium one (0.6), three an easy one "
            "(0.3).",
            "**NUM** is short for network utility maximisation, a classic rule for sharing a network. As used here it "
            "adds up the logarithms of all holdings and makes that sum as large as it can.",
            "A logarithm has diminishing returns too. But look at what it is taken of: the **holding**. How hard a "
            "task is, γ, stands nowhere in that sum.",
        ),
        points=("NUM: make the sum of log(holding) as large as possible", "Fair-Synergy: the sum of accuracies"),
        prediction=Question(
            f"{problem.agents[hard].capitalize()} has a hard task and owns {number(float(own[hard]))}. NUM gives it "
            f"{number(float(num[hard]))}. {problem.agents[easy].capitalize()} owns as much, but its task is easy. "
            "What does NUM give it?",
            (
                Choice("Less", num[easy] < num[hard] - SAME, ""),
                Choice("As much", abs(num[easy] - num[hard]) <= SAME, ""),
                Choice("More", num[easy] > num[hard] + SAME, ""),
            ),
        ),
        why=f"NUM fills everyone up to the same {number(level)} units, whatever the task. Fair-Synergy looks at γ: "
        f"{problem.agents[easy]} (easy) gets {number(float(synergy[easy]))}, and {problem.agents[hard]} (hard) gets "
        f"{number(float(synergy[hard]))}, since so little compute hardly helps a hard task. Mean accuracy is "
        f"{now['Fair-Synergy'].mean:.3f} under Fair-Synergy and {now['NUM'].mean:.3f} under NUM; the worst-off agent "
        f"stands at {number(now['Fair-Synergy'].worst)} and {number(now['NUM'].worst)}.",
        question=Question(
            "Now make all ten tasks equally hard, γ = 0.3. Whose grants change?",
            (
                Choice(
                    "Only those of NUM", moved["NUM"] and not moved["Fair-Synergy"],
                    "NUM never looked at γ, so it cannot notice that γ has changed.",
                ),
                Choice(
                    "Only those of Fair-Synergy", moved["Fair-Synergy"] and not moved["NUM"],
                    "NUM never looked at γ. Fair-Synergy does"
                    + (", and ends where NUM is: with equally hard tasks both fill up to one level." if agree else "."),
                ),
                Choice(
                    "Those of both", moved["NUM"] and moved["Fair-Synergy"],
                    "NUM's do not: γ stands nowhere in the sum of logarithms of holdings.",
                ),
                Choice(
                    "Those of neither", not (moved["NUM"] or moved["Fair-Synergy"]),
                    "Fair-Synergy's do: it adds up accuracies, and these depend on γ.",
                ),
            ),
        ),
        takeaway="NUM levels holdings. What these are good for, it does not ask.",
        fleet=FLEET,
        rule="NUM",
        look="Switch the rule between NUM and Fair-Synergy. Then choose the preset “Fleet A, equally hard”: now the "
        "two agree to the last digit.",
    )  # fmt: skip


def _moved(one: Array, other: Array) -> bool:
    return bool(np.abs(one - other).max() > SAME)
