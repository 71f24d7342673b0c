"""What the lessons speak of and reveal, drawn: a specification built once, the tables that fill it, and words.

Two sizes serve everybody: one for a desk, one that is read from the back row of a class.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import cache, lru_cache
from typing import Any, NamedTuple

import altair as alt
import numpy as np
import pandas as pd

from fairsynergy.allocation import Allocation
from fairsynergy.charts import palette, tradeoff
from fairsynergy.charts.comparison import ACCURACY, FAINT, FIT, FROM_ZERO, INK, KEPT, NAME, Spec, named_axis, ranked
from fairsynergy.charts.figure import Figure, draw, source
from fairsynergy.charts.surfaces import Landscape
from fairsynergy.lessons import dial, difficulty, mixing, money, returns, search, units, water
from fairsynergy.problem import Array, Problem
from fairsynergy.words.phrases import listed, number

FIRST, SECOND = "#0072B2", "#D55E00"  # of Okabe and Ito: what is looked at first, and what it is compared with
GUESS = "#CC79A7"
SIZES = {False: 14, True: 20}  # of letters at a desk and on a projector [pixels]
PAPER = (560, 260)  # of a picture on paper, without its axes [pixels]
LEVELS = (0.1, 0.25, 0.6, 0.8)  # accuracies of the grey curves
TOP = 0.62  # of the axis of the bars that water is poured over [units]
WAY = 41  # points on the way from one division to another


class Drawing(NamedTuple):
    """A chart, and the same as a dictionary without data and without Altair's own style."""

    chart: Any
    spec: Spec


class Picture(NamedTuple):
    """What is drawn, the tables that fill it by name, what it shows in words, and its numbers for a reader."""

    drawing: Drawing
    tables: dict[str, pd.DataFrame]
    words: str
    numbers: pd.DataFrame

    def spec(self, *, large: bool = False) -> Spec:
        """A complete specification, with letters for a desk or for a projector."""
        size = SIZES[large]
        axis = {"labelFontSize": size - 1, "titleFontSize": size, "labelLimit": 200}
        style = {
            "axis": axis,
            "legend": {"labelFontSize": size, "titleFontSize": size, "labelLimit": 400},
            "text": {"fontSize": size},
        }
        return self.drawing.spec | {"datasets": self.tables, "config": style}

    def figure(self, title: str) -> Figure:
        """The same for paper."""
        chart = self.drawing.chart.properties(width=PAPER[0], height=PAPER[1])
        return draw(title, "", self.words, chart, **self.tables)


def _drawing(chart: Any, right: int = 14) -> Drawing:
    spec: Spec = chart.to_dict()
    spec["padding"] = {"left": 4, "right": right, "top": 6, "bottom": 6}
    spec["autosize"] = FIT
    return Drawing(chart, {key: value for key, value in spec.items() if key not in ("config", "$schema")})


def _unit(title: str) -> Any:
    """An axis from 0 to 1."""
    return {"title": title, "scale": alt.Scale(domain=[0, 1], nice=False), "axis": alt.Axis(tickCount=5)}


# 1: the same step of compute, low and high on the curve.


def steps(gamma: float) -> Picture:
    """The curve of a task, and what the same step buys at two places."""
    held = np.linspace(0, 1, 101) ** 2  # closer where the curve is steep
    taken = [returns.step(start, gamma) for start in (returns.LOW, returns.HIGH)]
    rows = pd.DataFrame(
        [{"start": s.start, "end": s.end, "before": s.before, "after": s.after, "gain": s.gain} for s in taken]
    )
    rows["label"] = [f"+{s.gain:.3f}" for s in taken]
    rows["middle"] = (rows["before"] + rows["after"]) / 2
    rows["which"] = ["low", "high"]
    said = [f"from {number(s.start)} to {number(s.end)} units by {s.gain:.3f}" for s in taken]
    return Picture(
        _steps(),
        {"curve": pd.DataFrame({"held": held, "accuracy": returns.accuracy(held, gamma)}), "steps": rows},
        f"Accuracy against compute held, a curve that rises and flattens for γ = {gamma:g}; it rises {listed(said)}.",
        rows[["start", "end", "before", "after", "gain"]].rename(
            columns={
                "start": "From [units]", "end": "To [units]", "before": "Accuracy before", "after": "Accuracy after",
                "gain": "Gain",
            }
        ),
    )  # fmt: skip


