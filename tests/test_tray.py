"""The tray of scenarios: what is done to it, what differs, and its way out and in again as a file and as a link."""

from __future__ import annotations

import base64
import json
import zlib
from contextlib import suppress
from dataclasses import replace
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from strategies import problems

import fairsynergy as fs
from fairsynergy.fleets import PRESETS, FleetSpec, Setting, write_json
from fairsynergy.fleets.links import LARGEST, LONGEST_LINK
from fairsynergy.fleets.tray import (
    LISTED,
    LONGEST_NAME,
    METRICS,
    MOST_SCENARIOS,
    Difference,
    Scenario,
    Tray,
    change,
    differences,
    from_link,
    read_tray,
    to_link,
    write_tray,
)

# Where each example is several fleets.
FEWER = settings(max_examples=max(10, settings.default.max_examples // 4))
SPEC = FleetSpec(agents=20, setting=Setting.DL, seed=4)
DRAWN = SPEC.problem()
PAIR = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.5, 0.3], agents=["drone", "truck"])


def locked(problem: fs.Problem, agent: int, amount: float) -> fs.Problem:
    floor, ceiling = np.array(problem.floor), np.array(problem.ceiling)
    floor[agent] = ceiling[agent] = amount
    return replace(problem, floor=floor, ceiling=ceiling)


FULL = (
    Tray.of(Scenario("as drawn", DRAWN, base=SPEC))
    .keep(Scenario("locked", locked(DRAWN, 3, 0.2), "Leximin", base=SPEC))
    .keep(
        Scenario("by hand", DRAWN, "my split", given=np.full((20, 2), 1 / 3), error=np.full((20, 2), 0.01), base=SPEC)
    )
    .keep(Scenario("published", PRESETS["Fleet B"].problem, "alpha=2", base="Fleet B"))
    .keep(Scenario('<a "file"> Ω', PAIR, "fair-synergy passes=inf"))
    .compare_with("locked")
)


# What is done to it


def names(tray: Tray) -> list[str]:
    return [scenario.name for scenario in tray.scenarios]


def test_a_scenario_kept_is_last_selected_and_has_a_name_of_its_own():
    tray = Tray.of(Scenario("a", PAIR))
    more = tray.keep(Scenario("a", PAIR, "Nash")).keep(Scenario("a", PAIR))
    assert names(more) == ["a", "a 2", "a 3"]
    assert (more.selected, more.reference) == ("a 3", "a")
    assert more.current.rule == "Fair-Synergy"
    assert names(tray) == ["a"]  # the old one is still there to go back to


def test_a_long_name_is_made_unique_within_its_length():
    long = "x" * LONGEST_NAME
    tray = Tray.of(Scenario(long, PAIR)).keep(Scenario(long, PAIR)).keep(Scenario(long, PAIR))
    assert len(set(names(tray))) == 3
    assert max(map(len, names(tray))) <= LONGEST_NAME


def test_a_change_of_name_takes_those_along_that_point_there():
    tray = Tray.of(Scenario("a", PAIR)).keep(Scenario("b", PAIR))
    changed = tray.change("a", Scenario("c", PAIR, "NUM"))
    assert (names(changed), changed.selected, changed.reference) == (["c", "b"], "b", "c")
    with pytest.raises(fs.ProblemError, match="two scenarios are called 'b'"):
        tray.change("a", Scenario("b", PAIR))


def test_what_pointed_at_a_scenario_that_goes_points_at_its_neighbour():
    tray = Tray.of(Scenario("a", PAIR)).keep(Scenario("b", PAIR)).keep(Scenario("c", PAIR))
    assert tray.drop("c").selected == "b"
    assert tray.drop("a").reference == "b"
    assert tray.select("b").drop("b").selected == "a"
    assert tray.select("a").drop("c").selected == "a"
    with pytest.raises(fs.ProblemError, match="only scenario cannot be deleted"):
        tray.drop("a").drop("b").drop("c")


