"""Rules beside one another, and the fleet under one of them: tables, the specifications that draw them, and words.

A picture here is three things: a Vega-Lite specification, a plain dictionary that is built once because building
costs ten times more than sending it; the table that fills it, which is also the CSV; and a sentence for those who
cannot see it. Text is drawn in `currentColor`, so that one specification serves the light and the dark theme.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from fairsynergy.allocation import Allocation
from fairsynergy.analysis.fairness import dominators
from fairsynergy.charts import palette
from fairsynergy.problem import Array
from fairsynergy.words.phrases import average, averaged, badge, duration, mean_word, number, proof

Spec = dict[str, Any]
Box = tuple[float, float, float, float]  # left, bottom, right, top

INK = "currentColor"
FAINT = palette.FAINT  # for what was there before the cloud
ROW = 38  # height of a rule's row: a line of text and its dumbbell [pixels]
AXIS = 52  # height of a horizontal axis with its title [pixels]
TEXT = 13  # [pixels]
BELOW = 8.5  # from a dumbbell to what was before the cloud, past the text at its ends [pixels]
ACCURACY = "Accuracy (share correct)"
# Of labels on the map, in pixels: the width of a letter, the height of a line, the distance from label to point, half
# the width of the largest mark, and the distance below which two points are one.
LETTER, LINE, CLEAR, MARK, SAME_PLACE = 7.0, 15.0, 13.0, 8.0, 3.0
# What titles say of accuracies, and what of utilities once one exceeds 1.
UTILITIES = {
    "(share correct)": "(not a share)",
    "(share of correct answers)": "(not a share)",
    "Accurac": "Utilit",
    "accurac": "utilit",
}
# Padding may carry an axis below zero, where no accuracy is.
FROM_ZERO = "datum.value < 0 ? '' : datum.label"
# How a chart fills its place on a page: measured anew whenever its rows change, or the room for labels is that of the
# rows before.
FIT: dict[str, Any] = {"type": "fit", "contains": "padding", "resize": True}
BINS = 25
KEPT = 100  # specifications; a visitor's resources may be called anything
MAP_SIZE = (270, 145)  # about how wide and high its inside is, within the padding [pixels]
LEAST_SPAN = 0.02  # of accuracy, along each axis of the map
UNDOMINATED = "no rule here is better on both counts"

# Orders of the agents that a visitor may choose, and the table's column behind each: (column, ascending).
ORDERS: dict[str, tuple[str, bool]] = {
    "by gain": ("gain", False),
    "by need": ("before", True),
    "by name": ("place", True),
}


def rules(allocations: Mapping[str, Allocation], rule: str) -> pd.DataFrame:
    """One row per rule: worst, mean and best accuracy with and without the cloud, proof, time; `chosen` marks one.

    The mean is weighted where agents count differently, `called` says so, and `unweighted` is the other one.
    """
    some = next(iter(allocations.values()))
    before = some.problem.utility(np.zeros_like(some.grant))
    return pd.DataFrame(
        [
            {
                "rule": name,
                "worst": a.worst,
                "mean": average(a),
                "unweighted": a.mean,
                "called": mean_word(a.problem),
                "best": a.best,
                "worst_before": before.min(),
                "mean_before": averaged(a.problem, before),
                "best_before": before.max(),
                "worst_text": number(a.worst),
                "mean_text": f"{mean_word(a.problem)} {number(average(a))}",
                "best_text": number(a.best),
                "sentence": a.policy.sentence,
                "proof": badge(a),
                "proof_text": f"{badge(a)} · {duration(a.seconds)}",
                "meaning": proof(a),
                "milliseconds": a.seconds * 1000,
                "chosen": name == rule,
            }
            for name, a in allocations.items()
        ]
    )


def tall(table: pd.DataFrame) -> int:
    """Height of `DUMBBELLS` with the table's rows [pixels]."""
    return ROW * len(table) + AXIS


def describe_rules(table: pd.DataFrame) -> str:
    """The table of rules as text: its extremes, since the numbers stand below."""
    mean, worst = table.loc[table["mean"].idxmax()], table.loc[table.worst.idxmax()]
    return (
        f"Worst-off, {mean.called} and best-off accuracy under {len(table)} rules. Highest {mean.called}: {mean.rule}, "
        f"{number(mean['mean'])}. Highest worst-off: {worst.rule}, {worst.worst_text}."
    )