@cache
def _steps() -> Drawing:
    x, y = alt.X("held:Q", **_unit("Compute held [units]")), alt.Y("accuracy:Q", **_unit(ACCURACY))
    colour = alt.Color("which:N", scale=alt.Scale(domain=["low", "high"], range=[FIRST, SECOND]), legend=None)
    taken = source("steps").encode(color=colour)
    tip = [alt.Tooltip("start:Q", title="From [units]"), alt.Tooltip("end:Q", title="To [units]")]
    tip += [alt.Tooltip("gain:Q", format=".3f", title="Adds to the accuracy")]
    return _drawing(
        alt.layer(
            source("curve").mark_line(strokeWidth=3, color=INK).encode(x, y),
            taken.mark_rule(strokeWidth=3, strokeDash=[5, 4]).encode(x=alt.X("start:Q"), x2="end:Q", y="before:Q"),
            taken.mark_rule(strokeWidth=6).encode(x="end:Q", y=alt.Y("before:Q"), y2="after:Q", tooltip=tip),
            source("steps")
            .mark_text(align="left", dx=10, fontWeight="bold", color=INK)
            .encode(x="end:Q", y="middle:Q", text="label:N"),
        )
    )


def first_step() -> Picture:
    """The beginning of the curve, up to the end of the first step; the rest is to be predicted."""
    known = steps(returns.FLEET.gamma_compute[0])
    curve, taken = known.tables["curve"], known.tables["steps"].query("which == 'low'")
    first = taken.iloc[0]
    return Picture(
        known.drawing,
        {"curve": curve[curve["held"] <= first["end"] + 1e-9], "steps": taken},
        f"Accuracy against compute held: the beginning of the curve, up to {number(first['end'])} units. From "
        f"{number(first['start'])} units on it rises by {first['gain']:.3f}.",
        known.numbers.head(1),
    )


# 2 and 3: bars, and bars filled up.


def owned(problem: Problem, *, top: float, below: str = "Agents") -> Picture:
    """What agents own of the one resource, before anybody gives them anything.

    Parameters
    ----------
    problem : Problem
        Of one resource.
    top : float
        Where the axis ends [units].
    below : str
        What the axis with the agents' numbers is called.
    """
    own = problem.endowment[:, 0]
    rows = pd.DataFrame({"agent": [str(i) for i in range(1, problem.n + 1)], "own": own})
    rows["label"] = [number(float(amount)) for amount in own]
    said = [f"{name} {number(float(amount))}" for name, amount in zip(problem.agents, own, strict=True)]
    return Picture(
        _owned(top, below),
        {"own": ranked(rows, "agent")},
        f"What each agent owns, a bar for each: {listed(said)}.",
        pd.DataFrame({"Agent": problem.agents, "Owns [units]": own}),
    )


@lru_cache(maxsize=KEPT)
def _owned(top: float, below: str) -> Drawing:
    rows = source("own").encode(
        x=alt.X("rank:N", title=below, axis=named_axis(labelAngle=0, labelOverlap=False, ticks=False)),
        y=alt.Y("own:Q", title="Own compute [units]", scale=alt.Scale(domain=[0, top], nice=False)),
    )
    return _drawing(
        alt.layer(
            rows.mark_bar(color=palette.OWN, stroke="white", strokeWidth=1),
            rows.mark_text(dy=-10, color=INK).encode(text="label:N"),
        )
    )


