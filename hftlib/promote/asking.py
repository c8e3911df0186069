"""Asking the gates: one after the other, or some at once where a promotion is given jobs.

    judged, before = asked(gates, everything, place, Asking(jobs=2), told, evidence)

They begin in the order of the plan and are told in it. A gate that measures the host has it for
itself (`alone = true` in the plan): it begins once those before it are over, and nothing begins
beside it. The first that does not pass ends the promotion, unless all reasons are wanted; what was
asked beside it is waited for and told, too, for it has an answer.

Worst case: the time limits of all gates. Whoever ends it by Ctrl-C ends the kernels with it.
"""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hftlib.promote.evidence import Evidence
from hftlib.promote.judging import Judged, judge
from hftlib.promote.keeping import clear, keep, kept, key_of, place_for
from hftlib.promote.plan import Gate, told_of

JOBS_MAX = 16

Told = Callable[[int, str], None]
"""Told how many gates are done, and which ones are asked."""


@dataclass(frozen=True)
class Asking:
    """How gates are asked."""

    keep_going: bool = False
    jobs: int = 1


@dataclass(frozen=True)
class _Asked:
    gate: Gate
    answer: Future[tuple[Judged, bool]]


def asked(
    gates: Sequence[Gate],
    everything: Mapping[str, Any],
    place: Path,
    how: Asking,
    told: Told,
    evidence: Evidence,
) -> tuple[list[Judged], list[str]]:
    """What the gates say, and which of them had answered before."""
    clear(place)
    judged: list[Judged] = []
    before: list[str] = []
    waiting, running = deque(gates), deque[_Asked]()
    pool = ThreadPoolExecutor(how.jobs, "gate")
    try:
        while running or (waiting and _may_go_on(judged, how)):
            while waiting and _may_go_on(judged, how) and _has_room(running, waiting[0], how):
                gate = waiting.popleft()
                running.append(_Asked(gate, pool.submit(_one, gate, everything, place)))
            told(len(judged), ", ".join(one.gate.name for one in running))
            one = running.popleft()
            answer, is_kept = one.answer.result()
            judged.append(answer)
            before += [one.gate.name] if is_kept else []
            evidence.gate(answer, is_kept)
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        _end_kernels()
        raise
    pool.shutdown()
    return judged, before


def _one(gate: Gate, everything: Mapping[str, Any], place: Path) -> tuple[Judged, bool]:
    """The gate's answer, and whether it had given it before."""
    with place_for(place) as part:
        given = told_of(gate, {**everything, "place": str(part.resolve())})
        key = key_of(gate, given)
        known = kept(place, gate, key)
        if known is not None:
            return known, True
        return keep(place, gate, key, judge(gate, given, part)), False


def _may_go_on(judged: Sequence[Judged], how: Asking) -> bool:
    return how.keep_going or all(one.verdict for one in judged)


def _has_room(running: Sequence[_Asked], gate: Gate, how: Asking) -> bool:
    if gate.alone or any(one.gate.alone for one in running):
        return not running
    return len(running) < how.jobs


def _end_kernels() -> None:
    """Nobody waits for their answer any more; a thread that does learns that its kernel died."""
    for children in Path("/proc/self/task").glob("*/children"):
        for number in map(int, children.read_text().split()):
            with suppress(OSError):  # it has ended by itself
                if b"ipykernel_launcher" in Path(f"/proc/{number}/cmdline").read_bytes():
                    os.kill(number, signal.SIGKILL)
