"""Events in a stream of NATS JetStream: a message each, JSON, its subject by the kind of its frame.

    trading.SESSION_IN    Nats-Msg-Id: 4711-1    {"frame": 4711, "n": 1, "what": "accepted", ...}

Each message says how the stream must end for it to be taken (Nats-Expected-Last-Sequence), so many
may be on their way at once, and of two that publish only one goes on; what is sent again is refused
by that and by its number. The last message there says where to go on.

The client is asyncio's, and its loop runs only while this process waits or publishes: heartbeats
are answered then. Worst case: a stream that somebody emptied does not tell where to go on, and is
refused.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import nats
from nats.errors import Error as NatsError
from nats.errors import NoServersError
from nats.js.api import StorageType
from nats.js.errors import APIError, NotFoundError, ServiceUnavailableError

from hftlib.core.errors import InputError, StateError
from hftlib.engine.live.decoding import Told
from hftlib.ops.fanout import AwayError, Last, MovedError, number_of, text_of

ANSWER_S = 5.0
_WRONG_LAST = 10071  # the server's number for "the stream does not end so"
_NOT_IN_NAMES = set(" .*>/\\\t\r\n")


class NatsStream:
    """A stream of one server of NATS, made if it is not there."""

    def __init__(self, dsn: str, place: str, name: str) -> None:
        if not name or _NOT_IN_NAMES & set(name) or not name.isprintable():
            do = "Use letters, digits, - and _."
            raise InputError(f"{name!r} is no name of a stream", where="--stream", do=do)
        self.name, self.place, self._dsn = name, place, dsn
        self._loop = asyncio.new_event_loop()
        self._client: Any = None
        self._length = 0  # the sequence of its last message
        self._why = ""

    def connect(self) -> Last | None:
        return self._asked(self._connected())

    def publish(self, events: list[Told]) -> None:
        self._asked(self._sent(events))

    def wait(self, seconds: float) -> None:
        self._loop.run_until_complete(asyncio.sleep(seconds))

    def close(self) -> None:
        """Leave the server; `connect` comes back."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(NatsError, TimeoutError, OSError):
                self._loop.run_until_complete(asyncio.wait_for(client.close(), ANSWER_S))

    async def _connected(self) -> Last | None:
        if self._client is not None:  # the stream moved: asked anew, by a connection of its own
            await self._client.close()
        self._client = await nats.connect(
            self._dsn,
            name="hft-fanout",
            allow_reconnect=False,  # when to dial again is decided in `fanout.py`
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            connect_timeout=int(ANSWER_S),
            error_cb=self._note,
        )
        server = self._client.jetstream(timeout=ANSWER_S)
        about = await self._about(server)
        self._length = int(about.state.last_seq)
        if not self._length:
            return None
        try:
            message = await server.get_msg(self.name, seq=self._length)
        except NotFoundError:
            raise self._refused("The last message of the stream is gone") from None
        number = number_of((message.headers or {}).get("Nats-Msg-Id", ""))
        if number is None:
            raise self._refused("The stream ends with a message that is no event of a journal")
        return Last(number, json.loads(message.data or b"{}"))

    async def _about(self, server: Any) -> Any:
        """What the server says of the stream, once there is one for our subjects."""
        subject = f"{self.name}.>"
        try:
            about = await server.stream_info(self.name)
        except NotFoundError:
            return await server.add_stream(
                name=self.name, subjects=[subject], storage=StorageType.FILE
            )
        if subject not in (about.config.subjects or []):
            raise self._refused(f"The stream does not take the subjects {subject}")
        return about

    async def _sent(self, events: list[Told]) -> None:
        server = self._client.jetstream(timeout=ANSWER_S)
        asked = []
        for place, one in enumerate(events):
            headers = {
                "Nats-Msg-Id": text_of((one["frame"], one["n"])),
                "Nats-Expected-Last-Sequence": str(self._length + place),
            }
            subject, data = f"{self.name}.{one['kind']}", json.dumps(one, ensure_ascii=False)
            asked.append(server.publish(subject, data.encode(), stream=self.name, headers=headers))
        for answer in await asyncio.gather(*asked, return_exceptions=True):
            if isinstance(answer, BaseException):
                raise answer
            if answer.duplicate:
                raise MovedError
            self._length = answer.seq

    def _asked(self, what: Coroutine[Any, Any, Any]) -> Any:
        """What it answers, or what its refusal means."""
        try:
            return self._loop.run_until_complete(what)
        except NoServersError:
            raise AwayError(self._why or "nobody is there") from None
        except NotFoundError as error:
            raise AwayError(f"the stream is gone: {error}") from None
        except APIError as error:
            if error.err_code == _WRONG_LAST:
                raise MovedError from None
            if error.err_code is None and isinstance(error, ServiceUnavailableError):
                raise AwayError("its JetStream is off (nats-server -js)") from None
            raise AwayError(_words(error)) from None
        except NatsError as error:
            words = _words(error)
            if "authorization" in words.lower() or "authentication" in words.lower():
                do = "Give a user and a password that may: nats://USER:PASSWORD@HOST:PORT."
                refusal = f"NATS does not let us: {words}"
                raise InputError(refusal, where=self.place, do=do) from None
            raise AwayError(words) from None
        except (TimeoutError, OSError) as error:
            raise AwayError(str(error) or "no answer in time") from None

    async def _note(self, error: Exception) -> None:
        """What the client would print: why nobody answers, which it does not say itself."""
        self._why = str(error)

    def _refused(self, what: str) -> StateError:
        do = "Name another stream: each journal has one of its own."
        return StateError(what, where=f"{self.name} at {self.place}", do=do)


def _words(error: Exception) -> str:
    told = getattr(error, "description", None) or str(error) or type(error).__name__
    return str(told)
