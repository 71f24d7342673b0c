"""The referee: the same problems as cone programmes in CVXPY and Clarabel, sharing no code with the rules.

With holdings h_ik <= min(e_ik + x_ik, saturation_ik), lo <= x <= hi and sum_i x_ik <= C_k:

    total accuracy   max sum_i w_i u_i       u_i <= prod_k h_ik^g_ik, a chain of three-dimensional power cones
    NUM              max sum_ik w_i log h_ik
    Leximin          max s                   s + log w_i <= sum_k g_ik log h_ik   (the lowest level only)
    alpha-fair < 1   as the total, with elasticities (1 - alpha) g_ik
    alpha = 1        max sum_ik w_i g_ik log h_ik
    alpha > 1        max s                   log sum_i w_i exp((alpha - 1)(s - v_i)) <= log sum_i w_i,
                                             v_i <= sum_k g_ik log h_ik

The total is convex iff sum_k g_ik <= 1 for every agent (Fair-Synergy, Problems 1 and 2), alpha-fair welfare iff
(1 - alpha) sum_k g_ik <= 1; others are refused.
The referee is slow, and exact to about 1e-8: it judges objectives tightly and grants loosely. It is the only
importer of cvxpy.

>>> import fairsynergy as fs
>>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.5, 0.3])
>>> verdict = solve(fleet, fs.FairSynergy())
>>> round(verdict.objective, 6), round(fs.allocate(fleet, fs.FairSynergy()).total, 6)
(1.472069, 1.472069)
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from time import perf_counter
from typing import Any, NamedTuple

import cvxpy as cp
import numpy as np

from fairsynergy.errors import ProblemError, SolverError, typed
from fairsynergy.kernel._objective import AlphaWelfare, LogHolding, Objective, TotalUtility, WorstUtility
from fairsynergy.policies._policy import Policy
from fairsynergy.problem import Array, Problem

# Elasticities that add up to 1 but for rounding are constant returns: no exponent is left for a last cone.
ROUNDING = 1e-12


class Statement(NamedTuple):
    """A rule's problem as a `cvxpy.Problem`, and in it the variable of the grants (n, m), in these units (m,)."""

    programme: Any
    grant: Any
    unit: Array


class Reference(NamedTuple):
    """The referee's grants (n, m) and their `score`, the status as CVXPY words it, seconds to state and solve."""

    objective: float
    grant: Array
    status: str
    seconds: float


def solve(problem: Problem, policy: Policy) -> Reference:
    """Solve what a rule maximises, independently of how the rule does it.

    Parameters
    ----------
    problem : Problem
        The fleet and the cloud.
    policy : Policy
        A rule with one of the objectives above; settings that do not show in it are ignored.

    Raises
    ------
    ProblemError
        If the rule has no objective that is stated here, or it is not concave.
    SolverError
        If Clarabel does not reach an optimum.
    """
    start = perf_counter()
    # In units of equal shares or of capacities: where Clarabel gives up in one of the two, it seldom does in the other.
    status = ""
    for unit in (_equal_shares(problem), _equal_shares(problem) * problem.n):
        programme, grant, _ = state(problem, policy, unit=unit)
        try:
            with warnings.catch_warnings(action="ignore"):  # of an inaccurate solution: an error of ours, just below
                programme.solve(solver=cp.CLARABEL)
        except cp.error.SolverError as error:
            status = str(error)
            continue
        status = programme.status
        if status == cp.OPTIMAL:
            # What it granted beyond saturation is no part of the answer, merely free.
            found = np.clip(grant.value * unit, problem.floor, problem.upper)
            return Reference(score(problem, policy, found), found, status, perf_counter() - start)
    raise SolverError(f"Clarabel ended {problem!r} with status {status!r}; rescale the problem")


def state(problem: Problem, policy: Policy, *, unit: Array | None = None) -> Statement:
    """State what a rule maximises, for any solver that CVXPY knows, or to add constraints to.

    Parameters
    ----------
    problem : Problem
        The fleet and the cloud.
    policy : Policy
        As for `solve`.
    unit : (m,) array, optional
        In which to measure each resource; default equal shares of the capacity, since solvers' tolerances are
        absolute.

    Raises
    ------
    ProblemError
        As `solve` does.
    """
    objective = _objective(policy)
    unit = _equal_shares(problem) if unit is None else unit
    grant = cp.Variable((problem.n, problem.m))
    holding = cp.Variable((problem.n, problem.m))
    limits = [
        holding <= problem.endowment / unit + grant,
        grant >= problem.floor / unit,
        cp.sum(grant, axis=0) <= problem.capacity / unit,
    ]
    for bounded, limit in ((grant, problem.ceiling), (holding, problem.saturation)):
        finite = np.nonzero(np.isfinite(limit))
        if finite[0].size:
            limits.append(bounded[finite] <= (limit / unit)[finite])
    value, law = _STATEMENTS[type(objective)](problem, objective, holding, np.log(unit))
    return Statement(cp.Problem(cp.Maximize(value), limits + law), grant, unit)


