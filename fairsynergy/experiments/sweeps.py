"""Sweeps: every combination of a grid (grid.py), in chunks that any number of workers solve and that survive a stop.

Results go to a folder (folder.py): results.parquet has a row per fleet and rule, and seconds.parquet what each rule
took. Times are measurements, which differ from run to run; so they have a file of their own, and results.parquet is the
same, byte by byte, however many workers there were, wherever they were, and however often they were stopped (on
processors of one kind, with the same versions of the packages). `read` puts the two together.

>>> from tempfile import TemporaryDirectory
>>> config = {"setting": "RTI", "agents": [2, 5], "seeds": 100, "rules": ["leximin", "uniform"]}
>>> with TemporaryDirectory() as folder:
...     path = sweep(config, folder, workers=1)
...     table = read(folder)
>>> table.groupby(["agents", "rule"])["worst"].mean().round(3)
agents  rule
2       Leximin    0.766
        Uniform    0.686
5       Leximin    0.777
        Uniform    0.631
Name: worst, dtype: float64
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from fairsynergy.errors import FairSynergyError, ProblemError, SolverError
from fairsynergy.experiments import folder as folders
from fairsynergy.experiments.engine import COLUMNS, Batch, Progress, measure
from fairsynergy.experiments.grid import Grid, Piece
from fairsynergy.experiments.workers import cluster, connect, local
from fairsynergy.policies import Policy


def sweep(
    config: str | Path | Mapping[str, Any],
    folder: str | Path,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    tell: Callable[[Progress], object] | None = None,
) -> Path:
    """Solve every fleet of a grid by every rule, or what is left of it.

    Parameters
    ----------
    config : path or mapping
        A TOML file as grid.py explains it, or what such a file says.
    folder : path
        Where results go: a new folder, an empty one, or that of the same sweep, which then goes on.
    workers : int, optional
        Processes of this machine; 1 works in this process. Default: as many as there are processors.
    scheduler : str, optional
        Address of a Dask scheduler, whose workers then do the work.
    tell : callable, optional
        Called at the start and after every chunk with how many fleets are done; whatever it raises stops the sweep,
        and the same call goes on from there.

    Returns
    -------
    Path
        The file of the results, in the folder.

    Raises
    ------
    ProblemError
        If the configuration is not one; the folder holds something else, cannot be written, or holds a damaged file;
        there is no such scheduler; or a rule does not handle these fleets.
    SolverError
        If a chunk kills its workers, or the cluster is lost.
    """
    if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 1):
        raise ProblemError(f"`workers` must be a whole number >= 1; got {workers!r}")
    if workers is not None and scheduler is not None:
        raise ProblemError("`workers` are processes of this machine, a `scheduler` has its own; give one of them")
    grid = Grid.of(config) if isinstance(config, Mapping) else Grid.read(config)
    place, start = folders.Folder(Path(folder), grid), perf_counter()
    fleets = [sum(piece.fleets for piece in chunk) for chunk in grid.chunks]
    solved = place.solved()
    done = before = sum(fleets[number] for number in solved)

    def told() -> None:
        if tell is not None:
            tell(Progress(done, grid.fleets, perf_counter() - start, before))

    told()
    if place.finished:
        return place.results
    mine = version("fairsynergy")
    left = {
        number: _Job(chunk, grid.policies, place.label(number), mine)
        for number, chunk in enumerate(grid.chunks)
        if number not in solved
    }
    with _solving(left, workers, scheduler) as parts:
        place.begin()
        for number, part in parts:
            place.keep(number, part)
            done += fleets[number]
            told()
    place.finish()
    return place.results


def read(folder: str | Path) -> pd.DataFrame:
    """The results of a finished sweep: a row per fleet and rule, the grid's columns, then `engine.COLUMNS`.

    `seconds` is what a fleet took on average over the batch in which it was solved.

    Raises
    ------
    ProblemError
        If there is no finished sweep in the folder, or it is damaged.
    """
    return folders.read(Path(folder)).to_pandas()


class _Job(NamedTuple):
    """What a worker needs to solve a chunk: its fleets, the rules, the part's label, the version of this package."""

    chunk: tuple[Piece, ...]
    policies: Mapping[str, Policy]
    label: Mapping[str, str]
    version: str

    def __str__(self) -> str:
        more = f", and those after them in chunk {self.label['chunk']}" if len(self.chunk) > 1 else ""
        return f"{self.chunk[0]}{more}"


def _solve(job: _Job) -> bytes:
    """The rows of a chunk as a Parquet file: workers of a cluster need not share a disk."""
    found = version("fairsynergy")
    if found != job.version:
        raise SolverError(f"a worker has fairsynergy {found}, the sweep {job.version}; install the same everywhere")
    tables = []
    for piece in job.chunk:
        for seeds in piece.batches():
            try:
                frame = measure(Batch(np.array(seeds), piece.spec.fleets(seeds)), job.policies)
            except FairSynergyError as error:
                raise type(error)(f"{piece}: {error}") from error
            tables.append(_table(frame, piece, list(job.policies)))
    table = pa.concat_tables(tables).unify_dictionaries().replace_schema_metadata(job.label)
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink, **folders.options(table.schema))
    return bytes(sink.getvalue())


def _table(frame: pd.DataFrame, piece: Piece, rules: list[str]) -> pa.Table:
    """What the rules did to a batch, with the columns of the grid before it."""
    rows = len(frame)
    columns: dict[str, pa.Array] = {}
    for name, value in piece.columns.items():
        columns[name] = _words([value], np.zeros(rows)) if isinstance(value, str) else pa.array(np.full(rows, value))
    for name in COLUMNS:
        columns[name] = _words(rules, np.arange(rows) % len(rules)) if name == "rule" else pa.array(frame[name].array)
    return pa.table(columns)


def _words(words: list[str], which: np.ndarray) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(which.astype(np.int32), words)


@contextmanager
def _solving(
    jobs: Mapping[int, _Job], workers: int | None, scheduler: str | None
) -> Iterator[Iterable[tuple[int, bytes]]]:
    """The parts, as they are solved."""
    if scheduler is not None:
        with connect(scheduler) as client:
            yield cluster(_solve, jobs, client=client)
        return
    with closing(local(_solve, jobs, workers=workers)) as parts:
        yield parts
