"""Who gets what, and why? Two rules side by side, as in the paper's Fig. 6; marginals, reasons and envy."""

from functools import partial

import streamlit as st

from fairsynergy.charts import allocations
from fairsynergy.charts.comparison import called
from fairsynergy.ui import frame, panels, picking
from fairsynergy.words.explain import exchanges, going_price, prices, sentences
from fairsynergy.words.phrases import badge, measure, proof

visit = frame.visit()
problem, price = visit.problem, going_price(visit.allocations)
visit.answer.title(panels.harmless(exchanges(visit.allocation)), anchor=False)

others = [name for name in visit.allocations if name != visit.rule]
with st.container(horizontal=True, vertical_alignment="bottom"):
    beside = st.selectbox(
        "Compare with", others, index=others.index("NUM") if "NUM" in others else 0, key="beside",
        bind="query-params", width=170,
    )  # fmt: skip
    wish = picking.ask()
drawn = picking.grant(visit.allocation, wish)

# The paper's Fig. 6.
pair = {name: visit.allocations[name] for name in (beside, visit.rule)}
for (name, allocation), column in zip(pair.items(), st.columns(2), strict=True):
    column.header(name, anchor=False)
    column.caption(f"{allocation.policy.sentence} **{badge(allocation).capitalize()}.**", help=proof(allocation))
for k, resource in enumerate(problem.resources):
    for name, column in zip(pair, st.columns(2), strict=True):
        tables = allocations.stacks(pair, name, k, drawn)
        column.vega_lite_chart(
            spec=allocations.stack_spec(name, resource, levelled="level" in tables) | {"datasets": tables},
            key=f"stack_{name}_{k}",
            alt=f"{resource} that each agent owns and is granted under {name}; the numbers are in the table.",
        )
for (name, allocation), column in zip(pair.items(), st.columns(2), strict=True):
    column.vega_lite_chart(
        spec=called(allocations.accuracy_spec(name), measure(pair))
        | {"datasets": allocations.accuracies(pair, name, drawn)},
        key=f"accuracy_{name}",
        alt=f"Accuracy of each agent on its own and with its grant under {name}; the numbers are in the table.",
    )
    column.caption(f"Ring: on its own; disc: with its grant. {name}: {panels.harmless(prices(allocation))}")

st.header("Is the next unit worth the going price?", anchor=False)
for k, (resource, column) in enumerate(zip(problem.resources, st.columns(problem.m), strict=True)):
    with column:
        if price[k] > 0:
            st.vega_lite_chart(
                spec=allocations.marginal_spec(resource, *pair)
                | {"datasets": allocations.marginals(pair, k, drawn, price=price)},
                key=f"marginal_{k}",
                alt=f"What the next unit of {resource} would add for each agent, beside the going price.",
            )
        else:
            said = f"The going price of {resource} is 0: everyone has all they can use, or there is none."
            st.info(panels.harmless(said))
st.caption(
    "Each mark: what the next unit would add for that agent. Filled: it receives some; hollow: it receives none. "
    "The line is the going price, what the last unit adds where the fleet's total accuracy is greatest. "
    "Fair-Synergy brings everyone who receives onto the line, and leaves out those below it; under another rule, the "
    "distance from the line is accuracy that an exchange would add. Marks at the edge lie further out, at 0 for those "
    "who have all they can use."
)

st.header(f"Why, agent by agent, under {visit.rule}", anchor=False)
panels.listed(sentences(visit.allocation, price=price, agents=drawn), others="agents")

st.header("Who would rather have another's grant?", anchor=False)
st.caption(
    "Envy: the accuracy an agent would gain if it kept what it owns and had the other's grant in place of its own. The "
    "darker the cell, the more; both rules on one scale."
)
for (name, allocation), column in zip(pair.items(), st.columns(2), strict=True):
    with column:
        st.markdown(f"**{name}.** {panels.harmless(allocations.describe_envy(allocation))}")
        if 2 < problem.n <= allocations.READABLE:
            st.vega_lite_chart(
                spec=allocations.envy_spec(name) | {"datasets": allocations.envies(pair, name, drawn)},
                key=f"envy_{name}",
                alt=f"Accuracy that each agent would gain with each other's grant under {name}.",
            )
        elif problem.n > allocations.READABLE:
            st.dataframe(allocations.worst_envies(allocation), hide_index=True, key=f"envies_{name}")

for name, allocation in pair.items():
    panels.table(f"every agent under {name}", partial(allocations.table, allocation, price=price))
