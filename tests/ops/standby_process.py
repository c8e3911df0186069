"""A standby in a process of its own, and a runner beside an exchange that it follows.

with Child(folder) as standby:            forked: what it needs is compiled already
    standby.plan(); standby.kill(); standby.promote()
"""

from __future__ import annotations

import json
import os
import select
import signal
import time
from pathlib import Path

from floor_trial import Resumed, Trial

from hftlib.core.control.asking import told
from hftlib.core.control.serving import Control
from hftlib.ops.runner import Runner
from hftlib.ops.standby import Standby
from hftlib.ops.standby_meeting import Plan

READY_S = 20.0


class Child:
    """One standby; `port` is the same after it was begun again."""

    def __init__(self, folder: Path, port: int = 0, secret: bytes = b"", synced: bool = False):
        self.folder, self.port, self.secret, self.synced = folder, port, secret, synced
        self.socket = folder.parent / f"{folder.name}.socket"
        self.process = 0
        self.said = folder.parent / f"{folder.name}.said"
        self.begin()

    def begin(self) -> Child:
        read, write = os.pipe()
        self.process = os.fork()
        if self.process == 0:
            os.dup2(write, 3)
            os.closerange(4, 1024)  # sockets of the exchange, and of a runner
            code = 1
            try:
                self._serve(3)
                code = 0
            except BaseException:
                import traceback

                traceback.print_exc()
            finally:
                os._exit(code)
        os.close(write)
        assert select.select([read], [], [], READY_S)[0], "the standby says nothing"
        self.port = int(os.read(read, 16) or b"0")
        os.close(read)
        assert self.port, self.words
        return self

    def _serve(self, out: int) -> None:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(7))

        def say(what, more):
            with self.said.open("a") as file:
                file.write(json.dumps({"what": what} | more) + "\n")

        place = ("127.0.0.1", self.port)
        usual = {"synced": self.synced, "control": str(self.socket), "say": say}
        made = Standby(self.folder, place, self.secret, **usual)

        def obey(said):
            return {"epoch": made.promote().epoch} if said["do"] == "promote" else made.status

        ears = Control(self.socket, obey)
        os.write(out, str(made.place[1]).encode())
        os.close(out)
        while not made.is_over:
            made.turn()
            ears.poll()

    @property
    def words(self) -> list[dict]:
        """What it said so far."""
        text = self.said.read_text() if self.said.exists() else ""
        return [json.loads(line) for line in text.splitlines()]

    def plan(self, **more) -> Plan:
        return Plan(("127.0.0.1", self.port), **({"secret": self.secret} | more))

    def ask(self, do: str) -> dict:
        return told(self.socket, {"do": do}, "standby")

    def kill(self, number: int = signal.SIGKILL) -> Path:
        if self.process:
            os.kill(self.process, number)
            os.waitpid(self.process, 0)
            self.process = 0
        return self.folder

    def ended(self, seconds: float = 10.0) -> int:
        """Its code, once it ended by itself."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found, status = os.waitpid(self.process, os.WNOHANG)
            if found:
                self.process = 0
                return status
            time.sleep(0.01)
        raise AssertionError(f"the standby goes on: {self.words[-3:]}")

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_failure) -> None:
        self.kill()


class Followed(Trial):
    """A runner whose journal a standby follows."""

    def __init__(self, floor, folder, plan: Plan, **more) -> None:
        super().__init__(floor, folder, durability="replicated", followed=True, **more)
        self.runner.follow(plan)

    @property
    def link(self):
        return self.runner.standby


def begun(made) -> Runner:
    """The same once it is logged in and hears the feed."""
    floor = made.floor
    made.runner.start()
    floor.until(lambda: made.runner.live.gateway(0)["state"] == 3)
    floor.until(lambda: made.runner.live.sequencers[0].state == "LIVE")
    return made


def resumed(floor, folder, plan: Plan | None, durability: str = "") -> Resumed:
    """A day gone on with, followed again, or without a standby."""
    made = Resumed(floor, folder)
    if plan is not None:
        made.runner.follow(plan)
    else:
        from hftlib.core.journal.replicating import Replication

        Replication(made.runner.journal).turn_to(durability)
    made.runner.start()
    floor.until(lambda: made.recovery.is_over)
    return made
