"""What changes if I change this? The tray of scenarios, and everything that is done with the one at work."""

import base64
import io
import json
import zlib
from dataclasses import replace
from datetime import date
from itertools import product

import numpy as np
import pandas as pd
import pytest
from dashboard import ROOT, TIMEOUT, answer, calm, open_page, shown
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.testing.v1 import AppTest

import fairsynergy as fs
from fairsynergy.analysis import planning
from fairsynergy.charts.reports.handout import handout, open_tray
from fairsynergy.curves import fit, read_folder
from fairsynergy.fleets import PRESETS, FleetSpec, Setting, write_csv, write_json
from fairsynergy.fleets.drawn import ASSETS
from fairsynergy.fleets.script import python
from fairsynergy.fleets.tray import METRICS, Scenario, Tray, change, from_link, headline, read_tray, to_link, write_tray
from fairsynergy.ui import solve
from fairsynergy.ui.whatif import doubt, edit, meeting, saving
from fairsynergy.words import advice, explain, forecasts
from fairsynergy.words.explain import going_price, sentences

PAGE = "what_if"
FLEET_B = {"fleet": "Preset", "preset": "Fleet B"}
B = PRESETS["Fleet B"].problem
NAMED = replace(FleetSpec(agents=10, setting=Setting.DL, seed=3).problem(), agents=[f"robot {i}" for i in range(10)])
TEN = write_csv(NAMED).encode()
RICHEST = B.agents[fs.allocate(B, fs.FairSynergy()).grant.sum(axis=1).argmax()]  # a lock of nothing is none
THREE = fs.Problem(
    endowment=[[0.1, 0.2, 0.1], [0.3, 0.1, 0.2]], elasticity=[[0.2, 0.3, 0.4], [0.5, 0.2, 0.2]], capacity=[1, 1, 1],
    resources=["compute", "labels", "bandwidth"],
)  # fmt: skip
TABS = [
    "Edit", "My split", "Goals and budgets", "More to share", "How sure?", "Cost of change", "Why", "Every run",
    "Save and open",
]  # fmt: skip


def studio(app, tab):
    """The same page with this tab open."""
    app.session_state["studio"] = tab
    return app.run()


def upload(app, content, name="fleet.csv"):
    return app.file_uploader(key="file").set_value((name, content, "text/plain")).run()


def click(app, key):
    return app.button(key=key).click().run()


def choose(app, key, option):
    return app.button_group(key=key).set_value(option).run()


def lock(app, agent):
    app.selectbox(key="edited_agent").set_value(agent).run()
    return click(app, "lock")


def set_number(app, key, value):
    return app.number_input(key=key).set_value(value).run()


def typed(app, changes):
    """The same page after cells of the table of agents were typed into, all told anew as a browser does."""
    (table,) = [each for each in app.dataframe if "agent" in each.value]
    states = app._tree.get_widget_states()  # which knows no table that can be typed into
    said = json.dumps({"edited_rows": changes, "added_rows": [], "deleted_rows": []})
    states.widgets.append(WidgetState(id=table.proto.id, string_value=said))
    return app._run(states)


def frame(app, column):
    """The only table with this column."""
    (found,) = [each.value for each in app.dataframe if column in each.value]
    return found


def tray(app):
    return app.session_state[meeting.TRAY]


def names(app):
    return [scenario.name for scenario in tray(app).scenarios]


def rules(app):
    return {scenario.name: scenario.rule for scenario in tray(app).scenarios}


def current(app):
    return tray(app).current


def allocation(app):
    return fs.allocate(current(app).problem, current(app).policy)


def told(app):
    """The title that the tray should have, by the library."""
    scenarios = tray(app).scenarios
    return headline(tray(app), {each.name: fs.allocate(each.problem, each.policy) for each in scenarios})


def letters(app):
    """What the address holds."""
    found = app.query_params.get("tray")
    return found[0] if isinstance(found, list) else found


def text(app):
    return shown(" ".join(one.value for one in [*app.markdown, *app.caption]))


def refused(app):
    """The one message, and nothing else went wrong."""
    assert not app.exception
    (error,) = app.error
    return shown(error.value)


def has(app, key):
    return key in [button.key for button in app.button]


# The tray.


def test_is_the_sidebars_fleet_and_follows_it_until_something_is_changed():
    app = open_page(PAGE, agents=5)
    assert calm(app)
    assert names(app) == ["as it is"]
    assert shown(answer(app)) == told(app)
    app.slider(key="agents").set_value(7).run()
    choose(app, "rule", "Leximin")
    assert current(app) == Scenario("as it is", FleetSpec(agents=7).problem(), "Leximin", base=FleetSpec(agents=7))
    assert letters(app) is None, "nothing to tell: the sliders are in the address"
    before = current(app)
    click(app, "lock")
    assert calm(app)
    assert (names(app), tray(app).selected, tray(app).reference) == (["as it is", "variant 1"], "variant 1", "as it is")
    assert tray(app)["as it is"] == before
    grant = fs.allocate(before.problem, fs.Leximin()).grant
    assert current(app).problem.floor[0] == current(app).problem.ceiling[0] == grant[0]
    assert np.allclose(allocation(app).grant, grant, atol=1e-9), "locked where it is: nobody else moves"
    assert shown(answer(app)) == told(app)
    assert not has(app, "add_sidebar")
    kept = tray(app)
    app.slider(key="agents").set_value(9).run()
    assert calm(app)
    assert tray(app) == kept
    click(app, "add_sidebar")
    assert names(app) == ["as it is", "variant 1", "as it is 2"]
    assert current(app).problem == FleetSpec(agents=9).problem()
    assert not has(app, "add_sidebar")


