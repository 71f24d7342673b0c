"""The paper's figures, drawn from what running its experiments again yields (`Reproduction.tables`).

Many thousand points are never sent: quartiles, bins and evenly spaced samples are, and the subtitle says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import altair as alt
import numpy as np
import pandas as pd

from fairsynergy.charts import axonometric, palette
from fairsynergy.charts.comparison import ACCURACY, FAINT, INK, LETTER, TEXT
from fairsynergy.charts.figure import (
    WIDTH,
    colours_of,
    counted,
    draw,
    finite,
    heading,
    in_order,
    shapes_of,
    source,
    spaced,
    thinned,
    where,
)
from fairsynergy.charts.figure import Figure as Figure
from fairsynergy.charts.lines import GAP, Panel, apart_by, draw_lines
from fairsynergy.charts.palette import mark_of
from fairsynergy.charts.surfaces import SURFACE
from fairsynergy.experiments.reproduction import Reproduction
from fairsynergy.problem import Array
from fairsynergy.words.phrases import duration, listed, number, signed

SMALL = (194, 140)  # of the two small panels of Fig. 2 [pixels]
BLACK = "#1a1a1a"  # on a light colour, whatever the theme
SETTINGS = {
    "RTI": "Real-time inference: compute",
    "DL": "Distributed learning: compute and labels",
}
REFERENCE = "Uniform"
SATURATED = ", saturated"  # how such a variant's name ends
OURS = "Fair-Synergy"
# Utilities whose mean is above this are not accuracies, and no axis can show both.
ACCURACIES_END = 1.5
# Most that is drawn: lines that link the boxes of one experiment, points beyond a box's whiskers, published points of
# one rule.
LINKED, BEYOND, PUBLISHED = 60, 40, 15
MOST_BINS = 40
MANY = 20  # agents of whom each is numbered
TAIL = 0.005  # of gains at either end are drawn at the edge
ALIKE = 1e-3  # relative: holdings closer than this are one level
NORMAL_95 = 1.96  # standard errors to either side of a 95 % interval
# Of models in Fig. 3, where no rule is drawn: Tol's "bright", safe for colour blind readers.
MODELS = ["#4477AA", "#EE6677", "#228833", "#AA3377", "#CCBB44", "#66CCEE", "#888888"]
MODEL_SHAPES = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right"]
# Of amounts held fixed in Fig. 2, from little to much: warm, to stand out from the blue surface.
WARM = ["#F6C88F", "#E58F3F", "#C85A1E", "#9A3412"]

GAINS = "datum.value === 0 ? '0' : format(100 * datum.value, '+~g') + ' %'"  # labels of an axis of relative gains
TIMES = (
    "datum.value < 0.00099 ? format(1e6 * datum.value, '~r') + ' µs' : "
    "datum.value < 0.99 ? format(1e3 * datum.value, '~r') + ' ms' : format(datum.value, '~r') + ' s'"
)  # of an axis of seconds

Tables = Mapping[str, pd.DataFrame]


def figures(reproduction: Reproduction) -> dict[str, Figure]:
    """The figures of a reproduction by name, in reading order; those whose tables are empty are left out.

    Parameters
    ----------
    reproduction : Reproduction
        One of `DRAWN`, by its name.

    Raises
    ------
    KeyError
        If nothing is known about drawing a reproduction of this name.

    Examples
    --------
    >>> times = pd.DataFrame({"rule": "NUM", "resources": 1, "agents": [10, 100], "seconds": [0.001, 0.01]})
    >>> done = Reproduction("complexity", "Time", "", (), {"times": times}, 1.0)
    >>> print(figures(done)["times"].alt)
    Time to allocate against the number of agents. 1 resource, 100 agents: NUM 10 ms.
    """
    tables = {name: table.reset_index(drop=True) for name, table in reproduction.tables.items() if len(table)}
    return DRAWN[reproduction.name](tables)


# Fig. 2: a Cobb-Douglas utility.


def _utility(tables: Tables) -> dict[str, Figure]:
    if not {"surface", "slices", "isoquants"} <= tables.keys():
        return {}
    surface, slices, isoquants = tables["surface"], tables["slices"], tables["isoquants"]
    view = axonometric.View(surface)
    frame, texts = view.frame(), view.texts(("Compute [units]", "Labels [units]", "Utility"))
    lines = [
        _along(view, part.sort_values("compute"), kind, level)
        for kind, table, column in (("isoquant", isoquants, "utility"), ("slice", slices, "labels"))
        for level, part in table.groupby(column)
    ]
    ends = slices.loc[slices.groupby("labels")["compute"].idxmax()]
    top = 1.05 * float(slices["utility"].max())
    wanted = ends["utility"].to_numpy(dtype=np.float64) / top * SMALL[1]
    apart = apart_by(wanted, np.full(len(wanted), GAP), SMALL[1])
    ends = ends.assign(label_y=apart / SMALL[1] * top, text=[f"labels {amount:g}" for amount in ends["labels"]])
    reach = [float(surface[name].max()) for name in ("compute", "labels")]
    diagonal = (isoquants["compute"] / reach[0] - isoquants["labels"] / reach[1]).abs()
    levels = isoquants.loc[diagonal.groupby(isoquants["utility"]).idxmin()]
    levels = levels.assign(text=[f"{level:g}" for level in levels["utility"]])

    left = alt.layer(*_cube(view)).properties(width=axonometric.SIZE[0], height=axonometric.SIZE[1])
    right = alt.vconcat(_slices(top), _plane(reach), spacing=14)
    most = surface.loc[surface["utility"].idxmax()]
    said = [f"from {number(surface['utility'].min())} to {number(most['utility'])} over"]
    said += [f"compute up to {reach[0]:g} and labels up to {reach[1]:g} units."]
    for amount, part in list(slices.groupby("labels"))[:1]:
        middle, end = np.interp([part["compute"].max() / 2, part["compute"].max()], part["compute"], part["utility"])
        said += [f"With labels fixed at {amount:g}, the first half of the compute brings {number(middle)}"]
        said += [f"and the second half only {number(end - middle)} more."]
    said += [f"Isoquants at utility {listed(list(levels['text']))}."]
    figure = draw(
        "A Cobb-Douglas utility: surface, slices and isoquants",
        "Orange: with labels fixed, each further unit of compute adds less. White: bundles of equal utility, which "
        "trade one resource for the other.",
        f"Utility rises {' '.join(said)}",
        alt.hconcat(left, right, spacing=22).resolve_scale(
            color="independent", fill="independent", stroke="independent"
        ),
        patches=view.patches(),
        frame=frame,
        texts=texts,
        lines=pd.concat(lines),
        slices=thinned(slices, ["labels"], 41, bend=2.0),
        ends=ends,
        cells=_cells(surface),
        isoquants=thinned(isoquants, ["utility"], 41),
        levels=levels,
    )
    return {"utility": figure}


def _along(view: axonometric.View, part: pd.DataFrame, kind: str, level: Any) -> pd.DataFrame:
    """A line on the surface as seen; `level` is what is fixed along it."""
    part = part.iloc[spaced(len(part), 31, bend=2.0)]
    at = view.place(part["compute"], part["labels"], part["utility"])
    return pd.DataFrame({"kind": kind, "level": level, "order": np.arange(len(part)), "x": at.x, "y": at.y})


def _cube(view: axonometric.View) -> list[Any]:
    plain = [alt.Scale(domain=[0, size], nice=False, zero=False) for size in axonometric.SIZE]
    x, y = alt.X("x:Q", scale=plain[0], axis=None), alt.Y("y:Q", scale=plain[1], axis=None)
    frame = source("frame").encode(x=x, y=y, x2="x2:Q", y2="y2:Q")
    texts = source("texts").encode(x=x, y=y, text="text:N")
    lines = source("lines").encode(x=x, y=y, detail="level:Q", order="order:Q")
    blue = alt.Scale(range=[colour for _, colour in SURFACE])
    surface = (
        source("patches")
        .mark_line(interpolate="linear-closed", strokeWidth=0.6, strokeJoin="round")
        .encode(
            x=x,
            y=y,
            detail="patch:Q",
            order="order:Q",
            fill=alt.Fill("utility:Q", scale=blue, legend=None),
            stroke=alt.Stroke("utility:Q", scale=blue, legend=None),
        )
    )
    titles = [
        texts.transform_filter(f"datum.kind === 'title' && datum.axis === {axis}").mark_text(
            fontSize=TEXT, color=INK, angle=view.slope(axis) % 360
        )
        for axis in range(3)
    ]
    return [
        where(frame, kind="grid").mark_rule(color=FAINT, opacity=0.35),
        surface,
        where(lines, kind="isoquant").mark_line(color="white", strokeWidth=1.4, opacity=0.9),
        where(lines, kind="slice").mark_line(strokeWidth=2.4).encode(color=_warm("level")),
        where(frame, kind="axis").mark_rule(color=INK, strokeWidth=1.2),
        where(frame, kind="tick").mark_rule(color=INK),
        *(
            texts.transform_filter(f"datum.kind === 'number' && datum.axis === {axis}").mark_text(
                fontSize=TEXT - 1, color=INK, align=align
            )
            for axis, align in enumerate(("left", "right", "right"))
        ),
        *titles,
    ]


def _warm(field: str) -> Any:
    return alt.Color(f"{field}:Q", scale=alt.Scale(range=WARM, zero=False), legend=None)


def _slices(top: float) -> Any:
    x = alt.X("compute:Q", title="Compute [units]", scale=alt.Scale(nice=False), axis=counted())
    y = alt.Y("utility:Q", title="Utility", scale=alt.Scale(domain=[0, top], nice=False), axis=counted())
    said = {"fontSize": TEXT - 1, "align": "left", "color": INK}
    return alt.layer(
        source("slices").mark_line(strokeWidth=2.4).encode(x=x, y=y, color=_warm("labels"), detail="labels:Q"),
        source("ends").mark_text(**said).encode(x=alt.value(SMALL[0] + 5), y="label_y:Q", text="text:N"),
    ).properties(width=SMALL[0], height=SMALL[1], title=heading("Slices: labels fixed"))


def _plane(reach: Sequence[float]) -> Any:
    x, y = (
        alt.X("compute:Q", title="Compute [units]", axis=counted(), scale=alt.Scale(domainMax=reach[0], nice=False)),
        alt.Y("labels:Q", title="Labels [units]", axis=counted(), scale=alt.Scale(domainMax=reach[1], nice=False)),
    )
    blue = alt.Scale(range=[colour for _, colour in SURFACE])
    fill, stroke = (channel("utility:Q", scale=blue, legend=None) for channel in (alt.Fill, alt.Stroke))
    words = source("levels").encode(x=x, y=y, text="text:N")
    return alt.layer(
        source("cells")
        .mark_rect(strokeWidth=0.7)
        .encode(x=x, y=y, x2="compute_end:Q", y2="labels_end:Q", fill=fill, stroke=stroke),
        source("isoquants").mark_line(color="white", strokeWidth=1.8).encode(x=x, y=y, detail="utility:Q"),
        words.mark_text(fontSize=TEXT - 1, stroke="white", strokeWidth=3.5, strokeJoin="round"),
        words.mark_text(fontSize=TEXT - 1, color=BLACK),
    ).properties(width=SMALL[0], height=SMALL[1], title=heading("Isoquants: equal utility"))


def _cells(surface: pd.DataFrame, cells: int = 20) -> pd.DataFrame:
    """The surface as a map: rectangles between neighbours of a thinned grid, at the mean of their corners."""
    grid = surface.pivot(index="compute", columns="labels", values="utility")
    grid = grid.iloc[spaced(grid.shape[0], cells + 1), spaced(grid.shape[1], cells + 1)]
    height = grid.to_numpy(dtype=np.float64)
    x, y = (axis.to_numpy(dtype=np.float64) for axis in (grid.index, grid.columns))
    i, j = (index.ravel() for index in np.indices((len(x) - 1, len(y) - 1)))
    mean = (height[i, j] + height[i + 1, j] + height[i, j + 1] + height[i + 1, j + 1]) / 4
    return pd.DataFrame(
        {"compute": x[i], "compute_end": x[i + 1], "labels": y[j], "labels_end": y[j + 1], "utility": mean}
    )


# Fig. 3: measured accuracy is concave in resources.


def _curves(tables: Tables) -> dict[str, Figure]:
    if "curves" not in tables:
        return {}
    panels, said, parts = [], [], []
    families = tables["curves"].groupby(["family", "resource"], sort=False)
    size = (268, 190) if len(families) > 1 else (560, 300)
    for (family, resource), part in families:
        # Where each model was measured once, the family is one curve, and its points have names.
        named = bool(part["model"].is_unique)
        part = part.assign(point=part["model"] if named else "", model=family if named else part["model"])
        models = list(part["model"].unique())
        parts.append(part.sort_values(["model", "amount"], kind="stable"))
        panels.append(_curve_panel(family, resource, models, size))
        rises = "; ".join(_rises(model, rows) for model, rows in part.groupby("model", sort=False))
        said.append(f"{family}, {resource}: {rises}.")
    figure = draw(
        "Accuracy against resources, as measured",
        "Points: measurements. Lines: the power law fitted to them, where one was fitted.",
        f"Measured accuracy against a resource, with fitted power laws. {' '.join(said)}",
        alt.concat(*panels, columns=2, spacing=24).resolve_scale(color="independent", shape="independent"),
        curves=pd.concat(parts),
    )
    return {"curves": figure}


def _curve_panel(family: str, resource: str, models: list[str], size: tuple[int, int]) -> Any:
    order = [i % len(MODELS) for i in range(len(models))]
    columns = max(1, int(size[0] // (34 + LETTER * max(len(model) for model in models))))
    legend = alt.Legend(title=None, orient="bottom", columns=columns, columnPadding=8) if len(models) > 1 else None
    colours, shapes = [MODELS[i] for i in order], [MODEL_SHAPES[i] for i in order]
    colour = alt.Color("model:N", scale=alt.Scale(domain=models, range=colours), legend=legend)
    shape = alt.Shape("model:N", scale=alt.Scale(domain=models, range=shapes), legend=legend)
    x = alt.X("amount:Q", title=_capital(resource), scale=alt.Scale(nice=False, padding=12), axis=counted())
    rows = where(source("curves"), family=family, resource=resource).encode(x=x)
    axis, scale = alt.Axis(minExtent=34), alt.Scale(zero=False, nice=False, padding=size[1] // 12)
    y = partial(alt.Y, title=ACCURACY, scale=scale, axis=axis)
    tip = [
        alt.Tooltip("model:N", title="Model"),
        alt.Tooltip("point:N", title="of the family"),
        alt.Tooltip("amount:Q", title=_capital(resource)),
        alt.Tooltip("accuracy:Q", format=".4f", title="Accuracy, measured"),
        alt.Tooltip("fitted:Q", format=".4f", title="Accuracy, fitted"),
    ]
    said = family if len(models) > 1 or models[0] in family else f"{family}: {models[0]}"
    return alt.layer(
        rows.transform_filter("isValid(datum.fitted)")
        .mark_line(strokeWidth=1.8, opacity=0.8, interpolate="monotone")
        .encode(y=y("fitted:Q"), color=colour),
        rows.mark_point(filled=True, size=55, opacity=1).encode(
            y=y("accuracy:Q"), color=colour, shape=shape, tooltip=tip
        ),
        *(
            rows.transform_filter(f"(datum.accuracy >= datum.fitted) === {above}")
            .mark_text(fontSize=TEXT - 1, color=INK, dx=shift, dy=1.6 * shift)
            .encode(y=y("accuracy:Q"), text="point:N")
            for above, shift in (("true", -7), ("false", 7))
        ),
    ).properties(width=size[0], height=size[1], title=heading(said))


def _rises(model: str, rows: pd.DataFrame) -> str:
    first, last = rows.loc[rows["amount"].idxmin()], rows.loc[rows["amount"].idxmax()]
    ends = (f"{number(row['accuracy'])} at {row['amount']:g}" for row in (first, last))
    return f"{model} from {' to '.join(ends)}"


# Fig. 4: many random configurations.


def _gains(tables: Tables) -> dict[str, Figure]:
    if "gains" not in tables:
        return {}
    gains = tables["gains"].dropna(subset="mean")
    ridges = _ridges(gains, tables.get("tests"))
    return {"boxes": _boxes(gains)} | ({"gains": ridges} if ridges else {})


def _boxes(gains: pd.DataFrame) -> Figure:
    names = in_order(gains["rule"])
    boxes: list[dict[str, Any]] = []
    beyond: list[dict[str, Any]] = []
    panels: list[Any] = []
    links, said = [], []
    gains = gains.assign(panel=gains["setting"] + ", " + gains["protocol"])
    drawn = [(str(panel), part) for panel, part in gains.groupby("panel", sort=False)]
    for i, (panel, part) in enumerate(drawn):
        # Neighbours share their axis of rules.
        beside = pd.concat([other["rule"] for _, other in drawn[i - i % 2 : i - i % 2 + 2]])
        experiments = np.sort(part["experiment"].unique())
        chosen = experiments[spaced(len(experiments), LINKED)]
        links.append(part.loc[part["experiment"].isin(chosen), ["panel", "experiment", "rule", "mean"]])
        for rule, rows in part.groupby("rule", sort=False):
            box, outside = _box(rows["mean"].to_numpy(dtype=np.float64))
            boxes.append({"panel": panel, "rule": rule} | box)
            beyond += [{"panel": panel, "rule": rule, "mean": value} for value in outside]
        panels.append(_box_panel(panel, in_order(beside), names, labelled=i % 2 == 0))
        medians = {box["rule"]: box["median"] for box in boxes if box["panel"] == panel}
        said.append(f"{panel}: {', '.join(f'{rule} {number(medians[rule])}' for rule in names if rule in medians)}.")
    return draw(
        "Mean accuracy of the fleet over many configurations",
        "Boxes: quartiles; whiskers: to the last experiment within 1.5 box lengths. A thin line joins what one "
        f"experiment gives under every rule. Of more than {LINKED} lines a panel, {BEYOND} circles a box, a sample is "
        "drawn.",
        f"Box plots of the fleet's mean accuracy by rule. Medians: {' '.join(said)}",
        alt.concat(*panels, columns=2, spacing=20),
        boxes=pd.DataFrame(boxes),
        beyond=pd.DataFrame(beyond, columns=["panel", "rule", "mean"]),
        links=pd.concat(links).assign(place=lambda rows: rows["rule"].map(names.index)),
    )


def _box(values: Array) -> tuple[dict[str, float], Array]:
    """Quartiles and whiskers (Tukey's), and the values beyond them, thinned."""
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75])
    inside = values[(values >= low - 1.5 * (high - low)) & (values <= high + 1.5 * (high - low))]
    box = {"least": inside.min(), "low": low, "median": median, "high": high, "most": inside.max()}
    outside = np.sort(values[(values < box["least"]) | (values > box["most"])])
    return box, outside[spaced(len(outside), BEYOND)]


