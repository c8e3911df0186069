"""A runner's day as a result: held to its frames, to the runner itself, and to a slow twin."""

import json
import shutil
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from floor_desk import Floor
from floor_trial import begun, listened_to, trade
from live_day_twin import BOUGHT, told
from live_joiner import JOINER
from tca_naive import unit

import hftlib as hft
from hftlib.book.reading import NO_PRICE
from hftlib.core.errors import InputError, StateError
from hftlib.core.events import BUY
from hftlib.core.journal import Journal, frames, kinds
from hftlib.engine.live import recording
from hftlib.engine.live.making import laid
from hftlib.engine.live.replaying import replay
from hftlib.research.journal_result import is_journal, journal_result

HORIZONS = ["5ms", "200ms", "1s"]
NS = [5_000_000, 200_000_000, 1_000_000_000]


def lived(place, strategies, stops=True, **more):
    """A day beside an exchange: its folder, and what the runner held at its end."""
    folder = place / "day.journal"
    with Floor(**more) as floor:
        trial = begun(listened_to(floor), folder, *strategies)
        trade(floor, 60)
        if not stops:  # as it lies there when its process is killed
            folder = Path(shutil.copytree(folder, place / "killed.journal"))
        trial.runner.stop()
        session = trial.runner.live.session
        seats = [
            {n: s["positions"][n][0].item() for n in ("quantity", "cash")} for s in session.seats
        ]
        made = SimpleNamespace(
            folder=folder,
            held=seats,
            events=trial.counts("events"),
            books=session.books.digest(),
            result=journal_result(folder, horizons=HORIZONS),
            twin=told(folder),
        )
        assert trial.runner.why == ""
    return made


@pytest.fixture(scope="module")
def joined(tmp_path_factory):
    """With the wall's clock on both sides, and a strategy whose file is gone afterwards."""
    place = tmp_path_factory.mktemp("joined")
    file = place / "joiner.py"
    file.write_text(JOINER)
    made = lived(place, [f"{file}:Joiner"], clock={"pace": "wall"})
    file.unlink()
    return made


@pytest.fixture(scope="module")
def quoted(tmp_path_factory):
    """With an exchange whose clock is another."""
    return lived(tmp_path_factory.mktemp("quoted"), ["QueueImbalance"])


@pytest.fixture(params=["joined", "quoted"])
def day(request):
    return request.getfixturevalue(request.param)


def test_the_fills_are_the_venues_and_come_to_what_the_runner_held(day):
    fills, trades = day.result.records["fills"], day.twin.trades
    assert len(trades) > 20
    symbols = day.result.instruments.symbols
    mine = [
        (f["match"], f["time"], f["price"], f["quantity"], f["side"] == BUY, f["taker"] == 0,
         symbols[f["instrument"]])
        for f in fills
    ]  # fmt: skip
    assert mine == [
        (t.match, t.time, t.price, t.quantity, t.side == "B", t.maker, t.symbol) for t in trades
    ]
    (held,) = day.held
    assert held["quantity"] == sum(BOUGHT[t.side] * t.quantity for t in trades)
    assert held["quantity"] == fills["position"][-1] and held["cash"] == fills["cash"][-1]
    assert fills["number"].tolist() == list(range(1, len(trades) + 1))
    assert day.result.check() == [] and day.result.ok
    orders = day.result.records["orders"]  # one may have been given up before it left
    assert len(orders) >= day.twin.enters and (orders["accepted"] > 0).sum() == day.twin.accepts


def test_the_tape_is_what_the_runner_heard(day):
    tape = day.result.tape
    assert len(tape) == day.events > 300
    books = hft.Books(tape.instruments)
    books.apply(np.ascontiguousarray(tape.events))
    assert books.digest() == day.books


