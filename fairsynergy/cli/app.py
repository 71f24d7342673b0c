"""`fairsynergy app`: the dashboard, in a browser."""

from __future__ import annotations

import argparse

from fairsynergy.cli.terminal import Commands


def add(commands: Commands) -> None:
    """Declare the command."""
    app = commands.add_parser("app", help="open the dashboard in a browser", description="Open the dashboard.")
    app.add_argument("--port", type=int, help="where to listen; default: the first free one from 8501 on")
    app.add_argument(
        "--address",
        default="127.0.0.1",
        help="127.0.0.1 for this machine only (default), 0.0.0.0 for everybody on its network",
    )
    app.add_argument("--headless", action="store_true", help="do not open a browser")
    app.set_defaults(run=_app)


def _app(arguments: argparse.Namespace) -> None:
    from fairsynergy.ui.launch import launch  # loads the dashboard, which the other commands do without

    launch(port=arguments.port, address=arguments.address, headless=arguments.headless)
