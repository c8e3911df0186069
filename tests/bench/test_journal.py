"""The bench of the journal measures what it says, on a few frames."""

import pytest

from hftlib.bench import journal, journal_standby
from hftlib.core import jit


@pytest.mark.skipif(not jit.COMPILED, reason="it measures compiled code")
def test_every_row_takes_its_time_and_so_does_what_stands_beside_it(monkeypatch):
    for name in ("APPENDS", "PACED", "FRAMES_KEPT"):
        monkeypatch.setattr(journal, name, 20_000)
    monkeypatch.setattr(journal_standby, "WAYS", 200)
    monkeypatch.setattr(journal_standby, "FRAMES", 20_000)
    monkeypatch.setattr(journal, "LATE_MAX", 1_000)  # of so few, one late moment is many
    rows = journal.benches()
    assert [row.name for row in rows if row.budget] == ["append 64 B, process, p50"]
    for row in rows:
        assert row.run() > 0 and row.probe() > 0, row.name
