"""Policies of collaborative inference tried in fresh cities, and what that says of FOCI's claims.

Every policy lives through the same hours, of cities that nobody was trained or chosen on. With S trainings of a policy
and C cities, x_sc is what a training did in a city, and its mean over both has the variance

    var(mean over s of x_sc) / C  +  var(mean over c of x_sc) / S,

a little more than the true one, because what belongs to a training in one city alone counts twice. The interval is
Student's, with Satterthwaite's degrees of freedom. Differences between policies are taken city by city before that; a
policy that was not trained has one "training" without variance. Intervals are for one comparison each.

H. Zhou and X. Zhang, "Fairness-Oracular MARL with Competitor-Aware Signals for Collaborative Inference", AI4NextG
workshop at NeurIPS 2025: Table 1 and Fig. 4.

>>> estimate(np.array([[1.0, 2.0, 3.0]]))
Estimate(mean=2.0, half=2.48..., trainings=1, cities=3)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

from fairsynergy.collaborative import (
    PAPER,
    AllLocal,
    Allocator,
    BestResponse,
    City,
    Learned,
    Neurosurgeon,
    Setting,
    Summary,
    draw_city,
    read_weights,
    rollout,
)
from fairsynergy.collaborative import Policy as Chooser
from fairsynergy.errors import ProblemError
from fairsynergy.experiments.engine import Progress
from fairsynergy.experiments.trainings import SUFFIX
from fairsynergy.experiments.workers import local
from fairsynergy.problem import Array

# Nobody was trained, tuned or chosen on these.
FRESH = tuple(range(2000, 2020))
WORLDS = {"surge": True, "steady": False}
CONFIDENCE = 0.95

UNLEARNED: Mapping[str, Chooser] = {
    "ALP": AllLocal(),
    "NSG": Neurosurgeon(),
    "NSG, load-aware": Neurosurgeon(load_aware=True),
    "Best response": BestResponse(),
}
LABELS = {"iql": "IQL", "amfq": "AMFQ", "ofr": "OFR", "coa": "COA", "foci": "FOCI"}


class Measure(NamedTuple):
    """A column of the table: what it is, its unit, and how many of that unit a stored one has."""

    title: str
    unit: str
    scale: float = 1.0

    @property
    def heading(self) -> str:
        """Title and unit, as above a column."""
        return f"{self.title} [{self.unit}]" if self.unit else self.title


MEASURES: Mapping[str, Measure] = {
    "latency_mean": Measure("latency, average", "ms", 1e3),
    "latency_worst": Measure("latency, worst-off device", "ms", 1e3),
    "energy_mean": Measure("energy, average", "mJ", 1e3),
    "energy_worst": Measure("energy, worst-off device", "mJ", 1e3),
    "cost_mean": Measure("cost, average", ""),
    "cost_worst": Measure("cost, worst-off device", ""),
    "switches": Measure("changes of the edge", "per hour"),
    "late": Measure("beyond the deadline", "%", 100),
    "local": Measure("without an edge", "%", 100),
    "reward_mean": Measure("the paper's reward, average", ""),
    "reward_worst": Measure("the paper's reward, worst-off device", ""),
}

# The paper's Table 1 by the names of `MEASURES`, in their units; lower is better throughout, the reward included.
PUBLISHED = pd.DataFrame(
    {
        "latency_mean": [34.20, 32.77, 27.83, 27.33, 26.82],
        "latency_worst": [39.51, 62.72, 30.08, 27.96, 27.20],
        "energy_mean": [60.24, 22.16, 23.95, 25.87, 24.50],
        "energy_worst": [71.44, 62.55, 38.48, 35.16, 33.50],
        "switches": [np.nan, 2.88, 3.06, 3.35, 1.52],
        "reward_mean": [1.248, 1.157, 0.988, 0.971, 0.953],
        "reward_worst": [1.417, 2.193, 1.065, 0.997, 0.973],
    },
    index=pd.Index(["ALP", "NSG", "IQL", "AMFQ", "FOCI"], name="policy"),
)


def label_of(stem: str) -> str:
    """What a policy is called, from the name of its file without its seed.

    >>> label_of("foci-0.5"), label_of("coa")
    ('FOCI 0.5', 'COA')
    """
    name, _, share = stem.partition("-")
    return f"{LABELS.get(name, name)} {share}".rstrip()


def read_policies(folder: Path) -> dict[str, list[Learned]]:
    """Trained policies in a folder by label, those of one recipe together, in the order of their seeds.

    Raises
    ------
    ProblemError
        If there are none, or a file is broken.
    """
    found: dict[str, list[Learned]] = {}
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        found.setdefault(label_of(path.stem.rpartition("-seed")[0]), []).append(read_weights(path))
    if not found:
        raise ProblemError(f"{folder} holds no weights (*{SUFFIX}); train some with fairsynergy train")
    order = list(LABELS.values())
    return dict(sorted(found.items(), key=lambda item: (order.index(item[0].split()[0]), item[0])))


def everybody(folder: Path) -> dict[str, Sequence[Chooser]]:
    """All policies by label: those that learn nothing, and the trained ones of a folder.

    Raises
    ------
    ProblemError
        As `read_policies`.
    """
    found: dict[str, Sequence[Chooser]] = {label: [policy] for label, policy in UNLEARNED.items()}
    found.update(read_policies(folder))
    return found


def trial(
    policies: Mapping[str, Sequence[Chooser]],
    *,
    cities: Sequence[int] = FRESH,
    setting: Setting | None = None,
    workers: int | None = 1,
    tell: Callable[[Progress], object] = lambda progress: None,
) -> pd.DataFrame:
    """Every policy in every city, with crowds that gather and without.

    Parameters
    ----------
    policies : mapping of str to sequence of policies
        By label; the trainings of one policy together.
    cities : sequence of int
        Seeds.
    setting : Setting, optional
        The world; whether it surges does not matter.
    workers : int or None
        Processes; None for as many as there are processors.
    tell : callable, optional
        Is told after every city.

    Returns
    -------
    DataFrame
        A row per world, city, policy and training; the columns of `MEASURES` in SI units.
    """
    setting = setting or Setting()
    places = [(world, seed) for world in WORLDS for seed in cities]
    work = partial(_hours, policies=policies, setting=setting)
    jobs = dict(enumerate(places))
    start, found = perf_counter(), {}
    for number, rows in local(work, jobs, workers=workers):
        found[number] = rows
        tell(Progress(len(found), len(places), perf_counter() - start))
    return pd.DataFrame([row for number in sorted(found) for row in found[number]])


def _hours(
    place: tuple[str, int], *, policies: Mapping[str, Sequence[Chooser]], setting: Setting
) -> list[dict[str, object]]:
    world, seed = place
    city = draw_city(seed, replace(setting, surge=WORLDS[world]))
    rows = []
    for label, trainings in policies.items():
        for training, policy in enumerate(trainings):
            hour = rollout(city, policy)
            found, paid = hour.summary(), hour.summary(PAPER).cost
            rows.append(
                {
                    "world": world, "policy": label, "training": training, "city": seed,
                    "latency_mean": found.latency.mean, "latency_worst": found.latency.worst,
                    "energy_mean": found.energy.mean, "energy_worst": found.energy.worst,
                    "cost_mean": found.cost.mean, "cost_worst": found.cost.worst,
                    "switches": found.switches, "late": found.late, "local": found.local,
                    "reward_mean": paid.mean, "reward_worst": paid.worst,
                }
            )  # fmt: skip
    return rows


@dataclass(frozen=True, eq=False)
class Outcome:
    """What pictures need of an hour under a policy: a fortieth of all its numbers.

    Parameters
    ----------
    summary : Summary
        The numbers of the tables.
    latency, energy, cost : (m,) array
        Of each device, mean over the hour: [s], [J per image], lower is better.
    edge : (t, m) array
        Which edge each had; -1 for the device itself.
    load : (t, n) array
        Devices connected to each edge.
    changes : (t,) array
        Devices that changed to another edge.
    """

    summary: Summary
    latency: Array
    energy: Array
    cost: Array
    edge: NDArray[np.int8]
    load: NDArray[np.int16]
    changes: NDArray[np.int16]


def live(city: City, policy: Chooser, *, allocator: Allocator = "equal") -> Outcome:
    """An hour under a policy."""
    hour = rollout(city, policy, allocator=allocator)
    return Outcome(
        hour.summary(),
        hour.device_latency,
        hour.device_energy,
        hour.device_cost(),
        hour.edge.astype(np.int8),
        hour.load.astype(np.int16),
        hour.slot_switches.astype(np.int16),
    )


class Estimate(NamedTuple):
    """A mean and half the width of its 95 % interval; infinite with one city only."""

    mean: float
    half: float
    trainings: int
    cities: int

    @property
    def low(self) -> float:
        """Lower end."""
        return self.mean - self.half

    @property
    def high(self) -> float:
        """Upper end."""
        return self.mean + self.half


def estimate(left: Array, right: Array | None = None, factor: float = 1.0) -> Estimate:
    """The mean over trainings and cities, or the difference of two.

    Parameters
    ----------
    left : (s, c) array
        Of s trainings in c cities.
    right : (r, c) array, optional
        What is subtracted, in the same cities.
    factor : float
        How often it is.
    """
    by_city = left.mean(axis=0) - (0 if right is None else factor * right.mean(axis=0))
    parts = [(by_city, 1.0), (left.mean(axis=1), 1.0)]
    parts += [] if right is None else [(right.mean(axis=1), factor)]
    several = [
        (weight**2 * np.var(values, ddof=1) / len(values), len(values) - 1)
        for values, weight in parts
        if len(values) > 1
    ]
    variance = sum(part for part, _ in several)
    if by_city.size < 2:
        return Estimate(float(by_city.mean()), float("inf"), len(left), by_city.size)
    freedom = variance**2 / sum(part**2 / free for part, free in several) if variance else 1.0
    half = stdtrit(freedom, (1 + CONFIDENCE) / 2) * np.sqrt(variance)
    return Estimate(float(by_city.mean()), float(half), len(left), by_city.size)


def values(table: pd.DataFrame, world: str, policy: str, measure: str) -> Array:
    """(s, c) what each training of a policy did in each city of a world."""
    part = table[(table["world"] == world) & (table["policy"] == policy)]
    return np.asarray(part.pivot(index="training", columns="city", values=measure), dtype=np.float64)


def estimates(table: pd.DataFrame, world: str) -> pd.DataFrame:
    """A row per policy, an `Estimate` per measure, in the units of `MEASURES`."""
    rows = {}
    for policy in dict.fromkeys(table["policy"]):
        rows[policy] = {
            name: estimate(measure.scale * values(table, world, policy, name)) for name, measure in MEASURES.items()
        }
    return pd.DataFrame.from_dict(rows, orient="index")


class Verdict(Enum):
    """What the cities say of a claim; the value is the word shown."""

    TRUE = "true"
    FALSE = "false"
    UNDECIDED = "undecided"


class Term(NamedTuple):
    """A policy's number; "FOCI" and "OFR" stand for those of the share that is judged."""

    policy: str
    measure: str


