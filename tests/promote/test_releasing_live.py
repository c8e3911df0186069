"""The Knight list, with processes: an exchange, runners out of releases, and what is refused."""

from __future__ import annotations

import json
import signal
from contextlib import suppress

import pytest
from release_floor import PATIENCE_S, Floor, said, until

from hftlib.core.errors import HftError, StateError
from hftlib.core.journal.reading import frames
from hftlib.core.journal.repairing import repair
from hftlib.engine.live.replaying import about, replay
from hftlib.ops.launching import laid
from hftlib.promote import registry


@pytest.fixture(scope="module")
def floor(tmp_path_factory):
    made = Floor(tmp_path_factory.mktemp("floor"))
    yield made
    made.end()


@pytest.fixture(scope="module")
def day(floor):
    """A day of a runner out of the release, which had nothing compiled at hand."""
    made = floor.live("day", "--seconds", "2", "--group-digest", floor.release.digest)
    assert made.wait(PATIENCE_S) == 0, said(made)
    return floor.folder / "day.journal"


def test_a_runner_trades_out_of_a_release_and_compiles_nothing(floor, day):
    told = json.loads((floor.folder / "day.out").read_text().splitlines()[-1])
    assert told["counts"]["commands"] > 5 and told["why"] == ""
    assert not list(floor.kept.rglob("*")), "nothing was compiled, nothing was kept"


def test_the_journal_says_which_release_it_was(floor, day):
    first = about(day)
    assert first["release"] == {
        "name": "both",
        "serial": floor.release.manifest.serial,
        "digest": floor.release.digest,
        "key": f"desk {floor.desk.key.public.id}",
    }
    assert first["strategies"][0]["named"] == f"{floor.release.name}:Both"
    assert first["strategies"][0]["params"] == {"clip": 20}
    assert first["strategies"][0]["text"] == floor.desk.idea.read_text()
    assert "some words here" not in "".join(str(one) for one in frames(day))


def test_a_replay_proves_the_day_of_a_release(day):
    told = replay(day, laid)
    assert told.is_identical and told.compared > 5, told.difference


def test_the_day_stands_in_the_line_of_its_release(floor, day, tmp_path, monkeypatch):
    monkeypatch.setenv("HFT_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    with pytest.raises(StateError, match="not in the registry"):
        registry.session(day)
    registry.register(floor.release)
    listed = registry.session(day, "as its backtest")
    (told,) = listed.sessions
    assert (told["journal"], told["mode"]) == ("day.journal", "paper")
    assert told["verdict"] == "as its backtest" and told["begun"].startswith("20")
    assert len(registry.session(day).sessions) == 1, "told again it is the same day"


def test_one_altered_byte_on_one_runner_of_a_group_and_none_trades(floor, day):
    bad = floor.copy("altered")
    target = next((bad / "code").glob("Both.*.o"))
    data = bytearray(target.read_bytes())
    data[len(data) // 2] ^= 1
    target.write_bytes(data)
    group = ("--group", f"2@{floor.folder}/group", "--seconds", "3")
    good = floor.live("good", *group)
    told = floor.refused("altered", *group, release=bad)
    assert "is not what was signed" in told
    assert good.wait(PATIENCE_S) == 3
    assert "of the group refused" in said(good) and "is not what was signed" in said(good)
    assert not (floor.folder / "good.journal").exists()


def test_an_error_before_the_open_arms_nothing(floor, day):
    told = floor.refused("nowhere", "--symbols", "NONE")
    assert "does not list 'NONE'" in told


def test_a_day_of_a_release_goes_on_with_the_same_one_only(floor, day):
    made = floor.live("killed")
    until(lambda: "mode" in said(made), PATIENCE_S, made)
    made.send_signal(signal.SIGKILL)
    made.wait()
    with suppress(HftError):  # killed in the middle of a frame it has a torn end
        repair(floor.folder / "killed.journal")
    again = floor.live("killed", "--resume", "--seconds", "1.5")
    assert again.wait(PATIENCE_S) == 0, said(again)
    assert '"recovery"' in said(again)
    assert about(floor.folder / "killed.journal")["release"]["digest"] == floor.release.digest
