"""What is a division worth if elasticities are only known within their fitted interval?

Each elasticity is drawn from the normal distribution of its estimate and standard error, cut off at 0 and 1:

    gamma_ik ~ N(estimate_ik, error_ik^2)  given  0 < gamma_ik < 1,

independently. Every rule then answers two questions in every draw: what today's grants are worth if they are kept, and
what the rule would have done had these elasticities been known. Regret is the mean accuracy lacking against the best
found in that draw, by any of the rules on either question (Savage 1951).

>>> import fairsynergy as fs
>>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.6, 0.3])
>>> found = uncertain(fleet, fs.POLICIES, 0.1, draws=200)
>>> kept = found.prospects["Leximin"].kept
>>> [round(float(value), 2) for value in band(kept.mean)], round(fs.allocate(fleet, fs.Leximin()).mean, 2)
([0.64, 0.72, 0.79], 0.72)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from fairsynergy.allocation import Allocation, allocate
from fairsynergy.analysis.fairness import TIE
from fairsynergy.errors import ProblemError
from fairsynergy.kernel import Fleets
from fairsynergy.kernel._dual import bounds, bounds_at
from fairsynergy.kernel._objective import TotalUtility
from fairsynergy.policies import Policy, Random, Uniform
from fairsynergy.problem import Array, Problem

Mask = NDArray[np.bool_]

DRAWS = 1000
# What a band leaves out below and above.
TAIL = 0.05
# Above this many agents the envy of a sample of so many stands for that of all.
SAMPLED_ABOVE = 200
# Log accuracies closer than this are a tie.
LOG_TIE = float(np.log1p(-TIE))
# Elasticities stay this far inside (0, 1).
EDGE = float(np.finfo(np.float64).eps)


class Band(NamedTuple):
    """Where 90 % of the draws lie: 5th, 50th and 95th percentile, numbers or (n,) arrays."""

    low: Array
    middle: Array
    high: Array


class Outcomes(NamedTuple):
    """What a rule's grants are worth in each draw; all (draws,)."""

    mean: Array
    worst: Array
    best: Array
    regret: Array  #: mean accuracy lacking against the best mean found in that draw
    leads_mean: Mask  #: whether no other rule has a higher mean on the same question, by `TIE`
    leads_worst: Mask  #: the same of the worst-off's accuracy


class Promises(NamedTuple):
    """Whether a plan still keeps its promises in each draw, by `TIE`; all (draws,).

    Definitions are those of the fair-share report. Equal shares are what Uniform gives.
    """

    sharing: Mask  #: nobody is below its accuracy with an equal share
    envy_free: Mask  #: nobody would rather have another's grant
    mean: Mask  #: the mean is no lower than with equal shares
    worst: Mask  #: the worst-off's accuracy is no lower than the worst-off's with equal shares


@dataclass(frozen=True, eq=False)
class Prospect:
    """One rule in every draw.

    Parameters
    ----------
    plan : Allocation
        Today's division, made for the estimates.
    kept : Outcomes
        Of today's grants.
    known : Outcomes
        Of what the rule would have given had the draw been known.
    agents : Band
        Of each agent's accuracy (n,) under today's grants.
    promises : Promises
        Of today's grants.
    missing : (draws,) array or None
        What is proved about `known` for a rule that maximises the total, with one or two resources: at most this
        fraction of the best total is missing. None for other rules.
    """

    plan: Allocation
    kept: Outcomes
    known: Outcomes
    agents: Band
    promises: Promises
    missing: Array | None


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """Every rule in every draw; made by `uncertain`.

    Parameters
    ----------
    problem : Problem
        The fleet as estimated.
    error : (n, m) array
        Standard errors of its elasticities.
    draws, seed : int
        How many, from where.
    prospects : mapping of str to Prospect
        The rules by name.
    best_mean : (draws,) array
        The best mean accuracy found in each draw.
    compared : int
        How many agents' envy was looked at; fewer than there are above `SAMPLED_ABOVE`.
    """

    problem: Problem
    error: Array
    draws: int
    seed: int
    prospects: Mapping[str, Prospect]
    best_mean: Array
    compared: int


def band(values: Array) -> Band:
    """The middle 90 % of the draws, which are the first axis.

    Parameters
    ----------
    values : (draws, ...) array
        Whatever was drawn.

    Examples
    --------
    >>> [round(float(value), 2) for value in band(np.linspace(0, 1, 101))]
    [0.05, 0.5, 0.95]
    """
    return Band(*np.quantile(values, [TAIL, 0.5, 1 - TAIL], axis=0))


