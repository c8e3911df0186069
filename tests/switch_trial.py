"""Two runners beside an exchange in lockstep: one trades, the other is to take over from it."""

from __future__ import annotations

import threading
import time

from floor_trial import Trial

from hftlib.core.control.serving import Control
from hftlib.ops.carried import last_word
from hftlib.ops.drop_copy import DropCopy
from hftlib.ops.handing_over import HandedOverError, HandingOver
from hftlib.ops.launching import described, laid
from hftlib.ops.resuming import Recovery
from hftlib.ops.runner import Door, Place, Runner
from hftlib.ops.take_over import TakeOver, asked_first, takes_over

LAUNCH = {"exchange": [], "copy_user": [], "cpu": None, "busy": False}


class Blue:
    """The control socket of a trial, answered by a thread, as its own process would."""

    def __init__(self, trial, path):
        self.trial, self.path = trial, path
        self.handing = HandingOver(trial.runner, LAUNCH)
        self._control = Control(path, self.handing.obey)
        self._over = threading.Event()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        trial.floor.others.append(self)

    def _serve(self):
        while not self._over.is_set():
            try:
                self._control.poll()
                self.handing.turn()
            except HandedOverError:
                self.trial.floor.others.remove(self.trial)
                self.trial.close()
                break
            time.sleep(0.001)
        self._control.close()

    def turn(self):
        """It has a thread."""

    def close(self):
        self._over.set()
        self.thread.join()


class Green(Trial):
    """Another runner of the same account that takes over from whoever listens at `path`."""

    def __init__(
        self, floor, folder, path, *, limits=None, strategy="QueueImbalance", why="wider", **params
    ):
        self.floor, self.folder = floor, folder
        places = floor.exchange.places
        found = asked_first(path)
        about = described(
            [strategy], places, user="frm1a", params=params, limits=limits, mode="paper"
        )
        about |= {"takes_over": takes_over(found)}
        lines = Place([places["line_a"], places["line_b"]], places["recovery"], "127.0.0.1")
        doors = [Door(tuple(places["order_entry"]), "secret")]
        self.runner = Runner(
            laid(about), folder, about, places=[lines], doors=doors, segment_bytes=1 << 22
        )
        copies = {"HFTX": DropCopy(tuple(places["drop_copy"]), "frm1d", "secret")}
        self.times = []
        recovery = Recovery(self.runner, copies)
        self.take = TakeOver(self.runner, recovery, path, "ann", why, self.times.append)
        self.failed = None
        floor.others.append(self)

    def turn(self):
        super().turn()
        if self.failed is None:
            try:
                self.take.turn()
            except Exception as error:
                self.failed = error

    def close(self):
        self.take.close()
        super().close()


def handed_over(trial):
    """The last word of a journal, as far as it is a handover."""
    return last_word(trial.folder)["handed_over"]


def asked(handing, step, **more):
    """One step, said as who takes over says it."""
    said = {"do": "hand_over", "step": step, "id": "1"}
    if step == "ask":
        said |= {"to": "green.journal", "who": "ann", "why": "wider"}
    return handing.obey(said | more)
