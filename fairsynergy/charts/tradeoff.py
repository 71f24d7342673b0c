"""What fairness costs: the dial's frontier with every rule on it, prices of fairness, Lorenz curves, a search closing.

As in `comparison`: a specification built once, the table that fills it, and a sentence for those who cannot see it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import altair as alt
import numpy as np
import pandas as pd

from fairsynergy.allocation import Allocation
from fairsynergy.analysis.fairness import Guarantee, PriceOfFairness, dominators, gini, lorenz
from fairsynergy.charts import palette
from fairsynergy.charts.comparison import (
    AXIS,
    FAINT,
    FROM_ZERO,
    INK,
    KEPT,
    LEAST_SPAN,
    TEXT,
    UNDOMINATED,
    Spec,
    bare,
    label_texts,
    place_labels,
    rule_colour,
    rule_points,
)
from fairsynergy.policies import Progress
from fairsynergy.problem import Array, Problem
from fairsynergy.words.phrases import average, averaged, badge, failing, mean_word, number, percent, price_of_fairness

SIZE = (490.0, 250.0)  # about how wide and high the frontier's inside is, within the padding [pixels]
BAR = 30  # height of a rule's row among the prices [pixels]
SAMPLES = 8  # of the curve between two stops that are far apart
NEAR = 0.3  # times the curve's extent: how far a rule may be from it and count as near
STEPS = 400  # most steps of a search that are drawn
DIAL = "#E0304E"  # where the dial stands; no rule has this colour


class Axis(NamedTuple):
    """Something to set against the mean: of accuracies (a, n) a merit (a,), of which more is better."""

    title: str
    short: str
    merit: Callable[[Array], Array]


AXES: dict[str, Axis] = {
    "worst-off": Axis(
        "Worst-off agent's accuracy (share correct)", "Worst-off agent", lambda utility: utility.min(axis=1)
    ),
    "10th percentile": Axis(
        "Accuracy that 9 in 10 agents reach or exceed (share correct)",
        "10th percentile",
        lambda utility: np.quantile(utility, 0.1, axis=1),
    ),
    "Gini index": Axis(
        "Gini index of accuracies (less is more equal, and further right; 0: all the same)",
        "Gini index",
        lambda utility: np.array([-gini(row) for row in utility]),
    ),
}


def stop(alpha: float) -> str:
    """An alpha as the dial writes it.

    >>> stop(0), stop(0.05), stop(1), stop(float("inf"))
    ('0', '0.05', '1', '∞')
    """
    return "∞" if np.isinf(alpha) else f"{alpha:g}"


def nearest(alphas: Array, dial: float) -> int:
    """Position of the alpha that is nearest to where the dial stands.

    >>> nearest(np.array([0, 1, 5]), 4), nearest(np.array([0, 1, 5]), float("inf"))
    (2, 2)
    """
    return int(np.argmin(np.abs(alphas - dial))) if np.isfinite(dial) else len(alphas) - 1


def frontier(
    curve: tuple[Array, Array, Sequence[str]], allocations: Mapping[str, Allocation], *, rule: str, dial: float,
    axis: str, near: bool = False,
) -> pd.DataFrame:  # fmt: skip
    """The dial's curve, every rule, and where the dial stands; one row per point, told apart by `kind`.

    Parameters
    ----------
    curve : (alphas (a,), accuracies (a, n), proofs)
        The alpha family.
    allocations : mapping of str to Allocation
        The rules' answers, by name.
    rule : str
        The rule under the lens.
    dial : float
        The alpha to be emphasised; the nearest of those solved is.
    axis : str
        A key of `AXES`: what is set against the mean.
    near : bool
        Whether to leave out rules that are far from the curve.
    """
    alpha, along, proofs = curve
    merit = AXES[axis].merit
    problem = next(iter(allocations.values())).problem
    path = np.column_stack([merit(along), [averaged(problem, utility) for utility in along]])
    held = np.stack([allocation.utility for allocation in allocations.values()])
    points = np.column_stack([merit(held), [average(allocation) for allocation in allocations.values()]])
    names = list(allocations)
    better = dominators(points)
    standing = [f"dominated by {names[i]}" if i >= 0 else UNDOMINATED for i in better]
    at = nearest(alpha, dial)
    low, margin = path.min(axis=0), NEAR * np.maximum(np.ptp(path, axis=0), LEAST_SPAN)
    inside = ((points >= low - margin) & (points <= path.max(axis=0) + margin)).all(axis=1)
    drawn = np.flatnonzero(inside) if near else np.arange(len(names))
    labelled = [*(names[i] for i in drawn), f"α = {stop(alpha[at])}"]
    placed = place_labels(labelled, np.vstack([points[drawn], path[at]]), SIZE, around=_dense(path))
    dots = pd.DataFrame(
        {
            "kind": "curve", "x": path[:, 0], "mean": path[:, 1], "order": np.arange(len(alpha)),
            "name": [f"α = {stop(value)}" for value in alpha], "proof": proofs,
        }
    )  # fmt: skip
    marks = pd.DataFrame(
        {
            "kind": ["rule"] * len(drawn) + ["dial"],
            "rule": [*labelled[:-1], None],
            "name": labelled,
            "x": [*points[drawn, 0], path[at, 0]],
            "mean": [*points[drawn, 1], path[at, 1]],
            "standing": [*(standing[i] for i in drawn), None],
            "chosen": [*(names[i] == rule for i in drawn), False],
            "proof": [*(badge(allocations[name]) for name in labelled[:-1]), proofs[at]],
        }
    )
    # Drawn last is what a click meets: of rules in one place, the first.
    table = pd.concat([dots, marks.assign(**placed)[::-1]], ignore_index=True)
    table["lens"] = rule
    table["chosen"] = table.chosen.eq(True)
    table["shown"] = table.x.abs()
    table["called"] = mean_word(problem)
    return table


def _dense(path: Array) -> Array:
    """Points along a curve, close enough together that a label cannot slip between them."""
    pieces = [
        np.linspace(start, end, SAMPLES, endpoint=False) if far else start[None]
        for start, end, far in zip(path[:-1], path[1:], _far(path), strict=True)
    ]
    return np.concatenate([*pieces, path[-1:]])


def _far(path: Array) -> Array:
    """(a - 1,) whether two neighbours on a curve are a label apart."""
    span = np.maximum(np.ptp(path, axis=0), LEAST_SPAN)
    return np.asarray((np.abs(np.diff(path, axis=0)) / span).max(axis=1) > 0.05)


def frontier_table(table: pd.DataFrame, axis: str) -> pd.DataFrame:
    """The frontier for a reader: the rules, then the dial's stops."""
    called = table.called.iloc[0].capitalize()
    shown = {
        "name": "Rule or stop of the dial", "mean": f"{called} accuracy", "shown": AXES[axis].short,
        "standing": "Standing", "proof": "Proof",
    }  # fmt: skip
    rows = pd.concat([table[table.kind == "rule"][::-1], table[table.kind == "curve"]])
    return rows[list(shown)].rename(columns=shown)


