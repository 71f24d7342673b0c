"""Equal-income market: everyone buys its best at the prices, everything is sold, and so nobody envies anybody.

Accuracies and best purchases are written out again here, so that the rule is not judged by its own formulas.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from numpy.typing import NDArray
from scipy.optimize import brentq
from strategies import NAMED, changed, problems

import fairsynergy as fs
from fairsynergy.policies._market import Equilibrium
from fairsynergy.problem import Array

EXACT = 1e-9


def cleared(problem: fs.Problem) -> Equilibrium:
    return fs.EqualIncomeMarket().equilibrium(problem)


def random_fleet(seed: int, **changes: object) -> fs.Problem:
    """One to three resources; some agents own much, some nothing."""
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(1, 21)), 1 + seed % 3
    arguments: dict[str, object] = {
        "endowment": rng.random((n, m)) * 10.0 ** rng.integers(-3, 2, (n, m)) * (rng.random((n, m)) < 0.8),
        "capacity": rng.uniform(0.05, 1.0, m) * n,
        "elasticity": rng.uniform(0.02, 0.98, (n, m)),
    }
    return fs.Problem(**{**arguments, **changes})


def worst_envy(problem: fs.Problem, grant: Array) -> float:
    """Most that anybody would gain in accuracy with another's grant, as a fraction of its own where that is above 1."""
    held = np.minimum(problem.endowment[:, None] + grant[None], problem.saturation[:, None])
    swapped = np.prod(held ** problem.elasticity[:, None], axis=2)
    own = np.diagonal(swapped)[:, None]
    return float(np.max((swapped - own) / np.maximum(own, 1.0)))


def worst_loss(problem: fs.Problem, grant: Array) -> float:
    """Most that anybody would gain with its share of every capacity by weight, in the same measure."""
    share = problem.capacity * problem.weight[:, None] / problem.weight.sum()
    own = problem.utility(grant)
    return float(np.max((problem.utility(share) - own) / np.maximum(own, 1.0)))


def hopeful(problem: fs.Problem) -> NDArray[np.bool_]:
    """(n,) who has, or can be given, something of every resource."""
    return ((problem.endowment > 0) | ((problem.capacity > 0) & (problem.ceiling > 0))).all(axis=1)


def assert_accounts(problem: fs.Problem, found: Equilibrium) -> None:
    """Everyone spends its money, unless it can use nothing more; what has a price is sold."""
    grant, price = found.grant, found.price
    capacity = np.where(problem.capacity > 0, problem.capacity, 1.0)
    assert (price >= 0).all()
    assert (grant >= 0).all()
    assert (grant <= problem.upper).all()
    # Whom nothing for sale lifts from an accuracy of zero has no use for money; the others share all of it.
    some = hopeful(problem)
    assert not grant[~some].any()
    money = np.where(some, problem.weight, 0.0) / max(problem.weight[some].sum(), np.finfo(float).tiny)
    spent = (grant * price).sum(axis=1)
    assert (spent <= money * (1 + EXACT)).all()
    traded = (price > 0) & (problem.capacity > 0)
    wants = some & (problem.upper - grant > 1e-6 * capacity)[:, traded].any(axis=1)
    np.testing.assert_allclose(spent[wants], money[wants], rtol=EXACT)
    sold = grant.sum(axis=0)
    assert (sold <= problem.capacity * (1 + EXACT)).all()
    np.testing.assert_allclose(sold[traded], problem.capacity[traded], rtol=EXACT)
    free = ~traded & (problem.capacity > 0)
    np.testing.assert_array_equal(grant[:, free], np.where(some[:, None], problem.upper, 0.0)[:, free])


def assert_best_purchases(problem: fs.Problem, found: Equilibrium, within: float) -> None:
    """Accuracy per money is the same on everything an agent buys, and no higher on what it could still buy."""
    grant, price = found.grant, found.price
    traded = price > 0
    with np.errstate(divide="ignore"):
        held = problem.endowment + grant
        value = (np.log(problem.elasticity) - np.log(held))[:, traded] - np.log(price[traded])
    room = (grant < problem.upper * (1 - 1e-12))[:, traded]
    best = np.max(value, axis=1, initial=-np.inf, where=room & hopeful(problem)[:, None])
    bought = np.min(value, axis=1, initial=np.inf, where=(grant > 0)[:, traded])
    assert np.max(best - bought, initial=-np.inf) <= within


