"""Every sentence against the numbers: small problems of every kind are drawn, and each claim is read back and checked.

A generator of its own, with the corners on purpose: nothing owned, nothing to share, ceilings of 0, floors that take
all, elasticities near 0 and 1, one agent, whole units.
"""

import re
from collections.abc import Iterator

import numpy as np
import pytest

import fairsynergy as fs
from fairsynergy.analysis import planning
from fairsynergy.words import advice
from fairsynergy.words.explain import exchanges, next_unit, prices, standings, why
from fairsynergy.words.phrases import average, headline, mean_word, number, trade_off, verdicts

DRAWS, EACH = 10, 6  # parts of the test, and problems in each
NUMBER = r"(almost 0|[\d,]*\d\.\d+|[\d,]*\d)"


def drawn(rng: np.random.Generator) -> fs.Problem:
    n, m = int(rng.integers(1, 5)), int(rng.choice([1, 1, 2, 2, 3]))
    capacity = rng.choice([0, 0.5, 1, 3, 8], m)
    shape, some = (n, m), rng.random(4) < 0.4
    floor = rng.choice([0, 0, 0.5, 1], shape) * capacity / n if some[0] else np.zeros(shape)
    room = rng.choice([0, 0.1, 0.5, 1, np.inf, np.inf], shape) * np.where(capacity > 0, capacity, 1)
    return fs.Problem(
        endowment=rng.choice([0, 0, 0.05, 0.3, 1, 2.5], shape),
        capacity=capacity,
        elasticity=rng.choice([1e-3, 0.1, 0.3, 0.5, 0.7, 0.9, 0.999], shape),
        weight=rng.choice([1, 1, 3, 0.2, 9], n) if some[1] else np.full(n, rng.choice([1.0, 2.0])),
        floor=floor,
        ceiling=np.maximum(floor, room) if some[2] else np.inf,
        saturation=rng.choice([0.2, 1.0, 2.0]) if some[3] else np.inf,
    )


def divided(problem: fs.Problem, rng: np.random.Generator) -> Iterator[fs.Allocation]:
    """By every rule that divides the problem."""
    shares = rng.dirichlet(np.ones(problem.n), problem.m).T * problem.capacity
    rules = [rule for rule in fs.RULES.values() if problem.m < 3 or rule.name != "Certified optimum"]
    rules += [fs.AlphaFair(0.5), fs.AlphaFair(3), fs.DRF(work_conserving=False), fs.Given(shares)]
    rules += [fs.Replan(shares, float(rng.choice([0.1, 1, np.inf]))), fs.WholeUnits(fs.Uniform(), 0.5)]
    if problem.m == 1:
        rules.append(fs.WholeUnits(fs.FairSynergy(), 0.5, method="greedy"))
    for rule in rules:
        try:
            yield fs.allocate(problem, rule)
        except fs.ProblemError:
            continue  # a rule that refuses this kind of problem


def written(value: float) -> set[str]:
    """A number as it may be written: rounding may go either way at a half."""
    return {number(value), number(value * (1 + 1e-6)), number(value * (1 - 1e-6))}


def check_why(found: fs.Allocation) -> None:
    problem, grant = found.problem, found.grant
    held, step = problem.holding(grant), found.policy.steps(problem)
    free = (grant > problem.floor * (1 + 1e-12)) & (grant < problem.upper * (1 - 1e-12)) & (problem.capacity > 0)
    for i, said in enumerate(why(found)):
        assert ("receives nothing" in said) == (not grant[i].any()), said
        same = re.search("(everyone|whoever meets no limit) gets (the same amount|an amount in proportion)", said)
        for k, name in enumerate(problem.resources):
            if same and problem.capacity[k] > 0:
                counted = grant[:, k] if same[2] == "the same amount" else grant[:, k] / problem.weight
                counted = counted if same[1] == "everyone" else counted[free[:, k]]
                assert counted.size == 0 or np.ptp(counted) <= 1e-9 * counted.max(), said
            for level in re.findall(rf"lifted to the common level of (?:[^:.;]*? and )?{NUMBER} {name}", said):
                assert level in written(held[i, k] / problem.weight[i]), said
            for level in re.findall(rf"owns more than the common level of {NUMBER} {name}", said):
                assert grant[i, k] == 0, said
                assert problem.endowment[i, k] / problem.weight[i] >= 0.99 * float(level), said
            for floor in re.findall(rf"keeps its floor of {NUMBER} {name}", said):
                assert floor in written(problem.floor[i, k]), said
                assert abs(grant[i, k] - problem.floor[i, k]) <= max(step[k], 1e-9 * problem.floor[i, k]), said
            if f"ceiling lets it have no {name}" in said:
                assert grant[i, k] == problem.ceiling[i, k] == 0, said
            if f"its ceiling is {number(problem.ceiling[i, k])} {name}" in said:
                assert grant[i, k] + step[k] >= problem.ceiling[i, k] * (1 - 1e-9), said
            if f"use no more {name}" in said or f"all the {name} it can use" in said:
                assert held[i, k] >= problem.saturation[i, k] * (1 - 1e-9), said
            if f"the floors of others take all {name}" in said:
                assert problem.floor[:, k].sum() >= problem.capacity[k] * (1 - 1e-9), said
                assert grant[i, k] == 0, said
        for level in re.findall(rf"lifted to the common (?:accuracy|utility) of {NUMBER}", said):
            assert level in written(found.utility[i] / problem.weight[i]), said
        if "lifted to" in said:
            assert ("per weight" in said) == bool((problem.weight != 1).any()), said
        for one, other in re.findall(rf"would add {NUMBER} [a-z ]+ per unit,? \(?the going price is {NUMBER}", said):
            assert one != other, said
        if "prices that sell everything" in said:
            assert (found.unspent <= 1e-6 * problem.capacity).all(), said
        if "gets the same money" in said:
            assert not problem.weighted, said
        if found.best > 1 + 1e-9:
            assert not re.search(r"\d accuracy|common accuracy", said), said


