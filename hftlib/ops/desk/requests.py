"""What comes with a request: a body of JSON, of a bounded length and in bounded time.

    body = await body_of(request)        a table of names, or 400, 413, 415, 408

Worst case: BODY_BYTES_MAX, BODY_S.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from hftlib.ops.desk.answers import Answer

BODY_BYTES_MAX, BODY_S = 1 << 14, 10.0
WHERE = "the body"


async def body_of(request: Any) -> dict[str, Any]:
    """The table that it says."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        do = "Send application/json."
        raise Answer(415, "The body is no JSON", where="Content-Type", do=do)
    try:
        data = await asyncio.wait_for(_read(request), BODY_S)
    except TimeoutError:
        raise Answer(408, "The body did not come", where=WHERE, do="Send it again.") from None
    try:
        found = json.loads(data or b"{}")
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Answer(400, "The body is no table of names", where=WHERE, do="Send JSON: {...}.")
    return found


async def _read(request: Any) -> bytes:
    data = b""
    async for piece in request.stream():
        data += piece
        if len(data) > BODY_BYTES_MAX:
            do = f"Send at most {BODY_BYTES_MAX:,} bytes."
            raise Answer(413, "The body is too long", where=WHERE, do=do)
    return data
