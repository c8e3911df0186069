"""Rollouts as the page shows them: every step verified, and a log that does not hold says so."""

from __future__ import annotations

import pytest
from small_release import DESK
from small_rollout import ANN, BEA, lines_of, shelf_of, taken, to_champion

from hftlib.ops.desk.shelf import rollouts_of
from hftlib.ops.desk.watching import Watch


@pytest.fixture
def shelf(tmp_path):
    """A champion, the next one asked for, and the keys that are trusted."""
    place, (old, new) = shelf_of(tmp_path)
    taken(place, *to_champion(old), *to_champion(new)[:3])
    keys = tmp_path / "keys"
    keys.mkdir()
    for key in (DESK, ANN, BEA):
        (keys / f"{key.public.name}.pub").write_text(key.public.text())
    return place, keys


def test_stages_are_what_the_steps_come_to(shelf):
    place, keys = shelf
    (maker,) = Watch(["none.socket"], shelf=place, trusted=keys).state()["rollouts"]
    assert maker["name"] == "maker" and maker["wrong"] == ""
    assert maker["stages"]["champion"]["release"] == "maker-7"
    assert maker["stages"]["champion"]["by"] == "bea"
    assert maker["asked"]["release"] == "maker-8"
    assert [one["number"] for one in maker["steps"]] == [7, 6, 5, 4, 3, 2, 1]


def test_a_log_that_does_not_hold_shows_nothing_but_that(shelf):
    place, keys = shelf
    lines = lines_of(place)
    (place / "maker.rollout").write_bytes(b"".join([*lines[:2], *lines[3:]]))
    (maker,) = rollouts_of(place, keys)
    assert "does not follow" in maker["wrong"] and maker["stages"] == {}
    (keys / "bea.pub").unlink()
    assert rollouts_of(place, keys)[0]["wrong"]
    (told,) = rollouts_of(place, None)
    assert "No keys are trusted" in told["wrong"]
    (told,) = rollouts_of(place, place / "none")
    assert told["wrong"]
