"""Indicators as their formulas say, over all that ever came: slow, and without a running sum."""

import math
import statistics

FAR = 2**60


def finite(*values):
    return all(math.isfinite(value) for value in values)


class SlowEMA:
    def __init__(self, half_life):
        self.half_life, self.moments = half_life, []

    def update(self, now, x):
        if finite(x):
            if self.moments and now <= self.moments[-1][0]:
                self.moments[-1] = (self.moments[-1][0], x)
            else:
                self.moments.append((now, x))
        return self.value()

    def value(self):
        if not self.moments:
            return math.nan
        end = self.moments[-1][0]
        parts, left = [], 1.0
        for k in range(len(self.moments) - 1, 0, -1):
            rest = 0.5 ** ((end - self.moments[k - 1][0]) / self.half_life)
            parts.append((left - rest) * self.moments[k][1])
            left = rest
        return math.fsum([*parts, left * self.moments[0][1]])


class SlowEMAByUpdate:
    def __init__(self, half_life):
        self.half_life, self.values = half_life, []

    def update(self, x):
        if finite(x):
            self.values.append(x)
        if not self.values:
            return math.nan
        share, n = 0.5 ** (1.0 / self.half_life), len(self.values)
        parts = [(1 - share) * share ** (n - 1 - k) * self.values[k] for k in range(1, n)]
        return math.fsum([*parts, share ** (n - 1) * self.values[0]])


class SlowRolling:
    """Mean, variance and z of the last values."""

    def __init__(self, length):
        self.length, self.values = length, []

    def update(self, x):
        if finite(x):
            self.values.append(x)

    @property
    def window(self):
        return self.values[-self.length :]

    def mean(self):
        return math.fsum(self.window) / len(self.window) if self.window else math.nan

    def variance(self):
        return statistics.variance(self.window) if len(self.window) > 1 else math.nan

    def z(self, x):
        variance = self.variance()
        return (x - self.mean()) / math.sqrt(variance) if variance > 0 else math.nan


class SlowVWAP:
    def __init__(self, length, window):
        self.length, self.window, self.trades, self.now = length, window, [], 0

    def update(self, now, price, quantity):
        self.now = max(now, self.now) if self.trades else now
        if finite(price, quantity) and quantity > 0:
            self.trades.append((self.now, price, quantity))
        return self.value()

    def value(self):
        kept = self.trades[-self.length :]
        if self.window:
            kept = [one for one in kept if one[0] > self.now - self.window]
        if not kept:
            return math.nan
        return math.fsum(p * q for _, p, q in kept) / math.fsum(q for _, _, q in kept)


class SlowOrderFlow:
    def __init__(self, half_life):
        self.half_life, self.flows, self.before, self.now = half_life, [], None, None

    def update(self, now, bid, bid_quantity, ask, ask_quantity):
        self.now = now if self.now is None else max(now, self.now)
        bid = -math.inf if bid == -FAR else bid
        ask = math.inf if ask == -FAR else ask
        flow = 0
        if self.before is not None:
            old_bid, old_bid_quantity, old_ask, old_ask_quantity = self.before
            flow = (
                (bid >= old_bid) * bid_quantity
                - (bid <= old_bid) * old_bid_quantity
                - (ask <= old_ask) * ask_quantity
                + (ask >= old_ask) * old_ask_quantity
            )
        self.before = bid, bid_quantity, ask, ask_quantity
        self.flows.append((self.now, flow))
        return self.value()

    def value(self):
        return math.fsum(e * 0.5 ** ((self.now - t) / self.half_life) for t, e in self.flows)

    def total(self):
        return sum(e for _, e in self.flows)


class SlowHawkes:
    def __init__(self, base, jump, half_life):
        self.base, self.jump, self.half_life = base, jump, half_life
        self.events, self.now = [], None

    def update(self, now, weight):
        if finite(weight):
            self.now = now if self.now is None else max(now, self.now)
            self.events.append((self.now, weight))
            return self.at(self.now)
        return self.at(self.now) if self.events else math.nan

    def at(self, now):
        now = max(now, self.now) if self.events else now
        fading = (w * 0.5 ** ((now - t) / self.half_life) for t, w in self.events)
        return self.base + self.jump * math.fsum(fading)


class SlowVolatility:
    def __init__(self, half_life, every, relative):
        self.half_life, self.every, self.relative = half_life, every, relative
        self.points = []

    def update(self, now, price):
        usable = finite(price) and not (self.relative and price <= 0)
        if usable and (not self.points or now - self.points[-1][0] >= self.every):
            self.points.append((now, price))
        return self.value()

    def value(self):
        if len(self.points) < 2:
            return math.nan
        end, parts, left = self.points[-1][0], [], 1.0
        for k in range(len(self.points) - 1, 0, -1):
            (t0, p0), (t1, p1) = self.points[k - 1], self.points[k]
            moved = math.log(p1) - math.log(p0) if self.relative else p1 - p0
            rest = 0.5 ** ((end - t0) / self.half_life) if k > 1 else 0.0
            parts.append((left - rest) * moved**2 / ((t1 - t0) / 1e9))
            left = rest
        return math.sqrt(math.fsum(parts))


class SlowMicroprice:
    """Keeps every book; a lesson is each book's next move of the middle, and its mirror."""

    def __init__(self):
        self.books, self.lessons = [], []

    def update(self, bid, bid_quantity, ask, ask_quantity, tick):
        if -FAR in (bid, ask):
            self.books = []
            return math.nan
        twice = bid + ask
        if self.books and self.books[-1][0] != twice:
            move = (twice - self.books[-1][0]) / 2
            for _, wide, share in self.books:
                self.lessons += [(wide, share, move), (wide, 9 - share, -move)]
            self.books = []
        both = bid_quantity + ask_quantity
        share = min(9, int(10 * (bid_quantity / both))) if both else 5
        wide = min(4, max(1, (ask - bid) // tick))
        self.books.append((twice, wide, share))
        moves = [move for w, s, move in self.lessons if (w, s) == (wide, share)]
        return twice / 2 + (math.fsum(moves) / len(moves) if moves else 0.0)
