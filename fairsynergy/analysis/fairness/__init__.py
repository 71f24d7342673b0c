"""Is a division fair? Arrays in, numbers out: indices of inequality, envy, and the fair-share report.

>>> import fairsynergy as fs
>>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3])
>>> found = report(fs.allocate(fleet, fs.FairSynergy()))
>>> found.uniform_share.holds, found.uniform_share.worst, found.envy.free, found.pareto.efficient
(False, 'agent 2', False, True)
"""

from __future__ import annotations

from fairsynergy.analysis.fairness._coalitions import Blocking as Blocking
from fairsynergy.analysis.fairness._coalitions import Coalitions as Coalitions
from fairsynergy.analysis.fairness._coalitions import Semicore as Semicore
from fairsynergy.analysis.fairness._coalitions import Withheld as Withheld
from fairsynergy.analysis.fairness._coalitions import blocking_coalition as blocking_coalition
from fairsynergy.analysis.fairness._coalitions import coalitions_of as coalitions_of
from fairsynergy.analysis.fairness._coalitions import stand_alone as stand_alone
from fairsynergy.analysis.fairness._envies import ENVY_FROM as ENVY_FROM
from fairsynergy.analysis.fairness._envies import SAMPLED_ABOVE as SAMPLED_ABOVE
from fairsynergy.analysis.fairness._envies import Envies as Envies
from fairsynergy.analysis.fairness._envies import EnvySummary as EnvySummary
from fairsynergy.analysis.fairness._envies import envy as envy
from fairsynergy.analysis.fairness._envies import strongest_envies as strongest_envies
from fairsynergy.analysis.fairness._exchange import STARTS as STARTS
from fairsynergy.analysis.fairness._exchange import Box as Box
from fairsynergy.analysis.fairness._exchange import Judgement as Judgement
from fairsynergy.analysis.fairness._exchange import Market as Market
from fairsynergy.analysis.fairness._fair_share import GainsAndLosses as GainsAndLosses
from fairsynergy.analysis.fairness._fair_share import Inequality as Inequality
from fairsynergy.analysis.fairness._fair_share import PriceOfFairness as PriceOfFairness
from fairsynergy.analysis.fairness._fair_share import Report as Report
from fairsynergy.analysis.fairness._fair_share import UniformShare as UniformShare
from fairsynergy.analysis.fairness._fair_share import report as report
from fairsynergy.analysis.fairness._indices import TIE as TIE
from fairsynergy.analysis.fairness._indices import atkinson as atkinson
from fairsynergy.analysis.fairness._indices import dominators as dominators
from fairsynergy.analysis.fairness._indices import equally_distributed_equivalent as equally_distributed_equivalent
from fairsynergy.analysis.fairness._indices import gini as gini
from fairsynergy.analysis.fairness._indices import jain as jain
from fairsynergy.analysis.fairness._indices import lorenz as lorenz
from fairsynergy.analysis.fairness._indices import theil as theil
from fairsynergy.analysis.fairness._pareto import Efficiency as Efficiency
from fairsynergy.analysis.fairness._pareto import efficiency as efficiency
from fairsynergy.analysis.fairness._verdicts import Guarantee as Guarantee
from fairsynergy.analysis.fairness._verdicts import Verdict as Verdict
from fairsynergy.analysis.fairness._verdicts import guarantees as guarantees
from fairsynergy.analysis.fairness._what_if import Check as Check
from fairsynergy.analysis.fairness._what_if import Elasticity as Elasticity
from fairsynergy.analysis.fairness._what_if import elasticities as elasticities
from fairsynergy.analysis.fairness._what_if import monotone as monotone
from fairsynergy.analysis.fairness._what_if import unit_free as unit_free
