"""Profiles of hypothesis: quick at the desk, thorough and repeatable in CI; doctests that need an extra."""

import os

import extras
import pytest
from hypothesis import settings

settings.register_profile("dev", max_examples=25, deadline=None)
settings.register_profile("ci", max_examples=200, deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A doctest has no marks of its own."""
    for item in items:
        if isinstance(item, pytest.DoctestItem) and (extra := extras.DOCTESTS.get(item.name.partition(":")[0])):
            item.add_marker(extras.needs(extra))
