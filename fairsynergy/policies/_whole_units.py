"""Grants in whole units: a GPU is not cut in half.

Two ways from a continuous rule to whole numbers k_i of units of size u:

- lottery: k_i is the rule's amount x_i / u rounded down or up by lot, and on average exactly x_i / u. One number
  v ~ U(0, 1) per resource decides for everyone, k_i = floor(X_i + v) - floor(X_{i-1} + v) with X_i = (x_1 + ... +
  x_i) / u, so that the total is exact too (systematic sampling, Madow 1949). Any rule, any number of resources.
- greedy: one unit after the other to whoever gains most from it. With one resource that is the greatest total accuracy
  in whole units, because each agent's gains w_i [(e_i + (k + 1) u)^g_i - (e_i + k u)^g_i] fall with k (Gross 1956). At
  the price of the continuous optimum each agent takes its continuous amount rounded down or up; only the few units by
  which these miss the total are then moved one by one.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from fairsynergy.errors import ProblemError, typed
from fairsynergy.kernel import waterfill
from fairsynergy.kernel._objective import TotalUtility
from fairsynergy.policies._policy import Division, Policy
from fairsynergy.problem import Array, Problem

Method = Literal["lottery", "greedy"]

# An amount this close to a whole number of units is that number after some arithmetic, a limit this close (relatively)
# is that number written in binary.
WHOLE, ROUNDING = 1e-9, 1e-12
EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class WholeUnits(Policy):
    """Divide as `policy` does, in whole units; what is left of a capacity beside whole units stays unspent.

    Floors and ceilings keep their meaning: a floor of 1.5 units takes 2. Saturation may waste part of a unit.

    Parameters
    ----------
    policy : Policy
        The rule to follow. For ``"greedy"`` one that maximises the total accuracy, such as Fair-Synergy.
    unit : float or sequence of float
        Size of one unit [units of the resource]; > 0, and at most the capacity. One for all resources, or one each.
    method : {"lottery", "greedy"}
        ``"lottery"``: round the rule's amounts up or down by lot, on average to exactly what they were.
        ``"greedy"``: the greatest total accuracy, for one resource; ties go to whoever is listed first.
    seed : int, numpy.random.Generator or numpy.random.RandomState
        Of the lottery. An integer gives the same grants at every call; a generator is consumed.

    Raises
    ------
    ProblemError
        If a unit is not a positive number or is larger than a capacity, if no whole number of units lies between
        a floor and its ceiling, or if the method does not apply.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0, 0, 0], capacity=8, elasticity=[0.5, 0.6, 0.5])
    >>> fs.allocate(fleet, fs.Uniform()).grant.ravel().round(3)
    array([2.667, 2.667, 2.667])
    >>> fs.allocate(fleet, fs.WholeUnits(fs.Uniform(), seed=1)).grant.ravel()
    array([3., 2., 3.])
    >>> fs.allocate(fleet, fs.WholeUnits(fs.FairSynergy(), method="greedy")).grant.ravel()
    array([2., 4., 2.])
    """

    policy: Policy
    unit: float | Sequence[float] = 1.0
    method: Method = field(default="lottery", kw_only=True)
    seed: int | np.random.Generator | np.random.RandomState = field(default=0, kw_only=True)

    name: ClassVar[str] = "Whole units"
    sentence: ClassVar[str] = "Grants come in whole units; what another rule gives in fractions is rounded fairly."

    def __post_init__(self) -> None:
        if not isinstance(self.policy, Policy):
            raise ProblemError(f"`policy` must be a rule such as Uniform(), got {self.policy!r}", field="policy")
        if self.method not in get_args(Method):
            raise ProblemError(f"`method` must be 'lottery' or 'greedy', got {self.method!r}", field="method")
        if self.method == "greedy" and not isinstance(self.policy.objective, TotalUtility):
            raise ProblemError(
                f"`method='greedy'` maximises the total accuracy, which {self.policy.label} does not; "
                "use it with FairSynergy(), or choose method='lottery'",
                field="method",
            )
        sizes = np.asarray(self.unit)
        numbers = sizes.dtype.kind in "iuf" and sizes.ndim <= 1 and sizes.size > 0
        if not (numbers and (np.isfinite(sizes) & (sizes > 0)).all()):
            raise ProblemError(
                f"`unit` must be a number > 0, or one per resource, got {self.unit!r}; "
                "give the size of the smallest grant, in units of the resource",
                field="unit",
            )
        object.__setattr__(self, "unit", tuple(sizes.tolist()) if sizes.ndim else float(sizes))  # hashable

    @property
    def label(self) -> str:
        sizes = " and ".join(f"{size:g}" for size in np.atleast_1d(self.unit))
        return f"{self.policy.label}, whole units of {sizes} ({self.method})"

    def divide(self, problem: Problem) -> Division:
        unit = self._units(problem)
        whole = _in_whole_units(problem, unit)
        if self.method == "greedy":
            return _greedy(whole, float(unit[0]))
        generators = np.random.Generator | np.random.RandomState
        rng = self.seed if isinstance(self.seed, generators) else np.random.default_rng(self.seed)
        division = self.policy.divide(whole)
        counts = [systematic(amount, float(rng.random())) for amount in (division.grant / unit).T]
        return Division(np.stack(counts, axis=1) * unit, division.iterations)

    def reasons(self, problem: Problem, grant: Array) -> Sequence[str]:
        if self.method == "greedy":
            return ["unit after unit goes to whoever gains most from it"] * problem.n
        return [f"what {self.policy.label} gives in fractions is rounded up or down by lot"] * problem.n

    def steps(self, problem: Problem) -> Array:
        return self._units(problem)

    def in_units(self, factor: Array) -> WholeUnits:
        units = tuple((np.asarray(self.unit) * factor).tolist())
        return WholeUnits(self.policy.in_units(factor), units, method=self.method, seed=self.seed)

    def sizes(self, problem: Problem) -> Array:
        """(m,) size of one unit of each resource of a problem, whatever its capacities.

        Raises
        ------
        ProblemError
            If there are not as many sizes as resources, or the method does not apply.
        """
        sizes = np.asarray(self.unit)
        if sizes.ndim == 1 and sizes.size != problem.m:
            raise ProblemError(
                f"`unit` has {sizes.size} sizes, but the problem has {problem.m} resources "
                f"({', '.join(problem.resources)}); give one size each, or one for all",
                field="unit",
            )
        if self.method == "greedy" and problem.m > 1:
            raise ProblemError(
                f"`method='greedy'` is exact for one resource only, got {problem.m} ({', '.join(problem.resources)}); "
                "choose method='lottery'",
                field="method",
            )
        return np.broadcast_to(np.asarray(sizes, dtype=np.float64), (problem.m,))

    def _units(self, problem: Problem) -> Array:
        """(m,) sizes, checked against the capacities."""
        unit = self.sizes(problem)
        for k in np.flatnonzero((problem.capacity > 0) & (_down(problem.capacity / unit) < 1)):
            raise ProblemError(
                f"`unit` of {problem.resources[k]} must be at most the capacity {typed(problem.capacity[k])}, "
                f"got {typed(unit[k])}: not one unit fits; choose a smaller unit or raise the capacity",
                field="unit",
                index=(int(k),),
            )
        return unit


def systematic(amount: Array, offset: float) -> Array:
    """Round amounts to whole numbers that add up, by one draw for all (systematic sampling).

    Parameters
    ----------
    amount : (n,) array
        Non-negative numbers of units.
    offset : float
        The draw, 0 <= offset < 1. Over uniform offsets each result is on average its amount.

    Returns
    -------
    (n,) array
        Each amount rounded down or up; the total is that of the amounts, rounded down or up if it is not whole.

    Examples
    --------
    >>> systematic(np.array([0.5, 1.5, 1.0]), 0.3), systematic(np.array([0.5, 1.5, 1.0]), 0.7)
    (array([0., 2., 1.]), array([1., 1., 1.]))
    """
    amount = _snapped(amount, WHOLE + 2 * EPSILON * amount)
    base = np.floor(amount)
    ends = _snapped(np.cumsum(amount - base), WHOLE + 2 * EPSILON * amount.sum())
    # Not floor(ends + offset): the sum of a whole number and the largest offset rounds up.
    steps = np.floor(ends) + (ends % 1 + offset >= 1)
    return np.asarray(base + np.diff(steps, prepend=0.0))


def _snapped(amount: Array, within: Array | float) -> Array:
    nearest = np.rint(amount)
    return np.where(np.abs(amount - nearest) <= within, nearest, amount)


def _down(amount: Array) -> Array:
    return np.floor(amount * (1 + ROUNDING))


def _up(amount: Array) -> Array:
    return np.ceil(amount * (1 - ROUNDING))


def _in_whole_units(problem: Problem, unit: Array) -> Problem:
    """The problem with every limit moved to the nearest whole number of units inside it."""
    limited = limits_in_units(problem, unit)
    floor, capacity = np.rint(limited.floor / unit), _down(problem.capacity / unit)
    for k in np.flatnonzero(floor.sum(axis=0) > capacity).tolist():
        raise ProblemError(
            f"`unit` {typed(unit[k])} turns the floors of {problem.resources[k]} into {typed(floor[:, k].sum())} "
            f"units, but the capacity holds {typed(capacity[k])}; choose a smaller unit, lower the floors or raise "
            "the capacity",
            field="unit",
            index=(k,),
        )
    return replace(limited, capacity=capacity * unit)


def in_whole(amount: Array, unit: Array) -> Array:
    """The amounts (..., m) in whole units (m,), rounded down but for rounding errors."""
    return np.asarray(_down(amount / unit) * unit)


def limits_in_units(problem: Problem, unit: Array) -> Problem:
    """The problem with every floor and ceiling moved to the nearest whole number of units (m,) inside it.

    Its capacity, which is not looked at, is at least what these floors need.

    Raises
    ------
    ProblemError
        If no whole number of units lies between a floor and its ceiling.
    """
    floor, ceiling = _up(problem.floor / unit), _down(problem.ceiling / unit)
    if (floor > ceiling).any():
        i, k = (int(index) for index in np.argwhere(floor > ceiling)[0])
        raise ProblemError(
            f"`unit` {typed(unit[k])} has no whole multiple between the floor {typed(problem.floor[i, k])} and the "
            f"ceiling {typed(problem.ceiling[i, k])} of {problem.agents[i]}, {problem.resources[k]}; choose a smaller "
            "unit or move the limits apart",
            field="unit",
            index=(k,),
        )
    return replace(
        problem,
        floor=floor * unit,
        ceiling=ceiling * unit,
        capacity=np.maximum(problem.capacity, (floor * unit).sum(axis=0)),
    )


def _greedy(problem: Problem, unit: float) -> Division:
    """The greatest total accuracy in whole units of the one resource; limits are whole already."""
    own, gamma, saturation = problem.endowment[:, 0], problem.elasticity[:, 0], problem.saturation[:, 0]
    least, ceiling = np.rint(problem.floor[:, 0] / unit), np.rint(problem.ceiling[:, 0] / unit)
    most = np.maximum(np.minimum(ceiling, _up(np.maximum(saturation - own, 0.0) / unit)), least)
    everyone = np.arange(problem.n)

    def gain(count: Array, who: NDArray[np.intp]) -> Array:
        """Accuracy, times weight, that one unit adds to `count` of them."""
        held = own[who] + count * unit
        top = np.maximum(np.minimum(held + unit, saturation[who]), held)
        with np.errstate(divide="ignore", over="ignore"):
            growth = np.log1p((top - held) / held)
        return np.asarray(-problem.weight[who] * top ** gamma[who] * np.expm1(-gamma[who] * growth))

    filled = waterfill(
        problem.weight * gamma, 1 - gamma, own, problem.capacity[0], problem.floor[:, 0], problem.upper[:, 0]
    )
    count = np.clip(np.floor(filled.grant / unit), least, most)
    count += (count < most) & (gain(count, everyone) >= filled.price * unit)
    spare = int(np.rint(problem.capacity[0] / unit) - count.sum())
    step = 1 if spare > 0 else -1
    limit = most if spare > 0 else least

    def offers(who: NDArray[np.intp]) -> list[tuple[float, int]]:
        """To be served from the lowest: the next unit of highest gain is given, the last one of lowest gain taken."""
        worth = gain(count[who] - (step < 0), who)
        return list(zip((-step * worth).tolist(), (step * who).tolist(), strict=True))

    heap = offers(np.flatnonzero(count != limit)) if spare else []
    heapq.heapify(heap)
    moves = 0
    while moves != spare * step and heap:  # an empty heap: nobody has any use for what is left
        i = abs(heap[0][1])
        count[i] += step
        moves += 1
        if count[i] == limit[i]:
            heapq.heappop(heap)
        else:
            heapq.heapreplace(heap, *offers(everyone[i : i + 1]))
    return Division((count * unit)[:, None], moves)
