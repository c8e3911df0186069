"""The watchdog: it ends what does not answer, what stands still, and what breaks its rules."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from floor_trial import Trial, trade

from hftlib.core.control.asking import told
from hftlib.core.errors import InputError
from hftlib.core.journal.kinds import CLOSED
from hftlib.core.journal.reading import frames
from hftlib.engine.live.replaying import replay
from hftlib.ops.cancel_session import CancelSession
from hftlib.ops.drop_copy import DropCopy, differences
from hftlib.ops.last_resort import LastResort
from hftlib.ops.launching import laid
from hftlib.ops.modes import Mode
from hftlib.ops.obeying import obey
from hftlib.ops.status import status
from hftlib.ops.watch_rules import Rules, broken, read_rules
from hftlib.ops.watchdog import NONE_OF_THE_VENUES, OF_OTHERS, Watchdog

FAR = {"silence_ms": 20_000.0, "heartbeat_ms": 20_000.0, "grace_ms": 20_000.0}


class Kennel:
    """A watchdog in a thread, beside the floor; what it says is kept."""

    def __init__(
        self,
        floor: Any,
        path: Any,
        rules: Rules,
        copy: DropCopy | None = None,
        resort: LastResort | None = None,
    ) -> None:
        self.said: list[tuple[str, dict[str, Any]]] = []
        copies = {"HFTX": copy} if copy is not None else {}
        self.dog = Watchdog(path, rules, self._hear, copies, resort)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        self.floor = floor
        floor.until(lambda: self.dog.looks > 1 or self.dog.over, 60)

    def _hear(self, what: str, more: dict[str, Any]) -> None:
        self.said.append((what, more))

    def _run(self) -> None:
        self.dog.begin()
        while not self.dog.over and not self._stop.is_set():
            self.dog.step()
            time.sleep(0.01)

    def has(self, what: str) -> bool:
        return any(one == what for one, _ in self.said)

    def leave(self) -> None:
        self._stop.set()
        self.floor.until(lambda: not self._thread.is_alive(), 60)


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ({"position": 1}, "it holds .* AAA, the rule is 1"),
        ({"gross_money": 50.0}, "it holds .*, the rule is 50.00"),
        ({"commands_per_second": 1}, "commands in .* s, the rule is 1 a second"),
    ],
)
def test_a_broken_rule_halts_the_firm_by_command(floor, trial, socket, rule, why):
    kennel = Kennel(floor, socket, Rules(**FAR, **rule))
    trade(floor, 400, lambda: kennel.has("halting"))
    assert kennel.has("halting"), status(trial.runner)["positions"]
    assert re.search(why, dict(kennel.said)["halting"]["why"])
    floor.until(lambda: trial.runner.open_orders == 0)
    before = trial.counts("commands")
    trade(floor, 5)
    assert trial.counts("commands") == before and not kennel.dog.has_ended
    firm = status(trial.runner)["scopes"][0]
    assert firm["state"] == "halted" and "watch" in firm["why"]
    kennel.leave()
    trial.runner.stop()
    again = replay(trial.folder, laid)
    assert again.is_identical, again.difference


def test_nothing_is_done_while_the_rules_hold(floor, trial, socket):
    rules = Rules(**FAR, position=10**6, loss_money=10**9, gross_money=10**9, stale_ms=20_000.0)
    kennel = Kennel(floor, socket, rules)
    trade(floor, 20)
    looks = kennel.dog.looks
    floor.until(lambda: kennel.dog.looks > looks + 3)
    kennel.leave()
    assert [what for what, _ in kennel.said] == ["watching"] and not kennel.dog.has_ended


def test_a_feed_that_is_stale_halts(floor, trial, socket):
    kennel = Kennel(floor, socket, Rules(**FAR, stale_ms=50.0))
    for line in "ab":
        floor.exchange.faults.begin(floor.exchange, "silence", line=line)
    floor.until(lambda: kennel.has("halting"), 60)
    assert dict(kennel.said)["halting"]["why"].startswith("feed 1 is")
    kennel.leave()


def copied(floor: Any, user: str = "frm1d") -> DropCopy:
    host, port = floor.exchange.places["drop_copy"]
    return DropCopy((host, port), user, "secret")


def test_what_the_venue_says_is_what_the_runner_says(floor, trial, socket):
    """All day long, from the first message on, also across a session that is cut off."""
    copy = copied(floor)
    kennel = Kennel(floor, socket, Rules(**FAR, mismatch_ms=10_000.0), copy)
    trade(floor, 15)
    copy.close()  # it dials again, and is told what it missed
    trade(floor, 15)
    floor.until(lambda: copy.is_whole)
    say = partial(obey, trial.runner)
    say({"do": "halt", "scope": "firm", "who": "ann", "why": "to compare"})
    floor.until(lambda: trial.runner.open_orders == 0)
    floor.until(lambda: not differences(copy.positions, status(trial.runner)["positions"]))
    assert copy.heard > 50 and copy.positions.keys() == {"AAA"}
    assert not kennel.has("halting") and not kennel.dog.has_ended
    kennel.leave()


def test_a_position_that_only_the_venue_knows_halts(floor, trial, socket):
    copy = copied(floor)
    kennel = Kennel(floor, socket, Rules(**FAR, mismatch_ms=100.0), copy)
    trade(floor, 3)
    other = floor.plain("frm1b")  # another account of the firm trades, and the runner does not know
    floor.maker.enter(50_001, "B", 700, "99.00", symbol="BBB")
    other.enter(1, "S", 700, "99.00", symbol="BBB")
    floor.until(lambda: kennel.has("halting"), 60)
    why = dict(kennel.said)["halting"]["why"]
    assert "the venue says -700 BBB, the runner 0" in why
    kennel.leave()


def test_what_the_venue_says_is_no_rule_for_a_shadow_and_the_others_are(floor, tmp_path, socket_of):
    """Its fills are a model's: the drop copy knows none of them, and that is told once."""
    trial = Trial(floor, tmp_path / "shadow.journal", mode=Mode("shadow"))
    trial.runner.start()
    copy, path = copied(floor), socket_of(trial)
    session = CancelSession(tuple(floor.exchange.places["order_entry"]), "frm1k", "secret")
    resort = LastResort(session, None, lambda _what, _more: None)
    kennel = Kennel(floor, path, Rules(**FAR, mismatch_ms=1.0), copy, resort)
    # The firm holds something, and the shadow does not.
    maker, other = floor.plain("frm2b"), floor.plain("frm1b")
    maker.enter(1, "B", 700, "99.00", symbol="BBB")
    other.enter(1, "S", 700, "99.00", symbol="BBB")
    floor.until(lambda: (copy.turn(), copy.positions.get("BBB"))[1] == -700)
    assert differences(copy.positions, status(trial.runner)["positions"])
    looks = kennel.dog.looks
    floor.until(lambda: kennel.dog.looks > looks + 5)
    assert [what for what, _ in kennel.said] == ["watching", "passed over", "passed over"]
    assert [told for _, told in kennel.said[1:]] == [
        {"rule": "mismatch_ms", "why": NONE_OF_THE_VENUES},
        {"rule": "the cancel session", "why": OF_OTHERS},
    ]
    assert kennel.dog.resort is None and not resort.has_begun, "others' orders stand there"
    kennel.leave()
    copy.close()
    guarded = Kennel(floor, path, Rules(**FAR, mismatch_ms=1.0, stale_ms=50.0), copied(floor))
    for line in "ab":
        floor.exchange.faults.begin(floor.exchange, "silence", line=line)
    floor.until(lambda: guarded.has("halting"), 60)
    assert dict(guarded.said)["halting"]["why"].startswith("feed 1 is")
    guarded.leave()


