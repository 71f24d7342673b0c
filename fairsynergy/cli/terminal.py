"""What the commands share: amounts as they are typed, and how results are printed, for readers and for programs."""

from __future__ import annotations

import argparse
import json
import math
import re
import textwrap
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.progress import Progress, ProgressColumn
from rich.table import Table

from fairsynergy.errors import ProblemError

# Between two columns of a table.
GAP = 2
# What `add_subparsers` returns; argparse has no public name for it.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


class Help(argparse.HelpFormatter):
    """Help with paragraphs and lists: each is broken where the terminal ends, items under where their words begin."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(
            line if keep else textwrap.fill(line, width, initial_indent=indent, subsequent_indent=indent + hanging)
            for line, keep, hanging in map(_hanging, _paragraphs(text))
        )


def _paragraphs(text: str) -> list[str]:
    """The lines of a text, those of a paragraph made one; lines that begin with spaces stay apart."""
    lines: list[str] = []
    for line in text.splitlines():
        goes_on = lines and lines[-1] and line and not line.startswith(" ") and not lines[-1].startswith(" ")
        lines[-1:] = [f"{lines[-1]} {line}"] if goes_on else [*lines[-1:], line]
    return lines


def _hanging(line: str) -> tuple[str, bool, str]:
    """A line of a help text, whether it stays as it is, and what the lines it is broken into begin with."""
    item = re.match(r"( +\S+(?: \S+)*  +)(# )?", line)
    if line.endswith("\\") or not line.strip():
        return line, True, ""
    return line, False, " " * len(item[1]) + (item[2] or "") if item else " " * (len(line) - len(line.lstrip()))


def named_amount(text: str) -> tuple[str, float]:
    """Name and amount of an option's NAME=AMOUNT.

    >>> named_amount("compute=0.46")
    ('compute', 0.46)
    """
    name, _, amount = text.rpartition("=")
    try:
        if name.strip():
            return name.strip(), float(amount)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"must be NAME=AMOUNT, such as compute=0.46; got {text!r}")


def add_decimal(command: argparse.ArgumentParser) -> None:
    """Declare the option that says how a CSV file writes numbers."""
    command.add_argument(
        "--decimal",
        choices=("point", "comma"),
        help="which mark stands before the decimals of a CSV file; the other is then read where it groups thousands; "
        "default: what its numbers say",
    )


def with_option(error: ProblemError) -> ProblemError:
    """The refusal of numbers that may be read either way, with the option that says how; any other as it is."""
    if error.field != "decimal":
        return error
    return ProblemError(f"{error}; the option is --decimal point or --decimal comma", field="decimal")


def print_json(document: Any) -> None:
    """Print a document for a program.

    >>> print_json({"gap": float("inf")})
    {
      "gap": null
    }
    """
    print(json.dumps(_finite(document), indent=2, allow_nan=False))


def _finite(value: Any) -> Any:
    """JSON has no infinity: null says that there is no such number."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def progress_bar(*columns: ProgressColumn) -> Progress:
    """A bar of these columns on standard error, gone when the work is done; nothing where nobody watches."""
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def plain_console() -> Console:
    """Standard output that shows every name as it is: no markup, no colours of numbers, no emoji."""
    return Console(markup=False, highlight=False, emoji=False)


def plain_table() -> Table:
    """A table without frames, to be given columns and rows."""
    return Table(box=box.SIMPLE_HEAD, padding=(0, 1), collapse_padding=True, pad_edge=False)


class Column(NamedTuple):
    """Header and cells of a column; numbers end at its right edge, names do not."""

    header: str
    cells: Sequence[str]
    end: bool = True


def width(column: Column) -> int:
    """Of a column whose header may be broken between words, and whose cells may not but where they have lines."""
    lines = [line for cell in column.cells for line in cell.splitlines()]
    return max(map(cell_len, (*column.header.split(), *lines)))


def total_width(columns: Sequence[Column]) -> int:
    """Of a table of these columns in which no cell is broken."""
    return sum(map(width, columns)) + GAP * len(columns)


def print_beside(
    console: Console,
    left: Sequence[Column],
    right: Sequence[Column],
    *,
    last_apart: bool = False,
    squeeze: bool = False,
) -> None:
    """Print columns side by side; where they are too many for the terminal, in several tables that begin alike.

    Parameters
    ----------
    left : sequence of Column
        What each of the tables begins with, names first; they are broken into lines where they take too much.
    right : sequence of Column
        As many a table as there is room for, and at least one.
    last_apart : bool
        Whether the last row is no agent and has a line above it.
    squeeze : bool
        Whether to break names between words if all columns then fit in one table.
    """
    names = left[0]
    words = [word for cell in names.cells for word in cell.split()]
    limit = max(cell_len("agent"), console.width // (1 if squeeze else 3))
    first = min(limit, width(names))
    spare = console.width - total_width([*left, *right]) + width(names)
    if squeeze and spare < first:
        first = max(min(limit, width(Column(names.header, words))), spare)
    widths = [first, *map(width, left[1:])]
    room = console.width - sum(widths) - GAP * len(left)
    waiting = list(right)
    while waiting:
        count = taken = 0
        while count < len(waiting) and (taken + width(waiting[count]) + GAP <= room or not count):
            taken += width(waiting[count]) + GAP
            count += 1
        shown, waiting = [*left, *waiting[:count]], waiting[count:]
        table = plain_table()
        for column, wide in zip(shown, [*widths, *map(width, shown[len(left) :])], strict=True):
            side: Literal["left", "right"] = "right" if column.end else "left"
            table.add_column(column.header, justify=side, vertical="bottom", width=wide, overflow="fold")
        rows = list(zip(*(column.cells for column in shown), strict=True))
        for number, row in enumerate(rows):
            table.add_row(*row, end_section=last_apart and number == len(rows) - 2)
        console.print(table)
