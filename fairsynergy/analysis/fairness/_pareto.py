"""Is anything wasted: could another division serve somebody better and nobody worse (Pareto)?

Log-accuracies are concave, so grants are efficient if and only if prices support them (second welfare theorem):

- nobody can use what is unspent or idle, and
- on every pair of resources agents agree on the rate of exchange: no chain of swaps leaves everybody better off. With
  v_ik = d log U_i / dx_ik, prices exist iff log v_ik - log v_il, taken over agents that could receive k for l, has no
  gain around any cycle of resources.

Both are judged within `TIE`: less than a millionth of a capacity left over does not count, and where rates differ by
more than a millionth, a division is efficient if nobody could gain more than a millionth of its accuracy. An agent that
holds next to nothing may gain many percent from losses of others below that: no solver in doubles tells those from
none.

With one resource only the first condition is left. How much is wasted is measured by Leximin with the present
accuracies as weights, for it maximises min_i U_i / U_i(now): the most that everybody could gain at once.

>>> import fairsynergy as fs
>>> fleet = fs.Problem(endowment=[[0, 0], [0, 0]], capacity=[1, 1], elasticity=[[0.8, 0.2], [0.2, 0.8]])
>>> found = efficiency(fleet, fs.allocate(fleet, fs.Uniform()).grant)
>>> found.efficient, round(found.gain, 3)
(False, 0.213)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fairsynergy.analysis.fairness._indices import TIE
from fairsynergy.errors import SolverError
from fairsynergy.kernel._objective import TINY, Mask
from fairsynergy.policies import Leximin
from fairsynergy.problem import Array, Problem

# Leximin solves this many resources; with more, waste is found but not measured.
MEASURABLE = 2
# Weights below this fraction of the largest would vanish; the gain shown is then one that is possible, not the most.
LOG_FAINT = -600.0
# Stands for "no such agent" where logarithms of rates are compared.
NO_RATE = -1e9


class Efficiency(NamedTuple):
    """What another division could do without hurting anybody.

    `gain` is the fraction by which every agent that has any accuracy could gain at once, `largest` what one of them
    could gain while none loses: with one resource the most there is, with two at least as much as is known to be there.
    None where it was not measured, and `reason` says why.
    """

    efficient: bool
    gain: float | None
    largest: float | None
    disagreement: float  #: relative distance of the agents' rates of exchange from common prices
    wasted: Array  #: (m,) fraction of each capacity that is unspent or idle although somebody could use it
    lifted: str | None  #: an agent with accuracy zero that could be lifted with what nobody else can use
    reason: str


def efficiency(problem: Problem, grant: Array) -> Efficiency:
    """Judge grants, and measure what they waste. O(n m^2), and a Leximin solve where something is wasted.

    Parameters
    ----------
    problem : Problem
        The fleet and the cloud.
    grant : (n, m) array
        Who receives what, within every limit [units of each resource].
    """
    log_utility = problem.log_utility(grant)
    served = np.isfinite(log_utility)  # an agent with accuracy zero loses nothing, whatever is taken from it
    held = np.minimum(grant, problem.upper)
    kept = np.where(served[:, None], held, problem.floor)
    left = np.maximum(problem.capacity - kept.sum(axis=0), 0.0)
    noticeable = left > TIE * problem.capacity
    buys = served[:, None] & (held < problem.upper)
    sells = served[:, None] & (held > problem.floor)
    wasted = np.where(noticeable & buys.any(axis=0), left, 0.0) / np.where(problem.capacity > 0, problem.capacity, 1.0)
    with np.errstate(over="ignore"):
        disagreement = float(np.expm1(_disagreement(problem, grant, buys, sells)))

    if not wasted.any() and disagreement <= TIE:
        had = problem.endowment + problem.floor > 0
        hopeful = ~served & (had | (noticeable & (problem.upper > 0))).all(axis=1)
        lifted = problem.agents[int(np.argmax(hopeful))] if hopeful.any() else None
        return Efficiency(lifted is None, 0.0, 0.0, disagreement, wasted, lifted, "")
    if problem.m > MEASURABLE:
        reason = f"how much is measured with up to {MEASURABLE} resources"
        return Efficiency(False, None, None, disagreement, wasted, None, reason)
    try:
        growth = _possible_growth(problem, kept, served, log_utility[served])
    except SolverError as error:
        return Efficiency(False, None, None, disagreement, wasted, None, str(error))
    # One alone may gain more than where all gain together: at the least with all that the others leave.
    spare = np.maximum(problem.capacity - kept.sum(axis=0), 0.0)
    alone = problem.log_utility(np.minimum(kept + spare, problem.upper))[served] - log_utility[served]
    most = max(growth.max(), alone.max())
    gain, largest = (max(0.0, float(np.expm1(value))) for value in (growth.min(), most))
    return Efficiency(largest <= TIE, gain, largest, disagreement, wasted, None, "")


def _disagreement(problem: Problem, grant: Array, buys: Mask, sells: Mask) -> float:
    """Least r such that log prices fit every agent's rates within r: the largest mean gain around a cycle (Karp)."""
    m = problem.m
    value = np.log(problem.elasticity) - np.log(np.maximum(problem.holding(grant), TINY))
    rate = np.full((m, m), NO_RATE)  # [k, l]: log of the most of l that somebody would give for one more of k
    for k in range(m):
        for other in range(m):
            able = buys[:, k] & sells[:, other]
            if k != other and able.any():
                rate[k, other] = np.max((value[:, k] - value[:, other])[able])
    walk = np.zeros((m + 1, m))
    for length in range(m):
        walk[length + 1] = (walk[length][:, None] + rate).max(axis=0)
    mean = (walk[m] - walk[:m]) / (m - np.arange(m))[:, None]
    return max(0.0, float(mean.min(axis=0).max()))


def _possible_growth(problem: Problem, kept: Array, served: Mask, log_utility: Array) -> Array:
    """(s,) log U_i / U_i(now) of the agents served when all that others do not need is theirs, levelled by Leximin."""
    pool = np.maximum(problem.capacity - kept[~served].sum(axis=0), problem.floor[served].sum(axis=0))
    weight = np.exp(np.maximum(log_utility - log_utility.max(), LOG_FAINT))
    few = Problem(
        **{**problem.rows(served), "weight": weight},
        capacity=pool,
        agents=tuple(np.array(problem.agents)[served]),
        resources=problem.resources,
    )
    return np.asarray(few.log_utility(Leximin().divide(few).grant) - log_utility)
