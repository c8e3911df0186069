"""A champion is watched: what breaks its policy is halted and rolled back, and nothing else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from typing import ClassVar

import pytest
from floor_desk import Floor
from floor_trial import killed, trade
from rollout_days import DIGEST, IDEA, OfRelease, begun_day, opened
from typer.testing import CliRunner
from watched_shelf import NAME, Shelf

from hftlib.cli import app
from hftlib.core.control.serving import Control
from hftlib.core.errors import InputError, StateError
from hftlib.core.release.rollout_policy import Breach
from hftlib.engine.live.replaying import replay
from hftlib.ops.launching import laid
from hftlib.ops.obeying import obey
from hftlib.ops.page import Page
from hftlib.ops.page_reading import page_path
from hftlib.ops.status import status
from hftlib.promote.rollout.breaches import Breaches
from hftlib.promote.rollout.watching import RolloutWatch, last_words

RUNNER = CliRunner()
PROGRAM = "from hftlib.cli import main; main()"
PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def floor():
    with opened(Floor(clock={"pace": "wall"})) as made:
        yield made


@pytest.fixture(scope="module")
def idea(tmp_path_factory):
    file = tmp_path_factory.mktemp("idea") / "leaner.py"
    file.write_text(IDEA)
    return f"{file}:Leaner"


class Loser(OfRelease):
    """Each share that it takes or gives costs more than it can earn."""

    fees: ClassVar[dict[str, str]] = {"maker_per_unit": "3", "taker_per_unit": "3"}


class Desk:
    """A champion's runner on the floor, its control socket, and a watch in a process of its own."""

    def __init__(self, floor, folder, idea, breach, before=True):
        self.floor, self.folder = floor, folder
        self.shelf = Shelf(folder, breach, before)
        release = self.shelf.champion
        said = {"name": NAME, "serial": release.manifest.serial, "digest": release.digest}
        self.trial = begun_day(floor, folder / "day.journal", idea, "paper", Loser, **said)
        self.socket = folder / "runner.socket"
        self.control = Control(self.socket, partial(obey, self.trial.runner))
        floor.others.append(self)

    def turn(self):
        self.control.poll()

    def watched(self, *more):
        words = self.shelf.words_of("--socket", self.socket, "--no-switch", *more)
        self.out = self.folder / "watch.out"
        with self.out.open("wb") as out, (self.folder / "watch.errors").open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, *words],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
                env={**os.environ, "XDG_RUNTIME_DIR": str(self.folder)},
            )
        self.floor.until(lambda: self.has("watching") or self.process.poll() is not None, 60)
        assert self.process.poll() is None, (self.folder / "watch.errors").read_text()
        return self

    @property
    def told(self):
        lines = self.out.read_text().splitlines(keepends=True)
        return [json.loads(one) for one in lines if one.endswith("\n")]

    def has(self, what):
        return any(one["what"] == what for one in self.told)

    def ended(self):
        """Its exit code, once it is over."""
        self.floor.until(lambda: self.process.poll() is not None, PATIENCE_S)
        return self.process.returncode

    def close(self):
        """Its day ends, and its socket with it, as of a process that leaves."""
        for one in (self, self.trial):
            if one in self.floor.others:
                self.floor.others.remove(one)
        if not self.trial.runner._is_over:
            self.trial.runner.stop()
        self.control.close()


@pytest.fixture
def desk(floor, tmp_path, idea):
    made = []

    def one(breach, **more):
        made.append(Desk(floor, tmp_path, idea, breach, **more))
        return made[-1]

    yield one
    for each in made:
        if getattr(each, "process", None) is not None and each.process.poll() is None:
            each.process.kill()
            each.process.wait()
        each.close()


def test_a_champion_that_loses_too_much_is_halted_and_rolled_back(desk, floor):
    one = desk("loss_money = 0.01").watched()
    champion, before = one.shelf.champion, one.shelf.releases[0]
    trade(floor, 400, lambda: one.has("rolled back"))
    assert one.ended() == 1
    words = [told["what"] for told in one.told]
    assert words == ["watching", "breach", "halted", "rolled back"], one.told
    assert "it has lost" in one.told[1]["why"] and "the rule is 0.01" in one.told[1]["why"]
    assert one.told[3]["to"] == before.name
    log = one.shelf.log
    assert log.at("champion").digest == before.digest != champion.digest
    step = log.steps[-1]
    assert (step.what, step.by) == ("rolled back", "ann") and "it has lost" in step.why
    found = status(one.trial.runner)
    assert found["scopes"][0]["state"] == "halted"
    floor.until(lambda: one.trial.runner.open_orders == 0)
    sent = one.trial.counts("commands")
    trade(floor, 5)
    assert one.trial.counts("commands") == sent, "nothing more goes out"
    again = RUNNER.invoke(app, one.shelf.words_of("--control", str(one.socket)))
    assert again.exit_code == 1 or isinstance(again.exception, Exception)
    assert len(one.shelf.log.steps) == len(log.steps), "it is never rolled back twice"
    one.close()
    told = replay(one.trial.folder, laid)
    assert told.is_identical, told.difference


