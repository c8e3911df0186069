"""An audit log that somebody has been at: whatever was changed is found, and said in a sentence."""

from __future__ import annotations

import itertools
import os
import random
import shutil

import pytest

from hftlib.core.audit import AuditLog, lines_of, read_audit, verified
from hftlib.core.audit.line import FACT_MAX, FACTS_MAX, FIRST, LINE_BYTES_MAX, Line
from hftlib.core.errors import HftError, HostError, InputError, StateError


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "audit.log"
    with AuditLog(path) as log:
        for n in range(12):
            log.append(who="ann", did="look", what=f"thing {n}", why="to see", rows=n, share=0.5)
    return path


@pytest.fixture
def log(whole, tmp_path):
    return shutil.copy2(whole, tmp_path / "audit.log")


def refusal(path, kind=InputError, **given):
    with pytest.raises(kind) as caught:
        verified(path, **given)
    return str(caught.value)


def test_it_is_read_as_it_was_written(whole):
    lines = read_audit(whole)
    assert [line.number for line in lines] == list(range(1, 13))
    assert [line.what for line in lines] == [f"thing {n}" for n in range(12)]
    assert lines[3].facts == {"rows": 3, "share": 0.5}
    assert [one.before for one in lines] == [FIRST, *(one.digest for one in lines[:-1])]
    assert all(one.time_ns <= other.time_ns for one, other in itertools.pairwise(lines))


def test_any_byte_that_was_changed_is_found(log):
    good, rng = log.read_bytes(), random.Random(7)
    places = range(len(good))
    for place in [*rng.sample(places, 300), 0, len(good) - 2]:
        bad = bytearray(good)
        bad[place] ^= 1 << rng.randrange(8)
        log.write_bytes(bytes(bad))
        with pytest.raises(HftError):
            verified(log, head=read_head(good))
    # The last byte is the end of the last line: without it that line is a torn one.
    log.write_bytes(good[:-1] + b" ")
    assert "has no end" in refusal(log, StateError)


def read_head(data):
    import hashlib

    return hashlib.sha256(data.splitlines(keepends=True)[-1]).hexdigest()


def test_the_last_line_changed_is_found_by_the_anchor_only(log):
    """Nothing follows it, so the chain alone cannot know; that is what an anchor is for."""
    lines, head = log.read_bytes().splitlines(keepends=True), verified(log).head
    lines[-1] = lines[-1].replace(b'"who":"ann"', b'"who":"bob"')
    log.write_bytes(b"".join(lines))
    assert verified(log).lines == 12
    assert "None of its 12 lines has that digest" in refusal(log, StateError, head=head)


@pytest.mark.parametrize("place", [0, 5, 11])
def test_a_line_moved_removed_or_doubled_is_found(log, place):
    lines = log.read_bytes().splitlines(keepends=True)
    head = verified(log).head
    other = (place + 3) % 12
    moved = [*lines]
    moved[place], moved[other] = moved[other], moved[place]
    doubled = [*lines[:place], lines[place], *lines[place:]]
    for bad in (moved, doubled):
        log.write_bytes(b"".join(bad))
        assert "does not follow the line before it" in refusal(log)
    log.write_bytes(b"".join([*lines[:place], *lines[place + 1 :]]))
    kind = StateError if place == 11 else InputError
    assert refusal(log, kind, head=head)


def test_an_end_that_was_cut_off_is_found_against_an_anchor(log):
    lines, anchors = log.read_bytes().splitlines(keepends=True), read_audit(log)
    log.write_bytes(b"".join(lines[:7]))
    assert verified(log).lines == 7
    assert verified(log, head=anchors[6].digest).anchor == 7
    assert verified(log, head=anchors[3].digest[:12]).anchor == 4
    assert "its end was cut off" in refusal(log, StateError, head=anchors[8].digest)


def test_a_chain_written_anew_is_found_against_an_anchor(log):
    head, before = verified(log).head, FIRST
    forged = []
    for line in read_audit(log):
        told = {name: getattr(line, name) for name in Line.__slots__}
        made = Line(**(told | {"before": before, "why": "for no reason"}))
        forged.append(made.text())
        before = made.digest
    log.write_bytes(b"".join(forged))
    assert verified(log).lines == 12
    assert "has that digest" in refusal(log, StateError, head=head)


@pytest.mark.parametrize("head", ["4f", "zz" * 32, "g" * 64, "0" * 65, "ab cd" * 4])
def test_what_is_no_digest_is_refused(log, head):
    assert "no digest of a line" in refusal(log, InputError, head=head)


@pytest.mark.parametrize(
    "line",
    [
        b"{}\n",
        b"[]\n",
        b"\n",
        b"null\n",
        b"\xff\xfe\n",
        b'{"format":1}\n',
        b'{"format":2,"number":1}\n',
        b"[" * 5000 + b"\n",
        b"1" * (LINE_BYTES_MAX + 2) + b"\n",
    ],
)
def test_what_is_no_line_is_refused(log, line):
    good = log.read_bytes()
    for bad in (line, good + line):
        log.write_bytes(bad)
        assert "Where: " in refusal(log)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("number", True),
        ("number", 0),
        ("number", 2.0),
        ("time_ns", -1),
        ("time_ns", 2**70),
        ("before", "0" * 63),
        ("who", ""),
        ("who", "x" * 100),
        ("who", "a\x1b[2Jb"),
        ("why", None),
        ("facts", {"Rows": 1}),
        ("facts", {"rows": [1]}),
        ("facts", {"rows": "x" * (FACT_MAX + 1)}),
        ("facts", {f"a{n}": n for n in range(FACTS_MAX + 1)}),
    ],
)
def test_a_field_that_cannot_be_is_refused(tmp_path, name, value):
    path = tmp_path / "audit.log"
    told = {"number": 1, "before": FIRST, "time_ns": 5, "who": "ann", "did": "look"}
    told |= {"what": "", "why": "", "facts": {}}
    path.touch(0o600)
    path.write_bytes(Line(**told).text())
    assert verified(path).lines == 1
    path.write_bytes(Line(**(told | {name: value})).text())
    assert "cannot stand there" in refusal(path)


def test_a_file_that_is_none_or_that_others_may_write_is_refused(log, tmp_path):
    link = tmp_path / "link.log"
    link.symlink_to(log)
    assert "is a link" in refusal(link)
    other = tmp_path / "other.log"
    os.link(log, other)
    assert "one name" in refusal(log)
    other.unlink()
    os.mkfifo(tmp_path / "pipe.log")
    assert "no plain file" in refusal(tmp_path / "pipe.log")
    log.chmod(0o622)
    assert "Others may write" in refusal(log)
    with pytest.raises(InputError, match="Others may write"):
        AuditLog(log)
    with pytest.raises(HostError, match="No such file"):
        list(lines_of(tmp_path / "none.log"))


def test_an_empty_log_is_one(tmp_path):
    path = tmp_path / "audit.log"
    path.touch(0o600)
    found = verified(path)
    assert (found.lines, found.head) == (0, FIRST)
