"""What a fit says, in plain words: the answer in a sentence, what it is relative to, how well it describes the rows."""

from __future__ import annotations

from math import inf, isfinite

from fairsynergy.curves._fitting import ROWS_EACH, Concern, Fit
from fairsynergy.curves._shapes import Alternative, Shape

# How many significant digits a parameter is written with.
DIGITS = 3


def answer(fit: Fit) -> str:
    """What doubling each resource does, and the elasticity with its interval.

    >>> from fairsynergy.curves import fit
    >>> print(answer(fit([30, 60, 120, 240], [0.40, 0.47, 0.57, 0.66], resources=["labels"])))
    Labels: doubling them multiplies accuracy by 1.18: elasticity 0.243 (95 % interval 0.202 to 0.284, 4 rows).
    """
    parts = []
    for k, (name, gamma) in enumerate(zip(fit.resources, fit.elasticity, strict=True)):
        them = "them" if name.split(" [")[0].endswith("s") else "it"
        said = f"doubling {them} multiplies accuracy by {2**gamma:.2f}: elasticity {gamma:.3f}"
        rows = f", {fit.n} rows" if k == fit.m - 1 else ""
        parts.append(f"{name}: {said} ({interval(fit, k)}{rows})")
    return f"{capital('; '.join(parts))}."


def interval(fit: Fit, k: int) -> str:
    """The 95 % interval of the k-th elasticity, or that there is none."""
    if not fit.freedom:
        return "no interval, with as many unknowns as rows"
    if not fit.known:
        return "no interval, since other curves are as close"
    low, high = fit.interval[k]
    return f"95 % interval {low:.3f} to {high:.3f}"


def relative(fit: Fit) -> str:
    """What the elasticity is relative to, and between which amounts it was seen.

    >>> from fairsynergy.curves import fit
    >>> print(relative(fit([30, 60, 120, 240], [0.40, 0.47, 0.57, 0.66], resources=["labels"])))
    One more per cent of labels brings 0.243 per cent more accuracy, relative to the accuracy already reached, between
    30 and 240 labels. In another unit the elasticity is the same; only the scale, 0.176 here, would change.
    """
    more = " and ".join(
        f"{gamma:.3f} per cent {'more' if gamma >= 0 else 'of'} accuracy for {name}"
        if fit.m > 1
        else f"{gamma:.3f} per cent more accuracy"
        for name, gamma in zip(fit.resources, fit.elasticity, strict=True)
    )
    what = f"of {fit.resources[0]} brings {more}" if fit.m == 1 else f"of a resource brings {more}"
    spans = " and ".join(
        f"{_number(low)} and {_number(high)} {'of ' * name.startswith('the ')}{name}"
        for name, low, high in zip(fit.resources, fit.resource.min(axis=0), fit.resource.max(axis=0), strict=True)
    )
    if fit.scale_fixed:
        unit = "Accuracy is fixed at 1 for one unit of everything, so in another unit the elasticity is another."
    elif not 0 < fit.scale < inf:
        unit = "In another unit the elasticity is the same."
    else:
        unit = f"In another unit the elasticity is the same; only the scale, {_number(fit.scale)} here, would change."
    return f"One more per cent {what}, relative to the accuracy already reached, between {spans}. {unit}"


def status(fit: Fit) -> str:
    """How well the power law describes the rows, in a sentence. "Well" takes a known noise: repeats, or `sd`.

    >>> from fairsynergy.curves import fit
    >>> print(status(fit([30, 60, 120, 240], [0.40, 0.47, 0.57, 0.66])))
    Whether the power law describes these 4 rows well cannot be told from them: it misses them by up to 0.9 percentage
    points, and nothing says how much they scatter; it explains 99.7 % of the variance of the accuracies.
    >>> print(status(fit([30, 60, 120, 240], [0.40, 0.47, 0.57, 0.66], sd=0.01)))
    The power law describes these 4 rows well: it misses the mean of no amount by more than 0.9 percentage points, and
    accuracies scatter by 1.0; it explains 99.7 % of the variance of the accuracies.
    """
    concerns = {note.concern for note in fit.notes}
    explained, rows = _explained(fit), f"these {fit.n} rows"
    if concerns & {Concern.NOT_BETWEEN, Concern.NOT_CONCAVE}:
        return f"No agent of this law behaves like {rows}; {explained}."
    if fit.r_squared < 0:
        return f"The power law does not describe {rows}; {explained}."
    if Concern.MISSES in concerns:
        return f"The power law is only a rough description of {rows}; {explained}."
    if Concern.ANOTHER_SHAPE in concerns:
        return f"The power law describes {rows} less well than another shape; {explained}."
    if not fit.freedom:
        return f"The curve goes through all {fit.n} rows, which says nothing about how well it describes others."
    miss, unsure = 100 * fit.miss, f"Whether the power law describes {rows} well cannot be told from them"
    if not isfinite(fit.noise):
        return (
            f"{unsure}: it misses them by up to {miss:.1f} percentage points, and nothing says how much they scatter; "
            f"{explained}."
        )
    scatter = f"accuracies scatter by {100 * fit.noise:.1f}"
    if Concern.UNDECIDED in concerns:
        return f"{unsure}: {scatter} percentage points, too much to rule out a flat curve or a straight line."
    return (
        f"The power law describes {rows} well: it misses the mean of no amount by more than {miss:.1f} percentage "
        f"points, and {scatter}; {explained}."
    )


