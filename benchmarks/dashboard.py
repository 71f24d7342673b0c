"""The dashboard as a visitor meets it, beside the least page that Streamlit can serve (floor.py).

Both are served at once and measured in turns, so that a busy machine slows both. A headless Chromium opens pages and
presses arrow keys; its own clock tells when a chart has changed. Thirty visitors are websocket clients that send what
the browser sent. The servers' memory and CPU time come from /proc, so this needs Linux; it takes about four minutes.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple
from urllib.error import URLError
from urllib.parse import parse_qsl, urlencode
from urllib.request import urlopen

import numpy as np
from playwright.sync_api import Browser, sync_playwright
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.browser import chromium
from benchmarks.row import Row

ROOT = Path(__file__).parents[1]
DASHBOARD = [str(Path(sys.executable).with_name("fairsynergy")), "app", "--headless", "--port"]
FLOOR = [
    *(sys.executable, "-m", "streamlit", "run", str(ROOT / "benchmarks" / "floor.py")),
    *("--server.headless", "true", "--server.address", "127.0.0.1", "--server.port"),
]

HUNDRED = {"agents": "100", "setting": "DL"}  # DL: two resources
# Pictures to wait for, in the order of the page: all of Explore as a newcomer finds it; after a key press, the two of
# the six rules on Explore, the surface with its three twins, and the scenarios with the compute of agents on What-if.
NEWCOMERS, RULES, SURFACES, EDITED = 4, 2, 4, 2
LOADS, WARM_UP, PRESSES = 5, 3, 20
VISITORS, UPDATES, THINK = 30, 12, 2.0  # seconds
SESSIONS, AT_ONCE = 200, 10
PATIENCE = 30.0  # seconds until an answer counts as lost
MB = 1e6

# After a key press, marks each picture with when it first changed and when the browser had then drawn a frame. In a
# drawing its shapes count, elsewhere its text. A 3-D picture is a canvas, and Plotly tells when it has handed it over.
PICTURES = ".stVegaLiteChart, .js-plotly-plot, .st-key-text"
WATCH = """
const pictures = () => [...document.querySelectorAll("PICTURES")];
let pressed = 0;
addEventListener("keydown", () => {
  for (const picture of pictures()) picture.changed = picture.drawn = undefined;
  pressed = performance.now();
}, true);
const change = (picture) => {
  if (!picture || picture.changed) return;
  picture.changed = performance.now();
  requestAnimationFrame(() => setTimeout(() => { picture.drawn = performance.now(); }));
};
new MutationObserver((changes) => {
  for (const { type, target } of changes) {
    const element = target.nodeType === Node.ELEMENT_NODE ? target : target.parentElement;
    if (type !== "attributes" || element?.closest("svg")) change(element?.closest("PICTURES"));
  }
}).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
window.listen = () => { for (const picture of pictures()) picture.on?.("plotly_afterplot", () => change(picture)); };
window.answered = (count) => {
  const seen = pictures().slice(0, count);
  return seen.length === count && seen.every((picture) => picture.drawn) && ["changed", "drawn"].map(
    (what) => Math.max(...seen.map((picture) => picture[what])) - pressed);
};
""".replace("PICTURES", PICTURES)
SHOWN = "([picture, count]) => document.querySelectorAll(picture).length >= count && performance.now()"
IDLE = "[data-testid=stApp][data-test-script-state=notRunning][data-test-connection-state=CONNECTED]"
QUIET = "() => new Promise((done) => requestAnimationFrame(() => requestIdleCallback(() => done())))"


class Server(NamedTuple):
    """A server under test, and how long it took to answer [seconds]."""

    port: int
    pid: int
    start: float

    def link(self, page: str = "", **query: str) -> str:
        return f"http://127.0.0.1:{self.port}/{page}?{urlencode(query)}"

    @property
    def memory(self) -> float:
        """Resident [bytes]."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    @property
    def cpu(self) -> float:
        """Used so far by all threads [seconds]."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def served(command: list[str]) -> Iterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start = time.perf_counter()
    process = subprocess.Popen([*command, str(port)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not healthy(port):
            if process.poll() is not None or time.perf_counter() - start > PATIENCE:
                raise RuntimeError(f"{' '.join(command)} {port} does not answer; exit code {process.poll()}")
            time.sleep(0.02)
        yield Server(port, process.pid, time.perf_counter() - start)
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()


def healthy(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/_stcore/health") as answer:
            return bool(answer.status == 200)
    except (URLError, ConnectionError):
        return False


# First load.


class Load(NamedTuple):
    """Seconds from the address to the last picture, and bytes over the wire."""

    seconds: float
    size: float


def load(browser: Browser, link: str, picture: str, count: int) -> Load:
    """Open a link as somebody who has never been here: with an empty cache."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    sizes = []
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    wire.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    # The payload is in base64.
    wire.on("Network.webSocketFrameReceived", lambda event: sizes.append(len(event["response"]["payloadData"]) * 3 / 4))
    page.goto(link, wait_until="commit")
    milliseconds = page.wait_for_function(SHOWN, arg=[picture, count]).json_value()
    page.wait_for_selector(IDLE)
    page.wait_for_load_state("networkidle")
    context.close()
    return Load(milliseconds / 1e3, sum(sizes))