def test_nobody_envies_and_nobody_is_below_its_uniform_share_in_500_fleets() -> None:
    for seed in range(500):
        problem = random_fleet(seed)
        found = cleared(problem)
        assert_accounts(problem, found)
        assert_best_purchases(problem, found, 1e-8)
        assert worst_envy(problem, found.grant) <= EXACT
        assert worst_loss(problem, found.grant) <= EXACT


def test_other_rules_do_leave_envy_and_agents_below_their_share() -> None:
    """The measures of this file can fail."""
    problem = random_fleet(1)
    assert problem.m == 2
    grant = fs.allocate(problem, fs.FairSynergy()).grant
    assert worst_envy(problem, grant) > 0.1
    assert worst_loss(problem, grant) > 0.1
    with pytest.raises(AssertionError):
        assert_best_purchases(problem, Equilibrium(grant, cleared(problem).price, 0), 1e-3)


@pytest.mark.parametrize("seed", range(40))
def test_with_weights_nobody_is_below_its_share_by_weight(seed: int) -> None:
    fleet = random_fleet(seed)
    problem = changed(fleet, weight=np.random.default_rng(seed).uniform(0.1, 10.0, fleet.n))
    found = cleared(problem)
    assert_accounts(problem, found)
    assert_best_purchases(problem, found, 1e-8)
    assert worst_loss(problem, found.grant) <= EXACT


@given(problem=problems(resources=(1, 2, 3, 4), bounds=False))
def test_any_fleet_at_any_scale(problem: fs.Problem) -> None:
    """Beside endowments of 1e11 capacities, prices are known to a few digits less than usual."""
    found = cleared(problem)
    assert_accounts(problem, found)
    assert_best_purchases(problem, found, 1e-5)


@pytest.mark.parametrize("m", [2, 3, 4, 6])
def test_everyone_in_its_own_unit(m: int) -> None:
    """Endowments and elasticities of eighteen orders of magnitude side by side, which prices can hardly tell apart."""
    rng = np.random.default_rng(m)
    for _ in range(150):
        n = int(rng.integers(1, 30))
        own = rng.random((n, m)) * 10.0 ** rng.integers(-9, 10, (n, m)) * (rng.random((n, m)) < 0.8)
        near = 10.0 ** -rng.uniform(0, 9, (n, m))
        problem = fs.Problem(
            endowment=own,
            capacity=rng.uniform(0.01, 1.0, m) * n,
            elasticity=np.where(rng.random((n, m)) < 0.3, 1 - 0.99 * near, 0.99 * near),
            weight=rng.uniform(0.1, 10.0, n),
        )
        found = cleared(problem)
        assert_accounts(problem, found)
        assert_best_purchases(problem, found, 1e-6)


@pytest.mark.parametrize("name", NAMED)
def test_every_named_problem(name: str) -> None:
    problem = NAMED[name]
    if problem.floor.any():
        with pytest.raises(fs.ProblemError, match="Equal-income market cannot force a purchase: `floor") as caught:
            cleared(problem)
        assert caught.value.field == "floor"
        assert problem.floor[caught.value.index] > 0
        return
    found = cleared(problem)
    assert_accounts(problem, found)
    assert_best_purchases(problem, found, 1e-8)
    allocation = fs.allocate(problem, fs.EqualIncomeMarket())
    np.testing.assert_array_equal(allocation.grant, found.grant)
    assert allocation.status is fs.Status.FEASIBLE
    assert allocation.price is None  # prices in money are not marginal values of an objective


# What is known in closed form, or by another road.


def test_agents_that_own_nothing_spend_in_proportion_to_their_elasticities() -> None:
    """Zahedi and Lee (2014): shares of each resource in proportion to normalised elasticities."""
    rng = np.random.default_rng(4)
    gamma = rng.uniform(0.05, 0.95, (6, 4))
    problem = fs.Problem(endowment=np.zeros((6, 4)), capacity=[1.0, 20.0, 0.3, 4.0], elasticity=gamma)
    part = gamma / gamma.sum(axis=1, keepdims=True)
    found = cleared(problem)
    np.testing.assert_allclose(found.grant, part / part.sum(axis=0) * problem.capacity, rtol=1e-13)
    np.testing.assert_allclose(found.price, part.mean(axis=0) / problem.capacity, rtol=1e-13)


