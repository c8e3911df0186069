"""What a strategy sees and does: context, book, position, order, trade and fill.

    ctx.book(i)   ─ a row of markets    .bid .ask ...  .mid .imbalance ...  .price_at(side, n) ...
    ctx.holding(i) ─ a row of positions .quantity .cash ...
    ctx.order(id) ─ a row of orders     .price .state ...  .left .is_open .is_buy
    ctx.quote(i, bid, ask, quantity)    a service of the engine, called by its address

Each function below is the meaning of one name in both modes; the records are those of
`hftlib.strategy.abi` and `hftlib.core.orders`. An instrument out of range is the spare row behind
the last one, and is counted in `ctx.wrong_instrument`.

Worst case: an order that is long done has lost its place to another; asked for, it is the empty
order in slot 0, which engines never use.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.core.events import BUY, SELL, TRADING
from hftlib.core.orders import (
    DAY,
    FILL,
    FREE,
    LIMIT,
    LIVE,
    MARKET,
    ORDER,
    ORDER_BYTES,
    OVER,
    PARTLY_FILLED,
    POST_ONLY,
)
from hftlib.strategy import abi

NO_PRICE = -(2**60)  # as in books: the side is empty
_NAN = float("nan")

BOOK = jit.Shape("book", abi.MARKET)
HOLDING = jit.Shape("holding", abi.POSITION)
ORDERS = jit.Shape("order", ORDER)
TRADES = jit.Shape("trade", abi.TRADE)
FILLS = jit.Shape("fill", FILL)
CONTEXT = jit.Shape("ctx", abi.CONTEXT)

_book_at, _holding_at, _order_at = BOOK.at, HOLDING.at, ORDERS.at
context_at = CONTEXT.at


def service(name: str) -> Any:
    """A function that asks the engine for this service, by its address in the context."""
    result, takes = abi.SERVICES[name]
    place = abi.SERVICES_AT + 8 * list(abi.SERVICES).index(name)
    return jit.caller_at(f"{result}(int64, {takes})", place)


_price_at = service("price_at")
_quantity_at = service("quantity_at")
_quantity_to = service("quantity_to")
_quantity_within = service("quantity_within")
_imbalance_to = service("imbalance_to")
_sweep_price = service("sweep_price")
_submit = service("submit")
_cancel = service("cancel")

# The book.


@BOOK.derived
def has_both(book: Any) -> bool:
    """Whether neither side is empty, so that there is a middle."""
    return book.bid != NO_PRICE and book.ask != NO_PRICE


@BOOK.derived
def is_open(book: Any) -> bool:
    """Whether it trades, as far as the venue told."""
    return book.state == 0 or book.state == TRADING


@BOOK.derived
def spread(book: Any) -> float:
    """Best ask less best bid; not a number with an empty side."""
    return float(book.ask - book.bid) if book.has_both else _NAN


@BOOK.derived
def mid(book: Any) -> float:
    """The middle; not a number with an empty side."""
    return 0.5 * (book.bid + book.ask) if book.has_both else _NAN


@BOOK.derived
def microprice(book: Any) -> float:
    """The middle, weighted by the quantity on the *other* side; not a number with an empty side."""
    if not book.has_both:
        return _NAN
    both = float(book.bid_quantity) + float(book.ask_quantity)
    share = book.bid_quantity / both if both != 0.0 else 0.5
    return book.bid + (book.ask - book.bid) * share


@BOOK.derived
def imbalance(book: Any) -> float:
    """Of the best levels: 1 all bids, -1 all asks."""
    both = float(book.bid_quantity) + float(book.ask_quantity)
    if both > 0.0:
        return (float(book.bid_quantity) - float(book.ask_quantity)) / both
    return 0.0


@BOOK.derived
def _context(book: Any) -> int:
    return jit.address_of(book) + book.context_at


@BOOK.method
def price_at(book: Any, side: int, n: int = 0) -> int:
    """The price of the n-th level from the best one, which is number 0."""
    return _price_at(book._context, book.instrument, side, n)


@BOOK.method
def quantity_at(book: Any, side: int, n: int = 0) -> int:
    """What stands at the n-th level."""
    return _quantity_at(book._context, book.instrument, side, n)


@BOOK.method
def quantity_to(book: Any, side: int, levels: int) -> int:
    """What stands at the best levels together."""
    return _quantity_to(book._context, book.instrument, side, levels)


@BOOK.method
def quantity_within(book: Any, side: int, price: int) -> int:
    """What stands at a price and all better ones."""
    return _quantity_within(book._context, book.instrument, side, price)


@BOOK.method
def imbalance_to(book: Any, levels: int) -> float:
    """Of so many levels of each side: 1 all bids, -1 all asks."""
    return _imbalance_to(book._context, book.instrument, levels)


@BOOK.method
def sweep_price(book: Any, side: int, quantity: int) -> float:
    """The average price of taking so much from a side; not a number: not as much is there."""
    return _sweep_price(book._context, book.instrument, side, quantity)


# Orders.


@ORDERS.derived
def left(order: Any) -> int:
    """What is not filled yet."""
    return order.quantity - order.filled


def _is_open(order: Any) -> bool:
    """Whether it counts as open: held, under way, at the venue, or its fate is not known."""
    return FREE < order.state < OVER


ORDERS.derived(_is_open, "is_open")


@ORDERS.derived
def is_settled(order: Any) -> bool:
    """Whether the venue has it and nothing that was asked of it is under way."""
    return order.state == LIVE or order.state == PARTLY_FILLED


@ORDERS.derived
def is_over(order: Any) -> bool:
    """Whether it has ended, in whichever way."""
    return order.state >= OVER


@ORDERS.derived
def is_buy(order: Any) -> bool:
    return order.side == BUY


# The context: what is there.


@CONTEXT.method
def _row(ctx: Any, i: int) -> int:
    if 0 <= i < ctx.instruments:
        return i
    ctx.wrong_instrument += 1
    return ctx.instruments


@CONTEXT.method
def book(ctx: Any, i: int) -> Any:
    """What can be read of an instrument's book."""
    return _book_at(jit.address_of(ctx) + ctx.markets_at + ctx._row(i) * abi.MARKET_BYTES)


