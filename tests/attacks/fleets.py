"""Fleets of one to four resources under every rule: limits, bounds, what is called optimal, by other searches."""

from __future__ import annotations

import numpy as np

import fairsynergy as fs
from attacks import _draws, _referees

COUNT = 40
# Relative: a limit, a bound, and a total that is called optimal (a marginal may be a millionth off).
LIMIT, BOUND, TOTAL = 1e-9, 1e-9, 3e-6
TINY = float(np.finfo(np.float64).tiny)
RETURNS = {2: ((0.5, 0.5), (0.25, 0.75), (0.9, 0.1), (0.7, 0.3)), 3: ((0.2, 0.3, 0.5), (0.5, 0.25, 0.25))}


def draw(rng: np.random.Generator) -> fs.Problem:
    """Capacities mostly at sums of floors, ceilings or what is missing to saturation; nothing owned; alike agents."""
    n, m = int(rng.integers(1, 7)), int(rng.choice([1, 2, 3, 4], p=[0.35, 0.4, 0.15, 0.1]))
    like = _draws.alike(rng, n)
    gamma = _draws.elasticities(rng, (n, m))[like]
    if m in RETURNS and rng.random() < 0.4:
        constant = rng.random(n) < 0.6
        gamma[constant] = np.array(RETURNS[m])[rng.integers(0, len(RETURNS[m]), n)][constant]
    elif m > 1 and rng.random() < 0.4:
        gamma = np.minimum(gamma, 0.99) / m
    own = _draws.amounts(rng, (n, m), nothing=rng.choice([0.0, 0.4, 0.9]))[like]
    floor = _draws.amounts(rng, (n, m), nothing=0.5)[like] if rng.random() < 0.2 else np.zeros((n, m))
    limited = rng.random((n, m)) < rng.choice([0.0, 0.5, 1.0])
    ceiling = floor + np.where(limited, _draws.amounts(rng, (n, m), nothing=0.05), np.inf)[like]
    saturation = np.full((n, m), np.inf)
    if rng.random() < 0.3:
        saturation = np.broadcast_to(rng.choice([0.5, 1.0, 2.0], m), (n, m))
    upper = np.maximum(np.minimum(ceiling, np.maximum(saturation - own, 0.0)), floor)
    capacity = np.array([_draws.kink(rng, floor[:, k], upper[:, k]) for k in range(m)])
    if rng.random() < 0.05:
        capacity[rng.integers(m)] = floor[:, 0].sum() if m == 1 else floor.sum(axis=0).max()
    capacity = np.maximum(capacity, floor.sum(axis=0))
    unit = rng.choice(_draws.SCALES, m) if rng.random() < 0.3 else np.ones(m)
    floor = floor * unit
    return fs.Problem(
        endowment=own * unit,
        capacity=np.maximum(capacity * unit, floor.sum(axis=0)),
        elasticity=gamma,
        weight=rng.choice(_draws.WEIGHTS, n)[like],
        floor=floor,
        ceiling=ceiling * unit,
        saturation=saturation * unit,
    )


def rules(rng: np.random.Generator, problem: fs.Problem) -> list[fs.Policy]:
    """The total's rules and some of the others."""
    others: list[fs.Policy] = [
        fs.FairSynergy(passes=1), fs.FairSynergy(passes=np.inf), fs.Uniform(), fs.Random(), fs.NUM(), fs.DRF(),
        fs.Nash(), fs.AlphaFair(0.5), fs.AlphaFair(2), fs.AlphaFair(7), fs.EqualIncomeMarket(),
    ]  # fmt: skip
    if problem.m <= 2:
        others.append(fs.Leximin())
    some = [others[i] for i in rng.choice(len(others), 4, replace=False)]
    return [fs.FairSynergy(), fs.CertifiedOptimum(boxes=20), *some]


