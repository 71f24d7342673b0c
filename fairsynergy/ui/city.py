"""A city hour on screen: which city and policies, the hours lived live, and what twenty fresh cities say.

Every policy meets the same hour. What a policy did is kept for all visitors, small enough for many of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from time import perf_counter
from typing import NamedTuple

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fairsynergy.charts import city as charts
from fairsynergy.collaborative import Allocator, City, Learned, Setting, draw_city
from fairsynergy.collaborative import Policy as Chooser
from fairsynergy.errors import ProblemError
from fairsynergy.experiments import cities
from fairsynergy.experiments.cities import CLAIMS, UNLEARNED, Judged, Outcome, Verdict
from fairsynergy.fleets.drawn import ASSETS
from fairsynergy.ui import panels

FOLDER = ASSETS / "foci"
# Everything is held against this one, and the dial turns that one.
REFERENCE, DIAL = "ALP", "FOCI"
USUAL = ["NSG", "IQL", "AMFQ"]
FURTHER = ["NSG", "NSG, load-aware", "Best response", "IQL", "AMFQ", "OFR", "COA"]
# Seconds of work after which a page says how far it is, and between two pictures of a playing map.
PATIENCE, BEAT = 0.3, 0.5
ALLOCATORS: dict[str, Allocator] = {"in equal parts": "equal", "for the worst-off, exactly": "exact"}
COLOURS = {Verdict.TRUE: ":green[{}]", Verdict.FALSE: ":red[{}]", Verdict.UNDECIDED: ":gray[{}]"}
WORLDS = {"surge": "with crowds that gather", "steady": "without surges"}
UNITS = {
    "devices": ("{:g} devices", 1),
    "multiprocessors": ("{:g} multiprocessors an edge", 1),
    "one_multiprocessor": ("{:g} ms for the network on one multiprocessor", 1e3),
    "bandwidth": ("{:g} MHz", 1e-6),
    "image": ("an image of {:g} kB", 1 / 8000),
    "surge": ("surges: {}", None),
}
ASSUMED = """\
The paper publishes neither code nor the numbers of its radio, edges and city. Ours, each with its source in the code:
- **Devices**: 240 Jetson TX2 with MobileNetV3-Large in eight stages; latency and energy calibrated so that doing all on
  the device costs what the paper's Table 1 says; batteries of 3 to 12 Wh slow the clock down as they drain.
- **Edges**: 11, where the density of destinations is; 24 multiprocessors each, 18 ms for the whole network on one.
- **Radio**: 10 MHz a device at 3.5 GHz, path loss of 3GPP TR 38.901 (street canyon), and shadowing.
- **City**: 1.58 km square with seven hotspots; in a surge, every 15 minutes half of the trips that start lead to one
  new place. The paper drives along Porto's taxis; `read_porto` takes that file if you have it.
- **Cost**: half for the energy, one for the deadline of 1/24 s, a tenth for every change of the edge. The paper's
  reward has no units; decoded from its Table 1, 95 % of it is latency, and changes count for nothing.
- **Learning**: one network for all devices, 60 rounds of two drawn cities; the paper says neither how many nor how
  broad. AMFQ is plain mean-field learning: the cited paper has more to it."""


class Chosen(NamedTuple):
    """What is to be lived through: a world, its seed, by whom, and how edges divide themselves."""

    setting: Setting
    seed: int
    policies: tuple[str, ...]  # labels, the reference first and the dial's last
    training: int
    allocator: Allocator

    @property
    def dial(self) -> str:
        """The label of FOCI at the oracle's share chosen."""
        return self.policies[-1]


def ready(answer: DeltaGenerator) -> bool:
    """Whether there are policies to try; if not, says why, in the place of the page's answer."""
    try:
        _learned()
    except ProblemError as error:
        answer.title("The learned policies cannot be read.", anchor=False)
        answer.error(panels.harmless(str(error)), icon=":material/error:")
        return False
    return True


