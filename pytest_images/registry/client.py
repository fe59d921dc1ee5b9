"""The registry client: what the engine asks for, at one endpoint at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.http.limits import DEFAULT, Limits
from pytest_images.http.session import Session
from pytest_images.model.endpoint import Access
from pytest_images.registry.auth import Authenticator
from pytest_images.registry.fetch import Fetch
from pytest_images.registry.meter import Meter
from pytest_images.registry.repository import Repository
from pytest_images.registry.resolve import Resolution, document, exists, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_images.content.leases import Lease
    from pytest_images.content.store import Store
    from pytest_images.http.proxies import Proxies
    from pytest_images.model.descriptor import Descriptor
    from pytest_images.model.digest import Digest
    from pytest_images.model.endpoint import Endpoint
    from pytest_images.model.manifest import Index, Manifest
    from pytest_images.model.progress import Progress
    from pytest_images.model.reference import Reference
    from pytest_images.registry.auth import CredentialsOf
    from pytest_images.registry.push import Push


class Client:
    """One account's connections, tokens and limits. Threads may share it; close it at the end.

    Nothing is imported or dialled before the first request. Every method takes the endpoint
    to ask; which endpoints there are, and in which order, is the caller's question.
    """

    def __init__(
        self,
        credentials: CredentialsOf | None = None,
        report: Callable[[Progress], None] | None = None,
        *,
        limits: Limits = DEFAULT,
        proxies: Proxies | None = None,
        offline: bool = False,
    ) -> None:
        """*credentials*: who we are to a registry; *report* hears of progress, from any thread.

        *offline*: no other machine is asked, for whatever purpose.
        """
        self._session = Session(limits, proxies, offline=offline)
        self._authenticator = Authenticator(self._session, credentials or _anonymous)
        self._report = report
        self._fetches: set[Fetch] = set()

    @property
    def limits(self) -> Limits:
        """The bounds that hold for every request."""
        return self._session.limits

    def resolve(
        self, endpoint: Endpoint, reference: Reference, known: Digest | None = None
    ) -> Resolution:
        """Say what *reference* (a tag, or a digest) stands for.

        *known* is the digest whose bytes the store has: then a HEAD is asked first, which
        counts against no pull limit, and a GET only where it says something else.
        """
        repository = self._repository(endpoint, reference, Access.RESOLVE)
        name = str(reference.digest or reference.tag)
        if reference.digest is not None:
            found = document(repository, reference.digest)
            return Resolution(found.descriptor, found.raw)
        return resolve(repository, name, known)

    def manifest(self, endpoint: Endpoint, reference: Reference) -> Manifest | Index:
        """Get the manifest or index of *reference*; its digest, where it has one, decides."""
        repository = self._repository(endpoint, reference, Access.PULL)
        return document(repository, reference.digest or str(reference.tag))

    def has(self, endpoint: Endpoint, reference: Reference, digest: Digest) -> bool:
        """Whether *reference*'s repository has the manifest of *digest*; costs a HEAD."""
        return exists(self._repository(endpoint, reference, Access.PULL), digest)

    def greet(self, endpoint: Endpoint) -> None:
        """Raise unless *endpoint* lets us in as whom we say we are: AuthError, Unreachable."""
        session, authenticator = self._session, self._authenticator
        Repository(session, authenticator, endpoint, "", Access.PULL).greet()

    def tags(self, endpoint: Endpoint, reference: Reference) -> tuple[str, ...]:
        """Return the tags of *reference*'s repository."""
        from pytest_images.registry.tags import list_tags

        return list_tags(self._repository(endpoint, reference, Access.PULL))

    def fetch(
        self,
        endpoint: Endpoint,
        reference: Reference,
        descriptors: Sequence[Descriptor],
        store: Store,
        lease: Lease,
        *,
        first: Callable[[], None] | None = None,
    ) -> None:
        """Bring blobs into *store*, several at once, each verified and held by *lease*.

        *first* is called when the first of *descriptors* is here; see `Fetch.all`.
        """
        repository = self._repository(endpoint, reference, Access.PULL)
        meter = Meter(self._report, "pull", str(reference))
        fetch = Fetch(repository, store, lease, meter)
        self._fetches.add(fetch)
        try:
            fetch.all(descriptors, first)
        finally:
            self._fetches.discard(fetch)

    def push(
        self,
        endpoint: Endpoint,
        reference: Reference,
        store: Store,
        sources: Sequence[str] = (),
    ) -> Push:
        """Return a push into *reference*'s repository; *sources* as for `Push`."""
        from pytest_images.registry.push import Push

        repository = self._repository(endpoint, reference, Access.PUSH)
        return Push(repository, store, Meter(self._report, "push", str(reference)), sources)

    def meter(self, verb: str, subject: str) -> Meter:
        """Return what tells progress of *verb* on *subject*."""
        return Meter(self._report, verb, subject)

    def close(self) -> None:
        """End what is being fetched, close all connections. Safe when called twice."""
        for fetch in tuple(self._fetches):
            fetch.together.give_up()
        self._session.close()

    def _repository(self, endpoint: Endpoint, reference: Reference, access: Access) -> Repository:
        # A resolve and the pull after it are one purpose: they share a token.
        wanted = Access.PULL if access is Access.RESOLVE else access
        return Repository.of(self._session, self._authenticator, endpoint, reference, wanted)


def _anonymous(registry: str, access: Access, rejected: object) -> None:
    """Know nobody."""
