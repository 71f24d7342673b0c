"""The frame around every page: navigation, the sidebar's fleet, the rule under the lens, and what went wrong."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.errors import StreamlitAPIException
from threadpoolctl import threadpool_limits

import fairsynergy as fs
from fairsynergy.fleets import FleetSpec
from fairsynergy.ui import inputs, panels, solve
from fairsynergy.ui.turns import Turns
from fairsynergy.ui.whatif import meeting
from fairsynergy.words.phrases import caveats

# A pair of scales, drawn here: an icon by name would make the browser ask another host for its picture.
ICON = (
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='none' stroke='#009E73' stroke-width='2'>"
    "<path d='M12 3v18M7 21h10M4 6h16M4 6l-2.5 7a3 3 0 0 0 5 0zM20 6l-2.5 7a3 3 0 0 0 5 0z'/></svg>"
)
# Streamlit leaves 6 rem above and 5 rem beside a page; here the answer and its evidence fit one screen instead.
STYLE = """<style>
.stMainBlockContainer { padding: 3.6rem 2rem 2rem; }
[data-testid="stSidebarUserContent"] .stVerticalBlock { gap: 0.5rem; }
@media (max-width: 640px) { .stMainBlockContainer { padding: 3.6rem 1rem 2rem; } }
/* Small text needs a contrast of 4.5 : 1; Streamlit's captions, the text of its charts and its code have less. */
[data-testid="stCaptionContainer"] { opacity: 0.8; }
[data-testid="stWidgetLabel"][disabled] { color: inherit; opacity: 0.75; }
[data-testid="stCaptionContainer"] code, [data-testid="stCode"] .token { color: inherit !important; }
.stVegaLiteChart svg.marks :is(.role-axis-label, .role-axis-title, .role-legend-label, .role-legend-title) text {
  fill: currentcolor; fill-opacity: 0.8; }
