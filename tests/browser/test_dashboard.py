"""A visitor with a browser: moves a slider, sees the charts answer, shares a link, goes from page to page."""

import re
from urllib.parse import urlsplit

import pytest
from controls import DESK, IDLE, PHONE, answer, chart, choose, press
from playwright.sync_api import expect

PAGES = {
    "Explore": "",
    "Allocations": "allocations",
    "Utility surfaces": "utility_surfaces",
    "Fairness trade-off": "fairness_tradeoff",
    "What-if": "what_if",
    "Paper": "paper",
    "Measured curves": "measured_curves",
    "Prices and bids": "prices_and_bids",
    "Collaborative inference": "collaborative_inference",
    "Lessons": "lessons",
}
RULES, MAP, BARS = "Worst-off, mean and best-off", "Mean against worst-off", "Compute of"


def test_a_slider_moved_by_keyboard_changes_the_sentence_and_the_charts(server, visitor):
    page = visitor(server)
    sentence = answer(page)
    pictures = [chart(page, name).locator("svg") for name in (RULES, MAP, BARS)]
    before = [picture.inner_html() for picture in pictures]
    press(page, "agents", "ArrowRight", "ArrowRight", "ArrowRight")
    expect(page.get_by_text("13 agents drawn by lot")).to_be_visible()
    expect(page.locator("h1")).not_to_have_text(sentence)
    expect(page).to_have_url(re.compile("agents=13"))
    expect(chart(page, BARS).get_by_text("agent 13", exact=True)).to_be_visible()
    for picture, old in zip(pictures, before, strict=True):
        page.wait_for_function("([svg, old]) => svg.innerHTML !== old", arg=[picture.element_handle(), old])


def test_a_shared_link_shows_the_same(server, visitor):
    page = visitor(server)
    choose(page, "setting", "DL")
    expect(page.get_by_text("5.00 labels")).to_be_visible()
    press(page, "agents", "ArrowLeft", "ArrowLeft")
    expect(page.get_by_text("8 agents drawn by lot")).to_be_visible()
    press(page, "capacity_labels", "ArrowRight")
    choose(page, "rule", "Leximin")
    expect(page).to_have_url(re.compile(r"agents=8.*rule=Leximin|rule=Leximin.*agents=8"))
    expect(page.locator("h1")).to_contain_text("Leximin lifts")
    page.get_by_role("button", name="Copy link").click()
    link = page.get_by_test_id("stCode").inner_text().strip()
    for address in (link, page.url):
        other = visitor(address)
        expect(other.locator("h1")).to_have_text(answer(page))
        expect(other.get_by_text("8 agents drawn by lot")).to_be_visible()
        expect(other.locator(".st-key-rule").get_by_role("radio", name="Leximin")).to_be_checked()


def test_rule_and_fleet_follow_from_page_to_page_and_back(server, visitor):
    page = visitor(server)
    press(page, "agents", "ArrowLeft")
    choose(page, "rule", "NUM")
    expect(page.locator("h1")).to_contain_text("NUM lifts")
    there = answer(page)
    for name, path in PAGES.items():
        page.get_by_role("link", name=name, exact=True).click()
        expect(page).to_have_url(re.compile(rf"/{path}\?"))
        # A lesson has fleets and rules of its own; the choice made elsewhere is kept, out of sight.
        rule, shown = page.locator(".st-key-rule"), name != "Lessons"
        expect(rule).to_be_visible(visible=shown)
        expect(rule.get_by_role("radio", name="NUM", include_hidden=True)).to_be_checked()
        expect(page.get_by_text("9 agents drawn by lot")).to_be_visible(visible=shown)
        expect(page).to_have_url(re.compile("agents=9"))
        expect(page).to_have_url(re.compile("rule=NUM"))
    while not page.url.startswith(f"{server}/?"):
        here = answer(page)
        page.go_back()
        expect(page.locator("h1")).not_to_have_text(here)  # a visitor looks before going further back
    expect(page.locator("h1")).to_have_text(there)
    expect(page.get_by_text("9 agents drawn by lot")).to_be_visible()


