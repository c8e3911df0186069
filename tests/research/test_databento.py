"""Databento's records give the book that their own rules give: every order in its place."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from fuzzing import fuzz_seconds, fuzzed
from recorded import recorded

from hftlib.core import events
from hftlib.core.errors import InputError
from hftlib.feed.source import CHUNK_EVENTS_MAX
from hftlib.research import databento_stream
from hftlib.research.databento import DatabentoSource

dbn = pytest.importorskip("databento_dbn", reason="pip install 'hftlib[databento]'")
SAMPLE = "mbo/esh4-glbx-mdp3-20231225.mbo.dbn.zst"
TICK = 10_000_000
LAST, SNAPSHOT, MAYBE_BAD = 128, 32, 4
Queues = dict[tuple[str, int], dict[int, int]]


def put(queues: Queues, side: str, price: int, order: int, size: int) -> None:
    queues.setdefault((side, price), {})[order] = size


def pulled(queues: Queues, where: dict[int, tuple[str, int]], order: int) -> None:
    place = where.pop(order, None)
    if place is not None:
        del queues[place][order]
        if not queues[place]:
            del queues[place]


class ByRecords:
    """Orders in their queues by Databento's rules; fills and trades change nothing."""

    def __init__(self) -> None:
        self.queues: Queues = {}
        self.where: dict[int, tuple[str, int]] = {}

    def take(self, record: object) -> None:
        action, order, side = str(record.action), record.order_id, str(record.side)
        place = self.where.get(order)
        if action == "R":
            self.queues, self.where = {}, {}
        elif action == "C" and place:
            left = self.queues[place][order] - record.size
            if left > 0:
                self.queues[place][order] = left
            else:
                pulled(self.queues, self.where, order)
        elif action == "A" or (action == "M" and place is None):
            self._at_the_end(side, record)
        elif action == "M":
            if place[1] == record.price and self.queues[place][order] >= record.size:
                self.queues[place][order] = record.size
            else:
                self._at_the_end(side, record)

    def _at_the_end(self, side: str, record: object) -> None:
        pulled(self.queues, self.where, record.order_id)
        put(self.queues, side, record.price, record.order_id, record.size)
        self.where[record.order_id] = (side, record.price)


class ByEvents:
    """The same from events alone, as any order-by-order book reads them."""

    def __init__(self, step: int) -> None:
        self.queues: Queues = {}
        self.where: dict[int, tuple[str, int]] = {}
        self.step, self.unknown = step, 0

    def take(self, event: np.void) -> None:
        kind, order = int(event["kind"]), int(event["reference"])
        price, size = int(event["price"]) * self.step, int(event["quantity"])
        side = {events.BUY: "B", events.SELL: "A"}.get(int(event["side"]), "")
        place = self.where.get(order)
        if kind == events.ADD:
            put(self.queues, side, price, order, size)
            self.where[order] = (side, price)
        elif kind == events.CLEAR:
            self.queues, self.where = {}, {}
        elif kind in (events.CANCEL, events.EXECUTE, events.DELETE, events.REPLACE):
            self.unknown += place is None
            left = self.queues[place][order] - size if place else 0
            if kind in (events.DELETE, events.REPLACE) or left <= 0:
                pulled(self.queues, self.where, order)
            else:
                self.queues[place][order] = left
            if kind == events.REPLACE:
                put(self.queues, side, price, int(event["other"]), size)
                self.where[int(event["other"])] = (side, price)


def in_order(queues: Queues) -> dict[tuple[str, int], list[tuple[int, int]]]:
    return {place: list(orders.items()) for place, orders in queues.items()}


def read(path: Path, **others: object) -> np.ndarray:
    chunks = [chunk.copy() for chunk in DatabentoSource(path, **others).chunks()]
    assert all(0 < len(chunk) <= CHUNK_EVENTS_MAX for chunk in chunks)
    return np.concatenate(chunks)


