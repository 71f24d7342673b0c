"""What a lesson is made of: text, a prediction, what the engine says, and one question with a reason for each reply.

Whatever depends on a number is computed where a lesson is made; nothing here knows an answer by heart.

>>> guess = Amount(question="How much?", unit="units", low=0, high=1, step=0.01, start=0, truth=0.36, near=0.02)
>>> guess.compared(0.2)
'You predicted 0.20 units; the engine says 0.36. That was 0.16 too low.'
>>> guess.compared(0.37)
'You predicted 0.37 units; the engine says 0.36. That is close.'
"""

from __future__ import annotations

from dataclasses import dataclass

from fairsynergy.errors import ProblemError
from fairsynergy.fleets import PRESETS, FleetSpec
from fairsynergy.problem import Problem

# Divisions that a lesson keeps, of those that a slider in it may ask for.
KEPT = 100


@dataclass(frozen=True)
class Choice:
    """A reply to a question: its text, whether it is right, and why, or why not."""

    text: str
    right: bool
    reason: str


@dataclass(frozen=True)
class Question:
    """A question with several replies, exactly one of them right.

    Raises
    ------
    ProblemError
        If none or several are right, or two read the same: then the numbers behind the lesson have changed.
    """

    text: str
    choices: tuple[Choice, ...]

    def __post_init__(self) -> None:
        right = sum(choice.right for choice in self.choices)
        if right != 1:
            raise ProblemError(f"{right} replies to {self.text!r} are right; write the lesson anew so that one is")
        if len(set(self.texts)) != len(self.choices):
            raise ProblemError(f"two replies to {self.text!r} read the same; tell them apart")

    @property
    def texts(self) -> tuple[str, ...]:
        """The replies, in order."""
        return tuple(choice.text for choice in self.choices)

    @property
    def answer(self) -> Choice:
        """The right one."""
        return next(choice for choice in self.choices if choice.right)

    def __getitem__(self, text: str) -> Choice:
        return next(choice for choice in self.choices if choice.text == text)

    def compared(self, reply: str) -> str:
        """A prediction among these replies beside the right one, in a sentence."""
        if self[reply].right:
            return f"You predicted “{reply}”, and so says the engine."
        return f"You predicted “{reply}”; the engine says “{self.answer.text}”."


@dataclass(frozen=True, kw_only=True)
class Amount:
    """A number to predict.

    Parameters
    ----------
    question : str
        What is asked.
    unit : str
        Of the number, as written behind it.
    low, high, step, start : float
        Of the slider.
    truth : float
        What the engine says.
    near : float
        How far off a prediction may be and still be called close.
    """

    question: str
    unit: str
    low: float
    high: float
    step: float
    start: float
    truth: float
    near: float

    def __post_init__(self) -> None:
        if not self.low <= self.truth <= self.high:
            raise ProblemError(f"the answer to {self.question!r} is {self.truth}, which its slider does not reach")

    def written(self, value: float) -> str:
        """A value as the lesson writes it, in whole numbers if the slider moves by whole steps."""
        return f"{self._digits(value)} {self.unit}"

    def _digits(self, value: float) -> str:
        return self.form % value

    @property
    def form(self) -> str:
        """How its numbers are written: with as many decimals as the slider moves by."""
        return f"%.{0 if self.step >= 1 else 1 if self.step >= 0.1 else 2}f"

    def compared(self, guess: float) -> str:
        """A prediction beside the truth, in a sentence or two."""
        said = f"You predicted {self.written(guess)}; the engine says {self._digits(self.truth)}."
        off = guess - self.truth
        if self._digits(abs(off)) == self._digits(0):
            return f"{said} That is it."
        if abs(off) <= self.near:
            return f"{said} That is close."
        return f"{said} That was {self._digits(abs(off))} too {'high' if off > 0 else 'low'}."


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """A lesson, with all its numbers in place.

    Parameters
    ----------
    title : str
        The question that it answers.
    minutes : int
        How long it takes.
    introduction : tuple of str
        Paragraphs that explain every word the lesson needs.
    points : tuple of str
        The same in few words, for a projector.
    prediction : Amount or Question
        What to predict before anything is shown.
    why : str
        What the engine says, and why, in a sentence or two.
    question : Question
        To be answered after that.
    takeaway : str
        What to remember, in one line.
    fleet : FleetSpec or str
        What draws the fleet, or the name of its preset, so that it can be looked at elsewhere.
    rule : str
        The rule to look at there.
    look : str
        What to try there.
    """

    title: str
    minutes: int
    introduction: tuple[str, ...]
    points: tuple[str, ...]
    prediction: Amount | Question
    why: str
    question: Question
    takeaway: str
    fleet: FleetSpec | str
    rule: str
    look: str

    @property
    def problem(self) -> Problem:
        """The fleet and the cloud."""
        return PRESETS[self.fleet].problem if isinstance(self.fleet, str) else self.fleet.problem()

    @property
    def predicted(self) -> str:
        """The answer to the prediction, as a key has it."""
        asked = self.prediction
        return asked.answer.text if isinstance(asked, Question) else asked.written(asked.truth)
