"""Several exchanges at once: each within its hours, a firm's orders taken back by one call.

The exchanges are processes, and the same for all stories here.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import time

import pytest
from test_live_command_venues import (
    IDEA,
    PROGRAM,
    Desk,
    Processes,
    exchange_text,
    free_ports,
    lines,
    until,
)

from hftlib.core import clock
from hftlib.core.errors import InputError
from hftlib.core.journal import kinds
from hftlib.core.journal.reading import frames
from hftlib.engine.live import hot
from hftlib.engine.live.replaying import about, replay
from hftlib.ops.hours import Hours, VenueHours, hours_at
from hftlib.ops.launching import described_at, laid
from hftlib.ops.runner import Door, Place, Runner
from hftlib.ops.showing import worries
from hftlib.ops.status import status
from hftlib.risk.people import halt, scope_row

S = 10**9
VENUES = ("XNAS", "XBOS")
GIVEN = [
    word for v, f in zip(VENUES, "ab", strict=True) for word in ("--exchange", f"{v}={f}.json")
]
needs = pytest.mark.skipif(
    importlib.util.find_spec("exchange_calendars") is None, reason="no hftlib[calendar] here"
)
PURGES = """
[[accounts]]
user = "frm1k"
password = "secret"
firm = "FRM1"
hears = "orders"
purges = true
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("venues")
    (place / "ideas.py").write_text(IDEA)
    made = Processes(place)
    try:
        for name in "ab":
            text = exchange_text(free_ports())
            (place / f"{name}.toml").write_text(text + PURGES)
            made.exchange(name, [])
        yield made
    finally:
        made.end()


def hft(folder, *words, **env):
    import os

    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        cwd=folder.folder, capture_output=True, text=True, check=False, env=os.environ | env,
    )  # fmt: skip


def maker(folder, name, control):
    """A runner that keeps quotes at both."""
    usual = [*GIVEN, "--json", "--control", str(control), "--symbols", "AAA", "--user", "frm1a"]
    made = folder.start(name, "live", "QueueImbalance", *usual, "--journal", f"{name}.journal")
    until(lambda: lines(made), 900.0, made)
    return made


def stands(desk, venue):
    return sum(one["open_orders"] for one in desk.status["positions"] if one["venue"] == venue)


def test_one_call_takes_back_at_all_exchanges_and_one_lets_in_again(folder, tmp_path):
    control = tmp_path / "control"
    runner = maker(folder, "maker", control)
    desk = Desk(control)
    until(lambda: all(stands(desk, venue) for venue in VENUES))
    said = hft(folder, "cancel-all", *GIVEN, "--why", "the host is lost", "--json")
    assert said.returncode == 0, said.stderr
    rows = [json.loads(one) for one in said.stdout.splitlines()]
    assert {one["venue"] for one in rows} == set(VENUES)
    ends = {one["venue"]: one for one in rows if one["what"] == "nothing stands"}
    asked = [one["venue"] for one in rows if one["what"] == "asked"]
    assert set(ends) == set(asked) == set(VENUES)
    taken = {one["venue"]: one["orders"] for one in rows if one["what"] == "cancelled"}
    assert all(taken[venue] for venue in VENUES)
    until(lambda: not any(stands(desk, venue) for venue in VENUES))
    let = ["allow-entry", *GIVEN, "--why", "found out", "--who", "ann"]
    again = hft(folder, *let, "--second", "bob", "--json")
    assert again.returncode == 0, again.stderr
    rows = [json.loads(one) for one in again.stdout.splitlines()]
    assert [(one["what"], one["venue"]) for one in rows] == [
        ("entry is allowed", venue) for venue in VENUES
    ]
    until(lambda: all(stands(desk, venue) for venue in VENUES))
    runner.terminate()
    assert runner.wait(60) in (0, 143)


