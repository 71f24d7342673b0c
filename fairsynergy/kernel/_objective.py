"""What a rule maximises, and how far given grants are from a point where no exchange would improve it.

A rule with an objective F claims that its grants maximise F. The claim is checked from the grants alone through
the first-order conditions (Fair-Synergy, Eq. 4 and Eq. 8, with inequality for an agent at a bound): on each
resource there is a price with

    dF/dx_ik = price_k   where the grant is strictly between its bounds,
    dF/dx_ik <= price_k  at the lower bound,      dF/dx_ik >= price_k  at the upper bound.

Where F is concave these conditions prove the global optimum; elsewhere they prove a stationary point.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fairsynergy.kernel._dual import Tree, proved_bound
from fairsynergy.problem import Array, Problem

Mask = NDArray[np.bool_]

# An elasticity sum this close to 1 is constant returns, written in binary.
ROUNDING = 1e-12
# Curvature, relative to the largest accuracy that bends, that is not rounding; how little, relatively, others give of
# what nobody else trades in; its least size; and how many agents that bend upward are looked at.
CURVED, STIFF, LEAST, MAX_BENDING = 1e-9, 1e-12, 1e-150, 8
# The smallest normal double: a holding below it is written as zero, and its marginal is taken here.
TINY = float(np.finfo(np.float64).tiny)


class Levelling(NamedTuple):
    """Prices (m,), in units of the objective per unit of resource, and the relative residual against them.

    At a kink, where a unit more goes to somebody else than a unit less is taken from, any price between two fits the
    grants: `following` is what the next unit adds (0 if nobody can use it), `last` what the last one did (infinity if
    nobody can give any up).
    """

    price: Array
    residual: float
    following: Array
    last: Array


class Objective(ABC):
    """Something to maximise; `sentence` completes "these grants maximise ..."."""

    sentence: str

    @abstractmethod
    def concave(self, problem: Problem) -> bool:
        """Whether the first-order conditions prove a global optimum."""

    @abstractmethod
    def level(self, problem: Problem, grant: Array) -> Levelling:
        """Prices that fit the grants best, and how badly they fit. O(n m)."""

    def rising(self, problem: Problem, grant: Array) -> Array | None:
        """An exchange (n, m) between level marginals that gains in the second order, at a saddle; else None."""
        return None


class SumObjective(Objective):
    """A weighted sum over agents of a smooth utility, or something that grows with it."""

    @abstractmethod
    def log_marginal(self, problem: Problem, grant: Array) -> Array:
        """(n, m) logarithm of dF/dx_ik, where F is the sum."""

    def log_unit(self, problem: Problem, grant: Array) -> float:
        """Logarithm of what one unit of the sum is worth in the unit of prices."""
        return 0.0

    def level(self, problem: Problem, grant: Array) -> Levelling:
        return self._level(problem, grant, self.log_marginal(problem, grant))

    def _level(self, problem: Problem, grant: Array, log_marginal: Array) -> Levelling:
        log_unit = self.log_unit(problem, grant)
        worst, logs = 0.0, np.empty((3, problem.m))
        # The least that lifts an agent from nothing cannot be divided further.
        buyers, sellers = grant < problem.upper, grant > problem.floor + TINY
        for k in range(problem.m):
            wanting, having = log_marginal[buyers[:, k], k], log_marginal[sellers[:, k], k]
            logs[0, k], residual = _between(wanting, having)
            logs[1, k], logs[2, k] = np.max(wanting, initial=-np.inf), np.min(having, initial=np.inf)
            worst = max(worst, residual)
        with np.errstate(over="ignore"):
            # A price too small to be written is still a price.
            prices = np.where(logs > -np.inf, np.maximum(np.exp(logs + log_unit), TINY), 0.0)
        return Levelling(prices[0], worst, prices[1], prices[2])


class AlphaWelfare(SumObjective):
    """sum_i w_i U_i^(1 - alpha) / (1 - alpha), or sum_i w_i log U_i for alpha = 1: alpha-fair welfare.

    Its size says little, and alpha = 1000 takes it beyond any number; so prices are given in the accuracy that would
    be as good if everyone had it, (sum_i w_i U_i^(1 - alpha) / sum_i w_i)^(1 / (1 - alpha)).

    Whoever lacks a resource which nobody can give has accuracy zero whatever it receives, and is left out.
    """

    def __init__(self, alpha: float) -> None:
        self.alpha = alpha
        self.sentence = "the product of accuracies" if alpha == 1 else f"alpha-fair welfare with alpha = {alpha:g}"

    def concave(self, problem: Problem) -> bool:
        """Jointly concave iff no agent has increasing returns, (1 - alpha) sum_k gamma_ik > 1, in the resources
        it can still receive; whatever the elasticities from alpha = 1 on."""
        returns = (1 - self.alpha) * (problem.elasticity * _open_to(problem)).sum(axis=1)
        return bool(np.all(returns <= 1 + ROUNDING))

    def log_marginal(self, problem: Problem, grant: Array) -> Array:
        holding = problem.holding(grant)
        returns = (1 - self.alpha) * problem.elasticity
        # For alpha < 1 the other resources are worth nothing to an agent that lacks one, else very much.
        held = np.minimum(holding, problem.saturation)
        with np.errstate(divide="ignore"):
            part = returns * np.log(held if self.alpha < 1 else np.maximum(held, TINY))
        # Summed without the agent's own term, not subtracted from the total: a holding of zero is minus infinity.
        others = np.zeros_like(part)
        for k in range(problem.m):
            others[:, :k] += part[:, k, None]
            others[:, k + 1 :] += part[:, k, None]
        own = np.log(problem.elasticity) + (returns - 1) * np.log(np.maximum(holding, TINY))
        log_marginal = np.log(problem.weight)[:, None] + own + others
        log_marginal[holding > problem.saturation * (1 + ROUNDING)] = -np.inf  # idle: less costs nothing
        if self.alpha >= 1:
            log_marginal[~hopeful(problem)] = -np.inf
        return np.asarray(log_marginal)

    def eased(self, problem: Problem) -> Problem:
        """The fleet whose total accuracy is this one's welfare times 1 - alpha, alpha < 1: w U^(1 - alpha)."""
        if self.alpha == 0:
            return problem
        return Problem(
            endowment=problem.endowment,
            capacity=problem.capacity,
            elasticity=(1 - self.alpha) * problem.elasticity,
            weight=problem.weight,
            floor=problem.floor,
            ceiling=problem.ceiling,
            saturation=problem.saturation,
        )

    def gap(self, problem: Problem, grant: Array, proof: Tree) -> float:
        """At most this fraction of the best welfare is missing, alpha < 1, by a proof that is evaluated here."""
        eased = self.eased(problem)
        bound = proved_bound(eased, proof)
        return max(0.0, 1 - float(eased.weight @ eased.utility(grant)) / bound) if bound > 0 else 0.0

    def rising(self, problem: Problem, grant: Array) -> Array | None:
        return rising_exchange(self.eased(problem), grant) if self.alpha < 1 else None

    def log_unit(self, problem: Problem, grant: Array) -> float:
        some = hopeful(problem)
        weight, log_utility = problem.weight[some], problem.log_utility(grant)[some]
        top = log_utility.max(initial=-np.inf) if self.alpha < 1 else log_utility.min(initial=np.inf)
        if not np.isfinite(top):  # nobody has any accuracy, or somebody none where that counts most: no such unit
            return 0.0
        if self.alpha == 1:
            log_mean = weight @ log_utility / weight.sum()
        else:
            power = np.exp((1 - self.alpha) * (log_utility - top))
            log_mean = top + np.log(weight @ power / weight.sum()) / (1 - self.alpha)
        return float(self.alpha * log_mean - np.log(weight.sum()))

    def level(self, problem: Problem, grant: Array) -> Levelling:
        levelled = super().level(problem, grant)
        with np.errstate(divide="ignore"):
            log_price = np.log(levelled.price) - self.log_unit(problem, grant)
        return levelled._replace(residual=max(levelled.residual, self._entry(problem, grant, log_price)))

    def _entry(self, problem: Problem, grant: Array, log_price: Array) -> float:
        """How far, relatively, a first bundle of all that an agent lacks is worth more than its price; 0 if nowhere.

        From nothing, one resource alone adds nothing; several together do if the mean of their marginals, taken where
        holdings become representable, is above their prices: (m,) or (n, m) logarithms, in units of the sum. With
        constant returns that mean is the same wherever it is taken.
        """
        trapped = self._trapped(problem, grant)
        if not trapped.any():
            return 0.0
        crumb = np.where(trapped, TINY, grant)
        returns = (1 - self.alpha) * problem.elasticity
        rows = trapped.any(axis=1)
        with np.errstate(invalid="ignore", over="ignore"):
            above = np.where(trapped, returns * (self.log_marginal(problem, crumb) - log_price), 0.0)
            mean = above[rows].sum(axis=1) / (returns * trapped)[rows].sum(axis=1)
            # One resource for nothing and another beyond any number: nothing is proved.
            return max(0.0, float(np.expm1(np.max(np.where(np.isnan(mean), np.inf, mean)))))

    def _trapped(self, problem: Problem, grant: Array) -> Mask:
        """(n, m) what an agent lacks, if it lacks several resources that can all be had and has no use for one
        alone; with increasing returns a little of all is worthless too, and nobody is trapped.

        With constant returns the gradient at nothing, zero, says as little: a little of all adds in proportion."""
        lacking = problem.holding(grant) < TINY
        several = (lacking.sum(axis=1) >= 2) & (~lacking | _open_to(problem)).all(axis=1)
        several &= (1 - self.alpha) * (problem.elasticity * lacking).sum(axis=1) <= 1 + ROUNDING
        return np.asarray(lacking & several[:, None] & (self.alpha < 1))