def vessels(
    allocation: Allocation, *, level: float | None, top: float, rule: str, below: str = "Agents",
    beside: bool = True, guess: float | None = None,
) -> Picture:  # fmt: skip
    """What agents own and get, with the level that they are filled up to.

    Parameters
    ----------
    allocation : Allocation
        Of one resource.
    level : float or None
        Where the water stands [units], if it has one level.
    top : float
        Where the axis ends [units].
    rule : str
        Whose colour the grants have.
    below : str
        What the axis with the agents' numbers is called.
    beside : bool
        Whether lines are named beside the bars, where a name hides none, or else above the first.
    guess : float, optional
        A level that somebody predicted [units].
    """
    own, held, grant = allocation.problem.endowment[:, 0], allocation.holding[:, 0], allocation.grant[:, 0]
    n, names = allocation.problem.n, allocation.problem.agents
    numbers = [str(i) for i in range(1, n + 1)]
    parts = pd.DataFrame(
        {
            "agent": numbers * 2,
            "part": ["owns"] * n + ["gets"] * n,
            "start": np.r_[np.zeros(n), own],
            "end": np.r_[own, held],
            "amount": np.r_[own, grant],
        }
    )
    lines: list[dict[str, Any]] = (
        [] if level is None else [{"level": level, "label": f"level {number(level)}", "kind": "level"}]
    )
    if guess is not None:
        lines.append({"level": guess, "label": "predicted", "kind": "guess"})
    highest = max(level or 0.0, guess or 0.0)
    lines = [line | {"above": line["level"] == highest} for line in lines]
    wet = [f"{name} {number(float(amount))}" for name, amount in zip(names, grant, strict=True) if amount > water.LEAST]
    return Picture(
        _vessels(palette.RULES[rule].colour, top, below, beside),
        {"parts": ranked(parts, "agent"), "lines": pd.DataFrame(lines, columns=["level", "label", "kind", "above"])},
        f"What each agent owns, and what {rule} gives it: {listed(wet) if wet else 'nothing yet'}."
        + ("" if level is None else f" The level is {number(level)} units."),
        pd.DataFrame({"Agent": names, "Owns [units]": own, "Gets [units]": grant, "Holds [units]": held}),
    )


@lru_cache(maxsize=KEPT)
def _vessels(colour: str, top: float, below: str, beside: bool) -> Drawing:
    x = alt.X("rank:N", title=below, axis=named_axis(labelAngle=0, labelOverlap=False, ticks=False))
    y = alt.Y("start:Q", title="Compute [units]", scale=alt.Scale(domain=[0, top], nice=False))
    scale = alt.Scale(domain=["owns", "gets"], range=[palette.OWN, colour])
    kinds = alt.Color("kind:N", scale=alt.Scale(domain=["level", "guess"], range=[SECOND, GUESS]), legend=None)
    text = {"align": "left", "dx": 6, "fontWeight": "bold"}
    place = alt.value("width") if beside else alt.value(0)
    lines = source("lines").encode(y=alt.Y("level:Q"), color=kinds)
    return _drawing(
        alt.layer(
            source("parts")
            .mark_bar(stroke="white", strokeWidth=1)
            .encode(
                x,
                y,
                y2="end:Q",
                color=alt.Color("part:N", scale=scale, legend=alt.Legend(title=None, orient="top")),
                tooltip=["agent:N", "part:N", alt.Tooltip("amount:Q", format=".3f", title="units")],
            ),
            lines.mark_rule(strokeWidth=3, strokeDash=[7, 4]),
            *(
                lines.transform_filter(f"{sign}datum.above")
                .mark_text(baseline=side, dy=dy, **text)
                .encode(x=place, text="label:N")
                for sign, side, dy in (("", "bottom", -3), ("!", "top", 4))
            ),
        ).resolve_scale(color="independent"),
        right=92 if beside else 14,
    )


def poured(drops: int, guess: float | None = None) -> Picture:
    """So many drops of the cloud, and where the water stands."""
    allocation = water.poured(drops)
    return vessels(allocation, level=water.level(allocation), top=TOP, rule="Fair-Synergy", guess=guess)


def by_difficulty() -> dict[str, Picture]:
    """NUM and Fair-Synergy on tasks of three difficulties, by the rules' names."""
    found = difficulty.divided()
    problem = found["NUM"].problem
    top = 1.15 * float(max(allocation.holding.max() for allocation in found.values()))
    level = float(found["NUM"].holding.max())
    return {
        rule: vessels(
            allocation,
            level=level if rule == "NUM" else None,
            top=top,
            rule=rule,
            below=_by_task(problem),
            beside=False,
        )
        for rule, allocation in found.items()
    }


def _by_task(problem: Problem) -> str:
    """Which agents have a hard, a medium and an easy task, as the title of their axis."""
    words = difficulty.tasks(problem)
    groups = [f"{word} {words.index(word) + 1}–{problem.n - words[::-1].index(word)}" for word in dict.fromkeys(words)]
    return f"Agents, by task: {', '.join(groups)}"


# 4: mixes of equal accuracy.