def outcomes(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of `rules` as points on mean versus worst, labelled so that none hides another."""
    names, worst, mean, chosen = (table[column].to_list() for column in ("rule", "worst", "mean", "chosen"))
    better = dominators(np.column_stack([mean, worst]))
    standing = [f"dominated by {names[i]}" if i >= 0 else UNDOMINATED for i in better]
    points = {"rule": names, "worst": worst, "mean": mean, "chosen": chosen, "standing": standing}
    points["called"] = table.called.to_list()
    return pd.DataFrame(points | place_labels(names, np.column_stack([worst, mean]), MAP_SIZE))


def describe_outcomes(points: pd.DataFrame) -> str:
    """The map as text: which rules no other beats."""
    columns = (points[column].to_list() for column in ("rule", "mean", "worst", "standing"))
    called = points.called.iloc[0]
    best = [
        f"{rule} ({called} {number(mean)}, worst-off {number(worst)})"
        for rule, mean, worst, standing in zip(*columns, strict=True)
        if standing == UNDOMINATED
    ]
    against = f"{called.capitalize()} accuracy against worst-off accuracy, one point per rule."
    return f"{against} No other rule beats {', '.join(best)}."


def agents(allocation: Allocation, order: str, wanted: str = "") -> pd.DataFrame:
    """One row per agent: accuracy before and after, gain, and of each resource the elasticity, own and granted.

    Parameters
    ----------
    allocation : Allocation
        The rule's answer.
    order : str
        A key of `ORDERS`.
    wanted : str
        Part of a name, whatever its case; `found` marks the agents that have it, nobody if empty.
    """
    problem = allocation.problem
    before = problem.utility(np.zeros_like(allocation.grant))
    wanted = wanted.strip().casefold()
    columns = {
        "agent": np.array(problem.agents, dtype=object),
        "place": np.arange(problem.n),
        "before": before,
        "after": allocation.utility,
        "gain": allocation.utility - before,
        "found": np.array([bool(wanted) and wanted in name.casefold() for name in problem.agents]),
    }
    for k, resource in enumerate(problem.resources):
        columns |= {
            f"gamma_{resource}": problem.elasticity[:, k],
            f"own_{resource}": problem.endowment[:, k],
            f"granted_{resource}": allocation.grant[:, k],
            f"held_{resource}": allocation.holding[:, k],
        }
    column, ascending = ORDERS[order]
    places = np.argsort(columns[column] if ascending else -columns[column], kind="stable")
    return ranked(pd.DataFrame({name: values[places] for name, values in columns.items()}), "agent")


def rules_table(table: pd.DataFrame) -> pd.DataFrame:
    """The table of rules for a reader; with both means where they differ."""
    called = table.called.iloc[0].capitalize()
    titles = {
        "rule": "Rule",
        "worst": "Worst-off accuracy",
        "mean": f"{called} accuracy",
        **({} if called == "Mean" else {"unweighted": "Mean accuracy, unweighted"}),
        "best": "Best-off accuracy",
        "worst_before": "Worst-off before the cloud",
        "mean_before": f"{called} before the cloud",
        "best_before": "Best-off before the cloud",
        "proof": "Proof",
        "meaning": "That is",
        "milliseconds": "Time to solve [ms]",
    }
    return table[list(titles)].rename(columns=titles)


def agents_table(table: pd.DataFrame) -> pd.DataFrame:
    """The table of agents for a reader."""
    titles = {
        "agent": "Agent",
        "before": "Accuracy before",
        "after": "Accuracy after",
        "gain": "Gain in accuracy",
    }
    for resource in (column.removeprefix("own_") for column in table if column.startswith("own_")):
        titles |= {
            f"own_{resource}": f"Own {resource} [units]",
            f"granted_{resource}": f"Granted {resource} [units]",
            f"gamma_{resource}": f"Elasticity in {resource}",
        }
    return table[list(titles)].rename(columns=titles)


def distribution(table: pd.DataFrame, before: str, after: str, parts: tuple[str, str]) -> pd.DataFrame:
    """How many agents have how much: `BINS` bins of two columns of the table of agents, and the agents found.

    Parameters
    ----------
    table : DataFrame
        As made by `agents`.
    before, after : str
        Columns; agents that a search found are marked at their value of `after`.
    parts : (str, str)
        What the two columns are called in the legend.
    """
    values = [table[column].to_numpy() for column in (before, after)]
    edges = np.histogram_bin_edges(values, BINS)
    found = table["found"].to_numpy()
    bars, marks = 2 * BINS, int(found.sum())
    nothing = np.full(marks, np.nan)
    return pd.DataFrame(
        {
            "low": np.concatenate([edges[:-1], edges[:-1], values[1][found]]),
            "high": np.concatenate([edges[1:], edges[1:], nothing]),
            "count": np.concatenate([*(np.histogram(amounts, edges)[0] for amounts in values), nothing]),
            "part": np.repeat([*parts, None], [BINS, BINS, marks]),
            "agent": [""] * bars + table["agent"][found].to_list(),
        }
    )


def describe_agents(table: pd.DataFrame, resource: str, rule: str) -> str:
    """Own and granted amounts as text; the extremes when the fleet is large."""
    own, granted = table[f"own_{resource}"], table[f"granted_{resource}"]
    most, none = table.loc[granted.idxmax()], int((granted <= 0).sum())
    return (
        f"{resource.capitalize()} of {len(table)} agents under {rule}, own and granted. Together they own "
        f"{number(own.sum())} units and are granted {number(granted.sum())}. {most.agent} is granted most, "
        f"{number(granted.max())}; {none} of {len(table)} are granted nothing."
    )


def describe_accuracy(table: pd.DataFrame, rule: str) -> str:
    """Accuracy before and after as text."""
    most = table.loc[table.gain.idxmax()]
    return (
        f"Accuracy of {len(table)} agents before the cloud and under {rule}. {most.agent} gains most, from "
        f"{number(most.before)} to {number(most.after)}; {int((table.gain <= 0).sum())} gain nothing."
    )


def describe_spread(utility: Array) -> str:
    """Where the accuracies (n,) of a large fleet lie, in words.

    >>> describe_spread(np.linspace(0, 1, 101))
    'Half of the agents stand at 0.50 or below; eight in ten lie between 0.10 and 0.90.'
    """
    low, middle, high = (number(float(value)) for value in np.quantile(utility, [0.1, 0.5, 0.9]))
    return f"Half of the agents stand at {middle} or below; eight in ten lie between {low} and {high}."


def place_labels(
    names: Sequence[str], points: Array, size: tuple[float, float], *, around: Array | None = None
) -> dict[str, Any]:
    """Columns `label`, `label_x`, `label_y` and `side`: each label beside its point, where it hides least.

    Points that coincide share one label. Distances are in pixels; the columns `left` to `top` are the map's ends.

    Parameters
    ----------
    names : sequence of str
        What the points are called.
    points : (r, 2) array
        Where they are, in the units of the axes.
    size : (float, float)
        About how wide and high the map's inside is [pixels].
    around : (k, 2) array, optional
        Points without a label that the map shows too, and that labels keep clear of.
    """
    others = np.empty((0, 2)) if around is None else around
    everything = np.concatenate([points, others])
    low, extent = everything.min(axis=0), np.ptp(everything, axis=0)
    # Rules that agree within a hair are not to be pulled apart by the axes.
    span = np.maximum(extent, LEAST_SPAN)
    room = (span - extent) / 2
    # Plain numbers: there are few, and Python counts faster with its own.
    places: list[tuple[float, float]] = [(x, y) for x, y in ((points - low) / span * size).tolist()]
    crowd = ((others - low) / span * size).tolist()
    labels = list(names)
    for i, (x, y) in enumerate(places):
        near = [max(abs(x - other_x), abs(y - other_y)) < SAME_PLACE for other_x, other_y in places[:i]]
        twin = next((j for j in range(i) if labels[j] and near[j]), None)
        if twin is not None:
            labels[twin], labels[i] = f"{labels[twin]}, {labels[i]}", ""
    if len(labels) > 2 and labels.count("") == len(labels) - 1:
        labels[0] = "every rule"

    half = MARK
    taken = [(x - half, y - half, x + half, y + half) for x, y in places]
    taken += [(x - 2, y - 2, x + 2, y + 2) for x, y in crowd]
    sides, ends = [], []
    for place, label in zip(places, labels, strict=True):
        side, end, box = _beside(place, LETTER * len(label), size[0], taken)
        if label:
            taken.append(box)
        sides.append(side)
        ends.append(end)
    label_x, label_y = (np.array(ends) / size * span + low).T
    return {
        "left": low[0] - room[0],
        "right": low[0] + extent[0] + room[0],
        "bottom": low[1] - room[1],
        "top": low[1] + extent[1] + room[1],
        "label": labels,
        "side": sides,
        "label_x": label_x,
        "label_y": label_y,
    }


def _beside(
    place: tuple[float, float], reach: float, width: float, taken: Sequence[Box]
) -> tuple[str, tuple[float, float], Box]:
    """On which side of a place a label of this reach hides least, where its end is, and its box."""
    x, y = place
    best: tuple[float, str, tuple[float, float], Box] | None = None
    for rise in (0, LINE, -LINE, 2 * LINE, -2 * LINE, 3 * LINE, -3 * LINE):
        for side, shift, left in (("right", CLEAR, CLEAR), ("left", -CLEAR, -CLEAR - reach), ("middle", 0, -reach / 2)):
            if side == "middle" and not rise:
                continue  # on the point itself
            box = (x + left, y + rise - LINE / 2, x + left + reach, y + rise + LINE / 2)
            outside = max(0.0, -20 - box[0]) + max(0.0, box[2] - width - 20)
            cost = abs(rise) + 5 * sum(_overlap(box, other) for other in taken) + 20 * outside
            if best is None or cost < best[0]:
                best = (cost, side, (x + shift, y + rise), box)
        if best is not None and best[0] <= abs(rise):
            break  # further away is worse
    assert best is not None
    return best[1:]


def _overlap(one: Box, other: Box) -> float:
    """Area that two boxes share."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    up = min(one[3], other[3]) - max(one[1], other[1])
    return max(across, 0.0) * max(up, 0.0)


def ranked(table: pd.DataFrame, names: str) -> pd.DataFrame:
    """The table with a column `rank`: each name of a column behind its place in the table, for an axis of names.

    An axis that sorts the names so made has the order of the table, whatever it had before. The browser puts new rows
    in the place of old ones without drawing the axis anew; without an order Vega then leaves names where they were,
    and with the order of another column it goes by the least value that it remembers, which may be one of old rows.
    `named_axis` shows the names alone.
    """
    return table.assign(rank=numbered(table[names]))


def numbered(names: Sequence[str]) -> list[str]:
    """Names behind their places, that of their first time.

    >>> numbered(["b", "a", "b"])
    ['00000 b', '00001 a', '00000 b']
    """
    places = pd.factorize(np.asarray(names, dtype=object))[0]
    return [f"{place:05d} {name}" for place, name in zip(places, names, strict=True)]


NAME = "slice(datum.label, 6)"  # what `numbered` put a place before


def named_axis(**more: Any) -> Any:
    """An axis of the column `rank`, which shows names; arguments are those of `altair.Axis`."""
    return alt.Axis(labelExpr=NAME, **more)


def rule_colour(legend: Any = None) -> Any:
    """The field `rule` as its colour; without a legend where every rule is named beside its mark."""
    return alt.Color("rule:N", scale=_marks("colour"), legend=legend)


def rule_shape() -> Any:
    """The field `rule` as its shape."""
    return alt.Shape("rule:N", scale=_marks("shape"), legend=None)


def called(spec: Spec, measure: str) -> Spec:
    """The specification with titles that say what is drawn: "accuracy", or "utility" where somebody's exceeds 1.

    >>> called({"title": "Mean accuracy (share correct)"}, "utility")
    {'title': 'Mean utility (not a share)'}
    """
    return spec if measure == "accuracy" else _in_utility(spec)


def _in_utility(node: Any) -> Any:
    if isinstance(node, list):
        return [_in_utility(each) for each in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _title_of_utility(value) if key == "title" and isinstance(value, str) else _in_utility(value)
        for key, value in node.items()
    }


def _title_of_utility(title: str) -> str:
    for accuracy, utility in UTILITIES.items():
        title = title.replace(accuracy, utility)
    return title


def shapes_only(**more: Any) -> Any:
    """A legend whose signs tell shapes and no colour; without one of its own a sign is black, also on black."""
    return alt.Legend(symbolFillColor=FAINT, symbolStrokeColor=FAINT, **more)


def _marks(field: str) -> Any:
    return alt.Scale(domain=list(palette.RULES), range=[getattr(mark, field) for mark in palette.RULES.values()])


def rule_points(rows: Any) -> list[Any]:
    """Layers of a map: a disc behind the rule chosen, rules that none beats filled, the others hollow."""
    best = f"datum.standing === '{UNDOMINATED}'"
    marks = {"color": rule_colour(), "shape": rule_shape()}
    return [
        rows.transform_filter("datum.chosen").mark_point(size=900, filled=True, opacity=0.2, color=FAINT),
        rows.transform_filter(best).mark_point(filled=True, size=190, opacity=1).encode(**marks),
        rows.transform_filter(f"!({best})").mark_point(size=150, strokeWidth=2.5, opacity=1).encode(**marks),
    ]


def label_texts(rows: Any) -> list[Any]:
    """Layers of a map: what `place_labels` placed."""
    return [
        rows.transform_filter(f"datum.side === '{side}'")
        .mark_text(align=align, fontSize=TEXT, color=INK)
        .encode(x="label_x:Q", y="label_y:Q", text="label:N")
        for side, align in (("right", "left"), ("left", "right"), ("middle", "center"))
    ]


def named(chart: Any) -> Spec:
    """The dictionary of a chart whose layers name their tables, without Altair's own style: Streamlit's theme is it."""
    spec: Spec = chart.to_dict()
    spec["padding"] = {"left": 4, "right": 12, "top": 4, "bottom": 6}  # Streamlit's own leaves a gap below
    spec["autosize"] = FIT
    return {key: value for key, value in spec.items() if key not in ("config", "$schema")}


def filled(spec: Spec, tables: Mapping[str, pd.DataFrame]) -> Spec:
    """A specification with those of the tables that it names.

    Where several pictures share tables, none is sent what it does not draw: the browser puts new rows into each table
    by its name, stops at the first that the picture lacks, and the picture stays what it was.
    """
    return spec | {"datasets": {name: tables[name] for name in sorted(_named_in(spec))}}


def _named_in(part: Any) -> set[str]:
    if isinstance(part, dict):
        data = part.get("data")
        own = {data["name"]} if isinstance(data, dict) and "name" in data else set()
        return own.union(*(_named_in(value) for value in part.values()))
    return set().union(*(_named_in(value) for value in part)) if isinstance(part, list) else set()


def bare(chart: Any) -> Spec:
    """The dictionary of a chart of one table, which comes with it: no data, no style."""
    spec = named(chart)
    for layer in (spec, *spec.get("layer", ())):
        layer.pop("data", None)
    spec.pop("datasets", None)
    return spec


def dumbbells(rows: Any, *, low: float, colour: Any, shape: Any, behind: Sequence[Any] = ()) -> list[Any]:
    """Layers with a row for each of some things: worst, mean and best accuracy, and faintly those before the cloud.

    Parameters
    ----------
    rows : Chart
        Of a table with the columns `worst`, `mean`, `best`, the same ending in `_before`, `worst_text` and `best_text`,
        and `chosen`, which marks one; it says what a row is.
    low : float
        How far below the middle of its row a dumbbell lies, so that text fits above [pixels]; what was before the cloud
        lies below it, where no number does.
    colour, shape : Color, Shape
        Of the marks.
    behind : sequence of charts, optional
        Layers between a row's ground and its dumbbell.
    """
    # Fixed from 0 to 1, so that a moved slider moves marks and not the scale; the padding holds the end labels.
    scale = alt.Scale(domainMin=0, padding=40, nice=False)
    x = alt.X("worst:Q", title="Accuracy (share of correct answers)", scale=scale, axis=alt.Axis(labelExpr=FROM_ZERO))
    text = {"fontSize": TEXT, "color": INK}
    below = {"color": FAINT, "yOffset": low + BELOW}
    return [
        rows.transform_filter("datum.chosen").mark_rect(opacity=0.14, color=FAINT, cornerRadius=4),
        *behind,
        rows.mark_point(opacity=0).encode(x=alt.XDatum(1)),
        rows.mark_bar(height=3, opacity=0.5, **below).encode(x="worst_before:Q", x2="best_before:Q"),
        rows.mark_tick(thickness=2, size=7, opacity=1, **below).encode(x="mean_before:Q"),
        rows.mark_rule(strokeWidth=3, yOffset=low).encode(x=x, x2="best:Q", color=colour),
        *(
            rows.mark_point(filled=True, size=50, opacity=1, yOffset=low).encode(x=f"{end}:Q", color=colour)
            for end in ("worst", "best")
        ),
        rows.mark_point(filled=True, size=170, opacity=1, yOffset=low).encode(x="mean:Q", color=colour, shape=shape),
        rows.mark_text(align="right", dx=-10, dy=low, **text).encode(x="worst:Q", text="worst_text:N"),
        rows.mark_text(align="left", dx=10, dy=low, **text).encode(x="best:Q", text="best_text:N"),
    ]


def accuracy_tips(mean: str = "Mean") -> list[Any]:
    """What hovering over a dumbbell says: its accuracies, now and before the cloud; `mean` is what theirs is called."""
    return [
        alt.Tooltip(f"{end}{when}:Q", format=".4f", title=f"{title}{', before the cloud' if when else ''}")
        for when in ("", "_before")
        for end, title in (("worst", "Worst-off agent"), ("mean", mean), ("best", "Best-off agent"))
    ]


def _rules(mean: str) -> Spec:
    tip = [alt.Tooltip("rule:N", title="Rule"), alt.Tooltip("sentence:N", title="That is"), *accuracy_tips(mean)]
    proved = [alt.Tooltip("proof:N", title="Proof"), alt.Tooltip("meaning:N", title="That is")]
    proved += [alt.Tooltip("milliseconds:Q", format=".3f", title="Time to solve [ms]")]
    rows = alt.Chart(alt.NamedData("rows")).encode(
        y=alt.Y("rule:N", sort=list(palette.RULES), axis=None, scale=alt.Scale(paddingInner=0.1)), tooltip=tip
    )
    low = ROW * 0.2  # the dumbbell lies below the middle of its row, the text above
    text = {"fontSize": TEXT, "color": INK}
    long = "datum.rule.length > 12"
    fits = alt.expr(f"{long} && width < 420 ? 0 : 1")  # on a phone a long name leaves no room
    chart = alt.layer(
        *dumbbells(rows, low=low, colour=rule_colour(), shape=rule_shape()),
        rows.mark_text(align="left", dx=8, dy=-ROW * 0.22, fontWeight="bold", **text).encode(
            x=alt.value(0), text="rule:N"
        ),
        rows.mark_text(align="left", dx=alt.expr(f"{long} ? 155 : 100"), dy=-ROW * 0.22, opacity=fits, **text).encode(
            x=alt.value(0), text="mean_text:N"
        ),
        rows.mark_text(align="right", dx=-8, dy=-ROW * 0.22, **text).encode(
            x=alt.value("width"), text="proof_text:N", tooltip=proved
        ),
    )
    return bare(chart)


def _map(mean: str) -> Spec:
    tip = [
        alt.Tooltip("rule:N", title="Rule"),
        alt.Tooltip("mean:Q", format=".4f", title=mean),
        alt.Tooltip("worst:Q", format=".4f", title="Worst-off agent"),
        alt.Tooltip("standing:N", title="Standing"),
    ]
    near = alt.Scale(zero=False, nice=False, padding=30)
    axis = alt.Axis(tickCount=6, labelExpr=FROM_ZERO)
    points = alt.Chart(alt.NamedData("points")).encode(
        x=alt.X("worst:Q", title="Worst-off agent's accuracy (share correct)", scale=near, axis=axis),
        y=alt.Y("mean:Q", title=f"{mean} accuracy (share correct)", scale=near, axis=axis),
        tooltip=tip,
    )
    chart = alt.layer(
        *(
            points.mark_point(opacity=0).encode(x=f"{x}:Q", y=f"{y}:Q")
            for x, y in (("left", "bottom"), ("right", "top"))
        ),
        *rule_points(points),
        *label_texts(points),
    )
    return bare(chart)


DUMBBELLS, MAP = _rules("Mean"), _map("Mean")
# The same where agents count differently.
WEIGHTED_DUMBBELLS, WEIGHTED_MAP = _rules("Weighted mean"), _map("Weighted mean")


@lru_cache(maxsize=KEPT)
def bars(rule: str, resource: str) -> Spec:
    """What each agent owns and is granted of a resource, stacked, in the table's order."""
    parts = ("own", "granted")
    chart = (
        alt.Chart(alt.NamedData("agents"))
        # A resource may be called anything, a field of Vega may not.
        .transform_calculate(**{part: f"datum[{json.dumps(f'{part}_{resource}')}]" for part in (*parts, "gamma")})
        .transform_fold(parts, as_=["part", "amount"])
        .mark_bar()
        .encode(
            x=_agent_axis(),
            y=alt.Y("amount:Q", title=f"{resource.capitalize()} (units)"),
            color=_two(["own", "granted"], [palette.OWN, _of(rule)]),
            order=alt.Order("part:N", sort="descending"),
            tooltip=[
                alt.Tooltip("agent:N", title="Agent"),
                alt.Tooltip("own:Q", format=".4f", title="Own [units]"),
                alt.Tooltip("granted:Q", format=".4f", title="Granted [units]"),
                alt.Tooltip("gamma:Q", format=".2f", title="Elasticity γ (near 1: a hard task)"),
            ],
        )
    )
    return bare(chart)


def clickable(spec: Spec) -> Spec:
    """The same with the selection `pick`, which holds the agent whose mark was clicked."""
    pick = {"name": "pick", "select": {"type": "point", "on": "click", "fields": ["agent"], "toggle": False}}
    return spec | {"params": [pick]}


@lru_cache(maxsize=KEPT)
def gains(rule: str) -> Spec:
    """Accuracy of each agent before the cloud and after, in the table's order."""
    fleet = alt.Chart(alt.NamedData("agents")).encode(
        x=_agent_axis(),
        tooltip=[
            alt.Tooltip("agent:N", title="Agent"),
            alt.Tooltip("before:Q", format=".4f", title="Accuracy before the cloud"),
            alt.Tooltip("after:Q", format=".4f", title="Accuracy after"),
            alt.Tooltip("gain:Q", format=".4f", title="Gain"),
        ],
    )
    chart = alt.layer(
        fleet.mark_rule(strokeWidth=3, color=_of(rule)).encode(y=alt.Y("before:Q", title=ACCURACY), y2="after:Q"),
        fleet.transform_fold(["before", "after"], as_=["when", "accuracy"])
        .transform_calculate(part="datum.when")
        .mark_point(filled=True, size=60, opacity=1)
        .encode(y="accuracy:Q", color=_two(["before", "after"], [FAINT, _of(rule)])),
    )
    return bare(chart)


def _of(rule: str) -> str:
    return palette.mark_of(rule).colour


def _two(parts: list[str], colours: list[str]) -> Any:
    """Colours of the field `part`, named above the chart."""
    legend = alt.Legend(title=None, orient="top", offset=6, padding=0)
    return alt.Color("part:N", scale=alt.Scale(domain=parts, range=colours), legend=legend)


@lru_cache(maxsize=KEPT)
def amounts(rule: str, resource: str) -> Spec:
    """How many agents own, and are granted, how much of a resource; fill it with `distribution`."""
    return _histogram(["own", "granted"], [palette.OWN, _of(rule)], f"{resource.capitalize()} (units)")


@lru_cache(maxsize=KEPT)
def accuracies(rule: str) -> Spec:
    """How many agents have which accuracy, before the cloud and after; fill it with `distribution`."""
    return _histogram(["before", "after"], [FAINT, _of(rule)], ACCURACY)


def _histogram(parts: list[str], colours: list[str], title: str) -> Spec:
    rows = alt.Chart(alt.NamedData("rows")).encode(x=alt.X("low:Q", title=title))
    found = rows.transform_filter("datum.agent !== ''").encode(
        tooltip=[alt.Tooltip("agent:N", title="Agent"), alt.Tooltip("low:Q", format=".4f", title=title)]
    )
    chart = alt.layer(
        rows.transform_filter("datum.agent === ''")
        .mark_bar(opacity=0.65)
        .encode(
            x2="high:Q",
            y=alt.Y("count:Q", stack=None, title="Agents"),
            y2=alt.Y2Datum(0),
            color=_two(parts, colours),
            tooltip=[
                alt.Tooltip("count:Q", title="Agents"),
                alt.Tooltip("low:Q", format=".3f", title="From"),
                alt.Tooltip("high:Q", format=".3f", title="To"),
            ],
        ),
        found.mark_rule(strokeWidth=2, color=INK),
        found.mark_text(fontSize=TEXT, color=INK, align="left", dx=4, baseline="top").encode(
            y=alt.value(0), text="agent:N"
        ),
    )
    return bare(chart)


def _agent_axis() -> Any:
    return alt.X("rank:N", title=None, axis=named_axis(labelLimit=90))