class Step(NamedTuple):
    """One comparison of a claim: the left is below so many times the right."""

    left: Term
    right: Term
    factor: float = 1.0


class Claim(NamedTuple):
    """What the paper says, where, with which numbers, and the comparisons it consists of."""

    what: str
    published: str
    steps: tuple[Step, ...]


class Judged(NamedTuple):
    """A claim, its verdict, and the difference found in every step: left less factor times right, in their unit."""

    claim: Claim
    verdict: Verdict
    steps: tuple[tuple[Step, Estimate, Verdict], ...]

    @property
    def evidence(self) -> str:
        """Every difference with its interval, in words; what is compared is named where it is not always the same."""
        several = len({step.left.measure for step, _, _ in self.steps}) > 1
        return "; ".join(_said(step, found, verdict, several) for step, found, verdict in self.steps)


def _chain(measure: str, *policies: str) -> tuple[Step, ...]:
    return tuple(Step(Term(a, measure), Term(b, measure)) for a, b in pairwise(policies))


def _below(measure: str, policy: str, *others: str, factor: float = 1.0) -> tuple[Step, ...]:
    return tuple(Step(Term(policy, measure), Term(other, measure), factor) for other in others)


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "Average latency: FOCI below AMFQ below IQL below NSG below ALP",
        "26.82, 27.33, 27.83, 32.77, 34.20 ms (Table 1)",
        _chain("latency_mean", "FOCI", "AMFQ", "IQL", "NSG", "ALP"),
    ),
    Claim(
        "Latency of the worst-off device: FOCI below AMFQ below IQL below ALP below NSG",
        "27.20, 27.96, 30.08, 39.51, 62.72 ms (Table 1)",
        _chain("latency_worst", "FOCI", "AMFQ", "IQL", "ALP", "NSG"),
    ),
    Claim(
        "FOCI cuts NSG's latency of the worst-off device by 56 %",
        "27.20 against 62.72 ms (abstract)",
        _below("latency_worst", "FOCI", "NSG", factor=0.44),
    ),
    Claim(
        "FOCI's worst-off device waits hardly longer than the average, 1.4 %",
        "27.20 against 26.82 ms (Table 1)",
        (Step(Term("FOCI", "latency_worst"), Term("FOCI", "latency_mean"), 1.014),),
    ),
    Claim(
        "Average energy: NSG lowest, then IQL, FOCI, AMFQ and ALP",
        "22.16, 23.95, 24.50, 25.87, 60.24 mJ (Table 1)",
        _chain("energy_mean", "NSG", "IQL", "FOCI", "AMFQ", "ALP"),
    ),
    Claim(
        "Energy of the worst-off device: FOCI below AMFQ below IQL below NSG below ALP",
        "33.50, 35.16, 38.48, 62.55, 71.44 mJ (Table 1)",
        _chain("energy_worst", "FOCI", "AMFQ", "IQL", "NSG", "ALP"),
    ),
    Claim(
        "FOCI cuts NSG's energy of the worst-off device by 46 %",
        "33.50 against 62.55 mJ (abstract)",
        _below("energy_worst", "FOCI", "NSG", factor=0.54),
    ),
    Claim(
        "FOCI changes the edge half as often as the other learners",
        "1.52 against 3.06 and 3.35 (Table 1, Fig. 3)",
        _below("switches", "FOCI", "IQL", "AMFQ", factor=0.5),
    ),
    Claim(
        "FOCI changes the edge less often than the other learners",
        "1.52 against 3.06 and 3.35 (Table 1, Fig. 3)",
        _below("switches", "FOCI", "IQL", "AMFQ"),
    ),
    Claim(
        "Average cost: FOCI below AMFQ below IQL below NSG below ALP",
        "0.953, 0.971, 0.988, 1.157, 1.248 (Table 1, its units)",
        _chain("cost_mean", "FOCI", "AMFQ", "IQL", "NSG", "ALP"),
    ),
    Claim(
        "Cost of the worst-off device: FOCI below AMFQ below IQL below ALP below NSG",
        "0.973, 0.997, 1.065, 1.417, 2.193 (Table 1, its units)",
        _chain("cost_worst", "FOCI", "AMFQ", "IQL", "ALP", "NSG"),
    ),
    Claim(
        "Ablation, latency of the worst-off device: falls from neither (IQL) to OFR to COA to both",
        "a picture (Fig. 4a), whose “neither” is NSG",
        _chain("latency_worst", "FOCI", "COA", "OFR", "IQL"),
    ),
    Claim(
        "Ablation, average latency: the same order",
        "a picture (Fig. 4a)",
        _chain("latency_mean", "FOCI", "COA", "OFR", "IQL"),
    ),
    Claim(
        "Ablation, energy: FOCI is below COA only and OFR only, on average and for the worst-off device",
        "a picture (Fig. 4b)",
        (*_below("energy_mean", "FOCI", "COA", "OFR"), *_below("energy_worst", "FOCI", "COA", "OFR")),
    ),
    Claim(
        "COA alone lowers the average energy",
        "in words (section 5)",
        _below("energy_mean", "COA", "IQL"),
    ),
    Claim(
        "OFR alone lowers the energy of the worst-off device",
        "in words (section 5)",
        _below("energy_worst", "OFR", "IQL"),
    ),
)


