"""One edge among its devices: multiprocessors handed out so that the worst-off device is as well off as can be.

An edge has L streaming multiprocessors (SMs). Device m pays a fixed cost, whatever the edge does, and a cost that falls
with the share l_m of the edge it is given:

    min max_m  fixed_m + falling_m / l_m    s.t.   sum_m l_m = L,   l_m whole and >= 1,

P-EDGE of FOCI (Eq. 4 and 11, with R_c = fixed and R_f = falling; costs, the paper's rewards with the other sign). The
paper calls it NP-hard; it is not. Costs fall in l_m and each depends on one l_m only, so that handing one SM after the
other to whoever is worst off is exact (Ibaraki & Katoh 1988). A price is a cost that nobody shall exceed: at price p a
device needs the least l with fixed + falling / l <= p, and the exact answer is at the lowest price whose needs add up
to L at most, which bisection finds.

Where devices outnumber SMs, every SM is cut into equal slices of time, as few as give everybody one: what is whole is
then the slice.

>>> edge = Edge(fixed=[0.3, 0.5, 0.1], falling=[2.0, 1.0, 0.5], multiprocessors=12)
>>> best = bisection(edge)
>>> best.share, round(best.worst, 3), best.optimal
(array([6., 5., 1.]), 0.7, True)
>>> print(f"equal shares: {equal_split(edge).above(best):.1%} worse; any shares: at least {edge.bound:.3f}")
equal shares: 14.3% worse; any shares: at least 0.676
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from itertools import chain, combinations
from math import comb, exp, isfinite, lgamma, log, log1p
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairsynergy.errors import ProblemError, typed
from fairsynergy.problem import Array, read_only

Reading = Literal["intended", "printed"]

# Costs and slices up to here keep every step inside what a double holds.
MOST_COST, MOST_UNITS = 1e100, 10**9
# Trying every split looks at this many numbers at most, in about a second.
MOST_NUMBERS = 4_000_000
# A need this close above a whole number, relatively, may be that number after some rounding.
HAIR = 1e-12
# What rounding may add to a price at most, relatively; a proved bound stays below it by that.
SLACK = 1e-12
# Newton's method doubles at first and then squares its error; bisection needs about as many rounds as a share has bits.
MAX_STEPS, MAX_ROUNDS = 200, 100
# How close to the best price Algorithm 1 comes before it rounds, relatively; the paper's epsilon.
TOLERANCE = 1e-3
TINY = float(np.finfo(np.float64).tiny)
EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, kw_only=True, eq=False, init=False, repr=False)
class Edge:
    """An edge and the devices connected to it, checked once; arrays are read-only.

    Parameters
    ----------
    fixed : (n,) array_like
        What each device pays whatever its share is, R_c [cost, lower is better]; between 0 and 1e100.
    falling : (n,) array_like
        What the edge's part of the work costs the device on one multiprocessor, R_f [cost]; between 0 and 1e100.
    multiprocessors : int
        Streaming multiprocessors of the edge, L; at least 1.
    slices : int, optional
        Equal parts that each multiprocessor may be cut into, at least 1. Where that is not enough for everybody to hold
        one, it is raised to the least number that is.

    Raises
    ------
    ProblemError
        On NaN, infinity, a negative cost, lengths that disagree, nobody connected, or a number of multiprocessors or
        slices that is not whole or below 1. More devices than multiprocessors is no error.

    Examples
    --------
    >>> crowded = Edge(fixed=[0.1] * 30, falling=[1.0] * 30, multiprocessors=24)
    >>> crowded.slices, crowded.units, crowded.time_sliced
    (2, 48, True)
    """

    fixed: Array
    falling: Array
    multiprocessors: int
    slices: int

    def __init__(self, *, fixed: ArrayLike, falling: ArrayLike, multiprocessors: int, slices: int = 1) -> None:
        constant, variable = _costs("fixed", fixed), _costs("falling", falling)
        if constant.shape != variable.shape:
            raise ProblemError(
                f"`falling` has {variable.size} costs, but `fixed` has {constant.size}; give one of each per device",
                field="falling",
            )
        whole, parts = _whole("multiprocessors", multiprocessors), _whole("slices", slices)
        parts = max(parts, -(-constant.size // whole))
        if whole * parts > MOST_UNITS:
            raise ProblemError(
                f"`multiprocessors` {whole} in {parts} slices each make {whole * parts}, but at most {MOST_UNITS} can "
                "be shared; give fewer",
                field="multiprocessors",
            )
        object.__setattr__(self, "fixed", read_only(constant))
        object.__setattr__(self, "falling", read_only(variable))
        object.__setattr__(self, "multiprocessors", whole)
        object.__setattr__(self, "slices", parts)

    @property
    def n(self) -> int:
        """Number of devices."""
        return int(self.fixed.size)

    @property
    def units(self) -> int:
        """What is shared, in slices; whole multiprocessors if these are not cut."""
        return self.multiprocessors * self.slices

    @property
    def most(self) -> int:
        """What one device can hold if each of the others holds one slice [slices]."""
        return self.units - self.n + 1

    @property
    def time_sliced(self) -> bool:
        """Whether devices may take turns on one multiprocessor."""
        return self.slices > 1

    @cached_property
    def per_unit(self) -> Array:
        """(n,) what the edge's part of the work costs on one slice [cost]."""
        return read_only(self.falling * self.slices)

    def cost(self, units: ArrayLike) -> Array:
        """(..., n) costs with so many slices each, for one split or a batch of them (leading axes)."""
        return np.asarray(self.fixed + self.per_unit / np.asarray(units, dtype=np.float64))

    @cached_property
    def bound(self) -> float:
        """Proved: no split has a lower worst cost, in slices or in fractions of at least one slice each.

        Whoever holds all that the others can spare still pays its cost there; and at any lower price than that of the
        continuous optimum the devices need more than there is.
        """
        return max(self._alone, _clearing(self).price * (1 - SLACK))

    @property
    def _alone(self) -> float:
        """The worst cost if every device could hold all but one slice for each of the others."""
        return float(self.cost(self.most).max())

    def __repr__(self) -> str:
        cut = f" in {self.slices} slices each" if self.time_sliced else ""
        return f"Edge({self.n} devices, {self.multiprocessors} multiprocessors{cut})"


