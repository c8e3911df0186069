"""Modes of a runner: what each may begin with, what a canary makes smaller, where they stand."""

import json
import os
import pty
import select
import subprocess
import sys
import time

import numpy as np
import pytest
from floor_trial import trade
from typer.testing import CliRunner

import hftlib as hft
from hftlib.cli import app
from hftlib.core.errors import InputError
from hftlib.core.journal import kinds
from hftlib.core.journal.reading import frames
from hftlib.engine.live.replaying import about, replay
from hftlib.ops.beginning import Given, resumed
from hftlib.ops.launching import described, laid
from hftlib.ops.modes import MODES, Mode, mode_text, scaled_lines

PROGRAM = "from hftlib.cli import main; main()"
LIMITS = """
[instrument."*"]
position_lots = 2_005
order_value_money = 100_000.05
messages = 500

[strategy.QueueImbalance]
daily_loss_money = 1_000

[firm]
gross_exposure_money = 1_000_000
collar_bps = 50

[launch]
instruments = ["AAA", "BBB"]
position_lots = 5_000
"""


@pytest.fixture
def places():
    """As `hft exchange --json` says it, with nobody behind it."""
    names = ("order_entry", "line_a", "line_b", "recovery")
    told = {name: ["127.0.0.1", 1] for name in names}
    told |= {"simulator": True, "session": "S1", "midnight_ns": 10**18}
    return told | {"ticks": {"AAA": 100, "BBB": 100}}


@pytest.fixture
def limits(tmp_path):
    file = tmp_path / "limits.toml"
    file.write_text(LIMITS)
    return file


def real(places):
    return {name: one for name, one in places.items() if name != "simulator"}


def test_paper_is_on_what_says_that_it_is_a_simulator(places, floor):
    assert floor.exchange.places["simulator"] is True
    assert described(["QueueImbalance"], places, user="frm1a")["mode"] == "paper"
    for told in (real(places), places | {"simulator": "yes"}, places | {"simulator": 1}):
        with pytest.raises(InputError, match=r"does not say that it is a simulator.*--mode shadow"):
            described(["QueueImbalance"], told, user="frm1a")
    for mode in MODES:
        if mode != "paper":
            made = Mode(mode, share=0.5 if mode == "canary" else None)
            assert described(["QueueImbalance"], real(places), user="frm1a", mode=made)


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"name": "wire"}, "'wire' is no mode.*Use shadow, paper, canary, live"),
        ({"name": "paper", "latency_us": 5.0}, "--latency-us is of the mode shadow, not of paper"),
        ({"name": "live", "share": 0.1}, "--share is of the mode canary, not of live"),
        ({"name": "shadow", "scale": ("clip",)}, "--scale is of the mode canary, not of shadow"),
        ({"name": "canary"}, "A canary is given no share.*Give --share 0.1"),
        *(
            ({"name": "canary", "share": share}, "which is no share")
            for share in (0.0, 1.0, -0.1, 2.0, float("nan"))
        ),
    ],
)
def test_what_is_no_mode_or_of_another_is_refused(given, match):
    with pytest.raises(InputError, match=match):
        Mode(**given)


def test_a_canary_makes_clips_and_limits_smaller_and_says_so(places, limits):
    told = described(
        ["QueueImbalance"], places, user="frm1a", params={"clip": 1055}, limits=limits,
        mode=Mode("canary", share=0.1),
    )  # fmt: skip
    assert told["strategies"][0]["params"] == {"clip": 105}
    scaled = {one["what"]: (one["from"], one["to"]) for one in told["canary"]["scaled"]}
    assert scaled == {
        "QueueImbalance.clip": (1055, 105),
        "instrument position_lots": ("2,005", "200"),
        "instrument order_value_money": ("100,000.05", "10,000.005"),
        "strategy QueueImbalance daily_loss_money": ("1,000", "100"),
        "firm gross_exposure_money": ("1,000,000", "100,000"),
        "launch position_lots": ("5,000", "500"),
    }
    assert told["canary"]["share"] == 0.1 and mode_text(told) == "canary of 0.1"
    lines = scaled_lines(told)
    assert len(lines) == 1 + len(scaled) and "1055 -> 105" in lines[1]
    session = laid(told).session
    seat = session.seats[0]
    assert seat.strategy.parameters["clip"] == 105
    from pathlib import Path

    from hftlib.risk.limits_file import limits_of

    held = limits_of(told["limits"], Path("the journal"))
    assert held.of_instrument("AAA")["position_lots"] == 200
    assert held.of_instrument("AAA")["messages"] == 500, "no size"
    assert held.of_instrument("AAA")["order_value_money"] == 100_000_050
    assert held.firm == {"gross_exposure_money": 10**9, "collar_bps": 50}
    assert held.launch["position_lots"] == 500


