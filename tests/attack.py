"""Many random cases against one claim after another: `python tests/attack.py kernels --count 50000 --seed 0`.

Case i of seed s is drawn by `default_rng([s, i])`, whatever the count and the number of processes; one that failed is
tried again with `--first i --count 1`. Without names, every attack is run. Exit status 1 if any claim was false.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from itertools import repeat
from pathlib import Path
from time import perf_counter

import numpy as np

FOLDER = Path(__file__).parent / "attacks"
ATTACKS = sorted(path.stem for path in FOLDER.glob("[!_]*.py"))
# Cases handed to a process at a time.
BLOCK = 200


def attempt(name: str, seed: int, case: int) -> list[str]:
    """What is false about one case; an exception and a warning are faults like any other."""
    attack: Callable[[np.random.Generator], list[str]] = import_module(f"attacks.{name}").attack
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return attack(np.random.default_rng([seed, case]))
    except Exception as error:
        return [f"{type(error).__name__}: {error}"]


def block(name: str, seed: int, cases: range) -> list[tuple[int, str]]:
    """(case, fault) for each fault of some cases."""
    return [(case, fault) for case in cases for fault in attempt(name, seed, case)]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("attacks", nargs="*", metavar="attack", help=f"of {', '.join(ATTACKS)}; default: all")
    parser.add_argument("--count", type=int, help="cases of each; default: as many as the tests try")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    given = parser.parse_args(arguments)
    if unknown := set(given.attacks) - set(ATTACKS):
        parser.error(f"no attack {', '.join(sorted(unknown))}; there are {', '.join(ATTACKS)}")
    failed = False
    for name in given.attacks or ATTACKS:
        count = given.count or import_module(f"attacks.{name}").COUNT
        last = given.first + count
        blocks = [range(start, min(start + BLOCK, last)) for start in range(given.first, last, BLOCK)]
        begin, cases = perf_counter(), set()
        with ProcessPoolExecutor(given.jobs) as pool:
            for found in pool.map(block, repeat(name), repeat(given.seed), blocks):
                for case, fault in found:
                    cases.add(case)
                    print(f"{name} {case}: {fault}", flush=True)
        failed |= bool(cases)
        print(
            f"{name}: {len(cases)} of {count:,} cases wrong, seed {given.seed}, {perf_counter() - begin:.0f} s",
            flush=True,
        )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
