"""A visitor's way through the lessons: which one, which step, what was predicted, and which replies were tried.

The lesson, the step and the projector are in the address. Predictions and replies are the visitor's own: they stay from
step to step and from page to page, and are not sent along with a link.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from fairsynergy.lessons import LESSONS, STEPS, Amount, Lesson, Question
from fairsynergy.ui import inputs, panels
from fairsynergy.words.phrases import listed

READ, PREDICT, REVEAL, QUESTION, EXPLORE = STEPS
FIRST = next(iter(LESSONS))
# Kept for a visitor: how far each lesson has come.
PROGRESS = "_lessons"
# The rule to look at, and the sidebar's fleet in a sentence, play no part in the lessons.
QUIET = "<style>.st-key-rule, .st-key-rule ~ * { display: none !important; }</style>"
# A projector's page has larger letters and nothing beside the lesson; "Next lesson" leads to the others.
PROJECTED = """<style>
html { font-size: 21px; }
[data-testid="stSidebar"], [data-testid="stHeader"], .st-key-lesson { display: none !important; }
.stMainBlockContainer { padding-top: 0.6rem; }
.stMainBlockContainer h1 { font-size: 2rem; padding: 0; }
.st-key-course [data-testid="stMarkdownContainer"] { font-size: 1.15rem; line-height: 1.45; }
.st-key-course [data-testid="stMarkdownContainer"] li { font-size: 1.8rem; }
.st-key-course .stButton p, .st-key-course .stLinkButton p { font-size: 1rem; }
</style>"""
FEW = ("first", "second", "third", "fourth")


@dataclass
class Progress:
    """How far a visitor has come in a lesson."""

    step: str = READ
    guessed: bool = False  # whether the visitor made a prediction; a slider stands somewhere before that
    locked: bool = False  # whether the answer was shown, so that the prediction stands
    tries: list[str] = field(default_factory=list)  # replies that were checked


def choose() -> str:
    """Which lesson: its name."""
    st.html(QUIET)
    name: str = st.segmented_control(
        "Lesson", list(LESSONS), default=FIRST, required=True, key="lesson", bind="query-params",
        label_visibility="collapsed", wrap=True, on_change=_enter,
    ) or FIRST  # fmt: skip
    return name


def walk(name: str, lesson: Lesson) -> str:
    """The steps of a lesson, with Back, Next and Restart, and the projector's switch; the step."""
    with st.container(horizontal=True, vertical_alignment="center"):
        step: str = st.segmented_control(
            "Step", list(STEPS), default=READ, required=True, key="step", bind="query-params",
            label_visibility="collapsed", wrap=True,
        ) or READ  # fmt: skip
        place = STEPS.index(step)
        st.button("Back", key="back_step", icon=":material/arrow_back:", disabled=place == 0, on_click=_go,
                  args=(place - 1,))  # fmt: skip
        last = place == len(STEPS) - 1
        st.button("Next", key="next_step", icon=":material/arrow_forward:", disabled=last,
                  on_click=_go, args=(place + 1,))  # fmt: skip
        st.button("Restart", key="restart", icon=":material/restart_alt:", type="tertiary", on_click=_restart,
                  args=(name, lesson), help="Forget the prediction and the replies of this lesson.")  # fmt: skip
        large = st.toggle(
            "Projector", key="projector", bind="query-params",
            help="Large letters and few words, for the back row of a class; the sidebar is put away.",
        )  # fmt: skip
    if large:
        st.html(PROJECTED)
    progress(name).step = step
    return step


def progress(name: str) -> Progress:
    """How far the visitor has come in a lesson."""
    kept: dict[str, Progress] = st.session_state.setdefault(PROGRESS, {})
    return kept.setdefault(name, Progress())


def finished() -> None:
    """Say which lessons the visitor has finished, if any: those whose question was once answered rightly."""
    done = [
        name.split()[0]
        for name, make in LESSONS.items()
        if any(make().question[reply].right for reply in progress(name).tries)
    ]
    if done:
        many = "All lessons are finished" if len(done) == len(LESSONS) else f"Finished: {listed(done)}"
        st.caption(f":material/check: {many}.")


def projected() -> bool:
    """Whether the page is read from the back row."""
    return bool(st.session_state.get("projector"))


def read(lesson: Lesson) -> None:
    """The introduction, or what a class needs of it beside a teacher."""
    if projected():
        st.markdown("\n".join(f"- {point}" for point in lesson.points))
    else:
        for paragraph in lesson.introduction:
            st.markdown(paragraph)


