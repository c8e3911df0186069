"""Who listens hears how far the work is, once; what is part of it is silent."""

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
