"""Which `hft` commands the files of a deployment say, and whether the command line accepts them.

said(text)              each command in a piece of shell, as words
accepted(words)         parsed as `hft` would, down to the last option; nothing is run
"""

from __future__ import annotations

import io
import shlex
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from typer.core import TyperGroup
from typer.exceptions import Exit, TyperException
from typer.main import get_command

from hftlib.cli import app

DEPLOY = Path(__file__).parent.parent / "pipelines" / "deploy"
ENDS = frozenset(["|", "||", "&", "&&", ";", ";;", "(", ")", ">", ">>", "<", "<<"])
USERS = ("-u", "-g", "--user")  # of sudo, install: the next word is nobody's command


def said(text: str) -> Iterator[list[str]]:
    """Words after each `hft`, to the end of that command; also within `sh -c` and behind `sudo`."""
    for line in text.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split, lexer.commenters = True, "#"
        words: list[str] | None = None
        before = ""
        for token in lexer:
            if token in ENDS:
                if words is not None:
                    yield words
                words = None
            elif words is not None:
                words.append(token)
            elif " " in token and "hft " in token:
                yield from said(token)
            elif (token == "hft" and before not in USERS) or token.endswith("/bin/hft"):
                words = []
            before = token
        if words is not None:
            yield words


def accepted(words: Sequence[str]) -> str:
    """Nothing if it is a command line of ours; what is wrong with it otherwise."""
    if not words:
        return ""  # an alias
    try:
        with redirect_stdout(io.StringIO()):
            _parse(get_command(app), words, "hft", None)
    except Exit:
        return ""  # --help, --version
    except TyperException as error:
        return f"hft {shlex.join(words)}: {error.format_message()}"
    return ""


def _parse(command: Any, words: Sequence[str], name: str, parent: Any) -> None:
    context = command.make_context(name, list(words), parent=parent)
    rest = [*context._protected_args, *context.args]
    if isinstance(command, TyperGroup) and rest:
        found, inner, left = command.resolve_command(context, rest)
        _parse(inner, left, found or "", context)
