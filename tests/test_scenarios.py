"""Drawn fleets: the same anywhere, stable as sliders move, refused out of range. Presets: as they claim."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import fleet

import fairsynergy as fs
from fairsynergy.fleets import PRESETS, FleetSpec, Setting
from fairsynergy.fleets.drawn import DEMONSTRATIONS

AMOUNTS = st.floats(0, 1e6)
GAMMAS = st.tuples(*[st.floats(0, 1, exclude_min=True, exclude_max=True)] * 2).map(lambda pair: (min(pair), max(pair)))
SPECS = st.builds(
    FleetSpec,
    agents=st.integers(1, 50),
    setting=st.sampled_from(Setting),
    local_compute=AMOUNTS,
    local_labels=AMOUNTS,
    gamma_compute=GAMMAS,
    gamma_labels=GAMMAS,
    spread=st.floats(0, 1),
    capacity_compute=AMOUNTS,
    capacity_labels=AMOUNTS,
    saturation=st.none() | st.floats(1e-6, 1e6),
    seed=st.integers(0, 2**64),
)


@given(SPECS)
def test_every_spec_in_range_draws_a_fleet_within_what_it_says(spec):
    problem = spec.problem()
    assert (problem.n, problem.resources) == (spec.agents, spec.setting.resources)
    for k, kind in enumerate(problem.resources):
        low, high = getattr(spec, f"gamma_{kind}")
        assert low <= problem.elasticity[:, k].min()
        assert problem.elasticity[:, k].max() <= high
        assert problem.endowment[:, k].max() <= 2 * getattr(spec, f"local_{kind}")
        assert problem.capacity[k] == spec.agents * getattr(spec, f"capacity_{kind}")
    assert (problem.saturation == (np.inf if spec.saturation is None else spec.saturation)).all()


@given(SPECS, st.integers(1, 20))
def test_more_agents_leave_the_earlier_ones_as_they_were(spec, more):
    few, many = spec.problem(), replace(spec, agents=spec.agents + more).problem()
    assert (few.endowment == many.endowment[: few.n]).all()
    assert (few.elasticity == many.elasticity[: few.n]).all()
    assert few.agents == many.agents[: few.n]


@given(SPECS)
def test_labels_come_on_top_of_the_same_compute(spec):
    alone, both = (replace(spec, setting=setting).problem() for setting in Setting)
    assert (alone.endowment[:, 0] == both.endowment[:, 0]).all()
    assert (alone.elasticity[:, 0] == both.elasticity[:, 0]).all()


@given(SPECS)
def test_a_slider_rescales_the_same_draws(spec):
    base = replace(spec, local_compute=1.0)
    twice = replace(spec, local_compute=2.0)
    assert np.allclose(2 * base.problem().endowment[:, 0], twice.problem().endowment[:, 0], rtol=1e-15, atol=0)
    low, high = (replace(spec, gamma_compute=ends).problem().elasticity[:, 0] for ends in ((0.1, 0.5), (0.5, 0.9)))
    assert np.allclose(low + 0.4, high, rtol=1e-14, atol=0)


def test_spread_goes_from_equal_to_anything_between_nothing_and_twice_the_mean():
    equal = FleetSpec(agents=1000, spread=0.0).problem().endowment
    assert (equal == 0.05).all()
    wide = FleetSpec(agents=1000, spread=1.0).problem().endowment
    assert wide.min() < 0.001
    assert wide.max() > 0.099
    assert abs(wide.mean() - 0.05) < 0.003


def test_a_narrow_range_of_gamma_is_one_difficulty():
    problem = FleetSpec(gamma_compute=(0.3, 0.3)).problem()
    assert (problem.elasticity == 0.3).all()


def test_seeds_and_attributes_draw_independently():
    spec = FleetSpec(agents=2000, setting=Setting.DL)
    one, other = spec.problem(), replace(spec, seed=1).problem()
    drawn = np.hstack([one.endowment, one.elasticity, other.endowment, other.elasticity])
    correlations = np.corrcoef(drawn.T) - np.eye(8)
    assert np.abs(correlations).max() < 0.1


def test_the_plain_fleet_is_pinned_on_every_machine():
    """If this fails, every link shared so far shows another fleet."""
    problem = FleetSpec(agents=3, setting=Setting.DL, seed=7).problem()
    assert problem.endowment.tolist() == PINNED["endowment"]
    assert problem.elasticity.tolist() == PINNED["elasticity"]


PINNED = {
    "endowment": [
        [0.0625095466604667, 0.07701409510034742],
        [0.08972138009695756, 0.011192724431768431],
        [0.07756856902451936, 0.018909773329712755],
    ],
    "elasticity": [
        [0.3223762257548648, 0.8800268429756012],
        [0.45612249917403924, 0.8076537896950168],
        [0.8469907245466074, 0.28557634658126557],
    ],
}


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("agents", 0, "a whole number >= 1"),
        ("agents", 2.5, "a whole number >= 1"),
        ("agents", True, "a whole number >= 1"),
        ("agents", "ten", "a whole number >= 1"),
        ("seed", -1, "a whole number >= 0"),
        ("setting", "RTI", "Setting.RTI or Setting.DL"),
        ("local_compute", -0.1, "a finite amount >= 0"),
        ("local_compute", np.nan, "a finite amount >= 0"),
        ("local_labels", np.inf, "a finite amount >= 0"),
        ("capacity_compute", -1e-9, "a finite amount >= 0"),
        ("capacity_labels", None, "a finite amount >= 0"),
        ("gamma_compute", (0.0, 0.5), "0 < least <= largest < 1"),
        ("gamma_compute", (0.5, 1.0), "0 < least <= largest < 1"),
        ("gamma_compute", (0.6, 0.5), "0 < least <= largest < 1"),
        ("gamma_compute", (np.nan, 0.5), "0 < least <= largest < 1"),
        ("gamma_labels", 0.5, "0 < least <= largest < 1"),
        ("gamma_labels", (0.1, 0.2, 0.3), "0 < least <= largest < 1"),
        ("gamma_labels", ("a", "b"), "0 < least <= largest < 1"),
        ("spread", 1.01, "from 0"),
        ("spread", -0.01, "from 0"),
        ("saturation", 0.0, "> 0"),
        ("saturation", np.nan, "> 0"),
    ],
)
def test_a_value_out_of_range_is_named_with_what_is_allowed(field, value, allowed):
    with pytest.raises(fs.ProblemError) as refusal:
        FleetSpec(**{field: value})
    assert refusal.value.field == field
    assert str(refusal.value).startswith(f"`{field}` must be ")
    assert allowed in str(refusal.value)
    assert str(refusal.value).endswith(f"got {value!r}")


def test_whole_numbers_of_numpy_are_whole_numbers():
    assert FleetSpec(agents=np.int64(3), seed=np.int64(1)).problem() == FleetSpec(agents=3, seed=1).problem()


def test_equal_specs_are_one_cache_entry():
    assert len({FleetSpec(agents=3), FleetSpec(agents=3), FleetSpec(agents=4)}) == 2


@pytest.mark.parametrize("preset", PRESETS.values(), ids=list(PRESETS))
class TestEveryPreset:
    def test_says_what_it_shows_and_where_it_is_from(self, preset):
        assert PRESETS[preset.name] is preset
        assert preset.sentence.endswith((".", "?"))
        assert preset.source.endswith(".")
        assert "\n" not in preset.sentence + preset.source

    def test_is_solved_by_every_rule(self, preset):
        for policy in fs.POLICIES.values():
            assert fs.allocate(preset.problem, policy).status is not fs.Status.FAILED

    def test_names_its_setting_by_its_resources(self, preset):
        assert preset.problem.resources == preset.setting.resources


def test_the_papers_fleets_are_the_golden_ones():
    assert PRESETS["Fleet A"].problem == fleet("a")
    assert PRESETS["Fleet A, equally hard"].problem == fleet("a", elasticity=np.full((10, 1), 0.3))
    assert PRESETS["Fleet B"].problem == fleet("b")


def answers(name: str) -> dict[str, fs.Allocation]:
    return {rule: fs.allocate(PRESETS[name].problem, policy) for rule, policy in fs.POLICIES.items()}


class TestWhatPresetsClaim:
    """Each preset's sentence, as far as a number can say it."""

    def test_two_drones(self):
        first, second = PRESETS["Two drones"].problem.agents
        problem = PRESETS["Two drones"].problem
        assert (first, second) == ("drone 1", "drone 2")
        assert problem.endowment[1] == 2 * problem.endowment[0]
        assert problem.elasticity[1] == 2 * problem.elasticity[0]
        shares = {rule: answer.grant[1, 0] > answer.grant[0, 0] for rule, answer in answers("Two drones").items()}
        assert shares["Fair-Synergy"]
        assert not shares["NUM"]

    def test_fleet_a_leaves_the_four_hardest_with_nothing(self):
        answer = answers("Fleet A")["Fair-Synergy"]
        assert (answer.grant[:4] == 0).all()
        assert (answer.grant[4:] > 0).all()

    def test_fleet_a_in_hundredths_is_the_same_fleet_and_gives_the_four_hardest_everything(self):
        units, hundredths = PRESETS["Fleet A"].problem, PRESETS["Fleet A in hundredths"].problem
        np.testing.assert_allclose(hundredths.endowment, 100 * units.endowment, rtol=1e-15)
        np.testing.assert_allclose(hundredths.capacity, 100 * units.capacity, rtol=1e-15)
        np.testing.assert_array_equal(hundredths.elasticity, units.elasticity)
        grant = answers("Fleet A in hundredths")["Fair-Synergy"].grant[:, 0]
        assert (grant[4:] == 0).all()
        assert grant[:4].sum() == pytest.approx(46, rel=1e-12)

    def test_the_winner_takes_all_until_holdings_saturate(self):
        free, saturated = PRESETS["Winner takes all"].problem, PRESETS["Winner takes all, saturated"].problem
        np.testing.assert_array_equal(free.endowment, saturated.endowment)
        assert (free.elasticity.sum(axis=1) > 1).all()
        winner = answers("Winner takes all")["Fair-Synergy"]
        assert winner.grant.max(axis=0) == pytest.approx(free.capacity, rel=1e-9)
        assert (winner.grant > 0).any(axis=1).sum() == 1
        assert winner.best > 1
        several = answers("Winner takes all, saturated")["Fair-Synergy"]
        assert (several.grant > 0).any(axis=1).sum() > 3

    def test_fleet_a_equally_hard_makes_two_rules_one(self):
        both = answers("Fleet A, equally hard")
        assert np.allclose(both["Fair-Synergy"].grant, both["NUM"].grant, rtol=1e-12, atol=0)

    def test_fleet_b_has_four_agents_with_increasing_returns(self):
        assert (PRESETS["Fleet B"].problem.elasticity.sum(axis=1) > 1).sum() == 4

    def test_the_agent_without_labels_starts_at_zero_and_every_rule_helps_it(self):
        problem = PRESETS["One without labels"].problem
        before = problem.utility(np.zeros((problem.n, problem.m)))
        assert (before == 0).tolist() == [False, False, False, True]
        assert all(answer.utility[3] > 0 for answer in answers("One without labels").values())

    def test_promises_are_kept_and_matter(self):
        problem = PRESETS["Promises"].problem
        ambulance, camera, sweeper = (problem.agents.index(name) for name in ("ambulance", "camera 1", "sweeper"))
        assert problem.weight[ambulance] == 2
        for answer in answers("Promises").values():
            assert answer.grant[sweeper, 0] >= 0.1
            assert answer.grant[camera, 0] <= 0.05
        assert answers("Promises")["Fair-Synergy"].grant[sweeper, 0] == 0.1

    def test_warehouse_tasks_get_harder_in_total_from_sorting_to_carrying(self):
        difficulty = PRESETS["Warehouse"].problem.elasticity.sum(axis=1)
        assert difficulty[:4].max() < difficulty[4:8].min() < difficulty[8:].min()

    def test_a_hundred_agents(self):
        assert PRESETS["A hundred agents"].problem.n == 100


@pytest.mark.parametrize("shown", DEMONSTRATIONS.values(), ids=list(DEMONSTRATIONS))
def test_a_demonstration_names_two_presets_and_a_rule(shown):
    assert len(shown.presets) == 2
    assert set(shown.presets.values()) <= set(PRESETS)
    assert shown.rule in fs.POLICIES
    assert shown.look.endswith(".")
