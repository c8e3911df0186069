# mypy: ignore-errors
"""A recorded Binance USD-M stream through hftbacktest's own converter: the second feed.

    python recorded_feed.py hftbacktest_usdm_btcusdt_20240808.gz FILE.npz

Runs in the peer's environment. The input holds one JSON message a line behind its time of receipt.
The converter fills a buffer made at the start: ROWS_MAX bounds it, and memory with it.

It moves all receipts so that none lies before its event, and sorts both orders; a row whose places
in them differ stands twice, once marked EXCH and once LOCAL.

Worst case: a recording of more than ROWS_MAX rows ends with the converter's IndexError.
"""

from __future__ import annotations

import argparse

from hftbacktest.data.utils import binancefutures

ROWS_MAX = 20_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description="Convert a Binance USD-M recording.")
    parser.add_argument("recording")
    parser.add_argument("file")
    asked = parser.parse_args()
    rows = binancefutures.convert(asked.recording, asked.file, buffer_size=ROWS_MAX)
    print(f"{len(rows):,} rows")


if __name__ == "__main__":
    main()
