"""Prices and bids: they end at the central rule's grants and price where demands are continuous, and say so if not."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import NAMED, paper_fleet, problems

import fairsynergy as fs
from fairsynergy.analysis import planning
from fairsynergy.analysis.bidding import (
    METHODS,
    Newton,
    Repair,
    Tatonnement,
    _Cloud,
    bid,
    demand,
    in_size,
    overheard,
    rebid,
    safe_step,
)
from fairsynergy.fleets import PRESETS, FleetSpec, Setting
from fairsynergy.kernel._dual import Fleet, whole
from fairsynergy.kernel._objective import TotalUtility

ONE = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.5, 0.3])
# Tolerances at which grants are compared with the central rule's, and how far they may then be apart.
CLOSELY, ALIKE = 1e-9, 1e-6
TWO = {name: problem for name, problem in NAMED.items() if problem.m <= 2}


def apart(bidding):
    """Largest difference from the central grants, as a fraction of the capacity; of nothing, 0."""
    problem = bidding.problem
    central = fs.allocate(problem, fs.FairSynergy())
    unit = np.where(problem.capacity > 0, problem.capacity, 1.0)
    return float(np.max(np.abs(bidding.allocation.grant - central.grant) / unit))


def concave(problem):
    return TotalUtility().concave(problem)


# The central rule's grants and price.


@pytest.mark.parametrize("name", [name for name, problem in TWO.items() if concave(problem)])
def test_newton_ends_at_the_central_grants_of_every_concave_fleet(name):
    bidding = bid(TWO[name], tolerance=CLOSELY)
    assert bidding.converged
    assert apart(bidding) < ALIKE
    assert bidding.allocation.status is fs.Status.OPTIMAL


@given(problems(concave=True, mild=True))
def test_newton_ends_at_the_central_grants_of_any_mild_fleet(problem):
    bidding = bid(problem, tolerance=CLOSELY)
    assert bidding.converged
    assert apart(bidding) < ALIKE


@given(problems(resources=(1,), mild=True, most_agents=6))
def test_following_the_excess_with_a_safe_step_clears_from_one_side(problem):
    step = safe_step(problem)
    bidding = bid(problem, Tatonnement(step=step), rounds=400)
    excess = bidding.excess[1:, 0]
    # Prices come from one side: what is asked for stays above, or stays below, until it meets the capacity.
    assert (excess >= -1e-9).all() or (excess <= 1e-6).all()
    assert (np.diff(np.abs(excess)) <= 1e-9).all()


@pytest.mark.parametrize("preset", [name for name, preset in PRESETS.items() if concave(preset.problem)])
def test_following_the_excess_ends_at_the_central_grants(preset):
    bidding = bid(PRESETS[preset].problem, Tatonnement(), tolerance=1e-7, rounds=1000)
    assert bidding.converged
    assert apart(bidding) < ALIKE


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_the_price_is_the_central_one(method):
    fleet = FleetSpec(agents=30).problem()
    bidding = bid(fleet, method, tolerance=1e-8)
    np.testing.assert_allclose(bidding.price, fs.allocate(fleet, fs.FairSynergy()).price, rtol=1e-6)


def test_two_resources_have_the_central_prices_too():
    fleet = PRESETS["Warehouse"].problem
    bidding = bid(fleet, tolerance=CLOSELY)
    np.testing.assert_allclose(bidding.price, fs.allocate(fleet, fs.FairSynergy()).price, rtol=1e-6)


# What is proved.


@given(problems())
def test_every_round_bounds_the_best_total_and_grants_are_always_feasible(problem):
    bidding = bid(problem, Tatonnement(), rounds=15)
    total = fs.allocate(problem, fs.FairSynergy()).total
    assert (bidding.bound >= total * (1 - 1e-9)).all()
    assert bidding.allocation.certificate.feasible
    assert (bidding.achieved <= bidding.bound.min() * (1 + 1e-9)).all()
    assert bidding.allocation.total == pytest.approx(bidding.achieved[bidding.granted_in])
    assert (np.diff(bidding.gap) <= 1e-12).all()


@given(problems(resources=(1,)), st.floats(-6, 6), st.floats(1e-3, 2.0))
def test_the_distance_falls_no_faster_than_the_proof_says(problem, at, by):
    """|f'| <= L, as a difference quotient over any step of the log price."""
    if problem.capacity[0] <= problem.floor.sum():
        return
    unit = np.exp(at) * float(np.mean(problem.weight * problem.elasticity[:, 0])) * problem.capacity[0] ** -0.5

    def distance(log_price):
        ratio = demand(problem, np.exp(log_price)).sum() / problem.capacity[0]
        return np.log(ratio) if ratio > 1 else ratio - 1

    low = np.log(unit)
    fall = distance(low) - distance(low + by)
    assert -1e-6 <= fall <= by / safe_step(problem) * (1 + 1e-6) + 1e-6