def test_only_what_is_there_can_be_selected_or_compared_with():
    tray = Tray.of(Scenario("a", PAIR))
    for wish in (tray.select, tray.compare_with):
        with pytest.raises(fs.ProblemError, match="there is no scenario 'b'; there are 'a'"):
            wish("b")


def test_a_tray_has_an_end():
    many = tuple(Scenario(f"{i}", PAIR) for i in range(MOST_SCENARIOS + 1))
    assert Tray(many[:-1], "0", "0").selected == "0"
    with pytest.raises(fs.ProblemError, match=f"at most {MOST_SCENARIOS}"):
        Tray(many, "0", "0")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": ""}, "name must have 1 to 60"),
        ({"name": "x" * 61}, "name must have 1 to 60"),
        ({"name": "a\nb"}, "printable"),
        ({"rule": "fairest"}, "there is no rule 'fairest'"),
        ({"rule": "all"}, "a scenario has one rule"),
        ({"rule": "\ud800Fair-Synergy"}, "rule must have 1 to 60 printable"),
        ({"given": [[0.1]]}, r"`grant` has shape \(1, 1\), but there are 2 agents"),
        ({"given": [0.1, -0.1]}, "must be finite and >= 0"),
        ({"given": [0.1, 0.1], "rule": "half \ud800"}, "label must have 1 to 60 printable"),
        ({"error": [0.1]}, "`error` must be one finite number >= 0"),
        ({"error": [[0.1], [np.nan]]}, "`error` must be one finite number >= 0"),
    ],
)
def test_what_is_no_scenario_is_refused(wrong, words):
    with pytest.raises(fs.ProblemError, match=words):
        Scenario(**{"name": "a", "problem": PAIR} | wrong)


def test_scenarios_are_equal_by_what_they_say():
    assert Scenario("a", PAIR) == Scenario("a", replace(PAIR), error=np.zeros((2, 1)))
    assert hash(Scenario("a", PAIR)) == hash(Scenario("a", replace(PAIR)))
    for other in ({"rule": "NUM"}, {"given": [0.1, 0.1]}, {"error": [[0.1], [0]]}, {"base": "Fleet A"}):
        assert Scenario("a", PAIR) != Scenario(**{"name": "a", "problem": PAIR} | other)


def test_a_change_is_relative_to_the_reference():
    before, after = (fs.allocate(replace(PAIR, capacity=amount), fs.Leximin()) for amount in (0.5, 0.6))
    for metric, value in METRICS.items():
        if value(before):
            assert change(after, before, metric) == pytest.approx((value(after) - value(before)) / value(before))
    assert change(before, before, "mean accuracy") == 0
    nothing = fs.allocate(fs.Problem(endowment=[0.0], capacity=0, elasticity=[0.5]), fs.Leximin())
    assert np.isnan(change(before, nothing, "mean accuracy"))


# What differs


def test_nothing_differs_between_a_scenario_and_itself_under_another_name():
    for scenario in FULL.scenarios:
        assert differences(scenario, replace(scenario, name="other")) == []


def test_only_what_differs_is_listed():
    other = replace(locked(PAIR, 0, 0.2), capacity=[0.7], weight=[1, 2], elasticity=[0.5, 0.4])
    assert differences(Scenario("a", PAIR), Scenario("b", other, "NUM")) == [
        Difference("rule", None, "Fair-Synergy", "NUM"),
        Difference("capacity of compute", None, 0.5, 0.7),
        Difference("elasticity in compute", "truck", 0.3, 0.4),
        Difference("floor of compute", "drone", 0.0, 0.2),
        Difference("ceiling of compute", "drone", np.inf, 0.2),
        Difference("weight", "truck", 1.0, 2.0),
    ]


def test_agents_are_matched_by_name():
    swapped = fs.Problem(
        endowment=[0.3, 0.1, 0.2], capacity=0.5, elasticity=[0.3, 0.5, 0.2], agents=["truck", "drone", "bus"]
    )
    assert differences(Scenario("a", PAIR), Scenario("b", swapped)) == [Difference("agent added", "bus", None, "there")]
    assert differences(Scenario("b", swapped), Scenario("a", PAIR)) == [
        Difference("agent left out", "bus", "there", None)
    ]


