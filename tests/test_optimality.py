"""Optimality from the numbers alone: each first-order condition by itself, and no exchange that helps.

Nothing here uses the package's own marginals: they are written out again, so that both cannot be wrong alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from scipy.optimize import brentq
from strategies import NAMED, changed, fleet, problems, scaled_up

import fairsynergy as fs
from fairsynergy.kernel._objective import LogHolding, Objective, TotalUtility, WorstUtility
from fairsynergy.problem import Array

# The smallest normal double: a smaller holding is written as 0, and its marginal is taken here.
TINY = float(np.finfo(np.float64).tiny)
# First-order conditions where one call of the kernel decides, and where an alternating search stops.
SHARP, SEARCHED = 1e-10, 1e-5


def marginal_total(problem: fs.Problem, grant: Array) -> Array:
    """w_i g_ik U_i / h_ik, written as a product so that h_ik = 0 has a value."""
    held = np.minimum(problem.endowment + grant, problem.saturation)
    value = np.empty_like(held)
    for k in range(problem.m):
        others = np.prod(np.delete(held, k, axis=1) ** np.delete(problem.elasticity, k, axis=1), axis=1)
        gamma = problem.elasticity[:, k]
        value[:, k] = problem.weight * gamma * np.maximum(held[:, k], TINY) ** (gamma - 1) * others
    return value


def marginal_log(problem: fs.Problem, grant: Array) -> Array:
    return problem.weight[:, None] / np.maximum(problem.endowment + grant, TINY)


@dataclass(frozen=True)
class Claim:
    """A rule, what it says it maximises, and the marginals of that."""

    policy: fs.Policy
    value: Callable[[fs.Problem, Array], float]
    marginal: Callable[[fs.Problem, Array], Array]


def total(problem: fs.Problem, grant: Array) -> float:
    return float(problem.weight @ problem.utility(grant))


def log_holdings(problem: fs.Problem, grant: Array) -> float:
    held = np.minimum(problem.endowment + grant, problem.saturation)
    return float(problem.weight @ np.log(np.maximum(held, TINY)).sum(axis=1))


def worst(problem: fs.Problem, grant: Array) -> float:
    return float(np.min(problem.utility(grant) / problem.weight))


CLAIMS = {
    "Fair-Synergy": Claim(fs.FairSynergy(), total, marginal_total),
    "NUM": Claim(fs.NUM(), log_holdings, marginal_log),
}
ORDINARY = problems(mild=True, concave=True)


# The four first-order conditions, one test each.


@pytest.mark.parametrize("rule", CLAIMS)
@given(problem=problems(concave=True))
def test_primal_feasibility(rule: str, problem: fs.Problem) -> None:
    grant = fs.allocate(problem, CLAIMS[rule].policy).grant
    assert (grant >= problem.floor).all()
    assert (grant <= np.maximum(problem.ceiling, problem.floor)).all()
    assert (grant.sum(axis=0) <= problem.capacity * (1 + 1e-12)).all()


@pytest.mark.parametrize("rule", CLAIMS)
@given(problem=problems(concave=True))
def test_dual_domain(rule: str, problem: fs.Problem) -> None:
    price = fs.allocate(problem, CLAIMS[rule].policy).price
    assert price is not None
    assert price.shape == (problem.m,)
    assert (price >= 0).all()


@pytest.mark.parametrize("rule", CLAIMS)
@given(problem=problems(concave=True))
def test_complementary_slackness(rule: str, problem: fs.Problem) -> None:
    allocation = fs.allocate(problem, CLAIMS[rule].policy)
    assert allocation.price is not None
    unspent = allocation.unspent / problem.capacity
    assert (unspent[allocation.price > 0] <= 1e-12).all()


@pytest.mark.parametrize("rule", CLAIMS)
@given(problem=ORDINARY)
def test_stationarity(rule: str, problem: fs.Problem) -> None:
    """Marginal = price between the bounds, <= at the lower bound, >= at the upper one."""
    claim = CLAIMS[rule]
    allocation = fs.allocate(problem, claim.policy)
    assert allocation.price is not None
    marginal = claim.marginal(problem, allocation.grant)
    within = SEARCHED if rule == "Fair-Synergy" and problem.m > 1 else SHARP
    below, above = allocation.grant < problem.upper, allocation.grant > problem.floor
    assert (marginal <= allocation.price * (1 + within))[below].all()
    assert (marginal >= allocation.price * (1 - within))[above].all()


@given(problem=problems(resources=(1,)))
def test_one_resource_is_stationary_at_any_scale(problem: fs.Problem) -> None:
    for claim in CLAIMS.values():
        allocation = fs.allocate(problem, claim.policy)
        assert allocation.price is not None
        with np.errstate(over="ignore"):
            marginal = claim.marginal(problem, allocation.grant)
        below, above = allocation.grant < problem.upper, allocation.grant > problem.floor
        assert (marginal <= allocation.price * (1 + SHARP))[below].all()
        assert (marginal >= allocation.price * (1 - SHARP))[above].all()


# No exchange helps.


def exchanges(problem: fs.Problem, grant: Array, rng: np.random.Generator, count: int) -> list[Array]:
    """Feasible grants near and far: on some resources, some agents give to others, within every bound."""
    found = []
    for _ in range(count):
        moved = grant.copy()
        for k in range(problem.m):
            if rng.random() < 0.7 or problem.m == 1:
                give, take = rng.choice(problem.n, 2) if problem.n > 1 else (0, 0)
                room = min(moved[give, k] - problem.floor[give, k], problem.upper[take, k] - moved[take, k])
                amount = max(room, 0.0) * rng.random() * 10.0 ** -rng.integers(0, 7)
                moved[give, k] -= amount
                moved[take, k] += amount
        found.append(moved)
    return found


@pytest.mark.parametrize("rule", CLAIMS)
@given(problem=ORDINARY)
def test_no_exchange_improves_the_optimum(rule: str, problem: fs.Problem) -> None:
    claim = CLAIMS[rule]
    grant = fs.allocate(problem, claim.policy).grant
    best = claim.value(problem, grant)
    for moved in exchanges(problem, grant, np.random.default_rng(0), 60):
        assert claim.value(problem, moved) <= best + 1e-11 * max(abs(best), 1.0)


@given(problem=ORDINARY)
def test_no_exchange_lifts_the_worst_off_under_leximin(problem: fs.Problem) -> None:
    grant = fs.allocate(problem, fs.Leximin()).grant
    best = worst(problem, grant)
    for moved in exchanges(problem, grant, np.random.default_rng(0), 60):
        assert worst(problem, moved) <= best * (1 + 1e-10)


@given(problem=ORDINARY)
def test_no_exchange_is_better_in_the_order_of_leximin(problem: fs.Problem) -> None:
    """Sorted from the lowest, the first accuracy per weight that changes, changes for the worse."""
    grant = fs.allocate(problem, fs.Leximin()).grant
    levels = np.sort(problem.utility(grant) / problem.weight)
    for moved in exchanges(problem, grant, np.random.default_rng(1), 60):
        change = np.sort(problem.utility(moved) / problem.weight) / levels - 1
        lower, higher = np.append(change < -1e-12, True), np.append(change > 1e-9, True)
        assert np.argmax(lower) <= np.argmax(higher)


@given(problem=problems(mild=True, resources=(2,)))
def test_no_exchange_of_one_resource_improves_a_stationary_point(problem: fs.Problem) -> None:
    """With increasing returns the total is still concave in each resource alone."""
    grant = fs.allocate(problem, fs.FairSynergy()).grant
    best = total(problem, grant)
    rng = np.random.default_rng(0)
    for moved in exchanges(problem, grant, rng, 60):
        k = int(rng.integers(problem.m))
        alone = grant.copy()
        alone[:, k] = moved[:, k]
        assert total(problem, alone) <= best * (1 + 1e-11)


# More to share.


@given(problem=ORDINARY)
def test_more_capacity_never_lowers_the_best_total(problem: fs.Problem) -> None:
    before, after = (fs.allocate(given, fs.FairSynergy()).total for given in (problem, scaled_up(problem, 1.1)))
    assert after >= before * (1 - 1e-12)


@given(problem=problems(mild=True))
def test_more_capacity_never_lowers_the_level_of_leximin(problem: fs.Problem) -> None:
    before, after = (fs.allocate(given, fs.Leximin()) for given in (problem, scaled_up(problem, 1.1)))
    assert worst(problem, after.grant) >= worst(problem, before.grant) * (1 - 1e-12)


PRICED = ["one resource", "two resources", "weights", "weights, two resources", "Fleet A", "floors", "ceilings"]


@pytest.mark.parametrize("rule", [*CLAIMS, "Leximin"])
@pytest.mark.parametrize("name", PRICED)
def test_the_price_is_what_more_capacity_is_worth(rule: str, name: str) -> None:
    problem = NAMED[name]
    allocation = fs.allocate(problem, fs.POLICIES[rule])
    assert allocation.price is not None
    rising = ((allocation.grant > problem.floor) & (allocation.grant < problem.upper)).any(axis=1)

    def value(of: fs.Problem) -> float:
        found = fs.allocate(of, fs.POLICIES[rule])
        if rule in CLAIMS:
            return CLAIMS[rule].value(of, found.grant)
        return float(np.mean(found.utility[rising] / of.weight[rising]))  # the common level of those who rise

    for k in range(problem.m):
        step = np.zeros(problem.m)
        step[k] = 1e-5 * problem.capacity[k]
        more, less = (changed(problem, capacity=problem.capacity + sign * step) for sign in (1, -1))
        assert allocation.price[k] == pytest.approx((value(more) - value(less)) / (2 * step[k]), rel=1e-4)


# One pass, as in the released code, by an independent root finder.


def one_pass(problem: fs.Problem) -> Array:
    """From the endowments, resource after resource: solve sum_i x_i(price) = C by bracketing."""
    grant = np.zeros((problem.n, problem.m))
    for k in range(problem.m):
        held, gamma = problem.endowment + grant, problem.elasticity
        worth = gamma[:, k] * np.prod(np.delete(held, k, axis=1) ** np.delete(gamma, k, axis=1), axis=1)

        def demand(log_price: float, k: int = k, worth: Array = worth) -> Array:
            wanted = np.exp((np.log(worth) - log_price) / (1 - problem.elasticity[:, k]))
            return np.maximum(wanted - problem.endowment[:, k], 0.0)

        def excess(log_price: float, k: int = k) -> float:
            return float(demand(log_price).sum() - problem.capacity[k])

        grant[:, k] = demand(brentq(excess, -10, 10, xtol=1e-14, rtol=1e-14))
    return grant


@pytest.mark.parametrize("problem", [fleet("a"), fleet("b"), NAMED["two resources"], NAMED["three resources"]])
def test_one_pass_is_one_pass(problem: fs.Problem) -> None:
    ours = fs.allocate(problem, fs.FairSynergy(passes=1)).grant
    np.testing.assert_allclose(ours, one_pass(problem), rtol=1e-9, atol=1e-11)


@given(problem=problems(mild=True, resources=(2, 3), bounds=False))
def test_more_passes_never_do_worse(problem: fs.Problem) -> None:
    totals = [fs.allocate(problem, fs.FairSynergy(passes=passes)).total for passes in (1, 2, 5, None)]
    for fewer, more in pairwise(totals):
        assert more >= fewer * (1 - 1e-12)


# What the certificate says, about good rules and about bad ones.


@given(problem=problems(concave=True, mild=True))
def test_what_is_optimal_is_proved_optimal(problem: fs.Problem) -> None:
    for policy in (fs.FairSynergy(), fs.NUM(), fs.Leximin()):
        assert fs.allocate(problem, policy).status is fs.Status.OPTIMAL


@pytest.mark.parametrize("name", [name for name, problem in NAMED.items() if problem.m < 3])
@pytest.mark.parametrize("rule", ["Fair-Synergy", "NUM", "Leximin"])
def test_what_is_optimal_is_proved_optimal_on_every_named_problem(rule: str, name: str) -> None:
    problem = NAMED[name]
    allocation = fs.allocate(problem, fs.POLICIES[rule])
    concave = rule != "Fair-Synergy" or (problem.elasticity.sum(axis=1) <= 1).all()
    allowed = {fs.Status.OPTIMAL} if concave else {fs.Status.OPTIMAL, fs.Status.STATIONARY}
    assert allocation.status in allowed, allocation.certificate


@dataclass(frozen=True)
class Stub(fs.Policy):
    """Hands out what it is told to, and claims an objective."""

    handed: tuple[tuple[float, ...], ...]
    claimed: Objective | None = None

    name: ClassVar[str] = "Stub"
    sentence: ClassVar[str] = "Hands out what it is told to."

    @property
    def objective(self) -> Objective | None:  # type: ignore[override]
        return self.claimed

    def divide(self, problem: fs.Problem) -> fs.Division:
        return fs.Division(np.array(self.handed, dtype=float), 0)


def judged(problem: fs.Problem, grant: object, claimed: Objective | None = None) -> fs.Allocation:
    rows = np.asarray(grant, dtype=float)
    return fs.allocate(problem, Stub(tuple(map(tuple, rows)), claimed))


PAIR = fs.Problem(
    endowment=[0.1, 0.2], capacity=1.0, elasticity=[0.5, 0.5], floor=[0.2, 0.0], ceiling=[0.7, 0.9]
)  # its optimum for the total, NUM and Leximin alike is (0.55, 0.45)


@pytest.mark.parametrize("claimed", [None, TotalUtility(), LogHolding(), WorstUtility()])
@pytest.mark.parametrize(
    ("grant", "broken"),
    [
        ([[0.6], [0.6]], "budget"),
        ([[0.5], [0.5 + 1e-7]], "budget"),
        ([[0.1], [0.5]], "nonnegativity"),
        ([[0.2 - 1e-7], [0.5]], "nonnegativity"),
        ([[0.75], [0.1]], "nonnegativity"),
        ([[0.5], [-0.1]], "nonnegativity"),
        ([[np.nan], [0.5]], "budget"),
        ([[np.inf], [0.5]], "budget"),
        ([[0.5], [-np.inf]], "nonnegativity"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value encountered")  # numbers that are none
def test_a_broken_limit_is_failed(grant: list[list[float]], broken: str, claimed: Objective | None) -> None:
    allocation = judged(PAIR, grant, claimed)
    assert allocation.status is fs.Status.FAILED
    assert not getattr(allocation.certificate, broken) <= 1e-9
    assert not allocation.certificate.feasible


CLAIMED = [TotalUtility(), LogHolding(), WorstUtility()]


@pytest.mark.parametrize("claimed", CLAIMED)
def test_the_optimum_is_recognised_whoever_hands_it_out(claimed: Objective) -> None:
    assert judged(PAIR, [[0.55], [0.45]], claimed).status is fs.Status.OPTIMAL


@pytest.mark.parametrize("claimed", CLAIMED)
@pytest.mark.parametrize(
    "grant",
    [
        [[0.5], [0.5]],
        [[0.55 + 1e-5], [0.45 - 1e-5]],
        [[0.2], [0.8]],
        [[0.7], [0.3]],
        [[0.55], [0.45 - 1e-5]],
        [[0.2], [0.0]],
        [[0.2], [0.1]],
    ],
    ids=[
        "unequal",
        "slightly unequal",
        "at the floor",
        "at the ceiling",
        "slightly idle",
        "idle",
        "mostly idle",
    ],
)
def test_what_is_not_optimal_is_not_called_so(grant: list[list[float]], claimed: Objective) -> None:
    allocation = judged(PAIR, grant, claimed)
    assert allocation.status is fs.Status.FEASIBLE
    assert not allocation.certificate.stationary


@pytest.mark.parametrize("claimed", CLAIMED)
@pytest.mark.parametrize("name", ["two resources", "nobody owns anything, two resources", "Fleet B", "one agent"])
def test_granting_nothing_is_never_optimal(name: str, claimed: Objective) -> None:
    problem = NAMED[name]
    allocation = judged(problem, np.zeros((problem.n, problem.m)), claimed)
    assert allocation.status is fs.Status.FEASIBLE


def test_leaving_over_a_resource_that_lifts_only_the_others_is_not_leximin() -> None:
    """Agent 1 is lowest whatever happens; what it cannot use is still owed to agent 2."""
    problem = fs.Problem(endowment=[0.01, 0.5], capacity=1.0, elasticity=[0.5, 0.5], ceiling=[0.04, np.inf])
    assert judged(problem, [[0.04], [0.0]], WorstUtility()).status is fs.Status.FEASIBLE
    assert judged(problem, [[0.04], [0.96]], WorstUtility()).status is fs.Status.OPTIMAL


def test_swapping_resources_is_seen() -> None:
    """Each agent holds most of what the other makes more of; both would gain by a swap."""
    problem = fs.Problem(endowment=np.zeros((2, 2)), capacity=[1, 1], elasticity=[[0.6, 0.2], [0.2, 0.6]])
    crossed, straight = [[0.25, 0.75], [0.75, 0.25]], [[0.75, 0.25], [0.25, 0.75]]
    assert judged(problem, crossed, WorstUtility()).status is fs.Status.FEASIBLE
    assert judged(problem, straight, WorstUtility()).status is fs.Status.OPTIMAL


def test_a_trap_of_zeros_is_not_called_optimal() -> None:
    """From nothing of either resource, one pass offers nobody anything; both together lift everyone."""
    problem = NAMED["nobody owns anything, two resources"]
    allocation = fs.allocate(problem, fs.FairSynergy(passes=1))
    assert allocation.total == 0
    assert allocation.status is fs.Status.FEASIBLE
    best = fs.allocate(problem, fs.FairSynergy()).total
    assert allocation.upper_bound is None or allocation.upper_bound >= best > 4


def test_one_trapped_agent_is_enough() -> None:
    problem = fs.Problem(endowment=[[0.0, 0.0], [1.0, 1.0]], capacity=[1.0, 1.0], elasticity=[[0.4, 0.4], [0.4, 0.4]])
    trapped = judged(problem, [[0.0, 0.0], [1.0, 1.0]], TotalUtility())
    assert trapped.status is fs.Status.FEASIBLE
    assert trapped.upper_bound is None or trapped.upper_bound >= fs.allocate(problem, fs.FairSynergy()).total


# The proved bound.


def random_divisions(problem: fs.Problem, rng: np.random.Generator, count: int) -> list[Array]:
    """Feasible grants by many characters: even, greedy, spiteful."""
    seeds = rng.integers(2**32, size=count)
    spread = [changed(problem, weight=rng.choice([0.01, 0.3, 1.0, 30.0], problem.n)) for _ in seeds]
    return [fs.allocate(given, fs.Random(seed=int(seed))).grant for given, seed in zip(spread, seeds, strict=True)]


@given(problem=problems(concave=True, mild=True))
def test_the_upper_bound_is_above_every_division(problem: fs.Problem) -> None:
    rng = np.random.default_rng(0)
    divisions = random_divisions(problem, rng, 15)
    best = max(total(problem, grant) for grant in divisions)
    best = max(best, fs.allocate(problem, fs.FairSynergy()).total)
    for policy in [*fs.POLICIES.values(), fs.FairSynergy(passes=1)]:
        bound = fs.allocate(problem, policy).upper_bound
        assert bound is None or bound >= best * (1 - 1e-12)
    for grant in divisions:
        bound = judged(problem, grant).upper_bound
        assert bound is None or bound >= best * (1 - 1e-12)


@given(problem=problems(concave=True))
def test_the_upper_bound_holds_at_any_scale(problem: fs.Problem) -> None:
    found = [fs.allocate(problem, policy) for policy in fs.POLICIES.values()]
    best = max(allocation.total for allocation in found)
    for allocation in found:
        assert allocation.upper_bound is None or allocation.upper_bound >= best * (1 - 1e-9)


@given(problem=problems(concave=True, mild=True))
def test_the_upper_bound_is_tight_at_the_optimum(problem: fs.Problem) -> None:
    allocation = fs.allocate(problem, fs.FairSynergy())
    assert allocation.gap is not None
    assert allocation.gap <= 1e-6


def test_the_upper_bound_holds_where_grants_exceed_saturation() -> None:
    problem = fs.Problem(endowment=[0.5, 0.5], capacity=10.0, elasticity=[0.5, 0.5], saturation=1.0)
    allocation = judged(problem, [[9.9], [0.1]])
    assert allocation.upper_bound is not None
    assert allocation.upper_bound >= 2.0 * (1 - 1e-12)


@given(problem=problems(mild=True, resources=(2,)))
def test_the_bound_of_two_resources_holds_with_increasing_returns_too(problem: fs.Problem) -> None:
    rng = np.random.default_rng(0)
    found = [fs.allocate(problem, fs.FairSynergy(passes=passes)) for passes in (1, 20, None)]
    best = max(allocation.total for allocation in found)
    best = max([best, *(total(problem, grant) for grant in random_divisions(problem, rng, 15))])
    best = max([best, *(total(problem, grant) for grant in winners_take_all(problem))])
    for allocation in found:
        assert allocation.upper_bound is None or allocation.upper_bound >= best * (1 - 1e-12)


def winners_take_all(problem: fs.Problem) -> list[Array]:
    """One agent first, as far as its bounds and the floors of the others allow; then the others evenly."""
    first = 1 + 1e9 * np.eye(problem.n)
    return [fs.allocate(changed(problem, weight=weight), fs.Uniform()).grant for weight in first]


@given(problem=problems(mild=True, resources=(2,)))
def test_the_search_is_never_below_an_even_split(problem: fs.Problem) -> None:
    """The starts include the even split, so that at least that much is sure."""
    best = fs.allocate(problem, fs.FairSynergy()).total
    assert best >= fs.allocate(problem, fs.Uniform()).total * (1 - 1e-12)


def test_there_is_no_bound_for_three_resources_with_increasing_returns() -> None:
    problem = fs.Problem(endowment=np.full((4, 3), 0.1), capacity=[1, 1, 1], elasticity=np.full((4, 3), 0.5))
    for policy in (fs.FairSynergy(), fs.Uniform()):
        assert fs.allocate(problem, policy).upper_bound is None
