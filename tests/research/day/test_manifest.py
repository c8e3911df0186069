"""A report that was touched is found out, whatever was touched."""

from __future__ import annotations

import json
import shutil

import pytest

from hftlib.core.errors import InputError
from hftlib.core.journal import Journal
from hftlib.research.day.manifest import NAME, verify_report


@pytest.fixture
def kept(report, tmp_path):
    return report.save(tmp_path / "kept", pdf=False)


def test_one_as_it_was_made_is_whole(kept, report, traded):
    found = verify_report(kept, digest=report.digest, journals=[traded])
    assert found.is_whole and found.files == len(list(kept.iterdir())) - 1
    assert found.journals == 1 and found.digest == report.digest


def test_a_byte_of_any_file_is_found(kept):
    for path in sorted(kept.iterdir()):
        before = path.read_bytes()
        if path.name == NAME or not before:
            continue
        path.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
        assert verify_report(kept).problems == [f"{path.name} was changed."]
        path.write_bytes(before)
    assert verify_report(kept).is_whole


def test_what_is_missing_and_what_is_too_many(kept):
    (kept / "orders.csv").unlink()
    (kept / "more.csv").write_text("")
    (kept / "fills.csv").unlink()
    (kept / "fills.csv").symlink_to(kept / "more.csv")
    assert set(verify_report(kept).problems) == {
        "orders.csv is missing.",
        "more.csv is no part of it.",
        "fills.csv was changed.",
    }


def test_whoever_makes_the_manifest_anew_is_found_by_its_digest(kept, report):
    (kept / "orders.csv").write_text("nothing\n")
    told = json.loads((kept / NAME).read_text())
    import hashlib

    told["files"]["orders.csv"] = {
        "sha256": hashlib.sha256(b"nothing\n").hexdigest(),
        "bytes": 8,
    }
    (kept / NAME).write_text(json.dumps(told))
    assert verify_report(kept).is_whole, "by itself it holds"
    assert "another" in verify_report(kept, digest=report.digest).problems[0]


def test_a_journal_that_is_another_or_was_changed_is_found(kept, traded, tmp_path):
    (tmp_path / "a").mkdir()
    other = tmp_path / "a" / traded.name
    Journal.create(other, {"what": "runner"}).close()
    assert "is none of this journal's" in verify_report(kept, journals=[other]).problems[0]
    strange = tmp_path / "strange.journal"
    Journal.create(strange, {"what": "runner"}).close()
    assert "is not of a journal" in verify_report(kept, journals=[strange]).problems[0]
    shutil.rmtree(other)
    shutil.copytree(traded, other)
    segment = other / "000000.segment"
    data = bytearray(segment.read_bytes())
    data[6_000] ^= 1
    segment.write_bytes(data)
    assert not verify_report(kept, journals=[other]).is_whole


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": 1, "files": 3}', "[" * 9_000])
def test_what_is_no_manifest_is_a_sentence(text, tmp_path):
    (tmp_path / NAME).write_text(text)
    with pytest.raises(InputError):
        verify_report(tmp_path)


def test_a_folder_without_one_is_a_sentence(tmp_path):
    with pytest.raises(InputError, match="no report here"):
        verify_report(tmp_path / "nowhere")
    (tmp_path / NAME).write_bytes(b" " * (2 << 20))
    with pytest.raises(InputError, match="too long"):
        verify_report(tmp_path)