def _box_panel(panel: str, here: list[str], names: list[str], *, labelled: bool) -> Any:
    room = LETTER * max(map(len, names)) if labelled else 0
    axis = alt.Axis(title=None, labels=labelled, ticks=False, labelLimit=300, minExtent=room)
    y = alt.Y("rule:N", sort=here, axis=axis, scale=alt.Scale(domain=here))
    scale = alt.Scale(zero=False, nice=False, padding=8)
    x = alt.X("mean:Q", title="Mean accuracy (share correct)", scale=scale, axis=alt.Axis(tickCount=5))
    colour = colours_of(names)
    boxes = where(source("boxes"), panel=panel).encode(y=y)
    tip = [
        alt.Tooltip("rule:N", title="Rule"),
        *(
            alt.Tooltip(f"{field}:Q", format=".4f", title=title)
            for field, title in (("low", "First quartile"), ("median", "Median"), ("high", "Third quartile"))
        ),
    ]
    return alt.layer(
        boxes.mark_rule(strokeWidth=1.5).encode(x="least:Q", x2="most:Q", color=colour),
        boxes.mark_bar(height=16, opacity=1).encode(x="low:Q", x2="high:Q", color=colour, tooltip=tip),
        where(source("links"), panel=panel)
        .mark_line(color=INK, strokeWidth=0.7, opacity=0.16)
        .encode(x=x, y=y, detail="experiment:N", order="place:Q"),
        where(source("beyond"), panel=panel).mark_point(size=14, strokeWidth=1).encode(x="mean:Q", y=y, color=colour),
        boxes.mark_tick(thickness=5, size=20, color="white", opacity=1).encode(x="median:Q"),
        boxes.mark_tick(thickness=2.5, size=20, color=BLACK, opacity=1).encode(x="median:Q"),
    ).properties(width=262, height=30 * len(here), title=heading(panel))


