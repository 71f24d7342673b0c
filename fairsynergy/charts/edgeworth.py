"""The Edgeworth box drawn: what two agents hold together, every division of it a point, and where trade leads.

The first agent's corner is at the lower left, so a point's axes say what the first holds; the second holds the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache

import altair as alt
import numpy as np
import pandas as pd

from fairsynergy.allocation import Allocation
from fairsynergy.analysis.fairness import Box
from fairsynergy.charts import palette
from fairsynergy.charts.comparison import FAINT, FIT, INK, KEPT, Spec, label_texts, place_labels
from fairsynergy.charts.surfaces import CUT_COLOURS, Tables
from fairsynergy.errors import ProblemError
from fairsynergy.problem import Array
from fairsynergy.words.phrases import number

START, MARKET, YOURS = "start", "market", "your split"
# Marks that are no rule's; each differs from all others by its shape.
OTHERS = {
    START: palette.Mark(INK, "M-1,-1L1,1M1,-1L-1,1"),
    MARKET: palette.Mark(CUT_COLOURS[2], "M0,-1.3L1.3,0L0,1.3L-1.3,0ZM0,-.6L0,.6M-.6,0L.6,0"),
    YOURS: palette.Mark(INK, "M-1,0A1,1,0,1,0,1,0A1,1,0,1,0,-1,0ZM-1.6,0L1.6,0M0,-1.6L0,1.6"),
}
AGENTS = CUT_COLOURS[:2]  # of their curves; the second one's is dashed
INSIDE = (560, 360)  # about how wide and high the box is [pixels]


def divisions(box: Box, answers: Mapping[str, Allocation], yours: Array) -> dict[str, Array]:
    """By name, what the first agent holds: before the exchange, after a market, under every rule, under your split."""
    points = {START: box.start}
    with suppress(ProblemError):  # the page says why
        points[MARKET] = box.market.point
    points |= {name: allocation.holding[0] for name, allocation in answers.items()}
    return points | {YOURS: np.asarray(yours)}


def tables(box: Box, points: Mapping[str, Array], rule: str) -> Tables:
    """What fills `spec`.

    Parameters
    ----------
    box : Box
        The two agents.
    points : mapping of str to (2,) array
        From `divisions`.
    rule : str
        The name of the point through which a second pair of indifference curves goes.
    """
    width, height = box.total
    curves = []
    for through, place in ((START, box.start), (rule, points[rule])):
        for agent, name in enumerate(box.problem.agents):
            curve = box.indifference(agent, place)
            curves.append(_line(curve, agent=name, which=agent, through=through, faint=through != START))
    places = np.array(list(points.values()))
    utility = box.utility(places)
    corners = np.array([[0, 0], [width, height]])
    contract = box.contract_curve()
    return {
        "box": pd.DataFrame({"x": [0.0], "x2": [width], "y": [0.0], "y2": [height]}),
        "lens": pd.DataFrame(box.lens(), columns=["x", "y", "y2"]),
        "contract": _line(contract),
        "curves": pd.concat(curves, ignore_index=True),
        "budget": _line(_budget(box))
        if MARKET in points
        else pd.DataFrame({"x": [], "y": [], "step": []}, dtype=float),
        "points": pd.DataFrame(
            {
                "name": list(points),
                "x": places[:, 0],
                "y": places[:, 1],
                "rest_x": width - places[:, 0],
                "rest_y": height - places[:, 1],
                "first": utility[:, 0],
                "second": utility[:, 1],
                "chosen": [name == rule for name in points],
            }
            | place_labels(list(points), places, INSIDE, around=np.vstack([corners, contract[::10]]))
        ),
    }


def _line(points: Array, **columns: object) -> pd.DataFrame:
    return pd.DataFrame({"x": points[:, 0], "y": points[:, 1], "step": np.arange(len(points)), **columns})


def _budget(box: Box) -> Array:
    """(2, 2) ends of the line through the start along which the market's price lets the two trade."""
    price = box.market.price
    x = np.array([0.0, box.total[0]])
    y = np.clip(box.start[1] - price * (x - box.start[0]), 0.0, box.total[1])
    return np.column_stack([box.start[0] - (y - box.start[1]) / price, y])


