"""Who does not get through the TLS of a plane is heard of: no certificate, another's, TLS 1.2.

    heard(context, tell)        tell("PEER_DID_NOT_RETURN_A_CERTIFICATE") for each that fails

A handshake fails before there is a request, so nothing else of a desk would know. From where it
came is not known at that place. Worst case: `tell` is called in the event loop, and must not wait.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable

from hftlib.ops.desk.answers import Answer


def heard(context: ssl.SSLContext, tell: Callable[[str], None]) -> None:
    """From now on `tell` hears of each handshake that fails."""

    class Heard(ssl.SSLObject):
        def do_handshake(self) -> None:
            try:
                super().do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                raise
            except ssl.SSLError as error:
                tell(error.reason or "it ended")
                raise

    context.sslobject_class = Heard


def refusal_of(reason: str) -> Answer:
    """As the audit log has it."""
    words = reason.replace("_", " ").lower()
    do = "Use TLS 1.3, and a certificate of the authority where one is asked for."
    return Answer(400, f"No TLS with them: {words}", where="TLS", do=do)
