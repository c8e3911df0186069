"""Every OUCH message both ways: random ones against a twin, broken ones, and real captures."""

from __future__ import annotations

import struct
from random import Random

import numpy as np
import pytest
from fuzzing import fuzz_messages, fuzz_seconds, fuzz_seed, fuzzed
from ouch_twin import FROM_VENUE, LENGTHS, LENGTHS_BACK, SIGNED, TAG_SIZES, TO_VENUE, lengths, read
from recorded import recorded_all
from wire_bulk import blocks, chance, differing, number, random_rows, size_of

from hftlib.core import jit, ouch
from hftlib.core.errors import InputError
from hftlib.core.ouch import codec
from hftlib.core.ouch import options as o
from hftlib.core.ouch.messages import INBOUND, OUTBOUND, RECORD_BYTES_MAX
from hftlib.core.soup.frames import EITHER, Frames
from hftlib.feed.packets import TCP
from hftlib.feed.pcap import Capture

RANDOM_EACH = 2_000 if jit.COMPILED else 60
POOL = 500 if jit.COMPILED else 60
BLOCK = 4_096  # messages with the same elements, in bulk
GUARD = 0xA5
WAYS = [(INBOUND, TO_VENUE, letter) for letter in TO_VENUE]
WAYS += [(OUTBOUND, FROM_VENUE, letter) for letter in FROM_VENUE]
CAPTURES = recorded_all("mold_pcap/ouch50/*.pcap")


@jit.compiled("int64(int64, int64, int64, int64, int64, int64, int64)")
def there_and_back(inbound, messages, places, count, records, options, again):
    """Decode and encode messages that lie one after another; how many came back as long."""
    good = 0
    for n in range(count):
        begin, end = jit.load_i64(places + 8 * n), jit.load_i64(places + 8 * n + 8)
        record, there = records + n * RECORD_BYTES_MAX, options + n * o.OPTIONS_BYTES
        if inbound != 0:
            found = codec.decode_inbound(messages + begin, end - begin, record, there)
            back = codec.encode_inbound(record, there, end - begin, again + begin)
        else:
            found = codec.decode_outbound(messages + begin, end - begin, record, there)
            back = codec.encode_outbound(record, there, end - begin, again + begin)
        good += found == end - begin and back == found
    return good


def appendage(random: Random) -> bytes:
    """Some elements of known tags, in any order."""
    tags = random.sample(sorted(TAG_SIZES), random.choice((0, 0, 1, 2, 3, len(TAG_SIZES))))
    return b"".join(
        bytes((1 + TAG_SIZES[tag], tag)) + random.randbytes(TAG_SIZES[tag]) for tag in tags
    )


def test_the_types_and_their_lengths_are_those_of_the_protocol():
    assert {letter: one.size for letter, one in INBOUND.items()} == lengths(LENGTHS)
    assert {letter: one.size for letter, one in OUTBOUND.items()} == lengths(LENGTHS_BACK)
    assert {tag.number: tag.size for tag in ouch.TAGS.values()} == TAG_SIZES
    for messages, table, letter in WAYS:
        assert struct.calcsize(table[letter][0]) == messages[letter].size


