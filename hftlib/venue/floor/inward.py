"""From an OUCH message to the engine's COMMAND: the way in.

    to_command(floor, session, broken)     1: the floor's COMMAND is it; 0: it is no message

The message lies decoded in the floor, with its options. Who sent it is known by the session, so
nothing in a message says whose it is: a firm in it must be the session's own, or none. What we
cannot do (discretion, routing, a random reserve) is refused, not left out. `broken` says that the
appendage is damaged: an order with terms nobody can read is refused under its number; a cancel, of
which all is known, is obeyed.

A session that purges enters nothing. What it cancels is its firm's, by whichever session it came,
and when it disables the firm, no session that does not purge enables it again.

Worst case: a symbol's hash is searched as long as names pile up there; it is at most half full.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.core.jit import WireMessage
from hftlib.core.ouch.messages import INBOUND
from hftlib.core.ouch.options import TAGS, has, options_at, value_of
from hftlib.core.records import field_offset
from hftlib.venue.floor import codes
from hftlib.venue.floor.memory import (
    COMMAND_AT,
    OPTIONS_AT,
    WIRE_AT,
    command_at,
    firm_of,
    floor_at,
    member_of,
    symbol_row,
)
from hftlib.venue.matching.records import (
    ACCOUNT,
    ALL,
    CANCEL,
    COMMAND,
    COMMAND_BYTES,
    DISABLE,
    ENABLE,
    ENTER,
    GTT,
    MASS_CANCEL,
    MODIFY,
    OF_ALL,
    PLAIN,
    POST_ONLY,
    REPLACE,
)

SECOND_NS = 1_000_000_000
NO_FIRM_NUMBER, NO_SYMBOL_ROW = 0xFFFF, ALL - 1
CLIENT_BYTES = 14
_CLIENT = COMMAND_AT + field_offset(COMMAND, "client_low")

_enter_at = jit.record_at(INBOUND["O"].dtype)
_replace_at = jit.record_at(INBOUND["U"].dtype)
_cancel_at = jit.record_at(INBOUND["X"].dtype)
_modify_at = jit.record_at(INBOUND["M"].dtype)
_mass_at = jit.record_at(INBOUND["C"].dtype)
_control_at = jit.record_at(INBOUND["D"].dtype)
_O, _U, _X, _M, _C, _D, _E = (ord(letter) for letter in "OUXMCDE")
_BLANKS_4, _BLANKS_8 = 0x2020_2020, 0x2020_2020_2020_2020
_P = ord("P")
_TAGS = {name: tag.number for name, tag in TAGS.items()}
_FIRM, _MINIMUM, _FLOOR = _TAGS["firm"], _TAGS["min_quantity"], _TAGS["max_floor"]
_STYLE, _OFFSET, _POST = _TAGS["price_type"], _TAGS["peg_offset"], _TAGS["post_only"]
_EXPIRE, _GROUP, _SELF = _TAGS["expire_time"], _TAGS["group"], _TAGS["self_match"]
_BEYOND_US = sum(
    1 << _TAGS[name]
    for name in (
        *("discretion_price", "discretion_type", "discretion_offset", "random_reserve", "route"),
        *("display_quantity", "display_price"),
    )
)


def field_at(message: WireMessage, name: str) -> int:
    """Where a field of a decoded OUCH message lies in the floor."""
    (found,) = (field.record_at for field in message.fields if field.name == name)
    return WIRE_AT + found


_SYMBOL, _ENTER_TEXT = field_at(INBOUND["O"], "symbol"), field_at(INBOUND["O"], "client_id")
_REPLACE_TEXT = field_at(INBOUND["U"], "client_id")
_MASS_FIRM, _MASS_SYMBOL = field_at(INBOUND["C"], "firm"), field_at(INBOUND["C"], "symbol")
_CONTROL_FIRM = field_at(INBOUND["D"], "firm")


@jit.compiled()
def to_command(floor: int, session: int, broken: int) -> int:
    """The message at hand as the floor's COMMAND."""
    for at in range(0, COMMAND_BYTES, 8):
        jit.store_i64(floor + COMMAND_AT + at, 0)
    command = command_at(floor + COMMAND_AT)
    command.time = floor_at(floor).now
    command.session = session
    command.firm = member_of(floor, session).firm
    letter = jit.load_u8(floor + WIRE_AT)
    if letter == _O:
        _entered(floor, command, broken)
    elif letter == _U:
        _replaced(floor, command, broken)
    elif letter == _X:
        said = _cancel_at(floor + WIRE_AT)
        command.kind, command.urn, command.quantity = CANCEL, said.urn, said.quantity
    elif letter == _M:
        marked = _modify_at(floor + WIRE_AT)
        command.kind, command.urn, command.quantity = MODIFY, marked.urn, marked.quantity
        command.side = codes.SIDES_IN[marked.side]
    elif letter == _C:
        mass = _mass_at(floor + WIRE_AT)
        command.kind, command.urn = MASS_CANCEL, mass.urn
        command.firm = _own_firm(floor, session, floor + _MASS_FIRM)
        command.flags = OF_ALL if member_of(floor, session).purges != 0 else 0
        letters = jit.load_i64(floor + _MASS_SYMBOL)
        command.symbol = ALL if letters == _BLANKS_8 else _known(floor, letters)
    elif letter in (_D, _E):
        control = _control_at(floor + WIRE_AT)
        command.kind, command.urn = DISABLE if letter == _D else ENABLE, control.urn
        command.firm = _own_firm(floor, session, floor + _CONTROL_FIRM)
        if command.firm != NO_FIRM_NUMBER and not _may_control(floor, session, command):
            command.firm = NO_FIRM_NUMBER
    else:
        command.kind = ACCOUNT
    return 1


