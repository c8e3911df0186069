"""NAME@STAGE: which release that is, how it is run, and what is refused before it is used."""

from __future__ import annotations

import shutil

import pytest
from small_release import DESK, FILES, made
from small_rollout import ANN, BEA, lines_of, shelf_of, taken, to_champion

from hftlib.core.errors import HftError
from hftlib.core.journal.writing import Journal
from hftlib.core.release.keys import save_key
from hftlib.core.release.record import launching, record_place
from hftlib.ops.attesting import abi_of_host
from hftlib.ops.beginning import Given, new, resumed
from hftlib.ops.modes import mode_text
from hftlib.ops.released_launch import How, launched, told_of
from hftlib.ops.staged_launch import is_staged, staged

NOW = {"made": "2026-01-01T00:00:00Z"}
USERS = {"HFTX": "frm1a"}


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    for one in (DESK, ANN, BEA):
        save_key(one, folder / f"{one.public.name}.key", "some words here")
    return folder


@pytest.fixture
def state(tmp_path, monkeypatch):
    place = tmp_path / "state" / "record.json"
    monkeypatch.setenv("HFT_RELEASES", str(place))
    return place


def given(*strategies, limits=None, **more):
    return Given(list(strategies), [], limits, "", USERS, **more)


def refused(how, told, journal, begun=new):
    with pytest.raises(HftError) as caught:
        launched(how, begun, told, journal, print)
    assert begun is resumed or not journal.exists()
    return str(caught.value)


def test_each_stage_has_its_release_and_its_mode(tmp_path, keys, state):
    shelf, (old, new_one) = shelf_of(tmp_path, **NOW)
    taken(shelf, *to_champion(old), (ANN, "moved", "shadow", new_one))
    found = staged("maker@champion", shelf, keys)
    assert (found.release.digest, found.mode, found.share) == (old.digest, "paper", None)
    assert found.told() == {
        "stage": "champion",
        "step": 4,
        "allowed": f"bea {BEA.public.id}",
        "asked": f"ann {ANN.public.id}",
    }
    found = staged("maker@shadow", shelf, keys)
    assert (found.release.digest, found.mode) == (new_one.digest, "shadow")
    assert found.given(given("maker@shadow", latency_us=5.0)).latency_us == 5.0
    taken(shelf, (ANN, "moved", "canary", new_one))
    found = staged("maker@canary", shelf, keys)
    own = found.given(given("maker@canary"))
    assert (own.mode, own.share, own.scale, own.strategies) == ("canary", 0.25, ("clip",), [])
    assert found.given(given("maker@canary", mode="canary", share=0.25)) == own
    for more, said in (
        ({"mode": "live"}, "--mode live is not what a canary of maker-8 has"),
        ({"share": 0.5}, "--share 0.5"),
        ({"scale": ("edge", "skew")}, "--scale edge skew"),
    ):
        with pytest.raises(HftError, match=said):
            found.given(given("maker@canary", **more))


@pytest.mark.parametrize(
    ("policy", "stage", "said"),
    [
        (None, "champion", "no policy of a champion"),
        (None, "canary", "no policy of a canary"),
        (b"[shadow]\n", "canary", "It has no table .canary."),
        (b"canary = 1\n", "canary", "It has no table .canary."),
        (b"[canary]\n", "canary", "does not say share"),
        (b"[canary]\nshare = 1.0\n", "canary", "share = 1.0"),
        (b"[canary]\nshare = 1\n", "canary", "share = 1 is no share"),
        (b"[canary]\nshare = nan\n", "canary", "share = nan"),
        (b'[canary]\nshare = "0.1"\n', "canary", "share = '0.1'"),
        (b"[canary]\nshare = 0.1\nscale = []\n", "canary", "scale ="),
        (b'[canary]\nshare = 0.1\nscale = "clip"\n', "canary", "scale ="),
        (b'[canary]\nshare = 0.1\nscale = ["a b"]\n', "canary", "scale ="),
        (b"[champion]\n", "champion", "does not say mode"),
        (b'[champion]\nmode = "shadow"\n', "champion", "mode = 'shadow'"),
        (b"[champion]\nmode = []\n", "champion", "mode = "),
        (b"\xff\n", "champion", "This is no TOML"),
    ],
)
def test_a_policy_that_cannot_be_run(tmp_path, keys, state, policy, stage, said):
    files = {name: one for name, one in FILES.items() if name != "rollout.toml"}
    shelf = tmp_path / "releases"
    release = made(shelf, files=files | ({"rollout.toml": policy} if policy is not None else {}))
    taken(shelf, *to_champion(release)[: 2 if stage == "canary" else 4])
    with pytest.raises(HftError, match=said):
        staged(f"maker@{stage}", shelf, keys)


