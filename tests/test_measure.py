"""Curves measured again: the same numbers by seed, within the error bars of what is shipped."""

import sys

import extras
import numpy as np
import pytest

import fairsynergy as fs
from fairsynergy.curves import digits, read_curves, read_folder
from fairsynergy.fleets.drawn import ASSETS

QUICK = ["Digits, support vector machine", "Noisy digits, logistic regression", "Digits, size of a decision tree"]
DEVIATIONS = 3  # of the shipped repeats, that a mean of two may be off


@pytest.fixture(scope="module")
def again():
    done = []
    return digits.measure(range(2), names=QUICK, tell=lambda *now: done.append(now)), done


@extras.needs("measure")
def test_a_part_measured_again_lies_within_the_shipped_error_bars(again):
    shipped = read_folder(ASSETS / "curves")
    found = read_curves(digits.write(again[0]).encode(), "again.csv")
    assert list(found) == QUICK
    for name, curve in found.items():
        old = shipped[name]
        assert curve.resources == old.resources
        amounts = np.unique(old.resource, axis=0)
        assert np.unique(curve.resource, axis=0).tolist() == amounts.tolist()
        for amount in amounts:
            was = old.accuracy[(old.resource == amount).all(axis=1)]
            now = curve.accuracy[(curve.resource == amount).all(axis=1)]
            assert len(now) == 2
            assert abs(now.mean() - was.mean()) <= DEVIATIONS * was.std(ddof=1)


@extras.needs("measure")
def test_progress_counts_the_parts(again):
    assert again[1] == [(done, 6) for done in range(1, 7)]


@extras.needs("measure")
def test_the_same_seed_gives_the_same_numbers(again):
    name = QUICK[0]
    assert digits.measure([1], names=[name]) == [one for one in again[0] if one.curve == name and one.seed == 1]


@extras.needs("measure")
def test_what_is_tested_is_held_out():
    images = digits.split(0)
    assert len(images.test) == digits.TEST
    assert len(images.train) == 1797 - digits.TEST
    seen = {row.tobytes() for row in images.train}
    assert not any(row.tobytes() in seen for row in images.test)


def test_the_shipped_file_is_what_the_plans_would_write():
    shipped = read_folder(ASSETS / "curves")
    assert set(digits.CURVES) < set(shipped)
    for name in digits.CURVES:
        counts = np.unique(shipped[name].resource, axis=0, return_counts=True)[1]
        assert (counts == digits.SEEDS).all()


def test_without_scikit_learn_its_absence_is_explained(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(fs.FairSynergyError, match=r"needs scikit-learn, .*: pip install 'fairsynergy\[measure\]'"):
        digits.measure()
