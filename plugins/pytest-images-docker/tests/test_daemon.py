"""Daemons that do not do as they should: every fault is told, as one of ours, at once."""

from __future__ import annotations

import socket
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pytest_images_docker.address import Address
from pytest_images_docker.daemon import Daemon, DaemonError

from pytest_images import InvalidResponse, Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@contextmanager
def answering(answer: bytes) -> Iterator[Daemon]:
    """A daemon that gives *answer* to one question, whatever it is, and hangs up."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder, socket.socket(socket.AF_UNIX) as server:
        path = str(Path(folder, "socket"))
        server.bind(path)
        server.listen()

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield Daemon(Address.parse(f"unix://{path}"))
        finally:
            thread.join(10)


def test_a_daemon_that_hangs_up_is_not_reached() -> None:
    with answering(b"") as daemon, pytest.raises(Unreachable, match="does not answer"):
        daemon.ask("GET", "/images/json")


def test_something_else_behind_the_socket_is_told() -> None:
    with answering(b"SSH-2.0-Other\r\n") as daemon, pytest.raises(Unreachable, match="SSH"):
        daemon.ask("GET", "/images/json")


def test_an_answer_that_is_no_json_is_told() -> None:
    answer = HEAD + b"Content-Length: 4\r\n\r\n<ht>"
    with answering(answer) as daemon, pytest.raises(InvalidResponse, match="JSON"):
        daemon.ask("GET", "/images/json")


@pytest.mark.parametrize("length", [b"Content-Length: 99", b"Transfer-Encoding: chunked"])
def test_an_answer_that_is_cut_is_told(length: bytes) -> None:
    body = b"\r\n\r\n" + (b"40\r\n[1, " if b"chunked" in length else b"[1, ")
    with answering(HEAD + length + body) as daemon, pytest.raises(InvalidResponse):
        daemon.ask("GET", "/images/json")


def test_an_archive_that_is_cut_is_told_to_who_reads_it() -> None:
    body = b"Transfer-Encoding: chunked\r\n\r\n400\r\nthe beginning"
    with (
        answering(HEAD + body) as daemon,
        pytest.raises(InvalidResponse, match="too early"),
        daemon.reading("/images/get") as archive,
    ):
        archive.read()


def test_a_fault_of_the_daemon_is_told_in_its_words() -> None:
    answer = b"HTTP/1.1 500 Oh\r\nContent-Length: 25\r\n\r\n" + b'{"message":"disk broken"}'
    with answering(answer) as daemon, pytest.raises(DaemonError, match="disk broken"):
        daemon.ask("GET", "/images/json")


def test_a_daemon_that_stops_listening_has_its_answer_heard() -> None:
    answer = b"HTTP/1.1 507 Full\r\nContent-Length: 23\r\n\r\n" + b'{"message":"disk full"}'
    with answering(answer) as daemon, pytest.raises(DaemonError) as caught:
        daemon.write("/images/load", None, lambda stream: stream.write(bytes(30_000_000)))
    assert caught.value.status == 507


def test_an_error_in_the_stream_of_messages_is_one() -> None:
    body = b'{"stream":"Loading"}\r\n{"error":"no such layer"}\r\n'
    answer = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    with answering(answer) as daemon, pytest.raises(DaemonError, match="no such layer"):
        daemon.write("/images/load", None, lambda stream: stream.write(b"tar"))
