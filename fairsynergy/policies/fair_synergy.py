"""Fair-Synergy: maximise the fleet's total accuracy (Problems 1 and 2 of the paper, any number of resources).

    max sum_i w_i prod_k (e_ik + x_ik)^gamma_ik    s.t.   sum_i x_ik <= C_k.

One resource is convex and is the kernel with c = w gamma, p = 1 - gamma (Eq. 4). More resources are solved by
alternate convex search: with all resources but k fixed, resource k is the kernel with
c_i = w_i gamma_ik prod_{l != k} h_il^gamma_il (Eq. 8). The total is jointly concave, and the search reaches the global
optimum, iff no agent has increasing returns (sum_k gamma_ik <= 1). Otherwise it is only biconcave and has several local
optima, whatever the paper's appendix says; so the search runs from several starts, in every block order, and the best
end is kept. All runs are one batch of the kernel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fairsynergy.errors import ProblemError
from fairsynergy.objective import Objective, TotalUtility
from fairsynergy.policies.policy import Division, Policy
from fairsynergy.problem import Array, Problem
from fairsynergy.waterfill import waterfill

# Runs are compared once a pass improves each total by less than this, relatively.
COMPARABLE = 1e-9
# The best run goes on until no holding changes by more than this, relatively, in one pass.
SETTLED = 1e-10
MAX_PASSES = 2000
LOG_HUGE = 700.0
TINY = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True)
class FairSynergy(Policy):
    """Give the next unit to whoever turns it into most accuracy.

    Parameters
    ----------
    passes : int, optional
        How many times to go through the resources from the endowments, in their order; 1 is the released code.
        Default: until convergence, from several starts.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3])
    >>> allocation = fs.allocate(fleet, fs.FairSynergy())
    >>> allocation.grant.ravel().round(3), allocation.status.name
    (array([0.5, 0. ]), 'OPTIMAL')
    """

    passes: int | None = None

    name: ClassVar[str] = "Fair-Synergy"
    sentence: ClassVar[str] = "The next unit goes to whoever turns it into the most accuracy."
    objective: ClassVar[Objective | None] = TotalUtility()

    def __post_init__(self) -> None:
        if self.passes is not None and (not isinstance(self.passes, int) or self.passes < 1):
            raise ProblemError(
                f"`passes` must be a whole number >= 1, or None to converge; got {self.passes!r}", field="passes"
            )

    @property
    def label(self) -> str:
        if self.passes is None:
            return self.name
        return f"{self.name} ({self.passes} pass{'es' if self.passes > 1 else ''})"

    def divide(self, problem: Problem) -> Division:
        order = np.arange(problem.m)
        alone = problem.floor[None]
        if problem.m == 1:
            return Division(_pass(problem, alone, order[None])[0], 1)
        if self.passes is not None:
            for _ in range(self.passes):
                alone = _pass(problem, alone, order[None])
            return Division(alone[0], self.passes)
        return _search(problem)


def _pass(problem: Problem, grant: Array, orders: NDArray[np.intp]) -> Array:
    """Divide every resource anew, one after the other: grants (b, n, m), block orders (b, m) -> grants (b, n, m)."""
    runs = np.arange(len(grant))
    grant = grant.copy()
    log_scale = (np.log(problem.weight)[:, None] + np.log(problem.elasticity)).T
    for k in orders.T:
        with np.errstate(divide="ignore"):
            part = problem.elasticity * np.log(np.minimum(problem.holding(grant), problem.saturation))
        part[runs, :, k] = 0.0
        filled = waterfill(
            np.exp(log_scale[k] + part.sum(axis=2)),
            1 - problem.elasticity.T[k],
            problem.endowment.T[k],
            problem.capacity[k],
            problem.floor.T[k],
            problem.upper.T[k],
        )
        grant[runs, :, k] = filled.grant
    return grant


def _search(problem: Problem) -> Division:
    """Alternate convex search from every start and in every order; the best run is then settled."""
    m = problem.m
    starts = _starts(problem)
    orders = np.tile((np.arange(m) + np.arange(m)[:, None]) % m, (len(starts), 1))  # each resource comes first once
    grant = np.repeat(starts, m, axis=0)
    total = np.zeros(len(grant))
    for passes in range(1, MAX_PASSES + 1):
        grant = _pass(problem, grant, orders)
        before, total = total, problem.utility(grant) @ problem.weight
        if np.all(total - before <= COMPARABLE * total):
            break
    settled = _settle(problem, grant[[int(np.argmax(total))]])
    return Division(settled.grant, passes + settled.iterations)


def _settle(problem: Problem, grant: Array) -> Division:
    """Go on from grants (1, n, m) until no holding moves, not even of agents too small to show in the total.

    Near the end each log holding converges geometrically, at its own rate; a slow one is moved to its limit
    (Aitken), and moved back should the total suffer.
    """
    order = np.arange(problem.m)[None]

    def log_holding() -> Array:
        return np.asarray(np.log(np.maximum(problem.holding(grant), TINY)))

    trail = [log_holding()]
    for passes in range(1, MAX_PASSES + 1):
        grant = _pass(problem, grant, order)
        trail.append(log_holding())
        if np.max(np.abs(trail[-1] - trail[-2])) <= SETTLED:
            break
        if len(trail) < 4:
            continue
        first, second = trail[-2] - trail[-3], trail[-1] - trail[-2]
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = second / first
        slow = (np.abs(second) > SETTLED) & (rate > 0) & (rate < 1)
        limit = trail[-1] + np.where(slow, second * rate / np.where(slow, 1 - rate, 1.0), 0.0)
        leap = np.clip(np.exp(np.minimum(limit, LOG_HUGE)) - problem.endowment, problem.floor, problem.upper)
        leapt = _pass(problem, np.where(slow, leap, grant), order)
        if problem.utility(leapt[0]) @ problem.weight >= problem.utility(grant[0]) @ problem.weight:
            grant = leapt
        trail = [log_holding()]
    return Division(grant[0], passes)


def _starts(problem: Problem) -> Array:
    """(s, n, m) grants to search from: nothing, equal shares, and the Nash point (kernel with c = w gamma, p = 1).

    The last two are positive: from nothing, an agent that lacks one resource is never offered the other.
    """
    bounds = (problem.floor.T, problem.upper.T)
    equal = waterfill(problem.weight, 1.0, 0.0, problem.capacity, *bounds)
    value = (problem.weight[:, None] * problem.elasticity).T
    nash = waterfill(value, 1.0, problem.endowment.T, problem.capacity, *bounds)
    return np.stack([problem.floor, equal.grant.T, nash.grant.T])