def _ridges(gains: pd.DataFrame, tests: pd.DataFrame | None) -> Figure | None:
    """How much more Fair-Synergy gives than each other rule, experiment by experiment."""
    over = [rule for rule in in_order(gains["rule"]) if rule != OURS]
    shapes, middles, panels, said = [], [], [], []
    for (setting, protocol), part in gains.groupby(["setting", "protocol"], sort=False):
        panel = f"{setting}, {protocol}"
        mean = part.pivot(index="experiment", columns="rule", values="mean")
        if OURS not in mean:
            continue
        relative = {rule: finite(mean[OURS] / mean[rule] - 1) for rule in over if rule in mean}
        everything = np.concatenate([*relative.values(), [0.0]])
        bins = min(MOST_BINS, 2 * round(len(mean) ** 0.5) + 1)
        low, high = np.quantile(everything, [TAIL, 1 - TAIL])
        edges = np.linspace(low, high if high > low else low + TAIL, bins + 1)
        for place, (rule, values) in enumerate(relative.items()):
            counts = np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0]
            base = float(len(relative) - 1 - place)
            shapes.append(_ridge(edges, base + 0.12, 0.52 * counts / counts.max()).assign(panel=panel, rule=rule))
            low, median, high = np.quantile(values, [0.25, 0.5, 0.75])
            wins, p = _tested(tests, setting, protocol, rule)
            won = f"in {_share(float((values > 0).mean()) if wins is None else wins)}"
            middles.append(
                {
                    "panel": panel, "rule": rule, "base": base + 0.07, "heading": base + 0.81, "low": low,
                    "median": median, "high": high, "over": f"{rule}: {signed(median)}",
                    "verdict": won if p is None else f"{won}, p = {p:.2f}" if p >= 0.005 else f"{won}, p = {p:.0e}",
                }
            )  # fmt: skip
        words = [f"{row['over']} ({row['verdict']})" for row in middles if row["panel"] == panel]
        said.append(f"{panel}: {'; '.join(words)}.")
        panels.append(_ridge_panel(panel, over, len(relative)))
    if not panels:
        return None
    tested = ", and p of Wilcoxon's signed-rank test" if tests is not None else ""
    return draw(
        f"How much more {OURS} gives, experiment by experiment",
        "Left: the median gain in the fleet's mean accuracy over each rule. Right: in how many experiments it is "
        f"higher{tested}. Shapes: how often; bars: the middle half; the outermost {2 * TAIL:.0%} lie at the edges.",
        f"Relative gain in mean accuracy of {OURS} over each other rule: median, and in how many experiments "
        f"it is higher{tested}. {' '.join(said)}",
        alt.concat(*panels, columns=2, spacing=26),
        shapes=pd.concat(shapes),
        middles=pd.DataFrame(middles),
    )


