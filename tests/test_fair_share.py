"""The fair-share report and the guarantees: each against its definition, each promise with a case that breaks it."""

import tracemalloc
from dataclasses import dataclass, field, replace
from typing import ClassVar

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from strategies import NAMED, changed, fleet, problems

import fairsynergy as fs
from fairsynergy.analysis.fairness import TIE, Verdict, Withheld
from fairsynergy.analysis.fairness import _envies as envies
from fairsynergy.analysis.fairness import _fair_share as fair_share

REPORTED = ("uniform_share", "against_uniform", "envy", "inequality", "price_of_fairness", "pareto")


@dataclass(frozen=True)
class Fixed(fs.Policy):
    """Always the same grants, whatever the question."""

    grant: object
    name: ClassVar[str] = "Fixed"
    sentence: ClassVar[str] = "As written down."

    def divide(self, problem):
        return fs.Division(np.array(self.grant, dtype=float).reshape(problem.n, problem.m), 0)


@dataclass(frozen=True)
class Steps(fs.Policy):
    """Uniform in whole units."""

    name: ClassVar[str] = "Steps"
    sentence: ClassVar[str] = "Whole units only."

    def divide(self, problem):
        return fs.Division(np.floor(fs.Uniform().divide(problem).grant), 0)


@dataclass(frozen=True)
class Picky(fs.Policy):
    """Divides one fleet and refuses every other."""

    known: fs.Problem = field(repr=False)
    name: ClassVar[str] = "Picky"
    sentence: ClassVar[str] = "This fleet only."

    def divide(self, problem):
        if problem != self.known:
            raise fs.ProblemError("never seen this fleet")
        return fs.Uniform().divide(problem)


def given_to(problem, grant):
    return fs.allocate(problem, Fixed(grant))


HANDLED = [(name, rule) for name in NAMED for rule in fs.POLICIES if NAMED[name].m <= 2 or rule != "Leximin"]


@pytest.mark.parametrize(("name", "rule"), HANDLED)
def test_every_division_can_be_reported_on(name, rule):
    problem = NAMED[name]
    report = fs.fairness.report(fs.allocate(problem, fs.POLICIES[rule]))
    share, change, envy, inequality, price, pareto = (getattr(report, part) for part in REPORTED)
    assert share.holds == (share.below == 0) == (change.losers == 0)
    assert (share.shortfall > TIE) == (not share.holds)
    assert change.gainers + change.losers + change.unchanged == problem.n
    assert 0 <= envy.agents <= envy.compared == problem.n
    assert 0 <= inequality.equivalent <= report.allocation.mean * (1 + 1e-12)
    assert price.low is None or 0 <= price.low <= price.high <= 1
    assert pareto.efficient == (pareto.lifted is None and (pareto.largest is None or pareto.largest <= TIE)) or (
        problem.m > 2 and not pareto.efficient
    )
    for guarantee in fs.fairness.guarantees(report):
        assert guarantee.sentence.endswith(".")
        assert not guarantee.sentence[0].islower() or guarantee.sentence.startswith(problem.agents)
        assert "nan" not in guarantee.sentence
        assert (guarantee.amount == 0) if guarantee.verdict is Verdict.HOLDS else guarantee.amount != 0


# The equal share


def test_the_uniform_share_is_the_equal_part_of_the_capacity():
    problem = fs.Problem(endowment=[0.1, 0.3], capacity=0.6, elasticity=[0.9, 0.3], weight=[1, 2])
    share = fs.fairness.report(given_to(problem, [0.6, 0.0])).uniform_share
    np.testing.assert_allclose(share.utility, [0.3**0.9, 0.7**0.3], rtol=1e-14)
    np.testing.assert_allclose(share.ratio, [(0.7 / 0.3) ** 0.9, (0.3 / 0.7) ** 0.3], rtol=1e-14)
    assert (share.holds, share.worst, share.below) == (False, "agent 2", 1)
    np.testing.assert_allclose(share.shortfall, 1 - (3 / 7) ** 0.3, rtol=1e-14)


