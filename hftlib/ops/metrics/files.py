"""What Prometheus, Alertmanager and Grafana are given, as it lies in this package.

    write_files(Path("prometheus"))      copies; another file of that name is not overwritten

Worst case: a folder that cannot be written, or another file there, is a sentence before any is.
"""

from __future__ import annotations

from pathlib import Path

from hftlib.core.errors import HostError, InputError

HERE = Path(__file__).parent
FOLDERS = ("prometheus", "grafana")


def given_files() -> dict[str, bytes]:
    """Each by its name."""
    found = [one for folder in FOLDERS for one in sorted((HERE / folder).iterdir())]
    return {one.name: one.read_bytes() for one in found if one.suffix in (".yml", ".json")}


def write_files(folder: Path, force: bool = False) -> list[Path]:
    """Write them all, and say where."""
    given = given_files()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in given.items():
            path = folder / name
            if not force and path.exists() and path.read_bytes() != data:
                do = "Name another folder, or say --force."
                raise InputError("There is another file of that name", where=str(path), do=do)
        for name, data in given.items():
            (folder / name).write_bytes(data)
    except OSError as error:
        do = "Name a folder that you can write."
        why = f"The files cannot be written: {error.strerror}"
        raise HostError(why, where=str(folder), do=do) from None
    return [folder / name for name in given]
