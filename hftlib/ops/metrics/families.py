"""A runner's status as Prometheus' families: every figure of `names.py`, from plain data.

    families(status)                                     of one runner without a name
    families_of([Seen("maker", status, page, ...)])      of several, each family once

Worst case: rows of a family beyond ROWS_MAX are left out, and counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from hftlib.ops.disk_room import disk_room
from hftlib.ops.metrics.names import COUNTER, HISTOGRAM, INFO, METRICS, ROWS_MAX, Metric
from hftlib.ops.metrics.stages import Stage
from hftlib.ops.showing import READY

Row = tuple[str, tuple[str, ...], Any]  # name without hftlib_, labels without runner, value
FRESH_NS = 2_000_000_000  # a page that is older is that of a hot thread that stands
_STATES = {"active": 0, "reducing": 1, "halted": 2, "flattening": 3}
_COUNTS = {
    "messages": "feed_messages",
    "strangers": "feed_strangers",
    "notices": "feed_notices",
    "journaled": "journaled_frames",
}
_PERCENTILES = {"p50": "50", "p99": "99", "p99.9": "99.9", "max": "100"}


@dataclass(frozen=True, slots=True)
class Seen:
    """One runner at one scrape; no status: nobody answers, and there is no page."""

    name: str
    status: dict[str, Any] | None = None
    stages: dict[str, Stage] = field(default_factory=dict)
    watched: bool | None = None  # by a watchdog; None: there was none


def families(found: dict[str, Any]) -> list[Any]:
    """All of one status."""
    return families_of([Seen("", found)])


def families_of(runners: Iterable[Seen], alerts: Iterable[dict[str, Any]] = ()) -> list[Any]:
    """Families in the order of `names.py`, those that have a sample."""
    made: dict[str, Any] = {}
    left_out: Counter[str] = Counter()
    for seen in runners:
        rows: Counter[str] = Counter()
        for name, labels, value in _rows(seen):
            if value is None:
                continue
            rows[name] += 1
            if rows[name] > ROWS_MAX:
                left_out[seen.name] += 1
                continue
            metric = METRICS[f"hftlib_{name}"]
            _add(made.setdefault(metric.name, _family(metric)), metric, (seen.name, *labels), value)
        _put(made, "rows_left_out", (seen.name,), float(left_out[seen.name]))
    told = Counter((one["runner"], one["severity"], one["state"]) for one in alerts)
    for labels, count in sorted(told.items()):
        _put(made, "alerts", labels, float(count))
    return [made[name] for name in METRICS if name in made]


def is_up(status: dict[str, Any] | None) -> bool:
    """Whether it trades: by its answer, or by a page that is fresh."""
    if status is None or not status["is_running"]:
        return False
    page = status.get("page")
    return page is None or (not page["is_left"] and page["age_ns"] < FRESH_NS)


def _put(made: dict[str, Any], name: str, labels: tuple[str, ...], value: Any) -> None:
    metric = METRICS[f"hftlib_{name}"]
    _add(made.setdefault(metric.name, _family(metric)), metric, labels, value)


def _family(metric: Metric) -> Any:
    from prometheus_client import core

    kinds: dict[str, Any] = {COUNTER: core.CounterMetricFamily, INFO: core.InfoMetricFamily}
    kinds |= {HISTOGRAM: core.HistogramMetricFamily}
    kind = kinds.get(metric.kind, core.GaugeMetricFamily)
    labels = metric.labels[:1] if metric.kind == INFO else metric.labels
    name = metric.name.removesuffix("_total").removesuffix("_info")
    return kind(name, f"{metric.about}.", labels=labels)


def _add(family: Any, metric: Metric, labels: tuple[str, ...], value: Any) -> None:
    if metric.kind == INFO:
        family.add_metric(labels[:1], dict(zip(metric.labels[1:], labels[1:], strict=True)))
    elif metric.kind == HISTOGRAM:
        family.add_metric(labels, value.buckets, value.sum_s)
    else:
        assert len(labels) == len(metric.labels), metric
        family.add_metric(labels, float(value))


def _rows(seen: Seen) -> Iterator[Row]:
    found = seen.status
    yield "up", (), is_up(found)
    yield "watchdog_up", (), seen.watched
    if found is None:
        return
    page = found.get("page")
    yield "runner_left", (), page["is_left"] if page else 0
    yield "page_age_seconds", (), page["age_ns"] / 1e9 if page else None
    release = (found.get("release") or {}).get("name", "")
    yield "runner_info", (found["mode"], str(release), found["journal"]), 1
    for name, count in found["counts"].items():
        yield f"{_COUNTS.get(name, name)}_total", (), count
    room = disk_room(found)
    yield "journal_disk_free_bytes", (), room and room.free_bytes
    yield "journal_disk_size_bytes", (), room and room.size_bytes
    yield from _trading(found)
    yield from _positions(found["positions"])
    yield from _host(found)
    for stage, one in found["latencies_ns"].items():
        for name, percent in _PERCENTILES.items():
            if name in one:
                yield "stage_percentile_seconds", (stage, percent), one[name] / 1e9
    for stage, told in seen.stages.items():
        yield "stage_seconds", (stage,), told
        yield "stage_outside_total", (stage,), told.outside


def _trading(found: dict[str, Any]) -> Iterator[Row]:
    yield "open_orders", (), found["open_orders"]
    stands = Counter(
        (one["strategy"], one["venue"], one["side"]) for one in found.get("orders", ())
    )
    for labels, count in sorted(stands.items()):
        yield "working_orders", labels, count
    refused: Counter[tuple[str, str]] = Counter()
    for one in found.get("refusals", ()):
        refused[str(one["strategy"]), str(one["reason"])] += one["count"]
    for whose, count in refused.items():
        yield "refusals_total", whose, count
    for one in found.get("limits", ()):
        limit = (one["scope"], one["name"], one["unit"])
        yield "limit_value", limit, one["limit"]
        yield "limit_used", limit, one["used"]
        yield "limit_used_ratio", limit, one["share"]
    for one in found["scopes"]:
        yield "trading_state", (one["scope"],), _STATES[one["state"]]
    for one in found["strategies"]:
        yield "strategy_stopped", (one["name"],), bool(one["stopped"])


def _positions(rows: list[dict[str, Any]]) -> Iterator[Row]:
    for one in rows:
        labels = (one["strategy"], one["symbol"], one["venue"])
        money = (*labels, str(one["currency"]))
        yield "position_quantity", labels, one["quantity"]
        yield "position_exposure_money", money, exposure_of(one)
        yield "position_profit_money", money, one["profit"]
        yield "position_open_orders", labels, one["open_orders"]
        yield "fills_total", labels, one["fills"]
    quotes = {(one["symbol"], one["venue"]): one for one in rows}
    for place, one in quotes.items():
        for side in ("bid", "ask"):
            yield "best_price_money", (*place, side), one[side]


def exposure_of(one: dict[str, Any]) -> float | None:
    """What a position is worth by size; of a book with one side, that side."""
    sides = [side for side in (one["bid"], one["ask"]) if side is not None]
    if not sides:
        return 0.0 if one["quantity"] == 0 else None
    return float(abs(one["quantity"]) * one["multiplier"] * sum(sides) / len(sides))


def _host(found: dict[str, Any]) -> Iterator[Row]:
    """What it stands on: feeds, links, the clock, the standby."""
    for n, one in enumerate(found["feeds"]):
        labels = (str(n + 1), one["venue"])
        yield "feed_ready", labels, one["state"] == "LIVE"
        yield "feed_next_number", labels, one["next"]
    for n, one in enumerate(found["links"]):
        labels = (str(n + 1), one["venue"])
        yield "link_ready", labels, one["state"] in READY
        yield "link_commands_total", labels, one["commands"]
        yield "link_reports_total", labels, one["reports"]
    clock = found["clock"]
    for name, told in (
        ("clock_offset_seconds", "offset_us"),
        ("clock_error_seconds", "sync_error_us"),
        ("clock_error_estimate_seconds", "sync_error_estimate_us"),
        ("clock_largest_step_seconds", "step_us_max"),
    ):
        yield name, (), None if clock.get(told) is None else clock[told] / 1e6
    yield "clock_synchronised", (), clock.get("is_synchronised")
    yield "clock_steps_total", (), clock.get("steps")
    standby = found.get("standby")
    if standby:
        is_so = standby["state"] == "ships" and standby["durability"] == "replicated"
        yield "standby_ready", (), is_so
        yield "standby_lag_frames", (), standby["lag_frames"]
        yield "standby_lag_seconds", (), standby["lag_ns"] / 1e9
        yield "standby_acknowledged_frames", (), standby["acknowledged"]
