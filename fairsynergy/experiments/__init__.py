"""Many problems by many rules: the paper's experiments run again, and sweeps that outgrow one machine.

>>> from fairsynergy.policies import FairSynergy, Uniform
>>> from fairsynergy.fleets import Setting
>>> table = run(Pairs(setting=Setting.RTI, experiments=100), {"best": FairSynergy(), "even": Uniform()})
>>> table.groupby("rule")["mean"].mean().round(3).to_dict()
{'best': 0.808, 'even': 0.792}
"""

from __future__ import annotations

from fairsynergy.experiments.drawing import Growing as Growing
from fairsynergy.experiments.drawing import Pairs as Pairs
from fairsynergy.experiments.drawing import Released as Released
from fairsynergy.experiments.engine import Batch as Batch
from fairsynergy.experiments.engine import Progress as Progress
from fairsynergy.experiments.engine import Protocol as Protocol
from fairsynergy.experiments.engine import measure as measure
from fairsynergy.experiments.engine import run as run
from fairsynergy.experiments.paper import FIGURES as FIGURES
from fairsynergy.experiments.paper import reproduce as reproduce
from fairsynergy.experiments.reproduction import Claim as Claim
from fairsynergy.experiments.reproduction import Reproduction as Reproduction
from fairsynergy.experiments.reproduction import Verdict as Verdict
