"""Random lives of orders, possible and impossible, against a twin written from the documents.

Each step is one input: something we ask for, or a report with any fields about any order. A
compiled loop takes thousands of steps and writes down what it sees after each; the twin does the
same, and both must agree on the order, the position, the money, the logs and what was counted.
"""

from __future__ import annotations

import os
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from hftlib.core import jit, orders
from hftlib.core.events import EVENT
from hftlib.core.fees import Fees
from hftlib.core.orders import FILL, ORDER
from hftlib.execution import life, sending
from hftlib.execution.memory import execution_at, fill_of, order_of, position_of, slot_of
from tests.execution.lives_twin import Lives
from tests.room import Room

pytestmark = pytest.mark.modes

STEPS = int(os.environ.get("HFT_LIVES", "0")) or (60_000 if jit.COMPILED else 3_000)
REPORT, MAKE, HOLD, CANCEL, REPLACE, RELEASE, REFUSE, RESOLVE = range(8)
FIELDS = ("what", "back", "kind", "other", "price", "quantity", "sequence", "side", "flags", "ins")
WIDTH = len(FIELDS)
SEEN = (
    *("answer", "number", "state", "pending", "filled", "value", "fees", "quantity", "price"),
    *("reason", "replaces", "taken_off", "done"),
    *("held", "cash", "paid", "bought", "sold", "open_buy", "open_sell", "open", "fills"),
    *("repeated", "late", "impossible", "unmatched", "unknown", "filled_ever", "broken_ever"),
    *("rows", "row_price", "row_quantity", "row_fee", "ended"),
)
_event_at = jit.record_at(EVENT)
_order_row = jit.record_at(ORDER)
_fill_row = jit.record_at(FILL)


@jit.compiled()
def ask(base: int, time: int, what: int, number: int, step: Any) -> int:
    """One input that is ours."""
    if what in (MAKE, HOLD):
        held = 1 if what == HOLD else 0
        return sending.new_order(
            base, time, step.ins, step.side, 1, 1, 0, step.price, step.quantity, 0, 0, 0, held
        )
    if what == CANCEL:
        return sending.send_cancel(base, time, number)
    if what == REPLACE:
        return sending.send_replace(base, time, number, step.price, step.quantity)
    if what == RELEASE:
        return sending.release(base, time, number)
    if what == REFUSE:
        return sending.refuse_held(base, time, number, 13)
    return life.resolve(base, time, number, step.quantity, step.other, step.price)


STEP = np.dtype([(name, np.int64) for name in FIELDS])
TRACE = np.dtype([(name, np.int64) for name in SEEN])
_step_at = jit.record_at(STEP)
_trace_at = jit.record_at(TRACE)


@jit.compiled("void(int64, int64, int64, int64, int64, int64)")
def drive(base: int, steps: int, traces: int, count: int, event_address: int, begin: int) -> None:
    """Take these steps, and write down what is to be seen after each."""
    execution = execution_at(base)
    for n in range(count):
        step, seen = _step_at(steps + n * 80), _trace_at(traces + n * 272)
        number = execution.last_order - step.back
        time = begin + n
        if step.what == REPORT:
            event = _event_at(event_address)
            event.kind, event.reference, event.other = step.kind, number, step.other
            event.price, event.quantity, event.sequence = step.price, step.quantity, step.sequence
            event.side, event.flags, event.instrument = step.side, step.flags, step.ins
            event.time, event.received = time - 1, time
            seen.answer = life.report(base, event_address, 7)
        else:
            seen.answer = ask(base, time, step.what, number, step)
            if step.what == MAKE or step.what == HOLD:
                number = seen.answer
        note(base, number, seen, min(step.ins, 1))
        execution.commands, execution.fills, execution.ended = 0, 0, 0


