"""The elasticity that measured accuracies have: U = s · Π_k h_k^γ_k, fitted to rows of resources h and accuracy U.

This is the law of the Fair-Synergy paper (its Eq. 1; Fig. 3 is the evidence for it), with a scale s. Three choices:

- *Least squares on accuracies*, not on their logarithms: repeats of a measurement scatter by about as much at a low
  accuracy as at a high one, logarithms would let the lowest accuracies decide, and an accuracy of 0 has none. The
  minimum is found by Levenberg-Marquardt with the analytic Jacobian (SciPy's `least_squares`).
- *A free scale* (the default). In another unit of h only s changes, so γ and its interval do not depend on the unit.
  With ``scale="one"`` accuracy is 1 at one unit of everything, as in the paper; then `unit` is part of the law, another
  unit gives another γ, and no row may have more than one unit.
- *Rows are taken as independent, with noise of one size.* How large it is only repeats can say, or whoever measured
  (`sd`); without them no fit is called good. Standard errors come from the Jacobian at the minimum and the
  residual variance on n - p degrees of freedom, intervals from Student's t: exact for straight lines, and close for
  curves as smooth as these (tests/test_curves.py counts how often they cover). Repeats are further rows.

What comes out is what the rows say. Nothing is clipped: an elasticity outside (0, 1), which no agent may have, is
reported, with a note that says so.

>>> found = fit([30, 120, 480], [0.40, 0.56, 0.79])
>>> found.elasticity.round(3), found.usable
(array([0.246]), True)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares
from scipy.special import chdtrc, fdtrc, stdtrit

from fairsynergy.curves._shapes import EXACT, Alternative, Shape, aicc, attempts, saturating
from fairsynergy.errors import ProblemError
from fairsynergy.problem import Array

CONFIDENCE = 0.95
# Least-squares searches end when nothing moves any more in double precision.
TOLERANCE = 1e-15
# No curve rises or falls by more than a factor of e to this between the amounts measured; its square fits a float.
FAR = 300.0
# Searches of the closest curve begin at minima of a grid: of so many points, along each resource at most so many, and
# at most from so many of its minima; with more resources than this, from the nearly linear problem alone.
GRID, LEVELS, SEARCHES, MOST_ON_A_GRID = 1000, 301, 6, 6
# So many numbers of a grid are computed at once.
MOST_AT_ONCE = 1_000_000
# Between two points of the grid, squares change by less than this part of those of the accuracies.
CLOSE = 0.05
TINIEST = float(np.finfo(float).tiny)
# Percentages of accuracy are rarely all below this, losses nearly always.
SURELY_LARGE = 10
# From this probability on, chance is no explanation for what a test finds.
CHANCE = 0.01
# A difference in AICc from which another shape is mentioned (Burnham and Anderson, "Model Selection", 2002, 2.6).
TELLING = 2.0
# Fewer degrees of freedom than this make an interval a guess, and so the scatter of repeats.
FEW = 3
# Shapes are compared by AICc on so many different rows per number that the largest of them has, the noise's among them;
# with fewer its correction decides, and not the rows.
ROWS_EACH = 2
# As many degrees of freedom as a noise has that was given.
SURE = 1_000_000
# At most so many amounts are tried for concavity, because all triples of them are.
TRIED = 24


class Concern(Enum):
    """What to know before using a fit; the value says what it means."""

    NOT_BETWEEN = "An agent's elasticity must be strictly between 0 and 1; this one is not."
    UNDECIDED = "The interval leaves the range from 0 to 1 that an agent's elasticity must have."
    NOT_CONCAVE = "Somewhere, further units add more than earlier ones did; no elasticity below 1 bends that way."
    INCREASING_RETURNS = "Twice of everything more than doubles accuracy, so the best division may not be unique."
    ANOTHER_SHAPE = "Another shape of curve describes these rows better."
    MISSES = "The curve misses the measurements by more than their repeats scatter."
    ABOVE_ONE = "The curve exceeds 1, which no accuracy can, at an amount that was measured."
    FEW_ROWS = "There are hardly more rows than unknowns."


class Note(NamedTuple):
    """A concern, and the sentence that says it about this fit."""

    concern: Concern
    sentence: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Fit:
    """A fitted power law. Made by `fit`; n rows, m resources.

    Parameters
    ----------
    resources : tuple of str
        Names of the m resources.
    resource : (n, m) array
        Amounts of each row, as given.
    accuracy : (n,) array
        Measured.
    unit : (m,) array
        What counts as one unit of each resource, in what `resource` counts.
    scale : float
        Accuracy at one unit of everything; 1 if it was fixed.
    scale_interval : (2,) array
        Its 95 % interval.
    elasticity : (m,) array
        Of accuracy in each resource: per cent of accuracy for one more per cent of the resource.
    standard_error : (m,) array
        Of the elasticities; infinite without a degree of freedom.
    interval : (m, 2) array
        95 % intervals of the elasticities, low and high.
    covariance : (1 + m, 1 + m) array
        Of ln scale and the elasticities; zeros for a fixed scale.
    freedom : int
        Degrees of freedom: rows less unknowns.
    fitted : (n,) array
        Accuracy of each row by the curve.
    sd : (n,) array or None
        By how much the accuracy of each row scatters when it is measured again, if that was given.
    """

    resources: tuple[str, ...]
    resource: Array
    accuracy: Array
    unit: Array
    scale: float
    scale_interval: Array
    elasticity: Array
    standard_error: Array
    interval: Array
    covariance: Array
    freedom: int
    fitted: Array
    sd: Array | None = None

    @property
    def n(self) -> int:
        """Rows."""
        return len(self.accuracy)

    @property
    def m(self) -> int:
        """Resources."""
        return len(self.resources)

    @property
    def known(self) -> bool:
        """Whether the rows say how sure the elasticities are: more rows than unknowns, and one curve is closest."""
        return bool(np.isfinite(self.standard_error).all())

    @property
    def scale_fixed(self) -> bool:
        """Whether the scale was 1 from the start."""
        return self.n - self.freedom == self.m

    @property
    def residual(self) -> Array:
        """(n,) accuracy measured less fitted."""
        return self.accuracy - self.fitted

    @property
    def r_squared(self) -> float:
        """Share of the variance of the accuracies about their mean that the curve explains; NaN without variance.

        With a fixed scale it may be negative: the curve is worse than the mean.
        """
        about = self.accuracy - self.accuracy.mean()
        total = float(about @ about)
        return 1 - float(self.residual @ self.residual) / total if total > self.n * EXACT**2 else float("nan")

    @property
    def usable(self) -> bool:
        """Whether an agent may have these elasticities: all strictly between 0 and 1."""
        return bool(((self.elasticity > 0) & (self.elasticity < 1)).all())

    @property
    def noise(self) -> float:
        """By how much an accuracy scatters when it is measured again, a standard deviation; NaN if that is not known.

        From `sd`, else from repeats, if there are some that differ and three at least beyond the first of each amount.
        """
        points = _points(self)
        return points.scatter if points.freedom >= FEW else float("nan")

    @property
    def miss(self) -> float:
        """By how much the curve misses the mean accuracy of an amount, at most."""
        points = _points(self)
        return float(np.abs(points.mean - self.predict(points.amount)).max())

    @property
    def comparable(self) -> bool:
        """Whether there are enough different rows to compare shapes: 8 with one resource, 12 with two."""
        rows = np.unique(np.column_stack([self.resource, self.accuracy]), axis=0)
        return len(rows) >= ROWS_EACH * (2 + 2 * self.m)

    def predict(self, resource: ArrayLike) -> Array:
        """(j,) accuracies by the curve, which may exceed 1, at (j,) or (j, m) amounts."""
        # From a row that was measured: the scale, at one unit, may be too far from the rows to be a number.
        row = int(np.argmax(self.fitted))
        away = self._design(resource) - self._design(self.resource[row])
        with np.errstate(over="ignore"):
            return np.asarray(self.fitted[row] * np.exp(away[:, 1:] @ self.elasticity))

    def band(self, resource: ArrayLike) -> Array:
        """(j, 2) ends of the curve's 95 % interval at each of (j,) or (j, m) amounts."""
        design = self._design(resource)
        if not self.known:
            return np.tile([0.0, np.inf], (len(design), 1))
        error = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", design, self.covariance, design), 0.0))
        reach = quantile(self.freedom) * error
        with np.errstate(over="ignore"):
            return np.asarray(self.predict(resource)[:, None] * np.exp(np.column_stack([-reach, reach])))

    @cached_property
    def alternatives(self) -> tuple[Alternative, ...]:
        """Shapes fitted to the same rows, the lowest AICc first; in the order of `Shape` if rows are too few."""
        amount = self.resource / self.unit
        letters = ["γ"] if self.m == 1 else [f"γ{k + 1}" for k in range(self.m)]
        law = Alternative(
            shape=Shape.POWER,
            parameters={"s": self.scale} | dict(zip(letters, map(float, self.elasticity), strict=True)),
            fitted=self.fitted,
            aicc=aicc(self.residual, self.n - self.freedom),
            predict=lambda at: self.predict(at * self.unit),
        )
        found = [law, saturating(amount, self.accuracy), attempts(amount, self.accuracy)]
        if not self.comparable:
            return tuple(replace(one, aicc=np.inf) for one in found)
        return tuple(sorted(found, key=lambda one: one.aicc))

    @property
    def law(self) -> Alternative:
        """The power law among the alternatives."""
        return next(one for one in self.alternatives if one.shape is Shape.POWER)

    @cached_property
    def notes(self) -> tuple[Note, ...]:
        """What to know before using the fit, the gravest first; empty if there is nothing."""
        return tuple(_notes(self))

    def _design(self, resource: ArrayLike) -> Array:
        given = np.asarray(resource, dtype=np.float64)
        amount = given.reshape(-1, self.m) if given.ndim < 2 else given
        return np.column_stack([np.ones(len(amount)), np.log(amount / self.unit)])


