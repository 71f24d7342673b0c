"""What a unit buys: accuracy as a landscape over two resources, its cuts, and where each agent stands on it.

The Cobb-Douglas surface of Fair-Synergy's Fig. 2, U = x^g_x y^g_y, is drawn for one agent, because agents
differ in elasticity. Three planes cut it: one amount of either resource, and one accuracy. Each cut is drawn
again in two dimensions among its family: accuracy against either resource, and the isoquants, on which every
agent of the fleet is shown before and after. With one resource the surface is a curve, and its slope is what
a unit buys.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fairsynergy.allocation import Allocation
from fairsynergy.charts.comparison import FIT, KEPT
from fairsynergy.problem import Array, Problem
from fairsynergy.words.explain import next_unit
from fairsynergy.words.phrases import number

Spec = dict[str, Any]
Tables = dict[str, pd.DataFrame]

# The planes: along x with y fixed, along y with x fixed, and level.
CUTS = ALONG_X, ALONG_Y, LEVEL = 0, 1, 2
# One colour per plane, in the picture and its twin alike; none of them is the colour of a rule.
CUT_COLOURS = ("#7A5CC2", "#96592B", "#E0304E")
GREY = "#8A8F98"
INK = "currentColor"
GRID_COLOUR = "#9A9FA8"
SURFACE = [[0.0, "#DCE6ED"], [0.5, "#86AECA"], [1.0, "#1F4E79"]]

# The place of the camera. The default of Plotly looks along the rays of the surface and sees a sliver.
CORNER = (-1.4, -1.55, 0.9)
CENTRE = {"x": 0.0, "y": 0.0, "z": -0.18}

GRID = 26  # points along each side of the surface
STEPS = 60  # points along a curve
CONTOURS = 8  # bands of the surface, with a line of equal accuracy between any two
FAMILY = (0.05, 0.15, 0.35, 0.65, 1.0)  # amounts at which a family is drawn, as fractions of the reach
THROUGH = (0.1, 0.25, 0.45, 0.65, 0.85)  # isoquants go through these fractions of the way to the far corner
DRAWN = 300  # agents; of more, an evenly spaced choice is drawn
OTHERS = 24  # curves of other agents behind the chosen one
INVISIBLE = 1e-6  # fractions of an axis below this are not drawn


def reach(allocations: Iterable[Allocation]) -> Array:
    """(m,) how far the axes go [units]: a little beyond the largest holding under any of the rules."""
    largest = np.max([a.holding.max(axis=0) for a in allocations], axis=0)
    return np.where(largest > 0, 1.05 * largest, 1.0)


@dataclass(frozen=True, eq=False)
class Landscape:
    """Accuracy of one agent over what it might hold of two resources; of any others it holds what it does.

    Parameters
    ----------
    allocation : Allocation
        The fleet and its grants.
    agent : int
        Whose elasticities.
    reach : (m,) array
        How far the axes go [units of each resource].
    axes : (int, int)
        Which two resources; the first is drawn along x.
    """

    allocation: Allocation
    agent: int
    reach: Array
    axes: tuple[int, int] = (0, 1)

    @cached_property
    def alone(self) -> Problem:
        """The agent by itself, owning nothing of the two resources: a grant is then what it holds."""
        problem, i = self.allocation.problem, self.agent
        rest = self.allocation.holding[i].copy()
        rest[list(self.axes)] = 0.0
        return Problem(
            endowment=rest[None],
            capacity=problem.capacity,
            elasticity=problem.elasticity[i][None],
            saturation=problem.saturation[i][None],
            agents=problem.agents[i : i + 1],
            resources=problem.resources,
        )

    @property
    def name(self) -> str:
        """The agent."""
        return self.alone.agents[0]

    @property
    def names(self) -> tuple[str, str]:
        """The two resources."""
        x, y = (self.alone.resources[k] for k in self.axes)
        return x, y

    @cached_property
    def far(self) -> Array:
        """(2,) where the axes end [units]."""
        return np.asarray(self.reach[list(self.axes)])

    @cached_property
    def before(self) -> Array:
        """(2,) what the agent owns [units]."""
        return np.asarray(self.allocation.problem.endowment[self.agent, list(self.axes)])

    @cached_property
    def after(self) -> Array:
        """(2,) what it holds with its grant [units]."""
        return np.asarray(self.allocation.holding[self.agent, list(self.axes)])

    @cached_property
    def top(self) -> float:
        """Accuracy at the far corner, the highest drawn."""
        return float(self.accuracy(*self.far))

    def accuracy(self, x: Any, y: Any) -> Array:
        """Accuracy at holdings x and y (arrays that broadcast) [units]."""
        return np.asarray(self.alone.utility(self._grant(x, y))[..., 0])

    def slope(self, x: float, y: float) -> Array:
        """(2,) what the next unit of either resource adds there [accuracy per unit]."""
        return np.asarray(next_unit(self.alone, self._grant(x, y))[0, list(self.axes)])

    def planes(self, *multiples: float) -> tuple[float, float, float]:
        """Where the planes cut: an amount of y, one of x [units], and an accuracy, in the order of `CUTS`.

        Given as multiples of what the agent holds and reaches. Multiples of nothing would not move, so an
        agent that holds none counts as holding a quarter of the axis.
        """
        of_y, of_x, of_level = multiples
        held = np.where(self.after > 0, self.after, 0.25 * self.far)
        x, y = np.minimum(held * (of_x, of_y), self.far)
        return float(y), float(x), min(of_level * float(self.accuracy(*held)), self.top)

    def isoquant(self, level: float) -> Array:
        """(p, 2) points of equal accuracy inside the axes, by falling y; none for a level out of reach."""
        if not 0 < level <= self.top:
            return np.empty((0, 2))
        gx, gy = self.alone.elasticity[0, list(self.axes)]
        x_most, y_most = np.minimum(self.far, self.alone.saturation[0, list(self.axes)])
        product = level / self.top * x_most**gx * y_most**gy  # x^gx y^gy all along the curve
        x_least = max((product / y_most**gy) ** (1 / gx), INVISIBLE * x_most)
        x = np.geomspace(x_least, x_most, STEPS)
        y = np.minimum((product / x**gx) ** (1 / gy), y_most)
        # Beyond saturation more of one resource changes nothing: straight on to the edges.
        return np.column_stack([np.r_[x[0], x, self.far[0]], np.r_[self.far[1], y, y[-1]]])

    def _grant(self, x: Any, y: Any) -> Array:
        x, y = np.broadcast_arrays(np.asarray(x, dtype=np.float64), y)
        grant = np.zeros((*x.shape, 1, self.alone.m))
        grant[..., 0, self.axes[0]], grant[..., 0, self.axes[1]] = x, y
        return grant


# The picture in three dimensions.


def views(x_name: str, y_name: str) -> dict[str, tuple[float, float, float]]:
    """Places of the camera, by what is then seen."""
    return {
        "From the corner": CORNER,
        f"Against {x_name}": (0.0, -2.1, 0.25),
        f"Against {y_name}": (-2.1, 0.0, 0.25),
        "From above": (0.0, -0.01, 2.1),
    }


def picture(view: Landscape, *, planes: tuple[float, float, float], show: Collection[int], colour: str) -> Spec:
    """The surface with its cuts, and the agent's way over it from what it owns to what it holds.

    A figure of Plotly, `data` and `layout`, as plain values: its own classes would take ten times as long to build.

    Parameters
    ----------
    view : Landscape
        The agent and its resources.
    planes : (y, x, level)
        Where the planes cut, as `Landscape.planes` says.
    show : collection of CUTS
        Which planes to draw.
    colour : str
        Of the rule, for the agent's way.
    """
    x_name, y_name = view.names
    far_x, far_y = view.far
    height = view.top or 1.0
    lift = 0.008 * height  # lines lie just above the surface, so that they are seen whole
    point = f"{_text(x_name)} %{{x:.3f}}<br>{_text(y_name)} %{{y:.3f}}<br>accuracy %{{z:.3f}}<extra></extra>"
    data = _surface(view, height, lift, point)

    at_y, at_x, level = planes
    steps = _fine(STEPS)
    isoquant = view.isoquant(level)
    square_x, square_y, square_z = [0, 1, 1, 0], [0, 0, 1, 1], np.array([0, 0, 1, 1]) * height
    cuts = {
        ALONG_X: (
            (np.multiply(square_x, far_x), [at_y] * 4, square_z),
            (far_x * steps, np.full(STEPS, at_y), view.accuracy(far_x * steps, at_y) + lift),
        ),
        ALONG_Y: (
            ([at_x] * 4, np.multiply(square_x, far_y), square_z),
            (np.full(STEPS, at_x), far_y * steps, view.accuracy(at_x, far_y * steps) + lift),
        ),
        LEVEL: (
            (np.multiply(square_x, far_x), np.multiply(square_y, far_y), [level] * 4),
            (isoquant[:, 0], isoquant[:, 1], np.full(len(isoquant), level + lift)),
        ),
    }
    for cut in show:
        data += _cut(CUT_COLOURS[cut], *cuts[cut])

    way = view.before + np.linspace(0, 1, STEPS)[:, None] * (view.after - view.before)
    over = np.column_stack([way, view.accuracy(*way.T) + 1.5 * lift])
    ends = over[[0, -1]] + [0, 0, 2 * lift]
    data += [
        _line(over, colour, 7),
        {
            "type": "scatter3d",
            "mode": "markers",
            **_points(ends),
            "marker": {"color": ["#ffffff", colour], "size": [9, 12], "line": {"color": colour, "width": 3}},
            "text": [f"{_text(view.name)} on its own", f"{_text(view.name)} with its grant"],
            "hovertemplate": f"%{{text}}<br>{point}",
        },
    ]
    return {"data": data, "layout": _layout(x_name, y_name, far_x, far_y, height)}


def _surface(view: Landscape, height: float, lift: float, hover: str) -> list[Spec]:
    """The surface, and lines of equal accuracy on it.

    Made of triangles, because Plotly refines its own kind of surface until that takes fourteen times as long to draw.
    """
    x, y = (far * _fine(GRID) for far in view.far)
    accuracy = view.accuracy(x, y[:, None]).ravel()
    surface = {
        "type": "mesh3d",
        **_points(np.column_stack([np.tile(x, GRID), np.repeat(y, GRID), accuracy])),
        **_triangles(GRID),
        "intensity": _packed(accuracy, np.float32),
        "colorscale": SURFACE,
        "showscale": False,
        "hovertemplate": hover,
    }
    gap = np.full((1, 3), np.nan)
    levels = height * np.arange(1, CONTOURS) / CONTOURS
    curves = [np.insert(view.isoquant(level), 2, level + lift, axis=1) for level in levels]
    contours = np.concatenate([part for curve in curves for part in (curve, gap)])
    return [surface, _line(contours, "#ffffff", 1.5)]


def _cut(colour: str, wall: tuple[Any, ...], curve: tuple[Array, ...]) -> list[Spec]:
    """A translucent plane, and the line in which it meets the surface."""
    plane = {
        "type": "mesh3d",
        **_points(np.column_stack(wall)),
        **{"i": [0, 0], "j": [1, 2], "k": [2, 3]},
        "color": colour,
        "opacity": 0.25,
        "hoverinfo": "skip",
        "flatshading": True,
        "lighting": {"ambient": 1.0, "diffuse": 0.0},
    }
    return [plane, _line(np.column_stack(curve), colour, 6)]


def _line(points: Array, colour: str, width: float) -> Spec:
    line = {"color": colour, "width": width}
    return {"type": "scatter3d", "mode": "lines", **_points(points), "line": line, "hoverinfo": "skip"}


def _text(name: str) -> str:
    """A name as Plotly shows it letter by letter; it reads tags, makes links of some, and fills in what is in %{}.

    >>> _text("<a href='http://example.org'>%{x}</a>")
    "&lt;a href='http://example.org'>%&#123;x}&lt;/a>"
    """
    return name.replace("&", "&amp;").replace("<", "&lt;").replace("{", "&#123;")


def _layout(x_name: str, y_name: str, far_x: float, far_y: float, height: float) -> Spec:
    def axis(title: str, end: float) -> Spec:
        return {
            "title": {"text": title},
            "range": [0, end],
            "nticks": 6,
            "showspikes": False,
            "showbackground": False,
            "gridcolor": GRID_COLOUR,
            "zerolinecolor": GRID_COLOUR,
        }

    return {
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "showlegend": False,
        "scene": {
            "xaxis": axis(f"{_text(x_name)} held [units]", far_x),
            "yaxis": axis(f"{_text(y_name)} held [units]", far_y),
            "zaxis": axis("accuracy", height),
            "aspectmode": "manual",
            "aspectratio": {"x": 1.15, "y": 1.15, "z": 0.85},
            "camera": {"eye": dict(zip("xyz", CORNER, strict=True)), "center": CENTRE},
        },
    }


def _fine(count: int) -> Array:
    """From 0 to 1, finest near 0, where accuracy rises fastest."""
    return np.asarray(np.linspace(0, 1, count) ** 2)


@lru_cache(maxsize=KEPT)
def _triangles(side: int) -> Spec:
    """Corners i, j, k of the two triangles in every cell of a square grid whose points are numbered row by row."""
    point = np.arange(side * side).reshape(side, side)
    here, right, above, across = (p.ravel() for p in (point[:-1, :-1], point[:-1, 1:], point[1:, :-1], point[1:, 1:]))
    corners = {"i": np.r_[here, right], "j": np.r_[right, across], "k": np.r_[above, above]}
    return {name: _packed(numbers, np.int16) for name, numbers in corners.items()}


def _points(xyz: Array) -> Spec:
    """(p, 3) places as a trace has them; single precision is half the bytes, and more digits than a screen shows."""
    return {axis: _packed(values, np.float32) for axis, values in zip("xyz", xyz.T, strict=True)}


def _packed(values: NDArray[Any], kind: type[np.number[Any]]) -> Spec:
    """An array as Plotly reads it from JSON: its type and its bytes."""
    packed = np.ascontiguousarray(values, dtype=kind)
    return {"dtype": packed.dtype.str[1:], "bdata": b64encode(packed.tobytes()).decode()}


def describe(view: Landscape, rule: str) -> str:
    """What the surface is, for whom, and where the agent goes on it."""
    x, y = view.names
    gamma = view.alone.elasticity[0, list(view.axes)]
    before, after = float(view.accuracy(*view.before)), float(view.accuracy(*view.after))
    return (
        f"The surface is the accuracy that {view.name} would reach with any amounts of {x} and {y}. Another "
        f"agent has another surface, because its tasks have other elasticities (here γ is {gamma[0]:.2f} for "
        f"{x} and {gamma[1]:.2f} for {y}; the nearer to 1, the harder the task). The way on it leads from "
        f"what the agent owns (ring, accuracy {number(before)}) to what it holds under {rule} (disc, "
        f"{number(after)})."
    )


# Its twins in two dimensions.


class Twin(NamedTuple):
    """A cut in two dimensions: its title, how it is drawn, what fills it, and what it shows in words."""

    title: str
    spec: Spec
    tables: Tables
    words: str


def twin(view: Landscape, cut: int, *, planes: tuple[float, float, float], rule: str, colour: str) -> Twin:
    """The cut of `picture` among its family.

    Parameters
    ----------
    view : Landscape
        The agent and its resources.
    cut : one of CUTS
        Which.
    planes : (y, x, level)
        Where the planes cut.
    rule, colour : str
        Whose grants are drawn, and in which colour.
    """
    x, y = view.names
    if cut == LEVEL:
        tables = isoquants(view, level=planes[LEVEL])
        words = describe_isoquants(view, level=planes[LEVEL], rule=rule)
        return Twin("Mixes that reach the same accuracy", isoquant_spec(x, y, colour), tables, words)
    along, other = (x, y) if cut == ALONG_X else (y, x)
    tables = slices(view, along=cut, held=planes[cut])
    words = describe_slice(view, along=cut, held=planes[cut])
    return Twin(f"Accuracy against {along}", slice_spec(cut, along, other), tables, words)


def slices(view: Landscape, *, along: int, held: float) -> Tables:
    """Accuracy against one resource while the other is held: the family, the cut, and what a unit buys there.

    Parameters
    ----------
    view : Landscape
        The agent and its resources.
    along : 0 or 1
        Which of the two resources varies.
    held : float
        How much of the other the agent has [units].
    """

    def accuracy(amount: Any, other: Any) -> Array:
        return view.accuracy(amount, other) if along == 0 else view.accuracy(other, amount)

    amounts = view.far[along] * _fine(STEPS)
    others = np.array(FAMILY) * view.far[1 - along]
    family = pd.DataFrame(
        {
            "other": np.repeat(others, STEPS),
            "label": np.repeat([number(other) for other in others], STEPS),
            "amount": np.tile(amounts, len(others)),
            "accuracy": accuracy(amounts, others[:, None]).ravel(),
        }
    )
    stands, slope = _stands(view, along, held)
    height = float(accuracy(stands, held))
    return {
        "family": family,
        "labels": _apart(family[family["amount"] == amounts[-1]], 0.08 * view.top),
        "cut": pd.DataFrame({"other": held, "amount": amounts, "accuracy": accuracy(amounts, held)}),
        "point": pd.DataFrame({"amount": [stands], "accuracy": [height], "slope": [slope]}),
        "tangent": _segment(stands, height, slope, amounts[-1], view.top),
    }


def describe_slice(view: Landscape, *, along: int, held: float) -> str:
    """What the cut shows, and what a unit buys on it."""
    resource, other = view.names[along], view.names[1 - along]
    stands, slope = _stands(view, along, held)
    return (
        f"with {number(held)} {other}. Grey: with less or more {other}, the number at each curve. At the "
        f"disc, with {number(stands)} {resource}, the next unit of {resource} buys {_bought(slope)} (dashed)."
    )


def _stands(view: Landscape, along: int, held: float) -> tuple[float, float]:
    """What the agent holds of the resource along the cut, and the slope there."""
    stands = float(view.after[along])
    point = (stands, held) if along == 0 else (held, stands)
    return stands, float(view.slope(*point)[along])


@lru_cache(maxsize=KEPT)
def slice_spec(along: int, resource: str, other: str) -> Spec:
    """How `slices` is drawn."""
    colour = CUT_COLOURS[along]
    x, y = _axis("amount", f"{resource} held [units]"), _axis("accuracy", "accuracy")
    tip = [_tip("amount", f"{resource} held [units]"), _tip("accuracy", "accuracy")]
    family_tip = [_tip("other", f"{other} held [units]"), *tip]
    return _spec(
        _of("family").mark_line(color=GREY, strokeWidth=1.2).encode(x, y, detail="other:Q", tooltip=family_tip),
        _of("labels").mark_text(align="right", dx=-2, dy=-6, color=INK, opacity=0.75).encode(x, y, text="label:N"),
        _of("tangent").mark_line(color=colour, strokeDash=[5, 4], strokeWidth=2).encode(x, y),
        _of("cut").mark_line(color=colour, strokeWidth=3).encode(x, y, tooltip=family_tip),
        _of("point")
        .mark_point(filled=True, size=110, opacity=1, color=colour)
        .encode(x, y, tooltip=[*tip, _tip("slope", f"the next unit of {resource} adds [accuracy per unit]")]),
    )


def isoquants(view: Landscape, *, level: float) -> Tables:
    """Curves of equal accuracy for the agent, and every agent's holdings before and after.

    Parameters
    ----------
    view : Landscape
        The agent and its resources.
    level : float
        The accuracy of the cut.
    """
    curves = [_isoquant(view, float(view.accuracy(*(fraction * view.far)))) for fraction in THROUGH]
    moves = _moves(view.allocation, view.agent)
    for axis, k in zip("xy", view.axes, strict=True):
        moves[f"{axis}_before"] = view.allocation.problem.endowment[moves["place"], k]
        moves[axis] = view.allocation.holding[moves["place"], k]
    return {
        "family": pd.concat(curves),
        "labels": pd.concat([curve.tail(1) for curve in curves]),
        "cut": _isoquant(view, level),
        "moves": moves,
    }


def describe_isoquants(view: Landscape, *, level: float, rule: str) -> str:
    """What the isoquants show, and what the marks on them are."""
    n = view.allocation.problem.n
    shown = "every agent" if n <= DRAWN else f"{DRAWN} of the {n:,} agents"
    return (
        f"all mixes of {' and '.join(view.names)} with which {view.name} reaches {number(level)}. Grey: "
        f"other accuracies, the number at each curve. Lines lead from what {shown} owns (ring) to what it "
        f"holds under {rule} (disc), {view.name} in front; the curves are those of {view.name} alone."
    )


@lru_cache(maxsize=KEPT)
def isoquant_spec(x_name: str, y_name: str, colour: str) -> Spec:
    """How `isoquants` is drawn."""
    x, y = _axis("x", f"{x_name} held [units]"), _axis("y", f"{y_name} held [units]")
    line = {"order": "step:Q", "tooltip": [_tip("level", "accuracy")]}
    tip = [
        _tip("x_before", f"owns {x_name} [units]"),
        _tip("y_before", f"owns {y_name} [units]"),
        _tip("x", f"holds {x_name} [units]"),
        _tip("y", f"holds {y_name} [units]"),
    ]
    return _spec(
        _of("family").mark_line(color=GREY, strokeWidth=1.2).encode(x, y, detail="level:Q", **line),
        _of("labels").mark_text(align="right", dx=-2, dy=-6, color=INK, opacity=0.75).encode(x, y, text="label:N"),
        _of("cut").mark_line(color=CUT_COLOURS[LEVEL], strokeWidth=3).encode(x, y, **line),
        *_move_marks(x, y, tip, colour, chords=True),
    )


# One resource: the surface is a curve.


def curves(allocation: Allocation, *, agent: int, resource: int, reach: Array, price: Array) -> Tables:
    """Accuracy against one resource, others held as they are, for the chosen agent among some of the fleet.

    Parameters
    ----------
    allocation : Allocation
        The fleet and its grants.
    agent : int
        The curve in front.
    resource : int
        Which resource varies.
    reach : (m,) array
        How far the axes go [units].
    price : (m,) array
        The going price [accuracy per unit].
    """
    problem = allocation.problem
    amounts = float(reach[resource]) * _fine(STEPS)
    every = _along(allocation, resource, amounts)
    behind = [i for i in some(problem.n, keep=agent, limit=OTHERS + 1) if i != agent]
    faint = pd.DataFrame(
        {
            "agent": np.repeat([problem.agents[i] for i in behind], STEPS),
            "amount": np.tile(amounts, len(behind)),
            "accuracy": every[:, behind].T.ravel(),
        }
    )
    moves = _moves(allocation, agent)
    moves["x_before"], moves["y_before"] = problem.endowment[moves["place"], resource], moves["before"]
    moves["x"], moves["y"] = allocation.holding[moves["place"], resource], moves["after"]
    at = float(allocation.holding[agent, resource]), float(allocation.utility[agent])
    held = np.linspace(problem.endowment[agent, resource], at[0], STEPS)
    weight = float(problem.weight[agent])
    slope = float(next_unit(problem, allocation.grant)[agent, resource]) / weight
    top = float(every.max(initial=0.0))
    return {
        "faint": faint,
        "curve": pd.DataFrame({"amount": amounts, "accuracy": every[:, agent]}),
        "way": pd.DataFrame({"amount": held, "accuracy": _along(allocation, resource, held)[:, agent]}),
        "moves": moves,
        "tangent": _segment(*at, slope, amounts[-1], top),
        "price": _segment(*at, float(price[resource]) / weight, amounts[-1], top),
    }


def _along(allocation: Allocation, resource: int, amounts: Array) -> Array:
    """(p, n) accuracy of every agent if it held each of these amounts of the resource."""
    grant = np.repeat(allocation.grant[None], len(amounts), axis=0)
    grant[:, :, resource] = amounts[:, None] - allocation.problem.endowment[:, resource]
    return allocation.problem.utility(grant)


def describe_curve(
    allocation: Allocation, *, agent: int, resource: int, rule: str, price: Array
) -> tuple[str, str, str]:
    """In words: the curve, what a unit buys on it, and the price beside it."""
    problem = allocation.problem
    name, kind = problem.agents[agent], problem.resources[resource]
    gamma, slope = problem.elasticity[agent, resource], next_unit(problem, allocation.grant)[agent, resource]
    shown = min(problem.n - 1, OTHERS)
    others = f" Faint: {shown} other agents." if shown else ""
    return (
        f"The accuracy that {name} reaches with any amount of {kind}: its elasticity γ is {gamma:.2f} (the "
        "nearer to "
        f"1, the harder the task). It goes from what it owns (ring) to what it holds under {rule} (disc).{others}",
        f"Its slope at the disc, dashed, is what the next unit buys: {_bought(float(slope))}.",
        f"{number(float(price[resource]))} accuracy per unit, dotted: what the last unit buys where the fleet's total "
        "accuracy is greatest. Where the curve is steeper than that, Fair-Synergy would give the agent more.",
    )


@lru_cache(maxsize=KEPT)
def curve_spec(resource: str, colour: str) -> Spec:
    """How `curves` is drawn."""
    x, y = _axis("amount", f"{resource} held [units]"), _axis("accuracy", "accuracy")
    tip = [_tip("x_before", f"owns {resource} [units]"), _tip("x", f"holds {resource} [units]")]
    own, price = CUT_COLOURS[ALONG_X], CUT_COLOURS[LEVEL]
    return _spec(
        _of("faint").mark_line(color=GREY, strokeWidth=1, opacity=0.45).encode(x, y, detail="agent:N"),
        _of("curve").mark_line(color=own, strokeWidth=3).encode(x, y),
        _of("price").mark_line(color=price, strokeDash=[2, 3], strokeWidth=2.5).encode(x, y),
        _of("tangent").mark_line(color=own, strokeDash=[6, 3], strokeWidth=2).encode(x, y),
        _of("way").mark_line(color=colour, strokeWidth=5).encode(x, y),
        *_move_marks(alt.X("x:Q"), alt.Y("y:Q"), tip, colour, chords=False),
    )


# What the twins share.


def some(n: int, *, keep: int, limit: int = DRAWN) -> NDArray[np.intp]:
    """Up to `limit` of n positions, evenly spaced and in order, and `keep` among them.

    >>> some(5, keep=3), some(1000, keep=3, limit=4)
    (array([0, 1, 2, 3, 4]), array([  0,   3, 333, 666, 999]))
    """
    if n <= limit:
        return np.arange(n)
    return np.union1d(np.linspace(0, n - 1, limit).astype(np.intp), [keep])


def _moves(allocation: Allocation, agent: int) -> pd.DataFrame:
    """Who is drawn, and each one's accuracy before and after."""
    problem = allocation.problem
    place = some(problem.n, keep=agent)
    place = np.append(place[place != agent], agent)  # drawn last, in front of the others
    return pd.DataFrame(
        {
            "place": place,
            "agent": [problem.agents[i] for i in place],
            "before": problem.utility(np.zeros_like(allocation.grant))[place],
            "after": allocation.utility[place],
            "chosen": place == agent,
            "strength": np.where(place == agent, 1.0, min(0.5, 12 / len(place))),  # of many, each recedes
        }
    )