def test_a_copy_is_named_and_deleted_and_each_step_is_undone():
    app = open_page(PAGE, **FLEET_B)
    trays = [tray(app)]
    click(app, "duplicate")
    assert names(app) == ["as it is", "as it is 2"]
    trays.append(tray(app))
    app.text_input(key="new_name").set_value("  half the cloud ").run()
    assert names(app) == ["as it is", "half the cloud"]
    trays.append(tray(app))
    set_number(app, "cloud_0", float(B.capacity[0] / 2))
    assert names(app) == ["as it is", "half the cloud"], "no copy of a copy"
    assert current(app).problem == replace(B, capacity=B.capacity * [0.5, 1])
    assert shown(answer(app)) == told(app)
    app.button_group(key="scenario").set_value("as it is").run()
    app.selectbox(key="reference").set_value("half the cloud").run()
    trays.append(tray(app))
    assert shown(answer(app)) == told(app)
    click(app, "delete")
    assert names(app) == ["half the cloud"]
    assert app.button(key="delete").disabled
    for before in reversed(trays):
        click(app, "undo")
        assert calm(app)
        assert tray(app) == before
        assert shown(answer(app)) == told(app)
    assert app.button(key="undo").disabled


@pytest.mark.parametrize(
    ("wanted", "message"), [("as it is", "two scenarios are called 'as it is'"), ("   ", "must have 1 to 60 printable")]
)
def test_a_name_that_is_taken_or_none_is_one_message_and_nothing_changes(wanted, message):
    app = click(open_page(PAGE, agents=3), "duplicate")
    before = tray(app)
    app.text_input(key="new_name").set_value(wanted).run()
    assert message in refused(app)
    assert tray(app) == before
    assert app.text_input(key="new_name").value == "as it is 2"
    app.text_input(key="new_name").set_value("another").run()
    assert calm(app), "the message goes with the next change"
    assert names(app) == ["as it is", "another"]


def test_names_that_markdown_reads_alike_are_still_two():
    app = open_page(PAGE, agents=3)
    for name in ("a`b", "a'b", "<b>*c*</b>", "[x](http://e.org)"):
        click(app, "duplicate")
        app.text_input(key="new_name").set_value(name).run()
    assert "<b>" not in app.title[0].value
    assert "[x](" not in app.title[0].value
    for name in names(app):
        choose(app, "scenario", name)
        assert calm(app)
        assert tray(app).selected == name


def test_scenarios_are_compared_by_the_metric_and_with_the_one_that_is_chosen():
    app = click(open_page(PAGE, **FLEET_B), "lock")
    choose(app, "rule", "Leximin")
    app.session_state["fold_the-scenarios"] = True
    solved = {each.name: fs.allocate(each.problem, each.policy) for each in tray(app).scenarios}
    for metric, reference in product(METRICS, names(app)):
        app.selectbox(key="reference").set_value(reference)
        app.selectbox(key="metric").set_value(metric).run()
        assert calm(app)
        table = frame(app, "That is")
        assert list(table["Scenario"]) == list(solved)
        assert list(table["Mean accuracy"]) == pytest.approx([found.mean for found in solved.values()])
        (column,) = [name for name in table if name.startswith("Change of")]
        assert column == f"Change of {metric} against “{reference}” [%]"
        changes = [100 * change(found, solved[reference], metric) for found in solved.values()]
        assert list(table[column]) == pytest.approx(changes)


def test_only_what_differs_is_listed():
    app = open_page(PAGE, **FLEET_B)
    assert "This is what the others are compared with" in text(app)
    click(app, "duplicate")
    assert "Nothing but the name" in text(app)
    choose(app, "rule", "NUM")
    assert "rule: Fair-Synergy → NUM" in text(app)
    set_number(app, "cloud_1", 0.5)
    assert "capacity of labels: 1.00 → 0.50" in text(app)
    typed(app, {i: {"weight": 2.0} for i in range(7)})
    table = frame(app, "Now")
    assert list(table["What"]) == ["rule", "capacity of labels", *["weight"] * 7]
    assert list(table["Now"][2:]) == ["2.00"] * 7


def test_the_rule_selector_divides_the_scenario_at_work_and_leaves_the_reference():
    app = click(open_page(PAGE, **FLEET_B), "lock")
    choose(app, "rule", "Leximin")
    assert rules(app) == {"as it is": "Fair-Synergy", "variant 1": "Leximin"}
    assert shown(answer(app)) == told(app)
    choose(app, "scenario", "as it is")
    assert app.button_group(key="rule").value == "Fair-Synergy", "the selector shows the rule of the scenario at work"
    choose(app, "rule", "NUM")
    assert rules(app) == {"as it is": "Fair-Synergy", "variant 1": "Leximin", "variant 2": "NUM"}
    click(app, "undo")
    assert app.button_group(key="rule").value == "Fair-Synergy"


def test_a_rule_that_refuses_the_sidebars_fleet_may_divide_the_scenario_at_work():
    app = click(open_page(PAGE, **FLEET_B), "lock")
    upload(app, write_json(THREE).encode(), "three.json")
    choose(app, "rule", "Leximin")
    assert calm(app)
    assert (current(app).name, current(app).rule, current(app).problem.n) == ("variant 1", "Leximin", B.n)
    click(app, "add_sidebar")
    assert calm(app)
    assert (current(app).problem.m, current(app).rule) == (3, "Fair-Synergy")
    choose(app, "rule", "Leximin")
    assert not app.exception
    assert "cannot be divided by Leximin" in shown(answer(app))
    assert any("“as it is 2” is missing here" in shown(warning.value) for warning in app.warning)
    for tab in TABS:
        assert not studio(app, tab).exception, tab
    click(app, "undo")
    assert shown(answer(app)) == told(app)


def test_scenarios_that_no_rule_divides_are_no_chart_and_no_table():
    alone = Tray.of(Scenario("three", THREE, "Leximin"))
    app = opened(studio(open_page(PAGE), "Save and open"), write_tray(alone).encode(), "three.json")
    assert calm(app)
    app.session_state["fold_the-scenarios"] = True
    for tab in TABS:
        assert calm(studio(app, tab)), tab


