"""Why an agent gets what it gets, in one plain sentence, from the first-order conditions.

More of resource k adds w_i dU_i/dx_ik per unit to the fleet's total accuracy. The going price is what the
last unit adds when that total is greatest (Fair-Synergy, Eq. 4 and Eq. 8): whoever would add less can wait,
and under Fair-Synergy does. Other rules level something else, or nothing; the same price tells what that
costs.

>>> import fairsynergy as fs
>>> fleet = fs.Problem(endowment=[0.1, 0.8], capacity=0.5, elasticity=[0.5, 0.3], agents=["drone", "truck"])
>>> chosen = fs.allocate(fleet, fs.FairSynergy())
>>> for sentence in sentences(chosen, price=chosen.price):
...     print(sentence)
drone owns 0.10 compute and receives 0.50. More compute would add 0.65 ... per unit, exactly the going price.
truck owns 0.80 compute and receives nothing. More ... the going price is 0.65: it has enough of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from functools import lru_cache
from itertools import compress
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fairsynergy.allocation import Allocation, Status, allocate
from fairsynergy.analysis._margins import Margins, margins
from fairsynergy.analysis.planning import first_improvement
from fairsynergy.kernel._objective import AlphaWelfare, LogHolding, TotalUtility, WorstUtility
from fairsynergy.kernel._objective import last_unit as last_unit
from fairsynergy.kernel._objective import next_unit as next_unit
from fairsynergy.policies import EqualIncomeMarket, FairSynergy
from fairsynergy.policies._policy import OPTIMAL_WITHIN
from fairsynergy.problem import ROUNDING, Array, Problem, read_only
from fairsynergy.words.phrases import apart, left_over, listed, measure, number, percent

# Relative: amounts that are the same but for rounding, and levels that a rule made the same.
SAME, LEVEL = 1e-9, 1e-6


class Portrait(NamedTuple):
    """A rule beyond its one sentence: its formula (LaTeX), whom it serves and whom not, and what units do to it."""

    formula: str
    wins: str
    loses: str
    units: str


UNIT_FREE = "Unit-free: counting a resource in hundredths changes no grant."
UNIT_BOUND = (
    "Depends on units: it compares accuracies of different tasks, and another unit stretches a hard task's more."
)
PORTRAITS: dict[str, Portrait] = {
    "Fair-Synergy": Portrait(
        r"\max_x \sum_i w_i U_i, \quad U_i = \prod_k (e_{ik} + x_{ik})^{\gamma_{ik}}",
        "whoever turns the next unit into most accuracy: those who own little, and the tasks where a little helps much",
        "those for whom a unit does little, who may get nothing at all",
        UNIT_BOUND,
    ),
    "Random": Portrait(
        r"x_{ik} = C_k d_i, \quad d \sim \mathrm{Dirichlet}(1, \dots, 1)",
        "whoever the lot favours",
        "whoever it does not; need and use play no part",
        UNIT_FREE,
    ),
    "Uniform": Portrait(
        r"x_{ik} = C_k \, w_i / \textstyle\sum_j w_j",
        "those who own much already and get as much again as everyone else",
        "those who own little or have a hard task, since neither counts",
        UNIT_FREE,
    ),
    "NUM": Portrait(
        r"\max_x \sum_i \sum_k w_i \log(e_{ik} + x_{ik})",
        "those who own little: holdings are levelled from below",
        "those who own more than the level, who get nothing, and hard tasks, which need more than the level",
        UNIT_FREE,
    ),
    "DRF": Portrait(
        r"\max_x \min_i \max_k \frac{x_{ik}}{w_i C_k}, \quad \frac{x_{ik}}{C_k} \propto \gamma_{ik}",
        "those who need several resources about equally: each counts only by the largest of its shares",
        "those who lean on one resource that many want; what they own does not count",
        UNIT_FREE,
    ),
    "Leximin": Portrait(
        r"\max_x \min_i U_i / w_i, \text{ then the next lowest, and so on}",
        "the worst-off, whatever it takes",
        "everyone above the common level, and the mean: hard tasks take much and give little",
        UNIT_BOUND,
    ),
    "Nash": Portrait(
        r"\max_x \prod_i U_i^{w_i}",
        "those whose accuracy grows most in percent: who own little and have hard tasks",
        "those who own much or have easy tasks, whose accuracy hardly grows in percent",
        UNIT_FREE,
    ),
    "Equal-income market": Portrait(
        r"x_i \in \arg\max \{U_i : p \cdot x_i \le w_i / \textstyle\sum_j w_j\}, \quad \sum_i x_{ik} = C_k",
        "everyone who wants what others do not: trading lifts all above an equal share",
        "those with hard tasks, since money is equal and need is not",
        UNIT_FREE,
    ),
    "Certified optimum": Portrait(
        r"\sum_i w_i U_i(x) \le D(\mu) = \sum_i \max_{x_i} [w_i U_i - \mu \cdot x_i] + \mu \cdot C",
        "as under Fair-Synergy, of which it is the proved best: also where several divisions look best from nearby",
        "as under Fair-Synergy; the proof says that nothing was overlooked, not that it is fair",
        UNIT_BOUND,
    ),
}


class Standing(Enum):
    """Where an agent stands on one resource; the value is what a chart's legend says."""

    SHARING = "receives some"
    NOTHING = "receives none"
    FLOOR = "keeps to its floor"
    CEILING = "at its ceiling"
    SATURATED = "has all it can use"
    UNAVAILABLE = "none to share"


