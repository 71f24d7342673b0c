"""The wheel alone, in an environment of its own and far from the repository, serves the dashboard.

And the source archive holds what building and testing need, and no more.
"""

import os
import re
import socket
import subprocess
import sys
import sysconfig
import tarfile
import time
import tomllib
import venv
import zipfile
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).parents[1]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
MEGABYTE = 1_000_000
START_WITHIN = 60  # seconds; it takes two, unless the machine is busy


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """Folder of the programs of a fresh environment with the wheel installed."""
    folder = tmp_path_factory.mktemp("wheel")
    run = {"check": True, "cwd": ROOT, "capture_output": True, "text": True}
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], **run)
    (wheel,) = folder.glob("*.whl")
    home = folder / "environment"
    venv.create(home)
    scheme = sysconfig.get_paths("venv", vars={"base": str(home), "platbase": str(home)})
    python = Path(scheme["scripts"]) / ("python.exe" if os.name == "nt" else "python")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python]
    subprocess.run([*pip, "install", "--no-deps", "--no-index", wheel], **run)
    # The dependencies are those of the running environment: downloading 500 MB again would test the network.
    # Its own path files are not followed from here, so its editable fairsynergy stays out of sight.
    Path(scheme["purelib"], "dependencies.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return Path(scheme["scripts"])


@pytest.fixture
def run(programs, tmp_path):
    """Start the installed program in an empty directory, without what the tests' environment sets."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}

    def start(*arguments):
        return subprocess.Popen(
            [programs / "fairsynergy", *arguments],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def fetch(url):
    with urlopen(url, timeout=30) as answer:
        return answer.read().decode()


def wait_for(url, server):
    deadline = time.monotonic() + START_WITHIN
    while True:
        try:
            return fetch(url)
        except URLError:
            assert server.poll() is None, server.communicate()
            assert time.monotonic() < deadline, f"no answer from {url} within {START_WITHIN} s"
            time.sleep(0.1)


def test_the_wheel_is_what_runs(programs):
    code = "import fairsynergy; print(fairsynergy.__file__)"
    python = programs / ("python.exe" if os.name == "nt" else "python")
    where = subprocess.run([python, "-c", code], cwd=programs, capture_output=True, text=True, check=True)
    assert Path(where.stdout.strip()).is_relative_to(programs.parent)


def test_the_version_is_the_same_everywhere(run):
    out, err = run("--version").communicate(timeout=START_WITHIN)
    assert (out, err) == (f"fairsynergy {VERSION}\n", "")
    cited = re.search(r"^version: (\S+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.M)
    assert cited[1] == VERSION
    assert f"## [{VERSION}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_wheel_says_that_it_is_typed(programs):
    (wheel,) = programs.parents[1].glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "fairsynergy/py.typed" in names
    assert [name for name in names if not name.startswith(("fairsynergy/", f"fairsynergy-{VERSION}.dist-info/"))] == []


def test_the_source_archive_holds_what_a_packager_needs(tmp_path):
    run = {"check": True, "cwd": ROOT, "capture_output": True, "text": True}
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", tmp_path], **run)
    (file,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(file) as archive:
        sizes = {member.name.partition("/")[2]: member.size for member in archive.getmembers()}
    assert {"pyproject.toml", "PKG-INFO", "LICENSE", "README.md", "CHANGELOG.md", "CITATION.cff"} <= set(sizes)
    assert {"fairsynergy/py.typed", "app.py", "pages/explore.py", "assets/presets.json", "docs/index.md"} <= set(sizes)
    assert {".streamlit/config.toml", "tests/conftest.py", "benchmarks/table.py"} <= set(sizes)
    top = {name.partition("/")[0] for name in sizes}
    assert top & {".ci", ".github", ".venv", "site", "requirements.lock"} == set()
    # The one large file is what draws surfaces without a network.
    assert [name for name, size in sizes.items() if size > MEGABYTE] == ["static/plotly-gl3d.min.js"]


def test_help(run):
    out, err = run("--help").communicate(timeout=START_WITHIN)
    assert "app" in out
    assert "solve" in out
    assert err == ""


def test_the_benchmarks_stay_in_the_repository(run):
    bench = run("bench")
    out, err = bench.communicate(timeout=START_WITHIN)
    assert (bench.returncode, out) == (2, "")
    assert err.startswith("fairsynergy bench: the benchmarks are in the repository, not in the installed package")
    assert err.count("\n") == 1


def test_the_dashboard_is_served(run, port, tmp_path):
    # Streamlit's own check address runs the first page and says whether it ended without an exception.
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "config.toml").write_text("[server]\nscriptHealthCheckEnabled = true\n")
    server = run("app", "--port", str(port), "--headless")
    try:
        url = f"http://127.0.0.1:{port}"
        assert wait_for(f"{url}/_stcore/health", server) == "ok"
        assert '<div id="root">' in fetch(url)
        assert fetch(f"{url}/_stcore/script-health-check") == "ok"
        for bundle in (ROOT / "static").glob("*.js"):
            assert fetch(f"{url}/app/static/{bundle.name}") == bundle.read_text(encoding="utf-8")
    finally:
        server.terminate()
        out, err = server.communicate(timeout=START_WITHIN)
    assert url in out
    assert err == ""


def test_an_occupied_port_is_one_clear_line(run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = run("app", "--port", str(port), "--headless")
        out, err = server.communicate(timeout=START_WITHIN)
    assert server.returncode == 2
    assert out == ""
    assert err.startswith(f"fairsynergy app: port {port} cannot be used")
    assert err.count("\n") == 1
