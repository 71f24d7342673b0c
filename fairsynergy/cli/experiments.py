"""`fairsynergy reproduce | sweep | bench`: the paper's experiments, experiments of one's own, and benchmarks."""

from __future__ import annotations

import argparse
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import rich.progress
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn

from fairsynergy.cli.terminal import Commands, Help, progress_bar
from fairsynergy.errors import FairSynergyError
from fairsynergy.words.phrases import duration

if TYPE_CHECKING:
    from fairsynergy.experiments.engine import Progress

MISSED = 1  # exit code of a benchmark that misses a goal

REPRODUCE = """\
Run the experiments of the Fair-Synergy paper again, and set what it claims, what the released data say, what its
protocol yields and what is right side by side. FIGURE is any of

  fig2         the Cobb-Douglas utility
  fig3         accuracy against resources, measured
  fig4         random configurations of two agents
  fig5         fleets of 1 to 100 agents (10 seconds)
  fig6         NUM against Fair-Synergy, agent by agent
  rti-scaling  the released run, draw by draw: real-time inference
  dl-scaling   the same for distributed learning, with the certified optimum (half a minute)
  complexity   time against the number of agents (half a minute)
  all          all of them

DIR receives report.html with all claims, and for each figure a folder: pictures as HTML, SVG and PNG, data as CSV."""

SWEEP = """\
Solve every combination of what CONFIG.toml lists, many fleets each, by many rules. CONFIG.toml holds

  setting = ["RTI", "DL"]         # or one of them
  agents = [10, 20, 50]           # or one number, or {from = 10, to = 100, step = 10}
  seeds = 1000                    # fleets drawn from each combination: seeds 0 to 999; or {from = 0, to = 999}
  rules = ["all", "alpha=2", "fair-synergy passes=inf"]  # as in solve

  [fleet]                         # if wanted; each a value or a list of values
  local_compute = [0.02, 0.05]    # also capacity_compute, spread, local_labels and capacity_labels
  gamma_compute = [0.1, 0.9]      # a range from least to largest, or a list of ranges; also gamma_labels
  saturation = 1.0                # or "none"

DIR receives results.parquet, a row per fleet and rule, and seconds.parquet, what each rule took. A sweep that was
stopped goes on where it was when the same command is run again, and ends with the same results."""

BENCH = """\
Measure fairsynergy beside other solvers and the hardware's floor, each pair in turns, print a table row by row, and
write it with a description of this machine. Exit code 1 if a goal is missed. PART is any of

  engine         the kernel beside one exponential; one resource, Leximin, six rules, many fleets (20 seconds)
  fairness       alpha-fairness beside CVXPY, and the whole dial from the greatest total to Leximin (10 seconds)
  planning       inverse questions, and a thousand draws of the elasticities (20 seconds)
  collaborative  one edge shared exactly, and city-hours under every policy (10 seconds)
  experiments    the paper's experiments in full (40 seconds)
  peers          each rule beside its CVXPY form (Clarabel, SCS) and SciPy's SLSQP and trust-constr (1 minute)
  optimum        the certified optimum: gaps, times, what it gains (2 minutes)
  training       two policies learning in full (3 minutes; needs PyTorch)
  dashboard      the pages beside an empty one, in a browser (4 minutes; Linux)

The benchmarks are in a checkout of the repository, not in the installed package."""


def add(commands: Commands) -> None:
    """Declare the commands."""
    _add_reproduce(commands)
    _add_sweep(commands)
    _add_bench(commands)


def _add_reproduce(commands: Commands) -> None:
    reproduce = commands.add_parser(
        "reproduce",
        help="run the paper's experiments again: its claims, its data, and what is right",
        description=REPRODUCE,
        epilog="example: fairsynergy reproduce all --out paper",
        formatter_class=Help,
    )
    reproduce.add_argument("figure", nargs="+", metavar="FIGURE", help="which, or all")
    reproduce.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to write; made if need be")
    reproduce.add_argument(
        "--seed", type=int, default=0, help="of fig4 and fig5, whose fleets are drawn anew; default: 0"
    )
    reproduce.add_argument(
        "--experiments",
        type=int,
        metavar="N",
        help="how many to run, of those the paper has drawn or released; default: all",
    )
    reproduce.set_defaults(run=_reproduce)