def test_slopes_are_those_of_demand():
    fleet = PRESETS["Warehouse"].problem
    price = np.array([0.6, 0.5])
    cloud = _Cloud(fleet, 1e-6, 10, slopes=True)
    slope = cloud.ask(price).slope
    for k in range(2):
        step = np.zeros(2)
        step[k] = 1e-6
        up, down = (demand(fleet, price * np.exp(way * step)).sum(axis=0) for way in (1, -1))
        np.testing.assert_allclose(slope[:, k], (up - down) / 2e-6, rtol=1e-5)


@pytest.mark.parametrize("problem", [ONE, PRESETS["Warehouse"].problem], ids=["one resource", "two"])
def test_a_demand_is_the_best_an_agent_can_do_at_the_price(problem):
    rng = np.random.default_rng(0)
    price = rng.uniform(0.3, 0.9, problem.m)
    asked, box = demand(problem, price), whole(problem)
    worth = problem.weight * problem.utility(asked) - asked @ price
    others = rng.uniform(box.low, np.minimum(box.high, problem.capacity), (2000, problem.n, problem.m))
    assert (problem.weight * problem.utility(others) - others @ price <= worth + 1e-12).all()


def test_one_resource_and_a_second_that_nobody_can_have_answer_alike():
    one = FleetSpec(agents=20).problem()
    two = replace(
        one, endowment=np.column_stack([one.endowment, np.ones(20)]), capacity=np.array([one.capacity[0], 0.0]),
        elasticity=np.column_stack([one.elasticity, np.full(20, 0.05)]), floor=np.zeros((20, 2)),
        ceiling=np.full((20, 2), np.inf), saturation=np.ones((20, 2)), resources=("compute", "labels"),
    )  # fmt: skip
    for price in (0.0, 0.3, 2.0):
        alone, worth = Fleet(one).respond(whole(one), np.array([[price]]))
        both, same = Fleet(two).respond(whole(two), np.array([[price], [1.0]]))
        np.testing.assert_allclose(both[0], alone[0], atol=1e-12)
        np.testing.assert_allclose(same, worth)


# Where no price clears.


def test_where_demand_jumps_it_is_not_called_converged_and_what_is_missing_is_bounded():
    fleet = PRESETS["Winner takes all, saturated"].problem
    central = fs.allocate(fleet, fs.FairSynergy())
    for method in METHODS.values():
        bidding = bid(fleet, method)
        assert not bidding.converged
        assert bidding.sentence.startswith("No clearing price after 500 rounds: in the last rounds demand for")
        assert 0 < bidding.gap[-1] < 0.03
        assert bidding.bound.min() >= central.total
        assert bidding.allocation.total >= bidding.bound.min() * (1 - bidding.gap[-1]) - 1e-9
        assert bidding.allocation.certificate.feasible
        assert bidding.allocation.status is fs.Status.FEASIBLE
        low, high = bidding.swing
        assert (low < high).any()


def test_clearing_proves_the_optimum_even_where_the_total_is_not_concave():
    fleet = PRESETS["Fleet B"].problem
    assert not concave(fleet)
    bidding = bid(fleet)
    assert bidding.converged
    assert bidding.allocation.total == pytest.approx(fs.allocate(fleet, fs.CertifiedOptimum()).total, rel=1e-6)
    assert bidding.allocation.status is fs.Status.OPTIMAL


def test_too_few_rounds_are_repaired_in_the_open():
    rng = np.random.default_rng(3)
    bidding = bid(paper_fleet(rng, 12), Tatonnement(), rounds=2)
    assert not bidding.converged
    assert bidding.repair in Repair
    assert bidding.moved.max() > 0.1
    asked = fs.allocate(bidding.problem, fs.Given(bidding.demand(bidding.granted_in))).total
    assert bidding.lost == pytest.approx(1 - bidding.allocation.total / asked)


def test_too_long_a_step_cycles():
    fleet = FleetSpec(agents=20).problem()
    bidding = bid(fleet, Tatonnement(step=3.0), rounds=200)
    assert not bidding.converged
    assert np.ptp(bidding.swing) > 0.1
    assert bidding.allocation.certificate.feasible


# Ends and limits.


def test_what_is_plentiful_is_free_after_one_round():
    bidding = bid(TWO["everyone reaches the ceiling"])
    assert (bidding.rounds, bidding.price.tolist(), bidding.converged) == (1, [0.0], True)
    assert bidding.sentence == "After 1 round: there is enough for everybody at no price."


