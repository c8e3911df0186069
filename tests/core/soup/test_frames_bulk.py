"""Every type of SoupBinTCP in bulk: random frames against a twin that reads them with numpy.

    frames of any payload    sizes and bytes are drawn, their places are sums of the sizes
    logins and answers       texts and numbers are drawn, their columns of letters are written

All are read by the compiled reader and written by both writers, the compiled one and Python's.
Worst case: Python writes some 300,000 logins a second, so ten million take half a minute.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from fuzzing import fuzz_messages, fuzz_seed
from wire_bulk import blocks, chance, random_bytes

from hftlib.core import jit
from hftlib.core.soup import frames as soup
from hftlib.core.soup import pipes
from hftlib.core.soup.frames import CLIENT, EITHER, SERVER

pytestmark = pytest.mark.modes
FRAMES = 100_000 if jit.COMPILED else 60
BLOCK = 8_192 if jit.COMPILED else 20
BLOCK_BYTES = 1 << 22
# As the protocol lists them: the side that sends it, and its bytes behind the type; -1: any.
PROTOCOL = "L1:46 U1:-1 R1:0 O1:0 A2:30 J2:1 S2:-1 H2:0 Z2:0 +3:-1"
TYPES = {word[0]: (int(word[1]), int(word[3:])) for word in PROTOCOL.split()}
NUMBER_BYTES, NUMBER_MOST = 20, 1 << 62
NAMES = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef0123456789_-./!?", np.uint8)


@jit.compiled("int64(int64, int64, int64, int64, int64, int64)")
def read_and_write(stream, length, sender, places, room, pipe):
    """The frames of a stream into a pipe again; where each begins, then where they end."""
    at, n = 0, 0
    while n < room:
        found = soup.examine(stream + at, length - at, sender)
        if found <= 0:
            break
        jit.store_i64(places + 8 * n, at)
        kind = jit.load_u8(stream + at + 2)
        if not pipes.put_frame(pipe, kind, stream + at + 3, found - 3):
            break
        at, n = at + found, n + 1
    jit.store_i64(places + 8 * n, at)
    return n


@jit.compiled("int64(int64, int64, int64, int64, int64, int64)")
def numbers_and_names(rows, size, count, name_bytes, numbers, names):
    """Of payloads that end with a session and a number: both, the session without its spaces."""
    lengths = 0
    for n in range(count):
        at = rows + n * size + size - NUMBER_BYTES
        jit.store_i64(numbers + 8 * n, pipes.number_at(at, NUMBER_BYTES))
        lengths += pipes.trim(at - name_bytes, name_bytes, names + n * name_bytes)
    return lengths


@jit.compiled("void(int64, int64, int64)")
def write_numbers(numbers, count, target):
    for n in range(count):
        number = jit.load_i64(numbers + 8 * n)
        pipes.put_number(target + n * NUMBER_BYTES, NUMBER_BYTES, number)


def pipe_of(room):
    """A pipe with so much room: the memory, and what it holds."""
    memory = np.zeros(pipes.PIPE.itemsize + room, np.uint8)
    record = memory[: pipes.PIPE.itemsize].view(pipes.PIPE)
    record["at"], record["room"] = pipes.PIPE.itemsize, room
    return memory, record, memory[pipes.PIPE.itemsize :]


def check_stream(stream, wanted, letter):
    """The compiled reader finds these frames, of its side only; the writer writes them again."""
    side, count = TYPES[letter][0], len(wanted) - 1
    memory, record, held = pipe_of(len(stream))
    places = np.full(count + 2, -1, np.int64)
    where = (places.ctypes.data, count + 1, memory.ctypes.data)
    # The last one is not whole without its last byte; and the other side may not send it.
    for missing, sender in ((1, side), (0, side), (0, EITHER)):
        record["begin"] = record["end"] = 0
        length = len(stream) - missing
        assert read_and_write(stream.ctypes.data, length, sender, *where) == count - missing
    assert (places[:-1] == wanted).all() and places[-1] == -1
    assert record["end"][0] == len(stream) and (held == stream).all()
    if side != EITHER:
        other = CLIENT + SERVER - side
        assert soup.examine(stream.ctypes.data, len(stream), other) == soup.WRONG_SENDER


def frames_of(random, letter, count):
    """A stream of frames with random payloads, and where each begins."""
    size = TYPES[letter][1]
    most = int(random.choice([1, 8, 60, 60, 200, 65_534]))
    count = min(count, max(1, 2 * BLOCK_BYTES // (most + 6)))
    sizes = random.integers(0, most + 1, count) if size < 0 else np.full(count, size)
    if most == 65_534 and size < 0:
        sizes[-1] = most
    wanted = np.zeros(count + 1, np.int64)
    wanted[1:] = np.cumsum(sizes + 3)
    stream = random_bytes(random, int(wanted[-1])).copy()
    stream[wanted[:-1]], stream[wanted[:-1] + 1] = (sizes + 1) >> 8, (sizes + 1) & 0xFF
    stream[wanted[:-1] + 2] = ord(letter)
    return stream, wanted


@pytest.mark.parametrize("letter", TYPES)
def test_frames_of_each_type_are_read_where_they_lie_and_written_as_they_were(letter):
    random, done = chance(256 * fuzz_seed() + ord(letter)), 0
    total = fuzz_messages(FRAMES)
    while done < total:
        stream, wanted = frames_of(random, letter, min(BLOCK, total - done))
        check_stream(stream, wanted, letter)
        data, kind = stream.tobytes(), letter.encode()
        ends = wanted.tolist()
        made = [soup.encode(kind, data[begin + 3 : end]) for begin, end in pairwise(ends)]
        assert b"".join(made) == data
        if done == 0:
            taken = soup.Frames(TYPES[letter][0]).take(data[: ends[50]] if len(ends) > 50 else data)
            assert b"".join(soup.encode(one.type, one.payload) for one in taken) in data
        done += len(wanted) - 1
    print(f"SoupBinTCP {letter}: {done:,} frames, no difference")


def texts(random, count, width, pad_left):
    """Random names in columns of letters, padded with spaces; and as Python's strings."""
    sizes = random.integers(0, width + 1, count)
    place = np.arange(width)
    inside = place >= width - sizes[:, None] if pad_left else place < sizes[:, None]
    letters = NAMES[random.integers(0, len(NAMES), (count, width))]
    columns = np.where(inside, letters, ord(" ")).astype(np.uint8)
    whole = columns.tobytes().decode("ascii")
    return columns, [whole[n : n + width].strip(" ") for n in range(0, count * width, width)]


