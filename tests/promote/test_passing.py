"""From the gates to a signed release: by one command, and never without all of them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hftlib.cli import app
from hftlib.core.errors import InputError, StateError
from hftlib.core.release import read_release
from hftlib.promote.passing import release_of
from hftlib.promote.plan import read_plan
from hftlib.promote.promoting import promote
from tests.promote.release_desk import WORDS, Desk
from tests.promote.small_gates import FAIL, PASS, desk

RUNNER = CliRunner()


@pytest.fixture(scope="module")
def signer(tmp_path_factory):
    return Desk(tmp_path_factory.mktemp("signer"))


def typed(plan, signer, *words):
    given = ["promote", str(plan.parent / "idle.py"), "--plan", str(plan), "--json"]
    given += ["-o", str(plan.parent / "out"), "--into", str(plan.parent / "releases")]
    given += ["--key", str(signer.keys / "desk.key"), "--passphrase-file", str(signer.words)]
    return RUNNER.invoke(app, [*given, *words], catch_exceptions=False)


def test_what_passes_is_signed_with_its_evidence(place, signer):
    plan = desk(place / "signed", **{"01_quick": PASS})
    done = typed(plan, signer, "-p", "edge=2")
    told = json.loads(done.stdout)
    assert done.exit_code == 0 and told["passed"] is True
    release = read_release(told["release"]["folder"], signer.trusted)
    assert release.digest == told["release"]["digest"]
    manifest = release.manifest
    assert (manifest.name, manifest.parameters["edge"]) == (told["candidate"]["name"], 2)
    assert manifest.sources == told["candidate"]["digest"] and manifest.tapes == told["tapes"]
    assert {"evidence/index.html", "evidence/promotion.json"} <= set(manifest.files)
    assert told["release"]["rollout"] == "pipelines/rollout.toml"
    assert release.files["rollout.toml"] == Path("pipelines/rollout.toml").read_bytes()
    assert WORDS not in done.stdout


def test_a_policy_that_is_none_is_refused_before_the_first_gate(place, signer):
    plan = desk(place / "policies", **{"01_quick": PASS})
    for text, why in (("[shadow]\nhours = 1\n", "no table"), ("[shadow", "no TOML")):
        (place / "policy.toml").write_text(text)
        with pytest.raises(InputError, match=why):
            typed(plan, signer, "--rollout", str(place / "policy.toml"))
    assert not (plan.parent / "out").exists() and not (plan.parent / "releases").exists()


def test_what_does_not_pass_is_not(place, signer):
    plan = desk(place / "unsigned", **{"01_quick": PASS, "02_bad": FAIL})
    done = typed(plan, signer, "-p", "edge=3")
    assert done.exit_code == 1 and json.loads(done.stdout)["release"] is None
    some = typed(plan, signer, "-p", "edge=3", "--only", "01")
    assert some.exit_code == 0 and json.loads(some.stdout)["release"] is None
    assert not (plan.parent / "releases").exists()
    gates = read_plan(plan)
    made = promote(str(plan.parent / "idle.py"), {}, plan=gates, folder=place / "u", only=["01"])
    with pytest.raises(StateError, match="has not passed every gate"):
        release_of(made, gates, signer.key, place / "releases")
