"""The simulator as a PettingZoo ParallelEnv, for any library of multi-agent reinforcement learning (fairsynergy[marl]).

Every device is an agent, all act at once, an episode is an hour, and the reward is minus the cost. An observation is
what the device knows by itself (28 numbers for 11 edges), followed by what it is told: nothing, its competitors' counts
at the edges it hears (FOCI's COA) or the mean action of its neighbours. ``infos[agent]["action_mask"]`` marks what can
meet the deadline if the edge is free; a choice beyond it is refused by the edge, and the device computes itself.

>>> env = CollaborativeInference(Setting(devices=3), signal="competitors")
>>> observations, infos = env.reset(seed=0)
>>> observations["device_0"].shape, env.action_space("device_0").n, int(infos["device_0"]["action_mask"][0])
((116,), np.int64(89), 1)
"""

from __future__ import annotations

from typing import Any, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from fairsynergy.collaborative._city import draw_city
from fairsynergy.collaborative._learned import Signal, told
from fairsynergy.collaborative._setting import Setting
from fairsynergy.collaborative._simulator import Allocator, Simulator
from fairsynergy.errors import ProblemError, not_installed

Seen = NDArray[np.float32]
Observations: TypeAlias = dict[str, Seen]
Infos: TypeAlias = dict[str, dict[str, Any]]

try:
    from gymnasium.spaces import Box, Discrete
    from pettingzoo import ParallelEnv

    Base: Any = ParallelEnv[str, Seen, int]
except ModuleNotFoundError:  # whoever makes one learns it
    Base = object


class CollaborativeInference(Base):  # type: ignore[misc]  # PettingZoo ships no types
    """An hour of devices that share edges.

    Parameters
    ----------
    setting : Setting, optional
        The constants; default as in the paper where it says.
    signal : {"none", "competitors", "neighbours"}
        What a device is told beyond what it knows itself.
    allocator : {"equal", "exact"}
        How edges divide themselves.

    Raises
    ------
    FairSynergyError
        If PettingZoo is not installed.
    ProblemError
        If there is no such signal or allocator.
    """

    metadata: dict[str, Any] = {"name": "collaborative_inference_v0", "render_modes": []}  # noqa: RUF012, the API's

    def __init__(
        self, setting: Setting | None = None, *, signal: Signal = "none", allocator: Allocator = "equal"
    ) -> None:
        if Base is object:
            raise not_installed("the environment", "PettingZoo", "marl")
        if signal not in get_args(Signal):
            raise ProblemError(f"`signal` must be one of {', '.join(get_args(Signal))}, got {signal!r}", field="signal")
        self.setting, self.signal, self.allocator = setting or Setting(), signal, allocator
        self.render_mode = None
        self.possible_agents = [f"device_{device}" for device in range(self.setting.devices)]
        self.agents: list[str] = []
        self._seeds = np.random.default_rng()
        self._start(0)
        seen = self._simulator.observe()
        size = self._observed().shape[1]
        self.observation_spaces = {name: Box(-np.inf, np.inf, (size,), np.float32) for name in self.possible_agents}
        self.action_spaces = {name: Discrete(seen.actions) for name in self.possible_agents}
        self.state_space = Box(-np.inf, np.inf, (seen.local.size,), np.float32)

    def observation_space(self, agent: str) -> Box:
        """Of an agent; all are alike."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Discrete:
        """Of an agent: 0 for the device itself, 1 + n K + k for edge n at cut k."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Observations, Infos]:
        """Start an hour.

        Parameters
        ----------
        seed : int, optional
            The hour is that of ``draw_city(seed)``, and seeds those that follow; default the next of them.
        options : dict, optional
            Not used.
        """
        if seed is not None:
            self._seeds = np.random.default_rng(seed)
        self._start(int(self._seeds.integers(2**31)) if seed is None else seed)
        self.agents = list(self.possible_agents)
        return self._observations(), self._infos(np.zeros(self.setting.devices, dtype=bool))

    def step(
        self, actions: dict[str, int]
    ) -> tuple[Observations, dict[str, float], dict[str, bool], dict[str, bool], Infos]:
        """One slot; the last one truncates every agent.

        Raises
        ------
        ProblemError
            If an agent has no action, or there is no such action.
        """
        if not self.agents:
            return {}, {}, {}, {}, {}
        absent = [name for name in self.agents if name not in actions]
        if absent:
            raise ProblemError(f"`actions` has none for {absent[0]}; give one for each of `agents`", field="actions")
        chosen = np.array([actions[name] for name in self.agents])
        valid = self._simulator.observe().valid
        there = (chosen >= 0) & (chosen < valid.shape[1])  # what is not there, the simulator complains about
        refused = there & ~valid[np.arange(len(chosen)), np.where(there, chosen, 0)]
        costs = self._simulator.step(np.where(refused, 0, chosen)).cost
        over = self._simulator.over
        found = (
            self._observations(),
            dict(zip(self.agents, (-costs).tolist(), strict=True)),
            dict.fromkeys(self.agents, False),
            dict.fromkeys(self.agents, over),
            self._infos(refused),
        )
        if over:
            self.agents = []
        return found

    def state(self) -> Seen:
        """(m (2n + 6),) what all devices know, for centralised training."""
        return self._simulator.observe().local.ravel()

    def render(self) -> None:
        """Draws nothing."""

    def _start(self, seed: int) -> None:
        self._simulator = Simulator(draw_city(seed, self.setting), allocator=self.allocator)

    def _observed(self) -> Seen:
        return told(self._simulator.observe(), self.signal)

    def _observations(self) -> Observations:
        return dict(zip(self.possible_agents, self._observed(), strict=True))

    def _infos(self, refused: NDArray[np.bool_]) -> Infos:
        valid = self._simulator.observe().valid.astype(np.int8)
        return {
            name: {"action_mask": mask, "refused": bool(turned)}
            for name, mask, turned in zip(self.possible_agents, valid, refused, strict=True)
        }
