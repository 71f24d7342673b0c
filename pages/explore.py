"""What happens if ...? Six rules answer at once, for the whole fleet and for each agent."""

import streamlit as st

from fairsynergy.charts import comparison
from fairsynergy.ui import frame, panels
from fairsynergy.words.phrases import headline, mean_word, measure

TALL = 240  # of the charts of agents [pixels]
EACH = 40  # up to this many agents each has its bar; beyond, a distribution says more
# What a chart is called for those who cannot see it stays the same as a slider moves, or the browser would build
# the chart anew instead of moving its marks. What it shows is said under the folds, in words and numbers.
BELOW = "said in words and numbers below"

visit = frame.visit()
visit.answer.title(headline(visit.allocations, visit.rule), anchor=False)

# The six rules; where agents count differently, by the mean in which they do.
mean, weighted = mean_word(visit.problem), visit.problem.weighted
rules = comparison.rules(visit.allocations, visit.rule)
outcomes, measured = comparison.outcomes(rules), measure(visit.allocations)
left, right = st.columns([3, 2])
with left:
    alt = f"Worst-off, mean and best-off accuracy under each rule; {BELOW}"
    spec = comparison.called(comparison.WEIGHTED_DUMBBELLS if weighted else comparison.DUMBBELLS, measured)
    st.vega_lite_chart(rules, spec, height=comparison.tall(rules), key="rules", alt=alt)
    st.caption(f"Each line: worst-off, {mean} and best-off agent; grey: before the cloud; right: what is proved, time.")
with right:
    alt = f"Mean against worst-off accuracy, one point per rule; {BELOW}"
    spec = comparison.called(comparison.WEIGHTED_MAP if weighted else comparison.MAP, measured)
    st.vega_lite_chart(outcomes, spec, height=280, key="map", alt=alt)
    st.caption("Up and right is better; hollow: another rule beats it.")

# The fleet under one of them.
sentence = visit.allocation.policy.sentence
with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.header(f"Who gets what under {visit.rule}", anchor=False, width="content", help=sentence)
    order = st.segmented_control(
        "Sort agents", list(comparison.ORDERS), default=next(iter(comparison.ORDERS)), required=True, key="sort",
        bind="query-params", label_visibility="collapsed",
    )  # fmt: skip
    wanted = st.text_input(
        "Find an agent", key="find", bind="query-params", placeholder="Find an agent by name", width=220,
        label_visibility="collapsed",
    )  # fmt: skip
agents = comparison.agents(visit.allocation, order, wanted)
each = len(agents) <= EACH
panes = st.columns(len(visit.problem.resources) + 1)
for resource, pane in zip(visit.problem.resources, panes[:-1], strict=True):
    if each:
        data, spec = agents, comparison.bars(visit.rule, resource)
    else:
        data = comparison.distribution(agents, f"own_{resource}", f"granted_{resource}", ("own", "granted"))
        spec = comparison.amounts(visit.rule, resource)
    alt = f"{resource.capitalize()} of the agents under {visit.rule}, own and granted; {BELOW}"
    pane.vega_lite_chart(data, spec, height=TALL, key=f"agents_{resource}", alt=alt)
if each:
    data, spec = agents, comparison.called(comparison.gains(visit.rule), measured)
else:
    data = comparison.distribution(agents, "before", "after", ("before", "after"))
    spec = comparison.called(comparison.accuracies(visit.rule), measured)
alt = f"Accuracy of the agents before the cloud and under {visit.rule}; {BELOW}"
panes[-1].vega_lite_chart(data, spec, height=TALL, key="agents_accuracy", alt=alt)
panels.found(visit.allocations, visit.rule, agents.place[agents.found].tolist())

panels.table(
    "the rules",
    lambda: comparison.rules_table(rules),
    words=lambda: [comparison.describe_rules(rules), comparison.describe_outcomes(outcomes)],
)
panels.table(
    "the agents",
    lambda: comparison.agents_table(agents),
    words=lambda: [
        *(comparison.describe_agents(agents, resource, visit.rule) for resource in visit.problem.resources),
        comparison.describe_accuracy(agents, visit.rule),
    ],
)
