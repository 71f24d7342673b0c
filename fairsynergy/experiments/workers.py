"""Jobs to whoever works on them: this process, processes of this machine (joblib), or a Dask cluster.

Each of the three yields number and result of every job, in any order. A worker that dies loses no job: what it was
given is given out again, until it is clear that the job is what kills its workers.

Whoever works does its linear algebra in one thread, because long sums that are split among threads round differently.

>>> sorted(here(abs, {1: -5, 2: 3}))
[(1, 5), (2, 3)]
"""

from __future__ import annotations

import asyncio
import signal
import warnings
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import CancelledError, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Any, TypeVar

from joblib import Parallel, cpu_count, delayed, parallel_config
from threadpoolctl import threadpool_limits

from fairsynergy.errors import FairSynergyError, ProblemError, SolverError, not_installed

# Workers that a job may kill.
DEATHS = 3
# Seconds for a scheduler to answer.
PATIENCE = 8
# Jobs that a cluster holds at a time: enough for hundreds of workers, and a bound for memory.
AHEAD = 1000

Job = TypeVar("Job")
Result = TypeVar("Result")
Numbered = Generator[tuple[int, Result], None, None]


def here(work: Callable[[Job], Result], jobs: Mapping[int, Job]) -> Numbered[Result]:
    """In this process, one after the other."""
    for number, job in jobs.items():
        with threadpool_limits(1):
            result = work(job)
        yield number, result


def processes(work: Callable[[Job], Result], jobs: Mapping[int, Job], *, workers: int) -> Numbered[Result]:
    """In so many processes of this machine, at least 2.

    Raises
    ------
    SolverError
        If a job killed `DEATHS` workers, the last of them while no other job was running.
    """
    left, deaths = dict(jobs), Counter[int]()
    while left:
        # When a worker dies, all that were handed out are suspect. Those that were twice go alone: then it is clear.
        suspects = [number for number in left if deaths[number] == DEATHS - 1]
        out: set[int] = set()
        results = _parallel(work, {number: left[number] for number in suspects[:1] or left}, workers, out)
        try:
            for number, result in results:
                out.discard(number)
                del left[number]
                yield number, result
        except BrokenProcessPool:
            deaths.update(out)
            for number in out:
                if deaths[number] >= DEATHS:
                    raise _deadly(left[number], DEATHS) from None
        finally:
            with warnings.catch_warnings():
                # joblib warns that results are lost when it is stopped early; they are computed again some day.
                warnings.simplefilter("ignore", UserWarning)
                results.close()


def local(work: Callable[[Job], Result], jobs: Mapping[int, Job], *, workers: int | None) -> Numbered[Result]:
    """On this machine: in processes, or in this one where one is enough.

    Parameters
    ----------
    work : callable
        Does a job.
    jobs : mapping of int to jobs
        By number.
    workers : int or None
        Processes at most; None for as many as there are processors.

    Raises
    ------
    SolverError
        As `processes`.
    """
    count = min(workers or cpu_count(), len(jobs))
    yield from here(work, jobs) if count <= 1 else processes(work, jobs, workers=count)


def _parallel(
    work: Callable[[Job], Result], jobs: Mapping[int, Job], workers: int, out: set[int]
) -> Any:  # a generator, but joblib has no types
    """Those handed out are put into `out`."""

    def tasks() -> Iterator[Any]:
        for number, job in jobs.items():
            out.add(number)
            yield delayed(_numbered)(work, number, job)

    with parallel_config("loky", inner_max_num_threads=1, initializer=_deaf):
        parallel = Parallel(workers, return_as="generator_unordered", batch_size=1, max_nbytes=None)
        return parallel(tasks())


def _deaf() -> None:
    # Ctrl+C goes to all processes of a terminal; the first of them decides, and ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _numbered(work: Callable[[Job], Result], number: int, job: Job) -> tuple[int, Result]:
    threadpool_limits(1)  # until the worker ends
    return number, work(job)


def connect(scheduler: str) -> Any:
    """A Dask client of the scheduler at an address, to be closed or used in a `with`.

    Raises
    ------
    FairSynergyError
        If Dask is not installed.
    ProblemError
        If nobody answers there within `PATIENCE` seconds, or there are no workers.
    """
    try:
        from distributed import Client
    except ImportError:
        raise not_installed("a cluster", "Dask", "cluster") from None
    try:
        # A client that fails to connect goes on trying for long in the background, so this is asked without one; and
        # in another thread, because a notebook's own is taken.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, _identity(scheduler)).result()
        client = Client(scheduler, timeout=PATIENCE, set_as_default=False)
    except Exception as error:  # whoever is there may answer anything
        reason = f"; {error}" if isinstance(error, ValueError) else ""
        raise ProblemError(
            f"no scheduler answers at {scheduler!r}{reason}; give the address that dask scheduler printed, such as "
            "tcp://192.168.0.2:8786"
        ) from None
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError:
        client.close()
        raise ProblemError(
            f"the scheduler at {scheduler} has no workers; start some with: dask worker {scheduler}"
        ) from None
    return client


async def _identity(scheduler: str) -> object:
    from distributed.core import rpc
    from distributed.security import Security

    # With the certificates of Dask's own configuration, as the client has them.
    async with rpc(scheduler, connection_args=Security().get_connection_args("client")) as there:
        return await asyncio.wait_for(there.identity(), PATIENCE)


def cluster(work: Callable[[Job], Result], jobs: Mapping[int, Job], *, client: Any) -> Numbered[Result]:
    """By the workers of a Dask client.

    Raises
    ------
    SolverError
        If the scheduler gave a job up because of the workers it killed, a worker cannot run jobs, or the scheduler
        itself is lost.
    """
    from distributed import KilledWorker, as_completed

    waiting, numbers = iter(jobs.items()), dict[str, int]()

    def hand_out(count: int) -> list[Any]:
        futures = []
        for number, job in islice(waiting, count):
            futures.append(client.submit(_numbered, work, number, job, pure=False))
            numbers[futures[-1].key] = number
        return futures

    running = as_completed(hand_out(AHEAD), loop=client.loop)
    for future in running:
        try:
            result = future.result()
        except FairSynergyError:
            raise
        except KilledWorker as error:
            raise _deadly(jobs[numbers[future.key]], error.allowed_failures + 1) from None
        except (CancelledError, OSError):
            raise SolverError(
                "the connection to the scheduler was lost; once it answers, the same command goes on from there"
            ) from None
        except Exception as error:
            raise SolverError(
                f"a worker of the cluster failed: {type(error).__name__}: {error}; every machine needs the same "
                "fairsynergy, installed with the same packages"
            ) from error
        running.update(hand_out(1))
        del numbers[future.key]
        yield result


def _deadly(job: object, deaths: int) -> SolverError:
    return SolverError(
        f"{job} ended {deaths} workers, one after the other; the machine may have run out of memory (then try fewer "
        "workers), or somebody ended them (then run the same again)"
    )
