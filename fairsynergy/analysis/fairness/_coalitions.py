"""Would a group of agents do better alone, with its own part of the cloud?

Group S standing alone has the part C_S = C sum_{i in S} w_i / sum_j w_j of every capacity, and reaches

    v(S) = max sum_{i in S} w_i U_i(x_i)   s.t.   sum_{i in S} x_i <= C_S,   floors and ceilings as before;

a group whose floors need more than its part cannot stand alone. Accuracy (times weight) counts as transferable. Where
the total is concave this is a market game (Shapley & Shubik 1969), and duality answers for all 2^n groups at once: at
any price mu, with s_i = C w_i / sum_j w_j and a payoff p_i,

    v(S) - sum_{i in S} p_i  <=  sum_{i in S} phi_i,     phi_i = max_x [w_i U_i(x) - mu . x] + mu . s_i - p_i,

so no group gains more than sum_i max(phi_i, 0), convex in mu. At the prices of the highest total, agents that hold more
than their part owe mu . (x_i - s_i) to those that hold less; with these transfers phi_i = 0 for everybody, no group
gains by leaving, and the payoffs are in the core (as in Owen 1975 for linear production).

The semicore asks the same of single agents and of groups of n - 1 only: v({i}) <= p_i <= v(N) - v(N without i), with
payoffs that add up to v(N).

>>> import fairsynergy as fs
>>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3])
>>> found = coalitions_of(fs.allocate(fleet, fs.FairSynergy()))
>>> found.transfer.round(3), found.alone.group, found.compensated.group, found.semicore.holds
(array([-0.237,  0.237]), array([1]), array([], dtype=int64), True)
"""

from __future__ import annotations

from functools import cached_property
from itertools import chain, combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from fairsynergy.allocation import Allocation, Status
from fairsynergy.analysis.fairness._indices import TIE
from fairsynergy.errors import ProblemError
from fairsynergy.kernel._objective import ROUNDING, TINY, Mask, TotalUtility
from fairsynergy.policies import FairSynergy
from fairsynergy.problem import Array, Problem, read_only

Group = NDArray[np.intp]

# The logarithms of the smallest holding, and of a price so low or high that everybody takes all or nothing.
LOG_TINY, LOG_FAR = float(np.log(TINY)), 3000.0
# First steps and end of the search for the prices of the lowest bound, in log prices; a price of zero starts from
# this fraction of the average worth of a unit.
SPREAD, PRECISION, NO_PRICE = 0.3, 1e-5, 1e-9
MAX_EVALUATIONS = 400
# At the lowest bound at most m agents are torn between staying and leaving. Up to this many agents, every choice for
# those that are closest to it is tried; in larger fleets a few agents hardly matter.
TORN_TRIED_UP_TO = 50
# How often those who would gain at a group's own prices join it, and the others leave.
MAX_REGROUPINGS = 5
# Up to this many agents, every group is either valued or bounded by what another one's prices say of it.
ENUMERATED_UP_TO = 12
# Groups of n - 1 valued exactly where their bound does not settle the question.
MAX_COMPLEMENTS = 3


class Blocking(NamedTuple):
    """A group that would do better alone, or none: then `group` is empty, and proved to be so if `bound` is 0.

    Amounts are accuracies times weights, summed over the group. Up to `ENUMERATED_UP_TO` agents it is the group that
    gains most (by `TIE` of the total, `bound` proves it); in larger fleets, the one that gains most of those tried.
    """

    group: Group  #: positions in the fleet
    held: float  #: what the group has now, transfers included
    gain: float  #: what it would have more
    bound: float  #: no group would gain more, proved; 0 if that is less than `TIE` of the total


class Semicore(NamedTuple):
    """Whether single agents and groups of n - 1 stay; None where the bound and a few exact values do not tell.

    `single` and `complement` are by how much the worst of them would gain (negative: would lose), the latter proved as
    at most this; `missing` is how much more the whole fleet could have together.
    """

    holds: bool | None
    single: float
    complement: float
    missing: float


class Coalitions(NamedTuple):
    """Who would rather stand alone, before and after the transfers that compensate for unequal grants."""

    price: Array  #: (m,) of the highest total [accuracy times weight per unit]
    transfer: Array  #: (n,) accuracy times weight that each agent receives; they add up to zero
    alone: Blocking  #: as the division is
    compensated: Blocking  #: with the transfers; no group is left if the division has the highest total
    semicore: Semicore  #: with the transfers