def test_a_real_day_has_every_order_in_its_place_after_every_message():
    path = recorded(SAMPLE)
    source = DatabentoSource(path, price_unit="0.25")
    made = np.concatenate([chunk.copy() for chunk in source.chunks()])
    ours, theirs, at, messages = ByEvents(250_000_000), ByRecords(), 0, 0
    decoder = dbn.DBNDecoder(compression=dbn.Compression.ZSTD)
    decoder.write(path.read_bytes())
    for record in decoder.decode()[1:]:
        theirs.take(record)
        if not record.flags & LAST:
            continue
        messages += 1
        while True:
            ours.take(made[at])
            at += 1
            if made[at - 1]["flags"] & events.LAST:
                break
        assert made[at - 1]["sequence"] == record.sequence
        assert len(ours.where) == len(theirs.where)
        if messages % 500 == 0:
            assert in_order(ours.queues) == in_order(theirs.queues)
    assert in_order(ours.queues) == in_order(theirs.queues)
    assert (at, messages) == (len(made), 47_022) and ours.unknown == 0
    trades = made[made["kind"] == events.TRADE]
    assert len(trades) == 2973 == source.counts["trades"]
    executed = made[made["kind"] == events.EXECUTE]
    assert (executed["flags"] & events.NOT_PRINTABLE).all() and len(executed) == 6222
    assert source.instruments.symbols == ["ESH4"] and source.instruments[0].source == 17077
    assert source.counts["unreadable"] == 0 and source.share_done == 1.0


def record(action: str, order: int = 7, price: int = 100, size: int = 5, **others: object) -> bytes:
    given = {
        "publisher_id": 1,
        "instrument_id": 5,
        "ts_event": 1_000,
        "ts_recv": 2_000,
        "side": dbn.Side.BID,
        "flags": LAST,
        "sequence": 3,
    } | others
    made = dbn.MBOMsg(
        order_id=order, price=price * TICK, size=size, action=dbn.Action(action), **given
    )
    return bytes(made)


def header(schema: object = None) -> bytes:
    made = dbn.Metadata(
        dataset="GLBX.MDP3",
        start=0,
        stype_in=None,
        stype_out=dbn.SType.INSTRUMENT_ID,
        schema=schema or dbn.Schema.MBO,
    )
    return bytes(made)


def told(folder: Path, *records: bytes) -> list[tuple]:
    (folder / "story.dbn").write_bytes(header() + b"".join(records))
    return [
        (
            events.KINDS[e["kind"]],
            *(int(e[name]) for name in ("reference", "other", "price", "quantity", "flags")),
        )
        for e in read(folder / "story.dbn", price_unit="0.01")
    ]


def test_a_fill_makes_an_execution_of_the_cancel_that_follows(tmp_path):
    assert told(
        tmp_path,
        record("A", 7, size=5),
        record("A", 8, size=5),
        record("T", 99, size=7, flags=0, side=dbn.Side.ASK),
        record("F", 7, size=5, flags=0),
        record("F", 8, size=2, flags=0),
        record("C", 7, size=5, flags=0),
        record("M", 8, size=1),
        record("C", 8, size=1),
    ) == [
        ("ADD", 7, 0, 100, 5, events.LAST),
        ("ADD", 8, 0, 100, 5, events.LAST),
        ("TRADE", 0, 0, 100, 7, 0),
        ("NOTICE", events.code("fill"), 0, 0, 0, 0),
        ("NOTICE", events.code("fill"), 0, 0, 0, 0),
        ("EXECUTE", 7, 0, 100, 5, events.NOT_PRINTABLE),
        ("EXECUTE", 8, 0, 100, 2, events.NOT_PRINTABLE),
        ("CANCEL", 8, 0, 100, 2, events.LAST),
        ("DELETE", 8, 0, 100, 1, events.LAST),
    ]


def test_a_modification_means_what_it_does_to_the_queue(tmp_path):
    kinds = [row[0] for row in told(
        tmp_path,
        record("M", 7, size=5),
        record("M", 7, size=4),
        record("M", 7, size=4),
        record("M", 7, size=5),
        record("M", 7, price=101, size=5),
        record("R", 0, flags=SNAPSHOT | LAST),
        record("M", 7, price=101, size=4),
    )]  # fmt: skip
    assert kinds == ["REPLACE", "CANCEL", "NOTICE", "REPLACE", "REPLACE", "CLEAR", "REPLACE"]


