"""What the tests of the runner's room share: an exchange that is warm, and a runner beside it."""

from __future__ import annotations

from functools import partial

import pytest
from floor_desk import Floor
from floor_trial import begun, listened_to

from hftlib.core.control.serving import Control
from hftlib.ops.obeying import obey


@pytest.fixture
def floor():
    with Floor() as made:
        yield listened_to(made)


@pytest.fixture
def trial(floor, tmp_path):
    made = begun(floor, tmp_path / "day.journal")
    assert "lost" not in made.runner.live.sequencers[0].counts
    return made


@pytest.fixture
def socket_of(floor, tmp_path):
    """The control socket of a runner, which the floor's turns listen to."""

    def made(trial):
        path = tmp_path / "runner.socket"
        control = Control(path, partial(obey, trial.runner))

        class Heard:
            def turn(self):
                control.poll()

            def close(self):
                control.close()

        floor.others.append(Heard())
        return path

    return made


@pytest.fixture
def socket(trial, socket_of):
    return socket_of(trial)
