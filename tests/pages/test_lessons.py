"""Every lesson walked through: predict, reveal, answer wrong and right, and take its fleet along."""

import re
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from dashboard import answer, calm, open_page, shown

import fairsynergy as fs
from fairsynergy.charts import lessons as charts
from fairsynergy.fleets import PRESETS
from fairsynergy.lessons import LESSONS, STEPS, Question, dial, search, water
from fairsynergy.ui import frame
from fairsynergy.words.phrases import headline

READ, PREDICT, REVEAL, QUESTION, EXPLORE = STEPS
every_lesson = pytest.mark.parametrize("name", LESSONS)


def open_lesson(name, step=READ, **query):
    return open_page("lessons", lesson=name, step=step, **query)


def press(app, key):
    return app.button(key=key).click().run()


def said(app):
    return [shown(text.value) for text in app.markdown]


def link(app):
    (button,) = app.get("link_button")
    return button.proto.url


def predict(app, name):
    """Make a prediction that is wrong; what it was."""
    number, asked = name.split()[0], LESSONS[name]().prediction
    if isinstance(asked, Question):
        wrong = next(choice.text for choice in asked.choices if not choice.right)
        app.radio(key=f"guess_{number}").set_value(wrong).run()
        return wrong
    wrong = asked.high if asked.truth < (asked.low + asked.high) / 2 else asked.low
    if wrong == asked.start:
        press(app, "stay")  # the slider stands there, and who means it says so
    else:
        app.slider(key=f"guess_{number}").set_value(wrong).run()
    return wrong


@every_lesson
def test_a_lesson_from_beginning_to_end(name):
    number, lesson = name.split()[0], LESSONS[name]()
    app = open_lesson(name)
    assert calm(app)
    assert answer(app) == lesson.title
    assert said(app)[: len(lesson.introduction)] == list(lesson.introduction)

    press(app, "next_step")
    made = predict(app, name)
    press(app, "next_step")
    assert calm(app)
    assert f"**{lesson.prediction.compared(made)}**" in said(app)
    assert shown(lesson.why) in said(app)
    assert app.get("vega_lite_chart")

    press(app, "next_step")
    assert app.button(key="check").disabled
    wrong = [choice for choice in lesson.question.choices if not choice.right]
    for choice in wrong:
        app.radio(key=f"reply_{number}").set_value(choice.text).run()
        assert not app.warning, "nothing is said before it is asked"
        press(app, "check")
        assert shown(app.warning[0].value) == f"**Not so.** {choice.reason} Try another one."
    app.radio(key=f"reply_{number}").set_value(lesson.question.answer.text).run()
    press(app, "check")
    count = ("first", "second", "third", "fourth")[len(wrong)]
    assert shown(app.success[0].value) == f"**Right, at the {count} try.** {lesson.question.answer.reason}"
    assert f":material/check: Finished: {number}." in [caption.value for caption in app.caption]

    press(app, "next_step")
    assert calm(app)
    assert f"**{lesson.takeaway}**" in said(app)
    assert app.button(key="next_step").disabled

    query = {}
    for key, value in parse_qsl(urlsplit(link(app)).query):
        query[key] = (*query[key], value) if key in query else (value,)
    explored = open_page(**{key: value if len(value) > 1 else value[0] for key, value in query.items()})
    assert calm(explored)
    solved = {rule: fs.allocate(lesson.problem, policy) for rule, policy in fs.RULES.items()}
    shown_rules = {rule: solved[rule] for rule in (*fs.POLICIES, lesson.rule)}
    assert answer(explored) == headline(shown_rules, lesson.rule)


