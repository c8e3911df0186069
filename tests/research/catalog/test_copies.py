"""Backup and restore: the same store again, or a sentence with the name of the file."""

import json
import shutil

import pytest
from store_days import DAY, tape_of
from tapes import OPEN

import hftlib as hft
from hftlib.core.errors import HftError, InputError, StateError


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A store of three days, one of them in the cold tier, and its backup."""
    made = tmp_path_factory.mktemp("copies")
    store = hft.store(made / "store")
    for n in range(3):
        tape = tape_of(made / f"{n}.tape", count=1200, seed=n, start=OPEN + n * DAY)
        store.add(tape)
    store.add(hft.to_tape(hft.synthetic(symbols=2, seconds=5), made / "m.tape"), bars="1s")
    store.keep("100y", "100y")
    store.keep("0d", "5d", cold=made / "cold", today="2020-01-05")
    assert {row["tier"] for row in store.as_json()} == {"cold", "warm", "hot"}
    told = store.backup(made / "backup")
    assert told.copied == told.files == len(json.loads(
        (made / "backup" / "MANIFEST.json").read_text())["files"])  # fmt: skip
    return made


def test_a_restored_store_is_the_same_one_and_needs_no_other_place(place, tmp_path):
    store, target = hft.store(place / "store"), tmp_path / "deep" / "again"
    told = hft.store(target).restore(place / "backup")
    assert str(target) in str(told) and told.as_json()["files"] == told.files
    again = hft.store(target)
    assert again.ticks().equals(store.ticks())
    assert again.bars(None, "1s").equals(store.bars(None, "1s"))
    assert again.check().sound and again.check().left == ()
    assert all(not part.base for one in again.entries for part in one.parts)
    assert [one.digest for one in again.entries] == [one.digest for one in store.entries]
    assert [path.name for path in target.parent.iterdir()] == ["again"]


def test_a_second_backup_copies_what_is_new(place, tmp_path):
    store = hft.store(tmp_path / "store")
    store.restore(place / "backup")
    first = store.backup(tmp_path / "backup")
    notes = len(store.entries) + 1
    assert store.backup(tmp_path / "backup").copied == notes
    store.add(tape_of(tmp_path / "n.tape", count=500, seed=9, start=OPEN + 9 * DAY))
    second = store.backup(tmp_path / "backup")
    assert second.copied == notes + 2 and second.files == first.files + 2
    hft.store(tmp_path / "new").restore(tmp_path / "backup")
    assert hft.store(tmp_path / "new").ticks().equals(store.ticks())


def test_a_changed_byte_anywhere_is_refused_by_the_name_of_its_file(place, tmp_path):
    backup = tmp_path / "backup"
    shutil.copytree(place / "backup", backup)
    paths = sorted(path for path in backup.rglob("*") if path.is_file())
    assert len(paths) > 8
    for number, path in enumerate(paths):
        whole = path.read_bytes()
        data = bytearray(whole)
        data[(number * 37) % len(data)] ^= 4
        path.write_bytes(data)
        with pytest.raises(InputError) as told:
            hft.store(tmp_path / "new").restore(backup)
        assert path.name in str(told.value), str(told.value)
        path.write_bytes(whole)
    for path in (paths[0], paths[-1], backup / "MANIFEST.json"):
        whole = path.read_bytes()
        path.unlink()
        with pytest.raises(InputError):
            hft.store(tmp_path / "new").restore(backup)
        path.write_bytes(whole)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["backup"]  # nothing came of it
    hft.store(tmp_path / "new").restore(backup)


def test_a_manifest_that_leads_outside_is_refused(place, tmp_path):
    from hftlib.research.catalog.copies import _seal

    backup = tmp_path / "backup"
    shutil.copytree(place / "backup", backup)
    told = json.loads((backup / "MANIFEST.json").read_text())
    for path in ("../outside", "/etc/outside", "a/../../outside"):
        files = {**told["files"], path: [3, "0" * 64]}
        text = json.dumps({**told, "files": files, "seal": _seal(files)})
        (backup / "MANIFEST.json").write_text(text)
        with pytest.raises(InputError) as error:
            hft.store(tmp_path / "new").restore(backup)
        assert "outside" in str(error.value)
    assert not (tmp_path / "new").exists() and not (tmp_path / "outside").exists()


def test_nothing_is_written_over(place, tmp_path):
    full = tmp_path / "full"
    full.mkdir()
    store = hft.store(full)  # empty: it may be filled
    (full / "mine.txt").write_text("mine")
    with pytest.raises(StateError) as told:
        store.restore(place / "backup")
    assert "something in the folder" in str(told.value)
    assert [path.name for path in full.iterdir()] == ["mine.txt"]
    for source in (tmp_path / "nowhere", "nosuch://x", "", None):
        with pytest.raises(HftError):
            hft.store(tmp_path / "new").restore(source)
    with pytest.raises(StateError):
        hft.store(tmp_path / "new").backup(tmp_path / "b")
    for target in ("", 7, "nosuch://x"):
        with pytest.raises(HftError):
            hft.store(place / "store").backup(target)


def test_a_damaged_part_is_found_and_not_backed_up(place, tmp_path):
    store = hft.store(tmp_path / "store")
    store.restore(place / "backup")
    paths = sorted((tmp_path / "store").rglob("*.parquet"))
    data = bytearray(paths[0].read_bytes())
    data[50] ^= 1
    paths[0].write_bytes(data)
    paths[1].unlink()
    paths[2].write_bytes(b"")
    (tmp_path / "store" / "ticks" / "stray.parquet").write_bytes(b"")
    found = store.check()
    assert not found.sound and found.left == ("ticks/stray.parquet",)
    told = {one["file"]: one["what"] for one in found.as_json()["problems"]}
    assert told[str(paths[0])] == "its bytes are not those that were written"
    assert told[str(paths[1])] == "it is missing" and "it has 0 bytes" in told[str(paths[2])]
    assert "stray.parquet" in str(found)
    with pytest.raises(InputError) as error:
        store.backup(tmp_path / "b")
    assert ".parquet" in str(error.value)
    assert not (tmp_path / "b" / "MANIFEST.json").exists()  # so it is no backup
