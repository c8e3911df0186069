"""Whether this host may run a release, looked at before anything is opened. Any doubt refuses.

    attest(release, journal=folder, group_digest="")
    require_kept_clock("canary", exchanges)      once it is known where orders are to go

    group     the digest that all runners of a group are given            --group-digest
    ABI       hftlib's sources to the byte, Python, numpy, llvmlite       stale code ends here
    CPU       every feature that the machine code uses
    limits    there, readable, and limiting something
    clock     not before the release was made; for orders that leave, kept by a time daemon
    disk      room for a journal
    names     each parameter is declared by the strategy, as the manifest says it is

Signature and digests were looked at when it was read (`core/release/reading.py`), what was launched
before is by `core/release/record.py`. Worst case: 40 ms to read hftlib's own sources.
"""

from __future__ import annotations

import calendar
import hashlib
import os
import platform
import time
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import hftlib
from hftlib.core.errors import HftError, HostError, InputError, StateError
from hftlib.core.object_code import ObjectCode, parsed
from hftlib.core.release.manifest import CODE, LIMITS, ROLLOUT
from hftlib.core.release.reading import Release, quoted
from hftlib.ops.kernel_clock import kernel_clock
from hftlib.ops.modes import CANARY, LIVE

# What decides over orders, and what drives it.
ROOMS = ("core", "feed", "book", "strategy", "risk", "execution", "venue", "engine", "ops")
DISK_BYTES_MIN = 1 << 30
CLOCK_S = 60  # between the clocks of two hosts
SENDS = (CANARY, LIVE)
_SCOPES = ("instrument", "strategy", "portfolio", "firm")
_AGAIN = "Make the release again with this version, or install the version that it was made with."


def attest(release: Release, *, journal: Path, group_digest: str = "") -> None:
    """Refuse, in one sentence, whatever is in doubt; nothing of the release is run."""
    _require_group(release, group_digest)
    _require_abi(release)
    _require_cpu(release)
    _require_limits(release)
    _require_clock(release)
    _require_disk(journal)


def abi_of_host() -> dict[str, str]:
    """What machine code and this process must agree on."""
    from hftlib.core.jit.cache import toolchain
    from hftlib.strategy.abi import ABI

    here = toolchain()
    return {
        "engine": engine_digest(),
        "llvmlite": here["llvmlite"],
        "machine": platform.machine(),
        "numpy": here["numpy"],
        "python": here["python"],
        "strategy": str(ABI),
    }


