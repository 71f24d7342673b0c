"""The command line: `fairsynergy app | solve | presets | report | fit | measure | reproduce | sweep | bench | …`.

Results go to standard output. Anything wrong goes to standard error in one message, with exit code 2; a goal that a
benchmark misses is a result, with exit code 1.

Each module declares the arguments of its commands next to the functions that run them. What takes long to load and
only one command needs is imported in its function, so that the others start quickly.

>>> main(["presets", "two drones", "--csv"])
agent,compute,gamma_compute,saturation_compute
drone 1,0.1,0.3,1.0
drone 2,0.2,0.6,1.0
0
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version

from fairsynergy.cli import app, cities, experiments, measuring, solving
from fairsynergy.errors import FairSynergyError

# Exit codes: wrong input as in argparse, a reader that went away as in rich, a stop by Ctrl+C as in shells.
WRONG, UNREAD, STOPPED = 2, 1, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code.

    Raises
    ------
    SystemExit
        From argparse: code 0 after help, 2 after a wrong argument.
    """
    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal's encoding lacks is spelled out, rather than an error.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.version:
        print(f"fairsynergy {version('fairsynergy')}")
        return 0
    if arguments.command is None:
        parser.print_help()
        return 0
    run: Callable[[argparse.Namespace], int | None] = arguments.run
    try:
        code = run(arguments)
        sys.stdout.flush()
    except FairSynergyError as error:
        print(f"fairsynergy {arguments.command}: {error}", file=sys.stderr)
        return WRONG
    except BrokenPipeError:  # the reader, for instance head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNREAD
    except KeyboardInterrupt:
        return STOPPED
    return code or 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fairsynergy",
        description="A cloud has so much to share among a fleet: who should get what, and is that fair?",
        epilog="Start with: fairsynergy app",
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for group in (app, solving, measuring, experiments, cities):  # in the order of the help
        group.add(commands)
    return parser
