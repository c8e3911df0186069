"""The instruments table: what is added is found, what is impossible is refused."""

from __future__ import annotations

import numpy as np
import pytest

from hftlib.core.errors import InputError
from hftlib.core.instruments import ACTION, INSTRUMENT, PHASE, Instruments
from hftlib.core.units import Unit


@pytest.fixture
def table() -> Instruments:
    made = Instruments()
    made.add("AAPL", venue="XNAS", tick=100, round_lot=100, source=13)
    made.add("BTCUSDT", venue="BINANCE", currency="USDT", price_unit="0.01", lot_unit="0.00001")
    made.add("AAPL", venue="ARCX", tick=100)
    return made


def test_a_row_reads_as_it_was_added(table):
    one = table[1]
    assert (one.symbol, one.venue, one.currency) == ("BTCUSDT", "BINANCE", "USDT")
    assert (one.price_unit, one.lot_unit) == (Unit("0.01"), Unit("0.00001"))
    assert (one.price_size, one.lot_size, one.tick) == (0.01, 0.00001, 1)
    assert table[0].round_lot == 100 and table[0].source == 13


def test_rows_never_move_and_keep_their_record(table):
    for number in range(1000):
        assert table.add(f"S{number}", venue="XNAS") == 3 + number
    assert table.table.dtype == INSTRUMENT and table.row("S999") == 1002
    again = Instruments(table.table.copy())
    assert [one.symbol for one in again] == table.symbols


def test_a_symbol_of_several_venues_wants_the_venue(table):
    assert table.row("AAPL", "ARCX") == 2
    with pytest.raises(InputError, match="several venues: XNAS, ARCX"):
        table.row("AAPL")
    with pytest.raises(InputError, match=r"no instrument 'APPL'.*such as AAPL"):
        table.row("APPL")
    with pytest.raises(InputError, match="no instrument in row 3"):
        table[3]


def test_each_has_a_name_of_its_own(table):
    names = table.names
    assert len(set(names)) == len(table) and names[2] == "AAPL@ARCX" and "AAPL@XNAS" in names
    assert Instruments().names == []


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"symbol": "AAPL", "venue": "XNAS"}, "in the table already"),
        ({"symbol": "", "venue": "XNAS"}, "symbol is empty"),
        ({"symbol": "S" * 25, "venue": "XNAS"}, "does not fit the 24 bytes"),
        ({"symbol": "A\0", "venue": "XNAS"}, "does not fit"),
        ({"symbol": "B", "venue": "XNAS", "tick": 0}, "tick of 0"),
        ({"symbol": "B", "venue": "XNAS", "price_unit": "0"}, "cannot be a unit"),
    ],
)
def test_what_cannot_be_is_refused(table, wrong, says):
    with pytest.raises(InputError, match=says):
        table.add(**wrong)
    assert len(table) == 3


def test_every_kind_the_drawing_names_fits(table):
    for kind in ("equity", "future", "spot", "perpetual"):
        assert table[table.add(kind, venue="X", kind=kind)].kind == kind


def test_phases_and_actions_are_kept(table):
    table.add_phase("XNAS", "continuous", 10, 20)
    table.add_split("BTCUSDT", 5, 4)
    table.add_dividend("BTCUSDT", 7, 0.25, 100.0)
    assert table.phases.dtype == PHASE and table.actions.dtype == ACTION
    assert table.phases["begin"].tolist() == [10]
    assert table.actions["price_factor"].tolist() == [0.25, 0.9975]
    assert table.actions["quantity_factor"].tolist() == [4.0, 1.0]
    assert table.actions["instrument"].tolist() == [1, 1]


def test_phases_and_actions_that_cannot_be_are_refused(table):
    with pytest.raises(InputError, match="ends before it begins"):
        table.add_phase("XNAS", "continuous", 20, 20)
    with pytest.raises(InputError, match="split of 0 for 1"):
        table.add_split("BTCUSDT", 5, 0)
    with pytest.raises(InputError, match="dividend of 100"):
        table.add_dividend("BTCUSDT", 5, 100, 100.0)
    assert not np.any(table.actions["effective"])
