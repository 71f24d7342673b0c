"""What allocations say, in plain words: the answer in one sentence, a proof in two words, a number as written.

Every function takes results and returns text; the dashboard shows it, and the tests read it.

>>> import fairsynergy as fs
>>> fleet = fs.Problem(endowment=[0.01, 0.05, 0.05], capacity=0.06, elasticity=[0.9, 0.3, 0.3])
>>> print(headline({name: fs.allocate(fleet, policy) for name, policy in fs.POLICIES.items()}, "Fair-Synergy"))
Fair-Synergy lifts mean accuracy from 0.28 to 0.32, but the worst-off agent stays at 0.016;
Leximin would bring the worst-off to 0.091 and cost 5 % of the mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fairsynergy.allocation import Allocation, Status, breaches
from fairsynergy.analysis.fairness import Guarantee, PriceOfFairness, Verdict, dominators
from fairsynergy.kernel._objective import TotalUtility
from fairsynergy.policies._policy import OPTIMAL_WITHIN
from fairsynergy.problem import Array, Problem

FLOOR, MEAN = "Leximin", "Fair-Synergy"  # the rule that serves the worst-off best, and the one that serves the mean

# Gaps below this are written as this.
LEAST_GAP = 1e-4
# Half of the last digit that `number` writes.
TINY = 5e-4
# Numbers from here on are written with a power of ten.
LONGEST = 1e15
# Relative costs of a mean below this are nothing: they are rounding, or would be written "0.0 %".
LEAST_COST = 5e-4
# Relative changes of a mean below half a percent are not worth a clause.
SMALL = 5e-3
# Accuracies may exceed 1 by rounding.
ROUNDING = 1e-9
# What to do where utilities exceed 1 because resources are counted in GPUs or images.
IN_UNITS = "the law takes 1 unit of a resource for enough, so count each in units of which 1 is enough for a task"
# Fractions of a capacity that rounding leaves unspent.
UNSPENT = 1e-6


def number(value: float) -> str:
    """An accuracy or an amount, with as many digits as a reader compares.

    >>> number(0.5234), number(0.0842), number(0), number(0.00002), number(1690.3), number(2), number(1e153)
    ('0.52', '0.084', '0', 'almost 0', '1,690', '2.00', '1e+153')
    """
    if value == 0:
        return "0"
    value = float(f"{value:.12g}")  # what is the same but for rounding reads the same
    if abs(value) < TINY:
        return "almost 0"
    if abs(value) < 0.0995:
        return f"{value:.3f}"
    if abs(value) >= LONGEST:
        return f"{value:.3g}"
    return f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"


def percent(share: float) -> str:
    """A share as a percentage.

    >>> percent(0.052), percent(0.004), percent(1.5)
    ('5 %', '0.4 %', '150 %')
    """
    return f"{100 * share:.0f} %" if abs(share) >= 0.00995 else f"{100 * share:.1f} %"


def signed(gain: float) -> str:
    """A relative gain as a percentage with its sign.

    >>> signed(0.1302), signed(-0.004), signed(-1e-9)
    ('+13.0 %', '−0.4 %', '+0.0 %')
    """
    return f"{round(100 * gain, 1) + 0.0:+.1f} %".replace("-", "−")


def apart(first: float, second: float) -> tuple[str, str]:
    """Both numbers with as many digits as it takes to see that they differ.

    >>> apart(0.5234, 0.5241), apart(0.52, 0.9)
    (('0.523', '0.524'), ('0.52', '0.90'))
    """
    if number(first) != number(second):
        return number(first), number(second)
    for digits in range(3, 9):
        texts = f"{first:.{digits}g}", f"{second:.{digits}g}"
        if texts[0] != texts[1]:
            break
    return texts


def listed(words: Sequence[str]) -> str:
    """Words in a row.

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def duration(seconds: float) -> str:
    """A short time with its unit.

    >>> duration(0.00042), duration(0.0123), duration(2.5)
    ('0.42 ms', '12 ms', '2.5 s')
    """
    if seconds >= 1:
        return f"{seconds:.1f} s"
    milliseconds = seconds * 1000
    return f"{milliseconds:.0f} ms" if milliseconds >= 9.95 else f"{milliseconds:.2g} ms"