def choose() -> Chosen:
    """Controls: the world, the hour, the oracle's share, and who else is compared."""
    shares = _shares()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        share = st.select_slider(
            "FOCI's oracle share λ", shares, value="0.5", key="share", bind="query-params", width=220,
            help="What devices paid for while they learned: 0, their own cost only; 1, as in the paper, their edge's "
            "worst cost under the exact oracle; between them, a blend.",
        )  # fmt: skip
        surge = st.toggle(
            "Crowds gather", value=True, key="surge", bind="query-params",
            help="Every 15 minutes, half of the trips that start lead to one new place.",
        )  # fmt: skip
        devices = st.slider("Devices in the city", 40, 400, 240, 20, key="city_devices", bind="query-params", width=200)
        processors = st.slider(
            "Multiprocessors of each edge", 8, 48, 24, 4, key="city_processors", bind="query-params", width=200
        )
        seed = st.number_input(
            "Hour", 0, 9999, 1, key="hour", bind="query-params", width=110, help="The seed that the hour is drawn by."
        )
        with st.popover("More"):
            milliseconds = st.slider(
                "Whole network on one multiprocessor [ms]", 6.0, 40.0, 18.0, 1.0, key="city_speed",
                bind="query-params",
            )  # fmt: skip
            megahertz = st.slider(
                "Bandwidth of a device [MHz]", 2.0, 40.0, 10.0, 1.0, key="city_bandwidth", bind="query-params"
            )
            kilobytes = st.slider("An image [kB]", 20.0, 300.0, 90.0, 10.0, key="city_image", bind="query-params")
            divided = st.segmented_control(
                "Edges divide themselves", list(ALLOCATORS), default=next(iter(ALLOCATORS)), required=True,
                key="city_allocator", bind="query-params",
            )  # fmt: skip
            trainings = min(len(each) for each in _learned().values())
            training = st.segmented_control(
                "Training", list(range(1, trainings + 1)), default=1, required=True, key="city_training",
                bind="query-params", help="Learning starts from chance: each policy was trained several times.",
            )  # fmt: skip
    also = st.pills(
        "Compare with", FURTHER, selection_mode="multi", default=USUAL, key="city_policies", bind="query-params",
        help="  \n".join(f"**{name}**: {charts.WORDS[name]}" for name in (REFERENCE, *FURTHER, DIAL)),
    )  # fmt: skip
    setting = replace(
        Setting(), devices=int(devices), multiprocessors=int(processors), surge=bool(surge),
        one_multiprocessor=milliseconds / 1e3, bandwidth=megahertz * 1e6, image=kilobytes * 8e3,
    )  # fmt: skip
    labels = [REFERENCE, *(f"{name} 0.5" if name == "OFR" else name for name in FURTHER if name in (also or []))]
    return Chosen(setting, int(seed), (*labels, f"{DIAL} {share}"), int(training) - 1, ALLOCATORS[divided])


def _shares() -> list[str]:
    """Shares that FOCI was trained with; 0 is COA alone."""
    return ["0", *(label.rpartition(" ")[2] for label in _learned() if charts.base(label) == DIAL)]


def departures(chosen: Chosen) -> str:
    """In what this world differs from the one that the learned policies were trained in; "" if in nothing."""
    trained = _learned()["COA"][0].setting
    parts = []
    for name, (form, scale) in UNITS.items():
        now, then = getattr(chosen.setting, name), getattr(trained, name)
        if now != then:
            said = [form.format(value * scale if scale else ("no", "yes")[value]) for value in (now, then)]
            parts.append(f"{said[0]} (trained with {said[1].replace('surges: ', '')})")
    return "; ".join(parts)


def play(chosen: Chosen, place: DeltaGenerator) -> dict[str, Outcome]:
    """The hour under every policy chosen; says how far it is if that takes long.

    Parameters
    ----------
    chosen : Chosen
        As `choose` gave it.
    place : container
        Where progress is drawn.
    """
    start, played = perf_counter(), {}
    for number, label in enumerate(chosen.policies):
        if perf_counter() - start > PATIENCE:
            place.progress(
                number / len(chosen.policies), text=f"{chosen.setting.slots} decisions of everybody under {label} …"
            )
        played[label] = _lived(chosen.setting, chosen.seed, label, chosen.training, chosen.allocator)
    place.empty()
    return played


@st.cache_data(max_entries=120, max_size="60MB", show_spinner=False)
def _lived(setting: Setting, seed: int, label: str, training: int, allocator: Allocator) -> Outcome:
    return cities.live(drawn(setting, seed), _policy(label, training), allocator=allocator)


@st.cache_resource(max_entries=4, show_spinner=False)
def drawn(setting: Setting, seed: int) -> City:
    """The hour itself; policies do not change it."""
    return draw_city(seed, setting)


def _policy(label: str, training: int) -> Chooser:
    if label in UNLEARNED:
        return UNLEARNED[label]
    return _learned()["COA" if label == f"{DIAL} 0" else label][training]


@st.cache_resource(show_spinner=False, max_entries=1)
def _learned() -> Mapping[str, list[Learned]]:
    return cities.read_policies(FOLDER)


@st.cache_resource(show_spinner=False, max_entries=1)
def _tried() -> pd.DataFrame:
    return cities.read(FOLDER / "cities.csv")


@st.cache_resource(show_spinner=False, max_entries=len(WORLDS))
def _estimates(world: str) -> pd.DataFrame:
    return cities.estimates(_tried(), world)


@st.cache_resource(show_spinner=False, max_entries=20)
def _judged(world: str, share: str) -> tuple[Judged, ...]:
    return cities.judge(_tried(), world=world, share=share)


