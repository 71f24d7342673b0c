"""Learned policies without PyTorch: their weights' file, the shipped ones, and what they may choose."""

import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load, save

import fairsynergy as fs
from fairsynergy.collaborative import (
    LOCAL,
    RECIPES,
    Learned,
    Recipe,
    Setting,
    Simulator,
    draw_city,
    read_weights,
    rollout,
    write_weights,
)
from fairsynergy.collaborative._learned import DuelingNetwork, Layer, told
from fairsynergy.experiments.cities import read_policies
from fairsynergy.fleets.drawn import ASSETS

SMALL = Setting(devices=30, slots=20)
INPUTS = {"none": 28, "competitors": 28 + 88, "neighbours": 28 + 89}


def drawn(recipe, width=16, seed=0):
    """A network nobody trained."""
    rng = np.random.default_rng(seed)

    def layer(out, into):
        return Layer(rng.standard_normal((out, into)).astype(np.float32), rng.standard_normal(out).astype(np.float32))

    network = DuelingNetwork(
        layer(width, INPUTS[recipe.signal]), layer(width, width), layer(1, width), layer(89, width)
    )
    return Learned(network, recipe, Setting(), seed, 3, "a test")


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_dueling_network_by_hand(recipe):
    policy = drawn(recipe)
    seen = told(Simulator(draw_city(1, SMALL)).observe(), recipe.signal)
    assert seen.shape == (30, INPUTS[recipe.signal])
    found = policy.network(seen)
    for device in (0, 7, 29):
        hidden = seen[device].astype(float)
        for layer in (policy.network.first, policy.network.second):
            hidden = np.maximum(layer.weight.astype(float) @ hidden + layer.bias, 0)
        advantage = policy.network.advantage.weight.astype(float) @ hidden + policy.network.advantage.bias
        value = (policy.network.value.weight.astype(float) @ hidden + policy.network.value.bias)[0]
        np.testing.assert_allclose(found[device], value + advantage - advantage.mean(), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_it_chooses_the_best_of_what_is_valid(recipe):
    policy, simulator = drawn(recipe), Simulator(draw_city(1, SMALL))
    for _ in range(5):
        seen = simulator.observe()
        chosen = policy.act(seen)
        values = policy.network(told(seen, recipe.signal))
        everybody = np.arange(30)
        assert seen.valid[everybody, chosen].all()
        assert (values[everybody, chosen] == np.where(seen.valid, values, -np.inf).max(axis=1)).all()
        simulator.step(chosen)


def test_a_file_of_weights_gives_the_policy_back_in_half_precision(tmp_path):
    policy = drawn(RECIPES["foci"])
    write_weights(policy, tmp_path / "w.safetensors")
    back = read_weights(tmp_path / "w.safetensors")
    assert (back.recipe, back.setting, back.seed, back.rounds, back.origin) == (
        RECIPES["foci"],
        Setting(),
        0,
        3,
        "a test",
    )
    assert (back.network.first.weight == policy.network.first.weight.astype(np.float16)).all()


def broken(path, change):
    """The file of a policy with its tensors or description changed."""
    write_weights(drawn(RECIPES["iql"]), path)
    data = path.read_bytes()
    tensors = load(data)
    about = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
    change(tensors, about)
    path.write_bytes(save(tensors, metadata=about))


def reworded(about, old, new):
    about["fairsynergy"] = about["fairsynergy"].replace(old, new)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda tensors, about: tensors.pop("value.bias"), "it holds advantage.bias, advantage.weight, first.bias"),
        (lambda tensors, about: tensors.update({"more": np.zeros(1)}), "it holds .* more"),
        (lambda tensors, about: tensors.update({"second.weight": np.zeros((16, 5))}), "its layers do not fit"),
        (lambda tensors, about: tensors.update({"second.weight": np.zeros(16)}), "its layers do not fit"),
        (lambda tensors, about: tensors.update({"value.bias": np.array([np.nan])}), "numbers that are not finite"),
        (lambda tensors, about: about.update(fairsynergy="{}"), "its description is not one of ours"),
        (lambda tensors, about: about.update(fairsynergy="[" * 5000), "its description is not one of ours"),
        (lambda tensors, about: about.pop("fairsynergy"), "its description is not one of ours"),
        (lambda tensors, about: reworded(about, "none", "all"), "unknown recipe"),
        (lambda tensors, about: reworded(about, '"edges": 11', '"edges": -1'), "edges"),
    ],
)  # fmt: skip
def test_a_file_of_another_shape_is_refused_by_name(tmp_path, change, said):
    path = tmp_path / "odd.safetensors"
    broken(path, change)
    with pytest.raises(fs.ProblemError, match=f"(?s)odd.safetensors cannot be used as weights: .*{said}"):
        read_weights(path)


