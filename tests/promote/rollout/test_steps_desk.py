"""`hft rollout` and `hft rollback` as two people type them, on small releases and real days."""

from __future__ import annotations

import json

import pytest
from floor_desk import Floor
from release_desk import POLICY, WORDS
from rollout_days import IDEA, one_day, opened
from small_release import DESK, FILES, made
from small_rollout import ANN, BEA, STRANGER, TRUSTED, lines_of
from typer.testing import CliRunner

from hftlib.cli import app
from hftlib.core.errors import HftError, HostError, InputError, StateError
from hftlib.core.release.keys import save_key
from hftlib.core.release.rollout import read_rollout
from hftlib.ops.modes import Mode
from hftlib.promote.rollout.steps import chosen_release, evidence_of
from hftlib.research.validation.verdict import Verdict

RUNNER = CliRunner()
POLICIED = {**FILES, "rollout.toml": POLICY.encode()}


class Desk:
    """A shelf, keys, and what is typed."""

    def __init__(self, folder, keys):
        self.folder, self.shelf, self.keys = folder, folder / "releases", keys
        self.shelf.mkdir(parents=True)
        self.words = folder / "words"
        self.words.write_text(f"{WORDS}\n")
        self.words.chmod(0o600)

    def release(self, serial, files=POLICIED, **changes):
        return made(self.shelf, files=files, serial=serial, **changes)

    def words_of(self, command, *more):
        return [command, "maker", "--shelf", str(self.shelf), "--trusted", str(self.keys), *more]

    def typed(self, command, who="", *more, why="it is time"):
        words = self.words_of(command, "--json", *map(str, more))
        if who:
            words += ["--key", str(self.keys / f"{who}.key"), "--why", why]
            words += ["--passphrase-file", str(self.words)]
        done = RUNNER.invoke(app, words, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    def shown(self, *more):
        done = RUNNER.invoke(app, self.words_of("rollout", *more), catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return " ".join(done.stdout.split())

    def held(self):
        rollout = read_rollout(self.shelf, "maker", TRUSTED)
        return {alias: step.serial for alias, step in rollout.held.items()}


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    for one in (DESK, ANN, BEA, STRANGER):
        save_key(one, folder / f"{one.public.name}.key", WORDS)
    (folder / "stranger.pub").unlink()
    return folder


@pytest.fixture
def desk(tmp_path, keys, monkeypatch):
    monkeypatch.setenv("HFT_TRACKING_URI", f"sqlite:///{tmp_path}/none/mlflow.db")
    return Desk(tmp_path / "desk", keys)


@pytest.fixture(scope="module")
def days(tmp_path_factory):
    """A day of maker-7 as shadow, and one as canary; the release they say is made again below."""
    folder = tmp_path_factory.mktemp("days")
    release = made(folder, files=POLICIED, serial=7)
    (folder / "leaner.py").write_text(IDEA)
    idea = f"{folder / 'leaner.py'}:Leaner"
    told = {"name": "maker", "serial": 7, "digest": release.digest}
    with opened(Floor(clock={"pace": "wall"})) as floor:
        shadow = one_day(floor, folder / "shadow.journal", idea, Mode("shadow"), **told)
        canary = one_day(
            floor, folder / "canary.journal", idea, Mode("canary", share=0.1), 20, **told
        )
    return shadow, canary


def test_from_shadow_to_champion_by_two_people_with_what_days_have_shown(desk, days):
    shadow, canary = days
    assert (
        desk.release(7).digest == desk.typed("rollout", "ann", "--to", "shadow")["step"]["digest"]
    )
    with pytest.raises(HftError, match="0 journals are named"):
        desk.typed("rollout", "ann", "--to", "canary")
    with pytest.raises(HftError, match="canary"):
        desk.typed("rollout", "ann", "--to", "canary", "--journal", canary)
    assert desk.held() == {"shadow": 7}, "what was refused has left nothing"
    told = desk.typed("rollout", "ann", "--to", "canary", "--journal", shadow)
    figures = told["step"]["evidence"]
    assert (figures["verdict"], figures["journals"]) == ("pass", "shadow.journal")
    assert figures["orders_min"] >= 20 and "All" in figures["said"]
    with pytest.raises(StateError, match="Nobody has asked"):
        desk.typed("rollout", "bea", "--to", "champion", "--approve")
    told = desk.typed("rollout", "ann", "--to", "champion", "--journal", canary)
    assert told["step"]["what"] == "asked" and desk.held() == {"canary": 7}
    assert "another person, not ann, and not desk" in desk.shown()
    for who, said in (("ann", "has asked for it"), ("desk", "has signed the release")):
        with pytest.raises(StateError, match=f"(?i){who} {said}"):
            desk.typed("rollout", who, "--to", "champion", "--approve")
    for who in ("ann", "bea"):
        with pytest.raises(StateError, match="ann has asked for maker-7 as champion already"):
            desk.typed("rollout", who, "--to", "champion", "--journal", canary)
    told = desk.typed("rollout", "bea", "--to", "champion", "--approve")
    assert told["step"]["evidence"] == {"asked in step": 3} and desk.held() == {"champion": 7}
    assert "maker-7" in desk.shown() and f"bea {BEA.public.id}" in desk.shown()
    assert [one["what"] for one in desk.typed("rollout")["steps"]] == [
        "moved", "moved", "asked", "moved",
    ]  # fmt: skip


def champions(desk, *serials):
    """Champions one after the other, as their steps are once they are taken."""
    from small_rollout import taken, to_champion

    releases = [desk.release(one) for one in serials]
    for one in releases:
        taken(desk.shelf, *to_champion(one))
    return releases


def test_back_and_back_again_and_then_nothing(desk):
    champions(desk, 7, 8, 9)
    assert desk.typed("rollback", "ann")["step"]["evidence"] == {"from": "maker-9"}
    told = desk.typed("rollback", "bea", why="this one as well")
    assert (told["step"]["what"], desk.held()) == ("rolled back", {"champion": 7})
    told = desk.typed("rollback", "ann")
    assert (told["step"]["what"], desk.held()) == ("taken away", {})
    with pytest.raises(StateError, match="Nothing of maker is champion"):
        desk.typed("rollback", "ann")


def test_a_champion_before_that_is_not_whole_is_not_gone_back_to(desk):
    old, _ = champions(desk, 7, 8)
    (old.folder / "limits.toml").write_bytes(b"")
    with pytest.raises(StateError, match=r"(?s)cannot be gone back to.*--away"):
        desk.typed("rollback", "ann")
    told = desk.typed("rollback", "ann", "--away")
    assert told["step"]["what"] == "taken away" and desk.held() == {"previous": 7}


def test_a_canary_and_a_shadow_are_given_up(desk):
    from small_rollout import taken

    champions(desk, 7)
    newer = desk.release(8)
    taken(desk.shelf, (ANN, "moved", "shadow", newer), (ANN, "moved", "canary", newer))
    desk.typed("rollback", "bea", "--from", "canary")
    assert desk.held() == {"champion": 7}
    desk.typed("rollout", "bea", "--to", "shadow")
    assert desk.held() == {"champion": 7, "shadow": 8}
    desk.typed("rollback", "bea", "--from", "shadow")
    assert desk.held() == {"champion": 7}
    with pytest.raises(StateError, match="Nothing of maker is shadow"):
        desk.typed("rollback", "bea", "--from", "shadow")


def test_without_a_policy_a_release_stays_shadow(desk):
    files = {name: one for name, one in FILES.items() if name != "rollout.toml"}
    desk.release(7, files)
    desk.typed("rollout", "ann", "--to", "shadow")
    with pytest.raises(StateError, match=r"no rollout policy.*--rollout"):
        desk.typed("rollout", "ann", "--to", "canary")


def test_which_release_is_meant(desk, tmp_path):
    with pytest.raises(InputError, match="no release of maker on the shelf"):
        desk.typed("rollout", "ann", "--to", "shadow")
    for one in (7, 8, 12):
        desk.release(one)
    desk.release(99, name="other")
    (desk.shelf / "maker-notes").mkdir()
    rollout = read_rollout(desk.shelf, "maker", TRUSTED)

    def meant(named=""):
        return chosen_release(rollout, "shadow", str(named), TRUSTED).manifest.serial

    assert (meant(), meant("maker-8"), meant(desk.shelf / "maker-7")) == (12, 8, 7)
    told = desk.typed("rollout", "ann", "--to", "shadow", "--release", "maker-8")
    assert told["step"]["serial"] == 8
    for named, said in (
        ("maker-99", "no release"),
        ("other-99", "This is other-99"),
        ("/tmp/maker-7", "not on this shelf"),
        ("..", "cannot be read"),
        ("maker-notes", "cannot be read"),
    ):
        with pytest.raises(HftError, match=said):
            meant(named)
    (desk.shelf / "maker-12" / "limits.toml").write_bytes(b"")
    with pytest.raises(InputError, match="is not what was signed"):
        meant()  # an older one does not stand in for it


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--to", "winner"), "'winner' is no stage"),
        (("--to", "previous"), "'previous' is no stage"),
        (("--to", "shadow", "--approve"), "Nobody approves a shadow"),
        (("--to", "shadow", "--journal", "day"), "Before a shadow there are no days"),
        (("--to", "shadow"), "Nobody says why"),
        (("--to", "shadow", "--why", "x"), "does not say why"),
        (("--to", "shadow", "--why", "all is well"), "Nobody signs the step"),
        (("--to", "shadow", "--why", "all is well", "--key", "/nowhere"), "The key cannot be"),
        (
            ("--to", "champion", "--why", "all is well", "--key", "ann"),
            "Nothing of maker is canary",
        ),
        (("--to", "shadow", "--why", "all is well", "--key", "stranger"), "is not trusted here"),
        (("--approve",), "No stage is given"),
        (("--why", "all is well"), "No stage is given"),
        (("--shelf", "/nowhere"), "There is no shelf"),
        (("--trusted", "/nowhere"), "trusted keys cannot be read"),
        (("--mend",), "cannot be used"),
    ],
)
def test_what_is_typed_wrong_is_a_sentence(desk, words, said):
    desk.release(7)
    words = [str(desk.keys / f"{one}.key") if one in ("ann", "stranger") else one for one in words]
    words += ["--passphrase-file", str(desk.words)]
    with pytest.raises(HftError, match=said):
        RUNNER.invoke(app, desk.words_of("rollout", *words), catch_exceptions=False)
    assert not (desk.shelf / "maker.rollout").exists() or lines_of(desk.shelf) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Nobody says why"),
        (("--why", "it loses"), "Nobody signs"),
        (("--from", "previous", "--why", "it loses", "--key", "ann"), "is no stage"),
        (("--why", "it loses", "--key", "ann"), "Nothing of maker is champion"),
    ],
)
def test_a_rollback_that_is_typed_wrong(desk, words, said):
    words = [str(desk.keys / f"{one}.key") if one == "ann" else one for one in words]
    words += ["--passphrase-file", str(desk.words)]
    with pytest.raises(HftError, match=said):
        RUNNER.invoke(app, desk.words_of("rollback", *words), catch_exceptions=False)