def test_the_tray_stays_from_page_to_page():
    app = click(open_page(PAGE, **FLEET_B), "lock")
    choose(app, "rule", "Leximin")
    before, title = tray(app), answer(app)
    for page in ("explore", "measured_curves"):
        app.switch_page(f"pages/{page}.py").run()
        assert calm(app)
        assert from_link(letters(app)) == before, "every page's address holds it"
    app.switch_page("pages/explore.py").run()
    choose(app, "rule", "NUM")
    app.switch_page(f"pages/{PAGE}.py").run()
    assert calm(app)
    assert (tray(app), answer(app)) == (before, title), "a rule chosen elsewhere is no change here"
    assert app.button_group(key="rule").value == "Leximin"


# The link.


def link_of(app):
    """The address holds the tray that is on screen; its letters."""
    assert calm(app)
    assert from_link(letters(app)) == tray(app)
    return letters(app)


@pytest.mark.parametrize("own", [False, True], ids=["drawn", "file"])
def test_the_link_opens_the_same_scenarios_elsewhere(own):
    app = open_page(PAGE, agents=6, setting="DL")
    if own:
        upload(app, TEN, "robots.csv")
        assert current(app).problem.agents == NAMED.agents
    click(app, "lock")
    link_of(app)
    choose(app, "rule", "Leximin")
    link_of(app)
    studio(app, "My split")
    click(app, "split_Start from equal shares")
    link_of(app)
    app.slider(key="share_0_0").set_value(0.0).run()
    sent = link_of(app)
    for rule in ("Fair-Synergy", "NUM"):  # the sender's selector may have shown another rule on another page
        other = open_page(PAGE, tray=sent, rule=rule)
        assert calm(other)
        assert (tray(other), answer(other)) == (tray(app), answer(app))
    alone = AppTest.from_file(str(ROOT / "pages" / f"{PAGE}.py"), default_timeout=TIMEOUT)
    alone.query_params["tray"] = sent
    assert calm(alone.run())
    assert answer(alone) == answer(app)
    assert other.button(key="undo").disabled, "there is nothing before the link"


def broken(document):
    return base64.urlsafe_b64encode(zlib.compress(json.dumps(document).encode())).decode().rstrip("=")


WHOLE = to_link(Tray.of(Scenario("as it is", B, base="Fleet B")))
LINKS = {
    "cut": (WHOLE[:40], "it may have been cut"),
    "garbage": ("![x](http://e.org)", "it may have been cut"),
    "empty": ("", "it may have been cut"),
    "newer": (broken({"version": 99}), "made by a newer fairsynergy"),
    "foreign": (broken([1, 2]), "it may have been cut"),
}


@pytest.mark.parametrize(("sent", "message"), LINKS.values(), ids=LINKS)
def test_a_link_that_holds_no_tray_is_one_message_and_the_page_works(sent, message):
    alone = AppTest.from_file(str(ROOT / "pages" / f"{PAGE}.py"), default_timeout=TIMEOUT)
    alone.query_params["tray"] = sent
    for app in (alone.run(), open_page(tray=sent)):
        assert message in refused(app)
        app.slider(key="agents").set_value(4).run()
        assert calm(app), "the message goes with the next change"
        assert letters(app) is None
    assert calm(click(alone, "lock"))
    link_of(alone)


def test_ten_thousand_agents_are_edited_and_go_home_as_a_file():
    fleet = FleetSpec(agents=10_000).problem()
    app = upload(open_page(PAGE), write_csv(fleet).encode(), "big.csv")
    assert calm(app)
    assert "Drawn: the first" in text(app)
    app.text_input(key="edit_find").set_value("agent 77").run()
    table = frame(app, "agent")
    assert table["agent"].str.contains("agent 77").all()
    row = list(table["agent"]).index("agent 77")
    typed(app, {row: {"weight": 3.0}})
    assert calm(app)
    assert np.flatnonzero(current(app).problem.weight != 1).tolist() == [76]
    assert letters(app) is None
    assert any(caption.value == meeting.LINK_TOO_LONG for caption in app.caption)
    studio(app, "Save and open")
    assert calm(app)
    assert meeting.LINK_TOO_LONG in text(app)
    assert not app.main.code, "a script of ten thousand agents is a file"


# Editing.


def test_the_cloud_is_typed_and_what_is_too_little_for_the_locks_is_refused():
    app = lock(open_page(PAGE, **FLEET_B), RICHEST)
    before, locked = tray(app), current(app).problem.floor.sum(axis=0)
    set_number(app, "cloud_1", float(locked[1] / 2))
    with pytest.raises(fs.ProblemError) as refusal:
        replace(current(app).problem, capacity=[B.capacity[0], locked[1] / 2])
    assert refused(app) == str(refusal.value)
    assert tray(app) == before
    assert app.number_input(key="cloud_1").value == B.capacity[1], "what is in force is shown"
    set_number(app, "cloud_1", 1.5)
    assert calm(app)
    assert current(app).problem.capacity[1] == 1.5
    assert shown(answer(app)) == told(app)


def test_an_agent_is_locked_freed_left_out_and_one_like_it_is_added():
    app = open_page(PAGE, **FLEET_B)
    assert app.button(key="free").disabled
    lock(app, "agent 4")
    assert current(app).problem.floor[3].tolist() == fs.allocate(B, fs.FairSynergy()).grant[3].tolist()
    click(app, "free")
    assert current(app).problem == B
    click(app, "leave_out")
    assert calm(app)
    assert current(app).problem.agents == (*B.agents[:3], *B.agents[4:])
    assert (current(app).problem.endowment == np.delete(B.endowment, 3, axis=0)).all()
    assert (current(app).problem.capacity == B.capacity).all()
    assert app.selectbox(key="edited_agent").value == "agent 1"
    click(app, "add_one")
    assert calm(app)
    added = current(app).problem
    assert len(set(added.agents)) == added.n == B.n
    assert (added.elasticity[-1] == B.elasticity[0]).all()
    link_of(app)


