"""Releases in MLflow's registry: every version with its evidence, and what it is used as.

    listed = register(release, run="...")        a new version of the model NAME, alias `candidate`
    versions("maker")                            all of them, newest first
    version_of("maker@champion")                 one: an alias, maker/3, or maker for the newest
    fetched("maker@candidate", into, trusted)    its release in a folder, verified again
    session("day.journal")                       a runner's day is added to its release's line
    follow(read_rollout(shelf, "maker", trusted))       aliases as the rollout's steps have them

A version is a pyfunc model whose data is the archive of the release as it was signed; nothing in it
is pickled (`loading.py` reads it back). All facts are tags, set when the version is made, and the
alias comes last: what was killed in between has no alias, and the same release registered again
finds what is there. Nobody's signature is believed because it is in a registry.

Worst case: the import of MLflow, some seconds; a store that another process has locked answers with
a sentence after MLflow's own patience.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from hftlib.core.errors import HostError, InputError, StateError
from hftlib.core.release.archive import ENDING, pack, unpack
from hftlib.core.release.keys import PublicKey
from hftlib.core.release.manifest import EVIDENCE, NOTEBOOK
from hftlib.core.release.reading import Release
from hftlib.core.release.rollout import ALIASES as ROLLOUT_ALIASES
from hftlib.core.release.rollout import Rollout
from hftlib.core.units import shown
from hftlib.promote.evidence import EXPERIMENT, RUN_NAME
from hftlib.research.sheets import Sheet
from hftlib.research.tracking import experiment_of, registry, registry_uri

ALIASES = ("candidate", *ROLLOUT_ALIASES)
MODEL = "release"  # the folder of a version among its run's artifacts
SESSION = "session."
_NAMED = re.compile(r"([A-Za-z][A-Za-z0-9_-]{0,63})(?:@([a-z]+)|/([0-9]{1,9}))?", re.ASCII)
TAG_MAX = 5_000
_WHERE = "the registry of releases"


@dataclass(frozen=True, slots=True)
class Listed:
    """One version, as the registry has it."""

    name: str
    version: int
    aliases: tuple[str, ...]
    run: str
    source: str
    tags: Mapping[str, str]

    @property
    def digest(self) -> str:
        return self.tags.get("digest", "")

    @property
    def sessions(self) -> list[dict[str, Any]]:
        """The days that runners had with it, in their order."""
        found = [json.loads(told) for name, told in self.tags.items() if name.startswith(SESSION)]
        return sorted(found, key=lambda one: str(one["begun"]))

    def _repr_html_(self) -> str:
        told = [(name, str(value)) for name, value in self.as_json().items() if value]
        return Sheet(f"{self.name}/{self.version}", ("", ""), [*told]).html()

    def as_json(self) -> dict[str, Any]:
        facts = {name: told for name, told in self.tags.items() if not name.startswith(SESSION)}
        return {
            "name": self.name,
            "version": self.version,
            "aliases": list(self.aliases),
            "run": self.run,
            "source": self.source,
            **facts,
            "tapes": json.loads(facts.get("tapes", "{}")),
            "sessions": self.sessions,
        }


def register(release: Release, run: str = "", notebook: str = "") -> Listed:
    """The release as a version with the alias `candidate`; `run` is that of its promotion."""
    name = release.manifest.name
    with registry() as client:
        found = next((one for one in _all(client, name) if one.digest == release.digest), None)
        if found is None:
            found = _added(client, release, run or _run_of(client, release), notebook)
        client.set_registered_model_alias(name, "candidate", str(found.version))
        return _listed(client, name, found.version)


def names() -> list[str]:
    """Every release that there is a version of."""
    with registry() as client:
        return sorted(one.name for one in client.search_registered_models(max_results=1_000))


def versions(name: str) -> list[Listed]:
    """All versions of it, newest first."""
    _taken_apart(name)
    with registry() as client:
        found = _all(client, name)
    if not found:
        known = ", ".join(names()[:20]) or "none yet: hft promote --key, hft registry add"
        do = f"The registry has {known}."
        raise InputError(f"There is no release {shown(name)}", where=registry_uri(), do=do)
    return found


def version_of(text: str) -> Listed:
    """The version that `NAME@alias`, `NAME/3` or `NAME` means."""
    name, alias, number = _taken_apart(text)
    found = versions(name)
    if not alias and not number:
        return found[0]
    for one in found:
        if one.version == int(number or 0) or alias in one.aliases:
            return one
    held = ", ".join(f"{one.version} {' '.join(one.aliases)}".strip() for one in found)
    what = f"{name} has no {f'alias {alias}' if alias else f'version {number}'}"
    raise InputError(what, where=registry_uri(), do=f"It has {held}.")


def fetched(text: str, into: Path, trusted: Mapping[str, PublicKey]) -> Release:
    """The release that this names, in a new folder of `into`; only if its signature holds."""
    listed = version_of(text)
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")  # it is one file
    with tempfile.TemporaryDirectory(prefix="hft-fetch-") as place, registry() as client:
        try:
            found = Path(client.download_artifacts(listed.run, f"{MODEL}/data", place))
        except Exception as error:  # a store answers with whatever its transport raises
            told = " ".join(str(error).split())[:160]
            do = "See that the store has its artifacts: one that was moved may have lost them."
            what = f"Version {listed.version} of {listed.name} cannot be fetched: {told}"
            raise HostError(what, where=listed.source, do=do) from None
        archives = sorted(found.glob(f"*{ENDING}"))
        if len(archives) != 1:
            do = "Register the release again: hft registry add FOLDER."
            raise HostError("This version holds no release", where=listed.source, do=do)
        return unpack(archives[0], into, trusted, partial(_require_listed, listed))


def _require_listed(listed: Listed, release: Release) -> None:
    if release.digest != listed.digest:
        what = f"Version {listed.version} of {listed.name} holds another release than it says"
        do = "Do not run it. Ask who has written to the registry."
        raise InputError(what, where=listed.source, do=do)


def session(journal: Path, verdict: str = "") -> Listed:
    """Add a runner's day to the release that it ran; the journal says which."""
    from hftlib.engine.live.replaying import about

    told = about(journal)
    ran = told.get("release")
    if not isinstance(ran, dict):
        do = "Only a day of hft live --release belongs to one."
        raise InputError("This journal is of no release", where=str(journal), do=do)
    day = {"begun": _begun(journal), "journal": journal.name, "mode": told.get("mode", "")}
    with registry() as client:
        for one in _all(client, str(ran.get("name", ""))):
            if one.digest == ran.get("digest"):
                tag = f"{SESSION}{day['begun']}.{journal.name}"[:250]
                words = json.dumps(day | ({"verdict": verdict} if verdict else {}))
                client.set_model_version_tag(one.name, str(one.version), tag, words)
                return _listed(client, one.name, one.version)
    do = "Register it first: hft registry add FOLDER."
    what = f"The release {shown(ran.get('name'))} of this journal is not in the registry"
    raise StateError(what, where=registry_uri(), do=do)


