"""A paper day, `hft alerts` beside it, and people who hear: mail, webhooks, some of them broken."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest
from listeners import Http, Mail, Mute
from paper_day import PROGRAM, PaperDay, lines_of, until

from hftlib.core.audit import read_audit
from hftlib.core.errors import InputError, StateError
from hftlib.ops.alerts.board import alerts_of
from hftlib.ops.alerts.rules import read_rules
from hftlib.ops.alerts.watching import LOOK_S, Watching
from hftlib.ops.runners import Runners
from hftlib.ops.watch_beat import beat_of, beat_path

SECRET = "canary-7f3a"
RULES = """
[receivers.desk]
url_env = "DESK"
[receivers.head]
url_file = "head.url"
[receivers.hangs]
url_env = "HANGS"
[tell]
critical = [["desk", "hangs", "head"]]
warning = [["desk", "hangs"]]
repeat_s = 600
[rules.disk-low]
kind = "disk"
less_than_bytes = 1_000_000_000_000_000
action = "reduce"
times = 1
[heartbeat]
url_env = "ALIVE"
every_s = 0.2
"""


@pytest.fixture
def people():
    made = Http(), Mail(), Mute()
    yield made
    for one in made:
        one.close()


def hft(folder, *words, code=0):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout or done.stderr


def test_what_goes_wrong_with_a_paper_day_reaches_people_within_seconds(tmp_path, people):
    desk, head, hangs = people
    (tmp_path / "rules.toml").write_text(RULES)
    (tmp_path / "head.url").touch(0o600)
    (tmp_path / "head.url").write_text(head.url)
    given = {"DESK": f"{desk.url}?{SECRET}=1", "HANGS": hangs.url, "ALIVE": desk.page}
    late = []

    def told(words, where, since=0.0):
        until(lambda: words in where.text(), about=lambda: (where.text(), watch.errors.read_text()))
        if since:
            late.append(time.time() - since)

    with PaperDay(tmp_path) as day:
        runner = day.runner("maker")
        watch = day.start(
            "alerts",
            "alerts",
            "rules.toml",
            "--json",
            "--runner",
            f"maker={runner.socket}",
            **given,
        )
        until(watch.said)
        told("disk-low of maker", desk)
        until(lambda: runner.status()["scopes"][0]["state"] == "reducing")
        told("reducing of maker: firm is reducing: a person said so", desk)

        (tmp_path / "watch.toml").write_text("silence_ms = 60_000\nheartbeat_ms = 60_000\n")
        dog = day.start("dog", "watchdog", "watch.toml", "--socket", str(runner.socket), "--json")
        until(lambda: beat_of(runner.socket), about=dog.errors.read_text)
        now = time.time()
        dog.kill()
        told("watchdog-gone of maker: its watchdog is gone without a word", desk, now)
        beat_path(runner.socket).unlink()

        now = time.time()
        runner.ask(do="halt", scope="firm", who="ann", why="to see who wakes up")
        told("halted of maker: firm is halted", desk, now)
        told("halted of maker: firm is halted", head, now)

        day.exchange.tell(signal.SIGSTOP)
        until(lambda: runner.status()["feeds"][0]["state"] != "LIVE")
        told("stale-data of maker: feed 1 of HFTX is SILENT", desk)
        day.exchange.tell(signal.SIGCONT)
        told("resolved: ", desk)

        shown = json.loads(hft(tmp_path, "alerts", "show", "--json"))["alerts"]
        (halted,) = [one for one in shown if one["rule"] == "halted"]
        assert halted["runner"] == "maker" and halted["state"] == "firing"
        hft(tmp_path, "alerts", "acknowledge", halted["id"], "--why", "it is me", "--who", "ann")
        assert "another hft alerts" in hft(tmp_path, "alerts", "rules.toml", code=3).lower()

        watch.kill()  # and what it knew is known to the next one
        now = time.time()
        runner.kill()
        again = day.start(
            "again", "alerts", "rules.toml", "--json", "--runner", f"maker={runner.socket}", **given
        )
        until(again.said)
        told("runner-gone of maker: its process is gone", desk, now)
        told("runner-gone of maker: its process is gone", head, now)
        rows = {one["rule"]: one for one in alerts_of(tmp_path / "alerts")}
        assert rows["halted"]["state"] == "acknowledged" and rows["halted"]["id"] == halted["id"]
        until(lambda: any(one["rule"] == "undelivered" for one in alerts_of(tmp_path / "alerts")))
        assert len(desk.gets) > 3
        again.ended()
        out = [one for each in (watch, again) for one in lines_of(each.out.read_text())]
    print(f"told after {[round(one, 2) for one in late]} s")  # pytest -s; docs/alerts.md
    assert min(late) < 5.0, late
    assert desk.text().count("disk-low of maker") == 1, "told once, also after the restart"
    lines = read_audit(tmp_path / "alerts" / "alerts.log")
    did = [(one.who, one.did) for one in lines]
    assert {("alerts", "fired"), ("ann", "acknowledged"), ("alerts", "resolved")} <= set(did)
    (acted,) = [one for one in lines if one.did == "acted"]
    assert acted.what == "reduce firm of maker" and acted.facts["outcome"] == "done"
    assert any(b"rule disk-low" in one.read_bytes() for one in runner_files(tmp_path))
    assert any(one.did == "undelivered" and one.what == "hangs" for one in lines)
    for one in tmp_path.rglob("*"):
        assert not one.is_file() or SECRET.encode() not in one.read_bytes(), one
    assert [one["what"] for one in out if one["what"] == "watching"] == ["watching"] * 2


def runner_files(folder):
    return [one for one in (folder / "maker.journal").rglob("*") if one.is_file()]


ABSENT = '[rules.{0}]\nkind = "runner_absent"\nseverity = "critical"\n'


@pytest.fixture
def watching(tmp_path, people):
    """Four rules over thirty names of runners that are not there, and who is told."""
    made = []

    def begun(environment, names=30, extra="", folder="alerts"):
        text = "default_rules = false\n" + extra
        text += "".join(f'[receivers.{name.lower()}]\nurl_env = "{name}"\n' for name in environment)
        text += "".join(ABSENT.format(f"absent-{n}") for n in range(4))
        (tmp_path / "rules.toml").write_text(text)
        runners = Runners({f"r{n}": tmp_path / f"r{n}.socket" for n in range(names)})
        rules = read_rules(tmp_path / "rules.toml")
        made.append(Watching(rules, runners, tmp_path / folder, environment, lambda *_given: None))
        return made[-1]

    yield begun
    for one in made:
        one.close()


def turn_until(one, holds):
    def both():
        one.turn()
        time.sleep(LOOK_S / 5)
        return holds()

    return until(both)


def test_a_hundred_alerts_are_one_message_and_nobody_waits_for_one_that_hangs(watching, people):
    desk, head, hangs = people
    one = watching({"DESK": desk.url, "HEAD": head.url, "HANGS": hangs.url})
    turn_until(one, lambda: desk.heard and head.heard)
    (message,) = [body for _, body in desk.heard]
    assert message["title"].startswith("[critical] 120 alerts, first: A1 absent-0 of r0: it is not")
    assert message["message"].count("it is not there") == 40
    assert "and 80 more" in message["message"]
    turn_until(one, lambda: any(a["rule"] == "undelivered" for a in alerts_of(one.board.folder)))
    turn_until(one, lambda: "undelivered: hangs takes no messages" in desk.text())
    assert len(head.heard) < 4


def test_one_that_refuses_hears_it_all_once_it_does_not(watching, people):
    desk, head, _ = people
    desk.code = 500
    one = watching({"DESK": desk.url, "HEAD": head.url}, names=1)
    turn_until(one, lambda: "undelivered: desk takes no messages" in head.text())
    assert "desk takes no messages" not in desk.text()
    desk.code = 200
    turn_until(one, lambda: "absent-3 of r0" in desk.text())
    turn_until(one, lambda: "resolved: " in head.text())
    assert desk.text().count("absent-3 of r0") == 1


def test_a_port_where_nobody_is_and_a_day_that_ends_is_in_the_log(watching, people):
    with socket.create_server(("127.0.0.1", 0)) as none:
        port = none.getsockname()[1]
    one = watching({"GONE": f"json://127.0.0.1:{port}/x"}, names=1)
    one.turn()
    one.close()
    one.close = lambda: None
    lines = [
        line for line in read_audit(one.board.folder / "alerts.log") if line.did == "undelivered"
    ]
    assert len(lines) == 4 and all(line.what == "gone" for line in lines)


def test_a_command_runs_where_a_rule_says_so_and_only_so_often(watching, tmp_path):
    program = 'import os; open(os.environ["HFT_ALERT_RULE"] + ".ran", "a").write("1")'
    words = json.dumps([sys.executable, "-c", program])
    rule = '[rules.own]\nkind = "runner_absent"\naction = "command"\n'
    extra = f"{rule}command = {words}\ntimes = 2\n"
    extra += '[rules.bad]\nkind = "runner_absent"\naction = "command"\ncommand = ["/none"]\n'
    extra += '[rules.told]\nkind = "runner_absent"\naction = "halt"\n'
    here = os.getcwd()
    os.chdir(tmp_path)
    try:
        one = watching({}, names=3, extra=extra)
        turn_until(one, lambda: len(one.recovery.failed) == 6)
        one.recovery.close()
        assert sorted(path.name for path in tmp_path.glob("*.ran")) == ["own.ran"]
        assert (tmp_path / "own.ran").read_text() == "111", "for each of three runners"
    finally:
        os.chdir(here)
    turn_until(one, lambda: any(a["rule"] == "action" for a in alerts_of(one.board.folder)))
    log = read_audit(one.board.folder / "alerts.log")
    acted = [line for line in log if line.did == "acted"]
    assert {line.facts["outcome"] for line in acted} == {"done", "failed"}
    assert any("No runner listens there" in line.why for line in acted)


def test_what_acts_does_so_only_so_often(watching, tmp_path):
    rule = (
        '[rules.told]\nkind = "runner_absent"\naction = "command"\ncommand = ["true"]\ntimes = 2\n'
    )
    one = watching({}, names=1, extra=rule)
    given = one.rules.rules["told"]
    alert = {"id": "A1", "rule": "told", "runner": "r0", "said": "x"}
    acts, path = {}, tmp_path / "r0.socket"
    begun = [one.recovery.begin(alert, given, path, acts, n * 10**9) for n in (1, 2, 3, 3601, 3602)]
    assert begun == [True, True, False, True, True]
    one.recovery.close()


def test_a_second_one_and_an_address_that_is_none_are_refused(watching, people):
    desk, _, _ = people
    watching({"DESK": desk.url}, names=1)
    with pytest.raises(StateError, match="Another hft alerts uses this folder"):
        watching({"DESK": desk.url}, names=1)
    with pytest.raises(InputError, match="URL number 2 is none that apprise knows") as caught:
        watching({"DESK": f"{desk.url} nonsense://{SECRET}"}, names=1, folder="other")
    assert SECRET not in str(caught.value)
    with pytest.raises(InputError, match="The heartbeat has no address"):
        watching({}, names=1, extra='[heartbeat]\nurl_env = "NOT"\n', folder="third")
    watching({"DESK": desk.url}, names=1, folder="other")  # the lock was given back
