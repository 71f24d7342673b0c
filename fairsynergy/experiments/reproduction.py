"""What running a published experiment again yields: tables to draw, and its claims in four columns.

>>> claim = Claim("mean over Uniform", "+51 %", "+49.8 %", "+49.9 %", "+82.8 %", "One pass.", Verdict.PROTOCOL)
>>> claim.verdict.value
'by its protocol only'
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

import pandas as pd

from fairsynergy.words.phrases import listed

# Headings of a claim's four columns, by field.
COLUMNS = {
    "paper": "What the paper claims",
    "released": "What the released data say",
    "recomputed": "Recomputed by the paper's protocol",
    "corrected": "What is right",
}


class Verdict(Enum):
    """What became of a claim; the value is the words shown to the user."""

    HOLDS = "holds"
    PROTOCOL = "by its protocol only"
    FAILS = "does not hold"
    OPEN = "cannot be checked"
    NONE = ""  # a number beside which the paper claims nothing


class Claim(NamedTuple):
    """One quantity, four times: each a number with its unit, or a dash where there is none; and why they differ."""

    what: str
    paper: str
    released: str
    recomputed: str
    corrected: str
    reason: str
    verdict: Verdict = Verdict.NONE


@dataclass(frozen=True, eq=False)
class Reproduction:
    """A published experiment, run again.

    Parameters
    ----------
    name, title : str
        As in commands and file names ("fig5"), and as in headings.
    protocol : str
        What was done, in a few sentences, with sizes and seeds.
    claims : tuple of Claim
        The four columns.
    tables : dict of str to DataFrame
        What the figures show, tidy, by name; each is written as a CSV file.
    seconds : float
        How long it took.
    """

    name: str
    title: str
    protocol: str
    claims: tuple[Claim, ...]
    tables: dict[str, pd.DataFrame]
    seconds: float

    @property
    def tally(self) -> str:
        """How many of the claims hold: "of 12 claims, 6 hold and 6 do not hold"."""
        counts = {verdict: sum(claim.verdict is verdict for claim in self.claims) for verdict in Verdict}
        number = sum(counts.values()) - counts[Verdict.NONE]
        words = {
            Verdict.HOLDS: ("holds", "hold"),
            Verdict.PROTOCOL: ("holds by the paper’s own protocol only", "hold by the paper’s own protocol only"),
            Verdict.FAILS: ("does not hold", "do not hold"),
            Verdict.OPEN: ("cannot be checked", "cannot be checked"),
        }
        parts = [f"{counts[verdict]} {said[counts[verdict] > 1]}" for verdict, said in words.items() if counts[verdict]]
        return f"of {number} claim{'s' * (number > 1)}, {listed(parts)}"
