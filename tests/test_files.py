"""Fleets as files: what goes in comes out, and whatever is wrong is refused by file, row and column."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from strategies import NAMED, changed, problems

import fairsynergy as fs
from fairsynergy.fleets import PRESETS, read_file, read_fleet, results_table, write_csv, write_json
from fairsynergy.fleets.tables import UNPRINTABLE, shielded, unshielded

GOOD = "agent,compute,gamma_compute\nAnn,0.1,0.3\nBob,0.2,0.6\n"
DRONES = fs.Problem(endowment=[0.1, 0.2], capacity=0.5, elasticity=[0.3, 0.6], agents=["Ann", "Bob"])


def read(content: str | bytes, name: str = "fleet.csv", **cloud: Any) -> fs.Problem:
    data = content.encode() if isinstance(content, str) else content
    return read_fleet(data, name=name, **({"capacity": {"compute": 0.5}} | cloud))


def amounts(problem: fs.Problem) -> dict[str, float]:
    return dict(zip(problem.resources, problem.capacity.tolist(), strict=True))


# Round trips

NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8).filter(str.strip)
RESOURCES = NAMES.map(str.strip).filter(
    lambda name: (
        name not in ("agent", "weight") and not name.startswith(("gamma_", "floor_", "ceiling_", "saturation_"))
    )
)


@st.composite
def named_problems(draw: st.DrawFn) -> fs.Problem:
    """Any problem, under any names that a file can hold, some limits for some agents only."""
    problem = draw(problems(resources=(1, 2, 3), most_agents=5))
    levels = st.floats(0.1, 10) | st.just(np.inf)
    n, m = problem.n, problem.m
    saturation = problem.saturation
    if draw(st.booleans()):
        saturation = np.array(draw(st.lists(levels, min_size=n * m, max_size=n * m))).reshape(n, m)
    return changed(
        problem,
        saturation=saturation,
        agents=draw(st.lists(NAMES, min_size=n, max_size=n, unique=True)),
        resources=draw(st.lists(RESOURCES, min_size=m, max_size=m, unique=True)),
    )


@given(named_problems())
def test_json_gives_back_an_equal_problem(problem):
    assert read_fleet(write_json(problem).encode(), name="fleet.json") == problem


@given(named_problems())
def test_json_is_known_without_its_name(problem):
    assert read_fleet(write_json(problem).encode()) == problem


@given(named_problems())
def test_csv_and_the_capacities_give_back_an_equal_problem(problem):
    assert read_fleet(write_csv(problem).encode(), capacity=amounts(problem)) == problem


@pytest.mark.parametrize("problem", NAMED.values(), ids=list(NAMED))
def test_named_problems_come_back_from_both(problem):
    assert read_fleet(write_json(problem).encode()) == problem
    assert read_fleet(write_csv(problem).encode(), capacity=amounts(problem)) == problem


def test_presets_come_back_from_both():
    for preset in PRESETS.values():
        assert read_fleet(write_json(preset.problem).encode()) == preset.problem
        assert read_fleet(write_csv(preset.problem).encode(), capacity=amounts(preset.problem)) == preset.problem


@pytest.mark.parametrize(
    ("field", "names", "words"),
    [
        ("agents", ["a", ""], "is empty"),
        ("agents", ["a", "two\nlines"], "control character"),
        ("agents", ["a", "half \ud800"], "half a character"),
        ("resources", ["weight"], "cannot head a column"),
        ("resources", ["gamma_x"], "cannot head a column"),
        ("resources", [" compute"], "cannot head a column"),
        ("resources", [""], "is empty"),
        ("resources", ["x" * 101], "has 101 characters"),
        ("resources", ["a\tb"], "control character"),
    ],
)
@pytest.mark.parametrize("write", [write_csv, write_json])
def test_a_name_that_a_file_cannot_hold_is_not_written(write, field, names, words):
    problem = changed(DRONES, **{field: names})
    with pytest.raises(fs.ProblemError, match=words) as refusal:
        write(problem)
    assert refusal.value.field == field
    assert f"`{field}[{len(names) - 1}]`" in str(refusal.value)


# What is understood

UNDERSTOOD: dict[str, bytes] = {
    "plain": GOOD.encode(),
    "no line end": GOOD.encode().rstrip(),
    "Windows line ends": GOOD.replace("\n", "\r\n").encode(),
    "old Mac line ends": GOOD.replace("\n", "\r").encode(),
    "UTF-8 with its mark": codecs.BOM_UTF8 + GOOD.encode(),
    "UTF-16": GOOD.encode("utf-16"),
    "UTF-16, big end first": codecs.BOM_UTF16_BE + GOOD.encode("utf-16-be"),
    "UTF-32": GOOD.encode("utf-32"),
    "quoted": b'"agent","compute","gamma_compute"\n"Ann","0.1","0.3"\n"Bob","0.2","0.6"\n',
    "spaces": b"agent, compute ,gamma_compute\nAnn, 0.1,0.3 \nBob,0.2, 0.6\n",
    "blank rows": b"\n\nagent,compute,gamma_compute\n\nAnn,0.1,0.3\n,,\nBob,0.2,0.6\n\n\n",
    "rows of spaces": b"  \nagent;compute;gamma_compute\nAnn;0.1;0.3\n ; ; \nBob;0.2;0.6\n  \n",
    "another order": b"gamma_compute,agent,compute\n0.3,Ann,0.1\n0.6,Bob,0.2\n",
    "semicolons": GOOD.replace(",", ";").encode(),
    "semicolons and decimal commas": GOOD.replace(",", ";").replace(".", ",").encode(),
    "semicolons, decimal commas and old Mac line ends": GOOD.translate(str.maketrans(",.\n", ";,\r")).encode(),
    "tabs": GOOD.replace(",", "\t").encode(),
    "tabs and decimal commas": GOOD.replace(",", "\t").replace(".", ",").encode(),
    "exponents": b"agent,compute,gamma_compute\nAnn,1e-1,3E-1\nBob,+.2,0.6\n",
    "idle optional columns": b"agent,compute,gamma_compute,weight,floor_compute,ceiling_compute\n"
    b"Ann,0.1,0.3,,,\nBob,0.2,0.6,1,0,inf\n",
    "JSON": b'{"capacity": {"compute": 0.5}, "agents": ['
    b'{"agent": "Ann", "compute": 0.1, "gamma_compute": 0.3},'
    b'{"gamma_compute": 0.6, "compute": 0.2, "agent": "Bob", "weight": null}]}',
    "JSON in UTF-16": (
        '\n {"agents": [{"agent": "Ann", "compute": 1e-1, "gamma_compute": 0.3},'
        '{"agent": "Bob", "compute": 0.2, "gamma_compute": 0.6, "ceiling_compute": Infinity}]}'
    ).encode("utf-16"),
}


@pytest.mark.parametrize("content", UNDERSTOOD.values(), ids=list(UNDERSTOOD))
def test_the_same_fleet_in_many_spellings(content):
    assert read(content, name="fleet") == DRONES


def test_agents_need_no_names():
    assert read("compute,gamma_compute\n0.1,0.3\n").agents == ("agent 1",)


def test_names_keep_commas_quotes_spaces_and_alphabets():
    names = ["Doe, Jane", 'the "fast" one', " padded ", "Ω 机器人 é", "=1+1", "-", "1,5"]
    problem = fs.Problem(endowment=np.ones(7), capacity=0.5, elasticity=np.full(7, 0.5), agents=names)
    assert read(write_csv(problem)).agents == tuple(names)


# Texts that a spreadsheet would run, with and without the apostrophe that keeps it from doing so.
FORMULAS = st.builds(
    "{}{}{}".format, st.sampled_from(["", "'", "''", " ", "'' "]), st.sampled_from("=+-@＝＋－＠"), NAMES | st.just("")
)


@given(st.lists(FORMULAS | NAMES, min_size=2, max_size=4, unique=True), st.data())
def test_names_that_look_like_formulas_are_shielded_and_come_back(agents, data):
    resources = data.draw(st.lists(FORMULAS.map(str.strip), min_size=2, max_size=2, unique=True))
    n = len(agents)
    problem = fs.Problem(
        endowment=np.full((n, 2), 0.1),
        capacity=[0.5, 0.5],
        elasticity=np.full((n, 2), 0.5),
        agents=agents,
        resources=resources,
    )
    text = write_csv(problem)
    assert read(text, capacity=amounts(problem)) == problem
    for cells in csv.reader(io.StringIO(text, newline="")):
        assert not re.match(r"\s*[=+\-@＝＋－＠]", cells[0])
        assert all(not re.match(r"\s*[=+\-@＝＋－＠]", cell) or _is_number(cell) for cell in cells)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


@given(st.text(max_size=5, alphabet="'=+-@ \t\r\nab＝1") | st.text())
def test_a_shield_is_put_before_what_is_dangerous_and_taken_away_again(text):
    cell = shielded(text)
    assert unshielded(cell) == text
    assert cell == text or cell == f"'{text}"
    assert cell[:1] not in tuple("=+-@\t\r")
    assert unshielded(text) in (text, text[1:])


def test_a_formula_in_a_file_is_only_text():
    names = ['=HYPERLINK("http://example.org","x")', "=1+1", "@SUM(A1:A9)", "'+1"]
    cells = "".join('"' + name.replace('"', '""') + '",0.1,0.5\n' for name in names)
    fleet = read("agent,compute,gamma_compute\n" + cells)
    assert fleet.agents == (*names[:3], "+1")  # the last one's apostrophe is how a spreadsheet keeps it as text
    with pytest.raises(fs.ProblemError, match=r"row 2, column compute: must be a number such as 0.5, got '=1\+1'"):
        read("agent,compute,gamma_compute\nAnn,=1+1,0.5\n")


def test_every_column_reaches_its_argument():
    content = (
        "agent,compute,gamma_compute,labels,gamma_labels,disk,gamma_disk,weight,floor_labels,ceiling_disk,saturation_compute\n"
        "Ann,1,0.1,2,0.2,3,0.3,4,0.5,6,7\n"
        "Bob,8,0.4,9,0.5,10,0.6,,,,\n"
    )
    problem = read(content, capacity={"labels": 2, "compute": 1, "disk": 3})
    assert problem == fs.Problem(
        endowment=[[1, 2, 3], [8, 9, 10]],
        capacity=[1, 2, 3],
        elasticity=[[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]],
        weight=[4, 1],
        floor=[[0, 0.5, 0], [0, 0, 0]],
        ceiling=[[np.inf, np.inf, 6], [np.inf] * 3],
        saturation=[[7, np.inf, np.inf], [np.inf] * 3],
        agents=["Ann", "Bob"],
        resources=["compute", "labels", "disk"],
    )


def test_what_is_asked_replaces_what_the_file_says():
    data = write_json(changed(DRONES, saturation=2.0)).encode()
    assert read_fleet(data) == changed(DRONES, saturation=2.0)
    assert read_fleet(data, capacity={"compute": 0.7}) == changed(DRONES, saturation=2.0, capacity=0.7)
    assert read_fleet(data, saturation=1.0) == changed(DRONES, saturation=1.0)
    assert read_fleet(data, saturation=np.inf) == DRONES


def test_an_agents_own_saturation_stands_before_the_clouds():
    content = (
        '{"capacity": {"compute": 1}, "saturation": {"compute": 1}, "agents": ['
        '{"compute": 0.1, "gamma_compute": 0.5, "saturation_compute": 3}, '
        '{"compute": 0.1, "gamma_compute": 0.5}]}'
    )
    assert read_fleet(content.encode()).saturation.tolist() == [[3.0], [1.0]]


def test_a_file_is_opened_before_its_cloud_is_known():
    file = read_file(GOOD.encode(), name="drones.csv")
    assert (file.name, file.n, file.resources, file.agents) == ("drones.csv", 2, ("compute",), ("Ann", "Bob"))
    assert file.capacity == {}
    assert file.problem(capacity={"compute": 0.25 * file.n}) == DRONES


def test_paths_are_read_and_named_by_their_last_part(tmp_path):
    path = tmp_path / "drones.csv"
    path.write_text(GOOD, encoding="utf-8")
    assert read_fleet(path, capacity={"compute": 0.5}) == DRONES
    assert read_file(str(path)).name == "drones.csv"
    with pytest.raises(FileNotFoundError):
        read_fleet(tmp_path / "absent.csv")


def test_a_million_agents_are_read_and_the_next_one_is_still_named():
    content = "compute,gamma_compute\n" + "0.1,0.3\n" * 1_000_000
    assert read(content).n == 1_000_000
    with pytest.raises(fs.ProblemError, match=r"^fleet.csv, row 1000002, column gamma_compute: must be a number"):
        read(content + "0.1,x\n")


# What is refused: the content, how the message goes on after the file's name, and words that must follow

HEAD = "agent,compute,gamma_compute\n"
ROW = "Ann,0.1,0.3\n"


def row(compute: str = "0.1", gamma: str = "0.3", more: str = "") -> str:
    """The good fleet, with a second agent (row 3) to spoil; `more` is an extra column=cell."""
    column, _, cell = more.partition("=")
    lines = ["agent,compute,gamma_compute", "Ann,0.1,0.3", f"Bob,{compute},{gamma}"]
    ends = [f",{column}", ",", f",{cell}"] if more else [""] * 3
    return "".join(f"{line}{end}\n" for line, end in zip(lines, ends, strict=True))


def agents(*rows: Any, **beside: Any) -> str:
    return json.dumps({"capacity": {"compute": 0.5}, **beside, "agents": list(rows)})


ANN = {"agent": "Ann", "compute": 0.1, "gamma_compute": 0.3}
BOB = {"agent": "Bob", "compute": 0.2, "gamma_compute": 0.6}

BAD: dict[str, tuple[str | bytes, str, list[str]]] = {
    # not a table at all
    "empty": (b"", " is empty", ["row of column names"]),
    "only blanks": (b" \r\n\n\t\n", " is empty", ["row of column names"]),
    "only a mark": (codecs.BOM_UTF8, " is empty", []),
    "only a UTF-16 mark": (codecs.BOM_UTF16_LE, " is empty", []),
    "header only": (HEAD, " has column names but no agents", ["add a row per agent"]),
    "a workbook": (b"PK\x03\x04\x14\x00\x06\x00rest", " is a workbook or an archive", ["CSV (UTF-8)"]),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00", ", row 1: this is not text in UTF-8", ["byte 1", "Save as"]),
    "zero bytes": (b"agent,compute\x00,gamma_compute\n", ", row 1: this is not text", ["'\\x00'"]),
    "all bytes": (bytes(range(256)), ", row", ["not text"]),
    "Latin 1": (
        "agent,compute,gamma_compute\nJosé,1,0.5\n".encode("latin-1"),
        ", row 2: this is not text in UTF-8",
        ["byte 32"],
    ),
    "UTF-16 cut short": (GOOD.encode("utf-16")[:-1], ", row", ["not text in UTF-16"]),
    "UTF-16 without its mark": (GOOD.encode("utf-16-le"), ", row 1: this is not text", ["Save as"]),
    "escape sequences": (HEAD + "\x1b[31mred,0.1,0.5\n", ", row 2: this is not text", ["'\\x1b'"]),
    # the header
    "no header": (
        "0.1,0.5\n0.2,0.6\n",
        ", row 1: column '0.1' has no column 'gamma_0.1'",
        ["compute and gamma_compute"],
    ),
    "no gamma": (
        "agent,compute\nAnn,0.1\n",
        ", row 1: column 'compute' has no column 'gamma_compute'",
        ["how hard"],
    ),
    "no endowment": (
        "agent,gamma_compute\nAnn,0.1\n",
        ", row 1: column 'gamma_compute' has no column 'compute'",
        ["owns"],
    ),
    "no resource": (
        "agent,weight\nAnn,1\n",
        ", row 1: no column is a resource (agent, weight)",
        ["gamma_NAME"],
    ),
    "one column": ("agent\nAnn\n", ", row 1: no column is a resource (agent)", []),
    "floor of nothing": (
        "compute,gamma_compute,floor_cpu\n0.1,0.5,0\n",
        ", row 1: column 'floor_cpu' has no column 'cpu'",
        [],
    ),
    "capital": (
        "Agent,compute,gamma_compute\nAnn,0.1,0.5\n",
        ", row 1: column 'Agent'",
        ["is 'agent' meant?"],
    ),
    "misspelt": (
        "agent,compute,gama_compute\nAnn,0.1,0.5\n",
        ", row 1: column 'compute'",
        ["is 'gama_compute' meant to be it?"],
    ),
    "unknown": (
        "agent,compute,gamma_compute,note\nAnn,0.1,0.5,x\n",
        ", row 1: column 'note' has no column 'gamma_note'",
        [],
    ),
    "twice": (
        "agent,compute,gamma_compute,compute\nAnn,0.1,0.5,1\n",
        ", row 1: column 'compute' is there 2 times",
        [],
    ),
    "unnamed": ("agent,compute,gamma_compute,\nAnn,0.1,0.5,\n", ", row 1: the name of column 4 is empty", []),
    "header below": ("\n\nagent,compute\n", ", row 3: column 'compute'", []),
    "a line break in a name": (
        'agent,"com\npute",gamma_compute\n',
        ", row 1: the name of column 2",
        ["control character"],
    ),
    "something else": ("<html><body>Not found</body></html>", ", row 1: column '<html>", []),
    "a long name": ("x" * 5000 + ",0.5\n", ", row 1: the name of column 1 has 5,000 characters", []),
    "many columns": (
        ",".join(f"x{i},gamma_x{i}" for i in range(50_000)) + ",note\n",
        ", row 1: column 'note' has no column 'gamma_note'",
        [],
    ),
    # rows
    "a cell too many": (
        HEAD + ROW + "Bob,0.2,0.6,1\n",
        ", row 3: there are 4 cells, but 3 columns",
        ["agent, compute, gamma_compute"],
    ),
    "a cell too few": (HEAD + ROW + "Bob,0.2\n", ", row 3: there are 2 cells, but 3 columns", []),
    "decimal commas between commas": (
        HEAD + "Ann,0,1,0,3\n",
        ", row 2: there are 5 cells",
        ["decimals need a point"],
    ),
    "many cells too few": (
        ",".join(f"x{i},gamma_x{i}" for i in range(50_000)) + "\n1\n",
        ", row 2: there are 1 cells, but 100000 columns (x0, gamma_x0, x1, gamma_x1, x2, gamma_x2, ...)",
        [],
    ),
    "row after blank rows": (HEAD + "\n\n" + ROW + "Bob\n", ", row 5: there are 1 cells", []),
    "an open quotation mark": (HEAD + ROW + '"Bob,0.2,0.6\n', ", row 3:", ["quotation mark"]),
    "a quotation mark inside": (HEAD + 'Ann,"0.1"5,0.3\n', ", row 2:", ["quotation mark"]),
    "a huge cell": (HEAD + ROW + "B" * 200_000 + ",1,0.5\n", ", row 3: field larger than field limit", []),
    # cells
    "text": (row("abc"), ", row 3, column compute: must be a number", ["'abc'"]),
    "not available": (row(gamma="#N/A"), ", row 3, column gamma_compute: must be a number", ["'#N/A'"]),
    "percent": (row(gamma="50%"), ", row 3, column gamma_compute: must be a number", ["0.5", "'50%'"]),
    "underscore": (row("1_000"), ", row 3, column compute: must be a number", ["'1_000'"]),
    "quoted decimal comma": (
        row('"0,5"'),
        ", row 3, column compute: '0,5' has a comma",
        ["other numbers have a point"],
    ),
    "hexadecimal": (row("0x10"), ", row 3, column compute: must be a number", []),
    "a long text": (row("x" * 5000), ", row 3, column compute: must be a number", ["xxx..."]),
    "empty number": (row(""), ", row 3, column compute: is empty", ["give a number"]),
    "blank number": (row(gamma="  "), ", row 3, column gamma_compute: is empty", []),
    "empty name": (HEAD + ROW + ",0.2,0.6\n", ", row 3, column agent: is empty", []),
    "a line break in an agent's name": (
        HEAD + ROW + '"B\nob",0.2,0.6\n',
        ", row 3, column agent:",
        ["control"],
    ),
    "point and comma": (
        "compute;gamma_compute\n1.000,5;0,5\n",
        ", row 2, column compute: '1.000,5' has a comma",
        [],
    ),
    "point here, comma there": (
        "compute;gamma_compute\n0.1;0.5\n0,1;0.5\n",
        ", row 3, column compute: '0,1'",
        ["with a point"],
    ),
    "thousands or decimals": (
        "compute;gamma_compute\n500;0.3\n1.000;0.6\n",
        ", row 3, column compute: '1.000' is either 1 or 1000",
        ["`decimal` point if it is the first", "write 1000"],
    ),
    "millions beside decimals": (
        "compute;gamma_compute\n1.000.000;0.3\n",
        ", row 2, column compute: '1.000.000' is 1000000",
        ["write 1000000, with nothing between thousands"],
    ),
    "NaN": (row("nan"), ", row 3, column compute: `endowment[1, 0]` (Bob, compute)", ["finite", "got nan"]),
    "infinite": (row("inf"), ", row 3, column compute:", ["finite", "got inf"]),
    "too large for a double": (row("1e999"), ", row 3, column compute:", ["finite", "got inf"]),
    "negative": (row("-0.1"), ", row 3, column compute:", [">= 0", "got -0.1"]),
    "gamma of zero": (
        row(gamma="0"),
        ", row 3, column gamma_compute:",
        ["strictly between 0 and 1", "got 0.0"],
    ),
    "gamma of one": (row(gamma="1"), ", row 3, column gamma_compute:", ["strictly between 0 and 1"]),
    "gamma NaN": (row(gamma="NaN"), ", row 3, column gamma_compute:", ["strictly between 0 and 1"]),
    "weight of zero": (row(more="weight=0"), ", row 3, column weight: `weight[1]` (Bob)", ["> 0"]),
    "text weight": (row(more="weight=high"), ", row 3, column weight: must be a number", ["'high'"]),
    "negative floor": (row(more="floor_compute=-1"), ", row 3, column floor_compute:", [">= 0"]),
    "ceiling NaN": (row(more="ceiling_compute=nan"), ", row 3, column ceiling_compute:", ["got nan"]),
    "saturation of zero": (row(more="saturation_compute=0"), ", row 3, column saturation_compute:", ["> 0"]),
    "floor above the capacity": (
        row(more="floor_compute=0.6"),
        ", row 3, column floor_compute:",
        ["sum of the floors", "need compute 0.6"],
    ),
    "floor above its ceiling": (
        "compute,gamma_compute,floor_compute,ceiling_compute\n0.1,0.5,0.3,0.2\n",
        ", row 2, column floor_compute:",
        ["at most its ceiling"],
    ),
    "the same name twice": (HEAD + ROW + ROW, ", row 3, column agent: `agents` has 'Ann' more than once", []),
    # JSON
    "no JSON": ('{"agents": [', ", row 1, character 13: this is not JSON", []),
    "JSON and more": (agents(ANN) + "x", ", row 1, character", ["not JSON (Extra data)"]),
    "JSON list": (json.dumps([ANN]), " must be an object, got a list", ['"agents"']),
    "JSON without agents": ('{"capacity": {"compute": 1}}', ": `agents` must be a list", []),
    "JSON no agents": (agents(), ": `agents` must be a list", []),
    "JSON agents by name": ('{"agents": {"Ann": 1}}', ": `agents` must be a list", []),
    "JSON agent is a number": (agents(ANN, 5), ", agents[1]: must be an object, got a number", []),
    "JSON agent is null": (agents(ANN, None), ", agents[1]: must be an object, got null", []),
    "JSON unknown key": (agents(ANN, gamma=1), ": the key 'gamma' is not known", ['"capacity"']),
    "JSON long key": (agents(ANN, **{"x" * 5000: 1}), ": the key 'xxx", ["... is not known"]),
    "JSON key twice": (
        '{"agents": [{"compute": 1, "compute": 2}]}',
        ": the key 'compute' is twice in one object",
        [],
    ),
    "JSON unknown column": (
        agents(ANN, {**BOB, "note": 1}),
        ", agents: column 'note' has no column 'gamma_note'",
        [],
    ),
    "JSON missing number": (
        agents(ANN, {"agent": "Bob", "compute": 1}),
        ", agents[1], gamma_compute: is missing",
        [],
    ),
    "JSON missing name": (
        agents(ANN, {"compute": 1, "gamma_compute": 0.5}),
        ", agents[1], agent: is missing",
        [],
    ),
    "JSON null": (agents(ANN, {**BOB, "compute": None}), ", agents[1], compute: is empty", []),
    "JSON text for a number": (
        agents(ANN, {**BOB, "compute": "0.2"}),
        ", agents[1], compute: must be a number",
        ["'0.2'"],
    ),
    "JSON true for a number": (
        agents(ANN, {**BOB, "compute": True}),
        ", agents[1], compute: must be a number",
        ["True"],
    ),
    "JSON list for a number": (
        agents(ANN, {**BOB, "compute": [1]}),
        ", agents[1], compute: must be a number",
        ["[1]"],
    ),
    "JSON number for a name": (
        agents(ANN, {**BOB, "agent": 7}),
        ", agents[1], agent: must be a text, got 7",
        [],
    ),
    "JSON half a character": (
        agents(ANN, {**BOB, "agent": "\ud800"}),
        ", agents[1], agent:",
        ["half a character"],
    ),
    "JSON NaN": (agents(ANN, {**BOB, "compute": np.nan}), ", agents[1], compute:", ["finite", "got nan"]),
    "JSON infinite": (
        agents(ANN, {**BOB, "gamma_compute": np.inf}),
        ", agents[1], gamma_compute:",
        ["strictly"],
    ),
    "JSON huge whole number": (
        agents(ANN, {**BOB, "compute": 10**400}),
        ", agents[1], compute: must be a number",
        ["..."],
    ),
    "JSON enormous whole number": ('{"agents": [' + "9" * 5000 + "]}", ": a number cannot be read", []),
    "JSON nested deeply": (
        '{"agents": ' + "[" * 100_000 + "]" * 100_000 + "}",
        ": this is nested too deeply",
        [],
    ),
    "JSON capacity is a number": (agents(ANN, capacity=1), ", capacity: must be an object, got a number", []),
    "JSON capacity of nothing": (
        agents(ANN, capacity={"cpu": 1}),
        ", capacity: names 'cpu', but the agents have only compute",
        [],
    ),
    "JSON capacity in words": (
        agents(ANN, capacity={"compute": "much"}),
        ", capacity, compute: must be a number",
        ["'much'"],
    ),
    "JSON capacity huge": (
        agents(ANN, capacity={"compute": 10**400}),
        ", capacity, compute: must be a number",
        [],
    ),
    "JSON saturation is a number": (agents(ANN, saturation=1), ", saturation: must be an object", []),
    "JSON saturation of zero": (agents(ANN, saturation={"compute": 0}), ", saturation, compute:", ["> 0"]),
    "JSON same name twice": (agents(ANN, ANN), ", agents[1], agent: `agents` has 'Ann'", []),
    "JSON a wide row each": (
        agents(*({f"x{i}": 1, f"gamma_x{i}": 0.5} for i in range(20_000))),
        ", agents[0], x1: is missing",
        [],
    ),
}


@pytest.mark.parametrize(("content", "beginning", "words"), BAD.values(), ids=list(BAD))
def test_bad_content_is_refused_by_file_row_and_column(content, beginning, words):
    with pytest.raises(fs.ProblemError) as refusal:
        read(content, name="bad.csv")
    message = str(refusal.value)
    assert message.startswith(f"bad.csv{beginning}")
    for word in words:
        assert word in message
    assert "\n" not in message
    assert len(message) < 500


def refusal(content: str | bytes) -> str | None:
    """The message, or None if the content is read."""
    try:
        read(content)
    except fs.ProblemError as error:
        return str(error)
    return None


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_in_one_line(data):
    message = refusal(data)
    assert message is None or (message.startswith("fleet.csv") and not UNPRINTABLE.search(message))


PIECES = st.sampled_from(
    ["agent", "compute", "gamma_compute", "floor_compute", ",", ";", "\t", "\n", "\r", '"', "0.5", "0,5",
     "1e9", " ", "{", "}", "[", "]", ":", '"agents"', '"capacity"', '"compute"', "null", "NaN", "-1", "é"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=40).map("".join))
def test_any_scramble_of_a_fleet_is_read_or_refused_in_one_line(text):
    message = refusal(text)
    assert message is None or (message.startswith("fleet.csv") and not UNPRINTABLE.search(message))


CLOUDS: dict[str, tuple[dict[str, Any], str]] = {
    "no capacity": ({"capacity": None}, "fleet.csv: `capacity` is missing for 'compute'"),
    "another resource": (
        {"capacity": {"compute": 1, "gpu": 2}},
        "fleet.csv: `capacity` names 'gpu', but the agents have only",
    ),
    "negative capacity": (
        {"capacity": {"compute": -1}},
        "fleet.csv: `capacity[0]` (compute) must be finite and >= 0",
    ),
    "infinite capacity": (
        {"capacity": {"compute": np.inf}},
        "fleet.csv: `capacity[0]` (compute) must be finite",
    ),
    "saturation of zero": ({"saturation": 0.0}, "fleet.csv: `saturation[0, 0]` (Ann, compute) must be > 0"),
    "saturation NaN": ({"saturation": np.nan}, "fleet.csv: `saturation[0, 0]` (Ann, compute) must be > 0"),
}


@pytest.mark.parametrize(("cloud", "beginning"), CLOUDS.values(), ids=list(CLOUDS))
def test_a_cloud_that_does_not_fit_the_file_is_refused(cloud, beginning):
    with pytest.raises(fs.ProblemError) as refusal:
        read(GOOD, **cloud)
    assert str(refusal.value).startswith(beginning)


def test_a_refusal_keeps_the_argument_and_place():
    with pytest.raises(fs.ProblemError) as refusal:
        read(row(gamma="2"))
    assert (refusal.value.field, refusal.value.index) == ("elasticity", (1, 0))


def test_floors_beyond_the_capacity_name_the_first_agent_that_is_too_much():
    content = "compute,gamma_compute,floor_compute\n" + "0.1,0.5,0.2\n" * 5
    with pytest.raises(fs.ProblemError, match=r"^fleet.csv, row 4, column floor_compute: "):
        read(content)


# Results


def test_results_are_one_record_per_rule_and_agent():
    problem = PRESETS["Warehouse"].problem
    answers = [fs.allocate(problem, policy) for policy in (fs.NUM(), fs.DRF(work_conserving=False))]
    records = results_table(answers)
    assert len(records) == 2 * problem.n
    assert {record["rule"] for record in records} == {"NUM", "DRF (pure)"}
    last = records[-1]
    assert last["agent"] == problem.agents[-1]
    assert last["granted_labels"] == answers[1].grant[-1, 1]
    assert last["own_compute"] + last["granted_compute"] == answers[1].holding[-1, 0]
    assert last["accuracy"] == answers[1].utility[-1]
    assert last["accuracy_before"] == problem.utility(np.zeros((problem.n, problem.m)))[-1]
    out = io.StringIO()
    writer = csv.DictWriter(out, list(records[0]))
    writer.writerows(records)
    assert out.getvalue().count("\n") == len(records)


@pytest.mark.parametrize(
    ("table", "decimal", "compute"),
    [
        ("compute;gamma_compute\n500;0,3\n1.000;0,6\n", "comma", [500, 1000]),
        ("compute;gamma_compute\n500;0.3\n1.000;0.6\n", "point", [500, 1]),
        ("compute;gamma_compute\n1.234.567,5;0,3\n-0;0,6\n", "comma", [1234567.5, 0]),
        ('compute,gamma_compute\n"1,000",0.3\n"2,500.25",0.6\n', "point", [1000, 2500.25]),
        ("compute;gamma_compute\n1.125;0.3\n2.375;0.6\n", None, [1.125, 2.375]),  # all alike, and 0.3 shows the mark
        ("compute;gamma_compute\n1200;0.3\n2.375;0.6\n", None, [1200, 2.375]),  # 1200 shows that nothing is grouped
        ("compute;gamma_compute\n0.500;0.3\n2.375;0.6\n", None, [0.5, 2.375]),  # nothing is grouped to 0.500
    ],
)
def test_a_mark_before_three_digits_is_read_as_it_is_said_or_as_the_numbers_leave_no_choice(table, decimal, compute):
    assert read_file(table.encode(), decimal=decimal).columns["compute"].tolist() == compute


def test_a_number_with_a_mark_where_none_can_be_is_refused():
    for table, decimal in (
        ("1.00;0,3", "comma"),
        ("1.0000;0,3", "comma"),
        ("0.500;0,3", "comma"),
        ("1,5;0.3", "point"),
    ):
        with pytest.raises(fs.ProblemError, match="row 2, column compute: must be a number"):
            read_file(f"compute;gamma_compute\n{table}\n".encode(), decimal=decimal)


def test_the_content_of_a_file_is_not_taken_for_its_path():
    with pytest.raises(fs.ProblemError, match="the content of a file, not its path; give it as bytes"):
        read_fleet("compute,gamma_compute\n0.1,0.3\n", capacity={"compute": 1})
