"""What the public hears: the engine's own books, at every number, over two lines that may fail."""

from __future__ import annotations

from typing import Any

from floor_desk import Floor, standing
from itch.parser import MessageParser
from tshark import fields, write_tcp, write_udp

from hftlib.core.soup.frames import SERVER, Frames
from hftlib.feed.itch import messages as itch
from hftlib.feed.mold import packet as p
from hftlib.feed.mold import sockets as udp
from hftlib.venue.floor.sending import LINES

AGENTS = {"flow": "agents", "events_per_second": 400.0, "seed": 3}


def compared(floor: Floor, ears: Any, messages: int, doing: Any = None) -> int:
    """Run until the feed has so many messages; books are compared at the end of each command."""
    own: dict[int, Any] = {}
    found: dict[int, Any] = {}
    ears.at_each = lambda: found.__setitem__(ears.next - 1, standing(ears.books, 2))
    before, most = floor.exchange.counts["commands"], 0
    while floor.exchange.counts["messages"] < messages:
        floor.step()
        count, obeyed = (floor.exchange.counts[name] for name in ("messages", "commands"))
        if obeyed - before == 1:
            own[count] = standing(floor.exchange.engine.books, 2)
        before, most = obeyed, max(most, obeyed - before)
        if doing is not None:
            doing(count)
    floor.until(lambda: ears.next > floor.exchange.counts["messages"])
    assert most < 10
    same = [n for n in own if n in found]
    for n in same:
        assert found[n] == own[n], f"the books differ at message {n}"
    assert standing(ears.books, 2) == standing(floor.exchange.engine.books, 2)
    assert not ears.books.stale and not ears.books.impossible
    return len(same)


def test_the_books_of_the_feed_are_the_engines_own_at_every_number():
    with Floor(market=AGENTS, step_ns=200_000) as floor:
        ears = floor.ears()
        assert compared(floor, ears, 3_000) > 1_000


def test_a_line_that_is_silent_costs_nothing():
    with Floor(market=AGENTS, step_ns=200_000) as floor:
        ears = floor.ears()

        def silence(count: int) -> None:
            wires = floor.exchange.parts.lines[:128].view(LINES)
            if count > 300:
                wires["sockets"][0][0] = -1

        assert compared(floor, ears, 1_500, silence) > 300


def test_whoever_comes_late_asks_for_what_was_said_before():
    with Floor(market=AGENTS, step_ns=200_000) as floor:
        while floor.exchange.counts["messages"] < 500:
            floor.step()
        ears = floor.ears(lines="a")
        assert compared(floor, ears, 1_000) > 100
        assert ears.messages[0][:1] == b"S" and len(ears.messages) >= 1_000


def test_wireshark_reads_our_datagrams_and_our_frames_on_loopback(tmp_path):
    with Floor() as floor:
        ear = udp.listening(tuple(floor.exchange.places["line_b"]), "127.0.0.1")
        floor.market()
        taker = floor.plain("frm1a")
        taker.enter(1, "B", 700, "100.10")
        floor.until(lambda: taker.letters("E"))
        floor.exchange.end()
        floor.until(lambda: taker.is_over)
        datagrams = []
        while True:
            try:
                datagrams.append(ear.recv(2_048))
            except BlockingIOError:
                break
        ear.close()
    capture = tmp_path / "feed.pcap"
    write_udp(capture, 26_477, datagrams)
    names = ("sequence", "count", "msgdata", "msglen.invalid", "count.invalid")
    rows = fields(capture, "udp.port==26477,moldudp64", *(f"moldudp64.{name}" for name in names))
    for row, data in zip(rows, datagrams, strict=True):
        _, first, count = p.header_of(data)
        blocks = p.messages_of(data) if 0 < count < p.END_COUNT else []
        texts = ",".join(text.hex() for text in blocks)
        assert row == [str(first), str(count), texts, "", ""]
    assert sum(row[1] != "65535" and row[1] != "0" for row in rows) > 2
    stream = b"".join(taker.raw)
    capture = tmp_path / "session.pcap"
    write_tcp(capture, 9_000, taker.raw)
    rows = fields(capture, "tcp.port==9000,soupbintcp", "soupbintcp.packet_type")
    types = [one.strip("'") for row in rows for one in row[0].split(",") if one]
    wanted = [one.type.decode() for one in Frames(SERVER).take(stream)]
    assert types == wanted and types[0] == "A" and types[-1] == "Z" and "S" in types


def test_itchfeed_reads_every_message_of_a_day_with_auctions_and_halts():
    schedule = [
        {"after_seconds": 0.5, "do": "indicate opening"},
        {"after_seconds": 1.0, "do": "opening cross"},
        {"after_seconds": 2.0, "do": "halt", "symbols": ["AAA"], "reason": "T1"},
        {"after_seconds": 2.5, "do": "auction", "symbols": ["AAA"]},
        {"after_seconds": 3.0, "do": "reopening cross", "symbols": ["AAA"]},
        {"after_seconds": 4.0, "do": "closing cross"},
        {"after_seconds": 4.1, "do": "end"},
    ]
    symbols = [{"name": "AAA", "bands_bps": 500}, {"name": "BBB"}]
    state = {"state": "auction"}
    with Floor(
        market=AGENTS, schedule=schedule, symbols=symbols, exchange=state, step_ns=5_000_000
    ) as floor:
        ears = floor.ears()
        maker = floor.plain("frm1a")
        maker.enter(1, "S", 300, "101.00", display="A")
        maker.enter(2, "S", 900, "101.00", options={"max_floor": 100})
        maker.enter(3, "S", 300, "100.90", display="N")
        maker.enter(4, "B", 100, "99.00")
        maker.send(
            "U", original=4, urn=5, quantity=200, price="99.01", tif="0", display="Y", iso="N"
        )
        maker.enter(6, "B", 500, "99.02")
        maker.send("X", urn=6, quantity=200)
        floor.until(lambda: floor.exchange.is_over and ears.receiver.ended)
    assert floor.exchange.notes == []
    counts = ears.translator.counts
    assert set("SRHAFECXDUPQIJ") - set(counts) <= {"P", "J"}, counts
    assert "unreadable" not in counts
    parser = MessageParser()
    for data in ears.messages:
        read = parser.get_message_type(data)
        ours = itch.parse(data)
        assert read.message_type == data[:1]
        assert read.stock_locate == ours.locate
        for theirs, name in (("price", "price"), ("shares", "shares")):
            if theirs in vars(read) and name in ours.fields:
                assert int(getattr(read, theirs)) == int(ours.record[name])
