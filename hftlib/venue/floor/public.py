"""From the engine's reports to what everybody hears: ITCH 5.0, into the store of the feed.

    tell(floor, report)       the message that the report's `public` names, if any
    append(floor, message, length)     any other, such as the directory of symbols

A message is written once, where it stays: behind the one before, with its length in front, as
MoldUDP64 sends it (`sending.py`) and sends it again. A stock's locate is its row and one more.
Who traded with what nobody saw is not told: such a trade has no reference, and its side is `B`.

Worst case: a store that is full refuses: `unpublished` counts that, and the process must stop.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.core.jit import WireMessage
from hftlib.core.soup.pipes import copy
from hftlib.feed.itch.messages import LENGTH_MAX, MESSAGES, RECORD_BYTES_MAX, encode
from hftlib.venue.floor import codes
from hftlib.venue.floor.memory import PUBLIC_AT, firm_address, floor_at, listed_address
from hftlib.venue.matching.records import (
    ADD,
    ATTRIBUTED,
    BREAKING,
    BUY,
    CHANGE,
    COLLAR,
    CROSS_TRADE,
    DELETE,
    EVENT_TOLD,
    EXECUTE,
    EXECUTE_AT,
    HALT,
    INDICATION,
    REDUCE,
    REPLACED,
    REPORT,
    SELL,
    TRADE,
)

LENGTH_BYTES = 2
MESSAGE_BYTES_MAX = 64
assert RECORD_BYTES_MAX <= 128 and LENGTH_MAX <= MESSAGE_BYTES_MAX


def field_at(letter: str, name: str) -> int:
    """Where a field of an ITCH message lies in the floor."""
    message: WireMessage = MESSAGES[letter]
    (found,) = (field.record_at for field in message.fields if field.name == name)
    return PUBLIC_AT + found


_head_at = jit.record_at(MESSAGES["D"].dtype)
_add_at = jit.record_at(MESSAGES["F"].dtype)  # an A is its beginning
_execute_at = jit.record_at(MESSAGES["C"].dtype)  # an E likewise
_reduce_at = jit.record_at(MESSAGES["X"].dtype)  # a D likewise
_change_at = jit.record_at(MESSAGES["U"].dtype)
_trade_at = jit.record_at(MESSAGES["P"].dtype)
_cross_at = jit.record_at(MESSAGES["Q"].dtype)
_break_at = jit.record_at(MESSAGES["B"].dtype)
_imbalance_at = jit.record_at(MESSAGES["I"].dtype)
_state_at = jit.record_at(MESSAGES["H"].dtype)
_collar_at = jit.record_at(MESSAGES["J"].dtype)
_system_at = jit.record_at(MESSAGES["S"].dtype)
_report_at = jit.record_at(REPORT)
_STOCK = {letter: field_at(letter, "stock") for letter in "APQIHJ"}
_ADD_STOCK, _TRADE_STOCK, _CROSS_STOCK = _STOCK["A"], _STOCK["P"], _STOCK["Q"]
_IMBALANCE_STOCK, _STATE_STOCK, _COLLAR_STOCK = _STOCK["I"], _STOCK["H"], _STOCK["J"]
_MPID, _REASON = field_at("F", "mpid"), field_at("H", "reason")
_F, _B, _N, _Y, _S, _BLANK = (ord(letter) for letter in "FBNYS ")
_BELOW_ONE, _DIGIT, _TENS = ord("L"), ord("0"), ord("A")
PERCENT = 100


@jit.compiled()
def tell(floor: int, address: int) -> None:
    """What the public hears of one report."""
    report = _report_at(address)
    letter = report.public
    if letter == 0:
        return
    head = _head_at(floor + PUBLIC_AT)
    head.type, head.tracking = letter, 0
    head.locate = report.symbol + 1
    head.timestamp = report.time - floor_at(floor).midnight
    if letter == ADD:
        _added(floor, report)
    elif letter in (EXECUTE, EXECUTE_AT):
        said = _execute_at(floor + PUBLIC_AT)
        said.reference, said.shares, said.match = report.order, report.shown, report.other
        if letter == EXECUTE_AT:
            said.printable, said.price = _Y if report.printed != 0 else _N, report.price
    elif letter in (DELETE, REDUCE):
        less = _reduce_at(floor + PUBLIC_AT)
        is_old = letter == DELETE and report.kind == REPLACED
        less.reference = report.other if is_old else report.order
        if letter == REDUCE:
            less.shares = report.shown
    elif letter == CHANGE:
        change = _change_at(floor + PUBLIC_AT)
        change.reference, change.new_reference = report.other, report.order
        change.shares, change.price = report.shown, report.price
    elif letter == TRADE:
        trade = _trade_at(floor + PUBLIC_AT)
        trade.reference, trade.side, trade.shares = 0, _B, report.quantity
        trade.price, trade.match = report.price, report.other
        _put_stock(floor, floor + _TRADE_STOCK, report.symbol)
    else:
        _told_seldom(floor, address)
    _keep(floor)


@jit.inlined
def _added(floor: int, report: Any) -> None:
    said = _add_at(floor + PUBLIC_AT)
    said.reference, said.shares, said.price = report.order, report.shown, report.price
    said.side = codes.PUBLIC_SIDES[report.side]
    _put_stock(floor, floor + _ADD_STOCK, report.symbol)
    if report.shows == ATTRIBUTED:
        said.type = _F
        name = firm_address(floor, report.firm)
        for n in range(4):
            jit.store_u8(floor + _MPID + n, jit.load_u8(name + n))


@jit.compiled()
def _told_seldom(floor: int, address: int) -> None:
    """Crosses, states, bands, breaks, the day."""
    report = _report_at(address)
    letter = report.public
    if letter == CROSS_TRADE:
        cross = _cross_at(floor + PUBLIC_AT)
        cross.shares, cross.price, cross.match = report.quantity, report.price, report.other
        cross.cross = codes.CROSSES_OUT[report.cross]
        _put_stock(floor, floor + _CROSS_STOCK, report.symbol)
    elif letter == INDICATION:
        _indicated(floor, report)
    elif letter == HALT:
        state = _state_at(floor + PUBLIC_AT)
        state.state, state.reserved = codes.STATES_OUT[report.state], _BLANK
        _put_stock(floor, floor + _STATE_STOCK, report.symbol)
        why = report.extra if report.extra != 0 else 0x2020_2020
        jit.store_be_u32(floor + _REASON, why)
    elif letter == COLLAR:
        collar = _collar_at(floor + PUBLIC_AT)
        collar.reference_price, collar.extension = report.price, 0
        collar.upper, collar.lower = report.quantity, report.open
        _put_stock(floor, floor + _COLLAR_STOCK, report.symbol)
    elif letter == BREAKING:
        _break_at(floor + PUBLIC_AT).match = report.other
    elif letter == EVENT_TOLD:
        system = _system_at(floor + PUBLIC_AT)
        system.event, system.locate = report.extra, 0


@jit.inlined
def _indicated(floor: int, report: Any) -> None:
    said = _imbalance_at(floor + PUBLIC_AT)
    said.paired, said.imbalance = report.quantity, report.extra
    said.direction = _N
    if report.state == BUY:
        said.direction = _B
    elif report.state == SELL:
        said.direction = _S
    said.far_price, said.near_price = report.open, report.other
    said.reference_price, said.cross = report.price, codes.CROSSES_OUT[report.cross]
    said.variation = variation(report.other, report.price)
    _put_stock(floor, floor + _IMBALANCE_STOCK, report.symbol)


@jit.inlined
def variation(near: int, reference: int) -> int:
    """How far the near price is off, as a letter: L below 1 %, 1 to 9, A from 10, B 20, C 30."""
    letter = _BLANK
    if near != 0 and reference != 0:
        percent = abs(near - reference) * PERCENT // reference
        letter = _BELOW_ONE
        if percent >= 10:
            letter = _TENS + min(percent // 10, 3) - 1
        elif percent >= 1:
            letter = _DIGIT + percent
    return letter


@jit.inlined
def _put_stock(floor: int, place: int, symbol: int) -> None:
    jit.store_i64(place, jit.load_i64(listed_address(floor, symbol)))


@jit.compiled()
def _keep(floor: int) -> None:
    """The record at hand as the next message of the feed."""
    f = floor_at(floor)
    begin = jit.load_i64(f.offsets + 8 * f.messages)
    room = f.blocks_max - begin - LENGTH_BYTES
    if f.messages == f.messages_max or room < MESSAGE_BYTES_MAX:
        f.unpublished += 1
        return
    block = f.blocks + begin
    size = encode(floor + PUBLIC_AT, MESSAGE_BYTES_MAX, block + LENGTH_BYTES)
    jit.store_be_u16(block, size)
    f.messages += 1
    jit.store_i64(f.offsets + 8 * f.messages, begin + LENGTH_BYTES + size)


@jit.compiled("int64(int64, int64, int64)")
def append(floor: int, message: int, length: int) -> int:
    """One message as it is: its number, or 0: there is no room."""
    f = floor_at(floor)
    begin = jit.load_i64(f.offsets + 8 * f.messages)
    room = f.blocks_max - begin - LENGTH_BYTES
    if f.messages == f.messages_max or not 0 < length <= min(room, MESSAGE_BYTES_MAX):
        f.unpublished += 1
        return 0
    block = f.blocks + begin
    jit.store_be_u16(block, length)
    copy(block + LENGTH_BYTES, message, length)
    f.messages += 1
    jit.store_i64(f.offsets + 8 * f.messages, begin + LENGTH_BYTES + length)
    return int(f.messages)
