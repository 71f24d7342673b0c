"""What is a visitor's stays theirs: nothing of it on disk, in another's session, or in another site's hands."""

import http.client
import re
from contextlib import closing
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from controls import IDLE
from playwright.sync_api import expect

from fairsynergy.ui.launch import HEADERS

SECRET = "zebra"  # in every name of the visitor whose fleet it is
ROWS = "".join(f"{SECRET} {i},0.{i % 9 + 1},0.5\n" for i in range(9))
FLEET = {
    "name": f"../../{SECRET}.csv", "mimeType": "text/csv", "buffer": f"agent,compute,gamma_compute\n{ROWS}".encode()
}  # fmt: skip
LARGE = {"name": f"{SECRET}.json", "mimeType": "application/json", "buffer": b'{"' + SECRET.encode() * 2**19 + b'": 1}'}


def test_what_one_visitor_brings_is_on_no_disk_and_in_no_other_session(watched_server, visitor):
    mine = visitor(watched_server.address)
    mine.get_by_role("button", name="Open or save a file").click()
    mine.locator(".st-key-file input[type=file]").set_input_files(FLEET)
    expect(mine.get_by_text(re.compile(rf"{SECRET}\.csv: 9 agents"))).to_be_visible()
    mine.keyboard.press("Escape")
    mine.get_by_role("link", name="What-if").click()
    mine.get_by_role("button", name="Duplicate").click()
    expect(mine.locator("h1")).to_contain_text("“as it is 2”")
    mine.get_by_role("tab", name="Save and open").click()
    mine.locator(".st-key-tray_file input[type=file]").set_input_files(LARGE)  # more than 1 MB
    expect(mine.get_by_test_id("stAlert")).to_contain_text("is not a tray of scenarios")

    theirs = visitor(watched_server.address)
    for name in ("Allocations", "Utility surfaces", "Measured curves", "What-if"):
        theirs.get_by_role("link", name=name).click()
        theirs.locator(IDLE).wait_for()
        expect(theirs.locator("h1")).to_be_visible()
        assert SECRET not in theirs.content()
        assert SECRET not in theirs.url
    expect(theirs.locator("h1")).to_contain_text("“as it is”")

    assert watched_server.written == []


def test_the_server_itself_refuses_what_is_too_large_and_what_another_site_sends(server, visitor):
    page = visitor(f"{server}/what_if")
    page.get_by_role("tab", name="Save and open").click()
    field = page.locator(".st-key-tray_file input[type=file]")
    with page.expect_request(re.compile("upload_file")) as asked:
        field.set_input_files({"name": "a.json", "mimeType": "application/json", "buffer": b"{}"})
    address, token = asked.value.url, asked.value.headers["x-xsrftoken"]

    def put(size, **headers):
        file = {"name": "b.json", "mimeType": "application/json", "buffer": b" " * size}
        return page.request.put(address, headers=headers, multipart={"file": file}).status

    assert put(10, **{"X-Xsrftoken": token}) == 204
    assert put(21 * 2**20, **{"X-Xsrftoken": token}) == 413
    assert put(10) == 403
    assert put(10, **{"X-Xsrftoken": "made up"}) == 403


def test_another_site_gets_no_connection(server):
    def connect(origin):
        return ask(server, "/_stcore/stream", **{
            "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Origin": origin,
        }).status  # fmt: skip

    assert connect("https://example.org") == 403
    assert connect(server) == 101


@pytest.mark.parametrize("path", ["/", "/what_if", "/_stcore/health", "/_stcore/host-config", "/no/such/page"])
def test_every_answer_tells_the_browser_what_not_to_do(server, path):
    answer = ask(server, path)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS


@pytest.mark.parametrize("path", ["/app/static/../app.py", "/app/static/%2e%2e/app.py", "/app/static/..%2fapp.py"])
def test_no_file_is_served_but_the_static_ones(server, path):
    assert b"frame.enter" not in ask(server, path).body


class Answer(NamedTuple):
    """What the server said."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


def ask(server, path, **headers):
    """The answer to a request whose path goes out as it is."""
    with closing(http.client.HTTPConnection(urlsplit(server).netloc, timeout=30)) as connection:
        connection.request("GET", path, headers=headers)
        with closing(connection.getresponse()) as answer:
            # After 101 there is a connection, which has no end to read to.
            return Answer(answer.status, answer.headers, b"" if answer.status == 101 else answer.read())
