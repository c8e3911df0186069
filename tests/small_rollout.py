"""A small rollout: two releases on a shelf, three people with keys, and steps as they take them."""

from __future__ import annotations

import base64
import json

from small_release import DESK, FILES, made

from hftlib.core.release.keys import make_key
from hftlib.core.release.rollout_step import FIRST, Draft, canonical_line, signed_step
from hftlib.core.release.rollout_writing import add_step

ANN, BEA, STRANGER = make_key("ann"), make_key("bea"), make_key("stranger")
TRUSTED = {one.public.id: one.public for one in (DESK, ANN, BEA)}
POLICY = b'[canary]\nshare = 0.25\nscale = ["clip"]\n\n[champion]\nmode = "paper"\n'

# What nearly every day shows; a test makes one line of it narrower.
WHOLE_POLICY = """
[shadow]
days_min = 1
minutes_min = 0.0001
orders_min = 20
fills_min = 1
decisions_share_min = 0.0
fills_share_min = 0.0
pnl_min = -1_000_000
pnl_max = 1_000_000
worst_day_min = -1_000_000
refused_share_max = 1.0
rejected_share_max = 1.0
order_p99_us_max = 1_000_000
identical = true

[canary]
share = 0.1
scale = ["clip"]
days_min = 1
minutes_min = 0.0001
orders_min = 20
fills_min = 1
decisions_share_min = 0.0
fills_share_min = 0.0
pnl_min = -1_000_000
pnl_max = 1_000_000
worst_day_min = -1_000_000
refused_share_max = 1.0
rejected_share_max = 1.0
order_p99_us_max = 1_000_000
identical = true

[champion]
mode = "paper"

[champion.breach]
loss_money = 1_000_000
"""


def shelf_of(folder, *serials, **changes):
    """A shelf with these serials of maker, the newest given back last."""
    place = folder / "releases"
    files = {**FILES, "rollout.toml": POLICY}
    return place, [made(place, files=files, serial=one, **changes) for one in serials or (7, 8)]


def draft(what, stage, release, why="because it is time", evidence=None):
    signer = f"{release.key.name} {release.key.id}"
    told = (release.manifest.serial, release.digest, signer, why, evidence or {})
    return Draft(what, stage, *told)


def taken(shelf, *steps, name="maker"):
    """Steps as (key, what, stage, release) are added, one after the other."""
    return [
        add_step(shelf, name, TRUSTED, key, draft(what, stage, release))
        for key, what, stage, release in steps
    ]


def to_champion(release):
    """All steps of a release from the shelf to champion."""
    return [
        (ANN, "moved", "shadow", release),
        (ANN, "moved", "canary", release),
        (ANN, "asked", "champion", release),
        (BEA, "moved", "champion", release),
    ]


def lines_of(shelf, name="maker"):
    return (shelf / f"{name}.rollout").read_bytes().splitlines(keepends=True)


def written(shelf, *steps, name="maker", **changes):
    """A log whose chain and signatures hold, whatever its steps are: no rule was asked."""
    before, lines = FIRST, []
    for number, (key, what, stage, release) in enumerate(steps, 1):
        told = signed_step(draft(what, stage, release), number, before, name, key)
        lines.append(canonical_line(again(told, key, **changes)))
        before = sha_of(lines[-1])
    (shelf / f"{name}.rollout").write_bytes(b"".join(lines))


def again(told, signing, **changes):
    """The same step with something else in it, signed again."""
    rest = {name: one for name, one in {**told, **changes}.items() if name != "signature"}
    raw = signing.sign(b"hft-rollout-step 1\n" + canonical_line(rest))
    return {**rest, "signature": base64.b64encode(raw).decode()}


def sha_of(line):
    import hashlib

    return hashlib.sha256(line).hexdigest()


def parsed(line):
    return json.loads(line)
