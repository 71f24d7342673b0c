"""A tray of scenarios as one page to hand out: what was compared, the result, why, what is proved; and the tray itself.

The page runs no script and asks no host for anything. At its end it holds the tray, so that the page can be opened
again where it was made.

>>> from fairsynergy.allocation import allocate
>>> fleet = Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.5, 0.3])
>>> tray = Tray.of(Scenario("as it is", fleet))
>>> page = handout(tray, {"as it is": allocate(fleet, tray.current.policy)}, address=None)
>>> open_tray(page.encode(), name="meeting.html") == tray
True
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from importlib.metadata import version
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import numpy as np
import pandas as pd

from fairsynergy.allocation import Allocation
from fairsynergy.charts import whatif
from fairsynergy.charts.reports.report import page, svg
from fairsynergy.errors import ProblemError
from fairsynergy.fleets.script import python
from fairsynergy.fleets.tables import DEFAULTS
from fairsynergy.fleets.tray import METRICS, PARAMETER, Scenario, Tray, differences, read_tray, to_link, write_tray
from fairsynergy.problem import Array, Problem
from fairsynergy.words import explain
from fairsynergy.words.phrases import (
    at_most,
    average,
    averaged,
    caveats,
    left_over,
    listed,
    mean_word,
    measure,
    number,
    proof,
    signed,
)

LISTED = 200  # agents with a row of their own; of more, the ends
ENDS = 10  # agents from either end
SHARES = {"least": 0, "10 %": 10, "25 %": 25, "median": 50, "75 %": 75, "90 %": 90, "most": 100}
LONGEST_SNIPPET = 20_000  # [letters]; nobody copies more from a page
# Where the tray is in the page, as the template writes it and browsers save it.
BEGIN, END = b'<script type="application/json" id="tray">', b"</script>"


class Cell(NamedTuple):
    """What stands in a table, and whether it is a number."""

    text: str
    number: bool = False


class Table(NamedTuple):
    """What a table is of, its column names, its rows and perhaps a sentence below each."""

    label: str
    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    below: Sequence[str] = ()


def handout(
    tray: Tray,
    allocations: Mapping[str, Allocation],
    *,
    address: str | None,
    metric: str = "mean accuracy",
    made: date | None = None,
) -> str:
    """The tray, its results and their proofs as one self-contained HTML page, with the tray inside.

    Parameters
    ----------
    tray : Tray
        What was compared.
    allocations : mapping of str to Allocation
        The answers by the scenarios' names; a scenario whose rule refused its problem has none.
    address : str or None
        Of the page where scenarios are compared, for links back; None where readers have none.
    metric : str
        A key of `METRICS`: what scenarios are compared by.
    made : date, optional
        The day, if it shall be told.

    Raises
    ------
    ProblemError
        If a name cannot stand in a file, or the address is none.
    """
    if address is not None and not address.startswith(("http://", "https://")):
        raise ProblemError(f"`address` must begin with http:// or https://, got {address[:80]!r}")
    solved = {scenario.name: allocations[scenario.name] for scenario in tray.scenarios if scenario.name in allocations}
    table = whatif.scenarios(solved, tray.reference, metric) if solved else None
    picture = whatif.figure(solved, tray.reference, metric) if solved else None
    letters = None if address is None else to_link(tray)
    return page(
        "handout.html",
        version=version("fairsynergy"),
        made="" if made is None else f"{made.day} {made:%B %Y}",
        title=_title(tray, table, metric),
        words="" if table is None else whatif.describe_scenarios(table),
        count=len(tray.scenarios),
        picture=None if picture is None else {"title": picture.title, "alt": picture.alt, "svg": svg(picture)},
        comparison=_comparison(tray, solved, table, metric),
        address=address,
        link=_link(address, letters),
        scenarios=[
            _scenario(scenario, tray, solved.get(scenario.name), address, letters) | {"id": f"scenario-{k}"}
            for k, scenario in enumerate(tray.scenarios, 1)
        ],
        tray=write_tray(tray).replace("<", "\\u003c"),  # which no text in it can end
    )


def read_handout(data: bytes, *, name: str = "the report") -> Tray:
    """The tray inside a page that `handout` made.

    Parameters
    ----------
    data : bytes
        The page.
    name : str
        The file, as messages should name it.

    Raises
    ------
    ProblemError
        If the page holds no tray, was cut, or its tray is one that `read_tray` refuses.
    """
    _, begin, rest = data.partition(BEGIN)
    held, end, _ = rest.partition(END)
    if not begin:
        raise ProblemError(
            f"{name} holds no scenarios, or was cut before them; choose a report that was downloaded here, or a file "
            "of scenarios"
        )
    if not end:
        raise ProblemError(f"{name} was cut: its scenarios do not end; ask for the whole file")
    return read_tray(held, name=name)


def open_tray(data: bytes, name: str = "the file") -> Tray:
    """The tray of a file, be it a tray or a report with one inside, told apart by what is in it.

    Parameters
    ----------
    data : bytes
        The file's content.
    name : str
        The file, as messages should name it.

    Raises
    ------
    ProblemError
        If there is no tray in it.
    """
    is_page = data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")
    return read_handout(data, name=name) if is_page else read_tray(data, name=name)


def _link(address: str | None, letters: str | None) -> str | None:
    """The address with these letters for its tray, whatever tray it had.

    >>> _link("https://example.org/what_if?rule=NUM&tray=old", "new")
    'https://example.org/what_if?rule=NUM&tray=new'
    """
    if address is None or letters is None:
        return None
    parts = urlsplit(address)
    kept = [(name, value) for name, value in parse_qsl(parts.query) if name != PARAMETER]
    return urlunsplit(parts._replace(query=urlencode([*kept, (PARAMETER, letters)])))


def _title(tray: Tray, table: pd.DataFrame | None, metric: str) -> str:
    """What came out, in a line."""
    if table is None:
        return "Scenarios that no rule divided"
    top = whatif.leader(table)
    if top is None:
        return "Scenarios that break a limit"
    if len(table) == 1:
        return f"{top.scenario}: {metric} {number(top.value)} under {top.rule}"
    extreme = f"the {'lowest' if metric in whatif.LESS else 'highest'} {metric}"
    if not top.chosen:
        against = f", {top.change_text} against “{tray.reference}”" if top.change_text else ""
        return f"“{top.scenario}” has {extreme}: {number(top.value)}{against}"
    return f"“{top.scenario}” still has {extreme}: {number(top.value)}"


def _comparison(tray: Tray, solved: Mapping[str, Allocation], table: pd.DataFrame | None, metric: str) -> Table:
    rows: list[Sequence[Cell]] = []
    changes = {} if table is None else dict(zip(table.scenario, table.change, strict=True))
    extra = [metric] if metric not in whatif.SHOWN else []
    for scenario in tray.scenarios:
        found = solved.get(scenario.name)
        who = [Cell(scenario.name), Cell(scenario.policy.label)]
        if found is None:
            rows.append([*who, *[Cell("–")] * (4 + len(extra)), Cell("its rule does not divide its fleet")])
            continue
        values = [found.worst, average(found), found.best, *(METRICS[name](found) for name in extra)]
        moved = changes[scenario.name]
        told = "reference" if scenario.name == tray.reference else "–" if np.isnan(moved) else signed(moved)
        rows.append([*who, *map(_number, values), Cell(told, True), Cell(proof(found))])
    weighted = any(scenario.problem.weighted for scenario in tray.scenarios)
    mean = "Mean (weighted where agents count differently)" if weighted else "Mean"
    head = ["Scenario", "Rule", "Worst-off", mean, "Best-off", *(name.capitalize() for name in extra)]
    return Table("Scenarios", [*head, f"Change of {metric}", "What is proved"], rows)


def _scenario(
    scenario: Scenario, tray: Tray, found: Allocation | None, address: str | None, letters: str | None
) -> dict[str, Any]:
    """All that the page says about a scenario."""
    problem = scenario.problem
    script = python(scenario)
    selected = None if letters is None else to_link(tray.select(scenario.name))
    content: dict[str, Any] = {
        "name": scenario.name,
        "rule": scenario.policy.label,
        "rule_sentence": scenario.policy.sentence,
        "is_reference": scenario.name == tray.reference,
        "reference": tray.reference,
        "differences": _differences(tray, scenario),
        "fleet": _fleet(problem),
        "cloud": _cloud(problem, found),
        "link": _link(address, selected),
        "snippet": script if len(script) <= LONGEST_SNIPPET else None,
        "solved": found is not None,
    }
    if found is None:
        return content
    return content | {
        "results": _results(found),
        "caveats": caveats({found.policy.label: found}, found.policy.label),
        "tables": _agents(found),
        "many": problem.n > LISTED,
        "n": f"{problem.n:,}",
        "proof": proof(found),
        "residuals": _residuals(found),
    }


def _differences(tray: Tray, scenario: Scenario) -> Table | None:
    found = differences(tray[tray.reference], scenario)
    if not found:
        return None
    someone = any(d.agent for d in found)
    rows = [[Cell(d.what), *[Cell(d.agent or "")] * someone, _side(d.before), _side(d.after)] for d in found]
    head = ["What", *["Agent"] * someone, f"In “{tray.reference}”", "Here"]
    return Table(f"What differs between {tray.reference} and {scenario.name}", head, rows)


def _side(value: str | float | None) -> Cell:
    if isinstance(value, str) or value is None:
        return Cell(value or "–", True)
    return _number(value)


def _fleet(problem: Problem) -> str:
    """The fleet in a few sentences."""
    owns, tasks = [], []
    for k, resource in enumerate(problem.resources):
        own, gamma = problem.endowment[:, k], problem.elasticity[:, k]
        owns.append(f"{_span(own)} {resource}")
        tasks.append(f"{_span(gamma)} in {resource}")
    one = problem.n == 1
    said = [
        f"{problem.n:,} agent{'s' * (not one)}, {'which owns' if one else 'each of which owns'} {listed(owns)}.",
        f"Elasticities (near 0 an easy task, near 1 a hard one): {listed(tasks)}.",
    ]
    levels = np.unique(problem.saturation)
    if len(levels) == 1 and levels[0] < np.inf:
        said.append(f"Holding more than {number(float(levels[0]))} of a resource adds nothing.")
    elif len(levels) > 1:
        said.append("Holding more adds nothing from a level on that differs.")
    locked = (problem.floor == problem.ceiling).any(axis=1)
    counts = {
        "a locked grant": locked,
        "a floor": (problem.floor > 0).any(axis=1) & ~locked,
        "a ceiling": np.isfinite(problem.ceiling).any(axis=1) & ~locked,
    }
    limits = [f"{k:,} {'has' if k == 1 else 'have'} {what}" for what, rows in counts.items() if (k := int(rows.sum()))]
    if limits:
        said.append(f"Of the agents, {listed(limits)}.")
    if problem.weighted:
        said.append(f"Agents count with weights from {_span(problem.weight)}.")
    return " ".join(said)


def _span(values: Array) -> str:
    low, high = number(float(values.min())), number(float(values.max()))
    return low if low == high else f"{low} to {high}"


def _cloud(problem: Problem, found: Allocation | None) -> Table:
    head = ["Resource", "The cloud has"]
    if found is not None:
        head += ["Granted", "Left over"]
    rows = []
    for k, resource in enumerate(problem.resources):
        values = [problem.capacity[k]]
        if found is not None:
            values += [found.grant[:, k].sum(), left_over(found)[k]]
        rows.append([Cell(resource), *(_number(float(value)) for value in values)])
    return Table("What the cloud shares, in units of each resource", head, rows)


def _results(found: Allocation) -> str:
    before = found.problem.utility(np.zeros_like(found.grant))
    moves = [
        f"{mean_word(found.problem)} {measure({'': found})} {_move(averaged(found.problem, before), average(found))}",
        f"that of the worst-off agent {_move(before.min(), found.worst)}",
        f"that of the best-off agent {_move(before.max(), found.best)}",
    ]
    return f"With the cloud, {listed(moves)}. {explain.prices(found)} {explain.exchanges(found)}"


def _move(before: float, after: float) -> str:
    start, end = number(float(before)), number(after)
    return f"stays at {end}" if start == end else f"goes from {start} to {end}"


def _agents(found: Allocation) -> list[Table]:
    """Every agent with the reason for what it gets; of many, how they are spread and those at both ends."""
    problem = found.problem
    before = problem.utility(np.zeros_like(found.grant))
    columns: dict[str, Array] = {
        "Accuracy before": before,
        "Accuracy after": found.utility,
        "Gain": found.utility - before,
    }
    for k, resource in enumerate(problem.resources):
        columns[f"Own {resource}"] = problem.endowment[:, k]
        columns[f"Granted {resource}"] = found.grant[:, k]
        columns[f"γ in {resource}"] = problem.elasticity[:, k]
        for limit in ("floor", "ceiling"):
            values = getattr(problem, limit)[:, k]
            if (values != DEFAULTS[limit]).any():
                columns[f"{limit.capitalize()} of {resource}"] = values
    if problem.weighted:
        columns["Weight"] = problem.weight

    def table(label: str, places: Iterable[int]) -> Table:
        chosen = list(places)
        rows = [[Cell(problem.agents[i]), *(_number(float(values[i])) for values in columns.values())] for i in chosen]
        return Table(label, ["Agent", *columns], rows, explain.why(found, agents=chosen))

    if problem.n <= LISTED:
        return [table("Agents", range(problem.n))]
    spread = [
        [Cell(name), *(_number(float(np.percentile(values, share))) for share in SHARES.values())]
        for name, values in columns.items()
        if np.isfinite(values).all()
    ]
    order = np.argsort(found.utility, kind="stable").tolist()
    return [
        Table("How the agents are spread", ["Of all agents", *SHARES], spread),
        table(f"The {ENDS} worst-off agents", order[:ENDS]),
        table(f"The {ENDS} best-off agents", order[: -ENDS - 1 : -1]),
    ]


def _residuals(found: Allocation) -> Table:
    proved = found.certificate
    told: dict[str, str] = {
        "Checked for": proved.objective,
        "Most overspent, as a share of a capacity": _residual(proved.budget),
        "Most beyond a floor or ceiling, as a share of that limit": _residual(proved.nonnegativity),
        "Furthest from the price (0: no exchange helps)": _residual(proved.stationarity),
        "Most unspent of what has a price, as a share": _residual(proved.complementarity),
        "Total accuracy, by weight": _number(found.total).text,
        "Proved: no division's total exceeds": "no bound is known" if found.upper_bound is None else
        _number(found.upper_bound).text,
        "So at most this share of the best total is missing": "not known" if found.gap is None else at_most(found.gap),
    }  # fmt: skip
    if proved.own_gap is not None and proved.own_gap != found.gap:
        told["At most this share of what the rule aims at is missing"] = at_most(proved.own_gap)
    return Table("What is proved", ["Check", "Result"], [[Cell(what), Cell(text)] for what, text in told.items()])


def _residual(share: float) -> str:
    return "0" if share == 0 else f"{share:.1e}"


def _number(value: float) -> Cell:
    """An amount or an accuracy with four decimals, fewer where it is large, three digits where it is tiny.

    >>> [_number(value).text for value in (0.25, 0.00002, 0, 12345.678, np.inf)]
    ['0.2500', '2e-05', '0', '12,345.7', 'no limit']
    """
    if not np.isfinite(value):
        return Cell("no limit", True)
    size = abs(value)
    form = ".4f" if 1e-3 <= size < 100 else ",.1f" if 100 <= size < 1e9 else ".3g"
    return Cell("0" if value == 0 else f"{value:{form}}", True)
