"""Prices and bids: the cloud announces prices, agents answer with what they would take, and nobody says its elasticity.

At prices mu agent i asks for the grant that is best for itself,

    x_i(mu) = argmax_{x in box_i}  w_i U_i(x) - mu . x,

from its own elasticities, endowment and limits. The cloud adds the demands up and moves the prices until they meet its
capacities. What it lowers by that is the dual function of the total accuracy,

    D(mu) = sum_i [w_i U_i(x_i(mu)) - mu . x_i(mu)] + mu . C,

convex in mu, with the gradient C - sum_i x_i(mu), and at least the total of any division at all (weak duality). Prices
at which demand meets capacity are therefore a proof, whoever found them: D is then the total itself. It is the
decentralised form that Fair-Synergy (Baser, Kale, Li and Chinchali) leaves to future work; moving prices with excess
demand is Walras's tatonnement.

Where no agent has increasing returns (s_i = sum_k gamma_ik < 1; always, with one resource), demands are continuous,
such prices exist, and the grants are those of the central rule, `FairSynergy`. Where some s_i > 1 an agent asks for
much or for nothing, and at one price it jumps from one to the other: perhaps no price clears. Then the lowest D and the
best division that demands could be made to fit say how much is missing at most.

>>> import fairsynergy as fs
>>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.5, 0.3])
>>> bidding = bid(fleet)
>>> bidding.converged, bidding.price.round(4), bidding.allocation.grant.ravel().round(4)
(True, array([0.6592]), array([0.4753, 0.0247]))
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from itertools import count
from time import perf_counter
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairsynergy.allocation import Allocation, allocate
from fairsynergy.errors import ProblemError
from fairsynergy.kernel._dual import NO_PRICE, Fleet, Leaf, whole
from fairsynergy.kernel._objective import Objective, TotalUtility
from fairsynergy.policies import Division, Policy
from fairsynergy.problem import Array, Problem, read_only

# Excess demand, as a fraction of the capacity, that is called cleared.
TOLERANCE = 1e-6
ROUNDS = 500
# A price is not moved by more than this factor's logarithm at once.
LEAP = 2.0
# A direction is cut in half this often before it is said to fail.
HALVINGS = 12
# The first of the steps of the logarithms of prices that shrink.
SHRINKING = 0.2
# Of the promised fall of D, what a step must bring (Armijo 1966), beside what rounding hides.
PROMISED, ROUNDING = 1e-4, 1e-13
# Added to a matrix of slopes, relatively, where nobody's demand moves with a price.
RIDGE = 1e-9
# Demands are made to fit together, until they are this many numbers.
TOGETHER = 200_000
# Rounds that somebody listens to, and the largest 1 / (1 - gamma) that is looked for.
HEARD, STEEPEST = 30, 1e6
# So many of the last rounds tell whether prices cycle.
RECENT = 20


class Repair(Enum):
    """How demands became grants; the value is the sentence shown to the user."""

    CUT = "What everybody asked for above its floor was scaled by one factor per resource, down or up, to fit."
    QUEUE = "Demands were served in full, the greatest gain per money first, until a capacity ended; others got none."


class Revealed(NamedTuple):
    """What one agent told the cloud, in numbers; and how many the central rule would have to know of it."""

    per_round: int
    rounds: int
    central: int

    @property
    def total(self) -> int:
        """All numbers that an agent sent."""
        return self.per_round * self.rounds


class Answer(NamedTuple):
    """A fleet's answer to prices: used (m,), its slopes (m, m) in the logarithms of the prices if asked for, and D.

    All are sums of what agents send; D needs what their demands are worth to them.
    """

    used: Array
    slope: Array | None
    bound: float


class _Over(Exception):  # the auction's end, not an error
    """Prices clear, or there have been enough rounds."""


Ask = Callable[[Array], Answer]


class Method(ABC):
    """How the cloud moves prices. Frozen records subclass it.

    Attributes
    ----------
    name, sentence : str
        For a reader.
    slopes : bool
        Whether agents also say how their demand changes with the price.
    """

    name: ClassVar[str]
    sentence: ClassVar[str]
    slopes: ClassVar[bool] = False

    @abstractmethod
    def search(self, ask: Ask, price: Array, scarce: NDArray[np.intp], capacity: Array) -> None:
        """Ask at prices (m,), moving those of the scarce resources, until the cloud ends it; return to give up."""


@dataclass(frozen=True)
class Tatonnement(Method):
    """Prices follow excess demand: each logarithm moves by step times how far demand is from capacity.

    With r = demand / capacity, the distance is log r where too much is asked for, r - 1 where too little.

    Parameters
    ----------
    step : float
        > 0. `safe_step` says which steps are proved to clear.

    Raises
    ------
    ProblemError
        If the step is not a positive number.

    Notes
    -----
    One resource. Let u = log mu and f(u) the distance at price exp(u). An agent strictly between its limits holds
    h = (w gamma / mu)^(1 / (1 - gamma)), so dh/du = -h / (1 - gamma); the others do not move. So f falls, and

        |f'(u)| = sum_inside h_i / (1 - gamma_i) / max(demand, C)   <=   (1 + E / C) max_i 1 / (1 - gamma_i)   =   L,

    for the holdings of those inside add up to at most the demand and all that the fleet owns, E. (Where demand is
    below C the sum is at most (C + E) max 1/(1 - gamma) over C; where it is above, the logarithm divides by demand.)
    By the mean value theorem a round multiplies u's distance to a clearing price by 1 - step |f'|, between 1 - step L
    and 1. With step <= 1/L prices approach from one side, a bounded monotone sequence whose limit must be a zero of f;
    with step < 2/L the distance still falls in every round that does not clear, and ends at zero by continuity. Near
    the end a round leaves the factor 1 - step |f'|.

    Two resources without increasing returns. D's Hessian in mu is sum_i of diag(h_k / mu_k) + h h' / (w U (1 - s)) on
    the holdings inside, at most diag(sum_i h_ik / (1 - s_i) / mu_k) by Cauchy-Schwarz: D is smooth relative to the
    entropy sum_k C_k (mu_k log mu_k - mu_k), of which this is mirror descent. Close to clearing steps below 2/L
    converge, with 1 - s_i for 1 - gamma_i and the largest E_k / C_k.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.5, 0.3])
    >>> bid(fleet, Tatonnement(step=0.2)).converged
    True
    """

    step: float = 0.1

    name: ClassVar[str] = "Follow the excess"
    sentence: ClassVar[str] = "Each price rises while more is asked for than there is, and falls while less is."

    def __post_init__(self) -> None:
        _positive("step", self.step, "0.1 is a careful step, and `safe_step` says which are proved to clear")

    def search(self, ask: Ask, price: Array, scarce: NDArray[np.intp], capacity: Array) -> None:
        while True:
            used = ask(price).used
            price = price.copy()
            price[scarce] *= np.exp(np.clip(self.step * _pull(used[scarce] / capacity[scarce]), -LEAP, LEAP))


@dataclass(frozen=True)
class Newton(Method):
    """Prices jump to where demand would meet capacity if it went on as it changes now; agents say how it changes.

    Notes
    -----
    One scarce resource. Demand falls in its price, so two prices bracket every clearing one: the highest at which too
    much was asked for, and the lowest at which too little. A step that leaves the bracket, or that has not halved since
    the last but one, is replaced by the bracket's middle (of logarithms), so the bracket shrinks to a point; where
    demand is continuous it clears there. If it jumps at that point, no price clears, and the search says so.

    Two. Newton's direction of D, a descent direction since D is convex, is halved until D falls by a fraction of what
    it promised; D is smooth where s_i < 1 and agents are inside their limits, and then this converges to its minimum,
    from near it quadratically. Where demands jump the direction fails; after `HALVINGS` in vain, prices follow the
    excess in steps that shrink as 1 / sqrt(t). These bring D to its minimum whatever its kinks (Shor's subgradient
    method, in logarithms), but no nearer to a clearing price than there is one.
    """

    name: ClassVar[str] = "Newton"
    sentence: ClassVar[str] = "Agents also say how their demand changes with the price, and prices jump ahead."
    slopes: ClassVar[bool] = True

    def search(self, ask: Ask, price: Array, scarce: NDArray[np.intp], capacity: Array) -> None:
        if len(scarce) == 1:
            self._bracket(ask, price, int(scarce[0]), capacity)
        else:
            self._descend(ask, price, capacity)

    def _bracket(self, ask: Ask, price: Array, k: int, capacity: Array) -> None:
        at, total = float(np.log(price[k])), float(capacity[k])
        below, above = -np.inf, np.inf
        leap, steps = 1.0, [np.inf, np.inf]
        while above - below > 4 * np.spacing(abs(at)):
            price = price.copy()
            price[k] = np.exp(at)
            answer = ask(price)
            assert answer.slope is not None  # asked for
            ratio, slope = float(answer.used[k]) / total, -float(answer.slope[k, k]) / total
            if ratio > 1:
                below = at
                slope /= ratio
            else:
                above = at
            step = float(_pull(np.array(ratio))) / slope if slope > 0 else np.inf
            if not (below < at + step < above and abs(step) <= 0.5 * steps[0]) and np.isfinite(below + above):
                step = 0.5 * (below + above) - at
            elif not np.isfinite(below + above) and abs(step) > leap:
                step, leap = np.copysign(leap, ratio - 1), 2 * leap
            steps = [steps[1], abs(step)]
            at += step

    def _descend(self, ask: Ask, price: Array, capacity: Array) -> None:
        now = ask(price)
        while True:
            assert now.slope is not None  # asked for
            excess = now.used - capacity
            down = -price * excess  # D's slopes in the logarithms of the prices
            curve = -price[:, None] * now.slope
            curve = 0.5 * (curve + curve.T) + RIDGE * np.diag(price * (capacity + now.used))
            # From far below, the logarithm of demand is straighter than demand; from near, both are the same.
            wish = price * np.maximum(now.used, capacity) * _pull(now.used / capacity)
            for aim in (wish, price * excess):
                way = np.linalg.solve(curve, aim)
                if down @ way < 0:
                    break
            way *= min(1.0, LEAP / np.max(np.abs(way)))
            part = 1.0
            for _ in range(HALVINGS):
                trial = price * np.exp(part * way)
                answer = ask(trial)
                fall = now.bound - answer.bound
                if fall >= -PROMISED * part * float(down @ way) - ROUNDING * now.bound:
                    break
                part /= 2
            else:
                self._shrink(ask, price, capacity)
            price, now = trial, answer

    def _shrink(self, ask: Ask, price: Array, capacity: Array) -> None:
        for turn in count(1):
            price = price * np.exp(SHRINKING / turn**0.5 * _pull(ask(price).used / capacity))


@dataclass(frozen=True, eq=False)
class Announced(Policy):
    """Grants that bidding ended with, and the announced prices (m,), which prove what the total can be at most."""

    grant: Array
    price: Array
    rounds: int

    name: ClassVar[str] = "Prices and bids"
    sentence: ClassVar[str] = "Everybody takes what is best for itself at one price, and the price sells everything."
    objective: ClassVar[Objective | None] = TotalUtility()

    def divide(self, problem: Problem) -> Division:
        return Division(self.grant, self.rounds, Leaf(self.price))


@dataclass(frozen=True, eq=False)
class Bidding:
    """An auction from its first price to its end. Made by `bid`.

    Parameters
    ----------
    problem, method, tolerance : Problem, Method, float
        What was asked. Each agent knew its own row of the problem, the cloud only the capacities.
    prices : (r, m) array
        What was announced in each round [accuracy per unit]; in the first, nothing.
    used : (r, m) array
        What all asked for together [units of each resource].
    bound : (r,) array
        D at each round's prices: no division has a greater total.
    achieved : (r,) array
        Total of the best grants that each round's demands could be made to fit.
    converged : bool
        Whether, in the last round, demand met every capacity within the tolerance, or a resource was free and enough.
    granted_in : int
        The round whose demands became the grants, from 0.
    repair : Repair
        How they were made to fit.
    moved : (m,) array
        How much of each capacity that changed, as a fraction.
    lost : float
        How much less the grants are worth than what was asked for, relatively; negative if capacity left was added.
    allocation : Allocation
        The grants, with their certificate: its proof is the price.
    seconds : float
        Time of all rounds.
    """

    problem: Problem
    method: Method
    tolerance: float
    prices: Array = field(repr=False)
    used: Array = field(repr=False)
    bound: Array = field(repr=False)
    achieved: Array = field(repr=False)
    converged: bool
    granted_in: int
    repair: Repair
    moved: Array
    lost: float
    allocation: Allocation = field(repr=False)
    seconds: float

    @property
    def rounds(self) -> int:
        """How often prices were announced."""
        return len(self.prices)

    @property
    def price(self) -> Array:
        """(m,) the clearing price; where none was found, that of the lowest bound."""
        return np.asarray(self.prices[-1 if self.converged else int(np.argmin(self.bound))])

    @cached_property
    def excess(self) -> Array:
        """(r, m) demand above the capacity, as a fraction of it; of a capacity of nothing, 0 or infinite."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return read_only(np.nan_to_num(self.used / self.problem.capacity - 1, nan=0.0, posinf=np.inf))

    @cached_property
    def gap(self) -> Array:
        """(r,) at most this fraction of the best total is missing from the best grants known after each round.

        Where prices cleared, the last is that of the last round alone: its grants and its price are the answer. Within
        the tolerance, an earlier round may have had better ones.
        """
        bound, achieved = np.minimum.accumulate(self.bound), np.maximum.accumulate(self.achieved)
        if self.converged:
            bound[-1], achieved[-1] = self.bound[-1], self.achieved[-1]
        part = np.divide(achieved, bound, out=np.ones_like(bound), where=bound > 0)
        return read_only(np.maximum(1 - part, 0.0))

    @property
    def revealed(self) -> Revealed:
        """What each agent told: per round its demands, what they are worth to it and, for Newton, their slopes."""
        problem, m = self.problem, self.problem.m
        limits = (problem.floor.any(), np.isfinite(problem.ceiling).any(), np.isfinite(problem.saturation).any())
        weighted = bool((problem.weight != 1).any())
        slopes = m * (m + 1) // 2 if self.method.slopes else 0
        return Revealed(m + 1 + slopes, self.rounds, m * (2 + sum(map(bool, limits))) + weighted)

    @property
    def swing(self) -> Array:
        """(2, m) least and greatest demand of the last rounds, as fractions of the capacity."""
        recent = 1 + self.excess[-min(RECENT, max(self.rounds - 1, 1)) :]
        return np.stack([recent.min(axis=0), recent.max(axis=0)])

    @property
    def sentence(self) -> str:
        """How it ended, in a sentence."""
        rounds = f"{self.rounds} round{'s' * (self.rounds > 1)}"
        if self.converged and not self.price.any():
            return f"After {rounds}: there is enough for everybody at no price."
        if self.converged:
            return f"After {rounds} demand meets every capacity within {self.tolerance:g} of it."
        low, high = self.swing
        k = int(np.argmax(high - low))
        resource = self.problem.resources[k]
        ends = f"in the last rounds demand for {resource} went from {low[k]:.5g} to {high[k]:.5g} times the capacity"
        return f"No clearing price after {rounds}: {ends}; at most {self.gap[-1]:.2g} of the best total is missing."

    def demand(self, turn: int) -> Array:
        """(n, m) what each agent asked for in a round, counted from 0."""
        return demand(self.problem, self.prices[turn])


