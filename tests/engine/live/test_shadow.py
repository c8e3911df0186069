"""A shadow: its fills are a backtest's on its own feed, it replays, no order session is made."""

import json

import numpy as np
import pytest
from floor_desk import Floor
from floor_trial import Resumed, Trial, killed, listened_to, trade

import hftlib as hft
from hftlib.core.errors import InputError
from hftlib.core.journal import kinds, showing
from hftlib.core.journal.reading import frames
from hftlib.core.journal.shadows import pieces_of
from hftlib.engine.live.decoding import Decoder
from hftlib.engine.live.replaying import about, replay
from hftlib.ops.launching import laid
from hftlib.ops.metrics.families import families
from hftlib.ops.modes import Mode
from hftlib.ops.showing import worries
from hftlib.ops.status import status
from hftlib.research.journal_feed import JournalFeed
from hftlib.research.journal_result import journal_result
from hftlib.strategy.files import strategy_named

LATENCY_US = 50.0
# The middle at the venue before a fill is looked up by the tape's time, or is the model's own.
OTHERWISE = {"twice_mid"}
TICKER = '''
from typing import Any

import hftlib as hft


@hft.strategy
class Ticker:
    """Joins a queue, takes, and takes back, on a timer of its own."""

    clip: int = hft.param(10, low=1)
    every: int = hft.param(2_300_000, low=1000, duration=True)
    begun: bool = hft.state()
    turns: int = hft.state()

    def on_book(self, ctx: Any, i: int) -> None:
        if not self.begun and ctx.book(i).has_both:
            self.begun = True
            ctx.timer(self.every, i)

    def on_timer(self, ctx: Any, number: int) -> None:
        b = ctx.book(number)
        self.turns += 1
        ctx.timer(self.every, number)
        if not b.has_both:
            return
        turn = self.turns % 5
        if turn == 0:
            ctx.cancel_all()
        elif turn == 1:
            ctx.buy(number, float(b.bid), self.clip)
        elif turn == 2:
            ctx.sell(number, float(b.ask), self.clip)
        elif turn == 3:
            ctx.buy(number, float(b.ask), self.clip, lasts=hft.IOC)
        else:
            ctx.sell(number, float(b.bid), self.clip, kind=hft.MARKET)
'''


class Door:
    """Who comes to the exchange meanwhile; the most at once."""

    def __init__(self, floor):
        self.floor, self.most = floor, 0

    def turn(self):
        self.most = max(self.most, self.floor.exchange.counts["sessions"])

    def close(self):
        pass


@pytest.fixture
def floor():
    with Floor() as made:
        yield listened_to(made)


def shadowed(floor, folder, strategy="QueueImbalance", **given):
    trial = Trial(floor, folder, strategy, mode=Mode("shadow", latency_us=LATENCY_US), **given)
    trial.runner.start()
    floor.until(lambda: trial.runner.live.sequencers[0].state == "LIVE")
    return trial


def ended(floor, trial):
    """Once it has heard all of the market."""
    want = int(floor.exchange.record["messages"][0])
    floor.until(lambda: trial.counts("messages") >= want)
    trial.runner.stop()
    assert trial.runner.why == ""
    return trial.folder


def is_identical(folder):
    told = replay(folder, laid)
    assert told.is_identical, told.difference
    return told


def is_as_in_a_backtest(folder, strategies):
    tape = hft.to_tape(JournalFeed(folder, about(folder)))
    wanted = hft.backtest(strategies, tape, venue=hft.Venue(order_latency=f"{LATENCY_US}us"))
    found = journal_result(folder)
    # Between the last event and the end of the day nothing is on the tape.
    ours, theirs = (
        one.records["fills"][one.records["fills"]["time"] <= tape.end] for one in (found, wanted)
    )
    assert len(ours) == len(theirs)
    for name in set(ours.dtype.names) - OTHERWISE:
        assert ours[name].tolist() == theirs[name].tolist(), name
    return ours, found


def test_its_fills_are_those_of_a_backtest_on_its_own_feed(floor, tmp_path):
    trial = shadowed(floor, tmp_path / "day.journal")
    trade(floor, 60)
    folder = ended(floor, trial)
    assert is_identical(folder).compared > 40
    fills, found = is_as_in_a_backtest(folder, hft.library.QueueImbalance)
    assert len(fills) > 10 and not fills["taker"].any()
    assert found.about["mode"] == "shadow" and found.about["one clock"]
    assert "nothing was sent" in " ".join(found.about["not told"])
    tca = found.tca()
    assert tca.check() == [] and tca.mode == "shadow" and ", shadow</h3>" in tca._repr_html_()


def test_several_strategies_takers_and_timers_are_as_in_a_backtest(floor, tmp_path):
    file = tmp_path / "ideas.py"
    file.write_text(TICKER)
    named = [f"{file}:Ticker", "QueueImbalance"]
    trial = shadowed(floor, tmp_path / "day.journal", named)
    trade(floor, 80)
    folder = ended(floor, trial)
    assert is_identical(folder).compared > 100
    both = [strategy_named(one) for one in named]
    fills, _ = is_as_in_a_backtest(folder, both)
    assert set(fills["taker"]) == set(fills["strategy"]) == {0, 1}
    assert len(fills) > 50 and fills["ahead"].any(), "in a queue behind others"


