"""One line of the table, and how two times are taken so that they can be compared."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

BURST_CALLS, BURST_SECONDS = 50, 0.02


class Row(NamedTuple):
    """What was measured, ours, the peer's or the floor's, what was found, and what must be reached ("" for nothing)."""

    what: str
    ours: str
    peer: str
    found: str
    goal: str
    reached: bool

    @property
    def verdict(self) -> str:
        """In the last column."""
        return "" if not self.goal else "reached" if self.reached else "MISSED"


def fastest(*works: Callable[[], Any], repeats: int) -> list[float]:
    """Seconds of the fastest call of each, taken in turns; a turn is a burst, so that caches are warm for all."""
    best = [np.inf] * len(works)
    for _ in range(repeats):
        for i, work in enumerate(works):
            burst = perf_counter()
            for _ in range(BURST_CALLS):
                start = perf_counter()
                work()
                end = perf_counter()
                best[i] = min(best[i], end - start)
                if end - burst > BURST_SECONDS:
                    break
    return best
