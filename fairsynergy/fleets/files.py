"""Fleets as files, in and out: a table with one row per agent, as CSV or JSON.

The columns are those of `fairsynergy.fleets.tables`. CSV holds the fleet alone; JSON also holds what the cloud has:

    {"capacity": {"compute": 0.3}, "saturation": {"compute": 1}, "agents": [{"agent": "drone 1", ...}, ...]}

>>> table = b"agent,compute,gamma_compute\\ndrone 1,0.1,0.3\\ndrone 2,0.2,0.6\\n"
>>> read_fleet(table, name="drones.csv", capacity={"compute": 0.3})
Problem(2 agents, capacity compute 0.3)
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fairsynergy.allocation import Allocation
from fairsynergy.errors import ProblemError
from fairsynergy.fleets.tables import (
    DEFAULTS,
    PREFIXES,
    Decimal,
    Where,
    is_resource,
    read_sheet,
    shielded,
    taken,
    unfit_column,
    unfit_name,
)
from fairsynergy.problem import Array, Problem

# The column that feeds each argument of `Problem`; {} is the resource.
COLUMNS = {
    "agents": "agent",
    "weight": "weight",
    "endowment": "{}",
    "elasticity": "gamma_{}",
    "floor": "floor_{}",
    "ceiling": "ceiling_{}",
    "saturation": "saturation_{}",
}


@dataclass(frozen=True, eq=False, kw_only=True)
class FleetFile:
    """A fleet as its file tells it; what the cloud has may still be missing. Made by `read_file`.

    Parameters
    ----------
    name : str
        The file, as messages name it.
    resources : tuple of str
        In the order of the columns.
    agents : tuple of str or None
        Their names; None without such a column.
    columns : mapping of str to (n,) array
        The numbers by column.
    capacity : mapping of str to float
        What the file says the cloud can grant; empty for CSV.
    where : callable
        (index of an agent, column) to the words for that place in the file.
    """

    name: str
    resources: tuple[str, ...]
    agents: tuple[str, ...] | None
    columns: Mapping[str, Array]
    capacity: Mapping[str, float]
    where: Where

    @property
    def n(self) -> int:
        """Number of agents."""
        return len(self.columns[self.resources[0]])

    def problem(self, *, capacity: Mapping[str, float] | None = None, saturation: float | None = None) -> Problem:
        """The fleet, and a cloud for it.

        Parameters
        ----------
        capacity : mapping of str to float, optional
            What the cloud can grant of each resource [units of the resource]; replaces what the file says.
        saturation : float, optional
            Holding above which more adds nothing, for every resource; replaces what the file says.

        Raises
        ------
        ProblemError
            If a capacity is missing or unknown, or the numbers are not a valid `Problem`.
        """
        amounts = {**self.capacity, **(capacity or {})}
        known = ", ".join(self.resources)
        for name in amounts:
            if name not in self.resources:
                message = f"{self.name}: `capacity` names {name!r}, but the agents have only {known}"
                raise ProblemError(message, field="capacity")
        for name in self.resources:
            if name not in amounts:
                message = f"{self.name}: `capacity` is missing for {name!r}; say how much the cloud can share"
                raise ProblemError(message, field="capacity")
        try:
            return Problem(
                endowment=self._matrix("endowment"),
                capacity=[amounts[name] for name in self.resources],
                elasticity=self._matrix("elasticity"),
                weight=self.columns.get("weight"),
                floor=self._matrix("floor"),
                ceiling=self._matrix("ceiling"),
                saturation=self._matrix("saturation") if saturation is None else saturation,
                agents=self.agents,
                resources=self.resources,
            )
        except ProblemError as error:
            beside = error.index is None or (error.field == "saturation" and saturation is not None)
            place = self.name if beside else self._place(error, amounts)
            raise ProblemError(f"{place}: {error}", field=error.field, index=error.index) from None

    def _matrix(self, argument: str) -> Array:
        def values(resource: str) -> Array:
            column = COLUMNS[argument].format(resource)
            return self.columns[column] if column in self.columns else np.full(self.n, DEFAULTS[argument])

        return np.stack([values(resource) for resource in self.resources], axis=1)

    def _place(self, error: ProblemError, amounts: Mapping[str, float]) -> str:
        """Where in the file the entry stands that `Problem` refused."""
        assert error.field is not None
        assert error.index is not None
        if error.field in ("agents", "weight"):
            return self.where(error.index[0], COLUMNS[error.field])
        resource = self.resources[error.index[-1]]
        if error.field != "capacity":
            return self.where(error.index[0], COLUMNS[error.field].format(resource))
        floor = f"floor_{resource}"
        if floor in self.columns and 0 <= amounts[resource] < np.inf:
            # The floors need more than there is: name the agent whose floor is the first too much.
            return self.where(int(np.argmax(self.columns[floor].cumsum() > amounts[resource])), floor)
        return self.name


def read_fleet(
    source: bytes | str | os.PathLike[str],
    *,
    name: str | None = None,
    capacity: Mapping[str, float] | None = None,
    saturation: float | None = None,
    decimal: Decimal | None = None,
) -> Problem:
    """Read a problem from CSV or JSON: `read_file`, then `FleetFile.problem`.

    Parameters
    ----------
    source : bytes or path
        The content itself, or the file that holds it.
    name : str, optional
        The file, as messages should name it; default the last part of the path.
    capacity : mapping of str to float, optional
        What the cloud can grant of each resource; needed for CSV, and replaces what JSON says.
    saturation : float, optional
        Holding above which more adds nothing; replaces what the file says.
    decimal : "point" or "comma", optional
        Which mark stands before decimals in CSV; the other is then read where it groups thousands. Needed only where
        the numbers may be read either way, such as 1.000 beside 500, which is refused.

    Raises
    ------
    ProblemError
        If the content cannot be understood or is not a valid problem; the message names row and column.
    OSError
        If the path cannot be read.

    Examples
    --------
    >>> read_fleet(b"compute,gamma_compute\\n0.1,1.6\\n", name="drones.csv", capacity={"compute": 0.3})
    Traceback (most recent call last):
    ...
    fairsynergy.errors.ProblemError: drones.csv, row 2, column gamma_compute: `elasticity[0, 0]` (agent 1,
    compute) must be strictly between 0 and 1, got 1.6; ...
    """
    return read_file(source, name=name, decimal=decimal).problem(capacity=capacity, saturation=saturation)


def read_file(
    source: bytes | str | os.PathLike[str], *, name: str | None = None, decimal: Decimal | None = None
) -> FleetFile:
    """Read a fleet whose capacities may still be missing. Parameters and errors as for `read_fleet`.

    Examples
    --------
    >>> fleet = read_file(b"compute,gamma_compute\\n0.1,0.3\\n0.2,0.6\\n", name="drones.csv")
    >>> fleet.n, fleet.resources
    (2, ('compute',))
    >>> fleet.problem(capacity={"compute": 0.5 * fleet.n})
    Problem(2 agents, capacity compute 1)
    """
    data, name = taken(source, name, default="the fleet")
    sheet = read_sheet(data, name, decimal=decimal)
    columns = {column: sheet.numbers(column) for column in sheet.columns if column != "agent"}
    for resource, level in sheet.saturation.items():
        columns.setdefault(f"saturation_{resource}", np.full(len(columns[resource]), level))
    return FleetFile(
        name=name,
        resources=sheet.resources,
        agents=sheet.agents(),
        columns=columns,
        capacity=sheet.capacity,
        where=sheet.where,
    )


def write_csv(problem: Problem) -> str:
    """The fleet as CSV, one row per agent; what the cloud has is not in it.

    Names that a spreadsheet would run as formulas are shielded by an apostrophe, which `read_fleet` takes away.

    Raises
    ------
    ProblemError
        If a name cannot stand in a file; the message says which.

    Examples
    --------
    >>> drones = Problem(endowment=[0.1, 0.2], capacity=0.3, elasticity=[0.3, 0.6], floor=[0.1, 0])
    >>> print(write_csv(drones), end="")
    agent,compute,gamma_compute,floor_compute
    agent 1,0.1,0.3,0.1
    agent 2,0.2,0.6,
    """
    columns = _columns(problem)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(map(shielded, columns))
    columns["agent"] = list(map(shielded, columns["agent"]))
    writer.writerows(zip(*columns.values(), strict=True))  # None becomes an empty cell
    return out.getvalue()


def write_json(problem: Problem) -> str:
    """The whole problem as JSON; `read_fleet` gives back an equal one.

    Raises
    ------
    ProblemError
        If a name cannot stand in a file; the message says which.

    Examples
    --------
    >>> drones = Problem(endowment=[0.1, 0.2], capacity=0.3, elasticity=[0.3, 0.6], saturation=1)
    >>> print(write_json(drones), end="")
    {
      "capacity": {"compute": 0.3},
      "saturation": {"compute": 1.0},
      "agents": [
        {"agent": "agent 1", "compute": 0.1, "gamma_compute": 0.3},
        {"agent": "agent 2", "compute": 0.2, "gamma_compute": 0.6}
      ]
    }
    >>> read_fleet(write_json(drones).encode()) == drones
    True
    """
    columns = _columns(problem)
    cloud = {"capacity": dict(zip(problem.resources, problem.capacity.tolist(), strict=True))}
    for resource, level in zip(problem.resources, problem.saturation.T, strict=True):
        if level[0] < np.inf and (level == level[0]).all():
            cloud.setdefault("saturation", {})[resource] = float(level[0])
            del columns[f"saturation_{resource}"]
    head = [f'"{key}": {_json(amounts)}' for key, amounts in cloud.items()]
    agents = [
        _json({column: cell for column, cell in zip(columns, row, strict=True) if cell is not None})
        for row in zip(*columns.values(), strict=True)
    ]
    return "{\n  " + ",\n  ".join([*head, '"agents": [\n    ' + ",\n    ".join(agents)]) + "\n  ]\n}\n"


def results_table(allocations: Iterable[Allocation]) -> list[dict[str, str | float]]:
    """One record per rule and agent, ready for a data frame or `csv.DictWriter`.

    Keys: rule, agent, accuracy_before (without the cloud), accuracy, and for each resource NAME own_NAME and
    granted_NAME [units of the resource].

    Examples
    --------
    >>> import fairsynergy as fs
    >>> drone = Problem(endowment=[0.25], capacity=0.75, elasticity=[0.5])
    >>> for key, value in results_table([fs.allocate(drone, fs.Uniform())])[0].items():
    ...     print(key, value)
    rule Uniform
    agent agent 1
    accuracy_before 0.5
    accuracy 1.0
    own_compute 0.25
    granted_compute 0.75
    """
    records = []
    for allocation in allocations:
        problem = allocation.problem
        n = problem.n
        columns: dict[str, list[Any]] = {
            "rule": [allocation.policy.label] * n,
            "agent": list(problem.agents),
            "accuracy_before": problem.utility(np.zeros((n, problem.m))).tolist(),
            "accuracy": allocation.utility.tolist(),
        }
        for k, resource in enumerate(problem.resources):
            columns[f"own_{resource}"] = problem.endowment[:, k].tolist()
            columns[f"granted_{resource}"] = allocation.grant[:, k].tolist()
        records += [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return records


def _columns(problem: Problem) -> dict[str, list[Any]]:
    """The problem as a table; None is an empty cell, and a column of nothing else is left out."""
    for kind, names in (("agents", problem.agents), ("resources", problem.resources)):
        for index, name in enumerate(names):
            complaint = unfit_name(name) if kind == "agents" else unfit_column(name)
            if kind == "resources" and not complaint and (not is_resource(name) or name != name.strip()):
                complaint = (
                    f"{name!r} cannot head a column; choose a name without spaces at its ends that is not "
                    f"agent or weight and does not begin with {', '.join(PREFIXES)}"
                )
            if complaint:
                raise ProblemError(
                    f"`{kind}[{index}]` cannot be written to a file: {complaint}", field=kind, index=(index,)
                )
    columns: dict[str, list[Any]] = {"agent": list(problem.agents)}
    for argument in ("endowment", "elasticity"):
        for k, resource in enumerate(problem.resources):
            columns[COLUMNS[argument].format(resource)] = getattr(problem, argument)[:, k].tolist()
    limits = {"weight": problem.weight}
    for argument in ("floor", "ceiling", "saturation"):
        for k, resource in enumerate(problem.resources):
            limits[COLUMNS[argument].format(resource)] = getattr(problem, argument)[:, k]
    for column, values in limits.items():
        default = DEFAULTS[column.partition("_")[0]]
        if (values != default).any():
            columns[column] = [None if value == default else value for value in values.tolist()]
    return columns


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
