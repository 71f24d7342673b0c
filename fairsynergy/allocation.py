"""The verb and its answer: `allocate(problem, policy)` returns an `Allocation` that carries its own proof.

The certificate is computed here, from the numbers alone, for every rule and for baselines too; no rule is trusted.

>>> import fairsynergy as fs
>>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.5, 0.3])
>>> allocation = fs.allocate(fleet, fs.FairSynergy())
>>> allocation.status.name, allocation.gap < 1e-12
('OPTIMAL', True)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from time import perf_counter
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from fairsynergy.errors import SolverError
from fairsynergy.kernel._dual import lowest_bound, proved_bound
from fairsynergy.kernel._objective import AlphaWelfare, Levelling, TotalUtility
from fairsynergy.policies import Division, FairSynergy, Nash, Policy
from fairsynergy.policies._policy import OPTIMAL_WITHIN
from fairsynergy.problem import Array, Problem, read_only

# Largest relative violation of a limit that rounding explains.
FEASIBLE_WITHIN = 1e-9


class Status(Enum):
    """What is proved about an allocation; the value is the sentence shown to the user."""

    OPTIMAL = "Proved optimal: no other grants serve this rule's objective better, within the rule's tolerance."
    STATIONARY = (
        "Stationary: no exchange of one resource alone improves it, but another division may; optimality is not proved."
    )
    FEASIBLE = "Feasible: it respects every limit and claims nothing more."
    FAILED = "Failed: it breaks a limit or is not a number; do not use it, and report the rule that made it."


@dataclass(frozen=True)
class Certificate:
    """How well the grants satisfy each condition, as relative residuals; 0 is perfect.

    Parameters
    ----------
    objective : str
        What the first-order conditions were checked for: the rule's own objective, or the total for a rule that
        has none (there a large stationarity residual says how unequal the marginals are).
    budget : float
        Largest overspending, as a fraction of the capacity; infinite where there is no capacity.
    nonnegativity : float
        Largest violation of a floor or ceiling, as a fraction of that limit; infinite beyond a limit of 0.
    stationarity : float
        Largest relative distance of a marginal from the price (Fair-Synergy Eq. 4 and 8; one-sided at a bound).
    complementarity : float
        Largest fraction of a capacity left unspent although it still has a price.
    upper_bound : float or None
        Proved bound on the best total any division can reach, where one is known; tight at an optimum of the
        total and with one resource, loose for rules that aim elsewhere with more.
    gap : float or None
        (upper_bound - total) / upper_bound: at most this fraction of the best total is missing.
    own_gap : float or None
        The same for the rule's own objective: `gap` if that is the total, else from a proof that the rule gave.
    saddle : bool
        Whether a small exchange is known to improve the objective although all marginals are level: it gains in the
        second order. Where this is False, nothing is said about exchanges at a bound whose marginals are level, too.
    """

    objective: str
    budget: float
    nonnegativity: float
    stationarity: float
    complementarity: float
    upper_bound: float | None
    gap: float | None
    own_gap: float | None
    saddle: bool = False

    @property
    def feasible(self) -> bool:
        """Whether every limit is respected, within rounding."""
        return max(self.budget, self.nonnegativity) <= FEASIBLE_WITHIN

    @property
    def stationary(self) -> bool:
        """Whether the first-order conditions hold, within `OPTIMAL_WITHIN`."""
        return self.feasible and max(self.stationarity, self.complementarity) <= OPTIMAL_WITHIN


@dataclass(frozen=True, eq=False)
class Allocation:
    """Who gets what under a rule, with its consequences and its proof. Made by `allocate`.

    Parameters
    ----------
    problem, policy : Problem, Policy
        What was asked.
    grant : (n, m) array
        What the cloud gives each agent [units of the resource].
    price : (m,) array or None
        Marginal value of each capacity in units of the rule's objective; None for a rule without one. At a kink, where
        the next unit adds less than the last one did, this lies between the two.
    next_price, last_price : (m,) array or None
        What the next unit of each capacity adds to the objective, 0 if nobody can use it, and what the last one did,
        infinity if nobody can give any up.
    certificate, status : Certificate, Status
        The proof, and its verdict.
    seconds : float
        Time the rule took, certificate excluded.
    iterations : int
        Rounds or passes the rule needed; 0 for a closed form.
    """

    problem: Problem
    policy: Policy
    grant: Array = field(repr=False)
    price: Array | None = field(repr=False)
    next_price: Array | None = field(repr=False)
    last_price: Array | None = field(repr=False)
    certificate: Certificate
    status: Status
    seconds: float
    iterations: int

    @cached_property
    def holding(self) -> Array:
        """(n, m) endowment plus grant."""
        return read_only(self.problem.holding(self.grant))

    @cached_property
    def utility(self) -> Array:
        """(n,) accuracy of each agent."""
        return read_only(self.problem.utility(self.grant))

    @property
    def unspent(self) -> Array:
        """(m,) capacity nobody was given."""
        return np.asarray(np.maximum(self.problem.capacity - self.grant.sum(axis=0), 0.0))

    @property
    def mean(self) -> float:
        """Average accuracy, unweighted."""
        return float(self.utility.mean())

    @property
    def weighted_mean(self) -> float:
        """Average accuracy in which each agent counts by its weight: the total over the sum of weights; the mean where
        all weights are equal."""
        return self.total / float(self.problem.weight.sum())

    @property
    def worst(self) -> float:
        """Accuracy of the worst-off agent."""
        return float(self.utility.min())

    @property
    def best(self) -> float:
        """Accuracy of the best-off agent."""
        return float(self.utility.max())

    @property
    def total(self) -> float:
        """Sum of accuracies times weights, what Fair-Synergy maximises."""
        return float(self.problem.weight @ self.utility)

    @property
    def upper_bound(self) -> float | None:
        """Proved bound on the total of any division, or None."""
        return self.certificate.upper_bound

    @property
    def gap(self) -> float | None:
        """At most this fraction of the best total is missing, proved; or None."""
        return self.certificate.gap


def allocate(problem: Problem, policy: Policy) -> Allocation:
    """Divide the problem's capacity by a rule, and certify the result.

    Parameters
    ----------
    problem : Problem
        The fleet and the cloud.
    policy : Policy
        The rule, with its settings.

    Raises
    ------
    ProblemError
        If the rule does not handle this kind of problem.
    SolverError
        If the rule's algorithm did not finish.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.5, 0.3])
    >>> {name: round(fs.allocate(fleet, policy).mean, 3) for name, policy in fs.POLICIES.items()}
    {'Fair-Synergy': 0.736, 'Random': 0.703, 'Uniform': 0.714, 'NUM': 0.729, 'DRF': 0.714, 'Leximin': 0.735}
    """
    start = perf_counter()
    division = policy.divide(problem)
    seconds = perf_counter() - start
    grant = read_only(np.array(division.grant, dtype=np.float64))
    if grant.shape != (problem.n, problem.m):
        raise SolverError(
            f"{policy.label} made grants of shape {grant.shape} for {problem.n} agents and {problem.m} resources; "
            "correct its `divide`, which must return one grant per agent and resource"
        )
    objective = policy.objective or TotalUtility()
    levelling = objective.level(problem, grant)
    certificate = _certify(problem, policy, division, grant, levelling)
    priced = policy.objective is not None
    return Allocation(
        problem=problem,
        policy=policy,
        grant=grant,
        price=read_only(levelling.price) if priced else None,
        next_price=read_only(levelling.following) if priced else None,
        last_price=read_only(_where_spent(problem, grant, levelling)) if priced else None,
        certificate=certificate,
        status=_verdict(problem, policy, certificate),
        seconds=seconds,
        iterations=division.iterations,
    )


def _certify(problem: Problem, policy: Policy, division: Division, grant: Array, levelling: Levelling) -> Certificate:
    objective = policy.objective or TotalUtility()
    capacity = problem.capacity
    spent = grant.sum(axis=0)
    total = float(problem.weight @ problem.utility(grant))
    aims_at_total = isinstance(policy.objective, TotalUtility)
    if aims_at_total and division.proof is not None:
        bound: float | None = proved_bound(problem, division.proof)
    else:
        bound = _upper_bound(problem, policy, grant, levelling.price)
    gap = None if bound is None else max(0.0, 1 - total / bound) if bound > 0 else 0.0
    own_gap = gap if aims_at_total else None
    if not aims_at_total and division.proof is not None and isinstance(objective, AlphaWelfare):
        own_gap = objective.gap(problem, grant, division.proof)
    level = levelling.residual <= OPTIMAL_WITHIN
    saddle = level and not objective.concave(problem) and objective.rising(problem, grant) is not None
    return Certificate(
        objective=objective.sentence,
        budget=_beyond(spent, capacity),
        nonnegativity=max(_beyond(problem.floor, grant, problem.floor), _beyond(grant, problem.ceiling)),
        stationarity=levelling.residual,
        complementarity=_beyond(np.where(levelling.price > 0, capacity, 0.0), spent, capacity),
        upper_bound=bound,
        gap=gap,
        own_gap=own_gap,
        saddle=saddle,
    )


def _where_spent(problem: Problem, grant: Array, levelling: Levelling) -> Array:
    """(m,) what the last unit of each capacity added: no less is needed of what is left over."""
    left = grant.sum(axis=0) < problem.capacity * (1 - FEASIBLE_WITHIN)
    return np.where(left, levelling.following, np.maximum(levelling.following, levelling.last))


def _beyond(amount: Array, limit: Array, unit: Array | None = None) -> float:
    """How far amounts exceed their limits at most, relative to the limits or other units; infinite beyond zero."""
    over = ~(amount <= limit)  # what is not a number is beyond any
    with np.errstate(divide="ignore", over="ignore"):
        parts = np.subtract(amount, limit, where=over, out=np.zeros_like(amount))
        np.divide(parts, limit if unit is None else unit, where=over, out=parts)
    return float(np.max(parts, initial=0.0))


def _upper_bound(problem: Problem, policy: Policy, grant: Array, price: Array) -> float | None:
    """From the tangent plane where the total is concave, else from the dual, at prices that mean something to it."""
    if isinstance(policy.objective, TotalUtility):
        bound = TotalUtility().upper_bound(problem, grant)
        return lowest_bound(problem, price) if bound is None and problem.m == 2 else bound
    if not TotalUtility().concave(problem):
        return None
    if problem not in _KNOWN:
        # The bound belongs to the problem: the plane is steep at grants that leave somebody with nothing.
        nearby = FairSynergy() if problem.m == 1 else Nash()
        try:
            _KNOWN[problem] = TotalUtility().upper_bound(problem, nearby.divide(problem).grant)
        except SolverError:  # of a rule that nobody asked for
            _KNOWN[problem] = None
    known = _KNOWN[problem]
    if known is not None and problem.m == 1:  # tight: no plane lies lower
        return known
    own = TotalUtility().upper_bound(problem, grant)
    return min((bound for bound in (known, own) if bound is not None), default=None)


# What was found about problems that are still in use, whatever rule divides them.
_KNOWN: WeakKeyDictionary[Problem, float | None] = WeakKeyDictionary()


def _verdict(problem: Problem, policy: Policy, certificate: Certificate) -> Status:
    objective = policy.objective
    if not certificate.feasible:
        return Status.FAILED
    if certificate.own_gap is not None and certificate.own_gap <= policy.proved_within:
        return Status.OPTIMAL
    if objective is None or not certificate.stationary:
        return Status.FEASIBLE
    return Status.OPTIMAL if objective.concave(problem) else Status.STATIONARY


class Breach(NamedTuple):
    """A limit that grants break: whose, of which resource, and by how much.

    Parameters
    ----------
    limit : str
        "capacity", "floor" or "ceiling".
    agent : str or None
        Who is furthest beyond its limit; None for a capacity.
    resource : str
        Of what.
    amount, bound : float
        What is granted, and what may be [units of the resource].
    others : int
        How many more agents break such a limit of the resource.
    """

    limit: str
    agent: str | None
    resource: str
    amount: float
    bound: float
    others: int


def breaches(problem: Problem, grant: Array) -> tuple[Breach, ...]:
    """The limits that grants break, of each resource the capacity first; none where all are kept, within rounding.

    Parameters
    ----------
    problem : Problem
        The fleet and its limits.
    grant : (n, m) array
        Who receives what [units of each resource].

    Examples
    --------
    >>> fleet = Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3], floor=[0.1, 0])
    >>> breaches(fleet, np.array([[0.0], [0.5]]))
    (Breach(limit='floor', agent='agent 1', resource='compute', amount=0.0, bound=0.1, others=0),)
    """
    found = []
    for k, resource in enumerate(problem.resources):
        spent, capacity = float(grant[:, k].sum()), float(problem.capacity[k])
        if spent > capacity * (1 + FEASIBLE_WITHIN):
            found.append(Breach("capacity", None, resource, spent, capacity, 0))
        for name, bound, way in (("floor", problem.floor[:, k], -1.0), ("ceiling", problem.ceiling[:, k], 1.0)):
            beyond = way * (grant[:, k] - bound)
            off = beyond > FEASIBLE_WITHIN * np.where(np.isfinite(bound), bound, 0.0)
            if off.any():
                i = int(np.argmax(np.where(off, beyond, -np.inf)))
                amounts = (float(grant[i, k]), float(bound[i]))
                found.append(Breach(name, problem.agents[i], resource, *amounts, int(off.sum()) - 1))
    return tuple(found)
