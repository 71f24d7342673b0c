"""The pictures of measured curves: every one compiles, in both kinds of axes, and says what it shows."""

import numpy as np
import pytest
import vl_convert

from fairsynergy.charts import curves as charts
from fairsynergy.curves import Curve, fit, read_folder
from fairsynergy.fleets.drawn import ASSETS

SHIPPED = read_folder(ASSETS / "curves")
EVIL = "<script>'\"\\ labels.[x]"
THREE = np.array([[a, b, c] for a in (1.0, 2, 4) for b in (1.0, 3) for c in (1.0, 5)])


def curve(amount, accuracy, resources):
    return Curve(
        name=EVIL, resources=resources, resource=np.atleast_2d(np.array(amount).T).T, accuracy=np.array(accuracy),
        points=("",) * len(accuracy), source="",
    )  # fmt: skip


ODD = {
    "two rows": curve([1, 2], [0.0, 0.5], (EVIL,)),
    "three resources": curve(THREE, 0.1 * np.prod(THREE**0.3, axis=1), ("a", "b", EVIL)),
    "many levels": curve(
        np.column_stack([np.tile([1.0, 2, 4], 9), np.repeat(np.arange(1.0, 10), 3)]),
        0.1 * np.tile([1.0, 2, 4], 9) ** 0.3 * np.repeat(np.arange(1.0, 10), 3) ** 0.2,
        (EVIL, "trees"),
    ),
}


def named(name):
    one = {**SHIPPED, **ODD}[name]
    return one, fit(one.resource, one.accuracy, resources=one.resources)


@pytest.mark.parametrize("log", [False, True], ids=["linear", "logarithmic"])
@pytest.mark.parametrize("name", [*SHIPPED, *ODD])
def test_every_curve_compiles(name, log):
    one, found = named(name)
    tables = charts.drawn(one, found, log=log)
    assert all(np.isfinite(table.select_dtypes("number").to_numpy()).all() for table in tables.values())
    rows = {key: table.to_dict("records") for key, table in tables.items()}
    for spec in (charts.curve_spec(found, log=log), charts.residual_spec(found, log=log)):
        assert "config" not in spec
        assert "<svg" in vl_convert.vegalite_to_svg(spec | {"datasets": rows})


def test_what_is_drawn_is_the_librarys():
    one, found = named("Noisy digits, logistic regression")
    tables = charts.drawn(one, found, log=False)
    at = tables["law"]
    assert at["accuracy"].to_numpy() == pytest.approx(found.predict(at["amount"].to_numpy()))
    assert (at["low"] < at["accuracy"]).all()
    assert (at["accuracy"] < at["high"]).all()
    mean = tables["means"].set_index("amount").loc[30.0]
    some = one.accuracy[one.resource[:, 0] == 30]
    assert mean["mean"] == pytest.approx(some.mean())
    assert mean["high"] - mean["mean"] == pytest.approx(some.std(ddof=1))
    assert tables["rows"]["off"].to_numpy() == pytest.approx(100 * found.residual)


def test_the_words_say_what_is_drawn():
    _, repeated = named("Noisy digits, logistic regression")
    assert "mean accuracy of the repeats" in charts.describe(repeated)
    assert "Dashed: the shape that describes the rows better (levels off)" in charts.describe(repeated)
    _, joint = named("Digits, random forest: labels and trees")
    assert "Lines: the power law at each amount of trees." in charts.describe(joint)
    assert "6 of 9 are drawn" in charts.describe(named("many levels")[1])
    assert "no line is drawn" in charts.describe(named("three resources")[1])
    worst = np.abs(repeated.residual).max()
    assert f"{100 * worst:.1f} points, at 30 labelled examples" in charts.describe_residuals(repeated)


def test_the_tables_are_for_readers():
    one, found = named("EfficientNet on ImageNet")
    table = charts.table(one, found)
    assert list(table) == ["curve", "point", "parameters [millions]", "accuracy", "fitted", "residual"]
    shapes = charts.alternatives(found)
    assert list(shapes["AICc above the best"]) == ["best", "+14", "+52"]


def test_a_band_that_few_rows_leave_wide_open_ends_at_the_most_that_accuracy_can_be():
    three = curve([40, 250, 1000], [0.1779, 0.743, 0.8754], ("labels",))
    law = charts.drawn(three, fit(three.resource, three.accuracy), log=False)["law"]
    assert law["high"].max() <= 1
    assert (law["low"] <= law["accuracy"]).all()
    assert (law["accuracy"] <= law["high"]).all()