def test_a_loss_that_the_vendor_marks_is_a_gap_until_the_next_clear(tmp_path):
    kinds = [row[0] for row in told(
        tmp_path,
        record("A", 1),
        record("A", 2, flags=LAST | MAYBE_BAD),
        record("A", 3, flags=LAST | MAYBE_BAD),
        record("A", 4, instrument_id=6),
        record("R", 0),
        record("A", 5),
    )]  # fmt: skip
    assert kinds == ["ADD", "GAP", "ADD", "ADD", "ADD", "CLEAR", "RECOVERED", "ADD"]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ({"action": "A", "side": "none"}, events.WRONG_SIDE),
        ({"action": "A", "price": "none"}, events.WRONG_PRICE),
        ({"action": "A", "order": 2**63}, events.NO_PARSE),
    ],
)
def test_a_record_that_cannot_be_used_says_why(tmp_path, bad, why):
    given = dict(bad)
    if given.pop("side", None):
        given["side"] = dbn.Side.NONE
    data = bytearray(record(given.pop("action"), given.get("order", 7), **{
        name: value for name, value in given.items() if name == "side"
    }))  # fmt: skip
    if "price" in bad:
        at = data.index((100 * TICK).to_bytes(8, "little"))
        data[at : at + 8] = (2**63 - 1).to_bytes(8, "little")
    first, unreadable, last = told(tmp_path, record("A", 1), bytes(data), record("A", 2))
    assert unreadable[:3] == ("UNREADABLE", why, events.code("A"))
    assert first[0] == last[0] == "ADD"


def test_instruments_get_rows_as_they_appear(tmp_path):
    records = [record("A", n, instrument_id=n % 3 + 10, publisher_id=n % 2 + 1) for n in range(6)]
    (tmp_path / "x.dbn").write_bytes(header() + b"".join(records))
    source = DatabentoSource(tmp_path / "x.dbn")
    (chunk,) = source.chunks()
    assert chunk["instrument"].tolist() == [0, 1, 2, 3, 4, 5]
    assert source.instruments.symbols == ["10", "11", "12", "10.2", "11.1", "12.2"]
    assert chunk["price"].tolist() == [1_000_000_000] * 6


def test_what_is_no_order_by_order_file_is_refused_with_a_sentence(tmp_path, monkeypatch):
    path = tmp_path / "x.dbn"
    for content, sentence in [
        (b"", "ends within its header"),
        (b"DBN", "ends within its header|bytes into a record"),
        (b"time,price\n1,2\n" * 9, "cannot be read behind byte"),
        (header(dbn.Schema.TRADES), "holds trades, not order-by-order"),
    ]:
        path.write_bytes(content)
        with pytest.raises(InputError, match=sentence):
            DatabentoSource(path)
    path.write_bytes(header() + record("A") + record("A")[:20])
    with pytest.raises(InputError, match="ends 20 bytes into a record"):
        read(path)
    path.write_bytes(header() + record("A"))
    with pytest.raises(InputError, match="is no multiple of the price_unit"):
        read(path, price_unit="0.03")
    with pytest.raises(InputError, match=r"is no multiple of the 0\.000000001"):
        read(path, price_unit="0.0000000015")
    with pytest.raises(InputError, match="cannot be read"):
        DatabentoSource(tmp_path / "none.dbn")
    monkeypatch.setitem(sys.modules, "databento_dbn", None)
    with pytest.raises(InputError, match=r"pip install 'hftlib\[databento\]'"):
        DatabentoSource(path)


def test_a_cut_or_damaged_packed_file_is_refused(tmp_path):
    data = recorded(SAMPLE).read_bytes()
    damaged = data[:300_000] + bytes(20) + data[300_020:]
    for content in (data[:500_000], data[:-1], damaged):
        (tmp_path / "x.dbn.zst").write_bytes(content)
        with pytest.raises(InputError, match=r"cannot be read behind byte|into a record"):
            read(tmp_path / "x.dbn.zst")


def test_a_broken_file_never_breaks_the_reader(tmp_path, monkeypatch):
    monkeypatch.setattr(databento_stream, "BLOCK_BYTES", 100)
    good, refused, unreadable = b"".join(record(a, n) for n, a in enumerate("AACMTFRA")), 0, 0
    for broken in fuzzed([good], seconds=fuzz_seconds()):
        (tmp_path / "x.dbn").write_bytes(header() + broken)
        try:
            source = DatabentoSource(tmp_path / "x.dbn")
            made = [chunk.copy() for chunk in source.chunks()]
        except InputError:
            refused += 1
            continue
        found = sum(int((chunk["kind"] == events.UNREADABLE).sum()) for chunk in made)
        assert found == source.counts["unreadable"]
        unreadable += found
    assert refused + unreadable, "no file was ever broken"
