"""Gates that are asked at once: told in their order, those that measure the host alone."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from hftlib.core.errors import InputError
from hftlib.promote import promoting
from hftlib.promote.plan import read_plan
from tests.promote.small_gates import FAIL, PASS, desk

ROOT = Path(__file__).parents[2]
# Each says when it is there, and waits for another to be there, too.
MEETS = """import time
from pathlib import Path
here = Path({folder!r})
(here / {own!r}).touch()
until = time.monotonic() + 60
while not (here / {other!r}).exists():
    assert time.monotonic() < until, "nobody came"
    time.sleep(0.01)
time.sleep({stays})
(here / ({own!r} + " is over")).touch()
"""
ALONE = """from pathlib import Path
here = Path({folder!r})
missing = [name for name in ("one", "two") if not (here / (name + " is over")).exists()]
assert not missing, missing
assert not (here / "after").exists()
"""


def meets(folder, own, other, stays=0.0):
    return MEETS.format(folder=str(folder), own=own, other=other, stays=stays) + PASS


def promoted(plan, folder, **settings):
    candidate = str(plan.parent / "idle.py:Idle")
    return promoting.promote(candidate, {}, plan=read_plan(plan), folder=folder, **settings)


def test_two_are_asked_at_once_and_told_in_order_and_one_has_the_host_for_itself(place):
    meeting = place / "meeting"
    meeting.mkdir()
    gates = {
        "01_one": meets(meeting, "one", "two", stays=1.0),  # over after the second
        "02_two": meets(meeting, "two", "one"),
        "03_alone": ALONE.format(folder=str(meeting)) + PASS,
        "04_after": f"from pathlib import Path\n(Path({str(meeting)!r}) / 'after').touch()\n{PASS}",
    }
    plan = desk(place / "at-once", **gates)
    plan.write_text(plan.read_text().replace("[gates.03_alone]", "[gates.03_alone]\nalone = true"))
    heard, here = [], Path.cwd()
    made = promoted(plan, place / "at-once-out", jobs=2, told=lambda *one: heard.append(one))
    assert made.passed is True, made.sentence
    assert [one.gate for one in made.judged] == list(gates)
    assert heard == [(0, "01_one, 02_two"), (1, "02_two"), (2, "03_alone"), (3, "04_after")]
    assert Path.cwd() == here
    assert promoted(plan, place / "at-once-out", jobs=2).kept == tuple(gates)


def test_what_was_asked_beside_one_that_fails_is_told_and_nothing_after_it(place):
    meeting = place / "failing"
    meeting.mkdir()
    first = meets(meeting, "one", "two").replace(PASS, FAIL)
    gates = {"01_one": first, "02_two": meets(meeting, "two", "one"), "03_more": PASS}
    plan = desk(place / "fails", **gates)
    made = promoted(plan, place / "fails-out", jobs=2)
    assert made.passed is False and made.not_asked == ("03_more",)
    assert [(one.gate, one.verdict.passed) for one in made.judged] == [
        ("01_one", False),
        ("02_two", True),
    ]


def test_ctrl_c_ends_the_kernels_of_all_that_are_asked(place):
    slow = f"import time\ntime.sleep(120)\n{PASS}"
    plan = desk(place / "ended", **{"01_slow": slow, "02_slow": slow})
    words = ["promote", "idle.py:Idle", "--plan", "promotion.toml", "-j", "2"]
    running = subprocess.Popen(
        [sys.executable, "-c", "from hftlib.cli import main; main()", *words],
        cwd=plan.parent,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until, kernels = time.monotonic() + 120, []
        while len(kernels) < 2:
            assert time.monotonic() < until and running.poll() is None
            time.sleep(0.05)
            children = psutil.Process(running.pid).children()
            kernels = [one for one in children if "ipykernel_launcher" in " ".join(one.cmdline())]
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
    finally:
        running.kill()
    assert running.returncode == 130 and "Traceback" not in said
    gone, alive = psutil.wait_procs(kernels, timeout=10)
    assert len(gone) == 2 and not alive
    assert not (plan.parent / "promotions" / "idle" / "report").exists()


@pytest.mark.parametrize("jobs", [0, -1, 17])
def test_an_odd_number_of_jobs_is_refused(place, jobs):
    plan = desk(place / "odd", **{"01_quick": PASS})
    with pytest.raises(InputError, match="gates at once cannot be asked"):
        promoted(plan, place / "odd-out", jobs=jobs)
