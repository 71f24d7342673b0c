"""The paper's experiments on screen: which one, how much of it, run now with progress, and stopped by any click.

A result is kept for all visitors. What takes a second is run at once; what takes longer waits for a click.
"""

from __future__ import annotations

from time import perf_counter
from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fairsynergy.charts.paper import Figure, figures
from fairsynergy.experiments.engine import Progress
from fairsynergy.experiments.paper import FIGURES, reproduce
from fairsynergy.experiments.reproduction import COLUMNS, Reproduction, Verdict
from fairsynergy.ui import panels
from fairsynergy.words.phrases import duration

# Kept for a visitor: what is to be run although it takes long, and what was stopped.
WANTED, STOPPED = "_wanted_run", "_stopped_run"
# Seconds between two pictures of a running experiment.
EVERY = 0.2
LARGEST_SEED = 10**6
# Names by what the selector and a shared link say.
SHORT = {experiment.short: name for name, experiment in FIGURES.items()}
# A phone scrolls a figure, not the page.
STYLE = "<style>.st-key-figures .stVegaLiteChart { max-width: 100%; overflow-x: auto; }</style>"
COLOURS = {
    Verdict.HOLDS: ":green[{}]",
    Verdict.PROTOCOL: ":orange[{}]",
    Verdict.FAILS: ":red[{}]",
    Verdict.OPEN: ":gray[{}]",
    Verdict.NONE: "{}",
}


class Choice(NamedTuple):
    """What a visitor asks for: an experiment, its seed, and how many are drawn; None as many as there are."""

    name: str
    seed: int
    experiments: int | None


class Made(NamedTuple):
    """An experiment that was run, with its figures by name."""

    reproduction: Reproduction
    figures: dict[str, Figure]


class _NotMadeError(Exception):
    """Nobody has run this yet."""


def choose() -> Choice:
    """Controls: which experiment, how many of it, which seed."""
    short = st.segmented_control(
        "Experiment", list(SHORT), default=FIGURES["fig5"].short, required=True, key="figure", bind="query-params",
        label_visibility="collapsed", wrap=True,
    )  # fmt: skip
    name = SHORT[short]
    experiment = FIGURES[name]
    whole = experiment.experiments
    if whole is None:
        return Choice(name, 0, None)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        count = st.number_input(
            "How many experiments", 1, whole, experiment.quick or whole, key=f"experiments_{name}",
            bind="query-params", width=180,
            help=f"There are {whole:,}. Fewer are quicker, and a smaller sample, whose verdicts may differ.",
        )  # fmt: skip
        seed = 0
        if experiment.drawn_anew:
            seed = st.number_input(
                "Seed", 0, LARGEST_SEED, 0, key="paper_seed", bind="query-params", width=140,
                help="Which fleets are drawn.",
            )  # fmt: skip
        if count < whole:
            st.button(
                f"Run all {whole:,}", key="run_all", icon=":material/play_arrow:", on_click=_want_all, args=(name, seed)
            )
    return Choice(name, seed, count)


def what(choice: Choice) -> str:
    """The experiment in a few words, with how much of it was run if that is not all."""
    experiment = FIGURES[choice.name]
    if choice.experiments is None or choice.experiments == experiment.experiments:
        return experiment.short
    return f"{experiment.short}, on {choice.experiments:,} of its {experiment.experiments:,} experiments"


def made(choice: Choice, place: DeltaGenerator) -> Made | None:
    """The result, if it is known, quick, or was asked for; else an offer to run it, drawn in the place.

    Parameters
    ----------
    choice : Choice
        As `choose` gave it.
    place : container
        Where progress is drawn.
    """
    try:
        return _kept(choice, None)
    except _NotMadeError:
        pass
    experiment = FIGURES[choice.name]
    quick = experiment.quick is None or (choice.experiments or 1) <= experiment.quick
    if st.session_state.get(WANTED) != choice and (not quick or st.session_state.get(STOPPED) == choice):
        part = 1.0 if choice.experiments is None else choice.experiments / (experiment.experiments or 1)
        with place.container(border=True):
            st.markdown(f"This takes about {duration(experiment.seconds * part)} on two cores, so it waits for you.")
            st.button("Run it now", key="run", icon=":material/play_arrow:", on_click=_want, args=(choice,))
        return None
    result = _run(choice, place)
    place.empty()
    st.session_state[WANTED] = st.session_state[STOPPED] = None
    return _kept(choice, Made(result, figures(result)))


def _run(choice: Choice, place: DeltaGenerator) -> Reproduction:
    """Run it; Streamlit ends the run from inside `tell` when the visitor clicks anything."""
    start = drawn = perf_counter()
    with place.container(border=True):
        bar = st.progress(0.0, text="Starting …")
        st.button("Stop", key="stop_run", icon=":material/stop:", on_click=_stop, args=(choice,))

    def tell(now: Progress) -> None:
        nonlocal drawn
        if perf_counter() >= drawn + EVERY:
            drawn = perf_counter()
            text = f"{now.done} of {now.of} parts, {duration(drawn - start)}; about {duration(now.left)} to go"
            bar.progress(now.done / now.of, text=text)

    return reproduce(choice.name, seed=choice.seed, experiments=choice.experiments, tell=tell)


@st.cache_data(max_entries=40, max_size="100MB", show_spinner=False)
def _kept(choice: Choice, _made: Made | None) -> Made:
    """What was made of a choice, for all visitors; an exception is not kept, so a later call can bring it."""
    if _made is None:
        raise _NotMadeError
    return _made


def claims(reproduction: Reproduction) -> None:
    """The four columns of every claim with its verdict, and below them why the columns differ."""
    rows = [
        {
            "Claim": panels.harmless(claim.what),
            "Verdict": COLOURS[claim.verdict].format(claim.verdict.value),
            **{heading: panels.harmless(getattr(claim, field)) for field, heading in COLUMNS.items()},
        }
        for claim in reproduction.claims
    ]
    st.table(rows, border="horizontal", hide_index=True)
    with st.expander("Why: a sentence for each", expanded=True):
        st.markdown(
            "\n".join(
                f"- **{panels.harmless(claim.what)}** {panels.harmless(claim.reason)}" for claim in reproduction.claims
            )
        )


def pictures(shown: Made) -> None:
    """Every figure, and beside it what it shows, in words."""
    st.html(STYLE)
    with st.container(key="figures"):
        for name, figure in shown.figures.items():
            drawn, said = st.columns([7, 3])
            drawn.vega_lite_chart(spec=figure.spec, key=f"{shown.reproduction.name}_{name}")  # described in the spec
            said.caption(panels.harmless(figure.alt))


def _want(choice: Choice) -> None:
    st.session_state[WANTED] = choice


def _stop(choice: Choice) -> None:
    st.session_state[WANTED], st.session_state[STOPPED] = None, choice


def _want_all(name: str, seed: int) -> None:
    whole = FIGURES[name].experiments
    st.session_state[f"experiments_{name}"] = whole
    _want(Choice(name, seed, whole))