def draw_edge(
    *,
    devices: int,
    multiprocessors: int,
    slices: int = 1,
    fixed: tuple[float, float] = (0.05, 1.0),
    falling: tuple[float, float] = (0.05, 3.0),
    seed: int = 0,
) -> Edge:
    """An edge whose costs are drawn uniformly between two ends; one more device changes none of the others.

    Parameters
    ----------
    devices, multiprocessors, slices : int
        As in `Edge`, each at least 1.
    fixed, falling : (float, float)
        Least and largest cost of each kind.
    seed : int
        Which edge is drawn, >= 0.

    Raises
    ------
    ProblemError
        If there is no device, or as `Edge` does.

    Examples
    --------
    >>> four, five = (draw_edge(devices=n, multiprocessors=24, seed=7) for n in (4, 5))
    >>> (four.fixed == five.fixed[:4]).all()
    np.True_
    """
    count = _whole("devices", devices)
    rows = [np.random.Generator(np.random.PCG64([seed, stream])).random(count) for stream in range(2)]
    costs = [low + (high - low) * row for (low, high), row in zip((fixed, falling), rows, strict=True)]
    return Edge(fixed=costs[0], falling=costs[1], multiprocessors=multiprocessors, slices=slices)


@dataclass(frozen=True, eq=False)
class Sharing:
    """Who holds how much of an edge, and what that costs; each can be judged without trusting its maker.

    Parameters
    ----------
    edge : Edge
        What was shared.
    units : (n,) array
        What each device holds [slices]; at least 1, and whole except for `equal_share` and `continuous`.
    iterations : int
        Rounds, moves or splits that were tried; 0 for a closed form.
    """

    edge: Edge
    units: Array = field(repr=False)
    iterations: int

    def __post_init__(self) -> None:
        read_only(self.units)

    @cached_property
    def share(self) -> Array:
        """(n,) what each device holds [multiprocessors]."""
        return read_only(self.units / self.edge.slices)

    @cached_property
    def cost(self) -> Array:
        """(n,) what each device pays [cost, lower is better]."""
        return read_only(self.edge.cost(self.units))

    @property
    def worst(self) -> float:
        """What the worst-off device pays; the oracle's reward of the edge with the other sign (FOCI, Eq. 4)."""
        return float(self.cost.max())

    @property
    def gap(self) -> float:
        """Proved: the worst cost is at most this fraction above the lowest there is."""
        return max(0.0, _above(self.worst, self.edge.bound))

    def above(self, other: Sharing) -> float:
        """By which fraction this worst cost is above another's; negative if it is below."""
        return _above(self.worst, other.worst)

    @cached_property
    def optimal(self) -> bool:
        """Proved: to be all below this worst cost, the devices would need more slices than there are."""
        worst = self.worst
        # Each device's least number of slices is found by bisection on that number: costs fall as computed, too.
        short = np.zeros(self.edge.n, dtype=np.int64)
        enough = np.full(self.edge.n, self.edge.most + 1, dtype=np.int64)
        while (enough - short).max() > 1:
            middle = (short + enough + 1) // 2
            below = self.edge.cost(middle) < worst
            np.copyto(enough, middle, where=below)
            np.copyto(short, middle, where=~below)
        return int(enough.sum()) > self.edge.units


