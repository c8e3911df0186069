"""Bytes on their way into or out of a socket: one piece of memory, filled behind, emptied before.

    0        begin          end        room
    ┌────────┬──────────────┬──────────┐
    │ gone   │ bytes held   │ free     │       the bytes lie `at` bytes from the PIPE itself
    └────────┴──────────────┴──────────┘

What is held moves to the front when less than half is free behind it, so a read or a frame always
finds one piece. A frame that does not fit is refused whole.

Worst case: a move copies what is held, at most once for each half of the room.
"""

from __future__ import annotations

from hftlib.core import jit
from hftlib.core.records import record

PIPE = record(
    "soup pipe",
    40,
    """
    0   at     int64  where its bytes lie, from here
    8   room   int64  bytes in all
    16  begin  int64  of what is held
    24  end    int64
    32  most   int64  the most ever held
    """,
)
HEADER_BYTES = 3  # of a frame: its length and its type
_SPACE, _ZERO = ord(" "), ord("0")
NUMBER_MAX = 1 << 62  # of a message: what is counted on from it never wraps

pipe_at = jit.record_at(PIPE)
_move = jit.libc("memmove", "int64(int64, int64, int64)")
_set = jit.libc("memset", "int64(int64, int32, int64)")


@jit.inlined
def copy(target: int, source: int, count: int) -> None:
    if count > 0:
        _move(target, source, count)


@jit.inlined
def wipe(place: int, count: int) -> None:
    """Nobody who may look at this memory later is to see what was here."""
    if count > 0:
        _set(place, 0, count)


@jit.inlined
def held(pipe: int) -> int:
    """How many bytes it holds."""
    return pipe_at(pipe).end - pipe_at(pipe).begin


@jit.inlined
def first(pipe: int) -> int:
    """Where the oldest of them lies."""
    return pipe + pipe_at(pipe).at + pipe_at(pipe).begin


@jit.inlined
def empty(pipe: int) -> None:
    pipe_at(pipe).begin = pipe_at(pipe).end = 0


@jit.compiled()
def space(pipe: int) -> int:
    """How many bytes can be put behind what it holds, after making it one piece."""
    p = pipe_at(pipe)
    if p.begin == p.end:
        p.begin = p.end = 0
    elif p.begin > 0 and p.room - p.end < p.room // 2:
        _move(pipe + p.at, pipe + p.at + p.begin, p.end - p.begin)
        p.end -= p.begin
        p.begin = 0
    return p.room - p.end


@jit.inlined
def behind(pipe: int) -> int:
    """Where the next byte goes."""
    return pipe + pipe_at(pipe).at + pipe_at(pipe).end


@jit.inlined
def filled(pipe: int, count: int) -> None:
    """So many bytes were put behind."""
    p = pipe_at(pipe)
    p.end += count
    p.most = max(p.most, p.end - p.begin)


@jit.inlined
def taken(pipe: int, count: int) -> None:
    """So many bytes were taken from the front."""
    pipe_at(pipe).begin += count


@jit.compiled()
def put_bytes(pipe: int, source: int, count: int) -> bool:
    """Copy bytes in, all or none."""
    if space(pipe) < count:
        return False
    _move(behind(pipe), source, count)
    filled(pipe, count)
    return True


@jit.compiled()
def put_frame(pipe: int, kind: int, payload: int, length: int) -> bool:
    """Write one frame in, all or none."""
    if space(pipe) < HEADER_BYTES + length:
        return False
    frame = behind(pipe)
    jit.store_be_u16(frame, 1 + length)
    jit.store_u8(frame + 2, kind)
    copy(frame + HEADER_BYTES, payload, length)
    filled(pipe, HEADER_BYTES + length)
    return True


# The text fields of a login: padded with spaces on either side.


@jit.compiled()
def put_number(target: int, room: int, number: int) -> None:
    """A number in digits, right-justified."""
    for n in range(room - 1, -1, -1):
        if number > 0 or n == room - 1:
            jit.store_u8(target + n, _ZERO + number % 10)
            number //= 10
        else:
            jit.store_u8(target + n, _SPACE)


@jit.compiled()
def number_at(source: int, room: int) -> int:
    """The number in these digits, with spaces before or behind.

    -1 for anything else, and for one beyond NUMBER_MAX.
    """
    number, has_digits, is_behind = 0, False, False
    for n in range(room):
        letter = jit.load_u8(source + n)
        if letter == _SPACE:
            is_behind = has_digits
            continue
        digit = letter - _ZERO
        if is_behind or not 0 <= digit <= 9 or number > (NUMBER_MAX - digit) // 10:
            return -1
        number, has_digits = 10 * number + digit, True
    return number if has_digits else -1


@jit.compiled()
def trim(source: int, room: int, target: int) -> int:
    """Copy a text without the spaces around it, spaces behind it instead: its length."""
    begin, end = 0, room
    while begin < end and jit.load_u8(source + begin) == _SPACE:
        begin += 1
    while end > begin and jit.load_u8(source + end - 1) == _SPACE:
        end -= 1
    for n in range(room):
        letter = jit.load_u8(source + begin + n) if begin + n < end else _SPACE
        jit.store_u8(target + n, letter)
    return end - begin


@jit.compiled()
def is_same(one: int, other: int, count: int) -> bool:
    differ = 0
    for n in range(count):
        differ |= jit.load_u8(one + n) ^ jit.load_u8(other + n)
    return differ == 0
