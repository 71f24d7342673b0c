"""The experiments of the Fair-Synergy paper, each run again by name.

Four columns everywhere: what the paper claims, what the authors' released data say, what comes out when their protocol
is followed, and what is right once its defects are removed, the alternate search has converged, or the optimum is
certified. Released data lie in assets/paper, with their source.

>>> figure = reproduce("fig2")
>>> figure.claims[0].what
'the gain from one more unit, the other resource fixed'
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import inf
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from fairsynergy import reference
from fairsynergy.allocation import allocate
from fairsynergy.errors import ProblemError
from fairsynergy.experiments.drawing import Growing, Pairs, Released
from fairsynergy.experiments.engine import Batch, Progress, measure, run
from fairsynergy.experiments.reproduction import Claim, Reproduction
from fairsynergy.fleets import Fleets
from fairsynergy.policies import NUM, POLICIES, CertifiedOptimum, FairSynergy, Nash, Policy, Random, Uniform
from fairsynergy.problem import Array, Problem
from fairsynergy.scenarios import ASSETS, PRESETS, Setting

NONE = "–"
# How exact the released solver is, in accuracy.
SOLVED = 1e-6
# The paper's six, Fair-Synergy as it describes it: alternate search from the endowments, until nothing moves.
SIX: dict[str, Policy] = POLICIES | {"Fair-Synergy": FairSynergy(passes=inf)}
ONE_PASS, CONVERGED, CERTIFIED = "Fair-Synergy (1 pass)", "Fair-Synergy (converged)", "Certified optimum"
SATURATED = ", saturated"
# Enough boxes for every fleet of the protocols below to be certified; a bound on work, unlike seconds, is the same
# everywhere.
OPTIMUM = CertifiedOptimum(seconds=inf, boxes=2000)
# Where the certified optimum is found, which takes longer than the rest.
CERTIFIED_SIZES = (1, 2, 3, 5, 7, 10, 15, 20, 30, 40, 50, 60, 70, 80, 90, 100)
# Numbers of agents whose times are compared; those from FITTED on show how time grows.
TIMED = (100, 300, 1000, 3000, 10_000, 30_000, 100_000, 300_000)
FITTED = 10_000
# The interior point method is given up beyond this.
INTERIOR = 3000

Tell = Callable[[Progress], object]


class Options(NamedTuple):
    """What a reproduction may be asked: the seed of what is drawn, how many experiments, and whom to tell."""

    seed: int
    experiments: int | None
    tell: Tell


class _Course:
    """Counts the steps of several runs as one."""

    def __init__(self, tell: Tell, of: int) -> None:
        self.tell, self.of, self.done, self.start = tell, of, 0, perf_counter()

    def step(self, _: object = None) -> None:
        self.done += 1
        self.tell(Progress(self.done, self.of, perf_counter() - self.start))


def reproduce(
    name: str, *, seed: int = 0, experiments: int | None = None, tell: Tell = lambda progress: None
) -> Reproduction:
    """Run one of the paper's experiments again.

    Parameters
    ----------
    name : str
        One of `FIGURES`.
    seed : int
        Of the fleets that are drawn anew, >= 0; released protocols have the seed that they were released with.
    experiments : int, optional
        How many are drawn anew, >= 1; default: as many as the paper says.
    tell : callable, optional
        Called with a `Progress` after every step; whatever it raises ends the run.

    Raises
    ------
    ProblemError
        If there is no such experiment, or a number is out of range.
    """
    if name not in FIGURES:
        raise ProblemError(f"there is no figure {name!r}; choose one of {', '.join(FIGURES)}, or all", field="name")
    for field, value, least in (("seed", seed, 0), ("experiments", experiments, 1)):
        if value is not None and value < least:
            raise ProblemError(f"`{field}` must be a whole number >= {least}, got {value}", field=field)
    start = perf_counter()
    made = FIGURES[name](Options(seed, experiments, tell))
    return replace(made, seconds=perf_counter() - start)


# Fig. 2: the utility.


def _fig2(options: Options) -> Reproduction:
    course = _Course(options.tell, 1)
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
    doubled = {total: 2.0**total for total in (0.9, 1.0, 1.7)}
    # Between two points of one isoquant, halfway: above both if concave, below if not even quasi-concave.
    ends, middle = np.array([[0.2, 0.6], [0.8, 0.9]]), np.array([0.5, 0.75])

    def bend(a: float, b: float) -> float:
        """How far the utility halfway between two bundles exceeds their average, relatively."""
        average = float(np.mean(ends[:, 0] ** a * ends[:, 1] ** b))
        return float(middle[0] ** a * middle[1] ** b) / average - 1

    course.step()
    claims = (
        Claim(
            "the gain from one more unit, the other resource fixed", "diminishes (Fig. 2, middle)", NONE,
            "diminishes at every one of 199 steps" if falling else "does not always diminish",
            "diminishes, for every elasticity between 0 and 1",
            "The second derivative, γ(γ − 1)h^(γ−2), is negative.",
        ),
        Claim(
            "twice of both resources", "doubles the utility if the elasticities add up to 1", NONE,
            f"× {doubled[1.0]:.2f} for a sum of 1; × {doubled[0.9]:.2f} for 0.9; × {doubled[1.7]:.2f} for 1.7",
            "2 to the power of the sum", "Returns to scale are the sum of the elasticities.",
        ),
        Claim(
            "the utility is concave in both resources together", "“naturally concave”, “concave objectives” (II)",
            NONE, f"halfway between two bundles: {_gain(bend(0.5, 0.4))} for (0.5, 0.4), "
            f"{_gain(bend(0.9, 0.8))} for (0.9, 0.8)",
            "only if the elasticities add up to at most 1; else concave in each resource alone",
            "With increasing returns the middle of two bundles can be worth less than their average; this is why "
            "Problem 2 has several local optima.",
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
    return Reproduction("fig2", "Fig. 2: the Cobb-Douglas utility", protocol, claims, tables, 0.0)


def _isoquants(gamma: tuple[float, float], levels: Array, compute: Array) -> pd.DataFrame:
    frames = []
    for level in levels:
        labels = (level / compute ** gamma[0]) ** (1 / gamma[1])
        inside = labels <= 1.0
        frames.append(pd.DataFrame({"utility": level, "compute": compute[inside], "labels": labels[inside]}))
    return pd.concat(frames, ignore_index=True)


# Fig. 3: accuracy against resources, measured.


def _fig3(options: Options) -> Reproduction:
    course = _Course(options.tell, 1)
    measured = pd.read_csv(ASSETS / "paper" / "efficientnet.csv", comment="#")
    size = measured["parameters_millions"].to_numpy(dtype=np.float64)
    accuracy = measured["top1_percent"].to_numpy(dtype=np.float64) / 100
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
        ),
        Claim(
            "γ of these models", "“γ ≈ 0 (e.g. … EfficientNet)”", NONE,
            f"γ = {law.slope:.3f} ± {law.stderr:.3f} (standard error)",
            f"γ = {law.slope:.3f} describes them within {100 * off:.1f} percentage points",
            "A power law goes on rising where the measured accuracies level off (B6, B7), so it is a description of "
            "this range, not a law beyond it.",
        ),
        Claim(
            "accuracy against training data, depth and language tasks (ResNet, MobileNet, VGG16, BERT)", "concave",
            "pictures only, no numbers", NONE, NONE,
            "Neither numbers nor models were released, so there is nothing to run again here.",
        ),
    )  # fmt: skip
    tables = {
        "curves": pd.DataFrame(
            {
                "family": "EfficientNet", "model": measured["model"], "resource": "parameters [millions]",
                "amount": size, "accuracy": accuracy, "fitted": fitted,
            }
        )
    }  # fmt: skip
    protocol = (
        "EfficientNet B0 to B7, single-crop top-1 accuracy on ImageNet against parameters in millions, as published "
        "(Tan and Le 2019, Table 2); a power law fitted by least squares on logarithms."
    )
    return Reproduction("fig3", "Fig. 3: accuracy against resources", protocol, claims, tables, 0.0)


# Fig. 4: a thousand random configurations.

# Largest of all experiments, smallest of all, as the paper words its gains.
FIG4_CLAIMS = {Setting.RTI: ("+25 %", "+6 %"), Setting.DL: ("+11 %", "+10 %")}


def _fig4(options: Options) -> Reproduction:
    experiments = options.experiments or 1000
    course = _Course(options.tell, 4)
    released, random = "released configurations", f"{experiments:,} random pairs"
    frames: list[pd.DataFrame] = []
    claims: list[Claim] = []
    tests: list[pd.DataFrame] = []
    boxes = pd.read_csv(ASSETS / "paper" / "dl_boxes.csv").to_numpy()[:, ::-1]  # Fair-Synergy, Uniform, Random
    for setting in Setting:
        # The released code passes once through two resources.
        paper = ONE_PASS if setting is Setting.DL else "Fair-Synergy"
        passes = {paper: FairSynergy(passes=1)}
        others = {name: policy for name, policy in SIX.items() if name != "Fair-Synergy"}
        again = _measured(_configurations(setting), passes | others, setting, released)
        course.step()
        pairs = Pairs(setting=setting, experiments=experiments, seed=options.seed)
        drawn = _measured(pairs.draw(0), SIX, setting, random)
        course.step()
        frames += [again, drawn]
        of_again, of_drawn = (
            table.pivot(index="experiment", columns="rule", values="mean").rename(columns={paper: "Fair-Synergy"})
            for table in (again, drawn)
        )
        of_released = pd.DataFrame(boxes, columns=["Fair-Synergy", "Uniform", "Random"])
        tests += [_tests(of_again, setting, released), _tests(of_drawn, setting, random)]
        claims += _fig4_claims(setting, of_released if setting is Setting.DL else None, of_again, of_drawn, drawn)
        if setting is Setting.DL:
            claims.append(_found_again(of_released, of_again))
    claims.append(_selection(boxes[:, 0], experiments, options.seed))
    gains = pd.concat(frames, ignore_index=True)
    tables = {
        "gains": gains[["setting", "protocol", "experiment", "rule", "mean", "worst", "best"]],
        "tests": pd.concat(tests, ignore_index=True),
    }
    by_hand, by_chance = (len(_configurations(setting).experiment) for setting in Setting)
    protocol = (
        f"Two agents and a cloud. Released: {by_hand} configurations by hand (RTI) and {by_chance} drawn ones (DL), "
        "whose two agents share their elasticities, under one pass. Random: "
        f"{experiments:,} pairs with every amount and elasticity uniform from 0 to 0.5, each agent with its own, seed "
        f"{options.seed}. Elasticities add up to at most 1, so alternate search finds the optimum. p: Wilcoxon "
        "signed-rank test, two-sided, on pairs of the same experiment."
    )
    return Reproduction("fig4", "Fig. 4: random configurations", protocol, tuple(claims), tables, 0.0)


def _measured(batch: Batch, rules: Mapping[str, Policy], setting: Setting, protocol: str) -> pd.DataFrame:
    return measure(batch, rules).assign(setting=setting.name, protocol=protocol)


def _configurations(setting: Setting) -> Batch:
    """The released configurations of two agents; lots as released: one generator for RTI, one lot for all of DL."""
    table = pd.read_csv(ASSETS / "paper" / f"{setting.name.lower()}_configurations.csv")
    if setting is Setting.RTI:
        own = table[["compute_1", "compute_2"]].to_numpy()[:, None]
        gamma = table[["gamma_1", "gamma_2"]].to_numpy()[:, None]
        legacy = np.random.RandomState(20)
        lots = np.stack([legacy.dirichlet(np.ones(2)) for _ in range(len(table))])[:, None]
        capacity = table[["capacity_compute"]].to_numpy()
    else:
        table = table[table["gamma_compute"] > 0]  # one configuration has 0, which is no elasticity
        own = np.stack([table[[f"{kind}_1", f"{kind}_2"]].to_numpy() for kind in ("compute", "labels")], axis=1)
        gamma = np.repeat(table[["gamma_compute", "gamma_labels"]].to_numpy()[:, :, None], 2, axis=2)
        legacy = np.random.RandomState(42)
        lots = np.tile(np.stack([legacy.dirichlet(np.ones(2)) for _ in range(2)]), (len(table), 1, 1))
        capacity = table[["capacity_compute", "capacity_labels"]].to_numpy()
    fleets = Fleets(own.mT, gamma.mT, capacity, np.ones((len(table), 2)), lots=lots.mT)
    return Batch(np.arange(len(table)), fleets)


def _tests(means: pd.DataFrame, setting: Setting, protocol: str) -> pd.DataFrame:
    rows = []
    for rule in means.columns.drop("Fair-Synergy"):
        difference = (means["Fair-Synergy"] - means[rule]).to_numpy()
        gain = difference / means[rule].to_numpy()
        moved = np.abs(difference) > 1e-12 * means[rule].to_numpy()
        rows.append(
            {
                "setting": setting.name, "protocol": protocol, "rule": rule, "median_gain": np.median(gain),
                "mean_gain": gain.mean(), "largest_gain": gain.max(), "least_gain": gain.min(),
                "p": stats.wilcoxon(difference[moved]).pvalue if moved.sum() > 5 else np.nan,
                "wins": float(np.mean(moved & (difference > 0))),
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _fig4_claims(
    setting: Setting, released: pd.DataFrame | None, again: pd.DataFrame, drawn: pd.DataFrame, full: pd.DataFrame
) -> list[Claim]:
    ours, what = "Fair-Synergy", setting.name

    def extreme(means: pd.DataFrame | None, rule: str, pick: Callable[[Any], float]) -> str:
        return NONE if means is None else _gain(pick(means[ours]) / pick(means[rule]) - 1)

    def largest(means: pd.DataFrame | None, rule: str) -> str:
        return NONE if means is None else _gain(float((means[ours] / means[rule]).max()) - 1)

    def wins(means: pd.DataFrame | None, rule: str) -> str:
        if means is None:
            return NONE
        ahead = means[ours] > means[rule] * (1 + 1e-12)
        return f"{100 * ahead.mean():.0f} % of {len(means):,}"

    best, worst = FIG4_CLAIMS[setting]
    rows = [
        Claim(
            f"{what}: best of all experiments, over Random’s best", f"about {best}",
            extreme(released, "Random", max), extreme(again, "Random", max), extreme(drawn, "Random", max),
            "The paper says neither over which benchmark nor how cases are paired; this reading comes nearest.",
        ),
        Claim(
            f"{what}: worst of all experiments, over Random’s worst", f"about {worst}",
            extreme(released, "Random", min), extreme(again, "Random", min), extreme(drawn, "Random", min),
            "The extremes of two samples are compared here, not one experiment under two rules.",
        ),
        Claim(
            f"{what}: largest gain in one experiment, over Random and Uniform", NONE,
            " and ".join(largest(released, rule) for rule in ("Random", "Uniform")) if released is not None else NONE,
            " and ".join(largest(again, rule) for rule in ("Random", "Uniform")),
            " and ".join(largest(drawn, rule) for rule in ("Random", "Uniform")),
            "Paired: the same agents, the same cloud.",
        ),
        Claim(
            f"{what}: ahead of Uniform", "“consistently outperforms”", wins(released, "Uniform"),
            wins(again, "Uniform"), wins(drawn, "Uniform"),
            "At the optimum it cannot be behind. One pass can end behind an equal split."
            if setting is Setting.DL else "At the optimum it cannot be behind; where the agents are alike it is level.",
        ),
    ]  # fmt: skip
    lowest = full.pivot(index="experiment", columns="rule", values="worst").mean()
    kindest = lowest.idxmax()
    rows.append(
        Claim(
            f"{what}: the rule whose worst-off agent fares best, on average",
            "Leximin",
            NONE,
            NONE,
            f"{kindest}, {lowest[kindest]:.3f}; Fair-Synergy {lowest[ours]:.3f}, Uniform {lowest['Uniform']:.3f}",
            "Leximin levels accuracies here, as its name says. The paper draws it together with Uniform (Fig. 5).",
        )
    )
    return rows


def _found_again(released: pd.DataFrame, again: pd.DataFrame) -> Claim:
    """How many of our results are among the released ones, to the digits that the released solver has."""
    both = ["Fair-Synergy", "Uniform"]
    away = np.abs(again[both].to_numpy()[:, None] - released[both].to_numpy()).max(axis=2).min(axis=1)
    found = int((away < SOLVED).sum())
    return Claim(
        "DL: configurations whose results are among those released", NONE, f"{len(released)} results",
        f"{found} of {len(again)}, to {SOLVED:.0e}", NONE,
        "The released file of configurations holds only some of those behind the results, and a few that are not; one "
        "more has an elasticity of 0.",
    )  # fmt: skip


def _selection(released: Array, experiments: int, seed: int) -> Claim:
    """Whether the released box plots are of random configurations."""
    pairs = Pairs(setting=Setting.DL, experiments=experiments, seed=seed, alike=True).draw(0)
    means = measure(pairs, {"Fair-Synergy": FairSynergy(passes=1)})["mean"]
    least = float(released.min())
    share = float((means >= least).mean())
    return Claim(
        "DL: how the configurations were chosen", "1,000 random ones",
        f"{len(released)} results, all at {least:.3f} or above", f"{100 * share:.0f} % of pairs from the same ranges "
        f"reach {least:.3f}", f"{experiments:,} random pairs, all kept",
        "The released results look selected by their outcome; so do not read the boxes as a random sample.",
    )  # fmt: skip


# Fig. 5: fleets that grow.

FIG5_CLAIMS = {
    Setting.RTI: {"NUM": "+6 %", "Uniform": "+13 %", "DRF": "+13 %", "Leximin": "+13 %", "Random": "+21 %"},
    Setting.DL: {"NUM": "+30 %", "Uniform": "+51 %", "DRF": "+51 %", "Leximin": "+51 %", "Random": "+76 %"},
}
FIG5_REASONS = {
    (Setting.RTI, "NUM"): "NUM levels holdings, and where agents own so little that is Uniform. Nash’s product, a "
    "logarithm too, lies {nash} behind; but the number of the paper is that of Leximin, levelling accuracies.",
    (Setting.RTI, "Uniform"): "The claim holds.",
    (Setting.RTI, "DRF"): "With one resource DRF is Uniform. The claim holds.",
    (
        Setting.RTI,
        "Leximin",
    ): "Leximin levels accuracies and comes nearer; the number of the paper is that of levelling "
    "resources, which is NUM. The two look exchanged.",
    (Setting.RTI, "Random"): "The claim holds.",
    (
        Setting.DL,
        "NUM",
    ): "Agents own so little that NUM is Uniform, and so is the released clip-and-rescale version. The "
    "number of the paper is nearer to what Nash’s product trails by, {nash}.",
    (Setting.DL, "Uniform"): "The claim is that of one pass; alternate search that goes on gains far more.",
    (Setting.DL, "DRF"): "DRF with declared demands does better than Uniform; the released code has no DRF.",
    (Setting.DL, "Leximin"): "The released code has no Leximin; by its definition it does better than Uniform.",
    (Setting.DL, "Random"): "The released data say less than the text.",
}


def _fig5(options: Options) -> Reproduction:
    seeds = options.experiments or 100
    growing = {setting: Growing(setting=setting, seeds=seeds, first=options.seed) for setting in Setting}
    course = _Course(options.tell, sum(protocol.batches for protocol in growing.values()))
    seven = SIX | {"Nash": Nash()}
    rules = {Setting.RTI: seven, Setting.DL: {ONE_PASS: FairSynergy(passes=1)} | seven}
    frames, claims = [], []
    for setting, fleets in growing.items():
        table = run(fleets, rules[setting], tell=course.step)
        frames.append(_summary(table, setting))
        means = table.groupby(["agents", "rule"])["mean"].mean()
        largest = fleets.sizes[-1]
        released = _released_scaling(setting)
        paper = ONE_PASS if setting is Setting.DL else "Fair-Synergy"
        for rule, claimed in FIG5_CLAIMS[setting].items():
            at = means[largest]
            claims.append(
                Claim(
                    f"{setting.name}: mean over {rule}, {largest} agents", claimed,
                    _gain(_released_gain(released, largest, rule)) if rule in ("Uniform", "Random") else NONE,
                    _gain(at[paper] / at[rule] - 1), _gain(at["Fair-Synergy"] / at[rule] - 1),
                    FIG5_REASONS[setting, rule].format(nash=_gain(at[paper] / at["Nash"] - 1)),
                )
            )  # fmt: skip
        growth = [means[n]["Fair-Synergy"] / means[n]["Uniform"] - 1 for n in (2, 10, 50, largest)]
        claims.append(
            Claim(
                f"{setting.name}: gain over Uniform with 2, 10, 50 and {largest} agents",
                "plateaus with more agents" if setting is Setting.RTI else "scales with more agents",
                ", ".join(
                    _gain(_released_gain(released, n, "Uniform")) for n in (2, 10, 50, largest)
                ),
                ", ".join(_gain(means[n][paper] / means[n]["Uniform"] - 1) for n in (2, 10, 50, largest)),
                ", ".join(map(_gain, growth)),
                "The claim holds." if setting is Setting.RTI else "Part of the gain is accuracy above 1: see "
                "dl-scaling, with saturation.",
            )
        )  # fmt: skip
    tables = {
        "scaling": pd.concat(frames, ignore_index=True),
        "released": pd.concat([_released_scaling(setting) for setting in Setting], ignore_index=True),
    }
    protocol = (
        f"Fleets of 1 to 100 agents, {seeds} of them, seeds from {options.seed} on. With each agent the cloud gains an "
        "amount uniform from 0 to 1; agents own up to 0.1 (RTI) or 0.01 units (DL), elasticities are uniform from 0 to "
        "1. Recomputed: one pass for DL, as in the released code. Right: alternate search until nothing moves. "
        "Nothing saturates, as in the paper."
    )
    return Reproduction("fig5", "Fig. 5: fleets that grow", protocol, tuple(claims), tables, 0.0)


def _summary(table: pd.DataFrame, setting: Setting) -> pd.DataFrame:
    """Averages over experiments, per rule and number of agents; std is that of the mean accuracy."""
    groups = table.groupby(["rule", "agents"], sort=False)
    means = groups[["mean", "worst", "best", "gini"]].mean()
    means.insert(1, "std", groups["mean"].std(ddof=0))
    return means.reset_index().assign(setting=setting.name)[
        ["setting", "rule", "agents", "mean", "std", "worst", "best", "gini"]
    ]


def _released_scaling(setting: Setting) -> pd.DataFrame:
    wide = pd.read_csv(ASSETS / "paper" / f"{setting.name.lower()}_scaling.csv")
    names = {"fair_synergy": "Fair-Synergy", "uniform": "Uniform", "random": "Random"}
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "setting": setting.name, "rule": rule, "agents": wide["agents"], "mean": wide[f"{name}_mean"],
                    "std": wide[f"{name}_std"],
                }
            )
            for name, rule in names.items()
        ],
        ignore_index=True,
    )  # fmt: skip


def _released_gain(released: pd.DataFrame, agents: int, rule: str) -> float:
    at = released[released["agents"] == agents].set_index("rule")["mean"]
    return float(at["Fair-Synergy"] / at[rule]) - 1


# The released scaling experiments, draw by draw.


def _rti_scaling(options: Options) -> Reproduction:
    experiments = options.experiments or 20
    protocol = Released(setting=Setting.RTI, experiments=experiments)
    course = _Course(options.tell, protocol.batches)
    start = perf_counter()
    table = run(protocol, {"Fair-Synergy": FairSynergy(), "Uniform": Uniform(), "Random": Random()}, tell=course.step)
    took = perf_counter() - start
    summary, released = _summary(table, Setting.RTI), _released_scaling(Setting.RTI)
    claims = list(_against_released(summary, released, experiments, Setting.RTI))
    claims.append(
        Claim(
            "time for all of it", NONE, "25 min 58 s (the notebook’s progress bar)", f"{took:.2f} s",
            f"{took:.2f} s, each proved optimal within {table[table['rule'] == 'Fair-Synergy']['gap'].max():.0e}",
            "Water-filling in batches instead of one conic program per fleet; on this machine.",
        )
    )  # fmt: skip
    text = _released_protocol(experiments, "Agents own up to 0.1 units.")
    tables = {"scaling": summary, "released": released}
    return Reproduction("rti-scaling", "Scaling, real-time inference", text, tuple(claims), tables, 0.0)


def _dl_scaling(options: Options) -> Reproduction:
    experiments = options.experiments or 20
    protocol = Released(setting=Setting.DL, experiments=experiments)
    capped = replace(protocol, saturation=1.0)
    sizes = [n for n in CERTIFIED_SIZES if n <= protocol.agents]
    course = _Course(options.tell, 2 * protocol.batches + 2 * len(sizes) + 1)
    both = {CONVERGED: FairSynergy(passes=inf), "Uniform": Uniform()}
    free = run(protocol, {ONE_PASS: FairSynergy(passes=1), "Random": Random()} | both, tell=course.step)
    held = run(capped, both, tell=course.step).assign(rule=lambda table: table["rule"] + SATURATED)
    proved = []
    for one, suffix in ((protocol, ""), (capped, SATURATED)):
        for n in sizes:
            batch = replace(one, sizes=(n,)).draw(0)
            proved.append(measure(batch, {CERTIFIED + suffix: OPTIMUM}))
            course.step()
    reseeded = replace(protocol, reseeding=True)
    collapsed = run(replace(reseeded, sizes=(protocol.agents,)), {ONE_PASS: FairSynergy(passes=1)})
    course.step()
    table = pd.concat([free, held, *proved], ignore_index=True)
    summary, released = _summary(table, Setting.DL), _released_scaling(Setting.DL)
    claims = list(_against_released(summary, released, experiments, Setting.DL))

    last = summary[summary["agents"] == protocol.agents].set_index("rule")["mean"]
    gaps = pd.concat(proved)["gap"]
    worst_gap = f"each proved within {100 * gaps.max():.2f} %"
    claims += [
        Claim(
            f"mean over Uniform, {protocol.agents} agents, alternate search converged", NONE, NONE,
            _gain(last[ONE_PASS] / last["Uniform"] - 1), _gain(last[CONVERGED] / last["Uniform"] - 1),
            "The released code goes through the resources once; it had only to go on.",
        ),
        Claim(
            "the best there is, nothing saturating", "“a single, globally optimal solution” (appendix)", NONE,
            f"{_gain(last[CONVERGED] / last['Uniform'] - 1)} over Uniform (converged)",
            f"mean {last[CERTIFIED]:.1f}, {last[CERTIFIED] / last['Uniform']:.0f} times Uniform; {worst_gap}",
            "The problem has many local optima, and the best gives nearly everything to one agent, whose “accuracy” "
            "is then far above 1. That is why saturation exists here.",
        ),
        Claim(
            "the best there is, accuracies at most 1", NONE, NONE,
            f"{_gain(last[CONVERGED + SATURATED] / last['Uniform' + SATURATED] - 1)} over Uniform (converged)",
            f"{_gain(last[CERTIFIED + SATURATED] / last['Uniform' + SATURATED] - 1)} over Uniform; {worst_gap}",
            "Holdings beyond 1 unit add nothing, so no accuracy exceeds 1.",
        ),
        Claim(
            "different fleets among the experiments", f"{experiments} random seeds", "not told",
            f"{collapsed['mean'].round(9).nunique()} of {experiments}, by the released code as it stands",
            f"{free.query('agents == @protocol.agents and rule == @ONE_PASS')['mean'].round(9).nunique()} of "
            f"{experiments}",
            "The released code reseeds the generator inside its rules; the released data were made before it did.",
        ),
    ]  # fmt: skip
    text = _released_protocol(
        experiments, "Agents own up to 0.01 units. Certified at "
        f"{len(sizes)} sizes, with and without saturation at 1 unit, to 0.01 %.",
    )  # fmt: skip
    tables = {"scaling": summary, "released": released}
    return Reproduction("dl-scaling", "Scaling, distributed learning", text, tuple(claims), tables, 0.0)


def _released_protocol(experiments: int, more: str) -> str:
    return (
        f"The released protocol, draw by draw: NumPy’s legacy generator, seeded once with 42, {experiments} fleets "
        f"that grow from 1 to 100 agents, and lots for Random from the same stream. {more}"
    )


def _against_released(
    summary: pd.DataFrame, released: pd.DataFrame, experiments: int, setting: Setting
) -> Sequence[Claim]:
    """Gains over Uniform and Random at the largest size, and how far the released curves are from ours."""
    ours = ONE_PASS if setting is Setting.DL else "Fair-Synergy"
    curves = summary.pivot(index="agents", columns="rule", values="mean")
    theirs = released.pivot(index="agents", columns="rule", values="mean")
    last, paper = curves.index.max(), FIG5_CLAIMS[setting]
    right = CONVERGED if setting is Setting.DL else ours
    rows = [
        Claim(
            f"mean over {rule}, {last} agents", paper[rule], _gain(theirs.loc[last, "Fair-Synergy"]
            / theirs.loc[last, rule] - 1), _gain(curves.loc[last, ours] / curves.loc[last, rule] - 1),
            _gain(curves.loc[last, right] / curves.loc[last, rule] - 1),
            "The claim holds." if setting is Setting.RTI else "Recomputed and released agree; right is converged.",
        )
        for rule in ("Uniform", "Random")
    ]  # fmt: skip
    if experiments == 20:  # fewer are another sample
        apart = {
            rule: float(np.abs(curves[ours if rule == "Fair-Synergy" else rule] - theirs[rule]).max())
            for rule in theirs.columns
        }
        rows.append(
            Claim(
                "largest distance from the released means, over all sizes", NONE, "0, by definition",
                ", ".join(f"{rule} {value:.0e}" for rule, value in apart.items()), NONE,
                "The same draws; Uniform and Random are arithmetic, and the released solver is the less exact one.",
            )
        )  # fmt: skip
    return rows


# Fig. 6: two fleets, one by one.


def _fig6(options: Options) -> Reproduction:
    course = _Course(options.tell, 4)
    a, b = PRESETS["Fleet A"].problem, PRESETS["Fleet B"].problem
    fleets = {
        "RTI, one difficulty": _with_elasticity(a, 0.3),
        "RTI, mixed": a,
        "DL, one difficulty": _with_elasticity(b, 0.5),
        "DL, mixed": b,
    }
    grants, accuracies = [], []
    found: dict[str, dict[str, Array]] = {}
    for fleet, problem in fleets.items():
        found[fleet] = {}
        for rule, policy in (("NUM", NUM()), ("Fair-Synergy", FairSynergy())):
            allocation = allocate(problem, policy)
            found[fleet][rule] = allocation.grant
            for k, resource in enumerate(problem.resources):
                grants.append(
                    pd.DataFrame(
                        {
                            "fleet": fleet, "rule": rule, "agent": problem.agents, "place": range(problem.n),
                            "resource": resource, "own": problem.endowment[:, k], "granted": allocation.grant[:, k],
                            "elasticity": problem.elasticity[:, k],
                        }
                    )
                )  # fmt: skip
            accuracies.append(
                pd.DataFrame(
                    {
                        "fleet": fleet, "rule": rule, "agent": problem.agents, "place": range(problem.n),
                        "before": problem.utility(np.zeros_like(allocation.grant)), "after": allocation.utility,
                    }
                )
            )  # fmt: skip
        course.step()
    means = {
        fleet: {rule: float(problem.utility(found[fleet][rule]).mean()) for rule in ("NUM", "Fair-Synergy")}
        for fleet, problem in fleets.items()
    }
    one_pass = allocate(b, FairSynergy(passes=1)).mean
    best = allocate(b, OPTIMUM).mean
    num = {fleet: mean["NUM"] for fleet, mean in means.items()}
    # The released notebook scores NUM's average with an elasticity of 0.6 for everyone.
    scored = float(np.mean(a.holding(found["RTI, mixed"]["NUM"]) ** 0.6))
    rti = means["RTI, mixed"]["Fair-Synergy"]

    def apart(fleet: str) -> str:
        worst = np.abs(found[fleet]["NUM"] - found[fleet]["Fair-Synergy"]).max() / fleets[fleet].capacity.max()
        return "the same grants" if worst < 1e-9 else f"grants up to {100 * worst:.1f} % of the cloud apart"

    claims = (
        Claim(
            "RTI, one difficulty: NUM and Fair-Synergy", "allocate similarly (classic water-filling)", NONE,
            apart("RTI, one difficulty"), "the same, always",
            "Where all elasticities are equal, levelling marginals is levelling holdings.",
        ),
        Claim(
            "RTI, mixed difficulty: mean over NUM", "+14 %", "no numbers; the notebook scores NUM with γ = 0.6",
            _gain(rti / scored - 1), _gain(rti / num["RTI, mixed"] - 1),
            "Scored with each agent’s own elasticity, NUM is nearly as good.",
        ),
        Claim(
            "DL, one difficulty: NUM and Fair-Synergy", "allocate similarly", NONE, apart("DL, one difficulty"),
            f"{apart('DL, one difficulty')}; mean "
            + _gain(means["DL, one difficulty"]["Fair-Synergy"] / num["DL, one difficulty"] - 1),
            "With constant returns (0.5 + 0.5) many divisions share the greatest total; the text says γ = 0.3, the "
            "notebook 0.5.",
        ),
        Claim(
            "DL, mixed difficulty: mean over NUM", NONE, NONE, f"{_gain(one_pass / num['DL, mixed'] - 1)} (one pass)",
            f"{_gain(best / num['DL, mixed'] - 1)} (certified optimum, {best:.6f})",
            "One pass leaves 4 % of the total behind on this fleet.",
        ),
    )  # fmt: skip
    tables = {
        "grants": pd.concat(grants, ignore_index=True),
        "accuracy": pd.concat(accuracies, ignore_index=True),
    }
    protocol = (
        "The ten agents of the paper’s Fig. 6: RTI with 0.46 units of compute to share, elasticities 0.3 for everyone "
        "or 0.9, 0.6 and 0.3; DL with one unit of each resource, elasticities 0.5 for everyone or mixed. NUM is "
        "solved exactly, Fair-Synergy to its certified optimum."
    )
    return Reproduction("fig6", "Fig. 6: NUM against Fair-Synergy", protocol, claims, tables, 0.0)


def _with_elasticity(problem: Problem, gamma: float) -> Problem:
    return Problem(
        endowment=problem.endowment, capacity=problem.capacity, elasticity=np.full_like(problem.elasticity, gamma),
        agents=problem.agents, resources=problem.resources,
    )  # fmt: skip


# Section IV: complexity.

# What the paper says, and the exponent of n in it.
COMPLEXITY = {
    "Fair-Synergy": ("a few more iterations than NUM", 1.0),
    "Random": ("O(mn)", 1.0),
    "Uniform": ("O(mn)", 1.0),
    "NUM": ("O((mn)³), or O(mn log n) by water-filling", 1.0),
    "DRF": ("O(nm + n log n)", 1.0),
    "Leximin": ("O(n²(m + log n))", 2.0),
}
INTERIOR_POINT = "NUM by an interior point method"


def _complexity(options: Options) -> Reproduction:
    repeats = options.experiments or 3
    course = _Course(options.tell, 2 * len(TIMED))
    times: list[dict[str, Any]] = []
    for setting in Setting:
        for n in TIMED:
            fleets = Growing(setting=setting, seeds=1, sizes=(n,), saturation=1.0, first=options.seed).draw(0).fleets
            problem = fleets.problem(0)
            works: dict[str, Callable[[], object]] = {
                rule: partial(policy.divide, problem) for rule, policy in SIX.items()
            }
            if n <= INTERIOR:
                works[INTERIOR_POINT] = partial(reference.solve, problem, NUM())
            for rule, work in works.items():
                seconds = min(_timed(work) for _ in range(repeats))
                times.append({"rule": rule, "resources": problem.m, "agents": n, "seconds": seconds})
            course.step()
    table = pd.DataFrame(times)
    rows = []
    for (rule, resources), group in table.groupby(["rule", "resources"], sort=False):
        claimed, exponent = COMPLEXITY.get(str(rule), ("O((mn)³)", 3.0))
        upper = group[group["agents"] >= (FITTED if rule in SIX else 300)]
        law = stats.linregress(np.log(upper["agents"]), np.log(upper["seconds"]))
        rows.append(
            {
                "rule": rule, "resources": resources, "claimed": claimed, "claimed_exponent": exponent,
                "fitted": law.slope, "error": law.stderr,
            }
        )  # fmt: skip
    exponents = pd.DataFrame(rows)
    claims = []
    for rule, group in exponents.groupby("rule", sort=False):
        fitted = "; ".join(f"m = {row.resources}: n^{row.fitted:.2f} ± {row.error:.2f}" for row in group.itertuples())
        ours = rule in SIX
        claims.append(
            Claim(
                f"time of {rule} against n", str(group["claimed"].iloc[0]), NONE,
                NONE if ours else fitted, fitted if ours else NONE, _complexity_reason(str(rule)),
            )
        )  # fmt: skip
    protocol = (
        f"The time to divide one fleet of {TIMED[0]} to {TIMED[-1]:,} agents, the fastest of {repeats}; exponents by "
        f"least squares on logarithms, from {FITTED:,} agents on (interior point: 300 to {INTERIOR:,}, stating the "
        "problem included). Absolute times depend on the machine; exponents hardly do."
    )
    tables = {"times": table, "exponents": exponents}
    return Reproduction("complexity", "Section IV: complexity", protocol, tuple(claims), tables, 0.0)


def _complexity_reason(rule: str) -> str:
    if rule == INTERIOR_POINT:
        return "A sparse interior point method does not cost the cube; it is far slower all the same."
    if rule == "Leximin":
        return "Everyone who rises stands at one level: one price search, not n problems one after the other."
    if rule == "Fair-Synergy":
        return "With one resource a single water-filling; with two, as many passes as the search needs."
    return "Water-filling needs no sorting: a few passes over the agents find the price."


def _timed(work: Callable[[], object]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start


def _gain(share: float) -> str:
    """A relative change with its sign, rounded to a tenth of a percent."""
    return f"{100 * share:+.1f} %".replace("-", "−")


FIGURES: dict[str, Callable[[Options], Reproduction]] = {
    "fig2": _fig2,
    "fig3": _fig3,
    "fig4": _fig4,
    "fig5": _fig5,
    "fig6": _fig6,
    "rti-scaling": _rti_scaling,
    "dl-scaling": _dl_scaling,
    "complexity": _complexity,
}