def test_reload_keeps_the_state(server, visitor):
    page = visitor(f"{server}/?agents=3&rule=DRF")
    sentence = answer(page)
    page.reload()
    expect(page.locator("h1")).to_have_text(sentence)
    expect(page.get_by_text("3 agents drawn by lot")).to_be_visible()


# One page of each kind: the first, one with the fleet, one of many tabs, one that the fleet plays no part on.
@pytest.mark.parametrize("path", ["", "fairness_tradeoff", "what_if", "lessons"])
def test_the_first_visit_ever_may_be_to_any_page(fresh_server, visitor, path):
    page = visitor(f"{fresh_server}/{path}?agents=5")
    for name in PAGES:
        expect(page.get_by_role("link", name=name, exact=True)).to_be_visible()
    fleet = page.get_by_text("5 agents drawn by lot")
    expect(fleet).to_be_attached()
    expect(fleet).to_be_visible(visible=path != "lessons")
    expect(page.get_by_test_id("stException")).to_have_count(0)
    again = visitor(f"{fresh_server}/{path}?agents=5")
    expect(again.locator("h1")).to_have_text(answer(page))


def test_a_server_that_was_gone_finds_its_visitor_as_left(browser, serve, tmp_path):
    page = browser.new_context(viewport=DESK).new_page()  # not a visitor's: it may complain that nobody answers
    with serve(tmp_path / "first.txt") as address:
        page.goto(f"{address}/?agents=7")
        page.locator(IDLE).wait_for()
        before = answer(page)
        press(page, "capacity_compute", "ArrowRight")
        expect(page.locator("h1")).not_to_have_text(before)
        sentence = answer(page)
    gone = page.get_by_role("dialog", name="Connection error")
    expect(gone).to_be_visible()
    expect(page.locator("h1")).to_have_text(sentence)
    with serve(tmp_path / "second.txt", port=urlsplit(address).port):
        page.locator(IDLE).wait_for()
        expect(gone).to_have_count(0)
        expect(page.locator("h1")).to_have_text(sentence)
        press(page, "agents", "ArrowRight")
        expect(page.get_by_text("8 agents drawn by lot")).to_be_visible()
    page.context.close()


@pytest.mark.parametrize("setting", ["RTI", "DL"])
def test_the_answer_and_its_evidence_fit_the_first_screen(server, visitor, setting):
    page = visitor(f"{server}/?setting={setting}")
    tops = []
    for evidence in (page.locator("h1"), chart(page, RULES), chart(page, MAP)):
        box = evidence.bounding_box()
        tops.append(box["y"])
        assert box["y"] + box["height"] <= DESK["height"]
    assert tops == sorted(tops)
    bars = chart(page, BARS).bounding_box()
    assert bars["y"] + 0.6 * bars["height"] <= DESK["height"]


def test_a_bad_file_is_one_message_and_the_charts_stay(server, visitor):
    page = visitor(server)
    sentence = answer(page)
    shown = chart(page, RULES).locator("svg").inner_html()
    page.get_by_role("button", name="Open or save a file").click()
    upload = page.locator("input[type=file]")
    upload.set_input_files({"name": "bad.csv", "mimeType": "text/csv", "buffer": b"compute,gamma_compute\n0.1,7\n"})
    expect(page.get_by_test_id("stAlert")).to_have_count(1)
    expect(page.get_by_test_id("stAlert")).to_contain_text("bad.csv, row 2, column gamma_compute")
    expect(page.locator("h1")).to_have_text(sentence)
    assert chart(page, RULES).locator("svg").inner_html() == shown
    upload.set_input_files({"name": "good.csv", "mimeType": "text/csv", "buffer": b"compute,gamma_compute\n0.1,.7\n"})
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
    expect(page.get_by_text("good.csv: 1 agent")).to_be_visible()


