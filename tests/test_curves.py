"""Elasticities from measurements: exact where there is no noise, honest where there is, clear where it cannot be."""

import codecs

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

import fairsynergy as fs
from fairsynergy.curves import Concern, Shape, fit, read_curves, read_folder, words
from fairsynergy.fleets.drawn import ASSETS

AMOUNTS = np.geomspace(10, 1000, 8)
GRID = np.array([[a, b] for a in (1.0, 3.0, 9.0, 30.0) for b in (2.0, 8.0, 64.0)])


def concerns(found):
    return {note.concern for note in found.notes}


def noisy(seed, amount=AMOUNTS, gamma=0.2, noise=0.02):
    rng = np.random.default_rng(seed)
    return 0.2 * amount**gamma + rng.normal(0, noise, len(amount))


# The fit


@given(
    gamma=st.floats(0.001, 0.999),
    top=st.floats(0.01, 1.0),
    span=st.floats(1.5, 1e6),
    unit=st.floats(1e-9, 1e9),
    count=st.integers(2, 30),
)
def test_noiseless_curves_recover_the_elasticity(gamma, top, span, unit, count):
    amount = unit * np.geomspace(1, span, count)
    found = fit(amount, top * (amount / amount[-1]) ** gamma)
    assert found.elasticity == pytest.approx([gamma], abs=1e-8)
    assert found.usable
    assert concerns(found) <= {Concern.FEW_ROWS, Concern.UNDECIDED}


@given(gamma=st.tuples(st.floats(0.01, 0.6), st.floats(0.01, 0.39)))
def test_noiseless_joint_curves_recover_both_elasticities(gamma):
    accuracy = np.prod((GRID / GRID.max(axis=0)) ** gamma, axis=1)
    for scale, unit in (("free", 1.0), ("one", GRID.max(axis=0))):
        found = fit(GRID, accuracy, scale=scale, unit=unit, resources=["labels", "trees"])
        assert found.elasticity == pytest.approx(gamma, abs=1e-8)
        assert found.predict(GRID) == pytest.approx(accuracy, abs=1e-8)
        assert found.notes == ()


@pytest.mark.parametrize("gamma", [-0.3, 0.0, 1.0, 1.7])
def test_an_elasticity_that_no_agent_may_have_is_reported_and_said(gamma):
    found = fit(AMOUNTS, 0.5 * (AMOUNTS / AMOUNTS.max()) ** gamma if gamma >= 0 else 0.9 * (AMOUNTS / 10) ** gamma)
    assert found.elasticity == pytest.approx([gamma], abs=1e-8)
    assert not found.usable
    assert found.notes[0].concern is Concern.NOT_BETWEEN


@pytest.mark.parametrize("level", [0.1, 0.41, 0.7, 1 / 3])
@pytest.mark.parametrize("amount", [(1, 3, 7), (10, 20, 40, 90), (0.3, 1700)])
def test_a_flat_curve_and_a_straight_line_are_not_usable_whatever_rounding_does(amount, level):
    flat = fit(amount, [level] * len(amount))
    assert flat.elasticity.tolist() == [0.0]
    assert not flat.usable
    assert np.isnan(flat.r_squared)
    assert "do not vary, so there is nothing to explain" in words.status(flat)
    straight = fit(amount, level * np.array(amount) / max(amount))
    assert straight.elasticity.tolist() == [1.0]
    assert not straight.usable


def closest(amount, accuracy):
    """The least sum of squares of any s · h^γ, by trying 20,000 γ and then finer ones; nothing of the engine."""
    log = np.log(amount)

    def squares(gammas):
        power = np.multiply.outer(gammas, log - log.min())
        shape = np.exp(power - np.maximum(power.max(axis=1, keepdims=True), 0))
        level = shape @ accuracy / (shape * shape).sum(axis=1)
        return ((accuracy - level[:, None] * shape) ** 2).sum(axis=1)

    side = np.geomspace(1e-3, 300, 10_001) / np.ptp(log)
    gammas = np.concatenate([-side[::-1], [0.0], side])
    for _ in range(5):
        place = int(np.argmin(squares(gammas)))
        gammas = np.linspace(gammas[max(place - 1, 0)], gammas[min(place + 1, len(gammas) - 1)], 101)
    return squares(gammas).min()


def test_the_closest_curve_is_found_where_a_search_from_the_logarithms_ends_at_a_local_minimum():
    amount, accuracy = [1.5822, 3.4361, 4.2068, 890.7532], [0.8139, 0.4667, 0.2732, 0.2865]
    found = fit(amount, accuracy)
    assert (found.residual**2).sum() == pytest.approx(0.08842920805812719, rel=1e-9)
    assert found.elasticity == pytest.approx([-0.8839011198], rel=1e-6)


