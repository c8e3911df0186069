"""Lines become events exactly, whatever they hold: beside a reader made of regex and Decimal."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pytest
from fuzzing import fuzz_seconds, fuzzed
from hypothesis import given
from hypothesis import strategies as st

from hftlib.core import events
from hftlib.core.events import EVENT
from hftlib.feed.lobster_lines import LINES, read_lines

MIDNIGHT = 1_340_251_200_000_000_000
KINDS = ["", "ADD", "CANCEL", "DELETE", "EXECUTE", "TRADE", "CROSS", "STATUS"]
_TIME = re.compile(rb"[0-9]{1,18}(?:\.[0-9]{1,18})?")
_WHOLE = re.compile(rb"-?[0-9]{1,18}")
Row = tuple[str, int, int, int, int, int]


def parsed(text: bytes, room: int = 1000) -> np.ndarray:
    """The events of whole lines, read into `room` places at a time."""
    data = np.frombuffer(text + b"8" * 64, np.uint8).copy()  # digits behind the end: not to be read
    lines, found = np.zeros(1, LINES), []
    state = lines[0]
    state["cursor"] = data.ctypes.data
    state["end"], state["midnight"] = data.ctypes.data + len(text), MIDNIGHT
    state["time"] = MIDNIGHT
    while state["cursor"] < state["end"]:
        target = np.zeros(room, EVENT)
        state["target"], state["room"] = target.ctypes.data, room
        made = read_lines(lines.ctypes.data)
        assert 0 < made <= room
        found.append(target[:made])
    assert state["cursor"] == state["end"] and state["offset"] == len(text)
    made_all = np.concatenate(found) if found else np.zeros(0, EVENT)
    assert int(state["types"].sum()) == state["line"] == len(made_all)
    return made_all


def slowly(line: bytes) -> Row | None:
    """What a line says, as (kind, time, side, reference, price, quantity); None: unreadable."""
    parts = line.removesuffix(b"\r").split(b",")
    time = _TIME.fullmatch(parts[0])
    if len(parts) != 6 or not time or not all(map(_WHOLE.fullmatch, parts[1:])):
        return None
    kind, order, size, price, direction = map(int, parts[1:])
    seconds = Decimal(parts[0].decode())
    if not 1 <= kind <= 7 or int(seconds) > 25 * 3600:
        return None
    ns = MIDNIGHT + int((seconds * 10**9).to_integral_value(ROUND_HALF_UP))
    if kind == 7:
        states = {-1: events.HALTED, 0: events.QUOTATION_ONLY, 1: events.TRADING}
        return ("STATUS", ns, 0, states[price], 0, 0) if price in states else None
    if direction not in (1, -1) or price <= 0:
        return None
    resting, coming = (1, 2) if direction == 1 else (2, 1)
    side = {5: coming, 6: 0}.get(kind, resting)
    return (KINDS[kind], ns, side, 0 if kind > 4 else order, price, size)


def told(event: np.void) -> Row | None:
    kind = events.KINDS[event["kind"]]
    if kind == "UNREADABLE":
        return None
    fields = ("time", "side", "reference", "price", "quantity")
    return (kind, *(int(event[field]) for field in fields))


def test_every_type_of_line_has_its_event():
    text = b"""34200.017459617,5,0,1,2238200,-1