def test_the_last_agent_stays():
    app = open_page(PAGE, agents=1)
    assert app.button(key="leave_out").disabled


def test_cells_that_are_typed_change_the_fleet_and_a_bad_one_is_refused():
    app = open_page(PAGE, **FLEET_B)
    typed(app, {0: {"own compute": 0.5}})
    assert calm(app)
    assert names(app) == ["as it is", "variant 1"]
    assert current(app).problem.endowment[0, 0] == 0.5
    typed(app, {0: {"own compute": 0.5, "at least labels": 0.1}, 2: {"agent": "boss"}})  # the browser tells all again
    assert names(app) == ["as it is", "variant 1"]
    assert (current(app).problem.floor[0, 1], current(app).problem.agents[2]) == (0.1, "boss")
    assert "own compute: " in text(app)
    before = tray(app)
    typed(app, {0: {"own compute": 0.5, "at least labels": 0.1, "γ in labels": 1.2}, 2: {"agent": "boss"}})
    assert "elasticity" in refused(app)
    assert tray(app) == before
    typed(app, {0: {"own compute": 0.5, "at least labels": None, "γ in labels": 0.2}, 2: {"agent": "boss"}})
    assert calm(app)
    assert (current(app).problem.floor[0, 1], current(app).problem.elasticity[0, 1]) == (0, 0.2)
    before = [each.key for each in app.dataframe]
    click(app, "undo")
    assert [each.key for each in app.dataframe] != before, "a table of other numbers is opened anew"
    assert calm(typed(app, {1: {"own compute": 0.4}}))
    assert current(app).problem.endowment[:2, 0].tolist() == [0.5, 0.4]


def test_a_search_finds_the_agents_to_edit():
    app = upload(open_page(PAGE, setting="DL"), TEN, "robots.csv")
    app.text_input(key="edit_find").set_value("robot 7").run()
    typed(app, {0: {"agent": "seven"}})
    assert calm(app)
    assert current(app).problem.agents == tuple("seven" if name == "robot 7" else name for name in NAMED.agents)
    app.text_input(key="edit_find").set_value("nobody").run()
    assert calm(app)
    assert [info.value for info in app.info] == ["No agent has “nobody” in its name."]


def test_cells_are_read_by_the_rows_that_are_shown():
    rows = [4, 2]
    frame = edit.table(B, rows)
    assert list(frame["agent"]) == ["agent 5", "agent 3"]
    assert frame["at least compute"].isna().all()
    assert frame["at most compute"].isna().all()
    changes = {0: {"at most compute": 0.1, "agent": "five"}, 1: {"weight": 2, "γ in labels": 0.9}}
    changed = edit.applied(B, rows, changes)
    ceiling, weight, gamma = np.array(B.ceiling), np.array(B.weight), np.array(B.elasticity)
    ceiling[4, 0], weight[2], gamma[2, 1] = 0.1, 2, 0.9
    agents = tuple("five" if i == 4 else name for i, name in enumerate(B.agents))
    assert changed == replace(B, ceiling=ceiling, weight=weight, elasticity=gamma, agents=agents)
    back = edit.applied(changed, rows, {0: {"at most compute": None, "agent": "agent 5"}})
    assert back == replace(B, weight=weight, elasticity=gamma)
    assert edit.applied(B, rows, {}) == B


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"own compute": None}, "endowment"),
        ({"own compute": -1}, "endowment"),
        ({"γ in compute": 1}, "elasticity"),
        ({"weight": 0}, "weight"),
        ({"weight": None}, "weight"),
        ({"at least compute": 1, "at most compute": 0.5}, "floor"),
        ({"at least compute": 100}, "floor"),
        ({"agent": "agent 2"}, "agent 2"),
        ({"agent": "  "}, "agent 1: the name of an agent is empty; give it a name"),
        ({"agent": None}, "agent 1: the name of an agent must be a text, got None"),
    ],
)
def test_cells_that_are_no_fleet_are_refused(cells, message):
    with pytest.raises(fs.ProblemError, match=message):
        edit.applied(B, [0], {0: cells})


def test_some_agents_keep_all_that_is_theirs():
    bounded = replace(B, floor=B.floor + 0.001, weight=np.arange(1.0, B.n + 1), saturation=2.0)
    kept = edit.some(bounded, [7, 1, 7], ["a", "b", "c"])
    assert kept.agents == ("a", "b", "c")
    for field in ("endowment", "elasticity", "floor", "ceiling", "saturation", "weight"):
        assert (getattr(kept, field) == getattr(bounded, field)[[7, 1, 7]]).all()
    assert (kept.capacity == bounded.capacity).all()
    scenario = Scenario("a", bounded, "my split", given=np.arange(2.0 * B.n).reshape(-1, 2) / 1000, error=B.endowment)
    moved = meeting.with_problem(scenario, edit.some(bounded, [1, 0], ["agent 2", "new"]))
    assert moved.given.tolist() == [scenario.given[1].tolist(), [0, 0]]
    assert moved.errors.tolist() == [B.endowment[1].tolist(), [0, 0]]


# A split by hand.