def _above(worst: float, best: float) -> float:
    return worst / best - 1 if best > 0 else 0.0 if worst == best else float("inf")


def greedy(edge: Edge) -> Sharing:
    """Exact: one slice each, and every further one to whoever is then worst off, the first listed among equals.

    O(L log n) for L slices.

    Examples
    --------
    >>> greedy(Edge(fixed=[0, 0], falling=[3.0, 1.0], multiprocessors=4)).units
    array([3., 1.])
    """
    spare = edge.units - edge.n
    return Sharing(edge, _handed_out(edge.fixed, edge.per_unit, np.ones(edge.n), spare), spare)


def bisection(edge: Edge) -> Sharing:
    """Exact, and the same shares as `greedy`: by bisection on the price, whatever the number of slices.

    Examples
    --------
    >>> bisection(Edge(fixed=[0, 0], falling=[3.0, 1.0], multiprocessors=400)).units
    array([300., 100.])
    """
    units, rounds = _exact(np.zeros(edge.n, dtype=np.intp), edge.fixed, edge.per_unit, np.array([edge.units]))
    return Sharing(edge, units, rounds)


class Shares(NamedTuple):
    """What `shares` returns, for all edges at once."""

    share: Array  #: (devices,) what each device holds [multiprocessors]
    cost: Array  #: (devices,) what it pays [cost, lower is better]
    worst: Array  #: (edges,) what the worst-off device of each edge pays; 0 where nobody is connected
    slices: NDArray[np.int64]  #: (edges,) slices per multiprocessor, more than 1 where devices take turns
    rounds: int


