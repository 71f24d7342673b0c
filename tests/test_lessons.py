"""Lessons: every answer key is what the engine says, checked here by other means than the lesson computes it."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from test_comparison import fields

import fairsynergy as fs
from fairsynergy.charts import lessons as charts
from fairsynergy.charts import tradeoff
from fairsynergy.charts.reports.report import svg
from fairsynergy.charts.reports.worksheets import worksheets
from fairsynergy.errors import ProblemError
from fairsynergy.fleets import PRESETS
from fairsynergy.lessons import (
    LESSONS,
    STEPS,
    Amount,
    Choice,
    Question,
    dial,
    difficulty,
    mixing,
    money,
    returns,
    search,
    units,
    water,
)
from fairsynergy.ui import inputs

ALL = {name: make() for name, make in LESSONS.items()}
every_lesson = pytest.mark.parametrize("name", LESSONS)
ADDRESS = "https://example.org/lessons"


def chosen(name):
    """What is right in a lesson's question."""
    return ALL[name].question.answer.text


# What holds for every lesson


def test_there_are_eight_numbered_as_they_come():
    assert [name.split()[0] for name in LESSONS] == [str(k) for k in range(1, 9)]
    assert STEPS == ("Read", "Predict", "Reveal", "Question", "Explore")


@every_lesson
def test_a_lesson_is_short_and_says_why(name):
    lesson = ALL[name]
    assert 5 <= lesson.minutes <= 10
    assert lesson.title.endswith("?")
    assert 60 < len(" ".join(lesson.introduction).split()) < 200
    assert all(len(point.split()) <= 12 for point in lesson.points)
    assert all(choice.reason.endswith(".") for choice in lesson.question.choices)
    assert len(lesson.takeaway.split()) <= 20


@every_lesson
def test_no_number_in_a_text_is_broken(name):
    lesson = ALL[name]
    texts = [*lesson.introduction, lesson.why, lesson.question.text, *(c.reason for c in lesson.question.choices)]
    for text in texts:
        assert not re.search(r"nan|inf\b|e-\d|\{|\}|\d\.\d{5}", text), text
        assert text.count("**") % 2 == 0


COLOURS = re.compile(r"\b(blue|green|orange|red|yellow|purple|violet|pink|brown|gr[ea]y|black|white|colou?r)\w*", re.I)


def texts_of(lesson):
    asked = lesson.prediction
    yield from (*lesson.introduction, *lesson.points, lesson.why, lesson.takeaway, lesson.look)
    yield from (asked.text, *asked.texts) if isinstance(asked, Question) else (asked.question, asked.unit)
    yield lesson.question.text
    for choice in lesson.question.choices:
        yield from (choice.text, choice.reason)


@every_lesson
def test_no_text_names_a_colour_because_paper_has_none(name):
    for text in (*texts_of(ALL[name]), *(p.words for p in (charts.opening(name) | charts.revealed(name)).values())):
        assert not COLOURS.search(text), text


def marks(spec):
    """The kinds of marks in a specification."""
    if isinstance(spec, dict):
        if "mark" in spec:
            yield spec["mark"] if isinstance(spec["mark"], str) else spec["mark"]["type"]
        spec = list(spec.values())
    for part in spec if isinstance(spec, list) else ():
        yield from marks(part)


@every_lesson
def test_bars_that_a_text_speaks_of_before_anything_is_revealed_are_in_the_picture_beside_it(name):
    lesson = ALL[name]
    before = " ".join([*lesson.introduction, *lesson.points, getattr(lesson.prediction, "question", "")])
    drawn = [mark for picture in charts.opening(name).values() for mark in marks(picture.spec())]
    assert ("bar" in drawn) or not re.search(r"\bbars?\b", before)
    assert "line" in drawn or "Drawn in a plane" not in before


