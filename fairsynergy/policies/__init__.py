"""The rules, and the paper's six by name.

>>> list(POLICIES)
['Fair-Synergy', 'Random', 'Uniform', 'NUM', 'DRF', 'Leximin']
"""

from __future__ import annotations

from fairsynergy.policies.fair_synergy import FairSynergy as FairSynergy
from fairsynergy.policies.leximin import Leximin as Leximin
from fairsynergy.policies.num import NUM as NUM
from fairsynergy.policies.policy import Division as Division
from fairsynergy.policies.policy import Policy as Policy
from fairsynergy.policies.proportional import DRF as DRF
from fairsynergy.policies.proportional import Random as Random
from fairsynergy.policies.proportional import Uniform as Uniform

# In the order of the paper's section IV.
POLICIES: dict[str, Policy] = {
    policy.name: policy for policy in (FairSynergy(), Random(), Uniform(), NUM(), DRF(), Leximin())
}