def badge(allocation: Allocation) -> str:
    """What is proved, in a few words; the whole sentence is `allocation.status.value`.

    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.5, 0.3])
    >>> badge(fs.allocate(fleet, fs.Leximin())), badge(fs.allocate(fleet, fs.Uniform()))
    ('proved optimal', 'baseline')
    """
    status, objective, gap = allocation.status, allocation.policy.objective, allocation.gap
    if not isinstance(objective, TotalUtility):
        gap = None
    if status is Status.OPTIMAL:
        return "proved optimal" if gap is None or gap <= OPTIMAL_WITHIN else f"optimal within {at_most(gap)}"
    if status is Status.FAILED:
        return "FAILED"
    if objective is None:
        return "baseline"
    if gap is not None:
        return f"gap at most {at_most(gap)}"
    return "stationary, not proved" if status is Status.STATIONARY else "within limits, not proved"


def proof(allocation: Allocation) -> str:
    """What is proved, as sentences.

    >>> import fairsynergy as fs
    >>> from fairsynergy.fleets import PRESETS
    >>> print(proof(fs.allocate(PRESETS["Fleet B"].problem, fs.FairSynergy(passes=1))))
    Feasible: ... nothing more. Its total is proved to be at most 4.2 % below the best there is.
    """
    said, gap = allocation.status.value, allocation.gap
    if allocation.status is Status.FAILED and (what := broken(allocation.problem, allocation.grant)):
        act = "change it" if allocation.policy.by_hand else "do not use it, and report the rule that made it"
        return f"Failed: {what}; {act}."
    if gap is None or not isinstance(allocation.policy.objective, TotalUtility):
        return said
    if allocation.status is Status.OPTIMAL and gap <= OPTIMAL_WITHIN:
        return said
    return f"{said} Its total is proved to be at most {at_most(gap)} below the best there is."


def broken(problem: Problem, grant: Array) -> str:
    """Which limits grants (n, m) break, whose and by how much, in a few words; empty if none.

    Parameters
    ----------
    problem : Problem
        The fleet and its limits.
    grant : (n, m) array
        Who receives what [units of each resource].

    Examples
    --------
    >>> fleet = Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3], floor=[0.1, 0], ceiling=[9, 0.2])
    >>> print(broken(fleet, np.array([[0.0], [0.6]])))
    it gives out 0.60 compute of 0.50; agent 1 gets 0 compute, 0.10 below its floor of 0.10; agent 2 gets 0.60 compute,
    0.40 above its ceiling of 0.20
    """
    parts = []
    for breach in breaches(problem, grant):
        amount, bound = apart(breach.amount, breach.bound)
        if breach.agent is None:
            parts.append(f"it gives out {amount} {breach.resource} of {bound}")
            continue
        way = f"{number(abs(breach.amount - breach.bound))} {'below' if breach.limit == 'floor' else 'above'}"
        others = f" (and {breach.others} more)" if breach.others else ""
        parts.append(f"{breach.agent} gets {amount} {breach.resource}, {way} its {breach.limit} of {bound}{others}")
    return "; ".join(parts)


def at_most(share: float) -> str:
    """A share as a percentage of two digits, rounded up, since it bounds something.

    >>> at_most(0.0411), at_most(0.00021), at_most(1e-9), at_most(0.301), at_most(0.9991)
    ('4.2 %', '0.021 %', '0.01 %', '31 %', '100 %')
    """
    if share <= LEAST_GAP:
        return f"{100 * LEAST_GAP:g} %"
    digit = 10.0 ** (np.floor(np.log10(100 * share)) - 1)
    rounded = float(np.ceil(round(100 * share / digit, 9)) * digit)
    return f"{rounded:.2g} %" if rounded < 99.5 else f"{rounded:,.0f} %"


