"""What one or two resources cannot do better than: proved bounds on the total accuracy, concave or not.

Prices mu >= 0 couple the agents, and nothing else does. Whatever the prices, and whatever boxes B_i hold the grants,

    D(mu) = sum_i max_{x in B_i} [w_i U_i(x) - mu . x]  +  mu . C

is at least the best total within the boxes (weak duality). The inner maximum is exact and in closed form: an agent
with increasing returns (gamma_1 + gamma_2 > 1) has no interior maximum, so its best point lies on an edge of its box,
where one holding is fixed and the other is a concave problem of one variable. With decreasing returns the interior
stationary point, log h_k = log(w gamma_k / mu_k) + log U, is a candidate too.

D is convex in mu. Each response of the fleet to a price is a cut under it (Kelley 1960); a linear program over the
cuts says where to ask next, and its multipliers mix the responses into grants that meet the capacities
(Dantzig and Wolfe 1960). What separates a mix from a real division is the few agents it sends to two places at once.

>>> import fairsynergy as fs
>>> fleet = fs.Problem(endowment=[[0.1, 0.1]] * 2, capacity=[1, 1], elasticity=[[0.9, 0.8], [0.3, 0.4]])
>>> allocation = fs.allocate(fleet, fs.FairSynergy())
>>> lowest_bound(fleet, allocation.price) >= allocation.total
True
"""

from __future__ import annotations

from copy import copy
from typing import NamedTuple

import highspy
import numpy as np
from numpy.typing import NDArray

from fairsynergy.errors import SolverError
from fairsynergy.kernel._batch import Fleets
from fairsynergy.problem import Array, Problem

# Of the bound, relatively: a search that can gain no more than this ends.
WORTHWHILE = 1e-6
MAX_ROUNDS = 60
# Between the best price so far (0) and the one the program proposes (1); halfway keeps the search from swinging.
STEP = 0.5
# Stand in for no price at all, whose logarithm is not finite, and for one at which nobody takes more than it must.
NO_PRICE, PROHIBITIVE = 1e-300, 1e150
# A capacity of which no more than this fraction is left counts as spent.
ROUNDING = 1e-9
# In a mix, a response with a smaller share is rounding.
LEAST_SHARE = 1e-9


class Box(NamedTuple):
    """Limits of every grant: two (n, 2) arrays [units of the resource]."""

    low: Array
    high: Array

    def split(self, agent: int, resource: int, at: float) -> tuple[Box, Box]:
        """The boxes in which an agent's grant is at most, and at least, a value."""
        low, high = self.low.copy(), self.high.copy()
        low[agent, resource] = high[agent, resource] = at
        return Box(self.low, high), Box(low, self.high)


def whole(problem: Problem) -> Box:
    """The box of every division: nobody receives more than there is, and more than saturates adds nothing."""
    spare = np.maximum(problem.capacity - problem.floor.sum(axis=0), 0.0)
    return Box(problem.floor, np.minimum(problem.upper, problem.floor + spare))


