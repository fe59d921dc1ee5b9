"""The embedded registry beside docker-registry: one big blob to curl, and small requests."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from typing import TYPE_CHECKING

from benchmarks import peers, workload
from benchmarks.timing import Contestant, alternate, command, table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

THEIRS = "docker-registry"
SMALL_REQUESTS = 3000


def serving(folder: Path, rounds: int) -> None:
    """Push one large image to both servers, then read from both in alternation."""
    skopeo, curl = peers.find("skopeo"), peers.find("curl")
    if skopeo is None or curl is None:
        return
    layout = workload.layout(folder / "images", "L")
    blob = workload.largest_blob(layout)
    with _ours(folder / "served") as ours, peers.docker_registry(folder / "registry") as theirs:
        for address in (ours, theirs):
            words = ("--insecure-policy", "copy", "-q", "--dest-tls-verify=false")
            command(skopeo, *words, f"oci:{layout}:1", f"docker://{address}/bench/l:1")
        places = {"registry serve": ours, THEIRS: theirs}
        path = f"/v2/bench/l/blobs/sha256:{blob.name}"
        runs = alternate(
            [
                Contestant(name, lambda: None, _curl(curl, f"http://{address}{path}"))
                for name, address in places.items()
            ],
            rounds,
        )
        table(f"one blob of {blob.stat().st_size / 1e6:.0f} MB to curl", runs, THEIRS)
        runs = alternate(
            [Contestant(name, lambda: None, _small(address)) for name, address in places.items()],
            rounds,
        )
        table(f"{SMALL_REQUESTS} manifest requests on one connection", runs, THEIRS)
    _ready(rounds)


def _curl(curl: str, url: str) -> Callable[[object], int]:
    return lambda _: command(curl, "-sSf", "-o", "/dev/null", url) * 0


def _small(address: str) -> Callable[[object], int]:
    """Ask for one manifest again and again, over one connection, with hardly a client at all."""
    host, _, port = address.partition(":")
    request = (
        f"GET /v2/bench/l/manifests/1 HTTP/1.1\r\nHost: {address}\r\n"
        "Accept: application/vnd.oci.image.manifest.v1+json\r\n\r\n"
    ).encode()

    def act(_: object) -> int:
        with socket.create_connection((host, int(port))) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for _number in range(SMALL_REQUESTS):
                connection.sendall(request)
                _read_response(connection)
        return 0

    return act


def _read_response(connection: socket.socket) -> None:
    data = connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    missing = length - len(body)
    while missing > 0:
        missing -= len(connection.recv(missing))


@contextlib.contextmanager
def _ours(root: Path) -> Iterator[str]:
    """Run `pytest-images registry serve` as a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    words = [*peers.OURS, "registry", "serve", "--port", port, "--root", str(root)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        peers.wait_for(f"127.0.0.1:{port}")
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _ready(rounds: int) -> None:
    """Time from the call to the first answer, inside a process."""
    from pytest_images.server.registry import Registry

    def act(_: object) -> int:
        with Registry.serving() as registry:
            host, _, port = registry.address.partition(":")
            with socket.create_connection((host, int(port))) as connection:
                connection.sendall(f"GET /v2/ HTTP/1.1\r\nHost: {registry}\r\n\r\n".encode())
                connection.recv(4096)
        return 0

    started = time.perf_counter()
    act(None)
    first = time.perf_counter() - started
    runs = alternate([Contestant("start, first answer, stop", lambda: None, act)], rounds)
    table(f"throw-away registry (the first one of the process took {first * 1000:.1f} ms)", runs)
