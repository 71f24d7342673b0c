"""One colour and one shape per rule, everywhere; both, because colour alone is lost on some readers.

Colours: Okabe and Ito, "Color Universal Design" (2008), safe for the common kinds of colour blindness, for the paper's
six. What is left of their eight is lost on a white or on a dark page; the further rules lie as far from the six as a
colour blind reader can tell, and their shapes lie further.
"""

from __future__ import annotations

from typing import NamedTuple


class Mark(NamedTuple):
    """How a rule is drawn: a hexadecimal colour and a Vega-Lite point shape."""

    colour: str
    shape: str


STAR = "M0,-1.2L.32,-.42L1.16,-.37L.51,.16L.72,.97L0,.52L-.72,.97L-.51,.16L-1.16,-.37L-.32,-.42Z"
RULES: dict[str, Mark] = {
    "Fair-Synergy": Mark("#009E73", "circle"),
    "Random": Mark("#999999", "cross"),
    "Uniform": Mark("#0072B2", "square"),
    "NUM": Mark("#E69F00", "diamond"),
    "DRF": Mark("#CC79A7", "triangle-up"),
    "Leximin": Mark("#D55E00", "triangle-down"),
    "Nash": Mark("#AA3377", "triangle-right"),
    "Equal-income market": Mark("#8C6BD6", "triangle-left"),
    "Certified optimum": Mark("#A0522D", STAR),
}
OWN = "#56B4E9"  # what an agent already has
FAINT = "#808080"  # for what is beside the point; with opacity, it recedes on white and on black


def mark_of(name: str) -> Mark:
    """How a rule or a variant of it is drawn: as the rule whose name it starts with; in grey if there is none."""
    rule = max((rule for rule in RULES if name.startswith(rule)), key=len, default=None)
    return Mark(FAINT, "circle") if rule is None else RULES[rule]
