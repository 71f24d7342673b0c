"""A city of devices and edges: how policies fare in one hour and in twenty cities, on a map, and over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import altair as alt
import numpy as np
import pandas as pd

from fairsynergy.charts.comparison import FAINT, FROM_ZERO, INK, KEPT, TEXT, Spec, bare, named_axis, ranked, shapes_only
from fairsynergy.charts.palette import Mark
from fairsynergy.collaborative import LOCAL, City, Setting
from fairsynergy.experiments.cities import MEASURES, PUBLISHED, Estimate, Outcome
from fairsynergy.words.phrases import number

# Colours of Okabe and Ito where there are enough; every policy has its shape and its dash as well.
MARKS: dict[str, Mark] = {
    "ALP": Mark(FAINT, "cross"),
    "NSG": Mark("#D55E00", "triangle-down"),
    "NSG, load-aware": Mark("#A0522D", "triangle-left"),
    "Best response": Mark("#8C6BD6", "triangle-right"),
    "IQL": Mark("#E69F00", "diamond"),
    "AMFQ": Mark("#CC79A7", "triangle-up"),
    "OFR": Mark("#56B4E9", "square"),
    "COA": Mark("#0072B2", "square"),
    "FOCI": Mark("#009E73", "circle"),
}
DASHES: dict[str, list[int]] = {
    "ALP": [1, 3], "NSG": [7, 3], "NSG, load-aware": [3, 3], "Best response": [10, 3, 2, 3], "IQL": [6, 2, 2, 2],
    "AMFQ": [4, 4], "OFR": [8, 2], "COA": [2, 2], "FOCI": [1, 0],
}  # fmt: skip
WORDS: dict[str, str] = {
    "ALP": "all local processing: nobody uses an edge",
    "NSG": "Neurosurgeon: least own cost, as if each edge were its own",
    "NSG, load-aware": "least own cost at the load of the last slot: everybody moves at once",
    "Best response": "each in turn, seeing what the others do now; it takes a centre, so it is a reference",
    "IQL": "learned from what a device knows itself",
    "AMFQ": "learned, and told the mean action of the devices near it; plain mean-field learning",
    "OFR": "learned, and charged a part of its edge's max-min cost: half of FOCI",
    "COA": "learned, and told how many devices the edges had: the other half of FOCI",
    "FOCI": "learned, told how many devices the edges had, and charged a part of its edge's max-min cost",
}
ROW, AXIS = 40, 54  # height of a policy's row, and of the axis below [pixels]
# How many slots a moving average of changes covers: five minutes of 15 s.
SMOOTH = 20
OVERFULL, FREE, ALONE = "more devices than multiprocessors", "room for everybody", "on the device"
STATES = {"connected": "#0072B2", ALONE: "#E69F00"}


def base(label: str) -> str:
    """The policy without its oracle's share.

    >>> base("FOCI 0.5"), base("NSG, load-aware")
    ('FOCI', 'NSG, load-aware')
    """
    return label if label in MARKS else label.rpartition(" ")[0]


def outcomes(played: Mapping[str, Outcome], measure: str) -> pd.DataFrame:
    """One row per policy: mean and worst-off device here, and in the paper's Table 1 where it has them.

    Parameters
    ----------
    played : mapping of str to Outcome
        By the policies' labels.
    measure : str
        A key of `TITLES`.
    """
    rows = []
    for label, outcome in played.items():
        mean, worst = _ends(outcome, measure)
        name = base(label)
        rows.append(
            {
                "policy": label, "base": name, "words": WORDS[name], "mean": mean, "worst": worst,
                "mean_text": _text(mean), "worst_text": "" if measure == "switches" else _text(worst),
                "paper_mean": _published(name, measure, "mean"), "paper_worst": _published(name, measure, "worst"),
            }
        )  # fmt: skip
    return ranked(pd.DataFrame(rows), "policy")


def _ends(outcome: Outcome, measure: str) -> tuple[float, float]:
    if measure == "switches":
        return outcome.summary.switches, outcome.summary.switches
    scale = MEASURES[f"{measure}_mean"].scale
    spread = getattr(outcome.summary, measure)
    return scale * spread.mean, scale * spread.worst


def _published(name: str, measure: str, end: str) -> float:
    """Latency and energy have units in the paper; its costs and changes have none that could be drawn beside ours."""
    column = f"{measure}_{end}"
    known = measure in ("latency", "energy") and name in PUBLISHED.index
    return float(PUBLISHED.at[name, column]) if known else float("nan")


def _text(value: float) -> str:
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


TITLES = {
    "latency": "Latency of an image [ms]",
    "energy": "Energy of an image on the device [mJ]",
    "cost": "Cost (lower is better)",
    "switches": "Changes of the edge [per device and hour]",
}


def tall(table: pd.DataFrame) -> int:
    """Height of the outcomes' picture [pixels]."""
    return ROW * len(table) + AXIS


