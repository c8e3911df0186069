"""The venue's own description gives the units its streams are exact in."""

from __future__ import annotations

import pytest
from recorded import recorded

from hftlib.core.errors import InputError
from hftlib.feed.depth_json import DepthSource
from hftlib.feed.exchange_info import units_of


def test_a_real_answer_gives_units_in_which_a_real_stream_is_exact():
    units = units_of(recorded("crypto/BINANCE.0"), "btcusdt")
    assert units == {
        "price_unit": "0.01",
        "lot_unit": "0.00000001",
        "round_lot": 1000,
        "currency": "USDT",
    }
    path = recorded("crypto/hftbacktest_spot_btcusdt_20240808.gz")
    source = DepthSource(path, symbol="BTCUSDT", **units)
    assert sum(len(chunk) for chunk in source.chunks()) > 100_000
    assert source.instruments[0].round_lot == 1000 and source.counts["unreadable"] == 0


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"symbols":[]}', '{"symbols":[{"symbol":"A"}]}'])
def test_a_file_that_does_not_say_them_is_refused(tmp_path, text):
    (tmp_path / "x").write_text(text)
    with pytest.raises(InputError, match="does not say the units of A"):
        units_of(tmp_path / "x", "A")
    with pytest.raises(InputError, match="cannot be read"):
        units_of(tmp_path / "none", "A")
