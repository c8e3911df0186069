"""The bench of the store measures what it says, on a small market."""

import pytest

from hftlib.bench import store
from hftlib.core import jit


@pytest.mark.skipif(not jit.COMPILED, reason="it measures compiled code")
def test_every_row_takes_its_time_and_so_does_what_stands_beside_it(monkeypatch):
    monkeypatch.setattr(store, "SYMBOLS", 4)
    monkeypatch.setattr(store, "SECONDS", 20)
    rows = store.benches()
    assert [row.name for row in rows if row.budget] == [
        "a tape into the store, per event",
        "likewise, processor time of all threads",
    ]
    for row in rows:
        assert row.run() > 0 and (row.probe is None or row.probe() > 0), row.name


def test_the_questions_of_the_bench_have_the_answers_of_pandas(monkeypatch):
    monkeypatch.setattr(store, "SYMBOLS", 4)
    monkeypatch.setattr(store, "SECONDS", 20)
    bed = store.Bed()
    try:
        frame = bed.tape.frame()
        ours, theirs = bed.full.query(store.VOLUMES), store._volumes(frame)
        assert ours["symbol"].tolist() == theirs.index.tolist()
        assert ours[["n", "volume"]].to_numpy().tolist() == theirs.to_numpy().tolist()
        ours, theirs = bed.trades(bed.full), bed.trades_of(frame)
        assert ours["price"].tolist() == theirs["price"].tolist() and len(ours) > 3
    finally:
        bed.done()
