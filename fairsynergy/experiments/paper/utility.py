"""Figures 2 and 3: the utility, and accuracies that were measured."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from fairsynergy.experiments.paper.terms import NONE, Course, Findings, Options
from fairsynergy.experiments.reproduction import Claim, Verdict
from fairsynergy.fleets.drawn import ASSETS
from fairsynergy.problem import Array
from fairsynergy.words.phrases import signed


def surface(options: Options) -> Findings:
    """Figure 2: a surface, its slices and its isoquants."""
    course = Course(options.tell, 1)
    gamma = (0.5, 0.4)
    amounts = np.linspace(0.0, 1.0, 41)
    compute, labels = np.meshgrid(amounts, amounts, indexing="ij")
    utility = compute ** gamma[0] * labels ** gamma[1]
    fixed = (0.1, 0.25, 0.5, 1.0)
    fine = np.linspace(0.0, 1.0, 201)
    levels = np.arange(1, 10) / 10
    along = np.geomspace(0.01, 1.0, 200)

    gains = np.diff(fine ** gamma[0])
    falling = bool((np.diff(gains) < 0).all())
    ends = np.array([[0.2, 0.6], [0.8, 0.9]])

    def worth(bundles: Array, a: float, b: float) -> Array:
        return np.asarray(bundles[..., 0] ** a * bundles[..., 1] ** b)

    def doubled(a: float, b: float) -> float:
        """How many times the utility of twice a bundle is that of the bundle."""
        return float(worth(2 * ends[0], a, b) / worth(ends[0], a, b))

    def bend(a: float, b: float) -> float:
        """How far the utility halfway between two bundles exceeds the average of theirs; below 0, it is not concave."""
        return float(worth(ends.mean(axis=0), a, b) / worth(ends, a, b).mean()) - 1

    course.step()
    claims = (
        Claim(
            "the gain from one more unit, the other resource fixed", "diminishes (Fig. 2, middle)", NONE,
            "diminishes at every one of 199 steps" if falling else "does not always diminish",
            "diminishes, for every elasticity between 0 and 1",
            "The second derivative, γ(γ − 1)h^(γ−2), is negative.", Verdict.HOLDS if falling else Verdict.FAILS,
        ),
        Claim(
            "twice of both resources", "doubles the utility if the elasticities add up to 1", NONE,
            f"× {doubled(0.5, 0.5):.2f} for a sum of 1; × {doubled(0.5, 0.4):.2f} for 0.9; "
            f"× {doubled(0.9, 0.8):.2f} for 1.7",
            "2 to the power of the sum", "Returns to scale are the sum of the elasticities.",
            Verdict.HOLDS if np.isclose(doubled(0.5, 0.5), 2) else Verdict.FAILS,
        ),
        Claim(
            "concave in each resource, not in both together", "in each: “biconcave” (III B)", NONE,
            f"halfway between two bundles: {signed(bend(0.5, 0.4))} for (0.5, 0.4), "
            f"{signed(bend(0.9, 0.8))} for (0.9, 0.8)",
            "in each always; in both together only if the elasticities add up to at most 1",
            "With increasing returns the middle of two bundles can be worth less than their average; this is why "
            "Problem 2 has several local optima.", Verdict.HOLDS if falling and bend(0.9, 0.8) < 0 else Verdict.FAILS,
        ),
    )  # fmt: skip
    tables = {
        "surface": pd.DataFrame({"compute": compute.ravel(), "labels": labels.ravel(), "utility": utility.ravel()}),
        "slices": pd.DataFrame(
            {
                "compute": np.tile(fine, len(fixed)),
                "labels": np.repeat(fixed, len(fine)),
                "utility": np.concatenate([fine ** gamma[0] * amount ** gamma[1] for amount in fixed]),
            }
        ),
        "isoquants": _isoquants(gamma, levels, along),
    }
    protocol = (
        f"U = compute^{gamma[0]} · labels^{gamma[1]} (Eq. 1) on a grid from 0 to 1 unit of each; slices at "
        f"{', '.join(map(str, fixed))} units of labels; isoquants at utilities 0.1 to 0.9."
    )
    return Findings(protocol, claims, tables)


def _isoquants(gamma: tuple[float, float], levels: Array, compute: Array) -> pd.DataFrame:
    frames = []
    for level in levels:
        labels = (level / compute ** gamma[0]) ** (1 / gamma[1])
        inside = labels <= 1.0
        frames.append(pd.DataFrame({"utility": level, "compute": compute[inside], "labels": labels[inside]}))
    return pd.concat(frames, ignore_index=True)


def curves(options: Options) -> Findings:
    """Figure 3: accuracies that others measured, against what they cost."""
    course = Course(options.tell, 1)
    measured = pd.read_csv(ASSETS / "curves" / "efficientnet.csv", comment="#")
    size = measured["parameters [millions]"].to_numpy(dtype=np.float64)
    accuracy = measured["accuracy"].to_numpy(dtype=np.float64)
    slopes = np.diff(accuracy) / np.diff(size)
    falling = int((np.diff(slopes) < 0).sum())
    law = stats.linregress(np.log(size), np.log(accuracy))
    fitted = np.exp(law.intercept) * size**law.slope
    off = float(np.max(np.abs(fitted - accuracy)))
    course.step()
    claims = (
        Claim(
            "accuracy against model size (EfficientNet B0 to B7 on ImageNet)", "concave", "pictures only, no numbers",
            f"each further parameter adds less at {falling} of {len(slopes) - 1} steps", "concave",
            "The slopes between neighbouring models fall throughout.",
            Verdict.HOLDS if falling == len(slopes) - 1 else Verdict.FAILS,
        ),
        Claim(
            "γ of these models", "“γ^ρ ≈ 0 (e.g., EfficientNet)”", NONE,
            f"γ = {law.slope:.3f} ± {law.stderr:.3f} (standard error)",
            f"γ = {law.slope:.3f} describes them within {100 * off:.1f} percentage points",
            "A power law goes on rising where the measured accuracies level off (B6, B7), so it is a description of "
            "this range, not a law beyond it.", Verdict.HOLDS if law.slope < 0.1 else Verdict.FAILS,
        ),
        Claim(
            "accuracy against training data, depth and language tasks (ResNet, MobileNet, VGG16, BERT)", "concave",
            "pictures only, no numbers", NONE, NONE,
            "Neither numbers nor models were released, so there is nothing to run again here.", Verdict.OPEN,
        ),
    )  # fmt: skip
    tables = {
        "curves": pd.DataFrame(
            {
                "family": "EfficientNet", "model": measured["point"], "resource": "parameters [millions]",
                "amount": size, "accuracy": accuracy, "fitted": fitted,
            }
        )
    }  # fmt: skip
    protocol = (
        "EfficientNet B0 to B7, single-crop top-1 accuracy on ImageNet against parameters in millions, as published "
        "(Tan and Le 2019, Table 2); a power law fitted by least squares on logarithms."
    )
    return Findings(protocol, claims, tables)
