"""`make test`: lint, types, unit tests with doctests, page, browser and training tests, one after the other.

Every ring runs even if an earlier one failed. The last line says whether all of them ran and passed, or which
did not run, why, and what to install. Name rings to run only those: `python tests/run.py lint types`.

What could not run is no failure at a desk. It is one where nobody reads a last line that says "passed, but": of a ring
that was asked for by name, and in CI of everything that the environment of the README holds. PyTorch is not in there,
so `make test` passes without it also in CI, which then installs it and asks for the training ring by name (.ci/run).
"""

import os
import subprocess
import sys
from pathlib import Path
from time import perf_counter

import chromium
from extras import EXTRAS

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
TRAINING = "tests/training"


def main(named: list[str]) -> int:
    """Run the rings, all where none is named; 0 if everything passed, and what could not run is no failure."""
    os.chdir(Path(__file__).parents[1])
    rings = named or list(RINGS)
    failed, missing = [], {}
    for ring in rings:
        print(f"\n== {ring}", flush=True)
        if ring == "browser":
            browser = chromium.find() or chromium.install()
            if browser is None:
                missing["tests/browser"] = f"{chromium.why_not()}; to run it, {chromium.ADVICE}"
                continue
            os.environ[chromium.VARIABLE] = browser
        if ring == "training" and EXTRAS["training"].missing:
            missing[TRAINING] = "there is no PyTorch; to run it, make training, and then make test"
            continue
        if ring == "unit":
            for name, extra in EXTRAS.items():
                if name != "training" and extra.missing:
                    install = f".venv/bin/python -m pip install -e '.[{name}]'"
                    missing[f"what needs {extra.library}"] = f"it is not installed; to run it, {install}"
        start = perf_counter()
        codes = [subprocess.run(command).returncode for command in RINGS[ring]]
        if any(codes):
            failed.append(ring)
        verdict = "FAILED" if any(codes) else "passed"
        print(f"-- {ring} {verdict} in {perf_counter() - start:.0f} s", flush=True)

    verdict = f"FAILED: {', '.join(failed)}" if failed else "Passed"
    if missing:
        why = "; ".join(f"{what} did NOT run: {reason}" for what, reason in missing.items())
        print(f"\n{verdict}, but {why}.")
    else:
        print(f"\n{verdict}; all of these ran: {', '.join(rings)}.")
    if not named and os.environ.get("CI"):
        missing.pop(TRAINING, None)
    return 1 if failed or (missing and (named or os.environ.get("CI"))) else 0


if __name__ == "__main__":
    if unknown := set(sys.argv[1:]) - set(RINGS):
        sys.exit(f"tests/run.py: no ring {', '.join(sorted(unknown))}; there are {', '.join(RINGS)}")
    sys.exit(main(sys.argv[1:]))
