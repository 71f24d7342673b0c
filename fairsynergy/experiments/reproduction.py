"""What running a published experiment again yields: tables to draw, and its claims in four columns.

>>> claim = Claim("mean over Uniform, 100 agents", "+13 %", "+13.0 %", "+13.0 %", "+13.0 %", "The claim holds.")
>>> claim.corrected
'+13.0 %'
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

# Headings of a claim's four columns, by field.
COLUMNS = {
    "paper": "What the paper claims",
    "released": "What the released data say",
    "recomputed": "Recomputed by the paper's protocol",
    "corrected": "What is right",
}


class Claim(NamedTuple):
    """One quantity, four times: each a number with its unit, or a dash where there is none; and why they differ."""

    what: str
    paper: str
    released: str
    recomputed: str
    corrected: str
    reason: str


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