def test_one_that_is_not_known_to_be_empty_leaves_3_and_the_other_is_done(folder, tmp_path):
    gone = json.loads((folder.folder / "b.json").read_text().splitlines()[0])
    for name in ("order_entry", "drop_copy"):
        gone[name] = ["127.0.0.1", free_ports()[0]]
    (folder.folder / "gone.json").write_text(json.dumps(gone) + "\n")
    both = ["--exchange", "XNAS=a.json", "--exchange", "XBOS=gone.json"]
    said = hft(folder, "cancel-all", *both, "--why", "a drill", "--keep-entry", "--seconds", "2")
    assert said.returncode == 3, said.stdout
    assert "nothing stands: venue XNAS" in said.stdout and "nothing stands: venue XBOS" not in (
        said.stdout
    )
    words = " ".join(said.stderr.split())
    assert (
        "XBOS: the cancel session: nobody answers there" in words and "--user XBOS=frm1k" in words
    )
    let = hft(folder, "allow-entry", *both, "--why", "w", "--second", "bob", "--who", "ann",
              "--seconds", "1")  # fmt: skip
    assert let.returncode == 3 and "venue XNAS" in let.stdout and "XBOS" in let.stderr


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--exchange", "XNAS=a.json", "--exchange", "b.json"], "has no name"),
        (["--exchange", "XNAS=a.json", "--exchange", "XBOS=a.json"], "are one exchange"),
        ([*GIVEN, "--user", "XLON=frm1k"], "There is no venue 'XLON' here"),
        ([*GIVEN, "--user", "frm1k", "--user", "frm1k"], "given twice for all"),
        ([*GIVEN, "--copy-user", ""], "nothing proves that nothing stands of XNAS, XBOS"),
    ],
)
def test_what_is_wrong_with_several_is_a_sentence(folder, words, what):
    said = hft(folder, "cancel-all", *words, "--why", "w", "--keep-entry", "--seconds", "5")
    assert said.returncode != 0 and what in " ".join(said.stderr.split()), said.stderr
    assert "Traceback" not in said.stderr


def laid_out(folder, place, **more):
    """A runner that listens to both, and dials neither."""
    told = {
        venue: json.loads((folder.folder / f"{name}.json").read_text().splitlines()[0])
        for venue, name in zip(VENUES, "ab", strict=True)
    }
    users = dict.fromkeys(VENUES, "frm1a")
    said = described_at(["QueueImbalance"], told, users, symbols=["AAA"], **more)
    places = [
        Place([one["line_a"], one["line_b"]], one["recovery"], one.get("interface", ""))
        for one in told.values()
    ]
    doors = [Door(("", 0), "")] * 2
    return Runner(laid(said), place / "day.journal", said, places=places, doors=doors)


def test_at_each_venue_only_within_its_hours(folder, tmp_path):
    """One never closes, the other opens in a while, and is closed again a while later."""
    now = clock.now_ns()
    always = {"calendar": "24/7", "session": "today", "open_ns": now - 60 * S}
    always |= {"close_ns": now + 3_600 * S, "end_ns": now + 3_600 * S}
    later = always | {"calendar": "XTKS", "open_ns": now + 60 * S, "end_ns": now + 120 * S}
    hours = always | {"calendar": "24/7, XTKS", "venues": {"XNAS": always, "XBOS": later}}
    runner = laid_out(folder, tmp_path, hours=hours)
    within = Hours(runner)
    rooms = runner.live.session.risk

    def states():
        turns = int(runner.record["turns"])
        while int(runner.record["turns"]) < turns + 3:  # the first call loads it, which takes long
            hot.spin(runner.address, clock.monotonic_ns() + 20_000_000)
        rows = runner.live.session.arena["scopes"]["state"]
        named = ("firm", "instrument:AAA@XNAS", "instrument:AAA@XBOS")
        return [int(rows[scope_row(rooms, one)]) for one in named]

    assert states() == [0, 0, 2], "the closed one is held before the first frame"
    assert not within.waits_for() and 3_500 < within.seconds() <= 3_600
    assert [one for one in worries(status(runner)) if "held" in one] and any(
        "XBOS is held until XTKS opens" in one for one in worries(status(runner))
    )
    within._venues.turn(later["open_ns"])
    assert states() == [0, 0, 0]
    within._venues.turn(later["end_ns"])
    assert states() == [0, 0, 2]
    runner.tell(halt("instrument:AAA@XBOS", at=now, who="ann", why="odd").row(rooms, now))
    states()
    within._venues.turn(later["open_ns"])
    assert states() == [0, 0, 2], "a person has the last word"
    runner.stop()
    given = [f for f in frames(tmp_path / "day.journal") if f.kind == kinds.DIRECTIVE]
    assert len(given) == 5 and b"XTKS is closed" in given[0].payload
    again = replay(tmp_path / "day.journal", laid)
    assert again.is_identical, again.difference


