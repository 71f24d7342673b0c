"""What can go wrong, split by who can mend it.

`ProblemError`: the input cannot be solved as given; change the input. `SolverError`: the input is fine and a
solver still failed; retrying with other settings may help. Both are `FairSynergyError`.
"""

from __future__ import annotations

# Relative: amounts this close are the same but for rounding; every limit is checked less strictly. Whole amounts below
# the second are written without a power of ten.
SAME, PLAIN = 1e-13, 1e15


class FairSynergyError(Exception):
    """Any error that this package raises on purpose."""


class ProblemError(FairSynergyError, ValueError):
    """The input is not a problem that can be solved; the message says what, where, and what is allowed.

    Parameters
    ----------
    message : str
        What was given, where, what is allowed and what to do.
    field : str, optional
        The argument at fault, for instance ``"elasticity"``.
    index : tuple of int, optional
        Where in that argument: (agent,), (resource,) or (agent, resource).

    Examples
    --------
    >>> import fairsynergy as fs
    >>> fs.Problem(endowment=[0.1, -1.0], capacity=1.0, elasticity=[0.5, 0.5])
    Traceback (most recent call last):
    ...
    fairsynergy.errors.ProblemError: `endowment[1, 0]` (agent 2, compute) must be finite and >= 0, got -1.0; ...
    """

    def __init__(self, message: str, *, field: str | None = None, index: tuple[int, ...] | None = None) -> None:
        super().__init__(message)
        self.field = field
        self.index = index


class SolverError(FairSynergyError):
    """A valid problem that a solver could not finish; the message says which solver and what to try."""


def typed(amount: float) -> str:
    """An amount in a message, in the fewest digits that may be typed back: the same number but for rounding.

    >>> typed(0.1 + 0.2), typed(1200000 + 34564.9), typed(1e-30)
    ('0.3', '1234564.9', '1e-30')
    """
    digits = next((n for n in range(6, 17) if abs(float(f"{amount:.{n}g}") - amount) <= SAME * abs(amount)), 17)
    text = f"{amount:.{digits}g}"
    return f"{float(text):.0f}" if "e+" in text and abs(amount) < PLAIN else text


def not_installed(what: str, library: str, extra: str) -> FairSynergyError:
    """The error of who uses what an optional extra brings, without it.

    Importing never needs an extra: only the call that does says so.

    >>> print(not_installed("measuring", "scikit-learn", "measure"))
    measuring needs scikit-learn, which is not installed: pip install 'fairsynergy[measure]'
    """
    return FairSynergyError(f"{what} needs {library}, which is not installed: pip install 'fairsynergy[{extra}]'")
