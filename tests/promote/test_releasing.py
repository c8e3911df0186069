"""A release is made of what was given, and trades as the backtest of its source did."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest
from release_desk import IDEA, made_once

import hftlib as hft
from hftlib.core.errors import HftError
from hftlib.core.release.manifest import FILE_BYTES_MAX
from hftlib.core.release.reading import read_release
from hftlib.core.release.writing import write_release
from hftlib.ops.attesting import attest, objects_of
from hftlib.promote.releasing import _gone
from hftlib.research.tape import to_tape
from hftlib.strategy.files import strategy_named

TABLES = ("orders", "fills", "refusals")
SERVED = """
import hashlib, json, sys
from pathlib import Path
import hftlib as hft
from hftlib.core.release.keys import trusted_keys
from hftlib.core.release.reading import read_release
from hftlib.core.jit.released import serve
from hftlib.ops.attesting import objects_of
from hftlib.strategy.files import strategy_named

folder, keys, tape, place = map(Path, sys.argv[1:])
release = read_release(folder, trusted_keys(keys))
serve(objects_of(release))
file = place / "strategy.py"
file.write_bytes(release.files[release.manifest.module])
found = strategy_named(f"{file}:{release.manifest.strategy}")
limits = place / "limits.toml"
limits.write_bytes(release.files["limits.toml"])
result = hft.backtest(found(**release.manifest.parameters), tape, limits=limits)
tables = {name: result.records[name] for name in ("orders", "fills", "refusals")}
told = {name: hashlib.sha256(one.tobytes()).hexdigest() for name, one in tables.items()}
print(json.dumps({"tables": told, "orders": len(tables["orders"]), "digest": result.digest}))
"""


@pytest.fixture(scope="module")
def desk():
    return made_once()[0]


@pytest.fixture(scope="module")
def release():
    return made_once()[1]


def test_it_holds_all_that_a_live_host_needs(desk, release):
    files, manifest = release.files, release.manifest
    assert files["strategy/both.py"] == desk.idea.read_bytes()
    assert files["limits.toml"] == desk.limits.read_bytes()
    assert files["evidence/gates/data.html"] == b"<p>well</p>"
    assert {"rollout.toml", "notebook/both.ipynb", "environment.lock"} <= set(files)
    assert "numba==" in release.text("environment.lock")
    assert manifest.declared == {"every": "duration", "clip": "int", "edge": "float"}
    assert manifest.parameters == {"clip": 20} and manifest.tapes == {"monday": "ab" * 32}
    code = objects_of(release)
    names = {one.name for one in code.values()}
    assert {"Both", "hftlib.engine.live.hot.spin", "hftlib.engine.seats.open_orders"} <= names
    assert not any(path.endswith((".pkl", ".pickle", ".nbi", ".nbc", ".pyc")) for path in files)
    attest(release, journal=desk.folder / "day.journal")


def test_the_same_orders_as_the_backtest_of_its_source_byte_for_byte(desk, release, tmp_path):
    """In another process, with the release's machine code and nothing compiled."""
    tape = tmp_path / "day.tape"
    to_tape(hft.synthetic(symbols=1, seconds=5, seed=3), tape)
    source = strategy_named(f"{desk.idea}:Both")
    result = hft.backtest(source(clip=20), tape, limits=desk.limits)
    ours = result.records
    assert len(ours["orders"]) > 50
    nothing = tmp_path / "nothing kept"
    nothing.mkdir(mode=0o700)
    done = subprocess.run(
        [sys.executable, "-c", SERVED, *map(str, (release.folder, desk.keys, tape, tmp_path))],
        env={**os.environ, "HFT_CACHE_DIR": str(nothing)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    told = json.loads(done.stdout)
    wanted = {name: hashlib.sha256(ours[name].tobytes()).hexdigest() for name in TABLES}
    assert told["tables"] == wanted and told["orders"] == len(ours["orders"])
    assert told["digest"] == result.digest, "with the equity"
    assert not list(nothing.rglob("*.o")), "nothing was compiled"


def test_a_name_that_was_gone_is_refused_before_its_code_is_made(desk, release, tmp_path):
    """A reused flag: of three releases of one strategy the last would bring `edge` back."""
    into, manifest = tmp_path / "releases", release.manifest
    declared = {name: kind for name, kind in manifest.declared.items() if name != "edge"}
    assert _gone([release], declared, ()) == ["edge"]
    assert _gone([release], manifest.declared, ("peg",)) == ["peg"]
    less = replace(manifest, serial=manifest.serial + 9, declared=declared, retired=["edge"])
    write_release(into, less, release.files, desk.key)
    with pytest.raises(HftError, match="'edge' once meant something else"):
        desk.release(into=into)
    changed = tmp_path / "changed.py"
    text = IDEA.replace("clip: int = hft.param(10", "clip: float = hft.param(10.0")
    changed.write_text(text.replace("self.clip", "int(self.clip)"))
    with pytest.raises(HftError, match="'clip' once meant something else"):
        desk.release(module=changed, parameters={})
    with pytest.raises(HftError, match="'edge' once meant something else"):
        desk.release(retired=("edge",))


def refusal(desk, **changes):
    before = sorted((desk.folder / "releases").glob("*"))
    with pytest.raises(HftError) as caught:
        desk.release(name="refused", **changes)
    assert sorted((desk.folder / "releases").glob("*")) == before, "nothing half-made is left"
    return str(caught.value)


def test_what_is_given_and_wrong_is_refused_before_anything_is_made(desk, tmp_path):
    nowhere, text = tmp_path / "nowhere", tmp_path / "text"
    text.write_bytes(b"\xff = ")
    for name in ("module", "limits", "rollout", "notebook", "lock"):
        assert "cannot be read" in refusal(desk, **{name: nowhere})
        assert "cannot be read" in refusal(desk, **{name: tmp_path})
    assert "no folder of evidence" in refusal(desk, evidence=nowhere)
    assert "no TOML" in refusal(desk, rollout=text)
    assert "no UTF-8" in refusal(desk, limits=text)
    assert "no plain value" in refusal(desk, parameters={"clip": object()})
    assert "no plain value" in refusal(desk, parameters={"edge": float("nan")})
    huge = tmp_path / "huge"
    with huge.open("wb") as file:
        file.truncate(FILE_BYTES_MAX + 1)
    assert "too large" in refusal(desk, notebook=huge)
    linked = tmp_path / "evidence"
    linked.mkdir()
    (linked / "a").symlink_to("/etc/passwd")
    assert "plain files only" in refusal(desk, evidence=linked)
    (desk.folder / "empty.toml").write_text("")
    assert "limit nothing" in refusal(desk, limits=desk.folder / "empty.toml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("raise SystemExit(3)\n", "could not be imported"),
        ("import os\nos._exit(7)\n", "could not be made"),
        ("this is no Python\n", "could not be imported"),
        ("x = 1\n", "no strategy 'Both'"),
        ('print(\'{"declared": {}, "compiler": "", "cpu": {}}\')\n', "no strategy 'Both'"),
    ],
)
def test_a_module_that_is_no_strategy_makes_no_release(desk, tmp_path, text, words):
    module = tmp_path / "both.py"
    module.write_text(text)
    assert words in refusal(desk, module=module)


def test_parameters_that_the_strategy_does_not_take_make_no_release(desk):
    assert "peg" in refusal(desk, parameters={"peg": 1})
    assert "clip" in refusal(desk, parameters={"clip": 1_000})


def test_what_was_made_is_what_is_read(desk, release):
    assert read_release(release.folder, desk.trusted) == release
