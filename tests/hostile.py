"""Hostile input: what every reader of files and links accepts, broken as files break and as attackers break them.

A reader either gives a valid object or refuses with one `ProblemError`; anything else is a defect. Mutations start from
valid input, so that most of them get past the first check: bytes flipped, inserted, deleted and doubled, numbers that
are none or far too large, cells and JSON values in the wrong place, deep nesting, marks of other encodings, formulas,
text from right to left, rows and columns without end.
"""

from __future__ import annotations

import base64
import json
import random
import resource
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from functools import cache
from time import process_time
from typing import Any, NamedTuple

import numpy as np

import fairsynergy as fs
from fairsynergy.charts.reports.handout import handout, open_tray
from fairsynergy.collaborative import read_porto
from fairsynergy.curves import fit, read_curves
from fairsynergy.errors import ProblemError
from fairsynergy.fleets import PRESETS, FleetSpec, Setting, read_file, write_csv, write_json
from fairsynergy.fleets.tray import Scenario, Tray, from_link, to_link, write_tray

NUMBERS = (
    "0", "-0.0", "-1", "1e308", "-1e308", "1e-320", "1e999", "nan", "NaN", "inf", "-Infinity", "1_000", "0x1p3",
    "9" * 400, "1" * 5000, "0,5", "1.2.3", "½", "٣", "１", "1e", "+", "",
)  # fmt: skip
TEXTS = (
    "=1+1", "=cmd|' /C calc'!A0", "@SUM(1)", "-2+3", "\u202egnp.exe", "<script>alert(1)</script>",
    "![x](http://example.org)", "`", "'", '"', '""', ",", ";", "\t", "\n", "\r", "\r\n", "\x00", "\x1a", "\x7f",
    "\ufeff", "\u200b", "\ud7ff", "\U0010ffff", "a" * 10_000,
    "../../etc/passwd", "agent", "gamma_compute", "gamma_gamma_compute",
    "null", "[", "{", "}", "]", "#", "%",
)  # fmt: skip
BYTES = (
    b"\xff", b"\xfe", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\x00\x00\xfe\xff", b"PK\x03\x04", b"\xc3",
    b"\xed\xa0\x80",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1, 2**63, 10**400, -(10**30), 0.5, 1e308, float("nan"), float("inf"), "", "0.5", "NaN",
    "agent 1", [], [[]], {}, {"compute": 1}, [1, 2], [[1.0], [2.0]], "Fair-Synergy", "\ud800", "a" * 5000, "<b>",
    list(range(2000)),
)  # fmt: skip
# Nested this deep, a document is beyond what Python's own reader follows.
DEEP = 200_000
WIDE = 100_000
# No input may take longer than this [seconds of processor time].
PATIENCE = 20.0
LONGEST = 5000  # letters of a message; a file's name may be long
NAMES = (
    "fleet.csv",
    "fleet.json",
    "../../etc/passwd",
    "a\x00b.csv",
    "<b>.csv",
    "\u202evsc.txt",
    "",
    "x" * 3000 + ".json",
)


class Reader(NamedTuple):
    """Something that reads what visitors bring: valid inputs, and the function that refuses the others."""

    valid: tuple[bytes, ...]
    read: Callable[[bytes, str], object]


class Tried(NamedTuple):
    """One hostile input: which reader, the input, whether it was read or refused, and its processor time [seconds]."""

    reader: str
    data: bytes
    read: bool
    seconds: float


@cache
def readers() -> dict[str, Reader]:
    """Every reader of files and links, with valid inputs of each."""
    drawn = FleetSpec(agents=6, setting=Setting.DL, seed=3)
    fleet = drawn.problem()
    bounded = replace(fleet, floor=np.full((6, 2), 0.01), ceiling=np.full((6, 2), 0.9), weight=np.arange(1.0, 7.0))
    first = Scenario("as it is", fleet, base=drawn)
    tray = Tray.of(first).keep(replace(first, name="bounded", problem=bounded, rule="Leximin"))
    tray = tray.keep(
        replace(first, name="by hand", rule="mine", given=np.full((6, 2), 0.1), error=np.full((6, 2), 0.02))
    )
    tray = tray.keep(Scenario("preset", PRESETS["Fleet B"].problem, base="Fleet B"))
    allocations = {each.name: fs.allocate(each.problem, each.policy) for each in tray.scenarios}
    report = handout(tray, allocations, address=None, made=date(2026, 1, 1))
    letters = to_link(tray)
    assert letters is not None
    measured = b"# made up\ncurve,labels,trees,accuracy,repeat,point\n" + b"".join(
        f"forest,{labels},{trees},{min(0.9, 0.1 * labels**0.3 * trees**0.1):.3f},{repeat},p\n".encode()
        for labels in (20, 80, 320) for trees in (1, 8) for repeat in (1, 2)
    )  # fmt: skip
    european = b"labels;accuracy\n30;0,405\n120;0,565\n480;0,792\n"
    porto = (
        b'"TRIP_ID","CALL_TYPE","ORIGIN_CALL","ORIGIN_STAND","TAXI_ID","TIMESTAMP","DAY_TYPE","MISSING_DATA","POLYLINE"\n'
        b'"1","C","","","A","1372636858","A","False","[[-8.6109,41.1496],[-8.6109,41.1505]]"\n'
        b'"2","C","","","A","1372637858","A","False","[[-8.6119,41.1486],[-8.6109,41.1495],[-8.61,41.15]]"\n'
        b'"3","C","","","B","1372636951","A","True","[]"\n'
    )
    return {
        "fleet": Reader(
            (write_csv(bounded).encode(), write_json(bounded).encode(), write_csv(fleet).encode("utf-16"),
             write_csv(fleet).replace(",", ";").replace(".", ",").encode(),
             write_json(PRESETS["Fleet A"].problem).encode()),
            _fleet,
        ),
        "curves": Reader((measured, european), _curves),
        "tray": Reader((write_tray(tray).encode(), report.encode()), open_tray),
        "link": Reader((letters.encode(), _unpacked(letters)), _link),
        "porto": Reader((porto,), _porto),
    }  # fmt: skip


