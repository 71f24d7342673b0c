"""Rules that divide each capacity in proportion to fixed shares: Uniform, Random and DRF.

Grants follow a ray, x_ik = clip(t_k share_ik, lo_ik, hi_ik), and t_k grows until resource k is spent. An agent that
meets its ceiling stops there and the others go on. Weights multiply the shares. This is the kernel with c = share,
p = 1 and nothing owned. Fair-Synergy section IV names these baselines; DRF is Ghodsi et al., NSDI 2011.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fairsynergy.kernel import Filling, Fleets, waterfill
from fairsynergy.kernel._waterfill import Mask
from fairsynergy.policies._policy import Division, Policy, inside
from fairsynergy.problem import ROUNDING, Array, Problem

# Relative: shares that are the same but for rounding.
SAME = 1e-9


def _along(share: Array, fleet: Problem | Fleets) -> Filling:
    """Fill every resource along its shares (..., n, m); price is 1 / t_k."""
    return waterfill(share.mT, 1.0, 0.0, fleet.capacity, fleet.floor.mT, fleet.upper.mT)


def _same_amount(problem: Problem, grant: Array) -> str:
    """What is the same for all whose grants no limit holds, where nothing counts but weights."""
    who = "everyone" if inside(problem, grant)[:, problem.capacity > 0].all() else "whoever meets no limit"
    what = "an amount in proportion to weight" if problem.weighted else "the same amount"
    return f"{who} gets {what}, whatever they own or need"


@dataclass(frozen=True)
class Uniform(Policy):
    """Everyone receives the same amount, C/n (times its weight), whatever it owns or needs.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3])
    >>> fs.allocate(fleet, fs.Uniform()).grant.ravel()
    array([0.25, 0.25])
    """

    name: ClassVar[str] = "Uniform"
    sentence: ClassVar[str] = "Everyone gets the same amount, whatever they own or need."

    def divide(self, problem: Problem) -> Division:
        return Division(_along(self._share(problem), problem).grant.mT, 0)

    def _divide_together(self, fleets: Fleets) -> Array | None:
        return _along(self._share(fleets), fleets).grant.mT

    def reasons(self, problem: Problem, grant: Array) -> Sequence[str]:
        return [_same_amount(problem, grant)] * problem.n

    def _share(self, fleet: Problem | Fleets) -> Array:
        return np.broadcast_to(fleet.weight[..., None], fleet.endowment.shape)


@dataclass(frozen=True)
class Random(Policy):
    """Shares drawn uniformly from the simplex, one Dirichlet draw per resource; weights are its concentrations.

    Parameters
    ----------
    seed : int, numpy.random.Generator or numpy.random.RandomState
        An integer gives the same shares at every call; a generator is consumed.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3])
    >>> fs.allocate(fleet, fs.Random(seed=1)).grant.sum().round(12)
    np.float64(0.5)
    """

    seed: int | np.random.Generator | np.random.RandomState = 0

    name: ClassVar[str] = "Random"
    sentence: ClassVar[str] = "Shares are drawn by lot; any rule worth having should beat it."

    def divide(self, problem: Problem) -> Division:
        return Division(_by_lot(self.lots(problem), problem), 0)

    def reasons(self, problem: Problem, grant: Array) -> Sequence[str]:
        return ["shares are drawn by lot"] * problem.n

    def lots(self, problem: Problem) -> Array:
        """(n, m) the shares drawn, adding up to one; the same at every call unless the seed is a generator."""
        generators = np.random.Generator | np.random.RandomState
        rng = self.seed if isinstance(self.seed, generators) else np.random.default_rng(self.seed)
        return np.stack([_lot(rng, problem.weight) for _ in range(problem.m)], axis=1)

    def _divide_together(self, fleets: Fleets) -> Array | None:
        """Grants (b, n, m) along the fleets' own lots, if they have any, whatever the seed."""
        return None if fleets.lots is None else _by_lot(fleets.lots, fleets)


def _lot(rng: np.random.Generator | np.random.RandomState, weight: Array) -> Array:
    """(n,) one draw, also where weights are too small or too large for the generator's arithmetic."""
    with np.errstate(all="ignore"):
        drawn = rng.dirichlet(weight)
    if np.isfinite(drawn).all() and drawn.any():
        return np.asarray(drawn)
    part = weight / weight.max()
    part /= part.sum()
    if weight.max() > 1:  # such concentrations leave nothing to chance
        return np.asarray(part)
    return np.asarray(rng.multinomial(1, part), dtype=np.float64)  # all to one, as weights fall to nothing


