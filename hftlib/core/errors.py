"""One small family of errors, all of which speak to a person.

Every message answers three questions, and the constructor insists on all three answers:

    what   happened, in one plain sentence
    where  the file, field, line or call it happened in
    do     what the reader should do about it

The command line prints `str(error)` and exits with `error.exit_code`; it never shows a traceback
for one of these. Worst case: none, these are raised far away from the tick path.
"""

from __future__ import annotations


class HftError(Exception):
    """Anything hftlib refuses, with its reason. Raise one of the four below, not this."""

    exit_code = 1

    def __init__(self, what: str, *, where: str, do: str) -> None:
        for name, answer in (("what", what), ("where", where), ("do", do)):
            if not answer.strip():
                raise ValueError(f"an error must say {name!r}; it was left empty")
        self.what, self.where, self.do = (answer.strip() for answer in (what, where, do))
        super().__init__(
            f"{_sentence(self.what)} Where: {_sentence(self.where)} {_sentence(self.do)}"
        )

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions cross process boundaries; with keyword-only arguments they need help.
        return _rebuild, (type(self), self.what, self.where, self.do)


class InputError(HftError):
    """A value, a file or a message from outside is wrong."""

    exit_code = 2


class StateError(HftError):
    """The request is fine but not now: something is closed, frozen, owned by another, or torn."""

    exit_code = 3


class HostError(HftError):
    """The machine lacks something: memory, disk, a permission, a CPU feature."""

    exit_code = 4


class CompileError(HftError):
    """Compilation failed, was refused, or gave code that may not run on the tick path."""

    exit_code = 5


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else text + "."


def _rebuild(kind: type[HftError], what: str, where: str, do: str) -> HftError:
    return kind(what, where=where, do=do)
