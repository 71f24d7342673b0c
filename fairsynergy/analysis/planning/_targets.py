"""Inverse questions: what is the least cloud under which a rule reaches a target, and how is one budget best split?

The forward question, what a rule makes of a capacity, is answered by `allocate`; f(C) is the aim it reaches there: the
worst-off's accuracy, the mean, or one agent's. The least amount t on a ray C(t) = a + t d with f(C(t)) >= level is
bracketed on a geometric scale and found by Chandrupatla's method (SciPy's find_root), always with the rule itself. At
prices p_k, shares s of a budget B buy C_k = s_k B / p_k; the best shares are searched on a grid of many fleets divided
together, which is refined around the best. For Leximin they are known: everybody's cheapest bundle.

When is the answer proved to be the least? If f never falls along the ray: what is missed at t is missed at all below.

- One resource: a rule that the kernel solves gives everybody grants that do not fall as its price falls, and the price
  falls as the capacity grows. So nobody loses, under any of the paper's six rules, whatever the aim.
- Two resources, Uniform, Random, DRF, NUM and Nash: what each resource's grants are depends on its own capacity only
  (DRF's shares on each resource keep their proportions, as long as nobody meets a ceiling or saturation and turns to
  another resource), so the same holds resource by resource.
- Leximin, and alpha-fairness from alpha = 1 on: log h_k = log(w gamma_k / mu_k) - (alpha - 1) log U rises if another
  resource becomes dearer (gross substitutes), so with more of one resource no price rises, nobody's accuracy falls,
  and Leximin is their limit.
- Fair-Synergy with two resources may take from an agent when there is more (`fairness.monotone` shows examples), but
  its optimal total cannot fall: with equal weights that is the mean. Where returns increase, its search may end in a
  local optimum; then the least is only as good as the search.

>>> import fairsynergy as fs
>>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3])
>>> answer = least_capacity(fleet, fs.Leximin(), Target(Worst(), 0.7), "compute")
>>> answer.capacity.round(4), answer.status.name, round(answer.allocation.worst, 6)
(array([0.5774]), 'PROVED', 0.7)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import elementwise

from fairsynergy.allocation import Allocation, allocate
from fairsynergy.analysis.planning._money import best_purchase, least_cost
from fairsynergy.errors import ProblemError, typed
from fairsynergy.kernel import Fleets
from fairsynergy.kernel._objective import TINY, AlphaWelfare, TotalUtility, WorstUtility
from fairsynergy.policies import DRF, NUM, FairSynergy, Leximin, Policy, Random, Uniform, WholeUnits
from fairsynergy.policies._leximin import cheapest
from fairsynergy.policies._policy import OPTIMAL_WITHIN
from fairsynergy.policies._whole_units import in_whole, limits_in_units
from fairsynergy.problem import ROUNDING, Array, Problem, read_only

# Without ceilings or saturation, capacities are searched up to this many times what there is, in cloud and fleet.
FAR = 1e6
# Amounts tried on a ray: from this fraction of the largest, in so many geometric steps.
NEAR, STEPS = 1e-12, 48
# An amount below this is next to no number, and not looked for.
LEAST = 1e-280
# The least amount is found to the first relative precision, or to the second where the rule searches and may jump.
PRECISE, JUMPING = 1e-12, 1e-5
# Shares along the isocost line, for the curve and to find where to look closer: how often, at how many in between.
SHARES, ZOOMS, CLOSER = 33, 4, 9
# The same where the least budget of each share is sought, too: how many shares at first, how many budgets for each, and
# how often; less often where the rule is only sketched.
FEWER_SHARES, BUDGETS, ROUNDS, ROUGH_ROUNDS = 17, 16, 5, 3
# What was found so is right within this factor when the rule itself is asked, or searched for again.
ABOUT = 1.01
# Relative change of a capacity that measures a slope.
SLOPE = 1e-4
# To what precision shares at which prices are equal are found: the best ones, and those of a least budget, which errs
# by the square of it. Log ratios of prices beyond LOG_FAR are as good as none.
LEVEL_WITHIN, PRICED = 1e-9, 1e-3
LOG_FAR = 100.0
# Along a way that leaves a resource nearly where it is, the other does not go on for ever.
FARTHEST = 1e12
# Rounds of a root finder; where prices jump, there is no share at which they are equal.
MOST_ROUNDS, FEW_ROUNDS = 60, 10
# Up to so many agents a rule that searches is asked itself at every share, where its sketch may mislead.
FEW = 200
# Amounts in whole units are tried one after the other up to so many.
MOST_TRIED = 2_000
# Where the aim may fall, so many of the most promising amounts are asked before a target is called out of reach.
PROMISING = 6


class Aim(ABC):
    """What shall be high: an accuracy or a mean of accuracies."""

    @abstractmethod
    def of(self, problem: Problem, utility: Array) -> Array:
        """(...) the aim's value, of accuracies (..., n)."""


@dataclass(frozen=True)
class Worst(Aim):
    """The accuracy of the worst-off agent."""

    def of(self, problem: Problem, utility: Array) -> Array:
        return np.asarray(utility.min(axis=-1))


@dataclass(frozen=True)
class Mean(Aim):
    """The mean accuracy, unweighted."""

    def of(self, problem: Problem, utility: Array) -> Array:
        return np.asarray(utility.mean(axis=-1))


@dataclass(frozen=True)
class Agent(Aim):
    """The accuracy of one agent, by name."""

    name: str

    def of(self, problem: Problem, utility: Array) -> Array:
        return np.asarray(utility[..., problem.agents.index(self.name)])


@dataclass(frozen=True)
class Target:
    """An aim that shall reach a level [accuracy]."""

    aim: Aim
    level: float