@pytest.mark.modes
@pytest.mark.parametrize(
    ("messages", "table", "letter"), WAYS, ids=["to" + w for w in TO_VENUE] + list(FROM_VENUE)
)
def test_random_messages_are_read_as_the_twin_reads_them_and_written_as_they_were(
    messages, table, letter
):
    """A stream of them, long and short ones mixed, field by field in Python."""
    form, own = table[letter]
    size, seed = struct.calcsize(form), ord(letter) + 256 * fuzz_seed()
    random = np.random.default_rng(seed)
    slow = Random(seed)
    pool = [appendage(slow) for _ in range(POOL)]
    tails = [(b"" if own or not tail else len(tail).to_bytes(2, "big")) + tail for tail in pool]
    raw = random.integers(0, 256, (RANDOM_EACH, size), np.uint8)
    raw[0], raw[1] = 0, 255
    raw[:, 0] = ord(letter)
    chosen = random.integers(0, POOL, RANDOM_EACH)
    if own:
        raw[:, -2:] = (
            np.array([len(one) for one in pool], ">u2")[chosen].view(np.uint8).reshape(-1, 2)
        )
    stream = b"".join(raw[n].tobytes() + tails[chosen[n]] for n in range(RANDOM_EACH))
    places = np.zeros(RANDOM_EACH + 1, np.int64)
    places[1:] = np.cumsum(size + np.array([len(one) for one in tails], np.int64)[chosen])
    source, again = np.frombuffer(stream, np.uint8), np.zeros(len(stream), np.uint8)
    records = np.zeros((RANDOM_EACH, RECORD_BYTES_MAX), np.uint8)
    options = np.zeros(RANDOM_EACH, o.OPTIONS)
    where = [one.ctypes.data for one in (source, places)]
    behind = [one.ctypes.data for one in (records, options, again)]
    done = there_and_back(int(messages is INBOUND), *where, RANDOM_EACH, *behind)
    assert done == RANDOM_EACH
    assert (again == source).all()
    drawing = messages[letter]
    theirs = list(zip(*struct.iter_unpack(form, raw.tobytes()), strict=True))
    for field, column in zip(drawing.fields, theirs, strict=True):
        ours = records[:, field.record_at : field.record_at + field.record_size]
        if field.is_text or field.kind == "char":
            assert [one.tobytes() for one in ours] == list(column), field.name
        else:
            unsigned = np.ascontiguousarray(ours).view(f"u{field.record_size}")[:, 0]
            assert unsigned.tolist() == list(column), field.name
    expected = [
        read(raw[0].tobytes()[:-2] + len(one).to_bytes(2, "big") + one, table)[1]
        if own
        else read(raw[0].tobytes() + tail, table)[1]
        for one, tail in zip(pool, tails, strict=True)
    ]
    for n in range(RANDOM_EACH):
        wanted = expected[chosen[n]]
        assert int(options["count"][n]) == len(wanted)
    for n in random.integers(0, RANDOM_EACH, 500 if jit.COMPILED else 20):
        there = options[n]
        tags = there["order"][: there["count"]].tolist()
        assert [(t, int(there["values"][t])) for t in tags] == expected[chosen[n]]
        assert int(there["tags"]) == sum(1 << tag for tag in tags)


@jit.compiled("int64(int64, int64, int64, int64, int64, int64, int64, int64)")
def there_and_back_side_by_side(inbound, source, size, count, records, options, again, again_size):
    """Decode and encode messages of one length, side by side; how many went as they should."""
    good = 0
    for n in range(count):
        record, there = records + n * RECORD_BYTES_MAX, options + n * o.OPTIONS_BYTES
        if inbound != 0:
            found = codec.decode_inbound(source + n * size, size, record, there)
            back = codec.encode_inbound(record, there, again_size, again + n * again_size)
        else:
            found = codec.decode_outbound(source + n * size, size, record, there)
            back = codec.encode_outbound(record, there, again_size, again + n * again_size)
        good += found == size and back == again_size
    return good


def shape(random: Random, own: bool) -> list[tuple[int, int]] | None:
    """Tag and size of the elements of a block, in any order, unknown ones among them.

    None: nothing at all follows a type that has no appendage of its own.
    """
    if not own and random.random() < 0.5:
        return None
    tags = random.sample(sorted(TAG_SIZES), random.choice((0, 1, 1, 2, 2, 3, 4, 5, 8, 26)))
    found = [(tag, TAG_SIZES[tag]) for tag in tags]
    for _ in range(random.choice((0, 0, 0, 1, 2))):
        tag = random.choice([n for n in range(256) if n not in TAG_SIZES])
        found.insert(random.randrange(len(found) + 1), (tag, random.randrange(12)))
    return found


