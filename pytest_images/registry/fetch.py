"""Blobs: several at once, each once a machine, resumed after a cut, verified while streaming."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pytest_images.dataclass import replace
from pytest_images.errors import (
    BlobNotFound,
    DigestMismatch,
    InvalidResponse,
    SizeMismatch,
    Unreachable,
)
from pytest_images.http.retry import Attempts
from pytest_images.http.session import Request
from pytest_images.model.progress import Phase
from pytest_images.regex import regex
from pytest_images.registry.stream import receive
from pytest_images.registry.together import Together

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pytest_images.content.ingest import Ingest
    from pytest_images.content.leases import Lease
    from pytest_images.content.store import Store
    from pytest_images.http.response import Response
    from pytest_images.model.descriptor import Descriptor
    from pytest_images.model.digest import Digest
    from pytest_images.registry.meter import ItemMeter, Meter
    from pytest_images.registry.repository import Repository

PROGRESS = 1 << 20  # bytes that make a broken attempt count as one that got on
_RANGE = regex(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19}|\*)")


class Fetch:
    """One download of several blobs from one repository into a store."""

    def __init__(self, repository: Repository, store: Store, lease: Lease, meter: Meter) -> None:
        self.together = Together(repository.limits.threads, "image-pull")
        self.repository = replace(repository, retrying=meter.retrying, check=self.together.check)
        self._store, self._lease, self._meter = store, lease, meter

    def all(
        self, descriptors: Iterable[Descriptor], first: Callable[[], None] | None = None
    ) -> None:
        """Bring every blob that is not here; the largest first, ``limits.threads`` at once.

        *first* looks at the first descriptor's blob (the config) as soon as it is here, so
        that nothing more is fetched for an image that is refused. The first failure ends the
        rest and is raised: BlobNotFound, DigestMismatch, SizeMismatch, Unreachable,
        AuthError, RegistryError, the store's own, and what *first* raises.
        """
        wanted = _unique(descriptors)
        self._lease.hold(*(each.digest for each in wanted))
        missing = [each for each in wanted if not self._is_here(each)]
        if missing:  # of an image that is here with all it has, no part is worth a word
            for each in (each for each in wanted if each not in missing):
                self._meter.blob(each).phase(Phase.EXISTS)
        if first is not None and wanted[0] not in missing:
            first()
        items = {each.digest: self._meter.blob(each) for each in missing}
        for item in items.values():
            item.phase(Phase.WAITING)
        head = [each for each in missing if first is not None and each is wanted[0]]
        rest = sorted((each for each in missing if each not in head), key=_size, reverse=True)
        tasks = [partial(self._one_then, each, items[each.digest], first) for each in head]
        tasks += [partial(self._one_then, each, items[each.digest], None) for each in rest]
        if tasks:
            self.together.run(tasks, small=len(head))

    def _one_then(
        self, descriptor: Descriptor, item: ItemMeter, then: Callable[[], None] | None
    ) -> None:
        self.one(descriptor, item)
        if then is not None:
            then()

    def one(self, descriptor: Descriptor, item: ItemMeter) -> None:
        """Bring one blob, once for all processes of this machine."""
        self.together.check()
        with self._store.fetching(descriptor.digest) as is_here:
            if is_here and self._is_here(descriptor):
                item.phase(Phase.EXISTS)
                return
            with self.ingest(descriptor) as ingest:
                _Download(self, descriptor, ingest, item).run()
        item.phase(Phase.DONE)

    def ingest(self, descriptor: Descriptor) -> Ingest:
        """Open a file for a blob, which only takes what its descriptor says."""
        source = f"{self.repository}@{descriptor.digest}"
        return self._store.ingest(descriptor.digest, descriptor.size, source)

    def _is_here(self, descriptor: Descriptor) -> bool:
        """Whether the store has the blob, of the size that is stated."""
        if not self._store.has(descriptor.digest):
            return False
        actual = self._store.size(descriptor.digest)
        if actual != descriptor.size:
            if _is_sound(self._store, descriptor.digest):
                raise SizeMismatch(descriptor.size, actual, str(descriptor.digest))
            return False  # what is here is damaged: the download replaces it
        return True

    def ask(self, descriptor: Descriptor, offset: int) -> Response:
        """Ask for a blob from byte *offset* on."""
        self.together.check()
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        address = self.repository.at(f"blobs/{descriptor.digest}")
        return self.together.opened(self.repository.send(Request("GET", address, headers)))


class _Download:
    """One blob on its way: asked, resumed where it broke off, started over where that is odd."""

    def __init__(
        self, fetch: Fetch, descriptor: Descriptor, ingest: Ingest, item: ItemMeter
    ) -> None:
        self._fetch, self._descriptor, self._ingest, self._item = fetch, descriptor, ingest, item
        self._resumed = False
        self._ranges = True  # until the server shows that it does not do them

    def run(self) -> None:
        """Bring the blob, and commit it. A resumed file with wrong bytes is fetched whole once."""
        try:
            self._receive_all()
            self._ingest.commit()
        except DigestMismatch:
            if not self._resumed:
                raise
            self._again()

    def _again(self) -> None:
        with self._fetch.ingest(self._descriptor) as ingest:
            self._ingest, self._ranges = ingest, False
            self._receive_all()
            ingest.commit()

    def _receive_all(self) -> None:
        attempts = self._attempts()
        while True:
            begun = self._ingest.offset
            try:
                self._receive_rest()
            except Unreachable as failure:
                self._fetch.together.check()
                if self._ingest.offset - begun >= PROGRESS:
                    attempts = self._attempts()
                pause = attempts.wait_after_failure()
                if pause is None:
                    raise
                self._item.phase(Phase.RETRYING, str(failure))
                self._fetch.together.pause(pause)
            else:
                return

    def _attempts(self) -> Attempts:
        return Attempts(self._fetch.repository.limits, idempotent=True)

    def _receive_rest(self) -> None:
        if not self._ranges and self._ingest.offset:
            self._restart()
        offset, size = self._ingest.offset, self._descriptor.size
        if offset == size and offset:
            return
        response = self._fetch.ask(self._descriptor, offset)
        try:
            if not self._begins_at(response, offset):
                self._restart()
                if response.status != 200:
                    self._ranges = False
                    raise Unreachable(response.address.base, ["its range is not what was asked"])
            self._check_length(response)
            remaining = size - self._ingest.offset
            self._resumed = self._resumed or self._ingest.offset > 0
            receive(response, self._ingest, remaining, self._fetch.repository.limits, self)
        finally:
            self._fetch.together.finished(response)

    def _begins_at(self, response: Response, offset: int) -> bool:
        """Whether the answer's body goes on at *offset*. Raises for an answer without a body."""
        if response.status == 200:
            return offset == 0
        if response.status == 206 and offset:
            match = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
            size = str(self._descriptor.size)
            last = str(self._descriptor.size - 1)
            return (
                match is not None
                and (match[1], match[2]) == (str(offset), last)
                and (match[3] in (size, "*"))
            )
        if response.status == 416 and offset:
            return False
        if response.status in (204, 206):
            raise InvalidResponse(str(response.address), f"{response.status} for a whole blob")
        missing = BlobNotFound(str(self._descriptor.digest), str(self._fetch.repository))
        raise self._fetch.repository.refused(response, missing)

    def _check_length(self, response: Response) -> None:
        """Refuse a body that already says that it is not the blob."""
        remaining = self._descriptor.size - self._ingest.offset
        if response.length is not None and response.length != remaining:
            actual = self._ingest.offset + response.length
            raise SizeMismatch(self._descriptor.size, actual, str(response.address))

    def _restart(self) -> None:
        self._ingest.restart()
        self._item.back_to(0)

    def moved(self, count: int) -> None:
        """Count bytes, and look now and then whether they are still wanted."""
        self._item.moved(count)
        self._fetch.together.check()


def _size(descriptor: Descriptor) -> int:
    return descriptor.size


def _unique(descriptors: Iterable[Descriptor]) -> list[Descriptor]:
    """Return each digest once. Raises SizeMismatch where two descriptors disagree on the size."""
    found: dict[Digest, Descriptor] = {}
    for each in descriptors:
        known = found.setdefault(each.digest, each)
        if known.size != each.size:
            raise SizeMismatch(known.size, each.size, str(each.digest))
    return list(found.values())


def _is_sound(store: Store, digest: Digest) -> bool:
    """Whether the blob that the store has is what its name says."""
    hasher = digest.hasher()
    with store.open_blob(digest) as file:
        while block := file.read(1 << 20):
            hasher.update(block)
    return hasher.hexdigest() == digest.encoded
