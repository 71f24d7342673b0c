"""What a sweep runs over: every combination of the values that a TOML file lists, many seeds each, by many rules.

    setting = ["RTI", "DL"]              # or one of them
    agents = [10, 20, 50]                # or one number, or {from = 10, to = 100, step = 10}
    seeds = 1000                         # seeds 0 to 999; or {from = 0, to = 999}
    rules = ["all", "nash", "alpha=2", "fair-synergy passes=1"]

    [fleet]                              # any field of FleetSpec: a value or a list of them
    local_compute = [0.02, 0.05]
    gamma_compute = [0.1, 0.9]           # a range from least to largest, or a list of ranges
    saturation = 1.0                     # or "none"

What is not in the file has the default of `FleetSpec`. Rules are named as in `fairsynergy solve`.

>>> grid = Grid.of({"setting": "RTI", "agents": [2, 5], "seeds": 100, "rules": "all", "fleet": {"spread": [0, 1]}})
>>> [(spec.agents, spec.spread) for spec in grid.points], grid.fleets, len(grid.policies)
([(2, 0.0), (2, 1.0), (5, 0.0), (5, 1.0)], 400, 6)
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from functools import cached_property
from itertools import product
from math import inf, prod
from pathlib import Path
from typing import Any, NamedTuple

from fairsynergy.errors import ProblemError
from fairsynergy.experiments.engine import TOGETHER
from fairsynergy.fleets import FleetSpec, Setting
from fairsynergy.policies import AlphaFair, CertifiedOptimum, EqualIncomeMarket, FairSynergy, Leximin, Policy, named

KEYS = ("setting", "agents", "seeds", "rules", "fleet")
FLEET_KEYS = tuple(field.name for field in fields(FleetSpec) if field.name not in ("setting", "agents", "seed"))
# A column of the results holds a seed as a signed integer.
LARGEST_SEED = 2**63 - 1
# Seconds of work in a chunk, about. Handing one out and taking 3 MB of rows back was measured, on two cores, to take
# 6 ms with processes of the same machine and 8 ms with a local Dask cluster (1.4 and 4 ms without rows): below 1 %,
# and below 5 % even where the work is a fifth of the estimate.
CHUNK = 1.0
# Seconds, measured on one core, that a batch takes however small it is, per rule.
BATCH = 1e-3
# What one sweep holds, so that a slip of the pen is noticed before it fills the memory.
MOST_POINTS, MOST_CHUNKS = 100_000, 1_000_000


class Piece(NamedTuple):
    """Fleets of one combination: those of the seeds from the first to before the last; what names it in a table."""

    spec: FleetSpec
    first: int
    last: int
    columns: Mapping[str, str | float]

    def __str__(self) -> str:
        names = {"agents": self.spec.agents, **self.columns}
        where = ", ".join(f"{name} {value}" for name, value in names.items())
        return f"seeds {self.first} to {self.last - 1} of {where}"

    @property
    def fleets(self) -> int:
        """How many they are."""
        return self.last - self.first

    def batches(self) -> Iterator[range]:
        """Seeds to be solved together; the same wherever the piece is."""
        step = max(1, TOGETHER // self.spec.agents)
        for first in range(self.first, self.last, step):
            yield range(first, min(first + step, self.last))


@dataclass(frozen=True, eq=False)
class Grid:
    """A product of lists.

    Parameters
    ----------
    values : dict of str to tuple
        What each field of `FleetSpec` but `seed` takes; the last varies fastest.
    seeds : range
        Of the fleets drawn from each combination.
    policies : dict of str to Policy
        The rules, by label.
    """

    values: Mapping[str, tuple[Any, ...]]
    seeds: range
    policies: Mapping[str, Policy]

    @classmethod
    def of(cls, config: Mapping[str, Any], name: str = "the sweep") -> Grid:
        """Check a configuration, spelled as in TOML.

        Raises
        ------
        ProblemError
            If a key is unknown or missing, or a value is not allowed; the message begins with `name`.
        """
        return _Reader(name).grid(config)

    @classmethod
    def read(cls, path: str | Path) -> Grid:
        """Check a TOML file.

        Raises
        ------
        ProblemError
            If it cannot be read, or as in `of`.
        """
        try:
            config = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise ProblemError(f"{path} cannot be read: {error.strerror}") from None
        except ValueError as error:  # of TOML or of its encoding
            raise ProblemError(f"{path} is not a TOML file: {error}") from None
        return cls.of(config, Path(path).name)

    @cached_property
    def points(self) -> tuple[FleetSpec, ...]:
        """Every combination, of seed 0."""
        return tuple(FleetSpec(**dict(zip(self.values, each, strict=True))) for each in product(*self.values.values()))

    @property
    def fleets(self) -> int:
        """How many fleets there are."""
        return len(self.points) * len(self.seeds)

    @cached_property
    def chunks(self) -> tuple[tuple[Piece, ...], ...]:
        """The fleets in order, cut where about a second of work ends; nothing but the grid decides where."""
        chunks: list[tuple[Piece, ...]] = []
        pieces: list[Piece] = []
        room = CHUNK
        for spec in self.points:
            each = self._each(spec)
            first, columns = self.seeds.start, self.columns(spec)
            while first < self.seeds.stop:
                last = min(first + max(1, round(room / each)), self.seeds.stop)
                pieces.append(Piece(spec, first, last, columns))
                room -= (last - first) * each + len(self.policies) * BATCH
                first = last
                if room < each:
                    chunks.append(tuple(pieces))
                    pieces, room = [], CHUNK
        return (*chunks, tuple(pieces)) if pieces else tuple(chunks)

    def _each(self, spec: FleetSpec) -> float:
        """What a fleet takes, about [seconds]."""
        return sum(_seconds(spec, policy) for policy in (None, *self.policies.values()))

    @property
    def seconds(self) -> float:
        """What all takes on one core, about."""
        return len(self.seeds) * sum(map(self._each, self.points))

    def columns(self, spec: FleetSpec) -> dict[str, str | float]:
        """What tells a combination's rows from others: the setting, and each field that takes several values."""
        found: dict[str, str | float] = {"setting": spec.setting.name}
        for field, values in self.values.items():
            value = getattr(spec, field)
            if len(values) == 1 or field in ("setting", "agents"):
                continue
            if isinstance(value, tuple):
                found |= {f"{field}_low": value[0], f"{field}_high": value[1]}
            else:
                found[field] = inf if value is None else value
        return found

    @property
    def document(self) -> dict[str, Any]:
        """All that decides the results, for JSON."""
        plain = {field: [_plain(value) for value in values] for field, values in self.values.items()}
        return plain | {
            "seeds": [self.seeds.start, self.seeds.stop - 1],
            "rules": [repr(policy) for policy in self.policies.values()],
        }