def measure(allocations: Mapping[str, Allocation]) -> str:
    """What the utilities may be called: "accuracy", or "utility" once somebody's exceeds 1.

    >>> import fairsynergy as fs
    >>> rich = fs.Problem(endowment=[0.1, 0.3], capacity=9, elasticity=[0.5, 0.3])
    >>> measure({"Uniform": fs.allocate(rich, fs.Uniform())})
    'utility'
    """
    top = max((allocation.best for allocation in allocations.values()), default=0.0)
    return "accuracy" if top <= 1 + ROUNDING else "utility"


def averaged(problem: Problem, utility: Array) -> float:
    """The mean that is shown of accuracies (n,): weighted where agents count differently, as in the total.

    A rule that is proved to reach the greatest total has the highest of these; of unweighted means it may not.

    >>> fleet = Problem(endowment=[1, 1], capacity=0, elasticity=[0.5, 0.5], weight=[3, 1])
    >>> round(averaged(fleet, np.array([0.8, 0.4])), 9), mean_word(fleet)
    (0.7, 'weighted mean')
    """
    return float(np.average(utility, weights=problem.weight)) if problem.weighted else float(utility.mean())


def average(allocation: Allocation) -> float:
    """The mean that is shown of a division: `weighted_mean` where agents count differently, else `mean`."""
    return allocation.weighted_mean if allocation.problem.weighted else allocation.mean


def mean_word(problem: Problem) -> str:
    """What `averaged` is called."""
    return "weighted mean" if problem.weighted else "mean"


def left_over(allocation: Allocation) -> Array:
    """(m,) capacity that nobody was given [units of each resource]; 0 where that is rounding.

    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.5, 0.3])
    >>> left_over(fs.allocate(fleet, fs.Given([0.2, 0.3 - 1e-16]))), left_over(fs.allocate(fleet, fs.Given([0.1, 0.3])))
    (array([0.]), array([0.1]))
    """
    unspent = allocation.unspent
    return np.where(unspent > UNSPENT * allocation.problem.capacity, unspent, 0.0)


def headline(allocations: Mapping[str, Allocation], rule: str) -> str:
    """The answer in one sentence: what the rule does for the mean and for the worst-off, and what another would do.

    The other rule is the one that does most for the worst-off; if that is the rule itself, the one with the highest
    mean.

    Parameters
    ----------
    allocations : mapping of str to Allocation
        The rules' answers to one problem, by name.
    rule : str
        The rule that the sentence is about, a key of `allocations`.
    """
    chosen = allocations[rule]
    before = chosen.problem.utility(np.zeros_like(chosen.grant))
    word = measure(allocations)
    mean, worst = averaged(chosen.problem, before), float(before.min())
    kind = mean_word(chosen.problem)

    if all(_same(average(allocation), mean) for allocation in allocations.values()):
        cause = "nothing that would help" if chosen.problem.capacity.any() else "nothing to share"
        whose = "the agent's" if chosen.problem.n == 1 else kind
        return f"The cloud has {cause}: {whose} {word} stays at {number(mean)}, whatever the rule."
    if chosen.problem.n == 1:
        return (
            "With one agent there is nothing to divide: it gets all it can use, "
            f"and its {word} rises from {number(mean)} to {number(average(chosen))}."
        )
    if _same(average(chosen), mean):
        said = f"{rule} leaves {kind} {word} at {number(mean)} and the worst-off agent at {number(chosen.worst)}"
    elif _same(chosen.worst, worst):
        said = (
            f"{rule} lifts {kind} {word} from {number(mean)} to {number(average(chosen))}, "
            f"but the worst-off agent stays at {number(chosen.worst)}"
        )
    else:
        said = (
            f"{rule} lifts {kind} {word} from {number(mean)} to {number(average(chosen))} "
            f"and the worst-off agent from {number(worst)} to {number(chosen.worst)}"
        )
    return f"{said}; {_otherwise(allocations, rule)}."


