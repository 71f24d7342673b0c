"""Shapes that accuracy against resources may have, fitted by least squares and compared by AICc.

With n rows, residual sum of squares RSS and K unknowns, the noise's variance among them,

    AICc = n ln(RSS / n) + 2 K + 2 K (K + 1) / (n - K - 1):

Akaike's criterion with its correction for few rows (Hurvich and Tsai, "Regression and time series model selection in
small samples", Biometrika 76, 1989). Lower is better; only differences on the same rows mean something.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np
from scipy.optimize import least_squares

from fairsynergy.problem import Array

# Accuracies are not known more closely than this, so a root mean square residual below it is no evidence.
EXACT = 1e-9
# A curve that levels off faster than this is a step, whose speed the rows do not tell.
FASTEST = 20.0
# Where searches start: how much of the way to its ceiling, or to 1, a curve has left at the largest amount. With one
# resource a close grid, with several a coarse one along each, and of either the best few.
LEFT = {True: 1 - np.geomspace(1e-4, 1, 61)[:-1], False: np.array([0.9, 0.5, 0.1, 0.01])}
SEARCHES = 3


class Shape(Enum):
    """A family of curves; the value is its formula for one resource, h counted in units."""

    POWER = "s · h^γ"
    SATURATING = "a − b · h^(−c)"
    ATTEMPTS = "1 − (1 − p)^h"

    @property
    def label(self) -> str:
        """The shape in two words."""
        return _LABELS[self]

    @property
    def sentence(self) -> str:
        """What the shape says about the world."""
        return _SENTENCES[self]


_LABELS = {Shape.POWER: "power law", Shape.SATURATING: "levels off", Shape.ATTEMPTS: "attempts"}
_SENTENCES = {
    Shape.POWER: "Every doubling multiplies accuracy by the same factor, without an end.",
    Shape.SATURATING: "Accuracy levels off at a ceiling.",
    Shape.ATTEMPTS: "Every unit is one more independent attempt, and one that succeeds is enough.",
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Alternative:
    """A shape fitted to the rows.

    Parameters
    ----------
    shape : Shape
        Which family.
    parameters : mapping of str to float
        By their letter in the formula; those that each resource has are numbered when there are several resources.
        With several resources, the shapes are s Π h_k^γ_k, a - Σ b_k h_k^(-c_k) and 1 - Π (1 - p_k)^h_k.
    fitted : (n,) array
        Accuracy of each row by this curve.
    aicc : float
        Akaike's criterion, corrected for few rows; infinity where there are too few rows to compare.
    predict : callable
        (j, m) amounts [units] to (j,) accuracies.
    """

    shape: Shape
    parameters: Mapping[str, float]
    fitted: Array
    aicc: float
    predict: Callable[[Array], Array]


def aicc(residual: Array, unknowns: int) -> float:
    """Akaike's criterion, corrected for few rows.

    Parameters
    ----------
    residual : (n,) array
        Of the fit.
    unknowns : int
        Parameters fitted, without the noise's variance.

    Examples
    --------
    >>> round(aicc(np.array([0.1, -0.1, 0.1, -0.1, 0.1]), 1), 2), aicc(np.zeros(3), 2)
    (-13.03, inf)
    """
    n, k = len(residual), unknowns + 1
    if n - k < 2:
        return np.inf
    variance = max(float(residual @ residual) / n, EXACT**2)
    return float(n * np.log(variance) + 2 * k + 2 * k * (k + 1) / (n - k - 1))


def saturating(amount: Array, accuracy: Array) -> Alternative:
    """a - Σ b_k h_k^(-c_k), where the ceiling a is at most 1, and b_k and c_k are at least 0.

    Parameters
    ----------
    amount : (n, m) array
        Resources of each row [units], positive.
    accuracy : (n,) array
        Measured.
    """
    m = amount.shape[1]
    least = np.log(amount).min(axis=0)
    x = np.log(amount) - least  # so that gap_k = b_k min(h_k)^(-c_k) is what the smallest amount lacks

    def parts(speed: Array) -> Array:
        return np.asarray(np.exp(-x * speed))

    def residual(unknown: Array) -> Array:
        return np.asarray(unknown[0] - parts(unknown[1 + m :]) @ unknown[1 : 1 + m] - accuracy)

    def slope(unknown: Array) -> Array:
        part, gap = parts(unknown[1 + m :]), unknown[1 : 1 + m]
        return np.column_stack([np.ones(len(x)), -part, part * x * gap])

    def start(speed: Array) -> Array:
        """The closest curve of these speeds, its ceiling and gaps within their bounds."""
        part = parts(speed)
        linear = np.linalg.lstsq(np.column_stack([np.ones(len(x)), -part]), accuracy, rcond=None)[0]
        if linear[0] > 1:
            linear = np.concatenate([[1.0], np.linalg.lstsq(-part, accuracy - 1, rcond=None)[0]])
        return np.asarray(np.clip(np.concatenate([linear, speed]), lower + 1e-6, upper - 1e-6))

    lower = np.zeros(1 + 2 * m)
    upper = np.concatenate([[1.0], np.full(m, np.inf), np.full(m, FASTEST)])
    speeds = [np.minimum(-np.log(left) / x.max(axis=0), FASTEST / 2) for left in _left(m)]
    starts = sorted(map(start, speeds), key=lambda one: float(residual(one) @ residual(one)))
    best = None
    for one in starts[:SEARCHES]:
        found = least_squares(residual, one, slope, bounds=(lower, upper), x_scale="jac")
        best = found if best is None or found.cost < best.cost else best
    assert best is not None
    ceiling, gap, speed = best.x[0], best.x[1 : 1 + m], best.x[1 + m :]

    def predict(at: Array) -> Array:
        return np.asarray(ceiling - np.exp(-(np.log(at) - least) * speed) @ gap)

    names = _numbered("b", m) + _numbered("c", m)
    values = [*(gap * np.exp(least * speed)), *speed]
    parameters = {"a": float(ceiling)} | dict(zip(names, map(float, values), strict=True))
    return Alternative(
        shape=Shape.SATURATING,
        parameters=parameters,
        fitted=predict(amount),
        aicc=aicc(residual(best.x), 1 + 2 * m),
        predict=predict,
    )


def attempts(amount: Array, accuracy: Array) -> Alternative:
    """1 - Π (1 - p_k)^h_k = 1 - exp(-Σ λ_k h_k).

    Parameters
    ----------
    amount : (n, m) array
        Resources of each row [units], positive.
    accuracy : (n,) array
        Measured.
    """
    m = amount.shape[1]
    top = amount.max(axis=0)
    x = amount / top

    def residual(unknown: Array) -> Array:
        return np.asarray(-np.expm1(-x @ np.exp(unknown)) - accuracy)

    def slope(unknown: Array) -> Array:
        rate = np.exp(unknown)
        return np.asarray(np.exp(-x @ rate)[:, None] * x * rate)

    rates = -np.log(_left(m))
    if m == 1:  # down to curves that are at 1 already at the smallest amount
        rates = np.geomspace(rates.min(), rates.max() / x.min(), len(rates))[:, None]
    starts = [np.log(rate / m) for rate in rates]
    starts.sort(key=lambda one: float(residual(one) @ residual(one)))
    best = None
    for one in starts[:SEARCHES]:
        # Bounds that are never reached but by a curve that is 0 or 1 throughout.
        found = least_squares(residual, one, slope, bounds=(-50.0, 50.0))
        best = found if best is None or found.cost < best.cost else best
    assert best is not None
    rate = np.exp(best.x) / top

    def predict(at: Array) -> Array:
        return np.asarray(-np.expm1(-at @ rate))

    return Alternative(
        shape=Shape.ATTEMPTS,
        parameters=dict(zip(_numbered("p", m), map(float, -np.expm1(-rate)), strict=True)),
        fitted=predict(amount),
        aicc=aicc(residual(best.x), m),
        predict=predict,
    )


def _left(m: int) -> Array:
    """(j, m) what curves may have left of their way at the largest amounts, for searches to start from."""
    each = LEFT[m == 1]
    if m > 4:  # all combinations would be too many
        return np.repeat(each[:, None], m, axis=1)
    return np.stack(np.meshgrid(*[each] * m, indexing="ij"), axis=-1).reshape(-1, m)


def _numbered(letter: str, m: int) -> list[str]:
    return [letter] if m == 1 else [f"{letter}{k + 1}" for k in range(m)]