def _explained(fit: Fit) -> str:
    if not isfinite(fit.r_squared):
        return "the accuracies do not vary, so there is nothing to explain"
    if fit.r_squared < 0:
        return "it is further from them than their mean is"
    return f"it explains {share(fit.r_squared)} of the variance of the accuracies"


def compared(fit: Fit) -> str:
    """How the shapes were compared, or why they were not.

    >>> from fairsynergy.curves import fit
    >>> print(compared(fit([30, 60, 120, 240], [0.40, 0.47, 0.57, 0.66])))
    Fewer than 8 different rows do not tell which shape is better, so these are not compared. h is the amount of the
    resource.
    """
    if fit.comparable:
        said = (
            "AICc weighs how closely a shape follows the rows against how many numbers it takes to do so. Only "
            "differences mean something: 2 are a hint, 10 leave little doubt."
        )
    else:
        least = ROWS_EACH * (2 + 2 * fit.m)
        said = f"Fewer than {least} different rows do not tell which shape is better, so these are not compared."
    return f"{said} h is the amount of the resource."


def share(part: float) -> str:
    """A share as a percentage, never rounded up to all of it.

    >>> share(0.741), share(0.99999), share(1.0)
    ('74.1 %', '99.9 %', '100 %')
    """
    return "100 %" if part > 1 - 1e-12 else f"{min(100 * part, 99.9):.1f} %"


def formula(one: Alternative) -> str:
    """A fitted shape with its numbers.

    >>> from fairsynergy.curves import fit
    >>> formula(fit([1, 4, 16], [0.25, 0.5, 1.0]).alternatives[0])
    's · h^γ with s = 0.25, γ = 0.5'
    """
    several = {
        Shape.POWER: "s · h1^γ1 · h2^γ2 …",
        Shape.SATURATING: "a − b1 · h1^(−c1) − b2 · h2^(−c2) …",
        Shape.ATTEMPTS: "1 − (1 − p1)^h1 · (1 − p2)^h2 …",
    }
    many = {Shape.POWER: 2, Shape.SATURATING: 3, Shape.ATTEMPTS: 1}[one.shape]
    written = one.shape.value if len(one.parameters) == many else several[one.shape].removesuffix(" …")
    return f"{written} with {', '.join(f'{name} = {_number(value)}' for name, value in one.parameters.items())}"


def against(fit: Fit, one: Alternative) -> str:
    """Where a shape stands by AICc among those fitted.

    >>> from fairsynergy.curves import fit
    >>> found = fit([15, 30, 60, 120, 240, 480, 720, 960], [0.34, 0.40, 0.48, 0.57, 0.66, 0.79, 0.87, 0.94])
    >>> [against(found, one) for one in found.alternatives]
    ['best', '+52', '+54']
    """
    best = fit.alternatives[0]
    if not isfinite(fit.law.aicc) or not isfinite(one.aicc):
        return "too few rows"
    return "best" if one is best else f"+{one.aicc - best.aicc:.0f}"


def capital(text: str) -> str:
    """With its first letter large."""
    return text[:1].upper() + text[1:]


def _number(value: float) -> str:
    """A parameter or an amount.

    >>> _number(0.0123456), _number(1200.0), _number(66.0), _number(6e7)
    ('0.0123', '1,200', '66', '60,000,000')
    """
    return f"{value:,.0f}" if 1000 <= value < 1e9 else f"{value:.{DIGITS}g}"
