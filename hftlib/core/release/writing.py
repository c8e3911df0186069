"""A release as a folder: whole or not at all, signed, and read back before anybody has it.

    release = write_release(into, manifest, files, key)      into/NAME-SERIAL

`manifest.files` is made here, from the files.
Worst case: a killed writer leaves `.NAME-SERIAL.part`, which the next one takes away.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from hftlib.core.errors import HostError, InputError, StateError
from hftlib.core.release.keys import PrivateKey
from hftlib.core.release.manifest import MANIFEST, SIGNATURE, Manifest, manifest_of, safe_path
from hftlib.core.release.reading import Release, quoted, read_release, signature_text


def write_release(
    into: Path, manifest: Manifest, files: Mapping[str, bytes], key: PrivateKey
) -> Release:
    """The release in a new folder below `into`."""
    for path in files:
        if not safe_path(path):
            do = "Use letters, digits, and - _ . + = in names of files and folders."
            raise InputError(f"A release holds no {quoted(path)}", where="its files", do=do)
    told = {
        path: {"sha256": hashlib.sha256(one).hexdigest(), "bytes": len(one)}
        for path, one in files.items()
    }
    whole = replace(manifest, files=told)
    data = whole.text()
    manifest_of(data, f"{manifest.name}-{manifest.serial}")  # what no reader takes is not written
    signature = signature_text(key.public.id, key.sign(data))
    place = into / f"{whole.name}-{whole.serial}"
    written(place, {**files, MANIFEST: data, SIGNATURE: signature})
    return read_release(place, {key.public.id: key.public})


def written(place: Path, files: Mapping[str, bytes]) -> None:
    """The files in a new folder, there once they are all on the disk."""
    if os.path.lexists(place):
        do = "A release is never written over; give another folder or serial."
        raise StateError("There is something already", where=str(place), do=do)
    part = place.with_name(f".{place.name}.part")
    try:
        if part.exists():
            shutil.rmtree(part)
        for path, data in files.items():
            target = part / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        part.rename(place)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise HostError(
            f"The release cannot be written: {error.strerror}",
            where=str(place),
            do="Give a folder that you can write, with room.",
        ) from None