def test_predictions_and_replies_stay_when_going_back_to_other_lessons_and_pages():
    app = open_page("lessons")
    app.button_group(key="lesson").set_value("2 Water-filling").run()
    press(app, "next_step")
    app.slider(key="guess_2").set_value(0.25).run()
    press(app, "back_step")
    press(app, "next_step")
    assert app.slider(key="guess_2").value == 0.25
    assert not app.slider(key="guess_2").disabled
    press(app, "next_step")
    app.button_group(key="lesson").set_value("3 Difficulty ignored").run()
    assert app.button_group(key="step").value == READ
    app.switch_page("pages/explore.py").run()
    app.switch_page("pages/lessons.py").run()
    app.button_group(key="lesson").set_value("2 Water-filling").run()
    assert app.button_group(key="step").value == REVEAL, "where the visitor left it"
    assert any("You predicted 0.25 units" in text for text in said(app))
    press(app, "back_step")
    assert app.slider(key="guess_2").value == 0.25
    assert app.slider(key="guess_2").disabled, "once the answer is seen, the prediction stands"


def test_a_lesson_can_be_begun_anew():
    app = open_lesson("7 Envy and money", PREDICT)
    predict(app, "7 Envy and money")
    press(app, "next_step")
    press(app, "next_step")
    right = LESSONS["7 Envy and money"]().question.answer.text
    app.radio(key="reply_7").set_value(right).run()
    press(app, "check")
    press(app, "restart")
    assert app.button_group(key="step").value == READ
    assert not any("Finished" in caption.value for caption in app.caption)
    press(app, "next_step")
    assert app.slider(key="guess_7").value == 0
    assert not app.slider(key="guess_7").disabled
    app.button_group(key="step").set_value(QUESTION).run()
    assert app.radio(key="reply_7").value is None
    assert not app.success


def test_a_right_answer_at_the_first_try():
    app = open_lesson("1 Diminishing returns", QUESTION)
    app.radio(key="reply_1").set_value(LESSONS["1 Diminishing returns"]().question.answer.text).run()
    press(app, "check")
    assert "Right, at the first try" in app.success[0].value


def test_whoever_did_not_predict_is_told_so_and_sees_all_the_same():
    app = open_lesson("3 Difficulty ignored", REVEAL)
    assert calm(app)
    assert any("You have not predicted anything" in caption.value for caption in app.caption)
    assert len(app.get("vega_lite_chart")) == 2
    press(app, "back_step")
    assert not app.radio(key="guess_3").disabled


def test_water_is_poured_drop_by_drop():
    app = open_lesson("2 Water-filling", REVEAL)
    assert app.slider(key="lesson_drops").value == 0
    for drops in range(1, water.ALL + 1):
        press(app, "pour")
        assert app.slider(key="lesson_drops").value == drops
    assert calm(app)
    assert app.button(key="pour").disabled
    app.slider(key="lesson_drops").set_value(0).run()
    press(app, "pour_all")
    assert app.slider(key="lesson_drops").value == water.ALL


def test_the_search_is_stepped_pass_by_pass():
    app = open_lesson("5 Local optimum", REVEAL, lesson_passes=2)
    assert app.slider(key="lesson_passes").value == 2
    press(app, "one_more")
    assert app.slider(key="lesson_passes").value == 3
    app.slider(key="lesson_passes").set_value(search.PASSES).run()
    assert app.button(key="one_more").disabled
    assert calm(app)


def test_the_dial_says_where_it_stands_at_every_stop():
    app = open_lesson("6 Fairness dial", REVEAL)
    for stop in dial.STOPS:
        app.select_slider(key="lesson_alpha").set_value(dial.written(stop)).run()
        assert calm(app)
        here = dial.turned(stop)
        sentence = f"At α = {dial.written(stop)}: mean accuracy {here.mean:.3f}, worst-off {here.worst:.3f}."
        assert sentence in said(app)


def test_the_numbers_behind_a_picture_are_at_hand():
    app = open_lesson("5 Local optimum", REVEAL)
    folds = [fold.label for fold in app.expander]
    assert folds[:2] == ["Numbers: The search below its bound", "Numbers: Why it does not go on"]


@every_lesson
def test_on_a_projector_there_are_few_words(name):
    lesson = LESSONS[name]()
    app = open_lesson(name, projector="true")
    assert app.toggle(key="projector").value
    assert all(point in said(app)[0] for point in lesson.points)
    for step in STEPS:
        app.button_group(key="step").set_value(step).run()
        assert calm(app)
        assert lesson.why not in said(app)
        assert not any(paragraph in said(app) for paragraph in lesson.introduction)


