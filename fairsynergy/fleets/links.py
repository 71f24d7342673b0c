"""What an address holds beside its controls: a document or a fleet's file, compressed, in letters that a link may have.

>>> unpacked(packed({"version": 1}))
{'version': 1}
>>> from fairsynergy.fleets.files import read_file
>>> table = read_file(b"agent,compute,gamma_compute\\ndrone 1,0.1,0.3\\ndrone 2,0.2,0.6\\n", name="drones.csv")
>>> letters = file_to_letters(table)
>>> opened = file_from_letters(letters)
>>> opened.name, opened.agents, opened.columns["compute"]
('drones.csv', ('drone 1', 'drone 2'), array([0.1, 0.2]))
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from typing import Any

import numpy as np

from fairsynergy.errors import ProblemError
from fairsynergy.fleets.files import FleetFile, read_file

VERSION = 1  # of a fleet's file in a link
# What a link may hold, in letters: more is cut by some programs that pass links on.
LONGEST_LINK = 6000
# What it may unfold to [bytes], and how long the name of a file in it may be.
LARGEST, LONGEST_NAME = 2_000_000, 100


def packed(document: Any) -> str:
    """A document of JSON in letters for an address."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")


def unpacked(letters: str) -> Any:
    """The document that `packed` put into letters; None where they are none, or were cut."""
    try:
        stream = zlib.decompressobj()
        text = stream.decompress(base64.urlsafe_b64decode(letters + "=" * (-len(letters) % 4)), LARGEST)
        return json.loads(text) if stream.eof else None
    except (binascii.Error, zlib.error, ValueError, RecursionError):
        return None


def file_to_letters(file: FleetFile) -> str:
    """A fleet as its file tells it, in letters for an address, however many; `file_from_letters` reads the same."""
    columns = {
        column: [None if value == np.inf else value for value in values.tolist()]
        for column, values in file.columns.items()
    }
    document = {"version": VERSION, "name": file.name[:LONGEST_NAME], "columns": columns}
    if file.agents is not None:
        document["agents"] = file.agents
    if file.capacity:
        document["capacity"] = dict(file.capacity)
    return packed(document)


def file_from_letters(letters: str) -> FleetFile:
    """The fleet that `file_to_letters` put into letters.

    Raises
    ------
    ProblemError
        If the letters are no fleet; the link was cut, or made by a newer version.
    """
    document = unpacked(letters)
    cut = ProblemError("the fleet in the link cannot be read; it may have been cut: ask for the file instead")
    if not isinstance(document, dict) or type(document.get("version")) is not int:
        raise cut
    if document["version"] > VERSION:
        raise ProblemError("the fleet in the link was made by a newer fairsynergy; open it there, or ask for the file")
    name, columns = document.get("name"), document.get("columns")
    if not isinstance(name, str) or not isinstance(columns, dict) or not columns:
        raise cut
    if document.get("agents") is not None:
        columns = {"agent": document["agents"], **columns}
    if not all(isinstance(cells, list) for cells in columns.values()) or len({*map(len, columns.values())}) != 1:
        raise cut
    rows = [
        {column: cell for column, cell in zip(columns, row, strict=True) if cell is not None}
        for row in zip(*columns.values(), strict=True)
    ]
    told = {"agents": rows} | ({"capacity": document["capacity"]} if "capacity" in document else {})
    return read_file(json.dumps(told).encode(), name=name[:LONGEST_NAME] or "the fleet in the link")
