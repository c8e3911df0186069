"""All that a firm has standing is taken back at the venue, by a session that only takes back."""

from __future__ import annotations

import json

import pytest
from floor_desk import Floor

from hftlib.ops.cancel_command import resort_of
from hftlib.ops.cancel_session import CancelSession
from hftlib.ops.drop_copy import DropCopy
from hftlib.ops.exchanges import Exchanges
from hftlib.ops.last_resort import LastResort
from hftlib.venue.floor.replaying import digest, replayed

NOT_AUTHORISED = 0x0C


class Desk:
    """A last resort beside the floor; what it says is kept."""

    def __init__(self, floor, user="frm1k", password="secret", letters="DC", copies=True):
        places = floor.exchange.places
        self.said = []
        session = CancelSession(tuple(places["order_entry"]), user, password)
        copy = DropCopy(tuple(places["drop_copy"]), "frm1d", "secret") if copies else None
        self.resort = LastResort(session, copy, lambda *told: self.said.append(told), letters)
        floor.others.append(self)

    def turn(self):
        self.resort.turn()

    def close(self):
        self.resort.close()

    def words(self):
        return [what for what, _ in self.said]

    def why(self):
        return " | ".join(more["why"] for what, more in self.said if what == "waits")


@pytest.fixture
def floor():
    with Floor() as made:
        yield made


def standing(floor):
    """How many orders of each session stand, by the engine's own word."""
    own = floor.exchange.engine.arena["owns"]
    return sorted(own["session"][own["number"] != 0].tolist())


def quoted(floor):
    """Two sessions of one firm, one of another, each with orders; the sessions by their names."""
    made = {user: floor.plain(user) for user in ("frm1a", "frm1b", "frm2a")}
    for n, (_user, one) in enumerate(made.items()):
        for urn in (1, 2):
            one.enter(urn, "B", 100 * urn, f"99.{10 + n}", symbol=("AAA", "BBB")[urn - 1])
    floor.until(lambda: all(len(one.letters("A")) == 2 for one in made.values()))
    return made


def test_all_of_the_firm_go_and_nobody_else_and_nothing_new_comes_in(floor):
    traders = quoted(floor)
    assert standing(floor) == [1, 1, 2, 2, 3, 3]
    desk = Desk(floor)
    floor.until(lambda: desk.resort.session.is_open)
    desk.resort.begin("a fire")
    floor.until(lambda: desk.resort.is_done)
    assert desk.words() == ["cancelling", "asked", "answered", "nothing stands"]
    assert desk.resort.is_proved and desk.said[-1][1]["cancelled"] == 4
    assert standing(floor) == [3, 3]
    gone = [(order.of, order.urn, order.symbol, count) for order, count in desk.resort.cancelled]
    assert gone == [(1, 1, "AAA", 100), (1, 2, "BBB", 200), (2, 1, "AAA", 100), (2, 2, "BBB", 200)]
    for user in ("frm1a", "frm1b"):  # its owner hears of each, with the reason
        told = traders[user].letters("C")
        assert [(one.urn, one.reason) for one in told] == [(1, "U"), (2, "U")]
    assert not traders["frm2a"].letters("C")
    traders["frm1a"].enter(3, "B", 100, "99.00")
    traders["frm2a"].enter(3, "B", 100, "99.00")
    floor.until(lambda: traders["frm1a"].letters("J") and len(traders["frm2a"].letters("A")) == 3)
    assert traders["frm1a"].letters("J")[0].reason == NOT_AUTHORISED


