"""A fitted curve among its measurements, and what it leaves over: tables, specifications that draw them, and words.

Amounts with repeats are drawn as their mean with a standard deviation to either side. With two resources the curve is
drawn against the first, once for each amount of the second. Text is drawn in `currentColor`, so that one specification
serves the light and the dark theme.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from fairsynergy.charts.comparison import ACCURACY, FAINT, FIT, INK, Spec
from fairsynergy.charts.figure import spaced
from fairsynergy.curves import Curve, Fit, words
from fairsynergy.problem import Array

MEASURED, LAW = "measured", "power law"
# No rule's colour, since no rule is drawn: Tol's "bright" for a single curve; for amounts of a second resource an order
# from blue to yellow whose steps are told from one another, and from a white or a black page.
COLOURS = {LAW: "#4477AA", "other": "#EE6677"}
LEVELS = ("#5B6FD6", "#9B5DC9", "#CF4F9B", "#E8636B", "#F08A3C", "#D9A400")
SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross")
STEPS = 80  # points of a line
ROWS = 400  # most rows drawn one by one
TICKS = 8  # up to so many amounts, each has its tick
KEPT = 64  # specifications; a visitor's own curves have their own
HEIGHTS = (360, 240)  # of the curve and of what it leaves over [pixels]

Tables = dict[str, pd.DataFrame]


def table(curve: Curve, fit: Fit) -> pd.DataFrame:
    """Every row as measured and as fitted, for a reader."""
    columns: dict[str, Any] = {"curve": curve.name}
    if any(curve.points):
        columns["point"] = curve.points
    columns |= {name: fit.resource[:, k] for k, name in enumerate(fit.resources)}
    columns |= {"accuracy": fit.accuracy, "fitted": fit.fitted, "residual": fit.residual}
    return pd.DataFrame(columns)


def alternatives(fit: Fit) -> pd.DataFrame:
    """The shapes that were fitted, the best first, for a reader."""
    return pd.DataFrame(
        [
            {
                "Shape": one.shape.label,
                "AICc above the best": words.against(fit, one),
                "That is": one.shape.sentence,
                "Fitted": words.formula(one),
            }
            for one in fit.alternatives
        ]
    )


def drawn(curve: Curve, fit: Fit, *, log: bool) -> Tables:
    """The rows, their means and the curves, for `curve_spec` and `residual_spec`.

    Parameters
    ----------
    curve : Curve
        What was measured.
    fit : Fit
        The power law of it.
    log : bool
        Leave out what a logarithmic axis cannot show: accuracies of 0.
    """
    levels = _levels(fit)
    level = _level_of(fit)
    rows = pd.DataFrame(
        {
            "amount": fit.resource[:, 0],
            "level": level,
            "accuracy": fit.accuracy,
            "off": 100 * fit.residual,
            "point": curve.points,
        }
    )
    rows = rows[rows["level"].isin(levels) & ((rows["accuracy"] > 0) | (not log))]
    means = rows.groupby(["amount", "level"], sort=False).agg(
        mean=("accuracy", "mean"), scatter=("accuracy", "std"), off=("off", "mean"), rows=("accuracy", "size"),
        point=("point", "first"),
    ).reset_index()  # fmt: skip
    scatter = means.pop("scatter").fillna(0.0)
    means["low"], means["high"] = means["mean"] - scatter, means["mean"] + scatter
    if log:
        means["low"] = means["low"].clip(lower=means["mean"] / 2)
    means["text"] = np.where(means["rows"] > 1, "mean of " + means["rows"].astype(str) + " rows", means["point"])
    lines = [_line(fit, number) for number in levels]
    found = {"rows": rows.iloc[spaced(len(rows), ROWS)], "means": means, "law": pd.concat(lines)}
    other = fit.alternatives[0]
    if fit.m == 1 and other is not fit.law:
        along = _along(fit)
        found["other"] = pd.DataFrame(
            {"amount": along, "accuracy": other.predict(along[:, None] / fit.unit), "part": other.shape.label}
        )
    found["zero"] = pd.DataFrame({"off": [0.0]})
    return {name: _named(frame) for name, frame in found.items()}


def curve_spec(fit: Fit, *, log: bool) -> Spec:
    """How `drawn` is drawn: measurements with error bars, the power law with its band, a better shape dashed."""
    other = fit.alternatives[0]
    better = other.shape.label if fit.m == 1 and other is not fit.law else ""
    return _curve_spec(_title(fit), _levels(fit) if fit.m > 1 else (), _ticks(fit), better, log)


def residual_spec(fit: Fit, *, log: bool) -> Spec:
    """How what the curve leaves over is drawn: accuracy measured less fitted, in percentage points."""
    return _residual_spec(_title(fit), _levels(fit) if fit.m > 1 else (), _ticks(fit), log)


def describe(fit: Fit) -> str:
    """What the curve's picture shows."""
    n = len(np.unique(fit.resource, axis=0))
    said = "Points: measurements."
    if fit.n > n:
        said = "Points: mean accuracy of the repeats at an amount; bars: a standard deviation to either side."
    if fit.m == 1:
        said += " Line: the power law; band: where it is with 95 % confidence."
        if fit.alternatives[0] is not fit.law:
            said += f" Dashed: the shape that describes the rows better ({fit.alternatives[0].shape.label})."
    elif fit.m == 2:
        all_of = len(np.unique(fit.resource[:, 1]))
        some = f"; {len(_levels(fit))} of {all_of} are drawn" if all_of > len(_levels(fit)) else ""
        said += f" Lines: the power law at each amount of {fit.resources[1]}{some}."
    else:
        said += " With three or more resources no line is drawn: the picture is against the first alone."
    return said


