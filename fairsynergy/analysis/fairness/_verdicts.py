"""What a rule can promise: each guarantee held against one division, with a verdict, by how much, and a sentence.

>>> import fairsynergy as fs
>>> from fairsynergy.analysis.fairness import report
>>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3])
>>> for guarantee in guarantees(report(fs.allocate(fleet, fs.NUM()))):
...     print(f"{guarantee.name}: {guarantee.verdict.value}")
feasible: holds
Pareto-efficient: holds
sharing incentive: fails
envy-free: fails
equal treatment: does not apply
unit-free: holds
resource-monotone: holds
proved optimal: holds
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

import numpy as np

from fairsynergy.allocation import Allocation, Status, breaches
from fairsynergy.analysis.fairness._coalitions import Withheld
from fairsynergy.analysis.fairness._fair_share import Report
from fairsynergy.analysis.fairness._indices import TIE
from fairsynergy.analysis.fairness._what_if import GROWTH, Check, monotone, unit_free
from fairsynergy.kernel._objective import TotalUtility
from fairsynergy.problem import Problem


class Verdict(Enum):
    """Whether a guarantee holds."""

    HOLDS = "holds"
    FAILS = "fails"
    NOT_APPLICABLE = "does not apply"


class Guarantee(NamedTuple):
    """One promise and whether this division keeps it; `amount` is the fraction by which it fails, 0 if it holds."""

    name: str
    verdict: Verdict
    amount: float | None
    sentence: str


def guarantees(report: Report) -> tuple[Guarantee, ...]:
    """The table of guarantees, in a fixed order.

    Parameters
    ----------
    report : Report
        On the division to judge. Two of the guarantees divide anew, twice for each resource.
    """
    allocation = report.allocation
    problem, policy = allocation.problem, allocation.policy
    failed = allocation.status is Status.FAILED
    broken = Check(None, 0.0, None, None, "The division breaks a limit.")
    return (
        _feasible(allocation),
        _efficient(report),
        _sharing(report),
        _envy_free(report),
        _equal_treatment(allocation),
        _unit_free(broken if failed else unit_free(problem, policy, before=allocation.grant)),
        _monotone(broken if failed else monotone(problem, policy, before=allocation.grant), allocation),
        _optimal(allocation),
    )


def _verdict(holds: bool) -> Verdict:
    return Verdict.HOLDS if holds else Verdict.FAILS


def _feasible(allocation: Allocation) -> Guarantee:
    certificate = allocation.certificate
    if certificate.feasible:
        return Guarantee("feasible", Verdict.HOLDS, 0.0, "No more is granted than there is, and every limit is kept.")
    most = max(certificate.budget, certificate.nonnegativity)
    sentence = f"A limit is broken by {_percent(most)}."
    if found := breaches(allocation.problem, allocation.grant):
        first = found[0]
        whose = f"{first.agent}'s {first.limit}" if first.agent else "the capacity"
        sentence = f"Of {first.resource}, {whose} is {first.bound:.4g}, and {first.amount:.4g} is granted."
    return Guarantee("feasible", Verdict.FAILS, most, sentence)


def _efficient(report: Report) -> Guarantee:
    name, found, problem = "Pareto-efficient", report.pareto, report.allocation.problem
    if isinstance(found, Withheld):
        return Guarantee(name, Verdict.NOT_APPLICABLE, None, _sentence(found.reason))
    if found.efficient:
        return Guarantee(
            name, Verdict.HOLDS, 0.0, "Nothing is wasted: no other division serves somebody better and nobody worse."
        )
    if found.lifted is not None:
        return Guarantee(name, Verdict.FAILS, None, f"{found.lifted} could be served with what nobody else can use.")
    if found.gain is None or found.largest is None:
        worst = int(np.argmax(found.wasted))
        if found.wasted[worst] > 0:
            sentence = (
                f"{_percent(found.wasted[worst])} of {problem.resources[worst]} is left, and somebody could use it."
            )
            return Guarantee(name, Verdict.FAILS, float(found.wasted[worst]), sentence)
        differ = _percent(found.disagreement)
        sentence = f"Swaps would serve some better and nobody worse: rates of exchange differ by {differ}."
        return Guarantee(name, Verdict.FAILS, found.disagreement, sentence)
    if found.gain > TIE:
        sentence = f"Another division would raise every accuracy by {_percent(found.gain)} at once."
        return Guarantee(name, Verdict.FAILS, found.gain, sentence)
    sentence = f"Another division would raise somebody's accuracy by {_percent(found.largest)} and lower nobody's."
    return Guarantee(name, Verdict.FAILS, found.largest, sentence)


def _sharing(report: Report) -> Guarantee:
    found = report.uniform_share
    if found.holds:
        return Guarantee("sharing incentive", Verdict.HOLDS, 0.0, "Nobody has less than with an equal share.")
    sentence = (
        f"{found.below} of {found.ratio.size} agents {'has' if found.below == 1 else 'have'} less than with an equal "
        f"share, {found.worst} least of all: {_percent(found.shortfall)} less."
    )
    return Guarantee("sharing incentive", Verdict.FAILS, found.shortfall, sentence)


def _envy_free(report: Report) -> Guarantee:
    found, n = report.envy, report.allocation.problem.n
    sampled = "" if found.compared == n else f", a sample of all {n:,},"
    if found.free:
        among = f"None of {found.compared:,} agents{sampled}" if sampled else "Nobody"
        return Guarantee("envy-free", Verdict.HOLDS, 0.0, f"{among} would rather have another's grant.")
    rise = f"by {_percent(found.growth / (1 - found.growth))}" if found.growth < 1 else "from nothing"
    sentence = (
        f"{found.agents:,} of {found.compared:,} agents{sampled} would rather have another's grant, most of all "
        f"{found.envious} that of {found.envied}, which would raise its accuracy {rise}."
    )
    return Guarantee("envy-free", Verdict.FAILS, found.growth, sentence)


def _equal_treatment(allocation: Allocation) -> Guarantee:
    problem, utility = allocation.problem, allocation.utility
    twins = _twins(problem)
    if not twins:
        return Guarantee("equal treatment", Verdict.NOT_APPLICABLE, None, "No two agents are alike in everything.")
    worst, pair = 0.0, twins[0][:2]
    for group in twins:
        low, high = group[np.argmin(utility[group])], group[np.argmax(utility[group])]
        gap = 1 - utility[low] / utility[high] if utility[high] > 0 else 0.0
        if gap > worst:
            worst, pair = float(gap), np.array([low, high])
    if worst <= TIE:
        return Guarantee("equal treatment", Verdict.HOLDS, 0.0, "Agents that are alike in everything are served alike.")
    one, other = (problem.agents[i] for i in pair)
    sentence = f"{one} and {other} are alike in everything, yet {one} has {_percent(worst)} less."
    return Guarantee("equal treatment", Verdict.FAILS, worst, sentence)


def _twins(problem: Problem) -> list[np.ndarray]:
    """Positions of agents that nothing but their name tells apart, one array per kind that has several. O(n log n)."""
    traits = (problem.endowment, problem.elasticity, problem.floor, problem.ceiling, problem.saturation)
    rows = np.concatenate([*traits, problem.weight[:, None]], axis=1)
    _, kind, count = np.unique(rows, axis=0, return_inverse=True, return_counts=True)
    order = np.argsort(kind.ravel(), kind="stable")
    groups = np.split(order, np.cumsum(count)[:-1])
    return [group for group in groups if group.size > 1]


def _unit_free(check: Check) -> Guarantee:
    if check.holds is None:
        return Guarantee("unit-free", Verdict.NOT_APPLICABLE, None, _sentence(check.reason))
    if check.holds:
        return Guarantee("unit-free", Verdict.HOLDS, 0.0, "Counting in another unit would change no grant.")
    sentence = (
        f"If {check.resource} were counted in hundredths, {_percent(check.amount)} of a capacity would change hands."
    )
    return Guarantee("unit-free", Verdict.FAILS, check.amount, sentence)


def _monotone(check: Check, allocation: Allocation) -> Guarantee:
    if check.holds is None:
        return Guarantee("resource-monotone", Verdict.NOT_APPLICABLE, None, _sentence(check.reason))
    steps = allocation.policy.steps(allocation.problem)
    if check.holds:
        more = "one unit" if steps.any() else _percent(GROWTH - 1)
        return Guarantee("resource-monotone", Verdict.HOLDS, 0.0, f"With {more} more to share nobody loses.")
    loss = f"{check.agent} would lose {_percent(check.amount)} of its accuracy"
    step = next(
        (size for size, name in zip(steps, allocation.problem.resources, strict=True) if name == check.resource), 0
    )
    more = f"{step:g}" if step else _percent(GROWTH - 1)
    sentence = f"With {more} more {check.resource} to share, {loss}."
    return Guarantee("resource-monotone", Verdict.FAILS, check.amount, sentence)


def _optimal(allocation: Allocation) -> Guarantee:
    name, objective, certificate = "proved optimal", allocation.policy.objective, allocation.certificate
    if objective is None:
        return Guarantee(name, Verdict.NOT_APPLICABLE, None, "The rule divides without an aim to be best at.")
    if allocation.status is Status.OPTIMAL:
        return Guarantee(name, Verdict.HOLDS, 0.0, f"No other division does better for {objective.sentence}.")
    if certificate.gap is not None and isinstance(objective, TotalUtility):
        sentence = f"Not proved best for {objective.sentence}; at most {_percent(certificate.gap)} is missing."
        return Guarantee(name, Verdict.FAILS, certificate.gap, sentence)
    return Guarantee(name, Verdict.FAILS, None, f"Not proved best for {objective.sentence}.")


def _percent(share: float) -> str:
    """A fraction as a percentage of two digits.

    >>> _percent(0.123), _percent(0.00012), _percent(12.345)
    ('12 %', '0.012 %', '1,234 %')
    """
    return f"{100 * share:.2g} %" if share < 0.995 else f"{100 * share:,.0f} %"


def _sentence(reason: str) -> str:
    return f"{reason[0].upper()}{reason[1:].rstrip('.')}."
