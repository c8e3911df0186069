"""TCP for sessions: sockets opened in Python, bytes moved by compiled code without the GIL.

    take(pipe, descriptor)     from the kernel into a pipe: how many; 0: closed; NOTHING; BROKEN
    give(pipe, descriptor)     from a pipe to the kernel, likewise

Each is one system call. `TCP_NODELAY` is set: an order must not wait for an acknowledgement of the
one before it. A peer that is gone is an answer here, never a signal.

Worst case: a full pipe takes nothing and says FULL; whoever fills it must empty it first.
"""

from __future__ import annotations

import errno
import os
import socket
from typing import Any

from hftlib.core import jit
from hftlib.core.errors import HostError, InputError
from hftlib.core.soup.pipes import behind, first, held, space
from hftlib.core.units import is_whole, shown

Address = tuple[str, int]

NOTHING, BROKEN, FULL = -1, -2, -3
_DONTWAIT, _NOSIGNAL = 0x40, 0x4000
_EAGAIN, _EINTR = errno.EAGAIN, errno.EINTR
_recv = jit.libc("recv", "int64(int32, int64, int64, int32)")
_send = jit.libc("send", "int64(int32, int64, int64, int32)")


@jit.compiled("int64(int64, int64)")
def take(pipe: int, descriptor: int) -> int:
    """Read what is there into the pipe, uncounted: `received` of a machine counts it."""
    room = space(pipe)
    if room == 0:
        return FULL
    got = _recv(descriptor, behind(pipe), room, _DONTWAIT)
    return got if got >= 0 else _why()


@jit.compiled("int64(int64, int64)")
def give(pipe: int, descriptor: int) -> int:
    """Send what the pipe holds: how much of it went. `sent` of a machine takes it out."""
    return give_some(pipe, descriptor, held(pipe))


@jit.compiled("int64(int64, int64, int64)")
def give_some(pipe: int, descriptor: int, count: int) -> int:
    """So much of what it holds."""
    if count == 0:
        return 0
    gone = _send(descriptor, first(pipe), count, _DONTWAIT | _NOSIGNAL)
    return gone if gone >= 0 else _why()


@jit.inlined
def _why() -> int:
    why = jit.errno()
    if why != _EAGAIN and why != _EINTR:
        return BROKEN
    return NOTHING


def put(pipe: int, data: bytes) -> None:
    """Bytes into a pipe as `take` puts them there: for tests and replays."""
    import ctypes

    if space(pipe) < len(data):
        raise InputError(
            f"{len(data):,} bytes do not fit into the pipe",
            where="put(pipe, data)",
            do="Give less at a time, and ask what follows in between.",
        )
    ctypes.memmove(int(behind(pipe)), data, len(data))


def contents(pipe: int) -> bytes:
    """What a pipe holds, copied: for tests and replays."""
    import ctypes

    return ctypes.string_at(int(first(pipe)), int(held(pipe)))


def dialling(address: Address) -> socket.socket:
    """A socket that is connecting; whether it could is known when it can be written to."""
    host, port = checked(address, "the server")
    own = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    own.setblocking(False)
    own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    own.connect_ex((host, port))
    return own


def listening(address: Address, waiting_max: int) -> socket.socket:
    """A socket where connections arrive."""
    host, port = checked(address, "the server")
    own = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        own.setblocking(False)
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        own.bind((host, port))
        own.listen(waiting_max)
    except OSError as error:
        own.close()
        raise HostError(
            f"Nothing can listen there: {os.strerror(error.errno or 0)}",
            where=f"{host}:{port}",
            do="Use another port, or an address of this host (`ip address` lists them).",
        ) from None
    return own


def checked(address: Any, what: str) -> Address:
    """Host and port, or a sentence."""
    do = 'Give (host, port), such as ("127.0.0.1", 9000); names are not looked up.'
    if not isinstance(address, tuple | list) or len(address) != 2:
        raise InputError(f"{shown(address)} is no address of {what}", where=what, do=do)
    host, port = address
    if not is_whole(port) or not 0 <= port <= 65_535:
        raise InputError(f"{shown(port)} is no TCP port", where=what, do=do)
    try:
        packed = socket.inet_pton(socket.AF_INET, "127.0.0.1" if host == "localhost" else host)
    except (OSError, TypeError):
        raise InputError(f"{shown(host)} is no IPv4 address", where=what, do=do) from None
    return socket.inet_ntoa(packed), int(port)
