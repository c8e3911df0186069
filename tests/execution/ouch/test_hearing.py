"""Each message of the venue, and the report it becomes."""

from __future__ import annotations

import pytest
from fuzzing import fuzz_seconds, fuzzed
from ouch_desk import SECOND, Desk
from test_asking import desk_of

from hftlib.core import jit, orders, ouch
from hftlib.core.ouch import codes

pytestmark = pytest.mark.modes


def told(desk: Desk, letter: str, options: dict | None = None, **fields: object) -> list[dict]:
    """The reports that a message of the venue becomes."""
    begin = len(desk.reports)
    fields = {"timestamp": 5_000, **fields}
    desk.venue.said.append(bytes(ouch.outbound(letter, options, **fields)))
    desk.from_venue()
    return desk.reports[begin:]


def standing(**settings) -> tuple[Desk, int]:
    """A desk with one order for 100 at 1.0000, user reference 1, that the venue is said to have."""
    desk = desk_of(day_start=SECOND * 1_000, **settings)
    number = desk.new(100)
    accepted = {"quantity": 100, "price": "1", "reference": 77, "state": "L", "symbol": "AAA"}
    (report,) = told(desk, "A", urn=1, side="B", **accepted)
    assert (report["kind"], report["other"], report["quantity"]) == (orders.ACCEPTED, 77, 100)
    assert report["time"] == 1_000 * SECOND + 5_000 and report["received"] == desk.now
    assert report["sequence"] == desk.client.next - 1
    return desk, number


def test_an_execution_is_a_fill_that_takes_or_makes():
    for flag, takes in (("R", orders.TAKER), ("A", 0), ("m", orders.TAKER), ("?", 0)):
        desk, number = standing()
        (fill,) = told(desk, "E", urn=1, quantity=40, price="0.9999", liquidity=flag, match=9)
        assert (fill["kind"], fill["reference"], fill["other"]) == (orders.FILLED, number, 9)
        assert (fill["price"], fill["quantity"], fill["flags"]) == (9_999, 40, takes)
        (last,) = told(desk, "E", urn=1, quantity=60, price="1", liquidity="A", match=10)
        assert desk.room.order(number)["state"] == orders.FILLED_WHOLE
        assert desk.room.position()["quantity"] == 100 and last["quantity"] == 60


@pytest.mark.parametrize("letter", [*codes.CANCELS, "?"])
def test_an_end_is_told_for_its_reason(letter):
    desk, number = standing()
    (end,) = told(desk, "C", urn=1, quantity=100, reason=letter)
    reason = codes.CANCELS.get(letter, ("", orders.VENUE_DECIDED))[1]
    kind = orders.EXPIRED if letter in codes.EXPIRING else orders.CANCELED
    assert (end["kind"], end["other"], end["quantity"]) == (kind, reason, 100)
    state = desk.room.order(number)["state"]
    assert state == (orders.WAS_EXPIRED if kind == orders.EXPIRED else orders.WAS_CANCELED)


@pytest.mark.parametrize("code", [*codes.REJECTS, 0, 0x99, 0xFFFF])
def test_a_rejection_is_told_for_its_reason(code):
    desk = desk_of()
    number = desk.new(100)
    (report,) = told(desk, "J", urn=1, reason=code)
    reason = codes.REJECTS.get(code, ("", orders.VENUE_DECIDED))[1]
    assert (report["kind"], report["other"]) == (orders.REJECTED, reason)
    assert desk.room.order(number)["state"] == orders.WAS_REJECTED
    assert told(desk, "J", urn=1, reason=code) == [] and desk.count("late") == 1


def test_a_self_match_takes_shares_off_or_ends_an_order():
    desk, number = standing()
    (less,) = told(desk, "D", urn=1, quantity=30, reason="Q")
    assert (less["kind"], less["quantity"], less["other"]) == (
        *(orders.RESTATED, 70, orders.SELF_MATCH),
    )
    assert desk.room.order(number)["quantity"] == 70
    (end,) = told(desk, "D", urn=1, quantity=70, reason="Q")
    assert (end["kind"], end["other"]) == (orders.CANCELED, orders.SELF_MATCH)


