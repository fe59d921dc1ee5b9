"""Docker Hub's several names: one registry, asked at one host, known to configs by another."""

from __future__ import annotations

from pytest_images.model.reference import DEFAULT_REGISTRY

HUB_HOST = "registry-1.docker.io"
HUB_NAMES = frozenset({DEFAULT_REGISTRY, "index.docker.io", HUB_HOST})
HUB_CONFIG_KEY = "https://index.docker.io/v1/"


def registry_name(host: str) -> str:
    """Return the name under which credentials for *host* are kept: the host, or ``docker.io``."""
    return DEFAULT_REGISTRY if host.lower() in HUB_NAMES else host
