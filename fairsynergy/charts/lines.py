"""Lines of rules against the number of agents, each named at its end, as a figure of one panel or several.

Lines that coincide are told apart by marks that stand at other places for each rule, and the panel says so. Names are
stacked beside the panel so that none hides another; a line goes from each to its end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import altair as alt
import numpy as np
import pandas as pd

from fairsynergy.charts.comparison import INK, LETTER, TEXT
from fairsynergy.charts.figure import (
    WIDTH,
    Figure,
    colours_of,
    counted,
    dashes_of,
    draw,
    finite,
    heading,
    shapes_of,
    source,
    spaced,
    where,
)
from fairsynergy.problem import Array
from fairsynergy.words.phrases import number

GAP = 16.0  # between labels below one another [pixels]
LABEL = 42  # from the end of a line to its name [pixels]
LONG = 31  # letters from which on a label takes two lines
DRAWN, MARKED = 100, 9  # most points of a line, and about how many of them have a mark


class Panel(NamedTuple):
    """Lines on one pair of axes: rows with rule, agents and value, and low and high where there is a band."""

    title: str
    rows: pd.DataFrame
    y: str = "Mean accuracy (share correct)"
    log: bool = False
    log_x: bool = False
    labels: str = ""  # an expression for those of the vertical axis
    form: Callable[[float], str] = number


def draw_lines(
    title: str, subtitle: str, panels: Sequence[Panel], names: list[str], *, published: pd.DataFrame | None = None
) -> Figure:
    """Panels below one another, of one width.

    Parameters
    ----------
    title, subtitle : str
        Of the figure.
    panels : sequence of Panel
        From top to bottom.
    names : list of str
        All rules and variants, in the order of their marks; those that come first are drawn on top.
    published : DataFrame, optional
        Points and whiskers on top of the lines: panel, agents, value, low, high, colour.
    """
    labels = [label for panel in panels for label in _named(panel)["label"]]
    longest = max(len(line) for label in labels for line in label.split("\n"))
    size = (WIDTH - 75 - LABEL - int(LETTER * longest), 250 if len(panels) < 3 else 210)
    lines, ends, drawn, said = [], [], [], []
    for panel in panels:
        here = [rule for rule in names if rule in set(panel.rows["rule"])]
        limits = _limits(panel)
        # What is drawn last is seen best.
        for place, rule in reversed(list(enumerate(here))):
            rows = _dotted(panel.rows[panel.rows["rule"] == rule], place, here)
            band = {column: rows[column].clip(*limits) for column in ("low", "high") if column in rows}
            lines.append(rows.assign(panel=panel.title, **band))
        last = _named(panel)
        ends.append(_placed(last, limits, size[1], log=panel.log).assign(panel=panel.title))
        drawn.append(_line_panel(panel, names, limits, size, published is not None))
        ending = dict(zip(last["rule"], last["label"].str.replace("\n", " "), strict=True))
        said += [f"{panel.title}, {int(last['agents'].max()):,} agents: {', '.join(ending[rule] for rule in here)}."]
        said += [_alike(panel)] if _alike(panel) else []
    tables = {"lines": pd.concat(lines), "ends": pd.concat(ends)}
    if published is not None:
        tables["published"] = published
    return draw(
        title,
        subtitle,
        f"{title}. {' '.join(said)}",
        alt.vconcat(*drawn, spacing=20).resolve_scale(
            color="independent", shape="independent", strokeDash="independent"
        ),
        **tables,
    )


def _line_panel(
    panel: Panel, names: list[str], limits: tuple[float, float], size: tuple[int, int], published: bool
) -> Any:
    agents, width = panel.rows["agents"], size[0]
    reach = (float(agents.min()), max(float(agents.max()), float(agents.min()) + 1))
    x = alt.X(
        "agents:Q",
        title="Agents",
        scale=alt.Scale(domain=reach, nice=False, type="log" if panel.log_x else "linear"),
        axis=alt.Axis(values=_decades(*reach), format="~s") if panel.log_x else counted(),
    )
    y = partial(
        alt.Y,
        title=panel.y,
        scale=alt.Scale(domain=limits, nice=False, type="log" if panel.log else "linear"),
        axis=alt.Axis(
            **{"labelExpr": panel.labels} if panel.labels else {"format": "~g"},
            **{"values": _decades(*limits)} if panel.log else {"tickCount": 6},
        ),
    )
    colour, shape = colours_of(names), shapes_of(names)
    dash = alt.StrokeDash("rule:N", scale=alt.Scale(domain=names, range=dashes_of(names)), legend=None)
    rows = where(source("lines"), panel=panel.title).encode(x=x, color=colour)
    ends = where(source("ends"), panel=panel.title)
    tip = [
        alt.Tooltip("rule:N", title="Rule"),
        alt.Tooltip("agents:Q", title="Agents"),
        alt.Tooltip("value:Q", format=".4~g", title=panel.y),
    ]
    layers = [rows.mark_line(strokeWidth=2.2).encode(y=y("value:Q"), strokeDash=dash)]
    if "low" in panel.rows:
        layers.insert(0, rows.mark_area(opacity=0.13).encode(y=y("low:Q"), y2="high:Q"))
    if published:
        # Colours as such: published are rules, and what is drawn may be variants of them.
        points = where(source("published"), panel=panel.title).encode(x=x, stroke=alt.Stroke("colour:N", scale=None))
        layers += [
            points.mark_rule(strokeWidth=1.2, opacity=0.7).encode(y=y("low:Q"), y2="high:Q"),
            points.mark_point(size=36, strokeWidth=1.5, fill="white", opacity=1).encode(y=y("value:Q")),
        ]
    raised = alt.expr(f"-{GAP / 2} * (split(datum.label, '\\n').length - 1)")  # Vega centres the first line only
    layers += [
        rows.transform_filter("datum.marked")
        .mark_point(filled=True, size=62, opacity=1)
        .encode(y=y("value:Q"), shape=shape, tooltip=tip),
        # From the end of a line to its name, and there the line again with its mark.
        ends.mark_rule(strokeWidth=1, opacity=0.6).encode(
            x=x, y=y("value:Q"), x2=alt.value(width + 10), y2="label_y:Q", color=colour
        ),
        ends.mark_rule(strokeWidth=2.2).encode(
            x=alt.value(width + 10), x2=alt.value(width + 36), y="label_y:Q", color=colour, strokeDash=dash
        ),
        ends.mark_point(filled=True, size=70, opacity=1).encode(
            x=alt.value(width + 23), y="label_y:Q", color=colour, shape=shape
        ),
        ends.mark_text(align="left", fontSize=TEXT, color=INK, lineBreak="\n", lineHeight=GAP, dy=raised).encode(
            x=alt.value(width + LABEL), y="label_y:Q", text="label:N"
        ),
    ]
    return alt.layer(*layers).properties(width=width, height=size[1], title=heading(panel.title, _alike(panel)))


def _named(panel: Panel) -> pd.DataFrame:
    """Where each rule's line ends, and its label: in two lines if long, with the size of the fleet if it ends early."""
    last = panel.rows.sort_values("agents", kind="stable").groupby("rule", sort=False).tail(1)
    most, labels = last["agents"].max(), []
    for row in last.itertuples():
        value = panel.form(row.value) + (f" at {row.agents:,} agents" if row.agents < most else "")
        labels.append(f"{row.rule}{' ' if len(row.rule) + len(value) < LONG else chr(10)}{value}")
    return last[["rule", "agents", "value"]].assign(label=labels)


