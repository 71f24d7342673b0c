"""From the bytes of a CSV or JSON file to cells by column, each of which knows where it stands.

The columns of a fleet: for each resource NAME, ``NAME`` (what the agent owns) and ``gamma_NAME`` (its
elasticity); if wanted ``agent`` (a unique name), ``weight``, ``floor_NAME``, ``ceiling_NAME`` and
``saturation_NAME``, where an empty cell means none. JSON has them as keys, one object per agent.

Nothing is repaired. What is not understood is a `ProblemError` that names the file, the row and the column;
the row as a spreadsheet numbers it in CSV, the place in the list in JSON.

>>> sheet = read_sheet(b"compute;gamma_compute\\n0,1;0,3\\n", "drones.csv")
>>> sheet.resources, sheet.numbers("gamma_compute"), sheet.where(0, "gamma_compute")
(('compute',), array([0.3]), 'drones.csv, row 2, column gamma_compute')
"""

from __future__ import annotations

import codecs
import csv
import difflib
import io
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from fairsynergy.errors import ProblemError
from fairsynergy.problem import Array

# Columns that may be missing or have empty cells, and what that means.
DEFAULTS = {"weight": 1.0, "floor": 0.0, "ceiling": np.inf, "saturation": np.inf}
PREFIXES = ("gamma_", "floor_", "ceiling_", "saturation_")
EXPECTED = (
    "each resource needs two columns, NAME and gamma_NAME (for instance compute and gamma_compute); agent, "
    "weight, floor_NAME, ceiling_NAME and saturation_NAME are optional"
)
SHAPE = 'expected {"capacity": {"compute": 1}, "agents": [{"agent": "a", "compute": 0.1, "gamma_compute": 0.5}, ...]}'
# A bracket and then what JSON may have there, but no row of column names.
JSON = re.compile(r'\s*(\{\s*["}]|\[\s*[\[{"\]])')
# Names of columns may be this long, those of agents so; among more than so many columns, no misspelling is looked for.
LONGEST, LONGEST_NAME, MANY = 100, 200, 50
SAVE_AS = "save the table as CSV (UTF-8), in a spreadsheet with File > Save as"

# UTF-32 first: its mark begins like that of UTF-16.
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)
# Characters that no spreadsheet puts into a text file, and those that no name may hold (a surrogate is half a
# character: JSON can spell it, no file can store it).
BINARY = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

# What a spreadsheet may run as a formula, also in full width, and with apostrophes before it; an apostrophe in front of
# that makes it text, and is all that is ever added or taken away.
FORMULA = re.compile(r"'*\s*[=+\-@\t\r＝＋－＠]")
SHIELDED = re.compile(f"'{FORMULA.pattern}")

# Which mark stands before decimals; the other may then stand between thousands.
Decimal = Literal["point", "comma"]
MARK = {"point": ".", "comma": ","}
OTHER = {".": "comma", ",": "point"}
# What a mark may group into thousands: 1.000 and 12.500.000, but neither 0.500 nor 1.50. What it leaves open whether
# thousands are grouped, and what says that they are not.
GROUPED = {mark: re.compile(rf"[+-]?[1-9]\d{{0,2}}(\{mark}\d{{3}})+") for mark in OTHER}
BELOW_A_THOUSAND, NOT_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}"), re.compile(r"[+-]?\d{4,}")
SAY_WHICH = "say which mark stands before decimals (`decimal`): point or comma"

# (index of an agent, column) to the words for that place in the file.
Where = Callable[[int, str], str]