def test_at_several_venues_each_is_asked_and_proved_and_said_by_its_name(floor, tmp_path):
    with Floor() as other:

        class Beside:
            turn, close = staticmethod(other.step), staticmethod(lambda: None)

        floor.others.append(Beside)
        files = {"XNAS": tmp_path / "a.json", "XBOS": tmp_path / "b.json"}
        for one, file in zip((floor, other), files.values(), strict=True):
            quoted(one)
            file.write_text(json.dumps(one.exchange.places) + "\n")
        exchanges = Exchanges([f"{venue}={file}" for venue, file in files.items()], "a test")
        copies = exchanges.copies(dict.fromkeys(files, "frm1d"), dict.fromkeys(files, "secret"))
        said = []
        users = dict.fromkeys(files, "frm1k")
        resorts = resort_of(exchanges, users, "secret", copies, lambda *told: said.append(told))
        floor.others.append(resorts)
        floor.until(lambda: all(one.session.is_open for one in resorts.every))
        resorts.begin("a fire")
        floor.until(lambda: resorts.is_done)
        for venue, one in zip(files, (floor, other), strict=True):
            words = [what for what, more in said if more["venue"] == venue]
            assert words == ["cancelling", "asked", "answered", "nothing stands"]
            assert standing(one) == [3, 3]
        one = resort_of(exchanges, users | {"XNAS": ""}, "secret", copies, print)
        assert isinstance(one, LastResort) and one.copy is copies["XBOS"]
        assert resort_of(exchanges, dict.fromkeys(files, ""), "secret", copies, print) is None


def test_only_one_that_purges_lets_orders_in_again(floor):
    traders = quoted(floor)
    desk = Desk(floor)
    desk.resort.begin("a fire")
    floor.until(lambda: desk.resort.is_done)
    ann = traders["frm1a"]
    ann.send("E", urn=50, firm="FRM1")
    floor.until(lambda: ann.letters("J"))
    assert ann.letters("J")[0].reason == NOT_AUTHORISED and not ann.letters("K")
    floor.exchange.faults.begin(floor.exchange, "refuse orders")  # of all; over for the others
    floor.exchange.faults.end(floor.exchange, "refuse orders")
    for user in ("frm1a", "frm2a"):
        traders[user].enter(3, "B", 100, "99.00")
    floor.until(lambda: len(ann.letters("J")) == 2 and len(traders["frm2a"].letters("A")) == 3)
    desk.close()
    floor.others.remove(desk)
    again = Desk(floor, letters="E", copies=False)
    again.resort.begin("found out")
    floor.until(lambda: again.resort.is_done)
    ann.enter(4, "B", 100, "99.00")
    floor.until(lambda: len(ann.letters("A")) == 3)


def test_one_that_purges_enters_nothing(floor):
    one = floor.plain("frm1k")
    one.enter(1, "B", 100, "99.00")
    floor.until(lambda: one.letters("J"))
    assert one.letters("J")[0].reason == NOT_AUTHORISED and not standing(floor)


def test_a_firm_that_never_sent_anything_has_nothing_standing(floor):
    desk = Desk(floor)
    desk.resort.begin("to be sure")
    floor.step_ns *= 20  # the drop copy's beat says that there is nothing; it comes each second
    floor.until(lambda: desk.resort.is_done)
    assert desk.resort.is_proved and desk.said[-1][1]["heard"] == 0


def test_an_account_of_its_own_orders_alone_is_found_out_by_the_drop_copy(floor):
    quoted(floor)
    desk = Desk(floor, "frm1b", letters="C")
    desk.resort.begin("a fire")
    floor.until(lambda: desk.words().count("asked") >= 3)
    assert not desk.resort.is_done and "2 orders stand; 1/1: B 100 AAA at 99.1" in desk.why()
    assert standing(floor) == [1, 1, 3, 3]


def test_a_session_that_breaks_is_dialled_again_and_asks_again(floor):
    quoted(floor)
    desk = Desk(floor)
    floor.until(lambda: desk.resort.session.is_open)
    floor.exchange.faults.begin(floor.exchange, "hold answers")
    desk.resort.begin("a fire")
    floor.until(lambda: "asked" in desk.words())
    floor.exchange.faults.begin(floor.exchange, "kill sessions", user="frm1k")
    floor.until(lambda: "hung up" in desk.why() or "reset" in desk.why())
    floor.exchange.faults.end(floor.exchange, "hold answers")
    floor.until(lambda: desk.resort.is_done)
    assert desk.words().count("asked") == 2 and standing(floor) == [3, 3]