@jit.compiled()
def note(base: int, number: int, seen: Any, instrument: int) -> None:
    execution, position = execution_at(base), position_of(base, instrument)
    seen.number = number
    slot = slot_of(base, number)
    if slot != 0:
        one = order_of(base, slot)
        seen.state, seen.pending, seen.filled = one.state, one.pending, one.filled
        seen.value, seen.fees, seen.quantity = one.value, one.fees, one.quantity
        seen.price, seen.reason, seen.replaces = one.price, one.reason, one.replaces
        seen.taken_off, seen.done = one.taken_off, one.done
    seen.held, seen.cash, seen.paid = position.quantity, position.cash, position.fees
    seen.bought, seen.sold = position.bought, position.sold
    seen.open_buy, seen.open_sell = position.open_buy, position.open_sell
    seen.open, seen.fills = position.open_orders, position.fills
    seen.repeated, seen.late, seen.impossible = (
        execution.repeated,
        execution.late,
        execution.impossible,
    )
    seen.unmatched, seen.unknown = execution.unmatched, execution.unknown
    seen.filled_ever, seen.broken_ever = execution.filled, execution.broken
    seen.rows, seen.ended = execution.fills, execution.ended
    if execution.fills > 0:
        row = fill_of(base, execution.fills - 1)
        seen.row_price, seen.row_quantity, seen.row_fee = row.price, row.quantity, row.fee


