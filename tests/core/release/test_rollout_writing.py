"""Steps are added one behind the other, whole or not at all, whoever else is at it or is killed."""

from __future__ import annotations

import fcntl
import resource
import signal
import subprocess
import sys
import time

import pytest
from small_release import DESK
from small_rollout import (
    ANN,
    BEA,
    STRANGER,
    TRUSTED,
    draft,
    lines_of,
    shelf_of,
    taken,
    to_champion,
)

from hftlib.core.errors import HftError, HostError, InputError, StateError
from hftlib.core.release import rollout_file
from hftlib.core.release.keys import make_key, save_key
from hftlib.core.release.reading import read_release
from hftlib.core.release.rollout import read_rollout
from hftlib.core.release.rollout_file import mend_log
from hftlib.core.release.rollout_writing import add_step

WORDS = "some words here"
WRITER = """
import sys, time
from pathlib import Path
from hftlib.core.errors import StateError
from hftlib.core.release.keys import open_key, trusted_keys
from hftlib.core.release.reading import read_release
from hftlib.core.release.rollout_step import Draft
from hftlib.core.release.rollout_writing import add_step

shelf, keys, who, count = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
trusted, key = trusted_keys(keys), open_key(keys / f"{who}.key", "some words here")
one = read_release(shelf / "maker-7", trusted)
signer = f"{one.key.name} {one.key.id}"
print("ready", flush=True)
sys.stdin.readline()
done = 0
while done < count:
    what = "moved" if done % 2 == 0 else "taken away"
    told = (one.manifest.serial, one.digest, signer, f"{who} {done}")
    try:
        add_step(shelf, "maker", trusted, key, Draft(what, "shadow", *told))
        done += 1
        print(done, flush=True)
    except StateError:
        time.sleep(0.002)  # the other has it there just now
"""


@pytest.fixture
def keys(tmp_path):
    folder = tmp_path / "keys"
    folder.mkdir()
    for one in (DESK, ANN, BEA):
        save_key(one, folder / f"{one.public.name}.key", WORDS)
    return folder


def writer(shelf, keys, who, count=30):
    made = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(shelf), str(keys), who, str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert made.stdout.readline() == "ready\n"
    return made


def go(*writers):
    for one in writers:
        one.stdin.write("\n")
        one.stdin.flush()


def test_two_who_add_at_the_same_moment_add_one_behind_the_other(tmp_path, keys):
    shelf, _ = shelf_of(tmp_path)
    both = [writer(shelf, keys, "ann"), writer(shelf, keys, "bea")]
    go(*both)
    for one in both:
        one.communicate(timeout=60)
        assert one.returncode == 0
    rollout = read_rollout(shelf, "maker", TRUSTED)
    assert len(rollout.steps) == 60 and {one.by for one in rollout.steps} == {"ann", "bea"}
    for who in ("ann", "bea"):
        said = [one.why for one in rollout.steps if one.by == who]
        assert said == [f"{who} {n}" for n in range(30)]


def test_whoever_is_killed_leaves_whole_steps_and_at_most_a_torn_one(tmp_path, keys):
    shelf, _ = shelf_of(tmp_path)
    for turn in range(3):
        made = writer(shelf, keys, "ann", 1_000)
        go(made)
        told = made.stdout.readline()
        time.sleep(0.013 * turn)
        made.send_signal(signal.SIGKILL)
        told += made.communicate()[0]
        try:
            rollout = read_rollout(shelf, "maker", TRUSTED)
        except StateError as error:
            assert "has no end" in str(error)
            mend_log(shelf, "maker")
            rollout = read_rollout(shelf, "maker", TRUSTED)
        acknowledged = max(map(int, told.split()))
        assert rollout.steps[-1].why in (f"ann {acknowledged - 1}", f"ann {acknowledged}")
        if rollout.at("shadow"):
            taken(shelf, (BEA, "taken away", "shadow", _one(shelf)))


def _one(shelf):
    return read_release(shelf / "maker-7", TRUSTED)


def test_what_is_no_longer_so_is_refused_and_nothing_is_written(tmp_path):
    shelf, (old, new) = shelf_of(tmp_path)
    taken(shelf, *to_champion(old), *to_champion(new))
    before = lines_of(shelf)
    taken(shelf, (ANN, "rolled back", "champion", old))
    with pytest.raises(StateError, match="which is none"):
        taken(shelf, (BEA, "rolled back", "champion", old))
    assert lines_of(shelf)[:-1] == before