def test_no_curve_of_the_family_is_closer_to_any_of_many_small_tables():
    rng = np.random.default_rng(11)
    for _ in range(100):
        amount = np.exp(rng.uniform(0, rng.choice([1, 3, 8, 14]), rng.integers(2, 9)))
        accuracy = rng.uniform(0, 1, len(amount)) * (rng.uniform(size=len(amount)) < rng.choice([0.6, 1]))
        accuracy[0] = 0.5
        found = fit(amount, accuracy)
        assert (found.residual**2).sum() <= closest(amount, accuracy) * (1 + 1e-7) + 1e-10


def test_curves_as_steep_as_can_be_told_end_in_numbers_and_without_an_interval():
    found = fit([8.4, 8.52, 9.9, 18.0], [0.8, 0, 0, 0], resources=["labels"])
    assert not found.known
    assert found.predict([8.4, 18.0]) == pytest.approx([0.8, 0.0], abs=1e-9)
    assert found.band([8.4]).tolist() == [[0.0, np.inf]]
    assert "no interval, since other curves are as close" in words.answer(found)
    assert "there is no interval" in found.notes[-1].sentence


def test_agrees_with_scipys_curve_fit():
    accuracy = noisy(1)
    found = fit(AMOUNTS, accuracy)
    (scale, gamma), covariance = optimize.curve_fit(lambda h, s, g: s * h**g, AMOUNTS, accuracy, p0=(0.3, 0.1))
    assert found.scale == pytest.approx(scale, rel=1e-6)
    assert found.elasticity == pytest.approx([gamma], rel=1e-6)
    assert found.standard_error == pytest.approx([np.sqrt(covariance[1, 1])], rel=1e-5)
    reach = stats.t.ppf(0.975, 6) * found.standard_error[0]
    assert found.interval == pytest.approx(np.array([[gamma - reach, gamma + reach]]), rel=1e-5)
    # The error of ln s is that of s relative to it.
    assert np.sqrt(found.covariance[0, 0]) == pytest.approx(np.sqrt(covariance[0, 0]) / scale, rel=1e-5)
    residual = accuracy - scale * AMOUNTS**gamma
    assert found.residual == pytest.approx(residual, abs=1e-7)
    assert found.r_squared == pytest.approx(1 - residual @ residual / ((accuracy - accuracy.mean()) ** 2).sum())


def test_no_other_curve_of_the_family_is_closer():
    accuracy = noisy(2)
    found = fit(AMOUNTS, accuracy)
    least = (found.residual**2).sum()
    for ds in (-1e-3, 0, 1e-3):
        for dg in (-1e-3, 0, 1e-3):
            other = found.scale * (1 + ds) * AMOUNTS ** (found.elasticity[0] + dg)
            assert ((accuracy - other) ** 2).sum() >= least * (1 - 1e-12)


@pytest.mark.parametrize("amount", [AMOUNTS, np.repeat(AMOUNTS[:4], 3)], ids=["once each", "repeats"])
def test_intervals_cover_the_truth_as_often_as_they_say(amount):
    times, rng = 1000, np.random.default_rng(3)
    truth = 0.2 * amount**0.2
    found = [fit(amount, truth + noise) for noise in rng.normal(0, 0.02, (times, len(amount)))]
    covered = np.mean([one.interval[0, 0] <= 0.2 <= one.interval[0, 1] for one in found])
    assert covered == pytest.approx(0.95, abs=0.02)
    scales = np.mean([one.scale_interval[0] <= 0.2 <= one.scale_interval[1] for one in found])
    assert scales == pytest.approx(0.95, abs=0.02)
    bands = np.array([one.band(amount) for one in found[:300]])
    assert ((bands[:, :, 0] <= truth) & (truth <= bands[:, :, 1])).mean() == pytest.approx(0.95, abs=0.02)


def test_a_free_scale_does_not_depend_on_the_unit():
    accuracy = noisy(4)
    one, other = fit(AMOUNTS, accuracy), fit(AMOUNTS * 1000, accuracy)
    assert other.elasticity == pytest.approx(one.elasticity, rel=1e-9)
    assert other.interval == pytest.approx(one.interval, rel=1e-6)
    assert fit(AMOUNTS, accuracy, unit=100).scale == pytest.approx(float(one.predict([100.0])[0]))
    assert [a.aicc for a in other.alternatives] == pytest.approx([a.aicc for a in one.alternatives], rel=1e-4)


def test_a_fixed_scale_is_one_at_one_unit():
    amount = np.array([0.1, 0.2, 0.5, 1.0])
    found = fit(amount, amount**0.4, scale="one")
    assert found.scale == 1.0
    assert found.scale_fixed
    assert found.scale_interval.tolist() == [1.0, 1.0]
    assert found.elasticity == pytest.approx([0.4], abs=1e-9)
    again = fit(amount * 60000, amount**0.4, scale="one", unit=60000)
    assert again.elasticity == pytest.approx([0.4], abs=1e-9)
    assert not fit(amount, amount**0.4).scale_fixed


def test_repeats_are_rows():
    accuracy = noisy(5)
    once, twice = fit(AMOUNTS, accuracy), fit(np.tile(AMOUNTS, 2), np.tile(accuracy, 2))
    assert twice.elasticity == pytest.approx(once.elasticity, rel=1e-9)
    assert twice.standard_error < once.standard_error


