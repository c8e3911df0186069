"""The feed in a journal as a tape: lost here, told there, late, about others; each message once."""

import base64
import random
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

from hftlib.core import events
from hftlib.core.events import EVENT
from hftlib.core.instruments import Instruments
from hftlib.core.journal import Journal, kinds
from hftlib.engine.live.laying import FeedPlan
from hftlib.feed.itch.translate import Translator
from hftlib.feed.mold import packet as p
from hftlib.feed.synthetic.market import synthetic
from hftlib.research.journal_feed import JournalFeed
from hftlib.research.tape import to_tape

DATE, MS, T0 = "2026-01-05", 1_000_000, 1_767_600_000_000_000_000
SAME = ("sequence", "reference", "other", "price", "quantity", "instrument", "kind", "side")


@pytest.fixture(scope="module")
def messages() -> list[bytes]:
    return list(unframed(synthetic(symbols=3, seconds=20, seed=5, date=DATE).itch_bytes()))[:4_000]


def unframed(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 2])
        yield data[at + 2 : at + 2 + length]
        at += 2 + length


def described(*names: tuple[str, str], **plan: Any) -> dict[str, Any]:
    """What a runner of these symbols and venues says of itself."""
    table = Instruments()
    for symbol, venue in names:
        table.add(symbol, venue=venue, tick=100)
    venues = list(dict.fromkeys(venue for _, venue in names))
    midnight = int(Translator(date=DATE, zone="UTC").arena["translator"]["midnight"][0])
    return {
        "what": "runner",
        "instruments": base64.b64encode(table.table.tobytes()).decode(),
        "feeds": [asdict(FeedPlan(one, midnight, session="S", **plan)) for one in venues],
    }


def expected(messages: list[bytes], rows: dict[str, int]) -> np.ndarray:
    """All messages in one go, about those symbols."""
    framed = b"".join(len(one).to_bytes(2) + one for one in messages)
    data, into = np.frombuffer(framed, np.uint8), np.zeros(len(messages), EVENT)
    made = Translator(date=DATE, zone="UTC")
    assert made.frames(data.ctypes.data, len(data), into) == (len(data), len(messages))
    theirs = [rows.get(one, -1) for one in made.instruments.symbols]
    whole = into["instrument"] == events.ALL
    row = np.where(
        whole,
        events.ALL,
        np.array([*theirs, -1])[np.where(whole, -1, into["instrument"].astype(np.int64))],
    )
    kept = into[row != -1]
    kept["instrument"] = row[row != -1]
    return kept


def written(folder, about, told) -> Any:
    """A journal of (kind, source, payload), a millisecond apart."""
    with Journal.create(folder, about, segment_bytes=1 << 22) as journal:
        for n, (kind, source, payload) in enumerate(told):
            journal.append(kind, T0 + n * MS, payload, source)
    return folder


def lossy(messages: list[bytes], seed: int) -> Iterator[tuple[int, int, bytes]]:
    """Both lines, each losing one datagram in five; what both lost comes from the recovery."""
    chance, first = random.Random(seed), 1
    while first <= len(messages):
        count = chance.randint(1, 6)
        data = p.encode("S", first, messages[first - 1 : first - 1 + count])
        lines = [line for line in (0, 1) if chance.random() > 0.2] or [2]
        if lines == [2]:  # the next one comes first, so that something is missing
            later = p.encode("S", first + count, messages[first - 1 + count : first + count])
            if first + count <= len(messages):
                yield kinds.DATAGRAM, 0, later
            yield kinds.TIMER, 0, b""
        for line in lines:
            yield kinds.DATAGRAM, line, data
        first += count


@pytest.mark.parametrize("seed", range(4))
def test_each_message_is_there_once_and_in_order(messages, tmp_path, seed):
    about = described(("CCC", "XA"), ("AAA", "XA"))
    folder = written(tmp_path / "j", about, lossy(messages, seed))
    feed = JournalFeed(folder, about)
    tape = to_tape(feed, tmp_path / "a.tape")
    found = tape.events[tape.events["kind"] < events.GAP]
    want = expected(messages, {"CCC": 0, "AAA": 1})
    want = want[want["kind"] < events.GAP]
    assert len(found) == len(want) > 2_000
    for name in (*SAME, "time"):
        assert (found[name] == want[name]).all(), name
    assert set(tape.events["kind"].tolist()) >= {events.GAP, events.RECOVERED}
    assert (found["flags"] & events.RECOVERED_LATE).any()
    assert feed.counts["messages about others"] > 500
    assert found["received"].min() >= T0 and (np.diff(found["received"]) >= 0).all()


def test_what_one_feed_of_two_says_of_all_is_said_of_its_own(messages, tmp_path):
    about = described(("AAA", "XA"), ("BBB", "XB"), ("CCC", "XB"))
    told = []
    for n, one in enumerate(messages[:1_500], 1):
        told += [(kinds.DATAGRAM, source, p.encode("S", n, [one])) for source in (0, 5)]
    found = to_tape(JournalFeed(written(tmp_path / "j", about, told), about)).events
    assert not (found["instrument"] == events.ALL).any()
    for feed, (rows, names) in enumerate((((0,), {"AAA": 0}), ((1, 2), {"BBB": 1, "CCC": 2}))):
        mine = found[np.isin(found["instrument"], rows)]
        want = expected(messages[:1_500], names)
        whole = want["instrument"] == events.ALL
        assert whole.any()
        made = np.repeat(want, np.where(whole, len(rows), 1))
        spread = np.repeat(whole, np.where(whole, len(rows), 1))
        made["instrument"][spread] = np.tile(rows, int(whole.sum()))
        for one in made:  # both venues count their orders from 1
            if events.ADD <= one["kind"] <= events.REPLACE:
                one["reference"] = 2 * one["reference"] + feed
            if one["kind"] == events.REPLACE:
                one["other"] = 2 * one["other"] + feed
        assert len(mine) == len(made)
        for name in SAME:
            assert (mine[name] == made[name]).all(), name


def test_a_message_of_no_length_is_told_and_the_rest_is_read(messages, tmp_path):
    about = described(("AAA", "XA"), ("BBB", "XA"), ("CCC", "XA"))
    some = [*messages[:10], b"", b"", *messages[10:20]]
    told = [(kinds.DATAGRAM, 0, p.encode("S", 1, some))]
    found = to_tape(JournalFeed(written(tmp_path / "j", about, told), about)).events
    assert found["sequence"].tolist() == list(range(1, 23))
    assert found["kind"][10:12].tolist() == [events.UNREADABLE] * 2
    assert found["reference"][10:12].tolist() == [events.WRONG_LENGTH] * 2


def test_more_than_a_chunk_and_nothing_at_all(messages, tmp_path):
    about = described(("AAA", "XA"), ("BBB", "XA"), ("CCC", "XA"))
    many = messages * 20  # numbered on: what they say twice is the books' affair
    told = [
        (kinds.DATAGRAM, 0, p.encode("S", n + 1, many[n : n + 20])) for n in range(0, len(many), 20)
    ]
    folder = written(tmp_path / "j", about, told)
    sizes = [len(chunk) for chunk in JournalFeed(folder, about).chunks()]
    assert sum(sizes) == len(many) > 70_000 and max(sizes) <= 65_536
    empty = written(tmp_path / "none", about, [(kinds.TIMER, 0, b"")])
    assert len(to_tape(JournalFeed(empty, about))) == 0
