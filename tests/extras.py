"""The optional extras of the package: which are missing here, what then does not run, and how to go without one.

Importing fairsynergy never needs an extra, so neither does collecting the tests; a test that needs one is skipped and
says so, and the last line of tests/run.py says it again.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest


class Extra(NamedTuple):
    """An extra: what people call the library, and the modules that come with it."""

    library: str
    modules: tuple[str, ...]

    @property
    def missing(self) -> bool:
        """Whether it cannot be imported."""
        return any(find_spec(module) is None for module in self.modules)


EXTRAS = {
    "training": Extra("PyTorch", ("torch",)),
    "marl": Extra("PettingZoo", ("pettingzoo", "gymnasium")),
    "cluster": Extra("Dask", ("dask", "distributed")),
    "measure": Extra("scikit-learn", ("sklearn",)),
}
# Doctests that need one.
DOCTESTS = {"fairsynergy.collaborative._environment": "marl"}

# Python runs a module of this name before anything else, in every process; this one hides packages from it.
SITE = """\
import os, sys
from importlib.machinery import PathFinder

HIDDEN = set(os.environ["FAIRSYNERGY_TESTED_WITHOUT"].split())

class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in HIDDEN else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Without
"""


def without(extra: str) -> str:
    """Why a test that needs the extra does not run."""
    return f"there is no {EXTRAS[extra].library} (fairsynergy[{extra}])"


def needs(extra: str) -> pytest.MarkDecorator:
    """Marks a test that needs the extra."""
    return pytest.mark.skipif(EXTRAS[extra].missing, reason=without(extra))


def hiding(folder: Path, *extras: str) -> dict[str, str]:
    """An environment in which Python finds none of these extras, whether they are installed or not.

    Parameters
    ----------
    folder : Path
        Receives a file, and has to stay while the environment is used.
    """
    (folder / "sitecustomize.py").write_text(SITE, encoding="utf-8")
    path = filter(None, (str(folder), os.environ.get("PYTHONPATH")))
    hidden = " ".join(module for extra in extras for module in EXTRAS[extra].modules)
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path), "FAIRSYNERGY_TESTED_WITHOUT": hidden}