def test_each_venue_is_compared_with_its_own_drop_copy() -> None:
    copies = {one: DropCopy(("127.0.0.1", 1), "frm1d", "secret") for one in ("XNAS", "XBOS")}
    for held, copy in zip((5, -5), copies.values(), strict=True):
        copy.why, copy.positions["AAA"] = "", held
    rows = [
        {"symbol": "AAA", "venue": "XNAS", "quantity": 5.0},
        {"symbol": "AAA", "venue": "XBOS", "quantity": -5.0},
    ]
    found = {"mode": "paper", "feeds": [{"venue": "XNAS"}, {"venue": "XBOS"}], "positions": rows}
    dog = Watchdog(Path(), Rules(mismatch_ms=100.0), print, copies)
    assert not [*dog._disagrees(found, 1.0), *dog._disagrees(found, 2.0)]
    copies["XBOS"].positions["AAA"] = -4
    wrong = [*dog._disagrees(found, 3.0)]
    assert wrong == ["for 1,000 ms: XBOS: the venue says -4 AAA, the runner -5"]
    copies["XNAS"].positions["AAA"] = 4  # on its way, for a moment
    wrong = [*dog._disagrees(found, 3.05)]
    assert wrong == ["for 1,050 ms: XBOS: the venue says -4 AAA, the runner -5"]
    copies["XNAS"].positions["AAA"], copies["XBOS"].positions["AAA"] = 4, -5
    assert not [*dog._disagrees(found, 3.06)], "each symbol has a time of its own"
    copies["XNAS"].positions["AAA"] = 5
    swapped = dict(zip(copies, reversed(copies.values()), strict=True))
    dog = Watchdog(Path(), Rules(mismatch_ms=100.0), print, swapped)
    assert [*dog._disagrees(found, 3.0), *dog._disagrees(found, 4.0)]


