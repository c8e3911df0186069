"""Days of every sort, by real runners on real sockets: what the tests of the report look at."""

from __future__ import annotations

from floor_desk import Floor
from floor_trial import Resumed, Trial, begun, killed, listened_to, trade
from live_joiner import JOINER
from switch_trial import Blue, Green

from hftlib.core import clock
from hftlib.ops.modes import Mode
from hftlib.risk.people import halt, lift, set_limit

LIMITS = """
[instrument."*"]
position_lots = 500
order_quantity_lots = 300
[strategy."*"]
daily_loss_money = 5_000
[firm]
gross_exposure_money = 200_000
messages = 5_000
"""
EVIL = "<b>&\"'=cmd"  # of a person who would like to be HTML, or a formula
WALL = {"pace": "wall"}


def traded(place):
    limits, idea = place / "limits.toml", place / "joiner.py"
    limits.write_text(LIMITS)
    idea.write_text(JOINER)
    with Floor(clock=WALL) as floor:
        trial = begun(
            listened_to(floor), place / "day.journal", [f"{idea}:Joiner", "QueueImbalance"],
            limits=limits, fees={"taker": "1bp", "maker": "-0.2bp"},
        )  # fmt: skip
        trade(floor, 25)
        tell(trial, halt, "strategy:Joiner", who=EVIL, why="odd <i>fills</i>")
        trade(floor, 5)
        eve = {"who": "eve", "why": "alone", "role": "trader"}
        tell(trial, lift, "strategy:Joiner", **eve)
        tell(trial, lift, "strategy:Joiner", who="bob", why="explained", role="risk")
        tell(trial, set_limit, "instrument:AAA", who="bob", why="calm", position_lots=400)
        trade(floor, 10)
        again = Resumed(floor, killed(trial))
        again.runner.start()
        floor.until(lambda: again.runner.live.gateway(0)["state"] == 3)
        floor.until(lambda: again.recovery.is_over, 20)
        trade(floor, 10)
        again.close()
        floor.others.remove(again)
    return place / "day.journal"


def tell(trial, what, scope, **said):
    """A directive, heard by the hot thread before the market goes on."""
    frames = trial.runner.journal.sequence
    told = what(scope, at=0, **said).row(trial.runner.live.session.risk, clock.now_ns())
    assert trial.runner.tell(told)
    trial.floor.until(lambda: trial.runner.journal.sequence > frames + 3)


def switched(place):
    """As tests/ops/test_take_over.py has it: both journals."""
    with Floor() as floor:
        trial = begun(listened_to(floor), place / "blue.journal")
        trade(floor, 20)
        blue = Blue(trial, place / "runner.socket")
        green = Green(floor, place / "green.journal", blue.path)
        green.runner.start()
        floor.until(lambda: green.take.is_over or green.failed)
        assert green.failed is None
        blue.thread.join(5)
        trade(floor, 20)
        green.runner.stop()
        floor.others.remove(green)
        green.take.close()
    return place / "blue.journal", place / "green.journal"


def shadowed(place):
    with Floor() as floor:
        mode = Mode("shadow", latency_us=50.0)
        trial = Trial(listened_to(floor), place / "shadow.journal", mode=mode)
        trial.runner.start()
        floor.until(lambda: trial.runner.live.sequencers[0].state == "LIVE")
        trade(floor, 20)
        want = int(floor.exchange.record["messages"][0])
        floor.until(lambda: trial.counts("messages") >= want)
        trial.runner.stop()
    return place / "shadow.journal"


def quiet(place):
    with Floor() as floor:
        begun(listened_to(floor), place / "quiet.journal").runner.stop()
    return place / "quiet.journal"
