"""Learning: PyTorch and NumPy agree, targets by hand, the same seed gives the same weights, stopped or not."""

import extras
import numpy as np
import pytest
from safetensors import safe_open

import fairsynergy as fs
from fairsynergy.cli import main
from fairsynergy.collaborative import (
    RECIPES,
    Edge,
    Recipe,
    Setting,
    Simulator,
    bisection,
    draw_city,
    read_weights,
    rollout,
    write_weights,
)
from fairsynergy.collaborative._learned import told
from fairsynergy.collaborative._training import Plan, Trainer, _values, charged, train
from fairsynergy.experiments.cities import read_policies

torch = pytest.importorskip("torch", reason=extras.without("training"))

SMALL = Setting(devices=20, slots=12)
SHORT = Plan(rounds=4, memory=20, width=32, copied=10)


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def weights(policy):
    network = policy.network
    return [
        array for name in ("first", "second", "value", "advantage") for array in vars(getattr(network, name)).values()
    ]


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_numpy_foretells_what_pytorch_does(recipe):
    trainer = Trainer(recipe, seed=1, setting=SMALL, plan=SHORT)
    trainer.live()
    seen = told(Simulator(draw_city(3, SMALL)).observe(), recipe.signal)
    with torch.no_grad():
        theirs = _values(trainer._online, torch.from_numpy(seen)).numpy()
    np.testing.assert_allclose(trainer.learned().network(seen), theirs, rtol=0, atol=1e-5)


def test_the_same_seed_gives_the_same_weights_stopped_or_not(tmp_path):
    whole, again, other = (train(RECIPES["foci"], seed=seed, setting=SMALL, plan=SHORT) for seed in (1, 1, 2))
    trainer = Trainer(RECIPES["foci"], seed=1, setting=SMALL, plan=SHORT)
    trainer.live()
    trainer.live()
    checkpoint = tmp_path / "half.checkpoint"
    trainer.keep(checkpoint)
    resumed = train(RECIPES["foci"], seed=1, setting=SMALL, plan=SHORT, checkpoint=checkpoint)
    for one, two, three, four in zip(*map(weights, (whole, again, resumed, other)), strict=True):
        assert (one == two).all()
        assert (one == three).all()
        assert (one != four).any()
    assert not checkpoint.exists()
    assert resumed.rounds == 4


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    path = tmp_path / "a.checkpoint"
    Trainer(RECIPES["foci"], seed=1, setting=SMALL, plan=SHORT).keep(path)
    for recipe, seed in ((RECIPES["foci"], 2), (RECIPES["coa"], 1), (Recipe("competitors", 1.0), 1)):
        with pytest.raises(fs.ProblemError, match="is of another training"):
            train(recipe, seed=seed, setting=SMALL, plan=SHORT, checkpoint=path)