def demand(problem: Problem, price: ArrayLike) -> Array:
    """(n, m) what each agent would take at prices (m,), from its own row of the problem alone; never more than all.

    Parameters
    ----------
    problem : Problem
        With one or two resources.
    price : (m,) array_like
        One per resource [accuracy per unit], >= 0.

    Raises
    ------
    ProblemError
        If there are more resources, or the prices are not one amount for each.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.5, 0.3])
    >>> demand(fleet, 1.0).ravel().round(3)
    array([0.15, 0.  ])
    """
    _handled(problem)
    grant, _ = Fleet(problem).respond(whole(problem), _prices(problem, "price", price)[:, None])
    return np.asarray(grant.T)


def safe_step(problem: Problem) -> float | None:
    """Largest step 1/L with which `Tatonnement` is proved to approach from one side; below twice as much, to clear.

    None where an agent has constant or increasing returns: demand may then jump. It is worked out from what agents
    keep to themselves; a cloud would know a bound on elasticities and on what a fleet owns.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> safe_step(fs.Problem(endowment=[0.1, 0.4], capacity=0.5, elasticity=[0.5, 0.3]))
    0.25
    """
    slack = float(1 - problem.elasticity.sum(axis=1).max())
    some = problem.capacity > 0
    if slack <= 0 or not some.any():
        return None
    own = problem.endowment.sum(axis=0)[some] / problem.capacity[some]
    return slack / (1 + float(own.max()))


