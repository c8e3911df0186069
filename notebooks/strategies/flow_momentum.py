# %% [markdown]
# # Flow momentum: go with who is in a hurry
#
# Somebody with a large order takes, waits, and takes again. So aggressive volume that is **one-sided** tends to go on for
# a while, and the price with it. This strategy measures how one-sided the takers of the last moments were, goes with them
# by taking itself, and leaves after a while or as soon as the flow turns.
#
# It pays the spread and two taker's fees for each round trip, so the move has to be larger than that. Below: in the made-up
# market it is **not**, and the notebook shows by how much.

# %% tags=["parameters"]
# The strategy's own: a release pins these.
one_sided = 0.8
lots_min = 1500.0
hold = "5s"
stop_ticks = 8.0
clip = 100
# Of the research below.
seconds = 900  # of the made-up market
seed = 7

# %% [markdown]
# ## The strategy
#
# `on_trade` is told who took. Two averages that forget at the same speed, of what was bought and what was sold by takers,
# give the share of either side; how much there was at all says whether to listen.

# %%
#| export
from typing import Any

import hftlib as hft

INSTRUMENTS = 64
PAUSE_NS = 100_000_000  # between two tries


# %%
#| export
@hft.block
class Flow:
    """What takers bought and sold of late; both halve every `half_life`."""

    half_life: int = hft.param(1_000_000_000, low=1, duration=True)
    bought: float = hft.state()
    sold: float = hft.state()
    at: int = hft.state()

    def hear(self, now: int, side: int, quantity: int) -> None:
        kept = 0.5 ** ((now - self.at) / self.half_life) if self.at != 0 else 0.0
        self.bought = self.bought * kept + (quantity if side == hft.BUY else 0)
        self.sold = self.sold * kept + (quantity if side == hft.SELL else 0)
        self.at = now

    def lots(self) -> float:
        return self.bought + self.sold

    def lean(self) -> float:
        return (self.bought - self.sold) / max(1.0, self.bought + self.sold)


# %%
#| export
@hft.strategy
class FlowMomentum:
    """Take with one-sided takers; leave by the clock, by a stop, or when they turn.

    It loses at each trade first: the spread and two fees. A single large order that is over is no
    flow, and looks like one; who heard of it sooner took what was cheap, and this buys the rest.
    """

    one_sided: float = hft.param(0.8, low=0.0, high=1.0, help="share of one side, 1: all of it")
    lots_min: float = hft.param(1500.0, low=0.0, help="lots taken of late, or it is noise")
    hold: int = hft.param(5_000_000_000, low=1, duration=True, help="longest time held")
    stop_ticks: float = hft.param(8.0, low=0.0, help="middle against the entry, to leave")
    clip: int = hft.param(100, low=1, high=10_000, help="lots of an entry")
    flow: Flow = hft.state(size=INSTRUMENTS, half_life="1s")
    entry: float = hft.state(size=INSTRUMENTS)
    leaves_at: int = hft.state(size=INSTRUMENTS)
    rests_until: int = hft.state(size=INSTRUMENTS)

    def on_trade(self, ctx: Any, i: int, trade: Any) -> None:
        if i < INSTRUMENTS and trade.side != 0:
            self.flow[i].hear(ctx.time, trade.side, trade.quantity)

    def on_book(self, ctx: Any, i: int) -> None:
        b = ctx.book(i)
        if i >= INSTRUMENTS or not (b.is_open and b.has_both):
            return
        if ctx.open_orders(i) > 0 or ctx.time < self.rests_until[i]:
            return
        held, lean = ctx.position(i), self.flow[i].lean()
        if held != 0:
            side = 1 if held > 0 else -1
            against = (self.entry[i] - b.mid) * side
            turned = lean * side < 0.0
            if ctx.time >= self.leaves_at[i] or against >= self.stop_ticks * b.tick or turned:
                self.rests_until[i] = ctx.time + PAUSE_NS
                # Two ticks through: to be out counts for more than the last tick.
                if held > 0:
                    ctx.sell(i, float(b.bid - 2 * b.tick), held, lasts=hft.IOC)
                else:
                    ctx.buy(i, float(b.ask + 2 * b.tick), -held, lasts=hft.IOC)
        elif self.flow[i].lots() >= self.lots_min and abs(lean) >= self.one_sided:
            self.rests_until[i] = ctx.time + PAUSE_NS
            self.entry[i] = b.mid
            self.leaves_at[i] = ctx.time + self.hold
            if lean > 0.0:
                ctx.buy(i, float(b.ask), self.clip, lasts=hft.IOC)
            else:
                ctx.sell(i, float(b.bid), self.clip, lasts=hft.IOC)