class TotalUtility(AlphaWelfare):
    """sum_i w_i U_i, the aggregate accuracy (Fair-Synergy, Problems 1 and 2); prices are in its own unit."""

    def __init__(self) -> None:
        super().__init__(0.0)
        self.sentence = "the fleet's total accuracy"

    def log_unit(self, problem: Problem, grant: Array) -> float:
        return 0.0

    def upper_bound(self, problem: Problem, grant: Array) -> float | None:
        """Proved bound on the best total where the total is concave, else None; tight if the grants are optimal.

        A concave total lies below its tangent plane at the grants. With marginals g and any price mu, the plane
        rises by at most mu C + sum_i (g_i - mu)^+ room_i from the floors (weak duality). O(n m).
        """
        if not self.concave(problem) or self._trapped(problem, grant).any():  # no tangent plane at nothing
            return None
        if not np.isfinite(grant).all():  # nor beyond every number
            return None
        log_marginal = self.log_marginal(problem, grant)
        with np.errstate(over="ignore"):
            marginal = np.exp(log_marginal)
        levelled = self._level(problem, grant, log_marginal).price
        bound = float(problem.weight @ problem.utility(grant))
        for k in range(problem.m):
            floor = problem.floor[:, k]
            left = problem.capacity[k] - floor.sum()
            room = np.minimum(problem.upper[:, k] - floor, problem.capacity[k])
            gain = np.where(room > 0, marginal[:, k], 0.0)
            # The levelled price is tight where ceilings bind, the highest marginal where none does.
            prices = (levelled[k], gain.max())
            if not np.isfinite(prices).all():
                return None
            with np.errstate(over="ignore"):
                bound += min(price * left + np.maximum(gain - price, 0.0) @ room for price in prices)
                bound += float(gain @ (floor - grant[:, k]))
        return float(bound) if np.isfinite(bound) else None


