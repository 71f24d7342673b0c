"""The Edgeworth box: nothing is left to gain on the contract curve, markets lead onto it, and twins meet halfway."""

import numpy as np
import pytest

import fairsynergy as fs
from fairsynergy.analysis.fairness import Box
from fairsynergy.charts import edgeworth
from fairsynergy.fleets import FleetSpec, Setting

PAIRS = {
    "different": ([[0.4, 0.1], [0.1, 0.5]], [[0.7, 0.3], [0.2, 0.6]], np.inf),
    "alike": ([[0.4, 0.1], [0.1, 0.5]], [[0.5, 0.5], [0.3, 0.3]], np.inf),
    "one owns nothing": ([[0.0, 0.0], [0.3, 0.6]], [[0.9, 0.2], [0.4, 0.4]], np.inf),
    "soon saturated": ([[0.4, 0.1], [0.1, 0.5]], [[0.9, 0.1], [0.1, 0.9]], 0.7),
}


def pair(name, **given):
    endowment, elasticity, saturation = PAIRS[name]
    fleet = fs.Problem(
        endowment=endowment, elasticity=elasticity, saturation=saturation, capacity=[0.5, 0.4],
        resources=["compute", "labels"], **given,
    )  # fmt: skip
    return fs.allocate(fleet, fs.Uniform())


@pytest.mark.parametrize("name", PAIRS)
def test_no_exchange_from_the_contract_curve_helps_both(name):
    box = Box.of(pair(name))
    random = np.random.default_rng(0)
    anywhere = random.uniform(0, 1, (4000, 2)) * box.total
    for point in box.contract_curve(41):
        nearby = np.clip(point + random.normal(0, 0.02, (1000, 2)) * box.total, 0, box.total)
        better = box.utility(np.vstack([anywhere, nearby])) > box.utility(point) + 1e-12
        assert not better.all(axis=1).any(), point
        assert box.judge(point).efficient


@pytest.mark.parametrize("name", PAIRS)
def test_off_the_curve_some_exchange_helps_both(name):
    box = Box.of(pair(name))
    random = np.random.default_rng(1)
    for point in box.least + random.uniform(0.1, 0.9, (20, 2)) * (box.most - box.least):
        if not box.efficient(point):
            nearby = point + np.exp(random.uniform(-12, -1, (20000, 1))) * random.normal(0, 1, (20000, 2))
            nearby = nearby[((nearby > 0) & (nearby < box.total)).all(axis=1)]
            assert (box.utility(nearby) > box.utility(point)).all(axis=1).any(), point


@pytest.mark.parametrize("name", [name for name in PAIRS if name != "soon saturated"])
@pytest.mark.parametrize("start", fs.fairness.STARTS)
def test_the_market_lies_on_the_contract_curve_and_on_its_budget_line_and_harms_nobody(name, start):
    box = Box.of(pair(name), start=start)
    price, point = box.market
    assert point[1] == pytest.approx(box.contract(point[0]), rel=1e-12)
    assert np.dot([price, 1], point - box.start) == pytest.approx(0, abs=1e-12)
    assert (box.judge(point).gain >= -1e-12).all()


@pytest.mark.parametrize("agent", [0, 1])
def test_in_the_market_each_gets_the_best_it_can_afford(agent):
    box = Box.of(pair("different"))
    price, point = box.market
    x = np.linspace(0, box.total[0], 2001)
    line = np.column_stack([x, box.start[1] - price * (x - box.start[0])])
    affordable = line[(line[:, 1] >= 0) & (line[:, 1] <= box.total[1])]
    assert box.utility(affordable)[:, agent].max() <= box.utility(point)[agent] + 1e-12


def test_where_agents_differ_only_in_scale_the_contract_curve_is_the_diagonal():
    box = Box.of(pair("alike"))
    x, y = box.contract_curve().T
    np.testing.assert_allclose(y / box.total[1], x / box.total[0], atol=1e-14)


def test_twins_meet_in_the_middle():
    fleet = fs.Problem(endowment=[[0.2, 0.2]] * 2, elasticity=[[0.6, 0.3]] * 2, capacity=[0.4, 0.2])
    box = Box.of(fs.allocate(fleet, fs.Nash()))
    np.testing.assert_allclose(box.market.point, box.total / 2)
    np.testing.assert_allclose(box.start, box.total / 2)
    assert len(box.lens()) == 1
    assert box.judge(box.start).envious == (False, False)


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("agent", [0, 1])
def test_along_an_indifference_curve_the_agent_is_as_well_off(name, agent):
    box = Box.of(pair(name))
    curve = box.indifference(agent, box.start)
    np.testing.assert_allclose(box.utility(curve)[:, agent], box.utility(box.start)[agent], rtol=1e-9)
    assert (np.diff(curve[:, 0]) >= 0).all()
    assert ((curve >= -1e-12) & (curve <= box.total + 1e-12)).all()


