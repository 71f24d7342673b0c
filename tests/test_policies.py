"""Every rule on every named problem and on random ones: what any division must satisfy, whoever made it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from numpy.typing import NDArray
from strategies import NAMED, changed, fleet, problems

import fairsynergy as fs
from fairsynergy.problem import Array

RULES: dict[str, fs.Policy] = {
    **fs.POLICIES,
    "Fair-Synergy, one pass": fs.FairSynergy(passes=1),
    "DRF, pure": fs.DRF(work_conserving=False),
    "Alpha-fair, 0.75": fs.AlphaFair(0.75),
    "Nash": fs.Nash(),
    "Alpha-fair, 3": fs.AlphaFair(3),
}
# Rules for which order and likeness of agents decide nothing.
FAIR = [name for name in RULES if name != "Random"]
# Rules that may leave something over although somebody could use it, and why.
MAY_IDLE = {
    "DRF, pure": "stops when the first resource runs out; that is its definition",
    "Fair-Synergy, one pass": "from nothing, an agent that lacks one resource is not offered the other",
}
# Rounding, as a fraction of a capacity.
EXACT = 1e-9
# Grants found by an iteration on a flat optimum repeat to this fraction of a capacity.
REPEATS = 1e-5


def handles(rule: str, problem: fs.Problem) -> bool:
    return not (rule == "Leximin" and problem.m > 2)


def could_use(rule: str, problem: fs.Problem, grant: Array) -> NDArray[np.bool_]:
    """(n, m): whether more of a resource can matter to an agent, now or with more of the others.

    Where returns do not decrease, the greatest total may leave agents without anything of one resource; the others
    are then of no use to them. Returns are those to what an agent can be given.
    """
    reachable = (problem.endowment > 0) | ((problem.upper > 0) & (problem.capacity > 0))
    returns = np.where((problem.upper > 0) & (problem.capacity > 0), problem.elasticity, 0).sum(axis=1)
    if rule == "Fair-Synergy" and (returns > 1 - 1e-6).any():
        reachable = problem.holding(grant) > 0
    others = np.stack([np.delete(reachable, k, axis=1).all(axis=1) for k in range(problem.m)], axis=1)
    return np.asarray(others)


def assert_sound(rule: str, problem: fs.Problem, grant: Array) -> None:
    """Within every limit, and nothing that somebody could use left over."""
    scale = np.where(problem.capacity > 0, problem.capacity, 1.0)
    assert grant.shape == (problem.n, problem.m)
    assert np.isfinite(grant).all()
    assert (grant >= 0).all()
    assert (grant >= problem.floor - EXACT * scale).all()
    assert (grant <= problem.ceiling + EXACT * scale).all()
    assert (grant <= problem.upper + EXACT * (scale + problem.endowment)).all(), "granted beyond saturation"
    spent = grant.sum(axis=0)
    assert (spent <= problem.capacity + EXACT * scale).all()
    if rule in MAY_IDLE:
        return
    for k in range(problem.m):
        at_upper = grant[:, k] >= problem.upper[:, k] - EXACT * scale[k]
        if not (at_upper | ~could_use(rule, problem, grant)[:, k]).all():
            assert spent[k] >= problem.capacity[k] - EXACT * scale[k], f"{problem.resources[k]} left over"


def divide(rule: str, problem: fs.Problem) -> Array:
    return fs.allocate(problem, RULES[rule]).grant


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("rule", RULES)
def test_every_rule_divides_every_named_problem_soundly(rule: str, name: str) -> None:
    problem = NAMED[name]
    if not handles(rule, problem):
        with pytest.raises(fs.ProblemError, match="Leximin handles one or two resources, got 3"):
            divide(rule, problem)
        return
    grant = divide(rule, problem)
    assert_sound(rule, problem, grant)
    # The same question has the same answer.
    np.testing.assert_array_equal(divide(rule, changed(problem)), grant)


@pytest.mark.parametrize("rule", RULES)
@given(problem=problems())
def test_every_rule_divides_any_problem_soundly(rule: str, problem: fs.Problem) -> None:
    assert_sound(rule, problem, divide(rule, problem))


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule != "Leximin"])
@given(problem=problems(resources=(3, 4)))
def test_more_than_two_resources(rule: str, problem: fs.Problem) -> None:
    assert_sound(rule, problem, divide(rule, problem))


@pytest.mark.parametrize("rule", FAIR)
@given(problem=problems(mild=True, concave=True))
def test_the_order_of_the_agents_does_not_matter(rule: str, problem: fs.Problem) -> None:
    order = np.random.default_rng(0).permutation(problem.n)
    rows = {name: getattr(problem, name)[order] for name in ("endowment", "elasticity", "weight", "floor", "ceiling")}
    shuffled = changed(problem, **rows, saturation=problem.saturation[order])
    difference = np.abs(divide(rule, shuffled) - divide(rule, problem)[order]) / problem.capacity
    assert difference.max() <= REPEATS


@pytest.mark.parametrize("rule", FAIR)
@given(problem=problems(most_agents=6))
def test_twins_are_treated_alike(rule: str, problem: fs.Problem) -> None:
    twice = {
        name: np.repeat(getattr(problem, name), 2, axis=0)
        for name in ("endowment", "elasticity", "weight", "floor", "ceiling", "saturation")
    }
    twins = fs.Problem(**twice, capacity=2 * problem.capacity)
    grant = divide(rule, twins)
    if rule == "Fair-Synergy" and (problem.elasticity.sum(axis=1) > 1).any():
        # With increasing returns one of two alike may be worth more than both halved, never less.
        halved = np.repeat((grant[::2] + grant[1::2]) / 2, 2, axis=0)
        assert twins.weight @ twins.utility(grant) >= twins.weight @ twins.utility(halved) * (1 - 1e-9)
        return
    np.testing.assert_allclose(grant[::2], grant[1::2], rtol=1e-9, atol=0)


def test_random_treats_twins_by_lot_and_a_seed_repeats_it() -> None:
    twins = fs.Problem(endowment=[0.1, 0.1], capacity=1.0, elasticity=[0.5, 0.5])
    first, again, other = (fs.allocate(twins, fs.Random(seed=seed)).grant for seed in (1, 1, 2))
    assert first[0] != first[1]
    np.testing.assert_array_equal(first, again)
    assert (first != other).all()


def test_random_draws_from_the_whole_simplex() -> None:
    """Shares of a flat Dirichlet distribution of n = 4: mean 1/4, variance 3/80; one draw per resource."""
    problem = fs.Problem(endowment=np.zeros((4, 2)), capacity=[1.0, 5.0], elasticity=np.full((4, 2), 0.5))
    rng = np.random.default_rng(8)
    draws = np.stack([fs.allocate(problem, fs.Random(seed=rng)).grant for _ in range(2000)]) / problem.capacity
    error = np.sqrt(3 / 80 / 2000)
    np.testing.assert_allclose(draws.mean(axis=0), 0.25, atol=5 * error)
    np.testing.assert_allclose(draws.var(axis=0), 3 / 80, rtol=0.15)
    assert abs(np.corrcoef(draws[:, 0, 0], draws[:, 0, 1])[0, 1]) < 0.1


def test_random_shares_are_proportional_to_weights_on_average() -> None:
    problem = fs.Problem(endowment=np.zeros(3), capacity=1.0, elasticity=[0.5] * 3, weight=[1.0, 2.0, 5.0])
    rng = np.random.default_rng(9)
    mean = np.mean([fs.allocate(problem, fs.Random(seed=rng)).grant[:, 0] for _ in range(3000)], axis=0)
    np.testing.assert_allclose(mean, np.array([1, 2, 5]) / 8, atol=0.02)


@pytest.mark.parametrize(
    "seed", [7, np.int64(7), np.random.default_rng(7), np.random.RandomState(7)], ids=lambda seed: type(seed).__name__
)
def test_random_takes_any_usual_source_of_chance(seed: object) -> None:
    problem = NAMED["Fleet B"]
    assert_sound("Random", problem, fs.allocate(problem, fs.Random(seed=seed)).grant)  # type: ignore[arg-type]


def test_no_rule_touches_global_chance() -> None:
    np.random.seed(5)  # noqa: NPY002  the legacy generator is what must stay untouched
    before = np.random.get_state()[1].copy()  # type: ignore[index]  # noqa: NPY002
    for rule in RULES:
        divide(rule, NAMED["Fleet B"])
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # type: ignore[index]  # noqa: NPY002


@pytest.mark.parametrize("weight", [1e-300, 1e-9, 1e-3, 1.0, 1e9, 1e300, 1e308])
@pytest.mark.parametrize("source", [np.random.default_rng, np.random.RandomState])
def test_random_leaves_nothing_idle_though_shares_are_too_small_for_a_number(weight: float, source: type) -> None:
    """At such weights one agent draws everything and cannot use it all; a generator's draw may then be no number."""
    for ceiling in (np.inf, 0.4):
        problem = fs.Problem(endowment=[0] * 5, capacity=1, elasticity=[0.5] * 5, weight=[weight] * 5, ceiling=ceiling)
        rule = fs.Random(source(3))
        for _ in range(20):
            grant = rule.divide(problem).grant
            assert grant.sum() == pytest.approx(1, rel=1e-12)
            assert grant.max() <= ceiling