def test_what_a_sated_agent_leaves_of_its_share_goes_to_the_others():
    problem = fs.Problem(endowment=[0.9, 0.1, 0.1], capacity=0.9, elasticity=[0.5] * 3, saturation=1.0)
    share = fs.fairness.report(fs.allocate(problem, fs.Uniform())).uniform_share
    np.testing.assert_allclose(share.utility, np.sqrt([1.0, 0.5, 0.5]), rtol=1e-14)
    np.testing.assert_array_equal(share.ratio, 1.0)


def test_an_agent_that_even_its_share_would_not_lift_has_its_share():
    problem = fs.Problem(endowment=[[0.1, 0.0], [0.1, 0.2]], capacity=[1.0, 0.0], elasticity=[[0.5, 0.4]] * 2)
    share = fs.fairness.report(given_to(problem, [[0, 0], [1, 0]])).uniform_share
    assert share.ratio[0] == 1.0
    assert share.holds


def test_an_agent_left_at_nothing_lacks_all_of_its_share():
    report = fs.fairness.report(given_to(changed(NAMED["nobody owns anything"], capacity=6.0), [0, 2, 1, 1, 1, 1]))
    assert report.uniform_share.shortfall == 1
    assert report.uniform_share.worst == "agent 1"
    assert report.against_uniform == fair_share.GainsAndLosses(
        gainers=1,
        losers=1,
        unchanged=4,
        winner="agent 2",
        gain=report.allocation.utility[1] - 1,
        loser="agent 1",
        loss=1.0,
    )


@given(problems(resources=(1, 2, 3)))
def test_gains_and_losses_are_the_differences_from_uniform(problem):
    allocation, equal = fs.allocate(problem, fs.NUM()), fs.allocate(problem, fs.Uniform())
    found = fs.fairness.report(allocation).against_uniform
    change = allocation.utility - equal.utility
    tie = 2 * TIE * np.maximum(allocation.utility, equal.utility)
    assert (change > tie).sum() <= found.gainers <= (change > tie / 4).sum()
    assert (change < -tie).sum() <= found.losers <= (change < -tie / 4).sum()
    if found.winner:
        np.testing.assert_allclose(change[problem.agents.index(found.winner)], found.gain)
        assert found.gain >= change.max() - tie.max()


# The price of fairness

BEST_OF_FLEET_B = 3.08811  # certified optimum, without saturation: ten times the mean .308811


@pytest.mark.parametrize("passes", [None, 1])
@pytest.mark.parametrize("rule", ["Random", "Uniform", "NUM", "DRF", "Leximin", "Fair-Synergy"])
def test_the_price_of_fairness_encloses_the_true_one_whatever_it_is_compared_with(rule, passes):
    allocation = fs.allocate(fleet("b"), fs.POLICIES[rule])
    price = fs.fairness.report(
        allocation, best=fs.allocate(fleet("b"), fs.FairSynergy(passes=passes))
    ).price_of_fairness
    true = 1 - allocation.total / BEST_OF_FLEET_B
    assert 0 <= price.low <= true + 1e-5
    assert true - 1e-5 <= price.high
    assert price.low < price.high


def test_the_price_is_sharp_where_the_best_is_proved():
    problem = NAMED["two resources"]
    best, fair = fs.allocate(problem, fs.FairSynergy()), fs.allocate(problem, fs.Leximin())
    price = fs.fairness.report(fair, best=best).price_of_fairness
    np.testing.assert_allclose([price.low, price.high], 1 - fair.total / best.total, rtol=1e-6)
    assert fs.fairness.report(best, best=best).price_of_fairness.low == 0


def test_without_a_best_the_own_bound_is_used_or_nothing_is_claimed():
    alone = fs.fairness.report(fs.allocate(NAMED["two resources"], fs.NUM())).price_of_fairness
    assert alone.low == 0 < alone.high < 1
    unknown = fs.fairness.report(fs.allocate(fleet("b"), fs.NUM())).price_of_fairness
    assert (unknown.low, unknown.high) == (None, None)
    assert "give a certified optimum" in unknown.against


