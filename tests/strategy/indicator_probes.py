"""Strategies that feed indicators from their own fields, or from a market, and keep what they say.

A test writes `now`, `x` and so on into the state, calls `on_book`, and reads the answers there.
"""

import hftlib as hft

ROWS = 12_000


@hft.strategy
class Probe:
    """Every indicator, with the edge cases of lengths among them."""

    now: int = hft.state()
    x: float = hft.state()
    y: float = hft.state()
    answers: float = hft.state(size=20)
    ema: hft.EMA = hft.state(half_life="3us")
    by_update: hft.EMAByUpdate = hft.state(half_life=2.5)
    mean: hft.RollingMean = hft.state(length=7)
    last: hft.RollingMean = hft.state(length=1)
    spread: hft.RollingVariance = hft.state(length=7)
    alone: hft.RollingVariance = hft.state(length=1)
    trades: hft.VWAP = hft.state(length=5)
    young: hft.VWAP = hft.state(length=6, window="4us")
    flow: hft.OrderFlowImbalance = hft.state(half_life="2us")
    rate: hft.HawkesIntensity = hft.state(base=2.0, jump=3.0, half_life="1us")
    moves: hft.RealisedVolatility = hft.state(half_life="9us", every="1us")
    shares: hft.RealisedVolatility = hft.state(half_life="9us", every="1us", relative=True)
    micro: hft.MicropriceTable = hft.state()

    def on_book(self, ctx, i):
        now, x = self.now, self.x
        book = ctx.book(i)
        self.answers[0] = self.ema.update(now, x)
        self.answers[1] = self.by_update.update(x)
        self.answers[2] = self.mean.update(x)
        self.answers[3] = self.last.update(x)
        self.answers[4] = self.spread.z(x)
        self.answers[5] = self.spread.update(x)
        self.answers[6] = self.alone.update(x)
        self.answers[7] = self.trades.update(now, x, self.y)
        self.answers[8] = self.young.update(now, x, self.y)
        self.answers[9] = self.flow.update(now, book)
        self.answers[10] = self.rate.update(now, self.y)
        self.answers[11] = self.rate.at(now + 700)
        self.answers[12] = self.moves.update(now, x)
        self.answers[13] = self.shares.update(now, x)
        self.answers[14] = self.micro.update(book)
        self.answers[15] = self.flow.at(now + 700)
        self.answers[16] = self.spread.mean


@hft.strategy
class Watcher:
    """Watches the first instrument of a tape, and keeps what it saw beside what it was told."""

    seen: int = hft.state(size=8 * ROWS)
    told: float = hft.state(size=8 * ROWS)
    count: int = hft.state()
    ema: hft.EMA = hft.state(half_life="1s")
    window: hft.RollingVariance = hft.state(length=50)
    flow: hft.OrderFlowImbalance = hft.state(half_life="500ms")
    moves: hft.RealisedVolatility = hft.state(half_life="10s", every="100ms")
    micro: hft.MicropriceTable = hft.state()
    trades: hft.VWAP = hft.state(length=40, window="5s")
    rate: hft.HawkesIntensity = hft.state(base=1.0, jump=2.0, half_life="1s")

    def on_book(self, ctx, i):
        if i != 0 or self.count >= ROWS:
            return
        b = ctx.book(i)
        at = 8 * self.count
        self.keep(at, ctx.time, b.bid, b.bid_quantity, b.ask, b.ask_quantity)
        self.told[at] = self.ema.update(ctx.time, b.mid)
        self.told[at + 1] = self.window.update(b.mid)
        self.told[at + 2] = self.flow.update(ctx.time, b)
        self.told[at + 3] = self.moves.update(ctx.time, b.mid)
        self.told[at + 4] = self.micro.update(b)
        self.seen[at + 6] = b.tick

    def on_trade(self, ctx, i, trade):
        if i != 0 or self.count >= ROWS:
            return
        at = 8 * self.count
        self.keep(at, ctx.time, trade.price, trade.quantity, 0, 0)
        self.told[at] = self.trades.update(ctx.time, trade.price, trade.quantity)
        self.told[at + 1] = self.rate.update(ctx.time)
        self.seen[at + 5] = 1

    def keep(self, at, now, a, b, c, d):
        self.seen[at] = now
        self.seen[at + 1] = a
        self.seen[at + 2] = b
        self.seen[at + 3] = c
        self.seen[at + 4] = d
        self.count += 1