@dataclass(frozen=True, eq=False, kw_only=True)
class Sheet:
    """A file's cells by column. Made by `read_sheet`.

    Parameters
    ----------
    resources : tuple of str
        Those that the columns name, in their order.
    columns : mapping of str to sequence
        The cells of each column, one per agent: text in CSV, any value in JSON, None where a key is absent.
    number : callable
        A cell to its number; raises ValueError or OverflowError.
    where : callable
        (index of an agent, column) to the words for that place in the file.
    capacity, saturation : mapping of str to float
        What JSON says beside the agents, by resource.
    """

    resources: tuple[str, ...]
    columns: Mapping[str, Sequence[Any]]
    number: Callable[[Any], float]
    where: Where
    capacity: Mapping[str, float]
    saturation: Mapping[str, float]

    def agents(self) -> tuple[str, ...] | None:
        """Names of the agents, or None without such a column.

        Raises
        ------
        ProblemError
            If a name is missing or not plain text.
        """
        names = self.columns.get("agent")
        if names is None:
            return None
        for row, name in enumerate(names):
            complaint = unfit_name(name)
            if complaint:
                raise ProblemError(f"{self.where(row, 'agent')}: {complaint}", field="agents", index=(row,))
        return tuple(names)

    def numbers(self, column: str) -> Array:
        """(n,) numbers of a column, with its default in empty cells where it has one.

        Raises
        ------
        ProblemError
            If a cell is not a number, or is empty and needs one.
        """
        cells = self.columns[column]
        try:
            return np.array([self.number(cell) for cell in cells])
        except (ValueError, OverflowError):  # some cell is empty or wrong: look closer
            kind, _, resource = column.partition("_")
            default = DEFAULTS[kind] if is_optional(column) else None
            if kind == "saturation":
                default = self.saturation.get(resource, default)
            return np.array([self._number(cell, default, row, column) for row, cell in enumerate(cells)])

    def _number(self, cell: Any, default: float | None, row: int, column: str) -> float:
        empty = cell is None or (isinstance(cell, str) and not cell.strip())
        if empty and default is not None:
            return default
        try:
            return self.number(cell)
        except (ValueError, OverflowError):
            got = "is empty; give a number" if empty else f"must be a number such as 0.5, got {_short(cell)}"
            raise ProblemError(f"{self.where(row, column)}: {got}") from None


def read_sheet(data: bytes, name: str, *, decimal: Decimal | None = None) -> Sheet:
    """Take a file apart: JSON if its name or its beginning says so, else CSV.

    CSV may be separated by commas, semicolons or tabs; text may be UTF-8 or, with a byte order mark, UTF-16. `decimal`
    says which mark its decimals have; without it the numbers themselves do, as for `number_reader`.

    Raises
    ------
    ProblemError
        If it is not text, not a table, or its columns are not those of a fleet.
    """
    text = read_text(data, name, expected=f"give a row of column names, then a row per agent: {EXPECTED}")
    is_json = name.lower().endswith(".json") or JSON.match(text) is not None
    return _read_json(text, name) if is_json else _read_csv(text, name, decimal)