class Least(Enum):
    """What is known about an answer; the value is the sentence shown to the user."""

    PROVED = "Proved least: under this rule more never lowers the aim, so with any less the target is missed."
    SEARCHED = (
        "Least as far as the rule's own search goes: its optimum never falls with more, but where returns increase the "
        "search may end in a local one."
    )
    SPLIT = (
        "Least for this split of the money, and the best split that was found: another one, between those that were "
        "tried, may reach the target with less."
    )
    FOUND = "Least found: under this rule more may lower the aim, so a smaller amount may reach the target, too."
    TRIED = "Proved least: every smaller amount in whole units was tried, and misses the target."
    NOTHING = "Already reached: the least that may be given at all is enough."
    TRACE = (
        "Next to nothing is enough: even less than this may reach the target, but amounts so small are next to no "
        "number, and no least one is looked for."
    )


@dataclass(frozen=True, eq=False)
class Answer:
    """The least cloud that reaches a target under a rule; made by `least_capacity` and `least_budget`.

    Parameters
    ----------
    target : Target
        What was asked for.
    resource : str or None
        The one whose capacity was sought; None if it was money.
    capacity : (m,) array
        Of each resource at the answer.
    spend : float or None
        What that costs at the prices given [money]; None without prices.
    split : (m,) array or None
        Shares of the money spent on each resource; None without prices.
    allocation : Allocation
        The rule's division of that cloud, with its proof.
    reached : float
        The aim there, at least the level but for rounding.
    status : Least
        Whether less cannot do.
    """

    target: Target
    resource: str | None
    capacity: Array
    spend: float | None
    split: Array | None
    allocation: Allocation
    reached: float
    status: Least


@dataclass(frozen=True, eq=False)
class Split:
    """One budget divided between two resources, so that an aim is greatest; made by `best_split`.

    Parameters
    ----------
    aim : Aim
        What was maximised.
    budget : float
        The money [units of the prices].
    prices : (2,) array
        Of a unit of each resource.
    split : (2,) array
        Shares of the budget; they sum to 1.
    capacity : (2,) array
        What they buy.
    allocation : Allocation
        The rule's division of that.
    reached : float
        The aim there.
    worth : (2,) array
        What one more unit of money adds to the aim if it is spent on each resource.
    source : str
        Where `worth` is from: the shadow prices, or measured.
    residual : float
        How far the two are apart, relative to the larger; 0 at an optimum where both can be bought. Where one share is
        0 only the part by which that resource is worth more counts.
    share, curve : (s,) array
        Shares of the first resource along the isocost line and the aim there, for a chart; rules that search are
        sketched.
    """

    aim: Aim
    budget: float
    prices: Array
    split: Array
    capacity: Array
    allocation: Allocation
    reached: float
    worth: Array
    source: str
    residual: float
    share: Array
    curve: Array


class Grid(NamedTuple):
    """An aim over two capacities, for a heat map; rules that search are sketched."""

    first: Array  #: (a,) capacities of the first resource
    second: Array  #: (b,) capacities of the second
    value: Array  #: (b, a) the aim


def least_capacity(problem: Problem, policy: Policy, target: Target, resource: str) -> Answer:
    """The least capacity of one resource under which a rule reaches a target, the others as they are.

    Parameters
    ----------
    problem : Problem
        The fleet; its capacity of that resource does not count.
    policy : Policy
        The rule.
    target : Target
        The aim and its level.
    resource : str
        Whose capacity is sought.

    Raises
    ------
    ProblemError
        If the target cannot be reached (the message says what can), the agent or the resource is unknown, the level is
        no number, or Random's seed is a generator.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3], saturation=1)
    >>> round(float(least_capacity(fleet, fs.Uniform(), Target(Mean(), 0.9), "compute").capacity[0]), 4)
    1.3705
    >>> least_capacity(fleet, fs.Uniform(), Target(Mean(), 1.1), "compute")
    Traceback (most recent call last):
    ...
    fairsynergy.errors.ProblemError: ... even without limit of compute the mean accuracy reaches 1 under Uniform; ...
    """
    question = _Question(problem, policy, target.aim)
    problem, level = question.problem, _level(target)
    if resource not in problem.resources:
        raise ProblemError(
            f"`resource` must be one of {', '.join(problem.resources)}, got {resource!r}", field="resource"
        )
    k = problem.resources.index(resource)
    start = problem.capacity.copy()
    start[k] = problem.floor[:, k].sum()
    direction = np.where(np.arange(problem.m) == k, 1.0, 0.0)
    most = _most(problem)[k] - start[k]
    now = float(problem.capacity[k] - start[k])
    steps = None if question.unit is None else question.unit[k] * np.arange(1, MOST_TRIED + 1)
    path = _Path(lambda amount: start + amount * direction, 0.0, float(most), now, steps)
    found = _least_on(question, path, level)
    if found.amount is None:
        others = [name for name in problem.resources if name != resource]
        raise _unreachable(question, target, found, [resource], others)
    return _answer(question, target, found, resource=resource, prices=None)


