"""`hft metrics`: a scrape by HTTP says what the status says, and that nobody answers."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from functools import partial

import pytest
from floor_trial import trade
from prometheus_client.parser import text_string_to_metric_families

from hftlib.core.control.serving import Control
from hftlib.core.errors import HostError
from hftlib.ops.metrics import served
from hftlib.ops.obeying import obey
from hftlib.ops.status import status

PROGRAM = "from hftlib.cli import main; main()"


def figures(text):
    """Every sample, by its name and labels."""
    return {
        (one.name, *sorted(one.labels.items())): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


@pytest.fixture
def scraped(floor, tmp_path):
    """A process that serves, and what a scrape of it says while the floor goes on."""
    path = tmp_path / "runner.socket"
    given = [sys.executable, "-c", PROGRAM, "metrics", "--port", "0", "--socket", str(path)]
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
    assert scrape() == {("hftlib_up",): 0.0}
    control = Control(path, partial(obey, trial.runner))

    class Heard:
        turn, close = staticmethod(control.poll), staticmethod(control.close)

    floor.others.append(Heard)
    trade(floor, 10)
    obey(trial.runner, {"do": "reduce", "scope": "firm", "who": "ann", "why": "to see"})
    found = scrape()
    told = status(trial.runner)
    assert found["hftlib_up",] == 1.0
    assert found["hftlib_runner_info", ("journal", told["journal"]), ("mode", "paper")] == 1.0
    assert found["hftlib_trading_state", ("scope", "firm")] == 1.0
    at = ("venue", "HFTX")
    for what in ("feed", "link"):
        assert found[f"hftlib_{what}_ready", (what, "1"), at] == 1
    (row,) = [one for one in told["positions"] if one["symbol"] == "AAA"]
    labels = (("strategy", row["strategy"]), ("symbol", "AAA"), at)
    assert found["hftlib_position_quantity", *labels] == row["quantity"]
    assert found["hftlib_position_fills", *labels] == row["fills"] > 0
    for name in ("events", "commands", "reports"):
        assert 0 < found["hftlib_count_total", ("of", name)] <= told["counts"][name]
    for stage, one in told["latencies_ns"].items():
        half = found["hftlib_stage_seconds", ("quantile", "0.5"), ("stage", stage)]
        longest = found["hftlib_stage_seconds", ("quantile", "1"), ("stage", stage)]
        assert 0 < half <= longest <= one["max"] / 1e9
        assert 0 < found["hftlib_stage_measured_total", ("stage", stage)] <= one["count"]
    trial.runner.stop()
    assert scrape()["hftlib_up",] == 0.0, "it answers, and trades no more"
    json.dumps(told)


def test_a_port_that_is_taken_is_said(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(HostError, match="Nothing can be served there: Address already in use"):
            served("127.0.0.1", port, None)


def test_what_nobody_answers_is_down_within_a_second_or_two(tmp_path):
    path = tmp_path / "runner.socket"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as mute:
        mute.bind(str(path))
        mute.listen()
        server, thread = served("127.0.0.1", 0, path)
        try:
            place = f"http://127.0.0.1:{server.server_port}/metrics"
            text = urllib.request.urlopen(place, timeout=30).read().decode()
            assert figures(text) == {("hftlib_up",): 0.0}
        finally:
            server.shutdown()
            thread.join()
    assert os.path.exists(path)
