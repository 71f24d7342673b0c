"""The Containerfile, as far as it can be tried without a container engine: its files exist, its commands work.

That the image builds is not tried here.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import time
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINES = (ROOT / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
STEPS = [tuple(line.split(maxsplit=1)) for line in LINES if line.strip() and not line.startswith("#")]
START_WITHIN = 60  # seconds
NOBODY = 65534


def steps(kind):
    return [words for name, words in STEPS if name == kind]


def test_it_installs_by_hash_only_and_ends_without_rights():
    installs = [words for words in steps("RUN") if "pip install" in words]
    assert all("--require-hashes" in words or "--no-deps --no-build-isolation" in words for words in installs)
    last = [name for name, _ in STEPS].index("FROM", 2)
    final = STEPS[last:]
    assert ("USER", f"{NOBODY}:{NOBODY}") in final
    assert not any(name in ("RUN", "ADD") for name, _ in final), "what builds stays behind"


def test_what_it_takes_away_is_what_tests_need_and_the_dashboard_does_not():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (listed,) = re.findall(r"uninstall --yes ((?!pip\b).*?)\s*&&", " ".join(steps("RUN")))
    tests, needed = (
        {re.split(r"[\[>=<]", each)[0] for each in wanted}
        for wanted in (project["optional-dependencies"]["test"], project["dependencies"])
    )
    assert set(listed.split()) <= tests - needed


def test_all_that_a_wheel_is_made_of_is_let_in():
    ignored = (ROOT / ".containerignore").read_text(encoding="utf-8").split("\n")
    let_in = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {*wheel["packages"], *wheel["force-include"], "pyproject.toml", project["project"]["readme"], "LICENSE"}
    assert let_in == needed | {"requirements.lock"}
    assert all((ROOT / name).exists() for name in let_in)
    assert os.readlink(ROOT / ".dockerignore") == ".containerignore"


@pytest.mark.skipif(sys.platform == "win32", reason="it is a Linux image")
def test_its_command_serves_without_rights_and_without_writing(tmp_path):
    """As nobody where the tests may become that; else as themselves."""
    command = json.loads(steps("CMD")[0])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command[command.index("--port") + 1] = port
    command[command.index("--address") + 1] = "127.0.0.1"
    program = Path(sysconfig.get_path("scripts"), command[0])
    assert program.exists()
    # The package of this checkout, whichever is installed.
    start = [sys.executable, "-c", "import sys; from fairsynergy.cli import main; sys.exit(main())", *command[1:]]
    nobody = become_nobody()
    environment = {
        "PATH": os.environ["PATH"], "HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(ROOT)
    }  # fmt: skip
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen([*nobody, *start], cwd="/", env=environment, stdout=log, stderr=log)
    try:
        check = json.loads(steps("HEALTHCHECK")[0].partition("CMD")[2])
        check[0], check[2] = sys.executable, check[2].replace("8501", port)
        deadline = time.monotonic() + START_WITHIN
        while subprocess.run(check, capture_output=True).returncode:
            assert server.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < deadline, (tmp_path / "log").read_text()
            time.sleep(0.3)
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(20) in (0, -signal.SIGTERM)


def become_nobody():
    """Words before a command that take its rights away; none where nobody could not read the checkout."""
    if os.geteuid() or not (setpriv := shutil.which("setpriv")):
        return []
    words = [
        setpriv,
        f"--reuid={NOBODY}",
        f"--regid={NOBODY}",
        "--clear-groups",
        "--no-new-privs",
        "--bounding-set=-all",
    ]
    can_read = subprocess.run([*words, sys.executable, "-c", "import streamlit"], cwd="/", capture_output=True)
    return words if can_read.returncode == 0 and (ROOT.stat().st_mode & 0o005) == 0o005 else []