def test_less_than_was_asked_for_is_told_with_the_acceptance():
    desk = desk_of()
    number = desk.new(100)
    accepted, restated = told(desk, "A", urn=1, quantity=80, price="0.99", reference=1, state="L")
    assert (accepted["kind"], accepted["quantity"]) == (orders.ACCEPTED, 80)
    assert (restated["kind"], restated["quantity"], restated["price"]) == (
        *(orders.RESTATED, 80, 9_900),
    )
    row = desk.room.order(number)
    assert (row["quantity"], row["price"], row["state"]) == (80, 9_900, orders.LIVE)


def test_an_order_that_is_dead_when_it_is_accepted_is_over():
    desk = desk_of()
    number = desk.new(100)
    reports = told(desk, "A", urn=1, quantity=100, price="1", reference=1, state="D")
    assert [one["kind"] for one in reports] == [orders.ACCEPTED, orders.CANCELED]
    assert desk.room.order(number)["state"] == orders.WAS_CANCELED


def test_a_replace_takes_the_place_and_a_refused_one_does_not():
    desk, number = standing()
    desk.replace(number, 300, 10_100)
    assert desk.room.order(number)["state"] == orders.PENDING_REPLACE
    fields = {"original": 1, "urn": 2, "quantity": 300, "price": "1.01", "reference": 78}
    (report,) = told(desk, "U", state="L", **fields)
    assert (report["kind"], report["price"], report["quantity"]) == (orders.REPLACED, 10_100, 300)
    assert told(desk, "U", state="L", **fields) == [] and desk.count("repeated") == 1
    (fill,) = told(desk, "E", urn=2, quantity=10, price="1", liquidity="A", match=3)
    assert fill["reference"] == number
    desk.replace(number, 400, 10_200)
    (refused,) = told(desk, "J", urn=3, reason=0x15)
    assert (refused["kind"], refused["other"]) == (orders.REPLACE_REJECTED, orders.VENUE_DECIDED)
    assert desk.room.order(number)["state"] == orders.PARTLY_FILLED
    assert told(desk, "C", urn=1, quantity=5, reason="U") == [], "that reference was replaced"


@pytest.mark.parametrize("said", [300, 260, 200], ids=["in all", "open", "less"])
def test_what_a_replaced_order_is_open_for_however_the_venue_counts(said):
    desk, number = standing()
    told(desk, "E", urn=1, quantity=40, price="1", liquidity="A", match=3)
    desk.replace(number, 300, 10_100)
    fields = {"original": 1, "urn": 2, "price": "1.01", "reference": 78, "state": "L"}
    reports = told(desk, "U", quantity=said, **fields)
    left = 200 if said == 200 else 260
    assert reports[0]["quantity"] == left and len(reports) == (2 if said == 200 else 1)
    row = desk.room.order(number)
    assert int(row["quantity"]) - int(row["filled"]) == left


def test_an_order_that_ends_answers_the_replace_that_never_will_be():
    for letter, fields in (
        ("C", {"quantity": 100, "reason": "Z"}),
        ("E", {"quantity": 100, "price": "1", "liquidity": "A", "match": 4}),
    ):
        for replaced in ((300, 10_100), (50, 10_000)):
            desk, number = standing()
            desk.replace(number, *replaced)
            told(desk, letter, urn=1, **fields)
            assert "REPLACE_REJECTED" in desk.kinds(number)
            assert desk.room.order(number)["state"] >= orders.OVER
            assert desk.room.count("impossible") == 0


def test_a_refused_cancel_is_told():
    desk, number = standing()
    desk.cancel(number)
    assert told(desk, "P", urn=1) == []
    (report,) = told(desk, "I", urn=1)
    assert (report["kind"], report["other"]) == (orders.CANCEL_REJECTED, orders.VENUE_DECIDED)
    assert desk.room.order(number)["state"] == orders.LIVE
    assert told(desk, "I", urn=1) == []
    desk.replace(number, 60)
    (report,) = told(desk, "I", urn=1)
    assert report["kind"] == orders.REPLACE_REJECTED
    assert desk.cancel(number) == 0, "it may be asked again"


