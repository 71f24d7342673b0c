"""What holds of every Vega-Lite picture: a test class takes `EveryPicture` and gives it specifications and tables."""

import json

import numpy as np

LARGEST = 12_000  # characters of a specification
# Channels that map names to places, and those that map them to looks.
PLACES = {"x", "y", "xOffset", "yOffset"}
SCALED = PLACES | {"color", "fill", "stroke", "shape", "strokeDash"}


class EveryPicture:
    def test_asks_for_exactly_the_tables_it_gets(self, spec, tables):
        assert names_in(spec) == set(tables)

    def test_carries_no_data_of_its_own(self, spec, tables):
        assert "datasets" not in spec
        assert len(json.dumps(spec)) < LARGEST

    def test_draws_only_columns_that_exist_and_hold_finite_numbers(self, spec, tables):
        for layer in spec["layer"]:
            table = tables[layer.get("data", spec.get("data"))["name"]]
            for channel in layer["encoding"].values():
                for part in channel if isinstance(channel, list) else [channel]:
                    if "field" in part:
                        assert part["field"] in table
        for table in tables.values():
            assert len(table)
            assert np.isfinite(table.select_dtypes("number").to_numpy(dtype=float)).all()

    def test_orders_names_by_itself_and_not_as_rows_happen_to_come(self, spec, tables):
        # A browser puts new rows in the place of old ones; what follows from the order of rows alone then goes astray.
        for layer in spec["layer"]:
            for channel, part in layer["encoding"].items():
                if channel in SCALED and part.get("type") in ("nominal", "ordinal"):
                    ordered = channel in PLACES and part.get("sort", "ascending") is not None
                    assert ordered or part["scale"]["domain"], f"{channel}: {part}"


def names_in(spec):
    """The tables that a specification asks for."""
    if isinstance(spec, dict):
        own = {spec["data"]["name"]} if "name" in spec.get("data", {}) else set()
        return own.union(*(names_in(value) for value in spec.values()))
    return set().union(*(names_in(value) for value in spec)) if isinstance(spec, list) else set()
