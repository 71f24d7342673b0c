"""Tables and specifications of the trade-off between fairness and accuracy; drawing is left to the browser tests."""

import json

import numpy as np
import pytest
from test_comparison import fields

import fairsynergy as fs
from fairsynergy.analysis.fairness import Verdict, gini, guarantees, report, unit_free
from fairsynergy.charts import palette, tradeoff
from fairsynergy.fleets import PRESETS, FleetSpec, Setting
from fairsynergy.ui import solve
from fairsynergy.words.explain import PORTRAITS, UNIT_FREE
from fairsynergy.words.phrases import badge, price_of_fairness

FLEET_A, FLEET_B = PRESETS["Fleet A"].problem, PRESETS["Fleet B"].problem
ALPHAS = np.array([0, 0.5, 1, 2, np.inf])


def answers(problem):
    found = {}
    for name, policy in solve.RULES.items():
        try:
            found[name] = fs.allocate(problem, policy)
        except fs.FairSynergyError:
            continue
    return found


def family(problem, alphas=ALPHAS):
    solved = [fs.allocate(problem, fs.AlphaFair(float(alpha))) for alpha in alphas]
    return np.asarray(alphas), np.stack([a.utility for a in solved]), [badge(a) for a in solved]


ALL = answers(FLEET_B)
CURVE = family(FLEET_B)


def draw(axis="worst-off", **more):
    return tradeoff.frontier(CURVE, ALL, **{"rule": "NUM", "dial": 1.0, "axis": axis} | more)


def search(problem):
    history = []
    fs.allocate(problem, fs.CertifiedOptimum(boxes=30, progress=history.append))
    return history


def test_every_rule_of_the_lens_has_a_mark_and_a_portrait():
    assert list(palette.RULES) == list(solve.RULES) == list(PORTRAITS)


@pytest.mark.parametrize("problem", [FLEET_A, FLEET_B], ids=["A", "B"])
@pytest.mark.parametrize("name", [name for name in PORTRAITS if name != "Certified optimum"])
def test_a_portrait_says_of_units_what_the_check_finds(name, problem):
    assert unit_free(problem, solve.RULES[name]).holds == (PORTRAITS[name].units == UNIT_FREE)


def test_the_dial_has_its_named_stops_and_41_in_order():
    assert len(solve.ALPHAS) == len(set(solve.ALPHAS)) == 41
    assert list(solve.ALPHAS) == sorted(solve.ALPHAS)
    assert {0, 1, np.inf} <= set(solve.ALPHAS)


@pytest.mark.parametrize("axis", tradeoff.AXES)
def test_specifications_read_only_columns_that_the_tables_have(axis):
    prices = tradeoff.prices({name: report(a).price_of_fairness for name, a in ALL.items()}, "NUM")
    shares = tradeoff.to_the_hardest({"in units": FLEET_B}, {"in units": ALL})
    for spec, table in (
        (tradeoff.frontier_spec(axis), draw(axis)),
        (tradeoff.PRICES, prices),
        (tradeoff.CLOSING, tradeoff.closing(search(PRESETS["Winner takes all, saturated"].problem), 10.0)),
        (tradeoff.LORENZ, tradeoff.lorenz_curves(ALL, "NUM")),
        (tradeoff.units_spec("in units"), shares),
    ):
        assert fields(spec) <= set(table.columns)
        json.dumps(spec)


def test_a_click_picks_the_rule_and_a_second_click_differs():
    spec = tradeoff.frontier_spec("worst-off")
    (pick,) = spec["params"]
    assert pick["name"] == "pick"
    assert pick["select"]["fields"] == ["rule", "lens"]
    assert set(draw(rule="DRF").lens) == {"DRF"}


@pytest.mark.parametrize("axis", tradeoff.AXES)
def test_up_and_right_is_better_on_every_axis(axis):
    table = draw(axis)
    rules = table[table.kind == "rule"].set_index("rule")
    for name, allocation in ALL.items():
        assert rules.loc[name, "mean"] == pytest.approx(allocation.mean, rel=1e-12)
    meant = {
        "worst-off": lambda utility: utility.min(),
        "10th percentile": lambda utility: np.quantile(utility, 0.1),
        "Gini index": lambda utility: -gini(utility),
    }[axis]
    for name, allocation in ALL.items():
        assert rules.loc[name, "x"] == pytest.approx(meant(allocation.utility), rel=1e-12)
        assert rules.loc[name, "shown"] == pytest.approx(abs(meant(allocation.utility)), rel=1e-12)
        standing = rules.loc[name, "standing"]
        if standing != tradeoff.UNDOMINATED:
            better = rules.loc[standing.removeprefix("dominated by ")]
            assert better["mean"] >= rules.loc[name, "mean"] - 1e-6
            assert better.x >= rules.loc[name, "x"] - 1e-6


def test_along_the_dial_the_mean_falls_and_the_worst_off_rises():
    curve = draw()[lambda table: table.kind == "curve"]
    assert curve["mean"].is_monotonic_decreasing
    assert curve.x.is_monotonic_increasing
    assert list(curve["name"]) == ["α = 0", "α = 0.5", "α = 1", "α = 2", "α = ∞"]


