"""A shelf with two small releases of one name: the second one champion, the first one before it."""

from __future__ import annotations

from pathlib import Path

from release_desk import POLICY, WORDS
from small_release import FILES, made

from hftlib.core.release.keys import make_key, save_key, trusted_keys
from hftlib.core.release.rollout import read_rollout
from hftlib.core.release.rollout_step import ASKED, MOVED, Draft
from hftlib.core.release.rollout_writing import add_step

NAME = "maker"


class Shelf:
    """Releases, keys of three people, and the log; `breach` are the lines of that section."""

    def __init__(self, folder: Path, breach: str, before: bool = True) -> None:
        self.folder, self.place, self.keys = folder, folder / "releases", folder / "keys"
        self.keys.mkdir(parents=True)
        self.people = {name: make_key(name) for name in ("desk", "ann", "bea")}
        for name, key in self.people.items():
            save_key(key, self.keys / f"{name}.key", WORDS)
        self.words = folder / "words"
        self.words.write_text(f"{WORDS}\n")
        self.words.chmod(0o600)
        self.trusted = trusted_keys(self.keys)
        policy = POLICY.replace("loss_money = 1_000_000", breach)
        self.files = {**FILES, "rollout.toml": policy.encode()}
        self.place.mkdir()
        self.releases = [self._champion(serial) for serial in ([7, 8] if before else [8])]

    @property
    def champion(self):
        return self.releases[-1]

    @property
    def log(self):
        return read_rollout(self.place, NAME, self.trusted)

    def words_of(self, *more: object) -> list[str]:
        given = ["rollout", "watch", NAME, "--shelf", self.place, "--trusted", self.keys]
        given += ["--key", self.keys / "ann.key", "--passphrase-file", self.words, "--json"]
        return [str(one) for one in [*given, *more]]

    def _champion(self, serial):
        release = made(self.place, self.people["desk"], self.files, serial=serial)
        for what, stage, who in (
            (MOVED, "shadow", "ann"),
            (MOVED, "canary", "ann"),
            (ASKED, "champion", "ann"),
            (MOVED, "champion", "bea"),
        ):
            signer = f"desk {release.key.id}"
            draft = Draft(what, stage, serial, release.digest, signer, "as it should be", {})
            add_step(self.place, NAME, self.trusted, self.people[who], draft)
        return release