def test_a_drop_copy_that_is_refused_halts(floor, trial, socket):
    kennel = Kennel(floor, socket, Rules(**FAR, mismatch_ms=300.0), copied(floor, "nobody"))
    floor.until(lambda: kennel.has("halting"), 60)
    why = dict(kennel.said)["halting"]["why"]
    assert "refuses the login" in why or "hung up" in why
    kennel.leave()


def test_differences_are_told_by_symbol():
    rows = [{"symbol": "A", "quantity": 3.0}, {"symbol": "A", "quantity": -1.0}]
    assert not differences({"A": 2, "B": 0}, rows)
    assert differences({"A": 2, "B": -5}, rows) == {"B": "the venue says -5 B, the runner 0"}
    assert differences({}, rows) == {"A": "the venue says 0 A, the runner 2"}


def rows(**more: Any) -> dict[str, Any]:
    one = {"quantity": 100.0, "bid": 9.0, "ask": 11.0, "symbol": "AAA", "multiplier": 2.0}
    counts = {"commands": 0, "refused": 0, "rejected": 0}
    held, clock = [one | {"profit": -500.0} | more], {"step_us_max": -50_000.0}
    return {"time_ns": 10**9, "positions": held, "counts": counts, "clock": clock}


@pytest.mark.parametrize(
    ("rule", "value"),
    [("loss_money", 500.0), ("gross_money", 2_000.0), ("position", 100.0), ("clock_step_ms", 50.0)],
)
def test_a_rule_holds_at_its_figure_and_not_beyond(rule, value):
    assert not list(broken(Rules(**{rule: value}), rows(), {}))
    assert len(list(broken(Rules(**{rule: value - 0.01}), rows(), {}))) == 1
    assert not list(broken(Rules(), rows(quantity=-1e9, profit=-1e9), {}))


@pytest.mark.parametrize("name", ["commands", "refused", "rejected"])
def test_rates_are_of_what_came_between_two_looks(name):
    before, now = rows(), rows()
    now["time_ns"] = before["time_ns"] + 2 * 10**9
    now["counts"] = before["counts"] | {name: 20}
    assert not list(broken(Rules(**{f"{name}_per_second": 10}), now, before))
    (why,) = broken(Rules(**{f"{name}_per_second": 9}), now, before)
    assert why == f"20 {name} in 2.00 s, the rule is 9 a second"
    assert not list(broken(Rules(**{f"{name}_per_second": 9}), now, {}))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("loss_mony = 3", "There is no rule 'loss_mony'"),
        ("loss_money = 0", "loss_money cannot be 0"),
        ("loss_money = nan", "loss_money cannot be nan"),
        ("loss_money = true", "loss_money cannot be True"),
        ('loss_money = "3"', "loss_money cannot be '3'"),
        ("loss_money", "These are no rules"),
        ("\xff", "There is no rule|These are no rules"),
    ],
)
def test_rules_that_are_none_are_refused(tmp_path, text, what):
    (tmp_path / "watch.toml").write_text(text)
    with pytest.raises(InputError, match=what):
        read_rules(tmp_path / "watch.toml")
    with pytest.raises(InputError, match="These are no rules"):
        read_rules(tmp_path / "none.toml")


