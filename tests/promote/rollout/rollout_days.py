"""Short days of a release for the tests of rollout: real runners beside a real exchange, quickly.

    with Floor(clock={"pace": "wall"}) as floor: one_day(floor, folder, idea, mode)

The journal's first frame says the release, as a launch out of one writes it.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

from floor_desk import Floor
from floor_trial import Trial, killed, listened_to, trade
from release_desk import POLICY

from hftlib.ops.launching import described, laid
from hftlib.ops.modes import Mode
from hftlib.ops.runner import Door, Place, Runner

DIGEST = "ab" * 32
_SHADOW = Mode("shadow", latency_us=100.0)
RELEASE = {"name": "leaner", "serial": 7, "digest": DIGEST, "key": "desk 00"}
IDEA = '''
import hftlib as hft


@hft.strategy
class Leaner:
    """Joins a side, takes now and then, pulls when it has turned often enough."""

    clip: int = hft.param(100, low=1, high=500)
    turns: int = hft.state()

    def on_book(self, ctx, i):
        b = ctx.book(i)
        self.turns += 1
        if not (b.is_open and b.has_both):
            return
        turn = self.turns % 12
        if turn == 0:
            ctx.cancel_all()
        elif turn == 3:
            ctx.submit(i, hft.BUY, b.bid, self.clip)
        elif turn == 6:
            ctx.submit(i, hft.SELL, b.ask, self.clip)
        elif turn == 9:
            ctx.submit(i, hft.BUY, b.ask, self.clip, lasts=hft.IOC)
'''


class OfRelease(Trial):
    """A runner out of a release, beside the floor."""

    fees: ClassVar[dict[str, str]] = {}  # what its fills cost; a test's own class may have some

    def __init__(self, floor: Floor, folder: Path, idea: str, mode: Any, **release: Any) -> None:
        self.floor, self.folder = floor, folder
        places = floor.exchange.places
        told = described([idea], places, user="frm1a", mode=mode, fees=self.fees)
        told |= {"release": RELEASE | release}
        self.runner = Runner(
            laid(told),
            folder,
            told,
            places=[Place([places["line_a"], places["line_b"]], places["recovery"], "127.0.0.1")],
            doors=[Door(tuple(places["order_entry"]), "secret")],
            segment_bytes=1 << 22,
        )
        floor.others.append(self)


@cache
def some_days() -> SimpleNamespace:
    """Days that all tests of a process share: a shadow beside paper, another shadow, a canary."""
    folder = Path(tempfile.mkdtemp(prefix="hft-test-days-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "leaner.py").write_text(IDEA)
    idea = f"{folder / 'leaner.py'}:Leaner"
    made = SimpleNamespace(folder=folder, idea=idea)
    with opened(Floor(clock={"pace": "wall"})) as floor:
        shadow = begun_day(floor, folder / "shadow.journal", idea, _SHADOW)
        made.paper = one_day(floor, folder / "paper.journal", idea, "paper")
        ended(shadow)
        made.shadow = shadow.folder
        made.second = one_day(floor, folder / "second.journal", idea, _SHADOW, 20)
        canary = Mode("canary", share=0.1)
        made.canary = one_day(floor, folder / "canary.journal", idea, canary, 20)
        made.cut = killed(begun_day(floor, folder / "cut.journal", idea, _SHADOW))
        other = {"digest": "cd" * 32}
        made.other = one_day(floor, folder / "other.journal", idea, _SHADOW, 1, **other)
    return made


def opened(floor: Floor) -> Floor:
    return listened_to(floor)


def begun_day(
    floor: Floor, folder: Path, idea: str, mode: Any, kind: Any = OfRelease, **release: Any
) -> OfRelease:
    """It hears the feed, and its session is open, where it has one."""
    made: OfRelease = kind(floor, folder, idea, mode, **release)
    made.runner.start()
    floor.until(lambda: made.runner.live.sequencers[0].state == "LIVE")
    if made.runner.live.shadow is None:
        floor.until(lambda: made.runner.live.gateway(0)["state"] == 3)
    return made


def one_day(
    floor: Floor, folder: Path, idea: str, mode: Any, times: int = 40, **release: Any
) -> Path:
    """A whole day of it, with a market that trades."""
    made = begun_day(floor, folder, idea, mode, **release)
    trade(floor, times)
    ended(made)
    return folder


def ended(day: OfRelease) -> None:
    day.runner.stop()
    day.floor.others.remove(day)
    assert day.runner.why == ""


__all__ = ["DIGEST", "IDEA", "POLICY", "begun_day", "ended", "one_day", "opened", "some_days"]
