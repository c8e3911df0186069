"""A rollout's log, and everything that may be wrong with it: nothing of it is believed then."""

from __future__ import annotations

import os
import shutil

import pytest
from small_release import DESK, FILES, made
from small_rollout import (
    ANN,
    BEA,
    STRANGER,
    TRUSTED,
    again,
    lines_of,
    parsed,
    shelf_of,
    taken,
    to_champion,
    written,
)

from hftlib.core.errors import HftError, InputError, StateError
from hftlib.core.release.keys import PrivateKey, PublicKey, make_key
from hftlib.core.release.rollout import ALIASES, read_rollout, release_at, rollout_of
from hftlib.core.release.rollout_file import LOG_BYTES_MAX
from hftlib.core.release.rollout_step import canonical_line


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Two champions, one after the other, and the way back."""
    shelf, (old, new) = shelf_of(tmp_path_factory.mktemp("whole"))
    steps = [*to_champion(old), *to_champion(new), (ANN, "rolled back", "champion", old)]
    return shelf, old, new, taken(shelf, *steps)


@pytest.fixture
def log(whole, tmp_path):
    """A copy of the log alone, on a shelf of its own; what is used of a release is not there."""
    shelf = tmp_path / "releases"
    shelf.mkdir()
    shutil.copyfile(whole[0] / "maker.rollout", shelf / "maker.rollout")
    return shelf


def refusal(shelf, trusted=TRUSTED, name="maker"):
    with pytest.raises(HftError) as caught:
        read_rollout(shelf, name, trusted)
    return str(caught.value)


def held(rollout):
    return {one: step.serial for one in ALIASES if (step := rollout.at(one)) is not None}


def test_what_each_stage_means_is_the_fold_of_its_steps(whole):
    shelf, old, _, steps = whole
    rollout = read_rollout(shelf, "maker", TRUSTED)
    assert list(rollout.steps) == steps and [one.number for one in steps] == list(range(1, 10))
    assert held(rollout) == {"champion": 7} and rollout.asked is None
    step = rollout.at("champion")
    assert (step.what, step.by, step.release) == ("rolled back", "ann", shelf / "maker-7")
    assert release_at(rollout, "champion", TRUSTED).digest == old.digest
    lines, seen = lines_of(shelf), []
    for count in range(len(lines) + 1):
        at = rollout_of(b"".join(lines[:count]), shelf, "maker", TRUSTED)
        seen.append((held(at), at.asked and at.asked.serial))
    assert seen == [
        ({}, None),
        ({"shadow": 7}, None),
        ({"canary": 7}, None),
        ({"canary": 7}, 7),
        ({"champion": 7}, None),
        ({"champion": 7, "shadow": 8}, None),
        ({"champion": 7, "canary": 8}, None),
        ({"champion": 7, "canary": 8}, 8),
        ({"champion": 8, "previous": 7}, None),
        ({"champion": 7}, None),
    ]
    with pytest.raises(StateError, match="Nothing of maker is previous"):
        release_at(rollout, "previous", TRUSTED)
    with pytest.raises(InputError, match="no stage"):
        rollout.at("winner")


def test_any_byte_altered(log):
    path = log / "maker.rollout"
    data = path.read_bytes()
    for place in range(0, len(data), 17):
        for other in {data[place] ^ 1, data[place] ^ 0x20, 0, 0x0A} - {data[place]}:
            changed = bytearray(data)
            changed[place] = other
            with pytest.raises(HftError):
                rollout_of(bytes(changed), log, "maker", TRUSTED)


def test_any_byte_taken_away_or_put_in(log):
    path = log / "maker.rollout"
    data = path.read_bytes()
    for place in range(0, len(data) - 1, 11):
        for changed in (data[:place] + data[place + 1 :], data[:place] + b" " + data[place:]):
            with pytest.raises(HftError):
                rollout_of(changed, log, "maker", TRUSTED)


def test_lines_swapped_removed_and_told_twice(log):
    path = log / "maker.rollout"
    lines = lines_of(log)
    for n in range(len(lines) - 1):
        swapped = [*lines[:n], lines[n + 1], lines[n], *lines[n + 2 :]]
        removed = lines[:n] + lines[n + 1 :]
        twice = [*lines[: n + 1], *lines[n:]]
        for one in (swapped, removed, twice):
            path.write_bytes(b"".join(one))
            assert "does not follow" in refusal(log)
    path.write_bytes(b"".join([*lines, lines[-1]]))
    assert "does not follow" in refusal(log)


def test_cut_off_behind_a_step_it_is_a_log_all_the_same(log):
    """Which is why a host remembers what it has seen: test_rollout_seen.py."""
    lines = lines_of(log)
    (log / "maker.rollout").write_bytes(b"".join(lines[:8]))
    assert held(read_rollout(log, "maker", TRUSTED)) == {"champion": 8, "previous": 7}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": 2}, "not of format 1"),
        ({"format": True}, "not of format 1"),
        ({"number": 2}, "does not follow"),
        ({"number": 0}, "'number'"),
        ({"number": True}, "'number'"),
        ({"before": "0" * 63}, "'before'"),
        ({"before": "1" * 64}, "does not follow"),
        ({"name": "other"}, "a step of other"),
        ({"name": "../maker"}, "'name'"),
        ({"what": "promoted"}, "'what'"),
        ({"what": ["moved"]}, "'what'"),
        ({"stage": "previous"}, "'stage'"),
        ({"stage": {}}, "'stage'"),
        ({"serial": 0}, "'serial'"),
        ({"serial": 7.0}, "'serial'"),
        ({"digest": "A" * 64}, "'digest'"),
        ({"signer": "desk"}, "'signer'"),
        ({"at": "yesterday"}, "'at'"),
        ({"by": "ann\nbea"}, "'by'"),
        ({"by": "bea"}, "is not what the key"),
        ({"key": "0" * 16}, "not trusted here"),
        ({"key": BEA.public.id}, "is not what the key"),
        ({"why": ""}, "'why'"),
        ({"why": "x" * 301}, "'why'"),
        ({"why": "two\nlines"}, "'why'"),
        ({"evidence": []}, "'evidence'"),
        ({"evidence": {"deep": {"er": 1}}}, "'evidence'"),
        ({"evidence": {"big": 2**63}}, "'evidence'"),
        ({"evidence": {str(n): n for n in range(101)}}, "'evidence'"),
        ({"more": 1}, "unknown key 'more'"),
        ({"what": "asked", "stage": "champion"}, "breaks a rule"),
    ],
)
def test_a_step_that_says_what_cannot_be_is_refused_signed_or_not(tmp_path, changes, said):
    shelf, (release, _) = shelf_of(tmp_path)
    taken(shelf, (ANN, "moved", "shadow", release))
    told = again(parsed(lines_of(shelf)[0]), ANN, **changes)
    (shelf / "maker.rollout").write_bytes(canonical_line(told))
    assert said in refusal(shelf)


@pytest.mark.parametrize(
    "data",
    [
        b"\n",
        b"{}\n",
        b"null\n",
        b"[]\n",
        b'{"a":NaN}\n',
        b'{"format":1,"format":1}\n',
        b"\xff\xfe\n",
        b"[" * 9_000 + b"\n",
        b'{"number":' + b"9" * 9_000 + b"}\n",
        b'{"why":"' + b"x" * 20_000 + b'"}\n',
        bytes(range(256)) + b"\n",
        b'{ "format": 1 }\n',
    ],
)
def test_what_is_no_step_at_all(tmp_path, data):
    (tmp_path / "maker.rollout").write_bytes(data)
    assert "maker.rollout, line 1" in refusal(tmp_path)


def test_a_signature_of_nobody_of_another_step_and_of_a_release(tmp_path):
    shelf, (release, _) = shelf_of(tmp_path)
    written(shelf, (STRANGER, "moved", "shadow", release))
    assert "which is not trusted here" in refusal(shelf)
    taken_by_ann = [(ANN, "moved", "shadow", release), (ANN, "moved", "canary", release)]
    written(shelf, *taken_by_ann)
    first, second = lines_of(shelf)
    for other in (parsed(first)["signature"], "A" * 88, "A" * 86 + "==", ""):
        told = {**parsed(second), "signature": other}
        (shelf / "maker.rollout").write_bytes(first + canonical_line(told))
        refusal(shelf)
    rest = {name: one for name, one in parsed(first).items() if name != "signature"}
    as_release = again(rest, _Signing(ANN))  # as a manifest is signed: without the words before it
    (shelf / "maker.rollout").write_bytes(canonical_line(as_release))
    assert "is not what the key" in refusal(shelf)


class _Signing:
    def __init__(self, key):
        self._key = key

    def sign(self, data):
        return self._key.sign(data.partition(b"\n")[2])


def test_a_key_that_is_trusted_no_more_refuses_the_whole_log(whole):
    less = {key: one for key, one in TRUSTED.items() if one.name != "bea"}
    assert "line 4" in refusal(whole[0], less) and "not trusted" in refusal(whole[0], less)


def same_key(name):
    """A key of ann's under another name."""
    return PrivateKey(PublicKey(name, ANN.public.raw), ANN._raw)