/* A formula breaks its line before it scrolls, which it does on a narrow screen only: a keyboard does not scroll it. */
.katex-display > .katex { white-space: normal; }
@media (min-width: 1000px) { .katex-display { overflow: visible !important; } }
@media (prefers-reduced-motion: reduce) {
  *, *::before, *::after { animation-duration: 1ms !important; animation-iteration-count: 1 !important;
    transition-duration: 1ms !important; scroll-behavior: auto !important; }
}
</style>"""
# Kept for a visitor: what app.py framed, until the page takes it; the last good fleet and its story.
FRAMED, GOOD = "_framed", "_good"
CHOSEN = "_rule_chosen"  # in the run of the page that follows on the choice
TURNS = Turns()  # of all visitors


@dataclass(frozen=True)
class Visit:
    """What a page needs to know about its visitor.

    Parameters
    ----------
    problem : Problem
        The fleet and the cloud in force; the last good one while the input is bad.
    rule : str
        The rule under the lens, a key of `allocations`.
    allocations : mapping of str to Allocation
        The answers of the six rules of the paper, as far as they handle the problem, in the order of POLICIES; then
        that of the rule under the lens, if it is a further one.
    refusals : mapping of str to str
        By name, why a rule does not handle the problem; the visitor has been told.
    answer : container
        The place above the rule selector, for the page's one-sentence answer.
    notes : container
        What a reader must know before believing the six rules' numbers; a page about another fleet puts its own here.
    base : FleetSpec or str or None
        What draws the fleet, the name of its preset, or None for a file.
    chosen : bool
        Whether the visitor has just chosen the rule.
    """

    problem: fs.Problem
    rule: str
    allocations: Mapping[str, fs.Allocation]
    refusals: Mapping[str, str]
    answer: DeltaGenerator
    notes: DeltaGenerator
    base: FleetSpec | str | None
    chosen: bool

    @property
    def allocation(self) -> fs.Allocation:
        """The answer of the rule under the lens."""
        return self.allocations[self.rule]


def pages() -> list[st.Page]:
    """The pages, in order. Paths stay relative: that is how a page file started on its own is told apart.

    Without icons, all of them fit above a page on a laptop; with icons the last would hide in a menu.
    """
    return [
        st.Page("pages/explore.py", title="Explore", default=True),
        st.Page("pages/allocations.py", title="Allocations"),
        st.Page("pages/utility_surfaces.py", title="Utility surfaces"),
        st.Page("pages/fairness_tradeoff.py", title="Fairness trade-off"),
        st.Page("pages/what_if.py", title="What-if"),
        st.Page("pages/paper.py", title="Paper"),
        st.Page("pages/measured_curves.py", title="Measured curves"),
        st.Page("pages/prices_and_bids.py", title="Prices and bids"),
        st.Page("pages/collaborative_inference.py", title="Collaborative inference"),
        st.Page("pages/lessons.py", title="Lessons"),
    ]


def enter() -> None:
    """What app.py does: frame, then the page of the visitor's choice.

    Controls that belong to app.py outlive a change of page; drawn by the page, they would be made anew by each, and
    the browser's Back would lose them.
    """
    with TURNS.turn():
        page = _navigate()
        st.session_state[FRAMED] = _frame()
        page.run()


def _navigate() -> st.Page:
    st.set_page_config(page_title="fairsynergy", page_icon=ICON, layout="wide")
    return st.navigation(pages(), position="top")


def visit() -> Visit:
    """The first line of every page: what the frame around it says."""
    framed: Visit | None = st.session_state.pop(FRAMED, None)
    if framed is None:
        # A first visit to a page's address runs the page without app.py, because the folder is named pages.
        try:
            _navigate()  # tells Streamlit that the folder is not its to discover
        except StreamlitAPIException:
            framed = _frame()  # this page's file was started on its own
        else:
            st.rerun()
    _settle()
    return framed


def _frame() -> Visit:
    """Sidebar, complaints, rule selector; solves."""
    st.html(STYLE)
    trouble, answer = st.container(), st.container()
    link = inputs.asked_by_link()  # before a control is drawn and mends it
    wrong = meeting.open_link()
    if (rule := st.session_state.pop(meeting.RULE, None)) is not None:
        st.session_state["rule"] = rule
    with st.container(horizontal=True, vertical_alignment="center"):
        rule = st.segmented_control(
            "Rule to look at", list(solve.RULES), default=inputs.DEFAULTS["rule"], required=True, key="rule",
            bind="query-params", label_visibility="collapsed", wrap=True, on_change=_choose,
        )  # fmt: skip
        beside = st.container()
    with st.sidebar:
        asked = inputs.fleet(link)
    meeting.tell_link()
    problem, story, base, answers, complaints = _last_good(asked)
    complaints += [] if wrong is None else [wrong]
    if rule in solve.FURTHER:
        answers = solve.also(answers, problem, rule)
    beside.caption(story, help=asked.origin)
    if complaints:
        trouble.error("  \n".join(map(panels.harmless, complaints)), icon=":material/error:")
    for name, reason in answers.refusals.items():
        st.warning(f"{name} is missing here: {panels.harmless(reason)}", icon=":material/block:")
    if rule not in answers.allocations:
        rule = next(iter(answers.allocations))
    notes = st.empty()
    with notes.container():
        for note in caveats(answers.allocations, rule):
            st.caption(f":material/info: {panels.harmless(note)}")
    chosen = st.session_state.pop(CHOSEN, False)
    return Visit(problem, rule, answers.allocations, answers.refusals, answer, notes, base, chosen)


def _choose() -> None:
    st.session_state[CHOSEN] = True


def _last_good(
    asked: inputs.Fleet,
) -> tuple[fs.Problem, str, FleetSpec | str | None, solve.Answers, list[str]]:
    """The problem asked for and its answers or, if there are none, those of the last good one and why."""
    complaints = list(asked.complaints)
    if asked.problem is not None:
        answers = solve.answers(asked.problem)
        if answers.allocations:
            st.session_state[GOOD] = (asked.problem, asked.story, asked.base)
            return asked.problem, asked.story, asked.base, answers, complaints
        complaints += answers.refusals.values()
    plain = FleetSpec()
    problem, story, base = st.session_state.get(GOOD) or (plain.problem(), "the plain fleet", plain)
    return problem, f"Still showing the last good fleet: {story}", base, solve.answers(problem), complaints


@st.cache_resource(show_spinner=False)
def _settle() -> None:
    """Once per server: what is loaded by now lives as long as it, so garbage collection may skip it.

    Walking every library each time would hold all visitors up; and so would linear algebra whose threads wait for one
    another.
    """
    threadpool_limits(1)
    gc.collect()
    gc.freeze()
