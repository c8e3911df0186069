"""Risk in plain Python, written from the catalogue's sentences: what the compiled checks must say.

Lists and dicts, nothing kept that can be counted anew: exposures are summed from what is held each
time, windows are counted by going through every stamp. Slow on purpose. Only names of limits,
reasons and levels are shared with `hftlib.risk`, and not one line of a check.

    oracle = Oracle(tree)            tree: portfolio of each strategy; limits by scope
    oracle.asked(intent)             (reason, level, limit, seen), all zero: it may leave
    oracle.left(intent)              it has left
    oracle.held(strategy, ...)       what execution says of a position
    oracle.filled / ended / marked / attempted / directed
    oracle.log                       each change of a state or a limit, in turn
"""

from __future__ import annotations

from collections import defaultdict
from math import floor

from hftlib.core import orders
from hftlib.risk.controls import CONTROLS

BUY, SELL = 1, 2
NONE = 2**62
MONEY = 2**56
MS = 1_000_000
ACTIVE, REDUCING, HALTED = range(3)
INSTRUMENT, STRATEGY, PORTFOLIO, FIRM = range(1, 5)
NAMES = [one.name for one in CONTROLS]
GROUP = {one.name: one.group for one in CONTROLS}
COUNTED = {
    "messages": "messages",
    "new_orders": "new",
    "replaces": "replace",
    "paced_orders": "paced",
}


def whole(amount):
    """The nearest ten-thousandth."""
    return max(-MONEY, min(MONEY, floor(amount + 0.5)))


