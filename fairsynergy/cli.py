"""The command line: `fairsynergy app | solve | presets | reproduce | sweep | bench`.

Results go to standard output. Anything wrong goes to standard error in one message, with exit code 2; a goal that a
benchmark misses is a result, with exit code 1.

>>> main(["presets", "two drones", "--csv"])
agent,compute,gamma_compute,saturation_compute
drone 1,0.1,0.3,1.0
drone 2,0.2,0.6,1.0
0
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import rich.progress
from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

import fairsynergy as fs
from fairsynergy.errors import FairSynergyError, ProblemError
from fairsynergy.fleet_files import FleetFile, read_file, write_csv, write_json
from fairsynergy.policies import NAMES, named
from fairsynergy.scenarios import PRESETS, Preset
from fairsynergy.wording import at_most, badge, duration, headline, measure, proof

if TYPE_CHECKING:
    from fairsynergy.experiments.engine import Progress

# Exit codes: wrong input as in argparse, a reader that went away as in rich, a stop by Ctrl+C as in shells.
WRONG, UNREAD, STOPPED = 2, 1, 130
MISSED = 1
REFERENCE = "Uniform"

SOLVE = """\
Divide a cloud's resources among the agents of a fleet, by every rule, and compare.

FLEET is a table with one row per agent, CSV or JSON:

  agent,compute,gamma_compute
  drone 1,0.1,0.3
  drone 2,0.2,0.6

compute is what the agent owns; gamma_compute, between 0 and 1, is how hard its task is. A fleet may have
more resources (labels and gamma_labels, or any NAME and gamma_NAME), and if wanted the columns weight,
floor_NAME, ceiling_NAME and saturation_NAME."""
SOLVE_EXAMPLES = """\
examples:
  fairsynergy solve drones.csv --capacity compute=0.6 --saturation 1
  fairsynergy solve robots.csv --capacity compute=3 --capacity labels=2 --policy leximin num
  fairsynergy solve robots.csv --capacity compute=3 --capacity labels=2 --policy all certified-optimum alpha=2
  fairsynergy presets "Fleet A" | fairsynergy solve - --json"""

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
  rules = ["all", "nash", "alpha=2", "fair-synergy passes=inf"]    # as in solve --policy

  [fleet]                         # if wanted; each a value or a list of values
  local_compute = [0.02, 0.05]    # also capacity_compute, spread, local_labels and capacity_labels
  gamma_compute = [0.1, 0.9]      # a range from least to largest, or a list of ranges; also gamma_labels
  saturation = 1.0                # or "none"

DIR receives results.parquet, a row per fleet and rule, and seconds.parquet, what each rule took. A sweep that was
stopped goes on where it was when the same command is run again, and ends with the same results."""