def describe_frontier(table: pd.DataFrame, axis: str) -> str:
    """The frontier as text: its ends, and which rules no other beats."""
    dots = table[table.kind == "curve"]
    first, last = dots.iloc[0], dots.iloc[-1]
    best = table[(table.kind == "rule") & (table.standing == UNDOMINATED)]["name"][::-1]
    called, short = table.called.iloc[0], AXES[axis].short
    means, others = (f"{number(first[column])} to {number(last[column])}" for column in ("mean", "shown"))
    ends = f"From {first['name']} to {last['name']}"
    return (
        f"{called.capitalize()} accuracy against {short}. {ends} the {called} goes from {means} and "
        f"the {short} from {others}. No other rule beats {', '.join(best)} on both."
    )


@lru_cache(maxsize=KEPT)
def frontier_spec(axis: str, mean: str = "mean") -> Spec:
    """How `frontier` is drawn; a click on a rule's point is the selection `pick`, with the fields rule and lens.

    The rule under the lens is part of the selection so that a second click on the same point is a new one.
    """
    plain = alt.Scale(zero=False, nice=False, padding=30)
    # What is better to have less of is drawn to the left of zero, and written without its sign.
    labels = alt.Axis(tickCount=6, labelExpr="format(abs(datum.value), '~g')" if axis == "Gini index" else FROM_ZERO)
    rows = alt.Chart(alt.NamedData("points")).encode(
        x=alt.X("x:Q", title=AXES[axis].title, scale=plain, axis=labels),
        y=alt.Y(
            "mean:Q", title=f"{mean.capitalize()} accuracy (share correct)", scale=plain, axis=alt.Axis(tickCount=6)
        ),
    )
    tip = [
        alt.Tooltip("name:N", title="Rule"),
        alt.Tooltip("mean:Q", format=".4f", title=mean.capitalize()),
        alt.Tooltip("shown:Q", format=".4f", title=AXES[axis].short),
        alt.Tooltip("proof:N", title="Proof"),
    ]
    curve = rows.transform_filter("datum.kind === 'curve'")
    rules = rows.transform_filter("datum.kind === 'rule'")
    dial = rows.transform_filter("datum.kind === 'dial'")
    pick = alt.selection_point(name="pick", fields=["rule", "lens"], on="click", clear=False, toggle=False)
    chart = alt.layer(
        *(
            rows.transform_filter("isValid(datum.left)").mark_point(opacity=0).encode(x=f"{x}:Q", y=f"{y}:Q")
            for x, y in (("left", "bottom"), ("right", "top"))
        ),
        curve.mark_line(color=FAINT, strokeWidth=2, opacity=0.8).encode(order="order:Q"),
        curve.mark_point(filled=True, size=34, opacity=1, color=FAINT).encode(tooltip=tip),
        *rule_points(rules),
        dial.mark_point(size=330, strokeWidth=3, opacity=1, color=DIAL, shape="circle").encode(tooltip=tip),
        *label_texts(rows),
        rules.mark_point(filled=True, size=500, opacity=0, cursor="pointer")
        .encode(tooltip=[*tip, alt.Tooltip("standing:N", title="Standing")])
        .add_params(pick),
    )
    return bare(chart)