def beyond(problem: fs.Problem, grant: np.ndarray) -> bool:
    """Whether a limit is broken, each measured against itself."""
    return bool(
        not np.isfinite(grant).all()
        or (grant.sum(axis=0) > problem.capacity * (1 + LIMIT)).any()
        or (grant > problem.ceiling * (1 + LIMIT)).any()
        or (grant < problem.floor * (1 - LIMIT)).any()
    )


def unlevelled(problem: fs.Problem, allocation: fs.Allocation, alpha: float) -> float:
    """By how much, in logarithms, an exchange of one resource still gains in alpha-fair welfare, alpha >= 1."""
    grant, worst = allocation.grant, 0.0
    held = np.minimum(problem.endowment + grant, problem.saturation)
    reachable = (held > 0) | ((problem.upper > problem.floor) & (problem.capacity > problem.floor.sum(axis=0)))
    some = reachable.all(axis=1)
    log_u = (problem.elasticity * np.log(np.maximum(held, TINY))).sum(axis=1)
    for k in range(problem.m):
        log_marginal = np.log(problem.weight * problem.elasticity[:, k]) - np.log(np.maximum(held[:, k], TINY))
        log_marginal = np.where(some, log_marginal + (1 - alpha) * log_u, -np.inf)
        idle = problem.endowment[:, k] + grant[:, k] > problem.saturation[:, k] * (1 + 1e-12)
        wants = np.max(log_marginal, where=(grant < problem.upper)[:, k], initial=-np.inf)
        gives = np.where(idle, -np.inf, log_marginal)
        gives = np.min(gives, where=(grant > problem.floor + 2 * TINY)[:, k], initial=np.inf)
        if wants > -np.inf and gives < np.inf:
            worst = max(worst, float(wants - gives))
        spent = grant[:, k].sum()
        if wants > -np.inf and spent < problem.capacity[k]:
            worst = max(worst, float(1 - spent / problem.capacity[k]))
    return worst


def attack(rng: np.random.Generator) -> list[str]:
    problem = draw(rng)
    found: list[str] = []
    answers = []
    for rule in rules(rng, problem):
        try:
            answers.append(fs.allocate(problem, rule))
        except fs.ProblemError as error:  # by name: a rule that does not handle this kind of problem
            if not str(error).startswith(rule.name):
                found.append(f"{rule.label}: {error}")
    best, there = _referees.reach(problem, rng)
    for allocation in answers:
        if not beyond(problem, allocation.grant):
            total = float(problem.weight @ _referees.cobb_douglas(problem, allocation.grant))
            best, there = (total, allocation.grant) if total > best else (best, there)
    for allocation in answers:
        name, objective = allocation.policy.label, allocation.policy.objective
        if allocation.status is fs.Status.FAILED or beyond(problem, allocation.grant):
            found.append(f"{name} is {allocation.status.name}, grants {allocation.grant.tolist()}")
            continue
        if allocation.upper_bound is not None and allocation.upper_bound < best * (1 - BOUND):
            found.append(f"{name}: bound {allocation.upper_bound}, reachable {best} with {there.tolist()}")
        if allocation.status is not fs.Status.OPTIMAL:
            if problem.m == 1 and objective is not None:
                found.append(f"{name}: {allocation.status.name} with one resource, {allocation.certificate}")
            continue
        within = max(TOTAL, 2 * allocation.policy.proved_within)
        total = float(problem.weight @ _referees.cobb_douglas(problem, allocation.grant))
        if isinstance(objective, type(fs.FairSynergy.objective)) and total < best * (1 - within):
            found.append(f"{name}: OPTIMAL {total}, reachable {best} with {there.tolist()}")
        alpha = getattr(allocation.policy, "alpha", 0.0)
        if alpha >= 1 and (open_by := unlevelled(problem, allocation, alpha)) > TOTAL:
            found.append(f"{name}: OPTIMAL, but marginals are {open_by:.1e} apart")
        if problem.m == 1:
            found += one_resource(problem, allocation)
    if problem.m == 1:
        found += in_units(problem)
    state = {name: getattr(problem, name).tolist() for name in FIELDS}
    return [f"{fault}; {state}" for fault in found]