def test_order_and_an_accuracy_of_zero_do_not_matter():
    accuracy = np.append(noisy(6), 0.0)
    amount = np.append(AMOUNTS, 0.01)
    found, turned = fit(amount, accuracy), fit(amount[::-1], accuracy[::-1])
    assert turned.elasticity == pytest.approx(found.elasticity, rel=1e-9)
    assert found.fitted[-1] > 0


def test_nothing_given_is_changed_or_shared():
    amount, accuracy = AMOUNTS.copy(), noisy(7)
    found = fit(amount, accuracy)
    amount[:], accuracy[:] = 1, 1
    assert found.resource.ravel().tolist() == AMOUNTS.tolist()
    assert found.accuracy.tolist() == noisy(7).tolist()


# Alternatives and notes


def test_alternatives_recover_their_own_curves():
    saturating = fit(AMOUNTS, 0.9 - 2.0 * AMOUNTS**-0.7)
    best = saturating.alternatives[0]
    assert best.shape is Shape.SATURATING
    assert dict(best.parameters) == pytest.approx({"a": 0.9, "b": 2.0, "c": 0.7}, rel=1e-4)
    attempts = fit(AMOUNTS, 1 - 0.998**AMOUNTS)
    best = attempts.alternatives[0]
    assert best.shape is Shape.ATTEMPTS
    assert dict(best.parameters) == pytest.approx({"p": 0.002}, rel=1e-6)
    for found in (saturating, attempts):
        assert found.alternatives[0].predict(AMOUNTS[:, None]) == pytest.approx(found.accuracy, abs=1e-6)
        assert Concern.ANOTHER_SHAPE in concerns(found)


def test_joint_alternatives_recover_their_own_curves():
    accuracy = 0.95 - 0.5 * GRID[:, 0] ** -0.8 - 0.3 * GRID[:, 1] ** -0.5
    best = fit(GRID, accuracy).alternatives[0]
    assert best.shape is Shape.SATURATING
    expected = {"a": 0.95, "b1": 0.5, "b2": 0.3, "c1": 0.8, "c2": 0.5}
    assert dict(best.parameters) == pytest.approx(expected, rel=1e-3)
    best = fit(GRID, 1 - 0.98 ** GRID[:, 0] * 0.99 ** GRID[:, 1]).alternatives[0]
    assert best.shape is Shape.ATTEMPTS
    assert dict(best.parameters) == pytest.approx({"p1": 0.02, "p2": 0.01}, rel=1e-6)


def test_shapes_are_compared_on_eight_different_rows_or_not_at_all():
    """On six rows AICc asks of a third number 148 times smaller squares: its correction decides, not the rows."""
    amount = np.geomspace(10, 1000, 7)
    accuracy = 0.9 - 2.0 * amount**-0.7
    for few in (fit(amount, accuracy), fit(np.tile(amount, 3), np.tile(accuracy, 3)), fit(GRID[1:], GRID[1:, 0] / 40)):
        assert not few.comparable
        assert few.alternatives[0] is few.law
        assert Concern.ANOTHER_SHAPE not in concerns(few)
        assert {words.against(few, one) for one in few.alternatives} == {"too few rows"}
    assert "Fewer than 8 different rows" in words.compared(fit(amount, accuracy))
    assert "Fewer than 12 different rows" in words.compared(fit(GRID[1:], GRID[1:, 0] / 40))
    enough = fit(AMOUNTS, 0.9 - 2.0 * AMOUNTS**-0.7)
    assert enough.comparable
    assert words.compared(enough).startswith("AICc weighs")


def closest_of_shapes(amount, accuracy):
    """The least squares of a curve that levels off and of one of attempts, on grids of their one bent number."""
    level, attempt = np.inf, np.inf
    for speed in np.geomspace(1e-5, 20, 2000):
        part = (amount / amount.min()) ** -speed
        found = np.linalg.lstsq(np.column_stack([np.ones_like(part), -part]), accuracy, rcond=None)[0]
        if not (0 <= found[0] <= 1 and found[1] >= 0):
            corners = [[1.0, max(0.0, part @ (1 - accuracy) / (part @ part))], [accuracy.mean(), 0.0], [0.0, 0.0]]
            found = min(corners, key=lambda one: ((one[0] - part * one[1] - accuracy) ** 2).sum())
        level = min(level, ((found[0] - part * found[1] - accuracy) ** 2).sum())
    for rate in np.geomspace(1e-9 / amount.max(), 800 / amount.min(), 5000):
        attempt = min(attempt, ((-np.expm1(-rate * amount) - accuracy) ** 2).sum())
    return {Shape.SATURATING: level, Shape.ATTEMPTS: attempt}