def test_a_teacher_finds_the_answers_and_a_link_to_every_lesson():
    app = open_page("lessons")
    assert not app.dataframe
    app.toggle(key="teacher").set_value(True).run()
    assert calm(app)
    table = app.dataframe[0].value
    assert list(table["Lesson"]) == list(LESSONS)
    for name, (_, row) in zip(LESSONS, table.iterrows(), strict=True):
        lesson = LESSONS[name]()
        assert row["To be predicted"] == lesson.predicted
        assert row["Answer to the question"] == lesson.question.answer.text
        assert dict(parse_qsl(urlsplit(row["Link"]).query)) == {"lesson": name}
        query = dict(parse_qsl(urlsplit(row["On the projector"]).query))
        assert query == {"lesson": name, "projector": "true"}
    there = open_page("lessons", **query)
    assert answer(there) == lesson.title
    assert there.toggle(key="projector").value
    keys = {button.proto.id.rpartition("-")[2] for button in app.get("download_button")}
    assert {"handout", "answer_key"} <= keys


def test_a_link_to_no_lesson_leads_to_the_first():
    app = open_page("lessons", lesson="9 Alchemy", step="Cheat")
    assert calm(app)
    assert answer(app) == LESSONS["1 Diminishing returns"]().title


def test_nobody_is_said_to_have_predicted_what_a_slider_showed_before_it_was_moved():
    for name, make in LESSONS.items():
        asked = make().prediction
        app = open_lesson(name, PREDICT)
        press(app, "next_step")
        assert calm(app)
        assert any("You have not predicted anything" in caption.value for caption in app.caption)
        assert not any(text.startswith("**You predicted") for text in said(app))
        tables = [table.value for table in app.get("vega_lite_chart")]
        assert "predicted" not in str(tables)
        press(app, "back_step")
        if isinstance(asked, Question):
            continue
        press(app, "stay")
        assert not [button for button in app.button if button.key == "stay"], "it is predicted now"
        press(app, "next_step")
        assert f"**{asked.compared(asked.start)}**" in said(app), "where it stood may be meant"


def test_no_link_and_no_address_opens_the_teachers_view():
    app = open_page("lessons")
    app.toggle(key="teacher").set_value(True).run()
    assert app.dataframe
    assert "teacher" not in app.query_params
    copied = [address for code in app.code for address in code.value.splitlines()]
    table = app.dataframe[0].value
    for address in (*copied, *table["Link"], *table["On the projector"]):
        assert "teacher" not in address
    app.switch_page("pages/explore.py").run()
    app.switch_page("pages/lessons.py").run()
    assert app.dataframe, "it stays for whoever opened it"
    older = open_page("lessons", teacher="true")
    assert calm(older)
    assert not older.toggle(key="teacher").value
    assert not older.dataframe
    assert not any("teacher" in code.value for code in older.run().code)


def test_what_a_lesson_tells_to_look_at_is_there_under_that_name():
    app = open_page()
    names = {slider.label for slider in app.slider} | set(PRESETS) | set(fs.RULES)
    names |= set(re.findall(r'title="([^"]+)"', Path(frame.__file__).read_text()))  # of the pages
    names |= {tab.label for tab in app.switch_page("pages/fairness_tradeoff.py").run().tabs}
    for make in LESSONS.values():
        for name in re.findall("“([^”]+)”", make().look):
            assert name in names, name


@every_lesson
def test_what_a_text_speaks_of_is_drawn_beside_it_before_the_answer_is(name):
    drawn = charts.opening(name)
    for step in (READ, PREDICT):
        for projector in ("false", "true"):
            app = open_lesson(name, step, projector=projector)
            assert calm(app)
            assert len(app.get("vega_lite_chart")) == len(drawn)
            assert all(f"**{title}**" in said(app) for title in drawn)
