"""`hft registry`: which releases there are, where each came from, and what it is used as.

    hft registry                                  every release with its newest version
    hft registry show maker                       all versions; maker@candidate, maker/3: one, whole
    hft registry add releases/maker-7 --trusted keys
    hft registry fetch maker@candidate --into releases --trusted keys
    hft registry session day.journal              a runner's day, in the line of its release
    hft registry follow maker --trusted keys      aliases as the rollout's signed steps have them

Worst case: seconds for the import of MLflow.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from hftlib.ops.release_commands import Trusted
from hftlib.terminal import Json, show

registry = typer.Typer(name="registry", help="Releases and what each is used as.")

Named = Annotated[str, typer.Argument(metavar="NAME|NAME@alias|NAME/version")]


@registry.callback(invoke_without_command=True)
def listed(context: typer.Context, json_out: Json = False) -> None:
    """Every release with its newest version."""
    if context.invoked_subcommand is not None:
        return
    from rich.text import Text

    from hftlib.promote.registry import names, versions

    found = [versions(name)[0] for name in names()]
    if json_out:
        print(json.dumps([one.as_json() for one in found], indent=2))
    elif not found:
        show(Text("No release yet. hft promote NOTEBOOK --key desk.key makes one."))
    else:
        show(_table("Releases", found))


@registry.command("show")
def show_command(named: Named, json_out: Json = False) -> None:
    """All versions of a release; of one that is named, where it comes from and its days."""
    from hftlib.promote.registry import version_of, versions

    is_one = "@" in named or "/" in named
    found = [version_of(named)] if is_one else versions(named)
    if json_out:
        print(json.dumps([one.as_json() for one in found], indent=2))
    elif is_one:
        show(_line(found[0]))
    else:
        show(_table(named, found))


@registry.command("add")
def add_command(
    folder: Annotated[Path, typer.Argument(help="The folder of a release.")],
    trusted: Trusted,
    run: Annotated[str, typer.Option(help="The MLflow run of its promotion.")] = "",
    json_out: Json = False,
) -> None:
    """Register a release that was made elsewhere, as a candidate."""
    from hftlib.core.release.keys import trusted_keys
    from hftlib.core.release.reading import read_release
    from hftlib.promote.registry import register

    _say(register(read_release(folder, trusted_keys(trusted)), run), json_out)


@registry.command("fetch")
def fetch_command(
    named: Named,
    trusted: Trusted,
    into: Annotated[Path, typer.Option(help="It gets a folder of its name in there.")] = Path(
        "releases"
    ),
) -> None:
    """A release out of the registry, verified before it is written."""
    from hftlib.core.release.keys import trusted_keys
    from hftlib.promote.registry import fetched

    print(fetched(named, into, trusted_keys(trusted)).folder)


@registry.command("session")
def session_command(
    journal: Annotated[Path, typer.Argument(help="The journal of a runner's day.")],
    verdict: Annotated[str, typer.Option(help="What is to be said of it.")] = "",
    json_out: Json = False,
) -> None:
    """Add a runner's day to the release that it ran."""
    from hftlib.promote.registry import session

    _say(session(journal, verdict), json_out)


@registry.command("follow")
def follow_command(
    name: Annotated[str, typer.Argument(help="The release's name.")],
    trusted: Trusted,
    shelf: Annotated[Path, typer.Option(help="The folder of releases.")] = Path("releases"),
    json_out: Json = False,
) -> None:
    """Set the aliases as the steps of a rollout have them: what is shadow, canary, champion."""
    from hftlib.core.release.keys import trusted_keys
    from hftlib.core.release.rollout import read_rollout
    from hftlib.promote.registry import follow

    found = follow(read_rollout(shelf, name, trusted_keys(trusted)))
    if json_out:
        print(json.dumps([one.as_json() for one in found], indent=2))
    elif found:
        show(_table(name, found))
    else:
        print(f"{name} has no step, and the registry no version of it.")


def _say(one: Any, json_out: bool) -> None:
    if json_out:
        print(json.dumps(one.as_json(), indent=2))
    else:
        used = ", ".join(one.aliases) or "nothing"
        print(
            f"{one.name}/{one.version} is {used}; digest {one.digest}, signed by {one.tags['key']}"
        )


def _table(title: str, found: list[Any]) -> Any:
    from rich.table import Table

    made = Table(title=title)
    for name in ("release", "version", "is", "made", "signed by", "evidence", "days", "digest"):
        made.add_column(name)
    for one in found:
        tags = one.tags
        facts = (tags.get("made", ""), tags.get("key", ""), tags.get("evidence", ""))
        made.add_row(
            one.name, str(one.version), " ".join(one.aliases), *facts,
            str(len(one.sessions)), one.digest[:12],
        )  # fmt: skip
    return made


def _line(one: Any) -> Any:
    """The line of one version: notebook, data, run, release, days."""
    from rich.table import Table
    from rich.text import Text

    told = one.as_json()
    made = Table(title=f"{one.name}/{one.version}", show_header=False)
    days = [" ".join(str(part) for part in day.values()) for day in one.sessions]
    rows = {
        "is": ", ".join(one.aliases) or "nothing",
        "notebook": told.get("notebook") or "none: from a module",
        "strategy": f"{told.get('strategy')}, parameters {told.get('parameters')}",
        "data": ", ".join(f"{name} {digest[:12]}" for name, digest in told["tapes"].items()),
        "run": one.run,
        "release": f"serial {told.get('serial')}, made {told.get('made')}, digest {one.digest}",
        "signed by": told.get("key", ""),
        "days": "\n".join(days) or "none yet",
    }
    for name, text in rows.items():
        made.add_row(name, Text(str(text)))
    return made
