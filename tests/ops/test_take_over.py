"""One runner takes over from another: no order is lost, none is sent twice, or nothing happens."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest
from floor_trial import Resumed, begun, killed, trade
from switch_trial import LAUNCH, Blue, Green, asked, handed_over

from hftlib.core.errors import InputError, StateError
from hftlib.core.journal import kinds
from hftlib.core.journal.reading import frames
from hftlib.engine.live.decoding import Decoder
from hftlib.engine.live.memory import CARRIED
from hftlib.engine.live.replaying import about, replay, taken_up
from hftlib.ops import handing_over, take_over
from hftlib.ops.carried import carried_of, last_word, words_of
from hftlib.ops.drop_copy import DropCopy
from hftlib.ops.handing_over import HandingOver
from hftlib.ops.launching import laid
from hftlib.ops.status import status
from hftlib.risk.controls import TRADING_STATES


@pytest.fixture
def blue(trial, tmp_path):
    made = Blue(trial, tmp_path / "runner.socket")
    filled(trial)
    return made


def filled(trial, more=4):
    """It trades until it has so many fills more."""
    wanted = fills_of(trial.runner) + more
    for _ in range(20):
        trade(trial.floor, 20, lambda: fills_of(trial.runner) >= wanted)
        if fills_of(trial.runner) >= wanted:
            return
    raise AssertionError(trial.runner.counts)


def fills_of(runner):
    return sum(int(seat["positions"]["fills"].sum()) for seat in runner.live.session.seats)


def held(runner):
    return {row["symbol"]: row["quantity"] for row in status(runner)["positions"]}


def profit(runner):
    row = runner.live.session.arena["scopes"][0]
    return int(row["flow"])


def told_of(folder, what):
    """Every message of this name in a journal."""
    decoder = Decoder(about(folder))
    return [one for f in frames(folder) for one in decoder.take(f) if one["what"] == what]


def heard(floor):
    """The drop copy from its first message to its last."""
    copy = DropCopy(tuple(floor.exchange.places["drop_copy"]), "frm1d", "secret")
    copy.hear_to_the_end()
    floor.until(lambda: copy.turn() or copy.is_at_the_end)
    copy.close()
    return copy


def directives(folder):
    return [(one["what"], one["who"], one["why"]) for one in map(_directive, frames(folder)) if one]


def _directive(frame):
    if frame.kind != kinds.DIRECTIVE:
        return None
    return Decoder({"what": "runner"}).take(frame)[0]


def same_again(*folders):
    for folder in folders:
        found = replay(folder, laid)
        assert found.is_identical, found.difference


def test_a_switch_loses_no_order_and_sends_none_twice(floor, trial, blue, tmp_path):
    limits = tmp_path / "limits.toml"
    limits.write_text("[firm]\ndaily_loss_money = 1_000_000\n")
    green = Green(floor, tmp_path / "green.journal", blue.path, limits=limits, edge_ticks=2)
    green.runner.start()
    floor.until(lambda: green.take.is_over or green.failed)
    assert green.failed is None
    blue.thread.join(5)
    last = handed_over(trial)
    assert last["to"] == str((tmp_path / "green.journal").resolve())
    assert (last["who"], last["why"]) == ("ann", "wider")
    assert status(trial.runner)["is_handed_over"] and trial.runner.open_orders == 0
    before = fills_of(trial.runner)
    assert before >= 4 and fills_of(green.runner) >= before
    assert not [one for one in heard(floor).standing if one.urn <= last["links"][0]["last_urn"]]

    carried, now = last["carried"]["positions"], carried_of(green.runner.live)["positions"]
    assert carried == now or fills_of(green.runner) > before
    filled(green)
    (times,) = green.times
    assert times["asked_ns"] < times["safe_ns"] < times["closed_ns"] < times["goes_on_ns"]
    assert times["stays_halted"] == ""
    green.runner.stop()
    floor.others.remove(green)
    for _ in range(20):
        floor.step()

    copy = heard(floor)
    assert copy.positions["AAA"] == held(green.runner)["AAA"]
    assert copy.executions == fills_of(green.runner), "each once: blue's are carried"
    journals = trial.folder, green.folder
    matches = [one["match"] for folder in journals for one in told_of(folder, "executed")]
    assert len(matches) == len(set(matches)) == copy.executions
    urns = [{one["urn"] for one in told_of(folder, "accepted")} for folder in journals]
    assert urns[0] and urns[1] and max(urns[0]) < min(urns[1])
    assert [one[0] for one in directives(trial.folder)] == ["hold"]
    assert directives(trial.folder)[0][2].startswith("handed over to ")
    assert len(told_of(green.folder, "taken over")) == 1
    first_sent = min(f.sequence for f in frames(green.folder) if f.kind == kinds.SESSION_OUT)
    carried = next(f for f in frames(green.folder) if _is_carried(f))
    assert carried.sequence < first_sent, "nothing leaves before it has taken over"
    assert last_word(trial.folder)["handed_over"]["carried"]["positions"][0]["fills"] == before
    same_again(*journals)


def _is_carried(frame):
    words = np.frombuffer(frame.payload, np.int64) if frame.kind == kinds.CONNECTED else []
    return len(words) > 2 and words[0] == CARRIED


def test_a_loss_of_the_day_counts_on(floor, tmp_path):
    """What blue lost is more than green may lose: it may only reduce, though it lost nothing."""
    trial = begun(floor, tmp_path / "day.journal", fees={"taker": "50bp", "maker": "50bp"})
    blue = Blue(trial, tmp_path / "runner.socket")
    filled(trial)
    lost = sum(one["fees"] for one in carried_of(trial.runner.live)["positions"]) / 10_000
    assert lost > 100
    limits = tmp_path / "limits.toml"
    limits.write_text(f"[firm]\ndaily_loss_money = {int(lost / 2)}\n")
    green = Green(floor, tmp_path / "green.journal", blue.path, limits=limits)
    green.runner.start()
    floor.until(lambda: green.take.is_over or green.failed)
    assert green.failed is None
    quantity = held(green.runner)["AAA"]
    trade(floor, 20)
    assert status(green.runner)["scopes"][0]["state"] in ("reducing", "halted")
    assert abs(held(green.runner)["AAA"]) <= abs(quantity), "no further from nothing"
    assert sum(seat["session"]["refused"][0].sum() for seat in green.runner.live.session.seats)
    green.runner.stop()
    same_again(trial.folder, green.folder)


EARLY = '''
"""Orders as soon as it may."""

import hftlib as hft


@hft.strategy
class Early:
    """Orders as soon as it may."""

    def on_start(self, ctx):
        ctx.buy(0, 90.0, 100)
'''


def test_what_is_ordered_as_it_begins_never_leaves(floor, trial, blue, tmp_path):
    """It began while another had the account: what it wanted then is long out of date."""
    (tmp_path / "early.py").write_text(EARLY)
    strategy = f"{tmp_path / 'early.py'}:Early"
    green = Green(floor, tmp_path / "green.journal", blue.path, strategy=strategy)
    green.runner.start()
    floor.until(lambda: green.take.is_over or green.failed)
    assert green.failed is None
    for _ in range(50):
        floor.step()
    assert green.runner.open_orders == 0
    green.runner.stop()
    sent = told_of(green.folder, "accepted")
    assert sent == []
    assert not [one for one in heard(floor).standing if one.price == "90.0000"]
    same_again(green.folder)


def test_it_goes_on_where_no_safe_point_comes(trial, monkeypatch):
    """The exchange stands still: what was asked to go is not answered."""
    filled(trial)
    handing = HandingOver(trial.runner, LAUNCH)
    trial.floor.until(lambda: trial.runner.open_orders)
    monkeypatch.setattr(handing_over, "HOLD_S", 0.3)
    found = asked(handing, "ask")
    until = time.monotonic() + 20
    while found["state"] == "holding" and time.monotonic() < until:
        trial.runner.turn()
        found = asked(handing, "look")
        time.sleep(0.005)
    assert found["state"] == "trading"
    assert "no safe point: " in found["why"] and "not answered" in found["why"]
    with pytest.raises(StateError, match="not safe to take"):
        asked(handing, "take")
    filled(trial)
    trial.runner.stop()
    told = directives(trial.folder)
    assert [one[0] for one in told] == ["hold", "go on"]
    assert told[1][1:] == ("handover", found["why"][:64])
    assert "handed_over" not in last_word(trial.folder)
    same_again(trial.folder)


def test_it_goes_on_where_the_other_is_silent(trial, monkeypatch):
    filled(trial)
    handing = HandingOver(trial.runner, LAUNCH)
    asked(handing, "ask")
    trial.floor.until(lambda: asked(handing, "look")["state"] == "safe")
    assert trial.runner.open_orders == 0
    monkeypatch.setattr(handing_over, "SILENCE_S", 0.0)
    time.sleep(0.001)
    handing.turn()
    assert handing.state == "trading"
    with pytest.raises(StateError, match="not safe to take"):
        asked(handing, "take")
    filled(trial)
    assert directives(trial.folder)[-1][2] == "the other runner is silent"


SAID = (
    ({"step": "give", "id": "1"}, "'give' is no step"),
    ({"step": ["ask"], "id": "1"}, "is no step"),
    ({"step": "ask"}, "is no step"),
    ({"step": "look", "id": "2"}, "Nothing is handed over"),
    ({"step": "take", "id": "1"}, "Nothing is handed over"),
    ({"step": "ask", "id": "1", "to": "x", "who": None, "why": "y"}, "does not fit"),
    ({"step": "ask", "id": "1", "to": "x", "who": "ann", "why": " "}, "The why is empty"),
    ({"step": "ask", "id": "1", "to": 5, "who": "ann", "why": "y"}, "has no name"),
    ({"step": "ask", "id": "1", "to": "x", "who": "ann" * 20, "why": "y"}, "does not fit"),
)


def test_what_nobody_says_is_refused(trial):
    handing = HandingOver(trial.runner, LAUNCH)
    for said, words in SAID:
        with pytest.raises((InputError, StateError), match=words):
            handing.obey({"do": "hand_over"} | said)
        assert handing.state == "trading"


def test_who_is_held_or_closes_positions_hands_nothing_over(trial):
    handing = HandingOver(trial.runner, LAUNCH)
    rows = trial.runner.live.session.arena["scopes"]
    for name, words in (("held_from", "held itself"), ("flattening", "closing positions")):
        rows[0][name] = 1
        with pytest.raises(StateError, match=words):
            asked(handing, "ask")
        rows[0][name] = 0
    asked(handing, "ask")
    with pytest.raises(StateError, match="already"):
        asked(handing, "ask", id="2")
    trial.runner.stop()
    with pytest.raises(StateError, match="no more"):
        asked(HandingOver(trial.runner, LAUNCH), "ask")


def test_one_that_was_killed_before_it_carried_goes_on_as_the_new_one(
    floor, trial, blue, tmp_path, monkeypatch
):
    green = Green(floor, tmp_path / "green.journal", blue.path)
    monkeypatch.setattr(green.runner, "carry", lambda _words: (_ for _ in ()).throw(OSError("9")))
    green.runner.start()
    floor.until(lambda: green.failed)
    blue.thread.join(5)
    green.take.close()
    killed(green)
    again = Resumed(floor, green.folder)
    again.runner.carries = take_over.first_words(again.runner.about, again.runner.live)
    again.runner.start()
    floor.until(lambda: again.recovery.is_over)
    assert again.recovery.told.startswith("goes on"), again.recovery.told
    assert fills_of(again.runner) >= fills_of(trial.runner) >= 4
    filled(again)
    again.runner.stop()
    same_again(trial.folder, again.folder)
    live, _ = taken_up_of(again.folder, tmp_path)
    assert take_over.first_words(about(again.folder), live) is None


def taken_up_of(folder, _place):
    """The memory that its frames lead to, whether the day is over or not."""
    live = laid(about(folder))
    for frame in frames(folder):
        if kinds.KINDS[frame.kind].direction == "in":
            live.take(frame.kind, frame.source, frame.time, frame.payload)
            list(live.outputs())
    return live, 0


def test_one_whose_other_never_handed_over_is_not_gone_on_with(floor, trial, blue, tmp_path):
    green = Green(floor, tmp_path / "green.journal", blue.path)
    green.runner.start()
    for _ in range(3):
        green.runner.turn()
    green.take.close()
    killed(green)
    said = about(green.folder)
    live, _ = taken_up(green.folder, laid)
    with pytest.raises(StateError, match="did not hand over") as told:
        take_over.first_words(said, live)
    assert f"--resume --journal {trial.folder}" in told.value.do
    trial.runner.stop()
    with pytest.raises(StateError, match="ended without a handover"):
        take_over.first_words(said, live)
    other = said | {"takes_over": said["takes_over"] | {"journal": str(tmp_path / "none")}}
    with pytest.raises(StateError, match="cannot be read"):
        take_over.first_words(other, live)


def test_one_that_is_killed_half_way_is_not_followed(floor, trial, blue, tmp_path, monkeypatch):
    green = Green(floor, tmp_path / "green.journal", blue.path)
    monkeypatch.setattr(take_over, "stays", lambda *_: False)
    monkeypatch.setattr(take_over, "last_word", lambda _folder: None)
    green.runner.start()
    floor.until(lambda: green.failed)
    assert "is gone, and did not hand over" in str(green.failed)
    assert "--resume --journal" in green.failed.do
    assert int(green.runner.live.links[0]["commands"]) == 0


def test_two_that_are_not_of_one_account_and_day_are_refused(trial, blue):
    found = take_over.asked_first(blue.path)
    trial.runner.about["takes_over"] = {"journal": found["journal"]}
    take_over.require_same(trial.runner, found)
    for name, value, words in (
        ("mode", "live", "another mode: live"),
        ("links", [["HFTX", "frm1b"]], "another accounts"),
        ("feeds", [["HFTX", "other", 1]], "another feeds"),
        ("journal", "/elsewhere", "another journal"),
    ):
        with pytest.raises(InputError, match=words):
            take_over.require_same(trial.runner, found | {name: value})


def test_what_has_no_place_here_is_refused(trial, blue):
    live = trial.runner.live
    told = json.loads(json.dumps(carried_of(live)))
    assert told["positions"] and words_of(live, told, "here")[1] == len(told["positions"])
    row = told["positions"][0]

    def refused(words, **change):
        with pytest.raises(InputError, match=words):
            words_of(live, told | change, "here")

    refused("does not", positions=[row | {"symbol": "ZZZ"}])
    refused("does not", positions=[row | {"venue": "XBOS"}])
    refused("other units", positions=[row | {"units": ["1", "1", "USD", "1"]}])
    two = {"strategies": ["A", "B"], "positions": [row | {"strategy": "A"}]}
    refused("no strategy here takes over", **two)
    scope = {"scope": "portfolio:none", "state": TRADING_STATES[2], "peak": 1}
    refused("no such scope here", scopes=[scope])
    assert words_of(live, told | {"scopes": [scope | {"state": TRADING_STATES[0]}]}, "x")[2] == 0
    renamed = json.loads(json.dumps(told).replace("QueueImbalance", "Old"))
    renamed["scopes"] = [{"scope": "strategy:Old", "state": TRADING_STATES[1], "peak": 5}]
    assert words_of(live, renamed, "here")[2] == 1, "the only strategy stands for the only one"
