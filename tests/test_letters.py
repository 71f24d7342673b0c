"""What an address holds: a fleet's file comes back from its letters as it was, and what is no such thing is refused."""

import json

import numpy as np
import pytest

from fairsynergy.errors import ProblemError
from fairsynergy.fleets import PRESETS, read_file, write_json
from fairsynergy.fleets.links import LARGEST, VERSION, file_from_letters, file_to_letters, packed, unpacked

FILES = {
    "bare.csv": b"compute,gamma_compute,floor_compute,ceiling_compute\n0.1,0.3,,\n0.2,0.6,0.1,0.5\n",
    "other resources.csv": b"agent,gpu,gamma_gpu,images,gamma_images,weight\na,1,.5,2,.4,\nb,3,.5,4,.3,2\n",
    "names.csv": "agent,compute,gamma_compute\n'=1+1,0.1,0.3\nÄrger & “Zorn”,0.2,0.6\n".encode(),
    "whole.json": write_json(PRESETS["Warehouse"].problem).encode(),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_comes_back_from_its_letters_as_it_was(name):
    file = read_file(FILES[name], name=name)
    again = file_from_letters(file_to_letters(file))
    for part in ("name", "resources", "agents", "capacity", "n"):
        assert getattr(again, part) == getattr(file, part)
    assert list(again.columns) == list(file.columns)
    for column, values in file.columns.items():
        assert (again.columns[column] == values).all()


def test_a_hundred_agents_of_a_table_as_people_write_it_fit_a_mail():
    rng = np.random.default_rng(0)
    rows = "".join(f"robot {i},{rng.random():.3f},{rng.uniform(0.1, 0.9):.2f}\n" for i in range(100))
    assert len(file_to_letters(read_file(f"agent,compute,gamma_compute\n{rows}".encode()))) < 1000


def letters(**changes):
    document = {"version": VERSION, "name": "a.csv", "columns": {"compute": [0.1, 0.2], "gamma_compute": [0.5, 0.5]}}
    return packed(document | changes)


SPOILT = {
    "nothing": ("", "may have been cut"),
    "garbage": ("![x](http://e.org)", "may have been cut"),
    "cut": (letters()[:-3], "may have been cut"),
    "a list": (packed([1]), "may have been cut"),
    "no version": (packed({"name": "a"}), "may have been cut"),
    "newer": (letters(version=99), "newer fairsynergy"),
    "no name": (letters(name=7), "may have been cut"),
    "no columns": (letters(columns={}), "may have been cut"),
    "no lists": (letters(columns={"compute": 1}), "may have been cut"),
    "of two lengths": (letters(columns={"compute": [1], "gamma_compute": []}), "may have been cut"),
    "fewer names": (letters(agents=["a"]), "may have been cut"),
    "names of no kind": (letters(agents={"a": 1}), "may have been cut"),
    "no rows": (letters(columns={"compute": [], "gamma_compute": []}), "a.csv"),
    "texts": (letters(columns={"compute": ["a", "b"], "gamma_compute": [0.5, 0.5]}), "a.csv"),
    "a cloud of no kind": (letters(capacity=[1]), "a.csv"),
    "an unknown column": (letters(columns={"compute": [1], "colour": [1]}), "a.csv"),
}


@pytest.mark.parametrize(("text", "words"), SPOILT.values(), ids=SPOILT)
def test_letters_that_are_no_file_are_refused_in_one_line(text, words):
    with pytest.raises(ProblemError) as caught:
        file_from_letters(text)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_letters_cut_anywhere_are_none():
    whole = letters()
    assert unpacked(whole) is not None
    assert all(unpacked(whole[:length]) is None for length in range(len(whole) - 1))


def test_few_letters_do_not_fill_the_memory():
    bomb = packed("a" * (LARGEST + 10))
    assert len(bomb) < 5000
    assert unpacked(bomb) is None
    assert unpacked(packed("a" * 1000)) == "a" * 1000
    assert json.dumps(unpacked(packed({"ä": [1, 2.5]})), ensure_ascii=False) == '{"ä": [1, 2.5]}'
