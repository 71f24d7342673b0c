"""Where does γ come from? Shipped curves, a visitor's own, and what is said when they cannot be read."""

import pytest
from dashboard import answer, calm, open_page, shown

from fairsynergy.curves import fit, read_curves, read_folder, words
from fairsynergy.fleets.drawn import ASSETS

PAGE = "measured_curves"
SHIPPED = read_folder(ASSETS / "curves")
OWN = b"labels,accuracy\n30,0.40\n60,0.48\n120,0.57\n240,0.66\n480,0.79\n"
PERCENT = b"labels,accuracy\n30,40\n60,48\n120,57\n240,66\n480,79\n"


def give(app, data, name="drones.csv"):
    return app.file_uploader(key="curves_file").set_value((name, data, "text/csv")).run()


def said(curve):
    return words.answer(fit(curve.resource, curve.accuracy, resources=curve.resources, sd=curve.sd))


@pytest.mark.parametrize("name", SHIPPED)
def test_shows_what_the_library_finds(name):
    app = open_page(PAGE, curve=name)
    assert calm(app)
    curve = SHIPPED[name]
    found = fit(curve.resource, curve.accuracy, resources=curve.resources)
    assert shown(answer(app)) == words.answer(found)
    text = shown(" ".join(one.value for one in app.markdown))
    for sentence in (words.status(found), words.relative(found), *(note.sentence for note in found.notes)):
        assert sentence in text
    (shapes,) = [frame.value for frame in app.dataframe if "Shape" in frame.value]
    assert list(shapes["Shape"]) == [one.shape.label for one in found.alternatives]
    assert len(app.get("vega_lite_chart")) == 2
    assert "Numbers: the rows of this curve" in [fold.label for fold in app.expander]


def test_a_link_to_no_curve_shows_the_first():
    app = open_page(PAGE, curve="none of these")
    assert calm(app)
    assert shown(answer(app)) == said(next(iter(SHIPPED.values())))


def test_logarithmic_axes():
    app = open_page(PAGE)
    app.segmented_control(key="curve_axes").set_value("logarithmic").run()
    assert calm(app)
    assert '"log"' in app.get("vega_lite_chart")[0].proto.spec


def test_a_visitors_own_curve_is_shown_and_stays():
    app = give(open_page(PAGE), OWN)
    assert calm(app)
    own = said(read_curves(OWN, "drones.csv")["drones"])
    assert shown(answer(app)) == own
    assert app.selectbox(key="curve").value == "Yours: drones"
    app.switch_page("pages/explore.py").run()
    app.switch_page(f"pages/{PAGE}.py").run()
    assert app.selectbox(key="curve").value == "Yours: drones"
    assert shown(answer(app)) == own


def test_percent_is_refused_with_an_offer_and_read_when_said():
    app = give(open_page(PAGE), PERCENT)
    (error,) = app.error
    assert "row 2, column accuracy" in shown(error.value)
    assert "or say that they are in percent" in shown(error.value)
    app.checkbox(key="curves_percent").check().run()
    assert calm(app)
    assert shown(answer(app)) == said(read_curves(OWN, "drones.csv")["drones"])


def test_numbers_that_may_be_read_either_way_wait_for_the_choice_that_the_page_then_offers():
    app = give(open_page(PAGE), OWN)
    assert not [group for group in app.button_group if group.key == "curves_decimal"]
    grouped = b"labels;accuracy\n500;0,30\n1.000;0,40\n2.000;0,48\n4.000;0,57\n"
    give(app, grouped, "grouped.csv")
    (error,) = app.error
    assert "choose it in “Open your own”" in shown(error.value)
    app.button_group(key="curves_decimal").set_value("comma").run()
    assert calm(app)
    assert shown(answer(app)) == said(read_curves(grouped, "grouped.csv", decimal="comma")["grouped"])
    app.button_group(key="curves_decimal").set_value("point").run()
    assert "must be a number" in shown(app.error[0].value)  # 0,30 is none then, and the choice can be taken back
    app.button_group(key="curves_decimal").set_value("comma").run()
    assert calm(app)
    give(app, OWN, "another.csv")
    assert calm(app)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"labels,accuracy\n30,=0.2*2\n", "row 2, column accuracy: must be a number"),
        (b"labels,score\n30,0.2\n", "there is no column accuracy"),
        (b"PK\x03\x04", "is a workbook or an archive"),
    ],
)
def test_a_bad_file_is_one_message_and_what_was_there_stays(data, message):
    app = give(open_page(PAGE), OWN)
    before = answer(app)
    give(app, data)
    assert not app.exception
    (error,) = app.error
    assert message in shown(error.value)
    assert answer(app) == before
    give(app, OWN)
    assert calm(app)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"labels,accuracy\n30,0.2\n", "1 row cannot determine 2 unknowns"),
        (b"labels,accuracy\n30,0.2\n30,0.4\n", "every row has the same amount of labels"),
    ],
)
def test_rows_without_a_curve_are_one_message_and_what_was_there_stays(data, message):
    app = open_page(PAGE, curve="Digits, logistic regression")
    before = answer(app)
    give(app, data)
    assert not app.exception
    (error,) = app.error
    assert message in shown(error.value)
    assert "Still showing Digits, logistic regression" in shown(error.value)
    assert answer(app) == before


def test_names_from_a_file_are_text():
    app = give(
        open_page(PAGE), b"curve,![x](http://e.org),accuracy\n<b>*c*</b>,1,0.2\n<b>*c*</b>,2,0.3\n<b>*c*</b>,4,0.5\n"
    )
    assert calm(app)
    assert "![x](" not in answer(app)
    assert "<b>" not in "".join(header.value for header in app.header).replace("\\<", "")