def test_a_hostile_link_is_one_message_and_a_working_page(server, visitor):
    page = visitor(f"{server}/?agents=9999&rule=%3Cscript%3Ealert(1)%3C/script%3E&gamma_compute=.9&gamma_compute=.1")
    expect(page.get_by_test_id("stAlert")).to_have_count(1)
    expect(page.get_by_test_id("stAlert")).to_contain_text("agents = 9999")
    expect(chart(page, RULES)).to_be_visible()
    press(page, "agents", "ArrowRight")
    press(page, "gamma_compute", "ArrowLeft")
    page.get_by_role("button", name="Reset", exact=True).click()
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
    expect(page).to_have_url(f"{server}/")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_in_charts_is_readable_in_both_themes(server, visitor, scheme):
    page = visitor(server, color_scheme=scheme)
    chart(page, RULES).locator("svg").wait_for()
    ink = page.evaluate(
        """() => {
            const text = [...document.querySelectorAll('svg text')].find(e => e.textContent === 'Leximin');
            return [getComputedStyle(text).fill, getComputedStyle(document.querySelector('.stApp')).backgroundColor];
        }"""
    )
    assert contrast(*ink) >= 4.5


def test_a_click_on_a_rules_point_chooses_that_rule_here_and_on_explore(server, visitor):
    page = visitor(f"{server}/fairness_tradeoff?setting=DL&agents=30")
    under_the_lens = page.locator(".st-key-rule")
    for name in ("NUM", "Equal-income market"):
        point(page, name).click(force=True)
        expect(under_the_lens.get_by_role("radio", name=name, exact=True)).to_be_checked()
        expect(page.get_by_text(re.compile(f"^{name} gives up"))).to_be_visible()
    choose(page, "rule", "DRF")
    expect(page).to_have_url(re.compile("rule=DRF"))
    point(page, "Equal-income market").click(force=True)  # the point clicked last, once more
    expect(page).to_have_url(re.compile(r"rule=Equal-income\+market|rule=Equal-income%20market"))
    page.get_by_role("link", name="Explore", exact=True).click()
    expect(page.locator("h1")).to_contain_text("Equal-income market lifts")
    expect(under_the_lens.get_by_role("radio", name="Equal-income market")).to_be_checked()
    expect(chart(page, RULES).get_by_text("Equal-income market", exact=True)).to_be_visible()
    page.reload()
    expect(page.locator("h1")).to_contain_text("Equal-income market lifts")


def test_a_search_that_is_stopped_keeps_what_it_proved(server, visitor):
    hard = "setting=DL&gamma_compute=0.8&gamma_compute=0.99&gamma_labels=0.8&gamma_labels=0.99"
    page = visitor(f"{server}/fairness_tradeoff?{hard}")
    said = page.get_by_text("Not closed yet").first
    before = (proved(said), boxes(page))
    page.get_by_role("button", name="Search on").click()
    stop = page.get_by_role("button", name="Stop", exact=True)
    expect(stop).to_be_visible()
    page.wait_for_function(
        "least => Number(/([0-9,]+) boxes of/.exec(document.body.innerText)?.[1].replace(',', '')) > least",
        arg=before[1] + 60,
    )
    stop.click()
    expect(page.get_by_role("button", name="Search on")).to_be_visible()
    expect(stop).to_have_count(0)
    after = (proved(said), boxes(page))
    assert after[1] > before[1]
    assert after[0] < before[0], "the bound proved until the click is said"
    press(page, "seed", "ArrowUp")
    expect(page.get_by_text("(fleet 1)")).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)


def point(page, rule):
    """The place on the frontier where this rule can be clicked."""
    frontier = page.locator('[aria-label^="Mean accuracy against how"]')
    return frontier.locator(f'svg path[aria-label*="Rule: {rule};"]')


def proved(sentence):
    """The bound that a sentence says is proved."""
    return float(re.search(r"above ([0-9.]+[0-9])", sentence.inner_text()).group(1))


