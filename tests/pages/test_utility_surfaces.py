"""Utility surfaces: two agents in an Edgeworth box, beside one agent's accuracy."""

import pytest
from dashboard import answer, calm, open_page, shown

from fairsynergy.charts import palette


def trading(**query):
    app = open_page("utility_surfaces", **query)
    app.session_state["traders"] = "Two agents, trading"
    return app.run()


def test_two_agents_of_a_fleet_are_told_what_they_could_trade():
    app = trading(setting="DL", agents=2, capacity_compute=0.5, capacity_labels=0.5)
    assert calm(app)
    said = answer(app)
    assert "gain" in said
    (box,) = (chart for chart in app.get("vega_lite_chart") if "Edgeworth" in chart.proto.alt)
    assert box


def test_your_split_is_judged_beside_the_start():
    app = trading(setting="DL", agents=5)
    before = [words.value for words in app.markdown if "Your split" in words.value]
    app.slider(key="mine_0").set_value(5.0).run()
    after = [words.value for words in app.markdown if "Your split" in words.value]
    assert calm(app)
    assert before != after
    assert "would rather hold what" in shown(after[0])


def test_any_two_agents_and_any_start_may_be_chosen():
    app = trading(setting="DL", agents=6)
    app.selectbox(key="trader").select("agent 5").run()
    assert "agent 5" not in app.selectbox(key="partner").options
    app.selectbox(key="partner").select("agent 2").run()
    app.segmented_control(key="start").set_value("all to the second").run()
    assert calm(app)
    assert "agent 5" in shown(answer(app))


@pytest.mark.parametrize("query", [{"setting": "RTI"}, {"setting": "DL", "compute": 0, "capacity_compute": 0}])
def test_what_has_no_box_is_said_in_a_sentence(query):
    app = trading(**query)
    assert calm(app)
    assert answer(app) == "These two have no box to trade in."
    assert len(app.info) == 1


def test_one_agent_has_nobody_to_trade_with():
    assert answer(trading(setting="DL", agents=1)).startswith("Nobody to trade with")


@pytest.mark.parametrize("rule", palette.RULES)
def test_every_rule_may_be_under_the_lens(rule):
    assert calm(trading(setting="DL", agents=3, rule=rule))
