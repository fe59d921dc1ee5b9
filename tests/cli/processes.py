"""The command as a process of its own, where signals, pipes and terminals matter."""

from __future__ import annotations

import os
import pty
import socket
import subprocess
import sys
import termios
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = (sys.executable, "-m", "pytest_images")
_PIPES: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
LIMIT = 60  # seconds after which a command that should have ended is a failure


def finished(*words: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """Run the command to its end."""
    return subprocess.run([*COMMAND, *words], timeout=LIMIT, check=False, **_PIPES | options)


@contextmanager
def running(*words: str, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Give the command while it runs; it is gone afterwards."""
    with subprocess.Popen([*COMMAND, *words], **_PIPES | options) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def stalling_server() -> Iterator[tuple[str, threading.Event]]:
    """Give the address of a server that takes a question and never answers; and "one came"."""
    came, kept = threading.Event(), list[socket.socket]()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    kept.append(connection)
                    connection.recv(1)
                    came.set()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}", came
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in kept:
                connection.close()


def read_terminal(descriptor: int) -> bytes:
    """Read all that a process writes to the terminal whose other end is *descriptor*."""
    text = b""
    with suppress(OSError):  # Linux: EIO when the last writer is gone
        while part := os.read(descriptor, 65536):
            text += part
    return text


@contextmanager
def on_terminal(
    *words: str, term: str = "xterm-256color", columns: int = 120
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Give the command, running on a terminal of its own, and the terminal's far end."""
    far, near = pty.openpty()
    termios.tcsetwinsize(near, (40, columns))
    environment = os.environ | {"TERM": term, "COLUMNS": str(columns)}
    try:
        with running(*words, stdout=near, stderr=near, stdin=near, env=environment) as process:
            os.close(near)
            yield process, far
    finally:
        os.close(far)
