"""The reasons: right for every kind of agent, and never claiming what a small exchange would disprove."""

import re

import numpy as np
import pytest
from hypothesis import given
from strategies import problems

import fairsynergy as fs
from fairsynergy.analysis.planning import exchanged, first_improvement
from fairsynergy.fleets import PRESETS
from fairsynergy.words.explain import (
    Standing,
    exchanges,
    going_price,
    last_unit,
    level,
    next_unit,
    prices,
    sentences,
    standings,
    why,
)


def said(problem, policy=None, *, agent=0):
    """The sentence for one agent, beside the price that Fair-Synergy sets."""
    price = fs.allocate(problem, fs.FairSynergy()).price
    (sentence,) = sentences(fs.allocate(problem, policy or fs.FairSynergy()), price=price, agents=[agent])
    return sentence


# One sentence for every kind of agent.


def test_an_agent_that_shares_stands_at_the_price():
    fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.5, 0.4], agents=["drone", "truck"])
    price = fs.allocate(fleet, fs.FairSynergy()).price[0]
    assert said(fleet) == (
        f"drone owns 0.10 compute and receives 0.41. More compute would add {price:.2f} accuracy per unit, "
        "exactly the going price."
    )


def test_an_agent_at_zero_that_has_enough():
    fleet = fs.Problem(endowment=[0.1, 0.8], capacity=0.5, elasticity=[0.5, 0.3])
    assert said(fleet, agent=1) == (
        "agent 2 owns 0.80 compute and receives nothing. More compute would add 0.35 accuracy per unit, the going "
        "price is 0.65: it has enough of its own."
    )


def test_an_agent_at_zero_although_it_has_little():
    assert said(PRESETS["Fleet A"].problem) == (
        "agent 1 owns 0.010 compute and receives nothing. More compute would add 1.43 accuracy per unit, the going "
        "price is 1.46: others turn a unit into more."
    )


def test_an_agent_at_its_ceiling():
    fleet = fs.Problem(endowment=[0.1, 0.1], capacity=0.5, elasticity=[0.5, 0.3], ceiling=[0.05, 1.0])
    sentence = said(fleet)
    assert sentence.startswith("agent 1 owns 0.10 compute and receives 0.050. More compute would add 1.29 accuracy")
    assert sentence.endswith(": it is at its ceiling.")


def test_an_agent_at_its_floor():
    fleet = fs.Problem(endowment=[0.9, 0.1], capacity=0.5, elasticity=[0.3, 0.5], floor=[0.2, 0.0])
    assert said(fleet).endswith(": it keeps the floor it is guaranteed.")


def test_a_saturated_agent_that_was_granted_the_rest():
    fleet = fs.Problem(endowment=[0.1, 0.1], capacity=1.5, elasticity=[0.9, 0.2], saturation=1)
    assert said(fleet) == "agent 1 owns 0.10 compute and receives 0.90. That is all the compute it can use."


def test_a_saturated_agent_that_owns_enough():
    fleet = fs.Problem(endowment=[1.2, 0.1], capacity=0.5, elasticity=[0.9, 0.2], saturation=1)
    assert said(fleet) == "agent 1 owns 1.20 compute and receives nothing. It already owns all the compute it can use."


def test_a_cloud_with_nothing_to_share():
    fleet = fs.Problem(endowment=[[0.1, 0.2], [0.3, 0.1]], capacity=[0, 1], elasticity=[[0.5, 0.3], [0.3, 0.4]])
    assert "the cloud has no compute to share" in said(fleet).lower()


def test_an_agent_that_lacks_the_other_resource():
    fleet = fs.Problem(endowment=[[0.1, 0.0], [0.3, 0.1]], capacity=[1, 0], elasticity=[[0.5, 0.3], [0.3, 0.4]])
    assert said(fleet) == (
        "agent 1 owns 0.10 compute and no labels and receives nothing. More compute would add nothing while it has no "
        "labels; the cloud has no labels to share."
    )


def test_a_first_unit_is_worth_more_than_any_price_and_a_ceiling_of_zero_is_why_there_is_none():
    fleet = fs.Problem(endowment=[0.0, 0.3], capacity=0.5, elasticity=[0.5, 0.3], ceiling=[0.0, 1.0])
    assert said(fleet).endswith(
        "Its very first unit of compute would add more than any price: its ceiling lets it have none."
    )
    for rule in ("Uniform", "Random", "NUM", "DRF", "Leximin", "Nash", "Equal-income market"):
        sentence = said(fleet, fs.RULES[rule])
        assert sentence.startswith("agent 1 owns no compute and receives nothing: its ceiling lets it have no compute.")


