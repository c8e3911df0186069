"""What a release says of itself: `manifest.json`, one canonical text and no other.

    format name serial made hftlib     which release, in which order, by which version
    module strategy sources            the file, the class in it, the file's SHA-256
    parameters declared retired        values; what each name means; names that may not come back
    abi cpu compiler                   what must hold on a host before the code in it may run
    limits tapes                       SHA-256 of the limits, and of the tapes it was judged on
    files                              every file's SHA-256 and size; any other is an intruder

Canonical: ASCII, sorted keys, an indent of one blank. What is read must be exactly what would be
written: so a key that stands twice, NaN, a number too large, a text in another spelling are all the
same thing, a text that differs. Worst case: 1 MiB of text, refused above that before it is parsed.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from hftlib.core.errors import InputError

FORMAT = 1
TEXT_BYTES_MAX = 1 << 20
FILES_MAX, FILE_BYTES_MAX, BYTES_MAX = 4_000, 64 << 20, 256 << 20
DEPTH_MAX, PATH_MAX, PARAMETERS_MAX = 6, 200, 1_000
SERIAL_MAX = 2**53
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
LIMITS, ROLLOUT, LOCK = "limits.toml", "rollout.toml", "environment.lock"
STRATEGY, CODE, EVIDENCE, NOTEBOOK = "strategy", "code", "evidence", "notebook"
ABI = ("engine", "llvmlite", "machine", "numpy", "python", "strategy")
_DO = "Make the release again; a manifest is never edited."
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+=-]{0,99}", re.ASCII)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}", re.ASCII)
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}", re.ASCII)
_MADE = re.compile(r"20\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\dZ", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_TAPE = re.compile(r"[0-9a-f]{16,128}", re.ASCII)  # as the tape itself has it


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was signed. Sizes are in `files`, as bytes."""

    name: str
    serial: int
    made: str
    hftlib: str
    module: str
    strategy: str
    sources: str
    parameters: Mapping[str, Any]
    declared: Mapping[str, str]
    retired: list[str]
    abi: Mapping[str, str]
    cpu: Mapping[str, Any]
    compiler: str
    limits: str
    tapes: Mapping[str, str]
    files: Mapping[str, Mapping[str, Any]]
    format: int = FORMAT

    def text(self) -> bytes:
        return canonical(asdict(self))


def canonical(told: Mapping[str, Any]) -> bytes:
    """The one text of plain values."""
    text = json.dumps(told, sort_keys=True, indent=1, ensure_ascii=True, allow_nan=False)
    return f"{text}\n".encode("ascii")


def manifest_of(data: bytes, where: str) -> Manifest:
    """The manifest that these bytes are, or a sentence on what is wrong with them."""
    if len(data) > TEXT_BYTES_MAX:
        raise _wrong(f"has more than {TEXT_BYTES_MAX:,} bytes", where)
    try:
        told = json.loads(data.decode("ascii"))
        is_canonical = isinstance(told, dict) and canonical(told) == data
    except (ValueError, RecursionError, TypeError):
        raise _wrong("is no JSON of plain values", where) from None
    if not is_canonical:
        raise _wrong("is not written as a manifest is: a key twice, or another spelling", where)
    if told.get("format") != FORMAT or type(told["format"]) is not int:
        raise _wrong(f"is not of format {FORMAT}, which this version reads", where)
    wanted = {one.name for one in fields(Manifest)}
    if set(told) != wanted:
        odd = sorted(set(told) ^ wanted)[0]
        has = "has an unknown key" if odd in told else "lacks the key"
        raise _wrong(f"{has} {ascii(odd)[:60]}", where)
    for name, is_good in _CHECKS.items():
        if not is_good(told[name]):
            raise _wrong(f"says something that cannot be in {name!r}", where)
    _require_whole(told, where)
    return Manifest(**told)


def safe_path(path: Any) -> bool:
    """A path inside of a folder, in plain letters: no `..`, nothing absolute, no odd spelling."""
    if not isinstance(path, str) or not 0 < len(path) <= PATH_MAX:
        return False
    parts = path.split("/")
    return len(parts) <= DEPTH_MAX and all(_PART.fullmatch(part) for part in parts)


