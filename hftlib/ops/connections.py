"""A runner's sockets: the lines that it hears, and connections made beside the hot thread.

    intakes = listening(Place([line_a, line_b], recovery))      one feed's, LINES_EACH of them
    dialler = Dialler(live.links, lanes, [Door(...), ...])
    dialler.turn()              what the hot thread wants is dialled, what stands is handed to it
    dialler.why[n]              why the last attempt of a link failed; empty: none, or it did not

Nobody may wait for a connection in the hot thread, so it counts up `dials` of a link, and is given
a descriptor by one word of its lane. Worst case: a connection is made some milliseconds after it
was asked for; one that nobody answers is given up by the kernel, and asked for again.
"""

from __future__ import annotations

import errno
import os
import select
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.soup import sockets
from hftlib.engine.live.laying import Live
from hftlib.engine.live.memory import LINES_EACH
from hftlib.feed.mold import memory as mold
from hftlib.feed.mold import sockets as lines

DATAGRAM_BYTES = 9_216
Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a feed comes from: one or two lines, and who is asked for what was lost."""

    lines: Sequence[sockets.Address]
    recovery: sockets.Address | None = None
    interface: str = ""


@dataclass(frozen=True, slots=True)
class Door:
    """Where a link leads to."""

    address: sockets.Address
    password: str


def card(said: str, leads_to: sockets.Address) -> str:
    """The address of the card to join a feed through: what the exchange said, where that is ours.

    An exchange on another host names its own card; ours is the one that leads there.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        try:
            own.bind((said, 0))
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                with suppress(OSError):  # what leads nowhere is refused where it is joined
                    own.connect(leads_to)
                    return str(own.getsockname()[0])
    return said


def require_one_each(live: Live, places: Sequence[Place], doors: Sequence[Door]) -> None:
    """The hot thread looks at the sockets of each feed, and at the lane of each link."""
    for name, given, what, wanted, empty in (
        ("places", len(places), "feed", len(live.feeds), "Place([]) hears nothing"),
        ("doors", len(doors), "link", len(live.links), 'Door(("", 0), "") leads nowhere'),
    ):
        if given != wanted:
            raise InputError(
                f"{given} {name} are given for {wanted} {what}{'s' * (wanted != 1)}",
                where=f"Runner({name}=...)",
                do=f"Give one for each; {empty}.",
            )


def listening(place: Place) -> list[lines.Intake]:
    """The sockets of one feed, by line; an intake without a socket where there is none."""
    own: list[socket.socket | None] = [None] * LINES_EACH
    for n, address in enumerate(place.lines):
        own[n] = lines.listening(address, place.interface)
    if place.recovery is not None:
        own[mold.LINE_RECOVERY] = lines.asking(place.recovery)
    return [lines.Intake(one, DATAGRAM_BYTES) for one in own]


class Dialler:
    """Connections of all links."""

    def __init__(self, links: Array, lanes: Array, doors: Sequence[Door]) -> None:
        self._links, self._lanes, self._doors = links, lanes, doors
        self._dialled = [int(link["dials"]) for link in links]
        self._dialling: dict[int, socket.socket] = {}
        self.why = [""] * len(doors)
        self.is_held = False  # nobody is dialled: another runner still has the accounts

    def turn(self) -> None:
        """Dial where a connection is wanted; hand over those that stand."""
        for n, link in enumerate(self._links):
            if self.is_held:
                self._dialled[n] = int(link["dials"])
            if int(link["dials"]) != self._dialled[n]:
                self._dialled[n] = int(link["dials"])
                self._forget(n)
                self._dialling[n] = sockets.dialling(self._doors[n].address)
            own = self._dialling.get(n)
            if own is None or not select.select([], [own], [], 0)[1]:
                continue
            failed = own.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            self.why[n] = os.strerror(failed) if failed else ""
            if failed:
                self._forget(n)
            descriptor = -1 if failed else self._dialling.pop(n).detach()
            self._lanes["given"][n] = descriptor

    def close(self) -> None:
        for n in list(self._dialling):
            self._forget(n)

    def _forget(self, n: int) -> None:
        own = self._dialling.pop(n, None)
        if own is not None:
            own.close()


def close_lanes(lanes: np.ndarray[Any, Any]) -> None:
    """Hang up wherever a connection stands."""
    for lane in lanes:
        if lane["descriptor"] >= 0:
            os.close(int(lane["descriptor"]))
            lane["descriptor"] = -1
