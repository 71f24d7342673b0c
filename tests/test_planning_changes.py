"""Bounds and what they cost, increments, exchanges, distances and previous grants carried over."""

from __future__ import annotations

from dataclasses import replace

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, given
from strategies import NAMED, changed, fleet, problems

import fairsynergy as fs
from fairsynergy.analysis import planning
from fairsynergy.analysis.planning import Kind
from fairsynergy.problem import Array
from fairsynergy.words import advice

RULES: dict[str, fs.Policy] = {
    **fs.RULES,
    "DRF, pure": fs.DRF(work_conserving=False),
    "Alpha-fair, 0.75": fs.AlphaFair(0.75),
    "Alpha-fair, 3": fs.AlphaFair(3),
}
# The market sells what it sells without regard to floors and ceilings, and refuses them.
BOUNDED = [name for name in RULES if name != "Equal-income market"]
FLEETS = ["Fleet A", "Fleet B", "one resource", "two resources", "weights", "everything at once"]


def rules_for(problem: fs.Problem) -> list[fs.Policy]:
    return [rule for name, rule in RULES.items() if not (name == "Leximin" and problem.m > 2)]


# Locks.


@pytest.mark.parametrize("rule", BOUNDED)
@pytest.mark.parametrize("name", FLEETS)
def test_locking_every_agent_where_it_is_changes_nothing(name: str, rule: str) -> None:
    problem = NAMED[name]
    free = fs.allocate(problem, RULES[rule])
    locked = fs.allocate(changed(problem, floor=free.grant, ceiling=free.grant), RULES[rule])
    np.testing.assert_array_equal(locked.grant, free.grant)
    assert locked.mean == free.mean
    assert locked.status is not fs.Status.FAILED


@pytest.mark.parametrize("rule", ["Fair-Synergy", "Nash", "Alpha-fair, 3", "NUM", "Uniform", "Leximin"])
@pytest.mark.parametrize("name", ["Fleet A", "one resource", "weights"])
def test_a_lock_where_the_rule_would_go_anyway_does_not_bind(name: str, rule: str) -> None:
    problem = NAMED[name]
    free = fs.allocate(problem, RULES[rule])
    floor, ceiling = np.zeros_like(free.grant), np.full_like(free.grant, np.inf)
    i = int(np.argmax(free.grant[:, 0]))
    floor[i] = ceiling[i] = free.grant[i]
    assert planning.binding(fs.allocate(changed(problem, floor=floor, ceiling=ceiling), RULES[rule])) == ()


# Bounds.


def bounded(problem: fs.Problem, free: Array) -> fs.Problem:
    """A floor, a ceiling and two locks that bind the rule that would make these grants."""
    order = np.argsort(-free[:, 0])
    floor, ceiling = np.zeros_like(free), np.full_like(free, np.inf)
    ceiling[order[0], 0] = 0.6 * free[order[0], 0]
    floor[order[-1], 0] = 0.2 * problem.capacity[0]
    floor[order[1], 0] = ceiling[order[1], 0] = 0.7 * free[order[1], 0]
    floor[order[-2], 0] = ceiling[order[-2], 0] = 0.15 * problem.capacity[0]
    return changed(problem, floor=floor, ceiling=ceiling)


@pytest.mark.parametrize("rule", ["Fair-Synergy", "Nash", "Alpha-fair, 3", "NUM", "Uniform", "Leximin", "DRF"])
@pytest.mark.parametrize("name", ["Fleet A", "Fleet B"])
def test_bounds_that_bind_are_found_with_their_kind_and_way(name: str, rule: str) -> None:
    problem = NAMED[name]
    free = fs.allocate(problem, RULES[rule]).grant
    if rule in ("Uniform", "DRF"):  # whose grants are all alike in one resource
        free = free * np.linspace(1.0, 0.5, 10)[:, None]
    tied = bounded(problem, free)
    allocation = fs.allocate(tied, RULES[rule])
    found = {(bound.agent, bound.resource): bound for bound in planning.binding(allocation)}
    for (agent, resource), bound in found.items():
        i, k = tied.agents.index(agent), tied.resources.index(resource)
        loose = changed(tied, floor=_at(tied.floor, i, k, 0.0), ceiling=_at(tied.ceiling, i, k, np.inf))
        anew = fs.allocate(loose, RULES[rule])
        assert bound.more == (anew.grant[i, k] > bound.amount)
        assert bound.cost == pytest.approx(anew.weighted_mean - allocation.weighted_mean, rel=1e-9, abs=1e-15)
        assert bound.mean == allocation.weighted_mean
        assert bound.weighted is problem.weighted
        assert (bound.price is not None) == (rule == "Fair-Synergy")
        locked = tied.floor[i, k] == tied.ceiling[i, k]
        assert bound.kind is (Kind.LOCK if locked else Kind.CEILING if bound.more else Kind.FLOOR)
    order = np.argsort(-free[:, 0])
    assert {(problem.agents[i], problem.resources[0]) for i in order[[0, -1]]} <= set(found)
    # Whatever does not bind can go.
    for i, k in np.argwhere((tied.floor > 0) | (tied.ceiling < np.inf)):
        if (problem.agents[i], problem.resources[k]) not in found:
            loose = changed(tied, floor=_at(tied.floor, i, k, 0.0), ceiling=_at(tied.ceiling, i, k, np.inf))
            np.testing.assert_allclose(fs.allocate(loose, RULES[rule]).grant, allocation.grant, atol=1e-8)


