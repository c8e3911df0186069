"""A runner and its standby meet: who each is, and that both have the same journal up to somewhere.

    plan = planned(...)             what was given, or a sentence
    probe(plan)                     a standby is there that would follow a new journal
    found = meet(plan, journal, last)     found.wire, found.walk: the frames that it lacks

The standby says where its copy ends and what it is up to there; the runner holds that beside its
own journal (`core/journal/replicating.py`), and says whether it goes on. A copy of another journal,
one that was changed, and one that has more than the journal are refused, each with a sentence.

Worst case: DIAL_S until a connection is made, ANSWER_S for each answer.
"""

from __future__ import annotations

import json
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from hftlib.core.errors import HftError, InputError, StateError
from hftlib.core.units import shown
from hftlib.ops import standby_wire as w

STOP, DEGRADE = "stop", "degrade"
PATIENCE_S, PATIENCE_S_MIN, PATIENCE_S_MAX = 2.0, 0.1, 3600.0
DIAL_S, ANSWER_S = 0.5, 2.0
REPLICATED = "replicated"


@dataclass(frozen=True, slots=True)
class Plan:
    """Where a standby is, and what is done without it."""

    place: tuple[str, int]
    secret: bytes = b""
    lost: str = STOP
    patience_s: float = PATIENCE_S
    epoch: int = 1

    @property
    def name(self) -> str:
        return f"{self.place[0]}:{self.place[1]}"


@dataclass(slots=True)
class Met:
    """A standby that has frame `after`; `seals`: blocks that end before they are full."""

    wire: w.Wire
    walk: Any
    seals: deque[tuple[int, str]]
    after: int


class RefusedError(StateError):
    """The standby will not, or we will not: dialling again changes nothing."""

    fenced = False


def planned(
    durability: str,
    standby: str,
    lost: str = STOP,
    patience_s: float = PATIENCE_S,
    secret: Path | None = None,
) -> Plan | None:
    """What was given of a standby; None where none is wanted. Wrong words are refused."""
    where = "hft live --standby"
    if not standby:
        if lost != STOP or secret is not None or patience_s != PATIENCE_S:
            what = "What is said of a standby needs one"
            raise InputError(what, where=where, do="Name it: --standby HOST:PORT.")
        return None
    if durability not in ("", REPLICATED):
        raise InputError(
            f"With durability {durability} no standby is waited for",
            where=where,
            do="Use --durability replicated, or leave --standby out.",
        )
    if lost not in (STOP, DEGRADE):
        raise InputError(
            f"{shown(lost)} is nothing to do without a standby",
            where="hft live --standby-lost",
            do=f"Use {STOP}, or {DEGRADE}: durability power until it is back.",
        )
    if not PATIENCE_S_MIN <= patience_s <= PATIENCE_S_MAX:
        raise InputError(
            f"Nobody waits {patience_s:g} seconds for a standby",
            where="hft live --standby-patience",
            do=f"Give from {PATIENCE_S_MIN:g} to {PATIENCE_S_MAX:,.0f} seconds.",
        )
    place = w.address_of(standby, where)
    return Plan(place, w.secret_of(secret, place[0], where), lost, patience_s)


def probe(plan: Plan) -> None:
    """Refuse a plan whose standby is not there, or has a copy of another journal already."""
    wire = _met(plan)
    try:
        _asked(wire, plan, epoch=0, header="", probe=True)
    finally:
        wire.close()


