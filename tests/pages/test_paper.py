"""Do the published results hold? Every experiment on its page, with as little of it as there can be."""

import pytest
from dashboard import answer, calm, open_page, shown

from fairsynergy.experiments.paper import FIGURES, reproduce
from fairsynergy.experiments.reproduction import COLUMNS
from fairsynergy.ui.rerun import STOPPED, WANTED, Choice


def table(app):
    (claims,) = app.table
    return claims.value


def test_opens_on_a_few_experiments_and_says_so():
    app = open_page("paper")
    assert answer(app).startswith("Fig. 5, on 10 of its 100 experiments: of 12 claims, ")
    assert [*COLUMNS.values()] == [column for column in table(app).columns if column in COLUMNS.values()]
    assert app.button(key="run_all").label == "Run all 100"


@pytest.mark.parametrize("name", [name for name in FIGURES if name != "complexity"])
def test_shows_what_the_library_finds(name):
    """Fewest experiments; every cell is the library's, and every figure and table is there."""
    few = None if FIGURES[name].experiments is None else 2 if name != "dl-scaling" else 1
    app = open_page("paper", figure=FIGURES[name].short)
    if few is not None:
        app.number_input(key=f"experiments_{name}").set_value(few).run()
    assert calm(app)
    result = reproduce(name, experiments=few)
    short = FIGURES[name].short if few is None else f"{FIGURES[name].short}, on {few} of its "
    assert answer(app).startswith(short)
    assert answer(app).endswith(result.tally)
    drawn = table(app)
    timed = [claim.what for claim in result.claims if claim.what.startswith("time ")]
    for (_, row), claim in zip(drawn.iterrows(), result.claims, strict=True):
        assert shown(row["Claim"]) == claim.what
        assert claim.verdict.value in row["Verdict"]
        if claim.what not in timed:
            assert [shown(row[heading]) for heading in COLUMNS.values()] == [getattr(claim, field) for field in COLUMNS]
    folds = [fold.label for fold in app.expander]
    for data in result.tables:
        assert f"Numbers: {name} {data}" in folds


def test_what_takes_long_waits_for_a_click():
    app = open_page("paper", figure="Complexity")
    assert answer(app) == "Complexity: time against the number of agents (section IV). Not run yet."
    assert app.button(key="run").label == "Run it now"
    assert not app.table


def test_runs_when_it_is_asked_to():
    app = open_page("paper")
    app.number_input(key="experiments_fig5").set_value(11).run()
    assert answer(app).endswith("Not run yet.")
    app.button(key="run").click().run()
    assert calm(app)
    assert answer(app).startswith("Fig. 5, on 11 of its 100 experiments: of 12 claims, ")
    assert app.session_state[WANTED] is None
    assert not [button for button in app.button if button.key in ("run", "stop_run")]


def test_all_of_it_is_one_click():
    app = open_page("paper", figure="Fig. 4")
    app.number_input(key="experiments_fig4").set_value(3).run()
    app.button(key="run_all").click().run()
    assert answer(app).startswith("Fig. 4: of ")


def test_another_seed_is_another_sample():
    app = open_page("paper", figure="Fig. 4")
    app.number_input(key="experiments_fig4").set_value(5).run()
    before = table(app)
    app.number_input(key="paper_seed").set_value(1).run()
    assert not table(app).equals(before)
    assert calm(app)


def test_a_choice_survives_going_elsewhere():
    app = open_page("paper", figure="Fig. 4")
    app.number_input(key="experiments_fig4").set_value(4).run()
    app.switch_page("pages/explore.py").run()
    app.switch_page("pages/paper.py").run()
    assert app.number_input(key="experiments_fig4").value == 4
    assert answer(app).startswith("Fig. 4, on 4 of its 1,000 experiments")


def test_a_link_to_no_experiment_shows_the_usual_one():
    app = open_page("paper", figure="Fig. 99")
    assert calm(app)
    assert answer(app).startswith("Fig. 5, ")


def test_a_quick_run_that_was_stopped_does_not_start_again_by_itself():
    app = open_page("paper")
    app.session_state[STOPPED] = Choice("fig5", 0, 9)
    app.number_input(key="experiments_fig5").set_value(9).run()
    assert answer(app).endswith("Not run yet.")
    app.button(key="run").click().run()
    assert answer(app).startswith("Fig. 5, on 9 of its 100 experiments: ")
    assert app.session_state[STOPPED] is None


def test_a_released_run_has_no_seed_to_choose():
    app = open_page("paper", figure="Released RTI")
    assert "paper_seed" not in [number.key for number in app.number_input]


def test_what_another_run_wants_does_not_start_this_one():
    app = open_page("paper")
    app.number_input(key="experiments_fig5").set_value(12).run()
    app.session_state[WANTED] = Choice("fig5", 1, 12)  # of another choice
    app.run()
    assert answer(app).endswith("Not run yet.")
