"""`hft rollout` and `hft rollback`: which release trades, who let it, and back.

    hft rollout maker --trusted keys                      stages, who, when, why, what is next
    hft rollout maker --to shadow --trusted keys --key ann.key --why "all gates pass"
    hft rollout maker --to canary ... --journal mon.journal --journal tue.journal
    hft rollout maker --to champion ... --journal wed.journal         asks
    hft rollout maker --to champion --approve ... --key bea.key       another person lets it in
    hft rollback maker --trusted keys --key ann.key --why "it loses" [--socket runner.sock]

A name needs no word before it: `hft rollout maker` is `hft rollout step maker`. Worst case: that of
measuring journals; the import of MLflow, after the step is on the disk.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from hftlib.ops.release_commands import PassphraseFile, Trusted
from hftlib.promote.rollout.watch_command import add_commands
from hftlib.terminal import Json, show

STEP = "step"


class _Names(TyperGroup):
    """A group of commands whose first word may be a release's name."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] != "--help":
            args = [STEP, *args]
        return super().parse_args(ctx, args)


rollout = typer.Typer(
    name="rollout",
    cls=_Names,
    help="Which release is shadow, canary and champion: hft rollout NAME --to STAGE.",
    no_args_is_help=True,
)
add_commands(rollout)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The release's name.")]
Shelf = Annotated[Path, typer.Option(help="The folder of releases, and of the rollout's log.")]
SHELF = Path("releases")
Key = Annotated[Path | None, typer.Option(help="Who takes the step: what `hft keys make` wrote.")]
Why = Annotated[str, typer.Option(help="A sentence, which stays in the log.")]


@rollout.command(STEP)
def step_command(
    name: Name,
    trusted: Trusted,
    to: Annotated[str, typer.Option(metavar="STAGE", help="shadow, canary, champion.")] = "",
    approve: Annotated[
        bool, typer.Option("--approve", help="Another has asked for this champion: let it in.")
    ] = False,
    release: Annotated[
        str,
        typer.Option(
            metavar="NAME-SERIAL",
            help="Without it the newest on the shelf, or what is at the stage before.",
        ),
    ] = "",
    journal: Annotated[
        list[Path] | None, typer.Option(help="A day of it at the stage it leaves. Repeatable.")
    ] = None,
    why: Why = "",
    key: Key = None,
    shelf: Shelf = SHELF,
    mend: Annotated[
        bool, typer.Option("--mend", help="Take away a last line that was not written whole.")
    ] = False,
    passphrase_file: PassphraseFile = None,
    json_out: Json = False,
) -> None:
    """Show where a name's releases are, or move one on. The word `step` may be left out."""
    from hftlib.core.errors import InputError
    from hftlib.core.release.keys import trusted_keys
    from hftlib.core.release.rollout import read_rollout
    from hftlib.promote.rollout.steps import move, require_stage

    known, journals = trusted_keys(trusted), journal or []
    if mend:
        _mend(shelf, name, json_out)
        return
    found = read_rollout(shelf, name, known)
    if not to:
        if approve or release or journals or why or key:
            do = "Say where it is to go: --to shadow, canary or champion."
            raise InputError("No stage is given", where="hft rollout --to", do=do)
        _say_all(found, trusted, json_out)
        return
    require_stage(to, approve, journals)
    signer = _signer(key, why, passphrase_file)
    step = move(
        shelf, name, to, signer, known, why, release=release, journals=journals, approve=approve
    )
    _done(step, read_rollout(shelf, name, known), journals, [], trusted, json_out)


def rollback_command(
    name: Name,
    trusted: Trusted,
    why: Why = "",
    key: Key = None,
    stage: Annotated[
        str,
        typer.Option("--from", metavar="STAGE", help="champion; canary and shadow are given up."),
    ] = "",
    away: Annotated[
        bool, typer.Option("--away", help="No champion after it, not even the one before.")
    ] = False,
    socket: Annotated[
        Path | None, typer.Option("--socket", help="Of a runner that is switched at once.")
    ] = None,
    control: Annotated[Path | None, typer.Option("--control", hidden=True)] = None,
    journal: Annotated[
        Path | None, typer.Option(help="Of --socket: a new folder; DAY-back.journal without it.")
    ] = None,
    shelf: Shelf = SHELF,
    passphrase_file: PassphraseFile = None,
    json_out: Json = False,
) -> None:
    """The champion before is champion again; needs one person, and no conditions."""
    from hftlib.core.release.keys import trusted_keys
    from hftlib.core.release.rollout import read_rollout
    from hftlib.promote.rollout.steps import roll_back

    known = trusted_keys(trusted)
    read_rollout(shelf, name, known)
    signer = _signer(key, why, passphrase_file)
    step = roll_back(shelf, name, signer, known, why, stage=stage, away=away)
    said, went = [], True
    runner = socket or control  # the second, as the first was called
    if runner is not None:
        words, went = _switched(runner, journal, step, trusted)
        said.append(words)
    _done(step, read_rollout(shelf, name, known), [], said, trusted, json_out)
    if not went:
        raise typer.Exit(3)


