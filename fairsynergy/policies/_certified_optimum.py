"""The best total there is, and the proof: branch and bound on the agents that prices send to two places at once.

    max sum_i w_i prod_k (e_ik + x_ik)^gamma_ik    s.t.   sum_i x_ik <= C_k     (Fair-Synergy, Problem 2)

is not concave once an agent has increasing returns, and the paper's alternate search ends in one of many local optima.
For two resources the Lagrangian dual (`kernel`) bounds every division from above. What lies between that bound and the
best division found is due to the few agents for whom the dual mixes two far-away grants (at most one per resource, by
Shapley and Folkman). The grants of such an agent are split in two at the mixed one, and both halves are bounded again,
until none can hold anything better than what was found, within the tolerance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from numbers import Real
from time import perf_counter
from typing import ClassVar, NamedTuple

import numpy as np

from fairsynergy.errors import ProblemError
from fairsynergy.kernel._dual import Bounding, Fleet, Leaf, Split, Tree, whole
from fairsynergy.kernel._objective import Objective, TotalUtility
from fairsynergy.policies._fair_synergy import FairSynergy, climb
from fairsynergy.policies._policy import Division, Policy
from fairsynergy.problem import Array, Problem

# Of the tolerance: how precisely a box's own bound is found before the box is split.
PRECISION = 0.1
# A box is not split unless its agent's two places are this far apart, as a fraction of the capacity.
APART = 1e-9


class Progress(NamedTuple):
    """How far a certified solve has come: proved bound and best total, their relative gap, boxes seen, seconds."""

    bound: float
    total: float
    gap: float
    boxes: int
    seconds: float


@dataclass(frozen=True)
class CertifiedOptimum(Policy):
    """The greatest total accuracy, within a tolerance that is proved.

    Parameters
    ----------
    tolerance : float
        Stop once at most this fraction of the best total can be missing; > 0 and < 1.
    seconds, boxes : float
        Stop after this time, or this many boxes, and report the gap proved by then.
    progress : callable, optional
        Called with a `Progress` after every box; a true answer stops the search.

    Notes
    -----
    One resource, and any number of them without increasing returns, are concave: there Fair-Synergy is exact, and the
    tangent plane proves it. Two resources are branched on. With three or more and increasing returns this is
    Fair-Synergy, and nothing is proved.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[[0.1, 0.1]] * 3, capacity=[1, 1], elasticity=[[0.9, 0.8], [0.8, 0.9], [0.3, 0.4]])
    >>> best = fs.allocate(fleet, fs.CertifiedOptimum())
    >>> best.gap <= 1e-4, best.total > fs.allocate(fleet, fs.Uniform()).total
    (True, True)
    """

    tolerance: float = 1e-4
    seconds: float = 60.0
    boxes: float = 100_000
    progress: Callable[[Progress], object] | None = field(default=None, compare=False, repr=False)

    name: ClassVar[str] = "Certified optimum"
    sentence: ClassVar[str] = "The greatest total accuracy there is, with a proof that nothing better is left out."
    objective: ClassVar[Objective | None] = TotalUtility()

    def __post_init__(self) -> None:
        for name, allowed, advice in (
            ("tolerance", isinstance(self.tolerance, Real) and 0 < self.tolerance < 1, "1e-4 proves 0.01 %"),
            ("seconds", isinstance(self.seconds, Real) and self.seconds > 0, "infinity sets no limit"),
            ("boxes", isinstance(self.boxes, Real) and self.boxes >= 1, "infinity sets no limit"),
        ):
            if not allowed:
                between = "a number between 0 and 1" if name == "tolerance" else "a number above 0"
                raise ProblemError(f"`{name}` must be {between}, got {getattr(self, name)!r}; {advice}", field=name)

    @property
    def proved_within(self) -> float:
        return self.tolerance

    @property
    def label(self) -> str:
        return self.name if self.tolerance == 1e-4 else f"{self.name} (tolerance {self.tolerance:g})"

    def divide(self, problem: Problem) -> Division:
        start = perf_counter()
        found = FairSynergy().divide(problem)
        if not isinstance(found.proof, Leaf):
            return found
        return _Search(self, problem, found.grant, start).run(found.proof.price)


class _Search:
    """Best first: the box with the highest bound is split next. The splits form a tree, which is the proof."""

    def __init__(self, policy: CertifiedOptimum, problem: Problem, grant: Array, start: float) -> None:
        self.policy, self.problem, self.start = policy, problem, start
        self.grant, self.total = grant, float(problem.weight @ problem.utility(grant))
        # By number: each box's search and, once it is split, the two halves.
        self.boxes: list[Bounding] = []
        self.halves: dict[int, _Halves] = {}
        self.open: list[tuple[float, int]] = []  # (-bound, number), a heap
        self.closed = 0.0  # highest bound of a box too small to split
        self.waiting = 0.0  # bound of the box whose upper half is yet to be bounded

    @property
    def enough(self) -> float:
        """No box with a bound up to this needs a closer look."""
        return self.total / (1 - self.policy.tolerance)

    def run(self, price: Array) -> Division:
        """From the box of every division, whose bound is lowest at about this price."""
        going = self._add(Bounding(Fleet(self.problem), whole(self.problem), price))
        while going and self.open and -self.open[0][0] > self.enough:
            bound, number = heappop(self.open)
            halves = self._split(number)
            if halves is None:
                self.closed = max(self.closed, -bound)
                continue
            below, above = halves
            self.waiting = -bound
            going = self._add(below)
            self.waiting = 0.0
            going = self._add(above) and going
        return Division(self.grant, len(self.boxes), self._tree())

    def _add(self, box: Bounding) -> bool:
        """Bound a box and climb from what its bound mixes; whether to go on."""
        box.search(enough=self.enough, precision=PRECISION * self.policy.tolerance)
        heappush(self.open, (-box.bound, len(self.boxes)))
        self.boxes.append(box)
        if box.bound > self.enough:
            mix = box.mix()
            found = climb(self.problem, np.concatenate([mix.mean[None], mix.grant])).grant
            total = float(self.problem.weight @ self.problem.utility(found))
            if total > self.total:
                self.grant, self.total = found, total
        seconds = perf_counter() - self.start
        bound = max(-self.open[0][0], self.closed, self.waiting, self.total)
        now = Progress(bound, self.total, 1 - self.total / bound, len(self.boxes), seconds)
        stop = self.policy.progress is not None and self.policy.progress(now)
        return not stop and seconds < self.policy.seconds and len(self.boxes) < self.policy.boxes

    def _split(self, number: int) -> tuple[Bounding, Bounding] | None:
        """Both halves of a box, cut through the grant of the agent that its mix gains most from mixing."""
        box = self.boxes[number]
        mix = box.mix()
        mixed = self.problem.weight * self.problem.utility(mix.mean)
        agent = int(np.argmax(mix.share @ mix.worth - mixed))
        apart = np.ptp(mix.grant[:, agent], axis=0) / np.where(self.problem.capacity > 0, self.problem.capacity, 1.0)
        resource = int(np.argmax(apart))
        if apart[resource] < APART:
            return None
        at = float(mix.mean[agent, resource])
        self.halves[number] = _Halves(agent, resource, at, len(self.boxes))
        below, above = (box.within(half, agent) for half in box.box.split(agent, resource, at))
        return below, above

    def _tree(self) -> Tree:
        """The proof: how boxes were split, and the prices that bound those that were not."""
        trees: dict[int, Tree] = {}
        for number in reversed(range(len(self.boxes))):  # halves have higher numbers
            cut = self.halves.get(number)
            if cut is None:
                trees[number] = Leaf(self.boxes[number].price)
            else:
                trees[number] = Split(cut.agent, cut.resource, cut.at, trees[cut.first], trees[cut.first + 1])
        return trees[0]


class _Halves(NamedTuple):
    """Where a box was split, and the number of the lower half; the upper half has the next."""

    agent: int
    resource: int
    at: float
    first: int
