"""`hft metrics`: a scrape by HTTP says what the status says, and that nobody answers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from functools import partial

import pytest
from floor_trial import Trial, trade
from prometheus_client.parser import text_string_to_metric_families

from hftlib.core.control.serving import Control
from hftlib.core.errors import HostError, InputError
from hftlib.core.histogram import bucket_bounds
from hftlib.ops.metrics.exporting import looked_at, served
from hftlib.ops.metrics.families import families
from hftlib.ops.metrics.names import METRICS, ROWS_MAX
from hftlib.ops.obeying import obey
from hftlib.ops.page import Page
from hftlib.ops.page_reading import page_path
from hftlib.ops.runners import Runners
from hftlib.ops.status import status

PROGRAM = "from hftlib.cli import main; main()"


def figures(text):
    """Every sample, by its name and labels."""
    return {
        (one.name, *sorted(one.labels.items())): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def of(name, **labels):
    return (name, *sorted({"runner": "maker", **labels}.items()))


def at(found, name, **labels):
    return found[of(name, **labels)]


@pytest.fixture
def scraped(floor, tmp_path):
    """A process that serves, and what a scrape of it says while the floor goes on."""
    path = tmp_path / "runner.socket"
    given = [sys.executable, "-c", PROGRAM, "metrics", "--port", "0", "--runner", f"maker={path}"]
    with subprocess.Popen(given, stdout=subprocess.PIPE, text=True) as process:
        place = process.stdout.readline().strip()
        program = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read().decode())"

        def scrape():
            asks = subprocess.Popen(
                [sys.executable, "-c", program, place], stdout=subprocess.PIPE, text=True
            )
            floor.until(lambda: asks.poll() is not None, 60)
            return figures(asks.communicate()[0])

        yield path, scrape
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 128 + signal.SIGTERM


def test_a_scrape_is_the_status_and_a_runner_that_is_gone_is_down(floor, trial, scraped):
    path, scrape = scraped
    assert scrape() == {of("hftlib_up"): 0.0, of("hftlib_rows_left_out"): 0.0}
    control = Control(path, partial(obey, trial.runner))

    class Heard:
        turn, close = staticmethod(control.poll), staticmethod(control.close)

    floor.others.append(Heard)
    trade(floor, 10)
    obey(trial.runner, {"do": "reduce", "scope": "firm", "who": "ann", "why": "to see"})
    found = scrape()
    told = status(trial.runner)
    assert at(found, "hftlib_up") == 1.0
    about = {"journal": told["journal"], "mode": "paper", "release": ""}
    assert at(found, "hftlib_runner_info", **about) == 1.0
    assert at(found, "hftlib_trading_state", scope="firm") == 1.0
    assert at(found, "hftlib_feed_ready", feed="1", venue="HFTX") == 1
    assert at(found, "hftlib_link_ready", link="1", venue="HFTX") == 1
    (row,) = [one for one in told["positions"] if one["symbol"] == "AAA"]
    labels = {"strategy": row["strategy"], "symbol": "AAA", "venue": "HFTX"}
    assert at(found, "hftlib_position_quantity", **labels) == row["quantity"]
    assert at(found, "hftlib_fills_total", **labels) == row["fills"] > 0
    for name in ("events", "commands", "reports"):
        assert 0 < at(found, f"hftlib_{name}_total") <= told["counts"][name]
    measured = {
        dict(one[1:])["stage"] for one in found if one[0] == "hftlib_stage_percentile_seconds"
    }
    assert {"journal", "decide", "frame to wire"} <= measured
    for stage in measured:  # some are looked at so rarely that there is none yet
        one = told["latencies_ns"][stage]
        half = at(found, "hftlib_stage_percentile_seconds", percentile="50", stage=stage)
        longest = at(found, "hftlib_stage_percentile_seconds", percentile="100", stage=stage)
        assert 0 < half <= longest <= one["max"] / 1e9
    assert at(found, "hftlib_journal_disk_free_bytes") > 0
    trial.runner.stop()
    assert at(scrape(), "hftlib_up") == 0.0, "it answers, and trades no more"


def test_histograms_are_those_of_the_page_and_only_the_page_is_looked_at(floor, tmp_path):
    trial = Trial(floor, tmp_path / "day.journal")
    socket_path = tmp_path / "runner.socket"
    page = Page(trial.runner, page_path(socket_path))
    trial.runner.start()
    trade(floor, 20)
    with socket.socket(socket.AF_UNIX) as mute:  # who asks here waits for ever
        mute.bind(str(socket_path))
        mute.listen()
        trial.runner.record["stop"] = 1
        trial.runner._thread.join()
        seen = looked_at("maker", socket_path)
        mute.setblocking(False)
        with pytest.raises(BlockingIOError):
            mute.accept()
    histograms = trial.runner.latencies
    for name, stage in seen.stages.items():
        counts, (_, last) = histograms[name].counts, bucket_bounds()
        assert stage.count == histograms[name].count
        for bound, count in stage.buckets[:-1]:
            assert count == counts[last <= round(float(bound) * 1e9)].sum(), (name, bound)
        assert stage.sum_s == pytest.approx(int(histograms[name].memory["sum"][0]) / 1e9)
    assert seen.stages["decide"].count > 5
    trial.runner.stop()
    page.remove()


def test_all_that_a_scrape_says_is_documented_and_bounded(floor, trial):
    told = status(trial.runner)
    one = told["positions"][0]
    told["positions"] = [one | {"symbol": f"S{n}"} for n in range(ROWS_MAX + 7)]
    told["scopes"][0]["state"] = "flattening"
    told["orders"] = [{"strategy": "S", "venue": "V", "side": "buy"}] * 3
    told["refusals"] = [{"strategy": "S", "reason": "no", "count": 4}]
    told["limits"] = [{"scope": "firm", "name": "x", "unit": "lots", "limit": 9, "used": 3}]
    told["limits"][0]["share"] = 1 / 3
    found = families(told)
    for family in found:
        for sample in family.samples:
            name = sample.name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count")
            metric = METRICS.get(sample.name) or METRICS[name]
            assert set(sample.labels) <= {*metric.labels, "le"}, sample
        assert len(family.samples) <= ROWS_MAX
    by_name = {family.name: family.samples for family in found}
    left = sum(7 for name in by_name if "position" in name or name == "hftlib_fills")
    assert by_name["hftlib_rows_left_out"][0].value == left > 0
    assert by_name["hftlib_trading_state"][0].value == 3
    assert by_name["hftlib_working_orders"][0].value == 3
    assert by_name["hftlib_limit_used_ratio"][0].value == pytest.approx(1 / 3)


def test_a_port_that_is_taken_is_said(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(HostError, match="Nothing can be served there: Address already in use"):
            served("127.0.0.1", port, Runners())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["maker"], "'maker' names no runner"),
        (["=x"], "'=x' names no runner"),
        (["a=x", "a=y"], "Two runners are called a"),
        ([f"r{n}=x" for n in range(33)], "At most 32 runners"),
    ],
)
def test_runners_that_are_none_are_said(given, said):
    with pytest.raises(InputError, match=said):
        Runners.of(given, "hft metrics --runner")


def test_what_nobody_answers_is_down_within_a_second_or_two(tmp_path):
    path = tmp_path / "runner.socket"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as mute:
        mute.bind(str(path))
        mute.listen()
        server, thread = served("127.0.0.1", 0, Runners({"maker": path}))
        try:
            place = f"http://127.0.0.1:{server.server_port}/metrics"
            text = urllib.request.urlopen(place, timeout=30).read().decode()
            assert figures(text)[of("hftlib_up")] == 0.0
        finally:
            server.shutdown()
            thread.join()
    assert os.path.exists(path)