FIELDS = ("endowment", "capacity", "elasticity", "weight", "floor", "ceiling", "saturation")


def one_resource(problem: fs.Problem, allocation: fs.Allocation) -> list[str]:
    """Against bisection in extended precision, where one resource makes the rule a kernel."""
    policy, gamma, weight = allocation.policy, problem.elasticity[:, 0], problem.weight
    if isinstance(policy, fs.NUM):
        c, p = weight, np.ones(problem.n)
    elif isinstance(policy, fs.Leximin):
        level = np.min(allocation.utility / weight)
        return [] if level >= highest_level(problem) * (1 - 1e-9) else [f"Leximin: level {level}"]
    elif isinstance(policy, fs.FairSynergy | fs.CertifiedOptimum | fs.AlphaFair):
        alpha = getattr(policy, "alpha", 0.0)
        c, p = weight * gamma, 1 - (1 - alpha) * gamma
    else:
        return []
    own, low, high = problem.endowment[:, 0], problem.floor[:, 0], problem.upper[:, 0]
    if problem.capacity[0] <= low.sum():  # nothing to divide, as far as the sum of the floors tells
        return []
    best, dear = _referees.level_by_bisection(c, p, own, float(problem.capacity[0]), low, high)
    values = [_referees.power_sum(c, p, own.astype(np.longdouble) + x) for x in (allocation.grant[:, 0], best)]
    with np.errstate(over="ignore"):
        rounding = 1e-12 * max(map(abs, values)) + np.exp(np.longdouble(dear)) * 1e-13 * problem.capacity[0]
    short = values[1] - values[0]
    return [f"{policy.label}: {float(short):.1e} missing beside {best.tolist()}"] if short > rounding else []


def highest_level(problem: fs.Problem) -> float:
    """The greatest min_i U_i / w_i of one resource, by bisection on the logarithm of the level."""
    own, gamma, weight = problem.endowment[:, 0], problem.elasticity[:, 0], problem.weight
    low, high, room = problem.floor[:, 0], problem.upper[:, 0], float(problem.capacity[0])
    most = np.minimum(np.minimum(own + high, own + low + room), problem.saturation[:, 0])
    with np.errstate(divide="ignore"):
        top = float(np.min(gamma * np.log(most) - np.log(weight)))
    bottom = -1e4
    if top <= bottom or room <= low.sum():
        return 0.0
    for _ in range(200):
        middle = (top + bottom) / 2
        needs = np.clip(np.exp(np.minimum((middle + np.log(weight)) / gamma, 700)) - own, low, high)
        bottom, top = (middle, top) if needs.astype(np.longdouble).sum() <= room else (bottom, middle)
    return float(np.exp(bottom))


def in_units(problem: fs.Problem) -> list[str]:
    """Greedy whole units against dynamic programming over up to some dozens of them."""
    unit = float(problem.capacity[0]) / 12
    if not unit > 0:
        return []
    try:
        allocation = fs.allocate(problem, fs.WholeUnits(fs.FairSynergy(), unit, method="greedy"))
    except fs.ProblemError:
        return []  # no whole number of units between a floor and its ceiling
    low = np.ceil(problem.floor[:, 0] / unit * (1 - 1e-12))
    high = np.floor(np.minimum(problem.ceiling[:, 0] / unit, 12) * (1 + 1e-12))
    amounts = np.arange(13) * unit
    held = np.minimum(problem.endowment + amounts, problem.saturation)
    worth = problem.weight[:, None] * held**problem.elasticity
    worth[(np.arange(13) < low[:, None]) | (np.arange(13) > high[:, None])] = -np.inf
    best = _referees.best_in_units(worth.tolist(), 12)
    return [] if allocation.total >= best * (1 - 1e-12) else [f"whole units: {allocation.total}, possible {best}"]
