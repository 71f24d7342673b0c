"""A monkey at the dashboard, and hostile input for every reader: `python tests/monkey.py --steps 10000 --seed 0`.

Random widgets of random pages are moved, clicked, typed into and given files, good and bad, in sessions that begin with
random links. After every step there is a title, no exception, and at most one more message; every rule's grants are at
least 0 and within what there is; and what is on screen as proved is what the library proves, solved afresh.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import hostile
import numpy as np
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.testing.v1 import AppTest

import fairsynergy as fs
from fairsynergy.fleets import PRESETS, FleetSpec
from fairsynergy.ui import inputs, solve
from fairsynergy.ui.whatif import meeting
from fairsynergy.words.phrases import average, badge, headline

ROOT = Path(__file__).parents[1]
TIMEOUT = 120  # seconds, for a run of a page
SMALL = 40  # agents of most fleets, so that steps are quick
SESSION = 50  # steps on average until another visitor comes
REPORTED = 1000  # steps between two signs of life
REMEMBERED = 12  # actions told where an invariant breaks
# How often the monkey is on a page; those that compute for longer less often.
PAGES = {
    "explore": 6, "what_if": 8, "allocations": 2, "utility_surfaces": 4, "collaborative_inference": 3,
    "measured_curves": 2, "fairness_tradeoff": 2, "prices_and_bids": 3, "lessons": 3, "paper": 0.3,
}  # fmt: skip
# They run for minutes, as they say, and a visitor can stop them; here nobody would.
# What it uses; others only show something, or are blocks whose inside it uses.
KINDS = {
    "button", "checkbox", "toggle", "slider", "selectbox", "select_slider", "button_group", "number_input",
    "text_input", "file_uploader", "dataframe", "vega_lite_chart", "expander",
}  # fmt: skip
LONG = {"run", "run_all"}
LONG_LOOK = 0.2  # seconds of a search that is asked to go on
# Message boxes that a page may show at once: the frame's, and those of the page's own files and edits.
BOXES = {"what_if": 2, "measured_curves": 3}
# Markdown that would do something: a link, an image, a tag.
ALIVE = re.compile(r"(?<!\\)[\[<]")
CODE = re.compile("`[^`]*`")
ROUNDING = 1e-9
LARGEST = 1e150  # amounts beyond overflow where they are multiplied; a division of such may fail, and says so
# What an open tab or fold is called, by page.
TABS = {
    "what_if": ("studio", ("Edit", "My split", "Goals and budgets", "More to share", "How sure?", "Cost of change",
                           "Why", "Every run", "Save and open")),
    "fairness_tradeoff": ("more", ("Is this optimal?", "What each rule promises", "Who holds the accuracy",
                                   "The rules in words", "Against Uniform")),
}  # fmt: skip
UPLOADS = {"file": "fleet", "tray_file": "tray", "curves_file": "curves"}


class Monkey:
    """One monkey: its draws, its session, and what it did last.

    Parameters
    ----------
    seed : int
        Everything it does follows from it.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.draw = random.Random(seed)
        self.readers = hostile.readers()
        self.did: deque[str] = deque(maxlen=REMEMBERED)
        self.steps = 0
        self.spent: Counter[str] = Counter()
        self.seconds: Counter[str] = Counter()
        self.checked: set[str] = set()
        self.app, self.page, self.boxes = self._enter()

    def step(self) -> None:
        """One action, and what must hold after it.

        Raises
        ------
        AssertionError
            If an invariant broke; it tells the seed, the step and the last actions.
        """
        start = process_time()
        try:
            kind = self._act()
            self._check(kind)
        except Exception as broken:
            acts = "\n  ".join(self.did)
            raise AssertionError(
                f"seed {self.seed}, step {self.steps}, page {self.page}: {broken}\n  {acts}"
            ) from broken
        self.spent[self.page] += 1
        self.seconds[self.page] += process_time() - start
        self.steps += 1

    def _act(self) -> str:
        chance = self.draw.random()
        if chance < 1 / SESSION:
            self.app, self.page, self.boxes = self._enter()
            return "enter"
        if chance < 0.1:
            return self._go()
        if chance < 0.18 and self.page in TABS:
            key, names = TABS[self.page]
            return self._set(key, self.draw.choice(names))
        widgets = list(self._widgets())
        # The sidebar is on every page, so that half of the actions are the page's own.
        own = [widget for widget in widgets if widget.key not in inputs.DEFAULTS]
        widget = self.draw.choice(own if own and self.draw.random() < 0.6 else widgets)
        return self._use(widget)

    def _enter(self) -> tuple[AppTest, str, list[str]]:
        """Another visitor, with or without a link."""
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=TIMEOUT)
        query = self._query()
        self._tell("enter", query)
        for key, value in query.items():
            app.query_params[key] = value
        app.run()
        return app, "explore", []

    def _query(self) -> dict[str, str | list[str]]:
        """What an address asks for: nothing, what is allowed, or anything."""
        query: dict[str, str | list[str]] = {}
        if self.draw.random() < 0.3:
            return query
        for key in self.draw.sample(list(inputs.DEFAULTS), self.draw.choice((1, 2, 4))):
            query[key] = self.draw.choice(
                (
                    self.draw.choice(hostile.NUMBERS), self.draw.choice(hostile.TEXTS), "DL", "Preset", "File",
                    "Leximin",
                    str(self.draw.randrange(60)), [str(self.draw.random()), str(self.draw.random())],
                    self.draw.choice(list(PRESETS)), ["1"] * 500, "true",
                )
            )  # fmt: skip
        if self.draw.random() < 0.4:
            letters = self.readers["link"].valid[0]
            if self.draw.random() < 0.6:
                letters = hostile.mutated(letters, self.draw)[:10_000]
            query["tray"] = letters.decode("utf-8", "replace")
        return query

    def _go(self) -> str:
        self.page = self.draw.choices(list(PAGES), list(PAGES.values()))[0]
        self._tell("go", self.page)
        self.app.switch_page(f"pages/{self.page}.py").run()
        return "go"

    def _widgets(self) -> Iterator[Any]:
        """What a visitor could use now: widgets that are on, tables to type into, charts to click, folds to open."""
        for element in self.app:
            proto = getattr(element, "proto", None)
            if not getattr(proto, "id", "") or getattr(element, "disabled", False):
                continue
            if element.type in KINDS and element.key not in LONG:
                yield element

    def _use(self, widget: Any) -> str:
        kind, key, draw = widget.type, widget.key, self.draw
        if kind == "button":
            self._tell("click", key)
            widget.click().run()
        elif kind in ("checkbox", "toggle"):
            self._put(widget, not widget.value)
        elif kind == "slider":
            high = min(SMALL, widget.max) if key == "agents" and draw.random() < 0.8 else widget.max
            self._put(widget, self._between(widget.min, high, widget.step, widget.value))
        elif kind in ("selectbox", "select_slider"):
            self._put(widget, draw.choice(widget.options))
        elif kind == "button_group":
            self._put(widget, self._options(widget))
        elif kind == "number_input":
            low = -1e9 if widget.min is None else widget.min
            high = draw.choice((1, 10, 1e6, 1e300)) if widget.max is None else widget.max
            self._put(widget, self._between(low, max(low, high), widget.step, widget.value))
        elif kind == "text_input":
            text = draw.choice((draw.choice(hostile.TEXTS), "agent 1", "1", "a b", "variant 1"))
            self._put(widget, text[: widget.proto.max_chars or None].replace("\x00", ""))
        elif kind == "file_uploader":
            self._upload(widget)
        elif kind == "dataframe":
            self._type(widget)
        elif kind == "vega_lite_chart":
            self._point(widget)
        else:
            return self._set(key, True)
        return kind

    def _put(self, widget: Any, value: Any) -> None:
        self._tell("set", widget.key, value)
        widget.set_value(value).run()

    def _set(self, key: str, value: Any) -> str:
        """A tab or a fold, which Streamlit's test harness reaches by its key only."""
        self._tell("open", key, value)
        self.app.session_state[key] = value
        self.app.run()
        return "open"

    def _between(self, low: Any, high: Any, step: Any, like: Any) -> Any:
        """Somewhere between, at an end, or one step further; a range where it is one."""
        if isinstance(like, list | tuple):
            return tuple(sorted(self._between(low, high, step, like[0]) for _ in range(2)))
        one = self.draw.choice(
            (low, high, low + (high - low) * self.draw.random(), low + (high - low) * self.draw.random())
        )
        if isinstance(like, int):
            return int(one)
        return float(min(max(round(one / step) * step if step else one, low), high))

    def _options(self, group: Any) -> Any:
        options = list(group.options)
        several = isinstance(group.value, list) and group.proto.click_mode == group.proto.MULTI_SELECT
        return (
            self.draw.sample(options, self.draw.randrange(len(options) + 1)) if several else self.draw.choice(options)
        )

    def _upload(self, widget: Any) -> None:
        stem = self.draw.choice(("fleet", "<b>", "\u202eelif", "../../etc/passwd", "![x](http://example.org)"))
        name = stem + self.draw.choice(list(widget.proto.type))  # the browser refuses other endings
        reader = self.readers[UPLOADS[widget.key]]
        data = self.draw.choice(reader.valid)
        if self.draw.random() < 0.5:
            data = hostile.mutated(data, self.draw)
        self._tell("upload", widget.key, name, data[:80])
        widget.set_value(None if self.draw.random() < 0.1 else (name, data, "text/plain")).run()

    def _type(self, table: Any) -> None:
        """Type into some cells of a table, if it is one to type into."""
        if table.proto.editing_mode == table.proto.EditingMode.READ_ONLY:
            self._tell("look at", table.key)
            self.app.run()
            return
        frame = table.value
        edits: dict[str, dict[str, Any]] = {}
        for _ in range(self.draw.choice((1, 1, 3))):
            column = self.draw.choice(list(frame.columns))
            if column in ("accuracy", "Agent") or (column.startswith("granted ") and "[units]" not in column):
                continue  # not to edit
            value = self.draw.choice((None, 0, 0.5, 0.2, 1, -1, 1e300, 3))
            if column == "agent":
                value = self.draw.choice((*hostile.TEXTS[:8], "agent 1", None, "new"))
            edits.setdefault(str(self.draw.randrange(len(frame))), {})[column] = value
        self._send(table, json.dumps({"edited_rows": edits, "added_rows": [], "deleted_rows": []}))

    def _point(self, chart: Any) -> None:
        """Click a mark of a chart, or beside all."""
        marked = self.draw.choice(("agent 1", "agent 2", "nobody", None))
        rule = self.draw.choice([*solve.RULES, "no rule"])
        picked = [] if marked is None else [{"agent": marked, "rule": rule}]
        self._send(chart, json.dumps({"selection": {"pick": picked}}))

    def _send(self, element: Any, said: str) -> None:
        """What the browser would send for an element that Streamlit's test harness only shows."""
        self._tell("send", element.key or element.proto.id, said)
        states = self.app._tree.get_widget_states()
        states.widgets.append(WidgetState(id=element.proto.id, string_value=said))
        self.app._run(states)

    def _tell(self, *what: object) -> None:
        self.did.append(" ".join(repr(part)[:200] for part in what))

    def _check(self, kind: str) -> None:
        """What holds after every step."""
        app = self.app
        assert not app.exception, f"an exception: {app.exception[0].message} {app.exception[0].stack_trace}"
        assert len(app.title) == 1, f"{len(app.title)} titles"
        assert app.title[0].value.strip(), "an empty title"
        before, self.boxes = self.boxes, [box.value for box in app.error]
        assert len(set(self.boxes)) == len(self.boxes) <= BOXES.get(self.page, 1), f"messages: {self.boxes}"
        assert kind == "go" or len(set(self.boxes) - set(before)) <= 1, f"several new messages: {self.boxes}"
        for box in self.boxes:
            assert box.strip(), "an empty message"
            assert not ALIVE.search(CODE.sub("", box)), f"a message that does something: {box}"
        self._check_answers()

    def _check_answers(self) -> None:
        """The rules' answers to the fleet in force, and what the page says of them."""
        # A visitor whose link asks for no fleet, or brought one that no rule divides, first sees the plain one.
        problem = FleetSpec().problem()
        if "_good" in self.app.session_state:
            problem = self.app.session_state["_good"][0]
        shown = solve.answers(problem).allocations
        sound(problem, shown)
        if problem.digest not in self.checked:
            self.checked.add(problem.digest)
            agree(shown, {name: fs.allocate(problem, fs.POLICIES[name]) for name in shown})
        rule = self.app.session_state["rule"]
        if rule in solve.FURTHER:
            shown = solve.also(solve.answers(problem), problem, rule).allocations
            sound(problem, shown)
        if rule not in shown:
            rule = next(iter(shown))
        if self.page == "explore":
            assert self.app.title[0].value == headline(shown, rule), f"the title says {self.app.title[0].value}"
            rows = self._rows("Worst-off, mean and best-off accuracy under")
            said = dict(zip(rows["rule"], rows["proof"], strict=True))
            assert said == {name: badge(allocation) for name, allocation in shown.items()}, f"badges: {said}"
            assert np.array_equal(rows["mean"], [average(allocation) for allocation in shown.values()])
        if self.page == "what_if":
            tray = self.app.session_state[meeting.TRAY]
            allocations, _ = meeting.solved(tray.scenarios)
            for name, allocation in allocations.items():
                if tray[name].given is None or allocation.status is not fs.Status.FAILED:
                    sound(allocation.problem, {name: allocation})
            if allocations:
                rows = self._rows("Worst-off, mean and best-off accuracy of")
                said = dict(zip(rows["scenario"], rows["proof"], strict=True))
                assert said == {name: badge(allocation) for name, allocation in allocations.items()}, f"badges: {said}"

    def _rows(self, alt: str) -> Any:
        """The rows of the chart whose text alternative starts so, as the browser gets them."""
        (chart,) = [each for each in self.app.get("vega_lite_chart") if each.proto.alt.startswith(alt)]
        return drawn(chart.proto)


