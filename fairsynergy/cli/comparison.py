"""How `solve` prints what the rules do: a line per rule, and who gets what, on terminals of any width."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from rich.console import Console

import fairsynergy as fs
from fairsynergy.cli.terminal import Column, plain_console, print_beside, total_width
from fairsynergy.errors import FairSynergyError
from fairsynergy.words.phrases import (
    IN_UNITS,
    UNSPENT,
    badge,
    counted_in_units,
    duration,
    headline,
    listed,
    measure,
    proof,
    unspent,
)

REFERENCE = "Uniform"
ALL = -1  # agents to show
# Decimals of amounts, of which the largest of a table then has this many digits.
DIGITS = 4


def print_comparison(
    name: str,
    problem: fs.Problem,
    solved: Mapping[str, fs.Allocation],
    refused: Mapping[str, FairSynergyError],
    reference: fs.Allocation,
    agents: int,
) -> None:
    """Print the answer, a line per rule, who gets what, and what the words and numbers mean.

    Parameters
    ----------
    name : str
        The file.
    solved, refused : mapping
        What each rule found, or why it refused, by its label.
    reference : Allocation
        What means are compared with.
    agents : int
        How many agents to show, or `ALL`.
    """
    console = plain_console()
    word = measure({**solved, REFERENCE: reference})
    cloud = " and ".join(_units(*each) for each in zip(problem.capacity.tolist(), problem.resources, strict=True))
    console.print(f"{name}: {problem.n:,} agent{'s' * (problem.n > 1)}; the cloud shares {cloud}.")
    if problem.weighted:
        least, most = (_amount(each) for each in (problem.weight.min(), problem.weight.max()))
        console.print(f"Agents do not count the same: their weights go from {least} to {most}.")
    console.print(headline(solved, next(iter(solved))))
    timed = _print_rules(console, problem, solved, refused, reference)
    if agents:
        _print_agents(console, problem, solved, word, problem.n if agents == ALL else agents)
    _print_legend(console, problem, solved, refused, reference, word, timed)


def _print_rules(
    console: Console,
    problem: fs.Problem,
    solved: Mapping[str, fs.Allocation],
    refused: Mapping[str, FairSynergyError],
    reference: fs.Allocation,
) -> bool:
    """A line per rule; returns whether there was room for the times."""
    before = problem.utility(np.zeros((problem.n, problem.m)))
    means = {"mean": (float(before.mean()), *(each.mean for each in solved.values()))}
    if problem.weighted:
        counted = float(problem.weight @ before / problem.weight.sum())
        means["weighted mean"] = (counted, *(each.weighted_mean for each in solved.values()))
    columns = {
        "worst": (float(before.min()), *(each.worst for each in solved.values())),
        **means,
        "best": (float(before.max()), *(each.best for each in solved.values())),
    }
    none = [""] * len(refused)
    cells = {header: [*map(figure, values), *none] for header, values in columns.items()}
    changes = (over(mean, reference) for mean in columns["mean"])
    signed = ["" if change is None else f"{round(100 * change, 1) + 0.0:+.1f} %" for change in changes]  # no minus zero
    cells[f"mean vs {REFERENCE}"] = [*signed, *none]
    rules = ["(no cloud)", *solved, *refused]
    proofs = ["", *map(badge, solved.values()), *["refused"] * len(refused)]
    times = ["", *(duration(each.seconds) for each in solved.values()), *none]
    left = Column("rule", rules, end=False)
    right = [*(Column(header, column) for header, column in cells.items()), Column("proof", proofs, end=False)]
    timed = total_width([left, *right, Column("time", times)]) <= console.width  # else the first to be done without
    print_beside(console, [left], [*right, Column("time", times)] if timed else right, squeeze=True)
    return timed


def _print_agents(
    console: Console, problem: fs.Problem, solved: Mapping[str, fs.Allocation], word: str, most: int
) -> None:
    """Grants and accuracies of the first agents, in a table per resource and one for the accuracies."""
    shown = problem.agents[:most]
    for k, resource in enumerate(problem.resources):
        capacity = float(problem.capacity[k])
        some = [problem.endowment[: len(shown), k], *(each.grant[: len(shown), k] for each in solved.values())]
        largest = max(float(each.max()) for each in some)

        def figures(values: Iterable[float], largest: float = largest) -> list[str]:
            return [_figure(float(value), largest) for value in values]

        left = [Column("agent", [*shown, "left over"], end=False)]
        left.append(Column("own", [*figures(problem.endowment[: len(shown), k]), ""]))
        limits = [_limit(problem, i, k) for i in range(len(shown))]
        if any(limits):
            left.append(Column("limits", [*limits, ""]))
        right = []
        for rule, answer in solved.items():
            unspent = float(answer.unspent[k])
            rest = unspent if unspent > UNSPENT * capacity else 0.0
            right.append(Column(rule, [*figures(answer.grant[: len(shown), k]), *figures([rest])]))
        console.print(
            f"Who gets what of the cloud's {_units(capacity, resource)}, on top of their own{_enough(problem, k)}:"
        )
        print_beside(console, left, right, last_apart=True)
    left = [Column("agent", list(shown), end=False)]
    if problem.weighted:
        left.append(Column("weight", [_amount(weight) for weight in problem.weight[: len(shown)]]))
    left.append(Column("(no cloud)", [figure(u) for u in problem.utility(np.zeros((problem.n, problem.m)))[:most]]))
    right = [Column(rule, [figure(u) for u in answer.utility[:most]]) for rule, answer in solved.items()]
    console.print(f"The {word} that each agent then reaches:")
    print_beside(console, left, right)
    if (hidden := problem.n - len(shown)) > 0:
        console.print(
            f"{hidden:,} more agent{'s are' if hidden > 1 else ' is'} not shown; --agents all shows everyone, --json "
            "gives every digit."
        )


def _print_legend(
    console: Console,
    problem: fs.Problem,
    solved: Mapping[str, fs.Allocation],
    refused: Mapping[str, FairSynergyError],
    reference: fs.Allocation,
    word: str,
    timed: bool,
) -> None:
    console.print(f"worst, mean, best: {word} of the worst-off agent, on average, and of the best-off agent.")
    if problem.weighted:
        console.print(
            "weighted mean: the average in which each agent counts by its weight; optimality is proved of what counts "
            "weights, so another rule may have a higher mean."
        )
    if np.isfinite(reference.mean):
        console.print(f"mean vs {REFERENCE}: the mean relative to {REFERENCE}'s, {figure(reference.mean)}.")
    for mark, sentence in {badge(answer): proof(answer) for answer in solved.values()}.items():
        console.print(f"{mark}: {sentence.partition(': ')[2]}")
    if timed:
        console.print("time: one run on this machine, without the check that the proof needs.")
    why: dict[str, list[str]] = {}
    for rule, answer in solved.items():
        for note in unspent(answer, rule):
            why.setdefault(note, []).append(rule)
    for note, rules in why.items():
        console.print(f"{listed(rules)}: {note}")
    for rule, error in refused.items():
        console.print(f"{rule} refused: {error}")
    if word != "accuracy":
        advice = "--saturation 1 keeps them below" if counted_in_units(problem) else IN_UNITS
        console.print(f"Some utilities exceed 1, so they are no accuracies; {advice}.")


def figure(value: float) -> str:
    """An accuracy, with four decimals."""
    return f"{value:.4f}" if value < 1e4 else f"{value:.3e}"


def over(mean: float, reference: fs.Allocation) -> float | None:
    """How far a mean exceeds the reference's, relatively; None where that is 0 or no number."""
    return mean / reference.mean - 1 if 0 < reference.mean < np.inf else None


