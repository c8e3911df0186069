"""Secrets at rest: sealed by Fernet under a key that lies elsewhere.

    vault = open_vault()                    the key from the first place that has one:
        $CREDENTIALS_DIRECTORY/hftlib-key   systemd: LoadCredential=hftlib-key:/etc/hftlib/key
        $HFT_SECRETS_KEY_FILE               a file of mode 0600
        the keyring of this user's session  service hftlib, name secrets
        ~/.config/hftlib/secrets.key        a file of mode 0600
    vault.seal("JBSWY3DP...")               text for a file
    vault.opened(text)

`open_vault(make=True)` makes a key where there is none: in the keyring where one works, else as
that file. No secret is an argument of a program, and none is in what an error says.

Worst case: a lost key is a lost second factor; `hft access add` gives new ones.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hftlib.core.errors import HostError, InputError
from hftlib.ops.access.needed import require
from hftlib.ops.access.private import alone, read_private, write_private

SERVICE, NAME, CREDENTIAL = "hftlib", "secrets", "hftlib-key"
WHAT = "The key of the secrets"


@dataclass(frozen=True, slots=True)
class Vault:
    """What seals and opens; `where` its key lies."""

    where: str
    _fernet: Any = field(repr=False)

    def seal(self, secret: str) -> str:
        return str(self._fernet.encrypt(secret.encode()).decode())

    def opened(self, sealed: str) -> str:
        from cryptography.fernet import InvalidToken

        try:
            return str(self._fernet.decrypt(sealed.encode()).decode())
        except (InvalidToken, ValueError):
            raise InputError(
                "A secret does not open: it was sealed under another key, or changed",
                where=self.where,
                do="Give the key that it was sealed under, or make the secret anew.",
            ) from None

    def __reduce__(self) -> Any:
        raise TypeError("a vault is not pickled")


def config_folder() -> Path:
    """Where this user's settings are."""
    try:
        base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    except RuntimeError:
        do = "Set XDG_CONFIG_HOME to a folder that this user can write."
        raise HostError("This user has no home directory", where="HOME", do=do) from None
    return base / "hftlib"


def open_vault(*, make: bool = False) -> Vault:
    """The vault of this user, or of this service."""
    for found, where in _places():
        if found:
            return _vault(found, where)
    if not make:
        raise InputError(
            f"{WHAT} is nowhere",
            where="$CREDENTIALS_DIRECTORY, $HFT_SECRETS_KEY_FILE, the keyring, "
            f"{config_folder() / 'secrets.key'}",
            do="`hft access add` makes one; docs/access.md says where it may lie.",
        )
    return _made()


def _places() -> Any:
    """Each place, one after the other: what it has, and its name."""
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    if credentials:
        path = Path(credentials) / CREDENTIAL
        # The folder is the service's alone; the file may be its group's, by an ACL.
        yield read_private(path, WHAT, others=0o027), str(path)
    named = os.environ.get("HFT_SECRETS_KEY_FILE")
    if named:
        path = Path(named)
        found = read_private(path, WHAT)
        if not found:
            do = "Name the file that has it, or unset HFT_SECRETS_KEY_FILE."
            raise InputError(f"{WHAT} is not there", where=str(path), do=do)
        yield found, str(path)
    yield _of_keyring(), "the keyring"
    path = config_folder() / "secrets.key"
    yield read_private(path, WHAT), str(path)


def _vault(key: bytes, where: str) -> Vault:
    from cryptography.fernet import Fernet

    try:
        return Vault(where, Fernet(key.strip()))
    except ValueError:
        do = "A key is 32 bytes in URL-safe base64, one line; `hft access add` makes one."
        raise InputError(f"{WHAT} is none", where=where, do=do) from None


def _made() -> Vault:
    from cryptography.fernet import Fernet

    key, path = Fernet.generate_key(), config_folder() / "secrets.key"
    if _into_keyring(key.decode()):
        return _vault(key, "the keyring")
    with alone(path, WHAT):
        there = read_private(path, WHAT)
        if not there:
            write_private(path, key + b"\n", WHAT)
    return _vault(there or key, str(path))


def _of_keyring() -> bytes:
    require("keyring")
    import keyring
    from keyring.errors import KeyringError

    try:
        return (keyring.get_password(SERVICE, NAME) or "").encode()
    except (KeyringError, OSError, RuntimeError):
        return b""  # there is none, as on most servers


def _into_keyring(key: str) -> bool:
    import keyring
    from keyring.errors import KeyringError

    try:
        keyring.set_password(SERVICE, NAME, key)
        return keyring.get_password(SERVICE, NAME) == key
    except (KeyringError, OSError, RuntimeError):
        return False
