"""How the tests talk to a server: whole requests by http.client, anything else by raw bytes."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_images.model.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_images.testing.samples import Sample, SampleIndex

SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def code(self) -> str:
        """The specification's code of the first error."""
        code: str = json.loads(self.body)["errors"][0]["code"]
        return code

    def json(self) -> Any:
        return json.loads(self.body)

    def location(self) -> str:
        where = self.headers["Location"]
        assert where is not None
        return where


class Client:
    """One connection that is kept as long as the server keeps it."""

    def __init__(self, address: object) -> None:
        self.address = str(address)
        self.connection = http.client.HTTPConnection(self.address, timeout=SECONDS)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        self.connection.request(method, path, body, dict(headers or {}))
        response = self.connection.getresponse()
        return Answer(response.status, response.headers, response.read())

    def begin(self, repository: str = "app", query: str = "") -> str:
        answer = self.ask("POST", f"/v2/{repository}/blobs/uploads/{query}")
        assert answer.status == 202
        return answer.location()

    def push_blob(self, content: bytes, repository: str = "app") -> Digest:
        digest = Digest.of(content)
        answer = self.ask("PUT", f"{self.begin(repository)}?digest={digest}", content)
        assert answer.status == 201
        return digest

    def put_manifest(
        self, raw: bytes, media_type: str, reference: str, repository: str = "app"
    ) -> Answer:
        path = f"/v2/{repository}/manifests/{reference}"
        return self.ask("PUT", path, raw, {"Content-Type": media_type})

    def push(self, sample: Sample, reference: str = "1", repository: str = "app") -> Digest:
        for content in (*sample.layers, sample.config.raw):
            self.push_blob(content, repository)
        manifest = sample.manifest
        answer = self.put_manifest(manifest.raw, manifest.media_type, reference, repository)
        assert answer.status == 201
        return manifest.digest

    def push_index(self, sample: SampleIndex, reference: str, repository: str = "app") -> Digest:
        for image in sample.images:
            self.push(image, str(image.manifest.digest), repository)
        index = sample.index
        assert self.put_manifest(index.raw, index.media_type, reference, repository).status == 201
        return index.digest

    def close(self) -> None:
        self.connection.close()


def answers(address: object) -> bool:
    """Whether a registry answers there, asked on a connection of its own."""
    client = Client(address)
    try:
        return client.ask("GET", "/v2/").status == 200
    finally:
        client.close()


def dial(address: object) -> socket.socket:
    host, _, port = str(address).rpartition(":")
    return socket.create_connection((host, int(port)), SECONDS)


def say(address: object, text: bytes) -> bytes:
    """Send *text* as it is; return all that comes until the server closes."""
    with dial(address) as client:
        with contextlib.suppress(OSError):  # a server may close before it has read all
            client.sendall(text)
        return hear(client)


def hear(client: socket.socket) -> bytes:
    heard = b""
    with contextlib.suppress(ConnectionError):
        while data := client.recv(65536):
            heard += data
    return heard


def status_of(heard: bytes) -> int:
    assert heard.startswith(b"HTTP/1.1 "), heard[:80]
    return int(heard[9:12])
