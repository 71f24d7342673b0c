"""Accuracy against labels and model size, measured on the handwritten digits that come with scikit-learn.

1,797 images of 8 × 8 pixels in ten classes (E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI
Machine Learning Repository, 1998). Each repeat draws, by its seed, 597 images for testing and orders the other 1,200,
classes mixed; a model learns from the first so many of them, and its accuracy is the share of the 597 that it names
correctly. Models keep scikit-learn's settings but where `CURVES` says otherwise. In the noisy task every pixel is
disturbed by normal noise of half the range from white to black: the same pupil, a harder subject.

This is the only module that uses scikit-learn (fairsynergy[measure]), and only inside the functions.
"""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from fairsynergy.errors import not_installed
from fairsynergy.problem import Array

TEST = 597  # images held out
NOISE = 0.5  # standard deviation, of pixels between 0 and 1
SEEDS = 10
LABELS, LEAVES, UNITS, TREES = RESOURCES = ("labelled examples", "leaves", "hidden units", "trees")
EXAMPLES = (30, 60, 120, 240, 480, 960)
SIZES = (2, 4, 8, 16, 32, 64)
FORESTS = (1, 4, 16, 64)
STEPS = 200  # of training a neural network

Amounts = Mapping[str, int]
Tell = Callable[[int, int], object]


class Images(NamedTuple):
    """A split of the digits: pixels between 0 and 1, and which digit it is."""

    train: Array  # (1200, 64)
    learned: NDArray[np.int_]  # (1200,)
    test: Array  # (597, 64)
    asked: NDArray[np.int_]  # (597,)


class Measurement(NamedTuple):
    """One accuracy: of which curve, with how much of each resource, in which repeat."""

    curve: str
    amounts: Amounts
    accuracy: float
    seed: int


@dataclass(frozen=True)
class Plan:
    """How a curve is measured.

    Parameters
    ----------
    run : callable
        (images, seed) to pairs of amounts and accuracy.
    noise : float
        Standard deviation of what is added to every pixel.
    """

    run: Callable[[Images, int], Iterator[tuple[Amounts, float]]]
    noise: float = 0.0


def measure(
    seeds: Iterable[int] = range(SEEDS), *, names: Sequence[str] | None = None, tell: Tell = lambda done, of: None
) -> list[Measurement]:
    """Measure curves; the same seeds give the same numbers.

    Parameters
    ----------
    seeds : iterable of int
        One repeat each.
    names : sequence of str, optional
        Of `CURVES`; default: all of them, about a minute for ten seeds.
    tell : callable
        Called with how many parts are done, and of how many, after each.

    Raises
    ------
    FairSynergyError
        If scikit-learn is not installed.
    KeyError
        If there is no curve of a name.
    """
    provenance()  # before any work
    plans = {name: CURVES[name] for name in (CURVES if names is None else names)}
    repeats = list(seeds)
    found = []
    parts = [(name, plan, seed) for name, plan in plans.items() for seed in repeats]
    # One thread: sums split among threads round differently, and these are too small to be worth it.
    with threadpool_limits(1):
        for done, (name, plan, seed) in enumerate(parts, 1):
            images = split(seed, plan.noise)
            found += [Measurement(name, amounts, accuracy, seed) for amounts, accuracy in plan.run(images, seed)]
            tell(done, len(parts))
    return found


def provenance() -> str:
    """What measures, with its version.

    Raises
    ------
    FairSynergyError
        If it is not installed.
    """
    try:
        import sklearn
    except ImportError:
        raise not_installed("measuring", "scikit-learn", "measure") from None
    return f"scikit-learn {sklearn.__version__}"


def write(found: Sequence[Measurement]) -> str:
    """Measurements as a table that `fairsynergy.curves.read_curves` reads, with what made them above it."""
    seeds = sorted({one.seed for one in found})
    text = io.StringIO()
    text.write(
        f"# Accuracy on {TEST} held-out images of the digits that come with scikit-learn, measured by `fairsynergy "
        f"measure --seeds {len(seeds)}` with {provenance()}; repeat is the seed of a split.\n"
    )
    used = [name for name in RESOURCES if any(name in one.amounts for one in found)]
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["curve", *used, "accuracy", "repeat"])
    for one in found:
        table.writerow([one.curve, *(one.amounts.get(name, "") for name in used), f"{one.accuracy:.4f}", one.seed])
    return text.getvalue()


def split(seed: int, noise: float = 0.0) -> Images:
    """The images of a repeat: which are learned from, in which order, and which are asked about."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    pixels, digit = load_digits(return_X_y=True)
    rng = np.random.default_rng(seed)
    seen = pixels / 16 + noise * rng.standard_normal(pixels.shape)
    train, test, learned, asked = train_test_split(seen, digit, test_size=TEST, stratify=digit, random_state=seed)
    return Images(train, learned, test, asked)


def _against_labels(model: Callable[[int], Any]) -> Callable[[Images, int], Iterator[tuple[Amounts, float]]]:
    """A model that is made anew for each number of examples."""

    def run(images: Images, seed: int) -> Iterator[tuple[Amounts, float]]:
        for n in EXAMPLES:
            taught = model(seed).fit(images.train[:n], images.learned[:n])
            yield {LABELS: n}, float(taught.score(images.test, images.asked))

    return run


def _logistic(seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=2000)


def _support_vectors(seed: int) -> Any:
    from sklearn.svm import SVC

    return SVC()


def _trees_by_leaves(images: Images, seed: int) -> Iterator[tuple[Amounts, float]]:
    from sklearn.tree import DecisionTreeClassifier

    for leaves in SIZES:
        taught = DecisionTreeClassifier(max_leaf_nodes=leaves, random_state=seed).fit(images.train, images.learned)
        yield {LEAVES: leaves}, float(taught.score(images.test, images.asked))


def _networks_by_units(images: Images, seed: int) -> Iterator[tuple[Amounts, float]]:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    for units in SIZES:
        # Quasi-Newton steps suit so few images. Their number is part of the plan, not a failure to say aloud; with tanh
        # no unit of a narrow network dies on the way.
        network = MLPClassifier((units,), activation="tanh", solver="lbfgs", max_iter=STEPS, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            taught = network.fit(images.train, images.learned)
        yield {UNITS: units}, float(taught.score(images.test, images.asked))


def _forests(images: Images, seed: int) -> Iterator[tuple[Amounts, float]]:
    """Labels and trees together: the first trees of a forest are a smaller forest."""
    from sklearn.ensemble import RandomForestClassifier

    for n in EXAMPLES:
        forest = RandomForestClassifier(max(FORESTS), random_state=seed).fit(images.train[:n], images.learned[:n])
        votes = np.cumsum([tree.predict_proba(images.test) for tree in forest.estimators_], axis=0)
        for trees in FORESTS:
            said = forest.classes_[votes[trees - 1].argmax(axis=1)]
            yield {LABELS: n, TREES: trees}, float((said == images.asked).mean())


CURVES: Mapping[str, Plan] = MappingProxyType(
    {
        "Digits, logistic regression": Plan(_against_labels(_logistic)),
        "Digits, support vector machine": Plan(_against_labels(_support_vectors)),
        "Noisy digits, logistic regression": Plan(_against_labels(_logistic), NOISE),
        "Digits, size of a decision tree": Plan(_trees_by_leaves),
        "Digits, size of a neural network": Plan(_networks_by_units),
        "Digits, random forest: labels and trees": Plan(_forests),
    }
)
