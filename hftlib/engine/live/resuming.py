"""Another process goes on with a runner's day: what was true of the one that is gone is not now.

    resume    the firm is held ─▶ every connection is lost ─▶ no feed has been heard

The memory is that of the last frame, by a replay of the journal; this is the first frame after it.
It comes before anything that was due meanwhile, so a late timer finds stale books and a firm that
may not trade. Links come back as after any lost connection: what was said is heard, what stands is
reconciled. Who runs it says when the venue and we agree (`risk/recovering.py`).

Worst case: one look at each order, as whenever a session is lost.
"""

from __future__ import annotations

from hftlib.core import jit
from hftlib.core.soup import memory as soup
from hftlib.engine.live import feeding, linking
from hftlib.engine.live.memory import DIRECTIVE_AT, LOST, call_2, feed_of, link_of, live_at
from hftlib.feed.mold import machine
from hftlib.risk.authority import PROCESS
from hftlib.risk.directives import DIRECTIVE_BYTES, directive_at
from hftlib.risk.memory import FIRM_ROW
from hftlib.risk.recovering import HOLD


@jit.compiled()
def resume(live: int) -> None:
    """The first frame of another process."""
    header, here = live_at(live), live + DIRECTIVE_AT
    for n in range(DIRECTIVE_BYTES // 8):
        jit.store_i64(here + 8 * n, 0)
    told = directive_at(here)
    told.time, told.what, told.scope, told.role = header.now, HOLD, FIRM_ROW, PROCESS
    call_2(header.directed, header.session, here)
    links = header.links if header.shadow == 0 else 0  # of a model none is lost
    for n in range(links):
        why = soup.BROKE if link_of(live, n).is_up != 0 else soup.NOT_MADE
        linking.connected(live, n, LOST, why)
    for n in range(header.feeds):
        machine.hush(feed_of(live, n).sequencer, header.now)
        feeding.follow(live, n)
