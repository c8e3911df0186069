"""What a report is made of, so that it can be checked later: digests of files, heads of journals.

    digest = write_manifest(folder, sessions)      manifest.json; the digest to be noted elsewhere
    verify_report(folder, digest="", journals=())  a Checked: what is not as it was, in sentences

    files      SHA-256 and length of each, but for the manifest
    journals   name, frames, head of the hash chain, state
    digest     SHA-256 of the manifest's own bytes: whoever may write the folder can make all anew,
               and only this, noted elsewhere, shows it

Given the journals, each is asked whether it has the head that stands here: a journal that went on
since still has it. Worst case: every byte of the folder and of the journals is read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hftlib import __version__
from hftlib.core import clock
from hftlib.core.errors import HftError, HostError, InputError
from hftlib.core.journal import verify
from hftlib.core.times import to_text
from hftlib.research.journal_files import whole_file

NAME, FORMAT = "manifest.json", 1
FILES_MAX, MANIFEST_BYTES_MAX = 1_000, 1 << 20
_WHERE = "hft report verify"


@dataclass
class Checked:
    """What was found."""

    folder: str
    digest: str
    files: int = 0
    journals: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        return not self.problems

    def __str__(self) -> str:
        said = f"{self.folder}: {self.files:,} files, {self.journals:,} journals looked at"
        verdict = "all as it was made" if self.is_whole else "not as it was made"
        return "\n".join([f"{said}; {verdict}; digest {self.digest}", *self.problems])


def write_manifest(folder: Path, sessions: Sequence[Any]) -> str:
    """The last file of a report; the digest of the manifest."""
    told = {
        "what": "report of a day",
        "format": FORMAT,
        "hftlib": __version__,
        "made": to_text(clock.now_ns()),
        "journals": [
            {
                "name": one.name,
                "state": one.verified.state,
                "frames": one.verified.frames,
                "sealed": one.verified.sealed,
                "head": one.verified.head,
                "problems": one.verified.problems,
            }
            for one in sessions
        ],
        "files": {path.name: _said(path) for path in sorted(folder.iterdir())},
    }
    data = (json.dumps(told, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
    with whole_file(folder / NAME) as file:
        file.write(data)
    return hashlib.sha256(data).hexdigest()


def verify_report(folder: Path, *, digest: str = "", journals: Sequence[Path] = ()) -> Checked:
    """Hold a report against its manifest, and the manifest against what was noted of it."""
    place = Path(folder)
    data, told = _manifest(place)
    found = hashlib.sha256(data).hexdigest()
    made = Checked(str(place), found)
    if digest and found != digest.strip().lower():
        made.problems.append(f"The manifest is another: {digest.strip()} was noted.")
    files = told["files"]
    there = {path.name for path in place.iterdir()} - {NAME}
    made.problems += [f"{name} is missing." for name in sorted(set(files) - there)]
    made.problems += [f"{name} is no part of it." for name in sorted(there - set(files))]
    for name in sorted(there & set(files)):
        made.files += 1
        if _said(place / name) != files[name]:
            made.problems.append(f"{name} was changed.")
    for journal in journals:
        made.journals += 1
        made.problems += _journal(Path(journal), told["journals"])
    return made


def _journal(place: Path, known: list[dict[str, Any]]) -> list[str]:
    named = [one for one in known if one.get("name") == place.resolve().name]
    if not named:
        return [f"The report is not of a journal that is called {place.resolve().name}."]
    head = str(named[0].get("head", ""))
    report = verify(place, head=head)
    return [f"{place.name}: {one}" for one in report.problems if one not in named[0]["problems"]]


def _said(path: Path) -> dict[str, Any]:
    try:
        if path.is_symlink() or not path.is_file():
            return {"sha256": "", "bytes": -1}  # a folder, a link: none of ours
        digest, size = hashlib.sha256(), 0
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
                size += len(piece)
    except OSError as error:
        do = "Give a folder that this user can read."
        what = f"A file of the report cannot be read: {error.strerror}"
        raise HostError(what, where=str(path), do=do) from None
    return {"sha256": digest.hexdigest(), "bytes": size}


def _manifest(place: Path) -> tuple[bytes, dict[str, Any]]:
    do = "Give the folder that `hft report day -o FOLDER` made."
    path = place / NAME
    try:
        if path.stat().st_size > MANIFEST_BYTES_MAX:
            raise InputError("This manifest is too long to be one", where=str(path), do=do)
        data = path.read_bytes()
        told = json.loads(data)
    except HftError:
        raise
    except (OSError, ValueError, RecursionError):
        what = "There is no report here, or its manifest is none"
        raise InputError(what, where=str(path), do=do) from None
    if not _is_right(told):
        raise InputError("This is no manifest of a report", where=str(path), do=do)
    return data, told


def _is_right(told: Any) -> bool:
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        return False
    files, journals = told.get("files"), told.get("journals")
    return (
        isinstance(files, dict)
        and len(files) <= FILES_MAX
        and isinstance(journals, list)
        and all(isinstance(one, dict) and isinstance(one.get("problems"), list) for one in journals)
    )
