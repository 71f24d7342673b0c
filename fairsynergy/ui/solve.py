"""Every rule's answer to a problem, solved once for all visitors: the six of every page, and what one page asks beyond.

The caches hand out copies, so nothing a page does to an allocation reaches another visitor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import streamlit as st

import fairsynergy as fs
from fairsynergy.analysis import bidding, planning
from fairsynergy.analysis.fairness import Guarantee, guarantees, report
from fairsynergy.charts import bidding as drawn
from fairsynergy.charts import plans
from fairsynergy.fleets.tray import Scenario
from fairsynergy.problem import Array
from fairsynergy.words.explain import going_price
from fairsynergy.words.phrases import badge

# The first search for the certified optimum ends here; most fleets need one box, and a slider must not wait.
FIRST_LOOK = fs.CertifiedOptimum(boxes=40, seconds=1)
# A visitor who asks for more gets this much [seconds].
LONG_LOOK = 120.0
# Rules that every page accepts, and solves only where they are asked for.
RULES: dict[str, fs.Policy] = fs.RULES | {FIRST_LOOK.name: FIRST_LOOK}
FURTHER = {name: policy for name, policy in RULES.items() if name not in fs.POLICIES}
# The dial of fairness. Few stops below 0.5, where a fleet with increasing returns is not concave and a solve costs ten
# times as much.
ALPHAS: tuple[float, ...] = (
    0, 0.1, 0.2, 0.35, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.35, 1.5, 1.75, 2, 2.25, 2.5, 2.75, 3, 3.5, 4, 4.5, 5,
    6, 7, 8, 9, 10, 12, 15, 20, 25, 30, 40, 50, 70, 100, 150, 200, float("inf"),
)  # fmt: skip
# A fleet with more grants than this is solved at every fourth stop, and at the named ones.
MANY = 5000
# A heat map has so many cells each way, and shows this many times what a budget buys.
CELLS, BEYOND = 15, 1.15
# Kept for a visitor: the best proof that a search of theirs reached, for one problem.
PROVED = "_proved"


class Answers(NamedTuple):
    """What the rules say: allocations by rule name, and by name why a rule refused; both in the order of RULES."""

    allocations: dict[str, fs.Allocation]
    refusals: dict[str, str]


class Proof(NamedTuple):
    """The best division found with its bound, and how the search came there, box by box; empty without a search."""

    allocation: fs.Allocation
    history: tuple[fs.Progress, ...]


class Frontier(NamedTuple):
    """The alpha family: alphas (a,), accuracies (a, n), what is proved about each; only those that could be solved."""

    alpha: Array
    utility: Array
    proof: tuple[str, ...]


def _cached(entries: int, size: str) -> Callable[[Any], Any]:
    digest: dict[str | type[Any], Callable[[Any], Any]] = {fs.Problem: lambda problem: problem.digest}
    return st.cache_data(max_entries=entries, max_size=size, show_spinner=False, hash_funcs=digest)


# One entry is about 30 kB at 100 agents and 4 MB at 10,000; the second bound is what a few large fleets may take.
@_cached(500, "100MB")
def answers(problem: fs.Problem) -> Answers:
    """The six rules' answers or refusals; a rule that cannot handle the problem never stops the others."""
    return _solve(problem, fs.POLICIES)


def also(known: Answers, problem: fs.Problem, *names: str) -> Answers:
    """The answers known, and those of rules in FURTHER."""
    allocations, refusals = dict(known.allocations), dict(known.refusals)
    for name in names:
        if name == FIRST_LOOK.name:
            allocations[name] = certified(problem).allocation
        else:
            one = _one(problem, name)
            allocations |= one.allocations
            refusals |= one.refusals
    return Answers(allocations, refusals)


def every(problem: fs.Problem) -> Answers:
    """The answers of all RULES."""
    return also(answers(problem), problem, *FURTHER)


@_cached(500, "50MB")
def _one(problem: fs.Problem, name: str) -> Answers:
    return _solve(problem, {name: RULES[name]})


