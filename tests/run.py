"""`make test`: lint, types, unit tests with doctests, page, browser and training tests, one after the other.

Every ring runs even if an earlier one failed. The last line says whether all of them ran and passed, or which
did not run, why, and what to install. Name rings to run only those: `python tests/run.py lint types`.
"""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter

import chromium

PYTHON = [sys.executable, "-m"]
PYTEST = [*PYTHON, "pytest", "--quiet"]
EVERY_CORE = ["--numprocesses=auto", "--dist=worksteal"]  # not for the browser, which keeps all cores busy by itself
RINGS = {
    "lint": [[*PYTHON, "ruff", "check", "--output-format=concise"], [*PYTHON, "ruff", "format", "--check"]],
    "types": [[*PYTHON, "mypy"]],
    "unit": [[*PYTEST, *EVERY_CORE, "--ignore=tests/pages", "--ignore=tests/browser", "--ignore=tests/training"]],
    "pages": [[*PYTEST, *EVERY_CORE, "tests/pages"]],
    "browser": [[*PYTEST, "tests/browser"]],
    "training": [[*PYTEST, "tests/training"]],
}


def main(rings: list[str]) -> int:
    """Run the rings; 0 if everything that could run passed."""
    os.chdir(Path(__file__).parents[1])
    failed, missing = [], {}
    for ring in rings:
        print(f"\n== {ring}", flush=True)
        if ring == "browser":
            browser = chromium.find() or chromium.install()
            if browser is None:
                missing[ring] = f"{chromium.why_not()}; to run it, {chromium.ADVICE}"
                continue
            os.environ[chromium.VARIABLE] = browser
        if ring == "training" and find_spec("torch") is None:
            missing[ring] = "there is no PyTorch; to run it, make training"
            continue
        start = perf_counter()
        codes = [subprocess.run(command).returncode for command in RINGS[ring]]
        if any(codes):
            failed.append(ring)
        verdict = "FAILED" if any(codes) else "passed"
        print(f"-- {ring} {verdict} in {perf_counter() - start:.0f} s", flush=True)

    verdict = f"FAILED: {', '.join(failed)}" if failed else "Passed"
    if missing:
        why = "; ".join(f"tests/{ring} did NOT run: {reason}" for ring, reason in missing.items())
        print(f"\n{verdict}, but {why}.")
    else:
        print(f"\n{verdict}; all of these ran: {', '.join(rings)}.")
    # In CI nobody reads a last line that says "passed, but", so there what is missing is a failure.
    return 1 if failed or (missing and os.environ.get("CI")) else 0


if __name__ == "__main__":
    if unknown := set(sys.argv[1:]) - set(RINGS):
        sys.exit(f"tests/run.py: no ring {', '.join(sorted(unknown))}; there are {', '.join(RINGS)}")
    sys.exit(main(sys.argv[1:] or list(RINGS)))