def test_a_best_that_proves_nothing_is_refused():
    problem = NAMED["two resources"]
    allocation = fs.allocate(problem, fs.NUM())
    other = fs.allocate(changed(problem, capacity=[1.0, 1.0]), fs.FairSynergy())
    with pytest.raises(fs.ProblemError, match="`best` divides another problem"):
        fs.fairness.report(allocation, best=other)
    with pytest.raises(fs.ProblemError, match="breaks a limit"):
        fs.fairness.report(allocation, best=given_to(problem, np.full((7, 2), 9.0)))
    with pytest.raises(fs.ProblemError, match="`epsilon` must be a number >= 0, got nan"):
        fs.fairness.report(allocation, epsilon=np.nan)


def test_accuracies_that_are_not_numbers_are_refused():
    problem = NAMED["one resource"]
    broken = replace(fs.allocate(problem, fs.NUM()), grant=np.full((7, 1), np.nan))
    with pytest.raises(fs.ProblemError, match="not numbers"):
        fs.fairness.report(broken)


# Pareto


def test_with_one_resource_waste_is_what_is_left():
    problem = fs.Problem(endowment=[0.1, 0.1], capacity=0.4, elasticity=[0.5, 0.5])
    found = fs.fairness.efficiency(problem, np.array([[0.1], [0.1]]))
    # Both could hold .3 instead of .2, or one of them .4.
    np.testing.assert_allclose([found.gain, found.largest], [np.sqrt(1.5) - 1, np.sqrt(2) - 1], rtol=1e-9)
    np.testing.assert_allclose(found.wasted, 0.5)
    for whole in ([0.2, 0.2], [0.4, 0.0]):
        assert fs.fairness.efficiency(problem, np.array(whole)[:, None]).efficient
    sated = changed(problem, saturation=0.15)
    assert fs.fairness.efficiency(sated, np.array([[0.05], [0.05]])).efficient


def test_what_a_sated_agent_holds_idle_is_wasted():
    problem = fs.Problem(endowment=[0.1, 0.1], capacity=0.4, elasticity=[0.5, 0.5], saturation=[0.2, np.inf])
    found = fs.fairness.efficiency(problem, np.array([[0.3], [0.1]]))
    assert not found.efficient
    np.testing.assert_allclose([found.gain, found.largest], [0, np.sqrt(2) - 1], atol=1e-9)


def test_a_swap_that_serves_both_is_found_and_measured():
    problem = fs.Problem(endowment=np.zeros((2, 2)), capacity=[1, 1], elasticity=[[0.8, 0.2], [0.2, 0.8]])
    found = fs.fairness.efficiency(problem, np.full((2, 2), 0.5))
    # Everyone gets .8 of what it wants most: .8^.8 .2^.2 instead of .5.
    np.testing.assert_allclose(found.gain, 0.8**0.8 * 0.2**0.2 / 0.5 - 1, rtol=1e-9)
    np.testing.assert_allclose(found.disagreement, 3.0, rtol=1e-12)  # rates 4 and 1/4: each 4 times the price
    assert not found.wasted.any()


def test_agents_without_any_accuracy_lose_nothing():
    # Agent 1 lacks labels, and there are none: its compute is wasted.
    problem = fs.Problem(endowment=[[0.1, 0.0], [0.1, 0.2]], capacity=[1.0, 0.0], elasticity=[[0.5, 0.4]] * 2)
    found = fs.fairness.efficiency(problem, np.array([[0.6, 0], [0.4, 0]]))
    np.testing.assert_allclose([found.gain, found.wasted[0]], [np.sqrt(1.1 / 0.5) - 1, 0.6], rtol=1e-9)
    assert fs.fairness.efficiency(problem, np.array([[0, 0], [1, 0]])).efficient


def test_an_agent_at_nothing_is_lifted_with_what_nobody_else_can_use():
    problem = fs.Problem(endowment=[0.0, 0.1], capacity=1.0, elasticity=[0.5, 0.5], ceiling=[1.0, 0.3])
    found = fs.fairness.efficiency(problem, np.array([[0.0], [0.3]]))
    assert (found.efficient, found.lifted) == (False, "agent 1")
    scarce = changed(problem, capacity=0.3)
    assert fs.fairness.efficiency(scarce, np.array([[0.0], [0.3]])).efficient
    everyone = fs.Problem(endowment=[0.0, 0.0], capacity=1.0, elasticity=[0.5, 0.5])
    assert not fs.fairness.efficiency(everyone, np.zeros((2, 1))).efficient


