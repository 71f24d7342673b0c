"""The six rules on one problem, solved once for all visitors.

The cache hands out copies, so nothing a page does to an allocation reaches another visitor.
"""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

import fairsynergy as fs


class Answers(NamedTuple):
    """What the rules say: allocations by rule name, and by name why a rule refused; both in the order of POLICIES."""

    allocations: dict[str, fs.Allocation]
    refusals: dict[str, str]


# One entry is about 30 kB at 100 agents and 4 MB at 10,000; the second bound is what a few large fleets may take.
@st.cache_data(max_entries=500, max_size="100MB", show_spinner=False, hash_funcs={fs.Problem: lambda p: p.digest})
def answers(problem: fs.Problem) -> Answers:
    """Every rule's answer or refusal; a rule that cannot handle the problem never stops the others."""
    allocations: dict[str, fs.Allocation] = {}
    refusals: dict[str, str] = {}
    for name, policy in fs.POLICIES.items():
        try:
            allocations[name] = fs.allocate(problem, policy)
        except fs.FairSynergyError as error:
            refusals[name] = str(error)
    return Answers(allocations, refusals)


def all_rules(problem: fs.Problem) -> dict[str, fs.Allocation]:
    """The allocations of the rules that handle the problem, in the order of POLICIES."""
    return answers(problem).allocations
