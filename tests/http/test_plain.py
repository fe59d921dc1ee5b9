from __future__ import annotations

import contextlib
import gc
import re
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from pytest_images.errors import InvalidResponse, Unreachable
from pytest_images.http.address import Address
from pytest_images.http.bodies import FileBody
from pytest_images.http.plain import PlainWire
from pytest_images.http.proxies import Proxies
from pytest_images.http.session import Request, Session
from pytest_images.model.secret import Secret
from tests.faults.rig import SMALL
from tests.faults.server import Fault, FaultRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType
    from typing import Self


@pytest.fixture
def server() -> Iterator[FaultRegistry]:
    with FaultRegistry() as server:
        yield server


@pytest.fixture
def session() -> Iterator[Session]:
    session = Session(SMALL, Proxies())
    yield session
    session.close()


def request(server: FaultRegistry, method: str = "GET", target: str = "/v2/") -> Request:
    return Request(method, Address.parse(f"http://{server}{target}"))


def test_a_connection_that_the_server_closed_meanwhile_is_not_used_again(
    session: Session, server: FaultRegistry
) -> None:
    session.send(request(server)).drain()
    server.hang_up()
    session.send(request(server, "POST", "/v2/app/blobs/uploads/")).drain()
    assert len({seen.peer for seen in server.seen}) == 2


def test_a_connection_whose_answer_was_not_read_is_not_used_again(
    session: Session, server: FaultRegistry
) -> None:
    server.on("GET", "/half", Fault(status=200, body=b"x" * 1000))
    with session.send(request(server, target="/half")) as response:
        assert response.read_piece(500) == b"x" * 500
    session.send(request(server)).drain()
    assert len({seen.peer for seen in server.seen}) == 2


def test_a_body_shorter_than_announced_is_a_broken_connection(
    session: Session, server: FaultRegistry
) -> None:
    server.on("GET", "/short", Fault(status=200, body=b"x" * 10, cut=4))
    response = session.send(request(server, target="/short"))
    with pytest.raises(Unreachable, match="broke off"):
        response.read(100, "it")


def test_a_header_of_any_case_is_found_and_repeated_ones_are_one_list(
    session: Session, server: FaultRegistry
) -> None:
    head = b"HTTP/1.1 200 OK\r\nlink: <a>\r\nLINK: <b>\r\nContent-Length: 0\r\n\r\n"
    server.on("GET", "/twice", Fault(raw=head))
    with session.send(request(server, target="/twice")) as response:
        assert response.headers["Link"] == "<a>, <b>"
        assert sorted(response.headers) == ["content-length", "link"]


def test_nothing_stays_open_after_the_end(server: FaultRegistry) -> None:
    wire = PlainWire(SMALL)
    answer = wire.send(request(server), 1.0, None)
    wire.close()
    while answer.read1(1000):
        pass
    answer.read(1)
    answer.close()
    del wire, answer
    gc.collect()  # a socket that is still open would warn


class Scripted:
    """A server that says *answers*, one for each request, and keeps connections.

    ``heard`` has the requests, as they came, of each connection.
    """

    def __init__(self, *answers: bytes) -> None:
        self._answers = list(answers)
        self.heard: list[list[bytes]] = []
        self._connections: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept, name="scripted")]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for each in (self._listener, *self._connections):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(5)

    def at(self, target: str = "/") -> Address:
        return Address.parse(f"http://127.0.0.1:{self._listener.getsockname()[1]}{target}")

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._connections.append(connection)
                self.heard.append([])
                thread = threading.Thread(target=self._converse, args=(connection, self.heard[-1]))
                self._threads.append(thread)
                thread.start()

    def _converse(self, connection: socket.socket, heard: list[bytes]) -> None:
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as stream:
            while request := stream.readline():
                while not request.endswith(b"\r\n\r\n"):
                    request += stream.readline()
                length = re.search(rb"Content-Length: (\d+)", request)
                heard.append(request + stream.read(int(length[1]) if length else 0))
                connection.sendall(self._answers.pop(0))


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def read(session: Session, address: Address, method: str = "GET") -> bytes:
    with session.send(Request(method, address)) as response:
        return response.read(1000, "it")


@pytest.mark.parametrize(
    "answer",
    [
        OK,
        OK.replace(b"\r\n", b"\n"),
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nA: b\r\n\r\n",
    ],
    ids=["length", "bare-newlines", "interim", "keep-alive", "chunked"],
)
def test_a_connection_is_used_again_where_the_answer_allows_it(
    session: Session, answer: bytes
) -> None:
    with Scripted(answer, answer, answer) as server:
        assert [read(session, server.at()) for _ in range(3)] == [b"ok"] * 3
        assert [len(heard) for heard in server.heard] == [3]


@pytest.mark.parametrize(
    "answer",
    [
        OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
        OK.replace(b"1.1", b"1.0"),
        OK.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")[:-2],
        OK + b"x",
        OK + OK,
        OK + b"\r\n",
    ],
    ids=["close", "old", "length-and-chunks", "one-byte-more", "an-answer-more", "a-line-more"],
)
def test_and_is_not_where_the_next_answer_could_be_anothers(
    session: Session, answer: bytes
) -> None:
    with Scripted(answer, OK) as server:
        assert [read(session, server.at()) for _ in range(2)] == [b"ok"] * 2
        assert [len(heard) for heard in server.heard] == [1, 1]


