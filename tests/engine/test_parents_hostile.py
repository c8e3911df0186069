"""Parents against a venue that loses, delays, doubles, rejects and falls silent.

The judge is the venue's own truth: what it filled for the children of a parent, and what it still
holds open for them. Whatever of it reaches us, that never comes to more than the parent.
"""

import random

import pytest

from hftlib.core import events, jit, orders, parents
from hftlib.core.events import BUY, SELL
from hftlib.core.parents import FINISH
from hftlib.risk.limits import Limits
from tests.engine.parent_desk import ParentDesk

pytestmark = pytest.mark.modes
RUNS = 60 if jit.COMPILED else 4
STEPS = 150
MS = 10**6


class BadVenue:
    """Orders as the venue has them: filled, open. What it says of them goes astray."""

    def __init__(self, desk, chance):
        self.desk, self.chance = desk, chance
        self.filled, self.open, self.over = {}, {}, set()
        self.coming, self.going, self.silent_until = [], [], 0
        self.loses = chance.choice((0.0, 0.05, 0.3))
        self.doubles = chance.choice((0.0, 0.05, 0.3))

    def take_commands(self):
        for what, order, _side, price, quantity in self.desk.sent():
            if self.chance.random() < self.loses / 2:
                continue  # it never arrives
            due = self.desk.time + self.chance.randrange(0, 50 * MS)
            self.coming.append((due, len(self.coming), what, order, price, quantity))

    def say(self, kind, order, **fields):
        for _ in range(1 + (self.chance.random() < self.doubles)):
            if self.chance.random() >= self.loses:
                late = 500 * MS if self.chance.random() < 0.1 else 20 * MS
                due = self.desk.time + self.chance.randrange(0, late)
                self.going.append((due, len(self.going), kind, order, fields))

    def step(self):
        self.take_commands()
        silent = self.desk.time < self.silent_until
        for item in sorted(i for i in self.coming if i[0] <= self.desk.time and not silent):
            self.coming.remove(item)
            self.obey(*item[2:])
        if self.chance.random() < 0.02:
            self.silent_until = self.desk.time + 300 * MS
        for order in list(self.open):
            if self.open[order] > 0 and self.chance.random() < 0.3 and not silent:
                self.trade(order)
        for item in sorted((i for i in self.going if i[0] <= self.desk.time), key=lambda i: i[:2]):
            self.going.remove(item)
            self.desk.report(item[2], item[3], **item[4])
            self.take_commands()

    def trade(self, order):
        lots = self.chance.randint(1, self.open[order])
        self.open[order] -= lots
        self.filled[order] += lots
        self.say(orders.FILLED, order, price=10_000, quantity=lots, other=1)
        if self.open[order] == 0:
            self.over.add(order)

    def obey(self, what, order, price, quantity):
        if what == "new":
            self.filled[order], self.open[order] = 0, 0
            if self.chance.random() < 0.15:
                self.over.add(order)
                self.say(orders.REJECTED, order, other=orders.HALTED, quantity=quantity)
                return
            self.open[order] = quantity
            self.say(orders.ACCEPTED, order, other=order, price=price, quantity=quantity)
        elif order not in self.open or order in self.over or self.chance.random() < 0.1:
            kind = orders.CANCEL_REJECTED if what == "cancel" else orders.REPLACE_REJECTED
            self.say(kind, order, other=orders.UNKNOWN_ORDER)
        elif what == "cancel":
            left, self.open[order] = self.open[order], 0
            self.over.add(order)
            self.say(orders.CANCELED, order, other=orders.ASKED, quantity=left)
        else:
            left = max(0, quantity - self.filled[order])
            self.open[order] = left
            if left == 0:
                self.over.add(order)
            self.say(orders.REPLACED, order, price=price, quantity=left)