def read_text(data: bytes, name: str, *, expected: str) -> str:
    """The text of a file: UTF-8 or, with a byte order mark, UTF-16 or UTF-32.

    Parameters
    ----------
    data : bytes
        The file.
    name : str
        The file, as messages name it.
    expected : str
        What to put into a file that is empty, for the message.

    Raises
    ------
    ProblemError
        If it is not text, or holds nothing but blanks.

    Examples
    --------
    >>> read_text("λ,γ\\n".encode("utf-16"), "drones.csv", expected="give a table")
    'λ,γ\\n'
    """
    if data.startswith(b"PK\x03\x04"):
        raise ProblemError(f"{name} is a workbook or an archive, not text; {SAVE_AS}")
    encoding = next((encoding for mark, encoding in MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        what = f"this is not text in {encoding.upper()} (at byte {error.start + 1})"
        raise ProblemError(f"{name}, row {row}: {what}; {SAVE_AS}") from None
    strange = BINARY.search(text)
    if strange:
        row = text.count("\n", 0, strange.start()) + 1
        raise ProblemError(f"{name}, row {row}: this is not text (it holds {strange.group()!r}); {SAVE_AS}")
    if not text.strip():
        raise ProblemError(f"{name} is empty; {expected}")
    return text


def taken(source: bytes | str | os.PathLike[str], name: str | None, *, default: str) -> tuple[bytes, str]:
    """The bytes of a file and its name for messages, from its path, or from its content and what it is to be called.

    Raises
    ------
    ProblemError
        If it is a text of several lines, which is no path.
    OSError
        If the path cannot be read.

    Examples
    --------
    >>> taken(b"labels,accuracy", None, default="the curves")
    (b'labels,accuracy', 'the curves')
    """
    if isinstance(source, bytes):
        return source, name or default
    if isinstance(source, str) and "\n" in source:
        raise ProblemError(
            f"{name or default}: this is the content of a file, not its path; give it as bytes, .encode()"
        )
    return Path(source).read_bytes(), name or Path(source).name


def find_separator(text: str) -> str:
    """What separates the cells of a CSV text: the first mark that splits the column names, which are at least two.

    >>> find_separator("compute;gamma_compute\\n0,1;0,3\\n")
    ';'
    """
    first = re.split("[\r\n]", text.lstrip(), maxsplit=1)[0]
    return next((mark for mark in ",;\t" if mark in first), ",")


def read_rows(text: str, name: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV text one by one, column names first: the number that a spreadsheet gives it, and its cells.

    Raises
    ------
    ProblemError
        If a row has more or fewer cells than there are columns, or its quotation marks do not match.

    Examples
    --------
    >>> list(read_rows("compute,gamma_compute\\n\\n0.1,0.3\\n", "drones.csv", ","))
    [(1, ['compute', 'gamma_compute']), (3, ['0.1', '0.3'])]
    """
    header: list[str] = []
    number = 0
    try:
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        for number, row in enumerate(lines, 1):
            if not any(map(str.strip, row)):  # spreadsheets leave rows without any content behind
                continue
            header = header or row
            if len(row) != len(header):
                columns = _listed([unshielded(cell.strip()) for cell in header])
                hint = "; commas separate cells, so decimals need a point" if separator == "," else ""
                raise ProblemError(
                    f"{name}, row {number}: there are {len(row)} cells, but {len(header)} columns ({columns}){hint}"
                )
            yield number, row
    except csv.Error as error:
        reason = str(error).expandtabs(1)
        raise ProblemError(f"{name}, row {number + 1}: {reason}; look for a stray quotation mark") from None


def number_reader(
    columns: Mapping[str, Sequence[str]],
    separator: str,
    where: Where,
    *,
    decimal: Decimal | None,
    fractions: Collection[str] = (),
) -> Callable[[str], float]:
    """How the cells of a CSV text become numbers; what it returns raises ValueError for a cell that is none.

    Parameters
    ----------
    columns : mapping of str to sequence of str
        The cells that are numbers, by column.
    separator : str
        What separates cells; where it is a comma, decimals have a point.
    where : callable
        (index of a row, column) to the words for that place in the file.
    decimal : "point", "comma" or None
        Which mark stands before decimals; the other is read where it groups thousands. None: the one that is there,
        and then no mark may group thousands.
    fractions : collection of str
        Columns whose numbers are too small for thousands: shares, percentages, elasticities.

    Raises
    ------
    ProblemError
        Without `decimal`: of both marks, and of a column whose numbers may be read either way, because each that has a
        mark has three digits behind it, as 1.000 has, which is 1 or 1000. It is not open if other numbers of the
        column have four digits and no mark, or if all have the mark and other columns show that it is the decimals'.

    Examples
    --------
    >>> def place(row, column):
    ...     return f"row {row + 2}, column {column}"
    >>> columns = {"labels": ["500", "1.000"]}
    >>> number_reader(columns, ";", place, decimal="comma")("1.000"), number_reader({}, ";", place, decimal=None)("0.5")
    (1000.0, 0.5)
    >>> number_reader(columns, ";", place, decimal=None)
    Traceback (most recent call last):
    ...
    fairsynergy.errors.ProblemError: row 3, column labels: '1.000' is either 1 or 1000; say which mark stands before
    decimals (`decimal`): point or comma
    """
    if decimal is not None:
        return partial(_csv_number, mark=MARK[decimal], between=MARK[OTHER[MARK[decimal]]])
    commas = [(row, column) for column, cells in columns.items() for row, cell in enumerate(cells) if "," in cell]
    points = any("." in cell for cells in columns.values() for cell in cells)
    if commas and (points or separator == ","):
        row, column = commas[0]
        but = ", but other numbers have a point" if points else ""
        raise ProblemError(
            f"{where(row, column)}: {_short(columns[column][row])} has a comma{but}; write all decimals with a point, "
            f"and nothing between thousands, or {SAY_WHICH}",
            field="decimal",
        )
    mark = "," if commas else "."
    if commas or points:
        _refuse_either(columns, mark, where, fractions)
    return partial(_csv_number, mark=mark, between="")


def _refuse_either(columns: Mapping[str, Sequence[str]], mark: str, where: Where, fractions: Collection[str]) -> None:
    """Refuse a column whose numbers with a mark are decimals or thousands, as one likes."""

    def grouped(cell: str) -> bool:
        return GROUPED[mark].fullmatch(cell.strip()) is not None

    decimals = any(
        mark in cell and (column in fractions or not grouped(cell))
        for column, cells in columns.items()
        for cell in cells
    )
    for column, every in columns.items():
        if column in fractions or not all(grouped(cell) for cell in every if mark in cell):
            continue
        cells = {row: cell.strip() for row, cell in enumerate(every) if mark in cell}
        others = [cell.strip() for cell in every if mark not in cell]
        mixed = any(map(BELOW_A_THOUSAND.fullmatch, others))
        no_groups = not cells or any(map(NOT_GROUPED.fullmatch, others)) or (decimals and not mixed)
        if no_groups and not any(cell.count(mark) > 1 for cell in cells.values()):
            continue
        row, cell = max(cells.items(), key=lambda one: one[1].count(mark))
        whole, named = cell.replace(mark, ""), {".": "point", ",": "comma"}[mark]
        either = f"either {_plain(cell.replace(mark, '.'))} or " if cell.count(mark) == 1 else ""
        said = SAY_WHICH
        if decimals:  # the other mark would not read these
            keep = f"say `decimal` {named} if it is the first, and write {whole}" if either else f"write {whole}"
            said = f"elsewhere a {named} stands before decimals: {keep}, with nothing between thousands"
            said += ", if it is the second" * bool(either)
        raise ProblemError(f"{where(row, column)}: {_short(cell)} is {either}{whole}; {said}", field="decimal")


def _plain(cell: str) -> str:
    return repr(float(cell)).removesuffix(".0")


def _csv_number(cell: str, *, mark: str, between: str) -> float:
    if "_" in cell:  # Python would read 1_000
        raise ValueError(cell)
    if between and between in cell:
        whole, decimal, part = cell.strip().partition(mark)
        if not GROUPED[between].fullmatch(whole):
            raise ValueError(cell)
        cell = whole.replace(between, "") + decimal + part
    return float(cell.replace(mark, "."))


def is_resource(column: str) -> bool:
    """Whether a column of this name would be a resource."""
    return column not in ("agent", "weight") and not column.startswith(PREFIXES)


def is_optional(column: str) -> bool:
    """Whether the column's cells may be empty."""
    return column == "weight" or column.startswith(tuple(f"{kind}_" for kind in DEFAULTS if kind != "weight"))


def unfit_name(name: Any) -> str | None:
    """Why this cannot name an agent, or None if it can."""
    if not isinstance(name, str):
        return f"must be a text, got {_short(name)}"
    if not name.strip():
        return "is empty; give it a name"
    if len(name) > LONGEST_NAME:
        return f"has {len(name):,} characters, and a name at most {LONGEST_NAME}; shorten it"
    if UNPRINTABLE.search(name):
        return f"{_short(name)} holds a control character or half a character; write it without"
    return None


def unfit_column(name: str) -> str | None:
    """Why this cannot name a column, or None if it can."""
    if len(name) > LONGEST:
        return f"has {len(name):,} characters; is this the row of column names?"
    return unfit_name(name)


def shielded(text: str) -> str:
    """A text cell as CSV should hold it, so that no spreadsheet runs it as a formula; `unshielded` gives it back.

    >>> [shielded(text) for text in ("drone 1", "=1+1", "-", "'=1", "rock 'n' roll")]
    ['drone 1', "'=1+1", "'-", "''=1", "rock 'n' roll"]
    """
    return f"'{text}" if FORMULA.match(text) else text


def unshielded(text: str) -> str:
    """A text cell as it was before `shielded`.

    >>> [unshielded(text) for text in ("drone 1", "'=1+1", "=1+1", "''=1", "'n'")]
    ['drone 1', '=1+1', '=1+1', "'=1", "'n'"]
    """
    return text[1:] if SHIELDED.match(text) else text


def _read_csv(text: str, name: str, decimal: Decimal | None) -> Sheet:
    separator = find_separator(text)
    header: list[str] = []
    resources: tuple[str, ...] = ()
    rows: list[tuple[str, ...]] = []
    places: list[int] = []
    for number, row in read_rows(text, name, separator):
        if not header:
            header = [unshielded(cell.strip()) for cell in row]
            resources = _resources(header, f"{name}, row {number}")
            continue
        rows.append(tuple(row))  # the garbage collector skips tuples of text, not lists
        places.append(number)
    if not rows:
        raise ProblemError(f"{name} has column names but no agents; add a row per agent")

    def where(agent: int, column: str) -> str:
        return f"{name}, row {places[agent]}, column {column}"

    columns: dict[str, Sequence[str]] = dict(zip(header, zip(*rows, strict=True), strict=True))
    if "agent" in columns:
        columns["agent"] = [unshielded(cell) for cell in columns["agent"]]
    numeric = {column: cells for column, cells in columns.items() if column != "agent"}
    fractions = {column for column in numeric if column.startswith("gamma_")}
    return Sheet(
        resources=resources,
        columns=columns,
        number=number_reader(numeric, separator, where, decimal=decimal, fractions=fractions),
        where=where,
        capacity={},
        saturation={},
    )


def _read_json(text: str, name: str) -> Sheet:
    document = _json_document(text, name)
    if not isinstance(document, dict):
        raise ProblemError(f"{name} must be an object, got {_kind(document)}; {SHAPE}")
    for key in document:
        if key not in ("capacity", "saturation", "agents"):
            raise ProblemError(f"{name}: the key {_short(key)} is not known; {SHAPE}")
    agents = document.get("agents")
    if not isinstance(agents, list) or not agents:
        raise ProblemError(f"{name}: `agents` must be a list with an object per agent; {SHAPE}")
    for row, agent in enumerate(agents):
        if not isinstance(agent, dict):
            raise ProblemError(f"{name}, agents[{row}]: must be an object, got {_kind(agent)}; {SHAPE}")

    header = list(dict.fromkeys(key for agent in agents for key in agent))

    def where(agent: int, column: str) -> str:
        if column not in header:  # saturation_compute stands beside the agents, as saturation: {compute: ...}
            return f"{name}, {column.replace('_', ', ', 1)}"
        return f"{name}, agents[{agent}], {column}"

    resources = _resources(header, f"{name}, agents")
    needed = [column for column in header if not is_optional(column)]
    for row, agent in enumerate(agents):
        for column in needed:
            if column not in agent:
                raise ProblemError(f"{where(row, column)}: is missing; every agent needs it")
    return Sheet(
        resources=resources,
        columns={column: [agent.get(column) for agent in agents] for column in header},
        number=_json_number,
        where=where,
        capacity=_json_amounts(document, "capacity", resources, name),
        saturation=_json_amounts(document, "saturation", resources, name),
    )


def _json_document(text: str, name: str) -> Any:
    def unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
            raise ProblemError(f"{name}: the key {_short(twice)} is twice in one object; keep one of them")
        return found

    try:
        return json.loads(text, object_pairs_hook=unrepeated)
    except ProblemError:
        raise
    except RecursionError:
        raise ProblemError(f"{name}: this is nested too deeply for a fleet; {SHAPE}") from None
    except json.JSONDecodeError as error:
        place = f"row {error.lineno}, character {error.colno}"
        raise ProblemError(f"{name}, {place}: this is not JSON ({error.msg})") from None
    except ValueError as error:  # a whole number of thousands of digits
        raise ProblemError(f"{name}: a number cannot be read ({error})") from None


def _json_number(value: Any) -> float:
    if type(value) not in (int, float):  # True is an int to Python
        raise ValueError(value)
    return float(value)


def _json_amounts(document: Mapping[str, Any], key: str, resources: tuple[str, ...], name: str) -> dict[str, float]:
    given = document.get(key, {})
    if not isinstance(given, dict):
        raise ProblemError(f"{name}, {key}: must be an object, got {_kind(given)}; {SHAPE}", field=key)
    amounts = {}
    for resource, amount in given.items():
        if resource not in resources:
            raise ProblemError(
                f"{name}, {key}: names {_short(resource)}, but the agents have only {_listed(resources)}", field=key
            )
        try:
            amounts[resource] = _json_number(amount)
        except (ValueError, OverflowError):
            message = f"{name}, {key}, {resource}: must be a number, got {_short(amount)}"
            raise ProblemError(message, field=key) from None
    return amounts


def _resources(header: Sequence[str], place: str) -> tuple[str, ...]:
    """Check the column names, and return the resources among them."""
    for position, column in enumerate(header, 1):
        complaint = unfit_column(column)
        if complaint:
            raise ProblemError(f"{place}: the name of column {position} {complaint}; {EXPECTED}")
    twice, count = Counter(header).most_common(1)[0]
    if count > 1:
        raise ProblemError(f"{place}: column {twice!r} is there {count} times; keep one of them")
    known = frozenset(header)
    for column in header:
        prefix = next((prefix for prefix in PREFIXES if column.startswith(prefix)), None)
        if prefix is not None:
            partner, why = column.removeprefix(prefix), "what each agent owns"
        elif is_resource(column):
            partner, why = f"gamma_{column}", "how hard each agent's task is"
        else:
            continue
        if partner not in known:
            raise ProblemError(
                f"{place}: column {column!r} has no column {partner!r} beside it, for {why}"
                f"{_guess(partner, column, header)}; {EXPECTED}"
            )
    resources = tuple(filter(is_resource, header))
    if not resources:
        raise ProblemError(f"{place}: no column is a resource ({_listed(header)}); {EXPECTED}")
    return resources


def _guess(partner: str, column: str, header: Sequence[str]) -> str:
    """What may have been meant: another column for the missing partner, or a column that needs none."""
    if len(header) > MANY:
        return ""
    others = {name.lower(): name for name in header if name != column}
    for wanted, known in ((partner, others), (column, {"agent": "agent", "weight": "weight"})):
        close = difflib.get_close_matches(wanted.lower(), known, n=1, cutoff=0.8)
        if close:
            found = known[close[0]]
            return f" (is {found!r} meant to be it?)" if known is others else f" (is {found!r} meant?)"
    return ""


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")


def _kind(value: Any) -> str:
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
