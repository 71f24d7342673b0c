"""The city and its hour: seeds, streams, sharing, costs by hand, policies without learning, real paths."""

import json
from dataclasses import replace

import numpy as np
import pytest

import fairsynergy as fs
from fairsynergy.collaborative import (
    LOCAL,
    MOBILENET,
    PAPER,
    AllLocal,
    BestResponse,
    Edge,
    Neurosurgeon,
    Setting,
    Simulator,
    bisection,
    city_along,
    draw_city,
    draw_map,
    porto_city,
    read_porto,
    rollout,
)

SMALL = Setting(devices=30, slots=20)
WH = 3600.0


@pytest.fixture(scope="module")
def cities():
    return [draw_city(seed) for seed in (500, 501, 502)]


@pytest.fixture(scope="module")
def hours(cities):
    policies = {"local": AllLocal(), "blind": Neurosurgeon(), "aware": Neurosurgeon(load_aware=True)}
    return {name: [rollout(city, policy) for city in cities] for name, policy in policies.items()}


def mean(hours, number):
    return np.mean([number(hour.summary()) for hour in hours])


class Dice:
    """Draws actions, and so many numbers before each that a shared stream would be out of step."""

    def __init__(self, draws):
        self.generator, self.draws = np.random.default_rng(draws), draws

    def act(self, observation):
        self.generator.random(self.draws)
        return self.generator.integers(observation.actions, size=observation.devices)


# The city


def test_a_city_is_its_seed():
    one, same, other = (draw_city(seed, SMALL) for seed in (3, 3, 4))
    for name in ("position", "rate", "battery"):
        assert (getattr(one, name) == getattr(same, name)).all()
        assert (getattr(one, name) != getattr(other, name)).any()
    assert (one.edge == other.edge).all()  # the map is another seed's


def test_each_purpose_has_its_own_stream():
    """Surges redirect trips and change neither batteries nor shadowing; the first places are the same too."""
    surge, steady = (draw_city(3, replace(SMALL, surge=surge)) for surge in (True, False))
    assert (surge.battery == steady.battery).all()
    assert (surge.position[0] == steady.position[0]).all()
    assert (surge.rate[0] == steady.rate[0]).all()
    assert (surge.position[-1] != steady.position[-1]).any()


def test_devices_drive_along_streets_within_the_city(cities):
    setting = cities[0].setting
    for city in cities:
        assert city.position.min() >= 0
        assert city.position.max() <= setting.side
        driven = np.abs(np.diff(city.position, axis=0)).sum(axis=2)
        assert driven.max() <= setting.fastest * setting.slot + 1e-3
        assert 0.3 < (driven > 0).mean() < 0.9  # some stay, some drive
    assert ((cities[0].battery >= 3 * WH) & (cities[0].battery <= 12 * WH)).all()


def test_edges_stand_where_devices_are(cities):
    city = cities[0]
    nearest = np.sqrt(((city.position[..., None, :] - city.edge) ** 2).sum(axis=-1)).min(axis=-1)
    assert 120 < np.median(nearest) < 220
    assert len(np.unique(city.edge, axis=0)) == 11
    assert (np.diff(city.edge[:, 0]) >= 0).all()


@pytest.mark.parametrize("edges", [1, 4, 25, 40])
def test_any_number_of_edges(edges):
    assert len(draw_map(Setting(edges=edges)).edge) == edges


def test_shadowing_is_kept_by_who_stays_and_forgotten_by_who_drives():
    stays = np.full((60, 200, 2), 700.0)
    drives = stays + np.linspace(0, 60, 60)[:, None, None]  # 1.4 m per slot: a correlation of 0.9 from one to the next
    edge, uncapped = np.array([[0.0, 700.0]]), Setting(most_efficient=1e3)
    still = city_along(stays, seed=1, edge=edge).rate
    assert (still == still[0]).all()
    rates = city_along(drives, seed=1, setting=uncapped, edge=edge).rate[..., 0]
    decibels = 10 * np.log10(2 ** (rates / uncapped.bandwidth) - 1)
    shadow = decibels - decibels.mean(axis=1, keepdims=True)  # all devices are at one place
    assert shadow.std() == pytest.approx(4, rel=0.05)
    step = np.hypot(*(drives[1, 0] - drives[0, 0]))
    assert np.corrcoef(shadow[1:].ravel(), shadow[:-1].ravel())[0, 1] == pytest.approx(np.exp(-step / 13), abs=0.02)