def mixes(compute: float, guess: float | None = None) -> Picture:
    """The curve of equal accuracy, where the robot stands on it, and where it goes with this much compute."""
    now = mixing.held()
    view = Landscape(now, 0, np.array([mixing.MOST, mixing.MOST]))
    start = [float(amount) for amount in now.holding[0]]
    labels = mixing.labels_for(compute)
    marks = [
        {"compute": start[0], "labels": start[1], "label": "now", "kind": "now"},
        {"compute": compute, "labels": labels, "label": f"{labels:.2f} labels", "kind": "moved"},
    ]
    if guess is not None:
        marks.append({"compute": mixing.CUT, "labels": guess, "label": "predicted", "kind": "guess"})
    tables = {
        "family": pd.concat([_curve(view, level) for level in LEVELS]),
        "curve": _curve(view, now.mean),
        "marks": pd.DataFrame(marks),
    }
    tables["names"] = tables["family"].groupby("level", sort=False).tail(1)
    return Picture(
        _mixes(),
        tables,
        f"All mixes of compute and labels with an accuracy of {number(now.mean)}, a falling curve; with "
        f"{number(compute)} compute it takes {number(labels)} labels.",
        pd.DataFrame(marks)[["label", "compute", "labels"]].rename(
            columns={"label": "Mix", "compute": "Compute [units]", "labels": "Labels [units]"}
        ),
    )


def mixes_before() -> Picture:
    """Curves of equal accuracy, and where the robot stands between them; its own curve is to be predicted."""
    known = mixes(mixing.CUT)
    now = known.tables["marks"].query("kind == 'now'")
    levels = listed([f"{level:g}" for level in LEVELS])
    start = now.iloc[0]
    return Picture(
        known.drawing,
        known.tables | {"marks": now, "curve": known.tables["curve"].head(0)},
        f"Labels against compute: four falling curves, each of all mixes with one accuracy, {levels}; the robot, with "
        f"{number(start['compute'])} of each, stands between the second and the third.",
        known.numbers.head(1),
    )


def _curve(view: Landscape, level: float) -> pd.DataFrame:
    compute, labels = view.isoquant(level).T
    return pd.DataFrame(
        {"compute": compute, "labels": labels, "level": level, "name": f"{level:g}", "step": np.arange(len(compute))}
    )


@cache
def _mixes() -> Drawing:
    x, y = alt.X("compute:Q", **_unit("Compute held [units]")), alt.Y("labels:Q", **_unit("Labels held [units]"))
    kinds = ["now", "moved", "guess"]
    marks = source("marks").encode(
        x,
        y,
        color=alt.Color("kind:N", scale=alt.Scale(domain=kinds, range=[INK, SECOND, GUESS]), legend=None),
        shape=alt.Shape("kind:N", scale=alt.Scale(domain=kinds, range=["circle", "diamond", "cross"]), legend=None),
        tooltip=["label:N", alt.Tooltip("compute:Q", format=".2f"), alt.Tooltip("labels:Q", format=".2f")],
    )
    return _drawing(
        alt.layer(
            source("family").mark_line(color=FAINT, strokeWidth=1.2).encode(x, y, detail="level:Q", order="step:Q"),
            source("names").mark_text(color=FAINT, align="right", dx=-4, dy=-8).encode(x, y, text="name:N"),
            source("curve").mark_line(color=FIRST, strokeWidth=3).encode(x, y, order="step:Q"),
            marks.mark_point(filled=True, size=200, opacity=1),
            source("marks")
            .mark_text(align="left", dx=12, dy=-8, fontWeight="bold", color=INK)
            .encode(x, y, text="label:N"),
        )
    )


# 5: the search, pass by pass, below the bound.


def passes(count: int) -> Picture:
    """Mean accuracy after each of so many passes, and the bound."""
    means = [search.after(k).mean for k in range(1, count + 1)]
    bound = search.ceiling()
    rows = pd.DataFrame({"pass": range(1, count + 1), "mean": means})
    rows["label"] = [f"{mean:.4f}" if k == count - 1 else "" for k, mean in enumerate(means)]
    line = pd.DataFrame({"mean": [bound], "label": [f"proved bound {bound:.4f}: no division is above"]})
    return Picture(
        _passes(search.PASSES, round(search.after(1).mean - 0.002, 3), round(bound + 0.0015, 4)),
        {"rows": rows, "bound": line},
        f"Mean accuracy after each pass: {listed([f'{mean:.4f}' for mean in means])}. No division is above "
        f"{bound:.4f}, the line at the top.",
        rows[["pass", "mean"]].rename(columns={"pass": "Pass", "mean": "Mean accuracy"}),
    )