def test_resources_are_matched_by_name():
    both = fs.Problem(
        endowment=[[9, 0.1], [8, 0.3]],
        capacity=[1, 0.5],
        elasticity=[[0.1, 0.5], [0.1, 0.3]],
        agents=PAIR.agents,
        resources=["disk", "compute"],
    )
    assert differences(Scenario("a", PAIR), Scenario("b", both)) == [Difference("capacity of disk", None, None, 1.0)]


def test_proposals_and_errors_are_compared_too():
    one = Scenario("a", PAIR, "mine", given=[0.1, 0.2])
    other = Scenario("b", PAIR, "mine", given=[0.1, 0.3], error=[[0.0], [0.05]])
    assert differences(one, other) == [
        Difference("standard error of the elasticity in compute", "truck", 0.0, 0.05),
        Difference("proposed compute", "truck", 0.2, 0.3),
    ]


def test_many_differences_are_told_by_their_number_and_average():
    n = LISTED + 1
    spec = FleetSpec(agents=n)
    fleet = spec.problem()
    (found,) = differences(Scenario("a", fleet), Scenario("b", replace(fleet, weight=np.full(n, 3.0))))
    assert found == Difference(f"weight, average of {n} agents", None, 1.0, 3.0)
    renamed = replace(fleet, agents=[f"x{i}" for i in range(n)])
    assert differences(Scenario("a", fleet), Scenario("b", renamed)) == [
        Difference(f"{n} agents left out", None, "there", None),
        Difference(f"{n} agents added", None, None, "there"),
    ]


# Out and in again


def test_a_full_tray_comes_back_from_its_file_and_its_link():
    assert read_tray(write_tray(FULL).encode()) == FULL
    link = to_link(FULL)
    assert link is not None
    assert len(link) < 1500
    assert from_link(link) == FULL


def test_a_file_read_and_written_again_is_the_same_file():
    text = write_tray(FULL)
    assert write_tray(read_tray(text.encode())) == text
    assert write_tray(read_tray(b"\xef\xbb\xbf" + text.encode())) == text
    json.loads(text)


TEXTS = st.text(min_size=1, max_size=LONGEST_NAME).filter(lambda text: bool(text.strip()) and text.isprintable())


@st.composite
def trays(draw: st.DrawFn) -> Tray:
    """A tray of any fleets, by rules and by hand."""
    tray = None
    for _ in range(draw(st.integers(1, 3))):
        problem = draw(problems(resources=(1, 2, 3), most_agents=5))
        shape = (problem.n, problem.m)
        amounts = st.lists(st.floats(0, 1e9), min_size=problem.n * problem.m, max_size=problem.n * problem.m)
        by_hand = draw(st.booleans())
        scenario = Scenario(
            draw(TEXTS),
            problem,
            draw(TEXTS) if by_hand else draw(st.sampled_from([*fs.RULES, "alpha=0.5"])),
            given=np.array(draw(amounts)).reshape(shape) if by_hand else None,
            error=np.array(draw(amounts)).reshape(shape) if draw(st.booleans()) else None,
        )
        tray = Tray.of(scenario) if tray is None else tray.keep(scenario)
    assert tray is not None
    return tray.compare_with(draw(st.sampled_from(names(tray)))).select(draw(st.sampled_from(names(tray))))


@FEWER
@given(trays())
def test_any_tray_comes_back_from_its_file_and_from_its_link(tray):
    text = write_tray(tray)
    found = read_tray(text.encode())
    assert found == tray
    assert write_tray(found) == text
    link = to_link(tray)
    assert link is None or (len(link) <= LONGEST_LINK and from_link(link) == tray)


