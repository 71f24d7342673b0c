"""Every constant of the collaborative inference model, with its unit and where it comes from.

Units are SI inside the package: seconds, joules, watts, metres, bit/s, hertz; decibels where radio engineers use them.
"Paper" is H. Zhou and X. Zhang, "Fairness-Oracular MARL with Competitor-Aware Signals for Collaborative Inference"
(FOCI), AI4NextG workshop at NeurIPS 2025. It leaves out the layer profile, the radio, the speed of an edge, the length
of a slot and the units of its reward; what is marked "ours" is our assumption, chosen so that local processing costs
what the paper's Table 1 says and edges are worth competing for.

>>> Setting().multiprocessors, Setting(devices=100).devices
(24, 100)
>>> 1e3 * Setting().deadline
41.66...
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import isfinite
from typing import NamedTuple

from fairsynergy.errors import ProblemError

HOUR = 3600.0  # s, and J per Wh


class Weights(NamedTuple):
    """How much a unit of each thing costs; lower cost is better.

    The paper weighs joules, its latency and switches "all 1" without units, so two conventions are given.
    """

    energy: float  #: per joule
    latency: float  #: per second
    switch: float  #: per change of the edge


# Ours: local processing on average (60.24 mJ, Table 1) costs 0.5, a latency at the deadline 1, a switch 0.1.
NORMALISED = Weights(energy=0.5 / 0.06024, latency=24.0, switch=0.1)
# The paper's, decoded: the five rows of Table 1 fit reward = 0.03465 per ms + 0.00104 per mJ - 0.0007 per switch within
# 0.0008. Latency is 95 % of it. A reward for switching cannot be meant, so it is 0 here.
PAPER = Weights(energy=1.04, latency=34.65, switch=0.0)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A city, its devices, edges and radio; change any constant by its name.

    Parameters
    ----------
    devices, edges : int
        How many there are, M and N; 240 and 11 in the paper.
    multiprocessors : int
        Streaming multiprocessors (SMs) of an edge, L; 24 in the paper ("2 × 12").
    slots : int
        Decisions in an hour, 240; ours, from `slot`.
    slot : float
        Time between decisions [s]: the Porto taxis report their place every 15 s.
    frames : float
        Images that a device sends through the network [1/s]: 24, as the paper's deadline of 1/24 s implies.
    deadline : float
        Longest latency of a valid action [s], the paper's D_st.
    weights : Weights
        What energy, latency and switches cost; `NORMALISED` or `PAPER`.

    one_multiprocessor : float
        Whole network on one SM [s]; 18 ms is ours, 24 GFLOP/s. n SMs take 1/n of it, as in the paper; the split is that
        of CUDA MPS, by active-thread percentage.
    full_clock : float
        Whole network on a Jetson TX2 at full clock [s]; calibrated to ALP in Table 1. At `lowest_clock` it is still
        within the deadline.
    lowest_clock : float
        Least ratio to the full clock; 0.65 in the paper, and Max-Q / Max-N of the TX2, 0.85 / 1.30 GHz.
    idle_power, clock_power : float
        A computing device draws idle_power + clock_power × ratio³ [W]; calibrated to ALP in Table 1, with the cubic law
        of dynamic voltage and frequency scaling (TX2: Lahmer et al., arXiv 2210.01625).
    empty, full : float
        Charges at which the clock is lowest and full [J]; it rises with the square between. 1 and 11 Wh are ours.
    least_battery, most_battery : float
        Charge at the start, uniform between them [J]; 3 and 12 Wh in the paper.

    carrier : float
        Carrier frequency [Hz]; ours, 5G band n78.
    bandwidth : float
        Of every device [Hz]; ours.
    transmitted, antenna, noise_figure, margin : float
        Power [dBm], antenna gains [dB], receiver noise [dB] and what fading takes [dB]; ours, usual for a handset.
    most_efficient : float
        Cap of the spectral efficiency [bit/s/Hz], 64-QAM.
    height : float
        Between the antennas of edge and device [m]; 10 m less 1.5 m in 3GPP TR 38.901.
    shadowing, decorrelation : float
        Standard deviation [dB] and distance over which shadowing is forgotten [m]; UMi, TR 38.901, with line of sight.
        The 7.82 dB without it are left out, and so is the break point of the path loss.
    sending_power : float
        Drawn while sending [W]; LTE base power of Huang et al., MobiSys 2012.
    image : float
        What is sent if the edge computes everything [bit]; ours: 224 × 224 colour pixels, lightly compressed to 90 kB.
    number : float
        What is sent for each number of a cut further on [bit]; ours, 8-bit activations.

    side : float
        Of the square city [m]; 2.5 km² in the paper.
    hotspots : int
        Places where devices like to be; ours, as all that follows.
    narrowest, widest : float
        Standard deviations of hotspots lie between them [m].
    anywhere : float
        Share of destinations that are uniform over the city.
    map_seed : int
        Draws hotspots and edges; not the hour. Learned policies know the edges by number, so they need the same map.
    speed, speed_spread, slowest, fastest : float
        Speeds are lognormal: median [m/s], standard deviation of the logarithm, limits [m/s].
    pause : float
        Mean time at a destination [s], exponential.
    surge : bool
        Whether crowds gather: of the trips that start in a `surge_period`, a `surge_share` leads to one new place.
    surge_period, surge_share, surge_spread : float
        [s], share of the trips, and standard deviation of the crowd around the place [m].
    perception : float
        Edges this near tell a device who was connected, the paper's r_p [m].
    neighbourhood : float
        Devices this near are neighbours for mean-field learning [m].

    Raises
    ------
    ProblemError
        If a constant is not finite, a size or number is not positive, a share is above 1, or bounds are in the wrong
        order.
    """

    devices: int = 240
    edges: int = 11
    multiprocessors: int = 24
    slots: int = 240
    slot: float = 15.0
    frames: float = 24.0
    deadline: float = 1 / 24
    weights: Weights = NORMALISED

    one_multiprocessor: float = 0.018
    full_clock: float = 0.02568
    lowest_clock: float = 0.65
    idle_power: float = 0.934
    clock_power: float = 1.848
    empty: float = 1 * HOUR
    full: float = 11 * HOUR
    least_battery: float = 3 * HOUR
    most_battery: float = 12 * HOUR

    carrier: float = 3.5e9
    bandwidth: float = 10e6
    transmitted: float = 23.0
    antenna: float = 8.0
    noise_figure: float = 5.0
    margin: float = 3.0
    most_efficient: float = 5.55
    height: float = 8.5
    shadowing: float = 4.0
    decorrelation: float = 13.0
    sending_power: float = 1.288
    image: float = 720e3
    number: float = 8.0

    side: float = 1581.0
    hotspots: int = 7
    narrowest: float = 90.0
    widest: float = 220.0
    anywhere: float = 0.25
    map_seed: int = 0
    speed: float = 6.0
    speed_spread: float = 0.4
    slowest: float = 2.0
    fastest: float = 14.0
    pause: float = 120.0
    surge: bool = True
    surge_period: float = 900.0
    surge_share: float = 0.5
    surge_spread: float = 120.0
    perception: float = 500.0
    neighbourhood: float = 200.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in ("surge", "weights"):
                continue
            lowest, above = (float("-inf"), False) if field.name in DECIBELS else (0.0, field.name not in MAY_BE_0)
            highest = 1.0 if field.name in SHARES else float("inf")
            whole = isinstance(field.default, int)
            fits = isfinite(value) and lowest <= value <= highest and not (above and value == 0)
            if not fits or (whole and value != int(value)):
                bounds = "finite" if field.name in DECIBELS else f"{'>' if above else '>='} 0"
                bounds += " and <= 1" if field.name in SHARES else ""
                raise ProblemError(
                    f"`{field.name}` must be {'whole and ' if whole else ''}{bounds}, got {value!r}; "
                    f"the default is {field.default!r}",
                    field=field.name,
                )
        for least, most in ORDERED:
            low, high = getattr(self, least), getattr(self, most)
            if low > high or (least == "empty" and low == high):
                raise ProblemError(f"`{least}` must be below `{most}`, got {low!r} and {high!r}", field=least)
        if not all(isfinite(weight) and weight >= 0 for weight in self.weights):
            raise ProblemError(f"`weights` must be finite and >= 0, got {self.weights}", field="weights")


DECIBELS = {"transmitted", "antenna", "noise_figure", "margin"}
SHARES = {"lowest_clock", "anywhere", "surge_share"}
MAY_BE_0 = {
    *("surge_share", "surge_spread", "anywhere", "map_seed", "pause", "speed_spread", "perception", "neighbourhood"),
    *("idle_power", "clock_power", "sending_power", "empty", "height", "shadowing"),
}
ORDERED = (("empty", "full"), ("least_battery", "most_battery"), ("narrowest", "widest"), ("slowest", "fastest"))
