"""The two kinds of store, for the tests that both must pass: a folder, and ClickHouse as chdb."""

from __future__ import annotations

from itertools import count

import pytest

import hftlib as hft

_numbers = count()


@pytest.fixture(params=["folder", "chdb"])
def store(request, tmp_path):
    """An empty store. chdb has one engine for each process, so each gets its own database."""
    if request.param == "folder":
        yield hft.store(tmp_path / "store")
        return
    made = hft.store(f"chdb://memory/of_test_{next(_numbers)}")
    yield made
    made.backend.close()