@pytest.mark.parametrize("seed", [-1, 0.5, "a"])
def test_a_wrong_seed(seed):
    with pytest.raises(fs.ProblemError, match="`seed` must be a whole number"):
        draw_city(seed, SMALL)


def test_wrong_positions():
    with pytest.raises(fs.ProblemError, match=r"shape \(slots, devices, 2\), got shape \(3, 2\)"):
        city_along(np.zeros((3, 2)), seed=0)
    with pytest.raises(fs.ProblemError, match="too many for 1 different places"):
        city_along(np.zeros((3, 2, 2)), seed=0)


# A slot


def test_a_slot_by_hand():
    """Latency, energy and cost of every device, in scalars, from the constants of the paper and the specification."""
    city = draw_city(9, SMALL)
    simulator = Simulator(city)
    generator = np.random.default_rng(0)
    before = np.full(30, -1)
    battery = city.battery.copy()
    for t in range(3):
        actions = generator.integers(89, size=30)
        actions[:3] = 0
        slot = simulator.step(actions)
        edges = [-1 if a == 0 else (a - 1) // 8 for a in actions]
        for m, a in enumerate(actions):
            cut = 8 if a == 0 else (a - 1) % 8
            x = min(max((battery[m] / WH - 1) / 10, 0), 1)
            f = 0.65 + 0.35 * x**2
            own = 25.68e-3 * MOBILENET.time[:cut].sum() / f
            watts = 0.934 + 1.848 * f**3
            bits = 0 if a == 0 else 720_000 if cut == 0 else 8 * MOBILENET.outputs[cut - 1]
            sending = bits / city.rate[t, m, edges[m]]
            crowd = edges.count(edges[m])
            at_edge = 0 if a == 0 else 18e-3 * MOBILENET.time[cut:].sum() * crowd / 24
            switched = a > 0 and edges[m] != before[m]
            latency, energy = own + sending + at_edge, watts * own + 1.288 * sending
            assert slot.latency[m] == pytest.approx(latency)
            assert slot.energy[m] == pytest.approx(energy)
            assert slot.switched[m] == switched
            assert slot.cost[m] == pytest.approx(0.5 * energy / 0.06024 + latency * 24 + 0.1 * switched)
            battery[m] = max(battery[m] - energy * 24 * 15, 0)
        before = np.array(edges)
        assert slot.load.tolist() == [edges.count(n) for n in range(11)]
        np.testing.assert_allclose(simulator.observe().battery, battery)


@pytest.mark.parametrize("allocator", ["equal", "exact"])
@pytest.mark.parametrize("crowd", [5, 24, 25, 100])
def test_edges_use_all_they_have_even_when_devices_take_turns(allocator, crowd):
    """Also with more devices than multiprocessors."""
    simulator = Simulator(draw_city(2, Setting(devices=100, slots=1)), allocator=allocator)
    actions = np.zeros(100, dtype=int)
    actions[:crowd] = 1 + 3 * 8 + np.arange(crowd) % 8
    slot = simulator.step(actions)
    assert slot.load[3] == crowd
    assert slot.share[:crowd].sum() == pytest.approx(24)
    assert (slot.share[:crowd] > 0).all()
    assert np.isfinite(slot.latency).all()
    np.testing.assert_allclose(slot.cost, slot.fixed + slot.falling / slot.share)
    if allocator == "exact":
        edge = Edge(fixed=slot.fixed[:crowd], falling=slot.falling[:crowd], multiprocessors=24)
        assert slot.cost[:crowd].max() == pytest.approx(bisection(edge).worst)
        assert edge.time_sliced == (crowd > 24)
        np.testing.assert_allclose(slot.share[:crowd] * edge.slices, np.round(slot.share[:crowd] * edge.slices))


def test_a_switch_is_a_connection_to_another_edge():
    simulator = Simulator(draw_city(2, Setting(devices=1, slots=6)))
    switches = [bool(simulator.step([action]).switched[0]) for action in (1, 3, 0, 1, 9, 9)]
    assert switches == [True, False, False, True, True, False]


@pytest.mark.parametrize(
    ("actions", "said"),
    [
        (np.zeros(29, dtype=int), r"30 whole numbers, one per device, got shape \(29,\)"),
        (np.zeros(30), "whole numbers, one per device, got shape .* of float64"),
        (np.array([0] * 7 + [89] + [0] * 22), r"`actions\[7\]` must be from 0 to 88, got 89"),
        (np.array([-1] + [0] * 29), r"`actions\[0\]` must be from 0 to 88, got -1"),
    ],
)
def test_wrong_actions(actions, said):
    with pytest.raises(fs.ProblemError, match=said):
        Simulator(draw_city(0, SMALL)).step(actions)


def test_an_hour_ends():
    simulator = Simulator(draw_city(0, replace(SMALL, slots=1)))
    simulator.step(np.zeros(30, dtype=int))
    assert simulator.over
    assert simulator.observe().local.shape == (30, 28)
    with pytest.raises(fs.ProblemError, match="the hour of 1 slots is over"):
        simulator.step(np.zeros(30, dtype=int))


def test_a_wrong_allocator():
    with pytest.raises(fs.ProblemError, match="`allocator` must be 'equal' or 'exact', got 'fair'"):
        Simulator(draw_city(0, SMALL), allocator="fair")


# What is seen


def test_what_devices_know_by_themselves():
    city = draw_city(5, SMALL)
    simulator = Simulator(city)
    first = simulator.observe().local
    assert first.shape == (30, 28)
    assert first.dtype == np.float32
    assert (first[:, 11] == 1).all()  # nobody had an edge
    slot = simulator.step(np.where(np.arange(30) < 10, 1 + 4 * 8 + 2, 0))
    seen = simulator.observe().local
    np.testing.assert_allclose(seen[:, :11], np.log1p(city.rate[1] / 1e6) / 4, rtol=1e-6)
    np.testing.assert_array_equal(seen[:, 11:23].argmax(axis=1), np.where(np.arange(30) < 10, 5, 0))
    assert (seen[:, 11:23].sum(axis=1) == 1).all()
    battery = city.battery - slot.energy * 24 * 15
    np.testing.assert_allclose(seen[:, 24], battery / (12 * WH), rtol=1e-6)
    np.testing.assert_allclose(seen[:10, 25], np.log(24 / 10) / 3, rtol=1e-6)
    np.testing.assert_allclose(seen[:, 26], slot.latency * 24, rtol=1e-6)
    np.testing.assert_allclose(seen[:, 27], np.where(np.arange(30) < 10, 2 / 8, 1))


def test_what_edges_and_neighbours_tell():
    city = draw_city(5, SMALL)
    simulator = Simulator(city)
    actions = np.random.default_rng(1).integers(89, size=30)
    simulator.step(actions)
    seen = simulator.observe()
    counts = np.bincount(actions, minlength=89)[1:].reshape(11, 8) / 24
    competitors = seen.competitors.reshape(30, 11, 8)
    far = np.hypot(*np.moveaxis(city.position[1][:, None] - city.edge, -1, 0)) > 500
    assert far.any()
    assert not far.all()
    np.testing.assert_allclose(competitors, np.where(far[..., None], 0, counts), rtol=1e-6)
    for m in range(30):
        near = np.hypot(*(city.position[1] - city.position[1][m]).T) <= 200
        near[m] = False
        mean = np.bincount(actions[near], minlength=89) / max(near.sum(), 1)
        np.testing.assert_allclose(seen.neighbours[m], mean, rtol=1e-6)
    np.testing.assert_array_equal(seen.last, actions)


def test_valid_actions_meet_the_deadline_on_a_whole_edge():
    city = draw_city(5)
    valid = Simulator(city).observe().valid
    assert valid[:, 0].all()
    assert 15 < valid.sum(axis=1).mean() < 45
    done = np.append(0, MOBILENET.time.cumsum())[:8]
    bits = np.append(720_000, 8 * MOBILENET.outputs[:7])
    ratio = 0.65 + 0.35 * np.clip((city.battery / WH - 1) / 10, 0, 1) ** 2
    own = 25.68e-3 * done / ratio[:, None]
    latency = own[:, None] + bits / city.rate[0].astype(float)[..., None] + 18e-3 * (1 - done) / 24
    np.testing.assert_array_equal(valid[:, 1:], latency.reshape(240, 88) <= 1 / 24)


def test_costs_are_what_a_slot_will_cost():
    """Before the second slot, where it matters which edge a device had; invalid actions cost infinity."""
    city = draw_city(8, Setting(devices=4, slots=2))
    before = np.array([0, 3, 20, 60])

    def second():
        simulator = Simulator(city)
        simulator.step(before)
        return simulator

    seen = second().observe()
    costs = seen.costs(24)
    assert (np.isinf(costs) == ~seen.valid).all()
    for device in range(4):
        for action in np.flatnonzero(seen.valid[device]):
            actions = np.zeros(4, dtype=int)
            actions[device] = action
            assert costs[device, action] == pytest.approx(second().step(actions).cost[device])


# Policies


def test_local_processing_is_that_of_the_papers_table(hours):
    local = hours["local"]
    assert mean(local, lambda s: s.latency.mean) == pytest.approx(34.20e-3, rel=0.05)
    assert mean(local, lambda s: s.latency.worst) == pytest.approx(39.51e-3, rel=0.05)
    assert mean(local, lambda s: s.energy.mean) == pytest.approx(60.24e-3, rel=0.05)
    assert mean(local, lambda s: s.energy.worst) == pytest.approx(71.44e-3, rel=0.05)
    rewards = [hour.summary(PAPER).cost for hour in local]
    assert np.mean([cost.mean for cost in rewards]) == pytest.approx(1.248, rel=0.05)
    assert np.mean([cost.worst for cost in rewards]) == pytest.approx(1.417, rel=0.05)
    assert mean(local, lambda s: s.local) == 1
    assert mean(local, lambda s: s.late) == mean(local, lambda s: s.switches) == 0


@pytest.mark.parametrize("policy", [Neurosurgeon(), Neurosurgeon(load_aware=True), BestResponse(), AllLocal()])
def test_an_hour_is_its_seed_and_its_policy(policy):
    one, same = (rollout(draw_city(8, SMALL), policy) for _ in range(2))
    for name in ("edge", "cut", "share", "latency", "energy", "switched", "load"):
        assert (getattr(one, name) == getattr(same, name)).all()


def test_policies_meet_the_same_hour():
    """Whatever ran before on the city, and however many numbers it drew."""
    city = draw_city(8, SMALL)
    rate, position, battery = city.rate.copy(), city.position.copy(), city.battery.copy()
    before = rollout(city, Neurosurgeon())
    rollout(city, Dice(draws=1))
    rollout(city, Dice(draws=1000))
    after = rollout(city, Neurosurgeon())
    assert (before.latency == after.latency).all()
    for name, was in (("rate", rate), ("position", position), ("battery", battery)):
        assert (getattr(city, name) == was).all()


def test_neurosurgeon_takes_the_cheapest_by_what_it_knows():
    simulator = Simulator(draw_city(8, SMALL))
    simulator.step(np.arange(30) % 30)  # cuts of four edges, 8 devices on the first three
    seen = simulator.observe()
    assert seen.load.max() == 8
    assert (Neurosurgeon().act(seen) == seen.costs(24).argmin(axis=1)).all()
    crowded = seen.costs([24 / max(load, 1) for load in seen.load])
    assert (Neurosurgeon(load_aware=True).act(seen) == crowded.argmin(axis=1)).all()


@pytest.mark.parametrize("seed", range(8))
def test_best_responses_are_answers_to_each_other(seed):
    """The last to choose pays least, given all others, in a slot where many have an edge already."""
    city = draw_city(seed, Setting(devices=12, slots=2, edges=3, multiprocessors=3))
    first = BestResponse().act(Simulator(city).observe())

    def second():
        simulator = Simulator(city)
        simulator.step(first)
        return simulator

    seen = second().observe()
    chosen = BestResponse().act(seen)
    assert seen.valid[np.arange(12), chosen].all()
    costs = []
    for action in np.flatnonzero(seen.valid[11]):
        actions = chosen.copy()
        actions[11] = action
        costs.append((second().step(actions).cost[11], action))
    assert min(costs)[1] == chosen[11]


def test_chasing_the_last_load_switches_more(hours):
    """All move at once to what was empty, which then is not."""
    for blind, aware in zip(hours["blind"], hours["aware"], strict=True):
        assert aware.summary().switches > 1.5 * blind.summary().switches


def test_an_eye_for_each_other_pays(cities, hours):
    best = rollout(cities[0], BestResponse()).summary()
    blind = hours["blind"][0].summary()
    assert best.cost.mean < 0.95 * blind.cost.mean
    assert best.cost.worst < 0.9 * blind.cost.worst
    assert best.late < 0.05 < blind.late
    assert best.unevenness < blind.unevenness


def test_surges_cost_the_load_blind(hours):
    steady = rollout(draw_city(500, Setting(surge=False)), Neurosurgeon()).summary()
    surge = hours["blind"][0].summary()
    assert surge.latency.worst > 1.2 * steady.latency.worst
    assert steady.cost.mean == pytest.approx(0.977, rel=0.05)  # measured with an earlier prototype of the same model


def test_the_summary_is_what_it_says(hours):
    hour = hours["blind"][1]
    summary = hour.summary()
    means = hour.latency.sum(axis=0) / 240
    assert summary.latency == pytest.approx((means.mean(), means.max()))
    assert summary.switches == pytest.approx(hour.switched.sum() / 240)  # an hour, 240 devices
    assert hour.slot_switches.sum() == hour.switched.sum()
    assert summary.late == pytest.approx(sum(latency > 1 / 24 for latency in hour.latency.ravel()) / hour.latency.size)
    assert summary.local == pytest.approx((hour.edge == LOCAL).sum() / hour.edge.size)
    assert summary.slot_latency == pytest.approx(np.mean([slot.max() for slot in hour.latency]))
    assert summary.slot_latency > summary.latency.worst
    assert summary.unevenness == pytest.approx(np.mean([np.std(load) / np.mean(load) for load in hour.load]))
    assert summary.time_sliced == pytest.approx((hour.load > 24).mean())
    assert 0.1 < summary.time_sliced < 0.5
    cost = 24 * hour.latency + 0.5 / 0.06024 * hour.energy + 0.1 * hour.switched
    np.testing.assert_allclose(hour.device_cost(), cost.mean(axis=0))


# Real paths

HEADER = '"TRIP_ID","CALL_TYPE","ORIGIN_CALL","ORIGIN_STAND","TAXI_ID","TIMESTAMP","DAY_TYPE","MISSING_DATA","POLYLINE"'
EAST = 83_829.0  # m per degree of longitude in Porto


def trip(taxi, start, points, missing="False"):
    return f'"{start}{taxi}","C","","","{taxi}","{start}","A","{missing}","{json.dumps(points)}"'


def line(east, north, points):
    """A trip of so many points at 15 s and 90 m from one to the next, from metres east and north of the middle."""
    return [[-8.6109 + (east + 90 * i) / EAST, 41.1496 + north / 111_320] for i in range(points)]


def test_taxis_are_put_together_from_their_trips():
    rows = [
        HEADER,
        trip("20000589", 2000, line(200, 0, 3)),  # later, first in the file
        trip("20000589", 1000, line(-100, 0, 2)),
        trip("20000589", 1500, line(0, 0, 9), missing="True"),
        trip("20000320", 1000, []),
        trip("20000320", 1200, line(600, 100, 5)),  # leaves the square after 790 m
        trip("20000320", 1300, line(5000, 0, 4)),
    ]
    paths = read_porto(rows, "train.csv")
    assert set(paths) == {"20000589", "20000320"}
    middle = 1581 / 2
    # A straight drive of 210 m at 90 m per slot joins the two trips.
    np.testing.assert_allclose(paths["20000589"][:, 0] - middle, [-100, -10, 60, 130, 200, 290, 380], atol=0.5)
    np.testing.assert_allclose(paths["20000589"][:, 1] - middle, 0, atol=0.5)
    np.testing.assert_allclose(paths["20000320"] - middle, [[600, 100], [690, 100], [780, 100]], atol=0.5)
    assert list(read_porto(rows, "train.csv", most=2)) == ["20000589"]
    halved = read_porto(rows, "train.csv", setting=Setting(slot=7.5))["20000320"]
    np.testing.assert_allclose(halved[:, 0] - middle, [600, 645, 690, 735, 780], atol=0.5)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (trip("1", 5, []).replace("[]", "[[-8.6,41.1],[-8.6"), "POLYLINE must be pairs [[longitude, latitude], ...]"),
        (trip("1", 5, [[-8.6], [-8.6, 41.1]]), "POLYLINE must be pairs"),
        (trip("1", 5, [[-8.6, 41.1, 3]]), "POLYLINE must be pairs"),
        (trip("1", 5, {"a": 1}), "POLYLINE must be pairs"),
        (trip("1", 5, [[True, False]]), "POLYLINE must be pairs"),
        (trip("1", 5, 7), "POLYLINE must be pairs"),
        (trip("1", 5, [[10**400, 41.1]]), "POLYLINE must be pairs"),
        (trip("1", 5, []).replace("[]", "[" * 100_000), "POLYLINE must be pairs"),
        (trip("1", 5, [[-8.6, float("nan")]]), "POLYLINE leaves the globe"),
        (trip("1", 5, [[41.1, -98.6]]), "POLYLINE leaves the globe"),
        (trip("1", "soon", []), "TIMESTAMP must be whole seconds, got 'soon'"),
        (trip("1", 5, [], missing="maybe"), "MISSING_DATA must be True or False, got 'maybe'"),
        ('"1","C"', "has 2 cells, and the first row 9"),
        ('"' + "a" * 200_000 + '"', "is not text in a table"),
    ],
)
def test_a_broken_trip_is_named_by_its_row(row, said):
    rows = [HEADER, trip("1", 1, line(0, 0, 3)), trip("1", 2, line(0, 0, 3)), row, trip("1", 9, line(0, 0, 3))]
    with pytest.raises(fs.ProblemError) as error:
        read_porto(rows, "train.csv")
    assert str(error.value).startswith("train.csv, row 4: ")
    assert said in str(error.value)
    assert error.value.index == (4,)
    assert len(str(error.value)) < 200


