"""For everybody: axe on every page in both themes, without a mouse, without sight, enlarged, and without motion."""

import re

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from controls import DESK, IDLE, PHONE, answer, chart
from dashboard import PAGES
from playwright.sync_api import expect

GRAVE = ("serious", "critical")
# Headings that leave out a level are only "moderate" to axe, and lose whoever goes from heading to heading.
ALSO = ("heading-order", "page-has-heading-one")
# Rules whose answer depends on the theme; the others are asked in one of them.
OF_THE_THEME = ["color-contrast", "link-in-text-block"]
SMALL = 4.5  # contrast that small text needs [WCAG 2.2, 1.4.3]
# At twice the size a screen of 1440 x 900 holds a quarter as much [WCAG 2.2, 1.4.4].
ENLARGED = {"width": 720, "height": 450}
MOST_TABS = 60  # presses of Tab that a control may be away
PATIENCE = 30_000  # until what is still loading counts as broken [milliseconds]

# What axe leaves out: text inside charts, against the page behind them.
FAINT_TEXT = """least => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgb = (...colours) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = colour => {
    const [r, g, b] = colour.map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = getComputedStyle(document.querySelector('.stApp')).backgroundColor;
  const ground = luminance(rgb(paper));
  return [...document.querySelectorAll('svg.marks text')].flatMap(text => {
    const style = getComputedStyle(text);
    let opacity = style.fillOpacity * 1;
    for (let node = text; node; node = node.parentElement) opacity *= getComputedStyle(node).opacity;
    if (opacity < 0.05 || !text.textContent.trim() || !text.getClientRects().length) return [];
    canvas.globalAlpha = 1;
    const behind = rgb(paper), over = rgb(paper, style.fill);
    const ink = luminance(over.map((c, i) => behind[i] + (c - behind[i]) * opacity));
    const contrast = (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
    return contrast < least ? [`${text.textContent}: ${contrast.toFixed(2)} (${style.fill})`] : [];
  });
}"""
# A picture without a name, or with one that says nothing.
NAMELESS = """() => [...document.querySelectorAll('[data-testid=stVegaLiteChart], .plot3d-scene, main img')]
  .filter(picture => picture.getClientRects().length)
  .map(picture => picture.querySelector('[role=graphics-document]') ?? picture)
  .filter(named => (named.getAttribute('aria-label') ?? named.getAttribute('alt') ?? '').trim().length < 15)
  .map(named => named.outerHTML.slice(0, 200))"""
SIDEWAYS = """() => [...document.querySelectorAll('html, body, [data-testid=stMain]')]
  .filter(box => box.scrollWidth > box.clientWidth + 1).map(box => `${box.tagName} ${box.className}`)"""
# Controls that cannot be brought into view, or that something lies upon when they are.
OUT_OF_REACH = """() => [...document.querySelectorAll('main button, main input, main summary')]
  .filter(control => control.getClientRects().length && !control.disabled && control.type !== 'file')
  .filter(control => {
    control.scrollIntoView({ block: 'center' });
    const { left, right, top, bottom } = (control.closest('label, .stSlider') ?? control).getBoundingClientRect();
    const upon = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    const own = control.closest('label, .stElementContainer') ?? control;
    return left < -1 || right > innerWidth + 1 || !upon || !own.contains(upon);
  }).map(control => control.outerHTML.slice(0, 200))"""


@pytest.mark.parametrize("name", PAGES)
def test_a_page_and_all_that_it_unfolds_is_for_everybody(server, visitor, name):
    page = visitor(address(server, name))
    problems, schemes = [], ["light", "dark"]
    for state, where in opened(page):
        for scheme, rules in zip(schemes, (None, OF_THE_THEME), strict=True):
            wear(page, scheme)
            found = [*violations(page, where, rules), *page.evaluate(FAINT_TEXT, SMALL)]
            problems += [f"{state}, {scheme}: {problem}" for problem in found]
        schemes.reverse()  # what is opened next is first seen in the theme now worn
        problems += [f"{state}, no text alternative: {picture}" for picture in page.evaluate(NAMELESS)]
        page.mouse.move(0, 0)  # what it points at unfolds a toolbar, over what is above
        for size in (ENLARGED, PHONE):
            page.set_viewport_size(size)
            settled(page)
            problems += [f"{state}, {size['width']} px wide, sideways: {box}" for box in page.evaluate(SIDEWAYS)]
            problems += [f"{state}, {size['width']} px wide, covered: {what}" for what in page.evaluate(OUT_OF_REACH)]
        page.set_viewport_size(DESK)
        settled(page)
    pictures = page.locator("[data-testid=stVegaLiteChart], .plot3d-scene").count()
    tables = page.locator("[data-testid=stExpander] summary", has_text="Numbers:").count()
    problems += ["pictures without a table"] if pictures and not tables else []
    assert not problems, "\n".join(problems)


def test_an_error_is_announced_and_as_legible_as_the_rest(server, visitor):
    page = visitor(f"{server}/?agents=9999")
    error = page.get_by_test_id("stAlert")
    expect(error.get_by_role("alert").or_(error.locator("xpath=self::*[@role='alert']")).first).to_be_visible()
    found = violations(page, "[data-testid=stAlert]")
    wear(page, "dark")
    assert found + violations(page, "[data-testid=stAlert]") == []


