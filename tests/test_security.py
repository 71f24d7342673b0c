"""What the source must not do, read from its syntax trees: run or unpickle what it was given, show it as HTML, keep it
without bound; and what the server must be told."""

import ast
from pathlib import Path

import pytest
from starlette.formparsers import MultiPartParser

from fairsynergy.ui import launch

ROOT = Path(__file__).parents[1]
SOURCES = sorted([*(ROOT / "fairsynergy").rglob("*.py"), *(ROOT / "pages").glob("*.py"), ROOT / "app.py"])
# They make objects of bytes, and whoever wrote the bytes chooses which code that runs.
UNPACKERS = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "jsonpickle", "xml", "lxml", "yaml"}
RUNNERS = {"eval", "exec", "compile", "__import__"}
# Workbooks are written and never read: no archive of a visitor's is unpacked.
READERS = {"zipfile", "tarfile", "openpyxl", "read_excel", "read_pickle", "unpack_archive", "read_hdf"}
# Where the dashboard may touch the disk: nowhere in pages and their panels.
WRITERS = {"open", "mkdir", "write_text", "write_bytes", "mkstemp", "NamedTemporaryFile", "TemporaryDirectory", "touch"}
# Files that draw HTML of their own, and the names in it that hold markup made there; all else goes through `escape`.
MARKUP = {"promises.py": {"head", "body", "cells", "kind", "sign"}}


def called(node):
    """The last part of the name that a call calls."""
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def complaints(source, path="pages/page.py"):
    """What is wrong with a source."""
    found = []
    tree = ast.parse(source)
    interface = path.startswith(("pages/", "app.py", "fairsynergy/ui/")) and not path.endswith("/launch.py")
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] + [getattr(node, "module", "") or ""]
            found += [f"imports {name}" for name in names if name.split(".")[0] in UNPACKERS | READERS]
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found += [f"{node.name} is cached without bound" for each in node.decorator_list if unbounded(each, node)]
        if not isinstance(node, ast.Call):
            continue
        name = called(node)
        if isinstance(node.func, ast.Name) and name in RUNNERS:
            found.append(f"calls {name}")
        if name in READERS:
            found.append(f"calls {name}")
        if interface and name in WRITERS:
            found.append(f"calls {name}")
        if any(keyword.arg in ("unsafe_allow_html", "unsafe_allow_javascript") for keyword in node.keywords):
            found.append("shows text as HTML")
        if name == "html" and isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") == "st":
            found += [] if all(map(constant, node.args)) or Path(path).name in MARKUP else ["shows made-up HTML"]
        if name in ("cache_data", "cache_resource") and node.keywords:
            bounded = {"max_entries"} <= {keyword.arg for keyword in node.keywords}
            found += [] if bounded or decorates_nothing_given(node, tree) else ["caches without bound"]
    return found


def constant(node):
    """Whether it is a text or the name of one, which has capitals."""
    return isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and node.id.isupper())


def decorates_nothing_given(call, tree):
    """Whether what it caches takes no arguments, so that there is one entry."""
    return any(
        call in node.decorator_list and not takes_arguments(node)
        for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
    )  # fmt: skip


def unbounded(decorator, function):
    """Whether it is a cache that grows with what the function is given, for as long as the server lives."""
    name = getattr(decorator, "attr", getattr(decorator, "id", ""))
    nested = function.col_offset > 0  # made anew by each call of what it stands in, and gone with it
    return name in ("cache", "cache_data", "cache_resource") and takes_arguments(function) and not nested


def takes_arguments(function):
    arguments = function.args
    return bool(arguments.args or arguments.posonlyargs or arguments.kwonlyargs or arguments.vararg or arguments.kwarg)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_source_does_nothing_of_the_kind(path):
    assert complaints(path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix()) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle", "from yaml import load", "eval(text)", "import zipfile", "pd.read_excel(upload)",
        "st.markdown(name, unsafe_allow_html=True)", "st.html(f'<b>{name}</b>')", "st.html(name)", "open(name, 'w')",
        "Path(name).write_bytes(data)", "@st.cache_data\ndef f(problem): ...", "@cache\ndef f(problem): ...",
        "@st.cache_data(show_spinner=False)\ndef f(problem): ...", "@st.cache_resource(ttl=9)\ndef f(*, name): ...",
    ],
)  # fmt: skip
def test_what_is_of_the_kind_is_noticed(source):
    assert len(complaints(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "st.html(STYLE)", "st.html('<hr>')", "@cache\ndef f(): ...",
        "@st.cache_resource(show_spinner=False)\ndef f(): ...",
        "@st.cache_data(max_entries=9)\ndef f(problem): ...", "re.compile('a')", "@lru_cache(maxsize=9)\ndef f(a): ...",
    ],
)  # fmt: skip
def test_what_is_not_is_not(source):
    assert complaints(source) == []


@pytest.mark.parametrize("file", MARKUP)
def test_html_that_is_made_escapes_all_that_is_put_into_it(file):
    (path,) = (ROOT / "fairsynergy" / "ui").rglob(file)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FormattedValue):
            put = node.value
            escaped = isinstance(put, ast.Call) and called(put) == "escape"
            chosen = isinstance(put, ast.IfExp) and constant(put.body) and constant(put.orelse)
            assert escaped or chosen or getattr(put, "id", None) in MARKUP[file], ast.unparse(put)


def test_no_part_of_an_upload_goes_through_a_temporary_file(monkeypatch):
    monkeypatch.setattr(MultiPartParser, "spool_max_size", 2**20)
    launch.keep_uploads_in_memory()
    assert MultiPartParser.spool_max_size > 2**40