def first_load(browser: Browser, ours: Server, floor: Server) -> Iterator[Row]:
    def visit_both() -> tuple[Load, Load]:
        mine = load(browser, ours.link(), ".stVegaLiteChart svg.marks", NEWCOMERS)
        return mine, load(browser, floor.link(), ".st-key-text .stText", 1)

    first, least = visit_both()
    later = list(zip(*(visit_both() for _ in range(LOADS)), strict=True))
    warm, warm_floor = (median(visit.seconds for visit in visits) for visits in later)
    for who, mine, other, most in (
        ("a server's first visitor", first.seconds, least.seconds, 3),
        (f"later visitors, median of {LOADS}", warm, warm_floor, 1),
    ):
        yield Row(
            f"first load until the last chart, empty cache, {who}", f"{mine:.2f} s", f"{other:.2f} s",
            f"{mine / other:.1f} x", f"at most {most} s", mine <= most,
        )  # fmt: skip
    yield Row(
        "  with the server's start", f"{ours.start + first.seconds:.2f} s", f"{floor.start + least.seconds:.2f} s",
        "", "", True,
    )  # fmt: skip
    yield Row(
        "  over the wire", f"{first.size / MB:.2f} MB", f"{least.size / MB:.2f} MB",
        f"{first.size / least.size:.1f} x", "at most 4 MB", first.size <= 4 * MB,
    )  # fmt: skip


# Arrow keys.


class Slider:
    """A page in the browser and one of its controls; each press adds (changed, drawn) to `times` [milliseconds].

    Parameters
    ----------
    browser, link
        Where.
    key : str
        Of the control.
    pictures : int
        How many of the page's first pictures must have changed.
    role, arrow : str
        What kind of control it is, and the key that moves it.
    """

    def __init__(
        self, browser: Browser, link: str, key: str, pictures: int, role: str = "slider", arrow: str = "ArrowRight"
    ) -> None:
        self.arrow = arrow
        self.pictures, self.times, self.sent = pictures, list[tuple[float, float]](), BackMsg()
        self.page = browser.new_page(viewport={"width": 1440, "height": 2200})
        self.page.add_init_script(WATCH)
        self.page.on("websocket", lambda wire: wire.on("framesent", self._note))
        self.page.goto(link)
        self.page.wait_for_function(SHOWN, arg=[PICTURES, pictures])
        self.page.wait_for_selector(IDLE)
        self.page.wait_for_load_state("networkidle")
        self.page.evaluate("listen()")
        self.handle = self.page.locator(f".st-key-{key}").get_by_role(role)

    def press(self) -> None:
        """One step, then wait until all is quiet."""
        self.page.bring_to_front()
        self.handle.focus()
        self.page.keyboard.press(self.arrow)
        times = self.page.wait_for_function("count => answered(count)", arg=self.pictures).json_value()
        self.times.append(tuple(times))
        self.page.wait_for_selector(IDLE)
        self.page.evaluate(QUIET)
        time.sleep(0.1)

    def _note(self, message: str | bytes) -> None:
        """Keep the last thing that the page asked for."""
        if isinstance(message, bytes):
            self.sent.ParseFromString(message)