def _otherwise(allocations: Mapping[str, Allocation], rule: str) -> str:
    """What another rule would do instead, or that none would do better."""
    chosen = allocations[rule]
    kind, rich = kindest(allocations), richest(allocations)
    floor, top = allocations[kind], allocations[rich]
    mean = mean_word(chosen.problem)
    if not _same(chosen.worst, floor.worst):
        cost = 1 - average(floor) / average(chosen)
        would = f"{kind} would bring the worst-off to {number(floor.worst)}"
        if cost >= SMALL:
            return f"{would} and cost {percent(cost)} of the {mean}"
        if cost <= -SMALL and not _same(average(chosen), average(floor)):
            return f"{would} and the {mean} to {number(average(floor))}"
        return f"{would} at almost no cost to the {mean}"
    gain = average(top) / average(chosen) - 1
    if gain >= SMALL and not _same(average(chosen), average(top)):
        would = f"{rich} would raise the {mean} to {number(average(top))}, {_more(gain)},"
        if _same(chosen.worst, top.worst):
            return f"{would} at no cost to the worst-off"
        return f"{would} and leave the worst-off at {number(top.worst)}"
    # Leximin's optimum is the highest worst of any division, unless weights make it favour somebody.
    if kind == FLOOR and floor.status is Status.OPTIMAL and not floor.problem.weighted:
        return "no division could raise the worst-off further"
    return "no rule here does better on either count"


def kindest(allocations: Mapping[str, Allocation]) -> str:
    """The rule with the highest worst accuracy; Leximin if it reads the same."""
    best = max(allocations, key=lambda name: allocations[name].worst)
    tied = FLOOR in allocations and _same(allocations[FLOOR].worst, allocations[best].worst)
    return FLOOR if tied else best


def richest(allocations: Mapping[str, Allocation]) -> str:
    """The rule with the highest mean accuracy; Fair-Synergy if it reads the same."""
    best = max(allocations, key=lambda name: average(allocations[name]))
    tied = MEAN in allocations and _same(average(allocations[MEAN]), average(allocations[best]))
    return MEAN if tied else best


def _same(one: float, other: float) -> bool:
    """Whether two numbers read the same: a sentence must not say "from 0.52 to 0.52"."""
    return number(one) == number(other)


def _more(gain: float) -> str:
    """A relative gain, as a percentage while that is a figure of speech.

    >>> _more(0.113), _more(25.4)
    ('11 % more', '26 times as much')
    """
    return f"{percent(gain)} more" if gain < 2 else f"{1 + gain:.0f} times as much"


def trade_off(allocations: Mapping[str, Allocation]) -> str:
    """The price of fairness in one sentence: from the rule with the highest mean to the kindest to the worst-off.

    Parameters
    ----------
    allocations : mapping of str to Allocation
        The rules' answers to one problem, by name.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.01, 0.05, 0.05], capacity=0.06, elasticity=[0.9, 0.3, 0.3])
    >>> print(trade_off({name: fs.allocate(fleet, policy) for name, policy in fs.POLICIES.items()}))
    Fairness costs 5 % of mean accuracy here: from Fair-Synergy to Leximin the mean goes from 0.32 to 0.30,
    the worst-off from 0.016 to 0.091.
    """
    kind, rich = kindest(allocations), richest(allocations)
    floor, top = allocations[kind], allocations[rich]
    word, mean = measure(allocations), mean_word(top.problem)
    cost = 1 - average(floor) / average(top) if average(top) > 0 else 0.0
    if top.problem.n == 1:
        return (
            f"With one agent fairness costs nothing: every rule gives it all it can use, {word} {number(average(top))}."
        )
    if cost < LEAST_COST or _same(floor.worst, top.worst):
        best, is_free = (top, rich) if _same(floor.worst, top.worst) else (floor, kind)
        return (
            f"Fairness costs nothing here: {is_free} has both the highest {mean} {word}, {number(average(best))}, "
            f"and the highest worst-off, {number(best.worst)}."
        )
    high, low = apart(average(top), average(floor))
    return (
        f"Fairness costs {percent(cost)} of {mean} {word} here: from {rich} to {kind} the {mean} goes from "
        f"{high} to {low}, the worst-off from {number(top.worst)} to "
        f"{number(floor.worst)}."
    )


