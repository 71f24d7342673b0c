"""The table of `fairsynergy bench`: runs the parts, prints each row as it is measured, and keeps them in a file.

A part is a module beside this one with a generator `rows()`; the first lines of its section in the file are its own
docstring.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks.row import Row
from fairsynergy.errors import FairSynergyError

# Quick ones first, with how long each takes on two cores.
PARTS = {
    "engine": "20 seconds",
    "fairness": "10 seconds",
    "planning": "20 seconds",
    "collaborative": "10 seconds",
    "experiments": "40 seconds",
    "peers": "1 minute",
    "optimum": "2 minutes",
    "training": "3 minutes, needs PyTorch",
    "dashboard": "4 minutes, needs Linux and Chromium",
}
USUAL = tuple(part for part in PARTS if part not in ("training", "dashboard"))
RECORD = Path(__file__).parents[1] / "docs" / "BENCHMARKS.md"

COLUMNS = {"measured": 8, "ours": 3, "peer or floor": 4, "found": 6, "goal": 3}  # with their relative widths
WIDTH = 165  # where there is no terminal to ask
LIBRARIES = ("numpy", "scipy", "cvxpy", "clarabel", "scs")
# Load, as a fraction of the processors, from which others may have slowed the measurements.
BUSY = 0.25

HOW_TO_READ = """\
Each line is one measurement, made by this machine in this run. *Ours* is fairsynergy. *Peer or floor* is what it is
held against: another solver on the same problem, or the least that the work can take, such as one `np.exp` over the
fleet. The two were timed in turns, so that a busy machine slows both; unless a row says median or slowest, each time is
the fastest of several turns. Absolute times belong to this machine; ratios travel better.