@lru_cache(maxsize=KEPT)
def outcomes_spec(measure: str) -> Spec:
    """Dumbbells: mean and worst-off device of each policy, the paper's hollow below; fill it with `outcomes`."""
    rows = alt.Chart(alt.NamedData("rows")).encode(
        y=alt.Y("rank:N", title=None, axis=named_axis(labelLimit=140, ticks=False, domain=False)),
        tooltip=[
            alt.Tooltip("policy:N", title="Policy"),
            alt.Tooltip("words:N", title="That is"),
            alt.Tooltip("mean:Q", format=".3f", title="Mean over devices"),
            *([] if measure == "switches" else [alt.Tooltip("worst:Q", format=".3f", title="Worst-off device")]),
            *(
                [
                    alt.Tooltip("paper_mean:Q", format=".2f", title="Paper, average"),
                    alt.Tooltip("paper_worst:Q", format=".2f", title="Paper, maximum"),
                ]
                if measure in ("latency", "energy")
                else []
            ),
        ],
    )
    colour = alt.Color("base:N", scale=_scale("colour"), legend=None)
    shape = alt.Shape("base:N", scale=_scale("shape"), legend=None)
    scale = alt.Scale(domainMin=0, padding=30, nice=False)
    x = alt.X("worst:Q", title=TITLES[measure], scale=scale, axis=alt.Axis(labelExpr=FROM_ZERO))
    text = {"fontSize": TEXT - 1, "color": INK}
    up = -5
    layers = [
        rows.mark_rule(strokeWidth=3, yOffset=up).encode(x=alt.X("mean:Q"), x2="worst:Q", color=colour),
        rows.mark_tick(thickness=3, size=15, yOffset=up).encode(x=x, color=colour),
        rows.mark_point(filled=True, size=130, opacity=1, yOffset=up).encode(x="mean:Q", color=colour, shape=shape),
        rows.mark_text(align="right", dx=-10, dy=up, **text).encode(x="mean:Q", text="mean_text:N"),
        rows.mark_text(align="left", dx=8, dy=up, **text).encode(x="worst:Q", text="worst_text:N"),
    ]
    if measure in ("latency", "energy"):
        paper = rows.transform_filter("isValid(datum.paper_mean)")
        layers += [
            paper.mark_rule(strokeWidth=1.5, color=FAINT, yOffset=9).encode(x="paper_mean:Q", x2="paper_worst:Q"),
            paper.mark_tick(thickness=1.5, size=9, color=FAINT, yOffset=9).encode(x="paper_worst:Q"),
            paper.mark_point(size=45, color=FAINT, yOffset=9, opacity=1, filled=False).encode(x="paper_mean:Q"),
        ]
    return bare(alt.layer(*layers))


def _scale(field: str) -> alt.Scale:
    return alt.Scale(domain=list(MARKS), range=[getattr(mark, field) for mark in MARKS.values()])


def outcomes_table(played: Mapping[str, Outcome]) -> pd.DataFrame:
    """All numbers of the hour, for a reader."""
    rows = []
    for label, outcome in played.items():
        found = outcome.summary
        rows.append(
            {
                "Policy": label,
                "Latency, mean [ms]": 1e3 * found.latency.mean,
                "Latency, worst-off device [ms]": 1e3 * found.latency.worst,
                "Energy, mean [mJ]": 1e3 * found.energy.mean,
                "Energy, worst-off device [mJ]": 1e3 * found.energy.worst,
                "Cost, mean": found.cost.mean,
                "Cost, worst-off device": found.cost.worst,
                "Changes of the edge [per hour]": found.switches,
                "Beyond the deadline [%]": 100 * found.late,
                "Without an edge [%]": 100 * found.local,
                "Edge-slots with more devices than multiprocessors [%]": 100 * found.time_sliced,
            }
        )
    return pd.DataFrame(rows).round(3)


def describe_outcomes(played: Mapping[str, Outcome]) -> str:
    """The dumbbells in words."""
    latency = {label: outcome.summary.latency for label, outcome in played.items()}
    quick, kind = min(latency, key=lambda name: latency[name].mean), min(latency, key=lambda name: latency[name].worst)
    energy = {label: outcome.summary.energy.worst for label, outcome in played.items()}
    sparing = min(energy, key=lambda name: energy[name])
    return (
        f"Lowest average latency: {quick}, {1e3 * latency[quick].mean:.1f} ms. Lowest latency of the worst-off device: "
        f"{kind}, {1e3 * latency[kind].worst:.1f} ms. Lowest energy of the worst-off device: {sparing}, "
        f"{1e3 * energy[sparing]:.1f} mJ."
    )