class NetOfTaking(Objective):
    """The total accuracy less a price on every unit taken away from whom it was given: sum_i w_i U_i - sum_k
    price_k sum_i (previous_ik - x_ik)^+.

    The second sum bends where a grant equals the previous one. There the marginal has two values: the next unit adds
    w_i dU_i/dx_ik, but the last one costs that and its price.

    Parameters
    ----------
    previous : (n, m) array
        Who had what [units of each resource].
    price : (m,) array
        Of one unit taken [accuracy per unit]; infinity if nothing may be taken that need not be.
    """

    sentence = "the fleet's total accuracy less the price of every unit taken away"

    def __init__(self, previous: Array, price: Array) -> None:
        self.previous, self.price = previous, price

    def concave(self, problem: Problem) -> bool:
        return TotalUtility().concave(problem)

    def value(self, problem: Problem, grant: Array) -> float:
        """The objective; what must be taken at an infinite price is not counted."""
        taken = np.maximum(self.previous - grant, 0.0).sum(axis=0)
        return float(problem.weight @ problem.utility(grant) - np.where(self.price < np.inf, self.price, 0.0) @ taken)

    def level(self, problem: Problem, grant: Array) -> Levelling:
        lost = TotalUtility().log_marginal(problem, grant)
        idle = problem.holding(grant) >= problem.saturation * (1 - ROUNDING)
        added = np.where(idle, -np.inf, lost)
        buyers, sellers = grant < problem.ceiling, grant > problem.floor + TINY
        below, given = grant < self.previous, grant > self.previous
        price = np.zeros(problem.m)
        worst = 0.0
        with np.errstate(divide="ignore", over="ignore"):
            log_tax = np.log(self.price)
            for k in range(problem.m):
                least = self.price[k] == np.inf and bool((below & buyers)[:, k].any())
                if least and (given & sellers)[:, k].any():
                    worst = np.inf  # somebody was taken from who could have kept it
                # Where some must be taken at any price, those that it is taken from stand at one price, too.
                trade = ~given[:, k] if least else np.ones(problem.n, dtype=bool)
                tax = -np.inf if least else log_tax[k]
                wants = np.logaddexp(added[:, k], np.where(below[:, k], tax, -np.inf))
                gives = np.logaddexp(lost[:, k], np.where(given[:, k], -np.inf, tax))
                wanting = buyers[:, k] & trade & (below[:, k] if least else True)
                log_price, residual = _between(wants[wanting], gives[sellers[:, k] & trade])
                price[k] = np.inf if least else max(np.exp(log_price), TINY) if log_price > -np.inf else 0.0
                worst = max(worst, residual)
            # What an agent had is cheaper for it by the price of having taken it.
            rebate = np.where(below & np.isfinite(self.price), self.price, 0.0)
            net = np.log(np.maximum(price - rebate, TINY))
        return Levelling(price, max(worst, TotalUtility()._entry(problem, grant, net)), price, price)


