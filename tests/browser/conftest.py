"""A server of our own, a headless Chromium, and pages that fail their test on a console error or a foreign host."""

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import urlopen

import chromium
import pytest
from controls import DESK, IDLE
from playwright.sync_api import expect, sync_playwright

ROOT = Path(__file__).parents[2]
PATIENCE = 30  # seconds until a server that does not answer, or a page that does not settle, is called broken
START = "import sys; from fairsynergy.cli import main; sys.exit(main())"
# A server that runs this first tells every file that it opens for writing, also one without a name.
WATCH = """
import os, sys
def watch(event, arguments):
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        if str(arguments[0]) != os.devnull:
            print("WROTE", arguments[0], flush=True)
sys.addaudithook(watch)
"""
expect.set_options(timeout=PATIENCE * 1000)  # a busy machine is slow, not broken
# On the first visit to a page's address Streamlit's own script looks for the server under that address too.
PROBES = ("/_stcore/health", "/_stcore/host-config")


@contextmanager
def serving(log, *, before="", cwd=ROOT, port=None, **environment):
    """A dashboard, started as its users start it; its address.

    Parameters
    ----------
    log : Path
        Where it writes what it says.
    before : str
        Python that runs in its process before anything else.
    cwd : Path
        Its working directory.
    port : int or None
        Where it listens; None for a port that is free.
    **environment : str
        Variables beside those of the tests.
    """
    if port is None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
    command = [sys.executable, "-c", before + START, "app", "--headless", "--port", str(port)]
    with log.open("wb") as output:
        variables = os.environ | {"BROWSER": "true"} | environment
        server = subprocess.Popen(command, cwd=cwd, stdout=output, stderr=output, env=variables)
        try:
            address = f"http://127.0.0.1:{port}"
            deadline = time.monotonic() + PATIENCE
            while not answers(f"{address}/_stcore/health"):
                assert server.poll() is None, log.read_text()
                assert time.monotonic() < deadline, f"no answer in {PATIENCE} s; {log.read_text()}"
                time.sleep(0.1)
            yield address
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def answers(url):
    try:
        with urlopen(url, timeout=1) as response:
            return response.status == 200
    except OSError:
        return False


@pytest.fixture(scope="session")
def serve():
    """`serving`, for a test that starts and stops a dashboard itself."""
    return serving


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """Address of a dashboard that all tests share."""
    with serving(tmp_path_factory.mktemp("server") / "log.txt") as address:
        yield address


@pytest.fixture
def fresh_server(tmp_path):
    """Address of a dashboard that nobody has visited yet."""
    with serving(tmp_path / "log.txt") as address:
        yield address


class Watched(NamedTuple):
    """A server that tells what it writes: its address, its log, and the folders that it could write to."""

    address: str
    log: Path
    places: list[Path]

    @property
    def written(self):
        """The files that it opened for writing, and those that are there."""
        told = [line for line in self.log.read_text().splitlines() if line.startswith("WROTE")]
        return told + [str(path) for place in self.places for path in place.rglob("*")]


@pytest.fixture
def watched_server(tmp_path):
    """A dashboard whose folders for temporary files, of its user and for work are empty and its own."""
    places = [tmp_path / name for name in ("temporary", "home", "work")]
    for place in places:
        place.mkdir()
    temporary, home, work = places
    variables = {"TMPDIR": str(temporary), "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(ROOT)}
    with serving(tmp_path / "log.txt", before=WATCH, cwd=work, **variables) as address:
        yield Watched(address, tmp_path / "log.txt", places)


@pytest.fixture(scope="session")
def browser():
    path = chromium.find()
    if path is None:
        pytest.skip(f"no Chromium: {chromium.ADVICE}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visitor(browser):
    """A function (address, **context options) → page that has settled, in a context of its own."""
    contexts, troubles = [], []

    def visit(address, viewport=DESK, **options):
        context = browser.new_context(viewport=viewport, **options)
        context.set_default_timeout(PATIENCE * 1000)
        contexts.append(context)
        page = context.new_page()
        home = urlsplit(address).netloc

        def requested(request):
            asked = urlsplit(request.url)
            if asked.scheme in ("http", "https", "ws", "wss") and asked.netloc != home:
                troubles.append(f"asked another host: {request.url}")

        def said(message):
            probing = message.location.get("url", "").endswith(PROBES)
            if message.type == "error" and not probing:
                troubles.append(f"console: {message.text} ({message.location})")

        page.on("request", requested)
        page.on("console", said)
        page.on("pageerror", lambda error: troubles.append(f"script: {error}"))
        page.goto(address)
        settled(page)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert not troubles


def settled(page):
    """Wait until the page has its answer and the server is idle."""
    page.locator("h1").wait_for()
    page.locator(IDLE).wait_for()
    return page
