"""Who gets what, and why: Fair-Synergy's Fig. 6 for any two rules, the marginals against the price, and envy.

Each picture is a Vega-Lite specification, built once for each set of names, and the tables that fill it. Two
rules are drawn side by side on the same scales and in the same order of agents.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fairsynergy.allocation import Allocation
from fairsynergy.analysis.fairness import ENVY_FROM, envy, strongest_envies
from fairsynergy.charts import palette
from fairsynergy.charts.comparison import FIT, KEPT, named_axis, numbered, ranked
from fairsynergy.problem import Array
from fairsynergy.words.explain import level, next_unit, sentences, standings
from fairsynergy.words.phrases import number

Spec = dict[str, Any]
Tables = dict[str, pd.DataFrame]
Pair = Mapping[str, Allocation]
Positions = NDArray[np.intp]

READABLE = 40  # agents beside one another; of more, the first and the last are drawn, or those searched for
INK, FAINT, PRICE = "currentColor", "#808080", "#E0304E"
EXTENT = 34  # of the vertical axes [pixels]
# Marginals are drawn from 1/SPAN to SPAN times the price; those beyond lie on the edge, and hovering tells.
SPAN = 5.0


def _before(allocation: Allocation) -> Array:
    return allocation.problem.utility(np.zeros_like(allocation.grant))


def _share(allocation: Allocation) -> Array:
    capacity = np.where(allocation.problem.capacity > 0, allocation.problem.capacity, 1.0)
    return np.asarray((allocation.grant / capacity).sum(axis=1))


# What agents may be sorted by; the largest comes first, except for names.
ORDERS: dict[str, Callable[[Allocation], Array]] = {
    "name": lambda a: -np.arange(a.problem.n, dtype=np.float64),
    "grant": _share,
    "own": lambda a: a.problem.endowment.sum(axis=1),
    "gain": lambda a: a.utility - _before(a),
    "accuracy": lambda a: a.utility,
    "difficulty": lambda a: a.problem.elasticity.mean(axis=1),
}


def pick(allocation: Allocation, *, order: str, search: str = "") -> Positions:
    """Positions of the agents to draw, in order: all, or those whose name has the search in it, or both ends.

    Parameters
    ----------
    allocation : Allocation
        Of the rule that decides the order.
    order : str
        A key of `ORDERS`.
    search : str
        Part of a name, in any case; empty for all.
    """
    positions = np.argsort(-ORDERS[order](allocation), kind="stable")
    if search.strip():
        wanted = search.strip().casefold()
        names = allocation.problem.agents
        found = [i for i in positions if wanted in names[i].casefold()]
        return np.array(found[:READABLE], dtype=np.intp)
    if len(positions) <= READABLE:
        return positions
    half = READABLE // 2
    return np.concatenate([positions[:half], positions[-half:]])


def describe_choice(n: int, positions: Positions, *, order: str, search: str) -> str:
    """Which agents are drawn, in words; empty when all are."""
    if search.strip():
        return f"Drawn: {len(positions)} of {n:,} agents, those with “{search.strip()}” in their name, by {order}."
    if len(positions) == n:
        return ""
    half = READABLE // 2
    return (
        f"Drawn: the first {half} and the last {half} of {n:,} agents by {order}; find others by name. The "
        "table below has everyone."
    )


def stacks(pair: Pair, rule: str, resource: int, positions: Positions) -> Tables:
    """What each agent owns and is granted of one resource; the level where the rule has one; the scale's end.

    Parameters
    ----------
    pair : mapping of str to Allocation
        The rules side by side; they share a scale.
    rule : str
        Which of them.
    resource : int
        Which resource.
    positions : (p,) array
        The agents to draw, in order.
    """
    allocation = pair[rule]
    own = allocation.problem.endowment[positions, resource]
    held = allocation.holding[positions, resource]
    names = [allocation.problem.agents[i] for i in positions]
    parts = pd.DataFrame(
        {
            "agent": names * 2,
            "part": np.repeat(["owns", granted(rule)], len(names)),
            "start": np.concatenate([np.zeros(len(names)), own]),
            "end": np.concatenate([own, held]),
            "own": np.tile(own, 2),
            "grant": np.tile(allocation.grant[positions, resource], 2),
            "held": np.tile(held, 2),
            "gamma": np.tile(allocation.problem.elasticity[positions, resource], 2),
        }
    )
    common = level(allocation)[resource]
    top = max(float(a.holding[positions, resource].max(initial=0.0)) for a in pair.values())
    tables = {"parts": ranked(parts, "agent"), "limits": pd.DataFrame({"top": [top]})}
    return tables if np.isnan(common) else tables | {"level": pd.DataFrame({"level": [common]})}


def accuracies(pair: Pair, rule: str, positions: Positions) -> Tables:
    """Accuracy of each agent before and after, and the scale's end; arguments as for `stacks`."""
    allocation = pair[rule]
    before = _before(allocation)[positions]
    rows = pd.DataFrame(
        {
            "agent": [allocation.problem.agents[i] for i in positions],
            "before": before,
            "after": allocation.utility[positions],
            "gain": allocation.utility[positions] - before,
        }
    )
    top = max(float(a.utility[positions].max(initial=0.0)) for a in pair.values())
    return {"rows": ranked(rows, "agent"), "limits": pd.DataFrame({"top": [top]})}


