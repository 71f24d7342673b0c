"""Fair-Synergy: maximise the fleet's total accuracy (Problems 1 and 2 of the paper, any number of resources).

    max sum_i w_i prod_k (e_ik + x_ik)^gamma_ik    s.t.   sum_i x_ik <= C_k.

One resource is convex and is the kernel with c = w gamma, p = 1 - gamma (Eq. 4). More resources are solved by
alternate convex search: with all resources but k fixed, resource k is the kernel with
c_i = w_i gamma_ik prod_{l != k} h_il^gamma_il (Eq. 8). The total is jointly concave, and the search reaches the global
optimum, iff no agent has increasing returns (sum_k gamma_ik <= 1). Otherwise it is only biconcave and has several local
optima, whatever the paper's appendix says; so the search runs from several starts, in every block order, and the best
end is kept. All runs are one batch of the kernel. With two resources the starts are what the dual bound (`kernel`)
mixes, and the bound becomes the answer's proof.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fairsynergy.errors import ProblemError
from fairsynergy.kernel import Fleets, waterfill
from fairsynergy.kernel._dual import Bounding, Fleet, Leaf, whole
from fairsynergy.kernel._objective import Objective, TotalUtility, rising_exchange
from fairsynergy.policies._policy import Division, Policy, spend_exactly
from fairsynergy.problem import Array, Problem

# Runs are compared once a pass improves each total by less than this, relatively.
COMPARABLE = 1e-4
# The best run goes on until no holding changes by more than this, relatively, in one pass.
SETTLED = 1e-10
MAX_PASSES = 2000
# How precise a bound is, relatively: first, to find where to climb from; then, where it may yet meet the total.
NEARLY, CLOSED = 1e-5, 1e-9
CLOSING = 25  # prices asked for the latter
# Saddles left in one search, at most.
MAX_SADDLES = 20
# Fraction of an equal share: enough to leave zero, too little to disturb the others.
CRUMB = 1e-9
# Newton on the log prices, from a point near the end of the search: converged, or given up.
LEVELLED = 1e-13
MAX_LEVELLING = 50
LOG_HUGE = 700.0
TINY = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True)
class FairSynergy(Policy):
    """Give the next unit to whoever turns it into most accuracy.

    Parameters
    ----------
    passes : int or infinity, optional
        How many times to go through the resources from the endowments, in their order; 1 is the released code, and
        infinity goes on until nothing moves: the paper's alternate convex search. Default: that from several starts.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3])
    >>> allocation = fs.allocate(fleet, fs.FairSynergy())
    >>> allocation.grant.ravel().round(3), allocation.status.name
    (array([0.5, 0. ]), 'OPTIMAL')
    """

    passes: float | None = None

    name: ClassVar[str] = "Fair-Synergy"
    sentence: ClassVar[str] = "The next unit goes to whoever turns it into the most accuracy."
    objective: ClassVar[Objective | None] = TotalUtility()

    def __post_init__(self) -> None:
        whole = isinstance(self.passes, int) and not isinstance(self.passes, bool)
        if self.passes is not None and self.passes != inf and not (whole and self.passes >= 1):
            raise ProblemError(
                "`passes` must be a whole number >= 1, infinity to converge, or None to converge from several starts; "
                f"got {self.passes!r}",
                field="passes",
            )

    @property
    def label(self) -> str:
        if self.passes is None:
            return self.name
        if self.passes == inf:
            return f"{self.name} (converged)"
        return f"{self.name} ({self.passes} pass{'es' if self.passes > 1 else ''})"

    def divide(self, problem: Problem) -> Division:
        if problem.m > 1 and self.passes is None:
            return _search(problem)
        run, order = _Run(problem.floor[None], None), np.arange(problem.m)[None]
        for passed in range(1, self._most(problem) + 1):
            before, run = run.grant, _pass(problem, run, order)
            if self.passes == inf and np.max(np.abs(_moved(problem, before, run.grant))) <= SETTLED:
                break
        return Division(run.grant[0], passed)

    def _divide_together(self, fleets: Fleets) -> Array | None:
        if fleets.m > 1 and self.passes is None:
            return None
        grant = np.zeros((len(fleets), fleets.m, fleets.n)).mT + fleets.floor
        moving, run = np.arange(len(fleets)), _Run(grant.copy(), None)
        for passed in range(self._most(fleets)):
            before, part = run.grant, fleets[moving] if passed else fleets
            run = _pass(part, _Run(before[:, : part.n], run.price), np.tile(np.arange(fleets.m), (len(part), 1)))
            grant[moving, : part.n] = run.grant
            if self.passes == inf:
                rest = np.abs(_moved(part, before[:, : part.n], run.grant)).max(axis=(1, 2)) > SETTLED
                moving = moving[rest]
                if len(moving) == 0:
                    break
                run = _Run(run.grant[rest], None if run.price is None else run.price[rest])
        return grant

    def sketch_many(self, fleets: Fleets, near: Array | None = None) -> Array:
        if fleets.m == 1 or self.passes is not None:
            return self.divide_many(fleets).grant
        return climb_many(fleets, _nash(fleets) if near is None else near)

    def _most(self, fleet: Problem | Fleets) -> int:
        """How many passes at most; one resource is done after one."""
        return 1 if fleet.m == 1 or not self.passes else int(min(self.passes, MAX_PASSES))


class _Run(NamedTuple):
    """Where a batch of searches stands: grants (b, n, m) and, after a first pass, prices (b, m)."""

    grant: Array
    price: Array | None


def _pass(fleet: Problem | Fleets, run: _Run, orders: NDArray[np.intp]) -> _Run:
    """Divide every resource anew, one after the other, in the order (b, m) of each search."""
    searches = np.arange(len(run.grant))
    grant = run.grant.copy()
    price = np.empty((len(grant), fleet.m))
    upper = fleet.upper
    for k in orders.T:

        def of(value: Array, k: NDArray[np.intp] = k) -> Array:
            """(b, n) of the resource that each search divides."""
            return np.broadcast_to(value, grant.shape)[searches, :, k]

        with np.errstate(divide="ignore"):
            part = fleet.elasticity * np.log(np.minimum(fleet.holding(grant), fleet.saturation))
        part[searches, :, k] = 0.0
        gamma = of(fleet.elasticity)
        filled = waterfill(
            fleet.weight * gamma * np.exp(part.sum(axis=2)),
            1 - gamma,
            of(fleet.endowment),
            np.broadcast_to(fleet.capacity, price.shape)[searches, k],
            of(fleet.floor),
            of(upper),
            guess=None if run.price is None else run.price[searches, k],
        )
        grant[searches, :, k] = filled.grant
        price[searches, k] = filled.price
    return _Run(grant, price)


def _moved(fleet: Problem | Fleets, before: Array, after: Array) -> Array:
    """How far holdings moved from grants (..., n, m) to others, as logarithms."""
    held, holds = (np.log(np.maximum(fleet.holding(grant), TINY)) for grant in (before, after))
    return np.asarray(holds - held)


def _search(problem: Problem) -> Division:
    """Climb to the optimum where there is one, else from several starts; for two resources with a proof."""
    if TotalUtility().concave(problem):
        return climb(problem, _nash(problem)[None])
    if problem.m != 2:
        return climb(problem, np.stack([problem.floor, _equal_shares(problem), _nash(problem)]))
    # No start is better than the division that a proved bound mixes, and the responses it mixes.
    bounding = Bounding(Fleet(problem), whole(problem), TotalUtility().level(problem, _nash(problem)).price)
    bounding.search(precision=NEARLY)
    mix = bounding.mix()
    division = climb(problem, np.concatenate([mix.mean[None], mix.grant]))
    total = float(problem.weight @ problem.utility(division.grant))
    if bounding.hope <= total * (1 + CLOSED):
        # At the optimum's own prices, if they are unique.
        bounding.ask(TotalUtility().level(problem, division.grant).price)
        bounding.search(enough=total * (1 + CLOSED), precision=CLOSED, rounds=CLOSING)
    return division._replace(proof=Leaf(bounding.price))


def climb(problem: Problem, starts: Array) -> Division:
    """Alternate convex search from grants (s, n, m), in every order; the best end is then settled.

    Where that is a saddle, the search goes on from both its sides.
    """
    found = _climb(problem, starts)
    for _ in range(MAX_SADDLES):
        exchange = rising_exchange(problem, found.grant) if problem.m > 1 else None
        if exchange is None:
            break
        aside = _climb(problem, np.stack([_aside(problem, found.grant, way * exchange) for way in (1, -1)]))
        if not problem.weight @ (problem.utility(aside.grant) - problem.utility(found.grant)) > 0:
            break
        found = aside._replace(iterations=found.iterations + aside.iterations)
    return found


def _aside(problem: Problem, grant: Array, exchange: Array) -> Array:
    """Grants (n, m) half as far along an exchange as some grant or limit allows."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        room = np.where(exchange > 0, problem.upper - grant, grant - problem.floor) / np.abs(exchange)
    length = np.min(room, where=exchange != 0, initial=np.inf)
    return np.clip(grant + 0.5 * length * exchange, problem.floor, problem.upper)


