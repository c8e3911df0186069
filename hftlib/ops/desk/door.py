"""What every answer of a desk goes through: its name is the right one, and its headers are strict.

    app = Door(application, guard, is_local)

No page but the desk's own may run anything, frame it or read it, and nothing of the API is kept by
a browser or on the way. Worst case: none.
"""

from __future__ import annotations

import json
from typing import Any

from hftlib.ops.desk.answers import Answer, refusal
from hftlib.ops.desk.guarding import Guard

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_ALWAYS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
YEAR_S = 31_536_000


class Door:
    """Around an application."""

    def __init__(self, app: Any, guard: Guard, *, is_local: bool) -> None:
        self._app, self._guard = app, guard
        told = dict(_ALWAYS)
        if guard.is_tls and not is_local:  # on a laptop it would bind other servers of it, too
            told["strict-transport-security"] = f"max-age={YEAR_S}"
        self._headers = [(name.encode(), value.encode()) for name, value in told.items()]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        is_api = scope["path"].startswith("/api/")
        kept = (b"cache-control", b"no-store" if is_api else b"no-cache")

        async def sent(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ()), *self._headers, kept]
                message = {**message, "headers": headers}
            await send(message)

        try:
            hosts = [value for name, value in scope["headers"] if name == b"host"]
            self._guard.require_host(hosts[0].decode("latin-1") if len(hosts) == 1 else "")
        except Answer as error:
            await _answered(sent, error)
            return
        await self._app(scope, receive, sent)


async def _answered(send: Any, error: Answer) -> None:
    code, told = refusal(error)
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": code, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(told).encode()})
