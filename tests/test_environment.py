"""The PettingZoo environment: PettingZoo's own tests, and that it is the simulator and nothing else."""

import extras
import numpy as np
import pytest

import fairsynergy as fs
from fairsynergy.collaborative import Setting, Simulator, draw_city
from fairsynergy.collaborative._environment import CollaborativeInference

pettingzoo = pytest.importorskip("pettingzoo.test", reason=extras.without("marl"))

SMALL = Setting(devices=5, slots=12, edges=4)


@pytest.mark.parametrize("signal", ["none", "competitors", "neighbours"])
def test_pettingzoos_own_test(signal):
    pettingzoo.parallel_api_test(CollaborativeInference(SMALL, signal=signal), num_cycles=40)


def test_pettingzoos_seed_test():
    pettingzoo.parallel_seed_test(lambda: CollaborativeInference(SMALL, signal="competitors"))


def test_a_seed_decides_every_hour_after_it():
    """PettingZoo's seed test compares one step; this compares two hours."""

    def hours():
        env = CollaborativeInference(SMALL, signal="neighbours")
        generator = np.random.default_rng(0)
        for seed in (7, None):
            yield np.stack(list(env.reset(seed=seed)[0].values()))
            while env.agents:
                seen, rewards, *_ = env.step({agent: int(generator.integers(33)) for agent in env.agents})
                yield np.stack(list(seen.values()))
                yield np.array(list(rewards.values()))

    first, second = list(hours()), list(hours())
    assert len(first) == 2 * (1 + 2 * 12)
    for one, same in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, same)
    assert (first[0] != first[25]).any()  # the second hour is another


@pytest.mark.parametrize(("signal", "size"), [("none", 28), ("competitors", 116), ("neighbours", 117)])
def test_it_is_the_simulator(signal, size):
    setting = Setting(devices=9, slots=4)
    env = CollaborativeInference(setting, signal=signal, allocator="exact")
    simulator = Simulator(draw_city(3, setting), allocator="exact")
    seen, infos = env.reset(seed=3)
    generator = np.random.default_rng(0)
    for step in range(4):
        observed = simulator.observe()
        for device, agent in enumerate(env.agents):
            assert env.observation_space(agent).contains(seen[agent])
            assert seen[agent].shape == (size,)
            np.testing.assert_array_equal(seen[agent][:28], observed.local[device])
            if signal != "none":
                np.testing.assert_array_equal(seen[agent][28:], getattr(observed, signal)[device])
            np.testing.assert_array_equal(infos[agent]["action_mask"], observed.valid[device])
        np.testing.assert_array_equal(env.state(), observed.local.ravel())
        actions = np.array([generator.choice(np.flatnonzero(valid)) for valid in observed.valid])
        slot = simulator.step(actions)
        seen, rewards, ended, cut_short, infos = env.step(dict(zip(env.agents, actions.tolist(), strict=True)))
        np.testing.assert_allclose(list(rewards.values()), -slot.cost)
        assert not any(ended.values())
        assert set(cut_short.values()) == {step == 3}
        assert not any(info["refused"] for info in infos.values())
    assert env.agents == []


def test_an_edge_refuses_what_cannot_be_in_time():
    env = CollaborativeInference(SMALL)
    _, infos = env.reset(seed=1)
    actions = {agent: int(info["action_mask"].argmin()) for agent, info in infos.items()}
    assert all(action > 0 for action in actions.values())
    _, rewards, *_, infos = env.step(actions)
    assert all(info["refused"] for info in infos.values())
    env.reset(seed=1)
    _, local, *_ = env.step(dict.fromkeys(actions, 0))
    assert rewards == local


def test_wrong_calls_are_refused():
    with pytest.raises(fs.ProblemError, match="`signal` must be one of none, competitors, neighbours, got 'all'"):
        CollaborativeInference(SMALL, signal="all")
    with pytest.raises(fs.ProblemError, match="`allocator` must be"):
        CollaborativeInference(SMALL, allocator="all")
    env = CollaborativeInference(SMALL)
    env.reset(seed=0)
    with pytest.raises(fs.ProblemError, match="`actions` has none for device_0"):
        env.step({})
    with pytest.raises(fs.ProblemError, match=r"`actions\[0\]` must be from 0 to 32, got 33"):
        env.step(dict.fromkeys(env.agents, 33))
