"""What Prometheus and Grafana are given: judged by their own tools, each alert at its edge."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys

import pytest
import yaml

from hftlib.core.errors import HostError, InputError
from hftlib.core.reasons import REASONS
from hftlib.ops.metrics.families import families
from hftlib.ops.metrics.files import given_files, write_files
from hftlib.ops.metrics.names import HISTOGRAM, METRICS
from hftlib.ops.metrics.stages import bounds_ns

R = '{runner="maker"}'
SELF = (
    'hftlib_refusals_total{runner="maker",strategy="S",reason="it would meet an order of our own"}'
)
LOSS = 'hftlib_limit_used_ratio{runner="maker",scope="firm",limit="drawdown_money"}'
DISK = "hftlib_journal_disk_free_bytes", "hftlib_journal_disk_size_bytes"
LATE = 'hftlib_stage_seconds_bucket{runner="maker",stage="decide",le="0.000131071"}'
ALL = 'hftlib_stage_seconds_count{runner="maker",stage="decide"}'
RATES = ("RefusalsHigh", "RejectsHigh", "LatencyBurnsFast", "LatencyBurnsSlowly")
# Of each alert: what just does not raise it, what does, and after how many seconds.
EDGES = {
    "RunnerGone": ({f"hftlib_runner_left{R}": "0x99"}, {f"hftlib_runner_left{R}": "1x99"}, 0),
    "RunnerDown": ({f"hftlib_up{R}": "1x99"}, {f"hftlib_up{R}": "0x99"}, 5),
    "ExporterDown": ({'up{job="hftlib"}': "1x99"}, {'up{job="hftlib"}': "0x99"}, 5),
    "HotThreadStands": (
        {f"hftlib_page_age_seconds{R}": "2x99"},
        {f"hftlib_page_age_seconds{R}": "2.001x99", f"hftlib_runner_left{R}": "0x99"},
        0,
    ),
    "WatchdogGone": ({f"hftlib_watchdog_up{R}": "1x99"}, {f"hftlib_watchdog_up{R}": "0x99"}, 2),
    "TradingHalted": (
        {f"hftlib_trading_state{R}": "1x99"},
        {f"hftlib_trading_state{R}": "2x99"},
        0,
    ),
    "TradingFlattening": (
        {f"hftlib_trading_state{R}": "2x99"},
        {f"hftlib_trading_state{R}": "3x99"},
        0,
    ),
    "TradingReducing": (
        {f"hftlib_trading_state{R}": "0x99"},
        {f"hftlib_trading_state{R}": "1x99"},
        0,
    ),
    "StrategyStopped": (
        {f"hftlib_strategy_stopped{R}": "0x99"},
        {f"hftlib_strategy_stopped{R}": "1x99"},
        0,
    ),
    "FeedNotLive": ({f"hftlib_feed_ready{R}": "1x99"}, {f"hftlib_feed_ready{R}": "0x99"}, 3),
    "LinkNotReady": ({f"hftlib_link_ready{R}": "1x99"}, {f"hftlib_link_ready{R}": "0x99"}, 3),
    "ClockStepped": (
        {f"hftlib_clock_steps_total{R}": "3x99"},
        {f"hftlib_clock_steps_total{R}": "3 4x99"},
        1,
    ),
    "ClockUnsynchronised": (
        {f"hftlib_clock_synchronised{R}": "1x99"},
        {f"hftlib_clock_synchronised{R}": "0x99"},
        30,
    ),
    "ClockErrorHigh": (
        {f"hftlib_clock_error_seconds{R}": "0.01x99"},
        {f"hftlib_clock_error_seconds{R}": "0.0101x99"},
        30,
    ),
    "LimitNear": (
        {f"hftlib_limit_used_ratio{R}": "0.8x99"},
        {f"hftlib_limit_used_ratio{R}": "0.81x99"},
        2,
    ),
    "LossNear": ({LOSS: "0.8x99"}, {LOSS: "0.81x99"}, 0),
    "LimitReached": (
        {f"hftlib_limit_used_ratio{R}": "0.99x99"},
        {f"hftlib_limit_used_ratio{R}": "1x99"},
        1,
    ),
    "RefusalsHigh": (
        {f"hftlib_refused_total{R}": "0+10x99"},
        {f"hftlib_refused_total{R}": "0+11x99"},
        60,
    ),
    "SelfMatchPrevented": ({SELF: "2x99"}, {SELF: "2 3x99"}, 1),
    "RejectsHigh": (
        {f"hftlib_rejected_total{R}": "0+1x99"},
        {f"hftlib_rejected_total{R}": "0+2x99"},
        60,
    ),
    "LatencyBurnsFast": (
        {LATE: "0+9860x99", ALL: "0+10000x99"},
        {LATE: "0+9850x99", ALL: "0+10000x99"},
        5,
    ),
    "LatencyBurnsSlowly": (
        {LATE: "0+9971x99", ALL: "0+10000x99"},
        {LATE: "0+9969x99", ALL: "0+10000x99"},
        70,
    ),
    "StandbyBehind": (
        {f"hftlib_standby_lag_seconds{R}": "1x99"},
        {f"hftlib_standby_lag_seconds{R}": "1.1x99"},
        0,
    ),
    "StandbyNotReady": (
        {f"hftlib_standby_ready{R}": "1x99"},
        {f"hftlib_standby_ready{R}": "0x99"},
        1,
    ),
    "JournalDiskLow": (
        {f"{DISK[0]}{R}": "10x99", f"{DISK[1]}{R}": "100x99"},
        {f"{DISK[0]}{R}": "9x99", f"{DISK[1]}{R}": "100x99"},
        0,
    ),
    "JournalDiskFull": (
        {f"{DISK[0]}{R}": "2x99", f"{DISK[1]}{R}": "100x99"},
        {f"{DISK[0]}{R}": "1x99", f"{DISK[1]}{R}": "100x99"},
        0,
    ),
    "RowsLeftOut": (
        {f"hftlib_rows_left_out{R}": "0x99"},
        {f"hftlib_rows_left_out{R}": "1x99"},
        0,
    ),
}


def rules():
    found = {}
    for name in ("hftlib_recording.yml", "hftlib_alerts.yml"):
        for group in yaml.safe_load(given_files()[name])["groups"]:
            found |= {one.get("alert") or one["record"]: one for one in group["rules"]}
    return found


def tool(name):
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"no {name} is installed: apt-get install prometheus prometheus-alertmanager")
    return found


def judged(*words, **more):
    done = subprocess.run(words, capture_output=True, text=True, check=False, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("given")
    write_files(made)
    return made


def test_their_own_tools_take_them(folder):
    promtool = tool("promtool")
    judged(promtool, "check", "rules", *map(str, folder.glob("hftlib_*.yml")))
    assert "2 rule files found" in judged(
        promtool, "check", "config", str(folder / "prometheus.yml")
    )
    judged(tool("amtool"), "check-config", str(folder / "alertmanager.yml"))


def test_each_alert_is_raised_at_its_edge_and_not_before(folder):
    promtool = tool("promtool")
    assert set(EDGES) == {name for name, one in rules().items() if "alert" in one}
    tests = []
    for alert, (under, beyond, after) in EDGES.items():
        for series, times in (
            (under, {95: 0}),
            (beyond, {after - 1: 0, after: 1} if after else {0: 1}),
        ):
            asked = f'count(ALERTS{{alertname="{alert}",alertstate="firing"}})'
            told = [
                {
                    "expr": asked,
                    "eval_time": f"{at}s",
                    "exp_samples": [{"labels": "{}", "value": 1}] if count else [],
                }
                for at, count in times.items()
            ]
            if alert in RATES and series is beyond:
                told = told[-1:]  # a rate is there from the second scrape on
            given = [{"series": name, "values": values} for name, values in series.items()]
            tests.append({"interval": "1s", "input_series": given, "promql_expr_test": told})
    files = ["hftlib_recording.yml", "hftlib_alerts.yml"]
    whole = {"rule_files": files, "evaluation_interval": "1s", "tests": tests}
    (folder / "edges.yml").write_text(json.dumps(whole))
    assert "SUCCESS" in judged(promtool, "test", "rules", "edges.yml", cwd=folder)


def test_every_query_is_of_figures_that_there_are():
    known = set(METRICS) | {name for name in rules() if ":" in name}
    for name, metric in METRICS.items():
        if metric.kind == HISTOGRAM:
            known |= {f"{name}_bucket", f"{name}_count", f"{name}_sum"}
    board = json.loads(given_files()["hftlib_runners.json"])
    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    assert len(asked) > 20 and len({panel["id"] for panel in board["panels"]}) == len(
        board["panels"]
    )
    variables = [
        one["query"]["query"] for one in board["templating"]["list"] if one["type"] == "query"
    ]
    for text in [*asked, *variables, *(one["expr"] for one in rules().values())]:
        bare = re.sub(r'"[^"]*"', '""', text)
        names = set(re.findall(r"(?:runner\w*:)?hftlib_\w+(?::\w+)?", bare))
        assert names <= known and (names or "ALERTS" in text or "up{job=" in text), (text, names)
        for bound in re.findall(r'le="([^"]+)"', text):
            assert round(float(bound) * 1e9) in bounds_ns()
        for reason in re.findall(r'reason="([^"]+)"', text):
            assert reason in REASONS
    for panel in board["panels"]:  # none hides another
        here = panel["gridPos"]
        for other in board["panels"]:
            there = other["gridPos"]
            beside = here["x"] + here["w"] <= there["x"] or there["x"] + there["w"] <= here["x"]
            above = here["y"] + here["h"] <= there["y"] or there["y"] + there["h"] <= here["y"]
            assert panel is other or beside or above, (panel["title"], other["title"])


def test_names_follow_what_prometheus_expects(floor, trial):
    from prometheus_client import generate_latest
    from prometheus_client.registry import CollectorRegistry

    from hftlib.ops.status import status

    class Told:
        def collect(self):
            return families(status(trial.runner))

    registry = CollectorRegistry()
    registry.register(Told())
    promtool = tool("promtool")
    done = subprocess.run(
        [promtool, "check", "metrics"],
        input=generate_latest(registry),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_files_of_others_stay(tmp_path):
    folder = tmp_path / "prometheus"
    program = [sys.executable, "-c", "from hftlib.cli import main; main()", "metrics", "files"]
    told = json.loads(judged(*program, str(folder), "--json"))
    assert len(told) == 5 and write_files(folder) == sorted(write_files(folder), key=told_of(told))
    (folder / "prometheus.yml").write_text("mine")
    with pytest.raises(InputError, match="another file of that name"):
        write_files(folder)
    assert (folder / "prometheus.yml").read_text() == "mine"
    write_files(folder, force=True)
    assert (folder / "prometheus.yml").read_bytes() == given_files()["prometheus.yml"]
    with pytest.raises(HostError, match="cannot be written"):
        write_files(folder / "prometheus.yml" / "x")


def told_of(told):
    return lambda path: told.index(str(path))
