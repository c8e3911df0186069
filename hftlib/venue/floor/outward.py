"""From the engine's reports to what owners hear: OUCH messages into the streams of sessions.

    say(floor, report)     the owner's stream, then its firm's drop copy

A drop copy hears all that becomes of orders of all sessions of its firm: accepted, replaced,
modified, executed, cancelled, broken. User references of two sessions are alike, so each message
there says behind itself (option `urn_index`) which of the firm's sessions it is of, from 1.

An acceptance says back the options that the order came with. Both streams are kept for good, so
who comes back hears what it missed, once.

Worst case: a stream that is full refuses: `unsaid` counts that, and the process must stop.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.core.ouch.codec import encode_outbound
from hftlib.core.ouch.messages import OUTBOUND
from hftlib.core.ouch.options import OPTIONS_BYTES, TAGS, clear, put
from hftlib.core.records import field_offset
from hftlib.core.soup.server import publish
from hftlib.venue.floor import codes, late
from hftlib.venue.floor.inward import CLIENT_BYTES, field_at
from hftlib.venue.floor.memory import (
    COMMAND_AT,
    MARKED_AT,
    MESSAGE_AT,
    OPTIONS_AT,
    ROOM,
    WIRE_AT,
    command_at,
    firm_address,
    floor_at,
    listed_address,
    member_of,
)
from hftlib.venue.matching.reasons import CUT_OFF
from hftlib.venue.matching.records import (
    ACCEPTED,
    ACCOUNTED,
    ALL,
    BROKEN,
    CANCEL_REJECTED,
    CANCELLED,
    CROSS,
    DISABLED,
    ENABLED,
    EXECUTED,
    IN_CROSS,
    MASS_CANCELLED,
    MODIFIED,
    PREVENTED,
    PRIORITY,
    REJECTED,
    REPLACED,
    REPORT,
)

_accepted_at = jit.record_at(OUTBOUND["A"].dtype)
_replaced_at = jit.record_at(OUTBOUND["U"].dtype)
_cancelled_at = jit.record_at(OUTBOUND["C"].dtype)
_prevented_at = jit.record_at(OUTBOUND["D"].dtype)
_executed_at = jit.record_at(OUTBOUND["E"].dtype)
_broken_at = jit.record_at(OUTBOUND["B"].dtype)
_rejected_at = jit.record_at(OUTBOUND["J"].dtype)
_priority_at = jit.record_at(OUTBOUND["T"].dtype)
_modified_at = jit.record_at(OUTBOUND["M"].dtype)
_mass_at = jit.record_at(OUTBOUND["X"].dtype)
_reply_at = jit.record_at(OUTBOUND["I"].dtype)
_account_at = jit.record_at(OUTBOUND["Q"].dtype)
_report_at = jit.record_at(REPORT)

_A, _U, _C, _D, _E, _B, _J, _I, _T, _M, _X, _G, _K, _Q = (ord(n) for n in "AUCDEBJITMXGKQ")
_LIVE, _BY_VENUE, _SELF, _BLANK = ord("L"), ord("S"), ord("Q"), ord(" ")
_MARK = TAGS["urn_index"].number
_REPORT_TEXT = field_offset(REPORT, "client_low")
_ACCEPTED_SYMBOL, _ACCEPTED_TEXT = (field_at(OUTBOUND["A"], n) for n in ("symbol", "client_id"))
_REPLACED_SYMBOL, _REPLACED_TEXT = (field_at(OUTBOUND["U"], n) for n in ("symbol", "client_id"))
_REJECTED_TEXT, _BROKEN_TEXT = (field_at(OUTBOUND[n], "client_id") for n in "JB")
_MASS_SYMBOL, _MASS_FIRM = (field_at(OUTBOUND["X"], n) for n in ("symbol", "firm"))
_ENTRY_FIRM = field_at(OUTBOUND["G"], "firm")
_BLANKS_8 = 0x2020_2020_2020_2020


@jit.compiled()
def say(floor: int, address: int) -> None:
    """One report to whom it is for; most of what a venue says passes here."""
    report = _report_at(address)
    if report.session == 0:
        return
    member = member_of(floor, report.session)
    if member.stream < 0 and member.copy < 0:
        return
    is_of_orders = _written(floor, address)
    if is_of_orders < 0:
        return
    f = floor_at(floor)
    echoed = f.echo != 0 and (report.kind == ACCEPTED or report.kind == REPLACED)
    options = floor + OPTIONS_AT if echoed else 0
    if report.kind == EXECUTED and f.misses > 0 and member.stream >= 0:
        f.misses -= 1
    elif member.stream >= 0:
        size = encode_outbound(floor + WIRE_AT, options, ROOM, floor + MESSAGE_AT)
        if f.late == 0 and f.kept == 0:
            _owner(f, member, floor, size)
        else:
            _late(floor, report, member, size)
    if is_of_orders != 0 and member.copy >= 0:
        marked = floor + MARKED_AT
        if options != 0:
            jit.copy_words(marked, options, OPTIONS_BYTES)
        else:
            clear(marked)
        put(marked, _MARK, member.mark)
        size = encode_outbound(floor + WIRE_AT, marked, ROOM, floor + MESSAGE_AT)
        if publish(f.copies, member.copy, floor + MESSAGE_AT, size) > 0:
            f.copied += 1
        else:
            f.unsaid += 1


@jit.inlined
def _owner(f: Any, member: Any, floor: int, size: int) -> None:
    if publish(f.entry, member.stream, floor + MESSAGE_AT, size) > 0:
        f.said += 1
    else:
        f.unsaid += 1


@jit.compiled()
def _late(floor: int, report: Any, member: Any, size: int) -> None:
    """The same while executions may wait for the end of their order."""
    if late.waits(floor, report) and late.keep(floor, report.session, report.urn, size) != 0:
        return
    late.before(floor, report)
    _owner(floor_at(floor), member, floor, size)
    late.behind(floor, report)


@jit.compiled()
def _written(floor: int, address: int) -> int:
    """The report as a record: 1 it is of an order, 0 an answer, -1 there is nothing to say."""
    report = _report_at(address)
    kind = report.kind
    reply = _reply_at(floor + WIRE_AT)
    reply.timestamp = report.time - floor_at(floor).midnight
    reply.urn = report.urn
    if kind == EXECUTED:
        _executed(floor, report)
    elif kind == ACCEPTED:
        _accepted(floor, address)
    elif kind == CANCELLED:
        said = _cancelled_at(floor + WIRE_AT)
        said.type, said.quantity = _C, report.quantity
        said.reason = codes.CANCELS_OUT[report.reason]
    elif kind == REPLACED:
        _replaced(floor, address)
    elif kind == PREVENTED:
        _prevented(floor, report)
    elif kind == BROKEN:
        broken = _broken_at(floor + WIRE_AT)
        broken.type, broken.match, broken.reason = _B, report.other, _BY_VENUE
        for n in range(CLIENT_BYTES):
            jit.store_u8(floor + _BROKEN_TEXT + n, _BLANK)
    elif kind == MODIFIED:
        marked = _modified_at(floor + WIRE_AT)
        marked.type, marked.quantity = _M, report.open
        marked.side = codes.SIDES_OUT[report.side]
    else:
        return _answered(floor, address)
    return 1


@jit.inlined
def _executed(floor: int, report: Any) -> None:
    said = _executed_at(floor + WIRE_AT)
    said.type, said.quantity, said.price = _E, report.quantity, report.price
    said.match, said.appendage = report.other, 0
    said.liquidity = codes.LIQUIDITY_OUT[report.liquidity]
    if report.liquidity == IN_CROSS:
        command = command_at(floor + COMMAND_AT)
        said.liquidity = codes.CROSSES_OUT[command.cross if command.kind == CROSS else 0]
    floor_at(floor).executions += 1


@jit.inlined
def _accepted(floor: int, address: int) -> None:
    report, said = _report_at(address), _accepted_at(floor + WIRE_AT)
    said.type, said.quantity, said.price = _A, report.quantity, report.price
    said.side, said.tif = codes.SIDES_OUT[report.side], codes.LASTS_OUT[report.lasts]
    said.display, said.reference = codes.SHOWS_OUT[report.shows], report.order
    said.capacity, said.iso = report.capacity, report.sweep
    said.cross, said.state, said.appendage = codes.CROSSES_OUT[report.cross], _LIVE, 0
    jit.store_i64(floor + _ACCEPTED_SYMBOL, jit.load_i64(listed_address(floor, report.symbol)))
    _text(floor + _ACCEPTED_TEXT, address)


@jit.inlined
def _replaced(floor: int, address: int) -> None:
    report, said = _report_at(address), _replaced_at(floor + WIRE_AT)
    said.type, said.original, said.urn = _U, report.original, report.urn
    said.quantity, said.price = report.quantity, report.price
    said.side, said.tif = codes.SIDES_OUT[report.side], codes.LASTS_OUT[report.lasts]
    said.display, said.reference = codes.SHOWS_OUT[report.shows], report.order
    said.capacity, said.iso = report.capacity, report.sweep
    said.cross, said.state, said.appendage = codes.CROSSES_OUT[report.cross], _LIVE, 0
    jit.store_i64(floor + _REPLACED_SYMBOL, jit.load_i64(listed_address(floor, report.symbol)))
    _text(floor + _REPLACED_TEXT, address)


@jit.inlined
def _prevented(floor: int, report: Any) -> None:
    said = _prevented_at(floor + WIRE_AT)
    said.type, said.quantity, said.reason = _D, report.quantity, _SELF
    said.prevented, said.price = report.extra, report.price
    said.liquidity = codes.LIQUIDITY_OUT[0]
    said.strategy = codes.PREVENTIONS_OUT[report.prevention]


@jit.compiled()
def _answered(floor: int, address: int) -> int:
    """What becomes of no order: refusals, answers to questions and controls, another priority."""
    report, reply = _report_at(address), _reply_at(floor + WIRE_AT)
    kind = report.kind
    if kind == REJECTED:
        said = _rejected_at(floor + WIRE_AT)
        said.type, said.reason = _J, codes.REJECTS_OUT[report.reason]
        _text(floor + _REJECTED_TEXT, address)
    elif kind == PRIORITY:
        moved = _priority_at(floor + WIRE_AT)
        moved.type, moved.price, moved.reference = _T, report.price, report.order
        moved.display = codes.SHOWS_OUT[report.shows]
    elif kind == CANCEL_REJECTED:
        reply.type = _I
    elif kind == ACCOUNTED:
        account = _account_at(floor + WIRE_AT)
        account.type, account.next_urn = _Q, report.quantity
    elif kind == MASS_CANCELLED and report.reason != CUT_OFF:  # nobody asked when it was cut off
        mass = _mass_at(floor + WIRE_AT)
        mass.type, mass.appendage = _X, 0
        letters = _BLANKS_8
        if report.symbol != ALL:
            letters = jit.load_i64(listed_address(floor, report.symbol))
        jit.store_i64(floor + _MASS_SYMBOL, letters)
        _firm(floor, floor + _MASS_FIRM, report.firm)
    elif kind in (DISABLED, ENABLED):
        control = _mass_at(floor + WIRE_AT)
        control.type = _G if kind == DISABLED else _K
        _firm(floor, floor + _ENTRY_FIRM, report.firm)
    else:
        return -1
    return 0


@jit.inlined
def _text(place: int, address: int) -> None:
    """The client's own fourteen letters."""
    for n in range(CLIENT_BYTES):
        jit.store_u8(place + n, jit.load_u8(address + _REPORT_TEXT + n))


@jit.inlined
def _firm(floor: int, place: int, firm: int) -> None:
    name = firm_address(floor, firm)
    for n in range(4):
        jit.store_u8(place + n, jit.load_u8(name + n))
