"""The passphrase of a key: from a file that only its owner can read, or typed where nobody sees it.

    words = passphrase(file, twice=False)    --passphrase-file, $HFT_PASSPHRASE_FILE, the terminal

It is in no argument and no variable, where other users and logs see it. Worst case: a terminal that
cannot hide what is typed is not asked.
"""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from hftlib.core.errors import InputError
from hftlib.core.release.keys import PASSPHRASE_MAX

_DO = "Give a file with one line and mode 600: --passphrase-file FILE."


def passphrase(file: Path | None, *, twice: bool = False) -> str:
    """The words; a sentence where there are none to be had."""
    named = file or (Path(given) if (given := os.environ.get("HFT_PASSPHRASE_FILE")) else None)
    if named is not None:
        return line_of_file(named)
    if not sys.stdin.isatty():
        what = "Nobody is at a terminal to type the passphrase"
        raise InputError(what, where="the passphrase", do=_DO)
    import getpass

    words = getpass.getpass("Passphrase: ")
    if twice and getpass.getpass("Once more: ") != words:
        raise InputError("The two differ", where="the passphrase", do="Type it again.")
    return words


def line_of_file(path: Path) -> str:
    """The one line of a file that nobody else can read."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise InputError("This is no plain file", where=str(path), do=_DO)
            if stat.S_IMODE(status.st_mode) & 0o077:
                do = f"Run `chmod 600 {path}`, and think about who has read it."
                raise InputError("Others may read this file", where=str(path), do=do)
            data = file.read(4 * PASSPHRASE_MAX + 2)
    except OSError as error:
        what = f"The passphrase cannot be read: {error.strerror}"
        raise InputError(what, where=str(path), do=_DO) from None
    try:
        words = data.decode("utf-8").removesuffix("\n")
    except UnicodeDecodeError:
        raise InputError("The passphrase is no UTF-8 text", where=str(path), do=_DO) from None
    if not words or "\n" in words or len(words) > PASSPHRASE_MAX:
        raise InputError("The file does not hold one line", where=str(path), do=_DO)
    return words