def test_the_middles_before_and_after_each_fill_are_the_slow_twins(day):
    twin, result = day.twin, day.result
    marks = {(m["fill"], m["horizon"]): m["twice_mid"] for m in result.records["markouts"]}
    known = 0
    for fill, one in zip(result.records["fills"], twin.trades, strict=True):
        before = twin.middle(one.symbol, one.time)
        assert fill["twice_mid"] == (NO_PRICE if before is None else before)
        for n, horizon in enumerate(NS):
            after = marks.pop((fill["number"], n), None)
            if one.time + horizon >= twin.latest:
                assert after is None, "the feed did not get there"
                continue
            want = twin.middle(one.symbol, one.time + horizon + 1)
            assert after == (NO_PRICE if want is None else want)
            known += 1
    assert not marks and known > 40
    missing = 3 * len(twin.trades) - known
    assert any(f"{missing} markout" in one for one in result.about["not told"])


def test_a_place_in_the_queue_is_what_the_feed_showed(day):
    fills, twin = day.result.records["fills"], day.twin
    for fill, one in zip(fills, twin.trades, strict=True):
        want = twin.places[one.reference] if one.maker else (0, 0)
        assert (fill["entered"], fill["ahead"]) == want
    ahead = [twin.places[one.reference][1] for one in twin.trades if one.maker]
    assert day.folder.parent.name.startswith("quoted") or max(ahead) >= 300
    assert not any("stood" in one for one in day.result.about["not told"])


def test_the_middle_at_arrival_is_one_that_the_runner_had_just_seen(day):
    orders = {int(one["id"]): one for one in day.result.records["orders"]}
    checked = 0
    for fill, one in zip(day.result.records["fills"], day.twin.trades, strict=True):
        arrival = int(orders[int(fill["order"])]["twice_mid"])
        seen = day.twin.middles(one.symbol, *day.twin.sent[one.root])
        assert (None if arrival <= NO_PRICE else arrival) in seen
        assert fill["sent_mid"] == arrival
        checked += 1
    assert checked > 20


def test_races_are_those_that_the_session_shows(day):
    fills, races = day.result.records["fills"], 0
    for fill, one in zip(fills, day.twin.trades, strict=True):
        # What was asked in the very frame that told of the fill never left, so no byte shows it.
        at_once = one.asked == 0 and abs(int(fill["asked"])) == fill["received"]
        assert at_once or int(fill["asked"]) == one.asked
        races += int(fill["asked"]) != 0
    assert len(day.result.tca().races) == races > 0


def test_what_was_answered_is_asked_no_more(joined):
    """An order that was replaced, and filled after that was answered, was in no race."""
    changed = {int(one["id"]) for one in joined.result.records["orders"] if one["replaces"]}
    fills = joined.result.records["fills"]
    assert any(int(one["order"]) in changed and one["asked"] == 0 for one in fills)


def test_the_pnl_is_taken_apart_as_the_twin_does(day):
    twin, result = day.twin, day.result
    tca = result.tca(horizon="5ms")
    assert tca.check() == []
    sums, last = [Fraction(0)] * 4, Fraction(twin.last("AAA"), 2)
    for one in twin.trades:
        signed = BOUGHT[one.side] * one.quantity
        before, after = twin.middle(one.symbol, one.time), last
        if one.time + NS[0] < twin.latest:
            told_then = twin.middle(one.symbol, one.time + NS[0] + 1)
            after = last if told_then is None else Fraction(told_then, 2)
        if before is None:
            sums[3] += signed * (last - one.price)
            continue
        sums[0] += signed * (Fraction(before, 2) - one.price)
        sums[1] += signed * (after - Fraction(before, 2))
        sums[2] += signed * (last - after)
    (row,) = tca.attribution().exact.values()
    money = unit(result.instruments, 0)
    names = ("spread", "adverse", "inventory", "unattributed")
    assert [row[name] for name in names] == [one * money for one in sums]
    (held,) = day.held
    assert row["gross"] == (held["cash"] + held["quantity"] * last) * money
    assert row["fees"] == 0


