"""A class at the dashboard: `python benchmarks/load.py --minutes 30`.

Thirty websocket clients, each of which sends what a browser sent, move a slider of Explore every two seconds or so.
After some moves a visitor leaves and another comes, with a fleet that nobody has asked for, so that little is found in
a cache and all memory that a visit leaves behind adds up. Then the same thirty on every page that shows the fleet, and
then more of them on Explore until answers come late: what gives first. Needs Linux and Chromium.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Mapping, Sequence
from itertools import count
from typing import NamedTuple

import numpy as np
from playwright.sync_api import Browser, sync_playwright
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from benchmarks.browser import chromium
from benchmarks.dashboard import DASHBOARD, MB, THINK, VISITORS, Server, Slider, Visitor, served
from fairsynergy.errors import FairSynergyError

PAGES = ("", "allocations", "utility_surfaces", "fairness_tradeoff", "what_if", "prices_and_bids")
SLIDER, STEPS = "capacity_compute", 201  # of a hundredth of a unit, from 0
MOVES = 40  # of a visitor, who then leaves
MINUTE = 60.0
MIXED, CROWDED = 3.0, 2.0  # minutes
CROWDS = (60, 90, 120)


class Update(NamedTuple):
    """One move: on which page, seconds until its last answer, and what went wrong ("" if nothing)."""

    page: str
    seconds: float
    error: str


def recorded(browser: Browser, link: str) -> BackMsg:
    """What a browser on this page sends when the slider is moved."""
    slider = Slider(browser, link, SLIDER, pictures=1)
    slider.press()
    slider.page.close()
    return slider.sent


async def attend(
    server: Server,
    pages: Mapping[str, BackMsg],
    visitors: int,
    minutes: float,
    seeds: count[int],
    *,
    told: bool = False,
) -> list[Update]:
    """What visitors met who came and went for so long; page by page in turn, with fleets of these seeds.

    Parameters
    ----------
    server : Server
        Where.
    pages : mapping of str to BackMsg
        What a browser sent on each page.
    visitors, minutes
        How many at a time, and for how long.
    seeds : iterator of int
        Of the fleets.
    told : bool
        Whether a line is printed every minute.
    """
    updates: list[Update] = []
    end = time.perf_counter() + MINUTE * minutes
    names = list(pages)

    async def visit(number: int) -> None:
        chance = np.random.default_rng(number)
        for turn in count(number):
            page, left = names[turn % len(names)], MOVES
            await asyncio.sleep(chance.uniform(0, THINK))
            try:
                async with connect(f"ws://127.0.0.1:{server.port}/_stcore/stream", max_size=None) as wire:
                    visitor = Visitor(wire, {"seed": str(next(seeds))}, pages[page])
                    await visitor.arrive()
                    while left and time.perf_counter() < end:
                        await asyncio.sleep(chance.uniform(0.5, 1.5) * THINK)
                        start, left = time.perf_counter(), left - 1
                        await visitor.move(SLIDER, int(chance.integers(STEPS)) / 100)
                        updates.append(Update(page, time.perf_counter() - start, ""))
            except (RuntimeError, TimeoutError, OSError, WebSocketException) as error:
                updates.append(Update(page, np.nan, repr(error)))
            if time.perf_counter() >= end:
                return

    async def tell() -> None:
        print("minute   updates   p50 ms   p95 ms   errors   memory MB   processor")
        for minute in count(1):
            seen, cpu, start = len(updates), server.cpu, time.perf_counter()
            await asyncio.sleep(min(MINUTE, max(end - start, 0)))
            now, used = updates[seen:], (server.cpu - cpu) / (time.perf_counter() - start)
            p50, p95 = latencies(now)
            print(
                f"{minute:6d} {len(now):9,d} {p50:8.0f} {p95:8.0f} {errors(now):8d} {server.memory / MB:11.0f}"
                f" {used:10.0%}",
                flush=True,
            )
            if time.perf_counter() >= end - 1:
                return

    async with asyncio.TaskGroup() as tasks:
        for number in range(visitors):
            tasks.create_task(visit(number))
        if told:
            tasks.create_task(tell())
    return updates


def latencies(updates: Sequence[Update]) -> tuple[float, float]:
    """Median and 95 % quantile [milliseconds]."""
    answered = [1e3 * update.seconds for update in updates if not update.error] or [np.nan]
    p50, p95 = np.percentile(answered, (50, 95))
    return float(p50), float(p95)


def errors(updates: Sequence[Update]) -> int:
    return sum(bool(update.error) for update in updates)


def said(what: str, updates: Sequence[Update]) -> str:
    """One line."""
    p50, p95 = latencies(updates)
    first = next((f": {update.error[:200]}" for update in updates if update.error), "")
    return f"{what}: {len(updates):,} updates, p50 {p50:.0f} ms, p95 {p95:.0f} ms, {errors(updates)} errors{first}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="A class at the dashboard.")
    parser.add_argument("--minutes", type=float, default=30, help="of the first part; default 30")
    parser.add_argument("--visitors", type=int, default=VISITORS, help=f"default {VISITORS}")
    asked = parser.parse_args(arguments)
    try:
        path = chromium()
    except FairSynergyError as error:
        sys.exit(f"load: {error}")
    share = min(1.0, asked.minutes / 10)  # a short look is short throughout
    print(f"{os.cpu_count()} processors, load before {os.getloadavg()[0]:.1f}")
    with served(DASHBOARD) as server:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path)
            pages = {page: recorded(browser, server.link(page)) for page in PAGES}
            browser.close()
        seeds, explore = count(1), {"": pages[""]}
        print(f"{asked.visitors} visitors on Explore; {server.memory / MB:.0f} MB before they come")
        updates = asyncio.run(attend(server, explore, asked.visitors, asked.minutes, seeds, told=True))
        print(said(f"{asked.visitors} visitors on Explore, {asked.minutes:g} minutes", updates), flush=True)
        updates = asyncio.run(attend(server, pages, asked.visitors, share * MIXED, seeds))
        for page in pages:
            here = [update for update in updates if update.page == page]
            print(said(f"  {asked.visitors} visitors on all of these pages: {page or 'explore'}", here), flush=True)
        for visitors in CROWDS:
            updates = asyncio.run(attend(server, explore, visitors, share * CROWDED, seeds))
            print(said(f"{visitors} visitors on Explore", updates), flush=True)
        print(f"{server.memory / MB:.0f} MB in the end")
    return 0


if __name__ == "__main__":
    sys.exit(main())
