"""Where the browser tests find Chromium, and how one is installed where none is found."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
VARIABLE = "FAIRSYNERGY_CHROMIUM"
ADVICE = (
    "install Chromium (Debian, Ubuntu: sudo apt-get install chromium; Fedora: sudo dnf install chromium; "
    "macOS: brew install --cask chromium; or download it: .venv/bin/python -m playwright install chromium), "
    f"or set {VARIABLE} to the path of a Chromium or Chrome, and run make test again"
)


def find() -> str | None:
    """Path of a Chromium that starts: the variable's, else one on the PATH, else Playwright's own."""
    if named := os.environ.get(VARIABLE):
        return named if starts(named) else None
    on_path = (shutil.which(name) for name in NAMES)
    return next((path for path in (*on_path, playwrights_own()) if path and starts(path)), None)


def starts(path: str) -> bool:
    """Whether the program runs here; a downloaded one may lack the system's libraries."""
    if sys.platform == "win32":  # there `--version` opens a window and never ends
        return Path(path).is_file()
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def playwrights_own() -> str | None:
    """Path of the Chromium that `playwright install` put aside, if it did."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).is_file() else None


def why_not() -> str:
    """Why `find` found none."""
    if named := os.environ.get(VARIABLE):
        return f"{VARIABLE} names {named}, which does not start"
    return "no Chromium was found, nor could one be installed"


def install() -> str | None:
    """Install Chromium by Playwright's download, else by the system's packages; its path, or None."""
    if VARIABLE in os.environ:  # somebody chose one that does not start; another one would hide that
        return None
    environment = {**os.environ, "PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT": "10000"}  # milliseconds
    _attempt([sys.executable, "-m", "playwright", "install", "chromium"], environment)
    if (path := find()) or not shutil.which("apt-get"):
        return path
    rights = [] if os.geteuid() == 0 else ["sudo", "--non-interactive"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    _attempt([*rights, "apt-get", "update", "-qq"], environment)
    _attempt([*rights, "apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"], environment)
    return find()


def _attempt(command: list[str], environment: dict[str, str]) -> None:
    """Run an installer; what it could not do shows in that `find` still finds nothing."""
    print("Chromium:", *command, flush=True)
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"Chromium: {error}", flush=True)
        return
    if done.returncode:
        lines = (done.stderr or done.stdout or "without a message").strip().splitlines()
        reason = next((line for line in lines if line.startswith(("Error", "E:"))), lines[-1])
        print(f"Chromium: that failed: {reason}", flush=True)
