"""`fairsynergy solve | presets | report`: divide a fleet by every rule, start from a ready one, hand out a meeting."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.padding import Padding

import fairsynergy as fs
from fairsynergy.cli.comparison import ALL, REFERENCE, over, print_comparison
from fairsynergy.cli.terminal import Commands, Help, add_decimal, named_amount, plain_console, print_json, with_option
from fairsynergy.errors import FairSynergyError, ProblemError, SolverError
from fairsynergy.fleets import PRESETS, FleetFile, Preset, read_file, write_csv, write_json
from fairsynergy.fleets.tables import Decimal
from fairsynergy.policies import NAMES, named
from fairsynergy.words.phrases import at_most, proof

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
  fairsynergy solve robots.csv --capacity compute=3 --capacity labels=2 \\
      --policy all certified-optimum alpha=2 --agents all
  fairsynergy presets "Fleet A" | fairsynergy solve - --json"""


TOO_LARGE = "its grants or accuracies are too large to be numbers; count the resources in larger units"


def add(commands: Commands) -> None:
    """Declare the commands."""
    _add_solve(commands)
    _add_presets(commands)
    _add_report(commands)


def _add_solve(commands: Commands) -> None:
    solve = commands.add_parser(
        "solve",
        help="divide a cloud among the agents of a file, by every rule",
        description=SOLVE,
        epilog=SOLVE_EXAMPLES,
        formatter_class=Help,
    )
    solve.add_argument("fleet", metavar="FLEET", help="the file, or - for standard input")
    solve.add_argument(
        "--capacity",
        type=named_amount,
        action="append",
        default=[],
        metavar="NAME=AMOUNT",
        help="what the cloud can share of a resource, in the units of the file; once per resource; "
        "needed where the file does not say it",
    )
    add_decimal(solve)
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
    solve.add_argument(
        "--agents",
        type=_agents,
        default=10,
        metavar="N",
        help="how many agents to show, with what each of them gets: a number, or all; default: 10",
    )
    solve.add_argument("--json", action="store_true", help="print everything as JSON: grants, prices, proofs")
    solve.set_defaults(run=_solve)


def _level(text: str) -> float:
    try:
        return math.inf if text.lower() == "none" else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number such as 1, or none; got {text!r}") from None


def _agents(text: str) -> int:
    if text.lower() == "all":
        return ALL
    if text.isdecimal() and text.isascii() and len(text) <= 9:
        return int(text)
    raise argparse.ArgumentTypeError(f"must be a whole number such as 20, or all; got {text!r}")


def _rule(text: str) -> list[fs.Policy]:
    try:
        return named(text)
    except ProblemError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _solve(arguments: argparse.Namespace) -> None:
    capacity: dict[str, float] = {}
    for name, amount in arguments.capacity:
        if name in capacity:
            raise ProblemError(f"--capacity gives {name!r} twice; give each resource once")
        capacity[name] = amount
    file = _read(arguments.fleet, arguments.decimal)
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
    reference = solved.get(REFERENCE) or _allocate(problem, fs.POLICIES[REFERENCE])
    # Sums that overflow are no error: JSON says that there is no such number, and the table refuses the rule.
    with np.errstate(over="ignore", invalid="ignore"):
        if arguments.json:
            print_json(_document(file.name, problem, solved, refused, reference))
            return
        known = {rule: answer for rule, answer in solved.items() if np.isfinite(answer.mean)}
        refused |= {rule: SolverError(TOO_LARGE) for rule in solved if rule not in known}
        if not known:
            raise next(iter(refused.values()))
        print_comparison(file.name, problem, known, refused, reference, arguments.agents)


def _allocate(problem: fs.Problem, policy: fs.Policy) -> fs.Allocation:
    """The policy's answer; a search that may take long says on a terminal how far it is."""
    over = np.errstate(over="ignore")  # accuracies that are too large are infinite, and said to be no numbers
    if not isinstance(policy, fs.CertifiedOptimum):
        with over:
            return fs.allocate(problem, policy)
    with over, Console(stderr=True).status(f"{policy.name} ...") as status:

        def tell(now: fs.Progress) -> None:
            status.update(f"{policy.name}: at most {at_most(now.gap)} below the best there is, {now.boxes:,} boxes")

        return fs.allocate(problem, replace(policy, progress=tell))


