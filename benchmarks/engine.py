"""The allocation engine against NumPy's exponential and CVXPY with Clarabel, and many fleets at once against a loop.

Every row holds two times taken alternately in this process, so that a busy machine slows both. Timings of the
fastest of several repeats are compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cvxpy as cp
import numpy as np

import fairsynergy as fs
from benchmarks.fleets import paper_fleet
from benchmarks.row import Row, fastest
from fairsynergy.experiments.drawing import Growing
from fairsynergy.experiments.engine import run
from fairsynergy.fleets import Setting
from fairsynergy.kernel._objective import TINY
from fairsynergy.policies import reference

FLEETS, LOOPED = 1000, 100


def one_resource(rng: np.random.Generator, n: int, *, hard: bool = False) -> dict[str, Any]:
    """Arguments of the kernel for a Fair-Synergy problem; hard ones have extreme elasticities, zeros and scales."""
    gamma, own, capacity = rng.uniform(0.02, 0.98, n), rng.uniform(0, 0.1, n), 0.5 * n
    if hard:
        near = 10.0 ** rng.uniform(-6, -3, n)
        gamma = np.choose(rng.integers(0, 3, n), [near, gamma, 1 - near])
        scale = 10.0 ** rng.uniform(-9, 9)
        own = own * scale * 10.0 ** rng.uniform(-3, 3, n) * (rng.random(n) < 0.8)
        capacity = capacity * scale * 10.0 ** rng.uniform(-3, 1)
    return {"coefficient": gamma, "exponent": 1 - gamma, "endowment": own, "capacity": capacity}


def kkt_residual(market: dict[str, Any], filled: fs.Filling) -> float:
    """Largest relative violation of levelled marginals and of the budget."""
    log_price = np.log(filled.price)
    holding = np.maximum(market["endowment"] + filled.grant, TINY)
    log_marginal = np.log(market["coefficient"]) - market["exponent"] * np.log(holding)
    off = np.where(filled.grant > 0, np.abs(log_marginal - log_price), np.maximum(log_marginal - log_price, 0))
    return float(max(off.max(), abs(filled.grant.sum() / market["capacity"] - 1)))


def kernel_speed() -> Iterator[Row]:
    rng = np.random.default_rng(1)
    for n in (10**3, 10**4, 10**5, 10**6):
        market = one_resource(rng, n)
        out = np.empty(n)
        ours, floor = fastest(
            lambda market=market: fs.waterfill(**market),
            lambda x=market["endowment"], out=out: np.exp(x, out=out),
            repeats=30,
        )
        goal = "at most 25" if n == 10**6 else ""
        yield Row(
            f"kernel, n = {n:,}, against one np.exp", f"{ours * 1e3:.3f} ms", f"{floor * 1e3:.4f} ms",
            f"{ours / floor:.1f} x", goal, not goal or ours / floor <= 25,
        )  # fmt: skip


def kernel_accuracy() -> Iterator[Row]:
    rng = np.random.default_rng(2)
    for n, repeats in ((2, 500), (10, 500), (1000, 200), (10**5, 10), (10**6, 3)):
        markets = [one_resource(rng, n, hard=True) for _ in range(repeats)]
        worst = max(kkt_residual(market, fs.waterfill(**market)) for market in markets)
        yield Row(
            f"kernel, KKT residual, {repeats} hard cases, n = {n:,}", f"{worst:.1e}", "", f"{worst:.1e}",
            "at most 1e-12", worst <= 1e-12,
        )  # fmt: skip


def power_cones(problem: fs.Problem) -> cp.Problem:
    """The leanest conic form of one resource: a power cone per agent."""
    grant, accuracy = cp.Variable(problem.n, nonneg=True), cp.Variable(problem.n)
    law = cp.PowCone3D(problem.endowment[:, 0] + grant, np.ones(problem.n), accuracy, problem.elasticity[:, 0])
    return cp.Problem(cp.Maximize(cp.sum(accuracy)), [cp.sum(grant) <= problem.capacity[0], law])


def against_cvxpy() -> Iterator[Row]:
    rng = np.random.default_rng(3)
    for n in (10, 100, 1000):
        market = one_resource(rng, n)
        question = {key: market[key] for key in ("endowment", "capacity")} | {"elasticity": market["coefficient"]}
        problem = fs.Problem(**question)
        stated = power_cones(problem)
        stated.solve(solver=cp.CLARABEL)

        ours, whole, again, fresh = fastest(
            lambda market=market: fs.waterfill(**market),
            lambda question=question: fs.allocate(fs.Problem(**question), fs.FairSynergy()),
            lambda stated=stated: stated.solve(solver=cp.CLARABEL),
            lambda problem=problem: power_cones(problem).solve(solver=cp.CLARABEL),
            repeats=20,
        )
        total = fs.allocate(problem, fs.FairSynergy()).total
        same = abs(total / stated.value - 1)
        goal = "at least 300, same to 1e-6" if n == 1000 else ""
        yield Row(
            f"one resource, n = {n:,}: kernel against CVXPY + Clarabel, stated anew", f"{ours * 1e3:.3f} ms",
            f"{fresh * 1e3:.1f} ms", f"{fresh / ours:.0f} x, objective to {same:.0e}", goal,
            not goal or (fresh / ours >= 300 and same <= 1e-6),
        )  # fmt: skip
        yield Row(
            "  the same, CVXPY's problem compiled before",
            "",
            f"{again * 1e3:.1f} ms",
            f"{again / ours:.0f} x",
            "",
            True,
        )
        yield Row(
            "  Problem + allocate with its certificate, against CVXPY stated anew", f"{whole * 1e3:.3f} ms",
            f"{fresh * 1e3:.1f} ms", f"{fresh / whole:.0f} x", "", True,
        )  # fmt: skip


def leximin_against_cvxpy() -> Iterator[Row]:
    problem = paper_fleet(np.random.default_rng(4), 1000)
    ours, peer = fastest(
        lambda: fs.allocate(problem, fs.Leximin()), lambda: reference.solve(problem, fs.Leximin()), repeats=3
    )
    level = fs.allocate(problem, fs.Leximin()).worst
    same = abs(level - reference.solve(problem, fs.Leximin()).objective)
    yield Row(
        "Leximin, two resources, n = 1,000, against the CVXPY referee", f"{ours * 1e3:.1f} ms",
        f"{peer * 1e3:.0f} ms", f"{peer / ours:.0f} x, level to {same:.0e}", "faster, same to 1e-7",
        ours < peer and same <= 1e-7,
    )  # fmt: skip


def six_rules() -> Iterator[Row]:
    rng = np.random.default_rng(5)
    fleets = [paper_fleet(rng, 100) for _ in range(20)]
    seconds = sorted(
        fastest(lambda fleet=fleet: [fs.allocate(fleet, rule) for rule in fs.POLICIES.values()], repeats=3)[0]
        for fleet in fleets
    )
    middle, worst = seconds[len(seconds) // 2], seconds[-1]
    yield Row(
        "all six rules with certificates, two resources, n = 100, 20 fleets", f"median {middle * 1e3:.1f} ms",
        "", f"slowest {worst * 1e3:.1f} ms", "at most 30 ms", middle <= 0.030,
    )  # fmt: skip


def together() -> Iterator[Row]:
    """Many fleets at once as experiments solve them, with what is made of the answers, against one at a time."""
    # Converged, but from one start: several are for one fleet at a time.
    rules = fs.POLICIES | {fs.FairSynergy.name: fs.FairSynergy(passes=np.inf)}
    judged = [i for i, rule in enumerate(rules) if rule != fs.Random.name]  # a loop draws other lots
    for setting in Setting:
        protocol = Growing(setting=setting, seeds=FLEETS, sizes=(50,), saturation=1.0)
        fleets = protocol.draw(0).fleets
        problems = [fleets.problem(i) for i in range(LOOPED)]

        def one_by_one(problems: list[fs.Problem] = problems) -> list[list[fs.Allocation]]:
            return [[fs.allocate(problem, rule) for rule in rules.values()] for problem in problems]

        ours, loop = fastest(lambda protocol=protocol: run(protocol, rules), one_by_one, repeats=2)
        ours, loop = ours / FLEETS, loop / LOOPED
        answers = one_by_one()
        alone = sum(answer.seconds for each in answers for answer in each) / LOOPED
        means = np.array([[answer.mean for answer in each] for each in answers])
        batch = run(protocol, rules)["mean"].to_numpy().reshape(FLEETS, -1)[:LOOPED]
        same = np.abs(batch / means - 1)[:, judged].max()
        resources = "one resource" if fleets.m == 1 else "two resources"
        yield Row(
            f"{FLEETS:,} fleets of 50 agents at once, {resources}, six rules, against a loop over {LOOPED} of them",
            f"{ours * 1e3:.3f} ms a fleet", f"{loop * 1e3:.2f} ms a fleet", f"{loop / ours:.0f} x, means to {same:.0e}",
            "same to 1e-9", same <= 1e-9,
        )  # fmt: skip
        yield Row(
            "  the same, the loop without its certificates", f"{ours * 1e3:.3f} ms a fleet",
            f"{alone * 1e3:.2f} ms a fleet", f"{alone / ours:.0f} x", "", True,
        )  # fmt: skip


def rows() -> Iterator[Row]:
    """Every measurement of the engine, as it is taken."""
    for part in (kernel_speed, kernel_accuracy, against_cvxpy, leximin_against_cvxpy, six_rules, together):
        yield from part()