@given(problem=problems(resources=(1,)))
def test_one_resource_is_divided_by_weight(problem: fs.Problem) -> None:
    """All money buys the same thing, and what one agent has no use for is left to the others."""
    problem = changed(problem, floor=0.0)
    uniform = fs.allocate(problem, fs.Uniform()).grant
    np.testing.assert_allclose(cleared(problem).grant, uniform, rtol=1e-12)


@pytest.mark.parametrize("seed", range(1, 60, 3))
def test_two_resources_agree_with_the_formula_for_the_first_one(seed: int) -> None:
    """An agent spends clip(g / (g + h) (B + p e + q f) - p e, 0, B) on compute, and the rest on labels."""
    problem = random_fleet(seed)
    assert problem.m == 2
    money = 1 / problem.n
    (own, other), (gamma, rest) = problem.endowment.T, problem.elasticity.T

    def bought(part: float) -> Array:
        p, q = np.array([part, 1 - part]) / problem.capacity
        return np.clip(gamma / (gamma + rest) * (money + p * own + q * other) - p * own, 0.0, money)

    part = brentq(lambda part: bought(part).sum() - part, 1e-6, 1 - 1e-6, xtol=1e-15, rtol=1e-14)
    found = cleared(problem)
    np.testing.assert_allclose(found.price * problem.capacity, [part, 1 - part], rtol=1e-9)
    np.testing.assert_allclose(found.grant[:, 0], bought(part) / found.price[0], rtol=1e-8, atol=1e-9)


def test_a_worked_example() -> None:
    """Agent 1 owns compute and buys labels only: (0, 1); agent 2 owns nothing and takes the rest.

    With half of the money each: agent 2 spends p = 1/3 on compute, which sells out, and 1/6 on labels; labels cost
    1/2 + 1/6 = 2/3, of which agent 1 buys 3/4. It is content: 0.1 / (2/3 * 3/4) < 0.5 / (1/3 * 2).
    """
    problem = fs.Problem(endowment=[[2.0, 0.0], [0.0, 0.0]], capacity=[1.0, 1.0], elasticity=[[0.1, 0.5], [0.6, 0.3]])
    found = cleared(problem)
    np.testing.assert_allclose(found.price, [1 / 3, 2 / 3], rtol=1e-14)
    np.testing.assert_allclose(found.grant, [[0.0, 0.75], [1.0, 0.25]], rtol=1e-14)


def rich_and_poor(m: int, plenty: float) -> fs.Problem:
    """Agent 1 owns plenty, least of it compute; agent 2 owns nothing."""
    own = np.zeros((2, m))
    own[0] = [plenty, *[1e4 * plenty] * (m - 1)]
    return fs.Problem(endowment=own, capacity=np.ones(m), elasticity=np.full((2, m), 0.5))


@pytest.mark.parametrize(("m", "plenty"), [(2, 1e20), (3, 1e15), (3, 1e18), (2, 1e90), (4, 1e90)])
def test_an_agent_that_owns_plenty_spends_its_money_all_the_same(m: int, plenty: float) -> None:
    """All on compute; the other one divides its money evenly."""
    found = cleared(rich_and_poor(m, plenty))
    price = np.full(m, 0.5 / m)
    price[0] += 0.5
    np.testing.assert_allclose(found.price, price, rtol=1e-13)
    np.testing.assert_allclose(found.grant[1], 0.5 / m / price, rtol=1e-13)


@pytest.mark.parametrize("m", [1, 2, 3, 5])
def test_one_agent_buys_everything(m: int) -> None:
    problem = fs.Problem(
        endowment=[[0.3] * m], capacity=np.arange(1.0, m + 1), elasticity=[[0.1, 0.9, 0.4, 0.3, 0.5][:m]]
    )
    found = cleared(problem)
    np.testing.assert_allclose(found.grant[0], problem.capacity, rtol=1e-13)
    value = problem.elasticity[0] / (0.3 + problem.capacity)  # prices at which it wants just that
    np.testing.assert_allclose(found.price, value / (value @ problem.capacity), rtol=1e-13)


# Symmetries.


