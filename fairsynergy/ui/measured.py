"""Which measured curve a visitor looks at: one that is shipped, or one of their own file, and its fit.

A file is read once, when it is opened, and stays open from page to page. One that cannot be read is a message, and what
was open before stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import streamlit as st

from fairsynergy.curves import Curve, Fit, fit, read_curves, read_folder
from fairsynergy.errors import ProblemError
from fairsynergy.fleets.drawn import ASSETS
from fairsynergy.ui import panels

# Kept for a visitor: the file that was given, what was read from the last good one, why the given one was refused,
# whether it leaves open which mark stands before decimals, and the last curve with a fit.
GIVEN, OPENED, REFUSED, OPEN, GOOD = (
    "_given_curves", "_opened_curves", "_refused_curves", "_open_curves", "_good_curve"
)  # fmt: skip
YOURS = "Yours: "  # before the names of a visitor's curves
LINEAR, LOGARITHMIC = "linear", "logarithmic"
LARGEST = 5  # megabytes; the file is kept beside what was read, and the most rows take a fifth of that
EXPECTED = (
    "A row per measurement: accuracy, and a column for each resource (such as labels). Optional: curve, if there are "
    "several in the file; repeat; point, what a row is called. Repeats are rows with the same amounts."
)


class Chosen(NamedTuple):
    """The curve on screen, its fit, and whether its axes are logarithmic."""

    curve: Curve
    fit: Fit
    log: bool


def choose() -> Chosen:
    """Controls: which curve, a file of one's own, which axes. Says what is wrong with the file or the curve."""
    curves = {**_shipped(), **{f"{YOURS}{name}": curve for name, curve in st.session_state.get(OPENED, {}).items()}}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox("Curve", list(curves), key="curve", bind="query-params", width=360)
        with st.popover("Open your own"):
            st.file_uploader(
                "Open measured curves (CSV)", type=["csv", "txt", "tsv"], key="curves_file", on_change=_give,
                help=EXPECTED, max_upload_size=LARGEST,
            )  # fmt: skip
            st.checkbox(
                "The accuracies are in percent", key="curves_percent", bind="query-params", on_change=_read,
                help="Then they are divided by 100: 77.1 is read as 0.771.",
            )  # fmt: skip
            if st.session_state.get(OPEN):
                panels.decimal("curves_decimal", _read)
        axes = st.segmented_control(
            "Axes", [LINEAR, LOGARITHMIC], default=LINEAR, required=True, key="curve_axes", bind="query-params",
            help="With both axes logarithmic a power law is a straight line, and its slope is the elasticity.",
        )  # fmt: skip
    if refused := st.session_state.get(REFUSED):
        st.error(panels.harmless(refused), icon=":material/error:")
    curve = curves[name]
    try:
        fitted = _fit(curve)
    except ProblemError as error:
        kept = st.session_state.get(GOOD) or next(iter(_shipped().values()))
        said = f"{curve.name} cannot be fitted: {error}. Still showing {kept.name}."
        st.error(panels.harmless(said), icon=":material/error:")
        curve, fitted = kept, _fit(kept)
    st.session_state[GOOD] = curve
    return Chosen(curve, fitted, axes == LOGARITHMIC)


def _fit(curve: Curve) -> Fit:
    return fit(curve.resource, curve.accuracy, resources=curve.resources, sd=curve.sd)


@st.cache_resource(show_spinner=False)
def _shipped() -> Mapping[str, Curve]:
    return read_folder(ASSETS / "curves")


def _give() -> None:
    file = st.session_state["curves_file"]
    if file is None:  # taken back: what was read from it stays until another is opened
        st.session_state[REFUSED] = None
        return
    st.session_state[GIVEN] = (file.name, file.getvalue())
    st.session_state["curves_decimal"], st.session_state[OPEN] = None, False
    _read()


def _read() -> None:
    """Read what was given, counted as the visitor says."""
    if st.session_state.get(GIVEN) is None:
        return
    name, data = st.session_state[GIVEN]
    counted: Literal["share", "percent"] = "percent" if st.session_state.get("curves_percent") else "share"
    try:
        curves = read_curves(data, name, accuracy=counted, decimal=st.session_state.get("curves_decimal"))
    except ProblemError as error:
        asks = error.field == "decimal"
        st.session_state[OPEN] |= asks
        st.session_state[REFUSED] = f"{error}; choose it in “Open your own”" if asks else str(error)
        return
    st.session_state[REFUSED] = None
    st.session_state[OPENED] = curves
    st.session_state["curve"] = f"{YOURS}{next(iter(curves))}"
