"""The rules by name: the paper's six, all that need no setting, and any as a user writes it.

>>> list(POLICIES)
['Fair-Synergy', 'Random', 'Uniform', 'NUM', 'DRF', 'Leximin']
>>> [policy.label for policy in named("alpha=2") + named("certified-optimum")]
['Alpha-fair (alpha = 2)', 'Certified optimum']
"""

from __future__ import annotations

from math import inf

from fairsynergy.errors import ProblemError
from fairsynergy.policies._alpha_fair import AlphaFair, Nash
from fairsynergy.policies._certified_optimum import CertifiedOptimum
from fairsynergy.policies._fair_synergy import FairSynergy
from fairsynergy.policies._leximin import Leximin
from fairsynergy.policies._market import EqualIncomeMarket
from fairsynergy.policies._num import NUM
from fairsynergy.policies._policy import Policy
from fairsynergy.policies._proportional import DRF, Random, Uniform

# In the order of the paper's section IV.
POLICIES: dict[str, Policy] = {
    policy.name: policy for policy in (FairSynergy(), Random(), Uniform(), NUM(), DRF(), Leximin())
}

# Every rule that needs no setting.
RULES: dict[str, Policy] = POLICIES | {
    policy.name: policy for policy in (Nash(), EqualIncomeMarket(), CertifiedOptimum())
}

SHOWN = 40  # letters of a name that a message quotes
# What `named` understands besides "all".
NAMES = ", ".join(["-".join(name.split()) for name in RULES] + ["alpha=NUMBER", "fair-synergy-passes=NUMBER"])


def named(text: str) -> list[Policy]:
    """The rule of a name, or the paper's six for "all"; case, spaces and hyphens do not matter.

    Parameters
    ----------
    text : str
        "all", a name in `RULES`, "alpha=NUMBER" for alpha-fairness, or "fair-synergy passes=NUMBER" for Fair-Synergy's
        first passes; infinity is "inf".

    Raises
    ------
    ProblemError
        If there is no such rule.

    Examples
    --------
    >>> [policy.label for policy in named("fair-synergy passes=inf")]
    ['Fair-Synergy (converged)']
    """
    if _plain(text) == "all":
        return list(POLICIES.values())
    setting, given, value = text.partition("=")
    try:
        if given and _plain(setting) == "alpha":
            return [AlphaFair(float(value))]
        if given and _plain(setting) == "fairsynergypasses":
            return [FairSynergy(passes=inf if _plain(value) == "inf" else int(value))]
    except ValueError:  # which a ProblemError is, too
        allowed = "alpha must be a number >= 0" if _plain(setting) == "alpha" else "passes must be a whole number >= 1"
        raise ProblemError(f"{allowed}, or inf; got {value[:SHOWN]!r}") from None
    found = [policy for name, policy in RULES.items() if _plain(name) == _plain(text)]
    if not found:
        raise ProblemError(f"there is no rule {text[:SHOWN]!r}; choose all, or any of {NAMES}")
    return found


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name)).casefold()