def _decades(low: float, high: float) -> list[float]:
    """Ticks of a logarithmic axis: the powers of ten, with twos and fives where these are few.

    >>> _decades(10, 1e5), _decades(0.3, 20)
    ([10.0, 100.0, 1000.0, 10000.0, 100000.0], [0.5, 1.0, 2.0, 5.0, 10.0, 20.0])
    """
    first, last = int(np.floor(np.log10(low))), int(np.ceil(np.log10(high)))
    steps = (1,) if np.log10(high / low) > 3 else (1, 2, 5)
    values = [float(f"{step}e{power}") for power in range(first, last + 1) for step in steps]
    return [value for value in values if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)]


def _limits(panel: Panel) -> tuple[float, float]:
    """Ends of the vertical axis: what is drawn and a little more; a band may leave a logarithmic one."""
    if panel.log:
        values = finite(panel.rows["value"])
        low, high = (np.log(end(values[values > 0])) for end in (np.min, np.max))
        margin = 0.06 * max(high - low, 0.1)
        return float(np.exp(low - margin)), float(np.exp(high + margin))
    columns = [column for column in ("value", "low", "high") if column in panel.rows]
    values = finite(panel.rows[columns].to_numpy(dtype=np.float64).ravel())
    low, high = values.min(), values.max()
    margin = 0.05 * max(high - low, 0.01)
    return float(low - margin if low < 0 else max(low - margin, 0.0)), float(high + margin)


