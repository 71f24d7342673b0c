"""The tray of a what-if meeting: scenarios side by side, what differs between them, and their files and links.

A scenario is a problem and the rule that divides it, or grants that somebody proposes instead; a tray holds scenarios
in order, one selected, and one that the others are compared with. Both are records: every change makes a new one, so
to undo is to go back.

A tray's file is JSON with the name of its format and a version. It holds every number with all its digits, so that a
file read and written again is the same file. A link holds the same in fewer letters: what draws a fleet, where that is
known, and then only what was changed.

>>> first = Tray.of(Scenario("as it is", Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.5, 0.3])))
>>> doubled = replace(first.scenarios[0].problem, capacity=[1.0])
>>> tray = first.keep(replace(first.scenarios[0], name="twice the cloud", problem=doubled))
>>> [scenario.name for scenario in tray.scenarios], tray.selected, tray.reference
(['as it is', 'twice the cloud'], 'twice the cloud', 'as it is')
>>> for difference in differences(*tray.scenarios):
...     print(difference)
Difference(what='capacity of compute', agent=None, before=0.5, after=1.0)
>>> read_tray(write_tray(tray).encode()) == tray, from_link(to_link(tray)) == tray
(True, True)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from fairsynergy.allocation import Allocation, Status
from fairsynergy.analysis.fairness import gini
from fairsynergy.errors import ProblemError
from fairsynergy.fleets.drawn import PRESETS, FleetSpec, Setting
from fairsynergy.fleets.files import read_fleet, write_json
from fairsynergy.fleets.links import LONGEST_LINK, packed, unpacked
from fairsynergy.policies import FairSynergy, Given, Policy, named
from fairsynergy.problem import Array, Problem, read_only
from fairsynergy.words.phrases import average, mean_word, measure, number, percent

FORMAT, VERSION = "fairsynergy tray", 1
PARAMETER = "tray"  # of an address that holds a link
# How many agents the scenarios of a link may have together: more than any link of ours.
MOST_DRAWN = 100_000
# A longer tray helps nobody to compare, and a link of a few letters could ask for any number.
MOST_SCENARIOS = 200
# Numbers that do not fit into a link by any means.
HOPELESS = 2000
# A longer name is not a name.
LONGEST_NAME = 60
# A relative change smaller than this is none to a reader.
SAME = 5e-5
# An accuracy below this is no measure for another.
FAINT = 5e-4
# Agents listed one by one where a fleet differs; beyond, how many do and by how much on average.
LISTED = 12

# What a scenario's fleet may differ in, agent by agent, as a reader names it.
AMOUNTS = {
    "endowment": "own {}",
    "elasticity": "elasticity in {}",
    "floor": "floor of {}",
    "ceiling": "ceiling of {}",
    "saturation": "saturation of {}",
}
# Outcomes that scenarios are compared by: the name, and how to read it off an allocation. All are better when larger,
# but for the last.
METRICS: dict[str, Callable[[Allocation], float]] = {
    "mean accuracy": average,  # weighted where agents count differently
    "worst accuracy": lambda allocation: allocation.worst,
    "best accuracy": lambda allocation: allocation.best,
    "total accuracy": lambda allocation: allocation.total,
    "Gini index": lambda allocation: gini(allocation.utility),
}


def change(allocation: Allocation, reference: Allocation, metric: str) -> float:
    """How far a metric of `METRICS` lies above that of the reference, as a share of it; NaN where that is 0.

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fleet = Problem(endowment=[0.25], capacity=0.0, elasticity=[0.5])
    >>> without, with_cloud = (fs.allocate(replace(fleet, capacity=amount), fs.Uniform()) for amount in (0.0, 0.75))
    >>> change(with_cloud, without, "mean accuracy"), change(with_cloud, without, "Gini index")
    (1.0, nan)
    """
    before = METRICS[metric](reference)
    return METRICS[metric](allocation) / before - 1 if before > 0 else float("nan")


@dataclass(frozen=True, eq=False)
class Scenario:
    """A problem and how it is divided.

    Parameters
    ----------
    name : str
        Unique in its tray.
    problem : Problem
        The fleet and the cloud.
    rule : str
        A rule's name as `policies.named` understands it; of given grants, what they are called.
    given : (n, m) array, optional
        Grants that are scored instead of those of a rule [units of each resource].
    error : (n, m) array, optional
        Standard error of each elasticity; 0, the default, where it is taken as known.
    base : FleetSpec or str, optional
        What draws the fleet that this one was changed from, or the name of its preset; it only makes links short.

    Raises
    ------
    ProblemError
        If the name, the rule, the grants or the errors are none.
    """

    name: str
    problem: Problem
    rule: str = FairSynergy.name
    given: Array | None = field(default=None, repr=False)
    error: Array | None = field(default=None, repr=False)
    base: FleetSpec | str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        labels = {"name": self.name, "rule" if self.given is None else "label": self.rule}
        for what, text in labels.items():
            if not text.strip() or len(text) > LONGEST_NAME or not text.isprintable():
                raise ProblemError(
                    f"a scenario's {what} must have 1 to {LONGEST_NAME} printable characters, got {text[:80]!r}"
                )
        shape = (self.problem.n, self.problem.m)
        error = np.zeros(shape) if self.error is None else np.array(self.error, dtype=np.float64)
        if error.shape != shape or not (np.isfinite(error) & (error >= 0)).all():
            raise ProblemError(
                f"{self.name}: `error` must be one finite number >= 0 per agent and resource, shape {shape}; "
                f"got shape {error.shape}"
            )
        object.__setattr__(self, "error", read_only(error))
        if self.given is not None:
            object.__setattr__(self, "given", Given(self.given, label=self.rule).grant)
            self.policy.divide(self.problem)  # which refuses grants of another shape
        elif len(named(self.rule)) != 1:
            raise ProblemError(f"{self.name}: a scenario has one rule, not {self.rule!r}")

    @property
    def policy(self) -> Policy:
        """What divides the problem."""
        return named(self.rule)[0] if self.given is None else Given(self.given, label=self.rule)

    @property
    def errors(self) -> Array:
        """(n, m) standard errors of the elasticities."""
        assert self.error is not None
        return self.error

    def _key(self) -> tuple[Any, ...]:
        given = None if self.given is None else self.given.tobytes()
        return (self.name, self.problem, self.rule, given, self.errors.tobytes(), self.base)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scenario) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())


@dataclass(frozen=True)
class Tray:
    """Scenarios in order; the one at work, and the one that the others are compared with, by name.

    Raises
    ------
    ProblemError
        If a name is there twice, or `selected` or `reference` is not there.
    """

    scenarios: tuple[Scenario, ...]
    selected: str
    reference: str

    def __post_init__(self) -> None:
        names = [scenario.name for scenario in self.scenarios]
        if len(names) > MOST_SCENARIOS:
            raise ProblemError(f"there are {len(names)} scenarios, and at most {MOST_SCENARIOS} go together; drop some")
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ProblemError(f"two scenarios are called {twice!r}; give each its own name")
        for name in (self.selected, self.reference):
            if name not in names:
                raise ProblemError(f"there is no scenario {name!r}; there are {', '.join(map(repr, names)) or 'none'}")

    @classmethod
    def of(cls, scenario: Scenario) -> Tray:
        """A tray of one."""
        return cls((scenario,), scenario.name, scenario.name)

    def __getitem__(self, name: str) -> Scenario:
        return next(scenario for scenario in self.scenarios if scenario.name == name)

    @property
    def current(self) -> Scenario:
        """The scenario at work."""
        return self[self.selected]

    def unused(self, name: str) -> str:
        """The name, with the next free number behind it if it is taken.

        Examples
        --------
        >>> fleet = Problem(endowment=[0.1], capacity=0.5, elasticity=[0.5])
        >>> Tray.of(Scenario("variant 1", fleet)).unused("variant 1"), Tray.of(Scenario("b", fleet)).unused("b")
        ('variant 2', 'b 2')
        """
        taken = {scenario.name for scenario in self.scenarios}
        stem, _, last = name.rpartition(" ")
        if not stem or not last.isdecimal():
            stem = name
        number = 2
        while name in taken:
            name, number = f"{stem[: LONGEST_NAME - 5]} {number}", number + 1
        return name

    def keep(self, scenario: Scenario) -> Tray:
        """One more scenario at the end, selected; its name is made unique."""
        scenario = replace(scenario, name=self.unused(scenario.name))
        return Tray((*self.scenarios, scenario), scenario.name, self.reference)

    def change(self, name: str, scenario: Scenario) -> Tray:
        """Another scenario in the place of one, perhaps under another name; whoever pointed there still does."""
        scenarios = tuple(scenario if old.name == name else old for old in self.scenarios)
        moved = {name: scenario.name}
        return Tray(
            scenarios, moved.get(self.selected, self.selected), moved.get(self.reference, self.reference)
        )  # fmt: skip

    def drop(self, name: str) -> Tray:
        """Without one; what pointed at it points at the one before it. The last one stays.

        Raises
        ------
        ProblemError
            If nothing would be left.
        """
        places = [scenario.name for scenario in self.scenarios]
        if places == [name]:
            raise ProblemError("the only scenario cannot be deleted; change it, or keep another one first")
        left = tuple(scenario for scenario in self.scenarios if scenario.name != name)
        next_best = left[max(places.index(name) - 1, 0)].name
        return Tray(
            left,
            next_best if self.selected == name else self.selected,
            next_best if self.reference == name else self.reference,
        )

    def select(self, name: str) -> Tray:
        """With another scenario at work."""
        return replace(self, selected=name)

    def compare_with(self, name: str) -> Tray:
        """With another reference."""
        return replace(self, reference=name)


class Difference(NamedTuple):
    """One thing in which two scenarios differ; None where only one of them has it. `agent` is None for the cloud,
    for the rule, and where many agents differ: then both numbers are averages over these."""

    what: str
    agent: str | None
    before: str | float | None
    after: str | float | None


def differences(one: Scenario, other: Scenario) -> list[Difference]:
    """All in which the other scenario differs from the one, the rule and the cloud first. Agents are matched by name.

    Examples
    --------
    >>> fleet = Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.5, 0.3])
    >>> locked = replace(fleet, floor=[0.2, 0.0], ceiling=[0.2, np.inf])
    >>> for difference in differences(Scenario("a", fleet), Scenario("b", locked, "Nash")):
    ...     print(*difference, sep=" | ")
    rule | None | Fair-Synergy | Nash
    floor of compute | agent 1 | 0.0 | 0.2
    ceiling of compute | agent 1 | inf | 0.2
    """
    found = [] if one.rule == other.rule else [Difference("rule", None, one.rule, other.rule)]
    before, after = one.problem, other.problem
    kinds = [name for name in before.resources if name in after.resources]
    for name in dict.fromkeys((*before.resources, *after.resources)):
        amounts = [
            float(problem.capacity[problem.resources.index(name)]) if name in problem.resources else None
            for problem in (before, after)
        ]
        if amounts[0] != amounts[1]:
            found.append(Difference(f"capacity of {name}", None, *amounts))
    places = {name: i for i, name in enumerate(after.agents)}
    shared = [(i, places[name]) for i, name in enumerate(before.agents) if name in places]
    rows, matches = (np.array(side, dtype=np.intp) for side in (zip(*shared, strict=True) if shared else ((), ())))
    gone = [name for name in before.agents if name not in places]
    here = set(before.agents)
    found += _names("left out", gone, before=True)
    found += _names("added", [name for name in after.agents if name not in here], before=False)
    names = [before.agents[i] for i in rows]
    for amount, words in AMOUNTS.items():
        for name in kinds:
            k, j = before.resources.index(name), after.resources.index(name)
            pair = getattr(before, amount)[rows, k], getattr(after, amount)[matches, j]
            found += _changes(words.format(name), names, *pair)
    found += _changes("weight", names, before.weight[rows], after.weight[matches])
    for name in kinds:
        k, j = before.resources.index(name), after.resources.index(name)
        errors = one.errors[rows, k], other.errors[matches, j]
        found += _changes(f"standard error of the elasticity in {name}", names, *errors)
        if one.given is not None and other.given is not None:
            found += _changes(f"proposed {name}", names, one.given[rows, k], other.given[matches, j])
    return found


def _names(what: str, names: Sequence[str], *, before: bool) -> list[Difference]:
    if len(names) > LISTED:
        return [Difference(f"{len(names)} agents {what}", None, *(("there", None) if before else (None, "there")))]
    return [Difference(f"agent {what}", name, *(("there", None) if before else (None, "there"))) for name in names]


def _changes(what: str, names: Sequence[str], before: Array, after: Array) -> list[Difference]:
    places = np.flatnonzero(before != after)
    if len(places) > LISTED:
        means = (float(side[places].mean()) for side in (before, after))
        return [Difference(f"{what}, average of {len(places)} agents", None, *means)]
    return [Difference(what, names[i], float(before[i]), float(after[i])) for i in places.tolist()]


def headline(tray: Tray, allocations: Mapping[str, Allocation]) -> str:
    """What the scenario at work does, beside the one it is compared with, in a sentence.

    Parameters
    ----------
    tray : Tray
        The scenarios.
    allocations : mapping of str to Allocation
        Their divisions by name, as far as there are any.

    Examples
    --------
    >>> from fairsynergy.allocation import allocate
    >>> first = Scenario("as it is", Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.5, 0.3]))
    >>> tray = Tray.of(first).keep(replace(first, name="equal", rule="Uniform"))
    >>> headline(tray, {each.name: allocate(each.problem, each.policy) for each in tray.scenarios})
    '“equal”: mean accuracy 0.71, 3 % lower than in “as it is”; its worst-off agent stands at 0.59, 17 % lower than
    there.'
    """
    here, there = allocations.get(tray.selected), allocations.get(tray.reference)
    if here is None:
        return f"“{tray.selected}” cannot be divided by {tray.current.rule}."
    if here.status is Status.FAILED:
        return f"“{tray.selected}” breaks a limit, so its accuracies mean nothing."
    mean, worst = f"{mean_word(here.problem)} {measure({'': here})} {number(average(here))}", number(here.worst)
    if tray.selected == tray.reference or there is None:
        return f"“{tray.selected}”: {mean}; its worst-off agent stands at {worst}."
    mean_beside, worst_beside = _beside(average(here), average(there)), _beside(here.worst, there.worst)
    return (
        f"“{tray.selected}”: {mean}, {mean_beside} “{tray.reference}”; its worst-off agent stands at "
        f"{worst}, {worst_beside.removeprefix('the same ').removesuffix(' in')} there."
    )


def _beside(value: float, reference: float) -> str:
    """By how much a value is above or below another, as what stands before that other's name.

    >>> for value, reference in ((0.55, 0.5), (0.5, 0.5), (0.6, 0.2), (0.1, 0.0)):
    ...     print(_beside(value, reference))
    10 % higher than in
    the same as in
    3.0 times as much as in
    up from 0 in
    """
    if value == reference or (reference and abs(value / reference - 1) < SAME):
        return "the same as in"
    if reference < FAINT:
        return f"up from {number(reference)} in"
    change = value / reference - 1
    if change >= 1:
        return f"{value / reference:,.1f} times as much as in"
    return f"{percent(abs(change))} {'higher' if change > 0 else 'lower'} than in"


def write_tray(tray: Tray) -> str:
    """The tray as JSON text; `read_tray` gives back an equal one.

    Raises
    ------
    ProblemError
        If the name of an agent or a resource cannot stand in a file.
    """
    head = {"format": FORMAT, "version": VERSION, "selected": tray.selected, "reference": tray.reference}
    parts = [f" {_json(key)}: {_json(value)}" for key, value in head.items()]
    scenarios = ",\n".join(map(_written, tray.scenarios))
    return "{\n" + ",\n".join([*parts, f' "scenarios": [\n{scenarios}\n ]']) + "\n}\n"


def _written(scenario: Scenario) -> str:
    entry: dict[str, Any] = {"name": scenario.name, "rule": scenario.rule} | _base_written(scenario.base)
    if scenario.given is not None:
        entry["given"] = scenario.given.tolist()
    if scenario.errors.any():
        entry["error"] = scenario.errors.tolist()
    parts = [f"  {_json(key)}: {_json(value)}" for key, value in entry.items()]
    return " {\n" + ",\n".join([*parts, f'  "fleet": {write_json(scenario.problem).rstrip()}']) + "\n }"


def read_tray(source: bytes, *, name: str = "the tray") -> Tray:
    """Read a tray from the JSON that `write_tray` wrote.

    Parameters
    ----------
    source : bytes
        The file's content.
    name : str
        The file, as messages should name it.

    Raises
    ------
    ProblemError
        If it is no such file, of a newer version, or holds what is no scenario; the message says which.

    Examples
    --------
    >>> read_tray(b'{"format": "fairsynergy tray", "version": 7}', name="plans.json")
    Traceback (most recent call last):
    ...
    fairsynergy.errors.ProblemError: plans.json has version 7, and this fairsynergy reads up to 1; open it with ...
    """
    try:
        document = json.loads(source.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ProblemError(f"{name} is not JSON text ({str(error)[:80]}); choose a file that was saved here") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        fleet = isinstance(document, dict) and "agents" in document
        hint = "it looks like a fleet: open it in the sidebar" if fleet else "choose a file that was saved here"
        raise ProblemError(f"{name} is not a tray of scenarios; {hint}")
    version = document.get("version")
    if type(version) is not int or version < 1:
        raise ProblemError(f"{name}: `version` must be a whole number from 1 on, got {str(version)[:40]!r}")
    if version > VERSION:
        raise ProblemError(
            f"{name} has version {version}, and this fairsynergy reads up to {VERSION}; open it with a newer one"
        )
    return _tray(document, name, lambda entry, _, where: _fleet(entry.get("fleet"), where))


def _fleet(given: Any, where: str) -> Problem:
    if not isinstance(given, dict):
        raise ProblemError(f"{where}: `fleet` must be an object with the fleet and its cloud")
    return read_fleet(json.dumps(given).encode(), name=where)


def _tray(
    document: Mapping[str, Any], name: str, fleet: Callable[[dict[str, Any], list[Scenario], str], Problem]
) -> Tray:
    """The tray of a document, whose fleets are read by the function: from (entry, scenarios so far, its place)."""
    entries = document.get("scenarios")
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise ProblemError(f"{name}: `scenarios` must be a list with an object per scenario")
    if len(entries) > MOST_SCENARIOS:
        raise ProblemError(f"{name}: there are {len(entries)} scenarios, and at most {MOST_SCENARIOS} go together")
    scenarios: list[Scenario] = []
    for entry in entries:
        called = entry.get("name")
        where = f"{name}, scenario {str(called)[:LONGEST_NAME]!r}"
        if not isinstance(called, str) or not isinstance(entry.get("rule"), str):
            raise ProblemError(f"{where}: `name` and `rule` must be texts")
        problem = fleet(entry, scenarios, where)
        given, error = (_amounts(entry.get(key), f"{where}: `{key}`") for key in ("given", "error"))
        try:
            base = _base(entry)
            scenarios.append(Scenario(called, problem, entry["rule"], given=given, error=error, base=base))
        except ProblemError as complaint:
            raise ProblemError(f"{where}: {complaint}") from None
    selected, reference = (document.get(key) for key in ("selected", "reference"))
    if not isinstance(selected, str) or not isinstance(reference, str):
        raise ProblemError(f"{name}: `selected` and `reference` must be names of scenarios")
    try:
        return Tray(tuple(scenarios), selected, reference)
    except ProblemError as complaint:
        raise ProblemError(f"{name}: {complaint}") from None


def _amounts(given: ArrayLike | None, where: str) -> Array | None:
    if given is None:
        return None
    try:
        amounts = np.array(given)
    except ValueError:
        amounts = np.array(None)
    if amounts.dtype.kind not in "iuf" or amounts.ndim != 2:
        raise ProblemError(f"{where} must be a list with a list of numbers for each agent")
    return amounts.astype(np.float64)


def _base_written(base: FleetSpec | str | None) -> dict[str, Any]:
    if isinstance(base, str):
        return {"preset": base}
    if base is None:
        return {}
    plain = FleetSpec()
    values = {each.name: getattr(base, each.name) for each in fields(base)}
    changed = {key: value for key, value in values.items() if value != getattr(plain, key)}
    return {
        "drawn": {key: value.name if isinstance(value, Setting) else _plain(value) for key, value in changed.items()}
    }


def _plain(value: Any) -> Any:
    """NumPy's numbers, which a slider may have handed on, as Python's."""
    return value.item() if isinstance(value, np.generic) else value


def _base(entry: Mapping[str, Any]) -> FleetSpec | str | None:
    if "preset" in entry:
        preset = entry["preset"]
        if not isinstance(preset, str) or preset not in PRESETS:
            raise ProblemError(f"there is no preset {str(preset)[:40]!r} here; a newer fairsynergy may have it")
        return preset
    if "drawn" not in entry:
        return None
    drawn = entry["drawn"]
    known = {each.name for each in fields(FleetSpec)}
    if not isinstance(drawn, dict) or not drawn.keys() <= known:
        raise ProblemError(f"`drawn` must be an object of {', '.join(sorted(known))}")
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in drawn.items()}
    if "setting" in values:
        if not isinstance(values["setting"], str) or values["setting"] not in Setting.__members__:
            raise ProblemError(f"`setting` must be RTI or DL, got {str(values['setting'])[:40]!r}")
        values["setting"] = Setting[values["setting"]]
    base = FleetSpec(**values)
    if base.agents > MOST_DRAWN:
        raise ProblemError(f"{base.agents} agents are more than the {MOST_DRAWN:,} that can be drawn for a scenario")
    return base


# A link: the JSON of a tray, with fleets told shorter, compressed and in letters that an address may hold. A fleet is
# "edits" of what its base draws, or of the scenario "like" before it, or itself.


def to_link(tray: Tray) -> str | None:
    """The tray in letters for an address; None if it or they would be more than a link may hold.

    Examples
    --------
    >>> spec = FleetSpec(agents=100)
    >>> tray = Tray.of(Scenario("as drawn", spec.problem(), base=spec))
    >>> len(to_link(tray)) < 200
    True
    """
    if sum(scenario.problem.n for scenario in tray.scenarios) > MOST_DRAWN:
        return None
    document: dict[str, Any] = {"version": VERSION, "selected": tray.selected, "reference": tray.reference}
    document["scenarios"] = []
    seen: list[Scenario] = []
    for scenario in tray.scenarios:
        entry: dict[str, Any] = {"name": scenario.name, "rule": scenario.rule} | _base_written(scenario.base)
        try:
            telling = _telling(scenario, seen)
        except ProblemError:  # a name that no file may hold
            telling = None
        if telling is None:
            return None
        entry |= telling
        if scenario.given is not None:
            entry["given"] = scenario.given.tolist()
        if scenario.errors.any():
            entry["error"] = scenario.errors.tolist()
        document["scenarios"].append(entry)
        seen.append(scenario)
    letters = packed(document)
    return letters if len(letters) <= LONGEST_LINK else None


def from_link(text: str) -> Tray:
    """The tray that `to_link` put into letters.

    Raises
    ------
    ProblemError
        If the letters are no tray; the link was cut, or made by a newer version.
    """
    name = "the link"
    cut = ProblemError(f"{name} holds no tray of scenarios; it may have been cut: ask for a file instead")
    document = unpacked(text)
    if not isinstance(document, dict) or type(document.get("version")) is not int:
        raise cut
    if document["version"] > VERSION:
        raise ProblemError(f"{name} was made by a newer fairsynergy; open it there, or ask for a file")
    return _tray(document, name, _told)


def _telling(scenario: Scenario, seen: Sequence[Scenario]) -> dict[str, Any] | None:
    """The shortest way to tell a scenario's fleet; None if that is hopelessly long."""
    starts: list[tuple[dict[str, Any], Problem]] = [({"like": i}, other.problem) for i, other in enumerate(seen)]
    base = scenario.base
    if isinstance(base, str) or (base is not None and base.agents == scenario.problem.n):
        starts.append(({}, _drawn(base)))
    known = [(head, edits) for head, start in starts if (edits := _edits(start, scenario.problem)) is not None]
    if known:
        head, edits = min(known, key=lambda each: sum(len(places) for places, _ in each[1].values()))
        return head | {"edits": edits} if sum(len(places) for places, _ in edits.values()) <= HOPELESS else None
    if scenario.problem.n * scenario.problem.m > HOPELESS:
        return None
    return {"fleet": json.loads(write_json(scenario.problem))}


