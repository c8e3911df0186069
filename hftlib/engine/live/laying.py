"""A runner's memory laid out: the session, its feeds and its links, joined in LIVE.

    live = Live(session, feeds=[FeedPlan(...)], links=[LinkPlan(...)])
    live.take(DATAGRAM, source, time, payload)     one frame; the bytes that go out are in `outputs`

Plans are plain values, which a journal's first frame keeps: a replay lays out the same memory.
Worst case: an instrument that no feed or two feeds tell of is refused with a sentence.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.journal.kinds import DATAGRAM_OUT, SESSION_OUT
from hftlib.core.journal.kinds import SHADOW as SHADOW_OUT
from hftlib.core.records import rounded_up
from hftlib.core.soup import frames
from hftlib.core.soup import laying as soup_laying
from hftlib.engine.live import memory as m
from hftlib.engine.live.doors import open_doors
from hftlib.engine.live.shadow_laying import Shadow, ShadowPlan
from hftlib.engine.live.taking import take
from hftlib.engine.session import Session
from hftlib.execution.ouch import laying as gateway_laying
from hftlib.execution.ouch.gateway import SETTINGS
from hftlib.execution.ouch.memory import GATEWAY, OPEN
from hftlib.feed.itch.tables import LOCATES
from hftlib.feed.itch.translate import Translator
from hftlib.feed.mold.sequencer import Sequencer

Output = tuple[int, int, bytes]  # kind, source, bytes


@dataclass(frozen=True, slots=True)
class FeedPlan:
    """One feed of ITCH 5.0 in MoldUDP64: whose it is, and from which midnight its times count."""

    venue: str
    midnight_ns: int
    has_recovery: bool = True
    session: str = ""


@dataclass(frozen=True, slots=True)
class LinkPlan:
    """One session of OUCH 5.0; its password is no part of what is decided."""

    venue: str
    user: str
    midnight_ns: int
    session: str = ""
    firm: str = ""
    cancel_on_disconnect: bool = True


class Live:
    """The memory of a runner."""

    def __init__(
        self,
        session: Session,
        feeds: Sequence[FeedPlan],
        links: Sequence[LinkPlan],
        shadows: Sequence[ShadowPlan] = (),
    ) -> None:
        """With `shadows`, one for each link, models of venues answer, and no link is dialled."""
        self.session = session
        self._feeds, self._links = list(feeds), list(links)
        _require_room(feeds, links)
        self.sequencers = [sequencer_of(one) for one in feeds]
        self.translators = [translator_of(one) for one in feeds]
        self._gateways = [_gateway(session, one) for one in links]
        # From the newest message on: what was said before, to another journal, is none of ours.
        self._clients = [soup_laying.client_memory(0, one.session) for one in links]
        told = [[one.venue for one in each] for each in (feeds, links)]
        self.shadow = Shadow(session, shadows, *told) if shadows else None
        self._lay()

    def _lay(self) -> None:
        table = list(self.session.instruments)
        count, places = len(table), {}
        out_bytes = m.SHADOW_OUT_BYTES if self.shadow else m.OUT_BYTES
        size = m.LIVE.itemsize
        parts = {
            "feeds": len(self._feeds) * m.FEED_BYTES,
            "links": len(self._links) * m.LINK_BYTES,
            "feed_of": 8 * count,
            "link_of": 8 * count,
            "symbols": 8 * count,
            "rows": 8 * LOCATES * len(self._feeds),
            "out": out_bytes * len(self._links),
        }
        for name, length in parts.items():
            places[name] = size
            size += rounded_up(length, 64)
        self._memory = np.zeros(size // 8, np.int64).view(np.uint8)
        self.address = int(self._memory.ctypes.data)
        header = self.header
        header["feeds"], header["links"] = len(self._feeds), len(self._links)
        header["instruments"] = count
        for name in ("feeds", "links", "feed_of", "link_of", "symbols"):
            header[f"{name}_at"] = places[name]
        feed_of = [
            _one([n for n, f in enumerate(self._feeds) if f.venue == i.venue], i) for i in table
        ]
        link_of = [[n for n, k in enumerate(self._links) if k.venue == i.venue] for i in table]
        self._words("feed_of", places, count)[:] = feed_of
        self._words("link_of", places, count)[:] = [one[0] if one else -1 for one in link_of]
        symbols = b"".join(one.symbol.encode("ascii", "replace")[:8].ljust(8) for one in table)
        self._words("symbols", places, count)[:] = np.frombuffer(symbols, np.int64)
        self._words("rows", places, LOCATES * len(self._feeds))[:] = m.NOT_LOOKED
        for n, row in enumerate(self.feeds):
            row["rows_at"] = places["rows"] + 8 * LOCATES * n
        for n, row in enumerate(self.links):
            row["out_at"] = places["out"] + out_bytes * n
            plan = self._links[n]
            login = frames.login(plan.user, "", plan.session, 0)
            row["login"][: len(login)] = np.frombuffer(login, np.uint8)
        header["out_kind"] = SESSION_OUT
        cut_off = self.session.arena["rules"]["cut_off"]
        cut_off[:count] = self._words("link_of", places, count) >= 0  # until a session says other
        if self.shadow is not None:
            header["out_kind"], cut_off[:count] = SHADOW_OUT, 0
            for n in range(len(self._links)):
                self.gateway(n)["state"] = OPEN
        self.join()

    def join(self) -> None:
        """Where everything lies: addresses, which hold in this process."""
        header = self.header
        header["session"] = self.session.address
        for n, row in enumerate(self.feeds):
            row["sequencer"] = self.sequencers[n].address
            row["translator"] = self.translators[n].address
        for n, row in enumerate(self.links):
            row["gateway"] = self._gateways[n].ctypes.data
            row["client"] = self._clients[n].ctypes.data
        open_doors(header)
        if self.shadow is not None:
            self.shadow.join()
            header["shadow"], header["submit"] = self.shadow.address, 0  # nobody is told

    def pieces(self) -> dict[str, np.ndarray[Any, Any]]:
        """All memory that a decision can hang on, as bytes: what `join` writes in is as old as
        the process, and so is a strategy's context, which `session.connect` writes."""
        found = {"live": self._memory, "session": self.session.arena.state}
        for n in range(len(self._feeds)):
            found[f"sequencer {n}"] = self.sequencers[n].memory
            found[f"translator {n}"] = self.translators[n].arena.state
        for n in range(len(self._links)):
            found[f"gateway {n}"], found[f"client {n}"] = self._gateways[n], self._clients[n]
        return found | (self.shadow.pieces() if self.shadow is not None else {})

    def _words(self, name: str, places: dict[str, int], count: int) -> Any:
        return self._memory[places[name] : places[name] + 8 * count].view(np.int64)

    @property
    def header(self) -> Any:
        """The LIVE record."""
        return self._memory[: m.LIVE.itemsize].view(m.LIVE)[0]

    @property
    def feeds(self) -> np.ndarray[Any, Any]:
        begin = int(self.header["feeds_at"])
        return self._memory[begin : begin + len(self._feeds) * m.FEED_BYTES].view(m.FEED)

    @property
    def links(self) -> np.ndarray[Any, Any]:
        begin = int(self.header["links_at"])
        return self._memory[begin : begin + len(self._links) * m.LINK_BYTES].view(m.LINK)

    def gateway(self, n: int) -> Any:
        """The GATEWAY record of a link."""
        return self._gateways[n][: GATEWAY.itemsize].view(GATEWAY)[0]

    def take(self, kind: int, source: int, time: int, payload: bytes) -> int:
        """One frame through the tick path: 0, or why a runner must stop."""
        data = np.frombuffer(payload or b"\0", np.uint8)
        return int(take(self.address, kind, source, time, data.ctypes.data, len(payload)))

    def outputs(self) -> Iterator[Output]:
        """What goes out because of it, in the order in which a driver journals it."""
        for n, link in enumerate(self.links):
            if link["out_bytes"]:
                place = self.address + int(link["out_at"])
                yield (
                    int(self.header["out_kind"]),
                    n,
                    ctypes.string_at(place, int(link["out_bytes"])),
                )
                link["out_bytes"] = 0
        for n, feed in enumerate(self.feeds):
            if feed["request_bytes"]:
                yield DATAGRAM_OUT, n, feed["request"][: int(feed["request_bytes"])].tobytes()
                feed["request_bytes"] = 0