def marginals(pair: Pair, resource: int, positions: Positions, *, price: Array) -> Tables:
    """What the next unit would add for each agent under both rules, beside the going price.

    Parameters
    ----------
    pair : mapping of str to Allocation
        The rules to compare.
    resource : int
        Which resource.
    positions : (p,) array
        The agents to draw, in order.
    price : (m,) array
        The going price [accuracy per unit], > 0 for this resource.
    """
    going = float(price[resource])
    tables = []
    for name, allocation in pair.items():
        value = next_unit(allocation.problem, allocation.grant)[positions, resource]
        standing = standings(allocation)[positions, resource]
        tables.append(
            pd.DataFrame(
                {
                    "agent": [allocation.problem.agents[i] for i in positions],
                    "rule": name,
                    "times": np.clip(value / going, 1 / SPAN, SPAN),
                    "adds": ["more than any price" if np.isinf(v) else f"{v:.4g}" for v in value],
                    "price": f"{going:.4g}",
                    "standing": [kind.value for kind in standing],
                    "receives": allocation.grant[positions, resource] > 0,
                }
            )
        )
    price_line = pd.DataFrame({"times": [1.0], "label": [f"line: the going price, {number(going)} accuracy per unit"]})
    return {"rows": ranked(pd.concat(tables, ignore_index=True), "agent"), "price": price_line}


def envies(pair: Pair, rule: str, positions: Positions) -> Tables:
    """The accuracy that each agent would gain with each other's grant; arguments as for `stacks`.

    Pairs without envy are left out.
    """
    problem = pair[rule].problem
    gains = {name: envy(problem, a.grant)[np.ix_(positions, positions)] for name, a in pair.items()}
    rows, columns = np.nonzero(gains[rule] > ENVY_FROM)
    who = [problem.agents[i] for i in positions]
    names, ranks = np.array(who, dtype=object), np.array(numbered(who), dtype=object)
    cells = pd.DataFrame(
        {
            "envious": names[rows],
            "envied": names[columns],
            "envious_rank": ranks[rows],
            "envied_rank": ranks[columns],
            "gain": gains[rule][rows, columns],
        }
    )
    top = max(float(gain.max(initial=0.0)) for gain in gains.values())
    return {
        "cells": cells,
        "axis": pd.DataFrame(
            {"envious": names, "envied": names, "envious_rank": ranks, "envied_rank": ranks, "top": top}
        ),
    }


def describe_envy(allocation: Allocation) -> str:
    """How many would rather have another's grant, and who most."""
    found = strongest_envies(allocation.problem, allocation.grant, limit=allocation.problem.n)
    names = allocation.problem.agents
    sampled = "" if found.compared == len(names) else f" (of {found.compared:,} drawn at random)"
    if not len(found.gain):
        return f"Nobody{sampled} would rather have another's grant."
    return (
        f"{len(found.gain)} of {found.compared:,} agents{sampled} would rather have another's grant; most of "
        f"all {names[found.envious[0]]}, which would gain {number(float(found.gain[0]))} accuracy with the "
        f"grant of {names[found.envied[0]]}."
    )