def numbers_of(random, count):
    """Random numbers of any length, and their digits in columns, padded on the left."""
    numbers = random.integers(0, NUMBER_MOST + 1, count) >> random.integers(0, 63, count)
    numbers[:1], numbers[1:2] = NUMBER_MOST, 0
    columns = np.full((count, NUMBER_BYTES), ord(" "), np.uint8)
    rest = numbers.copy()
    for place in range(NUMBER_BYTES - 1, -1, -1):
        has_digit = (rest > 0) | (place == NUMBER_BYTES - 1)
        columns[has_digit, place] = ord("0") + rest[has_digit] % 10
        rest //= 10
    return numbers, columns


def on_the_right(columns, some):
    """These rows with the spaces of their number behind it."""
    moved = columns.copy()
    for n in np.flatnonzero(some):
        text = columns[n].tobytes().strip(b" ")
        moved[n] = np.frombuffer(text.ljust(NUMBER_BYTES), np.uint8)
    return moved


@pytest.mark.parametrize("letter", "LA")
def test_logins_and_answers_say_what_they_were_made_of(letter):
    random = chance(256 * fuzz_seed() + 1 + ord(letter))
    total = fuzz_messages(FRAMES)
    for count in blocks(total, BLOCK):
        numbers, digits = numbers_of(random, count)
        sessions, session_names = texts(random, count, 10, True)
        users, user_names = texts(random, count, 6, False)
        passwords, secrets = texts(random, count, 10, False)
        parts = [users, passwords, sessions] if letter == "L" else [sessions]
        size = sum(part.shape[1] for part in parts) + NUMBER_BYTES
        head = np.tile(np.array([0, size + 1, ord(letter)], np.uint8), (count, 1))
        rows = np.concatenate([head, *parts, digits], axis=1)
        check_stream(rows.reshape(-1), np.arange(count + 1) * (size + 3), letter)
        whole = numbers.tolist()
        if letter == "L":
            of_each = zip(user_names, secrets, session_names, whole, strict=True)
            made = [soup.login(*one) for one in of_each]
        else:
            made = [soup.accepted(*one) for one in zip(session_names, whole, strict=True)]
        assert b"".join(made) == rows.tobytes()
        rows[:, -NUMBER_BYTES:] = on_the_right(digits, np.arange(count) % 8 == 3)
        check_read(rows, numbers, session_names)
        again = np.zeros((count, NUMBER_BYTES), np.uint8)
        write_numbers(numbers.ctypes.data, count, again.ctypes.data)
        assert (again == digits).all()
    print(f"SoupBinTCP {letter}, its fields: {total:,} frames, no difference")


def check_read(rows, numbers, session_names):
    """Both readers, of numbers padded on either side."""
    count, size = rows.shape
    found, names = np.zeros(count, np.int64), np.zeros((count, 10), np.uint8)
    where = (rows.ctypes.data, size, count, 10, found.ctypes.data, names.ctypes.data)
    assert numbers_and_names(*where) == sum(map(len, session_names))
    assert (found == numbers).all()
    assert names.tobytes().decode() == "".join(name.ljust(10) for name in session_names)
    data = rows[:, -NUMBER_BYTES:].tobytes()
    fields = range(0, len(data), NUMBER_BYTES)
    assert [soup.number_of(data[at : at + NUMBER_BYTES]) for at in fields] == numbers.tolist()
