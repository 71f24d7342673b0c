"""The picture follows the control: after any control is moved, a page shows what a fresh load of its link shows.

What is compared is what is drawn and written in the browser (`picture`), not the data that were sent to it.
"""

import random
import re
import time

import picture
import pytest
from controls import IDLE
from playwright.sync_api import expect

STEPS = 4  # controls moved on each page
ALL = {"width": 1440, "height": 4000}  # a table is drawn only where it is in view
PATIENCE = 25  # seconds until two pages that differ are believed to
# The start of each walk: what a page shows with two resources, and what only another tab or a preset shows.
STARTS = {
    "": "setting=DL",
    "allocations": "setting=DL&agents=6",
    "utility_surfaces": "setting=DL",
    "fairness_tradeoff": "setting=DL",
    "what_if": "setting=DL",
    "paper": "figure=Fig.+2",
    "measured_curves": "",
    "prices_and_bids": "setting=DL",
    "collaborative_inference": "",
    "lessons": "step=Reveal",
}
# Controls that a link does not hold, by design: none of them is moved.
NOT_IN_A_LINK = {
    "reset": "starts over, and what was there is gone",
    "undo|run_back|bring_back": "go back in what this visitor did, which is the visit's own",
    "guess_.*|reply_.*|check|restart": "a learner's own prediction and reply",
    "teacher": "a link from it would hand out the answers",
    "bid_round|play_rounds|city_slot|city_play": "a film, that a link shows from where it always starts",
    "show_.*|variant|back": "a demonstration, and the way back to the visitor's own fleet",
    "send": "says beside it what it has just done",
    "projector": "larger type, for which Vega makes up to ten pixels more room on a fresh load",
    "search_on|stop|run|run_all|stop_run|experiments_.*|paper_seed": "compute for as long as they are let",
}
# Tabs that show what this visitor did, and files to take along.
NOT_OPENED = ("Every run", "Save and open")
# Controls on screen: their number on the page, what they are called, and how they are used.
FIND = """() => {
    const ways = {
        pick: '[data-testid=stButtonGroup] button', slide: '[data-testid=stSlider] input',
        switch: '[data-testid=stCheckbox] input', select: '[data-testid=stSelectbox] input',
        step: '[data-testid=stNumberInput] input', type: '[data-testid=stTextInput] input',
        press: '[data-testid=stButton] button', open: '[role=tab]', fold: '[data-testid=stExpander] summary',
        mark: '.st-key-frontier path[aria-label*="Rule:"], [class*="st-key-bars_"] path[aria-roledescription=bar]',
    };
    const found = [];
    for (const [way, selector] of Object.entries(ways))
        for (const box of document.querySelectorAll(`.stApp :is(${selector})`)) {
            const place = box.closest('[class*="st-key-"]');
            const key = [...place?.classList ?? []].find(name => name.startsWith('st-key-'))?.slice(7) ?? '';
            if (!box.checkVisibility() || box.disabled || !key) continue;
            box.dataset.found = found.length;
            const own = !box.closest('[data-testid=stSidebar]');
            found.push({way, key, own, name: box.ariaLabel ?? box.textContent});
        }
    return found;
}"""
TYPED = ["1", "agent 2", ""]


@pytest.mark.parametrize("path", STARTS)
def test_after_any_control_a_page_shows_what_a_fresh_load_of_its_link_shows(server, visitor, path):
    walk = random.Random(f"a walk on {path}")
    page, fresh = (visitor(link, viewport=ALL) for link in (f"{server}/{path}?{STARTS[path]}", server))
    did = []
    for _ in range(STEPS):
        did.append(moved(page, walk))
        assert_alike(page, fresh, did)


def test_an_order_of_agents_moves_bars_and_names_and_every_resource_alike(server, visitor):
    """What was seen: the bars stayed in the order of the first load, and each resource had an order of its own."""
    page, fresh = (visitor(server, viewport=ALL) for _ in range(2))
    for key, name in (("sort", "by need"), ("setting", "DL"), ("sort", "by name"), ("setting", "RTI")):
        page.locator(f".st-key-{key}").get_by_role("radio", name=name, exact=True).click()
        assert_alike(page, fresh, [f"{key}: {name}"])


def moved(page, walk):
    """One control of the page, moved; what was done, in words."""
    found = {}
    for at, box in enumerate(page.evaluate(FIND)):
        if not any(re.fullmatch(keys, box["key"]) for keys in NOT_IN_A_LINK) and box["name"] not in NOT_OPENED:
            found.setdefault((box["own"], box["key"]), []).append((at, box))
    # The sidebar is on every page, so that most of the moves are the page's own.
    own = [key for key in found if key[0]]
    at, box = walk.choice(found[walk.choice(own if own and walk.random() < 0.75 else list(found))])
    used(page, page.locator(f"[data-found='{at}']"), box["way"], walk)
    return f"{box['way']} {box['key']} {box['name']!r}"


def used(page, box, way, walk):
    """The control used as its kind is."""
    if way in ("slide", "step"):
        box.focus()
        for _ in range(walk.choice((1, 3))):
            page.keyboard.press(walk.choice(("ArrowUp", "ArrowDown")))
        if way == "step":
            page.keyboard.press("Enter")
    elif way == "select":
        box.click()
        page.get_by_role("option").nth(walk.randrange(page.get_by_role("option").count())).click()
    elif way == "type":
        box.fill(walk.choice(TYPED))
        page.keyboard.press("Enter")
    elif way == "switch":
        box.click(force=True)
    else:
        box.click()
    page.mouse.move(0, 0)  # nothing is hovered over
    page.wait_for_timeout(100)


def assert_alike(page, fresh, did):
    """The page shows what another browser shows that opens its address."""
    deadline, link = None, None
    while True:
        page.locator(IDLE).wait_for()
        if page.url != link:
            link = page.url
            fresh.goto(link)
        fresh.locator("h1").wait_for()
        fresh.locator(IDLE).wait_for()
        found = picture.differences(picture.read(page), picture.read(fresh))
        if not found and page.url == link:
            return
        deadline = deadline or time.monotonic() + PATIENCE  # once both are there
        assert time.monotonic() < deadline, "\n".join([f"{link} after", *did, *found])
        page.wait_for_timeout(100)


def test_another_file_of_measurements_is_another_picture(server, visitor, tmp_path):
    """Also where both are drawn alike, so that the browser changes nothing but the rows."""
    page = visitor(f"{server}/measured_curves")
    for name, rows, last in (
        ("first", "40,.1779\n250,.743\n1000,.8754", "1,000"),
        ("second", "1,.41\n3,.41\n7,.41", "7"),
    ):
        file = tmp_path / f"{name}.csv"
        file.write_text(f"labels,accuracy\n{rows}\n")
        page.get_by_text("Open your own").click()
        page.get_by_test_id("stFileUploader").locator("input").set_input_files(file)
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
        page.locator(IDLE).wait_for()
        page.keyboard.press("Escape")
        for chart in page.get_by_test_id("stVegaLiteChart").all()[:2]:
            expect(chart.locator("text", has_text=re.compile(f"^{last}$")).first).to_be_attached()