def rule(tmp_path, *steps, trusted=TRUSTED):
    shelf, (old, new) = shelf_of(tmp_path)
    releases = {"old": old, "new": new}
    written(shelf, *((key, what, stage, releases[one]) for key, what, stage, one in steps))
    return refusal(shelf, trusted)


CANARY = [(ANN, "moved", "shadow", "old"), (ANN, "moved", "canary", "old")]
ASKED = [*CANARY, (ANN, "asked", "champion", "old")]
CHAMPION = [*ASKED, (BEA, "moved", "champion", "old")]


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([(ANN, "moved", "canary", "old")], "is not shadow now, nothing is"),
        ([(ANN, "moved", "champion", "old")], "is not canary now, nothing is"),
        ([(ANN, "asked", "champion", "old")], "is not canary now"),
        ([(ANN, "asked", "canary", "old")], "nobody asks for canary"),
        ([(ANN, "rolled back", "champion", "old")], "the champion before, which is none"),
        ([(ANN, "rolled back", "canary", "old")], "no canary is rolled back"),
        ([(ANN, "taken away", "champion", "old")], "is not champion now"),
        ([*CANARY, (ANN, "moved", "canary", "old")], "is not shadow now"),
        ([*CANARY, (ANN, "moved", "shadow", "old")], "is canary already"),
        ([CANARY[0], (ANN, "moved", "canary", "new")], "maker-7 is"),
        ([*CANARY, (BEA, "moved", "champion", "old")], "nobody has asked"),
        ([*ASKED, (ANN, "moved", "champion", "old")], "may not approve it too"),
        ([*ASKED, (DESK, "moved", "champion", "old")], "has signed the release"),
        ([*ASKED, (BEA, "moved", "champion", "new")], "is not canary now"),
        ([*ASKED, (BEA, "taken away", "canary", "old"), (BEA, "moved", "champion", "old")], "now"),
        ([*ASKED, (ANN, "moved", "shadow", "new"), (ANN, "moved", "canary", "new"),
          (BEA, "moved", "champion", "new")], "nobody has asked"),
        ([*CHAMPION, (ANN, "rolled back", "champion", "old")], "which is none"),
        ([*CHAMPION, (BEA, "moved", "champion", "old")], "is not canary now"),
    ],
)  # fmt: skip
def test_rules_are_held_by_who_reads(tmp_path, steps, said):
    assert said in rule(tmp_path, *steps).lower()


