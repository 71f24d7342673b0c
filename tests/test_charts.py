"""Utility surfaces and Allocations: valid specifications, filled with numbers that are the library's."""

import json
from base64 import b64decode

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictures import EveryPicture
from strategies import problems

import fairsynergy as fs
from fairsynergy.charts import allocations, palette, surfaces
from fairsynergy.fleets import PRESETS, FleetSpec, Setting
from fairsynergy.words.explain import going_price, last_unit, next_unit

FLEET_A, FLEET_B = PRESETS["Fleet A"].problem, PRESETS["Fleet B"].problem
HUNDRED = FleetSpec(agents=100, setting=Setting.DL).problem()
THREE = fs.Problem(
    endowment=[[0.1, 0.2, 0.3], [0.3, 0.1, 0.2]], elasticity=[[0.2, 0.3, 0.4], [0.5, 0.2, 0.2]], capacity=[1, 1, 1],
    resources=["compute", "labels", "bandwidth"], saturation=[1.0, np.inf, 0.8],
)  # fmt: skip


def solved(problem, *rules):
    return {name: fs.allocate(problem, fs.POLICIES[name]) for name in rules or fs.POLICIES}


def landscape(problem, agent=0, rule="Fair-Synergy", axes=(0, 1)):
    chosen = solved(problem, rule)
    return surfaces.Landscape(chosen[rule], agent, surfaces.reach(chosen.values()), axes)


def pictures():
    """Every Vega-Lite picture of both pages, with the tables that fill it."""
    pair = solved(FLEET_B, "NUM", "Fair-Synergy")
    drawn = allocations.pick(pair["NUM"], order="name")
    price = going_price(pair)
    view = landscape(FLEET_B, agent=4)
    planes = view.planes(1, 1, 1)
    for cut in surfaces.CUTS:
        twin = surfaces.twin(view, cut, planes=planes, rule="NUM", colour="#000000")
        yield f"twin {cut}", twin.spec, twin.tables
    curve = solved(FLEET_A, "Fair-Synergy")["Fair-Synergy"]
    yield (
        "curve",
        surfaces.curve_spec("compute", "#000000"),
        surfaces.curves(curve, agent=5, resource=0, reach=np.array([0.3]), price=curve.price),
    )
    for rule, levelled in (("NUM", True), ("Fair-Synergy", False)):
        tables = allocations.stacks(pair, rule, 1, drawn)
        yield f"stack {rule}", allocations.stack_spec(rule, "labels", levelled=levelled), tables
    yield "accuracy", allocations.accuracy_spec("NUM"), allocations.accuracies(pair, "NUM", drawn)
    yield (
        "marginal",
        allocations.marginal_spec("labels", "NUM", "Fair-Synergy"),
        allocations.marginals(pair, 1, drawn, price=price),
    )
    yield "envy", allocations.envy_spec("NUM"), allocations.envies(pair, "NUM", drawn)


@pytest.mark.parametrize(("spec", "tables"), [pytest.param(s, t, id=i) for i, s, t in pictures()])
class TestEveryPicture(EveryPicture):
    pass


def test_a_specification_is_built_once():
    assert allocations.stack_spec("NUM", "x", levelled=True) is allocations.stack_spec("NUM", "x", levelled=True)
    assert surfaces.slice_spec(0, "x", "y") is surfaces.slice_spec(0, "x", "y")


# The landscape of one agent.


@pytest.mark.parametrize("problem", [FLEET_B, HUNDRED, THREE], ids=["B", "hundred", "three"])
def test_the_landscape_is_the_problems_utility(problem):
    for rule, allocation in solved(problem, "Fair-Synergy", "Random").items():
        for agent in range(0, problem.n, 7):
            view = landscape(problem, agent, rule)
            assert float(view.accuracy(*view.after)) == pytest.approx(allocation.utility[agent], rel=1e-12)
            np.testing.assert_allclose(
                view.slope(*view.after), next_unit(problem, allocation.grant)[agent, :2], rtol=1e-12
            )


def test_the_landscape_takes_any_two_of_many_resources():
    view = landscape(THREE, agent=1, axes=(2, 0))
    assert view.names == ("bandwidth", "compute")
    bandwidth, compute = 0.5, 0.4
    labels = view.allocation.holding[1, 1]
    by_hand = compute**0.5 * labels**0.2 * bandwidth**0.2
    assert float(view.accuracy(bandwidth, compute)) == pytest.approx(by_hand, rel=1e-12)


