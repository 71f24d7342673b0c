"""Scenarios beside one another: a dumbbell for each, and how far a metric changes against that of the reference.

As in `comparison`, a picture is a specification that is built once, the table that fills it, and words.

>>> import fairsynergy as fs
>>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.5, 0.3])
>>> solved = {"as it is": fs.allocate(fleet, fs.FairSynergy()), "by hand": fs.allocate(fleet, fs.Given([0.0, 0.5]))}
>>> table = scenarios(solved, "as it is", "mean accuracy")
>>> table[["scenario", "rule", "change_text", "proof"]].to_dict("records")[1]
{'scenario': 'by hand', 'rule': 'my split', 'change_text': '−15.0 %', 'proof': 'baseline'}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from fairsynergy.allocation import Allocation, Status
from fairsynergy.charts import palette
from fairsynergy.charts.comparison import AXIS, FAINT, INK, TEXT, Spec, accuracy_tips, bare, dumbbells, numbered
from fairsynergy.charts.figure import WIDTH, draw
from fairsynergy.charts.figure import Figure as Figure
from fairsynergy.fleets.tray import METRICS, change
from fairsynergy.policies import Given
from fairsynergy.words.phrases import ROUNDING, average, averaged, badge, listed, mean_word, number, proof, signed

TOP = 22  # above the first row, whose text needs all of it [pixels]
ROW = 62  # height of a scenario's row: two lines of text and its dumbbell [pixels]
LINES = (-21, -4)  # where the two lines lie in it, above its middle [pixels]
LOW = 15  # how far below lies the dumbbell [pixels]
LETTERS = 30  # of a name in a picture
OTHER = "another rule"  # without a colour of its own
# Metrics of which less is better, and those that the picture's axis can show.
LESS = frozenset({"Gini index"})
SHOWN = frozenset({"worst accuracy", "mean accuracy", "best accuracy"})
NAMED = 4  # scenarios whose change the words tell one by one


def scenarios(allocations: Mapping[str, Allocation], reference: str, metric: str) -> pd.DataFrame:
    """One row per scenario: its accuracies with and without the cloud, proof, and the metric's change.

    Parameters
    ----------
    allocations : mapping of str to Allocation
        The answers by the scenarios' names, in their order.
    reference : str
        What changes are relative to; without an answer of its own there are none.
    metric : str
        A key of `METRICS`.
    """
    against = allocations.get(reference)
    rows = []
    for name, a in allocations.items():
        before = a.problem.utility(np.zeros_like(a.grant))
        moved = np.nan if against is None else change(a, against, metric)
        moved_text = "" if np.isnan(moved) else signed(moved)
        rows.append(
            {
                "scenario": name,
                "title": _short(name),
                "rule": a.policy.label,
                "drawn": _drawn(a),
                "worst": a.worst,
                "mean": average(a),
                "best": a.best,
                "called": mean_word(a.problem),
                "worst_before": before.min(),
                "mean_before": averaged(a.problem, before),
                "best_before": before.max(),
                "worst_text": number(a.worst),
                "best_text": number(a.best),
                "rule_text": f"{_short(a.policy.label)} · {mean_word(a.problem)} {number(average(a))}",
                "sentence": a.policy.sentence,
                "metric": metric,
                "value": METRICS[metric](a),
                "change": moved,
                "change_text": "reference" if name == reference else moved_text,
                "level": METRICS[metric](a) if name == reference and metric in SHOWN else np.nan,
                "proof": badge(a),
                "meaning": proof(a),
                "sound": a.status is not Status.FAILED,
                "chosen": name == reference,
            }
        )
    ranks = numbered([str(row["scenario"]) for row in rows])
    return pd.DataFrame([row | {"rank": rank} for row, rank in zip(rows, ranks, strict=True)])


def tall(table: pd.DataFrame) -> int:
    """Height of `SCENARIOS` with the table's rows [pixels]."""
    return ROW * len(table) + AXIS + TOP


def scenarios_table(table: pd.DataFrame) -> pd.DataFrame:
    """The table of scenarios for a reader."""
    metric = table.metric.iloc[0]
    titles = {
        "scenario": "Scenario",
        "rule": "Rule",
        "worst": "Worst-off accuracy",
        "mean": "Mean accuracy",
        **({"called": "The mean is the"} if table.called.nunique() > 1 or table.called.iloc[0] != "mean" else {}),
        "best": "Best-off accuracy",
        "value": metric.capitalize(),
        "change": f"Change of {_lower(metric)} against “{_reference(table)}” [%]",
        "proof": "Proof",
        "meaning": "That is",
    }
    if metric in SHOWN:  # it has its column already
        del titles["value"]
    return table[list(titles)].assign(change=100 * table.change).rename(columns=titles)