def test_another_file_is_refused():
    with pytest.raises(fs.ProblemError, match="no column TAXI_ID, TIMESTAMP, MISSING_DATA, POLYLINE among 'a, b'"):
        read_porto(["a,b", "1,2"], "other.csv")
    with pytest.raises(fs.ProblemError, match="no column TAXI_ID"):
        read_porto([], "empty.csv")


def test_an_hour_along_real_paths(tmp_path):
    generator = np.random.default_rng(0)
    rows = [HEADER]
    for taxi in range(4):
        east, north = generator.uniform(-700, 0, 2)
        rows += [trip(taxi, 1000 * i, line(east + 10 * i, north + 150 * i, 7)) for i in range(5)]
    file = tmp_path / "train.csv"
    file.write_text("\n".join(rows) + "\n", encoding="utf-8")
    setting = Setting(devices=20, slots=12, edges=3)
    with file.open(encoding="utf-8", newline="") as lines:
        paths = read_porto(lines, file.name, setting=setting)
    city = porto_city(paths, 1, setting)
    assert city.position.shape == (12, 20, 2)
    assert city.edge.shape == (3, 2)
    assert (city.position == porto_city(paths, 1, setting).position).all()
    known = np.concatenate(list(paths.values())).astype(np.float32)
    assert {tuple(place) for place in city.position.reshape(-1, 2).tolist()} <= {
        tuple(place) for place in known.tolist()
    }
    hour = rollout(city, Neurosurgeon())
    assert hour.load.shape == (12, 3)
    with pytest.raises(fs.ProblemError, match="the paths hold 0 stretches of 240 points, and there are 240 devices"):
        porto_city(paths, 1)
