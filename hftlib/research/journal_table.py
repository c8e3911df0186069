"""A journal as a Parquet table, a row a frame, for DataFrames and databases.

    sequence   int64                     length    uint32   bytes of the payload
    time       timestamp, ns, UTC        events    a list: what the frame says (`decoding.py`)
    kind       SESSION_IN, ...           words     the same for people, in one line
    direction  in, out, own              payload   the bytes, whole
    source     uint16

    of events: what, order, symbol, side, price, quantity, and `fields`: all of it, as JSON

A frame of a session holds several messages, or none where its bytes end within one; so events are a
list, and none is told twice or left out: `df.explode("events")`, `unnest(events)` in DuckDB. A
price is a float where the wire had decimals; prices of records are whole units, in `fields` only.

Worst case: a batch of BATCH_FRAMES frames, or of the one that takes it beyond BATCH_BYTES, is in
memory; some 50 µs a message of OUCH.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from hftlib.core.journal import Frame, frames, kinds
from hftlib.engine.live.decoding import Decoder, Told
from hftlib.research.journal_files import TOLD_FRAMES, whole_file

BATCH_FRAMES, BATCH_BYTES = 16_384, 1 << 24
Row = tuple[Frame, list[Told]]
_OF_FRAME = ("frame", "n", "time", "kind", "source", "length")


def write_parquet(
    target: Path,
    folder: Path,
    found: Iterator[tuple[Frame, bool]],
    advance: Callable[[int], None] = lambda _number: None,
) -> int:
    """Frames as a table; how many there were. `advance` is told a frame's number now and then.

    `found` has all frames from the first on, for messages begin in one and end in another, and with
    each whether it becomes a row.
    """
    import pyarrow.parquet as pq

    schema, decoder, count = frame_schema(), Decoder(described(folder)), 0
    with whole_file(target) as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for batch in _batches(found, decoder, advance):
            writer.write_table(_table(batch, schema))
            count += len(batch)
    return count


def described(folder: Path) -> Mapping[str, Any]:
    """What its first frame says of whoever wrote it, as far as it says that in JSON."""
    first = next(frames(folder), None)
    try:
        told = json.loads(first.payload) if first and first.kind == kinds.OPENED else {}
    except ValueError:
        told = {}
    return told if isinstance(told, dict) else {}


def _batches(
    found: Iterator[tuple[Frame, bool]], decoder: Decoder, advance: Callable[[int], None]
) -> Iterator[list[Row]]:
    batch: list[Row] = []
    size = 0
    for frame, is_row in found:
        told = decoder.take(frame)
        if frame.sequence % TOLD_FRAMES == 0:
            advance(frame.sequence)
        if not is_row:
            continue
        batch.append((frame, [_bare(one) for one in told]))
        size += len(frame.payload)
        if len(batch) >= BATCH_FRAMES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def frame_schema() -> Any:
    """The columns of frames."""
    import pyarrow as pa

    names = pa.dictionary(pa.int16(), pa.string())
    event = [
        ("what", pa.string()),
        ("order", pa.int64()),
        ("symbol", pa.string()),
        ("side", pa.string()),
        ("price", pa.float64()),
        ("quantity", pa.int64()),
        ("fields", pa.string()),
    ]
    return pa.schema(
        [
            ("sequence", pa.int64()),
            ("time", pa.timestamp("ns", tz="UTC")),
            ("kind", names),
            ("direction", names),
            ("source", pa.uint16()),
            ("length", pa.uint32()),
            ("events", pa.list_(pa.struct(event))),
            ("words", pa.string()),
            ("payload", pa.binary()),
        ]
    )


def _table(batch: list[Row], schema: Any) -> Any:
    import pyarrow as pa

    columns: list[list[Any]] = [
        [frame.sequence for frame, _ in batch],
        [frame.time for frame, _ in batch],
        [frame.name for frame, _ in batch],
        [_direction(frame.kind) for frame, _ in batch],
        [frame.source for frame, _ in batch],
        [len(frame.payload) for frame, _ in batch],
        [[_event(one) for one in told] for _, told in batch],
        ["; ".join(map(_words, told)) for _, told in batch],
        [frame.payload for frame, _ in batch],
    ]
    arrays = [
        pa.array(values).dictionary_encode().cast(field.type)
        if pa.types.is_dictionary(field.type)
        else pa.array(values, field.type)
        for values, field in zip(columns, schema, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _bare(told: Told) -> Told:
    """What it says, without what the row says already."""
    return {name: value for name, value in told.items() if name not in _OF_FRAME}


def _event(told: Told) -> Told:
    order = told.get("urn", told.get("order", told.get("reference")))
    price = told.get("price")
    return {
        "what": told["what"],
        "order": _whole(order),
        "symbol": told.get("symbol") if isinstance(told.get("symbol"), str) else None,
        "side": told.get("side") if isinstance(told.get("side"), str) else None,
        "price": float(price) if isinstance(price, str) else None,
        "quantity": _whole(told.get("quantity")),
        "fields": json.dumps(told, ensure_ascii=False),
    }


def _whole(value: Any) -> int | None:
    """A number that a column of int64 holds."""
    return value if isinstance(value, int) and -(1 << 63) <= value < 1 << 63 else None


def _words(told: Told) -> str:
    more = [f"{name}={value}" for name, value in told.items() if name != "what"]
    return " ".join([told["what"], *more])


def _direction(kind: int) -> str:
    known = kinds.KINDS.get(kind)
    return known.direction if known else "unknown"