def test_a_split_is_dragged_scored_mended_improved_and_given_up():
    app = studio(open_page(PAGE, **FLEET_B), "My split")
    click(app, "split_Start from equal shares")
    assert calm(app)
    assert (names(app), tray(app).selected) == (["as it is", "my split"], "my split")
    assert np.allclose(current(app).given, B.capacity / B.n)
    scored(app)
    app.slider(key="share_0_0").set_value(60.0).run()
    assert calm(app), "a split that breaks a limit is no error: it is told so"
    assert current(app).given[0, 0] == pytest.approx(0.6 * B.capacity[0])
    assert allocation(app).status is fs.Status.FAILED
    assert advice.broken(B, current(app).given) in text(app)
    assert "more than there is" in text(app)
    click(app, "scale_down")
    assert calm(app)
    assert current(app).given.sum(axis=0) == pytest.approx(B.capacity)
    before = scored(app).mean
    click(app, "improve")
    found = scored(app)
    assert found.mean > before
    assert found.status is not fs.Status.FAILED
    app.slider(key="share_3_1").set_value(0.0).run()
    assert current(app).given[3, 1] == 0
    assert "left" in text(app)
    click(app, "drop_split")
    assert calm(app)
    assert (current(app).rule, current(app).given, current(app).name) == ("Fair-Synergy", None, "variant 1")
    assert shown(answer(app)) == told(app)
    click(app, "undo")
    choose(app, "rule", "NUM")
    assert (current(app).rule, current(app).given) == ("NUM", None), "any rule divides it instead"


def scored(app):
    """What is said of the split is what the library says."""
    found = allocation(app)
    assert calm(app)
    assert shown(answer(app)) == told(app)
    assert advice.scored(fs.fairness.report(found)) in text(app)
    assert advice.improvement(planning.first_improvement(found)) in text(app)
    table = frame(app, "Worst [%]")
    rules = {name: fs.allocate(current(app).problem, policy) for name, policy in fs.POLICIES.items()}
    assert list(table["Rule"]) == list(rules)
    assert list(table["Mean [%]"]) == pytest.approx([100 * (rule.mean / found.mean - 1) for rule in rules.values()])
    moved = [planning.distance(found.grant, rule.grant, current(app).problem.capacity) for rule in rules.values()]
    for k, resource in enumerate(current(app).problem.resources):
        assert list(table[f"{resource} to move [% of all]"]) == pytest.approx([100 * part[k] for part in moved])
    return found


def test_a_split_starts_from_the_rule_or_from_nothing():
    app = studio(open_page(PAGE, **FLEET_B), "My split")
    click(app, "split_Start from Fair-Synergy")
    assert (current(app).given == fs.allocate(B, fs.FairSynergy()).grant).all()
    assert "No exchange between two agents adds accuracy" in text(app)
    assert not has(app, "improve")
    scored(app)
    choose(app, "scenario", "as it is")
    click(app, "split_Start from nothing")
    assert not current(app).given.any()
    scored(app)
    assert "nothing" not in text(app).partition("units given")[2].partition(".")[0]


# Questions asked backwards.


@pytest.mark.parametrize("fleet", ["Fleet B", "file"])
def test_the_least_cloud_for_each_aim_by_each_way(fleet):
    app = open_page(PAGE, setting="DL", **(FLEET_B if fleet == "Fleet B" else {}))
    if fleet == "file":
        upload(app, TEN, "robots.csv")
    studio(app, "Goals and budgets")
    problem, rule = current(app).problem, fs.FairSynergy()
    now = fs.allocate(problem, rule)
    prices = np.array([2.0, 0.5])
    aims = {"the mean": planning.Mean(), "the worst-off agent": planning.Worst(), "one agent": None}
    for k, (kind, aim) in enumerate(aims.items()):
        choose(app, "goal_aim", kind)
        if aim is None:
            aim = planning.Agent(problem.agents[3])
            app.selectbox(key="goal_agent").set_value(aim.name).run()
        reached = float(aim.of(problem, now.utility))
        level = app.number_input(key=f"goal_level_{[0, 1, 2][k]}")
        assert level.value == pytest.approx(1.1 * (reached if kind != "one agent" else level.value / 1.1), abs=1e-3)
        assert forecasts.stands(aim, reached) in text(app)
        target = planning.Target(aim, round(0.95 * reached, 3))
        set_number(app, level.key, target.level)
        for way in ("compute alone", "labels alone", "money for the whole cloud"):
            choose(app, "goal_by", way)
            if way.startswith("money"):
                set_number(app, "price_0", prices[0])
                set_number(app, "price_1", prices[1])
                found = planning.least_budget(problem, rule, target, prices)
                best = planning.best_split(problem, rule, app.number_input(key="budget").value, prices, aim)
                assert forecasts.answer(found, problem, prices) in text(app)
                assert forecasts.split(best) in text(app)
            else:
                found = planning.least_capacity(problem, rule, target, way.removesuffix(" alone"))
                assert forecasts.answer(found, problem) in text(app)
            assert calm(app)
            assert not app.warning
            assert found.status.value in text(app)
    click(app, "keep_split")
    assert calm(app)
    assert names(app)[-1] == "best split of a budget"
    assert current(app).problem == replace(problem, capacity=best.capacity)
    choose(app, "scenario", "as it is")
    click(app, "keep_goal")
    assert current(app).problem == replace(problem, capacity=found.capacity)
    assert float(aim.of(problem, allocation(app).utility)) >= target.level * (1 - 1e-9)


def test_a_goal_out_of_reach_is_one_message_that_says_what_is():
    app = studio(open_page(PAGE, agents=5), "Goals and budgets")
    set_number(app, "goal_level_0", 1.5)
    assert calm(app)
    (warning,) = app.warning
    with pytest.raises(fs.ProblemError, match="reaches 1 under Fair-Synergy") as refusal:
        planning.least_capacity(
            current(app).problem, fs.FairSynergy(), planning.Target(planning.Mean(), 1.5), "compute"
        )
    assert shown(warning.value) == str(refusal.value)
    assert not has(app, "keep_goal")
    set_number(app, "goal_level_0", 0.0)
    assert calm(app)
    assert planning.Least.NOTHING.value in text(app)


