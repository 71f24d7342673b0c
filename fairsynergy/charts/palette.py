"""One colour and one shape per rule, everywhere; both, because colour alone is lost on some readers.

Colours: Okabe and Ito, "Color Universal Design" (2008), safe for the common kinds of colour blindness.
"""

from __future__ import annotations

from typing import NamedTuple


class Mark(NamedTuple):
    """How a rule is drawn: a hexadecimal colour and a Vega-Lite point shape."""

    colour: str
    shape: str


RULES: dict[str, Mark] = {
    "Fair-Synergy": Mark("#009E73", "circle"),
    "Random": Mark("#999999", "cross"),
    "Uniform": Mark("#0072B2", "square"),
    "NUM": Mark("#E69F00", "diamond"),
    "DRF": Mark("#CC79A7", "triangle-up"),
    "Leximin": Mark("#D55E00", "triangle-down"),
}
OWN = "#56B4E9"  # what an agent already has