def _ridge(edges: Array, base: float, height: Array) -> pd.DataFrame:
    """The outline of a histogram that stands on a base."""
    return pd.DataFrame(
        {
            "gain": np.repeat(edges, 2)[1:-1],
            "base": base,
            "top": base + np.repeat(height, 2),
        }
    )


def _ridge_panel(panel: str, names: list[str], rows: int) -> Any:
    y = alt.Y("base:Q", axis=None, scale=alt.Scale(domain=[-0.05, rows], nice=False))
    axis = alt.Axis(labelExpr=GAINS, tickCount=5, labelOverlap="greedy", labelSeparation=8, grid=True)
    x = alt.X("gain:Q", title="Gain in mean accuracy", axis=axis, scale=alt.Scale(nice=False, padding=6))
    colour = colours_of(names)
    middles = where(source("middles"), panel=panel).encode(y=y)
    said = {"fontSize": TEXT - 1, "color": INK}
    at = alt.Y("heading:Q")
    return alt.layer(
        source("middles").mark_rule(color=FAINT, opacity=1).encode(x=alt.XDatum(0)),
        where(source("shapes"), panel=panel)
        .mark_area(opacity=0.45)
        .encode(x=x, y=y, y2="top:Q", color=colour, detail="rule:N"),
        middles.mark_rule(strokeWidth=5).encode(x="low:Q", x2="high:Q", color=colour),
        middles.mark_tick(thickness=3, size=11, color=INK, orient="vertical", opacity=1).encode(x="median:Q"),
        middles.mark_text(align="left", fontWeight="bold", **said).encode(x=alt.value(10), y=at, text="over:N"),
        middles.mark_text(align="right", **said).encode(x=alt.value(320), y=at, text="verdict:N"),
    ).properties(width=322, height=60 * rows, title=heading(panel))