def _switched(control: Path, journal: Path | None, step: Any, trusted: Path) -> tuple[str, bool]:
    """The runner behind the socket goes over to what is champion now: how it went, and whether."""
    from hftlib.core.errors import HftError
    from hftlib.promote.rollout.over import switched_to

    try:
        return switched_to(step, control, journal, trusted), True
    except HftError as error:
        return f"The step stands; the runner of {control} does not trade by it: {error}", False


def _signer(key: Path | None, why: str, passphrase_file: Path | None) -> Any:
    from hftlib.core.errors import InputError
    from hftlib.core.release.keys import open_key
    from hftlib.core.release.rollout_step import require_why
    from hftlib.ops.passphrases import passphrase

    require_why(why)
    if key is None:
        do = "Give your own: --key NAME.key, what `hft keys make` wrote."
        raise InputError("Nobody signs the step", where="--key", do=do)
    return open_key(key, passphrase(passphrase_file))


def _mend(shelf: Path, name: str, json_out: bool) -> None:
    from hftlib.core.release.rollout_file import mend_log

    taken = mend_log(shelf, name)
    print(json.dumps({"bytes": taken}) if json_out else f"{taken:,} bytes taken away.")


def _done(
    step: Any, rollout: Any, journals: list[Path], said: list[str], trusted: Path, json_out: bool
) -> None:
    """What was done, then what could not be done beside it."""
    from hftlib.promote.rollout.mirror import mirrored

    if not json_out:
        print(f"Step {step.number}: {_in_words(step)}, by {step.who}: {step.why}", flush=True)
        for one in said:
            print(one, flush=True)
    more = mirrored(rollout, journals, str(step.evidence.get("verdict", "")))
    if json_out:
        told = {"step": _told(step), "said": said + more, **_all_told(rollout, trusted)}
        print(json.dumps(told, indent=2))
        return
    for one in more:
        print(one)
    print(f"Next: {_next(rollout, trusted)}")


def _in_words(step: Any) -> str:
    which = step.release.name
    return {
        "asked": f"{which} is asked for as {step.stage}",
        "moved": f"{which} is {step.stage}",
        "rolled back": f"{which} is {step.stage} again",
        "taken away": f"{which} is {step.stage} no more",
    }[step.what]


def _say_all(rollout: Any, trusted: Path, json_out: bool) -> None:
    if json_out:
        print(
            json.dumps(
                {**_all_told(rollout, trusted), "steps": list(map(_told, rollout.steps))}, indent=2
            )
        )
        return
    from rich.table import Table
    from rich.text import Text

    from hftlib.core.release.rollout import ALIASES

    made = Table(title=f"The rollout of {rollout.name}, {len(rollout.steps):,} steps")
    for column in ("stage", "release", "since", "by", "step", "why"):
        made.add_column(column)
    for alias in ALIASES:
        step = rollout.at(alias)
        facts = ["-"] * 5
        if step is not None:
            facts = [step.release.name, step.at, step.who, f"{step.number} {step.what}", step.why]
        made.add_row(alias, *map(Text, facts))
    if (asked := rollout.asked) is not None:
        facts = [asked.release.name, asked.at, asked.who, f"{asked.number} asked", asked.why]
        made.add_row("champion?", *map(Text, facts))
    show(made)
    show(Text(f"Next: {_next(rollout, trusted)}"))


def _next(rollout: Any, trusted: Path) -> str:
    """What to type next."""
    name, asked = rollout.name, rollout.asked
    where = f"--trusted {trusted}"
    where += f" --shelf {rollout.shelf}" if rollout.shelf != SHELF else ""
    signs = f'{where} --key YOUR.key --why "..."'
    if asked is not None:
        signer = asked.signer.split()[0]
        who = f"not {asked.by}" + (f", and not {signer}" if signer != asked.by else "")
        return f"another person, {who}: hft rollout {name} --to champion --approve {signs}"
    for stage, after in (("canary", "champion"), ("shadow", "canary")):
        if rollout.at(stage):
            run = f"hft live {name}@{stage} {where} --exchange ... --journal DAY"
            return f"{run}; then hft rollout {name} --to {after} --journal DAY {signs}"
    if rollout.at("champion"):
        run = f"hft live {name}@champion {where} --exchange ... --journal DAY"
        return f"{run}; back: hft rollback {name} {signs}"
    return f"hft rollout {name} --to shadow {signs}"


def _told(step: Any) -> dict[str, Any]:
    return {**step.told(), "release": str(step.release)}


def _all_told(rollout: Any, trusted: Path) -> dict[str, Any]:
    from hftlib.core.release.rollout import ALIASES

    held = {alias: rollout.at(alias) for alias in ALIASES}
    return {
        "name": rollout.name,
        "stages": {alias: step and _told(step) for alias, step in held.items()},
        "asked": rollout.asked and _told(rollout.asked),
        "next": _next(rollout, trusted),
    }