def test_a_broken_checkpoint_is_refused(tmp_path):
    path = tmp_path / "a.checkpoint"
    Trainer(RECIPES["foci"], seed=1, setting=SMALL, plan=SHORT).keep(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(fs.ProblemError, match="cannot be taken up"):
        train(RECIPES["foci"], seed=1, setting=SMALL, plan=SHORT, checkpoint=path)


def test_the_charge_by_hand():
    """Own cost blended with what the edge's worst-off device would pay under the exact oracle; local pays its own."""
    setting = Setting(devices=60, slots=2)
    cities = [Simulator(draw_city(seed, setting)) for seed in (4, 5)]
    seen = [simulator.observe() for simulator in cities]
    rng = np.random.default_rng(0)
    actions = [
        np.where(rng.random(60) < 0.3, 0, 1 + rng.integers(2, size=60) * 8 + rng.integers(8, size=60)) for _ in cities
    ]
    slots = [simulator.step(action) for simulator, action in zip(cities, actions, strict=True)]
    found = charged(slots, seen, Recipe("none", 0.25)).reshape(2, 60)
    for slot, charge in zip(slots, found, strict=True):
        for edge in (-1, 0, 1):
            here = slot.edge == edge
            worst = slot.cost[here]
            if edge >= 0:
                worst = bisection(Edge(fixed=slot.fixed[here], falling=slot.falling[here], multiprocessors=24)).worst
            np.testing.assert_allclose(charge[here], 0.75 * slot.cost[here] + 0.25 * worst)
    assert (charged(slots, seen, Recipe()) == np.concatenate([slot.cost for slot in slots])).all()


def test_learning_lowers_the_cost():
    """A small world, where a minute of learning is a second: the learner is ahead of its own first guess."""
    setting = Setting(devices=30, slots=60, multiprocessors=4, surge=False)
    plan = Plan(rounds=12, memory=60, width=64, batch=128, rate=1e-3)
    before = Trainer(RECIPES["coa"], seed=0, setting=setting, plan=plan).learned()
    after = train(RECIPES["coa"], seed=0, setting=setting, plan=plan)
    costs = [
        np.mean([rollout(draw_city(seed, setting), policy).summary().cost.mean for seed in (90, 91)])
        for policy in (before, after)
    ]
    assert costs[1] < costs[0] - 0.1


def test_exploration_falls_to_its_least():
    plan = Plan()
    assert plan.exploration(0) == 1
    assert plan.exploration(0.3) == pytest.approx(0.02**0.5)
    assert plan.exploration(0.6) == plan.exploration(1) == pytest.approx(0.02)


def test_the_command_trains_keeps_and_goes_on(tmp_path, capsys):
    command = ["train", "--policies", "iql", "foci", "--oracle-share", "0.5", "--seeds", "1", "--rounds", "1"]
    assert main([*command, "--out", str(tmp_path), "--workers", "2"]) == 0
    assert capsys.readouterr().out.strip() == f"{tmp_path}: 2 trained, 0 were there before"
    (tmp_path / "iql-seed0.safetensors").unlink()
    kept = (tmp_path / "foci-0.5-seed0.safetensors").read_bytes()
    assert main([*command, "--out", str(tmp_path), "--workers", "1"]) == 0
    assert capsys.readouterr().out.strip() == f"{tmp_path}: 1 trained, 1 were there before"
    assert (tmp_path / "foci-0.5-seed0.safetensors").read_bytes() == kept
    policies = read_policies(tmp_path)
    assert list(policies) == ["IQL", "FOCI 0.5"]
    (policy,) = policies["FOCI 0.5"]
    assert policy.recipe == RECIPES["foci"]
    assert policy.setting == Setting()
    assert policy.origin.startswith("fairsynergy train --policies iql foci --oracle-share 0.5 --seeds 1 --rounds 1, 2")


def test_weights_hold_numbers_and_a_description_only(tmp_path):
    path = tmp_path / "w.safetensors"
    write_weights(Trainer(RECIPES["iql"], seed=0, setting=SMALL, plan=SHORT).learned("a test"), path)
    with safe_open(path, framework="numpy") as file:
        assert {file.get_tensor(name).dtype for name in file.keys()} == {np.dtype(np.float16)}  # noqa: SIM118
        assert list(file.metadata()) == ["fairsynergy"]
    assert read_weights(path).origin == "a test"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["--policies", "dqn"], "there is no policy 'dqn' to train; there are iql, amfq, ofr, coa, foci"),
        (["--oracle-share", "1.5"], "shares of the oracle must be from 0 to 1, got 1.5"),
        (["--oracle-share", "nan"], "shares of the oracle must be from 0 to 1, got nan"),
        (["--seeds", "0"], "the number of seeds must be at least 1, got 0"),
        (["--rounds", "0"], "the number of rounds must be at least 1, got 0"),
        (["--workers", "0"], "--workers must be at least 1, got 0"),
    ],
)
def test_wrong_arguments(tmp_path, capsys, wrong, said):
    assert main(["train", "--out", str(tmp_path), *wrong]) == 2
    assert said in capsys.readouterr().err