class _Test(NamedTuple):
    """In which share of the experiments Fair-Synergy gives more, and the p-value of that; None where not tested."""

    wins: float | None
    p: float | None


def _tested(tests: pd.DataFrame | None, setting: str, protocol: str, rule: str) -> _Test:
    if tests is None:
        return _Test(None, None)
    rows = tests[(tests["setting"] == setting) & (tests["protocol"] == protocol) & (tests["rule"] == rule)]
    return _Test(*(next(iter(finite(rows[column]).tolist()), None) for column in ("wins", "p")))


# Fig. 5 and the scaling protocols: accuracy against the number of agents.


def _scaling(tables: Tables) -> dict[str, Figure]:
    if "scaling" not in tables:
        return {}
    scaling, released = tables["scaling"], tables.get("released")
    names = in_order(scaling["rule"])
    peak = scaling.groupby(["setting", "rule"])["mean"].transform("max")
    plain = peak <= ACCURACIES_END
    extreme = [rule for rule in names if rule in set(scaling.loc[~plain, "rule"])]
    spread = {"low": scaling["mean"] - scaling["std"], "high": scaling["mean"] + scaling["std"]}
    rows = scaling.assign(value=scaling["mean"], **spread, panel=scaling["setting"].map(_setting))
    published = None
    said = ["Lines: means over seeds; bands: one standard deviation of that mean to either side."]
    if released is not None:
        ends = {"low": released["mean"] - released["std"], "high": released["mean"] + released["std"]}
        released = released.assign(panel=released["setting"].map(_setting), value=released["mean"], **ends)
        published = thinned(released, ["panel", "rule"], PUBLISHED)
        published = published[["panel", "rule", "agents", "value", "low", "high"]].assign(
            colour=[mark_of(rule).colour for rule in published["rule"]]
        )
        some = f", {PUBLISHED} of each rule's" if len(published) < len(released) else ""
        said.append(f"Hollow circles and whiskers: the same as published{some}.")
    panels = [Panel(name, part) for name, part in rows[plain].groupby("panel", sort=False)]
    if extreme:
        # What would dwarf accuracies has a panel of its own, beside the other rules without saturation.
        without = rows["panel"].isin(rows.loc[~plain, "panel"]) & ~rows["rule"].str.endswith(SATURATED)
        for name, part in rows[without].groupby("panel", sort=False):
            panels.append(Panel(f"{name}; utilities without saturation, logarithmic", part, log=True, y="Mean utility"))
        said.append(
            f"Without saturation, the winner takes all: above 1, which {listed(extreme)} "
            f"exceed{'s' * (len(extreme) == 1)}, a utility is no accuracy."
        )
    drawn = {
        "scaling": draw_lines(
            "Mean accuracy of the fleet against its size", " ".join(said), panels, names, published=published
        )
    }
    drawn |= _relative(rows, names, plain, extreme)
    for column, title, y, about in (
        ("worst", "Accuracy of the worst-off agent", "Worst-off accuracy (share correct)", ""),
        ("gini", "Inequality of accuracies", "Gini index of accuracies", "0: all agents the same; 1: one has all. "),
    ):
        if column in scaling and scaling[column].notna().any():
            values = rows.assign(value=rows[column]).drop(columns=["low", "high"]).dropna(subset="value")
            parts = [Panel(name, part, y=y) for name, part in values.groupby("panel", sort=False)]
            drawn[column] = draw_lines(
                f"{title} against the size of the fleet", f"{about}Lines: means over seeds.", parts, names
            )
    return drawn


