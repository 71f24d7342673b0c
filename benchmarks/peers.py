"""Rules that maximise something, against general solvers: CVXPY's Clarabel and SCS, SciPy's SLSQP and trust-constr.

The fleets own 0.01 to 0.1 of each resource, the cloud has a half per agent, and an agent's elasticities add up to less
than 1, so that every problem is concave. Ours is `allocate` with its certificate.

Peers are helped where they can be. CVXPY states the problem in cones and in units of equal shares; its time includes
that, and the solver's own is in brackets. SciPy starts from equal shares and is given the capacities as linear
equalities, exact gradients, and for trust-constr exact sparse Hessians. Leximin is stated as its lowest level, which is
less than the rule decides. CVXPY's solvers keep CVXPY's tolerances, SciPy's are set for about 1e-7. Each may take 5 s.

A peer's grants are brought within the limits (cut off at zero, shrunk to the capacity) before what it maximised is
compared, relative to ours. A goal is missed where ours is lower than a peer's by more than 1e-6.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any, NamedTuple

import cvxpy as cp
import numpy as np
from scipy import optimize, sparse
from threadpoolctl import threadpool_limits

import fairsynergy as fs
from benchmarks.row import Row, fastest
from fairsynergy.kernel._objective import LogHolding, WorstUtility
from fairsynergy.policies import reference

# Each rule and the number of resources that it divides here.
RULES: tuple[tuple[fs.Policy, int], ...] = (
    (fs.FairSynergy(), 1),
    (fs.FairSynergy(), 2),
    (fs.NUM(), 2),
    (fs.Nash(), 2),
    (fs.AlphaFair(2), 2),
    (fs.Leximin(), 1),
    (fs.Leximin(), 2),
)
SIZES = (100, 1000)
WORSE = 1e-6  # relative
SAME = 1e-12
PATIENCE = 5.0  # for a peer [seconds]
STOPPED = f"stopped after {PATIENCE:g} s"
# A peer that takes longer than this is timed once [seconds].
QUICK, REPEATS = 1.0, 3
# SLSQP factorises a dense matrix at every step: at 2,000 grants 10 s, and it needs hundreds of steps.
MOST_AGENTS = {"SLSQP": 100}


class Answer(NamedTuple):
    """A peer's grants (n, m), None for none; how it ended, "" for as it should; seconds in the solver, where known."""

    grant: np.ndarray | None
    ending: str
    inside: float | None


def drawn(n: int, m: int) -> fs.Problem:
    rng = np.random.default_rng([n, m])
    return fs.Problem(
        endowment=rng.uniform(0.01, 0.1, (n, m)),
        capacity=np.full(m, n / 2),
        elasticity=rng.uniform(0.02, 0.98, (n, m)) / m,
    )


# CVXPY.


def clarabel(problem: fs.Problem, policy: fs.Policy) -> Answer:
    return _cone_solver(problem, policy, solver=cp.CLARABEL, time_limit=PATIENCE)


def scs(problem: fs.Problem, policy: fs.Policy) -> Answer:
    return _cone_solver(problem, policy, solver=cp.SCS, time_limit_secs=PATIENCE)


def _cone_solver(problem: fs.Problem, policy: fs.Policy, **options: Any) -> Answer:
    programme, grant, unit = reference.state(problem, policy)
    try:
        with warnings.catch_warnings(action="ignore"):  # of an inaccurate solution: its status says so
            programme.solve(**options)
    except cp.error.SolverError:
        return Answer(None, "failed", None)
    spent = programme.solver_stats
    inside = spent.solve_time + (spent.setup_time or 0.0)
    # CVXPY has several words for a limit of time.
    ending = STOPPED if inside > 0.9 * PATIENCE else f"{programme.status}, in CVXPY's words"
    found = None if grant.value is None else grant.value * unit
    return Answer(found, "" if programme.status == cp.OPTIMAL else ending, inside)


# SciPy.


class OutOfTime(Exception):
    """Carries the point that a solver had reached."""


class Stated(NamedTuple):
    """What SciPy minimises: over the grants, row by row, and for Leximin a level after them."""

    start: np.ndarray
    least: np.ndarray
    value: Callable[[np.ndarray], tuple[float, np.ndarray]]  # with its gradient
    hessian: Callable[[np.ndarray], sparse.csr_array]
    limits: list[optimize.LinearConstraint | optimize.NonlinearConstraint]