def worst_envies(allocation: Allocation) -> pd.DataFrame:
    """The agents that would gain most with another's grant: agent, whose grant, how much it would gain."""
    found = strongest_envies(allocation.problem, allocation.grant)
    names = allocation.problem.agents
    return pd.DataFrame(
        {
            "agent": [names[i] for i in found.envious],
            "would rather have the grant of": [names[j] for j in found.envied],
            "and gain [accuracy]": found.gain,
        }
    )


def table(allocation: Allocation, *, price: Array, positions: Positions | None = None) -> pd.DataFrame:
    """One row per agent with everything the pictures show; the CSV of the pages.

    Parameters
    ----------
    allocation : Allocation
        Of one rule.
    price : (m,) array
        The going price [accuracy per unit].
    positions : (p,) array, optional
        Which agents, in which order; default all.
    """
    problem = allocation.problem
    rows = np.arange(problem.n) if positions is None else positions
    value = next_unit(problem, allocation.grant)
    columns: dict[str, Any] = {"agent": [problem.agents[i] for i in rows]}
    for k, name in enumerate(problem.resources):
        columns |= {
            f"γ {name}": problem.elasticity[rows, k],
            f"owns {name}": problem.endowment[rows, k],
            f"granted {name}": allocation.grant[rows, k],
            f"holds {name}": allocation.holding[rows, k],
            f"next unit of {name} adds": value[rows, k],
            f"going price of {name}": price[k],
        }
    columns["accuracy on its own"] = _before(allocation)[rows]
    columns["accuracy with its grant"] = allocation.utility[rows]
    columns["why"] = sentences(allocation, price=price, agents=rows)
    return pd.DataFrame(columns)


def granted(rule: str) -> str:
    """What the upper part of a bar is called."""
    return f"is granted under {rule}"


@lru_cache(maxsize=KEPT)
def stack_spec(rule: str, resource: str, *, levelled: bool) -> Spec:
    """How `stacks` is drawn, with the common level where the rule has one."""
    scale = alt.Scale(domain=["owns", granted(rule)], range=[palette.OWN, palette.RULES[rule].colour])
    tip = [
        alt.Tooltip("agent:N", title="Agent"),
        alt.Tooltip("own:Q", format=".4f", title=f"Owns {resource} [units]"),
        alt.Tooltip("grant:Q", format=".4f", title=f"Is granted {resource} [units]"),
        alt.Tooltip("held:Q", format=".4f", title=f"Holds {resource} [units]"),
        alt.Tooltip("gamma:Q", format=".2f", title="Elasticity γ (near 1: a hard task)"),
    ]
    y = alt.Y("start:Q", title=f"{resource} held [units]", scale=alt.Scale(zero=True), axis=_margin())
    colour = alt.Color("part:N", scale=scale, legend=alt.Legend(title=None, orient="top", labelLimit=240))
    layers = [
        _of("parts").mark_bar().encode(x=_agents(), y=y, y2="end:Q", tooltip=tip, color=colour),
        _end("top:Q"),
    ]
    if levelled:
        line = _of("level").encode(y="level:Q")
        said = line.encode(x=alt.value(0), text=alt.value("common level"))
        layers += [
            line.mark_rule(strokeDash=[6, 4], strokeWidth=2, color=INK),
            said.mark_text(align="left", dx=4, dy=-7, color=INK),
        ]
    return _spec(*layers, height=290)


@lru_cache(maxsize=KEPT)
def accuracy_spec(rule: str) -> Spec:
    """How `accuracies` is drawn."""
    colour = palette.RULES[rule].colour
    tip = [
        alt.Tooltip("agent:N", title="Agent"),
        alt.Tooltip("before:Q", format=".4f", title="Accuracy on its own"),
        alt.Tooltip("after:Q", format=".4f", title="Accuracy with its grant"),
        alt.Tooltip("gain:Q", format=".4f", title="Gain"),
    ]
    rows = _of("rows").encode(x=_agents(), tooltip=tip)
    y = alt.Y("before:Q", title="accuracy", scale=alt.Scale(zero=True), axis=_margin())
    return _spec(
        rows.mark_rule(strokeWidth=3, color=colour).encode(y=y, y2="after:Q"),
        rows.mark_point(size=45, color=FAINT, strokeWidth=1.5, opacity=1).encode(y=y),
        rows.mark_point(size=60, filled=True, opacity=1, color=colour).encode(y="after:Q"),
        _end("top:Q"),
        height=210,
    )


