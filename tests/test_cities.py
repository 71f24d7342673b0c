"""Trials in fresh cities: intervals by hand, verdicts by their rule, the report, the shipped trial recomputed."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import fairsynergy as fs
from fairsynergy.cli import main
from fairsynergy.collaborative import AllLocal, Neurosurgeon, Setting, draw_city, rollout
from fairsynergy.experiments import cities
from fairsynergy.experiments.cities import FRESH, MEASURES, PUBLISHED, UNLEARNED, Verdict, estimate
from fairsynergy.fleets.drawn import ASSETS

FOLDER = ASSETS / "foci"


@pytest.fixture(scope="module")
def shipped():
    return cities.read(FOLDER / "cities.csv")


# Intervals


def test_the_interval_of_one_training_is_students():
    values = np.random.default_rng(0).normal(5, 2, (1, 20))
    found = estimate(values)
    low, high = stats.t.interval(0.95, 19, values.mean(), stats.sem(values[0]))
    assert (found.low, found.high) == pytest.approx((low, high))


def test_a_difference_is_taken_city_by_city():
    """Cities that differ a hundred times more than the policies do not hide which is better."""
    rng = np.random.default_rng(0)
    place = rng.normal(0, 100, 20)
    left, right = (place + shift + rng.normal(0, 0.1, (1, 20)) for shift in (0, 1))
    found = estimate(left, right)
    assert found.mean == pytest.approx(-1, abs=0.1)
    assert found.half < 0.2


def test_trainings_that_differ_widen_the_interval():
    one = np.tile(np.linspace(0, 1, 20), (3, 1))
    several = one + np.array([[-1.0], [0.0], [1.0]])
    assert estimate(one).half < estimate(several).half
    # Three trainings of standard deviation 1 and hardly any other variance: Student's with 2 degrees of freedom.
    alone = estimate(np.array([[-1.0], [0.0], [1.0]]) + np.zeros((1, 20)))
    assert alone.half == pytest.approx(stats.t.ppf(0.975, 2) / np.sqrt(3))


def test_intervals_cover_what_they_promise():
    """Simulated: trainings, cities and their interplay drawn 2,000 times; the truth is inside in 95 % or more."""
    rng = np.random.default_rng(1)
    inside = 0
    for _ in range(2000):
        values = rng.normal(0, 1, (3, 1)) + rng.normal(0, 2, (1, 20)) + rng.normal(0, 0.5, (3, 20))
        found = estimate(values)
        inside += found.low <= 0 <= found.high
    assert 0.94 < inside / 2000 <= 1


def test_one_city_has_no_interval():
    assert estimate(np.array([[1.0]])).half == np.inf


def test_the_factor_scales_what_is_subtracted():
    left, right = np.full((1, 3), 2.0), np.full((1, 3), 8.0)
    assert estimate(left, right, 0.25).mean == 0


# Trials


@pytest.fixture(scope="module")
def small():
    policies = {"ALP": [AllLocal()], "NSG": [Neurosurgeon()]}
    return cities.trial(policies, cities=(1, 2), setting=Setting(devices=20, slots=8))


def test_a_trial_is_the_summaries_of_its_hours(small):
    assert len(small) == 2 * 2 * 2
    for surge, world in ((True, "surge"), (False, "steady")):
        city = draw_city(2, Setting(devices=20, slots=8, surge=surge))
        found = rollout(city, Neurosurgeon()).summary()
        (row,) = small[(small["world"] == world) & (small["city"] == 2) & (small["policy"] == "NSG")].to_dict("records")
        assert row["latency_mean"] == found.latency.mean
        assert row["energy_worst"] == found.energy.worst
        assert row["switches"] == found.switches
        assert row["cost_worst"] == found.cost.worst


def test_several_processes_find_the_same(small):
    policies = {"ALP": [AllLocal()], "NSG": [Neurosurgeon()]}
    again = cities.trial(policies, cities=(1, 2), setting=Setting(devices=20, slots=8), workers=2)
    pd.testing.assert_frame_equal(small, again)


def test_a_trial_survives_its_file(small, tmp_path):
    cities.write(small, tmp_path / "trial.csv")
    pd.testing.assert_frame_equal(cities.read(tmp_path / "trial.csv"), small, rtol=1e-6)


def test_a_folder_without_weights_is_named(tmp_path):
    with pytest.raises(fs.ProblemError, match="holds no weights"):
        cities.read_policies(tmp_path)


# Verdicts


def made_up(means):
    """A trial in which every measure of a policy is its mean, give or take a little in each city."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        [
            {"world": "surge", "policy": policy, "training": training, "city": city}
            | {name: (mean + rng.normal(0, 1e-6)) / measure.scale for name, measure in MEASURES.items()}
            for policy, mean in means.items()
            for training in range(2)
            for city in range(5)
        ]
    )