def test_explore_works_without_a_mouse(server, visitor):
    page = visitor(server, reduced_motion="reduce", accept_downloads=True)
    sentence = answer(page)
    tab_to(page, ".st-key-agents input")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("11 agents drawn by lot")).to_be_visible()
    expect(page.locator("h1")).not_to_have_text(sentence)
    tab_to(page, ".st-key-rule [role=radio]")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("rule="))
    tab_to(page, "[data-testid=stExpander] summary")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    tab_to(page, "[data-testid=stDownloadButton] button")
    with page.expect_download() as taken:
        page.keyboard.press("Enter")
    assert taken.value.suggested_filename == "the-rules.csv"


def test_what_if_works_without_a_mouse(server, visitor):
    page = visitor(f"{server}/what_if", reduced_motion="reduce")
    tab_to(page, ".st-key-edited_agent input")
    tab_to(page, ".st-key-lock button")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("“variant 1”")
    expect(chart(page, "Worst-off, mean and best-off").get_by_text("variant 1", exact=True)).to_be_visible()
    expect(page.get_by_text(re.compile("floor of compute: 0 → "))).to_be_visible()


def test_nothing_of_ours_moves_where_motion_is_unwelcome(server, visitor):
    page = visitor(address(server, "utility_surfaces"), reduced_motion="reduce")
    drawn(page)
    slow = page.evaluate(
        """() => [...document.querySelectorAll('.stApp *')].filter(node => {
            const style = getComputedStyle(node);
            const longest = times => Math.max(...times.split(',').map(parseFloat));
            return longest(style.transitionDuration) > 0.01
                || (style.animationName !== 'none' && longest(style.animationDuration) > 0.01);
        }).map(node => node.outerHTML.slice(0, 120))"""
    )
    assert slow == []


def address(server, name):
    return f"{server}/{'' if name == 'explore' else name}?setting=DL"


def opened(page):
    """What a visitor opens on a page, one after the other: (what, the selector of where it is)."""
    drawn(page)
    yield "as it opens", "body"
    folds = page.get_by_test_id("stMain").locator("summary")
    for fold in folds.all():
        fold.click()
        settled(page)
    if folds.count():
        yield "unfolded", "[data-testid=stExpander]"
    for tab in page.get_by_role("tab").all():
        if tab.get_attribute("aria-selected") == "false":
            tab.click()
            expect(tab).to_have_attribute("aria-selected", "true")
            settled(page)
            yield tab.inner_text(), "[role=tabpanel]"


def settled(page):
    """Wait until the server has heard of what was just done, and has answered."""
    page.wait_for_timeout(100)
    page.locator(IDLE).wait_for()
    drawn(page)


def drawn(page):
    """Wait until placeholders have given way to what they stand for."""
    expect(page.locator("[data-testid=stSkeleton]:visible")).to_have_count(0, timeout=PATIENCE)
    page.wait_for_timeout(100)


def wear(page, scheme):
    """Switch the theme, and wait until page and charts have it."""
    ground = "getComputedStyle(document.querySelector('.stApp')).backgroundColor"
    before, wears = page.evaluate(
        f"scheme => [{ground}, matchMedia(`(prefers-color-scheme: ${{scheme}})`).matches]", scheme
    )
    if not wears:
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(f"before => {ground} !== before", arg=before)
        page.wait_for_timeout(150)


def violations(page, where, rules=None):
    """What axe finds there, as words."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    options = {"resultTypes": ["violations"]} | ({"runOnly": rules} if rules else {})
    context = {"include": [where], "exclude": ["svg.marks > *"]}  # of a chart's hundred marks FAINT_TEXT reads the text
    found = page.evaluate("([context, options]) => axe.run(context, options)", [context, options])
    return [
        f"{rule['id']}: {node['html'][:160]}: {node['failureSummary']}"
        for rule in found["violations"]
        if rule["impact"] in GRAVE or rule["id"] in ALSO
        for node in rule["nodes"]
    ]


def tab_to(page, selector):
    """Press Tab until the control has the focus, and shows it."""
    page.locator(selector).first.wait_for()
    drawn(page)
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            break
    else:
        raise AssertionError(f"{MOST_TABS} presses of Tab do not lead to {selector}")
    settled(page)
    held = page.locator(":focus")
    box = held.evaluate(
        """held => {
            const whole = held.closest('label, button, summary, .stSlider, .stSelectbox, [role=radio]') ?? held;
            return whole.getBoundingClientRect().toJSON();
        }"""
    )
    clip = {"x": box["x"] - 8, "y": box["y"] - 8, "width": box["width"] + 16, "height": box["height"] + 16}
    seen = page.screenshot(clip=clip)
    element = held.element_handle()
    element.evaluate("held => held.blur()")
    assert page.screenshot(clip=clip) != seen, f"{selector} does not show that it has the focus"
    element.evaluate("held => held.focus({ preventScroll: true })")
