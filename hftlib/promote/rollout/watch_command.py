"""`hft rollout watch` and `hft rollout compare`: a champion that is watched, and two days beside.

    hft rollout watch maker --trusted keys --key desk.key --socket runner.sock
    hft rollout compare champion.journal candidate.journal --report page.html

Exit code of `watch`: 0 where the day ended as it should, 1 where it has halted and rolled back; of
`compare`: 0, for which is better is no error. Worst case: `watch` holds a key as long as it runs.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from hftlib.ops.release_commands import PassphraseFile, Trusted
from hftlib.terminal import Json, leave_through_finally, show

Name = Annotated[str, typer.Argument(metavar="NAME", help="The release's name.")]
Socket = Annotated[
    Path | None, typer.Option("--socket", help="The champion's runner, if several run.")
]
Control = Annotated[Path | None, typer.Option("--control", hidden=True)]  # as it was called


def add_commands(group: typer.Typer) -> None:
    """Give them their names in `hft rollout`."""
    group.command("watch")(watch_command)
    group.command("compare")(compare_command)


def watch_command(
    name: Name,
    trusted: Trusted,
    socket: Socket = None,
    control: Control = None,
    journal: Annotated[
        Path | None, typer.Option(help="Its journal; where its runner says without it.")
    ] = None,
    after: Annotated[
        Path | None,
        typer.Option(help="A new folder: the journal of the runner that takes over."),
    ] = None,
    key: Annotated[Path | None, typer.Option(help="Who signs the rollback.")] = None,
    halt_only: Annotated[
        bool, typer.Option("--halt-only", help="Halt on a breach; a person rolls back.")
    ] = False,
    switch: Annotated[
        bool, typer.Option(help="Switch the runner to the champion before; else it stays halted.")
    ] = True,
    shelf: Annotated[Path, typer.Option(help="The folder of releases.")] = Path("releases"),
    seconds: Annotated[float, typer.Option(help="Stop after so long; 0: never.", min=0.0)] = 0.0,
    passphrase_file: PassphraseFile = None,
    json_out: Json = False,
) -> None:
    """Watch a champion: halt it and roll back where it breaks its release's policy."""
    from hftlib.core.control.asking import the_only_one, told
    from hftlib.core.release.keys import trusted_keys
    from hftlib.ops.cancel_command import spoken
    from hftlib.promote.rollout.going_back import GoingBack
    from hftlib.promote.rollout.watching import RolloutWatch, watch

    leave_through_finally()
    signer = _signer(key, halt_only, passphrase_file)
    known = trusted_keys(trusted)
    digest, breach = _policy(shelf, name, known)
    place = socket or control or the_only_one("runner", f"hft live {name}@champion")
    day = _day(told(place, {"do": "status"}, "runner"), journal, name, digest)
    then = after or day.with_name(f"{day.name.removesuffix('.journal')}-back.journal")
    say = spoken(json_out)
    back = GoingBack(shelf, name, digest, signer, known, trusted, place, then, say, switches=switch)
    beside = RolloutWatch(place, day, digest, breach, back, say)
    with suppress(KeyboardInterrupt):
        watch(beside, seconds)
    if beside.has_acted:
        raise typer.Exit(1)


def compare_command(
    first: Annotated[Path, typer.Argument(metavar="A.journal", help="The champion's day.")],
    second: Annotated[Path, typer.Argument(metavar="B.journal", help="The one beside it.")],
    report: Annotated[Path | None, typer.Option(help="Write the page, as HTML.")] = None,
    json_out: Json = False,
) -> None:
    """Two runners' days on one feed: which earned more, and can that be told?"""
    from hftlib.promote.rollout.beside import compare_days
    from hftlib.research.backtest_command import require_place

    require_place(report, may_exist=True, command="hft rollout compare")
    made = compare_days(first, second)
    if report is not None:
        report.write_text(made.page(), encoding="utf-8")
    if json_out:
        print(json.dumps(made.as_json(), indent=2, ensure_ascii=False, allow_nan=False))
    else:
        show(made)


def _signer(key: Path | None, halt_only: bool, passphrase_file: Path | None) -> Any:
    from hftlib.core.errors import InputError
    from hftlib.core.release.keys import open_key
    from hftlib.ops.passphrases import passphrase

    if key is None and not halt_only:
        do = "Give --key DESK.key, what `hft keys make` wrote; or --halt-only, and a person does."
        raise InputError("Nobody signs the rollback", where="hft rollout watch --key", do=do)
    if key is not None and halt_only:
        do = "Leave one of them out."
        raise InputError("With --halt-only no key signs", where="hft rollout watch --key", do=do)
    return None if key is None else open_key(key, passphrase(passphrase_file))


def _policy(shelf: Path, name: str, known: Any) -> tuple[str, Any]:
    """The champion's digest, and what its own policy calls a breach."""
    from hftlib.core.errors import InputError
    from hftlib.core.release.manifest import ROLLOUT
    from hftlib.core.release.rollout import read_rollout, release_at
    from hftlib.core.release.rollout_policy import policy_of

    release = release_at(read_rollout(shelf, name, known), "champion", known)
    where = str(release.folder / ROLLOUT)
    if ROLLOUT not in release.files:
        do = "Make it again with one: hft promote --rollout, hft release make --rollout."
        raise InputError(f"{release.name} has no policy to be watched by", where=where, do=do)
    return release.digest, policy_of(release.text(ROLLOUT), where).breach


def _day(found: dict[str, Any], journal: Path | None, name: str, digest: str) -> Path:
    """The journal of this runner, which must run this very release."""
    from hftlib.core.errors import InputError, StateError
    from hftlib.engine.live.replaying import about

    ran = found.get("release") or {}
    if ran.get("digest") != digest:
        which = f"{ran.get('name')}-{ran.get('serial')}" if ran else "no release"
        what = f"The runner there runs {which}, and not the champion of {name}"
        do = "Name the socket of the champion's runner: --socket."
        raise StateError(what, where="hft rollout watch --socket", do=do)
    day = journal or Path(str(found["journal"]))
    if not day.is_dir():
        do = "Name it: --journal FOLDER, as its runner was given it."
        raise InputError("The runner's journal is not there", where=str(day), do=do)
    if (about(day).get("release") or {}).get("digest") != digest:
        do = "Name the journal that the runner writes."
        raise InputError("This journal is not that runner's", where=str(day), do=do)
    return day
