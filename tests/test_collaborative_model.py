"""The model of collaborative inference: the network's stages, the device, the radio, costs, and their units."""

import math

import numpy as np
import pytest

import fairsynergy as fs
from fairsynergy.collaborative import MOBILENET, PAPER, STAGES, Setting, Tasks, Weights, clock, path_loss, power, rate

SETTING = Setting()
WH = 3600.0


def test_the_network_is_mobilenet_v3_large():
    assert MOBILENET.parameters == 5_483_032  # torchvision's documentation
    assert round(MOBILENET.multiplications.sum() / 1e6, 1) == 216.6  # Keras' says 217 M
    stages = [10.44, 32.34, 28.86, 30.53, 49.94, 54.45, 7.53, 2.51]
    assert (MOBILENET.multiplications / 1e6).round(2).tolist() == stages
    assert MOBILENET.outputs.tolist() == [200704, 75264, 31360, 15680, 21952, 7840, 960, 1000]
    assert MOBILENET.stages == len(STAGES) == 8


def test_the_time_of_the_network_is_spent_on_one_side_or_the_other():
    tasks = Tasks(SETTING)
    assert MOBILENET.done[0] == 0
    assert MOBILENET.done[-1] == pytest.approx(1)
    assert (np.diff(MOBILENET.done) > 0).all()
    both = tasks.own_time / SETTING.full_clock + tasks.edge_time / SETTING.one_multiprocessor
    np.testing.assert_allclose(both, 1)
    assert tasks.sent[0] == 90_000 * 8
    assert tasks.sent[1] == 200_704 * 8
    assert (tasks.sent[-1], tasks.edge_time[-1]) == (0, 0)


def test_the_clock_follows_the_battery():
    ratio = clock(np.array([0.0, 1.0, 6.0, 11.0, 12.0]) * WH, SETTING)
    np.testing.assert_allclose(ratio, [0.65, 0.65, 0.65 + 0.35 / 4, 1, 1])
    # The lowest clock is the one that still meets the deadline, as the paper says.
    assert SETTING.full_clock / 0.65 < SETTING.deadline < SETTING.full_clock / 0.6


def test_the_cubic_law_of_power():
    np.testing.assert_allclose(power(np.array([0.65, 1.0]), SETTING), [0.934 + 1.848 * 0.274625, 2.782])


def test_path_loss_by_hand():
    """TR 38.901, Table 7.4.1-1, UMi, at 100 m and 3.5 GHz."""
    reach = math.log10(math.hypot(100, 8.5))
    seen = 32.4 + 21 * reach + 20 * math.log10(3.5)
    hidden = 22.4 + 35.3 * reach + 21.3 * math.log10(3.5)
    probability = 18 / 100 * (1 - math.exp(-100 / 36)) + math.exp(-100 / 36)
    expected = probability * seen + (1 - probability) * hidden
    assert path_loss(np.array([100.0]), SETTING)[0] == pytest.approx(expected)


def test_rates_fall_with_distance_and_shadow_down_from_the_cap():
    rates = rate(np.linspace(0, 2000, 50), np.zeros(50), SETTING)
    assert rates[0] == pytest.approx(55.5e6)  # bit/s: 10 MHz × 5.55 bit/s/Hz
    assert (np.diff(rates) <= 0).all()
    assert rates[-1] > 0
    assert rate(np.array([400.0]), np.array([6.0]), SETTING) < rate(np.array([400.0]), np.array([0.0]), SETTING)
    # 28 dBm of budget against -99 dBm of noise and the path loss.
    loss = path_loss(np.array([500.0]), SETTING)[0]
    by_hand = 10e6 * math.log2(1 + 10 ** ((28 + 99 - loss) / 10))
    assert rate(np.array([500.0]), np.zeros(1), SETTING)[0] == pytest.approx(by_hand)


def test_a_hopeless_link_is_slow_not_dead():
    assert rate(np.array([9000], dtype=np.float32), np.array([40], dtype=np.float32), SETTING)[0] > 0


@pytest.mark.parametrize(
    ("latency", "energy", "reward"),
    [
        (34.20, 60.24, 1.248),
        (32.77, 22.16, 1.157),
        (27.83, 23.95, 0.988),
        (27.33, 25.87, 0.971),
        (26.82, 24.50, 0.953),
    ],
)
def test_the_papers_rewards_in_its_decoded_units(latency, energy, reward):
    assert PAPER.energy * energy / 1e3 + PAPER.latency * latency / 1e3 == pytest.approx(reward, abs=0.003)


def test_our_weights_are_relative_to_local_processing():
    weights = SETTING.weights
    assert weights.energy * 0.06024 == pytest.approx(0.5)
    assert weights.latency * SETTING.deadline == pytest.approx(1)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"devices": 0}, "`devices` must be whole and > 0, got 0"),
        ({"edges": 2.5}, "`edges` must be whole and > 0, got 2.5"),
        ({"bandwidth": -1.0}, "`bandwidth` must be > 0, got -1.0"),
        ({"image": math.nan}, "`image` must be > 0, got nan"),
        ({"antenna": math.inf}, "`antenna` must be finite, got inf"),
        ({"surge_share": 1.5}, "`surge_share` must be >= 0 and <= 1, got 1.5"),
        ({"empty": 11 * WH}, "`empty` must be below `full`"),
        ({"slowest": 20.0}, "`slowest` must be below `fastest`"),
        ({"weights": Weights(1, -1, 0)}, "`weights` must be finite and >= 0"),
    ],
)
def test_a_wrong_constant_is_refused_by_name(wrong, said):
    with pytest.raises(fs.ProblemError) as error:
        Setting(**wrong)
    assert said in str(error.value)
    assert error.value.field == next(iter(wrong))