def drawn(chart: Any) -> Any:
    """A chart's rows, as a data frame."""
    from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df

    data = chart.data.data if chart.HasField("data") else chart.datasets[0].data.data
    return convert_arrow_bytes_to_pandas_df(data)


def sound(problem: fs.Problem, allocations: Mapping[str, fs.Allocation]) -> None:
    """Grants at least 0 and within what there is, and a badge that the certificate bears out."""
    if max(problem.capacity.max(), problem.endowment.max()) > LARGEST:
        known = {name: allocation for name, allocation in allocations.items() if allocation.certificate.feasible}
        failed = {name: badge(allocation) for name, allocation in allocations.items() if name not in known}
        assert set(failed.values()) <= {"FAILED"}, f"not divided, and shown as {failed}"
        allocations = known
    scale = np.where(problem.capacity > 0, problem.capacity, 1.0)
    bounds = [allocation.upper_bound for allocation in allocations.values() if allocation.upper_bound is not None]
    for name, allocation in allocations.items():
        grant, proof = allocation.grant, allocation.certificate
        assert np.isfinite(grant).all(), f"{name}: a grant that is no number"
        assert (grant >= -ROUNDING * scale).all(), f"{name}: a grant of {grant.min()}"
        assert (grant.sum(axis=0) <= problem.capacity + ROUNDING * scale).all(), f"{name}: more than there is"
        assert allocation.status is not fs.Status.FAILED, f"{name} failed: {proof}"
        assert proof.feasible, f"{name}: {proof}"
        assert np.allclose(allocation.utility, problem.utility(grant), rtol=1e-12, atol=0), f"{name}: other accuracies"
        assert all(allocation.total <= bound * (1 + ROUNDING) for bound in bounds), f"{name} beats a proved bound"
        if badge(allocation) == "proved optimal":
            assert allocation.status is fs.Status.OPTIMAL, f"{name} is not proved optimal"


