"""Serves the dashboard: finds its scripts, warms up, prints the address, opens a browser.

An installed wheel carries app.py, pages/ and their settings in fairsynergy/_app; a checkout has them at its
top. Nothing is asked and nothing is reported home: no prompt, no e-mail question, no telemetry.
"""

from __future__ import annotations

import errno
import gc
import os
import socket
import sys
import webbrowser
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.formparsers import MultiPartParser
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import fairsynergy as fs
from fairsynergy.errors import FairSynergyError

FIRST_PORT = 8501
# How many ports to try when none was asked for.
PORTS_TRIED = 20
# Streamlit's scripts come out 1 % larger than at zlib's 9, in half the time.
COMPRESSION = 5
# What every answer tells the browser. A link to elsewhere shall not carry the visitor's address, which may hold their
# fleet; no other site may put the dashboard into a frame; and whatever a page is made to show, it asks no other host.
# Streamlit's page starts with a script in line, Vega makes functions of expressions, components come as blobs.
POLICY = {
    "default-src": "'self'",
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval' blob:",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'self'",
}
HEADERS = {
    "Content-Security-Policy": "; ".join(f"{name} {sources}" for name, sources in POLICY.items()),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
}
# These addresses mean every interface; they are listened on, but cannot be visited.
EVERYWHERE = ("0.0.0.0", "::")


class LaunchError(FairSynergyError):
    """The dashboard cannot be served as asked; the message says what to change."""


def launch(port: int | None, address: str, headless: bool) -> None:
    """Serve the dashboard until stopped by Ctrl+C or SIGTERM.

    Parameters
    ----------
    port : int or None
        Where to listen; None takes the first free one from 8501 on.
    address : str
        Which interface to listen on: ``127.0.0.1`` for this machine only, ``0.0.0.0`` for its whole network.
    headless : bool
        Whether to leave the browser closed. It stays closed anyway where there is no display.

    Raises
    ------
    LaunchError
        If the port or the address cannot be used, or the pages are missing.
    """
    app = scripts() / "app.py"
    port = free_port(port, address)
    host = "localhost" if address in EVERYWHERE else f"[{address}]" if ":" in address else address
    url = f"http://{host}:{port}"

    def ready() -> None:
        note = f" (for others on this network: http://{socket.gethostname()}:{port})"
        print(f"fairsynergy is at {url}{note if address in EVERYWHERE else ''}; Ctrl+C stops it.", flush=True)
        if not headless and has_display():
            webbrowser.open(url)

    # Streamlit looks for .streamlit/config.toml beside the script that was started; let that be app.py.
    sys.argv = [str(app)]
    keep_uploads_in_memory()
    served = st.App(
        app,
        lifespan=warm_then(ready),
        # Streamlit sends its scripts as they are: 4.7 MB for a page with a chart, a third of it compressed.
        middleware=[Middleware(SecurityHeaders), Middleware(GZipMiddleware, compresslevel=COMPRESSION)],
    )
    served.run(
        config={
            "server.address": address,
            "server.port": port,
            # True stops Streamlit from asking for an e-mail address; the browser is opened by `ready`.
            "server.headless": True,
            "server.showEmailPrompt": False,
            "browser.gatherUsageStats": False,
            "logger.hideWelcomeMessage": True,
        }
    )


class SecurityHeaders:
    """Middleware: every answer of the server carries `HEADERS`.

    Parameters
    ----------
    app : ASGI application
        What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer, and add the headers that it did not set."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers)


def keep_uploads_in_memory() -> None:
    """Let no part of an uploaded file touch the disk on its way.

    What takes requests apart would put a file of more than 1 MB into a temporary one; larger ones than
    `server.maxUploadSize` are refused before.
    """
    MultiPartParser.spool_max_size = sys.maxsize


def scripts() -> Path:
    """The folder that holds app.py and pages/.

    Raises
    ------
    LaunchError
        If the installation carries no dashboard.
    """
    package = Path(fs.__file__).resolve().parent
    for folder in (package / "_app", package.parent):
        if (folder / "app.py").is_file() and (folder / "pages").is_dir():
            return folder
    raise LaunchError(
        f"app.py and pages/ are neither in {package / '_app'} nor in {package.parent}; install fairsynergy "
        "again, from a wheel or from a complete checkout."
    )


def free_port(port: int | None, address: str) -> int:
    """The port asked for, or the first free one, checked by listening on it for a moment.

    Raises
    ------
    LaunchError
        If the port is taken or not allowed, or the address is not one of this machine's.
    """
    if port is not None and not 0 < port < 65536:
        raise LaunchError(f"`--port` must be from 1 to 65535, got {port}; leave it out to take a free one.")
    for candidate in range(FIRST_PORT, FIRST_PORT + PORTS_TRIED) if port is None else [port]:
        try:
            with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
                if os.name != "nt":  # on Windows this option would let two servers share a port
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((address, candidate))
                probe.listen()
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise LaunchError(
                    "`--address` must be an address of this machine, such as 127.0.0.1 (this machine only) "
                    f"or 0.0.0.0 (its whole network), got {address!r} ({error.strerror})."
                ) from None
            refusal = error.strerror
        else:
            return candidate
    if port is None:
        taken = f"the ports {FIRST_PORT} to {FIRST_PORT + PORTS_TRIED - 1} are all taken"
        raise LaunchError(f"{taken}; stop another server, or name a port with --port.")
    raise LaunchError(
        f"port {port} cannot be used ({refusal}); stop what uses it, name another with --port, or leave it "
        "out to take a free one."
    )


def has_display() -> bool:
    """Whether a browser window can be shown: always on Windows and macOS, with a display server elsewhere."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def warm_then(ready: Callable[[], None]) -> Callable[[st.App], AbstractAsyncContextManager[None]]:
    """A start-up hook that loads and solves everything once, freezes the collector, then calls `ready`.

    With every library loaded, a full walk of the garbage collector takes about 0.1 s and holds all visitors
    up; what exists now lives as long as the server, so the walk may skip it.
    """

    @asynccontextmanager
    async def lifespan(_: st.App) -> AsyncIterator[None]:
        from fairsynergy.ui import panels, solve  # noqa: F401  (loaded now rather than at the first visit)

        own = [[0.1, 0.1], [0.3, 0.2]]
        fleet = fs.Problem(endowment=own, capacity=[0.5, 1.0], elasticity=[[0.5, 0.3], [0.3, 0.4]])
        for policy in fs.POLICIES.values():
            fs.allocate(fleet, policy)
        gc.collect()
        gc.freeze()
        ready()
        yield

    return lifespan
