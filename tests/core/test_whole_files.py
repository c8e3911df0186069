"""A file that is there whole or not at all."""

import os

import pytest

from hftlib.core.errors import HostError
from hftlib.core.whole_files import write_whole


def test_it_takes_the_place_of_what_was_there_and_leaves_nothing_beside(tmp_path):
    place = tmp_path / "one.toml"
    place.write_bytes(b"before")
    with place.open("rb") as reader:
        write_whole(place, b"after", "It cannot be written", do="Free space.")
        assert reader.read() == b"before", "who reads it meanwhile reads all of what was there"
    assert place.read_bytes() == b"after" and os.listdir(tmp_path) == ["one.toml"]


def test_a_folder_is_made_where_that_is_meant(tmp_path):
    place = tmp_path / "a" / "b" / "one.py"
    with pytest.raises(HostError, match=r"cannot be written: No such file.*Name another"):
        write_whole(place, b"x", "It cannot be written", do="Name another.")
    assert os.listdir(tmp_path) == []
    write_whole(place, b"x", "It cannot be written", do="Name another.", with_folder=True)
    assert place.read_bytes() == b"x"


def test_where_it_cannot_be_there_is_a_sentence_and_nothing_is_left(tmp_path):
    taken = tmp_path / "taken"
    (taken / "inside").mkdir(parents=True)
    with pytest.raises(HostError, match=r"cannot be written: Is a directory") as caught:
        write_whole(taken, b"x", "It cannot be written", do="Name another.")
    assert caught.value.where == str(taken) and os.listdir(tmp_path) == ["taken"]
