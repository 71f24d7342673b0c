"""Sweeps: what a configuration may say, how it is cut, and that nothing but the configuration decides the results."""

from __future__ import annotations

import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from functools import partial
from operator import call
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import extras
import hypothesis.strategies as st
import numpy as np
import psutil
import pytest
from hypothesis import given
from pyarrow import parquet

import fairsynergy as fs
from fairsynergy.analysis.fairness import gini
from fairsynergy.cli import main
from fairsynergy.experiments import grid as grids
from fairsynergy.experiments import sweeps, workers
from fairsynergy.experiments.engine import COLUMNS, Progress
from fairsynergy.experiments.grid import Grid
from fairsynergy.experiments.sweeps import read, sweep
from fairsynergy.fleets import FleetSpec, Setting

if TYPE_CHECKING:
    from distributed import LocalCluster

EXAMPLE = Path(__file__).parents[1] / "assets" / "sweep.toml"
# Seconds of work for one core.
LONG = """\
setting = ["RTI", "DL"]
agents = {from = 5, to = 10, step = 5}
seeds = 5000
rules = ["uniform", "random", "nash", "fair-synergy passes=1"]
[fleet]
local_labels = 0.1
"""
# The command with chunks of a quarter of a second; a shell's background job, which the tests may be, ignores SIGINT.
COMMAND = """\
import signal, sys
from fairsynergy.cli import main
from fairsynergy.experiments import grid
grid.CHUNK = 0.25
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(main(sys.argv[1:]))
"""
SHORT = {
    "setting": ["RTI", "DL"], "agents": [3, 8], "seeds": 80,
    "rules": ["leximin", "random", "nash", "fair-synergy passes=1"],
    "fleet": {"gamma_compute": [[0.1, 0.9], [0.5, 0.5]], "saturation": ["none", 1]},
}  # fmt: skip


class Stop(Exception):
    """Whatever ends a run."""