def describe_scenarios(table: pd.DataFrame) -> str:
    """The table of scenarios as text: which is best by the metric, and how far each is from the reference."""
    metric, reference = table.metric.iloc[0], _reference(table)
    top = leader(table)
    failed = [f"“{name}”" for name in table.scenario[~table.sound]]
    broken = f"{listed(failed)} break{'s' * (len(failed) == 1)} a limit and must not be used." if failed else ""
    if top is None:
        return broken
    if len(table) == 1:
        return f"One scenario, “{top.scenario}”, with a {_lower(metric)} of {number(top.value)}."
    extreme = f"{'lowest' if metric in LESS else 'highest'} {_lower(metric)}"
    said = [f"Of {len(table)} scenarios, “{top.scenario}” has the {extreme}, {number(top.value)}."]
    said += [broken] * bool(broken)
    others = table[~table.chosen & table.sound & table.change.notna()]
    if len(others):
        most = others.loc[others.change.abs().sort_values(ascending=False, kind="stable").index[:NAMED]].sort_index()
        parts = [f"“{row.scenario}” {row.change_text}" for row in most.itertuples()]
        which = "" if len(most) == len(others) else f", the {len(most)} largest changes"
        said.append(f"Against “{reference}”{which}: {listed(parts)}.")
    return " ".join(said)


def leader(table: pd.DataFrame) -> pd.Series[Any] | None:
    """The row that is best by the metric, of those that respect every limit; None if none does."""
    sound = table[table.sound]
    if not len(sound):
        return None
    return sound.loc[sound.value.idxmin() if table.metric.iloc[0] in LESS else sound.value.idxmax()]


def figure(allocations: Mapping[str, Allocation], reference: str, metric: str) -> Figure:
    """The comparison as a picture with its data inside, for a file; parameters as of `scenarios`."""
    table = scenarios(allocations, reference, metric)
    word = "accuracy" if table.best.max() <= 1 + ROUNDING else "utility"
    changes = f"; in percent, how {_lower(metric)} changes against “{_short(_reference(table))}”" * (len(table) > 1)
    chart = _layers(alt.Chart(alt.NamedData("rows"))).properties(width=WIDTH - 60, height=ROW * len(table))
    return draw(
        "Scenarios compared",
        f"Worst-off, mean (large mark) and best-off {word} of each, faintly before the cloud{changes}.",
        describe_scenarios(table),
        chart,
        rows=table,
    )


def _reference(table: pd.DataFrame) -> str:
    """The scenario that the others are compared with; empty where it has no answer."""
    return next(iter(table.scenario[table.chosen]), "")


def _lower(metric: str) -> str:
    """The metric inside a sentence."""
    return metric if metric in LESS else metric.lower()


def _short(name: str) -> str:
    return name if len(name) <= LETTERS else name[: LETTERS - 1].rstrip() + "…"


def _drawn(allocation: Allocation) -> str:
    """The rule of the palette as whose an allocation is drawn."""
    if isinstance(allocation.policy, Given):  # whatever it is called
        return OTHER
    label = allocation.policy.label
    return max((rule for rule in palette.RULES if label.startswith(rule)), key=len, default=OTHER)


def _layers(source: Any) -> Any:
    tip = [
        alt.Tooltip("scenario:N", title="Scenario"),
        alt.Tooltip("rule:N", title="Rule"),
        alt.Tooltip("sentence:N", title="That is"),
        *accuracy_tips(),
        alt.Tooltip("called:N", title="The mean is the"),
        alt.Tooltip("metric:N", title="Compared by"),
        alt.Tooltip("change_text:N", title="Change"),
    ]
    proved = [alt.Tooltip("proof:N", title="Proof"), alt.Tooltip("meaning:N", title="That is")]
    rows = source.encode(
        y=alt.Y("rank:N", axis=None, scale=alt.Scale(paddingInner=0.08, paddingOuter=0.04)),
        tooltip=tip,
    )
    level = rows.transform_filter("isValid(datum.level)").mark_rule(strokeDash=[4, 3], color=FAINT, opacity=0.9)
    level = level.encode(x="level:Q", y=alt.value(0), y2=alt.value("height"))
    text = {"fontSize": TEXT, "color": INK}
    left, right = {"align": "left", "dx": 8}, {"align": "right", "dx": -8}
    start, end = alt.value(0), alt.value("width")
    first, second = LINES
    marks = {
        "colour": alt.Color("drawn:N", scale=_scale("colour"), legend=None),
        "shape": alt.Shape("drawn:N", scale=_scale("shape"), legend=None),
    }
    return alt.layer(
        *dumbbells(rows, low=LOW, **marks, behind=[level]),
        rows.mark_text(**left, dy=first, fontWeight="bold", **text).encode(x=start, text="title:N"),
        rows.mark_text(**right, dy=first, fontWeight="bold", **text).encode(x=end, text="change_text:N"),
        rows.mark_text(**left, dy=second, **text).encode(x=start, text="rule_text:N"),
        rows.mark_text(**right, dy=second, **text).encode(x=end, text="proof:N", tooltip=proved),
    )


def _scale(field: str) -> Any:
    known = palette.RULES | {OTHER: palette.Mark(FAINT, "circle")}
    return alt.Scale(domain=list(known), range=[getattr(mark, field) for mark in known.values()])


SCENARIOS: Spec = bare(_layers(alt.Chart(alt.NamedData("rows"))))