def bid(
    problem: Problem,
    method: Method | None = None,
    *,
    start: ArrayLike | None = None,
    tolerance: float = TOLERANCE,
    rounds: int = ROUNDS,
) -> Bidding:
    """Announce prices and collect bids until demand meets capacity.

    The first price is nothing at all: a resource of which all would then take no more than there is stays free. For the
    others the cloud starts where half of all that they would be worth for nothing pays for one of its capacities.

    Parameters
    ----------
    problem : Problem
        With one or two resources. Agents answer from their own rows.
    method : Method, optional
        How prices move; by default `Newton()`.
    start : (m,) array_like, optional
        Prices to start from, such as the last ones of a similar fleet [accuracy per unit]; where 0, as without.
    tolerance : float
        Excess demand, as a fraction of the capacity, at which it ends, > 0.
    rounds : int
        How often prices are announced at most, >= 1.

    Raises
    ------
    ProblemError
        If there are more than two resources, or an argument is outside its range.

    Returns
    -------
    Bidding
        Its allocation is feasible, whether the prices clear or not. O(n m) per round.
    """
    method = method or Newton()
    _handled(problem)
    _positive("tolerance", tolerance, "1e-6 leaves a millionth of a capacity")
    if not isinstance(rounds, int | np.integer) or isinstance(rounds, bool) or rounds < 1:
        raise ProblemError(f"`rounds` must be a whole number >= 1, got {rounds!r}", field="rounds")
    begin = np.zeros(problem.m) if start is None else _prices(problem, "start", start)
    begun = perf_counter()
    cloud = _Cloud(problem, tolerance, int(rounds), slopes=method.slopes)
    try:
        opening = cloud.ask(np.zeros(problem.m))
        scarce = np.flatnonzero(opening.used > problem.capacity)
        guess = np.zeros(problem.m)
        guess[scarce] = max(opening.bound, NO_PRICE) / (2 * len(scarce) * problem.capacity[scarce])
        guess[scarce] = np.where(begin[scarce] > 0, begin[scarce], guess[scarce])
        method.search(cloud.ask, guess, scarce, problem.capacity)
    except _Over:
        pass
    return cloud.close(method, perf_counter() - begun)