def test_the_other_shapes_are_the_closest_of_their_family_too():
    rng = np.random.default_rng(12)
    tables = [(np.array([1.0, 2.0, 3000.0]), np.array([0.9, 0.1, 0.2]))]
    tables += [(np.exp(rng.uniform(0, 8, n)), rng.uniform(0, 1, n)) for n in rng.integers(3, 9, 8)]
    for amount, accuracy in tables:
        least = closest_of_shapes(amount, accuracy)
        for one in fit(amount, accuracy).alternatives[1:]:
            assert ((one.fitted - accuracy) ** 2).sum() <= least[one.shape] * (1 + 1e-3) + 1e-5


def test_the_criterion_is_akaikes_with_its_correction():
    found = fit(AMOUNTS, noisy(8))
    n, k = 8, 3
    rss = (found.residual**2).sum()
    assert found.law.aicc == pytest.approx(n * np.log(rss / n) + 2 * k + 2 * k * (k + 1) / (n - k - 1))
    order = [one.aicc for one in found.alternatives]
    assert order == sorted(order)


def test_a_clean_power_law_raises_no_concern():
    raised = [concerns(fit(np.repeat(AMOUNTS, 3), noisy(seed, np.repeat(AMOUNTS, 3)))) for seed in range(20)]
    assert sum(map(bool, raised)) <= 4  # by chance: what AICc calls telling is a weak hint
    assert not set().union(*raised) - {Concern.ANOTHER_SHAPE}


def test_a_bend_the_wrong_way_is_noticed_where_chance_does_not_explain_it():
    assert Concern.NOT_CONCAVE in concerns(fit(AMOUNTS, 0.9 * (AMOUNTS / 1000) ** 1.5))
    assert Concern.NOT_CONCAVE not in concerns(fit(AMOUNTS, 0.9 * (AMOUNTS / 1000) ** 0.99))
    rng = np.random.default_rng(0)
    amount = np.repeat(AMOUNTS, 5)
    noise = rng.normal(0, 0.01, len(amount))
    bent = fit(amount, np.repeat(0.1 + 0.7 * (AMOUNTS / 1000) ** 1.5, 5) + noise)
    assert Concern.NOT_CONCAVE in concerns(bent)
    assert "percentage points below the straight line" in next(n.sentence for n in bent.notes if "line" in n.sentence)


def test_a_bend_along_one_of_two_resources_is_noticed():
    accuracy = 0.9 * (GRID[:, 0] / 30) ** 0.5 * (GRID[:, 1] / 64) ** 2
    notes = fit(GRID, accuracy, resources=["labels", "trees"]).notes
    assert "Not concave: at 8 trees" in next(n.sentence for n in notes if n.concern is Concern.NOT_CONCAVE)


def test_a_curve_that_misses_its_repeats_is_noticed():
    rng = np.random.default_rng(1)
    amount = np.repeat(AMOUNTS, 5)
    found = fit(amount, 0.9 - 1.5 * amount**-0.6 + rng.normal(0, 0.005, len(amount)))
    assert {Concern.MISSES, Concern.ANOTHER_SHAPE} <= concerns(found)


def test_what_the_rows_leave_open_is_said():
    wild = fit([1, 2, 4, 8], [0.5, 0.7, 0.4, 0.6])
    assert concerns(wild) & {Concern.UNDECIDED, Concern.NOT_BETWEEN}
    returns = fit(GRID, np.prod((GRID / GRID.max(axis=0)) ** [0.7, 0.6], axis=1))
    assert Concern.INCREASING_RETURNS in concerns(returns)
    two = fit([1, 4], [0.3, 0.6])
    assert Concern.FEW_ROWS in concerns(two)
    assert not np.isfinite(two.interval).any()
    assert two.elasticity == pytest.approx([0.5])
    assert two.band([2.0]).tolist() == [[0.0, np.inf]]
    flat = fit([1, 4, 9], [0.5, 0.5, 0.5])
    assert np.isnan(flat.r_squared)
    assert "do not vary" in words.status(flat)


# Refusals of arrays


