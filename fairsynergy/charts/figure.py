"""What the paper's figures share: a specification with its data inside, and how rules and their variants are drawn.

A figure is a title, a complete Vega-Lite specification, and sentences for those who cannot see it. It fits 700 pixels,
draws its text in `currentColor` and brings no style: Streamlit's theme, or that of `report`, is the style.
"""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import Any, NamedTuple

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fairsynergy.charts import palette
from fairsynergy.charts.comparison import INK, TEXT, Spec
from fairsynergy.charts.palette import mark_of
from fairsynergy.problem import Array

WIDTH = 700  # of a figure with its axes, titles and labels [pixels]
LINE = 105  # letters in a line of a subtitle
DASHES = [[1, 0], [7, 4], [2, 3], [10, 3, 2, 3]]  # of a rule's variants


class Figure(NamedTuple):
    """A picture: its title, a complete Vega-Lite specification, and sentences that say what it shows."""

    title: str
    spec: Spec
    alt: str


def draw(title: str, subtitle: str, words: str, chart: Any, **tables: pd.DataFrame) -> Figure:
    """A figure from its chart, and from the tables that the chart asks for by name."""
    above = alt.Title(title, subtitle=wrap(subtitle, LINE), anchor="start", offset=14, subtitleColor=INK)
    spec: Spec = chart.properties(title=above, description=words).to_dict()
    spec.pop("config", None)  # the theme is the style
    spec["autosize"] = "pad"  # the default, but not Streamlit's, which is for single views
    spec["datasets"] = {name: _records(table) for name, table in tables.items()}
    return Figure(title, spec, words)


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON: five digits, which no eye can tell from more, and null for what is missing."""
    columns = {}
    for name in table:
        values = table[name].tolist()
        columns[name] = [_short(value) if isinstance(value, float) else value for value in values]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _short(value: float) -> float | None:
    return float(f"{value:.5g}") if np.isfinite(value) else None


def source(name: str) -> Any:
    """A chart of the table of this name."""
    return alt.Chart(alt.NamedData(name))


def where(chart: Any, **fields: str) -> Any:
    """The rows with these values; compared as values, so that any text may be one."""
    for field, value in fields.items():
        chart = chart.transform_filter(alt.FieldEqualPredicate(field=field, equal=value))
    return chart


def heading(text: str, below: str = "") -> Any:
    """The title of one panel, with a line below it if there is something to say."""
    under = {"subtitle": below, "subtitleFontSize": TEXT - 1, "subtitleColor": INK} if below else {}
    return alt.Title(text, anchor="start", fontSize=TEXT, offset=6, **under)


def counted() -> Any:
    """An axis of numbers, large ones as 10k."""
    return alt.Axis(tickCount=6, format="~s")


def dashes_of(names: Sequence[str]) -> list[list[int]]:
    """A dash for each name: solid for a rule's first variant, others for the next."""
    seen: dict[str, int] = {}
    dashes = []
    for name in names:
        colour = mark_of(name).colour
        seen[colour] = seen.get(colour, -1) + 1
        dashes.append(DASHES[seen[colour] % len(DASHES)])
    return dashes


def scale_of(names: Sequence[str], field: str) -> Any:
    """From names of rules to their colours, or to their shapes."""
    return alt.Scale(domain=list(names), range=[getattr(mark_of(name), field) for name in names])


def colours_of(names: Sequence[str], legend: Any = None) -> Any:
    """The field `rule` as its colour."""
    return alt.Color("rule:N", scale=scale_of(names, "colour"), legend=legend)


def shapes_of(names: Sequence[str], legend: Any = None) -> Any:
    """The field `rule` as its shape."""
    return alt.Shape("rule:N", scale=scale_of(names, "shape"), legend=legend)


def in_order(column: pd.Series[str], *, first: str = "") -> list[str]:
    """The rules of a column in the palette's order, variants of one rule as they come; one may go first."""
    order = list(palette.RULES)
    names = list(dict.fromkeys(column))
    base = {name: max((rule for rule in order if name.startswith(rule)), key=len, default="") for name in names}
    return sorted(names, key=lambda name: (name != first, order.index(base[name]) if base[name] else len(order)))


def spaced(count: int, most: int, bend: float = 1.0) -> NDArray[np.intp]:
    """Positions of at most so many out of count, with both ends; evenly spaced, or closer at the start (bend > 1)."""
    steps = np.linspace(0, 1, min(count, most)) ** bend
    return np.asarray(np.unique((steps * (count - 1)).round().astype(np.intp)))


def thinned(table: pd.DataFrame, keys: list[str], most: int, bend: float = 1.0) -> pd.DataFrame:
    """At most so many rows of each group, as `spaced`."""
    return pd.concat([part.iloc[spaced(len(part), most, bend)] for _, part in table.groupby(keys, sort=False)])


def finite(values: Any) -> Array:
    """The finite ones of values."""
    array = np.asarray(values, dtype=np.float64)
    return np.asarray(array[np.isfinite(array)])