def verdicts(allocations: Mapping[str, Allocation]) -> dict[str, str]:
    """What each rule costs in mean, and what it gives the worst-off, in one sentence per rule, by name.

    Parameters
    ----------
    allocations : mapping of str to Allocation
        The rules' answers to one problem, by name.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.01, 0.05, 0.05], capacity=0.06, elasticity=[0.9, 0.3, 0.3])
    >>> print(verdicts({name: fs.allocate(fleet, policy) for name, policy in fs.POLICIES.items()})["NUM"])
    gives up 3 % of the highest mean (0.32, Fair-Synergy) and leaves the worst-off at 0.076,
    where Leximin reaches 0.091.
    """
    kind, rich = kindest(allocations), richest(allocations)
    floor, top = allocations[kind].worst, average(allocations[rich])
    mean = mean_word(allocations[rich].problem)
    better = dominators(np.array([[average(a), a.worst] for a in allocations.values()]))
    said = {}
    for (name, allocation), other in zip(allocations.items(), better, strict=True):
        if average(allocation) >= (1 - LEAST_COST) * top:
            first = f"reaches the highest {mean} of these rules ({number(top)})"
        else:
            first = f"gives up {percent(1 - average(allocation) / top)} of the highest {mean} ({number(top)}, {rich})"
        if _same(allocation.worst, floor):
            second = f"does most for the worst-off ({number(floor)})"
        else:
            second = f"leaves the worst-off at {number(allocation.worst)}, where {kind} reaches {number(floor)}"
        beaten = f"; {list(allocations)[other]} is nowhere worse and somewhere better" if other >= 0 else ""
        said[name] = f"{first} and {second}{beaten}."
    return said


def optimum(best: Allocation) -> str:
    """What is proved about the highest mean that any division could reach, in a sentence or two.

    Parameters
    ----------
    best : Allocation
        The best division known, with its bound.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[[0.1, 0.1]] * 2, capacity=[0.6, 0.6], elasticity=[[0.9, 0.4], [0.3, 0.7]])
    >>> print(optimum(fs.allocate(fleet, fs.CertifiedOptimum())))
    Proved: no division of this cloud reaches a mean accuracy above 0.3851; the best found reaches 0.3849, within ...
    """
    what = f"{mean_word(best.problem)} {measure({best.policy.label: best})}"
    found = _towards(best.total / float(best.problem.weight.sum()), -1)
    if best.upper_bound is None or best.gap is None:
        return (
            f"Not proved: the best division found reaches a {what} of {found}, but with increasing returns in three "
            "or more resources, or from nothing, no bound is known that another could not exceed."
        )
    bound = _towards(best.upper_bound / float(best.problem.weight.sum()), 1)
    if best.status is not Status.OPTIMAL:
        return (
            f"Not closed yet: no division of this cloud reaches a {what} above {bound}, that is proved; the best "
            f"found reaches {found}, so at most {at_most(best.gap)} of it is missing."
        )
    reaches = "it" if found == bound or best.gap <= OPTIMAL_WITHIN else f"{found}, within {at_most(best.gap)}"
    return f"Proved: no division of this cloud reaches a {what} above {bound}; the best found reaches {reaches}."


def _towards(value: float, way: int) -> str:
    """A number of four decimals, or five digits, rounded up (way 1) or down (-1), since it bounds something.

    >>> _towards(0.81231, 1), _towards(0.81239, -1), _towards(0.8, 1), _towards(1690.317, 1), _towards(0, -1)
    ('0.8124', '0.8123', '0.8000', '1,690.4', '0.0000')
    """
    decimals = 4 if abs(value) < 10 else max(0, 4 - int(np.floor(np.log10(abs(value)))))
    # What is that number but for rounding is that number.
    steps = round(value * 10.0**decimals, 4)
    return f"{(np.ceil(steps) if way > 0 else np.floor(steps)) / 10.0**decimals:,.{decimals}f}"


