"""Real servers of streams on a free port of this host, which are killed and started again.

with RedisServer(tmp_path) as server:     skips the test where Debian's package is not there
    server.dsn, server.events("name"), server.kill(), server.start()
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

SERVER_S = 60.0


def free_port() -> int:
    with socket.socket() as own:
        own.bind(("127.0.0.1", 0))
        return int(own.getsockname()[1])


class Server:
    """One process with one folder, the same port each time."""

    program = package = scheme = path = ""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder, self.options, self.port = folder / self.program, options, free_port()
        self.folder.mkdir()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def dsn(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}{self.path}"

    def start(self) -> None:
        places = f"{os.environ.get('PATH', '')}:/usr/sbin"
        program = shutil.which(self.program, path=places)
        if program is None:
            pytest.skip(f"{self.program} is not installed (Debian: apt-get install {self.package})")
        command = [program, *self.arguments(), *self.options]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        until = time.monotonic() + SERVER_S
        while not self.is_ready():
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < until, f"{self.program} does not answer"
            time.sleep(0.02)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def is_ready(self) -> bool:
        raise NotImplementedError

    def arguments(self) -> list[str]:
        raise NotImplementedError

    def events(self, name: str) -> list[tuple[str, dict[str, Any]]]:
        """All that is in a stream, in its order: what each is called, and what it says."""
        raise NotImplementedError


class RedisServer(Server):
    program = package = "redis-server"
    scheme, path = "redis", "/0"

    def arguments(self):
        port = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        return [*port, "--appendonly", "yes", "--save", "", "--loglevel", "warning"]

    def client(self):
        redis = pytest.importorskip("redis", reason="the extra `redis` is not installed")
        return redis.Redis(port=self.port, decode_responses=True)

    def is_ready(self):
        import redis

        try:
            with self.client() as one:
                return one.ping()
        except redis.AuthenticationError:
            return True
        except redis.RedisError:
            return False

    def events(self, name):
        with self.client() as one:
            found = one.xrange(name)
        numbers = ("frame", "n", "time", "source", "length", "urn", "quantity")
        return [
            (number, told | {key: int(told[key]) for key in numbers if key in told})
            for number, told in found
        ]


class NatsServer(Server):
    program = package = "nats-server"
    scheme, path = "nats", ""

    def arguments(self):
        folder = [] if "--plain" in self.options else ["-js", "-sd", str(self.folder)]
        self.options = tuple(one for one in self.options if one != "--plain")
        return ["-a", "127.0.0.1", "-p", str(self.port), *folder]

    def is_ready(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1.0) as own:
                return own.recv(4) == b"INFO"
        except OSError:
            return False

    def asked(self, ask):
        """What `ask(jetstream)` finds, by a client of its own."""
        nats = pytest.importorskip("nats", reason="the extra `nats` is not installed")

        async def go():
            client = await nats.connect(self.dsn)
            try:
                return await ask(client.jetstream())
            finally:
                await client.close()

        return asyncio.run(go())

    def events(self, name):
        async def read(server):
            found = []
            about = await server.stream_info(name)
            if not about.state.messages:
                return found
            reader = await server.subscribe(f"{name}.>", ordered_consumer=True)
            while len(found) < about.state.messages:
                one = await reader.next_msg(timeout=30)
                told = json.loads(one.data)
                assert one.subject == f"{name}.{told['kind']}"
                found.append((one.headers["Nats-Msg-Id"], told))
            return found

        return self.asked(read)


SERVERS = {"redis": RedisServer, "nats": NatsServer}