class Rebidding(NamedTuple):
    """Bidding anew after something changed: from the last prices, and as if nothing were known."""

    warm: Bidding
    cold: Bidding


def rebid(previous: Bidding, problem: Problem, *, rounds: int = ROUNDS) -> Rebidding:
    """Bid again for a fleet that changed: agents joined, left, or are not what they were.

    Parameters
    ----------
    previous : Bidding
        Whose last prices are announced first, and whose method and tolerance are used.
    problem : Problem
        The fleet now; with as many resources.
    rounds : int
        Of each bidding at most.

    Raises
    ------
    ProblemError
        If the number of resources changed.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.3, 0.2], capacity=0.5, elasticity=[0.5, 0.3, 0.6])
    >>> richer = fs.Problem(endowment=[0.1, 0.3, 0.2], capacity=0.52, elasticity=[0.5, 0.3, 0.6])
    >>> again = rebid(bid(fleet, Tatonnement()), richer)
    >>> again.warm.converged, again.warm.rounds < again.cold.rounds
    (True, True)
    """
    if problem.m != previous.problem.m:
        raise ProblemError(
            f"the fleet now has {problem.m} resources, but prices are known for {previous.problem.m}; bid anew",
            field="problem",
        )

    def run(start: Array | None) -> Bidding:
        return bid(problem, previous.method, start=start, tolerance=previous.tolerance, rounds=rounds)

    return Rebidding(run(previous.price), run(None))


