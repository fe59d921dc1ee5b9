"""A stand-in for Docker's engine that knows three answers, so that its real client formats them.

Templates, tables and `json` are the client's work: it needs no engine that does anything.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import re
import socketserver
import tempfile
import threading
from typing import TYPE_CHECKING, Any

from tests.peers import Docker, peer

if TYPE_CHECKING:
    from collections.abc import Iterator


class Answers:
    """What the engine says: of each image, of the list, of a history."""

    def __init__(self) -> None:
        self.inspected: Any = {}
        self.listed: Any = []
        self.history: Any = []

    def to(self, path: str) -> Any:
        """Return the answer to a question, its version left out."""
        if path == "/_ping":
            return "OK"
        if path == "/images/json":
            return self.listed
        return self.history if path.endswith("/history") else self.inspected


@contextlib.contextmanager
def answering() -> Iterator[tuple[Docker, Answers]]:
    """Give Docker's client, and the answers that it gets until the block ends."""
    client, answers = peer("docker"), Answers()

    class Request(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = re.sub(r"^/v[0-9.]+(?=/)", "", self.path.partition("?")[0])
            body = json.dumps(answers.to(path)).encode()
            self.send_response(200)
            self.send_header("Api-Version", "1.48")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, format: str, *values: object) -> None:
            """Say nothing."""

        def address_string(self) -> str:
            return "client"

    class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
        daemon_threads = True

    with tempfile.TemporaryDirectory(prefix="pi-", dir="/tmp") as folder:
        socket = f"{folder}/socket"
        with Server(socket, Request) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.05,))
            thread.start()
            environment = {**os.environ, "DOCKER_CONFIG": folder, "TZ": "UTC"}
            try:
                yield Docker((client, f"--host=unix://{socket}"), environment), answers
            finally:
                server.shutdown()
                thread.join()