def check_exchanges(found: fs.Allocation) -> None:
    problem = found.problem
    said, offered = exchanges(found), planning.first_improvement(found)
    for one, other in re.findall(rf"\({NUMBER} [^)]*?per unit\) to agent \d+ \({NUMBER}\)", said):
        assert one != other, said
    if offered is None:
        assert "but moving" not in said or found.status is fs.Status.FAILED, said
        return
    k, told = problem.resources.index(offered.resource), advice.improvement(offered)
    step = found.policy.steps(problem)[k]
    assert not step or abs(offered.amount / step - round(offered.amount / step)) <= 1e-9
    assert f"the {mean_word(problem)} " in told
    assert "falls" not in told
    for one, other in re.findall(rf"from {NUMBER} to {NUMBER} \(", told):
        assert one != other, told
    better = fs.allocate(problem, fs.Given(planning.exchanged(found, offered)))
    assert better.status is not fs.Status.FAILED, told
    assert better.total >= found.total * (1 - 1e-12), told


def check_prices(found: fs.Allocation) -> None:
    said, policy = prices(found), found.policy
    assert not re.search(r"\b(nan|inf)\b", said), said
    assert ("Left over" in said) == bool((found.unspent > 1e-6 * found.problem.capacity).any()), said
    assert "almost 0" not in said.partition("Left over")[2], said
    assert "common" not in said or policy.name == "Leximin", said
    if "It lifts holdings" in said and "no limit" not in said:
        assert {each.value for each in standings(found).ravel()} <= {
            "receives some", "receives none", "none to share"
        }  # fmt: skip
    if said.endswith(": the going price.") and found.problem.m == 1 and found.price[0]:
        value = next_unit(found.problem, found.grant)[found.grant[:, 0] < found.problem.upper[:, 0], 0]
        value = value[
            np.isfinite(value)
        ]  # the first crumb of an easy task is worth any price, and adds next to nothing
        assert value.max(initial=0) <= found.price[0] * (1 + 1e-5) or found.status is not fs.Status.OPTIMAL, said


def check_comparison(answers: dict[str, fs.Allocation]) -> None:
    weighted = next(iter(answers.values())).problem.weighted
    sentences = [headline(answers, rule) for rule in answers] + [trade_off(answers)]
    for said in sentences:
        for one, other in re.findall(rf"from {NUMBER} to {NUMBER}", said):
            assert one != other, said
        if weighted:
            assert not re.search(r"(?<!weighted )\bmean (accuracy|utility|to|goes)", said), said
    best = max(average(found) for found in answers.values())
    for name, said in verdicts(answers).items():
        if "reaches the highest" in said:
            assert average(answers[name]) >= best * (1 - 1e-3), said
        total = isinstance(answers[name].policy.objective, type(fs.FairSynergy.objective))
        if total and answers[name].status is fs.Status.OPTIMAL:
            assert average(answers[name]) >= best * (1 - 2e-4), said


@pytest.mark.parametrize("part", range(DRAWS))
def test_every_claim_of_every_sentence_holds(part: int) -> None:
    for each in range(EACH):
        rng = np.random.default_rng([7, part, each])
        answers: dict[str, fs.Allocation] = {}
        for found in divided(drawn(rng), rng):
            check_why(found)
            check_exchanges(found)
            check_prices(found)
            if found.policy.label in fs.POLICIES:
                answers[found.policy.label] = found
        check_comparison(answers)
