"""How sure is this? Elasticities drawn from their intervals; bands, regret, and promises that still hold."""

from __future__ import annotations

import numpy as np
import streamlit as st

import fairsynergy as fs
from fairsynergy.charts import plans
from fairsynergy.fleets.tray import Scenario
from fairsynergy.ui import panels, solve
from fairsynergy.words import forecasts

QUESTIONS = {
    "today's grants stay": "kept",
    "each rule divides anew": "known",
}
MEASURES = {"mean": "Mean accuracy", "worst": "Worst-off agent's accuracy", "best": "Best-off agent's accuracy"}
BANDS_ALT = "Band and median of each rule's accuracy over all draws, and its value as elasticities stand; in the table."
AGENTS_ALT = "Band and median of each agent's accuracy over all draws, and its value as elasticities stand."
# Numbers drawn at most, so that a page does not freeze; a fleet of so many draws less often.
DRAWN, FEWEST, MOST = 400_000, 20, 1000


def panel(scenario: Scenario, allocation: fs.Allocation) -> None:
    """The dial of doubt, the rules' bands, the agents' bands, and what is promised how often."""
    problem = scenario.problem
    fitted = int((scenario.errors > 0).sum())
    known = f"{fitted} of {problem.n * problem.m} elasticities carry the error of their fit. " if fitted else ""
    st.caption(
        f"{known}Elasticities are measured, and no measurement is exact. Each is drawn again and again from the normal "
        "distribution around it, within 0 and 1; two thirds of the draws lie within one standard error."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        other = st.slider(
            "Standard error of elasticities without a fit", 0.0, 0.2, 0.03, 0.005, key="doubt", format="%.3f",
            bind="query-params", width=320,
        )  # fmt: skip
        question = st.segmented_control(
            "What if", list(QUESTIONS), default=next(iter(QUESTIONS)), required=True, key="doubt_question",
            bind="query-params",
        )  # fmt: skip
        measure = st.segmented_control(
            "Of", list(MEASURES), default="mean", required=True, key="doubt_measure", bind="query-params",
            format_func=lambda key: {"mean": "mean", "worst": "worst-off", "best": "best-off"}[key],
        )  # fmt: skip
    error = np.where(scenario.errors > 0, scenario.errors, other)
    slow = problem.m == 2 and bool((problem.endowment == 0).any())  # then Leximin takes the draws one by one
    draws = int(np.clip(DRAWN // (problem.n * problem.m), FEWEST, MOST // 5 if slow else MOST))
    if not error.any():
        st.info("Every elasticity is taken as known: raise the standard error above, or send a fit to an agent.")
        return
    found = solve.uncertain(problem, error, draws)
    st.markdown(panels.harmless(forecasts.uncertainty(found, allocation.policy.label)))
    left, right = st.columns([3, 2])
    rows = plans.bands(found, QUESTIONS[question], measure)
    with left:
        st.vega_lite_chart(
            rows, plans.bands_spec(tuple(rows["rule"]), MEASURES[measure]), height=plans.bands_height(len(rows)),
            key="doubt_bands", alt=BANDS_ALT,
        )  # fmt: skip
        st.caption(
            f"{draws:,} draws. Bar: 90 % of them; mark: the median; line: with the elasticities as they stand. Regret: "
            "the mean accuracy given up against the best found in the same draw, at the median and in the worst 5 %."
        )
    with right:
        st.markdown("**How often, in all draws**")
        st.dataframe(plans.promises_table(found), hide_index=True, key="doubt_promises")
        st.caption("Of today's grants, held against equal shares and one another in each draw.")
    if allocation.policy.label in found.prospects:
        agents = plans.agents_bands(found, allocation.policy.label)
        st.vega_lite_chart(
            agents, plans.agents_spec("Accuracy"), height=220, key="doubt_agents", alt=AGENTS_ALT
        )  # fmt: skip
        st.caption(plans.describe_agents(found, len(agents)))
    panels.table("every rule under doubt", lambda: plans.doubt_table(found))
