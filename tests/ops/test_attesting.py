"""What a host looks at before it runs a release: every doubt refuses, in a sentence."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from small_release import FILES, TRUSTED, made, manifest, sha

import hftlib
from hftlib.core.errors import HftError
from hftlib.core.release.reading import read_release
from hftlib.ops import attesting
from hftlib.ops.attesting import (
    abi_of_host,
    attest,
    engine_digest,
    objects_of,
    require_kept_clock,
    require_names,
)
from hftlib.ops.kernel_clock import kernel_clock
from hftlib.strategy.files import strategy_named

IDEA = '''
import hftlib as hft


@hft.strategy
class Maker:
    """Does nothing."""

    clip: int = hft.param(100, low=1)
    wait: int = hft.param(1_000, duration=True)
    edge: float = hft.param(0.5)

    def on_book(self, ctx, i):
        pass
'''


def here(into, files=FILES, **changes):
    """A release that was made on this very host."""
    return made(
        into, files=files, **{"abi": abi_of_host(), "made": "2026-01-01T00:00:00Z", **changes}
    )


def refusal(call, *values, **named):
    with pytest.raises(HftError) as caught:
        call(*values, **named)
    return str(caught.value)


def attested(release, tmp_path, **changes):
    attest(release, **{"journal": tmp_path / "day.journal", **changes})


def test_a_release_made_here_is_in_order(tmp_path):
    attested(here(tmp_path), tmp_path)


def test_other_versions_and_other_sources_are_refused(tmp_path):
    host = abi_of_host()
    for number, name in enumerate(host):
        release = here(tmp_path / str(number), abi={**host, name: "another"})
        told = refusal(attested, release, tmp_path)
        assert "The release was made with" in told and "another" in told
    assert "hftlib's sources" in refusal(
        attested, here(tmp_path / "stale", abi={**host, "engine": "0" * 64}), tmp_path
    )


def test_stale_code_is_known_wherever_it_is_installed(tmp_path):
    """Another place makes no difference, one byte of one file does: also of a comment."""
    copy = tmp_path / "elsewhere" / "hftlib"
    shutil.copytree(
        Path(hftlib.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__")
    )
    words = "import hftlib.ops.attesting as a; print(a.engine_digest(), a.__file__)"

    def digest():
        done = subprocess.run(
            [sys.executable, "-c", words],
            env={**os.environ, "PYTHONPATH": str(copy.parent)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        found, _, place = done.stdout.strip().partition(" ")
        assert place.startswith(str(copy))
        return found

    assert digest() == engine_digest()
    target = copy / "risk" / "checks.py"
    target.write_text(target.read_text().replace("worst", "Worst", 1) + "# \n")
    assert digest() != engine_digest()


def test_a_processor_that_lacks_a_feature_is_named(tmp_path):
    cpu = {"name": "tomorrow", "features": ["+amx-quantum", "+sse2"]}
    assert "lacks +amx-quantum" in refusal(attested, here(tmp_path, cpu=cpu), tmp_path)


def test_limits_must_be_there_and_limit_something(tmp_path):
    cases = {
        b"": "limit nothing",
        b"[rules]\nself_match = 'cancel_newest'\n": "limit nothing",
        b"[firm]\n": "limit nothing",
        b"[firm]\nmessagez = 1\n": "There is no limit",
        b"[firm]\nmessages = -1\n": "cannot be",
        b"[firm": "no TOML",
        b"\xff": "no UTF-8",
        b"[firm]\nmessages = 1\n[firm]\nmessages = 2\n": "no TOML",
    }
    for number, (text, words) in enumerate(cases.items()):
        files = {**FILES, "limits.toml": text}
        release = here(tmp_path / str(number), files, limits=sha(text))
        assert words in refusal(attested, release, tmp_path)
    files = {**FILES, "rollout.toml": b"[shadow"}
    assert "rollout.toml is no TOML" in refusal(attested, here(tmp_path / "r", files), tmp_path)


def test_the_clock(tmp_path):
    release = here(tmp_path / "a", made="2099-12-31T23:59:59Z")
    assert "clock is before 2099" in refusal(attested, release, tmp_path)
    attested(here(tmp_path / "b"), tmp_path)
    known, played, real = kernel_clock(), {"": {"simulator": True}}, {"": {}}
    for mode, exchanges in (
        ("canary", real),
        ("canary", {"XNAS": {"simulator": True}, "XBOS": {}}),
        ("live", real),
        ("live", played),
    ):
        if known is not None and known.is_synchronised:
            require_kept_clock(mode, exchanges)
        else:
            said = refusal(require_kept_clock, mode, exchanges)
            assert "Nobody keeps this host's clock" in said
    for mode, exchanges in (("canary", played), ("paper", real), ("shadow", real), ("", played)):
        require_kept_clock(mode, exchanges)


def test_there_must_be_room_for_a_journal(tmp_path, monkeypatch):
    release = here(tmp_path)
    told = refusal(attested, release, tmp_path, journal=tmp_path / "no" / "day.journal")
    assert "no place for the journal" in told
    monkeypatch.setattr(attesting, "DISK_BYTES_MIN", 1 << 60)
    assert "MiB" in refusal(attested, release, tmp_path)


def test_a_group_runs_one_release(tmp_path):
    one, other = here(tmp_path / "one"), here(tmp_path / "other", serial=8)
    attested(one, tmp_path, group_digest=f" {one.digest.upper()}\n")
    told = refusal(attested, other, tmp_path, group_digest=one.digest)
    assert one.digest in told and other.digest in told
    for odd in ("x", one.digest[:-1], one.digest + "0", "\x1b[31m"):
        assert refusal(attested, one, tmp_path, group_digest=odd).isprintable()


def test_code_that_is_none_is_refused(tmp_path):
    assert "object code" in refusal(objects_of, here(tmp_path / "a"))
    files = {path: one for path, one in FILES.items() if not path.startswith("code/")}
    assert "no object code" in refusal(objects_of, here(tmp_path / "b", files))
    for number, facts in enumerate((b"", b"[]", b"[" * 99_999, b'{"name": 1}', b"null")):
        files = {**FILES, "code/Maker.00.o.json": facts}
        assert "object code" in refusal(objects_of, here(tmp_path / f"c{number}", files))
    files = {path: one for path, one in FILES.items() if not path.endswith(".o.json")}
    assert "object code" in refusal(objects_of, here(tmp_path / "d", files))


def test_names_of_parameters_are_those_of_the_strategy(tmp_path):
    file = tmp_path / "maker.py"
    file.write_text(IDEA)
    found = strategy_named(f"{file}:Maker")
    declared = {"clip": "int", "wait": "duration", "edge": "float"}
    require_names(here(tmp_path / "a", declared=declared), found)
    for number, other in enumerate(
        (
            {**declared, "peg": "bool"},
            {**declared, "clip": "float"},
            {"clip": "int", "edge": "float"},
        )
    ):
        release = here(tmp_path / f"b{number}", declared=other)
        assert "otherwise than the manifest" in refusal(require_names, release, found)
    release = here(tmp_path / "c", declared=declared, parameters={"clip": 0})
    assert "clip" in refusal(require_names, release, found)


def test_what_is_looked_at_is_what_was_signed(tmp_path):
    release = here(tmp_path)
    again = read_release(release.folder, TRUSTED)
    assert asdict(again.manifest) == asdict(release.manifest)
    assert asdict(again.manifest)["declared"] == asdict(manifest())["declared"]