def test_the_axes_reach_every_holding_under_every_rule():
    chosen = solved(HUNDRED)
    far = surfaces.reach(chosen.values())
    assert all((a.holding < far).all() for a in chosen.values())
    nothing = solved(fs.Problem(endowment=[0.0], capacity=0.0, elasticity=[0.5]), "Uniform")
    assert surfaces.reach(nothing.values()) == [1.0]


@given(problems(mild=True, resources=(2,)), st.floats(0.01, 0.99), st.integers(0, 11))
def test_an_isoquant_has_one_accuracy_and_stays_inside(problem, fraction, agent):
    view = landscape(problem, agent % problem.n, "Uniform")
    level = fraction * view.top
    points = view.isoquant(level)
    np.testing.assert_allclose(view.accuracy(*points[1:].T), level, rtol=1e-9)  # the first ends at the upper edge
    assert (points >= 0).all()
    assert (points <= view.far * (1 + 1e-12)).all()
    assert (np.diff(points[:, 0]) >= 0).all()
    assert (np.diff(points[:, 1]) <= 0).all()


def test_an_isoquant_out_of_reach_is_empty():
    view = landscape(FLEET_B)
    assert len(view.isoquant(1.01 * view.top)) == len(view.isoquant(0.0)) == 0


def test_planes_go_through_the_agent_and_stay_in_the_picture():
    view = landscape(FLEET_B, agent=4)
    y, x, level = view.planes(1, 1, 1)
    assert (x, y) == tuple(view.after)
    assert level == pytest.approx(view.allocation.utility[4], rel=1e-12)
    y, x, level = view.planes(99, 99, 99)
    assert (x, y, level) == (*view.far, view.top)
    assert view.planes(0, 0, 0) == (0, 0, 0)


def test_planes_move_even_for_an_agent_that_holds_nothing():
    fleet = fs.Problem(
        endowment=[[0, 0], [1, 1]], capacity=[1, 1], elasticity=[[0.3, 0.3]] * 2, ceiling=[[0, 0], [9, 9]]
    )
    view = landscape(fleet, agent=0)
    assert np.all(np.array(view.planes(2, 2, 2)) > view.planes(1, 1, 1))
    assert min(view.planes(1, 1, 1)) > 0


# The picture in three dimensions.


def picture(view, show=surfaces.CUTS):
    return surfaces.picture(view, planes=view.planes(1, 1, 1), show=show, colour="#009E73")


def drawn(view, show=surfaces.CUTS):
    """The picture as Plotly reads it; a name or value that Plotly does not know raises."""
    figure = picture(view, show)
    go.Figure(figure)
    for trace in figure["data"]:
        for name, value in trace.items():
            if isinstance(value, dict) and "bdata" in value:
                trace[name] = np.frombuffer(b64decode(value["bdata"]), dtype=value["dtype"])
    return go.Figure(figure)


def test_the_surface_is_the_librarys():
    view = landscape(FLEET_B, agent=4)
    surface = drawn(view).data[0]
    expected = view.accuracy(np.array(surface.x, dtype=float), np.array(surface.y, dtype=float))
    np.testing.assert_allclose(surface.z, expected, rtol=1e-5, atol=1e-6)
    assert surface.x[0] == surface.y[0] == 0
    assert surface.x[-1] == pytest.approx(view.far[0])
    corners = np.stack([surface.x, surface.y], axis=1)[np.stack([surface.i, surface.j, surface.k])]
    (right, up), (across, along) = (corners[1] - corners[0]).T, (corners[2] - corners[0]).T
    assert np.abs(right * along - up * across).sum() / 2 == pytest.approx(view.far.prod())  # no hole, no overlap


def test_lines_of_equal_accuracy_lie_on_the_surface():
    view = landscape(FLEET_B, agent=4)
    lines = drawn(view).data[1]
    on = ~np.isnan(lines.x)
    height = view.accuracy(np.array(lines.x, dtype=float)[on], np.array(lines.y, dtype=float)[on])
    assert np.all(np.abs(lines.z[on] - height) < 0.01 * view.top)
    assert np.isnan(lines.x).sum() == surfaces.CONTOURS - 1