def meet(plan: Plan, journal: Any, last: int) -> Met:
    """With the standby of this journal, whose last frame is `last`."""
    from hftlib.core.journal.replicating import Standing, difference
    from hftlib.core.journal.walking import Walk

    wire = _met(plan)
    try:
        header = journal.session.header(0).hex()
        told = _asked(wire, plan, epoch=plan.epoch, header=header, probe=False)
        numbers = dict.fromkeys(("sequence", "segment", "position", "blocks"), int)
        kinds: dict[str, type] = {**numbers, "head": str, "rest": str}
        standing = Standing(**w.names_of(wire, told["standing"], **kinds))
        why = difference(journal.folder, standing, last)
        if why:
            wire.tell(w.REFUSED, why=f"the copy is not this journal's: {why}")
            raise refusal(plan, f"Its copy is not this journal's: {why}")
        wire.tell(w.FOLLOW)
        walk = Walk(journal.folder, journal.session, standing.place)
    except OSError as error:
        wire.close()
        raise wire.wrong(str(error.strerror or error)) from None
    except BaseException:
        wire.close()
        raise
    wire.socket.setblocking(False)
    return Met(wire, walk, partial_seals(journal, standing.blocks), standing.sequence)


def partial_seals(journal: Any, after: int) -> deque[tuple[int, str]]:
    """Blocks behind so many that end where the journal was closed: last frame, and hash.

    All others end where they are full, which the standby sees by itself.
    """
    from hftlib.core.journal.chain import Chain
    from hftlib.core.journal.layout import ENDS_SEGMENT, PAGE_BYTES

    found = deque[tuple[int, str]]()
    for block in Chain.index(journal.folder, journal.session).blocks[after:]:
        one = block[0]
        full = max(int(one["begin"]), PAGE_BYTES) + journal.session.block_bytes
        if int(one["end"]) < full and int(one["sealed"]) != ENDS_SEGMENT:
            last = int(one["first"]) + int(one["frames"]) - 1
            found.append((last, one["hash"].tobytes().hex()))
    return found


def refused(plan: Plan, wire: w.Wire, payload: bytes) -> RefusedError:
    """What it says, as an error; that it took over counts only from who knows the secret."""
    told = w.said(wire, payload, why=str)
    made = refusal(plan, told["why"][:300])
    made.fenced = wire.is_believed and json.loads(payload).get("fenced") is True
    if made.fenced:
        made.do = "Go on from the copy that took over: hft live --resume --journal COPY."
    return made


def refusal(plan: Plan, what: str) -> RefusedError:
    return RefusedError(
        what,
        where=f"the standby {plan.name}",
        do="See what its journal is: hft journal verify; or give it a folder of its own.",
    )


def _met(plan: Plan) -> w.Wire:
    """A connection whose other end speaks as a standby."""
    own = w.dialled(plan.place, DIAL_S)
    wire = w.Wire(own, plan.secret, True, plan.name)
    try:
        told = w.said(wire, _heard(wire, plan, w.HELLO), protocol=int, nonce=str)
        if told["protocol"] != w.PROTOCOL:
            raise wire.wrong(f"it has protocol {told['protocol']}, and we {w.PROTOCOL}")
        wire.agree(bytes.fromhex(told["nonce"]))
        return wire
    except OSError as error:
        wire.close()
        raise wire.wrong(str(error.strerror or error)) from None
    except HftError:
        wire.close()
        raise


def _asked(wire: w.Wire, plan: Plan, **offers: Any) -> dict[str, Any]:
    """What it says of its copy."""
    wire.tell(w.OFFER, protocol=w.PROTOCOL, nonce=wire.nonce.hex(), **offers)
    return w.said(wire, _heard(wire, plan, w.STANDS), epoch=int, standing=dict)


def _heard(wire: w.Wire, plan: Plan, wanted: int) -> bytes:
    """The next message, which must be this."""
    until = time.monotonic() + ANSWER_S
    while (found := wire.next()) is None:
        left = until - time.monotonic()
        if left <= 0:
            _silent(wire)
        wire.socket.settimeout(left)
        try:
            data = wire.socket.recv(1 << 16)
        except TimeoutError:
            _silent(wire)
        if not data:
            raise wire.wrong("it hung up")
        wire.feed(data)
    kind, payload = found
    if kind == w.REFUSED:
        raise refused(plan, wire, payload)
    if kind != wanted:
        raise wire.wrong("an answer is out of place")
    return payload


def _silent(wire: w.Wire) -> NoReturn:
    raise wire.wrong(f"it says nothing for {ANSWER_S:g} s")
