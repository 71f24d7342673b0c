"""The question: who is in the fleet, what do they have, and what is there to share?

Agents i = 1..n, resources k = 1..m. Agent i owns an endowment e_ik >= 0, receives a grant x_ik >= 0 out of the
cloud's capacity C_k, and reaches the accuracy

    U_i = prod_k (e_ik + x_ik)^g_ik,        0 < g_ik < 1,

the Cobb-Douglas law of Fair-Synergy (Eq. 2; Eq. 3 is m = 1, real-time inference; Eq. 7 is m = 2, distributed
learning). Beyond the paper an agent may have a weight, a floor and a ceiling on each grant, and a saturation
level above which holding more of a resource adds nothing (saturation 1 keeps U <= 1, so that it stays an accuracy).

>>> problem = Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3])
>>> problem.agents, problem.resources
(('agent 1', 'agent 2'), ('compute',))
>>> problem.utility([[0.4], [0.1]]).round(3)
array([0.536, 0.76 ])
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairsynergy.errors import ProblemError, typed
from fairsynergy.laws import PowerLaw

Array = NDArray[np.float64]

# Floors that add up to the capacity are feasible; their floating-point sum may still exceed it by rounding.
ROUNDING = 1e-12


class Rows(TypedDict):
    """What a problem says of k agents, (k, m) each but for the weights (k,)."""

    endowment: Array
    elasticity: Array
    weight: Array
    floor: Array
    ceiling: Array
    saturation: Array


@dataclass(frozen=True, kw_only=True, eq=False, init=False, repr=False)
class Problem:
    """A fleet and a cloud, checked once; every array is read-only float64.

    Parameters
    ----------
    endowment : (n, m) or (n,) array_like
        What each agent already has of each resource [units of the resource]; finite, >= 0. One dimension means m = 1.
    capacity : (m,) array_like or float
        What the cloud can grant of each resource [same units]; finite, >= 0.
    elasticity : (n, m) or (n,) array_like
        Exponents, the task difficulty; strictly between 0 and 1.
    weight : (n,) array_like, optional
        Priority of each agent, > 0; default 1.
    floor, ceiling : float, (m,) or (n, m) array_like, optional
        Least and largest grant; default 0 and infinity. With m = 1 also (n,).
    saturation : float, (m,) or (n, m) array_like, optional
        Holding above which more adds nothing, > 0; default infinity (none).
    agents, resources : sequence of str, optional
        Unique names; default ``agent 1``..., and ``compute``, ``labels`` for the first two resources.

    Raises
    ------
    ProblemError
        On NaN, infinity, a negative amount, an elasticity outside (0, 1), shapes that disagree, a floor above its
        ceiling, floors that exceed a capacity, repeated names or an empty fleet. Input is never repaired.

    Examples
    --------
    >>> fleet = Problem(endowment=[[0.1, 0.2], [0.3, 0.1]], capacity=[1, 1], elasticity=[[0.5, 0.9], [0.7, 0.3]])
    >>> fleet.n, fleet.m, fleet.resources
    (2, 2, ('compute', 'labels'))
    """

    endowment: Array
    capacity: Array
    elasticity: Array
    weight: Array
    floor: Array
    ceiling: Array
    saturation: Array
    agents: tuple[str, ...]
    resources: tuple[str, ...]

    def __init__(
        self,
        *,
        endowment: ArrayLike,
        capacity: ArrayLike,
        elasticity: ArrayLike,
        weight: ArrayLike | None = None,
        floor: ArrayLike | None = None,
        ceiling: ArrayLike | None = None,
        saturation: ArrayLike | None = None,
        agents: Sequence[str] | None = None,
        resources: Sequence[str] | None = None,
    ) -> None:
        own = matrix("endowment", endowment)
        n, m = own.shape
        names = _names("agents", agents, n, "agent")
        kinds = _names("resources", resources, m, "resource")

        def put(name: str, value: Any) -> None:
            object.__setattr__(self, name, value)

        put("agents", names)
        put("resources", kinds)
        put("endowment", own)
        put("capacity", _vector("capacity", capacity, m, "one amount per resource"))
        put("elasticity", matrix("elasticity", elasticity))
        if self.elasticity.shape != (n, m):
            raise ProblemError(
                f"`elasticity` has shape {self.elasticity.shape}, but `endowment` has {n} agents and {m} "
                f"resources; give one elasticity per agent and resource, shape ({n}, {m})",
                field="elasticity",
            )
        put("weight", _vector("weight", 1.0 if weight is None else weight, n, "one weight per agent"))
        put("floor", _spread("floor", 0.0 if floor is None else floor, n, m))
        put("ceiling", _spread("ceiling", np.inf if ceiling is None else ceiling, n, m))
        put("saturation", _spread("saturation", np.inf if saturation is None else saturation, n, m))

        own, gamma = self.endowment, self.elasticity
        finite = np.isfinite
        rule = "finite and >= 0"
        self._refuse("endowment", ~(finite(own) & (own >= 0)), rule, "give what the agent already has, 0 if nothing")
        self._refuse("capacity", ~(finite(self.capacity) & (self.capacity >= 0)), rule, "give what the cloud can share")
        self._refuse(
            "elasticity",
            ~((gamma > 0) & (gamma < 1)),
            "strictly between 0 and 1",
            "near 0 is an easy task that saturates, near 1 a hard task that keeps improving",
        )
        self._refuse(
            "weight", ~(finite(self.weight) & (self.weight > 0)), "finite and > 0", "leave an agent out to ignore it"
        )
        self._refuse("floor", ~(finite(self.floor) & (self.floor >= 0)), rule, "use 0 for no floor")
        self._refuse("ceiling", ~(self.ceiling >= 0), ">= 0", "use infinity for no ceiling")
        self._refuse("saturation", ~(self.saturation > 0), "> 0", "use infinity for no saturation")
        self._refuse("floor", self.floor > self.ceiling, "at most its ceiling", "lower the floor or raise the ceiling")
        promised = self.floor.sum(axis=0)
        short = promised > self.capacity * (1 + ROUNDING)
        if short.any():
            what = self._promised(short)
            self._refuse(
                "capacity",
                short,
                f"at least the sum of the {what}",
                f"raise the capacity or lower the {what}; the {what} need "
                + ", ".join(f"{kind} {typed(amount)}" for kind, amount in zip(kinds, promised, strict=True)),
            )

    def _promised(self, short: NDArray[np.bool_]) -> str:
        """What asks too much of these resources (m,), as the user knows it: a locked grant is its own ceiling."""
        asked = (self.floor > 0) & short
        locked = asked & (self.floor == self.ceiling)
        if not locked.any():
            return "floors"
        return "locked grants" if np.array_equal(locked, asked) else "floors and locked grants"

    def amounts(self, field: str, given: ArrayLike) -> Array:
        """Amounts that somebody names for this fleet, such as a split by hand, checked like the fleet's own.

        Parameters
        ----------
        field : str
            The argument they were given as, for the message.
        given : (n, m) or (n,) array_like
            One amount per agent and resource [units of the resource]; finite, >= 0. One dimension means m = 1.

        Raises
        ------
        ProblemError
            If there is not one for every agent and resource, or one of them is no amount.

        Examples
        --------
        >>> fleet = Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3], agents=["drone", "truck"])
        >>> fleet.amounts("grant", [0.2, -0.1])
        Traceback (most recent call last):
        ...
        fairsynergy.errors.ProblemError: `grant[1, 0]` (truck, compute) must be finite and >= 0, got -0.1; ...
        """
        value = matrix(field, given)
        if value.shape != (self.n, self.m):
            raise ProblemError(
                f"`{field}` has shape {value.shape}, but there are {self.n} agents and {self.m} resources; give one "
                f"amount per agent and resource, shape ({self.n}, {self.m})",
                field=field,
            )
        self._refuse(field, ~(np.isfinite(value) & (value >= 0)), "finite and >= 0", "use 0 for nothing", among=value)
        return value

    def _refuse(
        self, field: str, bad: NDArray[np.bool_], allowed: str, remedy: str, *, among: Array | None = None
    ) -> None:
        """Raise for the first entry where `bad` holds, naming it as the user knows it."""
        if not bad.any():
            return
        index = tuple(int(i) for i in np.unravel_index(int(np.argmax(bad)), bad.shape))
        value = float((getattr(self, field) if among is None else among)[index])
        of_resource = field == "capacity"
        where = [self.resources[index[0]]] if of_resource else [self.agents[index[0]]]
        if len(index) == 2:
            where.append(self.resources[index[1]])
        more = int(bad.sum()) - 1
        others = f" (and {more} more)" if more else ""
        raise ProblemError(
            f"`{field}[{', '.join(map(str, index))}]` ({', '.join(where)}) must be {allowed}, "
            f"got {value}{others}; {remedy}",
            field=field,
            index=index,
        )

    @property
    def n(self) -> int:
        """Number of agents."""
        return int(self.endowment.shape[0])

    @property
    def m(self) -> int:
        """Number of resources."""
        return int(self.endowment.shape[1])

    @property
    def weighted(self) -> bool:
        """Whether agents count differently: the greatest total need not have the highest mean then."""
        return bool((self.weight != self.weight[0]).any())

    @cached_property
    def upper(self) -> Array:
        """(n, m) largest useful grant: the ceiling, or what is missing to saturation; never below the floor."""
        room = np.minimum(self.ceiling, np.maximum(self.saturation - self.endowment, 0.0))
        return read_only(np.maximum(room, self.floor))

    @property
    def law(self) -> PowerLaw:
        """How accuracy follows from holdings."""
        return PowerLaw(self.elasticity, self.saturation)

    def holding(self, grant: ArrayLike) -> Array:
        """(..., n, m) endowment plus grant, for one grant or a batch of them (leading axes)."""
        return np.asarray(self.endowment + np.asarray(grant, dtype=np.float64))

    def log_utility(self, grant: ArrayLike) -> Array:
        """(..., n) log U_i; minus infinity where an agent lacks a resource altogether."""
        return self.law.log_utility(self.holding(grant))

    def utility(self, grant: ArrayLike) -> Array:
        """(..., n) accuracy U_i = prod_k min(holding, saturation)^elasticity (Fair-Synergy, Eq. 2)."""
        return np.asarray(np.exp(self.log_utility(grant)))

    def rows(self, agents: ArrayLike) -> Rows:
        """What the problem says of some agents, by field: what another one about them is made from.

        Parameters
        ----------
        agents : (k,) array_like
            Their places, or a mask (n,); a place may come twice.

        Examples
        --------
        >>> fleet = Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.5, 0.2])
        >>> Problem(**fleet.rows([1, 1]), capacity=0.4)
        Problem(2 agents, capacity compute 0.4)
        """
        chosen = np.asarray(agents)
        return {
            "endowment": self.endowment[chosen],
            "elasticity": self.elasticity[chosen],
            "weight": self.weight[chosen],
            "floor": self.floor[chosen],
            "ceiling": self.ceiling[chosen],
            "saturation": self.saturation[chosen],
        }

    @cached_property
    def digest(self) -> str:
        """Hexadecimal fingerprint of everything that defines the problem; equal problems have equal digests."""
        state = hashlib.blake2b(digest_size=16)
        for value in self._arrays():
            state.update(repr(value.shape).encode())
            state.update(np.ascontiguousarray(value).tobytes())
        state.update(repr((self.agents, self.resources)).encode())
        return state.hexdigest()

    def _arrays(self) -> tuple[Array, ...]:
        return (
            self.endowment, self.capacity, self.elasticity, self.weight, self.floor, self.ceiling, self.saturation,
        )  # fmt: skip

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Problem):
            return NotImplemented
        return self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"Problem({self.n} agents, capacity {_listing(self.capacity, self.resources)})"


DEFAULT_RESOURCES = ("compute", "labels")


def _names(field: str, given: Sequence[str] | None, count: int, noun: str) -> tuple[str, ...]:
    if given is None:
        if noun == "resource" and count <= len(DEFAULT_RESOURCES):
            return DEFAULT_RESOURCES[:count]
        return tuple(f"{noun} {i + 1}" for i in range(count))
    if isinstance(given, str):
        raise ProblemError(f"`{field}` must be a sequence of names, got the single string {given!r}", field=field)
    names = tuple(str(name) for name in given)
    if len(names) != count:
        raise ProblemError(f"`{field}` names {len(names)}, but there are {count}; give one name each", field=field)
    if len(set(names)) != count:
        twice = Counter(names).most_common(1)[0][0]
        last = count - 1 - names[::-1].index(twice)
        message = f"`{field}` has {_short(twice)} more than once; names must be unique"
        raise ProblemError(message, field=field, index=(last,))
    return names


def _floats(field: str, given: ArrayLike) -> Array:
    """A copy as float64. Text that looks like numbers is refused, like masked entries: no guess at what it meant."""
    try:
        raw = np.asarray(given)
        if raw.dtype.kind == "O" and not any(isinstance(entry, str) for entry in raw.flat):
            raw = raw.astype(np.float64)  # None becomes NaN, which the checks then name with its place
    except (TypeError, ValueError, OverflowError):
        raw = np.empty(0, dtype=object)
    if raw.dtype.kind not in "biuf" or isinstance(given, np.ma.MaskedArray):
        raise ProblemError(
            f"`{field}` must hold numbers, in rows of equal length, got {_short(given)}; "
            "convert text and dates, and fill in missing entries",
            field=field,
        )
    # Laid out alike whatever the caller's layout, so that sums round alike; minus zero becomes zero.
    return np.asarray(np.array(raw, dtype=np.float64, order="C") + 0.0)


def matrix(field: str, given: ArrayLike) -> Array:
    """(agents, resources) numbers as a read-only copy; one dimension means one resource.

    Parameters
    ----------
    field : str
        The argument they were given as, for the message.
    given : (n, m) or (n,) array_like
        Numbers, NaN among them or not.

    Raises
    ------
    ProblemError
        If they are no numbers, or not in one or two dimensions, or none at all.
    """
    value = _floats(field, given)
    if value.ndim == 1:
        value = value[:, None]
    if value.ndim != 2:
        raise ProblemError(
            f"`{field}` must have shape (agents, resources) or (agents,), got {value.shape}", field=field
        )
    if value.shape[0] == 0 or value.shape[1] == 0:
        raise ProblemError(
            f"`{field}` is empty, shape {value.shape}; a fleet needs at least one agent and one resource", field=field
        )
    return read_only(value)


def _vector(field: str, given: ArrayLike, count: int, what: str) -> Array:
    value = _floats(field, given)
    # A single capacity for m = 1, or one weight for everybody, is not ambiguous; one capacity for two resources is.
    if value.ndim == 0 and (count == 1 or field == "weight"):
        value = np.broadcast_to(value, (count,)).copy()
    if value.shape != (count,):
        raise ProblemError(f"`{field}` must be {what}, shape ({count},), got shape {value.shape}", field=field)
    return read_only(value)


def _spread(field: str, given: ArrayLike, n: int, m: int) -> Array:
    value = _floats(field, given)
    if value.ndim == 1 and m == 1 and value.shape[0] == n:
        value = value[:, None]
    if value.ndim == 0 or value.shape in ((m,), (n, m)):
        # Copied, so that equal problems are laid out alike whatever they were given as: sums then round alike.
        return read_only(np.broadcast_to(value, (n, m)).copy())
    raise ProblemError(
        f"`{field}` must be one number, one per resource ({m},) or one per agent and resource ({n}, {m}), "
        f"got shape {value.shape}",
        field=field,
    )


def read_only(value: Array) -> Array:
    """The array itself, from now on refusing to be written."""
    value.setflags(write=False)
    return value


def _short(given: object) -> str:
    text = " ".join(repr(given).split())
    return text if len(text) <= 60 else text[:57] + "..."


def _listing(amounts: Array, names: tuple[str, ...]) -> str:
    return ", ".join(f"{name} {amount:.6g}" for name, amount in zip(names, amounts, strict=True))
