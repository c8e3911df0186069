"""`hft metrics`: serve what runners are to Prometheus, and write what Prometheus is given.

    hft metrics --port 9464                                  all runners of yours
    hft metrics --runner maker=/run/.../runner-77.socket     these
    hft metrics files prometheus/                            its rules, its dashboard, examples

Worst case: none, each loads its room when it is called.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from hftlib.terminal import Json, leave_through_finally

metrics = typer.Typer(name="metrics", help="What runners are, for Prometheus.")

Named = Annotated[
    list[str] | None,
    typer.Option("--runner", metavar="NAME=SOCKET", help="Repeat for several; all without it."),
]


@metrics.callback(invoke_without_command=True)
def metrics_command(
    context: typer.Context,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0: any that is free.")] = 9464,
    host: Annotated[str, typer.Option(help="Whom it listens to: this host alone.")] = "127.0.0.1",
    runner: Named = None,
    alerts: Annotated[
        Path | None, typer.Option(help="The folder of `hft alerts`: how many there are.")
    ] = None,
) -> None:
    """Serve what runners are to Prometheus, from a process of its own."""
    if context.invoked_subcommand is not None:
        return
    from hftlib.ops.metrics.exporting import serve
    from hftlib.ops.runners import Runners

    leave_through_finally()
    runners = Runners.of(runner or [], "hft metrics --runner")
    with suppress(KeyboardInterrupt):
        serve(host, port, runners, alerts, lambda place: print(place, flush=True))


@metrics.command("files")
def files_command(
    folder: Annotated[Path, typer.Argument(help="It is made; files there stay as they are.")],
    force: Annotated[bool, typer.Option("--force", help="Write over other files.")] = False,
    json_out: Json = False,
) -> None:
    """Write rules, a dashboard and examples for Prometheus, Alertmanager and Grafana."""
    from hftlib.ops.metrics.files import write_files

    made = write_files(folder, force)
    if json_out:
        print(json.dumps([str(one) for one in made]))
    else:
        print("\n".join(str(one) for one in made))