def one(problem: fs.Problem, name: str) -> fs.Allocation:
    """The answer of one of RULES.

    Raises
    ------
    FairSynergyError
        If the rule does not divide the problem.
    """
    if name == FIRST_LOOK.name:
        return certified(problem).allocation
    found: Answers = _one(problem, name)
    if name not in found.allocations:
        raise fs.ProblemError(found.refusals[name])
    return found.allocations[name]


def scenario(asked: Scenario) -> fs.Allocation:
    """A scenario's answer; raises as `one` does."""
    if asked.given is None and asked.rule in RULES:
        return one(asked.problem, asked.rule)
    return fs.allocate(asked.problem, asked.policy)


def price(problem: fs.Problem) -> Array | None:
    """(m,) the going price, that of Fair-Synergy; None where there is none."""
    try:
        return going_price({fs.FairSynergy.name: one(problem, fs.FairSynergy.name)})
    except fs.FairSynergyError:
        return None


def _solve(problem: fs.Problem, policies: dict[str, fs.Policy]) -> Answers:
    allocations: dict[str, fs.Allocation] = {}
    refusals: dict[str, str] = {}
    for name, policy in policies.items():
        try:
            allocations[name] = fs.allocate(problem, policy)
        except fs.FairSynergyError as error:
            refusals[name] = str(error)
    return Answers(allocations, refusals)


def certified(problem: fs.Problem) -> Proof:
    """The best division known: that of a short search or, if this visitor had it go on, of theirs."""
    kept: tuple[str, Proof] | None = st.session_state.get(PROVED)
    if kept is not None and kept[0] == problem.digest:
        return kept[1]
    first: Proof = _first_look(problem)
    return first


@_cached(500, "50MB")
def _first_look(problem: fs.Problem) -> Proof:
    return search(problem, FIRST_LOOK, lambda _: False)


def search(problem: fs.Problem, policy: fs.CertifiedOptimum, watch: Callable[[fs.Progress], object]) -> Proof:
    """Look for the optimum until the policy or the watcher ends it; the watcher sees every box, and says stop by true.

    Parameters
    ----------
    problem : Problem
        The fleet and the cloud.
    policy : CertifiedOptimum
        How precise, and how long.
    watch : callable
        Called with a `Progress` after every box.
    """
    history: list[fs.Progress] = []

    def see(now: fs.Progress) -> object:
        history.append(now)
        return watch(now)

    found = fs.allocate(problem, replace(policy, progress=see))
    # Whoever divides anew, to check what the rule promises, should not search for minutes.
    return Proof(replace(found, policy=FIRST_LOOK), tuple(history))


def keep(problem: fs.Problem, proof: Proof) -> None:
    """Remember a visitor's proof if it is at least as good as the one known."""
    known = certified(problem).allocation
    if known.gap is None or proof.allocation.gap is None or proof.allocation.gap <= known.gap:
        st.session_state[PROVED] = (problem.digest, proof)


@_cached(200, "50MB")
def frontier(problem: fs.Problem) -> Frontier:
    """Accuracies along the dial, from the greatest total to the kindest to the worst-off."""
    known = also(answers(problem), problem, fs.Nash.name).allocations
    ends = {0: fs.FairSynergy.name, 1: fs.Nash.name, float("inf"): fs.Leximin.name}
    found: list[tuple[float, Array, str]] = []
    every = 1 if problem.n * problem.m <= MANY else 4
    for alpha in (alpha for k, alpha in enumerate(ALPHAS) if k % every == 0 or alpha in ends):
        try:
            allocation = known[ends[alpha]] if alpha in ends else fs.allocate(problem, fs.AlphaFair(alpha))
        except (KeyError, fs.FairSynergyError):  # an end that refused, or a stop that did
            continue
        found.append((alpha, allocation.utility, badge(allocation)))
    alphas, utilities, proofs = zip(*found, strict=True)
    return Frontier(np.array(alphas, dtype=float), np.stack(utilities), proofs)


@_cached(50, "50MB")
def uncertain(problem: fs.Problem, error: Array, draws: int) -> planning.Uncertainty:
    """Every one of the six rules under many draws of the elasticities."""
    known = answers(problem).allocations
    return planning.uncertain(
        problem, {name: fs.POLICIES[name] for name in known}, error, draws=draws, plans=known
    )  # fmt: skip


