"""What a desk refuses, as HTTP has it: a status code and the three answers of every error of ours.

    raise Answer(403, "This role may not do it", where=..., do=...)
    refusal(error) -> (code, {"what", "where", "do"})

Worst case: none.
"""

from __future__ import annotations

from hftlib.core.errors import HftError, HostError, InputError, StateError
from hftlib.ops.access.proving import NotProvenError


class Answer(HftError):  # noqa: N818  (it is what is said, and by that an error)
    """Refused with this code."""

    def __init__(self, code: int, what: str, *, where: str = "the desk", do: str) -> None:
        super().__init__(what, where=where, do=do)
        self.code = code


LOGGED_OUT = "Log in: name, password and the code of your authenticator."


def refusal(error: HftError) -> tuple[int, dict[str, str]]:
    """The code and the words."""
    return _code(error), {"what": error.what, "where": error.where, "do": error.do}


def _code(error: HftError) -> int:
    if isinstance(error, Answer):
        return error.code
    if isinstance(error, NotProvenError):
        return 429 if error.wait_s > 0 else 403
    for kind, code in ((InputError, 400), (StateError, 409), (HostError, 503)):
        if isinstance(error, kind):
            return code
    return 500
