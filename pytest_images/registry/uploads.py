"""One blob into a registry: asked for, mounted, or sent whole or in chunks (distribution-spec)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from pytest_images.dataclass import dataclass
from pytest_images.errors import (
    DigestMismatch,
    ImagesError,
    InvalidDigest,
    InvalidResponse,
    Unreachable,
)
from pytest_images.http.bodies import FileBody
from pytest_images.http.redirects import check_hop
from pytest_images.http.retry import Attempts
from pytest_images.http.session import Request
from pytest_images.model.digest import HEX_DIGITS, Digest
from pytest_images.model.progress import Phase
from pytest_images.regex import regex

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_images.http.address import Address
    from pytest_images.http.response import Response
    from pytest_images.model.descriptor import Descriptor
    from pytest_images.registry.meter import ItemMeter
    from pytest_images.registry.repository import Repository
    from pytest_images.registry.together import Together

_OCTETS = {"Content-Type": "application/octet-stream"}
_RANGE = regex(r"(?:bytes=)?0-(\d{1,19})")
_STORED = frozenset({200, 201, 204})
_TAKEN = frozenset({200, 202, 204})


@dataclass(frozen=True, slots=True)
class _Session:
    """An upload that the registry has begun: where the next request goes, and from which byte."""

    address: Address
    offset: int = 0
    smallest: int = 0


class Upload:
    """One blob on its way from a file to a repository."""

    def __init__(
        self,
        repository: Repository,
        descriptor: Descriptor,
        path: Path,
        item: ItemMeter,
        together: Together,
    ) -> None:
        self._repository, self._descriptor, self._path = repository, descriptor, path
        self._item, self._together = item, together
        self._limits = repository.limits

    def run(self, sources: Sequence[str] = ()) -> None:
        """Put the blob there, unless it is. *sources*: repositories to mount it from.

        Raises AuthError, RegistryError, DigestMismatch, InvalidResponse, UnsafeAddress,
        Unreachable.
        """
        if self._is_there():
            self._item.phase(Phase.EXISTS)
            return
        session = None
        for source in sources[:1]:
            session = self._begin(source)
            if session is None:
                self._item.phase(Phase.MOUNTED, source)
                return
        self._send(session)
        self._item.phase(Phase.DONE)

    def _send(self, session: _Session | None) -> None:
        """Send whole; after a break look what arrived, and go on in chunks from there."""
        attempts = Attempts(self._limits, idempotent=True)
        whole = self._descriptor.size <= self._limits.monolithic
        while True:
            try:
                session = session or self._begin(None)
                if session is not None:  # else: "there already", to a plain start
                    self._whole(session) if whole else self._chunks(session)
            except Unreachable as failure:
                self._together.check()
                pause = attempts.wait_after_failure()
                if pause is None:
                    raise
                self._item.phase(Phase.RETRYING, str(failure))
                self._together.pause(pause)
            else:
                return
            if self._is_there():
                return
            session, whole = self._ask_offset(session), False

    def _is_there(self) -> bool:
        address = self._repository.at(f"blobs/{self._descriptor.digest}")
        with self._repository.send(Request("HEAD", address)) as response:
            response.drain()
            if response.status == 200:
                return True
            if response.status == 404:
                return False
            raise self._repository.refused(response)

    def _begin(self, source: str | None) -> _Session | None:
        """Begin an upload, or mount from *source*; None where the registry has the blob then."""
        query = {"mount": str(self._descriptor.digest), "from": source} if source else {}
        path = "blobs/uploads/" + (f"?{urlencode(query)}" if query else "")
        request = Request("POST", self._repository.at(path), follow=False)
        with self._repository.send(request, also=[source] if source else ()) as response:
            if response.status == 201:
                response.drain()
                return None
            if response.status != 202:
                raise self._repository.refused(response)
            response.drain()
            smallest = response.headers.get("OCI-Chunk-Min-Length", "")
            least = int(smallest) if smallest.isascii() and smallest.isdigit() else 0
            return _Session(self._location(response), 0, min(least, 1 << 30))

    def _location(self, response: Response, default: Address | None = None) -> Address:
        """Return where the upload goes on. Raises InvalidResponse, UnsafeAddress."""
        location = response.headers.get("Location")
        if location is None:
            if default is not None:
                return default
            raise InvalidResponse(str(response.address), "an upload begins without a Location")
        target = response.address.join(location)
        check_hop(self._repository.server, target)
        return target

    def _whole(self, session: _Session) -> None:
        self._put(session, self._body(0, self._descriptor.size))

    def _chunks(self, session: _Session) -> None:
        """Send what is missing in chunks, then close the upload."""
        attempts = Attempts(self._limits, idempotent=True)
        chunk = max(self._limits.upload_chunk, session.smallest)
        while session.offset < self._descriptor.size:
            length = min(chunk, self._descriptor.size - session.offset)
            following = self._patch(session, length)
            if following.offset <= session.offset and attempts.wait_after_failure() is None:
                reason = f"it takes nothing after byte {session.offset}"
                raise InvalidResponse(str(session.address), reason)
            session = following
        self._put(session, None)

    def _patch(self, session: _Session, length: int) -> _Session:
        """Send one chunk; return where the registry says that it is now."""
        end = session.offset + length - 1
        headers = {**_OCTETS, "Content-Range": f"{session.offset}-{end}"}
        body = self._body(session.offset, length)
        request = Request("PATCH", session.address, headers, body, follow=False, wait=self._wait)
        with self._repository.send(request) as response:
            response.drain() if response.status in _TAKEN or response.status == 416 else None
            if response.status == 416:
                return self._moved_to(response, session, default=None)
            if response.status not in _TAKEN:
                raise self._refused(response, session)
            return self._moved_to(response, session, default=end + 1)

    def _moved_to(self, response: Response, session: _Session, default: int | None) -> _Session:
        """Read ``Range`` and ``Location``; without a Range a 416 has the upload asked."""
        address = self._location(response, session.address)
        match = _RANGE.fullmatch(response.headers.get("Range", ""))
        if match is None and default is None:
            return self._ask_offset(session) or self._begin_again()
        reached = _reached(match) if match else default or 0
        if reached > self._descriptor.size:
            raise InvalidResponse(str(response.address), "it has more bytes than were sent")
        self._item.back_to(reached)
        return _Session(address, reached, session.smallest)

    def _ask_offset(self, session: _Session | None) -> _Session | None:
        """Ask how far an upload came; None where the registry does not know it any more."""
        if session is None:
            return None
        with self._repository.send(Request("GET", session.address, follow=False)) as response:
            response.drain()
            if response.status not in _TAKEN:
                return None
            match = _RANGE.fullmatch(response.headers.get("Range", ""))
            reached = _reached(match) if match else 0
            if reached > self._descriptor.size:
                return None
            self._item.back_to(reached)
            return _Session(self._location(response, session.address), reached, session.smallest)

    def _begin_again(self) -> _Session:
        session = self._begin(None)
        if session is None:
            raise InvalidResponse(str(self._repository), "an upload was answered 201")
        return session

    def _put(self, session: _Session, body: FileBody | None) -> None:
        """Close the upload with the digest; *body* is the whole blob or nothing."""
        joint = "&" if "?" in session.address.target else "?"
        digest = urlencode({"digest": str(self._descriptor.digest)})
        address = session.address.at(f"{session.address.target}{joint}{digest}")
        request = Request("PUT", address, _OCTETS, body, follow=False, retry=False, wait=self._wait)
        with self._repository.send(request) as response:
            if response.status not in _STORED:
                raise self._refused(response, session)
            response.drain()
            check_stored(response, self._descriptor.digest, str(self._repository))

    def _refused(self, response: Response, session: _Session) -> ImagesError:
        """Return the error, with the upload given back so that the registry keeps no rest."""
        error = self._repository.refused(response)
        try:
            request = Request("DELETE", session.address, follow=False, retry=False)
            self._repository.send(request).drain()
        except ImagesError as failure:
            error.add_note(f"the upload could not be given back: {failure}")
        return error

    def _body(self, offset: int, length: int) -> FileBody:
        self._item.back_to(offset)
        return FileBody(self._path, offset, length, self._sent)

    def _sent(self, count: int) -> None:
        self._together.check()
        self._item.moved(count)

    @property
    def _wait(self) -> float:
        return self._limits.commit


def put_document(repository: Repository, raw: bytes, media_type: str, name: str) -> None:
    """Put a manifest or index under *name* (a tag or digest), byte for byte."""
    headers = {"Content-Type": media_type}
    wait = repository.limits.commit
    request = Request("PUT", repository.at(f"manifests/{name}"), headers, raw, wait=wait)
    with repository.send(request) as response:
        if response.status not in _STORED and response.status != 202:
            raise repository.refused(response)
        response.drain()
        check_stored(response, Digest.of(raw), f"{repository}:{name}")


def check_stored(response: Response, expected: Digest, source: str) -> None:
    """Compare the digest under which a registry says it stored something with the true one."""
    stated = response.headers.get("Docker-Content-Digest")
    if not stated or stated.partition(":")[0] not in HEX_DIGITS:
        return
    try:
        digest = Digest.parse(stated)
    except InvalidDigest as error:
        raise InvalidResponse(source, f"Docker-Content-Digest: {error.reason}") from None
    if digest.algorithm == expected.algorithm and digest != expected:
        raise DigestMismatch(str(expected), str(digest), source)


def _reached(match: re.Match[str]) -> int:
    """The next byte after ``0-last``. ``0-0`` is what registries say of an empty upload."""
    last = int(match[1])
    return last + 1 if last else 0