def slsqp(problem: fs.Problem, policy: fs.Policy) -> Answer:
    stated = _stated(problem, policy, sparsely=False)
    return _scipy(problem, stated, method="SLSQP", options={"ftol": 1e-9, "maxiter": 1000})


def trust_constr(problem: fs.Problem, policy: fs.Policy) -> Answer:
    stated = _stated(problem, policy, sparsely=True)
    # Its test of optimality leaves complementarity out: a level would be 1e-3 off with the usual 1e-8.
    gtol = 1e-12 if isinstance(policy.objective, WorstUtility) else 1e-8
    return _scipy(
        problem, stated, method="trust-constr", hess=stated.hessian, options={"gtol": gtol, "maxiter": 1000}
    )  # fmt: skip


def _scipy(problem: fs.Problem, stated: Stated, **how: Any) -> Answer:
    deadline = perf_counter() + PATIENCE

    def value(point: np.ndarray) -> tuple[float, np.ndarray]:
        if perf_counter() > deadline:
            raise OutOfTime(point.copy())
        return stated.value(point)

    bounds = optimize.Bounds(stated.least, np.inf, keep_feasible=np.isfinite(stated.least))
    try:
        found = optimize.minimize(value, stated.start, jac=True, bounds=bounds, constraints=stated.limits, **how)
    except OutOfTime as stopped:
        point, ending = stopped.args[0], STOPPED
    else:
        point, ending = found.x, "" if found.success else f"gave up after {found.nit:,} iterations"
    return Answer(point[: problem.n * problem.m].reshape(problem.n, problem.m), ending, None)


def _stated(problem: fs.Problem, policy: fs.Policy, *, sparsely: bool) -> Stated:
    """For fleets without weights, floors, ceilings and saturation."""
    shares = np.tile(problem.capacity / problem.n, problem.n)
    spent = np.tile(np.eye(problem.m), problem.n)
    if isinstance(policy.objective, WorstUtility):
        return _level(problem, shares, spent, sparsely=sparsely)
    stated = _sum(problem, policy)
    budget = sparse.csr_array(spent) if sparsely else spent
    limits = [optimize.LinearConstraint(budget, problem.capacity, problem.capacity)]
    return Stated(shares, np.zeros(shares.size), *stated, limits)


