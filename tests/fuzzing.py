"""Fuzzing for any decoder: real bytes, damaged in the ways that bytes get damaged.

    for data in fuzzed([sample, another], seconds=fuzz_seconds()):
        decode(data)                                  # must not crash, hang or read beyond

Damage is made by a seeded generator, so a failure comes again: `fuzzed` begins alike in every run
and only its length depends on the clock. HFT_FUZZ_SECONDS makes it long, and with a
seed of its own (HFT_FUZZ_SEED), for `make fuzz`. What is counted instead (random messages of each
type of a protocol) has HFT_FUZZ_MESSAGES. Worst case: it runs its time and finds nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from random import Random

# What decoders stumble over: lengths and counts at their ends, signs, letters of types.
EDGES = (b"\0", b"\xff", b"\x7f", b"\x80", b"\0\0", b"\xff\xff", b"\0\1", b"\xff\xff\xff\xff")
ROUNDS_MIN = 20


def fuzz_seconds(default: float = 2.0) -> float:
    """How long to go on: HFT_FUZZ_SECONDS, or the little that every run of the tests can spare."""
    return float(os.environ.get("HFT_FUZZ_SECONDS", str(default)))


def fuzz_messages(default: int = 100_000) -> int:
    """How many random messages of each type: HFT_FUZZ_MESSAGES, or what every run can spare."""
    return int(os.environ.get("HFT_FUZZ_MESSAGES") or default)


def fuzz_seed() -> int:
    """Where chance begins: HFT_FUZZ_SEED, or always the same."""
    return int(os.environ.get("HFT_FUZZ_SEED") or "0")


def fuzzed(
    samples: Sequence[bytes], *, seconds: float, rounds_max: int | None = None
) -> Iterator[bytes]:
    """Damaged samples, one after another: at least some, until the time is over."""
    random = Random(int(os.environ.get("HFT_FUZZ_SEED") or "20191230"))
    end = time.monotonic() + seconds
    rounds = 0
    while rounds < ROUNDS_MIN or time.monotonic() < end:
        if rounds == rounds_max:
            return
        data = random.choice(samples)
        for _ in range(random.choice((1, 1, 2, 3, 8))):
            data = mutated(data, random)
        yield data
        rounds += 1


def mutated(data: bytes, random: Random) -> bytes:
    """The data with one thing wrong: cut, flipped, overwritten, doubled, swapped, or spliced in."""
    if not data:
        return random.randbytes(random.randrange(8))
    at, other = sorted((random.randrange(len(data) + 1), random.randrange(len(data) + 1)))
    near = at + random.randrange(1, 64)
    match random.randrange(9):
        case 0:
            return data[:at]
        case 1:
            return data[at:]
        case 2:
            return data[:at] + data[near:]  # a piece is missing
        case 3:
            return data[:near] + data[at:]  # a piece comes twice
        case 4:
            flipped = bytearray(data)
            for _ in range(random.choice((1, 2, 16))):
                flipped[random.randrange(len(data))] ^= 1 << random.randrange(8)
            return bytes(flipped)
        case 5:
            edge = random.choice(EDGES)
            return data[:at] + edge + data[at + len(edge) :]
        case 6:
            return data[:at] + random.choice(EDGES) + data[at:]
        case 7:
            return data[:at] + random.randbytes(near - at) + data[near:]
        case _:
            return data[other:] + data[at:other] + data[:at]