def answer(played: Mapping[str, Outcome], label: str, name: str) -> str:
    """What a policy does for the average and for the worst-off device, beside doing without edges."""
    ours, alone = played[label].summary.latency, played["ALP"].summary.latency
    return (
        f"Under {name} an image takes {1e3 * ours.mean:.0f} ms on average and {1e3 * ours.worst:.0f} ms on the "
        f"worst-off device; with everything on the device, {1e3 * alone.mean:.0f} and {1e3 * alone.worst:.0f} ms."
    )


def places(city: City, outcome: Outcome, slot: int) -> pd.DataFrame:
    """Where devices and edges are in a slot, and who is connected to whom."""
    chosen = outcome.edge[slot].astype(np.intp)
    connected, load = chosen != LOCAL, outcome.load[slot]
    position = city.position[slot].astype(np.float64)
    to = np.where(connected[:, None], city.edge[chosen], position)
    room = load <= city.setting.multiprocessors
    devices = pd.DataFrame(
        {
            "kind": "device", "x": position[:, 0], "y": position[:, 1], "x2": to[:, 0], "y2": to[:, 1],
            "state": np.where(connected, "connected", ALONE), "load": np.nan,
        }
    )  # fmt: skip
    edges = pd.DataFrame(
        {
            "kind": "edge", "x": city.edge[:, 0], "y": city.edge[:, 1], "x2": city.edge[:, 0], "y2": city.edge[:, 1],
            "state": np.where(room, FREE, OVERFULL), "load": load.astype(np.float64),
        }
    )  # fmt: skip
    return pd.concat([devices, edges], ignore_index=True)


def _map() -> Spec:
    rows = alt.Chart(alt.NamedData("rows"))
    axis = alt.Axis(grid=False, values=[0, 500, 1000, 1500])
    scale = alt.Scale(domain=[0, Setting().side], nice=False, padding=12)
    x = alt.X("x:Q", title="East [m]", scale=scale, axis=axis)
    y = alt.Y("y:Q", title="North [m]", scale=scale, axis=axis)
    names = [*STATES, FREE, OVERFULL]
    legend = alt.Legend(title=None, orient="top", columns=2, labelLimit=260, labelFontSize=12, symbolOpacity=1)
    colour = alt.Color(
        "state:N", scale=alt.Scale(domain=names, range=[*STATES.values(), "#009E73", "#D55E00"]), legend=legend
    )
    shape = alt.Shape(
        "state:N", scale=alt.Scale(domain=names, range=["circle", "cross", "square", "diamond"]), legend=legend
    )
    devices = rows.transform_filter("datum.kind === 'device'")
    edges = rows.transform_filter("datum.kind === 'edge'")
    return bare(
        alt.layer(
            devices.mark_rule(opacity=0.25, color=FAINT).encode(x=x, y=y, x2="x2:Q", y2="y2:Q"),
            devices.mark_point(filled=True, size=32, opacity=0.9).encode(
                x=x, y=y, color=colour, shape=shape, tooltip=[alt.Tooltip("state:N", title="Device")]
            ),
            edges.mark_point(filled=True, size=320, opacity=1).encode(
                x=x, y=y, color=colour, shape=shape,
                tooltip=[alt.Tooltip("load:Q", title="Devices at this edge"), alt.Tooltip("state:N", title="So")],
            ),
            edges.mark_text(fontSize=13, fontWeight="bold", dy=-19, color=INK).encode(x=x, y=y, text="load:Q"),
        )
    )  # fmt: skip


MAP = _map()


def describe_places(table: pd.DataFrame) -> str:
    """The map in words."""
    edges, devices = table[table["kind"] == "edge"], table[table["kind"] == "device"]
    alone = int((devices["state"] == ALONE).sum())
    full = int((edges["state"] == OVERFULL).sum())
    return (
        f"{len(devices) - alone} of {len(devices)} devices use an edge; the fullest has {edges['load'].max():.0f} of "
        f"them, the emptiest {edges['load'].min():.0f}; {full} of {len(edges)} edges have {OVERFULL}."
    )


def devices(played: Mapping[str, Outcome], measure: str) -> pd.DataFrame:
    """What each device has over the hour, the worst-off of each policy first."""
    scale = MEASURES[f"{measure}_mean"].scale
    parts = []
    for label, outcome in played.items():
        had = scale * np.sort(getattr(outcome, measure))[::-1]
        parts.append(
            pd.DataFrame({"policy": label, "base": base(label), "rank": np.arange(1, len(had) + 1), "had": had})
        )
    return pd.concat(parts, ignore_index=True)


def changes(played: Mapping[str, Outcome], city: City) -> pd.DataFrame:
    """Changes of the edge per minute of all devices together, averaged over five minutes."""
    parts = []
    per_minute = 60 / city.setting.slot
    for label, outcome in played.items():
        kernel = np.ones(min(SMOOTH, len(outcome.changes)))
        counted = np.convolve(outcome.changes, kernel, "valid") / kernel.size * per_minute
        minute = (np.arange(counted.size) + kernel.size / 2) * city.setting.slot / 60
        parts.append(pd.DataFrame({"policy": label, "base": base(label), "rank": minute, "had": counted}))
    return pd.concat(parts, ignore_index=True)