@pytest.mark.parametrize("name", PAIRS)
def test_the_lens_holds_exactly_what_harms_neither(name):
    box = Box.of(pair(name))
    x, least, most = box.lens().T
    for y in (least, most, (least + most) / 2):
        assert (box.utility(np.column_stack([x, y])) >= box.utility(box.start) * (1 - 1e-9)).all()
    outside = np.column_stack([x, least - 0.01])[least > 0.01]
    assert (box.utility(outside)[:, 0] < box.utility(box.start)[0]).all()


def test_the_box_of_two_of_a_larger_fleet_holds_what_they_hold():
    fleet = FleetSpec(setting=Setting.DL, agents=9).problem()
    allocation = fs.allocate(fleet, fs.Leximin())
    box = Box.of(allocation, agents=(7, 2))
    np.testing.assert_allclose(box.total, allocation.holding[[7, 2]].sum(axis=0))
    np.testing.assert_allclose(box.utility(allocation.holding[7]), allocation.utility[[7, 2]])
    assert box.problem.agents == (fleet.agents[7], fleet.agents[2])


def test_envy_is_for_what_the_other_holds():
    box = Box.of(pair("different"))
    assert box.judge(0.1 * box.total).envious == (True, False)
    assert box.judge(0.9 * box.total).envious == (False, True)


REFUSED = {
    "exactly two resources, got 1": (fs.Problem(endowment=[0.1, 0.2], elasticity=[0.5, 0.5], capacity=1), {}),
    "got agent 1 twice": (None, {"agents": (0, 0)}),
    r"`floor\[1, 0\]` \(agent 2, compute\) must be 0, got 0.1": ({"floor": [[0, 0], [0.1, 0]]}, {}),
    r"`ceiling\[0, 1\]` \(agent 1, labels\) must be inf, got 0.3": ({"ceiling": [[9, 0.3], [9, 9]]}, {}),
}


@pytest.mark.parametrize("said", REFUSED)
def test_what_the_box_cannot_show_is_refused_by_name(said):
    fleet, asked = REFUSED[said]
    if "ceiling" in said:
        fleet["ceiling"] = [[np.inf, 0.3], [np.inf, np.inf]]
    if isinstance(fleet, fs.Problem):
        allocation = fs.allocate(fleet, fs.Uniform())
    else:
        allocation = pair("different", **(fleet or {}))
    with pytest.raises(fs.ProblemError, match=said):
        Box.of(allocation, **asked)


def test_nothing_to_exchange_and_more_than_can_be_used_are_refused_by_name():
    none = fs.Problem(endowment=[[0.1, 0], [0.2, 0]], elasticity=[[0.5, 0.4]] * 2, capacity=[1, 0])
    with pytest.raises(fs.ProblemError, match="hold no labels between them"):
        Box.of(fs.allocate(none, fs.Uniform()))
    plenty = fs.Problem(endowment=[[3, 0.1], [0.2, 0.1]], elasticity=[[0.5, 0.4]] * 2, capacity=[1, 1], saturation=1)
    with pytest.raises(fs.ProblemError, match="can use 2: with more than enough"):
        Box.of(fs.allocate(plenty, fs.NUM()))


def test_a_market_in_which_somebody_buys_more_than_it_can_use_is_refused_by_name():
    with pytest.raises(fs.ProblemError, match="one of the two would buy more than it can use"):
        _ = Box.of(pair("soon saturated")).market


def test_the_picture_asks_for_every_table_that_fills_it_and_for_no_other():
    allocation = pair("different")
    box = Box.of(allocation)
    points = edgeworth.divisions(box, {"Uniform": allocation}, box.total / 3)
    spec = edgeworth.spec(*box.problem.agents, *box.problem.resources)
    named = {found["name"] for found in _data(spec)}
    assert named == set(edgeworth.tables(box, points, "Uniform"))
    assert list(edgeworth.table(box, points)["Division"]) == ["start", "market", "Uniform", "your split"]


def _data(spec):
    """Every data source in a specification, however deep."""
    for key, part in spec.items():
        if key == "data":
            yield part
        elif key == "layer":
            for layer in part:
                yield from _data(layer)
