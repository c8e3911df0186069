"""A stage for stories of risk: a desk whose market is set by hand, with limits at one level."""

from __future__ import annotations

import numpy as np

from hftlib.core import events
from hftlib.core.orders import REASONS
from hftlib.engine import path
from hftlib.engine.enforcing import watched
from hftlib.risk.authority import PROCESS
from hftlib.risk.controls import CONTROLS, LEVELS, MONEY_ONE, TRADING_STATES
from hftlib.risk.directives import DIRECTIVE, TELL_RISK, directed
from hftlib.risk.limits import Limits
from hftlib.risk.people import Directive
from hftlib.risk.states import STATE
from tests.engine.desk import Desk

MS = 1_000_000
MID = 10_000
UNIT = {one.name: one.unit for one in CONTROLS}


def limited(level: str, given: dict, **more) -> Limits:
    """These limits for this level only."""
    money = {k: v / MONEY_ONE if UNIT.get(k) == "money" else v for k, v in given.items()}
    if level == "instrument":
        return Limits(**money, **more)
    if level == "portfolio":
        return Limits(portfolio={"all": {"strategies": ["Quiet"], **money}}, **more)
    if level == "strategy":
        return Limits(strategy={"Quiet": money}, **more)
    return Limits(firm=money, **more)


class Stage(Desk):
    """A desk whose market is set by hand."""

    def market(self, bid=MID - 1, ask=MID + 1, last=MID, when=0, instrument=0):
        self.at(self.time + when)
        for seat in self.session.seats:
            row = seat["markets"][instrument]
            row["bid"], row["ask"], row["last"] = bid, ask, last
            row["state"], row["time"] = events.TRADING, self.time
            watched(seat.address, instrument)

    def wait(self, ns):
        self.at(self.time + ns)

    def last_refusal(self):
        count = int(self.seat["session"]["refusals"][0])
        row = self.seat["refusals"][count - 1]
        said = (int(row["reason"]), LEVELS[row["level"]], int(row["limit"]), int(row["seen"]))
        return (REASONS[said[0]], *said[1:])

    def scope(self, level):
        """Its row; there is one of each, whatever it is called."""
        scopes = self.session.arena["scopes"][: len(self.session.risk.names)]
        return scopes[int(np.flatnonzero(scopes["level"] == LEVELS.index(level))[0])]

    def states(self):
        """Each scope that is not active, with why."""
        scopes = self.session.arena["scopes"][: len(self.session.risk.names)]
        return {
            LEVELS[one["level"]]: (TRADING_STATES[one["state"]], REASONS[one["why"]])
            for one in scopes
            if one["state"]
        }

    def changes(self):
        """The log: state after, reason, limit, seen."""
        count = int(self.session.arena["risk"]["changes"][0])
        return [
            (
                TRADING_STATES[row["after"]],
                REASONS[row["reason"]],
                int(row["limit"]),
                int(row["seen"]),
            )
            for row in self.session.arena["changes"][:count]
            if row["what"] == STATE
        ]

    def bought(self, price, quantity):
        number = self.buy(price, quantity)
        assert number > 0, self.last_refusal()
        self.accept(number)
        self.fill(number, price, quantity)
        return number

    def tell_risk(self, level, which, money):
        told = np.zeros(1, DIRECTIVE)
        told["what"], told["which"], told["value"] = TELL_RISK, which, money
        told["role"] = PROCESS
        names = {"firm": "", "portfolio": "all", "strategy": "Quiet", "instrument": "AAA"}
        told["scope"] = self.session.risk.row(LEVELS.index(level), names[level])
        assert directed(self.session.arena.address_of("risk"), told.ctypes.data) == 0

    def told(self, directive: Directive):
        """What a person says now: the outcome."""
        self.wait(1)
        row = directive.row(self.session.risk, self.time)
        path.directive(self.session.address, row.ctypes.data)
        return int(row["outcome"][0])
