"""What inference costs a device and how fast its radio is: a Jetson TX2, a 5G street cell and the QoS of FOCI.

A device at clock ratio f that computes stages 1..k itself and has l multiprocessors of an edge for the rest needs

    D = D_full done_k / f  +  bits_k / rate  +  T (1 - done_k) / l           seconds per image,
    E = P(f) D_full done_k / f  +  P_send bits_k / rate                      joules per image,
    cost = w_E E + w_D D + w_C [the edge is another than before]             lower is better,

the paper's -R (section 3), where done_k is the share of the network's time before the cut; k = K means no edge, no
sending and no switch. T is the time of the whole network on one multiprocessor: the paper's L × D_re. Downloading the
answer is free. Rates are Shannon's with a cap, under the path loss of 3GPP TR 38.901, UMi street canyon (Table
7.4.1-1), with and without line of sight averaged in decibels by the probability of each.

>>> setting = Setting()
>>> ratio = clock(np.array([3.0, 12.0]) * 3600, setting)
>>> local = Tasks(setting).own_time[-1] / ratio
>>> (1e3 * local).round(1), (1e3 * local * power(ratio, setting)).round(1)
(array([38.7, 25.7]), array([57. , 71.4]))
>>> (rate(np.array([50.0, 168.0, 500.0]), np.zeros(3), setting) / 1e6).round(1)
array([55.5, 55.5,  8.1])
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairsynergy.collaborative._mobilenet import MOBILENET, Network
from fairsynergy.collaborative._setting import Setting
from fairsynergy.problem import Array

# Arrays of a whole hour's radio are in single precision: decibels need no more, and there are many.
Floats = NDArray[Any]

THERMAL = -174.0  # dBm/Hz, noise at room temperature


def clock(battery: Array, setting: Setting) -> Array:
    """(n,) ratio to the full clock at a charge (n,) [J]: the emptier, the slower, never below the lowest."""
    charge = np.clip((battery - setting.empty) / (setting.full - setting.empty), 0.0, 1.0)
    return np.asarray(setting.lowest_clock + (1 - setting.lowest_clock) * charge**2)


def power(ratio: Array, setting: Setting) -> Array:
    """(n,) power of a device that computes at a clock ratio (n,) [W]."""
    return setting.idle_power + setting.clock_power * ratio**3


def path_loss(distance: Floats, setting: Setting) -> Floats:
    """(...) median loss at a distance (...) along the ground [m] in dB."""
    reach = np.log10(np.sqrt(distance**2 + setting.height**2))
    carrier = math.log10(setting.carrier / 1e9)
    seen = 32.4 + 21 * reach + 20 * carrier
    hidden = np.maximum(seen, 22.4 + 35.3 * reach + 21.3 * carrier)
    fading = np.exp(-distance / 36)
    line_of_sight = np.minimum(18 / np.maximum(distance, 18), 1) * (1 - fading) + fading
    return np.asarray(hidden + line_of_sight * (seen - hidden))


def rate(distance: Floats, shadow: Floats, setting: Setting) -> Floats:
    """(...) bits per second from a device to an edge.

    Parameters
    ----------
    distance : (...) array
        Along the ground [m].
    shadow : (...) array
        Loss on top of the median [dB].
    setting : Setting
        Power, bandwidth and noise.
    """
    noise = THERMAL + 10 * math.log10(setting.bandwidth) + setting.noise_figure
    budget = setting.transmitted + setting.antenna - setting.margin - noise
    signal = 10 ** ((budget - path_loss(distance, setting) - shadow) / 10)
    # log1p: in single precision 1 + a very weak signal is 1.
    return np.asarray(setting.bandwidth * np.minimum(np.log1p(signal) / math.log(2), setting.most_efficient))


@dataclass(frozen=True, eq=False)
class Tasks:
    """The network's cuts in units of time and data, K + 1 of them, from "send the image" to "all on the device".

    Parameters
    ----------
    setting : Setting
        Device, edge and what a number takes to send.
    network : Network
        The network that is cut.
    """

    setting: Setting
    network: Network = MOBILENET

    @property
    def cuts(self) -> int:
        """K, cuts that involve an edge; cut K is all on the device."""
        return self.network.stages

    @cached_property
    def own_time(self) -> Array:
        """(k + 1,) seconds that the device computes at full clock."""
        return self.setting.full_clock * self.network.done

    @cached_property
    def sent(self) -> Array:
        """(k + 1,) bits that are sent; none at the last."""
        return np.concatenate(
            ([self.setting.image], self.setting.number * self.network.outputs[:-1].astype(np.float64), [0.0])
        )

    @cached_property
    def edge_time(self) -> Array:
        """(k + 1,) seconds that the edge computes on one multiprocessor; 0 at the last."""
        return self.setting.one_multiprocessor * np.append(1 - self.network.done[:-1], 0.0)