def going_price(allocations: Mapping[str, Allocation]) -> Array:
    """(m,) what the last unit adds where the fleet's total accuracy is greatest [accuracy per unit].

    Parameters
    ----------
    allocations : mapping of str to Allocation
        Rules' answers to one problem, by name, Fair-Synergy's among them.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.8], capacity=0.5, elasticity=[0.5, 0.3])
    >>> going_price({"Fair-Synergy": fs.allocate(fleet, fs.FairSynergy())}).round(3)
    array([0.645])
    """
    chosen = allocations[FairSynergy.name]
    return TotalUtility().level(chosen.problem, chosen.grant).price


def standings(allocation: Allocation) -> NDArray[np.object_]:
    """(n, m) array of `Standing`.

    Parameters
    ----------
    allocation : Allocation
        Who receives what.
    """
    problem, grant, step = allocation.problem, allocation.grant, allocation.policy.steps(allocation.problem)
    kinds = list(Standing)
    # Where grants are whole units, a limit holds that leaves no room for another one.
    full = grant + step > problem.ceiling * (1 + ROUNDING)
    least = grant - step < problem.floor * (1 - ROUNDING)
    index = np.select(
        [
            np.broadcast_to(problem.capacity == 0, grant.shape),
            allocation.holding >= problem.saturation * (1 - ROUNDING),
            np.where(step > 0, full, grant >= problem.ceiling * (1 - ROUNDING)),
            np.where(step > 0, ~least | (problem.floor == 0), grant > problem.floor * (1 + ROUNDING)) & (grant > 0),
            problem.floor > 0,
        ],
        [
            kinds.index(kind)
            for kind in (
                Standing.UNAVAILABLE, Standing.SATURATED, Standing.CEILING, Standing.SHARING, Standing.FLOOR
            )
        ],
        kinds.index(Standing.NOTHING),
    )  # fmt: skip
    standing: NDArray[np.object_] = np.array(kinds, dtype=object)[index]
    return standing


def level(allocation: Allocation) -> Array:
    """(m,) holding, over weight, to which a rule that levels holdings lifts its recipients [units]; NaN for no such
    level.

    Parameters
    ----------
    allocation : Allocation
        Of NUM, or of any other rule (then all NaN).

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.3, 0.9], capacity=0.5, elasticity=[0.9, 0.3, 0.5])
    >>> level(fs.allocate(fleet, fs.NUM())).round(3), level(fs.allocate(fleet, fs.Uniform()))
    (array([0.45]), array([nan]))
    """
    if not isinstance(allocation.policy.objective, LogHolding):
        return np.full(allocation.problem.m, np.nan)
    held = allocation.holding / allocation.problem.weight[:, None]
    return _common(held, standings(allocation) == Standing.SHARING)