def test_a_venue_that_answers_nothing_is_dialled_again(floor):
    quoted(floor)
    desk = Desk(floor)
    floor.until(lambda: desk.resort.session.is_open)
    floor.exchange.faults.begin(floor.exchange, "hold answers")
    desk.resort.begin("a fire")
    floor.until(lambda: "does not answer" in desk.why(), 30)
    floor.exchange.faults.end(floor.exchange, "hold answers")
    floor.until(lambda: desk.resort.is_done)


@pytest.mark.parametrize(
    ("user", "password", "why"),
    [("frm1k", "wrong", "refuses the login"), ("nobody", "secret", "refuses the login")],
)
def test_a_login_that_is_refused_is_said(floor, user, password, why):
    desk = Desk(floor, user, password)
    desk.resort.begin("a fire")
    floor.until(lambda: why in desk.why() or "hung up" in desk.why())
    assert not desk.resort.session.is_open


def test_a_port_where_nobody_is_is_said(floor):
    desk = Desk(floor)
    desk.resort.session.address = ("127.0.0.1", 1)
    desk.resort.begin("a fire")
    floor.until(lambda: "nobody answers there" in desk.why())


def test_without_a_drop_copy_nothing_is_proved(floor):
    quoted(floor)
    desk = Desk(floor, copies=False)
    desk.resort.begin("a fire")
    floor.until(lambda: desk.resort.is_done)
    assert desk.words()[-1] == "not proved" and not desk.resort.is_proved
    assert standing(floor) == [3, 3]


def test_the_journal_says_it_again_and_a_restart_keeps_the_lock(tmp_path):
    folder = tmp_path / "day.journal"
    with Floor(exchange={"journal": str(folder)}) as floor:
        quoted(floor)
        desk = Desk(floor)
        desk.resort.begin("a fire")
        floor.until(lambda: desk.resort.is_done)
        before = digest(floor.exchange)
        floor.restart()
        assert digest(floor.exchange) == before and standing(floor) == [3, 3]
        ann = floor.plain("frm1a")
        for letter in "ED":
            ann.send(letter, urn=60 + (letter == "D"))
        ann.enter(9, "B", 100, "99.00")
        floor.until(lambda: len(ann.letters("J")) == 2 and ann.letters("G"))
        now = digest(floor.exchange)
        floor.exchange.stop()
        again = replayed(folder)
        assert digest(again) == now
        again.parts.close()


def test_what_the_drop_copy_says_stands_is_what_stands(floor):
    """Filled in part, replaced, less of it, gone at once: each in its own way."""
    floor.market()
    ann = floor.plain("frm1a")
    copy = DropCopy(tuple(floor.exchange.places["drop_copy"]), "frm1d", "secret")
    ann.enter(1, "B", 700, "100.10")  # 500 of it trade
    ann.enter(2, "B", 300, "99.50")
    ann.enter(3, "B", 300, "99.00", tif="3")  # goes at once
    ann.enter(4, "S", 300, "100.50")
    ann.send("X", urn=4, quantity=120)
    said = {"tif": "0", "display": "Y", "iso": "N", "price": "99.60", "quantity": 250}
    ann.send("U", original=2, urn=5, **said)
    floor.until(lambda: ann.letters("U") and len(ann.letters("C")) == 2)
    copy.hear_to_the_end()
    floor.others.append(copy)
    floor.until(lambda: copy.is_at_the_end)
    found = sorted((one.urn, one.open) for one in copy.standing)
    assert found == [(1, 200), (4, 120), (5, 250)] and len(standing(floor)) == 1 + len(found)
    assert copy.positions == {"AAA": 500}
    assert [(order.urn, count) for _, order, count in copy.called_off] == [(4, 180)]
