"""A strategy of live days that joins, replaces, takes and cancels: its source as a text."""

JOINER = '''
import hftlib as hft

@hft.strategy
class Joiner:
    """Joins both queues, sometimes wants out again, sometimes takes."""

    clip: int = hft.param(100, low=100, high=1000)
    turn: int = hft.state()
    mine: int = hft.state()

    def on_book(self, ctx, i):
        b = ctx.book(i)
        if not (b.is_open and b.has_both):
            return
        self.turn += 1
        if self.turn % 40 == 39:
            ctx.submit(i, hft.BUY, b.ask, self.clip, lasts=hft.IOC)
        elif self.turn % 15 == 14:
            ctx.cancel_all(i)
        elif self.turn % 6 == 5 and self.mine > 0:
            ctx.replace(self.mine, b.bid, self.clip + 100)
            self.mine = 0
        elif ctx.open_orders(i) == 0:
            self.mine = ctx.submit(i, hft.BUY, b.bid, self.clip)
            ctx.submit(i, hft.SELL, b.ask, self.clip)
'''
