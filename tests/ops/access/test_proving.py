"""Who is let in, and that a stranger learns nothing from being refused."""

from __future__ import annotations

import pyotp
import pytest

from hftlib.core.errors import InputError
from hftlib.ops.access.codes import new_secret
from hftlib.ops.access.passwords import LEAST, MOST, hashed, is_right
from hftlib.ops.access.people import People, Person
from hftlib.ops.access.proving import NotProvenError, Proofs
from hftlib.ops.access.roles import LOOSENS, ROLES, TIGHTENS, runner_role
from hftlib.ops.access.tokens import new_token, token_of
from hftlib.ops.access.trying import KEPT_MAX, Tries
from hftlib.ops.access.vault import Vault

NOW = 1_795_000_000.0
WORDS = "correct horse battery"


@pytest.fixture(scope="module")
def kept():
    return hashed(WORDS)


@pytest.fixture
def vault():
    from cryptography.fernet import Fernet

    return Vault("here", Fernet(Fernet.generate_key()))


@pytest.fixture
def secret():
    return new_secret()


@pytest.fixture
def proofs(tmp_path, kept, vault, secret):
    people = People(tmp_path / "people.json")
    ann = Person("ann", ("risk",), kept, vault.seal(secret))
    people.change(lambda found: found.update(ann=ann))
    return Proofs(people, lambda: vault)


def code(secret, steps=0):
    return pyotp.TOTP(secret).at(int(NOW) + 30 * steps)


def refusal(proofs, *words, now=NOW, frm="10.0.0.7"):
    with pytest.raises(NotProvenError) as caught:
        proofs.login(*words, frm, now)
    return caught.value


def test_a_name_a_password_and_a_code_are_a_person(proofs, secret):
    assert proofs.login("ann", WORDS, code(secret), "10.0.0.7", NOW).name == "ann"
    proofs.confirm(proofs.people.named("ann"), code(secret, 1), "10.0.0.7", NOW)


def test_what_was_wrong_is_not_said(proofs, secret):
    said = {
        str(refusal(proofs, *words, frm=f"10.0.0.{n}"))
        for n, words in enumerate(
            (
                ("ann", "wrong words", code(secret)),
                ("ann", WORDS, "000000"),
                ("nobody", WORDS, code(secret)),
                ("", "", ""),
                ("ann", WORDS + "\0", code(secret)),
                ("ann", "x" * 100_000, code(secret)),
                ("ann", "\ud800", code(secret)),
            )
        )
    }
    assert len(said) == 1
    # A wrong password does not use a code up: a stranger cannot keep ann out by that.
    assert proofs.login("ann", WORDS, code(secret), "10.0.0.99", NOW)


def test_a_name_that_nobody_has_is_as_much_work(kept):
    """Counted, not timed: both ways verify one hash of the same cost."""
    import argon2

    from hftlib.ops.access.passwords import _nobodys

    one, other = (argon2.extract_parameters(hash_) for hash_ in (kept, _nobodys()))
    assert one == other and one.type is argon2.Type.ID
    assert is_right(kept, WORDS) and not is_right(None, WORDS) and not is_right(kept, "x")


def test_wrong_ones_wait_longer_and_longer_and_the_right_one_waits_too(proofs, secret):
    waits, now = [], NOW
    for _ in range(6):
        error = refusal(proofs, "ann", "wrong words", "000000", now=now)
        if error.wait_s:
            waits.append(error.wait_s)
            now += error.wait_s
    assert waits == [5.0, 10.0]
    refusal(proofs, "ann", "wrong words", "000000", now=now)
    late = refusal(proofs, "ann", WORDS, code(secret), now=now)
    assert late.wait_s > 0 and "hft kill" in late.do
    assert proofs.login("ann", WORDS, code(secret), "10.0.0.8", now - 1), "from elsewhere"


def test_tries_are_bounded_in_time_and_memory():
    tries = Tries()
    for n in range(3 * KEPT_MAX):
        tries.failed(f"p{n}", f"10.0.{n}", NOW)
    assert len(tries._counts) <= 3 * KEPT_MAX
    for _ in range(60):
        tries.failed("ann", "10.9.9.9", NOW)
    assert tries.wait_s("ann", "10.9.9.9", NOW) == 900.0
    assert 0 < tries.wait_s("ann", "10.1.1.1", NOW) <= 30.0, "elsewhere she waits little"
    assert tries.wait_s("bob", "10.9.9.9", NOW) == 900.0, "whoever tries many names waits, too"
    assert tries.wait_s("ann", "10.9.9.9", NOW + 900.0) == 0.0
    tries.right("ann", "10.9.9.9")
    assert tries.wait_s("ann", "10.9.9.9", NOW) == 900.0, "the address is still that of who tried"


def test_a_token_is_known_again_until_it_is_over(proofs):
    from dataclasses import replace

    text, id_, token = new_token("look", 1_000)
    people = proofs.people
    ann = people.named("ann")
    people.change(lambda found: found.update(ann=replace(ann, tokens={id_: token})))
    assert token_of(people, text, 999)[0].name == "ann"
    assert token_of(people, text, 1_000) is None
    other = text[:-1] + ("A" if text[-1] != "A" else "B")
    for wrong in (other, text[:-1], "", "hft_00000000_" + "A" * 43, text.upper(), text + "\n"):
        assert token_of(people, wrong, 1) is None
    assert text not in people.path.read_text()


@pytest.mark.parametrize("words", ["", "x" * (LEAST - 1), "x" * (MOST + 1)])
def test_what_is_no_password_is_refused_and_not_quoted(words):
    with pytest.raises(InputError) as caught:
        hashed(words)
    assert not words or words not in str(caught.value)


def test_who_may_do_what():
    may = {role: {do for do in TIGHTENS + LOOSENS if runner_role([role], do)} for role in ROLES}
    looks = {"researcher", "approver", "auditor"}
    assert all(may[role] == set() for role in looks)
    assert may["operator"] == {"halt", "reduce", "flatten", "kill"}
    assert may["risk"] == {*may["operator"], "lift", "limit"}
    assert runner_role(["operator", "risk"], "halt") == "risk"
    assert runner_role(["operator"], "halt") == "trader" and runner_role([], "halt") == ""