def arrow_keys(explore: Slider, surfaces: Slider, edits: Slider, least: Slider) -> Iterator[Row]:
    sliders = (least, explore, surfaces, edits)
    for _ in range(WARM_UP + PRESSES):
        for slider in sliders:
            slider.press()
    floor, *ours = (np.array(slider.times[WARM_UP:]) for slider in sliders)
    names = ("Explore", "Utility surfaces, 3-D and its twins", "What-if, an edit of the cloud")
    for name, taken, most in zip(names, ours, (3, 4, 3), strict=True):
        for percentile, what in (
            (50, f"{name}, 100 agents, two resources: median of {PRESSES}"),
            (95, "  95 % within"),
        ):
            mine, other = (np.percentile(each[:, 0], percentile) for each in (taken, floor))
            goal = f"at most {most} x" if percentile == 50 else ""
            yield Row(
                f"arrow key to changed chart, {what}" if goal else what, f"{mine:.0f} ms", f"{other:.0f} ms",
                f"{mine / other:.1f} x", goal, not goal or mine / other <= most,
            )  # fmt: skip
        mine, other = np.median(taken[:, 1]), np.median(floor[:, 1])
        yield Row("  until it is drawn, median", f"{mine:.0f} ms", f"{other:.0f} ms", f"{mine / other:.1f} x", "", True)


# Visitors without a browser.


class Visitor:
    """A websocket client that sends what a browser sent."""

    def __init__(self, wire: ClientConnection, query: dict[str, str], recorded: BackMsg) -> None:
        self.wire, self.query, self.recorded = wire, query, recorded

    async def arrive(self) -> None:
        message = BackMsg()
        message.rerun_script.query_string = urlencode(self.query)
        await self._ask(message)

    async def move(self, slider: str, value: float) -> None:
        """Set a slider; every other control is as it was in the browser, but for the fleet drawn."""
        message = BackMsg()
        message.CopyFrom(self.recorded)
        asked = message.rerun_script
        asked.query_string = urlencode(dict(parse_qsl(asked.query_string)) | self.query | {slider: f"{value:g}"})
        for widget in asked.widget_states.widgets:
            key = widget.id.rpartition("-")[2]
            if key == slider:
                widget.double_array_value.data[:] = [value]
            elif key == "seed":
                widget.int_value = int(self.query["seed"])
        await self._ask(message)

    async def _ask(self, message: BackMsg) -> None:
        """Send, and read until the script has finished; a page with an error box is a failure."""
        await self.wire.send(message.SerializeToString())
        wrong = ""
        async with asyncio.timeout(PATIENCE):
            while True:
                said = ForwardMsg.FromString(await self.wire.recv(decode=False))
                kind = said.WhichOneof("type")
                if kind == "delta" and wrong_box(said.delta.new_element):
                    wrong = str(said.delta.new_element)
                if kind == "script_finished" and said.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                    break
        if wrong or said.script_finished != ForwardMsg.FINISHED_SUCCESSFULLY:
            raise RuntimeError(wrong or "the page does not compile")


def wrong_box(element: Element) -> bool:
    """Whether it says that something went wrong; other boxes say what a visitor should know."""
    kind = element.WhichOneof("type")
    return kind == "exception" or (kind == "alert" and element.alert.format == Alert.ERROR)


class Crowd(NamedTuple):
    """What many visitors met: seconds of each update, failures, and the server's CPU seconds per update."""

    seconds: list[float]
    errors: list[str]
    cpu: float


async def crowd(server: Server, query: dict[str, str], slider: str, values: range, recorded: BackMsg) -> Crowd:
    """Everybody has a fleet of their own, so that few answers are in the cache, and thinks between updates."""
    seconds: list[float] = []
    errors: list[str] = []
    here = asyncio.Barrier(VISITORS + 1)

    async def visit(number: int) -> None:
        chance = np.random.default_rng(number)
        async with connect(f"ws://127.0.0.1:{server.port}/_stcore/stream", max_size=None) as wire:
            visitor = Visitor(wire, query | {"seed": str(number)}, recorded)
            await visitor.arrive()
            await here.wait()
            for value in chance.choice(values, UPDATES, replace=False):
                await asyncio.sleep(chance.uniform(0.5, 1.5) * THINK)
                start = time.perf_counter()
                try:
                    await visitor.move(slider, value / 100)
                except (RuntimeError, TimeoutError) as error:
                    errors.append(repr(error))
                seconds.append(time.perf_counter() - start)

    async with asyncio.TaskGroup() as tasks:
        for number in range(VISITORS):
            tasks.create_task(visit(number))
        await here.wait()
        before = server.cpu
    return Crowd(seconds, errors, (server.cpu - before) / len(seconds))


