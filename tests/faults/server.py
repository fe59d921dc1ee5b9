"""A registry that can lie: raw sockets, no HTTP framework, driven by a plan of faults.

It serves samples correctly. A plan says for the nth request of a method and path what goes
wrong. Everything it is asked is kept in ``seen``, secrets included, so that a test can look
for what must not have come here.
"""

from __future__ import annotations

import contextlib
import json
import re
import select
import socket
import ssl
import struct
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs, urlsplit

from pytest_images.model.digest import Digest
from pytest_images.testing.samples import Sample, SampleIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

_REASON = {200: "OK", 201: "Created", 202: "Accepted", 206: "Partial Content", 404: "Not Found"}
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it came."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""
    peer: int = 0  # the port it came from: one for each connection

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.target).query)

    def __str__(self) -> str:
        return f"{self.method} {self.target}"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is done to an answer, beside or instead of the right one.

    ``length`` is what Content-Length says (-1: no such header, the end is the connection's).
    ``cut`` ends the connection after so many bytes of the body, ``reset`` by an RST before
    the head (0) or at the cut. ``flip`` inverts a bit of that byte, ``extra`` goes after the
    body, ``drip`` seconds lie between single bytes, ``stall`` waits for ever after the head
    or after the cut. ``raw`` replaces everything.
    """

    status: int | None = None
    headers: Mapping[str, str | None] = field(default_factory=dict)
    body: bytes | None = None
    length: int | None = None
    chunked: bool = False
    cut: int | None = None
    reset: bool = False
    flip: int | None = None
    extra: bytes = b""
    drip: float = 0.0
    stall: bool = False
    delay: float = 0.0
    raw: bytes | None = None
    forget: bool = False  # the request is not carried out


@dataclass(slots=True)
class _Rule:
    method: str
    path: re.Pattern[str]
    nth: int | None
    fault: Fault | Callable[[Seen], Fault]
    count: int = 0


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class FaultRegistry:
    """A registry on a free port of *host*; a context manager. ``str()`` is ``host:port``."""

    def __init__(self, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self.host, self._tls = host, tls
        self.seen: list[Seen] = []
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[tuple[str, str], tuple[bytes, str]] = {}
        self.uploads: dict[str, bytearray] = {}
        self._rules: list[_Rule] = []
        self._begun = 0
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._stopped = threading.Event()

    # what it has

    def serve(self, sample: Sample | SampleIndex, name: str = "app", tag: str = "1") -> Self:
        """Have *sample* under *name* and *tag*, and all that it is made of."""
        for digest, content in sample.blobs.items():
            self.blobs[str(digest)] = content
        images = (sample,) if isinstance(sample, Sample) else sample.images
        documents = [image.manifest for image in images]
        root = documents[0] if isinstance(sample, Sample) else sample.index
        for document in (*documents, root):
            self.document(document.raw, document.media_type, name, str(document.digest))
        return self.document(root.raw, root.media_type, name, tag)

    def document(self, raw: bytes, media_type: str, name: str = "app", tag: str = "1") -> Self:
        """Have any bytes as the manifest of *tag*, and of their digests."""
        for key in (tag, str(Digest.of(raw)), str(Digest.of(raw, "sha512"))):
            self.manifests[name, key] = raw, media_type
        return self

    # what it does wrong

    def on(
        self,
        method: str,
        path: str,
        fault: Fault | Callable[[Seen], Fault],
        nth: int | None = None,
    ) -> Self:
        """Do *fault* to requests of *method* with *path* (searched), all or only the nth."""
        self._rules.append(_Rule(method, re.compile(path), nth, fault))
        return self

    def asked(self, method: str, path: str = "") -> list[Seen]:
        """Return the requests of *method* with *path* (searched) in their target."""
        return [
            each for each in self.seen if each.method == method and re.search(path, each.target)
        ]

    def everything_heard(self) -> str:
        """Return all that ever came here, as text."""
        return "\n".join(f"{each} {dict(each.headers)} {each.body!r}" for each in list(self.seen))

    # serving

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return self.address

    def __enter__(self) -> Self:
        self._listener = socket.create_server((self.host, 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._spawn(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()
        for thread in self._threads:
            thread.join(5)

    def hang_up(self) -> None:
        """End all connections there are."""
        with self._lock:
            waiting = list(self._open)
        for connection in waiting:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _spawn(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name="fault-registry", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._spawn(lambda connection=connection: self._converse(connection))  # type: ignore[misc]  # bound now

    def _converse(self, connection: socket.socket) -> None:
        if self._tls is not None:
            connection = self._tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        with self._lock:
            self._open.add(connection)
        try:
            with connection, connection.makefile("rb") as stream:
                while (seen := _read(connection, stream)) is not None:
                    if not self._answer(connection, seen):
                        return
        except (OSError, ValueError):
            return
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _answer(self, connection: socket.socket, seen: Seen) -> bool:
        """Answer one request; return whether the connection lives on."""
        with self._lock:
            self.seen.append(seen)
            fault = self._fault_for(seen)
        if self._stopped.wait(fault.delay):
            return False
        if fault.raw is not None:
            connection.sendall(fault.raw)
            return False
        if fault.reset and fault.cut is None and fault.forget:
            return _reset(connection)
        with self._lock:
            answer = _Answer(200) if fault.forget else self._right(seen)
        if fault.reset and fault.cut is None:
            return _reset(connection)
        return self._send(connection, seen, answer, fault)

    def _fault_for(self, seen: Seen) -> Fault:
        for rule in self._rules:
            if rule.method in (seen.method, "*") and rule.path.search(seen.target):
                rule.count += 1
                if rule.nth in (None, rule.count):
                    return rule.fault if isinstance(rule.fault, Fault) else rule.fault(seen)
        return Fault()

    def _send(self, connection: socket.socket, seen: Seen, answer: _Answer, fault: Fault) -> bool:
        body = answer.body if fault.body is None else fault.body
        if fault.flip is not None:
            at = fault.flip % len(body)
            body = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        status = answer.status if fault.status is None else fault.status
        headers: dict[str, str | None] = {"Content-Length": str(len(body)), **answer.headers}
        if fault.length is not None:
            headers["Content-Length"] = str(fault.length) if fault.length >= 0 else None
        if fault.chunked:
            headers |= {"Content-Length": None, "Transfer-Encoding": "chunked"}
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        headers |= fault.headers
        lines = [f"HTTP/1.1 {status} {_REASON.get(status, 'Status')}"]
        lines += [f"{name}: {value}" for name, value in headers.items() if value is not None]
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        sent = b"" if seen.method == "HEAD" else (body + fault.extra)[: fault.cut]
        if not self._pour(connection, sent, fault.drip):
            return False
        if fault.stall:
            self._stopped.wait(30)
            return False
        if fault.reset:
            return _reset(connection)
        return fault.cut is None and fault.length is None and not fault.extra

    def _pour(self, connection: socket.socket, body: bytes, drip: float) -> bool:
        if not drip:
            connection.sendall(body)
            return True
        for byte in body:
            if self._stopped.wait(drip):
                return False
            connection.sendall(bytes([byte]))
        return True

    # the right answers

    def _right(self, seen: Seen) -> _Answer:
        match = re.fullmatch(r"/v2/(.+)/(manifests|blobs|tags)/(.*)", seen.path)
        if match is None:
            return _Answer(200 if seen.path in ("/v2/", "/v2") else 404, body=b"{}")
        name, kind, rest = match.groups()
        if kind == "tags":
            return self._list(name)
        if kind == "manifests":
            return self._manifest(seen, name, rest)
        if rest.startswith("uploads/") or "/blobs/uploads/" in seen.path:
            return self._upload(seen, name, rest.removeprefix("uploads/"))
        return self._blob(seen, rest)

    def _list(self, name: str) -> _Answer:
        tags = [tag for known, tag in self.manifests if known == name and ":" not in tag]
        body = json.dumps({"name": name, "tags": tags}).encode()
        return _Answer(200, {"Content-Type": _JSON}, body)

    def _manifest(self, seen: Seen, name: str, tag: str) -> _Answer:
        if seen.method == "PUT":
            self.document(seen.body, seen.headers.get("content-type", ""), name, tag)
            digest = str(Digest.of(seen.body))
            return _Answer(201, {"Docker-Content-Digest": digest})
        raw, media_type = self.manifests.get((name, tag), (None, ""))
        if raw is None:
            return _missing("MANIFEST_UNKNOWN")
        digest = str(Digest.of(raw))
        return _Answer(200, {"Content-Type": media_type, "Docker-Content-Digest": digest}, raw)

    def _blob(self, seen: Seen, digest: str) -> _Answer:
        content = self.blobs.get(digest)
        if content is None:
            return _missing("BLOB_UNKNOWN")
        match = re.fullmatch(r"bytes=(\d+)-", seen.headers.get("range", ""))
        if match is None:
            return _Answer(200, {"Docker-Content-Digest": digest}, content)
        start = int(match[1])
        where = f"bytes {start}-{len(content) - 1}/{len(content)}"
        return _Answer(206, {"Content-Range": where}, content[start:])

    def _upload(self, seen: Seen, name: str, session: str) -> _Answer:
        if seen.method == "POST":
            mounted = seen.query.get("mount", [""])[0]
            if mounted in self.blobs:
                return _Answer(201, {"Location": f"/v2/{name}/blobs/{mounted}"})
            self._begun += 1
            session = f"session-{self._begun}"
            self.uploads[session] = bytearray()
            return self._session(name, session)
        if session not in self.uploads:
            return _missing("BLOB_UPLOAD_UNKNOWN")
        self.uploads[session] += seen.body
        if seen.method == "PUT":
            return self._close(seen.query["digest"][0], bytes(self.uploads.pop(session)))
        if seen.method == "DELETE":
            del self.uploads[session]
            return _Answer(204)
        status = 204 if seen.method == "GET" else 202
        return replace(self._session(name, session), status=status)

    def _close(self, digest: str, content: bytes) -> _Answer:
        if str(Digest.of(content, digest.partition(":")[0])) != digest:
            return _Answer(400, {"Content-Type": _JSON}, b'{"errors":[{"code":"DIGEST_INVALID"}]}')
        self.blobs[digest] = content
        return _Answer(201, {"Docker-Content-Digest": digest})

    def _session(self, name: str, session: str) -> _Answer:
        last = max(len(self.uploads[session]) - 1, 0)
        location = f"/v2/{name}/blobs/uploads/{session}?state=kept"
        return _Answer(202, {"Location": location, "Range": f"0-{last}"})


def _missing(code: str) -> _Answer:
    body = json.dumps({"errors": [{"code": code, "message": "unknown"}]}).encode()
    return _Answer(404, {"Content-Type": _JSON}, body)


def _reset(connection: socket.socket) -> bool:
    """End the connection by an RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    return False


def _read(connection: socket.socket, stream: object) -> Seen | None:
    """Read one request; None at the end, or where it is not HTTP (then it says so, as Go does)."""
    first = stream.readline(1 << 16)  # type: ignore[attr-defined]  # a buffered reader
    if not first:
        return None
    if not re.match(rb"[A-Z]+ ", first):
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
        return None
    method, target, _ = first.decode("latin-1").split(" ", 2)
    headers = {}
    while (line := stream.readline(1 << 16).decode("latin-1").strip()) != "":  # type: ignore[attr-defined]  # as above
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    length = int(headers.get("content-length", "0"))
    body = b""
    while len(body) < length:
        piece = stream.read(min(1 << 20, length - len(body)))  # type: ignore[attr-defined]  # as above
        if not piece:
            return None
        body += piece
    return Seen(method, target, headers, body, connection.getpeername()[1])


def is_quiet(connection: socket.socket) -> bool:
    """Whether nothing more comes at once."""
    return not select.select([connection], [], [], 0.05)[0]