def test_two_resources_have_two_reasons():
    fleet = fs.Problem(endowment=[[0.1, 0.9], [0.1, 0.1]], capacity=[0.5, 0.5], elasticity=[[0.5, 0.2], [0.3, 0.4]])
    sentence = said(fleet)
    assert sentence.startswith(
        "agent 1 owns 0.10 compute and 0.90 labels and receives 0.38 compute and no labels. More"
    )
    assert "(exactly the going price)" in sentence
    assert sentence.endswith(": it has enough of its own).")


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("NUM", "it is lifted to the common level of 0.080 compute"),
        ("Leximin", "it is lifted to the common accuracy of 0.17"),
        ("Uniform", "everyone gets the same amount, whatever they own or need"),
        ("DRF", "everyone gets the same amount, whatever they own or need"),  # as Uniform does, with one resource
        ("Random", "shares are drawn by lot"),
    ],
)
def test_other_rules_have_reasons_of_their_own_beside_the_same_price(rule, reason):
    sentence = said(PRESETS["Fleet A"].problem, fs.POLICIES[rule])
    assert f": {reason}. More compute would add " in sentence
    assert sentence.endswith("the going price is 1.46.")


def test_those_above_a_level_are_told_so():
    fleet = fs.Problem(endowment=[0.1, 0.9], capacity=0.3, elasticity=[0.5, 0.5])
    assert "it already owns more than the common level of 0.40 compute" in said(fleet, fs.NUM(), agent=1)
    assert "it already stands at 0.95, above the common accuracy of 0.63" in said(fleet, fs.Leximin(), agent=1)


def test_numbers_that_differ_are_written_so_that_they_do():
    allocation = fs.allocate(fs.Problem(endowment=[0.1, 0.2], capacity=0.1, elasticity=[0.5, 0.5]), fs.Uniform())
    value = next_unit(allocation.problem, allocation.grant)[0, 0]
    (sentence,) = sentences(allocation, price=np.array([value * 1.0001]), agents=[0])
    adds, costs = f"{value:.5g}", f"{value * 1.0001:.5g}"
    assert adds in sentence
    assert costs in sentence


# What the sentences rest on.


@given(problems(mild=True, resources=(1, 2, 3)))
@pytest.mark.parametrize("rule", ["Fair-Synergy", "Random", "NUM"])
def test_units_are_worth_what_a_small_step_adds(rule, problem):
    grant = fs.allocate(problem, fs.POLICIES[rule]).grant
    adds, lost = next_unit(problem, grant), last_unit(problem, grant)
    for i in range(problem.n):
        for k in range(problem.m):
            step = 1e-7 * problem.holding(grant)[i, k]
            moved = np.zeros_like(grant)
            moved[i, k] = step
            more = problem.weight @ (problem.utility(grant + moved) - problem.utility(grant))
            less = problem.weight @ (problem.utility(grant) - problem.utility(grant - moved))
            total = problem.weight @ problem.utility(grant)
            assert more / step == pytest.approx(adds[i, k], rel=1e-5, abs=1e-7 * total / step)
            assert less / step == pytest.approx(lost[i, k], rel=1e-5, abs=1e-7 * total / step)


@given(problems(mild=True))
@pytest.mark.parametrize("rule", fs.POLICIES)
def test_an_exchange_is_promised_exactly_when_one_helps(rule, problem):
    allocation = fs.allocate(problem, fs.POLICIES[rule])
    lost, adds = last_unit(problem, allocation.grant), next_unit(problem, allocation.grant)
    can_give = allocation.grant > problem.floor
    can_take = allocation.grant < problem.ceiling * (1 - 1e-12)
    helps = []
    for k in range(problem.m):
        best = np.max(adds[can_take[:, k], k], initial=-np.inf)
        cheapest = np.min(lost[can_give[:, k], k], initial=np.inf)
        helps.append(problem.capacity[k] > 0 and best > cheapest * (1 + 1e-6))
    promised = len(re.findall("would add (?:weighted )?(?:accuracy|utility)", exchanges(allocation)))
    promised -= exchanges(allocation).count("no exchange")
    assert promised == (sum(helps) if problem.n > 1 else 0)


@given(problems(resources=(1, 2)))
def test_everyone_has_one_standing_that_fits(problem):
    allocation = fs.allocate(problem, fs.NUM())
    standing = standings(allocation)
    assert standing.shape == allocation.grant.shape
    assert (allocation.grant[standing == Standing.NOTHING] == 0).all()
    assert (allocation.grant[standing == Standing.SHARING] > 0).all()
    at_ceiling = standing == Standing.CEILING
    np.testing.assert_allclose(allocation.grant[at_ceiling], problem.ceiling[at_ceiling], rtol=1e-11)


