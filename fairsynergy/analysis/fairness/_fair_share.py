"""The fair-share report: how one division treats everybody, against what each could expect and what is possible.

Each part is worked out when it is first asked for; those that divide anew (the elasticities, the groups where the rule
does not maximise the total) cost what the rule costs.

- Equal share: what the Uniform rule gives, C w_i / sum_j w_j; what an agent at its ceiling or saturation leaves goes to
  the others in the same proportions, and floors come first. For divisible resources the ratio to it is the
  maximin-share ratio, and nobody below 1 is the sharing incentive.
- Price of fairness (Bertsimas, Farias & Trichakis 2011): (best total - total) / best total. Where the best total is
  only known to lie between a division and a proved bound, it is an interval.

>>> import fairsynergy as fs
>>> fleet = fs.Problem(endowment=[0.01, 0.05, 0.05], capacity=0.06, elasticity=[0.9, 0.3, 0.3])
>>> found = report(fs.allocate(fleet, fs.Leximin()), best=fs.allocate(fleet, fs.FairSynergy()))
>>> round(found.price_of_fairness.low, 3), round(found.price_of_fairness.high, 3)
(0.05, 0.05)
>>> found.against_uniform.gainers, found.against_uniform.loser
(1, 'agent 2')
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from fairsynergy.allocation import Allocation, Status
from fairsynergy.analysis.fairness import _envies as envies
from fairsynergy.analysis.fairness._coalitions import Coalitions, Withheld, coalitions_of
from fairsynergy.analysis.fairness._indices import TIE, atkinson, equally_distributed_equivalent, gini, jain, theil
from fairsynergy.analysis.fairness._pareto import Efficiency, efficiency
from fairsynergy.analysis.fairness._what_if import Elasticity, elasticities
from fairsynergy.errors import ProblemError
from fairsynergy.policies import Uniform
from fairsynergy.problem import Array, read_only


class UniformShare(NamedTuple):
    """Accuracies relative to those with an equal share; the sharing incentive holds if none is below 1 (by `TIE`)."""

    ratio: Array  #: (n,) accuracy over that with an equal share; 1 where both are zero, infinite where only that is
    utility: Array  #: (n,) accuracy with an equal share
    holds: bool
    worst: str  #: the agent with the lowest ratio
    shortfall: float  #: the fraction of its equal-share accuracy that this agent lacks; 0 if none
    below: int  #: how many agents are below their equal share


class PriceOfFairness(NamedTuple):
    """The fraction of the best total given up: at least `low`, at most `high`; None where nothing is known."""

    low: float | None
    high: float | None
    against: str  #: what the best total was taken from, or why it is unknown


class Inequality(NamedTuple):
    """Indices of the accuracies; `equivalent` is the equally distributed equivalent, and belongs beside the mean."""

    gini: float
    jain: float
    theil: float
    atkinson: float
    equivalent: float
    epsilon: float


class GainsAndLosses(NamedTuple):
    """Who has more accuracy than with an equal share, and who less (by `TIE`, relatively); gains are in accuracy."""

    gainers: int
    losers: int
    unchanged: int
    winner: str | None  #: the agent that gains most
    gain: float
    loser: str | None  #: the agent that loses most
    loss: float


@dataclass(frozen=True, eq=False)
class Report:
    """What a division means for everybody; made by `report`.

    Parameters
    ----------
    allocation : Allocation
        The division judged.
    best : Allocation or None
        What its total is compared with.
    epsilon : float
        Aversion to inequality, of Atkinson's index.
    """

    allocation: Allocation
    best: Allocation | None
    epsilon: float

    @cached_property
    def uniform_share(self) -> UniformShare:
        """Accuracies against those with an equal share, and the sharing incentive."""
        problem = self.allocation.problem
        equal = problem.log_utility(self._equal_grant)
        own = problem.log_utility(self.allocation.grant)
        with np.errstate(invalid="ignore", over="ignore"):
            ratio = np.where(own == equal, 1.0, np.exp(own - equal))
        worst = int(np.argmin(ratio))
        below = int((ratio < 1 - TIE).sum())
        shortfall = max(0.0, float(1 - ratio[worst]))
        names = problem.agents
        return UniformShare(read_only(ratio), read_only(np.exp(equal)), below == 0, names[worst], shortfall, below)

    @cached_property
    def against_uniform(self) -> GainsAndLosses:
        """Who gains and who loses against an equal share."""
        share, names = self.uniform_share, self.allocation.problem.agents
        change = self.allocation.utility - share.utility
        gains = np.where(share.ratio > 1 + TIE, change, -np.inf)
        losses = np.where(share.ratio < 1 - TIE, -change, -np.inf)
        gainers, losers = int((gains > -np.inf).sum()), int((losses > -np.inf).sum())
        return GainsAndLosses(
            gainers=gainers,
            losers=losers,
            unchanged=len(names) - gainers - losers,
            winner=names[int(np.argmax(gains))] if gainers else None,
            gain=float(gains.max()) if gainers else 0.0,
            loser=names[int(np.argmax(losses))] if losers else None,
            loss=float(losses.max()) if losers else 0.0,
        )

    @cached_property
    def envy(self) -> envies.EnvySummary:
        """How many agents would rather have another's grant; among a sample in a large fleet."""
        return envies.summary(self.allocation.problem, self.allocation.grant)

    @cached_property
    def inequality(self) -> Inequality:
        """Indices of the accuracies."""
        values = self.allocation.utility
        return Inequality(
            gini(values),
            jain(values),
            theil(values),
            atkinson(values, self.epsilon),
            equally_distributed_equivalent(values, self.epsilon),
            self.epsilon,
        )

    @cached_property
    def price_of_fairness(self) -> PriceOfFairness:
        """What the division gives up in total against the best one."""
        allocation, best = self.allocation, self.best
        if allocation.status is Status.FAILED:
            return PriceOfFairness(None, None, "the division breaks a limit, so its total means nothing")
        bounds = (allocation.upper_bound, best.upper_bound if best else None)
        known = [bound for bound in bounds if bound is not None]
        reached = max(allocation.total, best.total) if best else allocation.total
        low = 1 - allocation.total / reached if reached > 0 else 0.0
        if not known:
            why = "no bound on the best total is proved"
            return PriceOfFairness(low if best else None, None, f"{why}; give a certified optimum as `best`")
        bound = min(known)
        high = max(low, 1 - allocation.total / bound if bound > 0 else 0.0)
        against = f"the total of {best.policy.label} and a proved bound" if best else "a proved bound on the best total"
        return PriceOfFairness(low, high, against)

    @cached_property
    def pareto(self) -> Efficiency | Withheld:
        """Whether another division would serve somebody better and nobody worse."""
        if self.allocation.status is Status.FAILED:
            return Withheld("the division breaks a limit")
        return efficiency(self.allocation.problem, self.allocation.grant)

    @cached_property
    def elasticity(self) -> tuple[Elasticity, ...]:
        """Of the mean accuracy in each capacity, one per resource."""
        return elasticities(self.allocation)

    @cached_property
    def coalitions(self) -> Coalitions | Withheld:
        """Which groups would do better alone, with and without compensating transfers."""
        return coalitions_of(self.allocation)

    @cached_property
    def _equal_grant(self) -> Array:
        return Uniform().divide(self.allocation.problem).grant