def shares_of(table: pd.DataFrame) -> list[str]:
    """Oracle's shares for which a table has FOCI and OFR both, so that claims can be judged."""
    labels = set(table["policy"])
    return sorted(label.removeprefix("FOCI ") for label in labels if label.replace("FOCI", "OFR") in labels - {label})


def judge(table: pd.DataFrame, *, world: str, share: str) -> tuple[Judged, ...]:
    """What the cities of a world say of every claim.

    Parameters
    ----------
    table : DataFrame
        As `trial` gives it.
    world : str
        A key of `WORLDS`.
    share : str
        Which FOCI and OFR are meant, by their oracle's share: "0.5", or "1" as the paper prints them.
    """

    def number(term: Term) -> Array:
        policy = f"{term.policy} {share}" if term.policy in ("FOCI", "OFR") else term.policy
        return MEASURES[term.measure].scale * values(table, world, policy, term.measure)

    def verdict(found: Estimate) -> Verdict:
        return Verdict.TRUE if found.high < 0 else Verdict.FALSE if found.low > 0 else Verdict.UNDECIDED

    judged = []
    for claim in CLAIMS:
        steps = []
        for step in claim.steps:
            found = estimate(number(step.left), number(step.right), step.factor)
            steps.append((step, found, verdict(found)))
        # One step that fails makes the claim false; all must hold to make it true.
        verdicts = {one for _, _, one in steps}
        whole = Verdict.UNDECIDED if Verdict.FALSE not in verdicts else Verdict.FALSE
        judged.append(Judged(claim, Verdict.TRUE if verdicts == {Verdict.TRUE} else whole, tuple(steps)))
    return tuple(judged)