def prices(found: Mapping[str, PriceOfFairness], rule: str) -> pd.DataFrame:
    """One row per rule: the share of the best total that it gives up, from `low` to `high`, and in words."""
    known = [(price.low, price.high) for price in found.values()]
    return pd.DataFrame(
        {
            "rule": list(found),
            "low": [low or 0.0 for low, _ in known],
            "high": [(low or 0.0) if high is None else high for low, high in known],
            "text": [price_of_fairness(price) for price in found.values()],
            "against": [price.against for price in found.values()],
            "chosen": [name == rule for name in found],
        }
    )


def prices_table(table: pd.DataFrame) -> pd.DataFrame:
    """The prices for a reader."""
    shown = {"rule": "Rule", "low": "At least [%]", "high": "At most [%]", "text": "In words", "against": "Against"}
    return table.assign(low=100 * table.low, high=100 * table.high)[list(shown)].rename(columns=shown)


def describe_prices(table: pd.DataFrame) -> str:
    """The prices as text."""
    said = "; ".join(f"{rule}: {text}" for rule, text in zip(table.rule, table.text, strict=True))
    return f"Share of the best total accuracy that each rule gives up. {said}."


def prices_height(table: pd.DataFrame) -> int:
    """Height of `PRICES` with the table's rows [pixels]."""
    return BAR * len(table) + AXIS


def _prices() -> Spec:
    tip = [
        alt.Tooltip("rule:N", title="Rule"),
        alt.Tooltip("text:N", title="Gives up, of the best total"),
        alt.Tooltip("against:N", title="Measured against"),
    ]
    axis = alt.Axis(format="~%", tickCount=4)
    title = "Share of the best total given up"
    rows = alt.Chart(alt.NamedData("prices")).encode(
        y=alt.Y("rule:N", sort=list(palette.RULES), title=None, axis=alt.Axis(labelLimit=150, labelFlush=False)),
        tooltip=tip,
    )
    scale = alt.Scale(domainMin=0, nice=False, padding=2)
    chart = alt.layer(
        rows.transform_filter("datum.chosen").mark_rect(opacity=0.14, color=FAINT, cornerRadius=4),
        rows.mark_point(opacity=0).encode(x=alt.XDatum(0.01)),
        rows.mark_bar(height=14).encode(x=alt.X("low:Q", title=title, axis=axis, scale=scale), color=rule_colour()),
        rows.mark_bar(height=14, opacity=0.35).encode(x="low:Q", x2="high:Q", color=rule_colour()),
        rows.mark_text(align="left", dx=6, fontSize=TEXT, color=INK).encode(x="high:Q", text="text:N"),
    )
    return bare(chart)


