"""The position: what a strategy holds of one instrument, what it cost, and what of it is open.

Execution keeps it, risk reads it, the strategy sees it. Money counts the instrument's price unit
times its lot unit, exactly. Worst case: int64 money, which is 9 * 10**18 units.
"""

from __future__ import annotations

from hftlib.core.records import record

POSITION = record(
    "position",
    192,
    """
    0    quantity     int64  held now; below zero: sold short
    8    cash         int64  received for all sales less paid for all purchases, without fees
    16   fees         int64  paid, rebates taken off
    24   bought       int64
    32   sold         int64
    40   open_buy     int64  quantity of open orders, as far as not filled
    48   open_sell    int64
    56   open_orders  int64
    64   first_open   int64  slot of the first open order; 0 none
    72   quote_bid    int64  the order of the quote's side; 0 none
    80   quote_ask    int64
    88   want_bid     int64  price the quote's side shall have; NO_PRICE none
    96   want_ask     int64
    104  want_bid_quantity  int64
    112  want_ask_quantity  int64
    120  fills        int64
    128  want_flags   int64  of the quote
    """,
)
POSITION_BYTES = POSITION.itemsize
