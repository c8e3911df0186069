"""A package of the desk that is not installed is a sentence.

require("pyotp")        before the first import of it

Worst case: none.
"""

from __future__ import annotations

from importlib.util import find_spec

from hftlib.core.errors import InputError


def require(module: str, package: str = "", where: str = "hft desk, hft access") -> None:
    """Refuse where it cannot be imported."""
    if find_spec(module) is None:
        raise InputError(
            f"The package {package or module} is not installed",
            where=where,
            do="Run `pip install 'hftlib[desk]'`.",
        )