# Weights: what a weight of 2 means under each rule.


def test_uniform_and_drf_give_twice_the_share_for_twice_the_weight() -> None:
    for rule in ("Uniform", "DRF", "DRF, pure"):
        grant = divide(rule, fs.Problem(endowment=[0.3, 0.1], capacity=3.0, elasticity=[0.5, 0.5], weight=[1, 2]))
        np.testing.assert_allclose(grant[:, 0], [1.0, 2.0], rtol=1e-13)


def test_num_levels_holdings_per_weight() -> None:
    allocation = fs.allocate(
        fs.Problem(endowment=[0.3, 0.1], capacity=2.6, elasticity=[0.2, 0.9], weight=[1, 2]), fs.NUM()
    )
    np.testing.assert_allclose(allocation.holding[:, 0], [1.0, 2.0], rtol=1e-13)


def test_fair_synergy_levels_weighted_marginals() -> None:
    allocation = fs.allocate(
        fs.Problem(endowment=[0.3, 0.1], capacity=2.6, elasticity=[0.5, 0.5], weight=[1, 2]), fs.FairSynergy()
    )
    # w h^(-1/2) equal: holdings go as the square of the weights.
    np.testing.assert_allclose(allocation.holding[:, 0], [0.6, 2.4], rtol=1e-13)


