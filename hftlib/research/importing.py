"""Which source reads which file: told by its name and its first bytes, or by the user.

    itch          ITCH 5.0 as published, plain or gzip, or MoldUDP64 in a capture
    lobster       a LOBSTER message file with its order book file, or the zip of both
    depth         recorded JSON of a Binance-like venue: receive time in ns, then the message
    coinbase      recorded level updates of Coinbase
    hftbacktest   .npz or .npy of hftbacktest 2
    frame         a table of trades and quotes: Parquet or CSV
    databento     DBN order by order

A source is made with those of the user's options that it takes; one it does not take is refused,
for to ignore it would be to read something else than was meant.
Worst case: a file that looks like nothing known is a sentence that lists the kinds.
"""

from __future__ import annotations

import gzip
import inspect
import re
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from hftlib.core.errors import InputError
from hftlib.feed.files import opened
from hftlib.feed.source import Source

HEAD_BYTES = 4096
_GZIP = b"\x1f\x8b"
_PAIR = re.compile(r"_(message|orderbook)(_\d+\.csv(\.gz)?)$")
_STAMPED = re.compile(rb"\d{16,19} [\[{]")
_CAPTURES = {
    bytes.fromhex(magic) for magic in ("d4c3b2a1", "a1b2c3d4", "4d3cb2a1", "a1b23c4d", "0a0d0d0a")
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file and the class that reads it."""

    name: str
    what: str
    module: str
    source: str
    unpacks: bool = True
    """Whether it reads gzip."""


KINDS = {
    kind.name: kind
    for kind in (
        Kind("itch", "ITCH 5.0", "feed.itch.source", "ItchSource"),
        Kind("lobster", "a LOBSTER day", "feed.lobster", "LobsterSource"),
        Kind("depth", "a recorded depth stream", "feed.depth_json", "DepthSource"),
        Kind("coinbase", "a Coinbase recording", "feed.coinbase", "CoinbaseSource"),
        Kind("hftbacktest", "an hftbacktest file", "feed.recorded_npz", "HftBacktestSource", False),
        Kind("frame", "a table of trades and quotes", "research.frames", "FrameSource"),
        Kind("databento", "a Databento file", "research.databento", "DatabentoSource", False),
    )
}
# Counts of sources that say that some of the input is not on the tape as what it was.
_LOST = (
    "unreadable",
    "bytes behind the end of the session",
    "bytes of a frame cut off at the end",
    "gzip data that ends too early",
    "bytes behind the gzip data",
    "bytes of the capture left unread",
)
# What one source calls otherwise than the command line.
_ALSO = {"price_unit": "tick_size", "lot_unit": "lot_size"}


def grouped(paths: Sequence[Path]) -> list[tuple[Path, ...]]:
    """The files that belong together: a LOBSTER message file with its order book, else one each."""
    groups: dict[str, tuple[Path, ...]] = {}
    for path in paths:
        if path.is_dir():
            raise InputError("This is a folder", where=str(path), do="Name the files in it.")
        key = str(path.with_name(_PAIR.sub(r"_\2", path.name)))
        if path in groups.get(key, ()):
            raise InputError("This file is named twice", where=str(path), do="Name it once.")
        groups[key] = (*groups.get(key, ()), path)
    return [tuple(sorted(group)) for group in groups.values()]  # message sorts before orderbook


def kind_of(path: Path) -> Kind:
    """The kind of a file, by its name where that says it, and by its first bytes."""
    with opened(path) as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise InputError("The file is empty", where=str(path), do="Check how it was made.")
    name = _kind_name(path, head)
    if name is None:
        raise InputError(
            "The file looks like nothing that can be imported",
            where=str(path),
            do=f"Say what it is with --as, one of {', '.join(KINDS)}.",
        )
    return KINDS[name]


def _kind_name(path: Path, head: bytes) -> str | None:
    if head.startswith(_GZIP):
        try:
            with gzip.open(path) as file:
                head = file.read(HEAD_BYTES)
        except (OSError, EOFError, zlib.error):
            return None  # what is no gzip after all, no source can read
    name = path.name.lower().removesuffix(".gz")
    if _PAIR.search(name):
        return "lobster"
    if head[:4] == b"PK\x03\x04":
        return _kind_of_zip(path)
    if head[:6] == b"\x93NUMPY":
        return "hftbacktest"
    if head[:3] == b"DBN" or name.endswith((".dbn", ".dbn.zst")):
        return "databento"
    if head[:4] == b"PAR1" or name.endswith((".parquet", ".csv")):
        return "frame"
    if _STAMPED.match(head):
        return "depth"
    if head.startswith(b"wss://") and b"coinbase" in head:
        return "coinbase"
    looks_like_itch = head[:1] == b"\0" and len(head) > 2 and chr(head[2]).isalpha()
    return "itch" if looks_like_itch or head[:4] in _CAPTURES else None


def _kind_of_zip(path: Path) -> str | None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return None
    if any(_PAIR.search(name) for name in names):
        return "lobster"
    return "hftbacktest" if any(name.endswith(".npy") for name in names) else None


def source_of(kind: Kind, files: Sequence[Path], options: dict[str, Any]) -> Source:
    """The source that reads these files, with the options that were given."""
    if not kind.unpacks:
        _require_unpacked(kind, files[0])
    made = _class_of(kind)
    takes = {
        name: one
        for name, one in inspect.signature(made).parameters.items()
        if one.kind is inspect.Parameter.KEYWORD_ONLY
    }
    given = {name: value for name, value in options.items() if value is not None}
    wanted: dict[str, Any] = {}
    for name, value in given.items():
        theirs = name if name in takes else _ALSO.get(name, "")
        if theirs not in takes:
            can = ", ".join(_option(one) for one in options if _taken_as(one, takes)) or "none"
            raise InputError(
                f"{kind.what[0].upper()}{kind.what[1:]} is not read with {_option(name)}",
                where=str(files[0]),
                do=f"Leave it out; it takes {can}.",
            )
        wanted[theirs] = value
    missing = [
        _option(one)
        for one in options
        if (theirs := _taken_as(one, takes))
        and takes[theirs].default is inspect.Parameter.empty
        and theirs not in wanted
    ]
    if missing:
        raise InputError(
            f"To read {kind.what}, {' and '.join(missing)} must be given",
            where=str(files[0]),
            do=f"Add {' '.join(f'{option} ...' for option in missing)} to the command.",
        )
    if len(files) > 1 and kind.name != "lobster":
        what = f"{kind.what} is one file, not {len(files)}"
        raise InputError(what, where=str(files[0]), do="Import the files one by one.")
    source: Source = made(*files, **wanted)
    return source


def _require_unpacked(kind: Kind, path: Path) -> None:
    with opened(path) as file:
        if file.read(len(_GZIP)) == _GZIP:
            what = f"{kind.what[0].upper()}{kind.what[1:]} packed with gzip is not read here"
            raise InputError(what, where=str(path), do="Unpack it first: gunzip --keep FILE.")


def odd(counts: dict[str, int]) -> str:
    """What was met beside messages, which are counted by their letter; empty if nothing was."""
    return ", ".join(f"{name}: {n:,}" for name, n in counts.items() if n and len(name) > 1)


def lost(counts: dict[str, int]) -> str:
    """What of the input could not be read; empty if all of it was."""
    return odd({name: counts[name] for name in _LOST if name in counts})


def _taken_as(option: str, takes: dict[str, Any]) -> str:
    return next((name for name in (option, _ALSO.get(option, "")) if name in takes), "")


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _class_of(kind: Kind) -> Any:
    try:
        return getattr(import_module(f"hftlib.{kind.module}"), kind.source)
    except ImportError as error:
        raise InputError(
            f"What reads {kind.what} is not installed: {error.name} is missing",
            where=f"hftlib.{kind.module}",
            do="Run `pip install 'hftlib[research]'`.",
        ) from None
