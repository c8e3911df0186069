"""The store: many days of tapes, journals and bars, asked by symbol and time, or in SQL.

    opening.py      `hft.store()`: a folder, or ClickHouse by its DSN
    store.py        Store: what a user calls, over either of the two
    entries.py      what stands in it: one small JSON for each thing that was added
    disk.py         the one writer, and files that are whole or not there
    spreading.py    events of a tape into columns, in machine code
    writing.py      columns into Parquet, by day and symbol, on all cores
    adding.py       tapes, bars and journals into a folder
    asking.py       questions: symbols, times, kinds, and SQL that only reads
    folder.py       a folder of Parquet, asked through DuckDB
    clickhouse.py   the same in ClickHouse
    tiers.py        hot, warm, cold
    copies.py       backup, restore, check
    commands.py     `hft store`

How it lies on disk, what a crash leaves and how it is used: `docs/store.md`.
"""