def predict(name: str, lesson: Lesson) -> None:
    """Ask for the prediction; it stands once the answer was shown."""
    state, asked = progress(name), lesson.prediction
    off: dict[str, Any] = {
        "disabled": state.locked, "key": _key("guess", name), "persist_state": "session", "on_change": _guessed,
        "args": (name,),
    }  # fmt: skip
    if isinstance(asked, Question):
        st.markdown(f"**{asked.text}**")
        st.radio(asked.text, asked.texts, index=None, label_visibility="collapsed", **off)
    else:
        st.markdown(f"**{asked.question}**")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.slider(f"Your prediction [{asked.unit}]", asked.low, asked.high, asked.start, asked.step,
                      format=asked.form, width=520, **off)  # fmt: skip
            if not state.guessed:
                st.button(
                    f"I predict {asked.written(asked.start)}", key="stay", on_click=_guessed, args=(name,),
                    help="Where the slider stands. Until you move it or press this, you have predicted nothing.",
                )  # fmt: skip
    if state.locked:
        st.caption("You have seen the answer, so your prediction stands. Restart the lesson to make another one.")
    else:
        st.caption("There is no mark for this. Guess first, then go on to see what the engine says.")


def guess(name: str) -> Any:
    """What the visitor predicted; None if nothing."""
    return st.session_state.get(_key("guess", name)) if progress(name).guessed else None


def compare(name: str, lesson: Lesson) -> None:
    """The prediction beside what the engine says; from now on it stands."""
    made = guess(name)
    if made is None and not projected():
        st.caption(":material/info: You have not predicted anything: go back one step, or look all the same.")
    elif made is not None:
        progress(name).locked = True
        st.markdown(f"**{lesson.prediction.compared(made)}**")


def explain(lesson: Lesson) -> None:
    """What the engine says, and why; in a class, beside a teacher, what to remember of it."""
    st.markdown(lesson.takeaway if projected() else lesson.why)


def ask(name: str, lesson: Lesson) -> None:
    """The question, its replies, and whether the one checked last is right."""
    question, state = lesson.question, progress(name)
    st.markdown(f"**{question.text}**")
    reply = st.radio(
        question.text, question.texts, index=None, key=_key("reply", name), label_visibility="collapsed",
        persist_state="session",
    )  # fmt: skip
    st.button("Check my answer", key="check", disabled=reply is None, on_click=_check, args=(name,))
    if not state.tries or reply != state.tries[-1]:
        st.caption("You may try as often as you like.")
        return
    choice = question[reply]
    if choice.right:
        count = len(dict.fromkeys(state.tries))
        st.success(f"**Right, at the {FEW[count - 1]} try.** {choice.reason}", icon=":material/check:")
    else:
        st.warning(f"**Not so.** {choice.reason} Try another one.", icon=":material/close:")


def leave(name: str, lesson: Lesson) -> None:
    """What to remember, and where to go on."""
    st.markdown(f"**{lesson.takeaway}**")
    if not projected():
        st.markdown(panels.harmless(lesson.look))
    with st.container(horizontal=True):
        st.link_button(
            "Open this in Explore", explore(lesson), icon=":material/tune:",
            help="The fleet of this lesson, in a tab of its own; the lesson stays here.",
        )  # fmt: skip
        names = list(LESSONS)
        place = names.index(name) + 1
        if place < len(names):
            st.button(f"Next lesson: {names[place]}", key="next_lesson", on_click=_open, args=(names[place],),
                      icon=":material/arrow_forward:")  # fmt: skip


def explore(lesson: Lesson) -> str:
    """The address that shows a lesson's fleet on Explore."""
    return f"{_root()}?{inputs.query(lesson.fleet, lesson.rule)}"


def address(name: str, **more: str) -> str:
    """The address of a lesson, at its first step unless more is said."""
    return f"{page()}?{urlencode({'lesson': name} | more)}"


def page() -> str:
    """The address of this page."""
    return (st.context.url or "").partition("?")[0]


def _root() -> str:
    return page().removesuffix("lessons")


def _key(what: str, name: str) -> str:
    return f"{what}_{name.split()[0]}"


def _enter() -> None:
    """Another lesson: where the visitor left it."""
    st.session_state["step"] = progress(st.session_state["lesson"]).step


def _open(name: str) -> None:
    st.session_state["lesson"] = name
    _enter()


def _go(place: int) -> None:
    st.session_state["step"] = STEPS[place]


def _guessed(name: str) -> None:
    progress(name).guessed = True


def _check(name: str) -> None:
    progress(name).tries.append(st.session_state[_key("reply", name)])


def _restart(name: str, lesson: Lesson) -> None:
    st.session_state[PROGRESS][name] = Progress()
    st.session_state["step"] = READ
    asked = lesson.prediction
    guess, reply = _key("guess", name), _key("reply", name)
    if guess in st.session_state:
        st.session_state[guess] = asked.start if isinstance(asked, Amount) else None
    if reply in st.session_state:
        st.session_state[reply] = None
