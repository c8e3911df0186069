"""The registry of releases: a real store in a file, real signatures, and ways to lose both."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from small_release import DESK, OTHER, TRUSTED, made
from small_rollout import ANN, BEA, shelf_of, taken, to_champion
from small_rollout import TRUSTED as PEOPLE
from typer.testing import CliRunner

from hftlib.cli import app
from hftlib.core.errors import HftError, HostError, InputError, StateError
from hftlib.core.release.archive import pack
from hftlib.core.release.keys import save_key
from hftlib.core.release.rollout import read_rollout
from hftlib.promote import registry as r
from hftlib.promote.rollout.mirror import mirrored

RUNNER = CliRunner()
LOADED = """
import json, sys
import mlflow
mlflow.set_tracking_uri(sys.argv[1])
found = mlflow.pyfunc.load_model(sys.argv[2])
print(json.dumps({"digest": found.predict(None)["digest"], "pickle": "cloudpickle" in sys.modules}))
"""


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    """Whoever runs what is in it ends this process."""
    return made(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    save_key(DESK, folder / "desk.key", "some words here")
    return folder


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """An empty store; to lay one out takes MLflow seconds."""
    file = tmp_path_factory.mktemp("empty") / "mlflow.db"
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("HFT_TRACKING_URI", f"sqlite:///{file}")
        assert r.names() == []
    return file


@pytest.fixture
def store(empty, tmp_path, monkeypatch):
    """A store of this test's own."""
    file = tmp_path / "mlruns" / "mlflow.db"
    file.parent.mkdir()
    shutil.copyfile(empty, file)
    monkeypatch.setenv("HFT_TRACKING_URI", f"sqlite:///{file}")
    return f"sqlite:///{file}"


def test_a_release_goes_in_and_comes_out_as_it_was_signed(release, store, tmp_path):
    listed = r.register(release)
    assert (listed.name, listed.version, listed.aliases) == (
        release.manifest.name,
        1,
        ("candidate",),
    )
    assert listed.digest == release.digest and listed.tags["strategy"] == "Maker"
    assert r.register(release) == listed, "the same again is the same version"
    newer = made(tmp_path, serial=8)
    second = r.register(newer)
    assert second.version == 2 and second.aliases == ("candidate",)
    assert [one.version for one in r.versions(listed.name)] == [2, 1] and r.names() == [listed.name]
    assert r.version_of(f"{listed.name}/1").aliases == ()
    for text, wanted in ((f"{listed.name}@candidate", newer), (f"{listed.name}/1", release)):
        found = r.fetched(text, tmp_path / "fetched", TRUSTED)
        assert found.digest == wanted.digest and found.files == wanted.files


def test_no_pickle_is_in_it_and_mlflow_reads_it_back(release, keys, store):
    listed = r.register(release)
    model = Path(listed.source.removeprefix("file://"))
    names = sorted(path.name for path in model.rglob("*") if path.is_file())
    assert f"{release.name}.tar.gz" in names and not [one for one in names if one.endswith(".pkl")]
    assert "loader_module: hftlib.promote.loading" in (model / "MLmodel").read_text()
    command = [sys.executable, "-c", LOADED, store, f"models:/{listed.name}@candidate"]
    trusting = {**os.environ, "HFT_TRUSTED": str(keys)}
    done = subprocess.run(command, env=trusting, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["digest"] == release.digest
    nobody = {name: told for name, told in os.environ.items() if name != "HFT_TRUSTED"}
    done = subprocess.run(command, env=nobody, capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "Nobody is trusted to have signed it" in done.stderr


def test_what_was_changed_in_the_store_is_not_fetched(release, store, tmp_path):
    listed = r.register(release)
    (archive,) = Path(listed.source.removeprefix("file://")).rglob("*.tar.gz")
    whole = archive.read_bytes()
    with pytest.raises(InputError, match="does not trust"):
        r.fetched(listed.name, tmp_path / "a", {OTHER.public.id: OTHER.public})
    archive.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError):
        r.fetched(listed.name, tmp_path / "b", TRUSTED)
    another = made(tmp_path, serial=8)
    archive.unlink()
    pack(another, archive)  # signed by us, and not what this version says
    with pytest.raises(InputError, match="holds another release than it says"):
        r.fetched(listed.name, tmp_path / "c", TRUSTED)
    archive.unlink()
    with pytest.raises(HftError):
        r.fetched(listed.name, tmp_path / "d", TRUSTED)
    shutil.rmtree(tmp_path / "mlruns" / "artifacts")
    with pytest.raises(HostError, match="cannot be fetched"):
        r.fetched(listed.name, tmp_path / "e", TRUSTED)
    assert not [path for one in "abcde" for path in (tmp_path / one).glob("*")]


def test_killed_between_the_version_and_its_alias_it_is_no_candidate(
    release, store, tmp_path, monkeypatch
):
    from mlflow import MlflowClient

    def killed(*_given):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(MlflowClient, "set_registered_model_alias", killed)
        with pytest.raises(KeyboardInterrupt):
            r.register(release)
    (left,) = r.versions(release.manifest.name)
    assert left.aliases == ()
    assert r.register(release).version == 1, "it goes on with what is there"


def test_a_store_that_is_locked_or_no_store_is_a_sentence(release, store, tmp_path, monkeypatch):
    r.register(release)
    monkeypatch.setenv("HFT_TRACKING_URI", f"sqlite:///{tmp_path}/torn.db")
    (tmp_path / "torn.db").write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 9)
    with pytest.raises(HostError, match="does not answer"):
        r.names()
    monkeypatch.setenv("HFT_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(HostError, match="does not answer"):
        r.names()


def test_another_who_holds_the_store_is_waited_for_not_for_ever(release, store, tmp_path):
    r.register(release)
    with sqlite3.connect(tmp_path / "mlruns" / "mlflow.db") as held:
        held.execute("BEGIN EXCLUSIVE")
        with pytest.raises(HostError, match="does not answer"):
            r.names()
        held.rollback()
    assert r.names() == [release.manifest.name]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("maker@winner", "no alias 'winner'"),
        ("maker@champion", "has no alias champion"),
        ("maker/9", "has no version 9"),
        ("other", "There is no release 'other'"),
        ("ma ker", "names no release"),
        ("maker'; --", "names no release"),
        ("maker/1/2", "names no release"),
        ("", "names no release"),
        (7, "names no release"),
    ],
)
def test_what_names_nothing_is_refused(release, store, text, said):
    r.register(release)
    with pytest.raises(InputError, match=said):
        r.version_of(text)