class Fleet:
    """What the agents of a problem with one or two resources answer to prices; arrays are (m, n), by resource."""

    def __init__(self, problem: Problem | _Crowd) -> None:
        self.capacity, self.own = problem.capacity, problem.endowment.T
        self.gamma, self.useful = problem.elasticity.T, np.log(problem.saturation.T)
        self.log_weight = np.log(problem.weight)[None]
        self.scale = self.log_weight + np.log(self.gamma)
        slack = 1 - self.gamma.sum(axis=0, keepdims=True)
        self.slack = np.where(slack > 0, slack, np.nan)

    def respond(self, box: Box, price: Array, agents: slice | list[int] = np.s_[:]) -> tuple[Array, Array]:
        """Best grants (m, n) within a box at a price (m, 1), or of one agent at j prices (m, j), and their worth."""
        gamma, useful, own = self.gamma[:, agents], self.useful[:, agents], self.own[:, agents]
        least, most = (limit.T[:, agents] for limit in box)
        log_weight, slack = self.log_weight[:, agents], self.slack[:, agents]
        if len(gamma) == 1:
            grant = _alone(self.scale[:, agents], gamma, own, Box(least, most), price)
            with np.errstate(divide="ignore"):
                counted = np.minimum(np.log(own + grant), useful)
            return grant, np.exp(log_weight + gamma * counted)[0]
        with np.errstate(all="ignore"):
            low, high = np.log(own + least), np.log(own + most)
            single = self.scale[:, agents] - np.log(np.maximum(price, NO_PRICE))
            low, high, useful, single = np.broadcast_arrays(low, high, useful, single)
            # Candidates: the best point of each of the four edges, then the interior one.
            held = np.empty((2, 5, single.shape[1]))
            for fixed, moving, edges in ((0, 1, np.s_[0:2]), (1, 0, np.s_[2:4])):
                held[fixed, edges] = low[fixed], high[fixed]
                known = gamma[fixed] * np.minimum(held[fixed, edges], useful[fixed])
                held[moving, edges] = (single[moving] + known) / (1 - gamma[moving])
            inner = single + (gamma * single).sum(axis=0) / slack
            held[:, 4] = np.where(np.isfinite(slack), inner, low)
            held = np.clip(held, low[:, None], high[:, None])
            # Beside a large endowment, what comes back from a logarithm is not exactly what went in; so candidates are
            # compared as grants, and those at a limit are at the limit.
            own, least, most = own[:, None], least[:, None], most[:, None]
            grant = np.clip(np.exp(held) - own, least, most)
            grant = np.where(held <= low[:, None], least, np.where(held >= high[:, None], most, grant))
            counted = np.minimum(np.log(own + grant), useful[:, None])
            worth = np.exp(log_weight + gamma[0] * counted[0] + gamma[1] * counted[1])
            best = np.argmax(worth - price[0] * grant[0] - price[1] * grant[1], axis=0)
        chosen = (best, np.arange(len(best)))
        return grant[:, *chosen], worth[chosen]

    def bound(self, box: Box, price: Array) -> float:
        """D at a price (m,): at least the best total within the box."""
        grant, worth = self.respond(box, price[:, None])
        return float(worth.sum() + price @ (self.capacity - grant.sum(axis=1)))


def _alone(scale: Array, gamma: Array, own: Array, box: Box, price: Array) -> Array:
    """Best grants of the only resource, where a unit adds exp(scale) h^(gamma - 1); all shapes broadcast."""
    with np.errstate(all="ignore"):
        wanted = (scale - np.log(np.maximum(price, NO_PRICE))) / (1 - gamma)
        return np.clip(np.exp(wanted) - own, box.low, box.high)


class Mix(NamedTuple):
    """Shares (r,), adding up to one, of responses: grants (r, n, 2) and weighted accuracies (r, n)."""

    share: Array
    grant: Array
    worth: Array

    @property
    def mean(self) -> Array:
        """(n, 2) grants, shares of each response."""
        return np.asarray(np.tensordot(self.share, self.grant, axes=1))


class _Response(NamedTuple):
    """What a fleet makes of a price (2,): its worth, what it uses (2,) of each resource, and D."""

    price: Array
    worth: float
    used: Array
    bound: float