@pytest.mark.parametrize(
    ("resource", "accuracy", "options", "message"),
    [
        ([1.0], [0.5], {}, "1 row cannot determine 2 unknowns"),
        ([3, 3, 3], [0.4, 0.5, 0.6], {}, "every row has the same amount of the resource"),
        ([[1, 2], [2, 4], [4, 8]], [0.4, 0.5, 0.6], {}, "resource 1 and resource 2 vary only together"),
        ([[1, 2], [2, 2], [4, 2]], [0.4, 0.5, 0.6], {}, "the same amount of resource 2"),
        ([0, 1, 2], [0.4, 0.5, 0.6], {}, "`resource[0, 0]` must be above 0 and finite, got 0"),
        ([1, -1, 2], [0.4, 0.5, 0.6], {}, "`resource[1, 0]` must be above 0 and finite, got -1"),
        ([1, np.inf, 2], [0.4, 0.5, 0.6], {}, "`resource[1, 0]` must be above 0 and finite, got inf"),
        ([1, 2, 3], [0.4, np.nan, 0.6], {}, "`accuracy[1]` must be a share between 0 and 1, got nan"),
        (
            [1, 2, 3],
            [40, 50, 60],
            {},
            "`accuracy[0]` must be a share between 0 and 1, got 40; if accuracies are in per",
        ),
        ([1, 2, 3], [0.4, -0.5, 0.6], {}, "`accuracy[1]` must be a share between 0 and 1, got -0.5"),
        ([1, 2, 3], [0.4, 0.5], {}, "`accuracy` must have one number for each of the 3 rows of `resource`"),
        ([1, 2], [0.0, 0.0], {}, "`accuracy` is 0 in every row"),
        (["a", "b"], [0.4, 0.5], {}, "`resource` must be an array of numbers"),
        ([[1, 2], [3]], [0.4, 0.5], {}, "`resource` must be an array of numbers, with rows of one length"),
        ([[[1]]], [0.4], {}, "`resource` must be (n,) or (n, m)"),
        ([], [], {}, "0 rows cannot determine 2 unknowns"),
        ([1, 2], [0.4, 0.5], {"scale": "two"}, '`scale` must be "free" or "one", got \'two\''),
        ([1, 2], [0.4, 0.5], {"scale": "one"}, "is 2 units of the resource; with the scale fixed at 1"),
        ([1, 1], [0.4, 0.5], {"scale": "one"}, "every row has exactly one unit of the resource"),
        ([1, 2], [0.4, 0.5], {"sd": 0}, "`sd[0]` must be above 0 and finite, got 0"),
        ([1, 2], [0.4, 0.5], {"sd": [1, 2, 3]}, "`sd` must be one number, or one for each of 2 rows"),
        ([1, 2], [0.4, 0.5], {"unit": 0}, "`unit[0]` must be above 0"),
        ([1, 2], [0.4, 0.5], {"unit": [1, 2]}, "`unit` must be one number, or one for each of 1 resources"),
        ([1, 2], [0.4, 0.5], {"resources": ["a", "b"]}, "`resources` must be 1 names, one per column, got 2"),
    ],
)
def test_rows_that_determine_no_curve_are_refused(resource, accuracy, options, message):
    with pytest.raises(fs.ProblemError) as refusal:
        fit(resource, accuracy, **options)
    assert message in str(refusal.value)
    assert refusal.value.field in ("resource", "accuracy", "scale", "unit", "resources", "sd")


# Words


def test_the_answer_says_what_doubling_does():
    found = fit(AMOUNTS, noisy(1), resources=["labels"])
    gamma, (low, high) = found.elasticity[0], found.interval[0]
    said = words.answer(found)
    assert said.startswith(f"Labels: doubling them multiplies accuracy by {2**gamma:.2f}: elasticity {gamma:.3f}")
    assert said.endswith(f"(95 % interval {low:.3f} to {high:.3f}, 8 rows).")
    assert "between 10 and 1,000 labels" in words.relative(found)
    joint = fit(GRID, np.prod((GRID / GRID.max(axis=0)) ** [0.2, 0.1], axis=1), resources=["compute", "trees"])
    assert words.answer(joint).startswith("Compute: doubling it multiplies accuracy by 1.15: elasticity 0.200")
    assert "; trees: doubling them multiplies accuracy by 1.07" in words.answer(joint)
    assert "0.200 per cent more accuracy for compute and 0.100" in words.relative(joint)


def test_the_status_follows_from_the_notes():
    assert words.status(fit(AMOUNTS, 0.2 * AMOUNTS**0.2, sd=0.01)).startswith(
        "The power law describes these 8 rows well"
    )
    assert "less well than another shape" in words.status(fit(AMOUNTS, 0.9 - 2.0 * AMOUNTS**-0.7))
    assert words.status(fit(AMOUNTS, 0.9 * (AMOUNTS / 10) ** -0.2)).startswith("No agent of this law behaves like")
    assert "goes through all 2 rows" in words.status(fit([1, 4], [0.3, 0.6]))


WELL = "describes these {} rows well:"


@pytest.mark.parametrize(
    ("amount", "accuracy", "options", "said"),
    [
        (
            [400, 2500, 10000],
            [0.1013, 0.3875, 0.6101],
            {"scale": "one", "unit": 10000},
            "does not describe these 3 rows",
        ),
        ([40, 250, 1000], [0.1779, 0.743, 0.8754], {}, "misses them by up to 16.3 percentage points"),
        (
            [10, 20, 40, 80, 160, 320, 640],
            [0.5, 0.5, 0.5, 0.51, 0.9, 0.95, 0.96],
            {},
            "misses them by up to 15.1 percentage points",
        ),
    ],
)
def test_no_curve_is_called_good_where_nothing_says_how_much_accuracies_scatter(amount, accuracy, options, said):
    found = fit(amount, accuracy, **options)
    assert WELL.format(found.n) not in words.status(found)
    assert said in words.status(found)
    copies = fit(amount * 3, accuracy * 3, **options)  # copies of rows are no repeats of a measurement
    assert WELL.format(copies.n) not in words.status(copies)


