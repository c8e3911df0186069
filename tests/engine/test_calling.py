"""What was refused is told once, however often a strategy asks for the same again."""

import pytest

import hftlib as hft


@hft.strategy
class Stubborn:
    """Sends the same again whenever it hears that it was refused."""

    heard: int = hft.state()
    tried: int = hft.state()

    def on_start(self, ctx):
        ctx.timer(1_000_000_000, 1)

    def on_timer(self, ctx, number):
        self.tried += 1
        ctx.buy(0, 100.0, 1_000)
        ctx.buy(0, 100.0, 1_000)

    def on_order(self, ctx, i, order):
        self.heard += 1
        self.tried += 1
        ctx.buy(0, 100.0, 1_000)


@hft.strategy
class Yielding:
    """Asks for half as much when it is refused."""

    asked: int = hft.state()
    heard: int = hft.state()

    def on_start(self, ctx):
        ctx.timer(1_000_000_000, 1)

    def on_timer(self, ctx, number):
        self.asked = 1 << 20
        ctx.buy(0, 100.0, self.asked)

    def on_order(self, ctx, i, order):
        if self.asked > 10:
            self.heard += 1
            self.asked //= 2
            ctx.buy(0, 100.0, self.asked)


@pytest.fixture(scope="module")
def tape():
    return hft.to_tape(hft.synthetic(symbols=1, seconds=3, seed=7))


def ran(strategy, tape):
    return hft.backtest(strategy, tape, limits=hft.Limits(order_quantity_lots=10))


def test_who_asks_for_the_same_again_hears_of_it_once(tape):
    result = ran(Stubborn, tape)
    # Two at first, both told; what each of them makes it send is counted, and told no more.
    assert len(result.refusals) == 4


def test_who_asks_for_less_hears_of_each(tape):
    result = ran(Yielding, tape)
    assert len(result.refusals) == 17 and result.stats["orders"] == 1, "2**20 to 2**4, then 8"
