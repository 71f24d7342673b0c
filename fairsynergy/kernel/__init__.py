"""The arithmetic under the rules: water-filling, proved bounds, what a rule maximises, many fleets at once.

>>> import fairsynergy as fs
>>> fs.kernel.waterfill([1, 1], [0.5, 0.5], [0.0, 0.2], 1.0).grant.round(3)
array([0.6, 0.4])
"""

from __future__ import annotations

from fairsynergy.kernel._batch import Fleets as Fleets
from fairsynergy.kernel._batch import Outcome as Outcome
from fairsynergy.kernel._waterfill import Filling as Filling
from fairsynergy.kernel._waterfill import waterfill as waterfill