def least_budget(
    problem: Problem, policy: Policy, target: Target, prices: ArrayLike, split: ArrayLike | None = None
) -> Answer:
    """The least money for the whole cloud under which a rule reaches a target.

    Parameters
    ----------
    problem : Problem
        The fleet; its capacities do not count.
    policy : Policy
        The rule.
    target : Target
        The aim and its level.
    prices : (m,) array_like or float
        Money per unit of each resource, finite and > 0.
    split : (m,) array_like, optional
        Shares of the money, >= 0, that sum to 1; by default the best ones for this target under this rule, for at most
        two resources.

    Raises
    ------
    ProblemError
        If the target cannot be reached (the message says what can), a price or a share is not allowed, floors need
        what a share of 0 does not buy, the agent is unknown, or Random's seed is a generator.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[[0.1, 0.1]] * 2, capacity=[1, 1], elasticity=[[0.9, 0.4], [0.3, 0.7]])
    >>> answer = least_budget(fleet, fs.Leximin(), Target(Worst(), 0.5), prices=[2, 1])
    >>> round(answer.spend, 4), answer.split.round(2), answer.status.name
    (2.2915, array([0.5, 0.5]), 'PROVED')
    """
    question = _Question(problem, policy, target.aim)
    problem, level = question.problem, _level(target)
    money = _prices(problem, prices)
    shares = _shares(problem, split) if split is not None else np.ones(1) if problem.m == 1 else None
    if shares is None and problem.m > 2:
        raise ProblemError(
            f"the best split is sought between two resources, and there are {problem.m} "
            f"({', '.join(problem.resources)}); give the shares of each as `split`",
            field="split",
        )
    bound = -np.inf
    if shares is not None:
        found = _least_on(question, _isocost(problem, shares, money, question.unit), level)
    else:
        found, bound = _least_on_best(question, level, money)
    if found.amount is None:
        bought = [name for k, name in enumerate(problem.resources) if shares is None or shares[k] > 0]
        raise _unreachable(question, target, found, bought, [n for n in problem.resources if n not in bought])
    answer = _answer(question, target, found, resource=None, prices=money)
    if shares is not None or found.at_once or found.all_tried:
        return answer
    # That less does not do is proved for this split; for all others by a bound, or not at all.
    if answer.spend is not None and answer.spend <= bound * (1 + OPTIMAL_WITHIN):
        return replace(answer, status=Least.PROVED)
    return replace(answer, status=Least.SPLIT) if answer.status is Least.PROVED else answer


def best_split(problem: Problem, policy: Policy, budget: float, prices: ArrayLike, aim: Aim) -> Split:
    """How to divide one budget between two resources so that an aim is greatest under a rule.

    At an optimum the next unit of money is worth the same on both resources: for Fair-Synergy and the mean, shadow
    prices mu_k / p_k are equal.

    Parameters
    ----------
    problem : Problem
        The fleet, with two resources; its capacities do not count.
    policy : Policy
        The rule.
    budget : float
        The money, finite, at least what the floors cost.
    prices : (2,) array_like
        Money per unit of each resource, finite and > 0.
    aim : Aim
        What shall be high.

    Raises
    ------
    ProblemError
        If there are not two resources, the budget does not pay for the floors, a price is not allowed, the agent is
        unknown, or Random's seed is a generator.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[[0.1, 0.1]] * 2, capacity=[1, 1], elasticity=[[0.4, 0.5], [0.3, 0.6]])
    >>> best = best_split(fleet, fs.FairSynergy(), 2.0, [2, 1], Mean())
    >>> best.split.round(3), best.worth.round(3), best.residual < 1e-6
    (array([0.268, 0.732]), array([0.193, 0.193]), True)
    """
    question = _Question(problem, policy, aim)
    problem = question.problem
    if problem.m != 2:
        raise ProblemError(
            f"a budget is split between two resources, and here {'is' if problem.m == 1 else 'are'} {problem.m} "
            f"({', '.join(problem.resources)}); leave resources out or fix their capacity",
            field="endowment",
        )
    money = _prices(problem, prices)
    total = _number("budget", budget)
    least = float(problem.floor.sum(axis=0) @ money)
    if total < least * (1 - ROUNDING):
        raise ProblemError(
            f"`budget` must be at least what the floors cost, {typed(least)}, got {typed(total)}; raise it or lower "
            "the floors",
            field="budget",
        )
    ends = _ends(problem, total, money)
    share = np.linspace(*ends, SHARES)
    curve = question.sketch(_bought(problem, share, total, money))
    chosen = _best_share(question, total, money, share)
    capacity = question.counted(_bought(problem, np.array([chosen]), total, money)[0])
    allocation = allocate(replace(question.given, capacity=capacity), policy)
    worth, source = _worth(question, allocation, money)
    low, high = sorted(worth)
    inside = ends[0] < chosen < ends[1]
    wanting = int(np.argmax(worth)) == (0 if chosen <= ends[0] else 1)
    residual = (high - low) / high if high > 0 and (inside or wanting) and ends[0] < ends[1] else 0.0
    return Split(
        aim=aim,
        budget=total,
        prices=money,
        split=read_only(np.array([chosen, 1 - chosen])),
        capacity=allocation.problem.capacity,
        allocation=allocation,
        reached=float(aim.of(problem, allocation.utility)),
        worth=read_only(worth),
        source=source,
        residual=float(residual),
        share=read_only(share),
        curve=read_only(curve),
    )


