"""Clients that take their time, and a server that must end: rows V01, V11 and V14."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_images.errors import InvalidAddress
from pytest_images.model import media_types
from pytest_images.model.digest import Digest
from pytest_images.server import body, connection, listener
from pytest_images.server.registry import Registry
from pytest_images.testing import samples
from tests.ledger import refused
from tests.server.account import HOST, descriptors, row
from tests.server.talk import Client, answers, dial, hear, status_of

if TYPE_CHECKING:
    from tests.ledger import Ledger

CONTENT = bytes(range(256)) * 40
DIGEST = Digest.of(CONTENT)
SAMPLE = samples.image("one")
OCI = media_types.OCI_MANIFEST


SLOW_HEAD = b"GET /v2/ HTTP/1.1\r\nHost: loc"


SLOW_BODY = (
    f"POST /v2/app/blobs/uploads/?digest={DIGEST} HTTP/1.1\r\n{HOST}\r\n"
    "Content-Length: 10240\r\n\r\nfirst"
).encode()


@pytest.mark.parametrize(
    "words", [b"", SLOW_HEAD, SLOW_BODY], ids=["V01-silent", "V01-head", "V01-body"]
)
def test_500_slow_clients_do_not_starve_the_others(registry: Registry, words: bytes) -> None:
    slow: list[socket.socket] = []
    with contextlib.ExitStack() as stack, descriptors(4096):
        for _ in range(500):
            client = stack.enter_context(dial(registry))
            client.sendall(words)
            slow.append(client)
        waits = []
        for _ in range(5):
            started = time.monotonic()
            assert answers(registry)
            waits.append(time.monotonic() - started)
        assert sorted(waits)[2] < 1  # the middle one: a busy machine may delay another
        threads = [t for t in threading.enumerate() if t.name.startswith("images-registry")]
        assert len(threads) < 2 * listener.CONNECTION_LIMIT


@pytest.mark.parametrize(
    "words", [b"", SLOW_HEAD, SLOW_BODY], ids=["V01-silent", "V01-head", "V01-body"]
)
def test_a_slow_client_is_sent_away(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, words: bytes
) -> None:
    monkeypatch.setattr(listener, "TICK_SECONDS", 0.05)
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.2)
    monkeypatch.setattr(body, "STALL_SECONDS", 0.2)
    with Registry() as registry, dial(registry) as client:
        client.sendall(words)
        started = time.monotonic()
        assert hear(client) == b""
        assert time.monotonic() - started < 8  # whose own patience is 10 and 60


def test_dripping_bytes_does_not_buy_time(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "TICK_SECONDS", 0.05)
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.3)
    with Registry() as registry, dial(registry) as client:
        started = time.monotonic()
        with contextlib.suppress(ConnectionError):
            for byte in b"GET /" + b"a" * 1000:
                client.sendall(bytes([byte]))
                time.sleep(0.02)
        assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "words", [SLOW_HEAD, SLOW_BODY, b""], ids=["V11-head", "V11-put", "V11-idle"]
)
def test_stopping_takes_less_than_two_seconds(ledger: Ledger, words: bytes) -> None:
    times = []
    for _ in range(5):  # the best of some, for others want the processor too
        registry = Registry().start()
        with dial(registry) as client:
            client.sendall(words)
            time.sleep(0.05)
            started = time.monotonic()
            registry.stop()
            times.append(time.monotonic() - started)
            assert hear(client) == b""
        if times[-1] < 2:
            break
    assert min(times) < 2


@row("V14")
def test_a_taken_port_is_refused_and_another_is_found(registry: Registry) -> None:
    port = int(registry.address.partition(":")[2])
    with refused(InvalidAddress, str(port)):
        Registry(port=port).start()
    with Registry() as other:
        assert answers(other)


@row("V14")
def test_the_limit_of_descriptors_is_survived(registry: Registry) -> None:
    assert answers(registry)
    with contextlib.ExitStack() as stack:
        late = stack.enter_context(socket.socket())
        late.settimeout(5)
        with descriptors(256), contextlib.ExitStack() as full:
            with contextlib.suppress(OSError):
                while True:
                    full.enter_context(Path(os.devnull).open())
            late.connect(("127.0.0.1", int(registry.address.partition(":")[2])))
            time.sleep(0.3)  # the listener meets the limit, again and again
        late.sendall(f"GET /v2/ HTTP/1.1\r\n{HOST}\r\nConnection: close\r\n\r\n".encode())
        assert status_of(hear(late)) == 200
    assert answers(registry)


@row("V14")
def test_a_request_without_a_descriptor_left_is_told_to_come_again(
    registry: Registry, client: Client
) -> None:
    digest = client.push_blob(CONTENT)
    with descriptors(256), contextlib.ExitStack() as full:
        with contextlib.suppress(OSError):
            while True:
                full.enter_context(Path(os.devnull).open())
        answer = client.ask("GET", f"/v2/app/blobs/{digest}")
        assert (answer.status, answer.code) == (503, "TOOMANYREQUESTS")
    assert client.ask("GET", f"/v2/app/blobs/{digest}").body == CONTENT


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@row("V14")
def test_a_forked_child_does_not_serve_on(ledger: Ledger) -> None:
    registry = Registry().start()
    client = Client(registry)
    assert client.ask("GET", "/v2/").status == 200  # a connection is open at the fork
    root = registry.shelf.repositories
    waits, wakes = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(wakes)
        registry.stop()  # must neither end the parent's connections nor remove its folder
        os.read(waits, 1)
        os._exit(0)
    os.close(waits)
    try:
        assert client.ask("GET", "/v2/").status == 200
        assert root.is_dir()
        assert answers(registry)
        client.close()
        registry.stop()
        with pytest.raises(ConnectionRefusedError):
            dial(registry)
    finally:
        os.close(wakes)
        os.waitpid(child, 0)
