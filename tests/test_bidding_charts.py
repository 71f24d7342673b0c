"""Prices and bids in pictures: specifications that fit their tables, and sentences that say what the numbers are."""

import numpy as np
import pytest
from pictures import EveryPicture

import fairsynergy as fs
from fairsynergy.analysis.bidding import Newton, Tatonnement, bid, rebid, turnover
from fairsynergy.charts import bidding as charts
from fairsynergy.charts import palette
from fairsynergy.fleets import PRESETS, FleetSpec, Setting

ONE, TWO = FleetSpec(), FleetSpec(setting=Setting.DL)


def held(problem, method=None, rounds=60):
    return bid(problem, method, rounds=rounds), fs.allocate(problem, fs.FairSynergy())


def pictures():
    for name, spec in (("one", ONE), ("two", TWO)):
        bidding, central = held(spec.problem())
        tables, resources = charts.drawn(bidding, central, 3), bidding.problem.resources
        rounds = {
            "prices": (charts.prices_spec(resources, True), ("prices", "goal", "now")),
            "excess": (charts.excess_spec(resources, False), ("excesses", "line", "now")),
            "gap": (charts.gap_spec(True), ("gaps", "now")),
        }
        for what, (picture, names) in rounds.items():
            yield f"{name} {what}", picture, {key: tables[key] for key in names}
        for many in (False, True):
            rows = charts.asked(bidding, central, 2, 0)
            yield f"{name} agents {many}", charts.asked_spec("compute", many), {"agents": rows}
    rows = charts.tallies(
        [charts.Tally(Newton.name, 2, 7, True, 0.0), charts.Tally(Tatonnement.name, 2, 300, False, 0.01)]
    )
    for missing in (False, True):
        yield f"sizes {missing}", charts.tally_spec("Agents", True, False, missing), {"rows": rows}


@pytest.mark.parametrize(("spec", "tables"), [pytest.param(s, t, id=i) for i, s, t in pictures()])
class TestEveryPicture(EveryPicture):
    pass


def test_a_logarithmic_axis_gets_positive_numbers_only():
    tables = charts.drawn(*held(ONE.problem()), 1)
    assert (tables["prices"]["price"] > 0).all()
    assert (tables["excesses"]["size"] > 0).all()
    assert (tables["gaps"]["missing"] > 0).all()


def test_long_biddings_are_thinned_but_show_the_round_looked_at():
    bidding, central = held(TWO.problem(), Tatonnement(), rounds=500)
    tables = charts.drawn(bidding, central, 77)
    assert len(tables["gaps"]) <= charts.DRAWN + 1
    assert 77 in set(tables["gaps"]["round"])
    assert len(charts.rounds(bidding)) == 1000


def test_a_large_fleet_is_drawn_in_part():
    bidding, central = held(FleetSpec(agents=2000).problem())
    rows = charts.asked(bidding, central, bidding.rounds, 0)
    assert len(rows) == charts.MANY
    assert (np.diff(rows["central"]) <= 0).all()


def test_the_colours_are_no_rules():
    taken = {mark.colour.lower() for mark in palette.RULES.values()}
    assert taken.isdisjoint({charts.FIRST.lower(), charts.SECOND.lower()})


def test_answers_say_only_what_is_so():
    cleared = charts.answer(*held(ONE.problem()))
    assert cleared.startswith("After 7 rounds the announced price clears the market: everyone has what the central")
    early = charts.answer(*held(ONE.problem(), rounds=3))
    assert early.startswith("After 3 rounds prices have not cleared yet")
    jumping = charts.answer(*held(PRESETS["Winner takes all, saturated"].problem))
    assert jumping.startswith("No price clears in 60 rounds")
    assert "1.8 % short" in jumping or "1.9 % short" in jumping or "2 % short" in jumping
    assert charts.answer(*held(FleetSpec(agents=1).problem())).startswith("There is enough for everybody")


def test_a_round_is_told_in_words():
    bidding, _ = held(ONE.problem())
    assert charts.describe_round(bidding, 1).startswith("Round 1 of 7: the cloud offers everything for nothing")
    assert "too much)" in charts.describe_round(bidding, 1)
    assert charts.describe_round(bidding, 7).endswith("all together ask for 5.00 of 5.00 units of compute.")


def test_what_a_curious_cloud_learns_is_not_hidden():
    assert "could work out 9 of 10 here" in charts.curious(held(ONE.problem())[0])
    assert "as many equations" in charts.curious(held(TWO.problem())[0])
    assert charts.curious(held(FleetSpec(agents=1).problem())[0]).startswith("From these bids nobody's γ")


def test_a_warm_start_is_compared_with_a_cold_one():
    before = bid(ONE.problem())
    again = rebid(before, turnover(before.problem, leave=1))
    assert charts.sooner(again.warm, again.cold).startswith(
        f"From the last prices it clears again in {again.warm.rounds}"
    )
    jumping = bid(PRESETS["Winner takes all, saturated"].problem, rounds=60)
    again = rebid(jumping, turnover(jumping.problem, join=1), rounds=60)
    assert charts.sooner(again.warm, again.cold).startswith("No price clears either way: after 60 rounds")
