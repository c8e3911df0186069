"""A session beside its backtest: a shadow's is itself with its latency known; paper's adds up."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from floor_desk import Floor
from floor_trial import Trial, begun, listened_to, trade
from typer.testing import CliRunner

import hftlib as hft
from hftlib.cli import app
from hftlib.core import events
from hftlib.core.errors import HftError, InputError, StateError
from hftlib.ops.modes import Mode

RUNNER = CliRunner()
LATENCY_US = 400.0
IDEA = '''
import hftlib as hft


@hft.strategy
class Leaner:
    """Joins the side that is thicker, takes when the book is lopsided, pulls when it turns."""

    clip: int = hft.param(100, low=100, high=500)
    wait: int = hft.param(3_000_000, low=1000, duration=True)
    begun: bool = hft.state()
    turns: int = hft.state()

    def on_book(self, ctx, i):
        if not self.begun and ctx.book(i).has_both:
            self.begun = True
            ctx.timer(self.wait, i)

    def on_timer(self, ctx, i):
        b = ctx.book(i)
        self.turns += 1
        ctx.timer(self.wait, i)
        if not (b.is_open and b.has_both):
            return
        turn = self.turns % 6
        if turn == 0:
            ctx.cancel_all()
        elif turn == 1:
            ctx.submit(i, hft.BUY, b.bid, self.clip)
        elif turn == 3:
            ctx.submit(i, hft.SELL, b.ask, self.clip)
        elif turn == 4:
            ctx.submit(i, hft.BUY, b.ask, self.clip, lasts=hft.IOC)
'''


@pytest.fixture(scope="module")
def idea(tmp_path_factory):
    file = tmp_path_factory.mktemp("idea") / "leaner.py"
    file.write_text(IDEA)
    return f"{file}:Leaner"


@pytest.fixture(scope="module")
def shadow(idea, tmp_path_factory):
    """A day in shadow: its fills are those of a venue so far away."""
    folder = tmp_path_factory.mktemp("shadow") / "day.journal"
    with Floor() as floor:
        listened_to(floor)
        trial = Trial(floor, folder, idea, mode=Mode("shadow", latency_us=LATENCY_US))
        trial.runner.start()
        floor.until(lambda: trial.runner.live.sequencers[0].state == "LIVE")
        trade(floor, 40)
        want = int(floor.exchange.record["messages"][0])
        floor.until(lambda: trial.counts("messages") >= want)
        silent = trial.counts("timers") + 100  # nobody else trades, and it goes on by its timer
        floor.until(lambda: trial.counts("timers") >= silent)
        trial.runner.stop()
        assert trial.runner.why == ""
    return folder


@pytest.fixture(scope="module")
def paper(idea, tmp_path_factory):
    """A day at an exchange, our orders among the others'."""
    folder = tmp_path_factory.mktemp("paper") / "day.journal"
    with Floor(clock={"pace": "wall"}) as floor:
        trial = begun(listened_to(floor), folder, idea)
        trade(floor, 40)
        trial.runner.stop()
        assert trial.runner.why == ""
    return SimpleNamespace(folder=folder, parity=hft.compare(folder))


def test_a_shadow_is_its_own_backtest_once_its_latency_is_known(shadow):
    parity = hft.compare(shadow, venue=hft.Venue(order_latency="30ms"))
    assumed, fitted = parity.closeness["backtest"], parity.closeness["fitted"]
    assert (fitted.decisions, fitted.same_price, fitted.fills) == (1, 1, 1)
    assert fitted.pnl_gap == 0 and fitted.fill_time_us == 0
    assert assumed.fills <= 1 and assumed.fill_time_us > 10_000
    assert len(parity.fitted.fills) == len(parity.session.fills) > 10
    assert parity.venue.order.entry.text.startswith("drawn from")
    assert parity.verdict().passed is True
    assert "pass" in str(parity.verdict()) and parity._repr_html_().count("<svg") == 2


