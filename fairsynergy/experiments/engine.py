"""Many fleets by many rules, in batches: what each rule does to each fleet, as one table.

>>> from fairsynergy.policies import FairSynergy, Uniform
>>> from fairsynergy.experiments.drawing import Growing
>>> from fairsynergy.fleets import Setting
>>> table = run(Growing(setting=Setting.RTI, seeds=2, sizes=(1, 10)), {"best": FairSynergy(), "even": Uniform()})
>>> table.groupby(["agents", "rule"])["mean"].mean().round(3)
agents  rule
1       best    0.957
        even    0.957
10      best    0.795
        even    0.733
Name: mean, dtype: float64
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fairsynergy.errors import ProblemError
from fairsynergy.kernel import Fleets
from fairsynergy.kernel._dual import bounds
from fairsynergy.kernel._objective import TotalUtility
from fairsynergy.policies import Policy
from fairsynergy.problem import Array

# Of every table: which fleet, how large, by which rule; the accuracies it leaves; how unequal they are; what it took.
COLUMNS = ("experiment", "agents", "rule", "mean", "worst", "best", "gini", "seconds", "gap")
# Agents that a batch holds at most, or so: its arrays stay in a core's cache, and a stop is never far.
TOGETHER = 30_000


class Batch(NamedTuple):
    """Fleets that are solved together, and which experiment (b,) each belongs to."""

    experiment: NDArray[np.int64]
    fleets: Fleets


class Protocol(ABC):
    """How fleets are drawn. The same protocol draws the same fleets in the same batches anywhere."""

    @property
    @abstractmethod
    def batches(self) -> int:
        """Into how many batches the fleets fall."""

    @abstractmethod
    def draw(self, batch: int) -> Batch:
        """One of them."""


class Progress(NamedTuple):
    """How far a run is: what is done and in all, seconds since it began, and what was done before that."""

    done: int
    of: int
    seconds: float
    before: int = 0

    @property
    def left(self) -> float:
        """Seconds to go, if the rest is like what was."""
        return self.seconds * (self.of - self.done) / max(self.done - self.before, 1)


def run(
    protocol: Protocol, policies: Mapping[str, Policy], *, tell: Callable[[Progress], object] | None = None
) -> pd.DataFrame:
    """Solve every fleet of a protocol by every rule, in this process.

    Parameters
    ----------
    protocol : Protocol
        The fleets.
    policies : mapping of str to Policy
        The rules, by the name they have in the table.
    tell : callable, optional
        Called after every batch; whatever it raises ends the run.

    Returns
    -------
    DataFrame
        One row per fleet and rule, with `COLUMNS`. `seconds` is the time of a batch shared equally among its fleets;
        `gap` the largest part of the best total that can be missing, by the best proof that any of the rules gave for
        that fleet, NaN if none did.

    Raises
    ------
    ProblemError
        If there is no rule, or one does not handle one of the fleets.
    """
    start = perf_counter()
    parts = []
    for number in range(protocol.batches):
        parts.append(measure(protocol.draw(number), policies))
        if tell is not None:
            tell(Progress(number + 1, protocol.batches, perf_counter() - start))
    return pd.concat(parts, ignore_index=True)


def measure(batch: Batch, policies: Mapping[str, Policy]) -> pd.DataFrame:
    """What every rule does to every fleet of a batch; as `run`, for one batch."""
    if not policies:
        raise ProblemError("there are no rules to compare; give at least one, by name")
    experiment, fleets = batch
    agents, count = fleets.agents, len(fleets)
    totals: dict[str, Array] = {}
    least = np.full(count, np.inf)
    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for name, policy in policies.items():
        start = perf_counter()
        divided = policy.divide_many(fleets)
        seconds = (perf_counter() - start) / count
        outcome = fleets.outcome(divided.grant)
        totals[name] = outcome.total
        least = np.fmin(least, divided.bound)
        if isinstance(policy.objective, TotalUtility) and fleets.m <= 2:
            least = np.fmin(least, bounds(fleets, divided.grant))
        for column, values in (
            ("experiment", experiment), ("agents", agents), ("mean", outcome.mean), ("worst", outcome.worst),
            ("best", outcome.best), ("gini", outcome.gini), ("seconds", np.full(count, seconds)),
        ):  # fmt: skip
            columns[column].append(values)
    proved = np.where(np.isinf(least), np.nan, least)
    with np.errstate(invalid="ignore"):
        # Where nobody can have any accuracy, nothing of it is missing.
        missing = [1 - np.divide(total, proved, out=np.ones(count), where=proved != 0) for total in totals.values()]
        gaps = [np.maximum(0.0, part) for part in missing]
    columns["gap"] = gaps
    columns["rule"] = [np.repeat(name, count) for name in policies]
    # Fleet by fleet, the rules of each together.
    stacked = {name: np.stack(values, axis=1).ravel() for name, values in columns.items()}
    return pd.DataFrame(stacked)
