"""What the commands share: amounts as they are typed, and how results are printed, for readers and for programs."""

from __future__ import annotations

import argparse
import json
import math
from typing import Any, TypeAlias

from rich import box
from rich.console import Console
from rich.progress import Progress, ProgressColumn
from rich.table import Table

# What `add_subparsers` returns; argparse has no public name for it.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


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
