"""Envy: who would rather have somebody else's grant.

Envy (Foley 1967) of agent i towards agent j is the accuracy i would gain with j's grant in place of its own,

    envy_ij = U_i(e_i + x_j) - U_i(e_i + x_i).

Priorities and ceilings do not count: the question is what i would do with j's grant, not whether it may have it.
With one resource any unequal grants create envy: in this sense the paper's figures do not show its absence.

>>> import fairsynergy as fs
>>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3])
>>> envy(fleet, fs.allocate(fleet, fs.FairSynergy()).grant).round(3)
array([[ 0.   , -0.506],
       [ 0.238,  0.   ]])
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fairsynergy.analysis.fairness._indices import TIE
from fairsynergy.problem import Array, Problem

# Above this many agents pairs are compared in a sample: n^2 numbers would no longer fit a visitor's second.
SAMPLED_ABOVE = 2000
# A gain in accuracy below this is rounding between twins, not envy.
ENVY_FROM = 1e-9


class Envies(NamedTuple):
    """The strongest envies, in that order: who, of whom (positions), by how much; out of how many agents."""

    envious: NDArray[np.intp]
    envied: NDArray[np.intp]
    gain: Array
    compared: int


def envy(problem: Problem, grant: Array) -> Array:
    """(n, n) accuracy that agent i (row) would gain with agent j's grant (column); negative is a loss.

    Parameters
    ----------
    problem : Problem
        The fleet.
    grant : (n, m) array
        Who receives what [units of each resource].

    Notes
    -----
    O(n^2 m) time, O(n^2) memory.
    """
    swapped = np.zeros((problem.n, problem.n))
    for k in range(problem.m):
        held = np.minimum(problem.endowment[:, k, None] + grant[None, :, k], problem.saturation[:, k, None])
        with np.errstate(divide="ignore"):
            swapped += problem.elasticity[:, k, None] * np.log(held)
    swapped = np.exp(swapped)
    return np.asarray(swapped - np.diagonal(swapped)[:, None])


def strongest_envies(problem: Problem, grant: Array, *, limit: int = 20, seed: int = 0) -> Envies:
    """The `limit` agents that would gain most from another's grant, each with the grant it would like best.

    Parameters
    ----------
    problem : Problem
        The fleet; above `SAMPLED_ABOVE` agents that many are drawn at random, and `compared` says so.
    grant : (n, m) array
        Who receives what [units of each resource].
    limit : int
        Most pairs to return; agents that gain less than `ENVY_FROM` are left out.
    seed : int
        Of the draw.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3])
    >>> strongest_envies(fleet, fs.allocate(fleet, fs.FairSynergy()).grant).gain.round(3)
    array([0.238])
    """
    swaps = _best_swaps(problem, grant, seed)
    order = np.argsort(-swaps.gain, kind="stable")[:limit]
    order = order[swaps.gain[order] > ENVY_FROM]
    return Envies(swaps.envious[order], swaps.envied[order], swaps.gain[order], swaps.compared)


class EnvySummary(NamedTuple):
    """Whether anybody envies: how many `agents` of those `compared`, and whose envy is strongest.

    An agent is envious if another's grant would raise its accuracy by more than `TIE`, relatively. Where `compared` is
    less than the fleet, agents and pairs outside the sample were not looked at.
    """

    free: bool
    agents: int
    compared: int
    envious: str | None
    envied: str | None
    gain: float  #: in accuracy, of the strongest envy
    growth: float  #: the same as a fraction of what the envious agent would then have; 1 for one that has nothing


def summary(problem: Problem, grant: Array, *, seed: int = 0) -> EnvySummary:
    """Count the envious and name the worst pair.

    Parameters
    ----------
    problem : Problem
        The fleet; above `SAMPLED_ABOVE` agents that many are drawn at random, and `compared` says so.
    grant : (n, m) array
        Who receives what [units of each resource].
    seed : int
        Of the draw.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3])
    >>> found = summary(fleet, fs.allocate(fleet, fs.FairSynergy()).grant)
    >>> found.free, found.agents, found.envious, found.envied
    (False, 1, 'agent 2', 'agent 1')
    """
    swaps = _best_swaps(problem, grant, seed)
    better = problem.utility(grant)[swaps.envious] + swaps.gain
    envious = swaps.gain > TIE * better
    if not envious.any():
        return EnvySummary(True, 0, swaps.compared, None, None, 0.0, 0.0)
    worst = int(np.argmax(np.where(envious, swaps.gain, 0.0)))
    names = problem.agents
    return EnvySummary(
        free=False,
        agents=int(envious.sum()),
        compared=swaps.compared,
        envious=names[swaps.envious[worst]],
        envied=names[swaps.envied[worst]],
        gain=float(swaps.gain[worst]),
        growth=float(swaps.gain[worst] / better[worst]),
    )


def _best_swaps(problem: Problem, grant: Array, seed: int) -> Envies:
    """For every agent compared, the grant it would like best, in the order of the fleet; none is left out."""
    chosen = np.arange(problem.n)
    if problem.n > SAMPLED_ABOVE:
        chosen = np.sort(np.random.default_rng(seed).choice(problem.n, SAMPLED_ABOVE, replace=False))
    few = Problem(
        endowment=problem.endowment[chosen],
        capacity=problem.capacity,
        elasticity=problem.elasticity[chosen],
        saturation=problem.saturation[chosen],
    )
    gains = envy(few, grant[chosen])
    return Envies(chosen, chosen[gains.argmax(axis=1)], gains.max(axis=1), len(chosen))