@given(problems(resources=(1, 2, 3)))
@pytest.mark.parametrize("rule", ["Fair-Synergy", "Random", "NUM", "Uniform"])
def test_every_agent_of_any_fleet_has_one_sentence(rule, problem):
    allocation = fs.allocate(problem, fs.POLICIES[rule])
    price = going_price({"Fair-Synergy": fs.allocate(problem, fs.FairSynergy())})
    found = sentences(allocation, price=price)
    assert len(found) == problem.n
    for name, sentence in zip(problem.agents, found, strict=True):
        assert sentence.startswith(f"{name} owns ")
        assert sentence.endswith(".")
        assert "nan" not in sentence.split()


def test_the_level_is_nums_water_level():
    num = fs.allocate(PRESETS["Fleet A"].problem, fs.NUM())
    assert level(num)[0] == pytest.approx(0.08, rel=1e-12)
    assert level(num)[0] == pytest.approx(1 / num.price[0], rel=1e-9)


def test_the_price_is_in_words():
    fleet = PRESETS["Fleet B"].problem
    chosen = fs.allocate(fleet, fs.FairSynergy())
    compute, labels = chosen.price
    assert prices(chosen) == (
        f"A further unit of compute would add {compute:.2f} accuracy, one of labels would add {labels:.2f} accuracy: "
        "the going price."
    )
    assert prices(fs.allocate(fleet, fs.Leximin())).endswith("to the common accuracy.")


def test_what_is_left_over_is_said():
    fleet = fs.Problem(endowment=[0.5, 0.5], capacity=3.0, elasticity=[0.5, 0.5], saturation=1)
    assert prices(fs.allocate(fleet, fs.FairSynergy())).endswith("Left over: 2.00 compute.")


def test_a_fleet_of_one_has_nobody_to_exchange_with():
    fleet = fs.Problem(endowment=[[0.5, 0.5]], capacity=[1, 0], elasticity=[[0.5, 0.5]])
    assert exchanges(fs.allocate(fleet, fs.NUM())) == "Under NUM, the only agent is granted 1.00 compute and no labels."


def test_the_markets_prices_share_all_the_money():
    fleet = fs.Problem(endowment=[[0, 0]] * 2, capacity=[1, 1], elasticity=[[0.8, 0.4], [0.3, 0.6]])
    price = fs.EqualIncomeMarket().equilibrium(fleet).price
    said = prices(fs.allocate(fleet, fs.EqualIncomeMarket()))
    assert said == (
        f"Of all the money together, the cloud's compute costs {100 * price[0]:.0f} % and the cloud's "
        f"labels costs {100 * price[1]:.0f} %."
    )
    assert price.sum() == pytest.approx(1)


# What the binding conditions of a problem make of a rule's usual story.

MIXED = fs.Problem(endowment=[0, 0, 0, 2], capacity=10, elasticity=[0.5] * 4, weight=[1, 3, 1, 1], floor=[0, 0, 4, 0])


def reasons(rule, problem=MIXED):
    """What stands between the colon and the full stop, for each agent."""
    return [re.search(r"receives [^:]*: (.*?)\. ", sentence)[1] for sentence in why(fs.allocate(problem, rule))]


def test_uniform_says_the_same_amount_only_where_amounts_are_the_same():
    share = "whoever meets no limit gets an amount in proportion to weight, whatever they own or need"
    assert reasons(fs.Uniform()) == [share, share, "it keeps its floor of 4.00 compute", share]


def test_a_level_that_holds_over_weight_is_said_to_and_whoever_keeps_a_floor_is_told_so():
    level = "the common level of 1.50 compute per weight"
    assert reasons(fs.NUM()) == [
        f"it is lifted to {level}",
        f"it is lifted to {level}",
        "it keeps its floor of 4.00 compute",
        f"it already owns more than {level}",
    ]
    assert prices(fs.allocate(MIXED, fs.NUM())) == (
        "It lifts holdings to 1.50 compute per weight, wherever no limit stands in the way; "
        "it does not look at what a unit adds."
    )
    common = "the common utility of 0.77 per weight"
    assert reasons(fs.Leximin()) == [
        f"it is lifted to {common}",
        f"it is lifted to {common}",
        "it keeps its floor of 4.00 compute",
        f"it already stands at 1.41, above {common}",
    ]


def test_what_counts_by_weight_is_no_accuracy():
    fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3], weight=[2, 1])
    found = fs.allocate(fleet, fs.FairSynergy())
    assert "would add 1.89 weighted accuracy per unit" in said(fleet)
    assert "weighted accuracy: the going price" in prices(found)
    assert exchanges(found).endswith("no exchange of it would add weighted accuracy.")


