"""What does fairness cost, and is this optimal? Every rule on the frontier, prices, proof, promises, in words."""

import streamlit as st

from fairsynergy.analysis.fairness import report
from fairsynergy.charts import tradeoff
from fairsynergy.charts.comparison import called
from fairsynergy.ui import closing, demonstrations, frame, panels, promises, solve
from fairsynergy.words.explain import PORTRAITS
from fairsynergy.words.phrases import dial, mean_word, measure, optimum, trade_off, verdicts, weighting

# Called the same at every move of a slider, or the browser would build the chart anew instead of moving its marks.
FRONTIER_ALT = "Mean accuracy against how the worse-off fare, one point per rule, and the dial's curve; said below."
PRICES_ALT = "Price of fairness: the share of the best total that each rule gives up; written beside each bar."
LORENZ_ALT = "Share of all accuracy that the worst-off agents hold together, one curve per rule; said in words below."
PROVED, OPEN = ":green[:material/verified:]", ":orange[:material/pending:]"
# Named stops of the dial.
STOPS = {"Fair-Synergy": "0", "Nash": "1", "Leximin": "∞"}

visit = frame.visit()
problem = visit.problem
closing.settle()
everyone = solve.every(problem)
allocations, best = everyone.allocations, solve.certified(problem).allocation


def clicked():
    """A click on a rule's point chooses that rule on every page."""
    picked = st.session_state["frontier"]["selection"]["pick"]
    if picked and picked[0].get("rule") in solve.RULES:
        st.session_state["rule"] = picked[0]["rule"]


def turn(stop):
    """The dial goes to a named stop."""
    st.session_state["alpha"] = stop


visit.answer.title(trade_off(allocations), anchor=False)
visit.answer.markdown(f"{PROVED if best.status is best.status.OPTIMAL else OPEN} {optimum(best)}")
demonstrations.explain()
for name, reason in everyone.refusals.items():
    if name not in visit.refusals:
        st.caption(f":material/block: {name} is missing here: {panels.harmless(reason)}")

if note := weighting(best):
    st.caption(f":material/info: {note}")

# The dial and the frontier; what each rule costs.
curve = solve.frontier(problem)
stops = {tradeoff.stop(alpha): alpha for alpha in solve.ALPHAS}
left, right = st.columns([3, 2])
with left:
    stop = st.select_slider(
        "Dial of fairness: inequality aversion α", list(stops), "1", key="alpha", bind="query-params",
        help="α = 0 counts a gain the same for everyone (Fair-Synergy). The larger α, the more a gain counts for "
        "those who have less: 1 is Nash's product, ∞ puts the worst-off first (Leximin).",
    )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Go to", width="content")
        for name, alpha in STOPS.items():
            st.button(
                f"{alpha}: {name}", key=f"stop_{alpha}", on_click=turn, args=(alpha,), type="tertiary",
                disabled=stops[alpha] not in curve.alpha,
            )  # fmt: skip
    at = tradeoff.nearest(curve.alpha, stops[stop])
    st.markdown(dial(float(curve.alpha[at]), curve.utility[at], curve.proof[at], best))
    with st.container(horizontal=True, vertical_alignment="center"):
        axis = st.segmented_control(
            "Mean accuracy against", list(tradeoff.AXES), default="worst-off", required=True, key="axis",
            bind="query-params", label_visibility="collapsed",
        )  # fmt: skip
        near = st.toggle("Near the curve only", key="near", bind="query-params")
    points = tradeoff.frontier(curve, allocations, rule=visit.rule, dial=float(curve.alpha[at]), axis=axis, near=near)
    spec = called(tradeoff.frontier_spec(axis, mean_word(problem)), measure(allocations))
    st.vega_lite_chart(
        points, spec, height=380, key="frontier", alt=FRONTIER_ALT, on_select=clicked, selection_mode="pick"
    )
    st.caption(
        "Up and right is better. Ring: the dial. Hollow: another rule beats it on both. Click a point to choose it."
    )
with right:
    sound = None if best.status is best.status.FAILED else best
    found = {name: report(a, best=sound).price_of_fairness for name, a in allocations.items()}
    prices = tradeoff.prices(found, visit.rule)
    st.header("Price of fairness: what each rule costs", anchor=False)
    st.vega_lite_chart(prices, tradeoff.PRICES, height=tradeoff.prices_height(prices), key="prices", alt=PRICES_ALT)
    st.caption(
        "Of the total accuracy that the certified optimum reaches, the share that the rule gives up. From … to: the "
        "optimum itself is only known to lie between what was found and what is proved."
    )
    said = verdicts(allocations)
    st.markdown(f"**{visit.rule}** {said[visit.rule]}")
    demonstrations.offer()

optimal, promised, held, words, compared = st.tabs(
    ["Is this optimal?", "What each rule promises", "Who holds the accuracy", "The rules in words", "Against Uniform"],
    key="more", on_change="rerun", bind="query-params",
)  # fmt: skip
place = None
if optimal.open:
    with optimal:
        place = closing.panel(problem)
        closing.numbers(problem)
if promised.open:
    with promised:
        with st.spinner("Dividing anew in other units, and with more to share …"):
            kept = solve.promises(problem, allocations)
        st.caption("Checked on this fleet, not for all fleets. Unfold a verdict for its reason.")
        promises.table(kept, visit.rule)
        panels.download(tradeoff.promises_table(kept), "what each rule promises")
if held.open:
    with held:
        curves = tradeoff.lorenz_curves(allocations, visit.rule)
        st.vega_lite_chart(curves, tradeoff.LORENZ, height=420, key="lorenz", alt=LORENZ_ALT)
        st.caption(
            "Dashed: all agents have the same accuracy. The further below it a curve hangs, the more unequal they are. "
            f"Thick: {visit.rule}."
        )
        st.caption(tradeoff.describe_lorenz(allocations))
if words.open:
    with words:
        columns = st.columns(2)
        for k, (name, allocation) in enumerate(allocations.items()):
            portrait = PORTRAITS[name]
            title = f":primary[{name}]" if name == visit.rule else name
            with columns[k % 2].container(border=True):
                st.markdown(f"**{title}.** {allocation.policy.sentence}")
                st.latex(portrait.formula)
                st.markdown(f"**Who wins:** {portrait.wins}.  \n**Who loses:** {portrait.loses}.  \n{portrait.units}")
                st.markdown(f"**Here** it {said[name]}")
if compared.open:
    with compared:
        panels.compared(tradeoff.relative(allocations, to="Uniform"), "rules relative to Uniform")

panels.table(
    "the frontier",
    lambda: tradeoff.frontier_table(points, axis),
    words=lambda: [tradeoff.describe_frontier(points, axis), tradeoff.describe_prices(prices)],
)
if place is not None:
    closing.search(problem, place)
