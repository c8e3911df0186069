"""What a host has launched: no way back by accident, and no name that means two things."""

from __future__ import annotations

import json

import pytest
from small_release import FILES, made

from hftlib.core.errors import HftError
from hftlib.core.release.record import launching, record_place

NONE = {"parameters": {}}


@pytest.fixture
def launched(tmp_path):
    place = tmp_path / "state" / "releases.json"
    count = iter(range(1_000))

    def launch(serial, older="", **changes):
        release = made(tmp_path / str(next(count)), serial=serial, **changes)
        with launching(place, release, older):
            pass

    launch.place = place
    return launch


def refusal(call, *values, **named):
    with pytest.raises(HftError) as caught:
        call(*values, **named)
    return str(caught.value)


def test_an_older_release_is_refused_until_somebody_says_why(launched):
    launched(7)
    launched(7)  # the runners of a group, one after the other
    launched(9)
    assert "Serial 9 of maker was launched here, this is 8" in refusal(launched, 8)
    launched(8, older="9 loses money")
    assert "Serial 9" in refusal(launched, 8), "each time it is asked again"
    launched(1, name="other")


def test_two_releases_of_one_serial_are_refused(launched):
    launched(7)
    more = {**FILES, "evidence/more.txt": b""}
    assert "Another maker of the serial 7" in refusal(launched, 7, files=more)


def test_a_name_that_was_gone_may_not_come_back(launched):
    launched(1, declared={"peg": "bool", "clip": "int"}, **NONE)
    launched(2, declared={"clip": "int"}, **NONE)
    again = refusal(launched, 3, declared={"peg": "bool", "clip": "int"}, **NONE)
    assert "'peg' of maker was gone and is back" in again
    launched(3, declared={"clip": "int", "power": "bool"}, **NONE)
    assert "'peg'" in refusal(launched, 4, declared={"peg": "int"}, **NONE), "nor ever after"


def test_a_name_that_means_another_thing_is_refused(launched):
    launched(1, declared={"clip": "int: lots"}, **NONE)
    other = refusal(launched, 2, declared={"clip": "float: share"}, **NONE)
    assert "was int: lots, is float: share" in other


def test_what_a_release_says_is_gone_stays_gone(launched):
    launched(1, declared={"clip": "int"}, retired=["peg"], **NONE)
    assert "was gone" in refusal(launched, 2, declared={"peg": "int", "clip": "int"}, **NONE)


def test_a_launch_that_comes_to_nothing_is_not_noted(launched, tmp_path):
    with (
        pytest.raises(HftError),
        launching(launched.place, made(tmp_path / "new", serial=50), ""),
    ):
        raise HftError("no", where="here", do="wait")
    launched(7)


def test_a_damaged_record_refuses_every_launch(launched):
    launched(7)
    good = launched.place.read_text()
    for text in ("", "{", "[]", good[:-3], good.replace("7", "true"), '{"maker": 1}', "[" * 99_999):
        launched.place.write_text(text)
        assert "damaged" in refusal(launched, 9)
    launched.place.write_text(json.dumps({}) + "\n")
    launched(9)
    launched.place.parent.chmod(0o700)
    launched.place.unlink()
    launched.place.mkdir()
    refusal(launched, 10)


def test_where_the_record_is(monkeypatch, tmp_path):
    monkeypatch.setenv("HFT_RELEASES", str(tmp_path / "here.json"))
    assert record_place() == tmp_path / "here.json"
    monkeypatch.delenv("HFT_RELEASES")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert record_place() == tmp_path / "hftlib" / "releases.json"