def test_more_than_two_resources_are_refused_by_name():
    with pytest.raises(fs.ProblemError, match="one or two resources, got 3"):
        bid(NAMED["three resources"])


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"tolerance": 0.0}, "tolerance"),
        ({"tolerance": True}, "tolerance"),
        ({"rounds": 0}, "rounds"),
        ({"rounds": 1.5}, "rounds"),
        ({"start": [-1.0]}, "start"),
        ({"start": [1.0, 2.0]}, "start"),
        ({"start": [np.nan]}, "start"),
    ],
)
def test_wrong_arguments_are_named(arguments, field):
    with pytest.raises(fs.ProblemError) as caught:
        bid(ONE, **arguments)
    assert caught.value.field == field


@pytest.mark.parametrize("step", [0, -1, np.nan, np.inf, "fast", True])
def test_a_step_is_a_positive_number(step):
    with pytest.raises(fs.ProblemError, match="`step` must be a finite number > 0"):
        Tatonnement(step=step)


def test_no_step_is_safe_where_returns_do_not_decrease():
    assert safe_step(PRESETS["Winner takes all"].problem) is None
    assert safe_step(NAMED["nothing to share"]) is None


# Rounds, change, and what is told.


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_a_fleet_many_times_over_clears_in_the_same_rounds(method):
    fleet = FleetSpec(agents=10).problem()
    rounds = {bid(in_size(fleet, 10 * times), method).rounds for times in (1, 3, 100)}
    # The box of an agent is the whole capacity, which grows; only the first, free round sees that.
    assert max(rounds) - min(rounds) <= max(rounds) // 5


def test_after_a_small_change_the_last_prices_clear_sooner():
    spec = FleetSpec(agents=50)
    fleet, more = spec.problem(), replace(spec, agents=52).problem()
    again = rebid(bid(fleet, Tatonnement()), replace(more, capacity=fleet.capacity))
    assert again.warm.converged
    assert again.cold.converged
    assert again.warm.rounds < again.cold.rounds
    np.testing.assert_allclose(again.warm.allocation.grant, again.cold.allocation.grant, atol=1e-5)
    with pytest.raises(fs.ProblemError, match="bid anew"):
        rebid(bid(fleet), FleetSpec(setting=Setting.DL).problem())


def test_bids_are_a_plan_that_replanning_starts_from():
    spec = FleetSpec(agents=20)
    before = bid(spec.problem()).allocation
    now = replace(spec, agents=21).problem()
    moved = planning.change(fs.allocate(now, fs.Replan(planning.carried(now, before), price=0.2)))
    assert (moved.moved <= moved.moved_free + 1e-9).all()


@pytest.mark.parametrize(
    ("method", "problem", "per_round", "central"),
    [
        (Tatonnement(), ONE, 2, 2),
        (Newton(), ONE, 3, 2),
        (Newton(), FleetSpec(setting=Setting.DL).problem(), 6, 6),
        (Tatonnement(), TWO["everything at once"], 3, 11),
    ],
)
def test_what_an_agent_tells_is_counted(method, problem, per_round, central):
    bidding = bid(problem, method, rounds=30)
    assert bidding.revealed == (per_round, bidding.rounds, central)
    assert bidding.revealed.total == per_round * bidding.rounds


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_three_bids_give_an_elasticity_away(method):
    fleet = FleetSpec(agents=30, saturation=None).problem()
    found = overheard(bid(fleet, method))
    known = np.isfinite(found)
    assert known.any()
    np.testing.assert_allclose(found[known], fleet.elasticity[known, 0], atol=1e-4)
    with pytest.raises(fs.ProblemError, match="one resource"):
        overheard(bid(PRESETS["Warehouse"].problem))


def test_nothing_is_overheard_where_everything_is_free():
    assert np.isnan(overheard(bid(TWO["everyone reaches the ceiling"]))).all()


def test_a_crumb_of_a_demand_gets_what_is_left_not_more_than_there_is():
    """The factor from a demand of 1e-310 to what was left is beyond any number; the grant is not."""
    fleet = fs.Problem(endowment=[0.1, 0], capacity=0.2, elasticity=[0.3, 0.999], ceiling=[0.1, np.inf])
    bidding = bid(fleet, Tatonnement(0.1))
    assert bidding.allocation.certificate.feasible
    best = max(  # a dense grid
        x**0.999 + min(0.3 - x, 0.2) ** 0.3 for x in np.linspace(0.1, 0.2, 10_001)
    )
    assert best == pytest.approx(0.71809, abs=1e-5)
    assert 0.999 * best < bidding.allocation.total <= best * (1 + 1e-9)
    assert best <= bidding.bound.min() * (1 + 1e-9)
    assert bidding.gap[-1] == pytest.approx(bidding.allocation.gap, abs=1e-12)


@given(problems(), st.sampled_from([1e-6, 1e-2, 0.3]))
def test_the_last_gap_is_that_of_the_grants_handed_out(problem, tolerance):
    bidding = bid(problem, tolerance=tolerance, rounds=25)
    assert bidding.gap[-1] == pytest.approx(bidding.allocation.gap, abs=1e-9)