def follow(rollout: Rollout) -> list[Listed]:
    """Set and take away aliases until they are as the steps say; what is shadow to previous."""
    with registry() as client:
        found = {one.digest: one for one in _all(client, rollout.name)}
        held = {alias: rollout.at(alias) for alias in ROLLOUT_ALIASES}
        missing = [one for one in held.values() if one is not None and one.digest not in found]
        if missing:
            do = f"Register it, then hft registry follow: hft registry add {missing[0].release}."
            what = f"The release {missing[0].release.name} is not in the registry"
            raise StateError(what, where=registry_uri(), do=do)
        for alias, step in held.items():
            if step is not None:
                version = str(found[step.digest].version)
                client.set_registered_model_alias(rollout.name, alias, version)
            elif any(alias in one.aliases for one in found.values()):
                client.delete_registered_model_alias(rollout.name, alias)
        return _all(client, rollout.name)


def _begun(journal: Path) -> str:
    """When its first frame was written, in UTC."""
    from hftlib.core.journal.reading import frames

    ns = next(iter(frames(journal))).time
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ns // 10**9))


def _added(client: Any, release: Release, run: str, notebook: str) -> Listed:
    """A new version: its artifacts first, then the version with all of its tags at once."""
    manifest = release.manifest
    _model(client, manifest.name)
    with tempfile.TemporaryDirectory(prefix="hft-register-") as place:
        _saved(release, Path(place) / MODEL)
        client.log_artifacts(run, str(Path(place) / MODEL), MODEL)
    source = f"{client.get_run(run).info.artifact_uri}/{MODEL}"
    tags = {
        "digest": release.digest,
        "serial": str(manifest.serial),
        "made": manifest.made,
        "strategy": manifest.strategy,
        "parameters": json.dumps(dict(manifest.parameters), sort_keys=True)[:TAG_MAX],
        "key": f"{release.key.name} {release.key.id}",
        "sources": manifest.sources,
        "tapes": json.dumps(dict(manifest.tapes), sort_keys=True)[:TAG_MAX],
        "notebook": notebook or next(iter(release.below(NOTEBOOK)), ""),
        "evidence": str(len(release.below(EVIDENCE))),
        "hftlib": manifest.hftlib,
    }
    made = client.create_model_version(manifest.name, source, run_id=run, tags=tags)
    return _listed(client, manifest.name, int(made.version))


