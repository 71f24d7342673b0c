"""Plans as pictures: where a budget goes, how sure a result is, what changing costs. Tables, specifications and words.

As in `comparison`, a picture is a specification that is built once, the table that fills it, and a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from fairsynergy.analysis.planning import Change, Uncertainty, band
from fairsynergy.charts.comparison import (
    FAINT,
    FROM_ZERO,
    INK,
    KEPT,
    LEAST_SPAN,
    TEXT,
    Spec,
    bare,
    named,
    named_axis,
    ranked,
)
from fairsynergy.charts.figure import colours_of, shapes_of
from fairsynergy.problem import Array
from fairsynergy.words.phrases import number, percent

ROW = 46  # height of a rule's row of bands [pixels]
DRAWN = 40  # agents beside one another
MARK = "#D55E00"  # what is looked at: the answer, the line


def heat(first: Array, second: Array, level: Array) -> pd.DataFrame:
    """A grid of capacities as cells: `level` (b, a) at first (a,) and second (b,), each cell around its point."""
    x, y = _edges(first), _edges(second)
    cells = {
        "x": np.repeat(x[:-1], len(second)), "x2": np.repeat(x[1:], len(second)),
        "y": np.tile(y[:-1], len(first)), "y2": np.tile(y[1:], len(first)),
        "first": np.repeat(first, len(second)), "second": np.tile(second, len(first)), "level": level.T.ravel(),
    }  # fmt: skip
    return pd.DataFrame(cells)


def _edges(points: Array) -> Array:
    middle = 0.5 * (points[1:] + points[:-1])
    return np.concatenate([[max(points[0] - (middle[0] - points[0]), 0.0)], middle, [2 * points[-1] - middle[-1]]])


def isocost(budget: float, prices: Array) -> pd.DataFrame:
    """The clouds of two resources that the budget buys: a straight line, from all in one to all in the other."""
    return pd.DataFrame({"x": [budget / prices[0], 0.0], "y": [0.0, budget / prices[1]]})


def spots(places: Mapping[str, Array]) -> pd.DataFrame:
    """Clouds of two resources by what they are called."""
    return pd.DataFrame([{"what": name, "x": at[0], "y": at[1]} for name, at in places.items()])


@lru_cache(maxsize=KEPT)
def heat_spec(first: str, second: str, what: str) -> Spec:
    """Fill it with datasets `cells` (`heat`), `line` (`isocost`) and `spots`."""
    x = alt.X(
        "x:Q", title=f"Cloud's {first} (units)", scale=alt.Scale(nice=False, zero=True), axis=alt.Axis(tickCount=6)
    )
    y = alt.Y(
        "y:Q", title=f"Cloud's {second} (units)", scale=alt.Scale(nice=False, zero=True), axis=alt.Axis(tickCount=6)
    )
    cells = (
        alt.Chart(alt.NamedData("cells"))
        .mark_rect()
        .encode(
            x=x, x2="x2:Q", y=y, y2="y2:Q",
            color=alt.Color("level:Q", title=what, scale=alt.Scale(scheme="viridis"), legend=alt.Legend()),
            tooltip=[
                alt.Tooltip("first:Q", format=".4g", title=f"Cloud's {first} [units]"),
                alt.Tooltip("second:Q", format=".4g", title=f"Cloud's {second} [units]"),
                alt.Tooltip("level:Q", format=".4f", title=what),
            ],
        )
    )  # fmt: skip
    line = alt.Chart(alt.NamedData("line")).mark_line(color="white", strokeWidth=3, clip=True).encode(x=x, y=y)
    spots = alt.Chart(alt.NamedData("spots")).encode(x=x, y=y, tooltip="what:N")
    return named(
        alt.layer(
            cells,
            line,
            spots.mark_point(
                filled=True, size=120, color="white", stroke="black", strokeWidth=1.5, opacity=1, clip=True
            ),
            spots.mark_text(
                align="left", dx=9, fontSize=TEXT, color="white", stroke="black", strokeWidth=0.3, fontWeight="bold"
            ).encode(text="what:N"),
        )
    )


@lru_cache(maxsize=KEPT)
def share_spec(resource: str, what: str) -> Spec:
    """The aim against the share of the money that buys one resource; fill it with `curve` and `best` of x and y."""
    rows = alt.Chart(alt.NamedData("curve")).encode(
        x=alt.X("x:Q", title=f"Share of the money that buys {resource}", axis=alt.Axis(format="%")),
        y=alt.Y(
            "y:Q", title=what, scale=alt.Scale(zero=False, nice=False, padding=12), axis=alt.Axis(labelExpr=FROM_ZERO)
        ),
        tooltip=[alt.Tooltip("x:Q", format=".1%", title="Share"), alt.Tooltip("y:Q", format=".4f", title=what)],
    )
    best = alt.Chart(alt.NamedData("best")).encode(x="x:Q", y="y:Q")
    return named(
        alt.layer(
            rows.mark_line(color=FAINT, strokeWidth=2.5),
            best.mark_rule(color=MARK, strokeDash=[4, 4]).encode(y=alt.value(0), y2=alt.value("height")),
            best.mark_point(filled=True, size=110, color=MARK, opacity=1),
        )
    )


@lru_cache(maxsize=KEPT)
def bands_spec(rules: tuple[str, ...], title: str) -> Spec:
    """One row per rule: its 5 to 95 % band and median; fill `rows` with rule, low, median, high, today, text."""
    rows = alt.Chart(alt.NamedData("rows")).encode(
        y=alt.Y("rule:N", sort=list(rules), axis=None, scale=alt.Scale(paddingInner=0.1)),
        tooltip=[
            alt.Tooltip("rule:N", title="Rule"),
            alt.Tooltip("low:Q", format=".4f", title="5 % of draws lie below"),
            alt.Tooltip("median:Q", format=".4f", title="Median"),
            alt.Tooltip("high:Q", format=".4f", title="5 % of draws lie above"),
            alt.Tooltip("today:Q", format=".4f", title="With the elasticities as they stand"),
        ],
    )
    scale = alt.Scale(zero=False, nice=False, padding=44)
    x = alt.X("low:Q", title=title, scale=scale, axis=alt.Axis(tickCount=6, labelExpr=FROM_ZERO))
    low = ROW * 0.18
    text = {"fontSize": TEXT, "color": INK}
    names = list(rules)
    return bare(
        alt.layer(
            rows.mark_rule(strokeWidth=7, opacity=0.45, yOffset=low).encode(x=x, x2="high:Q", color=colours_of(names)),
            rows.mark_point(filled=True, size=110, opacity=1, yOffset=low).encode(
                x="median:Q", color=colours_of(names), shape=shapes_of(names)
            ),
            rows.mark_tick(thickness=2.5, size=18, color=INK, yOffset=low).encode(x="today:Q"),
            rows.mark_text(align="left", dx=4, dy=-ROW * 0.22, fontWeight="bold", **text).encode(
                x=alt.value(0), text="rule:N"
            ),
            rows.mark_text(align="right", dx=-4, dy=-ROW * 0.22, **text).encode(x=alt.value("width"), text="text:N"),
        )
    )


def bands_height(rows: int) -> int:
    """Height of `bands_spec` [pixels]."""
    return ROW * rows + 52


@lru_cache(maxsize=KEPT)
def agents_spec(title: str) -> Spec:
    """One column per agent: its 5 to 95 % band, median, and what is reckoned today; fill `rows`."""
    rows = alt.Chart(alt.NamedData("rows")).encode(
        x=alt.X("rank:N", title=None, axis=named_axis(labelLimit=90)),
        tooltip=[
            alt.Tooltip("agent:N", title="Agent"),
            alt.Tooltip("low:Q", format=".4f", title="5 % of draws lie below"),
            alt.Tooltip("median:Q", format=".4f", title="Median"),
            alt.Tooltip("high:Q", format=".4f", title="5 % of draws lie above"),
            alt.Tooltip("today:Q", format=".4f", title="With the elasticities as they stand"),
        ],
    )
    return bare(
        alt.layer(
            rows.mark_rule(strokeWidth=6, opacity=0.45, color=FAINT).encode(
                y=alt.Y("low:Q", title=title, scale=alt.Scale(zero=False, padding=8)), y2="high:Q"
            ),
            rows.mark_point(filled=True, size=60, opacity=1, color=FAINT).encode(y="median:Q"),
            rows.mark_tick(thickness=2.5, size=16, color=INK).encode(y="today:Q"),
        )
    )


def part_moved(change: Change) -> float:
    """The part of all that had been granted that changes hands, over all resources."""
    had = change.previous.sum(axis=0)
    parts = np.divide(change.moved, had, out=np.zeros_like(had), where=had > 0)
    return float(parts.mean())


def moves(prices: Sequence[float], moved: Sequence[float], mean: Sequence[float]) -> pd.DataFrame:
    """What changes hands, as a part of what had been granted, and the mean reached, at each price of a moved unit.

    Means that agree within a hair are not to be pulled apart by their axis: `low` and `high` are its ends at least.
    """
    middle = (min(mean) + max(mean)) / 2
    ends = {"low": middle - LEAST_SPAN / 2, "high": middle + LEAST_SPAN / 2}
    return pd.DataFrame({"price": prices, "moved": moved, "mean": mean} | ends)


@lru_cache(maxsize=KEPT)
def moves_specs() -> tuple[Spec, Spec]:
    """The part that changes hands, and the mean accuracy, against the price; fill `rows` and `now` with `moves`."""
    axes = (
        ("moved", "Part that changes hands", alt.Axis(format=".0%", tickCount=4), alt.Scale(domain=[0, 1])),
        (
            "mean",
            "Mean accuracy",
            alt.Axis(tickCount=4, labelExpr=FROM_ZERO),
            alt.Scale(zero=False, nice=False, padding=10),
        ),
    )
    one, other = (_against_price(*axis) for axis in axes)
    return one, other


def _against_price(field: str, title: str, axis: Any, scale: Any) -> Spec:
    rows = alt.Chart(alt.NamedData("rows")).encode(
        x=alt.X("price:Q", title="Price of a moved unit (accuracy)", axis=alt.Axis(tickCount=6)),
        y=alt.Y(f"{field}:Q", title=title, axis=axis, scale=scale),
        tooltip=[
            alt.Tooltip("price:Q", format=".4g", title="Price of a moved unit [accuracy]"),
            alt.Tooltip("moved:Q", format=".1%", title="Changes hands"),
            alt.Tooltip("mean:Q", format=".4f", title="Mean accuracy"),
        ],
    )
    now = alt.Chart(alt.NamedData("now")).encode(x="price:Q", y=f"{field}:Q")
    ends = ("low", "high") if field == "mean" else ()
    return named(
        alt.layer(
            *(now.mark_point(opacity=0).encode(y=f"{end}:Q") for end in ends),  # unseen: the ends of the axis
            rows.mark_line(color=FAINT, strokeWidth=2.5),
            now.mark_point(filled=True, size=110, color=MARK, opacity=1),
        )
    )


def curve(x: Array, y: Array) -> pd.DataFrame:
    """Points of a line."""
    return pd.DataFrame({"x": x, "y": y})


def describe_share(curve: pd.DataFrame, resource: str) -> str:
    """The curve of `share_spec` in words."""
    best = curve.loc[curve.y.idxmax()]
    return (
        f"Best where {percent(best.x)} of the money buys {resource}: {number(best.y)}; ends: {number(curve.y.iloc[0])} "
        f"with none of it and {number(curve.y.iloc[-1])} with nothing else."
    )


def bands(found: Uncertainty, question: str, measure: str) -> pd.DataFrame:
    """The rows of `bands_spec`: one per rule.

    Parameters
    ----------
    found : Uncertainty
        The rules in every draw.
    question : str
        "kept" for today's grants, "known" for those made anew.
    measure : str
        "mean", "worst" or "best".
    """
    rows = []
    for name, prospect in found.prospects.items():
        outcomes = getattr(prospect, question)
        low, middle, high = band(getattr(outcomes, measure))
        regret = band(outcomes.regret)
        rows.append(
            {
                "rule": name, "low": float(low), "median": float(middle), "high": float(high),
                "today": getattr(prospect.plan, measure),
                "text": f"regret {number(float(regret.middle))}, up to {number(float(regret.high))}",
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def promises_table(found: Uncertainty) -> pd.DataFrame:
    """How often each rule leads, and how often its plan keeps its promises [% of draws]."""
    return pd.DataFrame(
        [
            {
                "Rule": name,
                "Highest mean [%]": 100 * prospect.kept.leads_mean.mean(),
                "Kindest to the worst-off [%]": 100 * prospect.kept.leads_worst.mean(),
                "Nobody below an equal share [%]": 100 * prospect.promises.sharing.mean(),
                "Envy-free [%]": 100 * prospect.promises.envy_free.mean(),
                "Mean above equal shares [%]": 100 * prospect.promises.mean.mean(),
            }
            for name, prospect in found.prospects.items()
        ]
    ).round(1)


def doubt_table(found: Uncertainty) -> pd.DataFrame:
    """Every band of every rule, for a reader."""
    rows = []
    for name, prospect in found.prospects.items():
        for question, said in (("kept", "today's grants are kept"), ("known", "divided anew, knowing")):
            outcomes = getattr(prospect, question)
            row: dict[str, Any] = {"Rule": name, "Question": said}
            for measure in ("mean", "worst", "best", "regret"):
                low, middle, high = band(getattr(outcomes, measure))
                row |= {
                    f"{measure}, 5 %": float(low),
                    f"{measure}, median": float(middle),
                    f"{measure}, 95 %": float(high),
                }
            rows.append(row)
    return pd.DataFrame(rows)


def agents_bands(found: Uncertainty, rule: str) -> pd.DataFrame:
    """The rows of `agents_spec`: all agents, or of many those whose accuracy is least sure."""
    prospect = found.prospects[rule]
    low, middle, high = prospect.agents
    width = np.asarray(high - low)
    places = np.arange(len(width)) if len(width) <= DRAWN else np.sort(np.argsort(-width, kind="stable")[:DRAWN])
    table = pd.DataFrame(
        {
            "agent": [found.problem.agents[i] for i in places],
            "low": low[places], "median": middle[places], "high": high[places],
            "today": prospect.plan.utility[places],
        }
    )  # fmt: skip
    return ranked(table, "agent")


def describe_agents(found: Uncertainty, drawn: int) -> str:
    """What `agents_spec` shows, in words."""
    which = "Every agent" if drawn == found.problem.n else f"The {drawn} agents whose accuracy is least sure"
    return f"{which}: 90 % of the draws, the median, and today's accuracy (line), if today's grants are kept."
