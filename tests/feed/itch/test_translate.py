"""The translator: a wrong time misplaces nothing, and the day's phases are the venue's own."""

from __future__ import annotations

import numpy as np
import pytest

from hftlib.core import events
from hftlib.core.events import EVENT
from hftlib.core.times import to_ns
from hftlib.feed.itch.messages import build
from hftlib.feed.itch.translate import Translator

DATE = "2026-01-05"
MIDNIGHT = to_ns(f"{DATE}T00:00:00", zone="America/New_York")
DAY_NS = 86_400 * 10**9


def told(*messages: bytes) -> tuple[np.ndarray, Translator]:
    data = np.frombuffer(b"".join(len(m).to_bytes(2) + m for m in messages), np.uint8)
    translator, into = Translator(date=DATE), np.zeros(len(messages), EVENT)
    taken, made = translator.frames(data.ctypes.data, len(data), into)
    assert (taken, made) == (len(data), len(messages))
    return into, translator


def add(timestamp: int, reference: int = 1) -> bytes:
    fields = {"locate": 7, "timestamp": timestamp, "reference": reference, "side": "B"}
    return bytes(build("A", **fields, shares=100, stock="AAA", price=10_000))


@pytest.mark.modes
@pytest.mark.parametrize("timestamp", [DAY_NS, 2**48 - 1])
def test_a_time_beyond_the_day_is_refused_and_stands_at_the_last_good_one(timestamp):
    good, wrong, after = told(add(500), add(timestamp, 2), add(600, 3))[0]
    assert wrong["kind"] == events.UNREADABLE and wrong["reference"] == events.WRONG_TIME
    assert [int(one["time"]) - MIDNIGHT for one in (good, wrong, after)] == [500, 500, 600]
    assert after["kind"] == events.ADD


@pytest.mark.modes
def test_the_last_moment_of_the_day_is_a_time():
    (one,) = told(add(DAY_NS - 1))[0]
    assert one["kind"] == events.ADD and one["time"] == MIDNIGHT + DAY_NS - 1


@pytest.mark.modes
def test_garbage_stands_at_the_last_good_time_and_concerns_everybody():
    unknown = b"z" + add(500)[1:5] + b"\xff" * 6
    _good, wrong, short = told(add(500), unknown, add(700)[:30])[0]
    for one, why in ((wrong, events.UNKNOWN_TYPE), (short, events.WRONG_LENGTH)):
        assert (one["kind"], one["reference"]) == (events.UNREADABLE, why)
        assert one["time"] == MIDNIGHT + 500 and one["instrument"] == events.ALL


def test_phases_are_what_the_venue_said():
    hours = {"O": 3, "S": 4, "Q": 9, "M": 16, "E": 20, "C": 21}
    said = [bytes(build("S", timestamp=h * 10**9, event=code)) for code, h in hours.items()]
    _events, translator = told(*said, add(30 * 10**9))
    phases = translator.instruments.phases
    assert [bytes(name).decode() for name in phases["name"]] == [
        "closed",
        "pre-open",
        "continuous",
        "after hours",
        "closed",
    ]
    begins = (phases["begin"] - MIDNIGHT) // 10**9
    assert begins.tolist() == [3, 4, 9, 16, 20] and len(told(add(1))[1].instruments.phases) == 0
