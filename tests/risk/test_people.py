"""What people tell risk, as they write it: scopes, roles, names that must not be cut."""

import numpy as np
import pytest

import hftlib as hft
from hftlib.core.errors import InputError
from hftlib.core.instruments import Instruments
from hftlib.risk.authority import ROLES
from hftlib.risk.controls import ACTIVE, HALTED, MONEY_ONE, NAMES, REDUCING
from hftlib.risk.directives import SET_LIMIT, SET_STATE
from hftlib.risk.laying import RiskRoom
from hftlib.risk.limits import Limits
from hftlib.risk.people import in_order, scope_row

SAID = {"at": "10:00", "who": "ann", "why": "odd fills"}


def test_a_symbol_of_two_venues_is_two_scopes_and_none_by_its_symbol_alone():
    table = Instruments()
    for symbol, venue in (("AAA", "XNAS"), ("BBB", "XNAS"), ("AAA", "XBOS")):
        table.add(symbol, venue=venue)
    room = RiskRoom(table, ["one"], Limits(instrument={"AAA": {"position_lots": 7}}))
    rows = [scope_row(room, f"instrument:{one}") for one in ("AAA@XNAS", "BBB", "AAA@XBOS")]
    assert rows == [room.uppers, room.uppers + 1, room.uppers + 2]
    limits = [room.scopes[row][2].get("position_lots") for row in rows]
    assert limits == [7, None, 7], "a limit of the symbol is of each"
    with pytest.raises(InputError, match="no instrument 'AAA' here"):
        scope_row(room, "instrument:AAA")


@pytest.fixture
def room():
    table = Instruments()
    table.add("AAA", venue="XNAS")
    table.add("BBB", venue="XNAS")
    limits = Limits(portfolio={"equities": {"strategies": ["one"]}})
    return RiskRoom(table, ["one", "two"], limits)


def test_each_becomes_a_row(room):
    for made, what, value in (
        (hft.halt("firm", **SAID), SET_STATE, HALTED),
        (hft.reduce("firm", **SAID), SET_STATE, REDUCING),
        (hft.lift("firm", **SAID, second="bob"), SET_STATE, ACTIVE),
        (hft.set_limit("firm", **SAID, position_lots=500), SET_LIMIT, 500),
        (hft.set_limit("firm", **SAID, daily_loss_money=2.5), SET_LIMIT, 25 * MONEY_ONE // 10),
    ):
        row = made.row(room, 77)[0]
        assert (row["what"], row["value"], row["time"], row["scope"]) == (what, value, 77, 0)
        assert (row["who"], row["why"]) == (b"ann", b"odd fills")
    row = hft.set_limit("firm", **SAID, position_lots=5).row(room, 1)[0]
    assert row["which"] == NAMES.index("position_lots")


def test_roles_and_second_people(room):
    row = hft.halt("firm", **SAID).row(room, 1)[0]
    assert (ROLES[row["role"]], ROLES[row["second_role"]]) == ("trader", "")
    row = hft.lift("firm", **SAID).row(room, 1)[0]
    assert (ROLES[row["role"]], ROLES[row["second_role"]]) == ("risk", "")
    row = hft.lift("firm", **SAID, second="bob", second_role="officer").row(room, 1)[0]
    assert (ROLES[row["second_role"]], row["second"]) == ("officer", b"bob")


def test_scopes_by_name(room):
    rows = {
        "firm": 0,
        "portfolio:equities": 1,
        "strategy:one": 3,
        "strategy:two": 4,
        "instrument:AAA": 5,
        "instrument:BBB": 6,
    }
    assert {name: scope_row(room, name) for name in rows} == rows
    for name in ("strategy:three", "strategy", "instrument", "instrument:CCC", "portfolio:all"):
        with pytest.raises(InputError, match=r"There is no"):
            scope_row(room, name)
    one = RiskRoom(room.instruments, ["one"], Limits())
    assert scope_row(one, "strategy") == 2, "there is one only"


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: hft.halt("desk", **SAID), "is no scope"),
        (lambda: hft.halt(5, **SAID), "is no scope"),
        (lambda: hft.halt("", **SAID), "is no scope"),
        (lambda: hft.halt("firm", at="10:00", who="", why="x"), "The who is empty"),
        (lambda: hft.halt("firm", at="10:00", who="ann", why=" "), "The why is empty"),
        (lambda: hft.halt("firm", at="10:00", who="a" * 33, why="x"), "does not fit"),
        (lambda: hft.halt("firm", at="10:00", who="ann", why="ü" * 33), "does not fit"),
        (lambda: hft.halt("firm", at="10:00", who="a\0n", why="x"), "does not fit"),
        (lambda: hft.lift("firm", **SAID, second="b" * 33), "does not fit"),
        (lambda: hft.halt("firm", **SAID, role="process"), "is no role of a person"),
        (lambda: hft.halt("firm", **SAID, role=""), "is no role of a person"),
        (lambda: hft.lift("firm", **SAID, second="b", second_role="king"), "is no role"),
        (lambda: hft.lift("firm", **SAID, second="Ann "), "are one"),
        (lambda: hft.lift("firm", **SAID, second="ANN"), "are one"),
        (lambda: hft.set_limit("firm", **SAID), "is not one limit"),
        (lambda: hft.set_limit("firm", **SAID, messages=1, new_orders=2), "is not one limit"),
        (lambda: hft.set_limit("firm", **SAID, mesages=1), "is not one limit"),
        (lambda: hft.set_limit("firm", **SAID, messages=-1), "is no limit"),
        (lambda: hft.set_limit("firm", **SAID, messages=2**21), "too many to count"),
    ],
)
def test_what_is_none_is_a_sentence(call, sentence):
    with pytest.raises(InputError, match=sentence):
        call()


def test_names_of_32_and_words_of_64_bytes_fit(room):
    row = hft.halt("firm", at=1, who="a" * 32, why="w" * 64).row(room, 1)[0]
    assert row["who"] == b"a" * 32 and row["why"] == b"w" * 64


def test_all_are_told_in_order_of_time(room):
    rows = [
        hft.halt("firm", at=1, who="ann", why=f"{n}").row(room, time)
        for n, time in enumerate((30, 10, 20, 10))
    ]
    made = in_order(rows)
    assert made["time"].tolist() == [10, 10, 20, 30]
    assert [one.decode() for one in made["why"]] == ["1", "3", "2", "0"]
    assert len(in_order([])) == 0 and isinstance(made, np.ndarray)
