"""The sentences are right in every case: each number in them is the library's, and no claim is made that fails."""

import re

import numpy as np
import pytest
from hypothesis import given
from strategies import problems

import fairsynergy as fs
from fairsynergy.fleets import PRESETS, FleetSpec, Setting
from fairsynergy.words.phrases import (
    average,
    badge,
    caveats,
    headline,
    kindest,
    measure,
    number,
    percent,
    proof,
    richest,
    trade_off,
    verdicts,
)

FLEET = {"endowment": [0.01, 0.05, 0.05], "capacity": 0.06, "elasticity": [0.9, 0.3, 0.3]}


def solve(problem):
    return {name: fs.allocate(problem, policy) for name, policy in fs.POLICIES.items()}


def fleet(**changes):
    return solve(fs.Problem(**FLEET | changes))


def test_lifts_the_mean_but_not_the_worst_off():
    assert headline(fleet(), "Fair-Synergy") == (
        "Fair-Synergy lifts mean accuracy from 0.28 to 0.32, but the worst-off agent stays at 0.016; "
        "Leximin would bring the worst-off to 0.091 and cost 5 % of the mean."
    )


def test_leximin_is_compared_with_the_highest_mean():
    assert headline(fleet(), "Leximin") == (
        "Leximin lifts mean accuracy from 0.28 to 0.30 and the worst-off agent from 0.016 to 0.091; "
        "Fair-Synergy would raise the mean to 0.32, 5 % more, and leave the worst-off at 0.016."
    )


def test_a_rule_that_leximin_beats_on_both():
    assert headline(fleet(elasticity=[0.5, 0.5, 0.5]), "Random").endswith(
        "; Leximin would bring the worst-off to 0.24 and the mean to 0.24."
    )


def test_fair_synergy_that_is_as_good_for_the_worst_off_as_leximin():
    for rule in ("Fair-Synergy", "NUM", "Leximin"):
        assert headline(fleet(elasticity=[0.5, 0.5, 0.5]), rule).endswith(
            "; no division could raise the worst-off further."
        )


def test_one_agent():
    alone = solve(fs.Problem(endowment=0.25 * np.ones(1), capacity=0.75, elasticity=[0.5]))
    for rule in alone:
        assert headline(alone, rule) == (
            "With one agent there is nothing to divide: it gets all it can use, "
            "and its accuracy rises from 0.50 to 1.00."
        )
    assert "nothing" in trade_off(alone)


def test_nothing_to_share_and_nothing_that_would_help():
    assert headline(fleet(capacity=0), "NUM") == (
        "The cloud has nothing to share: mean accuracy stays at 0.28, whatever the rule."
    )
    full = solve(fs.Problem(endowment=[1, 2], capacity=1, elasticity=[0.5, 0.5], saturation=1))
    assert headline(full, "NUM") == (
        "The cloud has nothing that would help: mean accuracy stays at 1.00, whatever the rule."
    )
    assert "nothing to share: the agent's accuracy" in headline(
        solve(fs.Problem(endowment=[0.25], capacity=0, elasticity=[0.5])), "NUM"
    )


def test_utilities_above_one_are_not_called_accuracies():
    rich = fleet(capacity=9)
    assert measure(rich) == "utility"
    assert headline(rich, "NUM").startswith("NUM lifts mean utility")
    (note,) = caveats(rich, "NUM")
    assert note.startswith("Utilities reach")
    assert caveats(fleet(), "NUM") == []


def test_capacity_left_over_is_said_with_its_reason():
    (note,) = caveats(fleet(capacity=9, saturation=1), "Leximin")
    assert note == "6.11 of 9.00 units of compute stay unspent: every agent already holds all it can use."
    idle = {"DRF": fs.allocate(PRESETS["Fleet B"].problem, fs.DRF(work_conserving=False))}
    assert "DRF gives it to nobody" in caveats(idle, "DRF")[0]


def test_with_weights_leximin_is_not_promised_to_be_kindest():
    promises = solve(PRESETS["Promises"].problem)
    kind = kindest(promises)
    assert number(promises[kind].worst) == number(max(a.worst for a in promises.values()))
    for rule in promises:
        assert "no division" not in headline(promises, rule)


def test_where_weights_differ_the_mean_that_is_shown_is_the_one_that_is_proved_greatest():
    """The preset Promises: NUM's unweighted mean is above that of the proved optimum of the weighted total."""
    promises = solve(PRESETS["Promises"].problem)
    best = promises["Fair-Synergy"]
    assert best.status is fs.Status.OPTIMAL
    assert max(a.mean for a in promises.values()) > best.mean
    assert richest(promises) == "Fair-Synergy"
    assert average(best) == best.weighted_mean == max(average(a) for a in promises.values())
    assert headline(promises, "Fair-Synergy").startswith("Fair-Synergy lifts weighted mean ")
    assert "lifts weighted mean accuracy from" in headline(promises, "NUM")
    assert "of weighted mean" in trade_off(promises)
    assert verdicts(promises)["Fair-Synergy"].startswith("reaches the highest weighted mean of these rules (")