def _at(value: Array, i: int, k: int, new: float) -> Array:
    changed_at = value.copy()
    changed_at[i, k] = new
    return changed_at


@pytest.mark.parametrize("name", ["Fleet A", "one resource", "two resources"])
def test_the_price_of_a_bound_is_the_slope_of_the_total(name: str) -> None:
    """Envelope theorem: move the bound a little, and the total moves by its price."""
    problem = changed(NAMED[name], weight=np.linspace(1, 2, NAMED[name].n))
    tied = bounded(problem, fs.allocate(problem, fs.FairSynergy()).grant)
    allocation = fs.allocate(tied, fs.FairSynergy())
    found = planning.binding(allocation)
    assert {bound.kind for bound in found} == set(Kind)
    for bound in found:
        i, k = tied.agents.index(bound.agent), tied.resources.index(bound.resource)
        step = 1e-6 * problem.capacity[k] * (1 if bound.more else -1)
        limits = {"floor": tied.floor, "ceiling": tied.ceiling}
        if bound.kind is not Kind.CEILING:
            limits["floor"] = _at(tied.floor, i, k, bound.amount + step)
        if bound.kind is not Kind.FLOOR:
            limits["ceiling"] = _at(tied.ceiling, i, k, bound.amount + step)
        moved = fs.allocate(changed(tied, **limits), fs.FairSynergy()).total
        assert (moved - allocation.total) / abs(step) == pytest.approx(bound.price, rel=5e-3)
        assert bound.price > 0


@given(problem=problems(mild=True, concave=True))
def test_under_fair_synergy_no_bound_is_worth_keeping_and_the_tightest_come_first(problem: fs.Problem) -> None:
    allocation = fs.allocate(problem, fs.FairSynergy())
    found = planning.binding(allocation, limit=2)
    priced = [bound.price * problem.capacity[problem.resources.index(bound.resource)] for bound in found]
    assert priced == sorted(priced, reverse=True)
    assert [bound.cost is None for bound in found] == [rank >= 2 for rank in range(len(found))]
    for bound in found[:2] if np.ptp(problem.weight) == 0 else ():
        assert bound.cost >= -1e-9 * allocation.mean


def test_without_a_marginal_what_is_beyond_the_limit_is_listed_but_not_judged() -> None:
    problem = changed(fleet("a"), floor=np.linspace(0.05, 0.3, 10)[:, None], capacity=2.0)
    allocation = fs.allocate(problem, fs.Uniform())
    found = planning.binding(allocation, limit=2)
    assert [bound.more for bound in found[:2]] == [False, False]
    assert {bound.more for bound in found[2:]} == {None}
    said = advice.bounds(found)
    assert said[0].startswith("agent 10's floor of 0.30 compute binds; without it the mean would be")
    assert said[-1].endswith("whether that binds was not computed.")


def test_nothing_binds_a_split_by_hand_or_one_that_fails() -> None:
    problem = changed(fleet("a"), floor=0.1, capacity=2.0)
    assert planning.binding(fs.allocate(problem, fs.Given(np.full(10, 0.1)))) == ()
    assert planning.binding(fs.allocate(problem, fs.Given(np.full(10, 0.0)))) == ()


def test_a_rule_that_draws_by_lot_is_not_asked_again() -> None:
    problem = changed(fleet("a"), floor=0.1, capacity=2.0)
    rng = np.random.default_rng(3)
    allocation = fs.allocate(problem, fs.Random(seed=rng))
    state = rng.bit_generator.state
    assert {bound.cost for bound in planning.binding(allocation)} <= {None}
    assert rng.bit_generator.state == state


# Increments.