def in_size(problem: Problem, agents: int) -> Problem:
    """The fleet's agents taken in turn, again and again, until there are so many; capacities in proportion.

    Twice the fleet with twice the capacity asks for twice as much at any price, so it clears in the same rounds.

    Raises
    ------
    ProblemError
        If floors of a part of the fleet exceed its part of the capacity.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> in_size(fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.5, 0.3]), 3)
    Problem(3 agents, capacity compute 0.75)
    """
    rows = np.arange(agents) % problem.n
    capacity = problem.capacity * (agents / problem.n)
    return Problem(**problem.rows(rows), capacity=capacity, resources=problem.resources)


def turnover(problem: Problem, *, leave: int = 0, join: int = 0) -> Problem:
    """The fleet after its first agents left and others joined: twins, by turns, of those who stay; the capacity stays.

    Raises
    ------
    ProblemError
        If nobody would stay, a number is negative, or floors then exceed a capacity.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.5, 0.3], agents=["drone", "truck"])
    >>> turnover(fleet, leave=1, join=2).agents
    ('truck', 'newcomer 1', 'newcomer 2')
    """
    if not 0 <= leave < problem.n or join < 0:
        raise ProblemError(
            f"of {problem.n} agents {leave} cannot leave and {join} join; give numbers >= 0, and let one stay",
            field="leave",
        )
    stay = np.arange(leave, problem.n)
    rows = np.concatenate([stay, np.resize(stay, join)])
    numbers = (f"newcomer {i}" for i in count(1))
    taken = set(problem.agents)
    new = [name for name, _ in zip((name for name in numbers if name not in taken), range(join), strict=False)]
    return Problem(
        **problem.rows(rows),
        capacity=problem.capacity,
        agents=[*problem.agents[leave:], *new],
        resources=problem.resources,
    )


