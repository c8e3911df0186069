"""OUCH messages written from our commands, each with a user reference, into the session.

    NEW      enter    DAY as tif 0, IOC 3, FOK 3 with the whole as least quantity
    REPLACE  replace  the whole order, what is filled included, as we count it too
             cancel   of a part, for less at the same price: the order keeps its place
    CANCEL   cancel   down to nothing

A quantity of OUCH is all that an order asks for, as ours is. The client's own text bears our number
of the order in 14 digits. Worst case: as many answers as `hftlib.core.soup.memory.UNSENT` has; then
no user reference is used up.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import events, jit, orders
from hftlib.core.jit import WireMessage
from hftlib.core.ouch.codec import encode_inbound
from hftlib.core.ouch.messages import INBOUND, PRICE_MARKET, URN_MAX
from hftlib.core.ouch.options import TAGS, clear, put
from hftlib.core.soup import client as session
from hftlib.core.soup.memory import NO_ROOM
from hftlib.execution.ouch.memory import (
    COMMAND_AT,
    CONTROL,
    ENTER,
    FREE,
    MESSAGE_AT,
    OPTIONS_AT,
    RECORD_AT,
    REPLACE,
    ROOM,
    command_at,
    entry_address,
    entry_of,
    gateway_at,
    route_address,
    route_of,
    working_of,
)
from hftlib.execution.ouch.pacing import stamp

_enter_at = jit.record_at(INBOUND["O"].dtype)
_replace_at = jit.record_at(INBOUND["U"].dtype)
_cancel_at = jit.record_at(INBOUND["X"].dtype)
_mass_at = jit.record_at(INBOUND["C"].dtype)
_entry_control_at = jit.record_at(INBOUND["D"].dtype)
_query_at = jit.record_at(INBOUND["Q"].dtype)


def _place(message: WireMessage, name: str) -> int:
    """Where a field of a message lies in the gateway."""
    (found,) = (field.record_at for field in message.fields if field.name == name)
    return RECORD_AT + found


_SYMBOL = _place(INBOUND["O"], "symbol")
_ENTER_TEXT = _place(INBOUND["O"], "client_id")
_REPLACE_TEXT = _place(INBOUND["U"], "client_id")
_MASS_FIRM, _MASS_SYMBOL = _place(INBOUND["C"], "firm"), _place(INBOUND["C"], "symbol")
_CONTROL_FIRM = _place(INBOUND["D"], "firm")
_O, _U, _X, _C, _Q, _B, _S, _Y, _N = (ord(letter) for letter in "OUXCQBSYN")
_TIF_DAY, _TIF_NOW, _BLANK = ord("0"), ord("3"), ord(" ")
_ZEROS = 0x3030_3030_3030_3030
_MIN_QUANTITY, _MAX_FLOOR = TAGS["min_quantity"].number, TAGS["max_floor"].number
_POST_ONLY, _POST = TAGS["post_only"].number, ord("P")
TEXT_DIGITS = 14


@jit.compiled()
def next_urn(base: int) -> int:
    """The next user reference; 0: none is left. One whose entry an open order needs is passed over.

    So an order that rests while thousands come and go is still led back to when it is filled.
    """
    gateway = gateway_at(base)
    urn = gateway.last_urn + 1
    for _ in range(gateway.entry_mask + 1):
        if urn > URN_MAX:
            return 0
        entry = entry_of(base, urn)
        place = entry_address(base, urn & gateway.entry_mask) + COMMAND_AT
        working = working_of(base, command_at(place).order)
        is_its = working.urn == entry.urn or working.asked_urn == entry.urn
        if entry.what == CONTROL or working.state == FREE or not is_its:
            return urn
        urn += 1
    return 0


@jit.compiled()
def wire_price(base: int, command: Any) -> int:
    """The price of a command as the venue has it; -1: it is none there."""
    if command.kind == orders.MARKET:
        return PRICE_MARKET
    units = route_of(base, command.instrument).units
    return command.price // units if command.price % units == 0 else -1


@jit.compiled()
def enter(base: int, client: int, command: Any, price: int, urn: int, now: int) -> int:
    """Send a new order at a price as the venue has it: 0, or why it cannot be sent now."""
    gateway = gateway_at(base)
    record = _enter_at(base + RECORD_AT)
    route = route_address(base, command.instrument)
    record.type, record.urn = _O, urn
    record.side = _B if command.side == events.BUY else _S
    record.quantity = command.quantity
    jit.store_i64(base + _SYMBOL, jit.load_i64(route))
    record.price = price
    record.tif = _TIF_DAY if command.lasts == orders.DAY else _TIF_NOW
    record.display, record.capacity = _Y, gateway.capacity
    record.iso, record.cross, record.appendage = _N, _N, 0
    put_text(base + _ENTER_TEXT, command.order)
    _options(base, command)
    return _send(base, client, now)


@jit.compiled()
def replace(base: int, client: int, command: Any, original: int, urn: int, now: int) -> int:
    """Send a replace: 0, or why it cannot be sent now."""
    record = _replace_at(base + RECORD_AT)
    record.type, record.original, record.urn = _U, original, urn
    record.quantity, record.price = command.quantity, wire_price(base, command)
    record.tif = _TIF_DAY if command.lasts == orders.DAY else _TIF_NOW
    record.display, record.iso, record.appendage = _Y, _N, 0
    put_text(base + _REPLACE_TEXT, command.order)
    _options(base, command)
    return _send(base, client, now)


@jit.compiled()
def cancel(base: int, client: int, urn: int, quantity: int, now: int) -> int:
    """Send a cancel down to so many shares: 0, or why it cannot be sent now."""
    record = _cancel_at(base + RECORD_AT)
    record.type, record.urn, record.quantity = _X, urn, quantity
    clear(base + OPTIONS_AT)
    return _send(base, client, now)


@jit.compiled()
def query(base: int, client: int, now: int) -> int:
    """Ask which user reference the venue takes next."""
    _query_at(base + RECORD_AT).type = _Q
    clear(base + OPTIONS_AT)
    return _send(base, client, now)


@jit.compiled("int64(int64, int64, int64, int64, int64)")
def control(base: int, client: int, letter: int, instrument: int, now: int) -> int:
    """A mass cancel (C), of one instrument or of all (-1); entry disabled (D), enabled (E).

    0, or why it cannot be sent now.
    """
    gateway = gateway_at(base)
    urn = next_urn(base)
    if urn == 0:
        return NO_ROOM
    if letter == _C:
        mass = _mass_at(base + RECORD_AT)
        mass.type, mass.urn, mass.appendage = letter, urn, 0
        _put_firm(base, base + _MASS_FIRM)
        for n in range(8):
            place = route_address(base, instrument) + n if instrument >= 0 else 0
            jit.store_u8(base + _MASS_SYMBOL + n, jit.load_u8(place) if place != 0 else _BLANK)
    else:
        entry = _entry_control_at(base + RECORD_AT)
        entry.type, entry.urn, entry.appendage = letter, urn, 0
        _put_firm(base, base + _CONTROL_FIRM)
    clear(base + OPTIONS_AT)
    why = _send(base, client, now)
    if why == 0:
        gateway.last_urn = urn
        gateway.controls += 1
        stamp(base, now)
        note(base, urn, CONTROL, 0, 0, now)
    return why


@jit.compiled()
def note(base: int, urn: int, what: int, command: int, original: int, now: int) -> None:
    """Remember what a user reference was used for; a command of 0 is none."""
    entry = entry_of(base, urn)
    entry.urn, entry.what, entry.original = urn, what, original
    entry.sent, entry.answered = now, 0
    if command != 0:
        place = entry_address(base, urn & gateway_at(base).entry_mask) + COMMAND_AT
        jit.copy_words(place, command, orders.COMMAND_BYTES)
    gateway = gateway_at(base)
    behind = entry_address(base, (urn + 1) & gateway.entry_mask)
    jit.prefetch(behind)  # the next one's was written long ago: no cache has it any more
    jit.prefetch(behind + COMMAND_AT)
    if what == ENTER:
        gateway.entered += 1
    elif what == REPLACE:
        gateway.replaced += 1


@jit.inlined
def _put_firm(base: int, place: int) -> None:
    gateway = gateway_at(base)
    for n in range(4):
        jit.store_u8(place + n, gateway.firm[n])


@jit.compiled("void(int64, int64)")
def put_text(place: int, number: int) -> None:
    """A number in TEXT_DIGITS digits: the last eight of them written over what is behind six."""
    high = number // 10**8
    jit.store_i64(place, _eight_digits(high) >> 16)
    jit.store_i64(place + 6, _eight_digits(number - high * 10**8))


@jit.inlined
def _eight_digits(number: int) -> int:
    """The letters of a number below 10**8, all found at once; the first is in the lowest byte.

    Halves, then pairs, then digits lie side by side in one word. A division by a constant is a
    product and a shift, exact for all that can come there.
    """
    high = (number * 109_951_163) >> 40  # // 10_000
    pairs = high | ((number - high * 10_000) << 32)
    high = ((pairs * 10_486) >> 20) & 0x0000_007F_0000_007F  # // 100
    pairs = high | ((pairs - high * 100) << 16)
    high = ((pairs * 103) >> 10) & 0x000F_000F_000F_000F  # // 10
    return _ZEROS | high | ((pairs - high * 10) << 8)


@jit.compiled()
def _options(base: int, command: Any) -> None:
    options = base + OPTIONS_AT
    clear(options)
    if command.lasts == orders.FOK:
        put(options, _MIN_QUANTITY, command.quantity)
    if 0 < command.display < command.quantity:
        put(options, _MAX_FLOOR, command.display)
    if command.flags & orders.POST_ONLY != 0:
        put(options, _POST_ONLY, _POST)


@jit.compiled()
def _send(base: int, client: int, now: int) -> int:
    """The message in the scratch record, through the session: 0, or why not."""
    size = encode_inbound(base + RECORD_AT, base + OPTIONS_AT, ROOM, base + MESSAGE_AT)
    return session.send(client, base + MESSAGE_AT, size, now)
