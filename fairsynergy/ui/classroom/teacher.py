"""What a teacher takes along: links to every lesson, a handout for the class, and the answer key.

It shows the answers, so it belongs to the visitor and to no address: a link opens it for nobody, nor does the address
bar, whoever copies it.
"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from fairsynergy.lessons import LESSONS
from fairsynergy.ui import inputs
from fairsynergy.ui.classroom import course


def view() -> None:
    """A switch and, while it is on, the downloads, the answers and the links."""
    st.query_params.pop(inputs.TEACHER, None)  # of an older link; it opens nothing
    st.divider()
    if not st.toggle(
        "Teacher's view", key=inputs.TEACHER, persist_state="session",
        help="A handout to print, the answer key, and a link to each lesson. It shows the answers: no link opens it.",
    ):  # fmt: skip
        return
    lessons = {name: make() for name, make in LESSONS.items()}
    minutes = sum(lesson.minutes for lesson in lessons.values())
    st.header("For the teacher", anchor=False)
    st.markdown(
        f"Eight lessons, about {minutes} minutes together. Each works alone. Print the handout for the class, and keep "
        "the answer key. Every answer below comes from the engine."
    )
    with st.container(horizontal=True):
        st.download_button(
            "Handout for the class (HTML)", data=lambda: _sheets(answers=False), file_name="fairsynergy-lessons.html",
            mime="text/html", key="handout", on_click="ignore", icon=":material/print:",
        )  # fmt: skip
        st.download_button(
            "Answer key (HTML)", data=lambda: _sheets(answers=True), file_name="fairsynergy-lessons-key.html",
            mime="text/html", key="answer_key", on_click="ignore", icon=":material/key:",
        )  # fmt: skip
    table = pd.DataFrame(
        {
            "Lesson": list(lessons),
            "Minutes": [lesson.minutes for lesson in lessons.values()],
            "To be predicted": [lesson.predicted for lesson in lessons.values()],
            "Answer to the question": [lesson.question.answer.text for lesson in lessons.values()],
            "Link": [course.address(name) for name in lessons],
            "On the projector": [course.address(name, projector="true") for name in lessons],
        }
    )
    st.dataframe(
        table, hide_index=True, key="answers",
        column_config={
            "Link": st.column_config.LinkColumn(display_text="Open"),
            "On the projector": st.column_config.LinkColumn(display_text="Open"),
        },
    )  # fmt: skip
    st.caption("A link opens its lesson at the first step; the address on top always leads to the step on screen.")
    with st.expander("Links to copy", icon=":material/link:"):
        st.code("\n".join(table["Link"]), language=None)


def _sheets(*, answers: bool) -> str:
    from fairsynergy.charts.reports import worksheets  # loads what draws, which a first visit does without

    return worksheets.worksheets(address=course.page() or None, answers=answers)
