"""Fleets for tests: random ones (hypothesis), some at the edge of what a double can hold, and named ones."""

from __future__ import annotations

import json
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
from hypothesis.extra.numpy import arrays

import fairsynergy as fs

# Elasticities at their edges: this close to 0 or to 1.
NEAR = st.floats(-9, -3).map(lambda exponent: 10.0**exponent)
ELASTICITIES = st.one_of(st.floats(0.05, 0.95), NEAR, NEAR.map(lambda distance: 1 - distance))
# Amounts from 1e-9 to 1e9, a whole fleet in one unit or every number in its own.
SCALES = st.integers(-9, 9).map(lambda exponent: 10.0**exponent)
FRACTIONS = st.one_of(st.just(0.0), st.floats(0.001, 1.0))


@st.composite
def problems(
    draw: st.DrawFn,
    *,
    resources: tuple[int, ...] = (1, 2),
    most_agents: int = 12,
    concave: bool = False,
    mild: bool = False,
    bounds: bool = True,
    weights: bool = True,
) -> fs.Problem:
    """A valid problem.

    `concave`: no agent has increasing returns. `mild`: positive endowments of one scale, and elasticities
    away from 0 and 1, so that grants can be compared number by number. `bounds`, `weights`: sometimes.
    """
    m = draw(st.sampled_from(resources))
    n = draw(st.integers(1, most_agents))
    unit = draw(st.just(1.0) if mild else SCALES)
    own = draw(st.just(0.01) if mild else FRACTIONS) + draw(arrays(float, (n, m), elements=FRACTIONS))
    if not mild and draw(st.booleans()):
        own = own * draw(arrays(float, (n, m), elements=SCALES))
    elasticity = draw(arrays(float, (n, m), elements=st.floats(0.05, 0.95) if mild else ELASTICITIES))
    if concave and m > 1:
        elasticity = np.minimum(elasticity, 0.999) / m
    capacity = draw(arrays(float, m, elements=st.floats(0.01, 1.0))) * n
    some_bounds = bounds and draw(st.booleans())
    some_weights = weights and draw(st.booleans())
    # Floors take at most 60 % of a capacity; ceilings start where floors end.
    floor = 0.6 * capacity / n * draw(arrays(float, (n, m), elements=FRACTIONS)) if some_bounds else 0.0
    ceiling, saturation = np.inf, np.inf
    if some_bounds:
        room = draw(arrays(float, (n, m), elements=st.one_of(FRACTIONS, st.just(np.inf))))
        ceiling = floor + room * capacity
        saturation = draw(st.one_of(st.just(np.inf), st.floats(0.1, 3.0)))
    return fs.Problem(
        endowment=own * unit,
        capacity=capacity * unit,
        elasticity=elasticity,
        weight=draw(arrays(float, n, elements=st.floats(0.1, 10.0))) if some_weights else None,
        floor=floor * unit,
        ceiling=ceiling * unit,
        saturation=saturation * unit,
    )


def scaled_up(problem: fs.Problem, factor: float) -> fs.Problem:
    """The same fleet with more to share."""
    return changed(problem, capacity=problem.capacity * factor)


def changed(problem: fs.Problem, **changes: object) -> fs.Problem:
    """The same problem with some of its arguments replaced."""
    given = {name: getattr(problem, name) for name in problem.__dataclass_fields__}
    return fs.Problem(**{**given, **changes})


def paper_fleet(rng: np.random.Generator, n: int) -> fs.Problem:
    """Distributed learning as the paper draws it, with saturation at an accuracy of 1."""
    return fs.Problem(
        endowment=rng.uniform(0, 0.01, (n, 2)),
        capacity=rng.random((n, 2)).sum(axis=0),
        elasticity=rng.uniform(0.02, 0.98, (n, 2)),
        saturation=1.0,
    )


GOLDEN = Path(__file__).parent / "golden"


def fleet(letter: str, **changes: object) -> fs.Problem:
    """Fleet A (the paper's Fig. 6) or Fleet B (its distributed-learning fleet)."""
    stored = json.loads((GOLDEN / f"fleet_{letter}.json").read_text())
    problem = fs.Problem(**{name: stored[name] for name in ("endowment", "capacity", "elasticity")})
    return changed(problem, **changes)


def _drawn(n: int, m: int, seed: int, **changes: object) -> fs.Problem:
    rng = np.random.default_rng(seed)
    arguments: dict[str, object] = {
        "endowment": rng.random((n, m)) / 10,
        "capacity": np.full(m, n / 2),
        "elasticity": rng.uniform(0.05, 0.95 / m, (n, m)),
    }
    return fs.Problem(**{**arguments, **changes})


