"""Who tells a process: one line said, one heard, and a clear sentence where nobody answers.

Worst case: a process that does not answer is waited for, ANSWER_S at most unless told.
"""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from hftlib.core.control.places import own_folder, process_of
from hftlib.core.errors import InputError, StateError

ANSWER_S = 30.0
WHERE = "--socket"


def told(
    path: Path, said: dict[str, Any], what: str, patience_s: float = ANSWER_S
) -> dict[str, Any]:
    """One line said to a process of this kind, one heard; what it refuses is refused here."""
    do = f"See that the {what} runs, and where its control socket is."
    answer = b""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as own:
        own.settimeout(patience_s)
        try:
            own.connect(str(path))
            own.sendall(json.dumps(said).encode() + b"\n")
            while not answer.endswith(b"\n"):
                piece = own.recv(1 << 16)
                if not piece:
                    raise StateError(f"The {what} hung up", where=str(path), do=do)
                answer += piece
        except TimeoutError:
            why = f"The {what} did not answer within {patience_s:.0f} s"
            raise StateError(why, where=str(path), do=do) from None
        except OSError as error:
            why = f"No {what} listens there: {error.strerror or error}"
            raise StateError(why, where=str(path), do=do) from None
    found: dict[str, Any] = json.loads(answer)
    if not found.pop("ok"):
        raise InputError(found["what"], where=found["where"], do=found["do"])
    return found


def the_only_one(what: str, start: str) -> Path:
    """The control socket of the one process of this kind that runs; `start` starts one."""
    alive = running(what)
    if len(alive) == 1:
        return alive[0]
    if not alive:
        do = f"Start one with `{start}`, or name its socket with --socket."
        raise StateError(f"No {what} of yours runs here", where=WHERE, do=do)
    do = f"Name one with --socket: {', '.join(map(str, alive))}."
    raise InputError(f"{len(alive)} {what}s of yours run here", where=WHERE, do=do)


def running(what: str) -> list[Path]:
    """The control sockets of all of this kind, of this user, that answer."""
    return [one for one in sorted(own_folder().glob(f"{what}-*.socket")) if _is_alive(one)]


def _is_alive(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as own:
            own.settimeout(1.0)
            own.connect(str(path))
    except OSError:
        return False
    return True


def pid_of(path: Path, what: str) -> int:
    """The process that listens there, as the kernel knows; it need not answer."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as own:
            own.settimeout(1.0)
            own.connect(str(path))
            return process_of(own)
    except OSError as error:
        do = f"See that the {what} runs, and where its control socket is."
        why = f"No {what} listens there: {error.strerror or error}"
        raise StateError(why, where=str(path), do=do) from None