def test_each_plane_is_a_wall_and_the_line_in_which_it_cuts():
    view = landscape(FLEET_B, agent=4)
    bare = len(drawn(view, show=()).data)
    assert [len(drawn(view, show=surfaces.CUTS[:count]).data) - bare for count in range(4)] == [0, 2, 4, 6]
    walls = [trace for trace in drawn(view).data[1:] if trace.type == "mesh3d"]
    y, x, level = np.float32(view.planes(1, 1, 1))
    assert (set(walls[0].y), set(walls[1].x), set(walls[2].z)) == ({y}, {x}, {level})
    for wall, line in zip(drawn(view).data[2:8:2], drawn(view).data[3:9:2], strict=True):
        assert wall.color == line.line.color
        height = view.accuracy(np.array(line.x, dtype=float), np.array(line.y, dtype=float))
        assert np.all(np.abs(line.z - height) < 0.01 * view.top)  # on the surface, lifted to be seen


def test_the_agent_is_on_the_surface_before_and_after():
    view = landscape(FLEET_B, agent=4)
    ends = drawn(view).data[-1]
    np.testing.assert_allclose([ends.x[0], ends.y[0]], FLEET_B.endowment[4], rtol=1e-6)
    np.testing.assert_allclose([ends.x[1], ends.y[1]], view.allocation.holding[4], rtol=1e-6)


def test_the_camera_does_not_look_along_the_rays_of_the_surface():
    for eye in surfaces.views("compute", "labels").values():
        # Plotly's default, (1.25, 1.25, 1.25), lies on the ray through the far corner.
        assert np.dot(eye, [1, 1, 1]) / np.linalg.norm(eye) / np.sqrt(3) < 0.75
    layout = drawn(landscape(FLEET_B)).layout.scene
    assert (layout.camera.eye.x, layout.camera.eye.y, layout.camera.eye.z) == surfaces.CORNER
    assert layout.xaxis.title.text == "compute held [units]"


def test_a_picture_is_small_on_the_wire():
    assert len(json.dumps(picture(landscape(HUNDRED)))) < 45_000


def test_a_fleet_with_nothing_can_be_drawn():
    nothing = fs.Problem(endowment=[[0, 0]], capacity=[0, 0], elasticity=[[0.5, 0.5]])
    view = landscape(nothing)
    assert drawn(view).data
    for cut in surfaces.CUTS:
        assert surfaces.twin(view, cut, planes=view.planes(1, 1, 1), rule="NUM", colour="#000000").words


# Its twins.


@pytest.mark.parametrize("along", [0, 1])
def test_slices_are_the_librarys(along):
    view = landscape(FLEET_B, agent=4)
    held = float(view.after[1 - along])
    tables = surfaces.slices(view, along=along, held=held)
    for table in (tables["family"], tables["cut"], tables["point"].assign(other=held)):
        holding = np.column_stack([table.amount, table.other])[:, :: 1 if along == 0 else -1]
        np.testing.assert_allclose(table.accuracy, view.accuracy(*holding.T), rtol=1e-12)
    assert tables["point"].accuracy.item() == pytest.approx(view.allocation.utility[4], rel=1e-12)


def test_a_tangent_has_the_slope_of_the_next_unit_and_touches_at_the_agent():
    view = landscape(FLEET_B, agent=4)
    tables = surfaces.slices(view, along=0, held=float(view.after[1]))
    (x, y, slope), ends = tables["point"].iloc[0], tables["tangent"]
    assert slope == pytest.approx(next_unit(FLEET_B, view.allocation.grant)[4, 0], rel=1e-12)
    np.testing.assert_allclose(ends.accuracy, y + slope * (ends.amount - x), rtol=1e-12)
    assert ends.amount.iloc[0] < x < ends.amount.iloc[1]


def test_isoquants_carry_every_agent_before_and_after():
    view = landscape(HUNDRED, agent=17)
    moves = surfaces.isoquants(view, level=0.3)["moves"].set_index("place").sort_index()
    np.testing.assert_array_equal(moves[["x_before", "y_before"]], HUNDRED.endowment)
    np.testing.assert_array_equal(moves[["x", "y"]], view.allocation.holding)
    np.testing.assert_array_equal(moves["after"], view.allocation.utility)
    assert list(moves.index[moves.chosen]) == [17]


def test_of_a_huge_fleet_some_are_drawn_and_the_chosen_one_always():
    fleet = FleetSpec(agents=2 * surfaces.DRAWN, setting=Setting.DL).problem()
    view = landscape(fleet, agent=101)
    moves = surfaces.isoquants(view, level=0.3)["moves"]
    assert len(moves) <= surfaces.DRAWN + 1
    assert moves.place.iloc[-1] == 101  # last, so in front
    assert f"{surfaces.DRAWN} of the {fleet.n:,} agents" in surfaces.describe_isoquants(view, level=0.3, rule="NUM")


