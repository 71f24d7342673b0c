"""Policies that learn nothing: all on the device, Neurosurgeon with and without an eye for the load, best response.

`AllLocal` is the paper's ALP, `Neurosurgeon` its NSG (Y. Kang et al., ASPLOS 2017): every device minimises its own
cost, as if each edge were its alone, or, as the original does, at the load of the last slot. The latter moves everybody
at once to what was empty, which then is not. `BestResponse` is not in the paper: devices choose one after the other and
each sees what those before it chose, which takes a centre. It shows how much learners could gain.

>>> from fairsynergy.collaborative import draw_city, rollout
>>> calm, herd = (rollout(draw_city(0), Neurosurgeon(load_aware=aware)).summary() for aware in (False, True))
>>> calm.switches < herd.switches
True
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fairsynergy.collaborative._simulator import LOCAL, Integers, Observation


@dataclass(frozen=True)
class AllLocal:
    """Everything on the device: the paper's ALP."""

    def act(self, observation: Observation) -> Integers:
        """(m,) zeros."""
        return np.zeros(observation.devices, dtype=np.intp)


@dataclass(frozen=True)
class Neurosurgeon:
    """Least own cost: the paper's NSG.

    Parameters
    ----------
    load_aware : bool
        Whether devices expect an equal share at the load of the last slot, rather than the whole edge.
    """

    load_aware: bool = False

    def act(self, observation: Observation) -> Integers:
        """(m,) actions of least cost."""
        crowd = np.maximum(observation.load, 1) if self.load_aware else 1
        costs = observation.costs(observation.setting.multiprocessors / crowd)
        return np.asarray(costs.argmin(axis=1))


@dataclass(frozen=True)
class BestResponse:
    """Each in turn at least own cost, given what all others do now: a centralised reference, not a protocol."""

    def act(self, observation: Observation) -> Integers:
        """(m,) actions after one round, starting from the edges of the last slot."""
        devices, edges, cuts = observation.devices, observation.edges, observation.tasks.cuts
        valid = observation.valid[:, 1:].reshape(devices, edges, cuts)
        fixed = np.where(valid, observation.fixed_cost, np.inf)
        # One device more on an edge makes the rest of the network take that much longer, by cut.
        each = observation.falling_cost[:-1] / observation.setting.multiprocessors
        local = observation.local_cost.tolist()
        last = observation.edge.tolist()
        load = observation.load.astype(np.float64)
        actions = np.zeros(devices, dtype=np.intp)
        costs = np.empty((edges, cuts))
        for device in range(devices):
            if last[device] != LOCAL:
                load[last[device]] -= 1
            np.multiply((load + 1)[:, None], each, out=costs)
            costs += fixed[device]
            best = int(costs.argmin())
            if costs.flat[best] < local[device]:
                actions[device] = 1 + best
                load[best // cuts] += 1
        return actions