def test_three_resources_are_judged_by_cycles_of_swaps():
    """No two agents gain by a swap of two resources, but three do by passing one on to the next."""
    shape = np.array([[0.5, 0.2, 0.1], [0.1, 0.5, 0.2], [0.2, 0.1, 0.5]])
    # Agent i can only receive resource i, and only give up resource i + 1.
    ceiling = np.eye(3) + np.roll(np.eye(3), 1, axis=1) * 0.1
    problem = fs.Problem(endowment=np.ones((3, 3)), capacity=[0.1] * 3, elasticity=shape, ceiling=ceiling)
    grant = np.roll(np.eye(3), 1, axis=1) * 0.1
    found = fs.fairness.efficiency(problem, grant)
    rate = (0.5 / 1.0) / (0.2 / 1.1)
    np.testing.assert_allclose(found.disagreement, rate - 1, rtol=1e-12)
    assert (found.efficient, found.gain) == (False, None)
    better = grant - 0.01 * np.roll(np.eye(3), 1, axis=1) + 0.01 * np.eye(3)
    assert (problem.utility(better) > problem.utility(grant)).all()
    assert fs.fairness.efficiency(problem, 0.1 * np.eye(3)).efficient


@given(problems(most_agents=6, mild=True), st.integers(0, 2**32 - 1))
@pytest.mark.parametrize("rule", ["Random", "NUM", "Leximin", "Fair-Synergy"])
def test_no_division_beats_an_efficient_one_nor_the_gain_that_is_possible(rule, problem, seed):
    """Against divisions that mix the given one with random ones, near and far."""
    grant = fs.allocate(problem, fs.POLICIES[rule]).grant
    found = fs.fairness.efficiency(problem, grant)
    if rule in ("Leximin", "Fair-Synergy"):
        assert found.efficient
    before = problem.utility(grant)
    rng = np.random.default_rng(seed)
    for step in (1.0, 0.1, 0.01, 1e-3):
        other = fs.allocate(problem, fs.Random(seed=rng)).grant
        growth = problem.utility((1 - step) * grant + step * other) / before - 1
        assert growth.min() <= found.gain + TIE
        if growth.min() >= 0:
            assert growth.max() <= TIE or not found.efficient


# What if the question were a little different


def test_the_price_and_dividing_anew_agree_on_the_elasticity():
    for name in ("one resource", "two resources", "three resources", "saturation"):
        allocation = fs.allocate(NAMED[name], fs.FairSynergy())
        # The same grants by a rule that claims nothing are measured.
        blind = replace(allocation, price=None)
        by_price, measured = fs.fairness.elasticities(allocation), fs.fairness.elasticities(blind)
        assert [e.source for e in by_price] == ["from the price"] * NAMED[name].m
        np.testing.assert_allclose([e.value for e in measured], [e.value for e in by_price], rtol=1e-5)


def test_the_elasticity_of_equal_shares_by_hand():
    problem = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3])
    (found,) = fs.fairness.elasticities(fs.allocate(problem, fs.Uniform()))
    utility = np.array([0.35**0.9, 0.55**0.3])
    slope = 0.25 * (0.9 * utility[0] / 0.35 + 0.3 * utility[1] / 0.55)
    np.testing.assert_allclose(found.value, slope / utility.sum(), rtol=1e-6)


def test_the_mean_is_unweighted_even_where_the_total_is_not():
    problem = NAMED["weights"]
    (found,) = fs.fairness.elasticities(fs.allocate(problem, fs.FairSynergy()))
    more, less = (
        fs.allocate(changed(problem, capacity=problem.capacity * (1 + step)), fs.FairSynergy()).mean
        for step in (1e-3, -1e-3)
    )
    np.testing.assert_allclose(found.value, np.log(more / less) / 2e-3, rtol=1e-4)


