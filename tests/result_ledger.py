"""A ledger kept by hand: orders, fills and samples as plain Python, and the result made of them."""

import random

import numpy as np

from hftlib.book.reading import NO_PRICE
from hftlib.core import orders as o
from hftlib.core.events import BUY, SELL
from hftlib.core.instruments import Instruments
from hftlib.engine.log import EQUITY, MARKOUT
from hftlib.research.result import Result

T0 = 1_577_716_200_000_000_000  # 2019-12-30 09:30 in New York
MS, S = 10**6, 10**9
ABOUT = {"strategy": "Maker", "tape": "day.tape", "zone": "America/New_York"}


def market(*symbols: str, **more) -> Instruments:
    made = Instruments()
    for symbol in symbols or ("AAPL",):
        made.add(symbol, venue="XNAS", calendar="XNAS", **{"price_unit": "0.01", **more})
    return made


class Ledger:
    """What a strategy did; all amounts as counts of units, all times after T0."""

    def __init__(self, instruments: Instruments) -> None:
        self.instruments = instruments
        self.orders: list[dict] = []
        self.fills: list[dict] = []
        self.samples: list[dict] = []
        self.markouts: list[dict] = []

    def order(self, side, quantity, price, sent, *, instrument=0, twice_mid=NO_PRICE, **more):
        """An order sent then, heard of as accepted 2 ms later; its number."""
        one = {"id": len(self.orders) + 1, "side": side, "quantity": quantity, "price": price}
        one |= {"instrument": instrument, "twice_mid": twice_mid, "kind": o.LIMIT, "lasts": o.DAY}
        one |= {"sent": T0 + sent, "venue_accepted": T0 + sent + MS, "accepted": T0 + sent + 2 * MS}
        self.orders.append(one | {"state": o.LIVE, "filled": 0, "value": 0, "fees": 0} | more)
        return one["id"]

    def fill(self, order, quantity, price, time, *, fee=0, twice_mid=NO_PRICE, taker=0, after=()):
        """A fill at the venue then, heard of 1 ms later; `after` is the middle at each horizon."""
        ours = self.orders[order - 1]
        ours["filled"] += quantity
        ours["value"] += price * quantity
        ours["fees"] += fee
        if ours["filled"] == ours["quantity"]:
            ours["state"] = o.FILLED_WHOLE
        position, cash, _ = self.held(ours["instrument"])
        signed = quantity if ours["side"] == BUY else -quantity
        one = {
            "number": len(self.fills) + 1,
            "order": order,
            "time": T0 + time,
            "price": price,
            "fee": fee,
        }
        one |= {
            "received": T0 + time + MS,
            "quantity": quantity,
            "twice_mid": twice_mid,
            "taker": taker,
        }
        one |= {"position": position + signed, "cash": cash - signed * price}
        one |= {"sent_mid": ours["twice_mid"], "entered": ours["venue_accepted"], "match": time}
        one |= {"instrument": ours["instrument"], "side": ours["side"]}
        self.fills.append(one)
        for horizon, mid in enumerate(after):
            self.markouts.append({"fill": one["number"], "horizon": horizon, "twice_mid": mid})

    def sample(self, time, twice_mid, *, instrument=0, volume=0):
        position, cash, fees = self.held(instrument)
        one = {
            "time": T0 + time,
            "position": position,
            "cash": cash,
            "fees": fees,
            "twice_mid": twice_mid,
        }
        self.samples.append(one | {"volume": volume, "instrument": instrument})

    def held(self, instrument):
        """Position, cash and fees by adding up the fills."""
        position = cash = fees = 0
        for one in self.fills:
            if one["instrument"] == instrument:
                signed = one["quantity"] if one["side"] == BUY else -one["quantity"]
                position, cash = position + signed, cash - signed * one["price"]
                fees += one["fee"]
        return position, cash, fees

    def result(self, **more) -> Result:
        return Result(
            self.instruments,
            records(o.ORDER, self.orders),
            records(o.FILL, self.fills),
            records(EQUITY, self.samples),
            records(MARKOUT, self.markouts),
            **{"about": ABOUT, **more},
        )


def records(dtype, rows):
    made = np.zeros(len(rows), dtype)
    for n, row in enumerate(rows):
        for name, value in row.items():
            made[n][name] = value
    return made


def round_trip() -> Ledger:
    """100 shares of AAPL bought in two parts by standing, sold at once by taking."""
    ledger = Ledger(market())
    ledger.sample(0, 20_002, volume=1_000)
    bid = ledger.order(BUY, 100, 10_000, MS, twice_mid=20_002)
    ledger.fill(bid, 60, 10_000, S, fee=-12, twice_mid=20_002, after=(20_002, 20_000, NO_PRICE))
    ledger.fill(bid, 40, 10_000, 2 * S, fee=-8, twice_mid=20_002, after=(20_002, 20_006, 20_010))
    ledger.sample(3 * S, 19_990, volume=1_500)
    offer = ledger.order(SELL, 100, 10_005, 4 * S, twice_mid=20_012, lasts=o.IOC)
    ledger.fill(
        offer, 100, 10_005, 5 * S, fee=30, twice_mid=20_012, taker=1, after=(20_012, 20_020)
    )
    ledger.sample(10 * S, 20_012, volume=2_000)
    return ledger


def random_ledger(seed: int, fills: int = 60, symbols: int = 3) -> Ledger:
    """Fills of several instruments in two currencies, samples each second, gaps in the middles."""
    dice = random.Random(seed)
    made = Instruments()
    for n in range(symbols):
        currency = "USD" if n < 2 else "EUR"
        unit, lot = (("0.01", 1), ("1/64", "0.001"), ("0.5", 10))[n % 3]
        made.add(f"S{n}", venue="XNAS", currency=currency, price_unit=unit, lot_unit=lot, tick=2)
    ledger, mids, time = Ledger(made), [2 * dice.randrange(500, 900) for _ in range(symbols)], 0
    volumes = [0] * symbols
    for _ in range(fills):
        time += dice.randrange(1, 3 * S)
        row, side = dice.randrange(symbols), dice.choice((BUY, SELL))
        mids[row] += dice.randrange(-6, 7)
        twice = mids[row] if dice.random() < 0.9 else NO_PRICE
        limit = mids[row] // 2 + (40 if side == BUY else -40)
        order = ledger.order(side, dice.randrange(20, 40), limit, time, instrument=row)
        ledger.orders[-1]["twice_mid"] = mids[row] if dice.random() < 0.9 else NO_PRICE
        for _ in range(dice.randrange(0, 3)):
            time += dice.randrange(2 * MS, S)
            price = mids[row] // 2 + dice.randrange(-3, 4)
            after = [mids[row] + dice.randrange(-9, 10) for _ in range(dice.randrange(4))]
            after = [mid if dice.random() < 0.8 else NO_PRICE for mid in after]
            more = {"fee": dice.randrange(-3, 8), "twice_mid": twice, "taker": dice.randrange(2)}
            ledger.fill(order, dice.randrange(1, 11), price, time, after=after, **more)
        for one in range(symbols):
            volumes[one] += dice.randrange(100)
            known = mids[one] if dice.random() < 0.7 else NO_PRICE
            ledger.sample(time + 2 * MS, known, instrument=one, volume=volumes[one])
        time += 3 * MS
    return ledger
