"""Hostile files and links: read, or refused with one message; `python tests/monkey.py` tries 10,000."""

import resource

import hostile
import pytest

from fairsynergy.collaborative import read_porto
from fairsynergy.curves import read_curves
from fairsynergy.errors import ProblemError
from fairsynergy.fleets import FleetSpec, read_file
from fairsynergy.fleets.tables import LONGEST_NAME
from fairsynergy.fleets.tray import read_tray

READERS = sorted(hostile.readers())
MEGABYTE = 2**20


@pytest.mark.parametrize("name", READERS)
def test_valid_input_is_read(name):
    reader = hostile.readers()[name]
    for data in reader.valid:
        assert hostile.attempt(name, reader, data, "fleet", "valid input").read


@pytest.mark.parametrize("name", READERS)
def test_hostile_input_is_read_or_refused_with_one_message(name):
    tried = list(hostile.tries(200, seed=0, only=name))
    assert {each.read for each in tried} == {True, False}, "mutations break some inputs and spare some"


def test_the_same_seed_tries_the_same():
    assert [each.data for each in hostile.tries(20, 7)] == [each.data for each in hostile.tries(20, 7)]


HOSTILE = {
    "a row of 100,000 columns": b",".join(b"c%d,gamma_c%d" % (i, i) for i in range(50_000)) + b"\n" + b"1," * 99_999,
    "a row of 100,000 cells": b"compute,gamma_compute\n" + b"0.1," * 100_000,
    "a cell of a megabyte": b"compute,gamma_compute\n0.1," + b"9" * MEGABYTE,
    "a quotation mark without an end": b'compute,gamma_compute\n"' + b"0.1,0.5\n" * 100_000,
    "nested 200,000 deep": b'{"agents": [' + b"[" * hostile.DEEP,
    "a number of 5,000 digits": b'{"capacity": {"compute": ' + b"1" * 5000 + b'}, "agents": [{"compute": 1}]}',
    "a workbook": b"PK\x03\x04" + bytes(1000),
}


@pytest.mark.parametrize("read", [read_file, read_curves, read_tray], ids=lambda read: read.__name__)
@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_what_has_no_end_is_refused_in_a_short_message(read, data):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ProblemError) as refusal:
        read(data, name="fleet.csv")
    assert len(str(refusal.value)) < 1000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024  # kilobytes


def test_a_time_of_thousands_of_digits_is_no_time():
    lines = ["TAXI_ID,TIMESTAMP,MISSING_DATA,POLYLINE\n", f'A,{"1" * 5000},False,"[[-8.6109,41.1496]]"\n']
    with pytest.raises(ProblemError, match="row 2: TIMESTAMP must be whole seconds"):
        read_porto(lines, "porto.csv")


@pytest.mark.parametrize("field", ["local_compute", "capacity_labels", "spread", "saturation"])
def test_a_whole_number_of_hundreds_of_digits_draws_no_fleet(field):
    with pytest.raises(ProblemError, match=f"`{field}` must be") as refusal:
        FleetSpec(**{field: 10**400})
    assert len(str(refusal.value)) < 300


def test_an_agent_has_a_name_and_not_a_book():
    rows = b"agent,compute,gamma_compute\n%s,0.1,0.5\n"
    assert read_file(rows % (b"a" * LONGEST_NAME)).agents == ("a" * LONGEST_NAME,)
    with pytest.raises(ProblemError, match="row 2, column agent: has 201 characters, and a name at most 200"):
        read_file(rows % (b"a" * (LONGEST_NAME + 1)))