def test_pictures_before_the_prediction_give_no_answer_away():
    curve = charts.opening("1 Diminishing returns")["The first step"]
    assert curve.tables["curve"]["held"].max() <= returns.LOW + returns.STEP + 1e-9
    assert list(curve.tables["steps"]["start"]) == [returns.LOW]
    (bars,) = charts.opening("2 Water-filling").values()
    assert bars.tables["own"]["own"].to_numpy() == pytest.approx(water.FLEET.problem().endowment[:, 0])
    assert set(bars.tables) == {"own"}, "no level"
    (map_,) = charts.opening("4 Two resources").values()
    assert map_.tables["curve"].empty, "its own curve would be the answer"
    assert list(map_.tables["marks"]["label"]) == ["now"]
    assert set(map_.tables["family"]["level"]) == set(charts.LEVELS)
    assert charts.LEVELS[1] < mixing.held().mean < charts.LEVELS[2], "as the picture's words have it"


def test_the_right_reply_is_not_always_in_the_same_place():
    places = {lesson.question.texts.index(lesson.question.answer.text) for lesson in ALL.values()}
    assert places == {0, 1, 2}


@pytest.mark.parametrize("right", [(False, False), (True, True)])
def test_a_question_with_none_or_two_right_replies_is_refused(right):
    with pytest.raises(ProblemError, match=f"^{sum(right)} replies to 'why' are right"):
        Question("why", tuple(Choice(str(k), flag, "so.") for k, flag in enumerate(right)))


def test_replies_that_read_the_same_are_refused():
    with pytest.raises(ProblemError, match="read the same"):
        Question("why", (Choice("a", True, ""), Choice("a", False, "")))


def test_an_answer_beyond_its_slider_is_refused():
    with pytest.raises(ProblemError, match="which its slider does not reach"):
        Amount(question="how much", unit="", low=0, high=1, step=0.1, start=0, truth=1.5, near=0.1)


@every_lesson
def test_the_prediction_is_compared_with_the_engine_in_words(name):
    asked = ALL[name].prediction
    if isinstance(asked, Question):
        for choice in asked.choices:
            assert ("and so says the engine" in asked.compared(choice.text)) == choice.right
    else:
        assert asked.start != asked.truth
        assert asked.compared(asked.truth).endswith("That is it.")
        assert asked.compared(asked.low).endswith("too low.")
        assert asked.compared(asked.high).endswith(("too high.", "That is it.", "That is close."))


@every_lesson
def test_a_lessons_fleet_can_be_put_into_a_link(name):
    lesson = ALL[name]
    assert lesson.rule in fs.RULES
    assert lesson.problem == (
        PRESETS[lesson.fleet].problem if isinstance(lesson.fleet, str) else lesson.fleet.problem()
    )
    assert inputs.query(lesson.fleet, lesson.rule)


def test_a_saturation_that_the_sidebar_lacks_is_refused():
    with pytest.raises(ProblemError, match="not at 2"):
        inputs.query(replace(water.FLEET, saturation=2.0), "NUM")


# 1


def test_lesson_1_by_the_formula():
    assert ALL["1 Diminishing returns"].prediction.truth == pytest.approx(0.6**0.5 - 0.5**0.5)
    assert returns.step(0.1, 0.5).gain == pytest.approx(0.2**0.5 - 0.1**0.5)
    assert 0.15**0.3 - 0.1**0.3 > 0.15**0.9 - 0.1**0.9
    assert 0.55**0.3 - 0.5**0.3 < 0.55**0.9 - 0.5**0.9, "as the reason says of larger holdings"
    assert chosen("1 Diminishing returns") == "The one with the easy task"


def test_lesson_1_each_step_buys_less_whatever_the_difficulty():
    for gamma in np.arange(0.05, 1, 0.05):
        gains = [returns.step(start, gamma).gain for start in np.arange(0, 0.9, 0.1)]
        assert (np.diff(gains) < 0).all()


# 2


def filled(own, amount):
    """The level by pouring from the lowest bar upwards: the textbook's way."""
    own = np.sort(own)
    for count in range(1, len(own) + 1):
        level = (amount + own[:count].sum()) / count
        if count == len(own) or level <= own[count]:
            return level
    raise AssertionError


