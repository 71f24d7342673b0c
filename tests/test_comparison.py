"""Tables and specifications behind the charts that compare rules; the drawing itself is left to the browser tests."""

import json

import numpy as np
import pytest

import fairsynergy as fs
from fairsynergy.charts import comparison, palette
from fairsynergy.scenarios import PRESETS, FleetSpec, Setting

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