def test_well_is_earned_by_repeats_or_a_scatter_that_was_given():
    amount = np.repeat(AMOUNTS, 3)
    repeated = fit(amount, noisy(21, amount, noise=0.01))
    assert WELL.format(24) in words.status(repeated)
    assert f"no amount by more than {100 * repeated.miss:.1f} percentage points" in words.status(repeated)
    assert repeated.noise == pytest.approx(0.01, rel=0.5)
    # One amount measured twice says too little.
    assert "cannot be told" in words.status(fit(np.append(AMOUNTS, 10), np.append(noisy(22), 0.31)))
    curve = 0.2 * AMOUNTS**0.2 + 0.03 * np.array([1, -1, 1, -1, -1, 1, -1, 1])
    assert "cannot be told" in words.status(fit(AMOUNTS, curve))
    assert WELL.format(8) in words.status(fit(AMOUNTS, curve, sd=0.03))
    assert "only a rough description" in words.status(fit(AMOUNTS, 0.9 - 2.0 * AMOUNTS**-0.7, sd=0.005))
    assert "too much to rule out a flat curve" in words.status(fit(AMOUNTS[:4], curve[:4], sd=0.2))


@pytest.mark.parametrize("sd", [0.01, np.geomspace(0.002, 0.05, 8)], ids=["one", "each row its own"])
def test_a_true_power_law_is_rarely_said_to_miss_a_scatter_that_is_right(sd):
    rng = np.random.default_rng(13)
    truth = 0.2 * AMOUNTS**0.2
    missed = [Concern.MISSES in concerns(fit(AMOUNTS, truth + rng.normal(0, sd, 8), sd=sd)) for _ in range(300)]
    assert np.mean(missed) < 0.03  # one in a hundred is meant


# Tables


def table(*lines, ending="\n"):
    return ending.join(lines).encode()


GOOD = table("labels,accuracy", "30,0.4", "120,0.6", "480,0.8")


@pytest.mark.parametrize(
    "data",
    [
        GOOD,
        codecs.BOM_UTF8 + GOOD,
        GOOD.decode().encode("utf-16"),
        GOOD.replace(b"\n", b"\r\n"),
        GOOD.replace(b",", b";"),
        GOOD.replace(b",", b"\t"),
        GOOD.replace(b",", b";").replace(b".", b","),
        b"# somebody, somewhere\n\n" + GOOD + b"\n,\n\n",
        table("accuracy,labels", " 0.4 , 30", "0.6,120", "0.8,480"),
        table("labels,accuracy,repeat,point,curve", "30,0.4,1,a,x", "120,0.6,1,b,x", "480,0.8,1,c,x"),
    ],
)
def test_tables_are_read_however_they_are_written(data):
    (curve,) = read_curves(data, "x.csv").values()
    assert curve.name == "x"
    assert curve.resources == ("labels",)
    assert curve.resource.tolist() == [[30], [120], [480]]
    assert curve.accuracy == pytest.approx([0.4, 0.6, 0.8])


def test_several_curves_have_their_own_resources():
    data = table("curve,labels,trees,accuracy", "a,1,,0.1", "b,1,2,0.2", "a,2,,0.3", "b,2,2,0.4")
    curves = read_curves(data, "x.csv")
    assert list(curves) == ["a", "b"]
    assert curves["a"].resources == ("labels",)
    assert curves["a"].accuracy.tolist() == [0.1, 0.3]
    assert curves["b"].resources == ("labels", "trees")


