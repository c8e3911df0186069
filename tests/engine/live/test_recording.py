"""A day over again: what a gap that fills brings in one frame is kept, however much it is."""

from floor_desk import Floor
from floor_trial import Trial, listened_to, trade
from replay_twin import written

from hftlib.core.journal import kinds
from hftlib.core.journal.reading import Frame, frames
from hftlib.engine.live.recording import Recording
from hftlib.engine.live.replaying import about
from hftlib.ops.launching import laid
from hftlib.ops.modes import Mode

TICK_NS = 1_000
ASKER = """import hftlib as hft


@hft.strategy
class Asker:
    def on_book(self, ctx, i):
        b = ctx.book(i)
        for n in range(10):  # a quote would wait for a book that is whole: these are refused
            ctx.buy(i, 10.0 + n * b.tick, 100)
"""


def gapped(said, day):
    """The same day on one line, quickly, its second datagram with messages the last to come."""
    told = {}
    for frame in day:
        count = int.from_bytes(frame.payload[18:20], "big")
        if frame.kind == kinds.DATAGRAM and count:
            told.setdefault(int.from_bytes(frame.payload[10:18], "big"), frame.payload)
    first, second, *rest = [told[number] for number in sorted(told)]
    order = [first, *rest, second]
    live, made, begin = laid(said), [], day[0].time
    for n, payload in enumerate(order):
        time = begin + n * TICK_NS
        made.append(Frame(0, time, kinds.DATAGRAM, 0, payload))
        assert live.take(kinds.DATAGRAM, 0, time, payload) == 0
        made += [Frame(0, time, *said_so) for said_so in live.outputs()]
    return made, live


def test_a_gap_that_fills_with_thousands_of_refusals_is_kept_whole(tmp_path):
    with Floor() as floor:
        listened_to(floor)
        small = tmp_path / "limits.toml"
        small.write_text("[firm]\norder_quantity_lots = 1\n")  # so each order is refused
        (tmp_path / "asker.py").write_text(ASKER)
        asker = f"{tmp_path / 'asker.py'}:Asker"
        shadow = {"limits": small, "mode": Mode("shadow")}
        trial = Trial(floor, tmp_path / "day.journal", asker, **shadow)
        trial.runner.start()
        trade(floor, 420)
        want = int(floor.exchange.record["messages"][0])
        floor.until(lambda: trial.counts("messages") >= want)
        trial.runner.stop()
        said = about(trial.folder)
        day = [f for f in frames(trial.folder) if f.time][1:]
    made, live = gapped(said, day)
    folder = written(tmp_path / "late", said, made, {})
    refused = int(live.session.seats[0]["session"]["refused"][0].sum())
    assert refused > 2_048 and live.header["emptied"] > 0, "more than the log holds of one frame"
    run = Recording(folder, said)
    run.go()
    assert len(run.refusals) == refused and run.live.header["emptied"] == 0