class Withheld(NamedTuple):
    """Nothing is claimed, for this reason."""

    reason: str


def coalitions_of(allocation: Allocation) -> Coalitions | Withheld:
    """Which group would do better alone, with and without compensating transfers; withheld where theory is silent.

    Parameters
    ----------
    allocation : Allocation
        Of any rule. The transfers take the prices of the highest total, whatever the rule: an agent receives
        price . (its part of all that was granted - its grant).
    """
    problem, market = allocation.problem, _open(allocation)
    if isinstance(market, Withheld):
        return market
    price = market.price
    part = problem.weight / problem.weight.sum()
    transfer = (part[:, None] * allocation.grant.sum(axis=0) - allocation.grant) @ price
    payoff = problem.weight * allocation.utility
    return Coalitions(
        price=read_only(price),
        transfer=read_only(transfer),
        alone=_blocking(market, payoff),
        compensated=_blocking(market, payoff + transfer),
        semicore=_semicore(market, payoff + transfer),
    )


def blocking_coalition(allocation: Allocation, transfers: Array) -> Blocking:
    """A group that would gain by standing alone, found without going through all groups.

    Parameters
    ----------
    allocation : Allocation
        Of any rule, for a problem whose total is concave.
    transfers : (n,) array
        What each agent receives from the others [accuracy times weight]; zeros for none.

    Raises
    ------
    ProblemError
        Where groups cannot be valued: the total is not concave, or the division breaks a limit.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3])
    >>> found = blocking_coalition(fs.allocate(fleet, fs.FairSynergy()), np.zeros(2))
    >>> found.group, round(found.gain, 3)
    (array([1]), 0.139)
    """
    market = _open(allocation)
    if isinstance(market, Withheld):
        raise ProblemError(f"groups cannot be valued here: {market.reason}", field="allocation")
    return _blocking(market, allocation.problem.weight * allocation.utility + transfers)


def stand_alone(problem: Problem, group: Group) -> float:
    """v(S): the highest total of accuracy times weight that a group reaches with its part of each capacity.

    Parameters
    ----------
    problem : Problem
        One whose total is concave.
    group : (s,) array of int
        Positions of the members.

    Returns
    -------
    float
        Minus infinity if the group's floors need more than its part.

    Examples
    --------
    >>> fleet = Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3])
    >>> [round(stand_alone(fleet, np.array(group)), 3) for group in ([0], [1], [0, 1])]
    [0.389, 0.836, 1.328]
    """
    return _alone(problem, group).value


class _Alone(NamedTuple):
    value: float
    price: Array


def _open(allocation: Allocation) -> _Market | Withheld:
    """The market in which groups are valued, or why they cannot be."""
    problem = allocation.problem
    if allocation.status is Status.FAILED:
        return Withheld("the division breaks a limit")
    # For every group, whatever the floors of the others leave.
    returns = (problem.elasticity * ((problem.upper > problem.floor) & (problem.capacity > 0))).sum(axis=1)
    growing = np.flatnonzero(returns > 1 + ROUNDING)
    if growing.size:
        return Withheld(
            f"{growing.size} of {problem.n} agents have increasing returns (elasticities that sum to more than 1, "
            f"{problem.agents[growing[0]]} first); prices then need not support any division, nor transfers keep "
            "every group together"
        )
    market = _Market(allocation)
    if not np.isfinite(market.price).all():
        return Withheld("a first unit is worth more than a number can say")
    return market


def _alone(problem: Problem, group: Group) -> _Alone:
    weight = problem.weight[group]
    capacity = problem.capacity * (weight.sum() / problem.weight.sum())
    if np.any(problem.floor[group].sum(axis=0) > capacity * (1 + ROUNDING)):
        return _Alone(-np.inf, np.zeros(problem.m))
    few = Problem(
        **problem.rows(group),
        capacity=capacity,
        agents=tuple(problem.agents[i] for i in group),
        resources=problem.resources,
    )
    grant = FairSynergy().divide(few).grant
    return _Alone(float(weight @ few.utility(grant)), TotalUtility().level(few, grant).price)