def block_of(random, letter, form, own, elements, count):
    """So many messages with these elements; where each value lies; which bytes are written again.

    The bytes of unknown elements are not: the second array is the messages without them.
    """
    size, places = size_of(form), []
    at = size if own else size + 2
    for _, width in elements or ():
        places.append(at + 2)
        at += 2 + width
    raw = random_rows(random, count, size if elements is None else at)
    raw[:, 0] = ord(letter)
    kept = np.ones(raw.shape[1], bool)
    for place, (tag, width) in zip(places, elements or (), strict=True):
        raw[:, place - 2 : place] = 1 + width, tag
        kept[place - 2 : place + width] = tag in TAG_SIZES
    if elements is None:
        return raw, places, raw
    begin = size if own else size + 2
    raw[:, begin - 2 : begin] = list((raw.shape[1] - begin).to_bytes(2, "big"))
    wanted = np.ascontiguousarray(raw[:, kept])
    wanted[:, begin - 2 : begin] = list((wanted.shape[1] - begin).to_bytes(2, "big"))
    return raw, places, wanted


def check_options(options, raw, elements, places, own) -> None:
    """What the codec found behind the fixed part, against the bytes themselves."""
    known = [(tag, at) for (tag, _), at in zip(elements or (), places, strict=True)]
    known = [(tag, at) for tag, at in known if tag in TAG_SIZES]
    assert (options["count"] == len(known)).all()
    assert (options["unknown"] == len(elements or ()) - len(known)).all()
    assert (options["tags"] == sum(1 << tag for tag, _ in known)).all()
    assert (options["tail"] == int(elements is not None and not own)).all()
    assert (options["wrong_at"] == 0).all()
    assert (options["order"][:, : len(known)] == [tag for tag, _ in known]).all()
    for tag, at in known:
        wanted = number(raw, at, TAG_SIZES[tag]).view(np.int64)
        if tag in SIGNED and TAG_SIZES[tag] == 4:
            wanted = wanted.astype(np.int32)
        assert (options["values"][:, tag] == wanted).all(), tag


@pytest.mark.modes
@pytest.mark.parametrize(
    ("messages", "table", "letter"), WAYS, ids=["to" + w for w in TO_VENUE] + list(FROM_VENUE)
)
def test_messages_in_bulk_with_any_elements_are_read_and_written_as_they_are(
    messages, table, letter
):
    form, own = table[letter]
    total, fields = fuzz_messages(100_000 if jit.COMPILED else 60), messages[letter].fields
    seed = 512 * fuzz_seed() + 2 * ord(letter) + (messages is INBOUND)
    random, shapes = chance(seed), Random(seed)
    for count in blocks(total, BLOCK if jit.COMPILED else 5):
        elements = shape(shapes, own)
        raw, places, wanted = block_of(random, letter, form, own, elements, count)
        records = np.full((count, RECORD_BYTES_MAX), GUARD, np.uint8)
        options = np.full(count * o.OPTIONS_BYTES, GUARD, np.uint8).view(o.OPTIONS)
        again = np.full_like(wanted, GUARD)
        source = (int(messages is INBOUND), raw.ctypes.data, raw.shape[1], count)
        target = (records.ctypes.data, options.ctypes.data, again.ctypes.data, wanted.shape[1])
        assert there_and_back_side_by_side(*source, *target) == count, elements
        assert differing(form, raw, records, fields) == [], elements
        check_options(options, raw, elements, places, own)
        assert (again == wanted).all(), elements
    way = "to" if messages is INBOUND else "from"
    print(f"OUCH {letter} {way} the venue: {total:,} messages, no difference")


def both(data: bytes, messages) -> tuple[int, np.ndarray, np.ndarray]:
    """What the codec finds; memory before and behind each place must stay as it was."""
    source = np.frombuffer(b"\xff" * 8 + data + b"\xff" * 8, np.uint8)
    record = np.full(RECORD_BYTES_MAX + 16, GUARD, np.uint8)
    options = np.zeros(3, o.OPTIONS)
    options.view(np.uint8)[:] = GUARD
    decode = codec.decode_inbound if messages is INBOUND else codec.decode_outbound
    found = decode(
        source.ctypes.data + 8,
        len(data),
        record.ctypes.data + 8,
        options.ctypes.data + o.OPTIONS_BYTES,
    )
    assert (record[:8] == GUARD).all() and (record[-8:] == GUARD).all()
    beside = np.delete(options.view(np.uint8).reshape(3, -1), 1, axis=0)
    assert (beside == GUARD).all()
    return int(found), record[8:-8].copy(), options[1:2].copy()


