"""Where the benchmarks find a Chromium."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

from fairsynergy.errors import FairSynergyError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
VARIABLE = "FAIRSYNERGY_CHROMIUM"


def chromium() -> str:
    """Path of a Chromium: the variable's, else one on the PATH, else Playwright's own.

    Raises
    ------
    FairSynergyError
        If there is none.
    """
    if path := os.environ.get(VARIABLE) or next(filter(None, map(shutil.which, NAMES)), None):
        return path
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    if Path(path).is_file():
        return path
    raise FairSynergyError(
        "the dashboard is measured in a browser, but no Chromium was found; install one, or set "
        f"{VARIABLE} to the path of a Chromium or Chrome"
    )