class _Market:
    """What agents would demand, and gain, at a price; `price` (m,) are the prices of the highest total."""

    def __init__(self, allocation: Allocation) -> None:
        self.problem = problem = allocation.problem
        part = problem.weight / problem.weight.sum()
        self.share = part[:, None] * problem.capacity  # (n, m) what is an agent's own
        # Nobody can receive more than there is, and more than saturates adds nothing.
        self.most = np.maximum(np.minimum(problem.upper, problem.capacity), problem.floor)
        with np.errstate(divide="ignore"):
            useful = np.log(problem.saturation)
            low = np.minimum(np.log(problem.holding(problem.floor)), useful)
            high = np.minimum(np.log(problem.holding(self.most)), useful)
        self.hopeless: Mask = (high == -np.inf).any(axis=1)
        self.low, self.high = np.maximum(low, LOG_TINY), np.maximum(high, LOG_TINY)
        self.log_scale = np.log(problem.weight)[:, None] + np.log(problem.elasticity)
        proved = isinstance(allocation.policy.objective, TotalUtility) and allocation.certificate.stationary
        grant = allocation.grant if proved else FairSynergy().divide(problem).grant
        # What there is nothing of costs nothing.
        self.price = np.where(problem.capacity > 0, TotalUtility().level(problem, grant).price, 0.0)

    def profit(self, price: Array) -> Array:
        """(n,) max over an agent's box of w U(x) - price . x, in closed form. O(n m^2).

        Log holdings are clip(a_k + L, low_k, high_k) with a_k = log(w gamma_k / price_k) and L = log U, so
        L - sum_k gamma_k clip(a_k + L, ...) = 0: increasing and linear between the 2 m points where a bound is met.
        """
        problem, gamma = self.problem, self.problem.elasticity
        with np.errstate(divide="ignore"):
            a = np.clip(self.log_scale - np.log(price), -LOG_FAR, LOG_FAR)
        kinks = np.sort(np.concatenate([self.low - a, self.high - a], axis=1), axis=1)
        held = np.clip(a[:, None, :] + kinks[:, :, None], self.low[:, None, :], self.high[:, None, :])
        excess: Array = kinks - (gamma[:, None, :] * held).sum(axis=2)
        rows, last = np.arange(problem.n), kinks.shape[1] - 1
        after = (excess <= 0).sum(axis=1)
        left, right = np.maximum(after - 1, 0), np.minimum(after, last)
        start, rise = excess[rows, left], excess[rows, right] - excess[rows, left]
        width = kinks[rows, right] - kinks[rows, left]
        # Outside the outermost kinks the slope is one.
        slope = np.divide(width, rise, out=np.ones(problem.n), where=rise > 0)
        log_utility = kinks[rows, left] - start * slope
        log_held = np.clip(a + log_utility[:, None], self.low, self.high)
        grant = np.where(log_held <= self.low, problem.floor, np.exp(log_held) - problem.endowment)
        grant = np.clip(np.where(log_held >= self.high, self.most, grant), problem.floor, self.most)
        utility = np.where(self.hopeless, 0.0, np.exp((gamma * log_held).sum(axis=1)))
        grant = np.where(self.hopeless[:, None], problem.floor, grant)
        return np.asarray(problem.weight * utility - grant @ price)

    def surplus(self, price: Array, payoff: Array) -> Array:
        """(n,) phi: what agents could have alone at the price, beyond their payoff."""
        return np.asarray(self.profit(price) + self.share @ price - payoff)

    @cached_property
    def single(self) -> Array:
        """(n,) v({i}): the agent uses all of its own part that it can."""
        problem = self.problem
        able = (problem.floor <= self.share * (1 + ROUNDING)).all(axis=1)
        grant = np.maximum(np.minimum(self.share, problem.upper), problem.floor)
        return np.asarray(np.where(able, problem.weight * problem.utility(grant), -np.inf))


