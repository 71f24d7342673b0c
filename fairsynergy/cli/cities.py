"""`fairsynergy train | cities`: policies for devices that share edges learn, and are tried in fresh cities."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.progress import BarColumn, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

from fairsynergy.cli.terminal import Commands, Help, progress_bar
from fairsynergy.collaborative import RECIPES
from fairsynergy.errors import ProblemError
from fairsynergy.fleets.drawn import ASSETS

if TYPE_CHECKING:
    from fairsynergy.experiments.trainings import News

TRAIN = """\
Train policies of collaborative inference in drawn cities, with PyTorch (pip install 'fairsynergy[training]'), one or
two minutes each. POLICY is any of

  iql    a device sees what it knows itself, and pays its own cost
  amfq   it also sees the mean action of the devices near it
  coa    it also sees how many devices each edge that it hears had, at which cut
  ofr    it sees what it knows itself, and pays a part of its edge's max-min cost
  foci   it sees what coa sees, and pays what ofr pays

DIR receives a file of weights per policy and seed. A training that was stopped goes on where it was when the same
command is run again; what is there already is not trained again."""

CITIES = """\
Let policies live through the same hours in fresh cities, with crowds that gather and without, and say which of the
claims of the FOCI paper these bear out, with 95 % intervals. DIR holds weights that train wrote; by default those that
come with fairsynergy."""


def add(commands: Commands) -> None:
    """Declare the commands."""
    _add_train(commands)
    _add_cities(commands)


def _add_train(commands: Commands) -> None:
    train = commands.add_parser(
        "train",
        help="train policies of collaborative inference (needs fairsynergy[training])",
        description=TRAIN,
        epilog="example: fairsynergy train --policies coa foci --oracle-share 0.5 1 --seeds 3 --out weights",
        formatter_class=Help,
    )
    train.add_argument("--policies", nargs="+", metavar="POLICY", default=list(RECIPES), help="default: all of them")
    train.add_argument(
        "--oracle-share",
        nargs="+",
        type=float,
        default=[0.5],
        metavar="λ",
        help="part of the edge's max-min cost in what ofr and foci pay, 0 to 1; several train several; default: 0.5",
    )
    train.add_argument("--seeds", type=int, default=3, metavar="N", help="trainings of each; default: 3")
    train.add_argument("--rounds", type=int, default=60, metavar="N", help="hours in each of two cities; default: 60")
    train.add_argument("--out", type=Path, default=Path("weights"), metavar="DIR", help="default: weights")
    train.add_argument("--workers", type=int, metavar="N", help="processes; default: as many as processors")
    train.set_defaults(run=_train)


def _train(arguments: argparse.Namespace) -> None:
    from fairsynergy.experiments import trainings  # loads joblib and pandas, which most commands do without

    _check_workers(arguments.workers)
    who = trainings.pupils(arguments.policies, oracle=arguments.oracle_share, seeds=arguments.seeds)
    try:
        arguments.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ProblemError(f"--out: {arguments.out} cannot be made: {error.strerror}") from None
    shares = " ".join(f"{share:g}" for share in arguments.oracle_share)
    origin = (
        "fairsynergy train "
        f"--policies {' '.join(arguments.policies)} --oracle-share {shares} --seeds {arguments.seeds} "
        f"--rounds {arguments.rounds}, {datetime.now(UTC):%Y-%m-%d}"
    )
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with progress_bar(*columns) as bar:
        tasks: dict[str, TaskID] = {}

        def tell(news: News) -> None:
            name, now = news
            said = f"{name}: ε {now.exploration:.2f}, cost {now.cost:.3f}"
            if name not in tasks:
                tasks[name] = bar.add_task(said, total=now.of)
            bar.update(tasks[name], description=said, completed=now.done, visible=now.done < now.of)

        written = 0
        for path in trainings.train_all(
            who, arguments.out, rounds=arguments.rounds, workers=arguments.workers, origin=origin, tell=tell
        ):
            bar.console.print(f"trained {path.name}", highlight=False)
            written += 1
    print(f"{arguments.out}: {written} trained, {len(who) - written} were there before")


def _add_cities(commands: Commands) -> None:
    cities = commands.add_parser(
        "cities",
        help="try trained policies in fresh cities, and judge the FOCI paper's claims (5 minutes)",
        description=CITIES,
        epilog="example: fairsynergy cities --weights weights --cities 4 --out today.md",
        formatter_class=Help,
    )
    cities.add_argument("--weights", type=Path, default=ASSETS / "foci", metavar="DIR", help="of trained policies")
    cities.add_argument("--cities", type=int, default=20, metavar="N", help="how many, at least 2; default: 20")
    cities.add_argument("--first", type=int, default=2000, metavar="SEED", help="of the first city; default: 2000")
    cities.add_argument("--workers", type=int, metavar="N", help="processes; default: as many as processors")
    cities.add_argument("--out", type=Path, default=Path("cities.md"), metavar="FILE", help="default: cities.md")
    cities.add_argument("--csv", type=Path, metavar="FILE", help="also write every hour's numbers")
    cities.set_defaults(run=_cities)


def _cities(arguments: argparse.Namespace) -> None:
    from fairsynergy.experiments import cities
    from fairsynergy.experiments.engine import Progress

    if arguments.cities < 2:
        raise ProblemError(f"--cities must be at least 2, or there is no interval; got {arguments.cities}")
    _check_workers(arguments.workers)
    for path in filter(None, (arguments.out, arguments.csv)):
        if not path.parent.is_dir():
            raise ProblemError(f"there is no folder {path.parent}; make it, or write elsewhere")
    policies = cities.everybody(arguments.weights)
    seeds = range(arguments.first, arguments.first + arguments.cities)
    with progress_bar(TextColumn("hours"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()) as bar:
        task = bar.add_task("", total=None)

        def tell(now: Progress) -> None:
            bar.update(task, completed=now.done, total=now.of)

        table = cities.trial(policies, cities=seeds, workers=arguments.workers, tell=tell)
    command = f"fairsynergy cities --cities {arguments.cities} --first {arguments.first}"
    text = cities.report(table, shares=cities.shares_of(table), origin=f"{command} --out {arguments.out.name}")
    try:
        arguments.out.write_text(text, encoding="utf-8")
        if arguments.csv is not None:
            cities.write(table, arguments.csv)
    except OSError as error:
        raise ProblemError(f"{error.filename} cannot be written: {error.strerror}") from None
    print(f"{arguments.out}: {len(policies)} policies in {arguments.cities} cities, with surges and without")


def _check_workers(asked: int | None) -> None:
    if asked is not None and asked < 1:
        raise ProblemError(f"--workers must be at least 1, got {asked}")
