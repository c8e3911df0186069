"""A small release, made and signed by hand: what the tests of reading take apart."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from hftlib.core.release.keys import make_key
from hftlib.core.release.manifest import MANIFEST, SIGNATURE, Manifest
from hftlib.core.release.reading import signature_text
from hftlib.core.release.writing import write_release

DESK, OTHER = make_key("desk"), make_key("other")
TRUSTED = {DESK.public.id: DESK.public}
FILES = {
    "strategy/maker.py": b"raise SystemExit('it was run')\n",
    "limits.toml": b"[firm]\nmessages = 1_000\n",
    "rollout.toml": b"[shadow]\nhours = 1\n",
    "environment.lock": b"numpy==2.4.0\n",
    "code/Maker.00.o": bytes(range(256)),
    "code/Maker.00.o.json": b"{}",
    "evidence/gates/data.html": b"<p>all is well</p>",
    "notebook/maker.ipynb": b"{}",
}


def manifest(**changes):
    known = {
        "name": "maker",
        "serial": 7,
        "made": "2026-11-22T20:00:00Z",
        "hftlib": "0.1.0",
        "module": "strategy/maker.py",
        "strategy": "Maker",
        "sources": sha(FILES["strategy/maker.py"]),
        "parameters": {"clip": 100, "edge": 0.5},
        "declared": {"clip": "int", "edge": "float", "skew": "float"},
        "retired": [],
        "abi": {
            "engine": "0" * 64,
            "llvmlite": "0.48",
            "machine": "x86_64",
            "numpy": "2.4.0",
            "python": "3.11.2",
            "strategy": "3",
        },
        "cpu": {"name": "generic", "features": ["+sse2"]},
        "compiler": "numba 0.68.0",
        "limits": sha(FILES["limits.toml"]),
        "tapes": {"monday": "1" * 64},
        "files": {},
    }
    return Manifest(**{**known, **changes})


def sha(data):
    return hashlib.sha256(data).hexdigest()


def made(into, key=DESK, files=FILES, **changes):
    return write_release(into, manifest(**changes), files, key)


def signed(folder, data, key=DESK):
    """Another manifest in its place, signed as it is, whatever it is."""
    (folder / MANIFEST).write_bytes(data)
    (folder / SIGNATURE).write_bytes(signature_text(key.public.id, key.sign(data)))


def told(files):
    return {path: {"sha256": sha(one), "bytes": len(one)} for path, one in files.items()}


def whole(files=FILES, **changes):
    return replace(manifest(**changes), files=told(files))
