"""One edge shared live and a city hour: what the page says is what the library finds."""

import pytest
import streamlit as st
from dashboard import answer, calm, open_page, shown

from fairsynergy.collaborative import RULES, AllLocal, bisection, draw_city, draw_edge, equal_split, rollout
from fairsynergy.experiments import cities
from fairsynergy.fleets.drawn import ASSETS
from fairsynergy.ui import city as city_panel
from fairsynergy.words.phrases import number, percent

PAGE = "collaborative_inference"


def test_says_what_the_worst_off_device_pays():
    app = open_page(PAGE)
    assert calm(app)
    edge = draw_edge(devices=10, multiprocessors=24)
    best = bisection(edge)
    more = percent(equal_split(edge).above(best))
    assert answer(app) == (
        f"10 devices share 24 multiprocessors: the worst-off pays {number(best.worst)} at best; "
        f"an equal split costs it {more} more."
    )
    table = app.dataframe[0].value
    assert list(table["Rule"]) == list(RULES)
    for name, worst in zip(table["Rule"], table["Worst cost"], strict=True):
        assert worst == RULES[name](edge).worst
    assert dict(zip(table["Rule"], table["Proved"], strict=True))["Exact"] == "optimal"


@pytest.mark.parametrize(("devices", "processors"), [(1, 1), (2, 400), (41, 40), (100, 1), (100, 400)])
@pytest.mark.parametrize("quarters", [False, True])
def test_every_size_and_every_rule(devices, processors, quarters):
    app = open_page(PAGE)
    app.slider(key="devices").set_value(devices)
    app.slider(key="processors").set_value(processors)
    app.toggle(key="quarters").set_value(quarters).run()
    assert calm(app)
    assert answer(app).startswith(f"{devices} device")
    sliced = devices > processors
    assert any("slices of time" in caption.value for caption in app.caption) == sliced
    for rule in RULES:
        app.button_group(key="edge_rule").set_value(rule).run()
        assert calm(app), rule


def test_a_small_edge_is_checked_by_trying_every_split():
    app = open_page(PAGE)
    app.slider(key="devices").set_value(4).run()
    app.toggle(key="try_all").set_value(True).run()
    assert calm(app)
    assert "as exact says" in shown(app.markdown[-1].value)


def test_costs_that_do_not_differ_are_shared_equally():
    app = open_page(PAGE)
    app.slider(key="fixed_cost").set_value((0.5, 0.5))
    app.slider(key="falling_cost").set_value((0.0, 0.0)).run()
    assert calm(app)
    assert answer(app).endswith("the worst-off pays 0.50 at best; as much as with an equal split.")


# A city


def open_city(**query):
    """The page with its second tab open, which AppTest cannot click: its key says which is."""
    app = open_page(PAGE, **query)
    app.session_state["collaborative"] = "A city"
    return app.run()


def test_the_city_says_what_the_policies_do():
    app = open_city()
    assert calm(app)
    city = draw_city(1)
    policies = cities.read_policies(ASSETS / "foci")
    ours = rollout(city, policies["FOCI 0.5"][0]).summary().latency
    alone = rollout(city, AllLocal()).summary().latency
    assert answer(app) == (
        f"Under FOCI (λ = 0.5) an image takes {1e3 * ours.mean:.0f} ms on average and {1e3 * ours.worst:.0f} ms on the "
        f"worst-off device; with everything on the device, {1e3 * alone.mean:.0f} and {1e3 * alone.worst:.0f} ms."
    )


def test_every_share_of_the_oracle_and_every_policy():
    app = open_city()
    shares = app.select_slider(key="share").options
    assert list(shares) == ["0", "0.25", "0.5", "1"]
    app.pills(key="city_policies").set_value(["NSG, load-aware", "Best response", "OFR", "COA"])
    for share in shares:
        app.select_slider(key="share").set_value(share).run()
        assert calm(app)
        assert f"(λ = {share})" in answer(app)
    app.pills(key="city_policies").set_value([]).run()
    assert calm(app)


def test_share_0_is_competitors_counts_alone():
    app = open_city(share=0)
    city = draw_city(1)
    (policy, *_) = cities.read_policies(ASSETS / "foci")["COA"]
    assert f"{1e3 * rollout(city, policy).summary().latency.worst:.0f} ms on the worst-off device" in answer(app)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("city_devices", 400, "400 devices (trained with 240 devices)"),
        ("city_processors", 8, "8 multiprocessors an edge"),
    ],
)
def test_a_world_that_nobody_was_trained_for_is_labelled_not_refused(key, value, said):
    app = open_city()
    assert not any("Outside what" in caption.value for caption in app.caption)
    app.slider(key=key).set_value(value).run()
    assert calm(app)
    assert any(said in shown(caption.value) for caption in app.caption)


def test_a_city_without_surges_has_its_own_evidence():
    app = open_city(surge="false")
    assert calm(app)
    assert any("without surges" in heading.value for heading in app.header)
    tried = cities.read(ASSETS / "foci" / "cities.csv")
    judged = cities.judge(tried, world="steady", share="0.5")
    true = sum(one.verdict is cities.Verdict.TRUE for one in judged)
    assert any(f"these cities bear out {true}," in text.value for text in app.markdown)


def test_the_map_goes_through_the_hour():
    app = open_city()
    said = [caption.value for caption in app.caption if "devices use an edge" in caption.value]
    app.slider(key="city_slot").set_value(239).run()
    assert calm(app)
    assert [caption.value for caption in app.caption if "devices use an edge" in caption.value] != said
    app.toggle(key="city_play").set_value(True).run()
    assert calm(app)
    assert app.slider(key="city_slot").value == 0  # after the last slot comes the first


def test_broken_weights_are_one_message(tmp_path, monkeypatch):
    (tmp_path / "coa-seed0.safetensors").write_bytes(b"nothing")
    monkeypatch.setattr(city_panel, "FOLDER", tmp_path)
    st.cache_resource.clear()
    app = open_city()
    st.cache_resource.clear()
    assert not app.exception
    (error,) = app.error
    assert "coa-seed0.safetensors cannot be used as weights" in shown(error.value)