def _relative(rows: pd.DataFrame, names: list[str], plain: pd.Series[bool], extreme: list[str]) -> dict[str, Figure]:
    """Each rule's mean beside Uniform's; saturated rules beside saturated Uniform."""
    rows = rows.assign(saturated=rows["rule"].str.endswith(SATURATED))
    base = rows["rule"].isin([REFERENCE, f"{REFERENCE}{SATURATED}"])
    keys = ["panel", "agents", "saturated"]
    gain = rows[plain & ~base].merge(rows.loc[base, [*keys, "mean"]], on=keys, suffixes=("", "_base"))
    gain = gain[gain["mean_base"] > 0]
    if not len(gain):
        return {}
    gain = gain.assign(value=gain["mean"] / gain["mean_base"] - 1).drop(columns=["low", "high"])
    panels = [
        Panel(name, part, y=f"Gain over {REFERENCE}", form=signed, labels=GAINS)
        for name, part in gain.groupby("panel", sort=False)
    ]
    left_out = f" Not drawn where utilities exceed 1: {listed(extreme)}." if extreme else ""
    against = f" What is saturated is set against {REFERENCE}{SATURATED}." if gain["saturated"].any() else ""
    return {
        "gain": draw_lines(
            f"Gain in mean accuracy over {REFERENCE}, against the size of the fleet",
            f"Ratio of means over seeds.{against}{left_out}",
            panels,
            [rule for rule in names if rule in set(gain["rule"])],
        )
    }


# The claims on complexity.


def _complexity(tables: Tables) -> dict[str, Figure]:
    drawn = {}
    if "times" in tables:
        times = tables["times"]
        panels = [
            Panel(
                f"{resources} resource{'s' * (resources != 1)}",
                part.assign(value=part["seconds"]),
                log=True,
                log_x=True,
                y="Time to allocate",
                labels=TIMES,
                form=duration,
            )
            for resources, part in times.groupby("resources")
        ]
        drawn["times"] = draw_lines(
            "Time to allocate against the number of agents",
            "Both axes are logarithmic: the slope of a line is the exponent of the number of agents.",
            panels,
            in_order(times["rule"]),
        )
    if "exponents" in tables:
        drawn["exponents"] = _exponents(tables["exponents"])
    return drawn


def _exponents(exponents: pd.DataFrame) -> Figure:
    names = in_order(exponents["rule"])
    rows = exponents.assign(
        low=exponents["fitted"] - NORMAL_95 * exponents["error"],
        high=exponents["fitted"] + NORMAL_95 * exponents["error"],
        panel=[f"{n} resource{'s' * (n != 1)}" for n in exponents["resources"]],
    )
    kinds = list(rows["panel"].unique())
    width = (WIDTH - 40 - int(LETTER * max(map(len, names)))) // len(kinds) - 20
    panels = [_exponent_panel(panel, names, min(width, 480), labelled=not i) for i, panel in enumerate(kinds)]
    said = []
    for panel in kinds:
        words = [
            f"{row.rule} {row.fitted:.2f} ± {row.error:.2f}"
            + (f" (claimed {row.claimed_exponent:.1f})" if np.isfinite(row.claimed_exponent) else "")
            for row in rows[rows["panel"] == panel].itertuples()
        ]
        said.append(f"{panel}: {', '.join(words)}.")
    return draw(
        "How fast the time grows with n agents: exponents, fitted and claimed",
        "Filled: fitted to measured times, with its 95 % interval. Hollow circle and text: what the paper claims.",
        f"Exponent of the number of agents in the time to allocate, with its standard error. {' '.join(said)}",
        alt.hconcat(*panels, spacing=24),
        exponents=rows,
    )


