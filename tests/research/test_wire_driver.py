"""The driver of a wire backtest: beside a slow twin, through many segments, with bounded memory."""

import _thread
import time

import pytest
from wire_twin import Twin

import hftlib as hft
from hftlib.core.errors import HostError, StateError
from hftlib.core.journal import frames, kinds
from hftlib.engine.live.making import laid
from hftlib.engine.live.replaying import about, replay
from hftlib.research import wire_driver
from hftlib.research.wire_backtest import described
from hftlib.research.wire_driver import run_on_wire
from hftlib.research.wire_exchange import opened


@hft.strategy
class Restless:
    """Answers whatever it hears, its own orders too."""

    up: int = hft.state()

    def on_book(self, ctx, i):
        b = ctx.book(i)
        if b.has_both:
            self.up = 1 - self.up
            away = (50 + self.up) * b.tick
            ctx.quote(i, bid=b.bid - away, ask=b.ask + away, quantity=100)


def lived(
    tape,
    folder,
    *,
    feed_ns=50_000,
    order_ns=100_000,
    strategy=hft.library.QueueImbalance,
    **settings,
):
    given = described(strategy, tape, None, None)
    given |= {"feed_latency_ns": feed_ns, "order_latency_ns": order_ns}
    with opened(tape) as exchange:
        return run_on_wire(given, exchange, tape, folder, **settings)


def market(seconds, seed=7, symbols=2):
    return hft.to_tape(hft.synthetic(symbols=symbols, seconds=seconds, seed=seed))


@pytest.mark.parametrize(
    ("feed_ns", "order_ns"), [(50_000, 100_000), (0, 0), (1, 3_000_000), (40_000_000, 7)]
)
def test_every_frame_is_the_slow_twins(feed_ns, order_ns, tmp_path):
    tape = market(4, seed=feed_ns % 97)
    lived(tape, tmp_path / "day", feed_ns=feed_ns, order_ns=order_ns)
    found = [(f.kind, f.source, f.time, f.payload) for f in frames(tmp_path / "day")]
    with opened(tape) as exchange:
        twin = Twin(about(tmp_path / "day"), exchange, tape)
        twin.until(tape.end + feed_ns)
        twin.ends()
    assert len(twin.frames) > 1_000
    assert found[0][0] == kinds.OPENED and found[-1][0] == kinds.CLOSED
    assert found[1:-1] == twin.frames


def test_a_long_tape_needs_no_more_memory_than_a_short_one(tmp_path):
    counts = [lived(market(n), tmp_path / str(n)) for n in (5, 60)]
    most = [one["bytes_on_way_max"] for one in counts]
    assert counts[1]["frames"] > 5 * counts[0]["frames"]
    assert max(most) < 1 << 17, "pieces of a moment, not of a day"
    tape = market(60)
    with opened(tape) as exchange:
        given = described(hft.library.QueueImbalance, tape, None, None)
        given |= {"feed_latency_ns": 50_000, "order_latency_ns": 100_000}
        run_on_wire(given, exchange, tape, tmp_path / "again")
        entry = exchange.parts.entry
        assert int(exchange.record["messages"][0]) == 0, "what is on its way is forgotten"
        assert [entry.count(stream) for stream in entry.streams] == [0]


def test_a_journal_of_many_small_segments_is_waited_for(tmp_path):
    tape = market(30)
    lived(tape, tmp_path / "large")
    lived(tape, tmp_path / "small", segment_bytes=1 << 17)
    assert len(list((tmp_path / "small").glob("*.segment"))) > 10
    one, other = (
        [(f.kind, f.source, f.time, f.payload) for f in frames(tmp_path / name)]
        for name in ("large", "small")
    )
    assert one == other
    assert replay(tmp_path / "small", laid).is_identical


def test_an_interrupt_is_heard_and_the_journal_is_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(wire_driver, "STEPS", 64)
    real, begun = wire_driver.go, []

    def interrupted(wire, steps):
        begun.append(time.monotonic())
        if len(begun) == 50:
            _thread.interrupt_main()
        return real(wire, steps)

    monkeypatch.setattr(wire_driver, "go", interrupted)
    with pytest.raises(KeyboardInterrupt):
        lived(market(20), tmp_path / "day")
    assert 50 <= len(begun) < 60
    found = replay(tmp_path / "day", laid)
    assert found.is_identical and found.frames > 1_000


def test_more_than_a_cable_holds_ends_the_run_with_a_sentence(tmp_path, monkeypatch):
    small = wire_driver.m.wire_memory
    monkeypatch.setattr(wire_driver.m, "wire_memory", lambda: small(1 << 12))
    with pytest.raises(HostError, match="more bytes are on their way than there is room for"):
        lived(market(10), tmp_path / "day", feed_ns=10**9)
    assert replay(tmp_path / "day", laid).is_identical


def test_more_orders_than_the_exchange_holds_are_told(tmp_path, monkeypatch):
    from hftlib.venue.floor import tape_demo

    monkeypatch.setattr(tape_demo, "ORDERS_MAX", 64)
    with pytest.raises(StateError, match="orders of the exchange"):
        lived(market(10), tmp_path / "day")


def test_time_that_stands_still_is_noticed(tmp_path):
    with pytest.raises(StateError, match="Time stood still for more than 131,072 steps"):
        lived(market(3), tmp_path / "day", feed_ns=0, order_ns=0, strategy=Restless)
    assert replay(tmp_path / "day", laid).is_identical