@pytest.mark.parametrize(
    ("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)], ids=["head", "204", "304"]
)
def test_an_answer_without_a_body_ends_with_its_head(
    session: Session, method: str, status: int
) -> None:
    with Scripted(b"HTTP/1.1 %d x\r\nContent-Length: 99\r\n\r\n" % status, OK) as server:
        session.send(Request(method, server.at())).drain()
        assert read(session, server.at()) == b"ok"
        assert [len(heard) for heard in server.heard] == [2]


def test_a_body_without_a_length_ends_with_its_connection(
    session: Session, server: FaultRegistry
) -> None:
    server.on("GET", "/", Fault(raw=b"HTTP/1.1 200 OK\r\n\r\nuntil here"))
    assert read(session, request(server).address) == b"until here"


def test_a_request_is_written_as_it_was_asked_for(session: Session) -> None:
    with Scripted(OK, OK) as server:
        address = server.at("/v2/x?y=%20")
        session.send(
            Request("PUT", address, {"A": "b"}, b"body", authorization=Secret("Basic x"))
        ).drain()
        head, body = server.heard[0][0].split(b"\r\n\r\n")
        assert body == b"body"
        assert head.split(b"\r\n") == [
            b"PUT /v2/x?y=%20 HTTP/1.1",
            f"Host: {address.netloc}".encode(),
            b"Accept-Encoding: identity",
            b"User-Agent: pytest-images",
            b"A: b",
            b"Content-Length: 4",
            b"Authorization: Basic x",
        ]


@pytest.mark.parametrize("value", ["a\r\nB: c", "a\nB: c", "a\rb", "a\0", "\u20ac"])
def test_no_secret_smuggles_a_header_or_is_told(session: Session, value: str) -> None:
    with Scripted(OK) as server:
        with pytest.raises(Unreachable, match="Authorization") as caught:
            session.send(Request("POST", server.at(), authorization=Secret(value)))
        assert value not in str(caught.value)
    assert server.heard in ([], [[]])


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"SSH-2.0-OpenSSH\r\n\r\n", "status line"),
        (b"HTTP/1.1 200 OK\r\nA b\r\n\r\n", "header line"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", "Content-Length"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "transfer coding"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\nok\n0\n\n", "chunk"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"x" * (300 << 10), "bytes"),
    ],
    ids=["not-http", "header", "lengths", "coding", "chunk", "large"],
)
def test_what_is_no_answer_is_an_error_that_says_why(
    session: Session, server: FaultRegistry, answer: bytes, words: str
) -> None:
    server.on("GET", "/", Fault(raw=answer))
    with pytest.raises(InvalidResponse, match=f"HTTP/1.1: .*{words}"):
        read(session, request(server).address)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nA"], ids=["nothing", "half"])
def test_a_server_that_hangs_up_is_asked_again(
    session: Session, server: FaultRegistry, answer: bytes
) -> None:
    server.on("GET", "/", Fault(raw=answer), nth=1)
    assert read(session, request(server).address) == b"{}"
    assert len({seen.peer for seen in server.seen}) == 2


def test_what_a_server_says_before_it_heard_all_counts(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(64 << 20)
    early = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_refuse, args=(listener, early))
        thread.start()
        address = Address.parse(f"http://127.0.0.1:{listener.getsockname()[1]}/")
        with session.send(Request("PUT", address, body=FileBody(path, 0, 64 << 20))) as response:
            assert response.status == 413
        thread.join()


def _refuse(listener: socket.socket, answer: bytes) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(1 << 16)
        connection.sendall(answer)
        connection.shutdown(socket.SHUT_WR)


def test_a_read_in_another_thread_ends_when_it_is_told_to(
    session: Session, server: FaultRegistry
) -> None:
    server.on("GET", "/stall", Fault(status=200, body=b"x" * 100, cut=50, stall=True))
    response = session.send(request(server, target="/stall"))
    threading.Timer(0.05, response.stop).start()
    assert response.read_piece(1000) == b"x" * 50
    with pytest.raises(Unreachable, match="broke off"):
        response.read_piece(1000)
    response.close()


def test_what_was_read_ahead_is_handed_out_before_the_socket(
    session: Session, server: FaultRegistry
) -> None:
    content = bytes(range(256)) * 4000
    server.on("GET", "/large", Fault(status=200, body=content))
    with session.send(request(server, target="/large")) as response:
        ahead = response.raw.read1(1 << 20)
        with socket.socket(fileno=socket.dup(response.raw.fileno())) as rest:
            rest.settimeout(5)
            while len(ahead) < len(content):
                ahead += rest.recv(1 << 20)
    assert ahead == content


def test_a_name_of_this_machine_is_dialled_without_idna() -> None:
    program = (
        "import sys, socket\n"
        "from pytest_images.http.connection import dial\n"
        "from pytest_images.http.address import Address\n"
        "server = socket.create_server(('127.0.0.1', 0))\n"
        "dial(Address.parse(f'http://localhost:{server.getsockname()[1]}'), 5).close()\n"
        "assert 'encodings.idna' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
