"""The sidebar: which fleet, in which setting, before which cloud.

Every control lives in the URL, so the address is the fleet. A control that does not apply is disabled and says why on
hover; none disappears, so none moves. Whatever a link, a file or a slider gets wrong becomes one complaint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from fairsynergy.errors import ProblemError
from fairsynergy.fleets import PRESETS, FleetFile, FleetSpec, Setting, read_file, write_csv, write_json
from fairsynergy.fleets.links import LONGEST_LINK, file_from_letters, file_to_letters
from fairsynergy.fleets.tray import PARAMETER
from fairsynergy.policies import POLICIES
from fairsynergy.problem import Problem
from fairsynergy.ui import panels
from fairsynergy.ui.whatif import meeting
from fairsynergy.words.phrases import number

DRAWN, PRESET, FILE = "Drawn", "Preset", "File"
MOST_AGENTS = 10_000  # of a file; beyond, the browser and not the solver is the limit

# Every control that is in the URL, by its name there, with its default.
PLAIN = FleetSpec()
DEFAULTS: dict[str, Any] = {
    "rule": next(iter(POLICIES)),
    "fleet": DRAWN,
    "preset": next(iter(PRESETS)),
    "setting": PLAIN.setting.name,
    "agents": PLAIN.agents,
    "capacity_compute": PLAIN.capacity_compute,
    "capacity_labels": PLAIN.capacity_labels,
    "compute": PLAIN.local_compute,
    "labels": PLAIN.local_labels,
    "spread": PLAIN.spread,
    "gamma_compute": PLAIN.gamma_compute,
    "gamma_labels": PLAIN.gamma_labels,
    "saturation": PLAIN.saturation is not None,
    "seed": PLAIN.seed,
}
# Of an address: the letters of the opened file; and a switch whose page shows the answers of the lessons, which no link
# holds.
TABLE, TEACHER = "table", "teacher"
# Kept for a visitor beside the controls: the file in force and its letters, why the last one was refused, what the link
# got wrong, and whether it told of a file that it does not hold.
OPENED, LETTERS, REFUSED, LINK, MISSING = "_opened", "_opened_letters", "_refused", "_link", "_missing"
NOT_HELD = (
    "This link shows a fleet from a file, and does not hold it: ask for the file, and open it in the sidebar. What you "
    "see until then is another fleet, drawn by lot."
)
TOO_LONG = (
    "There is no link to this fleet: send its file instead. The fleet is more than a link can hold "
    f"({LONGEST_LINK:,} letters)."
)
# Whether the file that was given last leaves open which mark stands before decimals, and the choice that then appears.
OPEN, DECIMAL = "_open_decimal", "file_decimal"

UNITS = "in units of the resource; by convention 1 unit is enough for a task to saturate"
NOT_IN_UNITS = "It counts in more than single units, so saturation at 1 unit is off: it would leave most unspent."
HELP = {
    "fleet": "Drawn by lot from the sliders below, one of the examples, or read from your own CSV or JSON file.",
    "setting": "  \n".join(f"**{setting.name}**: {setting.value}" for setting in Setting),
    "agents": "How many share the cloud.",
    "capacity_compute": f"What the cloud can share per agent, {UNITS}. The whole is this times the number of agents.",
    "capacity_labels": f"What the cloud can share per agent, {UNITS}. The whole is this times the number of agents.",
    "compute": f"What an agent owns on average, {UNITS}.",
    "labels": f"What an agent owns on average, {UNITS}.",
    "spread": "How unequal agents are: at 0 all own the average, at 1 anything from nothing to twice the average.",
    "gamma_compute": "Difficulty of the tasks, elasticity γ: near 0 a little is enough, near 1 only much helps.",
    "gamma_labels": "Difficulty of the tasks, elasticity γ: near 0 a little is enough, near 1 only much helps.",
    "saturation": "On: holding more than 1 unit adds nothing, so that no accuracy exceeds 1. Off: the paper's model.",
    "seed": "Which fleet is drawn; the same number draws the same fleet anywhere.",
}


@dataclass(frozen=True)
class Fleet:
    """What the sidebar asks for: a problem, or None where it cannot be one; the fleet in a sentence; complaints.

    `base` is what draws the fleet, or the name of its preset, or None for a file.
    """

    problem: Problem | None
    story: str
    origin: str | None
    base: FleetSpec | str | None
    complaints: tuple[str, ...]


def fleet(asked: Mapping[str, list[str]]) -> Fleet:
    """Draw the sidebar and read it.

    Parameters
    ----------
    asked : mapping of str to list of str
        What the link asked for, as `asked_by_link` found it before any control was drawn.
    """
    source = _choice("Fleet", [DRAWN, PRESET, FILE], "fleet", on_change=_forget_refusal)
    preset = st.selectbox("Preset", list(PRESETS), key="preset", bind="query-params", **_state("preset", source))
    file = st.popover("Open or save a file", width="stretch")
    with file:
        st.file_uploader(
            "Open a fleet (CSV or JSON)", type=["csv", "json", "txt"], key="file", on_change=_open_file,
            help="One row per agent: agent, compute, gamma_compute and, for DL, labels, gamma_labels. "
            "Optional: weight, floor_compute, ceiling_compute, saturation_compute.",
        )  # fmt: skip
        if st.session_state.get(OPEN):
            panels.decimal(DECIMAL, _take)
    if source == PRESET:  # a switch that is off still says what is on screen
        st.session_state["setting"] = PRESETS[preset].setting.name
    spec = _sliders(source)
    complaints = [] if st.session_state.get(REFUSED) is None else [st.session_state[REFUSED]]
    if st.session_state.get(MISSING) and source == FILE and st.session_state.get(OPENED) is None:
        complaints.append(NOT_HELD)
    problem, story, base = None, "", None
    try:
        problem, story, base = _problem(source, preset, spec)
    except ProblemError as error:
        complaints.append(str(error))
    with file:
        _save(problem)
    _tell()
    _foot()
    complaints += _link_complaints(asked)
    origin = PRESETS[preset].source if source == PRESET else None
    return Fleet(problem, story, origin, base, tuple(dict.fromkeys(complaints)))


def _problem(source: str, preset: str, spec: dict[str, Any]) -> tuple[Problem, str, FleetSpec | str | None]:
    """The problem asked for, the fleet in a sentence, and what draws it."""
    opened: FleetFile | None = st.session_state.get(OPENED)
    if source == PRESET:
        chosen = PRESETS[preset]
        return chosen.problem, f"**{preset}.** {chosen.sentence}", preset
    if source == FILE and opened is not None:
        problem = _from_file(opened)
        off = f" {NOT_IN_UNITS}" if not _in_units(opened) and not st.session_state["saturation"] else ""
        return problem, f"**{_plain(opened.name)}**: {problem.n} agents; {_cloud(problem)}.{off}", None
    drawn = FleetSpec(**spec)
    problem = drawn.problem()
    story = f"{problem.n} agent{'s' * (problem.n > 1)} drawn by lot (fleet {spec['seed']}); {_cloud(problem)}."
    if source == FILE:
        story = f"**No file is open yet**: open one in the sidebar. Until then: {story}"
    return problem, story, drawn


def _from_file(file: FleetFile) -> Problem:
    amounts = {
        resource: file.n * st.session_state[f"capacity_{resource}"]
        for resource in file.resources
        if resource not in file.capacity and f"capacity_{resource}" in st.session_state
    }
    own = any(column.startswith("saturation_") for column in file.columns)
    saturation = 1.0 if st.session_state["saturation"] and not own else None
    return file.problem(capacity=amounts, saturation=saturation)


def _in_units(file: FleetFile) -> bool:
    """Whether what the file says may be counted in units of which 1 is enough for a task, so that no agent has more."""
    owned = max(float(file.columns[resource].max()) for resource in file.resources)
    return owned <= 1 and all(amount <= file.n for amount in file.capacity.values())


def _cloud(problem: Problem) -> str:
    shares = [
        f"{number(float(amount))} {panels.harmless(resource)}"
        for resource, amount in zip(problem.resources, problem.capacity, strict=True)
    ]
    return f"the cloud shares {' and '.join(shares)}"


def _sliders(source: str) -> dict[str, Any]:
    """The controls of a drawn fleet; arguments of `FleetSpec`."""
    setting = _choice("Setting", [setting.name for setting in Setting], "setting", **_state("setting", source))
    st.session_state.setdefault(OPENED, None)

    def slider(label: str, key: str, low: float, high: float, step: float) -> Any:
        return st.slider(
            label, low, high, DEFAULTS[key], step, key=key, bind="query-params", **_state(key, source, setting)
        )

    return {
        "setting": Setting[setting],
        "agents": slider("Agents", "agents", 1, 200, 1),
        "capacity_compute": slider("Cloud compute per agent", "capacity_compute", 0.0, 2.0, 0.01),
        "capacity_labels": slider("Cloud labels per agent", "capacity_labels", 0.0, 2.0, 0.01),
        "local_compute": slider("Own compute, average", "compute", 0.0, 0.5, 0.01),
        "local_labels": slider("Own labels, average", "labels", 0.0, 0.5, 0.01),
        "spread": slider("Spread of what agents own", "spread", 0.0, 1.0, 0.05),
        "gamma_compute": slider("Difficulty in compute, γ", "gamma_compute", 0.01, 0.99, 0.01),
        "gamma_labels": slider("Difficulty in labels, γ", "gamma_labels", 0.01, 0.99, 0.01),
        "saturation": 1.0
        if st.toggle(
            "Saturation at 1 unit",
            DEFAULTS["saturation"],
            key="saturation",
            bind="query-params",
            **_state("saturation", source),
        )
        else None,
        "seed": st.number_input(
            "Fleet number (seed)",
            0,
            9999,
            DEFAULTS["seed"],
            1,
            key="seed",
            bind="query-params",
            **_state("seed", source),
        ),
    }


def _choice(label: str, options: list[str], key: str, **more: Any) -> str:
    more = {"help": HELP[key]} | more
    chosen: str | None = st.segmented_control(
        label, options, default=DEFAULTS[key], required=True, key=key, bind="query-params", width="stretch", **more
    )
    return chosen or DEFAULTS[key]  # a link may ask for nothing


def _state(key: str, source: str, setting: str = "DL") -> dict[str, Any]:
    """Whether a control is disabled, and its help or the reason why it is."""
    reason = None
    file: FleetFile | None = st.session_state.get(OPENED) if source == FILE else None
    if key == "preset":
        reason = None if source == PRESET else "choose Preset above to start from an example"
    elif source == PRESET:
        reason = "the preset says this; choose Drawn to change it"
    elif file is not None and key == "saturation":
        given = any(column.startswith("saturation_") for column in file.columns)
        reason = "the file says this" if given else None
    elif file is not None and key.startswith("capacity_"):
        resource = key.removeprefix("capacity_")
        missing = resource in file.resources and resource not in file.capacity
        reason = None if missing else "the file says this"
    elif file is not None:
        reason = "the file says this; choose Drawn to change it"
    elif setting == "RTI" and "labels" in key:
        reason = "real-time inference shares compute only; choose DL to share labelled data too"
    if reason is None:
        return {"disabled": False, "help": HELP.get(key)}
    return {"disabled": True, "help": f"Off: {reason}."}


def _open_file() -> None:
    """Read the file that the visitor chose; a bad one is refused and changes nothing else."""
    st.session_state[OPEN], st.session_state[DECIMAL] = False, None
    _take()


def _take() -> None:
    """Read what was given, with the decimals that the visitor says, if that was asked."""
    st.session_state[REFUSED] = None
    upload = st.session_state["file"]
    if upload is None:
        st.session_state[OPENED] = None
        return
    try:
        file = _shown(read_file(upload.getvalue(), name=upload.name, decimal=st.session_state[DECIMAL]))
        _from_file(file)
    except ProblemError as error:
        asks = error.field == "decimal"
        st.session_state[OPEN] |= asks
        st.session_state[REFUSED] = f"{error}; choose it in “Open or save a file”" if asks else str(error)
    else:
        st.session_state[OPENED] = file
        st.session_state["fleet"] = FILE
        if not _in_units(file):
            st.session_state["saturation"] = False


def _shown(file: FleetFile) -> FleetFile:
    """The file, if it is small enough for a page."""
    if file.n > MOST_AGENTS:
        raise ProblemError(
            f"{file.name} has {file.n:,} agents; this page shows up to {MOST_AGENTS:,}. "
            "Cut the file, or use the command `fairsynergy solve`"
        )
    return file


def _forget_refusal() -> None:
    st.session_state[REFUSED] = None


def _save(problem: Problem | None) -> None:
    """Buttons that save the fleet on screen, in the form that this page opens."""
    for kind, write in (("csv", write_csv), ("json", write_json)):
        st.download_button(
            f"Save as {kind.upper()}", data="" if problem is None else partial(write, problem),
            file_name=f"fleet.{kind}", mime=f"text/{kind}", key=f"save_{kind}", on_click="ignore",
            disabled=problem is None, width="stretch",
        )  # fmt: skip


def _foot() -> None:
    left, right = st.columns(2)
    left.button("Reset", key="reset", on_click=_reset, width="stretch", help="Every control as at the first visit.")
    with right.popover("Copy link", width="stretch"):
        if (address := link()) is not None:
            st.code(address, language=None, wrap_lines=True)
        if _on_screen() and _letters() is None:
            st.caption(TOO_LONG)
        if meeting.too_large_for_a_link():
            st.caption(meeting.LINK_TOO_LONG)


def link() -> str | None:
    """The address of what is on screen: the page, every control that is not at its default, the opened file, the tray.

    None where the file or the tray is more than a link can hold: an address without it would show something else.
    """
    if (_on_screen() and _letters() is None) or meeting.too_large_for_a_link():
        return None
    return _address(_letters())


def address() -> str:
    """The address of this page and its controls, without what a visitor opened; for a report, which has that itself."""
    return _address(None)


def _address(letters: str | None) -> str:
    now = {key: st.session_state.get(key) for key in DEFAULTS}
    changed = {key: _written(value) for key, value in now.items() if value is not None and value != DEFAULTS[key]}
    of_the_page = [key for key in st.query_params if key not in (*DEFAULTS, PARAMETER, TABLE, TEACHER)]
    changed |= {key: st.query_params.get_all(key) for key in of_the_page}
    if letters is not None:
        changed[TABLE] = [letters]
    elif _on_screen():
        changed.pop("fleet", None)
    if (scenarios := meeting.link()) is not None:
        changed[PARAMETER] = [scenarios]
    page = (st.context.url or "").partition("?")[0]
    if page.count("/") == 2:  # nothing after the host
        page += "/"
    return f"{page}?{urlencode(changed, doseq=True)}" if changed else page


def _on_screen() -> FleetFile | None:
    """The opened file, while the sidebar shows its fleet."""
    opened: FleetFile | None = st.session_state.get(OPENED)
    return opened if st.session_state.get("fleet") == FILE else None


def _letters() -> str | None:
    """The file on screen in the letters of an address; None where there is none, or it is too large."""
    file = _on_screen()
    if file is None:
        return None
    kept: tuple[FleetFile, str] | None = st.session_state.get(LETTERS)
    if kept is None or kept[0] is not file:
        kept = st.session_state[LETTERS] = (file, file_to_letters(file))
    return kept[1] if len(kept[1]) <= LONGEST_LINK else None


def _tell() -> None:
    """Let the address hold the file on screen, so that a reload finds it again; or nothing where it is too large."""
    letters = _letters()
    st.session_state[meeting.TAKEN] = len(letters or "")
    if letters is None:
        st.query_params.pop(TABLE, None)
    elif st.query_params.get(TABLE) != letters:
        st.query_params[TABLE] = letters


def query(fleet: FleetSpec | str, rule: str) -> str:
    """The query string of an address that shows this fleet, drawn so or a preset of this name, under this rule.

    >>> query("Fleet A", "NUM")
    'rule=NUM&fleet=Preset&preset=Fleet+A'
    >>> query(FleetSpec(agents=3, gamma_compute=(0.5, 0.5)), "Fair-Synergy")
    'agents=3&gamma_compute=0.5&gamma_compute=0.5'
    """
    shown: dict[str, Any] = {"rule": rule}
    if isinstance(fleet, str):
        shown |= {"fleet": PRESET, "preset": fleet}
    else:
        if fleet.saturation not in (None, 1.0):
            raise ProblemError(f"the sidebar has saturation at 1 unit or none, not at {fleet.saturation}")
        shown |= {
            "setting": fleet.setting.name, "agents": fleet.agents, "capacity_compute": fleet.capacity_compute,
            "capacity_labels": fleet.capacity_labels, "compute": fleet.local_compute, "labels": fleet.local_labels,
            "spread": fleet.spread, "gamma_compute": fleet.gamma_compute, "gamma_labels": fleet.gamma_labels,
            "saturation": fleet.saturation is not None, "seed": fleet.seed,
        }  # fmt: skip
    changed = {key: _written(value) for key, value in shown.items() if value != DEFAULTS[key]}
    return urlencode(changed, doseq=True)


def _reset() -> None:
    for key, default in DEFAULTS.items():
        st.session_state[key] = default
    st.session_state[OPENED] = st.session_state[REFUSED] = st.session_state[LINK] = None
    st.session_state[MISSING] = False
    meeting.start_afresh()


def asked_by_link() -> dict[str, list[str]]:
    """What the address asks for, at the first run of a session only; later the controls decide."""
    if LINK in st.session_state:
        return {}
    st.session_state[LINK] = None
    _open_link()
    return {key: st.query_params.get_all(key) for key in DEFAULTS if key in st.query_params}


def _open_link() -> None:
    """The file that the address holds; one that it tells of and does not hold is not passed over in silence."""
    letters = st.query_params.get(TABLE)
    if letters is None:
        st.session_state[MISSING] = st.query_params.get("fleet") == FILE
        return
    try:
        st.session_state[OPENED] = _shown(file_from_letters(letters))
    except ProblemError as error:
        st.session_state[REFUSED] = str(error)


def _link_complaints(asked: Mapping[str, list[str]]) -> list[str]:
    """What the link asked for and did not get, until the visitor moves a control."""
    now = {key: st.session_state.get(key) for key in DEFAULTS}
    now = {key: DEFAULTS[key] if value is None else value for key, value in now.items()}
    wrong = [
        f"{key} = `{_plain(', '.join(given))}` (used instead: {', '.join(_written(now[key]))})"
        for key, given in asked.items()
        if _normal(given) != _normal(_written(now[key]))
    ]
    if wrong:
        said = f"This link asks for what the controls do not allow: {'; '.join(wrong)}."
        st.session_state[LINK] = (said, now)
    if st.session_state[LINK] is None:
        return []
    said, then = st.session_state[LINK]
    return [said] if then == now else []


def _written(value: Any) -> list[str]:
    """A control's value as the URL has it."""
    if isinstance(value, tuple):
        return [f"{end:g}" for end in value]
    if isinstance(value, bool):
        return [str(value).lower()]
    return [f"{value:g}" if isinstance(value, float) else str(value)]


def _normal(written: list[str]) -> list[str]:
    """Spellings of the same value made equal."""
    normal = []
    for text in written:
        try:
            normal.append(f"{float(text):g}")
        except ValueError:
            normal.append(text.strip().lower())
    return normal


def _plain(text: str) -> str:
    """Somebody else's text, made short and harmless to Markdown."""
    shown = "".join(character for character in text if character.isalnum() or character in " .,_-+=")
    return shown if len(shown) <= 40 else shown[:39] + "…"
