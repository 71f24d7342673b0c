"""Explore: what it shows is what the library says."""

import numpy as np
import pytest
from dashboard import answer, calm, open_page

import fairsynergy as fs
from fairsynergy.fleets import PRESETS
from fairsynergy.ui import solve
from fairsynergy.words.phrases import badge, headline, number, proof

FLEET_B = PRESETS["Fleet B"].problem
ALL = {name: fs.allocate(FLEET_B, policy) for name, policy in fs.POLICIES.items()}


def table(app, column):
    """The one table on the page that has this column, after unfolding all of them."""
    for fold in ("fold_the-rules", "fold_the-agents"):
        app.session_state[fold] = True
    app.run()
    (found,) = (element.value for element in app.dataframe if column in element.value)
    return found


@pytest.mark.parametrize("rule", fs.POLICIES)
def test_the_answer_is_the_librarys(rule):
    app = open_page(fleet="Preset", preset="Fleet B", rule=rule)
    assert answer(app) == headline(ALL, rule)
    assert number(ALL[rule].mean) in answer(app)


def test_the_rules_are_the_librarys():
    rules = table(open_page(fleet="Preset", preset="Fleet B"), "Worst-off accuracy").set_index("Rule")
    assert list(rules.index) == list(fs.POLICIES)
    for name, allocation in ALL.items():
        shown = rules.loc[name]
        assert shown["Worst-off accuracy"] == allocation.worst
        assert shown["Mean accuracy"] == allocation.mean
        assert shown["Best-off accuracy"] == allocation.best
        assert shown["Proof"] == badge(allocation)
        assert shown["That is"] == proof(allocation)
        assert shown["Time to solve [ms]"] > 0


def test_the_agents_are_the_librarys():
    app = open_page(fleet="Preset", preset="Fleet B", rule="NUM", sort="by name")
    agents = table(app, "Gain in accuracy")
    np.testing.assert_array_equal(agents["Accuracy after"], ALL["NUM"].utility)
    np.testing.assert_array_equal(agents["Granted labels [units]"], ALL["NUM"].grant[:, 1])
    np.testing.assert_array_equal(agents["Own compute [units]"], FLEET_B.endowment[:, 0])


@pytest.mark.parametrize(
    ("order", "column", "ascending"),
    [("by gain", "Gain in accuracy", False), ("by need", "Accuracy before", True)],
)
def test_agents_are_sorted(order, column, ascending):
    app = open_page(fleet="Preset", preset="Fleet B")
    app.button_group(key="sort").set_value(order).run()
    shown = table(app, "Gain in accuracy")[column]
    assert shown.is_monotonic_increasing if ascending else shown.is_monotonic_decreasing


@pytest.mark.parametrize("agents", [10, 41])
def test_an_agent_is_found_by_part_of_its_name(agents):
    app = open_page(agents=agents)
    app.text_input(key="find").set_value("AGENT 7").run()
    assert calm(app)
    assert [line.value for line in app.markdown if line.value.startswith("agent 7 owns")]
    app.text_input(key="find").set_value("nobody [(*").run()
    assert calm(app)
    assert not [line.value for line in app.markdown if " owns " in line.value]


@pytest.mark.parametrize("page", ["explore", "fairness_tradeoff"])
@pytest.mark.parametrize("agents", [10, 41])
def test_every_chart_has_a_name_that_a_slider_does_not_change(page, agents):
    """The browser builds a chart anew whose name changes, and moves the marks of one whose name does not."""
    app = open_page(page, agents=agents)
    names = [chart.proto.alt for chart in app.get("vega_lite_chart")]
    assert names
    assert all(len(name) > 40 for name in names)
    assert len(set(names)) == len(names)
    app.slider(key="capacity_compute").set_value(0.3).run()
    assert [chart.proto.alt for chart in app.get("vega_lite_chart")] == names


@pytest.mark.parametrize("agents", [10, 41])
def test_every_chart_of_explore_is_said_in_words_under_the_folds(agents):
    app = open_page(agents=agents, setting="DL")
    table(app, "Gain in accuracy")
    said = " ".join(line.value for line in app.markdown)
    for start in ("Worst\\-off, mean and best\\-off accuracy under", "Mean accuracy against", "Compute of", "Labels of",
                  "Accuracy of"):  # fmt: skip
        assert start in said


def test_a_utility_above_one_is_called_out_and_not_called_accuracy():
    app = open_page(saturation="false", capacity_compute=2)
    assert "mean utility" in answer(app)
    assert any("not accuracies any more" in caption.value for caption in app.caption)
    assert not any("not accuracies any more" in caption.value for caption in open_page().caption)


def test_capacity_that_nobody_can_use_is_called_out():
    app = open_page(capacity_compute=2)
    assert any("stay unspent" in caption.value for caption in app.caption)


@pytest.mark.parametrize("rule", solve.FURTHER)
def test_a_further_rule_is_a_seventh_row_while_it_is_under_the_lens(rule):
    app = open_page(fleet="Preset", preset="Fleet B", rule=rule)
    assert calm(app)
    assert answer(app).startswith(rule)
    rules = table(app, "Worst-off accuracy").set_index("Rule")
    assert list(rules.index) == [*fs.POLICIES, rule]
    assert rules.loc[rule, "Mean accuracy"] == pytest.approx(fs.allocate(FLEET_B, solve.FURTHER[rule]).mean, rel=1e-9)
    app.button_group(key="rule").set_value("NUM").run()
    assert list(table(app, "Worst-off accuracy")["Rule"]) == list(fs.POLICIES)


def test_one_of_the_six_under_the_lens_solves_the_six_only(monkeypatch):
    asked = []
    monkeypatch.setattr(solve, "also", lambda *given: asked.append(given))
    assert calm(open_page(fleet="Preset", preset="Fleet B", rule="NUM"))
    assert not asked


def test_a_further_rule_that_refuses_the_fleet_is_named_and_another_is_shown():
    app = open_page(fleet="Preset", preset="Promises", rule="Equal-income market")
    assert calm(app)
    (refused,) = app.warning
    assert refused.value.startswith("Equal-income market is missing here")
    assert answer(app).startswith("Fair-Synergy")
