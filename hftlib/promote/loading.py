"""What `mlflow.pyfunc.load_model` gives for a version: the release, verified, and nothing to run.

    mlflow.pyfunc.load_model("models:/maker@champion").predict(None)     what it says of itself

HFT_TRUSTED names the folder of trusted keys; without it nothing is read. A release is run by
`hft live --release` only, which attests far more. Worst case: the archive's size in memory.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hftlib.core.errors import InputError, StateError
from hftlib.core.release.archive import unpack
from hftlib.core.release.keys import trusted_keys
from hftlib.core.release.reading import Release

TRUSTED = "HFT_TRUSTED"


class Told:
    """A release as a model that can be asked what it is."""

    def __init__(self, release: Release) -> None:
        self.release = release

    def predict(self, _asked: Any = None, params: Any = None) -> dict[str, Any]:
        """Its manifest, its digest and who signed."""
        key = {"name": self.release.key.name, "id": self.release.key.id}
        return {"digest": self.release.digest, "key": key, **asdict(self.release.manifest)}


def _load_pyfunc(path: str) -> Told:
    """Called by MLflow with the model's data."""
    trusted = os.environ.get(TRUSTED, "")
    if not trusted:
        do = f"Set {TRUSTED} to the folder of keys whose releases you believe."
        raise StateError("Nobody is trusted to have signed it", where=TRUSTED, do=do)
    place = Path(path)
    archives = [place] if place.is_file() else sorted(place.glob("*.tar.gz"))
    if len(archives) != 1:
        do = "Register the release again: hft registry add FOLDER."
        raise InputError("This model holds no release", where=path, do=do)
    with tempfile.TemporaryDirectory(prefix="hft-load-") as folder:
        return Told(unpack(archives[0], Path(folder), trusted_keys(Path(trusted))))
