"""A runner out of a release: attested first, then from its own machine code, and nothing else.

    how = How(release, trusted, group_digest, group, older)
    prepared = launched(how, begun, given, journal, say)      as `beginning.new` and `resumed`

Order: signature and digests, what was launched here before, attestation, its machine code in place
of the compiler, its strategy imported, its limits read, its group agreed (`launch_group.py`). Only
then does anybody listen, dial or write. The journal's first frame says which release it is, and a
day of a release goes on with the same one only.

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

_WHERE = "hft live --release"


@dataclass(frozen=True, slots=True)
class How:
    """What the command line says of a release."""

    release: Path | None = None
    trusted: Path | None = None
    group_digest: str = ""
    group: str = ""
    older: str = ""


def launched(
    how: How,
    begun: Callable[[Given, Path, Say], Prepared],
    given: Given,
    journal: Path,
    say: Say,
) -> Prepared:
    """What `begun` prepares, of a release where one is given; refused where one must be."""
    if how.release is None:
        _require_no_release(how, _known(journal) if begun is resumed else None, journal)
        return begun(given, journal, say)
    with in_group(how.group) as group:
        release, prepared = _one_of_release(how, begun, given, journal, say)
        if group is not None:
            group.agree(release.digest)
    return prepared


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
    with launching(record_place(), release, how.older):
        return release, _attested(how, release, begun, given, journal, say)


def told_of(release: Release, older: str = "") -> dict[str, Any]:
    """What a journal's first frame says of its release."""
    told = {
        "name": release.manifest.name,
        "serial": release.manifest.serial,
        "digest": release.digest,
        "key": f"{release.key.name} {release.key.id}",
    }
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
    from hftlib.ops.attesting import attest, objects_of, require_names
    from hftlib.strategy.files import strategy_named

    attest(release, mode=given.mode or "paper", journal=journal, group_digest=how.group_digest)
    serve(objects_of(release))
    if begun is resumed:
        return begun(given, journal, say)
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
        live, about, after = prepared(told, hours)
        place.cleanup()
        own = f"{release.name}:{release.manifest.strategy}"
        named = [{**one, "named": own} for one in about["strategies"]]
        more = {"strategies": named, "release": told_of(release, how.older)}
        return live, about | more, after

    return of_release


def _release_of(journal: Path) -> Any:
    from hftlib.engine.live.replaying import about

    return about(journal).get("release")


def _known(journal: Path) -> Any:
    """The same; nothing of what is no journal, which is refused as such after what was typed."""
    with suppress(HftError):
        return _release_of(journal)
    return None


def _require_no_release(how: How, known: Any, journal: Path) -> None:
    if how.trusted is not None or how.group_digest or how.group or how.older:
        do = "Give --release FOLDER, or leave out --trusted, --group-digest, --group and --older."
        raise InputError("No release is given", where=_WHERE, do=do)
    if known:
        raise StateError(
            f"This day is one of the release {known['name']}-{known['serial']}",
            where=str(journal),
            do="Go on with it: --release FOLDER --trusted KEYS.",
        )


def _require_same(release: Release, known: Any, journal: Path) -> None:
    if not known or known["digest"] != release.digest:
        of = f"the release {known['name']}-{known['serial']}" if known else "no release"
        raise StateError(
            f"This day is one of {of}, not of {release.name}, {release.digest[:12]}",
            where=str(journal),
            do="Go on with what it was begun with, or begin another journal.",
        )
