"""Conservation: books that balance are silent, and each spoilt number is named."""

import pytest
from result_ledger import MS, T0, Ledger, S, market, random_ledger, round_trip

from hftlib.core import orders as o
from hftlib.core.events import BUY, SELL


@pytest.mark.parametrize("seed", range(20))
def test_random_books_balance(seed):
    assert random_ledger(seed).result().check() == []


def test_hand_made_books_balance():
    assert round_trip().result().check() == []


@pytest.mark.parametrize(
    ("rows", "number", "field", "value", "sentence"),
    [
        (
            "fills",
            1,
            "position",
            99,
            "AAPL: after fill 2 the position is 99, its fills add up to 100",
        ),
        ("fills", 2, "cash", 499, "AAPL: after fill 3 the cash is 499, its fills add up to 500"),
        ("fills", 0, "fee", -11, "order 1 says fees -20, its fills add up to -19"),
        ("fills", 0, "number", 4, "3 fills bear numbers from 2 to 4, and 1 of 1 to 3 are missing"),
        ("fills", 0, "number", 3, "3 fills bear numbers from 2 to 3, and 1 of 1 to 3 are missing"),
        ("fills", 0, "quantity", 0, "fill 1 is of 0 lots"),
        ("fills", 0, "side", 0, "fill 1 neither buys nor sells"),
        ("fills", 0, "side", SELL, "fill 1 and its order 1 differ in their side"),
        ("fills", 0, "strategy", 3, "fill 1 and its order 1 differ in their strategy"),
        ("fills", 0, "received", T0 + 9 * S, "fill 2 was received before fill 1"),
        ("fills", 0, "received", T0 + S - 1, "fill 1 was received before it happened"),
        ("fills", 0, "entered", T0 + S + 1, "fill 1 happened before its order entered the queue"),
        ("fills", 1, "order", 9, "fill 2 is of order 9, which is not there"),
        ("fills", 0, "price", 10_001, "fill 1 at 10001 is beyond the limit 10000 of order 1"),
        ("orders", 1, "price", 10_006, "fill 3 at 10005 is beyond the limit 10006 of order 2"),
        ("orders", 0, "filled", 99, "order 1 says filled 99, its fills add up to 100"),
        ("orders", 0, "value", 5, "order 1 says value 5, its fills add up to 1000000"),
        ("orders", 0, "quantity", 99, "order 1 asked for 99 lots and got 100"),
        ("orders", 0, "id", 2, "order 2 is there more than once"),
        ("orders", 1, "sent", T0 + 6 * S, "fill 3 was received before order 2 was sent"),
        ("samples", 1, "position", 101, "AAPL: the sample at 1577716203000000000 has position 101"),
        ("samples", 1, "fees", 0, "AAPL: the sample at 1577716203000000000 has position 100, cash"),
        ("samples", 2, "time", T0 + S, "AAPL: sample 3 is before sample 2"),
        ("markouts", 0, "fill", 44, "markout 1 is of fill 44, which is not there"),
        ("markouts", 0, "horizon", 3, "markout 1 is of horizon 3; there are 3, counted from 0"),
        ("markouts", 0, "horizon", 1, "fill 1 has more than one markout at horizon 1"),
    ],
)
def test_each_spoilt_number_is_named(rows, number, field, value, sentence):
    ledger = round_trip()
    ledger.__dict__[rows][number][field] = value
    found = ledger.result().check()
    assert any(one.startswith(sentence) for one in found), found


def test_a_limit_that_was_replaced_is_not_held_against_earlier_fills():
    ledger = round_trip()
    ledger.orders[0] |= {"price": 9_990, "replaces": 1}
    assert ledger.result().check() == []


def test_an_order_that_ends_unfilled_says_why():
    ledger = round_trip()
    ledger.order(BUY, 5, 10_000, 6 * S, state=o.FILLED_WHOLE)
    assert ledger.result().check() == ["order 3 ended unfilled and without a reason"]
    ledger.orders[2]["reason"] = o.ASKED
    assert ledger.result().check() == []


def test_a_sample_of_the_same_moment_may_be_before_or_after_the_fill():
    for late in (False, True):
        ledger = Ledger(market())
        order = ledger.order(BUY, 5, 10_000, 0)
        if not late:
            ledger.sample(S + MS, 20_000)
        ledger.fill(order, 3, 10_000, S)
        ledger.fill(order, 2, 10_000, S)
        if late:
            ledger.sample(S + MS, 20_000)
        assert ledger.result().check() == []


def test_what_was_traded_has_samples_to_the_end():
    ledger = Ledger(market())
    ledger.fill(ledger.order(BUY, 5, 10_000, 0), 5, 10_000, S)
    assert ledger.result().check() == ["AAPL was traded and has no sample of its equity"]
    ledger.samples = [{"time": T0, "twice_mid": 20_000}]
    assert ledger.result().check() == ["AAPL: the last sample is from before the last fill"]


def test_there_are_ten_sentences_of_a_kind_and_a_count():
    ledger = random_ledger(1)
    for one in ledger.fills:
        one["order"] = 999
    found = ledger.result().check()
    assert len([one for one in found if "which is not there" in one]) == 10
    assert f"and {len(ledger.fills) - 10} more of these" in found


def test_reports_of_two_venues_may_overtake_each_other():
    ledger = Ledger(market("AAPL", "MSFT"))
    for row in (0, 1):
        order = ledger.order(BUY, 1, 10_000, row * S, instrument=row)
        ledger.fill(order, 1, 10_000, row * S + MS)
        ledger.sample(9 * S, 20_000, instrument=row)
    first, second = ledger.fills
    first["received"] = second["received"] + MS
    ledger.fills = [second, first]
    assert ledger.result().check() == []
    assert ledger.result().fills.index.tolist() == [2, 1]