def prices(allocation: Allocation) -> str:
    """What a further unit of each capacity would be worth to the rule, and what is left over, in a sentence.

    Parameters
    ----------
    allocation : Allocation
        Of any rule.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3])
    >>> prices(fs.allocate(fleet, fs.FairSynergy()))
    'A further unit of compute would add 0.95 accuracy: the going price.'
    >>> prices(fs.allocate(fleet, fs.NUM()))
    'It lifts holdings to 0.45 compute; it does not look at what a unit adds.'
    >>> prices(fs.allocate(fleet, fs.Nash()))
    'A further unit of compute would be as good as 0.50 more accuracy for everyone.'
    >>> prices(fs.allocate(fleet, fs.EqualIncomeMarket()))
    "Of all the money together, the cloud's compute costs 100 %."
    >>> prices(fs.allocate(fleet, fs.Uniform()))
    'It sets no price.'
    """
    problem, objective = allocation.problem, allocation.policy.objective
    if isinstance(allocation.policy, EqualIncomeMarket):
        money = allocation.policy.equilibrium(problem).price * problem.capacity
        costs = zip(money, problem.resources, strict=True)
        spent = " and ".join(f"the cloud's {name} costs {percent(share)}" for share, name in costs)
        said = f"Of all the money together, {spent}"
    elif allocation.price is None:
        said = "It sets no price"
    elif isinstance(objective, LogHolding):
        said = _lifts(allocation)
    else:
        said = _worths(allocation)
    left = zip(left_over(allocation), problem.resources, strict=True)
    idle = " and ".join(f"{number(rest)} {name}" for rest, name in left if rest)
    return f"{said}. Left over: {idle}." if idle else f"{said}."


def _lifts(allocation: Allocation) -> str:
    """To which level NUM lifts whom it may."""
    problem, standing = allocation.problem, standings(allocation)
    tops = zip(level(allocation), problem.resources, strict=True)
    lifted = " and ".join(f"{number(top)} {name}{_each(problem)}" for top, name in tops if not np.isnan(top))
    if not lifted:
        return "It lifts nobody"
    limited = any((standing == kind).any() for kind in (Standing.FLOOR, Standing.CEILING, Standing.SATURATED))
    aside = ", wherever no limit stands in the way" if limited else ""
    return f"It lifts holdings to {lifted}{aside}; it does not look at what a unit adds"


def _worths(allocation: Allocation) -> str:
    """What a further unit of each capacity adds to what the rule maximises."""
    problem, objective, what = allocation.problem, allocation.policy.objective, _unit(allocation)
    bought = isinstance(objective, TotalUtility)
    add, whose = "add", f" {what}"
    if isinstance(objective, WorstUtility):
        whose = f" to the common {measure({'': allocation})}{_each(problem)}"
    elif isinstance(objective, AlphaWelfare) and not bought:
        add, whose = "be as good as", f" more {measure({'': allocation})} for everyone"
    assert allocation.price is not None
    between = margins(allocation) if bought else None
    parts = []
    for k, (price, name) in enumerate(zip(allocation.price, problem.resources, strict=True)):
        if not np.isfinite(price):
            parts.append(f"of {name} would {add} more than any price")
            continue
        below, above = (price, price) if between is None else _interval(between, k, float(price))
        said = f"of {name} would {add} {number(below)}{whose}" if below else f"of {name} would add nothing"
        if above > below * (1 + OPTIMAL_WITHIN):
            said += f", while the last one adds {apart(below, above)[1]}"
        parts.append(said)
    going = ": the going price" if bought and not any("while" in said for said in parts) else ""
    return f"A further unit {', one '.join(parts)}{going}"


def _interval(worth: Margins, k: int, price: float) -> tuple[float, float]:
    """What a further unit would add, and what the last one adds; the price twice where nobody is at a limit."""
    below = max(0.0, float(worth.added[:, k].max()))
    above = float(worth.lost[:, k].min())
    if not np.isfinite(below) or not below < above * (1 - OPTIMAL_WITHIN):
        return price, price
    return below, above if np.isfinite(above) else below