def _sum(problem: fs.Problem, policy: fs.Policy) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Minus the mean of U^(1 - alpha) / (1 - alpha), log U for alpha = 1, with U = exp(v), v = sum_k g_k log h_k.

    NUM is the case of alpha = 1 with all elasticities 1.
    """
    n, m = problem.n, problem.m
    logs = isinstance(policy.objective, LogHolding)
    gamma = np.ones((n, m)) if logs else problem.elasticity
    delta = 0.0 if logs else 1 - policy.objective.alpha
    places = np.arange(n * m).reshape(n, m)
    where = (np.repeat(places, m, axis=1).ravel(), np.tile(places, (1, m)).ravel())
    diagonal = np.arange(m)

    def worth(point: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """v, its gradient (n, m), and U^(1 - alpha)."""
        holding = problem.endowment + point.reshape(n, m)
        v = (gamma * np.log(holding)).sum(axis=1)
        return v, gamma / holding, np.exp(delta * v)

    def value(point: np.ndarray) -> tuple[float, np.ndarray]:
        v, slope, power = worth(point)
        return -float(power.mean() / delta if delta else v.mean()), -(power[:, None] * slope).ravel() / n

    def hessian(point: np.ndarray) -> sparse.csr_array:
        _, slope, power = worth(point)
        block = delta * slope[:, :, None] * slope[:, None, :]
        block[:, diagonal, diagonal] -= slope**2 / gamma
        return sparse.csr_array((-(power[:, None, None] * block).ravel() / n, where), shape=(n * m, n * m))

    return value, hessian


def _level(problem: fs.Problem, shares: np.ndarray, spent: np.ndarray, *, sparsely: bool) -> Stated:
    """The greatest s with s <= sum_k g_k log h_k for every agent."""
    n, m = problem.n, problem.m
    gamma, size = problem.elasticity, n * m + 1
    agent = np.arange(n)
    where = (np.append(np.repeat(agent, m), agent), np.append(np.arange(n * m), np.full(n, n * m)))
    gradient = np.zeros(size)
    gradient[-1] = -1.0

    def holding(point: np.ndarray) -> np.ndarray:
        return np.asarray(problem.endowment + point[:-1].reshape(n, m))

    def above(point: np.ndarray) -> np.ndarray:
        return np.asarray((gamma * np.log(holding(point))).sum(axis=1) - point[-1])

    def slope(point: np.ndarray) -> Any:
        found = sparse.csr_array((np.append(gamma / holding(point), -np.ones(n)), where), shape=(n, size))
        return found if sparsely else found.toarray()

    def bend(point: np.ndarray, price: np.ndarray) -> sparse.csr_array:
        return sparse.diags_array(np.append(-price[:, None] * gamma / holding(point) ** 2, 0.0), format="csr")

    budget = np.hstack([spent, np.zeros((m, 1))])
    start = np.append(shares, 0.0)
    start[-1] = above(start).min()
    return Stated(
        start,
        np.append(np.zeros(n * m), -np.inf),
        lambda point: (-float(point[-1]), gradient),
        lambda point: sparse.csr_array((size, size)),
        [
            optimize.LinearConstraint(
                sparse.csr_array(budget) if sparsely else budget, problem.capacity, problem.capacity
            ),
            # SLSQP has no use for second derivatives, and warns of any but this default.
            optimize.NonlinearConstraint(above, 0.0, np.inf, jac=slope, hess=bend if sparsely else optimize.BFGS()),
        ],
    )


PEERS: dict[str, Callable[[fs.Problem, fs.Policy], Answer]] = {
    "CVXPY + Clarabel": clarabel,
    "CVXPY + SCS": scs,
    "SLSQP": slsqp,
    "trust-constr": trust_constr,
}


# Side by side.


def within_limits(problem: fs.Problem, grant: np.ndarray) -> np.ndarray:
    """Cut off at zero and shrunk to the capacity, so that nobody wins by overspending."""
    grant = np.maximum(grant, 0.0)
    return np.asarray(grant * np.minimum(1.0, problem.capacity / grant.sum(axis=0)))


def advantage(problem: fs.Problem, policy: fs.Policy, grant: np.ndarray) -> float:
    """By how much a peer's grants serve the rule's objective better than ours, relatively."""
    ours = reference.score(problem, policy, fs.allocate(problem, policy).grant)
    return (reference.score(problem, policy, within_limits(problem, grant)) - ours) / abs(ours)


def compared(problem: fs.Problem, policy: fs.Policy, peer: str) -> Row:
    """One row: the two in turns, and what the peer reached."""
    answers: list[Answer] = []
    works = (lambda: fs.allocate(problem, policy), lambda: answers.append(PEERS[peer](problem, policy)))
    times = fastest(*works, repeats=1)
    if times[1] <= QUICK:
        times = list(map(min, times, fastest(*works, repeats=REPEATS)))
    ours, theirs = times
    grant, ending, _ = answers[-1]
    ratio, lead = theirs / ours, 0.0
    found = f"{ratio:,.0f} x" if ratio >= 10 else f"{ratio:.1f} x"
    if grant is not None:
        lead = advantage(problem, policy, grant)
        apart = f"theirs {abs(lead):.0e} {'higher' if lead > 0 else 'lower'}"
        found += ", same objective" if abs(lead) <= SAME else f", {apart}"
    if ending:
        found += f"; did not converge ({ending})"
    inside = min((answer.inside for answer in answers if answer.inside is not None), default=None)
    spent = _duration(theirs) + ("" if inside is None else f" (solver {_duration(inside)})")
    return Row(_title(problem, policy, peer), _duration(ours), spent, found, "not lower by 1e-6", lead <= WORSE)


def _title(problem: fs.Problem, policy: fs.Policy, peer: str) -> str:
    resources = "one resource" if problem.m == 1 else "two resources"
    return f"{policy.label}, {resources}, n = {problem.n:,}: {peer}"


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1e3:.3g} ms"


def rows() -> Iterator[Row]:
    """Every rule beside every peer, as it is measured."""
    with threadpool_limits(limits=1):  # matrices this small only make threads wait, and SLSQP ten times slower
        for n in SIZES:
            for policy, m in RULES:
                problem = drawn(n, m)
                for peer in PEERS:
                    if n <= MOST_AGENTS.get(peer, n):
                        yield compared(problem, policy, peer)
                    else:
                        yield Row(_title(problem, policy, peer), "", "", "left out: takes more than 10 s", "", True)