@CONTEXT.method
def holding(ctx: Any, i: int) -> Any:
    """What is held of an instrument, with its cash and fees."""
    return _holding_at(jit.address_of(ctx) + ctx.positions_at + ctx._row(i) * abi.POSITION_BYTES)


@CONTEXT.method
def position(ctx: Any, i: int) -> int:
    """What is held of an instrument, in lots; below zero: sold short."""
    return ctx.holding(i).quantity


@CONTEXT.method
def open_orders(ctx: Any, i: int) -> int:
    """How many orders are open in an instrument."""
    return ctx.holding(i).open_orders


@CONTEXT.method
def pnl(ctx: Any, i: int) -> float:
    """Cash less fees, and what is held at the middle, or the last price where there is none."""
    held, market = ctx.holding(i), ctx.book(i)
    price = market.mid if market.has_both else float(market.last)
    return float(held.cash - held.fees) + held.quantity * price


@CONTEXT.method
def order(ctx: Any, id: int) -> Any:  # noqa: A002
    """One of the strategy's orders, by the number that `submit` answered."""
    orders = jit.address_of(ctx) + ctx.orders_at
    found = _order_at(orders + (id & ctx.order_mask) * ORDER_BYTES)
    return found if found.id == id else _order_at(orders)


# The context: what can be done.


@CONTEXT.method
def submit(
    ctx: Any,
    i: int,
    side: int,
    price: float,
    quantity: int,
    kind: int = LIMIT,
    lasts: int = DAY,
    post_only: bool = False,
    display: int = 0,
    trigger: float = 0.0,
) -> int:
    """Send an order: its number, or minus the reason why not."""
    flags = POST_ONLY if post_only else 0
    here = jit.address_of(ctx)
    return _submit(here, i, side, price, quantity, kind, lasts, flags, display, trigger)


def _of_side(side: int, name: str) -> None:
    """`submit` with its side in the name."""

    def send(
        ctx: Any,
        i: int,
        price: float,
        quantity: int,
        kind: int = LIMIT,
        lasts: int = DAY,
        post_only: bool = False,
        display: int = 0,
        trigger: float = 0.0,
    ) -> int:
        return ctx.submit(i, side, price, quantity, kind, lasts, post_only, display, trigger)

    send.__name__ = name
    CONTEXT.method(send)


_of_side(BUY, "buy")
_of_side(SELL, "sell")


@CONTEXT.method
def market(ctx: Any, i: int, side: int, quantity: int) -> int:
    """Send an order without a limit."""
    return ctx.submit(i, side, 0.0, quantity, MARKET)


@CONTEXT.method
def cancel(ctx: Any, id: int) -> int:  # noqa: A002
    return _cancel(jit.address_of(ctx), id)
