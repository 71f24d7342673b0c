"""Collaborative inference: devices hand the rest of a neural network to edges, and share what these can do (FOCI).

>>> edge = Edge(fixed=[0.6, 0.3], falling=[0.5, 0.7], multiprocessors=3)
>>> for rule, split in RULES.items():
...     print(f"{rule}: the worst-off device pays {split(edge).worst:.2f}")
Exact: the worst-off device pays 1.00
Algorithm 1, intended: the worst-off device pays 1.00
Algorithm 1, printed: the worst-off device pays 1.10
Equal split: the worst-off device pays 1.00
Equal share: the worst-off device pays 0.93
Continuous: the worst-off device pays 0.88
"""

from __future__ import annotations

from fairsynergy.collaborative._baselines import AllLocal as AllLocal
from fairsynergy.collaborative._baselines import BestResponse as BestResponse
from fairsynergy.collaborative._baselines import Neurosurgeon as Neurosurgeon
from fairsynergy.collaborative._city import City as City
from fairsynergy.collaborative._city import Map as Map
from fairsynergy.collaborative._city import city_along as city_along
from fairsynergy.collaborative._city import draw_city as draw_city
from fairsynergy.collaborative._city import draw_map as draw_map
from fairsynergy.collaborative._learned import RECIPES as RECIPES
from fairsynergy.collaborative._learned import Learned as Learned
from fairsynergy.collaborative._learned import Recipe as Recipe
from fairsynergy.collaborative._learned import read_weights as read_weights
from fairsynergy.collaborative._learned import write_weights as write_weights
from fairsynergy.collaborative._mobilenet import MOBILENET as MOBILENET
from fairsynergy.collaborative._mobilenet import STAGES as STAGES
from fairsynergy.collaborative._mobilenet import Network as Network
from fairsynergy.collaborative._model import Tasks as Tasks
from fairsynergy.collaborative._model import clock as clock
from fairsynergy.collaborative._model import path_loss as path_loss
from fairsynergy.collaborative._model import power as power
from fairsynergy.collaborative._model import rate as rate
from fairsynergy.collaborative._oracle import RULES as RULES
from fairsynergy.collaborative._oracle import Edge as Edge
from fairsynergy.collaborative._oracle import Reading as Reading
from fairsynergy.collaborative._oracle import Shares as Shares
from fairsynergy.collaborative._oracle import Sharing as Sharing
from fairsynergy.collaborative._oracle import algorithm_1 as algorithm_1
from fairsynergy.collaborative._oracle import bisection as bisection
from fairsynergy.collaborative._oracle import brute_force as brute_force
from fairsynergy.collaborative._oracle import continuous as continuous
from fairsynergy.collaborative._oracle import draw_edge as draw_edge
from fairsynergy.collaborative._oracle import equal_share as equal_share
from fairsynergy.collaborative._oracle import equal_split as equal_split
from fairsynergy.collaborative._oracle import greedy as greedy
from fairsynergy.collaborative._oracle import shares as shares
from fairsynergy.collaborative._porto import porto_city as porto_city
from fairsynergy.collaborative._porto import read_porto as read_porto
from fairsynergy.collaborative._setting import NORMALISED as NORMALISED
from fairsynergy.collaborative._setting import PAPER as PAPER
from fairsynergy.collaborative._setting import Setting as Setting
from fairsynergy.collaborative._setting import Weights as Weights
from fairsynergy.collaborative._simulator import LOCAL as LOCAL
from fairsynergy.collaborative._simulator import Allocator as Allocator
from fairsynergy.collaborative._simulator import Hour as Hour
from fairsynergy.collaborative._simulator import Observation as Observation
from fairsynergy.collaborative._simulator import Policy as Policy
from fairsynergy.collaborative._simulator import Simulator as Simulator
from fairsynergy.collaborative._simulator import Slot as Slot
from fairsynergy.collaborative._simulator import Spread as Spread
from fairsynergy.collaborative._simulator import Summary as Summary
from fairsynergy.collaborative._simulator import rollout as rollout
