"""Print one table: `python -m benchmarks [part ...]`, by default of all parts; exit code 1 if a goal is missed."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

from rich.console import Console
from rich.table import Table

PARTS = ("engine", "optimum", "fairness", "dashboard")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("part", nargs="*", choices=[*PARTS, []], help="which to run; default: all")
    chosen = parser.parse_args().part or PARTS
    table = Table("measured", "ours", "peer or floor", "found", "goal", "")
    missed = 0
    for part in chosen:
        for row in import_module(f"benchmarks.{part}").rows():
            mark = "" if not row.goal else "reached" if row.reached else "MISSED"
            missed += not row.reached
            table.add_row(row.what, row.ours, row.peer, row.found, row.goal, mark)
    Console(width=150 if not sys.stdout.isatty() else None).print(table)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
