"""Pictures of plans: tables that hold what was found, and specifications that draw it."""

import json

import numpy as np
import pandas as pd
import pytest
import vl_convert

import fairsynergy as fs
from fairsynergy.analysis import planning
from fairsynergy.charts import edge as edges
from fairsynergy.charts import plans
from fairsynergy.charts.reports.report import DIALECT
from fairsynergy.collaborative import RULES, draw_edge
from fairsynergy.fleets import PRESETS

B = PRESETS["Fleet B"].problem
DOUBT = planning.uncertain(B, {"Leximin": fs.Leximin(), "NUM": fs.NUM()}, 0.05, draws=50)


def marks(spec, **tables):
    """How many marks of each kind a specification draws, in the words that Vega gives a screen reader."""
    rows = {name: json.loads(table.to_json(orient="records")) for name, table in tables.items()}
    whole = spec | {"datasets": rows, "width": 400, "height": 300}
    if "layer" in spec and not any("data" in layer for layer in spec["layer"]):
        whole["data"] = {"name": next(iter(rows))}
    drawn = vl_convert.vegalite_to_svg(whole, vl_version=DIALECT, allowed_base_urls=[])
    return {kind: drawn.count(f'aria-roledescription="{kind}"') for kind in ("rect mark", "line mark", "point", "tick")}


def test_a_heat_map_has_a_cell_for_each_cloud_around_its_capacities():
    grid = planning.outcome_grid(B, fs.Uniform(), [0.0, 1.0, 2.0], [0.5, 1.0], planning.Mean())
    cells = plans.heat(grid.first, grid.second, grid.value)
    assert len(cells) == 6
    assert (cells.x <= cells["first"]).all()
    assert (cells["first"] <= cells.x2).all()
    assert (cells.y < cells["second"]).all()
    assert (cells["second"] < cells.y2).all()
    for cell in cells.itertuples():
        problem = fs.Problem(
            endowment=B.endowment, capacity=[cell.first, cell.second], elasticity=B.elasticity, saturation=B.saturation
        )
        assert cell.level == pytest.approx(fs.allocate(problem, fs.Uniform()).mean)


def test_the_isocost_line_holds_what_the_budget_buys():
    prices = np.array([2.0, 0.5])
    line = plans.isocost(3.0, prices)
    assert (line[["x", "y"]].to_numpy() @ prices == 3.0).all()


def test_the_heat_map_draws_cells_line_and_spots():
    grid = planning.outcome_grid(B, fs.Uniform(), [0.0, 1.0, 2.0], [0.5, 1.0], planning.Mean())
    drawn = marks(
        plans.heat_spec("compute", "labels", "Mean accuracy"),
        cells=plans.heat(grid.first, grid.second, grid.value),
        line=plans.isocost(2.0, np.ones(2)),
        spots=plans.spots({"best split": np.array([1.0, 1.0]), "now": B.capacity}),
    )
    assert drawn["rect mark"] == 6
    assert drawn["line mark"] == 1
    assert drawn["point"] == 2


@pytest.mark.parametrize("question", ["kept", "known"])
@pytest.mark.parametrize("measure", ["mean", "worst", "best"])
def test_bands_are_those_found(question, measure):
    rows = plans.bands(DOUBT, question, measure)
    assert list(rows.rule) == ["Leximin", "NUM"]
    for row in rows.itertuples():
        values = getattr(getattr(DOUBT.prospects[row.rule], question), measure)
        np.testing.assert_allclose([row.low, row.median, row.high], np.quantile(values, [0.05, 0.5, 0.95]))
        assert row.today == getattr(DOUBT.prospects[row.rule].plan, measure)
    drawn = marks(plans.bands_spec(tuple(rows.rule), "Mean accuracy"), rows=rows)
    assert drawn["point"] == 2


def test_promises_are_counted_in_percent_of_the_draws():
    table = plans.promises_table(DOUBT).set_index("Rule")
    for name, prospect in DOUBT.prospects.items():
        assert table.loc[name, "Envy-free [%]"] == round(100 * prospect.promises.envy_free.mean(), 1)
        assert table.loc[name, "Highest mean [%]"] == round(100 * prospect.kept.leads_mean.mean(), 1)


def test_of_many_agents_the_least_sure_are_drawn():
    rng = np.random.default_rng(1)
    fleet = fs.Problem(endowment=rng.random(60) / 10, capacity=5, elasticity=rng.uniform(0.2, 0.8, 60), saturation=1)
    error = np.where(np.arange(60) < 10, 0.1, 0.001)
    found = planning.uncertain(fleet, {"NUM": fs.NUM()}, error[:, None], draws=50)
    drawn = plans.agents_bands(found, "NUM")
    assert len(drawn) == plans.DRAWN
    assert {f"agent {i + 1}" for i in range(10)} <= set(drawn.agent)
    assert plans.describe_agents(found, len(drawn)).startswith("The 40 agents whose accuracy is least sure")


def test_moves_fall_as_their_price_rises_and_are_drawn():
    fleet = PRESETS["Fleet A"].problem
    equal = fs.allocate(fleet, fs.Uniform()).grant
    prices = [0.0, 0.5, 100.0]
    found = [planning.change(fs.allocate(fleet, fs.Replan(equal, price))) for price in prices]
    rows = plans.moves(prices, [plans.part_moved(each) for each in found], [each.allocation.mean for each in found])
    assert rows.moved.is_monotonic_decreasing
    assert rows.moved.iloc[0] == pytest.approx(found[0].moved.sum() / equal.sum())
    assert rows.moved.iloc[-1] == 0
    for spec, points in zip(plans.moves_specs(), (1, 3), strict=True):  # two more, unseen, are the ends of an axis
        assert marks(spec, rows=rows, now=rows[:1]) | {"tick": 0} == {
            "rect mark": 0, "line mark": 1, "point": points, "tick": 0,
        }  # fmt: skip


def test_the_best_share_is_said_and_marked():
    curve = plans.curve(np.array([0.0, 0.4, 1.0]), np.array([0.2, 0.5, 0.3]))
    said = plans.describe_share(curve, "compute")
    assert said.startswith("Best where 40 % of the money buys compute: 0.50")
    assert marks(plans.share_spec("compute", "Mean"), curve=curve, best=curve[1:2])["point"] == 1


@pytest.mark.parametrize("rule", RULES)
def test_an_edge_is_drawn_under_every_rule(rule):
    sharings = {name: split(draw_edge(devices=6, multiprocessors=24)) for name, split in RULES.items()}
    rows = edges.shares(sharings, rule)
    assert rows.exact_cost.is_monotonic_decreasing
    assert rows.share.sum() == pytest.approx(24)
    assert marks(edges.shares_spec(rule, many=False), rows=rows)["tick"] == 6
    costs = edges.costs(sharings)
    assert isinstance(costs, pd.DataFrame)
    firsts = costs[costs["rank"] == 1].set_index("rule").cost
    assert firsts[rule] == sharings[rule].worst
    assert marks(edges.COSTS, rows=costs)["line mark"] == len(RULES)