# Problems with a reason to be here; every rule faces every one of them.
NAMED: dict[str, fs.Problem] = {
    "Fleet A": fleet("a"),
    "Fleet A, one difficulty": fleet("a", elasticity=np.full((10, 1), 0.3)),
    "Fleet B": fleet("b"),
    "Fleet B, saturating at 1": fleet("b", saturation=1.0, capacity=[5.0, 5.0]),
    "one resource": _drawn(7, 1, 30),
    "two resources": _drawn(7, 2, 31),
    "one agent": fs.Problem(endowment=[0.1], capacity=1.0, elasticity=[0.5]),
    "one agent, two resources": fs.Problem(endowment=[[0.1, 0.0]], capacity=[1, 2], elasticity=[[0.5, 0.9]]),
    "nobody owns anything": _drawn(6, 1, 1, endowment=np.zeros(6)),
    "nobody owns anything, two resources": _drawn(6, 2, 2, endowment=np.zeros((6, 2))),
    "one agent owns nothing of one resource": _drawn(3, 2, 3, endowment=[[0.1, 0.2], [0.0, 0.1], [0.2, 0.1]]),
    "nothing to share": _drawn(4, 1, 4, capacity=0.0),
    "nothing of one resource to share": _drawn(4, 2, 5, capacity=[1.0, 0.0]),
    "somebody lacks what cannot be shared": _drawn(
        3, 2, 6, endowment=[[0.1, 0.2], [0.3, 0.0], [0.2, 0.1]], capacity=[1.0, 0.0]
    ),
    "next to nothing to share": _drawn(5, 2, 7, capacity=[1e-12, 1e-12]),
    "plenty to share": _drawn(5, 2, 8, capacity=[1e6, 1e6]),
    "easy and hard tasks": _drawn(5, 1, 9, elasticity=[1e-6, 1e-3, 0.5, 0.999, 1 - 1e-6]),
    "tiny unit": _drawn(5, 2, 10, endowment=np.full((5, 2), 2e-10), capacity=[1e-9, 3e-9]),
    "huge unit": _drawn(5, 2, 11, endowment=np.full((5, 2), 2e8), capacity=[1e9, 3e9]),
    "mixed units": _drawn(5, 2, 12, endowment=np.full((5, 2), [2e-10, 2e8]), capacity=[1e-9, 1e9]),
    "weights": _drawn(5, 1, 13, weight=[0.1, 1.0, 2.0, 5.0, 10.0]),
    "weights, two resources": _drawn(5, 2, 14, weight=[0.1, 1.0, 2.0, 5.0, 10.0]),
    "floors": _drawn(5, 1, 15, floor=[0.0, 0.4, 0.0, 0.8, 0.1]),
    "floors, two resources": _drawn(5, 2, 16, floor=np.linspace(0.0, 0.9, 10).reshape(5, 2)),
    "floors take everything": _drawn(5, 1, 17, floor=0.5),
    "floors take all of one resource": _drawn(5, 2, 18, floor=[0.5, 0.1]),
    "ceilings": _drawn(5, 1, 19, ceiling=[0.1, np.inf, 0.3, 1.0, np.inf]),
    "ceilings, two resources": _drawn(5, 2, 20, ceiling=np.linspace(0.1, 1.5, 10).reshape(5, 2)),
    "everyone reaches the ceiling": _drawn(5, 1, 21, ceiling=0.3),
    "everyone reaches the ceiling of one resource": _drawn(5, 2, 22, ceiling=[0.3, np.inf]),
    "ceilings of zero": _drawn(4, 2, 23, ceiling=[[0.0, 1.0], [1.0, 0.0], [0.0, 0.0], [1.0, 1.0]]),
    "one resource only on paper": _drawn(3, 2, 24, endowment=[[0.1, 0.0]] * 3, ceiling=[np.inf, 0.0]),
    "saturation": _drawn(5, 1, 25, saturation=[0.05, 0.5, 1.0, 2.0, np.inf]),
    "saturated from the start": _drawn(4, 2, 26, endowment=np.full((4, 2), 2.0), saturation=1.0),
    "everything at once": _drawn(
        6, 2, 27, weight=[1, 2, 3, 1, 2, 3], floor=[0.05, 0.1], ceiling=[1.0, 0.9], saturation=0.8
    ),
    "three resources": _drawn(4, 3, 28),
    "increasing returns": _drawn(6, 2, 29, elasticity=np.full((6, 2), [0.8, 0.7])),
}
