"""All lessons in a browser, by keyboard: predicted, revealed, answered; on a projector; and taken along."""

import re

from controls import DESK, IDLE, choose
from playwright.sync_api import expect

from fairsynergy.lessons import LESSONS, Question


def test_every_lesson_is_finished_by_keyboard(server, visitor):
    page = visitor(f"{server}/lessons")
    for number, (name, make) in enumerate(LESSONS.items(), 1):
        lesson = make()
        expect(page.locator("h1")).to_have_text(lesson.title)
        enter(page, "next_step")
        if isinstance(lesson.prediction, Question):
            pick(page, f"guess_{number}", 0)
        else:
            page.locator(f".st-key-guess_{number} input").focus()
            page.keyboard.press("ArrowRight")
            expect(page.locator(f".st-key-guess_{number}")).to_contain_text(
                lesson.prediction.form % (lesson.prediction.start + lesson.prediction.step)
            )
        enter(page, "next_step")
        expect(page.get_by_text(re.compile("^You predicted "))).to_be_visible()
        page.locator(".st-key-course svg.marks").first.wait_for()
        if number == 2:
            page.locator(".st-key-lesson_drops input").focus()
            page.keyboard.press("End")
            level = page.locator('.st-key-course [role=graphics-document] text:text-is("level 0.36")')
            expect(level).to_be_visible()
        if number == 5:
            enter(page, "one_more")
            expect(page.locator(".st-key-lesson_passes")).to_contain_text("2")
        enter(page, "next_step")
        right = lesson.question.texts.index(lesson.question.answer.text)
        pick(page, f"reply_{number}", right)
        enter(page, "check")
        expect(page.get_by_test_id("stAlert")).to_contain_text("Right, at the first try.")
        enter(page, "next_step")
        link = page.get_by_role("link", name="Open this in Explore")
        assert link.get_attribute("href").startswith(f"{server}/?")
        if number < len(LESSONS):
            enter(page, "next_lesson")
    expect(page.get_by_text("All lessons are finished.")).to_be_visible()
    explored = visitor(link.get_attribute("href"))
    expect(explored.get_by_text("Fleet A in hundredths").first).to_be_visible()


def test_a_reload_keeps_the_lesson_the_step_and_the_projector_and_fits_the_wall(server, visitor):
    page = visitor(f"{server}/lessons?lesson=2+Water-filling&step=Reveal&lesson_drops=5&projector=true")
    for _ in range(2):
        expect(page.locator("h1")).to_have_text("Where does the water stop?")
        picture = page.locator(".st-key-course svg.marks")
        picture.wait_for()  # the first picture brings what draws along
        expect(page.get_by_test_id("stSidebar")).to_be_hidden()
        box = picture.bounding_box()
        assert box["y"] + box["height"] <= DESK["height"], "the picture is on the wall as a whole"
        page.reload()
    choose(page, "step", "Read")
    letters = page.locator(".st-key-course li").first.evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
    assert letters >= 22, "readable from the back row"


def enter(page, key):
    """Press the button with this key by the keyboard."""
    button = page.locator(f".st-key-{key} button")
    expect(button).to_be_enabled()
    button.focus()
    page.keyboard.press("Enter")


def pick(page, key, place):
    """Choose one of several replies by the keyboard: the first by the space bar, others by the arrows."""
    replies = page.locator(f".st-key-{key} input")
    replies.first.focus()
    page.keyboard.press("Space")
    expect(replies.first).to_be_checked()
    for _ in range(place):
        page.locator(IDLE).wait_for()
        page.keyboard.press("ArrowDown")
    expect(replies.nth(place)).to_be_checked()


def test_neither_copy_link_nor_the_address_bar_hands_the_class_the_answers(server, visitor):
    page = visitor(f"{server}/lessons")
    page.get_by_text("Teacher's view").click()
    expect(page.get_by_text("For the teacher")).to_be_visible()
    choose(page, "step", "Predict")
    page.locator(IDLE).wait_for()
    expect(page.get_by_text("For the teacher")).to_be_visible()
    page.get_by_role("button", name="Copy link").click()
    link = page.get_by_test_id("stPopoverBody").get_by_test_id("stCode").inner_text().strip()
    for address in (link, page.url, f"{server}/lessons?teacher=true"):
        student = visitor(address)
        expect(student.get_by_text("Teacher's view")).to_be_visible()
        expect(student.get_by_text("For the teacher")).to_have_count(0)
        assert "teacher" not in student.url
