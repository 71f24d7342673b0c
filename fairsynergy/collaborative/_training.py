"""How policies learn: double Q-learning by all devices together, with PyTorch (fairsynergy[training]).

Every device of every city uses the same network and adds to the same memory. In each slot a device takes the best valid
action, or with probability ε any valid one; then the network takes one step on a batch of remembered ones towards

    y = r + discount × Q'(o', argmax over valid a' of Q(o', a')),

with Q' an older copy (double Q-learning, van Hasselt et al. 2016; dueling, Wang et al. 2016; FOCI, Eq. 7). The reward
is minus what the recipe charges. With the oracle's share λ, and R_n the worst cost at edge n if it divided itself by
the max-min oracle (Eq. 4),

    charged = (1 - λ) own cost + λ R_n       at an edge,       own cost       on the device.

The end of an hour cuts an episode short and is no end of what matters, so the last slot looks ahead as well.

The same seed on the same machine gives the same weights; so does a training that was stopped and resumed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from fairsynergy.collaborative._city import draw_city
from fairsynergy.collaborative._learned import LAYERS, DuelingNetwork, Layer, Learned, Recipe, told
from fairsynergy.collaborative._oracle import shares
from fairsynergy.collaborative._setting import Setting
from fairsynergy.collaborative._simulator import LOCAL, Observation, Simulator, Slot
from fairsynergy.errors import ProblemError, not_installed
from fairsynergy.problem import Array

try:
    import torch
    from safetensors.torch import save_file
    from torch import nn
except ModuleNotFoundError:  # whoever trains learns it from check_installed
    INSTALLED = False
else:
    INSTALLED = True

# Cities to learn in have seeds from here on, so that no learner has seen a city that it is tried in.
FIRST_CITY = 10**6
# Rounds between two checkpoints.
KEPT = 5
REMEMBERED = ("seen", "then", "valid", "action", "charged")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How long and how fast to learn.

    Parameters
    ----------
    rounds : int
        Hours that each of the cities is lived through.
    cities : int
        At a time.
    width : int
        Of both hidden layers.
    rate : float
        Of Adam. The paper's 1e-4 needs more rounds.
    discount : float
        The paper's 0.7.
    batch, memory : int
        Decisions in a step, and slots that are remembered.
    copied : int
        Steps between two copies of the network.
    least, explored : float
        ε falls geometrically from 1 to the least, over this part of the rounds; the paper's 0.99 an hour takes 300.
    """

    rounds: int = 60
    cities: int = 2
    width: int = 128
    rate: float = 3e-4
    discount: float = 0.7
    batch: int = 256
    memory: int = 312
    copied: int = 200
    least: float = 0.02
    explored: float = 0.6

    def exploration(self, progress: float) -> float:
        """ε when a part of the rounds, 0 to 1, is done."""
        return float(max(self.least, self.least ** (progress / self.explored)))


class Progress(NamedTuple):
    """How far a training is."""

    done: int  #: rounds
    of: int
    exploration: float
    cost: float  #: mean own cost of the round, exploring
    seconds: float  #: since this run began


def check_installed() -> None:
    """Refuse to train without PyTorch.

    Raises
    ------
    FairSynergyError
        If it is not installed.
    """
    if not INSTALLED:
        raise not_installed("training", "PyTorch", "training")


def _dueling(inputs: int, actions: int, width: int) -> nn.ModuleDict:
    """The layers of a `DuelingNetwork`, for PyTorch."""
    return nn.ModuleDict({
        "first": nn.Linear(inputs, width), "second": nn.Linear(width, width),
        "value": nn.Linear(width, 1), "advantage": nn.Linear(width, actions),
    })  # fmt: skip


def _values(layers: nn.ModuleDict, x: torch.Tensor) -> torch.Tensor:
    """What each action is worth to a `DuelingNetwork` of these layers."""
    hidden = torch.relu(layers["second"](torch.relu(layers["first"](x))))
    advantage = layers["advantage"](hidden)
    return layers["value"](hidden) + advantage - advantage.mean(dim=1, keepdim=True)


