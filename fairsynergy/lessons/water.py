"""Lesson 2: with one resource and equally hard tasks, the greatest total is reached by water-filling (Eq. 4)."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from fairsynergy.allocation import Allocation, allocate
from fairsynergy.fleets import FleetSpec
from fairsynergy.lessons.lesson import Amount, Choice, Lesson, Question
from fairsynergy.policies import FairSynergy
from fairsynergy.words.phrases import listed, number

FLEET = FleetSpec(
    agents=6, local_compute=0.3, spread=1.0, gamma_compute=(0.5, 0.5), capacity_compute=0.1, seed=1
)  # fmt: skip
DROP = 0.05  # poured at a time [units]
ALL = round(FLEET.agents * FLEET.capacity_compute / DROP)  # drops that the cloud has
LEAST = 1e-9  # a grant below this is rounding [units]


def poured(drops: int) -> Allocation:
    """So many drops of the cloud divided for the greatest total."""
    problem = replace(FLEET.problem(), capacity=np.array([DROP * drops]))
    return allocate(problem, FairSynergy())


def level(allocation: Allocation) -> float:
    """Where the water stands: what each agent holds that received some; the lowest holding where none did."""
    wet = allocation.grant[:, 0] > LEAST
    return float(allocation.holding[wet, 0].max() if wet.any() else allocation.holding[:, 0].min())


@cache
def lesson() -> Lesson:
    """Water-filling."""
    full = poured(ALL)
    problem, grant = full.problem, full.grant[:, 0]
    own, stands = problem.endowment[:, 0], level(full)
    total, share = float(problem.capacity[0]), float(problem.capacity[0]) / problem.n
    wet = int((grant > LEAST).sum())
    rich = int(np.argmax(own))
    dry = [problem.agents[i] for i in np.flatnonzero(grant <= LEAST)]
    name, its = problem.agents[rich], float(grant[rich])
    return Lesson(
        title="Where does the water stop?",
        minutes=6,
        introduction=(
            f"Six agents have equally hard tasks, γ = {FLEET.gamma_compute[0]:g}. Each owns some compute, as much as "
            f"its bar is high. The cloud can give away {number(total)} units.",
            "The rule **Fair-Synergy** wants the highest accuracy added up over all agents. So it gives the next drop "
            "to whoever turns it into most accuracy. Tasks are equally hard and returns diminish: that is always "
            "whoever holds least.",
            "Think of it as water poured over the bars. It runs to the lowest place first, and where it stands it has "
            "one **level**.",
        ),
        points=("Six agents, equally hard tasks", "The next drop goes to whoever holds least"),
        prediction=Amount(
            question=f"The lowest bar is {number(float(own.min()))} high, the highest {number(float(own.max()))}. The "
            f"cloud pours all of its {number(total)} units. Where does the water stand?",
            unit="units", low=0.0, high=1.0, step=0.01, start=0.0, truth=stands, near=0.02,
        ),
        why=f"The water stands at {number(stands)}: {wet} of the six agents are filled up to exactly there, and "
        f"{listed(dry)}, who own more, get nothing. At the level, the next drop is worth the same to everyone who "
        "gets one.",
        question=Question(
            f"{name.capitalize()} owns {number(float(own[rich]))}, more than the level. What does it get?",
            (
                Choice(
                    f"An equal share, {number(share)}", abs(its - share) < LEAST,
                    f"That would be the rule Uniform. {name.capitalize()} would turn that share into less accuracy "
                    f"than those at the bottom do.",
                ),
                Choice(
                    "Something, but less than the others", LEAST < its < float(np.delete(grant, rich).max()),
                    "Even its first drop is worth less than a drop at the level, so it gets none.",
                ),
                Choice(
                    "Nothing", its <= LEAST,
                    f"It stands above the water. A drop taken from below the level and given to {name} would lower "
                    "the total.",
                ),
            ),
        ),
        takeaway="One resource, equally hard tasks: fill up from the bottom to one level.",
        fleet=FLEET,
        rule="Fair-Synergy",
        look="Move “Cloud compute per agent” and watch the bars under Fair-Synergy level out. Then set two different "
        "ends of “Difficulty in compute, γ”: what is level then is no longer the holding, but what the next unit adds.",
    )  # fmt: skip
