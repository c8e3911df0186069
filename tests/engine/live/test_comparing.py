"""The compiled comparison against the slow one, on journals of a runner that says what it is told.

Its `take` is a few lines: each byte that comes in makes some link or feed say something. So days of
three links and two feeds can be made by chance, spoilt in every way, and replayed in no time.
"""

import random
from types import SimpleNamespace

import numpy as np
import pytest
from replay_twin import outcome, slow_replay, written

from hftlib.core import jit
from hftlib.core.journal import kinds
from hftlib.core.journal.reading import Frame
from hftlib.engine.live import memory as m
from hftlib.engine.live import replaying, way
from hftlib.engine.live.laying import Live
from hftlib.engine.live.memory import feed_of, link_of, live_at

LINKS, FEEDS, ROOM = 3, 2, 1 << 12
STOPS = 7  # a TIMER of this source is one fault too many
SAID = {"what": "runner"}


@jit.compiled("int64(int64, int64, int64, int64, int64, int64)")
def stub_take(live, kind, source, time, address, length):
    header = live_at(live)
    header.frames += 1
    for n in range(length):
        told = jit.load_u8(address + n)
        who, count = told % 7, 1 + told // 16
        if who < LINKS:
            link = link_of(live, who)
            for k in range(count):
                letter = (header.frames * 31 + n * 7 + k + kind + source + time) & 0xFF
                jit.store_u8(live + link.out_at + link.out_bytes + k, letter)
            link.out_bytes += count
        elif who < LINKS + FEEDS:
            feed = feed_of(live, who - LINKS)
            feed.request_bytes = 4 + count
            for k in range(4 + count):
                feed.request[k] = (header.frames + n + k) & 0xFF
    if kind == kinds.TIMER and source == STOPS:
        header.fault = m.OUT_FULL
    return header.fault


