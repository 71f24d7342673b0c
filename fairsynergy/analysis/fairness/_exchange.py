"""Two agents, two resources, and what they could trade: the Edgeworth box.

Together the two hold X of the one resource and Y of the other. A point (x, y) of the box is a division of that: the
first agent holds (x, y), the second (X - x, Y - y). Its accuracies are U_1 = x^a_1 y^b_1, U_2 = (X - x)^a_2 (Y - y)^b_2
with (a_i, b_i) = (gamma_i1, gamma_i2). An exchange helps both as long as the two would swap the resources at different
rates. With r_i = a_i / b_i, an agent that holds (x_i, y_i) gives up r_i y_i / x_i of the second resource for a little
of the first (its marginal rate of substitution), so nothing is left to gain where

    r_1 y / x = r_2 (Y - y) / (X - x),        that is        y = r_2 Y x / (r_1 (X - x) + r_2 x).

This is the contract curve: convex where r_1 > r_2, and the diagonal where r_1 = r_2. In a competitive market each
agent values what it brings, w_i = (w_i1, w_i2), at the price p of the first resource in units of the second, and
spends the part s_i = a_i / (a_i + b_i) of that on the first. The market clears at

    p = (s_1 w_12 + s_2 w_22) / ((1 - s_1) w_11 + (1 - s_2) w_21).

Beyond saturation an agent has no use for more, so nothing there is efficient; inside, the curve follows the formula,
and where it would leave what both can use it runs along that edge. See Mas-Colell, Whinston and Green, Microeconomic
Theory (1995), section 15.B.

>>> import fairsynergy as fs
>>> fleet = fs.Problem(endowment=[[0.4, 0.2], [0.2, 0.4]], capacity=[0.2, 0.2], elasticity=[[0.6, 0.3], [0.3, 0.6]])
>>> box = Box.of(fs.allocate(fleet, fs.Uniform()))
>>> box.total, box.start, box.market.point.round(3), round(box.market.price, 3)
(array([0.8, 0.8]), array([0.5, 0.3]), array([0.533, 0.267]), 1.0)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from fairsynergy.allocation import Allocation
from fairsynergy.analysis.fairness._indices import TIE
from fairsynergy.errors import ProblemError, typed
from fairsynergy.problem import Array, Problem

# Of what the cloud gives the two, the part that the first one brings to the exchange.
STARTS: dict[str, float] = {"half each": 0.5, "all to the first": 1.0, "all to the second": 0.0}
# Relative difference of the two rates of exchange below which a trade could not be seen.
LEVEL = 5e-3
# Relative: two agents whose uses add up to what there is may exceed it by rounding.
ROUNDING = 1e-12


class Market(NamedTuple):
    """A competitive market: `price` of the first resource in units of the second, and the `point` it leads to."""

    price: float
    point: Array  #: (2,) what the first agent then holds [units]


class Judgement(NamedTuple):
    """What a division means for the two."""

    utility: Array  #: (2,) accuracies
    gain: Array  #: (2,) in accuracy, beside the start
    efficient: bool  #: no exchange helps one without harm to the other
    envious: tuple[bool, bool]  #: whether each would rather hold what the other does


@dataclass(frozen=True, eq=False)
class Box:
    """Two agents and all that they hold of two resources; a point is what the first one holds of it.

    Parameters
    ----------
    problem : Problem
        The two alone: what each owns, and as capacity what the cloud gives them together.
    start : (2,) array
        What the first holds before they exchange [units of each resource].
    """

    problem: Problem
    start: Array

    @classmethod
    def of(cls, allocation: Allocation, *, agents: tuple[int, int] = (0, 1), start: str = "half each") -> Box:
        """The box of two agents of a fleet, under a rule's grants.

        Parameters
        ----------
        allocation : Allocation
            Its grants to the two are, together, what the cloud puts into the box.
        agents : (int, int)
            Positions of the two; the first one's corner is at the lower left.
        start : str
            A key of `STARTS`: how those grants are split before the exchange.

        Raises
        ------
        ProblemError
            Unless there are two different agents, two resources and some of each; where a floor or ceiling stands in
            the way of an exchange; where the two hold more of a resource than they can use.
        """
        problem, pair = allocation.problem, list(agents)
        if problem.m != 2:
            raise ProblemError(
                f"an Edgeworth box needs exactly two resources, got {problem.m} ({', '.join(problem.resources)}); "
                "choose a fleet with two"
            )
        if pair[0] == pair[1]:
            raise ProblemError(
                f"an Edgeworth box needs two agents, got {problem.agents[pair[0]]} twice; choose another"
            )
        for field, free in (("floor", 0.0), ("ceiling", np.inf)):
            bound = getattr(problem, field)[pair]
            if (bound != free).any():
                i, k = (int(place) for place in np.argwhere(bound != free)[0])
                raise ProblemError(
                    f"an exchange passes over bounds: `{field}[{pair[i]}, {k}]` ({problem.agents[pair[i]]}, "
                    f"{problem.resources[k]}) must be {free:g}, got {typed(bound[i, k])}; drop it or choose "
                    "another agent",
                    field=field,
                    index=(pair[i], k),
                )
        given = allocation.grant[pair].sum(axis=0)
        two = Problem(
            endowment=problem.endowment[pair],
            capacity=given,
            elasticity=problem.elasticity[pair],
            weight=problem.weight[pair],
            saturation=problem.saturation[pair],
            agents=[problem.agents[i] for i in pair],
            resources=problem.resources,
        )
        made = cls(two, two.endowment[0] + STARTS[start] * given)
        for k, resource in enumerate(two.resources):
            names = " and ".join(two.agents)
            if made.total[k] <= 0:
                raise ProblemError(f"{names} hold no {resource} between them, so there is none to exchange")
            if made.total[k] > two.saturation[:, k].sum() * (1 + ROUNDING):
                raise ProblemError(
                    f"{names} hold {typed(made.total[k])} {resource} between them and can use "
                    f"{typed(two.saturation[:, k].sum())}: with more than enough there is nothing to bargain for"
                )
        return made

    @cached_property
    def total(self) -> Array:
        """(2,) sides of the box: what the two own and what the cloud gives them [units]."""
        return np.asarray(self.problem.endowment.sum(axis=0) + self.problem.capacity)

    @cached_property
    def least(self) -> Array:
        """(2,) the least the first can hold without more going to the second than it can use [units]."""
        return np.asarray(np.maximum(self.total - self.problem.saturation[1], 0.0))

    @cached_property
    def most(self) -> Array:
        """(2,) the most the first can use [units]."""
        return np.asarray(np.maximum(self.least, np.minimum(self.problem.saturation[0], self.total)))

    @cached_property
    def lean(self) -> Array:
        """(2,) r_i, how much more each one's accuracy hangs on the first resource than on the second."""
        gamma = self.problem.elasticity
        return np.asarray(gamma[:, 0] / gamma[:, 1])

    def utility(self, point: Array) -> Array:
        """(..., 2) accuracies of the two at points (..., 2)."""
        held = np.stack([np.asarray(point), self.total - point], axis=-2)
        held = np.clip(held, 0.0, self.problem.saturation)
        return np.asarray((held**self.problem.elasticity).prod(axis=-1))

    def contract(self, x: Array) -> Array:
        """What the first holds of the second resource where, with x of the first, no exchange helps both [units].

        Where one of the two is saturated this may be any amount between two; the one nearest the formula's is given.
        """
        width, height = self.total
        r1, r2 = self.lean
        x = np.asarray(x, dtype=np.float64)
        return np.asarray(np.clip(r2 * height * x / (r1 * (width - x) + r2 * x), self.least[1], self.most[1]))

    def contract_curve(self, count: int = 101) -> Array:
        """(count + 2, 2) points of the contract curve, from the second agent's best to the first one's."""
        x = np.linspace(self.least[0], self.most[0], count)
        inner = np.column_stack([x, self.contract(x)])
        return np.vstack([self.least, inner, self.most])

    def indifference(self, agent: int, point: Array, count: int = 160) -> Array:
        """(p, 2) points of the box at which the agent reaches what it does at `point`, by rising x.

        Parameters
        ----------
        agent : 0 or 1
            Whose curve; the second one's is given in the first one's coordinates, as every point is.
        point : (2,) array
            What the first holds there [units].
        count : int
            Points along the bend.
        """
        a, b = self.problem.elasticity[agent]
        side = np.minimum(self.problem.saturation[agent], self.total)
        level = float(self.utility(point)[agent])
        if level <= 0:  # it holds none of a resource: its axes
            curve = np.array([[0.0, self.total[1]], [0.0, 0.0], [self.total[0], 0.0]])
        else:
            from_x = min(np.exp((np.log(level) - b * np.log(side[1])) / a), side[0])
            x = np.geomspace(from_x, side[0], count)
            y = np.minimum(np.exp((np.log(level) - a * np.log(x)) / b), side[1])
            curve = np.column_stack([np.r_[x[0], x, self.total[0]], np.r_[self.total[1], y, y[-1]]])
        return np.asarray(curve if agent == 0 else (self.total - curve)[::-1])

    def lens(self, count: int = 401) -> Array:
        """(p, 3) the divisions that harm neither beside the start: x, least y and most y; empty if there are none."""
        x = np.union1d(np.linspace(0.0, self.total[0], count), [self.start[0]])
        least = self._needed(0, x)
        most = self.total[1] - self._needed(1, self.total[0] - x)
        kept = least <= most + ROUNDING * self.total[1]
        return np.asarray(np.column_stack([x, least, np.maximum(least, most)])[kept])

    def _needed(self, agent: int, x: Array) -> Array:
        """How much of the second resource the agent needs with x of the first, to be as well off as at the start."""
        a, b = self.problem.elasticity[agent]
        limit = self.problem.saturation[agent]
        level = float(self.utility(self.start)[agent])
        with np.errstate(divide="ignore", over="ignore"):
            y = np.exp((np.log(level) - a * np.log(np.minimum(x, limit[0]))) / b) if level > 0 else np.zeros_like(x)
        return np.where(y <= limit[1] * (1 + ROUNDING), y, np.inf)

    @cached_property
    def market(self) -> Market:
        """Where the two end if each sells what it has and buys what it likes best, at the price at which that works.

        Raises
        ------
        ProblemError
            Where, at that price, an agent would buy more of a resource than it can use.
        """
        brought = np.stack([self.start, self.total - self.start])
        part = self.problem.elasticity[:, 0] / self.problem.elasticity.sum(axis=1)
        price = float(part @ brought[:, 1] / ((1 - part) @ brought[:, 0]))
        worth = float(price * brought[0, 0] + brought[0, 1])
        point = np.array([part[0] * worth / price, (1 - part[0]) * worth])
        if (point < self.least * (1 - ROUNDING)).any() or (point > self.most * (1 + ROUNDING)).any():
            raise ProblemError(
                "no market is drawn: at a price that clears it, one of the two would buy more than it can use"
            )
        return Market(price, point)

    def efficient(self, point: Array) -> bool:
        """Whether no exchange from there helps one without harm to the other, as far as an eye can tell."""
        point = np.asarray(point, dtype=np.float64)
        slack = LEVEL * self.total
        if (point < self.least - slack).any() or (point > self.most + slack).any():
            return False
        curve = self.contract_curve(2001) / self.total
        return bool(np.abs(curve - point / self.total).max(axis=1).min() <= LEVEL)

    def judge(self, point: Array) -> Judgement:
        """What this division means for the two.

        Parameters
        ----------
        point : (2,) array
            What the first holds [units].
        """
        utility = self.utility(point)
        swapped = self.utility(self.total - point)
        envious = swapped > utility * (1 + TIE)
        return Judgement(
            utility, utility - self.utility(self.start), self.efficient(point), (bool(envious[0]), bool(envious[1]))
        )
