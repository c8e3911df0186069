"""What a runner has counted, by name: what came, went and was decided.

    counts_of(live, journaled)      {"frames": ..., "commands": ..., "refused": ..., ...}

Worst case: none, these are sums over a few rows.
"""

from __future__ import annotations

from hftlib.engine.live.laying import Live


def counts_of(live: Live, journaled: int) -> dict[str, int]:
    """Of all feeds, links and seats together; `journaled` frames are in the journal."""
    header, links, feeds = live.header, live.links, live.feeds
    found = {name: int(header[name]) for name in ("frames", "timers", "alarms", "directives")}
    found |= {n: int(feeds[n].sum()) for n in ("datagrams", "messages", "strangers", "notices")}
    found |= {n: int(links[n].sum()) for n in ("commands", "reports", "rejected", "segments")}
    seats = live.session.seats
    found["refused"] = sum(int(seat["session"]["refused"][0].sum()) for seat in seats)
    found["events"] = int(live.session.arena["session"]["events"][0])
    found["journaled"] = journaled
    return found
