"""The tick path: one event in, and what it makes us send. Every driver calls these and no others.

    market(event) ─▶ the books ─▶ what each strategy reads ─▶ on_trade, on_book, on_halt (`news.py`)
    answer(event) ─▶ the order's life ─▶ on_order, on_fill ─▶ its quote
    timer(now)    ─▶ on_timer
    start, finish ─▶ on_start, on_stop

`base` is the header of the first strategy's seat (`seats.py`), of `finish` that of the one meant. A
report goes to the strategy whose order it is of, a timer to the one that set it, all else to each.

Time is an argument: `received` of an event is now. What the strategy asks for goes through
`intents.py` at once, and the commands wait in execution for the driver to take away.

A strategy whose callback ends with an exception is called no more; its standing orders stay, for
the driver to cancel or to leave.

Worst case: a callback that loops is ended by its own budget of steps.
"""

from __future__ import annotations

from hftlib.book.apply import apply_inline, apply_of_all, concerns_all
from hftlib.book.reading import NO_PRICE
from hftlib.book.tables import NO_INSTRUMENT, book_of, books_at
from hftlib.core import events, jit, orders
from hftlib.core.events import EVENT
from hftlib.engine.alarms import earliest
from hftlib.engine.calling import tell, tell_refused
from hftlib.engine.enforcing import enforce, guard
from hftlib.engine.flattening import flatten
from hftlib.engine.guarding import order_ended, reported
from hftlib.engine.looking import all_heard, catch_up_all, heard, look_from_now_on, now, show
from hftlib.engine.memory import (
    EAGER,
    FOREVER,
    RUNNING,
    TIMERS_AT,
    books_base,
    context_address,
    context_at,
    execution_base,
    risk_base,
    session_at,
    timer_at,
)
from hftlib.engine.news import all_learn_of_all, all_learn_of_one, learns, others_learn
from hftlib.engine.parameters import set_parameter
from hftlib.engine.parents import count, drive, wake_all
from hftlib.engine.quoting import settle_after_report, settle_again
from hftlib.engine.seats import after, first_of, is_alone, seat_of, seat_of_alarm
from hftlib.execution.life import CHANGED, FILLED, report
from hftlib.execution.memory import (
    execution_at,
    fill_address,
    fill_of,
    order_address,
    order_of,
    slot_of,
)
from hftlib.risk.directives import SET_LIMIT, SET_PARAMETER, directed, directive_at
from hftlib.risk.memory import risk_at
from hftlib.risk.recovering import GO_ON
from hftlib.strategy.abi import (
    ON_FILL,
    ON_ORDER,
    ON_START,
    ON_STOP,
    ON_TIMER,
)

_event_at = jit.record_at(EVENT)
_TIMER_BYTES = 16


@jit.inlined
def market(base: int, event_address: int, received: int) -> None:
    """A market event reaches us."""
    reached(base, _event_at(event_address).time, received, is_alone(base))
    seen(base, event_address, is_alone(base))


@jit.inlined
def reached(base: int, time: int, received: int, alone: bool) -> None:
    """What strategies are told of when the last event came. `alone`: there is one, as for `seen`.

    A loop that knows it beforehand says so, and pays nothing for there being several elsewhere.
    """
    heard(base, received, time)
    if not alone:
        all_heard(base, received, time)


@jit.inlined
def seen(base: int, event_address: int, alone: bool) -> None:
    """The event itself. What no strategy is called for may leave the time as it was."""
    session = session_at(base)
    event = _event_at(event_address)
    session.events += 1
    books = books_base(base)
    one = event.instrument < session.instruments
    trades = 0
    if one and (not alone or session.eager != 0):
        trades = book_of(books_at(books), books, event.instrument).trades
    changed = apply_inline(books, event_address)
    if not one:
        all_learn_of_all(base, event)
        return
    learns(base, event, trades, changed)
    if not alone:
        others_learn(base, event_address, trades, changed)


@jit.compiled("void(int64, int64, int64, int64)")
def seen_by_feed(base: int, event_address: int, routes: int, feed: int) -> None:
    """What concerns all, as one feed of several tells of it: to its own instruments."""
    session = session_at(base)
    event = _event_at(event_address)
    count = session.instruments
    if feed == 0:
        session.events += 1  # once, however many feeds tell of it
    if not concerns_all(event):
        if feed == 0:
            books_at(books_base(base)).impossible[NO_INSTRUMENT] += 1
        return
    for row in range(count):
        if jit.load_i64(jit.nth(routes, row, count, 8)) == feed:
            apply_of_all(books_base(base), event, row)
    for row in range(count):
        if jit.load_i64(jit.nth(routes, row, count, 8)) == feed:
            all_learn_of_one(base, event, row)


@jit.compiled("void(int64, int64, int64)")
def answer(base: int, event_address: int, entered: int) -> None:
    """A report about an order of ours reaches us, and the strategy whose it is."""
    event = _event_at(event_address)
    now(base, event.received, event.time)
    if not is_alone(base):
        catch_up_all(base)
    if event.kind == orders.DISCONNECTED:
        _cut_off(base, event_address, entered)
    else:
        seat = base if is_alone(base) else seat_of(base, event.reference)
        _answered(seat, event_address, entered)


