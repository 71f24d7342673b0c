"""Curves in a CSV table: a row per measurement, with the amounts of the resources and the accuracy they brought.

    curve,labels,trees,accuracy,repeat,point
    forest,20,1,0.41,1,
    forest,20,8,0.55,1,

``accuracy`` is needed; ``curve`` (which curve a row belongs to), ``sd`` (by how much its accuracy scatters when it is
measured again, a standard deviation), ``repeat`` (a number or name of the repetition) and ``point`` (what a row is
called) may be there. Every other column is a resource; write its unit into its name if it has one. A resource whose
cells are all empty on the rows of a curve is not part of that curve. Lines that start with # above the column names say
where the numbers come from; the column names may start so too, as NumPy writes them.

Nothing is repaired. What is not understood is a `ProblemError` that names the file, the row as a spreadsheet numbers
it, and the column. Cells are text or numbers: a formula is neither, and is refused.

>>> table = b"labels;accuracy\\n30;40,5\\n120;56,5\\n480;79,2\\n"
>>> curve = read_curves(table, "drones.csv", accuracy="percent")["drones"]
>>> curve.resources, curve.resource.ravel(), curve.accuracy
(('labels',), array([ 30., 120., 480.]), array([0.405, 0.565, 0.792]))
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal

import numpy as np

from fairsynergy.curves._fitting import exact, unfit_accuracies, unfit_amount
from fairsynergy.errors import ProblemError
from fairsynergy.fleets.tables import (
    FORMULA,
    GROUPED,
    SAY_WHICH,
    Decimal,
    find_separator,
    number_reader,
    read_rows,
    read_text,
    taken,
    unfit_column,
    unfit_name,
)
from fairsynergy.problem import Array

# Columns that are not resources.
CURVE, ACCURACY, SD, REPEAT, POINT = KNOWN = ("curve", "accuracy", "sd", "repeat", "point")
EXPECTED = (
    "expected a column accuracy, a column for each resource such as labels, and if wanted curve, sd, repeat and point; "
    "a row per measurement"
)
# What people call the scatter of accuracies; read as a resource it would be one more elasticity.
SCATTER = re.compile(
    r"(accuracy|acc)?[ _.-]*(sd|std|stdev|stddev|std[ _.-]?err|stderr|sem|se|error|err)[ _.-]*(accuracy|acc)?"
)
MOST = 10_000  # rows of a table; a fit takes a second then
SHOWN = 40  # letters of a cell that a message quotes

Number = Callable[[str], float]


@dataclass(frozen=True, eq=False, kw_only=True)
class Curve:
    """Measurements of one curve, n rows of m resources.

    Parameters
    ----------
    name : str
        What was measured.
    resources : tuple of str
        Names of the m resources.
    resource : (n, m) array
        Amounts, all positive.
    accuracy : (n,) array
        Shares between 0 and 1.
    points : tuple of str
        What each row is called; empty where it has no name.
    source : str
        Where the numbers come from; empty if the file does not say.
    sd : (n,) array or None
        By how much each accuracy scatters when it is measured again, a standard deviation, if the file says so.
    """

    name: str
    resources: tuple[str, ...]
    resource: Array
    accuracy: Array
    points: tuple[str, ...]
    source: str
    sd: Array | None = None


def read_curves(
    source: bytes | str | os.PathLike[str],
    name: str | None = None,
    *,
    accuracy: Literal["share", "percent"] = "share",
    decimal: Decimal | None = None,
) -> dict[str, Curve]:
    """The curves of a CSV table by name, in the order of the file.

    Cells may be separated by commas, semicolons or tabs; where it is not commas, decimals may have one.

    Parameters
    ----------
    source : bytes or path
        The content itself, text in UTF-8 or, with a byte order mark, in UTF-16; or the file that holds it.
    name : str, optional
        The file, as messages should name it, and the curve if the table does not; default the last part of the path.
    accuracy : "share" or "percent"
        What the file counts accuracies in.
    decimal : "point" or "comma", optional
        Which mark stands before decimals; the other is then read where it groups thousands. Needed only where the
        numbers may be read either way, such as 1.000 beside 500, which is refused.

    Raises
    ------
    ProblemError
        If it is not such a table.
    OSError
        If the path cannot be read.
    """
    data, name = taken(source, name, default="the curves")
    text, origin = _without_source(read_text(data, name, expected=EXPECTED))
    separator = find_separator(text)
    header: list[str] = []
    rows: list[list[str]] = []
    places: list[int] = []
    for place, cells in read_rows(text, name, separator):
        if not header:
            header = [cell.strip() for cell in cells]
            _check_header(header, f"{name}, row {place}")
            continue
        if len(rows) == MOST:
            raise ProblemError(f"{name}: there are more than {MOST:,} rows; average some repeats before")
        rows.append(cells)
        places.append(place)
    if not rows:
        raise ProblemError(f"{name} has {'column names but no' if header else 'no'} rows; {EXPECTED}")
    resources = [column for column in header if column not in KNOWN]
    columns = {column: [row[i].strip() for row in rows] for i, column in enumerate(header)}

    def where(row: int, column: str) -> str:
        return f"{name}, row {places[row]}, column {column}"

    _check_texts(columns, where)
    scatters = any(columns.get(SD, ()))
    numeric = {column: columns[column] for column in (ACCURACY, *[SD] * scatters, *resources)}
    number = number_reader(numeric, separator, where, decimal=decimal, fractions=(ACCURACY, SD))
    shares = _accuracies(columns[ACCURACY], number, accuracy, where)
    sd = None
    if scatters:
        sd = np.array([_amount(cell, number, where(row, SD)) for row, cell in enumerate(columns[SD])])
        sd = sd / 100 if accuracy == "percent" else sd
    names = columns.get(CURVE) or [PurePath(name).stem] * len(rows)
    points = columns.get(POINT) or [""] * len(rows)
    curves = {}
    for curve in dict.fromkeys(names):
        own = [row for row, other in enumerate(names) if other == curve]
        used = [resource for resource in resources if any(columns[resource][row] for row in own)]
        if not used:
            raise ProblemError(f"{name}: the rows of {_short(curve)} have no amount of any resource; {EXPECTED}")
        several = len(used) > 1
        amounts = [
            [_amount(columns[resource][row], number, where(row, resource), several=several) for resource in used]
            for row in own
        ]
        curves[curve] = Curve(
            name=curve,
            resources=tuple(used),
            resource=np.array(amounts),
            accuracy=shares[own],
            sd=None if sd is None else sd[own],
            points=tuple(points[row] for row in own),
            source=origin,
        )
    return curves


def read_folder(folder: Path) -> dict[str, Curve]:
    """The curves of all CSV files of a folder by name, files in alphabetical order.

    Raises
    ------
    ProblemError
        If a file is not such a table, or two have a curve of the same name.
    """
    curves: dict[str, Curve] = {}
    for path in sorted(folder.glob("*.csv")):
        found = read_curves(path.read_bytes(), path.name)
        for name in found.keys() & curves.keys():
            raise ProblemError(f"{path.name}: there is another curve {_short(name)} in {folder}; rename one")
        curves |= found
    return curves


def _without_source(text: str) -> tuple[str, str]:
    """The text with empty lines for those above the table, so that rows keep their numbers, and what these said."""
    lines = text.splitlines(keepends=True)
    start = next((i for i, line in enumerate(lines) if line.strip() and not line.startswith("#")), len(lines))
    head = [line.lstrip("#").strip() if line.startswith("#") else "" for line in lines[:start]]
    first = "".join(lines[start : start + 1])
    names = next((i for i in reversed(range(start)) if first and _names_columns(head[i], first)), None)
    source = " ".join(line for i, line in enumerate(head) if line and i != names)
    if names is None:
        return "\n" * start + "".join(lines[start:]), source
    between = "\n" * (start - names - 1)
    return "\n" * names + head[names] + "\n" + between + "".join(lines[start:]), source


def _names_columns(line: str, first: str) -> bool:
    """Whether a line that starts with # holds the column names of a table whose first line is this, of numbers."""
    names, cells = ([cell.strip().strip('"') for cell in each.split(find_separator(each))] for each in (line, first))
    return ACCURACY in names and ACCURACY not in cells and len(names) == len(cells)


