"""What is refused of a release before anything of it is used, opened or written."""

from __future__ import annotations

import pytest
from small_release import DESK, OTHER, made

from hftlib.core.errors import HftError
from hftlib.core.release.keys import save_key
from hftlib.ops.attesting import abi_of_host
from hftlib.ops.beginning import Given, new
from hftlib.ops.modes import mode_text
from hftlib.ops.released_launch import How, launched, told_of

WORDS = "some words here"
NOW = {"made": "2026-01-01T00:00:00Z"}


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    save_key(DESK, folder / "desk.key", WORDS)
    return folder


@pytest.fixture
def refused(tmp_path, keys, monkeypatch):
    """The sentence; nothing is left, neither a journal nor a note of a launch."""
    monkeypatch.setenv("HFT_RELEASES", str(tmp_path / "state" / "record.json"))

    def refusal(release, given=None, **how):
        journal = tmp_path / "day.journal"
        how = How(**{"release": release and release.folder, "trusted": keys, **how})
        given = given or Given([], [], None, "", {"HFTX": "frm1a"})
        with pytest.raises(HftError) as caught:
            launched(how, new, given, journal, print)
        assert not journal.exists() and not (tmp_path / "state" / "record.json").exists()
        return str(caught.value)

    return refusal


def test_a_key_that_is_not_trusted_and_nobody_who_is(refused, tmp_path):
    assert "does not trust" in refused(made(tmp_path / "a", OTHER))
    assert "Nobody is trusted" in refused(made(tmp_path / "b"), trusted=None)


def test_an_altered_byte(refused, tmp_path):
    release = made(tmp_path, **NOW)
    (release.folder / "limits.toml").write_bytes(b"[firm]\nmessages = 9_000\n")
    assert "limits.toml is not what was signed" in refused(release)


def test_stale_code_and_another_release_than_the_group(refused, tmp_path):
    assert "The release was made with" in refused(made(tmp_path / "a", **NOW))
    release = made(tmp_path / "b", abi=abi_of_host(), **NOW)
    assert "The group runs the release" in refused(release, group_digest="0" * 64)
    assert "object code" in refused(release, group_digest=release.digest)


def test_who_refuses_tells_the_group(refused, tmp_path):
    release = made(tmp_path / "a", **NOW)
    refused(release, group=f"2@{tmp_path}/group")
    other = made(tmp_path / "b", abi=abi_of_host(), **NOW)
    (said,) = (tmp_path / "group").iterdir()
    assert "was made with" in said.read_text()
    assert "is no group" in refused(other, group="all")


def test_what_belongs_to_the_release_is_not_given_beside_it(refused, tmp_path):
    release = made(tmp_path, **NOW)
    users = {"HFTX": "frm1a"}
    for given in (
        Given(["maker.py:Maker"], [], None, "", users),
        Given([], ["clip=1"], None, "", users),
        Given([], [], tmp_path / "limits.toml", "", users),
    ):
        assert "are those of the release" in refused(release, given)
    for how in ({"group_digest": "0"}, {"older": "so"}, {"group": "1@g"}, {}):
        assert "No release is given" in refused(None, **how)


def test_what_is_no_release(refused, tmp_path):
    (tmp_path / "file").touch()
    for place in (tmp_path / "nowhere", tmp_path / "file", tmp_path):
        release = type("Named", (), {"folder": place})
        refused(release)
    assert "trusted keys" in refused(made(tmp_path / "a"), trusted=tmp_path / "nowhere")


def test_it_is_said_which_release_runs(tmp_path):
    release = made(tmp_path)
    about = {"mode": "paper", "release": told_of(release, "5 loses")}
    told = mode_text(about)
    assert told == (
        f"paper; release maker-7, {release.digest[:12]}, by desk {DESK.public.id}, "
        "gone back to: 5 loses"
    )
    assert mode_text({"mode": "paper"}) == "paper"
