"""The experiments of the Fair-Synergy paper, each run again by name.

Four columns everywhere: what the paper claims, what the authors' released data say, what comes out when their protocol
is followed, and what is right once its defects are removed, the alternate search has converged, or the optimum is
certified. Released data lie in assets/paper, with their source.

>>> figure = reproduce("fig2")
>>> figure.claims[0].what
'the gain from one more unit, the other resource fixed'
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import NamedTuple

from fairsynergy.errors import ProblemError
from fairsynergy.experiments.paper import complexity, grants, pairs, scaling, utility
from fairsynergy.experiments.paper.terms import Findings, Options, Tell
from fairsynergy.experiments.reproduction import Reproduction


class Experiment(NamedTuple):
    """A figure or section of the paper: its title, how to run it, and how much there is to it.

    Parameters
    ----------
    title : str
        What it is; up to the colon, a short name.
    run : callable
        Runs it.
    experiments : int or None
        How many there are, in the paper or in the released run; None where nothing is drawn.
    quick : int or None
        How many of them take about a second; None if all do.
    seconds : float
        About how long all of it takes, on two cores.
    drawn_anew : bool
        Whether a seed says which fleets are drawn; released runs have theirs.
    """

    title: str
    run: Callable[[Options], Findings]
    experiments: int | None = None
    quick: int | None = None
    seconds: float = 1.0
    drawn_anew: bool = False

    @property
    def short(self) -> str:
        """The title up to its colon."""
        return self.title.partition(":")[0]


FIGURES: dict[str, Experiment] = {
    "fig2": Experiment("Fig. 2: the Cobb-Douglas utility", utility.surface),
    "fig3": Experiment("Fig. 3: accuracy against resources", utility.curves),
    "fig4": Experiment("Fig. 4: two agents in random configurations", pairs.configurations, 1000, drawn_anew=True),
    "fig5": Experiment(
        "Fig. 5: fleets that grow, and the cloud with them", scaling.growing, 100, 10, 11.0, drawn_anew=True
    ),
    "fig6": Experiment("Fig. 6: NUM against Fair-Synergy, agent by agent", grants.agents),
    "rti-scaling": Experiment("Released RTI: the authors’ run, one resource", scaling.released_inference, 20),
    "dl-scaling": Experiment("Released DL: the authors’ run, two resources", scaling.released_learning, 20, 1, 40.0),
    "complexity": Experiment(
        "Complexity: time against the number of agents (section IV)", complexity.complexity, None, 0, 30.0
    ),
}


def reproduce(
    name: str, *, seed: int = 0, experiments: int | None = None, tell: Tell = lambda progress: None
) -> Reproduction:
    """Run one of the paper's experiments again.

    Parameters
    ----------
    name : str
        One of `FIGURES`.
    seed : int
        Of the fleets that are drawn anew, >= 0; released protocols have the seed that they were released with.
    experiments : int, optional
        How many to run, >= 1, of those that the paper has drawn or released; default: all.
    tell : callable, optional
        Called with a `Progress` after every step; whatever it raises ends the run.

    Raises
    ------
    ProblemError
        If there is no such experiment, or a number is out of range.
    """
    check(name, seed=seed, experiments=experiments)
    start = perf_counter()
    found = FIGURES[name].run(Options(seed, experiments, tell))
    return Reproduction(name, FIGURES[name].title, *found, seconds=perf_counter() - start)


def check(name: str, *, seed: int = 0, experiments: int | None = None) -> None:
    """Refuse what `reproduce` cannot do, before anything is computed.

    Raises
    ------
    ProblemError
        If there is no such experiment, or a number is out of range.
    """
    if name not in FIGURES:
        raise ProblemError(f"there is no figure {name!r}; choose any of {', '.join(FIGURES)}, or all", field="name")
    for field, value, least in (("seed", seed, 0), ("experiments", experiments, 1)):
        if value is not None and value < least:
            raise ProblemError(f"`{field}` must be a whole number >= {least}, got {value}", field=field)
