"""`hft keys` and `hft release` at the command line, and where a passphrase comes from."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys

import pytest
from small_release import DESK, OTHER, made
from typer.testing import CliRunner

from hftlib.cli import app
from hftlib.core.errors import HftError
from hftlib.core.release.keys import open_key, read_public
from hftlib.ops.passphrases import passphrase

WORDS = "some words here"
RUNNER = CliRunner()


def hft(*words, code=0):
    done = RUNNER.invoke(app, [str(one) for one in words], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.stdout


def sentence(*words):
    with pytest.raises(HftError) as caught:
        RUNNER.invoke(app, [str(one) for one in words], catch_exceptions=False)
    assert WORDS not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def words(tmp_path):
    file = tmp_path / "words"
    file.write_text(f"{WORDS}\n")
    file.chmod(0o600)
    return file


@pytest.fixture
def trusted(tmp_path):
    folder = tmp_path / "trusted"
    folder.mkdir()
    (folder / "desk.pub").write_text(DESK.public.text())
    return folder


def test_a_key_is_made_and_shown(tmp_path, words, monkeypatch):
    told = hft("keys", "make", tmp_path / "desk.key", "--passphrase-file", words)
    key = open_key(tmp_path / "desk.key", WORDS)
    assert key.public.id in told and WORDS not in told
    assert key.public.name == "desk"
    assert hft("keys", "show", tmp_path / "desk.pub") == f"{key.public.id}  desk\n"
    monkeypatch.setenv("HFT_PASSPHRASE_FILE", str(words))
    told = json.loads(hft("keys", "make", tmp_path / "b.key", "--name", "ann", "--json"))
    assert read_public(tmp_path / "b.pub").id == told["id"]
    (told,) = json.loads(hft("keys", "show", tmp_path / "b.pub", "--json"))
    assert told["name"] == "ann"
    assert "already" in sentence("keys", "make", tmp_path / "desk.key")
    assert "cannot be called" in sentence("keys", "make", tmp_path / "c.key", "--name", "a b")
    assert "cannot be read" in sentence("keys", "show", tmp_path / "nowhere")


def test_a_passphrase_out_of_a_file(tmp_path, words, monkeypatch):
    monkeypatch.delenv("HFT_PASSPHRASE_FILE", raising=False)
    assert passphrase(words) == WORDS
    odd = tmp_path / "odd"
    for data in (b"", b"\n", b"two\nlines\n", b"\xff", b"x" * 9_000):
        odd.write_bytes(data)
        odd.chmod(0o600)
        with pytest.raises(HftError):
            passphrase(odd)
    words.chmod(0o640)
    for place, said in ((words, "Others may read"), (tmp_path, "cannot be read")):
        with pytest.raises(HftError, match=said):
            passphrase(place)
    with pytest.raises(HftError, match="cannot be read"):
        passphrase(tmp_path / "nowhere")
    with pytest.raises(HftError, match="no plain file"):
        passphrase(type(tmp_path)("/dev/null"))


def test_nobody_is_asked_where_there_is_no_terminal(tmp_path):
    code = "from hftlib.ops.passphrases import passphrase; passphrase(None)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Nobody is at a terminal" in done.stderr


def test_it_is_asked_for_twice_at_a_terminal_and_not_shown(tmp_path):
    """A terminal of its own; what is typed is not echoed."""
    words = ["hft", "keys", "make", f"{tmp_path}/a.key"]
    code = f"import sys; from hftlib.cli import main; sys.argv = {words!r}; main()"
    child, own = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, "-c", code])
    seen = b""
    for question in (b"Passphrase: ", b"Once more: "):
        while question not in seen:
            seen += os.read(own, 1_024)
        os.write(own, f"{WORDS}\n".encode())
    while True:
        try:
            piece = os.read(own, 1_024)
        except OSError:
            break
        if not piece:
            break
        seen += piece
    assert os.waitpid(child, 0)[1] == 0, seen
    os.close(own)
    assert WORDS.encode() not in seen
    assert open_key(tmp_path / "a.key", WORDS)


def test_a_release_is_verified_shown_packed_and_unpacked(tmp_path, trusted):
    release = made(tmp_path / "made")
    keys = ("--trusted", trusted)
    assert release.digest in hft("release", "verify", release.folder, *keys)
    assert hft("release", "digest", release.folder, *keys) == f"{release.digest}\n"
    told = json.loads(hft("release", "verify", release.folder, *keys, "--json"))
    assert told["digest"] == release.digest and told["key"]["name"] == "desk"
    shown = hft("release", "show", release.folder, *keys)
    assert "clip=100" in shown and release.digest in shown
    told = json.loads(hft("release", "show", release.folder, *keys, "--json"))
    assert told["manifest"]["strategy"] == "Maker"
    archive = tmp_path / "maker.tar.gz"
    assert hft("release", "pack", release.folder, archive, *keys) == f"{archive}\n"
    place = tmp_path / "live" / "maker-7"
    assert hft("release", "unpack", archive, tmp_path / "live", *keys) == f"{place}\n"
    assert hft("release", "digest", place, *keys) == f"{release.digest}\n"


def test_nothing_is_shown_of_a_release_that_does_not_hold(tmp_path, trusted):
    release = made(tmp_path / "made", OTHER)
    for command in ("verify", "digest", "show"):
        told = sentence("release", command, release.folder, "--trusted", trusted)
        assert "does not trust" in told
    archive = tmp_path / "x.tar.gz"
    assert "does not trust" in sentence(
        "release", "pack", release.folder, archive, "--trusted", trusted
    )
    assert not archive.exists()
    assert "cannot be read" in sentence(
        "release", "unpack", archive, tmp_path / "live", "--trusted", trusted
    )


def test_a_release_is_not_made_of_what_is_none(tmp_path, words, monkeypatch):
    monkeypatch.setenv("HFT_PASSPHRASE_FILE", str(words))
    key, limits = tmp_path / "desk.key", tmp_path / "limits.toml"
    hft("keys", "make", key)
    limits.write_text("[firm]\nmessages = 9\n")
    more = ("--limits", limits, "--key", key, "--into", tmp_path / "releases")
    for source in ("maker", "maker.py", "maker:Maker", "a\nb"):
        assert "is no class in a file" in sentence("release", "make", source, *more)
    assert "cannot be read" in sentence("release", "make", "nowhere.py:Maker", *more)
    assert "is no parameter" in sentence("release", "make", "a.py:A", *more, "-p", "x")
    words.write_text("another passphrase\n")
    assert "does not open" in sentence("release", "make", "a.py:A", *more)
    assert not (tmp_path / "releases").exists()