def test_a_runner_that_cannot_be_switched_leaves_the_step_as_it_is(desk, tmp_path):
    champions(desk, 7, 8)
    words = desk.words_of("rollback", "--key", str(desk.keys / "ann.key"), "--why", "it loses")
    words += ["--passphrase-file", str(desk.words), "--socket", str(tmp_path / "none.sock")]
    done = RUNNER.invoke(app, words, catch_exceptions=False)
    told = " ".join(done.stdout.split())
    assert done.exit_code == 3 and "The step stands" in told and "does not trade by it" in told
    assert desk.held() == {"champion": 7}


def test_a_name_needs_no_word_and_a_torn_line_is_mended_by_hand(desk):
    desk.release(7)
    desk.typed("rollout", "ann", "--to", "shadow")
    path = desk.shelf / "maker.rollout"
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:50])
    with pytest.raises(StateError, match="50 bytes are no step"):
        desk.shown()
    assert "50 bytes taken away" in desk.shown("--mend")
    assert path.read_bytes() == whole
    words = ["rollout", "step", *desk.words_of("rollout")[1:]]
    done = RUNNER.invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0 and "maker-7" in done.stdout
    done = RUNNER.invoke(app, ["rollout", "--help"], catch_exceptions=False)
    assert done.exit_code == 0 and "step" in done.stdout


