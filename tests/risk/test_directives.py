"""Who may tell risk what: every role at every level, alone and with a second person."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from hftlib.core import orders
from hftlib.core.arena import Arena
from hftlib.core.instruments import Instruments
from hftlib.core.layout import Layout
from hftlib.core.orders import REASONS
from hftlib.risk.authority import NEEDS_TWO, NOT_ALLOWED, ROLES
from hftlib.risk.controls import (
    ACTIVE,
    CONTROLS,
    FIRM,
    GROUPS,
    HALTED,
    INSTRUMENT,
    LEVELS,
    MONEY_ONE,
    NAMES,
    NO_LIMIT,
    REDUCING,
    RING_LIMITS,
    UNSET,
)
from hftlib.risk.directives import (
    DIRECTIVE,
    NO_ROOM,
    NO_SUCH,
    NO_VALUE,
    NOT_HELD,
    SET_LIMIT,
    SET_STATE,
    TELL_RATE,
    TELL_RISK,
    directed,
)
from hftlib.risk.laying import RiskRoom
from hftlib.risk.limits import Limits
from hftlib.risk.recovering import GO_ON, HOLD
from hftlib.risk.states import CHANGES

modes = pytest.mark.modes
ROWS = {"firm": 0, "portfolio": 1, "strategy": 2, "instrument": 3}
SENIOR = ("risk", "officer")


class Room:
    """Risk alone, and who tells it what."""

    def __init__(self, limits: Limits | None = None) -> None:
        table = Instruments()
        table.add("AAA", venue="XNAS")
        table.add("BBB", venue="XNAS")
        self.room = RiskRoom(table, ["one"], limits or Limits(open_orders=None))
        self.arena = Arena.create(Layout(**self.room.slots()))
        self.room.lay(self.arena)
        self.base = self.arena.address_of("risk")

    def tell(self, what, scope, value=0, which=0, role="risk", second="", second_role="", **more):
        told = np.zeros(1, DIRECTIVE)
        told["time"], told["what"], told["which"], told["value"] = 77, what, which, value
        told["scope"] = ROWS.get(scope, scope)
        told["role"], told["second_role"] = ROLES.index(role), ROLES.index(second_role)
        told["who"], told["second"], told["why"] = b"ann", second.encode(), b"to see"
        for name, given in more.items():
            told[name] = given
        outcome = int(directed(self.base, told.ctypes.data))
        assert told["outcome"][0] == outcome
        return outcome

    def limit(self, scope, name, value, **more):
        return self.tell(SET_LIMIT, scope, value, NAMES.index(name), **more)

    def scope(self, name):
        return self.arena["scopes"][ROWS[name]]

    def state(self, name):
        return int(self.scope(name)["state"])

    def log(self):
        """What, whose, before, after, who."""
        rows = self.arena["changes"][: int(self.arena["risk"]["changes"][0])]
        return [
            (
                CHANGES[one["what"]],
                self.room.names[one["scope"]],
                int(one["before"]),
                int(one["after"]),
                one["who"].decode(),
            )
            for one in rows
        ]


def authority(level, role, second_role, same):
    """Whether these may make something looser: the outcome."""
    if level != "firm":
        return 0 if role in SENIOR else NOT_ALLOWED
    both = role in SENIOR and second_role in SENIOR
    return 0 if both and not same else NEEDS_TWO


EVERYBODY = list(itertools.product(LEVELS[1:], ROLES, ROLES, (False, True)))


@modes
def test_anybody_may_halt_and_reduce():
    for level, role, state in itertools.product(LEVELS[1:], ROLES, (REDUCING, HALTED)):
        room = Room()
        outcome = room.tell(SET_STATE, level, state, role=role)
        if role == "":
            assert (outcome, room.state(level)) == (NOT_ALLOWED, ACTIVE)
        else:
            assert (outcome, room.state(level)) == (0, state)
            why = orders.BY_WATCHDOG if role == "process" else orders.BY_PERSON
            assert room.scope(level)["why"] == why
            assert room.scope(level)["since"] == 77
            assert room.arena["risk"]["acts"][0] == 1


@modes
@pytest.mark.parametrize(
    ("before", "after"), [(HALTED, ACTIVE), (REDUCING, ACTIVE), (HALTED, REDUCING)]
)
def test_lifting_takes_the_role_risk_and_for_the_firm_two_people(before, after):
    room = Room()
    for level, role, second_role, same in EVERYBODY:
        room.scope(level)["state"] = before
        second = "ann" if same else "bob"
        outcome = room.tell(
            SET_STATE, level, after, role=role, second=second, second_role=second_role
        )
        wanted = NOT_ALLOWED if role == "" else authority(level, role, second_role, same)
        assert outcome == wanted, (level, role, second_role, same)
        assert room.state(level) == (before if wanted else after)


@modes
def test_two_names_differ_in_any_of_their_32_bytes():
    for place in range(32):
        room = Room()
        room.scope("firm")["state"] = HALTED
        who = bytes(range(65, 97))
        second = who[:place] + b"x" + who[place + 1 :]
        given = {"second": "", "second_role": "risk", "who": who}
        assert room.tell(SET_STATE, "firm", ACTIVE, **given | {"second": who.decode()}) == NEEDS_TWO
        assert room.tell(SET_STATE, "firm", ACTIVE, **given | {"second": second.decode()}) == 0


@modes
@pytest.mark.parametrize(
    ("name", "loose", "tight"),
    [
        ("position_lots", 10, 5),
        ("position_lots", 10, 0),
        ("position_lots", NO_LIMIT, NO_LIMIT - 1),
        ("duplicate_ms", 5, 10),
        ("duplicate_ms", NO_LIMIT, 10),
        ("duplicate_ms", NO_LIMIT, 0),
        ("duplicate_ms", 0, 1),
        ("fill_rate_percent", 10, 20),
        ("stale_ms", 10, 5),
    ],
)
def test_tighter_is_for_people_and_looser_for_risk(name, loose, tight):
    room, which = Room(), NAMES.index(name)
    for level, role, second_role, same in EVERYBODY:
        given = {"role": role, "second": "ann" if same else "bob", "second_role": second_role}
        room.scope(level)["limits"][which] = loose
        outcome = room.limit(level, name, tight, **given)
        assert outcome == (NOT_ALLOWED if role in ("", "process") else 0)
        assert room.scope(level)["limits"][which] == (loose if outcome else tight)
        room.scope(level)["limits"][which] = tight
        outcome = room.limit(level, name, loose, **given)
        assert outcome == authority(level, role, second_role, same), (level, given)
        assert room.scope(level)["limits"][which] == (tight if outcome else loose)


@modes
def test_the_same_limit_again_is_nothing_looser():
    room = Room()
    for name in NAMES:
        assert room.limit("firm", name, UNSET[NAMES.index(name)], role="trader") == 0, name


@modes
def test_the_same_time_for_duplicates_again_is_nothing_looser():
    room = Room()
    for _ in range(2):
        assert room.limit("firm", "duplicate_ms", 5, role="trader") == 0


@modes
def test_what_is_none_is_refused_and_logged():
    room = Room()
    assert room.tell(SET_STATE, "firm", 3) == NO_SUCH
    assert room.tell(SET_STATE, "firm", -1) == NO_SUCH
    assert room.tell(SET_STATE, 5, HALTED) == NO_SUCH, "the spare row is nobody's"
    assert room.tell(SET_STATE, -1, HALTED) == NO_SUCH
    assert room.tell(SET_LIMIT, "firm", 5, which=-1) == NO_SUCH
    assert room.tell(SET_LIMIT, "firm", 5, which=len(NAMES)) == NO_SUCH
    assert room.limit("firm", "position_lots", -1) == NO_VALUE
    assert room.limit("firm", "position_lots", NO_LIMIT + 1) == NO_VALUE
    assert room.tell(0, "firm") == NO_SUCH
    assert room.tell(99, "firm") == NO_SUCH
    assert [one[0] for one in room.log()] == ["refused"] * 10
    assert {one[4] for one in room.log()} == {"ann"}
    rows = room.arena["changes"]
    assert rows["reason"][:10].tolist() == [3, 3, 3, 3, 3, 3, 4, 4, 3, 3]
    assert (rows["which"][4], rows["after"][4]) == (-1, 5)


@modes
def test_no_more_is_counted_than_there_is_room_for():
    room = Room(Limits(messages=31, open_orders=None))
    assert room.limit("instrument", "messages", 31) == 0
    assert room.limit("instrument", "messages", 32) == NO_ROOM
    assert room.limit("instrument", "messages", NO_LIMIT) == 0
    assert room.limit("firm", "messages", 511, second="bob", second_role="risk") == 0
    assert room.limit("firm", "messages", 512) == NO_ROOM
    for name in ("new_orders", "replaces", "paced_orders", "executions"):
        assert room.limit("instrument", name, 1) == NO_ROOM
        assert room.limit("instrument", name, 0) == 0, "there is nothing to count"
    assert room.limit("instrument", "message_rate", 0) == NO_ROOM
    room = Room(Limits(message_rate=30, halt_at_percent=350, open_orders=None))
    for value, outcome in ((31, 0), (32, NO_ROOM)):  # four times it and two more, of 128
        assert room.limit("instrument", "message_rate", value) == outcome


@modes
def test_portfolio_risk_and_rates_are_no_traders_word():
    room = Room()
    for role in ROLES:
        wanted = 0 if role in ("process", *SENIOR) else NOT_ALLOWED
        for which, field in enumerate(("value_at_risk", "shortfall")):
            for level in LEVELS[1:]:
                room.scope(level)[field] = 1
                assert room.tell(TELL_RISK, level, 55, which, role=role) == wanted
                assert room.scope(level)[field] == (1 if wanted else 55)
        room.arena["rules"]["factor"] = 1.0
        assert room.tell(TELL_RATE, 1, role=role, rate=2.5) == wanted
        assert room.arena["rules"]["factor"][:3].tolist() == [1.0, 1.0 if wanted else 2.5, 1.0]
    assert room.tell(TELL_RISK, "firm", 5, 2) == NO_SUCH
    assert room.tell(TELL_RISK, "firm", 5, -1) == NO_SUCH
    assert room.tell(TELL_RISK, "firm", -1) == NO_VALUE
    assert room.tell(TELL_RISK, "firm", NO_LIMIT) == 0
    assert room.tell(TELL_RISK, "firm", 0) == 0 and room.scope("firm")["value_at_risk"] == 0
    assert room.tell(TELL_RISK, "firm", NO_LIMIT + 1) == NO_VALUE
    for rate in (0.0, -1.0, float("nan"), float("inf"), 2.0**56):
        assert room.tell(TELL_RATE, 0, rate=rate) == NO_VALUE
    assert room.tell(TELL_RATE, 2, rate=1.0) == NO_SUCH
    assert room.tell(TELL_RATE, -1, rate=1.0) == NO_SUCH


@modes
def test_the_log_says_who_did_what():
    room = Room(Limits(position_lots=10, open_orders=None))
    room.tell(SET_STATE, "instrument", HALTED, role="trader")
    room.tell(SET_STATE, "instrument", HALTED, role="trader")
    room.tell(SET_STATE, "instrument", ACTIVE, role="trader")
    room.limit("instrument", "position_lots", 7, role="trader")
    room.tell(TELL_RISK, "firm", 9, 0, role="process")
    room.tell(TELL_RISK, "firm", 8, 1, role="process")
    room.tell(TELL_RISK, "firm", 6, 1, role="process")
    room.tell(TELL_RATE, 1, role="process", rate=2.0)
    assert room.log() == [
        ("state", "instrument:AAA", ACTIVE, HALTED, "ann"),
        ("state", "instrument:AAA", HALTED, HALTED, "ann"),
        ("refused", "instrument:AAA", 0, ACTIVE, "ann"),
        ("limit", "instrument:AAA", 10, 7, "ann"),
        ("risk", "firm", 0, 9, "ann"),
        ("risk", "firm", 0, 8, "ann"),
        ("risk", "firm", 8, 6, "ann"),
        ("rate", "firm", 0, 0, "ann"),
    ]
    rows = room.arena["changes"][:8]
    assert {one.decode() for one in rows["why"]} == {"to see"}
    assert rows["time"].tolist() == [77] * 8
    assert rows["level"].tolist() == [INSTRUMENT] * 4 + [FIRM] * 4
    assert rows["which"].tolist() == [0, 0, 0, NAMES.index("position_lots"), 0, 1, 1, 1]
    assert [REASONS[one] for one in rows["reason"][:2]] == [REASONS[orders.BY_PERSON]] * 2


@modes
def test_a_lift_begins_anew_and_nobody_else_does():
    for role, before, forgives in (
        ("risk", HALTED, True),
        ("risk", REDUCING, True),
        ("risk", ACTIVE, False),
        ("trader", ACTIVE, False),
    ):
        room = Room()
        for level in ("instrument", "strategy"):
            scope = room.scope(level)
            scope["state"], scope["ended"], scope["filled_bits"] = before, 30, 7
            scope["rejected_bits"], scope["slipped"], scope["slippage"] = 7, 9, 900
            scope["ring_tail"], scope["window_began"], scope["peak"] = 5, 4, 1_000
            scope["flow"], scope["worth"] = 30, 12
            holding = room.arena["holdings"][0]  # the firm's of AAA
            holding["flow"], holding["worth"] = 20, 3
            assert room.tell(SET_STATE, level, ACTIVE, role=role) == 0
            left = {
                name: int(scope[name])
                for name in ("ended", "filled_bits", "rejected_bits", "slipped", "slippage")
            }
            assert set(left.values()) == ({0} if forgives else {30, 7, 9, 900})
            tails = [5, 5, 5, 0, 0, 5] if forgives else [5] * 6
            assert scope["ring_tail"].tolist() == tails
            assert scope["window_began"] == (0 if forgives else 4)
            best = {"instrument": 23, "strategy": 42}[level]
            assert scope["peak"] == (best if forgives else 1_000)


@modes
def test_going_from_halted_to_reducing_forgives_nothing():
    room = Room()
    room.scope("strategy")["state"], room.scope("strategy")["ended"] = HALTED, 30
    assert room.tell(SET_STATE, "strategy", REDUCING) == 0
    assert room.scope("strategy")["ended"] == 30


@modes
def test_a_limit_that_nobody_had_is_asked_from_then_on():
    room = Room()
    risk = room.arena["risk"][0]
    assert (int(risk["groups"]), int(risk["marks"])) == (0, 0)
    holding = room.arena["holdings"][2 * 3]  # the strategy's of AAA
    holding["quantity"], room.arena["rules"]["mark"][0] = 5, 2 * 100
    room.arena["rules"]["factor"] = 1.0
    assert room.limit("strategy", "gross_exposure_money", 900) == 0
    assert risk["marks"] == 1 and risk["groups"] == room.scope("strategy")["groups"] != 0
    assert room.scope("strategy")["gross"] == 500
    assert room.tell(TELL_RATE, 0, rate=3.0) == 0
    assert room.scope("strategy")["gross"] == 1_500


@modes
@pytest.mark.parametrize("one", CONTROLS, ids=NAMES)
def test_a_limit_is_asked_by_the_checks_of_its_group(one):
    room = Room()
    if one.name in RING_LIMITS:  # counted in a window, for which there is room from the start
        room = Room(Limits(open_orders=None, strategy={one.name: 5}))
    assert room.limit("strategy", one.name, 4) == 0
    assert int(room.scope("strategy")["groups"]) == 1 << GROUPS.index(one.group)


@modes
def test_a_limit_on_money_that_an_instrument_first_gets_in_a_session_keeps_what_is_held():
    room = Room()
    assert room.scope("firm")["keeps"] == 0
    assert room.limit("instrument", "position_lots", 4) == 0
    assert room.scope("firm")["keeps"] == 0, "nobody needs to know what lots are worth"
    assert room.limit("instrument", "gross_exposure_money", 900) == 0
    assert room.scope("firm")["keeps"] == 1


@modes
def test_a_full_log_still_lets_everything_happen():
    room = Room()
    most = int(room.arena["risk"]["changes_max"][0])
    for n in range(most + 3):
        assert room.tell(SET_STATE, "strategy", (HALTED, REDUCING)[n % 2]) == 0
    assert room.arena["risk"]["changes"][0] == most
    assert room.arena["risk"]["lost_changes"][0] == 3
    assert room.state("strategy") == (HALTED, REDUCING)[(most + 2) % 2]


def test_money_is_counted_in_ten_thousandths():
    assert MONEY_ONE == 10_000


@modes
def test_what_a_restart_holds_a_process_alone_lets_go_on():
    for role in ROLES:
        room = Room()
        outcome = room.tell(HOLD, "firm", role=role)
        if role != "process":
            assert (outcome, room.state("firm")) == (NO_SUCH, ACTIVE)
            continue
        assert (outcome, room.state("firm")) == (0, HALTED)
        assert room.scope("firm")["why"] == orders.BY_RECOVERY
        for other in ROLES:
            if other != "process":
                assert room.tell(GO_ON, "firm", role=other) == NO_SUCH
        assert room.state("firm") == HALTED
        assert room.tell(GO_ON, "firm", role="process") == 0
        assert room.state("firm") == ACTIVE
        assert room.tell(GO_ON, "firm", role="process") == NOT_HELD


@modes
@pytest.mark.parametrize("before", [ACTIVE, REDUCING])
def test_what_goes_on_has_the_state_it_had(before):
    room = Room()
    if before:
        room.tell(SET_STATE, "firm", before)
    assert room.tell(HOLD, "firm", role="process") == 0
    assert room.tell(HOLD, "firm", role="process") == 0, "killed again before it went on"
    assert room.tell(GO_ON, "firm", role="process") == 0
    assert room.state("firm") == before
    room = Room()
    room.tell(SET_STATE, "firm", HALTED)
    assert room.tell(HOLD, "firm", role="process") == 0
    assert room.tell(GO_ON, "firm", role="process") == NOT_HELD
    assert (room.state("firm"), room.scope("firm")["why"]) == (HALTED, orders.BY_PERSON)


@modes
@pytest.mark.parametrize("role", ["process", "trader", "risk"])
def test_who_halts_what_is_held_has_the_last_word(role):
    room = Room()
    room.tell(HOLD, "firm", role="process")
    assert room.tell(SET_STATE, "firm", HALTED, role=role) == 0
    assert room.tell(GO_ON, "firm", role="process") == NOT_HELD
    assert room.state("firm") == HALTED
    why = orders.BY_WATCHDOG if role == "process" else orders.BY_PERSON
    assert room.scope("firm")["why"] == why
    told = {"role": "risk", "second": "bob", "second_role": "risk"}
    assert room.tell(SET_STATE, "firm", ACTIVE, **told) == 0
    assert room.state("firm") == ACTIVE