@pytest.mark.parametrize("m", [1, 2])
def test_leximin_levels_accuracy_per_weight(m: int) -> None:
    problem = fs.Problem(
        endowment=np.full((3, m), 0.1),
        capacity=np.full(m, 2.0),
        elasticity=np.full((3, m), 0.4),
        weight=[1, 2, 3],
    )
    level = fs.allocate(problem, fs.Leximin()).utility / problem.weight
    np.testing.assert_allclose(level, level[0], rtol=1e-12)


@pytest.mark.parametrize("rule", FAIR)
@given(problem=problems(mild=True, bounds=False, concave=True))
def test_only_relative_weights_matter(rule: str, problem: fs.Problem) -> None:
    heavier = changed(problem, weight=problem.weight * 4)
    difference = np.abs(divide(rule, heavier) - divide(rule, problem)) / problem.capacity
    assert difference.max() <= REPEATS


@pytest.mark.parametrize("rule", FAIR)
@given(problem=problems(mild=True, concave=True, resources=(1,)))
def test_more_weight_never_means_less(rule: str, problem: fs.Problem) -> None:
    weight = problem.weight.copy()
    weight[0] *= 3
    heavier = changed(problem, weight=weight)
    assert divide(rule, heavier)[0, 0] >= divide(rule, problem)[0, 0] - EXACT * problem.capacity[0]


