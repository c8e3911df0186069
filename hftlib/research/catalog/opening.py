"""`hft.store()`: which store is meant.

    hft.store()                                   HFT_STORE, else the folder data/store
    hft.store("/desk/store")                      a folder of Parquet
    hft.store("clickhouse://user:word@host/hft")  ClickHouse; also clickhouses:// for TLS
    hft.store("chdb:///desk/chdb")                ClickHouse inside this process; chdb://memory

Opening reads nothing but the mark of a folder. Worst case: a folder that has other things in it is
refused, rather than filled.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from hftlib.core.errors import InputError
from hftlib.core.units import shown
from hftlib.research.catalog.backend import FolderBackend
from hftlib.research.catalog.disk import Folder
from hftlib.research.catalog.store import Store

SCHEMES = ("clickhouse://", "clickhouses://", "chdb://")


def place() -> str:
    """Where the store is when nobody says."""
    return os.environ.get("HFT_STORE") or str(Path("data") / "store")


def store(where: Any = None) -> Store:
    """The store in a folder, or behind a DSN; a folder is made by the first `add`."""
    given = place() if where is None else where
    if not isinstance(given, str | os.PathLike) or not str(given).strip():
        raise InputError(
            f"{shown(given)} names no store",
            where="hft.store(...)",
            do="Give a folder, a DSN such as 'clickhouse://host/hft', or nothing for data/store.",
        )
    text = os.fspath(given)
    if text.startswith(SCHEMES):
        from hftlib.research.catalog.clickhouse import opened

        return Store(opened(text))
    if "://" in text:
        raise InputError(
            f"There is no kind of store {shown(text.partition('://')[0] + '://')}",
            where="hft.store(...)",
            do=f"Give a folder, or one of {', '.join(SCHEMES)}; object stores are for the cold "
            "tier: store.keep(cold='s3://...').",
        )
    return Store(FolderBackend(Folder(Path(text))))
