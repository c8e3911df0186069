"""A name, a password and a code are a person, or they are not: which of them was wrong is not said.

    proofs = Proofs(people, vault)
    person = proofs.login(name, password, code, address, now_s)       raises NotProvenError
    proofs.confirm(person, code, address, now_s)                      a fresh code of who is here

Worst case: as long for a name that does not exist as for one that does, argon2 being most of it.
"""

from __future__ import annotations

from collections.abc import Callable

from hftlib.core.errors import StateError
from hftlib.ops.access.codes import Codes, new_secret
from hftlib.ops.access.passwords import is_right
from hftlib.ops.access.people import People, Person
from hftlib.ops.access.trying import Tries
from hftlib.ops.access.vault import Vault


class NotProvenError(StateError):
    """Not let in; `wait_s` is how long it may not be tried again."""

    def __init__(self, what: str, do: str, wait_s: float = 0.0) -> None:
        super().__init__(what, where="the desk's door", do=do)
        self.wait_s = wait_s


class Proofs:
    """Of the people of one file."""

    def __init__(self, people: People, vault: Callable[[], Vault]) -> None:
        self.people, self._vault = people, vault
        self._codes = Codes(people.path.with_name(f"{people.path.name}.used"))
        self._tries = Tries()
        self._nobodys = new_secret()

    def login(self, name: str, password: str, code: str, address: str, now_s: float) -> Person:
        """Who that is."""
        self._require_patience(name, address, now_s)
        person = self.people.named(name)
        knows = is_right(None if person is None else person.password, password)
        if not self._has(person if knows else None, code, now_s) or person is None:
            self._tries.failed(name, address, now_s)
            do = "Try again with the next code; a code is accepted once."
            raise NotProvenError("Name, password or code is wrong", do)
        self._tries.right(name, address)
        return person

    def confirm(self, person: Person, code: str, address: str, now_s: float) -> None:
        """A code that was not used yet, of somebody who is logged in."""
        self._require_patience(person.name, address, now_s)
        if not self._has(person, code, now_s):
            self._tries.failed(person.name, address, now_s)
            do = "Wait for the next code of your authenticator: each is accepted once."
            raise NotProvenError("The code is wrong, over, or was used already", do)
        self._tries.right(person.name, address)

    def _require_patience(self, name: str, address: str, now_s: float) -> None:
        wait = self._tries.wait_s(name, address, now_s)
        if wait > 0:
            do = f"Wait {wait:,.0f} s. In an emergency `hft kill` at the host needs no desk."
            raise NotProvenError("Too many were wrong", do, wait)

    def _has(self, person: Person | None, code: str, now_s: float) -> bool:
        """Whether the code is right: for nobody as much work, and no."""
        secret = self._vault().opened(person.totp) if person is not None else self._nobodys
        return self._codes.accept(person.name if person else "-", secret, code, now_s) and (
            person is not None
        )