def _check_header(header: Sequence[str], place: str) -> None:
    for position, column in enumerate(header, 1):
        if complaint := unfit_column(column):
            raise ProblemError(f"{place}: the name of column {position} {complaint}; {EXPECTED}")
        if FORMULA.match(column):
            raise ProblemError(f"{place}: the name of column {position}, {_short(column)}, looks like a formula")
    twice, count = Counter(header).most_common(1)[0]
    if count > 1:
        raise ProblemError(f"{place}: column {_short(twice)} is there {count} times; keep one of them")
    if ACCURACY not in header:
        near = next((column for column in header if column.lower().startswith(ACCURACY[:3])), None)
        hint = f" (is {_short(near)} meant to be it?)" if near else ""
        if len(header) == 1:
            hint = "; separate cells with commas, semicolons or tabs"
        raise ProblemError(f"{place}: there is no column accuracy among {_listed(header)}{hint}; {EXPECTED}")
    for column in header:
        if column != SD and SCATTER.fullmatch(column.lower()):
            raise ProblemError(
                f"{place}: the column {_short(column)} seems to say how much accuracies scatter, and is no resource; "
                "name it sd if it holds standard deviations, else leave it out"
            )
    if not set(header) - set(KNOWN):
        raise ProblemError(f"{place}: no column is a resource ({_listed(header)}); {EXPECTED}")


