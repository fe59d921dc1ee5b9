"""The registry that `login` and `logout` are given."""

from __future__ import annotations

from pytest_images.errors import InvalidAddress
from pytest_images.http.address import split_host
from pytest_images.model.reference import DEFAULT_REGISTRY
from pytest_images.registry.hub import HUB_CONFIG_KEY, HUB_NAMES


def registry_of(text: str) -> str:
    """Return the registry that *text* means: a host, or an address of it; "" is Docker Hub.

    Raises InvalidAddress.
    """
    host = text.partition("://")[2] or text
    host = host.partition("/")[0].lower()
    if not text or host in HUB_NAMES:
        return DEFAULT_REGISTRY
    split_host(host)
    if "." not in host and ":" not in host and host != "localhost":
        raise InvalidAddress(text, "a registry's name has a dot or a port, or is localhost")
    return host


def called(registry: str) -> str:
    """Return what Docker calls *registry* where it names it to the user."""
    return HUB_CONFIG_KEY if registry == DEFAULT_REGISTRY else registry
