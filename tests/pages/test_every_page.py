"""What holds on every page: it starts in every mode, renders every fleet, and survives both ends of every control."""

import json

import numpy as np
import pytest
from dashboard import PAGES, ROOT, TIMEOUT, answer, calm, open_page, shown
from pictures import names_in
from streamlit.testing.v1 import AppTest

import fairsynergy as fs
from fairsynergy.fleets import PRESETS, write_json
from fairsynergy.ui import solve

THREE = fs.Problem(
    endowment=[[0.1, 0.2, 0.1], [0.3, 0.1, 0.2]], elasticity=[[0.2, 0.3, 0.4], [0.5, 0.2, 0.2]], capacity=[1, 1, 1],
    resources=["compute", "labels", "bandwidth"],
)  # fmt: skip

# On these the sidebar's fleet and the rule play no part, as they say themselves.
APART = {"collaborative_inference", "lessons", "measured_curves", "paper"}
everywhere = pytest.mark.parametrize("page", PAGES)
of_the_fleet = pytest.mark.parametrize("page", [page for page in PAGES if page not in APART])


@everywhere
def test_starts_through_the_entry(page):
    assert calm(open_page(page))


@everywhere
def test_starts_alone(page):
    app = AppTest.from_file(str(ROOT / "pages" / f"{page}.py"), default_timeout=TIMEOUT)
    assert calm(app.run())


@everywhere
def test_survives_going_elsewhere_and_back(page):
    app = open_page(page, agents=3)
    first = answer(app)
    for other in PAGES:
        app.switch_page(f"pages/{other}.py").run()
        assert calm(app)
    assert answer(app.switch_page(f"pages/{page}.py").run()) == first


@of_the_fleet
@pytest.mark.parametrize("setting", ["RTI", "DL"])
def test_renders_every_size(page, setting):
    app = open_page(page, setting=setting, agents=1)
    assert calm(app)
    for agents in (2, 41, 100):
        assert calm(app.slider(key="agents").set_value(agents).run()), agents


@of_the_fleet
def test_renders_every_preset(page):
    app = open_page(page, fleet="Preset")
    for preset in PRESETS:
        assert calm(app.selectbox(key="preset").set_value(preset).run()), preset


@of_the_fleet
def test_renders_every_rule(page):
    app = open_page(page, setting="DL")
    for rule in solve.RULES:
        assert calm(app.button_group(key="rule").set_value(rule).run()), rule


@pytest.mark.parametrize(
    ("page", "setting"),
    [(page, setting) for page in PAGES for setting in ("RTI", "DL") if page not in APART]
    + [(page, "DL") for page in sorted(APART)],
)
def test_every_slider_at_both_ends(page, setting):
    app = open_page(page, setting=setting)
    sliders = app.main.slider if page in APART else app.slider
    for key in [slider.key for slider in sliders if not slider.disabled]:
        slider = app.slider(key=key)
        was = slider.value
        for end in (slider.min, slider.max):
            end = type(was)((end, end)) if isinstance(was, list | tuple) else type(was)(end)
            app.slider(key=key).set_value(end).run()
            assert calm(app), f"{key} at {end}"
        app.slider(key=key).set_value(was).run()


@of_the_fleet
def test_a_cloud_with_nothing_and_agents_with_nothing(page):
    nothing = {"capacity_compute": 0, "capacity_labels": 0, "compute": 0, "labels": 0}
    assert calm(open_page(page, setting="DL", **nothing))
    assert calm(open_page(page, setting="DL", compute=0, labels=0))


@of_the_fleet
def test_without_saturation(page):
    assert calm(open_page(page, setting="DL", saturation="false", capacity_compute=2, capacity_labels=2))


@of_the_fleet
def test_a_rule_that_refuses_the_fleet_is_named_and_the_others_stay(page):
    app = open_page(page, rule="Leximin")
    app.file_uploader(key="file").set_value(("three.json", write_json(THREE).encode(), "text/json")).run()
    assert calm(app)
    (refused,) = app.warning
    assert refused.value.startswith("Leximin is missing here")


@of_the_fleet
def test_a_bad_file_is_one_message_and_the_last_good_result_stays(page):
    app = open_page(page, agents=7)
    before = answer(app)
    app.file_uploader(key="file").set_value(("fleet.csv", b"compute,gamma_compute\n0.1,1.5\n", "text/csv")).run()
    assert not app.exception
    (error,) = app.error
    assert "row 2, column gamma_compute" in shown(error.value)
    assert answer(app) == before


ALIVE = ("![x](a.png)", "<b>*c*</b>", "[d](http://e.org)")
OPEN = {"fairness_tradeoff": ("more", (
    "Is this optimal?", "What each rule promises", "Who holds the accuracy", "The rules in words", "Against Uniform",
)), "what_if": ("studio", ("Edit", "Why"))}  # fmt: skip


@of_the_fleet
def test_names_from_a_file_are_text(page):
    """No Markdown of a visitor's comes alive: not from the file's name, nor from those of agents and resources."""
    app = open_page(page)
    for m in (1, 2, 3):
        upload_named(app, m)
        key, tabs = OPEN.get(page, (None, (None,)))
        for tab in tabs:
            if key:
                app.session_state[key] = tab
                app.run()
            assert calm(app)
            for said in marked_up(app):
                assert not any(name in said for name in ALIVE), (m, tab, said)
            assert not any("<b>" in html.proto.body for html in app.get("html")), (m, tab)


def upload_named(app, m):
    """Open a fleet of m resources, all of whose names would do something if they were read as Markdown or HTML."""
    fleet = fs.Problem(
        endowment=np.full((3, m), 0.1), elasticity=np.full((3, m), 0.3), capacity=np.ones(m), resources=ALIVE[:m],
        agents=[f"{name} {i}" for i, name in enumerate(ALIVE)],
    )  # fmt: skip
    app.file_uploader(key="file").set_value((f"{ALIVE[0]}.json", write_json(fleet).encode(), "text/json")).run()


def marked_up(app):
    """What the browser reads as Markdown: texts, labels and helps."""
    for each in app:
        proto = getattr(each, "proto", None)
        if proto is not None and each.type not in ("text_input", "html"):
            yield from (str(getattr(proto, name, "")) for name in ("label", "help", "body", "value"))
    for group in app.button_group:
        yield from (option.content for option in group.proto.options)


@everywhere
@pytest.mark.parametrize("setting", ["RTI", "DL"])
def test_every_picture_gets_the_tables_that_it_draws_and_no_other(page, setting):
    """The browser gives new rows to each table by its name, and gives up at the first that the picture lacks."""
    app = open_page(page, setting=setting)
    for chart in app.get("vega_lite_chart"):
        asked = names_in(json.loads(chart.proto.spec))
        assert {table.name for table in chart.proto.datasets} == asked, chart.proto.alt
