"""Prices and bids live: the answer is the library's, rounds are looked at one by one, and nothing moves by itself."""

import pytest
from dashboard import answer, calm, open_page, shown

import fairsynergy as fs
from fairsynergy.analysis.bidding import Tatonnement, bid, rebid, turnover
from fairsynergy.charts import bidding as charts
from fairsynergy.fleets import FleetSpec, Setting, write_json
from fairsynergy.ui import bids

PAGE = "prices_and_bids"
THREE = fs.Problem(
    endowment=[[0.1, 0.2, 0.1], [0.3, 0.1, 0.2]], elasticity=[[0.2, 0.3, 0.4], [0.5, 0.2, 0.2]], capacity=[1, 1, 1],
    resources=["compute", "labels", "bandwidth"],
)  # fmt: skip
SIZES, CHANGES = "How many rounds?", "Agents join and leave"


def said(app):
    return [shown(part.value) for part in app.markdown]


def tab(app, title):
    """Open a tab."""
    app.session_state["bidding"] = title
    return app.run()


def test_says_after_how_many_rounds_the_price_clears():
    app = open_page(PAGE)
    rounds = bid(FleetSpec().problem()).rounds
    assert shown(answer(app)) == (
        f"After {rounds} rounds the announced price clears the market: everyone has what the central rule would give, "
        "and nobody said its γ."
    )
    assert said(app)[0].startswith(f"Round {rounds} of {rounds}: the cloud announces 0.51 per unit of compute")


def test_following_the_excess_takes_the_visitors_step():
    app = open_page(PAGE, bid_method="Follow the excess")
    slow = bid(FleetSpec().problem(), Tatonnement()).rounds
    assert shown(answer(app)).startswith(f"After {slow} rounds")
    app.slider(key="bid_step").set_value(0.5).run()
    quick = bid(FleetSpec().problem(), Tatonnement(0.5)).rounds
    assert quick < slow
    assert shown(answer(app)).startswith(f"After {quick} rounds")
    app.slider(key="bid_step").set_value(3.0).run()
    assert calm(app)
    assert "prices have not cleared yet" in answer(app)
    assert "A clearing price exists" in said(app)[0]


def test_every_round_can_be_looked_at():
    app = open_page(PAGE)
    last = app.slider(key="bid_round").value
    assert last == app.slider(key="bid_round").max
    for turn in (1, 2, last):
        app.slider(key="bid_round").set_value(turn).run()
        assert calm(app)
        assert said(app)[0] == shown(charts.describe_round(bid(FleetSpec().problem()), turn))


def test_another_fleet_is_looked_at_from_its_end():
    app = open_page(PAGE, bid_method="Follow the excess")
    app.slider(key="bid_round").set_value(3).run()
    app.slider(key="agents").set_value(50).run()
    assert app.slider(key="bid_round").value == app.slider(key="bid_round").max


def test_rounds_play_only_when_asked_to():
    app = open_page(PAGE)
    last = app.slider(key="bid_round").value
    assert app.run().slider(key="bid_round").value == last
    app.button(key="play_rounds").click().run()
    assert calm(app)
    assert app.button(key="play_rounds").label == "Pause"
    assert app.slider(key="bid_round").value == 2  # the first is where it starts
    app.button(key="play_rounds").click().run()
    assert app.button(key="play_rounds").label == "Play the rounds"
    assert app.run().slider(key="bid_round").value == 2
    app.button(key="play_rounds").click().run()
    for _ in range(last):
        app.run()
    assert app.button(key="play_rounds").label == "Play the rounds"
    assert app.slider(key="bid_round").value == last


def test_where_no_price_clears_it_says_so_and_how_much_is_missing():
    app = open_page(PAGE, setting="DL", bid_method="Follow the excess")
    assert calm(app)
    assert answer(app).startswith("No price clears in 500 rounds")
    assert "short of the best total" in answer(app)
    assert "3 of 10 agents have γ that add up to more than 1" in said(app)[0]
    assert "below the central rule's" in said(app)[0]


def test_a_single_agent_pays_nothing():
    app = open_page(PAGE, agents=1)
    assert answer(app).startswith("There is enough for everybody")
    assert [slider for slider in app.slider if slider.key == "bid_round"] == []


@pytest.mark.parametrize("query", [{}, {"setting": "DL"}, {"fleet": "Preset", "preset": "Promises"}, {"agents": 1}])
def test_rounds_against_sizes_and_steps(query):
    app = tab(open_page(PAGE, **query), SIZES)
    assert calm(app)
    assert any("Crosses: not cleared after 300 rounds." in caption.value for caption in app.caption)


def test_after_a_change_the_last_prices_go_on():
    app = tab(open_page(PAGE), CHANGES)
    assert calm(app)
    fleet = FleetSpec().problem()
    again = rebid(bid(fleet), turnover(fleet, join=1))
    assert charts.sooner(again.warm, again.cold) in said(app)[0]
    assert again.warm.rounds < again.cold.rounds
    app.number_input(key="bid_leave").set_value(9).run()
    assert calm(app)


@pytest.mark.parametrize("query", [{"agents": 1}, {"setting": "DL", "agents": 41}, {"capacity_compute": 0}])
def test_changes_of_any_fleet(query):
    assert calm(tab(open_page(PAGE, **query), CHANGES))


def test_more_resources_are_one_clear_message():
    app = open_page(PAGE)
    app.file_uploader(key="file").set_value(("three.json", write_json(THREE).encode(), "text/json")).run()
    assert calm(app)
    assert answer(app) == "No bidding for this fleet."
    (message,) = [shown(info.value) for info in app.info]
    assert message.startswith("bidding handles one or two resources, got 3 (compute, labels, bandwidth)")


def test_a_large_fleet_is_asked_fewer_times():
    assert bids.most_rounds(FleetSpec(agents=10_000, setting=Setting.DL).problem()) == 120
    assert bids.most_rounds(FleetSpec().problem()) == 500


def test_grants_are_in_the_table_beside_the_central_ones():
    fleet = FleetSpec().problem()
    table = charts.grants_table(bid(fleet), fs.allocate(fleet, fs.FairSynergy()))
    assert list(table.columns[:3]) == ["agent", "compute by bids [units]", "compute by the central rule [units]"]
