"""Threads that take turns: one at a time, nobody for longer than a lease, and none is left waiting."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from fairsynergy.ui.turns import Turns

LONG = 60.0  # seconds, so that no lease ends within a test


def test_one_at_a_time() -> None:
    turns, inside, most = Turns(LONG), [0], [0]

    def work(_: int) -> None:
        with turns.turn():
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            time.sleep(0.002)
            inside[0] -= 1

    with ThreadPoolExecutor(10) as threads:
        list(threads.map(work, range(50)))
    assert most == [1]


def test_first_come_first_served() -> None:
    turns, served = Turns(LONG), list[int]()

    def work(number: int) -> None:
        with turns.turn():
            served.append(number)

    with ThreadPoolExecutor(10) as threads, turns.turn():
        for number in range(10):
            threads.submit(work, number)
            while len(turns._waiting) <= number:
                time.sleep(0.001)
    assert served == list(range(10))


def test_a_turn_is_over_after_its_lease() -> None:
    turns, started, done = Turns(0.05), threading.Event(), threading.Event()

    def search() -> None:
        with turns.turn():
            started.set()
            done.wait(LONG)

    searching = threading.Thread(target=search)
    searching.start()
    started.wait(LONG)
    for _ in range(3):
        with turns.turn():
            assert searching.is_alive()
    turns.lease = LONG

    def take() -> None:
        with turns.turn():
            pass

    with ThreadPoolExecutor(1) as other:
        with turns.turn():
            done.set()
            searching.join(LONG)  # its turn was over long ago, and so it ends nobody else's
            waiting = other.submit(take)
            with pytest.raises(TimeoutError):
                waiting.result(0.1)
        waiting.result(LONG)


def test_what_fails_ends_its_turn() -> None:
    turns = Turns(LONG)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), turns.turn():
            raise ZeroDivisionError
