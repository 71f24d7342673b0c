"""A scenario as a short Python script, which rebuilds it to the last digit, divides it and prints the result.

>>> from dataclasses import replace
>>> from fairsynergy.fleets import FleetSpec
>>> spec = FleetSpec(agents=3)
>>> locked = replace(spec.problem(), floor=[0.2, 0, 0], ceiling=[0.2, np.inf, np.inf])
>>> print(python(Scenario("one locked", locked, "Nash", base=spec)), end="")
from dataclasses import replace
<BLANKLINE>
import fairsynergy as fs
from fairsynergy.fleets import FleetSpec
<BLANKLINE>
problem = FleetSpec(agents=3).problem()
floor, ceiling = problem.floor.copy(), problem.ceiling.copy()
floor[0, 0] = 0.2
ceiling[0, 0] = 0.2
problem = replace(problem, floor=floor, ceiling=ceiling)
<BLANKLINE>
allocation = fs.allocate(problem, fs.Nash())
print('one locked')
print("mean", allocation.mean)
print("worst", allocation.worst)
print("best", allocation.best)
print("status", allocation.status.name)
for agent, grant in zip(problem.agents, allocation.grant.tolist()):
    print(agent, *grant)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING, fields
from textwrap import indent, wrap
from typing import Any

import numpy as np

from fairsynergy.fleets.drawn import PRESETS, FleetSpec, Setting
from fairsynergy.fleets.tray import Scenario
from fairsynergy.policies import Given
from fairsynergy.problem import DEFAULT_RESOURCES, Array, Problem

# Entries of an array that are set one by one; of more, the whole array is written.
FEW = 8
LINE = 100  # letters in a line of numbers
NUMBERS = ("endowment", "capacity", "elasticity", "weight", "floor", "ceiling", "saturation")
# What a problem need not be told.
DEFAULTS = {"weight": 1.0, "floor": 0.0, "ceiling": np.inf, "saturation": np.inf}
PRINTED = """\
print("mean", allocation.mean)
print("worst", allocation.worst)
print("best", allocation.best)
print("status", allocation.status.name)
for agent, grant in zip(problem.agents, allocation.grant.tolist()):
    print(agent, *grant)
