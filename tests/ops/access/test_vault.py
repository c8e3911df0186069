"""Where the key of the secrets comes from, in its order; and that no error quotes a secret."""

from __future__ import annotations

import os

import pytest
from cryptography.fernet import Fernet

from hftlib.core.errors import InputError
from hftlib.ops.access.vault import CREDENTIAL, open_vault

CANARY = "JBSWY3DPEHPK3PXP"
# A keyring of one file: what a desktop's does, on a host that has none.
BACKEND = """
import os, pathlib
from keyring.backend import KeyringBackend
class Ring(KeyringBackend):
    priority = 9
    place = pathlib.Path(os.environ["RING"])
    def get_password(self, service, name):
        return self.place.read_text() if self.place.exists() else None
    def set_password(self, service, name, password):
        self.place.write_text(password)
    def delete_password(self, service, name):
        self.place.unlink()
"""


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch):
    import keyring
    from keyring.backends.fail import Keyring

    before = keyring.get_keyring()
    keyring.set_keyring(Keyring())
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("CREDENTIALS_DIRECTORY", "HFT_SECRETS_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    yield tmp_path
    keyring.set_keyring(before)


def key_at(path, mode=0o600):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode)
    path.write_bytes(Fernet.generate_key() + b"\n")
    path.chmod(mode)
    return path


def test_without_a_key_nothing_opens_and_one_is_made_when_asked_for(own):
    with pytest.raises(InputError, match="is nowhere"):
        open_vault()
    made = open_vault(make=True)
    path = own / "config" / "hftlib" / "secrets.key"
    assert made.where == str(path) and path.stat().st_mode & 0o777 == 0o600
    sealed = made.seal(CANARY)
    assert CANARY not in sealed and open_vault().opened(sealed) == CANARY
    assert open_vault(make=True).opened(sealed) == CANARY, "and it is not made anew"


def test_the_places_are_asked_in_their_order(own, monkeypatch):
    import keyring

    key_at(own / "config" / "hftlib" / "secrets.key")
    assert open_vault().where.endswith("secrets.key")
    monkeypatch.setenv("RING", str(own / "ring"))
    space: dict = {}
    exec(BACKEND, space)
    keyring.set_keyring(space["Ring"]())
    assert open_vault().where.endswith("secrets.key"), "an empty keyring has no key"
    (own / "ring").write_bytes(Fernet.generate_key())
    assert open_vault().where == "the keyring"
    monkeypatch.setenv("HFT_SECRETS_KEY_FILE", str(key_at(own / "named.key")))
    assert open_vault().where.endswith("named.key")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(own / "credentials"))
    assert open_vault().where.endswith("named.key"), "systemd gave it no such credential"
    key_at(own / "credentials" / CREDENTIAL, 0o400)
    assert open_vault().where.endswith(CREDENTIAL)


def test_a_new_key_goes_into_a_keyring_that_works(own, monkeypatch):
    import keyring

    monkeypatch.setenv("RING", str(own / "ring"))
    space: dict = {}
    exec(BACKEND, space)
    keyring.set_keyring(space["Ring"]())
    made = open_vault(make=True)
    assert made.where == "the keyring" and open_vault().opened(made.seal(CANARY)) == CANARY
    assert not (own / "config" / "hftlib" / "secrets.key").exists()


def test_what_others_may_read_what_is_no_key_and_what_is_not_there_is_refused(own, monkeypatch):
    path = own / "named.key"
    monkeypatch.setenv("HFT_SECRETS_KEY_FILE", str(path))
    with pytest.raises(InputError, match="is not there"):
        open_vault(make=True)
    key_at(path, 0o640)
    with pytest.raises(InputError, match="read or written by others"):
        open_vault()
    path.chmod(0o600)
    path.write_text(CANARY)
    with pytest.raises(InputError, match="is none") as caught:
        open_vault()
    assert CANARY not in str(caught.value)


def test_what_was_sealed_under_another_key_does_not_open(own):
    vault = open_vault(make=True)
    sealed = vault.seal(CANARY)
    os.unlink(own / "config" / "hftlib" / "secrets.key")
    other = open_vault(make=True)
    for text in (sealed, "", "gAAAA", sealed[:-1], CANARY):
        with pytest.raises(InputError, match="does not open") as caught:
            other.opened(text)
        assert CANARY not in str(caught.value)
    assert CANARY not in repr(vault)
    with pytest.raises(TypeError):
        vault.__reduce__()