@given(problem=problems())
def test_an_increment_with_an_empty_past_is_the_problem_itself(problem: fs.Problem) -> None:
    assert planning.increment(problem, np.zeros((problem.n, problem.m)), problem.capacity) == problem


@pytest.mark.parametrize("name", NAMED)
def test_an_increment_with_an_empty_past_is_divided_as_ever_by_every_rule(name: str) -> None:
    problem = NAMED[name]
    past = np.zeros((problem.n, problem.m))
    for rule in rules_for(problem):
        if isinstance(rule, fs.EqualIncomeMarket | fs.CertifiedOptimum):  # refuse some of these, or search for long
            continue
        placed = planning.place(problem, rule, past, problem.capacity)
        np.testing.assert_array_equal(placed.grant, fs.allocate(problem, rule).grant)
        np.testing.assert_array_equal(placed.before, problem.utility(past))


@given(problem=problems(), part=st.sampled_from([0.1, 0.5, 0.9]))
def test_past_grants_stay_and_limits_hold_on_both_together(problem: fs.Problem, part: float) -> None:
    past = part * fs.allocate(problem, fs.Uniform()).grant
    owed = np.maximum(problem.floor - past, 0.0).sum(axis=0)
    extra = problem.capacity - past.sum(axis=0)
    assume((owed <= extra).all())
    placed = planning.place(problem, fs.FairSynergy(), past, extra)
    scale = 1e-9 * (problem.capacity + problem.endowment)
    assert (placed.grant >= past).all()
    assert (placed.grant >= problem.floor - scale).all()
    assert (placed.grant <= np.maximum(problem.upper, past) + scale).all()
    assert (placed.added.sum(axis=0) <= extra * (1 + 1e-9)).all()
    np.testing.assert_allclose(placed.after, problem.utility(placed.grant), rtol=1e-9)
    assert placed.gain >= -1e-12


def test_under_fair_synergy_placing_what_was_held_back_loses_nothing() -> None:
    """Where grants only grow with the capacity, half first and half later is all at once."""
    problem = fleet("a")
    half = fs.allocate(changed(problem, capacity=problem.capacity / 2), fs.FairSynergy()).grant
    placed = planning.place(problem, fs.FairSynergy(), half, problem.capacity / 2)
    np.testing.assert_allclose(placed.grant, fs.allocate(problem, fs.FairSynergy()).grant, atol=1e-12)


def test_what_past_grants_left_of_the_floors_must_be_payable() -> None:
    problem = changed(fleet("a"), floor=0.1, capacity=2.0)
    with pytest.raises(fs.ProblemError, match=r"the floors need compute 0\.5"):
        planning.increment(problem, np.full(10, 0.05), 0.4)
    with pytest.raises(fs.ProblemError, match=r"`past\[2, 0\]` \(agent 3, compute\) must be finite and >= 0, got nan"):
        planning.increment(problem, [0, 0, np.nan] + [0] * 7, 0.4)


def test_new_capacity_is_placed_by_a_rule_and_not_by_what_somebody_had() -> None:
    problem = fleet("a")
    past = fs.allocate(problem, fs.Uniform()).grant
    for policy in (fs.Given(past), fs.Replan(past, 0.1)):
        with pytest.raises(fs.ProblemError, match="must be a rule that divides anew"):
            planning.place(problem, policy, past, 0.1)
        with pytest.raises(fs.ProblemError, match="must be a rule that divides anew"):
            planning.next_share(fs.allocate(problem, policy))


@pytest.mark.parametrize("name", ["Fleet A", "Fleet B", "weights", "everything at once"])
def test_the_next_share_adds_what_the_price_says(name: str) -> None:
    problem = NAMED[name]
    allocation = fs.allocate(problem, fs.FairSynergy())
    size = 1e-6 * problem.capacity
    for k, share in enumerate(planning.next_share(allocation, size=size)):
        assert share.resource == problem.resources[k]
        assert sum(amount for _, amount in share.receivers) == pytest.approx(size[k], rel=1e-9)
        assert [amount for _, amount in share.receivers] == sorted((a for _, a in share.receivers), reverse=True)
        assert share.total / share.size == pytest.approx(allocation.price[k], rel=1e-4)
        assert share.price == pytest.approx(allocation.price[k], rel=1e-4)
        assert share.mean == allocation.mean
        assert share.gain > 0


@given(problem=problems())
def test_every_resource_with_a_capacity_has_a_next_share(problem: fs.Problem) -> None:
    allocation = fs.allocate(problem, fs.Uniform())
    shares = planning.next_share(allocation)
    assert [share.resource for share in shares] == list(problem.resources)
    for share in shares:
        assert share.price is None
        assert share.gain >= 0
    assert len(advice.next_bits(shares)) == problem.m


