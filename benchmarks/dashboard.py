"""The dashboard as a visitor meets it, against the least page that Streamlit can serve (floor.py).

Both are served side by side and measured in turns, so that a busy machine slows both. A headless Chromium opens pages
and presses arrow keys; its own clock says when a chart has changed. Thirty visitors are websocket clients that send
what that browser sent. Reads the server's memory and CPU time from /proc, so it needs Linux; takes about three minutes.
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
from urllib.parse import parse_qsl, urlencode
from urllib.request import urlopen

import numpy as np
from playwright.sync_api import Browser, sync_playwright
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.engine import Row
from tests import chromium

ROOT = Path(__file__).parents[1]
DASHBOARD = [str(Path(sys.executable).with_name("fairsynergy")), "app", "--headless", "--port"]
FLOOR = [
    *(sys.executable, "-m", "streamlit", "run", str(ROOT / "benchmarks" / "floor.py")),
    *("--server.headless", "true", "--server.address", "127.0.0.1", "--server.port"),
]

FLEET = {"agents": "100", "setting": "DL"}  # two resources
# Pictures that are waited for: all of Explore as a newcomer finds it; after a key press, its two of the six rules, and
# the 3-D picture with its three twins.
HOME_CHARTS, RULES_CHARTS, SURFACES = 4, 2, 4
LOADS, WARM_UP, PRESSES = 5, 3, 20
VISITORS, UPDATES, THINK = 30, 12, 2.0  # seconds
SESSIONS, AT_ONCE = 200, 10
MB = 1e6
PATIENCE = 30.0  # seconds until an answer counts as lost

# Marks each picture with when it first changed after a key press. Attributes count inside a drawing only. A 3-D picture
# is a canvas, whose changes no observer sees, but Plotly tells when it has drawn.
PICTURES = ".stVegaLiteChart, .js-plotly-plot, .st-key-text"
WATCH = """
const pictures = () => [...document.querySelectorAll("PICTURES")];
const changed = (picture) => { if (picture) picture.changed ??= performance.now(); };
let pressed = 0;
addEventListener("keydown", () => {
  for (const picture of pictures()) delete picture.changed;
  pressed = performance.now();
}, true);
new MutationObserver((changes) => {
  for (const { type, target } of changes) {
    const element = target.nodeType === Node.ELEMENT_NODE ? target : target.parentElement;
    if (type !== "attributes" || element?.closest("svg")) changed(element?.closest("PICTURES"));
  }
}).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
window.listen = () => {
  for (const picture of pictures()) picture.on?.("plotly_afterplot", () => changed(picture));
};
window.answered = (count) => {
  const times = pictures().slice(0, count).map((picture) => picture.changed);
  return times.every(Boolean) && Math.max(...times) - pressed;
};
""".replace("PICTURES", PICTURES)
DRAWN = """([parts, count]) => document.querySelectorAll(parts).length >= count && performance.now()"""
IDLE = "[data-testid=stApp][data-test-script-state=notRunning][data-test-connection-state=CONNECTED]"


class Server(NamedTuple):
    """A server under test, and the seconds it took to answer its first question."""

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
        """Used so far, by all threads [seconds]."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def served(command: list[str]) -> Iterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start = time.perf_counter()
    process = subprocess.Popen([*command, str(port)], cwd=ROOT, stdout=subprocess.DEVNULL)
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
            return answer.status == 200
    except OSError:
        return False


# First load.


class Load(NamedTuple):
    """Seconds from the address to the last chart, and bytes over the wire."""

    seconds: float
    size: float