class LogHolding(SumObjective):
    """sum_i w_i log h_ik on every resource, the uniform logarithmic objective of the paper's NUM baseline."""

    sentence = "the sum of the logarithms of what agents hold"

    def concave(self, problem: Problem) -> bool:
        return True

    def log_marginal(self, problem: Problem, grant: Array) -> Array:
        return np.asarray(np.log(problem.weight)[:, None] - np.log(np.maximum(problem.holding(grant), TINY)))


class WorstUtility(Objective):
    """min_i U_i / w_i, then the next lowest, and so on: leximin.

    Log-utilities are concave, so levelling them without waste proves the optimum: on each resource nobody who
    receives some stands above anybody who could still receive some, and no two agents gain by swapping resources.
    """

    sentence = "the worst-off agent's accuracy, then the next one's"

    def concave(self, problem: Problem) -> bool:
        return True

    def level(self, problem: Problem, grant: Array) -> Levelling:
        level = problem.log_utility(grant) - np.log(problem.weight)
        log_value = np.log(problem.elasticity) - np.log(np.maximum(problem.holding(grant), TINY))  # d log U / dx
        some = hopeful(problem)[:, None]
        # The least that lifts an agent from nothing may lift it above the level, and cannot be divided further.
        buyers, sellers = (grant < problem.upper) & some, (grant > problem.floor + TINY) & some
        spent = grant.sum(axis=0)
        worst = 0.0
        for k in range(problem.m):
            # Waste, even where it would only lift agents above the lowest level.
            if buyers[:, k].any() and spent[k] < problem.capacity[k]:
                worst = max(worst, float(1 - spent[k] / problem.capacity[k]))
            _, residual = _between(-level[buyers[:, k]], -level[sellers[:, k]])
            worst = max(worst, residual)
            for other in range(k + 1, problem.m):
                rate = log_value[:, k] - log_value[:, other]
                wants, gives = buyers[:, k] & sellers[:, other], sellers[:, k] & buyers[:, other]
                _, residual = _between(rate[wants], rate[gives])
                worst = max(worst, residual)
        price = self._price(level, log_value, buyers, sellers)
        return Levelling(price, worst, price, price)

    def _price(self, level: Array, log_value: Array, buyers: Mask, sellers: Mask) -> Array:
        """What the common level gains per unit of each resource.

        Raising every agent of the level by d log t costs agent i 1 / (d log U_i / dx_ik) units of a resource it
        trades at the margin; resources convert at the rate of an agent that trades both.
        """
        inside = buyers & sellers
        price = np.zeros(log_value.shape[1])
        if not inside.any():
            return price
        rate = np.zeros_like(price)  # log price relative to that of the first traded resource
        first = int(np.argmax(inside.any(axis=0)))
        traded = np.asarray(inside.any(axis=0))
        for k in np.flatnonzero(traded):
            both = inside[:, k] & inside[:, first]
            if both.any():
                rate[k] = np.median((log_value[:, k] - log_value[:, first])[both])
            else:
                traded[k] = False
        rows = inside[:, traded].any(axis=1)
        pick = np.argmax(inside[rows][:, traded], axis=1)
        chosen = np.flatnonzero(traded)[pick]
        cost = np.exp(rate[chosen] - log_value[rows, chosen]).sum()
        price[traded] = np.exp(level[rows].mean() + rate[traded]) / cost
        return price