def draw(problem: Problem, error: ArrayLike, *, draws: int = DRAWS, seed: int = 0) -> Fleets:
    """The fleet again and again, each time with other elasticities that its measurements allow.

    Parameters
    ----------
    problem : Problem
        The fleet as estimated.
    error : float, (m,), (n,) where m = 1, or (n, m) array_like
        Standard error of each elasticity, finite and >= 0; 0 if it is known exactly.
    draws : int
        How many, at least 1. More draws begin with the same ones.
    seed : int
        Where they come from; the same seed gives the same draws.

    Returns
    -------
    Fleets
        One per draw. Random's lots are today's in all of them. O(draws n m) memory.

    Raises
    ------
    ProblemError
        If an error is negative or no number, or there are no draws.

    Examples
    --------
    >>> problem = Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.5, 0.3])
    >>> draw(problem, [0.0, 0.1], draws=3).elasticity[..., 0].round(2)
    array([[0.5 , 0.24],
           [0.5 , 0.09],
           [0.5 , 0.44]])
    """
    spread = _errors(problem, error)
    _refuse_count("draws", draws, 1)
    _refuse_count("seed", seed, 0)
    centre, scale = problem.elasticity.T, spread.T
    chance = np.random.default_rng(seed).random((draws, problem.m, problem.n))
    with np.errstate(divide="ignore", over="ignore"):
        low, high = ndtr(-centre / scale), ndtr((1 - centre) / scale)
    moved = scale * np.nan_to_num(ndtri(low + chance * (high - low)), posinf=0.0, neginf=0.0)
    # Of an elasticity known exactly not even the rounding changes.
    gamma = np.where(scale > 0, np.clip(centre + moved, EDGE, 1 - EDGE), centre)
    return Fleets.around(problem, elasticity=gamma.mT, lots=Random().lots(problem))


def uncertain(
    problem: Problem,
    policies: Mapping[str, Policy],
    error: ArrayLike,
    *,
    draws: int = DRAWS,
    seed: int = 0,
    plans: Mapping[str, Allocation] | None = None,
) -> Uncertainty:
    """What each rule's plan is worth where elasticities may be others, and what it would do if it knew them.

    Parameters
    ----------
    problem : Problem
        The fleet as estimated.
    policies : mapping of str to Policy
        The rules, by name. Those that can divide many fleets at once take milliseconds for a thousand draws.
    error : float, (m,), (n,) where m = 1, or (n, m) array_like
        Standard error of each elasticity, finite and >= 0.
    draws, seed : int
        How many draws, at least 1, and where they come from.
    plans : mapping of str to Allocation, optional
        Today's divisions, where they are known; others are made.

    Returns
    -------
    Uncertainty
        Fair-Synergy over two resources is divided anew by climbing from today's grants, not by its full search: how
        much that may miss is proved in every draw (`Prospect.missing`). O(draws n m) memory.

    Raises
    ------
    ProblemError
        If there is no rule, an error is negative or no number, a plan is of another problem or of no rule here, or
        Random's seed is a generator, which draws other lots each time.
    """
    if not policies:
        raise ProblemError("`policies` is empty; give at least one rule by name", field="policies")
    known_plans = dict(plans or {})
    for name, plan in known_plans.items():
        if name not in policies or plan.problem != problem:
            raise ProblemError(
                f"`plans[{name!r}]` must be a division of this problem by one of the rules "
                f"({', '.join(policies)}); allocate this problem, or leave the plan out",
                field="plans",
            )
    spread = _errors(problem, error)
    fleets = draw(problem, spread, draws=draws, seed=seed)
    equal = _log_utility(fleets, problem, Uniform().divide(problem).grant)
    chosen = np.arange(problem.n)
    if problem.n > SAMPLED_ABOVE:
        chosen = np.sort(np.random.default_rng(seed).choice(problem.n, SAMPLED_ABOVE, replace=False))

    made, means = {}, []
    for name, policy in policies.items():
        plan = known_plans[name] if name in known_plans else allocate(problem, policy)
        log_kept = _log_utility(fleets, problem, plan.grant)
        grant = _divided(fleets, problem, policy, plan)
        kept, known = np.exp(log_kept), fleets.utility(grant)
        agents, missing = band(kept), _missing(fleets, policy, plan, grant)
        promises = _promises(fleets, problem, plan.grant, log_kept, equal, chosen)
        made[name] = (plan, _Worth.of(kept), _Worth.of(known), agents, promises, missing)
        means += [made[name][1].mean, made[name][2].mean]
    best = np.max(means, axis=0)
    lead = {
        (question, measure): np.max([getattr(parts[question], measure) for parts in made.values()], axis=0)
        for question in (1, 2)
        for measure in ("mean", "worst")
    }

    def outcomes(worth: _Worth, question: int) -> Outcomes:
        leads = (getattr(worth, name) >= lead[question, name] * (1 - TIE) for name in ("mean", "worst"))
        return Outcomes(*worth, best - worth.mean, *leads)

    prospects = {
        name: Prospect(plan, outcomes(kept, 1), outcomes(known, 2), agents, promises, missing)
        for name, (plan, kept, known, agents, promises, missing) in made.items()
    }
    return Uncertainty(problem, spread, draws, seed, prospects, best, len(chosen))


