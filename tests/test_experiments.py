"""Experiments: the same fleets anywhere, one table, progress and a stop."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np
import pytest

import fairsynergy as fs
from fairsynergy.experiments.drawing import Growing, Pairs, Released
from fairsynergy.experiments.engine import COLUMNS, Progress, Protocol, measure, run
from fairsynergy.fleets import FleetSpec, Setting

RULES: dict[str, fs.Policy] = {"Fair-Synergy": fs.FairSynergy(passes=inf), "Random": fs.Random(), "NUM": fs.NUM()}
PROTOCOLS: list[Protocol] = [
    Growing(setting=Setting.RTI, seeds=3, sizes=(1, 2, 7, 20)),
    Growing(setting=Setting.DL, seeds=2, sizes=(5, 6), saturation=1.0, first=4),
    Released(setting=Setting.RTI, experiments=2, agents=8, sizes=(1, 4, 8)),
    Released(setting=Setting.DL, experiments=2, agents=8, sizes=(1, 4, 8)),
    Pairs(setting=Setting.DL, experiments=9),
    Pairs(setting=Setting.RTI, experiments=9, alike=True),
]


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=repr)
def test_a_protocol_draws_valid_fleets_with_lots_that_divide_everything(protocol: Protocol) -> None:
    for number in range(protocol.batches):
        experiment, fleets = protocol.draw(number)
        assert len(experiment) == len(fleets)
        assert fleets.lots is not None
        np.testing.assert_allclose(fleets.lots.sum(axis=1), 1.0, rtol=1e-12)
        assert (fleets.lots[fleets.weight == 0] == 0).all()
        for i, n in enumerate(fleets.agents):
            assert fleets.problem(i).n == n  # a Problem refuses what is not valid


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=repr)
def test_the_same_numbers_draw_the_same_fleets(protocol: Protocol) -> None:
    again = replace(protocol)  # type: ignore[type-var]
    for number in range(protocol.batches):
        one, two = protocol.draw(number).fleets, again.draw(number).fleets
        assert [one.problem(i) for i in range(len(one))] == [two.problem(i) for i in range(len(two))]


@pytest.mark.parametrize("kind", [Growing(setting=Setting.DL, seeds=2), Released(setting=Setting.DL, experiments=2)])
def test_a_fleet_does_not_depend_on_which_other_sizes_are_solved(kind: Growing | Released) -> None:
    alone = replace(kind, sizes=(6,)).draw(0).fleets
    among = [replace(kind, sizes=(2, 6, 9)).draw(number) for number in range(replace(kind, sizes=(2, 6, 9)).batches)]
    found = [batch.fleets.problem(i) for batch in among for i in np.flatnonzero(batch.fleets.agents == 6)]
    assert found == [alone.problem(i) for i in range(2)]


def test_a_larger_fleet_begins_like_a_smaller_one() -> None:
    small, large = (Growing(setting=Setting.RTI, seeds=1, sizes=(n,)).draw(0).fleets.problem(0) for n in (5, 9))
    np.testing.assert_array_equal(large.endowment[:5], small.endowment)
    np.testing.assert_array_equal(large.elasticity[:5], small.elasticity)


def test_alike_pairs_share_their_elasticities() -> None:
    fleets = Pairs(setting=Setting.DL, experiments=5, alike=True).draw(0).fleets
    np.testing.assert_array_equal(fleets.elasticity[:, 0], fleets.elasticity[:, 1])


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=repr)
def test_a_run_is_one_row_per_fleet_and_rule(protocol: Protocol) -> None:
    table = run(protocol, RULES)
    drawn = [protocol.draw(number) for number in range(protocol.batches)]
    assert tuple(table.columns) == COLUMNS
    assert len(table) == sum(len(batch.fleets) for batch in drawn) * len(RULES)
    assert not table.drop(columns="gap").isna().any().any()
    assert (table["worst"] <= table["mean"] + 1e-12).all()
    assert (table["mean"] <= table["best"] + 1e-12).all()
    again = run(protocol, RULES)
    assert table.drop(columns="seconds").equals(again.drop(columns="seconds"))


def test_every_rule_of_the_package_is_welcome() -> None:
    table = run(Growing(setting=Setting.DL, seeds=1, sizes=(3,), saturation=1.0), dict(fs.RULES))
    assert list(table["rule"]) == list(fs.RULES)


def test_the_tightest_proof_of_any_rule_is_the_gap_of_all() -> None:
    protocol = Growing(setting=Setting.DL, seeds=3, sizes=(6,), saturation=1.0)
    proved = run(protocol, RULES | {"Certified optimum": fs.CertifiedOptimum()}).set_index(["experiment", "rule"])
    assert (proved["gap"].xs("Certified optimum", level="rule") <= 1e-4).all()
    for experiment in range(3):
        best = proved.loc[(experiment, "Certified optimum")]
        ours = proved.loc[(experiment, "NUM")]
        assert 1 - ours["gap"] == pytest.approx(ours["mean"] / best["mean"] * (1 - best["gap"]), rel=1e-9)


def test_without_a_proof_there_is_no_gap() -> None:
    assert run(Pairs(setting=Setting.DL, experiments=2), {"NUM": fs.NUM()})["gap"].isna().all()


def test_progress_counts_to_the_end() -> None:
    told: list[Progress] = []
    protocol = PROTOCOLS[0]
    run(protocol, RULES, tell=told.append)
    assert [now.done for now in told] == list(range(1, protocol.batches + 1))
    assert {now.of for now in told} == {protocol.batches}
    assert told[-1].left == 0


class StopError(Exception):
    """A visitor clicked."""


def test_whatever_is_raised_while_told_ends_the_run() -> None:
    told: list[Progress] = []

    def stop(now: Progress) -> None:
        told.append(now)
        raise StopError

    with pytest.raises(StopError):
        run(PROTOCOLS[0], RULES, tell=stop)
    assert len(told) == 1


@pytest.mark.parametrize("setting", Setting)
def test_sliders_draw_many_fleets_as_they_draw_one(setting: Setting) -> None:
    spec = FleetSpec(agents=4, setting=setting, spread=0.3, gamma_compute=(0.2, 0.4), saturation=None)
    fleets = spec.fleets([3, 0, 3])
    for i, seed in enumerate((3, 0, 3)):
        one = replace(spec, seed=seed).problem()
        np.testing.assert_array_equal(fleets.problem(i).endowment, one.endowment)
        np.testing.assert_array_equal(fleets.problem(i).elasticity, one.elasticity)
        np.testing.assert_array_equal(fleets.problem(i).capacity, one.capacity)
    lots = fleets.lots
    assert lots is not None
    np.testing.assert_array_equal(lots[0], lots[2])


def test_a_batch_counts_its_time() -> None:
    table = measure(PROTOCOLS[0].draw(0), {"NUM": fs.NUM()})
    assert table["seconds"].nunique() == 1
    assert (table["seconds"] > 0).all()