def _exponent_panel(panel: str, names: list[str], width: int, *, labelled: bool) -> Any:
    axis = alt.Axis(title=None, labels=labelled, ticks=False, labelLimit=300)
    y = alt.Y("rule:N", sort=names, axis=axis, scale=alt.Scale(domain=names))
    rows = where(source("exponents"), panel=panel).encode(y=y)
    colour = colours_of(names)
    tip = [
        alt.Tooltip("rule:N", title="Rule"),
        alt.Tooltip("fitted:Q", format=".3f", title="Fitted exponent"),
        alt.Tooltip("error:Q", format=".3f", title="Its standard error"),
        alt.Tooltip("claimed:N", title="Claimed"),
    ]
    said = {"fontSize": TEXT - 2, "color": INK, "align": "left", "dy": -16, "limit": width - 6}
    claimed = rows.transform_filter("isValid(datum.claimed_exponent)")
    x = alt.X("fitted:Q", title="Exponent of the number of agents", scale=alt.Scale(zero=True), axis=counted())
    return alt.layer(
        rows.mark_rule(strokeWidth=2.5).encode(x="low:Q", x2="high:Q", color=colour),
        claimed.mark_point(size=150, strokeWidth=2, color=INK, opacity=1).encode(x="claimed_exponent:Q"),
        rows.mark_point(filled=True, size=90, opacity=1).encode(x=x, color=colour, shape=shapes_of(names), tooltip=tip),
        rows.mark_text(**said).encode(x=alt.value(4), text="claimed:N"),
    ).properties(width=width, height=46 * len(names), title=heading(panel))


# Fig. 6: two rules, agent by agent.


def _agents(tables: Tables) -> dict[str, Figure]:
    drawn = {}
    if "grants" in tables:
        grants = tables["grants"]
        kinds = grants["fleet"].str.split(",").str[0]
        for kind, part in grants.groupby(kinds, sort=False):
            drawn[f"grants-{kind.lower()}"] = _grants(kind, part)
    if "accuracy" in tables:
        drawn["accuracy"] = _accuracy(tables["accuracy"])
    return drawn


def _grants(kind: str, grants: pd.DataFrame) -> Figure:
    rules = in_order(grants["rule"], first="NUM")
    grants = grants.assign(held=grants["own"] + grants["granted"], number=grants["place"] + 1)
    rows, levels, said = [], [], []
    parts = ["own", *(f"granted by {rule}" for rule in rules)]
    for (fleet, resource), part in grants.groupby(["fleet", "resource"], sort=False):
        top, agents = 1.23 * float(part["held"].max()), int(part["number"].max())
        panels: list[Any] = []
        for rule in rules:
            panel = f"{fleet}, {resource}: {rule}"
            some = part[part["rule"] == rule]
            found = _levels(some)
            levels.append(found.assign(panel=panel))
            panels.append(_grant_panel(panel, resource, parts, agents, top, first=not panels))
            got = some[some["granted"] > ALIKE * some["granted"].max()]
            flat = f", all to the level {number(found['level'].iloc[0])}" if len(found) == 1 else ""
            said.append(f"{panel} grants some to {len(got)} of {len(some)} agents{flat}.")
        rows.append(alt.hconcat(*panels, spacing=18))
    bars = pd.concat(
        [
            grants.assign(part="own", start=0.0, end=grants["own"]),
            grants.assign(part="granted by " + grants["rule"], start=grants["own"], end=grants["held"]),
        ]
    )
    bars["panel"] = bars["fleet"] + ", " + bars["resource"] + ": " + bars["rule"]
    columns = ["panel", "part", "number", "agent", "start", "end", "own", "granted", "elasticity"]
    return draw(
        f"Who is granted what by {listed(rules)}: {kind}",
        "Dashed: a level to which grants lift all who receive some, or all of one difficulty. On top of each agent: "
        "its elasticity γ (near 1: a hard task).",
        f"Own and granted amounts of each agent. {' '.join(said)}",
        alt.vconcat(*rows, spacing=16).resolve_scale(color="shared"),
        bars=bars[columns],
        levels=pd.concat(levels),
    )


def _levels(some: pd.DataFrame) -> pd.DataFrame:
    """Common levels of those who are granted some: one for all, else one per elasticity; first, last, level."""
    got = some[some["granted"] > ALIKE * max(float(some["granted"].max()), 1e-300)]
    if len(got) and np.ptp(got["held"]) <= ALIKE * got["held"].max():
        groups = [got.assign(first=some["number"].min(), last=some["number"].max())]
    else:
        groups = [
            part.assign(first=part["number"].min(), last=part["number"].max()) for _, part in got.groupby("elasticity")
        ]
    flat = [group for group in groups if len(group) > 1 and np.ptp(group["held"]) <= ALIKE * group["held"].max()]
    return pd.DataFrame(
        [(group["first"].iloc[0] - 0.5, group["last"].iloc[0] + 0.5, group["held"].mean()) for group in flat],
        columns=["first", "last", "level"],
    )


