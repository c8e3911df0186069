"""What a host has seen of a rollout it wants to see again: nobody cuts a log off behind a step."""

from __future__ import annotations

import pytest
from small_rollout import (
    ANN,
    BEA,
    TRUSTED,
    lines_of,
    shelf_of,
    taken,
    to_champion,
)

from hftlib.core.errors import HftError, InputError, StateError
from hftlib.core.release.rollout import read_rollout
from hftlib.core.release.rollout_seen import follow


@pytest.fixture
def host(tmp_path):
    """A shelf with two champions, and where this host remembers."""
    shelf, (old, new) = shelf_of(tmp_path)
    record = tmp_path / "state" / "releases.json"

    def look():
        follow(record, read_rollout(shelf, "maker", TRUSTED))

    look.shelf, look.record, look.old, look.new = shelf, record, old, new
    return look


def test_a_log_that_goes_on_is_followed(host):
    host()
    assert not host.record.with_name("releases.json.rollouts").exists(), "nothing was seen"
    for step in to_champion(host.old):
        taken(host.shelf, step)
        host()
        host()
    assert not host.record.exists(), "the record of releases is another file"


def test_cut_off_behind_a_step_taken_away_or_another_it_is_refused(host):
    taken(host.shelf, *to_champion(host.old), *to_champion(host.new))
    taken(host.shelf, (BEA, "rolled back", "champion", host.old))
    host()
    path, lines = host.shelf / "maker.rollout", lines_of(host.shelf)
    for count in range(9):
        path.write_bytes(b"".join(lines[:count]))
        with pytest.raises(StateError, match=f"has {count} steps, and 9 were seen here"):
            host()
    path.write_bytes(b"".join(lines[:8]))
    taken(host.shelf, (ANN, "moved", "shadow", host.old))  # signed, and behind the same line
    with pytest.raises(StateError, match="another step 9"):
        host()
    path.unlink()
    with pytest.raises(StateError, match="0 steps"):
        host()
    path.write_bytes(b"".join(lines))
    host()


def test_each_name_is_its_own(host):
    taken(host.shelf, *to_champion(host.old))
    host()
    follow(host.record, read_rollout(host.shelf, "other", TRUSTED))


def test_what_was_seen_and_is_damaged_refuses(host):
    taken(host.shelf, *to_champion(host.old))
    host()
    place = host.record.with_name("releases.json.rollouts")
    good = place.read_text()
    for text in ("", "{", "[]", good[:-3], good.replace("4", "true"), good.replace("4", "0")):
        place.write_text(text)
        with pytest.raises(InputError, match="damaged"):
            host()
    place.unlink()
    place.mkdir()
    with pytest.raises(HftError):
        host()