# Bounds: they bind, and what they free goes to the others by the same rule.


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("m", [1, 2])
def test_a_floor_lifts_exactly_to_itself_whom_the_rule_would_leave_below(rule: str, m: int) -> None:
    problem = NAMED["one resource" if m == 1 else "two resources"]
    free = divide(rule, problem)
    least = int(np.argmin(free[:, 0]))
    floor = np.zeros_like(free)
    floor[least, 0] = 0.5 * problem.capacity[0]
    bound = divide(rule, changed(problem, floor=floor))
    assert bound[least, 0] == pytest.approx(floor[least, 0], rel=1e-9)
    others = np.delete(bound[:, 0], least)
    assert others.sum() == pytest.approx(0.5 * problem.capacity[0], rel=1e-9)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("m", [1, 2])
@pytest.mark.parametrize("limit", ["ceiling", "saturation"])
def test_a_ceiling_stops_whom_the_rule_would_give_more(rule: str, m: int, limit: str) -> None:
    problem = NAMED["Fleet A" if m == 1 else "Fleet B"]
    free = divide(rule, problem)
    most = int(np.argmax(free[:, 0]))
    top = 0.25 * free[most, 0]
    bound = np.full_like(free, np.inf)
    bound[most, 0] = top if limit == "ceiling" else problem.endowment[most, 0] + top
    grant = divide(rule, changed(problem, **{limit: bound}))
    assert grant[most, 0] <= top * (1 + 1e-12)
    # Pure DRF stops when anything runs out: whoever has enough of the first now pursues the second.
    spent = grant.sum(axis=0) / problem.capacity
    assert (spent.max() if rule == "DRF, pure" else spent[0]) == pytest.approx(1, rel=1e-9)


@pytest.mark.parametrize("name", ["Fleet A", "one resource", "two resources"])
@pytest.mark.parametrize("share", [0.5, 0.99, 0.9999])
@pytest.mark.parametrize("rule", [rule for rule in RULES if rule != "Fair-Synergy, one pass"])
def test_bounds_that_do_not_bind_change_nothing(rule: str, share: float, name: str) -> None:
    problem = NAMED[name]
    free = divide(rule, problem)
    loose = changed(problem, floor=share * free, ceiling=free + 0.01, saturation=1e3)
    np.testing.assert_allclose(divide(rule, loose), free, rtol=0, atol=REPEATS)


# What makes each rule itself.


@given(problem=problems(mild=True, bounds=False, weights=False))
def test_uniform_is_an_equal_split(problem: fs.Problem) -> None:
    np.testing.assert_allclose(divide("Uniform", problem), np.tile(problem.capacity / problem.n, (problem.n, 1)))


@given(problem=problems(mild=True, resources=(1,)))
def test_drf_with_one_resource_is_uniform(problem: fs.Problem) -> None:
    np.testing.assert_allclose(divide("DRF", problem), divide("Uniform", problem), rtol=1e-12)


@given(problem=problems(mild=True, bounds=False, weights=False, resources=(2,)))
def test_pure_drf_equalises_dominant_shares_until_a_resource_runs_out(problem: fs.Problem) -> None:
    share = divide("DRF, pure", problem) / problem.capacity
    np.testing.assert_allclose(share.max(axis=1), share.max(), rtol=1e-12)
    np.testing.assert_allclose(share[:, 0] / share[:, 1], problem.elasticity[:, 0] / problem.elasticity[:, 1])
    assert share.sum(axis=0).max() == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("cap", [{"ceiling": [np.inf, 0]}, {"saturation": [np.inf, 1.0]}, {"ceiling": [np.inf, 1e-12]}])
@pytest.mark.parametrize("rule", ["DRF", "DRF, pure"])
def test_what_nobody_can_receive_is_no_dominant_resource(rule: str, cap: dict[str, list[float]]) -> None:
    """Both can be given GPUs only; how much one of them would need of the rest says nothing then."""
    fleet = fs.Problem(endowment=[[0, 1], [0, 1]], capacity=[10, 1], elasticity=[[0.8, 0.1], [0.1, 0.8]], **cap)
    np.testing.assert_allclose(divide(rule, fleet)[:, 0], [5, 5], rtol=1e-9)
    nothing = fs.Problem(endowment=[[0, 1], [0, 1]], capacity=[10, 0], elasticity=[[0.8, 0.1], [0.1, 0.8]])
    np.testing.assert_allclose(divide(rule, nothing)[:, 0], [5, 5], rtol=1e-9)


