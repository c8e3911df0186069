"""A maker that leans on queue imbalance: the longer queue pushes, so both quotes move with it.

    fair = middle + (lean_ticks * imbalance - held / clip) * tick
    bid, ask = fair -/+ edge_ticks * tick            never through the other side

Worst case: a quote follows each change of the book, one message a side under way at most.
"""

from __future__ import annotations

from typing import Any

import hftlib as hft


@hft.strategy
class QueueImbalance:
    """Lean quotes on queue imbalance, pull them back as inventory grows.

    It quotes one clip on each side, while the venue trades and both sides stand. Held lots move
    both quotes against themselves, a tick a clip, and at `clips_max` clips a side is taken off.

    When it loses money: when the queue lies. Large orders put up to be seen and taken away before
    they trade make it lean the wrong way. It is adversely selected by whoever is faster: a quote
    that is filled just before the middle runs through it loses more than its edge. In a trend it
    carries `clips_max` clips against the market. With an edge below half the usual spread plus
    the maker's fee it pays for its fills.
    """

    edge_ticks: int = hft.param(2, low=1, high=100, help="from fair to either quote")
    lean_ticks: float = hft.param(1.0, low=0.0, high=100.0, help="what a one-sided queue moves")
    levels: int = hft.param(1, low=1, high=10, help="of the book that make the imbalance")
    clip: int = hft.param(100, low=1, help="lots of each quote")
    clips_max: int = hft.param(5, low=1, high=1000, help="held at most, long or short")
    fair: float = hft.state()

    def on_book(self, ctx: Any, i: int) -> None:
        b = ctx.book(i)
        if not (b.is_open and b.has_both):
            self.pull(ctx, i)
            return
        held = ctx.position(i)
        lean = self.lean_ticks * b.imbalance_to(self.levels)
        self.fair = b.mid + (lean - held / self.clip) * b.tick
        edge = self.edge_ticks * b.tick
        most = self.clips_max * self.clip
        ctx.quote(
            i,
            bid=min(self.fair - edge, b.ask - b.tick),
            ask=max(self.fair + edge, b.bid + b.tick),
            quantity=self.clip,
            bid_quantity=max(0, min(self.clip, most - held)),
            ask_quantity=max(0, min(self.clip, most + held)),
            post_only=True,
        )

    def on_halt(self, ctx: Any, i: int) -> None:
        self.pull(ctx, i)

    def pull(self, ctx: Any, i: int) -> None:
        """Want nothing on either side."""
        ctx.quote(i, bid=0.0, ask=0.0, quantity=0)
