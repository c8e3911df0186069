"""`hft alerts`: looks at runners from a process of its own, and tells people what is wrong.

    hft alerts                                          default rules, all runners; told here alone
    HFT_ALERTS_URLS="mailto://..." hft alerts           and by these, as apprise has them
    hft alerts rules.toml --folder alerts --runner maker=/run/.../runner-77.socket
    hft alerts show                                     what is open, and what lately was
    hft alerts acknowledge A17 --why "I am on it"
    hft alerts mute disk-low --until 2h --why "moving journals"
    hft alerts check rules.toml                         whether it can be read, and what it says

Worst case: a folder that another `hft alerts` uses is refused; that one goes on.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from hftlib.terminal import Json, leave_through_finally, person, show

Folder = Annotated[Path, typer.Option(help="Where they lie, and their log.")]
Who = Annotated[str, typer.Option(help="Who says so; you without it.")]
Why = Annotated[str, typer.Option(help="It stands in the log.")]
Given = Annotated[Path | None, typer.Argument(metavar="RULES.toml", help="Default rules without.")]
ALERTS = Path("alerts")


class _Watches(typer.core.TyperGroup):
    """`hft alerts RULES.toml` is `hft alerts watch RULES.toml`."""

    def parse_args(self, context: Any, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] != "--help"):
            args = ["watch", *args]
        return super().parse_args(context, args)


alerts = typer.Typer(name="alerts", cls=_Watches, help="Tell people what is wrong with runners.")


@alerts.command("watch")
def watch_command(
    rules: Given = None,
    folder: Folder = ALERTS,
    runner: Annotated[
        list[str] | None,
        typer.Option("--runner", metavar="NAME=SOCKET", help="Repeat for several; all without it."),
    ] = None,
    seconds: Annotated[float, typer.Option(help="Stop after so long; 0: never.", min=0.0)] = 0.0,
    json_out: Json = False,
) -> None:
    """Look at runners, a few times a second, and tell people."""
    from hftlib.ops.alerts.rules import read_rules
    from hftlib.ops.alerts.watching import LOOK_S, Watching
    from hftlib.ops.runners import Runners

    leave_through_finally()
    wanted = read_rules(rules)
    runners = Runners.of(runner or [], "hft alerts --runner")
    watching = Watching(wanted, runners, folder, os.environ, _spoken(json_out))
    until = time.monotonic() + seconds if seconds else float("inf")
    _begins(len(wanted.rules), sorted(watching.channels), json_out)
    try:
        while time.monotonic() < until:
            begun = time.monotonic()
            watching.turn()
            time.sleep(max(0.0, LOOK_S - (time.monotonic() - begun)))
    except KeyboardInterrupt:
        pass
    finally:
        watching.close()


def _begins(count: int, names: list[str], json_out: bool) -> None:
    if json_out:
        print(json.dumps({"what": "watching", "rules": count, "receivers": names}), flush=True)
        return
    told = ", ".join(names) or "nobody but you: set HFT_ALERTS_URLS, or give a file of rules"
    print(f"{count} rules; told is {told}.", flush=True)


def _spoken(json_out: bool) -> Any:
    def say(what: str, facts: Mapping[str, Any]) -> None:
        if json_out:
            print(json.dumps({"what": what, **facts}), flush=True)
        elif "said" in facts:
            of = f" of {facts['runner']}" if facts["runner"] else ""
            words = f"{facts['id']} {facts['rule']}{of}: {facts['said']}"
            print(f"{what} [{facts['severity']}] {words}", flush=True)
        else:
            print(f"{what}: {facts['receiver']}: {facts['line']}", flush=True)

    return say


@alerts.command("show")
def show_command(folder: Folder = ALERTS, json_out: Json = False) -> None:
    """What is open, and what was resolved lately."""
    from hftlib.ops.alerts.board import alerts_of, mutes_of

    rows, mutes = alerts_of(folder), mutes_of(folder)
    if json_out:
        print(json.dumps({"alerts": rows, "mutes": mutes}))
        return
    show(_table(rows) if rows else "No alert is open.")
    for one in mutes:
        show(f"{one['rule']} is muted until {_clock(one['until_ns'])}: {one['why']} ({one['by']})")


def _table(rows: list[dict[str, Any]]) -> Any:
    from rich.markup import escape
    from rich.table import Table

    table = Table("id", "state", "severity", "since", "what", box=None, pad_edge=False)
    styles = {"critical": "bold red", "warning": "yellow", "info": "blue"}
    for one in rows:
        style = "dim" if one["state"] == "resolved" else styles[one["severity"]]
        by = f" ({one['by']}: {one['why']})" if one["by"] else ""
        of = f" of {one['runner']}" if one["runner"] else ""
        what = escape(f"{one['rule']}{of}: {one['said']}{by}")
        cells = one["id"], one["state"], one["severity"], _clock(one["since_ns"])
        table.add_row(*cells, what, style=style)
    return table


def _clock(time_ns: int) -> str:
    from hftlib.core.times import to_text

    return to_text(time_ns)[:19].replace("T", " ")


@alerts.command("acknowledge")
def acknowledge_command(
    number: Annotated[str, typer.Argument(metavar="ID", help="As `hft alerts show` says: A17.")],
    why: Why,
    folder: Folder = ALERTS,
    who: Who = "",
    json_out: Json = False,
) -> None:
    """Somebody sees to it: it is told and escalated no more."""
    from hftlib.ops.alerts.board import acknowledge

    told = acknowledge(folder, number, who or person(), why)
    print(json.dumps(told) if json_out else f"{number} is yours: {told['rule']}: {told['said']}")


@alerts.command("mute")
def mute_command(
    rule: Annotated[str, typer.Argument(help="Its name, as in the rules.")],
    until: Annotated[str, typer.Option(help='2h, 30m, a time in UTC; "now" ends it.')],
    why: Why,
    folder: Folder = ALERTS,
    who: Who = "",
    json_out: Json = False,
) -> None:
    """Nobody is told of a rule until then; it stays on the board, and its action stays."""
    from hftlib.core import clock
    from hftlib.ops.alerts.board import mute
    from hftlib.ops.alerts.muting import until_ns

    end = until_ns(until, clock.now_ns())
    mute(folder, rule, end, who or person(), why)
    told = {"rule": rule, "until_ns": end}
    print(json.dumps(told) if json_out else f"{rule} is muted until {_clock(end)}.")


@alerts.command("check")
def check_command(rules: Given = None, json_out: Json = False) -> None:
    """Whether rules can be read, and what they say."""
    from hftlib.ops.alerts.rules import read_rules

    found = read_rules(rules)
    if json_out:
        print(found.model_dump_json(exclude_defaults=True))
        return
    for name, one in found.rules.items():
        act = f", then {one.action} {one.scope}" if one.action else ""
        show(
            f"{one.severity:<9} {name}: {one.kind}{f' for {one.for_s:g} s' * bool(one.for_s)}{act}"
        )
