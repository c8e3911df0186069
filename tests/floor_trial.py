"""A runner beside an exchange in lockstep, on real sockets, and a market for it to trade on.

trial = begun(listened_to(floor), folder)
trade(floor)
trial.runner.stop()
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from floor_desk import Floor

from hftlib.engine.live import hot
from hftlib.engine.live.publishing import publish
from hftlib.engine.live.replaying import about, taken_up
from hftlib.ops.drop_copy import DropCopy
from hftlib.ops.launching import described, laid
from hftlib.ops.resuming import Recovery
from hftlib.ops.runner import Door, Place, Runner
from hftlib.venue.matching import records as r


class Trial:
    """A runner beside an exchange: `step` lets both go on."""

    hours: ClassVar[dict[str, Any]] = {}  # of a calendar; a test's own class may have some

    def __init__(
        self,
        floor: Floor,
        folder: Path,
        strategy: str | list[str] = "QueueImbalance",
        limits: Path | None = None,
        mode: Any = "paper",
        fees: dict[str, str] | None = None,
        durability: str = "process",
        followed: bool = False,
        **params: Any,
    ) -> None:
        self.floor, self.folder = floor, folder
        places = floor.exchange.places | self.hours
        named = [strategy] if isinstance(strategy, str) else strategy
        given: dict[str, Any] = {"limits": limits, "mode": mode, "fees": fees}
        told = described(named, places, user="frm1a", params=params, **given)
        self.runner = Runner(
            laid(told),
            folder,
            told,
            places=[Place([places["line_a"], places["line_b"]], places["recovery"], "127.0.0.1")],
            doors=[Door(tuple(places["order_entry"]), "secret")],
            segment_bytes=1 << 22,
            durability=durability,
            followed=followed,
        )
        floor.others.append(self)

    def turn(self):
        self.runner.turn()  # the hot thread goes on in its own time
        time.sleep(0.0005)

    def __repr__(self):
        return f"<Trial: {self.runner.why or 'running'}, {self.runner.counts}>"

    def counts(self, name):
        return self.runner.counts[name]

    def close(self):
        self.runner.stop()


class Resumed(Trial):
    """The same day, gone on with; `recovery` says when it may trade again."""

    def __init__(
        self,
        floor: Floor,
        folder: Path,
        copy_user: str = "frm1d",
        say: Callable[[str], None] = lambda _words: None,
    ) -> None:
        self.floor, self.folder = floor, folder
        places, told = floor.exchange.places, about(folder)
        live, after = taken_up(folder, laid, say=say)
        lines = Place([places["line_a"], places["line_b"]], places["recovery"], "127.0.0.1")
        doors = [Door(tuple(places["order_entry"]), "secret")]
        self.runner = Runner(live, folder, told, places=[lines], doors=doors, after=after)
        copies = {}
        if copy_user:
            copies["HFTX"] = DropCopy(tuple(places["drop_copy"]), copy_user, "secret")
        self.recovery = Recovery(self.runner, copies)
        floor.others.append(self)

    def turn(self):
        super().turn()
        self.recovery.turn()

    def close(self):
        self.recovery.close()
        super().close()


def killed(trial: Trial) -> Path:
    """As a kill between two turns leaves it: nothing was said, no file was closed."""
    runner = trial.runner
    runner._is_over = True
    runner.record["stop"] = 1
    runner._thread.join()
    runner._hang_up()
    runner.journal._leave()
    trial.floor.others.remove(trial)
    return trial.folder


def trade(floor, times=40, until=lambda: False):
    """A market around the runner that moves and takes from it, so often, or until it is enough."""
    if not hasattr(floor, "maker"):
        floor.maker, floor.moves = floor.plain("frm2a"), 0
    maker = floor.maker
    for n in range(floor.moves, floor.moves + times):
        floor.moves = n + 1
        low = 99_00 + n % 7
        for urn, side, price in ((3 * n + 1, "B", low), (3 * n + 2, "S", low + 20)):
            maker.enter(urn, side, 300, f"{price / 100:.2f}")
        for _ in range(8):
            floor.step()
        maker.enter(3 * n + 3, "BS"[n % 2], 400, "120.00" if n % 2 == 0 else "80.00", tif="3")
        for _ in range(8):
            floor.step()
        if until():
            return


def listened_to(floor: Floor) -> Floor:
    """Open, and with all compiled that it needs: nobody asks it in vain later on."""
    floor.exchange.command(r.SET_STATE, symbol="AAA", state=r.TRADING)
    ears = floor.ears()
    floor.until(lambda: ears.next > int(floor.exchange.record["messages"][0]))
    for one in (ears, floor.desk("frm1b")):
        floor.others.remove(one)
        one.close()
    # Nor a drop copy that compiles while somebody waits two seconds for what it says.
    copy = DropCopy(tuple(floor.exchange.places["drop_copy"]), "frm1d", "secret")
    floor.until(lambda: copy.turn() or copy.is_whole)
    copy.close()
    return floor


def begun(
    floor: Floor, folder: Path, strategy: str | list[str] = "QueueImbalance", **params: Any
) -> Trial:
    """A runner that is logged in, and hears the feed."""
    made = Trial(floor, folder, strategy, **params)
    made.runner.start()
    floor.until(lambda: made.runner.live.gateway(0)["state"] == 3)
    floor.until(lambda: made.runner.live.sequencers[0].state == "LIVE")
    return made


def settled(trial: Trial) -> None:
    """Nothing moves any more, and its page says all: two ways of looking can be compared."""
    trial.runner.record["stop"] = 1
    trial.runner._thread.join()
    trial.runner.page._said = 0.0
    trial.runner.page.turn()
    hot.frame(trial.runner.address, 20, 0, 0, 0)
    for _ in range(50):
        publish(int(trial.runner.record["copying"]), trial.runner.live.address)
