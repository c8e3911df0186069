"""The record of orders held beside bytes that are read by `struct` alone."""

from __future__ import annotations

import struct
from collections import Counter
from decimal import Decimal

from hftlib.core.journal import frames, kinds
from hftlib.core.orders import OVER
from hftlib.research.day.session import read_session

TICK = Decimal(10_000)


def messages(folder, kind, letter):
    """Every message of a stream: frame, its time, bytes."""
    rest = b""
    for frame in frames(folder):
        if frame.kind == kinds.CONNECTED and len(frame.payload) == 16:
            rest = b""
        if frame.kind != kind:
            continue
        rest += frame.payload
        while len(rest) >= 2 and len(rest) >= 2 + int.from_bytes(rest[:2], "big"):
            length = int.from_bytes(rest[:2], "big")
            if rest[2:3] == letter and length > 1:
                yield frame, rest[3 : 2 + length]
            rest = rest[2 + length :]


def test_what_was_sent_is_in_the_record_as_it_was_sent(traded):
    rows = read_session(traded).facts.rows
    entered = []
    for frame, data in messages(traded, kinds.SESSION_OUT, b"U"):
        if data[:1] == b"O":
            urn, side, quantity, symbol, price, tif = struct.unpack_from(">IcI8sQc", data, 1)
            entered.append(
                (frame.sequence, frame.time, urn, {b"B": "buy", b"S": "sell"}[side], quantity,
                 symbol.decode().strip(), price, {b"0": "day"}.get(tif, "immediate or cancel"),
                 int(data[31:45]))
            )  # fmt: skip
    found = [
        (row["frame"], row["time_ns"], row["user_reference"], row["side"], row["quantity"],
         row["symbol"], row["price"] * TICK, row["validity"], int(row["order_id"]))
        for row in rows
        if row["event"] == "NEW"
    ]  # fmt: skip
    assert len(found) > 50 and found == entered
    sent = Counter(data[:1] for _, data in messages(traded, kinds.SESSION_OUT, b"U"))
    kept = Counter(row["event"] for row in rows if row["direction"] == "out")
    assert (kept["NEW"], kept["MODIFY"], kept["CANCEL"]) == (sent[b"O"], sent[b"U"], sent[b"X"])


def test_each_answer_of_the_venue_is_a_row_with_the_venues_time(traded):
    session = read_session(traded)
    midnight = session.about["links"][0]["midnight_ns"]
    heard = []
    for frame, data in messages(traded, kinds.SESSION_IN, b"S"):
        if data[:1] == b"E":
            urn, quantity, price, liquidity, match = struct.unpack_from(">IIQcQ", data, 9)
            role = {b"A": "passive", b"R": "aggressive"}[liquidity]
            at = midnight + int.from_bytes(data[1:9], "big")
            heard.append((frame.sequence, at, urn, quantity, price, role, str(match)))
    found = [
        (row["frame"], row["venue_time_ns"], row["user_reference"], row["traded_quantity"],
         row["traded_price"] * TICK, row["liquidity"], row["trade_id"])
        for row in session.facts.rows
        if row["event"] in ("PARTIAL", "FILL")
    ]  # fmt: skip
    assert len(found) > 20 and found == heard
    letters = Counter(data[:1] for _, data in messages(traded, kinds.SESSION_IN, b"S"))
    kept = Counter(row["event"] for row in session.facts.rows if row["direction"] == "in")
    assert kept["ACCEPTED"] == letters[b"A"] and kept["MODIFIED"] == letters[b"U"]
    assert kept["REJECTED"] + kept["MODIFY_REJECTED"] == letters[b"J"]
    assert kept["CANCEL_REJECTED"] == letters[b"I"]
    assert kept["CANCELED"] + kept["EXPIRED"] + kept["REDUCED"] == letters[b"C"] + letters[b"D"]


def test_what_remains_of_an_order_is_what_the_engine_says(traded):
    session = read_session(traded)
    last = {row["order_id"]: row for row in session.facts.rows if row["order_id"]}
    orders = session.result.records["orders"]
    sent = {str(int(one["id"])): one for one in orders if str(int(one["id"])) in last}
    assert len(sent) == len(last) > 50
    for number, one in sent.items():
        open_now = 0 if one["state"] >= OVER else int(one["quantity"]) - int(one["filled"])
        assert last[number]["remaining"] == open_now
        filled = sum(
            row["traded_quantity"]
            for row in session.facts.rows
            if row["order_id"] == number and row["traded_quantity"]
        )
        assert filled == int(one["filled"])
        assert last[number]["strategy"] == ("Joiner", "QueueImbalance")[int(one["strategy"])]


def test_every_row_says_who_decided_and_that_no_market_saw_it(traded):
    rows = read_session(traded).facts.rows
    assert {row["strategy"] for row in rows} == {"Joiner", "QueueImbalance"}
    joiner = next(row for row in rows if row["strategy"] == "Joiner")
    assert joiner["decision_maker"].startswith("Joiner@") and len(joiner["decision_maker"]) == 71
    assert all(row["is_algorithm"] and row["simulated"] for row in rows)
    assert all(row["account"] == "frm1a" and row["venue"] == "HFTX" for row in rows)


def test_a_shadows_record_is_of_its_model_and_in_the_instruments_units(shadowed):
    session = read_session(shadowed)
    rows, result = session.facts.rows, session.result
    assert {row["event"] for row in rows} >= {"NEW", "ACCEPTED", "FILL"}
    assert all(row["simulated"] and row["mode"] == "shadow" for row in rows)
    fills = [row for row in rows if row["event"] in ("PARTIAL", "FILL")]
    kept = result.records["fills"]
    assert len(fills) == len(kept) > 5
    for row, one in zip(fills, kept, strict=True):
        assert row["traded_price"] * TICK == int(one["price"])
        assert row["traded_quantity"] == int(one["quantity"])
        assert row["order_id"] == str(int(one["order"]))
        assert row["venue_time_ns"] == int(one["time"])
        assert (row["liquidity"] == "aggressive") == bool(one["taker"])