def test_a_share_is_rounded_down_without_a_float_in_between(places):
    for share, clip, wanted in ((0.1, 10, 1), (0.29, 100, 29), (0.07, 100, 7), (0.999, 1000, 999)):
        told = described(
            ["QueueImbalance"], places, user="frm1a", params={"clip": clip},
            mode=Mode("canary", share=share),
        )  # fmt: skip
        assert told["strategies"][0]["params"]["clip"] == wanted
        assert told["limits"] == "", "nobody gave any"


IDEA = '''
import hftlib as hft


@hft.strategy
class Idea:
    """Sizes of several sorts."""

    clip: int = hft.param(100, low=40)
    lot: int = hft.param(100, choices=(10, 25, 100))
    weight: float = hft.param(1.0, low=0.0)

    def on_book(self, ctx, i):
        ctx.quote(i, bid=0.0, ask=0.0, quantity=self.clip)
'''


def test_what_would_come_to_nothing_is_refused(places, tmp_path):
    file = tmp_path / "ideas.py"
    file.write_text(IDEA)
    named = f"{file}:Idea"

    def canary(share, *scale, **params):
        mode = Mode("canary", share=share, scale=scale)
        return described([named], places, user="frm1a", params=params, mode=mode)

    params = canary(0.4, "clip", "lot", "weight")["strategies"][0]["params"]
    assert params == {"clip": 40, "lot": 25, "weight": 0.4}
    with pytest.raises(InputError, match=r"Idea.clip = 100 times 0.39 is below its low, 40"):
        canary(0.39)
    with pytest.raises(InputError, match=r"Idea.lot = 100 times 0.09 is nothing"):
        canary(0.09, "lot")
    with pytest.raises(InputError, match=r"Idea has no parameter size.*of clip, lot, weight"):
        canary(0.5, "size")
    small, halved = tmp_path / "limits.toml", Mode("canary", share=0.1, scale=["lot"])
    small.write_text("[firm]\nposition_lots = 9\n")
    with pytest.raises(InputError, match="The limit firm position_lots 9 would be nothing"):
        described(
            [named],
            places,
            user="frm1a",
            limits=small,
            mode=Mode("canary", share=0.1, scale=["lot"]),
        )
    small.write_text("[firm]\nposition_lots = 0\n")
    told = described([named], places, user="frm1a", limits=small, mode=halved)
    assert "position_lots = 0" in told["limits"], "nothing stays nothing"


def test_who_sends_says_limits_and_means_it(places, limits):
    said = []

    def answers(word):
        def ask(question):
            said.append(question)
            return word

        return ask

    live, canary = Mode("live"), Mode("canary", share=0.5)
    for mode in (live, canary):
        with pytest.raises(InputError, match=f"No limits are given for the mode {mode.name}"):
            mode.require_consent(real(places), None, True)
        with pytest.raises(InputError, match=r"Nobody is at a terminal.*Give --yes"):
            mode.require_consent(real(places), limits, False, None)
        for word in ("", "yes", mode.name.upper(), f" {mode.name}"):
            with pytest.raises(InputError, match="so nothing was begun"):
                mode.require_consent(real(places), limits, False, answers(word))
        mode.require_consent(real(places), limits, False, answers(mode.name))
        mode.require_consent(real(places), limits, True, None)
        assert f"Type {mode.name} to go on" in said[-1]
    with pytest.raises(InputError, match="No limits"):
        live.require_consent(places, None, True)
    canary.require_consent(places, None, False, None)  # a simulator is nobody's venue
    for name in ("shadow", "paper"):
        Mode(name).require_consent(real(places), None, False, None)


def command(folder, *words):
    given = ["live", "QueueImbalance", "--exchange", "exchange.json", "--journal", "day.journal"]
    return [sys.executable, "-c", PROGRAM, *given, *words]


def test_the_command_refuses_before_anybody_waits(places, limits, tmp_path):
    (tmp_path / "exchange.json").write_text(json.dumps(real(places)) + "\n")
    for words, match in (
        (["--mode", "live"], "No limits are given for the mode live"),
        (["--mode", "live", "--limits", str(limits)], "Nobody is at a terminal"),
        (["--mode", "canary"], "no share"),
        (["--mode", "demo"], "is no mode"),
    ):
        done = subprocess.run(
            command(tmp_path, *words), cwd=tmp_path, capture_output=True, text=True, timeout=120,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        assert done.returncode != 0 and match in done.stderr, done
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "day.journal").exists()