def _fleet(data: bytes, name: str) -> object:
    file = read_file(data, name=name)
    problem = file.problem(capacity={resource: 1.0 for resource in file.resources if resource not in file.capacity})
    again = read_file(write_json(problem).encode(), name=name).problem()
    assert again == problem, "what was read is not what was written"
    return problem


def _curves(data: bytes, name: str) -> object:
    curves = read_curves(data, name or "curves")
    return [fit(curve.resource, curve.accuracy, resources=curve.resources) for curve in curves.values()]


def _link(data: bytes, _: str) -> object:
    """Letters of an address, or the document inside them."""
    if data[:1] == b"{":
        data = base64.urlsafe_b64encode(zlib.compress(data, 1))
    tray = from_link(data.decode("utf-8", "replace"))
    letters = to_link(tray)
    assert letters is None or from_link(letters) == tray, "what was read is not what was written"
    return tray


def _porto(data: bytes, name: str) -> object:
    return read_porto(data.decode("utf-8", "replace").splitlines(keepends=True), name)


def _unpacked(letters: str) -> bytes:
    return zlib.decompress(base64.urlsafe_b64decode(letters + "=" * (-len(letters) % 4)))


def mutated(valid: bytes, draw: random.Random) -> bytes:
    """The input with one to six things wrong."""
    data = valid
    for _ in range(draw.choice((1, 1, 1, 2, 3, 6))):
        data = draw.choice(MUTATIONS)(data, draw)
    return data[: 20 * len(valid) + 2_000_000]


def _flip(data: bytes, draw: random.Random) -> bytes:
    if not data:
        return data
    place = draw.randrange(len(data))
    return data[:place] + bytes([data[place] ^ (1 << draw.randrange(8))]) + data[place + 1 :]


def _insert(data: bytes, draw: random.Random) -> bytes:
    place = draw.randrange(len(data) + 1)
    what = draw.choice(
        (draw.choice(BYTES), _spelled(draw.choice(TEXTS)), draw.choice(NUMBERS).encode(), draw.randbytes(3))
    )
    return data[:place] + what + data[place:]


def _delete(data: bytes, draw: random.Random) -> bytes:
    place = draw.randrange(len(data) + 1)
    return data[:place] + data[place + draw.choice((1, 1, 2, 10, 100)) :]


def _double(data: bytes, draw: random.Random) -> bytes:
    place = draw.randrange(len(data) + 1)
    part = data[place : place + draw.choice((1, 5, 50, 500))]
    return data[:place] + part * draw.choice((2, 2, 10, 100)) + data[place:]


def _cut(data: bytes, draw: random.Random) -> bytes:
    return data[: draw.randrange(len(data) + 1)]


def _mark(data: bytes, draw: random.Random) -> bytes:
    return draw.choice(BYTES) + data


def _recode(data: bytes, draw: random.Random) -> bytes:
    text = data.decode("utf-8", "replace")
    return text.encode(draw.choice(("utf-16", "utf-32", "utf-16-be", "latin-1", "utf-7")), "replace")


def _cell(data: bytes, draw: random.Random) -> bytes:
    """Another text in a cell of a table, a column, a row, or an address's letters."""
    rows = data.split(b"\n")
    row = draw.randrange(len(rows))
    cells = rows[row].split(b",")
    column = draw.randrange(len(cells))
    kind = draw.randrange(5)
    if kind == 0:
        cells[column] = _spelled(draw.choice(TEXTS))
    elif kind == 1:
        cells.insert(column, cells[column])
    elif kind == 2:
        del cells[column]
    elif kind == 3:
        rows.insert(row, rows[row])
    else:
        cells[column] = draw.choice(NUMBERS).encode()
    rows[row] = b",".join(cells)
    return b"\n".join(rows)