def test_what_names_no_stage(tmp_path, keys, state):
    shelf, (old, _) = shelf_of(tmp_path, **NOW)
    taken(shelf, *to_champion(old))
    how, journal = How(trusted=keys, shelf=shelf), tmp_path / "day.journal"
    assert "Nothing is launched as 'previous'" in refused(how, given("maker@previous"), journal)
    assert "Nothing is launched as 'winner'" in refused(how, given("maker@winner"), journal)
    assert "Nothing of maker is canary" in refused(how, given("maker@canary"), journal)
    assert "Nothing of other is shadow" in refused(how, given("other@shadow"), journal)
    both = given("maker@champion", "maker.py:Maker")
    assert "is a whole release" in refused(how, both, journal)
    beside = How(release=old.folder, trusted=keys, shelf=shelf)
    assert "is a whole release" in refused(beside, given("maker@champion"), journal)
    alone = given("maker.py:Maker")
    assert "No release is given" in refused(How(shelf=shelf), alone, journal)
    folder = How(release=old.folder, trusted=keys, shelf=shelf)
    assert "No stage is given" in refused(folder, given(), journal)
    assert "Nobody is trusted" in refused(How(shelf=shelf), given("maker@champion"), journal)
    nowhere = How(trusted=keys, shelf=tmp_path / "nowhere")
    assert "no shelf" in refused(nowhere, given("maker@champion"), journal)
    for text in ("a/b@champion.py:X", "maker.py:Maker", "@champion", "maker@", "m k@shadow"):
        assert not is_staged(text)


def test_what_is_let_in_is_attested_as_any_release(tmp_path, keys, state):
    """Nothing is noted of a launch that came to nothing, but the steps that were seen are."""
    shelf, (old, _) = shelf_of(tmp_path, **NOW)
    taken(shelf, *to_champion(old))
    how, journal = How(trusted=keys, shelf=shelf), tmp_path / "day.journal"
    assert "The release was made with" in refused(how, given("maker@champion"), journal)
    assert not state.exists() and state.with_name("record.json.rollouts").exists()
    sold = given("maker@champion", limits=tmp_path / "limits.toml")
    assert "are those of the release" in refused(how, sold, journal)
    live = given("maker@champion", mode="live")
    assert "--mode live is not what a champion" in refused(how, live, journal)
    for group, stage, words in (("a", "champion", "was made with"), ("b", "canary", "is canary")):
        grouped = How(trusted=keys, shelf=shelf, group=f"2@{tmp_path}/{group}")
        refused(grouped, given(f"maker@{stage}"), journal)
        (said,) = (tmp_path / group).iterdir()
        assert words in said.read_text(), "the others need not wait"
    (old.folder / "limits.toml").write_bytes(b"[firm]\nmessages = 9\n")
    assert "limits.toml is not what was signed" in refused(how, given("maker@champion"), journal)
    shutil.rmtree(old.folder)
    assert "is not on the shelf" in refused(how, given("maker@champion"), journal)


def test_who_went_back_said_why_and_nobody_is_asked_again(tmp_path, keys, state):
    """The older one gets as far as the newer one did: neither has code for this host."""
    shelf, (old, newer) = shelf_of(tmp_path, abi=abi_of_host(), **NOW)
    taken(shelf, *to_champion(old), *to_champion(newer))
    with launching(record_place(), newer):
        pass
    how, journal = How(trusted=keys, shelf=shelf), tmp_path / "day.journal"
    assert "object code" in refused(how, given("maker@champion"), journal)
    alone = How(release=old.folder, trusted=keys)
    assert "Serial 8 of maker was launched here" in refused(alone, given(), journal)
    taken(shelf, (BEA, "rolled back", "champion", old))
    assert "object code" in refused(how, given("maker@champion"), journal)
    found = staged("maker@champion", shelf, keys)
    assert found.older == "because it is time"
    told = mode_text({"mode": "paper", "release": told_of(old, found.older, found)})
    assert told.endswith(
        f"champion by bea {BEA.public.id}, step 9, gone back to: because it is time"
    )
    path, lines = shelf / "maker.rollout", lines_of(shelf)
    path.write_bytes(b"".join(lines[:-1]))
    assert "has 8 steps, and 9 were seen here" in refused(how, given("maker@champion"), journal)


def test_a_day_goes_on_at_the_stage_and_with_the_release_that_it_was_begun_with(
    tmp_path, keys, state
):
    shelf, (old, newer) = shelf_of(tmp_path, abi=abi_of_host(), **NOW)
    taken(shelf, *to_champion(old), (ANN, "moved", "shadow", newer))
    how = How(trusted=keys, shelf=shelf)

    def gone_on(name, release, stage):
        """What is said of a day of this release, begun at no stage or another, as champion."""
        found = staged(f"maker@{stage}", shelf, keys) if stage else None
        journal = tmp_path / name
        about = {"what": "runner", "mode": "paper", "release": told_of(release, "", found)}
        Journal.create(journal, about).close()
        return refused(how, given("maker@champion"), journal, resumed)

    assert "object code" in gone_on("same", old, "champion"), "as far as a new day comes here"
    assert "was begun as shadow, not as champion" in gone_on("shadow", newer, "shadow")
    assert "was begun with --release, not as champion" in gone_on("plain", old, "")
    assert "is one of the release maker-8" in gone_on("moved on", newer, "champion")