@pytest.fixture
def fine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of a fiftieth of a second, so that a short sweep has many."""
    monkeypatch.setattr(grids, "CHUNK", 0.02)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The results of `SHORT` by one worker without a stop, in fine chunks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grids, "CHUNK", 0.02)
        return sweep(SHORT, tmp_path_factory.mktemp("one"), workers=1).read_bytes()


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """Dask's scheduler in this process, with two workers in processes of their own."""
    distributed = pytest.importorskip("distributed", reason=extras.without("cluster"))
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=logging.CRITICAL
    ) as cluster:
        yield cluster


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def stopped(folder: Path, after: int = 3) -> None:
    """Begin `SHORT` in a folder and stop it after so many chunks."""
    told: list[Progress] = []

    def tell(now: Progress) -> None:
        told.append(now)
        if len(told) > after:
            raise Stop

    with pytest.raises(Stop):
        sweep(SHORT, folder, workers=1, tell=tell)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line of a sweep that is refused with exit code 2."""
    assert main(["sweep", *arguments]) == 2
    out, message = capsys.readouterr()
    assert out == ""
    assert message.count("\n") == 1
    assert message.startswith("fairsynergy sweep: ")
    return message


# What a configuration may say


def test_the_example_is_a_sweep(tmp_path: Path) -> None:
    grid = Grid.read(EXAMPLE)
    assert f"{len(grid.points)} combinations, {grid.fleets:,} fleets" in EXAMPLE.read_text().replace("\n# ", " ")
    small = EXAMPLE.read_text().replace("seeds = 500", "seeds = 2")
    path = tmp_path / "small.toml"
    path.write_text(small)
    table = read(sweep(path, tmp_path / "out", workers=1).parent)
    assert list(table.columns) == ["setting", "capacity_compute", *COLUMNS]
    assert len(table) == 12 * 2 * len(grid.policies)


def test_what_the_help_shows_is_a_sweep(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["sweep", "--help"])
    for text in (capsys.readouterr().out, grids.__doc__):
        lines = (line.strip() for line in text.splitlines())
        config = "\n".join(line for line in lines if re.match(r"\w+ = |\[fleet\]", line))
        assert len(Grid.of(tomllib.loads(config)).points) == 2 * 3 * 2


def test_a_grid_is_the_product_of_its_lists() -> None:
    grid = Grid.of(
        {
            "setting": "DL",
            "agents": {"from": 2, "to": 6, "step": 2},
            "seeds": {"from": 5, "to": 9},
            "rules": "Fair Synergy passes = inf",
            "fleet": {"gamma_labels": [0.2, 0.3], "gamma_compute": [[0.1, 0.2], [0.3, 0.4]], "saturation": [2, "none"]},
        }
    )
    assert grid.points == tuple(
        FleetSpec(setting=Setting.DL, agents=n, gamma_compute=gamma, gamma_labels=(0.2, 0.3), saturation=level)
        for n in (2, 4, 6)
        for gamma in ((0.1, 0.2), (0.3, 0.4))
        for level in (2.0, None)
    )
    assert (grid.seeds, grid.fleets) == (range(5, 10), 60)
    assert grid.policies == {"Fair-Synergy (converged)": fs.FairSynergy(passes=np.inf)}
    assert grid.columns(grid.points[0]) == {
        "setting": "DL", "gamma_compute_low": 0.1, "gamma_compute_high": 0.2, "saturation": 2.0
    }  # fmt: skip
    assert grid.columns(grid.points[1])["saturation"] == np.inf


def test_a_search_is_not_stopped_by_the_clock() -> None:
    """Else a slow machine would find something else."""
    (policy,) = Grid.of(SHORT | {"rules": "certified-optimum"}).policies.values()
    assert policy == fs.CertifiedOptimum(seconds=np.inf)


WRONG: dict[str, tuple[str, str, str]] = {
    "no TOML": ("agents = 3", "agents = ", "sweep.toml is not a TOML file: Invalid value (at line 2, column"),
    "unknown key": ("agents", "agent", "there is no key `agent`; did you mean `agents`? Allowed are setting, agents,"),
    "key of the fleet": ("agents", "spread = 1\nagents", "no key `spread`; did you mean `fleet.spread`?"),
    "key of the top": ("spread = 1", "seeds = 1", "no key `fleet.seeds`; did you mean `seeds`? Allowed are local_comp"),
    "unlike any key": ("agents", "x = 1\nagents", "there is no key `x`; allowed are setting"),
    "key of a range": ("agents = 3", "agents = {form = 1, to = 2}", "no key `agents.form`; did you mean `from`?"),
    "missing": ("seeds = 2", "", "`seeds` is missing; a sweep needs setting, agents, seeds and rules"),
    "no table": ("[fleet]\nspread = 1", "fleet = 3", "`fleet` must be a table, [fleet], of local_compute,"),
    "setting": ('"RTI"', '["RTI", "XL"]', '`setting[1]` must be "RTI" or "DL"; got "XL"'),
    "setting in numbers": ('"RTI"', "1", '`setting` must be "RTI" or "DL"; got 1'),
    "no agents": ("= 3", "= [3, 0]", "`agents[1]` must be a whole number >= 1; got 0"),
    "agents in parts": ("= 3", "= 3.5", "`agents` must be a whole number >= 1; got 3.5"),
    "agents backwards": (
        "= 3", "= {from = 5, to = 3}",
        "`agents` must be {from, to} in whole numbers, 1 <= from <= to, with a step >= 1 if wanted; got {from = 5, to"
    ),
    "step of zero": ("= 3", "= {from = 1, to = 3, step = 0}", "with a step >= 1 if wanted; got {from = 1"),
    "empty list": ("= 3", "= []", "`agents` is an empty list; give at least one value"),
    "twice the same": ("spread = 1", "spread = [1, 0.5, 1.0]", "`fleet.spread[2]` repeats 1.0; give every value once"),
    "too many values": ("= 3", "= {from = 1, to = 1000000}", "`agents` has 1,000,000 values, more than the 100,000"),
    "too many points": (
        'agents = 3\nseeds = 2\nrules = "nash"\n[fleet]\nspread = 1',
        'agents = {from = 1, to = 90000}\nseeds = 2\nrules = "nash"\n[fleet]\nspread = [0, 1]',
        "the lists make 180,000 combinations, more than the 100,000 of one sweep"
    ),
    "no seeds": ("seeds = 2", "seeds = 0", "`seeds` must be a whole number >= 1, or {from, to}; got 0"),
    "seeds in words": ("seeds = 2", 'seeds = "many"', '`seeds` must be a whole number >= 1, or {from, to}; got "many"'),
    "negative seeds": ("seeds = 2", "seeds = {from = -1, to = 1}", "in whole numbers, 0 <= from <= to; got {from = -1"),
    "endless": ("seeds = 2", "seeds = 1000000000000000", "days, more than one sweep can hold; cut the seeds"),
    "unknown rule": ('"nash"', '["nash", "maxmin"]', "`rules[1]`: there is no rule 'maxmin'; choose all, or any of F"),
    "wrong alpha": ('"nash"', '"alpha=-2"', "`rules`: alpha must be a number >= 0, or inf; got '-2'"),
    "wrong passes": ('"nash"', '"fair-synergy passes=0"', "passes must be a whole number >= 1, or inf; got '0'"),
    "rule twice": ('"nash"', '["all", "leximin"]', "`rules[1]` gives Leximin a second time; give every rule once"),
    "rule in numbers": ('"nash"', "[1]", '`rules[0]` must name a rule in quotes, such as "leximin"; got 1'),
    "no rules": ('"nash"', "[]", "`rules` is an empty list; give at least one rule"),
    "negative": ("spread = 1", "local_compute = [0.1, -1]", "`fleet.local_compute[1]` must be a finite amount >= 0"),
    "not finite": ("spread = 1", "capacity_compute = inf", "`fleet.capacity_compute` must be a finite amount >= 0"),
    "wide spread": ("spread = 1", "spread = true", "`fleet.spread` must be from 0 (all own the same) to 1 (from"),
    "elasticity": ("spread = 1", "gamma_compute = 0.5", "must be [least, largest] with 0 < least <= largest < 1; got"),
    "elasticities": (
        "spread = 1", "gamma_compute = [[0.1, 0.2], [0.9, 0.1]]",
        "`fleet.gamma_compute[1]` must be [least, largest] with 0 < least <= largest < 1; got [0.9, 0.1]"
    ),
    "saturation": ("spread = 1", 'saturation = "no"', '`fleet.saturation` must be a number > 0, or "none"; got "no"'),
    "labels alone": ("spread = 1", "local_labels = 1", '`fleet.local_labels` needs the setting "DL"; in "RTI" the'),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "words"), WRONG.values(), ids=list(WRONG))
def test_a_wrong_configuration_is_refused_in_words(tmp_path, capsys, old, new, words):
    right = 'setting = "RTI"\nagents = 3\nseeds = 2\nrules = "nash"\n[fleet]\nspread = 1\n'
    assert old in right
    path = tmp_path / "sweep.toml"
    path.write_text(right.replace(old, new))
    assert words in refused(capsys, str(path), "--out", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_configuration_that_cannot_be_read_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "out")
    path = tmp_path / "sweep.toml"
    assert "sweep.toml cannot be read: No such file or directory" in refused(capsys, str(path), "--out", out)
    assert "cannot be read: Is a directory" in refused(capsys, str(tmp_path), "--out", out)
    path.write_bytes(b"setting = '\xff'")
    assert "is not a TOML file: 'utf-8' codec" in refused(capsys, str(path), "--out", out)


def test_workers_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = (str(EXAMPLE), "--out", str(tmp_path))
    assert "`workers` must be a whole number >= 1; got 0" in refused(capsys, *arguments, "--workers", "0")
    with pytest.raises(fs.ProblemError, match="give one of them"):
        sweep(SHORT, tmp_path, workers=2, scheduler="tcp://localhost:8786")


# How it is cut


@given(
    count=st.integers(1, 2000),
    agents=st.lists(st.integers(1, 10_000), min_size=1, max_size=4, unique=True),
    seeds=st.tuples(st.integers(0, 99), st.integers(100, 2000)),
    rules=st.sampled_from(["uniform", "leximin", "certified-optimum", "all"]),
)
def test_every_fleet_is_in_one_chunk(count: int, agents: list[int], seeds: tuple[int, int], rules: str) -> None:
    config = {"setting": ["DL", "RTI"], "agents": agents, "seeds": {"from": seeds[0], "to": seeds[1]}, "rules": rules}
    with pytest.MonkeyPatch.context() as patch:
        grid = Grid.of(config)
        patch.setattr(grids, "CHUNK", grid.seconds / count)
        chunks = grid.chunks
    found = [(p.spec, seed) for pieces in chunks for p in pieces for seed in (p.first, p.last)]
    # Pieces follow each other without a gap.
    ends = [(spec, seed) for spec in grid.points for seed in (grid.seeds.start, grid.seeds.stop)]
    assert [each for each in found if each[1] in (grid.seeds.start, grid.seeds.stop)] == ends
    inner = [each for each in found if each[1] not in (grid.seeds.start, grid.seeds.stop)]
    assert inner[::2] == inner[1::2]
    assert sum(p.fleets for pieces in chunks for p in pieces) == grid.fleets
    assert all(pieces for pieces in chunks)


def test_a_chunk_is_about_a_second_of_work_by_the_estimate() -> None:
    grid = Grid.of(SHORT | {"seeds": 20_000, "rules": ["uniform", "certified-optimum"]})
    assert grid.seconds == pytest.approx(len(grid.chunks), rel=0.05)
    assert max(len(pieces) for pieces in grid.chunks) > 1


def test_a_batch_is_about_as_many_agents_as_fit_a_cache() -> None:
    for spec in Grid.of(SHORT | {"agents": [10, 1000, 100_000]}).points:
        batches = list(grids.Piece(spec, 3, 9_000, {}).batches())
        assert np.array_equal(np.concatenate(batches), np.arange(3, 9_000))
        assert all(len(seeds) == 1 or len(seeds) * spec.agents <= 30_000 for seeds in batches)


# What the results are


@st.composite
def configs(draw: st.DrawFn) -> dict[str, Any]:
    """Few small fleets, any of the rules but Random, whose lots come with the fleets."""
    rules = [name.lower() for name in fs.RULES if name != "Random"]
    rules += ["alpha=0.5", "alpha=2", "fair-synergy passes=1", "fair-synergy passes=inf"]
    amounts = st.sampled_from([0.0, 0.01, 0.1, 1.0])
    return {
        "setting": draw(st.sampled_from(["RTI", "DL"])),
        "agents": draw(st.lists(st.integers(1, 6), min_size=1, max_size=2, unique=True)),
        "seeds": {"from": (first := draw(st.sampled_from([0, 7, 2**40]))), "to": first + draw(st.integers(0, 2))},
        "rules": draw(st.lists(st.sampled_from(rules), min_size=1, max_size=3, unique=True)),
        "fleet": {
            "local_compute": draw(st.lists(amounts, min_size=1, max_size=2, unique=True)),
            "capacity_compute": draw(amounts),
            "gamma_compute": draw(st.sampled_from([[0.1, 0.9], [0.3, 0.3]])),
            "saturation": draw(st.sampled_from(["none", 1.0, ["none", 0.5]])),
        },
    }


@given(config=configs())
def test_a_sweep_is_a_loop(config: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder:
        table = read(sweep(config, folder, workers=1).parent)
    grid, rows = Grid.of(config), iter(table.itertuples())
    for spec in grid.points:
        for seed in grid.seeds:
            problem = FleetSpec(**vars(spec) | {"seed": seed}).problem()
            for name, policy in grid.policies.items():
                row, alone = next(rows), fs.allocate(problem, policy)
                assert (row.setting, row.agents, row.experiment, row.rule) == (
                    spec.setting.name, spec.agents, seed, name
                )  # fmt: skip
                assert row.mean == pytest.approx(alone.mean, rel=1e-9)
                assert row.worst == pytest.approx(alone.worst, rel=1e-9)
                assert row.best == pytest.approx(alone.best, rel=1e-9)
                assert row.gini == pytest.approx(gini(alone.utility), rel=1e-9, abs=1e-12)
                assert row.seconds > 0
                assert not row.gap < 0
    assert next(rows, None) is None


def test_times_are_kept_by_batch(tmp_path: Path) -> None:
    sweep(SHORT, tmp_path, workers=1)
    assert sorted(contents(tmp_path)) == ["results.parquet", "seconds.parquet", "sweep.json"]
    times = parquet.read_table(tmp_path / "seconds.parquet").to_pandas()
    table = read(tmp_path)
    assert times["fleets"].sum() == len(table)
    assert (times["seconds"] > 0).all()
    keys = ["setting", "gamma_compute_low", "gamma_compute_high", "saturation", "agents", "rule"]
    by_batch = times.assign(all=times["seconds"] * times["fleets"]).groupby(keys, observed=True)["all"].sum()
    np.testing.assert_allclose(table.groupby(keys, observed=True)["seconds"].sum(), by_batch, rtol=1e-9)


def test_results_say_where_they_come_from(tmp_path: Path) -> None:
    metadata = parquet.read_schema(sweep(SHORT, tmp_path, workers=1)).metadata
    assert b'"agents": [3, 8]' in metadata[b"fairsynergy sweep"]


# Whoever works on it, and whatever happens


@pytest.mark.usefixtures("fine")
def test_two_workers_find_what_one_finds(tmp_path: Path, expected: bytes) -> None:
    told: list[Progress] = []
    assert sweep(SHORT, tmp_path, workers=2, tell=told.append).read_bytes() == expected
    assert [now.done for now in told] == sorted(now.done for now in told)
    assert (told[0].done, told[-1].done, told[-1].of) == (0, 1280, 1280)


@pytest.mark.usefixtures("fine")
def test_a_cluster_finds_what_one_finds(tmp_path: Path, expected: bytes, cluster: LocalCluster) -> None:
    assert sweep(SHORT, tmp_path, scheduler=cluster.scheduler_address).read_bytes() == expected


@pytest.mark.usefixtures("fine")
@pytest.mark.parametrize("engine", ["processes", "cluster"])
def test_a_worker_that_is_killed_loses_nothing(
    tmp_path: Path, expected: bytes, engine: str, request: pytest.FixtureRequest
) -> None:
    where: dict[str, Any] = {"workers": 2}
    if engine == "cluster":
        where = {"scheduler": request.getfixturevalue("cluster").scheduler_address}
    killed: list[int] = []

    def tell(now: Progress) -> None:
        if 0 < now.done < now.of / 2 and not killed:
            sign = "spawn_main" if engine == "cluster" else "popen_loky"
            worker = next(
                process
                for process in psutil.Process().children(recursive=True)
                if any(sign in word for word in process.cmdline())
            )
            worker.kill()
            killed.append(worker.pid)

    assert sweep(SHORT, tmp_path, tell=tell, **where).read_bytes() == expected
    assert len(killed) == 1


def test_a_job_that_kills_its_workers_is_named_and_no_other() -> None:
    jobs = {number: partial(abs, -number) for number in range(20)} | {7: partial(os._exit, 1)}
    found = dict[int, int]()
    with pytest.raises(fs.SolverError, match=r"_exit.* ended 3 workers, one after the other"):
        found.update(workers.processes(call, jobs, workers=2))


def test_a_job_that_kills_the_workers_of_a_cluster_is_named(cluster: LocalCluster) -> None:
    cluster.scheduler.allowed_failures = 0
    try:
        with (
            workers.connect(cluster.scheduler_address) as client,
            pytest.raises(fs.SolverError, match=r"_exit.* ended 1 workers"),
        ):
            list(workers.cluster(call, {7: partial(os._exit, 1)}, client=client))
    finally:
        cluster.scheduler.allowed_failures = 3


@pytest.mark.parametrize("engine", ["here", "processes", "cluster"])
def test_what_a_job_refuses_is_said(engine: str, request: pytest.FixtureRequest) -> None:
    jobs = {1: partial(fs.Problem, endowment=[0.1], capacity=-1.0, elasticity=[0.5])}
    if engine == "here":
        answers = workers.here(call, jobs)
    elif engine == "processes":
        answers = workers.processes(call, jobs, workers=2)
    else:
        client = workers.connect(request.getfixturevalue("cluster").scheduler_address)
        request.addfinalizer(client.close)
        answers = workers.cluster(call, jobs, client=client)
    with pytest.raises(fs.ProblemError, match=r"`capacity\[0\]` \(compute\) must be"):
        list(answers)


def test_a_worker_that_cannot_work_is_a_clear_error(cluster: LocalCluster) -> None:
    with (
        workers.connect(cluster.scheduler_address) as client,
        pytest.raises(fs.SolverError, match="every machine needs the same fairsynergy"),
    ):
        list(workers.cluster(call, {1: partial(__import__, "no_such_package")}, client=client))


def test_a_fleet_that_a_rule_refuses_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise fs.SolverError("no")

    monkeypatch.setattr(fs.Random, "divide_many", refuse)
    with pytest.raises(fs.SolverError, match=r"^seeds 0 to 79 of agents 3, setting RTI, .*: no$"):
        sweep(SHORT, tmp_path, workers=1)


def test_a_worker_of_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    versions = iter(["1.0", "2.0"])
    monkeypatch.setattr(sweeps, "version", lambda _: next(versions))
    with pytest.raises(fs.SolverError, match=r"a worker has fairsynergy 2\.0, the sweep 1\.0; install the same"):
        sweep(SHORT, tmp_path, workers=1)


# Stopped and continued


@pytest.mark.usefixtures("fine")
def test_a_stopped_sweep_goes_on(tmp_path: Path, expected: bytes) -> None:
    stopped(tmp_path)
    assert len(list((tmp_path / "parts").iterdir())) == 3
    told: list[Progress] = []
    assert sweep(SHORT, tmp_path, workers=1, tell=told.append).read_bytes() == expected
    assert told[0].done == told[0].before > 0


def start(config: Path, folder: Path) -> subprocess.Popen[str]:
    """`fairsynergy sweep` by two workers, in a group of processes of its own, as a terminal would start it."""
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, "sweep", config, "--out", folder, "--workers", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def parts(folder: Path) -> int:
    return len(list((folder / "parts").glob("*.part")))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no groups of processes to send signals to")
def test_a_command_that_is_killed_goes_on_and_ends_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, folder = tmp_path / "sweep.toml", tmp_path / "out"
    config.write_text(LONG)
    for stop in (signal.SIGINT, signal.SIGKILL):
        before, process = parts(folder), start(config, folder)
        while parts(folder) == before:
            assert process.poll() is None
            time.sleep(0.01)
        os.killpg(process.pid, stop)
        out, message = process.communicate(timeout=60)
        assert out == ""
        assert not (folder / "results.parquet").exists()
        if stop == signal.SIGINT:
            assert process.returncode == 130
            # No rate if the signal came between the first part and word of it.
            rate = r"(, [\d,]+ a second)?"
            words = rf"stopped after [\d,]+ of 20,000 fleets{rate}; the same command goes on from there\n"
            assert re.fullmatch(words, message), message
        else:
            assert process.returncode == -signal.SIGKILL
    process = start(config, folder)
    out, message = process.communicate(timeout=60)
    assert (process.returncode, message) == (0, "")
    assert re.fullmatch(r".*results\.parquet: 20,000 of 20,000 fleets, [\d,]+ a second, [\d.]+ s\n", out)
    monkeypatch.setattr(grids, "CHUNK", 0.25)
    whole = sweep(config, tmp_path / "whole", workers=1)
    assert (folder / "results.parquet").read_bytes() == whole.read_bytes()


def test_a_finished_sweep_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, folder = tmp_path / "sweep.toml", tmp_path / "out"
    config.write_text('setting = "RTI"\nagents = 2\nseeds = 3\nrules = "nash"\n')
    command = ["sweep", str(config), "--out", str(folder)]
    assert main(command) == 0
    before = contents(folder)
    assert capsys.readouterr().out.startswith(f"{folder}/results.parquet: 3 of 3 fleets")
    assert main(command) == 0
    out, message = capsys.readouterr()
    assert (out, message) == (
        f"{folder}/results.parquet: all 3 fleets were solved before; nothing is left to do\n", ""
    )  # fmt: skip
    assert contents(folder) == before


def test_what_a_stop_at_the_end_left_is_removed(tmp_path: Path) -> None:
    sweep(SHORT, tmp_path, workers=1)
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "000000.part").write_bytes(b"part")
    sweep(SHORT, tmp_path, workers=1)
    assert sorted(contents(tmp_path)) == ["results.parquet", "seconds.parquet", "sweep.json"]
    assert not (tmp_path / "parts").exists()


# Refusals, after which everything is as it was


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 255
    path.write_bytes(content)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def swap(path: Path) -> None:
    shutil.copy(path.with_name("000001.part"), path)


PART = "; delete it, and its fleets are solved again"
DAMAGES: list[tuple[str, Callable[[Path], None], str]] = [
    ("parts/000000.part", cut, PART),
    ("parts/000000.part", flip, PART),
    ("parts/000000.part", empty, PART),
    ("parts/000000.part", swap, "is a part of something else" + PART),
    ("sweep.json", cut, "sweep.json is damaged; give another folder, or delete this one to begin again"),
    ("sweep.json", empty, "sweep.json is damaged"),
    ("sweep.json", lambda path: path.write_text('{"sweep": 3}') and None, "sweep.json is damaged"),
    ("sweep.json", Path.unlink, "is not empty and holds no sweep; give a new folder"),
]


@pytest.mark.usefixtures("fine")
@pytest.mark.parametrize(("name", "damage", "words"), DAMAGES)
def test_damage_is_noticed_and_nothing_overwritten(tmp_path, expected, name, damage, words):
    stopped(tmp_path)
    damage(tmp_path / name)
    before = contents(tmp_path)
    with pytest.raises(fs.ProblemError, match=re.escape(words)) as raised:
        sweep(SHORT, tmp_path, workers=1)
    assert str(tmp_path) in str(raised.value)
    assert contents(tmp_path) == before
    if PART in words:
        (tmp_path / name).unlink()
        assert sweep(SHORT, tmp_path, workers=1).read_bytes() == expected


@pytest.mark.parametrize("name", ["results.parquet", "seconds.parquet"])
@pytest.mark.parametrize("damage", [cut, flip, Path.unlink])
def test_damaged_results_are_noticed(tmp_path: Path, name: str, damage: Callable[[Path], None]) -> None:
    sweep(SHORT, tmp_path, workers=1)
    damage(tmp_path / name)
    before = contents(tmp_path)
    for again in (partial(sweep, SHORT, tmp_path, workers=1), partial(read, tmp_path)):
        with pytest.raises(fs.ProblemError, match=f"{name} is damaged or not there.*; give another folder, or delete"):
            again()
    assert contents(tmp_path) == before


@pytest.mark.usefixtures("fine")
@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"seeds": 41}, "chunks|seeds"), ({"agents": [3, 9]}, "chunks|agents"), ({"rules": "all"}, "chunks|rules"),
        ({"fleet": SHORT["fleet"] | {"saturation": [1, 2]}}, "chunks|saturation"),
    ],
)  # fmt: skip
def test_the_folder_of_another_sweep_is_refused(tmp_path, change, key, finished):
    if finished:
        sweep(SHORT, tmp_path, workers=1)
    else:
        stopped(tmp_path)
    before = contents(tmp_path)
    with pytest.raises(fs.ProblemError, match=f"holds a sweep with other `({key})`; give another folder, or the same"):
        sweep(SHORT | change, tmp_path, workers=1)
    assert contents(tmp_path) == before


def test_other_folders_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    assert "holds no sweep; give a new folder" in refused(capsys, str(EXAMPLE), "--out", str(tmp_path))
    assert f"{file} cannot be read or written: Not a directory" in refused(capsys, str(EXAMPLE), "--out", str(file))
    message = refused(capsys, str(EXAMPLE), "--out", str(file / "out"), "--workers", "1")
    assert f"{file / 'out'} cannot be read or written: Not a directory" in message
    assert contents(tmp_path) == {"file": b"mine"}
    with pytest.raises(fs.ProblemError, match="holds no finished sweep; run the sweep to its end"):
        read(tmp_path / "nowhere")


def test_a_folder_that_fills_up_can_be_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(fs.ProblemError, match="No space left on device; once it can, the same command goes on"):
            sweep(SHORT, tmp_path, workers=1)
    assert sweep(SHORT, tmp_path, workers=1).exists()


@extras.needs("cluster")
def test_a_scheduler_that_does_not_answer_is_refused(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(workers, "PATIENCE", 0.5)
    out = str(tmp_path / "out")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        message = refused(capsys, str(EXAMPLE), "--out", out, "--scheduler", address)
    assert f"no scheduler answers at '{address}'; give the address that dask scheduler printed" in message
    message = refused(capsys, str(EXAMPLE), "--out", out, "--scheduler", "here")
    assert "no scheduler answers at 'here'; missing port number in address 'here'" in message
    assert not Path(out).exists()


def test_without_dask_its_absence_is_explained(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    message = refused(capsys, str(EXAMPLE), "--out", str(tmp_path / "out"), "--scheduler", "tcp://localhost:8786")
    assert "a cluster needs Dask, which is not installed: pip install 'fairsynergy[cluster]'" in message


def test_importing_sweeps_loads_neither_dask_nor_the_dashboard() -> None:
    code = "import sys, fairsynergy.experiments.sweeps; print(*{'dask', 'distributed', 'streamlit'} & set(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []
