"""One edge shared live: what the page says is what the library finds."""

import pytest
from dashboard import answer, calm, open_page, shown

from fairsynergy.collaborative import RULES, bisection, draw_edge, equal_split
from fairsynergy.wording import number, percent

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