@pytest.mark.parametrize("rule", ["DRF", "DRF, pure"])
def test_drf_goes_on_at_the_same_pace_with_what_is_needed_most_of_the_rest(rule: str) -> None:
    """The first needs most of the labels, may have a tenth of them, and from then on pursues compute like the other."""
    fleet = fs.Problem(
        endowment=np.zeros((2, 2)), capacity=[1, 1], elasticity=[[0.2, 0.4], [0.4, 0.1]], ceiling=[[1, 0.1], [1, 1]]
    )
    # At 0.1 it has 0.05 of the compute, the second 0.1; what is left of that is shared evenly.
    compute = [0.05 + 0.425, 0.1 + 0.425]
    labels = [0.1, 0.9 if rule == "DRF" else 0.525 / 4]
    np.testing.assert_allclose(divide(rule, fleet), np.transpose([compute, labels]), rtol=1e-12)


def test_pure_drf_does_not_depend_on_the_unit_where_ceilings_add_up_to_the_capacity() -> None:
    """Exactly enough for everybody runs out of nothing, in whatever unit rounding makes it seem so."""
    ceiling = [[np.inf, 0.1], [np.inf, 0.2], [np.inf, 0.3], [np.inf, 0.3]]
    for unit in (1.0, 0.01, 100.0, 3.0, 1 / 3, 1e-9, 0.7):
        fleet = fs.Problem(
            endowment=np.zeros((4, 2)),
            capacity=[1, 0.9 * unit],
            elasticity=[[0.1, 0.5], [0.2, 0.5], [0.1, 0.4], [0.1, 0.5]],
            ceiling=np.array(ceiling) * [1, unit],
        )
        # Everybody has its labels before the compute is gone, so that this is not what stops anybody.
        np.testing.assert_allclose(divide("DRF, pure", fleet).sum(axis=0), fleet.capacity, rtol=1e-12)


def test_drf_shares_out_what_pure_drf_leaves_idle() -> None:
    problem = fs.Problem(endowment=np.zeros((2, 2)), capacity=[1, 1], elasticity=[[0.8, 0.4], [0.8, 0.2]])
    np.testing.assert_allclose(divide("DRF, pure", problem), [[0.5, 0.25], [0.5, 0.125]], rtol=1e-13)
    np.testing.assert_allclose(divide("DRF", problem), [[0.5, 2 / 3], [0.5, 1 / 3]], rtol=1e-13)
    assert fs.DRF(work_conserving=False).label == "DRF (pure)"
    assert fs.DRF().label == "DRF"


def test_pure_drf_says_what_it_leaves_idle() -> None:
    problem = fs.Problem(endowment=np.zeros((2, 2)), capacity=[1, 10], elasticity=[[0.8, 0.4], [0.8, 0.2]])
    idle, busy = (fs.allocate(problem, fs.DRF(work_conserving=work)) for work in (False, True))
    np.testing.assert_allclose(idle.unspent, [0, 6.25], atol=1e-12)
    np.testing.assert_allclose(busy.unspent, [0, 0], atol=1e-12)
    assert idle.status is busy.status is fs.Status.FEASIBLE
    assert idle.total < busy.total


@given(problem=problems(mild=True, bounds=False, resources=(2, 3)))
def test_sharing_out_what_is_idle_takes_nothing_from_anybody(problem: fs.Problem) -> None:
    idle, busy = divide("DRF, pure", problem), divide("DRF", problem)
    assert (busy >= idle * (1 - 1e-12)).all()
    np.testing.assert_allclose(busy.sum(axis=0), problem.capacity, rtol=1e-12)
    # Nothing changes on the resource that ran out first, of which dominant shares are equal by weight.
    first = np.argmax(idle.sum(axis=0) / problem.capacity)
    np.testing.assert_allclose(busy[:, first], idle[:, first], rtol=1e-12)
    dominant = (idle / problem.capacity).max(axis=1) / problem.weight
    np.testing.assert_allclose(dominant, dominant[0], rtol=1e-12)


