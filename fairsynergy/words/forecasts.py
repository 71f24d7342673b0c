"""What inverse questions and uncertain elasticities answer, in plain sentences.

Every function takes records of `fairsynergy.analysis.planning` and returns text.

>>> import fairsynergy as fs
>>> from fairsynergy.analysis.planning import Target, Worst, least_capacity
>>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3])
>>> print(answer(least_capacity(fleet, fs.Leximin(), Target(Worst(), 0.7), "compute"), fleet))
For the worst-off agent to reach 0.70 under Leximin, the cloud needs 0.58 compute, 15 % more than the 0.50 there is.
"""

from __future__ import annotations

import numpy as np

from fairsynergy.analysis.planning import Agent, Aim, Answer, Least, Mean, Split, Uncertainty, Worst, band
from fairsynergy.problem import Array, Problem
from fairsynergy.words.phrases import at_most, listed, number, percent

# Relative differences below this are none.
SAME = 5e-4
# What is proved to be missing, if less, is not worth a clause.
SETTLED = 1e-5
# Relative differences below which money is worth the same on both resources.
LEVEL = 0.01


def aimed(aim: Aim) -> str:
    """What is aimed at, as the title of an axis.

    >>> aimed(Worst()), aimed(Mean()), aimed(Agent("drone"))
    ('Accuracy of the worst-off agent', 'Mean accuracy', 'Accuracy of drone')
    """
    return "Mean accuracy" if isinstance(aim, Mean) else f"Accuracy of {_whom(aim)}"


def stands(aim: Aim, value: float) -> str:
    """Where an aim stands, without a full stop.

    >>> stands(Worst(), 0.312), stands(Mean(), 0.5), stands(Agent("drone"), 0.7)
    ('the worst-off agent is at 0.31', 'the mean accuracy is 0.50', 'drone is at 0.70')
    """
    return f"{_whom(aim)} {'is' if isinstance(aim, Mean) else 'is at'} {number(value)}"


def answer(found: Answer, problem: Problem, prices: Array | None = None) -> str:
    """What the least cloud is that reaches a target, against the one there is.

    Parameters
    ----------
    found : Answer
        The answer.
    problem : Problem
        As it was asked about, with the cloud there is.
    prices : (m,) array, optional
        Of a unit of each resource, if the question was about money.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> from fairsynergy.analysis.planning import Target, least_budget
    >>> fleet = fs.Problem(endowment=[[0.1, 0.1]] * 2, capacity=[1, 1], elasticity=[[0.9, 0.4], [0.3, 0.7]])
    >>> money = np.array([2.0, 1.0])
    >>> print(answer(least_budget(fleet, fs.Uniform(), Target(Mean(), 0.5), money), fleet, money))
    For the mean accuracy to reach 0.50 under Uniform, money of 2.46 is needed, 18 % less than the present cloud costs
    (3.00): 1.03 for 0.51 compute (42 %) and 1.43 for 1.43 labels (58 %).
    """
    target, rule = found.target, found.allocation.policy.label
    goal = f"For {_whom(target.aim)} to reach {number(target.level)} under {rule}"
    if found.status is Least.NOTHING:
        nothing = "what floors promise is enough" if found.allocation.problem.floor.any() else "no cloud is needed"
        if found.resource is not None and problem.m > 1:
            nothing = f"no {found.resource} is needed" if "cloud" in nothing else f"{nothing} of {found.resource}"
        return f"{goal}, {nothing}: {stands(target.aim, found.reached)} with that."
    if found.resource is not None:
        k = problem.resources.index(found.resource)
        needed, there = float(found.capacity[k]), float(problem.capacity[k])
        change = _against(needed, there, f"the {number(there)} there is")
        return f"{goal}, the cloud needs {number(needed)} {found.resource}, {change}."
    assert found.spend is not None
    spent = found.spend
    if prices is None:
        return f"{goal}, money of {number(spent)} is needed."
    cost = float(problem.capacity @ prices)
    parts = [
        f"{number(float(amount * price))} for {number(float(amount))} {name} ({percent(float(amount * price) / spent)})"
        for amount, price, name in zip(found.capacity, prices, problem.resources, strict=True)
    ]
    change = _against(spent, cost, f"the present cloud costs ({number(cost)})")
    return f"{goal}, money of {number(spent)} is needed, {change}: {listed(parts)}."


def split(best: Split) -> str:
    """How a budget is best split, and why.

    Parameters
    ----------
    best : Split
        The best split.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> from fairsynergy.analysis.planning import best_split
    >>> fleet = fs.Problem(endowment=[[0.1, 0.1]] * 2, capacity=[1, 1], elasticity=[[0.4, 0.5], [0.3, 0.6]])
    >>> print(split(best_split(fleet, fs.FairSynergy(), 2.0, [2, 1], Mean())))
    Mean accuracy is highest under Fair-Synergy, 0.56, with 27 % of the budget on compute and 73 % on labels, which buys
    0.27 compute and 1.46 labels. The next unit of money adds 0.19 on either, so no other split is better nearby.
    """
    names = best.allocation.problem.resources
    shares = [f"{percent(float(share))} of the budget on {names[0]}" for share in best.split[:1]]
    shares += [f"{percent(float(share))} on {name}" for share, name in zip(best.split[1:], names[1:], strict=True)]
    buys = listed([f"{number(float(amount))} {name}" for amount, name in zip(best.capacity, names, strict=True)])
    said = (
        f"{aimed(best.aim)} is highest under {best.allocation.policy.label}, {number(best.reached)}, with "
        f"{listed(shares)}, which buys {buys}."
    )
    high, low = (float(worth) for worth in sorted(best.worth, reverse=True))
    if high <= 0:
        return f"{said} More money would add nothing on either."
    if best.residual <= LEVEL and best.split.min() > 0:
        return f"{said} The next unit of money adds {number(high)} on either, so no other split is better nearby."
    more, less = (names[k] for k in ((0, 1) if best.worth[0] >= best.worth[1] else (1, 0)))
    why = "" if best.residual <= LEVEL else "; no share was found at which the two are equal"
    return f"{said} The next unit of money adds {number(high)} on {more} and {number(low)} on {less}{why}."