def fit(
    resource: ArrayLike,
    accuracy: ArrayLike,
    *,
    scale: Literal["free", "one"] = "free",
    unit: ArrayLike = 1.0,
    resources: Sequence[str] | None = None,
    sd: ArrayLike | None = None,
) -> Fit:
    """Fit U = s · Π_k (h_k / unit_k)^γ_k to measured rows.

    Parameters
    ----------
    resource : (n,) or (n, m) array
        Amounts of each row, positive, in any unit. Repeats are rows with the same amounts.
    accuracy : (n,) array
        Measured, as shares between 0 and 1.
    scale : "free" or "one"
        Whether the scale s is fitted, or is 1. If it is free, the elasticities do not depend on the unit.
    unit : float or (m,) array
        What counts as one unit, in what `resource` counts: s is the accuracy there.
    resources : sequence of str, optional
        Names of the m resources, for sentences and messages.
    sd : float or (n,) array, optional
        By how much the accuracy of each row scatters when it is measured again, a standard deviation; of a row that is
        a mean, that of the mean. Every row counts the same; it is only judged by this how well the curve fits.

    Returns
    -------
    Fit
        Elasticities with their intervals, residuals, alternatives, notes. Milliseconds; the alternatives are fitted
        when they are asked for.

    Raises
    ------
    ProblemError
        If the rows do not determine the curve: shapes that disagree, amounts that are not positive, accuracies that
        are no shares, fewer rows than unknowns, amounts that do not vary or vary only together.

    Examples
    --------
    >>> rows = fit([1, 3, 6, 10], [0.3, 0.5, 0.8, 1.0], scale="one", unit=10)
    >>> rows.scale, rows.elasticity.round(2)
    (1.0, array([0.53]))
    """
    if scale not in ("free", "one"):
        raise ProblemError(f'`scale` must be "free" or "one", got {scale!r}', field="scale")
    amount, measured = _rows(resource, accuracy)
    names = _names(resources, amount.shape[1])
    units = _units(unit, amount.shape[1])
    scatter = _scatter(sd, len(amount))
    with np.errstate(over="ignore"):
        counted = amount / units
    if (wrong := ~(np.isfinite(counted) & (counted > 0))).any():
        i, k = np.argwhere(wrong)[0]
        raise ProblemError(
            f"`unit[{k}]` is {units[k]:g}, and {amount[i, k]:g} units of {names[k]} counted in it are no number; give "
            "a unit of a size like the amounts",
            field="unit",
        )
    log = np.log(counted)
    _check_design(log, amount, names, scale)
    if not measured.any():
        raise ProblemError("`accuracy` is 0 in every row; a power law needs some that are above 0", field="accuracy")

    # Centred, the scale and the elasticities hardly depend on one another: the search is short and exact.
    middle = log.mean(axis=0) if scale == "free" else np.zeros(log.shape[1])
    design = np.column_stack([np.ones(len(log)), log - middle]) if scale == "free" else log

    def value(unknown: Array) -> Array:
        return np.asarray(np.exp(np.minimum(design @ unknown, FAR)))

    # A sum of squares may have several minima: one search from each of those that a grid shows, and the best counts.
    searches = [
        least_squares(
            lambda unknown: value(unknown) - measured,
            start,
            lambda unknown: value(unknown)[:, None] * design,
            method="lm",
            ftol=TOLERANCE,
            xtol=TOLERANCE,
            gtol=TOLERANCE,
        )
        for start in _starts(log - middle, measured, free=scale == "free")
    ]
    found = min(searches, key=lambda search: float(search.cost))
    n, unknowns = design.shape
    fitted, freedom = value(found.x), n - unknowns
    slope = fitted[:, None] * design
    residual = measured - fitted
    variance = float(residual @ residual) / freedom if freedom else np.inf
    root = np.linalg.pinv(slope)  # (JᵀJ)⁻¹ = J⁺ J⁺ᵀ
    # Where other curves are as close, for instance all that are steep enough, the rows leave the unknowns open.
    known = freedom > 0 and np.linalg.matrix_rank(slope) == unknowns
    spread = root @ root.T

    # From the centre to one unit: ln s = b - γ · middle.
    m = log.shape[1]
    move = np.zeros((1 + m, unknowns))
    move[1:, unknowns - m :] = np.eye(m)
    if scale == "free":
        move[0] = np.concatenate([[1.0], -middle])
    level, elasticity = float(move[0] @ found.x), np.asarray(move[1:] @ found.x)
    # What differs from no gain at all, or from gains in proportion, by rounding alone is these.
    exact = np.round(elasticity)
    rounded = np.abs(elasticity - exact) * np.ptp(log, axis=0) * fitted.max() < EXACT
    elasticity = np.where(rounded & np.isin(exact, (0, 1)), exact, elasticity)
    covariance = np.zeros((1 + m, 1 + m))
    moved = move @ spread @ move.T
    some = np.ix_(*[np.arange(1 + m) if scale == "free" else np.arange(1, 1 + m)] * 2)
    covariance[some] = moved[some] * variance if known else np.inf
    error = np.sqrt(np.diag(covariance))
    reach = quantile(freedom) * error
    with np.errstate(over="ignore", under="ignore"):
        height = float(np.exp(level))
        ends = np.exp(level + reach[0] * np.array([-1.0, 1.0]))
    return Fit(
        resources=names,
        resource=amount,
        accuracy=measured,
        unit=units,
        scale=height,
        scale_interval=ends,
        elasticity=elasticity,
        standard_error=error[1:],
        interval=elasticity[:, None] + reach[1:, None] * np.array([-1.0, 1.0]),
        covariance=covariance,
        freedom=freedom,
        fitted=fitted,
        sd=scatter,
    )


