"""Inverse questions: the inverse of the forward one, never above what another split costs, refused with what can be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, given, settings
from strategies import NAMED, changed, fleet, paper_fleet, problems

import fairsynergy as fs
from fairsynergy.analysis.planning import (
    Agent,
    Aim,
    Answer,
    Least,
    Mean,
    Target,
    Worst,
    best_split,
    least_budget,
    least_capacity,
    outcome_grid,
)
from fairsynergy.policies._leximin import cheapest
from fairsynergy.words import forecasts

# An example divides a fleet some thirty times.
FEWER = settings(max_examples=max(10, settings.default.max_examples // 8))
SIX = list(fs.POLICIES.values())
# Fleets on which an answer may not be possible, or not what it seems.
REASONS = [
    "ceilings of zero", "nobody owns anything, two resources", "saturated from the start", "everything at once",
    "somebody lacks what cannot be shared", "mixed units",
]  # fmt: skip
# Rules under which nobody loses by more of anything.
GENEROUS = [fs.Random(), fs.Uniform(), fs.NUM(), fs.DRF(), fs.Leximin(), fs.Nash(), fs.AlphaFair(3)]
# Accuracies of the same grants differ by rounding.
EXACTLY = 1 - 1e-11
AIMS = st.sampled_from([Worst(), Mean(), Agent("agent 1")])


def by_label(policy: fs.Policy) -> str:
    return policy.label


def forward(problem: fs.Problem, policy: fs.Policy, aim: Aim, capacity: object) -> float:
    return float(aim.of(problem, fs.allocate(changed(problem, capacity=capacity), policy).utility))


def answered(ask: Callable[[], Answer]) -> tuple[Answer | None, str]:
    """The answer, or why there is none."""
    try:
        return ask(), ""
    except fs.ProblemError as refused:
        return None, str(refused)


def two(seed: int = 3, n: int = 8, **changes: object) -> fs.Problem:
    """Two resources, nobody with increasing returns."""
    rng = np.random.default_rng(seed)
    problem = fs.Problem(
        endowment=rng.uniform(0.01, 0.2, (n, 2)),
        capacity=[n * 0.3, n * 0.2],
        elasticity=rng.uniform(0.05, 0.48, (n, 2)),
    )
    return changed(problem, **changes)


@pytest.mark.parametrize("policy", SIX, ids=by_label)
@FEWER
@given(problem=problems(mild=True, most_agents=6), aim=AIMS, data=st.data())
def test_the_inverse_of_forward_is_identity(
    policy: fs.Policy, problem: fs.Problem, aim: Aim, data: st.DataObject
) -> None:
    k = data.draw(st.integers(0, problem.m - 1))
    level = forward(problem, policy, aim, problem.capacity)
    answer = least_capacity(problem, policy, Target(aim, level), problem.resources[k])
    found, there = answer.capacity[k], problem.capacity[k]
    assert answer.reached >= level * EXACTLY
    assert answer.allocation.certificate.feasible
    assert found <= there * (1 + 1e-6)
    np.testing.assert_array_equal(np.delete(answer.capacity, k), np.delete(problem.capacity, k))
    assume(answer.status is Least.PROVED)
    less = answer.capacity.copy()
    less[k] = found - 1e-6 * there
    if less[k] >= problem.floor[:, k].sum():
        assert forward(problem, policy, aim, less) < level * (1 + 1e-12)
    # Where the aim grows with the capacity, by more than rounding, there is only one.
    lower = problem.capacity.copy()
    lower[k] -= 1e-6 * there
    if lower[k] >= problem.floor[:, k].sum() and forward(problem, policy, aim, lower) < level * (1 - 1e-11):
        assert found == pytest.approx(there, rel=1e-6)


@pytest.mark.parametrize("policy", GENEROUS, ids=by_label)
@FEWER
@given(problem=problems(mild=True, most_agents=6), more=st.tuples(st.floats(1.0, 3.0), st.floats(1.0, 3.0)))
def test_nobody_loses_by_more_where_the_least_is_proved(
    policy: fs.Policy, problem: fs.Problem, more: tuple[float, float]
) -> None:
    # Who meets a limit on one resource pursues another under DRF, and may then take from who was there: not proved.
    assume(not isinstance(policy, fs.DRF) or problem.m == 1 or np.isinf(problem.upper).all())
    before = fs.allocate(problem, policy).utility
    after = fs.allocate(changed(problem, capacity=problem.capacity * more[: problem.m]), policy).utility
    assert (after >= before * (1 - 1e-9)).all()


@given(problem=problems(mild=True, most_agents=6, concave=True, weights=False), more=st.floats(1.0, 3.0))
def test_the_mean_never_falls_under_fair_synergy(problem: fs.Problem, more: float) -> None:
    grown = problem.capacity * np.where(np.arange(problem.m) == 0, more, 1.0)
    mean = forward(problem, fs.FairSynergy(), Mean(), grown)
    assert mean >= fs.allocate(problem, fs.FairSynergy()).mean * (1 - 1e-9)


@pytest.mark.parametrize("policy", SIX, ids=by_label)
def test_the_budget_for_one_resource_is_its_capacity_times_its_price(policy: fs.Policy) -> None:
    problem, target = NAMED["floors"], Target(Mean(), 0.7)
    money = least_budget(problem, policy, target, 2.5)
    amount = least_capacity(problem, policy, target, "compute")
    assert money.spend == pytest.approx(2.5 * amount.capacity[0], rel=1e-9)
    assert money.status is amount.status is Least.PROVED
    np.testing.assert_array_equal(money.split, [1.0])


@pytest.mark.parametrize("policy", SIX, ids=by_label)
@pytest.mark.parametrize("aim", [Worst(), Mean(), Agent("agent 2")], ids=str)
def test_no_other_split_costs_less(policy: fs.Policy, aim: Aim) -> None:
    problem = two(saturation=0.9, floor=[0.01, 0.02])
    level = forward(problem, policy, aim, problem.capacity)
    target, prices = Target(aim, level), np.array([2.0, 3.0])
    best = least_budget(problem, policy, target, prices)
    assert best.reached >= level * EXACTLY
    assert best.spend == pytest.approx(best.capacity @ prices)
    for share in (0.15, 0.3, 0.45, 0.6, 0.75, float(best.split[0]) - 0.02, float(best.split[0]) + 0.02):
        try:
            other = least_budget(problem, policy, target, prices, [share, 1 - share])
        except fs.ProblemError:
            continue
        assert other.reached >= level * EXACTLY
        np.testing.assert_allclose(other.split, [share, 1 - share])
        # Where the rule searches, and its aim is not what it maximises, splits are compared in a sketch.
        sketched = isinstance(policy, fs.FairSynergy) and not isinstance(aim, Mean)
        assert best.spend <= other.spend * (1 + (5e-3 if sketched else 1e-5))


def test_the_kindest_budget_buys_everybody_the_cheapest_bundle() -> None:
    problem, prices = two(saturation=1.0), np.array([2.0, 1.0])
    answer = least_budget(problem, fs.Leximin(), Target(Worst(), 0.6), prices)
    bundles = cheapest(problem, 0.6, prices)
    assert answer.spend == pytest.approx(float((bundles @ prices).sum()), rel=1e-10)
    assert answer.status is Least.PROVED
    np.testing.assert_allclose(answer.allocation.grant, bundles, atol=1e-8)
    np.testing.assert_allclose(problem.utility(bundles)[bundles.any(axis=1)], 0.6)


@FEWER
@given(problem=problems(mild=True, resources=(2,), most_agents=6), level=st.floats(0.05, 0.95))
def test_no_bundle_at_the_level_is_cheaper(problem: fs.Problem, level: float) -> None:
    prices = np.array([1.0, 2.5])
    grant = cheapest(problem, level, prices)
    assert (grant >= problem.floor).all()
    assert (grant <= problem.upper).all()
    reached = problem.utility(grant) / problem.weight
    able = problem.utility(np.minimum(problem.upper, 1e9)) / problem.weight >= level
    assert (reached >= level * (1 - 1e-9))[able].all()
    # Any other bundle of the same cost is no better: a little of one exchanged for the other.
    for way in (np.array([1.0, -1.0]), np.array([-1.0, 1.0])):
        other = np.clip(grant + 1e-3 * way / prices, problem.floor, problem.upper)
        cheaper = (other @ prices <= grant @ prices * (1 + 1e-12)) & (grant > problem.floor).any(axis=1)
        assert (problem.utility(other) <= np.maximum(problem.utility(grant), level * problem.weight) * (1 + 1e-9))[
            cheaper & able & (reached <= level * (1 + 1e-9))
        ].all()


@pytest.mark.parametrize("policy", SIX, ids=by_label)
@pytest.mark.parametrize("aim", [Worst(), Mean(), Agent("agent 2")], ids=str)
def test_no_other_split_of_a_budget_reaches_more(policy: fs.Policy, aim: Aim) -> None:
    problem, prices = two(floor=[0.01, 0.02], saturation=0.8), np.array([2.0, 3.0])
    best = best_split(problem, policy, 4.0, prices, aim)
    assert best.capacity @ prices == pytest.approx(4.0)
    assert best.reached == pytest.approx(forward(problem, policy, aim, best.capacity))
    assert best.split.sum() == pytest.approx(1.0)
    for share in np.linspace(0.1, 0.85, 9):
        reached = forward(problem, policy, aim, np.array([share, 1 - share]) * 4.0 / prices)
        assert best.reached >= reached - 1e-6
        # What the chart shows is the same, or nearly where the rule searches.
        drawn = np.interp(share, best.share, best.curve)
        assert drawn == pytest.approx(reached, rel=0.02, abs=0.005)


@FEWER
@given(problem=problems(mild=True, resources=(2,), most_agents=6, concave=True, bounds=False, weights=False))
def test_shadow_prices_of_money_are_equal_at_the_best_split(problem: fs.Problem) -> None:
    prices = np.array([1.0, 2.0])
    budget = float(problem.capacity @ prices)
    best = best_split(problem, fs.FairSynergy(), budget, prices, Mean())
    assert best.source == "from the shadow prices"
    assert best.residual <= 1e-5
    assert best.reached >= fs.allocate(problem, fs.FairSynergy()).mean * (1 - 1e-9)
    back = least_budget(problem, fs.FairSynergy(), Target(Mean(), best.reached), prices)
    assert back.status is Least.PROVED
    assert back.spend == pytest.approx(budget, rel=1e-4)


def test_measured_slopes_are_the_shadow_prices() -> None:
    """For the total they are known; a rule that reaches the same has them measured."""
    problem, prices = two(), np.array([2.0, 1.0])
    priced = best_split(problem, fs.FairSynergy(), 5.0, prices, Mean())
    measured = best_split(problem, fs.FairSynergy(passes=np.inf), 5.0, prices, Mean())
    assert measured.source != priced.source
    np.testing.assert_allclose(measured.split, priced.split, atol=2e-3)
    np.testing.assert_allclose(measured.worth, priced.worth, rtol=0.02)


@pytest.mark.parametrize("policy", [*SIX, fs.Nash(), fs.DRF(work_conserving=False)], ids=by_label)
def test_a_grid_is_a_loop(policy: fs.Policy) -> None:
    problem = two(floor=[0.01, 0.0], ceiling=[0.5, 0.6])
    first, second = [0.1, 1.0, 3.0], [0.0, 2.0]
    grid = outcome_grid(problem, policy, first, second, Mean())
    assert grid.value.shape == (2, 3)
    for j, one in enumerate(first):
        for i, other in enumerate(second):
            assert grid.value[i, j] == pytest.approx(forward(problem, policy, Mean(), [one, other]), rel=1e-3)


def test_a_search_with_local_optima_promises_no_more_than_it_knows() -> None:
    problem = paper_fleet(np.random.default_rng(1), 12)
    mean = fs.allocate(problem, fs.FairSynergy()).mean
    answer = least_capacity(problem, fs.FairSynergy(), Target(Mean(), mean), "compute")
    assert answer.status is Least.SEARCHED
    assert answer.reached >= mean * EXACTLY
    assert answer.capacity[0] <= problem.capacity[0] * (1 + 1e-6)
    agent = Target(Agent("agent 3"), 0.8)
    for answer in (
        least_capacity(problem, fs.FairSynergy(), agent, "labels"),
        least_budget(problem, fs.FairSynergy(), agent, [1, 1]),
        least_budget(problem, fs.EqualIncomeMarket(), Target(Mean(), mean / 2), [1, 1]),
    ):
        assert answer.status is Least.FOUND
        assert answer.reached >= answer.target.level * EXACTLY


def test_winners_take_all_without_saturation() -> None:
    """With increasing returns one agent may use whatever there is; the search still ends where the level is."""
    problem = NAMED["increasing returns"]
    answer = least_budget(problem, fs.FairSynergy(), Target(Mean(), 2.0), [1.0, 1.0])
    assert answer.reached >= 2.0 * EXACTLY
    best = best_split(problem, fs.FairSynergy(), answer.spend, [1.0, 1.0], Mean())
    assert best.reached == pytest.approx(2.0, rel=1e-3)


@pytest.mark.parametrize("policy", SIX, ids=by_label)
def test_what_is_promised_is_never_taken_back(policy: fs.Policy) -> None:
    problem = NAMED["floors, two resources"]
    least = problem.floor.sum(axis=0)
    answer = least_capacity(problem, policy, Target(Worst(), 0.0), "labels")
    assert answer.status is Least.NOTHING
    assert answer.capacity[1] == least[1]
    money = least_budget(problem, policy, Target(Worst(), 1e-9), [1, 2])
    assert money.status is Least.NOTHING
    assert money.spend == pytest.approx(least @ [1, 2])
    tight = best_split(problem, policy, float(least @ [1, 2]), [1, 2], Mean())
    np.testing.assert_allclose(tight.capacity, least, rtol=1e-9)


@pytest.mark.parametrize("policy", SIX, ids=by_label)
@pytest.mark.parametrize("name", REASONS)
def test_answers_or_refusals_on_fleets_with_a_reason(policy: fs.Policy, name: str) -> None:
    problem = NAMED[name]
    for aim in (Worst(), Mean(), Agent("agent 1")):
        for level in (0.2, 5.0):
            asked = Target(aim, level)
            for ask in (
                lambda asked=asked: least_capacity(problem, policy, asked, "labels"),
                lambda asked=asked: least_budget(problem, policy, asked, [1.0, 2.0]),
            ):
                answer, refused = answered(ask)
                if answer is None:
                    assert "ask for at most that" in refused
                else:
                    assert answer.reached >= level * EXACTLY
                    assert answer.allocation.certificate.feasible


def test_a_refusal_names_what_can_be_reached() -> None:
    problem = changed(fleet("b"), saturation=1.0, capacity=[5.0, 0.5])
    for policy in SIX:
        with pytest.raises(fs.ProblemError, match="even without limit of compute the worst-off agent") as refused:
            least_capacity(problem, policy, Target(Worst(), 0.99), "compute")
        assert "give more labels" in str(refused.value)
        said = str(refused.value)
        reachable = float(said.split(" reaches ")[1].split()[0])
        assert least_capacity(problem, policy, Target(Worst(), reachable), "compute").reached >= reachable * EXACTLY


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda p: least_capacity(p, fs.Uniform(), Target(Mean(), 1.01), "compute"), "without limit of compute"),
        (lambda p: least_budget(p, fs.Uniform(), Target(Mean(), 1.01), [1, 1]), "raise ceilings or saturation"),
        (lambda p: least_budget(p, fs.Uniform(), Target(Mean(), 0.9), [1, 1], [1, 0]), "give more labels"),
        (lambda p: least_capacity(p, fs.Uniform(), Target(Mean(), np.nan), "compute"), "finite number"),
        (lambda p: least_capacity(p, fs.Uniform(), Target(Mean(), "0.5"), "compute"), "finite number"),
        (lambda p: least_capacity(p, fs.Uniform(), Target(Agent("robot"), 0.5), "compute"), "no agent 'robot'"),
        (lambda p: least_capacity(p, fs.Uniform(), Target(Mean(), 0.5), "memory"), "one of compute, labels"),
        (lambda p: least_capacity(p, fs.Random(np.random.default_rng(0)), Target(Mean(), 0.5), "labels"), "generator"),
        (lambda p: least_budget(p, fs.Uniform(), Target(Mean(), 0.5), [1, -1]), r"`prices\[1\]` \(labels\) must be"),
        (lambda p: least_budget(p, fs.Uniform(), Target(Mean(), 0.5), [0, 1]), "a free resource needs no budget"),
        (lambda p: least_budget(p, fs.Uniform(), Target(Mean(), 0.5), [1, np.nan]), "finite and > 0"),
        (lambda p: least_budget(p, fs.Uniform(), Target(Mean(), 0.5), 1.0), "one number per resource"),
        (lambda p: least_budget(p, fs.Uniform(), Target(Mean(), 0.5), [1, 1], [0.5, 0.6]), "must sum to 1"),
        (lambda p: least_budget(p, fs.Uniform(), Target(Mean(), 0.5), [1, 1], [1.5, -0.5]), r"`split\[1\]`"),
        (lambda p: least_budget(changed(p, floor=0.01), fs.Uniform(), Target(Mean(), 0.5), [1, 1], [1, 0]), "floors"),
        (lambda p: best_split(changed(p, floor=0.1), fs.Uniform(), 0.1, [1, 1], Mean()), "what the floors cost, 2"),
        (lambda p: best_split(p, fs.Uniform(), np.inf, [1, 1], Mean()), "`budget` must be finite"),
        (lambda p: best_split(p, fs.Uniform(), 1.0, [1, 1], Agent("robot")), "no agent 'robot'"),
        (lambda p: best_split(NAMED["one resource"], fs.Uniform(), 1.0, 1.0, Mean()), "between two resources"),
        (lambda p: least_budget(NAMED["three resources"], fs.NUM(), Target(Mean(), 0.5), [1, 1, 1]), "give the shares"),
        (lambda p: outcome_grid(p, fs.Uniform(), [0.0, -1.0], [1.0], Mean()), "at least what the floors need"),
        (lambda p: outcome_grid(NAMED["one resource"], fs.Uniform(), [1.0], [1.0], Mean()), "two resources"),
    ],
)  # fmt: skip
def test_what_is_not_allowed_is_refused(ask: object, message: str) -> None:
    problem = changed(fleet("b"), saturation=1.0, capacity=[5.0, 5.0])
    with pytest.raises(fs.ProblemError, match=message):
        ask(problem)  # type: ignore[operator]


def test_three_resources_with_a_fixed_split() -> None:
    problem = NAMED["three resources"]
    answer = least_budget(problem, fs.NUM(), Target(Worst(), 0.5), [1, 2, 3], [0.2, 0.3, 0.5])
    assert answer.status is Least.PROVED
    assert answer.reached == pytest.approx(0.5)
    assert least_capacity(problem, fs.NUM(), Target(Worst(), 0.5), "resource 3").reached >= 0.5 * EXACTLY


@pytest.mark.parametrize("policy", SIX, ids=by_label)
def test_answers_are_said_in_words(policy: fs.Policy) -> None:
    problem, prices = two(), np.array([2.0, 1.0])
    for aim in (Worst(), Mean(), Agent("agent 2")):
        answer = least_capacity(problem, policy, Target(aim, 0.3), "compute")
        said = forecasts.answer(answer, problem)
        assert policy.label in said
        assert "compute" in said
        money = least_budget(problem, policy, Target(aim, 0.6), prices)
        assert "money of" in forecasts.answer(money, problem, prices)
        assert "budget on compute" in forecasts.split(best_split(problem, policy, 2.0, prices, aim))


def test_nothing_needed_is_said_so() -> None:
    problem = two()
    answer = least_capacity(problem, fs.Uniform(), Target(Worst(), 0.0), "compute")
    assert "no compute is needed" in forecasts.answer(answer, problem)
    poor = replace(problem, capacity=np.array([0.0, 1.0]))
    some: Answer = least_capacity(poor, fs.Uniform(), Target(Mean(), 0.5), "compute")
    assert "where now there is none" in forecasts.answer(some, poor)


# What is proved least, is; numbers from independent searches.


@pytest.mark.parametrize(
    ("fleet", "level", "prices", "least"),
    [
        ({"endowment": [[0, 0]], "elasticity": [[0.6, 0.3]], "saturation": 1}, 0.8, [1, 5], 3.37649348),
        ({"endowment": [[0, 0], [0.1, 0.2]], "elasticity": [[0.3, 0.6], [0.3, 0.3]]}, 0.3, [1, 5], 0.7783383),
        ({"endowment": [[0.5, 0]], "elasticity": [[0.2, 0.5]], "floor": 0.1}, 0.5, [1, 5], 1.63327389),
    ],
    ids=["beyond saturation", "shares near an end", "floors are not a share of the budget"],
)
def test_a_budget_is_least_where_money_is_worth_the_same_on_both_resources(
    fleet: dict[str, object], level: float, prices: list[float], least: float
) -> None:
    answer = least_budget(fs.Problem(capacity=[1, 1], **fleet), fs.FairSynergy(), Target(Mean(), level), prices)
    assert answer.spend == pytest.approx(least, rel=1e-6)
    assert answer.status is Least.PROVED


def test_a_budget_that_no_bound_meets_is_not_called_proved() -> None:
    """Two alike agents with increasing returns: the bound is what half an agent would cost, and there is none."""
    problem = fs.Problem(endowment=[[0.1, 0.1]] * 2, capacity=[1, 1], elasticity=[[0.9, 0.8]] * 2, saturation=1)
    answer = least_budget(problem, fs.FairSynergy(), Target(Mean(), 0.3), [1, 1])
    assert answer.status is Least.SEARCHED


def test_a_split_that_was_only_searched_says_so() -> None:
    answer = least_budget(two(saturation=1.0), fs.Uniform(), Target(Mean(), 0.6), [1, 2])
    assert answer.status is Least.SPLIT


def test_an_easy_task_needs_far_less_than_a_trillionth_of_what_there_is() -> None:
    for n in (1, 2):
        problem = fs.Problem(endowment=[0] * n, capacity=1, elasticity=[0.01] * n)
        answer = least_capacity(problem, fs.Uniform(), Target(Worst(), 0.5), "compute")
        assert answer.capacity[0] == pytest.approx(n * 0.5**100, rel=1e-9)
        assert answer.status is Least.PROVED
        assert least_budget(problem, fs.Uniform(), Target(Worst(), 0.5), 2.0).spend == pytest.approx(2 * n * 0.5**100)


def test_the_largest_mean_there_is_has_a_budget_at_no_share_that_was_tried() -> None:
    problem = fs.Problem(
        endowment=[[0, 0], [0, 0]],
        capacity=[0.505, 0.08],
        elasticity=[[0.9, 0.7], [0.6, 0.8]],
        ceiling=[[0.005, 0.05], [0.5, 0.03]],
    )
    largest = fs.allocate(problem, fs.Uniform()).mean
    answer = least_budget(problem, fs.Uniform(), Target(Mean(), largest), [10, 2000])
    assert answer.spend == pytest.approx(0.505 * 10 + 0.08 * 2000, rel=1e-6)
    assert answer.status is not Least.NOTHING


def test_money_and_levels_at_the_ends_of_numbers_overflow_nowhere() -> None:
    """Prices of 1e-11, and a worst-off whose first level costs 1e-314: warnings are errors here."""
    cheap = fs.Problem(endowment=[[0, 1e11]], capacity=[1e-12, 1e12], elasticity=[[0.4, 0.3]], saturation=[1e-12, 1e12])
    best = fs.allocate(cheap, fs.FairSynergy()).mean
    assert least_budget(cheap, fs.FairSynergy(), Target(Mean(), 0.9 * best), [4e11, 2e-11]).status is Least.PROVED
    easy = fs.Problem(endowment=[[0, 0]], capacity=[0.0125, 2], elasticity=[[0.25, 0.75]])
    level = fs.allocate(easy, fs.Leximin()).worst
    assert least_budget(easy, fs.Leximin(), Target(Worst(), level), [8e3, 0.1]).status is Least.PROVED


def test_the_best_split_for_the_worst_off_is_found_where_the_greatest_total_passes_it_by() -> None:
    """Fair-Synergy's sketch gives somebody something where the rule itself gives nothing."""
    problem = fs.Problem(
        endowment=[[0.3, 0.3], [0.1, 0], [0, 0]],
        capacity=[1, 1],
        elasticity=[[0.5, 0.5], [0.2, 0.6], [0.6, 0.5]],
    )
    best = best_split(problem, fs.FairSynergy(), 2.0, [1, 1], Worst())
    for share in np.linspace(0, 1, 41):
        assert best.reached >= forward(problem, fs.FairSynergy(), Worst(), [2 * share, 2 - 2 * share]) * 0.98


