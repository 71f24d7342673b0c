"""How the fleets of an experiment are drawn: as the paper says, as the released code drew them, or as the sliders do.

Every protocol is a few numbers; the same numbers draw the same fleets, and the lots of the Random rule with them.

>>> batch = Pairs(setting=Setting.DL, experiments=3).draw(0)
>>> batch.fleets.endowment.shape, batch.experiment
((3, 2, 2), array([0, 1, 2]))
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fairsynergy.experiments.engine import TOGETHER, Batch, Protocol
from fairsynergy.fleets import Setting
from fairsynergy.kernel import Fleets
from fairsynergy.kernel._batch import ANY_ELASTICITY
from fairsynergy.problem import Array

# What an agent owns at most, by setting, in the released scaling experiments.
LARGEST_ENDOWMENT = {Setting.RTI: 0.1, Setting.DL: 0.01}
SIZES = tuple(range(1, 101))
# Fleets of a batch are padded to the largest, which is at most this many times the smallest.
ALIKE = 1.25


@dataclass(frozen=True, kw_only=True)
class Growing(Protocol):
    """Fleets that grow one agent at a time, and the cloud with them (Fair-Synergy, section IV, Fig. 5).

    With every agent, the cloud gains an amount of each resource drawn uniformly from 0 to 1; the agent owns one from 0
    to 0.1 (real-time inference) or 0.01 (distributed learning), and its elasticities are from 0 to 1.

    Parameters
    ----------
    setting : Setting
        One resource or two.
    seeds : int
        How many fleets grow, each an experiment; seeds are `first` and those that follow.
    sizes : tuple of int
        Numbers of agents at which each is solved, ascending.
    saturation : float
        Holding above which more adds nothing; infinity, as in the paper, for none.
    first : int
        The first seed.
    """

    setting: Setting
    seeds: int = 100
    sizes: tuple[int, ...] = SIZES
    saturation: float = np.inf
    first: int = 0

    @property
    def batches(self) -> int:
        return len(_blocks(self.sizes, self.seeds))

    def draw(self, batch: int) -> Batch:
        sizes, seeds = _blocks(self.sizes, self.seeds)[batch]
        m, n = len(self.setting.resources), sizes[-1]
        # Capacity, endowment, elasticity, lots: (4, seeds, m, n). Agents are drawn one after the other, so that a
        # larger fleet begins like a smaller one.
        drawn = np.stack([self._agents(self.first + seed, n).reshape(n, 4, m) for seed in seeds])
        added, own, gamma, chance = np.ascontiguousarray(np.moveaxis(drawn, (2, 0, 3, 1), (0, 1, 2, 3)))
        fleets = nested(
            capacity=added.cumsum(axis=2),
            endowment=LARGEST_ENDOWMENT[self.setting] * own,
            elasticity=gamma,
            chance=-np.log1p(-chance),
            sizes=np.array(sizes),
        )
        experiments = np.repeat(np.array(seeds, dtype=np.int64) + self.first, len(sizes))
        return Batch(experiments, replace(fleets, saturation=self.saturation))

    def _agents(self, seed: int, n: int) -> Array:
        return np.random.Generator(np.random.PCG64(seed)).random((n, 4 * len(self.setting.resources)))


@dataclass(frozen=True, kw_only=True)
class Released(Protocol):
    """The released scaling experiments, draw by draw: NumPy's legacy generator, seeded once, feeds everything.

    For one resource that is what ``simulations.py`` of the authors' code does. For two, the released results came
    from an earlier state of it: with the reseeding that the released code does inside its rules they cannot be
    obtained, without it they are.

    Parameters
    ----------
    setting : Setting
        One resource or two.
    experiments, agents : int
        How many fleets grow, and up to how many agents.
    sizes : tuple of int
        Numbers of agents at which each is solved, ascending.
    seed : int
        Of the generator.
    saturation : float
        As in `Growing`.
    reseeding : bool
        True seeds the generator again for every division, as the released code for two resources does; the fleets
        then repeat themselves.
    """

    setting: Setting
    experiments: int = 20
    agents: int = 100
    sizes: tuple[int, ...] = SIZES
    seed: int = 42
    saturation: float = np.inf
    reseeding: bool = False

    @property
    def batches(self) -> int:
        return len(_blocks(self.sizes, self.experiments))

    def draw(self, batch: int) -> Batch:
        sizes, experiments = _blocks(self.sizes, self.experiments)[batch]
        added, own, gamma, lots = _released(self.setting, self.experiments, self.agents, self.seed, self.reseeding)
        at = slice(experiments[0], experiments[-1] + 1)
        fleets = nested(
            capacity=added[at].cumsum(axis=2),
            endowment=own[at],
            elasticity=gamma[at],
            chance=lots[at, np.array(sizes) - 1],
            sizes=np.array(sizes),
        )
        ids = np.repeat(np.array(experiments, dtype=np.int64), len(sizes))
        return Batch(ids, replace(fleets, saturation=self.saturation))


@lru_cache(maxsize=4)
def _released(
    setting: Setting, experiments: int, agents: int, seed: int, reseeding: bool
) -> tuple[Array, Array, Array, Array]:
    """What the cloud gains, agents own, and elasticities, each (experiments, m, agents); lots (…, sizes, m, agents)."""
    legacy = np.random.RandomState(seed)
    m = len(setting.resources)
    # In the order of the released code: labels before compute where there are both.
    order = range(m)[::-1]
    added, own, gamma = (np.empty((experiments, m, agents)) for _ in range(3))
    lots = np.zeros((experiments, agents, m, agents))
    for experiment in range(experiments):
        for agent in range(agents):
            for value, scale in ((added, 1.0), (own, LARGEST_ENDOWMENT[setting]), (gamma, 1.0)):
                for k in order:
                    value[experiment, k, agent] = legacy.rand() * scale
            if reseeding:
                legacy.seed(seed)
            for k in range(m):
                lots[experiment, agent, k, : agent + 1] = legacy.dirichlet(np.ones(agent + 1))
    return added, own, gamma, lots


@dataclass(frozen=True, kw_only=True)
class Pairs(Protocol):
    """Two agents in random circumstances, as in Fig. 4: every amount and every elasticity is uniform from 0 to 0.5.

    These are the ranges of the released configurations of distributed learning. There the two agents have the same
    elasticities; here each has its own, as the paper says. Those of real-time inference were written by hand.

    Parameters
    ----------
    setting : Setting
        One resource or two.
    experiments : int
        How many pairs.
    seed : int
        Which.
    alike : bool
        Whether both agents have the elasticities of the first, as released.
    """

    setting: Setting
    experiments: int = 1000
    seed: int = 0
    alike: bool = False

    @property
    def batches(self) -> int:
        return 1

    def draw(self, batch: int) -> Batch:
        m = len(self.setting.resources)
        rng = np.random.Generator(np.random.PCG64(self.seed))
        capacity, own, gamma, chance = np.split(rng.random((self.experiments, 7 * m)), [m, 3 * m, 5 * m], axis=1)
        shape = (self.experiments, m, 2)
        lots, elasticity = -np.log1p(-chance.reshape(shape)), 0.5 * gamma.reshape(shape)
        if self.alike:
            elasticity = np.repeat(elasticity[:, :, :1], 2, axis=2)
        fleets = Fleets(
            endowment=0.5 * own.reshape(shape).mT,
            elasticity=elasticity.mT,
            capacity=0.5 * capacity,
            weight=np.ones((self.experiments, 2)),
            lots=(lots / lots.sum(axis=2, keepdims=True)).mT,
        )
        return Batch(np.arange(self.experiments), fleets)


def nested(*, capacity: Array, endowment: Array, elasticity: Array, chance: Array, sizes: NDArray[np.intp]) -> Fleets:
    """Fleets that begin alike and grow: of every experiment, the fleet of its first agents, at every size.

    Parameters
    ----------
    capacity : (experiments, m, agents) array
        Of the cloud when it has so many agents.
    endowment, elasticity : (experiments, m, agents) array
        Of each agent.
    chance : (experiments, m, agents) or (experiments, sizes, m, agents) array
        Lots are in proportion to these.
    sizes : (s,) array
        Numbers of agents, ascending.
    """
    n = int(sizes[-1])
    present = np.arange(n) < sizes[:, None]
    e, m = capacity.shape[:2]

    def spread(values: Array, elsewhere: float) -> Array:
        whole = values[..., :n] if values.ndim == 4 else values[:, None, :, :n]
        return np.where(present[:, None], whole, elsewhere).reshape(e * len(sizes), m, n)

    lots = spread(chance, 0.0)
    return Fleets(
        endowment=spread(endowment, 0.0).mT,
        elasticity=spread(elasticity, ANY_ELASTICITY).mT,
        capacity=capacity[:, :, sizes - 1].swapaxes(1, 2).reshape(-1, m),
        weight=np.tile(present.astype(np.float64), (e, 1)),
        lots=(lots / lots.sum(axis=2, keepdims=True)).mT,
    )


@lru_cache(maxsize=32)
def _blocks(sizes: tuple[int, ...], experiments: int) -> tuple[tuple[tuple[int, ...], range], ...]:
    """Similar sizes with as many experiments as make a batch; the same at every call, whoever works on them."""

    def alike() -> Iterator[tuple[int, ...]]:
        start = 0
        for stop in range(1, len(sizes) + 1):
            if stop == len(sizes) or sizes[stop] > max(ALIKE * sizes[start], sizes[start] + 4):
                yield sizes[start:stop]
                start = stop

    def blocks() -> Iterator[tuple[tuple[int, ...], range]]:
        for group in alike():
            step = max(1, TOGETHER // sum(group))
            for first in range(0, experiments, step):
                yield group, range(first, min(first + step, experiments))

    return tuple(blocks())