def load(browser: Browser, link: str, part: str, count: int) -> Load:
    """Open a link as somebody who has never been here: with an empty cache."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    sizes = []
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    wire.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    # In base64.
    wire.on("Network.webSocketFrameReceived", lambda event: sizes.append(len(event["response"]["payloadData"]) * 3 / 4))
    page.goto(link, wait_until="commit")
    milliseconds = page.wait_for_function(DRAWN, arg=[part, count]).json_value()
    page.wait_for_selector(IDLE)
    page.wait_for_load_state("networkidle")
    context.close()
    return Load(milliseconds / 1e3, sum(sizes))


def first_load(browser: Browser, ours: Server, floor: Server) -> Iterator[Row]:
    charts, text = (".stVegaLiteChart svg.marks", HOME_CHARTS), (".st-key-text .stText", 1)
    cold, cold_floor = load(browser, ours.link(), *charts), load(browser, floor.link(), *text)
    warm, warm_floor = [], []
    for _ in range(LOADS):
        warm.append(load(browser, ours.link(), *charts))
        warm_floor.append(load(browser, floor.link(), *text))
    for when, mine, least, goal in (
        ("the server's first visitor", [cold], [cold_floor], 3.0),
        (f"later visitors, median of {LOADS}", warm, warm_floor, 1.0),
    ):
        seconds, other = (median(visit.seconds for visit in visits) for visits in (mine, least))
        yield Row(
            f"first load until the last chart, empty cache, {when}", f"{seconds:.2f} s", f"{other:.2f} s",
            f"{seconds:.2f} s", f"at most {goal:.0f} s", seconds <= goal,
        )  # fmt: skip
    whole = cold.seconds + ours.start
    yield Row(
        "  from the command to the last chart",
        f"{whole:.1f} s",
        f"{cold_floor.seconds + floor.start:.1f} s",
        "",
        "",
        True,
    )
    yield Row(
        "  over the wire", f"{cold.size / MB:.2f} MB", f"{cold_floor.size / MB:.2f} MB", f"{cold.size / MB:.2f} MB",
        "at most 4 MB", cold.size <= 4 * MB,
    )  # fmt: skip


# Arrow keys.


class Slider:
    """A page in the browser, one of its sliders, how many pictures to wait for, and how long they took [seconds]."""

    def __init__(self, browser: Browser, link: str, slider: str, pictures: int) -> None:
        self.pictures, self.seconds, self.sent = pictures, list[float](), BackMsg()
        self.page = browser.new_page(viewport={"width": 1440, "height": 2200})
        self.page.add_init_script(WATCH)
        self.page.on("websocket", lambda wire: wire.on("framesent", self._note))
        self.page.goto(link)
        self.page.wait_for_selector(IDLE)
        self.page.wait_for_load_state("networkidle")
        self.page.evaluate("listen()")
        self.handle = self.page.locator(f".st-key-{slider}").get_by_role("slider")

    def press(self) -> None:
        """One step to the right, timed by the browser's clock; then wait until all is quiet."""
        self.page.bring_to_front()
        self.handle.focus()
        self.page.keyboard.press("ArrowRight")
        milliseconds = self.page.wait_for_function("count => answered(count)", arg=self.pictures).json_value()
        self.page.wait_for_selector(IDLE)
        time.sleep(0.1)
        self.seconds.append(milliseconds / 1e3)

    def _note(self, message: str | bytes) -> None:
        """Keep the last thing the browser asked for."""
        if isinstance(message, bytes):
            self.sent.ParseFromString(message)


def arrow_keys(explore: Slider, surfaces: Slider, least: Slider) -> Iterator[Row]:
    sliders = (least, explore, surfaces)
    for _ in range(WARM_UP + PRESSES):
        for slider in sliders:
            slider.press()
    floor, *ours = (np.array(slider.seconds[WARM_UP:]) * 1e3 for slider in sliders)
    for name, taken, most in zip(("Explore", "Utility surfaces, 3-D and its 2-D twins"), ours, (3, 4), strict=True):
        ratio = np.median(taken) / np.median(floor)
        yield Row(
            f"arrow key to changed chart, {name}, 100 agents, two resources; median of {PRESSES}",
            f"{np.median(taken):.0f} ms", f"{np.median(floor):.0f} ms",
            f"{ratio:.1f} x", f"at most {most}", ratio <= most,
        )  # fmt: skip
        slow, other = (np.percentile(times, 95) for times in (taken, floor))
        yield Row("  95th percentile", f"{slow:.0f} ms", f"{other:.0f} ms", f"{slow / other:.1f} x", "", True)


# Visitors without a browser.


class Visitor:
    """A websocket client that sends what the browser sent."""

    def __init__(self, socket: ClientConnection, query: dict[str, str], recorded: BackMsg) -> None:
        self.socket, self.query, self.recorded = socket, query, recorded

    async def arrive(self) -> None:
        first = BackMsg()
        first.rerun_script.query_string = urlencode(self.query)
        await self._ask(first)

    async def move(self, slider: str, value: float) -> None:
        """Set a slider; the other controls are as they were in the browser, but for the query's."""
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
        await self.socket.send(message.SerializeToString())
        wrong = ""
        async with asyncio.timeout(PATIENCE):
            while True:
                said = ForwardMsg.FromString(await self.socket.recv(decode=False))
                kind = said.WhichOneof("type")
                if kind == "delta" and said.delta.new_element.WhichOneof("type") in ("exception", "alert"):
                    wrong = str(said.delta.new_element)
                if kind == "script_finished" and said.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                    raise RuntimeError("the page does not compile")
                if kind == "script_finished" and said.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                    break
        if wrong:
            raise RuntimeError(wrong)


