"""Who listens hears how far the work is, once; what is part of it is silent."""

import os
import subprocess
import sys

import pytest

from hftlib.terminal import counted, heard_by, patience


def work():
    """Something with a bar, which does something with a bar."""
    with counted("days", 4) as advance:
        advance(1, "monday")
        with patience() as inner:
            inner(0.5, "reading")
        advance(2, "tuesday")


def test_a_listener_hears_the_outer_work_alone():
    heard = []
    with heard_by(lambda share, what: heard.append((share, what))):
        work()
        with patience() as advance:
            advance(0.25, "alone")
            work()
    assert heard == [(0.25, "days: monday"), (0.5, "days: tuesday"), (0.25, "alone")]


def test_nobody_hears_what_is_over_and_a_listener_that_raises_ends_the_work(capsys):
    heard = []

    def stop(_share, _what):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), heard_by(stop):
        work()
    with heard_by(lambda *told: heard.append(told)):
        pass
    work()
    assert heard == [] and capsys.readouterr().out == ""


@pytest.mark.skipif(os.getuid() != 0, reason="only root may become a user without a name")
def test_who_has_no_name_on_this_host_is_called_by_their_number():
    steps = "import getpass, os, pwd; from hftlib.terminal import person; os.setuid(4242)"
    nameless = {
        name: value
        for name, value in os.environ.items()
        if name not in ("LOGNAME", "USER", "LNAME", "USERNAME")
    }
    said = subprocess.run(
        [sys.executable, "-c", f"{steps}; print(person())"],
        env=nameless,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "uid 4242\n"
