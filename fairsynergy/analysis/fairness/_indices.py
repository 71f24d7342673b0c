"""Inequality in one number: Gini, Jain, Theil and Atkinson, each of non-negative values such as accuracies.

Each takes a list or an array (n,), and raises a `ProblemError` of one that is empty or holds a value that is negative
or not finite.

All are blind to scale (half of everything is as equal as all of it), so they belong beside a mean. Atkinson's
index A (Atkinson 1970) is the share of the mean that could be given up if the rest were spread equally, at the
same welfare; what everyone would then have is the equally distributed equivalent,

    EDE = mean(u^(1 - epsilon))^(1 / (1 - epsilon)),      A = 1 - EDE / mean(u),

the geometric mean where epsilon = 1. The alpha-fair welfare at alpha = epsilon is n EDE^(1 - epsilon) / (1 - epsilon):
the index and the dial of fairness are one object.

>>> values = np.array([1.0, 3.0])
>>> round(gini(values), 3), round(jain(values), 3), round(theil(values), 3), round(atkinson(values, 1.0), 3)
(0.25, 0.8, 0.131, 0.134)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlogy

from fairsynergy.errors import ProblemError
from fairsynergy.problem import Array

# Accuracies that differ by less are a tie, relatively where one division is judged.
TIE = 1e-6


def gini(values: ArrayLike) -> float:
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
    ordered = np.sort(_judged(values))
    if ordered[-1] == 0:
        return 0.0
    ordered = ordered / ordered[-1]  # the sum of large values would overflow
    n, total = ordered.size, ordered.sum()
    return float((2 * np.arange(1, n + 1) @ ordered - (n + 1) * total) / (n * total))


def jain(values: ArrayLike) -> float:
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
    values = _judged(values)
    top = values.max()
    if top == 0:
        return 1.0
    scaled = values / top  # squares of large or tiny values would overflow or vanish
    return float(scaled.sum() ** 2 / (scaled.size * (scaled @ scaled)))


def theil(values: ArrayLike) -> float:
    """Theil's index of non-negative values: 0 where all are equal, log n where one has everything; 0 for all zero.

    Parameters
    ----------
    values : (n,) array
        Accuracies, or amounts of one resource.

    Examples
    --------
    >>> theil(np.array([1.0, 1.0, 1.0])), round(theil(np.array([0.0, 0.0, 0.0, 8.0])), 3)
    (0.0, 1.386)
    """
    values = _judged(values)
    top = values.max()
    if top == 0:
        return 0.0
    scaled = values / top
    relative = scaled / scaled.mean()
    return max(0.0, float(xlogy(relative, relative).mean()))  # 0 log 0 = 0; below zero is rounding


def atkinson(values: ArrayLike, epsilon: float) -> float:
    """Atkinson's index of non-negative values: the share of the mean that inequality costs; 0 for all zero.

    Parameters
    ----------
    values : (n,) array
        Accuracies, or amounts of one resource.
    epsilon : float
        Aversion to inequality, >= 0. From 1 on a single value of zero makes the index 1.

    Examples
    --------
    >>> round(atkinson(np.array([0.0, 0.0, 0.0, 8.0]), 0.5), 12), atkinson(np.array([0.0, 1.0]), 1)
    (0.75, 1.0)
    """
    values = _judged(values)
    equivalent, mean = equally_distributed_equivalent(values, epsilon), float(values.mean())
    return max(0.0, 1 - equivalent / mean) if mean > 0 else 0.0


def equally_distributed_equivalent(values: ArrayLike, epsilon: float) -> float:
    """What everyone would have if all had the same and welfare were unchanged; never more than the mean.

    Parameters
    ----------
    values : (n,) array
        Accuracies, or amounts of one resource; non-negative.
    epsilon : float
        Aversion to inequality, >= 0: 0 gives the mean, 1 the geometric mean, infinity the least value.

    Raises
    ------
    ProblemError
        If `epsilon` is negative or not a number.

    Examples
    --------
    >>> [round(equally_distributed_equivalent(np.array([1.0, 4.0]), epsilon), 3) for epsilon in (0, 1, 2, np.inf)]
    [2.5, 2.0, 1.6, 1.0]
    """
    if not epsilon >= 0:
        raise ProblemError(
            f"`epsilon` must be a number >= 0, got {epsilon}; 0 ignores inequality, infinity sees only the worst-off",
            field="epsilon",
        )
    values = _judged(values)
    least, power = float(values.min()), 1 - epsilon
    if np.isinf(epsilon) or (least == 0 and epsilon >= 1):
        return least
    positive = values > 0
    if not positive.any():
        return 0.0
    with np.errstate(divide="ignore"):
        logs = np.log(values)
    # Around the geometric mean of the positive values the power mean is exact as epsilon approaches 1.
    centre = logs[positive].mean()
    if power == 0:
        return float(np.exp(centre))
    spread = power * (logs - centre)
    top = spread.max()
    shift = 0.0 if top < 1 else top  # large powers would overflow
    mean = np.log1p(np.mean(np.expm1(spread))) if shift == 0 else np.log(np.mean(np.exp(spread - shift)))
    return float(np.exp(centre + (shift + mean) / power))


def lorenz(values: ArrayLike) -> Array:
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
    ordered = np.sort(_judged(values))
    if ordered[-1] == 0:
        return np.linspace(0.0, 1.0, ordered.size + 1)
    ordered = ordered / ordered[-1]
    return np.concatenate([[0.0], np.cumsum(ordered) / ordered.sum()])


def _judged(values: ArrayLike) -> Array:
    """(n,) values as an array, if there are some and none is negative: of others no index says what it means."""
    try:
        given = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ProblemError("`values` must be a list of numbers", field="values") from None
    if given.ndim != 1 or not given.size:
        raise ProblemError(
            f"`values` must be a list of one number or more, got shape {given.shape}; give an accuracy or an amount "
            "for each agent",
            field="values",
        )
    if not (given.min() >= 0 and given.max() < np.inf):
        i = int(np.argmin((given >= 0) & (given < np.inf)))
        raise ProblemError(
            f"`values[{i}]` must be finite and >= 0, got {given[i]}; of negative values inequality has no measure",
            field="values",
            index=(i,),
        )
    return given


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
