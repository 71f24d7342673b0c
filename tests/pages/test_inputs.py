"""The sidebar: what it takes, what it refuses in one message, and that the address holds all of it."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from dashboard import PAGES, answer, calm, open_page, shown

import fairsynergy as fs
from fairsynergy.fleets import PRESETS, FleetSpec, Setting, write_json
from fairsynergy.ui import inputs
from fairsynergy.words.phrases import headline

# Markdown that would do something: a link, an image, a tag.
ALIVE = re.compile(r"(?<!\\)[\[<]")
CODE = re.compile("`[^`]*`")
TABLE = b"agent,compute,gamma_compute\ndrone 1,0.1,0.3\ndrone 2,0.2,0.6\n"


def sentence(problem, rule="Fair-Synergy"):
    return headline({name: fs.allocate(problem, policy) for name, policy in fs.POLICIES.items()}, rule)


def upload(app, content, name="fleet.csv"):
    return app.file_uploader(key="file").set_value((name, content, "text/plain")).run()


def link(app):
    (code,) = app.code
    return {key: value[0] if len(value) == 1 else tuple(value)
            for key, value in parse_qs(urlsplit(code.value).query).items()}  # fmt: skip


def test_the_sliders_are_the_fleet():
    app = open_page(setting="DL", agents=5, seed=3, compute=0.2, gamma_labels=("0.2", "0.4"), spread=0.5)
    spec = FleetSpec(agents=5, setting=Setting.DL, seed=3, local_compute=0.2, gamma_labels=(0.2, 0.4), spread=0.5)
    assert answer(app) == sentence(spec.problem())


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_its_fleet_and_says_its_sentence(preset):
    app = open_page(fleet="Preset", preset=preset)
    assert answer(app) == sentence(PRESETS[preset].problem)
    assert any(PRESETS[preset].sentence in caption.value for caption in app.caption)
    assert app.session_state["setting"] == PRESETS[preset].setting.name


def test_what_does_not_apply_is_disabled_with_a_reason_and_nothing_disappears():
    app = open_page()
    keys = [slider.key for slider in app.slider]
    for key in ("capacity_labels", "labels", "gamma_labels"):
        assert app.slider(key=key).disabled
        assert "real-time inference" in app.slider(key=key).help
    app.button_group(key="fleet").set_value("Preset").run()
    assert [slider.key for slider in app.slider] == keys
    assert all(slider.disabled and slider.help.startswith("Off: the preset") for slider in app.slider)
    app.button_group(key="fleet").set_value("Drawn").run()
    app.button_group(key="setting").set_value("DL").run()
    assert [slider.key for slider in app.slider] == keys
    assert not any(slider.disabled for slider in app.slider)


def test_a_file_is_its_fleet_before_the_cloud_of_the_sliders():
    app = upload(open_page(capacity_compute=0.3), TABLE, "drones.csv")
    assert calm(app)
    assert app.session_state["fleet"] == "File"
    problem = fs.Problem(
        endowment=[0.1, 0.2], elasticity=[0.3, 0.6], capacity=0.6, saturation=1, agents=["drone 1", "drone 2"]
    )
    assert answer(app) == sentence(problem)


def test_a_file_that_brings_its_cloud_switches_the_sliders_off():
    app = upload(open_page(), write_json(PRESETS["Fleet A"].problem).encode(), "fleet.json")
    assert calm(app)
    assert app.slider(key="capacity_compute").disabled
    assert not app.toggle(key="saturation").disabled


def test_amounts_that_may_be_read_either_way_wait_for_the_choice_that_the_sidebar_then_offers():
    app = upload(open_page(), b"compute;gamma_compute\n500;0,3\n1.000;0,6\n", "cluster.csv")
    assert any("choose it in “Open or save a file”" in shown(error.value) for error in app.error)
    app.button_group(key="file_decimal").set_value("comma").run()
    assert calm(app)
    assert any("cluster" in caption.value for caption in app.caption)
    upload(app, TABLE, "drones.csv")
    assert calm(app)
    assert not [group for group in app.button_group if group.key == "file_decimal"]


def test_a_file_that_counts_in_gpus_is_not_saturated_at_one_of_them():
    app = upload(open_page(), b"compute,gamma_compute\n40,0.3\n80,0.6\n", "cluster.csv")
    assert calm(app)
    assert app.toggle(key="saturation").value is False
    assert any("saturation at 1 unit is off" in one.value for one in app.caption)
    app.toggle(key="saturation").set_value(True).run()
    assert not any("saturation at 1 unit is off" in one.value for one in app.caption)


def test_a_file_follows_to_another_page_and_leaves_with_its_removal():
    app = upload(open_page(), TABLE, "drones.csv")
    there = answer(app)
    app.switch_page("pages/fairness_tradeoff.py").run()
    assert calm(app)
    assert any("drones.csv" in caption.value for caption in app.caption)
    app.switch_page("pages/explore.py").run()
    assert answer(app) == there


BAD_FILES = {
    "empty": b"",
    "binary": bytes(range(256)) * 40,
    "utf-16": "compute,gamma_compute\n0.1,0.5\n".encode("utf-16-le"),
    "headers": b"power,difficulty\n0.1,0.5\n",
    "text": b"compute,gamma_compute\n0.1,hard\n",
    "nan": b"compute,gamma_compute\nnan,0.5\n",
    "infinite": b"compute,gamma_compute\ninf,0.5\n",
    "negative": b"compute,gamma_compute\n-0.1,0.5\n",
    "gamma": b"compute,gamma_compute\n0.1,1\n",
    "ragged": b"compute,gamma_compute\n0.1\n",
    "no agents": b"compute,gamma_compute\n",
    "floors": b"compute,gamma_compute,floor_compute\n0.1,0.5,99\n",
    "too many": b"compute,gamma_compute\n" + b"0.1,0.5\n" * (inputs.MOST_AGENTS + 1),
    "workbook": b"PK\x03\x04" + bytes(100),
    "markdown": b"compute,gamma_compute\n0.1,![x](http://example.org/x.png)<script>alert(1)</script>\n",
}


@pytest.mark.parametrize("content", BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_file_is_refused_in_one_message_and_nothing_is_lost(content):
    app = open_page(agents=4)
    before = answer(app)
    upload(app, content)
    assert not app.exception
    assert len(app.error) == 1
    assert not ALIVE.search(CODE.sub("", app.error[0].value))
    assert answer(app) == before
    assert calm(upload(app, TABLE)), "a good file afterwards is accepted"
    before = answer(app)
    upload(app, content)
    assert len(app.error) == 1
    assert answer(app) == before, "the last good file stays"
    app.button(key="reset").click().run()
    assert calm(app)


HOSTILE = {
    "agents": "5000",
    "agents ": "-1",
    "seed": "nan",
    "spread": "inf",
    "compute": "1e999",
    "rule": "<script>alert(1)</script>",
    "preset": "../../etc/passwd",
    "fleet": "![x](http://example.org)",
    "setting": "",
    "saturation": "perhaps",
    "gamma_compute": "0.5",
    "capacity_compute": "0.1' or 1=1",
}


@pytest.mark.parametrize(("key", "value"), HOSTILE.items())
def test_a_link_that_asks_for_nonsense_gets_one_message_and_the_default(key, value):
    key = key.strip()
    app = open_page(**{key: value})
    assert not app.exception
    (error,) = app.error
    assert key in shown(error.value)
    assert not ALIVE.search(CODE.sub("", error.value))
    assert app.session_state[key] in (inputs.DEFAULTS[key], None)
    assert answer(app) == sentence(FleetSpec().problem())
    app.slider(key="agents").set_value(9).run()
    assert calm(app), "the message goes with the next change"


def test_a_link_with_a_range_backwards_gets_one_message_and_is_mended_by_the_slider():
    app = open_page(gamma_compute=("0.9", "0.1"))
    assert not app.exception
    assert len(app.error) == 1
    assert answer(app) == sentence(FleetSpec().problem())
    app.slider(key="gamma_compute").set_value((0.2, 0.4)).run()
    assert calm(app)
    assert answer(app) == sentence(FleetSpec(gamma_compute=(0.2, 0.4)).problem())


def test_a_link_with_everything_wrong_is_still_one_message():
    app = open_page(**{key.strip(): value for key, value in HOSTILE.items()})
    assert not app.exception
    assert len(app.error) == 1


def test_the_link_holds_what_is_on_screen_and_nothing_else():
    app = open_page()
    assert link(app) == {}
    app.slider(key="agents").set_value(7).run()
    app.slider(key="gamma_compute").set_value((0.2, 0.5)).run()
    app.button_group(key="setting").set_value("DL").run()
    app.button_group(key="rule").set_value("Leximin").run()
    app.toggle(key="saturation").set_value(False).run()
    assert link(app) == {
        "agents": "7", "gamma_compute": ("0.2", "0.5"), "setting": "DL", "rule": "Leximin", "saturation": "false"
    }  # fmt: skip
    again = open_page(**link(app))
    assert calm(again)
    assert answer(again) == answer(app)
    assert link(again) == link(app)


def test_reset_returns_to_the_first_visit():
    app = open_page(agents=7, setting="DL", rule="NUM", fleet="Preset")
    app.button(key="reset").click().run()
    assert calm(app)
    assert link(app) == {}
    assert answer(app) == answer(open_page())


def test_harmless_links_are_not_complained_about():
    for query in ({"agents": "10.0"}, {"saturation": "TRUE"}, {"compute": "0.050"}, {"unknown": "x"}):
        assert calm(open_page(**query))


def test_the_link_carries_an_opened_fleet_whole():
    """With what the sidebar says of it, and on every page; here the file lacks a capacity, which a slider gives."""
    app = upload(open_page(rule="NUM"), TABLE, "drones.csv")
    app.slider(key="capacity_compute").set_value(0.25).run()
    sent = link(app)
    assert sent.keys() == {"rule", "fleet", "capacity_compute", "table"}
    for page in PAGES:
        assert link(app.switch_page(f"pages/{page}.py").run())["table"] == sent["table"], page
        there = open_page(page, **sent)
        assert calm(there)
        assert link(there)["table"] == sent["table"], "and can be sent on"
    there = open_page(**sent)
    assert answer(there) == answer(app.switch_page("pages/explore.py").run())
    problem = fs.Problem(
        endowment=[0.1, 0.2], capacity=0.5, elasticity=[0.3, 0.6], saturation=1, agents=("drone 1", "drone 2")
    )
    assert answer(there) == sentence(problem, "NUM")
    assert any("drones.csv" in caption.value for caption in there.caption)
    assert there.query_params["table"] == sent["table"], "the address bar holds it, so a reload finds it again"
    there.button_group(key="fleet").set_value("Drawn").run()
    assert "table" not in link(there), "another fleet is on screen"
    assert "table" not in there.query_params


def test_a_fleet_too_large_for_a_link_has_none_and_the_page_says_so():
    large = FleetSpec(agents=300, setting=Setting.DL).problem()
    app = upload(open_page(), write_json(large).encode(), "large.json")
    assert calm(app)
    assert not app.code, "an address would show another fleet"
    assert inputs.TOO_LONG in [caption.value for caption in app.caption]
    assert "table" not in app.query_params


def test_an_address_that_tells_of_a_file_without_holding_it_is_not_taken_for_that_fleet():
    app = open_page(fleet="File")
    assert [shown(error.value) for error in app.error] == [inputs.NOT_HELD]
    upload(app, TABLE)
    assert calm(app)


@pytest.mark.parametrize("letters", ["", "![x](http://e.org)", "eJw"])
def test_letters_of_a_link_that_are_no_fleet_are_one_message(letters):
    app = open_page(fleet="File", table=letters)
    assert len(app.error) == 1
    assert "may have been cut" in app.error[0].value
    app.button_group(key="fleet").set_value("Drawn").run()
    assert calm(app)
