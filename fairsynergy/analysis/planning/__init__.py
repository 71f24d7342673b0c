"""Plans for a stakeholder: what a split is worth, what a bound costs, where new capacity goes, what changing costs.

>>> import fairsynergy as fs
>>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3])
>>> first_improvement(fs.allocate(fleet, fs.Uniform())).taker
'agent 1'
"""

from __future__ import annotations

from fairsynergy.analysis.planning._changes import ROUNDING as ROUNDING
from fairsynergy.analysis.planning._changes import Bound as Bound
from fairsynergy.analysis.planning._changes import Change as Change
from fairsynergy.analysis.planning._changes import Exchange as Exchange
from fairsynergy.analysis.planning._changes import Kind as Kind
from fairsynergy.analysis.planning._changes import NextShare as NextShare
from fairsynergy.analysis.planning._changes import Placement as Placement
from fairsynergy.analysis.planning._changes import Receiver as Receiver
from fairsynergy.analysis.planning._changes import binding as binding
from fairsynergy.analysis.planning._changes import carried as carried
from fairsynergy.analysis.planning._changes import change as change
from fairsynergy.analysis.planning._changes import distance as distance
from fairsynergy.analysis.planning._changes import exchanged as exchanged
from fairsynergy.analysis.planning._changes import first_improvement as first_improvement
from fairsynergy.analysis.planning._changes import increment as increment
from fairsynergy.analysis.planning._changes import next_share as next_share
from fairsynergy.analysis.planning._changes import place as place
from fairsynergy.analysis.planning._targets import Agent as Agent
from fairsynergy.analysis.planning._targets import Aim as Aim
from fairsynergy.analysis.planning._targets import Answer as Answer
from fairsynergy.analysis.planning._targets import Grid as Grid
from fairsynergy.analysis.planning._targets import Least as Least
from fairsynergy.analysis.planning._targets import Mean as Mean
from fairsynergy.analysis.planning._targets import Split as Split
from fairsynergy.analysis.planning._targets import Target as Target
from fairsynergy.analysis.planning._targets import Worst as Worst
from fairsynergy.analysis.planning._targets import best_split as best_split
from fairsynergy.analysis.planning._targets import least_budget as least_budget
from fairsynergy.analysis.planning._targets import least_capacity as least_capacity
from fairsynergy.analysis.planning._targets import outcome_grid as outcome_grid
from fairsynergy.analysis.planning._uncertainty import Band as Band
from fairsynergy.analysis.planning._uncertainty import Outcomes as Outcomes
from fairsynergy.analysis.planning._uncertainty import Promises as Promises
from fairsynergy.analysis.planning._uncertainty import Prospect as Prospect
from fairsynergy.analysis.planning._uncertainty import Uncertainty as Uncertainty
from fairsynergy.analysis.planning._uncertainty import band as band
from fairsynergy.analysis.planning._uncertainty import draw as draw
from fairsynergy.analysis.planning._uncertainty import uncertain as uncertain