def test_without_leximin_the_kindest_of_the_others_is_named():
    three = {name: answer for name, answer in fleet().items() if name != "Leximin"}
    assert "; NUM would bring the worst-off to 0.076 and cost 3 % of the mean." in headline(three, "Fair-Synergy")
    assert headline({"NUM": three["NUM"]}, "NUM").endswith("; no rule here does better on either count.")


SPECS = [
    FleetSpec(agents=agents, setting=setting, seed=seed, capacity_compute=capacity, saturation=saturation).problem()
    for agents in (2, 10)
    for setting in Setting
    for seed in (0, 1)
    for capacity in (0.05, 0.5, 2.0)
    for saturation in (1.0, None)
]


@pytest.mark.parametrize("problem", [*SPECS, *(preset.problem for preset in PRESETS.values())])
def test_every_claim_of_the_headline_holds(problem):
    answers = solve(problem)
    for rule, chosen in answers.items():
        sentence = headline(answers, rule)
        check_claims(sentence, answers, chosen)


@given(problems(mild=True))
def test_every_claim_holds_for_any_fleet(problem):
    answers = solve(problem)
    for rule, chosen in answers.items():
        check_claims(headline(answers, rule), answers, chosen)
    trade_off(answers)
    assert list(verdicts(answers)) == list(answers)


def check_claims(sentence, answers, chosen):
    """Read the sentence back and hold it against the numbers."""
    assert sentence.endswith(".")
    assert "nan" not in sentence
    for one, other in re.findall(r"from (\S+(?: 0)?) to (\S+(?: 0)?)[ ,;.]", sentence):
        assert one != other
    if claim := re.search(r"; (\S+) would bring the worst-off to (almost 0|[\d.,]*\d)", sentence):
        assert number(answers[claim[1]].worst) == claim[2]
        assert answers[claim[1]].worst > chosen.worst
    if claim := re.search(r"; (\S+) would raise the (?:weighted )?mean to (almost 0|[\d.,]*\d)", sentence):
        assert number(answers[claim[1]].weighted_mean) == claim[2]
        assert answers[claim[1]].weighted_mean > chosen.weighted_mean
    if "cost" in sentence and "no cost" not in sentence:
        named = re.search(r"; (\S+) would", sentence)[1]
        assert percent(1 - answers[named].weighted_mean / chosen.weighted_mean) in sentence
    assert ("weighted mean" in sentence) == (chosen.problem.weighted and "mean" in sentence)
    if "no division" in sentence:
        assert all(number(a.worst) == number(chosen.worst) or a.worst < chosen.worst for a in answers.values())
    if "no rule here" in sentence:
        assert number(chosen.worst) == number(max(a.worst for a in answers.values()))


def test_the_trade_off_names_both_ends():
    answers = fleet()
    assert (richest(answers), kindest(answers)) == ("Fair-Synergy", "Leximin")
    assert trade_off(answers).startswith("Fairness costs 5 % of mean accuracy here: from Fair-Synergy to Leximin")
    same = fleet(elasticity=[0.5, 0.5, 0.5])
    assert trade_off(same).startswith("Fairness costs nothing here: Fair-Synergy has both the highest mean accuracy")


def test_a_dominated_rule_is_named_with_what_beats_it():
    said = verdicts(fleet(elasticity=[0.5, 0.5, 0.5]))
    assert said["Random"].endswith("is nowhere worse and somewhere better.")
    assert "nowhere worse" not in said["Leximin"]


@pytest.mark.parametrize("preset", PRESETS)
def test_a_badge_never_promises_more_than_the_status(preset):
    for allocation in solve(PRESETS[preset].problem).values():
        assert (badge(allocation) == "proved optimal") == (allocation.status is fs.Status.OPTIMAL)


def test_a_mean_that_reads_the_same_but_is_lower_is_not_called_the_highest():
    said = verdicts(solve(PRESETS["Fleet A"].problem))
    assert said["Uniform"].startswith("gives up 3 % of the highest mean (0.25, Fair-Synergy)")
    assert said["Fair-Synergy"].startswith("reaches the highest mean of these rules (0.25)")


def test_a_split_that_breaks_a_limit_is_told_whose_which_and_by_how_much():
    held = fs.Problem(endowment=[0.1, 0.3], capacity=5, elasticity=[0.9, 0.3], floor=[4, 0], agents=["drone", "truck"])
    mine = fs.allocate(held, fs.Given([1, 4]))
    assert proof(mine) == "Failed: drone gets 1.00 compute, 3.00 below its floor of 4.00; change it."
    assert caveats({"my split": mine}, "my split")[-1] == (
        "my split failed its own check: drone gets 1.00 compute, 3.00 below its floor of 4.00; do not use its numbers."
    )
    (feasible, *_) = fs.fairness.guarantees(fs.fairness.report(mine))
    assert feasible.sentence == "Of compute, drone's floor is 4, and 1 is granted."


def test_numbers_that_are_compared_differ_as_they_are_written():
    """A cost of 0.4 % may lie beyond two digits: "from 0.72 to 0.72" would say nothing."""
    said = trade_off(solve(fs.Problem(endowment=[0.73, 1.0], capacity=0.3, elasticity=[0.7, 0.4])))
    assert said.startswith("Fairness costs 0.3 % of mean utility here")
    for one, other in re.findall(r"from (\d[\d.]*) to (\d[\d.]*)[ ,;.]", said):
        assert one != other
