"""What a soak needs of its host: two real processes, and what the kernel says of them.

    with started("exchange", folder, "--config", ...) as process:   its first line is awaited
        own_kib(process.pid), mapped_kib(process.pid)    RssAnon, RssFile and RssShmem
        drops_of(process.pid)                            datagrams its sockets had no room for
        ended(process)                                   Ctrl-C, and the last line it prints

What is asked for once a second is a file of /proc each: no tool, no library.
Worst case: a process that does not end within END_S is killed, and that is an error.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hftlib.core.errors import StateError
from hftlib.terminal import Advance

# A process begun by a shell in the background would not hear Ctrl-C.
PROGRAM = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from hftlib.cli import main; main()"
)
BEGIN_S, END_S, LOOK_S = 900.0, 120.0, 0.1
_DROPS, _INODE = 12, 9  # columns of /proc/net/udp


class Process:
    """One `hft` of ours: what it prints is in `out`, what it complains of in `errors`."""

    def __init__(self, name: str, folder: Path, arguments: Sequence[str]) -> None:
        self.name, self.out = name, folder / f"{name}.json"
        self.errors = folder / f"{name}.errors"
        with self.out.open("wb") as out, self.errors.open("wb") as errors:
            self.popen = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, name, *arguments],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
                start_new_session=True,  # Ctrl-C is for us to pass on
            )
        self.pid = self.popen.pid

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Each whole line it printed."""
        text = self.out.read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines(True) if line.endswith("\n")]

    def require_alive(self) -> None:
        if self.popen.poll() is not None:
            said = self.errors.read_text(encoding="utf-8", errors="replace").strip()
            raise StateError(
                f"The {self.name} process ended with {self.popen.returncode}: {said[-500:]}",
                where="hft bench soak",
                do=f"Run `hft {self.name}` by itself and see.",
            )

    def first_line(self, advance: Advance) -> dict[str, Any]:
        """What it says once it runs; it may compile before."""
        until = time.monotonic() + BEGIN_S
        while not self.lines:
            self.require_alive()
            if time.monotonic() > until:
                raise StateError(
                    f"The {self.name} did not begin within {BEGIN_S:.0f} s",
                    where="hft bench soak",
                    do="Run `hft warm` first.",
                )
            advance(0.0, f"the {self.name} begins")
            time.sleep(LOOK_S)
        return self.lines[0]

    def end(self) -> dict[str, Any]:
        """Ctrl-C; the last line it prints."""
        self.require_alive()
        self.popen.send_signal(signal.SIGINT)
        try:
            self.popen.wait(END_S)
        except subprocess.TimeoutExpired:
            raise StateError(
                f"The {self.name} did not end within {END_S:.0f} s of Ctrl-C",
                where="hft bench soak",
                do="That is a fault of ours; please report it.",
            ) from None
        return self.lines[-1]


@contextmanager
def started(name: str, folder: Path, *arguments: str) -> Iterator[Process]:
    """Such a process; whatever happens, it is gone afterwards."""
    made = Process(name, folder, arguments)
    try:
        yield made
    finally:
        if made.popen.poll() is None:
            made.popen.kill()
            made.popen.wait()


def own_kib(pid: int) -> int:
    """Memory that is the process's own and nobody else's."""
    return _resident(pid)["RssAnon"]


def mapped_kib(pid: int) -> int:
    """Pages of files that it has mapped: the journal's, among others."""
    found = _resident(pid)
    return found["RssFile"] + found["RssShmem"]


def _resident(pid: int) -> dict[str, int]:
    found = {}
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("Rss"):
            name, _, value = line.partition(":")
            found[name] = int(value.split()[0])
    return found


def drops_of(pid: int) -> int:
    """Datagrams that the kernel had no room for in any UDP socket of the process."""
    inodes = set()
    for one in Path(f"/proc/{pid}/fd").iterdir():
        try:
            at = os.readlink(one)
        except OSError:
            continue  # closed meanwhile
        if at.startswith("socket:["):
            inodes.add(at[8:-1])
    rows = [line.split() for line in Path(f"/proc/{pid}/net/udp").read_text().splitlines()[1:]]
    return sum(int(row[_DROPS]) for row in rows if row[_INODE] in inodes)


def folder_bytes(folder: Path) -> int:
    """What a folder takes on disk."""
    return sum(one.stat().st_blocks * 512 for one in folder.rglob("*") if one.is_file())
