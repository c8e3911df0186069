"""From what a user wishes to a desk that runs: what may not be is refused before anything listens.

    opened(Wishes(...), said)       said({"view": "http://127.0.0.1:8470", "control": ..., ...})

    loopback, no people       view plane alone, for anybody of this host, plain
    loopback, people          both planes, plain or TLS; everybody logs in
    any other address         TLS and people, or a sentence

Worst case: none.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hftlib.core.audit import AuditLog, audit_place
from hftlib.core.errors import InputError
from hftlib.ops.access.people import People
from hftlib.ops.access.proving import Proofs
from hftlib.ops.access.vault import open_vault
from hftlib.ops.desk.certificates import names_of
from hftlib.ops.desk.discovering import named_sockets
from hftlib.ops.desk.handling import Desk
from hftlib.ops.desk.recording import Record
from hftlib.ops.desk.serving import Plane, Tls, listening, serve
from hftlib.ops.desk.sessions import CONTROL, EXPIRIES, VIEW, Expiry, Sessions
from hftlib.ops.desk.streaming import Feed
from hftlib.ops.desk.watching import Watch

Address = tuple[str, int]
LOCAL = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True, slots=True)
class Wishes:
    """As the command line has them."""

    runners: tuple[str, ...]
    people: People | None
    shelf: Path | None
    trusted: Path | None
    alerts: Path | None
    audit: Path | None
    view: Address
    control: Address | None
    certificate: Path | None
    key: Path | None
    authority: Path | None
    hosts: tuple[str, ...]
    idle_s: float


def opened(wishes: Wishes, said: Callable[[dict[str, Any]], None]) -> None:
    """Serve until it is told to end; `said` is told where."""
    tls = _tls(wishes)
    addresses = [("--view", wishes.view)]
    addresses += [("--control", wishes.control)] if wishes.control is not None else []
    for option, address in addresses:
        _require_safe(option, address, tls, wishes.people)
    for folder, option in ((wishes.shelf, "--shelf"), (wishes.alerts, "--alerts")):
        if folder is not None and not folder.is_dir():
            raise InputError("There is no such folder", where=f"{option} {folder}", do="Name one.")
    place = wishes.audit or audit_place()
    sockets = named_sockets(list(wishes.runners))
    log = AuditLog(place)
    watch = Watch(sockets, shelf=wishes.shelf, trusted=wishes.trusted, alerts=wishes.alerts)
    planes = _planes(wishes, tls)
    try:
        watch.start()
        record = Record(log)
        told = _told(planes, place, wishes)
        record.acted("desk", "start", " ".join(filter(None, (told["view"], told["control"]))))
        said(told)
        serve(planes, lambda feed: _desk(wishes, watch, feed, record), watch)
        record.acted("desk", "end", told["view"])
    finally:
        for plane in planes:
            plane.own.close()
        watch.close()
        log.close()


def _desk(wishes: Wishes, watch: Watch, feed: Feed, record: Record) -> Desk:
    made = Desk(watch, feed, record, alerts=wishes.alerts)
    if wishes.people is not None:
        made.proofs = Proofs(wishes.people, cache(open_vault))
        whole = EXPIRIES[CONTROL].whole_s
        expiries = EXPIRIES | {CONTROL: Expiry(wishes.idle_s, whole)}
        made.sessions = Sessions(wishes.people, expiries)
    return made


def _planes(wishes: Wishes, tls: Tls | None) -> list[Plane]:
    made: list[Plane] = []
    names = frozenset({*LOCAL, *(one.lower() for one in wishes.hosts)})
    if tls is not None:
        names |= names_of(tls.certificate)
    looks = Tls(tls.certificate, tls.key) if tls is not None else None
    wanted = [(VIEW, wishes.view, looks, "--view")]
    if wishes.control is not None and wishes.people is not None:
        wanted.append((CONTROL, wishes.control, tls, "--control"))
    try:
        for name, address, how, option in wanted:
            own = listening(*address, option)
            hosts = names | {f"[{address[0]}]" if ":" in address[0] else address[0]}
            made.append(Plane(name, own, how, hosts, _is_local(address)))
    except BaseException:
        for plane in made:
            plane.own.close()
        raise
    return made


def _told(planes: list[Plane], audit: Path, wishes: Wishes) -> dict[str, Any]:
    """Where to look, where to act, and why not where that is so."""
    found = {plane.name: _url(plane) for plane in planes}
    why = "" if CONTROL in found else "it was told not to (--control off)."
    if wishes.people is None:
        why = "there are no people yet: hft access add NAME --role operator, and start again."
    return {
        "view": found[VIEW],
        "control": found.get(CONTROL, ""),
        "why": why,
        "audit": str(audit),
        "needs_client_certificate": wishes.authority is not None and CONTROL in found,
    }


def _url(plane: Plane) -> str:
    address, port = plane.own.getsockname()[:2]
    shown = f"[{address}]" if plane.own.family == socket.AF_INET6 else address
    return f"{'http' if plane.tls is None else 'https'}://{shown}:{port}"


def _tls(wishes: Wishes) -> Tls | None:
    if wishes.certificate is None or wishes.key is None:
        if wishes.certificate or wishes.key or wishes.authority:
            do = "Give --certificate and --key; hft desk certificate makes both."
            raise InputError("A part of TLS is missing", where="hft desk", do=do)
        return None
    for path in (wishes.certificate, wishes.key, wishes.authority):
        if path is not None and not path.is_file():
            raise InputError("There is no such file", where=str(path), do="Name the file.")
    return Tls(wishes.certificate, wishes.key, wishes.authority)


def _require_safe(option: str, address: Address, tls: Tls | None, people: People | None) -> None:
    if _is_local(address):
        return
    where = f"{option} {address[0]}:{address[1]}"
    if tls is None:
        do = "Give --certificate and --key (hft desk certificate makes both), or use 127.0.0.1."
        raise InputError("Without TLS only this host may be served", where=where, do=do)
    if people is None:
        do = "Make somebody first: hft access add ann --role operator."
        raise InputError("Without people only this host may be served", where=where, do=do)


def _is_local(address: Address) -> bool:
    return address[0] == "localhost" or ipaddress.ip_address(address[0]).is_loopback
