"""Fleets to start from: drawn from what the sliders say, or one of the presets.

A drawn agent i owns e_ik = mean_k (1 + spread (2 u_ik - 1)) and its elasticity is gamma_ik = low_k + (high_k
- low_k) v_ik, where u and v are uniform on [0, 1), one independent stream per seed and attribute. So the
same values draw the same fleet anywhere, one more agent changes none of the others, and moving a slider
rescales the same draws. The capacity grows with the fleet, as in the scaling experiment of Fair-Synergy
(section IV, Fig. 5), whose amounts are the defaults.

>>> FleetSpec(agents=3, setting=Setting.DL).problem()
Problem(3 agents, capacity compute 1.5, labels 1.5)
>>> PRESETS["Fleet A"].problem
Problem(10 agents, capacity compute 0.46)
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from fairsynergy.errors import ProblemError
from fairsynergy.fleets.files import read_fleet
from fairsynergy.kernel import Fleets
from fairsynergy.problem import Array, Problem

# Which stream of random numbers an attribute takes; never renumber, or every drawn fleet changes.
ENDOWMENT = {"compute": 0, "labels": 1}
ELASTICITY = {"compute": 2, "labels": 3}
LOTS = {"compute": 4, "labels": 5}

SHOWN = 80  # letters of a value that a message quotes

# A wheel carries the assets inside the package, a checkout has them at its top.
_PACKAGE = Path(__file__).resolve().parents[1]
_INSIDE = _PACKAGE / "_app" / "assets"
ASSETS = _INSIDE if _INSIDE.is_dir() else _PACKAGE.parent / "assets"


class Setting(Enum):
    """Which resources the cloud shares; the value is the sentence shown to the user."""

    RTI = "Real-time inference: the cloud shares compute, and each agent runs a model on its own queries."
    DL = "Distributed learning: the cloud shares compute and labelled data, and each agent trains on both."

    @property
    def resources(self) -> tuple[str, ...]:
        """Names of the resources shared."""
        return ("compute",) if self is Setting.RTI else ("compute", "labels")


@dataclass(frozen=True, kw_only=True)
class FleetSpec:
    """What the sliders say.

    Parameters
    ----------
    agents : int
        How many, >= 1.
    setting : Setting
        Whether labels are shared too; the compute of a fleet is the same either way.
    local_compute, local_labels : float
        Mean endowment of an agent [units of the resource], >= 0.
    gamma_compute, gamma_labels : (float, float)
        Least and largest elasticity, strictly between 0 and 1; equal for a fleet of equally hard tasks.
    spread : float
        How unequal the endowments are, from 0 (all own the mean) to 1 (from nothing to twice the mean).
    capacity_compute, capacity_labels : float
        What the cloud can share, per agent [units of the resource], >= 0.
    saturation : float or None
        Holding above which more adds nothing, > 0; None for no such level.
    seed : int
        Which fleet is drawn, >= 0.

    Raises
    ------
    ProblemError
        If a value is outside its range; `field` names it.

    Examples
    --------
    One more agent leaves the others as they were:

    >>> four, five = FleetSpec(agents=4).problem(), FleetSpec(agents=5).problem()
    >>> (four.endowment == five.endowment[:4]).all(), (four.elasticity == five.elasticity[:4]).all()
    (np.True_, np.True_)
    """

    agents: int = 10
    setting: Setting = Setting.RTI
    local_compute: float = 0.05
    local_labels: float = 0.05
    gamma_compute: tuple[float, float] = (0.1, 0.9)
    gamma_labels: tuple[float, float] = (0.1, 0.9)
    spread: float = 1.0
    capacity_compute: float = 0.5
    capacity_labels: float = 0.5
    saturation: float | None = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("agents", 1), ("seed", 0)):
            given = getattr(self, name)
            whole = isinstance(given, int | np.integer) and not isinstance(given, bool)
            _require(name, given, whole and given >= least, f"a whole number >= {least}")
        _require("setting", self.setting, isinstance(self.setting, Setting), "Setting.RTI or Setting.DL")
        for name in ("local_compute", "local_labels", "capacity_compute", "capacity_labels"):
            given = getattr(self, name)
            _require(name, given, _is_number(given) and given >= 0, "a finite amount >= 0 per agent")
        for name in ("gamma_compute", "gamma_labels"):
            given = getattr(self, name)
            pair = isinstance(given, tuple) and len(given) == 2 and all(map(_is_number, given))
            fits = pair and 0 < given[0] <= given[1] < 1
            _require(name, given, fits, "(least, largest) with 0 < least <= largest < 1")
        fits = _is_number(self.spread) and 0 <= self.spread <= 1
        _require("spread", self.spread, fits, "from 0 (all own the same) to 1 (from nothing to twice the mean)")
        fits = self.saturation is None or (_is_number(self.saturation) and self.saturation > 0)
        _require("saturation", self.saturation, fits, "> 0, or None for no saturation")

    def problem(self) -> Problem:
        """Draw the fleet. O(agents)."""
        kinds = self.setting.resources

        def uniform(stream: int) -> Array:
            return _stream(self.seed, stream).random(self.agents)

        return Problem(
            endowment=np.stack([self._endowment(kind, uniform(ENDOWMENT[kind])) for kind in kinds], axis=1),
            capacity=[self.agents * getattr(self, f"capacity_{kind}") for kind in kinds],
            elasticity=np.stack([self._elasticity(kind, uniform(ELASTICITY[kind])) for kind in kinds], axis=1),
            saturation=self.saturation,
            resources=kinds,
        )

    def fleets(self, seeds: Iterable[int]) -> Fleets:
        """Draw the fleets of many seeds at once, whatever `seed` says; each comes with its own lots. O(b agents).

        Examples
        --------
        >>> spec = FleetSpec(agents=3, seed=7)
        >>> bool((spec.fleets([6, 7]).endowment[1] == spec.problem().endowment).all())
        True
        """
        seeds = list(seeds)

        def streams(numbers: dict[str, int], draw: Callable[[np.random.Generator], Array]) -> list[Array]:
            return [np.array([draw(_stream(seed, numbers[kind])) for seed in seeds]) for kind in self.setting.resources]

        kinds, n = self.setting.resources, self.agents
        own = streams(ENDOWMENT, lambda rng: rng.random(n))
        gamma = streams(ELASTICITY, lambda rng: rng.random(n))
        lots = np.stack(streams(LOTS, lambda rng: rng.standard_exponential(n)), axis=1)
        amounts = [n * getattr(self, f"capacity_{kind}") for kind in kinds]
        return Fleets(
            endowment=np.stack([self._endowment(*each) for each in zip(kinds, own, strict=True)], axis=1).mT,
            elasticity=np.stack([self._elasticity(*each) for each in zip(kinds, gamma, strict=True)], axis=1).mT,
            capacity=np.tile(np.array(amounts, dtype=np.float64), (len(seeds), 1)),
            weight=np.ones((len(seeds), n)),
            saturation=np.inf if self.saturation is None else float(self.saturation),
            lots=(lots / lots.sum(axis=2, keepdims=True)).mT,
        )

    def _endowment(self, kind: str, uniform: Array) -> Array:
        mean: float = getattr(self, f"local_{kind}")
        return np.asarray(mean * (1 + self.spread * (2 * uniform - 1)))

    def _elasticity(self, kind: str, uniform: Array) -> Array:
        low, high = getattr(self, f"gamma_{kind}")
        # Rounding may carry the interpolation past its end.
        return np.asarray(np.minimum(low + (high - low) * uniform, high))


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A fleet worth looking at: what it shows, in a sentence, and where its numbers come from."""

    name: str
    sentence: str
    source: str
    problem: Problem

    @property
    def setting(self) -> Setting:
        """RTI for compute alone, DL for compute and labels."""
        return Setting.RTI if self.problem.m == 1 else Setting.DL


