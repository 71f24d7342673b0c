"""What accuracy is: how far an agent gets with what it holds.

>>> import numpy as np
>>> law = PowerLaw(elasticity=np.array([[0.5, 0.25]]), saturation=np.array([[np.inf, 1.0]]))
>>> np.exp(law.log_utility(np.array([[0.25, 0.0625]])))
array([0.25])
"""

from __future__ import annotations

from fairsynergy.laws._power import PowerLaw as PowerLaw
