"""A runner is told things through its control socket: they are done, journaled, and replayed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from typing import Any

import pytest
from floor_trial import trade
from typer.testing import CliRunner

from hftlib.cli import app
from hftlib.core.control.asking import told
from hftlib.core.errors import InputError, StateError
from hftlib.core.journal import kinds
from hftlib.core.journal.reading import frames
from hftlib.engine.live.decoding import Decoder
from hftlib.engine.live.replaying import replay
from hftlib.ops.launching import laid
from hftlib.ops.obeying import obey
from hftlib.ops.showing import status_table, worries
from hftlib.ops.status import status
from hftlib.risk.directives import DIRECTIVE

WHO = {"who": "ann", "why": "to see"}


def asked(floor: Any, do: Any) -> Any:
    """What `do` answers from another thread, while the floor goes on."""
    found: list[Any] = []

    def ask() -> None:
        try:
            found.append(do())
        except Exception as error:
            found.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    floor.until(lambda: found, 60)
    thread.join()
    if isinstance(found[0], Exception):
        raise found[0]
    return found[0]


def say(floor: Any, path: Any, **said: Any) -> Any:
    return asked(floor, lambda: told(path, said, "runner"))


def test_paused_it_takes_its_orders_back_and_resumed_it_trades_again(floor, trial, socket):
    trade(floor, 5)
    name = trial.runner.live.session.names[0]
    scope = f"strategy:{name}"
    answer = say(floor, socket, do="halt", scope=scope, **WHO)
    assert answer["told"] == "halt" and answer["heard_us"] >= 0
    floor.until(lambda: trial.runner.open_orders == 0)
    before = trial.counts("commands")
    trade(floor, 5)
    assert trial.counts("commands") == before
    found = say(floor, socket, do="status")
    assert {one["scope"]: one["state"] for one in found["scopes"]}[scope] == "halted"
    assert f"{scope} is halted: a person" in " ".join(worries(found))
    with pytest.raises(InputError, match="Risk refuses: this role may not do it"):
        say(floor, socket, do="lift", scope=scope, role="trader", **WHO)
    trade(floor, 2)
    assert trial.counts("commands") == before
    say(floor, socket, do="lift", scope=scope, role="risk", **WHO)
    trade(floor, 5)
    floor.until(lambda: trial.counts("commands") > before)
    assert not worries(say(floor, socket, do="status"))
    trial.runner.stop()
    rows = [one for one in frames(trial.folder) if one.kind == kinds.DIRECTIVE]
    who = [bytes(one.payload).find(b"ann") == DIRECTIVE.fields["who"][1] for one in rows]
    assert who == [True, True, True], "who said it is in the journal"
    again = replay(trial.folder, laid)
    assert again.is_identical, again.difference


def test_the_firm_is_lifted_by_two_only(floor, trial, socket):
    trade(floor, 2)
    say(floor, socket, do="halt", scope="firm", **WHO)
    with pytest.raises(InputError, match="it takes two people"):
        say(floor, socket, do="lift", scope="firm", role="risk", **WHO)
    with pytest.raises(InputError, match="are one"):
        say(floor, socket, do="lift", scope="firm", role="risk", second="Ann", **WHO)
    say(floor, socket, do="lift", scope="firm", role="risk", second="bob", **WHO)
    assert not worries(say(floor, socket, do="status"))


def test_a_limit_is_set_while_it_trades(floor, trial, socket):
    trade(floor, 5)
    name = f"strategy:{trial.runner.live.session.names[0]}"
    say(floor, socket, do="limit", scope=name, name="order_quantity_lots", value=1, **WHO)
    before = trial.counts("commands")
    trade(floor, 5)
    told_of = int(trial.runner.live.session.seats[0]["session"]["refused"][0].sum())
    assert told_of > 0 or trial.counts("commands") == before
    with pytest.raises(InputError, match="is not one limit"):
        say(floor, socket, do="limit", scope=name, name="nonsense", value=1, **WHO)


def held(trial):
    return int(trial.runner.live.session.seats[0]["positions"]["quantity"][0])


def test_flattened_it_holds_nothing_and_is_halted(floor, trial, socket):
    trade(floor, 100, until=lambda: abs(held(trial)) >= 100)
    assert held(trial) != 0, "there is something to close"
    scope = f"strategy:{trial.runner.live.session.names[0]}"
    assert say(floor, socket, do="flatten", scope=scope, **WHO)["told"] == "flatten"
    states = lambda: {  # noqa: E731
        one["scope"]: (one["state"], one["why"]) for one in status(trial.runner)["scopes"]
    }
    assert states()[scope] == ("flattening", "positions are being closed")
    maker = floor.maker  # somebody to trade with, on both sides
    for urn, side, price in ((900_001, "B", "98.00"), (900_002, "S", "100.00")):
        maker.enter(urn, side, 5_000, price)
    floor.until(lambda: states()[scope] == ("halted", "positions are being closed"))
    assert held(trial) == 0 and trial.runner.open_orders == 0
    before = trial.counts("commands")
    trade(floor, 3)
    assert trial.counts("commands") == before
    trial.runner.stop()
    again = replay(trial.folder, laid)
    assert again.is_identical, again.difference


def test_a_parameter_is_set_while_it_trades_and_a_replay_sets_it_too(floor, trial, socket):
    trade(floor, 2)
    name = trial.runner.live.session.names[0]
    said = {"do": "param", "scope": f"strategy:{name}", "name": "clip", "role": "risk"} | WHO
    before = status(trial.runner)["strategies"][0]["parameters"]["clip"]
    assert say(floor, socket, value=before + 100, **said)["told"] == "param"
    assert status(trial.runner)["strategies"][0]["parameters"]["clip"] == before + 100
    entered = len(floor.plain("frm1d", "drop_copy").letters("A"))
    trade(floor, 5)
    copy = floor.plain("frm1d", "drop_copy")
    floor.until(lambda: len(copy.letters("A")) > entered)
    floor.until(lambda: any(one.quantity == before + 100 for one in copy.letters("A", "U")))
    for more, words in (
        ({"value": 0}, "below"),
        ({"value": before, "name": "clp"}, "has no parameter"),
        ({"value": before, "role": "trader"}, "Risk refuses: this role may not do it"),
        ({"value": before, "scope": "firm"}, "no strategy here"),
        ({"value": before, "scope": "strategy:Other"}, "no strategy here"),
        ({"value": before, "name": 3}, "has a name"),
    ):
        with pytest.raises(InputError, match=words):
            say(floor, socket, **(said | more))
    assert status(trial.runner)["strategies"][0]["parameters"]["clip"] == before + 100
    trial.runner.stop()
    again = replay(trial.folder, laid)
    assert again.is_identical, again.difference
    decoder = Decoder({"what": "runner"})
    rows = [
        one
        for frame in frames(trial.folder)
        if frame.kind == kinds.DIRECTIVE
        for one in decoder.take(frame)
    ]
    assert (rows[0]["parameter"], rows[0]["value"], rows[0]["who"]) == ("clip", before + 100, "ann")


def test_the_status_is_what_the_venue_says(floor, trial, socket):
    copy = floor.plain("frm1d", "drop_copy")
    trade(floor)
    floor.until(lambda: copy.letters("E"))
    say(floor, socket, do="halt", scope="firm", **WHO)
    floor.until(lambda: trial.runner.open_orders == 0)
    found = say(floor, socket, do="status")
    signs = {"B": 1, "S": -1}
    sides = {one.urn: signs[one.side] for one in copy.letters("A", "U")}
    fills = copy.letters("E")
    held = sum(sides[one.urn] * one.quantity for one in fills)
    paid = float(sum(sides[one.urn] * one.quantity * one.price for one in fills))
    (row,) = [one for one in found["positions"] if one["symbol"] == "AAA"]
    assert row["quantity"] == held and row["fills"] == len(fills)
    middle = (row["bid"] + row["ask"]) / 2 if held else 0.0
    assert row["profit"] == pytest.approx(held * middle - paid)
    assert found["mode"] == "paper" and found["pid"] == os.getpid() and found["is_running"]
    assert [one["state"] for one in (*found["feeds"], *found["links"])] == ["LIVE", "OPEN"]
    json.dumps(found)
    status_table(found)


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ({"do": "dance"}, "'dance' is nothing to do"),
        ({"do": ["halt"]}, "is nothing to do"),
        ({}, "None is nothing to do"),
        ({"do": "status", "more": 1}, "'status' is nothing to do"),
        ({"do": "halt", "scope": "firm", "who": "ann"}, "The why is not said"),
        ({"do": "halt", "scope": "firm", "lime": 1, **WHO}, "There is no 'lime' here"),
        ({"do": "halt", "scope": "planet", **WHO}, "'planet' is no scope"),
        ({"do": "halt", "scope": ["firm"], **WHO}, "is no scope"),
        ({"do": "halt", "scope": "strategy:Nobody", **WHO}, "There is no strategy 'Nobody' here"),
        ({"do": "halt", "scope": "firm", "who": "x" * 40, "why": "y"}, "does not fit"),
        ({"do": "halt", "scope": "firm", "who": 7, "why": "y"}, "does not fit"),
        ({"do": "halt", "scope": "firm", "role": "king", **WHO}, "'king' is no role"),
        ({"do": "halt", "scope": "firm", "role": ["risk"], **WHO}, "is no role"),
        ({"do": "limit", "scope": "firm", "name": "open_orders", "value": "x", **WHO}, "open_o"),
        ({"do": "limit", "scope": "firm", "name": ["a"], "value": 1, **WHO}, "not one limit"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(trial, said, what):
    before = trial.counts("directives")
    with pytest.raises(InputError, match=what):
        obey(trial.runner, said)
    assert trial.counts("directives") == before


def test_a_runner_that_does_not_come_round_is_said_so(trial, monkeypatch):
    monkeypatch.setattr("hftlib.ops.obeying.HEARD_S", 0.05)
    monkeypatch.setattr(trial.runner, "tell", lambda _row: True)  # as if it were never heard
    with pytest.raises(StateError, match="has not heard it within"):
        obey(trial.runner, {"do": "halt", "scope": "firm", **WHO})


def test_after_its_end_nothing_is_told(floor, trial):
    trial.runner.journal._record["failure"] = 1
    trade(floor, 2)
    floor.until(lambda: not trial.runner.is_running)
    with pytest.raises(StateError, match="trades no more"):
        obey(trial.runner, {"do": "halt", "scope": "firm", **WHO})
    assert "the journal takes no more" in status(trial.runner)["why"]


def test_the_commands_reach_the_only_runner(floor, tmp_path, monkeypatch):
    """Another process trades; `hft status`, `pause` and `kill` find it by themselves."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "exchange.json").write_text(json.dumps(floor.exchange.places) + "\n")
    program = "from hftlib.cli import main; main()"
    given = ["live", "QueueImbalance", "--exchange", "exchange.json", "--journal", "day.journal"]
    with subprocess.Popen(
        [sys.executable, "-c", program, *given, "--json"], cwd=tmp_path, stdout=subprocess.PIPE
    ) as process:
        try:
            before = floor.exchange.counts["heard"]
            floor.until(lambda: floor.exchange.counts["heard"] > before, 600)
            assert process.stdout is not None
            began = json.loads(process.stdout.readline())
            assert began["mode"] == "paper" and began["control"].endswith(".socket")
            trade(floor, 5)

            def command(*words: str) -> Any:
                return asked(floor, lambda: CliRunner().invoke(app, words))

            found = json.loads(command("status", "--json").stdout)
            assert found["pid"] == process.pid and found["is_running"]
            shown = command("status")
            assert "paper · running" in shown.stdout and "QueueImbalance" in shown.stdout
            given = ("strategy:QueueImbalance", "--why", "to see", "--json")
            done = command("params", "set", *given, "edge_ticks=2", "--role", "risk")
            assert json.loads(done.stdout)["told"] == "param", done
            refused = command("params", "set", *given, "edge_ticks=-1", "--role", "risk")
            assert isinstance(refused.exception, InputError) and "below" in str(refused.exception)
            done = command("flatten", *given)
            assert json.loads(done.stdout)["told"] == "flatten", done
            shown = command("status").stdout
            assert "positions are being closed" in shown
            done = command("pause", "firm", "--why", "to see", "--who", "ann")
            assert done.stdout.startswith("Told: halt firm, heard after"), done
            assert "halted" in command("status").stdout
            assert command("resume", "firm", "--why", "on").exit_code != 0
            done = command("kill", "--now", "--why", "over")
            assert f"Process {process.pid} is ended" in done.stdout
            assert process.wait(20) == -signal.SIGKILL
            gone = command("status")
            assert isinstance(gone.exception, StateError) and "No runner" in str(gone.exception)
        finally:
            process.kill()
    again = replay(tmp_path / "day.journal", laid)
    assert again.is_identical, again.difference