def test_verdicts_follow_from_the_intervals():
    order = {"FOCI 0.5": 1, "COA": 2, "OFR 0.5": 3, "AMFQ": 4, "IQL": 5, "NSG": 6, "ALP": 7}
    judged = cities.judge(made_up(order), world="surge", share="0.5")
    verdicts = {one.claim.what.split(":")[0]: one.verdict for one in judged}
    assert verdicts["Average latency"] is Verdict.TRUE
    assert verdicts["Latency of the worst-off device"] is Verdict.FALSE  # it has ALP below NSG
    assert verdicts["FOCI changes the edge half as often as the other learners"] is Verdict.TRUE
    level = cities.judge(made_up(dict.fromkeys(order, 1)), world="surge", share="0.5")
    assert {one.verdict for one in level if one.claim.what.startswith("Average latency")} == {Verdict.UNDECIDED}


def test_half_as_often_needs_half():
    order = {"FOCI 0.5": 3, "COA": 2, "OFR 0.5": 3, "AMFQ": 4, "IQL": 5, "NSG": 6, "ALP": 7}
    judged = cities.judge(made_up(order), world="surge", share="0.5")
    verdicts = {one.claim.what: one.verdict for one in judged}
    assert verdicts["FOCI changes the edge half as often as the other learners"] is Verdict.FALSE
    assert verdicts["FOCI changes the edge less often than the other learners"] is Verdict.TRUE


def test_the_published_table():
    """Table 1 as printed, and the weights of its reward as decoded: the rows follow from one another."""
    for policy, row in PUBLISHED.iterrows():
        decoded = 0.03465 * row["latency_mean"] + 0.00104 * row["energy_mean"]
        assert decoded == pytest.approx(row["reward_mean"], abs=0.004), policy
    assert list(PUBLISHED.index) == ["ALP", "NSG", "IQL", "AMFQ", "FOCI"]


# What is shipped


def test_the_shipped_trial_is_of_the_shipped_policies_in_every_fresh_city(shipped):
    policies = cities.read_policies(FOLDER)
    assert set(shipped["policy"]) == {*UNLEARNED, *policies}
    assert set(shipped["city"]) == set(FRESH)
    counts = shipped.groupby(["world", "policy"]).size()
    for label in policies:
        assert counts["surge", label] == counts["steady", label] == 60


@pytest.mark.parametrize(("label", "training"), [("ALP", 0), ("NSG", 0), ("IQL", 1), ("AMFQ", 2), ("FOCI 0.5", 0)])
def test_the_shipped_numbers_come_out_again(shipped, label, training):
    city = draw_city(FRESH[3])
    policy = UNLEARNED[label] if label in UNLEARNED else cities.read_policies(FOLDER)[label][training]
    found = rollout(city, policy).summary()
    part = shipped[(shipped["world"] == "surge") & (shipped["city"] == FRESH[3]) & (shipped["policy"] == label)]
    (row,) = part[part["training"] == training].to_dict("records")
    # A processor that adds in another order may tip a choice between two actions as good as equal.
    assert row["latency_mean"] == pytest.approx(found.latency.mean, rel=2e-3)
    assert row["energy_mean"] == pytest.approx(found.energy.mean, rel=5e-3)


def test_local_processing_costs_what_table_1_says(shipped):
    """Within 5 %: the device is calibrated to it."""
    alone = shipped[shipped["policy"] == "ALP"]
    for name in ("latency_mean", "latency_worst", "energy_mean", "energy_worst"):
        assert MEASURES[name].scale * alone[name].mean() == pytest.approx(PUBLISHED.at["ALP", name], rel=0.05)


def test_the_report_in_the_docs_is_of_the_shipped_trial(shipped):
    written = (ASSETS.parent / "docs" / "CITIES.md").read_text(encoding="utf-8")
    (line,) = (line for line in written.splitlines() if line.startswith("Written by"))
    origin = line.removeprefix("Written by `").removesuffix("`.")
    assert written == cities.report(shipped, shares=cities.shares_of(shipped), origin=origin)


# The command


def test_the_command_writes_table_and_report(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("iql", "coa", "amfq", "ofr-0.5", "foci-0.5"):
        path = FOLDER / f"{name}-seed0.safetensors"
        (tmp_path / path.name).write_bytes(path.read_bytes())
    command = ["cities", "--weights", ".", "--cities", "2", "--first", "5000", "--csv", "hours.csv", "--workers", "2"]
    assert main(command) == 0
    assert capsys.readouterr().out.strip() == "cities.md: 9 policies in 2 cities, with surges and without"
    table = cities.read(tmp_path / "hours.csv")
    assert set(table["city"]) == {5000, 5001}
    assert "| FOCI 0.5 |" in (tmp_path / "cities.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["--cities", "1"], "--cities must be at least 2"),
        (["--weights", "absent"], "holds no weights"),
        (["--out", "absent/x.md"], "there is no folder absent"),
        (["--workers", "0"], "--workers must be at least 1"),
    ],
)
def test_wrong_arguments(capsys, wrong, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["cities", *wrong]) == 2
    assert said in capsys.readouterr().err
