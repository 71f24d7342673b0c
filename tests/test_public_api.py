"""The public names: all there, in order, documented with shapes; and one tree of errors."""

import importlib
import inspect
import pkgutil
import re
from functools import cached_property
from types import FunctionType

import pytest

import fairsynergy as fs

MODULES = [
    importlib.import_module(found.name)
    for found in pkgutil.walk_packages(fs.__path__, "fairsynergy.")
    if not found.name.endswith("__main__")
]
# Every class and function that some module of the package defines without an underscore, by its full name.
DEFINED = {
    f"{module.__name__}.{name}": thing
    for module in (fs, *MODULES)
    for name, thing in vars(module).items()
    if not name.startswith("_")
    and (inspect.isclass(thing) or inspect.isfunction(thing))
    and thing.__module__ == module.__name__
}
CLASSES = {path: thing for path, thing in DEFINED.items() if inspect.isclass(thing)}
METHODS = (FunctionType, classmethod, staticmethod, property, cached_property)
# What a user meets through `fs.`: functions, classes, their methods and properties.
PUBLIC = {name: thing for name in fs.__all__ if callable(thing := getattr(fs, name))}
MEMBERS = {
    f"{name}.{attribute}": member
    for name, thing in PUBLIC.items()
    if inspect.isclass(thing)
    for attribute, member in vars(thing).items()
    if not attribute.startswith("_") and isinstance(member, METHODS)
}
SHAPE = re.compile(r"\((\.\.\.|[a-z0-9])(, [a-z0-9])*,?\)")


def arrays(thing):
    """Whether the thing takes or gives an array, by its annotations."""
    inside = (getattr(thing, name, None) for name in ("fget", "func", "__func__"))
    function = next(filter(None, inside), thing)
    return any("Array" in str(kind) for kind in inspect.get_annotations(function).values())


def test_all_names_exist_once_and_in_order():
    names = fs.__all__
    assert len(set(names)) == len(names)
    assert [name for name in names if not hasattr(fs, name)] == []
    # Constants, then classes, then functions and modules, each by alphabet.
    assert names == sorted(names, key=lambda name: (not name.isupper(), name[0].islower(), name))


def test_the_promised_names_are_public():
    promised = (
        "Problem allocate Uniform Random NUM DRF Leximin FairSynergy AlphaFair Nash EqualIncomeMarket WholeUnits "
        "POLICIES waterfill"
    )
    assert set(promised.split()) <= set(fs.__all__)
    assert list(fs.POLICIES) == ["Fair-Synergy", "Random", "Uniform", "NUM", "DRF", "Leximin"]


def test_public_names_are_not_modules_by_accident():
    stray = {
        name
        for name, thing in vars(fs).items()
        if not name.startswith("_") and name not in fs.__all__ and not inspect.ismodule(thing)
    }
    assert stray <= {"annotations"}


@pytest.mark.parametrize("path", DEFINED)
def test_everything_public_has_a_docstring(path):
    thing = DEFINED[path]
    # A dataclass without a docstring is given its signature as one.
    assert thing.__doc__
    assert not thing.__doc__.startswith(f"{thing.__name__}(")


@pytest.mark.parametrize("path", CLASSES)
def test_every_public_method_has_a_docstring(path):
    """Its own, or that of the method it overrides."""
    members = {name: member for name, member in vars(CLASSES[path]).items() if not name.startswith("_")}
    methods = {name for name, member in members.items() if isinstance(member, METHODS)}
    assert [name for name in sorted(methods) if not inspect.getdoc(getattr(CLASSES[path], name))] == []


@pytest.mark.parametrize("path", [path for path, thing in {**PUBLIC, **MEMBERS}.items() if arrays(thing)])
def test_arrays_are_documented_with_their_shape(path):
    assert SHAPE.search(inspect.getdoc({**PUBLIC, **MEMBERS}[path]) or "")


def test_every_error_belongs_to_the_tree():
    errors = {path: thing for path, thing in CLASSES.items() if issubclass(thing, BaseException)}
    assert {"fairsynergy.errors.ProblemError", "fairsynergy.errors.SolverError"} <= set(errors)
    assert [path for path, thing in errors.items() if not issubclass(thing, fs.FairSynergyError)] == []
    assert issubclass(fs.ProblemError, ValueError)