class Bounding:
    """Search for the prices of the lowest bound within a box, from prices (2,) that make some sense.

    Attributes
    ----------
    hope : float
        No price has a lower D than this.
    """

    def __init__(self, fleet: Fleet, box: Box, price: Array) -> None:
        self.fleet, self.box = fleet, box
        self.hope = -np.inf
        self.responses: list[_Response] = []
        self.share = np.empty(0)
        self.ask(np.full(2, PROHIBITIVE))  # keeps the program bounded
        # What nobody can give may be worth more than any number; a price without end times nothing left is none.
        self.ask(np.where(np.isfinite(price), price, 0.0))

    @property
    def best(self) -> _Response:
        """The response to the price with the lowest D."""
        return min(self.responses, key=lambda response: response.bound)

    @property
    def bound(self) -> float:
        """The lowest D so far."""
        return self.best.bound

    @property
    def price(self) -> Array:
        """(2,) where D is lowest so far."""
        return self.best.price

    def ask(self, price: Array) -> None:
        """Add the fleet's response to a price."""
        grant, worth = self.fleet.respond(self.box, price[:, None])
        self.responses.append(self._response(price, float(np.add.reduce(worth)), np.add.reduce(grant, axis=1)))

    def _response(self, price: Array, worth: float, used: Array) -> _Response:
        with np.errstate(over="ignore"):  # a prohibitive price times a vast capacity: an infinite bound is one
            bound = float(worth + price @ (self.fleet.capacity - used))
        return _Response(price, worth, used, bound)

    def within(self, box: Box, agent: int) -> Bounding:
        """The search in a box that differs in one agent's limits only: its part of every response is exchanged."""
        child = copy(self)
        child.box, child.hope, child.share = box, -np.inf, np.empty(0)
        asked = np.stack([response.price for response in self.responses], axis=1)
        (was, worth_was), (now, worth_now) = (self.fleet.respond(one, asked, [agent]) for one in (self.box, box))
        child.responses = [
            self._response(old.price, float(old.worth + gained), old.used + moved)
            for old, gained, moved in zip(self.responses, worth_now - worth_was, (now - was).T, strict=True)
        ]
        return child

    def search(self, *, enough: float = -np.inf, rounds: int = MAX_ROUNDS, precision: float = WORTHWHILE) -> None:
        """Ask until the bound is at most `enough`, or cannot fall by more than `precision`, relatively."""
        if self.bound <= enough:
            return
        if not np.isfinite(self.bound):
            raise SolverError(
                "the accuracies of this fleet are too large to be numbers; count the resources in larger units"
            )
        capacity = self.fleet.capacity
        unit = np.where(capacity > 0, capacity, 1.0)
        size = max(self.bound, NO_PRICE)
        program = _program()

        def put(response: _Response) -> None:
            slope = (capacity - response.used) / unit
            program.addRow(response.worth / size, highspy.kHighsInf, 3, COLUMNS, np.array([-slope[0], -slope[1], 1.0]))

        for response in self.responses:
            put(response)
        for _ in range(rounds):
            program.run()
            found = program.getSolution()
            *money, level = found.col_value
            self.share = np.array(found.row_dual)
            self.hope = level * size
            bound = self.bound
            if bound <= enough or bound - self.hope <= precision * bound:
                return
            proposed = np.array(money) * size / unit
            self.ask(self.price + STEP * (proposed - self.price))
            put(self.responses[-1])

    def mix(self) -> Mix:
        """Responses that together meet the capacities and are worth `hope`."""
        rows = np.flatnonzero(self.share > LEAST_SHARE)
        share = self.share[rows] / self.share[rows].sum()
        parts = [self.fleet.respond(self.box, self.responses[row].price[:, None]) for row in rows]
        return Mix(share, np.stack([grant.T for grant, _ in parts]), np.stack([worth for _, worth in parts]))


class Leaf(NamedTuple):
    """A box that is not split: prices (2,) whose D bounds it."""

    price: Array


class Split(NamedTuple):
    """A box split where one agent's grant of one resource is at most, or at least, a value."""

    agent: int
    resource: int
    at: float
    below: Tree
    above: Tree


Tree = Leaf | Split


def proved_bound(problem: Problem, tree: Tree) -> float:
    """What a tree proves: the largest D of its leaves, whose boxes cover every division however they were found.

    O(n) per leaf.
    """
    fleet = Fleet(problem)
    worst = -np.inf
    left: list[tuple[Tree, Box]] = [(tree, whole(problem))]
    while left:
        node, box = left.pop()
        if isinstance(node, Split):
            left += zip((node.below, node.above), box.split(node.agent, node.resource, node.at), strict=True)
        else:
            worst = max(worst, fleet.bound(box, node.price))
    return worst


