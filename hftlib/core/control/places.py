"""Where a control socket lies: a folder of its owner alone, and never in another's place.

    $XDG_RUNTIME_DIR/hftlib/WHAT-PID.socket      or /tmp/hftlib-USER/..., mode 0700

Worst case: one that was left behind is found dead by asking it, and taken away.
"""

from __future__ import annotations

import os
import socket
import stat
import struct
from pathlib import Path

from hftlib.core.errors import HostError, InputError, StateError

PATH_BYTES_MAX = 107  # what a socket's address holds


def place(what: str, wanted: str) -> Path | None:
    """Where the socket is to be: as it was said, or in a folder of our own; none if it is off."""
    if wanted == "off":
        return None
    if wanted:
        return Path(wanted)
    return own_folder() / f"{what}-{os.getpid()}.socket"


def own_folder() -> Path:
    """A folder that only this user can look into."""
    given = os.environ.get("XDG_RUNTIME_DIR", "")
    folder = Path(given) / "hftlib" if given else Path("/tmp") / f"hftlib-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise HostError(
            f"There can be no folder for the control socket: {error.strerror}",
            where=str(folder),
            do='Say where it shall be with `--control PATH`, or that there is none: "off".',
        ) from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise HostError(
            "The folder of the control socket is not ours alone",
            where=str(folder),
            do=f"Remove it, or make it yours (`chmod 700 {folder}`), or use `--control PATH`.",
        )
    return folder


def listening(path: Path, clients: int) -> socket.socket:
    """The socket, for its owner only. One that was left behind is taken away."""
    if len(os.fsencode(path)) > PATH_BYTES_MAX:
        do = f"Use a path of at most {PATH_BYTES_MAX} bytes."
        raise InputError("The path of the control socket is too long", where=str(path), do=do)
    _clear(path)
    own = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        own.bind(str(path))
        own.listen(clients)
        own.setblocking(False)
    except OSError as error:
        own.close()
        raise HostError(
            f"Nothing can listen there: {error.strerror}",
            where=str(path),
            do="Use a path in a folder that exists and that you can write.",
        ) from None
    finally:
        os.umask(before)
    return own


def _clear(path: Path) -> None:
    """Take away the socket of a process that is gone; never anything else."""
    try:
        found = path.lstat()
    except OSError:
        return
    do = "Use another path for the control socket."
    if not stat.S_ISSOCK(found.st_mode):
        raise InputError("There is something that is no socket", where=str(path), do=do)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except OSError:
            pass  # it is busy: somebody is there
    raise StateError("Another process listens there", where=str(path), do=do)


def user_of(own: socket.socket) -> int:
    """The user at the other end, as the kernel knows."""
    return _other_end(own)[1]


def process_of(own: socket.socket) -> int:
    """The process at the other end."""
    return _other_end(own)[0]


def _other_end(own: socket.socket) -> tuple[int, int]:
    size = struct.calcsize("3i")
    known = own.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    process, user, _ = struct.unpack("3i", known)
    return int(process), int(user)
