"""Ratios against the floor and against the peers, measured side by side in one run: `fairsynergy bench`."""
