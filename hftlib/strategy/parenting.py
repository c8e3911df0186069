"""Parent orders and routes as a strategy writes them.

    id = ctx.parent(i, hft.BUY, 5_000, algo=hft.TWAP, seconds=300, limit=b.ask + 10 * b.tick)
    id = ctx.route(i, hft.BUY, 5_000, limit=b.ask)           over all venues of the symbol
    ctx.parent_of(id)                                        .filled .state .is_over .left ...
    ctx.cancel_parent(id), ctx.pause_parent(id), ctx.resume_parent(id)
    ctx.child(id, price, quantity)                           of a parent with algo=hft.MANUAL

What is asked for is written into the draft beside the parents (`hftlib.core.parents`), and the
engine makes a parent of it or answers minus the reason. Every setting is an argument by name.

Worst case: a parent that is long over has lost its place to another; asked for, it is the empty
parent, whose state is 0.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit, parents
from hftlib.core.orders import DAY, POST_ONLY
from hftlib.core.parents import DRAFT, DRAFT_AT, PARENT, PARENT_BYTES, PARENTS
from hftlib.strategy.context import CONTEXT, service

PARENT_ORDERS = jit.Shape("parent", PARENT)

NO_LIMIT = float(parents.NO_LIMIT)
TWAP, SWEEP, PRIMARY = parents.TWAP, parents.SWEEP, parents.PRIMARY
_DONE, _HALTED, _RUNNING = parents.DONE, parents.HALTED, parents.RUNNING
_FINISH, _SHOWN_BY_VENUE = parents.FINISH, parents.SHOWN_BY_VENUE
_STOP, _PAUSE, _RESUME = parents.STOP_PARENT, parents.PAUSE_PARENT, parents.RESUME_PARENT
_NAN = float("nan")

_parent_at = PARENT_ORDERS.at
_header_at = jit.record_at(PARENTS)
_draft_at = jit.record_at(DRAFT)
_parent = service("parent")
_child = service("child")
_steer = service("steer")


@PARENT_ORDERS.derived
def left(parent: Any) -> int:
    """What is not filled yet."""
    return parent.quantity - parent.filled


@PARENT_ORDERS.derived
def is_running(parent: Any) -> bool:
    """Whether it sends children."""
    return parent.state == _RUNNING


@PARENT_ORDERS.derived
def is_over(parent: Any) -> bool:
    """Whether it is at its end and no child of it can trade any more."""
    return parent.done != 0


@PARENT_ORDERS.derived
def mean_price(parent: Any) -> float:
    """The mean price of its fills; not a number without any."""
    return parent.value / parent.filled if parent.filled > 0 else _NAN


@CONTEXT.method
def parent(
    ctx: Any,
    i: int,
    side: int,
    quantity: int,
    algo: int = TWAP,
    seconds: float = 0.0,
    limit: float = NO_LIMIT,
    finish: bool = False,
    slices: int = 0,
    jitter: float = 0.0,
    patience: float = -1.0,
    rate: float = 0.0,
    urgency: float = 0.0,
    display: int = 0,
    shown_by_venue: bool = False,
    peg: int = PRIMARY,
    offset: int = 0,
    clip: int = 0,
    gap: float = 0.01,
    delay: float = 0.0,
    seed: int = 0,
) -> int:
    """Begin a parent order: its number, or minus the reason why not."""
    here = jit.address_of(ctx)
    draft = _draft_at(here + ctx.parents_at + DRAFT_AT)
    draft.algo, draft.side, draft.quantity = algo, side, quantity
    draft.limit, draft.seconds, draft.delay = limit, seconds, delay
    draft.slices, draft.jitter, draft.patience = slices, jitter, patience
    draft.rate, draft.urgency, draft.display = rate, urgency, display
    draft.peg, draft.offset, draft.clip, draft.gap = peg, offset, clip, gap
    draft.flags = (_FINISH if finish else 0) | (_SHOWN_BY_VENUE if shown_by_venue else 0)
    draft.seed = seed
    return _parent(here, i)


@CONTEXT.method
def route(
    ctx: Any,
    i: int,
    side: int,
    quantity: int,
    limit: float = NO_LIMIT,
    how: int = SWEEP,
    seconds: float = 0.0,
    finish: bool = False,
    patience: float = -1.0,
    clip: int = 0,
    gap: float = 0.01,
) -> int:
    """Begin a parent order over all venues of the symbol of `i`; `how` is its algorithm."""
    return ctx.parent(
        i,
        side,
        quantity,
        algo=how,
        seconds=seconds,
        limit=limit,
        finish=finish,
        patience=patience,
        clip=clip,
        gap=gap,
    )


@CONTEXT.method
def parent_of(ctx: Any, id: int) -> Any:  # noqa: A002
    """A parent order, by the number that `parent` answered."""
    here = jit.address_of(ctx) + ctx.parents_at
    header = _header_at(here)
    rows = here + header.parents_at
    found = _parent_at(rows + (id & header.mask) * PARENT_BYTES)
    return found if found.id == id else _parent_at(rows)


@CONTEXT.method
def parent_filled(ctx: Any, id: int) -> int:  # noqa: A002
    """What is filled of a parent order; 0 of one that has lost its place."""
    return ctx.parent_of(id).filled


@CONTEXT.method
def cancel_parent(ctx: Any, id: int) -> int:  # noqa: A002
    """End a parent order and take back its children: 0, or minus the reason why not."""
    return _steer(jit.address_of(ctx), id, _STOP)


@CONTEXT.method
def pause_parent(ctx: Any, id: int) -> int:  # noqa: A002
    """Take back its children and send none until it is resumed; its time goes on."""
    return _steer(jit.address_of(ctx), id, _PAUSE)


@CONTEXT.method
def resume_parent(ctx: Any, id: int) -> int:  # noqa: A002
    """Let it go on."""
    return _steer(jit.address_of(ctx), id, _RESUME)


@CONTEXT.method
def child(
    ctx: Any,
    id: int,  # noqa: A002
    price: float,
    quantity: int,
    lasts: int = DAY,
    post_only: bool = False,
) -> int:
    """Send a child of a MANUAL parent: its number, or minus the reason why not."""
    flags = POST_ONLY if post_only else 0
    return _child(jit.address_of(ctx), id, price, quantity, lasts, flags)
