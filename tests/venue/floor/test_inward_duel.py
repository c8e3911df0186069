"""The two translations of the floor against their twin: random messages in, random reports out."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Any

import floor_twin as twin
import numpy as np
import pytest

from hftlib.core import jit, ouch
from hftlib.core.ouch.options import OPTIONS
from hftlib.core.soup import laying, pipes
from hftlib.core.soup import memory as soup
from hftlib.core.soup import server as sessions
from hftlib.venue.floor import memory as m
from hftlib.venue.floor import obeying, outward, public
from hftlib.venue.matching import reasons as why
from hftlib.venue.matching import records as r
from hftlib.venue.matching.engine import MatchingEngine, Size

pytestmark = pytest.mark.modes
ROUNDS = 1_500 if jit.COMPILED else 150
MIDNIGHT, NOW = 1_767_589_200_000_000_000, 1_767_623_400_000_000_000
SMALL = Size(orders=32, levels=64, pages=64, sessions=3, firms=3, trades=16)
MEMBERS = (
    {"firm": 1, "group": 7, "prevention": 2},
    {"firm": 2, "group": 0, "prevention": 0},
    {"firm": 1, "group": 7, "prevention": 2, "purges": 1},
)


class Bed:
    """A floor whose engine, streams and feed are there, and no sockets."""

    def __init__(self) -> None:
        self.memory = m.laid_out(list(twin.SYMBOLS), list(twin.FIRMS), 3)
        self.row = self.memory[: m.FLOOR.itemsize].view(m.FLOOR)
        self.base = self.memory.ctypes.data
        self.engine = MatchingEngine(list(twin.SYMBOLS), size=SMALL)
        self.servers = [laying.server_memory(2, 1, 1 << 13, 1 << 20) for _ in range(2)]
        self.blocks, self.offsets = np.zeros(1 << 20, np.uint8), np.zeros(1 << 14, np.int64)
        self.row["engine"] = self.engine.address
        self.row["entry"], self.row["copies"] = (one.ctypes.data for one in self.servers)
        self.row["blocks"], self.row["blocks_max"] = self.blocks.ctypes.data, len(self.blocks)
        self.row["offsets"], self.row["messages_max"] = self.offsets.ctypes.data, 1 << 13
        self.row["midnight"], self.row["now"] = MIDNIGHT, NOW
        rows = m.part(self.memory, "members", m.MEMBER, 4)
        for n, member in enumerate(MEMBERS, 1):
            for name, value in member.items():
                rows[name][n] = value
            rows["stream"][n], rows["copy"][n], rows["mark"][n] = (n - 1) % 2, 0, n

    def said(self, server: int, stream: int) -> list[bytes]:
        """All messages of a stream."""
        base, found = self.servers[server].ctypes.data, []
        t = sessions.stream_of(base, stream)
        count, index, blocks = int(t.count), int(t.index_at), int(t.blocks_at)
        data = self.servers[server]
        for n in range(count):
            begin, end = (int(jit.load_i64(base + index + 8 * k)) for k in (n, n + 1))
            found.append(data[blocks + begin + pipes.HEADER_BYTES : blocks + end].tobytes())
        return found

    def told(self) -> list[bytes]:
        """All messages of the feed."""
        count = int(self.row["messages"][0])
        cuts = self.offsets[: count + 1].tolist()
        return [self.blocks[a + 2 : b].tobytes() for a, b in pairwise(cuts)]


def inbound(draw: Random) -> Any:
    letter = draw.choice("OOOOUUXMCDEQ")
    word = draw.choice
    urn = draw.randrange(1, 50)
    if letter in "OU":
        fields: dict[str, Any] = {
            "quantity": draw.choice([0, 1, 100, 999_999, 1_000_000]),
            "price": f"{draw.choice([0, 1, 1_000_000, r.PRICE_MAX, r.MARKET]) / 10_000:.4f}",
            "tif": word("0356E?"),
            "display": word("YNA?"),
            "iso": word("YN"),
            "client_id": draw.choice(["", "abc", "fourteen bytes"]),
        }
    options: dict[str, Any] = {}
    if letter == "O":
        fields |= {"urn": urn, "side": word("BSTE?"), "capacity": word("APRO")}
        fields |= {"symbol": draw.choice([*twin.SYMBOLS, "NONE"]), "cross": word("NOCHS")}
    elif letter == "U":
        fields |= {"original": urn, "urn": urn + 1}
    elif letter == "X":
        fields = {"urn": urn, "quantity": draw.randrange(3)}
    elif letter == "M":
        fields = {"urn": urn, "quantity": 5, "side": word("BSTE?")}
    elif letter in "CDE":
        fields = {"urn": urn, "firm": draw.choice(["", *twin.FIRMS, "WHO"])}
        if letter == "C":
            fields["symbol"] = draw.choice(["", *twin.SYMBOLS, "NONE"])
    else:
        fields = {}
    if letter in "OU":
        given = {
            "min_quantity": 50, "max_floor": 100, "peg_offset": -200, "post_only": word("PN"),
            "expire_time": 60, "firm": draw.choice(twin.FIRMS), "group": 3, "route": 1,
            "price_type": word("LPRMm?"), "self_match": word("NOBD?"), "discretion_offset": -1,
            "customer_type": "R",
        }  # fmt: skip
        chosen = draw.sample(list(given), draw.choice([0, 0, 1, 2, 3]))
        options = {name: given[name] for name in chosen}
    return ouch.inbound(letter, options, **fields)


def test_every_message_in_is_the_command_that_its_twin_makes_of_it():
    bed, draw, locked = Bed(), Random(1), set()
    for _ in range(ROUNDS):
        message, session = inbound(draw), draw.choice([1, 2, 3])
        data = np.frombuffer(bytes(message), np.uint8).copy()
        assert obeying.hear(bed.base, session, data.ctypes.data, len(data)) == 1
        command = bed.row["command"][0]
        got = {name: int(command[name]) for name in r.COMMAND.names if command[name]}
        member = MEMBERS[session - 1]
        assert got == twin.command_of(message, session, member, NOW, locked), repr(message)
    assert bed.row["unreadable"][0] == 0 and bed.row["heard"][0] == ROUNDS


def report(draw: Random, kind: int) -> Any:
    one = np.zeros(1, r.REPORT)[0]
    one["kind"], one["session"] = kind, draw.choice([0, 1, 1, 2])
    one["time"] = NOW + draw.randrange(10**9)
    for name in ("order", "other", "urn", "original"):
        one[name] = draw.randrange(1, 1 << 31)
    for name in ("quantity", "open", "shown", "extra"):
        one[name] = draw.randrange(1, 1 << 19)
    one["price"] = draw.randrange(1, r.PRICE_MAX)
    one["symbol"], one["firm"] = draw.randrange(3), draw.randrange(1, 4)
    one["side"], one["lasts"] = draw.randrange(1, 5), draw.randrange(1, 5)
    one["shows"], one["cross"] = draw.randrange(1, 4), draw.randrange(4)
    one["capacity"], one["sweep"] = ord(draw.choice("APRO")), ord(draw.choice("YN"))
    one["prevention"], one["printed"] = draw.randrange(5), draw.randrange(2)
    one["reason"] = draw.randrange(len(why.NAMES))
    one["liquidity"] = ord(draw.choice("ARHC"))
    text = draw.choice(["", "mine", "fourteen bytes"]).ljust(14).encode() + bytes(2)
    one["client_low"] = int.from_bytes(text[:8], "little", signed=True)
    one["client_high"] = int.from_bytes(text[8:], "little", signed=True)
    letters = "\0AECXDUPQIHJBS"
    one["public"] = ord(draw.choice(letters))
    if chr(one["public"]) == "S":
        one["extra"], one["symbol"] = ord(draw.choice("OSQMEC")), 0
    if chr(one["public"]) == "H":
        one["extra"] = draw.choice([0, int.from_bytes(b"T1  ", "big")])
    if chr(one["public"]) in "IH":
        one["state"] = draw.randrange(3 if chr(one["public"]) == "I" else 5)
    if kind == r.MASS_CANCELLED and not one["public"]:
        one["symbol"] = draw.choice([0, 1, r.ALL])
    return one


def test_every_report_out_is_what_its_twin_says_to_owner_copy_and_public():
    bed, draw = Bed(), Random(2)
    wanted: dict[int, list[bytes]] = {1: [], 2: []}
    copies: list[bytes] = []
    publics: list[bytes] = []
    for n in range(ROUNDS):
        one = report(draw, draw.randrange(1, 21))
        echo = {"min_quantity": n, "post_only": "P"} if n % 3 == 0 else {}
        crossing = draw.randrange(1, 4)
        bed.row["command"]["kind"], bed.row["command"]["cross"] = r.CROSS, crossing
        bed.row["echo"] = 1 if echo else 0
        at = m.OPTIONS_AT
        made = ouch.outbound("A", echo)._options
        bed.memory[at : at + OPTIONS.itemsize] = made.view(np.uint8)
        data = np.array([one])
        outward.say(bed.base, data.ctypes.data)
        public.tell(bed.base, data.ctypes.data)
        answer = twin.answer_of(one, MIDNIGHT, crossing, echo) if one["session"] else None
        if answer is not None:
            wanted[int(one["session"])].append(answer[0])
            if answer[1]:
                read = ouch.decode(answer[0], ouch.OUTBOUND)
                mark = {"urn_index": int(one["session"])}
                fields = {k: v for k, v in read.fields.items() if k not in ("type", "appendage")}
                copy = ouch.outbound(read.type, answer[1]["options"] | mark, **fields)
                copies.append(bytes(copy))
        told = twin.public_of(one, MIDNIGHT)
        publics += [told] if told is not None else []
    for session, messages in wanted.items():
        assert bed.said(0, session - 1) == messages
    assert bed.said(1, 0) == copies and bed.told() == publics
    assert min(len(copies), len(publics), *map(len, wanted.values())) > ROUNDS // 10
    assert not bed.row["unsaid"][0] and not bed.row["unpublished"][0]


def test_garbage_is_counted_or_refused_and_never_lost():
    bed, draw = Bed(), Random(3)
    for n in range(ROUNDS):
        data = bytearray(bytes(inbound(draw)))
        if n % 2:
            data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        else:
            data = data[: draw.randrange(len(data) + 1)]
        place = np.frombuffer(bytes(data) + b"\0", np.uint8).copy()
        obeying.hear(bed.base, 1, place.ctypes.data, len(data))
    assert 0 < bed.row["unreadable"][0] < ROUNDS
    assert bed.row["commands"][0] > ROUNDS // 4


def test_an_order_whose_options_are_damaged_is_refused_and_a_cancel_is_obeyed():
    bed = Bed()
    fields = {"quantity": 100, "symbol": "AAA", "price": "1", "tif": "0", "display": "Y"}
    order = bytes(ouch.inbound("O", urn=1, side="B", capacity="P", iso="N", cross="N", **fields))
    for message in (order + b"\3\7", bytes(ouch.inbound("X", urn=1, quantity=0)) + b"?"):
        data = np.frombuffer(message, np.uint8).copy()
        assert obeying.hear(bed.base, 1, data.ctypes.data, len(data)) == 1
    told = [ouch.decode(one, ouch.OUTBOUND) for one in bed.said(0, 0)]
    assert [(one.type, one.urn) for one in told] == [("J", 1), ("I", 1)]
    assert bed.row["unreadable"][0] == 2


def test_a_stream_or_a_feed_that_is_full_says_so():
    bed = Bed()
    stream = bed.servers[0][soup.SERVER.itemsize + soup.CONNECTION_BYTES :][: 2 * soup.STREAM_BYTES]
    stream.view(soup.STREAM)["messages_max"] = 1
    bed.row["messages_max"] = 1
    query = np.frombuffer(bytes(ouch.inbound("Q")), np.uint8).copy()
    for expected in (0, 1, 2):
        obeying.hear(bed.base, 1, query.ctypes.data, 1)
        assert bed.row["unsaid"][0] == expected
        public.append(bed.base, query.ctypes.data, 1)
        assert bed.row["unpublished"][0] == expected
