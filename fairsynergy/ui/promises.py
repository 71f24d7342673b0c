"""Rules by guarantees: a table on a desk, a card per rule on a phone; each verdict unfolds its sentence in place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import streamlit as st

from fairsynergy.analysis.fairness import Guarantee, Verdict
from fairsynergy.words.phrases import failing

STYLE = """<style>
.promises { border-collapse: collapse; width: 100%; font-size: 0.85rem; line-height: 1.3; }
.promises th, .promises td { border: 1px solid rgba(128, 128, 128, 0.35); padding: 0.3rem 0.45rem; text-align: left;
    vertical-align: top; }
.promises td.holds { background: rgba(0, 158, 115, 0.17); }
.promises td.fails { background: rgba(213, 94, 0, 0.20); }
.promises tr.chosen th { font-weight: 700; box-shadow: inset 4px 0 0 currentColor; }
.promises summary { cursor: pointer; }
@media (max-width: 640px) {
    .promises thead { display: none; }
    .promises, .promises tbody, .promises tr, .promises th, .promises td { display: block; width: 100%;
        box-sizing: border-box; }
    .promises tr { margin-bottom: 0.8rem; }
    .promises tbody th { font-size: 1rem; }
    .promises summary::after { content: " · " attr(data-name); }
}
</style>"""
SIGNS = {Verdict.HOLDS: ("holds", "✓"), Verdict.FAILS: ("fails", "✗"), Verdict.NOT_APPLICABLE: ("other", "–")}


def table(found: Mapping[str, Sequence[Guarantee]], rule: str) -> None:
    """Draw the table.

    Parameters
    ----------
    found : mapping of str to sequence of Guarantee
        What each rule guarantees, by name; the same guarantees in the same order for all.
    rule : str
        The rule under the lens, to be emphasised.
    """
    names = [guarantee.name for guarantee in next(iter(found.values()))]
    head = "".join(f"<th scope='col'>{escape(name)}</th>" for name in ("Rule", *names))
    body = "".join(_row(name, kept, name == rule) for name, kept in found.items())
    st.html(STYLE)
    st.html(f"<table class='promises'><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")


def _row(name: str, kept: Sequence[Guarantee], chosen: bool) -> str:
    cells = "".join(_cell(guarantee) for guarantee in kept)
    return f"<tr class='{'chosen' if chosen else ''}'><th scope='row'>{escape(name)}</th>{cells}</tr>"


def _cell(guarantee: Guarantee) -> str:
    kind, sign = SIGNS[guarantee.verdict]
    return (
        f"<td class='{kind}'><details><summary data-name='{escape(guarantee.name)}'>{sign} "
        f"{escape(failing(guarantee))}</summary>{escape(guarantee.sentence)}</details></td>"
    )