def thirty_visitors(ours: Server, floor: Server, hundred: Slider, newcomer: Slider, least: Slider) -> Iterator[Row]:
    other = asyncio.run(crowd(floor, {}, "n", range(0, 100_000, 100), least.sent))
    for fleet, query, recorded in (
        ("100 agents, two resources", HUNDRED, hundred.sent),
        ("10 agents, one resource", {}, newcomer.sent),
    ):
        mine = asyncio.run(crowd(ours, query, "capacity_compute", range(201), recorded))
        for percentile, most in ((50, 60), (95, 150)):
            found, floors = (np.percentile(each.seconds, percentile) * 1e3 for each in (mine, other))
            who = f"{VISITORS} visitors on Explore, {THINK:.0f} s of thought, {fleet}: " if percentile == 50 else "  "
            yield Row(
                f"{who}{percentile} % of {len(mine.seconds)} updates within", f"{found:.0f} ms", f"{floors:.0f} ms",
                f"{found / floors:.1f} x", f"at most {most} ms", found <= most,
            )  # fmt: skip
        cpu, floors = mine.cpu * 1e3, other.cpu * 1e3
        yield Row(
            "  CPU per update", f"{cpu:.0f} ms", f"{floors:.0f} ms", f"{cpu / floors:.1f} x", "at most 40 ms", cpu <= 40
        )
        first = f": {mine.errors[0][:80]}" if mine.errors else ""
        yield Row("  errors", f"{len(mine.errors)}{first}", f"{len(other.errors)}", "", "0", not mine.errors)


async def come_and_go(server: Server, query: dict[str, str]) -> None:
    """`SESSIONS` visitors, a few at a time, open the page and leave."""
    room = asyncio.Semaphore(AT_ONCE)

    async def visit() -> None:
        async with room, connect(f"ws://127.0.0.1:{server.port}/_stcore/stream", max_size=None) as wire:
            await Visitor(wire, query, BackMsg()).arrive()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(SESSIONS):
            tasks.create_task(visit())


def memory(ours: Server, floor: Server) -> Iterator[Row]:
    grown = []
    for server in (ours, floor):
        before = server.memory
        asyncio.run(come_and_go(server, HUNDRED))
        time.sleep(1)
        grown.append((server.memory - before) / MB)
    yield Row(
        f"resident memory after {SESSIONS} sessions opened and closed", f"{grown[0]:+.1f} MB", f"{grown[1]:+.1f} MB",
        f"now {ours.memory / MB:.0f} MB", "at most +20 MB", grown[0] <= 20,
    )  # fmt: skip


def rows() -> Iterator[Row]:
    """Every line of the dashboard's budget, as it is measured."""
    path = chromium()
    load = f"{os.getloadavg()[0]:.1f}"
    yield Row(f"load of the machine's {os.cpu_count()} processors before; none is best", load, "", "", "", True)
    with served(FLOOR) as floor, served(DASHBOARD) as ours:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path)
            yield from first_load(browser, ours, floor)
            explore = Slider(browser, ours.link(**HUNDRED), "capacity_compute", RULES)
            surfaces = Slider(browser, ours.link("utility_surfaces", **HUNDRED), "capacity_compute", SURFACES)
            edits = Slider(
                browser, ours.link("what_if", **HUNDRED), "cloud_0", EDITED, role="spinbutton", arrow="ArrowUp"
            )
            least = Slider(browser, floor.link(), "n", 1)
            yield from arrow_keys(explore, surfaces, edits, least)
            newcomer = Slider(browser, ours.link(), "capacity_compute", RULES)
            newcomer.press()
            browser.close()
        yield from memory(ours, floor)
        yield from thirty_visitors(ours, floor, explore, newcomer, least)