def judged(data: bytes, messages, table) -> None:
    """The codec and the twin agree on these bytes, whatever they are."""
    found, record, options = both(data, messages)
    slow = read(data, table)
    if isinstance(slow, str):
        assert found < 0 and o.REASONS[found] == slow
        assert 0 <= int(options["wrong_at"][0]) <= len(data)
        return
    assert found == len(data)
    there = options[0]
    tags = there["order"][: int(there["count"])].tolist()
    assert [(t, int(there["values"][t])) for t in tags] == slow[1]
    if there["unknown"]:
        return  # left out, so it is not written again
    again = np.full(len(data) + 16, GUARD, np.uint8)
    encode = codec.encode_inbound if messages is INBOUND else codec.encode_outbound
    where = (record.ctypes.data, options.ctypes.data, len(data), again.ctypes.data + 8)
    assert encode(*where) == len(data)
    assert again[8:-8].tobytes() == data
    assert (again[:8] == GUARD).all() and (again[-8:] == GUARD).all()
    assert encode(*where[:2], len(data) - 1, where[3]) == o.NO_ROOM


SAMPLES = [bytes(ouch.inbound(letter)) for letter in INBOUND]
SAMPLES += [bytes(ouch.outbound(letter)) for letter in OUTBOUND]
SAMPLES += [
    bytes(ouch.inbound("O", options={"firm": "LIME", "min_quantity": 100, "peg_offset": -5})),
    bytes(ouch.outbound("E", options={"secondary_reference": 2**63 - 1, "weight": "S"})),
    bytes(ouch.outbound("C", options={"urn_index": 2})),
]


@pytest.mark.modes
def test_broken_messages_are_refused_for_the_reason_the_twin_has():
    for data in [b"", *SAMPLES]:
        judged(data, INBOUND, TO_VENUE)
        judged(data, OUTBOUND, FROM_VENUE)
    for data in fuzzed(SAMPLES, seconds=fuzz_seconds(), rounds_max=None if jit.COMPILED else 300):
        if len(data) <= 600:
            judged(data, INBOUND, TO_VENUE)
            judged(data, OUTBOUND, FROM_VENUE)


@pytest.mark.modes
@pytest.mark.parametrize(
    ("data", "reason", "at"),
    [
        (b"", o.EMPTY, 0),
        (b"Z" * 64, o.UNKNOWN_TYPE, 0),
        (b"X\0\0\0\1\0\0\0", o.TOO_SHORT, 8),
        (b"X\0\0\0\1\0\0\0\0\0", o.TOO_LONG, 9),
        (b"X\0\0\0\1\0\0\0\0\0\5", o.TOO_LONG, 9),
        (b"D\0\0\0\1FIRM\0\1", o.APPENDAGE_LENGTH, 9),
        (b"D\0\0\0\1FIRM\0\1\0", o.CUT_OFF, 11),
        (b"D\0\0\0\1FIRM\0\2\2\4", o.CUT_OFF, 11),
        (b"D\0\0\0\1FIRM\0\3\2\4R", o.GOOD, 0),
        (b"D\0\0\0\1FIRM\0\4\3\4RR", o.TAG_LENGTH, 11),
        (b"D\0\0\0\1FIRM\0\6\2\4R\2\4R", o.TAG_TWICE, 14),
    ],
)
def test_what_is_wrong_is_told_with_its_place(data, reason, at):
    found, _, options = both(data, INBOUND)
    assert found == (len(data) if reason == o.GOOD else reason)
    assert int(options["wrong_at"][0]) == at


