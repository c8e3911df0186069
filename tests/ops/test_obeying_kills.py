"""A kill in the middle of a burst: nothing new leaves after it, and all that stands goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from floor_desk import Floor
from floor_trial import begun, listened_to

from hftlib.core.journal import kinds
from hftlib.core.journal.reading import frames
from hftlib.engine.live.replaying import replay
from hftlib.ops.launching import laid
from hftlib.ops.obeying import obey

STANDING = 2_000
FLOOD = """
import hftlib as hft


@hft.strategy
class Flood:
    \"\"\"Orders that stand far away, and more of them at every look.\"\"\"

    sent: int = hft.state()

    def on_book(self, ctx, i):
        b = ctx.book(i)
        if not b.has_both:
            return
        for n in range(25):
            self.sent += 1
            ctx.buy(i, b.bid - (10 + n) * b.tick, 1)
"""


@pytest.fixture
def crowded():
    """An exchange with room for thousands of orders of ours."""
    room = {
        "orders_max": 1 << 13,
        "session_messages_max": 1 << 16,
        "session_store_bytes_max": 1 << 23,
    }
    with Floor(exchange=room) as made:
        yield listened_to(made)


def letters(payload: bytes) -> Iterator[str]:
    """The type of each message that went out in these bytes."""
    while payload:
        length = int.from_bytes(payload[:2], "big")
        if payload[2:3] == b"U":
            yield chr(payload[3])
        payload = payload[2 + length :]


def test_killed_in_a_burst_nothing_new_leaves_and_all_that_stands_goes(crowded, tmp_path):
    file = tmp_path / "flood.py"
    file.write_text(FLOOD)
    limits = tmp_path / "limits.toml"
    limits.write_text("[instrument.AAA]\nopen_orders = 4_000\n")
    trial = begun(crowded, tmp_path / "day.journal", f"{file}:Flood", limits=limits)
    maker = crowded.plain("frm2a")
    urn = 0

    def burst() -> None:
        nonlocal urn
        for side, price in (("B", 99_00 + urn % 7), ("S", 99_50 + urn % 7)):
            urn += 1
            maker.enter(urn, side, 100, f"{price / 100:.2f}")
        crowded.step()

    while trial.runner.open_orders < STANDING:
        assert urn < 4_000, trial.runner.counts
        burst()
    answer = obey(trial.runner, {"do": "halt", "scope": "firm", "who": "ann", "why": "enough"})
    assert answer["told"] == "halt"
    for _ in range(20):
        burst()
    crowded.until(lambda: trial.runner.open_orders == 0)
    trial.runner.stop()
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    at_once: Counter[str] = Counter()
    killed, is_at_once = False, False
    for frame in frames(trial.folder):
        if frame.kind == kinds.DIRECTIVE:
            killed = is_at_once = True
        elif frame.kind == kinds.SESSION_OUT:
            found = Counter(letters(frame.payload))
            (after if killed else before).update(found)
            at_once.update(found if is_at_once else {})
        elif frame.kind < kinds.SESSION_OUT:
            is_at_once = False
    assert killed and before["O"] >= STANDING
    assert after["O"] == after["U"] == 0, "nothing new after the kill"
    assert at_once["X"] >= STANDING, "and what stood is asked back before anything else is heard"
    told: Any = replay(trial.folder, laid)
    assert told.is_identical, told.difference
