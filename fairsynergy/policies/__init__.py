"""The rules, and the paper's six by name.

>>> list(POLICIES)
['Fair-Synergy', 'Random', 'Uniform', 'NUM', 'DRF', 'Leximin']
"""

from __future__ import annotations

from fairsynergy.policies._alpha_fair import AlphaFair as AlphaFair
from fairsynergy.policies._alpha_fair import Nash as Nash
from fairsynergy.policies._certified_optimum import CertifiedOptimum as CertifiedOptimum
from fairsynergy.policies._certified_optimum import Progress as Progress
from fairsynergy.policies._fair_synergy import FairSynergy as FairSynergy
from fairsynergy.policies._given import Given as Given
from fairsynergy.policies._leximin import Leximin as Leximin
from fairsynergy.policies._market import EqualIncomeMarket as EqualIncomeMarket
from fairsynergy.policies._names import NAMES as NAMES
from fairsynergy.policies._names import POLICIES as POLICIES
from fairsynergy.policies._names import RULES as RULES
from fairsynergy.policies._names import named as named
from fairsynergy.policies._num import NUM as NUM
from fairsynergy.policies._policy import Division as Division
from fairsynergy.policies._policy import Policy as Policy
from fairsynergy.policies._proportional import DRF as DRF
from fairsynergy.policies._proportional import Random as Random
from fairsynergy.policies._proportional import Uniform as Uniform
from fairsynergy.policies._replan import Replan as Replan
from fairsynergy.policies._whole_units import WholeUnits as WholeUnits