def _told(entry: dict[str, Any], seen: list[Scenario], where: str) -> Problem:
    """The fleet that an entry of a link tells."""
    if "fleet" in entry:
        return _fleet(entry["fleet"], where)
    like, edits = entry.get("like"), entry.get("edits")
    if like is None:
        try:
            base = _base(entry)
        except ProblemError as complaint:
            raise ProblemError(f"{where}: {complaint}") from None
        _limit(seen, base.agents if isinstance(base, FleetSpec) else 0, where)  # before they are drawn
        start = None if base is None else _drawn(base)
    else:
        start = seen[like].problem if type(like) is int and 0 <= like < len(seen) else None
        _limit(seen, 0 if start is None else start.n, where)
    if start is None or not isinstance(edits, dict):
        raise ProblemError(f"{where}: its fleet is missing; the link may have been cut: ask for a file instead")
    return _edited(start, edits, where)


def _limit(seen: Sequence[Scenario], more: int, where: str) -> None:
    """Refuse a link of a few letters that would fill the memory."""
    agents = sum(scenario.problem.n for scenario in seen) + more
    if agents > MOST_DRAWN:
        raise ProblemError(f"{where}: the scenarios so far have {agents:,} agents, and a link up to {MOST_DRAWN:,}")


def _drawn(base: FleetSpec | str) -> Problem:
    return PRESETS[base].problem if isinstance(base, str) else base.problem()