def test_an_elasticity_that_does_not_exist_says_why():
    problem = fs.Problem(endowment=[[0.5, 0.5]] * 2, capacity=[7.0, 0.0], elasticity=[[0.5, 0.3]] * 2)
    steps, none = fs.fairness.elasticities(fs.allocate(problem, Steps()))
    assert (steps.value, steps.source) == (None, "the grants move in steps, not with small changes of the capacity")
    assert (none.value, none.source) == (None, "there is nothing of it to share, so no percentage of it")
    jump = fs.fairness.elasticities(fs.allocate(changed(problem, capacity=[8.0, 0.0]), Steps()))[0]
    assert jump.value is None
    assert "bends or jumps" in jump.source
    picky = fs.fairness.elasticities(fs.allocate(problem, Picky(problem)))[0]
    assert picky.value is None
    assert "never seen" in picky.source
    nothing = fs.Problem(endowment=[[0.1, 0.0]], capacity=[1, 0], elasticity=[[0.5, 0.5]])
    assert fs.fairness.elasticities(fs.allocate(nothing, fs.NUM()))[0].value is None


def test_floors_that_take_everything_leave_only_the_way_up():
    problem = NAMED["floors take everything"]
    (found,) = fs.fairness.elasticities(fs.allocate(problem, fs.Uniform()))
    assert found.source == "measured with 0.01 % more, since the floors take all there is"
    assert found.value > 0


def test_a_generator_is_not_consumed_by_the_report():
    generator = np.random.default_rng(1)
    allocation = fs.allocate(NAMED["one resource"], fs.Random(seed=generator))
    state = generator.bit_generator.state
    report = fs.fairness.report(allocation)
    assert report.elasticity[0].value is None
    checks = {guarantee.name: guarantee.verdict for guarantee in fs.fairness.guarantees(report)}
    assert checks["unit-free"] is checks["resource-monotone"] is Verdict.NOT_APPLICABLE
    assert generator.bit_generator.state == state


def test_the_unit_trap():
    """Fleet A in fractions gives the agents with elasticity .9 nothing; in hundredths, everything."""
    hundredths = fs.Problem(
        endowment=fleet("a").endowment * 100, capacity=fleet("a").capacity * 100, elasticity=fleet("a").elasticity
    )
    hard = fleet("a").elasticity[:, 0] == 0.9
    shares = [
        fs.allocate(problem, fs.FairSynergy()).grant[hard].sum() / problem.capacity[0]
        for problem in (fleet("a"), hundredths)
    ]
    np.testing.assert_allclose(shares, [0, 1], atol=1e-12)
    check = fs.fairness.unit_free(fleet("a"), fs.FairSynergy())
    np.testing.assert_allclose([check.holds, check.amount], [False, 1.0], rtol=1e-9)
    for rule in ("NUM", "Uniform", "DRF", "Random"):
        assert fs.fairness.unit_free(fleet("a"), fs.POLICIES[rule]).holds


def test_amounts_that_a_rule_was_given_are_counted_in_the_other_unit_too():
    """A split by hand, units and previous grants are amounts: read in hundredths, they are the same amounts."""
    three = fs.Problem(endowment=[0.1, 0.2, 0.3], capacity=8, elasticity=[0.5, 0.5, 0.5])
    for rule in (
        fs.Given([1, 2, 5]),
        fs.WholeUnits(fs.Uniform(), seed=1),
        fs.WholeUnits(fs.Given([1.5, 1.5, 5])),
        fs.Replan([1, 2, 5], np.inf),
    ):
        assert fs.fairness.unit_free(three, rule).holds, rule.label
    both = fs.Problem(endowment=[[0.1, 0.2]] * 2, capacity=[8, 3], elasticity=[[0.5, 0.3]] * 2)
    assert fs.fairness.unit_free(both, fs.WholeUnits(fs.Uniform(), (2.0, 1.0))).holds
    assert not fs.fairness.unit_free(fleet("a"), fs.Replan(fs.allocate(fleet("a"), fs.NUM()).grant, 1e-9)).holds


