"""Prices and bids on screen: how prices move, one round looked at or all of them played, sizes, steps, and changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

import fairsynergy as fs
from fairsynergy.analysis import planning
from fairsynergy.analysis.bidding import METHODS, Bidding, Method, Newton, Tatonnement, in_size, safe_step, turnover
from fairsynergy.charts import bidding as charts
from fairsynergy.charts.comparison import Spec
from fairsynergy.fleets import FleetSpec
from fairsynergy.ui import panels, solve
from fairsynergy.words import advice

# Rounds at most: fewer for fleets of which all answers together would take seconds.
ROUNDS, LEAST_ROUNDS, NUMBERS = 500, 120, 500_000
# While a visitor plays them, rounds follow one another at this pace [seconds], in so many pictures at most.
PACE, PICTURES = 0.5, 40
# Sizes and steps that are tried, in rounds and numbers that a click can wait for.
SIZES, STEPS, TRIED, LARGEST = (2, 5, 10, 30, 100, 300, 1000), 13, 300, 1200
# Kept for a visitor: the round looked at, of which bidding, and whether rounds are playing.
ROUND, LOOKED_AT, PLAYING = "bid_round", "_bidding", "_playing"
HEIGHT = 240  # of a picture [pixels]
ALTS = {
    "bid_agents": "What each agent asks for in the round looked at, and what the central rule gives it.",
    "bid_prices": "Announced prices, round by round; the numbers are in the table below.",
    "bid_excess": "How far demand is from capacity, round by round; the numbers are in the table below.",
    "bid_gap": "What may be missing from the best total, round by round; the numbers are in the table below.",
}


def choose() -> Method:
    """Controls: how prices move, and the step of those that follow the excess."""
    with st.container(horizontal=True, vertical_alignment="top"):
        name = st.segmented_control(
            "How prices move", list(METHODS), default=Newton.name, required=True, key="bid_method",
            bind="query-params", help="  \n".join(f"{one.name}: {one.sentence}" for one in METHODS.values()),
        )  # fmt: skip
        step = st.slider(
            "Step", 0.01, 3.0, Tatonnement().step, 0.01, key="bid_step", bind="query-params", width=260,
            disabled=name != Tatonnement.name,
            help="How strongly a price follows what is asked for too much: ten times the step, ten times as far. Too "
            "long a step swings past the clearing price. Newton needs none.",
        )  # fmt: skip
    return Tatonnement(step) if name == Tatonnement.name else METHODS[name]


def hold(problem: fs.Problem, method: Method) -> Bidding:
    """The bidding, up to as many rounds as fit the size of the fleet.

    Raises
    ------
    ProblemError
        If it is not handled.
    """
    found: Bidding = solve.auction(problem, method, most_rounds(problem))
    this = (problem.digest, method)
    if st.session_state.get(LOOKED_AT) != this:  # another one: look at its end
        st.session_state[LOOKED_AT] = this
        st.session_state[ROUND], st.session_state[PLAYING] = found.rounds, False
    return found


def most_rounds(problem: fs.Problem) -> int:
    """How often prices are announced at most, so that a slider does not wait for seconds."""
    return min(ROUNDS, max(LEAST_ROUNDS, NUMBERS // (problem.n * problem.m)))


def watch(bidding: Bidding, central: fs.Allocation) -> None:
    """The pictures with the round looked at; they move only if the visitor plays them."""
    playing = bool(st.session_state.get(PLAYING))
    st.fragment(_rounds, run_every=PACE if playing else None)(bidding, central, playing)


def _rounds(bidding: Bidding, central: fs.Allocation, playing: bool) -> None:
    last = bidding.rounds
    at = min(max(int(st.session_state.get(ROUND, last)), 1), last)
    if playing and st.session_state.get(PLAYING):  # not if it was paused just now
        at = min(at + max(1, last // PICTURES), last)
        st.session_state[PLAYING] = at < last
    st.session_state[ROUND] = at
    _pictures(bidding, central, at, playing)
    if bool(st.session_state.get(PLAYING)) != playing:
        st.rerun()  # the pace is set where the fragment is made; not before the slider has its value


def _pictures(bidding: Bidding, central: fs.Allocation, at: int, playing: bool) -> None:
    """The round's controls, and what it looks like."""
    last, resources, resource = bidding.rounds, bidding.problem.resources, 0
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if last > 1:
            at = st.slider("Round", 1, last, key=ROUND, width=360)
            st.button(
                "Pause" if playing else "Play the rounds", key="play_rounds", on_click=_play, args=(not playing, last),
                icon=":material/pause:" if playing else ":material/play_arrow:",
            )  # fmt: skip
        if len(resources) > 1:
            resource = st.segmented_control(
                "Bids for", range(len(resources)), default=0, required=True, key="bid_resource",
                bind="query-params",                format_func=lambda k: panels.harmless(resources[k]),
            )  # fmt: skip
    st.markdown(panels.harmless(charts.describe_round(bidding, at)))
    tables, dotted = charts.drawn(bidding, central, at), last <= charts.DOTTED
    left, right = st.columns(2)
    with left:
        rows = charts.asked(bidding, central, at, resource)
        many = bidding.problem.n > charts.READABLE
        tables["agents"] = rows
        _draw(charts.asked_spec(resources[resource], many), tables, ("agents",), "bid_agents")
        shown = f"{len(rows)} of {bidding.problem.n:,} agents. " if len(rows) < bidding.problem.n else ""
        marks = (
            "Points: agents. On the dashed line one asks for what the central rule gives it." if many
            else "Bars: what each agent asks for in this round; line: what the central rule gives it."
        )  # fmt: skip
        st.caption(shown + marks)
    if last == 1:
        return
    with right:
        _draw(charts.prices_spec(resources, dotted), tables, ("prices", "goal", "now"), "bid_prices")
        st.caption("Announced prices. Dashed: the central rule's. Vertical: the round looked at.")
    left, right = st.columns(2)
    with left:
        _draw(charts.excess_spec(resources, dotted), tables, ("excesses", "line", "now"), "bid_excess")
        st.caption(
            "How far all bids together are from what there is; ▲ too much, ▼ too little. Dotted: close enough to count "
            "as cleared."
        )
    with right:
        _draw(charts.gap_spec(dotted), tables, ("gaps", "now"), "bid_gap")
        st.caption("At any price the bids bound the best total there is; the best grants known are so close to it.")


