"""Compiled risk against an oracle in plain Python: random limits, orders, fills, markets, people.

Each episode is a desk of three strategies in two portfolios over three instruments, with some of
all controls at some of all levels, and limits so narrow that they bind. The oracle goes first and
writes down what happened; the compiled driver goes through the same list at once. Reasons, levels,
limits, what was seen, every state after every step, the log of changes and the sums at the end:
nothing may differ.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from itertools import product
from random import Random
from types import SimpleNamespace

import numpy as np
import pytest

from hftlib.core import jit, orders
from hftlib.core.arena import Arena
from hftlib.core.instruments import Instruments
from hftlib.core.layout import Layout
from hftlib.risk.authority import ROLES
from hftlib.risk.checks import room
from hftlib.risk.controls import CONTROLS, MONEY_ONE, NO_LIMIT
from hftlib.risk.directives import SET_LIMIT, SET_STATE, TELL_RATE, TELL_RISK
from hftlib.risk.laying import RiskRoom
from hftlib.risk.limits import Limits
from tests.fuzzing import fuzz_seconds
from tests.risk.driver import ASK, END, FILLS, HOLD, MARKET, OP, TELL, driven
from tests.risk.oracle import (
    FIRM,
    INSTRUMENT,
    MS,
    NAMES,
    PORTFOLIO,
    STRATEGY,
    Oracle,
)

STRATEGIES, SYMBOLS = ["one", "two", "three"], ["AAA", "BBB", "CCC"]
PORTFOLIOS = {"left": ["one", "two"], "right": ["three"]}
PORTFOLIO_OF = ["left", "left", "right"]
BEGIN = 1_600_000_000 * 10**9
UNITS = {one.name: one.unit for one in CONTROLS}
# Between what and what a limit is drawn, in its own unit; money in ten-thousandths.
NARROW = {
    "order_quantity_lots": (1, 12),
    "order_value_money": (1_000, 120_000),
    "open_orders": (0, 8),
    "collar_bps": (0, 300),
    "collar_ticks": (0, 30),
    "collar_window_bps": (0, 300),
    "messages": (0, 8),
    "new_orders": (0, 8),
    "replaces": (0, 3),
    "paced_orders": (0, 8),
    "duplicate_ms": (0, 20),
    "position_lots": (0, 40),
    "position_value_money": (10_000, 400_000),
    "gross_exposure_money": (10_000, 800_000),
    "net_exposure_money": (0, 400_000),
    "capital_money": (10_000, 1_000_000),
    "value_at_risk_money": (0, 100),
    "shortfall_money": (0, 100),
    "executions": (0, 6),
    "daily_loss_money": (0, 60_000),
    "drawdown_money": (0, 60_000),
    "trade_loss_money": (0, 5_000),
    "slippage_bps": (0, 40),
    "fill_rate_percent": (1, 70),
    "reject_rate_percent": (0, 40),
    "message_rate": (0, 12),
    "volatility_bps": (0, 300),
    "stale_ms": (1, 60),
    "clock_skew_ms": (0, 8),
}
WINDOWS = {
    "messages_window_ms": (1, 25),
    "executions_window_ms": (1, 25),
    "collar_window_ms": (1, 100),
    "volatility_window_ms": (1, 100),
    "halt_at_percent": (100, 400),
}
RINGS = ("messages", "new_orders", "replaces", "executions", "message_rate", "paced_orders")


def test_every_control_is_drawn():
    assert list(NARROW) == NAMES


def drawn(random: Random) -> dict[str, int]:
    """Limits of one scope."""
    given = {}
    for name, (low, high) in NARROW.items():
        if random.random() < random.choice((0.01, 0.04, 0.1)):
            given[name] = random.randint(low, high)
    if random.random() < 0.5:
        for name, (low, high) in WINDOWS.items():
            if random.random() < 0.4:
                given[name] = random.randint(low, high)
    return given


def written(given: dict[str, int]) -> dict[str, float]:
    """As people write them: money in the currency."""
    return {k: v / MONEY_ONE if UNITS.get(k) == "money" else v for k, v in given.items()}


class Desk:
    """A desk twice: laid out for the compiled checks, and as the oracle knows it."""

    def __init__(self, random: Random) -> None:
        self.random, self.now = random, BEGIN
        by_scope = {(FIRM, ""): drawn(random)}
        by_scope |= {(PORTFOLIO, name): drawn(random) for name in PORTFOLIOS}
        by_scope |= {(STRATEGY, n): drawn(random) for n in range(3)}
        by_scope |= {(INSTRUMENT, n): {"open_orders": 64} | drawn(random) for n in range(3)}
        table = Instruments()
        for n, symbol in enumerate(SYMBOLS):
            table.add(symbol, venue="XNAS", tick=(1, 5, 100)[n], calendar="day")
        self.ticks = (1, 5, 100)
        windows = [(BEGIN, BEGIN + 3_000 * MS), (BEGIN + 3_005 * MS, BEGIN + 10**6 * MS)]
        for begin, end in windows:
            table.add_phase("day", "continuous", begin, end)
        rules = {"collar_reference": random.choice(("mid", "last", "static"))}
        rules["static_price"] = 1.0
        for name in ("restricted", "no_short", "any_price"):
            if random.random() < (0.05 if name == "restricted" else 0.2):
                rules[name] = [random.choice(SYMBOLS)]
        if random.random() < 0.2:
            rules["phases"] = ["continuous"]
        for name in ("stale_books", "crossed_books"):
            rules[name] = random.choice(("pause", "allow"))
        if random.random() < 0.3:
            rules["bands_percent"] = random.choice((1, 2.5))
            rules["bands_double_open_minutes"] = random.choice((0, 1))
        launch = {}
        if random.random() < 0.1:
            launch = {"price_low": 0.9, "price_high": 1.1}
        limits = Limits(
            instrument={SYMBOLS[n]: written(by_scope[INSTRUMENT, n]) for n in range(3)},
            strategy={STRATEGIES[n]: written(by_scope[STRATEGY, n]) for n in range(3)},
            portfolio={
                name: {"strategies": members, **written(by_scope[PORTFOLIO, name])}
                for name, members in PORTFOLIOS.items()
            },
            firm=written(by_scope[FIRM, ""]),
            rules=rules,
            launch=launch,
        )
        self.room = RiskRoom(table, STRATEGIES, limits)
        self.arena = Arena.create(Layout(**self.room.slots()))
        self.room.lay(self.arena)
        self.base = self.arena.address_of("risk")
        rows = self.arena["rules"]
        rows["factor"][:3] = self.factors = [1.0, 1.0, random.choice((1.0, 0.3, 12.7))]
        self.oracle = Oracle(3, PORTFOLIO_OF, 3, by_scope, self.factors, self.ticks)
        self.lay_rules(rules, launch, windows)
        self.keys = list(self.oracle.scopes)
        self.rows = {key: self.row_of(key) for key in self.keys}
        for key, scope in self.oracle.scopes.items():
            for ring, name in enumerate(RINGS):
                scope.room[name] = int(self.arena["scopes"]["ring_mask"][self.rows[key]][ring]) + 1
            scope.room["attempts"] = scope.room["message_rate"]
        above = [by_scope[key] for key in self.keys if key[0] != INSTRUMENT]
        for name in ("collar_window_ms", "volatility_window_ms"):
            longest = max((one[name] for one in above if name in one), default=60_000)
            for n in range(3):
                own = by_scope[INSTRUMENT, n].get(name, longest)
                self.oracle.scopes[INSTRUMENT, n].windows[name] = own
        groups = {one.group for one in CONTROLS if any(one.name in x for x in by_scope.values())}
        self.groups = groups
        self.marks = bool(groups & {"money", "break", "risk"})
        self.open: list[dict] = []
        self.last: tuple | None = None
        self.ops: list[np.ndarray] = []
        self.expected: list[tuple] = []
        self.middle = [20_000, 20_000, 20_000]

    def lay_rules(self, rules: dict, launch: dict, windows: list) -> None:
        for n, symbol in enumerate(SYMBOLS):
            book = self.oracle.book[n]
            for name in ("restricted", "no_short", "any_price"):
                book[name] = symbol in rules.get(name, ())
            book["phases"] = windows if "phases" in rules else []
            book["stale_allowed"] = rules["stale_books"] == "allow"
            book["crossed_allowed"] = rules["crossed_books"] == "allow"
            book["collar"], book["fixed"] = rules["collar_reference"], 20_000
            book["low"], book["high"] = (9_000, 11_000) if launch else (0, 0)
            if "bands_percent" in rules:
                book["bands"] = int(rules["bands_percent"] * 100)
                book["opens"] = BEGIN + rules["bands_double_open_minutes"] * 60_000 * MS
                book["closes"] = BEGIN + 10**6 * MS - 25 * 60_000 * MS

    def row_of(self, key: tuple) -> int:
        level, name = key
        if level == FIRM:
            return 0
        if level == PORTFOLIO:
            return 1 + list(PORTFOLIOS).index(name)
        return (3 if level == STRATEGY else 6) + name

    # One step each: the oracle's answer is noted beside the operation.

    def note(self, what: int, answer: tuple = (0, 0, 0, 0), **fields: int) -> np.ndarray:
        op = np.zeros(1, OP)[0]
        op["what"], op["time"] = what, self.now
        for name, value in fields.items():
            op[name] = value
        states = 0
        for scope in sorted(
            self.oracle.scopes.values(), key=lambda one: self.rows[one.level, one.key]
        ):
            states = 4 * states + scope.state
        self.ops.append(op)
        self.expected.append((*answer, states))
        return op

    def position(self, op: np.ndarray, strategy: int, instrument: int) -> None:
        held = self.oracle.mine[strategy, instrument]
        place = op["position"]
        for name, known in (
            ("quantity", "quantity"),
            ("open_buy", "buys"),
            ("open_sell", "sells"),
            ("open_orders", "orders"),
            ("cash", "cash"),
            ("fees", "fees"),
        ):
            place[name] = held[known]

    def step(self) -> None:
        random = self.random
        self.now += random.choice((0, 0, 1, 999_999, MS, MS, 2 * MS, 5 * MS, 20 * MS, 50 * MS))
        if random.random() < 0.002:
            self.now += 40_000 * MS
        draw = random.random()
        if draw < 0.42 or not self.open:
            self.new()
        elif draw < 0.54:
            self.replace()
        elif draw < 0.68:
            self.fill()
        elif draw < 0.78:
            self.end()
        elif draw < 0.93:
            self.market()
        else:
            self.tell()

    def ask(self, o: SimpleNamespace, held: dict[str, int]) -> bool:
        """Ask the oracle; if it may leave, the position is `held` with it."""
        if "break" in self.groups:
            self.oracle.attempted(o.strategy, o.instrument, self.now)
        answer = self.oracle.asked(o)
        if answer[0] == 0:
            self.oracle.left(o)
            self.oracle.held(o.strategy, o.instrument, **held)
        op = self.note(
            ASK, answer, strategy=o.strategy, instrument=o.instrument, side=o.side,
            kind=orders.NEW if o.new else orders.REPLACE, price=o.price, limited=o.limited,
            worth=o.worth, quantity=o.quantity, more=o.more, calmer=o.calmer,
        )  # fmt: skip
        self.position(op, o.strategy, o.instrument)
        return answer[0] == 0

    def some_price(self, instrument: int) -> int:
        middle = self.middle[instrument] // 2
        away = self.random.choice((0, 1, 5, 20, 100, 150, 300))
        price = middle + self.random.choice((-1, 1)) * away
        return price if self.random.random() > 0.01 else self.random.choice((0, -5))

    def new(self) -> None:
        random = self.random
        strategy, instrument = random.randrange(3), random.randrange(3)
        side, quantity = random.choice((1, 2)), random.choice((1, 1, 2, 3, 5, 8, 13))
        limited = int(random.random() < 0.95)
        price = self.some_price(instrument) if limited else 0
        if self.last and random.random() < 0.15:  # the same again
            strategy, instrument, side, price, quantity, limited = self.last
        self.last = strategy, instrument, side, price, quantity, limited
        market = self.middle[instrument] // 2 if random.random() < 0.9 else 0
        worth = price if limited else market
        o = SimpleNamespace(
            strategy=strategy, instrument=instrument, side=side, new=True, price=price,
            limited=limited, worth=worth, quantity=quantity, more=quantity, calmer=0, time=self.now,
        )  # fmt: skip
        held = dict(self.oracle.mine[strategy, instrument])
        held["buys" if side == 1 else "sells"] += quantity
        held["orders"] += 1
        if self.ask(o, held):
            self.open.append(
                {"strategy": strategy, "instrument": instrument, "side": side, "price": price,
                 "left": quantity, "filled": 0, "mid": self.middle[instrument]}
            )  # fmt: skip

    def replace(self) -> None:
        random = self.random
        one = random.choice(self.open)
        quantity = max(1, one["left"] + random.choice((-2, -1, 0, 0, 1, 3)))
        price = random.choice((one["price"], self.some_price(one["instrument"])))
        more = max(0, quantity - one["left"])
        calmer = int(quantity <= one["left"] and price == one["price"])
        o = SimpleNamespace(
            strategy=one["strategy"], instrument=one["instrument"], side=one["side"], new=False,
            price=price, limited=1, worth=price, quantity=quantity, more=more, calmer=calmer,
            time=self.now,
        )  # fmt: skip
        held = dict(self.oracle.mine[one["strategy"], one["instrument"]])
        held["buys" if one["side"] == 1 else "sells"] += quantity - one["left"]
        if self.ask(o, held):
            one["left"], one["price"] = quantity, price

    def fill(self) -> None:
        random, oracle = self.random, self.oracle
        one = random.choice(self.open)
        key = one["strategy"], one["instrument"]
        quantity = random.choice((one["left"], random.randint(1, one["left"])))
        price = max(1, self.middle[key[1]] // 2 + random.choice((-200, -20, 0, 0, 20, 200)))
        fee = random.choice((0, 3, -2))
        held = dict(oracle.mine[key])
        sign = 1 if one["side"] == 1 else -1
        held["quantity"] += sign * quantity
        held["cash"] -= sign * price * quantity
        held["fees"] += fee
        held["buys" if one["side"] == 1 else "sells"] -= quantity
        one["left"] -= quantity
        one["filled"] += quantity
        over = one["left"] == 0
        held["orders"] -= over
        oracle.held(*key, **held)
        mid = one["mid"] if random.random() < 0.95 else -(2**60)
        oracle.filled(*key, one["side"], price, quantity, fee, held["quantity"], mid, self.now)
        if "break" in self.groups:
            oracle.marked(key[1], self.now)
        op = self.note(FILLS, strategy=key[0], instrument=key[1])
        self.position(op, *key)
        row = op["fill"]
        row["price"], row["quantity"], row["fee"], row["side"] = price, quantity, fee, one["side"]
        row["instrument"], row["strategy"], row["received"] = key[1], key[0], self.now
        row["position"], row["sent_mid"] = held["quantity"], mid
        if over:
            self.finish(one, 0)

    def end(self) -> None:
        one = self.random.choice(self.open)
        held = dict(self.oracle.mine[one["strategy"], one["instrument"]])
        held["buys" if one["side"] == 1 else "sells"] -= one["left"]
        held["orders"] -= 1
        self.oracle.held(one["strategy"], one["instrument"], **held)
        op = self.note(HOLD, strategy=one["strategy"], instrument=one["instrument"])
        self.position(op, one["strategy"], one["instrument"])
        self.finish(one, int(one["filled"] == 0 and self.random.random() < 0.4))

    def finish(self, one: dict, rejected: int) -> None:
        self.open.remove(one)
        key, filled = (one["strategy"], one["instrument"]), int(one["filled"] > 0)
        if "break" in self.groups:
            self.oracle.over(*key, filled, rejected, self.now)
        self.note(END, strategy=key[0], instrument=key[1], was_filled=filled, rejected=rejected)

    def market(self) -> None:
        random, n = self.random, self.random.randrange(3)
        book = self.oracle.book[n]
        before = book["mark"]
        self.middle[n] = max(200, self.middle[n] + random.choice((-400, -40, -3, 0, 3, 40, 400)))
        if self.middle[n] > 30_000:
            self.middle[n] = 20_000
        middle = self.middle[n] if random.random() < 0.95 else 0
        book["middle"], book["last"] = middle, self.middle[n] // 2
        book["mark"] = self.middle[n]
        if random.random() < 0.01:  # a spread may be worth less than nothing
            book["mark"] = -self.middle[n]
        elif random.random() < 0.02:  # nobody knows yet what it is worth
            book["mark"] = 0
        book["state"] = (
            random.choice((ord("H"), ord("P"), ord("Q"))) if random.random() < 0.05 else ord("T")
        )
        book["stale"] = int(random.random() < 0.04)
        book["crossed"] = int(random.random() < 0.04)
        book["heard"] = self.now - random.choice((0, 0, MS, 7 * MS))
        book["skew"] = random.choice((0, MS, -3 * MS, 5 * MS + 1))
        last = book["last"] if random.random() < 0.3 else 0
        if "collar" in self.groups:
            window = self.oracle.scopes[INSTRUMENT, n].windows["collar_window_ms"]
            self.oracle.anchored(n, self.now, window)
        if self.marks and before != book["mark"] and "break" in self.groups:
            self.oracle.marked(n, self.now)
        if "data" in self.groups:
            self.oracle.moved(n, self.now)
        if last:
            self.oracle.printed(n, last, self.now)
        self.note(
            MARKET, instrument=n, mark=book["mark"], middle=middle, last=book["last"],
            state=book["state"], stale=book["stale"], crossed=book["crossed"],
            venue_time=book["heard"], skew=book["skew"], print=last,
            anchor=book["anchor"], mean=book["mean"],
        )  # fmt: skip

    def tell(self) -> None:
        random = self.random
        kind = random.choice(("state", "state", *["lift"] * 5, "limit", "limit", "risk", "rate"))
        key = random.choice(self.keys)
        scope = self.oracle.scopes[key]
        role, second_role = random.choice(ROLES), random.choice(ROLES)
        d = SimpleNamespace(
            what="state" if kind == "lift" else kind, time=self.now, role=role,
            second_role=second_role, who="ann", second=random.choice(("ann", "bob")),
            which=0, value=random.choice((0, 0, 0, 1, 1, 2, 3)),
        )  # fmt: skip
        if kind == "lift":  # or all would stand still
            key = random.choice([k for k, one in self.oracle.scopes.items() if one.state] or [key])
            scope = self.oracle.scopes[key]
            d.role, d.second_role, d.second, d.value = "risk", "officer", "bob", 0
        if kind == "limit":
            d.which = random.randrange(-1, len(NAMES) + 1)
            name = NAMES[d.which] if 0 <= d.which < len(NAMES) else NAMES[0]
            d.value = random.choice(
                (random.randint(*NARROW[name]), random.randint(*NARROW[name]), -1, 2_000)
            )
            if UNITS[name] not in ("count", "ms") and random.random() < 0.3:
                d.value = NO_LIMIT
        if kind == "risk":
            d.which, d.value = random.choice((0, 1, 1, 2)), random.choice((0, 1, 50, 100, 101, -1))
        if kind == "rate":
            self.rate(d)
            return
        outcome = self.oracle.directed(scope, d)
        if kind == "limit" and outcome == 0:
            self.groups.add(CONTROLS[d.which].group)
            self.marks = True
        what = {"state": SET_STATE, "limit": SET_LIMIT, "risk": TELL_RISK}[d.what]
        self.written(d, what, self.rows[key], outcome, 0.0)

    def rate(self, d: SimpleNamespace) -> None:
        n, rate = (
            self.random.choice((-1, 0, 1, 2, 3)),
            self.random.choice((0.0, 0.5, 1.0, float("inf"), float("nan"))),
        )
        outcome = 0
        if not 0 <= n < 3:
            outcome = 3
        elif d.role not in ("process", "risk", "officer"):
            outcome = 1
        elif not 0.0 < rate < 10.0**16:
            outcome = 4
        else:
            self.oracle.factor[n] = rate
            self.oracle.log.append(("rate", self.now, FIRM, "", 0, 0, n, 0, 0))
        self.written(d, TELL_RATE, n, outcome, rate)

    def written(self, d: SimpleNamespace, what: int, row: int, outcome: int, rate: float) -> None:
        op = self.note(TELL, (outcome, 0, 0, 0))
        told = op["directive"]
        told["time"], told["what"], told["scope"], told["which"] = self.now, what, row, d.which
        told["value"], told["rate"], told["role"] = d.value, rate, ROLES.index(d.role)
        told["second_role"], told["who"], told["second"] = (
            ROLES.index(d.second_role), d.who.encode(), d.second.encode(),
        )  # fmt: skip

    # The judgement.

    def judged(self) -> Counter:
        ops = np.array(self.ops, OP)
        wanted = ops[["anchor", "mean"]].tolist()
        driven(self.base, ops)
        said = ops[["reason", "level", "limit", "seen", "states"]].tolist()
        for n, (found, right) in enumerate(zip(said, self.expected, strict=True)):
            assert found == right, self.told(n, ops, found, right)
        assert ops[["anchor", "mean"]].tolist() == wanted
        for strategy, instrument, side in product(range(3), range(3), (1, 2)):
            left = room(self.base, strategy, instrument, side)
            assert left == self.oracle.room(strategy, instrument, side)
        self.judge_log()
        self.judge_sums()
        return Counter(one[0] for op, one in zip(ops, said, strict=True) if op["what"] == ASK)

    def told(self, n: int, ops: np.ndarray, found: tuple, right: tuple) -> str:
        op = {name: ops[n][name] for name in OP.names[:30]}
        reasons = [orders.REASONS[one[0]] for one in (found, right)]
        return f"step {n}: risk says {found}, the oracle {right}: {reasons}\n{op}"

    def judge_log(self) -> None:
        words = ("", "state", "limit", "risk", "rate", "rule", "refused")
        rows = self.arena["changes"][: int(self.arena["risk"]["changes"][0])]
        keys = {row: key for key, row in self.rows.items()}
        made = []
        for row in rows:
            what, key = words[row["what"]], keys[int(row["scope"])]
            if what == "refused":
                continue
            fifth = row["reason"] if what == "state" else row["which"]
            made.append(
                (what, int(row["time"]), *key,
                 *(int(row[k]) for k in ("before", "after")), int(fifth),
                 *(int(row[k]) for k in ("limit", "seen")))
            )  # fmt: skip
        if int(self.arena["risk"]["lost_changes"][0]) == 0:
            assert made == self.oracle.log

    def judge_sums(self) -> None:
        if not self.marks:
            return
        names = ("gross", "long", "short", "capital", "open_orders")
        for key, scope in self.oracle.scopes.items():
            if key[0] == INSTRUMENT:
                continue
            row = self.arena["scopes"][self.rows[key]]
            *sums, profit = self.oracle.sums(scope)
            # What could come of it is kept where somebody limits its money.
            if row["keeps"]:
                assert [int(row[name]) for name in names] == sums, key
            assert int(row["open_orders"]) == sums[-1], key
            assert row["keeps"] or not scope.has("money"), key
            assert int(row["flow"] + row["worth"]) == profit
            if scope.has("break"):
                assert int(row["peak"]) == scope.peak


def episode(seed: int, steps: int) -> Counter:
    desk = Desk(Random(seed))
    for _ in range(steps):
        desk.step()
    return desk.judged()


def duel(seconds: float, steps: int = 400, least: int = 3) -> Counter:
    """Episode after episode, until the time is over: how often each reason was given."""
    seed = int(os.environ.get("HFT_FUZZ_SEED") or "7") * 10**6
    end, counts = time.monotonic() + seconds, Counter()
    while least > 0 or time.monotonic() < end:
        try:
            counts += episode(seed, steps)
        except AssertionError as error:
            raise AssertionError(f"episode({seed}, {steps})\n{error}") from error
        seed, least = seed + 1, least - 1
    return counts


# All that `by_rules` and `allowed` can say.
SAID = {
    *{one.reason for one in CONTROLS if one.does == "refuse"},
    *(orders.RESTRICTED, orders.PRICE_NOT_POSITIVE, orders.NOT_LAUNCHED, orders.NO_SHORT),
    *(orders.NOT_TRADING, orders.STALE, orders.CROSSED, orders.CLOCKS_DISAGREE),
    *(orders.OUTSIDE_BANDS, orders.TRADING_HALTED, orders.REDUCING_ONLY, orders.NO_VALUE),
}


def test_the_oracle_and_the_compiled_checks_never_disagree():
    counts = duel(fuzz_seconds(20.0) if jit.COMPILED else 2.0)
    print(f"{sum(counts.values()):,} orders asked about, {counts[0]:,} left")
    if jit.COMPILED and sum(counts.values()) > 50_000:
        assert set(counts) - {0} == SAID, "a reason never came up: the duel is too tame"


@pytest.mark.modes
@pytest.mark.parametrize("first", range(1, 25, 6))
def test_a_few_episodes_in_every_mode(first):
    for seed in range(first, first + 6):
        episode(seed, 150)
