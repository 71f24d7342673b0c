"""Many fleets at once: padding is nobody, and every rule gives each fleet what it gives it alone."""

from __future__ import annotations

from math import inf

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from strategies import NAMED, changed, problems

import fairsynergy as fs
from fairsynergy.analysis.fairness import gini
from fairsynergy.experiments.engine import Batch, measure
from fairsynergy.kernel import Fleets
from fairsynergy.kernel._dual import bounds

# An example is up to four fleets, each divided twice by every rule.
FEWER = settings(max_examples=max(10, settings.default.max_examples // 4))
# Rules that divide many fleets at once, over one resource or two.
TOGETHER = [
    fs.Uniform(), fs.NUM(), fs.DRF(), fs.Nash(), fs.Leximin(), fs.FairSynergy(passes=1), fs.FairSynergy(passes=3),
    fs.FairSynergy(passes=inf), fs.AlphaFair(0.5), fs.AlphaFair(2),
]  # fmt: skip
ONE_BY_ONE = [fs.FairSynergy(), fs.DRF(work_conserving=False), fs.EqualIncomeMarket(), fs.CertifiedOptimum()]


@st.composite
def many(draw: st.DrawFn, **kinds: object) -> list[fs.Problem]:
    """Problems over the same resources, with one saturation or none, or some of them with bounds of their own."""
    m, bounds = draw(st.sampled_from((1, 2))), draw(st.booleans())
    saturation = draw(st.sampled_from((inf, 1.0)))
    stack = draw(st.lists(problems(resources=(m,), bounds=bounds, **kinds), min_size=1, max_size=4))
    return stack if bounds else [changed(problem, saturation=saturation) for problem in stack]


@pytest.mark.parametrize("policy", [*TOGETHER, *ONE_BY_ONE], ids=lambda policy: policy.label)
@FEWER
@given(stack=many(mild=True))
def test_a_batch_is_a_loop(policy: fs.Policy, stack: list[fs.Problem]) -> None:
    if isinstance(policy, fs.EqualIncomeMarket):  # which forces nobody to buy
        stack = [changed(problem, floor=0.0) for problem in stack]
    if isinstance(policy, fs.CertifiedOptimum):  # which takes its time where bounds bind, and is asked one by one
        stack = [changed(problem, floor=0.0, ceiling=inf) for problem in stack]
    fleets = Fleets.of(stack)
    divided = policy.divide_many(fleets)
    outcome = fleets.outcome(divided.grant)
    for i, problem in enumerate(stack):
        alone = fs.allocate(problem, policy)
        np.testing.assert_allclose(divided.grant[i, : problem.n], alone.grant, rtol=1e-8, atol=1e-9)
        assert (divided.grant[i, problem.n :] == 0).all()
        assert outcome.mean[i] == pytest.approx(alone.mean, rel=1e-9)
        assert outcome.worst[i] == pytest.approx(alone.worst, rel=1e-8)
        assert outcome.best[i] == pytest.approx(alone.best, rel=1e-8)
        assert outcome.total[i] == pytest.approx(alone.total, rel=1e-9)
        assert outcome.gini[i] == pytest.approx(gini(alone.utility), abs=1e-8)


@pytest.mark.parametrize("policy", TOGETHER, ids=lambda policy: policy.label)
@FEWER
@given(stack=many())
def test_hard_fleets_are_divided_within_their_limits(policy: fs.Policy, stack: list[fs.Problem]) -> None:
    """Scales from 1e-9 to 1e9, elasticities near 0 and 1, nothing owned: grants as good as those of a loop."""
    fleets = Fleets.of(stack)
    grant = policy.divide_many(fleets).grant
    assert (grant >= fleets.floor).all()
    assert (grant <= fleets.ceiling).all()
    assert (grant.sum(axis=1) <= fleets.capacity * (1 + 1e-9)).all()
    outcome = fleets.outcome(grant)
    for i, problem in enumerate(stack):
        alone = fs.allocate(problem, policy)
        assert outcome.worst[i] == pytest.approx(alone.worst, rel=1e-6, abs=1e-300)
        assert outcome.total[i] == pytest.approx(alone.total, rel=1e-6)


def test_nothing_to_stack_is_refused() -> None:
    with pytest.raises(fs.ProblemError, match="give at least one"):
        Fleets.of([])


@FEWER
@given(stack=many())
def test_no_division_beats_the_bound(stack: list[fs.Problem]) -> None:
    fleets = Fleets.of(stack)
    for policy in (fs.FairSynergy(passes=inf), fs.Leximin(), fs.Uniform()):
        bound = bounds(fleets, policy.divide_many(fleets).grant)
        for i, problem in enumerate(stack):
            assert bound[i] >= fs.allocate(problem, fs.FairSynergy()).total * (1 - 1e-9)


@given(stack=many(mild=True, concave=True))
def test_the_bound_is_tight_where_the_total_is_concave(stack: list[fs.Problem]) -> None:
    fleets = Fleets.of(stack)
    grant = fs.FairSynergy(passes=inf).divide_many(fleets).grant
    np.testing.assert_allclose(bounds(fleets, grant), fleets.outcome(grant).total, rtol=1e-6)


def test_proofs_of_rules_that_give_one_are_kept() -> None:
    stack = [NAMED["Fleet B"], NAMED["increasing returns"]]
    divided = fs.CertifiedOptimum().divide_many(Fleets.of(stack))
    for bound, problem in zip(divided.bound, stack, strict=True):
        assert bound == fs.allocate(problem, fs.CertifiedOptimum()).upper_bound
    assert np.isnan(fs.Leximin().divide_many(Fleets.of(stack)).bound).all()


@given(stack=many())
def test_problems_come_back(stack: list[fs.Problem]) -> None:
    fleets = Fleets.of(stack)
    assert len(fleets) == len(stack)
    assert [fleets.problem(i) for i in range(len(stack))] == stack
    last = fleets[np.array([len(stack) - 1])]
    assert last.problem(0) == stack[-1]
    assert last.n == stack[-1].n


def test_random_takes_the_lots_that_were_drawn_with_the_fleets() -> None:
    stack = [NAMED["two resources"], changed(NAMED["two resources"], capacity=[1.0, 2.0])]
    fleets = Fleets.of(stack)
    share = np.random.default_rng(3).dirichlet(np.ones(7), (2, 2)).mT
    drawn = Fleets(fleets.endowment, fleets.elasticity, fleets.capacity, fleets.weight, lots=share)
    np.testing.assert_allclose(fs.Random().divide_many(drawn).grant, share * fleets.capacity[:, None], rtol=1e-12)
    np.testing.assert_allclose(fs.Random(seed=5).divide_many(drawn).grant, share * fleets.capacity[:, None], rtol=1e-12)
    alone = fs.allocate(stack[0], fs.Random(seed=5)).grant
    np.testing.assert_array_equal(fs.Random(seed=5).divide_many(fleets).grant[0], alone)


def test_fleets_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(fs.ProblemError, match=r"1 resources and `problems\[1\]` has 2; .* solve these one by one"):
        Fleets.of([NAMED["one resource"], NAMED["two resources"]])


@pytest.mark.parametrize("name", ["everything at once", "saturation", "floors, two resources", "one resource"])
def test_one_problem_many_times(name: str) -> None:
    problem = NAMED[name]
    capacity = problem.capacity * np.array([[1.0], [1.5], [4.0]])
    gamma = np.stack([problem.elasticity * scale for scale in (1.0, 0.9, 0.5)])
    fleets = Fleets.around(problem, capacity=capacity, elasticity=gamma)
    for i in range(3):
        assert fleets.problem(i) == changed(problem, capacity=capacity[i], elasticity=gamma[i])
    assert Fleets.around(problem).problem(0) == problem
    assert fleets[1:].problem(0) == fleets.problem(1)
    lots = np.random.default_rng(0).dirichlet(np.ones(problem.n), problem.m).T
    shared = fs.Random().divide_many(Fleets.around(problem, capacity=capacity, lots=lots)).grant
    assert (shared >= problem.floor).all()
    assert (shared <= problem.ceiling).all()


def test_floors_that_exhaust_a_resource_leave_a_gap_on_the_other():
    """Nobody trades the first resource, so no price on it says anything; a price beyond any number cancelled to 0."""
    fleet = fs.Problem(
        endowment=[[0.1, 0.1]] * 3,
        capacity=[0.6, 2],
        elasticity=[[0.5, 0.4], [0.3, 0.1], [0.2, 0.2]],
        floor=[[0.2, 0]] * 3,
    )
    table = measure(Batch(np.array([0]), Fleets.of([fleet])), {"best": fs.FairSynergy(), "even": fs.Uniform()})
    assert table["gap"][0] == pytest.approx(0, abs=1e-9)
    assert table["gap"][1] == pytest.approx(1 - 3 * table["mean"][1] / 1.9588963487825, abs=1e-9)


def test_where_nobody_can_have_any_accuracy_none_of_it_is_missing():
    fleet = fs.Problem(endowment=[[0, 1], [0, 1]], capacity=[0, 1], elasticity=[[0.5, 0.5]] * 2)
    table = measure(Batch(np.array([0]), Fleets.of([fleet])), {"best": fs.FairSynergy(), "even": fs.Uniform()})
    assert table["gap"].tolist() == [0, 0]