def _check_texts(columns: dict[str, list[str]], where: Callable[[int, str], str]) -> None:
    """Refuse names that are not plain text: a curve must have one, a point may."""
    for column in (CURVE, POINT):
        for row, cell in enumerate(columns.get(column, ())):
            if FORMULA.match(cell):
                raise ProblemError(f"{where(row, column)}: {_short(cell)} looks like a formula; write a plain name")
            complaint = unfit_name(cell) if cell or column == CURVE else None
            if complaint:
                raise ProblemError(f"{where(row, column)}: {complaint}")


def _parsed(cell: str, number: Number, place: str, *, percent: bool = False, hint: str = "") -> float:
    try:
        return number(cell)
    except ValueError:
        pass
    if not cell:
        raise ProblemError(f"{place}: is empty; give a number{hint}")
    if FORMULA.match(cell):
        hint = "; formulas are not computed, save their values"
    elif cell.endswith("%"):
        hint = "; leave out the sign, and say that accuracies are in percent" if percent else "; leave out the sign"
    elif any(grouped.fullmatch(cell) for grouped in GROUPED.values()):
        hint = f"; {SAY_WHICH}"
    raise ProblemError(f"{place}: must be a number such as 0.5, got {_short(cell)}{hint}")


def _amount(cell: str, number: Number, place: str, *, several: bool = False) -> float:
    hint = "; if this is no resource, leave the column out" if several else ""
    value = _parsed(cell, number, place, hint=hint)
    if complaint := unfit_amount(value):
        raise ProblemError(f"{place}: {complaint}{hint}")
    return value


def _accuracies(cells: Sequence[str], number: Number, counted: str, where: Callable[[int, str], str]) -> Array:
    """(n,) accuracies as shares."""
    values = [_parsed(cell, number, where(row, ACCURACY), percent=True) for row, cell in enumerate(cells)]
    if counted == "percent":
        for row, value in enumerate(values):
            if not 0 <= value <= 100:
                raise ProblemError(f"{where(row, ACCURACY)}: must be between 0 and 100 percent, got {exact(value)}")
        if max(values) <= 1:
            raise ProblemError(
                f"{where(0, ACCURACY)}: no accuracy is above 1, so they seem to be shares; do not say that they are in "
                "percent"
            )
        return np.array(values) / 100
    if unfit := unfit_accuracies(values, "divide them by 100, or say that they are in percent"):
        row, complaint = unfit
        raise ProblemError(f"{where(row, ACCURACY)}: {complaint}")
    return np.array(values)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(_short, names[:6])) + (", ..." if len(names) > 6 else "")


def _short(text: str) -> str:
    quoted = repr(text)
    return quoted if len(quoted) <= SHOWN else f"{quoted[: SHOWN - 3]}..."