@given(
    st.integers(1, 60), st.sampled_from(Setting), st.integers(0, 5), st.floats(0.01, 9), st.lists(st.integers(0, 59))
)
def test_a_drawn_fleet_with_edits_comes_back_from_a_short_link(agents, setting, seed, amount, places):
    spec = FleetSpec(agents=agents, setting=setting, seed=seed)
    fleet = spec.problem()
    ceiling = np.array(fleet.ceiling)
    ceiling[[place % agents for place in places]] = amount
    edited = replace(fleet, ceiling=ceiling, capacity=fleet.capacity * amount, saturation=np.inf)
    tray = Tray.of(Scenario("drawn", fleet, base=spec)).keep(Scenario("edited", edited, base=spec))
    link = to_link(tray)
    assert link is not None
    assert from_link(link) == tray


def test_numbers_of_another_kind_are_written_like_any():
    spec = FleetSpec(agents=np.int64(3), local_compute=np.float64(0.1), spread=1)  # type: ignore[arg-type]
    tray = Tray.of(Scenario("a", spec.problem(), base=spec))
    assert read_tray(write_tray(tray).encode()) == tray
    assert from_link(to_link(tray) or "") == tray


def test_ten_thousand_agents_fit_a_link_as_drawn_and_a_file_in_any_case():
    spec = FleetSpec(agents=10_000)
    drawn = Tray.of(Scenario("drawn", spec.problem(), base=spec))
    link = to_link(drawn)
    assert link is not None
    assert len(link) < 300
    assert from_link(link) == drawn
    own = Tray.of(Scenario("own", spec.problem()))
    assert to_link(own) is None
    assert read_tray(write_tray(own).encode()) == own


def test_a_name_that_a_file_cannot_hold_is_refused_and_makes_no_link():
    tray = Tray.of(Scenario("a", replace(PAIR, agents=["half \ud800", "b"])))
    with pytest.raises(fs.ProblemError, match="half a character"):
        write_tray(tray)
    assert to_link(tray) is None


# What is refused


def document(**changes: Any) -> bytes:
    """A good file, changed at the top."""
    return json.dumps(json.loads(write_tray(FULL)) | changes).encode()


def entry(**changes: Any) -> bytes:
    """A good file of one scenario, changed there."""
    good = json.loads(write_tray(Tray.of(Scenario("a", PAIR))))
    good["scenarios"][0] |= changes
    return json.dumps(good).encode()


BAD: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "is not JSON text"),
    "not text": (b"\xff\xfe\x00", "is not JSON text"),
    "a fleet": (write_json(PAIR).encode(), "looks like a fleet: open it in the sidebar"),
    "another format": (b'{"format": "vega", "version": 1}', "is not a tray of scenarios"),
    "a list": (b"[1, 2]", "is not a tray of scenarios"),
    "a number of thousands of digits": (b"9" * 5000, "is not JSON text"),
    "nested deeply": (b"[" * 100_000, "is not JSON text"),
    "cut": (write_tray(FULL).encode()[:-40], "is not JSON text"),
    "newer": (document(version=2), "has version 2, and this fairsynergy reads up to 1; open it with a newer one"),
    "a version in words": (document(version="1"), "`version` must be a whole number"),
    "a version that is true": (document(version=True), "`version` must be a whole number"),
    "no version": (document(version=None), "`version` must be a whole number"),
    "no scenarios": (document(scenarios=[]), "`scenarios` must be a list"),
    "scenarios of no kind": (document(scenarios=[1]), "`scenarios` must be a list"),
    "too many": (document(scenarios=[{}] * 201), "at most 200 go together"),
    "nothing selected": (document(selected=None), "`selected` and `reference` must be names"),
    "somebody else selected": (document(selected="x"), "there is no scenario 'x'"),
    "no name": (entry(name=None), "`name` and `rule` must be texts"),
    "no rule": (entry(rule=3), "`name` and `rule` must be texts"),
    "unknown rule": (entry(rule="fairest"), "scenario 'a': there is no rule 'fairest'"),
    "no fleet": (entry(fleet=None), "scenario 'a': `fleet` must be an object"),
    "a wrong fleet": (entry(fleet={"capacity": {"compute": -1}, "agents": [{"compute": 1, "gamma_compute": 0.5}]}),
                      "scenario 'a': `capacity[0]` (compute) must be finite"),
    "grants in words": (entry(given=[["much"]]), "scenario 'a': `given` must be a list"),
    "grants in rows of many lengths": (entry(given=[[0.1], [0.1, 0.2]]), "scenario 'a': `given` must be a list"),
    "grants for somebody else": (entry(given=[[0.1]]), "`grant` has shape (1, 1)"),
    "grants that are none": (entry(given=[[float("nan")], [0.1]]), "must be finite and >= 0"),
    "huge grants": (entry(given=[[10**400], [0]]), "scenario 'a': `given` must be a list"),
    "errors below zero": (entry(error=[[-1], [0]]), "`error` must be one finite number"),
    "unknown preset": (entry(preset="Fleet Z"), "scenario 'a': there is no preset 'Fleet Z'"),
    "a preset of no kind": (entry(preset=[]), "there is no preset '[]'"),
    "drawn by nothing": (entry(drawn=3), "`drawn` must be an object"),
    "drawn by something new": (entry(drawn={"colour": 3}), "`drawn` must be an object"),
    "drawn wrongly": (entry(drawn={"agents": -3}), "`agents` must be a whole number >= 1"),
    "drawn nowhere": (entry(drawn={"setting": "X"}), "`setting` must be RTI or DL"),
    "drawn in no setting": (entry(drawn={"setting": {}}), "`setting` must be RTI or DL"),
    "drawn without end": (entry(drawn={"agents": 10**15}), "more than the 100,000"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "words"), BAD.values(), ids=list(BAD))