def test_the_figures_of_fills_are_the_twins(day):
    tca, twin = day.result.tca(horizon="5ms"), day.twin
    (row,) = tca.table().rows.values()
    value = sum(one.price * one.quantity for one in twin.trades)
    made = sum(one.price * one.quantity for one in twin.trades if one.maker)
    assert row["fills"] == len(twin.trades) and row["orders"] >= twin.enters
    assert row["turnover"] == pytest.approx(value / 10_000)
    assert row["maker_share"] == pytest.approx(made / value)
    known = [(one, twin.middle(one.symbol, one.time)) for one in twin.trades]
    known = [(one, Fraction(mid, 2)) for one, mid in known if mid is not None]
    paid = sum(BOUGHT[o.side] * o.quantity * (o.price - mid) for o, mid in known)
    worth = sum(o.price * o.quantity for o, _ in known)
    assert row["mid_bp"] == pytest.approx(float(paid / worth) * 10_000)
    waits = [o.time - twin.places[o.reference][0] for o in twin.trades if o.maker]
    ahead = [twin.places[o.reference][1] for o in twin.trades if o.maker]
    assert row["queue_median_ns"] == np.median(waits)
    assert row["ahead_median"] == np.median(ahead)


def test_with_one_clock_times_between_us_and_the_venue_are_told(joined):
    assert joined.result.about["one clock"]
    (row,) = joined.result.tca().table().rows.values()
    assert 0 < row["first_fill_median_ns"] < 10**9 and row["races_lost"] >= 0
    assert row["vwap_bp"] == row["vwap_bp"] and 0 < row["participation"] < 1


def test_the_market_meanwhile_is_what_printed_from_sending_to_the_end(joined):
    """Volume of an order's span, from the tape's own events, one by one."""
    result = joined.result
    costs, events = result.tca().order_costs, result.tape.events
    prints = events[(events["kind"] == 2) & (events["instrument"] == 0)]
    for n in range(len(costs.records)):
        begin, end = int(costs.records["sent"][n]), int(costs.ended[n])
        inside = (prints["time"] >= begin) & (prints["time"] <= end)
        assert costs.volume[n] == prints["quantity"][inside].sum()
    assert costs.volume.sum() > 1_000


def test_the_delay_is_until_just_before_our_own_order_stood(day):
    costs, checked = day.result.tca().order_costs, 0
    found = {
        name: costs.records[name] for name in ("venue_accepted", "twice_mid", "side", "filled")
    }
    for n, arrival in enumerate(found["twice_mid"].tolist()):
        accepted = int(found["venue_accepted"][n])
        mid = day.twin.middle("AAA", accepted) if accepted else None
        mid = arrival if mid is None else mid
        if arrival > NO_PRICE:
            sign = 1 if found["side"][n] == BUY else -1
            assert costs.delay[n] == sign * (mid - arrival) * int(found["filled"][n])
            checked += 1
    assert checked > 20


def test_with_two_clocks_what_needs_both_is_missing_and_said(quoted):
    assert not quoted.result.about["one clock"]
    tca = quoted.result.tca()
    (row,) = tca.table().rows.values()
    both = ("first_fill_median_ns", "filled_p90_ns", "vwap_bp", "participation")
    assert all(row[name] != row[name] for name in (*both, "races_lost", "races_share"))
    assert row["races"] > 0 and row["queue_median_ns"] > 0 and row["mid_bp"] == row["mid_bp"]
    assert tca.orders["first_fill_ns"].isna().all() and not tca.fills["lost"].any()
    assert any("not told by one clock" in one for one in tca.not_told)
    assert tca.to_dict()["not told"] == tca.not_told


def test_it_is_kept_and_loaded_like_any_result(joined, tmp_path):
    joined.result.save(tmp_path / "kept")
    again = hft.Result.load(tmp_path / "kept")
    assert again.digest == joined.result.digest
    assert again.tca().attribution().exact == joined.result.tca().attribution().exact
    assert again.tca().not_told == joined.result.tca().not_told


