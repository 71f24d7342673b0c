"""The edge oracle: one edge shared among its devices at the lowest worst cost, exactly.

Fixed costs are drawn from U(0.05, 1), falling ones from U(0.05, 3), a quarter of these four times as large. Bisection
is timed against greedy, which is exact too, and judged by every split of small edges and by greedy on larger ones;
beside it Algorithm 1 of FOCI in both readings. A simulator asks for all of its edges in every slot: 11 edges and 240
devices a city, at once or one edge after the other. A city-hour is 240 decisions of 240 devices, with everything that
follows from them; policies live through the same one in turns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from time import perf_counter

import numpy as np

from benchmarks.row import Row
from fairsynergy.collaborative import Edge, algorithm_1, bisection, brute_force, draw_city, greedy, rollout, shares
from fairsynergy.experiments.cities import UNLEARNED, read_policies
from fairsynergy.fleets.drawn import ASSETS

SIZES = ((5, 24), (20, 24), (100, 400), (1000, 1200), (1000, 4000))
SMALL, LARGER = 4000, 50
EDGES, DEVICES, MULTIPROCESSORS = 11, 240, 24
CALLS = 200
# Seconds for the largest of the sizes, and for a city-hour of a learned policy.
EXACT, HOUR = 1e-3, 0.3
HOURS = 5


def drawn(rng: np.random.Generator, n: int, multiprocessors: int) -> Edge:
    falling = rng.uniform(0.05, 3, n) * np.where(rng.random(n) < 0.25, 4, 1)
    return Edge(fixed=rng.uniform(0.05, 1, n), falling=falling, multiprocessors=multiprocessors)


def small_edges(count: int) -> list[Edge]:
    """2 to 6 devices and at most 24 multiprocessors; edges of one size after another, as brute force likes them."""
    rng = np.random.default_rng(3)
    sizes = sorted((n, int(rng.integers(n, 25))) for n in rng.integers(2, 7, count).tolist())
    return [drawn(rng, n, multiprocessors) for n, multiprocessors in sizes]


def median(work: Callable[[], object], calls: int = CALLS) -> float:
    """Seconds of the middle one of some calls."""
    took = []
    for _ in range(calls):
        start = perf_counter()
        work()
        took.append(perf_counter() - start)
    return float(np.median(took))


def speed() -> Iterator[Row]:
    rng = np.random.default_rng(4)
    for n, multiprocessors in SIZES:
        edge = drawn(rng, n, multiprocessors)
        ours, theirs, paper = (median(partial(rule, edge)) for rule in (bisection, greedy, algorithm_1))
        largest = (n, multiprocessors) == SIZES[-1]
        yield Row(
            f"exact by bisection, {n:,} devices, {multiprocessors:,} SMs, against greedy",
            f"median {ours * 1e3:.2f} ms", f"{theirs * 1e3:.2f} ms",
            f"{theirs / ours:.1f} x; Algorithm 1 takes {paper * 1e3:.2f} ms",
            f"at most {EXACT * 1e3:g} ms" if largest else "", ours <= EXACT or not largest,
        )  # fmt: skip


def exactness() -> Iterator[Row]:
    edges = small_edges(SMALL)
    best = [brute_force(edge).worst for edge in edges]
    yield compared(f"{SMALL:,} edges of 2 to 6 devices and up to 24 SMs, every split tried", edges, best)
    rng = np.random.default_rng(5)
    for n, multiprocessors in SIZES[1:]:
        edges = [drawn(rng, n, multiprocessors) for _ in range(LARGER)]
        proved = all(bisection(edge).optimal for edge in edges)
        what = f"{LARGER} edges of {n:,} devices and {multiprocessors:,} SMs, {'' if proved else 'NOT '}all proved"
        yield compared(what, edges, [greedy(edge).worst for edge in edges])


def compared(what: str, edges: list[Edge], best: list[float]) -> Row:
    """How often the exact oracle misses what it is referred to, and Algorithm 1 as printed the exact oracle."""
    exact = [bisection(edge) for edge in edges]
    missed = sum(found.worst > lowest for found, lowest in zip(exact, best, strict=True))
    intended = sum(algorithm_1(edge).worst > lowest for edge, lowest in zip(edges, best, strict=True))
    above = np.array([
        algorithm_1(edge, reading="printed").above(found) for edge, found in zip(edges, exact, strict=True)
    ])  # fmt: skip
    wrong = above > 0
    return Row(
        what, f"{missed} above", f"intended {intended} above",
        f"printed {wrong.mean():.0%} above, then by {above[wrong].mean():.0%} on average, {above.max():.0%} at most",
        "0 above", missed == 0,
    )  # fmt: skip


def slots() -> Iterator[Row]:
    rng = np.random.default_rng(6)
    for cities in (1, 2, 8):
        n, edges = cities * DEVICES, cities * EDGES
        connected, fixed = rng.integers(0, edges, n), rng.uniform(0.05, 1, n)
        falling = rng.uniform(0.05, 3, n)
        together = partial(
            shares, edge=connected, fixed=fixed, falling=falling, multiprocessors=MULTIPROCESSORS, edges=edges
        )

        def apart(connected=connected, fixed=fixed, falling=falling, edges=edges) -> None:
            for label in range(edges):
                here = connected == label
                bisection(Edge(fixed=fixed[here], falling=falling[here], multiprocessors=MULTIPROCESSORS))

        ours, theirs = median(together), median(apart, CALLS // 4)
        yield Row(
            f"one slot, {edges} edges and {n:,} devices at once, against one edge after the other",
            f"median {ours * 1e3:.2f} ms", f"{theirs * 1e3:.2f} ms", f"{theirs / ours:.1f} x", "", True,
        )  # fmt: skip


def hours() -> Iterator[Row]:
    city = draw_city(1)
    city.perceived  # noqa: B018, kept by the city: every policy but the first would find it
    learned = {label: trainings[0] for label, trainings in read_policies(ASSETS / "foci").items()}
    floor = median(partial(rollout, city, UNLEARNED["ALP"]), HOURS)
    for label, policy in {**UNLEARNED, **learned}.items():
        ours = median(partial(rollout, city, policy), HOURS)
        yield Row(
            f"a city-hour under {label}, against one in which nobody moves",
            f"median {ours:.2f} s", f"{floor:.2f} s", f"{ours / floor:.1f} x",
            f"at most {HOUR:g} s" if label in learned else "", ours <= HOUR or label not in learned,
        )  # fmt: skip


def rows() -> Iterator[Row]:
    """Every measurement of the oracle and the simulator, as it is taken."""
    for part in (speed, exactness, slots, hours):
        yield from part()