@pytest.mark.parametrize("size", [0, -1, np.nan, [0.1, 0]])
def test_a_size_is_positive(size: object) -> None:
    with pytest.raises(fs.ProblemError, match="`size` must be a number > 0"):
        planning.next_share(fs.allocate(fleet("b"), fs.NUM()), size=size)  # type: ignore[arg-type]


# Exchanges.


@given(problem=problems(mild=True))
def test_an_exchange_adds_what_it_says_and_a_little_more_or_less_adds_less(problem: fs.Problem) -> None:
    allocation = fs.allocate(problem, fs.Uniform())
    found = planning.first_improvement(allocation)
    if found is None:
        return
    grant = planning.exchanged(allocation, found)
    again = fs.allocate(problem, fs.Given(grant))
    assert again.status is fs.Status.FEASIBLE
    assert again.total - allocation.total == pytest.approx(found.total, rel=1e-6, abs=1e-13)
    assert again.weighted_mean - allocation.weighted_mean == pytest.approx(found.gain, rel=1e-6, abs=1e-13)
    assert found.total > 0
    assert found.added > found.lost
    for factor in (0.9, 0.99):
        less = planning.exchanged(allocation, found._replace(amount=factor * found.amount))
        assert problem.weight @ problem.utility(less) <= again.total * (1 + 1e-12)
    if found.giver is not None:
        i, k = problem.agents.index(found.giver), problem.resources.index(found.resource)
        j = problem.agents.index(found.taker)
        further = 0.01 * found.amount
        if grant[i, k] - problem.floor[i, k] > further and problem.upper[j, k] - grant[j, k] > further:
            more = planning.exchanged(allocation, found._replace(amount=1.01 * found.amount))
            assert problem.weight @ problem.utility(more) <= again.total * (1 + 1e-12)


@given(problem=problems(concave=True, mild=True))
def test_nothing_improves_on_fair_synergy(problem: fs.Problem) -> None:
    assert planning.first_improvement(fs.allocate(problem, fs.FairSynergy())) is None


@given(problem=problems())
def test_an_exchange_keeps_every_limit_on_any_fleet(problem: fs.Problem) -> None:
    for policy in (fs.Uniform(), fs.Given(problem.floor)):
        allocation = fs.allocate(problem, policy)
        found = planning.first_improvement(allocation)
        assert advice.improvement(found).endswith(".")
        if found is not None:
            assert found.amount >= 0
            assert found.total >= -1e-12 * allocation.total
            again = fs.allocate(problem, fs.Given(planning.exchanged(allocation, found)))
            assert again.status is fs.Status.FEASIBLE


def test_improving_again_and_again_reaches_the_optimum() -> None:
    problem = NAMED["one resource"]
    allocation = fs.allocate(problem, fs.Uniform())
    for _ in range(400):
        found = planning.first_improvement(allocation)
        if found is None:
            break
        allocation = fs.allocate(problem, fs.Given(planning.exchanged(allocation, found)))
    assert allocation.total == pytest.approx(fs.allocate(problem, fs.FairSynergy()).total, rel=1e-9)


def test_what_is_unspent_is_given_first_and_a_broken_split_has_no_improvement() -> None:
    problem = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3], ceiling=[0.32, np.inf])
    found = planning.first_improvement(fs.allocate(problem, fs.Given([0.3, 0.1])))
    assert (found.giver, found.taker, found.lost) == (None, "agent 1", 0.0)
    assert found.amount == pytest.approx(0.02, rel=1e-12)  # no more than its ceiling leaves
    assert planning.first_improvement(fs.allocate(problem, fs.Given([0.3, 0.3]))) is None
    first = planning.first_improvement(fs.allocate(replace(problem, endowment=np.zeros((2, 1))), fs.Given([0.0, 0.5])))
    assert np.isinf(first.added)
    assert "adds more than any price" in advice.improvement(first)


# Distances and previous grants.


@given(problem=problems(mild=True))
def test_a_distance_is_a_distance(problem: fs.Problem) -> None:
    one, two, three = (fs.allocate(problem, rule).grant for rule in (fs.Uniform(), fs.NUM(), fs.Random()))
    ab, ba, ac, cb = (
        planning.distance(x, y, problem.capacity) for x, y in ((one, two), (two, one), (one, three), (three, two))
    )
    np.testing.assert_array_equal(ab, ba)
    np.testing.assert_array_equal(planning.distance(one, one, problem.capacity), 0.0)
    assert (ab <= ac + cb + 1e-12).all()
    assert (ab <= 1 + 1e-9).all()
    # What Given must move to become the other.
    assert (ab * problem.capacity >= np.maximum(one - two, 0.0).sum(axis=0) - 1e-9 * problem.capacity).all()