def uncertainty(found: Uncertainty, rule: str) -> str:
    """How sure a rule's plan is, what knowing the elasticities would be worth, and what still holds.

    Parameters
    ----------
    found : Uncertainty
        The rules in every draw.
    rule : str
        The rule that the sentences are about; another plan's name gives those about the best rule.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> from fairsynergy.analysis.planning import uncertain
    >>> fleet = fs.Problem(endowment=[0.01, 0.05, 0.05], capacity=0.06, elasticity=[0.9, 0.3, 0.3])
    >>> print(uncertainty(uncertain(fleet, fs.POLICIES, 0.05, draws=200), "Leximin"))
    If today's grants of Leximin are kept, the mean accuracy lies between 0.26 and 0.35 in 90 % of 200 draws (0.30 as
    estimated), and the worst-off agent between 0.075 and 0.11. Knowing the elasticities exactly would change almost
    nothing of that. Fair-Synergy's plan has the highest mean in 98 % of the draws, this one in 0 %. Nobody is below an
    equal share in 0 % of the draws, and nobody envies another's grant in 0 %.
    """
    name = rule if rule in found.prospects else _leader(found)
    prospect = found.prospects[name]
    mean, worst = band(prospect.kept.mean), band(prospect.kept.worst)
    said = (
        f"If today's grants of {name} are kept, the mean accuracy lies between {number(float(mean.low))} and "
        f"{number(float(mean.high))} in 90 % of {found.draws:,} draws ({number(prospect.plan.mean)} as estimated), and "
        f"the worst-off agent between {number(float(worst.low))} and {number(float(worst.high))}."
    )
    gain = float(np.median(prospect.known.mean - prospect.kept.mean))
    if abs(gain) < SAME:
        said += " Knowing the elasticities exactly would change almost nothing of that."
    else:
        way = "gain" if gain > 0 else "lose"
        said += (
            f" Dividing anew, had the elasticities been known, would {way} {number(abs(gain))} of mean at the median."
        )
    leads = float(prospect.kept.leads_mean.mean())
    other = _leader(found)
    if name == other:
        said += f" It has the highest mean of these plans in {_often(leads)} of the draws."
    else:
        theirs = float(found.prospects[other].kept.leads_mean.mean())
        said += f" {other}'s plan has the highest mean in {_often(theirs)} of the draws, this one in {_often(leads)}."
    sharing, envy_free = (float(kept.mean()) for kept in prospect.promises[:2])
    sampled = "" if found.compared == found.problem.n else f" of {found.compared} agents looked at"
    said += (
        f" Nobody is below an equal share in {_often(sharing)} of the draws, and nobody{sampled} envies another's "
        f"grant in {_often(envy_free)}."
    )
    missing = prospect.missing
    if missing is not None and missing.max() > SETTLED:
        said += (
            f" Where {name} divides anew, at most {at_most(float(missing.max()))} of the best total is missing in any "
            f"draw, {at_most(float(np.median(missing)))} at the median; that is proved."
        )
    return said


def _leader(found: Uncertainty) -> str:
    return max(found.prospects, key=lambda name: float(found.prospects[name].kept.mean.mean()))


def _whom(aim: Aim) -> str:
    if isinstance(aim, Agent):
        return aim.name
    return "the worst-off agent" if isinstance(aim, Worst) else "the mean accuracy"


def _against(value: float, there: float, what: str) -> str:
    """How much more or less than something else.

    >>> _against(1.2, 1.0, "now"), _against(5.0, 1.0, "now"), _against(0.5, 1.0, "now"), _against(1.0, 0.0, "now")
    ('20 % more than now', '5.0 times now', '50 % less than now', 'where now there is none')
    """
    if there == 0:
        return "where now there is none"
    change = value / there - 1
    if abs(change) < SAME:
        return f"as much as {what}"
    if change >= 1:
        return f"{value / there:,.1f} times {what}"
    return f"{percent(abs(change))} {'more' if change > 0 else 'less'} than {what}"


def _often(part: float) -> str:
    """A share of the draws: "all" and "none" are exact.

    >>> _often(1.0), _often(0.0), _often(0.9996), _often(0.0004), _often(0.5)
    ('100 %', '0 %', 'over 99 %', 'under 1 %', '50 %')
    """
    if 0.99 < part < 1:
        return "over 99 %"
    return "under 1 %" if 0 < part < 0.01 else f"{100 * part:.0f} %"
