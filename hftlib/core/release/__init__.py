"""A release: everything that a live host runs, in one folder that somebody has signed.

    keys.py       Ed25519 keys: made, kept under a passphrase, trusted
    manifest.py   what a release says of itself: one canonical JSON
    reading.py    a folder, held against its signature and every digest, before anything is used
    writing.py    the same written: whole or not at all
    archive.py    one file of it, the same bytes for the same release
    record.py     what this host has launched before: no way back by accident

    release = read_release(folder, trusted_keys(keys))
    release.digest, release.manifest.parameters, release.files["limits.toml"]

Nothing here executes, imports or unpickles what a release holds, and the bytes that were verified
are the bytes that are used: they are read once. No compiled code comes from this room, so it is no
part of what compiled code is kept by (`core/jit/cache.py`).
"""

from hftlib.core.release.keys import (
    PrivateKey,
    PublicKey,
    make_key,
    open_key,
    save_key,
    trusted_keys,
)
from hftlib.core.release.manifest import Manifest
from hftlib.core.release.reading import Release, read_release

__all__ = [
    "Manifest",
    "PrivateKey",
    "PublicKey",
    "Release",
    "make_key",
    "open_key",
    "read_release",
    "save_key",
    "trusted_keys",
]