def test_nobody_comes_to_the_exchange_and_nothing_leaves(floor, tmp_path):
    trade(floor, 1)  # who makes the market is there
    door = Door(floor)
    floor.others.append(door)
    before = floor.exchange.counts["heard"]
    trial = shadowed(floor, tmp_path / "day.journal")
    trade(floor, 30)
    told = status(trial.runner)
    assert told["links"][0]["state"] == "MODEL" and not told["links"][0]["is_up"]
    assert told["mode"] == "shadow" and "50 us to the model: nothing is sent" in told["mode_says"]
    ready = {one.name: one.samples for one in families(told)}["hftlib_link_ready"]
    assert [one.value for one in ready] == [1.0], "a model always answers"
    assert worries(told) == []
    folder = ended(floor, trial)
    assert trial.counts("commands") > 30 and trial.counts("reports") > 30
    assert door.most == 1, "the maker's session alone"
    assert floor.exchange.counts["heard"] == before + 3 * 30, "the maker's orders alone"
    link = trial.runner.live.links[0]
    assert link["dials"] == link["segments"] == 0
    seen = {frame.kind for frame in frames(folder)}
    assert kinds.SHADOW in seen and not seen & {kinds.SESSION_OUT, kinds.SESSION_IN}
    assert "secret" not in json.dumps(about(folder))


def test_commands_and_answers_are_in_the_journal_in_words(floor, tmp_path):
    trial = shadowed(floor, tmp_path / "day.journal")
    trade(floor, 20)
    folder = ended(floor, trial)
    pieces, told, words = [], [], []
    decoder = Decoder(about(folder))
    for frame in frames(folder):
        if frame.kind == kinds.SHADOW:
            pieces += [name for name, _data in pieces_of(frame.payload)]
            told += decoder.take(frame)
            words.append(showing.line(frame))
    assert pieces.count("command") == trial.counts("commands")
    assert pieces.count("event") == trial.counts("reports")
    assert {one["what"] for one in told} >= {"new", "accepted", "filled"}
    fills = sum(one["what"] == "filled" for one in told)
    assert fills == sum(
        int(one["execution"]["filled"][0]) for one in trial.runner.live.session.seats
    )
    assert any("piece=command" in one and "price=" in one for one in words)
    assert showing.summary(folder).mode == "shadow"
    cut = next(frame for frame in frames(folder) if frame.kind == kinds.SHADOW)
    assert [name for name, _data in pieces_of(cut.payload[:-1])][-1] == "bytes"


def test_a_byte_of_it_that_is_edited_is_found(floor, tmp_path):
    from replay_twin import written

    trial = shadowed(floor, tmp_path / "day.journal")
    trade(floor, 12)
    folder = ended(floor, trial)
    _first, *rest, _last = frames(folder)
    n = [n for n, one in enumerate(rest) if one.kind == kinds.SHADOW][5]
    bad = bytearray(rest[n].payload)
    bad[8 + 16] ^= 1  # a price
    spoilt = [*rest[:n], rest[n]._replace(payload=bytes(bad)), *rest[n + 1 :]]
    told = replay(written(tmp_path / "bad", about(folder), spoilt, {}), laid)
    assert f"frame {n + 2:,} is another" in told.difference
    assert "SHADOW 0: piece=" in told.difference


def test_a_person_halts_it_and_its_orders_are_taken_back(floor, tmp_path):
    trial = shadowed(floor, tmp_path / "day.journal")
    trade(floor, 10)
    floor.until(lambda: trial.runner.open_orders > 0)
    session = trial.runner.live.session
    halted = hft.halt("firm", at="10:00", who="ann", why="to see").row(session.risk, 0)
    assert trial.runner.tell(halted)
    floor.until(lambda: trial.counts("directives") == 1)
    floor.until(lambda: trial.runner.open_orders == 0)
    before = trial.counts("commands")
    trade(floor, 5)
    assert trial.counts("commands") == before
    is_identical(ended(floor, trial))


def test_killed_it_goes_on_with_its_day_and_replays(floor, tmp_path):
    trial = shadowed(floor, tmp_path / "day.journal")
    trade(floor, 12)
    held = trial.runner.live.session.seats[0]["positions"]["quantity"].tolist()
    killed(trial)
    trade(floor, 3)
    again = Resumed(floor, trial.folder, copy_user="")
    assert again.runner.live.session.seats[0]["positions"]["quantity"].tolist() == held
    assert again.runner.mode == "shadow"
    again.runner.start()
    floor.until(lambda: again.recovery.is_over)
    assert again.recovery.told.startswith("goes on")
    before = again.counts("commands")
    trade(floor, 12)
    folder = ended(floor, again)
    assert again.counts("commands") > before
    is_identical(folder)
    assert not {f.kind for f in frames(folder)} & {kinds.SESSION_OUT, kinds.SESSION_IN}


def test_what_no_shadow_can_be_is_refused(floor, tmp_path):
    trial = Trial(floor, tmp_path / "day.journal", mode=Mode("shadow"))
    said = about(trial.folder)
    assert said["shadow"] == {"order_ns": 50_000, "report_ns": 50_000, "queue": "auto"}
    with pytest.raises(InputError, match=r"one feed and one link, not of 2 and 1"):
        laid(said | {"feeds": said["feeds"] * 2})
    for us in (0.0, 0.9, 1e8):
        other = said | Mode("shadow", latency_us=us).changes(said)
        with pytest.raises(InputError, match="is none of a shadow"):
            laid(other)
    near = said | Mode("shadow", latency_us=1.0).changes(said)
    assert int(laid(near).shadow._memory["order_ns"][0]) == 1_000
    assert np.asarray(trial.runner.live.links["dials"]).sum() == 0
