"""Lines with their places, from plain and packed files; a damaged one is refused, not cut short."""

from __future__ import annotations

import gzip

import pytest

from hftlib.core.errors import InputError
from hftlib.feed import text_lines
from hftlib.feed.text_lines import TextLines

TEXT = b"one\ntwo\r\n\nlast without an end"


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_each_line_knows_where_it_begins(tmp_path, pack):
    path = tmp_path / "lines"
    path.write_bytes(pack(TEXT))
    lines = TextLines(path)
    assert list(lines) == [(0, b"one"), (4, b"two"), (9, b""), (10, b"last without an end")]
    assert lines.share_done == 1.0


def test_a_damaged_gzip_is_refused(tmp_path):
    path = tmp_path / "lines.gz"
    packed = gzip.compress(TEXT * 100)
    for damaged in (packed[:-9], packed[:30] + b"\0\0\0" + packed[33:]):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match="damaged behind byte"):
            list(TextLines(path))


def test_a_line_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(text_lines, "LINE_BYTES_MAX", 10)
    path = tmp_path / "lines"
    path.write_bytes(b"short\n" + b"x" * 50)
    with pytest.raises(InputError, match="begins at byte 6"):
        list(TextLines(path))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        TextLines(tmp_path / "none")