def test_a_rule_in_other_units_divides_a_fleet_in_other_units_as_before():
    factor = np.array([100.0, 0.1])
    problem = NAMED["two resources"]
    amounts = ("endowment", "capacity", "floor", "ceiling", "saturation")
    other = changed(problem, **{name: getattr(problem, name) * factor for name in amounts})
    rule = fs.WholeUnits(fs.Uniform(), (0.1, 0.5), seed=2)
    np.testing.assert_allclose(
        rule.in_units(factor).divide(other).grant, rule.divide(problem).grant * factor, rtol=1e-12
    )


def test_in_whole_units_one_unit_more_is_the_step_that_may_take_one_away():
    three = fs.Problem(endowment=[0.1, 0.1, 0.1], capacity=7, elasticity=[0.5, 0.5, 0.5])
    rule = fs.WholeUnits(fs.Uniform())
    grants = [fs.allocate(changed(three, capacity=c), rule).grant.ravel().tolist() for c in (7, 8)]
    assert grants == [[2, 3, 2], [3, 2, 3]]
    found = verdict_on(three, rule, "resource-monotone")
    assert found.verdict is Verdict.FAILS
    assert found.sentence.startswith("With 1 more compute to share, agent 2 would lose ")
    np.testing.assert_allclose(found.amount, 1 - np.sqrt(2.1 / 3.1), rtol=1e-9)
    kept = verdict_on(three, fs.WholeUnits(fs.FairSynergy(), method="greedy"), "resource-monotone")
    assert kept.sentence == "With one unit more to share nobody loses."


def test_one_unit_is_changed_at_a_time():
    """With one sum of elasticities, counting everything in hundredths changes nothing; counting one resource does."""
    problem = fs.Problem(endowment=np.zeros((2, 2)), capacity=[1, 1], elasticity=[[0.3, 0.5], [0.5, 0.3]])
    check = fs.fairness.unit_free(problem, fs.FairSynergy())
    assert not check.holds
    both = changed(problem, endowment=problem.endowment * 100, capacity=problem.capacity * 100)
    grants = [fs.allocate(p, fs.FairSynergy()).grant for p in (problem, both)]
    np.testing.assert_allclose(grants[1], grants[0] * 100, rtol=1e-8)


def test_grants_that_are_known_are_not_made_again():
    problem = NAMED["one resource"]
    before = fs.Uniform().divide(problem).grant
    for check in (fs.fairness.unit_free, fs.fairness.monotone):
        assert check(problem, fs.Uniform(), before=before).holds
        assert not check(problem, fs.Uniform(), before=before + 0.1).holds
        refused = check(problem, Picky(problem))
        assert (refused.holds, refused.reason) == (None, "never seen this fleet")


# The table

ONE = NAMED["one resource"]
TWINS = fs.Problem(endowment=[0.1, 0.1, 0.2], capacity=0.6, elasticity=[0.5, 0.5, 0.5])
CONTRARY = fs.Problem(endowment=np.zeros((2, 2)), capacity=[1, 1], elasticity=[[0.6, 0.3], [0.2, 0.3]])
EQUAL = [[0.2]] * 3
# For each guarantee: a division that keeps it, one that breaks it, by how much, and what is then said.
CASES = {
    "feasible": (
        TWINS,
        fs.Uniform(),
        Fixed([0.3, 0.3, 0.3]),
        0.5,
        "the capacity is 0.6, and 0.9 is granted.",
    ),
    "Pareto-efficient": (TWINS, fs.Uniform(), Fixed([0.0, 0.0, 0.0]), np.sqrt(1 / 0.4) - 1, None),
    "sharing incentive": (TWINS, fs.Uniform(), fs.NUM(), 1 - np.sqrt(1 / 1.2), "1 of 3 agents has less"),
    "envy-free": (
        TWINS,
        fs.Uniform(),
        fs.NUM(),
        1 - np.sqrt(1 / 1.3),
        "agent 1, which would raise its accuracy by 14 %",
    ),
    "equal treatment": (TWINS, fs.Uniform(), Fixed([0.4, 0.2, 0.0]), 1 - np.sqrt(0.3 / 0.5), "agent 2 and agent 1"),
    "unit-free": (fleet("a"), fs.NUM(), fs.FairSynergy(), 1.0, "100 % of a capacity would change hands"),
    "resource-monotone": (CONTRARY, fs.Uniform(), fs.FairSynergy(), None, "agent 2 would lose"),
    "proved optimal": (CONTRARY, fs.FairSynergy(), fs.FairSynergy(passes=1), None, "Not proved best"),
}


