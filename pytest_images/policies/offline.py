"""Offline: no network but loopback."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.errors import Unreachable
from pytest_images.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from pytest_images.model.endpoint import Endpoint
    from pytest_images.model.request.import_ import ImportRequest


class Offline:
    """Takes away every endpoint that is not on this machine, so no verb needs to know."""

    @hookimpl(wrapper=True, tryfirst=True)
    def registry_endpoints(self) -> Generator[None, Sequence[Endpoint], Sequence[Endpoint]]:
        """Keep the endpoints on loopback, whoever named them."""
        endpoints = yield
        return tuple(endpoint for endpoint in endpoints if is_loopback(endpoint.host))

    @hookimpl(wrapper=True)
    def image_pull(self) -> Generator[None, object, object]:
        """Say at a failure that this policy is in force."""
        return (yield from _explained())

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
        return (yield from _explained())


def _closed(address: str) -> Unreachable:
    error = Unreachable(address, ["it is not on this machine"])
    error.add_note("images_offline is set: only addresses on loopback are asked")
    return error


def _explained() -> Generator[None, object, object]:
    __tracebackhide__ = True
    try:
        return (yield)
    except Unreachable as error:
        error.add_note("images_offline is set: only registries on loopback are asked")
        raise


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