def _move_marks(x: Any, y: Any, tip: list[Any], colour: str, *, chords: bool) -> list[Any]:
    """Every agent from what it owns (ring) to what it holds (disc); the chosen one in front."""
    tip = [alt.Tooltip("agent:N", title="agent"), *tip]
    tip += [_tip("before", "accuracy on its own"), _tip("after", "accuracy with its grant")]
    ring = {"x": alt.X("x_before:Q"), "y": alt.Y("y_before:Q")}
    size = alt.condition("datum.chosen", alt.value(120), alt.value(30))
    base = _of("moves")
    marks = [
        base.mark_point(color=colour).encode(
            **ring, size=size, opacity=alt.condition("datum.chosen", alt.value(1), alt.value(0.5)), tooltip=tip
        ),
        base.mark_point(color=colour, filled=True, opacity=1.0).encode(x, y, size=size, tooltip=tip),
    ]
    if chords:
        line = base.mark_rule(color=colour).encode(
            **ring,
            x2="x:Q",
            y2="y:Q",
            opacity=alt.Opacity("strength:Q", scale=None),
            strokeWidth=alt.condition("datum.chosen", alt.value(3), alt.value(1)),
        )
        marks.insert(0, line)
    return marks


def _isoquant(view: Landscape, level: float) -> pd.DataFrame:
    x, y = view.isoquant(level).T
    return pd.DataFrame({"level": level, "label": number(level), "x": x, "y": y, "step": np.arange(len(x))})