def pictures(chosen: Chosen, played: Mapping[str, Outcome]) -> None:
    """Averages and worst-off devices, the map, every device, and changes over time."""
    for pair in (("latency", "energy"), ("cost", "switches")):
        for column, measure in zip(st.columns(2), pair, strict=True):
            rows = charts.outcomes(played, measure)
            column.vega_lite_chart(
                rows, charts.outcomes_spec(measure), height=charts.tall(rows), key=f"city_{measure}",
                alt=f"{charts.TITLES[measure]} of each policy; in the table below.",
            )  # fmt: skip
    st.caption(
        "One simulated hour. Point: the average device; bar: the worst-off one, by its mean over the hour. Hollow "
        "grey: what the paper's Table 1 says of its own city; its costs and changes have no units, so they are not "
        "drawn. Small differences between learned policies are chance: the fresh cities below say which are not."
    )
    left, right = st.columns([5, 6])
    with left:
        _map(chosen, played)
    with right:
        names = tuple(played)
        measure = st.segmented_control(
            "Each device's", ["latency", "energy", "cost"], default="latency", required=True, key="city_each",
            bind="query-params",
        )  # fmt: skip
        st.vega_lite_chart(
            charts.devices(played, measure),
            charts.lines_spec(names, "Devices, the worst-off first", charts.TITLES[measure], False),
            height=260, key="city_lines", alt="What every device has under each policy, the worst-off first.",
        )  # fmt: skip
        st.vega_lite_chart(
            charts.changes(played, drawn(chosen.setting, chosen.seed)),
            charts.lines_spec(names, "Minute of the hour", "Changes of the edge per minute", True),
            height=240, key="city_changes", alt="Changes of the edge of all devices per minute, over the hour.",
        )  # fmt: skip
        st.caption("All devices together, averaged over five minutes.")


def _map(chosen: Chosen, played: Mapping[str, Outcome]) -> None:
    """The city in one slot, or as it goes by."""
    names = list(played)[1:]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox("Map under", names, index=len(names) - 1, key="city_map", bind="query-params", width=200)
        playing = st.toggle("Play the hour", key="city_play", help="A quarter of a minute at a time, twice a second.")
    frame = st.fragment(_moment, run_every=BEAT if playing else None)
    frame(chosen, played[name], playing)


def _moment(chosen: Chosen, outcome: Outcome, playing: bool) -> None:
    slots = chosen.setting.slots
    if playing:
        st.session_state["city_slot"] = (st.session_state.get("city_slot", -1) + 1) % slots
    slot = st.slider(
        "Slot of the hour, a quarter of a minute each", 0, slots - 1, 0, key="city_slot", persist_state="session"
    )
    table = charts.places(drawn(chosen.setting, chosen.seed), outcome, slot)
    st.vega_lite_chart(
        table, charts.MAP, height=470, key="city_places", alt="Devices, edges and who uses which; said in words below."
    )
    st.caption(f"{charts.describe_places(table)} Numbers: devices at an edge, of {chosen.setting.multiprocessors} "
               "multiprocessors.")  # fmt: skip


def evidence(chosen: Chosen) -> None:
    """Twenty fresh cities: the ablation, the table, and what became of the paper's claims."""
    tried, world = _tried(), "surge" if chosen.setting.surge else "steady"
    share = chosen.dial.rpartition(" ")[2]
    judged_share = share if f"OFR {share}" in set(tried["policy"]) else "0.5"
    st.header(f"In {tried['city'].nunique()} fresh cities, {WORLDS[world]}", anchor=False)
    st.caption(
        "Cities that nobody was trained or chosen on, three trainings of each policy, at the usual constants whatever "
        "the controls above say; bars are 95 % intervals. Which half of FOCI does what: neither is IQL, one half is "
        "OFR (the oracle's reward) or COA (competitors' counts), both is FOCI."
    )
    labels = ["IQL", f"OFR {judged_share}", "COA", f"FOCI {judged_share}"]
    for column, measure in zip(st.columns(2), ("latency", "energy"), strict=True):
        column.vega_lite_chart(
            charts.over_cities(_estimates(world), labels, measure), charts.over_cities_spec(measure), height=240,
            key=f"cities_{measure}", alt=f"{charts.TITLES[measure]} of the four halves of FOCI, over fresh cities.",
        )  # fmt: skip
    judged = _judged(world, judged_share)
    counts = {verdict: sum(one.verdict is verdict for one in judged) for verdict in Verdict}
    st.markdown(
        f"**Of {len(CLAIMS)} claims of the paper, these cities bear out {counts[Verdict.TRUE]}, contradict "
        f"{counts[Verdict.FALSE]}, and leave {counts[Verdict.UNDECIDED]} undecided** "
        f"({WORLDS[world]}, λ = {judged_share})."
    )
    st.table(
        [
            {
                "Claim": panels.harmless(one.claim.what),
                "Paper": panels.harmless(one.claim.published),
                "Here": COLOURS[one.verdict].format(one.verdict.value),
            }
            for one in judged
        ],
        border="horizontal", hide_index=True,
    )  # fmt: skip
    panels.table("the fresh cities", lambda: charts.cities_table(_estimates(world)))
    with st.expander("The differences behind each verdict"):
        st.markdown(
            "\n".join(f"- **{panels.harmless(one.claim.what)}** {panels.harmless(one.evidence)}" for one in judged)
        )