def _read(path: str, decimal: Decimal | None) -> FleetFile:
    try:
        if path == "-":
            return read_file(sys.stdin.buffer.read(), name="standard input", decimal=decimal)
        return read_file(path, decimal=decimal)
    except ProblemError as error:
        raise with_option(error) from None
    except OSError as error:
        raise ProblemError(f"{path} cannot be read: {error.strerror}") from None


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
            "mean_vs_uniform": over(allocation.mean, reference),
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


def _add_presets(commands: Commands) -> None:
    presets = commands.add_parser(
        "presets",
        help="list the fleets to start from, or print one",
        description="List the fleets to start from, or print one as a file that solve reads.",
        epilog='example: fairsynergy presets "Two drones" --csv > drones.csv',
    )
    presets.add_argument("preset", nargs="?", type=_preset, metavar="NAME", help="print this one, as JSON")
    presets.add_argument("--csv", action="store_true", help="print it as CSV, which leaves the capacities out")
    presets.set_defaults(run=_presets)


def _preset(text: str) -> Preset:
    for name, preset in PRESETS.items():
        if name.casefold() == text.casefold():
            return preset
    raise argparse.ArgumentTypeError(f"there is no preset {text!r}; choose one of {', '.join(PRESETS)}")


def _presets(arguments: argparse.Namespace) -> None:
    preset: Preset | None = arguments.preset
    if preset is not None:
        write = write_csv if arguments.csv else write_json
        print(write(preset.problem), end="")
        return
    console = plain_console()
    for each in PRESETS.values():
        problem = each.problem
        console.print(f"{each.name} ({problem.n} agents, {each.setting.name})", style="bold")
        console.print(Padding(f"{each.sentence}\nSource: {each.source}", (0, 0, 0, 2)))


def _add_report(commands: Commands) -> None:
    report = commands.add_parser(
        "report",
        help="divide the scenarios of a what-if meeting again, and write a page or a workbook about them",
        description="Divide the scenarios that the dashboard's page What-if saved, and write one page to hand out "
        "(.html) or a workbook (.xlsx): results, differences, reasons, proofs.",
        epilog="example: fairsynergy report scenarios.json --out report.html",
    )
    report.add_argument("scenarios", metavar="FILE", help="the scenarios as JSON, or a report that holds them")
    report.add_argument("--out", type=Path, required=True, metavar="NAME.html", help="where to write; or NAME.xlsx")
    report.set_defaults(run=_report)


def _report(arguments: argparse.Namespace) -> None:
    # They load what draws, which the other commands do without.
    from fairsynergy.charts.reports.handout import handout, open_tray
    from fairsynergy.fleets.workbook import workbook

    out: Path = arguments.out
    if out.suffix not in (".html", ".xlsx"):
        raise ProblemError(f"--out must end in .html for a page or in .xlsx for a workbook, got {out.name!r}")
    try:
        data = Path(arguments.scenarios).read_bytes()
    except OSError as error:
        raise ProblemError(f"{arguments.scenarios} cannot be read: {error.strerror}") from None
    tray = open_tray(data, Path(arguments.scenarios).name)
    solved: dict[str, fs.Allocation] = {}
    for scenario in tray.scenarios:
        try:
            solved[scenario.name] = _allocate(scenario.problem, scenario.policy)
        except FairSynergyError as error:
            print(f"{scenario.name} is left out of the results: {error}", file=sys.stderr)
    page = out.suffix == ".html"
    content = handout(tray, solved, address=None).encode() if page else workbook(tray, solved)
    try:
        out.write_bytes(content)
    except OSError as error:
        raise ProblemError(f"{out} cannot be written: {error.strerror}") from None
    print(f"{out}: {len(solved)} of {len(tray.scenarios)} scenarios divided")
