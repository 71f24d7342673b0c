"""NUM, the paper's network-utility baseline: a uniform logarithmic objective, blind to difficulty.

    max sum_i w_i log(e_ik + x_ik)   on each resource k,

solved exactly: the kernel with c = w, p = 1, which levels what agents hold (classic water-filling). The released
code clips and rescales instead; the exact answer is used here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fairsynergy.kernel import Filling, Fleets, waterfill
from fairsynergy.kernel._objective import LogHolding, Objective
from fairsynergy.policies._policy import Division, Policy
from fairsynergy.problem import Array, Problem


@dataclass(frozen=True)
class NUM(Policy):
    """Level what agents hold: those who own least are lifted first, to a common water level.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3])
    >>> fs.allocate(fleet, fs.NUM()).holding.ravel().round(3)
    array([0.45, 0.45])
    """

    name: ClassVar[str] = "NUM"
    sentence: ClassVar[str] = "Those who own least are lifted first, to a common level; difficulty is ignored."
    objective: ClassVar[Objective | None] = LogHolding()

    def divide(self, problem: Problem) -> Division:
        filled = _levelled(problem)
        return Division(filled.grant.mT, filled.iterations)

    def _divide_together(self, fleets: Fleets) -> Array | None:
        return _levelled(fleets).grant.mT


def _levelled(fleet: Problem | Fleets) -> Filling:
    weight = fleet.weight[..., None, :]
    return waterfill(weight, 1.0, fleet.endowment.mT, fleet.capacity, fleet.floor.mT, fleet.upper.mT)
