"""Is a division fair? Arrays in, numbers out: indices of inequality, envy, and the fair-share report.

>>> import fairsynergy as fs
>>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3])
>>> found = report(fs.allocate(fleet, fs.FairSynergy()))
>>> found.uniform_share.holds, found.uniform_share.worst, found.envy.free, found.pareto.efficient
(False, 'agent 2', False, True)
"""

from __future__ import annotations

from fairsynergy.fairness.coalitions import Blocking as Blocking
from fairsynergy.fairness.coalitions import Coalitions as Coalitions
from fairsynergy.fairness.coalitions import Semicore as Semicore
from fairsynergy.fairness.coalitions import Withheld as Withheld
from fairsynergy.fairness.coalitions import blocking_coalition as blocking_coalition
from fairsynergy.fairness.coalitions import coalitions_of as coalitions_of
from fairsynergy.fairness.coalitions import stand_alone as stand_alone
from fairsynergy.fairness.envies import ENVY_FROM as ENVY_FROM
from fairsynergy.fairness.envies import SAMPLED_ABOVE as SAMPLED_ABOVE
from fairsynergy.fairness.envies import Envies as Envies
from fairsynergy.fairness.envies import EnvySummary as EnvySummary
from fairsynergy.fairness.envies import envy as envy
from fairsynergy.fairness.envies import strongest_envies as strongest_envies
from fairsynergy.fairness.exchange import STARTS as STARTS
from fairsynergy.fairness.exchange import Box as Box
from fairsynergy.fairness.exchange import Judgement as Judgement
from fairsynergy.fairness.exchange import Market as Market
from fairsynergy.fairness.fair_share import GainsAndLosses as GainsAndLosses
from fairsynergy.fairness.fair_share import Inequality as Inequality
from fairsynergy.fairness.fair_share import PriceOfFairness as PriceOfFairness
from fairsynergy.fairness.fair_share import Report as Report
from fairsynergy.fairness.fair_share import UniformShare as UniformShare
from fairsynergy.fairness.fair_share import report as report
from fairsynergy.fairness.indices import TIE as TIE
from fairsynergy.fairness.indices import atkinson as atkinson
from fairsynergy.fairness.indices import dominators as dominators
from fairsynergy.fairness.indices import equally_distributed_equivalent as equally_distributed_equivalent
from fairsynergy.fairness.indices import gini as gini
from fairsynergy.fairness.indices import jain as jain
from fairsynergy.fairness.indices import lorenz as lorenz
from fairsynergy.fairness.indices import theil as theil
from fairsynergy.fairness.pareto import Efficiency as Efficiency
from fairsynergy.fairness.pareto import efficiency as efficiency
from fairsynergy.fairness.verdicts import Guarantee as Guarantee
from fairsynergy.fairness.verdicts import Verdict as Verdict
from fairsynergy.fairness.verdicts import guarantees as guarantees
from fairsynergy.fairness.what_if import Check as Check
from fairsynergy.fairness.what_if import Elasticity as Elasticity
from fairsynergy.fairness.what_if import elasticities as elasticities
from fairsynergy.fairness.what_if import monotone as monotone
from fairsynergy.fairness.what_if import unit_free as unit_free