def test_after_a_restart_what_was_held_is_let_go_where_it_opened_meanwhile(folder, tmp_path):
    runner = laid_out(folder, tmp_path)
    now = clock.now_ns()
    hours = {"calendar": "XTKS", "open_ns": now, "end_ns": now + S}
    row = scope_row(runner.live.session.risk, "instrument:AAA@XBOS")
    VenueHours(runner, {"XBOS": hours}).turn(now - 1)
    hot.spin(runner.address, clock.monotonic_ns() + 20_000_000)
    assert runner.live.session.arena["scopes"]["state"][row] == 2
    VenueHours(runner, {"XBOS": hours}).turn(now)  # another process, to which the journal says it
    hot.spin(runner.address, clock.monotonic_ns() + 20_000_000)
    assert runner.live.session.arena["scopes"]["state"][row] == 0
    runner.stop()


@needs
def test_calendars_by_venue_give_plain_times_or_refuse():
    assert hours_at({"XNAS": "", "XBOS": ""}, 60.0) == {}
    one = hours_at({"XNAS": "24/7", "XBOS": "24/7"}, 0.0)
    assert one["calendar"] == "24/7" and "venues" not in one
    found = hours_at({"XNAS": "24/7", "XBOS": "XNAS"}, 0.0)
    assert set(found["venues"]) == set(VENUES) and found["calendar"] == "24/7, XNAS"
    assert found["end_ns"] >= found["venues"]["XNAS"]["end_ns"]
    assert found["venues"]["XBOS"]["calendar"] == "XNAS"
    with pytest.raises(InputError, match="XBOS has no calendar, others have"):
        hours_at({"XNAS": "24/7", "XBOS": ""}, 0.0)


@needs
def test_a_command_with_two_calendars_trades_where_it_may(folder, tmp_path):
    control = tmp_path / "control"
    runner = folder.start(
        "timed", "live", "ideas.py:Both", *GIVEN, "--json", "--control", str(control),
        "--symbols", "AAA", "--user", "frm1a", "--user", "XBOS=frm1b", "--journal", "timed.journal",
        "--calendar", "24/7", "--calendar", "XBOS=XNAS", "--end-before-close", "0",
    )  # fmt: skip
    until(lambda: lines(runner), 900.0, runner)
    desk = Desk(control)
    desk.trades("XNAS", 5)
    found = desk.status
    hours = found["hours"]["venues"]["XBOS"]
    is_open = hours["open_ns"] <= time.time_ns() < hours["end_ns"]
    state = {one["scope"]: one["state"] for one in found["scopes"]}
    assert (desk.fills("XBOS") > 0) <= is_open
    if "instrument:AAA@XBOS" in state:
        assert (state["instrument:AAA@XBOS"] == "active") == is_open
    runner.terminate()
    assert runner.wait(60) in (0, 143)
    journal = folder.folder / "timed.journal"
    assert about(journal)["hours"]["venues"]["XNAS"]["calendar"] == "24/7"
    assert replay(journal, laid).is_identical