def test_a_torn_line_is_taken_away_by_hand_only(tmp_path):
    shelf, (old, _) = shelf_of(tmp_path)
    taken(shelf, (ANN, "moved", "shadow", old))
    path, (line,) = shelf / "maker.rollout", lines_of(shelf)
    path.write_bytes(line + line[:100])
    with pytest.raises(StateError, match="100 bytes are no step"):
        taken(shelf, (ANN, "moved", "canary", old))
    assert mend_log(shelf, "maker") == 100 and mend_log(shelf, "maker") == 0
    taken(shelf, (ANN, "moved", "canary", old))
    path.write_bytes(line + b"x" * 20_000)
    with pytest.raises(InputError, match="no torn line"):
        mend_log(shelf, "maker")
    with pytest.raises(HftError):
        mend_log(shelf, "other")


def test_what_comes_to_the_disk_in_part_is_taken_back(tmp_path):
    """A file that may not grow beyond its limit is a disk that is full."""
    shelf, (old, _) = shelf_of(tmp_path)
    taken(shelf, (ANN, "moved", "shadow", old))
    before = (shelf / "maker.rollout").read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    kept = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 50, hard))
        with pytest.raises(HostError, match="cannot be used"):
            taken(shelf, (ANN, "moved", "canary", old))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, kept)
    assert (shelf / "maker.rollout").read_bytes() == before
    taken(shelf, (ANN, "moved", "canary", old))


def test_who_holds_the_log_is_waited_for_not_for_ever(tmp_path, monkeypatch):
    shelf, (old, _) = shelf_of(tmp_path)
    taken(shelf, (ANN, "moved", "shadow", old))
    monkeypatch.setattr(rollout_file, "LOCK_S", 0.05)
    with (shelf / "maker.rollout").open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(StateError, match="Another holds the log"):
            taken(shelf, (ANN, "moved", "canary", old))
        with pytest.raises(StateError, match="Another holds the log"):
            read_rollout(shelf, "maker", TRUSTED)
        fcntl.flock(other, fcntl.LOCK_SH)
        assert read_rollout(shelf, "maker", TRUSTED).at("shadow"), "two may read"


def test_a_key_that_is_not_trusted_and_a_step_that_no_reader_takes_are_not_written(tmp_path):
    shelf, (old, _) = shelf_of(tmp_path)
    for key in (STRANGER, make_key("ann")):
        with pytest.raises(InputError, match="is not trusted here"):
            taken(shelf, (key, "moved", "shadow", old))
    for why in ("", "  \n ", "x" * 301, "a\x00bc"):
        with pytest.raises(InputError, match="why"):
            add_step(shelf, "maker", TRUSTED, ANN, draft("moved", "shadow", old, why))
    for evidence in ({"deep": {"er": 1}}, {"x" * 101: 1}, {"text": "x" * 301}):
        with pytest.raises(InputError, match="'evidence'"):
            add_step(shelf, "maker", TRUSTED, ANN, draft("moved", "shadow", old, evidence=evidence))
    with pytest.raises(InputError, match="'what'"):
        add_step(shelf, "maker", TRUSTED, ANN, draft("promoted", "shadow", old))
    with pytest.raises(InputError, match="no name"):
        add_step(shelf, "../maker", TRUSTED, ANN, draft("moved", "shadow", old))
    assert read_rollout(shelf, "maker", TRUSTED).steps == ()
    with pytest.raises(InputError, match="no shelf"):
        add_step(tmp_path / "nowhere", "maker", TRUSTED, ANN, draft("moved", "shadow", old))
    assert not (tmp_path / "nowhere").exists()


def test_a_log_that_is_full_takes_no_more(tmp_path, monkeypatch):
    shelf, (old, _) = shelf_of(tmp_path)
    taken(shelf, (ANN, "moved", "shadow", old))
    monkeypatch.setattr(rollout_file, "LOG_BYTES_MAX", len(lines_of(shelf)[0]) + 100)
    with pytest.raises(StateError, match="The log is full"):
        taken(shelf, (ANN, "moved", "canary", old))


def test_a_link_in_its_place_is_not_written_through(tmp_path):
    shelf, (old, _) = shelf_of(tmp_path)
    target = tmp_path / "elsewhere"
    target.touch()
    (shelf / "maker.rollout").symlink_to(target)
    with pytest.raises(InputError, match="is a link"):
        taken(shelf, (ANN, "moved", "shadow", old))
    assert target.read_bytes() == b""
