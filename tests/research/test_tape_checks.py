"""Every oddity of a tape is counted under its name, and a slow twin counts the same."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from slow_market import SlowBooks, flow_of_orders
from tapes import OPEN, SECOND, ArraySource, event, flow, two_stocks

from hftlib.core import events, jit
from hftlib.core.errors import InputError
from hftlib.core.instruments import PHASE
from hftlib.feed.tape_file import write_tape
from hftlib.research.tape import Tape, open_tape
from hftlib.research.tape_checks import EXAMPLES
from hftlib.research.tape_findings import CHECKS


def written(path: Path, *parts: Any, table: Any = None) -> Tape:
    write_tape(path, ArraySource(np.concatenate(parts), table), overwrite=True)
    return open_tape(path)


def found(tape: Tape, **limits: Any) -> dict[str, int]:
    return {one.name: one.count for one in tape.validate(**limits).findings}


def add(number: int, side: int = 1, **fields: Any) -> np.ndarray[Any, Any]:
    given = {"time": OPEN + number, "sequence": number, "reference": number, "quantity": 5}
    return event("ADD", side=side, **(given | {"price": 100 if side == 1 else 200} | fields))


@pytest.mark.modes
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_slow_twin_finds_the_same_in_a_random_flow(tmp_path: Path, seed: int) -> None:
    array = flow_of_orders(6_000 if jit.COMPILED else 400, seed)
    books, counts, standing, flagged = SlowBooks(), Counter[str](), {0: 0, 1: 0}, 0
    for one in array:
        impossible, _ = books.apply(one)
        names = [impossible] if impossible not in ("", "-") else []
        row = int(one["instrument"])
        if not impossible:
            bid, ask = books.best(row, events.BUY), books.best(row, events.SELL)
            above = bid[0] - ask[0] if bid and ask else -1
            state = 2 if above > 0 else 1 if above == 0 else 0
            if state > standing[row]:
                names.append("book crossed" if state == 2 else "book locked")
            standing[row] = state
        counts.update(names)
        flagged += bool(names)
    tape = written(tmp_path / "t", array)
    answer = tape.validate()
    assert {one.name: one.count for one in answer.findings} == counts
    assert (answer.seen, answer.flagged) == (len(array), flagged)
    assert sum(answer.kinds.values()) == len(array) == answer.clean + answer.flagged
    if jit.COMPILED:  # each kind of impossible order, crossed and locked books
        assert len(counts) == 6


def test_a_slice_is_judged_with_what_came_before_it(tmp_path: Path) -> None:
    tape = written(tmp_path / "t", flow_of_orders(3000, 5))
    whole, late = tape.validate(), tape[1500:].validate()
    early = tape[:1500].validate()
    for name in ("no such order", "more taken off than was there"):
        assert whole.count(name) == early.count(name) + late.count(name) > late.count(name) > 0
    apart = [tape[symbol].validate() for symbol in ("AAPL", "MSFT")]
    assert sum(part.seen for part in apart) == len(tape)


def test_each_oddity_has_its_name_and_its_place(tmp_path: Path) -> None:
    strange = add(6)
    strange["kind"] = 77
    cases: dict[str, tuple[Any, ...]] = {
        "time goes back": (add(5), add(6, time=OPEN + 4), add(7)),
        "no time": (add(5), add(6, time=0), add(7)),
        "time jump": (add(5), add(6, time=OPEN + 61 * SECOND)),
        "sequence repeated": (add(5), add(6, sequence=5)),
        "sequence missing": (add(5), add(6, sequence=9)),
        "gap in the feed": (add(5), event("GAP", time=OPEN + 6, sequence=6)),
        "unknown kind": (add(5), strange),
        "unknown instrument": (add(5), add(6, instrument=2)),
        "no size": (add(5), add(6, quantity=0)),
        "no price": (add(5), add(6, price=-3)),
        "book crossed": (add(5), add(6, side=2, price=99)),
        "book locked": (add(5), add(6, side=2, price=100)),
        "unreadable: its type is unknown": (
            add(5), event("UNREADABLE", time=OPEN + 6, sequence=6, reference=1)),
        "unreadable: it does not parse": (  # at the number of the message before it
            add(5), event("UNREADABLE", time=OPEN + 6, sequence=5, reference=6)),
        "unreadable: it does not say why": (
            add(5), event("UNREADABLE", time=OPEN + 6, sequence=6, reference=77)),
        "no such order": (add(5), event("DELETE", time=OPEN + 6, sequence=6, reference=4)),
        "more taken off than was there": (
            add(5), event("EXECUTE", time=OPEN + 6, sequence=6, reference=5, quantity=6)),
        "an order of this reference is there already": (add(5), add(6, reference=5)),
        "no side where one is needed": (add(5), add(6, side=0)),
        "the order belongs to another instrument": (
            add(5), event("DELETE", time=OPEN + 6, sequence=6, reference=5, instrument=1)),
    }  # fmt: skip
    assert set(cases) <= {name for name, _, _ in CHECKS}
    weights = {name: weight for name, weight, _ in CHECKS}
    weights |= dict.fromkeys(("time goes back", "sequence repeated"), "note")  # of any feed
    for name, parts in cases.items():
        tape = written(tmp_path / "t", *parts)
        assert found(tape) == {name: 1}, name
        (finding,) = tape.validate().findings
        assert finding.examples == (1,) and finding.weight == weights[name]
        assert tape.validate().sound == (finding.weight == "note")
    sound = written(tmp_path / "t", add(5), add(6, side=2), add(7))
    assert found(sound) == {} and sound.validate().clean == 3


def test_only_a_single_numbered_stream_has_to_be_in_order(tmp_path: Path) -> None:
    array = np.concatenate([add(5), add(6, sequence=5), add(7, time=OPEN)])
    for is_one in (True, False):
        source = ArraySource(array)
        source.is_one_stream = is_one
        write_tape(tmp_path / "t", source, overwrite=True)
        tape = open_tape(tmp_path / "t")
        tape["AAPL"].save(tmp_path / "saved", overwrite=True)
        for one in (tape, tape[1:], open_tape(tmp_path / "saved")):
            assert one.is_one_stream == is_one and one.validate().sound != is_one
    old = add(7, time=OPEN, sequence=2, flags=events.SNAPSHOT)
    assert found(written(tmp_path / "t", add(5), old, add(6))) == {}


def test_prices_and_sizes_that_may_be_nothing_are_nothing(tmp_path: Path) -> None:
    at = {"time": OPEN + 9, "side": 1}
    fine = (
        event("LEVEL", price=100, **at),
        event("QUOTE", **at),
        event("CROSS", **at),
        event("DELETE", **at),
        event("NOTICE", price=-1, quantity=-1, **at),
    )
    assert found(written(tmp_path / "t", *fine)) == {"no such order": 1}
    wrong = (
        event("LEVEL", price=100, quantity=-1, **at),
        event("LEVEL", price=0, quantity=1, **at),
        event("QUOTE", price=0, quantity=1, **at),
        event("TRADE", price=0, quantity=0, **at),
        event("CROSS", price=-1, quantity=1, **at),
        event("CANCEL", **at),
        event("EXECUTE", price=-1, quantity=1, **at),
    )
    counted = found(written(tmp_path / "t", *wrong))
    assert (counted["no size"], counted["no price"]) == (3, 5)


def test_events_of_one_message_share_their_number_and_are_looked_at_when_it_ends(
    tmp_path: Path,
) -> None:
    """A level feed: one message takes the ask away and puts a bid where it stood."""
    at = {"time": OPEN, "quantity": 5}
    first = event("LEVEL", sequence=1, side=2, price=100, **at)
    parts = (
        event("LEVEL", sequence=2, side=1, price=100, flags=0, **at),
        event("LEVEL", sequence=2, side=2, price=100, time=OPEN, flags=0),
        event("LEVEL", sequence=2, side=2, price=101, **at),
    )
    assert found(written(tmp_path / "t", first, *parts)) == {}
    ended = [part.copy() for part in parts]
    ended[0]["flags"] = events.LAST
    counted = found(written(tmp_path / "t", first, *ended))
    assert counted == {"book locked": 1, "sequence repeated": 1}


def test_numbers_are_each_instruments_own_and_late_ones_are_expected(tmp_path: Path) -> None:
    parts = [add(1), add(2), add(3, instrument=1, sequence=1), add(4, instrument=1, sequence=2)]
    assert found(written(tmp_path / "t", *parts)) == {}
    late = add(5, sequence=1, flags=events.LAST | events.RECOVERED_LATE)
    assert found(written(tmp_path / "t", *parts, late)) == {}


def test_a_silence_between_sessions_is_none(tmp_path: Path) -> None:
    parts = [add(1), add(2, time=OPEN + 100 * SECOND), add(3, time=OPEN + 300 * SECOND)]
    assert found(written(tmp_path / "t", *parts)) == {"time jump": 2}
    assert found(written(tmp_path / "t", *parts), jump="2m") == {"time jump": 1}
    assert found(written(tmp_path / "t", *parts), jump="1h") == {}
    table = two_stocks()
    rows = [("continuous", 0, 150), ("closed", 150, 299), ("continuous", 299, 400)]
    table.phases = np.array(
        [(b"XNAS", name.encode(), OPEN + a * SECOND, OPEN + b * SECOND) for name, a, b in rows],
        PHASE,
    )
    assert found(written(tmp_path / "t", *parts, table=table)) == {"time jump": 1}
    with pytest.raises(InputError, match="does not read as a duration"):
        written(tmp_path / "t", *parts).validate(jump="soon")


@pytest.mark.modes
def test_garbage_of_every_kind_is_counted_and_adds_up(tmp_path: Path) -> None:
    array = flow(20_000 if jit.COMPILED else 500, rows=4, orderly=False)
    chance = np.random.default_rng(9)
    for field in ("price", "quantity", "reference", "sequence", "time", "other"):
        places = chance.integers(0, len(array), len(array) // 5)
        wild = chance.choice([0, -1, 2**62, -(2**63), 2**63 - 1, 7], len(places))
        array[field][places] = wild
    array["side"] = chance.integers(0, 256, len(array))
    array["kind"] = chance.integers(0, 25, len(array))
    array["instrument"][::50] = 2**32 - 1
    tape = written(tmp_path / "t", array)
    answer = tape.validate()
    assert answer.seen == len(array) == sum(answer.kinds.values())
    assert answer.clean + answer.flagged == answer.seen
    assert answer.flagged <= sum(one.count for one in answer.findings)
    strange = (array["kind"] == 0) | (array["kind"] >= len(events.KINDS))
    assert answer.count("unknown kind") == strange.sum()
    outside = (array["instrument"] >= 2) & (array["instrument"] != 2**32 - 1)
    assert answer.count("unknown instrument") == outside.sum()
    assert answer.count("gap in the feed") == (array["kind"] == events.GAP).sum()
    assert answer.count("no time") == (array["time"] <= 0).sum()
    for one in answer.findings:
        assert len(one.examples) == min(EXAMPLES, one.count)
        assert list(one.examples) == sorted(one.examples)


def test_the_answer_shows_itself_and_is_json(tmp_path: Path) -> None:
    answer = written(tmp_path / "day.tape", flow_of_orders(500, 3)).validate()
    data = json.loads(json.dumps(answer.as_json()))
    assert data["seen"] == 500 == data["clean"] + data["flagged"] and data["sound"] is False
    for page in (str(answer), answer._repr_html_(), repr(answer)):
        assert "no such order" in page and "day.tape: 500 events" in page
        assert "something is wrong" in page
    assert "nothing is wrong" in str(written(tmp_path / "t", add(1)).validate())