def rising_exchange(problem: Problem, grant: Array) -> Array | None:
    """An exchange (n, m) that gains in the second order although all marginals are level; None if there is none.

    Only agents with increasing returns in what they trade (sum gamma > 1) bend upward. What they take together, D,
    the others give up where that costs least: with Hessians H_j, D' S^-1 D / 2, S = sum_j (-H_j)^-1. So the grants are
    a saddle iff blocks H_p, less S^-1 between all, have a positive eigenvalue; its vector is the exchange. O(n m^2).

    Parameters
    ----------
    problem : Problem
        The fleet, for its total accuracy.
    grant : (n, m) array
        Where marginals are level.

    Examples
    --------
    Two alike agents with increasing returns: what one gains from a little more of both, the other does not lose.

    >>> fleet = Problem(endowment=[[0.1, 0.1]] * 2, capacity=[1, 1], elasticity=[[0.9, 0.8]] * 2)
    >>> np.sign(rising_exchange(fleet, np.full((2, 2), 0.5))).prod(axis=0)
    array([-1., -1.])
    """
    free = (grant > problem.floor + TINY) & (grant < problem.upper)
    gamma = np.where(free, problem.elasticity, 0.0)
    returns = gamma.sum(axis=1)
    bending = np.flatnonzero(returns > 1 + ROUNDING)
    if bending.size == 0:
        return None
    value = problem.weight * problem.utility(grant)
    if bending.size > MAX_BENDING:  # a few decide: more of them than resources never stand still together
        bending = bending[np.argsort(-value[bending], kind="stable")[:MAX_BENDING]]
    held = np.where(free, problem.holding(grant), 0.0)
    unit = np.maximum(held.max(axis=0), TINY)
    held /= unit
    others = np.flatnonzero((returns > 0) & (returns <= 1 + ROUNDING) & (value > 0))
    size = value[bending].max()
    if not size > 0:
        return None
    blocks = np.zeros((bending.size, problem.m, bending.size, problem.m))
    # Holdings too far apart for their squares: then nothing is known, and no number comes out.
    with np.errstate(all="ignore"):
        # In each other agent, (-H)^-1 = (diag (h^2 / gamma) + h h' / (1 - sum gamma)) / (w U), by Sherman and Morrison.
        scale = size / value[others]
        square = np.divide(held**2, gamma, where=free, out=np.zeros_like(held))[others]
        along = held[others] / np.sqrt(np.maximum(1 - returns[others], ROUNDING))[:, None]
        give = np.diag(scale @ square) + (along * scale[:, None]).T @ along
        reach = np.maximum((held[bending] ** 2).sum(axis=0), LEAST)
        give += np.diag(STIFF * (reach + np.diag(give)))
        if not np.isfinite(give).all():
            return None
        stiff = np.linalg.inv(give)
        for place, i in enumerate(bending):
            blocks[place, :, place] = value[i] / size * (np.outer(gamma[i], gamma[i]) - np.diag(gamma[i]))
        taken = np.concatenate([np.diag(held[i]) for i in bending], axis=1)  # what each move takes of each resource
        moves = blocks.reshape(bending.size * problem.m, -1) - taken.T @ stiff @ taken
    if not np.isfinite(moves).all():
        return None
    trade = free[bending].ravel()
    root, vector = np.linalg.eigh(moves[np.ix_(trade, trade)])
    if not root[-1] > CURVED:
        return None
    relative = np.zeros(trade.size)
    relative[trade] = vector[:, -1]
    cost = stiff @ (taken @ relative)
    exchange = np.zeros_like(held)
    exchange[bending] = relative.reshape(-1, problem.m) * held[bending]
    exchange[others] = -scale[:, None] * (square * cost + along * (along @ cost)[:, None])
    return np.asarray(exchange * unit)