def sequencer_of(plan: FeedPlan) -> Sequencer:
    """Of a session that is named, from its first message on: what was missed is asked for."""
    if not plan.session:
        return Sequencer(recovery=plan.has_recovery)
    return Sequencer(recovery=plan.has_recovery, session=plan.session, first_sequence=1)


def translator_of(plan: FeedPlan) -> Translator:
    date = datetime.fromtimestamp(plan.midnight_ns / 1e9, UTC).date().isoformat()
    made = Translator(date=date, zone="UTC", venue=plan.venue)
    made.arena["translator"]["midnight"] = plan.midnight_ns
    return made


def _gateway(session: Session, plan: LinkPlan) -> np.ndarray[Any, Any]:
    return gateway_laying.gateway_memory(
        session.instruments,
        venue=plan.venue,
        firm=plan.firm,
        capacity="P",
        is_dropping=plan.cancel_on_disconnect,
        is_reducing=True,
        **{**SETTINGS, "day_start": plan.midnight_ns},
    )


def _one(found: list[int], instrument: Any) -> int:
    if len(found) != 1:
        told = "no feed tells" if not found else f"{len(found)} feeds tell"
        raise InputError(
            f"Of {instrument.symbol} of {instrument.venue} {told}",
            where="Live(session, feeds, links)",
            do="Give one feed for each venue of the instruments.",
        )
    return found[0]


def _require_room(feeds: Sequence[FeedPlan], links: Sequence[LinkPlan]) -> None:
    for what, given, most in (("feeds", feeds, m.FEEDS_MAX), ("links", links, m.LINKS_MAX)):
        if not 1 <= len(given) <= most:
            raise InputError(
                f"{len(given)} {what} are too {'many' if given else 'few'} for a runner",
                where="Live(session, feeds, links)",
                do=f"Give 1 to {most}.",
            )
