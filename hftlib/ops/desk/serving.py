"""Two planes of one desk in one process: each an address, a TLS and an application of its own.

    planes = [Plane(VIEW, socket, None), Plane(CONTROL, socket, Tls(...))]
    serve(planes, desk_of, said)          until Ctrl-C or a polite kill

TLS is 1.3 and nothing older; with an authority a client shows a certificate of it before a byte of
HTTP is read. Addresses are those of the connection: what a proxy says of itself is not believed.
Worst case: CLIENTS_MAX connections a plane; further ones are told to come back.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from hftlib.core.errors import HftError, InputError
from hftlib.ops.desk.application import application
from hftlib.ops.desk.door import Door
from hftlib.ops.desk.guarding import Guard
from hftlib.ops.desk.handling import Desk
from hftlib.ops.desk.handshakes import heard, refusal_of
from hftlib.ops.desk.streaming import ABORT, Feed

CLIENTS_MAX, BACKLOG, GRACE_S, HEAD_BYTES_MAX = 256, 64, 2, 16 << 10


@dataclass(frozen=True, slots=True)
class Tls:
    """What a plane shows, and whose clients it lets in; without an authority anybody's."""

    certificate: Path
    key: Path
    authority: Path | None = None


@dataclass(frozen=True, slots=True)
class Plane:
    """One address."""

    name: str
    own: socket.socket
    tls: Tls | None
    hosts: frozenset[str]
    is_local: bool


def serve(planes: list[Plane], desk_of: Callable[[Feed], Desk], watch: Any) -> None:
    """Until it is told to end."""
    logging.getLogger("uvicorn.error").addFilter(_no_secrets)
    asyncio.run(_serve(planes, desk_of, watch))


async def _serve(planes: list[Plane], desk_of: Callable[[Feed], Desk], watch: Any) -> None:
    feed = Feed(watch)
    desk = desk_of(feed)
    loop = asyncio.get_running_loop()
    servers = [(_Server(_config(plane, desk, loop)), plane.own) for plane in planes]

    def end() -> None:
        feed.close()
        for server, _ in servers:
            server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    await asyncio.gather(*(server.serve(sockets=[own]) for server, own in servers))


def _config(plane: Plane, desk: Desk, loop: asyncio.AbstractEventLoop) -> uvicorn.Config:
    people = desk.proofs.people if desk.proofs is not None else None
    guard = Guard(plane.name, plane.hosts, plane.tls is not None, people, desk.sessions)
    tls: dict[str, Any] = {}
    if plane.tls is not None:
        tls = {"ssl_certfile": plane.tls.certificate, "ssl_keyfile": plane.tls.key}
        if plane.tls.authority is not None:
            tls |= {"ssl_ca_certs": plane.tls.authority, "ssl_cert_reqs": ssl.CERT_REQUIRED}
    config = uvicorn.Config(
        Door(application(desk, guard), guard, is_local=plane.is_local),
        http=_Protocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        limit_concurrency=CLIENTS_MAX,
        timeout_graceful_shutdown=GRACE_S,
        h11_max_incomplete_event_size=HEAD_BYTES_MAX,
        **tls,
    )
    _load(config, plane.tls)
    if config.ssl is not None:

        def tell(reason: str) -> None:
            told = ("nobody", f"TLS on {plane.name}", "TLS", time.time(), refusal_of(reason))
            loop.run_in_executor(None, desk.record.refused, *told)

        heard(config.ssl, tell)
    return config


def _load(config: uvicorn.Config, tls: Tls | None) -> None:
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        raise InputError(
            f"The certificate, its key or the authority cannot be used: {error}",
            where=str(tls.certificate) if tls is not None else "TLS",
            do="Give what `hft desk certificate` wrote: --certificate server.pem --key server.key.",
        ) from None
    if config.ssl is not None:
        config.ssl.minimum_version = ssl.TLSVersion.TLSv1_3


class _Server(uvicorn.Server):
    """One of several in a process, which hears signals itself."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Protocol(H11Protocol):
    """A connection that an application may cut off, if its other end reads nothing."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        inner = self.app

        async def app(scope: Any, receive: Any, send: Any) -> None:
            scope["extensions"] = {**scope.get("extensions", {}), ABORT: transport.abort}
            await inner(scope, receive, send)

        self.app = app


def _no_secrets(record: logging.LogRecord) -> bool:
    """A fault is told by its kind: its text and its trace may hold what somebody sent."""
    if record.exc_info:
        kind = record.exc_info[0]
        record.exc_info, record.exc_text = None, None
        record.msg, record.args = "a fault: %s", (kind.__name__ if kind else "?",)
    return True


def listening(address: str, port: int, option: str) -> socket.socket:
    """A socket that listens there."""
    try:
        found = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
        own = socket.socket(found[0], socket.SOCK_STREAM)
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        own.bind(found[4])
        own.listen(BACKLOG)
    except (OSError, OverflowError, UnicodeError) as error:
        raise _nowhere(address, port, option, error) from None
    return own


def _nowhere(address: str, port: int, option: str, error: Exception) -> HftError:
    return InputError(
        f"Nothing can listen there: {getattr(error, 'strerror', None) or error}",
        where=f"{option} {address}:{port}",
        do="Give an address of this host and a port that is free; port 0 is any.",
    )
