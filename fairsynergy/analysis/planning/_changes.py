"""What changing costs and adds: bounds that bind, the first exchange worth making, new capacity, moving on from before.

Every answer is read off the marginals w_i dU_i/dx_ik and the price mu_k where they tell it (Fair-Synergy, Eq. 4 and 8),
and found by dividing anew where they do not. A floor that binds costs mu_k - w_i dU_i/dx_ik per unit, since another
agent would turn that unit into mu_k; a ceiling costs the same with the other sign: their shadow prices.

>>> import fairsynergy as fs
>>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3], floor=[0.0, 0.2])
>>> allocation = fs.allocate(fleet, fs.FairSynergy())
>>> [(bound.agent, bound.kind.value, round(bound.price, 2)) for bound in binding(allocation)]
[('agent 2', 'floor', 0.5)]
>>> print(first_improvement(allocation))
None
>>> exchange = first_improvement(fs.allocate(fleet, fs.Given([0.0, 0.5])))
>>> exchange.giver, exchange.taker, round(exchange.amount, 2)
('agent 2', 'agent 1', 0.3)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairsynergy.allocation import Allocation, Status, allocate
from fairsynergy.analysis._margins import Margins, margins
from fairsynergy.analysis.fairness._what_if import by_lot
from fairsynergy.errors import FairSynergyError, ProblemError, typed
from fairsynergy.kernel import waterfill
from fairsynergy.kernel._objective import SumObjective, TotalUtility, last_unit, next_unit
from fairsynergy.policies import FairSynergy, Given, Policy, Replan, WholeUnits
from fairsynergy.policies._policy import OPTIMAL_WITHIN
from fairsynergy.problem import Array, Problem, read_only

# Amounts closer than this fraction of the capacity, or of a bound, are the same but for rounding.
ROUNDING = 1e-9
# The next bit of a resource, as a part of its capacity: small enough that prices hardly move, and an amount that a
# reader can picture.
NEXT = 0.01


# New capacity beside what has been given out.


@dataclass(frozen=True, eq=False)
class Placement:
    """Where new capacity goes while every earlier grant stays. Made by `place`.

    Parameters
    ----------
    problem : Problem
        The fleet as it was before any grants.
    past : (n, m) array
        What had been granted [units of each resource].
    allocation : Allocation
        Of the new capacity alone, among agents that own what they had been granted.
    """

    problem: Problem
    past: Array
    allocation: Allocation

    @property
    def added(self) -> Array:
        """(n, m) what each agent receives of the new capacity."""
        return self.allocation.grant

    @property
    def grant(self) -> Array:
        """(n, m) past and new grants together."""
        return np.asarray(self.past + self.added)

    @property
    def before(self) -> Array:
        """(n,) accuracies with the past grants."""
        return self.problem.utility(self.past)

    @property
    def after(self) -> Array:
        """(n,) accuracies with the new ones, too."""
        return self.allocation.utility

    @property
    def gain(self) -> float:
        """What the new capacity adds to the mean accuracy."""
        return float(self.after.mean() - self.before.mean())


class Receiver(NamedTuple):
    """An agent and what it receives [units of the resource]."""

    agent: str
    amount: float


class NextShare(NamedTuple):
    """Who gets the next bit of a resource, most first; the mean accuracy now, and what it and the weighted total gain.

    `price` is what the last unit given out adds to the total [accuracy per unit], where the rule maximises that.
    """

    resource: str
    size: float
    receivers: tuple[Receiver, ...]
    mean: float
    gain: float
    total: float
    price: float | None


def increment(problem: Problem, past: ArrayLike, extra: ArrayLike) -> Problem:
    """The question that remains when earlier grants stay and only new capacity is to be divided.

    Past grants become holdings; floors and ceilings are on all that an agent is ever granted, so what is left of them
    counts.

    Parameters
    ----------
    problem : Problem
        The fleet; its capacity plays no part.
    past : (n, m) or (n,) array_like
        What has been granted [units of each resource].
    extra : (m,) array_like or float
        New capacity [same units].

    Raises
    ------
    ProblemError
        If past grants are no amounts, or the new capacity cannot pay what is left of the floors.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3], floor=[0.0, 0.2])
    >>> rest = increment(fleet, [0.4, 0.1], 0.3)
    >>> rest.endowment.ravel(), rest.floor.ravel(), rest.capacity
    (array([0.5, 0.4]), array([0. , 0.1]), array([0.3]))
    >>> increment(fleet, [0, 0], fleet.capacity) == fleet
    True
    """
    had = problem.amounts("past", past)
    # A floor met but for rounding asks for nothing more.
    owed = np.where(had >= problem.floor * (1 - ROUNDING), 0.0, problem.floor - had)
    return replace(
        problem,
        endowment=problem.endowment + had,
        capacity=np.asarray(extra),
        floor=owed,
        ceiling=np.maximum(problem.ceiling - had, owed),
    )


def place(problem: Problem, policy: Policy, past: ArrayLike, extra: ArrayLike) -> Placement:
    """Divide new capacity by a rule, and leave past grants where they are.

    Parameters
    ----------
    problem : Problem
        The fleet; its capacity plays no part.
    policy : Policy
        The rule; not a split by hand, which says nothing about new capacity.
    past : (n, m) or (n,) array_like
        What has been granted [units of each resource].
    extra : (m,) array_like or float
        New capacity [same units].

    Raises
    ------
    ProblemError
        If past grants are no amounts, the new capacity cannot pay what is left of the floors, or the rule does not
        handle that.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3])
    >>> placed = place(fleet, fs.FairSynergy(), [0.25, 0.25], 0.1)
    >>> placed.added.ravel(), round(placed.gain, 3)
    (array([0.1, 0. ]), 0.049)
    """
    if isinstance(policy, Given | Replan):
        raise ProblemError(
            f"`policy` must be a rule that divides anew, got {policy.label}, which starts from grants of its own; "
            "choose a rule such as Fair-Synergy to place new capacity",
            field="policy",
        )
    rest = increment(problem, past, extra)
    return Placement(problem, problem.amounts("past", past), allocate(rest, policy))


def next_share(
    allocation: Allocation, *, policy: Policy | None = None, size: ArrayLike | None = None
) -> tuple[NextShare, ...]:
    """Who gets the next bit of each resource, and what that adds, while all grants stay.

    Parameters
    ----------
    allocation : Allocation
        The grants so far.
    policy : Policy, optional
        The rule that places it; default the allocation's.
    size : (m,) array_like or float, optional
        How much more [units of each resource], > 0; default 1 % of each capacity, and nothing of a resource without
        any: then prices hardly move, and it is an amount that one can picture. In whole units at least one of these.

    Raises
    ------
    ProblemError
        If the allocation is a split by hand and no rule is given, a size is not positive, or smaller than one unit of
        a rule that gives whole ones.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3])
    >>> for share in next_share(fs.allocate(fleet, fs.Uniform()), policy=fs.FairSynergy()):
    ...     print(share.resource, share.size, share.receivers, round(share.gain, 5))
    compute 0.005 (Receiver(agent='agent 1', amount=0.005),) 0.0025
    """
    problem = allocation.problem
    rule = policy or allocation.policy
    unit = rule.sizes(problem) if isinstance(rule, WholeUnits) else np.zeros(problem.m)
    usual = np.where(problem.capacity > 0, np.maximum(NEXT * problem.capacity, unit), 0.0)
    given = usual if size is None else np.broadcast_to(np.asarray(size, dtype=float), problem.m)
    if size is not None and not (np.isfinite(given) & (given > 0)).all():
        raise ProblemError(f"`size` must be a number > 0, or one per resource, got {size!r}", field="size")
    for k in np.flatnonzero((given > 0) & (given < unit * (1 - ROUNDING))):
        raise ProblemError(
            f"`size` of {problem.resources[k]} must be at least one unit, {typed(unit[k])}, got {typed(given[k])}; "
            f"{rule.label} gives nothing smaller",
            field="size",
            index=(int(k),),
        )
    found = []
    for k in np.flatnonzero(given):
        extra = np.where(np.arange(problem.m) == k, given, 0.0)
        placed = place(problem, rule, allocation.grant, extra)
        added, price = placed.added[:, k], placed.allocation.price
        order = np.argsort(-added, kind="stable")
        who = tuple(Receiver(problem.agents[i], float(added[i])) for i in order if added[i] > 0)
        total = float(problem.weight @ (placed.after - placed.before))
        priced = price is not None and isinstance(placed.allocation.policy.objective, TotalUtility)
        worth = float(price[k]) if price is not None and priced else None
        found.append(NextShare(problem.resources[k], float(given[k]), who, allocation.mean, placed.gain, total, worth))
    return tuple(found)


# Bounds.


class Kind(Enum):
    """Which bound it is, in a word; a lock is a floor that is its own ceiling."""

    LOCK = "lock"
    FLOOR = "floor"
    CEILING = "ceiling"


class Bound(NamedTuple):
    """A bound at which a grant stands, and what it costs.

    Parameters
    ----------
    agent, resource : str
        Whose, and of what.
    kind : Kind
        Lock, floor or ceiling.
    amount : float
        The bound [units of the resource].
    more : bool or None
        Whether the rule would give more than this, or less; None if that was not asked.
    price : float or None
        What one unit of the bound costs the weighted total, >= 0 [accuracy per unit]: lower a floor, raise a ceiling
        or move a lock the way the rule would, and the total rises by this per unit. None where the rule does not
        maximise the total.
    mean : float
        The mean accuracy as it is, in which agents count as they do in the total.
    cost : float or None
        By how much that mean would be higher without this bound, all others in place, when the rule divides
        anew; negative if it would be lower, as it may under a rule that does not aim at the total. None if that was
        not asked.
    weighted : bool
        Whether agents count differently, so that the mean is a weighted one.
    """

    agent: str
    resource: str
    kind: Kind
    amount: float
    more: bool | None
    price: float | None
    mean: float
    cost: float | None
    weighted: bool


def binding(allocation: Allocation, *, limit: int = 10) -> tuple[Bound, ...]:
    """Which floors, ceilings and locks bind, tightest first, and what each costs.

    A bound binds if the rule would grant something else without it. Under a rule that maximises a sum over agents the
    marginals tell; tightest is then where a unit of the whole capacity costs most. Under any other the rule divides
    anew without each of the bounds that grants stand at, largest amounts first; beyond `limit` those are listed, too,
    and may or may not bind.

    Parameters
    ----------
    allocation : Allocation
        Of any rule. Nothing binds a split by hand.
    limit : int
        For how many the cost in the mean is found: each divides anew.

    Returns
    -------
    tuple of Bound
        O(n m), and a division for each of the first `limit`.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3], floor=[0.0, 0.2])
    >>> bound, = binding(fs.allocate(fleet, fs.FairSynergy()))
    >>> bound.agent, bound.kind, bound.amount, round(bound.price, 2), round(bound.cost, 3)
    ('agent 2', <Kind.FLOOR: 'floor'>, 0.2, 0.5, 0.039)
    """
    problem, policy = allocation.problem, allocation.policy
    if allocation.status is Status.FAILED or isinstance(policy, Given):
        return ()
    stands = _Stands(allocation)
    redivides = not by_lot(policy)
    mean, whole = allocation.weighted_mean, float(problem.weight.sum())
    found: list[Bound] = []
    for i, k in stands.tightest():
        name, resource, kind = problem.agents[i], problem.resources[k], stands.kind(i, k)
        more, price = stands.more(i, k), stands.price(i, k)
        anew = _without(allocation, i, k) if len(found) < limit and redivides else None
        if more is None and anew is not None:
            change = anew[i, k] - allocation.grant[i, k]
            if abs(change) <= ROUNDING * problem.capacity[k]:
                continue
            more = bool(change > 0)
        cost = None if anew is None else float(problem.weight @ problem.utility(anew)) / whole - mean
        amount = float(problem.ceiling[i, k] if kind is Kind.CEILING else problem.floor[i, k])
        found.append(Bound(name, resource, kind, amount, more, price, mean, cost, problem.weighted))
    return tuple(found)


class _Stands:
    """Which grants stand at a bound, and which way the rule would go from there; arrays are (n, m).

    Who is at a floor would give up some if another wants a unit more than it does; who is at a ceiling would get some
    if another has a unit to give that is worth less.
    """

    def __init__(self, allocation: Allocation) -> None:
        problem, grant, objective = allocation.problem, allocation.grant, allocation.policy.objective
        self.locked = problem.floor == problem.ceiling
        self.low = ((grant <= problem.floor * (1 + ROUNDING)) | self.locked) & (problem.floor > 0)
        self.high = grant >= problem.ceiling * (1 - ROUNDING)
        self.known = isinstance(objective, SumObjective) and allocation.certificate.stationary
        self.cost: Array | None = None
        if not self.known or not isinstance(objective, SumObjective):
            size = np.where(problem.capacity > 0, problem.capacity, 1.0)
            self.tightness = np.where(self.low, problem.floor, problem.ceiling) / size
            return
        total = isinstance(objective, TotalUtility)
        with np.errstate(over="ignore", invalid="ignore"):
            if total:
                more, less = next_unit(problem, grant), last_unit(problem, grant)
            else:
                more = less = np.exp(objective.log_marginal(problem, grant) + objective.log_unit(problem, grant))
            buyers, sellers = grant < problem.upper, grant > problem.floor + ROUNDING * problem.capacity
            wanted = np.max(np.where(buyers, more, 0.0), axis=0)
            spare = allocation.unspent > ROUNDING * problem.capacity
            offered = np.where(spare, 0.0, np.min(np.where(sellers, less, np.inf), axis=0))
            down = self.low & (less < wanted * (1 - OPTIMAL_WITHIN))
            up = self.high & (more > offered * (1 + OPTIMAL_WITHIN))
            cost = np.where(up, more - offered, wanted - less)
        self.low, self.high = down, up
        # Of a resource that the cloud has none of, a unit may be worth infinitely much, and all of it nothing.
        self.tightness = np.multiply(cost, problem.capacity, where=problem.capacity > 0, out=np.zeros_like(cost))
        self.cost = cost if total else None

    def tightest(self) -> list[tuple[int, int]]:
        """Agent and resource of every bound that binds, or may, tightest first."""
        rows = np.argwhere(self.low | self.high)
        order = np.argsort(-self.tightness[tuple(rows.T)], kind="stable")
        return [(int(i), int(k)) for i, k in rows[order]]

    def kind(self, i: int, k: int) -> Kind:
        if self.locked[i, k]:
            return Kind.LOCK
        return Kind.FLOOR if self.low[i, k] else Kind.CEILING

    def more(self, i: int, k: int) -> bool | None:
        return bool(self.high[i, k]) if self.known else None

    def price(self, i: int, k: int) -> float | None:
        return None if self.cost is None else float(self.cost[i, k])


def _without(allocation: Allocation, i: int, k: int) -> Array | None:
    """Grants (n, m) without the bounds of agent i on resource k; None if the rule does not divide that."""
    floor, ceiling = allocation.problem.floor.copy(), allocation.problem.ceiling.copy()
    floor[i, k], ceiling[i, k] = 0.0, np.inf
    try:
        return allocation.policy.divide(replace(allocation.problem, floor=floor, ceiling=ceiling)).grant
    except FairSynergyError:
        return None


# Exchanges.


class Exchange(NamedTuple):
    """An amount of one resource that adds accuracy when it changes hands.

    Parameters
    ----------
    resource : str
        What moves.
    giver : str or None
        From whom; None for capacity that nobody was given.
    taker : str
        To whom.
    amount : float
        How much: what is best between these two [units of the resource].
    lost, added : float
        What the first unit costs the giver, and adds with the taker [accuracy of the total per unit]; infinite for the
        very first bit of one that has none. Under a rule that divides in whole units, a whole one, per unit of the
        resource.
    mean : float
        The mean accuracy before, in which agents count as they do in the total.
    gain, total : float
        What the exchange adds to that mean, and to the weighted total.
    weighted : bool
        Whether agents count differently, so that the mean is a weighted one.
    """

    resource: str
    giver: str | None
    taker: str
    amount: float
    lost: float
    added: float
    mean: float
    gain: float
    total: float
    weighted: bool


def first_improvement(allocation: Allocation) -> Exchange | None:
    """The first improvement worth making: whose last unit costs least, whose next unit adds most, and how much to move.

    Of each resource that is one pair of agents, and what is best to move between the two is found exactly; the
    resource on which that adds most to the total is returned. Capacity that nobody was given costs nobody anything.
    Where the rule divides in whole units, whole units move.

    Parameters
    ----------
    allocation : Allocation
        Of any rule or by hand.

    Returns
    -------
    Exchange or None
        None where no exchange within the bounds adds anything beyond a relative 1e-6, or where the allocation breaks
        limits, which must be mended first.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3])
    >>> first_improvement(fs.allocate(fleet, fs.Given([0.4, 0.05])))
    Exchange(resource='compute', giver=None, taker='agent 1', amount=0.04..., lost=0.0, added=0.96..., mean=..., ...)
    """
    if allocation.status is Status.FAILED:
        return None
    worth = margins(allocation)
    found = [_exchange(allocation, worth, k) for k in range(allocation.problem.m)]
    return max(
        (exchange for exchange in found if exchange is not None), key=lambda exchange: exchange.total, default=None
    )


def _exchange(allocation: Allocation, worth: Margins, k: int) -> Exchange | None:
    problem, grant, step = allocation.problem, allocation.grant, float(worth.step[k])
    giver, taker = int(worth.lost[:, k].argmin()), int(worth.added[:, k].argmax())
    left = float(allocation.unspent[k])
    spare = left >= step * (1 - ROUNDING) if step else left > ROUNDING * problem.capacity[k]
    least, most = 0.0 if spare else float(worth.lost[giver, k]), float(worth.added[taker, k])
    if not most > max(least * (1 + OPTIMAL_WITHIN), 0.0):
        return None
    if spare:
        room = float(problem.upper[taker, k] - grant[taker, k])
        # A unit that is useful in part is given whole.
        amount = min(left, np.ceil(room / step) * step if step else room, problem.ceiling[taker, k] - grant[taker, k])
    else:
        amount = _best_between(problem, grant, k, giver, taker)
    if step:
        amount = _best_units(problem, grant, k, None if spare else giver, taker, amount, step)
    if not amount > 0:  # the taker would make most of a crumb that is beyond numbers
        return None
    gain = problem.utility(_moved(grant, k, None if spare else giver, taker, amount)) - allocation.utility
    return Exchange(
        problem.resources[k],
        None if spare else problem.agents[giver],
        problem.agents[taker],
        amount,
        least,
        most,
        allocation.weighted_mean,
        float(problem.weight @ gain) / float(problem.weight.sum()),
        float(problem.weight @ gain),
        problem.weighted,
    )


def exchanged(allocation: Allocation, exchange: Exchange) -> Array:
    """(n, m) the grants once the exchange is made.

    Parameters
    ----------
    allocation : Allocation
        The grants before.
    exchange : Exchange
        Found by `first_improvement`.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3])
    >>> mine = fs.allocate(fleet, fs.Given([0.0, 0.5]))
    >>> exchanged(mine, first_improvement(mine)).ravel()
    array([0.5, 0. ])
    """
    problem = allocation.problem
    giver = None if exchange.giver is None else problem.agents.index(exchange.giver)
    k, taker = problem.resources.index(exchange.resource), problem.agents.index(exchange.taker)
    return _moved(allocation.grant, k, giver, taker, exchange.amount)


def _moved(grant: Array, k: int, giver: int | None, taker: int, amount: float) -> Array:
    changed = grant.copy()
    if giver is not None:
        changed[giver, k] -= amount
    changed[taker, k] += amount
    return changed


def _best_between(problem: Problem, grant: Array, k: int, giver: int, taker: int) -> float:
    """How much of resource k is best given by one agent to another: the two share what they have by water-filling."""
    pair = np.array([giver, taker])
    with np.errstate(divide="ignore"):
        part = problem.elasticity * np.log(np.minimum(problem.holding(grant), problem.saturation))
    part[:, k] = 0.0
    gamma = problem.elasticity[pair, k]
    filled = waterfill(
        problem.weight[pair] * gamma * np.exp(part[pair].sum(axis=1)),
        1 - gamma,
        problem.endowment[pair, k],
        grant[pair, k].sum(),
        problem.floor[pair, k],
        problem.upper[pair, k],
    )
    # The giver may have more than the two can use, and the taker no room for it.
    return float(min(grant[giver, k] - filled.grant[0], filled.grant[1] - grant[taker, k]))


def _best_units(
    problem: Problem, grant: Array, k: int, giver: int | None, taker: int, amount: float, step: float
) -> float:
    """The best amount in whole steps, at least one, next to what is best in any amount.

    What the two have together is concave in the amount, so no other whole number is better.
    """
    low, high = np.floor(amount / step * (1 + ROUNDING)), np.ceil(amount / step * (1 - ROUNDING))
    best, most = step, -np.inf
    for count in sorted({max(1.0, float(low)), max(1.0, float(high))}):
        changed = _moved(grant, k, giver, taker, count * step)
        within = changed[taker, k] <= problem.ceiling[taker, k] * (1 + ROUNDING)
        if giver is not None:
            within &= changed[giver, k] >= problem.floor[giver, k] * (1 - ROUNDING)
        total = float(problem.weight @ problem.utility(np.maximum(changed, 0.0))) if within else -np.inf
        if total > most:
            best, most = count * step, total
    return best


def distance(one: ArrayLike, other: ArrayLike, capacity: ArrayLike) -> Array:
    """(m,) part of each capacity that lies elsewhere in the other division; what is unspent counts as one more place.

    Parameters
    ----------
    one, other : (n, m) or (n,) array_like
        Grants [units of each resource].
    capacity : (m,) array_like or float
        What there is to give [same units]; of a resource without any, the distance is 0.

    Examples
    --------
    >>> distance([0.1, 0.4], [0.2, 0.3], 0.5), distance([0.1, 0.4], [0.1, 0.3], 0.5)
    (array([0.2]), array([0.2]))
    """
    first, second = (np.asarray(grant, dtype=float) for grant in (one, other))
    first, second = (grant[:, None] if grant.ndim == 1 else grant for grant in (first, second))
    size = np.atleast_1d(np.asarray(capacity, dtype=float))
    unspent = np.abs(first.sum(axis=0) - second.sum(axis=0))
    moved = 0.5 * (np.abs(first - second).sum(axis=0) + unspent)
    return np.asarray(np.divide(moved, size, out=np.zeros_like(moved), where=size > 0))


# Moving on from before.


@dataclass(frozen=True, eq=False)
class Change:
    """What moving on from previous grants costs and adds, at a price on every unit taken. Made by `change`.

    Parameters
    ----------
    allocation : Allocation
        Of `Replan`.
    free : Allocation
        Fair-Synergy's, for which changes cost nothing.
    previous : (n, m) array
        The grants before [units of each resource].
    price : (m,) array
        Of one unit taken away from whom it was given [accuracy of the total per unit].
    """

    allocation: Allocation
    free: Allocation
    previous: Array
    price: Array

    @property
    def moved(self) -> Array:
        """(m,) what is taken away from whom it was given [units of each resource]."""
        return _taken(self.previous, self.allocation.grant)

    @property
    def moved_free(self) -> Array:
        """(m,) what would be if changes cost nothing [units of each resource]."""
        return _taken(self.previous, self.free.grant)

    @property
    def paid(self) -> float:
        """What all units taken cost together, in accuracy of the total; infinite if some must be at any price."""
        moved = self.moved
        return float(np.sum(np.where(moved > 0, self.price, 0.0) * moved))

    @property
    def before(self) -> Array:
        """(n,) accuracies with the previous grants."""
        return self.allocation.problem.utility(self.previous)


def change(allocation: Allocation, *, free: Allocation | None = None) -> Change:
    """What a replan moves and pays, beside what it would move for nothing.

    Parameters
    ----------
    allocation : Allocation
        Of `Replan`.
    free : Allocation, optional
        Fair-Synergy's of the same problem, for the comparison; by default it is made.

    Raises
    ------
    ProblemError
        If the allocation is of another rule, or the comparison of another problem.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.6, 0.3])
    >>> found = change(fs.allocate(fleet, fs.Replan([0.1, 0.4], price=0.3)))
    >>> found.moved.round(3), found.moved_free.round(3), round(found.paid, 3)
    (array([0.251]), array([0.4]), 0.075)
    """
    policy = allocation.policy
    if not isinstance(policy, Replan):
        raise ProblemError(
            f"`allocation` must be one by Replan, got {policy.label}; allocate by Replan(previous, price)"
        )
    if free is not None and free.problem != allocation.problem:
        raise ProblemError("`free` divides another problem than `allocation`; allocate the same problem twice")
    price = read_only(np.array(np.broadcast_to(policy.price, allocation.problem.m)))
    return Change(allocation, free or allocate(allocation.problem, FairSynergy()), policy.previous, price)


def _taken(previous: Array, grant: Array) -> Array:
    return np.asarray(np.maximum(previous - grant, 0.0).sum(axis=0))


def carried(problem: Problem, previous: Allocation) -> Array:
    """(n, m) what each agent of this fleet had been granted in another, by the names of agents and resources.

    Agents and resources that are new had nothing; what agents had that are gone is free. Nothing is changed to fit the
    new limits: that is for the rule to do.

    Parameters
    ----------
    problem : Problem
        The fleet now.
    previous : Allocation
        The grants before, perhaps of another fleet.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> old = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3], agents=["drone", "truck"])
    >>> now = fs.Problem(endowment=[0.2, 0.3], capacity=0.5, elasticity=[0.5, 0.3], agents=["truck", "robot"])
    >>> carried(now, fs.allocate(old, fs.Uniform())).ravel()
    array([0.25, 0.  ])
    """
    before = previous.problem
    rows, columns = _places(problem.agents, before.agents), _places(problem.resources, before.resources)
    grant = previous.grant[np.ix_(np.maximum(rows, 0), np.maximum(columns, 0))]
    return np.where((rows >= 0)[:, None] & (columns >= 0), grant, 0.0)


def _places(names: tuple[str, ...], among: tuple[str, ...]) -> NDArray[np.intp]:
    """Where each name stands among others; -1 for nowhere."""
    place = {name: i for i, name in enumerate(among)}
    return np.array([place.get(name, -1) for name in names], dtype=np.intp)