def report(allocation: Allocation, *, best: Allocation | None = None, epsilon: float = 1.0) -> Report:
    """Report on how fair a division is.

    Parameters
    ----------
    allocation : Allocation
        The division to judge, of any rule.
    best : Allocation, optional
        The best division known for the total, with its bound; a certified optimum makes the price of fairness sharp.
        Any other division is used for what it proves: its total from below, its bound from above. Without it only the
        division's own bound is used.
    epsilon : float
        Aversion to inequality, >= 0, of Atkinson's index and of the equally distributed equivalent.

    Raises
    ------
    ProblemError
        If `best` divides another problem or breaks a limit, if `epsilon` is negative or not a number, or if accuracies
        are not numbers.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3])
    >>> found = report(fs.allocate(fleet, fs.NUM()))
    >>> round(found.inequality.gini, 3), found.uniform_share.ratio.round(3)
    (0.118, array([1.254, 0.942]))
    """
    if not np.isfinite(allocation.utility).all():
        raise ProblemError(
            f"{allocation.policy.label} made grants whose accuracies are not numbers; correct its `divide`",
            field="allocation",
        )
    if not epsilon >= 0:
        raise ProblemError(f"`epsilon` must be a number >= 0, got {epsilon}; 1 is a common choice", field="epsilon")
    if best is not None and best.problem != allocation.problem:
        raise ProblemError(
            "`best` divides another problem than `allocation`; allocate the same problem twice", field="best"
        )
    if best is not None and best.status is Status.FAILED:
        raise ProblemError(
            f"`best` ({best.policy.label}) breaks a limit, so its total proves nothing; use another division",
            field="best",
        )
    return Report(allocation, best, epsilon)