def _saved(release: Release, place: Path) -> None:
    """A pyfunc model of the release's archive, which names all that it needs by itself."""
    import mlflow.pyfunc

    with tempfile.TemporaryDirectory(prefix="hft-pack-") as folder:
        archive = pack(release, Path(folder) / f"{release.name}{ENDING}")
        mlflow.pyfunc.save_model(
            path=str(place),
            loader_module="hftlib.promote.loading",
            data_path=str(archive),
            pip_requirements=[f"hftlib=={release.manifest.hftlib}"],
        )


def _run_of(client: Any, release: Release) -> str:
    """A run for a release that no promotion made here."""
    tags = {RUN_NAME: release.name, "candidate": release.manifest.name, "by": "hft registry add"}
    run = client.create_run(experiment_of(client, EXPERIMENT), tags=tags).info.run_id
    client.set_terminated(run)
    return str(run)


def _model(client: Any, name: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        client.create_registered_model(name, tags={"of": "hftlib"})


def _all(client: Any, name: str) -> list[Listed]:
    found = client.search_model_versions(f"name = '{name}'", max_results=1_000)
    aliases = client.get_registered_model(name).aliases if found else {}
    return sorted((_from(one, aliases) for one in found), key=lambda one: -one.version)


def _listed(client: Any, name: str, version: int) -> Listed:
    return next(one for one in _all(client, name) if one.version == version)


def _from(told: Any, aliases: Mapping[str, Any]) -> Listed:
    held = tuple(one for one in ALIASES if str(aliases.get(one)) == str(told.version))
    tags = {name: str(one) for name, one in told.tags.items()}
    return Listed(told.name, int(told.version), held, str(told.run_id), str(told.source), tags)


def _taken_apart(text: str) -> tuple[str, str, str]:
    found = _NAMED.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        do = f"Write NAME, NAME/3 or NAME@alias, of {', '.join(ALIASES)}."
        raise InputError(f"{shown(text)} names no release", where=_WHERE, do=do)
    name, alias, number = found[1], found[2] or "", found[3] or ""
    if alias and alias not in ALIASES:
        raise InputError(
            f"There is no alias {shown(alias)}",
            where=_WHERE,
            do=f"Use one of {', '.join(ALIASES)}.",
        )
    return name, alias, number