def test_one_person_is_one_person_under_two_names_and_with_two_keys(tmp_path):
    double = same_key("zoe")
    trusted = {**TRUSTED, double.public.id: double.public}
    told = rule(tmp_path / "a", *ASKED, (double, "moved", "champion", "old"), trusted=trusted)
    assert "is not what the key" in told, "a key has one name, and the asker's step has another"
    for name in ("ann", "Ann"):
        second = make_key(name)
        trusted = {**TRUSTED, second.public.id: second.public}
        steps = [*ASKED, (second, "moved", "champion", "old")]
        told = rule(tmp_path / name, *steps, trusted=trusted)
        assert "may not approve it too" in told


def test_rolled_back_twice_it_goes_back_twice_and_then_no_further(tmp_path):
    shelf, (one, two, three) = shelf_of(tmp_path, 7, 8, 9)
    taken(shelf, *to_champion(one), *to_champion(two), *to_champion(three))
    with pytest.raises(StateError, match="which is maker-8"):
        taken(shelf, (ANN, "rolled back", "champion", one))
    taken(shelf, (ANN, "rolled back", "champion", two))
    with pytest.raises(StateError, match="which is maker-7"):
        taken(shelf, (BEA, "rolled back", "champion", two))
    taken(shelf, (ANN, "rolled back", "champion", one))
    with pytest.raises(StateError, match="which is none"):
        taken(shelf, (ANN, "rolled back", "champion", three))
    taken(shelf, (ANN, "taken away", "champion", one), *to_champion(three))
    assert held(read_rollout(shelf, "maker", TRUSTED)) == {"champion": 9}


