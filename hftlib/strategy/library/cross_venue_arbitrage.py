"""A taker between two venues: buys where it is asked for less than is bid elsewhere.

    gain = bid of the dear venue - ask of the cheap one - costs of both legs
    gain >= edge_ticks ─▶ sell there, buy here, both for the moment only (IOC)
    both legs done ─ the same on both ─▶ wait for the next
                   └ not the same     ─▶ level: trade the difference at the better venue

Whether the legs agree is read from what is held, never from what was meant, so a leg that was
missed, filled in part or refused by a limit is one case. Worst case: while neither venue trades, a
difference stands as long as that lasts.
"""

# A field with a size is an array; its annotation says of what.
# mypy: disable-error-code="index"

from __future__ import annotations

from typing import Any

import hftlib as hft


@hft.strategy
class CrossVenueArbitrage:
    """Take both sides of a price that is out of line between two venues.

    `first` and `second` are two instruments of one thing, with the same units of price and
    quantity. What was tried of a quote counts as gone for as long as its price stands: that it was
    taken shows only later, in a backtest never. After each try it rests for `pause`.

    When it loses money: by its legs. Prices out of line are often one venue being late, and by the
    time the orders arrive the late one has moved: one leg fills, the other finds nothing, and
    levelling pays the spread and another fee. So it loses where it is slower than others, or than
    the feed that shows it the prices. It loses on `cost` set below the fees in fact paid. Gains
    pile up as long here and short there: what it costs to carry or move that is not in `cost`, and
    at `held_max` on either venue it can only trade back.
    """

    first: int = hft.param(0, low=0, help="instrument at the one venue")
    second: int = hft.param(1, low=0, help="instrument at the other")
    edge_ticks: float = hft.param(1.0, low=0.0, help="gain asked for beyond all costs")
    cost: float = hft.param(0.0, low=0.0, high=0.1, help="fee of one leg, as a share of its value")
    clip: int = hft.param(100, low=1, help="lots at most in one try")
    held_max: int = hft.param(1_000, low=1, help="lots at most at either venue, long or short")
    chase_ticks: int = hft.param(5, low=0, help="how far through the best price levelling may go")
    pause: int = hft.param(1_000_000, low=1000, duration=True, help="between two tries")
    tried: int = hft.state(size=4)
    tried_price: int = hft.state(size=4)
    rests_until: int = hft.state()
    tries: int = hft.state()
    levellings: int = hft.state()

    def on_book(self, ctx: Any, i: int) -> None:
        if i == self.first or i == self.second:
            self.look(ctx)

    def on_order(self, ctx: Any, i: int, order: Any) -> None:
        if not order.is_open:
            self.look(ctx)

    def on_timer(self, ctx: Any, number: int) -> None:
        self.look(ctx)

    def look(self, ctx: Any) -> None:
        under_way = ctx.open_orders(self.first) + ctx.open_orders(self.second)
        if under_way > 0 or ctx.time < self.rests_until:
            return
        excess = ctx.position(self.first) + ctx.position(self.second)
        if excess != 0:
            self.level(ctx, excess)
        elif not self.take(ctx, self.first, self.second):
            self.take(ctx, self.second, self.first)

    def take(self, ctx: Any, dear: int, cheap: int) -> bool:
        """Sell at the one and buy at the other, if that gains enough."""
        d = ctx.book(dear)
        c = ctx.book(cheap)
        if not (d.is_open and c.is_open and d.has_both and c.has_both):
            return False
        gain = d.bid - c.ask - self.cost * (abs(d.bid) + abs(c.ask))
        bid = 0 if dear == self.first else 2
        ask = 1 if cheap == self.first else 3
        quantity = min(self.fresh(bid, d.bid, d.bid_quantity), self.clip)
        quantity = min(self.fresh(ask, c.ask, c.ask_quantity), quantity)
        quantity = min(quantity, self.held_max + ctx.position(dear))
        quantity = min(quantity, self.held_max - ctx.position(cheap))
        if gain < self.edge_ticks * max(d.tick, c.tick) or quantity <= 0 or gain <= 0:
            return False
        self.use(bid, d.bid, quantity)
        self.use(ask, c.ask, quantity)
        self.rest(ctx)
        if ctx.sell(dear, float(d.bid), quantity, lasts=hft.IOC) < 0:
            return False
        # If this leg is refused, the first is levelled when it is done.
        ctx.buy(cheap, float(c.ask), quantity, lasts=hft.IOC)
        self.tries += 1
        return True

    def level(self, ctx: Any, excess: int) -> None:
        """Trade away what one venue holds more than the other is short."""
        side = hft.SELL if excess > 0 else hft.BUY
        better, other = self.first, self.second
        one = self.worth(ctx, self.first, side)
        two = self.worth(ctx, self.second, side)
        if two > one:
            better, other = self.second, self.first
        self.rest(ctx)
        if self.leave(ctx, better, side, abs(excess)) or self.leave(ctx, other, side, abs(excess)):
            self.levellings += 1

    def worth(self, ctx: Any, i: int, side: int) -> int:
        """The best price to trade against, so that more is better."""
        b = ctx.book(i)
        if not (b.is_open and b.has_both):
            return -(2**61)
        return b.bid if side == hft.SELL else -b.ask

    def leave(self, ctx: Any, i: int, side: int, quantity: int) -> bool:
        b = ctx.book(i)
        if not (b.is_open and b.has_both):
            return False
        price = b.bid - self.chase_ticks * b.tick
        if side == hft.BUY:
            price = b.ask + self.chase_ticks * b.tick
        return ctx.submit(i, side, float(price), quantity, lasts=hft.IOC) > 0

    def rest(self, ctx: Any) -> None:
        self.rests_until = ctx.time + self.pause
        # Nothing may happen at either venue for long; a difference must not wait for it.
        ctx.timer(self.pause, 0)

    def fresh(self, k: int, price: int, quantity: int) -> int:
        """What of a quote was not tried yet; k: bid and ask of the first venue, of the second."""
        return quantity - self.tried[k] if price == self.tried_price[k] else quantity

    def use(self, k: int, price: int, quantity: int) -> None:
        if price != self.tried_price[k]:
            self.tried[k] = 0
        self.tried_price[k] = price
        self.tried[k] += quantity
