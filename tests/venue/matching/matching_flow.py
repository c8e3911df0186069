"""Random commands for the matching engine: of all kinds, mostly sensible, sometimes nonsense.

A flow knows what it sent, so that cancels and replaces mostly name orders that stand. Prices are
few, so that queues grow and orders meet; one symbol trades around 1.00, where the tick changes.
"""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np

from hftlib.venue.matching import records as r
from hftlib.venue.matching.engine import MatchingEngine, Size

SYMBOLS, SESSIONS, FIRMS, ROOM = ["AAA", "BBB", "CCC"], 3, 3, 120
MIDDLES = (100_0000, 50_0000, 1_0000)


def engine(levels: int = 2048, pages: int = 1024) -> MatchingEngine:
    trades = 1 << 12
    room = {"orders": ROOM, "levels": levels, "pages": pages, "trades": trades}
    return MatchingEngine(SYMBOLS, size=Size(**room, sessions=SESSIONS, firms=FIRMS))


def command(kind: int, **fields: int) -> np.ndarray[Any, Any]:
    made = np.zeros(1, r.COMMAND)
    made["kind"] = kind
    for name, value in fields.items():
        made[name] = value
    return made


class Flow:
    def __init__(self, seed: int, meets: bool = False) -> None:
        self.random, self.meets = Random(seed), meets
        self.shown: list[tuple[int, ...]] = []  # session, number, symbol, side, price
        self.urns = [0] * (SESSIONS + 1)
        self.sent: list[list[int]] = [[] for _ in range(SESSIONS + 1)]
        self.time = 1000
        self.matches = 0
        self.calm = self.random.choice((0, 1, 1, 2))  # 2: next to no auctions and halts

    def chance(self, percent: float) -> bool:
        return self.random.random() * 100 < percent

    def pick(self, low: int, high: int) -> int:
        return self.random.randint(low, high)

    def commands(self, count: int) -> np.ndarray[Any, Any]:
        made = np.zeros(count, r.COMMAND)
        for k in range(count):
            fields = self.open_up(k) if k < len(SYMBOLS) and self.time == 1000 else self.one()
            self.time += self.pick(0, 3) if k >= len(SYMBOLS) else 0
            fields.setdefault("time", self.time)
            for name, value in fields.items():
                made[name][k] = value
        self.time += 1
        return made

    def open_up(self, symbol: int) -> dict[str, int]:
        state = self.random.choice((r.TRADING, r.TRADING, r.AUCTION))
        return {"kind": r.SET_STATE, "symbol": symbol, "state": state}

    def one(self) -> dict[str, int]:
        if self.meets and self.chance(12):
            return self.meet()
        draw = self.random.random() * 100
        if draw < 52:
            return self.enter()
        if draw < 67:
            return self.cancel(r.CANCEL)
        if draw < 84:
            return self.replace()
        if draw < 86:
            return self.cancel(r.MODIFY)
        if draw < 89:
            return {"kind": r.PASS_TIME, "time": self.time + self.pick(0, 9)}
        if draw < 96 - 3 * self.calm:
            return self.managed()
        if draw < 96.5:
            return self.firmwide()
        if draw < 96.8:
            return self.nonsense()
        return self.enter()

    def session(self) -> int:
        return self.pick(1, SESSIONS) if not self.chance(0.3) else self.pick(0, SESSIONS + 1)

    def fresh(self, session: int) -> int:
        if session > SESSIONS:
            return 1
        if not self.chance(1):
            self.urns[session] += self.pick(1, 2)
            self.sent[session].append(self.urns[session])
        return self.urns[session]

    def known(self, session: int) -> int:
        if session > SESSIONS or not self.sent[session] or self.chance(3):
            return self.pick(0, 50)
        sent = self.sent[session]
        return sent[-1 - self.pick(0, min(self.random.choice((6, 40)), len(sent) - 1))]

    def price(self, symbol: int, side: int) -> int:
        tick = 100
        away = self.pick(-3, 6) if self.chance(25) else self.pick(0, 6)
        price = MIDDLES[symbol] + (-away if side == r.BUY else away) * tick
        if symbol == 2 and price < 1_0000:
            price = 1_0000 - (1_0000 - price) // 50
        if self.chance(0.5):
            return self.random.choice((0, -1, price + 1, r.PRICE_MAX, r.PRICE_MAX + 1, 2**40))
        return price

    def quantity(self) -> int:
        if self.chance(0.5):
            return self.random.choice((0, -5, 999_999, 1_000_000, 2**40))
        return self.pick(1, 12) if self.chance(80) else self.pick(10, 60)

    def terms(self, symbol: int, side: int, style: int, cross: int) -> dict[str, int]:
        price, quantity = self.price(symbol, side), self.quantity()
        lasts = self.random.choices((r.DAY, r.IOC, r.GTT, r.GTX, 0, 9), (65, 15, 10, 10, 0.2, 0.2))[
            0
        ]
        lasts = r.DAY if cross and not self.chance(3) else lasts
        lasts = r.DAY if style == r.STOP and lasts == r.IOC and not self.chance(3) else lasts
        hidden = style > r.STOP or self.chance(15)
        fields = {"price": price, "quantity": quantity, "lasts": lasts, "shows": 1 + hidden}
        if self.chance(5):
            fields["shows"] = self.random.choice((r.ATTRIBUTED, r.ATTRIBUTED, 0, 4, r.HIDDEN))
        if self.chance(10 if style != r.STOP else 40) or (cross and self.chance(40)):
            fields["price"] = r.MARKET
        if style == r.STOP:
            fields["trigger"] = self.price(symbol, r.BUY if side != r.BUY else r.SELL)
        if style > r.STOP:
            fields["offset"] = self.pick(-3, 3) * self.random.choice((100, 100, 50))
        if lasts == r.GTT:
            fields["expire"] = self.time + self.pick(-1, 400)
        if self.chance(15) and not cross and style <= r.STOP:
            fields["display"] = self.pick(1, 6) if not self.chance(2) else -1
        return fields

    def enter(self) -> dict[str, int]:
        session = self.session()
        symbol = self.pick(0, 2) if not self.chance(0.2) else 3
        side = self.random.choices((1, 2, 3, 4, 0, 5), (50, 40, 8, 2, 0.2, 0.2))[0]
        style = self.random.choices((1, 2, 3, 4, 5, 0, 6), (80, 8, 4, 3, 5, 0.1, 0.1))[0]
        cross = self.pick(1, 4) if style == r.PLAIN and self.chance(8) else 0
        terms = self.terms(min(symbol, 2), side, style, cross)
        fields = terms | {
            "kind": r.ENTER,
            "session": session,
            "firm": self.pick(1, FIRMS) if not self.chance(0.3) else self.pick(0, FIRMS + 1),
            "urn": self.fresh(session),
            "symbol": symbol,
            "side": side,
            "style": style,
            "cross": cross,
            "group": self.pick(0, 1),
            "prevention": self.pick(0, 4) if self.chance(50) else 0,
            "capacity": ord("A"),
            "client_low": self.pick(0, 2**60),
        }
        if fields["shows"] == r.SHOWN and cross == 0:
            place = (fields["symbol"], fields["side"], fields["price"])
            self.shown = [*self.shown[-40:], (session, fields["urn"], *place)]
        if self.chance(7):
            fields["flags"] = r.POST_ONLY
            if self.chance(90):
                fields["lasts"] = r.DAY if fields["lasts"] == r.IOC else fields["lasts"]
        elif self.chance(10):
            fields["minimum"] = max(1, fields["quantity"] // self.pick(1, 3))
            fields["lasts"] = r.IOC if self.chance(60) else fields["lasts"]
        return fields

    def meet(self) -> dict[str, int]:
        """A trade as a tape has it: mostly with an order that its session shows, or did."""
        session, symbol, side = self.session(), self.pick(0, 2), self.pick(1, 2)
        price, original = self.price(symbol, side), self.known(session)
        if self.shown and self.chance(85):
            session, original, symbol, other, price = self.random.choice(self.shown)
            side = r.SELL if other == r.BUY else r.BUY
        if self.chance(20):
            original = 0
        fields = {"kind": r.MEET, "session": session, "original": original, "side": side}
        fields |= {"urn": self.fresh(session), "symbol": symbol, "quantity": self.quantity()}
        fields |= {"price": price if self.chance(60) else 0, "firm": self.pick(1, FIRMS)}
        fields["flags"] = r.UNSEEN * self.chance(30) | r.UNPRINTED * self.chance(25)
        if self.chance(2):
            fields["firm"] = self.pick(0, FIRMS + 1)
        if self.chance(30):
            fields["price"] = self.price(min(symbol, 2), r.BUY)
        return fields

    def replace(self) -> dict[str, int]:
        session = self.session()
        original = self.known(session)
        symbol, side = self.pick(0, 2), self.pick(1, 2)
        fields = self.terms(symbol, side, r.PLAIN, 0)
        if self.chance(35):
            # Near enough to what stands to keep its place, now and then.
            fields |= {"shows": r.SHOWN, "display": 0, "quantity": self.pick(1, 8)}
        fields |= {"kind": r.REPLACE, "session": session, "original": original}
        fields |= {"urn": self.fresh(session), "trigger": self.price(symbol, side)}
        if self.chance(5):
            fields["flags"] = r.POST_ONLY
        if self.chance(20):
            fields["shows"] = r.HIDDEN
            fields["display"] = 0
        return fields

    def cancel(self, kind: int) -> dict[str, int]:
        session = self.session()
        quantity = 0 if self.chance(60) else self.pick(1, 20)
        fields = {"kind": kind, "session": session, "urn": self.known(session)}
        fields["quantity"] = quantity
        if kind == r.MODIFY:
            fields["side"] = self.pick(0, 5)
        return fields

    def managed(self) -> dict[str, int]:
        symbol = self.pick(0, 2) if not self.chance(3) else self.random.choice((3, r.ALL))
        kinds = (r.SET_STATE, r.SET_BANDS, r.CROSS, r.INDICATE, r.BREAK, r.SYSTEM)
        kind = self.random.choices(kinds, (35, 20, 20, 15, 9, 1))[0]
        fields = {"kind": kind, "symbol": symbol, "time": self.time - self.pick(0, 2)}
        fields["session"] = 0 if not self.chance(2) else 1
        if kind == r.SET_STATE:
            states = (r.AUCTION, r.TRADING, r.HALTED, r.PAUSED, r.CLOSED, 5)
            fields["state"] = self.random.choices(states, (15, 70, 5, 5, 2, 1))[0]
            fields["reason"] = 0x54312020
        elif kind == r.SET_BANDS:
            fields["price"] = self.price(min(symbol, 2), 1) if not self.chance(40) else 0
            fields["bps"] = self.random.choice((0, 2, 3, 5, 500, 10_001))
            fields["flags"] = r.TELL * (fields["bps"] in (3, 5))
        elif kind in (r.CROSS, r.INDICATE):
            fields["cross"] = self.pick(1, 3) if not self.chance(3) else 4
            fields["state"] = r.TRADING if not self.chance(5) else self.pick(0, 5)
            if self.chance(40):
                fields["price"] = MIDDLES[min(symbol, 2)] + self.pick(-8, 8) * 50
        elif kind == r.BREAK:
            fields["match"] = self.pick(-1, 200)
        elif kind == r.SYSTEM:
            fields["letter"] = ord(self.random.choice("OSQME"))
        return fields

    def firmwide(self) -> dict[str, int]:
        kinds = (r.MASS_CANCEL, r.DISABLE, r.ENABLE, r.DISCONNECT, r.ACCOUNT)
        kind = self.random.choices(kinds, (15, 5, 70, 3, 7))[0]
        symbol = self.random.choice((0, 1, 2, 3, r.ALL))
        session = self.session() if not self.chance(20) else 0
        return {
            "kind": kind,
            "firm": self.pick(0, FIRMS + 1),
            "symbol": symbol,
            "session": session,
            "flags": r.OF_ALL if kind == r.MASS_CANCEL and self.chance(30) else 0,
        }

    def nonsense(self) -> dict[str, int]:
        """Any bytes at all, but for the time."""
        wild = np.frombuffer(self.random.randbytes(r.COMMAND_BYTES), r.COMMAND)[0]
        fields = {name: int(wild[name]) for name in r.COMMAND.names}
        session = fields["session"] % (SESSIONS + 3)
        used = self.urns[session] if session <= SESSIONS else 0
        return fields | {"time": self.time, "session": session, "urn": used}
