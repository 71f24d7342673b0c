"""An hour in a city: where every device is, how fast it could send to every edge, and its battery at the start.

Nothing in it depends on what devices decide, so every policy meets the very same hour: what is random is drawn
beforehand, each purpose from a stream of its own, by one seed. Destinations come from a mixture of hotspots and
anywhere; a device drives to one along the streets, first east-west or first north-south, stays a while and goes on. In
a surge, half of the trips that start in a quarter of an hour lead to one new place. Edges are the means that k-means
finds in the density of destinations, so that they stand closer where more devices are (FOCI, appendix B.3). Shadowing
is forgotten with the distance driven: a first-order autoregression in decibels.

>>> city = draw_city(7)
>>> city.position.shape, city.rate.shape
((240, 240, 2), (240, 240, 11))
>>> bool((city.rate == draw_city(7).rate).all())
True
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.cluster.vq import ClusterError, kmeans2
from scipy.spatial.distance import cdist

from fairsynergy.collaborative._model import rate
from fairsynergy.collaborative._setting import Setting
from fairsynergy.errors import ProblemError
from fairsynergy.problem import Array

Single = NDArray[np.float32]

# What k-means sees of the density, and how often it improves; it settles long before.
SAMPLE, ROUNDS = 4000, 100


class Stream(IntEnum):
    """What is drawn, each from a stream of its own: drawing more of one changes nothing of the others."""

    MAP = 0
    DRIVES = 1
    SURGES = 2
    SHADOWING = 3
    BATTERIES = 4
    PATHS = 5


def stream(seed: int, purpose: Stream) -> np.random.Generator:
    """Random numbers for one purpose.

    Raises
    ------
    ProblemError
        If the seed is not a whole number >= 0.
    """
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise ProblemError(f"`seed` must be a whole number >= 0, got {seed!r}", field="seed")
    return np.random.default_rng([int(seed), purpose])


@dataclass(frozen=True, eq=False)
class Map:
    """Where devices like to be, and where edges are.

    Parameters
    ----------
    hotspot : (h, 2) array
        Centres [m].
    spread : (h,) array
        Standard deviations [m].
    edge : (n, 2) array
        Places of the edges [m].
    """

    hotspot: Array
    spread: Array
    edge: Array


@lru_cache(maxsize=8)
def draw_map(setting: Setting) -> Map:
    """Hotspots and edges by `Setting.map_seed`; the hour does not matter."""
    generator = stream(setting.map_seed, Stream.MAP)
    hotspot = generator.uniform(0.1 * setting.side, 0.9 * setting.side, (setting.hotspots, 2))
    spread = generator.uniform(setting.narrowest, setting.widest, setting.hotspots)
    density = _destinations(generator, (SAMPLE,), hotspot, spread, setting)
    place = Map(hotspot, spread, _means(density, setting.edges, generator))
    for value in (place.hotspot, place.spread, place.edge):
        value.flags.writeable = False  # the map is shared
    return place


def _means(points: Array, edges: int, generator: np.random.Generator) -> Array:
    """(edges, 2) k-means of points, from west to east, in whole metres so that rounding elsewhere changes none."""
    distinct = np.unique(points, axis=0)
    try:
        start = distinct[generator.choice(len(distinct), edges, replace=False)]
        means = kmeans2(points, start, iter=ROUNDS, minit="matrix", missing="raise")[0].round()
    except (ValueError, ClusterError):
        raise ProblemError(
            f"`edges` is {edges}, too many for {len(distinct)} different places; choose fewer edges", field="edges"
        ) from None
    return np.asarray(means[np.lexsort(means.T[::-1])], dtype=np.float64)


def _destinations(
    generator: np.random.Generator, shape: tuple[int, ...], hotspot: Array, spread: Array, setting: Setting
) -> Array:
    """(*shape, 2) places drawn from the density."""
    which = generator.integers(len(hotspot), size=shape)
    near = hotspot[which] + spread[which][..., None] * generator.standard_normal((*shape, 2))
    uniform = generator.uniform(0, setting.side, (*shape, 2))
    anywhere = generator.random(shape) < setting.anywhere
    return np.clip(np.where(anywhere[..., None], uniform, near), 0, setting.side)


@dataclass(frozen=True, eq=False)
class City:
    """What an hour holds, whatever devices do; make one with `draw_city` or `city_along`.

    Parameters
    ----------
    setting : Setting
        The constants.
    edge : (n, 2) array
        Places of the edges [m].
    position : (t, m, 2) array
        Place of every device at the start of every slot [m].
    rate : (t, m, n) array
        What each could send to each edge in that slot [bit/s].
    battery : (m,) array
        Charge at the start of the hour [J].
    """

    setting: Setting
    edge: Array
    position: Single
    rate: Single
    battery: Array

    @property
    def slots(self) -> int:
        """Number of slots, T."""
        return len(self.position)

    @property
    def devices(self) -> int:
        """Number of devices, M."""
        return len(self.battery)

    @property
    def edges(self) -> int:
        """Number of edges, N."""
        return len(self.edge)

    @cached_property
    def perceived(self) -> NDArray[np.bool_]:
        """(t, m, n) whether a device is within the perception radius of an edge."""
        return _distances(self.position, self.edge) <= self.setting.perception


def draw_city(seed: int, setting: Setting | None = None) -> City:
    """An hour drawn by a seed, on the map of the setting.

    Parameters
    ----------
    seed : int
        At least 0; the same seed gives the same hour.
    setting : Setting, optional
        The constants; default as in the paper where it says.
    """
    setting = setting or Setting()
    place = draw_map(setting)
    return city_along(_drives(seed, place, setting), seed=seed, setting=setting, edge=place.edge)


def city_along(position: ArrayLike, *, seed: int, setting: Setting | None = None, edge: Array | None = None) -> City:
    """An hour of devices that move along given paths; batteries and shadowing are drawn.

    Parameters
    ----------
    position : (t, m, 2) array
        Place of every device at the start of every slot [m].
    seed : int
        At least 0; of what is drawn.
    setting : Setting, optional
        The constants, but for the number of slots, devices and edges, which follow from the arrays.
    edge : (n, 2) array, optional
        Places of the edges [m]; default k-means of the positions.

    Raises
    ------
    ProblemError
        If positions are not finite or not of such a shape.
    """
    setting = setting or Setting()
    track: Single = np.asarray(position, dtype=np.float32)
    if track.ndim != 3 or track.shape[2] != 2 or not track.size or not np.isfinite(track).all():
        raise ProblemError(
            f"`position` must be finite metres of shape (slots, devices, 2), got shape {track.shape}", field="position"
        )
    if edge is None:
        points = track.reshape(-1, 2).astype(np.float64)
        edge = _means(points[:: max(1, len(points) // SAMPLE)], setting.edges, stream(seed, Stream.MAP))
    charges = stream(seed, Stream.BATTERIES)
    battery = charges.uniform(setting.least_battery, setting.most_battery, size=(track.shape[1],))
    shadow = _shadows(seed, track, len(edge), setting)
    return City(setting, edge, track, rate(_distances(track, edge), shadow, setting), battery)


def _distances(position: Single, edge: Array) -> Single:
    """(t, m, n) metres along the ground."""
    east, north = (position[..., axis, None] - edge[:, axis].astype(np.float32) for axis in (0, 1))
    return np.asarray(np.sqrt(east**2 + north**2))


def _drives(seed: int, place: Map, setting: Setting) -> Single:
    """(t, m, 2) places of devices that drive about the streets."""
    shape = (setting.slots, setting.devices)
    drives, everybody = stream(seed, Stream.DRIVES), np.arange(setting.devices)
    destinations = _destinations(drives, shape, place.hotspot, place.spread, setting)
    speeds = np.exp(np.log(setting.speed) + setting.speed_spread * drives.standard_normal(shape))
    reaches = np.clip(speeds, setting.slowest, setting.fastest) * setting.slot
    pauses = drives.exponential(setting.pause, shape) if setting.pause else np.zeros(shape)
    axes = drives.integers(2, size=shape)
    position = _destinations(drives, shape[1:], place.hotspot, place.spread, setting)
    if setting.surge:
        _surge(destinations, seed, setting)

    track = np.empty((*shape, 2), dtype=np.float32)
    target, wait = position.copy(), pauses[-1].copy()
    reach, axis = reaches[-1].copy(), axes[-1].copy()
    for slot in range(setting.slots):
        track[slot] = position
        leaving = wait <= 0
        target[leaving] = destinations[slot, leaving]
        reach[leaving], axis[leaving] = reaches[slot, leaving], axes[slot, leaving]
        wait[leaving] = np.inf  # until it arrives
        left = reach
        for leg in (axis, 1 - axis):
            gap = target[everybody, leg] - position[everybody, leg]
            step = np.clip(gap, -left, left)
            position[everybody, leg] += step
            left = left - np.abs(step)
        driving = np.isinf(wait)
        arrived = driving & (np.abs(target - position).max(axis=1) < 1e-6)
        wait[arrived] = pauses[slot, arrived]
        wait[~driving] -= setting.slot
    return track


def _surge(destinations: Array, seed: int, setting: Setting) -> None:
    """Lead trips (t, m, 2) that start in a period to its new place, as many as surge."""
    generator = stream(seed, Stream.SURGES)
    slots, devices, _ = destinations.shape
    period = np.arange(slots) // max(1, round(setting.surge_period / setting.slot))
    places = generator.uniform(0, setting.side, (slots, 2))[period]  # as if all slots were periods: always the same
    crowd = places[:, None] + setting.surge_spread * generator.standard_normal(destinations.shape)
    joins = generator.random((slots, devices)) < setting.surge_share
    destinations[joins] = np.clip(crowd, 0, setting.side)[joins]


def _shadows(seed: int, position: Single, edges: int, setting: Setting) -> Single:
    """(t, m, n) decibels on top of the median loss."""
    slots, devices, _ = position.shape
    noise = stream(seed, Stream.SHADOWING).standard_normal((slots, devices, edges), dtype=np.float32)
    noise *= np.float32(setting.shadowing)
    driven = np.sqrt(((position[1:] - position[:-1]) ** 2).sum(axis=2))
    kept = np.exp(-driven / np.float32(setting.decorrelation))[..., None]
    fresh = np.sqrt(1 - kept**2)
    for slot in range(1, slots):
        noise[slot] = kept[slot - 1] * noise[slot - 1] + fresh[slot - 1] * noise[slot]
    return noise


def neighbours(position: Single, radius: float) -> NDArray[np.bool_]:
    """(m, m) who is within a radius [m] of whom, nobody of themselves."""
    near: NDArray[np.bool_] = cdist(position, position, "sqeuclidean") <= radius**2
    np.fill_diagonal(near, False)
    return near
