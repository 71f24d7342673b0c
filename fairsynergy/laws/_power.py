"""The power law of the Fair-Synergy paper."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class PowerLaw(NamedTuple):
    """Cobb-Douglas accuracy U_i = prod_k min(h_ik, s_ik)^gamma_ik of holdings h (Fair-Synergy, Eq. 2).

    Parameters
    ----------
    elasticity : (n, m) array
        gamma, in (0, 1): the percentage that one percent more of a resource adds.
    saturation : (n, m) array
        s, the holding beyond which more adds nothing [units of each resource].
    """

    elasticity: NDArray[np.float64]
    saturation: NDArray[np.float64]

    def log_utility(self, holding: NDArray[np.float64]) -> NDArray[np.float64]:
        """(..., n) log U_i of holdings (..., n, m); minus infinity where an agent lacks a resource altogether."""
        with np.errstate(divide="ignore"):
            logs = np.log(np.minimum(holding, self.saturation))
        return np.asarray((self.elasticity * logs).sum(axis=-1))
