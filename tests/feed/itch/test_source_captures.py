"""ITCH in captures: the same events as from a file, and every disturbance shown."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from random import Random

import numpy as np
import pytest
from captures import PORT, datagram, ethernet, ipv4, on_the_wire, pcap, tcp, udp
from recorded import recorded, recorded_all

from hftlib.core import events
from hftlib.core.errors import InputError
from hftlib.core.events import EVENT, KINDS
from hftlib.feed.itch.messages import build
from hftlib.feed.itch.source import ItchSource
from hftlib.feed.source import CHUNK_EVENTS_MAX

DAY_NS = 1_692_676_800_000_000_000  # midnight of 2023-08-22 in New York
NINE_THIRTY = 34_200 * 10**9
TYPES = "SRHYLVWKJhAFECXDUPQBINO"


def order(number: int) -> bytes:
    return bytes(build("A", locate=7, timestamp=NINE_THIRTY, reference=number, side="S", shares=1))


def file_of(folder: Path, data: bytes, name: str = "feed.pcap") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def read(path: Path, **options: object) -> tuple[np.ndarray, ItchSource]:
    source = ItchSource(path, **options)
    chunks = []
    for chunk in source.chunks():
        assert 0 < len(chunk) <= CHUNK_EVENTS_MAX
        chunks.append(chunk.copy())
    return np.concatenate([np.zeros(0, EVENT), *chunks]), source


def said(found: np.ndarray) -> list[str]:
    """Each event in short: its kind, its number and its reference."""
    return [f"{KINDS[e['kind']]} {e['sequence']} {e['reference']}" for e in found]


@pytest.mark.modes
def test_datagrams_become_events_with_both_times(tmp_path):
    frames = [
        on_the_wire(datagram(41, order(1), order(2))),
        on_the_wire(datagram(43)),  # a heartbeat
        on_the_wire(datagram(43, order(3))),
        on_the_wire(datagram(44, count=0xFFFF)),  # the end of the session
    ]
    data = pcap(frames, time_ns=DAY_NS + NINE_THIRTY + 500)
    for stored in (data, gzip.compress(data)):
        found, source = read(file_of(tmp_path, stored))
        # Begun late: what was before is missing, and the books are told so first.
        assert said(found) == ["GAP 0 1", "ADD 41 1", "ADD 42 2", "ADD 43 3"]
        assert found["other"][0] == 41 and found["instrument"][0] == events.ALL
        found = found[1:]
        assert source.date == "2023-08-22"  # of the capture, where it was traded
        assert found["time"].tolist() == [DAY_NS + NINE_THIRTY] * 3
        assert (found["received"] - found["time"]).tolist() == [500, 500, 2500]
        assert source.counts == {
            "A": 3,
            "MoldUDP64 datagrams": 4,
            "heartbeats": 1,
            "ends of session": 1,
            "packets": 4,
            "UDP packets": 4,
        }


@pytest.mark.modes
def test_what_one_line_lost_the_other_brings(tmp_path):
    first, second, third = (datagram(n, order(n)) for n in (1, 2, 3))
    frames = [
        on_the_wire(one, port)
        for one, port in ((first, 1), (first, 2), (third, 1), (second, 2), (third, 2))
    ]
    found, source = read(file_of(tmp_path, pcap(frames)))
    assert said(found) == ["ADD 1 1", "ADD 2 2", "ADD 3 3"]
    assert source.counts["messages seen before"] == 2
    found, source = read(file_of(tmp_path, pcap(frames)), port=1)
    assert said(found) == ["ADD 1 1", "GAP 0 2", "ADD 3 3"]
    assert found["other"][1] == 3 and found["time"][1] == found["received"][1] > 0
    assert source.counts["messages missed"] == 1
    assert source.counts["datagrams to other ports"] == 3


@pytest.mark.modes
def test_what_comes_too_late_is_marked(tmp_path):
    early = pcap([on_the_wire(datagram(n, order(n))) for n in (1, 3)])
    later = [on_the_wire(datagram(n, order(n))) for n in (4, 2)]
    late = pcap(later, time_ns=DAY_NS + 2 * NINE_THIRTY)
    found, _source = read(file_of(tmp_path, early + late[24:]))
    assert said(found) == ["ADD 1 1", "GAP 0 2", "ADD 3 3", "ADD 4 4", "ADD 2 2", "RECOVERED 0 0"]
    assert found["flags"].tolist() == [0, 0, 0, 0, events.RECOVERED_LATE, 0]


@pytest.mark.modes
def test_datagrams_without_numbers_come_as_they_come(tmp_path):
    frames = [on_the_wire(datagram(0, order(n), session=bytes(10))) for n in (3, 1, 3)]
    found, _source = read(file_of(tmp_path, pcap(frames)))
    assert said(found) == ["ADD 1 3", "ADD 2 1", "ADD 3 3"]


@pytest.mark.modes
def test_an_empty_message_keeps_its_number(tmp_path):
    frames = [on_the_wire(datagram(1, order(1), b"", b"", order(4), b"Z", b""))]
    found, source = read(file_of(tmp_path, pcap(frames)))
    assert said(found) == [
        "ADD 1 1",
        f"UNREADABLE 2 {events.WRONG_LENGTH}",
        f"UNREADABLE 3 {events.WRONG_LENGTH}",
        "ADD 4 4",
        f"UNREADABLE 5 {events.UNKNOWN_TYPE}",
        f"UNREADABLE 6 {events.WRONG_LENGTH}",
    ]
    assert source.counts["empty messages"] == 3


BROKEN = {
    "too short": datagram(2)[:19],
    "a message beyond the end": datagram(2, order(2))[:-1],
    "fewer than it says": datagram(2, order(2), count=2),
    "more than it says": datagram(2, order(2), order(3), count=1),
    "half a length": datagram(2, order(2), count=2) + b"\0",
    "a heartbeat with a body": datagram(2) + b"x",
    "an impossible number": datagram(2**63, order(2)),
}


@pytest.mark.modes
@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_datagram_is_one_unreadable_event(tmp_path, what):
    payloads = [datagram(1, order(1)), BROKEN[what], datagram(2, order(2))]
    frames = [on_the_wire(one) for one in payloads]
    found, source = read(file_of(tmp_path, pcap(frames)))
    assert said(found) == ["ADD 1 1", f"UNREADABLE 2 {events.NO_PARSE}", "ADD 2 2"]
    assert found["quantity"][1] == len(BROKEN[what])
    assert source.counts["datagrams that are no MoldUDP64"] == 1


def test_packets_that_cannot_be_read_show(tmp_path):
    good = on_the_wire(datagram(1, order(1)))
    frames = [good, ethernet(ipv4(udp(b"x" * 40), fragment=0x2000)), ethernet(bytes(28), 0x0806)]
    frames += [ethernet(ipv4(tcp(b"x"), 6))]
    found, source = read(file_of(tmp_path, pcap(frames) + b"cut"))
    assert [KINDS[kind] for kind in found["kind"]] == ["ADD", "UNREADABLE", "UNREADABLE"]
    assert source.counts["IP fragments"] == source.counts["frames without IP"] == 1
    assert source.counts["TCP packets"] == 1
    assert source.counts["bytes of the capture left unread"] == 3


def test_one_session_is_read_at_a_time(tmp_path):
    frames = [
        on_the_wire(datagram(1, order(1), session=b"morning   ")),
        on_the_wire(datagram(7, order(7), session=b"other     "), port=9),
    ]
    path = file_of(tmp_path, pcap(frames))
    with pytest.raises(InputError, match=r"several MoldUDP64 sessions, 'morning ' and 'other '"):
        read(path)
    assert said(read(path, session="other")[0]) == ["GAP 0 1", "ADD 7 7"]
    assert said(read(path, port=9)[0]) == ["GAP 0 1", "ADD 7 7"]
    found, source = read(path, session="morning")
    assert said(found) == ["ADD 1 1"] and source.counts["datagrams of other sessions"] == 1


def test_a_capture_of_something_else_is_refused_with_what_it_holds(tmp_path):
    path = file_of(tmp_path, pcap([ethernet(ipv4(tcp(b"x"), 6)), on_the_wire(b"a name lookup")]))
    with pytest.raises(InputError, match=r"no MoldUDP64 datagram.*TCP packets: 1.*Check the port"):
        read(path)
    with pytest.raises(InputError, match="no MoldUDP64 datagram"):
        read(file_of(tmp_path, pcap([on_the_wire(datagram(1, order(1)))])), port=PORT + 1)
    with pytest.raises(InputError, match="no date, and nothing else"):
        read(file_of(tmp_path, pcap([])))
    with pytest.raises(InputError, match=r"no MoldUDP64 datagram that was asked for \(empty\)"):
        read(file_of(tmp_path, pcap([])), date="2023-08-22")


def test_a_capture_gives_the_events_of_the_file_with_the_same_messages(tmp_path):
    """A real file cut into datagrams, sent on two lines that lose, repeat and overtake."""
    frames = recorded("itch/12302019_SNIPPET.NASDAQ_ITCH50").read_bytes()
    plain, _ = read(file_of(tmp_path, frames, "12302019.itch"))
    sent, random = [], Random(11)
    messages, place = [], 0
    while place < len(frames):
        (size,) = struct.unpack_from(">H", frames, place)
        messages.append(frames[place + 2 : place + 2 + size])
        place += 2 + size
    first = 1
    while first <= len(messages):
        count = random.randrange(1, 30)
        one = on_the_wire(datagram(first, *messages[first - 1 : first - 1 + count]))
        lines = random.choice(["A", "B", "AB", "AB", "ABB"])
        sent += [(first + random.uniform(0, 60) * (first > 1), one) for _ in lines]
        first += count
    ordered = [frame for _, frame in sorted(sent, key=lambda pair: pair[0])]
    found, source = read(file_of(tmp_path, pcap(ordered)), date="2019-12-30")
    found["received"] = 0
    assert found.tobytes() == plain.tobytes()
    assert source.counts["messages seen before"] > 100


def test_a_large_capture_comes_in_chunks(tmp_path):
    """Datagrams as large as they get, more events than a chunk holds."""
    one = on_the_wire(datagram(0, *[b"" for _ in range(32_000)]))
    found, source = read(file_of(tmp_path, pcap([one] * 5)))
    assert len(found) == source.counts["empty messages"] == 160_000


@pytest.mark.parametrize("path", recorded_all("mold_pcap/itch50*/*.pcap"), ids=lambda p: p.stem)
def test_real_captures_become_events_when_they_happened(path):
    found, source = read(path)
    assert source.date == "2023-08-22"
    assert not (found["kind"] == events.UNREADABLE).any()
    assert found["kind"][0] == events.GAP or found["sequence"][0] == 1
    messages = found[found["kind"] != events.GAP]
    assert len(messages) == sum(source.counts.get(letter, 0) for letter in TYPES) > 0
    # Nasdaq's clock and the recorder's agree: so the date and the zone are right.
    assert (np.abs(messages["received"] - messages["time"]) < 10**9).all()


def test_two_real_datagrams_of_one_session_have_a_gap_between():
    found, source = read(recorded("mold_pcap/itch50/Multiple.Packets.pcap"))
    assert [KINDS[kind] for kind in found["kind"][:4]] == ["GAP", "DELETE", "GAP", "ADD"]
    assert found["reference"][0] == 1 and found["other"][0] == found["sequence"][1]
    assert (
        source.counts["messages missed"] == found["other"][2] - found["reference"][2] == 4_244_620
    )
    assert source.counts["A"] + source.counts["F"] + source.counts["D"] == 39