class _Memory:
    """The last slots of all cities: what was seen, done and charged, and what was seen next.

    In PyTorch's arrays, whose half precision is converted many numbers at a time.
    """

    def __init__(self, slots: int, devices: int, inputs: int, actions: int) -> None:
        self.filled = self.next = 0
        self.slots, self.devices = slots, devices
        self.seen = torch.zeros((slots, devices, inputs), dtype=torch.float16)
        self.then = torch.zeros((slots, devices, inputs), dtype=torch.float16)
        self.valid = torch.zeros((slots, devices, actions), dtype=torch.bool)  # then
        self.action = torch.zeros((slots, devices), dtype=torch.int64)
        self.charged = torch.zeros((slots, devices), dtype=torch.float32)

    def add(self, **slot: NDArray[Any]) -> None:
        for name, value in slot.items():
            getattr(self, name)[self.next] = torch.from_numpy(value)
        self.next = (self.next + 1) % self.slots
        self.filled = min(self.filled + 1, self.slots)

    def batch(self, size: int, generator: np.random.Generator) -> dict[str, torch.Tensor]:
        drawn = torch.from_numpy(generator.integers(self.filled * self.devices, size=size))
        found = {name: getattr(self, name).flatten(0, 1).index_select(0, drawn) for name in REMEMBERED}
        return found | {"seen": found["seen"].float(), "then": found["then"].float()}


def charged(slots: Sequence[Slot], seen: Sequence[Observation], recipe: Recipe) -> Array:
    """(cities × m,) what devices are charged for a slot, city after city.

    Parameters
    ----------
    slots : sequence of Slot
        One per city, all of the same numbers of devices and edges.
    seen : sequence of Observation
        What was seen before it.
    recipe : Recipe
        Its share of the oracle.
    """
    own = np.concatenate([slot.cost for slot in slots])
    if recipe.oracle == 0:
        return own
    edges, setting = seen[0].edges, seen[0].setting
    edge = np.concatenate([np.where(s.edge == LOCAL, LOCAL, s.edge + i * edges) for i, s in enumerate(slots)])
    connected = edge != LOCAL
    worst = shares(
        edge=edge[connected],
        fixed=np.concatenate([slot.fixed for slot in slots])[connected],
        falling=np.concatenate([slot.falling for slot in slots])[connected],
        multiprocessors=setting.multiprocessors,
        edges=edges * len(slots),
    ).worst
    fair = own.copy()
    fair[connected] = worst[edge[connected]]
    return np.asarray((1 - recipe.oracle) * own + recipe.oracle * fair)