def write(table: pd.DataFrame, path: Path) -> None:
    """Keep a trial as CSV, with seven digits."""
    path.write_text(table.to_csv(index=False, float_format="%.7g", lineterminator="\n"), encoding="utf-8")


def read(path: Path) -> pd.DataFrame:
    """A trial that `write` kept."""
    return pd.read_csv(path, dtype=dict.fromkeys(MEASURES, np.float64))


def report(table: pd.DataFrame, *, shares: Sequence[str], origin: str) -> str:
    """Markdown: every number with its interval, every claim with its verdict and the differences behind it."""
    return "\n".join(_report(table, shares, origin)) + "\n"


def _report(table: pd.DataFrame, shares: Sequence[str], origin: str) -> Iterator[str]:
    cities = table["city"].nunique()
    yield "# FOCI's claims in fresh cities"
    yield ""
    yield (
        f"Every policy in the same {cities} city-hours, which nobody was trained or chosen on; learned policies with "
        f"{table['training'].max() + 1} trainings each. Numbers are means over cities and trainings with 95 % "
        "intervals; “worst-off” is the largest of the devices' means over the hour, as in the paper's Table 1. Lower "
        "is better throughout. The paper's numbers are its own, of its own city, radio and devices, which it does not "
        "publish; [FOCI.md](FOCI.md) says what we assume instead. A claim is true or false if the interval of every "
        "difference it consists of says so, and undecided otherwise."
    )
    yield ""
    yield f"Written by `{origin}`."
    for world in WORLDS:
        yield ""
        yield f"## {'Crowds that gather (surge)' if world == 'surge' else 'Without surges (steady)'}"
        yield ""
        found = estimates(table, world)
        yield "| policy | " + " | ".join(measure.heading for measure in MEASURES.values()) + " |"
        yield "|---|" + "---|" * len(MEASURES)
        for policy, row in found.iterrows():
            yield f"| {policy} | " + " | ".join(_interval(row[name], name) for name in MEASURES) + " |"
        if world == "surge":
            for policy, row in PUBLISHED.iterrows():
                numbers = [f"{row[name]:g}" if name in row and np.isfinite(row[name]) else "–" for name in MEASURES]
                yield f"| *{policy}, paper* | " + " | ".join(numbers) + " |"
    judged = {(world, share): judge(table, world=world, share=share) for world in WORLDS for share in shares}
    yield ""
    yield "## The claims"
    yield ""
    yield "| claim | paper | " + " | ".join(f"{world}, λ = {share}" for world, share in judged) + " |"
    yield "|---|---|" + "---|" * len(judged)
    for number, claim in enumerate(CLAIMS):
        verdicts = " | ".join(one[number].verdict.value for one in judged.values())
        yield f"| {claim.what} | {claim.published} | {verdicts} |"
    for (world, share), claims in judged.items():
        yield ""
        yield f"### The differences behind them: {world}, λ = {share}"
        yield ""
        for one in claims:
            yield f"- {one.claim.what}: **{one.verdict.value}**. {one.evidence}."


def _said(step: Step, found: Estimate, verdict: Verdict, named: bool) -> str:
    measure = MEASURES[step.left.measure]
    times = "" if step.factor == 1 else f"{step.factor:g} × "
    same = step.left.policy == step.right.policy
    right = MEASURES[step.right.measure].title if same else step.right.policy
    left = f"{step.left.policy}'s {measure.title}" if same else step.left.policy
    unit = f" {measure.unit}" if measure.unit else ""
    what = f"{measure.title}, " if named else ""
    return f"{what}{left} less {times}{right}: {found.mean:+.3g} ± {found.half:.2g}{unit}, {verdict.value}"


def _interval(found: Estimate, name: str) -> str:
    digits = 3 if name.startswith(("cost", "reward")) else 1
    return f"{found.mean:.{digits}f} ± {found.half:.{digits}f}"