def _draw(spec: Spec, tables: dict[str, pd.DataFrame], names: tuple[str, ...], key: str) -> None:
    drawn = spec | {"datasets": {name: tables[name] for name in names}}
    st.vega_lite_chart(spec=drawn, height=HEIGHT, key=key, alt=ALTS[key])


def _play(start: bool, last: int) -> None:
    if start and st.session_state.get(ROUND, last) >= last:
        st.session_state[ROUND] = 1
    st.session_state[PLAYING] = start


def told(bidding: Bidding) -> None:
    """What agents tell, and what could be worked out from it."""
    st.header("What does an agent tell?", anchor=False)
    st.table(charts.told(bidding), border="horizontal", hide_index=True)
    st.caption(charts.curious(bidding))


def tallies(problem: fs.Problem, base: FleetSpec | str | None, method: Method) -> None:
    """Rounds against the number of agents, and against the step; where nothing clears, what may be missing instead."""
    step = method.step if isinstance(method, Tatonnement) else Tatonnement().step
    sizes = []
    for n in (n for n in SIZES if n * problem.m <= LARGEST):
        try:
            fleet = replace(base, agents=n).problem() if isinstance(base, FleetSpec) else in_size(problem, n)
        except fs.ProblemError:  # a part of the fleet whose floors ask for more than its part of the capacity
            continue
        sizes += [solve.tally(fleet, each, n, TRIED) for each in (Newton(), Tatonnement(step))]
    fleet = problem if problem.n * problem.m <= LARGEST else in_size(problem, LARGEST // problem.m)
    tried = [float(f"{each:.3g}") for each in np.geomspace(0.01, 3, STEPS)]
    steps = [solve.tally(fleet, Tatonnement(each), each, TRIED) for each in tried]
    left, right = st.columns(2)
    with left:
        what = _tally(sizes, "Agents", "bid_sizes", None)
        drawn = "drawn as in the sidebar" if isinstance(base, FleetSpec) else "this fleet's agents taken in turn"
        st.caption(f"{what}, step {step:g}; fleets {drawn}. {_CROSSES}")
    with right:
        safe = safe_step(fleet)
        what = _tally(steps, "Step", "bid_steps", safe)
        proved = (
            "No step is proved to clear here, because somebody's γ add up to 1 or more." if safe is None
            else f"Steps up to {safe:.2g} are proved to approach without swinging." if problem.m == 1
            else f"Close to clearing, steps up to {safe:.2g} are proved to approach without swinging."
        )  # fmt: skip
        st.caption(f"{what}. {proved} {_CROSSES}")


def _tally(found: list[charts.Tally], title: str, key: str, safe: float | None) -> str:
    """Draw rounds or, if hardly any cleared, what may be missing; says which."""
    missing = 2 * sum(one.cleared for one in found) < len(found)
    datasets = {"rows": charts.tallies(found)}
    if safe is not None:
        datasets["marks"] = pd.DataFrame([{"at": safe, "what": "proved up to"}])
    what = (
        f"What may be missing from the best total after at most {TRIED} rounds" if missing
        else "Rounds until demand meets capacity within a millionth"
    )  # fmt: skip
    spec = charts.tally_spec(title, key == "bid_sizes", safe is not None, missing)
    st.vega_lite_chart(
        spec=spec | {"datasets": datasets}, height=280, key=key, alt=f"{what}, against: {title.lower()}."
    )
    return what


_CROSSES = f"Crosses: not cleared after {TRIED} rounds."


def changing(bidding: Bidding, central: fs.Allocation) -> None:
    """Agents join and leave: how soon prices clear again, and what a price on every moved unit does."""
    problem = bidding.problem
    st.caption(
        "The first agents leave, and newcomers join that are like those who stay; the cloud has what it had. It first "
        "asks what all would take for nothing, then goes on from the last prices instead of from a guess."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        leave = st.number_input(
            "Agents who leave", 0, problem.n - 1, 0, key="bid_leave", bind="query-params", width=160
        )
        join = st.number_input("Agents who join", 0, problem.n, 1, key="bid_join", bind="query-params", width=160)
        price = st.number_input(
            "Price of a moved unit [accuracy]", 0.0, None, 0.1, 0.05, format="%.4g", key="bid_move_price",
            bind="query-params", width=240,
            help="Of each unit taken from an agent that had it. 0: all is divided anew.",
        )  # fmt: skip
    try:
        fleet = turnover(problem, leave=int(leave), join=int(join))
        again = solve.auction_again(fleet, bidding.method, most_rounds(fleet), bidding, problem.digest)
        moved = solve.change(fleet, planning.carried(fleet, bidding.allocation), float(price))
    except fs.FairSynergyError as error:
        st.warning(panels.harmless(str(error)), icon=":material/block:")
        return
    st.markdown(f"**{panels.harmless(charts.sooner(again.warm, again.cold))}**")
    st.dataframe(charts.moved_prices(bidding, again.warm), hide_index=True, key="bid_prices_after")
    st.markdown(panels.harmless(f"With a price on every unit moved: {advice.moving(moved)}"))
    st.caption(f"{moved.allocation.status.value} That division is the cloud's own (re-planning), not one by bids.")
