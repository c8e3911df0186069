"""No sequence of intents, reports, disconnects and restarts takes a position beyond its limit.

Intents are only sent where position and open quantity allow, which is all that a limit looks at.
The venue is `unruly_venue.py`. At each step, for each order: what the venue may fill it to is no
more than what we count it for; and so the venue's own position, told or not, keeps to the limit.
Broken trades and restatements for more are the venue's to decide and no limit of ours binds them:
they are left out here and have their place in `test_life_twin.py`.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from hftlib.core import jit, orders
from hftlib.core.events import BUY, SELL
from tests.execution.unruly_venue import UnrulyVenue
from tests.room import Room, worst_case

pytestmark = pytest.mark.modes

LIMIT = 100
STEPS = 4_000 if jit.COMPILED else 1_500
SEEDS = range(12)


class Trial:
    """We, and the venue; what we do is written down, for restarts to do it again."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.room = Room(slots=16, booked=1 << 12)
        self.venue = UnrulyVenue(self.draw)
        self.made: dict[int, int] = {}  # our orders by number: the side
        self.saved: Any = self.room.arena.snapshot()
        self.since: list[tuple[str, tuple[Any, ...]]] = [("time", (self.room.time,))]
        self.most = 0

    def do(self, name: str, *arguments: Any) -> Any:
        """One input of ours, written down as a journal would."""
        self.since.append((name, arguments))
        return self.apply(name, arguments)

    def apply(self, name: str, arguments: tuple[Any, ...]) -> Any:
        if name == "tell":
            kind, number, fields = arguments
            return self.room.tell(kind, number, **dict(fields))
        if name == "time":
            self.room.time = arguments[0]
            return None
        if name == "take_away":
            return self.take_commands()
        return getattr(self.room, name)(*arguments)

    def take_commands(self) -> list[tuple[int, int, int, int]]:
        row = self.room.arena["execution"][0]
        commands = self.room.arena["commands"][: int(row["commands"])]
        names = ("what", "order", "side", "quantity")
        taken = [tuple(int(one[name]) for name in names) for one in commands]
        self.room.take_away()
        return taken  # type: ignore[return-value]

    def room_for(self, side: int) -> int:
        """What the limit leaves, as `risk.limits` counts it."""
        position = self.room.position()
        if side == BUY:
            return LIMIT - position["quantity"] - position["open_buy"]
        return LIMIT + position["quantity"] - position["open_sell"]

    def intend(self) -> None:
        what = self.draw.random()
        numbers = [n for n in self.made if self.room.order(n) is not None]
        number = self.draw.choice(numbers) if numbers else 0
        if what < 0.45:
            side = self.draw.choice((BUY, SELL))
            most = self.room_for(side)
            if most > 0:
                quantity = self.draw.choice((1, most, self.draw.randint(1, most)))
                held = self.draw.random() < 0.2
                number = self.do("new", quantity, side, 0, held)
                if number > 0:
                    self.made[number] = side
        elif what < 0.7 and number:
            self.do("cancel", number)
        elif what < 0.8 and number:
            self.do("release", number)
        elif what < 0.82 and number:
            self.do("refuse", number, orders.STALE)
        elif number:
            order = self.room.order(number)
            filled, total = int(order["filled"]), int(order["quantity"])
            most = total + max(0, self.room_for(self.made[number]))
            if most > filled:
                quantity = self.draw.choice((most, self.draw.randint(filled + 1, most)))
                self.do("replace", number, quantity)

    def step(self) -> None:
        what = self.draw.random()
        if what < 0.3:
            self.intend()
        elif what < 0.5:
            self.venue.arrive()
        elif what < 0.7:
            self.venue.trade()
        elif what < 0.98:
            self.hear()
        elif what < 0.985:
            self.reconnect()
        elif what < 0.993:
            self.restart()
        else:
            self.saved, self.since = self.room.arena.snapshot(), [("time", (self.room.time,))]
        self.venue.under_way += self.do("take_away")

    def hear(self) -> None:
        report = self.venue.hear()
        if report is not None:
            kind, number = report.pop("kind"), report.pop("reference")
            self.do("tell", kind, number, tuple(report.items()))

    def reconnect(self) -> None:
        """The session breaks; on the next one what was missed is told, then all is reconciled."""
        self.venue.cut_off()
        self.do("tell", orders.DISCONNECTED, 0, ())
        for _ in range(self.draw.randint(0, 5)):
            self.intend()  # commands that a driver would not send: nobody is there
        self.venue.under_way.clear()
        self.do("take_away")
        self.do("tell", orders.DISCONNECTED, 0, ())
        late = [
            r for r in self.venue.pool if r["kind"] == orders.FILLED and self.draw.random() < 0.4
        ]
        self.venue.pool = [r for r in self.venue.pool if r not in late]
        while self.venue.pool:
            self.hear()
        for number in self.made:
            order = self.room.order(number)
            if order is not None and order["state"] in (orders.UNKNOWN, orders.ENDING):
                left, filled = self.venue.found(number)
                found = (("quantity", left), ("other", filled), ("price", 10_000))
                self.do("tell", orders.RECONCILED, number, found)
        self.venue.pool = late

    def restart(self) -> None:
        """We end and begin again from the snapshot and what was written down since."""
        before = self.room.arena.snapshot()
        self.room.arena.restore(self.saved)
        for name, arguments in self.since:
            self.apply(name, arguments)
        assert self.room.arena.compare(before) == []

    def check(self) -> None:
        self.room.check()
        position = self.room.position()
        assert position["quantity"] + position["open_buy"] <= LIMIT
        assert position["open_sell"] - position["quantity"] <= LIMIT
        for number in self.made:
            order = self.room.order(number)
            if order is not None:
                over = order["state"] >= orders.OVER
                counted = int(order["filled"]) if over else worst_case(order)
                assert self.venue.may_come_to(number) <= counted, (
                    f"order {number} counts too little"
                )
        assert abs(self.venue.position) <= LIMIT
        self.most = max(self.most, abs(self.venue.position))
        self.made = {n: side for n, side in self.made.items() if self.room.order(n) is not None}
        for number in [n for n in self.venue.orders if n not in self.made]:
            one = self.venue.orders[number]
            assert not one.open, f"order {number} stands there and has lost its slot here"


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_happens_the_position_keeps_to_its_limit(seed):
    trial = Trial(seed)
    for _ in range(STEPS):
        trial.step()
        trial.check()
    assert trial.most > LIMIT * 3 // 4, "the limit was never near: it was not tried"
    row = trial.room.arena["execution"][0]
    assert row["repeated"] and row["late"] and row["filled"]
    assert row["impossible"] == 0, "a right venue was taken for a wrong one"
