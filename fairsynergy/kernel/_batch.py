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
from dataclasses import dataclass, field, replace
from functools import cached_property
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
    """b problems over the same m resources, of at most n agents each.

    Parameters
    ----------
    endowment, elasticity : (b, n, m) array
        As in `Problem`. Fastest where agents are the axis stored last, as in ``value.mT`` of a (b, m, n) array.
    capacity : (b, m) array
        What each cloud shares.
    weight : (b, n) array
        0 for an agent that only pads; no other agent has that.
    saturation : float or (b, n, m) array
        Holding above which more adds nothing; infinity for none. One number is for all.
    lots : (b, n, m) array, optional
        The shares that Random gives, drawn with the fleets, so that they depend on nothing else; 0 for padding.
    floor, ceiling : (b, n, m) array
        Least and largest grants; a padding agent's floor is 0. Like `saturation`, an axis of length 1 stands for all;
        by default nobody is promised or denied anything.
    names, resources : tuple of str, optional
        What the agents of every fleet, and the resources, are called where a rule refuses one; by default as in
        `Problem`.
    """

    endowment: Array
    elasticity: Array
    capacity: Array
    weight: Array
    saturation: float | Array = np.inf
    lots: Array | None = None
    floor: Array = field(default_factory=lambda: np.zeros((1, 1, 1)))
    ceiling: Array = field(default_factory=lambda: np.full((1, 1, 1), np.inf))
    names: tuple[str, ...] | None = None
    resources: tuple[str, ...] | None = None

    @classmethod
    def of(cls, problems: Sequence[Problem]) -> Fleets:
        """Stack problems.

        Raises
        ------
        ProblemError
            If there are none, or they disagree in the number of resources.
        """
        if not problems:
            raise ProblemError("there are no problems to stack; give at least one")
        m, level = problems[0].m, problems[0].saturation.flat[0]
        for i, problem in enumerate(problems):
            if problem.m != m:
                raise ProblemError(
                    f"the first problem has {m} resources and `problems[{i}]` has {problem.m}; fleets are solved "
                    "together only over the same number of resources, so solve these one by one",
                    field="problems",
                )
        shape = (len(problems), m, max(problem.n for problem in problems))

        def stacked(name: str, padding: float) -> Array:
            whole = np.full(shape, padding)
            for i, problem in enumerate(problems):
                whole[i, :, : problem.n] = getattr(problem, name).T
            return whole.mT

        weight = np.zeros((shape[0], shape[2]))
        for i, problem in enumerate(problems):
            weight[i, : problem.n] = problem.weight
        fleets = cls(
            endowment=stacked("endowment", 0.0),
            elasticity=stacked("elasticity", ANY_ELASTICITY),
            capacity=np.stack([problem.capacity for problem in problems]),
            weight=weight,
            saturation=float(level),
            resources=problems[0].resources if len({problem.resources for problem in problems}) == 1 else None,
        )
        # Arrays only where they say something: without them there is less to compute.
        if any((problem.saturation != level).any() for problem in problems):
            fleets = replace(fleets, saturation=stacked("saturation", np.inf))
        if any(problem.floor.any() or np.isfinite(problem.ceiling).any() for problem in problems):
            fleets = replace(fleets, floor=stacked("floor", 0.0), ceiling=stacked("ceiling", np.inf))
        return fleets

    @classmethod
    def around(
        cls,
        problem: Problem,
        *,
        capacity: Array | None = None,
        elasticity: Array | None = None,
        lots: Array | None = None,
    ) -> Fleets:
        """One problem many times, at other capacities or with other elasticities; nothing else is copied.

        Parameters
        ----------
        problem : Problem
            What stays the same. Its floors must not exceed any of the capacities.
        capacity : (b, m) array, optional
            What each cloud shares; the problem's own by default.
        elasticity : (b, n, m) array, optional
            Exponents in each fleet; the problem's own by default.
        lots : (n, m) array, optional
            The shares that Random gives in every one of them.

        Examples
        --------
        >>> problem = Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.5, 0.3])
        >>> Fleets.around(problem, capacity=np.array([[0.5], [1.0], [2.0]])).problem(2)
        Problem(2 agents, capacity compute 2)
        """
        given = [value for value in (capacity, elasticity) if value is not None]
        b = len(given[0]) if given else 1
        inside = (b, problem.m, problem.n)

        def repeated(value: Array) -> Array:
            return np.broadcast_to(value.T, inside).mT

        plain = not problem.floor.any() and np.isinf(problem.ceiling).all()
        level = problem.saturation.flat[0]
        fleets = cls(
            endowment=repeated(problem.endowment),
            elasticity=repeated(problem.elasticity) if elasticity is None else elasticity,
            capacity=np.broadcast_to(problem.capacity, (b, problem.m)) if capacity is None else capacity,
            weight=np.broadcast_to(problem.weight, (b, problem.n)),
            saturation=float(level) if (problem.saturation == level).all() else problem.saturation[None],
            lots=None if lots is None else repeated(lots),
            names=problem.agents,
            resources=problem.resources,
        )
        return fleets if plain else replace(fleets, floor=problem.floor[None], ceiling=problem.ceiling[None])

    def __len__(self) -> int:
        return len(self.capacity)

    def __getitem__(self, rows: slice | NDArray[np.intp] | NDArray[np.bool_]) -> Fleets:
        """Some of the fleets, as narrow as the largest of them."""
        weight = self.weight[rows]
        n = int((weight > 0).sum(axis=1).max(initial=1))

        def some(value: Array) -> Array:
            """Of an array in which an axis of length 1 may stand for all."""
            return value[:, :n] if len(value) == 1 else value[rows, :n]

        return Fleets(
            endowment=self.endowment[rows, :n],
            elasticity=self.elasticity[rows, :n],
            capacity=self.capacity[rows],
            weight=weight[:, :n],
            saturation=some(self.saturation) if isinstance(self.saturation, np.ndarray) else self.saturation,
            lots=None if self.lots is None else self.lots[rows, :n],
            floor=some(self.floor),
            ceiling=some(self.ceiling),
            names=self.names,
            resources=self.resources,
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

    @cached_property
    def upper(self) -> Array:
        """(b, n, m) largest useful grants: the ceiling, or what is missing to saturation; never below the floor.

        (1, 1, 1) infinity where there is neither.
        """
        if not isinstance(self.saturation, np.ndarray) and np.isinf(self.saturation):
            return self.ceiling
        return np.maximum(np.minimum(self.ceiling, np.maximum(self.saturation - self.endowment, 0.0)), self.floor)

    def problem(self, i: int) -> Problem:
        """One of them, without its padding."""
        n = int(self.agents[i])

        def own(value: Array | float) -> Array:
            return np.broadcast_to(value, self.endowment.shape)[i, :n]

        return Problem(
            endowment=self.endowment[i, :n],
            capacity=self.capacity[i],
            elasticity=self.elasticity[i, :n],
            weight=self.weight[i, :n],
            floor=own(self.floor),
            ceiling=own(self.ceiling),
            saturation=own(self.saturation),
            agents=None if self.names is None else self.names[:n],
            resources=self.resources,
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

    def total(self, grant: Array) -> Array:
        """(b,) weighted total accuracy under grants (b, n, m)."""
        return np.asarray(np.vecdot(self.weight, self.utility(grant)))

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