def test_a_serial_is_one_release(tmp_path):
    shelf, (old, _) = shelf_of(tmp_path)
    other = made(tmp_path / "other", serial=7)
    with pytest.raises(StateError, match="is another than in step 1"):
        taken(shelf, (ANN, "moved", "shadow", old), (ANN, "moved", "shadow", other))


def test_the_log_of_another_name(whole, log):
    shutil.copyfile(log / "maker.rollout", log / "both.rollout")
    assert "a step of maker, not of both" in refusal(log, name="both")
    for name in ("", "../maker", "ma ker", "a" * 65, 7, None):
        assert "is no name of a release" in refusal(log, name=name)


def test_what_is_no_plain_file(log, tmp_path):
    path = log / "maker.rollout"
    kept = tmp_path / "elsewhere"
    path.rename(kept)
    path.symlink_to(kept)
    assert "is a link" in refusal(log)
    path.unlink()
    os.link(kept, path)
    assert "no plain file" in refusal(log)
    path.unlink()
    os.mkfifo(path)
    assert "no plain file" in refusal(log)
    path.unlink()
    path.mkdir()
    assert "no plain file" in refusal(log)
    path.rmdir()
    with path.open("wb") as file:
        file.truncate(LOG_BYTES_MAX + 1)
    assert "has more than 16 MiB" in refusal(log)
    path.write_bytes(b"{}\n" * 4_001)
    assert "more than 4,000 steps" in refusal(log)
    assert "no shelf" in refusal(path) and "no shelf" in refusal(tmp_path / "nowhere")


def test_a_torn_last_line_is_said_and_never_dropped(log):
    path = log / "maker.rollout"
    data = path.read_bytes()
    for torn in (data[:-1], data[:-40], data + b"{", data[:30]):
        path.write_bytes(torn)
        told = refusal(log)
        assert "has no end" in told and "hft rollout maker --mend" in told
        assert path.read_bytes() == torn


def test_no_log_and_an_empty_one_are_no_steps(tmp_path):
    assert held(read_rollout(tmp_path, "maker", TRUSTED)) == {}
    (tmp_path / "maker.rollout").touch()
    assert read_rollout(tmp_path, "maker", TRUSTED).steps == ()


def test_the_release_of_a_step_is_looked_at_where_it_is_used(tmp_path):
    shelf, (old, _) = shelf_of(tmp_path)
    taken(shelf, *to_champion(old))
    rollout = read_rollout(shelf, "maker", TRUSTED)
    place = shelf / "maker-7"

    def used():
        assert held(read_rollout(shelf, "maker", TRUSTED)) == {"champion": 7}
        with pytest.raises(HftError) as caught:
            release_at(rollout, "champion", TRUSTED)
        return str(caught.value)

    (place / "limits.toml").write_bytes(b"[firm]\nmessages = 9_000\n")
    assert "is not what was signed" in used()
    shutil.rmtree(place)
    assert "is not on the shelf" in used()
    made(shelf, files={**FILES, "evidence/more.txt": b""}, serial=7)
    assert "another release than the one that was let in" in used()
    shutil.rmtree(place)
    shutil.copytree(made(tmp_path / "eight", serial=8).folder, place)
    assert "another release" in used()


def test_who_says_that_another_signed_it_is_found_out_where_it_is_used(tmp_path):
    """The approver has signed the release, and the steps say that somebody else has."""
    shelf, (old, _) = shelf_of(tmp_path)
    steps = [*to_champion(old)[:3], (DESK, "moved", "champion", old)]
    written(shelf, *steps, signer=f"ann {ANN.public.id}")
    rollout = read_rollout(shelf, "maker", TRUSTED)
    with pytest.raises(InputError, match="is signed by another than step 4 says"):
        release_at(rollout, "champion", TRUSTED)
