"""`fairsynergy fit | measure`: elasticities of measured accuracies, and the measurements themselves."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Any, Literal

from rich.padding import Padding
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn

import fairsynergy as fs
from fairsynergy.cli.terminal import (
    Column,
    Commands,
    Help,
    add_decimal,
    named_amount,
    plain_console,
    print_beside,
    print_json,
    progress_bar,
    total_width,
    with_option,
)
from fairsynergy.curves import words
from fairsynergy.errors import ProblemError
from fairsynergy.fleets.drawn import ASSETS

FIT = """\
Fit the law U = s · h^γ to measured accuracies U against a resource h, and say with which certainty γ, the elasticity,
is known. FILE.csv is a table with one row per measurement:

  curve,labels,accuracy
  drone,30,0.40
  drone,120,0.57

Every column but curve, accuracy, sd, repeat and point is a resource; only accuracy and one resource are needed. Two
resources are fitted together: U = s · h1^γ1 · h2^γ2. sd is by how much an accuracy scatters when it is measured
again. Without FILE.csv, the curves that come with fairsynergy."""
FIT_EXAMPLES = """\
examples:
  fairsynergy fit drones.csv
  fairsynergy fit drones.csv --percent --scale one --unit labels=60000"""

MEASURE = """\
Measure accuracy against labels and model size on the handwritten digits that come with scikit-learn, several times,
and write a table that fit reads. The same seeds and the same scikit-learn give the same numbers."""


def add(commands: Commands) -> None:
    """Declare the commands."""
    _add_fit(commands)
    _add_measure(commands)


def _add_fit(commands: Commands) -> None:
    fit = commands.add_parser(
        "fit",
        help="find the elasticity γ of measured accuracies, with its interval",
        description=FIT,
        epilog=FIT_EXAMPLES,
        formatter_class=Help,
    )
    fit.add_argument("file", nargs="?", metavar="FILE.csv", help="the table, or - for standard input")
    fit.add_argument("--percent", action="store_true", help="the accuracies of the file are in percent")
    add_decimal(fit)
    fit.add_argument(
        "--scale",
        choices=("free", "one"),
        default="free",
        help="free: s is fitted, and γ is the same in every unit (default); one: s is 1, as in the paper, so accuracy "
        "is 1 at one unit of everything",
    )
    fit.add_argument(
        "--unit",
        type=named_amount,
        action="append",
        default=[],
        metavar="NAME=AMOUNT",
        help="how much of a resource, as the file counts it, is one unit; once per resource; default: 1",
    )
    fit.add_argument("--json", action="store_true", help="print everything as JSON")
    fit.set_defaults(run=_fit)


def _fit(arguments: argparse.Namespace) -> None:
    if arguments.file is None:
        curves = fs.curves.read_folder(ASSETS / "curves")
    else:
        name = "standard input" if arguments.file == "-" else Path(arguments.file).name
        counted: Literal["share", "percent"] = "percent" if arguments.percent else "share"
        try:
            data = sys.stdin.buffer.read() if arguments.file == "-" else Path(arguments.file).read_bytes()
        except OSError as error:
            raise ProblemError(f"{arguments.file} cannot be read: {error.strerror}") from None
        try:
            curves = fs.curves.read_curves(data, name, accuracy=counted, decimal=arguments.decimal)
        except ProblemError as error:
            raise with_option(error) from None
    units = dict(arguments.unit)
    known = {resource for curve in curves.values() for resource in curve.resources}
    for resource in units.keys() - known:
        raise ProblemError(f"--unit names {resource!r}, but the resources are {', '.join(sorted(known))}")
    fits: dict[str, fs.curves.Fit] = {}
    refused: dict[str, ProblemError] = {}
    for curve in curves.values():
        unit = [units.get(resource, 1.0) for resource in curve.resources]
        try:
            fits[curve.name] = fs.curves.fit(
                curve.resource, curve.accuracy, scale=arguments.scale, unit=unit, resources=curve.resources, sd=curve.sd
            )
        except ProblemError as error:
            refused[curve.name] = error
    if not fits:
        name, refusal = next(iter(refused.items()))
        raise ProblemError(f"{name}: {refusal}")
    if arguments.json:
        document = {
            "curves": {name: _fitted(found) for name, found in fits.items()},
            "refused": {name: str(error) for name, error in refused.items()},
        }
        print_json(document)
    else:
        _print_fits(fits, refused)


def _print_fits(fits: Mapping[str, fs.curves.Fit], refused: Mapping[str, ProblemError]) -> None:
    console = plain_console()
    curves: list[str] = []
    columns = ("elasticity", "error", "95 % interval", "R²", "rows")
    cells: dict[str, list[str]] = {header: [] for header in columns}
    shapes: list[str] = []
    for name, found in fits.items():
        for k, resource in enumerate(found.resources):
            low, high = found.interval[k]
            known = (f"{found.standard_error[k]:.4f}", f"{low:.4f} to {high:.4f}") if found.known else ("none", "none")
            explained = f"{found.r_squared:.3f}" if isfinite(found.r_squared) else "none"
            of_all = ("", "") if k else (explained, f"{found.n:,}")
            for header, cell in zip(columns, (f"{found.elasticity[k]:.4f}", *known, *of_all), strict=True):
                cells[header].append(cell)
            curves.append(f"  {resource}" if k else f"{name}\n  {resource}")
            shapes.append("" if k else _best_shape(found))
    left = Column("curve, resource", curves, end=False)
    right, last = [Column(header, column) for header, column in cells.items()], Column("best shape", shapes, end=False)
    shaped = total_width([left, *right, last]) <= console.width  # else the notes below say it
    print_beside(console, [left], [*right, last] if shaped else right, squeeze=True)
    console.print(
        "elasticity: per cent more accuracy for one per cent more of the resource; error: its standard error."
    )
    console.print("R²: share of the variance of the accuracies that the power law explains.")
    if shaped:
        console.print("best shape: by AICc, of three; in brackets by how much its AICc is below that of the power law.")
        if not all(found.comparable for found in fits.values()):
            console.print("too few rows: fewer than 8 different ones (12 with two resources) tell no shapes apart.")
    for name, found in fits.items():
        console.print(f"\n{name}", style="bold")
        said = [words.status(found), *(note.sentence for note in found.notes)]
        console.print(Padding("\n".join(said), (0, 0, 0, 2)))
    for name, refusal in refused.items():
        console.print(f"\n{name} refused: {refusal}")


def _best_shape(found: fs.curves.Fit) -> str:
    if not found.comparable:
        return "too few rows"
    best, law = found.alternatives[0], found.law
    ahead = law.aicc - best.aicc if best is not law else 0.0
    return f"{best.shape.label} ({ahead:.0f})" if ahead else best.shape.label


def _fitted(found: fs.curves.Fit) -> dict[str, Any]:
    """Everything about a fit, for a program; lists are in the order of the resources, or of the rows."""
    return {
        "resources": list(found.resources),
        "elasticity": found.elasticity.tolist(),
        "standard_error": found.standard_error.tolist(),
        "interval": found.interval.tolist(),
        "usable": found.usable,
        "unit": found.unit.tolist(),
        "scale": found.scale,
        "scale_interval": found.scale_interval.tolist(),
        "r_squared": found.r_squared,
        "rows": found.n,
        "status": words.status(found),
        "alternatives": [
            {"shape": one.shape.value, "parameters": dict(one.parameters), "aicc": one.aicc}
            for one in found.alternatives
        ],
        "notes": [{"concern": note.concern.name, "sentence": note.sentence} for note in found.notes],
        "fitted": found.fitted.tolist(),
        "residual": found.residual.tolist(),
    }


def _add_measure(commands: Commands) -> None:
    measuring = commands.add_parser(
        "measure",
        help="measure the shipped curves of digits again (15 seconds; needs fairsynergy[measure])",
        description=MEASURE,
        epilog="example: fairsynergy measure --out digits.csv && fairsynergy fit digits.csv",
    )
    measuring.add_argument(
        "--out", type=Path, default=Path("digits.csv"), metavar="FILE", help="where to write; default: digits.csv"
    )
    measuring.add_argument("--seeds", type=int, default=10, metavar="N", help="how many repeats; default: 10")
    measuring.set_defaults(run=_measure)


def _measure(arguments: argparse.Namespace) -> None:
    from fairsynergy.curves import digits  # measuring is not for those who only fit

    if arguments.seeds < 1:
        raise ProblemError(f"--seeds must be at least 1, got {arguments.seeds}")
    if not arguments.out.parent.is_dir():
        raise ProblemError(f"--out: there is no folder {arguments.out.parent}")
    with progress_bar(TextColumn("measuring"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()) as bar:
        task = bar.add_task("", total=None)
        found = digits.measure(range(arguments.seeds), tell=lambda done, of: bar.update(task, completed=done, total=of))
    try:
        arguments.out.write_text(digits.write(found), encoding="utf-8", newline="\n")
    except OSError as error:
        raise ProblemError(f"{arguments.out} cannot be written: {error.strerror}") from None
    print(f"{arguments.out}: {len(found)} measurements of {len(digits.CURVES)} curves, {arguments.seeds} repeats")