def drawn(seed: int, count: int) -> np.ndarray[Any, Any]:
    """Steps of which most make sense, and some none at all."""
    draw = np.random.default_rng(seed)
    steps = np.zeros(count, STEP)
    whats = (REPORT, MAKE, HOLD, CANCEL, REPLACE, RELEASE, REFUSE, RESOLVE)
    steps["what"] = draw.choice(whats, count, p=(0.62, 0.1, 0.05, 0.07, 0.08, 0.03, 0.03, 0.02))
    after = np.flatnonzero((steps["what"][:-1] == HOLD) & (draw.random(count - 1) < 0.3)) + 1
    steps["what"][after] = draw.choice((RELEASE, REFUSE), len(after))
    steps["back"] = draw.choice((0, 1, 2, 3, 5, 8, 13, 40, -1), count, p=weights(9))
    steps["back"][after] = 0
    kinds = (*range(orders.ACCEPTED, orders.RECONCILED + 1), 0, 31, 45, 255)
    chances = [0.14, 0.03, 0.3, 0.06, 0.12, 0.05, 0.05, 0.04, 0.07, 0.06, 0.03, 0.003, 0.04]
    chances += [0.00175] * 4
    steps["kind"] = draw.choice(kinds, count, p=np.array(chances) / sum(chances))
    steps["quantity"] = draw.choice((1, 2, 5, 10, 20, 30, 50, 80, 100, 0, -1), count)
    sent = np.isin(steps["what"], (MAKE, HOLD, REPLACE))
    steps["quantity"][sent] = draw.choice((50, 80, 100, 150), int(sent.sum()))
    steps["price"] = draw.choice((10_000, 10_001, 9_999, -3), count, p=(0.5, 0.2, 0.2, 0.1))
    steps["side"], steps["ins"] = draw.integers(1, 3, count), draw.integers(0, 2, count)
    odd = draw.random(count) < 0.02
    report = steps["what"] == REPORT
    steps["side"][odd & report], steps["ins"][odd & report & (draw.random(count) < 0.5)] = 0, 5
    cut = steps["kind"] == orders.DISCONNECTED
    steps["ins"][cut & report] = draw.choice((0, 1, 2**32 - 1), int((cut & report).sum()))
    steps["flags"] = draw.choice((0, orders.TAKER), count)
    number = np.arange(count)
    steps["other"] = draw.choice((orders.ASKED, orders.MOMENT_OVER, orders.UNKNOWN_ORDER), count)
    trade = np.isin(steps["kind"], (orders.FILLED, orders.BROKEN))
    steps["other"][trade] = (1 + number // 8 - draw.integers(0, 4, count) ** 2)[trade]
    steps["other"][trade & (draw.random(count) < 0.1)] = 0
    found = (steps["kind"] == orders.RECONCILED) | (steps["what"] == RESOLVE)
    steps["other"][found] = draw.choice((0, 1, 2, 5, 10, 30, 50, 100), int(found.sum()))
    old = draw.choice((0, 0, 0, 3, 20), count)
    steps["sequence"] = np.where(draw.random(count) < 0.1, 0, np.maximum(number + 1 - old, 0))
    return steps


def weights(count: int) -> np.ndarray[Any, Any]:
    made = 0.7 ** np.arange(count)
    return made / made.sum()


def lived(twin: Lives, steps: np.ndarray[Any, Any], begin: int) -> np.ndarray[Any, Any]:
    """The same by the twin."""
    traces = np.zeros(len(steps), TRACE)
    rows = steps.tolist()
    for n, row in enumerate(rows):
        step = dict(zip(FIELDS, row, strict=True))
        number, time = twin.last - step["back"], begin + n
        twin.rows.clear()
        before = {one.number: one.done for one in twin.held.values()}
        answer = None
        if step["what"] == REPORT:
            told = {**step, "received": time, "instrument": step["ins"]}
            twin.tell(step["kind"], number, told)
        elif step["what"] in (MAKE, HOLD):
            held = step["what"] == HOLD
            number = twin.make(step["ins"], step["side"], step["price"], step["quantity"], held)
            answer = number
        elif step["what"] == CANCEL:
            answer = twin.cancel(number, time)
        elif step["what"] == REPLACE:
            answer = twin.replace(number, step["price"], step["quantity"])
        elif step["what"] == RELEASE:
            answer = twin.release(number)
        elif step["what"] == REFUSE:
            answer = twin.refuse(number, 13, time)
        elif 0 < number <= twin.last and twin.find(number) is not None:
            twin.tell(orders.RECONCILED, number, {**step, "received": time})
        else:
            twin.late += 1
        traces[n] = noted(twin, number, answer, min(step["ins"], 1), before)
    return traces


def noted(
    twin: Lives, number: int, answer: int | None, instrument: int, before: dict[int, int]
) -> tuple[int, ...]:
    one, book = twin.find(number), twin.books[instrument]
    order = (0,) * 11
    if one is not None:
        order = (
            *(one.state, one.pending, one.filled, one.value, one.fees, one.quantity, one.price),
            *(one.reason, one.replaces, one.off, one.done),
        )
    alive = [life for life in twin.held.values() if not life.done]
    ended = sum(life.done != 0 and before.get(life.number, 0) == 0 for life in twin.held.values())
    return (
        *(-1 if answer is None else answer, number, *order),
        *(book["quantity"], book["cash"], book["fees"], book["bought"], book["sold"]),
        *(twin.open_lots(instrument, 1), twin.open_lots(instrument, 2)),
        *(sum(life.instrument == instrument for life in alive), book["fills"]),
        *(twin.repeated, twin.late, twin.impossible, twin.unmatched),
        sum(life.state == orders.UNKNOWN for life in alive),
        *(twin.filled_ever, twin.broken_ever, len(twin.rows)),
        *(twin.rows[-1] if twin.rows else (0, 0, 0)),
        ended,
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_lives_agree_with_the_twin(seed):
    room = Room(slots=16, booked=32, fees=Fees(maker="-0.2bp", taker="1.5bp"))
    twin = Lives(16, 32, Fraction(-2, 100_000), Fraction(15, 100_000))
    event = np.zeros(1, EVENT)
    states = set()
    for part in range(0, STEPS, 20_000):
        count = min(20_000, STEPS - part)
        steps, traces = drawn(1_000 * seed + part, count), np.zeros(count, TRACE)
        steps["sequence"] += part * (steps["sequence"] > 0)
        steps["other"] += np.where(np.isin(steps["kind"], (34, 40)) & (steps["other"] > 0), part, 0)
        assert STEP.itemsize == 80 and TRACE.itemsize == 272
        places = (steps.ctypes.data, traces.ctypes.data, count, event.ctypes.data, 1_000 + part)
        drive(room.base, *places)
        expected = lived(twin, steps, 1_000 + part)
        asked = steps["what"] == REPORT
        traces["answer"][asked | (steps["what"] == RESOLVE)] = -1
        expected["answer"][steps["what"] == RESOLVE] = -1
        for n in np.flatnonzero(traces != expected)[:1]:
            differ = [
                f"{name}: {traces[name][n]}, the twin {expected[name][n]}"
                for name in SEEN
                if traces[name][n] != expected[name][n]
            ]
            raise AssertionError(
                f"step {part + n}, {dict(zip(FIELDS, steps[n], strict=True))}: {differ}"
            )
        states |= set(np.unique(traces["state"]).tolist())
        room.check()
    assert states == set(range(len(orders.STATES))), "some state was never seen"
    names = ("repeated", "late", "impossible", "unmatched", "broken")
    assert all(room.count(name) > STEPS // 400 for name in names)
