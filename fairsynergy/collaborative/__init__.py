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

from fairsynergy.collaborative.baselines import AllLocal as AllLocal
from fairsynergy.collaborative.baselines import BestResponse as BestResponse
from fairsynergy.collaborative.baselines import Neurosurgeon as Neurosurgeon
from fairsynergy.collaborative.city import City as City
from fairsynergy.collaborative.city import Map as Map
from fairsynergy.collaborative.city import city_along as city_along
from fairsynergy.collaborative.city import draw_city as draw_city
from fairsynergy.collaborative.city import draw_map as draw_map
from fairsynergy.collaborative.learned import RECIPES as RECIPES
from fairsynergy.collaborative.learned import Learned as Learned
from fairsynergy.collaborative.learned import Recipe as Recipe
from fairsynergy.collaborative.learned import read_weights as read_weights
from fairsynergy.collaborative.learned import write_weights as write_weights
from fairsynergy.collaborative.mobilenet import MOBILENET as MOBILENET
from fairsynergy.collaborative.mobilenet import STAGES as STAGES
from fairsynergy.collaborative.mobilenet import Network as Network
from fairsynergy.collaborative.model import Tasks as Tasks
from fairsynergy.collaborative.model import clock as clock
from fairsynergy.collaborative.model import path_loss as path_loss
from fairsynergy.collaborative.model import power as power
from fairsynergy.collaborative.model import rate as rate
from fairsynergy.collaborative.oracle import RULES as RULES
from fairsynergy.collaborative.oracle import Edge as Edge
from fairsynergy.collaborative.oracle import Reading as Reading
from fairsynergy.collaborative.oracle import Shares as Shares
from fairsynergy.collaborative.oracle import Sharing as Sharing
from fairsynergy.collaborative.oracle import algorithm_1 as algorithm_1
from fairsynergy.collaborative.oracle import bisection as bisection
from fairsynergy.collaborative.oracle import brute_force as brute_force
from fairsynergy.collaborative.oracle import continuous as continuous
from fairsynergy.collaborative.oracle import draw_edge as draw_edge
from fairsynergy.collaborative.oracle import equal_share as equal_share
from fairsynergy.collaborative.oracle import equal_split as equal_split
from fairsynergy.collaborative.oracle import greedy as greedy
from fairsynergy.collaborative.oracle import shares as shares
from fairsynergy.collaborative.porto import porto_city as porto_city
from fairsynergy.collaborative.porto import read_porto as read_porto
from fairsynergy.collaborative.setting import NORMALISED as NORMALISED
from fairsynergy.collaborative.setting import PAPER as PAPER
from fairsynergy.collaborative.setting import Setting as Setting
from fairsynergy.collaborative.setting import Weights as Weights
from fairsynergy.collaborative.simulator import LOCAL as LOCAL
from fairsynergy.collaborative.simulator import Allocator as Allocator
from fairsynergy.collaborative.simulator import Hour as Hour
from fairsynergy.collaborative.simulator import Observation as Observation
from fairsynergy.collaborative.simulator import Policy as Policy
from fairsynergy.collaborative.simulator import Simulator as Simulator
from fairsynergy.collaborative.simulator import Slot as Slot
from fairsynergy.collaborative.simulator import Spread as Spread
from fairsynergy.collaborative.simulator import Summary as Summary
from fairsynergy.collaborative.simulator import rollout as rollout
