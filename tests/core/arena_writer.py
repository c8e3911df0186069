"""The second process of `test_arena_shared.py`, which has one of three tasks.

between   write without end, then rest between two changes until killed
within    the same, but rest half way through a change
reader    read pairs, carefully and carelessly, and say how many were torn of each
"""

from __future__ import annotations

import sys
import time

from hftlib.core.arena import Arena

CAREFUL_READS = 4000
VALUES = 200
PATIENCE_S = 40


def pair(arena: Arena) -> tuple[int, int]:
    record = arena["pair"][0]
    return int(record["left"]), int(record["right"])


def write(path: str, within: bool) -> None:
    with Arena.open(path, writable=True) as arena:
        record = arena["pair"][0]
        for n in range(1, 1001):
            with arena.change():
                record["left"] = n
                if within and n == 1000:
                    rest()
                record["right"] = n
        rest()


def rest() -> None:
    print("resting", flush=True)
    time.sleep(600)


def read(path: str) -> None:
    arena = Arena.open(path)
    careful = torn_careful = torn_careless = 0
    seen: set[int] = set()
    give_up = time.monotonic() + PATIENCE_S
    while careful < CAREFUL_READS or len(seen) < VALUES or not torn_careless:
        left, right = arena.consistent(pair, attempts=1_000_000)
        careful += 1
        torn_careful += left != right
        seen.add(left)
        left, right = pair(arena)
        torn_careless += left != right
        if time.monotonic() > give_up:
            break
    print(careful, torn_careful, torn_careless, len(seen))


def main() -> None:
    task, path = sys.argv[1:]
    if task == "reader":
        read(path)
    else:
        write(path, within=task == "within")
