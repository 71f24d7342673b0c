"""Fleets in and out: drawn from sliders, read from tables, written to files, links, scripts and workbooks.

>>> FleetSpec(agents=3, seed=1).problem()
Problem(3 agents, capacity compute 1.5)
>>> list(PRESETS)[:2]
['Two drones', 'Warehouse']
"""

from __future__ import annotations

from fairsynergy.fleets.drawn import PRESETS as PRESETS
from fairsynergy.fleets.drawn import Demonstration as Demonstration
from fairsynergy.fleets.drawn import FleetSpec as FleetSpec
from fairsynergy.fleets.drawn import Preset as Preset
from fairsynergy.fleets.drawn import Setting as Setting
from fairsynergy.fleets.files import FleetFile as FleetFile
from fairsynergy.fleets.files import read_file as read_file
from fairsynergy.fleets.files import read_fleet as read_fleet
from fairsynergy.fleets.files import results_table as results_table
from fairsynergy.fleets.files import write_csv as write_csv
from fairsynergy.fleets.files import write_json as write_json