def test_on_a_terminal_the_name_of_the_mode_is_typed(places, limits, tmp_path):
    (tmp_path / "exchange.json").write_text(json.dumps(real(places)) + "\n")
    ours, theirs = pty.openpty()

    def hears(word):
        heard, end = b"", time.monotonic() + 60
        while word not in heard and time.monotonic() < end:
            if select.select([ours], [], [], 0.1)[0]:
                heard += os.read(ours, 1 << 12)
        return heard

    with subprocess.Popen(
        command(tmp_path, "--mode", "live", "--limits", str(limits)),
        cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=theirs,
    ) as process:  # fmt: skip
        try:
            assert b"Type live to go on" in hears(b"to go on: ")
            os.write(ours, b"love\n")
            assert b"'love' is not live" in hears(b"is not live")
            assert process.wait(60) != 0
        finally:
            process.kill()
    for one in (ours, theirs):
        os.close(one)
    assert not (tmp_path / "day.journal").exists()


def test_a_day_in_shadow_by_command_and_what_it_says_of_itself(floor, tmp_path, monkeypatch):
    """Nothing of an exchange but its feed: not even that it is a simulator."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "exchange.json").write_text(json.dumps(real(floor.exchange.places)) + "\n")
    trade(floor, 1)
    heard = floor.exchange.counts["heard"]
    words = ["--mode", "shadow", "--latency-us", "25", "--json"]
    folder = tmp_path / "day.journal"

    def has_traded():
        time.sleep(0.02)
        return sum(frame.kind == kinds.SHADOW for frame in frames(folder)) > 20

    with subprocess.Popen(
        command(tmp_path, *words), cwd=tmp_path, stdout=subprocess.PIPE
    ) as process:
        try:
            floor.until(folder.exists, 600)
            assert process.stdout is not None
            began = json.loads(process.stdout.readline())
            assert began["mode"] == "shadow" and began["shadow"]["order_ns"] == 25_000
            trade(floor, 2_000, has_traded)
        finally:
            process.kill()
    resume = ["live", "--resume", "--exchange", "exchange.json", "--journal", "day.journal"]
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *resume, "--seconds", "2", "--json"],
        cwd=tmp_path, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            floor.until(lambda: process.poll() is not None, 600)
            assert process.stdout is not None
            said = process.stdout.read().decode()
        finally:
            process.kill()
    assert process.returncode == 0 and '"recovery": "goes on: ' in said
    assert json.loads(said.splitlines()[-1])["mode"] == "shadow"
    assert floor.exchange.counts["heard"] == heard + 3 * (floor.moves - 1), "the maker's alone"
    told = replay(folder, laid)
    assert told.is_identical, told.difference
    shown = CliRunner().invoke(app, ["journal", "ls", str(folder)])
    assert "shadow" in shown.stdout
    assert about(folder)["mode"] == "shadow"
    tapes = {}
    for clock in ("", "ours", "venue"):
        words = ["journal", "export", str(folder), "--tape", str(tmp_path / f"{clock}.tape")]
        done = CliRunner().invoke(app, [*words, *(["--clock", clock] if clock else [])])
        assert done.exit_code == 0, done
        tapes[clock] = np.concatenate(list(hft.open_tape(tmp_path / f"{clock}.tape").chunks()))
    assert (tapes[""] == tapes["ours"]).all() and len(tapes[""]) == len(tapes["venue"]) > 20
    assert (tapes["ours"]["time"] >= tapes["ours"]["received"]).all(), "some waited for a gap"
    assert (tapes["venue"]["time"] != tapes["venue"]["received"]).any()
    done = CliRunner().invoke(app, [*words[:-1], str(tmp_path / "x.tape"), "--clock", "mine"])
    assert isinstance(done.exception, InputError) and "'mine' is no clock" in str(done.exception)
    shown = CliRunner().invoke(app, ["journal", "show", str(folder), "--kind", "SHADOW", "-n", "5"])
    assert "SHADOW" in shown.stdout and "piece=command" in shown.stdout


def test_a_day_keeps_its_mode(floor, tmp_path):
    from floor_trial import Trial

    folder = tmp_path / "day.journal"
    trial = Trial(floor, folder, mode=Mode("shadow"))
    trial.runner.stop()
    given = Given([], [], None, "", {"HFTX": "frm1a"})
    assert resumed(given, folder, print)
    assert resumed(Given([], [], None, "", {"HFTX": "frm1a"}, mode="shadow"), folder, print)
    for other in ({"mode": "paper"}, {"mode": "live"}, {"latency_us": 5.0}, {"share": 0.5}):
        with pytest.raises(InputError, match="was begun in the mode shadow, and keeps it"):
            resumed(Given([], [], None, "", {"HFTX": "frm1a"}, **other), folder, print)
