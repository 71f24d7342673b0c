"""Visitors take turns: pages are computed one after the other, since one interpreter computes one at a time anyway.

Thirty pages at once each take thirty times as long, and more, for the interpreter changes between them two hundred
times a second. In turns the last waits as long as that, and on average a visitor half as long. Whoever takes longer
than a lease keeps computing, but not alone any more: a search of a minute holds nobody up for a minute.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, Lock
from time import monotonic

LEASE = 0.2  # seconds; most pages take less


class Turns:
    """Turns of threads, in the order in which they ask.

    Parameters
    ----------
    lease : float
        Seconds until a turn is over, whether or not its thread is done.
    """

    def __init__(self, lease: float = LEASE) -> None:
        self.lease = lease
        self._lock = Lock()
        self._waiting: deque[Condition] = deque()  # each waits for itself, so that only the first is woken
        self._whose: Condition | None = None
        self._over = 0.0  # when the present turn is over at the latest; monotonic

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for one's turn, and have it.

        >>> turns = Turns()
        >>> with turns.turn():
        ...     print("mine")
        mine
        """
        with self._lock:
            mine = Condition(self._lock)
            self._waiting.append(mine)
            try:
                while self._waiting[0] is not mine:
                    mine.wait()
                while (left := self._over - monotonic()) > 0:
                    mine.wait(left)
            finally:
                self._waiting.remove(mine)
                self._wake()
            self._whose, self._over = mine, monotonic() + self.lease
        try:
            yield
        finally:
            with self._lock:
                if self._whose is mine:
                    self._over = 0.0
                    self._wake()

    def _wake(self) -> None:
        if self._waiting:
            self._waiting[0].notify()
