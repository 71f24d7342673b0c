"""Section IV: how the time of each rule grows with the fleet, beside the order that the paper gives."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import inf
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from fairsynergy.experiments.drawing import Growing
from fairsynergy.experiments.paper.terms import NONE, SIX, Course, Findings, Options
from fairsynergy.experiments.reproduction import Claim, Verdict
from fairsynergy.fleets import Setting
from fairsynergy.policies import NUM

# Numbers of agents whose times are compared; those from FITTED on show how time grows.
TIMED = (100, 300, 1000, 3000, 10_000, 30_000, 100_000, 300_000)
FITTED = 10_000
# An order of growth holds if the fitted exponent exceeds it by no more: caches and rounds add a little to any.
STEEPER = 0.3
# Work is repeated at least so often, and for so long [seconds].
REPEATS, ENOUGH = 3, 0.1
# The interior point method is given up beyond this.
INTERIOR = 3000

# What the paper says, and the exponent of n in it.
COMPLEXITY = {
    "Fair-Synergy": ("a few more iterations than NUM", 1.0),
    "Random": ("O(mn)", 1.0),
    "Uniform": ("O(mn)", 1.0),
    "NUM": ("O((mn)³), or O(mn log n) by water-filling", 1.0),
    "DRF": ("O(nm + n log n)", 1.0),
    "Leximin": ("O(n²(m + log n))", 2.0),
}
INTERIOR_POINT = "NUM, interior point"
COMPLEXITY_REASONS = {
    "Fair-Synergy": "With one resource a single water-filling; with two, as many passes as the search needs.",
    "Random": "Shares are drawn and scaled; a few passes over the agents see to those who reach saturation.",
    "Uniform": "Shares are known; a few passes over the agents see to those who reach saturation.",
    "NUM": "Water-filling needs no sorting: a few passes over the agents find the price.",
    "DRF": "Dominant shares need no sorting either: a few passes over the agents.",
    "Leximin": "An upper bound, and far from tight: everyone who rises stands at one level, so there is one price "
    "search and not n problems one after the other.",
    INTERIOR_POINT: "An upper bound, and far from tight where the solver uses how sparse the problem is; it is far "
    "slower than water-filling all the same.",
}


def complexity(options: Options) -> Findings:
    """Times of every rule for fleets of very different sizes, and the exponents that fit them."""
    from fairsynergy.policies import reference  # loads CVXPY, which takes longer than anything else here does

    course = Course(options.tell, 2 * len(TIMED))
    times: list[dict[str, Any]] = []
    for setting in Setting:
        for n in TIMED:
            fleets = Growing(setting=setting, seeds=1, sizes=(n,), saturation=1.0, first=options.seed).draw(0).fleets
            problem = fleets.problem(0)
            works: dict[str, Callable[[], object]] = {
                rule: partial(policy.divide, problem) for rule, policy in SIX.items()
            }
            if n <= INTERIOR:
                works[INTERIOR_POINT] = partial(reference.solve, problem, NUM())
            for rule, work in works.items():
                seconds = _timed(work)
                times.append({"rule": rule, "resources": problem.m, "agents": n, "seconds": seconds})
            course.step()
    table = pd.DataFrame(times)
    rows = []
    for (rule, resources), group in table.groupby(["rule", "resources"], sort=False):
        claimed, exponent = COMPLEXITY.get(str(rule), ("O((mn)³)", 3.0))
        upper = group[group["agents"] >= (FITTED if rule in SIX else 300)]
        law = stats.linregress(np.log(upper["agents"]), np.log(upper["seconds"]))
        rows.append(
            {
                "rule": rule, "resources": resources, "claimed": claimed, "claimed_exponent": exponent,
                "fitted": law.slope, "error": law.stderr,
            }
        )  # fmt: skip
    exponents = pd.DataFrame(rows)
    claims = [_complexity_claim(str(rule), group) for rule, group in exponents.groupby("rule", sort=False)]
    protocol = (
        f"The time to divide one fleet of {TIMED[0]} to {TIMED[-1]:,} agents, the fastest of at least {REPEATS}; "
        f"exponents by least squares on logarithms, from {FITTED:,} agents on (interior point: 300 to {INTERIOR:,}, "
        "stating the problem included). Absolute times depend on the machine; exponents hardly do."
    )
    tables = {"times": table, "exponents": exponents}
    return Findings(protocol, tuple(claims), tables)


def _complexity_claim(rule: str, exponents: pd.DataFrame) -> Claim:
    """What the paper says of a rule's time, beside the exponents that were fitted."""
    fitted = "; ".join(f"m = {row.resources}: n^{row.fitted:.2f} ± {row.error:.2f}" for row in exponents.itertuples())
    claimed, exponent = str(exponents["claimed"].iloc[0]), float(exponents["claimed_exponent"].iloc[0])
    what = f"time of {rule} against n"
    verdict = Verdict.HOLDS if (exponents["fitted"] <= exponent + STEEPER).all() else Verdict.FAILS
    shown = (fitted, NONE) if rule == INTERIOR_POINT else (NONE, fitted)
    return Claim(what, claimed, NONE, *shown, COMPLEXITY_REASONS[rule], verdict)


def _timed(work: Callable[[], object]) -> float:
    """Seconds of the fastest call of at least so many, and of more while they take no time."""
    start, fastest, calls = perf_counter(), inf, 0
    while calls < REPEATS or perf_counter() - start < ENOUGH:
        before = perf_counter()
        work()
        fastest = min(fastest, perf_counter() - before)
        calls += 1
    return fastest