# Whole units.


def test_whole_units_are_counted_whole() -> None:
    """Six GPUs, of which five leave somebody with one; no refusal speaks of a millionth of a unit."""
    problem = fs.Problem(endowment=[0, 0, 0], capacity=8, elasticity=[0.5, 0.5, 0.5], resources=["gpu"])
    rule, target = fs.WholeUnits(fs.Uniform()), Target(Worst(), 1.4)
    amount = least_capacity(problem, rule, target, "gpu")
    assert amount.capacity.tolist() == [6]
    assert amount.status is Least.TRIED
    money = least_budget(problem, rule, target, 2.5)
    assert money.capacity.tolist() == [6]
    assert money.spend == 15


def test_the_least_budget_in_whole_units_is_the_least_of_all_that_few_buy() -> None:
    problem = fs.Problem(
        endowment=[[0, 1], [1, 0], [0.5, 0.5]],
        capacity=[8, 8],
        elasticity=[[0.5, 0.3], [0.2, 0.6], [0.4, 0.4]],
        floor=[[0, 0.5], [0, 0], [0, 0]],
        resources=["gpu", "cpu"],
    )
    rule, target, prices = fs.WholeUnits(fs.Leximin(), (2, 0.5)), Target(Worst(), 1.3), np.array([3.0, 1.0])
    answer = least_budget(problem, rule, target, prices)
    assert answer.status is Least.TRIED
    reaching = [
        3 * 2 * i + 0.5 * j
        for i in range(9)
        for j in range(1, 40)
        if forward(problem, rule, Worst(), np.array([2 * i, 0.5 * j])) >= 1.3
    ]
    assert answer.spend == min(reaching)
    given = least_budget(problem, rule, target, prices, [0.5, 0.5])
    assert given.spend >= answer.spend
    best = best_split(problem, rule, answer.spend, prices, Worst())
    assert best.reached >= 1.3
    assert (best.capacity % [2, 0.5] == 0).all()