def test_floors_that_take_all_are_the_reason_that_others_get_nothing():
    fleet = fs.Problem(endowment=[0.1, 0.1], capacity=0.5, elasticity=[0.5, 0.5], floor=[0.5, 0])
    assert reasons(fs.Uniform(), fleet) == [
        "it keeps its floor of 0.50 compute",
        "the floors of others take all compute",
    ]


def test_whoever_decided_by_hand_is_told_which_limit_the_split_breaks():
    assert reasons(fs.Given([0, 5, 5, 0]))[2] == "somebody decided by hand"
    assert reasons(fs.Given([0, 9, 1, 0]))[2] == (
        "somebody decided by hand, and that is less than its floor of 4.00 compute"
    )


def test_drf_says_equal_shares_only_while_dominant_shares_are_equal():
    even = fs.Problem(endowment=[[0, 0]] * 2, capacity=[1, 1], elasticity=[[0.8, 0.4], [0.4, 0.8]])
    assert reasons(fs.DRF(), even)[0] == "everyone gets an equal share of the resource that matters most to them"
    uneven = fs.Problem(endowment=[[0, 0]] * 3, capacity=[1, 1], elasticity=[[0.8, 0.4], [0.8, 0.1], [0.1, 0.8]])
    for reason in reasons(fs.DRF(), uneven):
        assert reason == "each resource is divided by how much it matters to an agent beside what matters most to it"


def test_a_price_where_nobody_has_room_is_that_of_the_last_unit_and_none_of_the_next():
    fleet = fs.Problem(endowment=[0.1, 0.1, 2, 2], capacity=0.5, elasticity=[0.6, 0.6, 0.5, 0.5], ceiling=0.25)
    assert prices(fs.allocate(fleet, fs.FairSynergy())) == (
        "A further unit of compute would add 0.35 utility, while the last one adds 0.91."
    )


def test_a_replan_names_no_common_accuracy_and_says_who_keeps_what_it_had():
    fleet = fs.Problem(endowment=[0.1, 0.1, 0.1], capacity=0.6, elasticity=[0.9, 0.5, 0.3])
    found = fs.allocate(fleet, fs.Replan([0.1, 0.2, 0.3], 0.2))
    assert "common" not in prices(found)
    assert [reason.split(",")[0] for reason in reasons(found.policy, fleet)] == [
        "it gets more compute",
        "it keeps what it had of compute",
        "it gives up some compute",
    ]


THREE = fs.Problem(endowment=[0, 0, 0], capacity=8, elasticity=[0.5, 0.6, 0.5])


def test_where_whole_units_are_best_no_part_of_one_is_offered_to_another():
    found = fs.allocate(THREE, fs.WholeUnits(fs.FairSynergy(), method="greedy"))
    assert exchanges(found).endswith("3 of 3 agents receive compute and no exchange of a unit of 1 would add utility.")
    assert first_improvement(found) is None
    first = why(found)[0]
    assert "receives 2.00: unit after unit goes to whoever gains most from it. " in first
    assert first.endswith("1 more compute would add 0.32 utility, 1 less would cost 0.41.")


def test_an_improvement_of_whole_units_moves_whole_units():
    rng = np.random.default_rng(5)
    for _ in range(60):
        n = int(rng.integers(2, 5))
        fleet = fs.Problem(
            endowment=rng.random(n), capacity=float(rng.integers(3, 12)), elasticity=rng.uniform(0.1, 0.9, n),
            weight=rng.uniform(0.2, 5, n), ceiling=rng.choice([2.5, np.inf], n), saturation=rng.choice([2.2, np.inf]),
        )  # fmt: skip
        unit = float(rng.choice([0.5, 1.0]))
        found = fs.allocate(fleet, fs.WholeUnits(fs.Random(seed=3), unit))
        offered, promised = first_improvement(found), "but moving" in exchanges(found)
        best = fs.allocate(fleet, fs.WholeUnits(fs.FairSynergy(), unit, method="greedy"))
        assert first_improvement(best) is None
        assert "but moving" not in exchanges(best)
        if offered is None:
            assert not promised
            assert found.total == pytest.approx(best.total, rel=1e-6)
            continue
        assert offered.amount / unit == pytest.approx(round(offered.amount / unit), rel=1e-12)
        assert offered.total > 0
        improved = fs.allocate(fleet, fs.Given(exchanged(found, offered)))
        assert improved.status is not fs.Status.FAILED
        assert improved.total == pytest.approx(found.total + offered.total, rel=1e-9)
