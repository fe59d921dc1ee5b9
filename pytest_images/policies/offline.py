"""Offline: no network but loopback.

The client's session refuses every other address (`check_here`); this policy keeps verbs from
trying, takes what was learned while there was a network, and says what is missing.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from pytest_images.errors import (
    BlobNotFound,
    ImageNotFound,
    ImagesError,
    MissingOffline,
    Unreachable,
    UnsafeAddress,
)
from pytest_images.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from pytest_images.content.store import Store
    from pytest_images.images import Images
    from pytest_images.model.endpoint import Endpoint
    from pytest_images.model.reference import Reference
    from pytest_images.model.request.import_ import ImportRequest
    from pytest_images.model.request.pull import PullRequest

_FAILURES = (BlobNotFound, ImageNotFound, Unreachable, UnsafeAddress)


class Offline:
    """Takes away every endpoint that is not on this machine, so no verb needs to know."""

    def __init__(self, store_of: Callable[[], Store], home: str = "") -> None:
        """*store_of* is called at the first question; *home*: the store's folder, if chosen."""
        self._store_of, self._home = store_of, home

    @hookimpl(wrapper=True, tryfirst=True)
    def registry_endpoints(self) -> Generator[None, Sequence[Endpoint], Sequence[Endpoint]]:
        """Keep the endpoints on loopback, whoever named them."""
        endpoints = yield
        return tuple(endpoint for endpoint in endpoints if is_loopback(endpoint.host))

    @hookimpl(wrapper=True)
    def registry_resolve(self, reference: Reference) -> Generator[None, Reference, Reference]:
        """Where nobody can be asked, take what the registry said last, if that is here."""
        try:
            return (yield)
        except Unreachable:
            store = self._store_of()
            said = None if is_loopback(reference.registry) else store.remembered(reference)
            if said is None or not store.has(said[0]):
                raise
            return reference.with_digest(said[0])

    @hookimpl(wrapper=True)
    def image_pull(self, images: Images, request: PullRequest) -> Generator[None, object, object]:
        """Say of what is missing how to fetch it."""
        __tracebackhide__ = True
        try:
            return (yield)
        except _FAILURES as error:
            if is_loopback(request.reference.registry):
                raise
            raise self._missing(images, request, error) from error

    @hookimpl(wrapper=True, tryfirst=True)
    def image_import(self, request: ImportRequest) -> Generator[None, object, object]:
        """Refuse to fetch a root file system from elsewhere."""
        from pytest_images.http.address import Address, is_url

        if is_url(request.name) and not is_loopback(Address.parse(request.name).netloc):
            raise _closed(request.name)
        return (yield)

    @hookimpl(wrapper=True)
    def image_push(self) -> Generator[None, object, object]:
        """Say at a failure that this policy is in force."""
        __tracebackhide__ = True
        try:
            return (yield)
        except Unreachable as error:
            error.add_note("images_offline is set: only registries on loopback are asked")
            raise

    def _missing(self, images: Images, request: PullRequest, error: ImagesError) -> MissingOffline:
        """Return the error of an image that is not here: which command fetches it."""
        named = request.reference
        reasons = [] if isinstance(error, Unreachable) and not error.reasons else [str(error)]
        words = ["pytest-images", *(["--home", self._home] if self._home else []), "pull"]
        if request.platforms:
            words += ["--platform", ",".join(map(str, request.platforms))]
        words += ["--all-tags"] if request.all_tags else []
        words.append((named if request.all_tags else _pinned(images, named)).familiar)
        missing = MissingOffline(named.familiar, reasons)
        missing.add_note(f"fetch it where there is a network: {shlex.join(words)}")
        return missing


def _closed(address: str) -> Unreachable:
    error = Unreachable(address, ["it is not on this machine"])
    error.add_note("images_offline is set: only addresses on loopback are asked")
    return error


def _pinned(images: Images, reference: Reference) -> Reference:
    """Pin *reference* by the lock file, or by what is remembered, if either knows it."""
    try:
        return images.resolve(reference)
    except ImagesError:
        return reference


def is_loopback(host: str) -> bool:
    """Say whether *host* (``name`` or ``name:port``) is this machine by its very name.

    >>> is_loopback("127.0.0.1:5000"), is_loopback("[::1]:5000"), is_loopback("docker.io")
    (True, True, False)
    """
    import ipaddress

    name = host.rpartition("]")[0].lstrip("[") or host.partition(":")[0]
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
