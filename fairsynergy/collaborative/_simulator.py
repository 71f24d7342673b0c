"""The hour, slot by slot: devices choose an edge and a cut, edges share their multiprocessors, everybody pays.

In every slot a policy sees an `Observation` and gives one action per device: 0 computes on the device, 1 + n K + k
sends what cut k gives to edge n. An edge divides its L multiprocessors among the devices connected in that slot: in
equal parts, fractions allowed, or by the exact max-min oracle. Where more devices than multiprocessors are connected,
they take turns. Costs are those of `model`; batteries drain by what the images of a slot took, and clocks follow.

What is random is in the `City`, so two policies, or one policy twice, meet the same hour.

>>> from fairsynergy.collaborative import Neurosurgeon, draw_city
>>> hour = rollout(draw_city(0), Neurosurgeon())
>>> hour.latency.shape, bool(hour.summary().latency.worst > hour.summary().latency.mean)
((240, 240), True)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple, Protocol, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairsynergy.collaborative._city import City, neighbours
from fairsynergy.collaborative._model import Tasks, clock, power
from fairsynergy.collaborative._oracle import shares
from fairsynergy.collaborative._setting import HOUR, Setting, Weights
from fairsynergy.errors import ProblemError
from fairsynergy.problem import Array

Integers = NDArray[np.intp]
Allocator = Literal["equal", "exact"]

LOCAL = -1  # the edge of a device that has none


@dataclass(frozen=True, eq=False)
class Observation:
    """All there is to see at the start of a slot; devices see `local` and what edges tell them, not the rest.

    Parameters
    ----------
    tasks : Tasks
        The network's cuts; K of them involve an edge.
    rate : (m, n) array
        What each device could send to each edge now [bit/s].
    perceived : (m, n) array
        Which edges each device hears.
    position : (m, 2) array
        [m]
    battery, clock : (m,) array
        Charge [J] and ratio to the full clock now.
    edge, cut : (m,) array
        What each did in the last slot; edge -1 and cut K for the device itself.
    share : (m,) array
        What the edge gave it [multiprocessors]; 1 without an edge.
    latency : (m,) array
        What it took [s].
    load : (n,) array
        How many devices each edge had.
    """

    tasks: Tasks
    rate: Array
    perceived: NDArray[np.bool_]
    position: NDArray[np.float32]
    battery: Array
    clock: Array
    edge: Integers
    cut: Integers
    share: Array
    latency: Array
    load: Integers

    @property
    def setting(self) -> Setting:
        """The constants."""
        return self.tasks.setting

    @property
    def devices(self) -> int:
        """Number of devices, M."""
        return len(self.edge)

    @property
    def edges(self) -> int:
        """Number of edges, N."""
        return len(self.load)

    @property
    def actions(self) -> int:
        """Number of actions, N K + 1."""
        return self.edges * self.tasks.cuts + 1

    @property
    def last(self) -> Integers:
        """(m,) the actions of the last slot."""
        return np.where(self.edge == LOCAL, 0, 1 + self.edge * self.tasks.cuts + self.cut)

    @cached_property
    def local(self) -> NDArray[np.float32]:
        """(m, 2n + 6) what a device knows by itself, about 0 to 1 each.

        In this order: log(1 + Mbit/s) / 4 to every edge; the last edge, one-hot, the device itself first; clock ratio;
        battery / 12 Wh; log(last share) / 3; last latency / deadline; last cut / K.
        """
        n = self.edges
        seen = np.zeros((self.devices, 2 * n + 6), dtype=np.float32)
        seen[:, :n] = np.log1p(self.rate / 1e6) / 4
        seen[np.arange(self.devices), n + 1 + self.edge] = 1
        seen[:, -5] = self.clock
        seen[:, -4] = self.battery / (12 * HOUR)
        seen[:, -3] = np.log(self.share) / 3
        seen[:, -2] = self.latency / self.setting.deadline
        seen[:, -1] = self.cut / self.tasks.cuts
        return seen

    @cached_property
    def competitors(self) -> NDArray[np.float32]:
        """(m, n k) how many devices every edge that a device hears had at each cut, / L: COA (Eq. 5).

        Counts, not shares of the edge's devices: those would hide the load, which is what a competitor is about.
        """
        cuts = self.tasks.cuts
        connected = self.last[self.edge != LOCAL] - 1
        counts = np.bincount(connected, minlength=self.edges * cuts) / self.setting.multiprocessors
        heard = np.repeat(self.perceived, cuts, axis=1)
        return (heard * counts).astype(np.float32)

    @cached_property
    def neighbours(self) -> NDArray[np.float32]:
        """(m, n k + 1) mean of the last actions, one-hot, of the devices near each; 0 where nobody is: mean field."""
        near = neighbours(self.position, self.setting.neighbourhood).astype(np.float32)
        chosen = np.zeros((self.devices, self.actions), dtype=np.float32)
        chosen[np.arange(self.devices), self.last] = 1
        mean: NDArray[np.float32] = near @ chosen / np.maximum(near.sum(axis=1, keepdims=True), 1)
        return mean

    @cached_property
    def own_time(self) -> Array:
        """(m, k + 1) seconds that the device computes itself, for each cut."""
        return self.tasks.own_time / self.clock[:, None]

    @cached_property
    def _before_edge(self) -> Array:
        """(m, n, k) seconds until the edge has what it needs."""
        sending = self.tasks.sent[:-1] / self.rate[..., None]
        return np.asarray(self.own_time[:, None, :-1] + sending)

    @cached_property
    def valid(self) -> NDArray[np.bool_]:
        """(m, n k + 1) actions within the deadline if the device had the edge for itself; local always is."""
        whole = self.tasks.edge_time[:-1] / self.setting.multiprocessors
        fits = self._before_edge <= self.setting.deadline - whole
        return np.concatenate((np.ones((self.devices, 1), dtype=bool), fits.reshape(self.devices, -1)), axis=1)

    @cached_property
    def local_cost(self) -> Array:
        """(m,) cost of computing everything on the device."""
        weights = self.setting.weights
        return self.own_time[:, -1] * (weights.energy * power(self.clock, self.setting) + weights.latency)

    @cached_property
    def fixed_cost(self) -> Array:
        """(m, n, k) cost of each edge and cut but for what depends on the share: R_c of P-EDGE."""
        weights = self.setting.weights
        computing = weights.energy * (power(self.clock, self.setting) - self.setting.sending_power)
        found = (weights.latency + weights.energy * self.setting.sending_power) * self._before_edge
        found += (computing[:, None] * self.own_time[:, :-1])[:, None]
        if weights.switch:
            found += weights.switch * (np.arange(self.edges) != self.edge[:, None])[..., None]
        return found

    @cached_property
    def falling_cost(self) -> Array:
        """(k + 1,) cost that an edge adds on one multiprocessor, for each cut: R_f of P-EDGE."""
        return self.setting.weights.latency * self.tasks.edge_time

    def costs(self, share: ArrayLike) -> Array:
        """(m, n k + 1) what each action would cost; infinity where it is not valid.

        Parameters
        ----------
        share : float, (n,) or (m, n) array_like
            What each edge would give [multiprocessors].
        """
        given = np.broadcast_to(np.asarray(share, dtype=np.float64), (self.devices, self.edges))[..., None]
        offloaded = self.fixed_cost + self.falling_cost[:-1] / given
        costs = np.concatenate((self.local_cost[:, None], offloaded.reshape(self.devices, -1)), axis=1)
        costs[~self.valid] = np.inf
        return costs


class Policy(Protocol):
    """Chooses for every device."""

    def act(self, observation: Observation) -> Integers:
        """(m,) actions: 0 for the device itself, 1 + n K + k for edge n at cut k."""


class Slot(NamedTuple):
    """What a slot did to every device, (m,) each, and to every edge."""

    edge: Integers  #: -1 for the device itself
    cut: Integers  #: K for the device itself
    share: Array  #: multiprocessors; 1 without an edge
    latency: Array  #: s
    energy: Array  #: J per image
    switched: NDArray[np.bool_]  #: connected to another edge than in the slot before
    fixed: Array  #: cost that does not depend on the share
    falling: Array  #: cost on one multiprocessor; the whole cost is fixed + falling / share
    load: Integers  #: (n,) devices connected

    @property
    def cost(self) -> Array:
        """(m,) cost by the weights of the setting, lower is better."""
        return self.fixed + self.falling / self.share


class Simulator:
    """A city in the course of its hour.

    Parameters
    ----------
    city : City
        Not changed; start another simulator to run the hour again.
    allocator : {"equal", "exact"}
        How edges divide themselves: equally, or so that the worst-off device pays as little as can be, in whole
        multiprocessors.

    Raises
    ------
    ProblemError
        If there is no such allocator.

    Examples
    --------
    >>> from fairsynergy.collaborative import draw_city
    >>> simulator = Simulator(draw_city(0))
    >>> slot = simulator.step(np.zeros(240, dtype=int))
    >>> simulator.slot, int(slot.load.sum())
    (1, 0)
    """

    def __init__(self, city: City, *, allocator: Allocator = "equal") -> None:
        if allocator not in get_args(Allocator):
            raise ProblemError(f"`allocator` must be 'equal' or 'exact', got {allocator!r}", field="allocator")
        self.city, self.setting, self.allocator = city, city.setting, allocator
        self.tasks = Tasks(city.setting)
        self.slot = 0
        devices, cuts = city.devices, self.tasks.cuts
        self._battery = city.battery
        self._edge = np.full(devices, LOCAL)
        self._cut = np.full(devices, cuts)
        self._share = np.ones(devices)
        self._latency = self.tasks.own_time[-1] / clock(city.battery, city.setting)
        self._load = np.zeros(city.edges, dtype=np.intp)
        self._seen: Observation | None = None

    @property
    def over(self) -> bool:
        """Whether the hour has ended."""
        return self.slot == self.city.slots

    def observe(self) -> Observation:
        """What is to be seen before the next decision; after the last slot, its places and radio once more."""
        if self._seen is None:
            now = min(self.slot, self.city.slots - 1)
            self._seen = Observation(
                tasks=self.tasks,
                rate=self.city.rate[now].astype(np.float64),
                perceived=self.city.perceived[now],
                position=self.city.position[now],
                battery=self._battery,
                clock=clock(self._battery, self.setting),
                edge=self._edge,
                cut=self._cut,
                share=self._share,
                latency=self._latency,
                load=self._load,
            )
        return self._seen

    def step(self, actions: ArrayLike) -> Slot:
        """Carry out one slot.

        Parameters
        ----------
        actions : (m,) array of int
            0 for the device itself, 1 + n K + k for edge n at cut k. Invalid ones are carried out as well, and late.

        Raises
        ------
        ProblemError
            If there is no such action, the number of actions is not that of devices, or the hour is over.
        """
        if self.over:
            raise ProblemError(f"the hour of {self.slot} slots is over; start another Simulator")
        seen, chosen = self.observe(), np.asarray(actions)
        if chosen.shape != (seen.devices,) or chosen.dtype.kind not in "iu":
            raise ProblemError(
                f"`actions` must be {seen.devices} whole numbers, one per device, got shape {chosen.shape} of "
                f"{chosen.dtype}",
                field="actions",
            )
        if chosen.min() < 0 or chosen.max() >= seen.actions:
            device = int(np.argmax((chosen < 0) | (chosen >= seen.actions)))
            raise ProblemError(
                f"`actions[{device}]` must be from 0 to {seen.actions - 1}, got {chosen[device]}",
                field="actions",
                index=(device,),
            )
        done = self._carried_out(seen, chosen.astype(np.intp))
        self._edge, self._cut, self._share = done.edge, done.cut, done.share
        self._latency, self._load = done.latency, done.load
        images = self.setting.frames * self.setting.slot
        self._battery = np.maximum(self._battery - done.energy * images, 0.0)
        self._seen = None
        self.slot += 1
        return done

    def _carried_out(self, seen: Observation, actions: Integers) -> Slot:
        setting, tasks, everybody = self.setting, self.tasks, np.arange(seen.devices)
        connected = actions > 0
        edge, cut = np.divmod(actions - 1, tasks.cuts)  # local gives -1, as it should
        cut = np.where(connected, cut, tasks.cuts)
        load = np.bincount(edge[connected], minlength=seen.edges)

        computing = seen.own_time[everybody, cut]
        sending = np.where(connected, tasks.sent[cut] / seen.rate[everybody, edge], 0.0)
        energy = power(seen.clock, setting) * computing + setting.sending_power * sending
        switched = connected & (edge != seen.edge)
        weights = setting.weights
        fixed = weights.energy * energy + weights.latency * (computing + sending) + weights.switch * switched
        falling = seen.falling_cost[cut]

        share = np.ones(seen.devices)
        if self.allocator == "equal":
            share[connected] = setting.multiprocessors / load[edge[connected]]
        else:
            share[connected] = shares(
                edge=edge[connected],
                fixed=fixed[connected],
                falling=falling[connected],
                multiprocessors=setting.multiprocessors,
                edges=seen.edges,
            ).share
        latency = computing + sending + tasks.edge_time[cut] / share
        return Slot(edge, cut, share, latency, energy, switched, fixed, falling, load)


class Spread(NamedTuple):
    """Hour-means of the devices: their mean, and that of the worst-off device."""

    mean: float
    worst: float


class Summary(NamedTuple):
    """An hour in numbers."""

    latency: Spread  #: s
    energy: Spread  #: J per image
    cost: Spread  #: lower is better
    switches: float  #: per device and hour
    late: float  #: share of device-slots beyond the deadline
    local: float  #: share of device-slots without an edge
    slot_latency: float  #: s, of the worst-off device of every slot, mean over slots
    unevenness: float  #: standard deviation / mean of the edges' loads, mean over slots; 0 where nobody is connected
    time_sliced: float  #: share of edge-slots with more devices than multiprocessors


@dataclass(frozen=True, eq=False)
class Hour:
    """What an hour under a policy did, (t, m) unless said otherwise.

    Parameters
    ----------
    city : City
        Where.
    edge, cut : (t, m) array
        What devices chose; edge -1 and cut K for the device itself.
    share : (t, m) array
        [multiprocessors], 1 without an edge.
    latency, energy : (t, m) array
        [s] and [J per image].
    switched : (t, m) array
        Connected to another edge than in the slot before.
    load : (t, n) array
        Devices connected to each edge.
    """

    city: City
    edge: Integers
    cut: Integers
    share: Array
    latency: Array
    energy: Array
    switched: NDArray[np.bool_]
    load: Integers

    @property
    def hours(self) -> float:
        """Length: 1 unless the setting has other slots."""
        return len(self.latency) * self.city.setting.slot / HOUR

    @cached_property
    def device_latency(self) -> Array:
        """(m,) mean over the hour [s]."""
        return np.asarray(self.latency.mean(axis=0))

    @cached_property
    def device_energy(self) -> Array:
        """(m,) mean over the hour [J per image]."""
        return np.asarray(self.energy.mean(axis=0))

    @cached_property
    def device_switches(self) -> Array:
        """(m,) changes to another edge per hour."""
        return np.asarray(self.switched.sum(axis=0) / self.hours)

    def device_cost(self, weights: Weights | None = None) -> Array:
        """(m,) mean over the hour, lower is better.

        Parameters
        ----------
        weights : Weights, optional
            What things cost; default those of the setting, by which policies decided.
        """
        weights = weights or self.city.setting.weights
        switches = np.mean(self.switched, axis=0)
        paid = weights.energy * self.device_energy + weights.latency * self.device_latency
        return np.asarray(paid + weights.switch * switches)

    @cached_property
    def slot_switches(self) -> Integers:
        """(t,) devices that changed to another edge in each slot."""
        return np.asarray(self.switched.sum(axis=1))

    def summary(self, weights: Weights | None = None) -> Summary:
        """The numbers of the tables: "worst" is over devices, of their means over the hour.

        Parameters
        ----------
        weights : Weights, optional
            What things cost; default those of the setting.
        """

        def spread(devices: Array) -> Spread:
            return Spread(float(devices.mean()), float(devices.max()))

        crowd = self.load.mean(axis=1)
        return Summary(
            latency=spread(self.device_latency),
            energy=spread(self.device_energy),
            cost=spread(self.device_cost(weights)),
            switches=float(self.device_switches.mean()),
            late=float((self.latency > self.city.setting.deadline).mean()),
            local=float((self.edge == LOCAL).mean()),
            slot_latency=float(self.latency.max(axis=1).mean()),
            unevenness=float((self.load.std(axis=1) / np.where(crowd > 0, crowd, 1)).mean()),
            time_sliced=float((self.load > self.city.setting.multiprocessors).mean()),
        )


def rollout(city: City, policy: Policy, *, allocator: Allocator = "equal") -> Hour:
    """The whole hour under a policy.

    Parameters
    ----------
    city : City
        Left as it is, so that the next policy meets the same hour.
    policy : Policy
        Has a method ``act(observation) -> actions``.
    allocator : {"equal", "exact"}
        How edges divide themselves.
    """
    simulator = Simulator(city, allocator=allocator)
    slots = [simulator.step(policy.act(simulator.observe())) for _ in range(city.slots)]
    names = ("edge", "cut", "share", "latency", "energy", "switched", "load")
    return Hour(city, *(np.stack([getattr(slot, name) for slot in slots]) for name in names))
