"""The door: what a problem accepts, what it refuses and in which words; what is let in cannot change."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from strategies import changed, problems

import fairsynergy as fs

GOOD: dict[str, Any] = {
    "endowment": [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]],
    "capacity": [1.0, 2.0],
    "elasticity": [[0.9, 0.3], [0.5, 0.5], [0.2, 0.7]],
    "agents": ["Ann", "Bob", "Cem"],
}
ARRAYS = ("endowment", "capacity", "elasticity", "weight", "floor", "ceiling", "saturation")


def put(field: str, index: tuple[int, ...], value: float) -> dict[str, Any]:
    """The good problem with one entry of one argument spoiled."""
    arguments = {**GOOD}
    shape = {"capacity": (2,), "weight": (3,)}.get(field, (3, 2))
    whole = np.array(arguments.get(field, np.ones(shape)), dtype=float)
    whole[index] = value
    return {**arguments, field: whole}


# What is wrong, the argument at fault, its place, and what the message must say: place, rule, value, remedy.
REFUSED: dict[str, tuple[dict[str, Any], str, tuple[int, ...] | None, list[str]]] = {
    "endowment NaN": (
        put("endowment", (1, 0), np.nan),
        "endowment", (1, 0),
        ["`endowment[1, 0]` (Bob, compute)", "finite and >= 0", "got nan", "0 if nothing"],
    ),
    "endowment infinite": (
        put("endowment", (2, 1), np.inf),
        "endowment", (2, 1),
        ["`endowment[2, 1]` (Cem, labels)", "finite and >= 0", "got inf", "0 if nothing"],
    ),
    "endowment negative": (
        put("endowment", (0, 0), -1e-9),
        "endowment", (0, 0),
        ["`endowment[0, 0]` (Ann, compute)", "finite and >= 0", "got -1e-09", "0 if nothing"],
    ),
    "endowment missing": (
        GOOD | {"endowment": [[0.1, None], [0.3, 0.4], [0.5, 0.6]]},
        "endowment", (0, 1), ["`endowment[0, 1]` (Ann, labels)", "finite and >= 0", "0 if nothing"],
    ),
    "capacity NaN": (
        put("capacity", (1,), np.nan),
        "capacity", (1,),
        ["`capacity[1]` (labels)", "finite and >= 0", "got nan", "what the cloud can share"],
    ),
    "capacity infinite": (
        put("capacity", (0,), np.inf),
        "capacity", (0,),
        ["`capacity[0]` (compute)", "finite and >= 0", "got inf", "what the cloud can share"],
    ),
    "capacity negative": (
        put("capacity", (0,), -0.5),
        "capacity", (0,),
        ["`capacity[0]` (compute)", "finite and >= 0", "got -0.5", "what the cloud can share"],
    ),
    "elasticity 0": (
        put("elasticity", (1, 1), 0.0),
        "elasticity", (1, 1),
        ["`elasticity[1, 1]` (Bob, labels)", "strictly between 0 and 1", "got 0.0", "easy"],
    ),
    "elasticity 1": (
        put("elasticity", (1, 0), 1.0),
        "elasticity", (1, 0),
        ["`elasticity[1, 0]` (Bob, compute)", "strictly between 0 and 1", "got 1.0", "hard"],
    ),
    "elasticity negative": (
        put("elasticity", (0, 0), -0.3),
        "elasticity", (0, 0), ["`elasticity[0, 0]`", "strictly between 0 and 1", "got -0.3"],
    ),
    "elasticity above 1": (
        put("elasticity", (0, 0), 1.9),
        "elasticity", (0, 0), ["`elasticity[0, 0]`", "strictly between 0 and 1", "got 1.9"],
    ),
    "elasticity NaN": (
        put("elasticity", (0, 0), np.nan),
        "elasticity", (0, 0), ["`elasticity[0, 0]`", "strictly between 0 and 1", "got nan"],
    ),
    "weight 0": (
        put("weight", (2,), 0.0),
        "weight", (2,), ["`weight[2]` (Cem)", "finite and > 0", "got 0.0", "leave an agent out"],
    ),
    "weight negative": (
        put("weight", (2,), -1.0), "weight", (2,), ["`weight[2]` (Cem)", "> 0", "got -1.0"],
    ),
    "weight infinite": (
        put("weight", (0,), np.inf), "weight", (0,), ["`weight[0]` (Ann)", "finite", "got inf"],
    ),
    "weight NaN": (
        put("weight", (0,), np.nan), "weight", (0,), ["`weight[0]` (Ann)", "finite", "got nan"],
    ),
    "floor negative": (
        put("floor", (1, 0), -0.1),
        "floor", (1, 0),
        ["`floor[1, 0]` (Bob, compute)", "finite and >= 0", "got -0.1", "0 for no floor"],
    ),
    "floor NaN": (
        put("floor", (1, 0), np.nan), "floor", (1, 0), ["`floor[1, 0]`", "finite and >= 0", "got nan"],
    ),
    "floor infinite": (
        put("floor", (1, 0), np.inf), "floor", (1, 0), ["`floor[1, 0]`", "finite", "got inf"],
    ),
    "ceiling negative": (
        put("ceiling", (1, 0), -0.1),
        "ceiling", (1, 0),
        ["`ceiling[1, 0]` (Bob, compute)", ">= 0", "got -0.1", "infinity for no ceiling"],
    ),
    "ceiling NaN": (
        put("ceiling", (1, 0), np.nan), "ceiling", (1, 0), ["`ceiling[1, 0]`", ">= 0", "got nan"],
    ),
    "saturation 0": (
        put("saturation", (0, 1), 0.0),
        "saturation", (0, 1),
        ["`saturation[0, 1]` (Ann, labels)", "> 0", "got 0.0", "infinity for no saturation"],
    ),
    "saturation NaN": (
        put("saturation", (0, 1), np.nan), "saturation", (0, 1), ["`saturation[0, 1]`", "got nan"],
    ),
    "floor above its ceiling": (
        GOOD | {"floor": [0.2, 0.0], "ceiling": [0.1, 1.0]},
        "floor", (0, 0),
        ["`floor[0, 0]` (Ann, compute)", "at most its ceiling", "got 0.2", "(and 2 more)", "raise the ceiling"],
    ),
    "floors above capacity": (
        GOOD | {"floor": [0.0, 0.7]},
        "capacity", (1,),
        ["`capacity[1]` (labels)", "at least the sum of the floors", "got 2.0", "raise the capacity", "labels 2.1"],
    ),
    "several at once": (
        GOOD | {"endowment": [[0.1, 0.2], [-1.0, 0.4], [-2.0, -3.0]]},
        "endowment", (1, 0), ["`endowment[1, 0]` (Bob, compute)", "got -1.0", "(and 2 more)"],
    ),
    "no agents": (
        GOOD | {"endowment": np.zeros((0, 2))},
        "endowment", None, ["`endowment` is empty", "(0, 2)", "at least one agent"],
    ),
    "no resources": (
        GOOD | {"endowment": np.zeros((3, 0))},
        "endowment", None, ["`endowment` is empty", "(3, 0)", "one resource"],
    ),
    "three axes": (
        GOOD | {"endowment": np.zeros((1, 3, 2))},
        "endowment", None, ["`endowment`", "(agents, resources)", "(1, 3, 2)"],
    ),
    "one number": (
        GOOD | {"endowment": 0.1}, "endowment", None, ["`endowment`", "(agents, resources)", "()"],
    ),
    "fewer elasticities than agents": (
        GOOD | {"elasticity": [[0.5, 0.5]] * 2},
        "elasticity", None,
        ["`elasticity` has shape (2, 2)", "3 agents and 2 resources", "shape (3, 2)"],
    ),
    "elasticities of one resource": (
        GOOD | {"elasticity": [0.5, 0.5, 0.5]},
        "elasticity", None, ["`elasticity` has shape (3, 1)", "shape (3, 2)"],
    ),
    "one capacity for two resources": (
        GOOD | {"capacity": 1.0},
        "capacity", None, ["`capacity`", "one amount per resource", "shape (2,)", "got shape ()"],
    ),
    "a capacity too many": (
        GOOD | {"capacity": [1.0, 1.0, 1.0]},
        "capacity", None, ["`capacity`", "shape (2,)", "got shape (3,)"],
    ),
    "a weight too few": (
        GOOD | {"weight": [1.0, 1.0]},
        "weight", None, ["`weight`", "one weight per agent", "shape (3,)", "got shape (2,)"],
    ),
    "a floor per agent with two resources": (
        GOOD | {"floor": [0.0, 0.0, 0.0]},
        "floor", None, ["`floor`", "one per resource (2,)", "(3, 2)", "got shape (3,)"],
    ),
    "rows of unequal length": (
        GOOD | {"endowment": [[0.1, 0.2], [0.3]]},
        "endowment", None, ["`endowment`", "rows of equal length", "[[0.1, 0.2], [0.3]]"],
    ),
    "a word": (
        GOOD | {"endowment": [[0.1, "much"], [0.3, 0.4], [0.5, 0.6]]},
        "endowment", None, ["`endowment`", "numbers", "'much'"],
    ),
    "numbers as text": (
        GOOD | {"capacity": ["1.0", "2.0"]}, "capacity", None, ["`capacity`", "numbers", "'1.0'"],
    ),
    "complex numbers": (
        GOOD | {"capacity": np.array([1 + 2j, 1])}, "capacity", None, ["`capacity`", "numbers"],
    ),
    "dates": (
        GOOD | {"capacity": np.array(["2020-01-01", "2020-01-02"], dtype="datetime64[D]")},
        "capacity", None, ["`capacity`", "numbers"],
    ),
    "masked entries": (
        GOOD | {"capacity": np.ma.masked_array([1.0, 2.0], [False, True])},
        "capacity", None, ["`capacity`"],
    ),
    "an integer beyond every double": (
        GOOD | {"capacity": [10**400, 1]}, "capacity", None, ["`capacity`"],
    ),
    "an agent twice": (
        GOOD | {"agents": ["Ann", "Bob", "Ann"]},
        "agents", (2,), ["`agents` has 'Ann' more than once", "unique"],
    ),
    "a resource twice": (
        GOOD | {"resources": ["gpu", "gpu"]}, "resources", (1,), ["`resources` has 'gpu' more"],
    ),
    "too few names": (
        GOOD | {"agents": ["Ann"]}, "agents", None, ["`agents` names 1", "there are 3", "one name each"],
    ),
    "one string for names": (
        GOOD | {"agents": "Ann"}, "agents", None, ["`agents`", "sequence of names", "'Ann'"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused_with_what_where_allowed_and_remedy(case: str) -> None:
    arguments, field, index, words = REFUSED[case]
    with pytest.raises(fs.ProblemError) as caught:
        fs.Problem(**arguments)
    assert caught.value.field == field
    assert caught.value.index == index
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_a_problem_error_is_a_value_error_and_ours() -> None:
    with pytest.raises(ValueError, match="capacity"):
        fs.Problem(**put("capacity", (0,), -1.0))
    assert issubclass(fs.ProblemError, fs.FairSynergyError)
    assert issubclass(fs.SolverError, fs.FairSynergyError)
    assert not issubclass(fs.SolverError, ValueError)


def test_arguments_are_keywords() -> None:
    with pytest.raises(TypeError):
        fs.Problem([0.1], 1.0, [0.5])  # type: ignore[misc]


def test_the_edges_of_what_is_allowed_are_allowed() -> None:
    problem = fs.Problem(
        endowment=[0.0, 1e300],
        capacity=0.0,
        elasticity=[5e-324, 1 - 2**-53],
        floor=0.0,
        ceiling=0.0,
        weight=1e-300,
    )
    assert problem.n == 2
    fs.Problem(endowment=[0.1, 0.1], capacity=1.0, elasticity=[0.5, 0.5], floor=0.5, ceiling=0.5)


def test_floors_may_add_up_to_the_capacity_but_for_rounding() -> None:
    assert sum([0.1] * 10) != 1.0
    fs.Problem(endowment=[0.0] * 10, capacity=1.0, elasticity=[0.5] * 10, floor=0.1)
    with pytest.raises(fs.ProblemError, match="sum of the floors"):
        fs.Problem(endowment=[0.0] * 10, capacity=1.0, elasticity=[0.5] * 10, floor=0.1 + 1e-9)


def test_one_dimension_means_one_resource() -> None:
    flat = fs.Problem(endowment=[0.1, 0.2], capacity=1, elasticity=[0.3, 0.4])
    deep = fs.Problem(endowment=[[0.1], [0.2]], capacity=[1.0], elasticity=[[0.3], [0.4]])
    assert flat == deep
    assert (flat.n, flat.m, flat.endowment.shape, flat.capacity.shape) == (2, 1, (2, 1), (1,))


def test_defaults_are_no_weights_and_no_bounds() -> None:
    problem = fs.Problem(**GOOD)
    np.testing.assert_array_equal(problem.weight, np.ones(3))
    np.testing.assert_array_equal(problem.floor, np.zeros((3, 2)))
    np.testing.assert_array_equal(problem.ceiling, np.full((3, 2), np.inf))
    np.testing.assert_array_equal(problem.saturation, np.full((3, 2), np.inf))


@pytest.mark.parametrize("field", ["floor", "ceiling", "saturation"])
@pytest.mark.parametrize(
    ("given_as", "expected"),
    [
        (0.3, [[0.3, 0.3], [0.3, 0.3], [0.3, 0.3]]),
        ([0.3, 0.2], [[0.3, 0.2], [0.3, 0.2], [0.3, 0.2]]),
        ([[0.1, 0.2], [0.3, 0.1], [0.2, 0.1]], [[0.1, 0.2], [0.3, 0.1], [0.2, 0.1]]),
    ],
)
def test_bounds_spread_over_agents(field: str, given_as: object, expected: list[list[float]]) -> None:
    np.testing.assert_array_equal(getattr(fs.Problem(**GOOD, **{field: given_as}), field), expected)


@pytest.mark.parametrize("field", ["floor", "ceiling", "saturation"])
def test_with_one_resource_bounds_may_be_per_agent(field: str) -> None:
    problem = fs.Problem(endowment=[0.1, 0.2], capacity=1, elasticity=[0.3, 0.4], **{field: [0.3, 0.4]})
    np.testing.assert_array_equal(getattr(problem, field), [[0.3], [0.4]])


def test_names_default_to_numbered_agents_and_known_resources() -> None:
    three = fs.Problem(endowment=np.ones((2, 3)), capacity=[1, 1, 1], elasticity=np.full((2, 3), 0.5))
    assert three.agents == ("agent 1", "agent 2")
    assert three.resources == ("resource 1", "resource 2", "resource 3")
    assert fs.Problem(**GOOD).resources == ("compute", "labels")
    assert fs.Problem(endowment=[1.0], capacity=1, elasticity=[0.5]).resources == ("compute",)
    assert fs.Problem(**GOOD, resources=["gpu", "hours"]).resources == ("gpu", "hours")


@pytest.mark.parametrize("field", [*ARRAYS, "upper"])
def test_every_array_is_read_only(field: str) -> None:
    problem = fs.Problem(**GOOD)
    with pytest.raises(ValueError, match="read-only"):
        getattr(problem, field)[0] = 0.5


def test_no_attribute_can_be_replaced() -> None:
    problem = fs.Problem(**GOOD)
    with pytest.raises(AttributeError):
        problem.capacity = np.array([9.0, 9.0])  # type: ignore[misc]


def test_the_caller_s_arrays_stay_the_caller_s() -> None:
    own = np.array([0.1, 0.2])
    problem = fs.Problem(endowment=own, capacity=1.0, elasticity=[0.3, 0.4])
    own[0] = 7.0
    assert problem.endowment[0, 0] == 0.1


@given(problems())
def test_equal_arguments_make_equal_problems(problem: fs.Problem) -> None:
    same = changed(problem)
    assert same == problem
    assert hash(same) == hash(problem)
    assert same.digest == problem.digest
    assert {problem: "kept"}[same] == "kept"
    assert pickle.loads(pickle.dumps(problem)) == problem


@pytest.mark.parametrize(
    "change",
    [
        {"endowment": [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6 + 1e-16]]},
        {"capacity": [1.0, 2.0 + 1e-15]},
        {"elasticity": [[0.9, 0.3], [0.5, 0.5], [0.2, 0.7 + 1e-15]]},
        {"weight": 2.0},
        {"floor": 0.01},
        {"ceiling": 0.9},
        {"saturation": 1.0},
        {"agents": ["Ann", "Bob", "Dan"]},
        {"resources": ["gpu", "labels"]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_any_difference_makes_a_different_problem(change: dict[str, Any]) -> None:
    one, other = fs.Problem(**GOOD), fs.Problem(**{**GOOD, **change})
    assert one != other
    assert one.digest != other.digest


def test_a_zero_has_no_sign() -> None:
    plus, minus = (fs.Problem(endowment=[zero], capacity=1.0, elasticity=[0.5]) for zero in (0.0, -0.0))
    assert plus == minus
    assert plus.digest == minus.digest


def test_a_problem_is_not_equal_to_something_else() -> None:
    assert fs.Problem(**GOOD) != "a problem"


def test_utility_is_the_product_of_powers() -> None:
    problem = fs.Problem(**GOOD)
    grant = np.array([[0.4, 0.3], [0.0, 0.0], [0.1, 0.2]])
    expected = [0.5**0.9 * 0.5**0.3, 0.3**0.5 * 0.4**0.5, 0.6**0.2 * 0.8**0.7]
    np.testing.assert_allclose(problem.utility(grant), expected, rtol=1e-14)
    np.testing.assert_allclose(problem.utility(np.stack([grant, grant]))[1], expected, rtol=1e-14)
    np.testing.assert_allclose(problem.log_utility(grant), np.log(expected), rtol=1e-13)


def test_utility_of_an_agent_without_a_resource_is_zero() -> None:
    problem = fs.Problem(endowment=[[0.0, 1.0]], capacity=[1, 1], elasticity=[[0.5, 0.5]])
    assert problem.utility([[0.0, 1.0]]) == [0.0]
    assert problem.log_utility([[0.0, 1.0]]) == [-np.inf]


def test_saturation_caps_utility_and_what_is_useful() -> None:
    problem = fs.Problem(endowment=[0.4, 2.0], capacity=5.0, elasticity=[0.5, 0.5], saturation=1.0)
    np.testing.assert_array_equal(problem.utility([[3.0], [0.0]]), [1.0, 1.0])
    np.testing.assert_array_equal(problem.upper, [[0.6], [0.0]])


def test_a_floor_beyond_saturation_is_still_owed() -> None:
    problem = fs.Problem(endowment=[2.0], capacity=5.0, elasticity=[0.5], saturation=1.0, floor=0.5)
    assert problem.upper == [[0.5]]


def test_the_representation_names_the_fleet_and_the_cloud() -> None:
    assert repr(fs.Problem(**GOOD)) == "Problem(3 agents, capacity compute 1, labels 2)"


def test_equal_problems_are_divided_alike_however_their_limits_were_given() -> None:
    """One number for everyone and the same number n times are one problem, also to the rounding of sums."""
    rng = np.random.default_rng(2)
    for _ in range(20):
        n, m = int(rng.integers(2, 12)), int(rng.integers(1, 4))
        given = {
            "endowment": rng.random((n, m)),
            "capacity": rng.random(m),
            "elasticity": rng.uniform(0.1, 0.9, (n, m)),
        }
        short = fs.Problem(**given, floor=None, ceiling=0.5, saturation=[2.0] * m, weight=1.0)
        long = fs.Problem(
            **given,
            floor=np.zeros((n, m)),
            ceiling=np.full((n, m), 0.5),
            saturation=np.full((n, m), 2.0),
            weight=np.ones(n),
        )
        assert short == long
        for name in ("floor", "ceiling", "saturation", "weight"):
            assert getattr(short, name).strides == getattr(long, name).strides
        for rule in (fs.FairSynergy(), fs.Uniform(), fs.Nash()):
            np.testing.assert_array_equal(rule.divide(short).grant, rule.divide(long).grant)
