"""`hft keys` and `hft release`, as far as a live host needs them; `make` is in `hftlib/promote`.

    hft keys make desk.key                       hft keys show desk.pub
    hft release verify FOLDER --trusted KEYS     hft release show FOLDER --trusted KEYS
    hft release digest FOLDER --trusted KEYS     hft release pack|unpack ...

Nothing is shown of a release whose signature and digests do not hold. Worst case: none.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from hftlib.terminal import Json, show

keys = typer.Typer(name="keys", help="Keys that sign releases.", no_args_is_help=True)
release = typer.Typer(name="release", help="Signed releases.", no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(help="The folder of a release.")]
Trusted = Annotated[Path, typer.Option(help="A folder of .pub files, or one of them.")]
PassphraseFile = Annotated[
    Path | None, typer.Option(help="A file with the passphrase, mode 600; else it is asked for.")
]


@keys.command("make")
def make_key_command(
    file: Annotated[Path, typer.Argument(help="DESK.key; DESK.pub is written beside it.")],
    name: Annotated[str, typer.Option(help="Who signs; the file's name without it.")] = "",
    passphrase_file: PassphraseFile = None,
    json_out: Json = False,
) -> None:
    """Make a key: the private one under a passphrase, the public one for live hosts."""
    from hftlib.core.release.keys import make_key, save_key
    from hftlib.ops.passphrases import passphrase

    made = make_key(name or file.stem)
    beside = save_key(made, file, passphrase(passphrase_file, twice=True))
    if json_out:
        print(json.dumps({"id": made.public.id, "private": str(file), "public": str(beside)}))
    else:
        print(f"{made.public.name} {made.public.id}: sign with {file}, give {beside} to live hosts")


@keys.command("show")
def show_keys(
    place: Annotated[Path, typer.Argument(help="A .pub file, or a folder of them.")],
    json_out: Json = False,
) -> None:
    """The public keys of a file or a folder."""
    from hftlib.core.release.keys import trusted_keys

    found = trusted_keys(place)
    if json_out:
        print(json.dumps([{"name": one.name, "id": one.id} for one in found.values()]))
        return
    for one in found.values():
        print(f"{one.id}  {one.name}")


@release.command("verify")
def verify(folder: Folder, trusted: Trusted, json_out: Json = False) -> None:
    """Whether a release is what somebody trusted has signed, to the byte."""
    found = _read(folder, trusted)
    if json_out:
        print(json.dumps(_told(found)))
        return
    size = sum(map(len, found.files.values())) / 1e6
    print(
        f"{found.name} is whole: {len(found.files):,} files, {size:.1f} MB, signed by "
        f"{found.key.name} {found.key.id}, digest {found.digest}"
    )


@release.command("digest")
def digest(folder: Folder, trusted: Trusted) -> None:
    """The digest that all runners of a group agree on: `hft live --group-digest`."""
    print(_read(folder, trusted).digest)


@release.command("show")
def show_release(folder: Folder, trusted: Trusted, json_out: Json = False) -> None:
    """What a release says of itself."""
    found = _read(folder, trusted)
    if json_out:
        print(json.dumps({**_told(found), "manifest": asdict(found.manifest)}, indent=2))
        return
    show(_table(found))


@release.command("pack")
def pack_command(
    folder: Folder,
    archive: Annotated[Path, typer.Argument(help="NAME.tar.gz, a new file.")],
    trusted: Trusted,
) -> None:
    """One file of a release, the same bytes wherever it is made."""
    from hftlib.core.release.archive import pack

    print(pack(_read(folder, trusted), archive))


@release.command("unpack")
def unpack_command(
    archive: Annotated[Path, typer.Argument(help="What `hft release pack` wrote.")],
    into: Annotated[Path, typer.Argument(help="The release gets a folder of its name in there.")],
    trusted: Trusted,
) -> None:
    """The release of an archive, verified before a single file is written."""
    from hftlib.core.release.archive import unpack
    from hftlib.core.release.keys import trusted_keys

    print(unpack(archive, into, trusted_keys(trusted)).folder)


def _read(folder: Path, trusted: Path) -> Any:
    from hftlib.core.release.keys import trusted_keys
    from hftlib.core.release.reading import read_release

    return read_release(folder, trusted_keys(trusted))


def _told(found: Any) -> dict[str, Any]:
    return {
        "folder": str(found.folder),
        "name": found.manifest.name,
        "serial": found.manifest.serial,
        "digest": found.digest,
        "key": {"name": found.key.name, "id": found.key.id},
        "files": len(found.files),
    }


def _table(found: Any) -> Any:
    from rich.table import Table
    from rich.text import Text

    manifest = found.manifest
    made = Table(
        title=f"{found.name}, signed by {found.key.name} {found.key.id}", show_header=False
    )
    values = ", ".join(f"{name}={value}" for name, value in sorted(manifest.parameters.items()))
    rows = {
        "digest": found.digest,
        "made": f"{manifest.made}, by hftlib {manifest.hftlib} and {manifest.compiler}",
        "strategy": f"{manifest.strategy} of {manifest.module}",
        "parameters": values or "as the strategy has them",
        "declared": ", ".join(f"{n}: {kind}" for n, kind in sorted(manifest.declared.items())),
        "may not come back": ", ".join(manifest.retired) or "nothing",
        "runs on": f"{manifest.cpu['name']}, Python {manifest.abi['python']}, "
        f"numpy {manifest.abi['numpy']}, llvmlite {manifest.abi['llvmlite']}",
        "tapes": ", ".join(f"{n} {one[:12]}" for n, one in sorted(manifest.tapes.items())),
        "evidence": ", ".join(sorted(found.below("evidence"))) or "none",
    }
    for name, text in rows.items():
        made.add_row(name, Text(text))
    return made
