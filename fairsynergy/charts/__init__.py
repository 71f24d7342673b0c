"""Pictures of allocations; the only place in the package that imports plotly and altair."""