def exchanges(allocation: Allocation) -> str:
    """Who receives, and whether moving some from one agent to another would add accuracy, in a sentence.

    Parameters
    ----------
    allocation : Allocation
        Of any rule.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3])
    >>> exchanges(fs.allocate(fleet, fs.FairSynergy()))
    'Under Fair-Synergy, 1 of 2 agents receives compute and no exchange of it would add accuracy.'
    >>> exchanges(fs.allocate(fleet, fs.Uniform()))
    'Under Uniform, 2 of 2 agents receive compute, but moving some from agent 2 (0.46 ...'
    """
    problem, opening = allocation.problem, f"Under {allocation.policy.label},"
    if problem.n == 1:
        return f"{opening} the only agent is granted {_listing(allocation.grant[0], problem.resources)}."
    what, worth = _unit(allocation), margins(allocation)
    # The first crumb of an easy task may seem worth any price, and be too small for a number.
    settled = allocation.status is not Status.FAILED and first_improvement(allocation) is None
    clauses = []
    for k, resource in enumerate(problem.resources):
        if problem.capacity[k] == 0:
            clauses.append(f"there is no {resource} to share")
            continue
        count, step = int((allocation.grant[:, k] > 0).sum()), worth.step[k]
        some, any_of_it = (f"{step:g}", f"a unit of {step:g}") if step else ("some", "it")
        who = f"{count} of {problem.n} agents receive{'s' * (count == 1)} {resource}"
        giver, taker = int(worth.lost[:, k].argmin()), int(worth.added[:, k].argmax())
        lost, added = worth.lost[giver, k], worth.added[taker, k]
        if settled or added <= lost * (1 + OPTIMAL_WITHIN):
            clauses.append(f"{who} and no exchange of {any_of_it} would add {what}")
            continue
        less, more = apart(lost, added)
        more = "more than any price" if np.isinf(added) else more
        clauses.append(
            f"{who}, but moving {some} from {problem.agents[giver]} ({less} {what} per unit) to "
            f"{problem.agents[taker]} ({more}) would add {what}"
        )
    return f"{opening} {'; '.join(clauses)}."


def sentences(allocation: Allocation, *, price: Array, agents: Iterable[int] | None = None) -> list[str]:
    """One sentence per agent: what it owns, what it receives, what its next unit would add, and why.

    Parameters
    ----------
    allocation : Allocation
        Of any rule.
    price : (m,) array
        The going price [accuracy per unit]: that of Fair-Synergy on the same problem.
    agents : iterable of int, optional
        Which agents, by position; default all.
    """
    fleet = _Fleet(allocation, price)
    return [fleet.sentence(i) for i in (range(allocation.problem.n) if agents is None else agents)]


def why(allocation: Allocation, *, agents: Iterable[int] | None = None) -> list[str]:
    """The `sentences` at the going price of the allocation's own problem, which is found first if need be.

    Parameters
    ----------
    allocation : Allocation
        Of any rule.
    agents : iterable of int, optional
        Which agents, by position; default all.

    Raises
    ------
    SolverError
        If there is no going price, since Fair-Synergy did not finish on the problem.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.8], capacity=0.5, elasticity=[0.5, 0.3], agents=["drone", "truck"])
    >>> why(fs.allocate(fleet, fs.Uniform()), agents=[1])
    ['truck owns 0.80 compute and receives 0.25: ... More compute would add 0.29 ..., the going price is 0.65.']
    """
    known = allocation.policy == FairSynergy()
    price = going_price({FairSynergy.name: allocation}) if known else _price_of(allocation.problem)
    return sentences(allocation, price=price, agents=agents)


@lru_cache(maxsize=16)
def _price_of(problem: Problem) -> Array:
    """The going price, found once for all rules that divide the problem."""
    return read_only(going_price({FairSynergy.name: allocate(problem, FairSynergy())}))


