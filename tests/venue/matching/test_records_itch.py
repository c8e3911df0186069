"""Reports are enough to write ITCH 5.0, without a look into the engine: written from them alone,
the messages are read back by the feed and make the very book that shows; another decoder agrees.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from itch.messages import messages as theirs
from matching_flow import SYMBOLS, Flow, engine

from hftlib.book.books import Books
from hftlib.book.capacity import Capacity
from hftlib.core import jit
from hftlib.core.events import EVENT
from hftlib.feed.itch.messages import build, parse
from hftlib.feed.itch.translate import Translator
from hftlib.venue.matching import records as r

pytestmark = pytest.mark.modes
FAST = jit.COMPILED and not jit.BOUNDS_CHECKED
CROSS_LETTERS = {r.OPENING: "O", r.CLOSING: "C", r.REOPENING: "H"}
STATE_LETTERS = {r.AUCTION: "Q", r.TRADING: "T", r.HALTED: "H", r.PAUSED: "P", r.CLOSED: "H"}


def money(units: Any) -> Decimal:
    return Decimal(int(units)).scaleb(-4)


def body(one: Any, letter: str) -> dict[str, Any]:
    """The fields of the message behind its header."""
    stock = SYMBOLS[one["symbol"]] if one["symbol"] < len(SYMBOLS) else ""
    number, other, shown = int(one["order"]), int(one["other"]), int(one["shown"])
    side = "B" if one["side"] == r.BUY else "S"
    price = {"price": money(one["price"])}
    added = {"reference": number, "side": side, "shares": shown, "stock": stock} | price
    executed = {"reference": number, "shares": shown, "match": other}
    match letter:
        case "A":
            return added
        case "F":
            return added | {"mpid": f"M{one['firm']:03}"}
        case "E":
            return executed
        case "C":
            return executed | price | {"printable": "Y" if one["printed"] else "N"}
        case "X":
            return {"reference": number, "shares": shown}
        case "D":
            return {"reference": other if one["kind"] == r.REPLACED else number}
        case "U":
            return {"reference": other, "new_reference": number, "shares": shown} | price
        case "P":
            return added | {"reference": 0, "match": other}
        case "Q":
            told = {"shares": int(one["quantity"]), "stock": stock, "match": other}
            return told | price | {"cross": CROSS_LETTERS[int(one["cross"])]}
        case "B":
            return {"match": other}
        case "I":
            told = {"paired": int(one["quantity"]), "imbalance": int(one["extra"]), "stock": stock}
            told |= {"far_price": money(one["open"]), "near_price": money(other)}
            told |= {"reference_price": money(one["price"]), "direction": "NBS"[one["state"]]}
            return told | {"cross": CROSS_LETTERS[int(one["cross"])]}
        case "H":
            letters = int(one["extra"]).to_bytes(4, "big").decode().replace("\0", " ")
            return {"stock": stock, "state": STATE_LETTERS[int(one["state"])], "reason": letters}
        case "J":
            told = {"stock": stock, "reference_price": money(one["price"])}
            return told | {"upper": money(one["quantity"]), "lower": money(one["open"])}
        case "S":
            return {"event": chr(one["extra"])}
    raise AssertionError(letter)


def written(reports: Any) -> list[bytes]:
    """The public's messages: the stocks first, then what the reports say."""
    told = [bytes(build("R", locate=n + 1, stock=s, round_lot=1)) for n, s in enumerate(SYMBOLS)]
    for one in reports:
        letter = chr(one["public"])
        if letter == "A" and one["shows"] == r.ATTRIBUTED:
            letter = "F"
        if one["public"]:
            locate = 0 if letter == "S" else int(one["symbol"]) + 1
            header = {"locate": locate, "timestamp": int(one["time"])}
            told.append(bytes(build(letter, **header, **body(one, letter))))
    return told


@pytest.mark.parametrize("seed", range(80, 84 if FAST else 81))
def test_the_feed_reads_the_book_that_shows(seed):
    made, flow = engine(), Flow(seed)
    reports = np.concatenate([made.obey(flow.commands(50)) for _ in range(30 if FAST else 8)])
    messages = written(reports)
    data = b"".join(len(one).to_bytes(2, "big") + one for one in messages)
    raw, into = np.frombuffer(data, np.uint8), np.zeros(len(messages) + 1, EVENT)
    translator = Translator(date="2026-11-20")
    assert translator.frames(raw.ctypes.data, len(raw), into) == (len(raw), len(messages))
    capacity = Capacity(instruments=len(SYMBOLS), orders=4096, levels=4096, pages=1024)
    books = Books(translator.instruments, capacity=capacity)
    books.apply(into[: len(messages)])
    assert not books.impossible
    rows = made.books.standing()
    assert books.standing().tolist() == rows[rows["instrument"] < len(SYMBOLS)].tolist()
    assert {parse(one).type for one in messages} >= set("RAEDHP")


def test_another_decoder_reads_the_same():
    made, flow = engine(), Flow(85)
    reports = np.concatenate([made.obey(flow.commands(50)) for _ in range(12)])
    messages = written(reports)
    compared = 0
    for data in messages:
        told, ours = theirs[data[:1]](data), parse(data).fields
        same = {"reference": "order_reference_number", "shares": "shares", "match": "match_number"}
        for mine, name in same.items():
            if mine in ours and hasattr(told, name):
                compared += 1
                assert getattr(told, name) == ours[mine]
    assert compared > 200
