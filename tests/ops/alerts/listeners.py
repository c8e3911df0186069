"""Real receivers of alerts: an HTTP server and an SMTP server; and those that hang or refuse."""

from __future__ import annotations

import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Http:
    """Keeps each message with the time at which it came; `code` is what it answers."""

    def __init__(self, code=200):
        self.heard, self.code, self.gets = [], code, []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                if outer.code == 200:
                    outer.heard.append((time.time(), json.loads(body)))
                self.send_response(outer.code)
                self.end_headers()

            def do_GET(self):
                outer.gets.append(time.time())
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_given):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"json://127.0.0.1:{self.server.server_port}/desk"
        self.page = f"http://127.0.0.1:{self.server.server_port}/alive"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def text(self):
        return "\n".join(body["message"] for _, body in list(self.heard))

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Mute:
    """Takes connections, and never says a word."""

    def __init__(self):
        self.own = socket.create_server(("127.0.0.1", 0))
        self.url = f"json://127.0.0.1:{self.own.getsockname()[1]}/desk"

    def close(self):
        self.own.close()


class Mail:
    """A real SMTP server."""

    def __init__(self):
        from aiosmtpd.controller import Controller

        outer = self
        self.heard = []

        class Handler:
            async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
                outer.heard.append((time.time(), envelope.rcpt_tos, envelope.content.decode()))
                return "250 OK"

        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
        self.controller = Controller(Handler(), hostname="127.0.0.1", port=port)
        self.controller.start()
        to = "to=head@example.com&from=alerts@example.com&mode=insecure"
        self.url = f"mailto://127.0.0.1:{port}/?{to}"

    def text(self):
        from email import message_from_string
        from email.header import decode_header, make_header

        told = []
        for _, _, content in list(self.heard):
            mail = message_from_string(content)
            told.append(str(make_header(decode_header(mail["subject"]))))
            for part in mail.walk():
                if not part.is_multipart():
                    told.append(part.get_payload(decode=True).decode())
        return "\n".join(told)

    def close(self):
        self.controller.stop()