@pytest.mark.parametrize("kept", [0, 7, 100, 5000])
def test_a_file_cut_short_is_refused(tmp_path, kept):
    path = tmp_path / "short.safetensors"
    write_weights(drawn(RECIPES["iql"]), path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(fs.ProblemError, match=r"short\.safetensors cannot be used as weights"):
        read_weights(path)


def test_other_bytes_a_folder_and_nothing_are_refused(tmp_path):
    path = tmp_path / "noise.safetensors"
    path.write_bytes(np.random.default_rng(0).bytes(5000))
    for wrong in (path, tmp_path, tmp_path / "absent.safetensors"):
        with pytest.raises(fs.ProblemError, match="cannot be used as weights"):
            read_weights(wrong)
    path.write_bytes(bytes(17 * 2**20))
    with pytest.raises(fs.ProblemError, match="more than 16 MiB"):
        read_weights(path)


def test_other_edges_than_it_knows_are_refused():
    policy = drawn(RECIPES["coa"])
    with pytest.raises(
        fs.ProblemError, match="trained with 11 edges and knows 89 actions, but there are 5 edges and 41"
    ):
        rollout(draw_city(0, Setting(edges=5, devices=10, slots=2)), policy)


def test_more_devices_than_it_was_trained_with_are_served():
    hour = rollout(draw_city(0, Setting(devices=400, slots=5)), drawn(RECIPES["foci"]))
    assert hour.latency.shape == (5, 400)


# The shipped ones


@pytest.fixture(scope="module")
def shipped():
    return read_policies(ASSETS / "foci")


def test_three_trainings_of_each_policy_are_shipped(shipped):
    assert set(shipped) >= {"IQL", "AMFQ", "COA", "OFR 0.5", "FOCI 0.25", "FOCI 0.5", "FOCI 1"}
    for label, trainings in shipped.items():
        assert [policy.seed for policy in trainings] == [0, 1, 2], label
        for policy in trainings:
            assert policy.setting == Setting()
            assert policy.rounds == 60
            assert policy.origin.startswith("fairsynergy train --policies ")


def test_the_labels_say_the_recipes(shipped):
    assert shipped["IQL"][0].recipe == Recipe()
    assert shipped["AMFQ"][0].recipe == Recipe("neighbours")
    assert shipped["COA"][0].recipe == Recipe("competitors")
    for label, trainings in shipped.items():
        if " " in label:
            assert {policy.recipe.oracle for policy in trainings} == {float(label.split()[1])}


def test_the_same_hour_twice(shipped):
    city = draw_city(8)
    one, same = (rollout(city, shipped["FOCI 0.5"][0]) for _ in range(2))
    assert (one.latency == same.latency).all()
    assert (one.edge == same.edge).all()


def test_competitors_counts_help_when_crowds_move(shipped):
    """In every pair of trainings, on a city that nothing was chosen on: COA ahead of IQL for the worst-off device."""
    cities = [draw_city(3000)]
    worst = {
        label: [
            np.mean([rollout(city, policy).summary().latency.worst for city in cities]) for policy in shipped[label]
        ]
        for label in ("IQL", "COA")
    }
    assert max(worst["COA"]) < min(worst["IQL"])


def test_the_oracles_reward_alone_makes_devices_leave(shipped):
    """λ = 1, as the paper prints it: an edge's worst cost is above most devices' own, so they stay at home."""
    city = draw_city(3000)
    stays = {label: np.mean(rollout(city, shipped[label][0]).edge == LOCAL) for label in ("FOCI 0.5", "FOCI 1")}
    assert stays["FOCI 1"] > 2 * stays["FOCI 0.5"] + 0.1


def test_a_learner_is_ahead_of_its_untrained_self_and_of_neurosurgeon(shipped):
    city = draw_city(3003)
    ours = rollout(city, shipped["COA"][0]).summary().cost.mean
    assert ours < rollout(city, fs.collaborative.Neurosurgeon()).summary().cost.mean
    assert ours < rollout(city, replace(shipped["COA"][0], network=drawn(RECIPES["coa"]).network)).summary().cost.mean