class Crowd(NamedTuple):
    """What many visitors met: seconds per update, failures, the server's CPU seconds per update."""

    seconds: list[float]
    errors: list[str]
    cpu: float


async def crowd(server: Server, slider: str, values: tuple[float, ...], recorded: BackMsg) -> Crowd:
    """Everybody has a fleet of their own, so that no answer is in the cache, and thinks between updates."""
    seconds: list[float] = []
    errors: list[str] = []
    here = asyncio.Barrier(VISITORS + 1)

    async def visit(number: int) -> None:
        chance = np.random.default_rng(number)
        async with connect(f"ws://127.0.0.1:{server.port}/_stcore/stream", max_size=None) as wire:
            visitor = Visitor(wire, FLEET | {"seed": str(number + 1)}, recorded)
            await visitor.arrive()
            await here.wait()
            for value in chance.choice(values, UPDATES, replace=False):
                await asyncio.sleep(chance.uniform(0.5, 1.5) * THINK)
                start = time.perf_counter()
                try:
                    await visitor.move(slider, float(value))
                except (RuntimeError, TimeoutError) as error:
                    errors.append(repr(error))
                seconds.append(time.perf_counter() - start)

    async with asyncio.TaskGroup() as tasks:
        for number in range(VISITORS):
            tasks.create_task(visit(number))
        await here.wait()
        before = server.cpu
    return Crowd(seconds, errors, (server.cpu - before) / len(seconds))


def thirty_visitors(ours: Server, explore: Slider, floor: Server, least: Slider) -> Iterator[Row]:
    mine = asyncio.run(crowd(ours, "capacity_compute", tuple(np.arange(0, 201) / 100), explore.sent))
    other = asyncio.run(crowd(floor, "n", tuple(range(1001)), least.sent))
    title = f"{VISITORS} visitors, each with a fleet of its own, {THINK:.0f} s of thought, {len(mine.seconds)} updates"
    for percentile, goal in ((50, 60), (95, 150)):
        found, least_found = (np.percentile(each.seconds, percentile) * 1e3 for each in (mine, other))
        yield Row(
            f"{title}: {percentile} % within" if percentile == 50 else f"  {percentile} % within",
            f"{found:.0f} ms", f"{least_found:.0f} ms", f"{found:.0f} ms", f"at most {goal} ms", found <= goal,
        )  # fmt: skip
    cpu, least_cpu = mine.cpu * 1e3, other.cpu * 1e3
    yield Row("  CPU per update", f"{cpu:.1f} ms", f"{least_cpu:.1f} ms", f"{cpu:.1f} ms", "at most 40 ms", cpu <= 40)
    failed = f"{len(mine.errors)}" + (f": {mine.errors[0][:60]}" if mine.errors else "")
    yield Row("  failed updates", failed, f"{len(other.errors)}", failed, "0", not mine.errors)


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
        asyncio.run(come_and_go(server, FLEET))
        time.sleep(1)
        grown.append((server.memory - before) / MB)
    mine, other = grown
    yield Row(
        f"resident memory after {SESSIONS} sessions opened and closed (now {ours.memory / MB:.0f} MB)",
        f"{mine:+.1f} MB", f"{other:+.1f} MB", f"{mine:+.1f} MB", "at most +20 MB", mine <= 20,
    )  # fmt: skip


def rows() -> Iterator[Row]:
    """Every line of the dashboard's budget, as it is measured."""
    path = chromium.find()
    if path is None:
        raise SystemExit(f"The dashboard is measured in a browser, but {chromium.why_not()}; {chromium.ADVICE}.")
    busy = os.getloadavg()[0]
    yield Row(f"load of the machine before ({os.cpu_count()} processors)", f"{busy:.1f}", "", "", "", True)
    with served(FLOOR) as floor, served(DASHBOARD) as ours:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path)
            yield from first_load(browser, ours, floor)
            explore = Slider(browser, ours.link(**FLEET), "capacity_compute", RULES_CHARTS)
            surfaces = Slider(browser, ours.link("utility_surfaces", **FLEET), "capacity_compute", SURFACES)
            least = Slider(browser, floor.link(), "n", 1)
            yield from arrow_keys(explore, surfaces, least)
            browser.close()
        yield from memory(ours, floor)
        yield from thirty_visitors(ours, explore, floor, least)
