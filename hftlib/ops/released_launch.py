"""A runner out of a release: attested first, then from its own machine code, and nothing else.

    how = How(release, trusted, group_digest, group, older, shelf)
    prepared = launched(how, begun, given, journal, say)      as `beginning.new` and `resumed`

Order: signature and digests, what was launched here before, attestation, its machine code in place
of the compiler, its strategy imported, its limits read, its group agreed (`launch_group.py`). Only
then does anybody listen, dial or write. The journal's first frame says which release it is, and a
day of a release goes on with the same one only. A strategy that is called NAME@STAGE is the release
that a rollout's steps have there, in the mode of that stage (`staged_launch.py`).

Worst case: a tenth of a second for a release of 6 MB.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hftlib.core.errors import HftError, InputError, StateError
from hftlib.core.release.keys import trusted_keys
from hftlib.core.release.manifest import LIMITS
from hftlib.core.release.reading import Release, read_release
from hftlib.core.release.record import launching, record_place
from hftlib.ops.beginning import Given, Prepared, Say, resumed
from hftlib.ops.launch_group import in_group
from hftlib.ops.staged_launch import SHELF, Staged, is_staged, staged

_WHERE = "hft live --release"


@dataclass(frozen=True, slots=True)
class How:
    """What the command line says of a release."""

    release: Path | None = None
    trusted: Path | None = None
    group_digest: str = ""
    group: str = ""
    older: str = ""
    shelf: Path | None = None
    staged: Staged | None = None


def launched(
    how: How,
    begun: Callable[[Given, Path, Say], Prepared],
    given: Given,
    journal: Path,
    say: Say,
) -> Prepared:
    """What `begun` prepares, of a release where one is given; refused where one must be."""
    if how.release is None and not any(map(is_staged, given.strategies)):
        _require_no_release(how, _known(journal) if begun is resumed else None, journal)
        return begun(given, journal, say)
    with in_group(how.group) as group:
        how, given = _of_stage(how, begun, given, journal)
        release, prepared = _one_of_release(how, begun, given, journal, say)
        if group is not None:
            group.agree(release.digest)
    return prepared


def _of_stage(
    how: How, begun: Callable[[Given, Path, Say], Prepared], given: Given, journal: Path
) -> tuple[How, Given]:
    """Both, with the release and the mode of NAME@STAGE; as they are where a folder is given."""
    named = [one for one in given.strategies if is_staged(one)]
    if not named:
        if how.shelf is not None:
            do = "Give NAME@champion, or leave out --shelf."
            raise InputError("No stage is given", where="hft live --shelf", do=do)
        return how, given
    if len(given.strategies) > 1 or how.release is not None:
        do = "Give either NAME@STAGE or --release FOLDER, and no strategy beside it."
        raise InputError(f"{named[0]} is a whole release", where="hft live", do=do)
    if how.trusted is None:
        do = "Name the folder of the keys that this host trusts: --trusted KEYS."
        raise InputError(f"Nobody is trusted to say what {named[0]} is", where="hft live", do=do)
    found = staged(named[0], how.shelf or SHELF, how.trusted)
    if begun is resumed:
        _require_stage(found, _release_of(journal), journal)
        given = replace(given, strategies=[])  # its mode is the journal's
    else:
        given = found.given(given)
    older = how.older or found.older
    return replace(how, release=found.release.folder, older=older, staged=found), given


def _one_of_release(
    how: How,
    begun: Callable[[Given, Path, Say], Prepared],
    given: Given,
    journal: Path,
    say: Say,
) -> tuple[Release, Prepared]:
    if how.release is None or how.trusted is None:
        do = "Name the folder of the keys that this host trusts: --trusted KEYS."
        raise InputError("Nobody is trusted to have signed the release", where=_WHERE, do=do)
    if given.strategies or given.params or given.limits:
        do = "Leave them out; what is to be otherwise is another release."
        what = "Strategy, parameters and limits are those of the release"
        raise InputError(what, where=_WHERE, do=do)
    release = read_release(how.release, trusted_keys(how.trusted))
    if begun is resumed:
        _require_same(release, _release_of(journal), journal)
    why = how.older
    if how.staged is not None:
        _require_unchanged(release, how.staged)
        why = why or how.staged.step.why  # a stage may hold what is older than another's
    with launching(record_place(), release, why):
        return release, _attested(how, release, begun, given, journal, say)


def told_of(release: Release, older: str = "", of: Staged | None = None) -> dict[str, Any]:
    """What a journal's first frame says of its release."""
    told = {
        "name": release.manifest.name,
        "serial": release.manifest.serial,
        "digest": release.digest,
        "key": f"{release.key.name} {release.key.id}",
    }
    told |= of.told() if of is not None else {}
    return told | ({"older": older} if older else {})