# %% [markdown]
# ## Traded
#
# Two symbols of a made-up market, 250 us to the venue, and a taker's fee of 0.0030 a share as US exchanges have it. The
# market does not react to us and its P&L means nothing; what it is made of does.

# %%
import pandas as pd
import plotly.io

# Pictures are kept with the script that draws them, so that an exported page shows them, too.
plotly.io.renderers.default = "plotly_mimetype+notebook"
tape = hft.to_tape(hft.synthetic(symbols=2, seconds=seconds, seed=seed))
venue = hft.Venue(
    order_latency="250us", feed_latency="50us", fees=hft.Fees(taker_per_unit="0.0030")
)
limits = hft.Limits(position_lots=1_000)
own = {
    "one_sided": one_sided,
    "lots_min": lots_min,
    "hold": hold,
    "stop_ticks": stop_ticks,
    "clip": clip,
}
result = hft.backtest(FlowMomentum, tape, params=own, venue=venue, limits=limits)
assert result.ok and not result.check()
result

# %%
result.plot("equity")

# %% [markdown]
# ## The idea without its costs
#
# Before any trading cost: did the middle go our way after we took? Then what taking cost us: half the spread, each way, and
# the fees. An idea of this kind lives if the first is larger than the second.

# %%
fills = result.fills
sign = fills["side"].map({"buy": 1, "sell": -1}).astype(float)
began = fills["position"] != 0  # an entry, not an exit
paid = sign * (fills["price"] - fills["mid"])
moved = {later: sign * (fills[f"mid_{later}"] - fills["mid"]) for later in ("10ms", "1s", "10s")}
idea = pd.DataFrame({"paid over the middle": paid} | {f"moved in {k}": moved[k] for k in moved})
idea[began].mean().to_frame("currency a share, entries").round(4)

# %% [markdown]
# ## Would other numbers help?
#
# Slower, pickier, longer. Fewer trades lose less, which is what a strategy without an edge looks like.

# %%
rows = {}
for least in (1_500.0, 3_000.0):
    for share in (0.6, 0.8, 0.95):
        for longest in ("1s", "20s"):
            tried = {**own, "lots_min": least, "one_sided": share, "hold": longest}
            run = hft.backtest(FlowMomentum, tape, params=tried, venue=venue, limits=limits)
            rows[least, share, longest] = {
                name: run.stats[name] for name in ("pnl_net", "fees", "fills", "turnover")
            }
table = pd.DataFrame(rows).T.round(2)
table.index.names = ["lots_min", "one_sided", "hold"]
table

# %% [markdown]
# ## Does it see the future?
#
# From a few moments on the tape is given another future; what was sent before has to be the same. It asks for less flow
# here, so that there is something to compare within a minute.

# %%
minute = tape.between(tape.begin, tape.begin + 60 * 10**9)
eager = {**own, "lots_min": 300.0}
seen = hft.check_lookahead(FlowMomentum, minute, params=eager, venue=venue, cuts=2)
assert seen.ok
seen

# %% [markdown]
# ## What to make of it
#
# Takers of the made-up market come in bursts, but after a burst its middle stays, or comes back a little, and the spread is
# paid on top: there is no idea here that other numbers could save, and the gates of a promotion would refuse it, rightly.
# Markets where large orders are worked for hours are another question; ask it on recorded data before believing either
# answer.
