"""Server-sent events: each look of the watch to all who are connected, and nobody is waited for.

    feed = Feed(watch)            in the event loop; told by the watch's thread
    Stream(feed, is_welcome)      a response: `event: state` each time there is a new look

A client gets the newest look there is when it is ready for one: what it was too slow for is left
out, never kept. One that takes nothing for SLOW_S is cut off. Whoever is logged out, or whose
session is over, hears `event: end`.
Worst case: STREAMS_MAX clients, for each what the kernel and one write buffer hold.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from starlette.responses import Response

from hftlib.ops.desk.answers import Answer
from hftlib.ops.desk.watching import Watch

STREAMS_MAX, SLOW_S, PING_S = 64, 5.0, 15.0
ABORT = "hft.abort"
HEADERS = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no")]


class Feed:
    """Who is connected, and the waking of them."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.is_over = False
        self.count = 0
        self._waiting: set[asyncio.Event] = set()
        self._loop = asyncio.get_running_loop()
        watch.heard.append(self._heard)

    def _heard(self) -> None:
        """In the thread of the watch."""
        self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        for one in self._waiting:
            one.set()

    def close(self) -> None:
        """All streams end."""
        self.is_over = True
        with suppress(ValueError):
            self.watch.heard.remove(self._heard)
        self._wake()

    def enter(self) -> asyncio.Event:
        if self.count >= STREAMS_MAX:
            do = "Close a page that nobody looks at."
            raise Answer(503, f"{STREAMS_MAX} pages listen already", do=do)
        self.count += 1
        event = asyncio.Event()
        self._waiting.add(event)
        return event

    def leave(self, event: asyncio.Event) -> None:
        self.count -= 1
        self._waiting.discard(event)


class Stream(Response):
    """One client's."""

    def __init__(self, feed: Feed, is_welcome: Callable[[], bool]) -> None:
        super().__init__()
        self._feed, self._is_welcome = feed, is_welcome
        self._woken = feed.enter()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        gone: asyncio.Future[Any] = asyncio.ensure_future(_gone(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            await self._tell(send, gone)
        except TimeoutError:
            abort = scope.get("extensions", {}).get(ABORT)
            if abort is not None:
                abort()
        finally:
            gone.cancel()
            self._feed.leave(self._woken)

    async def _tell(self, send: Any, gone: asyncio.Future[Any]) -> None:
        told = 0
        while not gone.done():
            if self._feed.is_over or not self._is_welcome():
                await _sent(send, b"event: end\ndata: {}\n\n", more=False)
                return
            version, text = self._feed.watch.latest()
            if version != told:
                told = version
                await _sent(send, b"event: state\ndata: " + text + b"\n\n")
            else:
                await _sent(send, b": still here\n\n")
            waits: asyncio.Future[Any] = asyncio.ensure_future(self._woken.wait())
            await asyncio.wait([waits, gone], timeout=PING_S, return_when=asyncio.FIRST_COMPLETED)
            waits.cancel()
            self._woken.clear()


async def _sent(send: Any, data: bytes, *, more: bool = True) -> None:
    message = {"type": "http.response.body", "body": data, "more_body": more}
    await asyncio.wait_for(send(message), SLOW_S)


async def _gone(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
