"""How a division answers when the question changes a little: more capacity, or the same capacity in another unit.

The elasticity of the mean in a capacity, d log mean / d log C_k, is read off the price where the rule maximises the
total, price_k C_k / total (envelope theorem: at a local optimum it is that optimum's), and is otherwise measured by
dividing anew with a little less and a little more. The two guarantees are checked on this fleet, by dividing anew; that
they hold here does not prove that they always do.

>>> import fairsynergy as fs
>>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.5, 0.3])
>>> [(e.resource, round(e.value, 3)) for e in elasticities(fs.allocate(fleet, fs.FairSynergy()))]
[('compute', 0.224)]
>>> unit_free(fleet, fs.FairSynergy()).holds, unit_free(fleet, fs.NUM()).holds
(False, True)
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from fairsynergy.allocation import Allocation, Status
from fairsynergy.analysis.fairness._indices import TIE
from fairsynergy.errors import FairSynergyError
from fairsynergy.kernel._objective import TotalUtility
from fairsynergy.policies import Policy
from fairsynergy.problem import Array, Problem

# Relative change of a capacity: far above the error of any solve, far below what bends a mean.
STEP = 1e-4
# Elasticities upward and downward further apart than this are a bend or a jump, not a derivative.
BEND = 0.01
# The unit that a resource is counted in instead, and the growth under which nobody should lose.
HUNDREDTHS, GROWTH = 100.0, 1.01

BY_LOT = "the rule draws by lot from a generator, and would draw differently the next time"


class Elasticity(NamedTuple):
    """Percent that the mean accuracy gains from one percent more of a resource; None where `source` says why."""

    resource: str
    value: float | None
    source: str


class Check(NamedTuple):
    """Whether a guarantee holds on this fleet (None: it cannot be asked, for the `reason` given), and the worst case.

    `amount` is the fraction by which it fails at worst, on that resource and for that agent.
    """

    holds: bool | None
    amount: float
    resource: str | None
    agent: str | None
    reason: str


def elasticities(allocation: Allocation) -> tuple[Elasticity, ...]:
    """Of the mean accuracy in each capacity, under the rule at hand.

    Parameters
    ----------
    allocation : Allocation
        Up to two more divisions per resource are made, none where the price tells.
    """
    return tuple(_elasticity(allocation, k) for k in range(allocation.problem.m))


def _elasticity(allocation: Allocation, k: int) -> Elasticity:
    problem, policy = allocation.problem, allocation.policy
    following, last = allocation.next_price, allocation.last_price
    name = problem.resources[k]
    if allocation.status is Status.FAILED:
        return Elasticity(name, None, "the division breaks a limit")
    if problem.capacity[k] == 0:
        return Elasticity(name, None, "there is nothing of it to share, so no percentage of it")
    if allocation.mean == 0:
        return Elasticity(name, None, "the mean accuracy is zero, so no percentage of it")
    # The price is that of the total; it is that of the mean, too, if all weights are equal.
    levelled = isinstance(policy.objective, TotalUtility) and allocation.certificate.stationary
    if following is not None and last is not None and levelled and not problem.weighted:
        up, down = (float(price[k] * problem.capacity[k] / allocation.total) for price in (following, last))
        if np.isinf(down):
            return Elasticity(name, up, "from the price of a further unit, since the floors take all there is")
        if down - up > BEND:
            return Elasticity(name, None, _bends(up, down))
        return Elasticity(name, 0.5 * (up + down), "from the price")
    return _measured(allocation, k)


def _measured(allocation: Allocation, k: int) -> Elasticity:
    problem, name = allocation.problem, allocation.problem.resources[k]
    if by_lot(allocation.policy):
        return Elasticity(name, None, BY_LOT)
    slopes, still = [], True
    for factor in (1 + STEP, 1 - STEP):
        capacity = problem.capacity.copy()
        capacity[k] *= factor
        if capacity[k] < problem.floor[:, k].sum():
            continue
        try:
            grant = allocation.policy.divide(replace(problem, capacity=capacity)).grant
        except FairSynergyError as error:
            return Elasticity(name, None, f"the rule does not divide a capacity a little different: {error}")
        still &= bool(np.array_equal(grant, allocation.grant))
        slopes.append(float(np.log(problem.utility(grant).mean() / allocation.mean) / np.log(factor)))
    if still and (allocation.grant[:, k] < problem.upper[:, k]).any():
        return Elasticity(name, None, "the grants move in steps, not with small changes of the capacity")
    if max(slopes) - min(slopes) > BEND:
        up, down = slopes
        return Elasticity(name, None, _bends(up, down))
    if len(slopes) == 1:
        return Elasticity(name, slopes[0], "measured with 0.01 % more, since the floors take all there is")
    return Elasticity(name, 0.5 * sum(slopes), "measured with 0.01 % more and less")


def _bends(up: float, down: float) -> str:
    return f"the mean bends or jumps here: {up:.3g} upward, {down:.3g} downward"


def unit_free(problem: Problem, policy: Policy, *, before: Array | None = None) -> Check:
    """Whether the same amounts are granted when a resource is counted in hundredths, the rule's own amounts with it.

    Parameters
    ----------
    problem : Problem
        Divided once more for each resource, in the other unit.
    policy : Policy
        The rule. `amount` is the largest fraction of a capacity that changes hands.
    before : (n, m) array, optional
        The rule's grants for this problem, if they are known.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.1], capacity=0.4, elasticity=[0.9, 0.3])
    >>> round(unit_free(fleet, fs.FairSynergy()).amount, 3)
    0.209
    """
    if by_lot(policy):
        return Check(None, 0.0, None, None, BY_LOT)
    try:
        return _moved_by_units(problem, policy, policy.divide(problem).grant if before is None else before)
    except FairSynergyError as error:
        return Check(None, 0.0, None, None, str(error))


def _moved_by_units(problem: Problem, policy: Policy, before: Array) -> Check:
    worst = Check(True, 0.0, None, None, "")
    scale = np.where(problem.capacity > 0, problem.capacity, 1.0)
    for k in range(problem.m):
        unit = np.where(np.arange(problem.m) == k, HUNDREDTHS, 1.0)
        amounts = ("endowment", "capacity", "floor", "ceiling", "saturation")
        other = replace(problem, **{amount: getattr(problem, amount) * unit for amount in amounts})
        change = policy.in_units(unit).divide(other).grant / unit - before
        moved = float(np.max(np.abs(change).sum(axis=0) / scale) / 2)
        if moved > worst.amount:
            worst = Check(moved <= TIE, moved, problem.resources[k], None, "")
    return worst


def monotone(problem: Problem, policy: Policy, *, before: Array | None = None) -> Check:
    """Whether nobody loses when there is one percent more of a resource to share (resource monotonicity).

    Under a rule that divides in whole units one unit more: less would change nothing.

    Parameters
    ----------
    problem : Problem
        Divided once more for each resource, with more of it.
    policy : Policy
        The rule. `amount` is the largest fraction of its accuracy that an agent loses.
    before : (n, m) array, optional
        The rule's grants for this problem, if they are known.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[[0, 0]] * 2, capacity=[1, 1], elasticity=[[0.6, 0.3], [0.2, 0.3]])
    >>> check = monotone(fleet, fs.FairSynergy())
    >>> check.holds, check.resource, check.agent
    (False, 'compute', 'agent 2')
    """
    if by_lot(policy):
        return Check(None, 0.0, None, None, BY_LOT)
    if not problem.capacity.any():
        return Check(None, 0.0, None, None, "there is nothing to share, so no percentage of it")
    try:
        return _hurt_by_more(problem, policy, policy.divide(problem).grant if before is None else before)
    except FairSynergyError as error:
        return Check(None, 0.0, None, None, str(error))


def _hurt_by_more(problem: Problem, policy: Policy, before: Array) -> Check:
    had = problem.log_utility(before)
    served = np.isfinite(had)
    step = policy.steps(problem)
    worst = Check(True, 0.0, None, None, "")
    for k in np.flatnonzero(problem.capacity):
        capacity = problem.capacity.copy()
        capacity[k] = capacity[k] + step[k] if step[k] else capacity[k] * GROWTH
        has = problem.log_utility(policy.divide(replace(problem, capacity=capacity)).grant)
        change = np.where(served, has, 0.0) - np.where(served, had, 0.0)
        agent = int(np.argmin(change))
        loss = -float(np.expm1(change[agent]))
        if loss > worst.amount:
            worst = Check(loss <= TIE, loss, problem.resources[k], problem.agents[agent], "")
    return worst


def by_lot(policy: Policy) -> bool:
    """Whether asking again would draw again, and change the draws of whoever owns the generator."""
    return isinstance(getattr(policy, "seed", None), np.random.Generator | np.random.RandomState)