def wishes(chance, rows):
    """Any algorithm, with settings that make it busy."""
    side, quantity = chance.choice((BUY, SELL)), chance.randint(50, 400)
    common = {"side": side, "quantity": quantity, "gap": 0.005, "patience": 0.05, "clip": 1}
    seconds = chance.choice((0.3, 1.0))
    made = [
        {"algo": parents.TWAP, "seconds": seconds, "slices": 5, "jitter": 0.5},
        {"algo": parents.TWAP, "seconds": seconds, "slices": 3, "flags": FINISH},
        {"algo": parents.IS, "seconds": seconds, "slices": 5, "urgency": 2.0},
        {"algo": parents.POV, "rate": 0.3},
        {"algo": parents.PEG, "peg": chance.randint(1, 3), "seconds": seconds},
        {"algo": parents.ICEBERG, "limit": 10_000.0, "display": 30},
    ]
    if rows > 1:
        made = [
            {"algo": parents.SWEEP},
            {"algo": parents.SWEEP, "seconds": seconds},
            {"algo": parents.SPLIT, "seconds": seconds, "flags": FINISH},
            {"algo": parents.POST, "seconds": seconds},
        ]
    return common | chance.choice(made)


@pytest.mark.parametrize("rows", [1, 3])
def test_children_never_come_to_more_than_their_parent(rows):
    whole = busy = told = 0
    for seed in range(RUNS):
        chance = random.Random(1000 * rows + seed)
        desk = ParentDesk(
            "AAA",
            venues=[f"V{n}" for n in range(rows)],
            orders_max=64,
            limits=Limits(position_lots=10**9),
        )
        venue, owns, numbers = BadVenue(desk, chance), {}, {}
        for step in range(STEPS):
            if step % 15 == 0:
                wish = wishes(chance, rows)
                number = desk.begin(**wish)
                assert number > 0
                numbers[number] = wish["quantity"]
            if chance.random() < 0.4:
                row, price = chance.randrange(rows), chance.randrange(95, 106) * 100
                if chance.random() < 0.3:
                    desk.trade(price, chance.randint(1, 200), row=row)
                else:
                    desk.show(price, price + 100, chance.randint(1, 300), row=row)
            if chance.random() < 0.02:
                state = chance.choice((events.HALTED, events.TRADING))
                desk.event(events.STATUS, row=chance.randrange(rows), reference=state)
            if chance.random() < 0.03:
                what = chance.choice((parents.PAUSE_PARENT, parents.RESUME_PARENT))
                desk.steer(chance.choice(list(numbers)), what)
            desk.until(desk.time + chance.randrange(1, 40 * MS))
            note_owners(desk, owns)
            venue.step()
            note_owners(desk, owns)
            judge(desk, venue, owns, numbers)
        venue.loses = 0.0
        for _ in range(30):  # what is under way still arrives
            desk.time += 40 * MS
            venue.step()
            note_owners(desk, owns)
            judge(desk, venue, owns, numbers)
        busy += len(owns)
        whole += sum(lots == numbers[parent] for parent, lots in totals(venue, owns).items())
        told += sum(int(desk.parent(number)["unknown"]) > 0 for number in numbers)
        assert not desk.refused().get(orders.REASONS[orders.ABOVE_PARENT]), "none asks for more"
    assert busy > RUNS * 15, "otherwise nothing was tried"
    assert whole > RUNS, "some are filled whole all the same"
    assert told > 0, "some ends did not add up"


def note_owners(desk, owns):
    """Which order is whose child, kept beyond the order's own memory."""
    mask = parents.PARENTS_MAX - 1
    for row in desk.session.arena["own_orders"]:
        if row["parent"]:
            parent = desk.session.arena["parent_rows"][int(row["parent"]) & mask]
            owns.setdefault(int(row["id"]), int(parent["id"]))


def judge(desk, venue, owns, numbers):
    for parent, lots in totals(venue, owns).items():
        assert lots <= numbers[parent], f"parent {parent}: {lots} of {numbers[parent]}"


def totals(venue, owns):
    """What the venue filled and still holds, by parent."""
    made = dict.fromkeys(owns.values(), 0)
    for order, parent in owns.items():
        made[parent] += venue.filled.get(order, 0) + venue.open.get(order, 0)
    return made
