"""Where does γ come from? A power law fitted to measured accuracies: how sure it is, and how well it fits."""

import streamlit as st

from fairsynergy.charts import curves as charts
from fairsynergy.charts.comparison import filled
from fairsynergy.curves import words
from fairsynergy.ui import frame, measured, panels
from fairsynergy.ui.whatif import meeting, sending

visit = frame.visit()
curve, fit, log = measured.choose()
visit.answer.title(panels.harmless(words.answer(fit)), anchor=False)
st.markdown(f"**{panels.harmless(words.status(fit))}** {panels.harmless(words.relative(fit))}")

tables = charts.drawn(curve, fit, log=log)
left, right = st.columns([3, 2])
with left:
    st.header(panels.harmless(curve.name), anchor=False)
    st.vega_lite_chart(
        spec=filled(charts.curve_spec(fit, log=log), tables), key="fitted_curve",
        alt=f"Accuracy against {fit.resources[0]}, measured and fitted; the numbers are in the table below.",
    )  # fmt: skip
    st.caption(panels.harmless(charts.describe(fit)))
with right:
    st.header("What the law leaves over", anchor=False)
    st.vega_lite_chart(
        spec=filled(charts.residual_spec(fit, log=log), tables), key="residuals",
        alt=f"Accuracy measured less fitted against {fit.resources[0]}; the numbers are in the table below.",
    )  # fmt: skip
    st.caption(panels.harmless(charts.describe_residuals(fit)))
    st.markdown("\n".join(f"- {panels.harmless(note.sentence)}" for note in fit.notes))

st.header("Which shape describes these rows best?", anchor=False)
st.dataframe(charts.alternatives(fit), hide_index=True, key="shapes")
st.caption(words.compared(fit))
meeting.follow(visit.problem, visit.rule, visit.base)
sending.offer(fit, curve.name)
if curve.source:
    st.caption(panels.harmless(f"Source: {curve.source}"))
panels.table("the rows of this curve", lambda: charts.table(curve, fit))
