"""Who should get what, and is that fair? Dividing a cloud among a fleet of agents, with a proof.

>>> import fairsynergy as fs
>>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.5, 0.3])
>>> round(fs.allocate(fleet, fs.Leximin()).worst, 3)
0.735
"""

from __future__ import annotations

from fairsynergy import curves as curves
from fairsynergy import kernel as kernel
from fairsynergy import laws as laws
from fairsynergy.allocation import Allocation as Allocation
from fairsynergy.allocation import Certificate as Certificate
from fairsynergy.allocation import Status as Status
from fairsynergy.allocation import allocate as allocate
from fairsynergy.analysis import bidding as bidding
from fairsynergy.analysis import fairness as fairness
from fairsynergy.analysis import planning as planning
from fairsynergy.errors import FairSynergyError as FairSynergyError
from fairsynergy.errors import ProblemError as ProblemError
from fairsynergy.errors import SolverError as SolverError
from fairsynergy.kernel import Filling as Filling
from fairsynergy.kernel import waterfill as waterfill
from fairsynergy.policies import DRF as DRF
from fairsynergy.policies import NUM as NUM
from fairsynergy.policies import POLICIES as POLICIES
from fairsynergy.policies import RULES as RULES
from fairsynergy.policies import AlphaFair as AlphaFair
from fairsynergy.policies import CertifiedOptimum as CertifiedOptimum
from fairsynergy.policies import Division as Division
from fairsynergy.policies import EqualIncomeMarket as EqualIncomeMarket
from fairsynergy.policies import FairSynergy as FairSynergy
from fairsynergy.policies import Given as Given
from fairsynergy.policies import Leximin as Leximin
from fairsynergy.policies import Nash as Nash
from fairsynergy.policies import Policy as Policy
from fairsynergy.policies import Progress as Progress
from fairsynergy.policies import Random as Random
from fairsynergy.policies import Replan as Replan
from fairsynergy.policies import Uniform as Uniform
from fairsynergy.policies import WholeUnits as WholeUnits
from fairsynergy.problem import Problem as Problem

__all__ = [
    "DRF",
    "NUM",
    "POLICIES",
    "RULES",
    "Allocation",
    "AlphaFair",
    "Certificate",
    "CertifiedOptimum",
    "Division",
    "EqualIncomeMarket",
    "FairSynergy",
    "FairSynergyError",
    "Filling",
    "Given",
    "Leximin",
    "Nash",
    "Policy",
    "Problem",
    "ProblemError",
    "Progress",
    "Random",
    "Replan",
    "SolverError",
    "Status",
    "Uniform",
    "WholeUnits",
    "allocate",
    "bidding",
    "curves",
    "fairness",
    "kernel",
    "laws",
    "planning",
    "waterfill",
]
