"""A surface over two amounts, drawn in the plane: parallel projection, far patches first, so that paper can show it.

A point (u, v, w) of the unit cube is seen from its corner (0, 0, 0), from above: with azimuth a and elevation e it lies
at (u cos a - v sin a, (u sin a + v cos a) sin e + w cos e). A surface that rises away from that corner hides nothing of
itself. Everything here is in pixels of the picture, from its lower left corner.

>>> import pandas as pd
>>> flat = pd.DataFrame({"compute": [0, 0, 1, 1], "labels": [0, 1, 0, 1], "utility": [0.0, 0.0, 0.0, 1.0]})
>>> view = View(flat)
>>> print(view.place([0, 1, 1], [0, 1, 1], [0, 0, 1]).y.round())
[  0. 158. 330.]
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from fairsynergy.problem import Array

AZIMUTH, ELEVATION = np.radians(43.0), np.radians(27.0)
SIZE = (312.0, 330.0)  # of the projected cube [pixels]
PATCHES = 18  # along each side of the surface
TALL = 0.78  # of the cube, relative to its sides; flatter shows more of the far end
TICK = 6.0  # length of a tick [pixels]
AXES = ("compute", "labels", "utility")


class Point(NamedTuple):
    """A place in the picture [pixels], or arrays of places."""

    x: Array
    y: Array


class View:
    """The projection that shows a surface.

    Parameters
    ----------
    surface : DataFrame
        Columns compute, labels and utility, a complete grid.
    """

    def __init__(self, surface: pd.DataFrame) -> None:
        self.grid = surface.pivot(index="compute", columns="labels", values="utility")
        self.low = surface[list(AXES)].min().to_numpy(dtype=np.float64)
        span = surface[list(AXES)].max().to_numpy(dtype=np.float64) - self.low
        self.span = np.where(span > 0, span, 1.0)

    def place(self, compute: object, labels: object, utility: object) -> Point:
        """Where amounts and utilities lie in the picture [pixels]."""
        given = (np.asarray(value, dtype=np.float64) for value in (compute, labels, utility))
        u, v, w = ((value - low) / span for value, low, span in zip(given, self.low, self.span, strict=True))
        return _project(u, v, w)

    def patches(self) -> pd.DataFrame:
        """The surface: four rows per patch in drawing order; columns patch, order, x, y, utility (at its middle)."""
        # Smaller patches where the surface is steep.
        steps = np.linspace(0, 1, PATCHES + 1) ** 1.5
        rows, columns = (np.unique((steps * (size - 1)).round().astype(int)) for size in self.grid.shape)
        height = self.grid.to_numpy(dtype=np.float64)[np.ix_(rows, columns)]
        compute, labels = np.meshgrid(self.grid.index[rows], self.grid.columns[columns], indexing="ij")
        corner = self.place(compute, labels, height)
        i, j = (index.ravel() for index in np.indices((len(rows) - 1, len(columns) - 1)))
        far_first = np.argsort(-(i + j), kind="stable")
        i, j = i[far_first], j[far_first]
        around = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)]
        middle = np.mean([height[at] for at in around], axis=0)
        return pd.DataFrame(
            {
                "patch": np.repeat(np.arange(len(i)), 4),
                "order": np.tile(np.arange(4), len(i)),
                "x": np.stack([corner.x[at] for at in around], axis=1).ravel(),
                "y": np.stack([corner.y[at] for at in around], axis=1).ravel(),
                "utility": np.repeat(middle, 4),
            }
        )

    def frame(self) -> pd.DataFrame:
        """Floor, back walls, axes and ticks as straight lines: kind, x, y, x2, y2."""
        low, high = self.low, self.low + self.span
        lines: list[tuple[str, Point, Point]] = []
        for axis in range(3):
            for tick in ticks(low[axis], high[axis]):
                lines += [("grid", self.place(*a), self.place(*b)) for a, b in _grid(axis, tick, low, high)]
                foot = self._foot(axis, tick)
                lines.append(("tick", foot, _moved(foot, axis, TICK)))
            lines.append(("axis", self._foot(axis, low[axis]), self._foot(axis, high[axis])))
        return pd.DataFrame(
            [(kind, float(a.x), float(a.y), float(b.x), float(b.y)) for kind, a, b in lines],
            columns=["kind", "x", "y", "x2", "y2"],
        )

    def texts(self, titles: tuple[str, str, str]) -> pd.DataFrame:
        """Numbers at the ticks and titles along the axes: kind, axis, x, y, text."""
        low, high = self.low, self.low + self.span
        rows = []
        for axis, title in enumerate(titles):
            for tick in ticks(low[axis], high[axis]):
                at = _moved(self._foot(axis, tick), axis, TICK + 9)
                rows.append(("number", axis, float(at.x), float(at.y), f"{tick:g}"))
            middle = _moved(self._foot(axis, (low[axis] + high[axis]) / 2), axis, TICK + 38)
            rows.append(("title", axis, float(middle.x), float(middle.y), title))
        return pd.DataFrame(rows, columns=["kind", "axis", "x", "y", "text"])

    def slope(self, axis: int) -> float:
        """By how much an axis is turned clockwise in the picture [degrees]."""
        start, end = self._foot(axis, self.low[axis]), self._foot(axis, self.low[axis] + self.span[axis])
        turned = -np.degrees(np.arctan2(float(end.y - start.y), float(end.x - start.x)))
        return float(turned if abs(turned) <= 90 else turned + 180)

    def _foot(self, axis: int, value: float) -> Point:
        """Where on its axis a value is: the two front edges of the floor, and the left edge of the walls."""
        low, high = self.low, self.low + self.span
        places = ((value, low[1], low[2]), (low[0], value, low[2]), (low[0], high[1], value))
        return self.place(*places[axis])


def ticks(low: float, high: float) -> Array:
    """(t,) three to six round numbers from low to high.

    >>> ticks(0, 2), ticks(0.1, 0.9)
    (array([0. , 0.5, 1. , 1.5, 2. ]), array([0.2, 0.4, 0.6, 0.8]))
    """
    rough = (high - low) / 4
    scale = 10.0 ** np.floor(np.log10(rough))
    step = scale * next(step for step in (1.0, 2.0, 2.5, 5.0, 10.0) if step * scale >= rough * (1 - 1e-9))
    first, last = np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9)
    return np.asarray(np.round(np.arange(first, last + 1) * step, 12) + 0.0)  # + 0.0: no "-0"


def _project(u: Array, v: Array, w: Array) -> Point:
    across = u * np.cos(AZIMUTH) - v * np.sin(AZIMUTH)
    up = (u * np.sin(AZIMUTH) + v * np.cos(AZIMUTH)) * np.sin(ELEVATION) + TALL * w * np.cos(ELEVATION)
    width = np.cos(AZIMUTH) + np.sin(AZIMUTH)
    height = width * np.sin(ELEVATION) + TALL * np.cos(ELEVATION)
    return Point(SIZE[0] * (across + np.sin(AZIMUTH)) / width, SIZE[1] * up / height)


def _moved(at: Point, axis: int, by: float) -> Point:
    """A place moved away from the cube: right of the compute axis, left of the others; down, but for utility."""
    right, down = ((0.5, 0.85), (-0.5, 0.85), (-1.0, 0.0))[axis]
    return Point(at.x + by * right, at.y - by * down)


def _grid(axis: int, tick: float, low: Array, high: Array) -> list[tuple[tuple[float, ...], tuple[float, ...]]]:
    """Where a tick's grid lines start and end: across the floor, or along the two back walls."""
    if axis == 0:
        return [((tick, low[1], low[2]), (tick, high[1], low[2])), ((tick, high[1], low[2]), (tick, high[1], high[2]))]
    if axis == 1:
        return [((low[0], tick, low[2]), (high[0], tick, low[2])), ((high[0], tick, low[2]), (high[0], tick, high[2]))]
    return [((low[0], high[1], tick), (high[0], high[1], tick)), ((high[0], low[1], tick), (high[0], high[1], tick))]
