"""Many fleets at once: arrays with a leading axis, so that a thousand experiments are one call of the kernel.

A `Fleets` has the attributes of a `Problem`, each with the fleets as its first axis; whatever a rule computes along
the last axes of a problem, it computes for all of them. Fleets of different sizes are padded to the largest; an
agent that pads has weight 0, owns nothing and receives nothing.

>>> two = Fleets.of([
...     Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.5, 0.3]),
...     Problem(endowment=[0.2], capacity=0.1, elasticity=[0.9]),
... ])
>>> two.weight
array([[1., 1.],
       [1., 0.]])
>>> two.problem(1)
Problem(1 agents, capacity compute 0.1)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairsynergy.errors import ProblemError
from fairsynergy.problem import Array, Problem

# Stands where nobody does; any elasticity would.
ANY_ELASTICITY = 0.5


class Outcome(NamedTuple):
    """What a division does to each fleet: mean, worst and best accuracy, weighted total, Gini index; each (b,)."""

    mean: Array
    worst: Array
    best: Array
    total: Array
    gini: Array


@dataclass(frozen=True, eq=False)
class Fleets:
    """b problems over the same m resources, of at most n agents each, without floors or ceilings.

    Parameters
    ----------
    endowment, elasticity : (b, n, m) array
        As in `Problem`. Fastest where agents are the axis stored last, as in ``value.mT`` of a (b, m, n) array.
    capacity : (b, m) array
        What each cloud shares.
    weight : (b, n) array
        0 for an agent that only pads; no other agent has that.
    saturation : float
        Holding above which more adds nothing, for all; infinity for none.
    lots : (b, n, m) array, optional
        The shares that Random gives, drawn with the fleets, so that they depend on nothing else; 0 for padding.
    """

    endowment: Array
    elasticity: Array
    capacity: Array
    weight: Array
    saturation: float = np.inf
    lots: Array | None = None

    @classmethod
    def of(cls, problems: Sequence[Problem]) -> Fleets:
        """Stack problems.

        Raises
        ------
        ProblemError
            If there are none; or they disagree in resources or saturation, or have floors or ceilings.
        """
        if not problems:
            raise ProblemError("there are no problems to stack; give at least one")
        m, level = problems[0].m, problems[0].saturation.flat[0]
        for problem in problems:
            plain = not problem.floor.any() and np.isinf(problem.ceiling).all()
            if problem.m != m or not plain or (problem.saturation != level).any():
                raise ProblemError(
                    "fleets are solved together only over the same number of resources, with one saturation for all "
                    "and neither floors nor ceilings; solve these one by one"
                )
        shape = (len(problems), m, max(problem.n for problem in problems))
        own, gamma = np.zeros(shape), np.full(shape, ANY_ELASTICITY)
        weight = np.zeros((shape[0], shape[2]))
        for i, problem in enumerate(problems):
            own[i, :, : problem.n] = problem.endowment.T
            gamma[i, :, : problem.n] = problem.elasticity.T
            weight[i, : problem.n] = problem.weight
        capacity = np.stack([problem.capacity for problem in problems])
        return cls(own.mT, gamma.mT, capacity, weight, float(level))

    def __len__(self) -> int:
        return len(self.capacity)

    def __getitem__(self, rows: slice | NDArray[np.intp] | NDArray[np.bool_]) -> Fleets:
        """Some of the fleets, as narrow as the largest of them."""
        weight = self.weight[rows]
        n = int((weight > 0).sum(axis=1).max(initial=1))
        return Fleets(
            endowment=self.endowment[rows, :n],
            elasticity=self.elasticity[rows, :n],
            capacity=self.capacity[rows],
            weight=weight[:, :n],
            saturation=self.saturation,
            lots=None if self.lots is None else self.lots[rows, :n],
        )

    @property
    def n(self) -> int:
        """Number of agents of the largest fleet."""
        return int(self.endowment.shape[1])

    @property
    def m(self) -> int:
        """Number of resources."""
        return int(self.endowment.shape[2])

    @property
    def agents(self) -> NDArray[np.intp]:
        """(b,) number of agents of each fleet."""
        return np.asarray((self.weight > 0).sum(axis=1))

    @property
    def floor(self) -> Array:
        """(1, 1) zero: nobody is promised a grant."""
        return np.zeros((1, 1))

    @property
    def upper(self) -> Array:
        """(b, n, m) what is missing to saturation; (1, 1) infinity where there is none."""
        if np.isinf(self.saturation):
            return np.full((1, 1), np.inf)
        return np.asarray(np.maximum(self.saturation - self.endowment, 0.0))

    def problem(self, i: int) -> Problem:
        """One of them, without its padding."""
        n = int(self.agents[i])
        return Problem(
            endowment=self.endowment[i, :n],
            capacity=self.capacity[i],
            elasticity=self.elasticity[i, :n],
            weight=self.weight[i, :n],
            saturation=self.saturation,
        )

    def holding(self, grant: ArrayLike) -> Array:
        """(b, n, m) endowment plus grant."""
        return np.asarray(self.endowment + np.asarray(grant, dtype=np.float64))

    def log_utility(self, grant: ArrayLike) -> Array:
        """(b, n) log U_i; means nothing for padding."""
        with np.errstate(divide="ignore"):
            logs = np.log(np.minimum(self.holding(grant), self.saturation))
        return np.asarray((self.elasticity * logs).sum(axis=-1))

    def utility(self, grant: ArrayLike) -> Array:
        """(b, n) accuracy of each agent; 0 for padding."""
        return np.asarray(np.exp(self.log_utility(grant)) * (self.weight > 0))

    def outcome(self, grant: ArrayLike) -> Outcome:
        """What grants (b, n, m) do to each fleet. O(b n log n)."""
        utility, present = self.utility(grant), self.weight > 0
        sums, counts = utility.sum(axis=1), self.agents
        # In order of accuracy with padding first, whose zeros add nothing: ranks are counted from the end.
        ordered = np.sort(utility, axis=1)
        ranks = np.arange(1, self.n + 1) - (self.n - counts)[:, None]
        spread = 2 * np.vecdot(ranks, ordered) - (counts + 1) * sums
        return Outcome(
            mean=sums / counts,
            worst=np.where(present, utility, np.inf).min(axis=1),
            best=utility.max(axis=1),
            total=np.vecdot(self.weight, utility),
            gini=np.divide(spread, counts * sums, out=np.zeros(len(self)), where=sums > 0),
        )
