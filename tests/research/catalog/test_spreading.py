"""Columns made in machine code beside those of plain numpy, also where float64 is not enough."""

import numpy as np
import pytest
from store_days import SYMBOLS, events, table
from tapes import ArraySource

from hftlib.feed.tape_file import write_tape
from hftlib.research.catalog.spreading import Spreader
from hftlib.research.tape import open_tape
from hftlib.research.tape_frame import amounts

NAMES = {"price_units": "price", "lots": "quantity"}


@pytest.mark.parametrize("large", [False, True])
def test_every_column_is_that_of_the_events(tmp_path, large):
    made = events(5000, seed=4)
    if large:  # beyond what a quotient of two floats tells exactly
        chance = np.random.default_rng(1)
        for name in ("price", "quantity"):
            made[name] = chance.integers(-(1 << 62), 1 << 62, len(made))
    write_tape(tmp_path / "a.tape", ArraySource(made, table()))
    tape = open_tape(tmp_path / "a.tape")
    file = tape.selection.file
    spreader = Spreader(file, 2000)
    for row in range(len(SYMBOLS) + 1):
        places = file.positions_of(row)
        assert len(places)
        columns, found = spreader.columns(places), made[places]
        price, quantity = amounts(found, tape.instruments)
        for name, column in columns.items():
            wanted = {"price": price, "quantity": quantity}.get(name)
            wanted = found[NAMES.get(name, name)] if wanted is None else wanted
            np.testing.assert_array_equal(column, wanted, err_msg=name)
    assert len(spreader.columns(places[:0])["time"]) == 0
