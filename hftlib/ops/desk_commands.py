"""`hft status` and what a desk tells a runner: pause, reduce, resume, kill, and other limits.

    hft status --watch                                     the only runner of yours, live
    hft pause strategy:Maker --why "odd fills"             its orders go, and no new one leaves
    hft reduce firm --why "calm down"                      only what brings a position nearer to 0
    hft resume strategy:Maker --why "explained" --role risk
    hft kill --why "stop all"                              the whole firm; --now: the process, too
    hft metrics --port 9464                                the same figures (`metrics/command.py`)
    hft watchdog watch.toml                                a process of its own that ends it
    hft snapshot day.journal --every 60                    its memory, for a quick restart
    hft flatten strategy:Maker --why "lunch"               what it holds is closed
    hft limits set firm position_lots=500 --why "calm" --role risk
    hft params set strategy:Maker clip=200 --why "thin market" --role risk

Each is journaled with who, why and when; risk says whether that person may. For the firm, lifting
takes two: `--second NAME`. Worst case: a runner that does not answer is waited for, half a minute.
"""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from hftlib.core.control.asking import pid_of, the_only_one, told
from hftlib.core.errors import HftError, InputError
from hftlib.ops.alerts.command import alerts
from hftlib.ops.metrics.command import metrics
from hftlib.ops.snapshot_command import snapshot_command
from hftlib.terminal import Json, leave_through_finally, person, show

SHOWN_S, ASK_S, STATUS_S = 0.5, 2.0, 5.0
START = "hft live"

Scope = Annotated[str, typer.Argument(help="firm, strategy:NAME, portfolio:NAME, instrument:SYM.")]
Why = Annotated[str, typer.Option(help="It stands in the journal.")]
Who = Annotated[str, typer.Option(help="Who says so; you without it.")]
Role = Annotated[str, typer.Option(help="trader, risk or officer.")]
Second = Annotated[str, typer.Option(help="The second person, where it takes two.")]
Socket = Annotated[Path | None, typer.Option("--socket", help="Which runner, if several run.")]


def add_commands(app: typer.Typer, limits: typer.Typer) -> None:
    """Give them their names."""
    app.command("status")(status_command)
    app.command("pause")(pause_command)
    app.command("reduce")(reduce_command)
    app.command("resume")(resume_command)
    app.command("kill")(kill_command)
    app.command("watchdog")(watchdog_command)
    app.add_typer(metrics, name="metrics")
    app.add_typer(alerts, name="alerts")
    app.command("snapshot")(snapshot_command)
    app.command("flatten")(flatten_command)
    limits.command("set")(set_limit_command)
    params = typer.Typer(name="params", help="Parameters of strategies that run.")
    params.callback()(lambda: None)  # a group, although it has one command
    params.command("set")(set_parameter_command)
    app.add_typer(params)


def status_command(
    watch: Annotated[bool, typer.Option("--watch", help="Until Ctrl-C.")] = False,
    path: Socket = None,
    json_out: Json = False,
) -> None:
    """What the runner is and does now."""
    from hftlib.ops.showing import status_table

    place = _place(path)
    if not watch:
        found = _stands(place)
        if json_out:
            from hftlib.ops.page_reading import beside

            print(json.dumps(found | beside(place, found["pid"])))
        else:
            show(status_table(found))
        return
    from rich.console import Console
    from rich.live import Live

    leave_through_finally()
    with Live(console=Console(), auto_refresh=False, screen=False) as shown:
        try:
            while True:
                shown.update(status_table(_stands(place)), refresh=True)
                time.sleep(SHOWN_S)
        except KeyboardInterrupt:
            pass


def _stands(place: Path) -> dict[str, Any]:
    """What it answers; what its page says, and how old that is, where it does not answer."""
    from hftlib.ops.page_reading import stands

    return stands(place, STATUS_S)


def pause_command(
    scope: Scope, why: Why, who: Who = "", path: Socket = None, json_out: Json = False
) -> None:
    """No new order of a scope leaves, and those that stand are taken back, until it is resumed."""
    _say({"do": "halt", "scope": scope, "who": _who(who), "why": why}, path, json_out)


def reduce_command(
    scope: Scope, why: Why, who: Who = "", path: Socket = None, json_out: Json = False
) -> None:
    """Only orders that bring a position nearer to nothing may leave a scope."""
    _say({"do": "reduce", "scope": scope, "who": _who(who), "why": why}, path, json_out)


def resume_command(
    scope: Scope,
    why: Why,
    who: Who = "",
    role: Role = "trader",
    second: Second = "",
    path: Socket = None,
    json_out: Json = False,
) -> None:
    """A scope may trade again: the role risk may say so, and two people for the firm."""
    said = {"do": "lift", "scope": scope, "who": _who(who), "why": why, "role": role}
    _say(said | ({"second": second} if second else {}), path, json_out)


def flatten_command(
    scope: Scope,
    why: Why,
    who: Who = "",
    role: Role = "trader",
    second: Second = "",
    path: Socket = None,
    json_out: Json = False,
) -> None:
    """What a scope holds is closed and nothing else leaves it; once it is flat it is halted."""
    said = {"do": "flatten", "scope": scope, "who": _who(who), "why": why, "role": role}
    _say(said | ({"second": second} if second else {}), path, json_out)