def test_two_strategies_each_have_their_own_and_the_sum_is_the_runners(tmp_path):
    file = tmp_path / "joiner.py"
    file.write_text(JOINER)
    made = lived(tmp_path, [[f"{file}:Joiner", "QueueImbalance"]], clock={"pace": "wall"})
    result, twin = made.result, made.twin
    assert list(result.strategies) == ["Joiner", "QueueImbalance"] and result.check() == []
    parts = [result.strategies[name].records["fills"] for name in result.strategies]
    assert all(map(len, parts)), "both traded"
    assert [int(one["position"][-1]) for one in parts] == [one["quantity"] for one in made.held]
    fills = result.records["fills"]
    assert sorted(fills["match"].tolist()) == sorted(one.match for one in twin.trades)
    before = {one.match: twin.middle(one.symbol, one.time) for one in twin.trades}
    for one in fills:
        want = before[int(one["match"])]
        assert one["twice_mid"] == (NO_PRICE if want is None else want)
    assert {key[0] for key in result.tca().table("strategy").rows} == set(result.strategies)


def cut(folder, target, keep):
    """A copy of a journal with the frames that `keep` answers for each: a list of them."""
    every = list(frames(folder))
    journal = Journal.create(target, json.loads(every[0].payload), segment_bytes=1 << 22)
    for frame in every[1:-1]:
        for one in keep(frame):
            journal.append(one.kind, one.time, one.payload, one.source)
    journal.close({"why": "a test wanted no more"})
    return target


def test_a_day_without_a_fill_has_a_result_without_one(joined, tmp_path):
    enters = [f.sequence for f in frames(joined.folder) if f.kind == kinds.SESSION_OUT]
    folder = cut(joined.folder, tmp_path / "short", lambda f: [f] * (f.sequence < enters[1]))
    result = journal_result(folder)
    assert result.ended == "a test wanted no more"
    assert len(result.records["fills"]) == 0 and result.check() == []
    tca = result.tca()
    assert (
        tca.attribution().rows == {}
        and tca.check() == []
        and "There is no fill." in tca._repr_html_()
    )
    empty = cut(joined.folder, tmp_path / "empty", lambda f: [])
    assert len(journal_result(empty).records["orders"]) == 0


def test_a_runner_that_was_killed_has_a_day_up_to_there(tmp_path):
    made = lived(tmp_path, ["QueueImbalance"], stops=False)
    assert not made.result.ok and "in mid-day" in made.result.ended
    assert len(made.result.records["fills"]) == len(made.twin.trades) > 20
    assert made.result.tca().check() == []


def test_what_replays_otherwise_has_no_figures(joined, monkeypatch, tmp_path):
    def other(about):
        about["strategies"][0]["params"] = {"clip": 200}
        return laid(about)

    monkeypatch.setattr(recording, "laid", other)
    with pytest.raises(StateError, match=r"does not replay: from frame .*hft replay"):
        journal_result(joined.folder)
    monkeypatch.undo()
    assert replay(joined.folder, laid).is_identical
    lost = [f.sequence for f in frames(joined.folder) if f.kind == kinds.SESSION_OUT][5]
    folder = cut(joined.folder, tmp_path / "lost", lambda f: [f] * (f.sequence != lost))
    with pytest.raises(StateError, match="does not replay"):
        journal_result(folder)


def test_what_is_no_runners_journal_is_told(joined, tmp_path):
    with pytest.raises(InputError, match="There is no journal"):
        journal_result(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"This is no journal: there is no 000000\.segment"):
        journal_result(tmp_path)
    Journal.create(tmp_path / "exchange", {"what": "exchange"}).close()
    assert is_journal(tmp_path / "exchange") and not is_journal(tmp_path)
    with pytest.raises(InputError, match=r"no journal of a runner.*hft live --journal"):
        journal_result(tmp_path / "exchange")
    broken = cut(joined.folder, tmp_path / "broken", lambda f: [f])
    with (broken / "000000.segment").open("r+b") as file:
        file.seek(200_000)
        byte = file.read(1)
        file.seek(200_000)
        file.write(bytes([byte[0] ^ 1]))
    with pytest.raises(StateError, match="The journal is damaged"):
        journal_result(broken)
