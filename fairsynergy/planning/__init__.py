"""Plans for a stakeholder: what a split is worth, what a bound costs, where new capacity goes, what changing costs.

>>> import fairsynergy as fs
>>> fleet = fs.Problem(endowment=[0.1, 0.3], capacity=0.5, elasticity=[0.9, 0.3])
>>> first_improvement(fs.allocate(fleet, fs.Uniform())).taker
'agent 1'
"""

from __future__ import annotations

from fairsynergy.planning.changes import ROUNDING as ROUNDING
from fairsynergy.planning.changes import Bound as Bound
from fairsynergy.planning.changes import Change as Change
from fairsynergy.planning.changes import Exchange as Exchange
from fairsynergy.planning.changes import Kind as Kind
from fairsynergy.planning.changes import NextShare as NextShare
from fairsynergy.planning.changes import Placement as Placement
from fairsynergy.planning.changes import Receiver as Receiver
from fairsynergy.planning.changes import binding as binding
from fairsynergy.planning.changes import carried as carried
from fairsynergy.planning.changes import change as change
from fairsynergy.planning.changes import distance as distance
from fairsynergy.planning.changes import exchanged as exchanged
from fairsynergy.planning.changes import first_improvement as first_improvement
from fairsynergy.planning.changes import increment as increment
from fairsynergy.planning.changes import next_share as next_share
from fairsynergy.planning.changes import place as place
from fairsynergy.planning.targets import Agent as Agent
from fairsynergy.planning.targets import Aim as Aim
from fairsynergy.planning.targets import Answer as Answer
from fairsynergy.planning.targets import Grid as Grid
from fairsynergy.planning.targets import Least as Least
from fairsynergy.planning.targets import Mean as Mean
from fairsynergy.planning.targets import Split as Split
from fairsynergy.planning.targets import Target as Target
from fairsynergy.planning.targets import Worst as Worst
from fairsynergy.planning.targets import best_split as best_split
from fairsynergy.planning.targets import least_budget as least_budget
from fairsynergy.planning.targets import least_capacity as least_capacity
from fairsynergy.planning.targets import outcome_grid as outcome_grid
from fairsynergy.planning.uncertainty import Band as Band
from fairsynergy.planning.uncertainty import Outcomes as Outcomes
from fairsynergy.planning.uncertainty import Promises as Promises
from fairsynergy.planning.uncertainty import Prospect as Prospect
from fairsynergy.planning.uncertainty import Uncertainty as Uncertainty
from fairsynergy.planning.uncertainty import band as band
from fairsynergy.planning.uncertainty import draw as draw
from fairsynergy.planning.uncertainty import uncertain as uncertain