def closing(history: Sequence[Progress], weight: float) -> pd.DataFrame:
    """How bound and best total closed in, one row per box seen, as means; the first and last of many, and some between.

    Parameters
    ----------
    history : sequence of Progress
        What the search reported.
    weight : float
        The sum of the agents' weights, by which totals are divided.
    """
    rows = np.unique(np.linspace(0, len(history) - 1, min(len(history), STEPS)).round().astype(int))
    kept = [history[row] for row in rows]
    return pd.DataFrame(
        {
            "boxes": [now.boxes for now in kept],
            "seconds": [now.seconds for now in kept],
            "bound": [now.bound / weight for now in kept],
            "found": [now.total / weight for now in kept],
            "gap": [now.gap for now in kept],
            "last": [row == len(history) - 1 for row in rows],
        }
    )


def closing_table(table: pd.DataFrame) -> pd.DataFrame:
    """The search for a reader."""
    shown = {
        "boxes": "Boxes bounded", "seconds": "Time [s]", "bound": "Proved upper bound on the mean",
        "found": "Best mean found", "gap": "Gap [%]",
    }  # fmt: skip
    return table.assign(gap=100 * table.gap)[list(shown)].rename(columns=shown)


def _closing() -> Spec:
    tip = [
        alt.Tooltip("boxes:Q", title="Boxes bounded"),
        alt.Tooltip("seconds:Q", format=".2f", title="Time [s]"),
        alt.Tooltip("bound:Q", format=".5f", title="Proved: no division exceeds"),
        alt.Tooltip("found:Q", format=".5f", title="Best mean found"),
        alt.Tooltip("gap:Q", format=".4%", title="At most this is missing"),
    ]
    rows = alt.Chart(alt.NamedData("boxes")).encode(
        x=alt.X("boxes:Q", title="Boxes of divisions bounded so far", axis=alt.Axis(tickMinStep=1, format="d")),
        tooltip=tip,
    )
    scale = alt.Scale(zero=False, nice=False, padding=24)
    best = palette.RULES["Certified optimum"].colour
    end = rows.transform_filter("datum.last")
    said = {"align": "right", "fontSize": TEXT, "color": INK}
    chart = alt.layer(
        rows.mark_area(interpolate="step-after", opacity=0.16, color=FAINT).encode(
            y=alt.Y("bound:Q", title="Mean accuracy (share correct)", scale=scale), y2="found:Q"
        ),
        rows.mark_line(interpolate="step-after", strokeWidth=2.5, strokeDash=[6, 4], color=FAINT).encode(y="bound:Q"),
        rows.mark_line(interpolate="step-after", strokeWidth=2.5, color=best).encode(y="found:Q"),
        end.mark_point(filled=True, size=70, opacity=1, color=FAINT).encode(y="bound:Q"),
        end.mark_point(filled=True, size=70, opacity=1, color=best).encode(y="found:Q"),
        end.mark_text(dy=-12, **said).encode(y="bound:Q", text=alt.value("proved: none is better than this")),
        end.mark_text(dy=16, **said).encode(y="found:Q", text=alt.value("best division found")),
    )
    return bare(chart)


def relative(allocations: Mapping[str, Allocation], *, to: str) -> pd.DataFrame:
    """Worst, mean and best of each rule, and how much more that is than one rule's; for a reader."""
    base = allocations[to]
    shown: dict[str, Any] = {"Rule": list(allocations)}
    mean = mean_word(base.problem).capitalize()
    measures: tuple[tuple[Callable[[Allocation], float], str], ...] = (
        (lambda a: a.worst, "Worst-off"),
        (average, mean),
        (lambda a: a.best, "Best-off"),
    )
    for measured, title in measures:
        values = np.array([measured(allocation) for allocation in allocations.values()])
        against = measured(base)
        shown[title] = values
        shown[f"{title} vs {to} [%]"] = 100 * (values / against - 1) if against > 0 else np.full(len(values), np.nan)
    shown["Gini index"] = [gini(allocation.utility) for allocation in allocations.values()]
    shown["Proof"] = [badge(allocation) for allocation in allocations.values()]
    shown["Time [ms]"] = [1000 * allocation.seconds for allocation in allocations.values()]
    return pd.DataFrame(shown)