def test_no_registry_is_a_sentence_and_the_step_stands(desk):
    desk.release(7)
    told = desk.typed("rollout", "ann", "--to", "shadow")
    assert told["said"] and "No registry is at" in told["said"][0] and desk.held() == {"shadow": 7}


def test_a_verdict_stands_in_a_step_as_plain_values(tmp_path):
    figures = {
        "a": 1,
        "b": 0.5,
        "none": None,
        "list": [1, 2],
        "nan": float("nan"),
        "x" * 200: "y\n",
    }
    told = evidence_of(Verdict("Leaving", True, "well\n" * 200, figures), [tmp_path / "a.journal"])
    assert told["verdict"] == "pass" and len(told["said"]) == 300 and "\n" not in told["said"]
    assert told["list"] == "[1, 2]" and told["x" * 100] == "y " and told["none"] is None
    json.dumps(told, allow_nan=False)
    many = {str(n): n for n in range(500)}
    assert len(evidence_of(Verdict("Leaving", True, "so", many), [])) == 100


def test_whoever_may_not_write_is_told(desk):
    from hftlib.promote.rollout.over import switched_to

    champions(desk, 7)
    step = read_rollout(desk.shelf, "maker", TRUSTED).steps[-1]
    with pytest.raises(StateError, match="no champion of maker to go over to"):
        switched_to(step, desk.folder / "sock", None, desk.keys)
    (desk.shelf / "maker.rollout").unlink()
    (desk.shelf / "maker.rollout").mkdir()
    with pytest.raises((HostError, InputError)):
        desk.typed("rollback", "ann")
