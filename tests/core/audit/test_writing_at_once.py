"""Lines are added to the audit log: by several at once, by one that is killed, on a full disk."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
import threading

import pytest

from hftlib.core.audit import AuditLog, mend, read_audit, verified
from hftlib.core.audit.line import FACTS_MAX
from hftlib.core.errors import HftError, HostError, InputError, StateError

WRITER = """
import sys
from pathlib import Path
from hftlib.core.audit import AuditLog
with AuditLog(Path(sys.argv[1])) as log:
    for n in range(int(sys.argv[3])):
        log.append(who=sys.argv[2], did="look", what=f"thing {n}")
"""
# A writer whose process ends after half of its bytes are there.
KILLED = """
import os, signal, sys
from pathlib import Path
from hftlib.core.audit import AuditLog
log, write = AuditLog(Path(sys.argv[1])), os.write
def half(descriptor, data):
    write(descriptor, data[:len(data) // 2])
    os.kill(os.getpid(), signal.SIGKILL)
os.write = half
log.append(who="ann", did="look", what="the end")
"""


def started(program, *words):
    return subprocess.Popen([sys.executable, "-c", program, *map(str, words)])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "audit.log"


def test_processes_and_threads_that_write_at_once_make_one_chain(path):
    log = AuditLog(path)
    others = [started(WRITER, path, name, 40) for name in ("bob", "cyd")]

    def own(name):
        for n in range(40):
            log.append(who=name, did="look", what=f"thing {n}")

    threads = [threading.Thread(target=own, args=(name,)) for name in ("ann", "dan")]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert [one.wait(60) for one in others] == [0, 0]
    lines = read_audit(path)
    assert len(lines) == 160 and log.head == lines[-1].digest
    for name in ("ann", "bob", "cyd", "dan"):
        assert [one.what for one in lines if one.who == name] == [f"thing {n}" for n in range(40)]


def test_a_torn_end_is_told_and_taken_away_only_by_hand(path):
    with AuditLog(path) as log:
        log.append(who="ann", did="look", what="before")
        assert started(KILLED, path).wait(60) == -signal.SIGKILL
        torn = path.read_bytes().rpartition(b"\n")[2]
        assert torn and not torn.endswith(b"\n")
        for use in (lambda: read_audit(path), lambda: AuditLog(path), lambda: verified(path)):
            with pytest.raises(StateError, match="hft audit mend"):
                use()
        with pytest.raises(StateError, match="has no end"):
            log.append(who="ann", did="look", what="behind it")
        assert path.read_bytes().endswith(torn), "nobody has touched it"
        assert mend(path, "bob") == len(torn)
        assert mend(path, "bob") == 0
        log.append(who="ann", did="look", what="after")
    lines = read_audit(path)
    assert [one.what for one in lines] == ["before", "a torn end", "after"]
    assert (lines[1].who, lines[1].facts["bytes"]) == ("bob", len(torn))
    assert path.with_name("audit.log.torn").read_bytes() == torn + b"\n"


def test_what_comes_there_in_part_is_taken_back(path):
    """A real limit of the kernel: a file may not grow beyond it, so a write comes in part."""
    program = """
import resource, signal, sys
from pathlib import Path
from hftlib.core.audit import AuditLog
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
log = AuditLog(Path(sys.argv[1]))
size = Path(sys.argv[1]).stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 50, size + 50))
try:
    log.append(who="ann", did="look", what="too much")
except Exception as error:
    print(error)
"""
    with AuditLog(path) as log:
        log.append(who="ann", did="look", what="before")
    before = path.read_bytes()
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
    )
    assert "The audit log cannot be used: No space left" in done.stdout
    assert path.read_bytes() == before


def test_a_strangers_text_is_written_as_it_prints(path):
    odd = (
        "x" * 9_000,
        "\x1b[2J\r\nroot",
        "\ud800",
        "\u202eevil",
        "\x00",
        "=cmd()",
        "",
        " ",
        "😀" * 300,
    )
    with AuditLog(path) as log:
        for one in odd:
            log.append(who=one, did="login", what=one, why=one, name=one, ok=False, more=object())
    lines = read_audit(path)
    assert len(lines) == len(odd)
    for line in lines:
        words = (line.who, line.what, line.why, *map(str, line.facts.values()))
        assert all(word.isprintable() for word in words)
    assert lines[1].who == "\\u001b[2J root" and lines[6].who == "nobody"


def test_the_largest_line_that_can_be_is_read_again(path):
    with AuditLog(path) as log:
        facts = {"a" * 38 + f"{n:02d}": "😀" * 500 for n in range(FACTS_MAX)}
        log.append(who="😀" * 500, did="😀" * 500, what="😀" * 500, why="😀" * 500, **facts)
        log.append(who="ann", did="look", what="after")
    assert [line.number for line in read_audit(path)] == [1, 2]


@pytest.mark.parametrize(
    "given", [{"did": ""}, {"Rows": 1}, {"r-s": 1}, {f"a{n}": n for n in range(FACTS_MAX + 1)}]
)
def test_what_the_program_itself_may_not_say_is_refused(path, given):
    with AuditLog(path) as log, pytest.raises(InputError):
        log.append(**({"who": "ann", "did": "look", "what": "x"} | given))
    assert read_audit(path) == []


def test_a_log_that_was_put_in_another_place_is_told(path):
    with AuditLog(path) as log:
        log.append(who="ann", did="look", what="before")
        path.rename(path.with_name("old.log"))
        for there in (False, True):
            if there:
                path.touch(0o600)
            with pytest.raises(HftError, match=r"another place|No such file"):
                log.append(who="ann", did="look", what="after")
    assert len(read_audit(path.with_name("old.log"))) == 1


def test_a_place_that_cannot_be_is_a_sentence(tmp_path):
    (tmp_path / "file").touch()
    for place in (tmp_path, tmp_path / "file" / "audit.log"):
        with pytest.raises(HostError, match="audit log cannot be used"):
            AuditLog(place)
    with AuditLog(tmp_path / "audit.log") as log:
        assert (tmp_path / "audit.log").stat().st_mode & 0o777 == 0o600
        assert log.head == "0" * 64