"""
# Where agents count differently, the mean that the total is about comes first.
WEIGHTED = 'print("weighted mean", allocation.weighted_mean)'


def python(scenario: Scenario) -> str:
    """A script that rebuilds the scenario, divides it, and prints mean, worst, best, status and grants.

    It starts from what drew the fleet, where that is known, and changes what was changed since; else from the numbers.
    Every text is written as Python writes it, so that a name is never more than a name. Standard errors of
    elasticities are left out, since no rule reads them.

    Parameters
    ----------
    scenario : Scenario
        What to write down.
    """
    return _Script(scenario).text()


class _Script:
    """The lines of a script, and the names that they need."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.needs: set[str] = set()

    def text(self) -> str:
        made = [*self._problem(), "", *self._allocation(), f"print({self.scenario.name!r})"]
        standard = {"replace": "from dataclasses import replace", "inf": "from math import inf"}
        head = [line for name, line in standard.items() if name in self.needs]
        drawn = sorted(self.needs - standard.keys())
        head += [""] * bool(head) + ["import fairsynergy as fs"]
        head += [f"from fairsynergy.fleets import {', '.join(drawn)}"] * bool(drawn)
        printed = [WEIGHTED] * self.scenario.problem.weighted + [PRINTED]
        return "\n".join([*head, "", *made, *printed])

    def _problem(self) -> list[str]:
        """Lines that make the problem."""
        base, end = self.scenario.base, self.scenario.problem
        if base is not None:
            start = PRESETS[base].problem if isinstance(base, str) else base.problem()
            if (start.n, start.resources) == (end.n, end.resources):
                return [f"problem = {self._base(base)}", *self._edits(start, end)]
        return [f"problem = fs.Problem(\n{self._arguments(end)})"]

    def _base(self, base: FleetSpec | str) -> str:
        if isinstance(base, str):
            self.needs.add("PRESETS")
            return f"PRESETS[{base!r}].problem"
        self.needs.add("FleetSpec")
        return f"FleetSpec({self._settings(base)}).problem()"

    def _edits(self, start: Problem, end: Problem) -> list[str]:
        """Lines that change one problem into another: few entries one by one, many as a whole."""
        single, whole = {}, {}
        for name in NUMBERS:
            after = getattr(end, name)
            places = np.argwhere(getattr(start, name) != after)
            if not len(places):
                continue
            if len(places) > FEW or name == "capacity" or (name in DEFAULTS and (after == after[0]).all()):
                whole[name] = self._array(name, after)
            else:
                single[name] = [
                    f"{name}[{', '.join(map(str, place))}] = {self._value(float(after[tuple(place)]))}"
                    for place in places.tolist()
                ]
        if start.agents != end.agents:
            whole["agents"] = _listed([repr(name) for name in end.agents])
        if not single and not whole:
            return []
        self.needs.add("replace")
        copies = ", ".join(f"problem.{name}.copy()" for name in single)
        lines = [f"{', '.join(single)} = {copies}"] * bool(single)
        lines += [line for edits in single.values() for line in edits]
        long = {name: value for name, value in whole.items() if "\n" in value}
        lines += [f"{name} = {value}" for name, value in long.items()]
        changes = dict.fromkeys(single) | whole
        told = ", ".join(f"{name}={name if name not in whole or name in long else whole[name]}" for name in changes)
        return [*lines, f"problem = replace(problem, {told})"]

    def _arguments(self, problem: Problem) -> str:
        """The problem from its numbers, one argument after the other."""
        given = {
            name: self._array(name, getattr(problem, name))
            for name in NUMBERS
            if name not in DEFAULTS or (getattr(problem, name) != DEFAULTS[name]).any()
        }
        if problem.agents != tuple(f"agent {i + 1}" for i in range(problem.n)):
            given["agents"] = _listed([repr(name) for name in problem.agents])
        if problem.resources != DEFAULT_RESOURCES[: problem.m]:
            given["resources"] = _listed([repr(name) for name in problem.resources])
        return indent("".join(f"{name}={value},\n" for name, value in given.items()), "    ")

    def _array(self, name: str, values: Array) -> str:
        """An array as its argument takes it, as short as that goes."""
        if name in DEFAULTS and (values == values.flat[0]).all():
            return self._value(float(values.flat[0]))
        if values.ndim == 2 and name in DEFAULTS and (values == values[0]).all():
            values = values[0]
        if values.ndim == 2 and values.shape[1] > 1:
            return _listed([f"[{', '.join(map(self._value, row))}]" for row in values.tolist()])
        return _listed([self._value(value) for value in values.ravel().tolist()], numbers=True)

    def _allocation(self) -> list[str]:
        """Lines that divide the problem."""
        policy = self.scenario.policy
        if isinstance(policy, Given):
            made = f"allocation = fs.allocate(problem, fs.Given(split, label={policy.label!r}))"
            return [f"split = {self._array('grant', policy.grant)}", made]
        return [f"allocation = fs.allocate(problem, fs.{type(policy).__name__}({self._settings(policy)}))"]

    def _settings(self, record: Any) -> str:
        """What a record was told beyond its defaults."""
        values = [(each.name, getattr(record, each.name), each.default) for each in fields(record) if each.init]
        told = [(name, value) for name, value, default in values if default is MISSING or value != default]
        return ", ".join(f"{name}={self._value(value)}" for name, value in told)

    def _value(self, value: Any) -> str:
        if isinstance(value, tuple):
            return f"({', '.join(map(self._value, value))})"
        if isinstance(value, Setting):
            self.needs.add("Setting")
            return str(value)
        if isinstance(value, np.generic):
            value = value.item()
        if value == np.inf:
            self.needs.add("inf")
        return repr(value)


def _listed(items: Sequence[str], *, numbers: bool = False) -> str:
    """A list; a long one over several lines, numbers in rows and all else one by one."""
    joined = ", ".join(items)
    if len(joined) < LINE - 20:
        return f"[{joined}]"
    lines = wrap(joined, LINE, break_long_words=False) if numbers else [f"{item}," for item in items]
    return "\n".join(["[", *(f"    {line}" for line in lines), "]"])
