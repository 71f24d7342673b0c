"""Curves in a CSV table: a row per measurement, with the amounts of the resources and the accuracy they brought.

    curve,labels,trees,accuracy,repeat,point
    forest,20,1,0.41,1,
    forest,20,8,0.55,1,

``accuracy`` is needed; ``curve`` (which curve a row belongs to), ``repeat`` (a number or name of the repetition) and
``point`` (what a row is called) may be there. Every other column is a resource; write its unit into its name if it
has one. A resource whose cells are all empty on the rows of a curve is not part of that curve. Lines that start with #
above the column names say where the numbers come from.

Nothing is repaired. What is not understood is a `ProblemError` that names the file, the row as a spreadsheet numbers
it, and the column. Cells are text or numbers: a formula is neither, and is refused.

>>> table = b"labels;accuracy\\n30;40,5\\n120;56,5\\n480;79,2\\n"
>>> curve = read_curves(table, "drones.csv", accuracy="percent")["drones"]
>>> curve.resources, curve.resource.ravel(), curve.accuracy
(('labels',), array([ 30., 120., 480.]), array([0.405, 0.565, 0.792]))
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal

import numpy as np

from fairsynergy.curves.fitting import unfit_accuracy, unfit_amount
from fairsynergy.errors import ProblemError
from fairsynergy.problem import Array
from fairsynergy.sheets import FORMULA, find_separator, read_rows, read_text, unfit_column, unfit_name

# Columns that are not resources.
CURVE, ACCURACY, REPEAT, POINT = KNOWN = ("curve", "accuracy", "repeat", "point")
EXPECTED = (
    "expected a column accuracy, a column for each resource such as labels, and if wanted curve, repeat and point; a "
    "row per measurement"
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
    """

    name: str
    resources: tuple[str, ...]
    resource: Array
    accuracy: Array
    points: tuple[str, ...]
    source: str


def read_curves(data: bytes, name: str, *, accuracy: Literal["share", "percent"] = "share") -> dict[str, Curve]:
    """The curves of a CSV table by name, in the order of the file.

    Cells may be separated by commas, semicolons or tabs; where it is not commas, decimals may have one.

    Parameters
    ----------
    data : bytes
        The file: text in UTF-8 or, with a byte order mark, in UTF-16.
    name : str
        The file's name, for messages, and for the curve if the table does not name it.
    accuracy : "share" or "percent"
        What the file counts accuracies in.

    Raises
    ------
    ProblemError
        If it is not such a table.
    """
    text, source = _without_source(read_text(data, name, expected=EXPECTED))
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
    number = _number(columns, resources, separator, where)
    shares = _accuracies(columns[ACCURACY], number, accuracy, where)
    names = columns.get(CURVE) or [PurePath(name).stem] * len(rows)
    points = columns.get(POINT) or [""] * len(rows)
    curves = {}
    for curve in dict.fromkeys(names):
        own = [row for row, other in enumerate(names) if other == curve]
        used = [resource for resource in resources if any(columns[resource][row] for row in own)]
        if not used:
            raise ProblemError(f"{name}: the rows of {_short(curve)} have no amount of any resource; {EXPECTED}")
        amounts = [[_amount(columns[resource][row], number, where(row, resource)) for resource in used] for row in own]
        curves[curve] = Curve(
            name=curve,
            resources=tuple(used),
            resource=np.array(amounts),
            accuracy=shares[own],
            points=tuple(points[row] for row in own),
            source=source,
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
    source = " ".join(line.lstrip("#").strip() for line in lines[:start] if line.startswith("#"))
    return "\n" * start + "".join(lines[start:]), source


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
        raise ProblemError(f"{place}: there is no column accuracy among {_listed(header)}; {EXPECTED}")
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


def _number(
    columns: dict[str, list[str]], resources: Sequence[str], separator: str, where: Callable[[int, str], str]
) -> Number:
    """How this file writes numbers: whether 0,5 is 0.5.

    Only where accuracies are written so, because a comma in an amount alone may group thousands.
    """
    numeric = [(row, column) for column in (ACCURACY, *resources) for row in range(len(columns[column]))]
    commas = [(row, column) for row, column in numeric if "," in columns[column][row]]
    decimal = separator != "," and any(column == ACCURACY for _, column in commas)
    if commas and (not decimal or any("." in columns[column][row] for row, column in numeric)):
        row, column = commas[0]
        raise ProblemError(
            f"{where(row, column)}: {_short(columns[column][row])} has a comma; write all decimals with a point, and "
            "nothing between thousands"
        )

    def number(cell: str) -> float:
        if "_" in cell:  # Python would read 1_000
            raise ValueError(cell)
        return float(cell.replace(",", ".") if decimal else cell)

    return number


def _parsed(cell: str, number: Number, place: str) -> float:
    try:
        return number(cell)
    except ValueError:
        pass
    if not cell:
        raise ProblemError(f"{place}: is empty; give a number")
    hint = "; formulas are not computed, save their values" if FORMULA.match(cell) else ""
    if cell.endswith("%"):
        hint = "; leave out the sign, and say that accuracies are in percent"
    raise ProblemError(f"{place}: must be a number such as 0.5, got {_short(cell)}{hint}")


def _amount(cell: str, number: Number, place: str) -> float:
    value = _parsed(cell, number, place)
    if complaint := unfit_amount(value):
        raise ProblemError(f"{place}: {complaint}")
    return value


def _accuracies(cells: Sequence[str], number: Number, counted: str, where: Callable[[int, str], str]) -> Array:
    """(n,) accuracies as shares."""
    values = [_parsed(cell, number, where(row, ACCURACY)) for row, cell in enumerate(cells)]
    if counted == "percent":
        for row, value in enumerate(values):
            if not 0 <= value <= 100:
                raise ProblemError(f"{where(row, ACCURACY)}: must be between 0 and 100 percent, got {value:g}")
        if max(values) <= 1:
            raise ProblemError(
                f"{where(0, ACCURACY)}: no accuracy is above 1, so they seem to be shares; do not say that they are in "
                "percent"
            )
        return np.array(values) / 100
    for row, value in enumerate(values):
        if complaint := unfit_accuracy(value):
            percent = 1 < max(values) <= 100 and min(values) >= 0
            hint = ", or say that they are in percent" if percent and "percent" in complaint else ""
            raise ProblemError(f"{where(row, ACCURACY)}: {complaint}{hint}")
    return np.array(values)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(_short, names[:6])) + (", ..." if len(names) > 6 else "")


def _short(text: str) -> str:
    quoted = repr(text)
    return quoted if len(quoted) <= SHOWN else f"{quoted[: SHOWN - 3]}..."
