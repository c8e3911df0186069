"""The slow twin of the matching engine: one list of orders, everything looked for anew.

It follows the rules as `docs/matching.md` states them and uses none of the engine's code but its
names of numbers. A queue is whatever stands at a price, in order of `stamp`; what an order with a
minimum could take is found by letting a copy of it all take. Reports are tuples of REPORT's fields.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from hftlib.venue.matching import reasons as why
from hftlib.venue.matching import records as r
from hftlib.venue.matching.records import (
    ALL,
    BUY,
    DAY,
    HIDDEN,
    MARKET,
    PLAIN,
    PRICE_MAX,
    REPORT,
    SELL,
    STOP,
    TRADING,
)

FIELDS = REPORT.names
BLANK = dict.fromkeys(FIELDS, 0)
ECHO = (
    *("price", "urn", "session", "symbol", "firm", "side", "lasts", "shows", "style"),
    *("capacity", "sweep", "cross", "prevention"),
)
DEAD = "dead"


@dataclass(eq=False)
class Order:
    number: int
    urn: int
    session: int
    firm: int
    group: int
    symbol: int
    side: int
    style: int
    cross: int
    capacity: int
    prevention: int
    quantity: int
    price: int = 0
    limit: int = 0
    reserve: int = 0
    lasts: int = 0
    shows: int = 0
    sweep: int = 0
    trigger: int = 0
    offset: int = 0
    expire: int = 0
    display: int = 0
    executed: int = 0
    place: str = ""
    stamp: int = 0
    born: int = 0
    listed: int = 0

    @property
    def buys(self) -> bool:
        return self.side == BUY

    @property
    def open(self) -> int:
        return self.quantity + self.reserve

    @property
    def key(self) -> tuple[int, ...]:
        """Smaller is better."""
        price = {True: -self.price, False: self.price}[self.buys]
        if self.price == MARKET:
            price = -MARKET
        rank = {"shown": 0, "held": 1, "hidden": 2}[self.place]
        return price, rank, self.stamp


class Symbol:
    def __init__(self, tick: int) -> None:
        self.tick = tick
        self.state = r.CLOSED
        self.last = self.high = self.low = self.lower = self.reference = 0
        self.upper = PRICE_MAX
        self.pegged: Any = None
        self.orders: list[Order] = []


class Twin:
    def __init__(self, symbols: int, sessions: int, firms: int, tick: int, room: int) -> None:
        self.symbols = [Symbol(tick) for _ in range(symbols)]
        self.urns = [0] * (sessions + 1)
        self.disabled = [False] * (firms + 1)
        self.sessions, self.firms, self.room = sessions, firms, room
        self.time = self.number = self.match = self.commands = self.stamp = self.told = 0
        self.trades: dict[int, Any] = {}
        self.reports: list[dict[str, int]] = []
        self.refreshing: list[Order] = []
        self.unsettled: list[int] = []

    # What is said.

    def say(self, kind: int, reason: int = 0, **fields: int) -> dict[str, int]:
        self.told += 1
        report = BLANK | {"sequence": self.told, "time": self.time, "command": self.commands}
        report |= {"kind": kind, "reason": reason} | fields
        self.reports.append(report)
        return report

    def say_of(self, o: Order, kind: int, reason: int = 0, **fields: int) -> dict[str, int]:
        echoed = {name: getattr(o, name) for name in ECHO}
        return self.say(kind, reason, **({"order": o.number} | echoed | fields))

    def answer(self, c: Any, kind: int, reason: int = 0, **fields: int) -> None:
        names = ("urn", "original", "session", "symbol", "firm", "side")
        names += ("client_low", "client_high")
        self.say(kind, reason, **({name: int(c[name]) for name in names} | fields))

    def taken(self) -> list[tuple[int, ...]]:
        told, self.reports = self.reports, []
        return [tuple(report[name] for name in FIELDS) for report in told]

    # What stands where.

    def all_orders(self) -> list[Order]:
        return [o for s in self.symbols for o in s.orders]

    def everything(self) -> list[Order]:
        return sorted(self.all_orders(), key=lambda o: (o.session, o.listed))

    def known(self, session: int, urn: int) -> Order | None:
        found = [o for o in self.all_orders() if o.urn == urn and o.session == session]
        return found[0] if found else None

    def queue(self, symbol: int, buys: bool, *places: str) -> list[Order]:
        found = [o for o in self.symbols[symbol].orders if o.buys == buys and o.place in places]
        return sorted(found, key=lambda o: o.key)

    def best(self, symbol: int, buys: bool) -> int:
        found = self.queue(symbol, buys, "shown")
        return found[0].price if found else 0

    def touch(self, symbol: int) -> None:
        watched = any(o.style != PLAIN for o in self.symbols[symbol].orders)
        if watched and symbol not in self.unsettled:
            self.unsettled.append(symbol)

    def put(self, o: Order, place: str) -> None:
        if o not in self.symbols[o.symbol].orders:
            self.symbols[o.symbol].orders.append(o)
            self.stamp += 1
            o.born = o.listed = self.stamp
        self.stamp += 1
        o.place, o.stamp = place, self.stamp
        if place != "parked":
            self.touch(o.symbol)

    def out(self, o: Order) -> None:
        """From its queue; it is known still."""
        if o.place not in ("", "parked", "moving"):
            self.touch(o.symbol)
        o.place = ""

    def end(self, o: Order) -> None:
        self.out(o)
        o.place = DEAD
        orders = self.symbols[o.symbol].orders
        self.symbols[o.symbol].orders = [one for one in orders if one is not o]

    def cancel(self, o: Order, reason: int, kind: int = r.CANCELLED, **fields: int) -> None:
        shown = o.quantity if o.place == "shown" else 0
        public = r.DELETE if shown else 0
        self.say_of(o, kind, reason, quantity=o.open, public=public, shown=shown, **fields)
        self.end(o)

    def lessen(self, o: Order, less: int) -> int:
        hidden = min(less, o.reserve)
        o.reserve -= hidden
        o.quantity -= less - hidden
        return less - hidden if o.place == "shown" else 0

    def say_less(self, o: Order, less: int, reason: int, kind: int, **fields: int) -> None:
        seen = self.lessen(o, less)
        public = r.REDUCE if seen else 0
        fields |= {"quantity": less, "open": o.open, "public": public, "shown": seen}
        self.say_of(o, kind, reason, **fields)

    def renumber(self, o: Order) -> int:
        old = o.number
        self.number += 1
        o.number = self.number
        self.stamp += 1
        o.listed = self.stamp
        return old

    # Trading.

    def meets(self, symbol: int, buys: bool, price: int) -> list[Order]:
        """Whom such an order would meet, in turn."""
        others = self.queue(symbol, not buys, "shown", "hidden")
        if price == MARKET:
            return others
        return [o for o in others if (o.price <= price if buys else o.price >= price)]

    def take(self, o: Order) -> str:
        s = self.symbols[o.symbol]
        outcome = "left"
        while o.quantity:
            met = self.meets(o.symbol, o.buys, o.price)
            if not met:
                break
            m = met[0]
            if not s.lower <= m.price <= s.upper:
                outcome = "blocked"
                break
            if o.prevention and (o.firm, o.group) == (m.firm, m.group):
                if self.prevent(o, m):
                    outcome = "over"
                    break
                continue
            self.trade(o, m, min(o.quantity, m.quantity), m.price)
        self.refresh()
        if outcome != "over" and not o.quantity:
            self.end(o)
            return "over"
        return outcome

    def prevent(self, o: Order, m: Order) -> bool:
        both = min(o.open, m.open)
        if o.prevention == r.DECREMENT:
            for one in (o, m):
                if one.open == both:
                    self.cancel(one, why.SELF_MATCH, r.PREVENTED, extra=both)
                else:
                    self.say_less(one, both, why.SELF_MATCH, r.PREVENTED, extra=both)
            return o.place == DEAD
        if o.prevention in (r.OLDEST, r.BOTH):
            self.cancel(m, why.SELF_MATCH, r.PREVENTED, extra=both)
        if o.prevention in (r.NEWEST, r.BOTH):
            self.cancel(o, why.SELF_MATCH, r.PREVENTED, extra=both)
        return o.prevention != r.OLDEST

    def trade(self, a: Order, b: Order, quantity: int, price: int, cross: bool = False) -> None:
        s = self.symbols[a.symbol]
        self.match += 1
        s.last = price
        s.high = max(s.high, price)
        s.low = min(s.low or price, price)
        self.trades[self.match] = (price, quantity, copy.copy(a), copy.copy(b))
        self.touch(a.symbol)
        for o in (a, b):
            seen = o.place == "shown"
            fields = {"other": self.match, "price": price, "quantity": quantity}
            fields |= {"open": o.open - quantity, "printed": 0 if cross else 1}
            if cross:
                public, liquidity = r.EXECUTE_AT if seen else 0, r.IN_CROSS
            elif o is a:
                public, liquidity = 0, r.REMOVES
            else:
                public = r.EXECUTE if seen else r.TRADE
                liquidity = r.ADDS if seen else r.ADDS_UNSEEN
            shown = quantity if public else 0
            self.say_of(o, r.EXECUTED, liquidity=liquidity, public=public, shown=shown, **fields)
            o.quantity -= quantity
            o.executed += quantity
        for o in (a, b) if cross else (b,):
            if not o.quantity and o.reserve:
                o.quantity, o.reserve = o.reserve, 0
                self.put(o, "hidden")
                self.refreshing.append(o)
            elif not o.quantity:
                self.end(o)

    def refresh(self) -> None:
        waiting, self.refreshing = self.refreshing, []
        for o in waiting:
            if o.place != DEAD:
                whole = o.quantity
                o.quantity = min(o.display, whole)
                o.reserve = whole - o.quantity
                old = self.renumber(o)
                self.put(o, "shown")
                fields = {"other": old, "open": whole, "public": r.ADD, "shown": o.quantity}
                self.say_of(o, r.PRIORITY, why.REFRESHED, **fields)

    def work(self, o: Order, head: dict[str, int]) -> None:
        s = self.symbols[o.symbol]
        if o.cross:
            return self.put(o, "held")
        if o.style > STOP:
            o.price = self.peg_price(o)
            if not o.price:
                if o.lasts == r.IOC:
                    return self.cancel(o, why.NOTHING_THERE)
                return self.put(o, "parked")
        if s.state == TRADING:
            outcome = self.take(o)
            beyond = o.price > s.upper if o.buys else o.price < s.lower
            if outcome == "over":
                return None
            if o.lasts == r.IOC:
                return self.cancel(o, why.MOMENT_OVER)
            if o.price == MARKET:
                return self.cancel(o, why.NOTHING_THERE)
            if outcome == "blocked" or beyond:
                return self.cancel(o, why.OUTSIDE_BANDS)
        if o.shows == HIDDEN:
            return self.put(o, "hidden")
        if 0 < o.display < o.quantity:
            o.reserve, o.quantity = o.quantity - o.display, o.display
        self.put(o, "shown")
        if head is self.reports[-1]:
            head["public"] = r.CHANGE if head["public"] == r.DELETE else r.ADD
            head["shown"] = o.quantity
        else:
            self.say_of(o, r.ADDED, public=r.ADD, open=o.open, shown=o.quantity)
        return None

    # What follows: stops and pegs.

    def reached(self, o: Order, low: int, high: int) -> bool:
        if self.symbols[o.symbol].state != TRADING or not self.symbols[o.symbol].last:
            return False
        return high >= o.trigger if o.buys else low <= o.trigger

    def settle(self) -> None:
        while self.unsettled:
            number = self.unsettled[0]
            s = self.symbols[number]
            stops = [o for o in s.orders if o.place == "stop" and self.reached(o, s.low, s.high)]
            if stops:
                o = min(
                    stops,
                    key=lambda o: (not o.buys, o.trigger if o.buys else -o.trigger, o.stamp),
                )
                self.out(o)
                o.style = PLAIN
                old = self.renumber(o)
                self.work(o, self.say_of(o, r.PRIORITY, why.WOKEN, other=old, open=o.open))
                continue
            if s.state == TRADING and s.last:
                s.high = s.low = s.last
            if not self.move_pegs(number):
                self.unsettled.pop(0)

    def peg_price(self, o: Order) -> int:
        s = self.symbols[o.symbol]
        bid, ask = self.best(o.symbol, True), self.best(o.symbol, False)
        if o.style == r.PEG_MID:
            follows = bid and ask and (bid + ask + (not o.buys)) // 2
        else:
            follows = bid if (o.style == r.PEG_SAME) == o.buys else ask
        if not follows or s.state != TRADING:
            return 0
        price = follows + o.offset
        if o.style != r.PEG_MID:
            tick = self.tick(s, price)
            price = (price if o.buys else price + tick - 1) // tick * tick
        if o.buys and ask:
            price = min(price, ask - self.tick(s, ask - 1))
        if not o.buys and bid:
            price = max(price, bid + self.tick(s, bid))
        if o.limit != MARKET:
            price = min(price, o.limit) if o.buys else max(price, o.limit)
        good = 0 < price <= PRICE_MAX and s.lower <= price <= s.upper
        return price if good else 0

    def tick(self, s: Symbol, price: int) -> int:
        return s.tick if price >= 10_000 else 1

    def move_pegs(self, number: int) -> bool:
        s = self.symbols[number]
        now = self.best(number, True), self.best(number, False), s.state
        if now == s.pegged:
            return False
        s.pegged = now
        pegs = sorted((o for o in s.orders if o.style > STOP), key=lambda o: o.born)
        for o in pegs:
            price = self.peg_price(o)
            if price == (o.price if o.place == "hidden" else 0):
                continue
            if o.place == "hidden":
                self.out(o)
            o.price, o.place = price, "moving" if price else "parked"
            if not price:
                self.say_of(o, r.PRIORITY, why.REPEGGED, other=o.number, open=o.open)
        moving = [o for o in pegs if o.place == "moving"]
        for o in moving:
            old = self.renumber(o)
            self.work(o, self.say_of(o, r.PRIORITY, why.REPEGGED, other=old, open=o.open))
        return bool(moving)

    # What owners ask.

    def obey(self, c: Any) -> None:
        self.commands += 1
        self.time = max(self.time, int(c["time"]))
        ending = [o for o in self.all_orders() if o.lasts == r.GTT and o.expire <= self.time]
        for o in sorted(ending, key=lambda o: (o.expire, o.session, o.urn)):
            self.cancel(o, why.TIME_OVER)
        kind, session = int(c["kind"]), int(c["session"])
        if session > self.sessions:
            self.answer(c, r.REJECTED, why.NO_SESSION)
        elif not 0 < kind < len(r.KINDS):
            self.answer(c, r.REJECTED, why.BAD_KIND)
        elif kind in (r.MASS_CANCEL, r.DISABLE, r.ENABLE):
            self.firmwide(c, kind)
        elif (session == 0) != (kind > r.DISCONNECT and kind != r.MEET):
            self.answer(c, r.REJECTED, why.NO_SESSION)
        elif kind in (r.ENTER, r.REPLACE, r.MEET):
            if c["urn"] > self.urns[session]:
                self.urns[session] = int(c["urn"])
                {r.ENTER: self.enter, r.REPLACE: self.replace, r.MEET: self.meet}[kind](c)
        elif kind in (r.CANCEL, r.MODIFY):
            self.lessened(c, kind)
        elif kind == r.ACCOUNT:
            self.answer(c, r.ACCOUNTED, quantity=self.urns[session] + 1)
        elif kind == r.DISCONNECT:
            count = self.cancel_many(session, 0, ALL, 0, why.CUT_OFF)
            self.answer(c, r.MASS_CANCELLED, why.CUT_OFF, quantity=count)
        else:
            self.exchange(c, kind)
        self.settle()

    def enter(self, c: Any) -> None:
        checks = (
            (0 < c["firm"] <= self.firms, why.NO_FIRM),
            (c["symbol"] < len(self.symbols), why.NO_SYMBOL),
            (c["side"] in (1, 2, 3, 4), why.NO_SIDE),
            (c["style"] in (1, 2, 3, 4, 5), why.BAD_STYLE),
            (c["cross"] <= 3, why.BAD_CROSS),
            (c["prevention"] <= 4, why.BAD_PREVENTION),
            (len(self.all_orders()) < self.room, why.NO_ROOM),
        )
        wrong = [reason for good, reason in checks if not good]
        terms = ("firm", "symbol", "side", "style", "cross")
        reason = wrong[0] if wrong else self.refusal(c, *(int(c[name]) for name in terms))
        if reason:
            return self.answer(c, r.REJECTED, reason)
        self.number += 1
        kept = "urn session firm group symbol side style cross capacity prevention quantity"
        o = Order(self.number, *(int(c[name]) for name in kept.split()))
        self.set_terms(o, c)
        head = self.accepted(o, c, r.ACCEPTED)
        if self.waits(o):
            return None
        if c["minimum"] and self.could_take(o) < c["minimum"]:
            return self.cancel(o, why.TOO_LITTLE)
        return self.work(o, head)

    def accepted(self, o: Order, c: Any, kind: int, **more: int) -> dict[str, int]:
        client = {name: int(c[name]) for name in ("client_low", "client_high")}
        fields = client | {"quantity": o.open, "open": o.open, "extra": int(c["display"])}
        return self.say_of(o, kind, **(fields | more))

    def set_terms(self, o: Order, c: Any) -> None:
        o.price = o.limit = int(c["price"])
        for name in ("lasts", "shows", "sweep", "trigger", "offset", "expire", "display"):
            setattr(o, name, int(c[name]))
        o.reserve = 0

    def waits(self, o: Order) -> bool:
        s = self.symbols[o.symbol]
        if o.style == STOP and not self.reached(o, s.last, s.last):
            s.high = s.low = s.last
            self.put(o, "stop")
            return True
        if o.style == STOP:
            o.style = PLAIN
        return False

    def could_take(self, o: Order) -> int:
        """Let a copy of everything take, and see."""
        other = copy.copy(self)
        other.symbols = [copy.copy(s) for s in self.symbols]
        for s in other.symbols:
            s.orders = [copy.copy(one) for one in s.orders]
        other.trades, other.reports = {}, []
        other.unsettled, other.refreshing = list(self.unsettled), []
        mine = copy.copy(o)
        other.take(mine)
        return mine.executed - o.executed

    def refusal(self, c: Any, firm: int, symbol: int, side: int, style: int, cross: int) -> int:
        s, price = self.symbols[symbol], int(c["price"])
        market, lasts, display = price == MARKET, int(c["lasts"]), int(c["display"])
        only_adds, minimum = bool(c["flags"] & r.POST_ONLY), int(c["minimum"])
        at_once = lasts == r.IOC or minimum != 0
        adds_badly = style != PLAIN or cross or lasts == r.IOC or market
        takes_badly = not 0 < minimum <= c["quantity"] or style != PLAIN or cross or only_adds
        stands = style == PLAIN and not cross
        checks = (
            (self.disabled[firm], why.FIRM_DISABLED),
            (not 0 < c["quantity"] < 1_000_000, why.BAD_QUANTITY),
            (not market and not 0 < price <= PRICE_MAX, why.BAD_PRICE),
            (not market and price % self.tick(s, price), why.OFF_GRID),
            (lasts not in (1, 2, 3, 4), why.BAD_LASTING),
            (lasts == r.GTT and c["expire"] <= self.time, why.BAD_LASTING),
            (c["shows"] not in (1, 2, 3), why.BAD_DISPLAY),
            (not 0 <= display < 1_000_000, why.BAD_DISPLAY),
            (display and (c["shows"] == HIDDEN or style > STOP), why.BAD_DISPLAY),
            (style == STOP and not 0 < c["trigger"] <= PRICE_MAX, why.BAD_TRIGGER),
            (style > STOP and c["shows"] != HIDDEN, why.BAD_DISPLAY),
            (style > STOP and not -PRICE_MAX <= c["offset"] <= PRICE_MAX, why.BAD_PRICE),
            (style == STOP and lasts == r.IOC, why.BAD_LASTING),
            (cross and (style != PLAIN or display), why.BAD_CROSS),
            (cross and lasts != DAY, why.BAD_LASTING),
            (only_adds and adds_badly, why.BAD_STYLE),
            (minimum and takes_badly, why.BAD_MINIMUM),
            (s.state == r.CLOSED, why.NOT_OPEN),
            (s.state in (r.HALTED, r.PAUSED), why.IS_HALTED),
            (s.state == r.AUCTION and (at_once or (market and stands)), why.NOT_TRADING),
            (
                s.state == TRADING and only_adds and self.meets(symbol, side == BUY, price),
                why.WOULD_TAKE,
            ),
        )
        return next((reason for wrong, reason in checks if wrong), 0)

    def replace(self, c: Any) -> None:
        o = self.known(int(c["session"]), int(c["original"]))
        if o is None:
            return self.answer(c, r.REJECTED, why.NO_ORDER)
        reason = why.BAD_MINIMUM if c["minimum"] else 0
        reason = reason or self.refusal(c, o.firm, o.symbol, o.side, o.style, o.cross)
        if reason:
            return self.answer(c, r.REJECTED, reason)
        wanted = int(c["quantity"]) - o.executed
        if wanted <= 0:
            return self.cancel(o, why.ASKED)
        names = (
            ["shows", "display"] + ["trigger"] * (o.style == STOP) + ["offset"] * (o.style > STOP)
        )
        same = all(int(c[name]) == getattr(o, name) for name in names) and c["price"] == o.limit
        original = {"original": int(c["original"])}
        if same and wanted <= o.open and c["lasts"] != r.IOC:
            o.urn = int(c["urn"])
            o.lasts, o.sweep, o.expire = int(c["lasts"]), int(c["sweep"]), int(c["expire"])
            seen = self.lessen(o, o.open - wanted)
            more = {"public": r.REDUCE if seen else 0, "shown": seen, "other": o.number}
            self.accepted(o, c, r.REPLACED, **(more | original))
            return None
        shown = o.quantity if o.place == "shown" else 0
        self.end(o)
        o.place, o.urn, o.quantity = "", int(c["urn"]), wanted
        self.set_terms(o, c)
        old = self.renumber(o)
        more = {"other": old, "public": r.DELETE if shown else 0, "shown": shown}
        head = self.accepted(o, c, r.REPLACED, **(more | original))
        return None if self.waits(o) else self.work(o, head)

    def meet(self, c: Any) -> None:
        session, symbol, price = int(c["session"]), int(c["symbol"]), int(c["price"])
        unseen, unprinted = bool(c["flags"] & r.UNSEEN), bool(c["flags"] & r.UNPRINTED)
        buys = int(c["side"]) == BUY
        named = self.known(session, int(c["original"])) if c["original"] else None
        state = self.symbols[symbol].state if symbol < len(self.symbols) else 0
        fits = named is None or (
            (named.place, named.symbol, named.buys) == ("shown", symbol, not buys)
        )
        checks = (
            (0 < c["firm"] <= self.firms, why.NO_FIRM),
            (symbol < len(self.symbols), why.NO_SYMBOL),
            (c["side"] in (1, 2, 3, 4), why.NO_SIDE),
            (len(self.all_orders()) < self.room, why.NO_ROOM),
            (c["firm"] > self.firms or not self.disabled[c["firm"]], why.FIRM_DISABLED),
            (0 < c["quantity"] < 1_000_000, why.BAD_QUANTITY),
            (0 <= price <= PRICE_MAX and (named or price), why.BAD_PRICE),
            (fits, why.NO_ORDER),
            (state != r.CLOSED, why.NOT_OPEN),
            (state not in (r.HALTED, r.PAUSED), why.IS_HALTED),
            (state == TRADING or unprinted, why.NOT_TRADING),
        )
        wrong = [reason for good, reason in checks if not good]
        if wrong:
            return self.answer(c, r.REJECTED, wrong[0])
        self.number += 1
        kept = "urn session firm group symbol side style cross capacity prevention quantity"
        o = Order(self.number, *(int(c[name]) for name in kept.split()))
        self.set_terms(o, c)
        o.style, o.lasts, o.cross, o.prevention, o.display = PLAIN, r.IOC, 0, 0, 0
        self.accepted(o, c, r.ACCEPTED)
        s = self.symbols[symbol]
        ended = why.MOMENT_OVER
        while o.quantity and not unprinted:
            met = self.meets(symbol, buys, named.price if named else price)
            met = met[: met.index(named)] if named else met
            others = [m for m in met if m.session != session]
            if not others:
                break
            if not s.lower <= others[0].price <= s.upper:
                ended = why.OUTSIDE_BANDS
                break
            self.trade(o, others[0], min(o.quantity, others[0].quantity), others[0].price)
        price = price or (named.price if named else 0)
        if not s.lower <= price <= s.upper:
            ended = why.OUTSIDE_BANDS
        if o.quantity and ended == why.MOMENT_OVER and (named or unseen):
            self.meet_at(o, named, price, not unprinted)
        self.refresh()
        return self.cancel(o, ended) if o.quantity else self.end(o)

    def meet_at(self, o: Order, named: Order | None, price: int, printed: bool) -> None:
        """The recorded trade itself: with the order that is named, or with nobody we know."""
        s = self.symbols[o.symbol]
        quantity = min(o.quantity, named.quantity) if named else o.quantity
        self.match += 1
        s.last, s.high, s.low = price, max(s.high, price), min(s.low or price, price)
        self.trades[self.match] = (price, quantity, copy.copy(o), copy.copy(named or o))
        self.touch(o.symbol)
        shows = r.EXECUTE if named and printed and price == named.price else r.EXECUTE_AT
        for one in (o, named) if named else (o,):
            public = shows if one is named else 0 if named else r.TRADE
            fields = {"other": self.match, "price": price, "quantity": quantity}
            fields |= {"open": one.open - quantity, "public": public}
            fields |= {"shown": quantity if public else 0, "liquidity": r.REMOVES}
            fields |= {"liquidity": r.ADDS} if one is named else {}
            self.say_of(one, r.EXECUTED, printed=int(printed or not named), **fields)
            one.quantity -= quantity
            one.executed += quantity
        if named and not named.quantity and named.reserve:
            named.quantity, named.reserve = named.reserve, 0
            self.put(named, "hidden")
            self.refreshing.append(named)
        elif named and not named.quantity:
            self.end(named)

    def lessened(self, c: Any, kind: int) -> None:
        o = self.known(int(c["session"]), int(c["urn"]))
        quantity, side = int(c["quantity"]), int(c["side"])
        if o is None:
            return self.answer(c, r.CANCEL_REJECTED, why.NO_ORDER)
        told = r.CANCELLED
        if kind == r.MODIFY:
            if side and (o.buys or side not in (2, 3, 4)):
                return self.answer(c, r.CANCEL_REJECTED, why.NO_SIDE)
            o.side, told = side or o.side, r.MODIFIED
            quantity = quantity or o.executed + o.open
        wanted = quantity - o.executed
        if wanted <= 0:
            return self.cancel(o, why.ASKED)
        if wanted >= o.open and kind == r.CANCEL:
            return self.answer(c, r.CANCEL_REJECTED, why.NOTHING_LESS)
        return self.say_less(o, max(o.open - wanted, 0), why.ASKED, told)

    # What the exchange does.

    def cancel_many(self, session: int, firm: int, symbol: int, lasts: int, reason: int) -> int:
        found = [
            o
            for o in self.everything()
            if (session in (0, o.session) and firm in (0, o.firm))
            and (symbol in (ALL, o.symbol) and lasts in (0, o.lasts))
        ]
        for o in found:
            self.cancel(o, reason)
        return len(found)

    def firmwide(self, c: Any, kind: int) -> None:
        firm, symbol = int(c["firm"]), int(c["symbol"])
        whole = kind == r.MASS_CANCEL and bool(int(c["flags"]) & r.OF_ALL)
        if firm > self.firms or (not firm and (whole or kind != r.MASS_CANCEL)):
            return self.answer(c, r.REJECTED, why.NO_FIRM)
        if kind != r.MASS_CANCEL:
            self.disabled[firm] = kind == r.DISABLE
            return self.answer(c, r.DISABLED if kind == r.DISABLE else r.ENABLED)
        if symbol != ALL and symbol >= len(self.symbols):
            return self.answer(c, r.REJECTED, why.NO_SYMBOL)
        reason = why.MASS if c["session"] else why.EXCHANGE
        count = self.cancel_many(0 if whole else int(c["session"]), firm, symbol, 0, reason)
        return self.answer(c, r.MASS_CANCELLED, reason, quantity=count)

    def exchange(self, c: Any, kind: int) -> None:
        symbol, state, price = int(c["symbol"]), int(c["state"]), int(c["price"])
        if kind == r.BREAK:
            return self.break_trade(c)
        if kind == r.SYSTEM:
            self.say(r.SYSTEM_TOLD, extra=int(c["letter"]), public=r.EVENT_TOLD)
            ends = {ord("M"): DAY, ord("E"): 0}
            if c["letter"] in ends:
                self.cancel_many(0, 0, ALL, ends[c["letter"]], why.DAY_OVER)
            return None
        if kind == r.PASS_TIME:
            return None
        everyone = kind == r.SET_STATE and symbol == ALL
        if symbol >= len(self.symbols) and not everyone:
            return self.answer(c, r.REJECTED, why.NO_SYMBOL)
        if kind == r.SET_STATE:
            if state > r.PAUSED:
                return self.answer(c, r.REJECTED, why.BAD_STATE)
            for number in range(len(self.symbols)) if everyone else [symbol]:
                if state == TRADING and self.is_crossed(number):
                    self.answer(c, r.REJECTED, why.IS_CROSSED)
                else:
                    self.set_state(number, state, int(c["reason"]))
            return None
        if kind == r.SET_BANDS:
            return self.set_bands(c)
        if not 1 <= c["cross"] <= 3:
            return self.answer(c, r.REJECTED, why.BAD_CROSS)
        if not 0 <= price <= PRICE_MAX:
            return self.answer(c, r.REJECTED, why.BAD_PRICE)
        if kind == r.INDICATE:
            return self.indicate(symbol, int(c["cross"]), price)
        if self.symbols[symbol].state not in (r.AUCTION, TRADING) or state > r.PAUSED:
            return self.answer(c, r.REJECTED, why.BAD_STATE)
        self.cross(symbol, int(c["cross"]), price)
        return self.set_state(symbol, state, int(c["reason"]))

    def is_crossed(self, number: int) -> bool:
        bids = [o.price for o in self.queue(number, True, "shown", "hidden")]
        asks = [o.price for o in self.queue(number, False, "shown", "hidden")]
        return bool(bids and asks and max(bids) >= min(asks))

    def set_state(self, number: int, state: int, reason: int) -> None:
        self.symbols[number].state = state
        self.touch(number)
        self.say(r.STATE, symbol=number, state=state, extra=reason, public=r.HALT)

    def set_bands(self, c: Any) -> None:
        s, price, bps = self.symbols[c["symbol"]], int(c["price"]), int(c["bps"])
        if not 0 <= price <= PRICE_MAX or bps > 10_000:
            return self.answer(c, r.REJECTED, why.BAD_PRICE)
        s.lower, s.upper, s.pegged = 0, PRICE_MAX, None
        s.reference = price or s.reference
        if price and bps:
            low, high = (price * (10_000 + one) // 10_000 for one in (-bps, bps))
            s.lower = low + -low % self.tick(s, low)
            s.upper = min(high - high % self.tick(s, high), PRICE_MAX)
        self.touch(int(c["symbol"]))
        public = r.COLLAR if s.state != TRADING or c["flags"] & r.TELL else 0
        self.say(
            r.BANDS,
            symbol=int(c["symbol"]),
            price=price,
            quantity=s.upper,
            open=s.lower,
            extra=bps,
            public=public,
        )
        return None

    def break_trade(self, c: Any) -> None:
        if int(c["match"]) not in self.trades:
            return self.answer(c, r.REJECTED, why.NO_TRADE)
        price, quantity, a, b = self.trades.pop(int(c["match"]))
        for o in (a, b):
            named = {
                name: getattr(o, name) for name in ("urn", "session", "symbol", "firm", "side")
            }
            named |= {"public": r.BREAKING if o is a else 0, "quantity": quantity, "price": price}
            self.say(r.BROKEN, why.EXCHANGE, other=int(c["match"]), **named)
        return None

    # Crosses.

    def both(self, symbol: int, cross: int, price: int, with_book: bool) -> tuple[int, int]:
        """What would be bought and sold at a price."""
        found = [
            o
            for o in self.symbols[symbol].orders
            if (with_book and o.place in ("shown", "hidden"))
            or (o.place == "held" and o.cross == cross)
        ]
        bought = sum(o.open for o in found if o.buys and o.price >= price)
        sold = sum(o.open for o in found if not o.buys and (o.price <= price or o.price == MARKET))
        return bought, sold

    def best_cross(self, symbol: int, cross: int, reference: int, with_book: bool = True) -> Any:
        """Every price of the grid is tried that is near an order or the reference."""
        s = self.symbols[symbol]
        near = {o.price for o in s.orders if o.price != MARKET} | {reference}
        tried = {p for one in near for p in range(one - s.tick, one + s.tick + 1)}
        grid = sorted(p for p in tried if 0 < p <= PRICE_MAX and not p % self.tick(s, p))
        best = (0, 0, 0)
        found = 0
        for price in grid:
            bought, sold = self.both(symbol, cross, price, with_book)
            goodness = (min(bought, sold), -abs(bought - sold), -abs(price - reference))
            if goodness[0] and (not found or goodness > best):
                best, found = goodness, price
        return found, best[0]

    def reference(self, symbol: int, given: int) -> int:
        s = self.symbols[symbol]
        return given or s.reference or s.last

    def cross(self, symbol: int, cross: int, given: int) -> None:
        price, volume = self.best_cross(symbol, cross, self.reference(symbol, given))
        left = volume
        while left:
            first = []
            for buys in (True, False):
                queue = self.queue(symbol, buys, "shown", "hidden", "held")
                first.append(next(o for o in queue if o.place != "held" or o.cross == cross))
            quantity = min(left, first[0].quantity, first[1].quantity)
            self.trade(*first, quantity, price, cross=True)
            left -= quantity
        self.match += 1
        told = {"symbol": symbol, "other": self.match, "price": price, "quantity": volume}
        self.say(r.CROSSED, cross=cross, public=r.CROSS_TRADE, printed=1, **told)
        self.refresh()
        for buys in (True, False):
            for o in self.queue(symbol, buys, "held"):
                if o.cross == cross:
                    self.cancel(o, why.CROSS_OVER)

    def indicate(self, symbol: int, cross: int, given: int) -> None:
        reference = self.reference(symbol, given)
        far = self.best_cross(symbol, cross, reference, with_book=False)[0]
        near = self.best_cross(symbol, cross, reference)[0]
        reference = reference or near
        bought, sold = self.both(symbol, cross, reference, True)
        self.say(
            r.IMBALANCE,
            symbol=symbol,
            cross=cross,
            price=reference,
            quantity=min(bought, sold),
            extra=abs(bought - sold),
            state=BUY if bought > sold else SELL if sold > bought else 0,
            other=near,
            open=far,
            public=r.INDICATION,
        )
