"""A standby's copy: the same bytes as the journal, or nothing of what came."""

import os
import random
import shutil
import time

import pytest
from journal_twin import frame, session_of

from hftlib.core.errors import HftError, InputError, StateError
from hftlib.core.journal import Journal, frames, kinds, verify
from hftlib.core.journal.copying import Copy
from hftlib.core.journal.layout import PAGE_BYTES
from hftlib.core.journal.replicating import Replication, difference
from hftlib.core.journal.scanning import MORE
from hftlib.core.journal.walking import Walk
from hftlib.ops.standby_meeting import partial_seals

SMALL = {"segment_bytes": 1 << 15, "block_bytes": PAGE_BYTES}
FOLLOWED = {"durability": "replicated", "followed": True}
DRAW = random.Random(int(os.environ.get("HFT_FUZZ_SEED") or "7"))


def written(folder, count=400, **more):
    """A journal with frames of many lengths, closed."""
    with Journal.create(folder, {"what": "a test"}, **(SMALL | FOLLOWED | more)) as journal:
        fill(journal, count)
    return folder


def fill(journal, count, draw=DRAW):
    for n in range(count):
        journal.append(kinds.NOTE, n, draw.randbytes(draw.choice((0, 1, 7, 8, 60, 900))))


def batches(folder, copy, draw=DRAW):
    """What lies behind a copy's end, some frames at a time: segment, begin, bytes."""
    walk = Walk(folder, start=copy.place)
    while True:
        here = walk.place
        if walk.step(draw.randint(1, 30)) != MORE:
            return
        now = walk.place
        begin = here.position if here.segment == now.segment else PAGE_BYTES
        yield now.segment, begin, bytes(walk.segment.view(begin, now.position))


def header_of(folder):
    return (folder / "000000.segment").read_bytes()[:128]


def same(one, other):
    """Whether two folders hold the same segments and the same chain; room behind it is nobody's."""
    names = sorted(path.name for path in one.glob("*.segment"))
    assert names == sorted(path.name for path in other.glob("*.segment"))
    chains = [(folder / "chain").read_bytes().rstrip(b"\0") for folder in (one, other)]
    same = all((one / name).read_bytes() == (other / name).read_bytes() for name in names)
    return same and chains[0] == chains[1] != b""


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    return written(tmp_path_factory.mktemp("day") / "day.journal")


def copied(day, folder):
    """All of it, by batches; the chain is sealed where the journal's is."""
    copy = Copy.begun(folder, header_of(day))
    for one in batches(day, copy):
        copy.take(*one)
    return copy


def test_a_copy_is_the_journal_byte_for_byte(day, tmp_path):
    copy = copied(day, tmp_path / "copy")
    head = copy.end()
    assert same(day, copy.folder) and len(list(day.glob("*.segment"))) > 2
    assert verify(copy.folder, head=head.hex()).is_whole
    assert list(frames(copy.folder)) == list(frames(day))


def test_a_journal_that_was_closed_and_gone_on_with_has_the_same_chain(day, tmp_path):
    folder = tmp_path / "day"
    shutil.copytree(day, folder)
    for _ in range(2):
        with Journal.carry_on(folder) as journal:
            fill(journal, 60)
    copy = Copy.begun(tmp_path / "copy", header_of(folder))
    seals = partial_seals(journal, 0)
    assert len(seals) == 3
    for one in batches(folder, copy, random.Random(1)):  # cut where a block ended early
        copy_to(copy, one, seals)
    assert not seals
    copy.end()
    assert same(folder, copy.folder)


def size_of(data):
    """Bytes of the first frame of them."""
    return 32 + (int.from_bytes(data[16:20], "little") + 7) // 8 * 8


def copy_to(copy, one, seals):
    """A batch, one frame after the other, sealed where the journal was."""
    segment, begin, data = one
    while data:
        size = size_of(data)
        copy.take(segment, begin, data[:size])
        begin, data = begin + size, data[size:]
        if seals and copy.sequence == seals[0][0]:
            assert copy.seal().hex() == seals.popleft()[1]