def _by_lot(lots: Array, fleet: Problem | Fleets) -> Array:
    """Grants (..., n, m) along lots; where all who drew any have enough, the others share the rest by weight."""
    grant = _along(lots, fleet).grant.mT
    none = (lots == 0) & (fleet.weight[..., None] > 0)
    if not none.any():
        return grant
    weight = np.where(none, fleet.weight[..., None], 0.0)
    had = np.where(none, fleet.floor, grant)
    return waterfill(weight.mT, 1.0, 0.0, fleet.capacity, had.mT, np.maximum(fleet.upper, had).mT).grant.mT


@dataclass(frozen=True)
class DRF(Policy):
    """Dominant resource fairness: equal shares of whatever each agent needs most.

    Cobb-Douglas agents have no demand vectors, so one is declared: agent i wants resources in the proportions
    gamma_ik / sum_l gamma_il, as fractions of the capacities, scaled so that its largest entry, the dominant
    share, is 1. Dominant shares (divided by weights) rise together until a resource runs out. Endowments do not
    count. What an agent needs most is sought among what it can still receive: one that meets its ceiling or its
    saturation there goes on at the same pace with what it needs most of the rest. With one resource this is Uniform.

    Parameters
    ----------
    work_conserving : bool
        True divides what is then left of the other resources in the same proportions; False leaves it unspent.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[[0, 0], [0, 0]], capacity=[1, 1], elasticity=[[0.8, 0.4], [0.3, 0.6]])
    >>> fs.allocate(fleet, fs.DRF()).grant.round(3)
    array([[0.667, 0.333],
           [0.333, 0.667]])
    """

    work_conserving: bool = True

    name: ClassVar[str] = "DRF"
    sentence: ClassVar[str] = "Everyone gets an equal share of the resource that matters most to them."

    @property
    def label(self) -> str:
        return self.name if self.work_conserving else f"{self.name} (pure)"

    def divide(self, problem: Problem) -> Division:
        demand = _demand(problem)
        share = problem.weight[:, None] * demand * problem.capacity
        filled = _along(share, problem)
        if _turns(problem, demand, filled.grant.mT).any():
            return Division(_rise(problem, demand, self.work_conserving), 0)
        if self.work_conserving:
            return Division(filled.grant.mT, 0)
        # The resource that stops the common rise first.
        run_out = float(np.max(filled.price, initial=0.0, where=_scarce(problem)))
        if run_out == 0:
            return Division(filled.grant.mT, 0)
        return Division(np.clip(share / run_out, problem.floor, problem.upper), 0)

    def _divide_together(self, fleets: Fleets) -> Array | None:
        if not self.work_conserving:
            return None
        demand = _demand(fleets)
        grant = _along(fleets.weight[..., None] * demand * fleets.capacity[:, None], fleets).grant.mT
        for i in np.flatnonzero(_turns(fleets, demand, grant).any(axis=1)):
            problem = fleets.problem(int(i))
            grant[i, : problem.n] = self.divide(problem).grant
        return grant

    def reasons(self, problem: Problem, grant: Array) -> Sequence[str]:
        if problem.m == 1:
            return [_same_amount(problem, grant)] * problem.n
        # What matters most to an agent is the one of which it could have all that it wants. Once a resource has run
        # out, what is left of the others is divided in the same proportions, and dominant shares part.
        open_to = (problem.upper > problem.floor) & (problem.capacity > 0)
        need = np.where(open_to, problem.elasticity, 0.0)
        dominant = open_to & (need >= need.max(axis=1, keepdims=True))
        free = inside(problem, grant)
        whole = problem.weight[:, None] * np.where(problem.capacity > 0, problem.capacity, 1.0)
        share = (grant / whole)[dominant & free]
        if share.size and np.ptp(share) <= SAME * share.max():
            who = "everyone" if free[dominant].all() and dominant.any(axis=1).all() else "whoever meets no limit"
            what = "a share, in proportion to weight," if problem.weighted else "an equal share"
            return [f"{who} gets {what} of the resource that matters most to them"] * problem.n
        counted = ", times weight" if problem.weighted else ""
        said = f"each resource is divided by how much it matters to an agent beside what matters most to it{counted}"
        return [said] * problem.n


def _demand(fleet: Problem | Fleets) -> Array:
    """(..., n, m) proportions in which resources are wanted, as fractions of the capacities; the largest is 1."""
    return np.asarray(fleet.elasticity / fleet.elasticity.max(axis=-1, keepdims=True))


def _scarce(problem: Problem) -> Mask:
    """(m,) what runs out before everybody has all it can use."""
    return np.asarray(problem.upper.sum(axis=0) > problem.capacity * (1 + ROUNDING))


def _turns(fleet: Problem | Fleets, demand: Array, grant: Array) -> Mask:
    """(..., n) who has all it can use of what it needs most, and so goes on with something else."""
    if fleet.m == 1:
        return np.zeros(grant.shape[:-1], dtype=bool)
    closed = (grant >= fleet.upper) | (fleet.capacity[..., None, :] == 0)
    return np.asarray((closed & (demand == 1)).any(axis=-1) & (fleet.weight > 0))