34200.18960767,1,11885113,21,2238100,1
34200.5,2,11885113,20,2238100,1
34201,4,11885113,1,2238100,1
34201.000000001,3,99,7,2240000,-1
57600.0,6,-1,3000,2239999,-1
57601,7,0,0,-1,-1
57602,7,0,0,0,-1
57603,7,0,0,1,-1
"""
    assert [told(event) for event in parsed(text)] == [
        ("TRADE", MIDNIGHT + 34_200_017_459_617, events.BUY, 0, 2238200, 1),
        ("ADD", MIDNIGHT + 34_200_189_607_670, events.BUY, 11885113, 2238100, 21),
        ("CANCEL", MIDNIGHT + 34_200_500_000_000, events.BUY, 11885113, 2238100, 20),
        ("EXECUTE", MIDNIGHT + 34_201_000_000_000, events.BUY, 11885113, 2238100, 1),
        ("DELETE", MIDNIGHT + 34_201_000_000_001, events.SELL, 99, 2240000, 7),
        ("CROSS", MIDNIGHT + 57_600_000_000_000, 0, 0, 2239999, 3000),
        ("STATUS", MIDNIGHT + 57_601_000_000_000, 0, events.HALTED, 0, 0),
        ("STATUS", MIDNIGHT + 57_602_000_000_000, 0, events.QUOTATION_ONLY, 0, 0),
        ("STATUS", MIDNIGHT + 57_603_000_000_000, 0, events.TRADING, 0, 0),
    ]
    assert parsed(text)["sequence"].tolist() == list(range(1, 10))


@pytest.mark.modes
@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"34200.1,1,5,10,100", events.WRONG_LENGTH),
        (b"34200.1,1,5,10,100,1,9", events.WRONG_LENGTH),
        (b"34200.1,1,5,ten,100,1", events.NO_PARSE),
        (b"34200.1,1,5,10.5,100,1", events.NO_PARSE),
        (b"34200.1,1,5,10,100,1 ", events.NO_PARSE),
        (b"time,type,id,size,price,direction", events.NO_PARSE),
        (b"", events.NO_PARSE),
        (b"-1,1,5,10,100,1", events.NO_PARSE),
        (b"-0.5,1,5,10,100,1", events.NO_PARSE),
        (b"90001,1,5,10,100,1", events.NO_PARSE),
        (b"34200.,1,5,10,100,1", events.NO_PARSE),
        (b"34200.1,8,5,10,100,1", events.UNKNOWN_TYPE),
        (b"34200.1,0,5,10,100,1", events.UNKNOWN_TYPE),
        (b"34200.1,1,5,10,100,0", events.WRONG_SIDE),
        (b"34200.1,1,5,10,0,1", events.WRONG_PRICE),
        (b"34200.1,1,5,10,-9999999999,1", events.WRONG_PRICE),
        (b"34200.1,7,0,0,2,-1", events.WRONG_PRICE),
        (b"34200.1,1,1234567890123456789,10,100,1", events.NO_PARSE),
    ],
)
def test_a_line_that_does_not_read_says_why_and_where(line, reason):
    good = b"34200.1,1,5,10,100,1\n"
    first, bad, after = parsed(good + line + b"\n" + good)
    assert (bad["kind"], bad["reference"]) == (events.UNREADABLE, reason)
    assert (bad["price"], bad["quantity"], bad["sequence"]) == (len(good), len(line), 2)
    assert bad["time"] == first["time"] and told(after) == told(first)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 86399),
            st.text("0123456789", max_size=12),
            st.integers(1, 7),
            st.integers(-(10**18) + 1, 10**18 - 1),
            st.integers(0, 10**9),
            st.integers(-1, 10**10),
            st.sampled_from([-1, 1]),
        ),
        max_size=20,
    ),
    st.sampled_from([b"\n", b"\r\n"]),
    st.integers(1, 7),
)
def test_written_lines_read_as_they_were_meant(rows, newline, room):
    written = [
        f"{seconds}{'.' + part if part else ''},{','.join(map(str, rest))}".encode()
        for seconds, part, *rest in rows
    ]
    events_read = parsed(b"".join(line + newline for line in written), room)
    assert [told(event) for event in events_read] == [slowly(line) for line in written]


SAMPLE = b"""34200.017459617,5,0,1,2238200,-1
34200.18960767,1,11885113,21,2238100,1
43002.632812672004,3,134172772,100,2238700,-1
34201,7,0,0,-1,-1
"""


@pytest.mark.modes
def test_broken_lines_never_read_differently_from_the_slow_reader():
    unreadable = 0
    for text in fuzzed([SAMPLE, SAMPLE * 3], seconds=fuzz_seconds()):
        text = text[: text.rfind(b"\n") + 1]
        found = [told(event) for event in parsed(text, room=len(text) % 8 + 1)]
        assert found == [slowly(line) for line in text.split(b"\n")[:-1]], text
        unreadable += found.count(None)
    assert unreadable, "nothing was ever broken"
