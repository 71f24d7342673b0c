"""What pages share: a table with its CSV as the chart's text alternative, and other people's text made harmless."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

import pandas as pd
import streamlit as st

from fairsynergy.allocation import Allocation
from fairsynergy.words import explain

# Agents explained one by one; more would push everything else off the screen.
SHOWN = 5
# Sentences before a fold hides the others.
LISTED = 8
# What Markdown, and Streamlit on top of it, reads as more than text.
MARKUP = re.compile(r"([\\\[\]()<>{}$*_~#|!:+-])")


def table(name: str, make: Callable[[], pd.DataFrame], *, words: Callable[[], Iterable[str]] = lambda: ()) -> None:
    """A table under a fold and as CSV, for those who want the numbers or cannot see the chart.

    Parameters
    ----------
    name : str
        What the numbers are, in a few words; also the file's name. Unique on a page, and the same at every run.
    make : callable
        Makes the table, when the fold is open; column names carry units.
    words : callable
        Says what the charts above show, when the fold is open, a sentence or two for each.
    """
    fold = st.expander(
        f"Numbers: {name}", icon=":material/table:", key=f"fold_{_slug(name)}", on_change="rerun", bind="query-params"
    )
    if fold.open:
        with fold:
            for said in words():
                st.markdown(harmless(said))
            frame = make()
            st.dataframe(frame, hide_index=True)
            download(frame, name)


def compared(frame: pd.DataFrame, name: str) -> None:
    """A table of rules beside one another, and its CSV: changes in percent with their sign, the rest with 3 digits.

    Parameters
    ----------
    frame : DataFrame
        Columns of changes end in ``[%]``.
    name : str
        The CSV's name.
    """
    formats = {column: "%+.1f" if column.endswith("[%]") else "%.3f" for column in frame.select_dtypes("number")}
    config = {column: st.column_config.NumberColumn(format=form) for column, form in formats.items()}
    st.dataframe(frame, hide_index=True, column_config=config)
    download(frame, name)


def download(frame: pd.DataFrame, name: str) -> None:
    """A button that saves the frame as CSV, without a rerun."""
    file = f"{_slug(name)}.csv"
    st.download_button(
        "Download as CSV", data=lambda: _csv(frame), file_name=file, mime="text/csv", key=f"csv_{file}",
        on_click="ignore", icon=":material/download:",
    )  # fmt: skip


def _csv(frame: pd.DataFrame) -> str:
    from fairsynergy.charts.reports import report  # loads what draws, which a first visit does without

    return report.csv(frame)


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def found(allocations: Mapping[str, Allocation], rule: str, places: Sequence[int]) -> None:
    """Each agent that a search found, in a sentence: what it owns, receives and why; the first `SHOWN` of them.

    Parameters
    ----------
    allocations : mapping of str to Allocation
        The rules' answers, by name.
    rule : str
        The rule to explain.
    places : sequence of int
        Positions of the agents in the problem.
    """
    price = explain.going_price(allocations)
    for sentence in explain.sentences(allocations[rule], price=price, agents=places[:SHOWN]):
        st.markdown(harmless(sentence))
    if len(places) > SHOWN:
        st.caption(f"... and {len(places) - SHOWN} more with such a name; the table below has them all.")


def listed(sentences: Sequence[str], *, others: str) -> None:
    """Sentences as a list; those after the first few under a fold, which a keyboard opens, as it does not scroll a box.

    Parameters
    ----------
    sentences : sequence of str
        May quote a visitor's file.
    others : str
        What the further ones are about, in plural; unique on a page.
    """
    shown, further = sentences[:LISTED], sentences[LISTED:]
    st.markdown("\n".join(f"- {harmless(said)}" for said in shown))
    if further:
        with st.expander(f"{len(further)} more {others}"):
            st.markdown("\n".join(f"- {harmless(said)}" for said in further))


def harmless(message: str) -> str:
    """A message that may quote a visitor's file, as Markdown that shows it and does nothing else.

    >>> print(harmless("fleet.csv, row 2: got '![x](http://example.org/a)'; use `gamma_compute`"))
    fleet.csv, row 2\\: got '\\!\\[x\\]\\(http\\://example.org/a\\)'; use `gamma_compute`
    """
    parts = message.split("`")
    if len(parts) % 2 == 0:  # a stray backtick: nothing is code
        return MARKUP.sub(r"\\\1", message.replace("`", "'"))
    return "`".join(part if i % 2 else MARKUP.sub(r"\\\1", part) for i, part in enumerate(parts))


def decimal(key: str, on_change: Callable[[], None]) -> None:
    """Ask which mark stands before the decimals of a file whose numbers leave that open.

    Parameters
    ----------
    key : str
        Of the control; it holds "point" or "comma", or None before the choice.
    on_change : callable
        Reads the file again.
    """
    st.segmented_control(
        "Its decimals have a", ["point", "comma"], key=key, persist_state="session", on_change=on_change,
        help="With a point, 1.000 is 1; with a comma, 1.000 is a thousand and 1,5 is one and a half.",
    )  # fmt: skip
