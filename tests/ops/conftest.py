"""What the tests of the runner's room share: an exchange that is warm, and a runner beside it."""

from __future__ import annotations

import pytest
from floor_desk import Floor
from floor_trial import begun, listened_to


@pytest.fixture
def floor():
    with Floor() as made:
        yield listened_to(made)


@pytest.fixture
def trial(floor, tmp_path):
    made = begun(floor, tmp_path / "day.journal")
    assert "lost" not in made.runner.live.sequencers[0].counts
    return made
