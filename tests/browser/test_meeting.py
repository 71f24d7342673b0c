"""A whole meeting: upload, edit, lock, compare, share the link, take the report home and open it again."""

import json
import re

from controls import answer, chart, choose
from playwright.sync_api import expect

import fairsynergy as fs
from fairsynergy.charts.reports.handout import open_tray
from fairsynergy.fleets import read_fleet
from fairsynergy.fleets.tray import from_link, read_tray

TABLE = """\
agent,compute,gamma_compute,labels,gamma_labels
drone,0.10,0.5,0.05,0.4
truck,0.20,0.3,0.10,0.6
=cmd|' /C calc'!A0,0.05,0.7,0.20,0.2
robot,0.30,0.4,0.02,0.5
"""
FLEET = {"name": "fleet.csv", "mimeType": "text/csv", "buffer": TABLE.encode()}
SCENARIOS = "Worst-off, mean and best-off accuracy of each scenario"
ROW, OWN_COMPUTE = 35, 5  # of the table of agents: the height of a row [pixels], which column


def test_a_meeting_from_upload_to_the_report_opened_again(server, visitor, tmp_path):
    page = visitor(f"{server}/what_if")

    # Their own fleet.
    page.get_by_role("button", name="Open or save a file").click()
    page.locator(".st-key-file input[type=file]").set_input_files(FLEET)
    expect(page.get_by_text("fleet.csv: 4 agents")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("h1")).to_contain_text("“as it is”")
    tabled = page.get_by_test_id("stDataFrame").first
    expect(tabled).to_be_visible()
    before = answer(page)

    # Edit a cell: the truck owns 0.5 instead of 0.2.
    type_into(page, tabled, row=2, column=OWN_COMPUTE, text="0.5")
    expect(page.locator("h1")).to_contain_text("“variant 1”")
    expect(page.get_by_text("truck: own compute: 0.20 → 0.50")).to_be_visible()

    # Lock the drone by its bar, so that the others share the rest.
    page.locator('[aria-label^="compute that each agent owns"] path[aria-label*="drone"]').last.click(force=True)
    expect(page.get_by_text(re.compile("^drone owns 0.10 compute"))).to_be_visible()
    page.get_by_role("button", name="Lock its grant").click()
    expect(page.get_by_text(re.compile("drone: floor of compute: 0 → "))).to_be_visible()
    expect(page).to_have_url(re.compile("tray="))

    # Compare: the same under another rule, side by side.
    page.get_by_role("button", name="Duplicate").click()
    expect(page.locator("h1")).to_contain_text("“variant 2”")
    copied = answer(page)
    choose(page, "rule", "Leximin")
    expect(page.locator("h1")).not_to_have_text(copied)
    expect(chart(page, SCENARIOS).get_by_text("variant 2", exact=True)).to_be_visible()
    expect(page.get_by_text("rule: Fair-Synergy → Leximin")).to_be_visible()
    sentence = answer(page)
    assert sentence != before

    # A slip is undone; a reload loses nothing.
    page.get_by_role("button", name="Delete").click()
    expect(page.locator("h1")).to_contain_text("“variant 1”")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("h1")).to_have_text(sentence)
    page.reload()
    expect(page.locator("h1")).to_have_text(sentence)

    # Somebody else opens the link.
    letters = re.search("tray=([^&]*)", page.url).group(1)
    other = visitor(page.url)
    expect(other.locator("h1")).to_have_text(sentence)
    expect(other.locator(".st-key-rule").get_by_role("radio", name="Leximin")).to_be_checked()

    # The report and the file go home, and say what the page said.
    other.get_by_role("tab", name="Save and open").click()
    report = taken(other, "Report (HTML, one page)", tmp_path)
    scenarios = taken(other, "All scenarios (JSON)", tmp_path)
    tray = read_tray(scenarios.read_bytes())
    assert tray == open_tray(report.read_bytes()) == from_link(letters)
    assert tray["variant 1"].problem.floor[0, 0] == tray["variant 1"].problem.ceiling[0, 0] > 0
    assert tray["as it is"].problem == read_fleet(
        TABLE.encode(), capacity={"compute": 2.0, "labels": 2.0}, saturation=1.0
    )
    leximin = fs.allocate(tray.current.problem, fs.Leximin())
    assert f"mean accuracy {leximin.mean:.2f}" in sentence
    assert f"stands at {leximin.worst:.2f}" in sentence

    # Opened again by a third, who has nothing else.
    third = visitor(f"{server}/what_if?studio=Save+and+open")
    third.get_by_role("tab", name="Save and open").click()
    upload = third.locator(".st-key-tray_file input[type=file]")
    upload.set_input_files(report)
    expect(third.locator("h1")).to_have_text(sentence)
    foreign = {"name": "other.json", "mimeType": "application/json", "buffer": json.dumps({"version": 9}).encode()}
    upload.set_input_files(foreign)
    expect(third.get_by_test_id("stAlert")).to_have_count(1)
    expect(third.get_by_test_id("stAlert")).to_contain_text("other.json is not a tray of scenarios")
    expect(third.locator("h1")).to_have_text(sentence)


def test_a_file_too_large_is_one_message_and_the_page_stays(server, visitor, tmp_path):
    page = visitor(f"{server}/what_if")
    sentence = answer(page)
    page.get_by_role("tab", name="Save and open").click()
    large = tmp_path / "large.json"
    large.write_bytes(b" " * 50_000_000)
    page.locator(".st-key-tray_file input[type=file]").set_input_files(large)
    expect(page.get_by_text(re.compile("must be .*20.*MB or smaller", re.IGNORECASE))).to_be_visible()
    expect(page.locator("h1")).to_have_text(sentence)


def type_into(page, table, *, row, column, text):
    """Type into a cell of a table, found from its first one by the arrow keys."""
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    page.mouse.click(box["x"] + 20, box["y"] + 1.5 * ROW)
    for key in ["ArrowDown"] * (row - 1) + ["ArrowRight"] * (column - 1):
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    cell = page.locator("#portal input, #portal textarea")
    cell.wait_for()
    cell.fill(text)
    page.keyboard.press("Enter")


def taken(page, name, folder):
    """What a download button gives, as a file."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name=name).click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path
