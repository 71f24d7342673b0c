"""What does a unit buy? One agent's accuracy, cut as in the paper's Fig. 2, and what two agents could trade."""

import streamlit as st

from fairsynergy.charts import allocations, palette, surfaces
from fairsynergy.ui import frame, panels, trading
from fairsynergy.ui.plot3d import plot3d
from fairsynergy.words.explain import going_price, sentences

visit = frame.visit()
problem, allocation = visit.problem, visit.allocation
price = going_price(visit.allocations)
reach = surfaces.reach(visit.allocations.values())
colour = palette.RULES[visit.rule].colour

alone, together = st.tabs(["One agent", "Two agents, trading"], key="traders", on_change="rerun", bind="query-params")
if alone.open:
    with alone:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            name = st.selectbox("Agent", problem.agents, key="agent", bind="query-params", width=220)
            x, y = problem.resources[0], problem.resources[-1]
            if problem.m > 2:
                x = st.selectbox("Across", problem.resources, key="across", bind="query-params", width=180)
                y = st.selectbox(
                    "Up", [other for other in problem.resources if other != x], key="up", bind="query-params", width=180
                )
        agent = problem.agents.index(name)
        visit.answer.title(panels.harmless(sentences(allocation, price=price, agents=[agent])[0]), anchor=False)

        if problem.m == 1:
            left, right = st.columns([5, 2], vertical_alignment="center")
            left.vega_lite_chart(
                spec=surfaces.curve_spec(x, colour)
                | {"datasets": surfaces.curves(allocation, agent=agent, resource=0, reach=reach, price=price)},
                height=460,
                key="curve",
                alt=f"Accuracy against {x}, for one agent in front of the others; described beside it.",
            )
            said = surfaces.describe_curve(allocation, agent=agent, resource=0, rule=visit.rule, price=price)
            for mark, words in zip(
                (":violet-badge[curve]", ":violet-badge[unit]", ":red-badge[going price]"), said, strict=True
            ):
                right.markdown(f"{mark} {panels.harmless(words)}")
        else:
            view = surfaces.Landscape(
                allocation, agent, reach, (problem.resources.index(x), problem.resources.index(y))
            )
            fixed = (panels.harmless(f"{resource} fixed") for resource in (y, x, "accuracy"))
            marks = [f":{hue}-badge[{words}]" for hue, words in zip(("violet", "orange", "red"), fixed, strict=True)]
            left, right = st.columns([5, 3], vertical_alignment="center")
            with right:
                st.markdown(panels.harmless(surfaces.describe(view, visit.rule)))
                shown = st.pills(
                    "Planes that cut it", surfaces.CUTS, selection_mode="multi", default=surfaces.CUTS, key="planes",
                    bind="query-params", format_func=lambda cut: marks[cut],
                )  # fmt: skip
                percents = [
                    st.slider(
                        f"{mark} at … % of what {panels.harmless(name)} has now",
                        0,
                        300,
                        100,
                        5,
                        format="%d %%",
                        key=f"cut_{cut}",
                        bind="query-params",
                    )
                    for cut, mark in zip(surfaces.CUTS, marks, strict=True)
                ]
            planes = view.planes(*(percent / 100 for percent in percents))
            with left:
                plot3d(
                    surfaces.picture(view, planes=planes, show=shown, colour=colour),
                    key="surface",
                    alt=f"Accuracy as a surface over {x} and {y}, with three cuts; they are drawn again below.",
                    views=surfaces.views(x, y),
                    height=520,
                )
            for cut, column in zip(surfaces.CUTS, st.columns(3), strict=True):
                with column:
                    title, spec, tables, said = surfaces.twin(view, cut, planes=planes, rule=visit.rule, colour=colour)
                    st.markdown(f"**{panels.harmless(title)}**")
                    st.vega_lite_chart(
                        spec=spec | {"datasets": tables}, key=f"twin_{cut}", alt=f"{title}; described below."
                    )
                    st.caption(f"{marks[cut]} {panels.harmless(said)}")

        panels.table("every agent", lambda: allocations.table(allocation, price=price))
if together.open:
    with together:
        trading.panel(allocation, visit.rule, visit.answer)
