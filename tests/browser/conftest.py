"""A server of our own, a headless Chromium, and pages that fail their test on a console error or a foreign host."""

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import chromium
import pytest
from controls import IDLE
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[2]
PATIENCE = 30  # seconds until a server that does not answer, or a page that does not settle, is called broken
START = "import sys; from fairsynergy.cli import main; sys.exit(main())"
DESK = {"width": 1440, "height": 900}
# On the first visit to a page's address Streamlit's own script looks for the server under that address too.
PROBES = ("/_stcore/health", "/_stcore/host-config")


@contextmanager
def serving(log):
    """A dashboard on a free port, started as its users start it; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", START, "app", "--headless", "--port", str(port)]
    with log.open("wb") as output:
        server = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output, env=os.environ | {"BROWSER": "true"})
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
def server(tmp_path_factory):
    """Address of a dashboard that all tests share."""
    with serving(tmp_path_factory.mktemp("server") / "log.txt") as address:
        yield address


@pytest.fixture
def fresh_server(tmp_path):
    """Address of a dashboard that nobody has visited yet."""
    with serving(tmp_path / "log.txt") as address:
        yield address


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