def test_a_budget_that_buys_nothing_or_not_even_the_floors():
    app = lock(open_page(PAGE, **FLEET_B), RICHEST)
    studio(app, "Goals and budgets")
    choose(app, "goal_by", "money for the whole cloud")
    assert calm(app)
    set_number(app, "budget", 0.0)
    assert calm(app)
    assert "buys nothing" in app.info[0].value
    set_number(app, "budget", 1e-4)
    assert calm(app)
    assert any("what the floors cost" in shown(warning.value) for warning in app.warning)


# More to share, how sure, cost of change, why.


def test_new_capacity_beside_grants_that_stay():
    app = studio(open_page(PAGE, **FLEET_B), "More to share")
    now = fs.allocate(B, fs.FairSynergy())
    keys = [widget.key for widget in app.number_input if widget.key.startswith("extra_")]
    assert len(keys) == 2
    for extra in ([0.3, 0.0], [0.0, 0.0], [0.1, 0.2]):
        for key, amount in zip(keys, extra, strict=True):
            set_number(app, key, amount)
        placed = planning.place(B, fs.FairSynergy(), now.grant, extra)
        anew = fs.allocate(replace(B, capacity=B.capacity + extra), fs.FairSynergy())
        assert calm(app)
        assert advice.placement(placed) in text(app)
        assert advice.kept_promises(placed, anew) in text(app)
        assert app.button(key="keep_growth").disabled == (not any(extra))
        for said in advice.next_bits(planning.next_share(now)):
            assert said in text(app)
    click(app, "keep_growth")
    assert calm(app)
    assert (current(app).given == placed.grant).all()
    assert (current(app).problem.capacity == B.capacity + extra).all()
    assert allocation(app).status is not fs.Status.FAILED
    assert shown(answer(app)) == told(app)


def test_how_sure_the_results_are():
    app = studio(open_page(PAGE, rule="Leximin", **FLEET_B), "How sure?")
    known = {name: fs.allocate(B, policy) for name, policy in fs.POLICIES.items()}
    for error in (0.03, 0.1):
        app.slider(key="doubt").set_value(error).run()
        assert calm(app)
        found = planning.uncertain(B, fs.POLICIES, error, draws=1000, plans=known)
        assert forecasts.uncertainty(found, "Leximin") in text(app)
    for key, options in (("doubt_question", doubt.QUESTIONS), ("doubt_measure", doubt.MEASURES)):
        for option in options:
            assert calm(choose(app, key, option))
    app.session_state["fold_every-rule-under-doubt"] = True
    assert calm(app.run())
    app.slider(key="doubt").set_value(0.0).run()
    assert calm(app)
    assert "taken as known" in app.info[0].value


def test_what_changing_costs():
    app = studio(open_page(PAGE, **FLEET_B), "Cost of change")
    equal = fs.allocate(B, fs.Uniform())
    moved = []
    for price in (0.0, 0.1, 1e3):
        set_number(app, "move_price", price)
        assert calm(app)
        found = planning.change(fs.allocate(B, fs.Replan(equal.grant, price)))
        assert advice.moving(found) in text(app)
        moved.append(found.moved.sum())
    assert moved[0] > moved[1] > moved[2] == 0
    set_number(app, "move_price", 0.0)
    click(app, "keep_change")
    assert calm(app)
    assert current(app).name == "from (equal shares)"
    assert allocation(app).mean == pytest.approx(fs.allocate(B, fs.FairSynergy()).mean, rel=1e-6), "changes are free"
    choose(app, "scenario", "as it is")
    click(app, "duplicate")
    choose(app, "rule", "Leximin")
    app.selectbox(key="moved_from").set_value("as it is 2").run()
    set_number(app, "move_price", 0.2)
    assert calm(app)
    leximin = fs.allocate(B, fs.Leximin())
    assert advice.moving(planning.change(fs.allocate(B, fs.Replan(leximin.grant, 0.2)))) in text(app)


def test_moving_on_from_a_fleet_of_other_agents():
    app = studio(click(open_page(PAGE, **FLEET_B), "leave_out"), "Cost of change")
    assert app.selectbox(key="moved_from").value == "as it is"
    assert calm(app)
    previous = planning.carried(current(app).problem, fs.allocate(B, fs.FairSynergy()))
    found = planning.change(fs.allocate(current(app).problem, fs.Replan(previous, 0.1)))
    assert advice.moving(found) in text(app)


def test_why_everybody_gets_what_they_get():
    app = click(open_page(PAGE, **FLEET_B), "lock")
    app.selectbox(key="edited_agent").set_value("agent 2").run()
    typed(app, {4: {"at most compute": 0.01}})
    (first,) = advice.bounds(planning.binding(allocation(app)))[:1]
    assert first in text(app), "beside the bars"
    studio(app, "Why")
    assert calm(app)
    found = allocation(app)
    assert explain.exchanges(found) in text(app)
    assert explain.prices(found) in text(app)
    for said in advice.bounds(planning.binding(found)):
        assert said in text(app)
    price = going_price({"Fair-Synergy": fs.allocate(found.problem, fs.FairSynergy())})
    for said in sentences(found, price=price, agents=range(B.n)):
        assert said in text(app)
    app.text_input(key="why_find").set_value("nobody").run()
    assert calm(app)
    assert [info.value for info in app.info] == ["No agent has “nobody” in its name."]


# Every run, out and in again.


def test_every_run_is_kept_and_comes_back():
    app = studio(open_page(PAGE, **FLEET_B), "Every run")
    assert "Nothing was changed yet" in text(app)
    studio(app, "Edit")
    click(app, "lock")
    choose(app, "rule", "Leximin")
    lost = current(app)
    click(app, "delete")
    choose(app, "rule", "NUM")
    for name in ("as it is", "variant 1", "as it is"):
        choose(app, "scenario", name)
    studio(app, "Every run")
    table = frame(app, "What was done")
    assert list(table["What was done"]) == ["the first", "agent 1 locked", "divided by Leximin", "divided by NUM"]
    assert list(table["Mean accuracy"])[2] == pytest.approx(fs.allocate(lost.problem, fs.Leximin()).mean)
    set_number(app, "run_back", 3)
    click(app, "bring_back")
    assert calm(app)
    assert current(app) == replace(lost, name="variant 2")
    assert names(app) == ["as it is", "variant 1", "variant 2"]