def test_a_copy_is_taken_up_where_it_was_left_or_killed(day, tmp_path):
    folder = tmp_path / "copy"
    copy = Copy.begun(folder, header_of(day))
    taken = 0
    while True:
        found = next(batches(day, copy), None)
        if found is None:
            break
        segment, begin, data = found
        copy.take(segment, begin, data)
        taken += 1
        if taken % 9 == 0:  # killed while it puts down the next
            more = next(batches(day, copy), None)
            copy.close()
            if more is not None and more[0] == copy.place.segment:
                torn = max(8, len(more[2]) * DRAW.randint(1, 7) // 8 // 8 * 8)
                with (folder / f"{more[0]:06d}.segment").open("r+b") as file:
                    file.seek(more[1] + DRAW.choice((0, 8)))
                    file.write(more[2][:torn])
            copy = Copy.taken_up(folder)
    copy.end()
    assert same(day, folder) and taken > 20
    assert verify(folder).is_whole


@pytest.mark.parametrize("synced", [False, True])
def test_what_is_no_frame_of_it_changes_nothing(day, tmp_path, synced):
    copy = Copy.begun(tmp_path / "copy", header_of(day), synced=synced)
    draw, refused = random.Random(3), 0
    for segment, begin, data in batches(day, copy):
        before = copy.place
        for _ in range(3):
            at, spoilt = draw.randrange(len(data)), bytearray(data)
            spoilt[at] ^= 1 << draw.randrange(8)
            cases = [(segment, begin, bytes(spoilt)), (segment, begin, data[: len(data) - 8])]
            cases += [(segment + 1, begin, data), (segment, begin + 8, data), (segment, begin, b"")]
            cases += [(segment, begin, draw.randbytes(draw.randrange(1, 400)))]
            for one in cases:
                with pytest.raises(InputError, match="no frames for this copy"):
                    copy.take(*one)
                refused += 1
        assert copy.place == before
        copy.take(segment, begin, data)
    assert refused > 200
    copy.end()
    assert same(day, copy.folder)


def test_a_header_from_elsewhere_is_believed_only_if_it_is_one(day, tmp_path):
    good = header_of(day)
    draw = random.Random(5)
    for n in range(300):
        spoilt = bytearray(good if n % 3 else draw.randbytes(128))
        if n % 3:
            spoilt[draw.randrange(128)] ^= 1 << draw.randrange(8)
        with pytest.raises(HftError):
            Copy.begun(tmp_path / "copy", bytes(spoilt))
        assert not (tmp_path / "copy").exists()
    for length in (0, 8, 127, 129, 4096):
        with pytest.raises(HftError):
            Copy.begun(tmp_path / "copy", (good + bytes(5000))[:length])
    keyed = written(tmp_path / "keyed", 3, key=b"k" * 32)
    with pytest.raises(InputError, match="made with a key"):
        Copy.begun(tmp_path / "copy", header_of(keyed))


def test_nobody_appends_to_a_copy(day, tmp_path):
    copy = Copy.begun(tmp_path / "copy", header_of(day))
    copy.take(*next(batches(day, copy)))
    with pytest.raises(StateError, match="frames of its journal only"):
        copy.append(kinds.NOTE, 1, b"mine")
    last = copy.sequence
    copy.close()
    with pytest.raises(HftError, match="takes nothing more"):
        copy.take(0, PAGE_BYTES, bytes(32))
    assert copy.sequence == last and verify(copy.folder).is_whole


def halves(day, tmp_path, share=0.5):
    """A copy of the first frames, left."""
    copy = Copy.begun(tmp_path / "copy", header_of(day))
    total = len(list(frames(day)))
    for one in batches(day, copy):
        copy.take(*one)
        if copy.sequence > total * share:
            break
    made = copy.standing
    until = time.monotonic() + 10
    while copy.standing.blocks < 3 and time.monotonic() < until:
        time.sleep(0.002)
    copy.close()
    return copy.folder, made, total


def test_a_standing_says_where_a_copy_differs(day, tmp_path):
    folder, standing, total = halves(day, tmp_path)
    assert difference(day, standing, total) == ""
    assert "and the journal 1" in difference(day, standing, 1)
    other = written(tmp_path / "other")
    made = Copy.begun(tmp_path / "mine", header_of(other))
    assert "are others than the journal's" in difference(day, made.standing, total)
    made.close()
    assert folder.exists()


def forged(folder, sequence):
    """A frame with another payload of the same size, and the CRC that belongs to it."""
    path = folder / "000000.segment"
    data, at = bytearray(path.read_bytes()), PAGE_BYTES
    for one in frames(folder):
        whole = frame(session_of(data), *one)
        if one.sequence == sequence:
            other = one._replace(payload=bytes(byte ^ 1 for byte in one.payload))
            data[at : at + len(whole)] = frame(session_of(data), *other)
            assert data[at : at + len(whole)] != whole
            break
        at += len(whole)
    path.write_bytes(data)


def test_a_copy_that_somebody_changed_is_refused(day, tmp_path):
    folder, _standing, total = halves(day, tmp_path)
    sealed = tmp_path / "sealed"
    shutil.copytree(folder, sealed)
    forged(sealed, 1)
    with pytest.raises(StateError, match=r"not what was sent: .* hash is not"):
        Copy.taken_up(sealed)
    # Before anything is sealed, a right CRC is all that is looked at: the runner sees it.
    young = tmp_path / "young"
    first = Copy.begun(young, header_of(day))
    segment, begin, data = next(batches(day, first))
    first.take(segment, begin, data[: size_of(data)])  # one frame, which is no block
    first.close()
    forged(young, 1)
    again = Copy.taken_up(young)
    assert "are others than the journal's" in difference(day, again.standing, total)
    again.close()


def test_a_replicated_journal_is_durable_where_the_standby_says(tmp_path):
    with pytest.raises(InputError, match="none does here"):
        Journal.create(tmp_path / "a", {}, durability="replicated")
    with Journal.create(tmp_path / "a", {}, durability="replicated", followed=True) as journal:
        tells = Replication(journal)
        fill(journal, 20)
        assert journal.durable == 0 and journal.sync() == journal.sequence == 21
        assert journal.durable == 0, "a disk is no standby"
        tells.acknowledge(7)
        assert journal.durable == 7 and tells.durability == "replicated"
        tells.turn_to("power")
        until = time.monotonic() + 10
        last = journal.append(kinds.NOTE, 1, b"x")
        while journal.durable < last and time.monotonic() < until:
            time.sleep(0.001)
        assert journal.durable == last and tells.durability == "power"
        tells.turn_to("replicated")
        assert journal.durable == 7
        tells.acknowledge(last)
        assert journal.durable == last
        tells.turn_to("process")
        assert journal.durable == journal.sequence
    journal = Journal.carry_on(tmp_path / "a")
    assert journal.durable == 0, "until a standby is heard"
    Replication(journal).give_up("the standby is lost")
    with pytest.raises(HftError, match="the standby is lost"):
        journal.append(kinds.NOTE, 1, b"x")
    journal.close()
    assert verify(tmp_path / "a").state == "cut off"