def _climb(problem: Problem, starts: Array) -> Division:
    m = problem.m
    orders = np.tile((np.arange(m) + np.arange(m)[:, None]) % m, (len(starts), 1))  # each resource comes first once
    run = _Run(np.repeat(starts, m, axis=0), None)
    total = np.zeros(len(orders))
    for passes in range(1, MAX_PASSES + 1):
        run = _pass(problem, run, orders)
        before, total = total, problem.utility(run.grant) @ problem.weight
        if np.all(total - before <= COMPARABLE * total):
            break
    best = int(np.argmax(total))
    end = _Run(run.grant[[best]], None if run.price is None else run.price[[best]])
    # A search from nothing never offers one resource to an agent that lacks another; a crumb of both lets it in.
    lacking = problem.holding(end.grant) < TINY
    stuck = lacking & (lacking.sum(axis=2, keepdims=True) >= 2)
    if stuck.any():
        entered = _settle(problem, end._replace(grant=np.where(stuck, CRUMB * _equal_shares(problem), end.grant)))
        passes += entered.iterations
        if problem.weight @ problem.utility(entered.grant) >= total[best]:
            return entered._replace(iterations=passes)
    settled = _settle(problem, end)
    return settled._replace(iterations=passes + settled.iterations)


def climb_many(fleets: Fleets, start: Array) -> Array:
    """Grants (b, n, m): alternate convex search in many fleets, until a pass no longer shows in their totals.

    Each fleet is climbed once, from the start or, where that is better, from everything given to one agent: with
    increasing returns that may be the optimum, and no search would change the one who has it all.

    Parameters
    ----------
    fleets : Fleets
        Over any number of resources.
    start : (n, m) or (b, n, m) array
        Where to climb from. A pass that improves a total by less than `COMPARABLE`, relatively, is that fleet's last.
    """
    grant = np.broadcast_to(start, fleets.endowment.shape)
    alone = _to_one(fleets)
    before, other = fleets.total(grant), fleets.total(alone)
    grant = np.where((other > before)[:, None, None], alone, grant)
    before = np.maximum(other, before)
    moving, part, run = np.arange(len(fleets)), fleets, _Run(grant, None)
    for _ in range(MAX_PASSES):
        run = _pass(part, run, np.tile(np.arange(fleets.m), (len(part), 1)))
        grant[moving, : part.n] = run.grant
        total = part.total(run.grant)
        rest = total - before > COMPARABLE * total
        moving = moving[rest]
        if len(moving) == 0:
            break
        before, part = total[rest], part if rest.all() else part[rest]
        run = _Run(run.grant[rest][:, : part.n], None if run.price is None else run.price[rest])
    return grant


