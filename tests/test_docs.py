"""The documentation: every page in the navigation, every link and picture there, every public name in the reference.

That the code on the pages prints what they show is tested as doctests (`testpaths` in pyproject.toml); that the site
builds without a warning, in CI and by `make docs`.
"""

import importlib
import re
import shlex
from inspect import ismodule
from pathlib import Path

import pytest

import fairsynergy as fs
from fairsynergy import cli

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
NAVIGATION = re.findall(r"^\s*- (?:[^#\n]*: )?(\S+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.M)
PACKAGES = (
    "laws",
    "kernel",
    "fleets",
    "analysis.fairness",
    "analysis.planning",
    "curves",
    "experiments",
    "collaborative",
)
FENCE = re.compile(r"^```(\S*)\n(.*?)^```$", re.M | re.S)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def text(page):
    return (DOCS / page).read_text(encoding="utf-8")


def prose(page):
    return re.sub(r"`[^`\n]*`", "", FENCE.sub("", text(page)))


def anchors(page):
    """What a heading of the page is called in an address, as Python-Markdown writes it."""
    titles = re.findall(r"^#+ (.+)$", FENCE.sub("", text(page)), re.M)
    plain = (re.sub(r"[^\w\s-]", "", title.encode("ascii", "ignore").decode()).strip().lower() for title in titles)
    return {re.sub(r"[-\s]+", "-", title) for title in plain}


def documented():
    return set(re.findall(r"^::: (\S+)$", "\n".join(text(page) for page in PAGES), re.M))


def test_every_page_is_in_the_navigation_once():
    # A new report such as docs/FOCI.md needs its line in mkdocs.yml.
    assert sorted(NAVIGATION) == PAGES


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page):
    for target in LINK.findall(prose(page)):
        if re.match(r"https?://", target):
            continue
        path, _, anchor = target.partition("#")
        file = (DOCS / page).parent / path if path else DOCS / page
        assert file.resolve().is_relative_to(DOCS), f"{target} leaves the site"
        assert file.is_file(), target
        if anchor:
            assert anchor in anchors(file.resolve().relative_to(DOCS).as_posix()), target


@pytest.mark.parametrize("page", PAGES)
def test_every_python_block_is_a_doctest(page):
    """Blocks without prompts would be shown and never run."""
    for language, block in FENCE.findall(text(page)):
        if language in ("python", "py", "pycon"):
            assert block.startswith(">>> "), block


@pytest.mark.parametrize("page", PAGES)
def test_every_command_shown_is_understood(page):
    parser = cli._parser()
    for language, block in FENCE.findall(text(page)):
        if language == "sh":
            for line in block.splitlines():
                program, *arguments = shlex.split(line, comments=True) or [""]
                if program == "fairsynergy":
                    parser.parse_args(arguments)  # exits with code 2 at what it does not know


def test_no_page_fetches_anything_from_elsewhere():
    for page in PAGES:
        assert not re.search(r"<(script|link|img|iframe)\b|!\[[^\]]*\]\(https?:", FENCE.sub("", text(page))), page


def test_every_public_name_is_in_the_reference():
    promised = {f"fairsynergy.{name}" for name in fs.__all__ if not ismodule(getattr(fs, name))}
    # A function called like its module is named in full, or the module would be shown.
    found = {re.sub(r"\.(\w+)\.\1$", r".\1", path) for path in documented()}
    for module in filter(ismodule, map(fs.__getattribute__, fs.__all__)):
        assert any(path.startswith(f"{module.__name__}.") for path in found), module
    for package in PACKAGES:
        source = Path(importlib.import_module(f"fairsynergy.{package}").__file__).read_text(encoding="utf-8")
        names = re.findall(r"^from \S+ import (\w+) as \1$", source, re.M)
        assert names
        promised |= {f"fairsynergy.{package}.{name}" for name in names if name not in fs.__all__}
    assert promised - found == set()


def test_the_reference_names_only_what_exists():
    for path in documented():
        module, _, name = path.rpartition(".")
        assert hasattr(importlib.import_module(module), name), path