class Stub(Live):
    """The memory that the comparison looks at, and nothing behind it."""

    def __init__(self, _about=None):
        self._feeds, self._links = [None] * FEEDS, [None] * LINKS
        feeds_at = m.LIVE.itemsize
        links_at = feeds_at + FEEDS * m.FEED_BYTES
        out_at = links_at + LINKS * m.LINK_BYTES
        self._memory = np.zeros((out_at + LINKS * ROOM) // 8, np.int64).view(np.uint8)
        self.address = int(self._memory.ctypes.data)
        header = self.header
        header["feeds"], header["links"] = FEEDS, LINKS
        header["out_kind"] = kinds.SESSION_OUT
        header["feeds_at"], header["links_at"] = feeds_at, links_at
        self.links["out_at"] = out_at + ROOM * np.arange(LINKS)

    def take(self, kind, source, time, payload):
        data = np.frombuffer(payload or b"\0", np.uint8)
        return int(stub_take(self.address, kind, source, time, data.ctypes.data, len(payload)))

    @property
    def session(self):
        return SimpleNamespace(arena={"session": {"events": [int(self.header["frames"])]}})


@pytest.fixture(autouse=True)
def _stub(monkeypatch):
    monkeypatch.setattr(way, "take", stub_take)


def a_day(chance, count):
    """Frames of a runner that did its work, as a driver journals them."""
    live, day = Stub(), []
    for n in range(count):
        kind = chance.choice(sorted(replaying.TAKEN))
        wanted = chance.choice((0, 0, 1, 1, 2, 5, 40))
        came = Frame(0, n, kind, chance.randrange(6), chance.randbytes(wanted))
        day.append(came)
        assert live.take(*came[2:4], came.time, came.payload) == 0
        day += [Frame(0, n, *said) for said in live.outputs()]
        if chance.random() < 0.1:
            day.append(Frame(0, n, chance.choice((kinds.NOTE, kinds.CONTROL)), 0, b"by the way"))
    return day


def outs(day):
    return [n for n, one in enumerate(day) if one.kind in replaying.COMPARED]


def spoilt(chance, day, how):
    """A day with one thing wrong in it."""
    day = list(day)
    n = chance.choice(outs(day))
    one = day[n]
    at = chance.randrange(len(one.payload))
    other = bytes([one.payload[at] ^ 1 << chance.randrange(8)])
    turned = {kinds.SESSION_OUT: kinds.DATAGRAM_OUT, kinds.DATAGRAM_OUT: kinds.SESSION_OUT}
    stop = Frame(0, one.time, kinds.TIMER, STOPS, chance.choice((b"", b"\0\3")))
    into = {
        "as it was": [one],
        "a byte": [one._replace(payload=one.payload[:at] + other + one.payload[at + 1 :])],
        "a source": [one._replace(source=one.source + 1)],
        "a kind": [one._replace(kind=turned[one.kind])],
        "shorter": [one._replace(payload=one.payload[:-1])],
        "longer": [one._replace(payload=one.payload + b"\0")],
        "removed": [],
        "twice": [one, one],
        "closed": [Frame(0, one.time, kinds.CLOSED, 0, b"{}"), one],
        "closed for a reason": [Frame(0, one.time, kinds.CLOSED, 0, b'{"why": "full"}'), one],
        "stopped": [one, stop],
        "stopped in between": [stop, one],
    }
    if how in into:
        day[n : n + 1] = into[how]
    elif how == "swapped":
        later = min(n + 1, len(day) - 1)
        day[n], day[later] = day[later], day[n]
    elif how == "an input removed":
        came = chance.choice([n for n in range(len(day)) if n not in outs(day)])
        del day[came]
    elif how == "cut":
        day = day[: chance.randrange(1, len(day))]
    return day


HOWS = (
    "as it was", "a byte", "a source", "a kind", "shorter", "longer", "removed", "twice", "closed",
    "closed for a reason", "stopped", "stopped in between", "swapped", "an input removed", "cut",
)  # fmt: skip
ENDS = (None, {}, {"why": ""}, {"why": "no room"})


@pytest.mark.modes
def test_days_spoilt_in_every_way_are_told_as_the_slow_one_tells_them(tmp_path):
    chance, seen = random.Random(5), dict.fromkeys(HOWS, 0)
    sentences = dict.fromkeys(("", "is another", "lacks what", "stops now", "damaged"), 0)
    for number in range(300 if jit.COMPILED else 45):
        how = HOWS[number % len(HOWS)]
        day = a_day(chance, 60 if jit.COMPILED else 25)
        folder = written(
            tmp_path / f"{number}.journal", SAID, spoilt(chance, day, how), chance.choice(ENDS),
            segment_bytes=1 << 14,
        )  # fmt: skip
        if number % 5 == 4:  # and a byte that went bad on the disk
            path = chance.choice(sorted(folder.glob("*.segment")))
            data = bytearray(path.read_bytes())
            data[4096 + chance.randrange(4000)] ^= 1 << chance.randrange(8)
            path.write_bytes(data)
        ours, slow = (outcome(one, folder, Stub) for one in (replaying.replay, slow_replay))
        assert ours == slow, how
        seen[how] += ours[-1] != ""
        found = [name for name in sentences if name and name in ours[-1]]
        sentences[found[0] if found else ""] += 1
    assert min(sentences.values()) > 0, sentences
    always = set(HOWS) - {"as it was", "an input removed", "cut", "swapped", "stopped"}
    assert all(seen[how] for how in always), seen


@pytest.mark.modes
def test_a_whole_day_is_identical_and_no_spoilt_output_is_missed(tmp_path):
    chance = random.Random(8)
    day = a_day(chance, 40)
    whole = written(tmp_path / "whole", SAID, day, {})
    told = replaying.replay(whole, Stub)
    assert told.is_identical and told.compared == len(outs(day))
    assert told.frames == len(day) + 2, "opened and closed"
    for n in outs(day)[:: 1 if jit.COMPILED else 9]:
        one = day[n]
        at = chance.randrange(len(one.payload))
        bad = one.payload[:at] + bytes([one.payload[at] ^ 4]) + one.payload[at + 1 :]
        spoilt_day = [*day[:n], one._replace(payload=bad), *day[n + 1 :]]
        told = replaying.replay(written(tmp_path / f"{n}", SAID, spoilt_day, {}), Stub)
        assert told.difference.startswith(f"frame {n + 2:,} is another, after frame "), n
        assert told.frames == n + 2


@pytest.mark.modes
def test_what_lacks_after_the_last_frame_is_a_difference_only_where_it_was_closed(tmp_path):
    came = Frame(0, 5, kinds.SESSION_IN, 0, b"\0")  # one byte out, of link 0
    said = {"cut": None, "closed": {}, "full": {"why": "no room"}}
    told = {
        name: replaying.replay(written(tmp_path / name, SAID, [came], end), Stub)
        for name, end in said.items()
    }
    assert told["cut"].is_identical and told["full"].is_identical
    lacks = "the journal lacks what goes out now, after frame 2 (SESSION_IN):\n  now      SESSION"
    assert told["closed"].difference.startswith(lacks)


@pytest.mark.modes
def test_of_a_runner_that_stops_nothing_goes_out_even_where_bytes_lie_in_its_links(tmp_path):
    stop = Frame(0, 5, kinds.TIMER, STOPS, b"\0")
    live = Stub()
    assert live.take(stop.kind, stop.source, stop.time, stop.payload) == m.OUT_FULL
    (said,) = (Frame(0, 5, *one) for one in live.outputs())
    later = stop._replace(source=0)
    days = {"closed": [stop], "on": [stop, later], "said": [stop, said]}
    told = {
        name: replaying.replay(written(tmp_path / name, SAID, day, {}), Stub).difference
        for name, day in days.items()
    }
    assert told["closed"] == ""
    stops = "the runner stops now, after frame 2 (TIMER): bytes for a venue found no room"
    assert told["on"] == stops
    assert told["said"].startswith("frame 3 is another, after frame 2 (TIMER):")
    assert told["said"].endswith("\n  now      nothing")


@pytest.mark.modes
def test_how_far_it_is_is_told_and_ends_at_all_of_it(tmp_path):
    day = a_day(random.Random(3), 9_000 if jit.COMPILED else 50)
    shares = []
    folder = written(tmp_path / "long", SAID, day, {})
    told = replaying.replay(folder, Stub, lambda share, what: shares.append((share, what)))
    assert told.is_identical
    assert shares == sorted(shares) and shares[-1] == (1.0, "replaying")
    assert len(shares) > 2 or not jit.COMPILED
