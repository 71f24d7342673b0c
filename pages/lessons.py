"""What should I learn? Eight short lessons: predict, see what the engine says, answer a question, go and explore."""

import streamlit as st

from fairsynergy.lessons import LESSONS
from fairsynergy.ui import frame
from fairsynergy.ui.classroom import course, pictures, teacher

visit = frame.visit()
visit.notes.empty()  # they are about the sidebar's fleet
name = course.choose()
lesson = LESSONS[name]()
visit.answer.title(lesson.title, anchor=False)
with st.container(key="course"):
    step = course.walk(name, lesson)
    if step == course.READ:
        course.read(lesson)
        pictures.opening(name)
    elif step == course.PREDICT:
        course.predict(name, lesson)
        pictures.opening(name)
    elif step == course.REVEAL:
        course.compare(name, lesson)
        shown = pictures.reveal(name)
        course.explain(lesson)
        pictures.tables(name, shown)
    elif step == course.QUESTION:
        course.ask(name, lesson)
    else:
        course.leave(name, lesson)
course.finished()
if not course.projected():
    teacher.view()
    visit.answer.caption(
        f"Lesson {name.split()[0]} of {len(LESSONS)}, about {lesson.minutes} minutes; every number comes from the "
        "engine. The sidebar's fleet plays no part on this page."
    )
