"""What each lesson speaks of and reveals, on screen: pictures, and the one control that makes them move."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import streamlit as st

from fairsynergy.charts import lessons as charts
from fairsynergy.charts.lessons import Picture
from fairsynergy.lessons import dial, mixing, search, water
from fairsynergy.ui import panels
from fairsynergy.ui.classroom import course
from fairsynergy.ui.panels import harmless

TALL, TALLER = 340, 330  # of a revealed picture at a desk and on a projector [pixels]
LOW, LOWER = 280, 240  # of a picture below text, on a projector and at a desk [pixels]


def opening(name: str) -> None:
    """What a lesson speaks of before anything is revealed."""
    shown = charts.opening(name)
    _draw(name, shown, LOW if course.projected() else LOWER)
    tables(name, shown)


def reveal(name: str) -> Mapping[str, Picture]:
    """The pictures of a lesson, by title, with its control above them."""
    shown = REVEALS[name](course.guess(name))
    _draw(name, shown, TALLER if course.projected() else TALL)
    return shown


def _draw(name: str, shown: Mapping[str, Picture], height: int) -> None:
    for place, (title, picture) in zip(_places(len(shown)), shown.items(), strict=True):
        with place:
            if title:
                st.markdown(f"**{title}**")
            st.vega_lite_chart(
                spec=picture.spec(large=course.projected()), height=height,
                key=f"lesson_{name.split()[0]}_{title}", alt=f"{title or name}; said in words and numbers below.",
            )  # fmt: skip


def tables(name: str, shown: Mapping[str, Picture]) -> None:
    """What pictures show, in words and numbers."""
    if not course.projected():
        for title, picture in shown.items():
            numbers = partial(getattr, picture, "numbers")
            panels.table(title or name, numbers, words=partial(list, [picture.words]))


def _places(count: int) -> list[Any]:
    return list(st.columns(count)) if count > 1 else [st.container() for _ in range(count)]


def _returns(_: Any) -> Mapping[str, Picture]:
    gamma = st.slider("Difficulty of the task, γ", 0.05, 0.95, 0.5, 0.05, key="lesson_gamma", bind="query-params",
                      width=420)  # fmt: skip
    return {"": charts.steps(gamma)}


def _water(guess: float | None) -> Mapping[str, Picture]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        drops = st.slider(
            f"Drops poured, {water.DROP:g} units each", 0, water.ALL, 0, key="lesson_drops", bind="query-params",
            width=420,
        )  # fmt: skip
        st.button("Pour the next drop", key="pour", icon=":material/water_drop:", disabled=drops == water.ALL,
                  on_click=_set, args=("lesson_drops", drops + 1))  # fmt: skip
        st.button("Pour all", key="pour_all", disabled=drops == water.ALL, on_click=_set,
                  args=("lesson_drops", water.ALL))  # fmt: skip
    return {"": charts.poured(drops, guess)}


def _difficulty(_: Any) -> Mapping[str, Picture]:
    return charts.by_difficulty()


def _mixing(guess: float | None) -> Mapping[str, Picture]:
    compute = st.slider("Compute left [units]", 0.1, 0.8, mixing.CUT, 0.05, key="lesson_compute", bind="query-params",
                        width=420)  # fmt: skip
    return {"": charts.mixes(compute, guess)}


def _search(_: Any) -> Mapping[str, Picture]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        count = st.slider("Passes of the search", 1, search.PASSES, 1, key="lesson_passes", bind="query-params",
                          width=420)  # fmt: skip
        st.button("One more pass", key="one_more", icon=":material/redo:", disabled=count == search.PASSES,
                  on_click=_set, args=("lesson_passes", count + 1))  # fmt: skip
    return {"The search below its bound": charts.passes(count), "Why it does not go on": charts.way()}


def _dial(_: Any) -> Mapping[str, Picture]:
    alphas = {dial.written(stop): stop for stop in dial.STOPS}
    chosen = st.select_slider("The dial, α", list(alphas), value="1", key="lesson_alpha", bind="query-params",
                              width=420)  # fmt: skip
    picture = charts.turned(alphas[chosen])
    here = dial.turned(alphas[chosen])
    st.markdown(
        harmless(f"At α = {chosen}: mean accuracy {here.mean:.3f}, worst-off {here.worst:.3f}.")
    )  # fmt: skip
    return {"": picture}


def _money(_: Any) -> Mapping[str, Picture]:
    return {"": charts.against_uniform()}


def _units(_: Any) -> Mapping[str, Picture]:
    return {"Who gets the cloud, counted in two ways": charts.counted(), "Winner takes all": charts.winners()}


def _set(key: str, value: int) -> None:
    st.session_state[key] = value


REVEALS: dict[str, Callable[[Any], Mapping[str, Picture]]] = {
    "1 Diminishing returns": _returns,
    "2 Water-filling": _water,
    "3 Difficulty ignored": _difficulty,
    "4 Two resources": _mixing,
    "5 Local optimum": _search,
    "6 Fairness dial": _dial,
    "7 Envy and money": _money,
    "8 Units": _units,
}
