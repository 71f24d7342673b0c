"""The fleets that are measured: distributed learning as the paper draws it."""

from __future__ import annotations

import numpy as np

import fairsynergy as fs


def paper_fleet(rng: np.random.Generator, n: int) -> fs.Problem:
    """n agents with two resources, of saturation at an accuracy of 1."""
    return fs.Problem(
        endowment=rng.uniform(0, 0.01, (n, 2)),
        capacity=rng.random((n, 2)).sum(axis=0),
        elasticity=rng.uniform(0.02, 0.98, (n, 2)),
        saturation=1.0,
    )
