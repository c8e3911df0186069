"""Datagrams of a feed onto the tick path: in order, each message once, each as an event.

    datagram ─▶ sequencer ─▶ what follows ─▶ messages ─▶ translator ─▶ `market`
                                         └─▶ a gap, a recovery, an end ─▶ all books of this feed

A feed counts its instruments as it first hears of them, the session as it was set up; they are
the same where their symbols are. What is not ours is counted and passed over. Of several feeds
order number R of feed N of F is R * F + N to the books, for two venues may have the same.

Worst case: a gap that fills lets a whole window of held messages out at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core import events, jit
from hftlib.core.events import EVENT
from hftlib.engine.laps import BOOK, PARSE, lap
from hftlib.engine.live import shadow
from hftlib.engine.live.memory import (
    EVENT_AT,
    LINES_EACH,
    NOT_LOOKED,
    REQUEST_AT,
    STRANGER,
    call_3,
    call_4,
    feed_address,
    feed_of,
    live_at,
    number_of,
    row_address,
)
from hftlib.engine.looking import all_heard
from hftlib.feed.itch.tables import (
    LOCATES,
    LOCATES_AT,
    ROWS_AT,
    SYMBOL_WORDS,
    SYMBOLS_AT,
    numbers_at,
    translator_at,
)
from hftlib.feed.itch.translate import translate_message
from hftlib.feed.mold import machine
from hftlib.feed.mold import memory as m
from hftlib.feed.mold import packet as p

_delivery_at = jit.record_at(m.DELIVERY)
_event_at = jit.record_at(EVENT)
_words_at = jit.array_at(np.dtype(np.int64))
_END = events.code("END")


@jit.compiled()
def datagram(live: int, source: int, address: int, length: int) -> None:
    """One datagram of a line of a feed, as it came off the wire."""
    n, line = source // LINES_EACH, source % LINES_EACH
    now = live_at(live).now
    feed = feed_of(live, n)
    feed.datagrams += 1
    for _ in range(LINES_EACH):  # offered again after what it ended was taken
        again = machine.accept(feed.sequencer, line, address, length, now, now) == p.AGAIN
        follow(live, n)
        if not again:
            break
    if machine.is_missing(feed.sequencer):  # an answer makes room for the next request
        pass_time(live, n)


@jit.compiled()
def pass_time(live: int, n: int) -> None:
    """What time brings a feed: silence, patience that ends, a request."""
    feed = feed_of(live, n)
    machine.tick(feed.sequencer, live_at(live).now)
    follow(live, n)
    target = feed_address(live, n) + REQUEST_AT
    if feed.request_bytes == 0:
        feed.request_bytes = machine.write_request(feed.sequencer, target)


@jit.compiled()
def follow(live: int, n: int) -> None:
    """All that goes out now."""
    feed = feed_of(live, n)
    given = machine.following(feed.sequencer)
    while given != 0:
        if _delivery_at(given).kind == m.OUT_MESSAGES:
            _messages(live, n, given)
        else:
            _notice(live, n, given)
        given = machine.following(feed.sequencer)


@jit.compiled()
def _messages(live: int, n: int, given: int) -> None:
    feed, delivery = feed_of(live, n), _delivery_at(given)
    translator = translator_at(feed.translator)
    translator.received, translator.sequence = delivery.received, delivery.first
    place = feed_address(live, n) + EVENT_AT
    event = _event_at(place)
    cursor, end = delivery.address, delivery.address + delivery.length
    late = events.RECOVERED_LATE if delivery.late != 0 else 0
    while cursor < end:
        size = jit.load_be_u16(cursor)
        if size == 0:
            feed.empty += 1
            _blank(live, place, events.UNREADABLE, translator.sequence)
            event.reference = events.WRONG_LENGTH
            translator.sequence += 1
        else:
            translate_message(feed.translator, cursor + 2, size, place)
        event.flags |= late
        feed.messages += 1
        _seen(live, n, place)
        cursor += 2 + size


@jit.compiled()
def _seen(live: int, n: int, place: int) -> None:
    """One event of a feed, onto the tick path."""
    header, feed, event = live_at(live), feed_of(live, n), _event_at(place)
    base = header.session
    if event.instrument != events.ALL:
        row = jit.load_i64(row_address(live, feed.rows_at, event.instrument))
        if row == NOT_LOOKED:
            row = _look_up(live, n, event.instrument)
        if row < 0:
            feed.strangers += 1
            return
        event.instrument = row
        if header.feeds > 1:
            _of_several(event, n, header.feeds)
    elif header.feeds > 1:
        if header.shadow != 0:
            shadow.market(live, n, place)
        all_heard(base, header.now, event.time)
        call_4(header.by_feed, base, place, live + header.feed_of_at, n)
        if header.shadow != 0:
            shadow.send(live)
        return
    if header.shadow != 0:  # the venue sees it before we do
        shadow.market(live, n, place)
    lap(base, PARSE)
    call_3(header.market, base, place, header.now)
    lap(base, BOOK)
    if header.shadow != 0:
        shadow.send(live)


@jit.inlined
def _of_several(event: Any, n: int, feeds: int) -> None:
    """Each venue counts its orders from 1: in books that hold several, numbers are made apart."""
    if events.ADD <= event.kind <= events.REPLACE:
        event.reference = event.reference * feeds + n
        if event.kind == events.REPLACE:
            event.other = event.other * feeds + n


@jit.compiled()
def _look_up(live: int, n: int, row: int) -> int:
    """The session's row of a feed's, by its symbol, once the feed has told that."""
    header, feed = live_at(live), feed_of(live, n)
    locate = numbers_at(feed.translator + LOCATES_AT, LOCATES)[row]
    if numbers_at(feed.translator + ROWS_AT, LOCATES)[locate] < 0:
        return STRANGER  # it has no name yet
    symbol = _words_at(feed.translator + SYMBOLS_AT, LOCATES * SYMBOL_WORDS)[SYMBOL_WORDS * locate]
    found = STRANGER
    for one in range(header.instruments):
        is_ours = number_of(live, header.feed_of_at, one) == n
        if is_ours and number_of(live, header.symbols_at, one) == symbol:
            found = one
    jit.store_i64(row_address(live, feed.rows_at, row), found)
    return found


@jit.compiled()
def _notice(live: int, n: int, given: int) -> None:
    """What the sequencer says about its feed."""
    delivery, feed = _delivery_at(given), feed_of(live, n)
    kind = events.NOTICE
    if delivery.kind == m.OUT_GAP or delivery.kind == m.OUT_LOST or delivery.kind == m.OUT_SILENT:
        kind = events.GAP
    elif delivery.kind == m.OUT_RECOVERED:
        kind = events.RECOVERED
    elif delivery.kind == m.OUT_SESSION:
        kind = events.CLEAR
    feed.notices += 1
    place = feed_address(live, n) + EVENT_AT
    _blank(live, place, kind, delivery.first)
    event = _event_at(place)
    if kind == events.GAP:
        event.reference, event.other = delivery.first, delivery.after
    elif kind == events.NOTICE:
        event.reference = _END
    _seen(live, n, place)


@jit.compiled()
def _blank(live: int, place: int, kind: int, sequence: int) -> None:
    """An event that no message stands for; its time is ours, for want of the venue's."""
    event: Any = _event_at(place)
    event.time = event.received = live_at(live).now
    event.sequence, event.kind, event.instrument = sequence, kind, events.ALL
    event.reference = event.other = event.price = event.quantity = 0
    event.side, event.flags = 0, 0
