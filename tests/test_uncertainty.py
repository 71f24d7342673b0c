"""Uncertain elasticities: draws as stated, divisions as one at a time, promises as the report defines them."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from scipy import stats
from strategies import NAMED, changed, fleet, paper_fleet, problems

import fairsynergy as fs
from fairsynergy.analysis import fairness
from fairsynergy.analysis.fairness import TIE
from fairsynergy.analysis.planning import Uncertainty, band, draw, uncertain
from fairsynergy.analysis.planning import _uncertainty as module
from fairsynergy.words import forecasts

FEWER = settings(max_examples=max(10, settings.default.max_examples // 8))
DRAWS = 12


def saturated(seed: int, n: int, m: int = 2) -> fs.Problem:
    problem = paper_fleet(np.random.default_rng(seed), n)
    first = np.s_[:, :m]
    return fs.Problem(
        endowment=problem.endowment[first], capacity=problem.capacity[:m], elasticity=problem.elasticity[first],
        saturation=1.0,
    )  # fmt: skip


def test_draws_have_the_distribution_that_is_stated() -> None:
    problem = fs.Problem(endowment=np.ones(3), capacity=1.0, elasticity=[0.5, 0.05, 0.9])
    gamma = draw(problem, 0.1, draws=4000, seed=1).elasticity[..., 0]
    assert ((gamma > 0) & (gamma < 1)).all()
    for values, centre in zip(gamma.T, problem.elasticity[:, 0], strict=True):
        law = stats.truncnorm(-centre / 0.1, (1 - centre) / 0.1, loc=centre, scale=0.1)
        assert stats.kstest(values, law.cdf).pvalue > 1e-3
    assert abs(np.corrcoef(gamma.T) - np.eye(3)).max() < 0.06


@given(problem=problems(resources=(1, 2)), scale=st.floats(0.0, 10.0), seed=st.integers(0, 9))
def test_draws_are_elasticities_and_repeat(problem: fs.Problem, scale: float, seed: int) -> None:
    fleets = draw(problem, scale, draws=3, seed=seed)
    assert ((fleets.elasticity > 0) & (fleets.elasticity < 1)).all()
    np.testing.assert_array_equal(fleets.elasticity, draw(problem, scale, draws=3, seed=seed).elasticity)
    np.testing.assert_array_equal(fleets.elasticity[:2], draw(problem, scale, draws=2, seed=seed).elasticity)
    assert fleets.problem(2) == changed(problem, elasticity=fleets.elasticity[2])
    if scale == 0:
        assert (fleets.elasticity == problem.elasticity).all()


def test_errors_may_differ_by_agent_and_resource() -> None:
    problem = NAMED["two resources"]
    error = np.zeros((7, 2))
    error[3, 1] = 0.1
    gamma = draw(problem, error, draws=5).elasticity
    moved = (gamma != problem.elasticity).any(axis=0)
    assert moved[3, 1]
    assert moved.sum() == 1
    assert (draw(problem, [0.0, 0.1], draws=5).elasticity[..., 0] == problem.elasticity[:, 0]).all()


@pytest.mark.parametrize("name", ["Fleet A", "Fleet B, saturating at 1", "everything at once", "floors", "weights"])
def test_without_error_nothing_changes(name: str) -> None:
    problem = NAMED[name]
    found = uncertain(problem, fs.POLICIES, 0.0, draws=2)
    for rule, prospect in found.prospects.items():
        today = fs.allocate(problem, fs.POLICIES[rule])
        for outcomes in (prospect.kept, prospect.known):
            np.testing.assert_allclose(outcomes.mean, today.mean, rtol=1e-6)
            np.testing.assert_allclose(outcomes.worst, today.worst, rtol=1e-6)
            np.testing.assert_allclose(outcomes.best, today.best, rtol=1e-6)
        np.testing.assert_allclose(prospect.agents.middle, today.utility, rtol=1e-12)


@pytest.mark.parametrize("problem", [saturated(5, 15), saturated(6, 15, m=1), NAMED["everything at once"]], ids=str)
def test_many_draws_are_a_loop(problem: fs.Problem) -> None:
    found = uncertain(problem, fs.POLICIES, 0.05, draws=DRAWS, seed=2)
    fleets = draw(problem, 0.05, draws=DRAWS, seed=2)
    for rule, prospect in found.prospects.items():
        policy, plan = fs.POLICIES[rule], prospect.plan.grant
        for i in range(DRAWS):
            drawn = fleets.problem(i)
            kept, known = fs.allocate(drawn, fs.Given(plan)), fs.allocate(drawn, policy)
            assert prospect.kept.mean[i] == pytest.approx(kept.mean, rel=1e-12)
            assert prospect.kept.worst[i] == pytest.approx(kept.worst, rel=1e-12)
            assert prospect.kept.best[i] == pytest.approx(kept.best, rel=1e-12)
            if isinstance(policy, fs.FairSynergy) and problem.m == 2:
                continue  # divided by climbing, see below
            assert prospect.known.mean[i] == pytest.approx(known.mean, rel=1e-8)
            assert prospect.known.worst[i] == pytest.approx(known.worst, rel=1e-8)


@pytest.mark.parametrize(("problem", "off"), [(saturated(1, 100), 2e-3), (fleet("b", saturation=1.0), 2e-2)], ids=str)
def test_what_climbing_misses_is_proved(problem: fs.Problem, off: float) -> None:
    """Against the full search, draw by draw."""
    found = uncertain(problem, {"Fair-Synergy": fs.FairSynergy()}, 0.05, draws=30).prospects["Fair-Synergy"]
    fleets = draw(problem, 0.05, draws=30)
    full = np.array([fs.allocate(fleets.problem(i), fs.FairSynergy()).total for i in range(30)])
    lacking = 1 - found.known.mean * problem.n / full
    assert lacking.max() <= off
    assert found.missing is not None
    assert (found.missing >= lacking - 1e-9).all()
    assert (found.known.mean >= found.kept.mean * (1 - 1e-9)).all()


@FEWER
@given(problem=problems(mild=True, concave=True, resources=(2,), most_agents=6), seed=st.integers(0, 99))
def test_climbing_ends_at_the_optimum_where_there_is_one(problem: fs.Problem, seed: int) -> None:
    error = np.minimum(0.02, 0.1 * (1 - problem.elasticity.sum(axis=1, keepdims=True)) / 2) * np.ones(2)
    found = uncertain(problem, {"Fair-Synergy": fs.FairSynergy()}, error, draws=4, seed=seed)
    fleets = draw(problem, error, draws=4, seed=seed)
    if (fleets.elasticity.sum(axis=2) > 1).any():
        return
    prospect = found.prospects["Fair-Synergy"]
    grant = fs.FairSynergy().sketch_many(fleets, near=prospect.plan.grant)
    full = [fs.allocate(fleets.problem(i), fs.FairSynergy()).total for i in range(4)]
    np.testing.assert_allclose(fleets.total(grant), full, rtol=2e-3)


def test_a_new_winner_takes_all() -> None:
    """Nothing saturates: one agent has everything, and which one depends on the draw."""
    problem = NAMED["increasing returns"]
    fleets = draw(problem, 0.05, draws=30)
    grant = fs.FairSynergy().sketch_many(fleets, near=fs.FairSynergy().divide(problem).grant)
    full = np.array([fs.allocate(fleets.problem(i), fs.FairSynergy()).total for i in range(30)])
    assert (fleets.total(grant) >= 0.99 * full).all()


@pytest.mark.parametrize(
    "problem", [saturated(3, 6), saturated(4, 6, m=1), NAMED["nobody owns anything, two resources"], NAMED["ceilings"]],
    ids=str,
)  # fmt: skip
def test_promises_are_those_of_the_report(problem: fs.Problem) -> None:
    policies = {**fs.POLICIES, "Market": fs.EqualIncomeMarket(), "Nash": fs.Nash()}
    found = uncertain(problem, policies, 0.1, draws=DRAWS)
    fleets = draw(problem, 0.1, draws=DRAWS)
    seen = set()
    for rule, prospect in found.prospects.items():
        for i in range(DRAWS):
            drawn = fleets.problem(i)
            equal = fs.allocate(drawn, fs.Uniform())
            plan = fs.allocate(drawn, fs.Given(prospect.plan.grant))
            report = fairness.report(plan)
            promises = prospect.promises
            assert promises.sharing[i] == report.uniform_share.holds, rule
            assert promises.envy_free[i] == report.envy.free, rule
            assert promises.mean[i] == (plan.mean >= equal.mean * (1 - TIE))
            assert promises.worst[i] == (plan.worst >= equal.worst * (1 - TIE))
            seen.add((bool(promises.sharing[i]), bool(promises.envy_free[i])))
    assert len(seen) > 1


def test_envy_in_a_large_fleet_is_looked_for_in_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = saturated(8, 30)
    whole = uncertain(problem, {"Leximin": fs.Leximin()}, 0.05, draws=20)
    assert whole.compared == 30
    monkeypatch.setattr(module, "SAMPLED_ABOVE", 10)
    sampled = uncertain(problem, {"Leximin": fs.Leximin()}, 0.05, draws=20)
    assert sampled.compared == 10
    free, thought = (each.prospects["Leximin"].promises.envy_free for each in (whole, sampled))
    assert (thought >= free).all()


@FEWER
@given(problem=problems(mild=True, most_agents=6), seed=st.integers(0, 99))
def test_regret_is_against_the_best_that_was_found(problem: fs.Problem, seed: int) -> None:
    found = uncertain(problem, fs.POLICIES, 0.1, draws=5, seed=seed)
    parts = [part for prospect in found.prospects.values() for part in (prospect.kept, prospect.known)]
    regret = np.array([part.regret for part in parts])
    assert (regret >= 0).all()
    assert (regret.min(axis=0) == 0).all()
    np.testing.assert_allclose(found.best_mean - [part.mean for part in parts], regret)
    for question in ("kept", "known"):
        asked = [getattr(prospect, question) for prospect in found.prospects.values()]
        for measure in ("mean", "worst"):
            leads = np.array([getattr(part, f"leads_{measure}") for part in asked])
            values = np.array([getattr(part, measure) for part in asked])
            assert leads.any(axis=0).all()
            assert (leads == (values >= values.max(axis=0) * (1 - TIE))).all()


def test_plans_that_are_known_are_not_made_again() -> None:
    problem = NAMED["Fleet A"]
    plan = fs.allocate(problem, fs.Leximin())
    found = uncertain(problem, {"Leximin": fs.Leximin(), "NUM": fs.NUM()}, 0.05, draws=3, plans={"Leximin": plan})
    assert found.prospects["Leximin"].plan is plan


def test_random_keeps_its_lots() -> None:
    problem = NAMED["two resources"]
    found = uncertain(problem, {"a": fs.Random(), "b": fs.Random(seed=5)}, 0.1, draws=4)
    for prospect in found.prospects.values():
        np.testing.assert_allclose(prospect.kept.mean, prospect.known.mean, rtol=1e-12)
    assert found.prospects["a"].kept.mean[0] != found.prospects["b"].kept.mean[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"error": -0.1}, r"`error\[0, 0\]` \(agent 1, compute\) must be finite and >= 0, got -0.1"),
        ({"error": np.nan}, "finite and >= 0, got nan"),
        ({"error": [0.1, 0.1, 0.1]}, "`error` has shape"),
        ({"error": "little"}, "`error`"),
        ({"draws": 0}, "`draws` must be a whole number >= 1, got 0"),
        ({"draws": 2.5}, "whole number >= 1, got 2.5"),
        ({"seed": -1}, "`seed` must be a whole number >= 0"),
        ({"policies": {}}, "at least one rule"),
        ({"policies": {"Random": fs.Random(np.random.default_rng(0))}}, "generator"),
        ({"plans": {"NUM": fs.allocate(NAMED["Fleet B"], fs.NUM())}}, "a division of this problem"),
        ({"plans": {"mine": fs.allocate(NAMED["two resources"], fs.NUM())}}, "by one of the rules"),
    ],
)  # fmt: skip
def test_what_is_not_allowed_is_refused(arguments: dict[str, object], message: str) -> None:
    usual: dict[str, object] = {"policies": {"NUM": fs.NUM()}, "error": 0.1, "draws": 3}
    with pytest.raises(fs.ProblemError, match=message):
        uncertain(NAMED["two resources"], **{**usual, **arguments})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def found() -> Uncertainty:
    return uncertain(saturated(1, 20), fs.POLICIES, 0.05, draws=40)


@pytest.mark.parametrize("rule", fs.POLICIES)
def test_what_was_found_is_said_in_words(found: Uncertainty, rule: str) -> None:
    said = forecasts.uncertainty(found, rule)
    assert said.startswith(f"If today's grants of {rule} are kept")
    assert "90 % of 40 draws" in said
    assert ("that is proved" in said) == (rule == "Fair-Synergy")
    assert f"{band(found.prospects[rule].kept.mean).low:.2f}" in said


def test_of_a_split_by_hand_the_best_rule_is_told(found: Uncertainty) -> None:
    assert "today's grants of Fair-Synergy" in forecasts.uncertainty(found, "my split")