def _grant_panel(panel: str, resource: str, parts: list[str], agents: int, top: float, *, first: bool) -> Any:
    rules = [part.removeprefix("granted by ") for part in parts[1:]]
    colours = [palette.OWN, *(mark_of(rule).colour for rule in rules)]
    legend = alt.Legend(title=None, orient="top", labelLimit=220)
    title = f"{_capital(resource)} held [units]" if first else None
    scale = alt.Scale(domain=[0, top], nice=False)
    y = alt.Y("start:Q", title=title, scale=scale, axis=alt.Axis(tickCount=4))
    axis = alt.Axis(values=list(range(1, agents + 1)), format="d", grid=False, labelOverlap=agents > MANY)
    x = partial(alt.X, title="Agent", axis=axis, scale=alt.Scale(domain=[0.3, agents + 0.7], nice=False))
    bars = where(source("bars"), panel=panel)
    tip = [
        alt.Tooltip("agent:N", title="Agent"),
        alt.Tooltip("own:Q", format=".4f", title=f"Own {resource} [units]"),
        alt.Tooltip("granted:Q", format=".4f", title=f"Granted {resource} [units]"),
        alt.Tooltip("elasticity:Q", format=".2f", title="Elasticity γ (near 1: a hard task)"),
    ]
    levels = where(source("levels"), panel=panel).encode(x=x("first:Q"), y="level:Q")
    return alt.layer(
        bars.mark_bar(size=min(16, 200 // agents)).encode(
            x=x("number:Q"),
            y=y,
            y2="end:Q",
            color=alt.Color("part:N", scale=alt.Scale(domain=parts, range=colours), legend=legend),
            tooltip=tip,
        ),
        levels.mark_rule(color=INK, strokeDash=[6, 3], strokeWidth=1.6).encode(x2="last:Q"),
        bars.transform_filter("datum.part === 'own'")
        .mark_text(fontSize=TEXT - 2, color=INK, baseline="top")
        .encode(x=x("number:Q"), y=alt.value(3), text=alt.Text("elasticity:Q", format=".2~f")),
    ).properties(width=282, height=130, title=heading(panel))


def _accuracy(accuracy: pd.DataFrame) -> Figure:
    rules = in_order(accuracy["rule"], first="NUM")
    accuracy = accuracy.assign(number=accuracy["place"] + 1)
    panels, said = [], []
    for fleet, part in accuracy.groupby("fleet", sort=False):
        means = part.groupby("rule")["after"].mean()
        before = part.groupby("rule")["before"].mean().iloc[0]
        words = ", ".join(f"{rule} {means[rule]:.3f}" for rule in rules if rule in means)
        said.append(f"{fleet}: mean {before:.3f} before, {words}.")
        top = 1.12 * float(part[["before", "after"]].max(axis=None))
        panels.append(_accuracy_panel(fleet, f"Mean: before {before:.3f}, {words}", rules, top))
    return draw(
        f"Accuracy of each agent before the cloud and after, by {listed(rules)}",
        "Grey: before. Each stem ends at the accuracy that the rule's grant brings.",
        f"Accuracy of each agent before and after grants. {' '.join(said)}",
        alt.concat(*panels, columns=2, spacing=22).resolve_scale(color="shared", shape="shared"),
        accuracy=accuracy.drop(columns="place"),
    )


def _accuracy_panel(fleet: str, means: str, rules: list[str], top: float) -> Any:
    legend = alt.Legend(title=None, orient="top")
    x = alt.X("number:O", title="Agent", axis=alt.Axis(labelAngle=0), scale=alt.Scale(paddingInner=0.25))
    rows = where(source("accuracy"), fleet=fleet).encode(x=x, xOffset=alt.XOffset("rule:N", sort=rules))
    scale = alt.Scale(domain=[0, top], nice=False)
    y = alt.Y("before:Q", title=ACCURACY, scale=scale, axis=alt.Axis(tickCount=5, minExtent=30))
    colour = colours_of(rules, legend)
    tip = [
        alt.Tooltip("agent:N", title="Agent"),
        alt.Tooltip("rule:N", title="Rule"),
        alt.Tooltip("before:Q", format=".4f", title="Accuracy before"),
        alt.Tooltip("after:Q", format=".4f", title="Accuracy after"),
    ]
    return alt.layer(
        rows.mark_rule(strokeWidth=2.5).encode(y=y, y2="after:Q", color=colour),
        rows.mark_tick(color=FAINT, thickness=2.5, size=11, opacity=1).encode(y=y),
        rows.mark_point(filled=True, size=60, opacity=1).encode(
            y="after:Q", color=colour, shape=shapes_of(rules, legend), tooltip=tip
        ),
    ).properties(width=280, height=190, title=heading(fleet, means))


DRAWN: dict[str, Callable[[Tables], dict[str, Figure]]] = {
    "fig2": _utility,
    "fig3": _curves,
    "fig4": _gains,
    "fig5": _scaling,
    "fig6": _agents,
    "rti-scaling": _scaling,
    "dl-scaling": _scaling,
    "complexity": _complexity,
}


# In words.


def _setting(name: str) -> str:
    return SETTINGS.get(name, name)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _share(part: float) -> str:
    """A share, never rounded up to all or down to none.

    >>> _share(1.0), _share(0.9996), _share(0.5), _share(0.0004)
    ('all', '99.9 %', '50 %', '0.1 %')
    """
    if part in (0.0, 1.0):
        return "all" if part else "none"
    return f"{min(max(100 * part, 0.1), 99.9):.3g} %"
