"""How a division looks from where each agent stands: arrays in, numbers out.

Envy (Foley 1967) of agent i towards agent j: the accuracy i would gain with j's grant in place of its own,

    envy_ij = U_i(e_i + x_j) - U_i(e_i + x_i).

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

from fairsynergy.problem import Array, Problem

# Above this many agents pairs are compared in a sample: n^2 numbers would no longer fit a visitor's second.
SAMPLED_ABOVE = 2000
# Accuracies that differ by less are a tie.
TIE = 1e-6
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
    liked = gains.argmax(axis=1)
    gain = gains.max(axis=1)
    order = np.argsort(-gain, kind="stable")[:limit]
    order = order[gain[order] > ENVY_FROM]
    return Envies(chosen[order], chosen[liked[order]], gain[order], len(chosen))


def gini(values: Array) -> float:
    """Gini index of non-negative values: 0 where all are equal, (n - 1) / n where one has everything; 0 for all zero.

    Parameters
    ----------
    values : (n,) array
        Accuracies, or amounts of one resource.

    Examples
    --------
    >>> gini(np.array([1.0, 1.0, 1.0])), gini(np.array([0.0, 0.0, 0.0, 8.0]))
    (0.0, 0.75)
    """
    ordered = np.sort(values)
    n, total = ordered.size, ordered.sum()
    if total == 0:
        return 0.0
    return float((2 * np.arange(1, n + 1) @ ordered - (n + 1) * total) / (n * total))


def jain(values: Array) -> float:
    """Jain's index of non-negative values: 1 where all are equal, 1 / n where one has everything; 1 for all zero.

    Parameters
    ----------
    values : (n,) array
        Accuracies, or amounts of one resource.

    Examples
    --------
    >>> jain(np.array([1.0, 1.0, 1.0])), jain(np.array([0.0, 0.0, 0.0, 8.0]))
    (1.0, 0.25)
    """
    top = values.max()
    if top == 0:
        return 1.0
    scaled = values / top  # squares of large or tiny values would overflow or vanish
    return float(scaled.sum() ** 2 / (scaled.size * (scaled @ scaled)))


def lorenz(values: Array) -> Array:
    """(n + 1,) share of the total that the poorest 0, 1, ..., n hold together; equal steps where all values are zero.

    Parameters
    ----------
    values : (n,) array
        Accuracies, or amounts of one resource; non-negative.

    Examples
    --------
    >>> lorenz(np.array([3.0, 1.0]))
    array([0.  , 0.25, 1.  ])
    """
    ordered = np.sort(values)
    total = ordered.sum()
    if total == 0:
        return np.linspace(0.0, 1.0, ordered.size + 1)
    return np.concatenate([[0.0], np.cumsum(ordered) / total])


def dominators(outcomes: Array) -> NDArray[np.intp]:
    """(r,) for each outcome, one that is nowhere worse and somewhere better, or -1.

    Parameters
    ----------
    outcomes : (r, c) array
        One row per rule, one column per thing to have more of, for instance the mean and the worst accuracy.

    Examples
    --------
    >>> dominators(np.array([[0.6, 0.1], [0.5, 0.3], [0.5, 0.2], [0.6, 0.1]]))
    array([-1, -1,  1, -1])
    """
    ahead = outcomes[None, :, :] - outcomes[:, None, :]  # [i, j]: by how much j is better than i
    better = np.all(ahead >= -TIE, axis=2) & np.any(ahead > TIE, axis=2)
    merit = np.where(better, ahead.sum(axis=2), -np.inf)
    return np.where(better.any(axis=1), merit.argmax(axis=1), -1)