def opened(app, content, name="scenarios.json"):
    return app.file_uploader(key="tray_file").set_value((name, content, "text/plain")).run()


SENT = (
    Tray.of(Scenario("published", B, base="Fleet B"))
    .keep(Scenario("by hand", B, "my split", given=np.full((B.n, 2), 0.01)))
    .keep(Scenario("dial", B, "alpha=2"))
    .select("by hand")
)


def report(sent):
    solved = {each.name: fs.allocate(each.problem, each.policy) for each in sent.scenarios}
    return handout(sent, solved, address=None, made=date(2025, 1, 1))


@pytest.mark.parametrize("kind", ["json", "html"])
def test_what_was_saved_opens_again(kind):
    content = write_tray(SENT) if kind == "json" else report(SENT)
    app = studio(click(open_page(PAGE, agents=4), "lock"), "Save and open")
    before = tray(app)
    opened(app, content.encode(), f"meeting.{kind}")
    assert calm(app)
    assert tray(app) == SENT
    assert shown(answer(app)) == told(app)
    assert app.main.code[0].value == python(SENT.current).rstrip()
    link_of(app)
    choose(app, "scenario", "dial")
    assert calm(app)
    click(app, "undo")  # to select is nothing to undo
    assert tray(app) == before


FILES = {
    "foreign": ("a.json", b'{"version": 9}', "is not a tray of scenarios"),
    "newer": ("a.json", b'{"format": "fairsynergy tray", "version": 7}', "reads up to 1"),
    "fleet": ("a.json", write_json(B).encode(), "it looks like a fleet: open it in the sidebar"),
    "garbage": ("a.json", bytes(range(256)), "is not JSON text"),
    "empty": ("a.html", b"", "is not JSON text"),
    "page": ("a.html", b"<!doctype html><p>hello", "a.html"),
    "cut": ("a.html", report(SENT).encode()[:2000], "a.html"),
    "alive": ("![x](y).json", b'{"format": "fairsynergy tray", "version": 1, "scenarios": ["<b>"]}', "`scenarios`"),
}


@pytest.mark.parametrize(("name", "content", "message"), FILES.values(), ids=FILES)
def test_a_file_that_is_no_tray_is_one_message_and_the_tray_stays(name, content, message):
    app = studio(click(open_page(PAGE, agents=4), "lock"), "Save and open")
    before, title = tray(app), answer(app)
    opened(app, content, name)
    assert message in refused(app)
    assert "![x](" not in app.error[0].value
    assert (tray(app), answer(app)) == (before, title)
    opened(app, write_tray(SENT).encode())
    assert calm(app)
    assert tray(app) == SENT


def test_everything_that_leaves_holds_what_is_on_screen(monkeypatch):
    given = {}
    monkeypatch.setattr(saving.st, "download_button", lambda label, data, **more: given.update({more["key"]: data}))
    three = Scenario("three", THREE, "Leximin")  # which no rule divides
    app = opened(studio(open_page(PAGE), "Save and open"), write_tray(SENT.keep(three).select("by hand")).encode())
    assert calm(app)
    taken = {key.partition("_")[2]: make() for key, make in given.items() if key.startswith("take_")}
    assert open_tray(taken["report.html"].encode()) == read_tray(taken["scenarios.json"].encode()) == tray(app)
    rows = pd.read_csv(io.StringIO(taken["results.csv"]))
    assert rows["scenario"].value_counts().to_dict() == {"published": B.n, "by hand": B.n, "dial": B.n}
    assert taken["scenarios.xlsx"].startswith(b"PK")
    assert taken["scenarios.svg"].startswith("<svg")
    assert taken["scenarios.png"].startswith(b"\x89PNG")
    assert "This page's address holds all scenarios" in text(app)
    assert app.main.code[0].value == python(current(app)).rstrip()


# From the page of measured curves.


def test_a_fitted_elasticity_is_sent_to_an_agent_with_its_error():
    name, curve = next(iter(read_folder(ASSETS / "curves").items()))
    found = fit(curve.resource, curve.accuracy, resources=curve.resources)
    app = open_page("measured_curves", curve=name, **FLEET_B)
    app.selectbox(key="send_to").set_value("agent 6").run()
    (place,) = [box for box in app.selectbox if (box.key or "").startswith("send_as_0_")]
    place.set_value("γ in labels").run()
    click(app, "send")
    assert calm(app)
    assert "γ of agent 6" in shown(app.success[0].value)
    assert names(app) == ["as it is", "variant 1"]
    gamma = np.array(B.elasticity)
    gamma[5, 1] = found.elasticity[0]
    assert current(app).problem == replace(B, elasticity=gamma)
    assert np.flatnonzero(current(app).errors).tolist() == [11]
    assert current(app).errors[5, 1] == found.standard_error[0]
    studio(app.switch_page(f"pages/{PAGE}.py"), "How sure?")
    assert calm(app)
    assert "1 of 20 elasticities carry the error of their fit" in text(app)
    assert "agent 6: elasticity in labels" in text(app)
    error = np.where(current(app).errors > 0, current(app).errors, 0.03)
    sure = planning.uncertain(current(app).problem, fs.POLICIES, error, draws=1000)
    assert forecasts.uncertainty(sure, "Fair-Synergy") in text(app)
    link_of(app)


