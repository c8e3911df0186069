"""`hft metrics`: what runners are, for Prometheus, from a process of its own.

    hft metrics --port 9464                              all runners of yours
    hft metrics --runner maker=/run/.../runner-77.socket http://127.0.0.1:9464/metrics

Each scrape reads the pages of the runners (`page_reading.py`): memory that they keep anyway, so a
scrape costs them nothing, and a runner that was killed is seen as it last was. Only one without a
page is asked by its control socket, as `hft status` does. One that does not run is `hftlib_up 0`,
so an alert can hang on it; it may end and come back while this goes on.

Worst case: a scrape waits ASK_S for a process without a page that is stopped, and then says 0.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from hftlib.core.control.asking import told
from hftlib.core.errors import HftError, HostError, InputError
from hftlib.ops.metrics.families import Seen, families_of
from hftlib.ops.metrics.stages import StagesReader
from hftlib.ops.page_reading import page_path
from hftlib.ops.runners import Runners
from hftlib.ops.watch_beat import BEAT_S, beat_of

PORT = 9464
ASK_S = 1.0
BEAT_OLD_S = 4 * BEAT_S


class Collector:
    """What a scrape hears: families of figures, looked at anew each time."""

    def __init__(self, runners: Runners, alerts: Path | None = None) -> None:
        self._runners, self._alerts = runners, alerts

    def collect(self) -> Iterable[Any]:
        yield from families_of(self._seen(), self._told())

    def _seen(self) -> Iterator[Seen]:
        for name, socket in self._runners.now().items():
            yield looked_at(name, socket)

    def _told(self) -> list[dict[str, Any]]:
        if self._alerts is None:
            return []
        from hftlib.ops.alerts.board import alerts_of

        with suppress(HftError):
            return alerts_of(self._alerts)
        return []


def looked_at(name: str, socket: Path) -> Seen:
    """One runner: by its page, without one by its answer, else as one that is not there."""
    beat = beat_of(socket)
    watched = None if beat is None else not beat["is_left"] and beat["age_s"] < BEAT_OLD_S
    with suppress(HftError):
        if os.path.lexists(page_path(socket)):
            with StagesReader(page_path(socket)) as page:
                return Seen(name, page.status(), page.stages(), watched)
    with suppress(HftError):
        found = told(socket, {"do": "status"}, "runner", patience_s=ASK_S)
        return Seen(name, found, watched=watched)
    return Seen(name, watched=watched)


def served(host: str, port: int, runners: Runners, alerts: Path | None = None) -> tuple[Any, Any]:
    """A server that answers scrapes, and its thread."""
    try:
        from prometheus_client import start_http_server
        from prometheus_client.registry import CollectorRegistry
    except ImportError:
        raise InputError(
            "The package prometheus-client is not installed",
            where="hft metrics",
            do="Run `pip install 'hftlib[metrics]'`.",
        ) from None
    registry = CollectorRegistry()
    registry.register(Collector(runners, alerts))
    try:
        return start_http_server(port, host, registry)
    except (OSError, OverflowError) as error:
        raise HostError(
            f"Nothing can be served there: {getattr(error, 'strerror', None) or error}",
            where=f"hft metrics --host {host} --port {port}",
            do="Give a port that is free, and an address of this host.",
        ) from None


def serve(host: str, port: int, runners: Runners, alerts: Path | None, said: Any) -> None:
    """Until Ctrl-C or a polite kill; `said` is told where."""
    server, thread = served(host, port, runners, alerts)
    try:
        said(f"http://{host}:{server.server_port}/metrics")
        while thread.is_alive():
            time.sleep(0.2)
    finally:
        server.shutdown()
        thread.join()