@lru_cache(maxsize=KEPT)
def _passes(most: int, low: float, high: float) -> Drawing:
    axis = alt.Axis(values=list(range(1, most + 1)), format="d", grid=False)
    x = alt.X("pass:Q", title="Passes of the search", axis=axis, scale=alt.Scale(domain=[0.6, most + 0.9], nice=False))
    y = alt.Y(
        "mean:Q", title="Mean accuracy (share correct)", scale=alt.Scale(domain=[low, high], nice=False),
        axis=alt.Axis(format=".3f", tickCount=6),
    )  # fmt: skip
    rows = source("rows").encode(x, y)
    bound = source("bound").encode(y=y)
    tip = [alt.Tooltip("pass:Q", title="Pass"), alt.Tooltip("mean:Q", format=".5f", title="Mean accuracy")]
    return _drawing(
        alt.layer(
            bound.mark_rule(strokeWidth=3, color=SECOND),
            bound.mark_text(align="left", dx=6, dy=14, color=INK, fontWeight="bold").encode(
                x=alt.value(0), text="label:N"
            ),
            rows.mark_line(strokeWidth=2, color=FIRST),
            rows.mark_point(filled=True, size=140, opacity=1, color=FIRST).encode(tooltip=tip),
            rows.mark_text(align="center", dy=-16, color=INK, fontWeight="bold").encode(text="label:N"),
        )
    )


def way() -> Picture:
    """Mean accuracy on the straight way from where the search stands still to the best division."""
    still, best = search.after(np.inf), search.best()
    share = np.linspace(0, 1, WAY)
    grants = (1 - share)[:, None, None] * still.grant + share[:, None, None] * best.grant
    mean = still.problem.utility(grants).mean(axis=1)
    low = int(mean.argmin())
    ends = pd.DataFrame(
        {"share": [0.0, 1.0], "mean": [still.mean, best.mean], "label": ["the search stands here", "the best"]}
    )
    return Picture(
        _way(round(float(mean[low]) - 0.001, 3), round(best.mean + 0.0015, 4)),
        {"way": pd.DataFrame({"share": share, "mean": mean}), "ends": ends},
        f"On the straight way from the search's division to the best one the mean falls from {still.mean:.4f} to "
        f"{mean[low]:.4f} and then rises to {best.mean:.4f}.",
        pd.DataFrame({"Way gone [%]": 100 * share, "Mean accuracy": mean}),
    )


@lru_cache(maxsize=KEPT)
def _way(low: float, high: float) -> Drawing:
    x = alt.X("share:Q", title="Way from one division to the other", axis=alt.Axis(format="%", tickCount=4),
              scale=alt.Scale(domain=[-0.03, 1.03], nice=False))  # fmt: skip
    y = alt.Y("mean:Q", title="Mean accuracy (share correct)", axis=alt.Axis(format=".3f", tickCount=6),
              scale=alt.Scale(domain=[low, high], nice=False))  # fmt: skip
    ends = source("ends").encode(x, y)
    text = {"fontWeight": "bold", "dy": -14, "color": FIRST}
    return _drawing(
        alt.layer(
            source("way").mark_line(strokeWidth=3, color=FAINT).encode(x, y),
            ends.mark_point(filled=True, size=180, opacity=1, color=FIRST),
            ends.transform_filter("datum.share == 0").mark_text(align="left", **text).encode(text="label:N"),
            ends.transform_filter("datum.share == 1").mark_text(align="right", **text).encode(text="label:N"),
        )
    )


# 6: the dial.


def turned(alpha: float) -> Picture:
    """Mean and worst-off accuracy along the dial, and where it stands."""
    found = {stop: dial.turned(stop) for stop in dial.STOPS}
    rows = pd.DataFrame(
        {
            "alpha": [f"α = {dial.written(stop)}" for stop in found],
            "mean": [allocation.mean for allocation in found.values()],
            "worst": [allocation.worst for allocation in found.values()],
            "named": [stop in dial.NAMED for stop in found],
            "chosen": [stop == alpha for stop in found],
            "order": range(len(found)),
        }
    )
    here = dial.turned(alpha)
    return Picture(
        _turned(),
        {"rows": rows},
        f"The mean against the worst-off, along the dial; at α = {dial.written(alpha)} the mean is {here.mean:.3f} and "
        f"the worst-off {number(here.worst)}.",
        rows[["alpha", "mean", "worst"]].rename(
            columns={"alpha": "Dial", "mean": "Mean accuracy", "worst": "Worst-off accuracy"}
        ),
    )