def lorenz_curves(allocations: Mapping[str, Allocation], rule: str) -> pd.DataFrame:
    """Share of all accuracy that the worst-off share of agents hold together, at most 100 steps per rule."""
    curves = [lorenz(allocation.utility) for allocation in allocations.values()]
    at = np.linspace(0, 1, min(len(curves[0]), 101))
    held = [np.interp(at, np.linspace(0, 1, len(curve)), curve) for curve in curves]
    names = np.repeat(list(allocations), len(at))
    table = {"rule": names, "agents": np.tile(at, len(curves)), "accuracy": np.concatenate(held)}
    return pd.DataFrame(table | {"chosen": names == rule})


def describe_lorenz(allocations: Mapping[str, Allocation]) -> str:
    """The Lorenz curves as text."""
    halves = [
        f"{name}: {percent(float(np.interp(0.5, np.linspace(0, 1, a.problem.n + 1), lorenz(a.utility))))}"
        for name, a in allocations.items()
    ]
    return f"Share of all accuracy that the worse-off half of the agents hold together. {'. '.join(halves)}."


def _lorenz() -> Spec:
    legend = alt.Legend(title=None, orient="top", columns=3, symbolType="stroke", symbolStrokeWidth=3)
    share = alt.Axis(format="%", tickCount=5)
    curves = alt.Chart(alt.NamedData("curves")).encode(
        x=alt.X("agents:Q", title="Agents, worst-off first (share)", axis=share)
    )
    held = curves.encode(
        y=alt.Y("accuracy:Q", title="Accuracy they hold together (share)", axis=share),
        color=rule_colour(legend),
        detail="rule:N",
        tooltip=[
            "rule:N",
            alt.Tooltip("agents:Q", format=".0%"),
            alt.Tooltip("accuracy:Q", format=".1%"),
        ],
    )
    chart = alt.layer(
        curves.mark_line(color=FAINT, strokeDash=[4, 4]).encode(y="agents:Q"),
        held.mark_line(strokeWidth=1.5, opacity=0.75),
        held.transform_filter("datum.chosen").mark_line(strokeWidth=5),
    )
    return bare(chart)


def promises_table(found: Mapping[str, Sequence[Guarantee]]) -> pd.DataFrame:
    """Rules by guarantees, for a reader."""
    return pd.DataFrame([{"Rule": name} | {one.name: failing(one) for one in kept} for name, kept in found.items()])


def to_the_hardest(problems: Mapping[str, Problem], solved: Mapping[str, Mapping[str, Allocation]]) -> pd.DataFrame:
    """Share of the first resource that goes to the agents with the hardest tasks, per rule and way of counting.

    Parameters
    ----------
    problems : mapping of str to Problem
        The same fleet in several units, by the unit's name.
    solved : mapping of str to mapping of str to Allocation
        The rules' answers, by unit and by rule.
    """
    rows = []
    for unit, problem in problems.items():
        hardest = problem.elasticity[:, 0] >= problem.elasticity[:, 0].max()
        rows += [
            {"rule": name, "unit": unit, "share": float(allocation.grant[hardest, 0].sum() / problem.capacity[0])}
            for name, allocation in solved[unit].items()
        ]
    return pd.DataFrame(rows)


@lru_cache(maxsize=KEPT)
def units_spec(*units: str) -> Spec:
    """How `to_the_hardest` is drawn."""
    scale = alt.Scale(domain=units, range=[palette.OWN, DIAL])
    chart = (
        alt.Chart(alt.NamedData("shares"))
        .mark_point(filled=True, size=110, opacity=0.9)
        .encode(
            x=alt.X("share:Q", title="Share of the cloud that goes to the hardest tasks", axis=alt.Axis(format="%"),
                    scale=alt.Scale(domain=[0, 1])),
            y=alt.Y("rule:N", sort=list(palette.RULES), title=None, axis=alt.Axis(labelLimit=150, grid=True)),
            color=alt.Color("unit:N", scale=scale, legend=alt.Legend(title=None, orient="top", labelLimit=240)),
            shape=alt.Shape("unit:N", scale=alt.Scale(domain=units, range=["circle", "diamond"]), legend=None),
            tooltip=["rule:N", alt.Tooltip("unit:N", title="Counted in"), alt.Tooltip("share:Q", format=".0%")],
        )
    )  # fmt: skip
    return bare(chart)


PRICES = _prices()
CLOSING = _closing()
LORENZ = _lorenz()
