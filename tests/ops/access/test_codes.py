"""The second factor: a code is accepted once, also after a restart and by two desks at once."""

from __future__ import annotations

import threading

import pyotp
import pytest

from hftlib.core.errors import InputError
from hftlib.ops.access.codes import Codes, new_secret, uri

NOW = 1_795_000_000.0


@pytest.fixture
def secret():
    return new_secret()


@pytest.fixture
def place(tmp_path):
    return tmp_path / "people.json.used"


def code(secret, steps=0):
    return pyotp.TOTP(secret).at(int(NOW) + 30 * steps)


def test_a_code_of_this_step_and_of_those_around_it_is_accepted(secret, place):
    for steps, name in ((-1, "ann"), (0, "bob"), (1, "cyd")):
        assert Codes(place).accept(name, secret, code(secret, steps), NOW)
    for steps in (-2, 2, 10):
        assert not Codes(place).accept("dan", secret, code(secret, steps), NOW)


def test_a_code_is_accepted_once_also_after_a_restart(secret, place):
    codes = Codes(place)
    assert codes.accept("ann", secret, code(secret), NOW)
    assert not codes.accept("ann", secret, code(secret), NOW)
    assert not Codes(place).accept("ann", secret, code(secret), NOW + 20), "another process"
    assert not codes.accept("ann", secret, code(secret, -1), NOW), "nor an older one after it"
    assert codes.accept("ann", secret, code(secret, 1), NOW)
    assert place.stat().st_mode & 0o777 == 0o600


def test_of_many_who_send_the_same_code_at_once_one_is_let_in(secret, place):
    let_in = []

    def try_it():
        let_in.append(Codes(place).accept("ann", secret, code(secret), NOW))

    threads = [threading.Thread(target=try_it) for _ in range(12)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(let_in) == [False] * 11 + [True]


@pytest.mark.parametrize("given", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "-12345", " 12345"])
def test_what_is_no_code_is_refused(secret, place, given):
    assert not Codes(place).accept("ann", secret, given, NOW)


@pytest.mark.parametrize("data", ["{", "[]", '{"ann": "x"}', '{"ann": 1.5}'])
def test_a_damaged_file_lets_nobody_in(secret, place, data):
    place.touch(0o600)
    place.write_text(data)
    with pytest.raises(InputError, match="damaged"):
        Codes(place).accept("ann", secret, code(secret), NOW)


def test_an_authenticator_reads_what_is_shown(secret):
    read = pyotp.parse_uri(uri(secret, "ann"))
    assert (read.secret, read.name, read.issuer) == (secret, "ann", "hftlib")
    assert read.at(int(NOW)) == code(secret)