def ceil(above, below):
    return -(-above // below)


class Scope:
    """One that may have limits: its own, its windows, and what happened in it."""

    def __init__(self, level, key, given):
        self.level, self.key = level, key
        self.limits = dict(given)
        self.windows = {
            "messages_window_ms": 1_000,
            "executions_window_ms": 1_000,
            "volatility_window_ms": 60_000,
            "halt_at_percent": 150,
        } | {
            name: value for name, value in given.items() if name.endswith(("window_ms", "percent"))
        }
        self.state = ACTIVE
        self.stamps = defaultdict(list)
        self.room = {}  # how many attempts are remembered: what `seen` can count
        self.seen = []  # (time, instrument, side, price, quantity) of new orders
        self.ended = []  # (filled, rejected) since a person last made it active
        self.slips = (0, 0)  # how many, their average
        self.peak = 0
        self.told = {"value_at_risk_money": 0, "shortfall_money": 0}

    def limit(self, name):
        return self.limits.get(name, 0 if name == "fill_rate_percent" else NONE)

    def has(self, group):
        return any(GROUP.get(name) == group for name in self.limits)


class Oracle:
    def __init__(self, strategies, portfolio_of, instruments, limits, factors, ticks):
        """`limits[level, key]`; a portfolio's key is its name, an instrument's its number."""
        self.portfolio_of, self.instruments = portfolio_of, instruments
        self.strategies = strategies
        self.scopes = {
            (level, key): Scope(level, key, limits.get((level, key), {}))
            for level, key in [
                (FIRM, ""),
                *((PORTFOLIO, one) for one in dict.fromkeys(portfolio_of)),
                *((STRATEGY, one) for one in range(strategies)),
                *((INSTRUMENT, one) for one in range(instruments)),
            ]
        }
        self.factor, self.tick = list(factors), list(ticks)
        self.book = [defaultdict(int) for _ in range(instruments)]  # what rules know of it
        self.mine = {
            (s, i): dict.fromkeys(("quantity", "buys", "sells", "orders", "cash", "fees"), 0)
            for s in range(strategies)
            for i in range(instruments)
        }
        self.cost = defaultdict(int)  # of what each strategy holds
        self.range = [None] * instruments  # volatility window: begin, lowest, highest
        self.log = []

    # Who is asked, and what each holds.

    def chain(self, strategy, instrument):
        return [
            self.scopes[INSTRUMENT, instrument],
            self.scopes[STRATEGY, strategy],
            self.scopes[PORTFOLIO, self.portfolio_of[strategy]],
            self.scopes[FIRM, ""],
        ]

    def members(self, scope):
        if scope.level == STRATEGY:
            return [scope.key]
        if scope.level == PORTFOLIO:
            return [s for s in range(self.strategies) if self.portfolio_of[s] == scope.key]
        return list(range(self.strategies))

    def total(self, scope, instrument):
        """What a scope holds and works of an instrument: of its strategies together."""
        made = dict.fromkeys(("quantity", "buys", "sells", "orders", "cash", "fees"), 0)
        for strategy in self.members(scope):
            for name, value in self.mine[strategy, instrument].items():
                made[name] += value
        return made

    def of(self, scope):
        """The instruments that count for a scope."""
        return [scope.key] if scope.level == INSTRUMENT else list(range(self.instruments))

    # Money.

    def price(self, instrument):
        return 0.5 * self.book[instrument]["mark"] * self.factor[instrument]

    def could_be(self, h, side=0, more=0):
        buys = h["buys"] + (more if side == BUY else 0)
        sells = h["sells"] + (more if side == SELL else 0)
        return h["quantity"], h["quantity"] + buys, h["quantity"] - sells, buys + sells

    def gross(self, i, h, side=0, more=0):
        now, up, down, _ = self.could_be(h, side, more)
        return whole(max(abs(now), abs(up), abs(down)) * abs(self.price(i)))

    def capital(self, i, h, side=0, more=0):
        now, _, _, opened = self.could_be(h, side, more)
        return whole((abs(now) + opened) * abs(self.price(i)))

    def extremes(self, i, h, side=0, more=0):
        """The highest and the lowest that an instrument could come to, in money."""
        _, up, down, _ = self.could_be(h, side, more)
        one, other = whole(up * self.price(i)), whole(down * self.price(i))
        return max(one, other), min(one, other)

    def profit(self, scope):
        made = 0
        for i in self.of(scope):
            h = self.total(scope, i)
            made += whole((h["cash"] - h["fees"]) * self.factor[i])
            made += whole(h["quantity"] * self.price(i))
        return made

    def sums(self, scope):
        """Of all that a scope holds: gross, highest, lowest, capital, open orders, profit."""
        parts = [(i, self.total(scope, i)) for i in self.of(scope)]
        return (
            sum(self.gross(i, h) for i, h in parts),
            sum(self.extremes(i, h)[0] for i, h in parts),
            sum(self.extremes(i, h)[1] for i, h in parts),
            sum(self.capital(i, h) for i, h in parts),
            sum(h["orders"] for _, h in parts),
            self.profit(scope),
        )

    # May it leave?

    def asked(self, o):
        return self.by_rules(o) or self.by_limits(o) or (0, 0, 0, 0)

    def by_rules(self, o):
        b, i = self.book[o.instrument], o.instrument
        if b["restricted"]:
            return orders.RESTRICTED, INSTRUMENT, 0, 0
        if o.limited and o.price <= 0 and not b["any_price"]:
            return orders.PRICE_NOT_POSITIVE, INSTRUMENT, 0, o.price
        if o.calmer:
            return None
        if b["high"] and o.limited:
            if o.price < b["low"]:
                return orders.NOT_LAUNCHED, INSTRUMENT, b["low"], o.price
            if o.price > b["high"]:
                return orders.NOT_LAUNCHED, INSTRUMENT, b["high"], o.price
        firm = self.total(self.scopes[FIRM, ""], i)
        could_sell = firm["sells"] + o.more - firm["quantity"]
        if b["no_short"] and o.side == SELL and o.more > 0 and could_sell > 0:
            return orders.NO_SHORT, INSTRUMENT, 0, could_sell
        if b["state"] in (ord("H"), ord("P")) or (
            b["phases"] and not any(a <= o.time < z for a, z in b["phases"])
        ):
            return orders.NOT_TRADING, INSTRUMENT, 0, b["state"]
        bad = self.untrusted(o)
        if bad:
            return bad
        if b["bands"] and o.limited and b["mean"]:
            double = o.time < b["opens"] or (b["closes"] and o.time >= b["closes"])
            width = b["mean"] * b["bands"] * (2 if double else 1) // 10_000
            low, high = b["mean"] - width, b["mean"] + width
            if (o.side == BUY and o.price > high) or (o.side == SELL and o.price < low):
                return orders.OUTSIDE_BANDS, INSTRUMENT, b["mean"], o.price
        return None

    def untrusted(self, o):
        b = self.book[o.instrument]
        if b["stale"] and not b["stale_allowed"]:
            return orders.STALE, INSTRUMENT, 0, b["stale"]
        if b["crossed"] and not b["crossed_allowed"]:
            return orders.CROSSED, INSTRUMENT, 0, b["middle"]
        if not b["heard"]:
            return None
        for scope in self.chain(o.strategy, o.instrument):
            age, most = o.time - b["heard"], scope.limit("stale_ms")
            if most < NONE and age > most * MS:
                return orders.STALE, scope.level, most, ceil(age, MS)
            skew, most = abs(b["skew"]), scope.limit("clock_skew_ms")
            if most < NONE and skew > most * MS:
                return orders.CLOCKS_DISAGREE, scope.level, most, ceil(skew, MS)
        return None

    def by_limits(self, o):
        for scope in self.chain(o.strategy, o.instrument):
            h = self.total(scope, o.instrument)
            for check in (
                self.by_state,
                self.by_pace,
                self.by_size,
                self.by_collar,
                self.by_duplicates,
                self.by_position,
                self.by_exposure,
                self.by_risk,
            ):
                said = check(scope, h, o)
                if said:
                    reason, limit, seen = said
                    return reason, scope.level, limit, seen
        return None

    @staticmethod
    def come_to(h, o):
        """What the order's side could come to, in its own direction."""
        if o.side == BUY:
            return h["quantity"] + h["buys"] + o.more
        return h["sells"] + o.more - h["quantity"]

    def by_state(self, scope, h, o):
        if scope.state == HALTED:
            return orders.TRADING_HALTED, 0, 0
        if scope.state == REDUCING and not o.calmer and self.come_to(h, o) > 0:
            return orders.REDUCING_ONLY, 0, self.come_to(h, o)
        return None

    def within(self, scope, ring, window, now):
        return sum(now - t < window for t in scope.stamps[ring])

    def by_pace(self, scope, h, o):
        window = scope.windows["messages_window_ms"] * MS
        kinds = ["messages", "new_orders", "paced_orders"] if o.new else ["messages", "replaces"]
        reasons = {
            "messages": orders.TOO_FAST,
            "new_orders": orders.TOO_MANY_ORDERS,
            "paced_orders": orders.PACED,
            "replaces": orders.TOO_MANY_REPLACES,
        }
        for name in kinds:
            most = scope.limit(name)
            if most < NONE and self.within(scope, COUNTED[name], window, o.time) + 1 > most:
                return reasons[name], most, most + 1
        return None

    def by_size(self, scope, h, o):
        if o.calmer:
            return None
        if o.quantity > scope.limit("order_quantity_lots"):
            return orders.ORDER_TOO_LARGE, scope.limit("order_quantity_lots"), o.quantity
        most = scope.limit("order_value_money")
        if most < NONE and o.worth == 0 and not self.book[o.instrument]["any_price"]:
            return orders.NO_VALUE, most, 0
        value = whole(abs(float(o.worth)) * float(o.quantity) * self.factor[o.instrument])
        if most < NONE and value > most:
            return orders.VALUE_TOO_LARGE, most, value
        most = scope.limit("open_orders")
        opened = sum(self.total(scope, i)["orders"] for i in self.of(scope))
        if o.new and opened + 1 > most:
            return orders.TOO_MANY_OPEN, most, opened + 1
        return None

    def by_collar(self, scope, h, o):
        b = self.book[o.instrument]
        twice = {
            "mid": b["middle"] or b["mark"],
            "last": 2 * b["last"],
            "static": b["fixed"],
        }[b["collar"] or "mid"]
        if o.calmer or not o.limited or not twice:
            return None
        dear = 1 if o.side == BUY else -1
        away = dear * (2 * o.price - twice)
        most = scope.limit("collar_bps")
        if most < NONE and away * 10_000 > most * abs(twice):
            return orders.OUTSIDE_COLLAR, most, ceil(away * 10_000, abs(twice))
        most, tick = scope.limit("collar_ticks"), self.tick[o.instrument]
        if most < NONE and away > 2 * tick * most:
            return orders.OUTSIDE_COLLAR, most, ceil(away, 2 * tick)
        most, twice = scope.limit("collar_window_bps"), b["anchor"]
        away = dear * (2 * o.price - twice)
        if most < NONE and twice and away * 10_000 > most * abs(twice):
            return orders.MOVED_TOO_FAR, most, ceil(away * 10_000, abs(twice))
        return None

    def by_duplicates(self, scope, h, o):
        least = scope.limit("duplicate_ms")
        if o.calmer or not o.new or least == NONE:
            return None
        # What an instrument saw is what the firm sent in it.
        seen = self.scopes[FIRM, ""].seen if scope.level == INSTRUMENT else scope.seen
        same = [
            t for t, *what in seen[-256:] if what == [o.instrument, o.side, o.price, o.quantity]
        ]
        if same and o.time - same[-1] < least * MS:
            return orders.DUPLICATE, least, (o.time - same[-1]) // MS
        return None

    def by_position(self, scope, h, o):
        most = scope.limit("position_lots")
        if not o.calmer and o.more > 0 and self.come_to(h, o) > most:
            return orders.POSITION_TOO_LARGE, most, self.come_to(h, o)
        return None

    def by_exposure(self, scope, h, o):
        if o.calmer or o.more <= 0:
            return None
        i = o.instrument
        if not scope.has("money"):
            return None
        b = self.book[i]
        if not b["mark"] and not b["any_price"] and self.come_to(h, o) > 0:
            return orders.NO_VALUE, 0, 0
        others = [(n, self.total(scope, n)) for n in self.of(scope) if n != i]
        gross = self.gross(i, h, o.side, o.more)
        larger = gross > self.gross(i, h)
        if larger and gross > scope.limit("position_value_money"):
            return orders.POSITION_VALUE_TOO_LARGE, scope.limit("position_value_money"), gross
        seen = gross + sum(self.gross(n, other) for n, other in others)
        if larger and seen > scope.limit("gross_exposure_money"):
            return orders.GROSS_TOO_LARGE, scope.limit("gross_exposure_money"), seen
        if self.come_to(h, o) <= 0:
            return None  # it only reduces
        # An order can only make one of the two ends of the net worse: the one that it moves.
        high = [self.extremes(n, other)[0] for n, other in others]
        low = [self.extremes(n, other)[1] for n, other in others]
        top, bottom = self.extremes(i, h, o.side, o.more)
        moves_up = (o.side == BUY) == (self.price(i) >= 0)
        seen = top + sum(high) if moves_up else -(bottom + sum(low))
        if seen > scope.limit("net_exposure_money"):
            return orders.NET_TOO_LARGE, scope.limit("net_exposure_money"), seen
        seen = self.capital(i, h, o.side, o.more) + sum(self.capital(n, x) for n, x in others)
        if seen > scope.limit("capital_money"):
            return orders.CAPITAL_TOO_LARGE, scope.limit("capital_money"), seen
        return None

    def by_risk(self, scope, h, o):
        if o.calmer or self.come_to(h, o) <= 0:
            return None
        for name in ("value_at_risk_money", "shortfall_money"):
            if scope.told[name] > scope.limit(name):
                return orders.RISK_TOO_LARGE, scope.limit(name), scope.told[name]
        return None

    def room(self, strategy, instrument, side):
        """How many lots more positions leave room for."""
        left = []
        for scope in self.chain(strategy, instrument):
            h = self.total(scope, instrument)
            could_be = h["quantity"] + h["buys"] if side == BUY else h["sells"] - h["quantity"]
            left.append(scope.limit("position_lots") - could_be)
        return min(left)

    # It happened.

    def left(self, o):
        for scope in self.chain(o.strategy, o.instrument):
            for name in ("messages", *(("new_orders", "paced_orders") if o.new else ("replaces",))):
                if scope.limit(name) < NONE:  # a pace counts from when somebody limits it
                    scope.stamps[COUNTED[name]].append(o.time)
            if (
                o.new
                and scope.level != INSTRUMENT
                and any(one.has("duplicate") for one in self.scopes.values())
            ):
                scope.seen.append((o.time, o.instrument, o.side, o.price, o.quantity))

    def printed(self, instrument, price, now):
        """A trade: the reference of the bands is the mean of the last ten half minutes."""
        b = self.book[instrument]
        if not b["bands"] or price <= 0:
            return
        b["prints"] = [*(b["prints"] or []), (now // 30_000_000_000, price)]
        recent = [p for slot, p in b["prints"] if slot > now // 30_000_000_000 - 10]
        mean = sum(recent) // len(recent)
        if b["mean"] == 0 or abs(mean - b["mean"]) * 100 >= b["mean"]:
            b["mean"] = mean

    def anchored(self, instrument, now, window):
        """The first news after a collar window begins the next with the reference as it is."""
        b = self.book[instrument]
        if b["anchor"] == 0 or now - b["since"] >= window * MS:
            mid = b["middle"] or b["mark"]
            b["anchor"] = {"mid": mid, "last": 2 * b["last"], "static": b["fixed"]}[b["collar"]]
            b["since"] = now

    def held(self, strategy, instrument, **now):
        self.mine[strategy, instrument] = dict(now)

    def attempted(self, strategy, instrument, now):
        for scope in self.chain(strategy, instrument):
            most = scope.limit("message_rate")
            if most == NONE:
                continue
            scope.stamps["attempts"].append(now)
            count = self.within(scope, "attempts", scope.windows["messages_window_ms"] * MS, now)
            if count > most:
                seen = min(count, scope.room.get("attempts", count))
                self.broke(scope, now, orders.MESSAGE_RATE, most, seen)

    def filled(self, strategy, instrument, side, price, quantity, fee, position, sent_mid, now):
        signed = quantity if side == BUY else -quantity
        before, lost = position - signed, 0
        key = strategy, instrument
        if before == 0:
            self.cost[key] = 0
        closing = min(abs(before), quantity) if before * signed < 0 else 0
        if closing:
            # What it cost, in proportion, rounded down; the rest stays with what is left.
            basis = self.cost[key] * closing // abs(before)
            gain = price * closing - basis if before > 0 else basis - price * closing
            lost = whole((fee - gain) * self.factor[instrument])
            self.cost[key] -= basis
        self.cost[key] += price * (quantity - closing)
        for scope in self.chain(strategy, instrument):
            self.filled_in(scope, side, price, sent_mid, max(0, lost), now)

    def filled_in(self, scope, side, price, sent_mid, lost, now):
        if not scope.has("break"):
            return
        most = scope.limit("executions")
        if most < NONE:
            window = scope.windows["executions_window_ms"] * MS
            if self.within(scope, "fills", window, now) + 1 > most and scope.state != HALTED:
                self.move(scope, HALTED, now, orders.TOO_MANY_EXECUTIONS, most, most + 1)
            scope.stamps["fills"].append(now)
        if lost > scope.limit("trade_loss_money"):
            self.broke(scope, now, orders.TRADE_LOSS, scope.limit("trade_loss_money"), lost)
        most = scope.limit("slippage_bps")
        if most < NONE and sent_mid > 0:
            worse = (1 if side == BUY else -1) * (2 * price - sent_mid)
            slip = worse * 1_000_000 // sent_mid  # hundredths of a basis point
            count, average = scope.slips
            count += 1
            average += (slip - average) // min(count, 16)
            scope.slips = count, average
            if count >= 8 and average > most * 100:
                self.broke(scope, now, orders.SLIPPAGE, most, ceil(average, 100))

    def over(self, strategy, instrument, filled, rejected, now):
        for scope in self.chain(strategy, instrument):
            if not scope.has("break"):
                continue
            scope.ended.append((filled, rejected))
            last = scope.ended[-60:]
            if len(last) < 20:
                continue
            some = sum(one for one, _ in last)
            least = scope.limit("fill_rate_percent")
            if 100 * some < least * len(last) and scope.state == ACTIVE:
                rate = 100 * some // len(last)
                self.move(scope, REDUCING, now, orders.FILL_RATE, least, rate)
            bad, most = sum(one for _, one in last), scope.limit("reject_rate_percent")
            if most < NONE and 100 * bad > most * len(last):
                self.broke(scope, now, orders.REJECT_RATE, most, ceil(100 * bad, len(last)))

    def marked(self, instrument, now):
        uppers = [s for s in self.scopes.values() if s.level != INSTRUMENT]
        for scope in [self.scopes[INSTRUMENT, instrument], *uppers]:
            if not scope.has("break"):
                continue
            gain = self.profit(scope)
            scope.peak = max(scope.peak, gain)
            most = scope.limit("daily_loss_money")
            if -gain > most:
                self.broke(scope, now, orders.LOSS, most, -gain)
            most = scope.limit("drawdown_money")
            if scope.peak - gain > most:
                self.broke(scope, now, orders.DRAWDOWN, most, scope.peak - gain)

    def moved(self, instrument, now):
        """The middle of a book moved: the range of its window against the tightest limit."""
        middle, scope = self.book[instrument]["middle"], self.scopes[INSTRUMENT, instrument]
        if middle <= 0:
            return
        window = scope.windows["volatility_window_ms"] * MS
        known = self.range[instrument]
        if known is None or now - known[0] >= window:
            self.range[instrument] = (now, middle, middle)
            return
        begin, low, high = known[0], min(known[1], middle), max(known[2], middle)
        self.range[instrument] = begin, low, high
        others = [s for s in self.scopes.values() if s.level != INSTRUMENT]
        most = min(one.limit("volatility_bps") for one in [scope, *others])
        if most < NONE and (high - low) * 10_000 > most * low:
            self.broke(scope, now, orders.VOLATILITY, most, ceil((high - low) * 10_000, low))

    # States, and people.

    def broke(self, scope, now, reason, limit, seen):
        far = seen * 100 > limit * scope.windows["halt_at_percent"]
        wanted = HALTED if far else REDUCING
        if wanted > scope.state:
            self.move(scope, wanted, now, reason, limit, seen)

    def move(self, scope, state, now, reason, limit=0, seen=0):
        self.log.append(
            ("state", now, scope.level, scope.key, scope.state, state, reason, limit, seen)
        )
        scope.state = state

    def directed(self, scope, d):
        """What a person or a process says: 0, or why not (NOT_ALLOWED 1 ... NO_ROOM 5)."""
        not_allowed, two, no_such, no_value, no_room = range(1, 6)
        if d.what == "state":
            if d.value not in (ACTIVE, REDUCING, HALTED):
                return no_such
            if d.role == "":
                return not_allowed
            if d.value < scope.state:
                refused = self.may_loosen(scope, d, not_allowed, two)
                if refused:
                    return refused
            changed = d.value != scope.state
            said = orders.BY_WATCHDOG if d.role == "process" else orders.BY_PERSON
            self.move(scope, d.value, d.time, said)
            if changed and d.value == ACTIVE:
                scope.ended, scope.slips = [], (0, 0)
                scope.stamps["fills"], scope.stamps["attempts"] = [], []
                scope.peak = self.profit(scope)
                if scope.level == INSTRUMENT:
                    self.range[scope.key] = None
            return 0
        if d.what == "limit":
            if not 0 <= d.which < len(NAMES):
                return no_such
            if not 0 <= d.value <= NONE:
                return no_value
            name = NAMES[d.which]
            if name in scope.room and d.value < NONE:
                times = max(2, ceil(scope.windows["halt_at_percent"], 100))
                counted = times * d.value + 2
                if d.value == 0 and name != "message_rate":
                    counted = 0
                if counted > scope.room[name]:
                    return no_room
            before = scope.limit(name)
            if name == "fill_rate_percent":
                tighter = d.value >= before
            elif name == "duplicate_ms":  # the longer the time, the less may leave
                tighter = (before == NONE) or (d.value != NONE and d.value >= before)
            else:
                tighter = d.value <= before
            if tighter:
                if d.role not in ("trader", "risk", "officer"):
                    return not_allowed
            else:
                refused = self.may_loosen(scope, d, not_allowed, two)
                if refused:
                    return refused
            scope.limits[name] = d.value
            self.log.append(
                ("limit", d.time, scope.level, scope.key, before, d.value, d.which, 0, 0)
            )
            return 0
        if d.what == "risk":
            if d.role not in ("process", "risk", "officer"):
                return not_allowed
            if not 0 <= d.value <= NONE:
                return no_value
            if d.which not in (0, 1):
                return no_such
            name = ("value_at_risk_money", "shortfall_money")[d.which]
            self.log.append(
                ("risk", d.time, scope.level, scope.key, scope.told[name], d.value, d.which, 0, 0)
            )
            scope.told[name] = d.value
        return 0

    @staticmethod
    def may_loosen(scope, d, not_allowed, two):
        senior = ("risk", "officer")
        if scope.level == FIRM:
            both = d.role in senior and d.second_role in senior
            return 0 if both and d.who != d.second else two
        return 0 if d.role in senior else not_allowed
