"""The first cases of every attack in tests/attacks; `python tests/attack.py` tries many more."""

from __future__ import annotations

from importlib import import_module

import pytest
from attack import ATTACKS, attempt


@pytest.mark.parametrize("name", ATTACKS)
def test_no_claim_is_false(name: str) -> None:
    count = import_module(f"attacks.{name}").COUNT
    wrong = {case: faults for case in range(count) if (faults := attempt(name, 0, case))}
    assert not wrong
