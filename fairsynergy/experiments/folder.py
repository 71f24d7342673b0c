"""The folder of a sweep: what is solved so far, chunk by chunk, and in the end two tables.

    sweep.json         what was asked for; at the end also the checksums of both tables
    parts/             the rows of every chunk that is solved, until all are: Parquet, and a checksum after it
    results.parquet    a row per fleet and rule: the grid's columns, then those of `engine.COLUMNS` but seconds
    seconds.parquet    a row per batch and rule: what a fleet took, on average over so many fleets

Every file is written under another name and then renamed, so that it is whole or absent. Nothing in a folder is
overwritten that is not of the same sweep.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from fairsynergy.errors import ProblemError
from fairsynergy.experiments.grid import Grid

RESULTS, SECONDS, STATE, PARTS = "results.parquet", "seconds.parquet", "sweep.json", "parts"
# What a file is called before it is whole.
UNFINISHED = ".tmp"
# Bytes at the end of a part, after its Parquet file: Parquet's own checksums do not cover all of it.
CHECKSUM = hashlib.sha256().digest_size
# Rows of a table that are held and written at once.
ROWS = 250_000


class Folder:
    """Where the results of a grid go.

    Parameters
    ----------
    path : Path
        The folder; it need not exist.
    grid : Grid
        The sweep.

    Raises
    ------
    ProblemError
        From every method: if something cannot be read or written, is damaged, or is not of this sweep.
    """

    def __init__(self, path: Path, grid: Grid) -> None:
        self.path, self.grid = path, grid
        self.results = path / RESULTS
        self.finished = False
        self._sweep = {"fairsynergy": version("fairsynergy"), "chunks": len(grid.chunks)} | grid.document
        self._digest = hashlib.sha256(json.dumps(self._sweep).encode()).hexdigest()

    def solved(self) -> set[int]:
        """Numbers of the chunks that need not be solved, after a look at everything in the folder."""
        with _explained(self.path):
            state = _state(self.path)
            if state is None:
                return set()
            for key, value in self._sweep.items():
                if state["sweep"].get(key) != value:
                    raise ProblemError(
                        f"{self.path} holds a sweep with other `{key}`; give another folder, or the same configuration"
                    )
            if "files" in state:
                _check(self.path, state)
                self.finished = True
                self._remove_parts()  # a stop may have left some
                return set(range(len(self.grid.chunks)))
            found = {number for number in range(len(self.grid.chunks)) if self._part(number).exists()}
            for number in sorted(found):
                self._read(number)
            return found

    def begin(self) -> None:
        """Make what is missing of the folder."""
        with _explained(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            if not (self.path / STATE).exists():
                self._write_state({})
            (self.path / PARTS).mkdir(exist_ok=True)

    def keep(self, number: int, part: bytes) -> None:
        """Write the rows of a chunk."""
        with _explained(self.path):
            _write(self._part(number), part + hashlib.sha256(part).digest())

    def finish(self) -> None:
        """Join the parts in their order, in bounded memory."""
        with _explained(self.path):
            files = {name: self.path / name for name in (RESULTS, SECONDS)}
            self._join(*(path.with_name(path.name + UNFINISHED) for path in files.values()))
            for path in files.values():
                os.replace(path.with_name(path.name + UNFINISHED), path)
            self._write_state({"files": {name: _checksum(path) for name, path in files.items()}})
            self._remove_parts()
        self.finished = True

    def label(self, number: int) -> dict[str, str]:
        """What the part of a chunk carries to be recognised."""
        return {"sweep": self._digest, "chunk": str(number)}

    def _part(self, number: int) -> Path:
        return self.path / PARTS / f"{number:06}.part"

    def _read(self, number: int) -> pa.Table:
        path = self._part(number)
        content = path.read_bytes()
        part, checksum = content[:-CHECKSUM], content[-CHECKSUM:]
        if hashlib.sha256(part).digest() != checksum:
            raise ProblemError(f"{path} is damaged; delete it, and its fleets are solved again")
        table = parquet.ParquetFile(pa.BufferReader(part)).read()
        label = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
        if label != self.label(number):
            raise ProblemError(f"{path} is a part of something else; delete it, and its fleets are solved again")
        return table

    def _join(self, results: Path, seconds: Path) -> None:
        about = {"fairsynergy sweep": json.dumps(self._sweep)}
        first = self._read(0)
        rows = first.drop_columns("seconds").schema.with_metadata(about)
        times = self._times(0, first).schema.with_metadata(about)
        with (
            parquet.ParquetWriter(results, rows, **options(rows)) as into_results,
            parquet.ParquetWriter(seconds, times, **options(times)) as into_seconds,
        ):
            for numbers in self._groups():
                parts = {number: self._read(number) for number in numbers}
                table = pa.concat_tables(parts.values()).unify_dictionaries()
                into_results.write_table(table.drop_columns("seconds").cast(rows), row_group_size=len(table))
                table = pa.concat_tables(self._times(*each) for each in parts.items()).unify_dictionaries()
                into_seconds.write_table(table.cast(times))

    def _groups(self) -> Iterator[list[int]]:
        """Numbers of the chunks that are written at once."""
        group, room = list[int](), ROWS
        for number, chunk in enumerate(self.grid.chunks):
            group.append(number)
            room -= len(self.grid.policies) * sum(piece.fleets for piece in chunk)
            if room <= 0:
                yield group
                group, room = [], ROWS
        if group:
            yield group

    def _times(self, number: int, part: pa.Table) -> pa.Table:
        """The first rows of each batch, one per rule, and how many fleets the batch has; all of it took the same."""
        rules = len(self.grid.policies)
        fleets = np.array([len(seeds) for piece in self.grid.chunks[number] for seeds in piece.batches()])
        rows = ((fleets.cumsum() - fleets)[:, None] * rules + np.arange(rules)).ravel()
        kept = part.drop_columns(["mean", "worst", "best", "gini", "gap"]).take(rows)
        return kept.append_column("fleets", pa.array(np.repeat(fleets, rules)))

    def _write_state(self, more: dict[str, Any]) -> None:
        state = {"sweep": self._sweep} | more
        _write(self.path / STATE, (json.dumps(state, indent=2) + "\n").encode())

    def _remove_parts(self) -> None:
        parts = self.path / PARTS
        for number in range(len(self.grid.chunks)):
            self._part(number).unlink(missing_ok=True)
        for path in parts.glob(f"*{UNFINISHED}"):
            path.unlink()
        if parts.exists() and not any(parts.iterdir()):
            parts.rmdir()


def options(schema: pa.Schema) -> dict[str, Any]:
    """How tables of a schema are written as Parquet."""
    words = [field.name for field in schema if pa.types.is_dictionary(field.type)]
    return {"compression": "zstd", "use_dictionary": words}


def read(folder: Path) -> pa.Table:
    """The results of a finished sweep, with `seconds`, before `gap`, from the batch of each fleet.

    Raises
    ------
    ProblemError
        If there is no finished sweep in the folder, or it is damaged.
    """
    with _explained(folder):
        state = _state(folder)
        if state is None or "files" not in state:
            raise ProblemError(f"{folder} holds no finished sweep; run the sweep to its end, or give another folder")
        _check(folder, state)
        table, times = (parquet.read_table(folder / name) for name in (RESULTS, SECONDS))
    # Batches are in the order of the fleets, with a row per rule.
    rules = len(state["sweep"]["rules"])
    seconds = times["seconds"].to_numpy().reshape(-1, rules)
    column = np.repeat(seconds, times["fleets"].to_numpy()[::rules], axis=0).ravel()
    return table.add_column(table.schema.get_field_index("gap"), "seconds", pa.array(column))


def _state(folder: Path) -> dict[str, Any] | None:
    """What sweep.json says; None if the folder is new or empty."""
    path = folder / STATE
    if not folder.exists():
        return None
    if not path.exists():
        if {each.name for each in folder.iterdir()} <= {STATE + UNFINISHED}:
            return None
        raise ProblemError(f"{folder} is not empty and holds no sweep; give a new folder")
    try:
        state = json.loads(path.read_bytes())
        valid = isinstance(state["sweep"], dict) and isinstance(state.get("files", {}), dict)
    except (ValueError, LookupError, TypeError, AttributeError):
        valid = False
    if not valid:
        raise ProblemError(f"{path} is damaged; give another folder, or delete this one to begin again")
    return dict(state)


def _check(folder: Path, state: dict[str, Any]) -> None:
    for name, checksum in state["files"].items():
        path = folder / name
        if not path.exists() or _checksum(path) != checksum:
            raise ProblemError(
                f"{path} is damaged or not there: it is not what the sweep wrote; give another folder, or delete this "
                "one to begin again"
            )


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, content: bytes) -> None:
    unfinished = path.with_name(path.name + UNFINISHED)
    unfinished.write_bytes(content)
    os.replace(unfinished, path)


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ProblemError(
            f"{error.filename or folder} cannot be read or written: {error.strerror or error}; once it can, the same "
            "command goes on from there"
        ) from None
