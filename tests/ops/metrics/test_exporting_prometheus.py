"""A paper day, `hft metrics`, Debian's Prometheus and Alertmanager, and a receiver: all of it real.

Prometheus says what the runner says; a runner that is killed reaches whoever is told.
"""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from paper_day import PaperDay, until

from hftlib.ops.metrics.files import write_files


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Receiver:
    """A webhook that keeps what it is told."""

    def __init__(self):
        heard = self.heard = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                heard.append((self.path, json.loads(body)))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_given):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def told(self, name, state="firing"):
        return [
            (path, one)
            for path, body in list(self.heard)
            for one in body["alerts"]
            if one["labels"]["alertname"] == name and one["status"] == state
        ]


class Servers:
    """Prometheus and Alertmanager over the files as they are given, but for their ports."""

    def __init__(self, folder, exporter):
        self.folder, self.receiver, self.every = folder / "given", Receiver(), []
        self.port, manager = free_port(), free_port()
        write_files(self.folder)
        self._edit("alertmanager.yml", {"127.0.0.1:9095": f"127.0.0.1:{self.receiver.port}"})
        ports = {"127.0.0.1:9093": f"127.0.0.1:{manager}", "127.0.0.1:9464": exporter}
        self._edit("prometheus.yml", ports)
        self._start(
            "prometheus-alertmanager",
            "--config.file=alertmanager.yml",
            "--storage.path=alerts",
            f"--web.listen-address=127.0.0.1:{manager}",
            "--cluster.listen-address=",
        )
        self._start(
            "prometheus",
            "--config.file=prometheus.yml",
            "--storage.tsdb.path=data",
            f"--web.listen-address=127.0.0.1:{self.port}",
        )

    def _edit(self, name, changes):
        text = (self.folder / name).read_text()
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new)
        (self.folder / name).write_text(text)

    def _start(self, *words):
        log = (self.folder / f"{words[0]}.log").open("wb")
        self.every.append(subprocess.Popen(words, cwd=self.folder, stdout=log, stderr=log))
        log.close()

    def ask(self, query):
        """Each sample, by its labels."""
        place = f"http://127.0.0.1:{self.port}/api/v1/query?"
        try:
            with urllib.request.urlopen(place + urllib.parse.urlencode({"query": query})) as told:
                found = json.load(told)["data"]["result"]
        except OSError:
            return {}
        return {
            tuple(
                sorted((k, v) for k, v in one["metric"].items() if k not in ("job", "instance"))
            ): float(one["value"][1])
            for one in found
        }

    def end(self):
        for one in self.every:
            one.kill()
            one.wait()
        self.receiver.server.shutdown()


@pytest.fixture
def day(tmp_path):
    for name in ("prometheus", "prometheus-alertmanager"):
        if shutil.which(name) is None:
            pytest.skip(f"no {name} is installed: apt-get install {name}")
    with PaperDay(tmp_path) as made:
        yield made


def test_prometheus_says_what_the_runner_says_and_a_kill_reaches_a_receiver(day, tmp_path):
    runner = day.runner("maker")
    exporter = day.start("metrics", "metrics", "--port", "0", "--runner", f"maker={runner.socket}")
    place = until(exporter.said)[0].strip()
    servers = Servers(tmp_path, place.removeprefix("http://").removesuffix("/metrics"))
    try:
        up = 'hftlib_up{runner="maker"}'
        until(lambda: list(servers.ask(up).values()) == [1.0])
        until(lambda: any(one["fills"] for one in runner.status()["positions"]))
        runner.ask(do="halt", scope="firm", who="ann", why="to see it on a page")
        until(lambda: not runner.status()["open_orders"])
        told = runner.status()  # nothing of this changes any more
        until(lambda: list(servers.ask("hftlib_open_orders").values()) == [0.0])
        time.sleep(1.1)  # the next scrape is of after the last fill
        for query, field in (
            ("hftlib_position_quantity", "quantity"),
            ("hftlib_fills_total", "fills"),
            ("hftlib_position_open_orders", "open_orders"),
        ):
            said = {dict(labels)["symbol"]: value for labels, value in servers.ask(query).items()}
            assert said == {one["symbol"]: one[field] for one in told["positions"]}, query
        for name in ("commands", "reports", "rejected"):
            assert list(servers.ask(f"hftlib_{name}_total").values()) == [told["counts"][name]]
        counted = servers.ask("hftlib_stage_seconds_count")
        assert {dict(one)["stage"]: count for one, count in counted.items()}["encode"] > 0
        assert until(lambda: servers.ask("runner:hftlib_commands:rate1m"))
        until(lambda: servers.receiver.told("TradingHalted"), about=servers.receiver.heard)
        assert not servers.receiver.told("RunnerGone")

        runner.tell(signal.SIGSTOP)  # whoever asks it waits; a scrape does not ask
        until(lambda: max(servers.ask("hftlib_page_age_seconds").values(), default=0) > 2)
        until(lambda: list(servers.ask(up).values()) == [0.0])
        runner.kill()
        until(lambda: servers.receiver.told("RunnerGone"), about=servers.receiver.heard)
        path, alert = servers.receiver.told("RunnerGone")[0]
        assert path == "/pager" and alert["labels"]["runner"] == "maker"
        assert alert["annotations"]["summary"] == "Runner maker is gone"
        fills = {dict(one)["symbol"]: n for one, n in servers.ask("hftlib_fills_total").items()}
        assert fills == {one["symbol"]: one["fills"] for one in told["positions"]}, "as it last was"
    finally:
        servers.end()