def _segment(x: float, y: float, slope: float, far: float, top: float) -> pd.DataFrame:
    """A line through a point, kept inside the picture; a first unit's slope, infinite, is not drawn."""
    if not np.isfinite(slope):
        return pd.DataFrame({"amount": [], "accuracy": []}, dtype=np.float64)
    half = 0.22 * far if slope == 0 else min(0.22 * far, 0.3 * top / slope)
    low = max(x - half, 0.0, x - y / slope if slope else 0.0)
    ends = np.array([low, min(x + half, far)])
    return pd.DataFrame({"amount": ends, "accuracy": y + slope * (ends - x)})


def _apart(ends: pd.DataFrame, least: float) -> pd.DataFrame:
    """The rows whose accuracy lies far enough above that of the last row kept for labels not to overlap."""
    kept: list[int] = []
    for place, height in enumerate(ends["accuracy"]):
        if not kept or height - ends["accuracy"].iloc[kept[-1]] >= least:
            kept.append(place)
    return ends.iloc[kept]


def _bought(slope: float) -> str:
    if np.isinf(slope):
        return "more than any price"
    return f"{number(slope)} accuracy per unit" if slope > 0 else "nothing"


def _axis(field: str, title: str) -> Any:
    channel = alt.Y if field in ("accuracy", "y") else alt.X
    return channel(f"{field}:Q", title=title, scale=alt.Scale(nice=False))


def _tip(field: str, title: str) -> Any:
    return alt.Tooltip(f"{field}:Q", title=title, format=".3f")


def _of(name: str) -> Any:
    return alt.Chart(alt.NamedData(name))


def _spec(*layers: Any) -> Spec:
    """The dictionary of a chart without Altair's own style: Streamlit's theme is the style."""
    spec: Spec = alt.layer(*layers).properties(height=300).to_dict()
    spec.pop("config", None)
    spec["autosize"] = FIT
    return spec