def test_a_champion_within_its_policy_is_left_alone_and_its_day_may_end(desk, floor):
    rules = "loss_money = 1e9\nrefused_per_second = 1e6\nrejected_per_second = 1e6"
    rules += "\nlatency_p99_us = 1e9\nstale_ms = 60_000\nsilence_ms = 20_000"
    one = desk(rules).watched()
    trade(floor, 20)
    steps = len(one.shelf.log.steps)
    one.close()
    end = time.monotonic() + PATIENCE_S
    while one.process.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    assert one.process.returncode == 0
    assert [told["what"] for told in one.told] == ["watching", "over"], one.told
    assert one.told[1]["why"] == "its day has ended"
    assert len(one.shelf.log.steps) == steps and last_words(one.trial.folder)["why"] == ""


SILENT = """
import socket, sys
own = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
own.bind(sys.argv[1])
own.listen(8)
print("there", flush=True)
kept = [own.accept()[0] for _ in range(1_000)]
"""


@pytest.mark.parametrize("is_gone", [False, True])
def test_who_is_silent_in_mid_day_is_ended_and_rolled_back_once(desk, floor, tmp_path, is_gone):
    one = desk("silence_ms = 300\nloss_money = 1")
    cut = killed(one.trial)
    path, said, back = tmp_path / "silent.socket", [], []
    child = subprocess.Popen([sys.executable, "-c", SILENT, str(path)], stdout=subprocess.PIPE)
    assert child.stdout.readline() == b"there\n"
    digest, breach = one.shelf.champion.digest, Breach(silence_ms=300)

    def hear(what, more):
        said.append((what, more))

    beside = RolloutWatch(path, cut, digest, breach, lambda *told: back.append(told), hear)
    beside.begin()
    if is_gone:
        child.kill()
        child.wait()
    end = time.monotonic() + PATIENCE_S
    while not beside.over and time.monotonic() < end:
        beside.step()
    assert child.wait(PATIENCE_S) == -signal.SIGKILL
    words = [what for what, _ in said]
    assert words == ["watching", "breach", "gone" if is_gone else "ended"], said
    ((why, alive),) = back
    assert "it has not answered for" in why and "the rule is 300" in why and not alive
    assert beside.has_acted and last_words(cut) is None


class Paged(Loser):
    """And it has a page, as `hft live` gives each runner one."""

    def __init__(self, floor, folder, *given, **release):
        super().__init__(floor, folder, *given, **release)
        self.page = Page(self.runner, page_path(folder.with_name("runner.socket")))

    def close(self):
        super().close()
        self.page.remove()


def test_while_nobody_answers_its_page_says_how_it_stands(floor, tmp_path, idea):
    trial = begun_day(floor, tmp_path / "day.journal", idea, "paper", Paged)
    control, said = Control(tmp_path / "runner.socket", partial(obey, trial.runner)), []
    try:
        breach = Breach(silence_ms=600_000, loss_money=1e9, latency_p99_us=1e9)
        place = tmp_path / "runner.socket"
        beside = RolloutWatch(
            place, trial.folder, DIGEST, breach, lambda *_: None, lambda *told: said.append(told)
        )
        beside.begin()
        fills = trial.counts("reports")
        trade(floor, 40, lambda: trial.counts("reports") > fills)
        floor.until(lambda: beside._look()["counts"]["reports"] > fills)
        for _ in range(3):
            beside.step()
        assert not beside.over and [what for what, _ in said] == ["watching"]
        assert beside._look()["pid"] == os.getpid()
    finally:
        control.close()
        floor.others.remove(trial)
        trial.close()


def test_one_who_was_quicker_is_not_overtaken(desk, floor):
    from hftlib.promote.rollout.steps import roll_back

    one = desk("loss_money = 0.01").watched()
    shelf = one.shelf
    roll_back(shelf.place, NAME, shelf.people["bea"], shelf.trusted, "I saw it", stage="champion")
    steps = len(shelf.log.steps)
    trade(floor, 400, lambda: one.has("halted"))
    assert one.ended() == 1
    assert one.told[-1]["what"] == "not rolled back"
    assert one.told[-1]["why"] == f"the champion is {shelf.releases[0].name} by now"
    assert len(shelf.log.steps) == steps


def test_without_a_champion_before_the_stage_is_given_up(desk, floor):
    one = desk("refused_per_second = 1_000\nloss_money = 0.01", before=False).watched()
    trade(floor, 400, lambda: one.has("rolled back"))
    assert one.ended() == 1
    assert one.told[-1] == {
        "what": "rolled back",
        "to": "nothing: there is none before",
        "step": len(one.shelf.log.steps),
    }
    assert one.shelf.log.at("champion") is None