@lru_cache(maxsize=KEPT)
def marginal_spec(resource: str, *rules: str) -> Spec:
    """How `marginals` is drawn: filled for those who receive some, hollow for those who receive none."""
    marks = [palette.RULES[rule] for rule in rules]
    legend = alt.Legend(title=None, orient="top")
    scale = alt.Scale(domain=rules, range=[mark.colour for mark in marks])
    shape = alt.Shape("rule:N", scale=alt.Scale(domain=rules, range=[mark.shape for mark in marks]), legend=legend)
    tip = [
        alt.Tooltip("agent:N", title="Agent"),
        alt.Tooltip("rule:N", title="Rule"),
        alt.Tooltip("adds:N", title=f"Its next unit of {resource} adds [accuracy per unit]"),
        alt.Tooltip("price:N", title="Going price [accuracy per unit]"),
        alt.Tooltip("standing:N", title="It"),
    ]
    y = alt.Y(
        "times:Q",
        title="times the going price",
        scale=alt.Scale(type="log", domain=[1 / SPAN, SPAN], nice=False),
        axis=alt.Axis(values=[0.25, 0.5, 1, 2, 4], format="~g", minExtent=EXTENT),
    )
    return _spec(
        _of("price").mark_rule(strokeWidth=2, color=PRICE).encode(y=y),
        _of("price")
        .mark_text(align="left", dx=4, dy=10, color=INK)
        .encode(x=alt.value(0), y=alt.value(0), text="label:N"),
        _of("rows")
        .mark_point(size=75, strokeWidth=2, opacity=1)
        .encode(
            x=_agents(),
            y=y,
            stroke=alt.Stroke("rule:N", scale=scale, legend=legend),
            fill=alt.Fill("rule:N", scale=scale, legend=legend),
            fillOpacity=alt.condition("datum.receives", alt.value(1), alt.value(0)),
            shape=shape,
            tooltip=tip,
        ),
        height=290,
    )


@lru_cache(maxsize=KEPT)
def envy_spec(rule: str) -> Spec:
    """How `envies` is drawn: the darker a cell, the more the agent of the row would gain."""
    colour = palette.RULES[rule].colour
    x = alt.X("envied_rank:N", title="with the grant of", axis=_names())
    y = alt.Y("envious_rank:N", title="would gain", axis=named_axis(labelOverlap=True, labelLimit=80))
    strength = alt.Opacity("gain:Q", scale=alt.Scale(range=[0.0, 1.0], zero=True), legend=None)
    tip = [
        alt.Tooltip("envious:N", title="Agent"),
        alt.Tooltip("envied:N", title="with the grant of"),
        alt.Tooltip("gain:Q", format=".4f", title="would gain [accuracy]"),
    ]
    return _spec(
        _of("axis").mark_point(size=0).encode(x=x, y=y, opacity=alt.Opacity("top:Q")),
        _of("cells").mark_rect(color=colour).encode(x=x, y=y, opacity=strength, tooltip=tip),
        height=440,
    )


def _of(name: str) -> Any:
    return alt.Chart(alt.NamedData(name))


def _names() -> Any:
    return named_axis(labelAngle=-45, labelOverlap=True, labelLimit=80)


def _agents() -> Any:
    return alt.X("rank:N", title=None, axis=_names())


def _margin() -> Any:
    """As wide for every chart, so that agents stand below one another."""
    return alt.Axis(minExtent=EXTENT)


def _end(field: str) -> Any:
    """An unseen mark that carries the scale to its end, so that two pictures share it."""
    return _of("limits").mark_point(opacity=0, size=0).encode(x=alt.value(0), y=field)


def _spec(*layers: Any, height: int) -> Spec:
    spec: Spec = alt.layer(*layers).properties(height=height).to_dict()
    spec.pop("config", None)  # Streamlit's theme is the configuration
    spec["autosize"] = FIT
    return spec