def test_a_distance_counts_what_is_unspent_and_nothing_of_nothing() -> None:
    np.testing.assert_allclose(planning.distance([0.5, 0.5], [0.0, 0.0], 1.0), [1.0])
    np.testing.assert_allclose(planning.distance([[0.5, 0], [0, 0]], [[0, 0], [0.5, 0]], [1.0, 0.0]), [0.5, 0.0])


def test_previous_grants_are_carried_by_name() -> None:
    problem = fleet("b")
    before = fs.allocate(problem, fs.FairSynergy())
    np.testing.assert_array_equal(planning.carried(problem, before), before.grant)
    order = [3, 1, 9]
    fewer = fs.Problem(
        endowment=problem.endowment[order][:, [1, 0]],
        capacity=problem.capacity[[1, 0]],
        elasticity=problem.elasticity[order][:, [1, 0]],
        agents=["agent 4", "agent 2", "newcomer"],
        resources=["labels", "compute"],
    )
    carried = planning.carried(fewer, before)
    np.testing.assert_array_equal(carried[:2], before.grant[[3, 1]][:, [1, 0]])
    np.testing.assert_array_equal(carried[2], 0.0)
    other = changed(fewer, resources=("labels", "memory"))
    np.testing.assert_array_equal(planning.carried(other, before)[:, 1], 0.0)


def test_a_change_says_what_it_moves_and_pays() -> None:
    problem = fleet("a")
    previous = fs.allocate(problem, fs.Uniform())
    found = planning.change(fs.allocate(problem, fs.Replan(planning.carried(problem, previous), 0.3)))
    np.testing.assert_array_less(found.moved, found.moved_free)
    np.testing.assert_allclose(
        found.moved / problem.capacity, planning.distance(previous.grant, found.allocation.grant, problem.capacity)
    )
    assert found.paid == pytest.approx(0.3 * found.moved.sum(), rel=1e-12)
    # What is moved is worth its price.
    assert found.allocation.total - found.paid > previous.total
    np.testing.assert_array_equal(found.before, previous.utility)
    assert "of 0.18 compute changes hands; the mean rises from" in advice.moving(found)
    still = planning.change(fs.allocate(problem, fs.Replan(previous.grant, np.inf)))
    assert still.paid == 0
    assert "no compute changes hands; the mean stays at" in advice.moving(still)
    with pytest.raises(fs.ProblemError, match="`allocation` must be one by Replan, got Uniform"):
        planning.change(previous)


# Words.


def test_limits_that_are_broken_are_named() -> None:
    problem = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3], floor=0.1, ceiling=0.3)
    assert advice.broken(problem, np.array([[0.2], [0.3]])) == ""
    assert advice.broken(problem, np.array([[0.0], [0.0]])) == (
        "agent 1 gets 0 compute, 0.10 below its floor of 0.10 (and 1 more)"
    )
    assert advice.broken(problem, np.array([[0.301], [0.2]])) == (
        "it gives out 0.501 compute of 0.5; agent 1 gets 0.301 compute, 0.001 above its ceiling of 0.3"
    )


def test_sentences_name_few_and_count_the_others() -> None:
    problem = fleet("b")
    placed = planning.place(problem, fs.Uniform(), np.zeros((10, 2)), [1.0, 0.0])
    assert advice.placement(placed).startswith(
        "Of 1.00 new compute agent 1 gets 0.10, agent 2 gets 0.10, agent 3 gets 0.10 and 7 others 0.70; the mean rises"
    )
    assert (
        advice.placement(planning.place(problem, fs.Uniform(), np.zeros((10, 2)), [0, 0]))
        == "There is no new capacity."
    )


def test_distances_in_words() -> None:
    problem = fleet("b")
    one, two = (fs.allocate(problem, rule).grant for rule in (fs.Uniform(), fs.Leximin()))
    assert advice.distance(one, one, problem) == "the same grants"
    assert advice.distance(one, two, problem).endswith("of labels lie elsewhere")


def test_bounds_are_judged_without_a_warning_where_there_is_nothing_to_share():
    bare = fs.Problem(endowment=[0, 0.2], capacity=0, elasticity=[0.5, 0.3], ceiling=0.5)
    assert planning.binding(fs.allocate(bare, fs.FairSynergy())) == ()
