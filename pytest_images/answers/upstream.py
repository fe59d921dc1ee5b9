"""The default answers about registries: a reference is served by the registry it names."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pytest_images.hookspecs import hookimpl
from pytest_images.model.reference import DEFAULT_REGISTRY
from pytest_images.registry.hub import HUB_HOST

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_images.content.store import Store
    from pytest_images.images import Images
    from pytest_images.model.digest import Digest
    from pytest_images.model.endpoint import Access, Endpoint
    from pytest_images.model.reference import Reference
    from pytest_images.registry.client import Client
    from pytest_images.registry.resolve import Resolution

REMEMBER_AGAIN = 60.0  # seconds after which an unchanged answer is written down anew


class Upstream:
    """Answers ``registry_endpoints`` and ``registry_resolve`` when no other plugin does."""

    def __init__(self, store_of: Callable[[], Store], client_of: Callable[[], Client]) -> None:
        """*store_of* and *client_of* are called at the first question, not before."""
        self._store_of, self._client_of = store_of, client_of

    @hookimpl(trylast=True)
    def registry_endpoints(self, reference: Reference, access: Access) -> Sequence[Endpoint]:
        """Answer with the registry itself; Docker Hub is served by another host than its name."""
        from pytest_images.model.endpoint import Endpoint

        is_hub = reference.registry == DEFAULT_REGISTRY
        return (Endpoint(HUB_HOST if is_hub else reference.registry),)

    @hookimpl(trylast=True)
    def registry_resolve(self, images: Images, reference: Reference) -> Reference:
        """Ask the endpoints that may resolve, and keep the document that comes with the answer.

        What the registry says is remembered with the time. Of many that want an unknown tag
        at once on this machine, one asks and the others take its answer.
        """
        if reference.is_pinned:
            return reference
        asked = time.time()
        store = self._store_of()
        remembered = store.remembered(reference)
        if remembered is not None and store.has(remembered[0]):
            return self._ask(images, store, reference, *remembered)
        with store.guard("resolve", str(reference)):
            remembered = store.remembered(reference)
            if remembered is not None and remembered[1] >= asked and store.has(remembered[0]):
                return reference.with_digest(remembered[0])
            return self._ask(images, store, reference, None, 0.0)

    def _ask(
        self,
        images: Images,
        store: Store,
        reference: Reference,
        known: Digest | None,
        when: float,
    ) -> Reference:
        """Ask one endpoint after the other for what *reference* stands for."""
        from pytest_images.model.endpoint import Access
        from pytest_images.registry.endpoints import first_served

        def ask(endpoint: Endpoint) -> Resolution:
            return self._client_of().resolve(endpoint, reference, known)

        endpoints = images.endpoints(reference, Access.RESOLVE)
        found = first_served(reference, endpoints, Access.RESOLVE, ask)
        digest = found.descriptor.digest
        if found.raw is not None:
            store.put(found.raw, digest)
        if digest != known or time.time() - when > REMEMBER_AGAIN:
            store.remember(reference, digest)
        return reference.with_digest(digest)