@cache
def _turned() -> Drawing:
    # As the page “Fairness trade-off” has them.
    x = alt.X("worst:Q", title=tradeoff.AXES["worst-off"].title, axis=alt.Axis(tickCount=6),
              scale=alt.Scale(domain=[0, 0.2], nice=False))  # fmt: skip
    y = alt.Y("mean:Q", title="Mean accuracy (share correct)", axis=alt.Axis(tickCount=6, format=".2f"),
              scale=alt.Scale(zero=False, padding=25, nice=False))  # fmt: skip
    rows = source("rows").encode(x, y)
    tip = ["alpha:N", alt.Tooltip("mean:Q", format=".4f"), alt.Tooltip("worst:Q", format=".4f", title="worst-off")]
    text = {"align": "left", "dx": 10, "dy": -10, "color": INK}
    return _drawing(
        alt.layer(
            rows.mark_line(strokeWidth=2, color=FAINT).encode(order="order:Q"),
            rows.mark_point(filled=True, size=60, opacity=1, color=FIRST).encode(tooltip=tip),
            rows.transform_filter("datum.named && !datum.chosen").mark_text(**text).encode(text="alpha:N"),
            rows.transform_filter("datum.chosen").mark_point(filled=True, size=320, opacity=1, color=SECOND),
            rows.transform_filter("datum.chosen").mark_text(fontWeight="bold", **text).encode(text="alpha:N"),
        )
    )


# 7: against an equal split.


def against_uniform() -> Picture:
    """Each robot's accuracy under Fair-Synergy and in the market, relative to that with an equal split."""
    agents = money.divided()["Uniform"].problem.agents
    ratios = {policy.name: money.against_uniform(policy.name) for policy in money.RULES}
    rows = pd.concat([pd.DataFrame({"agent": agents, "rule": rule, "ratio": ratio}) for rule, ratio in ratios.items()])
    said = [f"under {rule} {money.below_uniform(rule)} of {len(agents)} are below it" for rule in ratios]
    return Picture(
        _against_uniform(),
        {"rows": ranked(rows, "agent"), "line": pd.DataFrame({"ratio": [1.0], "label": ["equal split"]})},
        f"Accuracy of each robot, as a multiple of what it has with an equal split: {listed(said)}.",
        pd.DataFrame({"Robot": agents} | {f"{rule} [× equal split]": ratio for rule, ratio in ratios.items()}),
    )


@cache
def _against_uniform() -> Drawing:
    rules = [policy.name for policy in money.RULES]
    marks = [palette.RULES[rule] for rule in rules]
    legend = alt.Legend(title=None, orient="top")
    x = alt.X("ratio:Q", title="Accuracy, × that with an equal split", scale=alt.Scale(zero=False, padding=12),
              axis=alt.Axis(tickCount=8))  # fmt: skip
    line = source("line").encode(x=alt.X("ratio:Q"))
    return _drawing(
        alt.layer(
            line.mark_rule(strokeWidth=2, color=INK),
            source("rows")
            .mark_point(filled=True, size=130, opacity=0.95)
            .encode(
                x,
                y=alt.Y("rank:N", title=None, axis=named_axis(grid=True, labelOverlap=False)),
                color=alt.Color(
                    "rule:N", scale=alt.Scale(domain=rules, range=[mark.colour for mark in marks]), legend=legend
                ),
                shape=alt.Shape(
                    "rule:N", scale=alt.Scale(domain=rules, range=[mark.shape for mark in marks]), legend=legend
                ),
                tooltip=["agent:N", "rule:N", alt.Tooltip("ratio:Q", format=".2f", title="× equal split")],
            ),
        )
    )


# 8: units, and what takes everything.


def counted() -> Picture:
    """What share of the cloud the hardest tasks get under each rule, counted in two ways."""
    found = units.counted()
    problems = {unit: next(iter(solved.values())).problem for unit, solved in found.items()}
    table = tradeoff.to_the_hardest(problems, found)
    spec = deepcopy(tradeoff.units_spec(*found))
    spec["encoding"]["y"]["axis"]["labelLimit"] = 260  # [pixels]; a projector's letters are large
    said = [
        f"{100 * units.to_the_hardest(unit, 'Fair-Synergy'):.0f} % under Fair-Synergy counted {unit}" for unit in found
    ]
    chart = alt.Chart.from_dict(spec | {"data": {"name": "shares"}})
    return Picture(
        Drawing(chart, spec | {"data": {"name": "shares"}}),
        {"shares": table},
        f"Share of the cloud that goes to the hardest tasks under each rule, counted in two ways: {listed(said)}.",
        table.rename(columns={"rule": "Rule", "unit": "Counted", "share": "Share of the cloud"}),
    )