@lru_cache(maxsize=KEPT)
def spec(first: str, second: str, x_name: str, y_name: str) -> Spec:
    """How `tables` are drawn, for these two agents and resources."""
    plain = alt.Scale(nice=False, zero=True, padding=0)
    x = alt.X("x:Q", title=f"{x_name} of {first}; rest: {second} [units]", scale=plain)
    y = alt.Y("y:Q", title=f"{y_name} of {first}; rest: {second} [units]", scale=plain)

    def of(name: str) -> alt.Chart:
        return alt.Chart(alt.NamedData(name))

    marks = OTHERS | palette.RULES
    scales = {
        field: alt.Scale(domain=list(marks), range=[getattr(mark, field) for mark in marks.values()])
        for field in ("colour", "shape")
    }
    tip = [
        alt.Tooltip("name:N", title="Division"),
        alt.Tooltip("x:Q", format=".3f", title=f"{first}: {x_name} [units]"),
        alt.Tooltip("y:Q", format=".3f", title=f"{first}: {y_name} [units]"),
        alt.Tooltip("rest_x:Q", format=".3f", title=f"{second}: {x_name} [units]"),
        alt.Tooltip("rest_y:Q", format=".3f", title=f"{second}: {y_name} [units]"),
        alt.Tooltip("first:Q", format=".3f", title=f"{first}: accuracy"),
        alt.Tooltip("second:Q", format=".3f", title=f"{second}: accuracy"),
    ]
    legend = alt.Legend(
        title="as well off as at the start; thin: by the rule", orient="top", symbolType="stroke",
        symbolSize=300, titleLimit=330, labelLimit=140,
    )  # fmt: skip
    curves = (
        of("curves")
        .mark_line()
        .encode(
            x,
            y,
            order="step:Q",
            detail="through:N",
            color=alt.Color("agent:N", scale=alt.Scale(domain=[first, second], range=list(AGENTS)), legend=legend),
            strokeDash=alt.StrokeDash("agent:N", scale=alt.Scale(domain=[first, second], range=[[1, 0], [7, 4]])),
            strokeWidth=alt.condition("datum.faint", alt.value(1.2), alt.value(2.5)),
            tooltip=[alt.Tooltip("agent:N", title="As well off"), alt.Tooltip("through:N", title="As under")],
        )
    )
    points = of("points").encode(x, y, tooltip=tip)
    bounds = alt.layer(
        of("box").mark_rect(fillOpacity=0, stroke=INK, strokeWidth=1.5).encode(x, y, x2="x2:Q", y2="y2:Q"),
        of("lens").mark_area(color=FAINT, opacity=0.3).encode(x, y, y2="y2:Q"),
        of("contract").mark_line(color=INK, strokeWidth=3).encode(x, y, order="step:Q"),
        of("budget")
        .mark_line(color=OTHERS[MARKET].colour, strokeDash=[2, 3], strokeWidth=2)
        .encode(x, y, order="step:Q"),
        points.transform_filter("datum.chosen").mark_point(size=900, filled=True, opacity=0.25, color=FAINT),
    )
    marked = points.mark_point(size=150, strokeWidth=2.5, opacity=1).encode(
        color=alt.Color("name:N", scale=scales["colour"], legend=None),
        shape=alt.Shape("name:N", scale=scales["shape"], legend=None),
    )
    chart = alt.layer(bounds, curves, alt.layer(marked, *label_texts(of("points")))).resolve_scale(
        color="independent", shape="independent", strokeDash="independent"
    )
    drawn: Spec = chart.properties(height=INSIDE[1] + 90).to_dict()
    drawn.pop("config", None)
    drawn["autosize"] = FIT
    return drawn


