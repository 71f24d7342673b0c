"""The paper's experiments in full, as `fairsynergy reproduce` runs them, in one process.

What the released code takes is what its notebook shows, measured by its authors on their machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter

from benchmarks.row import Row
from fairsynergy.experiments import FIGURES, reproduce

# Goals in seconds, and what the released code takes where that is told.
GOALS = {"rti-scaling": (0.3, "25 min 58 s (released notebook)"), "fig4": (2.0, ""), "fig5": (20.0, "")}
REPEATS = 3


def rows() -> Iterator[Row]:
    """Seconds of each, the fastest of several runs."""
    for name, (goal, released) in GOALS.items():
        seconds = min(timed(name) for _ in range(REPEATS))
        yield Row(
            f"{FIGURES[name].title}: all of it", f"{seconds:.2f} s", released, f"{seconds:.2f} s",
            f"at most {goal:g} s", seconds <= goal,
        )  # fmt: skip


def timed(name: str) -> float:
    start = perf_counter()
    reproduce(name)
    return perf_counter() - start
