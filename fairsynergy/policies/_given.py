"""A split by hand, judged like a rule: it proposes what it was given, and `allocate` says what that is worth.

>>> import fairsynergy as fs
>>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.5, 0.3])
>>> mine = fs.allocate(fleet, fs.Given([0.2, 0.3]))
>>> round(mine.mean, 3), mine.status.name
(0.703, 'FEASIBLE')
>>> fs.allocate(fleet, fs.Given([0.4, 0.3])).status.name
'FAILED'
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from fairsynergy.errors import ProblemError, typed
from fairsynergy.policies._policy import Division, Policy
from fairsynergy.problem import Array, Problem, matrix

# Shares that add up to the whole may exceed it by rounding.
ROUNDING = 1e-9
# As many of the largest shares are named as a reader takes in.
NAMED = 3


@dataclass(frozen=True, eq=False, init=False)
class Given(Policy):
    """Grants decided by somebody else, to be compared with the rules.

    Parameters
    ----------
    grant : (n, m) or (n,) array_like
        Who shall receive what [units of each resource]; one dimension means m = 1. It need not be feasible: beyond a
        capacity, floor or ceiling the allocation's status is FAILED.
    label : str
        What tables and sentences call it.

    Raises
    ------
    ProblemError
        If the grants are no numbers; when dividing, if there is not one for every agent and resource, or one of them
        is no amount.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.5, 0.3])
    >>> fs.allocate(fleet, fs.Given([0.2, 0.1])).unspent.round(3)
    array([0.2])
    """

    grant: Array
    label: str = "my split"  # stands before the property of `Policy`

    name: ClassVar[str] = "Given"
    sentence: ClassVar[str] = "Somebody decided by hand; the rules show what else could be done."
    by_hand: ClassVar[bool] = True

    def __init__(self, grant: ArrayLike, label: str = "my split") -> None:
        object.__setattr__(self, "grant", matrix("grant", grant))
        object.__setattr__(self, "label", label)

    @classmethod
    def shares(cls, problem: Problem, shares: ArrayLike, label: str = "my split") -> Given:
        """The grants that are these parts of each capacity.

        Parameters
        ----------
        problem : Problem
            Whose capacities are split.
        shares : (n, m) or (n,) array_like
            Fractions of each capacity, >= 0; of each resource they sum to at most 1, and below 1 the rest stays
            unspent.
        label : str
            What tables and sentences call it.

        Raises
        ------
        ProblemError
            If there is not one share for every agent and resource, one is negative or no number, or those of a
            resource sum to more than 1.

        Examples
        --------
        >>> import fairsynergy as fs
        >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.5, 0.3])
        >>> fs.Given.shares(fleet, [0.6, 0.2]).grant.ravel()
        array([0.3, 0.1])
        >>> fs.Given.shares(fleet, [0.8, 0.7])
        Traceback (most recent call last):
        ...
        fairsynergy.errors.ProblemError: `shares` of compute sum to 1.5 (agent 1 0.8, agent 2 0.7), which is more than
        the whole capacity; lower them to a sum of at most 1
        """
        parts = problem.amounts("shares", shares)
        for k, whole in enumerate(parts.sum(axis=0)):
            if whole <= 1 + ROUNDING:
                continue
            largest = np.argsort(-parts[:, k], kind="stable")[:NAMED]
            who = ", ".join(f"{problem.agents[i]} {typed(parts[i, k])}" for i in largest)
            others = problem.n - len(largest)
            more = f", {others} other{'s' * (others > 1)} {typed(whole - parts[largest, k].sum())}" if others else ""
            raise ProblemError(
                f"`shares` of {problem.resources[k]} sum to {typed(whole)} ({who}{more}), which is more than the whole "
                "capacity; lower them to a sum of at most 1",
                field="shares",
                index=(int(largest[0]), k),
            )
        return cls(parts * problem.capacity, label)

    def reasons(self, problem: Problem, grant: Array) -> Sequence[str]:
        return ["somebody decided by hand"] * problem.n

    def in_units(self, factor: Array) -> Given:
        return Given(self.grant * factor, self.label)

    def divide(self, problem: Problem) -> Division:
        return Division(problem.amounts("grant", self.grant), 0)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Given):
            return NotImplemented
        return self.label == other.label and np.array_equal(self.grant, other.grant, equal_nan=True)

    def __hash__(self) -> int:
        return hash((self.label, self.grant.shape, self.grant.tobytes()))
