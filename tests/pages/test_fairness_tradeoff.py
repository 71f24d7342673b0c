"""Fairness trade-off: what it shows is what the library says, for every fleet, at every stop of the dial."""

import numpy as np
import pytest
from dashboard import answer, calm, open_page, shown

import fairsynergy as fs
from fairsynergy.analysis.fairness import guarantees, report
from fairsynergy.fleets import PRESETS, FleetSpec, Setting, write_json
from fairsynergy.fleets.drawn import DEMONSTRATIONS
from fairsynergy.ui import closing, solve
from fairsynergy.words.explain import PORTRAITS
from fairsynergy.words.phrases import failing, number, optimum, trade_off, verdicts

PAGE = "fairness_tradeoff"
TABS = {
    "optimal": "Is this optimal?",
    "promises": "What each rule promises",
    "lorenz": "Who holds the accuracy",
    "words": "The rules in words",
    "uniform": "Against Uniform",
}
HARD = FleetSpec(setting=Setting.DL, gamma_compute=(0.8, 0.99), gamma_labels=(0.8, 0.99))
HARD_LINK = {"setting": "DL", "gamma_compute": ("0.8", "0.99"), "gamma_labels": ("0.8", "0.99")}
FLEET_B = PRESETS["Fleet B"].problem
ALL = {name: fs.allocate(FLEET_B, policy) for name, policy in solve.RULES.items()}


def visit(tab=None, **query):
    app = open_page(PAGE, **query)
    return turn_to(app, tab) if tab else app


def turn_to(app, tab):
    app.session_state["more"] = TABS[tab]
    return app.run()


def said(app):
    return " ".join(shown(element.value) for element in (*app.markdown, *app.caption))


def dial(app):
    (line,) = (line.value for line in app.markdown if line.value.startswith("α = "))
    return line


def key(app, name):
    return [button for button in app.button if button.key == name]


@pytest.mark.parametrize("preset", PRESETS)
def test_every_tab_renders_every_preset(preset):
    app = visit(fleet="Preset", preset=preset)
    for tab in TABS:
        assert calm(turn_to(app, tab)), tab
        assert "roved" in said(app)


def test_the_answer_and_the_proof_are_the_librarys():
    app = visit(fleet="Preset", preset="Fleet B")
    assert answer(app) == trade_off(ALL)
    proved = fs.allocate(FLEET_B, solve.FIRST_LOOK)
    assert optimum(proved) in said(app)
    assert "0.3089" in optimum(proved)
    assert verdicts(ALL)["Fair-Synergy"] in said(app)


def test_against_uniform_is_the_librarys():
    (table,) = (
        element.value.set_index("Rule") for element in visit("uniform", fleet="Preset", preset="Fleet B").dataframe
    )
    assert table.loc["Uniform", "Mean vs Uniform [%]"] == 0
    worst = ALL["Leximin"].worst / ALL["Uniform"].worst
    assert table.loc["Leximin", "Worst-off vs Uniform [%]"] == pytest.approx(100 * (worst - 1), rel=1e-12)


def test_weights_are_called_out():
    assert "Agents count differently here" in said(visit(fleet="Preset", preset="Promises"))
    assert "Agents count differently here" not in said(visit(fleet="Preset", preset="Fleet B"))


@pytest.mark.parametrize(("stop", "rule"), [("0", "Fair-Synergy"), ("1", "Nash"), ("∞", "Leximin")])
def test_a_named_stop_of_the_dial_is_its_rule(stop, rule):
    app = visit(fleet="Preset", preset="Fleet B")
    app.button(key=f"stop_{stop}").click().run()
    assert calm(app)
    assert app.select_slider(key="alpha").value == stop
    assert dial(app).startswith(f"α = {stop}, {rule}: mean {number(ALL[rule].mean)}")


def test_the_dial_between_its_stops():
    app = visit(fleet="Preset", preset="Fleet B")
    app.select_slider(key="alpha").set_value("2").run()
    fair = fs.allocate(FLEET_B, fs.AlphaFair(2))
    assert f"mean {number(fair.mean)}" in dial(app)
    assert f"worst-off {number(fair.worst)}" in dial(app)


@pytest.mark.parametrize("axis", ["worst-off", "10th percentile", "Gini index"])
@pytest.mark.parametrize("near", [False, True])
def test_every_axis(axis, near):
    app = visit(setting="DL")
    app.toggle(key="near").set_value(near).run()
    app.button_group(key="axis").set_value(axis).run()
    assert calm(app)


def test_the_promises_are_the_librarys():
    app = visit("promises", fleet="Preset", preset="Fleet B")
    (table,) = (element.proto.body for element in app.get("html") if "<table" in element.proto.body)
    for name in ("NUM", "Equal-income market"):
        for guarantee in guarantees(report(ALL[name])):
            assert failing(guarantee) in table
            assert guarantee.sentence.replace("'", "&#x27;") in table
    assert table.count("<tr") == 1 + len(solve.RULES)


def test_a_hostile_name_stays_text_among_the_promises():
    bad = "<img src=x onerror=alert(1)>"
    fleet = fs.Problem(
        endowment=[0.1, 0.2], elasticity=[0.3, 0.6], capacity=0.3, agents=[bad, "b"], resources=["compute"]
    )
    app = visit("promises")
    app.file_uploader(key="file").set_value(("fleet.json", write_json(fleet).encode(), "text/json")).run()
    assert calm(app)
    (table,) = (element.proto.body for element in app.get("html") if "<table" in element.proto.body)
    assert "<img" not in table