def verdict_on(problem, policy, name):
    found = fs.fairness.guarantees(fs.fairness.report(fs.allocate(problem, policy)))
    assert [guarantee.name for guarantee in found] == list(CASES)
    return {guarantee.name: guarantee for guarantee in found}[name]


@pytest.mark.parametrize("name", CASES)
def test_every_guarantee_can_be_kept_and_broken(name):
    problem, keeps, breaks, amount, said = CASES[name]
    kept = verdict_on(problem, keeps, name)
    assert (kept.verdict, kept.amount) == (Verdict.HOLDS, 0)
    broken = verdict_on(problem, breaks, name)
    assert broken.verdict is Verdict.FAILS
    assert (said or "raise every accuracy by") in broken.sentence
    if amount is not None:
        np.testing.assert_allclose(broken.amount, amount, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "problem", "policy"),
    [
        ("equal treatment", ONE, fs.NUM()),
        ("unit-free", TWINS, Picky(TWINS)),
        ("resource-monotone", changed(TWINS, capacity=0.0), fs.NUM()),
        ("Pareto-efficient", TWINS, Fixed([0.3, 0.3, 0.3])),
        ("proved optimal", TWINS, fs.Uniform()),
    ],
)
def test_a_guarantee_that_does_not_apply_says_why(name, problem, policy):
    found = verdict_on(problem, policy, name)
    assert (found.verdict, found.amount) == (Verdict.NOT_APPLICABLE, None)
    assert found.sentence.endswith(".")


def test_only_a_name_may_tell_twins_apart():
    for trait in ("weight", "ceiling", "saturation", "floor"):
        different = changed(TWINS, **{trait: [0.1, 0.15, 0.15]})
        found = verdict_on(different, Fixed([0.1, 0.15, 0.15]), "equal treatment")
        assert found.verdict is Verdict.NOT_APPLICABLE


def test_a_division_that_breaks_a_limit_is_credited_with_nothing():
    report = fs.fairness.report(given_to(TWINS, [0.9, 0.9, 0.9]))
    assert report.allocation.status is fs.Status.FAILED
    assert isinstance(report.pareto, Withheld)
    assert isinstance(report.coalitions, Withheld)
    assert report.price_of_fairness.low is None
    assert report.elasticity[0].value is None


def test_a_fleet_too_large_for_exact_envy_is_sampled_and_the_sentence_says_so(monkeypatch):
    monkeypatch.setattr(envies, "SAMPLED_ABOVE", 5)
    assert "None of 5 agents, a sample of all 7, would" in verdict_on(ONE, fs.Uniform(), "envy-free").sentence
    assert "of 5 agents, a sample of all 7, would" in verdict_on(ONE, fs.NUM(), "envy-free").sentence


def test_ten_thousand_agents_need_no_table_of_all_pairs():
    rng = np.random.default_rng(0)
    n = 10_000
    problem = fs.Problem(
        endowment=rng.random((n, 2)) / 100, capacity=[n / 2, n / 2], elasticity=rng.uniform(0.02, 0.49, (n, 2))
    )
    allocation = fs.allocate(problem, fs.NUM())
    tracemalloc.start()
    report = fs.fairness.report(allocation)
    for part in REPORTED:
        getattr(report, part)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert report.envy.compared == envies.SAMPLED_ABOVE
    assert peak < 8 * n**2 / 2


def test_one_alone_could_gain_all_that_is_left_though_another_can_receive_nothing() -> None:
    problem = fs.Problem(endowment=[0.5, 0.1, 0.1], capacity=1, elasticity=[0.5] * 3, ceiling=[0, np.inf, np.inf])
    found = fs.fairness.report(fs.allocate(problem, fs.Given([0, 0.1, 0.1]))).pareto
    assert not isinstance(found, fs.fairness.Withheld)
    assert found.gain == 0
    assert found.largest == pytest.approx(np.sqrt(5) - 1, rel=1e-12)
