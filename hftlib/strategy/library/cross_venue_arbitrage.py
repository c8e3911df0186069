"""A taker between two venues: buys where it is asked for less than is bid elsewhere.

    gain = bid of the dear venue - ask of the cheap one - costs of both legs
    gain >= edge_ticks ─▶ sell there, buy here, both for the moment only (IOC)
    both legs done ─ the same on both ─▶ wait for the next
                   └ not the same     ─▶ level: trade the difference at the better venue

Whether the legs agree is read from what is held, never from what was meant, so a leg that was
missed, filled in part or refused by a limit is one case. Worst case: while neither venue trades, a
difference stands as long as that lasts.
"""

from __future__ import annotations

from typing import Any

import hftlib as hft


@hft.strategy
class CrossVenueArbitrage:
    """Take both sides of a price that is out of line between two venues.

    `first` and `second` are two instruments of one thing, with the same units of price and
    quantity. A quote that was tried is not tried again until it changes, for what we took of it
    shows only later. After each try it rests for `pause`.

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
    tried_bid: int = hft.state()
    tried_bid_quantity: int = hft.state()
    tried_ask: int = hft.state()
    tried_ask_quantity: int = hft.state()
    tried_at: int = hft.state(-1)
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
        quantity = min(self.clip, d.bid_quantity, c.ask_quantity)
        quantity = min(quantity, self.held_max + ctx.position(dear))
        quantity = min(quantity, self.held_max - ctx.position(cheap))
        if gain < self.edge_ticks * max(d.tick, c.tick) or quantity <= 0 or gain <= 0:
            return False
        if self.is_tried(ctx, dear, cheap):
            return False
        self.remember(ctx, dear, cheap)
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

    def is_tried(self, ctx: Any, dear: int, cheap: int) -> bool:
        d = ctx.book(dear)
        c = ctx.book(cheap)
        same_bid = d.bid == self.tried_bid and d.bid_quantity == self.tried_bid_quantity
        same_ask = c.ask == self.tried_ask and c.ask_quantity == self.tried_ask_quantity
        return self.tried_at == dear and same_bid and same_ask

    def remember(self, ctx: Any, dear: int, cheap: int) -> None:
        d = ctx.book(dear)
        c = ctx.book(cheap)
        self.tried_at = dear
        self.tried_bid = d.bid
        self.tried_bid_quantity = d.bid_quantity
        self.tried_ask = c.ask
        self.tried_ask_quantity = c.ask_quantity
