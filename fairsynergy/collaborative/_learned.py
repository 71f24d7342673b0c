"""Policies that learned: one network for all devices foretells what an action leads to, and each takes the best.

    Q(o, a) = v(o) + A(o, a) - mean over a' of A(o, a'),        a = argmax over valid a of Q(o, a),

a dueling network of three layers (FOCI, section 5 and appendix B.3). Recipes differ in what a device is told beyond
what it knows itself, and in what it is charged for while it learns:

| recipe | told | charged |
|---|---|---|
| iql | nothing | its own cost |
| amfq | the mean action of the devices near it | its own cost |
| coa | how many devices each edge it hears had, by cut (Eq. 5) | its own cost |
| ofr | nothing | its own cost and its edge's max-min cost (Eq. 4), blended |
| foci | how many devices each edge it hears had, by cut (Eq. 5) | the same blend |

Weights are read and used with NumPy alone; `training` makes them, with PyTorch.

>>> RECIPES["foci"]
Recipe(signal='competitors', oracle=0.5)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from fairsynergy.collaborative._setting import Setting, Weights
from fairsynergy.collaborative._simulator import Integers, Observation
from fairsynergy.errors import ProblemError

Signal = Literal["none", "competitors", "neighbours"]
Single = NDArray[np.float32]

# The largest file that is taken for weights [bytes]; ours have 90 kB.
MOST_BYTES = 16 * 2**20
LAYERS = ("first", "second", "value", "advantage")
NAMES = {f"{layer}.{part}" for layer in LAYERS for part in ("weight", "bias")}


class Recipe(NamedTuple):
    """What sets one learner apart from another."""

    signal: Signal = "none"  #: what a device is told beyond what it knows itself
    oracle: float = 0.0  #: the oracle's share of what a device is charged, λ; 0 its own cost only, 1 as in the paper


RECIPES: Mapping[str, Recipe] = {
    "iql": Recipe(),
    "amfq": Recipe("neighbours"),
    "ofr": Recipe("none", 0.5),
    "coa": Recipe("competitors"),
    "foci": Recipe("competitors", 0.5),
}


def told(observation: Observation, signal: Signal) -> Single:
    """(m, d) what devices know themselves, followed by what they are told."""
    if signal == "none":
        return observation.local
    more = observation.competitors if signal == "competitors" else observation.neighbours
    return np.concatenate((observation.local, more), axis=1)


@dataclass(frozen=True, eq=False)
class Layer:
    """x → x @ weight.T + bias."""

    weight: Single  # (out, in)
    bias: Single  # (out,)

    def __call__(self, x: Single) -> Single:
        """(m, out) of (m, in)."""
        return x @ self.weight.T + self.bias


@dataclass(frozen=True, eq=False)
class DuelingNetwork:
    """Two hidden layers with rectifiers, and two heads.

    Parameters
    ----------
    first, second : Layer
        Hidden.
    value : Layer
        What the place is worth, one number.
    advantage : Layer
        What each action adds.
    """

    first: Layer
    second: Layer
    value: Layer
    advantage: Layer

    @property
    def inputs(self) -> int:
        """How many numbers it is told."""
        return int(self.first.weight.shape[1])

    @property
    def actions(self) -> int:
        """How many actions it knows."""
        return int(self.advantage.weight.shape[0])

    def __call__(self, x: Single) -> Single:
        """(m, a) what each action leads to, of (m, d) observations: minus a discounted cost."""
        hidden = np.maximum(self.first(x), 0)
        hidden = np.maximum(self.second(hidden), 0)
        advantage = self.advantage(hidden)
        return np.asarray(self.value(hidden) + advantage - advantage.mean(axis=1, keepdims=True))


@dataclass(frozen=True, eq=False)
class Learned:
    """A trained policy, and where it comes from.

    Parameters
    ----------
    network : DuelingNetwork
        Its weights.
    recipe : Recipe
        What it was told and charged for.
    setting : Setting
        The world that it was trained in.
    seed, rounds : int
        Of its training.
    origin : str
        The command that made it, and when.
    """

    network: DuelingNetwork
    recipe: Recipe
    setting: Setting
    seed: int
    rounds: int
    origin: str = ""

    def act(self, observation: Observation) -> Integers:
        """(m,) the valid action that promises most.

        Raises
        ------
        ProblemError
            If there are other edges or cuts than the network knows: its numbers would mean something else.
        """
        seen = told(observation, self.recipe.signal)
        if seen.shape[1] != self.network.inputs or observation.actions != self.network.actions:
            raise ProblemError(
                f"this policy was trained with {self.setting.edges} edges and knows {self.network.actions} actions, "
                f"but there are {observation.edges} edges and {observation.actions} actions; keep the edges, or train "
                "it anew",
                field="edges",
            )
        values = self.network(seen)
        values[~observation.valid] = -np.inf
        return np.asarray(values.argmax(axis=1))


def write_weights(policy: Learned, path: Path) -> None:
    """Keep a policy as a safetensors file, in half precision."""
    layers = {layer: getattr(policy.network, layer) for layer in LAYERS}
    tensors = {
        f"{name}.{part}": np.ascontiguousarray(getattr(layer, part), dtype=np.float16)
        for name, layer in layers.items()
        for part in ("weight", "bias")
    }
    about = {
        "recipe": policy.recipe._asdict(),
        "setting": asdict(policy.setting) | {"weights": policy.setting.weights._asdict()},
        "seed": policy.seed,
        "rounds": policy.rounds,
        "origin": policy.origin,
    }
    path.write_bytes(save(tensors, metadata={"fairsynergy": json.dumps(about)}))


def read_weights(path: Path) -> Learned:
    """A policy that `write_weights` kept.

    Raises
    ------
    ProblemError
        If it is no such file, was cut short, or its layers do not fit one another.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise _unreadable(path, f"it has more than {MOST_BYTES // 2**20} MiB")
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, not a mapping
    except OSError as error:
        raise _unreadable(path, error.strerror or "no such file") from None
    except SafetensorError as error:
        raise _unreadable(path, str(error)) from None
    try:
        about = json.loads(metadata["fairsynergy"])
        recipe = Recipe(**about["recipe"])
        setting = Setting(**about["setting"] | {"weights": Weights(**about["setting"]["weights"])})
        seed, rounds, origin = int(about["seed"]), int(about["rounds"]), str(about["origin"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:  # a ProblemError of Setting is a ValueError
        raise _unreadable(path, f"its description is not one of ours ({error})") from None
    if recipe.signal not in get_args(Signal):
        raise _unreadable(path, f"it has an unknown recipe, {recipe}")
    return Learned(_network(path, tensors), recipe, setting, seed, rounds, origin)


def _network(path: Path, tensors: Mapping[str, NDArray[Any]]) -> DuelingNetwork:
    if set(tensors) != NAMES:
        raise _unreadable(path, f"it holds {', '.join(sorted(tensors)) or 'nothing'}")
    single = {name: np.asarray(tensor, dtype=np.float32) for name, tensor in tensors.items()}
    first, second, value, advantage = (Layer(single[f"{name}.weight"], single[f"{name}.bias"]) for name in LAYERS)
    fits = all(
        layer.weight.ndim == 2 and layer.bias.shape == layer.weight.shape[:1]
        for layer in (first, second, value, advantage)
    )
    fits = fits and all(
        after.weight.shape[1] == before.weight.shape[0]
        for before, after in ((first, second), (second, value), (second, advantage))
    )
    if not fits or value.weight.shape[0] != 1:
        shapes = ", ".join(f"{name} {tensor.shape}" for name, tensor in sorted(tensors.items()))
        raise _unreadable(path, f"its layers do not fit one another: {shapes}")
    if not all(np.isfinite(tensor).all() for tensor in single.values()):
        raise _unreadable(path, "it holds numbers that are not finite")
    return DuelingNetwork(first, second, value, advantage)


def _unreadable(path: Path, why: str) -> ProblemError:
    return ProblemError(
        f"{path.name} cannot be used as weights: {why}; give a file that fairsynergy train wrote, or train again",
        field="weights",
    )
