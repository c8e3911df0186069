"""What a session leaves behind beside its orders and fills: the records a result is made of.

EQUITY is a row for each instrument at each sample, in order of time: what was held then, what it
had cost, and what the market asked for it. Rows of one sample share one time. MARKOUT is what the
market asked at a horizon after a fill, and so says whether the fill was a good one.

    FILL ──┬── horizon 0 ── MARKOUT: the middle of the book 10 ms after it
           ├── horizon 1 ── MARKOUT: 1 s after it
           └── horizon 2 ── MARKOUT: 10 s after it

Money is counted in the instrument's own unit, price unit times lot unit. Which ns a horizon means
stands beside the records, once for all of them. Worst case: samples times instruments rows of
64 bytes, fills times horizons rows of 32; whoever records bounds both.
"""

from __future__ import annotations

from hftlib.core.records import record

EQUITY = record(
    "equity",
    64,
    """
    0    time        int64   of the sample: ns since the epoch, UTC
    8    position    int64   held then, in lots; below zero: sold short
    16   cash        int64   received for all sales less paid for all purchases, without fees
    24   fees        int64   paid so far; rebates are taken off
    32   twice_mid   int64   best bid plus best ask; NO_PRICE unknown
    40   volume      int64   what the whole market has traded so far, in lots
    48   open_orders int64   how many of ours stood or were on their way
    56   instrument  uint32  row of the instruments table
    """,
)
EQUITY_BYTES = EQUITY.itemsize

MARKOUT = record(
    "markout",
    32,
    """
    0    fill        int64   number of the fill
    8    horizon     int64   which one, counted from 0
    16   twice_mid   int64   best bid plus best ask at the venue then; NO_PRICE unknown
    """,
)
MARKOUT_BYTES = MARKOUT.itemsize

# How long after a fill the market is asked again, unless told otherwise: 10 ms, 1 s, 10 s.
HORIZONS_NS = (10_000_000, 1_000_000_000, 10_000_000_000)
