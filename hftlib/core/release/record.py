"""What this host has launched: a release older than that is refused, unless it is meant.

    with launching(place, release, older="") : ...     refused, or noted as soon as it is left
    {"maker": {"serial": 7, "digest": "...", "declared": {"clip": "int ..."}, "gone": ["peg"]}}

By name the highest serial, and every parameter that a release ever declared with what it meant: a
name that was gone and is back, or that means another thing, is a reused flag. `older` is the reason
why somebody goes back; the serial stays the highest, so that the next launch asks again.

Worst case: a damaged record refuses every launch until a person has looked at it.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hftlib.core.errors import HostError, InputError, StateError
from hftlib.core.release.manifest import canonical
from hftlib.core.release.reading import Release

BYTES_MAX = 4 << 20
_KEYS = {"serial": int, "digest": str, "declared": dict, "gone": list}


def record_place() -> Path:
    """Where the record is: $HFT_RELEASES, or in this user's state."""
    given = os.environ.get("HFT_RELEASES")
    if given:
        return Path(given)
    try:
        state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    except RuntimeError:
        do = "Set HFT_RELEASES to a file that this user can write."
        raise HostError("This user has no home directory", where="HOME", do=do) from None
    return state / "hftlib" / "releases.json"


@contextmanager
def launching(place: Path, release: Release, older: str = "") -> Iterator[None]:
    """Refuse what may not be launched after what was; note it once all else is in order too."""
    with alone(place):
        known = read_record(place, _is_entry)
        _require_newer(known.get(release.manifest.name), release, older, place)
        yield
        write_record(place, {**known, release.manifest.name: _noted(known, release)})


@contextmanager
def alone(place: Path) -> Iterator[None]:
    """Nobody else of this host reads or writes the record meanwhile."""
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(place.with_name(f"{place.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise _host(place, error) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another launch is over within a second
        yield
    finally:
        os.close(lock)


def _require_newer(known: Any, release: Release, older: str, place: Path) -> None:
    if known is None:
        return
    manifest = release.manifest
    if manifest.serial < known["serial"] and not older:
        raise StateError(
            f"Serial {known['serial']} of {manifest.name} was launched here, this is "
            f"{manifest.serial}: an older one",
            where=str(place),
            do="Launch the newer one, or say why you go back: --older WHY.",
        )
    if manifest.serial == known["serial"] and release.digest != known["digest"]:
        raise StateError(
            f"Another {manifest.name} of the serial {manifest.serial} was launched here",
            where=str(place),
            do="Ask who made two of them; a release that differs has a serial of its own.",
        )
    if manifest.serial <= known["serial"]:
        return  # it was in order in its time
    for name, meaning in sorted(manifest.declared.items()):
        meant = known["declared"].get(name, meaning)
        if name in known["gone"] or meant != meaning:
            was = "was gone and is back" if name in known["gone"] else f"was {meant}, is {meaning}"
            raise StateError(
                f"The parameter {name!r} of {manifest.name} {was}: a name is never used again",
                where=str(place),
                do="Give the parameter a new name, and make the release again.",
            )


def _noted(known: Any, release: Release) -> dict[str, Any]:
    manifest = release.manifest
    before = known.get(manifest.name, {"serial": 0, "declared": {}, "gone": [], "digest": ""})
    if manifest.serial < before["serial"]:
        return dict(before)
    gone = {*before["gone"], *manifest.retired, *(set(before["declared"]) - set(manifest.declared))}
    return {
        "serial": manifest.serial,
        "digest": release.digest,
        "declared": dict(manifest.declared),
        "gone": sorted(gone),
    }


def read_record(place: Path, is_entry: Callable[[Any], bool]) -> dict[str, Any]:
    """What was noted there, by name; nothing where there is no file."""
    do = "Let two people look at what ran here; without the file any release is taken once."
    try:
        with place.open("rb") as file:
            data = file.read(BYTES_MAX + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _host(place, error) from None
    try:
        told = json.loads(data[:BYTES_MAX])
        is_good = canonical(told) == data and all(map(is_entry, told.values()))
    except (ValueError, RecursionError, TypeError, AttributeError):
        is_good = False
    if not is_good:
        raise InputError("The record of releases is damaged", where=str(place), do=do)
    return dict(told)


def _is_entry(one: Any) -> bool:
    return (
        isinstance(one, dict)
        and set(one) == set(_KEYS)
        and all(type(one[name]) is kind for name, kind in _KEYS.items())
    )


def write_record(place: Path, told: dict[str, Any]) -> None:
    """Whole, and on the disk."""
    part = place.with_name(f".{place.name}.part")
    try:
        with part.open("wb") as file:
            file.write(canonical(told))
            file.flush()
            os.fsync(file.fileno())
        part.replace(place)
    except OSError as error:
        raise _host(place, error) from None


def _host(place: Path, error: OSError) -> HostError:
    return HostError(
        f"The record of releases cannot be kept: {error.strerror}",
        where=str(place),
        do="Set HFT_RELEASES to a file that this user can write.",
    )