@pytest.mark.parametrize("seed", range(30))
def test_the_order_of_agents_and_resources_does_not_matter(seed: int) -> None:
    problem = random_fleet(seed)
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(problem.n), rng.permutation(problem.m)
    shuffled = fs.Problem(
        endowment=problem.endowment[rows][:, columns],
        capacity=problem.capacity[columns],
        elasticity=problem.elasticity[rows][:, columns],
    )
    grant = cleared(problem).grant[rows][:, columns]
    np.testing.assert_allclose(cleared(shuffled).grant / shuffled.capacity, grant / shuffled.capacity, atol=1e-11)


@pytest.mark.parametrize("seed", range(30))
def test_units_do_not_matter(seed: int) -> None:
    """Counting the last resource in hundredths leaves every share as it was."""
    problem = random_fleet(seed)
    unit = np.append(np.ones(problem.m - 1), 100.0)
    hundredths = changed(problem, endowment=problem.endowment * unit, capacity=problem.capacity * unit)
    before, after = cleared(problem), cleared(hundredths)
    np.testing.assert_allclose(after.grant / hundredths.capacity, before.grant / problem.capacity, atol=1e-11)
    np.testing.assert_allclose(after.price * unit, before.price, rtol=1e-10)


@pytest.mark.parametrize("seed", range(30))
def test_twins_buy_alike_and_only_relative_weights_matter(seed: int) -> None:
    problem = random_fleet(seed)
    twins = fs.Problem(
        endowment=np.repeat(problem.endowment, 2, axis=0),
        capacity=2 * problem.capacity,
        elasticity=np.repeat(problem.elasticity, 2, axis=0),
        weight=7.0,
    )
    grant = cleared(twins).grant
    np.testing.assert_array_equal(grant[::2], grant[1::2])
    np.testing.assert_allclose(grant[::2] / problem.capacity, cleared(problem).grant / problem.capacity, atol=1e-11)


# Limits to what can be used.


@pytest.mark.parametrize("seed", range(1, 120, 3))
def test_saturation_keeps_all_that_the_market_promises(seed: int) -> None:
    fleet = random_fleet(seed)
    assert fleet.m == 2
    rng = np.random.default_rng(seed)
    problem = changed(fleet, saturation=fleet.capacity / fleet.n * rng.uniform(0.3, 4.0, (fleet.n, 2)))
    found = cleared(problem)
    assert_accounts(problem, found)
    assert_best_purchases(problem, found, 1e-8)
    assert worst_envy(problem, found.grant) <= EXACT
    assert worst_loss(problem, found.grant) <= EXACT


@given(problem=problems(resources=(2,)))
def test_ceilings_at_any_scale(problem: fs.Problem) -> None:
    problem = changed(problem, floor=0.0)
    found = cleared(problem)
    assert_accounts(problem, found)
    assert_best_purchases(problem, found, 1e-5)


def test_money_that_one_agent_cannot_spend_makes_everything_cheaper_for_the_others() -> None:
    problem = fs.Problem(
        endowment=np.zeros((3, 2)),
        capacity=[1, 1],
        elasticity=np.full((3, 2), 0.5),
        ceiling=[[0.1, 0.2], [9, 9], [9, 9]],
    )
    found = cleared(problem)
    np.testing.assert_allclose(found.grant, [[0.1, 0.2], [0.45, 0.4], [0.45, 0.4]], rtol=1e-13)
    # The others spend half of their money on each.
    np.testing.assert_allclose(found.price, [1 / 6 / 0.45, 1 / 6 / 0.4], rtol=1e-13)


def test_what_there_is_plenty_of_is_free() -> None:
    problem = fs.Problem(
        endowment=np.zeros((2, 3)), capacity=[5, 1, 1], elasticity=np.full((2, 3), 0.5), saturation=[1.0, 9.0, 9.0]
    )
    found = cleared(problem)
    np.testing.assert_allclose(found.grant, [[1, 0.5, 0.5]] * 2, rtol=1e-13)
    np.testing.assert_allclose(found.price, [0, 0.5, 0.5], rtol=1e-13)
    np.testing.assert_allclose(fs.allocate(problem, fs.EqualIncomeMarket()).unspent, [3, 0, 0], atol=1e-13)