def test_lesson_2_the_level_is_that_of_the_textbook_at_every_drop():
    own = water.FLEET.problem().endowment[:, 0]
    levels = []
    for drops in range(1, water.ALL + 1):
        allocation = water.poured(drops)
        level = filled(own, drops * water.DROP)
        assert water.level(allocation) == pytest.approx(level)
        assert allocation.grant[:, 0] == pytest.approx(np.maximum(level - own, 0))
        levels.append(level)
    assert (np.diff(levels) > 0).all()
    assert ALL["2 Water-filling"].prediction.truth == pytest.approx(levels[-1])
    assert water.level(water.poured(0)) == own.min()


def test_lesson_2_the_richest_gets_nothing_and_six_are_six():
    problem, full = water.FLEET.problem(), water.poured(water.ALL)
    assert full.grant[problem.endowment[:, 0].argmax(), 0] == 0
    assert chosen("2 Water-filling") == "Nothing"
    assert problem.n == 6
    assert problem.capacity[0] == pytest.approx(water.ALL * water.DROP)
    assert "agent 2 and agent 4" in ALL["2 Water-filling"].why
    assert "4 of the six agents" in ALL["2 Water-filling"].why


# 3


def test_lesson_3_num_fills_to_one_level_and_does_not_see_difficulty():
    now, equal = difficulty.divided(), difficulty.divided(difficulty.EQUAL)
    assert now["NUM"].holding[:, 0] == pytest.approx(np.full(10, 0.08))
    assert now["NUM"].grant == pytest.approx(equal["NUM"].grant)
    assert equal["NUM"].grant == pytest.approx(equal["Fair-Synergy"].grant)
    assert (now["Fair-Synergy"].grant[:4] == 0).all()
    assert difficulty.tasks(now["NUM"].problem) == ["hard"] * 4 + ["medium"] * 3 + ["easy"] * 3
    assert ALL["3 Difficulty ignored"].prediction.answer.text == "As much"
    assert chosen("3 Difficulty ignored") == "Only those of Fair-Synergy"
    assert "agent 8 (easy) gets 0.095, and agent 1 (hard) gets 0" in ALL["3 Difficulty ignored"].why


# 4


def test_lesson_4_labels_in_closed_form():
    assert mixing.labels_for(mixing.CUT) == pytest.approx(0.4 * 2 ** (0.3 / 0.6))
    assert mixing.labels_for(0.4) == pytest.approx(0.4)
    assert mixing.accuracy(0.8, 0.8) / mixing.held().mean == pytest.approx(2**0.9)
    assert chosen("4 Two resources") == "It rises, but does not double"


def test_lesson_4_each_further_cut_takes_more_labels():
    needed = [mixing.labels_for(compute) for compute in np.arange(0.8, 0.09, -0.05)]
    assert (np.diff(needed) > 0).all()
    assert (np.diff(needed, 2) > 0).all()


# 5


def test_lesson_5_the_numbers_published_for_fleet_b():
    assert search.after(1).mean == pytest.approx(0.29613, abs=5e-6)
    assert search.after(np.inf).mean == pytest.approx(0.297316, abs=5e-7)
    assert search.best().mean == pytest.approx(0.308811, abs=5e-7)
    assert search.best().status is fs.Status.OPTIMAL
    assert search.ceiling() >= search.best().mean
    assert ALL["5 Local optimum"].prediction.truth == pytest.approx(100 * (1 - 0.2973156 / 0.3088110), abs=1e-3)
    assert chosen("5 Local optimum") == "Only that changing one of them alone does not help"


def test_lesson_5_no_turn_lowers_the_mean_and_by_the_last_nothing_moves():
    means = [search.after(k).mean for k in range(1, search.PASSES + 1)]
    assert (np.diff(means) >= 0).all()
    assert means[-1] == pytest.approx(search.after(np.inf).mean, rel=1e-8)
    assert means[0] < search.after(np.inf).mean < search.ceiling()


