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

from fairsynergy.fleets import Fleets
from fairsynergy.policies.policy import Division, Policy, inside
from fairsynergy.problem import Array, Problem
from fairsynergy.waterfill import Filling, waterfill

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
        return Division(_along(self.lots(problem), problem).grant.mT, 0)

    def reasons(self, problem: Problem, grant: Array) -> Sequence[str]:
        return ["shares are drawn by lot"] * problem.n

    def lots(self, problem: Problem) -> Array:
        """(n, m) the shares drawn, adding up to one; the same at every call unless the seed is a generator."""
        generators = np.random.Generator | np.random.RandomState
        rng = self.seed if isinstance(self.seed, generators) else np.random.default_rng(self.seed)
        return np.stack([rng.dirichlet(problem.weight) for _ in range(problem.m)], axis=1)

    def _divide_together(self, fleets: Fleets) -> Array | None:
        """Grants (b, n, m) along the fleets' own lots, if they have any, whatever the seed."""
        return None if fleets.lots is None else _along(fleets.lots, fleets).grant.mT


@dataclass(frozen=True)
class DRF(Policy):
    """Dominant resource fairness: equal shares of whatever each agent needs most.

    Cobb-Douglas agents have no demand vectors, so one is declared: agent i wants resources in the proportions
    gamma_ik / sum_l gamma_il, as fractions of the capacities, scaled so that its largest entry, the dominant
    share, is 1. Dominant shares (divided by weights) rise together until a resource runs out. Endowments do not
    count. With one resource this is Uniform.

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
        share = self._share(problem)
        filled = _along(share, problem)
        if self.work_conserving:
            return Division(filled.grant.mT, 0)
        run_out = float(np.max(filled.price))  # the resource that stops the common rise first
        if run_out == 0:
            return Division(filled.grant.mT, 0)
        return Division(np.clip(share / run_out, problem.floor, problem.upper), 0)

    def _divide_together(self, fleets: Fleets) -> Array | None:
        return _along(self._share(fleets), fleets).grant.mT if self.work_conserving else None

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

    def _share(self, fleet: Problem | Fleets) -> Array:
        demand = fleet.elasticity / fleet.elasticity.max(axis=-1, keepdims=True)
        return np.asarray(fleet.weight[..., None] * demand * fleet.capacity[..., None, :])