def agree(shown: Mapping[str, fs.Allocation], anew: Mapping[str, fs.Allocation]) -> None:
    """What is shown is what the library says, solved afresh."""
    for name, allocation in anew.items():
        assert np.array_equal(shown[name].grant, allocation.grant), f"{name} has other grants than the library's"
        assert badge(shown[name]) == badge(allocation), (
            f"{name} is shown as {badge(shown[name])}, not {badge(allocation)}"
        )


def run(seed: int, steps: int, *, every: int | None = None) -> Monkey:
    """A monkey after so many steps; says how far it is after every so many.

    Raises
    ------
    AssertionError
        If an invariant broke on the way.
    """
    solve.LONG_LOOK = LONG_LOOK
    monkey = Monkey(seed)
    for _ in range(steps):
        monkey.step()
        if every and monkey.steps % every == 0:
            print(f"{monkey.steps:,} steps", flush=True)
    return monkey


def main(arguments: Sequence[str] | None = None) -> int:
    """Let it loose; 1 if it broke something."""
    parser = argparse.ArgumentParser(description="A monkey at the dashboard, and hostile input for every reader.")
    parser.add_argument("--steps", type=int, default=10_000, help="at the dashboard; default 10,000")
    parser.add_argument("--inputs", type=int, default=10_000, help="for the readers of files and links; default 10,000")
    parser.add_argument("--seed", type=int, default=0, help="another for another walk; default 0")
    asked = parser.parse_args(arguments)
    start = perf_counter()
    print(hostile.told(asked.inputs, asked.seed), flush=True)
    monkey = run(asked.seed, asked.steps, every=REPORTED)
    for page, count in monkey.spent.most_common():
        print(f"{page}: {count:,} steps, {1000 * monkey.seconds[page] / count:.0f} ms of processor time each")
    print(f"{monkey.steps:,} steps and {asked.inputs:,} inputs in {perf_counter() - start:,.0f} s; nothing broke.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