def lowest_bound(problem: Problem, price: Array) -> float:
    """Smallest D found from the given prices on: an upper bound on sum_i w_i U_i over all divisions.

    Parameters
    ----------
    problem : Problem
        With two resources.
    price : (2,) array
        Where to start, best the marginals of good grants [accuracy per unit].

    Returns
    -------
    float
        O(n) per price asked, at most `MAX_ROUNDS` of them.
    """
    bounding = Bounding(Fleet(problem), whole(problem), price)
    bounding.search()
    return bounding.bound


class _Crowd(NamedTuple):
    """The agents of many fleets, side by side: (b n, m) each, but capacity (m,) and weight (b n,)."""

    capacity: Array
    endowment: Array
    elasticity: Array
    saturation: Array
    weight: Array


def bounds(fleets: Fleets, grant: Array) -> Array:
    """(b,) proved bounds on the best total of each fleet, tight where the total is concave and the grants are best.

    Parameters
    ----------
    fleets : Fleets
        Over one or two resources.
    grant : (b, n, m) array
        Any division; D is taken at its lowest marginals, and at no price on what is left over, or spent on floors
        alone. O(b n).
    """
    held = np.minimum(fleets.holding(grant), fleets.saturation)
    value = (fleets.weight * fleets.utility(grant))[..., None] * fleets.elasticity
    with np.errstate(over="ignore"):
        marginal = np.divide(value, held, out=np.full_like(held, np.inf), where=grant > fleets.floor)
    spent = grant.sum(axis=1) >= fleets.capacity * (1 - ROUNDING)
    lowest = marginal.min(axis=1)
    return bounds_at(fleets, np.where(spent & np.isfinite(lowest), lowest, 0.0))


def bounds_at(fleets: Fleets, price: Array) -> Array:
    """(b,) proved bounds on the best total of each fleet: D at prices (b, m), whatever they are. O(b n).

    Only what lies above the floors is bought and paid for: floors cost the same at every division, and beside a high
    price the difference of two large amounts would be rounding.

    Parameters
    ----------
    fleets : Fleets
        Over one or two resources.
    price : (b, m) array
        One price per fleet and resource [accuracy per unit], finite and >= 0.
    """
    shape = fleets.endowment.shape
    least = np.broadcast_to(fleets.floor, shape)
    spare = np.maximum(fleets.capacity - least.sum(axis=1), 0.0)
    most = np.minimum(fleets.upper, least + spare[:, None])
    each = np.broadcast_to(price[:, None], shape)
    if fleets.m == 1:
        with np.errstate(divide="ignore"):
            scale = np.log(fleets.weight[..., None] * fleets.elasticity)
        best = _alone(scale, fleets.elasticity, fleets.endowment, Box(least, most), each)
        gain = fleets.weight * fleets.utility(best) - (each * (best - least)).sum(axis=2)
    else:
        present = fleets.weight > 0
        level = np.broadcast_to(fleets.saturation, shape)
        arrays = (fleets.endowment, fleets.elasticity, level, least, most, each)
        # Agents along the last axis, as a fleet's responses are computed.
        rows = (np.stack([value[..., k][present] for k in range(2)]).T for value in arrays)
        own, returns, useful, bottom, top, at = rows
        crowd = Fleet(_Crowd(fleets.capacity[0], own, returns, useful, fleets.weight[present]))
        bought, worth = crowd.respond(Box(bottom, top), at.T)
        gain = np.zeros(present.shape)
        gain[present] = worth - (at.T * (bought - bottom.T)).sum(axis=0)
    return np.asarray(gain.sum(axis=1) + np.vecdot(price, spare))


# The program's variables: what each whole capacity costs at the prices, and the lowest bound.
COLUMNS: NDArray[np.int32] = np.arange(3, dtype=np.int32)


def _program() -> highspy.Highs:
    program = highspy.Highs()  # type: ignore[no-untyped-call]
    program.setOptionValue("output_flag", False)
    program.setOptionValue("threads", 1)
    infinite = highspy.kHighsInf
    program.addVars(3, np.array([0.0, 0.0, -infinite]), np.full(3, infinite))
    program.changeColCost(2, 1.0)
    return program
