"""The slow twin of the exchange: plain lists and dictionaries, everything looked for anew.

It follows the rules as the modules of `hftlib.venue` state them, and uses nothing of their code
but the logarithm, whose last digit would decide between two lots (tested by itself).
A queue is a list of [reference, quantity]; ours are named ("own", id). What has no name is a
reference of None. Reports are tuples, as `Twin.report` writes them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from hftlib.core import events, orders
from hftlib.core.events import BUY, NOT_PRINTABLE, SELL
from hftlib.core.orders import DAY, FOK, LIMIT, MARKET, POST_ONLY, STOP, STOP_LIMIT
from hftlib.venue.queueing import log_of

NO_PRICE = -(2**60)
INF = 10**18


@dataclass
class Own:
    id: int
    side: int
    kind: int
    lasts: int
    flags: int
    price: int
    quantity: int
    display: int
    trigger: int
    number: int
    filled: int = 0
    shown: int = 0
    entered: int = 0
    placed: int = 0
    ahead: float = 0.0
    printed: int = 0
    arrival: int = 0
    waiting: bool = False

    @property
    def left(self) -> int:
        return self.quantity - self.filled


class Twin:
    """One instrument of the exchange."""

    def __init__(self, rule: str, tick: int = 1, self_match: str = "cancel newest") -> None:
        self.rule, self.tick, self.self_match = rule, tick, self_match
        self.sides: dict[int, dict[int, list[list[Any]]]] = {BUY: {}, SELL: {}}
        self.own: dict[int, Own] = {}
        self.taken: dict[Any, Any] = {}
        self.state = 0
        self.numbers = self.matches = self.arrivals = self.consumed = 0
        self.reports: list[tuple[Any, ...]] = []

    @property
    def fifo(self) -> bool:
        return self.rule == "fifo"

    @property
    def open(self) -> bool:
        return self.state in (0, events.TRADING)

    # What stands where.

    def better(self, side: int, one: int, other: int) -> bool:
        return one > other if side == BUY else one < other

    def ladder(self, side: int) -> list[int]:
        return sorted(self.sides[side], reverse=side == BUY)

    def best(self, side: int) -> int | None:
        ladder = self.ladder(side)
        return ladder[0] if ladder else None

    def at(self, side: int, price: int) -> int:
        return sum(quantity for _, quantity in self.sides[side].get(price, []))

    def find(self, reference: Any) -> tuple[int, int, int] | None:
        for side in (BUY, SELL):
            for price, queue in self.sides[side].items():
                for place, one in enumerate(queue):
                    if one[0] == reference and reference is not None:
                        return side, price, place
        return None

    def shrink(self, side: int, price: int, place: int, quantity: int) -> None:
        queue = self.sides[side][price]
        queue[place][1] -= quantity
        if queue[place][1] <= 0:
            del queue[place]
        if not queue:
            del self.sides[side][price]

    def standing(self, side: int) -> list[Own]:
        ours = [o for o in self.own.values() if o.side == side and not o.waiting and o.arrival]
        return sorted(ours, key=lambda o: (-o.price if side == BUY else o.price, o.arrival))

    # Reports.

    def report(
        self, own: Own, kind: int, time: int, other: int, price: int, quantity: int, flags: int = 0
    ) -> None:
        beside = (self.twice_mid(), own.entered, own.placed)
        self.reports.append((kind, own.id, other, own.side, price, quantity, flags, time, *beside))

    def refuse(self, command: Any, kind: int, time: int, reason: int) -> None:
        one = (kind, int(command["order"]), reason, int(command["side"]), 0)
        more = (int(command["quantity"]), 0, time, self.twice_mid(), 0, 0)
        self.reports.append(one + more)

    def twice_mid(self) -> int:
        bid, ask = self.best(BUY), self.best(SELL)
        return NO_PRICE if bid is None or ask is None else bid + ask

    # Our orders.

    def place(self, own: Own, time: int) -> None:
        own.shown = min(own.display, own.left) if own.display else own.left
        own.placed = self.at(own.side, own.price)
        own.ahead, own.printed, own.entered = float(own.placed), 0, time
        self.arrivals += 1
        own.arrival = self.arrivals
        if self.fifo:
            self.sides[own.side].setdefault(own.price, []).append([("own", own.id), own.shown])

    def take_out(self, own: Own) -> None:
        own.arrival = 0
        found = self.find(("own", own.id)) if self.fifo else None
        if found:
            self.shrink(*found, own.shown)

    def fill(self, own: Own, quantity: int, price: int, time: int) -> int:
        quantity = min(quantity, own.left)
        self.matches += 1
        self.report(own, orders.FILLED, time, self.matches, price, quantity)
        own.filled += quantity
        if own.left == 0:
            self.take_out(own)
            del self.own[own.id]
        elif quantity < own.shown:
            own.shown -= quantity
            if self.fifo:
                self.shrink(*self.find(("own", own.id)), quantity)
        else:
            self.take_out(own)
            self.place(own, time)
        return quantity

    def end(self, own: Own, time: int, reason: int) -> None:
        self.report(own, orders.CANCELED, time, reason, 0, own.left)
        self.take_out(own)
        del self.own[own.id]

    # Market events.

    def event(self, event: Any) -> None:
        kind, time = int(event["kind"]), int(event["time"])
        printed = self.printed_at(event)
        (self.event_fifo if self.fifo else self.event_level)(event, kind, time)
        if printed is not None and self.open:
            self.wake(printed, time)

    def printed_at(self, event: Any) -> int | None:
        if event["flags"] & NOT_PRINTABLE or event["quantity"] <= 0:
            return None
        if event["kind"] in (events.TRADE, events.CROSS):
            return int(event["price"])
        if event["kind"] != events.EXECUTE:
            return None
        if event["price"]:
            return int(event["price"])
        found = self.find(int(event["reference"]))
        return found[1] if found else None

    def wake(self, price: int, time: int) -> None:
        for side in (BUY, SELL):
            while True:
                woken = [
                    o
                    for o in self.own.values()
                    if o.waiting
                    and o.side == side
                    and (o.trigger <= price if side == BUY else o.trigger >= price)
                ]
                if not woken:
                    break
                own = min(woken, key=lambda o: (o.trigger if side == BUY else -o.trigger, o.number))
                own.waiting = False
                own.kind = MARKET if own.kind == STOP else LIMIT
                self.trade_and_rest(own, time)

    def who_took(self, event: Any) -> int:
        if event["side"] in (BUY, SELL):
            return int(event["side"])
        bid, ask = self.best(BUY), self.best(SELL)
        if ask is not None and event["price"] >= ask:
            return BUY
        return SELL if bid is not None and event["price"] <= bid else 0

    def fill_better(
        self, side: int, limit: int, quantity: int, time: int, at: int | None = None
    ) -> int:
        while quantity > 0:
            ours = [o for o in self.standing(side) if self.better(side, o.price, limit)]
            if not ours:
                break
            price = ours[0].price if at is None else at
            quantity -= self.fill(ours[0], min(quantity, ours[0].shown), price, time)
        return quantity

    def cross(self, event: Any, time: int) -> None:
        for side in (BUY, SELL):
            price = int(event["price"])
            self.fill_better(side, price, int(event["quantity"]), time, price)

    def event_fifo(self, event: Any, kind: int, time: int) -> None:
        price, quantity = int(event["price"]), int(event["quantity"])
        reference, side = int(event["reference"]), int(event["side"])
        goes_on = self.open and not event["flags"] & NOT_PRINTABLE
        if kind == events.ADD:
            if self.find(reference) is None:
                self.arrive(reference, side, price, quantity, 0, time)
        elif kind == events.REPLACE:
            self.replace_real(reference, int(event["other"]), price, quantity, time)
        elif kind in (events.EXECUTE, events.CANCEL, events.DELETE):
            if kind == events.EXECUTE and goes_on:
                self.executed(event, time)
            self.history(kind, reference, quantity)
        elif kind == events.TRADE and goes_on:
            self.traded(event, time)
        elif kind == events.CROSS:
            self.cross(event, time)
        elif kind == events.STATUS:
            self.state = reference
        elif kind == events.LEVEL:
            self.tell_fifo(side, price, quantity)

    def meet(self, side: int, price: int, quantity: int, time: int) -> int:
        if not self.open:
            return quantity
        beyond = price + 1 if side == BUY else price - 1
        return self.fill_better(3 - side, beyond, quantity, time)

    def arrive(
        self, reference: int, side: int, price: int, quantity: int, gone: int, time: int
    ) -> None:
        left = self.meet(side, price, quantity, time)
        if gone + quantity - left:
            self.taken[reference] = gone + quantity - left
        if left:
            self.sides[side].setdefault(price, []).append([reference, left])

    def replace_real(self, reference: int, new: int, price: int, quantity: int, time: int) -> None:
        found, gone = self.find(reference), self.taken.get(reference, 0)
        if found is None:
            if gone:
                self.consumed += quantity
                del self.taken[reference]
                self.taken[new] = quantity
            return
        if new != reference and self.find(new):
            return
        there = max(quantity - gone, 0)
        side, old, place = found
        # It meets ours before it leaves its place, which our best prices then still count.
        left = self.meet(side, price, there, time) if there else 0
        self.taken.pop(reference, None)
        self.consumed += quantity - there
        side, old, place = self.find(reference)
        self.shrink(side, old, place, INF)
        if left < quantity:
            self.taken[new] = quantity - left
        if left:
            self.sides[side].setdefault(price, []).append([new, left])

    def executed(self, event: Any, time: int) -> None:
        reference, budget = int(event["reference"]), int(event["quantity"])
        found = self.find(reference)
        if found is None:
            return
        side, price, place = found
        standing = self.sides[side][price][place][1]
        budget = min(budget, standing + self.taken.get(reference, 0))
        limit = price
        if event["price"] and self.better(side, int(event["price"]), price):
            limit = int(event["price"])
        budget = self.fill_better(side, limit, budget, time)
        if limit != price:
            return
        queue = self.sides[side][price]
        names = [name for name, _ in queue]
        for name in names[: names.index(reference)]:
            if isinstance(name, tuple) and budget > 0:
                own = self.own[name[1]]
                budget -= self.fill(own, min(budget, own.shown), price, time)

    def traded(self, event: Any, time: int) -> None:
        took = self.who_took(event)
        if not took:
            return
        side, price = 3 - took, int(event["price"])
        left = self.fill_better(side, price, int(event["quantity"]), time)
        while left > 0:
            queue = self.sides[side].get(price, [])
            if not queue or not isinstance(queue[0][0], tuple):
                return
            own = self.own[queue[0][0][1]]
            left -= self.fill(own, min(left, own.shown), price, time)

    def history(self, kind: int, reference: int, quantity: int) -> None:
        found, gone = self.find(reference), self.taken.get(reference, 0)
        standing = self.sides[found[0]][found[1]][found[2]][1] if found else 0
        if kind == events.DELETE:
            quantity = standing + gone
        clipped = min(max(quantity - standing, 0), gone)
        if clipped:
            self.consumed += clipped
            self.taken[reference] = gone - clipped
            if gone == clipped:
                del self.taken[reference]
        if found and quantity > clipped:
            self.shrink(*found, quantity - clipped)

    def tell_fifo(self, side: int, price: int, quantity: int) -> None:
        queue = self.sides[side].pop(price, [])
        ours = [one for one in queue if isinstance(one[0], tuple)]
        if quantity or ours:
            self.sides[side][price] = ([[None, quantity]] if quantity else []) + ours

    # Level data.

    def event_level(self, event: Any, kind: int, time: int) -> None:
        price, quantity, side = int(event["price"]), int(event["quantity"]), int(event["side"])
        if kind == events.STATUS:
            self.state = int(event["reference"])
        elif kind == events.CROSS:
            self.cross(event, time)
        elif kind == events.TRADE and self.open and not event["flags"] & NOT_PRINTABLE:
            took = self.who_took(event)
            if took:
                self.print_level(3 - took, price, quantity, time)
        elif kind == events.LEVEL:
            before, best = self.at(side, price), self.best(side)
            self.sides[side].pop(price, None)
            if quantity:
                self.sides[side][price] = [[None, quantity]]
            for own in self.standing(side):
                if own.price == price:
                    self.estimate(own, before, quantity)
            now = self.best(side)
            if self.open and now is not None and (best is None or self.better(side, now, best)):
                for own in self.standing(3 - side):
                    if not self.better(side, own.price, now):
                        self.fill(own, own.left, own.price, time)

    def print_level(self, side: int, price: int, quantity: int, time: int) -> None:
        for own in self.standing(side):
            if self.better(side, own.price, price):
                self.fill(own, own.left, own.price, time)
        ours = [own for own in self.standing(side) if own.price == price]
        total = self.at(side, price) + sum(own.shown for own in ours)
        left = quantity
        for own in ours:
            if self.rule == "pro-rata":
                part = min(int(quantity * (own.shown / total)), own.shown, left)
            else:
                own.printed += quantity
                own.ahead -= left
                part = min(math.floor(0.5 - own.ahead), own.shown, left)
                if part > 0:
                    own.ahead = 0.0
            if part > 0:
                left -= self.fill(own, part, price, time)

    def estimate(self, own: Own, before: int, now: int) -> None:
        if self.rule in ("risk-averse", "pro-rata"):
            own.ahead = min(own.ahead, float(now))
            return
        change = before - now - own.printed
        own.printed = 0
        if change >= 0:
            behind = before - own.ahead
            share = self.share(own.ahead, behind)
            own.ahead = own.ahead - (1 - share) * change + min(behind - share * change, 0.0)
        own.ahead = max(min(own.ahead, float(now)), 0.0)

    def share(self, ahead: float, behind: float) -> float:
        ahead, behind = max(ahead, 0.0), max(behind, 0.0)
        if self.rule == "log":
            of_ahead, of_behind = log_of(1.0 + ahead), log_of(1.0 + behind)
        else:
            power = int(self.rule[6])
            of_ahead, of_behind = math.prod([ahead] * power), math.prod([behind] * power)
        return of_behind / (of_ahead + of_behind) if of_ahead + of_behind > 0 else 1.0

    # Commands.

    def command(self, command: Any, time: int) -> None:
        what, number = int(command["what"]), int(command["order"])
        if what == orders.NEW:
            self.new(command, time)
        elif number not in self.own:
            kind = orders.CANCEL_REJECTED if what == orders.CANCEL else orders.REPLACE_REJECTED
            self.refuse(command, kind, time, orders.UNKNOWN_ORDER)
        elif what == orders.CANCEL:
            self.end(self.own[number], time, orders.ASKED)
        else:
            self.replace(self.own[number], command, time)

    def crosses(self, own: Own, price: int) -> bool:
        opposite = [self.best(3 - own.side)]
        opposite += [other.price for other in self.standing(3 - own.side)]
        return any(p is not None and not self.better(own.side, p, price) for p in opposite)

    def refused(self, command: Any) -> int:
        kind = int(command["kind"])
        if kind in (STOP, STOP_LIMIT) and command["lasts"] == FOK:
            return orders.VENUE_NO_KIND
        if not self.open:
            return orders.HALTED
        if kind in (LIMIT, STOP_LIMIT) and command["price"] % self.tick:
            return orders.OFF_GRID
        if kind in (STOP, STOP_LIMIT) and command["trigger"] % self.tick:
            return orders.OFF_GRID
        return 0

    def new(self, command: Any, time: int) -> None:
        reason = self.refused(command)
        if reason:
            self.refuse(command, orders.REJECTED, time, reason)
            return
        names = ["side", "kind", "lasts", "flags", "quantity", "display", "trigger"]
        fields = {name: int(command[name]) for name in names}
        price = int(command["price"]) if fields["kind"] in (LIMIT, STOP_LIMIT) else 0
        self.numbers += 1
        own = Own(id=int(command["order"]), price=price, number=self.numbers, **fields)
        if own.kind in (STOP, STOP_LIMIT):
            own.waiting = True
            self.own[own.id] = own
            self.accept(own, orders.ACCEPTED, time)
            return
        taking = own.kind == LIMIT and self.crosses(own, own.price)
        reason = orders.WOULD_TAKE if own.flags & POST_ONLY and taking else 0
        if own.lasts == FOK and not self.enough(own):
            reason = reason or orders.NOT_WHOLE
        if reason:
            self.refuse(command, orders.REJECTED, time, reason)
            return
        self.own[own.id] = own
        if own.kind == LIMIT and own.lasts == DAY and not taking:
            self.place(own, time)
            self.accept(own, orders.ACCEPTED, time)
            return
        self.accept(own, orders.ACCEPTED, time)
        self.trade_and_rest(own, time)

    def accept(self, own: Own, kind: int, time: int) -> None:
        self.report(own, kind, time, own.number, own.price, own.left)

    def real_at(self, side: int, price: int) -> int:
        real = sum(q for name, q in self.sides[side].get(price, []) if not isinstance(name, tuple))
        gone, told = self.taken.get((side, price), (0, -1))
        return real - gone if not self.fifo and told == real else real

    def within(self, own: Own) -> list[int]:
        ladder = self.ladder(3 - own.side)
        if own.kind == MARKET:
            return ladder
        return [price for price in ladder if not self.better(own.side, price, own.price)]

    def enough(self, own: Own) -> bool:
        left = own.left
        side = 3 - own.side
        walls = self.standing(side) if self.self_match != "cancel oldest" else []
        for price in self.within(own):
            if walls and self.better(side, walls[0].price, price):
                return left <= 0
            met = bool(walls) and walls[0].price == price
            if met and self.fifo:
                for name, quantity in self.sides[side][price]:
                    if isinstance(name, tuple):
                        break
                    left -= quantity
            else:
                left -= self.real_at(side, price)
            if left <= 0 or met:
                return left <= 0
        return left <= 0

    def meet_own(self, own: Own, prices: Any, time: int) -> bool:
        """Whether the rest of the newer one must go."""
        for other in self.standing(3 - own.side):
            if prices(other.price):
                if self.self_match != "cancel newest":
                    self.end(other, time, orders.SELF_MATCH)
                if self.self_match != "cancel oldest":
                    return True
        return False

    def take(self, own: Own, time: int) -> bool:
        side = 3 - own.side
        for price in self.within(own):
            if own.left == 0:
                return False
            piece = 0
            if self.fifo:
                while price in self.sides[side] and piece < own.left:
                    name, quantity = self.sides[side][price][0]
                    if isinstance(name, tuple):
                        self.fill_taking(own, piece, price, time)
                        piece = 0
                        if self.self_match != "cancel newest":
                            self.end(self.own[name[1]], time, orders.SELF_MATCH)
                        if self.self_match != "cancel oldest":
                            return True
                        continue
                    taken = min(quantity, own.left - piece)
                    if name is not None:
                        self.taken[name] = self.taken.get(name, 0) + taken
                    self.shrink(side, price, 0, taken)
                    piece += taken
            else:
                if self.meet_own(own, lambda p, at=price: self.better(side, p, at), time):
                    return True
                piece = min(self.real_at(side, price), own.left)
                told = self.at(side, price)
                if piece:
                    gone, then = self.taken.get((side, price), (0, -1))
                    self.taken[side, price] = ((gone if then == told else 0) + piece, told)
            self.fill_taking(own, piece, price, time)
        if own.left and not self.fifo:
            reached = lambda p: own.kind == MARKET or not self.better(own.side, p, own.price)  # noqa: E731
            return self.meet_own(own, reached, time)
        return False

    def fill_taking(self, own: Own, piece: int, price: int, time: int) -> None:
        if piece:
            self.matches += 1
            self.report(own, orders.FILLED, time, self.matches, price, piece, orders.TAKER)
            own.filled += piece

    def trade_and_rest(self, own: Own, time: int) -> None:
        reason = orders.SELF_MATCH if self.take(own, time) else 0
        if own.left == 0:
            del self.own[own.id]
            return
        if not reason and own.kind == MARKET:
            reason = orders.NOTHING_THERE
        if not reason and own.lasts != DAY:
            reason = orders.MOMENT_OVER
        if reason:
            timed = reason == orders.MOMENT_OVER
            kind = orders.EXPIRED if timed else orders.CANCELED
            self.report(own, kind, time, reason, 0, own.left)
            del self.own[own.id]
        else:
            self.place(own, time)

    def replace(self, own: Own, command: Any, time: int) -> None:
        price, quantity = int(command["price"]), int(command["quantity"])
        reason = 0
        if not self.open:
            reason = orders.HALTED
        elif own.kind != STOP and price % self.tick:
            reason = orders.OFF_GRID
        elif not own.waiting and own.flags & POST_ONLY and price != own.price:
            reason = orders.WOULD_TAKE if self.crosses(own, price) else 0
        if reason:
            self.refuse(command, orders.REPLACE_REJECTED, time, reason)
        elif quantity <= own.filled:
            self.end(own, time, orders.ASKED)
        elif own.waiting:
            own.quantity, own.price = quantity, price if own.kind == STOP_LIMIT else 0
            self.accept(own, orders.REPLACED, time)
        elif price == own.price and quantity <= own.quantity:
            own.quantity = quantity
            less = own.shown - own.left
            if less > 0:
                own.shown -= less
                if self.fifo:
                    self.shrink(*self.find(("own", own.id)), less)
            self.accept(own, orders.REPLACED, time)
        else:
            self.take_out(own)
            own.price, own.quantity = price, quantity
            if self.crosses(own, price):
                self.accept(own, orders.REPLACED, time)
                self.trade_and_rest(own, time)
            else:
                self.place(own, time)
                self.accept(own, orders.REPLACED, time)