def test_a_file_that_is_no_tray_is_refused_in_one_line(data, words):
    with pytest.raises(fs.ProblemError) as refusal:
        read_tray(data, name="plans.json")
    message = str(refusal.value)
    assert message.startswith("plans.json")
    assert words in message
    assert "\n" not in message
    assert len(message) < 400


def packed(link: Any) -> str:
    data = link if isinstance(link, bytes) else json.dumps(link).encode()
    return base64.urlsafe_b64encode(zlib.compress(data, 9)).decode().rstrip("=")


def linked(**changes: Any) -> str:
    """A good link of one scenario, changed there."""
    one = {"name": "a", "rule": "NUM", "drawn": {"agents": 3}, "edits": {}} | changes
    return packed({"version": 1, "selected": "a", "reference": "a", "scenarios": [one]})


def many(*starts: dict[str, Any]) -> dict[str, Any]:
    """The document of a link of 20 scenarios; the last of the starts is that of all after it."""
    given = [*starts, *[starts[-1]] * 20][:20]
    scenarios = [{"name": str(i), "rule": "NUM", "edits": {}} | start for i, start in enumerate(given)]
    return {"version": 1, "selected": "0", "reference": "0", "scenarios": scenarios}


def test_the_links_to_spoil_are_good():
    (scenario,) = from_link(linked()).scenarios
    assert scenario.problem == FleetSpec(agents=3).problem()
    assert from_link(linked(edits={"ceiling": [[1], [0.5]]})).current.problem.ceiling[1, 0] == 0.5


