"""A monkey at the dashboard: 1,000 random steps in CI; `python tests/monkey.py` takes 10,000."""

import monkey
import pytest

SEEDS, STEPS = 8, 125


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_monkey_breaks_nothing(seed, monkeypatch):
    monkeypatch.setattr(monkey.solve, "LONG_LOOK", monkey.LONG_LOOK)
    assert monkey.run(seed, STEPS).steps == STEPS


def test_the_monkey_goes_everywhere():
    assert set(monkey.PAGES) == {path.stem for path in (monkey.ROOT / "pages").glob("*.py")}


def test_what_breaks_tells_how_to_break_it_again(monkeypatch):
    one = monkey.Monkey(3)
    monkeypatch.setattr(one, "_check", lambda kind: 1 / 0)
    with pytest.raises(AssertionError, match=r"seed 3, step 0, page explore: division by zero\n  'enter'"):
        one.step()
