"""A house for the tests of the desk; and one with a paper session, which all share."""

from __future__ import annotations

import time

import pytest
from desk_house import House
from held import Held

HELD = Held(__file__)
pytest_runtest_teardown = HELD.teardown


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="session")
def paper(tmp_path_factory):
    """A paper session, its desk over TLS, control for clients with a certificate."""
    made = House(tmp_path_factory.mktemp("paper"))
    HELD.keep(made.close)
    assert made.run("desk", "certificate").returncode == 0
    made.start("exchange", "exchange", "--demo", "--json")
    given = ("--exchange", "exchange.out", "--user", "frm1a", "--journal", "day.journal")
    socket = made.sockets / "maker.socket"
    made.runner, _ = made.start("live", "live", "QueueImbalance", *given, "--control", socket)
    made.person("auditor")  # there are people from the start
    tls = ("--certificate", "tls/server.pem", "--key", "tls/server.key")
    more = ("--client-authority", "tls/authority.pem", "--runner", f"maker={socket}")
    made.urls = made.desk(*tls, *more)
    made.journal = made.folder / "day.journal"

    def state():
        client = made.client(made.urls["view"])
        client.login(made.person("researcher"))
        (only,) = client.get("/api/state").json()["runners"]
        return only["status"]

    made.state = state
    until = time.monotonic() + 60
    while not (made.state() or {}).get("open_orders"):
        assert time.monotonic() < until, "it trades within a minute"
        time.sleep(0.2)
    return made