class _Fleet:
    """What the sentences need, computed once for all agents."""

    def __init__(self, allocation: Allocation, price: Array) -> None:
        self.allocation, self.problem, self.price = allocation, allocation.problem, price
        self.standing, self.unit = standings(allocation), _unit(allocation)
        self.step = allocation.policy.steps(self.problem)
        self.value = next_unit(self.problem, allocation.grant, self.step)
        self.lost = last_unit(self.problem, allocation.grant, self.step)
        self.reasons = allocation.policy.reasons(self.problem, allocation.grant)
        sharing = self.standing == Standing.SHARING
        self.typical = _common(allocation.holding, sharing)
        self.level = level(allocation)
        self.reached = allocation.utility / self.problem.weight
        self.common = float(_common(self.reached[:, None], sharing.any(axis=1)[:, None])[0])

    def sentence(self, i: int) -> str:
        problem = self.problem
        owns = _listing(problem.endowment[i], problem.resources)
        head = f"{problem.agents[i]} owns {owns} and receives {self._receives(i)}"
        bought = isinstance(self.allocation.policy.objective, TotalUtility)
        worth = "; ".join(self._worth(i, k, self._verdict(i, k) if bought else "") for k in range(problem.m))
        reason = "" if bought else f": {self._reason(i)}"
        return f"{head}{reason}. {worth[0].upper()}{worth[1:]}."

    def _receives(self, i: int) -> str:
        grant = self.allocation.grant[i]
        if not grant.any():
            return "nothing"
        return number(grant[0]) if self.problem.m == 1 else _listing(grant, self.problem.resources)

    def _worth(self, i: int, k: int, verdict: str) -> str:
        """What more of resource k would add, beside the going price, and what follows from the two."""
        resource, kind = self.problem.resources[k], self.standing[i, k]
        value, price = self.value[i, k], self.price[k]
        if kind is Standing.UNAVAILABLE:
            return f"the cloud has no {resource} to share"
        if kind is Standing.SATURATED:
            if self.allocation.grant[i, k] == 0:
                return f"it already owns all the {resource} it can use"
            beyond = self.allocation.holding[i, k] > self.problem.saturation[i, k] * (1 + SAME)
            return f"that is {'more' if beyond else 'all the'} {resource} {'than ' if beyond else ''}it can use"
        if value == 0:
            held = zip(self.problem.resources, self.allocation.holding[i], strict=True)
            lacks = " and ".join(f"no {name}" for name, amount in held if amount == 0)
            return f"more {resource} would add {f'nothing while it has {lacks}' if lacks else 'almost nothing'}"
        if self.step[k]:
            return self._whole(i, k)
        if np.isinf(value):
            said = f"its very first unit of {resource} would add more than any price"
            return f"{said}: {verdict}" if verdict else said
        if abs(value - price) <= OPTIMAL_WITHIN * price:
            adds, compared = number(price), "exactly the going price"
        else:
            adds, costs = apart(value, price)
            compared = f"the going price is {costs}"
        if verdict:
            compared = f"{compared}: {verdict}"
        more = f"more {resource} would add {adds} {self.unit} per unit"
        return f"{more}, {compared}" if self.problem.m == 1 else f"{more} ({compared})"

    def _whole(self, i: int, k: int) -> str:
        """What another whole unit would add, and what the last one adds; the going price is not that of units."""
        step = self.step[k]
        said = f"{step:g} more {self.problem.resources[k]} would add {number(self.value[i, k] * step)} {self.unit}"
        if np.isinf(self.lost[i, k]):
            return said
        return f"{said}, {step:g} less would cost {number(self.lost[i, k] * step)}"

    def _verdict(self, i: int, k: int) -> str:
        """Why a rule that buys at the going price stops where it does."""
        kind = self.standing[i, k]
        if kind is Standing.CEILING:
            return "its ceiling lets it have none" if self.problem.ceiling[i, k] == 0 else "it is at its ceiling"
        if kind is Standing.FLOOR:
            return "it keeps the floor it is guaranteed"
        if kind is Standing.NOTHING and self.value[i, k] < self.price[k]:
            enough = self.problem.endowment[i, k] >= self.typical[k]
            return "it has enough of its own" if enough else "others turn a unit into more"
        return ""

    def _reason(self, i: int) -> str:
        """Why a rule that does not look at the price gives agent i what it gives: the rule's reason, and limits."""
        limits = [said for k in range(self.problem.m) if (said := self._limit(i, k))]
        free = self._free(i)
        return ", and ".join([free] * bool(free) + limits) or "the cloud has nothing to share"

    def _limit(self, i: int, k: int) -> str:
        """Which limit decides what agent i gets of resource k; empty where the rule does."""
        problem, kind, name = self.problem, self.standing[i, k], self.problem.resources[k]
        grant, floor, ceiling = self.allocation.grant[i, k], problem.floor[i, k], problem.ceiling[i, k]
        if kind is Standing.UNAVAILABLE:
            return ""
        if self.allocation.policy.by_hand:
            if grant < floor * (1 - SAME):
                return f"that is less than its floor of {apart(grant, floor)[1]} {name}"
            more = grant > ceiling * (1 + SAME)
            return f"that is more than its ceiling of {apart(grant, ceiling)[1]} {name}" if more else ""
        if kind is Standing.CEILING:
            if ceiling == 0:
                return f"its ceiling lets it have no {name}"
            if floor == ceiling:
                return f"it is locked at {number(floor)} {name}"
            return f"its ceiling is {number(ceiling)} {name}"
        if kind is Standing.FLOOR or (kind is Standing.SATURATED and 0 < floor >= grant * (1 - SAME)):
            return f"it keeps its floor of {number(floor)} {name}"
        if kind is Standing.NOTHING and problem.floor[:, k].sum() >= problem.capacity[k] * (1 - SAME):
            return f"the floors of others take all {name}"
        return f"it can use no more {name}" if kind is Standing.SATURATED else ""

    def _free(self, i: int) -> str:
        """Why agent i gets what no limit decides; empty if limits decide all."""
        objective, problem = self.allocation.policy.objective, self.problem
        if self.allocation.policy.by_hand:
            return self.reasons[i]
        limited = np.array([bool(self._limit(i, k)) for k in range(problem.m)])
        free = (problem.capacity > 0) & ~limited
        if not free.any():
            return ""
        sharing = free & (self.standing[i] == Standing.SHARING)
        nothing = free & (self.standing[i] == Standing.NOTHING)
        each = _each(problem)
        if isinstance(objective, LogHolding):
            held = self.allocation.holding[i] / problem.weight[i]
            tops = zip(self.level, problem.resources, strict=True)
            levels = [f"{number(top)} {name}{each}" for top, name in tops]
            above = " and ".join(compress(levels, nothing & (held > self.level * (1 + SAME))))
            lifted = " and ".join(compress(levels, sharing & (abs(held - self.level) <= LEVEL * self.level)))
            parts = [f"it is lifted to the common level of {lifted}"] if lifted else []
            parts += [f"it already owns more than the common level of {above}"] if above else []
            return ", and ".join(parts) or self.reasons[i]
        if isinstance(objective, WorstUtility) and not np.isnan(self.common):
            stands, word = self.reached[i], measure({"": self.allocation})
            if sharing.any() and abs(stands - self.common) <= LEVEL * self.common:
                return f"it is lifted to the common {word} of {number(self.common)}{each}"
            if free.all() and nothing.all() and stands > self.common * (1 + LEVEL):
                high, low = apart(stands, self.common)
                return f"it already stands at {high}, above the common {word} of {low}{each}"
        return self.reasons[i]


def _unit(allocation: Allocation) -> str:
    """What marginals are counted in: accuracy, times weight where that is not 1; utility where it is no accuracy."""
    weighted = "weighted " if (allocation.problem.weight != 1).any() else ""
    return f"{weighted}{measure({'': allocation})}"


def _each(problem: Problem) -> str:
    """What follows a level that agents reach in proportion to their weights."""
    return " per weight" if (problem.weight != 1).any() else ""


def _common(values: Array, of: NDArray[np.bool_]) -> Array:
    """(m,) median of each column over the rows that count, NaN where none does."""
    columns = zip(values.T, of.T, strict=True)
    return np.array([np.median(column[rows]) if rows.any() else np.nan for column, rows in columns])


def _listing(amounts: Array, resources: Iterable[str]) -> str:
    parts = [f"{number(a)} {name}" if a else f"no {name}" for a, name in zip(amounts, resources, strict=True)]
    return listed(parts)