BENCH = """\
Measure fairsynergy beside other solvers and the hardware's floor, each pair in turns, print a table row by row, and
write it with a description of this machine. Exit code 1 if a goal is missed. PART is any of

  engine       the kernel beside one exponential; one resource, Leximin, six rules, many fleets (20 seconds)
  fairness     alpha-fairness beside CVXPY, and the whole dial from the greatest total to Leximin (10 seconds)
  experiments  the paper's experiments in full (40 seconds)
  peers        each rule beside its CVXPY form (Clarabel, SCS) and SciPy's SLSQP and trust-constr (1 minute)
  optimum      the certified optimum: gaps, times, what it gains (2 minutes)
  dashboard    the pages beside an empty one, in a browser (4 minutes; Linux)

The benchmarks are in a checkout of the repository, not in the installed package."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code.

    Raises
    ------
    SystemExit
        From argparse: code 0 after help, 2 after a wrong argument.
    """
    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal's encoding lacks is spelled out, rather than an error.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.version:
        print(f"fairsynergy {version('fairsynergy')}")
        return 0
    if arguments.command is None:
        parser.print_help()
        return 0
    run: Callable[[argparse.Namespace], int | None] = arguments.run
    try:
        code = run(arguments)
        sys.stdout.flush()
    except FairSynergyError as error:
        print(f"fairsynergy {arguments.command}: {error}", file=sys.stderr)
        return WRONG
    except BrokenPipeError:  # the reader, for instance head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNREAD
    except KeyboardInterrupt:
        return STOPPED
    return code or 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fairsynergy",
        description="A cloud has so much to share among a fleet: who should get what, and is that fair?",
        epilog="Start with: fairsynergy app",
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    app = commands.add_parser("app", help="open the dashboard in a browser", description="Open the dashboard.")
    app.add_argument("--port", type=int, help="where to listen; default: the first free one from 8501 on")
    app.add_argument(
        "--address",
        default="127.0.0.1",
        help="127.0.0.1 for this machine only (default), 0.0.0.0 for everybody on its network",
    )
    app.add_argument("--headless", action="store_true", help="do not open a browser")
    app.set_defaults(run=_app)

    solve = commands.add_parser(
        "solve",
        help="divide a cloud among the agents of a file, by every rule",
        description=SOLVE,
        epilog=SOLVE_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    solve.add_argument("fleet", metavar="FLEET", help="the file, or - for standard input")
    solve.add_argument(
        "--capacity",
        type=_amount,
        action="append",
        default=[],
        metavar="NAME=AMOUNT",
        help="what the cloud can share of a resource, in the units of the file; once per resource; "
        "needed where the file does not say it",
    )
    solve.add_argument(
        "--saturation",
        type=_level,
        metavar="LEVEL",
        help="holding above which more adds nothing, for every resource: 1 keeps accuracies at most 1, none "
        "removes it; default: what the file says, else none",
    )
    solve.add_argument(
        "--policy",
        type=_rule,
        nargs="+",
        action="extend",
        metavar="RULE",
        help=f"all of the paper's (default), or any of {NAMES}",
    )
    solve.add_argument("--json", action="store_true", help="print everything as JSON: grants, prices, proofs")
    solve.set_defaults(run=_solve)

    presets = commands.add_parser(
        "presets",
        help="list the fleets to start from, or print one",
        description="List the fleets to start from, or print one as a file that solve reads.",
        epilog='example: fairsynergy presets "Two drones" --csv > drones.csv',
    )
    presets.add_argument("preset", nargs="?", type=_preset, metavar="NAME", help="print this one, as JSON")
    presets.add_argument("--csv", action="store_true", help="print it as CSV, which leaves the capacities out")
    presets.set_defaults(run=_presets)

    _add_reproduce(commands)
    _add_sweep(commands)
    _add_bench(commands)
    return parser


def _add_reproduce(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    reproduce = commands.add_parser(
        "reproduce",
        help="run the paper's experiments again: its claims, its data, and what is right",
        description=REPRODUCE,
        epilog="example: fairsynergy reproduce all --out paper",
        formatter_class=argparse.RawDescriptionHelpFormatter,
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


def _add_sweep(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    sweep = commands.add_parser(
        "sweep",
        help="solve many fleets by many rules, on all processors or a cluster",
        description=SWEEP,
        epilog="example: fairsynergy sweep assets/sweep.toml --out results",
        formatter_class=argparse.RawDescriptionHelpFormatter,
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


def _add_bench(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    bench = commands.add_parser(
        "bench",
        help="measure speed and exactness beside other solvers, on this machine",
        description=BENCH,
        epilog="example: fairsynergy bench engine peers --out today.md",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    bench.add_argument("part", nargs="*", metavar="PART", help="default: all but the dashboard, about 3 minutes")
    bench.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="where to write the table, as Markdown; default: docs/BENCHMARKS.md, if no default part is left out",
    )
    bench.set_defaults(run=_bench)


def _amount(text: str) -> tuple[str, float]:
    name, _, amount = text.rpartition("=")
    try:
        return name.strip() or _fail(text), float(amount)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be NAME=AMOUNT, such as compute=0.46; got {text!r}") from None


def _fail(text: str) -> str:
    raise ValueError(text)


def _level(text: str) -> float:
    try:
        return math.inf if text.lower() == "none" else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number such as 1, or none; got {text!r}") from None


def _rule(text: str) -> list[fs.Policy]:
    try:
        return named(text)
    except ProblemError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _preset(text: str) -> Preset:
    for name, preset in PRESETS.items():
        if name.casefold() == text.casefold():
            return preset
    raise argparse.ArgumentTypeError(f"there is no preset {text!r}; choose one of {', '.join(PRESETS)}")


def _app(arguments: argparse.Namespace) -> None:
    from fairsynergy.launch import launch  # loads the dashboard, which the other commands do without

    launch(port=arguments.port, address=arguments.address, headless=arguments.headless)


def _solve(arguments: argparse.Namespace) -> None:
    capacity: dict[str, float] = {}
    for name, amount in arguments.capacity:
        if name in capacity:
            raise ProblemError(f"--capacity gives {name!r} twice; give each resource once")
        capacity[name] = amount
    file = _read(arguments.fleet)
    try:
        problem = file.problem(capacity=capacity, saturation=arguments.saturation)
    except ProblemError as error:
        if error.field == "capacity" and error.index is None:
            raise ProblemError(f"{error}; the option is --capacity NAME=AMOUNT") from None
        raise
    wanted = [policy for policies in arguments.policy or [fs.POLICIES.values()] for policy in policies]
    solved: dict[str, fs.Allocation] = {}
    refused: dict[str, FairSynergyError] = {}
    for policy in wanted:
        try:
            solved[policy.label] = _allocate(problem, policy)
        except FairSynergyError as error:
            refused[policy.label] = error
    if not solved:
        raise next(iter(refused.values()))
    reference = solved.get(REFERENCE) or fs.allocate(problem, fs.POLICIES[REFERENCE])
    if arguments.json:
        document = _document(file.name, problem, solved, refused, reference)
        print(json.dumps(_finite(document), indent=2, allow_nan=False))
    else:
        _print_comparison(file.name, problem, solved, refused, reference)


def _allocate(problem: fs.Problem, policy: fs.Policy) -> fs.Allocation:
    """The policy's answer; a search that may take long says on a terminal how far it is."""
    if not isinstance(policy, fs.CertifiedOptimum):
        return fs.allocate(problem, policy)
    with Console(stderr=True).status(f"{policy.name} ...") as status:

        def tell(now: fs.Progress) -> None:
            status.update(f"{policy.name}: at most {at_most(now.gap)} below the best there is, {now.boxes:,} boxes")

        return fs.allocate(problem, replace(policy, progress=tell))


def _read(path: str) -> FleetFile:
    if path == "-":
        return read_file(sys.stdin.buffer.read(), name="standard input")
    try:
        return read_file(path)
    except OSError as error:
        raise ProblemError(f"{path} cannot be read: {error.strerror}") from None


def _print_comparison(
    name: str,
    problem: fs.Problem,
    solved: Mapping[str, fs.Allocation],
    refused: Mapping[str, FairSynergyError],
    reference: fs.Allocation,
) -> None:
    console = Console(markup=False, highlight=False, emoji=False)
    word = measure({**solved, REFERENCE: reference})
    amounts = zip(problem.resources, problem.capacity, strict=True)
    cloud = " and ".join(f"{amount:g} units of {resource}" for resource, amount in amounts)
    console.print(f"{name}: {problem.n:,} agent{'s' * (problem.n > 1)}; the cloud shares {cloud}.")
    console.print(headline(solved, next(iter(solved))))

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), collapse_padding=True, pad_edge=False)
    table.add_column("rule", no_wrap=True)
    for column in ("worst", "mean", "best", f"vs {REFERENCE}"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("proof")
    table.add_column("time", justify="right", no_wrap=True)
    before = problem.utility(np.zeros((problem.n, problem.m)))
    rows = {"(no cloud)": (before.min(), before.mean(), before.max())}
    rows |= {rule: (answer.worst, answer.mean, answer.best) for rule, answer in solved.items()}
    for rule, values in rows.items():
        change = _over(float(values[1]), reference)
        table.add_row(
            rule,
            *map(_figure, values),
            "" if change is None else f"{round(100 * change, 1) + 0.0:+.1f} %",  # + 0.0 for no minus zero
            badge(solved[rule]) if rule in solved else "",
            duration(solved[rule].seconds) if rule in solved else "",
        )
    for rule in refused:
        table.add_row(rule, "", "", "", "", "refused", "")
    console.print(table)

    console.print(f"worst, mean, best: {word} of the worst-off agent, on average, and of the best-off agent.")
    console.print(f"vs {REFERENCE}: the mean relative to {REFERENCE}'s, {_figure(reference.mean)}.")
    for mark, sentence in {badge(answer): proof(answer) for answer in solved.values()}.items():
        console.print(f"{mark}: {sentence.partition(': ')[2]}")
    console.print("time: one run on this machine, without the check that the proof needs.")
    for rule, error in refused.items():
        console.print(f"{rule} refused: {error}")
    if word != "accuracy":
        console.print("Some utilities exceed 1, so they are no accuracies; --saturation 1 keeps them below.")


def _document(
    name: str,
    problem: fs.Problem,
    solved: Mapping[str, fs.Allocation],
    refused: Mapping[str, FairSynergyError],
    reference: fs.Allocation,
) -> dict[str, Any]:
    """Everything about the answers, for a program; lists are in the order of the agents."""

    def by_resource(values: Any) -> dict[str, Any]:
        return dict(zip(problem.resources, np.asarray(values).tolist(), strict=True))

    def answer(allocation: fs.Allocation) -> dict[str, Any]:
        certificate = allocation.certificate
        return {
            "status": allocation.status.name,
            "meaning": proof(allocation),
            "worst": allocation.worst,
            "mean": allocation.mean,
            "best": allocation.best,
            "mean_vs_uniform": _over(allocation.mean, reference),
            "total": allocation.total,
            "upper_bound": allocation.upper_bound,
            "gap": allocation.gap,
            "price": None if allocation.price is None else by_resource(allocation.price),
            "unspent": by_resource(allocation.unspent),
            "certificate": {
                "objective": certificate.objective,
                "budget": certificate.budget,
                "nonnegativity": certificate.nonnegativity,
                "stationarity": certificate.stationarity,
                "complementarity": certificate.complementarity,
            },
            "seconds": allocation.seconds,
            "iterations": allocation.iterations,
            "utility": allocation.utility.tolist(),
            "grant": by_resource(allocation.grant.T),
        }

    before = problem.utility(np.zeros((problem.n, problem.m)))
    return {
        "fleet": name,
        "agents": list(problem.agents),
        "capacity": by_resource(problem.capacity),
        "utility_before": before.tolist(),
        "rules": {rule: answer(allocation) for rule, allocation in solved.items()},
        "refused": {rule: str(error) for rule, error in refused.items()},
    }


def _figure(value: float) -> str:
    return f"{value:.4f}" if value < 1e4 else f"{value:.4g}"


def _over(mean: float, reference: fs.Allocation) -> float | None:
    """How far a mean exceeds the reference's, relatively; None where that is 0."""
    return mean / reference.mean - 1 if reference.mean > 0 else None


def _finite(value: Any) -> Any:
    """JSON has no infinity: null says that there is no such number."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _reproduce(arguments: argparse.Namespace) -> None:
    from fairsynergy.charts import report  # loads what draws, which the other commands do without
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
    with rich.progress.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
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


def _sweep(arguments: argparse.Namespace) -> None:
    from fairsynergy.experiments.sweeps import sweep  # loads what writes tables, which other commands do without

    console, last = Console(stderr=True), list["Progress"]()
    columns = (BarColumn(), TextColumn("{task.description}"), TimeRemainingColumn(compact=True), TextColumn("left"))
    with rich.progress.Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
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


def _presets(arguments: argparse.Namespace) -> None:
    preset: Preset | None = arguments.preset
    if preset is not None:
        write = write_csv if arguments.csv else write_json
        print(write(preset.problem), end="")
        return
    console = Console(markup=False, highlight=False, emoji=False)
    for each in PRESETS.values():
        problem = each.problem
        console.print(f"{each.name} ({problem.n} agents, {each.setting.name})", style="bold")
        console.print(Padding(f"{each.sentence}\nSource: {each.source}", (0, 0, 0, 2)))


def _bench(arguments: argparse.Namespace) -> int:
    try:
        from benchmarks import table  # beside the package, in a checkout
    except ImportError:
        raise FairSynergyError(
            "the benchmarks are in the repository, not in the installed package; run make bench in a checkout"
        ) from None
    return MISSED if table.run(arguments.part, arguments.out) else 0


if __name__ == "__main__":
    sys.exit(main())