def score(problem: Problem, policy: Policy, grant: Array) -> float:
    """What a rule maximises, at these grants (n, m), in a unit that no setting of the rule takes out of range.

    The weighted total of accuracies, the weighted sum of log holdings, the lowest U_i / w_i, or for alpha-fair
    welfare the accuracy that would be as good if everyone had it.

    Raises
    ------
    ProblemError
        If the rule has no objective that is stated here.
    """
    objective = _objective(policy)
    if isinstance(objective, TotalUtility):
        return float(problem.weight @ problem.utility(grant))
    if isinstance(objective, AlphaWelfare):
        share, power = problem.weight / problem.weight.sum(), 1 - objective.alpha
        log_accuracy = problem.log_utility(grant)
        if power == 0:
            return float(np.exp(share @ log_accuracy))
        scale = log_accuracy.max() if power > 0 else log_accuracy.min()  # no overflow for any alpha
        return float(np.exp(scale) * (share @ np.exp(power * (log_accuracy - scale))) ** (1 / power))
    if isinstance(objective, LogHolding):
        with np.errstate(divide="ignore"):
            held = np.log(np.minimum(problem.holding(grant), problem.saturation))
        return float(problem.weight @ held.sum(axis=1))
    return float(np.min(problem.utility(grant) / problem.weight))


def _objective(policy: Policy) -> Objective:
    objective = policy.objective
    if objective is None or type(objective) not in _STATEMENTS:
        raise ProblemError(f"the referee cannot state what {policy.label} maximises; choose another rule")
    return objective


def _equal_shares(problem: Problem) -> Array:
    return np.where(problem.capacity > 0, problem.capacity, 1.0) / problem.n


def _welfare(problem: Problem, objective: Any, holding: Any, log_unit: Array) -> tuple[Any, list[Any]]:
    if objective.alpha < 1:
        return _powers(problem, objective.alpha, holding, log_unit)
    log_accuracy = cp.sum(cp.multiply(problem.elasticity, cp.log(holding)), axis=1) + problem.elasticity @ log_unit
    if objective.alpha == 1:
        return problem.weight / problem.weight.max() @ log_accuracy, []
    # Of the forms that say this, the one in which Clarabel gives up least often.
    level, reached = cp.Variable(), cp.Variable(problem.n)
    log_share = np.log(problem.weight / problem.weight.sum())
    as_good = cp.log_sum_exp(log_share + (objective.alpha - 1) * (level - reached)) <= 0
    return level, [reached <= log_accuracy, as_good]


def _powers(problem: Problem, alpha: float, holding: Any, log_unit: Array) -> tuple[Any, list[Any]]:
    """The chain y_j <= prod_{l <= j} h_l^(r_l / (r_1 + .. + r_j)), then a cone for what they lack to 1.

    Of the returns r = (1 - alpha) g.
    """
    returns = (1 - alpha) * problem.elasticity
    total = returns.sum(axis=1)
    if (increasing := total > 1 + ROUNDING).any():
        first = int(np.argmax(increasing))
        convex = f"{typed(1 / (1 - alpha))} for convex alpha-fair welfare" if alpha else "1 for a convex total"
        raise ProblemError(
            f"`elasticity[{first}]` ({problem.agents[first]}) must add up to at most {convex}, "
            f"got {typed(problem.elasticity[first].sum())}; lower it or choose another rule",
            field="elasticity",
            index=(first,),
        )
    product, used = holding[:, 0], returns[:, 0]
    law = []
    for k in range(1, problem.m):
        further = cp.Variable(problem.n)
        together = used + returns[:, k]
        law.append(cp.PowCone3D(product, holding[:, k], further, used / together))
        product, used = further, together
    value = cp.Variable(problem.n)
    bent = np.flatnonzero(used < 1 - ROUNDING)
    straight = np.flatnonzero(used >= 1 - ROUNDING)
    if bent.size:
        law.append(cp.PowCone3D(product[bent], np.ones(bent.size), value[bent], used[bent]))
    if straight.size:
        law.append(value[straight] <= product[straight])
    worth = problem.weight * np.exp(returns @ log_unit)
    return worth / worth.max() @ value, law


def _logs(problem: Problem, objective: Any, holding: Any, log_unit: Array) -> tuple[Any, list[Any]]:
    return cp.sum(problem.weight / problem.weight.max() @ cp.log(holding)), []


def _level(problem: Problem, objective: Any, holding: Any, log_unit: Array) -> tuple[Any, list[Any]]:
    level = cp.Variable()
    log_accuracy = cp.sum(cp.multiply(problem.elasticity, cp.log(holding)), axis=1)
    return level, [log_accuracy + problem.elasticity @ log_unit - np.log(problem.weight) >= level]


_STATEMENTS: dict[type[Objective], Callable[[Problem, Any, Any, Array], tuple[Any, list[Any]]]] = {
    TotalUtility: _welfare,
    AlphaWelfare: _welfare,
    LogHolding: _logs,
    WorstUtility: _level,
}
