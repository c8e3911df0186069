"""The gateway on real sockets, against the small venue behind our server."""

from __future__ import annotations

import time
from decimal import Decimal
from random import Random

import numpy as np
import pytest
from ouch_desk import MS, table
from ouch_venue import OuchVenue

from hftlib.core import orders
from hftlib.core.errors import InputError
from hftlib.core.instruments import Instruments
from hftlib.core.soup.serving import Login, SoupServer
from hftlib.execution import life, sending
from hftlib.execution.ouch.gateway import OuchGateway
from tests.room import Room

USER = Login("user", "secret", stream="OUCH1")
SURE = dict.fromkeys(
    ("reject", "replace_rejected", "replace_invalid", "dead", "cancel_rejected", "less"), 0.0
)
SMALL = {"orders_max": 64, "entries_max": 4_096, "backoff_ns_min": MS}


class Market:
    """Server, venue, gateway and execution; `reports` are the kinds of all reports."""

    def __init__(self, seed: int = 0, **settings) -> None:
        self.server = SoupServer(("127.0.0.1", 0), [USER])
        self.venue = OuchVenue(Random(seed), **SURE)
        self.room = Room(slots=64, booked=512)
        self.gateway = OuchGateway(
            self.server.address, "user", "secret", table(), venue="XNAS", **(SMALL | settings)
        )
        self.reports: list[str] = []

    def step(self) -> None:
        for told in self.server.poll():
            if told.kind == "MESSAGE":
                self.venue.hear(told.data)
        for message in self.venue.said:
            self.server.publish("OUCH1", message)
        self.venue.said.clear()
        for report in self.gateway.poll():
            row = np.array([report])
            self.reports.append(orders.REPORTS[int(row["kind"][0]) - orders.ACCEPTED])
            life.report(self.room.base, row.ctypes.data, 0)
            self.room.take_away()

    def until(self, holds, seconds: float = 10) -> None:
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, f"{self.gateway!r} {self.gateway.counts} {self.reports}"
            self.step()

    def new(self, quantity: int = 100) -> int:
        place = (self.room.base, time.time_ns(), 0, 1, orders.LIMIT, orders.DAY, 0, 10_000)
        number = int(sending.new_order(*place, quantity, 0, 0, 0, 0))
        self.leave()
        return number

    def leave(self) -> None:
        count = self.room.count("commands")
        self.gateway.submit(self.room.arena["commands"][:count].copy())
        self.room.arena["execution"]["commands"] = 0

    def drop(self) -> None:
        """The server hangs up."""
        for n in list(self.server._sockets):
            self.server.drop(n)

    def close(self) -> None:
        self.gateway.close()
        self.server.close()


def test_orders_live_and_end_over_a_socket():
    market = Market()
    market.until(lambda: market.gateway.state == "OPEN")
    number = market.new()
    market.until(lambda: market.reports == ["ACCEPTED"])
    row = market.room.order(number)
    assert 0 <= int(row["accepted"]) - int(row["sent"]) < 10**10
    market.venue.fill(market.venue.orders[1], 100)
    market.until(lambda: market.reports[-1] == "FILLED")
    assert market.room.order(number)["state"] == orders.FILLED_WHOLE
    assert repr(market.gateway).endswith("OPEN; session LIVE, the login was accepted>")
    market.gateway.logout()
    market.until(lambda: market.gateway.session[0] == "OVER")
    market.close()


def test_one_message_ends_all():
    market = Market(firm="FIRM")
    market.until(lambda: market.gateway.state == "OPEN")
    for _ in range(10):
        market.new()
    market.until(lambda: len(market.reports) == 10)
    assert market.gateway.cancel_all()
    market.until(lambda: market.reports.count("CANCELED") == 10)
    assert market.gateway.counts["controls"] == market.gateway.counts["controls_heard"] == 1
    assert market.room.count("open_orders") == 0
    for _ in range(3):
        market.new()
    market.until(lambda: market.reports.count("ACCEPTED") == 13)
    assert market.gateway.cancel_all(0)
    market.until(lambda: market.room.count("open_orders") == 0)
    assert market.new() and market.venue.last_urn >= 15
    market.close()