def test_limits_that_do_not_bind_change_nothing_with_three_resources() -> None:
    problem = random_fleet(2)
    assert problem.m == 3
    grant = cleared(problem).grant
    loose = changed(problem, ceiling=grant * 1.01 + 1e-3)
    np.testing.assert_allclose(cleared(loose).grant, grant, rtol=1e-12)


@pytest.mark.parametrize("limit", ["ceiling", "saturation"])
def test_limits_that_bind_with_three_resources_are_refused_by_name(limit: str) -> None:
    problem = fs.Problem(endowment=np.zeros((4, 3)), capacity=[1, 1, 1], elasticity=np.full((4, 3), 0.3))
    bound = np.full((4, 3), 0.3)
    bound[2, 1] = 0.2
    with pytest.raises(fs.ProblemError, match=rf"`{limit}\[2, 1\]` \(agent 3, labels\)|resource 2") as caught:
        cleared(changed(problem, **{limit: bound}))
    assert (caught.value.field, caught.value.index) == (limit, (2, 1))


def test_a_large_fleet() -> None:
    rng = np.random.default_rng(7)
    problem = fs.Problem(
        endowment=rng.random((10_000, 2)), capacity=[5e3, 2e3], elasticity=rng.uniform(0.02, 0.98, (10_000, 2))
    )
    found = cleared(problem)
    assert_accounts(problem, found)
    assert_best_purchases(problem, found, 1e-8)


def test_a_good_of_which_all_have_enough_costs_nothing_though_sums_of_ceilings_round_above_it() -> None:
    """0.3 + 0.1 + 0.2 + 0.3 is more than 0.9 in binary."""
    ceiling = [[np.inf, part] for part in (0.3, 0.1, 0.2, 0.3)]
    problem = fs.Problem(
        endowment=np.zeros((4, 2)), capacity=[0.9, 0.9], elasticity=np.full((4, 2), 0.5), ceiling=ceiling
    )
    found = cleared(problem)
    assert found.price[1] == 0
    np.testing.assert_array_equal(found.grant[:, 1], [0.3, 0.1, 0.2, 0.3])
    np.testing.assert_allclose(found.grant[:, 0], 0.225, rtol=1e-12)


def test_an_agent_whose_accuracy_stays_zero_buys_nothing_and_leaves_its_money_to_the_others() -> None:
    elasticity = [[0.5, 0.3], [0.3, 0.5], [0.5, 0.5]]
    problem = fs.Problem(endowment=[[0.1, 0], [0.1, 0.2], [0.1, 0.2]], capacity=[1, 0], elasticity=elasticity)
    np.testing.assert_allclose(cleared(problem).grant[:, 0], [0, 0.5, 0.5], rtol=1e-12)
    nobody = fs.Problem(endowment=[[0.1, 0]], capacity=[1, 0], elasticity=[[0.5, 0.3]])
    np.testing.assert_array_equal(cleared(nobody).grant, [[0, 0]])


def test_the_only_buyer_gets_everything_though_it_owns_1e25_capacities() -> None:
    """Beside such an endowment a double does not hold a purchase; decimals do."""
    for m in (2, 3, 4):
        problem = fs.Problem(
            endowment=[[6e5, 7e9, 8e17, 5.5e12][:m]],
            capacity=[5e-13, 5e-13, 3.7e-8, 2.4e9][:m],
            elasticity=[[0.22, 0.43, 0.11, 0.29][:m]],
        )
        allocation = fs.allocate(problem, fs.EqualIncomeMarket())
        assert allocation.status is fs.Status.FEASIBLE
        np.testing.assert_allclose(allocation.grant[0], problem.capacity, rtol=1e-12)


def test_grants_move_smoothly_as_an_endowment_grows_beyond_what_doubles_can_compare() -> None:
    """One owner of much buys what it lacks; the others' market must not notice how much it owns."""
    elasticity = [[0.5, 0.3, 0.2], [0.2, 0.5, 0.3], [0.3, 0.2, 0.5]]
    found = []
    for much in (1e5, 1e7, 1e12, 1e20, 1e90):
        own = [[much, 0.1, 0.1], [0.1, 0.1, 0.1], [0.1, 0.1, 0.1]]
        found.append(cleared(fs.Problem(endowment=own, capacity=[1, 1, 1], elasticity=elasticity)).grant)
    for grant in found[1:]:
        np.testing.assert_allclose(grant, found[0], atol=1e-12)