def test_who_is_not_to_roll_back_only_halts(desk, floor):
    one = desk("loss_money = 0.01")
    one.shelf.words_of = _only_halts(one.shelf)
    one.watched()
    steps = len(one.shelf.log.steps)
    trade(floor, 400, lambda: one.has("halted"))
    assert one.ended() == 1 and "no key was given" in one.told[-1]["why"]
    assert len(one.shelf.log.steps) == steps
    assert status(one.trial.runner)["scopes"][0]["state"] == "halted"


def _only_halts(shelf):
    given = ["rollout", "watch", NAME, "--shelf", shelf.place, "--trusted", shelf.keys]
    return lambda *more: [str(one) for one in [*given, "--halt-only", "--json", *more]]


def test_what_is_asked_for_and_wrong_is_refused_before_it_watches(desk, floor, tmp_path):
    one = desk("loss_money = 1")

    def refused(*words, kind=InputError):
        with pytest.raises(kind) as caught:
            RUNNER.invoke(app, list(map(str, words)), catch_exceptions=False)
        return str(caught.value)

    bare = ["rollout", "watch", NAME, "--shelf", one.shelf.place, "--trusted", one.shelf.keys]
    assert "Nobody signs the rollback" in refused(*bare, "--control", one.socket)
    both = one.shelf.words_of("--socket", one.socket, "--halt-only")
    assert "no key signs" in refused(*both)
    nobody = tmp_path / "none.socket"
    assert "No runner listens there" in refused(
        *one.shelf.words_of("--control", nobody), kind=StateError
    )
    unknown = [word if word != NAME else "taker" for word in bare]
    assert "Nothing of taker is champion" in refused(*unknown, "--halt-only", kind=StateError)


def found(**more):
    one = {"symbol": "AAA", "quantity": 1.0, "bid": 9.0, "ask": 11.0, "profit": -5.0}
    counts = {"commands": 10, "refused": 0, "rejected": 0}
    told = {"time_ns": 10**9, "positions": [one], "counts": counts}
    told["feeds"] = [{"state": "LIVE"}]
    told["latencies_ns"] = {"frame to wire": {"count": 100, "p99": 50_000}}
    return told | more


def test_a_figure_at_its_rule_holds_and_beyond_it_does_not():
    for rule, at in (("loss_money", 5.0), ("latency_p99_us", 50.0)):
        assert Breaches(Breach(**{rule: at})).look(found(), 1.0) == ([], {})
        (why,), untold = Breaches(Breach(**{rule: at - 0.1})).look(found(), 1.0)
        assert "the rule is" in why and not untold


@pytest.mark.parametrize("name", ["refused", "rejected"])
def test_rates_are_of_what_came_between_two_looks(name):
    rules = Breaches(Breach(**{f"{name}_per_second": 10}))
    assert rules.look(found(), 1.0) == ([], {}), "of one look there is no rate"
    later = found(time_ns=3 * 10**9, counts=found()["counts"] | {name: 21})
    (why,), _ = rules.look(later, 3.0)
    assert why == f"21 {name} in 2.00 s, the rule is 10 a second"


def test_a_feed_is_stale_once_it_was_not_live_for_so_long():
    rules = Breaches(Breach(stale_ms=100))
    assert rules.look(found(), 1.0) == ([], {})
    late = found(feeds=[{"state": "STALE"}])
    assert rules.look(late, 1.05) == ([], {})
    assert rules.look(late, 1.2)[0] == ["feed 1 is STALE for 200 ms"]
    assert rules.look(found(), 1.3) == ([], {})


@pytest.mark.parametrize(
    ("rule", "lacks"),
    [
        ("loss_money", "positions"),
        ("refused_per_second", "counts"),
        ("rejected_per_second", "counts"),
        ("latency_p99_us", "latencies_ns"),
        ("stale_ms", "feeds"),
    ],
)
def test_a_status_that_lacks_a_figure_is_no_breach_and_that_is_said(rule, lacks):
    rules = Breaches(Breach(**{rule: 1e-9}))
    less = {name: value for name, value in found().items() if name != lacks}
    for told in (less, found(**{lacks: None}), less):
        wrong, untold = rules.look(told, 1.0)
        assert not wrong and list(untold) == [rule] and "does not say" in untold[rule]


def test_a_position_without_a_price_is_said_and_no_loss():
    dark = found()["positions"][0] | {"profit": None, "bid": None, "ask": None}
    wrong, untold = Breaches(Breach(loss_money=1)).look(found(positions=[dark]), 1.0)
    assert not wrong and untold == {"loss_money": "AAA have no price"}


def test_too_few_frames_are_not_slow_yet():
    few = {"frame to wire": {"count": 3, "p99": 10**9}}
    assert Breaches(Breach(latency_p99_us=1)).look(found(latencies_ns=few), 1.0) == ([], {})
