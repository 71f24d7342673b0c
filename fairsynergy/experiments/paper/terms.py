"""What all reproductions share: the rules compared, how a claim is judged, how progress is counted."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from time import perf_counter
from typing import NamedTuple

import pandas as pd

from fairsynergy.experiments.engine import Progress
from fairsynergy.experiments.reproduction import Claim, Verdict
from fairsynergy.fleets.drawn import ASSETS
from fairsynergy.policies import POLICIES, CertifiedOptimum, FairSynergy, Policy
from fairsynergy.words.phrases import signed

NONE = "–"
# A claimed number holds within this part of it: the paper gives whole percents, and other seeds another sample.
NEAR = 0.1
# The paper's six, Fair-Synergy as it describes it: alternate search from the endowments, until nothing moves.
SIX: dict[str, Policy] = POLICIES | {"Fair-Synergy": FairSynergy(passes=inf)}
ONE_PASS, CONVERGED, CERTIFIED = "Fair-Synergy (1 pass)", "Fair-Synergy (converged)", "Certified optimum"
# Enough boxes for every fleet of these protocols to be certified; a bound on work, unlike seconds, is the same
# everywhere.
OPTIMUM = CertifiedOptimum(seconds=inf, boxes=2000)
# The authors' released data, with their source.
RELEASED = ASSETS / "paper"

Tell = Callable[[Progress], object]


class Options(NamedTuple):
    """What a reproduction may be asked: the seed of what is drawn, how many experiments, and whom to tell."""

    seed: int
    experiments: int | None
    tell: Tell


class Findings(NamedTuple):
    """What an experiment brought: what was done, in words; its claims; its tables by name."""

    protocol: str
    claims: tuple[Claim, ...]
    tables: dict[str, pd.DataFrame]


class Course:
    """Counts the steps of several runs as one, long steps for more than short ones.

    Parameters
    ----------
    tell : callable
        Called with a `Progress` after every step.
    of : int
        What all steps will count for together.
    """

    def __init__(self, tell: Tell, of: int) -> None:
        self.tell, self.of, self.done, self.start = tell, of, 0, perf_counter()

    def step(self, weight: int = 1) -> None:
        """One more is done, as long as so many short ones."""
        self.done += weight
        self.tell(Progress(self.done, self.of, perf_counter() - self.start))

    def each(self, weight: int) -> Tell:
        """What a run may tell of each of its steps."""
        return lambda _: self.step(weight)


def compared(
    what: str, claimed: float, released: float | None, recomputed: float, corrected: float, reason: str
) -> Claim:
    """A claimed relative gain; it holds if what its protocol yields and what is right are both within a tenth of it.

    Examples
    --------
    >>> compared("over Uniform", 0.51, 0.498, 0.499, 0.828, "One pass.").verdict.name
    'PROTOCOL'
    """

    def near(found: float | None) -> bool:
        return found is not None and abs(found - claimed) <= NEAR * abs(claimed)

    verdict = Verdict.FAILS
    if near(recomputed) or near(released):
        verdict = Verdict.HOLDS if near(corrected) else Verdict.PROTOCOL
    shown = NONE if released is None else signed(released)
    return Claim(
        what, f"{100 * claimed:+.0f} %", shown, signed(recomputed), signed(corrected), reason, verdict
    )  # fmt: skip