def _starts(log: Array, measured: Array, *, free: bool) -> list[Array]:
    """Where searches begin: the minima, on a grid of elasticities, of the squares that the best scale leaves over.

    Neighbours of a grid around 0 differ by a few per cent, up to curves that rise or fall by a factor of e^FAR between
    the smallest and the largest amount. With several resources the grid is coarser, and the nearly linear problem of
    the logarithms, weighted by accuracy, gives one more start.
    """
    m = log.shape[1]
    reach = np.ptp(log, axis=0) if free else np.abs(log).max(axis=0)
    half = (min(LEVELS, int(GRID ** (1 / m))) - 1) // 2 if m <= MOST_ON_A_GRID else 0
    side = np.geomspace(1 / FAR, 1, half) if half > 1 else np.full(half, 0.01)
    axes = [FAR / span * np.concatenate([-side[::-1], [0.0], side]) for span in reach]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, m)

    amount, row = np.unique(log, axis=0, return_inverse=True)
    count = np.bincount(row.ravel())
    mean = np.bincount(row.ravel(), measured) / count
    squares, level = [], []
    for some in np.array_split(grid, max(1, grid.size * len(amount) // MOST_AT_ONCE)):
        power = some @ amount.T
        top = power.max(axis=1, keepdims=True) if free else np.zeros((len(some), 1))
        value = np.exp(np.minimum(power - top, FAR))
        with_rows, with_itself = value @ (count * mean), (value * value) @ count
        best = with_rows / with_itself if free else np.ones(len(some))
        squares.append(best * (best * with_itself - 2 * with_rows))
        level.append(np.log(np.maximum(best, TINIEST)) - top[:, 0])
    shape = tuple(len(axis) for axis in axes)
    height = np.pad(np.concatenate(squares).reshape(shape), 1, constant_values=np.inf)
    inner = (slice(1, -1),) * m
    lowest = np.ones(shape, dtype=bool)
    for k in range(m):  # of a level stretch, where a curve is as steep as can be told, the first point
        lowest &= height[inner] < np.roll(height, 1, axis=k)[inner]
        lowest &= height[inner] <= np.roll(height, -1, axis=k)[inner]
    left = np.concatenate(squares) + measured @ measured
    places = np.flatnonzero(lowest.ravel())
    places = places[np.argsort(left[places], kind="stable")[:SEARCHES]]
    if m == 1:  # the grid is so close that what is far above the best of it leads nowhere
        places = places[left[places] <= 2 * left[places[0]] + CLOSE * (measured @ measured)]
    starts = np.column_stack([np.concatenate(level), grid])[places]
    found = list(starts if free else starts[:, 1:])
    if m > 1:
        design = np.column_stack([np.ones(len(log)), log]) if free else log
        logs = np.log(np.where(measured > 0, measured, 1.0))
        found.append(np.linalg.lstsq(design * measured[:, None], logs * measured, rcond=None)[0])
    return found


def quantile(freedom: int) -> float:
    """How many standard errors a 95 % interval reaches to either side, by Student's t; infinity without freedom.

    Examples
    --------
    >>> round(quantile(10), 3)
    2.228
    """
    return float(stdtrit(freedom, (1 + CONFIDENCE) / 2)) if freedom else 1.0  # the standard error is infinite then


def exact(value: float) -> str:
    """A number with all of its digits, so that whoever types it in gives the same one.

    >>> exact(480.0), exact(0.1 + 0.2), exact(1e-7)
    ('480', '0.30000000000000004', '1e-07')
    """
    return repr(float(value)).removesuffix(".0")


def unfit_amount(value: float) -> str | None:
    """Why this cannot be an amount of a resource, or None if it can."""
    return None if np.isfinite(value) and value > 0 else f"must be above 0 and finite, got {exact(value)}"


def unfit_accuracies(values: Sequence[float], convert: str = "divide them by 100") -> tuple[int, str] | None:
    """Which of these is the first that cannot be an accuracy, and why; None if all can.

    What is said of percentages depends on all of them, and is always a question: losses and throughputs look alike.

    >>> unfit_accuracies([0.5, 0.7]), unfit_accuracies([40, 52.5])[1]
    (None, 'must be a share between 0 and 1, got 40; if accuracies are in percent, divide them by 100; a loss or ...')
    >>> unfit_accuracies([0.98, 1.0004])
    (1, 'must be a share between 0 and 1, got 1.0004')
    """
    first = next((i for i, value in enumerate(values) if not 0 <= value <= 1), None)
    if first is None:
        return None
    said = f"must be a share between 0 and 1, got {exact(values[first])}"
    low, middle, top = min(values), sorted(values)[(len(values) - 1) // 2], max(values)
    other = "a loss or a throughput is no accuracy"
    if top >= SURELY_LARGE and low >= 0 and top <= 100 and middle > 1:
        return first, f"{said}; if accuracies are in percent, {convert}; {other}"
    if low >= 0 and top <= 100 and middle > 1:
        return first, f"{said}; {other}; only if these are percentages, {convert}"
    return first, f"{said}; {other}" if top > 2 or low < -1 else said


def _rows(resource: ArrayLike, accuracy: ArrayLike) -> tuple[Array, Array]:
    """(n, m) amounts and (n,) accuracies, each of them possible."""
    amount, measured = _numbers(resource, "resource"), _numbers(accuracy, "accuracy")
    amount = amount[:, None] if amount.ndim == 1 else amount
    if amount.ndim != 2 or not amount.shape[1]:
        raise ProblemError(
            f"`resource` must be (n,) or (n, m): a row per measurement; got shape {np.shape(resource)}",
            field="resource",
        )
    if measured.ndim != 1 or len(measured) != len(amount):
        raise ProblemError(
            f"`accuracy` must have one number for each of the {len(amount)} rows of `resource`; got shape "
            f"{measured.shape}",
            field="accuracy",
        )
    for i, row in enumerate(amount.tolist()):
        for k, value in enumerate(row):
            if complaint := unfit_amount(value):
                raise ProblemError(f"`resource[{i}, {k}]` {complaint}", field="resource", index=(i, k))
    if unfit := unfit_accuracies(measured.tolist()):
        i, complaint = unfit
        raise ProblemError(f"`accuracy[{i}]` {complaint}", field="accuracy", index=(i,))
    return amount, measured


def _numbers(values: ArrayLike, field: str) -> Array:
    try:
        return np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ProblemError(f"`{field}` must be an array of numbers, with rows of one length", field=field) from None


def _names(resources: Sequence[str] | None, m: int) -> tuple[str, ...]:
    if resources is None:
        return ("the resource",) if m == 1 else tuple(f"resource {k + 1}" for k in range(m))
    if len(resources) != m:
        raise ProblemError(f"`resources` must be {m} names, one per column, got {len(resources)}", field="resources")
    return tuple(resources)


def _units(unit: ArrayLike, m: int) -> Array:
    units = _numbers(unit, "unit")
    if units.shape not in ((), (m,)):
        raise ProblemError(f"`unit` must be one number, or one for each of {m} resources", field="unit")
    units = np.array(np.broadcast_to(units, (m,)))
    for k, value in enumerate(units.tolist()):
        if complaint := unfit_amount(value):
            raise ProblemError(f"`unit[{k}]` {complaint}", field="unit", index=(k,))
    return units


def _scatter(sd: ArrayLike | None, n: int) -> Array | None:
    """(n,) standard deviations, each of them possible."""
    if sd is None:
        return None
    given = _numbers(sd, "sd")
    if given.shape not in ((), (n,)):
        raise ProblemError(f"`sd` must be one number, or one for each of {n} rows; got shape {given.shape}", field="sd")
    given = np.array(np.broadcast_to(given, (n,)))
    for i, value in enumerate(given.tolist()):
        if complaint := unfit_amount(value):
            raise ProblemError(f"`sd[{i}]` {complaint}", field="sd", index=(i,))
    return given


def _check_design(log: Array, amount: Array, names: tuple[str, ...], scale: str) -> None:
    """Refuse rows that leave an unknown open. `log` is of amounts in units."""
    n, m = log.shape
    unknowns = m + (scale == "free")
    if scale == "one" and (log > EXACT).any():
        i, k = (int(place[0]) for place in np.nonzero(log > EXACT))
        least = exact(float(amount[:, k].max()))
        raise ProblemError(
            f"`resource[{i}, {k}]` is {_amount(float(np.exp(log[i, k])))} units of {names[k]}; with the scale fixed at "
            f"1, accuracy is 1 at one unit, so no row may have more; give a larger `unit`, {least} at least, or leave "
            "the scale free",
            field="resource",
            index=(i, k),
        )
    still = [name for name, column in zip(names, log.T, strict=True) if n > 1 and np.ptp(column) < EXACT]
    if still and scale == "free":
        raise ProblemError(
            f"every row has the same amount of {still[0]}; its elasticity needs two different amounts, better five",
            field="resource",
        )
    if n < unknowns:
        raise ProblemError(
            f"{n} row{'s' * (n != 1)} cannot determine {unknowns} unknowns; measure at {unknowns} amounts at least, "
            "better five or more",
            field="resource",
        )
    design = log - log.mean(axis=0) if scale == "free" else log
    if np.linalg.matrix_rank(design, tol=EXACT * np.sqrt(n)) < m:
        if m == 1:
            why = f"every row has exactly one unit of {names[0]}, where accuracy is 1 whatever the elasticity"
        else:
            why = f"{' and '.join(names)} vary only together, so their elasticities cannot be told apart"
        raise ProblemError(f"{why}; measure at other amounts", field="resource")


def _notes(found: Fit) -> list[Note]:
    best, law = found.alternatives[0], found.law
    notes = []

    def add(concern: Concern, sentence: str) -> None:
        notes.append(Note(concern, sentence))

    for name, gamma, (low, high) in zip(found.resources, found.elasticity, found.interval, strict=True):
        if not 0 < gamma < 1:
            what = "accuracy falls with it, as errors and losses do" if gamma < 0 else "accuracy does not rise with it"
            if gamma > 0:
                what = "every further unit adds more than the last" if gamma > 1 else "every further unit adds the same"
            add(
                Concern.NOT_BETWEEN,
                f"The elasticity in {name} is {gamma:.3f}: {what}. An agent's must be strictly between 0 and 1.",
            )
        elif low <= 0 or high >= 1:
            end = "0, no gain at all" if low <= 0 else "1, gains in proportion"
            if low <= 0 and high >= 1:
                end = "anything from 0 to 1"
            add(Concern.UNDECIDED, f"The rows do not rule out that the elasticity in {name} is {end}.")
    if bend := _bend(found):
        add(Concern.NOT_CONCAVE, bend)
    if best is not law and law.aicc - best.aicc >= TELLING:
        add(
            Concern.ANOTHER_SHAPE,
            f"{_kind(best)} fits better than the power law: its AICc is lower by {law.aicc - best.aicc:.0f}. The "
            "elasticity describes the amounts measured; beyond them it promises too much.",
        )
    if missed := _missed(found):
        add(Concern.MISSES, missed)
    if found.usable and found.elasticity.sum() > 1:
        add(
            Concern.INCREASING_RETURNS,
            f"The elasticities add up to {found.elasticity.sum():.2f}: twice of everything more than doubles accuracy. "
            "The best division of such resources need not be unique.",
        )
    if found.fitted.max() > 1 + EXACT:
        top = f"The curve reaches {found.fitted.max():.3f} at an amount that was measured"
        add(Concern.ABOVE_ONE, f"{top}; no accuracy exceeds 1.")
    if found.freedom < FEW:
        unknowns = found.n - found.freedom
        few = f"{found.n} row{'s' * (found.n > 1)} for {unknowns} unknown{'s' * (unknowns > 1)}"
        add(Concern.FEW_ROWS, f"{few}: " + ("the interval is a guess." if found.known else "there is no interval."))
    return notes


def _kind(best: Alternative) -> str:
    if best.shape is Shape.ATTEMPTS:
        return "A curve of independent attempts"
    ceiling = best.parameters["a"]
    return f"A curve that levels off at {f'{ceiling:.3f}' if ceiling < 1 - 1e-4 else '1, the most there is,'}"


class _Points(NamedTuple):
    """What was measured at each of g different amounts."""

    amount: Array  # (g, m)
    mean: Array  # (g,)
    error: Array  # (g,) standard error of the mean
    freedom: int  # of the noise
    scatter: float  # of one measurement, standard deviation; NaN without repeats
    within: float  # sum of squares within amounts


def _points(found: Fit) -> _Points:
    amount, group, count = np.unique(found.resource, axis=0, return_inverse=True, return_counts=True)
    group = group.ravel()
    mean = np.bincount(group, found.accuracy) / count
    squares = np.bincount(group, (found.accuracy - mean[group]) ** 2)
    freedom, within = found.n - len(count), float(squares.sum())
    if found.sd is not None:
        error = np.sqrt(np.bincount(group, found.sd**2)) / count
        return _Points(amount, mean, error, SURE, float(np.sqrt(np.mean(found.sd**2))), within)
    if within > found.n * EXACT**2:  # repeats that are all the same are copies
        scatter = np.sqrt(within / freedom)
        # Where repeats scatter more than elsewhere, their own scatter counts.
        own = np.sqrt(squares / np.maximum(count - 1, 1))
        error = np.maximum(own, scatter) / np.sqrt(count)
        return _Points(amount, mean, error, freedom, float(scatter), within)
    best = found.alternatives[0]
    left = max(1, found.n - len(best.parameters))
    off = np.sqrt(float(((best.fitted - found.accuracy) ** 2).sum()) / left)
    return _Points(amount, mean, np.full(len(mean), off), left, float("nan"), 0.0)


def _bend(found: Fit) -> str:
    """Where the measurements are not concave, if chance does not explain it: the worst of all triples of amounts."""
    points = _points(found)
    tests, steepest, said = 0, -np.inf, ""
    for k, name in enumerate(found.resources):
        for line in _lines(points.amount, k):
            some = line[np.unique(np.linspace(0, len(line) - 1, min(len(line), TRIED)).round().astype(int))]
            at, mean, error = points.amount[some, k], points.mean[some], points.error[some]
            i, j, far = np.array([*combinations(range(len(some)), 3)]).T
            part = (at[j] - at[i]) / (at[far] - at[i])
            below = (1 - part) * mean[i] + part * mean[far] - mean[j]
            off = np.sqrt(((1 - part) * error[i]) ** 2 + (part * error[far]) ** 2 + error[j] ** 2)
            surety = below / np.maximum(off, EXACT)
            tests += len(surety)
            worst = int(np.argmax(surety))
            if surety[worst] > steepest:
                steepest = float(surety[worst])
                low, middle, high = (_amount(at[place[worst]]) for place in (i, j, far))
                said = (
                    f"Not concave: at {middle} {name} accuracy is {100 * below[worst]:.1f} percentage points below the "
                    f"straight line from {low} to {high}, more than chance explains."
                )
    # As many tests as triples: each must be that much surer (Bonferroni).
    return said if tests and steepest > stdtrit(points.freedom, 1 - CHANCE / tests) else ""


def _lines(amount: Array, k: int) -> Iterator[NDArray[np.intp]]:
    """Positions of three or more amounts that differ in resource k only, in rising order."""
    others = np.delete(amount, k, axis=1)
    group = np.unique(others, axis=0, return_inverse=True)[1].ravel() if others.shape[1] else np.zeros(len(amount), int)
    order = np.lexsort((amount[:, k], group))
    lines = np.split(order, np.nonzero(np.diff(group[order]))[0] + 1)
    return (line for line in lines if len(line) > 2)


def _missed(found: Fit) -> str:
    """Whether the curve misses the accuracies by more than they scatter."""
    points = _points(found)
    unknowns, groups = found.n - found.freedom, len(points.mean)
    if np.isnan(points.scatter) or groups <= unknowns:
        return ""
    if found.sd is not None:
        chance = _chance_given(found, found.sd)
    else:  # the F test for lack of fit
        lack = float(found.residual @ found.residual) - points.within
        noise = points.within / points.freedom
        chance = fdtrc(groups - unknowns, points.freedom, max(lack, 0.0) / (groups - unknowns) / noise)
    if chance >= CHANCE:
        return ""
    repeats = "repeats scatter" if found.sd is None else "they are said to scatter"
    return (
        f"The curve misses the mean of some amount by up to {100 * found.miss:.1f} percentage points, while {repeats} "
        f"by {100 * points.scatter:.1f}: a power law is not quite the shape of these rows."
    )


def _chance_given(found: Fit, sd: Array) -> float:
    """How likely the squares would be as large as they are if rows scattered by these standard deviations.

    The squares left over are rᵀr with r = (I - H) e, H the projection onto the slopes: chi-squared with a scale and
    degrees of freedom that have their mean and variance (Satterthwaite 1946).
    """
    slope = found.fitted[:, None] * np.column_stack([np.ones(found.n), np.log(found.resource / found.unit)])
    basis = np.linalg.qr(slope[:, found.scale_fixed :])[0]
    variance, leverage = sd**2, (basis**2).sum(axis=1)
    inner = basis.T @ (variance[:, None] * basis)
    mean = float(variance @ (1 - leverage))
    spread = float(variance**2 @ (1 - 2 * leverage)) + float((inner**2).sum())
    freedom = mean**2 / spread
    return float(chdtrc(freedom, freedom * float(found.residual @ found.residual) / mean))


def _amount(value: float) -> str:
    """An amount as a reader writes it.

    >>> _amount(1200), _amount(5.3), _amount(0.0123456)
    ('1,200', '5.3', '0.01235')
    """
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"