@jit.inlined
def _answered(base: int, event_address: int, entered: int) -> None:
    event = _event_at(event_address)
    execution = execution_base(base)
    slot = slot_of(execution, event.reference)
    instrument = order_of(execution, slot).instrument
    fills, order = execution_at(execution).fills, order_of(execution, slot)
    before, fees = order.state, order.fees
    done = report(execution, event_address, entered)
    if done != 0:
        reported(base, instrument, fills, execution_at(execution).fills)
        if order.state >= orders.OVER and before < orders.OVER:
            order_ended(base, order)
    count(base, event, done, fees)
    over = order.state >= orders.OVER and order.reason != orders.ASKED
    refused = order.wanted_price if event.kind == orders.REPLACE_REJECTED else NO_PRICE
    # The order first: the strategy may send another in `on_fill`, and that may get its slot.
    if done & CHANGED:
        tell(base, ON_ORDER, instrument, order_address(execution, slot))
    if done & FILLED:
        for n in range(fills, execution_at(execution).fills):  # two: counted, and taken back
            tell(base, ON_FILL, fill_of(execution, n).instrument, fill_address(execution, n))
    if done & CHANGED and context_at(context_address(base)).stopped == RUNNING:
        settle_after_report(base, instrument, event.reference, event.kind, over, refused)
        if session_at(base).refusals != session_at(base).refusals_told:
            tell_refused(base)
    if risk_at(risk_base(base)).acts != 0:
        enforce(base)
    if session_at(base).eager > EAGER:
        drive(base, instrument)


@jit.compiled()
def _cut_off(base: int, event_address: int, entered: int) -> None:
    """Tell of each order whose fate is not known since a venue is cut off."""
    which = _event_at(event_address).instrument
    seat = first_of(base)
    while seat != 0:  # before anybody may act on it
        report(execution_base(seat), event_address, entered)
        seat = after(seat)
    seat = first_of(base)
    while seat != 0:
        execution = execution_base(seat)
        for slot in range(1, execution_at(execution).order_mask + 1):
            order = order_of(execution, slot)
            here = which == events.ALL or order.instrument == which
            if order.state == orders.UNKNOWN and here:
                tell(seat, ON_ORDER, order.instrument, order_address(execution, slot))
        seat = after(seat)


@jit.compiled("void(int64)")
def timer(base: int) -> None:
    """The earliest timer is due, and told of and forgotten; or a parent order wants to act."""
    seat = base if is_alone(base) else seat_of_alarm(base)
    session = session_at(seat)
    due = session.next_timer
    # A parent that wants to act at once says so with a time that is past; ours never goes back.
    time = max(due, session.time)
    for n in range(session.timers_used):
        one = timer_at(seat + TIMERS_AT + n * _TIMER_BYTES)
        if one.due == due:
            one.due = FOREVER
            session.next_timer = earliest(seat)
            now(base, time, time)
            tell(seat, ON_TIMER, 0, one.number)
            if session.eager > EAGER:
                drive(seat, -1)
            return
    now(base, time, time)
    drive(seat, -1)


@jit.compiled("void(int64, int64)")
def look_around(base: int, time: int) -> None:
    """Nothing came for a while: data may have grown old, and orders that wait may leave."""
    now(base, time, time)
    if not is_alone(base):
        catch_up_all(base)
    guard(base, time)
    if risk_at(risk_base(base)).flattening != 0:
        flatten(base, time)
        if risk_at(risk_base(base)).acts != 0:
            enforce(base)
    _tell_all_refused(base)


@jit.compiled("void(int64, int64)")
def directive(base: int, address: int) -> None:
    """Somebody tells risk something: it holds from now on, before anything else of now is heard."""
    time = directive_at(address).time
    now(base, time, time)
    told = directive_at(address)
    if told.what == SET_PARAMETER:
        set_parameter(base, address)
    else:
        directed(risk_base(base), address)
    if told.what == SET_LIMIT and told.outcome == 0:
        look_from_now_on(base, time)
    if risk_at(risk_base(base)).acts != 0:
        enforce(base)
    if told.what == GO_ON:
        wake_all(base)
    _tell_all_refused(base)  # orders that waited


@jit.compiled("void(int64, int64, int64)")
def opened(base: int, instrument: int, time: int) -> None:
    """The venue of an instrument takes orders: what quotes and parents wanted leaves now."""
    now(base, time, time)
    seat = first_of(base)
    while seat != 0:
        settle_again(seat, instrument)
        seat = after(seat)
    wake_all(base)
    _tell_all_refused(base)


@jit.compiled()
def _tell_all_refused(base: int) -> None:
    seat = first_of(base)
    while seat != 0:
        if session_at(seat).refusals != session_at(seat).refusals_told:
            tell_refused(seat)
        seat = after(seat)


@jit.compiled("void(int64, int64, int64)")
def start(base: int, time: int, venue_time: int) -> None:
    """Before the first event, at its times; nobody looked around before."""
    all_heard(base, time, venue_time)
    risk = risk_at(risk_base(base))
    risk.next_guard = max(risk.next_guard, time)
    seat = first_of(base)
    while seat != 0:
        for instrument in range(session_at(seat).instruments):
            show(seat, instrument)
        tell(seat, ON_START, 0, 0)
        if session_at(seat).eager > EAGER:
            drive(seat, -1)
        seat = after(seat)


@jit.compiled("void(int64, int64)")
def finish(base: int, time: int) -> None:
    """The end of one strategy: it may say a last word."""
    now(base, time, time)
    tell(base, ON_STOP, 0, 0)