def _dotted(rows: pd.DataFrame, place: int, names: list[str]) -> pd.DataFrame:
    """A rule's line; some points are marked, others for each rule, so that lines that coincide show in turn."""
    columns = [column for column in ("rule", "agents", "value", "low", "high") if column in rows]
    rows = rows[columns].sort_values("agents", kind="stable").iloc[spaced(len(rows), DRAWN)]
    step = max(1, round(len(rows) / MARKED))
    return rows.assign(marked=np.arange(len(rows)) % step == (place * step) // len(names))


def _placed(last: pd.DataFrame, limits: tuple[float, float], height: int, *, log: bool) -> pd.DataFrame:
    """Lines' ends with a place for each label, in the units of the axis, so that none hides another."""
    low, high = np.log(limits) if log else limits
    value = last["value"].to_numpy(dtype=np.float64)
    pixels = ((np.log(value) if log else value) - low) / (high - low) * height
    lines = np.array([label.count("\n") + 1 for label in last["label"]])
    at = low + apart_by(pixels, GAP * lines, height) / height * (high - low)
    return last.assign(label_y=np.exp(at) if log else at)


class _Block(NamedTuple):
    """Labels that touch: where they want their middle, how large and how many they are, and how much room there is."""

    wish: float
    size: float
    members: int
    room: float

    @property
    def middle(self) -> float:
        return min(max(self.wish, self.size / 2), max(self.room - self.size / 2, self.size / 2))


def apart_by(places: Array, sizes: Array, height: float) -> Array:
    """Middles of things of these sizes, moved as little as it takes not to overlap, from 0 to height if they fit.

    >>> apart_by(np.array([50.0, 51.0, 90.0]), np.full(3, 16.0), 100)
    array([42.5, 58.5, 90. ])
    >>> apart_by(np.array([1.0, 0.0]), np.array([16.0, 32.0]), 100)
    array([40., 16.])
    """
    order = np.argsort(places, kind="stable")
    # What is too close becomes one block, whose middle is where its parts want to be on average.
    blocks: list[_Block] = []
    for place, size in zip(places[order].tolist(), sizes[order].tolist(), strict=True):
        block = _Block(place, size, 1, height)
        while blocks and block.middle - blocks[-1].middle < (block.size + blocks[-1].size) / 2:
            other = blocks.pop()
            members = block.members + other.members
            wish = (block.wish * block.members + other.wish * other.members) / members
            block = _Block(wish, block.size + other.size, members, height)
        blocks.append(block)
    settled: list[float] = []
    for block in blocks:
        inside = sizes[order][len(settled) : len(settled) + block.members]
        settled += (block.middle - block.size / 2 + np.cumsum(inside) - inside / 2).tolist()
    result = np.empty(len(places))
    result[order] = settled
    return result


def _alike(panel: Panel) -> str:
    """Which lines of a panel hide one another, in words."""
    wide = panel.rows.pivot_table(index="agents", columns="rule", values="value").dropna(axis=1)
    groups: list[list[str]] = []
    for rule in wide:
        twin = next((group for group in groups if np.allclose(wide[group[0]], wide[rule], rtol=1e-6, atol=1e-9)), None)
        if twin is None:
            groups.append([rule])
        else:
            twin.append(rule)
    same = "; ".join(" = ".join(group) for group in groups if len(group) > 1)
    return f"One line: {same}." if same else ""