def _reproduce(arguments: argparse.Namespace) -> None:
    from fairsynergy.charts.reports import report  # loads what draws, which the other commands do without
    from fairsynergy.experiments import paper

    names = [name for wanted in arguments.figure for name in (paper.FIGURES if wanted == "all" else [wanted])]
    names = list(dict.fromkeys(names))
    for name in names:
        paper.check(name, seed=arguments.seed, experiments=arguments.experiments)
    report.prepare(arguments.out, names)
    experiments = "" if arguments.experiments is None else f" --experiments {arguments.experiments}"
    command = f"fairsynergy reproduce {' '.join(arguments.figure)} --out DIR --seed {arguments.seed}{experiments}"
    origin = report.Origin(version("fairsynergy"), command, arguments.seed)
    made = []
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with progress_bar(*columns) as bar:
        for name in names:
            task = bar.add_task(name, total=None)

            def tell(now: Progress, task: rich.progress.TaskID = task) -> None:
                bar.update(task, completed=now.done, total=now.of)

            made.append(paper.reproduce(name, seed=arguments.seed, experiments=arguments.experiments, tell=tell))
        drawing = bar.add_task("drawing", total=None)
        written = report.write(made, arguments.out, origin, progress=lambda text: bar.update(drawing, description=text))
    for one in made:
        print(f"{one.title}: {len(one.claims)} claims, {duration(one.seconds)}")
    print(f"{len(written)} files; open {written[0]}")


def _add_sweep(commands: Commands) -> None:
    sweep = commands.add_parser(
        "sweep",
        help="solve many fleets by many rules, on all processors or a cluster",
        description=SWEEP,
        epilog="example: fairsynergy sweep assets/sweep.toml --out results",
        formatter_class=Help,
    )
    sweep.add_argument("config", metavar="CONFIG.toml", help="what to solve")
    sweep.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to write; made if need be")
    where = sweep.add_mutually_exclusive_group()
    where.add_argument("--workers", type=int, metavar="N", help="processes; default: as many as processors")
    where.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="of a Dask cluster that does the work, such as tcp://192.168.0.2:8786; needs fairsynergy[cluster]",
    )
    sweep.set_defaults(run=_sweep)


def _sweep(arguments: argparse.Namespace) -> None:
    from fairsynergy.experiments.sweeps import sweep  # loads what writes tables, which other commands do without

    last = list["Progress"]()
    columns = (BarColumn(), TextColumn("{task.description}"), TimeRemainingColumn(compact=True), TextColumn("left"))
    with progress_bar(*columns) as bar:
        task = bar.add_task("starting", total=None)

        def tell(now: Progress) -> None:
            last[:] = [now]
            bar.update(task, description=_fleets(now), completed=now.done, total=now.of)

        try:
            results = sweep(
                arguments.config, arguments.out, workers=arguments.workers, scheduler=arguments.scheduler, tell=tell
            )
        except KeyboardInterrupt:
            bar.stop()
            for now in last:
                print(f"stopped after {_fleets(now)}; the same command goes on from there", file=sys.stderr)
            raise
    (now,) = last
    if now.before == now.of:
        print(f"{results}: all {now.of:,} fleets were solved before; nothing is left to do")
    else:
        print(f"{results}: {_fleets(now)}, {duration(now.seconds)}")


def _fleets(now: Progress) -> str:
    """How far a sweep is, and how fast it goes."""
    rate = f", {(now.done - now.before) / now.seconds:,.0f} a second" if now.done > now.before else ""
    return f"{now.done:,} of {now.of:,} fleets{rate}"


def _add_bench(commands: Commands) -> None:
    bench = commands.add_parser(
        "bench",
        help="measure speed and exactness beside other solvers, on this machine",
        description=BENCH,
        epilog="example: fairsynergy bench engine peers --out today.md",
        formatter_class=Help,
    )
    bench.add_argument("part", nargs="*", metavar="PART", help="default: all but the last two, about 3 minutes")
    bench.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="where to write the table, as Markdown; default: docs/BENCHMARKS.md, if no default part is left out",
    )
    bench.set_defaults(run=_bench)


def _bench(arguments: argparse.Namespace) -> int:
    try:
        from benchmarks import table  # beside the package, in a checkout
    except ImportError:
        raise FairSynergyError(
            "the benchmarks are in the repository, not in the installed package; run make bench in a checkout"
        ) from None
    return MISSED if table.run(arguments.part, arguments.out) else 0