def test_lesson_5_it_is_a_local_optimum_and_the_straight_way_to_the_best_dips():
    still = search.after(np.inf)
    problem, rng = still.problem, np.random.default_rng(0)
    for size in (1e-2, 1e-3, 1e-4):
        moves = rng.normal(size=(2000, *still.grant.shape)) * size * rng.integers(0, 2, (2000, *still.grant.shape))
        near = np.maximum(still.grant + moves, 0)
        near *= problem.capacity / near.sum(axis=1, keepdims=True)
        assert (problem.utility(near).sum(axis=1) <= still.total * (1 + 1e-12)).all()
    way = charts.way().tables["way"]["mean"]
    assert way.min() < way.iloc[0] < way.iloc[-1]
    assert way.iloc[-1] == pytest.approx(search.best().mean)


def test_lesson_5_the_turns_stand_still_at_a_saddle_where_a_little_of_both_helps():
    """Two agents alike at equal halves: no exchange of one resource alone gains, one of both does."""
    halves = np.full((2, 2), 0.5)
    assert fs.allocate(search.ALIKE, fs.FairSynergy(passes=np.inf)).grant == pytest.approx(halves)
    total = search.ALIKE.utility(halves).sum()
    for one in ([1, 0], [0, 1]):
        moved = halves + search.BOTH * np.array([one, [-part for part in one]])
        assert search.ALIKE.utility(moved).sum() < total
    assert search.both_at_once() == pytest.approx(1.387e-6, rel=1e-3)
    assert "0.001 units of both at once" in ALL["5 Local optimum"].question.answer.reason


def test_lesson_5_fair_synergy_itself_finds_the_higher_hill_as_the_lesson_says():
    found = fs.allocate(PRESETS[search.FLEET].problem, fs.FairSynergy())
    assert found.mean == pytest.approx(search.best().mean)


def test_lesson_5_four_agents_have_increasing_returns_and_no_accuracy_exceeds_1():
    assert (search.best().problem.elasticity.sum(axis=1) > 1).sum() == 4
    assert max(search.after(np.inf).best, search.best().best) < 1


# 6


def test_lesson_6_along_the_dial_the_worst_off_rises_and_the_mean_falls():
    found = [dial.turned(alpha) for alpha in dial.STOPS]
    assert (np.diff([allocation.worst for allocation in found]) > 0).all()
    assert (np.diff([allocation.mean for allocation in found]) < 0).all()
    assert {allocation.status for allocation in found} == {fs.Status.OPTIMAL}


def test_lesson_6_its_ends_are_fair_synergy_and_leximin():
    problem = PRESETS[dial.FLEET].problem
    best, kind = fs.allocate(problem, fs.FairSynergy()), fs.allocate(problem, fs.Leximin())
    assert dial.turned(0.0).mean == pytest.approx(best.mean)
    assert dial.turned(np.inf).worst == pytest.approx(kind.worst)
    assert ALL["6 Fairness dial"].prediction.truth == pytest.approx(100 * (1 - kind.mean / best.mean))
    assert "about 11 times" in ALL["6 Fairness dial"].prediction.question
    assert kind.worst / best.worst == pytest.approx(11, abs=0.5)


def test_lesson_6_has_the_axes_of_the_page_that_it_leads_to():
    def axes(spec):
        layer = next(part for part in spec["layer"] if "line" in str(part["mark"]))["encoding"]
        return [layer[side]["title"] for side in "xy"]

    (dial_,) = charts.revealed("6 Fairness dial").values()
    assert axes(dial_.spec()) == axes(tradeoff.frontier_spec("worst-off"))
    assert axes(dial_.spec()) == ["Worst-off agent's accuracy (share correct)", "Mean accuracy (share correct)"]


def test_lesson_6_the_first_turn_is_the_cheapest():
    rates = [dial.exchange(*turn) for turn in dial.TURNS]
    assert rates == sorted(rates, reverse=True)
    assert chosen("6 Fairness dial") == "From α = 0 to 0.5"


# 7


def test_lesson_7_counted_one_by_one():
    problem = PRESETS[money.FLEET].problem
    assert problem.n == 12
    share = problem.utility(np.tile(problem.capacity / problem.n, (problem.n, 1)))
    for policy, losers, envious in ((fs.FairSynergy(), 8, 11), (fs.EqualIncomeMarket(), 0, 0)):
        grant = fs.allocate(problem, policy).grant
        now = problem.utility(grant)
        assert (now < share - 1e-6).sum() == losers == money.below_uniform(policy.name)
        wish = [max(problem.utility(np.tile(other, (problem.n, 1)))[i] for other in grant) for i in range(problem.n)]
        assert (np.array(wish) > now + 1e-6).sum() == envious == money.envious(policy.name)
    assert ALL["7 Envy and money"].prediction.truth == 8
    assert chosen("7 Envy and money") == "Each could have bought the other's grant"


def test_lesson_7_everybody_can_afford_what_everybody_bought():
    problem = PRESETS[money.FLEET].problem
    market = fs.EqualIncomeMarket().equilibrium(problem)
    assert (market.grant @ market.price) == pytest.approx(np.full(12, 1 / 12))
    assert market.grant.sum(axis=0) == pytest.approx(problem.capacity)


def test_lesson_7_no_envy_is_not_most_for_the_weakest():
    found = money.divided()
    assert found["Equal-income market"].worst < found["Fair-Synergy"].worst
    assert "no envy is not the same as much for the weakest" in ALL["7 Envy and money"].why
    assert (money.against_uniform("Fair-Synergy") > 1.1).sum() == 4, "who gain much"


# 8


def test_lesson_8_the_unit_turns_the_grants_over_and_only_fair_synergys():
    assert units.to_the_hardest("in units", "Fair-Synergy") == pytest.approx(0)
    assert units.to_the_hardest("in hundredths", "Fair-Synergy") == pytest.approx(1)
    one, hundred = (units.counted()[unit] for unit in units.FLEETS)
    for rule in ("Uniform", "NUM", "Nash", "Equal-income market"):
        assert 100 * one[rule].grant == pytest.approx(hundred[rule].grant, abs=1e-6)
        assert rule in ALL["8 Units"].why
    first, other = (PRESETS[name].problem for name in units.FLEETS.values())
    assert 100 * first.capacity == pytest.approx(other.capacity)
    assert other.capacity == pytest.approx(46)
    assert 100 * first.endowment == pytest.approx(other.endowment)
    assert (first.elasticity == other.elasticity).all()
    assert (first.elasticity == first.elasticity.max()).sum() == 4


def test_lesson_8_accuracies_above_1_are_called_out():
    assert units.counted()["in hundredths"]["Fair-Synergy"].best > 1
    assert "Above 1 a number is no accuracy any more" in ALL["8 Units"].why
    free, capped = units.won().values()
    assert free.best > 1 >= capped.best - 1e-9
    assert np.isinf(free.problem.saturation).all()
    assert free.grant[free.utility.argmax()] == pytest.approx(free.problem.capacity), "one agent takes everything"
    takers = capped.grant.sum(axis=1) > 0.1
    assert takers.sum() == 6
    assert capped.grant[takers].sum() > 0.98 * capped.grant.sum(), "nearly all of the cloud"
    assert "among 6 agents" in ALL["8 Units"].question.answer.reason
    assert chosen("8 Units") == "A number without meaning"


@every_lesson
def test_no_other_lesson_shows_an_accuracy_above_1(name):
    lesson = ALL[name]
    if name != "8 Units":
        assert max(fs.allocate(lesson.problem, policy).best for policy in fs.RULES.values()) <= 1 + 1e-9


# Pictures


@every_lesson
@pytest.mark.parametrize("large", [False, True])
def test_pictures_draw_only_what_their_tables_hold(name, large):
    for picture in (*charts.opening(name).values(), *charts.revealed(name).values()):
        spec = picture.spec(large=large)
        held = {column for table in picture.tables.values() for column in table}
        assert fields(spec) <= held
        assert picture.words.endswith(".")
        assert len(picture.numbers)


@pytest.mark.parametrize("drops", range(water.ALL + 1))
def test_every_drop_can_be_drawn(drops):
    picture = charts.poured(drops, 0.2)
    assert picture.tables["parts"]["amount"].sum() == pytest.approx(
        drops * water.DROP + water.FLEET.problem().endowment.sum()
    )
    assert sorted(picture.tables["lines"]["above"]) == [False, True]


def test_a_prediction_is_drawn_beside_the_truth():
    assert list(charts.mixes(0.2, 0.7).tables["marks"]["label"]) == ["now", "0.57 labels", "predicted"]
    assert "predicted" not in list(charts.mixes(0.2).tables["marks"]["label"])


# On paper


class Read(HTMLParser):
    """The text of a page, its tags and its links."""

    def __init__(self, page):
        super().__init__()
        self.text, self.tags, self.links, self.labels = "", [], [], []
        self.feed(page)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.labels += [value for name, value in attrs if name == "aria-label"]
        self.links += [value for name, value in attrs if name in ("href", "src", "xlink:href")]

    def handle_data(self, data):
        self.text += data


def plain(text):
    return " ".join(text.replace("*", "").split())


HANDOUT, KEY = Read(worksheets(address=ADDRESS, answers=False)), Read(worksheets(address=ADDRESS, answers=True))


@every_lesson
def test_the_handout_asks_and_does_not_tell(name):
    lesson = ALL[name]
    asked = lesson.prediction
    for text in (lesson.title, asked.text if isinstance(asked, Question) else asked.question, lesson.question.text):
        assert plain(text) in HANDOUT.text
    for text in (*lesson.introduction, *lesson.question.texts):
        assert plain(text) in HANDOUT.text
    for text in (lesson.why, lesson.takeaway, *(choice.reason for choice in lesson.question.choices)):
        assert plain(text) not in HANDOUT.text


@every_lesson
def test_the_key_tells_everything_with_pictures(name):
    lesson = ALL[name]
    assert plain(lesson.why) in KEY.text
    assert plain(lesson.predicted) in KEY.text
    assert f"× {lesson.question.answer.text}" in KEY.text or f"×{lesson.question.answer.text}" in KEY.text
    for choice in lesson.question.choices:
        assert plain(choice.reason) in KEY.text
    for picture in (*charts.opening(name).values(), *charts.revealed(name).values()):
        assert plain(picture.words) in KEY.text


@every_lesson
def test_the_handout_has_the_pictures_that_it_speaks_of_with_names_for_those_who_cannot_see_them(name):
    for title, picture in charts.opening(name).items():
        assert plain(picture.words) in HANDOUT.text
        assert f"Figure: {title}" in HANDOUT.labels
        assert picture.words in HANDOUT.labels, "of the picture itself"
    for picture in charts.revealed(name).values():
        assert plain(picture.words) not in HANDOUT.text, "that is for afterwards"


def test_paper_runs_no_script_and_asks_nobody_for_anything():
    for page in (HANDOUT, KEY):
        assert "script" not in page.tags
        assert "img" not in page.tags
        assert all(link.startswith(("#", ADDRESS)) for link in page.links)
    opening = sum(len(charts.opening(name)) for name in LESSONS)
    assert HANDOUT.tags.count("svg") == opening >= 4
    assert KEY.tags.count("svg") == opening + sum(len(charts.revealed(name)) for name in LESSONS)
    assert f"{ADDRESS}?lesson=2+Water-filling" in HANDOUT.links
    assert not [link for link in Read(worksheets(address=None, answers=False)).links if not link.startswith("#")]


def test_an_address_is_escaped_or_refused():
    page = worksheets(address='https://example.org/"><script>alert(1)</script>', answers=False)
    assert "script" not in Read(page).tags
    with pytest.raises(ProblemError, match="must begin with http"):
        worksheets(address="javascript:alert(1)", answers=False)


def test_pictures_tell_own_from_granted_in_black_and_white():
    """Grey as a printer makes it: the two lie clearly apart."""
    drawn = svg(charts.poured(water.ALL).figure("poured"))

    def grey(colour):
        red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
        return 0.299 * red + 0.587 * green + 0.114 * blue

    own, granted = "#56B4E9", "#009E73"
    assert own in drawn
    assert granted in drawn
    assert grey(own) - grey(granted) > 40