@_cached(200, "50MB")
def least(
    problem: fs.Problem, rule: str, target: planning.Target, resource: str | None, prices: Array
) -> planning.Answer:
    """The least capacity of a resource, or the least money, that reaches a target under one of RULES."""
    if resource is None:
        return planning.least_budget(problem, RULES[rule], target, prices)
    return planning.least_capacity(problem, RULES[rule], target, resource)


@_cached(200, "50MB")
def split(problem: fs.Problem, rule: str, budget: float, prices: Array, aim: planning.Aim) -> planning.Split:
    """The best split of a budget under one of RULES."""
    return planning.best_split(problem, RULES[rule], budget, prices, aim)


@_cached(100, "20MB")
def grid(problem: fs.Problem, rule: str, budget: float, prices: Array, aim: planning.Aim) -> planning.Grid:
    """The aim over all clouds of two resources, a little beyond what the budget buys and what there is."""
    least = problem.floor.sum(axis=0)
    most = np.maximum(BEYOND * np.maximum(budget / prices, problem.capacity), least)
    first, second = (np.linspace(low, high, CELLS) for low, high in zip(least, most, strict=True))
    return planning.outcome_grid(problem, RULES[rule], first, second, aim)


@_cached(200, "50MB")
def placed(problem: fs.Problem, rule: str, past: Array, extra: Array) -> planning.Placement:
    """New capacity divided by one of RULES beside grants that stay."""
    return planning.place(problem, RULES[rule], past, extra)


@_cached(200, "20MB")
def next_bits(
    problem: fs.Problem, rule: str, past: Array, _allocation: fs.Allocation
) -> tuple[planning.NextShare, ...]:
    """Who gets the next bit of each resource under one of RULES, beside the grants so far."""
    return planning.next_share(_allocation, policy=RULES[rule])


@_cached(200, "50MB")
def change(problem: fs.Problem, previous: Array, price: float) -> planning.Change:
    """What moving on from previous grants is worth at a price of a moved unit."""
    return planning.change(fs.allocate(problem, fs.Replan(previous, price)), free=one(problem, fs.FairSynergy.name))


@_cached(100, "20MB")
def changes(problem: fs.Problem, previous: Array, prices: tuple[float, ...]) -> pd.DataFrame:
    """The share that moves and the mean reached, at each price."""
    found = [change(problem, previous, price) for price in prices]
    return plans.moves(prices, [plans.part_moved(each) for each in found], [each.allocation.mean for each in found])


@_cached(200, "100MB")
def auction(problem: fs.Problem, method: bidding.Method, rounds: int) -> bidding.Bidding:
    """Prices and bids, from nothing to the end."""
    return bidding.bid(problem, method, rounds=rounds)


@_cached(100, "100MB")
def auction_again(
    problem: fs.Problem, method: bidding.Method, rounds: int, _before: bidding.Bidding, before: str
) -> bidding.Rebidding:
    """Prices and bids after a change, from the last prices and from nothing; `before` is the digest of the first."""
    return bidding.rebid(_before, problem, rounds=rounds)


@_cached(400, "5MB")
def tally(problem: fs.Problem, method: bidding.Method, at: float, rounds: int) -> drawn.Tally:
    """How a bidding goes at a size or a step."""
    found = bidding.bid(problem, method, rounds=rounds)
    return drawn.Tally(method.name, at, found.rounds, found.converged, float(found.gap[-1]))


def promises(problem: fs.Problem, allocations: dict[str, fs.Allocation]) -> dict[str, tuple[Guarantee, ...]]:
    """What each rule guarantees on this problem, by name. Each rule divides anew several times."""
    return {name: _promises(problem, name, allocation.gap, allocation) for name, allocation in allocations.items()}


@_cached(500, "20MB")
def _promises(problem: fs.Problem, name: str, gap: float | None, _allocation: fs.Allocation) -> tuple[Guarantee, ...]:
    return guarantees(report(_allocation))
