"""What could change hands: who could give some of a resource and at what loss, who could take some and with what gain.

A little at a time, or, where a rule divides in whole units, one whole unit.

>>> import fairsynergy as fs
>>> fleet = fs.Problem(endowment=[0, 0, 0], capacity=8, elasticity=[0.5, 0.6, 0.5])
>>> whole = margins(fs.allocate(fleet, fs.WholeUnits(fs.FairSynergy(), method="greedy")))
>>> whole.added.max() < whole.lost.min()  # no unit is better elsewhere
np.True_
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fairsynergy.allocation import Allocation
from fairsynergy.kernel._objective import last_unit, next_unit
from fairsynergy.problem import ROUNDING, Array


class Margins(NamedTuple):
    """What moves at once, and what that is worth to the total [accuracy per unit of each resource]."""

    step: Array  #: (m,) one whole unit; 0 where any amount may move
    added: Array  #: (n, m) what the next unit adds; minus infinity where a limit allows none
    lost: Array  #: (n, m) what the last unit added; infinity where a limit, or nothing granted, allows none


def margins(allocation: Allocation) -> Margins:
    """The margins of a division, in the steps that its rule divides in.

    Parameters
    ----------
    allocation : Allocation
        Of any rule or by hand.
    """
    problem, grant = allocation.problem, allocation.grant
    step = allocation.policy.steps(problem)
    # A whole unit may be useful in part; a little is not, once an agent has all it can use.
    top = np.where(step > 0, problem.ceiling, problem.upper)
    takes = np.where(step > 0, grant + step <= top * (1 + ROUNDING), grant < top * (1 - ROUNDING))
    gives = np.where(step > 0, grant - step >= problem.floor * (1 - ROUNDING), grant > problem.floor)
    return Margins(
        step,
        np.where(takes, next_unit(problem, grant, step), -np.inf),
        np.where(gives, last_unit(problem, grant, step), np.inf),
    )