def kill_command(
    why: Why,
    scope: Annotated[str, typer.Argument(help="The whole firm without it.")] = "firm",
    who: Who = "",
    now: Annotated[bool, typer.Option("--now", help="End the process as well, at once.")] = False,
    path: Socket = None,
    json_out: Json = False,
) -> None:
    """Nothing new leaves, all that stands is taken back; with --now the process is ended, too."""
    place = _place(path)
    if not now:
        _say({"do": "halt", "scope": scope, "who": _who(who), "why": why}, place, json_out)
        return
    process = pid_of(place, "runner")
    os.kill(process, signal.SIGKILL)
    if json_out:
        print(json.dumps({"killed": process}))
    else:
        print(
            f"Process {process} is ended. What stood is the venue's to take back "
            "(cancel_on_disconnect), or yours: hft cancel-all. Next: hft replay."
        )


def watchdog_command(
    rules: Annotated[Path, typer.Argument(help="A TOML file of rules: docs/live.md.")],
    exchange: Annotated[
        list[str] | None,
        typer.Option(metavar="[VENUE=]FILE", help="As of hft live: for its drop copy."),
    ] = None,
    user: Annotated[
        list[str] | None,
        typer.Option(metavar="[VENUE=]USER", help="Hears the drop copy; frm1d without it."),
    ] = None,
    password: Annotated[str, typer.Option(envvar="HFT_COPY_PASSWORD")] = "secret",
    cancel_user: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[VENUE=]USER",
            help="Cancels at the venue what an ended runner left; nobody without it.",
        ),
    ] = None,
    cancel_password: Annotated[str, typer.Option(envvar="HFT_CANCEL_PASSWORD")] = "secret",
    seconds: Annotated[float, typer.Option(help="Stop after so long; 0: never.", min=0.0)] = 0.0,
    path: Socket = None,
    json_out: Json = False,
) -> None:
    """Watch a runner, halt it by command, and end it where that does not help."""
    from hftlib.ops.cancel_command import resort_of, spoken
    from hftlib.ops.exchanges import Exchanges, passwords
    from hftlib.ops.watch_rules import read_rules
    from hftlib.ops.watchdog import Watchdog, watch

    leave_through_finally()
    wanted = read_rules(rules)
    if not exchange and wanted.mismatch_ms is not None:
        do = "Name it with --exchange, or leave mismatch_ms out."
        raise InputError("No drop copy is named to compare with", where=str(rules), do=do)
    if not exchange and any(cancel_user or []):
        do = "Name it with --exchange: it says where to log in, and where its drop copy is."
        raise InputError("No exchange is named to cancel at", where=str(rules), do=do)
    say, where, copies, resort = spoken(json_out), _place(path), {}, None
    if exchange:
        exchanges = Exchanges(exchange, "hft watchdog", _traded(where))
        users = exchanges.each(user or [], "frm1d", "--user")
        copies = exchanges.copies(users, passwords(exchanges.venues, password, "HFT_COPY_PASSWORD"))
        cancels = exchanges.each(cancel_user or [], "", "--cancel-user")
        resort = resort_of(exchanges, cancels, cancel_password, copies, say)
    dog = Watchdog(where, wanted, say, copies, resort)
    with suppress(KeyboardInterrupt):
        watch(dog, seconds)
    if dog.has_ended:
        raise typer.Exit(1)


def _traded(path: Path) -> tuple[str, ...]:
    """Where the runner trades, as it says; nothing where it does not answer: then it is ended."""
    with suppress(HftError):
        found = told(path, {"do": "status"}, "runner", patience_s=ASK_S)
        return tuple(one["venue"] for one in found["feeds"])
    return ()


def set_limit_command(
    scope: Scope,
    limit: Annotated[str, typer.Argument(help="name=value, as in a file of limits.")],
    why: Why,
    who: Who = "",
    role: Role = "trader",
    second: Second = "",
    path: Socket = None,
    json_out: Json = False,
) -> None:
    """Another limit for a runner: tighter for anybody, looser for the role risk."""
    name, number = _given(limit)
    if not isinstance(number, int | float) or isinstance(number, bool):
        do = "Write name=value with a number: position_lots=500."
        raise InputError(f"{limit!r} is no limit", where="hft limits set", do=do)
    said = {"do": "limit", "scope": scope, "name": name, "value": number}
    said |= {"who": _who(who), "why": why, "role": role} | ({"second": second} if second else {})
    _say(said, path, json_out)


def set_parameter_command(
    scope: Annotated[str, typer.Argument(help="strategy:NAME.")],
    parameter: Annotated[str, typer.Argument(help="name=value, as its class declares it.")],
    why: Why,
    who: Who = "",
    role: Role = "trader",
    path: Socket = None,
    json_out: Json = False,
) -> None:
    """Another value of a strategy's parameter from its next callback on: for the role risk."""
    name, value = _given(parameter)
    said = {"do": "param", "scope": scope, "name": name, "value": value}
    _say(said | {"who": _who(who), "why": why, "role": role}, path, json_out)


def _given(text: str) -> tuple[str, Any]:
    """A name, and a value where one is given: a number, true, false, or text."""
    name, equals, value = text.partition("=")
    try:
        return name.strip(), json.loads(value) if equals else None
    except ValueError:
        return name.strip(), value


def _say(said: dict[str, Any], path: Path | None, json_out: bool) -> None:
    found = told(_place(path), said, "runner")
    if json_out:
        print(json.dumps(found))
    else:
        print(f"Told: {said['do']} {found['scope']}, heard after {found['heard_us']:,} µs.")


def _place(path: Path | None) -> Path:
    return path or the_only_one("runner", START)


def _who(given: str) -> str:
    return given or person()