def _require_whole(told: Mapping[str, Any], where: str) -> None:
    """What two keys say together."""
    files, parameters = told["files"], told["parameters"]
    if len({path.casefold() for path in files}) != len(files):
        raise _wrong("names two files that differ by capitals only", where)
    folders = {
        "/".join(path.split("/")[:n]) for path in files for n in range(1, path.count("/") + 1)
    }
    if folders & set(files) or {MANIFEST, SIGNATURE} & set(files):
        raise _wrong("names a file where a folder, or a file of its own, stands", where)
    if sum(one["bytes"] for one in files.values()) > BYTES_MAX:
        raise _wrong(f"names more than {BYTES_MAX >> 20} MiB", where)
    for path, digest in ((LIMITS, told["limits"]), (told["module"], told["sources"])):
        if path not in files or files[path]["sha256"] != digest:
            raise _wrong(f"does not hold {path} as it says", where)
    if not set(parameters) <= set(told["declared"]):
        raise _wrong("gives a parameter that the strategy does not declare", where)
    back = sorted(set(told["retired"]) & set(told["declared"]))
    if back:
        what = f"declares {back[0]!r}, a name that once meant something else and may not come back"
        raise _wrong(what, where)


def _is_table(key: Callable[[Any], Any], value: Callable[[Any], Any], most: int) -> Any:
    return lambda told: (
        isinstance(told, dict)
        and len(told) <= most
        and all(key(name) and value(one) for name, one in told.items())
    )


def _is_like(pattern: re.Pattern[str]) -> Any:
    return lambda told: isinstance(told, str) and pattern.fullmatch(told) is not None


def _is_text(told: Any) -> bool:
    return isinstance(told, str) and 0 < len(told) <= 200 and told.isprintable()


def _is_value(told: Any) -> bool:
    if isinstance(told, float):
        return math.isfinite(told)
    if isinstance(told, bool):
        return True
    if isinstance(told, int):
        return -(2**63) <= told < 2**63
    return isinstance(told, str) and len(told) <= 200 and (told == "" or told.isprintable())


def _is_file(told: Any) -> bool:
    return (
        isinstance(told, dict)
        and set(told) == {"sha256", "bytes"}
        and _is_like(_DIGEST)(told["sha256"])
        and type(told["bytes"]) is int
        and 0 <= told["bytes"] <= FILE_BYTES_MAX
    )


def _is_cpu(told: Any) -> bool:
    return (
        isinstance(told, dict)
        and set(told) == {"name", "features"}
        and _is_text(told["name"])
        and isinstance(told["features"], list)
        and len(told["features"]) <= 1_000
        and all(map(_is_text, told["features"]))
        and told["features"] == sorted(set(told["features"]))
    )


_word, _digest = _is_like(_WORD), _is_like(_DIGEST)
_CHECKS: dict[str, Callable[[Any], Any]] = {
    "name": _is_like(_NAME),
    "serial": lambda told: type(told) is int and 0 < told <= SERIAL_MAX,
    "made": _is_like(_MADE),
    "hftlib": _is_text,
    "module": lambda told: safe_path(told) and re.fullmatch(r"strategy/\w+\.py", told, re.ASCII),
    "strategy": _word,
    "sources": _digest,
    "parameters": _is_table(_word, _is_value, PARAMETERS_MAX),
    "declared": _is_table(_word, _is_text, PARAMETERS_MAX),
    "retired": lambda told: (
        isinstance(told, list)
        and len(told) <= PARAMETERS_MAX
        and all(map(_word, told))
        and told == sorted(set(told))
    ),
    "abi": lambda told: (
        isinstance(told, dict) and sorted(told) == list(ABI) and all(map(_is_text, told.values()))
    ),
    "cpu": _is_cpu,
    "compiler": _is_text,
    "limits": _digest,
    "tapes": _is_table(_is_text, _is_like(_TAPE), 10_000),
    "files": _is_table(safe_path, _is_file, FILES_MAX),
}


def _wrong(what: str, where: str) -> InputError:
    return InputError(f"The manifest {what}", where=where, do=_DO)
