"""What `fairsynergy app` settles before it serves anything; tests/test_wheel.py sees it serve."""

import asyncio
import socket
from pathlib import Path

import pytest

import fairsynergy as fs
from fairsynergy.ui import launch
from fairsynergy.ui.launch import LaunchError

HERE = "127.0.0.1"


@pytest.fixture
def taken():
    """A port that somebody listens on."""
    with socket.socket() as listener:
        listener.bind((HERE, 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_the_pages_of_a_checkout_are_found():
    assert launch.scripts() == Path(__file__).parents[1]


def test_missing_pages_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr(fs, "__file__", str(tmp_path / "fairsynergy" / "__init__.py"))
    with pytest.raises(LaunchError, match=r"app\.py and pages/ are neither in .*_app nor in .*; install"):
        launch.scripts()


def test_without_a_wish_the_next_free_port_is_taken(monkeypatch, taken):
    monkeypatch.setattr(launch, "FIRST_PORT", taken)
    assert taken < launch.free_port(None, HERE) < taken + launch.PORTS_TRIED


def test_when_all_ports_are_taken(monkeypatch, taken):
    monkeypatch.setattr(launch, "FIRST_PORT", taken)
    monkeypatch.setattr(launch, "PORTS_TRIED", 1)
    with pytest.raises(LaunchError, match="all taken; stop another server, or name a port with --port"):
        launch.free_port(None, HERE)


def test_a_taken_port_is_refused(taken):
    with pytest.raises(LaunchError, match=rf"port {taken} cannot be used \(.+\); stop what uses it"):
        launch.free_port(taken, HERE)


@pytest.mark.parametrize("port", [-1, 0, 65536])
def test_an_impossible_port_is_refused(port):
    with pytest.raises(LaunchError, match=rf"from 1 to 65535, got {port}"):
        launch.free_port(port, HERE)


@pytest.mark.parametrize("address", ["192.0.2.1", "not an address"])
def test_an_address_of_another_machine_is_refused(address):
    with pytest.raises(LaunchError, match=rf"an address of this machine, .*got '{address}'"):
        launch.free_port(None, address)


@pytest.mark.parametrize(
    ("platform", "variables", "shown"),
    [
        ("linux", {}, False),
        ("linux", {"DISPLAY": ":0"}, True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("darwin", {}, True),
        ("win32", {}, True),
    ],
)
def test_a_browser_opens_only_where_it_can_be_seen(monkeypatch, platform, variables, shown):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(launch.sys, "platform", platform)
    assert launch.has_display() is shown


def test_every_answer_carries_the_headers_and_keeps_its_own():
    async def answers(scope, receive, send):
        own = [(b"referrer-policy", b"no-referrer"), (b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": 404, "headers": own})
        await send({"type": "http.response.body", "body": b"nothing here"})

    sent = []

    async def keep(message):
        sent.append(message)

    asyncio.run(launch.SecurityHeaders(answers)({"type": "http"}, None, keep))
    start, body = sent
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    assert headers == {name.lower(): value for name, value in launch.HEADERS.items()} | {
        "referrer-policy": "no-referrer", "content-type": "text/plain"
    }  # fmt: skip
    assert body["body"] == b"nothing here"


def test_pages_may_ask_no_other_host():
    sources = {source for line in launch.POLICY.values() for source in line.split()}
    assert launch.POLICY["default-src"] == "'self'"
    assert not any("http" in source or "*" in source or "." in source for source in sources)