def _rise(problem: Problem, demand: Array, work_conserving: bool) -> Array:
    """Grants (n, m) where some change what they pursue on the way: resources run out one after the other."""
    unit = np.where(problem.capacity > 0, problem.capacity, 1.0)
    floor = problem.floor / unit
    with np.errstate(over="ignore"):
        most = problem.upper / unit
    # Of what floors exhaust nobody receives more.
    left = problem.capacity > problem.floor.sum(axis=0)
    most = np.where(left, most, floor)
    paths = _Paths(problem.weight / problem.weight.max(), demand, floor, most)
    share = most.copy()
    rising = left & _scarce(problem)
    while rising.any():
        times = {k: paths.spent(k) for k in range(problem.m) if rising[k]}
        first = min(times, key=times.__getitem__)
        at = paths.shares(times[first])
        if not work_conserving:
            return np.clip(at * unit, problem.floor, problem.upper)
        share[:, first] = at[:, first]
        # The others are divided in the same proportions: what has run out still sets the pace of those it would serve.
        paths = paths.without(first, at[:, first] < most[:, first])
        rising[first] = False
    return np.clip(share * unit, problem.floor, problem.upper)


class _Paths:
    """What everybody has at a time at which an agent of weight 1 would have a dominant share of as much.

    Agent i has min(r_i d_ik, most_ik) of resource k, or its floor. Its r_i rises by w_i over the largest d_ik among
    those of which it can still use some, so it is piecewise linear in time and bends at most m times.
    """

    def __init__(self, weight: Array, demand: Array, floor: Array, most: Array, end: Array | None = None) -> None:
        self.weight, self.demand, self.floor, self.most = weight, demand, floor, most
        with np.errstate(over="ignore", invalid="ignore"):
            # (n, m) the r_i at which each resource is enough.
            self.end = most / demand if end is None else end
            order = np.argsort(self.end, axis=1, kind="stable")
            bend = np.take_along_axis(self.end, order, axis=1)
            wanted = np.take_along_axis(demand, order, axis=1)
            # What is needed most of that and all later ones, by whole capacities.
            pursued = np.maximum.accumulate(wanted[:, ::-1], axis=1)[:, ::-1] / weight[:, None]
            width = np.nan_to_num(np.diff(bend, axis=1, prepend=0.0), nan=0.0, posinf=np.inf)
            time = np.cumsum(pursued * width, axis=1)
        start = np.zeros((len(weight), 1))
        self.bend, self.time = np.hstack([start, bend]), np.hstack([start, time])  # (n, m + 1)
        self.pursued = np.hstack([pursued, np.full_like(start, np.inf)])  # time per r after each bend

    def without(self, k: int, served: Mask) -> _Paths:
        """The same paths, with a resource that none of these will ever have enough of."""
        end = self.end.copy()
        end[served, k] = np.inf
        return _Paths(self.weight, self.demand, self.floor, self.most, end)

    def shares(self, time: float) -> Array:
        """(n, m) fractions of the capacities."""
        last = (self.time <= time).sum(axis=1) - 1
        rows = np.arange(len(last))
        reached = self.bend[rows, last] + (time - self.time[rows, last]) / self.pursued[rows, last]
        held = np.minimum(np.maximum(reached[:, None] * self.demand, self.floor), self.most)
        return np.where(reached[:, None] >= self.end, self.most, held)

    def spent(self, k: int) -> float:
        """The time at which a resource runs out that runs out."""
        with np.errstate(over="ignore", invalid="ignore"):
            lifted = self.floor[:, k] / self.demand[:, k]
            last = (self.bend <= lifted[:, None]).sum(axis=1) - 1
            rows = np.arange(len(last))
            leaves = self.time[rows, last] + (lifted - self.bend[rows, last]) * self.pursued[rows, last]
        times = np.concatenate([self.time.ravel(), leaves])
        times = np.unique(times[np.isfinite(times)])
        low, high = 0, len(times) - 1  # the last time at which there is still some
        while low < high:
            middle = (low + high + 1) // 2
            if self.shares(times[middle])[:, k].sum() <= 1:
                low = middle
            else:
                high = middle - 1
        start, had = times[low], float(self.shares(times[low])[:, k].sum())
        if low + 1 < len(times):
            gained = float(self.shares(times[low + 1])[:, k].sum()) - had
            return float(start + (times[low + 1] - start) * (1 - had) / gained)
        # Nothing bends any more.
        last = (self.time <= start).sum(axis=1) - 1
        rows = np.arange(len(last))
        rate = np.where(self.bend[:, -1] > self.bend[rows, last], self.demand[:, k] / self.pursued[rows, last], 0.0)
        return float(start + (1 - had) / rate[self.end[:, k] == np.inf].sum())
