"""Sessions: over when idle, when old, when their person changed; of one plane; and bounded."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hftlib.ops.access.people import People, Person
from hftlib.ops.desk.sessions import CONTROL, SESSIONS_MAX, VIEW, Expiry, Sessions

KEPT = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$aGFzaA"
EXPIRIES = {VIEW: Expiry(100.0, 1_000.0), CONTROL: Expiry(10.0, 50.0)}
ANN = Person("ann", ("operator",), KEPT, "sealed")


@pytest.fixture
def people(tmp_path):
    found = People(tmp_path / "people.json")
    found.change(lambda all_: all_.update(ann=ANN))
    return found


@pytest.fixture
def sessions(people):
    return Sessions(people, EXPIRIES)


def test_it_is_over_when_idle_and_when_old_however_busy(sessions):
    cookie, _ = sessions.begun(ANN, CONTROL, 0.0)
    assert sessions.of(cookie, CONTROL, 10.0) and not sessions.of(cookie, CONTROL, 20.1)
    cookie, _ = sessions.begun(ANN, CONTROL, 0.0)
    assert all(sessions.of(cookie, CONTROL, float(now)) for now in range(51))
    assert not sessions.of(cookie, CONTROL, 50.1)
    assert not sessions.of(cookie, CONTROL, 1.0), "and it does not come back"


def test_to_be_looked_at_keeps_nothing_awake(sessions):
    cookie, _ = sessions.begun(ANN, CONTROL, 0.0)
    assert all(sessions.of(cookie, CONTROL, float(now), asks=False) for now in range(11))
    assert not sessions.of(cookie, CONTROL, 10.5, asks=False)


def test_it_is_of_one_plane_and_ends_when_it_is_told(sessions):
    cookie, made = sessions.begun(ANN, VIEW, 0.0)
    assert not sessions.of(cookie, CONTROL, 1.0) and sessions.of(cookie, VIEW, 1.0) is made
    for other in ("", cookie[:-1], cookie + "A", "\ud800", made.csrf):
        assert not sessions.of(other, VIEW, 1.0)
    sessions.ended(cookie)
    assert not sessions.of(cookie, VIEW, 1.0)
    assert cookie not in repr(vars(sessions)) and made.csrf not in repr(made)


@pytest.mark.parametrize(
    "how",
    [
        lambda found: found.pop("ann"),
        lambda found: found.update(ann=replace(ANN, roles=("risk",))),
        lambda found: found.update(ann=replace(ANN, password=KEPT + "x")),
        lambda found: found.update(ann=replace(ANN, totp="another")),
    ],
)
def test_another_password_other_roles_or_nobody_any_more_end_it(people, sessions, how):
    cookie, _ = sessions.begun(ANN, VIEW, 0.0)
    assert sessions.of(cookie, VIEW, 1.0)
    people.change(lambda found: how(found) and None)
    assert not sessions.of(cookie, VIEW, 1.0)


def test_of_too_many_the_oldest_goes(sessions):
    cookies = [sessions.begun(ANN, VIEW, 0.0)[0] for _ in range(SESSIONS_MAX + 1)]
    assert not sessions.of(cookies[0], VIEW, 1.0)
    assert all(sessions.of(one, VIEW, 1.0) for one in cookies[1:])
    assert len(set(cookies)) == SESSIONS_MAX + 1
