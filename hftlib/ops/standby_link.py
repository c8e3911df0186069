"""A runner's end of its standby: a thread that ships frames, and says what the standby has.

    link = Link(journal, plan)     plan: where, the secret, what to do where it is lost
    link.begin()                   the standby has the same journal up to somewhere, or a sentence
    link.told                      for `hft status`
    link.finish()                  the journal was closed: so is the copy

It reads the mapped segments beside the hot thread, which knows nothing of it: what moves is the
`durable` of the journal's writer, and with it what may leave (`engine/live/outgoing.py`).

    AWAY ─ dials, has the same bytes ─▶ SHIPS ─ all is there ─▶ (back to "replicated")
      ▲ └ refused for good ─▶ OVER        │ no ACK for `patience_s`:
      └────── connection lost ────────────┘    stop: OVER      degrade: "power" until it is back

OVER is for good: nothing is appended any more, so nothing leaves, and the runner says why. So it
is where the standby was told to take over, whatever else was said.

Worst case: Python with the GIL, in which the runner draws its table: some milliseconds, in which
orders wait. A standby that is found lost is so at most DIAL_S later.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from hftlib.core.errors import HftError
from hftlib.core.journal.layout import PAGE_BYTES
from hftlib.core.journal.replicating import Replication
from hftlib.core.journal.scanning import MORE, NOTHING
from hftlib.core.journal.walking import STEP_FRAMES, Walk
from hftlib.core.journal.writing import Journal
from hftlib.core.ring import Ring, ring_dtype
from hftlib.engine.live.hot_memory import NOTE, NOTE_TEXT_BYTES
from hftlib.ops import standby_wire as w
from hftlib.ops.host_asking import prompt_sleep
from hftlib.ops.standby_meeting import STOP, Plan, RefusedError, meet, refusal, refused

FALLS_TO = "power"
REDIAL_S, REFUSED_S, BEAT_S, END_S = 0.1, 2.0, 0.25, 5.0
LOOK_S, REST_S, LIVELY_S = 0.00005, 0.0002, 0.005
NEAR = 256  # so few frames behind, it has all
NOTES_MAX = 16
AWAY, SHIPS, OVER = "away", "ships", "over"


class Link:
    """Between a runner and its standby; one thread after `begin`."""

    def __init__(self, journal: Journal, plan: Plan) -> None:
        self._journal, self.plan, self._tells = journal, plan, Replication(journal)
        self._notes_memory = np.zeros(1, ring_dtype(NOTE, NOTES_MAX))
        self.notes = Ring(self._notes_memory)
        self.state, self.why, self.dials = AWAY, "", 0
        self._wire: w.Wire | None = None
        self._walk: Walk | None = None
        self._out: deque[w.Buffer] = deque()
        self._under_way: deque[tuple[int, int]] = deque()
        self._seals: deque[tuple[int, str]] = deque()
        self._round_trip_ns = 0
        self._moved = self._beat = time.monotonic()
        self._redial_at = self._lively = 0.0
        self._is_ending = self._has_said_end = self._stopping = False
        self._has_ended = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Meet it, once; a sentence where it cannot be. Then go on beside the runner."""
        self._meet()
        self._thread = threading.Thread(target=self._run, name="hft standby", daemon=True)
        self._thread.start()

    def finish(self, turn: Callable[[], Any] = lambda: None) -> str:
        """The journal is closed: wait until the copy is; why it is not, or nothing."""
        self._is_ending, until = True, time.monotonic() + END_S
        while self._thread is not None and self.state != OVER and time.monotonic() < until:
            if self._has_ended.wait(0.02):
                break
            turn()
        self._stopping = True
        if self._thread is not None:
            self._thread.join()
        self._hang_up("")
        if not self._has_ended.is_set() and not self.why:
            self.why = f"the standby has {self._tells.acknowledged:,} frames, and did not close"
        return "" if self._has_ended.is_set() else self.why

    @property
    def told(self) -> dict[str, Any]:
        """How it stands."""
        lag = self._tells.sequence - self._tells.acknowledged
        age_ns = int((time.monotonic() - self._moved) * 1e9)
        with suppress(IndexError):  # of what is under way; else since it moved last
            age_ns = time.monotonic_ns() - self._under_way[0][1]
        return {
            "address": self.plan.name,
            "state": self.state,
            "durability": self._tells.durability,
            "lost": self.plan.lost,
            "epoch": self.plan.epoch,
            "acknowledged": self._tells.acknowledged,
            "lag_frames": max(0, lag),
            "lag_ns": max(0, age_ns) if lag > 0 else 0,
            "round_trip_ns": self._round_trip_ns,
            "dials": self.dials,
            "why": self.why,
        }

    def _run(self) -> None:
        prompt_sleep()
        try:
            while not self._stopping and self.state != OVER and not self._has_ended.is_set():
                self._turn()
        except Exception as error:  # nobody waits for this thread: what is held stays held
            self._over(f"the link to the standby failed: {type(error).__name__}: {error}")

    def _turn(self) -> None:
        self._look_after()
        if self.state == AWAY:
            self._dial()
            return
        try:
            did = self._ship()
            self._leave_and_hear(did)
        except RefusedError as error:
            self._refused(error)
        except (OSError, HftError) as error:
            self._hang_up(
                error.what if isinstance(error, HftError) else str(error.strerror or error)
            )

    def _look_after(self) -> None:
        """Whether it is lost, or has come back."""
        tells, now = self._tells, time.monotonic()
        lag = tells.sequence - tells.acknowledged
        if lag <= 0:
            self._moved = now
        elif now - self._moved > self.plan.patience_s and tells.durability == "replicated":
            why = f"the standby {self.plan.name} has said nothing for {now - self._moved:,.1f} s"
            why += f": {self.why}" if self.why else ""
            if self.plan.lost == STOP:
                self._over(why)
            else:
                tells.turn_to(FALLS_TO)
                self._note(f"durability {FALLS_TO}: {why}")
        if tells.durability != "replicated" and self.state == SHIPS and lag <= NEAR:
            tells.turn_to("replicated")
            self._note(f"durability replicated: the standby {self.plan.name} has all again")

    def _note(self, text: str) -> None:
        """Into the journal, by the hot thread; of a ring that is full it is told by status."""
        held = text.encode()[:NOTE_TEXT_BYTES].decode(errors="ignore").encode()
        row = np.zeros(1, NOTE)
        row["length"], row["text"] = len(held), held
        self.notes.push(row[0])

    def _dial(self) -> None:
        if time.monotonic() < self._redial_at:
            time.sleep(REST_S)
            return
        try:
            self._meet()
        except RefusedError as error:
            self._refused(error)
        except HftError as error:
            self._hang_up(error.what)

    def _over(self, why: str) -> None:
        self.state, self.why = OVER, why
        self._tells.give_up(why)

    def _refused(self, error: RefusedError) -> None:
        """It will never take frames of ours; without a standby there is still `degrade`."""
        if error.fenced or self.plan.lost == STOP:
            self._over(f"the standby {self.plan.name} refuses: {error.what}")
        self._hang_up(error.what)
        self._redial_at += REFUSED_S

    def _hang_up(self, why: str) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()
        self._out.clear()
        self._under_way.clear()
        self._redial_at = time.monotonic() + REDIAL_S
        if self.state != OVER:
            self.state, self.why = AWAY, why

    def _meet(self) -> None:
        """Dial, know each other, and have the same journal up to where the copy ends."""
        self.dials += 1
        found = meet(self.plan, self._journal, self._tells.sequence)
        self._wire, self._walk, self._seals = found.wire, found.walk, found.seals
        self.state, self.why, self._has_said_end = SHIPS, "", False
        self._moved = self._beat = time.monotonic()
        self._tells.acknowledge(found.after)

    def _ship(self) -> bool:
        """Have the next frames on their way; whether there were any."""
        walk, wire = self._walk, self._wire
        assert walk is not None and wire is not None
        if self._out:
            return False
        here = walk.place
        most = STEP_FRAMES
        if self._seals:
            sequence, head = self._seals[0]
            if here.sequence > sequence:
                self._seals.popleft()
                self._out.extend(wire.packed(w.SEAL, w.as_json(head=head)))
                return True
            most = min(most, sequence - here.sequence + 1)
        if here.sequence > self._tells.sequence and not self._is_ending:
            return self._keep_up(wire)
        stop = walk.step(most)
        if stop == MORE:
            now = walk.place
            begin = here.position if now.segment == here.segment else PAGE_BYTES
            held = walk.segment.view(begin, now.position)
            self._out.extend(wire.packed(w.FRAMES, w.PLACE.pack(now.segment, begin), held))
            self._under_way.append((now.sequence - 1, time.monotonic_ns()))
            self._beat = time.monotonic()
            self._lively = self._beat + LIVELY_S
            return True
        if stop != NOTHING:
            raise refusal(self.plan, f"the journal is damaged: {walk.damage()}")
        if self._is_ending and here.sequence > self._tells.sequence:
            self._end(wire)
        return self._keep_up(wire)

    def _end(self, wire: w.Wire) -> None:
        """All frames are shipped, and there will be none more."""
        if not self._has_said_end:
            self._has_said_end = True
            head, last = self._journal.head.hex(), self._tells.sequence
            self._out.extend(wire.packed(w.END, w.as_json(head=head, sequence=last)))

    def _keep_up(self, wire: w.Wire) -> bool:
        """Nothing is new: a BEAT now and then, so that both know the other is there."""
        now = time.monotonic()
        if now - self._beat > BEAT_S and not self._has_said_end:
            self._beat = now
            self._out.extend(wire.packed(w.BEAT))
        return False

    def _leave_and_hear(self, did: bool) -> None:
        """What goes, and what comes back; a short sleep where there is neither."""
        wire = self._wire
        assert wire is not None
        if self._out:
            gone = 0
            with suppress(BlockingIOError):
                gone = wire.socket.sendmsg(list(self._out)[:16])
            w.taken(self._out, gone)
        waits = bool(self._under_way) or self._has_said_end
        if waits or self._out:
            seconds = 0.0 if did and not self._out else LOOK_S
            ready = select.select([wire.socket], [wire.socket] if self._out else [], [], seconds)[0]
            if not ready:
                return
        elif not did:
            time.sleep(LOOK_S if time.monotonic() < self._lively else REST_S)
        with suppress(BlockingIOError):
            data = wire.socket.recv(1 << 16, socket.MSG_DONTWAIT)
            if not data:
                raise wire.wrong("it hung up")
            wire.feed(data)
            while (found := wire.next()) is not None:
                self._heard(wire, *found)

    def _heard(self, wire: w.Wire, kind: int, payload: bytes) -> None:
        if kind == w.REFUSED:
            raise refused(self.plan, wire, payload)
        if kind == w.ENDED and self._has_said_end:
            self._has_ended.set()
            return
        if kind != w.ACK or len(payload) != w.PLACE.size:
            raise wire.wrong("an answer is out of place")
        walk, (sequence, _epoch) = self._walk, w.PLACE.unpack(payload)
        if walk is None or not self._tells.acknowledged <= sequence < walk.place.sequence:
            raise wire.wrong("it acknowledges what was not sent")
        if sequence > self._tells.acknowledged:
            self._tells.acknowledge(sequence)
            self._moved = time.monotonic()
        while self._under_way and self._under_way[0][0] <= sequence:
            self._round_trip_ns = time.monotonic_ns() - self._under_way.popleft()[1]
