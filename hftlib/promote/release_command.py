"""`hft release make`: a release by hand, out of a module and a file of limits.

    hft release make maker.py:Maker --limits limits.toml --key desk.key --into releases

`hft promote` makes them once every gate has passed; this is for a desk that has its own gates.
Worst case: minutes, where nothing is compiled yet.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from hftlib.ops.release_commands import PassphraseFile
from hftlib.terminal import Json

Source = Annotated[str, typer.Argument(metavar="FILE.py:Class", help="The strategy.")]
Limits = Annotated[Path, typer.Option(help="The limits that it is run with.")]
Key = Annotated[Path, typer.Option(help="What `hft keys make` wrote.")]
Into = Annotated[Path, typer.Option(help="Releases get folders of their names in there.")]
Name = Annotated[str, typer.Option(help="The release's name; the file's without it.")]
Param = Annotated[list[str] | None, typer.Option("--param", "-p", help="name=value")]
Rollout = Annotated[Path | None, typer.Option(help="The rollout policy, a TOML file.")]
Evidence = Annotated[Path | None, typer.Option(help="A folder of reports.")]
Tape = Annotated[list[str] | None, typer.Option(help="NAME=SHA-256 of a tape it was judged on.")]
Notebook = Annotated[Path | None, typer.Option(help="The notebook that it comes from.")]
Lock = Annotated[Path | None, typer.Option(help="Else what is installed here.")]
Retired = Annotated[list[str] | None, typer.Option(help="A name that may not come back.")]


def make(
    source: Source,
    limits: Limits,
    key: Key,
    into: Into = Path("releases"),
    name: Name = "",
    param: Param = None,
    rollout: Rollout = None,
    evidence: Evidence = None,
    tape: Tape = None,
    notebook: Notebook = None,
    lock: Lock = None,
    retired: Retired = None,
    passphrase_file: PassphraseFile = None,
    json_out: Json = False,
) -> None:
    """Make a signed release."""
    from hftlib.core.errors import InputError
    from hftlib.core.release.keys import open_key
    from hftlib.ops.passphrases import passphrase
    from hftlib.promote.releasing import make_release
    from hftlib.strategy.files import given_parameters

    file, colon, strategy = source.rpartition(":")
    if not colon or not file.endswith(".py"):
        do = "Write FILE.py:Class."
        raise InputError(f"{source!a} is no class in a file", where="hft release make", do=do)
    tapes = dict(_named(one) for one in tape or [])
    made = make_release(
        name=name or Path(file).stem,
        module=Path(file),
        strategy=strategy,
        parameters=given_parameters(param or [], "hft release make"),
        limits=limits,
        rollout=rollout,
        evidence=evidence,
        tapes=tapes,
        notebook=notebook,
        key=open_key(key, passphrase(passphrase_file)),
        into=into,
        lock=lock,
        retired=retired or (),
    )
    if json_out:
        told = {"folder": str(made.folder), "digest": made.digest, "name": made.name}
        print(json.dumps(told))
    else:
        print(f"{made.folder}\ndigest {made.digest}, signed by {made.key.name} {made.key.id}")


def _named(text: str) -> tuple[str, str]:
    name, _, digest = text.partition("=")
    return name, digest
