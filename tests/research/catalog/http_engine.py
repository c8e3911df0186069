"""ClickHouse's engine behind ClickHouse's own protocol over HTTP, as far as its client speaks it.

    python http_engine.py        prints the port it listens at, and serves until it is killed

The engine is chdb's, which is that of the server; what stands here takes a request apart: the
statement, the rows of an INSERT, the database and the settings of this one request.
"""

from __future__ import annotations

import os
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qsl, urlsplit

import chdb

ENGINE = ":memory:"
OF_THE_SERVER = {
    *("database", "query", "session_id", "query_id", "wait_end_of_query", "compress"),
    *("client_protocol_version", "send_progress_in_http_headers", "enable_http_compression"),
    *("http_headers_progress_interval_ms", "role", "session_timeout", "session_check"),
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self._serve(b"")

    def do_POST(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            self._serve(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            return
        pieces = []
        while size := int(self.rfile.readline().strip(), 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        self._serve(b"".join(pieces))

    def _serve(self, body):
        asked = dict(parse_qsl(urlsplit(self.path).query))
        statement = asked.get("query", "")
        if not statement:
            is_insert = body.lstrip()[:6].upper() == b"INSERT"
            head, _, body = body.partition(b"\n") if is_insert else (body, b"", b"")
            statement = head.decode()
        connection = chdb.connect(ENGINE)  # settings are a request's own
        try:
            if "database" in asked:
                connection.query(f"USE `{asked['database']}`")
            settings = {k: v for k, v in asked.items() if k not in OF_THE_SERVER}
            for name in sorted(settings, key=lambda name: name == "readonly"):
                connection.query(f"SET {name} = '{settings[name]}'")
            form = self.headers.get("X-ClickHouse-Format", "TabSeparated")
            self._answer(200, _done(connection, statement, body, form), form)
        except Exception as error:
            self._answer(500, str(error).encode(), "TabSeparated")
        finally:
            connection.close()

    def _answer(self, code, data, form):
        self.send_response(code)
        self.send_header("X-ClickHouse-Format", form)
        self.send_header("X-ClickHouse-Timezone", "UTC")
        if code != 200:
            self.send_header("X-ClickHouse-Exception-Code", "1")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _done(connection, statement, rows, form):
    """The answer; rows of an INSERT reach chdb as a file."""
    if not rows:
        return connection.query(statement, form).bytes()
    head, _, kind = statement.rpartition("FORMAT")
    with tempfile.NamedTemporaryFile(suffix=".rows", delete=False) as file:
        file.write(rows)
    try:
        text = f"{head} FROM INFILE '{file.name}' FORMAT {kind}"
        return connection.query(text, form).bytes()
    finally:
        os.unlink(file.name)


def main():
    keeper = chdb.connect(ENGINE)  # as long as one is open the engine keeps what it has
    parent = os.getppid()

    def end_with_the_parent():
        if os.getppid() != parent:
            os._exit(0)
        threading.Timer(1.0, end_with_the_parent).start()

    end_with_the_parent()
    server = HTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()
    keeper.close()


if __name__ == "__main__":
    main()