class Trainer:
    """A training under way: round after round, kept in a file and taken up again.

    Parameters
    ----------
    recipe : Recipe
        Who learns.
    seed : int
        Of its first weights, its exploration and its cities.
    setting : Setting, optional
        The world.
    plan : Plan, optional
        How long and how fast.

    Raises
    ------
    FairSynergyError
        If PyTorch is not installed.
    """

    def __init__(self, recipe: Recipe, *, seed: int, setting: Setting | None = None, plan: Plan | None = None) -> None:
        check_installed()
        self.recipe, self.seed = recipe, seed
        self.setting, self.plan = setting or Setting(), plan or Plan()
        self.round = self.steps = 0
        self._generator = np.random.default_rng([seed, 1])
        start = Simulator(draw_city(FIRST_CITY, self.setting)).observe()
        inputs, actions = told(start, recipe.signal).shape[1], start.actions
        torch.manual_seed(seed)
        self._online = _dueling(inputs, actions, self.plan.width)
        self._older = _dueling(inputs, actions, self.plan.width)
        self._older.load_state_dict(self._online.state_dict())
        self._optimiser = torch.optim.Adam(self._online.parameters(), lr=self.plan.rate, fused=True)
        self._memory = _Memory(self.plan.memory, self.plan.cities * self.setting.devices, inputs, actions)

    def live(self) -> float:
        """One round; returns the mean own cost of it."""
        plan, recipe = self.plan, self.recipe
        first = FIRST_CITY * (1 + self.seed) + self.round * plan.cities
        simulators = [Simulator(draw_city(first + i, self.setting)) for i in range(plan.cities)]
        exploration = plan.exploration(self.round / plan.rounds)
        before = [simulator.observe() for simulator in simulators]
        seen, valid = self._told(before)
        paid = 0.0
        for _ in range(self.setting.slots):
            action = self._choose(seen, valid, exploration)
            parts = np.split(action, plan.cities)
            slots = [simulator.step(part) for simulator, part in zip(simulators, parts, strict=True)]
            bill = charged(slots, before, recipe)
            before = [simulator.observe() for simulator in simulators]
            then, valid = self._told(before)
            self._memory.add(seen=seen, action=action, charged=bill, then=then, valid=valid)
            self._learn()
            seen = then
            paid += float(np.mean([slot.cost.mean() for slot in slots]))
        self.round += 1
        return paid / self.setting.slots

    def _told(self, seen: Sequence[Observation]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        everybody = [told(one, self.recipe.signal) for one in seen]
        return np.concatenate(everybody), np.concatenate([one.valid for one in seen])

    def _choose(self, seen: NDArray[np.float32], valid: NDArray[np.bool_], exploration: float) -> NDArray[np.intp]:
        with torch.inference_mode():
            values = _values(self._online, torch.from_numpy(seen)).numpy()
        explores = self._generator.random(len(seen)) < exploration
        # Among random numbers, the largest valid one is at a valid action drawn uniformly.
        values[explores] = self._generator.random((int(explores.sum()), values.shape[1]), dtype=np.float32)
        return np.asarray(np.where(valid, values, -np.inf).argmax(axis=1))

    def _learn(self) -> None:
        plan, batch = self.plan, self._memory.batch(self.plan.batch, self._generator)
        with torch.no_grad():
            then = _values(self._online, batch["then"]).masked_fill(~batch["valid"], -torch.inf)
            ahead = then.argmax(dim=1, keepdim=True)
            worth = _values(self._older, batch["then"]).gather(1, ahead).squeeze(1)
            target = plan.discount * worth - batch["charged"]
        foretold = _values(self._online, batch["seen"]).gather(1, batch["action"][:, None]).squeeze(1)
        loss = nn.functional.smooth_l1_loss(foretold, target)
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self._online.parameters(), 5.0, foreach=True)
        self._optimiser.step()
        self.steps += 1
        if self.steps % plan.copied == 0:
            self._older.load_state_dict(self._online.state_dict())

    def learned(self, origin: str = "") -> Learned:
        """The policy as it is now."""
        arrays = {name: tensor.detach().numpy().copy() for name, tensor in self._online.state_dict().items()}
        layers = {name: Layer(arrays[f"{name}.weight"], arrays[f"{name}.bias"]) for name in LAYERS}
        return Learned(DuelingNetwork(**layers), self.recipe, self.setting, self.seed, self.round, origin)

    def keep(self, path: Path) -> None:
        """Write all that is needed to go on, in one file; an older one is replaced at once or not at all."""
        tensors = {f"online.{name}": tensor for name, tensor in self._online.state_dict().items()}
        tensors |= {f"older.{name}": tensor for name, tensor in self._older.state_dict().items()}
        for number, state in self._optimiser.state_dict()["state"].items():
            tensors |= {f"adam.{number}.{name}": tensor for name, tensor in state.items()}
        tensors |= {f"memory.{name}": getattr(self._memory, name) for name in REMEMBERED}
        about = self._about() | {
            "round": self.round,
            "steps": self.steps,
            "filled": self._memory.filled,
            "next": self._memory.next,
            "generator": self._generator.bit_generator.state,
        }
        fresh = path.with_suffix(".part")
        save_file(tensors, fresh, metadata={"fairsynergy": json.dumps(about)})
        fresh.replace(path)

    def go_on(self, path: Path) -> None:
        """Take up a training that `keep` wrote.

        Raises
        ------
        ProblemError
            If the file is broken, or is of another training.
        """
        try:
            with safe_open(path, framework="pt") as file:
                about = json.loads((file.metadata() or {})["fairsynergy"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, not a mapping
            if any(about[name] != value for name, value in self._about().items()):
                raise _another(path)
            self._take(about, tensors)
        except (SafetensorError, KeyError, ValueError, RuntimeError, OSError) as error:
            if isinstance(error, ProblemError):
                raise
            raise ProblemError(
                f"{path} cannot be taken up ({error}); remove it, and the training starts anew", field="checkpoint"
            ) from None

    def _about(self) -> dict[str, Any]:
        """What makes two trainings the same, as JSON gives it back."""
        about = {
            "recipe": self.recipe._asdict(),
            "setting": asdict(self.setting),
            "plan": asdict(self.plan),
            "seed": self.seed,
        }
        return dict(json.loads(json.dumps(about)))

    def _take(self, about: dict[str, Any], tensors: dict[str, torch.Tensor]) -> None:
        def part(prefix: str) -> dict[str, torch.Tensor]:
            return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}

        self._online.load_state_dict(part("online."))
        self._older.load_state_dict(part("older."))
        state: dict[int, dict[str, torch.Tensor]] = {}
        for name, tensor in part("adam.").items():
            number, what = name.split(".")
            state.setdefault(int(number), {})[what] = tensor
        groups = self._optimiser.state_dict()["param_groups"]
        self._optimiser.load_state_dict({"state": state, "param_groups": groups})
        for name in REMEMBERED:
            getattr(self._memory, name).copy_(tensors[f"memory.{name}"])
        self._memory.filled, self._memory.next = about["filled"], about["next"]
        self._generator.bit_generator.state = about["generator"]
        self.round, self.steps = about["round"], about["steps"]


def _another(path: Path) -> ProblemError:
    return ProblemError(
        f"{path} is of another training, with other options; remove it, or keep it and write elsewhere",
        field="checkpoint",
    )


def train(
    recipe: Recipe,
    *,
    seed: int,
    setting: Setting | None = None,
    plan: Plan | None = None,
    checkpoint: Path | None = None,
    tell: Callable[[Progress], object] = lambda progress: None,
    origin: str = "",
) -> Learned:
    """Learn a policy from nothing, or from where a checkpoint was left.

    Parameters
    ----------
    recipe : Recipe
        Who learns.
    seed : int
        At least 0.
    setting : Setting, optional
        The world; default the paper's.
    plan : Plan, optional
        How long and how fast.
    checkpoint : Path, optional
        Where to keep the training every `KEPT` rounds, and take it up if it is there; removed at the end.
    tell : callable, optional
        Is told after every round.
    origin : str
        What the weights say of where they come from.

    Raises
    ------
    FairSynergyError
        If PyTorch is not installed.
    ProblemError
        If the checkpoint is broken or of another training.
    """
    trainer = Trainer(recipe, seed=seed, setting=setting, plan=plan)
    if checkpoint is not None and checkpoint.exists():
        trainer.go_on(checkpoint)
    rounds, start = trainer.plan.rounds, perf_counter()
    while trainer.round < rounds:
        exploration = trainer.plan.exploration(trainer.round / rounds)
        cost = trainer.live()
        if checkpoint is not None and trainer.round % KEPT == 0 and trainer.round < rounds:
            trainer.keep(checkpoint)
        tell(Progress(trainer.round, rounds, exploration, cost, perf_counter() - start))
    if checkpoint is not None:
        checkpoint.unlink(missing_ok=True)
    return trainer.learned(origin)
