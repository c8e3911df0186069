"""Keys that sign releases: Ed25519, the private one kept under a passphrase only.

    DESK.key   hft-private-key 1 / name / id / salt / nonce / sealed     mode 0600
    DESK.pub   hft-public-key 1 / name / id / key                        goes to each live host

The id is the first 16 digits of the SHA-256 of the public key. What is sealed are the 32 bytes of
the private key: ChaCha20-Poly1305 under what scrypt makes of the passphrase, with the lines above
it sealed too, so that a name or an id that was changed does not open. A live host trusts the `.pub`
files of one folder, and nothing else.

Worst case: 0.2 s and 64 MiB for the scrypt of one passphrase.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hftlib.core.errors import HostError, InputError
from hftlib.core.units import shown

PRIVATE, PUBLIC = "hft-private-key 1", "hft-public-key 1"
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}", re.ASCII)
KEYS_MAX, FILE_BYTES_MAX = 64, 1024
PASSPHRASE_MIN, PASSPHRASE_MAX = 8, 1024
_SCRYPT = {"length": 32, "n": 1 << 16, "r": 8, "p": 1}
_DO_KEY = "Give the file that `hft keys make` wrote."
_DO_PUBLIC = "Give the .pub file that `hft keys make` wrote."


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Who may be trusted to have signed something."""

    name: str
    raw: bytes = field(repr=False)

    @property
    def id(self) -> str:
        return hashlib.sha256(self.raw).hexdigest()[:16]

    def has_signed(self, data: bytes, signature: bytes) -> bool:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, data)
        except (InvalidSignature, ValueError):
            return False
        return True

    def text(self) -> str:
        return _text(PUBLIC, name=self.name, id=self.id, key=_base64(self.raw))


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """What signs; its text for people shows who it is and nothing more."""

    public: PublicKey
    _raw: bytes = field(repr=False)

    def sign(self, data: bytes) -> bytes:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self._raw).sign(data)

    def __reduce__(self) -> Any:
        raise TypeError("a private key is not pickled")


def make_key(name: str) -> PrivateKey:
    """A new key, in memory only."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if not NAME.fullmatch(name):
        do = "Begin with a letter; letters, digits, - . and _ may follow, 64 in all."
        raise InputError(f"A key cannot be called {shown(name)}", where="hft keys make", do=do)
    made = Ed25519PrivateKey.generate()
    public = PublicKey(name, made.public_key().public_bytes_raw())
    return PrivateKey(public, made.private_bytes_raw())


def save_key(key: PrivateKey, path: Path, passphrase: str) -> Path:
    """Write the key under the passphrase and the public one beside it; nothing is overwritten."""
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    _require_passphrase(passphrase)
    beside = path.with_suffix(".pub")
    if path.suffix == ".pub":
        do = "Call it NAME.key; the public one gets NAME.pub."
        raise InputError("A private key is no .pub file", where=str(path), do=do)
    salt, nonce = os.urandom(16), os.urandom(12)
    head = _text(
        PRIVATE, name=key.public.name, id=key.public.id, salt=_base64(salt), nonce=_base64(nonce)
    )
    sealed = ChaCha20Poly1305(_stretched(passphrase, salt)).encrypt(nonce, key._raw, head.encode())
    for place in (path, beside):
        if os.path.lexists(place):
            do = "Give another name; a key is never overwritten."
            raise InputError("There is something already", where=str(place), do=do)
    _write(path, f"{head}sealed {_base64(sealed)}\n", 0o600)
    _write(beside, key.public.text(), 0o644)
    return beside


def open_key(path: Path, passphrase: str) -> PrivateKey:
    """The key, if the passphrase is the right one and nobody else can read the file."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    text = _read(path, _DO_KEY, is_private=True)
    found = _fields(text, PRIVATE, ("name", "id", "salt", "nonce", "sealed"), path, _DO_KEY)
    salt, nonce = _bytes(found["salt"], 16), _bytes(found["nonce"], 12)
    sealed = _bytes(found["sealed"], 48)
    if salt is None or nonce is None or sealed is None:
        raise InputError("This private key is damaged", where=str(path), do=_DO_KEY)
    head = text[: text.index("sealed ")]
    try:
        cipher = ChaCha20Poly1305(_stretched(passphrase, salt))
        raw = cipher.decrypt(nonce, sealed, head.encode())
    except InvalidTag:
        do = "Try the passphrase again; without it a key is lost, and a new one is made."
        raise InputError(
            "The passphrase does not open this key, or the file was changed",
            where=str(path),
            do=do,
        ) from None
    public = Ed25519PrivateKey.from_private_bytes(raw).public_key().public_bytes_raw()
    return PrivateKey(PublicKey(found["name"], public), raw)


