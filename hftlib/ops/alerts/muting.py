"""Until when somebody wants quiet: `30m`, `2h`, a time, or `now`.

    until_ns("2h", now_ns)

Worst case: what is none of these, is past, or is more than MUTE_MAX_S away, is a sentence.
"""

from __future__ import annotations

import re

from hftlib.core.errors import HftError, InputError

SECOND = 1_000_000_000
MUTE_MAX_S = 7 * 86_400
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_DO = "Write 30m, 2h, 1d, a time such as 2026-11-23T18:00, or now; a week at most."


def until_ns(text: str, now_ns: int) -> int:
    if text == "now":
        return now_ns
    found = re.fullmatch(r"(\d{1,6})([smhd])", text)
    end = now_ns + int(found[1]) * _UNITS[found[2]] * SECOND if found else _time(text)
    if not now_ns < end <= now_ns + MUTE_MAX_S * SECOND:
        raise InputError(f"{text!r} is not within the next week", where="--until", do=_DO)
    return end


def _time(text: str) -> int:
    from hftlib.core.times import to_ns

    try:
        return int(to_ns(text, zone="UTC"))
    except HftError as error:
        raise InputError(error.what, where="--until", do=_DO) from None