def _blocking(market: _Market, payoff: Array) -> Blocking:
    """Minimise the bound over prices; the group that gains at those prices is the first to be tried."""
    problem, tie = market.problem, TIE * float(np.abs(payoff).sum())
    surplus = market.surplus(market.price, payoff)
    if np.maximum(surplus, 0.0).sum() > tie:
        surplus = market.surplus(_lowest_bound(market, payoff), payoff)
    bound = float(np.maximum(surplus, 0.0).sum())
    nobody = Blocking(np.array([], dtype=np.intp), 0.0, 0.0, bound if bound > tie else 0.0)
    if bound <= tie:
        return nobody
    best, tried = nobody, set()

    def attempt(members: Mask) -> Array | None:
        nonlocal best
        if not members.any() or members.tobytes() in tried:
            return None
        tried.add(members.tobytes())
        group = np.flatnonzero(members)
        alone, held = _alone(problem, group), float(payoff[group].sum())
        if alone.value - held > max(best.gain, tie):
            best = Blocking(group, held, alone.value - held, bound)
        return alone.price if np.isfinite(alone.value) else None

    first = np.zeros(problem.n, dtype=np.bool_)
    first[int(np.argmax(market.single - payoff))] = True
    attempt(first)
    members = np.asarray(surplus > 0)
    if problem.n <= TORN_TRIED_UP_TO:
        torn = np.argsort(np.abs(surplus), kind="stable")[: problem.m + 1]
        choices = chain.from_iterable(combinations(torn, size) for size in range(torn.size + 1))
        for inside in choices:
            choice = members.copy()
            choice[torn] = False
            choice[list(inside)] = True
            attempt(choice)
    for _ in range(MAX_REGROUPINGS):
        own_price = attempt(members)
        if own_price is None:
            break
        members = np.asarray(market.surplus(own_price, payoff) > 0)
    if problem.n > ENUMERATED_UP_TO:
        return best
    groups = np.arange(1, 2**problem.n)[:, None] >> np.arange(problem.n) & 1 > 0
    most = groups @ surplus  # what each gains at most, by the lowest that any prices say
    while most.max() > max(best.gain, 0.0) + tie:
        chosen = int(np.argmax(most))
        own_price = attempt(groups[chosen])
        if own_price is not None and np.isfinite(own_price).all():
            most = np.minimum(most, groups @ market.surplus(own_price, payoff))
        most[chosen] = -np.inf  # valued, or unable to stand alone
    proved = max(best.gain, float(most.max()))
    return best._replace(bound=min(bound, proved) if proved > tie else 0.0)


def _lowest_bound(market: _Market, payoff: Array) -> Array:
    """(m,) prices at which the bound on every group's gain is lowest, or nearly; it holds at any prices."""
    problem = market.problem
    traded = problem.capacity > 0
    worth = NO_PRICE * np.abs(payoff).sum() / np.where(traded, problem.capacity, 1.0)
    start = np.log(np.maximum(market.price, worth))[traded]

    def at(log_price: Array) -> Array:
        whole = np.zeros(problem.m)
        whole[traded] = np.exp(np.minimum(log_price, -LOG_TINY))
        return whole

    def bound(log_price: Array) -> float:
        return float(np.maximum(market.surplus(at(log_price), payoff), 0.0).sum())

    simplex = start + SPREAD * np.vstack([np.zeros(start.size), np.eye(start.size)])
    options = {
        "initial_simplex": simplex,
        "xatol": PRECISION,
        "fatol": PRECISION * float(np.abs(payoff).sum()),
        "maxfev": MAX_EVALUATIONS,
    }
    found: Array = minimize(bound, start, method="Nelder-Mead", options=options).x
    return at(found)


def _semicore(market: _Market, payoff: Array) -> Semicore:
    problem, tie = market.problem, TIE * float(np.abs(payoff).sum())
    surplus = market.surplus(market.price, payoff)
    missing = max(0.0, float(surplus.sum()))  # the bound is attained: these are the prices of v(N)
    single = float((market.single - payoff).max())
    if problem.n == 1:
        return Semicore(missing <= tie and single <= tie, single, 0.0, missing)
    bounds = surplus.sum() - surplus
    order = np.argsort(-bounds, kind="stable")
    complement, settled = float(bounds[order[0]]), bool(bounds[order[0]] <= tie)
    if missing > tie or single > tie or settled:
        return Semicore(missing <= tie and single <= tie, single, complement, missing)
    for i in order[:MAX_COMPLEMENTS]:
        others = np.delete(np.arange(problem.n), i)
        if _alone(problem, others).value - payoff[others].sum() > tie:
            return Semicore(False, single, complement, missing)
    return Semicore(None, single, complement, missing)
