"""What a rule is: a small frozen record of its settings that divides a problem's capacity."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fairsynergy.kernel import Fleets
from fairsynergy.kernel._dual import Tree, proved_bound
from fairsynergy.kernel._objective import Objective, TotalUtility
from fairsynergy.problem import ROUNDING, Array, Problem

# Largest relative residual of the first-order conditions, or proved gap, at which an answer is called optimal.
OPTIMAL_WITHIN = 1e-6


class Division(NamedTuple):
    """What a rule proposes: grants (n, m), how many iterations it took (0 for a closed form), and perhaps a proof.

    The proof bounds the rule's objective over all divisions; `allocate` does not trust it but evaluates it again.
    """

    grant: Array
    iterations: int
    proof: Tree | None = None


class Divisions(NamedTuple):
    """Of many fleets: grants (b, n, m), and what they prove to be the greatest total (b,), NaN where nothing is."""

    grant: Array
    bound: Array


class Policy(ABC):
    """A rule for dividing capacity. Subclass it as a frozen dataclass and implement `divide`.

    Attributes
    ----------
    name : str
        As shown in tables and charts.
    sentence : str
        The rule in plain words, for a newcomer.
    by_hand : bool
        Whether somebody decided, so that no limit is the reason of a grant.
    objective : Objective or None
        What the rule maximises; None for a rule that only divides. `allocate` checks the claim.
    """

    name: ClassVar[str]
    sentence: ClassVar[str]
    by_hand: ClassVar[bool] = False
    objective: ClassVar[Objective | None] = None

    @abstractmethod
    def divide(self, problem: Problem) -> Division:
        """Grants (n, m) within every bound and capacity of the problem.

        Raises
        ------
        ProblemError
            If the rule does not handle this kind of problem; the message names the rule.
        """

    def reasons(self, problem: Problem, grant: Array) -> Sequence[str]:
        """(n,) why each agent gets what no limit decides, in words that this problem bears out; they follow a colon.

        Parameters
        ----------
        problem : Problem
            The fleet.
        grant : (n, m) array
            The rule's grants.
        """
        return [self.sentence[0].lower() + self.sentence[1:].rstrip(".")] * problem.n

    def steps(self, problem: Problem) -> Array:
        """(m,) of which the rule's grants are multiples [units of each resource]; 0 where they are any amount."""
        return np.zeros(problem.m)

    def in_units(self, factor: Array) -> Policy:
        """The same rule for a fleet whose amounts are counted in other units.

        Parameters
        ----------
        factor : (m,) array
            How many of the other units one unit of each resource is. Amounts among the rule's settings are multiplied
            by it.
        """
        return self

    def divide_many(self, fleets: Fleets) -> Divisions:
        """Divide many fleets: all at once where the rule has a `_divide_together`, else one after the other.

        Raises
        ------
        ProblemError
            If the rule does not handle one of the fleets.
        """
        bound = np.full(len(fleets), np.nan)
        together = self._divide_together(fleets)
        if together is not None:
            return Divisions(together, bound)
        grant = np.zeros((len(fleets), fleets.m, fleets.n)).mT
        for i, n in enumerate(fleets.agents):
            problem = fleets.problem(i)
            division = self.divide(problem)
            grant[i, :n] = division.grant
            if division.proof is not None and isinstance(self.objective, TotalUtility):
                bound[i] = proved_bound(problem, division.proof)
        return Divisions(grant, bound)

    def sketch_many(self, fleets: Fleets, near: Array | None = None) -> Array:
        """Grants (b, n, m) like those of `divide_many`, or nearly, where that would take long: for searches and charts.

        Parameters
        ----------
        fleets : Fleets
            Hundreds of them, as a rule.
        near : (n, m) array, optional
            Grants of a similar fleet, where a rule that searches begins.
        """
        return self.divide_many(fleets).grant

    def _divide_together(self, fleets: Fleets) -> Array | None:
        """Grants (b, n, m), nothing to padding; None where these fleets must be divided one by one."""
        return None

    @property
    def proved_within(self) -> float:
        """Largest proved gap, relative, at which this rule's answer is called optimal."""
        return OPTIMAL_WITHIN

    @property
    def label(self) -> str:
        """The name, with settings where they are not the default."""
        return self.name


def inside(problem: Problem, grant: Array) -> NDArray[np.bool_]:
    """(n, m) whose grants no limit holds: above the floor, below the ceiling and what can be used."""
    return np.asarray((grant > problem.floor * (1 + ROUNDING)) & (grant < problem.upper * (1 - ROUNDING)))


def spend_exactly(problem: Problem, grant: Array) -> Array:
    """Grants (n, m) with what rounding left over or overspent shared out among those between their bounds.

    A grant read off a holding is only as exact as the endowment is large.
    """
    between = (grant > problem.floor) & (grant < problem.upper)
    extra = np.where(between, grant - problem.floor, 0.0)
    left = np.maximum(problem.capacity - np.where(between, problem.floor, grant).sum(axis=0), 0.0)
    ratio = np.divide(left, extra.sum(axis=0), out=np.ones(problem.m), where=between.any(axis=0))
    return np.where(between, np.minimum(problem.floor + extra * ratio, problem.upper), grant)