def _to_one(fleets: Fleets) -> Array:
    """Grants (b, n, m): to the agent that it adds most to all that floors leave, as far as it can use that."""
    least = np.broadcast_to(fleets.floor, fleets.endowment.shape)
    spare = np.maximum(fleets.capacity - least.sum(axis=1), 0.0)[:, None]
    most = np.minimum(fleets.upper, least + spare)
    gain = fleets.weight * (fleets.utility(most) - fleets.utility(least))
    first = gain == gain.max(axis=1, keepdims=True)
    first &= np.cumsum(first, axis=1) == 1
    return np.where(first[..., None], most, least)


def _settle(problem: Problem, run: _Run) -> Division:
    """Go on with one search until no holding moves, not even of agents too small to show in the total."""
    order = np.arange(problem.m)[None]
    for passes in range(1, MAX_PASSES + 1):
        before, run = run.grant[0], _pass(problem, run, order)
        grant = run.grant[0]
        moved = _moved(problem, before, grant)
        if np.max(np.abs(moved)) <= SETTLED:
            break
        if passes & (passes - 1):  # a leap costs several passes; where one fails the next soon would, too
            continue
        # With increasing returns, levelled marginals are a saddle unless the others bend enough: such an agent is
        # either on its way to an end, or the exception.
        rise = (problem.elasticity * moved).sum(axis=1)
        for going in (np.where(np.abs(rise) > SETTLED, np.sign(rise), 0.0), np.zeros_like(rise)):
            leap = _level(problem, grant, going)
            if leap is not None and problem.weight @ (problem.utility(leap) - problem.utility(grant)) >= 0:
                run = run._replace(grant=leap[None])
                break
    return Division(run.grant[0], passes)