def _edits(start: Problem, end: Problem) -> dict[str, Any] | None:
    """What turns one problem into another of the same agents and resources: by field, places and numbers."""
    if (start.agents, start.resources) != (end.agents, end.resources):
        return None
    edits: dict[str, Any] = {}
    for name in ("capacity", "weight", *AMOUNTS):
        before, after = getattr(start, name), getattr(end, name)
        places = np.flatnonzero(before != after)
        if len(places):
            edits[name] = [places.tolist(), [None if value == np.inf else value for value in after.flat[places]]]
    return edits


def _edited(start: Problem, edits: Mapping[str, Any], where: str) -> Problem:
    changed: dict[str, Any] = {}
    for name, change in edits.items():
        try:
            places, values = change
            value = np.array(getattr(start, name)) if name in ("capacity", "weight", *AMOUNTS) else None
            if value is None or not all(type(place) is int and 0 <= place < value.size for place in places):
                raise ValueError
            for place, number in zip(places, values, strict=True):
                value.flat[place] = np.inf if number is None else float(number)
        except (TypeError, ValueError, OverflowError):
            raise ProblemError(f"{where}: its changes cannot be read; the link may have been cut") from None
        changed[name] = value
    try:
        return replace(start, **changed)
    except ProblemError as complaint:
        raise ProblemError(f"{where}: {complaint}") from None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(", ", ": "))