def engine_digest() -> str:
    """Digest of hftlib's own sources, wherever they are installed."""
    package = Path(hftlib.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(path for room in ROOMS for path in (package / room).rglob("*.py")):
        data = path.read_bytes()
        digest.update(f"{path.relative_to(package).as_posix()}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()


def features_of_host() -> set[str]:
    from hftlib.core.jit.cache import cpu_identity

    return set(cpu_identity()[1].split(","))


def objects_of(release: Release) -> dict[str, ObjectCode]:
    """The release's machine code by name, not yet linked."""
    found, objects = release.below(CODE), {}
    for name in sorted(found):
        if name.endswith(".json"):
            continue
        told = found.get(f"{name}.json", b"")
        objects[name] = parsed(found[name], told, release.folder / CODE / name)
    if not objects:
        raise _not_this(release, "The release holds no object code", _AGAIN)
    return objects


def require_names(release: Release, found: Any) -> None:
    """The strategy as it is imported declares what the manifest says, and takes its parameters."""
    declared = declared_by(found)
    if declared != dict(release.manifest.declared):
        odd = min(set(declared.items()) ^ set(release.manifest.declared.items()))[0]
        what = f"The strategy declares the parameter {odd!r} otherwise than the manifest says"
        raise _not_this(release, what, "Make the release again.")
    found(**release.manifest.parameters)


def declared_by(found: Any) -> dict[str, str]:
    """Each parameter of a strategy's class, and what a value of it is."""
    return {
        name: "duration" if one.declared.duration else one.kind.__name__
        for name, one in found._plan.params.items()
    }


def _require_group(release: Release, digest: str) -> None:
    if digest and digest.strip().lower() != release.digest:
        raise _not_this(
            release,
            f"The group runs the release {quoted(digest.strip())}, this is {release.digest}",
            "Compare `hft release digest FOLDER` on each host; one of them has another release.",
        )


def _require_abi(release: Release) -> None:
    here = abi_of_host()
    for name, wanted in sorted(release.manifest.abi.items(), reverse=True):
        if here[name] != wanted:
            names = {"engine": "hftlib's sources", "strategy": "the strategies' ABI"}
            is_digest = name == "engine"
            had, has = (wanted[:12], here[name][:12]) if is_digest else (wanted, here[name])
            raise HostError(
                f"The release was made with {names.get(name, name)} {had}, this host has {has}",
                where=str(release.folder),
                do=_AGAIN,
            )


def _require_cpu(release: Release) -> None:
    missing = sorted(set(release.manifest.cpu["features"]) - features_of_host())
    if missing:
        raise HostError(
            f"This processor lacks {', '.join(missing)[:200]}",
            where=f"{release.folder}, made for {release.manifest.cpu['name']}",
            do="Run it on the kind of processor it was made for, or make the release on this kind.",
        )


def _require_limits(release: Release) -> None:
    require_limits(release.files[LIMITS], str(release.folder / LIMITS))
    if ROLLOUT in release.files:
        try:
            tomllib.loads(release.text(ROLLOUT))
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise _not_this(release, f"Its {ROLLOUT} is no TOML: {error}", "Correct it.") from None


def require_limits(data: bytes, where: str) -> None:
    """Limits that can be read, and limit something."""
    from hftlib.risk.limits_file import limits_of

    do = "Write limits for [firm] at least; `hft limits check` tells what they allow."
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError("The limits are no UTF-8 text", where=where, do=do) from None
    limits_of(text, Path(where))
    told = tomllib.loads(text)
    if not any(told.get(scope) for scope in _SCOPES):
        raise InputError("The limits limit nothing", where=where, do=do)


def _require_clock(release: Release) -> None:
    made = calendar.timegm(time.strptime(release.manifest.made, "%Y-%m-%dT%H:%M:%SZ"))
    if time.time() < made - CLOCK_S:
        raise HostError(
            f"This host's clock is before {release.manifest.made}, when the release was made",
            where=str(release.folder),
            do="Set the clock, or ask who signs releases of tomorrow.",
        )


def require_kept_clock(mode: str, exchanges: Mapping[str, Mapping[str, Any]]) -> None:
    """Where orders go to somebody else, a time daemon keeps the clock; a simulator is nobody."""
    is_played = all(told.get("simulator") is True for told in exchanges.values())
    if mode not in SENDS or (mode == CANARY and is_played):
        return
    known = kernel_clock()
    if known is None or not known.is_synchronised:
        raise HostError(
            "Nobody keeps this host's clock: the kernel holds it for not synchronised",
            where=f"hft live --mode {mode}",
            do="Start a time daemon (chrony), and look with `hft doctor`.",
        )


def _require_disk(journal: Path) -> None:
    place = journal.absolute().parent
    try:
        space = os.statvfs(place)
    except OSError as error:
        do = "Make the folder in which the journal is to be."
        what = f"There is no place for the journal: {error.strerror}"
        raise HostError(what, where=str(place), do=do) from None
    free = space.f_bavail * space.f_frsize
    if free < DISK_BYTES_MIN:
        raise HostError(
            f"The journal has room for {free >> 20:,} MiB, and {DISK_BYTES_MIN >> 20:,} are needed",
            where=str(place),
            do="Make room, or put the journal elsewhere.",
        )


def _not_this(release: Release, what: str, do: str) -> HftError:
    return StateError(what, where=str(release.folder), do=do)
