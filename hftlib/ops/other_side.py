"""What `hft live` needs of a switch: from whom it takes over, and to whom it may hand over.

    other = beside(take_over, who, why, resume=resume)     refused before anything is laid out
    made = other.laid(prepared(told, hours))               its first frame says from whom
    recovery = other.recovery(runner, told, copies, words, json_out)

Worst case: a runner that does not answer is waited for, ASK_S.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from hftlib.core import clock
from hftlib.core.control.places import place
from hftlib.core.errors import InputError
from hftlib.ops.beginning import Told, recovery_of
from hftlib.ops.take_over import NEXT, TakeOver, asked_first, first_words, takes_over
from hftlib.terminal import person

Made = tuple[Any, dict[str, Any], int]
_WHERE = "hft live --take-over"


@dataclass(slots=True)
class Other:
    """The runner that is there already; `path` is None where there is none."""

    path: Path | None
    who: str = ""
    why: str = ""
    found: Mapping[str, Any] = field(default_factory=dict)
    first: Any = None  # what a day that goes on has still to carry

    def place(self, wanted: str) -> Path | None:
        """Where the socket is to be; of who takes over, until it is in the other's place."""
        if self.path is None or wanted:
            return place("runner", wanted)
        return self.path.with_name(f"{NEXT}-{os.getpid()}.socket")  # on the same file system

    def laid(self, made: Made) -> Made:
        """With what the first frame says of it."""
        live, about, after = made
        if after:
            self.first = first_words(about, live)
        if self.path is not None:
            about = about | {"takes_over": takes_over(self.found)}
        return live, about, after

    def recovery(
        self,
        runner: Any,
        told: Told,
        copies: Mapping[str, str],
        words: Mapping[str, str],
        json_out: bool,
    ) -> Any:
        """What says when it may trade; None: at once."""
        if runner.is_resumed:
            runner.carries = self.first
        elif self.path is None:
            return None
        made = recovery_of(runner, told, copies, words)
        if runner.is_resumed or self.path is None:
            return made
        return TakeOver(runner, made, self.path, self.who, self.why, partial(_say, json_out))


def beside(take_over: Path | None, who: str, why: str, *, resume: bool) -> Other:
    """What was given, and what the other says of itself."""
    if take_over is None:
        if who or why:
            do = "Leave --who and --why out, or give --take-over SOCKET."
            raise InputError("Nothing is taken over", where=_WHERE, do=do)
        return Other(None)
    if resume:
        do = "Begin another journal, or leave --take-over out."
        raise InputError("A day that goes on takes over from nobody", where=_WHERE, do=do)
    if not why.strip():
        raise InputError("The why is empty", where=_WHERE, do="Say --why: it stands in the log.")
    return Other(take_over, who or person(), why, asked_first(take_over))


def launch_of(
    exchanges: Mapping[str, Path],
    copies: Mapping[str, str],
    seconds: float,
    scale: Sequence[str] | None,
    followed: tuple[str, str, float, Path | None] = ("", "stop", 2.0, None),
    **more: Any,
) -> dict[str, Any]:
    """What a runner was started with, for who starts the next one like it.

    `followed`: a standby's address, which is not handed on, and how it is followed.
    """
    _, lost, patience_s, secret = followed
    own = str(secret.resolve()) if secret else ""
    return {
        "exchange": [f"{venue}={path.resolve()}" for venue, path in exchanges.items()],
        "copy_user": [f"{venue}={user}" for venue, user in copies.items()],
        "scale": list(scale or ()),
        "followed": {"--standby-lost": lost, "--standby-patience": patience_s, "--secret": own},
        "end_ns": clock.now_ns() + round(seconds * 1e9) if seconds else 0,
    } | more


def _say(json_out: bool, times: dict[str, Any]) -> None:
    """When each step was done, for the machine that waits for it."""
    if json_out:
        print(json.dumps({"switched": times}), flush=True)
