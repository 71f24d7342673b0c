"""The dashboard's parts; the only place in the package that imports streamlit."""

from __future__ import annotations

from fairsynergy.ui import frame as frame
from fairsynergy.ui import panels as panels
from fairsynergy.ui import solve as solve
