"""The reasons: right for every kind of agent, and never claiming what a small exchange would disprove."""

import numpy as np
import pytest
from hypothesis import given
from strategies import problems

import fairsynergy as fs
from fairsynergy.explain import (
    Standing,
    exchanges,
    going_price,
    last_unit,
    level,
    next_unit,
    prices,
    sentences,
    standings,
)
from fairsynergy.scenarios import PRESETS


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


def test_a_first_unit_is_worth_more_than_any_price():
    fleet = fs.Problem(endowment=[0.0, 0.3], capacity=0.5, elasticity=[0.5, 0.3], ceiling=[0.0, 1.0])
    assert said(fleet).endswith("Its very first unit of compute would add more than any price.")


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
        ("DRF", "everyone gets an equal share of the resource that matters most to them"),
        ("Random", "shares are drawn by lot; any rule worth having should beat it"),
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
    promised = exchanges(allocation).count("would add accuracy") - exchanges(allocation).count("no exchange")
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