BAD_LINKS = {
    "nothing": ("", "holds no tray"),
    "words": ("hello world", "holds no tray"),
    "other alphabets": ("Ωé", "holds no tray"),
    "not compressed": (base64.urlsafe_b64encode(b'{"version": 1}').decode(), "holds no tray"),
    "no object": (packed([]), "holds no tray"),
    "a bomb": (packed(b"[" + b"0," * LARGEST + b"0]"), "holds no tray"),
    "a bomb that is JSON": (packed(b'{"version": 1}' + b" " * LARGEST), "holds no tray"),
    "nested deeply": (packed(b"[" * 100_000), "holds no tray"),
    "newer": (packed({"version": 2}), "was made by a newer fairsynergy"),
    "no scenarios": (packed({"version": 1}), "`scenarios` must be a list"),
    "no fleet": (linked(drawn={}, edits=None), "its fleet is missing"),
    "like nobody": (linked(like=3), "its fleet is missing"),
    "like itself": (linked(like=0), "its fleet is missing"),
    "like a text": (linked(like="a"), "its fleet is missing"),
    "like true": (linked(like=True), "its fleet is missing"),
    "drawn without end": (linked(drawn={"agents": 10**9}), "more than the 100,000"),
    "drawn again and again": (packed(many({"drawn": {"agents": 60_000}})), "and a link up to 100,000"),
    "one large fleet copied": (packed(many({"drawn": {"agents": 60_000}}, {"like": 0})), "and a link up to 100,000"),
    "a spread of 400 digits": (linked(drawn={"spread": 10**400}), "`spread` must be"),
    "elasticities of 400 digits": (linked(drawn={"gamma_compute": [0.1, 10**400]}), "`gamma_compute` must be"),
    "a rule of 5,000 letters": (linked(rule="a" * 5000), "a scenario's rule must have 1 to 60 printable characters"),
    "an unknown field": (linked(edits={"colour": [[0], [1]]}), "its changes cannot be read"),
    "an edit nowhere": (linked(edits={"floor": [[99], [1]]}), "its changes cannot be read"),
    "an edit from the end": (linked(edits={"floor": [[-1], [1]]}), "its changes cannot be read"),
    "fewer numbers": (linked(edits={"floor": [[0, 1], [1]]}), "its changes cannot be read"),
    "a huge number": (linked(edits={"floor": [[0], [10**400]]}), "its changes cannot be read"),
    "no number": (linked(edits={"floor": [[0], [{}]]}), "its changes cannot be read"),
    "places of no kind": (linked(edits={"floor": [{}, [1]]}), "its changes cannot be read"),
    "a wrong number": (linked(edits={"capacity": [[0], [-1]]}), "`capacity[0]` (compute) must be finite"),
    "a wrong fleet": (linked(fleet={"agents": []}), "`agents` must be a list"),
}


@pytest.mark.parametrize(("text", "words"), BAD_LINKS.values(), ids=list(BAD_LINKS))
def test_a_link_that_is_no_tray_is_refused_in_one_line(text, words):
    with pytest.raises(fs.ProblemError) as refusal:
        from_link(text)
    message = str(refusal.value)
    assert message.startswith("the link")
    assert words in message
    assert "\n" not in message


def test_a_tray_of_more_agents_than_a_link_may_have_has_none():
    drawn = FleetSpec(agents=60_000)
    one = Scenario("a", drawn.problem(), "NUM", base=drawn)
    assert to_link(Tray.of(one)) is not None
    assert to_link(Tray.of(one).keep(one)) is None


def test_a_link_that_was_cut_anywhere_is_refused():
    link = to_link(FULL)
    assert link is not None
    for length in range(0, len(link) - 1, 7):
        with pytest.raises(fs.ProblemError):
            from_link(link[:length])


@given(st.text(max_size=80))
def test_any_letters_are_a_tray_or_refused(text):
    with pytest.raises(fs.ProblemError):
        from_link(text)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_tray_or_refused(data):
    with pytest.raises(fs.ProblemError):
        read_tray(data)


MUTATIONS = st.sampled_from([None, True, -1, 0.5, "x", [], {}, [[]], {"x": 1}, 1e308, 10**30])


@given(st.data())
def test_any_part_of_a_file_may_be_wrong(data):
    """One value anywhere in a good file is replaced: it is read or refused, never anything else."""
    good = json.loads(write_tray(FULL))
    node: Any = good
    while True:
        keys = list(node) if isinstance(node, dict) else range(len(node))
        key = data.draw(st.sampled_from(keys))
        inner = node[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.integers(0, 3)) == 0:
            node[key] = data.draw(MUTATIONS)
            break
        node = inner
    with suppress(fs.ProblemError):
        read_tray(json.dumps(good).encode())