def _plain(value: Any) -> Any:
    if isinstance(value, Setting):
        return value.name
    return list(value) if isinstance(value, tuple) else value


def _seconds(spec: FleetSpec, policy: Policy | None) -> float:
    """What a rule takes for a fleet on one core, about; None for what drawing it takes. Measured."""
    n, m = spec.agents, len(spec.setting.resources)
    alone = 0.3e-3 + 0.4e-6 * n if m == 1 else 1.5e-3 + 3e-6 * n
    match policy:
        case None:
            return m * (35e-6 + 0.03e-6 * n)
        case CertifiedOptimum() | FairSynergy(passes=None) if m > 1:
            return 8e-3 + 20e-6 * n
        case FairSynergy(passes=passes) if m > 1:
            return min(passes or inf, 25) * 1e-6 * n
        case CertifiedOptimum() | EqualIncomeMarket():
            return alone
        case Leximin() if m > 1:
            # From 20 us, where fleets go together, to 5 ms, where one resource is so scarce that they do not.
            return 0.4e-3 + 2e-6 * n
        case AlphaFair(alpha=alpha) if alpha != 1 and (m > 1 or alpha == inf):
            return alone
    return 0.3e-6 * n * m


class _Reader:
    """Checks a configuration; every refusal says where, what was given and what is allowed."""

    def __init__(self, name: str) -> None:
        self.name = name

    def grid(self, config: Mapping[str, Any]) -> Grid:
        self.keys(config, KEYS, "")
        for key in KEYS[:4]:
            if key not in config:
                raise self.error(f"`{key}` is missing; a sweep needs {', '.join(KEYS[:3])} and {KEYS[3]}")
        fleet = config.get("fleet", {})
        if not isinstance(fleet, Mapping):
            raise self.error(f"`fleet` must be a table, [fleet], of {', '.join(FLEET_KEYS)}; got {_spelled(fleet)}")
        self.keys(fleet, FLEET_KEYS, "fleet.")
        values = {"setting": self.values("setting", config["setting"])}
        values["agents"] = self.values("agents", self.span(config["agents"], "agents", least=1))
        for key in FLEET_KEYS:
            values[key] = self.values(key, fleet[key]) if key in fleet else (getattr(FleetSpec(), key),)
        unused = [key for key in fleet if key.endswith("_labels")]
        if unused and Setting.DL not in values["setting"]:
            raise self.error(f'`fleet.{unused[0]}` needs the setting "DL"; in "RTI" the cloud shares compute alone')
        points = prod(map(len, values.values()))
        if points > MOST_POINTS:
            raise self.error(f"the lists make {points:,} combinations, more than the {MOST_POINTS:,} of one sweep")
        grid = Grid(values, self.seeds(config["seeds"]), self.rules(config["rules"]))
        if grid.seconds > MOST_CHUNKS * CHUNK:
            days = grid.seconds / 86400
            raise self.error(f"this takes one core about {days:,.0f} days, more than one sweep can hold; cut the seeds")
        return grid

    def keys(self, given: Mapping[str, Any], known: Sequence[str], where: str) -> None:
        for key in given:
            if key in known:
                continue
            # Also at the other level, where it may belong.
            close = get_close_matches(key, known, 1) or get_close_matches(key, (*KEYS, *FLEET_KEYS), 1)
            mine = "fleet." if close and close[0] in FLEET_KEYS else ""
            hint = f"did you mean `{mine}{close[0]}`? Allowed" if close else "allowed"
            raise self.error(f"there is no key `{where}{key}`; {hint} are {', '.join(known)}")

    def span(self, given: Any, key: str, least: int) -> Any:
        """The whole numbers of {from, to, step}, both ends included; anything else as it is."""
        if not isinstance(given, Mapping):
            return given
        self.keys(given, ("from", "to", "step") if key == "agents" else ("from", "to"), f"{key}.")
        numbers: tuple[Any, Any, Any] = (given.get("from"), given.get("to"), given.get("step", 1))
        first, last, step = numbers
        if not (all(map(_whole, numbers)) and least <= first <= last <= LARGEST_SEED and step >= 1):
            raise self.error(
                f"`{key}` must be {{from, to}} in whole numbers, {least} <= from <= to"
                f"{', with a step >= 1 if wanted' * (key == 'agents')}; got {_spelled(given)}"
            )
        return range(first, last + 1, step)

    def values(self, field: str, given: Any) -> tuple[Any, ...]:
        """What one field takes: a value, or a list of different ones; a range of elasticities is a list itself."""
        key = f"fleet.{field}" if field in FLEET_KEYS else field
        one = not isinstance(given, list | range)
        if field.startswith("gamma") and isinstance(given, list):
            one = not any(isinstance(value, list) for value in given)
        if not one and not given:
            raise self.error(f"`{key}` is an empty list; give at least one value")
        if not one and len(given) > MOST_POINTS:
            raise self.error(f"`{key}` has {len(given):,} values, more than the {MOST_POINTS:,} of one sweep")
        found: dict[Any, None] = {}  # in order, and quickly searched
        for i, raw in enumerate([given] if one else given):
            where = f"`{key}`" if one else f"`{key}[{i}]`"
            value = self.value(field, raw, where)
            if value in found:
                raise self.error(f"{where} repeats {_spelled(raw)}; give every value once")
            found[value] = None
        return tuple(found)

    def value(self, field: str, raw: Any, where: str) -> Any:
        """What FleetSpec takes for what TOML says."""
        value, allowed = raw, None
        if field == "setting":
            value, allowed = Setting.__members__.get(str(raw)), '"RTI" or "DL"'
        elif field == "saturation":
            value, allowed = None if raw == "none" else raw, 'a number > 0, or "none"'
        elif field.startswith("gamma"):
            value = tuple(raw) if isinstance(raw, list) else raw
            allowed = "[least, largest] with 0 < least <= largest < 1"
        try:
            FleetSpec(**{field: value})
        except ProblemError as error:
            allowed = allowed or str(error).split(" must be ", 1)[1].rsplit("; got ", 1)[0]
            raise self.error(f"{where} must be {allowed}; got {_spelled(raw)}") from None
        if isinstance(value, tuple):
            return tuple(map(float, value))
        return value if field in ("agents", "setting") or value is None else float(value)

    def seeds(self, given: Any) -> range:
        span = self.span(given, "seeds", least=0)
        if isinstance(span, range):
            return span
        if not (_whole(given) and 0 < given <= LARGEST_SEED):
            raise self.error(f"`seeds` must be a whole number >= 1, or {{from, to}}; got {_spelled(given)}")
        return range(given)

    def rules(self, given: Any) -> dict[str, Policy]:
        names = given if isinstance(given, list) else [given]
        if not names:
            raise self.error("`rules` is an empty list; give at least one rule")
        found: dict[str, Policy] = {}
        for i, name in enumerate(names):
            where = f"`rules[{i}]`" if isinstance(given, list) else "`rules`"
            if not isinstance(name, str):
                raise self.error(f'{where} must name a rule in quotes, such as "leximin"; got {_spelled(name)}')
            try:
                policies = named(name)
            except ProblemError as error:
                raise self.error(f"{where}: {error}") from None
            for policy in policies:
                if policy.label in found:
                    raise self.error(f"{where} gives {policy.label} a second time; give every rule once")
                found[policy.label] = _timeless(policy)
        return found

    def error(self, message: str) -> ProblemError:
        return ProblemError(f"{self.name}: {message}")


def _timeless(policy: Policy) -> Policy:
    """Stopped by what it has done, not by the clock: a slow machine finds the same."""
    return replace(policy, seconds=inf) if isinstance(policy, CertifiedOptimum) else policy


def _whole(given: Any) -> bool:
    return isinstance(given, int) and not isinstance(given, bool)


_SPELLED: dict[type, Callable[[Any], str]] = {
    bool: lambda value: str(value).lower(),
    str: lambda value: f'"{value}"',
    dict: lambda value: "{" + ", ".join(f"{key} = {_spelled(each)}" for key, each in value.items()) + "}",
    list: lambda value: "[" + ", ".join(map(_spelled, value)) + "]",
}


def _spelled(value: Any) -> str:
    """As in TOML."""
    return _SPELLED.get(type(value), repr)(value)
