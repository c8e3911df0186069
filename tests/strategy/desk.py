"""A desk for one strategy: all its memory, and services that write down what was asked of them.

The smallest engine there can be. Nothing is matched: `submit` answers 1, 2, 3 and so on, readers of
the book answer numbers made of their arguments. What was asked stands in `asked()`, in order.
"""

import numpy as np

from hftlib.core import jit
from hftlib.core.orders import FILL, ORDER
from hftlib.strategy import abi

LOG_ROWS, LOG_WIDTH = 4096, 12
DESK = np.dtype(
    [
        ("context", abi.CONTEXT),
        ("markets", abi.MARKET, (4,)),
        ("positions", abi.POSITION, (4,)),
        ("orders", ORDER, (8,)),
        ("trade", abi.TRADE),
        ("fill", FILL),
        ("count", np.int64),
        ("log", np.float64, (LOG_ROWS * LOG_WIDTH,)),
    ]
)
NO_PRICE = -(2**60)
_OFFSET = {name: DESK.fields[name][1] for name in DESK.names}
_COUNT_AT, _LOG_AT = _OFFSET["count"] - _OFFSET["context"], _OFFSET["log"] - _OFFSET["context"]
_row_at = jit.array_at(np.float64)
_run = jit.caller(abi.ENTRY)


@jit.compiled()
def note(context, service, a, b, c, d, e, f, g, h, i):
    count = jit.load_i64(context + _COUNT_AT)
    row = _row_at(context + _LOG_AT + (count % LOG_ROWS) * LOG_WIDTH * 8, LOG_WIDTH)
    row[0], row[1], row[2], row[3], row[4] = service, a, b, c, d
    row[5], row[6], row[7], row[8], row[9] = e, f, g, h, i
    jit.store_i64(context + _COUNT_AT, count + 1)
    return count + 1


def _service(name):
    result, takes = abi.SERVICES[name]
    return jit.callback(f"{result}(int64, {takes})")


@_service("submit")
def submit(context, i, side, price, quantity, kind, lasts, flags, display, trigger):
    return note(context, 0, i, side, price, quantity, kind, lasts, flags, display, trigger)


@_service("cancel")
def cancel(context, order):
    return note(context, 1, order, 0, 0, 0, 0, 0, 0, 0, 0)


@_service("cancel_all")
def cancel_all(context, i):
    return note(context, 2, i, 0, 0, 0, 0, 0, 0, 0, 0)


@_service("replace")
def replace(context, order, price, quantity):
    return note(context, 3, order, price, quantity, 0, 0, 0, 0, 0, 0)


@_service("quote")
def quote(context, i, bid, ask, bids, asks, flags):
    return note(context, 4, i, bid, ask, bids, asks, flags, 0, 0, 0)


@_service("timer")
def timer(context, delay, number):
    return note(context, 5, delay, number, 0, 0, 0, 0, 0, 0, 0)


@_service("stop")
def stop(context, number):
    return note(context, 6, number, 0, 0, 0, 0, 0, 0, 0, 0)


@_service("price_at")
def price_at(context, i, side, level):
    return note(context, 7, i, side, level, 0, 0, 0, 0, 0, 0) + 100 * side + level


@_service("quantity_at")
def quantity_at(context, i, side, level):
    return note(context, 8, i, side, level, 0, 0, 0, 0, 0, 0) + 10 * side + level


@_service("quantity_to")
def quantity_to(context, i, side, levels):
    return note(context, 9, i, side, levels, 0, 0, 0, 0, 0, 0) + levels


@_service("quantity_within")
def quantity_within(context, i, side, price):
    return note(context, 10, i, side, price, 0, 0, 0, 0, 0, 0) + price


@_service("imbalance_to")
def imbalance_to(context, i, levels):
    return 1.0 / note(context, 11, i, levels, 0, 0, 0, 0, 0, 0, 0)


@_service("sweep_price")
def sweep_price(context, i, side, quantity):
    return note(context, 12, i, side, quantity, 0, 0, 0, 0, 0, 0) + 0.25


@_service("queue_ahead")
def queue_ahead(context, order):
    return note(context, 13, order, 0, 0, 0, 0, 0, 0, 0, 0)


SERVICES = (
    submit,
    cancel,
    cancel_all,
    replace,
    quote,
    timer,
    stop,
    price_at,
    quantity_at,
    quantity_to,
    quantity_within,
    imbalance_to,
    sweep_price,
    queue_ahead,
)
NAMES = tuple(abi.SERVICES)


class Desk:
    """Three instruments, 1000 bid for 10, 1002 asked for 30, tick 2."""

    def __init__(self, strategy, compiled=True):
        self.strategy = strategy
        self.memory = np.zeros(1, DESK)
        self.state = np.zeros(1, strategy.state_dtype)
        strategy.lay(self.state)
        self.context = self.memory["context"][0]
        self.markets, self.positions = self.memory["markets"][0], self.memory["positions"][0]
        self.orders, self.trade = self.memory["orders"][0], self.memory["trade"][0]
        self.fill = self.memory["fill"][0]
        self._lay_context()
        self.entry = strategy.entry(compiled)

    def _lay_context(self):
        ctx, here = self.context, _OFFSET["context"]
        ctx["abi"], ctx["time"], ctx["instruments"], ctx["order_mask"] = abi.ABI, 1_000, 3, 7
        for name in ("markets", "positions", "orders"):
            ctx[f"{name}_at"] = _OFFSET[name] - here
        ctx["services"][: len(SERVICES)] = [service.address for service in SERVICES]
        for row in range(4):
            market = self.markets[row]
            market["instrument"], market["tick"], market["lot"] = row, 2, 1
            market["bid"], market["bid_quantity"] = 1000, 10
            market["ask"], market["ask_quantity"] = 1002, 30
            market["context_at"] = here - _OFFSET["markets"] - row * abi.MARKET_BYTES
        self.markets[3]["bid"] = self.markets[3]["ask"] = NO_PRICE

    def address(self, name, row=0):
        step = DESK[name].base.itemsize if DESK[name].subdtype else 0
        return self.memory.ctypes.data + _OFFSET[name] + row * step

    def call(self, callback, instrument=0, argument=0):
        """What the entry answers."""
        what = abi.CALLBACKS.index(callback)
        here = self.address("context")
        return int(_run(self.entry, what, self.state.ctypes.data, here, instrument, argument))

    def asked(self):
        """What was asked: the service's name and its arguments."""
        count = int(self.memory["count"][0])
        rows = self.memory["log"][0].reshape(LOG_ROWS, LOG_WIDTH)[:count]
        width = {name: len(abi.SERVICES[name][1].split(",")) for name in NAMES}
        names = [NAMES[int(row[0])] for row in rows]
        return [(n, *row[1 : 1 + width[n]]) for n, row in zip(names, rows.tolist(), strict=True)]