def _amount(value: float) -> str:
    """An amount as it was given.

    >>> _amount(1.0), _amount(0.46), _amount(1234560.0), _amount(1e300)
    ('1', '0.46', '1,234,560', '1e+300')
    """
    return f"{value:,.12g}"


def _units(value: float, resource: str) -> str:
    return f"{_amount(value)} unit{'s' * (value != 1)} of {resource}"


def _figure(value: float, largest: float) -> str:
    """An amount beside others of which this is the largest.

    >>> _figure(0.12345, 1.0), _figure(123.456, 500.0), _figure(0.0, 1.0), _figure(2e-10, 1e-9), _figure(3e7, 1e9)
    ('0.1235', '123.5', '0', '2.00e-10', '3.00e+07')
    """
    if value == 0:
        return "0"
    if not 1e-3 <= largest < 1e6:
        return f"{value:.2e}"
    decimals = max(0, DIGITS - max(0, int(np.floor(np.log10(largest)))) - (largest >= 10))
    return f"{value:,.{decimals}f}"


def _enough(problem: fs.Problem, k: int) -> str:
    """From which holding on more of a resource adds nothing, where there is such."""
    saturation = problem.saturation[:, k]
    if not np.isfinite(saturation).any():
        return ""
    if np.ptp(saturation) == 0:
        return f"; beyond a holding of {_amount(float(saturation[0]))} more adds nothing"
    return "; beyond its saturation in the file, more adds nothing to an agent"


def _limit(problem: fs.Problem, i: int, k: int) -> str:
    """The least and the largest grant of an agent, where there are such."""
    floor, ceiling = float(problem.floor[i, k]), float(problem.ceiling[i, k])
    least, most = f"{floor:.4g}", f"{ceiling:.4g}"
    if floor > 0 and ceiling < np.inf:
        return f"{least} to {most}" if floor < ceiling else f"= {most}"
    if floor > 0:
        return f"≥ {least}"
    return f"≤ {most}" if ceiling < np.inf else ""