def price_of_fairness(price: PriceOfFairness) -> str:
    """The share of the best total given up, in a few words; from where to where while the best is only bounded.

    >>> price_of_fairness(PriceOfFairness(0.0312, 0.0312, "")), price_of_fairness(PriceOfFairness(0.031, 0.052, ""))
    ('3.1 %', '3.1 to 5.2 %')
    >>> price_of_fairness(PriceOfFairness(0.0, 0.00005, "")), price_of_fairness(PriceOfFairness(0.0, 0.02, ""))
    ('nothing', 'at most 2 %')
    >>> price_of_fairness(PriceOfFairness(0.2, None, "")), price_of_fairness(PriceOfFairness(None, None, ""))
    ('at least 20 %', 'unknown')
    """
    if price.low is None:
        return "unknown"
    low = f"{100 * price.low:.2g}"
    if price.high is None:
        return f"at least {low} %"
    high = f"{100 * price.high:.2g}"
    if price.high < LEAST_COST:
        return "nothing"
    if price.low < LEAST_COST:
        return f"at most {high} %"
    return f"{low} %" if low == high else f"{low} to {high} %"


def failing(guarantee: Guarantee) -> str:
    """A verdict in two or three words: whether a promise is kept, or by how much it is not.

    >>> failing(Guarantee("feasible", Verdict.HOLDS, 0.0, "")), failing(Guarantee("unit-free", Verdict.FAILS, 0.12, ""))
    ('holds', 'fails by 12 %')
    >>> failing(Guarantee("proved optimal", Verdict.FAILS, 0.02, ""))
    'within 2 %'
    """
    if guarantee.verdict is not Verdict.FAILS or not guarantee.amount:
        return guarantee.verdict.value
    return f"{'within' if guarantee.name == 'proved optimal' else 'fails by'} {at_most(guarantee.amount)}"


def dial(alpha: float, utility: Array, proof: str, best: Allocation) -> str:
    """Where the dial of fairness stands, and what that costs and gives, in a sentence.

    Parameters
    ----------
    alpha : float
        0 is Fair-Synergy, 1 Nash, infinity Leximin.
    utility : (n,) array
        Accuracies there.
    proof : str
        What is proved about them, in a few words.
    best : Allocation
        The best division known for the total.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.01, 0.05, 0.05], capacity=0.06, elasticity=[0.9, 0.3, 0.3])
    >>> fair, best = fs.allocate(fleet, fs.AlphaFair(2)), fs.allocate(fleet, fs.CertifiedOptimum())
    >>> dial(2, fair.utility, badge(fair), best)
    'α = 2, between Nash and Leximin: mean 0.30, 5 % below the best found; worst-off 0.091; proved optimal.'
    """
    names = {0.0: "Fair-Synergy", 1.0: "Nash", np.inf: "Leximin"}
    where = names.get(alpha) or ("between Fair-Synergy and Nash" if alpha < 1 else "between Nash and Leximin")
    written = "∞" if np.isinf(alpha) else f"{alpha:g}"
    mean, top = averaged(best.problem, utility), average(best)
    cost = 1 - mean / top if top > 0 else 0.0
    below = f"{percent(cost)} below the best found" if cost >= LEAST_COST else "as high as the best found"
    reached = f"{mean_word(best.problem)} {number(mean)}, {below}"
    return f"α = {written}, {where}: {reached}; worst-off {number(float(utility.min()))}; {proof}."


def turned_over(shares: Sequence[Mapping[str, Any]], rule: str) -> str:
    """What a change of unit does to the hardest tasks, in a sentence.

    Parameters
    ----------
    shares : sequence of mappings
        With `rule`, `unit` and `share` of the cloud that the agents with the hardest tasks get.
    rule : str
        The rule that the sentence is about.

    Examples
    --------
    >>> turned_over([{"rule": "X", "unit": "in units", "share": 0}, {"rule": "X", "unit": "in cents", "share": 1}], "X")
    'Under X the hardest tasks get 0 % of the cloud counted in units, and 100 % counted in cents.'
    """
    said = [
        f"{100 * row['share']:.0f} %{' of the cloud' * (k == 0)} counted {row['unit']}"
        for k, row in enumerate(row for row in shares if row["rule"] == rule)
    ]
    return f"Under {rule} the hardest tasks get {', and '.join(said)}."


