"""The rules, and the paper's six by name.

>>> list(POLICIES)
['Fair-Synergy', 'Random', 'Uniform', 'NUM', 'DRF', 'Leximin']
"""

from __future__ import annotations

from fairsynergy.policies.alpha_fair import AlphaFair as AlphaFair
from fairsynergy.policies.alpha_fair import Nash as Nash
from fairsynergy.policies.certified_optimum import CertifiedOptimum as CertifiedOptimum
from fairsynergy.policies.certified_optimum import Progress as Progress
from fairsynergy.policies.fair_synergy import FairSynergy as FairSynergy
from fairsynergy.policies.given import Given as Given
from fairsynergy.policies.leximin import Leximin as Leximin
from fairsynergy.policies.market import EqualIncomeMarket as EqualIncomeMarket
from fairsynergy.policies.names import NAMES as NAMES
from fairsynergy.policies.names import POLICIES as POLICIES
from fairsynergy.policies.names import RULES as RULES
from fairsynergy.policies.names import named as named
from fairsynergy.policies.num import NUM as NUM
from fairsynergy.policies.policy import Division as Division
from fairsynergy.policies.policy import Policy as Policy
from fairsynergy.policies.proportional import DRF as DRF
from fairsynergy.policies.proportional import Random as Random
from fairsynergy.policies.proportional import Uniform as Uniform
from fairsynergy.policies.replan import Replan as Replan
from fairsynergy.policies.whole_units import WholeUnits as WholeUnits
