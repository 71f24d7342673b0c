"""The lessons on paper: a sheet for the class with pictures and room to write, or the answer key.

The page runs no script, asks no host for anything, and prints in black and white.

>>> "Where does the water stop?" in worksheets(address=None, answers=False)
True
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, NamedTuple
from urllib.parse import urlencode

from fairsynergy.charts.lessons import Picture, opening, revealed
from fairsynergy.charts.reports.report import page, svg
from fairsynergy.errors import ProblemError
from fairsynergy.lessons import LESSONS, Lesson, Question


def worksheets(*, address: str | None, answers: bool) -> str:
    """All lessons as one self-contained HTML page.

    Parameters
    ----------
    address : str or None
        Of the page of lessons, for links; None where readers have none.
    answers : bool
        Whether this is the teacher's key: answers, reasons and what is revealed in place of room to write.

    Raises
    ------
    ProblemError
        If the address is none.
    """
    if address is not None and not address.startswith(("http://", "https://")):
        raise ProblemError(f"`address` must begin with http:// or https://, got {address[:80]!r}")
    lessons = {name: make() for name, make in LESSONS.items()}
    return page(
        "worksheets.html",
        version=version("fairsynergy"),
        title="Fair shares of a cloud: answer key" if answers else "Fair shares of a cloud: eight lessons",
        answers=answers,
        address=address,
        minutes=sum(lesson.minutes for lesson in lessons.values()),
        lessons=[_sheet(name, lesson, address, answers) for name, lesson in lessons.items()],
    )


def _sheet(name: str, lesson: Lesson, address: str | None, answers: bool) -> dict[str, Any]:
    """All that the page says about a lesson."""
    asked = lesson.prediction
    return {
        "id": f"lesson-{name.split()[0]}",
        "number": name.split()[0],
        "title": lesson.title,
        "minutes": lesson.minutes,
        "link": None if address is None else f"{address}?{urlencode({'lesson': name})}",
        "introduction": [_runs(paragraph) for paragraph in lesson.introduction],
        "prediction": asked.text if isinstance(asked, Question) else asked.question,
        "options": asked.texts if isinstance(asked, Question) else (),
        "unit": "" if isinstance(asked, Question) else asked.unit,
        "question": lesson.question.text,
        "choices": [
            {"text": choice.text, "right": choice.right, "reason": _runs(choice.reason)}
            for choice in lesson.question.choices
        ],
        "predicted": lesson.predicted,
        "why": _runs(lesson.why),
        "takeaway": lesson.takeaway,
        "opening": _drawn(opening(name)),
        "revealed": _drawn(revealed(name)) if answers else [],
    }


def _drawn(pictures: Mapping[str, Picture]) -> list[dict[str, str]]:
    return [
        {"title": title, "words": picture.words, "svg": svg(picture.figure(title))}
        for title, picture in pictures.items()
    ]


class _Run(NamedTuple):
    """Words of one style: plain, strong or em."""

    text: str
    style: str = "plain"


def _runs(text: str) -> list[_Run]:
    """Text cut where its **bold** and *slanted* words begin and end.

    >>> [tuple(run) for run in _runs("a **level**, say *alpha*")]
    [('a ', 'plain'), ('level', 'strong'), (', say ', 'plain'), ('alpha', 'em')]
    """
    styles = {"**": "strong", "*": "em"}
    runs, style = [], "plain"
    for part in re.split(r"(\*{1,2})", text):
        if part in styles:
            style = styles[part] if style == "plain" else "plain"
        elif part:
            runs.append(_Run(part, style))
    return runs