def takes(allocation: Allocation) -> str:
    """What the agent with the largest grants takes, and what that leaves to the others, in a sentence.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> from fairsynergy.fleets import PRESETS
    >>> print(takes(fs.allocate(PRESETS["Winner takes all"].problem, fs.FairSynergy())))
    agent ... takes 100 % of compute and 100 % of labels and reaches utility 14.25; the others reach a mean of ...
    """
    problem = allocation.problem
    scale = np.where(problem.capacity > 0, problem.capacity, 1.0)
    share = allocation.grant / scale
    first = int(np.argmax(share.sum(axis=1)))
    parts = " and ".join(
        f"{percent(float(s))} of {name}" for s, name in zip(share[first], problem.resources, strict=True)
    )
    others = np.delete(allocation.utility, first)
    word = measure({allocation.policy.label: allocation})
    rest = f"; the others reach a mean of {number(float(others.mean()))}" if others.size else ""
    reached = number(float(allocation.utility[first]))
    return f"{problem.agents[first]} takes {parts} and reaches {word} {reached}{rest}."


def weighting(best: Allocation) -> str:
    """What a reader of means must know where agents count differently; empty where they count the same.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3])
    >>> weighting(fs.allocate(fleet, fs.CertifiedOptimum()))
    ''
    """
    if not best.problem.weighted:
        return ""
    return (
        "Agents count differently here: means are weighted, as is the total, which the optimum is about. Weights pull "
        "less and less along the dial, but Leximin divides accuracies by them, so the last step is a jump."
    )


def counted_in_units(problem: Problem) -> bool:
    """Whether 1 unit may be what is enough for a task: nobody owns more, and the cloud has no more than everyone lacks.

    Elsewhere resources are counted in something else, such as GPUs, and saturation at 1 unit would leave most unspent.

    >>> import fairsynergy as fs
    >>> [
    ...     counted_in_units(fs.Problem(endowment=own, capacity=cloud, elasticity=[0.5, 0.3]))
    ...     for own, cloud in (([0.1, 0.3], 1.6), ([0.1, 0.3], 1.7), ([0.1, 8], 0.5))
    ... ]
    [True, False, False]
    """
    lacking = np.maximum(1 - problem.endowment, 0).sum(axis=0)
    return bool((problem.endowment <= 1).all() and (problem.capacity <= lacking * (1 + UNSPENT)).all())


def _below_one(problem: Problem) -> str:
    if counted_in_units(problem):
        return "limit useful holdings with saturation, or lower the capacity"
    return f"{IN_UNITS}, or give less"


def caveats(allocations: Mapping[str, Allocation], rule: str) -> list[str]:
    """What a reader must know before believing the numbers: utilities above 1, capacity left over, a failed rule."""
    chosen = allocations[rule]
    notes = []
    if measure(allocations) == "utility":
        top = max(allocation.best for allocation in allocations.values())
        notes.append(
            f"Utilities reach {number(top)}. Above 1 they are not accuracies any more, and the rules compare numbers "
            f"without a meaning; {_below_one(chosen.problem)}."
        )
    notes += unspent(chosen, rule)
    notes += [
        f"{name} failed its own check{_because(allocation)}; do not use its numbers."
        for name, allocation in allocations.items()
        if allocation.status is Status.FAILED
    ]
    return notes


def unspent(allocation: Allocation, rule: str) -> list[str]:
    """Of each resource that a rule leaves over: how much, and why.

    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=9, elasticity=[0.5, 0.3], saturation=1)
    >>> unspent(fs.allocate(fleet, fs.NUM()), "NUM")
    ['7.40 of 9.00 units of compute stay unspent: every agent already holds all it can use.']
    """
    problem, notes = allocation.problem, []
    for k, resource in enumerate(problem.resources):
        left, capacity = left_over(allocation)[k], problem.capacity[k]
        if left:
            full = bool(np.all(allocation.grant[:, k] >= problem.upper[:, k] * (1 - UNSPENT)))
            why = "every agent already holds all it can use" if full else f"{rule} gives it to nobody"
            notes.append(f"{number(float(left))} of {number(float(capacity))} units of {resource} stay unspent: {why}.")
    return notes


def _because(allocation: Allocation) -> str:
    what = broken(allocation.problem, allocation.grant)
    return f": {what}" if what else ""
