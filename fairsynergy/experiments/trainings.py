"""Several trainings side by side: who learns with which seed, in processes, each kept and taken up again.

A pupil's weights are one file, named after it. Where that file is, the training is done and not repeated; where only a
checkpoint is, it goes on from there. The same pupils on the same machine give the same weights, however they were
spread over processes and whatever stopped them in between.

>>> [pupil.name for pupil in pupils(["coa", "foci"], oracle=[0.5, 1], seeds=1)]
['coa-seed0', 'foci-0.5-seed0', 'foci-1-seed0']
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple

from fairsynergy.collaborative import RECIPES, Recipe, write_weights
from fairsynergy.errors import ProblemError
from fairsynergy.experiments.workers import local

if TYPE_CHECKING:
    from fairsynergy.collaborative._training import Progress

SUFFIX = ".safetensors"  # of a file of weights


class Pupil(NamedTuple):
    """Who learns, by which name, with which seed."""

    name: str
    recipe: Recipe
    seed: int


class News(NamedTuple):
    """How far a pupil is."""

    name: str
    progress: Progress


def pupils(policies: Sequence[str], *, oracle: Sequence[float], seeds: int) -> list[Pupil]:
    """Everybody who is to learn.

    Parameters
    ----------
    policies : sequence of str
        Keys of `RECIPES`.
    oracle : sequence of float
        Shares of the oracle in what is charged, 0 to 1, for those that use it.
    seeds : int
        How many trainings of each, with seeds from 0.

    Raises
    ------
    ProblemError
        If there is no such policy or share, or no seed.
    """
    unknown = [name for name in policies if name not in RECIPES]
    if unknown:
        raise ProblemError(f"there is no policy {unknown[0]!r} to train; there are {', '.join(RECIPES)}")
    wrong = [share for share in oracle if not 0 <= share <= 1]
    if wrong or not oracle:
        raise ProblemError(f"shares of the oracle must be from 0 to 1, got {wrong[0] if wrong else 'none'}")
    if seeds < 1:
        raise ProblemError(f"the number of seeds must be at least 1, got {seeds}")
    found = []
    for name in dict.fromkeys(policies):
        recipe = RECIPES[name]
        kinds = [(f"{name}-{share:g}", recipe._replace(oracle=share)) for share in oracle]
        for label, kind in kinds if recipe.oracle else [(name, recipe)]:
            found += [Pupil(f"{label}-seed{seed}", kind, seed) for seed in range(seeds)]
    return found


def train_all(
    who: Sequence[Pupil],
    folder: Path,
    *,
    rounds: int,
    workers: int | None,
    origin: str,
    tell: Callable[[News], object],
) -> Iterator[Path]:
    """Train those whose weights are not in the folder yet; yields each file as it is written.

    Parameters
    ----------
    who : sequence of Pupil
        Who is to learn.
    folder : Path
        Where weights and checkpoints go; must exist.
    rounds : int
        Hours that each of two cities is lived through, at least 1.
    workers : int or None
        Processes; None for as many as there are processors.
    origin : str
        What the weights say of where they come from.
    tell : callable
        Is told after every round of everybody, from another thread.

    Raises
    ------
    FairSynergyError
        If there is no PyTorch.
    ProblemError
        If a checkpoint is broken or of another training.
    """
    from fairsynergy.collaborative._training import check_installed  # loads PyTorch, which takes seconds

    check_installed()
    if rounds < 1:
        raise ProblemError(f"the number of rounds must be at least 1, got {rounds}")
    jobs = {number: pupil for number, pupil in enumerate(who) if not (folder / f"{pupil.name}{SUFFIX}").exists()}
    alone = workers == 1 or len(jobs) < 2
    with nullcontext(tell) if alone else _told(tell) as put:
        work = partial(_train, folder=folder, rounds=rounds, origin=origin, tell=put)
        for _, path in local(work, jobs, workers=workers):
            yield path


@contextmanager
def _told(tell: Callable[[News], object]) -> Iterator[Callable[[News], object]]:
    """A function that other processes can call, and that calls `tell` in this one."""
    with get_context("spawn").Manager() as manager:
        queue: Any = manager.Queue()

        def listen() -> None:
            for news in iter(queue.get, None):
                tell(news)

        listener = Thread(target=listen, daemon=True)
        listener.start()
        try:
            yield queue.put
        finally:
            queue.put(None)
            listener.join()


def _train(pupil: Pupil, *, folder: Path, rounds: int, origin: str, tell: Callable[[News], object]) -> Path:
    import torch

    from fairsynergy.collaborative._training import Plan, train

    torch.set_num_threads(1)  # its matrices are small: threads would wait for one another

    learned = train(
        pupil.recipe,
        seed=pupil.seed,
        plan=Plan(rounds=rounds),
        checkpoint=folder / f"{pupil.name}.checkpoint",
        tell=lambda progress: tell(News(pupil.name, progress)),
        origin=origin,
    )
    path = folder / f"{pupil.name}{SUFFIX}"
    write_weights(learned, path)
    return path
