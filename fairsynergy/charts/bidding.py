"""An auction in pictures: prices, excess demand and what may be missing, round by round; who asks for how much; and how
many rounds it takes. As in `comparison`, a picture is a specification, the tables that fill it, and a sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import altair as alt
import numpy as np
import pandas as pd

from fairsynergy.allocation import Allocation
from fairsynergy.analysis.bidding import METHODS, RECENT, Bidding, overheard
from fairsynergy.charts.comparison import FAINT, INK, KEPT, Spec, named, named_axis, ranked
from fairsynergy.charts.figure import spaced
from fairsynergy.charts.palette import RULES
from fairsynergy.kernel._objective import TotalUtility
from fairsynergy.problem import Array
from fairsynergy.words.phrases import apart, at_most, listed, number, percent

# Resources and methods are no rules, so they have no rule's colour: two of Tol's "bright".
FIRST, SECOND = "#4477AA", "#EE6677"
CENTRAL = RULES["Fair-Synergy"].colour
DRAWN = 150  # most rounds of a line
DOTTED = 40  # rounds with a point each
READABLE = 40  # agents beside one another
MANY = 400  # agents as points
LEAST = 1e-12  # of a gap or an excess; less is rounding, and drawn here
# Grants closer than this to the central rule's, as a fraction of the capacity, are the same for a reader.
SAME = 1e-4
MORE, LESS = "more than there is", "less than there is"
CLEARED, OPEN = "cleared", "not cleared"


class Tally(NamedTuple):
    """How a bidding went at one size or step: which method, where, its rounds, whether it cleared, the gap it left."""

    method: str
    at: float
    rounds: int
    cleared: bool
    gap: float


def rounds(bidding: Bidding) -> pd.DataFrame:
    """One row per round and resource: price, demand as a fraction of the capacity, and what may be missing."""
    problem, r = bidding.problem, bidding.rounds
    return pd.DataFrame(
        {
            "round": np.tile(np.arange(1, r + 1), problem.m),
            "resource": np.repeat(problem.resources, r),
            "price": bidding.prices.T.ravel(),
            "asked": bidding.used.T.ravel(),
            "excess": bidding.excess.T.ravel(),
            "bound": np.tile(bidding.bound, problem.m),
            "achieved": np.tile(bidding.achieved, problem.m),
            "gap": np.tile(bidding.gap, problem.m),
        }
    )


def drawn(bidding: Bidding, central: Allocation | None, turn: int) -> dict[str, pd.DataFrame]:
    """Tables for the pictures of rounds, thinned to what a line shows, and the round looked at, from 1.

    Parameters
    ----------
    bidding : Bidding
        With a round beyond the first, in which all was free.
    central : Allocation or None
        The central rule's, whose prices are drawn beside; None without.
    turn : int
        The round looked at, from 1.
    """
    table = rounds(bidding)
    kept = spaced(bidding.rounds, DRAWN) + 1
    table = table[table["round"].isin(kept) | (table["round"] == turn)]
    table = table[np.isfinite(table["excess"])]
    table = table.assign(
        size=table["excess"].abs().clip(lower=LEAST),
        way=np.where(table["excess"] > 0, MORE, LESS),
        missing=table["gap"].clip(lower=LEAST),
    )
    priced = table[table["price"] > 0]
    price = np.zeros(0) if central is None or central.price is None else central.price
    goal = pd.DataFrame({"resource": bidding.problem.resources[: len(price)], "price": price})
    goal = goal[goal["resource"].isin(set(priced["resource"])) & (goal["price"] > 0)]
    return {
        "prices": priced[["round", "resource", "price", "excess"]],
        "goal": goal,
        "excesses": table[["round", "resource", "size", "way", "excess", "asked"]],
        "gaps": table.drop_duplicates("round")[["round", "missing", "bound", "achieved"]],
        "now": pd.DataFrame({"round": [turn]}),
        "line": pd.DataFrame({"size": [bidding.tolerance]}),
    }


def _round_axis() -> Any:
    return alt.X(
        "round:Q", title="Round", scale=alt.Scale(nice=False, zero=False, domainMin=1, padding=6),
        axis=alt.Axis(tickMinStep=1, format="d", tickCount=8, grid=False),
    )  # fmt: skip


def _decades(field: str, title: str) -> Any:
    axis = alt.Axis(values=[10.0**k for k in range(-12, 7)], format="~e", labelOverlap=True)
    return alt.Y(field, title=title, scale=alt.Scale(type="log", nice=False, padding=10), axis=axis)


def _resource_colour(resources: tuple[str, ...]) -> Any:
    legend = alt.Legend(title=None, orient="top", symbolType="stroke") if len(resources) > 1 else None
    return alt.Color("resource:N", scale=alt.Scale(domain=list(resources), range=[FIRST, SECOND]), legend=legend)


def _now() -> Any:
    return alt.Chart(alt.NamedData("now")).mark_rule(color=INK, opacity=0.55, strokeWidth=1.5).encode(x="round:Q")


def _dots(rows: Any, dotted: bool) -> Any:
    """Points to hover over; seen where they are few enough to be told apart."""
    return rows.mark_point(filled=True, size=34, opacity=1 if dotted else 0)


@lru_cache(maxsize=KEPT)
def prices_spec(resources: tuple[str, ...], dotted: bool) -> Spec:
    """Announced prices over rounds, dashed those of the central rule; fill `prices`, `goal` and `now` of `drawn`."""
    y = alt.Y(
        "price:Q", title="Price (accuracy per unit)", scale=alt.Scale(type="log", nice=False, padding=10),
        axis=alt.Axis(format="~g", tickCount=5),
    )  # fmt: skip
    rows = alt.Chart(alt.NamedData("prices")).encode(
        x=_round_axis(), y=y, color=_resource_colour(resources),
        tooltip=[
            alt.Tooltip("round:Q", title="Round"),
            alt.Tooltip("resource:N", title="Resource"),
            alt.Tooltip("price:Q", format=".5g", title="Price [accuracy per unit]"),
            alt.Tooltip("excess:Q", format="+.2%", title="Asked for beyond the capacity"),
        ],
    )  # fmt: skip
    goal = alt.Chart(alt.NamedData("goal")).mark_rule(color=CENTRAL, strokeDash=[6, 4], strokeWidth=2).encode(y=y)
    return named(alt.layer(goal, _now(), rows.mark_line(strokeWidth=2), _dots(rows, dotted)))


@lru_cache(maxsize=KEPT)
def excess_spec(resources: tuple[str, ...], dotted: bool) -> Spec:
    """How far demand is from capacity over rounds, up where too much; fill `excesses`, `line`, `now` of `drawn`."""
    y = _decades("size:Q", "Off the capacity (share of it)")
    rows = alt.Chart(alt.NamedData("excesses")).encode(
        x=_round_axis(), y=y, color=_resource_colour(resources),
        tooltip=[
            alt.Tooltip("round:Q", title="Round"),
            alt.Tooltip("resource:N", title="Resource"),
            alt.Tooltip("way:N", title="Asked for"),
            alt.Tooltip("asked:Q", format=".5g", title="Asked for [units]"),
            alt.Tooltip("excess:Q", format="+.2e", title="Beyond the capacity, as a share of it"),
        ],
    )  # fmt: skip
    way = alt.Scale(domain=[MORE, LESS], range=["triangle-up", "triangle-down"])
    marks = rows.mark_point(filled=True, size=60 if dotted else 26, opacity=0.9).encode(
        shape=alt.Shape("way:N", scale=way, legend=None)
    )
    line = alt.Chart(alt.NamedData("line")).mark_rule(color=FAINT, strokeDash=[3, 3]).encode(y=y)
    return named(alt.layer(line, _now(), rows.mark_line(strokeWidth=1.5, opacity=0.5), marks))


@lru_cache(maxsize=KEPT)
def gap_spec(dotted: bool) -> Spec:
    """What may be missing from the best grants known, over rounds; fill `gaps` and `now` of `drawn`."""
    rows = alt.Chart(alt.NamedData("gaps")).encode(
        x=_round_axis(), y=_decades("missing:Q", "Missing at most (share)"),
        tooltip=[
            alt.Tooltip("round:Q", title="Round"),
            alt.Tooltip("bound:Q", format=".6g", title="No total is above"),
            alt.Tooltip("achieved:Q", format=".6g", title="Total of this round's grants"),
            alt.Tooltip("missing:Q", format=".2e", title="Missing at most, of the best so far"),
        ],
    )  # fmt: skip
    line = rows.mark_line(strokeWidth=2, color=FIRST, interpolate="step-after")
    return named(alt.layer(_now(), line, _dots(rows, dotted).encode(color=alt.value(FIRST))))


def asked(bidding: Bidding, central: Allocation, turn: int, resource: int) -> pd.DataFrame:
    """One row per agent: what it asks for in a round, from 1, and what the central rule gives; the largest first."""
    wanted, given = bidding.demand(turn - 1)[:, resource], central.grant[:, resource]
    order = np.argsort(-given, kind="stable")
    some = order if len(order) <= MANY else order[spaced(len(order), MANY)]
    table = pd.DataFrame(
        {
            "agent": [bidding.problem.agents[i] for i in some],
            "asked": wanted[some],
            "central": given[some],
            "own": bidding.problem.endowment[some, resource],
            "gamma": bidding.problem.elasticity[some, resource],
        }
    )
    return ranked(table, "agent")


@lru_cache(maxsize=KEPT)
def asked_spec(resource: str, many: bool) -> Spec:
    """Bars of what agents ask for, ticks of what the central rule gives, or points; fill `agents` with `asked`."""
    tips = [
        alt.Tooltip("agent:N", title="Agent"),
        alt.Tooltip("asked:Q", format=".4g", title=f"Asks for [units of {resource}]"),
        alt.Tooltip("central:Q", format=".4g", title="Central rule gives"),
        alt.Tooltip("own:Q", format=".4g", title="Owns (it did not say)"),
        alt.Tooltip("gamma:Q", format=".2f", title="γ (it did not say)"),
    ]
    rows = alt.Chart(alt.NamedData("agents")).encode(tooltip=tips)
    units = f"{resource.capitalize()} (units)"
    if many:
        points = rows.encode(
            x=alt.X("central:Q", title=f"Central rule gives: {resource} (units)"),
            y=alt.Y("asked:Q", title="Asked for (units)"),
        )
        same = alt.Chart(alt.NamedData("agents")).encode(x="central:Q", y="central:Q")
        return named(
            alt.layer(
                same.mark_line(color=CENTRAL, strokeDash=[6, 4], strokeWidth=2),
                points.mark_point(filled=True, size=36, color=FIRST, opacity=0.6),
            )
        )
    bars = rows.encode(x=alt.X("rank:N", title=None, axis=named_axis(labelLimit=90)))
    return named(
        alt.layer(
            bars.mark_bar(color=FIRST, opacity=0.85).encode(y=alt.Y("asked:Q", title=units)),
            bars.mark_tick(thickness=3, color=CENTRAL).encode(y="central:Q"),
        )
    )


def tallies(found: Sequence[Tally]) -> pd.DataFrame:
    """Rounds to clear by method and place, for `tally_spec`."""
    frame = pd.DataFrame(found, columns=list(Tally._fields))
    return frame.assign(cleared=np.where(frame["cleared"], CLEARED, OPEN), missing=frame.pop("gap").clip(lower=LEAST))


@lru_cache(maxsize=KEPT)
def tally_spec(title: str, by_method: bool, marked: bool, missing: bool = False) -> Spec:
    """Rounds, or what may be missing, against sizes or steps, a cross where it did not clear.

    Fill `rows` with `tallies` and, if steps are marked, `marks` with at and what.
    """
    colour = alt.Color(
        "method:N", scale=alt.Scale(domain=list(METHODS), range=[SECOND, FIRST]),
        legend=alt.Legend(title=None, orient="top", symbolType="stroke") if by_method else None,
    )  # fmt: skip
    x = alt.X(
        "at:Q",
        title=title,
        scale=alt.Scale(type="log", nice=False, padding=10),
        axis=alt.Axis(format="~g", tickCount=6, grid=False),
    )
    y = _decades("missing:Q", "Missing at most (share)") if missing else alt.Y(
        "rounds:Q", title="Rounds", scale=alt.Scale(type="log", nice=False, padding=10),
        axis=alt.Axis(format="~g", tickCount=5),
    )  # fmt: skip
    rows = alt.Chart(alt.NamedData("rows")).encode(
        x=x, y=y, color=colour,
        tooltip=[
            alt.Tooltip("method:N", title="Prices move by"),
            alt.Tooltip("at:Q", format=",.3~g", title=title),
            alt.Tooltip("rounds:Q", title="Rounds"),
            alt.Tooltip("missing:Q", format=".2e", title="Missing at most, of the best total"),
            alt.Tooltip("cleared:N", title="Demand met capacity"),
        ],
    )  # fmt: skip
    layers = [
        rows.mark_line(strokeWidth=2, opacity=0.7),
        rows.mark_point(filled=True, size=75, opacity=1).encode(
            shape=alt.Shape(
                "cleared:N", scale=alt.Scale(domain=[CLEARED, OPEN], range=["circle", "cross"]), legend=None
            )
        ),
    ]
    if marked:
        marks = alt.Chart(alt.NamedData("marks")).encode(x=x)
        layers += [
            marks.mark_rule(color=CENTRAL, strokeDash=[6, 4], strokeWidth=2),
            marks.mark_text(align="right", dx=-6, dy=4, baseline="top", color=INK, fontSize=12).encode(
                y=alt.value(0), text="what:N"
            ),
        ]
    return named(alt.layer(*layers))


# Words.


def answer(bidding: Bidding, central: Allocation) -> str:
    """What bidding came to, in one sentence."""
    problem = bidding.problem
    took = f"{bidding.rounds} round{'s' * (bidding.rounds > 1)}"
    if bidding.converged and not bidding.price.any():
        return "There is enough for everybody: at no price at all nobody asks for more than the cloud has."
    if bidding.converged:
        clears = "the announced price clears the market" if problem.m == 1 else "the announced prices clear the market"
        same = "everyone has what the central rule would give" if _alike(bidding, central) else (
            "no division has a greater total"
        )  # fmt: skip
        return f"After {took} {clears}: {same}, and nobody said its γ."
    short = at_most(float(bidding.gap[-1]))
    if TotalUtility().concave(problem):
        return f"After {took} prices have not cleared yet: what bids give may be up to {short} short of the best total."
    return f"No price clears in {took}: demand jumps, and what bids give may be up to {short} short of the best total."


def _alike(bidding: Bidding, central: Allocation) -> bool:
    unit = np.where(bidding.problem.capacity > 0, bidding.problem.capacity, 1.0)
    return bool(np.max(np.abs(bidding.allocation.grant - central.grant) / unit) <= SAME)


def why_not(bidding: Bidding, central: Allocation) -> str:
    """Where prices did not clear: what they do instead, what was done with the bids, and beside the central rule."""
    problem, (low, high) = bidding.problem, bidding.swing
    ends = listed(
        [
            f"{' to '.join(apart(low[k], high[k]))} times the capacity of {resource}"
            for k, resource in enumerate(problem.resources)
            if problem.capacity[k] > 0
        ]
    )
    if TotalUtility().concave(problem):
        cause = "A clearing price exists, but this step is too long, so that prices swing past it, or too short so far."
    else:
        many = int((problem.elasticity.sum(axis=1) > 1).sum())
        who = f"{many:,} of {problem.n:,} agents have" if problem.n > 1 else "The agent has"
        cause = (
            f"{who} γ that add up to more than 1: such an agent asks for much or for nothing, and at one price it "
            "jumps from one to the other. Prices swing around such prices."
        )
    lost = (
        f" That cost {percent(bidding.lost)} of what was asked for." if bidding.lost > 5e-4
        else f" That added {percent(-bidding.lost)} to it." if bidding.lost < -5e-4 else ""
    )  # fmt: skip
    made = bidding.repair.value
    return (
        f"{cause} In the last {RECENT} rounds all together asked for {ends}. The grants are the best that any round's "
        f"bids were made to fit (round {bidding.granted_in + 1}): {made[0].lower()}{made[1:]}{lost} Their total is "
        f"{_beside(bidding.allocation.total, central.total)} the central rule's."
    )


def _beside(total: float, other: float) -> str:
    part = 1 - total / other if other > 0 else 0.0
    if abs(part) < 5e-5:
        return "within 0.01 % of" if part else "that of"
    return f"{at_most(part)} below" if part > 0 else f"{at_most(-part)} above"


def describe_round(bidding: Bidding, turn: int) -> str:
    """What happens in a round, from 1."""
    problem, at = bidding.problem, turn - 1
    price, used = bidding.prices[at], bidding.used[at]
    if not price.any():
        offered = "offers everything for nothing"
    else:
        each = [
            f"{number(price[k])} per unit of {resource}" if price[k] else f"{resource} for nothing"
            for k, resource in enumerate(problem.resources)
        ]
        offered = f"announces {listed(each)}"
    asked_for = listed(
        [
            f"{number(used[k])} of {number(problem.capacity[k])} units of {resource}{_beyond(bidding.excess[at, k])}"
            for k, resource in enumerate(problem.resources)
        ]
    )
    return f"Round {turn} of {bidding.rounds}: the cloud {offered}; all together ask for {asked_for}."


def _beyond(excess: float) -> str:
    if not np.isfinite(excess) or abs(excess) < 5e-4:
        return ""
    return f" ({percent(excess)} too much)" if excess > 0 else f" ({percent(-excess)} left)"


def told(bidding: Bidding) -> pd.DataFrame:
    """What an agent tells under bidding and under the central rule, for a reader."""
    revealed, m = bidding.revealed, bidding.problem.m
    kinds = f"{m} demand{'s' * (m > 1)}" + (
        f", {m * (m + 1) // 2} slope{'s' * (m > 1)} of it" if bidding.method.slopes else ""
    )  # fmt: skip
    return pd.DataFrame(
        [
            {
                "": "Bidding",
                "An agent sends": f"each round {kinds}, and what that is worth to it",
                "Numbers in all": revealed.total,
                "It keeps to itself": "its γ, what it owns, its limits",
            },
            {
                "": "Central rule",
                "An agent sends": "its γ, what it owns, its limits and weight where it has any",
                "Numbers in all": revealed.central,
                "It keeps to itself": "nothing",
            },
        ]
    )


def curious(bidding: Bidding) -> str:
    """What a cloud that keeps every bid could work out, in words."""
    shield = (
        "Prices move on sums alone, so bids can be added up before the cloud sees them (secure aggregation); then it "
        "learns nobody's. What a bid is worth is used for the bound alone, and for grants where no price clears."
    )
    if bidding.problem.m > 1:
        return (
            "Not saying γ is not the same as hiding it: enough single bids of an agent inside its limits are as "
            f"many equations as it has secrets. {shield}"
        )
    known = int(np.isfinite(overheard(bidding)).sum())
    n = bidding.problem.n
    if not known:
        return f"From these bids nobody's γ can be worked out. {shield}"
    return (
        f"Not saying γ is not the same as hiding it: a cloud that keeps single bids could work out {known:,} of {n:,} "
        f"here, since three bids inside an agent's limits give its γ away. {shield}"
    )


def sooner(warm: Bidding, cold: Bidding) -> str:
    """What the last prices were worth as a start after a change."""
    if not (warm.converged and cold.converged):
        which = "either way" if not (warm.converged or cold.converged) else (
            "from the last prices" if cold.converged else "from nothing"
        )  # fmt: skip
        missing, other = (at_most(float(one.gap[-1])) for one in (warm, cold))
        return (
            f"No price clears {which}: after {warm.rounds} rounds from the last prices at most {missing} is missing, "
            f"after {cold.rounds} from nothing {other}."
        )
    less = cold.rounds - warm.rounds
    saved = f"{less} fewer than" if less > 0 else f"{-less} more than" if less < 0 else "as many as"
    again = f"{warm.rounds} round{'s' * (warm.rounds > 1)}"
    return f"From the last prices it clears again in {again}, {saved} from nothing ({cold.rounds})."


def moved_prices(before: Bidding, after: Bidding) -> pd.DataFrame:
    """Prices before and after a change, for a reader."""
    return pd.DataFrame(
        {
            "Resource": before.problem.resources,
            "Price before [accuracy per unit]": before.price,
            "Price after": after.price,
        }
    )


def grants_table(bidding: Bidding, central: Allocation) -> pd.DataFrame:
    """Every agent's grant by bids and by the central rule, for a reader."""
    problem = bidding.problem
    columns: dict[str, Array | tuple[str, ...]] = {"agent": problem.agents}
    for k, resource in enumerate(problem.resources):
        columns[f"{resource} by bids [units]"] = bidding.allocation.grant[:, k]
        columns[f"{resource} by the central rule [units]"] = central.grant[:, k]
    columns["accuracy by bids"] = bidding.allocation.utility
    columns["accuracy by the central rule"] = central.utility
    return pd.DataFrame(columns)
