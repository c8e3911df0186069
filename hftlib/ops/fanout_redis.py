"""Events in a Redis stream: an event is an entry, its ID is its number, its fields are the event's.

    XADD trading 4711-1 frame 4711 n 1 time 1795328175527650757 kind SESSION_IN what accepted ...

Redis takes an ID only if it is above all there were, so nothing is there twice, whatever is sent
again; and its last ID says where to go on. What is handed over at once is a transaction: all of it
or none, so there is no hole where the server refused one in the middle.

Worst case: a server that loses its last second (`appendfsync everysec`, and the host loses power)
is told it again, since what it ends with is asked at each connection. A stream grows until somebody
trims it (XTRIM); trimmed to nothing, its last ID is still known.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import redis
from redis import exceptions as refusals
from redis.backoff import NoBackoff
from redis.retry import Retry

from hftlib.core.errors import InputError, StateError
from hftlib.engine.live.decoding import Told
from hftlib.ops.fanout import AwayError, Last, MovedError, number_of, text_of

ANSWER_S = 5.0
_NOT_ABOVE, _NO_STREAM, _NEVER = "equal or smaller", "no such key", "0-0"
_NOT_ALLOWED = (
    refusals.AuthenticationError,
    refusals.AuthorizationError,
    refusals.NoPermissionError,
)


class RedisStream:
    """A stream of one Redis server."""

    def __init__(self, dsn: str, place: str, name: str) -> None:
        self.name, self.place = name, place
        try:
            self._server = redis.Redis.from_url(
                dsn,
                decode_responses=True,
                socket_timeout=ANSWER_S,
                socket_connect_timeout=ANSWER_S,
                retry=Retry(NoBackoff(), 0),  # what to send again is decided in `fanout.py`
                client_name="hft-fanout",
            )
        except ValueError as error:
            do = "Write redis://HOST:PORT/0, or redis://USER:PASSWORD@HOST:PORT/0."
            raise InputError(f"This names no Redis: {error}", where=place, do=do) from None

    def connect(self) -> Last | None:
        ends, entries = self._asked(self._end)
        if ends == _NEVER:
            return None
        number = number_of(ends)
        if number is None or number[1] == 0:
            raise StateError(
                f"The stream ends with {ends}, which is no event of a journal",
                where=f"{self.name} at {self.place}",
                do="Name another stream.",
            )
        is_there = bool(entries) and entries[0][0] == ends
        return Last(number, entries[0][1] if is_there else None)

    def publish(self, events: list[Told]) -> None:
        self._asked(lambda: self._send(events))

    def wait(self, seconds: float) -> None:
        if seconds:
            time.sleep(seconds)

    def close(self) -> None:
        self._server.close()
        self._server.connection_pool.disconnect()

    def _end(self) -> tuple[str, Any]:
        """The last ID that was ever given, and the last entry there is."""
        try:
            about: Any = self._server.xinfo_stream(self.name)
        except refusals.ResponseError as error:
            if _NO_STREAM in str(error):
                return _NEVER, []
            raise
        return str(about["last-generated-id"]), self._server.xrevrange(self.name, count=1)

    def _send(self, events: list[Told]) -> None:
        with self._server.pipeline(transaction=True) as line:
            for one in events:
                fields: dict[Any, Any] = dict(one)
                line.xadd(self.name, fields, id=text_of((one["frame"], one["n"])))
            line.execute()

    def _asked(self, ask: Callable[[], Any]) -> Any:
        """What it answers, or what its refusal means."""
        where = f"{self.name} at {self.place}"
        try:
            return ask()
        except _NOT_ALLOWED as error:
            do = "Give a user and a password that may: redis://USER:PASSWORD@HOST:PORT/0."
            raise InputError(f"Redis does not let us: {error}", where=where, do=do) from None
        except refusals.ResponseError as error:
            if _NOT_ABOVE in str(error):
                raise MovedError from None
            if "WRONGTYPE" in str(error):
                what = "There is something else of that name, which is no stream"
                raise StateError(what, where=where, do="Name another stream.") from None
            if "NOAUTH" in str(error) or "DB index" in str(error):
                do = "Write redis://USER:PASSWORD@HOST:PORT/0, with a database that it has."
                raise InputError(f"Redis does not let us: {error}", where=where, do=do) from None
            raise AwayError(str(error)) from None  # out of memory, read-only, a disk that is full
        except redis.RedisError as error:
            raise AwayError(str(error)) from None