@pytest.mark.modes
def test_an_unknown_tag_is_left_out_and_counted():
    data = b"D\0\0\0\1FIRM\0\6\2\x63?\2\4R"
    found, _, options = both(data, INBOUND)
    assert found == len(data)
    assert (int(options["unknown"][0]), int(options["count"][0])) == (1, 1)
    assert ouch.decode(data, ouch.INBOUND).options == {"customer_type": "R"}
    assert "(1 of an unknown tag)" in repr(ouch.decode(data, ouch.INBOUND))


@pytest.mark.modes
def test_the_fixed_part_of_a_message_counts_though_its_appendage_is_broken():
    data = bytearray(bytes(ouch.outbound("E", urn=7, quantity=100, price="1.5", match=9)))
    found, record, _ = both(bytes(data) + b"\1", OUTBOUND)
    assert found == o.APPENDAGE_LENGTH
    executed = record[: OUTBOUND["E"].dtype.itemsize].view(OUTBOUND["E"].dtype)[0]
    assert (executed["urn"], executed["quantity"], executed["price"]) == (7, 100, 15_000)


def captured(path) -> list[tuple[bytes, bytes]]:
    """(type of frame, payload) of each frame in a capture."""
    found = []
    with Capture(path) as capture:
        for packet in capture.packets():
            if packet.protocol == TCP:
                frames = Frames(EITHER)
                found += [(f.type, f.payload) for f in frames.take(bytes(packet.payload))]
                assert not [name for name in frames.counts if name.startswith("refused")]
    return found


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_real_captures_are_read_and_written_the_same(path):
    frames = captured(path)
    assert frames
    for kind, payload in frames:
        if kind in (b"U", b"S"):
            direction = INBOUND if kind == b"U" else OUTBOUND
            message = ouch.decode(payload, direction)
            assert bytes(message) == payload
            judged(payload, direction, TO_VENUE if kind == b"U" else FROM_VENUE)
        else:
            assert (kind, payload) in ((b"R", b""), (b"H", b""))


def test_a_real_order_and_its_acceptance_read_as_people_would_say_it():
    by_name = {path.stem: captured(path) for path in CAPTURES}
    if not by_name:
        pytest.skip("no recorded OUCH: put it under a folder that HFT_DATA names")
    ((_, order),) = by_name["EnterOrderMessage"]
    ((_, told),) = by_name["OrderAcceptedMessage"]
    entered, accepted = ouch.decode(order, INBOUND), ouch.decode(told, OUTBOUND)
    assert (entered.symbol, entered.side, entered.quantity) == ("CVLT", "T", 225)
    assert (entered.urn, str(entered.price), entered.client_id) == (113, "63.0200", "H8FUB8IV")
    assert entered.options == {"firm": "LIME"}
    assert (accepted.symbol, accepted.side, accepted.quantity) == ("ADBE", "B", 40)
    assert accepted.options == {"firm": "MLRO", "weight": "0"}
    assert repr(accepted).startswith("<ouch A accepted timestamp=")


def test_what_is_no_message_is_told_in_a_sentence():
    with pytest.raises(InputError, match=r"its type is unknown.*byte 0.*O U X M C D E Q"):
        ouch.decode(b"Z" * 10, INBOUND)
    with pytest.raises(InputError, match="no optional field 'colour'"):
        ouch.inbound("O", options={"colour": 1})
    with pytest.raises(InputError, match="'LONGER' does not fit into firm"):
        ouch.inbound("O", options={"firm": "LONGER"})
    with pytest.raises(InputError, match="4294967296 does not fit into min_quantity"):
        ouch.inbound("O", options={"min_quantity": 2**32})
    with pytest.raises(InputError, match="no message 'A' to the venue"):
        ouch.inbound("A")


@pytest.mark.modes
def test_options_are_read_and_written_by_name():
    given = {"peg_offset": -250, "discretion_price": "1.0001", "firm": "AB", "max_floor": 100}
    order = ouch.inbound("O", urn=3, options=given)
    again = ouch.decode(bytes(order), INBOUND)
    assert again == order and hash(again) == hash(order)
    assert {k: str(v) for k, v in again.options.items()} == {k: str(v) for k, v in given.items()}
    assert len(bytes(order)) == 47 + 6 + 10 + 6 + 6