@dataclass(frozen=True, kw_only=True)
class Demonstration:
    """Two presets that differ in one thing, and what to look at when going from one to the other.

    Parameters
    ----------
    title : str
        What happens, in a few words.
    presets : dict of str to str
        Names of presets, by what tells them apart; the first is shown first.
    rule : str
        The rule under which it shows.
    look : str
        What to look at, and why it happens, in a few sentences.
    """

    title: str
    presets: dict[str, str]
    rule: str
    look: str


def _stream(seed: int, stream: int) -> np.random.Generator:
    # PCG64 by name: NumPy may one day change what default_rng chooses.
    return np.random.Generator(np.random.PCG64([seed, stream]))


def _is_number(given: Any) -> bool:
    real = isinstance(given, int | float | np.integer | np.floating) and not isinstance(given, bool)
    try:
        return real and math.isfinite(given)
    except OverflowError:  # a whole number of hundreds of digits
        return False


def _require(field: str, given: object, fits: bool, allowed: str) -> None:
    if not fits:
        raise ProblemError(f"`{field}` must be {allowed}; got {repr(given)[:SHOWN]}", field=field)


def _presets() -> dict[str, Preset]:
    """Read assets/presets.json: each fleet is a fleet file of its own, or drawn from a `FleetSpec`."""
    presets: dict[str, Preset] = {}
    for entry in json.loads((ASSETS / "presets.json").read_text(encoding="utf-8")):
        name = entry["name"]
        if "fleet" in entry:
            problem = read_fleet(json.dumps(entry["fleet"]).encode(), name=f"preset {name}")
        else:
            problem = _spec(entry["drawn"]).problem()
        presets[name] = Preset(name=name, sentence=entry["sentence"], source=entry["source"], problem=problem)
    return presets


def _spec(drawn: dict[str, Any]) -> FleetSpec:
    """A `FleetSpec` as JSON spells it: the setting by name, ranges as lists."""
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in drawn.items()}
    return FleetSpec(**values | {"setting": Setting[drawn["setting"]]})


PRESETS: dict[str, Preset] = _presets()

DEMONSTRATIONS: dict[str, Demonstration] = {
    "units": Demonstration(
        title="The unit trap",
        presets={"in units": "Fleet A", "in hundredths of a unit": "Fleet A in hundredths"},
        rule="Fair-Synergy",
        look="The same ten agents, the same cloud; only the unit that compute is counted in differs. Fair-Synergy "
        "compares accuracies of easy and hard tasks, and another unit stretches those of hard tasks (elasticity 0.9) "
        "more than those of easy ones, so the grants turn over. Rules whose two marks coincide below do not care.",
    ),
    "winner": Demonstration(
        title="Winner takes all",
        presets={"nothing saturates": "Winner takes all", "saturation at 1 unit": "Winner takes all, saturated"},
        rule="Fair-Synergy",
        look="Every agent has increasing returns: its elasticities add up to more than 1, so twice of everything is "
        "worth more than twice as much. Where nothing saturates, the largest total then gives one agent everything, "
        "and a cloud that grows with the fleet makes that agent richer, not the others.",
    ),
}