def _attested(
    how: How,
    release: Release,
    begun: Callable[[Given, Path, Say], Prepared],
    given: Given,
    journal: Path,
    say: Say,
) -> Prepared:
    from hftlib.core.jit.released import serve
    from hftlib.ops.attesting import attest, objects_of, require_kept_clock, require_names
    from hftlib.strategy.files import strategy_named

    attest(release, journal=journal, group_digest=how.group_digest)
    serve(objects_of(release))
    if begun is resumed:
        again, mode = begun(given, journal, say), str(_about(journal).get("mode", ""))

        def gone_on(told: Any, hours: Mapping[str, Any]) -> tuple[Any, dict[str, Any], int]:
            require_kept_clock(mode, told)
            return again(told, hours)

        return gone_on
    # The bytes that were verified; the folder's are not looked at again.
    place = tempfile.TemporaryDirectory(prefix="hft-release-")
    file, limits = Path(place.name) / "strategy.py", Path(place.name) / LIMITS
    file.write_bytes(release.files[release.manifest.module])
    limits.write_bytes(release.files[LIMITS])
    named = f"{file}:{release.manifest.strategy}"
    require_names(release, strategy_named(named))
    values = release.manifest.parameters
    own = replace(given, strategies=[named], limits=limits, values=values)
    prepared = begun(own, journal, say)

    def of_release(told: Any, hours: Mapping[str, Any]) -> tuple[Any, dict[str, Any], int]:
        require_kept_clock(given.mode, told)
        live, about, after = prepared(told, hours)
        place.cleanup()
        own = f"{release.name}:{release.manifest.strategy}"
        named = [{**one, "named": own} for one in about["strategies"]]
        more = {"strategies": named, "release": told_of(release, how.older, how.staged)}
        return live, about | more, after

    return of_release


def _release_of(journal: Path) -> Any:
    return _about(journal).get("release")


def _about(journal: Path) -> Mapping[str, Any]:
    from hftlib.engine.live.replaying import about

    return about(journal)


def _known(journal: Path) -> Any:
    """The same; nothing of what is no journal, which is refused as such after what was typed."""
    with suppress(HftError):
        return _release_of(journal)
    return None


def _require_no_release(how: How, known: Any, journal: Path) -> None:
    given = (how.trusted, how.shelf, how.group_digest, how.group, how.older)
    if any(given):
        do = "Give NAME@champion or --release FOLDER, or leave out what belongs to a release."
        raise InputError("No release is given", where=_WHERE, do=do)
    if known:
        raise StateError(
            f"This day is one of the release {known['name']}-{known['serial']}",
            where=str(journal),
            do="Go on with it: --release FOLDER --trusted KEYS.",
        )


def _require_unchanged(release: Release, of: Staged) -> None:
    """Between the reading of the log and that of the release nobody has put another there."""
    if release.digest != of.release.digest:
        do = "Do not run it. Ask who writes to the shelf."
        raise InputError(
            "The release is another than a moment ago", where=str(release.folder), do=do
        )


def _require_stage(of: Staged, known: Any, journal: Path) -> None:
    """A day goes on at the stage that it was begun at."""
    if known and known.get("stage") != of.stage:
        was = f"as {known['stage']}" if known.get("stage") else "with --release"
        raise StateError(
            f"This day was begun {was}, not as {of.stage}",
            where=str(journal),
            do="Go on as it was begun, or with --release FOLDER --trusted KEYS.",
        )


def _require_same(release: Release, known: Any, journal: Path) -> None:
    if not known or known["digest"] != release.digest:
        of = f"the release {known['name']}-{known['serial']}" if known else "no release"
        raise StateError(
            f"This day is one of {of}, not of {release.name}, {release.digest[:12]}",
            where=str(journal),
            do="Go on with what it was begun with, or begin another journal.",
        )
