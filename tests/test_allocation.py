"""What `allocate` returns: consequences, proof and verdict of a division, and that they agree with each other."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, dataclass
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from strategies import NAMED, fleet, problems

import fairsynergy as fs

PAIR = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3], weight=[2.0, 1.0])


@given(problem=problems())
def test_the_numbers_agree_with_the_grants(problem: fs.Problem) -> None:
    for policy in fs.POLICIES.values():
        found = fs.allocate(problem, policy)
        np.testing.assert_array_equal(found.holding, problem.endowment + found.grant)
        np.testing.assert_array_equal(found.utility, problem.utility(found.grant))
        assert found.worst == found.utility.min()
        assert found.best == found.utility.max()
        assert found.mean == pytest.approx(found.utility.sum() / problem.n, rel=1e-12)
        assert found.total == pytest.approx(float((problem.weight * found.utility).sum()), rel=1e-12)
        assert (found.unspent >= 0).all()
        np.testing.assert_allclose(found.unspent + found.grant.sum(axis=0), problem.capacity, rtol=1e-9)


def test_the_weighted_mean_is_what_the_greatest_total_is_greatest_in() -> None:
    fleet = fs.Problem(endowment=[0.1, 0.1], capacity=0.5, elasticity=[0.5, 0.5], weight=[9, 1])
    best, equal = fs.allocate(fleet, fs.FairSynergy()), fs.allocate(fleet, fs.Uniform())
    level = fs.allocate(fleet, fs.Given([0.25, 0.25]))
    assert fleet.weighted
    assert best.weighted_mean == pytest.approx((9 * best.utility[0] + best.utility[1]) / 10, rel=1e-12)
    assert best.weighted_mean > max(equal.weighted_mean, level.weighted_mean)
    assert best.mean < level.mean


def test_where_all_count_the_same_the_weighted_mean_is_the_mean() -> None:
    fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3], weight=[3, 3])
    found = fs.allocate(fleet, fs.NUM())
    assert not fleet.weighted
    assert found.weighted_mean == pytest.approx(found.mean, rel=1e-12)


@given(problem=problems())
def test_status_price_and_gap_agree_with_the_certificate(problem: fs.Problem) -> None:
    for policy in fs.POLICIES.values():
        found = fs.allocate(problem, policy)
        proof = found.certificate
        residuals = (proof.budget, proof.nonnegativity, proof.stationarity, proof.complementarity)
        assert all(residual >= 0 for residual in residuals)
        assert found.status is not fs.Status.FAILED
        assert (found.price is None) == (policy.objective is None)
        if found.status in (fs.Status.OPTIMAL, fs.Status.STATIONARY):
            assert policy.objective is not None
            assert max(residuals) <= 1e-6
        assert found.upper_bound == proof.upper_bound
        assert (found.gap is None) == (found.upper_bound is None)
        if found.gap is not None and found.upper_bound:
            assert 0 <= found.gap <= 1
            assert found.gap == pytest.approx(max(0.0, 1 - found.total / found.upper_bound), abs=1e-12)


@pytest.mark.parametrize("rule", fs.POLICIES)
def test_the_certificate_names_what_was_checked(rule: str) -> None:
    sentences = {"NUM": "logarithms of what agents hold", "Leximin": "worst-off agent's accuracy"}
    proof = fs.allocate(PAIR, fs.POLICIES[rule]).certificate
    assert sentences.get(rule, "the fleet's total accuracy") in proof.objective


def test_baselines_claim_nothing_and_carry_a_certificate_all_the_same() -> None:
    for rule in ("Random", "Uniform", "DRF"):
        found = fs.allocate(fleet("a"), fs.POLICIES[rule])
        assert found.status is fs.Status.FEASIBLE
        assert found.price is None
        assert found.certificate.stationarity > 0.01  # how unequal the marginals are
        assert found.gap is not None
        assert found.gap > 0


def test_what_is_not_concave_is_optimal_only_with_a_closed_gap() -> None:
    assert fs.allocate(NAMED["two resources"], fs.FairSynergy()).status is fs.Status.OPTIMAL
    proved = fs.allocate(fleet("b"), fs.FairSynergy())
    assert proved.status is fs.Status.OPTIMAL
    assert proved.gap is not None
    assert proved.gap <= 1e-6
    # A worse local optimum of the same fleet: no small exchange helps, and the gap says what a large one may.
    local = fs.allocate(fleet("b"), fs.FairSynergy(passes=200))
    assert local.status is fs.Status.STATIONARY
    assert local.gap is not None
    assert local.gap >= 1 - local.total / proved.total
    # Three resources have no such bound.
    three = fs.Problem(endowment=np.full((4, 3), 0.1), capacity=[1, 1, 1], elasticity=np.full((4, 3), 0.5))
    unproved = fs.allocate(three, fs.FairSynergy())
    assert unproved.status is fs.Status.STATIONARY
    assert unproved.gap is None


def test_every_status_is_a_sentence_for_the_user() -> None:
    assert [status.name for status in fs.Status] == ["OPTIMAL", "STATIONARY", "FEASIBLE", "FAILED"]
    for status in fs.Status:
        assert status.value.startswith(status.name[:4].capitalize()) or status is fs.Status.OPTIMAL
        assert status.value.endswith(".")


def test_time_and_rounds_are_counted() -> None:
    found = fs.allocate(fleet("a"), fs.FairSynergy())
    assert found.seconds > 0
    assert found.iterations >= 1
    assert fs.allocate(fleet("a"), fs.Uniform()).iterations == 0


def test_an_allocation_cannot_be_changed() -> None:
    found = fs.allocate(PAIR, fs.NUM())
    with pytest.raises(ValueError, match="read-only"):
        found.grant[0] = 1.0
    with pytest.raises(FrozenInstanceError):
        found.grant = np.zeros((2, 1))  # type: ignore[misc]


def test_an_allocation_survives_a_cache() -> None:
    found = fs.allocate(PAIR, fs.NUM())
    again = pickle.loads(pickle.dumps(found))
    assert again.problem == found.problem
    assert again.policy == found.policy
    assert again.status is found.status
    np.testing.assert_array_equal(again.grant, found.grant)


def test_the_representation_is_short_and_says_the_verdict() -> None:
    text = repr(fs.allocate(PAIR, fs.NUM()))
    assert "OPTIMAL" in text
    assert "array" not in text


@dataclass(frozen=True)
class Shapeless(fs.Policy):
    """Returns nothing to anybody, in a shape of its own."""

    shape: tuple[int, ...]

    name: ClassVar[str] = "Shapeless"
    sentence: ClassVar[str] = "Forgets an axis."

    def divide(self, problem: fs.Problem) -> fs.Division:
        return fs.Division(np.zeros(self.shape), 0)


@pytest.mark.parametrize("shape", [(10,), (10, 1), (1, 2), (2, 10), (3, 10, 2), ()])
def test_grants_of_the_wrong_shape_are_an_error_that_names_the_rule(shape: tuple[int, ...]) -> None:
    with pytest.raises(fs.SolverError, match="Shapeless"):
        fs.allocate(fleet("b"), Shapeless(shape))


def test_every_exported_name_exists_and_every_error_is_ours() -> None:
    assert sorted(fs.__all__) == sorted(set(fs.__all__))
    for name in fs.__all__:
        assert hasattr(fs, name)
    errors = [value for name in fs.__all__ if isinstance(value := getattr(fs, name), type) and name.endswith("Error")]
    assert len(errors) == 3
    assert all(issubclass(error, fs.FairSynergyError) for error in errors)


def test_what_an_allocation_hands_out_cannot_be_written() -> None:
    found = fs.allocate(fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.5, 0.3]), fs.FairSynergy())
    for array in (found.grant, found.holding, found.utility, found.price):
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 0.0


# What is proved at kinks, at nothing, and where returns are constant.


def test_constant_returns_at_nothing_are_no_optimum() -> None:
    """A first bundle adds in proportion although the gradient at nothing is zero."""
    alone = fs.Problem(endowment=[[0, 0]], capacity=[1, 1], elasticity=[[0.5, 0.5]])
    found = fs.allocate(alone, fs.FairSynergy(passes=1))
    assert (found.total, found.status) == (0, fs.Status.FEASIBLE)
    assert found.upper_bound == pytest.approx(1, rel=1e-9)
    two = fs.Problem(
        endowment=[[0, 0], [0.3, 0.3]], capacity=[1, 1], elasticity=[[0.5, 0.5], [0.2, 0.2]], weight=[3, 1]
    )
    stuck = fs.allocate(two, fs.FairSynergy(passes=np.inf))
    assert stuck.status is fs.Status.FEASIBLE
    best = fs.allocate(two, fs.FairSynergy())
    assert best.status is fs.Status.OPTIMAL
    assert best.total == pytest.approx(3.6178008505674124, rel=1e-9)
    assert stuck.upper_bound is not None
    assert stuck.upper_bound >= best.total * (1 - 1e-9)


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ([1, 9], fs.Status.FEASIBLE),
        ([1 + 1e-10, 9], fs.Status.FEASIBLE),
        ([9, 1], fs.Status.FAILED),
        ([1.001, 1], fs.Status.FAILED),
    ],
)
def test_a_ceiling_is_measured_against_itself_however_large_the_capacity(given: list[float], status: fs.Status) -> None:
    fleet = fs.Problem(endowment=[0, 0], capacity=1e10, elasticity=[0.5, 0.5], ceiling=[1, np.inf])
    assert fs.allocate(fleet, fs.Given(given)).status is status


def test_a_floor_is_measured_against_itself_however_large_the_capacity() -> None:
    fleet = fs.Problem(endowment=[0, 0], capacity=1e10, elasticity=[0.5, 0.5], floor=[1, 0])
    found = fs.allocate(fleet, fs.Given([0.5, 9]))
    assert found.status is fs.Status.FAILED
    assert found.certificate.nonnegativity == 0.5


def test_where_there_is_nothing_to_grant_any_grant_is_too_much() -> None:
    fleet = fs.Problem(endowment=[0, 0], capacity=0, elasticity=[0.01, 0.01])
    assert fs.allocate(fleet, fs.Given([5e-10, 5e-10])).status is fs.Status.FAILED
    closed = fs.Problem(endowment=[0, 0], capacity=1, elasticity=[0.01, 0.01], ceiling=[0, 1])
    assert fs.allocate(closed, fs.Given([5e-10, 0.5])).status is fs.Status.FAILED
    for rule in fs.POLICIES.values():
        assert fs.allocate(fleet, rule).status is not fs.Status.FAILED


def test_at_a_kink_the_next_unit_adds_less_than_the_last_one_did() -> None:
    fleet = fs.Problem(endowment=[0.1, 0.1, 2, 2], capacity=0.5, elasticity=[0.6, 0.6, 0.5, 0.5], ceiling=0.25)
    found = fs.allocate(fleet, fs.FairSynergy())
    assert found.next_price is not None
    assert found.price is not None
    assert found.last_price is not None
    np.testing.assert_allclose(found.next_price, 0.5 / np.sqrt(2), rtol=1e-12)
    np.testing.assert_allclose(found.last_price, 0.6 * 0.35**-0.4, rtol=1e-12)
    assert found.next_price < found.price < found.last_price
    # Where nobody stands at a limit, one price is all three; of what is left over no unit is worth anything.
    smooth = fs.allocate(PAIR, fs.Nash())
    np.testing.assert_allclose(smooth.next_price, smooth.price, rtol=1e-9)
    np.testing.assert_allclose(smooth.last_price, smooth.price, rtol=1e-9)
    idle = fs.allocate(fs.Problem(endowment=[0.1], capacity=0.5, elasticity=[0.5], ceiling=0.2), fs.FairSynergy())
    assert idle.next_price == idle.last_price == 0
    full = fs.Problem(endowment=[0.1], capacity=0.5, elasticity=[0.5], floor=0.5)
    assert fs.allocate(full, fs.FairSynergy()).last_price == np.inf


ALIKE = fs.Problem(endowment=[[0.1, 0.1]] * 2, capacity=[1, 1], elasticity=[[0.9, 0.8]] * 2)


def test_level_marginals_may_be_a_saddle_and_the_certificate_says_so() -> None:
    """Alike agents with increasing returns at equal shares: a little of both from one to the other gains."""
    level = fs.allocate(ALIKE, fs.FairSynergy(passes=np.inf))
    np.testing.assert_allclose(level.grant, 0.5)
    assert level.status is fs.Status.STATIONARY
    assert level.certificate.saddle
    moved = fs.allocate(ALIKE, fs.Given([[0.501, 0.501], [0.499, 0.499]]))
    assert moved.total - level.total == pytest.approx(1.39e-6, rel=0.01)
    # At a local optimum no small exchange helps.
    hill = fs.allocate(fleet("b"), fs.FairSynergy(passes=np.inf))
    assert hill.status is fs.Status.STATIONARY
    assert not hill.certificate.saddle
    rng = np.random.default_rng(3)
    moving = (hill.grant > 0) & (hill.grant < hill.problem.upper)
    for _ in range(200):
        step = rng.normal(size=hill.grant.shape) * moving
        step -= moving * step.sum(axis=0) / moving.sum(axis=0)
        grant = hill.grant + 1e-4 * step
        if (grant >= 0).all():
            assert hill.problem.utility(grant).sum() < hill.total


@pytest.mark.parametrize("m", [2, 3, 4])
def test_the_search_leaves_saddles(m: int) -> None:
    rng = np.random.default_rng(m)
    for n in (2, 3, 5, 12):
        gamma = rng.uniform(0.3, 0.95, m)
        gamma *= max(1.0, 1.2 / gamma.sum())
        alike = fs.Problem(
            endowment=np.full((n, m), 0.05), capacity=rng.uniform(0.5, 2, m), elasticity=[np.minimum(gamma, 0.99)] * n
        )
        found = fs.allocate(alike, fs.FairSynergy())
        assert not found.certificate.saddle
        everything = fs.Given([alike.capacity, *np.zeros((n - 1, m))])
        assert found.total >= fs.allocate(alike, everything).total * (1 - 1e-9)
