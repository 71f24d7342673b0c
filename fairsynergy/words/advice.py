"""What changes cost and add, in plain sentences: bounds, exchanges, new capacity, moving on, how far splits are apart.

Every function takes records of `fairsynergy.analysis.planning` and returns text.

>>> import fairsynergy as fs
>>> from fairsynergy.analysis.planning import binding
>>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3], floor=[0.0, 0.2])
>>> for sentence in bounds(binding(fs.allocate(fleet, fs.FairSynergy()))):
...     print(sentence)
agent 2's floor of 0.20 compute binds: each unit of it costs 0.50 accuracy in total; without it the mean would be
0.039 (6.2 %) higher.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from fairsynergy.allocation import Allocation
from fairsynergy.analysis.fairness import Report
from fairsynergy.analysis.planning import Bound, Change, Exchange, Kind, NextShare, Placement
from fairsynergy.analysis.planning import distance as parts_apart
from fairsynergy.problem import Problem
from fairsynergy.words.phrases import apart, average, averaged, listed, mean_word, measure, number, percent, signed
from fairsynergy.words.phrases import broken as broken

# So many receivers are named, the others counted.
NAMED = 3
# Relative differences below this are none.
SAME = 1e-6
# Parts of a capacity below this are written as nothing.
NOTHING = 5e-4


def bounds(found: Sequence[Bound]) -> list[str]:
    """What each bound costs, one sentence each.

    Parameters
    ----------
    found : sequence of Bound
        Found by `planning.binding`.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> from fairsynergy.analysis.planning import binding
    >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3], floor=[0, 0.1], ceiling=[9, 0.1])
    >>> print(*bounds(binding(fs.allocate(fleet, fs.FairSynergy()))))
    agent 2 is locked at 0.10 compute and would get less: each unit of it costs 0.39 accuracy in total; without the lock
    the mean would be 0.016 (2.5 %) higher.
    >>> print(*bounds(binding(fs.allocate(fleet, fs.Uniform()))))
    agent 2 is locked at 0.10 compute and would get more; without the lock the mean would be 0.035 (5.5 %) lower.
    """
    return [_bound(bound) for bound in found]


def _bound(bound: Bound) -> str:
    kind, amount = bound.kind, f"{number(bound.amount)} {bound.resource}"
    if kind is Kind.LOCK:
        way = "" if bound.more is None else f" and would get {'more' if bound.more else 'less'}"
        said = f"{bound.agent} is locked at {amount}{way}"
    elif bound.more is None:
        return f"{bound.agent} stands at its {kind.value} of {amount}; whether that binds was not computed."
    else:
        said = f"{bound.agent}'s {kind.value} of {amount} binds"
    if bound.price is not None:
        costs = "more than any price" if np.isinf(bound.price) else f"{number(bound.price)} accuracy in total"
        said = f"{said}: each unit {'more would add' if bound.more else 'of it costs'} {costs}"
    if bound.cost is None:
        return f"{said}."
    without = "the lock" if kind is Kind.LOCK else "it"
    mean = "weighted mean" if bound.weighted else "mean"
    return f"{said}; without {without} the {mean} {_would(bound.mean, bound.cost)}."


def _would(mean: float, change: float) -> str:
    if abs(change) <= SAME * mean:
        return "would be the same"
    relative = f" ({100 * abs(change) / mean:.2g} %)" if mean > 0 else ""
    return f"would be {number(abs(change))}{relative} {'higher' if change > 0 else 'lower'}"


def improvement(found: Exchange | None) -> str:
    """The first improvement worth making, in a sentence.

    Parameters
    ----------
    found : Exchange or None
        Found by `planning.first_improvement`; None if there is none.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> from fairsynergy.analysis.planning import first_improvement
    >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3])
    >>> for split in ([0.0, 0.5], [0.3, 0.1], [0.5, 0.0]):
    ...     print(improvement(first_improvement(fs.allocate(fleet, fs.Given(split)))))
    Move 0.50 compute from agent 2 to agent 1: a unit costs the one 0.35 and adds 1.13 with the other; the mean rises
    from 0.53 to 0.66 (+25.2 %).
    Give 0.10 unspent compute to agent 1: a unit adds 0.99; the mean rises from 0.60 to 0.65 (+8.1 %).
    No exchange between two agents adds accuracy.
    """
    if found is None:
        return "No exchange between two agents adds accuracy."
    amount, adds = number(found.amount), "more than any price"
    lost = number(found.lost)
    if np.isfinite(found.added):
        lost, adds = apart(found.lost, found.added)
    if found.giver is None:
        said = f"Give {amount} unspent {found.resource} to {found.taker}: a unit adds {adds}"
    else:
        said = (
            f"Move {amount} {found.resource} from {found.giver} to {found.taker}: a unit costs the one {lost} and adds "
            f"{adds} with the other"
        )
    return f"{said}; {_mean_goes(found.mean, found.mean + found.gain, 'weighted mean' if found.weighted else 'mean')}."


def _mean_goes(before: float, after: float, mean: str = "mean") -> str:
    if abs(after - before) <= SAME * before:
        return f"the {mean} stays at {number(before)}"
    old, new = apart(before, after)
    relative = f" ({signed(after / before - 1)})" if before > 0 else ""
    return f"the {mean} {'rises' if after > before else 'falls'} from {old} to {new}{relative}"


def scored(found: Report) -> str:
    """What a split means for everybody, in two sentences.

    Parameters
    ----------
    found : Report
        Made by `fairness.report`.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3])
    >>> print(scored(fs.fairness.report(fs.allocate(fleet, fs.Given([0.4, 0.1])))))
    Mean accuracy 0.65, worst-off agent 1 with 0.54. With an equal share, 1 of 2 agents would be better off: agent 2,
    which has 9 % less than that; 1 of 2 envies another's grant: agent 2 that of agent 1.
    """
    allocation, share, envy = found.allocation, found.uniform_share, found.envy
    problem, worst = allocation.problem, int(np.argmin(allocation.utility))
    word = f"{mean_word(problem)} {measure({'': allocation})}"
    lowest = f"worst-off {problem.agents[worst]} with {number(allocation.worst)}"
    said = f"{word.capitalize()} {number(average(allocation))}, {lowest}."
    if share.holds:
        equal = "With an equal share nobody would be better off"
    else:
        named = share.worst if share.below == 1 else f"most of all {share.worst}"
        equal = (
            f"With an equal share, {share.below} of {problem.n} agents would be better off: {named}, which has "
            f"{percent(share.shortfall)} less than that"
        )
    if envy.free:
        envies = "nobody envies another's grant"
    else:
        most = "" if envy.agents == 1 else "most of all "
        among = f"{envy.agents} of {envy.compared}{'' if envy.compared == problem.n else ' compared'}"
        envies = (
            f"{among} {'envies' if envy.agents == 1 else 'envy'} another's grant: {most}{envy.envious} that of "
            f"{envy.envied}"
        )
    return f"{said} {equal}; {envies}."


def placement(placed: Placement) -> str:
    """Who gets the new capacity, and what that adds, in a sentence.

    Parameters
    ----------
    placed : Placement
        Made by `planning.place`.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> from fairsynergy.analysis.planning import place
    >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3])
    >>> placement(place(fleet, fs.FairSynergy(), [0.25, 0.25], 0.4))
    'Of 0.40 new compute agent 1 gets 0.40; the mean rises from 0.61 to 0.80 (+31.3 %).'
    """
    problem, parts = placed.allocation.problem, []
    for k, resource in enumerate(problem.resources):
        if problem.capacity[k] == 0:
            continue
        size, order = problem.capacity[k], np.argsort(-placed.added[:, k], kind="stable")
        got = [(problem.agents[i], float(placed.added[i, k])) for i in order if placed.added[i, k] > 0]
        parts.append(f"of {number(float(size))} new {resource} {_who(got)}")
    if not parts:
        return "There is no new capacity."
    said = "; ".join(parts)
    before, after = averaged(problem, placed.before), averaged(problem, placed.after)
    goes = _mean_goes(before, after, mean_word(problem))
    return f"{said[0].upper()}{said[1:]}; {goes}."


def kept_promises(placed: Placement, anew: Allocation) -> str:
    """What it costs that earlier grants stay, in a sentence.

    Parameters
    ----------
    placed : Placement
        Made by `planning.place`.
    anew : Allocation
        All of the larger cloud divided at once, by the same rule.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> from fairsynergy.analysis.planning import place
    >>> fleet, more = (fs.Problem(endowment=[0.1, 0.3], capacity=c, elasticity=[0.9, 0.3]) for c in (0.5, 0.9))
    >>> placed = place(fleet, fs.FairSynergy(), [0.25, 0.25], 0.4)
    >>> kept_promises(placed, fs.allocate(more, fs.FairSynergy()))
    'Were everything divided anew, the mean would be 0.85 (+5.5 %): that is what it costs to keep the earlier grants.'
    """
    after, divided, mean = averaged(anew.problem, placed.after), average(anew), mean_word(anew.problem)
    if abs(divided - after) <= NOTHING * after:
        return f"Were everything divided anew, the {mean} would be the same: keeping the earlier grants costs nothing."
    had, would = apart(after, divided)
    gain = f" ({signed(divided / after - 1)})" if after > 0 else ""
    if divided < after:
        return f"Were everything divided anew, the {mean} would be lower, {would} instead of {had}{gain}."
    return (
        f"Were everything divided anew, the {mean} would be {would}{gain}: that is what it costs to keep the earlier "
        "grants."
    )


def _who(got: Sequence[tuple[str, float]]) -> str:
    """Receivers, most first, and what each gets."""
    if not got:
        return "nobody gets any"
    named, others = got[:NAMED], got[NAMED:]
    parts = [f"{agent} gets {number(amount)}" for agent, amount in named]
    if others:
        parts.append(f"{len(others)} other{'s' * (len(others) > 1)} {number(sum(amount for _, amount in others))}")
    return listed(parts)


def next_bits(shares: Sequence[NextShare]) -> list[str]:
    """Who gets the next bit of each resource, and what it adds, one sentence each.

    Parameters
    ----------
    shares : sequence of NextShare
        Found by `planning.next_share`.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> from fairsynergy.analysis.planning import next_share
    >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3])
    >>> next_bits(next_share(fs.allocate(fleet, fs.FairSynergy())))
    ['Of the next 0.005 compute agent 1 gets 0.005: 0.95 accuracy in total per unit, and the mean rises by 0.4 %.']
    """
    said = []
    for share in shares:
        gain = share.gain / share.mean if share.mean > 0 else np.inf
        rises = f", and the mean rises by {percent(gain)}" if NOTHING <= gain < np.inf else ""
        rate = f"{number(share.total / share.size)} accuracy in total per unit"
        said.append(f"Of the next {number(share.size)} {share.resource} {_who(share.receivers)}: {rate}{rises}.")
    return said


def moving(change: Change) -> str:
    """What moving on from previous grants moves, costs and adds, in a sentence or two.

    Parameters
    ----------
    change : Change
        Made by `planning.change`.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> from fairsynergy.analysis import planning
    >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.6, 0.3])
    >>> for price in (0.3, 5):
    ...     print(moving(planning.change(fs.allocate(fleet, fs.Replan([0.1, 0.4], price)))))
    At 0.3 accuracy per unit moved, 0.25 of 0.40 compute changes hands; the mean rises from 0.64 to 0.70 (+9.9 %),
    where free changes reach 0.72.
    At 5 accuracy per unit moved, no compute changes hands; the mean stays at 0.64, where free changes reach 0.72.
    """
    problem, allocation = change.allocation.problem, change.allocation
    prices = change.price if np.ptp(np.nan_to_num(change.price)) > 0 else change.price[:1]
    at = listed([f"{price:g}" if np.isfinite(price) else "any number of" for price in prices])
    parts = []
    for moved, free, resource in zip(change.moved, change.moved_free, problem.resources, strict=True):
        if moved <= SAME * free or moved == 0:
            parts.append(f"no {resource}")
        elif abs(moved - free) <= SAME * free:
            parts.append(f"all {number(float(free))} {resource}")
        else:
            parts.append(f"{number(float(moved))} of {number(float(free))} {resource}")
    now, free = average(allocation), average(change.free)
    goes = _mean_goes(averaged(problem, change.before), now, mean_word(problem))
    reach = f", where free changes reach {number(free)}" if abs(free - now) > SAME * now else ""
    hands = "changes hands" if len(parts) == 1 else "change hands"
    return f"At {at} accuracy per unit moved, {listed(parts)} {hands}; {goes}{reach}."


def distance(one: ArrayLike, other: ArrayLike, problem: Problem) -> str:
    """How much would have to move from one division to another, in a few words.

    Parameters
    ----------
    one, other : (n, m) array_like
        Grants [units of each resource].
    problem : Problem
        The fleet, whose capacities the parts are of.

    Examples
    --------
    >>> fleet = Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3])
    >>> distance([0.1, 0.4], [0.2, 0.3], fleet), distance([0.1, 0.4], [0.1, 0.4], fleet)
    ('20 % of compute lies elsewhere', 'the same grants')
    """
    parts = parts_apart(one, other, problem.capacity)
    named = [
        f"{percent(float(part))} of {name}"
        for part, name in zip(parts, problem.resources, strict=True)
        if part >= NOTHING
    ]
    if not named:
        return "the same grants"
    return f"{listed(named)} {'lies' if len(named) == 1 else 'lie'} elsewhere"