def test_a_broken_trade_is_taken_back_and_is_not_offered_again():
    desk, number = standing()
    told(desk, "E", urn=1, quantity=40, price="1", liquidity="A", match=3)
    (report,) = told(desk, "B", urn=1, match=3, reason="E")
    assert (report["kind"], report["other"]) == (orders.BROKEN, 3)
    assert desk.room.position()["quantity"] == 0
    (end,) = told(desk, "C", urn=1, quantity=60, reason="Z")
    assert end["quantity"] == 60 and desk.room.order(number)["state"] >= orders.OVER
    (late,) = told(desk, "B", urn=1, match=4, reason="E")
    assert late["kind"] == orders.BROKEN, "of an order that is over, too"


def test_what_the_venue_changes_by_itself_is_told():
    desk, number = standing()
    (report,) = told(desk, "T", urn=1, price="1.02", reference=99)
    assert (report["kind"], report["price"], report["quantity"]) == (orders.RESTATED, 10_200, 100)
    (report,) = told(desk, "M", urn=1, side="T", quantity=70)
    assert (report["kind"], report["quantity"]) == (orders.RESTATED, 70)
    (report,) = told(desk, "R", {"display_quantity": 10}, urn=1, reason="R")
    assert (report["kind"], report["quantity"]) == (orders.RESTATED, 70)
    assert desk.room.order(number)["price"] == 10_200


def test_a_fill_of_an_order_that_is_over_is_told_all_the_same():
    desk, number = standing()
    told(desk, "C", urn=1, quantity=100, reason="U")
    (fill,) = told(desk, "E", urn=1, quantity=5, price="1", liquidity="A", match=8)
    assert (fill["kind"], fill["reference"]) == (orders.FILLED, number)
    assert desk.count("late") == 1 and desk.room.position()["quantity"] == 5


def test_strangers_are_counted_with_their_reference():
    desk, _ = standing()
    assert told(desk, "E", urn=55, quantity=5, price="1", liquidity="A", match=8) == []
    assert (desk.count("strangers"), desk.count("stranger")) == (1, 55)
    assert told(desk, "A", urn=0, quantity=5) == [] and desk.count("strangers") == 2


def test_a_message_whose_appendage_is_broken_still_counts():
    desk, number = standing()
    fill = ouch.outbound("E", urn=1, quantity=5, price="1", liquidity="A", match=8)
    desk.venue.said.append(bytes(fill) + b"\3\2\1")
    desk.from_venue()
    assert desk.kinds(number)[-1] == "FILLED" and desk.count("unreadable") == 1
    desk.venue.said += [b"", b"E\0", b"Z" * 30]
    desk.from_venue()
    assert desk.count("unreadable") == 4 and desk.kinds(number)[-1] == "FILLED"


def test_the_end_of_the_day_closes_the_door():
    desk, _ = standing()
    assert told(desk, "S", event="E") == []
    assert desk.new(100) > 0 and desk.last()["other"] == orders.CUT_OFF
    told(desk, "S", event="S")
    desk.new(100)
    assert desk.last()["other"] == orders.CUT_OFF and len(desk.reports) == 2


def test_garbage_from_the_venue_never_breaks_the_gateway():
    desk, _ = standing()
    samples = [
        bytes(ouch.outbound(letter, urn=1) if letter not in "SQU" else ouch.outbound(letter))
        for letter in ouch.OUTBOUND
    ]
    rounds = None if jit.COMPILED else 100
    for n, data in enumerate(fuzzed(samples, seconds=fuzz_seconds(), rounds_max=rounds)):
        desk.venue.said.append(data[:500])
        if n % 20 == 0:
            desk.venue.said = desk.venue.said[-20:]
            if int(desk.server.stream["count"][0]) > 16_000:
                break
            desk.from_venue()
    assert desk.count("heard") > 10