def test_a_process_that_was_stopped_is_ended(floor, tmp_path, monkeypatch):
    """SIGSTOP: it neither answers nor trades; the watchdog ends it, the venue takes back."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "exchange.json").write_text(json.dumps(floor.exchange.places) + "\n")
    (tmp_path / "watch.toml").write_text("silence_ms = 300\nheartbeat_ms = 10_000\n")
    program = [sys.executable, "-c", "from hftlib.cli import main; main()"]
    given = ["live", "QueueImbalance", "--exchange", "exchange.json", "--journal", "day.journal"]
    with subprocess.Popen(
        [*program, *given, "--json"], cwd=tmp_path, stdout=subprocess.PIPE
    ) as runner:
        try:
            before = floor.exchange.counts["heard"]
            floor.until(lambda: floor.exchange.counts["heard"] > before, 600)
            assert runner.stdout is not None and json.loads(runner.stdout.readline())
            trade(floor, 3)
            with subprocess.Popen(
                [*program, "watchdog", "watch.toml", "--json"],
                cwd=tmp_path, stdout=subprocess.PIPE, text=True,
            ) as dog:  # fmt: skip
                assert dog.stdout is not None
                assert json.loads(dog.stdout.readline())["process"] == runner.pid
                os.kill(runner.pid, signal.SIGSTOP)
                told = json.loads(dog.stdout.readline())
                assert told["what"] == "ended" and "has not answered" in told["why"]
                assert dog.wait(20) == 1
            assert runner.wait(20) == -signal.SIGKILL
        finally:
            runner.kill()
    again = replay(tmp_path / "day.journal", laid)
    assert again.is_identical, again.difference


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_runner_that_ends_politely_is_not_ended_but_heard_to_its_end(
    floor, tmp_path, monkeypatch, how
):
    """It takes its orders back first, and answers meanwhile; whoever watches hears that it ends."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "exchange.json").write_text(json.dumps(floor.exchange.places) + "\n")
    (tmp_path / "watch.toml").write_text("silence_ms = 2_000\nheartbeat_ms = 10_000\n")
    program = [sys.executable, "-c", "from hftlib.cli import main; main()"]
    given = ["live", "QueueImbalance", "--exchange", "exchange.json", "--journal", "day.journal"]
    runner = subprocess.Popen([*program, *given, "--json"], cwd=tmp_path, stdout=subprocess.PIPE)
    dog = None
    try:
        before = floor.exchange.counts["heard"]
        floor.until(lambda: floor.exchange.counts["heard"] > before, 600)
        assert runner.stdout is not None
        path = Path(json.loads(runner.stdout.readline())["control"])
        trade(floor, 3)
        dog = subprocess.Popen(
            [*program, "watchdog", "watch.toml", "--json"],
            cwd=tmp_path, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert dog.stdout is not None
        assert json.loads(dog.stdout.readline())["process"] == runner.pid
        looked = time.monotonic() + 1.0  # ten looks
        floor.until(lambda: time.monotonic() > looked)
        while told(path, {"do": "status"}, "runner")["open_orders"] == 0:
            trade(floor, 1)
        runner.send_signal(how)
        heard = select.select([dog.stdout], [], [], 0.4)[0]  # nobody at the exchange answers now
        assert not heard, dog.stdout.readline()
        assert runner.poll() is None, "its orders stand, and somebody looks"
        floor.until(lambda: runner.poll() is not None, 60)
        said = json.loads(dog.stdout.readline())
        assert (said["what"], said["why"]) == ("over", "it trades no more: it was told to end")
        assert dog.wait(20) == 0 and runner.returncode in (0, 128 + how)
    finally:
        for one in (runner, dog):
            if one is not None:
                one.kill()
                one.wait()
    again = replay(tmp_path / "day.journal", laid)
    assert again.is_identical, again.difference
    *_, last = frames(tmp_path / "day.journal")
    assert last.kind == CLOSED