class _Worth(NamedTuple):
    """Mean, worst and best accuracy in each draw."""

    mean: Array
    worst: Array
    best: Array

    @classmethod
    def of(cls, utility: Array) -> _Worth:
        return cls(utility.mean(axis=1), utility.min(axis=1), utility.max(axis=1))


def _errors(problem: Problem, error: ArrayLike) -> Array:
    """(n, m) standard errors, checked."""
    value = np.asarray(error)
    if value.ndim == 0 or (value.ndim == 1 and value.shape == (problem.m,)):
        value = np.broadcast_to(value, (problem.n, problem.m))
    return problem.amounts("error", value)


def _refuse_count(field: str, given: int, least: int) -> None:
    if isinstance(given, bool) or not isinstance(given, int | np.integer) or given < least:
        raise ProblemError(f"`{field}` must be a whole number >= {least}, got {given!r}", field=field)


def _log_utility(fleets: Fleets, problem: Problem, grant: Array) -> Array:
    """(draws, n) log accuracies under the same grants (n, m) in every draw."""
    with np.errstate(divide="ignore"):
        logs = np.log(np.minimum(problem.holding(grant), problem.saturation))
    return np.asarray((fleets.elasticity * logs).sum(axis=2))


def _divided(fleets: Fleets, problem: Problem, policy: Policy, plan: Allocation) -> Array:
    """(draws, n, m) what the rule gives in each draw."""
    if isinstance(policy, Random):
        if not isinstance(policy.seed, int | np.integer):
            raise ProblemError(
                "Random's seed is a generator, which draws other lots each time; give it a number instead",
                field="policies",
            )
        lots = np.broadcast_to(policy.lots(problem).T, (len(fleets), problem.m, problem.n)).mT
        return policy.divide_many(replace(fleets, lots=lots)).grant
    return policy.sketch_many(fleets, near=plan.grant)


def _missing(fleets: Fleets, policy: Policy, plan: Allocation, grant: Array) -> Array | None:
    """(draws,) at most this fraction of the best total is missing; None for other rules than those that aim at it."""
    if fleets.m > 2 or not isinstance(policy.objective, TotalUtility):
        return None
    # The marginals of an optimum are the best prices where the total is concave; elsewhere today's are better.
    if plan.price is None or (fleets.elasticity.sum(axis=2) <= 1).all():
        best = bounds(fleets, grant)
    else:
        best = bounds_at(fleets, np.broadcast_to(plan.price, fleets.capacity.shape))
    total = fleets.total(grant)
    return np.asarray(np.maximum(0.0, 1 - np.divide(total, best, out=np.ones_like(best), where=best > 0)))


def _promises(
    fleets: Fleets, problem: Problem, grant: Array, kept: Array, equal: Array, chosen: NDArray[np.intp]
) -> Promises:
    """Which promises grants (n, m) keep in each draw, from log accuracies (draws, n) under them and equal shares."""
    liked = _favourites(fleets, problem, grant, chosen)
    share, own = np.exp(equal), np.exp(kept)
    return Promises(
        sharing=np.asarray((kept >= equal + LOG_TIE).all(axis=1)),
        envy_free=np.asarray((kept[:, chosen] >= liked + LOG_TIE).all(axis=1)),
        mean=own.mean(axis=1) >= share.mean(axis=1) * (1 - TIE),
        worst=own.min(axis=1) >= share.min(axis=1) * (1 - TIE),
    )


def _favourites(fleets: Fleets, problem: Problem, grant: Array, chosen: NDArray[np.intp]) -> Array:
    """(draws, chosen) log accuracy of each agent with the grant of all that it would like best."""
    # Only grants of which no other is at least as large in everything can be anybody's favourite.
    offers = np.unique(grant, axis=0)[::-1]
    if problem.m <= 2:
        second = offers[:, -1] if problem.m == 2 else np.zeros(len(offers))
        highest = np.maximum.accumulate(second)
        offers = offers[np.concatenate([[True], second[1:] > highest[:-1]])]
    liked = np.empty((len(fleets), len(chosen)))
    for column, i in enumerate(chosen):
        with np.errstate(divide="ignore"):
            logs = np.log(np.minimum(problem.endowment[i] + offers, problem.saturation[i]))
        liked[:, column] = (fleets.elasticity[:, i] @ logs.T).max(axis=1)
    return liked