def describe_residuals(fit: Fit) -> str:
    """What the picture of residuals shows."""
    worst = int(np.argmax(np.abs(fit.residual)))
    where = " and ".join(
        f"{amount:,.6g} {name}" for amount, name in zip(fit.resource[worst], fit.resources, strict=True)
    )
    most = f"{100 * fit.residual[worst]:+.1f}".replace("-", "−")
    return (
        "Accuracy measured less accuracy by the power law, in percentage points. Where they lie around 0 without a "
        f"pattern, the law is the right shape; where they arch, it is not. Furthest off: {most} points, at {where}."
    )


def _levels(fit: Fit) -> tuple[float, ...]:
    """Amounts of the second resource that are drawn, each with its colour; one that stands for all without lines."""
    if fit.m != 2:
        return (0.0,)
    every = np.unique(fit.resource[:, 1])
    return tuple(every[spaced(len(every), len(LEVELS))].tolist())


def _level_of(fit: Fit) -> Array:
    return fit.resource[:, 1] if fit.m == 2 else np.zeros(fit.n)


def _along(fit: Fit) -> Array:
    amount = fit.resource[:, 0]
    return np.asarray(np.geomspace(amount.min(), amount.max(), STEPS))


def _line(fit: Fit, level: float) -> pd.DataFrame:
    if fit.m > 2:
        return pd.DataFrame({"amount": [], "level": [], "accuracy": [], "low": [], "high": [], "part": []})
    along = _along(fit)
    at = along[:, None] if fit.m == 1 else np.column_stack([along, np.full(STEPS, level)])
    accuracy = fit.predict(at)
    # Without an interval the band is everything, and is not drawn.
    low, high = fit.band(at).T if fit.known else (accuracy, accuracy)
    # Few rows leave open more than any accuracy can be, which would dwarf the measurements.
    high = np.minimum(high, np.maximum(accuracy, 1.0))
    return pd.DataFrame({"amount": along, "level": level, "accuracy": accuracy, "low": low, "high": high, "part": LAW})


def _named(frame: pd.DataFrame) -> pd.DataFrame:
    """Amounts of the second resource as words, so that each has one colour and one shape."""
    if "level" in frame:
        return frame.assign(level=[f"{level:,.6g}" for level in frame["level"]])
    return frame


def _title(fit: Fit) -> tuple[str, str]:
    return words.capital(fit.resources[0]), fit.resources[1] if fit.m > 1 else ""


def _ticks(fit: Fit) -> tuple[float, ...]:
    every = np.unique(fit.resource[:, 0])
    return tuple(every.tolist()) if len(every) <= TICKS else ()


def _x(title: str, ticks: tuple[float, ...], log: bool) -> Any:
    axis = {"format": ",~r", "labelOverlap": True}
    if log:
        axis |= {"values": list(ticks)} if ticks else {"tickCount": 6}
    scale = alt.Scale(type="log" if log else "linear", nice=False, padding=10, **({} if log else {"zero": True}))
    return alt.X("amount:Q", title=title, scale=scale, axis=alt.Axis(**axis))


def _level_marks(levels: tuple[float, ...], legend: Any) -> dict[str, Any]:
    """Colour and shape of each amount of the second resource."""
    names = [f"{level:,.6g}" for level in levels]
    return {
        "color": alt.Color("level:N", scale=alt.Scale(domain=names, range=LEVELS[: len(names)]), legend=legend),
        "shape": alt.Shape("level:N", scale=alt.Scale(domain=names, range=SHAPES[: len(names)]), legend=legend),
    }