def test_curves_of_one_resource_are_the_librarys():
    allocation = fs.allocate(FLEET_A, fs.NUM())
    price = fs.allocate(FLEET_A, fs.FairSynergy()).price
    tables = surfaces.curves(allocation, agent=5, resource=0, reach=np.array([0.3]), price=price)
    curve, faint = tables["curve"], tables["faint"]
    np.testing.assert_allclose(curve.accuracy, curve.amount**0.6, rtol=1e-12)
    for name, other in faint.groupby("agent"):
        gamma = FLEET_A.elasticity[FLEET_A.agents.index(name), 0]
        np.testing.assert_allclose(other.accuracy, other.amount**gamma, rtol=1e-12)
    assert faint.agent.nunique() == FLEET_A.n - 1
    slopes = [np.diff(tables[line].accuracy) / np.diff(tables[line].amount) for line in ("tangent", "price")]
    assert slopes[0].item() == pytest.approx(next_unit(FLEET_A, allocation.grant)[5, 0], rel=1e-9)
    assert slopes[1].item() == pytest.approx(price[0], rel=1e-9)


def test_words_beside_a_curve_name_both_slopes():
    allocation = fs.allocate(FLEET_A, fs.NUM())
    price = fs.allocate(FLEET_A, fs.FairSynergy()).price
    curve, unit, going = surfaces.describe_curve(allocation, agent=4, resource=0, rule="NUM", price=price)
    assert "agent 5" in curve
    assert "γ is 0.60" in curve
    assert unit.endswith("1.65 accuracy per unit.")
    assert going.startswith("1.46 accuracy per unit")


# Who gets what.


@pytest.mark.parametrize("rule", fs.POLICIES)
@pytest.mark.parametrize("resource", [0, 1])
def test_bars_are_what_agents_own_and_are_granted(rule, resource):
    pair = solved(FLEET_B, "NUM", rule)
    positions = allocations.pick(pair[rule], order="grant")
    tables = allocations.stacks(pair, rule, resource, positions)
    parts = tables["parts"].assign(amount=lambda t: t.end - t.start)
    amounts = parts.pivot(index="agent", columns="part", values="amount").loc[[FLEET_B.agents[i] for i in positions]]
    np.testing.assert_allclose(amounts["owns"], FLEET_B.endowment[positions, resource], rtol=1e-12)
    np.testing.assert_allclose(
        amounts[allocations.granted(rule)], pair[rule].grant[positions, resource], rtol=1e-9, atol=1e-15
    )
    assert ("level" in tables) == (rule == "NUM")
    if rule == "NUM":
        assert tables["level"].level.item() == pytest.approx(0.236111, abs=1e-6)  # the published level


def test_both_rules_are_drawn_on_one_scale():
    pair = solved(FLEET_B, "NUM", "Fair-Synergy")
    positions = np.arange(FLEET_B.n)
    for tables in (allocations.stacks, allocations.accuracies):
        more = (0, positions) if tables is allocations.stacks else (positions,)
        ends = [tables(pair, rule, *more)["limits"].top.item() for rule in pair]
        assert ends[0] == ends[1]
    assert ends[0] == max(a.best for a in pair.values())
    shades = {allocations.envies(pair, rule, positions)["axis"].top.iloc[0] for rule in pair}
    assert len(shades) == 1


def test_marginals_stand_at_the_price_below_it_or_at_the_edge():
    pair = solved(FLEET_A, "NUM", "Fair-Synergy")
    price = going_price(pair)
    rows = allocations.marginals(pair, 0, np.arange(10), price=price)["rows"].set_index(["rule", "agent"])
    chosen = rows.loc["Fair-Synergy"]
    np.testing.assert_allclose(chosen.times[chosen.receives], 1.0, rtol=1e-9)
    assert (chosen.times[~chosen.receives] < 1).all()
    assert set(chosen.standing[~chosen.receives]) == {"receives none"}
    np.testing.assert_allclose(
        rows.loc["NUM"].times * price[0], next_unit(FLEET_A, pair["NUM"].grant)[:, 0], rtol=1e-12
    )