def test_percent_is_converted_when_asked_and_offered_when_not():
    data = table("labels,accuracy", "30,40.5", "120,60", "480,80")
    assert read_curves(data, "x.csv", accuracy="percent")["x"].accuracy == pytest.approx([0.405, 0.6, 0.8])
    with pytest.raises(fs.ProblemError, match=r"x\.csv, row 2, column accuracy: must be a share .* got 40\.5; if "):
        read_curves(data, "x.csv")
    with pytest.raises(fs.ProblemError, match="no accuracy is above 1, so they seem to be shares"):
        read_curves(GOOD, "x.csv", accuracy="percent")
    with pytest.raises(fs.ProblemError, match="must be between 0 and 100 percent, got 101"):
        read_curves(data.replace(b"40.5", b"101"), "x.csv", accuracy="percent")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "x.csv is empty; expected a column accuracy"),
        (b"# only words\n", "x.csv has no rows"),
        (table("labels,accuracy"), "x.csv has column names but no rows"),
        (table("labels,score", "1,0.5"), "row 1: there is no column accuracy among 'labels', 'score'"),
        (table("curve,accuracy", "a,0.5"), "row 1: no column is a resource"),
        (table("labels,labels,accuracy", "1,1,0.5"), "row 1: column 'labels' is there 2 times"),
        (table("labels,,accuracy", "1,1,0.5"), "row 1: the name of column 2 is empty"),
        (table("=labels,accuracy", "1,0.5"), "row 1: the name of column 1, '=labels', looks like a formula"),
        (
            table("labels,accuracy", "1,0.5", "many,0.6"),
            "row 3, column labels: must be a number such as 0.5, got 'many'",
        ),
        (
            table("labels,accuracy", "1,0.5", "=A2*2,0.6"),
            "row 3, column labels: must be a number such as 0.5, got '=A2*2'",
        ),
        (table("labels,accuracy", "1,0.5", '2,"=HYPERLINK(""x"")"'), "row 3, column accuracy: must be a number"),
        (table("labels,accuracy", "1,50%"), "leave out the sign, and say that accuracies are in percent"),
        (table("labels,accuracy", "1_000,0.5"), "row 2, column labels: must be a number such as 0.5, got '1_000'"),
        (table("labels,accuracy", "1,0.5", "2,"), "row 3, column accuracy: is empty"),
        (table("labels,accuracy", "1,0.5", ",0.6"), "row 3, column labels: is empty"),
        (table("labels,accuracy", "1,0.5", "0,0.6"), "row 3, column labels: must be above 0 and finite, got 0"),
        (table("labels,accuracy", "1,0.5", "nan,0.6"), "row 3, column labels: must be above 0 and finite, got nan"),
        (table("labels,accuracy", "1,nan"), "row 2, column accuracy: must be a share between 0 and 1, got nan"),
        (table("labels,accuracy", "1,0.5,7"), "row 2: there are 3 cells, but 2 columns (labels, accuracy)"),
        (table("labels;accuracy", "1,5;0.5"), "row 2, column labels: '1,5' has a comma"),
        (table("labels;accuracy", "60,000;1"), "row 2, column labels: '60,000' is either 60 or 60000; say which mark"),
        (table("labels,accuracy", "1%,0.5"), "row 2, column labels: must be a number such as 0.5, got '1%'; leave out"),
        (table("labels accuracy", "1 0.5"), "separate cells with commas, semicolons or tabs"),
        (table("Labels,Accuracy", "1,0.5"), "(is 'Accuracy' meant to be it?)"),
        (table("labels,accuracy,std", "1,0.5,0.1"), "'std' seems to say how much accuracies scatter"),
        (table("labels,accuracy,sd", "1,0.5,0"), "row 2, column sd: must be above 0 and finite, got 0"),
        (
            table("labels,seed,accuracy", "1,0,0.5"),
            "column seed: must be above 0 and finite, got 0; if this is no reso",
        ),
        (table("labels,accuracy", '"1,0.5'), "look for a stray quotation mark"),
        (table("curve,labels,accuracy", "=x,1,0.5"), "row 2, column curve: '=x' looks like a formula"),
        (table("curve,labels,accuracy", ",1,0.5"), "row 2, column curve: is empty"),
        (table("curve,labels,accuracy", "a,,0.5"), "the rows of 'a' have no amount of any resource"),
        (b"PK\x03\x04rest", "x.csv is a workbook or an archive, not text"),
        (b"labels,accuracy\n\xff,1\n", "row 2: this is not text in UTF-8"),
        (b"labels,accuracy\n1,\x000.5\n", "row 2: this is not text"),
        (b"labels,accuracy\n" + b"1,0.5\n" * 10_001, "there are more than 10,000 rows"),
    ],
)
def test_tables_that_are_not_understood_are_refused(data, message):
    with pytest.raises(fs.ProblemError) as refusal:
        read_curves(data, "x.csv")
    assert message in str(refusal.value)
    assert str(refusal.value).startswith("x.csv")


GROUPED = table("labels;accuracy", "500;30", "1.000;40", "2.000;48", "4.000;57")


def test_thousands_and_decimals_that_look_alike_are_read_as_it_is_said_and_not_at_all_before():
    with pytest.raises(
        fs.ProblemError, match=r"row 3, column labels: '1\.000' is either 1 or 1000; say which"
    ) as refusal:
        read_curves(GROUPED, "x.csv", accuracy="percent")
    assert refusal.value.field == "decimal"
    for decimal, amounts, gamma in (
        ("comma", [500, 1000, 2000, 4000], 0.2908),
        ("point", [500, 1, 2, 4], -0.0609),
    ):
        curve = read_curves(GROUPED, "x.csv", accuracy="percent", decimal=decimal)["x"]
        assert curve.resource.ravel().tolist() == amounts
        assert fit(curve.resource, curve.accuracy).elasticity == pytest.approx([gamma], abs=1e-4)
    evident = table("labels;accuracy", "1.500;0.812", "2.250;0.900")  # all alike, and 0.812 shows the mark
    assert read_curves(evident, "x.csv")["x"].resource.ravel().tolist() == [1.5, 2.25]


def test_column_names_behind_a_hash_are_column_names():
    for data in (b"# by me\n# " + GOOD, b"#" + GOOD.replace(b"\n", b"\n# by me\n", 1)):
        curve = read_curves(data, "x.csv")["x"]
        assert (curve.resources, curve.source) == (("labels",), "by me")
        assert curve.accuracy.tolist() == [0.4, 0.6, 0.8]
    said = read_curves(b"# labels, accuracy\n" + GOOD, "x.csv")["x"]
    assert said.source == "labels, accuracy"
    with pytest.raises(fs.ProblemError, match=r"x\.csv, row 4, column accuracy"):
        read_curves(b"# by me\n# " + GOOD.replace(b"0.6", b"many"), "x.csv")