def answer(box: Box) -> str:
    """Whether the two have anything to gain from trading, in a sentence."""
    first, second = box.problem.agents
    x, y = box.problem.resources
    before = box.utility(box.start)
    if box.efficient(box.start):
        return f"From their start, an exchange that helps {first} harms {second}: they have nothing to trade."
    try:
        point = box.market.point
    except ProblemError:
        return f"From their start, {first} and {second} could both gain by trading {x} against {y}."
    after = box.utility(point)
    more, paid = (x, y) if point[0] > box.start[0] else (y, x)
    amount, cost = np.abs(point - box.start)[[0, 1] if more == x else [1, 0]]
    return (
        f"If {first} buys {number(amount)} {more} from {second} for {number(cost)} {paid}, both gain: "
        f"{number(before[0])} → {number(after[0])} and {number(before[1])} → {number(after[1])} in accuracy."
    )


def describe(box: Box, points: Mapping[str, Array], rule: str) -> list[str]:
    """The box in words, a sentence or two for each of its parts."""
    first, second = box.problem.agents
    x, y = box.problem.resources
    said = [
        f"The box is {number(box.total[0])} {x} wide and {number(box.total[1])} {y} high: what {first} and {second} "
        f"own, and what the cloud gives them together. {first} counts from the lower left, {second} from the upper "
        "right.",
        f"The thick line is the contract curve: where it runs, no exchange helps both. {_bend(box)}",
        f"The curves through the start say where each is as well off as there; in the shaded lens between them both "
        f"gain.{'' if len(box.lens()) > 1 else ' Here it is empty.'} The thin ones do the same for {rule}.",
    ]
    if MARKET in points:
        said.append(
            f"The dotted line is the market's: along it one unit of {x} costs {number(box.market.price)} of {y}, and "
            "at its end nobody wants to trade more."
        )
    return said


def _bend(box: Box) -> str:
    r1, r2 = box.lean
    first, second = box.problem.agents
    x, y = box.problem.resources
    if np.isclose(r1, r2, rtol=1e-6):
        return "It is the diagonal, because both value the two resources in the same proportion."
    bows = first if r1 > r2 else second
    return f"It bows away from the diagonal, because {bows} depends more on {x} than on {y}, compared with the other."


def table(box: Box, points: Mapping[str, Array]) -> pd.DataFrame:
    """One row per division: who holds what, both accuracies and gains, what is left to gain, who envies whom."""
    first, second = box.problem.agents
    x, y = box.problem.resources
    rows = []
    for name, point in points.items():
        judged, rest = box.judge(point), box.total - point
        rows.append(
            {
                "Division": name,
                f"{first}: {x} [units]": point[0],
                f"{first}: {y} [units]": point[1],
                f"{second}: {x} [units]": rest[0],
                f"{second}: {y} [units]": rest[1],
                f"{first}: accuracy": judged.utility[0],
                f"{second}: accuracy": judged.utility[1],
                f"{first}: gain over the start": judged.gain[0],
                f"{second}: gain over the start": judged.gain[1],
                "On the contract curve": "yes" if judged.efficient else "no",
                "Envy": envy(box, point),
            }
        )
    return pd.DataFrame(rows)


def envy(box: Box, point: Array) -> str:
    """Who would rather hold what the other does, in words."""
    first, second = box.problem.agents
    match box.judge(point).envious:
        case (True, True):
            return "each would rather hold what the other does"
        case (True, False):
            return f"{first} would rather hold what {second} does"
        case (False, True):
            return f"{second} would rather hold what {first} does"
    return "nobody envies"


def verdict(box: Box, point: Array) -> str:
    """What a division means for the two, in words."""
    judged = box.judge(point)
    parts = [
        f"{name}: accuracy {number(after)} ({'no change' if abs(gain) < 5e-4 else f'{gain:+.3f} beside the start'})"
        for name, after, gain in zip(box.problem.agents, judged.utility, judged.gain, strict=True)
    ]
    better, worse = int((judged.gain > 5e-4).sum()), int((judged.gain < -5e-4).sum())
    both = "both gain" if better == 2 else "one gains, nobody loses" if better and not worse else (
        "one gains, one loses" if better and worse else "nobody gains"
    )  # fmt: skip
    rest = (
        "on the contract curve, nothing is left to trade"
        if judged.efficient
        else "an exchange would still help one and harm neither"
    )
    return f"{parts[0]}; {parts[1]}. So {both}; {rest}; {envy(box, point)}."