def test_marginals_out_of_the_picture_lie_on_its_edge_and_say_what_they_are():
    fleet = fs.Problem(endowment=[0.0, 2.0, 0.2], capacity=0.5, elasticity=[0.5] * 3, ceiling=[0, 1, 1], saturation=1)
    pair = solved(fleet, "NUM", "Fair-Synergy")
    rows = allocations.marginals(pair, 0, np.arange(3), price=going_price(pair))["rows"]
    first, second, _ = rows[rows.rule == "NUM"].itertuples()
    assert (first.times, first.adds) == (allocations.SPAN, "more than any price")
    assert (second.times, second.adds, second.standing) == (1 / allocations.SPAN, "0", "has all it can use")


def test_envy_cells_are_the_pairs_with_envy():
    pair = solved(FLEET_B, "NUM", "Fair-Synergy")
    tables = allocations.envies(pair, "Fair-Synergy", np.arange(FLEET_B.n))
    grant = pair["Fair-Synergy"].grant
    envied = {(cell.envious, cell.envied): cell.gain for cell in tables["cells"].itertuples()}
    for i, name in enumerate(FLEET_B.agents):
        for j, other in enumerate(FLEET_B.agents):
            swapped = grant.copy()
            swapped[i] = grant[j]
            gain = FLEET_B.utility(swapped)[i] - FLEET_B.utility(grant)[i]
            assert envied.get((name, other), 0.0) == pytest.approx(max(gain, 0.0), abs=1e-9)


def test_envy_in_words():
    equal = fs.allocate(FLEET_A, fs.Uniform())
    assert allocations.describe_envy(equal) == "Nobody would rather have another's grant."
    words = allocations.describe_envy(fs.allocate(FLEET_A, fs.FairSynergy()))
    worst = allocations.worst_envies(fs.allocate(FLEET_A, fs.FairSynergy())).iloc[0]
    assert words.startswith("9 of 10 agents would rather have another's grant; most of all ")
    assert f"{worst['agent']}, which would gain" in words
    assert words.endswith(f"with the grant of {worst['would rather have the grant of']}.")


# Which agents.


def test_a_readable_fleet_is_drawn_whole_and_a_large_one_from_both_ends():
    forty = fs.allocate(FleetSpec(agents=allocations.READABLE).problem(), fs.NUM())
    assert sorted(allocations.pick(forty, order="gain")) == list(range(40))
    hundred = fs.allocate(HUNDRED, fs.NUM())
    positions = allocations.pick(hundred, order="accuracy")
    order = np.argsort(-hundred.utility, kind="stable")
    np.testing.assert_array_equal(positions, [*order[:20], *order[-20:]])
    words = allocations.describe_choice(100, positions, order="accuracy", search="")
    assert "the first 20 and the last 20 of 100 agents by accuracy" in words
    assert not allocations.describe_choice(40, np.arange(40), order="gain", search="")


def test_a_search_finds_parts_of_names_in_any_case():
    allocation = fs.allocate(HUNDRED, fs.NUM())
    found = allocations.pick(allocation, order="name", search=" AGENT 7")
    assert [HUNDRED.agents[i] for i in found] == ["agent 7", *(f"agent {i}" for i in range(70, 80))]
    assert not len(allocations.pick(allocation, order="name", search="tractor"))


@pytest.mark.parametrize("order", allocations.ORDERS)
def test_every_order_puts_the_largest_first(order):
    allocation = fs.allocate(FLEET_B, fs.NUM())
    positions = allocations.pick(allocation, order=order)
    values = allocations.ORDERS[order](allocation)[positions]
    assert (np.diff(values) <= 0).all()
    if order == "name":
        np.testing.assert_array_equal(positions, np.arange(FLEET_B.n))


def test_the_table_has_everything_the_pictures_show():
    allocation = fs.allocate(FLEET_B, fs.NUM())
    price = fs.allocate(FLEET_B, fs.FairSynergy()).price
    table = allocations.table(allocation, price=price)
    np.testing.assert_array_equal(table["granted labels"], allocation.grant[:, 1])
    np.testing.assert_array_equal(table["accuracy with its grant"], allocation.utility)
    np.testing.assert_array_equal(table["next unit of compute adds"], next_unit(FLEET_B, allocation.grant)[:, 0])
    assert (table["going price of labels"] == price[1]).all()
    assert table["why"].str.startswith("agent").all()
    np.testing.assert_array_equal(last_unit(FLEET_B, allocation.grant), next_unit(FLEET_B, allocation.grant))


def test_no_cut_has_the_colour_of_a_rule():
    taken = {mark.colour.lower() for mark in palette.RULES.values()} | {palette.OWN.lower()}
    assert taken.isdisjoint(colour.lower() for colour in surfaces.CUT_COLOURS)
