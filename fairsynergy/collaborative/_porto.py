"""Real paths: the taxis of Porto, from the file of the ECML/PKDD 2015 challenge that whoever has it brings along.

    "TRIP_ID","CALL_TYPE","ORIGIN_CALL","ORIGIN_STAND","TAXI_ID","TIMESTAMP","DAY_TYPE","MISSING_DATA","POLYLINE"
    "1372636858620000589","C","","","20000589","1372636858","A","False","[[-8.618643,41.141412],[-8.618499,41.141376]]"

1.7 million trips of 442 taxis, a point of longitude and latitude every 15 s (Kaggle, "ECML/PKDD 15: Taxi Trip Time
Prediction (II)"); the paper moves its devices along them. Trips are short and cross the city's bounds, so the parts of
a taxi's trips inside the square are put one after the other, joined by straight drives at the usual speed, and every
device follows one stretch of an hour. Only the columns TAXI_ID, TIMESTAMP, MISSING_DATA and POLYLINE are read; trips
that the file says miss data, or that have no points, are left out.

>>> file = ["TAXI_ID,TIMESTAMP,MISSING_DATA,POLYLINE", 'A,0,False,"[[-8.6109,41.1496],[-8.6109,41.1505]]"']
>>> read_porto(file, "two points.csv")["A"].round()
array([[790., 790.],
       [790., 891.]])
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fairsynergy.collaborative._city import City, Stream, city_along, stream
from fairsynergy.collaborative._setting import Setting
from fairsynergy.errors import ProblemError
from fairsynergy.problem import Array

CENTRE = (-8.6109, 41.1496)  # longitude and latitude of Porto's São Bento station, in the middle of the square
DEGREE = 111_320.0  # m, of latitude
STEP = 15.0  # s between points
NEEDED = ("TAXI_ID", "TIMESTAMP", "MISSING_DATA", "POLYLINE")
LONGEST = 20  # digits of a time, far beyond any
SHOWN = 40  # letters of a cell that a message quotes


def read_porto(
    lines: Iterable[str], name: str, *, setting: Setting | None = None, most: int | None = None
) -> dict[str, Array]:
    """Paths of the taxis inside the square, by taxi.

    Parameters
    ----------
    lines : iterable of str
        The file, for instance opened with ``newline=""``; it is read line by line, for it may have 2 GB.
    name : str
        The file's name, for messages.
    setting : Setting, optional
        Size of the square, time between slots, and speed of the drives that join trips.
    most : int, optional
        Trips to read; default all.

    Returns
    -------
    dict of str to (n, 2) array
        Metres east and north of the square's corner, one point per slot.

    Raises
    ------
    ProblemError
        If columns are missing, or a row is not a trip: it is named as a spreadsheet numbers it.
    """
    setting = setting or Setting()
    parts: defaultdict[str, list[tuple[int, Array]]] = defaultdict(list)
    for count, (taxi, start, points) in enumerate(_trips(lines, name)):
        if most is not None and count >= most:
            break
        parts[taxi] += [(start, part) for part in _inside(points, setting.side)]
    return {taxi: _joined([part for _, part in sorted(found, key=_start)], setting) for taxi, found in parts.items()}


def _start(part: tuple[int, Array]) -> int:
    return part[0]


def _trips(lines: Iterable[str], name: str) -> Iterator[tuple[str, int, Array]]:
    """Taxi, start and points (longitude, latitude) of every trip, in the order of the file."""
    rows, number = csv.reader(lines), 1
    try:
        header = [cell.strip().lstrip("\ufeff").strip('"') for cell in next(rows, [])]
        absent = [column for column in NEEDED if column not in header]
        if absent:
            raise ProblemError(
                f"{name}: no column {', '.join(absent)} among {_short(', '.join(header))}; "
                f"give the Porto taxi file with {', '.join(NEEDED)}"
            )
        where = [header.index(column) for column in NEEDED]
        for number, row in enumerate(rows, 2):
            if not row:
                continue
            if len(row) != len(header):
                raise _broken(name, number, f"has {len(row)} cells, and the first row {len(header)}")
            taxi, start, missing, polyline = (row[column] for column in where)
            if missing not in ("True", "False"):
                raise _broken(name, number, f"MISSING_DATA must be True or False, got {_short(missing)}")
            if not start.strip().isdecimal() or len(start) > LONGEST:
                raise _broken(name, number, f"TIMESTAMP must be whole seconds, got {_short(start)}")
            points = _points(polyline, name, number)
            if missing == "False" and len(points):
                yield taxi, int(start), points
    except (csv.Error, UnicodeDecodeError) as error:
        raise _broken(name, number + 1, f"is not text in a table ({error})") from None


def _points(polyline: str, name: str, number: int) -> Array:
    """(n, 2) longitudes and latitudes."""
    try:
        points: NDArray[np.generic] = np.array(json.loads(polyline))
    except (ValueError, RecursionError):
        raise _broken(name, number, _expected(polyline)) from None
    if points.shape == (0,):
        return np.zeros((0, 2))
    if points.ndim != 2 or points.shape[1] != 2 or points.dtype.kind not in "iuf":
        raise _broken(name, number, _expected(polyline))
    places = points.astype(np.float64)
    if not (np.abs(places) <= (180, 90)).all():
        raise _broken(name, number, "POLYLINE leaves the globe: longitudes are within 180 degrees, latitudes within 90")
    return places


def _expected(polyline: str) -> str:
    return f"POLYLINE must be pairs [[longitude, latitude], ...], got {_short(polyline)}"


def _short(cell: str) -> str:
    return repr(cell if len(cell) <= SHOWN else f"{cell[: SHOWN - 3]}...")


def _broken(name: str, number: int, why: str) -> ProblemError:
    return ProblemError(f"{name}, row {number}: {why}; mend or remove the row", index=(number,))


def _inside(points: Array, side: float) -> list[Array]:
    """Stretches (n, 2) of a trip inside the square [m], of two points or more."""
    metres = (points - CENTRE) * (DEGREE * np.cos(np.radians(CENTRE[1])), DEGREE) + side / 2
    inside = ((metres >= 0) & (metres <= side)).all(axis=1)
    bounds = np.flatnonzero(np.diff(inside)) + 1
    stretches = zip(np.split(metres, bounds), np.split(inside, bounds), strict=True)
    return [part for part, kept in stretches if kept[0] and len(part) > 1]


def _joined(parts: list[Array], setting: Setting) -> Array:
    """(n, 2) one path of all stretches, a point per slot."""
    if not parts:
        return np.zeros((0, 2))
    pieces = [parts[0]]
    for before, after in pairwise(parts):
        gap = after[0] - before[-1]
        steps = int(np.ceil(np.hypot(*gap) / (setting.speed * STEP)))
        pieces += [before[-1] + gap * np.arange(1, steps)[:, None] / max(steps, 1), after]
    path = np.concatenate(pieces)
    times = np.arange(0, (len(path) - 1) * STEP + 1e-9, setting.slot)
    return np.stack([np.interp(times, STEP * np.arange(len(path)), path[:, axis]) for axis in (0, 1)], axis=1)


def porto_city(paths: Mapping[str, Array], seed: int, setting: Setting | None = None) -> City:
    """An hour of devices that follow stretches of taxis' paths, with edges where these are dense.

    Parameters
    ----------
    paths : mapping of str to (n, 2) array
        From `read_porto` with the same setting.
    seed : int
        At least 0; which stretches, batteries and shadowing.
    setting : Setting, optional
        The constants.

    Raises
    ------
    ProblemError
        If the paths have fewer different stretches of `Setting.slots` points than devices.
    """
    setting = setting or Setting()
    long = [path for path in paths.values() if len(path) >= setting.slots]
    ends = np.cumsum([0, *(len(path) - setting.slots + 1 for path in long)])
    if ends[-1] < setting.devices:
        longest = max((len(path) for path in paths.values()), default=0)
        raise ProblemError(
            f"the paths hold {ends[-1]} stretches of {setting.slots} points, and there are {setting.devices} devices; "
            f"the longest path has {longest} points: give more trips, or fewer devices or slots",
            field="paths",
        )
    chosen = stream(seed, Stream.PATHS).choice(ends[-1], setting.devices, replace=False)
    which = np.searchsorted(ends, chosen, side="right") - 1
    first = chosen - ends[which]
    tracks = [long[path][start : start + setting.slots] for path, start in zip(which, first, strict=True)]
    return city_along(np.stack(tracks, axis=1), seed=seed, setting=setting)