def _level(problem: Problem, grant: Array, going: Array) -> Array | None:
    """Grants (n, m) that level all marginals at once, agents of increasing returns going (n,) up, down or nowhere.

    The search approaches its end slowly where returns are nearly constant. But for known bounds the conditions of
    Eq. 8 are linear in log holdings u: u_k - sum_free gamma_l u_l = a_k, where a_k = log(w gamma_k) + (fixed part)
    - log price_k. So u_k = a_k + sum_free gamma_l a_l / (1 - sum_free gamma_l), and Newton needs only the m prices.
    None if that fails.
    """
    gamma = problem.elasticity
    free = (grant > problem.floor) & (grant < problem.upper)
    leaving = free & ((gamma * free).sum(axis=1, keepdims=True) >= 1) & (going != 0)[:, None]
    grant = np.where(leaving, np.where(going[:, None] > 0, problem.upper, problem.floor), grant)
    free &= ~leaving
    if not (np.isfinite(grant).all() and free.any(axis=0).all()):
        return None
    scale = np.log(problem.weight)[:, None] + np.log(gamma)
    with np.errstate(all="ignore"):
        log_held = np.log(np.minimum(problem.holding(grant), problem.saturation))
        marginal = scale + (gamma * log_held).sum(axis=1, keepdims=True) - log_held
        log_price = np.array([np.median(column[here]) for column, here in zip(marginal.T, free.T, strict=True)])
        for _ in range(MAX_LEVELLING):
            part = np.where(free, 0.0, gamma * log_held).sum(axis=1, keepdims=True)
            returns = np.where(free, gamma, 0.0) / (1 - np.where(free, gamma, 0.0).sum(axis=1, keepdims=True))
            a = scale + part - log_price
            log_wanted = a + (returns * np.where(free, a, 0.0)).sum(axis=1, keepdims=True)
            wanted = np.where(free, np.exp(np.minimum(log_wanted, LOG_HUGE)), 0.0)
            trial = np.where(free, wanted - problem.endowment, grant)
            excess = trial.sum(axis=0) - problem.capacity
            jacobian = np.diag(wanted.sum(axis=0)) + wanted.T @ returns
            try:
                step = np.linalg.solve(jacobian, excess)
            except np.linalg.LinAlgError:
                return None
            log_price = log_price + step
            if not np.isfinite(log_price).all():
                return None
            if np.max(np.abs(step)) > LEVELLED:
                continue
            bounded = np.clip(trial, problem.floor, problem.upper)
            if np.array_equal(bounded, trial):
                return spend_exactly(problem, trial)
            free &= bounded == trial
            grant = bounded
            log_held = np.log(np.minimum(problem.holding(grant), problem.saturation))
            if not free.any(axis=0).all():
                return None
    return None


def _nash(fleet: Problem | Fleets) -> Array:
    """Grants (..., n, m) at the Nash point: kernel with c = w gamma, p = 1.

    They are positive, like equal shares: from nothing, an agent that lacks one resource is never offered the other.
    """
    value = (fleet.weight[..., None] * fleet.elasticity).mT
    return waterfill(value, 1.0, fleet.endowment.mT, fleet.capacity, fleet.floor.mT, fleet.upper.mT).grant.mT


def _equal_shares(problem: Problem) -> Array:
    """Grants (n, m) in proportion to the weights, within every bound."""
    return waterfill(problem.weight, 1.0, 0.0, problem.capacity, problem.floor.T, problem.upper.T).grant.T