def test_the_commands_show_the_line_of_a_release(release, keys, store, tmp_path):
    def typed(*words):
        done = RUNNER.invoke(app, ["registry", *words], catch_exceptions=False)
        assert done.exit_code == 0
        return done.stdout

    name = release.manifest.name
    assert "No release yet" in typed()
    added = json.loads(typed("add", str(release.folder), "--trusted", str(keys), "--json"))
    assert added["aliases"] == ["candidate"] and added["digest"] == release.digest
    assert name in typed() and json.loads(typed("--json"))[0]["version"] == 1
    assert "candidate" in typed("show", name)
    line = typed("show", f"{name}@candidate")
    assert "desk" in line and "none yet" in line and release.digest[:12] in line
    into = tmp_path / "live"
    words = ["fetch", f"{name}@candidate", "--trusted", str(keys), "--into", str(into)]
    place = typed(*words).strip().replace("\n", "")
    assert Path(place) == into / release.name
    with pytest.raises(StateError, match="something already"):
        typed(*words)


def test_aliases_follow_the_steps_of_a_rollout(store, tmp_path):
    shelf, (old, new) = shelf_of(tmp_path)

    def followed(*steps):
        taken(shelf, *steps)
        rollout = read_rollout(shelf, "maker", PEOPLE)
        assert mirrored(rollout) == [] == mirrored(rollout), "told again it is the same"
        return {one.version: one.aliases for one in r.versions("maker")}

    r.register(old)
    assert followed(*to_champion(old)[:3]) == {1: ("candidate", "canary")}
    assert followed(to_champion(old)[3]) == {1: ("candidate", "champion")}
    r.register(new)
    assert followed(*to_champion(new)) == {2: ("candidate", "champion"), 1: ("previous",)}
    assert followed((BEA, "rolled back", "champion", old)) == {2: ("candidate",), 1: ("champion",)}
    assert r.version_of("maker@champion").digest == old.digest
    with pytest.raises(InputError, match="has no alias previous"):
        r.version_of("maker@previous")


def test_a_registry_that_does_not_follow_is_a_sentence_and_mended_later(
    store, keys, tmp_path, monkeypatch
):
    shelf, (old, _) = shelf_of(tmp_path)
    taken(shelf, *to_champion(old))
    rollout = read_rollout(shelf, "maker", PEOPLE)
    (said,) = mirrored(rollout)
    assert "The step stands" in said and "is not in the registry" in said
    assert "hft registry follow maker" in said
    r.register(old)
    (said,) = mirrored(rollout, [tmp_path / "no.journal"], "pass")
    assert "did not take" in said and r.versions("maker")[0].aliases == ("candidate", "champion")
    taken(shelf, (ANN, "taken away", "champion", old))
    rollout = read_rollout(shelf, "maker", PEOPLE)
    with monkeypatch.context() as patched:
        patched.setenv("HFT_TRACKING_URI", f"sqlite:///{tmp_path}/torn.db")
        (tmp_path / "torn.db").write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 9)
        (said,) = mirrored(rollout)
        assert "does not answer" in said
    for one in (ANN, BEA):
        if not (keys / f"{one.public.name}.key").exists():
            save_key(one, keys / f"{one.public.name}.key", "some words here")
    words = ["registry", "follow", "maker", "--shelf", str(shelf), "--trusted", str(keys)]
    done = RUNNER.invoke(app, [*words, "--json"], catch_exceptions=False)
    assert json.loads(done.stdout)[0]["aliases"] == ["candidate"]
