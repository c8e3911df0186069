"""Laps of a frame add up to no more than it took, and change nothing of what is decided."""

import numpy as np
import pytest
from floor_desk import Floor
from floor_trial import begun, listened_to, trade

from hftlib.core import clock
from hftlib.core.journal.kinds import DATAGRAM
from hftlib.core.journal.reading import frames
from hftlib.engine import laps
from hftlib.engine.live.comparing import TAKEN
from hftlib.engine.live.replaying import about
from hftlib.ops.launching import laid


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    folder = tmp_path_factory.mktemp("laps") / "day.journal"
    with Floor() as floor:
        made = begun(listened_to(floor), folder)
        trade(floor, 12)
        made.runner.stop()
    return folder


def through(day, measured):
    """What goes out after each frame, the laps of each, and how long each took."""
    live, made = laid(about(day)), np.zeros(1, laps.LAPS)
    base = int(live.header["session"])
    outputs, spent, took, kinds = [], [], [], []
    for frame in frames(day):
        if frame.kind not in TAKEN:
            continue
        begin = clock.monotonic_ns()
        if measured:
            laps.watch(base, made.ctypes.data)
        live.take(frame.kind, frame.source, frame.time, frame.payload)
        if measured:
            laps.watch(base, 0)
        kinds.append(frame.kind)
        took.append(clock.monotonic_ns() - begin)
        spent.append(made["spent"][0].tolist())
        outputs.append([bytes(what) for _, _, what in live.outputs()])
    return outputs, np.array(spent), np.array(took), np.array(kinds)


def test_what_is_measured_decides_the_same(day):
    outputs, spent, took, _ = through(day, measured=True)
    plain, nothing, _, _ = through(day, measured=False)
    assert outputs == plain and any(outputs) and not nothing.any()
    assert (spent >= 0).all() and (spent.sum(axis=1) <= took).all()


def test_each_stage_is_found_where_it_belongs(day):
    outputs, spent, _, kinds = through(day, measured=True)
    left = np.array([any(map(len, one)) for one in outputs]) & (kinds == DATAGRAM)
    called, asked = spent[:, laps.STRATEGY] > 0, spent[:, laps.RISK] > 0
    assert called.any() and asked.any()
    assert (called | ~asked).all(), "only a strategy asks for orders"
    assert (spent[:, laps.PARSE] > 0).all() and (spent[:, laps.ENCODE] > 0).all()
    assert asked[left].mean() > 0.9, "what leaves on market data is what a strategy asked for then"
    assert len(laps.STAGES) == spent.shape[1]