@lru_cache(KEPT)
def _curve_spec(
    titles: tuple[str, str], levels: tuple[float, ...], ticks: tuple[float, ...], better: str, log: bool
) -> Spec:
    x = _x(titles[0], ticks, log)
    scale = alt.Scale(type="log", nice=False, padding=8) if log else alt.Scale(zero=False, padding=8)
    y_axis = alt.Axis(tickCount=6, format="~g")

    def y(field: str) -> Any:
        return alt.Y(f"{field}:Q", title=ACCURACY, scale=scale, axis=y_axis)

    tip = [alt.Tooltip("amount:Q", title=titles[0], format=",~r")]
    if levels:
        tip.append(alt.Tooltip("level:N", title=words.capital(titles[1])))
    measured = [*tip, alt.Tooltip("mean:Q", title="Accuracy", format=".4f"), alt.Tooltip("text:N", title="That is")]
    fitted = [*tip, alt.Tooltip("accuracy:Q", title="Accuracy by the curve", format=".4f")]
    means = alt.Chart(alt.NamedData("means")).encode(x=x, tooltip=measured)
    law = alt.Chart(alt.NamedData("law")).encode(x=x)
    if levels:
        marks = _level_marks(levels, alt.Legend(title=words.capital(titles[1]), orient="top"))
        layers = [
            law.mark_line(strokeWidth=2, clip=True).encode(y=y("accuracy"), color=marks["color"], tooltip=fitted),
            means.mark_rule(strokeWidth=1.2, opacity=0.8).encode(y=y("low"), y2="high:Q", color=marks["color"]),
            means.mark_point(filled=True, size=60, opacity=1).encode(y=y("mean"), **marks),
        ]
        return _spec(HEIGHTS[0], *layers)
    parts = [LAW, better] if better else [LAW]
    colours = alt.Scale(domain=parts, range=[COLOURS[LAW], COLOURS["other"]][: len(parts)])
    dashes = alt.Scale(domain=parts, range=[[1, 0], [6, 4]][: len(parts)])
    legend = alt.Legend(title=None, orient="top", symbolType="stroke", symbolSize=300)
    line = {
        "color": alt.Color("part:N", scale=colours, legend=legend),
        "strokeDash": alt.StrokeDash("part:N", scale=dashes, legend=legend),
    }
    layers = [
        law.mark_area(opacity=0.18, color=COLOURS[LAW], clip=True).encode(y=y("low"), y2="high:Q"),
        law.mark_line(strokeWidth=2.4, clip=True).encode(y=y("accuracy"), tooltip=fitted, **line),
    ]
    if better:
        other = alt.Chart(alt.NamedData("other")).encode(x=x, y=y("accuracy"), tooltip=fitted)
        layers.append(other.mark_line(strokeWidth=2, clip=True).encode(**line))
    layers += [
        means.mark_rule(strokeWidth=1.4, color=INK).encode(y=y("low"), y2="high:Q"),
        means.mark_point(filled=True, size=65, opacity=1, color=INK).encode(y=y("mean")),
        means.transform_filter("datum.rows === 1")
        .mark_text(color=INK, align="left", dx=6, dy=10)
        .encode(y=y("mean"), text="point:N"),
    ]
    return _spec(HEIGHTS[0], *layers)


@lru_cache(KEPT)
def _residual_spec(titles: tuple[str, str], levels: tuple[float, ...], ticks: tuple[float, ...], log: bool) -> Spec:
    x = _x(titles[0], ticks, log)
    axis = alt.Axis(tickCount=5, labelExpr="datum.value === 0 ? '0' : format(datum.value, '+~g')")
    y = alt.Y("off:Q", title="Off [points]", axis=axis, scale=alt.Scale(padding=8, nice=False))
    tip = [alt.Tooltip("amount:Q", title=titles[0], format=",~r")]
    if levels:
        tip.append(alt.Tooltip("level:N", title=words.capital(titles[1])))
    tip.append(alt.Tooltip("off:Q", title="Measured less fitted [percentage points]", format="+.2f"))
    rows = alt.Chart(alt.NamedData("rows")).encode(x=x, y=y, tooltip=tip)
    means = alt.Chart(alt.NamedData("means")).encode(x=x, y=y, tooltip=tip)
    zero = alt.Chart(alt.NamedData("zero")).mark_rule(strokeDash=[4, 4], color=FAINT).encode(y=y)
    faint, clear = ({"filled": True, "size": size, "opacity": shown} for size, shown in ((18, 0.35), (60, 1)))
    if not levels:
        return _spec(HEIGHTS[1], zero, rows.mark_point(color=INK, **faint), means.mark_point(color=INK, **clear))
    marks = _level_marks(levels, None)  # the legend stands above the curve
    some = rows.mark_point(**faint).encode(color=marks["color"])
    return _spec(HEIGHTS[1], zero, some, means.mark_point(**clear).encode(**marks))


def _spec(height: int, *layers: Any) -> Spec:
    """The dictionary of a chart without Altair's own style: Streamlit's theme is the style."""
    spec: Spec = alt.layer(*layers).properties(height=height).to_dict()
    spec.pop("config", None)
    spec["autosize"] = FIT
    spec["padding"] = {"left": 4, "right": 14, "top": 4, "bottom": 6}  # Streamlit's own leaves a gap below
    return spec
