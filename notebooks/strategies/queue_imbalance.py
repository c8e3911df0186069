# %% [markdown]
# # Queue imbalance: a maker that leans
#
# Where more stands at the best bid than at the best ask, the next move is more often up. This maker quotes both sides
# around a fair value that leans with the two queues, leans back as it holds more, and **takes a side off** while the
# queue in front of it is about to be run over.
#
# It earns the spread and the rebate, and loses to whoever is faster. Below: how much of each, in a market that is made
# up. A copy of this notebook is a good place to begin; `docs/strategies.md`, "A strategy in a notebook", says how.

# %% tags=["parameters"]
# The strategy's own: a release pins these.
edge_ticks = 2
lean_ticks = 1.0
clip = 100
clips_max = 5
pull_at = 0.7
# Of the research below.
seconds = 900  # of the made-up market
seed = 7

# %% [markdown]
# ## The strategy
#
# The cells that begin with `#| export` become the module that is promoted; nothing else in this notebook does.

# %%
#| export
from typing import Any

import hftlib as hft


# %%
#| export
@hft.strategy
class QueueImbalance:
    """Quote around a middle that leans with the queues and against what is held.

    It loses when queues lie (orders put up to be seen), in a trend (it carries `clips_max` clips
    against it), and to anybody who hears of a move sooner and takes its quote before it is gone.
    """

    edge_ticks: int = hft.param(2, low=1, high=20, help="from fair to either quote")
    lean_ticks: float = hft.param(1.0, low=0.0, high=10.0, help="what a one-sided queue moves")
    clip: int = hft.param(100, low=1, high=10_000, help="lots of each quote")
    clips_max: int = hft.param(5, low=1, high=100, help="held at most, long or short")
    pull_at: float = hft.param(0.7, low=0.0, high=1.0, help="imbalance that takes a side off")
    fair: float = hft.state()

    def on_book(self, ctx: Any, i: int) -> None:
        b = ctx.book(i)
        if not (b.is_open and b.has_both):
            self.pull(ctx, i)
            return
        held = ctx.position(i)
        most = self.clips_max * self.clip
        self.fair = b.mid + (self.lean_ticks * b.imbalance - held / self.clip) * b.tick
        edge = self.edge_ticks * b.tick
        bids = max(0, min(self.clip, most - held))
        asks = max(0, min(self.clip, most + held))
        # A queue that is nearly gone goes next: stand there only to get rid of something.
        if b.imbalance < -self.pull_at and held >= 0:
            bids = 0
        if b.imbalance > self.pull_at and held <= 0:
            asks = 0
        ctx.quote(
            i,
            bid=min(self.fair - edge, b.ask - b.tick),
            ask=max(self.fair + edge, b.bid + b.tick),
            quantity=self.clip,
            bid_quantity=bids,
            ask_quantity=asks,
            post_only=True,
        )

    def on_halt(self, ctx: Any, i: int) -> None:
        self.pull(ctx, i)

    def pull(self, ctx: Any, i: int) -> None:
        ctx.quote(i, bid=0.0, ask=0.0, quantity=0)


# %% [markdown]
# ## What it earns, and from what
#
# Two symbols of a made-up market, 250 us to the venue, a rebate for making and a fee for taking as US exchanges have
# them. **The market does not react to us and its P&L means nothing**; what it is made of does.

# %%
import pandas as pd
import plotly.io

# Pictures are kept with the script that draws them, so that an exported page shows them, too.
plotly.io.renderers.default = "plotly_mimetype+notebook"
tape = hft.to_tape(hft.synthetic(symbols=2, seconds=seconds, seed=seed))
fees = hft.Fees(maker_per_unit="-0.0020", taker_per_unit="0.0030")
venue = hft.Venue(order_latency="250us", feed_latency="50us", fees=fees)
limits = hft.Limits(position_lots=2_000)
own = {
    "edge_ticks": edge_ticks,
    "lean_ticks": lean_ticks,
    "clip": clip,
    "clips_max": clips_max,
    "pull_at": pull_at,
}
result = hft.backtest(QueueImbalance, tape, params=own, venue=venue, limits=limits)
assert result.ok and not result.check()
result

# %%
result.plot("equity")

# %% [markdown]
# Spread earned, less what the price did to us afterwards, less fees: the parts are the whole, to the last unit.

# %%
quality = result.tca(tape)
assert not quality.check()
quality.attribution(("instrument",)).frame

# %% [markdown]
# ## Is the lean worth anything?
#
# Without it, with it, with more of it, and with other edges. Each is a whole backtest.

# %%
rows = {}
for edge in (1, 2, 4):
    for lean in (0.0, 1.0, 2.0):
        tried = {**own, "edge_ticks": edge, "lean_ticks": lean}
        run = hft.backtest(QueueImbalance, tape, params=tried, venue=venue, limits=limits)
        rows[edge, lean] = {
            name: run.stats[name] for name in ("pnl_net", "fills", "adverse_1s_bp", "turnover")
        }
table = pd.DataFrame(rows).T.round(2)
table.index.names = ["edge_ticks", "lean_ticks"]
table

# %% [markdown]
# ## What latency costs
#
# A maker lives off being there in time. The same quotes, later. Nobody in this market is in a hurry to take a stale quote,
# so lateness costs little here; on a recorded day it is often the whole of the profit.

# %%
hft.validation.stress_latency(QueueImbalance, tape, params=own, venue=venue)

# %% [markdown]
# ## Does it see the future?
#
# From a few moments on the tape is given another future; what was sent before has to be the same.

# %%
minute = tape.between(tape.begin, tape.begin + 60 * 10**9)
seen = hft.check_lookahead(QueueImbalance, minute, params=own, venue=venue, cuts=2)
assert seen.ok
seen

# %% [markdown]
# ## From here
#
# ```
# hft export notebooks/strategies/queue_imbalance.ipynb -p edge_ticks=3
# ```
