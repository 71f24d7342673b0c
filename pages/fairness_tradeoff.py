"""What does fairness cost? Every rule on one map: the mean it reaches, and where it leaves the worst-off."""

import streamlit as st

from fairsynergy.charts import comparison
from fairsynergy.ui import frame, panels
from fairsynergy.wording import trade_off, verdicts

visit = frame.visit()
visit.answer.title(trade_off(visit.allocations), anchor=False)

rules = comparison.rules(visit.allocations, visit.rule)
outcomes = comparison.outcomes(rules, before=True, size=(520, 320))
left, right = st.columns([3, 2])
with left:
    # Called the same at every move of a slider, or the browser would build the chart anew instead of moving its marks.
    alt = "Mean against worst-off accuracy, one point per rule; said in words beside it."
    st.vega_lite_chart(outcomes, comparison.MAP, height=460, key="map", alt=alt)
    st.caption("Up and to the right is better. Hollow: another rule is at least as good on both and better on one.")
with right:
    st.subheader("What each rule costs, and what it gives", anchor=False)
    for name, verdict in verdicts(visit.allocations).items():
        st.markdown(f"**{name}** {verdict}" if name != visit.rule else f"**:primary[{name}]** {verdict}")

st.subheader("Worst-off, mean and best-off accuracy, relative to Uniform", anchor=False)
panels.compared(comparison.relative(visit.allocations, to="Uniform"), "rules relative to Uniform")

st.subheader("Who holds the accuracy", anchor=False)
curves = comparison.lorenz_curves(visit.allocations)
alt = "Share of all accuracy that the worst-off agents hold together, one curve per rule; said in words below."
st.vega_lite_chart(curves, comparison.LORENZ, height=360, key="lorenz", alt=alt)
st.caption("Dashed: all agents have the same accuracy. The further below it a curve hangs, the more unequal they are.")
st.caption(comparison.describe_lorenz(visit.allocations))
