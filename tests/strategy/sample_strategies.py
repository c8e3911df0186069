"""Strategies that tests run in both modes."""

import math

import hftlib as hft

LEVELS = 3


@hft.block
class Average:
    """An average that forgets: after `half_life` a value counts half."""

    half_life: int = hft.param(1_000_000_000, low=1, duration=True)
    value: float = hft.state()
    time: int = hft.state()

    def update(self, now, value):
        if self.time == 0:
            self.value = value
        else:
            share = 0.5 ** ((now - self.time) / self.half_life)
            self.value = share * self.value + (1.0 - share) * value
        self.time = now
        return self.value


@hft.block
class Window:
    """The last `length` values."""

    length: int = hft.param(4, low=1, high=100)
    values: float = hft.state(size="length")
    count: int = hft.state()

    def push(self, value):
        self.values[self.count % self.length] = value
        self.count += 1

    def mean(self):
        filled = min(self.count, self.length)
        total = 0.0
        for k in range(filled):
            total += self.values[k]
        return total / filled


@hft.strategy
class QueueImbalance:
    """Lean quotes on queue imbalance, pull them back as inventory grows."""

    edge_ticks: int = hft.param(1, low=1, high=5, help="ticks from fair")
    clip: int = hft.param(100, low=100, high=1000)
    fair: float = hft.state()
    fast: Average = hft.state(half_life="1us")

    def skew(self, ctx, i):
        return ctx.position(i) // self.clip

    def on_book(self, ctx, i):
        b = ctx.book(i)
        self.fair = b.mid + b.imbalance * b.tick - self.skew(ctx, i) * b.tick
        self.fast.update(ctx.time, self.fair)
        edge = self.edge_ticks * b.tick
        ctx.quote(i, bid=self.fair - edge, ask=self.fair + edge, quantity=self.clip)


@hft.strategy
class Everything:
    """Uses all that a context has, and most of what numbers can do."""

    scale: float = hft.param(1.5, low=0.0)
    careful: bool = hft.param(True)
    seen: int = hft.state()
    ratio: float = hft.state()
    flag: bool = hft.state()
    counts: int = hft.state(size=4)
    window: float = hft.state(size=8)
    averages: Average = hft.state(size=2, half_life=500)
    short: Window = hft.state(length=3)
    long: Window = hft.state(length=5)

    def on_start(self, ctx):
        ctx.timer(1_000, 7)
        ctx.timer(delay_ns=5)
        for k in range(len(self.window)):
            self.window[k] = k * self.scale

    def on_book(self, ctx, i):
        b = ctx.book(i)
        self.ratio = b.microprice + b.spread + b.imbalance_to(LEVELS) + ctx.pnl(i)
        self.flag = b.has_both and b.is_open
        self.window[self.seen % 8] += b.mid
        self.counts[i] += 1
        self.counts[-1] += b.price_at(hft.BUY) + b.quantity_at(hft.SELL, n=2)
        self.averages[i % 2].update(ctx.time, b.mid)
        self.short.push(b.mid)
        self.long.push(b.mid * self.scale)
        self.ratio += self.short.mean() - self.long.mean()
        k = 0
        while k < 5:
            k += 1
            self.seen += b.quantity_to(hft.BUY, k) + b.quantity_within(hft.SELL, 1000)
        price = b.sweep_price(hft.SELL, 10)
        self.ratio = math.sqrt(price) + self.ratio**2 / 7 + math.exp(-price / 1e3) + price**0.3
        self.ratio += math.log(0.0) if self.seen < 0 else math.floor(price) % 5 - round(2.5)
        ctx.market(i, hft.SELL, 5)

    def on_trade(self, ctx, i, trade):
        self.seen += trade.price * trade.quantity - trade.side
        if self.careful and trade.price > 900:
            ctx.buy(i, trade.price - self.scale, trade.quantity, post_only=True)
        ctx.sell(i, float(trade.price), 7, lasts=hft.IOC, display=3)

    def on_order(self, ctx, i, order):
        same = ctx.order(order.id)
        if order.is_open and order.is_buy and same.left == order.left:
            ctx.replace(order.id, order.price + 1.5, order.left // 2)
        ctx.cancel(order.id)
        self.seen = ctx.queue_ahead(order.id) + ctx.order(99).state

    def on_fill(self, ctx, i, fill):
        self.ratio = fill.price / max(fill.quantity, 1) - ctx.holding(i).cash
        ctx.submit(i, hft.BUY, 5.5, 3, hft.STOP_LIMIT, hft.DAY, trigger=6.5)

    def on_timer(self, ctx, number):
        self.seen = number + ctx.open_orders(0) + int(-2.7)
        ctx.cancel_all()

    def on_halt(self, ctx, i):
        ctx.cancel_all(i)
        self.seen = ctx.book(77).instrument

    def on_stop(self, ctx):
        ctx.stop(3)
