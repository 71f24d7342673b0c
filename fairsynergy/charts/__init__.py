"""Pictures of allocations; the only place in the package that imports altair."""

from __future__ import annotations

from fairsynergy.charts import allocations as allocations
from fairsynergy.charts import comparison as comparison
from fairsynergy.charts import palette as palette
from fairsynergy.charts import surfaces as surfaces
from fairsynergy.charts import tradeoff as tradeoff