@given(problem=problems(mild=True, bounds=False, weights=False))
def test_num_is_a_common_water_level(problem: fs.Problem) -> None:
    allocation = fs.allocate(problem, fs.NUM())
    for k in range(problem.m):
        served = allocation.grant[:, k] > 0
        level = allocation.holding[served, k]
        np.testing.assert_allclose(level, level[0], rtol=1e-12)
        assert (problem.endowment[~served, k] >= level[0] * (1 - 1e-12)).all()


@given(problem=problems(mild=True, bounds=False, weights=False))
def test_leximin_brings_everyone_it_serves_to_one_level(problem: fs.Problem) -> None:
    allocation = fs.allocate(problem, fs.Leximin())
    served = (allocation.grant > 0).any(axis=1)
    level = allocation.utility[served]
    np.testing.assert_allclose(level, level[0], rtol=1e-9)
    assert (allocation.utility[~served] >= level[0] * (1 - 1e-9)).all()


@given(problem=problems(mild=True, bounds=False, weights=False, resources=(1,)))
def test_equal_difficulty_makes_fair_synergy_and_num_agree(problem: fs.Problem) -> None:
    alike = changed(problem, elasticity=np.full((problem.n, 1), 0.3))
    np.testing.assert_allclose(divide("Fair-Synergy", alike), divide("NUM", alike), atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize("passes", [0, -1, 1.5, "3", True])
def test_fair_synergy_refuses_a_senseless_number_of_passes(passes: object) -> None:
    with pytest.raises(fs.ProblemError, match="`passes` must be a whole number >= 1") as caught:
        fs.FairSynergy(passes=passes)  # type: ignore[arg-type]
    assert caught.value.field == "passes"


def test_labels_name_the_settings() -> None:
    labels = [fs.FairSynergy().label, fs.FairSynergy(passes=1).label, fs.FairSynergy(passes=3).label]
    assert labels == ["Fair-Synergy", "Fair-Synergy (1 pass)", "Fair-Synergy (3 passes)"]


def test_the_paper_s_six_are_there_in_its_order() -> None:
    assert list(fs.POLICIES) == ["Fair-Synergy", "Random", "Uniform", "NUM", "DRF", "Leximin"]
    for name, policy in fs.POLICIES.items():
        assert policy.name == name
        assert policy.sentence.endswith(".")
        assert policy == type(policy)()  # settings at their defaults, and records compare by value


def test_fair_synergy_reaches_the_known_optimum_of_fleet_b() -> None:
    assert fs.allocate(fleet("b"), fs.FairSynergy()).mean == pytest.approx(0.308811, abs=5e-7)


@pytest.mark.parametrize("units", [[2.3e9, 9e-6], [9.9e-11, 5.9e11], [1e-12, 1e12]])
@pytest.mark.parametrize("seed", range(12))
def test_leximin_divides_whatever_agents_own_beside_the_capacities(units: list[float], seed: int) -> None:
    """Beside 1e14 capacities and more a grant shows in no level; it still goes to somebody, and no limit is broken."""
    rng = np.random.default_rng(seed)
    capacity = np.array(units)
    problem = fs.Problem(
        endowment=rng.random((20, 2)) * max(units),
        capacity=capacity,
        elasticity=rng.uniform(0.01, 0.99, (20, 2)),
        ceiling=capacity * rng.choice([0, 0.1, 0.3, np.inf], (20, 2)),
    )
    found = fs.allocate(problem, fs.Leximin())
    assert found.status is not fs.Status.FAILED
    np.testing.assert_allclose(found.grant.sum(axis=0), np.minimum(capacity, problem.upper.sum(axis=0)), rtol=1e-9)


def test_leximin_lifts_the_worst_off_at_a_ceiling_that_is_the_capacity() -> None:
    given = {"endowment": [0.1, 0], "capacity": 1, "elasticity": [0.1, 0.1], "weight": [5, 1]}
    levels = []
    for ceiling in ([1, np.inf], np.inf):
        found = fs.allocate(fs.Problem(**given, ceiling=ceiling), fs.Leximin())  # type: ignore[arg-type]
        assert found.status is fs.Status.OPTIMAL
        levels.append(float(np.min(found.utility / [5, 1])))
    np.testing.assert_allclose(levels, 0.20191531448776467, rtol=1e-9)