def next_unit(problem: Problem, grant: Array, steps: Array | None = None) -> Array:
    """(n, m) what more adds to the total [accuracy per unit]; 0 once saturated, infinite for a first unit.

    Parameters
    ----------
    problem : Problem
        The fleet.
    grant : (n, m) array
        Who receives what [units of each resource].
    steps : (m,) array, optional
        Amounts that change hands at once [units of each resource]; then what one of them adds, per unit. By default,
        and where it is 0, the smallest.

    Examples
    --------
    >>> fleet = Problem(endowment=[0.25, 0.0, 1.0], capacity=0.0, elasticity=[0.5, 0.5, 0.5], saturation=1)
    >>> next_unit(fleet, np.zeros((3, 1))).ravel()
    array([ 1., inf,  0.])
    >>> next_unit(fleet, np.zeros((3, 1)), np.ones(1)).ravel()
    array([0.5, 1. , 0. ])
    """
    holding, value = problem.holding(grant), last_unit(problem, grant)
    value[(holding == 0) & (value > 0)] = np.inf
    value[holding >= problem.saturation * (1 - ROUNDING)] = 0.0
    return _whole(problem, grant, steps, 1.0, value)


def last_unit(problem: Problem, grant: Array, steps: Array | None = None) -> Array:
    """(n, m) what the last unit added to the total [accuracy per unit], lost if it is taken; 0 beyond saturation.

    Parameters
    ----------
    problem : Problem
        The fleet.
    grant : (n, m) array
        Who receives what [units of each resource].
    steps : (m,) array, optional
        Amounts that change hands at once, as in `next_unit`; infinite where an agent was not given that much.
    """
    with np.errstate(over="ignore"):
        value = np.exp(TotalUtility().log_marginal(problem, grant))
    value[problem.holding(grant) > problem.saturation * (1 + ROUNDING)] = 0.0
    return _whole(problem, grant, steps, -1.0, value)


def _whole(problem: Problem, grant: Array, steps: Array | None, way: float, value: Array) -> Array:
    """The values per unit, with those of a whole step up (way 1) or down (-1) of each resource that has one."""
    if steps is None or not steps.any():
        return np.asarray(value)
    utility = problem.utility(grant)
    for k in np.flatnonzero(steps):
        changed = grant.copy()
        changed[:, k] += way * steps[k]
        given = changed[:, k] >= -ROUNDING * steps[k]
        changed[:, k] = np.maximum(changed[:, k], 0.0)
        worth = problem.weight * (problem.utility(changed) - utility) * way / steps[k]
        value[:, k] = np.where(given, np.maximum(worth, 0.0), np.inf)
    return np.asarray(value)


def hopeful(problem: Problem) -> Mask:
    """(n,) whether some division gives an agent something of every resource; nothing else lifts it from zero."""
    return np.asarray(((problem.endowment + problem.floor > 0) | _open_to(problem)).all(axis=1))


def _open_to(problem: Problem) -> Mask:
    """(n, m) whether any division could give an agent more of a resource than its floor."""
    return np.asarray((problem.upper > problem.floor) & (problem.capacity > problem.floor.sum(axis=0)))


def _between(wanting: Array, having: Array) -> tuple[float, float]:
    """Log price between the marginals of those who could receive more and of those who could give some up.

    Returns the log price and the relative residual sqrt(highest wanting / lowest having) - 1, zero where one price
    serves all. Nobody left to want more: price 0. Nobody with anything to give: the highest wanting.
    """
    top = float(np.max(wanting, initial=-np.inf))
    bottom = float(np.min(having, initial=np.inf))
    if not np.isfinite(top) or bottom == np.inf:
        return top, (0.0 if top < np.inf or bottom == np.inf else np.inf)
    with np.errstate(over="ignore"):  # so far apart that no price fits at all
        return 0.5 * (top + bottom), max(0.0, float(np.expm1(0.5 * (top - bottom))))
