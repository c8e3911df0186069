"""`hft promote NOTEBOOK -p k=v`: may this strategy trade? Every gate of the plan is asked.

    hft promote notebooks/strategies/lean.ipynb
    hft promote ideas.py:Maker -p edge=2 --keep-going --json
    hft promote Maker.py --only 06 --champion promotions/Old
    hft promote notebooks/strategies/lean.ipynb --key desk.key     and a signed release in releases/

Exit codes: 0 passed, 1 a gate does not pass, 2 the input is wrong, 3 not now (another promotion in
the folder), 4 the host lacks something. Worst case: the time limits of all gates.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from hftlib.ops.release_commands import PassphraseFile
from hftlib.terminal import Json, counted, leave_through_finally, show

Option = typer.Option


def promote_command(
    candidate: Annotated[
        str,
        typer.Argument(
            metavar="NOTEBOOK|MODULE.py[:Class]", help="A strategy's notebook, or its module."
        ),
    ],
    param: Annotated[list[str] | None, Option("-p", "--param", help="edge=2. Repeatable.")] = None,
    plan: Annotated[
        Path | None, Option(help="The gates; otherwise pipelines/promotion.toml.")
    ] = None,
    output: Annotated[
        Path | None, Option("-o", help="Where evidence is kept; otherwise promotions/NAME.")
    ] = None,
    champion: Annotated[
        Path | None, Option(help="The folder of the promotion that trades now.")
    ] = None,
    only: Annotated[
        list[str] | None, Option("--only", help="A gate by its name or number. Repeatable.")
    ] = None,
    keep_going: Annotated[
        bool, Option("--keep-going", help="Ask all gates, and collect every reason.")
    ] = False,
    jobs: Annotated[
        int, Option("-j", "--jobs", help="Gates at once; no more than there are cores.")
    ] = 1,
    key: Annotated[
        Path | None, Option(help="Sign a release with it, once all gates pass: hft keys make.")
    ] = None,
    into: Annotated[Path, Option(help="Releases get folders of their names in there.")] = Path(
        "releases"
    ),
    rollout: Annotated[
        Path | None, Option(help="The release's policy; otherwise pipelines/rollout.toml.")
    ] = None,
    passphrase_file: PassphraseFile = None,
    json_out: Json = False,
) -> None:
    """Ask every gate whether a strategy may trade, and keep what they answer as evidence."""
    from hftlib.promote.plan import found_plan, read_plan
    from hftlib.promote.promoting import promote
    from hftlib.strategy.files import given_parameters

    leave_through_finally()
    chosen = given_parameters(param or [], "hft promote")
    signer = _signer(key, passphrase_file)  # asked for now, not when minutes have passed
    policy = _policy(signer, rollout)
    gates = read_plan(found_plan(plan))
    with counted("gates", len(gates.gates)) as advance:
        made = promote(
            candidate,
            chosen,
            plan=gates,
            folder=output,
            champion=champion,
            keep_going=keep_going,
            only=only or [],
            jobs=jobs,
            told=advance,
        )
    release, listed = _signed(made, gates, signer, into, policy)
    (_printed if json_out else _shown)(made, release, listed, policy)
    sys.stdout.flush()
    if not all(one.verdict for one in made.judged):
        raise typer.Exit(1)


def _signed(made: Any, plan: Any, signer: Any, into: Path, rollout: Path | None) -> tuple[Any, Any]:
    """The release of what has passed, and its version in the registry, where there is a key."""
    if signer is None or not made.passed:
        return None, None
    from hftlib.promote.passing import release_of
    from hftlib.promote.registry import register

    release = release_of(made, plan, signer, into, rollout)
    return release, register(release, made.run)


def _printed(made: Any, release: Any, listed: Any, policy: Path | None) -> None:
    """For machines."""
    signed = None
    if release is not None:
        signed = {"folder": str(release.folder), "digest": release.digest}
        signed["rollout"] = str(policy) if policy else ""
    told = {**made.as_json(), "release": signed, "registry": listed and listed.as_json()}
    print(json.dumps(told, indent=2, ensure_ascii=False, allow_nan=False))


def _shown(made: Any, release: Any, listed: Any, policy: Path | None) -> None:
    from rich.text import Text

    show(made)
    failed = next((one for one in made.judged if not one.verdict), None)
    if failed is not None:
        show(Text(f"Look at {made.report / failed.page.name}"))
    show(Text(f"The report: {made.index}"))
    if release is not None:
        by = f"{release.key.name} {release.key.id}"
        show(Text(f"The release: {release.folder}, digest {release.digest}, signed by {by}"))
        show(Text(f"Its rollout policy: {policy or 'none'}"))
        show(Text(f"In the registry: {listed.name}@candidate, version {listed.version}"))


def _policy(signer: Any, rollout: Path | None) -> Path | None:
    """The policy that a release is signed with, read before minutes are spent on gates."""
    if signer is None and rollout is None:
        return None
    from hftlib.core.release.rollout_policy import found_policy, read_policy

    found = found_policy(rollout)
    if found is not None:
        read_policy(found)
    return found


def _signer(key: Path | None, passphrase_file: Path | None) -> Any:
    if key is None:
        return None
    from hftlib.core.release.keys import open_key
    from hftlib.ops.passphrases import passphrase

    return open_key(key, passphrase(passphrase_file))