@jit.inlined
def _entered(floor: int, command: Any, broken: int) -> None:
    said = _enter_at(floor + WIRE_AT)
    member = member_of(floor, command.session)
    options = floor + OPTIONS_AT
    command.kind, command.urn = ENTER, said.urn
    command.side = codes.SIDES_IN[said.side]
    command.quantity, command.price = said.quantity, said.price
    command.symbol = _known(floor, jit.load_i64(floor + _SYMBOL))
    command.shows = codes.SHOWS_IN[said.display]
    command.capacity, command.sweep = said.capacity, said.iso
    command.cross = codes.CROSSES_IN[said.cross]
    command.group, command.prevention = member.group, member.prevention
    command.style = PLAIN
    _keep_text(floor, floor + _ENTER_TEXT)
    _terms(floor, command, said.tif)
    if has(options, _STYLE):
        command.style = codes.STYLES_IN[value_of(options, _STYLE) & 0xFF]
    if has(options, _GROUP):
        command.group = value_of(options, _GROUP)
    if has(options, _SELF):
        command.prevention = codes.PREVENTIONS_IN[value_of(options, _SELF) & 0xFF]
    if has(options, _FIRM) and _swapped(value_of(options, _FIRM)) != _name_of(floor, command.firm):
        command.firm = NO_FIRM_NUMBER
    if member.purges != 0:
        command.firm = NO_FIRM_NUMBER
    if broken != 0 or _asks_beyond(options):
        command.style = codes.NONE_SUCH


@jit.inlined
def _replaced(floor: int, command: Any, broken: int) -> None:
    said = _replace_at(floor + WIRE_AT)
    command.kind, command.urn, command.original = REPLACE, said.urn, said.original
    command.quantity, command.price = said.quantity, said.price
    command.shows = codes.SHOWS_IN[said.display]
    command.sweep = said.iso
    _keep_text(floor, floor + _REPLACE_TEXT)
    _terms(floor, command, said.tif)
    if broken != 0 or _asks_beyond(floor + OPTIONS_AT):
        command.lasts = codes.NONE_SUCH


@jit.inlined
def _terms(floor: int, command: Any, tif: int) -> None:
    """What an order and a replace say alike, in the message and behind it."""
    options = floor + OPTIONS_AT
    command.lasts = codes.LASTS_IN[tif]
    if command.lasts == GTT and has(options, _EXPIRE):
        command.expire = command.time + value_of(options, _EXPIRE) * SECOND_NS
    if has(options, _MINIMUM):
        command.minimum = value_of(options, _MINIMUM)
    if has(options, _FLOOR):
        command.display = value_of(options, _FLOOR)
    if has(options, _OFFSET):
        command.offset = value_of(options, _OFFSET)
    if has(options, _POST) and value_of(options, _POST) == _P:
        command.flags = POST_ONLY


@jit.inlined
def _asks_beyond(options: int) -> bool:
    """It has an option that changes what the order is, and that we cannot do."""
    return options_at(options).tags & _BEYOND_US != 0 or options_at(options).unknown != 0


@jit.inlined
def _known(floor: int, letters: int) -> int:
    row = symbol_row(floor, letters)
    return row if row >= 0 else NO_SYMBOL_ROW


@jit.compiled()
def _own_firm(floor: int, session: int, place: int) -> int:
    """The session's firm if the message names it or none, else one that is none."""
    named = jit.load_i64(place) & 0xFFFF_FFFF
    own = member_of(floor, session).firm
    return own if named == _BLANKS_4 or named == _name_of(floor, own) else NO_FIRM_NUMBER


@jit.inlined
def _may_control(floor: int, session: int, command: Any) -> bool:
    """A lock is set and taken away by sessions that purge."""
    firm = firm_of(floor, command.firm)
    if member_of(floor, session).purges != 0:
        firm.locked = 1 if command.kind == DISABLE else 0
        return True
    return command.kind == DISABLE or firm.locked == 0


@jit.inlined
def _name_of(floor: int, firm: int) -> int:
    return int(firm_of(floor, firm).letters)


@jit.inlined
def _swapped(value: int) -> int:
    """Four letters as a number of an option, in the order in which they lie in memory."""
    first, second = value >> 24 & 0xFF, value >> 16 & 0xFF
    return first | second << 8 | (value >> 8 & 0xFF) << 16 | (value & 0xFF) << 24


@jit.inlined
def _keep_text(floor: int, text: int) -> None:
    """Fourteen letters of the client's, in sixteen bytes that the engine gives back."""
    for n in range(CLIENT_BYTES):
        jit.store_u8(floor + _CLIENT + n, jit.load_u8(text + n))