def test_a_hundred_lost_connections_lose_and_double_no_order():
    market = Market(backoff_ns_min=1, backoff_ns_max=1, resend_ns=10**12)
    market.until(lambda: market.gateway.state == "OPEN")
    random, made, losses = Random(9), 0, 0
    while losses < 100:
        if market.gateway.state == "OPEN" and market.room.count("open_orders") < 50:
            made += market.new(random.randrange(1, 100)) > 0
        if random.random() < 0.3:
            market.venue.act()
        if random.random() < 0.2:
            market.drop()
            losses += 1
        if random.random() < 0.7:
            market.step()
    market.until(lambda: market.gateway.state == "OPEN")

    def live() -> set[int]:
        return {one.number for one in market.venue.orders.values() if one.live}

    def ours() -> set[int]:
        rows = market.room.arena["orders"]
        open_ones = (rows["state"] > orders.FREE) & (rows["state"] < orders.OVER)
        return set(rows["id"][open_ones].tolist())

    market.until(lambda: ours() == live() and market.room.count("unknown") == 0)
    assert market.room.position()["quantity"] == market.venue.position.get(b"AAA     ", 0)
    entered = market.venue.entered
    assert entered == sorted(set(entered)) and made >= len(entered) > 20
    assert market.gateway.counts.get("unexplained", 0) == market.room.count("impossible") == 0
    assert market.reports.count("DISCONNECTED") > 50
    market.close()


def test_what_is_no_gateway_is_refused():
    address, given = ("127.0.0.1", 1), {"venue": "XNAS"}
    for name, value in (
        ("orders_max", 100),
        ("entries_max", 0),
        ("entries_max", 1 << 13),
        ("window_ns", 0),
        ("firm", "FIRMS"),
        ("capacity", "Z"),
        ("resend_ns", -1),
    ):
        with pytest.raises(InputError, match=f"is no {name}"):
            OuchGateway(address, "user", "secret", table(), **given, **{name: value})
    with pytest.raises(InputError, match="Keep less than the whole window"):
        OuchGateway(address, "user", "secret", table(), **given, window_max=5, window_reserve=5)
    coins = Instruments()
    coins.add("BTC", venue="XNAS", lot_unit=Decimal("0.001"))
    with pytest.raises(InputError, match="BTC cannot be traded by OUCH"):
        OuchGateway(address, "user", "secret", coins, **given)
    coarse = Instruments()
    coarse.add("AAA", venue="XNAS", price_unit="0.01")
    with pytest.raises(InputError, match="AAA cannot be traded by OUCH"):
        OuchGateway(address, "user", "secret", coarse, **given)
    with pytest.raises(InputError, match="These are no commands"):
        OuchGateway(address, "user", "secret", table(), **given).submit(np.zeros(3))


def test_who_comes_later_to_the_account_counts_on_and_hears_nothing_of_who_was_there():
    first = Market()
    first.until(lambda: first.gateway.state == "OPEN")
    for _ in range(5):
        first.new()
    first.until(lambda: first.reports.count("ACCEPTED") == 5)
    first.gateway.close()
    second = Market()  # another process: it knows nothing, and the venue is the same
    second.gateway.close()
    second.server.close()
    second.server, second.venue, second.room = first.server, first.venue, first.room
    second.gateway = OuchGateway(
        first.server.address, "user", "secret", table(), venue="XNAS", **SMALL
    )
    second.until(lambda: second.gateway.state == "OPEN")
    second.new()
    second.until(lambda: "ACCEPTED" in second.reports)
    assert second.reports == ["ACCEPTED"]
    assert int(second.gateway._record["last_urn"][0]) == 6
    assert second.gateway.counts.get("strangers", 0) <= 1, "the newest message at most"