@pytest.mark.parametrize(("dial", "name"), [(0, "α = 0"), (1, "α = 1"), (1.9, "α = 2"), (np.inf, "α = ∞")])
def test_the_dial_stands_on_the_curve(dial, name):
    table = draw(dial=dial)
    stands = table[table.kind == "dial"].iloc[0]
    on = table[(table.kind == "curve") & (table["name"] == name)].iloc[0]
    assert (stands["name"], stands.x, stands["mean"]) == (name, on.x, on["mean"])


def test_near_the_curve_leaves_out_the_far_rules_only():
    problem = FleetSpec(agents=30, setting=Setting.DL).problem()
    near = tradeoff.frontier(family(problem), answers(problem), rule="NUM", dial=1, axis="worst-off", near=True)
    assert {"Fair-Synergy", "Leximin", "Nash"} <= set(near.rule.dropna())
    assert "Random" not in set(near.rule)


@pytest.mark.parametrize("setting", Setting)
@pytest.mark.parametrize("agents", [1, 2, 10, 100])
@pytest.mark.parametrize("capacity", [0.0, 0.3])
@pytest.mark.parametrize("axis", tradeoff.AXES)
def test_every_fleet_has_a_frontier(setting, agents, capacity, axis):
    problem = FleetSpec(
        agents=agents, setting=setting, capacity_compute=capacity, capacity_labels=capacity
    ).problem()  # fmt: skip
    table = tradeoff.frontier(family(problem), answers(problem), rule="Nash", dial=1, axis=axis)
    assert np.isfinite(table[["x", "mean"]]).all(axis=None)
    assert tradeoff.describe_frontier(table, axis)


def test_prices_are_intervals_where_the_optimum_is_open():
    problem = PRESETS["Winner takes all, saturated"].problem
    best = fs.allocate(problem, fs.CertifiedOptimum(boxes=10))
    assert best.gap > 0.005
    found = {name: report(a, best=best).price_of_fairness for name, a in answers(problem).items()}
    table = tradeoff.prices(found, "NUM").set_index("rule")
    assert (table.high - table.low > 0.001).all()
    assert table.low["Certified optimum"] < 1e-3
    assert " to " in table.text["NUM"]
    assert table.text["NUM"] == price_of_fairness(found["NUM"])
    assert list(table.index[table.chosen]) == ["NUM"]


def test_the_gap_closes_and_the_last_row_is_the_last_box():
    history = search(PRESETS["Winner takes all, saturated"].problem)
    table = tradeoff.closing(history, 10.0)
    assert table.bound.is_monotonic_decreasing
    assert table.found.is_monotonic_increasing
    assert (table.bound >= table.found).all()
    assert table.boxes.iloc[-1] == history[-1].boxes
    assert table["last"].tolist() == [False] * (len(table) - 1) + [True]
    many = tradeoff.closing([now._replace(boxes=k) for k, now in enumerate(history * 100)], 10.0)
    assert len(many) == tradeoff.STEPS
    assert many["last"].sum() == 1


def test_relative_to_itself_is_zero_and_to_nothing_is_unknown():
    table = tradeoff.relative(ALL, to="Uniform").set_index("Rule")
    assert (table.loc["Uniform", [c for c in table if " vs " in c]] == 0).all()
    poor = answers(fs.Problem(endowment=[0.0, 0.5], capacity=0, elasticity=[0.5, 0.5]))
    assert tradeoff.relative(poor, to="Uniform")["Worst-off vs Uniform [%]"].isna().all()


def test_lorenz_curves_start_at_nothing_end_at_everything_and_hang_below_equality():
    curves = tradeoff.lorenz_curves(answers(FleetSpec(agents=200).problem()), "NUM")
    assert (curves.groupby("rule").size() == 101).all()
    assert (curves.groupby("rule").accuracy.min() == 0).all()
    np.testing.assert_allclose(curves.groupby("rule").accuracy.max(), 1)
    assert (curves.accuracy <= curves.agents + 1e-12).all()
    assert set(curves.rule[curves.chosen]) == {"NUM"}


def test_the_promises_as_a_table_say_every_verdict():
    kept = {name: guarantees(report(ALL[name])) for name in ("NUM", "Uniform")}
    table = tradeoff.promises_table(kept).set_index("Rule")
    for name, found in kept.items():
        for guarantee in found:
            said = table.loc[name, guarantee.name]
            assert (said == "holds") == (guarantee.verdict is Verdict.HOLDS)
            if guarantee.verdict is Verdict.FAILS and guarantee.amount:
                assert said.endswith(" %")


def test_the_unit_trap_turns_fair_synergy_over_and_leaves_nash_alone():
    problems = {"in units": FLEET_A, "in hundredths": PRESETS["Fleet A in hundredths"].problem}
    table = tradeoff.to_the_hardest(problems, {unit: answers(problem) for unit, problem in problems.items()})
    share = table.pivot(index="rule", columns="unit", values="share")
    assert share.loc["Fair-Synergy"].to_dict() == pytest.approx({"in units": 0, "in hundredths": 1}, abs=1e-12)
    for rule in ("Nash", "NUM", "Uniform", "DRF", "Equal-income market"):
        assert share.loc[rule, "in units"] == pytest.approx(share.loc[rule, "in hundredths"], rel=1e-9)