def test_a_table_is_read_from_its_path_too(tmp_path):
    path = tmp_path / "drones.csv"
    path.write_bytes(GOOD)
    for source in (path, str(path)):
        assert read_curves(source)["drones"].accuracy.tolist() == [0.4, 0.6, 0.8]
    with pytest.raises(FileNotFoundError):
        read_curves("none.csv")
    with pytest.raises(fs.ProblemError, match="the content of a file, not its path"):
        read_curves(GOOD.decode())


def test_what_is_no_accuracy_is_not_called_a_percentage():
    losses, throughputs = ([4.1, 2.3, 1.7], [850, 1600, 3100])
    for values in (losses, throughputs):
        for call in (
            lambda values=values: fit([1, 2, 4], values),
            lambda values=values: read_curves(table("gpus,accuracy", *(f"{i + 1},{v}" for i, v in enumerate(values)))),
        ):
            with pytest.raises(fs.ProblemError, match="a loss or a throughput is no accuracy") as refusal:
                call()
            assert "if accuracies are in percent" not in str(refusal.value)
    with pytest.raises(fs.ProblemError, match=r"got 1\.00041$"):
        fit([1, 2, 4], [0.9, 0.95, 1.00041])
    assert "errors and losses" in fit([1, 2, 4], [0.9, 0.6, 0.4]).notes[0].sentence


def test_a_scatter_of_accuracies_is_no_resource():
    data = table("labels,accuracy,sd", "30,40,1", "120,60,2", "480,80,1")
    curve = read_curves(data, "x.csv", accuracy="percent")["x"]
    assert curve.resources == ("labels",)
    assert curve.sd.tolist() == [0.01, 0.02, 0.01]
    assert read_curves(GOOD, "x.csv")["x"].sd is None


def test_a_unit_that_a_refusal_names_is_accepted():
    amount, accuracy = [0.1, 1234567.891, 3.3], [0.2, 0.9, 0.4]
    with pytest.raises(fs.ProblemError, match="give a larger `unit`") as refusal:
        fit(amount, accuracy, scale="one")
    least = str(refusal.value).partition("larger `unit`, ")[2].partition(" at least")[0]
    assert fit(amount, accuracy, scale="one", unit=float(least)).scale == 1


def test_rows_are_numbered_as_in_the_file():
    data = b"# source\n\n" + GOOD.replace(b"0.6", b"many")
    with pytest.raises(fs.ProblemError, match=r"x\.csv, row 5, column accuracy"):
        read_curves(data, "x.csv")


def test_a_name_of_two_lines_is_one_row_of_a_spreadsheet():
    data = table("repeat,labels,accuracy", '"first\nday",1,0.5', "b,2,many")
    with pytest.raises(fs.ProblemError, match=r"x\.csv, row 3, column accuracy"):
        read_curves(data, "x.csv")


def test_rows_of_blanks_and_old_line_ends_are_read():
    rows = "# source", " ", "labels;accuracy", "30;0,4", " ; ", "120;0,6", "  "
    curve = read_curves("\r".join(rows).encode(), "x.csv")["x"]
    assert (curve.accuracy.tolist(), curve.source) == ([0.4, 0.6], "source")


def test_two_files_may_not_have_a_curve_of_one_name(tmp_path):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_bytes(table("curve,labels,accuracy", "same,1,0.5"))
    with pytest.raises(fs.ProblemError, match=r"b\.csv: there is another curve 'same'"):
        read_folder(tmp_path)


# What is shipped


@pytest.fixture(scope="module")
def shipped():
    return read_folder(ASSETS / "curves")


def test_every_shipped_curve_fits_and_names_its_source(shipped):
    assert len(shipped) == 7
    for curve in shipped.values():
        found = fit(curve.resource, curve.accuracy, resources=curve.resources)
        assert found.usable
        assert found.r_squared > 0.5
        assert curve.source


def test_efficientnet_is_as_published(shipped):
    curve = shipped["EfficientNet on ImageNet"]
    assert curve.points == tuple(f"B{i}" for i in range(8))
    assert curve.resource.ravel().tolist() == [5.3, 7.8, 9.2, 12, 19, 30, 43, 66]
    assert 100 * curve.accuracy == pytest.approx([77.1, 79.1, 80.1, 81.6, 82.9, 83.6, 84.0, 84.3])
    assert fit(curve.resource, curve.accuracy).elasticity[0] < 0.1  # the paper: "γ ≈ 0"


def test_the_harder_task_has_the_higher_elasticity(shipped):
    easy, hard = (
        fit(shipped[name].resource, shipped[name].accuracy)
        for name in ("Digits, logistic regression", "Noisy digits, logistic regression")
    )
    assert easy.interval[0, 1] < hard.interval[0, 0]
