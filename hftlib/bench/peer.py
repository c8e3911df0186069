"""`hft bench book FILE --peer COMMAND`: another program's figure, taken in turns with ours.

The command is run once for each of our runs, with FILE as its standard input, byte for byte, and on
the core that ours is pinned to. Its own figure is believed: the last number that stands before the
words "nanos", "ns" or "nanoseconds", then "per packet" or "per message", wherever it prints them.

Worst case: PEER_SECONDS_MAX for each run, then it is ended; of what it prints the last 64 KiB are
looked at, and nothing of it is kept in memory.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from hftlib.core.errors import HostError, InputError
from hftlib.core.units import shown

PEER_SECONDS_MAX = 1800
TAIL_BYTES = 1 << 16
_WHERE = "hft bench --peer"
_FIGURE = re.compile(
    r"(\d[\d,]*(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*(?:nanos|ns|nanoseconds) per (?:packet|message)\b"
)


class Peer:
    """A command that reads FILE from its standard input and says what a message cost it."""

    def __init__(self, command: str, path: Path) -> None:
        self._path = path
        try:
            self._words = shlex.split(command)
        except ValueError as error:
            raise self._refused(f"The peer's command cannot be split into words: {error}") from None
        program = self._words[0] if self._words else ""
        if not program or shutil.which(program) is None:
            raise self._refused(f"The peer's program {shown(program)} is not there to be run")
        self.name = Path(program).name

    def run(self) -> float:
        """One run: what the peer says a message took, in ns."""
        with self._path.open("rb") as file, tempfile.TemporaryFile() as out:
            try:
                done = subprocess.run(
                    self._words,
                    stdin=file,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    timeout=PEER_SECONDS_MAX,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                what = f"The peer {self.name} was not done after {PEER_SECONDS_MAX:,} seconds"
                raise self._refused(what) from None
            except OSError as error:
                what = f"The peer {self.name} cannot be run: {error.strerror or error}"
                raise self._refused(what) from None
            out.seek(max(0, out.seek(0, os.SEEK_END) - TAIL_BYTES))
            said = out.read().decode("utf-8", "replace")
        last = shown(next(iter(said.strip().splitlines()[-1:]), "nothing"))
        if done.returncode:
            what = f"The peer {self.name} ended with {done.returncode}, saying {last}"
            raise HostError(what, where=_WHERE, do="Run it by itself: it must read FILE from <.")
        found = _FIGURE.findall(said)
        cost = float(found[-1].replace(",", "")) if found else 0.0
        if not 0 < cost < float("inf"):
            raise self._refused(f"The peer {self.name} printed no cost of a message, but {last}")
        return cost

    def _refused(self, what: str) -> InputError:
        do = (
            "Give a command that reads FILE from its standard input and prints a figure such as "
            "`61.5 nanos per packet` or `61.5 ns per message`."
        )
        return InputError(what, where=_WHERE, do=do)