def test_names_from_a_file_or_a_link_are_text_in_every_tab():
    alive = ("![x](a.png)", "<b>*c*</b>")
    fleet = replace(B, resources=alive, agents=[f"{alive[i % 2]} {i}" for i in range(B.n)])
    sent = Tray.of(Scenario(alive[0], fleet)).keep(Scenario(alive[1], fleet, "my split", given=np.zeros((B.n, 2))))
    app = open_page(PAGE, tray=to_link(sent))
    for tab in TABS:
        assert calm(studio(app, tab)), tab
        if tab == "Goals and budgets":
            choose(app, "goal_by", "money for the whole cloud")
        read = [getattr(each.proto, name, "") for each in app if hasattr(each, "proto") and each.type != "text_input"
                for name in ("label", "help", "body", "value")]  # fmt: skip
        read += [option.content for group in app.button_group for option in group.proto.options]
        for said in read:
            assert not isinstance(said, str) or not any(name in said for name in alive), (tab, said)


# Every tab, on every kind of fleet.


FLEETS = {
    "Fleet A": {"fleet": "Preset", "preset": "Fleet A"},
    "Fleet B": FLEET_B,
    **{f"{setting} {n}": {"setting": setting, "agents": n} for setting in ("RTI", "DL") for n in (1, 2, 41, 100)},
    "no cloud": {"setting": "DL", "capacity_compute": 0, "capacity_labels": 0},
    "no compute": {"setting": "DL", "capacity_compute": 0, "agents": 5},
    "nothing": {"setting": "DL", "capacity_compute": 0, "capacity_labels": 0, "compute": 0, "labels": 0, "agents": 5},
    "no saturation": {
        "setting": "DL", "saturation": "false", "capacity_compute": 2, "capacity_labels": 2, "agents": 20
    },
}  # fmt: skip


@pytest.mark.parametrize("query", FLEETS.values(), ids=FLEETS)
def test_every_tab_shows_every_fleet(query):
    app = open_page(PAGE, **query)
    for tab in TABS:
        assert calm(studio(app, tab)), tab


def test_every_tab_shows_three_resources_and_every_tab_a_split_that_breaks_a_limit():
    app = upload(open_page(PAGE), write_json(THREE).encode(), "three.json")
    for tab in TABS:
        assert calm(studio(app, tab)), tab
    studio(app, "My split")
    click(app, "split_Start from equal shares")
    app.slider(key="share_0_2").set_value(90.0).run()
    assert allocation(app).status is fs.Status.FAILED
    for tab in TABS:
        assert calm(studio(app, tab)), tab


@pytest.mark.parametrize("rule", [*solve.FURTHER, "Random"])
def test_every_tab_shows_every_rule(rule):
    app = click(open_page(PAGE, rule=rule, **FLEET_B), "lock")
    for tab in TABS:
        assert calm(studio(app, tab)), tab


def test_every_tab_shows_a_thousand_agents():
    fleet = write_csv(FleetSpec(agents=1000, setting=Setting.DL).problem()).encode()
    app = click(upload(open_page(PAGE), fleet, "big.csv"), "lock")
    for tab in TABS:
        assert calm(studio(app, tab)), tab
    studio(app, "My split")
    assert calm(click(app, "split_Start from equal shares"))


def test_what_takes_long_waits_for_a_click():
    app = upload(open_page(PAGE), write_csv(FleetSpec(agents=2001).problem()).encode(), "big.csv")
    assert not has(studio(app, "Goals and budgets"), "keep_goal")
    app.toggle(key="goal_now").set_value(True).run()
    assert calm(app)
    assert has(app, "keep_goal")
    charts = len(studio(app, "Cost of change").get("vega_lite_chart"))
    app.toggle(key="move_curve").set_value(True).run()
    assert calm(app)
    assert len(app.get("vega_lite_chart")) == charts + 2


def test_all_undone_or_reset_the_page_follows_the_sidebar_again():
    app = click(open_page(PAGE, agents=5), "lock")
    app.slider(key="agents").set_value(6).run()
    assert current(app).problem.n == 5
    click(app, "undo")
    assert current(app).problem.n == 6, "nothing was changed, so the sidebar is shown"
    kept = click(app, "lock")
    before = tray(kept)
    click(kept, "reset")
    assert names(kept) == ["as it is"]
    assert current(kept).problem.n == 10
    assert tray(click(kept, "undo")) == before


def test_what_can_be_undone_is_bounded_by_the_agents_in_it(monkeypatch):
    monkeypatch.setattr(meeting.st, "session_state", {})
    monkeypatch.setattr(meeting, "KEPT_AGENTS", 20)
    meeting.follow(FleetSpec(agents=5).problem(), "NUM", None)
    for seed in range(10):
        other = Tray.of(Scenario("another", FleetSpec(agents=5, seed=seed).problem(), "NUM"))
        meeting.replace_tray(other, "opened")
        held = [
            *meeting.tray().scenarios,
            *(one for each in (*meeting.past(), *meeting.runs()) for one in each.scenarios),
        ]
        assert sum({id(one.problem): one.problem.n for one in held}.values()) <= 20
    assert len(meeting.past()) == len(meeting.runs()) - 1 == 3
    for rule in ("Nash", "DRF", "NUM", "Uniform") * 3:  # of the same fleet, which is there once
        meeting.edit(lambda scenario, rule=rule: replace(scenario, rule=rule), rule)
    assert len(meeting.past()) == 15
    meeting.replace_tray(Tray.of(Scenario("large", FleetSpec(agents=50).problem())), "opened")
    assert len(meeting.past()) == 1, "the latest can be undone in any case"


def test_a_name_that_no_file_can_hold_is_refused_where_it_is_typed():
    for name in ("a\x00b", "\ud800", "a" * 201):
        with pytest.raises(fs.ProblemError, match="agent 1: the name of an agent"):
            edit.applied(B, [0], {0: {"agent": name}})