def _value(data: bytes, draw: random.Random) -> bytes:
    """Another value somewhere in a JSON document; what is none stays as it is."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return _cell(data, draw)
    places = list(_places(document, 300))
    if not places:
        return data
    inside, key = draw.choice(places)
    kind = draw.randrange(4)
    if kind == 0 and isinstance(inside, dict):
        inside[draw.choice(("agents", "capacity", "name", "edits", "drawn", "preset", "like", "x"))] = inside.pop(key)
    elif kind == 1 and isinstance(inside, list):
        inside *= draw.choice((0, 2, 50))
    elif kind == 2:
        other, there = draw.choice(places)
        inside[key] = (
            json.loads(json.dumps(other[there])) if there in range(len(other)) or isinstance(other, dict) else 0
        )
    else:
        inside[key] = draw.choice(VALUES)
    try:
        return json.dumps(document).encode()
    except (ValueError, RecursionError):
        return data


def _places(value: Any, most: int) -> Iterator[tuple[Any, Any]]:
    """Containers of a document and a key of each, the first so many in no particular order."""
    waiting = [value]
    while waiting and most > 0:
        inside = waiting.pop()
        for key in list(inside) if isinstance(inside, dict) else range(len(inside)) if isinstance(inside, list) else ():
            yield inside, key
            most -= 1
            waiting.append(inside[key])


def _large(data: bytes, draw: random.Random) -> bytes:
    """Nested without end, a row of so many columns, so many rows, or a document that unfolds."""
    kind = draw.randrange(40)  # such inputs are slow to make, so few
    if kind == 0:
        return data + b"\n" + b"0.1," * WIDE
    if kind == 1:
        return b",".join(b"c%d,gamma_c%d" % (i, i) for i in range(WIDE // 2)) + b"\n" + b"0.1," * WIDE
    if kind == 2:
        return draw.choice((b"[" * DEEP, b'{"agents":' * DEEP, b'{"agents": [' + b"[" * DEEP + b"]" * DEEP + b"]}"))
    if kind == 3:
        return base64.urlsafe_b64encode(zlib.compress(b" " * 10_000_000 + b"{}"))
    if kind == 4:
        first, _, rest = data.partition(b"\n")
        return first + b"\n" + rest * (200_000 // max(len(rest), 1) + 1)
    return _double(data, draw)


def _spelled(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


MUTATIONS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _flip, _insert, _insert, _delete, _double, _cut, _mark, _recode, _cell, _cell, _value, _value, _value, _large,
)  # fmt: skip


def tries(count: int, seed: int, only: str | None = None) -> Iterator[Tried]:
    """So many hostile inputs, each reader in turn; the same for the same seed.

    Raises
    ------
    AssertionError
        If a reader does anything but read or refuse; the note says with which input.
    """
    known = readers()
    names = [only] if only else list(known)
    for i in range(count):
        draw = random.Random(f"{seed}/{i}")
        name = names[i % len(names)]
        data = mutated(draw.choice(known[name].valid), draw)
        yield attempt(name, known[name], data, draw.choice(NAMES), f"seed {seed}, input {i}")


def attempt(name: str, reader: Reader, data: bytes, file: str, which: str) -> Tried:
    """Let a reader read."""
    start, refusal = process_time(), None
    try:
        reader.read(data, file)
    except ProblemError as problem:
        refusal = str(problem)
    except Exception as defect:
        defect.add_note(f"{name} on {which}, named {file[:60]!r}, {len(data):,} bytes: {data[:600]!r}")
        raise
    if refusal is not None:
        assert 0 < len(refusal.strip()) < LONGEST, (
            f"{name} refuses {which} in {len(refusal):,} letters: {refusal[:300]}"
        )
    return Tried(name, data, refusal is None, process_time() - start)


def told(count: int, seed: int) -> str:
    """Try so many, and say in a line per reader what came of it."""
    read, refused, slowest = Counter[str](), Counter[str](), {}
    for tried in tries(count, seed):
        (read if tried.read else refused)[tried.reader] += 1
        slowest[tried.reader] = max(slowest.get(tried.reader, 0.0), tried.seconds)
        assert tried.seconds < PATIENCE, f"{tried.reader} took {tried.seconds:.0f} s: {tried.data[:200]!r}"
    lines = [
        f"{name}: {read[name] + refused[name]:,} inputs, {read[name]:,} read, {refused[name]:,} refused with one "
        f"message, nothing else; slowest {slowest[name]:.2f} s of processor time"
        for name in slowest
    ]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return "\n".join([*lines, f"memory of the process at most {peak:,.0f} MB"])