def test_every_rule_has_its_words():
    app = visit("words")
    text = said(app)
    for name, portrait in PORTRAITS.items():
        assert shown(portrait.wins) in text, name
        assert solve.RULES[name].sentence in text
    formulas = [element.value for element in app.latex]
    # Two columns, one after the other.
    assert sorted(formulas) == sorted(f"$$\n{portrait.formula}\n$$" for portrait in PORTRAITS.values())


@pytest.mark.parametrize("name", DEMONSTRATIONS)
def test_a_demonstration_comes_at_a_click_and_goes_at_a_click(name):
    app = visit(setting="DL", agents=7, rule="DRF", seed=4)
    before = answer(app)
    app.button(key=f"show_{name}").click().run()
    assert calm(app)
    first, second = DEMONSTRATIONS[name].presets.items()
    assert app.session_state["preset"] == first[1]
    assert app.session_state["rule"] == "Fair-Synergy"
    assert DEMONSTRATIONS[name].look in said(app)
    app.button_group(key="variant").set_value(second[0]).run()
    assert calm(app)
    assert app.session_state["preset"] == second[1]
    app.button(key="back").click().run()
    assert calm(app)
    assert answer(app) == before
    assert app.session_state["rule"] == "DRF"
    assert not key(app, "back")


def test_the_unit_trap_says_nothing_and_everything():
    app = visit()
    app.button(key="show_units").click().run()
    assert "the hardest tasks get 0 % of the cloud counted in units, and 100 % counted in hundredths" in said(app)


def test_the_winner_takes_all_until_holdings_saturate():
    app = visit()
    app.button(key="show_winner").click().run()
    assert "takes 100 % of compute and 100 % of labels" in said(app)


def test_leaving_a_demonstration_by_the_sidebar_ends_it():
    app = visit()
    app.button(key="show_units").click().run()
    app.selectbox(key="preset").set_value("Fleet B").run()
    assert calm(app)
    assert not key(app, "back")


@pytest.mark.parametrize(
    "fleet",
    [
        {"agents": 1},
        {"agents": 2, "spread": 0, "gamma_compute": ("0.5", "0.5")},
        {"capacity_compute": 0},
        {"compute": 0},
    ],
    ids=["one agent", "all alike", "nothing to share", "nothing owned"],
)
@pytest.mark.parametrize("setting", ["RTI", "DL"])
def test_degenerate_fleets(fleet, setting):
    app = visit(setting=setting, **fleet)
    for tab in TABS:
        assert calm(turn_to(app, tab)), tab


def test_three_resources_say_who_is_missing_and_what_is_not_proved():
    three = fs.Problem(
        endowment=np.full((3, 3), 0.1), elasticity=np.full((3, 3), 0.6), capacity=[1, 1, 1], saturation=1
    )
    app = visit("promises")
    app.file_uploader(key="file").set_value(("three.json", write_json(three).encode(), "text/json")).run()
    assert calm(app)
    assert "Not proved" in said(app)
    assert app.warning[0].value.startswith("Leximin is missing here")
    assert app.button(key="stop_∞").disabled
    app.select_slider(key="alpha").set_value("∞").run()
    assert calm(app)
    assert dial(app).startswith("α = 200")


def test_a_large_fleet_keeps_the_named_stops():
    large = FleetSpec(agents=6000).problem()
    app = visit()
    app.file_uploader(key="file").set_value(("large.json", write_json(large).encode(), "text/json")).run()
    assert calm(app)
    assert dial(app).startswith("α = 1, Nash")
    assert len(solve.frontier(large).alpha) < len(solve.ALPHAS)


def test_bad_input_keeps_the_last_result():
    app = visit(agents=7)
    before = (answer(app), dial(app))
    app.file_uploader(key="file").set_value(("bad.csv", b"compute,gamma_compute\n0.1,1.5\n", "text/csv")).run()
    assert len(app.error) == 1
    assert not app.exception
    assert (answer(app), dial(app)) == before


def test_an_open_gap_is_said_with_its_interval_and_can_be_searched_on(monkeypatch):
    monkeypatch.setattr(solve, "LONG_LOOK", 3.0)  # however busy the machine is, longer than the first look
    app = visit(**HARD_LINK)
    assert calm(app)
    first = solve.certified(HARD.problem()).allocation
    assert first.status is fs.Status.STATIONARY
    assert optimum(first) in said(app)
    app.button(key="search_on").click().run()
    assert calm(app)
    assert "Not closed yet" in said(app)
    proof = app.session_state[solve.PROVED][1]
    assert proof.allocation.gap <= first.gap
    assert len(proof.history) > len(solve.certified(HARD.problem()).history)
    assert optimum(proof.allocation) in said(app)
    assert not key(app, "stop")


def test_a_search_stopped_in_its_thread_leaves_its_proof_to_the_next_run():
    app = visit(**HARD_LINK)
    problem = HARD.problem()
    left = closing.Search(problem, proof=solve.search(problem, fs.CertifiedOptimum(boxes=120), lambda _: False))
    left.ended.set()
    app.session_state[closing.RUNNING], app.session_state[closing.WANTED] = left, problem.digest
    app.run()
    assert calm(app)
    assert left.stop.is_set()
    assert optimum(left.proof.allocation) in said(app)
    assert key(app, "search_on")
    assert not key(app, "stop")


def test_a_worse_proof_does_not_replace_a_better_one():
    app = visit(**HARD_LINK)
    problem = HARD.problem()
    left = closing.Search(problem, proof=solve.search(problem, fs.CertifiedOptimum(boxes=1), lambda _: False))
    left.ended.set()
    app.session_state[closing.RUNNING] = left
    app.run()
    assert optimum(left.proof.allocation) not in said(app)
