"""`hft metrics`: what a runner is, for Prometheus, from a process of its own.

    hft metrics --port 9464          http://127.0.0.1:9464/metrics

Each scrape asks the runner by its control socket, as `hft status` does: half a millisecond of its
Python thread, nothing of the hot one. A runner that does not answer is `hftlib_up 0`, so an alert
can hang on it, and its figures are those of its page (`page_reading.py`) with their age, also after
it was killed; it may end and come back while this goes on.

Worst case: a scrape waits ASK_S for a process that is stopped, and then says 0.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from hftlib.core.control.asking import the_only_one
from hftlib.core.errors import HftError, HostError, InputError
from hftlib.ops.page_reading import stands
from hftlib.ops.showing import READY

PORT = 9464
ASK_S = 1.0
START = "hft live"
_STATES = {"active": 0, "reducing": 1, "halted": 2}
_CLOCK = {
    "offset_us": "UTC of the host minus the runner's time.",
    "sync_error_us": "By how much the kernel's clock is wrong at most.",
    "sync_error_estimate_us": "By how much it is wrong, as the kernel believes.",
    "is_synchronised": "1: the kernel says that its clock is.",
    "steps": "How often the host's clock was set.",
    "step_us_max": "The largest of these steps.",
}
_STANDBY = {
    "ready": "1: orders wait for the standby, and it is there.",
    "lag_frames": "Frames of the journal that the standby has not acknowledged.",
    "lag_ns": "How long the oldest of them waits.",
    "acknowledged": "The last frame that it has.",
}
_QUANTILES = {"p50": "0.5", "p99": "0.99", "p99.9": "0.999", "max": "1"}


class Collector:
    """What a scrape hears: families of figures, asked for anew each time."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path

    def collect(self) -> Iterable[Any]:
        from prometheus_client.core import GaugeMetricFamily

        found = self._asked()
        up = GaugeMetricFamily("hftlib_up", "1: a runner answers and its hot thread runs.")
        page = None if found is None else found.get("page")
        up.add_metric([], float(bool(found and found["is_running"] and page is None)))
        yield up
        if page is not None:
            age = GaugeMetricFamily("hftlib_page_age_seconds", "Of a silent runner's figures.")
            age.add_metric([], page["age_ns"] / 1e9)
            yield age
        if found is not None:
            yield from families(found)

    def _asked(self) -> dict[str, Any] | None:
        with suppress(HftError):
            path = self._path if self._path is not None else the_only_one("runner", START)
            return stands(path, ASK_S)
        return None


def families(found: dict[str, Any]) -> Iterator[Any]:
    """All of a status that is a number or a state."""
    from prometheus_client.core import (
        CounterMetricFamily,
        GaugeMetricFamily,
        InfoMetricFamily,
    )

    info = InfoMetricFamily("hftlib_runner", "What it is.")
    info.add_metric([], {"mode": found["mode"], "journal": found["journal"]})
    yield info
    counts = CounterMetricFamily("hftlib_count", "What came, went and was decided.", labels=["of"])
    for name, count in found["counts"].items():
        counts.add_metric([name], count)
    yield counts
    open_orders = GaugeMetricFamily("hftlib_open_orders", "Orders that stand or are on their way.")
    open_orders.add_metric([], found["open_orders"])
    yield open_orders
    for name, value in found["clock"].items():
        if value is not None:
            family = GaugeMetricFamily(f"hftlib_clock_{name}", _CLOCK[name])
            family.add_metric([], float(value))
            yield family
    for name, about in _STANDBY.items() if found.get("standby") else ():
        family = GaugeMetricFamily(f"hftlib_standby_{name}", about)
        told_of = found["standby"]
        is_so = told_of["state"] == "ships" and told_of["durability"] == "replicated"
        family.add_metric([], float(is_so if name == "ready" else told_of[name]))
        yield family
    yield _labelled(
        GaugeMetricFamily,
        "hftlib_trading_state",
        "0 active, 1 reducing, 2 halted.",
        "scope",
        {one["scope"]: _STATES[one["state"]] for one in found["scopes"]},
    )
    for what, good in (("feed", ("LIVE",)), ("link", READY)):
        name, about = f"hftlib_{what}_ready", f"1: it is {good[0]}."
        family = GaugeMetricFamily(name, about, labels=[what, "venue"])
        for n, one in enumerate(found[f"{what}s"]):
            family.add_metric([str(n + 1), one["venue"]], float(one["state"] in good))
        yield family
    for field, about in (
        ("quantity", "What is held."),
        ("profit", "What came of it, at the middle of the book."),
        ("fills", "Fills of the day."),
    ):
        labels = ["strategy", "symbol", "venue"]
        family = GaugeMetricFamily(f"hftlib_position_{field}", about, labels=labels)
        for one in found["positions"]:
            if one[field] is not None:
                family.add_metric([one[name] for name in labels], one[field])
        yield family
    times = GaugeMetricFamily(
        "hftlib_stage_seconds",
        "How long stages of the hot loop take.",
        labels=["stage", "quantile"],
    )
    measured = CounterMetricFamily(
        "hftlib_stage_measured", "How many of them were measured.", labels=["stage"]
    )
    for stage, one in found["latencies_ns"].items():
        measured.add_metric([stage], one["count"])
        for name, quantile in _QUANTILES.items():
            if name in one:
                times.add_metric([stage, quantile], one[name] / 1e9)
    yield times
    yield measured


def _labelled(kind: Any, name: str, about: str, label: str, values: dict[str, float]) -> Any:
    family = kind(name, about, labels=[label])
    for one, value in values.items():
        family.add_metric([one], value)
    return family


def served(host: str, port: int, path: Path | None) -> tuple[Any, Any]:
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
    registry.register(Collector(path))
    try:
        return start_http_server(port, host, registry)
    except (OSError, OverflowError) as error:
        raise HostError(
            f"Nothing can be served there: {getattr(error, 'strerror', None) or error}",
            where=f"hft metrics --host {host} --port {port}",
            do="Give a port that is free, and an address of this host.",
        ) from None


def serve(host: str, port: int, path: Path | None, said: Any) -> None:
    """Until Ctrl-C or a polite kill; `said` is told where."""
    server, thread = served(host, port, path)
    try:
        said(f"http://{host}:{server.server_port}/metrics")
        while thread.is_alive():
            time.sleep(0.2)
    finally:
        server.shutdown()
        thread.join()
