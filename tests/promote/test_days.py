"""Days of seeds are made once and are the same anywhere; own tapes are taken as they are."""

from itertools import pairwise

import pytest

import hftlib as hft
from hftlib.core.errors import InputError
from hftlib.promote.days import days_of, sources_digest

MADE = {"symbols": 1, "seconds": 5, "rate": 10, "seeds": [1, 2], "unseen_seeds": [3]}


def test_days_follow_each_other_and_are_made_once(place):
    days, unseen = days_of(MADE)
    tapes = [hft.open_tape(path) for path in (*days, *unseen)]
    assert all(one.end < next_.begin for one, next_ in pairwise(tapes))
    assert len({one.digest for one in tapes}) == 3 and str(place) in str(days[0])
    before = [path.stat().st_mtime_ns for path in (*days, *unseen)]
    again = days_of(MADE)
    assert again == (days, unseen)
    assert [path.stat().st_mtime_ns for path in (*days, *unseen)] == before
    same = hft.to_tape(hft.synthetic(symbols=1, seconds=5, rate=10, seed=1, date="2026-01-05"))
    assert same.digest == tapes[0].digest
    assert days_of(MADE | {"rate": 20})[0][0] != days[0]


def test_own_tapes_are_taken_and_one_that_is_not_there_is_named(place):
    days, unseen = days_of(MADE)
    own = {"tapes": [str(days[0])], "unseen_tapes": [str(unseen[0])]}
    assert days_of(own) == ([days[0]], [unseen[0]])
    with pytest.raises(InputError, match=r"There is no tape 'none\.tape'"):
        days_of(own | {"tapes": [str(place / "none.tape")]})


def test_the_digest_is_of_the_sources_of_a_room():
    assert len(sources_digest()) == 64 and sources_digest("feed") != sources_digest("book")