def test_what_a_paper_session_lost_or_won_has_causes_that_add_up(paper):
    parity = paper.parity
    for name, other in (("backtest", parity.backtest), ("fitted", parity.fitted)):
        gap = parity.session.stats["pnl_net"] - other.stats["pnl_net"]
        assert sum(parity._causes(name).values()) == pytest.approx(gap, abs=1e-6)
        assert parity.closeness[name].pnl_gap == pytest.approx(-gap, abs=1e-6)
    assert parity.difference == pytest.approx(sum(parity.causes.values()))
    assert parity.one_clock and len(parity._legs["entry"]) > 20
    assert (parity._legs["entry"] > 0).all() and np.median(parity._legs["feed"]) > 0


def test_every_order_of_either_is_one_row_of_the_decisions(paper):
    parity, frame = paper.parity, paper.parity.decisions
    mine = (frame["sent by"] != "backtest").sum()
    theirs = (frame["sent by"] != "session").sum()
    assert mine == (parity.session.records["orders"]["sent"] > 0).sum() > 20
    assert theirs == (parity.backtest.records["orders"]["sent"] > 0).sum() > 20
    both = frame[frame["sent by"] == "both"]
    assert both["price_session"].notna().all() and both["price_backtest"].notna().all()
    assert frame[frame["sent by"] == "session"]["price_backtest"].isna().all()
    assert frame["filled_session"].sum() == parity.session.fills["quantity"].sum()
    assert frame["heard"].is_monotonic_increasing


def test_the_market_without_us_has_none_of_our_orders(paper):
    parity = paper.parity
    ours = set(parity.session.records["orders"]["venue_number"].tolist()) - {0}

    def named(tape):
        found = hft.open_tape(tape.path).events
        of_orders = (found["kind"] >= events.ADD) & (found["kind"] <= events.REPLACE)
        return set(found["reference"][of_orders].tolist())

    assert ours & named(parity.session.tape)
    assert named(parity.backtest.tape) and not ours & named(parity.backtest.tape)
    assert parity.backtest.about["tape_digest"] != parity.session.about["tape_digest"]


def test_a_backtest_of_ones_own_on_that_market_is_taken(paper):
    again = hft.compare(paper.folder, paper.parity.backtest, fit=False)
    assert again.closeness["backtest"] == paper.parity.closeness["backtest"]
    with pytest.raises(StateError, match="Nothing was fitted"):
        _ = again.venue


def test_of_several_queue_models_the_closest_is_kept(shadow):
    made = hft.compare(shadow, queues=["risk-averse", "auto", "pro-rata"])
    assert made.closeness["fitted"].fills == 1 and made.venue.queue == "auto"


def test_the_command_says_it_writes_it_and_ends_by_what_was_asked_for(shadow, tmp_path):
    page = tmp_path / "page.html"
    given = ["compare", str(shadow), "--json", "--report", str(page)]
    done = RUNNER.invoke(app, given, catch_exceptions=False)
    told = json.loads(done.stdout)
    assert done.exit_code == 0 and told["verdict"]["passed"] is True
    assert told["closeness"]["fitted"]["filled quantity that both filled, %"] == 100
    assert "<svg" in page.read_text()
    shown = RUNNER.invoke(app, ["compare", str(shadow)], catch_exceptions=False)
    assert "How close to the session" in shown.stdout and "pass" in shown.stdout


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"within": "0s"}, "no two orders leave"),
        ({"queues": "auto"}, "no list of queue models"),
        ({"queues": []}, "no list of queue models"),
        ({"queues": ["lifo"]}, "queue"),
        ({"backtest": 3}, "no result of a backtest"),
        ({"currency": "EUR"}, "EUR"),
        ({"venue": {"XLON": hft.Venue()}}, "has no settings"),
    ],
)
def test_what_makes_no_sense_is_said(shadow, given, said):
    with pytest.raises(InputError, match=said):
        hft.compare(shadow, **given)


def test_a_folder_that_is_no_journal_is_said(tmp_path):
    for place in (tmp_path / "nothing", tmp_path):
        with pytest.raises(HftError):
            hft.compare(place)
    with pytest.raises(InputError, match="no share"):
        RUNNER.invoke(app, ["compare", str(tmp_path), "--fills", "7"], catch_exceptions=False)