def test_refusals_in_whole_units_name_the_resource_and_what_was_given() -> None:
    problem = fs.Problem(endowment=[0], capacity=8, elasticity=[0.5], resources=["gpu"], floor=1.2, ceiling=1.9)
    with pytest.raises(fs.ProblemError, match=r"floor 1.2 and the ceiling 1.9 of agent 1, gpu"):
        least_capacity(problem, fs.WholeUnits(fs.Uniform()), Target(Worst(), 1.0), "gpu")
    with pytest.raises(fs.ProblemError, match="seed of the lottery is a generator"):
        least_capacity(
            changed(problem, floor=0.0),
            fs.WholeUnits(fs.Uniform(), seed=np.random.default_rng(0)),
            Target(Worst(), 1.0),
            "gpu",
        )


def test_who_meets_a_ceiling_under_drf_takes_from_others_so_the_least_is_not_proved() -> None:
    problem = fs.Problem(
        endowment=[[0.01, 0.01]] * 2, capacity=[2, 2], elasticity=[[0.5, 0.5], [0.5, 0.75]], ceiling=[[2, 0], [2, 2]]
    )
    target = Target(Agent("agent 1"), fs.allocate(problem, fs.DRF()).utility[0])
    richer = fs.allocate(changed(problem, capacity=[2, 4]), fs.DRF())
    assert richer.utility[0] < target.level
    assert least_capacity(problem, fs.DRF(), target, "labels").status is Least.FOUND