def winners() -> Picture:
    """What each agent reaches under the greatest total, with and without an end to what helps."""
    found = units.won()
    agents = next(iter(found.values())).problem.agents
    reached: Mapping[str, Array] = {label: allocation.utility for label, allocation in found.items()}
    rows = pd.concat([pd.DataFrame({"agent": agents, "case": label, "value": u}) for label, u in reached.items()])
    said = [f"{label}: the highest is {number(float(u.max()))}" for label, u in reached.items()]
    return Picture(
        _winners(),
        {"rows": ranked(rows, "agent"), "line": pd.DataFrame({"value": [1.0], "label": ["1: always right"]})},
        f"What each agent reaches; {'; '.join(said)}. Above 1 it is no accuracy.",
        pd.DataFrame({"Agent": agents} | {label.capitalize(): u for label, u in reached.items()}),
    )


@cache
def _winners() -> Drawing:
    cases = list(units.WINNERS)
    legend = alt.Legend(title=None, orient="top")
    line = source("line").encode(x=alt.X("value:Q"))
    return _drawing(
        alt.layer(
            line.mark_rule(strokeWidth=2, color=INK),
            line.mark_text(align="left", dx=6, dy=8, color=INK).encode(y=alt.value(0), text="label:N"),
            source("rows")
            .mark_point(filled=True, size=130, opacity=0.95)
            .encode(
                x=alt.X(
                    "value:Q",
                    title="Utility (up to 1: accuracy)",
                    axis=alt.Axis(labelExpr=FROM_ZERO),
                    scale=alt.Scale(domainMin=0, padding=14, nice=False),
                ),
                y=alt.Y(
                    "rank:N",
                    title="Agents",
                    axis=alt.Axis(grid=True, labelOverlap=False, labelExpr=f"replace({NAME}, 'agent ', '')"),
                ),
                color=alt.Color("case:N", scale=alt.Scale(domain=cases, range=[SECOND, FIRST]), legend=legend),
                shape=alt.Shape("case:N", scale=alt.Scale(domain=cases, range=["diamond", "circle"]), legend=legend),
                tooltip=["agent:N", "case:N", alt.Tooltip("value:Q", format=".3f", title="reaches")],
            ),
        )
    )


# All of them, as paper has them.


@lru_cache(maxsize=KEPT)
def opening(name: str) -> dict[str, Picture]:
    """What a lesson speaks of before anything is revealed, by title; it gives no answer away."""
    pictures: dict[str, Callable[[], dict[str, Picture]]] = {
        "1 Diminishing returns": lambda: {"The first step": first_step()},
        "2 Water-filling": lambda: {"What the six agents own": owned(water.FLEET.problem(), top=TOP)},
        "3 Difficulty ignored": lambda: {"What the ten agents own": _by_difficulty_before()},
        "4 Two resources": lambda: {"Curves of equal accuracy, and the robot": mixes_before()},
    }
    return pictures[name]() if name in pictures else {}


def _by_difficulty_before() -> Picture:
    problem = difficulty.divided()["NUM"].problem
    return owned(problem, top=1.25 * float(problem.endowment.max()), below=_by_task(problem))


def revealed(name: str) -> dict[str, Picture]:
    """What a lesson reveals at the end of its steps, by title."""
    pictures: dict[str, dict[str, Picture]] = {
        "1 Diminishing returns": {"The same step, low and high": steps(returns.FLEET.gamma_compute[0])},
        "2 Water-filling": {"All of the cloud poured": poured(water.ALL)},
        "3 Difficulty ignored": {f"Divided by {rule}": picture for rule, picture in by_difficulty().items()},
        "4 Two resources": {"Mixes of the same accuracy": mixes(mixing.CUT)},
        "5 Local optimum": {"The search below its bound": passes(search.PASSES), "Why it does not go on": way()},
        "6 Fairness dial": {"The dial": turned(1.0)},
        "7 Envy and money": {"Against an equal split": against_uniform()},
        "8 Units": {"Counted in two ways": counted(), "Winner takes all": winners()},
    }
    return pictures[name]
