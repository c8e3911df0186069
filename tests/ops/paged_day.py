"""A day at the exchange of strategies whose orders rest in the queues, with its page; stopped.

with paged_day(folder) as (trial, page): ...
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from floor_desk import Floor
from floor_trial import Trial, listened_to, settled, trade

from hftlib.ops.page import Page

RESTERS = """
import hftlib as hft


@hft.strategy
class Mover:
    \"\"\"Quotes behind the best prices that move now and then: the venue renumbers them.\"\"\"

    looks: int = hft.state()

    def on_book(self, ctx, i):
        b = ctx.book(i)
        if not b.has_both:
            return
        self.looks += 1
        away = (2 + self.looks // 4 % 2) * b.tick
        ctx.quote(i, bid=b.bid - away, ask=b.ask + away, quantity=20)
"""
RESTER = """

@hft.strategy
class NAME:
    \"\"\"Orders that join the best prices and stand one behind the other.\"\"\"

    looks: int = hft.state()

    def on_book(self, ctx, i):
        b = ctx.book(i)
        if not b.has_both:
            return
        self.looks += 1
        if self.looks % 3 == 1:
            ctx.buy(i, b.bid, 50)
            ctx.buy(i, b.bid - 2 * b.tick, 10)
            ctx.sell(i, b.ask, 30)
"""
LIMITS = """
currency = "USD"

[instrument."*"]
open_orders = 14
position_lots = 5_000
gross_exposure_money = 900_000
capital_money = 2_000_000
daily_loss_money = 1_000
stale_ms = 100_000_000_000
executions = 500

[instrument.BBB]
fill_rate_percent = 20

[strategy."*"]
open_orders = 7
messages = 900
new_orders = 400
message_rate = 5_000
position_lots = 4_000
position_value_money = 500_000
drawdown_money = 700

[portfolio.all]
strategies = ["*"]
net_exposure_money = 800_000
reject_rate_percent = 99
slippage_bps = 400

[firm]
messages = 2_000
messages_window_ms = 5_000
gross_exposure_money = 1_500_000
capital_money = 3_000_000
daily_loss_money = 5_000
open_orders = 100
volatility_bps = 9_000
clock_skew_ms = 100_000_000_000
value_at_risk_money = 10_000
"""


@contextmanager
def paged_day(
    folder: Path, names: tuple[str, ...] = ("Rester", "Other"), times: int = 30, **given: Any
) -> Iterator[Any]:
    """Traded, and brought to a stop with orders in the queues."""
    text = RESTERS + "".join(RESTER.replace("NAME", name) for name in names if name != "Mover")
    (folder / "resters.py").write_text(text)
    (folder / "limits.toml").write_text(LIMITS)
    named = [f"{folder / 'resters.py'}:{name}" for name in names]
    with Floor() as floor:
        listened_to(floor)
        given["limits"] = folder / "limits.toml"
        trial = Trial(floor, folder / "day.journal", named, **given)
        page = Page(trial.runner, folder / "runner.page")  # before it starts
        trial.runner.start()
        live = trial.runner.live
        floor.until(lambda: live.sequencers[0].state == "LIVE")
        floor.until(lambda: live.shadow is not None or live.gateway(0)["state"] == 3)
        trade(floor, times)
        settled(trial)
        yield trial, page
        trial.runner.stop()
        page.remove()
