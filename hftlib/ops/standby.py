"""A standby: keeps a copy of a runner's journal, and says how far it has it.

    standby = Standby(folder, ("127.0.0.1", 7700), secret, synced=True, say=say)
    while not standby.is_over: standby.turn()
    standby.promote(); standby.status; standby.close()

    each turn   who comes ─▶ HELLO    what came ─▶ frames into the copy ─▶ sync ─▶ one ACK of all

Groups come by themselves: what was sent while the last one was put down, or was synced, is the
next. One runner is followed at a time, the one who knew the journal and the secret last.

    a Peer   NEW ─ OFFER ─▶ OFFERED ─ FOLLOW ─▶ FOLLOWED ─ END ─▶ over
                 └ what is wrong with it is told to it and to us, and it is let go

Worst case: PEERS_MAX connections, each let go where it says nothing for SILENCE_S, and sooner while
nobody knows who it is; a disk that syncs slowly makes each group as large as it is slow.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hftlib.core import clock
from hftlib.core.errors import HftError
from hftlib.ops import epochs
from hftlib.ops import standby_wire as w
from hftlib.ops.standby_keeping import FencedError, Keeping, Say

PEERS_MAX = 8
STRANGER_S, SILENCE_S, WAIT_MS, SAY_S = 3.0, 10.0, 20, 0.5
READ_BYTES, READS_MAX = 1 << 18, 16
NEW, OFFERED, FOLLOWED = "new", "offered", "followed"


@dataclass(slots=True)
class _Peer:
    wire: w.Wire
    heard: float
    state: str = NEW
    epoch: int = 0


class Standby:
    """Listens once it is made; `turn` it until `is_over`."""

    def __init__(
        self,
        folder: Path,
        place: tuple[str, int],
        secret: bytes = b"",
        *,
        synced: bool = False,
        control: str = "",
        say: Say = lambda _what, _more: None,
    ) -> None:
        self._secret, self._say, self._heard_ns = secret, say, 0
        self._peers: dict[int, _Peer] = {}
        self._door = w.listening(place)
        try:
            self.keeps = Keeping(folder, synced, control, say)
        except BaseException:
            self._door.close()
            raise
        self._poll = select.poll()
        self._poll.register(self._door, select.POLLIN)

    @property
    def place(self) -> tuple[str, int]:
        """Where it listens."""
        host, port = self._door.getsockname()[:2]
        return str(host), int(port)

    @property
    def is_over(self) -> bool:
        """Whether the journal was closed, and its copy with it."""
        return self.keeps.is_over

    @property
    def status(self) -> dict[str, Any]:
        """What it is and has now."""
        keeps = self.keeps
        follows = [one.wire.other for one in self._peers.values() if one.state == FOLLOWED]
        return {
            "listens": "{}:{}".format(*self.place),
            "copy": str(keeps.folder),
            "epoch": keeps.epoch.epoch,
            "role": keeps.epoch.role,
            "sequence": keeps.sequence,
            "acknowledged": keeps.acknowledged,
            "follows": follows[0] if follows else "",
            "heard_ns": self._heard_ns,
            "time_ns": clock.now_ns(),
            "synced": keeps.synced,
            "why": keeps.why or (keeps.copy.why if keeps.copy is not None else ""),
        }

    def turn(self, wait_ms: int = WAIT_MS) -> None:
        """Whoever came, and what each has to say."""
        for descriptor, _ in self._poll.poll(wait_ms):
            if descriptor == self._door.fileno():
                self._accept()
            elif descriptor in self._peers:
                self._guarded(descriptor, self._hear)
        now = time.monotonic()
        for descriptor, peer in list(self._peers.items()):
            if now - peer.heard > (SILENCE_S if peer.state == FOLLOWED else STRANGER_S):
                self._part(descriptor, "it says nothing")

    def promote(self) -> epochs.Epoch:
        """Take over: the copy is a journal of its own, and its runner sends nothing any more."""
        made = self.keeps.promote()
        for descriptor in list(self._peers):
            self._refuse(descriptor, self.keeps.fenced())
        return made

    def close(self) -> None:
        """Let go of all; the copy goes on where it is when another standby takes it up."""
        for descriptor in list(self._peers):
            self._part(descriptor, "")
        self._door.close()
        self.keeps.close()

    def _accept(self) -> None:
        try:
            own, other = self._door.accept()
        except OSError:
            return
        who = f"{other[0]}:{other[1]}"
        if len(self._peers) >= PEERS_MAX:
            own.close()
            self._say("refused", {"who": who, "why": "too many are here"})
            return
        own.settimeout(SAY_S)  # for what we say, which is little
        own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire = w.Wire(own, self._secret, False, who)
        self._peers[own.fileno()] = _Peer(wire, time.monotonic())
        self._poll.register(own, select.POLLIN)
        self._guarded(
            own.fileno(),
            lambda _, peer: peer.wire.tell(
                w.HELLO, protocol=w.PROTOCOL, nonce=peer.wire.nonce.hex()
            ),
        )

    def _guarded(self, descriptor: int, work: Callable[[int, _Peer], None]) -> None:
        """What goes wrong with one who came is told, and ends nothing but its connection."""
        try:
            work(descriptor, self._peers[descriptor])
        except HftError as error:
            self._refuse(descriptor, error)
        except OSError as error:
            self._part(descriptor, f"the connection is lost: {error.strerror or error}")

    def _hear(self, descriptor: int, peer: _Peer) -> None:
        """All that has come of it, and then one answer."""
        peer.heard, answers = time.monotonic(), False
        for _ in range(READS_MAX):
            try:
                data = peer.wire.socket.recv(READ_BYTES, socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
            if not data:
                self._part(descriptor, "it hung up")
                return
            peer.wire.feed(data)
            while descriptor in self._peers and (found := peer.wire.next()) is not None:
                answers |= self._take(descriptor, peer, *found)
            if descriptor not in self._peers or len(data) < READ_BYTES:
                break
        if answers and descriptor in self._peers:
            last = self.keeps.acknowledge()
            self._heard_ns = clock.now_ns()
            peer.wire.say(w.ACK, w.PLACE.pack(last, self.keeps.epoch.epoch))

    def _take(self, descriptor: int, peer: _Peer, kind: int, payload: bytes) -> bool:
        """One message; whether it wants an ACK."""
        wire, keeps = peer.wire, self.keeps
        if kind == w.REFUSED:
            why = w.said(wire, payload, why=str)["why"]
            self._part(descriptor, f"it refuses us: {why[:200]}")
        elif peer.state == NEW and kind == w.OFFER:
            self._offered(peer, payload)
        elif peer.state == OFFERED and kind == w.FOLLOW:
            self._follow(descriptor, peer)
        elif peer.state != FOLLOWED or keeps.copy is None:
            raise wire.wrong("it says something before it is known")
        elif kind == w.FRAMES and len(payload) >= w.PLACE.size:
            segment, begin = w.PLACE.unpack_from(payload)
            keeps.copy.take(segment, begin, memoryview(payload)[w.PLACE.size :])
            return True
        elif kind == w.BEAT:
            return True
        elif kind == w.SEAL:
            keeps.seal(**w.said(wire, payload, head=str))
        elif kind == w.END:
            head = keeps.end(**w.said(wire, payload, head=str, sequence=int))
            wire.tell(w.ENDED, head=head)
            self._say("over", {"frames": keeps.acknowledged, "head": head})
        else:
            raise wire.wrong("a message is out of place")
        return False

    def _offered(self, peer: _Peer, payload: bytes) -> None:
        """Somebody who knows the secret, with the journal that it has."""
        kinds: dict[str, type] = {"protocol": int, "epoch": int, "header": str, "probe": bool}
        told = w.said(peer.wire, payload, **kinds)
        if told["protocol"] != w.PROTOCOL:
            raise peer.wire.wrong(f"it has protocol {told['protocol']}, and we {w.PROTOCOL}")
        standing = self.keeps.offered(told)
        if self.keeps.copy is not None:
            peer.state, peer.epoch = OFFERED, told["epoch"]
            peer.wire.length_max = self.keeps.copy.session.segment_bytes + w.PLACE.size
        peer.wire.tell(w.STANDS, epoch=self.keeps.epoch.epoch, standing=standing)

    def _follow(self, descriptor: int, peer: _Peer) -> None:
        for other, one in list(self._peers.items()):
            if other != descriptor and one.state == FOLLOWED:
                self._part(other, "its runner came anew")
        peer.state = FOLLOWED
        self.keeps.followed(peer.epoch)
        more = {"after": self.keeps.sequence, "epoch": self.keeps.epoch.epoch}
        self._say("follows", {"who": peer.wire.other} | more)

    def _refuse(self, descriptor: int, error: HftError) -> None:
        peer = self._peers.get(descriptor)
        if peer is not None:
            with suppress(OSError):  # it may be gone
                is_fenced = isinstance(error, FencedError)
                peer.wire.tell(w.REFUSED, why=error.what, fenced=is_fenced)
            self._part(descriptor, error.what, "refused")

    def _part(self, descriptor: int, why: str, what: str = "parted") -> None:
        peer = self._peers.pop(descriptor, None)
        if peer is not None:
            self._poll.unregister(descriptor)
            peer.wire.close()
            if why and (peer.state != NEW or what == "refused"):
                self._say(what, {"who": peer.wire.other, "why": why})