def boxes(page):
    """How many boxes of divisions the page says were bounded."""
    said = page.get_by_text(re.compile("boxes of divisions bounded in")).first.inner_text()
    return int(said.split()[0].replace(",", ""))


def contrast(one, other):
    """WCAG 2 contrast ratio of two CSS colours rgb(r, g, b)."""

    def luminance(colour):
        channels = [int(value) / 255 for value in re.findall(r"\d+", colour)[:3]]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_dial_between_own_and_common_cost_is_moved_by_keyboard_while_the_city_lives(server, visitor):
    page = visitor(f"{server}/collaborative_inference?surge=true")
    page.get_by_role("tab", name="A city").click()
    expect(page.locator("h1")).to_contain_text("Under FOCI (λ = 0.5) an image takes")
    bars = chart(page, "Latency").locator("svg").first
    before = (answer(page), bars.inner_html())
    press(page, "share", "ArrowRight")
    expect(page.locator("h1")).to_contain_text("Under FOCI (λ = 1) an image takes")
    expect(page).to_have_url(re.compile("share=1"))
    page.wait_for_function("([svg, old]) => svg.innerHTML !== old", arg=[bars.element_handle(), before[1]])
    press(page, "share", "ArrowLeft")
    expect(page.locator("h1")).to_have_text(before[0])
    press(page, "share", "ArrowRight")
    expect(page.locator("h1")).to_contain_text("(λ = 1)")
    page.get_by_role("button", name="Copy link").click()
    other = visitor(page.get_by_test_id("stCode").inner_text().strip())
    expect(other.locator("h1")).to_have_text(answer(page))


def test_a_long_experiment_shows_its_progress_and_stops_at_a_click(server, visitor):
    page = visitor(f"{server}/paper")
    expect(page.locator("h1")).to_contain_text("Fig. 5, on 10 of its 100 experiments: of 12 claims")
    page.get_by_role("button", name="Run all 100").click()
    expect(page.get_by_text(re.compile(r"\d+ of \d+ parts, .* to go"))).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Run it now")).to_be_visible()
    expect(page.locator("h1")).to_contain_text("Not run yet")


def test_figures_of_the_paper_scroll_on_a_phone_and_the_page_does_not(server, visitor):
    page = visitor(f"{server}/paper?figure=Fig.+2", viewport=PHONE)
    expect(page.locator(".st-key-figures svg.marks")).to_be_visible()
    assert page.evaluate("document.querySelector('.stMain').scrollWidth") <= PHONE["width"]


def test_a_link_to_an_opened_fleet_shows_that_fleet_elsewhere_and_after_a_reload(server, visitor):
    page = visitor(server)
    page.get_by_role("button", name="Open or save a file").click()
    rows = "".join(f"robot {i},{i / 100:.2f},0.{i % 8 + 1}\n" for i in range(60))
    table = f"agent,compute,gamma_compute\n{rows}".encode()
    page.locator(".st-key-file input[type=file]").set_input_files(
        {"name": "robots.csv", "mimeType": "text/csv", "buffer": table}
    )
    expect(page.get_by_text(re.compile(r"robots\.csv: 60 agents"))).to_be_visible()
    page.keyboard.press("Escape")
    sentence = answer(page)
    page.get_by_role("button", name="Copy link").click()
    link = page.get_by_test_id("stCode").inner_text().strip()
    assert len(link) < 2000
    page.wait_for_url(re.compile("table="))  # the address bar says the same
    for address in (link, page.url):
        other = visitor(address)
        expect(other.get_by_text(re.compile(r"robots\.csv: 60 agents"))).to_be_visible()
        expect(other.locator("h1")).to_have_text(sentence)
    other.reload()
    expect(other.get_by_text(re.compile(r"robots\.csv: 60 agents"))).to_be_visible()
    expect(other.locator("h1")).to_have_text(sentence)