def _best_share(question: _Question, budget: float, prices: Array, share: Array) -> float:
    """The share (of s tried, and closer around the best) whose division by the rule itself is best."""
    problem = question.problem

    def reached(at: float) -> float:
        return question.at(_bought(problem, np.array([at]), budget, prices)[0])

    tried: list[float] = []
    if question.unit is not None:
        # Whole units of the first resource, and all that is left for the second.
        one = question.unit[0] * prices[0] / budget if budget > 0 else 1.0
        count = np.arange(np.floor((share[-1] - share[0]) / one * (1 + ROUNDING)) + 1)
        count = count[:: max(1, -(-len(count) // MOST_TRIED))]
        return float(max(np.minimum(share[0] + count * one, share[-1]).tolist(), key=reached))
    if question.priced():
        found = best_purchase(problem, budget, prices)
        spent = float(found.capacity @ prices)
        # What nobody has any use for is spent alike.
        tried.append(float(np.clip(found.capacity[0] * prices[0] / spent, share[0], share[-1])) if spent > 0 else 0.5)
        if reached(tried[0]) * problem.n * float(problem.weight[0]) >= found.bound * (1 - OPTIMAL_WITHIN):
            return tried[0]
    value = question.sketch if not question.rough or question.priced() or problem.n > FEW else question.each
    around, values = share, value(_bought(problem, share, budget, prices))
    highest = np.argsort(-values, kind="stable")[:PROMISING]
    tried += share[highest].tolist()
    for _ in range(ZOOMS):
        best = int(np.argmax(values))
        around = np.linspace(around[max(best - 1, 0)], around[min(best + 1, len(around) - 1)], CLOSER)
        values = value(_bought(problem, around, budget, prices))
        tried.append(float(around[np.argmax(values)]))
    chosen = max(reversed(tried), key=reached)
    if question.priced():
        near = (max(float(share[0]), chosen - 1 / SHARES), min(float(share[-1]), chosen + 1 / SHARES))
        chosen = _level_prices(question, budget, prices, chosen, near, LEVEL_WITHIN)
    return chosen


def outcome_grid(problem: Problem, policy: Policy, capacities_1: ArrayLike, capacities_2: ArrayLike, aim: Aim) -> Grid:
    """An aim over a grid of two capacities.

    Parameters
    ----------
    problem : Problem
        The fleet, with two resources; its capacities do not count.
    policy : Policy
        The rule.
    capacities_1, capacities_2 : (a,), (b,) array_like
        Of each resource; finite, at least what the floors need.
    aim : Aim
        What is shown.

    Raises
    ------
    ProblemError
        If there are not two resources, a capacity is not allowed, the agent is unknown, or Random's seed is a
        generator.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[[0.1, 0.1]] * 2, capacity=[1, 1], elasticity=[[0.4, 0.5], [0.3, 0.6]])
    >>> outcome_grid(fleet, fs.Uniform(), [0, 1], [0, 1, 2], Mean()).value.round(2)
    array([[0.13, 0.24],
           [0.34, 0.63],
           [0.47, 0.88]])
    """
    question = _Question(problem, policy, aim)
    problem = question.problem
    if problem.m != 2:
        raise ProblemError(f"a grid needs two resources, and there are {problem.m}", field="endowment")
    axes = []
    for k, given in enumerate((capacities_1, capacities_2)):
        amounts = np.atleast_1d(np.asarray(given, dtype=np.float64))
        least = problem.floor[:, k].sum()
        if amounts.ndim != 1 or not (np.isfinite(amounts) & (amounts >= least * (1 - ROUNDING))).all():
            raise ProblemError(
                f"`capacities_{k + 1}` ({problem.resources[k]}) must be a row of finite numbers, each at least what "
                f"the floors need, {typed(least)}; got {given!r}",
                field=f"capacities_{k + 1}",
            )
        axes.append(amounts)
    first, second = axes
    crossed = np.stack(np.meshgrid(first, second), axis=-1)
    return Grid(first, second, question.sketch(crossed.reshape(-1, 2)).reshape(crossed.shape[:2]))


class _Question:
    """The forward question: what an aim reaches under a rule at a capacity."""

    def __init__(self, problem: Problem, policy: Policy, aim: Aim) -> None:
        if isinstance(aim, Agent) and aim.name not in problem.agents:
            few = ", ".join(problem.agents[:5]) + (", ..." if problem.n > 5 else "")
            raise ProblemError(f"there is no agent {aim.name!r}; the fleet has {few}", field="aim")
        if isinstance(policy, Random) and not isinstance(policy.seed, int | np.integer):
            raise ProblemError(
                "Random's seed is a generator, which draws other lots each time; give it a number instead",
                field="policy",
            )
        if isinstance(policy, WholeUnits) and not isinstance(policy.seed, int | np.integer):
            raise ProblemError(
                "the seed of the lottery is a generator, which draws other lots each time; give it a number instead",
                field="policy",
            )
        self.given, self.policy, self.aim = problem, policy, aim
        # (m,) in whole units capacities are counted, and what floors need; None where any amount counts.
        self.unit = policy.sizes(problem) if isinstance(policy, WholeUnits) else None
        self.problem = problem if self.unit is None else limits_in_units(problem, self.unit)
        self.lots = policy.lots(problem) if isinstance(policy, Random) else None
        self.rough = isinstance(policy, FairSynergy) and policy.passes is None and problem.m > 1
        self.asked: dict[bytes, float] = {}

    def at(self, capacity: Array) -> float:
        """The aim at a capacity (m,), by the rule itself; each capacity is divided once."""
        capacity = self.counted(capacity)
        key = capacity.tobytes()
        if key not in self.asked:
            problem = replace(self.problem, capacity=capacity)
            self.asked[key] = float(self.aim.of(problem, problem.utility(self.policy.divide(problem).grant)))
        return self.asked[key]

    def sketch(self, capacity: Array) -> Array:
        """(b,) the aim at many capacities (b, m), nearly."""
        fleets = Fleets.around(self.problem, capacity=self.counted(capacity), lots=self.lots)
        return self.aim.of(self.problem, fleets.utility(self.policy.sketch_many(fleets)))

    def counted(self, capacity: Array) -> Array:
        """(..., m) the part of a capacity that counts: whole units, where the rule gives those."""
        return capacity if self.unit is None else in_whole(capacity, self.unit)

    def each(self, capacity: Array) -> Array:
        """(b,) the aim at many capacities (b, m), by the rule itself."""
        return np.array([self.at(one) for one in capacity])

    def certain(self) -> Least:
        """What holds along a ray of growing capacities; the module's first lines give the reasons."""
        policy, objective = self.policy, self.policy.objective
        kernel = isinstance(objective, TotalUtility | AlphaWelfare | WorstUtility) and self.problem.m == 1
        endless = self.problem.m == 1 or bool(np.isinf(self.problem.upper).all())
        steady = isinstance(policy, DRF) and policy.work_conserving and endless
        separate = isinstance(policy, Uniform | Random | NUM) or steady
        substitutes = isinstance(objective, WorstUtility) or (
            isinstance(objective, AlphaWelfare) and objective.alpha >= 1
        )
        if kernel or separate or substitutes:
            return Least.PROVED
        whole = not isinstance(policy, FairSynergy) or policy.passes is None
        alike = not self.problem.weighted
        if whole and alike and isinstance(objective, TotalUtility) and isinstance(self.aim, Mean):
            return Least.PROVED if objective.concave(self._everything()) else Least.SEARCHED
        return Least.FOUND

    def priced(self) -> bool:
        """Whether the shadow prices are those of the aim: the rule maximises it, up to a factor."""
        total = isinstance(self.policy, FairSynergy) and self.policy.passes is None
        return total and isinstance(self.aim, Mean) and not self.problem.weighted

    def _everything(self) -> Problem:
        """The problem with something of every resource to share."""
        return replace(self.problem, capacity=np.maximum(self.problem.floor.sum(axis=0) * 2, 1.0))


class _Path(NamedTuple):
    """Capacities (m,) that grow with an amount from `least` to `most`; `now` is what there is, if it lies between.

    Where only whole units count, `steps` are the first amounts that buy one more of them.
    """

    at: Callable[[float], Array]
    least: float
    most: float
    now: float | None = None
    steps: Array | None = None


class _Found(NamedTuple):
    """The least capacity (m,) found and its amount on the ray; amount None if none reaches the level, then the
    capacity is where the aim is highest. `all_tried`: whether all that is less was. `trace`: whether it is next to no
    number, and less was not looked for."""

    capacity: Array
    amount: float | None
    reached: float
    at_once: bool
    all_tried: bool = False
    trace: bool = False


def _least_on(question: _Question, ray: _Path, level: float, about: float | None = None) -> _Found:
    """The least amount on a path at which the rule itself reaches the level, as far as its status says.

    `about`: where that is likely to be.
    """

    def value(amount: float) -> float:
        return question.at(ray.at(amount))

    if value(ray.least) >= level:
        return _Found(ray.at(ray.least), ray.least, value(ray.least), True)
    if ray.steps is not None:
        enough = next((float(amount) for amount in ray.steps if value(float(amount)) >= level), None)
        if enough is not None:
            return _Found(ray.at(enough), enough, value(enough), False, True)
    if about is not None and (value(about / ABOUT) < level <= value(about * ABOUT)):
        return _crossing(question, ray, level, about / ABOUT, about * ABOUT)
    room = ray.most - ray.least
    tried = ray.least + room * np.geomspace(NEAR, 1.0, STEPS) if room > 0 else np.array([ray.least])
    tried[-1] = ray.most
    if ray.now is not None and ray.least < ray.now < ray.most:
        tried = np.unique(np.append(tried, ray.now))
    growing = question.certain() is not Least.FOUND
    order = [len(tried) - 1] if growing else _promising(question, ray, tried, level)
    reaching = next((i for i in order if value(tried[i]) >= level), None)
    if reaching is None:
        top = float(tried[max(order, key=lambda i: value(float(tried[i])))])
        return _Found(ray.at(top), None, value(top), False)
    if growing:
        first = _first_of_growing(lambda i: value(tried[i]) >= level, len(tried))
    else:
        first = reaching
        while first and value(tried[first - 1]) >= level:
            first -= 1
    if first:
        return _crossing(question, ray, level, tried[first - 1], tried[first])
    below, above = tried[0] * NEAR, tried[0]
    while below > max(ray.least, LEAST) and value(below) >= level:
        below, above = below * NEAR, below
    if below > ray.least and value(below) >= level:
        return _Found(ray.at(below), below, value(below), False, trace=True)
    return _crossing(question, ray, level, max(below, ray.least), above)


def _crossing(question: _Question, ray: _Path, level: float, below: float, above: float) -> _Found:
    """The least amount found to reach the level between one that does not and one that does."""
    # Every amount that reaches the level is remembered; the least of them reaches it beyond rounding.
    enough = [above]

    def missing(amount: float) -> float:
        reached = question.at(ray.at(amount)) - level
        if reached >= 0:
            enough.append(amount)
        return reached

    if below < above:
        precision = PRECISE if question.certain() is Least.PROVED else JUMPING
        if below > 0:  # amounts may lie many powers of ten apart
            _root(lambda log: missing(float(np.exp(log))), np.log(below), np.log(above), precision, MOST_ROUNDS)
        else:
            _root(missing, below, above, precision * above, MOST_ROUNDS)
    least = min(enough)
    return _Found(ray.at(least), least, question.at(ray.at(least)), False)


def _root(function: Callable[[float], float], low: float, high: float, within: float, rounds: int) -> None:
    """Close in on a change of sign, to an absolute distance, by Chandrupatla's method, which halves the bracket where
    there is a jump, too.

    The function remembers what it is asked.
    """
    tolerances = {"xatol": within, "xrtol": 0.0, "fatol": 0.0, "frtol": 0.0}
    elementwise.find_root(np.vectorize(function, otypes=[float]), (low, high), tolerances=tolerances, maxiter=rounds)


def _first_of_growing(reaches: Callable[[int], bool], count: int) -> int:
    """The first index at which a condition holds that then holds for all later ones, as it does for the last."""
    low, high = -1, count - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reaches(middle) else (middle, high)
    return high


def _promising(question: _Question, ray: _Path, tried: Array, level: float) -> list[int]:
    """Which amounts to ask first: by a sketch the least that reach the level; what there is; the highest; the last."""
    sketched = question.sketch(np.stack([ray.at(amount) for amount in tried]))
    likely = np.flatnonzero(sketched >= level)[:PROMISING]
    highest = np.argsort(-sketched, kind="stable")[:PROMISING]
    now = np.flatnonzero(tried == ray.now)
    return list(dict.fromkeys([*likely.tolist(), *now.tolist(), *highest.tolist(), len(tried) - 1]))


def _isocost(problem: Problem, shares: Array, prices: Array, unit: Array | None) -> _Path:
    """Capacities that shares (m,) of a growing budget buy, from one that pays for the floors."""
    floors = problem.floor.sum(axis=0)
    lacking = (shares == 0) & (floors > 0)
    if lacking.any():
        k = int(np.argmax(lacking))
        raise ProblemError(
            f"`split[{k}]` ({problem.resources[k]}) must be > 0, since its floors need {typed(floors[k])}; got 0",
            field="split",
            index=(k,),
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        least = np.max(np.where(shares > 0, floors * prices / shares, 0.0))
        most = np.max(np.where(shares > 0, _most(problem) * prices / shares, 0.0))
    steps = None
    if unit is not None:
        each = np.outer(np.arange(1, MOST_TRIED + 1), (unit * prices)[shares > 0] / shares[shares > 0])
        steps = np.unique(each[each > least])[:MOST_TRIED]
    path = _Path(lambda budget: np.maximum(budget * shares / prices, floors), float(least), float(max(least, most)))
    return path._replace(steps=steps)


def _most(problem: Problem) -> Array:
    """(m,) capacities of which more cannot help, or where the search ends."""
    full = problem.upper.sum(axis=0)
    known = np.maximum(problem.capacity, problem.endowment.sum(axis=0))
    far = FAR * np.where(known > 0, known, 1.0) + problem.floor.sum(axis=0)
    return np.asarray(np.where(np.isfinite(full), full, far))


def _least_on_best(question: _Question, level: float, prices: Array) -> tuple[_Found, float]:
    """The least budget over all shares of two resources, and what no division at all does with less than."""
    problem = question.problem
    floors, most = problem.floor.sum(axis=0), _most(problem)
    if question.at(floors) >= level:
        return _Found(floors, 0.0, question.at(floors), True), float(floors @ prices)
    if question.unit is not None:
        return _least_in_units(question, level, prices, question.unit), -np.inf
    if isinstance(question.policy, Leximin):
        kindest = isinstance(question.aim, Worst) and np.ptp(problem.weight) == 0
        bundles = cheapest(problem, max(level, TINY) / problem.weight[0], prices).sum(axis=0)
        bound = float(np.maximum(bundles, floors) @ prices) if kindest else -np.inf
        return _least_on(question, _lifting(problem, prices, most), level), bound
    tried: list[_Found] = []
    bound = -np.inf
    if question.priced():
        total = level * problem.n * float(problem.weight[0])
        bought = least_cost(problem, total, prices, most)
        if bought is not None:
            bound = bought.bound
            tried.append(_least_on(question, _onward(problem, bought.capacity, most), level, 1.0))
    if not tried or tried[0].amount is None or tried[0].capacity @ prices > bound * (1 + OPTIMAL_WITHIN):
        sketched = _cheapest_share(question, level, prices, ROUGH_ROUNDS if question.rough else ROUNDS)
        if sketched is not None:
            share, about = sketched.share, sketched.budget
            if question.priced():
                ends = (max(0.0, share - sketched.width), min(1.0, share + sketched.width))
                share = _level_prices(question, about, prices, share, ends, PRICED)
            bought_so = _bought(problem, np.array([share]), about, prices)[0]
            tried.append(_least_on(question, _onward(problem, bought_so, most), level, 1.0))
    reached = [found for found in tried if found.amount is not None]
    if not reached and question.at(most) >= level:  # at all that can be of use, and at no share that was tried
        reached = [_trimmed(question, most, level)]
    if not reached:
        return _Found(most, None, question.at(most), False), bound
    return min(reached, key=lambda found: float(found.capacity @ prices)), bound


def _least_in_units(question: _Question, level: float, prices: Array, unit: Array) -> _Found:
    """The least budget for whole units of two resources: of all that costs less than one that was found, if few do."""
    problem = question.problem
    floors, most = problem.floor.sum(axis=0), np.ceil(_most(problem) / unit) * unit
    enough, step = floors, 1.0
    while question.at(enough) < level:
        if (enough >= most).all():
            return _Found(most, None, question.at(most), False)
        enough, step = np.minimum(floors + step * unit, most), 2 * step
    for k in range(2):
        way = unit * (np.arange(2) == k)
        size = step
        while size >= 1:
            while enough[k] - size * unit[k] >= floors[k] and question.at(enough - size * way) >= level:
                enough = enough - size * way
            size /= 2
    cost = float(enough @ prices)
    counts = np.floor((cost - floors @ prices) / (unit * prices)) + 1
    if counts.prod() > MOST_TRIED:
        return _Found(enough, 1.0, question.at(enough), False)
    tried = floors + unit * np.stack(np.meshgrid(*map(np.arange, counts)), axis=-1).reshape(-1, 2)
    tried = tried[np.argsort(tried @ prices, kind="stable")]
    least = next(one for one in [*tried[tried @ prices < cost], enough] if question.at(one) >= level)
    return _Found(least, 1.0, question.at(least), False, True)


def _trimmed(question: _Question, capacity: Array, level: float) -> _Found:
    """From a capacity that reaches the level, as little of one resource after the other as still does."""
    floors = question.problem.floor.sum(axis=0)
    found = _Found(capacity, 1.0, question.at(capacity), False)
    for k in range(len(capacity)):
        start = np.where(np.arange(len(capacity)) == k, floors, found.capacity)
        found = _least_on(question, _onward(question.problem, found.capacity, found.capacity, start), level)
    return found._replace(at_once=False)


def _onward(problem: Problem, capacity: Array, most: Array, start: Array | None = None) -> _Path:
    """From the floors, or another start, towards a capacity, which is at 1, and beyond."""
    begin = problem.floor.sum(axis=0) if start is None else start
    way = np.maximum(capacity - begin, 0.0)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        end = np.max(np.where(way > 0, (most - begin) / way, 1.0))
    return _Path(lambda amount: begin + amount * way, 0.0, float(np.clip(end, 1.0, FARTHEST)))


def _lifting(problem: Problem, prices: Array, most: Array) -> _Path:
    """What it takes to lift everybody to a level at the least cost; the level is the amount.

    Under Leximin nobody can be worse off then, and what each agent has is the level or more of its own; so this path is
    the cheapest for every aim, but for what agents at their ceilings leave to others.
    """
    floors = problem.floor.sum(axis=0)
    with np.errstate(divide="ignore"):
        low = np.exp(problem.log_utility(problem.floor)) / problem.weight
    farthest = FARTHEST * np.maximum(most, floors)
    top = replace(problem, capacity=np.maximum(most, floors))
    high = top.utility(Leximin().divide(top).grant) / problem.weight
    least, highest = float(low.min()), float(high.max())

    def at(level: float) -> Array:
        needed = cheapest(problem, max(level, TINY), prices).sum(axis=0)
        # Who is nearly inelastic may need more than any number; beyond the farthest nobody searches.
        return np.asarray(np.clip(np.where(needed < LEAST, 0.0, needed), floors, farthest))

    return _Path(at, least, max(least, highest))


class _Cheapest(NamedTuple):
    """The share of the first resource at which the least budget was sketched, and how far its neighbours were."""

    share: float
    budget: float
    width: float


def _cheapest_share(question: _Question, level: float, prices: Array, rounds: int) -> _Cheapest | None:
    """Where the least budget reaches the level, nearly; None if none was found.

    Budgets on a geometric scale are tried at many shares at once: from next to nothing to all that can be of use, then
    between what misses the level and what reaches it, then at shares around the best, closer and closer.
    """
    problem = question.problem
    floors, top = problem.floor.sum(axis=0) * prices, float(_most(problem) @ prices)
    low, high = np.log(max(float(floors.sum()), NEAR * top, TINY)), np.log(max(top, TINY))
    found, share, width = None, np.linspace(0.0, 1.0, FEWER_SHARES), 1.0 / (FEWER_SHARES - 1)
    closer = 0
    for _ in range(2 * rounds):
        logs = np.linspace(np.broadcast_to(low, share.shape), np.broadcast_to(high, share.shape), BUDGETS)
        budget, at = np.exp(logs), np.broadcast_to(share, logs.shape)
        paid = (budget * at >= floors[0] * (1 - ROUNDING)) & (budget * (1 - at) >= floors[1] * (1 - ROUNDING))
        reached = question.sketch(_bought(problem, at.ravel(), budget.ravel(), prices)).reshape(at.shape)
        enough = (reached >= level) & paid
        known = enough.any(axis=0)
        if not known.any():
            return found
        # Between the last that misses and the first that does not, where a straight line would cross.
        column, first = np.arange(len(share)), np.argmax(enough, axis=0)
        before = np.maximum(first - 1, 0)
        missing, beyond = level - reached[before, column], reached[first, column] - level
        crosses = (first > 0) & paid[before, column] & (missing > 0)
        part = np.divide(missing, missing + beyond, out=np.ones_like(beyond), where=crosses)
        under, over = logs[before, column], logs[first, column]
        crossing = np.where(known, under + part * (over - under), np.inf)
        best = int(np.argmin(crossing))
        found = _Cheapest(float(share[best]), float(np.exp(crossing[best])), width)
        step = logs[1, best] - logs[0, best]
        if closer == rounds - 1:
            break
        if closer == 0:
            likely = known & (under <= over[best])
            low, high, share = under[likely], over[likely], share[likely]
        elif first[best] == 0:  # cheaper than all that was tried
            low, high = crossing[best] - BUDGETS * step, crossing[best]
            continue
        else:
            reach = width * (2 if closer == 1 else 1)  # the first comparison is rough
            low, high = crossing[best] - step, crossing[best] + step
            share = np.linspace(max(share[best] - reach, 0.0), min(share[best] + reach, 1.0), CLOSER)
            width = 2 * reach / (CLOSER - 1)
        closer += 1
    return found


def _bought(problem: Problem, share: Array, budget: float | Array, prices: Array) -> Array:
    """(b, 2) what budgets buy at shares (b,) of the first resource; never less than the floors, but for rounding."""
    spent = np.stack([share * budget, (1 - share) * budget], axis=-1)
    return np.asarray(np.maximum(spent / prices, problem.floor.sum(axis=0)))


def _ends(problem: Problem, budget: float, prices: Array) -> tuple[float, float]:
    """Least and largest share of the first resource that pays for all floors."""
    if budget == 0:
        return 0.0, 1.0
    first, second = problem.floor.sum(axis=0) * prices / budget
    return float(min(first, 1.0)), float(max(1 - second, min(first, 1.0)))


def _level_prices(
    question: _Question, budget: float, prices: Array, share: float, ends: tuple[float, float], within: float
) -> float:
    """A share at which the rule's shadow prices per unit of money are equal, near one that is nearly best."""
    low, high = ends
    best = (-np.inf, share)

    @cache
    def tilt(at: float) -> float:
        """Log ratio of what money is worth on the two resources."""
        nonlocal best
        capacity = _bought(question.problem, np.array([at]), budget, prices)[0]
        problem = replace(question.problem, capacity=capacity)
        grant = question.policy.divide(problem).grant
        best = max(best, (float(question.aim.of(problem, problem.utility(grant))), at))
        worth = TotalUtility().level(problem, grant).price / prices
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(np.nan_to_num(np.clip(np.log(worth[0]) - np.log(worth[1]), -LOG_FAR, LOG_FAR)))

    tilt(share)
    if low < high and tilt(low) > 0 > tilt(high):
        _root(tilt, low, high, within * high, FEW_ROUNDS)
    return best[1]


def _worth(question: _Question, allocation: Allocation, prices: Array) -> tuple[Array, str]:
    """What one more unit of money adds to the aim on each resource, and where that is from."""
    problem = allocation.problem
    if question.priced() and allocation.price is not None and allocation.certificate.stationary:
        return allocation.price / problem.n / prices, "from the shadow prices"
    worth = np.zeros(problem.m)
    for k in range(problem.m):
        unit = np.where(np.arange(problem.m) == k, 1.0, 0.0)
        step = SLOPE * max(problem.capacity[k], NEAR * float(problem.endowment[:, k].sum()), 1e-12)
        step = step if question.unit is None else float(question.unit[k])
        up = problem.capacity + step * unit
        down = np.maximum(problem.capacity - step * unit, question.problem.floor.sum(axis=0))
        worth[k] = (question.at(up) - question.at(down)) / (up[k] - down[k]) / prices[k]
    return (
        worth,
        "measured with 0.01 % more and less" if question.unit is None else "measured with one unit more or less",
    )


def _answer(
    question: _Question, target: Target, found: _Found, *, resource: str | None, prices: Array | None
) -> Answer:
    capacity = question.counted(found.capacity)
    if found.at_once:
        status = Least.NOTHING
    elif found.all_tried:
        status = Least.TRIED
    else:
        status = question.certain()
        if found.trace and status is not Least.FOUND:  # which says as much
            status = Least.TRACE
    allocation = allocate(replace(question.given, capacity=capacity), question.policy)
    spent = None if prices is None else capacity * prices
    total = None if spent is None else float(spent.sum())
    return Answer(
        target=target,
        resource=resource,
        capacity=allocation.problem.capacity,
        spend=total,
        split=None if spent is None or not total else read_only(spent / total),
        allocation=allocation,
        reached=float(target.aim.of(question.problem, allocation.utility)),
        status=status,
    )


def _unreachable(question: _Question, target: Target, found: _Found, more: list[str], rest: list[str]) -> ProblemError:
    """What can be reached instead with more of some resources, and that the rest hold the fleet back."""
    problem, aim = question.problem, target.aim
    what = {Worst: "the worst-off agent", Mean: "the mean accuracy"}.get(type(aim)) or getattr(aim, "name", repr(aim))
    columns = [problem.resources.index(name) for name in more]
    names = " and ".join(more)
    if np.isfinite(problem.upper[:, columns]).all():
        extent, remedy = f"without limit of {names}", "raise ceilings or saturation, "
    else:
        extent, remedy = f"with {FAR:,.0f} times as much {names}", ""
    if rest:
        remedy = f"give more {' and '.join(rest)}, "
    return ProblemError(
        f"`target` asks for {typed(target.level)}, but even {extent} {what} reaches {_rounded_down(found.reached)} "
        f"under {question.policy.label}; ask for at most that, {remedy}or choose another rule",
        field="target",
    )


def _rounded_down(value: float) -> str:
    """Four digits, rounded down: a target that is named as reachable must be."""
    if value <= 0:
        return "0"
    unit = 10.0 ** (np.floor(np.log10(value)) - 3)
    return f"{np.floor(value / unit * (1 + 1e-12)) * unit:.4g}"


def _level(target: Target) -> float:
    """The level, checked, less the rounding error of an accuracy: the same grants may miss their own by that."""
    level = target.level
    if isinstance(level, bool) or not isinstance(level, int | float | np.number) or not np.isfinite(level):
        raise ProblemError(
            f"`target.level` must be a finite number, the accuracy to reach, got {level!r}", field="target"
        )
    return float(level) * (1 - ROUNDING)


def _number(field: str, given: float) -> float:
    value = np.asarray(given)
    if value.ndim or value.dtype.kind not in "iuf" or not np.isfinite(value) or value < 0:
        raise ProblemError(f"`{field}` must be finite and >= 0, got {given!r}", field=field)
    return float(value)


def _prices(problem: Problem, given: ArrayLike) -> Array:
    """(m,) prices, checked."""
    return _per_resource(
        problem, "prices", given, lambda value: value > 0, "> 0", "a free resource needs no budget: set its capacity"
    )


def _shares(problem: Problem, given: ArrayLike) -> Array:
    """(m,) shares, checked."""
    value = _per_resource(problem, "split", given, lambda value: value >= 0, ">= 0", "use 0 to buy none of it")
    if abs(value.sum() - 1) > 1e-9:
        raise ProblemError(f"`split` must sum to 1, got {typed(value.sum())}; divide by that", field="split")
    return value


def _per_resource(
    problem: Problem,
    field: str,
    given: ArrayLike,
    allowed: Callable[[Array], NDArray[np.bool_]],
    rule: str,
    remedy: str,
) -> Array:
    value = np.asarray(given)
    if value.ndim == 0 and problem.m == 1:
        value = value[None]
    if value.shape != (problem.m,) or value.dtype.kind not in "iuf":
        raise ProblemError(
            f"`{field}` must be one number per resource ({', '.join(problem.resources)}), got {given!r}", field=field
        )
    bad = ~(np.isfinite(value) & allowed(value))
    if bad.any():
        k = int(np.argmax(bad))
        raise ProblemError(
            f"`{field}[{k}]` ({problem.resources[k]}) must be finite and {rule}, got {value[k]}; {remedy}",
            field=field,
            index=(k,),
        )
    return read_only(value.astype(np.float64))