@lru_cache(maxsize=KEPT)
def lines_spec(names: tuple[str, ...], x: str, y: str, zero: bool) -> Spec:
    """A line per policy; fill it with `devices` or `changes`.

    Parameters
    ----------
    names : tuple of str
        Labels of the policies, in order.
    x, y : str
        Titles of the axes.
    zero : bool
        Whether the vertical axis starts at 0.
    """
    legend = alt.Legend(
        title=None, orient="top", columns=3, columnPadding=8, labelFontSize=12, symbolStrokeWidth=3, symbolType="stroke"
    )
    colour = alt.Scale(domain=list(names), range=[MARKS[base(name)].colour for name in names])
    dash = alt.Scale(domain=list(names), range=[DASHES[base(name)] for name in names])
    rows = alt.Chart(alt.NamedData("rows")).encode(
        x=alt.X("rank:Q", title=x, axis=alt.Axis(tickMinStep=1, format="d"), scale=alt.Scale(nice=False)),
        y=alt.Y("had:Q", title=y, scale=alt.Scale(zero=zero, padding=8)),
        color=alt.Color("policy:N", scale=colour, legend=legend),
        strokeDash=alt.StrokeDash("policy:N", scale=dash, legend=legend),
        tooltip=[
            alt.Tooltip("policy:N", title="Policy"),
            alt.Tooltip("rank:Q", title=x, format=".0f"),
            alt.Tooltip("had:Q", format=".2f", title=y),
        ],
    )
    return bare(alt.layer(rows.mark_line(strokeWidth=2.5), rows.mark_point(opacity=0, size=80)))


ENDS = ("average device", "worst-off device")  # of a policy, that `over_cities` draws


def over_cities(found: pd.DataFrame, policies: Sequence[str], measure: str) -> pd.DataFrame:
    """Of some policies, mean and worst-off device over the fresh cities, with the ends of their 95 % intervals.

    Parameters
    ----------
    found : DataFrame
        As `fairsynergy.experiments.cities.estimates` gives it.
    policies : sequence of str
        Their labels.
    measure : str
        "latency", "energy" or "cost".
    """
    rows = []
    for label in policies:
        for end, said in zip(("mean", "worst"), ENDS, strict=True):
            cell: Estimate = found.at[label, f"{measure}_{end}"]
            rows.append(
                {
                    "policy": label,
                    "base": base(label),
                    "end": said,
                    "mean": cell.mean,
                    "low": cell.low,
                    "high": cell.high,
                }
            )
    return ranked(pd.DataFrame(rows), "policy")


@lru_cache(maxsize=KEPT)
def over_cities_spec(measure: str) -> Spec:
    """Points with 95 % intervals; fill it with `over_cities`."""
    rows = alt.Chart(alt.NamedData("rows")).encode(
        y=alt.Y("rank:N", title=None, axis=named_axis(labelLimit=140)),
        tooltip=[
            alt.Tooltip("policy:N", title="Policy"),
            alt.Tooltip("end:N", title="Of the"),
            alt.Tooltip("mean:Q", format=".2f", title="Mean over cities"),
            alt.Tooltip("low:Q", format=".2f", title="95 % from"),
            alt.Tooltip("high:Q", format=".2f", title="to"),
        ],
    )
    legend = shapes_only(title=None, orient="top", symbolStrokeWidth=2)
    scale = alt.Scale(domain=ENDS, range=["circle", "triangle-right"])
    shape = alt.Shape("end:N", scale=scale, legend=legend)
    colour = alt.Color("base:N", scale=_scale("colour"), legend=None)
    x = alt.X("low:Q", title=TITLES[measure], scale=alt.Scale(zero=False, padding=14))
    return bare(
        alt.layer(
            rows.mark_rule(strokeWidth=2).encode(x=x, x2="high:Q", color=colour),
            rows.mark_point(filled=True, size=110, opacity=1).encode(x="mean:Q", color=colour, shape=shape),
        )
    )


def cities_table(found: pd.DataFrame) -> pd.DataFrame:
    """Every measure of every policy with its interval, in words; of `estimates`."""
    columns = {"Policy": list(found.index)}
    for name, measure in MEASURES.items():
        heading = f"{measure.heading[0].upper()}{measure.heading[1:]}"
        columns[heading] = [f"{_digits(cell.mean)} ± {_digits(cell.half)}" for cell in found[name]]
    return pd.DataFrame(columns)


def _digits(value: float) -> str:
    return f"{value:.1f}" if abs(value) >= 10 else number(value)