def test_amounts_too_small_to_look_for_are_not_called_the_least() -> None:
    """0.3 is reached by 1e-9000, which is no number, so by every amount but none at all."""
    problem = fs.Problem(endowment=[0.0], capacity=0.025, elasticity=[5.8e-5], ceiling=0.025)
    answer = least_capacity(problem, fs.NUM(), Target(Worst(), 0.3), "compute")
    assert answer.status is Least.TRACE
    assert answer.reached >= 0.3
    assert forward(problem, fs.NUM(), Worst(), answer.capacity * 1e-9) >= 0.3
    money = least_budget(problem, fs.NUM(), Target(Worst(), 0.3), 2.0)
    assert money.status is Least.TRACE


def test_who_would_need_more_than_any_number_does_not_stop_the_search_for_a_level() -> None:
    """Agent 1 is lifted to what agent 2 can reach by nothing short of 1e280 of either resource."""
    problem = fs.Problem(
        endowment=[[0.05, 1e5], [0.1, 5e4], [1, 5e3]],
        capacity=[6, 2.5e5],
        elasticity=[[0.01, 7.4e-8], [0.75, 0.99998], [0.25, 4e-5]],
        ceiling=[[np.inf, 2.5e5], [np.inf, np.inf], [np.inf, 1e6]],
    )
    answer = least_budget(problem, fs.Leximin(), Target(Worst(), 1.018), [16.7, 4e-8])
    assert answer.status is Least.PROVED
    assert answer.reached == pytest.approx(1.018, rel=1e-9)