def overheard(bidding: Bidding) -> Array:
    """(n,) elasticities that a curious cloud could work out from single bids, one resource; NaN where it could not.

    An agent strictly inside its limits asks for (w gamma / mu)^p - e, with p = 1 / (1 - gamma): three unknowns, so
    three such bids give it away. Nobody says its elasticity, but only a cloud that sees nothing but sums does not learn
    it; sums are all that moving the prices needs.

    Parameters
    ----------
    bidding : Bidding
        Over one resource; of its rounds some `HEARD` are listened to.

    Raises
    ------
    ProblemError
        If there are more resources.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.5, 0.3])
    >>> overheard(bid(fleet, Tatonnement())).round(4)
    array([0.5, 0.3])
    """
    problem = bidding.problem
    if problem.m != 1:
        raise ProblemError(f"listening in is worked out for one resource, got {problem.m}", field="endowment")
    announced = np.unique(bidding.prices[bidding.prices > 0])
    gamma = np.full(problem.n, np.nan)
    if len(announced) < 3:
        return gamma
    announced = announced[np.unique(np.linspace(0, len(announced) - 1, HEARD).round().astype(int))]
    box = whole(problem)
    asked = np.stack([demand(problem, price)[:, 0] for price in announced])
    inside = (asked > box.low[:, 0]) & (asked < box.high[:, 0])
    rank = np.cumsum(inside, axis=0)
    heard = np.flatnonzero(rank[-1] >= 3)
    if not len(heard):
        return gamma
    times = rank[-1, heard]
    # Of the prices at which an agent was inside: the lowest, the middle one and the highest.
    rows = [np.argmax(rank[:, heard] >= which, axis=0) for which in (np.ones_like(times), (times + 1) // 2, times)]
    x1, x2, x3 = (asked[row, heard] for row in rows)
    u1, u2, u3 = (np.log(announced[row]) for row in rows)
    low, high = np.zeros(len(heard)), np.full(len(heard), np.log(STEEPEST))
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        ratio = (x1 - x2) / (x2 - x3)
        for _ in range(60):  # bisection on log p: the ratio grows with p
            middle = 0.5 * (low + high)
            p = np.exp(middle)
            less = np.expm1(p * (u2 - u1)) / -np.expm1(-p * (u3 - u2)) < ratio
            low, high = np.where(less, middle, low), np.where(less, high, middle)
    gamma[heard] = 1 - np.exp(-0.5 * (low + high))
    return gamma


class _Best(NamedTuple):
    """The best grants so far: their total, in which round, asked for (n, m), granted (n, m), how."""

    total: float
    turn: int
    asked: Array
    grant: Array
    repair: Repair


class _Cloud:
    """Announces, adds up, remembers; ends the auction when demand fits. Grants are (n, m)."""

    def __init__(self, problem: Problem, tolerance: float, rounds: int, *, slopes: bool) -> None:
        self.problem, self.tolerance, self.rounds, self.slopes = problem, tolerance, rounds, slopes
        self.fleet, self.box = Fleet(problem), whole(problem)
        self.base = problem.weight * problem.utility(problem.floor)
        self.prices: list[Array] = []
        self.answers: list[Answer] = []
        self.waiting: list[tuple[Array, Array]] = []  # demands (n, m) and worths (n,) that are not made to fit yet
        self.achieved: list[float] = []
        self.converged = False
        self.best: _Best | None = None

    def ask(self, price: Array) -> Answer:
        """One round. Raises `_Over` after the last."""
        capacity = self.problem.capacity
        answered, worth = self.fleet.respond(self.box, price[:, None])
        used = np.add.reduce(answered, axis=1)
        bound = float(np.add.reduce(worth) + price @ (capacity - used))
        answer = Answer(used, self._slope(answered.T) if self.slopes else None, bound)
        self.prices.append(read_only(price))
        self.answers.append(answer)
        self.waiting.append((answered.T, worth))
        if len(self.waiting) * answered.size >= TOGETHER:
            self._fit()
        excess = used - capacity
        self.converged = bool(np.all((np.abs(excess) <= self.tolerance * capacity) | ((excess <= 0) & (price == 0))))
        if self.converged or len(self.prices) >= self.rounds:
            raise _Over
        return answer

    def _slope(self, asked: Array) -> Array:
        """d used_k / d log price_l. Inside its limits an agent holds h_k with log h_k = log(w gamma_k U / price_k)."""
        problem = self.problem
        inside = (asked > self.box.low) & (asked < self.box.high)
        held = np.where(inside, problem.endowment + asked, 0.0)
        gamma = np.where(inside, problem.elasticity, 0.0)
        slack = 1 - gamma.sum(axis=1, keepdims=True)
        share = np.divide(gamma, slack, out=np.zeros_like(gamma), where=slack > 0)
        return np.asarray(-np.diag(held.sum(axis=0)) - held.T @ share)

    def _fit(self) -> None:
        """Make the demands of the rounds that wait fit, each in the better of two ways; keep the best grants of all."""
        problem, first = self.problem, len(self.achieved)
        asked, worth = (np.stack(each) for each in zip(*self.waiting, strict=True))
        self.waiting.clear()
        cut = _cut(problem, asked)
        total = problem.utility(cut) @ problem.weight
        used = asked.sum(axis=1)
        over = np.flatnonzero((used > problem.capacity * (1 + self.tolerance)).any(axis=1))
        queued = _queue(problem, asked[over], worth[over] - self.base, np.stack(self.prices[first:])[over])
        other = np.full(len(asked), -np.inf)
        other[over] = problem.utility(queued) @ problem.weight
        reached = np.maximum(total, other)
        self.achieved += reached.tolist()
        turn = len(reached) - 1 - int(np.argmax(reached[::-1]))  # the last of equals
        if self.best is None or reached[turn] >= self.best.total:
            in_turn = other[turn] > total[turn]
            grant = queued[np.searchsorted(over, turn)] if in_turn else cut[turn]
            repair = Repair.QUEUE if in_turn else Repair.CUT
            self.best = _Best(float(reached[turn]), first + turn, asked[turn], grant, repair)

    def close(self, method: Method, seconds: float) -> Bidding:
        """The record. Where prices clear, the last round's demands are the grants, else those of the best round."""
        problem, last = self.problem, self.waiting[-1][0] if self.waiting else None
        if self.waiting:
            self._fit()
        best = self.best
        assert best is not None  # there is a first round
        if self.converged:
            asked = demand(problem, self.prices[-1]) if last is None else last
            best = _Best(self.achieved[-1], len(self.prices) - 1, asked, _cut(problem, asked), Repair.CUT)
        bound = np.array([answer.bound for answer in self.answers])
        proof = self.prices[-1] if self.converged else self.prices[int(np.argmin(bound))]
        wanted = float(problem.weight @ problem.utility(best.asked))
        unit = np.where(problem.capacity > 0, problem.capacity, 1.0)
        return Bidding(
            problem=problem,
            method=method,
            tolerance=self.tolerance,
            prices=read_only(np.stack(self.prices)),
            used=read_only(np.stack([answer.used for answer in self.answers])),
            bound=read_only(bound),
            achieved=read_only(np.array(self.achieved)),
            converged=self.converged,
            granted_in=best.turn,
            repair=best.repair,
            moved=read_only(np.abs(best.grant - best.asked).sum(axis=0) / unit),
            lost=1 - best.total / wanted if wanted > 0 else 0.0,
            allocation=allocate(problem, Announced(read_only(best.grant), proof, len(self.prices))),
            seconds=seconds,
        )


def _cut(problem: Problem, asked: Array) -> Array:
    """Grants (..., n, m): demands above floors, by one factor per resource; nobody takes what it has no use for.

    What was left by those who asked for some is shared out in proportion to that.
    """
    extra = asked - problem.floor
    left = np.maximum(problem.capacity - problem.floor.sum(axis=0), 0.0)
    wanted = extra.sum(axis=-2)
    over = wanted > left
    down = np.divide(left, wanted, out=np.ones_like(wanted), where=over)[..., None, :]
    # Shares of what was left, not a factor: beside a crumb of a demand the factor may be beyond any number.
    sharing = np.where((asked < problem.upper) & ~over[..., None, :], extra, 0.0)
    together = sharing.sum(axis=-2)[..., None, :]
    share = np.divide(sharing, together, out=np.zeros_like(sharing), where=together > 0)
    more = np.maximum(left - wanted, 0.0)[..., None, :] * share
    grant = np.where(over[..., None, :], problem.floor + extra * down, asked + more)
    return np.asarray(np.minimum(grant, np.maximum(asked, problem.upper)))


def _queue(problem: Problem, asked: Array, gain: Array, price: Array) -> Array:
    """Grants (r, n, m): demands in full, by gain per money, until a capacity ends, and nothing for whom it is too late.

    Parameters
    ----------
    problem : Problem
        The fleet.
    asked : (r, n, m) array
        The demands of each round.
    gain : (r, n) array
        What they are worth to each beyond its floors.
    price : (r, m) array
        At which they were made.
    """
    extra = asked - problem.floor
    cost = (extra * price[:, None]).sum(axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(cost > 0, gain / cost, np.where(gain > 0, np.inf, -np.inf))
    order = np.argsort(-rate, axis=1, kind="stable")[..., None]
    wanted = np.take_along_axis(extra, order, axis=1)
    left = np.maximum(problem.capacity - problem.floor.sum(axis=0), 0.0)
    served = np.clip(left - (np.cumsum(wanted, axis=1) - wanted), 0.0, wanted)
    grant = np.empty_like(asked)
    np.put_along_axis(grant, order, served, axis=1)
    return _cut(problem, problem.floor + grant)


def _pull(ratio: Array) -> Array:
    """How far demand is from capacity: log of their ratio above 1, the ratio less 1 below."""
    return np.asarray(np.where(ratio > 1, np.log(np.maximum(ratio, 1.0)), ratio - 1))


def _handled(problem: Problem) -> None:
    if problem.m > 2:
        raise ProblemError(
            f"bidding handles one or two resources, got {problem.m} ({', '.join(problem.resources)}); what an agent "
            "would take at given prices is worked out exactly for these only, so leave some resources out",
            field="endowment",
        )


def _prices(problem: Problem, name: str, given: ArrayLike) -> Array:
    value = np.asarray(given)
    if value.ndim == 0:
        value = value[None]
    if value.dtype.kind not in "iuf" or value.shape != (problem.m,) or not (np.isfinite(value) & (value >= 0)).all():
        raise ProblemError(
            f"`{name}` must be one finite price >= 0 per resource, shape ({problem.m},), got {given!r}; 0 is free",
            field=name,
        )
    return np.array(value, dtype=np.float64)


def _positive(name: str, given: float, advice: str) -> None:
    number = isinstance(given, int | float | np.integer | np.floating) and not isinstance(given, bool)
    if not (number and np.isfinite(given) and given > 0):
        raise ProblemError(f"`{name}` must be a finite number > 0, got {given!r}; {advice}", field=name)


METHODS: dict[str, Method] = {method.name: method for method in (Newton(), Tatonnement())}