def read_public(path: Path) -> PublicKey:
    """A public key out of its file."""
    found = _fields(_read(path, _DO_PUBLIC), PUBLIC, ("name", "id", "key"), path, _DO_PUBLIC)
    raw = _bytes(found["key"], 32)
    if raw is None or PublicKey(found["name"], raw).id != found["id"]:
        raise InputError("This public key is damaged", where=str(path), do=_DO_PUBLIC)
    return PublicKey(found["name"], raw)


def trusted_keys(place: Path) -> dict[str, PublicKey]:
    """The keys that a host trusts, by id: a folder of `.pub` files, or one of them."""
    do = "Give a folder with the .pub files of those whose releases this host may run."
    try:
        files = sorted(place.glob("*.pub")) if place.is_dir() else [place]
        status = place.stat()
    except OSError as error:
        why = f"The trusted keys cannot be read: {error.strerror}"
        raise InputError(why, where=str(place), do=do) from None
    if stat.S_IMODE(status.st_mode) & 0o002:
        do = f"Run `chmod o-w {place}`, and look at who is in it."
        raise InputError("Anybody may add to the trusted keys", where=str(place), do=do)
    if not 0 < len(files) <= KEYS_MAX:
        what = f"{len(files):,} keys are there; from one to {KEYS_MAX} may be trusted"
        raise InputError(what, where=str(place), do=do)
    found = [read_public(one) for one in files]
    return {one.id: one for one in found}


def _require_passphrase(passphrase: str) -> None:
    if not PASSPHRASE_MIN <= len(passphrase) <= PASSPHRASE_MAX:
        raise InputError(
            f"A passphrase has at least {PASSPHRASE_MIN} characters, {PASSPHRASE_MAX} at most",
            where="the passphrase",
            do="Take some words that nobody guesses.",
        )


def _stretched(passphrase: str, salt: bytes) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    return Scrypt(salt=salt, **_SCRYPT).derive(passphrase.encode("utf-8", "surrogateescape"))


def _text(first: str, **fields: str) -> str:
    return "".join(f"{line}\n" for line in (first, *(f"{n} {v}" for n, v in fields.items())))


def _fields(
    text: str, first: str, names: tuple[str, ...], path: Path, do: str
) -> Mapping[str, str]:
    lines = text.split("\n")
    found = dict(line.split(" ", 1) for line in lines[1:-1] if line.count(" ") == 1)
    whole = text == _text(first, **{name: found.get(name, "") for name in names})
    if not whole or not NAME.fullmatch(found["name"]):
        what = "public" if first == PUBLIC else "private"
        raise InputError(f"This is no {what} key of hft", where=str(path), do=do)
    return found


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str, count: int) -> bytes | None:
    """What the text stands for, written in the one way there is; None if it is not that."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if len(data) == count and _base64(data) == text else None


def _read(path: Path, do: str, is_private: bool = False) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_size > FILE_BYTES_MAX:
                raise InputError("This is no file of a key", where=str(path), do=do)
            if is_private and stat.S_IMODE(status.st_mode) & 0o077:
                mend = f"Run `chmod 600 {path}`, and think about who has read it."
                raise InputError("Others may read this key", where=str(path), do=mend)
            return file.read(FILE_BYTES_MAX).decode("ascii")
    except OSError as error:
        what = f"The key cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        what = "This is no key: it is no plain text"
    raise InputError(what, where=str(path), do=do)


def _write(path: Path, text: str, mode: int) -> None:
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with open(os.open(path, flags, mode), "w", encoding="ascii") as file:
            file.write(text)
    except OSError as error:
        raise HostError(
            f"The key cannot be written: {error.strerror}",
            where=str(path),
            do="Give a place in a folder that is there and that you can write.",
        ) from None
