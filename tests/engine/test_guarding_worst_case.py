"""Whatever is asked for, said, lost or told twice: no position beyond its limit, at any level.

Asked for through the engine as a strategy would: orders, quotes, replaces and cancels of any size,
most of them beyond what limits allow; halts and lifts in between. The venue is
`tests/execution/unruly_venue.py`: late, twice, out of order, cut off, but right. Broken trades and
restatements for more are the venue's own to decide, and left out.

One strategy, or four of them: two in one portfolio, two in another.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from hftlib.core import jit, orders
from hftlib.core.events import BUY, EVENT, SELL
from hftlib.engine import path, taking_back
from hftlib.risk.limits import Limits
from hftlib.risk.people import halt, lift, reduce
from tests.engine.desk import Desk, Quiet
from tests.execution.unruly_venue import UnrulyVenue

pytestmark = pytest.mark.modes
LIMIT = 100
STEPS = 3_000 if jit.COMPILED else 800
LEVELS = ("instrument", "strategy", "portfolio", "firm")
PORTFOLIOS = {"all": ("Quiet", "B"), "others": ("C", "D")}


def limits(level: str, mode: str, names: tuple[str, ...]) -> Limits:
    """The limit at one level, and wider ones at the others."""
    wide = {one: {"position_lots": LIMIT if one == level else 6 * LIMIT} for one in LEVELS}
    wide["instrument"]["open_orders"] = 12 * len(names)
    members = {one: [n for n in those if n in names] for one, those in PORTFOLIOS.items()}
    return Limits(
        instrument={"*": wide["instrument"]},
        strategy=wide["strategy"],
        portfolio={
            one: {"strategies": those, **wide["portfolio"]}
            for one, those in members.items()
            if those
        },
        firm=wide["firm"],
        rules={"self_match": mode, "crossed_books": "allow", "too_fast": "hold"},
    )


class Trial:
    """We, behind risk, and the venue."""

    def __init__(self, seed: int, level: str, mode: str, names: tuple[str, ...]) -> None:
        self.draw = random.Random(seed)
        strategies = {name: Quiet() for name in names}
        first = Desk(limits=limits(level, mode, names), orders_max=64, strategy=strategies)
        self.desks = [first, *(first.beside(n) for n in range(1, len(names)))]
        self.session, self.level = first.session, level
        self.venue = UnrulyVenue(self.draw)
        self.refused = self.most = 0
        for seat in self.session.seats:
            market = seat["markets"][0]
            market["bid"], market["ask"], market["last"] = 9_900, 10_100, 10_000

    def intend(self) -> None:
        draw = self.draw
        desk = draw.choice(self.desks)
        side, price = draw.choice((BUY, SELL)), 10_000 + 100 * draw.randint(-3, 3)
        quantity = draw.choice((1, 7, LIMIT // 2, LIMIT, 2 * LIMIT, draw.randint(1, LIMIT)))
        known = [int(n) for n in desk.seat["own_orders"]["id"] if n > 0]
        what = draw.random()
        if what < 0.45:
            self.refused += desk.place(side, price, quantity) < 0
        elif what < 0.6:
            desk.quote(price - 100, price + 100, quantity)
        elif what < 0.85 and known:
            desk.change(draw.choice(known), price, quantity)
        elif what < 0.98 and known:
            taking_back.take_back(desk.base, draw.choice(known))
        else:
            taking_back.take_back_all(desk.base, -1)

    def say(self) -> None:
        """Somebody halts, reduces or lifts something."""
        scopes = self.session.risk.names
        about: dict[str, Any] = {"at": 0, "who": "ann", "why": "a trial"}
        made = self.draw.choice((halt, reduce, lift, lift, lift))
        more = {"second": "bob", "role": "risk"} if made is lift else {}
        # Most of what is said is lifted again at once, or of four nobody would ever trade.
        for one, extra in ((made, more), (lift, {"second": "bob", "role": "risk"})):
            level = self.draw.choice(LEVELS)
            scope = self.draw.choice([name for name in scopes if name.startswith(level)])
            row = one(scope, **about, **extra).row(self.session.risk, self.desks[0].time)
            path.directive(self.session.address, row.ctypes.data)

    def hear(self) -> None:
        report = self.venue.hear()
        if report is not None:
            self.tell(**report)

    def tell(self, **fields: int) -> None:
        self.desks[0].time += 10
        event = np.zeros(1, EVENT)
        for name, value in fields.items():
            event[name] = value
        event["time"], event["received"] = self.desks[0].time - 5, self.desks[0].time
        path.answer(self.session.address, event.ctypes.data, 7)

    def send(self) -> None:
        for seat in self.session.seats:
            execution, session = seat["execution"], seat["session"]
            rows = seat["commands"][: int(execution["commands"][0])]
            names = ("what", "order", "side", "quantity")
            self.venue.under_way += [tuple(int(row[name]) for name in names) for row in rows]
            for name in ("commands", "fills", "ended"):
                execution[name] = 0
            session["refusals"] = session["refusals_told"] = 0

    def reconnect(self) -> None:
        """Cut off; what was on its way is lost; then all that is open is found out."""
        self.venue.cut_off()
        self.tell(kind=orders.DISCONNECTED)
        self.send()
        self.venue.under_way.clear()
        while self.venue.pool:
            self.hear()
        self.send()
        self.venue.under_way.clear()  # what answers to these: nobody was there
        self.tell(kind=orders.DISCONNECTED)
        for seat in self.session.seats:
            table = seat["own_orders"]
            unclear = np.isin(table["state"], (orders.UNKNOWN, orders.ENDING))
            for number in table["id"][unclear].tolist():
                left, filled = self.venue.found(number)
                fields = {"quantity": left, "other": filled, "price": 10_000}
                self.tell(kind=orders.RECONCILED, reference=number, **fields)

    def step(self) -> None:
        what = self.draw.random()
        if what < 0.35:
            self.intend()
        elif what < 0.55:
            self.venue.arrive()
        elif what < 0.72:
            self.venue.trade()
        elif what < 0.96:
            self.hear()
        elif what < 0.97:
            self.say()
        elif what < 0.98:
            self.reconnect()
        else:
            self.desks[0].time += 50_000_000
            path.look_around(self.session.address, self.desks[0].time)
        self.send()

    def check(self) -> None:
        """What risk has in its books is what all have in theirs, and nobody is beyond the limit."""
        risk, count = self.session.risk, len(self.session.instruments) + 1
        held = [desk.position() for desk in self.desks]
        assert abs(self.venue.position) <= LIMIT * {"strategy": len(held), "portfolio": 2}.get(
            self.level, 1
        )
        for row, name in enumerate(risk.names[: risk.uppers]):
            level, _, whose = name.partition(":")
            members = [whose] if level == "strategy" else PORTFOLIOS.get(whose, self.session.names)
            ours = [
                one for who, one in zip(self.session.names, held, strict=True) if who in members
            ]
            sums = {name: sum(one[name] for one in ours) for name in _SUMMED}
            holding = self.session.arena["holdings"][row * count]
            assert {name: int(holding[name]) for name in _SUMMED} == sums, name
            if self.level == level or (self.level == "instrument" and level == "firm"):
                assert sums["quantity"] + sums["open_buy"] <= LIMIT
                assert sums["open_sell"] - sums["quantity"] <= LIMIT
                self.most = max(self.most, abs(sums["quantity"]))


_SUMMED = ("quantity", "open_buy", "open_sell", "open_orders", "cash", "fees")


@pytest.mark.parametrize("names", [("Quiet",), ("Quiet", "B", "C", "D")], ids=["one", "four"])
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("mode", ["venue", "cancel_newest", "cancel_oldest", "decrement"])
def test_no_position_beyond_its_limit_whatever_happens(level, mode, names):
    trial = Trial(7, level, mode, names)
    for _ in range(STEPS):
        trial.step()
        trial.check()
    assert trial.most > LIMIT // 2, "the limit was never near: it was not tried"
    assert trial.refused > 50