def shares(
    *, edge: NDArray[np.intp], fixed: Array, falling: Array, multiprocessors: int | NDArray[np.int64], edges: int
) -> Shares:
    """Solve many edges at once, each exactly as `bisection` does.

    Parameters
    ----------
    edge : (devices,) array of int
        To which edge each device is connected, 0 to edges - 1; in any order.
    fixed, falling : (devices,) array
        Costs of each device as in `Edge` [cost].
    multiprocessors : int or (edges,) array of int
        Of every edge, or of each.
    edges : int
        How many there are, connected to or not.

    Returns
    -------
    Shares
        Named tuple (share, cost, worst, slices, rounds). Input is assumed valid: a simulator calls this in every slot.

    Examples
    --------
    >>> found = shares(
    ...     edge=np.array([0, 1, 0]), fixed=np.zeros(3), falling=np.array([3.0, 1.0, 1.0]), multiprocessors=4, edges=3
    ... )
    >>> found.share, found.worst
    (array([3., 4., 1.]), array([1.  , 0.25, 0.  ]))
    """
    crowd = np.bincount(edge, minlength=edges)
    slices = np.maximum(-(-crowd // multiprocessors), 1)
    cut = slices[edge]
    per_unit = falling * cut
    units, rounds = _exact(edge, fixed, per_unit, multiprocessors * slices)
    cost = fixed + per_unit / units
    worst = np.zeros(edges)
    np.maximum.at(worst, edge, cost)
    return Shares(units / cut, cost, worst, slices, rounds)


def _exact(edge: NDArray[np.intp], fixed: Array, per_unit: Array, total: NDArray[np.int64]) -> tuple[Array, int]:
    """(devices,) slices that `greedy` would give on every edge, and the rounds of bisection on all prices at once.

    Needs at a price that can be met are at most what greedy gives; needs at a price that cannot are at least that. Once
    the two differ by no more than one slice, the slices left over go to the worst off, one each.
    """
    edges = total.size
    crowd = np.bincount(edge, minlength=edges)
    most = (total - crowd + 1)[edge].astype(np.float64)
    few, many = np.ones(edge.size), most
    low, high = np.zeros(edges), np.zeros(edges)
    np.maximum.at(low, edge, fixed + per_unit / many)
    np.maximum.at(high, edge, fixed + per_unit / (total // np.maximum(crowd, 1))[edge])
    middle = high  # of equal shares, which can be met
    for rounds in range(1, MAX_ROUNDS + 1):
        price = middle[edge]
        with np.errstate(over="ignore"):
            need = np.ceil(per_unit / np.maximum(price - fixed, TINY) * (1 - HAIR))
        need = np.minimum(np.maximum(need, 1.0), most)
        need += fixed + per_unit / need > price  # it was rounded down a hair too far
        needed = np.bincount(edge, need, edges)
        met, unmet = needed <= total, needed >= total  # both, where greedy ends
        high, low = np.where(met, middle, high), np.where(unmet, middle, low)
        few, many = np.where(met[edge], need, few), np.where(unmet[edge], need, many)
        if (many - few).max(initial=0.0) <= 1:
            break
        middle = 0.5 * (low + high)
    spare = total - np.bincount(edge, few, edges).astype(np.int64)
    open_still = np.unique(edge[many - few > 1])  # where costs differ by less than rounding
    for unsettled in open_still.tolist():
        among = np.flatnonzero(edge == unsettled)
        few[among] = _handed_out(fixed[among], per_unit[among], few[among], int(spare[unsettled]))
        spare[unsettled] = 0
    if spare.any():
        worst_first = np.lexsort((-(fixed + per_unit / few), edge))
        place = np.arange(edge.size) - np.repeat(np.cumsum(crowd) - crowd, crowd)
        few[worst_first] += place < np.repeat(spare, crowd)
    return few, rounds


def _handed_out(fixed: Array, per_unit: Array, units: Array, spare: int) -> Array:
    """(n,) slices after each spare one went to whoever was then worst off, the first listed among equals."""
    constant, variable, held = fixed.tolist(), per_unit.tolist(), units.tolist()
    heap = [(-cost, i) for i, cost in enumerate((fixed + per_unit / units).tolist())]
    heapq.heapify(heap)
    for _ in range(spare):
        i = heap[0][1]
        held[i] += 1
        heapq.heapreplace(heap, (-(constant[i] + variable[i] / held[i]), i))
    return np.array(held)


class _Clearing(NamedTuple):
    price: float
    steps: int


def _clearing(edge: Edge) -> _Clearing:
    """The price at which needs, in fractions of at least one slice, add up to what there is.

    Needs are convex in the price, so that Newton's method from below stays below. It starts where even the average
    cost, weighted by what falls, cannot be lower: sum w (fixed + w / l) / sum w >= sum w fixed / sum w + sum w / L.
    """
    fixed, per_unit = edge.fixed, edge.per_unit
    heavy = float(per_unit.sum())
    price = edge._alone
    if heavy > 0:
        price = max(price, float(per_unit / heavy @ fixed) + heavy / edge.units)
    for steps in range(1, MAX_STEPS + 1):
        room = price - fixed
        wanting = per_unit > room
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            need = per_unit[wanting] / room[wanting]
            excess = need.sum() + (edge.n - need.size) - edge.units
            step = float(excess / (need / room[wanting]).sum())
        if not (isfinite(step) and step > EPSILON * price):
            break
        price += step
    return _Clearing(price, steps)


def continuous(edge: Edge) -> Sharing:
    """The best shares in fractions, at least one slice each; how far whole slices can be from what is thinkable.

    Examples
    --------
    >>> continuous(Edge(fixed=[0, 0], falling=[2.0, 1.0], multiprocessors=4)).share.round(3)
    array([2.667, 1.333])
    """
    price, steps = _clearing(edge)
    # A device whose fixed cost is nearly the price may ask for any share, by rounding alone, at the others' expense. A
    # hair above the price all needs fit.
    hair, fits = EPSILON, False
    while not fits:
        with np.errstate(over="ignore"):
            need = edge.per_unit / np.maximum(price * (1 + hair) - edge.fixed, TINY)
        beyond = np.clip(need, 1.0, edge.most) - 1
        hair, fits = 2 * hair, bool(beyond.sum() <= edge.units - edge.n)
    # Nobody may want what is left, or rounding may leave some: everyone has it in proportion.
    if beyond.sum() == 0:
        beyond = np.ones(edge.n)
    return Sharing(edge, 1 + beyond * ((edge.units - edge.n) / beyond.sum()), steps)


def equal_split(edge: Edge) -> Sharing:
    """The same number of slices for everybody; those left over, fewer than devices, to the first listed.

    Examples
    --------
    >>> equal_split(Edge(fixed=[0, 0, 0], falling=[1, 1, 1], multiprocessors=4)).units
    array([2., 1., 1.])
    """
    each, left = divmod(edge.units, edge.n)
    return Sharing(edge, each + (np.arange(edge.n) < left).astype(np.float64), 0)


def equal_share(edge: Edge) -> Sharing:
    """The same fraction of the edge for everybody, whole slices or not.

    Examples
    --------
    >>> equal_share(Edge(fixed=[0, 0, 0], falling=[1, 1, 1], multiprocessors=4)).share.round(3)
    array([1.333, 1.333, 1.333])
    """
    return Sharing(edge, np.full(edge.n, edge.units / edge.n), 0)


def algorithm_1(edge: Edge, *, reading: Reading = "intended", tolerance: float = TOLERANCE) -> Sharing:
    """Algorithm 1 of FOCI: a price on a grid, needs at that price rounded up, then slices taken back one by one.

    Line 19 says from whom to take. As *printed* it is the device whose cost then rises least, argmin R(l - 1) - R(l),
    which misses the optimum often. As the text *intended* it is the device whose cost is then lowest, argmin R(l - 1).
    That is exact with any tolerance: needs at a price too low contain the exact shares, and only what these do not
    contain is taken; from a price too high on, it is `greedy` that goes on.

    As printed it does not run. The least repairs: the divider |P| of the set of prices is half of that, and a price
    that was tested leaves the set, or the search never ends; the grid ends with its upper bound, which every edge can
    meet; the least cost of a device alone is at L - |M| + 1, not at L - |M|, which may be none; a price is tested with
    needs of at least one slice, as these are used; and slices that rounding leaves over go to the worst off, which
    the loop over a negative difference never does.

    Parameters
    ----------
    edge : Edge
        What is to be shared.
    reading : {"intended", "printed"}
        Of line 19.
    tolerance : float
        Step of the grid of prices, relative; > 0. The paper's epsilon.

    Raises
    ------
    ProblemError
        If there is no such reading, or the tolerance is not a number > 0.

    Examples
    --------
    >>> edge = Edge(fixed=[0.6, 0.3], falling=[0.5, 0.7], multiprocessors=3)
    >>> for reading in ("intended", "printed"):
    ...     found = algorithm_1(edge, reading=reading)
    ...     print(reading, found.units, found.cost.round(2), found.optimal)
    intended [2. 1.] [0.85 1.  ] True
    printed [1. 2.] [1.1  0.65] False
    """
    if reading not in get_args(Reading):
        raise ProblemError(f"`reading` must be 'intended' or 'printed', got {reading!r}", field="reading")
    if not (isinstance(tolerance, int | float) and isfinite(tolerance) and tolerance > 0):
        raise ProblemError(f"`tolerance` must be a number > 0, got {tolerance!r}; 1e-3 is usual", field="tolerance")
    fixed, per_unit, most = edge.fixed, edge.per_unit, edge.most
    lowest, highest = edge._alone, float(edge.cost(1).max())
    growth = log1p(tolerance)

    def needs(price: float) -> Array:
        with np.errstate(over="ignore"):
            return np.clip(per_unit / np.maximum(price - fixed, TINY), 1.0, most)

    def grid(i: int) -> float:
        return highest if i > steps else lowest * exp(i * growth)

    # Lines 2 to 14: the lowest price of the grid that can be met.
    steps = int((log(highest) - log(lowest)) / growth) if lowest > 0 else 0
    first, last, tested = 0, steps + 1, 0
    while first < last:
        middle = (first + last) // 2
        tested += 1
        if needs(grid(middle)).sum() <= edge.units:
            last = middle
        else:
            first = middle + 1
    # Lines 15 to 22: whole slices.
    units = np.ceil(needs(grid(last)) * (1 - HAIR))
    excess = int(units.sum()) - edge.units
    if excess <= 0:
        return Sharing(edge, _handed_out(fixed, per_unit, units, -excess), tested - excess)
    return Sharing(edge, _taken_back(edge, units, excess, reading), tested + excess)


def _taken_back(edge: Edge, units: Array, excess: int, reading: Reading) -> Array:
    """(n,) slices after line 19 has taken the excess, the first listed among equals."""
    constant, variable, held = edge.fixed.tolist(), edge.per_unit.tolist(), units.tolist()

    def regret(i: int) -> float:
        after = constant[i] + variable[i] / (held[i] - 1)
        return float(after if reading == "intended" else after - (constant[i] + variable[i] / held[i]))

    heap = [(regret(i), i) for i in range(edge.n) if held[i] > 1]
    heapq.heapify(heap)
    for _ in range(excess):
        i = heap[0][1]
        held[i] -= 1
        if held[i] > 1:
            heapq.heapreplace(heap, (regret(i), i))
        else:
            heapq.heappop(heap)
    return np.array(held)


def brute_force(edge: Edge) -> Sharing:
    """The best of all splits into whole slices, every one of them tried: the referee of the others.

    Raises
    ------
    ProblemError
        If there are too many to try.

    Examples
    --------
    >>> tried = brute_force(Edge(fixed=[0, 0, 0], falling=[3, 2, 1], multiprocessors=6))
    >>> tried.units, tried.iterations
    (array([3., 2., 1.]), 10)
    """
    log_count = lgamma(edge.units) - lgamma(edge.n) - lgamma(edge.most)
    if log_count + log(edge.n) > log(MOST_NUMBERS):
        raise ProblemError(
            f"brute force would try about 10^{log_count / log(10):.0f} splits of {edge.units} slices among {edge.n} "
            "devices; give it fewer of either, such as 24 among 6, or use `bisection`, which is exact too"
        )
    splits = _splits(edge.units, edge.n)
    costs = edge.cost(np.arange(1.0, edge.most + 1)[:, None])  # of each number of slices, for each device
    worst = costs[splits[0] - 1, 0]
    for device in range(1, edge.n):
        np.maximum(worst, costs[splits[device] - 1, device], out=worst)
    return Sharing(edge, splits[:, int(worst.argmin())].astype(np.float64), splits.shape[1])


@lru_cache(maxsize=1)  # a table of instances of one size needs them once
def _splits(units: int, n: int) -> NDArray[np.int32]:
    """(n, splits) every way to write the units as n whole numbers from 1 on, by where the line is cut."""
    count = comb(units - 1, n - 1)
    cuts = np.fromiter(chain.from_iterable(combinations(range(1, units), n - 1)), np.int32, count * (n - 1))
    return np.diff(cuts.reshape(count, n - 1).T, axis=0, prepend=np.int32(0), append=np.int32(units))


# What a page compares, by the name it shows; the exact one first.
RULES: Mapping[str, Callable[[Edge], Sharing]] = {
    "Exact": bisection,
    "Algorithm 1, intended": partial(algorithm_1, reading="intended"),
    "Algorithm 1, printed": partial(algorithm_1, reading="printed"),
    "Equal split": equal_split,
    "Equal share": equal_share,
    "Continuous": continuous,
}


def _costs(name: str, given: ArrayLike) -> Array:
    """A copy as float64, refused unless it is one row of costs."""
    try:
        raw = np.asarray(given)
        if raw.dtype.kind == "O" and not any(isinstance(entry, str) for entry in raw.flat):
            raw = raw.astype(np.float64)  # None becomes NaN, which is then named with its place
    except (TypeError, ValueError, OverflowError):
        raw = np.empty(0, dtype=object)
    if raw.dtype.kind not in "iuf" or isinstance(given, np.ma.MaskedArray):
        raise ProblemError(f"`{name}` must hold numbers, one cost per device, got {_short(given)}", field=name)
    if raw.ndim != 1 or raw.size == 0:
        raise ProblemError(
            f"`{name}` must be one row with the cost of each device, at least one, got shape {raw.shape}", field=name
        )
    costs = np.array(raw, dtype=np.float64) + 0.0  # minus zero becomes zero
    bad = ~((costs >= 0) & (costs <= MOST_COST))
    if bad.any():
        i = int(np.argmax(bad))
        more = f" (and {int(bad.sum()) - 1} more)" if bad.sum() > 1 else ""
        raise ProblemError(
            f"`{name}[{i}]` must be between 0 and {MOST_COST:g}, got {typed(costs[i])}{more}; give what the device "
            "pays, a reward with the other sign",
            field=name,
            index=(i,),
        )
    return costs


def _whole(name: str, given: object) -> int:
    if isinstance(given, int | np.integer) and not isinstance(given, bool) and given >= 1:
        return int(given)
    raise ProblemError(f"`{name}` must be a whole number >= 1, got {_short(given)}", field=name)


def _short(given: object) -> str:
    text = " ".join(repr(given).split())
    return text if len(text) <= 60 else text[:57] + "..."
