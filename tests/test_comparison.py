"""Tables and specifications behind the charts that compare rules; the drawing itself is left to the browser tests."""

import json

import numpy as np
import pytest

import fairsynergy as fs
from fairsynergy.charts import city, comparison, palette, plans, whatif
from fairsynergy.fleets import PRESETS, FleetSpec, Setting

FLEET_B = PRESETS["Fleet B"].problem


def solve(problem):
    return {name: fs.allocate(problem, policy) for name, policy in fs.POLICIES.items()}


ALL = solve(FLEET_B)
TABLE = comparison.rules(ALL, "NUM")


def fields(spec):
    """Every column that a specification reads, but for those it makes itself."""
    made = {name for step in steps(spec, "transform") for name in steps(step, "as")}
    return set(steps(spec, "field")) - made


def steps(node, key):
    """All values under the key, however deep; lists are opened."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name == key:
                yield from value if isinstance(value, list) else [value]
            yield from steps(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from steps(value, key)


def test_one_row_per_rule_in_the_papers_order_and_one_chosen():
    assert list(TABLE.rule) == list(fs.POLICIES)
    assert list(TABLE.rule[TABLE.chosen]) == ["NUM"]
    np.testing.assert_array_equal(TABLE["mean"], [a.mean for a in ALL.values()])
    before = FLEET_B.utility(np.zeros((10, 2)))
    assert (TABLE.worst_before == before.min()).all()


def test_every_rule_has_a_colour_and_a_shape_of_its_own():
    assert list(palette.RULES)[: len(fs.POLICIES)] == list(fs.POLICIES)
    assert len({mark.colour for mark in palette.RULES.values()}) == len(palette.RULES)
    assert len({mark.shape for mark in palette.RULES.values()}) == len(palette.RULES)


def test_specifications_read_only_columns_that_the_tables_have():
    agents = comparison.agents(ALL["NUM"], "by gain")
    bins = comparison.distribution(agents, "own_labels", "granted_labels", ("own", "granted"))
    for spec, table in (
        (comparison.DUMBBELLS, TABLE),
        (comparison.MAP, comparison.outcomes(TABLE)),
        (comparison.bars("NUM", "labels"), agents),
        (comparison.gains("NUM"), agents),
        (comparison.amounts("NUM", "labels"), bins),
        (comparison.accuracies("NUM"), bins),
    ):
        assert fields(spec) <= set(table.columns)
        assert "data" not in spec
        json.dumps(spec)


def test_dominated_rules_are_marked_with_what_beats_them():
    points = comparison.outcomes(TABLE).set_index("rule")
    assert points.standing["Random"].startswith("dominated by ")
    assert points.standing["Leximin"] == comparison.UNDOMINATED
    assert points.standing["Fair-Synergy"] == comparison.UNDOMINATED


@pytest.mark.parametrize("setting", Setting)
@pytest.mark.parametrize("agents", [1, 2, 10, 100])
def test_labels_of_the_map_name_every_rule_once_and_stay_near(setting, agents):
    table = comparison.rules(solve(FleetSpec(agents=agents, setting=setting).problem()), "NUM")
    points = comparison.outcomes(table)
    named = ", ".join(label for label in points.label if label)
    if "every rule" not in named:
        assert sorted(named.split(", ")) == sorted(points.rule)
    assert np.isfinite(points[["label_x", "label_y"]]).all(axis=None)
    wide = max(np.ptp(points.worst), comparison.LEAST_SPAN)
    high = max(np.ptp(points["mean"]), comparison.LEAST_SPAN)
    assert (abs(points.label_x - points.worst) <= 0.1 * wide).all()
    assert (abs(points.label_y - points["mean"]) <= 0.3 * high).all()


@pytest.mark.parametrize("order", comparison.ORDERS)
def test_agents_keep_their_numbers_in_every_order(order):
    table = comparison.agents(ALL["Leximin"], order).set_index("agent")
    for i, name in enumerate(FLEET_B.agents):
        assert table.after[name] == ALL["Leximin"].utility[i]
        assert table.granted_compute[name] == ALL["Leximin"].grant[i, 0]
        assert table.place[name] == i


def test_a_search_marks_whom_it_finds():
    table = comparison.agents(ALL["NUM"], "by name", " AGENT 1")
    assert list(table.agent[table.found]) == ["agent 1", "agent 10"]
    assert not comparison.agents(ALL["NUM"], "by name", "  ").found.any()
    assert not comparison.agents(ALL["NUM"], "by name", "agent.*").found.any()


@pytest.mark.parametrize("agents", [1, 41, 3000])
def test_a_distribution_counts_every_agent_once(agents):
    problem = FleetSpec(agents=agents).problem()
    table = comparison.agents(fs.allocate(problem, fs.NUM()), "by gain", "agent 7")
    bins = comparison.distribution(table, "before", "after", ("before", "after"))
    counted = bins[bins.agent == ""].groupby("part")["count"].sum()
    assert counted.to_dict() == {"before": agents, "after": agents}
    assert set(bins.agent) - {""} == set(table.agent[table.found])


def test_no_number_of_a_dumbbell_lies_on_what_was_before_the_cloud():
    for spec in (comparison.DUMBBELLS, whatif.SCENARIOS):
        (text,) = [
            layer["mark"] for layer in spec["layer"] if layer["encoding"].get("text", {}).get("field") == "worst_text"
        ]
        (bar,) = [layer["mark"] for layer in spec["layer"] if layer["mark"]["type"] == "bar"]
        assert bar["yOffset"] - bar["height"] / 2 >= text["dy"] + comparison.TEXT / 2


def test_no_label_of_the_map_lies_on_a_mark_of_another_rule():
    """NUM's lay on Uniform's square: the map was taken for larger than it is, and marks for smaller."""
    fleet = FleetSpec(setting=Setting.DL).problem()
    points = comparison.outcomes(comparison.rules(solve(fleet), "NUM"))
    low, high = points[["left", "bottom"]].to_numpy()[0], points[["right", "top"]].to_numpy()[0]
    width, height = 270, 145  # of its inside, measured on a laptop's screen

    def pixels(x, y):
        return (points[x] - low[0]) / (high[0] - low[0]) * width, (points[y] - low[1]) / (high[1] - low[1]) * height

    (x, y), (label_x, label_y) = pixels("worst", "mean"), pixels("label_x", "label_y")
    for i, label in enumerate(points.label):
        reach = comparison.LETTER * len(label)
        start = label_x[i] - {"right": 0, "left": reach, "middle": reach / 2}[points.side[i]]
        for j in range(len(points)) if label else ():
            aside = x[j] + 7 <= start or x[j] - 7 >= start + reach
            assert aside or abs(y[j] - label_y[i]) >= 7, (label, points.rule[j])


def test_axes_speak_of_utility_where_somebody_exceeds_1():
    for spec in (comparison.DUMBBELLS, comparison.MAP, comparison.gains("NUM"), comparison.accuracies("NUM")):
        assert comparison.called(spec, "accuracy") is spec
        said = json.dumps(comparison.called(spec, "utility"))
        assert "share correct" not in said
        assert "ccuracy (" not in said
        assert "tility (not a share)" in said


def test_signs_of_a_legend_of_shapes_are_seen_on_black():
    (shape,) = [
        layer["encoding"]["shape"]
        for layer in city.over_cities_spec("latency")["layer"]
        if "shape" in layer["encoding"]
    ]
    assert shape["legend"]["symbolFillColor"] == shape["legend"]["symbolStrokeColor"] == palette.FAINT


def test_means_that_agree_within_a_hair_have_an_axis_with_more_than_one_tick():
    rows = plans.moves([0, 1], [0, 0], [0.362, 0.362])
    assert (rows.high - rows.low).min() >= comparison.LEAST_SPAN
    drawn = fields(plans.moves_specs()[1])
    assert {"low", "high"} <= drawn <= set(rows.columns)
