"""Risk driven by itself: what an engine would do, from a list of operations, in one compiled loop.

    ops[n] ─▶ drive ─▶ ops[n] with the answer: reason, level, limit, seen, and the states after it

The engine's own way through risk is `hftlib.engine.guarding`; this is the same without books,
venues and callbacks, so that an oracle can go beside it.
"""

from __future__ import annotations

import numpy as np

from hftlib.core import jit
from hftlib.core.orders import FILL
from hftlib.core.positions import POSITION
from hftlib.core.records import record
from hftlib.risk import breakers
from hftlib.risk.bands import printed
from hftlib.risk.checks import allowed
from hftlib.risk.collars import anchored
from hftlib.risk.controls import G_BREAK, G_COLLAR, G_DATA, G_DUPLICATE, G_PACE
from hftlib.risk.directives import DIRECTIVE, directed
from hftlib.risk.exposure import follow
from hftlib.risk.memory import (
    FIRM_ROW,
    INTENT_AT,
    holding_of,
    intent_at,
    risk_at,
    rule_of,
    scope_of,
)
from hftlib.risk.rules import by_rules
from hftlib.risk.windows import sent

OP = record(
    "op",
    832,
    """
    0    what        int64  ASK, HOLD, FILL, END, MARKET, TELL
    8    time        int64
    16   strategy    int64
    24   instrument  int64
    32   side        int64
    40   kind        int64  NEW or REPLACE
    48   price       int64
    56   limited     int64
    64   worth       int64
    72   quantity    int64
    80   more        int64
    88   calmer      int64
    96   was_filled  int64
    104  rejected    int64
    112  mark        int64
    120  middle      int64
    128  last        int64
    136  state       int64
    144  stale       int64
    152  crossed     int64
    160  venue_time  int64
    168  skew        int64
    176  print       int64
    184  reason      int64  the answer
    192  level       int64
    200  limit       int64
    208  seen        int64
    216  states      int64  of all scopes, two bits each
    224  anchor      int64
    232  mean        int64
    240  begun       int64
    248  pad         int64
    256  position    position
    448  fill        fill
    576  directive   directive
    """,
    position=POSITION,
    fill=FILL,
    directive=DIRECTIVE,
)
OP_BYTES = OP.itemsize
DIRECTIVE_AT = 576
ASK, HOLD, FILLS, END, MARKET, TELL = range(6)
_STAMPED = G_PACE | G_DUPLICATE
_op_at = jit.record_at(OP)


@jit.compiled("void(int64, int64, int64)")
def drive(base: int, ops: int, count: int) -> None:
    for n in range(count):
        address = jit.nth(ops, n, count, OP_BYTES)
        op = _op_at(address)
        if op.what == ASK:
            _ask(base, op)
        elif op.what == HOLD:
            follow(base, op.strategy, op.instrument, op.position)
        elif op.what == FILLS:
            follow(base, op.strategy, op.instrument, op.position)
            breakers.filled(base, op.strategy, op.fill)
            if risk_at(base).groups & G_BREAK:
                breakers.marked(base, op.instrument, op.time)
        elif op.what == END:
            breakers.ended(base, op.strategy, op.instrument, op.was_filled, op.rejected, op.time)
        elif op.what == MARKET:
            _market(base, op)
        else:
            op.reason = directed(base, address + DIRECTIVE_AT)
        states = 0
        for row in range(risk_at(base).scopes):
            states = 4 * states + scope_of(base, row).state
        op.states = states


@jit.compiled()
def _ask(base: int, op: object) -> None:
    risk, intent = risk_at(base), intent_at(base + INTENT_AT)
    intent.time, intent.strategy, intent.instrument = op.time, op.strategy, op.instrument
    intent.side, intent.what, intent.price, intent.limited = op.side, op.kind, op.price, op.limited
    intent.worth_price, intent.quantity = op.worth, op.quantity
    intent.more, intent.calmer = op.more, op.calmer
    if risk.groups & G_BREAK:
        breakers.attempted(base, op.strategy, op.instrument, op.time)
    risk.level, risk.limit, risk.seen = 0, 0, 0
    op.reason = by_rules(base)
    if op.reason == 0:
        op.reason = allowed(base)
    op.level, op.limit, op.seen = risk.level, risk.limit, risk.seen
    if op.reason == 0:
        if risk.groups & _STAMPED:
            sent(base)
        follow(base, op.strategy, op.instrument, op.position)


@jit.compiled()
def _market(base: int, op: object) -> None:
    risk, rule = risk_at(base), rule_of(base, op.instrument)
    rule.mark, rule.middle, rule.last = op.mark, op.middle, op.last
    rule.state, rule.stale, rule.crossed = op.state, op.stale, op.crossed
    rule.venue_time, rule.skew = op.venue_time, op.skew
    if risk.groups & G_COLLAR:
        anchored(base, op.instrument, op.time)
    if risk.marks != 0 and holding_of(base, FIRM_ROW, op.instrument).mark != rule.mark:
        breakers.marked(base, op.instrument, op.time)
    if risk.groups & G_DATA:
        breakers.moved_far(base, op.instrument, op.time)
    if op.print != 0:
        printed(base, op.instrument, op.print, op.time)
    op.anchor, op.mean = rule.anchor, rule.band_mean


def driven(base: int, ops: np.ndarray) -> None:
    drive(base, ops.ctypes.data, len(ops))
