"""Every frame before an independent decoder of ITCH 5.0, with the fields that no rule checks."""

from __future__ import annotations

from typing import Any

import itch.messages

import hftlib as hft

# What says nothing about the flow and is the same in every market.
EXPECTED: dict[str, dict[str, Any]] = {
    "R": {
        "market_category": b"Q",
        "financial_status_indicator": b"N",
        "round_lot_size": 100,
        "round_lots_only": b"N",
        "issue_classification": b"C",
        "issue_sub_type": b"Z ",
        "authenticity": b"T",
        "short_sale_threshold_indicator": b"N",
        "ipo_flag": b"N",
        "luld_ref": b"1",
        "etp_flag": b"N",
        "etp_leverage_factor": 0,
        "inverse_indicator": b"N",
    },
    "Y": {"reg_sho_action": b"0"},
    "H": {"reserved": b" "},
    "F": {"attribution": b"HFTL"},
    "C": {"printable": b"N"},
    "I": {"variation_indicator": b"L"},
    "P": {"order_reference_number": 0, "buy_sell_indicator": b"B"},
}


def test_an_independent_decoder_reads_and_writes_every_frame() -> None:
    data = hft.synthetic(symbols=["AAA", "BRK.B"], seconds=40, seed=2, rate=60).itch_bytes()
    at, met, reasons = 0, set(), []
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        message = itch.messages.messages[data[at + 2 : at + 3]](data[at + 2 : end])
        assert message.to_bytes() == data[at + 2 : end]
        kind, fields = chr(data[at + 2]), vars(message)
        assert fields.get("stock", b"AAA     ") in (b"AAA     ", b"BRK.B   ")
        assert {name: fields[name] for name in EXPECTED.get(kind, {})} == EXPECTED.get(kind, {})
        if kind == "H" and fields["reason"] != b"    ":
            reasons.append((fields["trading_state"], fields["reason"]))
        if kind == "I":
            assert fields["far_price"] == fields["near_price"] == fields["current_reference_price"]
        met.add(kind)
        at = end
    assert met == set("SVRHYAFEXDUPQIC")
    assert reasons == [(b"H", b"T1  "), (b"Q", b"T3  ")]
