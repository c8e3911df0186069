"""The kinds of store that all tests must pass: a folder, ClickHouse as chdb, ClickHouse by HTTP."""

from __future__ import annotations

import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

import hftlib as hft

_numbers = count()


@pytest.fixture(scope="session")
def http_engine():
    """The port of ClickHouse's engine in a process of its own."""
    program = [sys.executable, str(Path(__file__).parent / "http_engine.py")]
    process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True)
    try:
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


@pytest.fixture(params=["folder", "chdb", "http"])
def store(request, tmp_path):
    """An empty store. chdb has one engine for each process, so each gets its own database."""
    if request.param == "folder":
        yield hft.store(tmp_path / "store")
        return
    database = f"of_test_{next(_numbers)}"
    if request.param == "chdb":
        made = hft.store(f"chdb://memory/{database}")
    else:
        port = request.getfixturevalue("http_engine")
        made = hft.store(f"clickhouse://me:word@127.0.0.1:{port}/{database}?compress=false")
    yield made
    made.backend.close()