*Found* is the result. Against a peer, "30 x" says that the peer takes 30 times as long as we do; against a floor, that
we take 30 times as long as the floor. A *goal* is a promise of this project, and the last column says whether it was
reached or **MISSED**; a line without a goal reports and promises nothing."""


class Section(NamedTuple):
    """A part, what its docstring says, and its rows."""

    name: str
    text: str
    rows: list[Row]


def run(parts: Sequence[str] = (), out: Path | None = None) -> int:
    """Measure, print and write; return how many goals were missed.

    Parameters
    ----------
    parts : sequence of str
        Which to run; none for the usual ones, all but the dashboard.
    out : Path, optional
        Where to write. By default the record, docs/BENCHMARKS.md, unless some usual part was left out: it stays whole.

    Raises
    ------
    FairSynergyError
        If there is no such part, it needs what is not installed, or the file cannot be written. Nothing is then
        measured or overwritten.
    """
    chosen = tuple(dict.fromkeys(parts)) or USUAL
    for part in chosen:
        if part not in PARTS:
            raise FairSynergyError(f"there is no part {part!r}; choose any of {', '.join(PARTS)}")
    if out is None and set(chosen) >= set(USUAL):
        out = RECORD
    if out is not None:
        _try_to_write(out)
    modules = {part: _loaded(part) for part in chosen}

    console = Console(width=None if sys.stdout.isatty() else WIDTH, markup=False, highlight=False, emoji=False)
    about = machine()
    for name, value in about.items():
        console.print(f"{name}: {value}")
    sections = []
    for part, module in modules.items():
        section = Section(part, (module.__doc__ or "").strip(), [])
        sections.append(section)
        console.print(f"\n{part} (about {PARTS[part]})", style="bold")
        _print(console, (*COLUMNS, ""), style="dim")
        for row in module.rows():
            section.rows.append(row)
            _print(console, _cells(row), style="bold" if row.verdict == "MISSED" else "")

    missed = sum(row.verdict == "MISSED" for section in sections for row in section.rows)
    console.print(f"\n{_conclusion(missed)}")
    if out is None:
        console.print(f"Not written to {RECORD.name}, which holds all of {', '.join(USUAL)}; --out FILE writes these.")
    else:
        try:
            out.write_text(markdown(about, sections), encoding="utf-8")
        except OSError as error:
            raise _unwritable(out, error) from None
        console.print(f"Written to {out}.")
    return missed


def markdown(about: Mapping[str, str], sections: Sequence[Section]) -> str:
    """The same as a document: the machine, how to read a row, and a table per part."""
    missed = sum(row.verdict == "MISSED" for section in sections for row in section.rows)
    lines = ["# Benchmarks", "", "Written by `fairsynergy bench`, which `make bench` calls. " + _conclusion(missed), ""]
    lines += ["## The machine", "", *(f"- {name}: {value}" for name, value in about.items()), ""]
    lines += ["## How to read a row", "", HOW_TO_READ, ""]
    for name, text, rows in sections:
        lines += [f"## {name.capitalize()}", "", text, ""]
        lines += [_line((*COLUMNS, "reached?")), _line(["---"] * (len(COLUMNS) + 1))]
        for row in rows:
            *cells, verdict = (cell.replace("|", "\\|") for cell in _cells(row))
            lines.append(_line((*cells, f"**{verdict}**" if verdict == "MISSED" else verdict)))
        lines.append("")
    return "\n".join(lines)


def machine() -> dict[str, str]:
    """What the numbers depend on, in words."""
    usable, all_of_them = _usable_cores(), os.cpu_count() or 1
    libraries = ", ".join(f"{name} {version(name)}" for name in ("fairsynergy", *LIBRARIES))
    return {
        "Processor": _processor(),
        "Cores": f"{usable}" if usable == all_of_them else f"{usable} of {all_of_them}",
        "Memory": _memory(),
        "Operating system": _system(),
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "Libraries": libraries,
        "Date": datetime.now(UTC).date().isoformat(),
        "Load at the start": _load(usable),
    }


def _usable_cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    models = Path("/proc/cpuinfo")
    if models.exists():
        for line in models.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    if sys.platform == "darwin":
        asked = subprocess.run(
            ["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True, check=False
        )
        if asked.returncode == 0:
            return asked.stdout.strip()
    return platform.processor() or platform.machine() or "unknown"


def _memory() -> str:
    try:
        return f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.1f} GiB"
    except (AttributeError, ValueError, OSError):  # not on Windows
        return "unknown"


def _system() -> str:
    try:
        name = platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        name = f"{platform.system()} {platform.release()}"
    return f"{name}, {platform.machine()}"


def _load(cores: int) -> str:
    if not hasattr(os, "getloadavg"):
        return "unknown"
    load = os.getloadavg()[0]
    text = f"{load:.2f} processes running on average over the last minute"
    if load < BUSY * cores:
        return text
    return f"{text}: the machine was busy, so measure again on a quiet one before quoting absolute times"


def _loaded(part: str) -> ModuleType:
    try:
        return import_module(f"benchmarks.{part}")
    except ModuleNotFoundError as error:
        add = "make training" if error.name == "torch" else "make test once or pip install -e '.[test]'"
        raise FairSynergyError(
            f"the part {part} needs {error.name}, which is not installed; in the checkout, run {add}"
        ) from None


def _try_to_write(out: Path) -> None:
    """Open without changing anything: better refused now than after minutes."""
    absent = not out.exists()
    try:
        out.open("a").close()
        if absent:
            out.unlink()
    except OSError as error:
        raise _unwritable(out, error) from None


def _unwritable(out: Path, error: OSError) -> FairSynergyError:
    return FairSynergyError(f"{out} cannot be written: {error.strerror}; name another file with --out")


def _conclusion(missed: int) -> str:
    return f"{missed} goal{'s' * (missed > 1)} MISSED." if missed else "Every goal was reached."


def _cells(row: Row) -> tuple[str, ...]:
    """The columns; a row that belongs to the one above it begins with spaces, and Markdown would lose them."""
    what = f"– {row.what.strip()}" if row.what.startswith(" ") else row.what
    return (what, row.ours, row.peer, row.found, row.goal, row.verdict)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _print(console: Console, cells: Sequence[str], *, style: str) -> None:
    """One row alone, in columns that are equally wide every time: nobody waits for the last row to see the first."""
    grid = Table.grid(padding=(0, 2, 0, 0), expand=True)
    for share in COLUMNS.values():
        grid.add_column(ratio=share)
    grid.add_column(width=len("reached"))
    grid.add_row(*cells, style=style)
    console.print(grid)
