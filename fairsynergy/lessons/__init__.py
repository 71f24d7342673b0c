"""Eight lessons of a few minutes each: predict, then see what the engine says, then answer a question.

>>> list(LESSONS)[:2]
['1 Diminishing returns', '2 Water-filling']
>>> LESSONS["1 Diminishing returns"]().title
'What does one more unit buy?'
"""

from __future__ import annotations

from collections.abc import Callable

from fairsynergy.lessons import dial, difficulty, mixing, money, returns, search, units, water
from fairsynergy.lessons.lesson import Amount, Choice, Lesson, Question

__all__ = ["LESSONS", "STEPS", "Amount", "Choice", "Lesson", "Question"]

# What a visitor goes through in each of them.
STEPS = ("Read", "Predict", "Reveal", "Question", "Explore")

# By the name in a link; made when asked for, since each solves its problems.
LESSONS: dict[str, Callable[[], Lesson]] = {
    "1 Diminishing returns": returns.lesson,
    "2 Water-filling": water.lesson,
    "3 Difficulty ignored": difficulty.lesson,
    "4 Two resources": mixing.lesson,
    "5 Local optimum": search.lesson,
    "6 Fairness dial": dial.lesson,
    "7 Envy and money": money.lesson,
    "8 Units": units.lesson,
}
